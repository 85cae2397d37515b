# SPDX-License-Identifier: GPL-3.0-or-later
"""IQ of chosen carriers, extracted from the stream while it is analysed, as SigMF recordings within a disk quota.

    >>> writer = SnippetWriter("snippets", labels={"NR"}, quota_bytes=2e9)      # doctest: +SKIP
    >>> writer.take(frame, samples, events, clock)                              # doctest: +SKIP
    >>> writer.close()                                                          # doctest: +SKIP

The analysing thread only copies the frames in which there is something to record. Filtering and writing is done by a
thread of the writer's own, which two copies may wait for: when it is late, frames are left out and counted.
"""

from __future__ import annotations

import math
import os
import time
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..classes import CLASS_NAMES, NOISE
from ..errors import is_number, require
from ..signal.channelizer import BLOCK, HALF_TAPS, HOP, Band, BandExtractor, Spectra, as_complex, plan_band
from .background import CLOSE_SECONDS, FLUSH_SECONDS, BackgroundWriter
from .log_base import clean
from .snippet_files import Snippet, SnippetStore, Target, begin_snippet, check_folder, lock_folder, snippet_stem

if TYPE_CHECKING:
    from ..detection.segmenter import Frame
    from ..messages.times import SampleClock
    from ..tracking.tracker import Event

MAX_COPIES = 2
"""Frames that may wait to be recorded."""
RETRY_SECONDS = 1.0
"""After a fault of the disk no snippet is begun for so long."""
SMALLEST_QUOTA = 1 << 20
LABELS = tuple(name for index, name in enumerate(CLASS_NAMES) if index != NOISE)
FORMATS = ("ci16_le", "cf32_le")
DESCRIPTION = "A carrier that was found live, extracted from a wider stream."


class SnippetWriter(BackgroundWriter):
    """Records the bands of carriers as they are found. A context manager; for one thread at a time.

    A carrier is recorded from the frame on in which it is first chosen, in whole frames, until it is gone or
    `max_seconds` of it are there. Where samples are missing (a gap, a retune, a frame left out) the recording continues
    with a new capture segment. Where the carrier proves to be wider than what is being recorded, a new one begins.

    Args:
        folder: where to; must exist. One writer a folder.
        labels: classes to record, such as {"LTE", "NR"}; None for all.
        min_confidence: lowest confidence of the carrier, 0..1.
        freq_range: (lower, upper) in Hz: the middle of the carrier must be between them; None for everywhere.
        max_seconds: of one carrier, above 0.
        quota_bytes: what all snippets in the folder may take together, those of earlier runs too; at least 1 MiB. The
            oldest make room.
        max_carriers: recorded at a time.
        datatype: `ci16_le` (full scale 1.0 is 32768) or `cf32_le`; None: as the samples come, `ci16_le` for whole
            numbers.
        model: name of the model.
        wait: True: wait for the recording instead of leaving frames out, for replay.

    Attributes:
        fault: what is wrong at this moment, in words; empty while all is well.
        skipped: frames with a chosen carrier of which nothing, or not all, was recorded: the disk or this thread was
            late, or a fault.
        missed: carriers that were chosen but had to wait, since `max_carriers` were being recorded, or had no room.
        finished: snippets that were finished.
        deleted: snippets that were deleted to make room.

    Raises:
        ParameterError: a parameter that cannot work.
        RecordingError: the folder is missing, cannot be written to, or another writer uses it.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        labels: Collection[str] | None = None,
        min_confidence: float = 0.0,
        freq_range: tuple[float, float] | None = None,
        max_seconds: float = 1.0,
        quota_bytes: float = 10e9,
        max_carriers: int = 4,
        datatype: str | None = None,
        model: str = "",
        wait: bool = False,
    ) -> None:
        super().__init__("rpmsn snippets")
        self._choice = _Choice(labels, min_confidence, freq_range)
        _check(max_seconds=max_seconds, quota_bytes=quota_bytes, max_carriers=max_carriers, datatype=datatype)
        self.skipped = self.missed = self.finished = 0
        self._max_seconds, self._max_carriers = max_seconds, max_carriers
        self._datatype, self._model, self._wait = datatype, clean(model), wait
        self._store = SnippetStore(check_folder(folder), quota_bytes)
        self._lock = lock_folder(self._store.folder)
        self._has_looked = False
        # Between the threads, under `_changed`.
        self._jobs: deque[_Job] = deque()
        self._free_buffers: list[np.ndarray] = []
        self._copies = 0
        self._complete: set[int] = set()
        self._was_wanted = False
        # Of the writer's own thread.
        self._open: dict[int, _Recorded] = {}
        self._unfinished: list[Snippet] = []
        self._seconds: dict[int, float] = {}
        self._missed_now: set[int] = set()
        self._spectra: Spectra | None = None
        self._stream: tuple[float, float] | None = None
        self._end: int | None = None
        self._clock: SampleClock | None = None
        self._error: OSError | None = None
        self._saved_at = self._retry_at = -math.inf
        self._thread.start()

    @property
    def deleted(self) -> int:
        """Snippets that were deleted to make room."""
        return self._store.deleted

    def take(
        self,
        frame: Frame,
        samples: np.ndarray,
        events: Sequence[Event],
        clock: SampleClock,
        start_offset: int | None = None,
    ) -> None:
        """Take a frame: its samples are copied if a carrier in it is to be recorded, and else left alone.

        Args:
            frame: of the analysis; what it repeats of the frame before is not recorded again.
            samples: complex64 of shape (n,), or int16 or int8 of shape (n, 2).
            events: what the Tracker made of the frame.
            clock: of the samples.
            start_offset: number of the first of `samples`, if not that of the frame's first.
        """
        try:
            self._take(frame, samples, events, clock, start_offset)
        except Exception as error:
            self._skip()
            self._report(f"{type(error).__name__}: {error}")

    def _take(self, frame, samples, events, clock, start_offset):
        with self._changed:
            self._choice.follow(events)
            targets, on_air = self._choice.targets(self._complete), frozenset(self._choice.keys())
        if not targets and not self._was_wanted or self._is_closing:
            return
        self._was_wanted = bool(targets)
        geometry = frame.geometry
        first = geometry.start_offset if start_offset is None else start_offset
        new = samples[max(0, frame.new_from - first) :]
        job = _Job(
            None,
            len(new),
            max(first, frame.new_from),
            geometry.sample_rate,
            geometry.center_frequency,
            clock,
            targets,
            on_air,
        )
        if any(map(job.holds, targets)):
            copy = self._copy(new)
            if copy is None:
                self._skip()
                return
            job = replace(job, buffer=copy)
        with self._changed:
            self._jobs.append(job)
            self._changed.notify_all()

    def _copy(self, samples):
        """A copy of samples, in a buffer that is used again; None where too many wait."""
        with self._changed:
            if self._wait:
                self._changed.wait_for(lambda: self._copies < MAX_COPIES, CLOSE_SECONDS)
            if self._copies == MAX_COPIES:
                return None
            self._copies += 1
            buffer = self._free_buffers.pop() if self._free_buffers else None
        if buffer is None or buffer.dtype != samples.dtype or len(buffer) < len(samples):
            buffer = np.empty(samples.shape, samples.dtype)
        buffer[: len(samples)] = samples
        return buffer

    def _skip(self):
        """Count a frame that was left out, from either thread."""
        with self._changed:
            self.skipped += 1

    def _release(self, buffer):
        with self._changed:
            self._copies -= 1
            self._free_buffers.append(buffer)
            self._changed.notify_all()

    def _has_work(self):
        return bool(self._jobs)

    def _save(self, everything):
        """Record what waits, and bring the files up to date now and then."""
        if not self._has_looked:
            self._store.find()
            self._has_looked = True
        finished, self._error = self.finished, None
        for _ in range(len(self._jobs)):
            self._record_next()
        if everything or time.monotonic() - self._saved_at >= FLUSH_SECONDS:
            self._saved_at = time.monotonic()
            for key in list(self._open):
                self._attempt(key, self._open[key].file.save)
            self._finish_unfinished()
        if self._error is not None:
            raise self._error
        return bool(self._open) or self.finished > finished

    def _record_next(self):
        with self._changed:
            job = self._jobs.popleft()
        try:
            if not self._record(job):
                self._skip()
        finally:
            if job.buffer is not None:
                self._release(job.buffer)

    def _record(self, job):
        """Record one frame; False where something of it is missing."""
        # Not when it was heard that a carrier is gone: frames of it may wait still, and would begin it again.
        with self._changed:
            self._complete.intersection_update(job.on_air)
        wanted = {target.key: target for target in job.targets}
        is_next = self._stream == (job.sample_rate, job.center_frequency) and self._end == job.start
        if not is_next or job.buffer is None:
            self._end_capture()
        for key in list(self._open):
            if key not in wanted or self._stream is None or self._stream[0] != job.sample_rate:
                self._stop(key)
        self._seconds = {key: self._seconds.get(key, 0.0) for key in wanted}
        self._missed_now.intersection_update(wanted)
        self._stream, self._end = (job.sample_rate, job.center_frequency), job.start + job.count
        self._clock = job.clock
        if job.buffer is None:
            self._end = None
            return True
        for key, target in wanted.items():
            self._follow(key, target, job)
        self._feed(job)
        return all(
            key in self._open or key in self._complete or key in self._missed_now or not job.holds(target)
            for key, target in wanted.items()
        )

    def _follow(self, key, target, job):
        """Bring a recording up to date with what is known of its carrier, or begin one."""
        recorded = self._open.get(key)
        if recorded is not None:
            recorded.file.targets = (target,)
            recorded.tune(recorded.origin.at(job.sample_rate, job.center_frequency))
            if job.holds(target) and (recorded.file.is_broken_up or recorded.is_too_narrow(target, job)):
                self._stop(key)
        is_done = key in self._open or key in self._complete
        if is_done or not job.holds(target) or time.monotonic() < self._retry_at:
            return
        if len(self._open) >= self._max_carriers:
            self.missed += key not in self._missed_now
            self._missed_now.add(key)
            return
        self._begin(key, target, job)

    def _begin(self, key, target, job):
        band = plan_band(target.freq_lower, target.freq_upper, job.sample_rate, job.center_frequency)
        middle = (target.freq_lower + target.freq_upper) / 2
        datatype = self._datatype or ("cf32_le" if job.buffer.dtype == np.complex64 else "ci16_le")
        try:
            file = begin_snippet(
                self._store,
                f"{snippet_stem(job.clock.at(job.start), target.label, middle)}_{target.carrier_id}",
                DESCRIPTION,
                (target,),
                datatype,
                band.sample_rate,
                job.sample_rate,
                self._model,
            )
        except OSError as error:
            self._note(error)
            return
        if file is None:
            self.missed += 1
            self._mark_complete(key)
            return
        self._missed_now.discard(key)
        self._open[key] = _Recorded(file, band, job.start)

    def _feed(self, job):
        """Give the samples of a frame to all recordings."""
        if not any(recorded.extractor for recorded in self._open.values()):
            self._spectra = None
        elif self._spectra is None:
            self._spectra = Spectra(job.start)
        for begin in range(0, job.count, HOP):
            samples = job.buffer[begin : min(begin + HOP, job.count)]
            for key, recorded in list(self._open.items()):
                if recorded.band is not None and recorded.band.is_whole:
                    self._write(key, job.start + begin, samples)
            if self._spectra is not None:
                for block_start, spectrum in self._spectra.push(as_complex(samples)):
                    self._write_extracted(block_start, spectrum)

    def _end_capture(self):
        """The stream is interrupted: record what is left of it; the next samples are a capture segment of their own."""
        if self._spectra is not None:
            end = self._spectra.end
            for block_start, spectrum in self._spectra.finish():
                self._write_extracted(block_start, spectrum, end)
            self._spectra = None
        for recorded in self._open.values():
            recorded.begins = True

    def _write_extracted(self, block_start, spectrum, end=None):
        """Cut all bands out of a block, up to the stream's sample `end`."""
        for key, recorded in list(self._open.items()):
            if recorded.extractor:
                samples = recorded.extractor.extract(block_start, spectrum)
                if end is not None:
                    samples = samples[: recorded.extractor.samples_before(block_start, end)]
                # Where others were recorded before, a block has what came before the carrier, too.
                before = recorded.extractor.samples_before(block_start, recorded.start)
                offset = block_start + HALF_TAPS if not before else recorded.start
                self._write(key, offset, samples[before:])

    def _write(self, key, offset, samples):
        """Append to one recording, and end it where that is enough, or not possible."""
        recorded = self._open[key]
        rate = recorded.origin.sample_rate
        room = round((self._max_seconds - self._seconds[key]) * rate)
        samples = samples[: max(0, room)]
        if not len(samples) and room > 0:
            return
        has_room = self._attempt(key, recorded.append, offset, samples, self._clock)
        if has_room:
            self._seconds[key] += len(samples) / rate
        if has_room is False or has_room and len(samples) == room:
            self._mark_complete(key)
            self._stop(key)

    def _attempt(self, key, work, *arguments):
        """Do something with a recording that the disk may refuse; the recording then ends with what was written."""
        try:
            return work(*arguments)
        except OSError as error:
            self._note(error)
            self._stop(key)
            return None

    def _note(self, error):
        self._error = error
        self._retry_at = time.monotonic() + RETRY_SECONDS

    def _mark_complete(self, key):
        """A carrier has been recorded as long as it may."""
        with self._changed:
            self._complete.add(key)

    def _stop(self, key):
        """End a recording."""
        self._unfinished.append(self._open.pop(key).file)
        self._finish_unfinished()

    def _finish_unfinished(self):
        """Finish what is ended; what the disk refuses is tried again, at last by the next run in this folder."""
        for file in list(self._unfinished):
            try:
                file.finish()
            except OSError as error:
                self._note(error)
            else:
                self._unfinished.remove(file)
                self.finished += bool(file.samples)

    def _finish(self):
        self._end_capture()
        for key in list(self._open):
            self._stop(key)
        os.close(self._lock)
        if self._error is not None:
            raise self._error


class _Choice:
    """Which carriers to record: those on the air that have once had what it takes."""

    def __init__(
        self, labels: Collection[str] | None, min_confidence: float, freq_range: tuple[float, float] | None
    ) -> None:
        labels = {labels} if isinstance(labels, str) else labels
        known = labels is None or (bool(labels) and set(labels) <= set(LABELS))
        require("the snippets", "labels", labels, known, f"some of {', '.join(LABELS)}, or None for all")
        is_fraction = is_number(min_confidence) and 0 <= min_confidence <= 1
        require("the snippets", "min_confidence", min_confidence, is_fraction, "a number from 0 to 1")
        is_range = freq_range is None or (
            len(freq_range) == 2 and all(map(is_number, freq_range)) and freq_range[0] < freq_range[1]
        )
        require("the snippets", "freq_range", freq_range, is_range, "(lower, upper) in Hz, or None for everywhere")
        self._labels = set(LABELS if labels is None else labels)
        self._min_confidence = min_confidence
        self._lower, self._upper = (-math.inf, math.inf) if freq_range is None else freq_range
        self._on_air: dict[int, tuple[int, Any]] = {}
        self._last_key = 0
        self._chosen: set[int] = set()

    def keys(self):
        """Keys of the carriers on the air."""
        return [key for key, _ in self._on_air.values()]

    def follow(self, events):
        """Take in what happened in a frame."""
        for event in events:
            carrier_id = event.carrier.carrier_id
            if event.kind in ("new", "gone"):
                self._chosen.discard(self._on_air.pop(carrier_id, (0, None))[0])
            if event.kind != "gone":
                key = self._on_air.get(carrier_id, (self._last_key + 1, None))[0]
                self._last_key = max(key, self._last_key)
                self._on_air[carrier_id] = key, event.carrier
                if key not in self._chosen and self._fits(event.carrier):
                    self._chosen.add(key)

    def targets(self, done):
        """Tuple of what to record now; carriers whose key is in `done` are left out."""
        return tuple(
            Target.of(carrier, key) for key, carrier in self._on_air.values() if key in self._chosen and key not in done
        )

    def _fits(self, carrier):
        middle = (carrier.freq_lower + carrier.freq_upper) / 2
        return (
            carrier.label in self._labels
            and carrier.confidence >= self._min_confidence
            and self._lower <= middle <= self._upper
        )


@dataclass(frozen=True)
class _Job:
    """A frame to be recorded, in the first `count` samples of a buffer; without one, no chosen carrier is in it."""

    buffer: np.ndarray | None
    count: int
    start: int
    sample_rate: float
    center_frequency: float
    clock: SampleClock
    targets: tuple[Target, ...]
    on_air: frozenset[int]

    def holds(self, target):
        """Whether the middle of a carrier is inside the stream."""
        middle = (target.freq_lower + target.freq_upper) / 2
        return abs(middle - self.center_frequency) < self.sample_rate / 2


class _Recorded:
    """A recording of one carrier.

    Attributes:
        file: Snippet.
        origin: Band that it began with.
        start: first sample of the stream that is in it.
        band: the same Band in the stream as it is now; None while it is not inside.
        extractor: BandExtractor of the band; None while there is nothing to cut.
        begins: whether its next samples are a capture segment of their own.
    """

    def __init__(self, file: Snippet, band: Band, start: int) -> None:
        self.file = file
        self.origin, self.start = band, start
        self.begins = True
        self.band: Band | None = None
        self.extractor: BandExtractor | None = None
        self.tune(band)

    def tune(self, band: Band | None) -> None:
        """Cut this band out from now on."""
        if band != self.band:
            self.band = band
            self.extractor = None if band is None or band.is_whole else BandExtractor(band)

    def append(self, offset, samples, clock):
        """Append samples of which the first belongs to the stream's sample `offset`; False where there is no room.

        Raises:
            OSError: they cannot be written.
        """
        assert self.band is not None, "nothing is cut out of a stream that does not hold the band"
        if self.begins:
            self.file.begin_capture(offset, self.band.center_frequency, clock)
            self.begins = False
        return self.file.write(samples)

    def is_too_narrow(self, target, job):
        """Whether a carrier is wider than what is recorded of it, as far as it is inside the stream."""
        if self.band is None or self.band.is_whole:
            return self.band is None
        half, half_stream = self.band.sample_rate / 2, job.sample_rate / 2
        tolerance = job.sample_rate / BLOCK
        lower = max(target.freq_lower, job.center_frequency - half_stream)
        upper = min(target.freq_upper, job.center_frequency + half_stream)
        middle = self.band.center_frequency
        return lower < middle - half - tolerance or upper > middle + half + tolerance


def _check(max_seconds, quota_bytes, max_carriers, datatype):
    owner = "the snippets"
    require(owner, "max_seconds", max_seconds, is_number(max_seconds) and max_seconds > 0, "a number above 0")
    require(
        owner,
        "quota_bytes",
        quota_bytes,
        is_number(quota_bytes) and quota_bytes >= SMALLEST_QUOTA,
        f"a number of at least {SMALLEST_QUOTA}",
    )
    require(
        owner,
        "max_carriers",
        max_carriers,
        isinstance(max_carriers, int) and max_carriers >= 1,
        "a whole number of at least 1",
    )
    require(owner, "datatype", datatype, datatype is None or datatype in FORMATS, f"{' or '.join(FORMATS)}, or None")
