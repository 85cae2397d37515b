# SPDX-License-Identifier: GPL-3.0-or-later
"""`rpmsn devices`: the radios that are connected, and what keeps others from being used."""

import argparse


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "devices",
        help="which radios are connected, and what is missing to use others",
        description="Lists the radios that are plugged in or answer on the network, as "
        "--device takes them, and says what keeps others from being used. Exit "
        "status 1 if there is none.",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Look for radios and print them; returns the exit status."""
    from ..radios import listing

    return listing.run()
