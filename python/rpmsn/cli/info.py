# SPDX-License-Identifier: GPL-3.0-or-later
"""`rpmsn info`: what a recording holds, or which models there are."""

import argparse

from . import options as given


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "info",
        help="what a recording holds, or which models are installed",
        description="Prints what a recording holds; without IN, which models are installed.",
    )
    given.add_input(parser, nargs="?")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Print it."""
    from ..models.model import available_models, load_model
    from . import report

    if options.input:
        with given.open_input(options.input, options) as recording:
            report.print_recording(recording)
    else:
        report.print_models([load_model(name) for name in available_models()])
