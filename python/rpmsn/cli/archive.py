# SPDX-License-Identifier: GPL-3.0-or-later
"""`rpmsn archive`: recordings by the thousand, and answers from them."""

import argparse

from . import archive_query, archive_report, archive_run


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "archive",
        help="analyse folders, disks and buckets of recordings, and ask what is in them",
        description="Analyses an archive of recordings, on this machine or on a cluster (run), answers questions from "
        "the results (query), and writes a page about them (report).",
        epilog="Example: rpmsn archive run campaign --output found; rpmsn archive query found on-air --band n78; "
        "rpmsn archive report found",
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb in (archive_run, archive_query, archive_report):
        verb.add(verbs)
