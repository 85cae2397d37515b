# SPDX-License-Identifier: GPL-3.0-or-later
"""`rpmsn archive query`: questions to the results of `rpmsn archive run`."""

import argparse
import io
import sys
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from ..errors import ParameterError
from . import options as given

if TYPE_CHECKING:
    import pyarrow as pa

TABLE, CSV, PARQUET = FORMATS = ("table", "csv", "parquet")
MOST_ROWS = 1000
"""Of a table for people."""
WIDEST = 90
"""Characters of a text in it."""


def add(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb."""
    parser = verbs.add_parser(
        "query",
        help="ask what is in an archive",
        description="Answers a question from the results in DEST. Questions: on-air (the carriers), hours (occupancy "
        "of bands by hour of the day), cell (recordings with --pci), changes (new and vanished carriers, --since), "
        "not-judged (what, and why), recordings, failures; or any SQL over the tables of docs/archive.md.",
        epilog="Example: rpmsn archive query found on-air --band n78 --since 2026-11-02 --until 2026-11-09; "
        "rpmsn archive query found --sql 'SELECT label, count(*) FROM carriers GROUP BY label'",
    )
    parser.add_argument("dest", metavar="DEST", help="folder or URL with results of `rpmsn archive run`")
    parser.add_argument("question", metavar="QUESTION", nargs="?", help="one of the above")
    parser.add_argument("--sql", metavar="TEXT", help="a question in DuckDB's SQL in place of QUESTION")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--band", metavar="NAME", help="only in this 3GPP band, such as 3 (LTE) or n78 (NR)")
    where.add_argument(
        "--range", nargs=2, type=given.hertz, metavar=("FROM", "TO"), help="only between these, such as 1805M 1880M"
    )
    parser.add_argument("--since", type=when, metavar="TIME", help="from then on: 2026-11-02 or 2026-11-02T14:00, UTC")
    parser.add_argument("--until", type=when, metavar="TIME", help="before then")
    parser.add_argument("--pci", type=given.count_or_zero, metavar="N", help="only this cell identity (cell)")
    parser.add_argument(
        "--format", choices=FORMATS, default=TABLE, help="how to answer (default: %(default)s; parquet needs --output)"
    )
    parser.add_argument("--output", metavar="FILE", help="write the answer to a file, which must not exist yet")
    parser.set_defaults(run=run)


def when(text: str) -> datetime:
    """A date or time, UTC unless it says otherwise.

    Raises:
        argparse.ArgumentTypeError: it is neither.
    """
    try:
        time = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no time; write it as 2026-11-02 or 2026-11-02T14:00") from None
    return time if time.tzinfo else time.replace(tzinfo=timezone.utc)


def run(options: argparse.Namespace) -> int:
    """Ask and print."""
    from ..archive.querying import Archive, Filter, edges_of_band
    from ..files import write_whole

    if (options.sql is None) == (options.question is None):
        raise ParameterError("give a QUESTION or --sql, one of them; `rpmsn archive query --help` lists the questions")
    if options.format == PARQUET and options.output is None:
        raise ParameterError("--format parquet needs --output FILE")
    bands = edges_of_band(options.band) if options.band else [tuple(options.range)] if options.range else []
    if options.range and options.range[0] >= options.range[1]:
        raise ParameterError("--range is empty: FROM must be below TO")
    if options.since and options.until and options.since >= options.until:
        raise ParameterError("--since is not before --until, so nothing is between them: exchange them")
    limits = Filter(bands, options.since, options.until, options.pci)
    if options.sql is not None and limits != Filter([]):
        raise ParameterError("--band, --range, --since, --until and --pci limit a QUESTION: with --sql write WHERE")
    archive = Archive(options.dest)
    if options.sql is not None:
        found = archive.sql(options.sql)
    else:
        found = archive.ask(options.question, limits)
    content = _encoded(found, options.format)
    if options.output is None:
        print(content.decode(), end="")
        return 0
    try:
        write_whole(options.output, content, overwrite=False)
    except FileExistsError:
        raise ParameterError(f"--output {options.output} exists and is not overwritten: choose another name") from None
    print(f"{_rows(found)} in {options.output}", file=sys.stderr)
    return 0


def _encoded(found: "pa.Table", form: str) -> bytes:
    if form == TABLE:
        return _as_table(found).encode(errors="surrogateescape")
    import pyarrow.csv
    import pyarrow.parquet

    content = io.BytesIO()
    (pyarrow.csv.write_csv if form == CSV else _write_parquet)(found, content)
    return content.getvalue()


def _write_parquet(found: "pa.Table", content: io.BytesIO) -> None:
    import pyarrow.parquet

    pyarrow.parquet.write_table(found, content)


def _as_table(found: "pa.Table") -> str:
    from ..tables import format_table

    names = found.column_names
    rows = [[_text(row[name]) for name in names] for row in found.slice(0, MOST_ROWS).to_pylist()]
    end = "" if found.num_rows <= MOST_ROWS else f"And {found.num_rows - MOST_ROWS} others: --format csv has all.\n"
    return f"{format_table(names, rows) if rows else ' '.join(names)}\n{end}{_rows(found)}\n"


def _rows(found: "pa.Table") -> str:
    return f"{found.num_rows} row{'' if found.num_rows == 1 else 's'}"


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    text = f"{value:.10g}" if isinstance(value, float) else str(value).replace("\n", "; ")
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"
