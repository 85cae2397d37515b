# SPDX-License-Identifier: GPL-3.0-or-later
"""`rpmsn archive run`: what is new in an archive is analysed, and its results written once."""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from ..errors import ParameterError, RecordingError, StorageError
from ..progress import print_above, progress_bar
from . import options as given

if TYPE_CHECKING:
    from ..archive.annotating import Annotator
    from ..archive.running import Todo
    from ..archive.work import Done, Job, Plan

PIECE_SECONDS = 30.0
CHUNK_JOBS = 10_000
"""So many jobs are planned and handed out at a time."""


def add(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verb."""
    parser = verbs.add_parser(
        "run",
        help="analyse what is new in an archive",
        description="Finds the recordings in SOURCE, analyses those that DEST has no results of, and writes SigMF "
        "annotations and tables (Parquet) to DEST. May be stopped and killed at any time: the next run goes on.",
        epilog="Example: rpmsn archive run s3://campaign/2026 --output found --actors 8",
    )
    given.add_input(
        parser, "source", "SOURCE", "folder with all in it, recording, or URL of either, such as s3://bucket/folder"
    )
    parser.add_argument("--output", metavar="DEST", required=True, help="folder or URL for the results")
    parser.add_argument(
        "--actors",
        type=given.count_or_zero,
        metavar="N",
        help=f"workers at the same time, on one core each (default: one for each of the {given.CORES} cores of this "
        "machine, as far as memory is free; with --address one for each core of the cluster); 0: in this process, "
        "without Ray",
    )
    parser.add_argument(
        "--address", metavar="HOST:PORT", help="a running Ray cluster, or auto (default: Ray on this machine alone)"
    )
    parser.add_argument(
        "--piece-seconds",
        type=given.piece_seconds,
        default=PIECE_SECONDS,
        metavar="S",
        help="longer recordings are shared by several workers, in pieces of about so long; results do not depend on "
        "it (default: %(default)g)",
    )
    given.add_model(parser)
    given.add_runtime(parser)
    parser.add_argument(
        "--frame-seconds",
        type=given.frame_seconds,
        metavar="S",
        help="length of a frame, 0.01 to 0.2 (default: what the model was trained with)",
    )
    given.add_cells(parser)
    given.add_quiet(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """List, plan, analyse; returns the exit status."""
    from ..archive import running, sources
    from ..archive.schema import require
    from ..archive.store import Store

    require()
    if options.address is not None and options.actors == 0:
        raise ParameterError("--actors 0 is this process alone, and --address a cluster: leave one of them out")
    plan, annotator = _plan(options)
    source, dest = Store(plan.source), Store(plan.dest)
    found, listing = sources.find(source, annotator, options.format is not None, options.sample_rate is not None)
    if not found:
        sentences = [sentence for _, sentence in listing.faults]
        raise RecordingError(
            "\n".join(sentences)
            or f"{source.url}: no recording is there; files are known by their names (docs/formats.md)"
        )
    running.check_dest(dest, plan, annotator)
    todo = running.look(dest, plan, found)
    report = _Report(len(found) + len(listing.faults))
    report.counts["kept"] = todo.kept
    for path, sentence in listing.faults:
        report.fail(path, sentence)
    try:
        _work(options, plan, todo, annotator, report)
    except (KeyboardInterrupt, StorageError):
        with suppress(StorageError):
            running.note_failures(dest, report.failures, report.finished)
        print(f"rpmsn archive: {report.counted()}; the same command goes on from here", file=sys.stderr)
        raise
    running.note_failures(dest, report.failures, {one.url for one in found} - set(report.failures))
    print(report.counted())
    return 1 if report.failures else 0


def _plan(options: argparse.Namespace) -> "tuple[Plan, Annotator]":
    from .. import runtimes
    from ..archive.annotating import Annotator, Settings
    from ..archive.store import Store
    from ..archive.work import Plan
    from ..models.model import load_model

    runtimes.check_name(options.runtime)
    model = load_model(options.model)
    settings = Settings(
        options.format,
        options.sample_rate,
        options.center_frequency,
        options.channel,
        # By its own name: all workers have the same.
        runtimes.create(model, options.runtime).name,
        options.frame_seconds,
        cells=options.cells,
    )
    annotator = Annotator(model, settings)
    source, dest = Store(options.source), Store(options.output)
    card = os.path.abspath(options.model) if os.path.exists(options.model) else options.model
    plan = Plan(source.url, dest.url, card, settings, options.piece_seconds, annotator.made_by)
    return plan, annotator


@dataclass
class _Report:
    """What became of the recordings, as it is printed.

    Attributes:
        total: recordings.
        counts: kind of end -> how many.
        failures: recording -> why there is no result.
    """

    total: int
    counts: "Counter[str]" = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)
    finished: set[str] = field(default_factory=set)

    def fail(self, url: str, sentence: str) -> None:
        """A recording, or a piece of it, has failed."""
        if url not in self.failures:
            self.failures[url] = sentence
            self.counts["failed"] += 1
            print_above(f"rpmsn: {url}: {sentence}", sys.stderr)

    def take(self, done: "Done") -> None:
        """A job is done."""
        for note in done.notes:
            print_above(f"rpmsn: {done.url}: {note}", sys.stderr)
        if done.error:
            self.fail(done.url, done.error)
        elif done.is_whole and done.url not in self.finished:
            self.finished.add(done.url)
            self.counts["analysed"] += 1
            print_above(f"{done.url}: {_in_words(done)}", sys.stdout)

    def counted(self) -> str:
        """How many came to which end."""
        words = ", ".join(f"{self.counts[kind]} {kind}" for kind in ("analysed", "kept", "failed"))
        left = self.total - sum(self.counts.values())
        return f"{self.total} recordings: {words}" + (f", {left} not analysed" if left else "")


def _in_words(done: "Done") -> str:
    if done.carriers is None:
        return "done before"
    words = [f"{number} {label}" for label, number in done.carriers.items()]
    if done.cells:
        words.append(f"PCI {' '.join(map(str, done.cells))}")
    judged = "" if done.judged == 1 else f"; judged {done.judged:.3f}"
    return (", ".join(words) or ("no carrier" if done.judged else "nothing known")) + judged


def _work(options: argparse.Namespace, plan: "Plan", todo: "Todo", annotator: "Annotator", report: _Report) -> None:
    """Do all jobs.

    Raises:
        StorageError: results cannot be written any more.
    """
    from ..archive import running
    from ..archive.work import Done

    if not todo.sources:
        return
    with ExitStack() as stack:
        do = _executor(options, plan, stack)
        progress = stack.enter_context(progress_bar(todo.bytes, "B", "analysing", options.quiet, unit_scale=True))
        coming = running.jobs_of(todo, plan, annotator)
        while chunk := list(islice(coming, CHUNK_JOBS)):
            jobs = []
            for one in chunk:
                if isinstance(one, Done):
                    _take(one, report)
                else:
                    jobs.append(one)
            _do(jobs, partial(do, advance=progress.update), report)


def _take(done: "Done", report: _Report) -> None:
    """A job is done.

    Raises:
        StorageError: no other could be.
    """
    if done.is_fatal:
        raise StorageError(done.error)
    report.take(done)


def _executor(
    options: argparse.Namespace, plan: "Plan", stack: ExitStack
) -> "Callable[..., Generator[Done, None, None]]":
    """What does jobs: this process, or actors, which are started."""
    from ..archive import running
    from ..archive.batch import most_jobs

    if options.actors == 0:
        return partial(running.in_process, plan)
    from ..archive import ray_actors

    actors = options.actors or given.CORES
    if options.address is None:
        actors = most_jobs(options.actors, given.CORES, "--actors")
    stack.enter_context(ray_actors.started(actors, options.address))
    if options.address is not None and options.actors is None:
        actors = ray_actors.cores()

    def do(jobs: "list[Job]", advance: "Callable[[float], object]") -> "Generator[Done, None, None]":
        for done in ray_actors.do(plan, jobs, actors):
            advance(done.size)
            yield done

    return do


def _do(jobs: "list[Job]", do: "Callable[..., Generator[Done, None, None]]", report: _Report) -> None:
    from ..archive.running import LOST

    if not jobs:
        return
    waiting = Counter(job.source.url for job in jobs)
    with closing(do(jobs)) as results:
        for done in results:
            waiting[done.url] -= 1
            _take(done, report)
    for url, left in waiting.items():
        if left and url not in report.finished:
            report.fail(url, LOST)
