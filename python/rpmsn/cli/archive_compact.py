# SPDX-License-Identifier: GPL-3.0-or-later
"""`rpmsn archive compact`: the tables of an archive in few files."""

import argparse
from contextlib import ExitStack

from ..progress import progress_bar
from . import options as given


def add(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb."""
    parser = verbs.add_parser(
        "compact",
        help="put the tables of an archive into few files",
        description="Puts the rows of all recordings in DEST into one file a table, so that questions are answered "
        "sooner. Rows stay as they are, and the next run does only what is new, as before. May be stopped and killed "
        "at any time. Not to be done while another process writes to DEST.",
        epilog="Example: rpmsn archive compact found",
    )
    parser.add_argument("dest", metavar="DEST", help="folder or URL with results of `rpmsn archive run`")
    given.add_quiet(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Compact, and say what there is now."""
    from ..archive import layers
    from ..archive.running import read_manifest
    from ..archive.schema import require
    from ..archive.store import Store

    require()
    dest = Store(options.dest)
    read_manifest(dest)
    with ExitStack() as stack:
        done = layers.compact(
            dest, lambda files: stack.enter_context(progress_bar(files, "files", "compacting", options.quiet)).update
        )
    print(f"{done.recordings} recordings in {done.after} files of tables, {done.before} before")
    return 0
