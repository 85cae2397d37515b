# SPDX-License-Identifier: GPL-3.0-or-later
"""`rpmsn annotate` of many recordings: a line each as they are done, and a summary."""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import closing
from typing import Any

from .. import runtimes
from ..archive import batch
from ..archive.annotating import Annotator, Settings
from ..archive.batch import Batch, Outcome
from ..archive.listing import find_recordings
from ..archive.summary import Group, Summary, carriers_of
from ..errors import RecordingError
from ..messages import keys
from ..messages.fields import LABELS, column_of
from ..models.model import load_model
from ..progress import print_above, progress_bar
from ..tables import format_table
from . import options as given
from .report import headings

MOST_ROWS = 40
"""Of the summary."""
EDGES = (keys.FREQ_LOWER, keys.FREQ_UPPER, keys.BANDWIDTH)
COLUMNS = ("label", *headings(EDGES), "band", *headings((keys.CELL_ID,)), "recordings")


def run(options: argparse.Namespace, settings: Settings) -> int:
    """List, plan, annotate, sum up; returns the exit status."""
    runtimes.check_name(options.runtime)
    annotator = Annotator(load_model(options.model), settings)
    listing = find_recordings(options.input, settings.datatype is not None, settings.sample_rate is not None)
    todo = batch.plan(listing, annotator, options.output, options.overwrite, options.resume)
    if not todo.count:
        raise RecordingError(
            f"{', '.join(options.input)}: no recording is among these; annotations of this program are not read again"
        )
    cores = given.CORES
    jobs = min(batch.most_jobs(options.jobs, cores), max(1, len(todo.tasks)))
    workers = options.workers or max(1, cores // jobs)
    size = sum(task.listed.size for task in todo.tasks)
    counts: Counter[str] = Counter()
    summary = Summary()
    try:
        with (
            progress_bar(size, "B", "annotating", options.quiet or not todo.tasks, unit_scale=True) as progress,
            closing(
                batch.run(todo, options.model, settings, jobs, workers, progress.update, options.overwrite)
            ) as outcomes,
        ):
            for outcome in outcomes:
                counts[_kind(outcome)] += 1
                progress.set_description(f"{sum(counts.values())} of {todo.count}", refresh=False)
                _show(outcome, options.json)
                _sum_up(outcome, summary)
    except KeyboardInterrupt:
        print(f"rpmsn annotate: {_counted(counts, todo)}; with --resume it goes on from here", file=sys.stderr)
        raise
    if not options.json:
        _print_groups(summary)
    print(_counted(counts, todo), file=sys.stderr if options.json else sys.stdout)
    return 1 if counts["failed"] else 0


def _kind(outcome: Outcome) -> str:
    return "failed" if outcome.error else "kept" if outcome.kept is not None else "annotated"


def _counted(counts: "Counter[str]", todo: Batch) -> str:
    """How many recordings came to which end."""
    words = ", ".join(f"{counts[kind]} {kind}" for kind in ("annotated", "kept", "failed"))
    left = todo.count - sum(counts.values())
    return f"{todo.count} recordings: {words}" + (f", {left} not analysed" if left else "")


def _show(outcome: Outcome, as_json: bool) -> None:
    """A line for a recording on stdout; what is wrong, on stderr."""
    name = _one_line(outcome.path)
    found = outcome.document
    if as_json:
        print_above(json.dumps(_json_of(outcome)), sys.stdout)
    elif found is not None:
        words = _in_words(found["carriers"]) if found["judged"] or found["carriers"] else "nothing known"
        end = "" if found["output"] else "; nothing written"
        print_above(f"{name}: {words}{_judged(found)}{end}", sys.stdout)
    elif outcome.kept is not None:
        print_above(f"{name}: {_in_words(carriers_of(outcome.kept)[0])}; kept", sys.stdout)
    for text in (*(found["warnings"] if found else ()), *outcome.notes):
        print_above(f"rpmsn: {name}: {_one_line(text)}", sys.stderr)
    if outcome.error:
        print_above(f"rpmsn: {name}: not annotated: {_one_line(outcome.error)}", sys.stderr)


def _json_of(outcome: Outcome) -> dict[str, Any]:
    """The document of a recording; without a result: which recording, and why not."""
    values = outcome.document or {"recording": outcome.path, "output": outcome.kept_in}
    if outcome.kept is not None:
        values = {**values, "kept": True}
    return {**values, "error": outcome.error} if outcome.error else values


def _in_words(carriers: Iterable[Mapping[str, Any]]) -> str:
    """Carriers by label, and cells: `2 LTE, 1 NR, PCI 52 54 733`."""
    carriers = list(carriers)
    labels = Counter(carrier[keys.LABEL] for carrier in carriers)
    words = [f"{labels[label]} {label}" for label in LABELS if labels[label]]
    cells = sorted({carrier[keys.CELL_ID] for carrier in carriers if carrier.get(keys.CELL_ID) is not None})
    if cells:
        words.append(f"{column_of(keys.CELL_ID).title} {' '.join(map(str, cells))}")
    return ", ".join(words) or "no carrier"


def _judged(found: Mapping[str, Any]) -> str:
    return "" if found["judged"] == 1 else f"; judged {found['judged']:.3f}"


def _one_line(text: str) -> str:
    """A text with a name in it, which may hold anything, as one line."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape", "surrogatepass").decode() for letter in text
    )


def _sum_up(outcome: Outcome, summary: Summary) -> None:
    if outcome.document is not None:
        summary.add(outcome.document["carriers"], outcome.document["center_frequency"] is not None)
    elif outcome.kept is not None:
        summary.add(*carriers_of(outcome.kept))


def _print_groups(summary: Summary) -> None:
    """The carriers and cells that came back."""
    groups = summary.groups
    if not groups:
        return
    print()
    print(format_table(COLUMNS, [_row(group) for group in groups[:MOST_ROWS]]))
    if not all(group.is_absolute for group in groups[:MOST_ROWS]):
        print("Frequencies with a sign are relative to the centre of their recordings, which is not known.")
    if len(groups) > MOST_ROWS:
        fewer = groups[MOST_ROWS].recordings
        print(f"And {len(groups) - MOST_ROWS} others, each in {fewer} recordings or fewer; --json has all carriers.")


def _row(group: Group) -> tuple[str, ...]:
    lower, upper, width = (column_of(name).text(getattr(group, name)) for name in EDGES)
    if not group.is_absolute:
        lower, upper = (text if text.startswith("-") else f"+{text}" for text in (lower, upper))
    return (
        group.label,
        lower,
        upper,
        width,
        group.band or "",
        column_of(keys.CELL_ID).text(group.cell_id),
        str(group.recordings),
    )
