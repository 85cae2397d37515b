# SPDX-License-Identifier: GPL-3.0-or-later
"""`rpmsn grc`: GNU Radio Companion with these blocks."""

import argparse


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "grc",
        help="start GNU Radio Companion so that it finds these blocks",
        description="Starts GNU Radio Companion with the Python and the block path that it needs.",
    )
    parser.add_argument("files", nargs="*", metavar="FILE", help="flowgraph (.grc) to open")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Become the companion's process."""
    from . import companion

    companion.start(options.files)
