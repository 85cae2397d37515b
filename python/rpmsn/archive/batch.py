# SPDX-License-Identifier: GPL-3.0-or-later
"""Many recordings annotated by processes that keep the model loaded from one recording to the next."""

import logging
import os
from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import runtimes
from ..errors import ParameterError, RecordingError, RpmsnError, WriteError
from ..models.model import load_model
from ..processes import as_done, free_memory, report
from ..recording import check_output
from ..recording.annotations import output_name
from ..recording.metadata import META_SUFFIX
from ..recording.metadata import load as load_metadata
from .annotating import FINGERPRINT, Annotator, Settings, document, unfit
from .listing import Listed, Listing
from .notes import kept_log

if TYPE_CHECKING:
    from ..runtimes import Runtime

JOB_BYTES = 640e6
"""Memory of a process that analyses, more than was measured: 270 MB at 23 Msps, 320 MB at 46, 420 MB at 123."""
LOST = (
    "the process that analysed it has ended: it was killed, as a system short of memory does (fewer --jobs help then), "
    "or the recording makes a library fail."
)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """What became of a recording.

    Attributes:
        path: as it was listed.
        document: the result, as of `annotating.document`; None where there is none.
        error: why there are no annotations; "" where there are.
        notes: what the log said meanwhile.
        kept, kept_in: metadata and path of the annotations that were there already, and are kept.
    """

    path: str
    document: dict[str, Any] | None = None
    error: str = ""
    notes: tuple[str, ...] = ()
    kept: dict[str, Any] | None = None
    kept_in: str | None = None


@dataclass(frozen=True)
class Task:
    """A recording to annotate: what, and where to."""

    listed: Listed
    output: Path


@dataclass
class Batch:
    """What there is to do.

    Attributes:
        tasks: recordings to annotate.
        done: those whose annotations are there already.
        faults: as of `Listing`.
    """

    tasks: list[Task] = field(default_factory=list)
    done: list[Task] = field(default_factory=list)
    faults: list[tuple[str, str]] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many recordings, those with faults as well."""
        return len(self.tasks) + len(self.done) + len(self.faults)


def plan(
    listing: Listing, annotator: Annotator, output: str | None = None, overwrite: bool = False, resume: bool = False
) -> Batch:
    """What is to be done, decided before the first analysis; the folders for it are made.

    Args:
        output: folder for annotations, in which folders are as below `listing.root`; None for beside the samples.
        overwrite: make annotations that exist again.
        resume: keep those that were made by the same model, with the same settings, from the same files.

    Raises:
        ParameterError: `output` is no name for a folder.
        RecordingError: annotations exist and are neither kept nor overwritten, or a folder cannot be made.
    """
    if output is not None and (output.endswith(META_SUFFIX) or os.path.isfile(output)):
        raise ParameterError(f"--output is {output}; of several recordings, or with --resume, it must be a folder")
    batch = Batch(faults=list(listing.faults))
    existing: list[Path] = []
    owners: dict[Path, str] = {}
    for listed in listing.recordings:
        task = Task(listed, _output_of(listed, listing.root, output))
        other = owners.setdefault(task.output, listed.path)
        if other is not listed.path:
            batch.faults.append((listed.path, f"{task.output} would hold the annotations of {other}: rename one."))
        elif resume and _is_made(task, annotator):
            batch.done.append(task)
        else:
            batch.tasks.append(task)
            if os.path.lexists(task.output):
                existing.append(task.output)
    if existing and not overwrite:
        raise _exist(existing, batch, resume)
    if output is not None:
        _make_folders(Path(output), {task.output.parent for task in batch.tasks})
    return batch


def _exist(existing: list[Path], batch: Batch, resume: bool) -> RecordingError:
    count = f"{len(existing)} of {len(batch.tasks) + len(batch.done)}"
    if resume:
        return RecordingError(
            f"{count} annotations exist, and were made by another version or model, with other settings, or from "
            f"other samples than are there now; the first is {existing[0]}. --resume --overwrite makes these again."
        )
    return RecordingError(
        f"{count} annotations exist and are not overwritten; the first is {existing[0]}. --resume keeps those that "
        "were made in the same way, and makes the others; --overwrite makes all again."
    )


def _output_of(listed: Listed, root: str, output: str | None) -> Path:
    data = Path(listed.data)
    if output is None:
        return data.with_name(output_name(data.name))
    below = os.path.relpath(os.path.abspath(data.parent), root)
    return Path(output, below, output_name(data.name))


def _make_folders(output: Path, folders: Iterable[Path]) -> None:
    try:
        for folder in sorted({output, *folders}):
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(error.errno, error.strerror or str(error), str(error.filename or output)) from error


def _fingerprint(task: Task, annotator: Annotator) -> str:
    data, path = Path(task.listed.data), Path(task.listed.path)
    return annotator.fingerprint(data, path if path != data else None)


def _is_made(task: Task, annotator: Annotator) -> bool:
    """Whether whole annotations of a recording are there, made in the same way from the same files."""
    if not task.output.is_file():
        return False
    made = _fingerprint(task, annotator)
    try:
        return load_metadata(task.output)["global"].get(FINGERPRINT) == made
    except RecordingError:
        return False


def most_jobs(wanted: int | None, cores: int, option: str = "--jobs") -> int:
    """How many recordings to analyse at the same time: what is wanted, else one a core, as far as memory is free."""
    fitting = max(1, int(min(free_memory() / JOB_BYTES, 1e6)))
    if wanted is not None and wanted > fitting:
        log.warning("%s is %d, but memory is free for %d: these are used", option, wanted, fitting)
    return min(wanted or cores, fitting)


def run(
    batch: Batch,
    model: str,
    settings: Settings,
    jobs: int,
    workers: int,
    advance: Callable[[float], object] = lambda size: None,
    overwrite: bool = False,
) -> Generator[Outcome, None, None]:
    """Do it; yields every Outcome: first what needs no work, then as recordings are finished.

    Args:
        model: name or path of the model.
        settings: Settings.
        jobs: processes, each of which analyses one recording at a time.
        workers: frames of a recording that are analysed at the same time.
        advance: is called with the bytes of recordings that were read.
        overwrite: as of `plan`.
    """
    for path, sentence in batch.faults:
        yield Outcome(path, error=sentence)
    for task in batch.done:
        yield Outcome(task.listed.path, kept=load_metadata(task.output), kept_in=str(task.output))
    if not batch.tasks:
        return
    jobs = min(jobs, len(batch.tasks))
    how = _Work(model, settings, _runtime_name(model, settings.runtime), workers, overwrite)
    arguments = ((how, task) for task in batch.tasks)
    with closing(as_done(_annotate, arguments, jobs, "the end of a recording", advance, _lost)) as results:
        for _, outcome in results:
            yield outcome


def _runtime_name(model: str, runtime: str) -> str:
    """The runtime for all processes: found once, so that all have the same, and one that fails fails once."""
    return runtimes.create(load_model(model), runtime).name


@dataclass(frozen=True)
class _Work:
    """What the jobs have in common; `runtime` is never `auto`."""

    model: str
    settings: Settings
    runtime: str
    workers: int
    overwrite: bool


def _annotate(how: _Work, task: Task) -> Outcome:
    """The work of a process: one recording."""
    shown: list[dict[str, Any]] = []
    read = _BytesRead(task.listed.size)
    with kept_log() as notes:
        try:
            error = _annotate_one(how, task, read, shown)
        except (RpmsnError, ImportError) as fault:
            error = str(fault)
        except OSError as fault:
            error = f"{fault.filename or task.listed.path}: {fault.strerror or fault}."
        except MemoryError:
            error = "memory is not enough for it: fewer --jobs leave each more."
        except Exception as fault:
            error = f"the analysis failed ({type(fault).__name__}: {fault})."
    read.all()
    return Outcome(task.listed.path, shown[0] if shown else None, error, tuple(notes))


def _annotate_one(how: _Work, task: Task, read: "_BytesRead", shown: list[dict[str, Any]]) -> str:
    """Annotate a recording; puts the document into `shown`, also where it cannot be written. Returns what is wrong."""
    annotator, runtime = _loaded(how.model, how.settings, how.runtime)
    with annotator.open(task.listed.path) as recording:
        fingerprint = _fingerprint(task, annotator)
        # Made in the same way, it is of a process that was lost before it could say so.
        overwrite = how.overwrite or _is_made(task, annotator)
        check_output(task.output, overwrite=overwrite)
        rate = task.listed.size / recording.duration
        result = annotator.analyse(recording, how.workers, lambda seconds: read.more(seconds * rate), runtime)
        written = None
        try:
            written = annotator.write(recording, result, task.output, fingerprint, overwrite)
        finally:
            shown.append(document(recording, annotator.model, result, written))
        return "" if written is not None else unfit(recording)


class _BytesRead:
    """Reports how much of a file of so many bytes is done with."""

    def __init__(self, size: float) -> None:
        self._left = size

    def more(self, size: float) -> None:
        """So many more bytes."""
        size = min(size, self._left)
        self._left -= size
        report(size)

    def all(self) -> None:
        """Nothing more is read of it."""
        self.more(self._left)


@lru_cache(maxsize=1)
def _loaded(model: str, settings: Settings, runtime: str) -> "tuple[Annotator, Runtime]":
    """In a process: the model, loaded once and warm for all its recordings."""
    annotator = Annotator(load_model(model), settings)
    return annotator, runtimes.create(annotator.model, runtime)


def _lost(job: tuple) -> Outcome:
    _, task = job
    return Outcome(task.listed.path, error=LOST)
