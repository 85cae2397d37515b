# SPDX-License-Identifier: GPL-3.0-or-later
"""`rpmsn archive`: recordings by the thousand, and answers from them."""

import argparse
from collections.abc import Sequence
from typing import Any

from . import archive_compact, archive_query, archive_report, archive_run


class _Intermixed(argparse.ArgumentParser):
    """Takes arguments that may be left out also behind options."""

    _is_within = False

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[Any, list[str]]:
        """As of argparse."""
        if self._is_within:
            return super().parse_known_args(args, namespace)
        self._is_within = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._is_within = False


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "archive",
        help="analyse folders, disks and buckets of recordings, and ask what is in them",
        description="Analyses an archive of recordings, on this machine or on a cluster (run), answers questions from "
        "the results (query), writes a page about them (report), and puts tables of very many recordings into few "
        "files (compact).",
        epilog="Example: rpmsn archive run campaign --output found; rpmsn archive query found on-air --band n78; "
        "rpmsn archive report found",
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB", parser_class=_Intermixed)
    for verb in (archive_run, archive_compact, archive_query, archive_report):
        verb.add(verbs)
