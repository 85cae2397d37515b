# SPDX-License-Identifier: GPL-3.0-or-later
"""`ray start ...` for tests: a node that listens on loopback alone, which Ray itself has for single nodes only."""

from ray._private import services

services.get_node_ip_address = lambda address=None: "127.0.0.1"

from ray.scripts.scripts import main

if __name__ == "__main__":
    main()
