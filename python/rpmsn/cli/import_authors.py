# SPDX-License-Identifier: GPL-3.0-or-later
"""`rpmsn import-authors`: sets from the folders that the authors of RPMSN published."""

import argparse
from pathlib import Path

from . import options as given


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "import-authors",
        help="make sets from the folders that the authors of RPMSN published",
        description="Makes the sets `train` and `validation` from the published folders trainSet and testSet, each "
        "with input and label. What the label's colours mean is declared in a file, and checked. Stopped "
        "at any moment, the same command continues.",
        epilog="Example: rpmsn import-authors RPMSN/dataset --output runs/authors",
    )
    parser.add_argument("folder", metavar="FOLDER", help="folder that has trainSet and testSet")
    parser.add_argument(
        "--output", required=True, metavar="FOLDER", help="folder for the sets; created where it does not exist"
    )
    parser.add_argument(
        "--colours",
        metavar="FILE",
        help="YAML file with a line `class: [red, green, blue]` for each class (default: those of the "
        "authors' code: noise 248 163 191, LTE 2 0 0, NR 127 0 0)",
    )
    given.add_workers(parser, what="images read at the same time")
    given.add_quiet(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Make the sets, and print a line for each."""
    from ..training.authors import DEFAULT_COLOURS, import_authors, load_colours

    colours = load_colours(options.colours or DEFAULT_COLOURS)
    made = import_authors(options.folder, options.output, colours, options.workers, options.quiet)
    for name, image_set in made.items():
        print(f"{Path(options.output) / name}: {len(image_set)} images and masks")
