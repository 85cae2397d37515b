# SPDX-License-Identifier: GPL-3.0-or-later
"""`ray start ...` for tests: a node that listens on loopback alone, and may take long to start on a busy machine.

Ray has the first for single nodes only, and gives up after 30 s of the second.
"""

import sys
import time
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))

from limits import PROCESS_S
from ray._private import services

services.get_node_ip_address = lambda address=None: "127.0.0.1"
get_node = services.get_node


def get_node_that_starts(*where):
    """As of Ray, which tries for 30 s."""
    end = time.monotonic() + PROCESS_S
    while True:
        try:
            return get_node(*where)
        except RuntimeError:
            if time.monotonic() > end:
                raise


services.get_node = get_node_that_starts

from ray.scripts.scripts import main

if __name__ == "__main__":
    main()
