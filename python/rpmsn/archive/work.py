# SPDX-License-Identifier: GPL-3.0-or-later
"""What one worker does with a recording, or a piece of one; the model stays loaded from one job to the next.

A job writes what it has done before it says so, under a name that is made of what it was done with. So a job that is
done twice, since its worker was killed before it said so, writes the same again, and nothing is doubled.
"""

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import runtimes
from ..detection.segmenter import Segmenter
from ..errors import RecordingError, RpmsnError, StorageError
from ..messages import keys
from ..messages.results import carrier_fields
from ..models.model import load_model
from ..recording.annotations import output_name
from . import pieces, schema
from .annotating import Annotator, Settings
from .minutes import Minutes
from .notes import kept_log
from .pieces import Piece
from .sources import Source, opened
from .store import Store

if TYPE_CHECKING:
    from ..recording import Recording
    from ..streaming.analysis import Analysis

WHOLE, PIECE, JOIN = "whole", "piece", "join"
"""Kinds of jobs: a recording; a piece of one, and the recording from its pieces where it is the last; that alone."""
PIECES = "pieces"
"""Folder of what is done of recordings that are not yet."""
ANNOTATIONS, PICTURES = "annotations", "pictures"
ID_DIGITS = 16


@dataclass(frozen=True)
class Plan:
    """What all jobs have in common.

    Attributes:
        source, dest: URLs.
        model: name or path of the card.
        settings: of the analysis, with the runtime by its own name.
        piece_seconds: of a piece, about.
        made: digest of version, model and settings.
    """

    source: str
    dest: str
    model: str
    settings: Settings
    piece_seconds: float
    made: str

    def to_json(self) -> str:
        """For another process."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Plan":
        """What `to_json` gave."""
        values = json.loads(text)
        return cls(**{**values, "settings": Settings(**values["settings"])})


@dataclass(frozen=True)
class Job:
    """One thing to do.

    Attributes:
        kind: WHOLE, PIECE or JOIN.
        source: of the recording.
        start, end: samples of a piece.
        replaces: keys of results that this one's take the place of.
    """

    kind: str
    source: Source
    start: int = 0
    end: int = 0
    replaces: tuple[str, ...] = ()

    def to_json(self) -> str:
        """For another process."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Job":
        """What `to_json` gave."""
        values = json.loads(text)
        return cls(**{**values, "source": Source(**values["source"]), "replaces": tuple(values["replaces"])})


@dataclass(frozen=True)
class Done:
    """What became of a job.

    Attributes:
        url: of the recording.
        is_whole: whether the recording is done with, and not only a piece of it.
        size: bytes of the recording that were worked through.
        carriers: label -> how many, of a whole recording.
        cells: physical cell identities.
        judged: fraction of the frames.
        error: why there is no result; "" where there is.
        is_fatal: whether no other job could be done, either.
        notes: what the log said.
    """

    url: str
    is_whole: bool = True
    size: float = 0.0
    carriers: Mapping[str, int] | None = None
    cells: tuple[int, ...] = ()
    judged: float = 1.0
    error: str = ""
    is_fatal: bool = False
    notes: tuple[str, ...] = ()

    def to_json(self) -> str:
        """For another process."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Done":
        """What `to_json` gave."""
        values = json.loads(text)
        return cls(**{**values, "cells": tuple(values["cells"]), "notes": tuple(values["notes"])})


def failed(store: Store, source: Source, error: str, notes: Sequence[str] = ()) -> Done:
    """The end of a recording that cannot be read; of all, where SOURCE is lost.

    Args:
        store: SOURCE.
        source, error, notes: as of Done.
    """
    is_lost = store.is_lost()
    if is_lost:
        error = f"SOURCE, {store.url}, is lost: {error}"
    return Done(source.url, error=error, is_fatal=is_lost, notes=tuple(notes))


def identity(url: str) -> str:
    """Name of a recording's results, whatever its content."""
    return hashlib.sha256(url.encode("utf-8", "surrogateescape")).hexdigest()[:ID_DIGITS]


def key_of(source: Source, made: str) -> str:
    """Name of the results of a recording with this content, by this model and these settings."""
    content = hashlib.sha256(json.dumps([source.size, source.stamp, made]).encode()).hexdigest()
    return f"{identity(source.url)}-{content[:ID_DIGITS]}"


class Worker:
    """Does jobs, one at a time.

    Args:
        plan: what they have in common.
        advance: is called with the bytes of recordings that were worked through.
    """

    def __init__(self, plan: Plan, advance: Callable[[float], object] = lambda size: None) -> None:
        self._plan, self._advance = plan, advance
        self._source, self._dest = Store(plan.source), Store(plan.dest)
        self._annotator = Annotator(load_model(plan.model), plan.settings)
        self._runtime = runtimes.create(self._annotator.model, plan.settings.runtime)
        self._segmenter: Segmenter | None = None

    def do(self, job: Job) -> Done:
        """Do a job; what goes wrong with its recording is in the result."""
        with kept_log() as notes:
            try:
                return self._do(job, notes)
            except StorageError as error:
                if error.url == self._dest.url:
                    return Done(job.source.url, error=str(error), is_fatal=True, notes=tuple(notes))
                text = str(error)
            except (RpmsnError, ImportError) as error:
                text = str(error)
            except MemoryError:
                text = "memory is not enough for it: fewer --actors leave each more."
            except Exception as error:
                text = f"the analysis failed ({type(error).__name__}: {error})."
            return failed(self._source, job.source, text, notes)

    def _do(self, job: Job, notes: list[str]) -> Done:
        key = key_of(job.source, self._plan.made)
        if self._is_done(key):  # by a worker that was lost before it could say so
            return Done(job.source.url, size=job.source.size)
        with opened(self._source, job.source, self._annotator) as recording:
            bytes_a_sample = job.source.size / recording.sample_count
            if job.kind == WHOLE:
                found = self._analyse(recording, 0, recording.sample_count, bytes_a_sample)
                return self._finish(job, key, recording, iter([found]), notes)
            if job.kind == PIECE and not self._dest.exists(piece_name(key, job.start, job.end)):
                found = self._analyse(recording, job.start, job.end, bytes_a_sample)
                self._dest.write(piece_name(key, job.start, job.end), found.to_bytes())
            size = (job.end - job.start) * bytes_a_sample
            names = [piece_name(key, *one) for one in ranges_of(recording, self._annotator, self._plan)]
            there = self._dest.names(f"{PIECES}/{key}")
            if any(name.rpartition("/")[2] not in there for name in names):
                return Done(job.source.url, False, size, notes=tuple(notes))
            try:
                parts = (self._piece(name) for name in names)
                return replace(self._finish(job, key, recording, parts, notes), size=size)
            except StorageError:
                if self._is_done(key):  # by another that had the last piece at the same time
                    return Done(job.source.url, size=size)
                raise

    def _piece(self, name: str) -> Piece:
        """A piece that is done. One that is damaged is removed, so that the next run makes it again."""
        try:
            return Piece.from_bytes(self._dest.read(name))
        except ValueError as error:
            self._dest.remove(name)
            raise RecordingError(f"{self._dest.url_of(name)} was damaged ({error}): run it again.") from error

    def _is_done(self, key: str) -> bool:
        return self._dest.exists(f"{schema.RECORDINGS}/{key}.parquet")

    def _analyse(self, recording: "Recording", start: int, end: int, bytes_a_sample: float) -> Piece:
        segmenter = self._segmenter
        if segmenter is None or segmenter.sample_rate != recording.sample_rate:
            segmenter = Segmenter(
                self._annotator.model,
                recording.sample_rate,
                runtime=self._runtime,
                frame_seconds=self._plan.settings.frame_seconds,
            )
            self._segmenter = segmenter
        return pieces.analyse(recording, segmenter, start, end, lambda samples: self._advance(samples * bytes_a_sample))

    def _finish(self, job: Job, key: str, recording: "Recording", parts: Iterator[Piece], notes: list[str]) -> Done:
        minutes = Minutes(recording)
        pictures: list[Piece] = []

        def noted() -> Iterator[Piece]:
            for piece in parts:
                if piece.picture and not pictures:
                    pictures.append(Piece(picture=piece.picture, picture_center=piece.picture_center))
                yield piece

        settings = self._plan.settings
        result = pieces.track(
            recording,
            self._annotator.model,
            noted(),
            self._runtime.name,
            settings.frame_seconds,
            settings.cells,
            [minutes.follow],
        )
        annotations = self._annotate(job, key, recording, result)
        common = {"key": key, "recording": job.source.url}
        carriers = [_carrier_row(recording, carrier) for carrier in result.carriers]
        tables = {
            schema.CARRIERS: carriers,
            schema.CELLS: [row for row in carriers if row.get(keys.CELL_ID) is not None],
            schema.OCCUPANCY: minutes.occupancy(result.carriers),
            schema.QUALITY: minutes.quality(),
        }
        for table, rows in tables.items():
            if rows:
                content = schema.to_parquet(table, [{**common, **row} for row in rows])
                self._dest.write(f"{table}/{key}.parquet", content)
        row = {**common, **_recording_row(job.source, recording, result), "annotations": annotations}
        for piece in pictures:
            row |= {"picture": f"{PICTURES}/{key}.png", "picture_center": piece.picture_center}
            self._dest.write(f"{PICTURES}/{key}.png", piece.picture)
        # The last one: what is there without it does not count.
        self._dest.write(f"{schema.RECORDINGS}/{key}.parquet", schema.to_parquet(schema.RECORDINGS, [row]))
        self._dest.remove(f"{PIECES}/{key}")
        for old in job.replaces:
            remove_results(self._dest, old)
        labels = [carrier[keys.LABEL] for carrier in carriers]
        return Done(
            job.source.url,
            True,
            job.source.size,
            {label: labels.count(label) for label in sorted(set(labels))},
            tuple(sorted({row[keys.CELL_ID] for row in tables[schema.CELLS]})),
            result.judged,
            notes=tuple(notes),
        )

    def _annotate(self, job: Job, key: str, recording: "Recording", result: "Analysis") -> str | None:
        """Write the annotations; returns their name, None where nothing was judged."""
        name = f"{ANNOTATIONS}/{_below(self._plan.source, job.source, self._source)}"
        with tempfile.TemporaryDirectory(prefix="rpmsn-archive-") as folder:
            path = Path(folder, "annotations" + Path(name).suffix)
            if self._annotator.write(recording, result, path, key) is None:
                return None
            self._dest.write(name, path.read_bytes())
        return name


def ranges_of(recording: "Recording", annotator: Annotator, plan: Plan) -> list[tuple[int, int]]:
    """The pieces of a recording."""
    samples = pieces.samples_of_frame(recording, annotator.model, plan.settings.frame_seconds)
    return pieces.ranges(recording, samples, plan.piece_seconds)


def piece_name(key: str, start: int, end: int) -> str:
    """File of a piece."""
    return f"{PIECES}/{key}/{start}-{end}.json.gz"


def remove_results(dest: Store, key: str) -> None:
    """Remove the rows of a recording as it was; first what makes the others count."""
    for table in (schema.RECORDINGS, *(table for table in schema.TABLE_NAMES if table != schema.RECORDINGS)):
        dest.remove(f"{table}/{key}.parquet")
    dest.remove(f"{PICTURES}/{key}.png")


def _below(root: str, source: Source, store: Store) -> str:
    """Name of the annotations of a recording, in folders as the recordings are in."""
    if store.is_local:
        data, around = Path(source.data).absolute(), Path(store.path("")).absolute()
        folder = data.parent.relative_to(around) if data.is_relative_to(around) else Path()
        folder = Path() if data == around else folder
        return (folder / output_name(data.name)).as_posix()
    name = source.data or root.rpartition("/")[2]
    folder_name, _, base = name.rpartition("/")
    return f"{folder_name}/{output_name(base)}".lstrip("/")


def _recording_row(source: Source, recording: "Recording", result: "Analysis") -> dict[str, Any]:
    return {
        "size": source.size,
        keys.SAMPLE_RATE: recording.sample_rate,
        "center_frequency": recording.center_frequency,
        "start": utc(recording, 0),
        keys.DURATION: recording.duration,
        "samples": result.samples,
        keys.SAMPLES_ANALYSED: result.samples_analysed,
        keys.COVERAGE: result.coverage,
        "frames": result.frames,
        keys.JUDGED: result.judged,
        "warnings": "\n".join(result.warnings),
    }


def _carrier_row(recording: "Recording", carrier: Any) -> dict[str, Any]:
    return {
        **carrier_fields(carrier),
        "start_s": carrier.sample_start / recording.sample_rate,
        "end_s": carrier.sample_end / recording.sample_rate,
        "start": utc(recording, carrier.sample_start),
        "end": utc(recording, carrier.sample_end),
    }


def utc(recording: "Recording", sample: int) -> datetime | None:
    """When a sample was received; None where the recording has no time."""
    time = recording.time_at(sample)
    if time is None:
        return None
    return datetime.fromtimestamp(time[0], timezone.utc) + timedelta(microseconds=round(1e6 * time[1]))
