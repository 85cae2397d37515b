# SPDX-License-Identifier: GPL-3.0-or-later
"""The GNU Radio blocks, for the commands that open a radio through them.

The engine does not depend on GNU Radio: what needs it is loaded here, by name, when it is asked for.
"""

from importlib import import_module


def load(module):
    """A module of the package `gnuradio.rpmsn`.

    Args:
        module: its name in that package, such as `"monitor_flowgraph"`.

    Raises:
        ImportError: GNU Radio, or what that module needs, is missing.
    """
    return import_module(f"gnuradio.rpmsn.{module}")
