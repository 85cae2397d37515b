# SPDX-License-Identifier: GPL-3.0-or-later
"""`rpmsn archive report`: one HTML page about an archive."""

import argparse
from pathlib import Path

from ..errors import ParameterError

NAME = "report.html"


def add(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb."""
    parser = verbs.add_parser(
        "report",
        help="write one page about an archive",
        description="Writes one HTML file with all in it: bands and what was found in them, occupancy over days, "
        "carriers and cells with pictures, what was not judged and what failed.",
        epilog="Example: rpmsn archive report found --output week.html",
    )
    parser.add_argument("dest", metavar="DEST", help="folder or URL with results of `rpmsn archive run`")
    parser.add_argument(
        "--output", metavar="FILE", default=NAME, help="the page, which must not exist yet (default: %(default)s)"
    )
    parser.add_argument("--overwrite", action="store_true", help="let FILE replace one that exists")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Ask and write."""
    from ..archive.querying import Archive
    from ..archive.report import build
    from ..files import write_whole

    output = Path(options.output)
    if output.exists() and not options.overwrite:
        raise ParameterError(f"--output {output} exists and is not overwritten: choose another name, or --overwrite")
    try:
        write_whole(output, build(Archive(options.dest)), overwrite=options.overwrite)
    except FileExistsError:
        raise ParameterError(f"--output {output} appeared meanwhile: choose another name, or --overwrite") from None
    print(output)
    return 0
