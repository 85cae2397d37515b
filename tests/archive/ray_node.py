# SPDX-License-Identifier: GPL-3.0-or-later
"""`ray start ...` for tests: a node that listens on loopback alone, and may take long to start on a busy machine.

Ray has the first for single nodes only. As for the second, it gives a node 30 s to register, and the node ends itself
where its agents have not written their ports within some 15 s. Here they are given by options and written at once.
"""

import inspect
import sys
import time
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))

from limits import PROCESS_S
from ray._private import node, services

PORTS = ("metrics_agent_port", "metrics_export_port", "dashboard_agent_listen_port", "runtime_env_agent_port")

services.get_node_ip_address = lambda address=None: "127.0.0.1"
get_node, start_raylet = services.get_node, services.start_raylet


def get_node_that_starts(*where):
    """As of Ray, which tries for 30 s."""
    end = time.monotonic() + PROCESS_S
    while True:
        try:
            return get_node(*where)
        except RuntimeError:
            if time.monotonic() > end:
                raise


def start_raylet_with_ports(*positional, **named):
    """As of Ray, and it need not wait for what its agents write."""
    given = inspect.signature(start_raylet).bind(*positional, **named).arguments
    for name in PORTS:
        Path(given["session_dir"], node.get_port_filename(given["node_id"], name)).write_text(str(given[name]))
    return start_raylet(*positional, **named)


services.get_node, services.start_raylet = get_node_that_starts, start_raylet_with_ports

from ray.scripts.scripts import main

if __name__ == "__main__":
    main()
