# SPDX-License-Identifier: GPL-3.0-or-later
"""All samples of a running stream: the last seconds are held in memory, and recorded as SigMF when somebody asks.

    >>> recorder = StreamRecorder()                                             # doctest: +SKIP
    >>> recorder.take(samples, offset, 2.4e6, 1.8425e9, clock)                  # doctest: +SKIP
    >>> recorder.record("recordings", before_seconds=30.0)                      # doctest: +SKIP
    >>> recorder.end()                                                          # doctest: +SKIP

The memory is the buffer before the disk, too: a thread writes from it. When the disk is late by more than the memory
holds, the oldest samples are left out, counted, and the recording continues with a new capture segment.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import RecordingError, require
from ..processes import free_memory
from .background import FLUSH_SECONDS, BackgroundWriter
from .metadata import META_SUFFIX
from .snippet_files import (
    Snippet,
    SnippetStore,
    Target,
    begin_snippet,
    check_folder,
    lock_folder,
    recover_all,
    snippet_stem,
)

if TYPE_CHECKING:
    from ..messages.times import SampleClock

HELD_SECONDS = 30.0
MOST_BYTES = 1 << 30
MEMORY_FRACTION = 0.25
"""Of the memory that is free at the start, if that is less."""
BLOCK_SAMPLES = 1 << 19
DISK_KEPT_FREE = 256 << 20
BEHIND, CAUGHT_UP = 0.25, 0.1
"""Fractions of the memory: with more waiting for the disk a recording is behind, until less than the second is."""
DATATYPE = "ci16_le"
"""Of the files: no radio has more than 16 bits."""
DESCRIPTION = "A stream as it was received."


@dataclasses.dataclass(frozen=True)
class RecorderState:
    """How far a recorder is.

    Attributes:
        held_seconds: that are in memory now.
        most_seconds: that the memory can hold at this sample rate.
        recording: name of what is being recorded, "" for nothing.
        seconds, bytes: recorded so far, or by the last recording.
        lost_samples: that this recording had to leave out.
        finished: path of the metadata of the last recording, "" where there is none.
        fault: what is wrong, in words; "" where nothing is.
    """

    held_seconds: float = 0.0
    most_seconds: float = 0.0
    recording: str = ""
    seconds: float = 0.0
    bytes: int = 0
    lost_samples: int = 0
    finished: str = ""
    fault: str = ""


@dataclasses.dataclass(eq=False)
class _Block:
    """Samples that follow one another, under one tuning.

    Attributes:
        buffer: of which the first `count` are there.
        start: number of the first in the stream.
    """

    buffer: np.ndarray
    start: int
    sample_rate: float
    center_frequency: float
    clock: SampleClock
    count: int = 0

    def continues(self, offset: int, sample_rate: float, center_frequency: float, clock: SampleClock) -> bool:
        """Whether a sample follows the last one."""
        return (self.start + self.count, self.sample_rate, self.center_frequency, self.clock) == (
            offset,
            sample_rate,
            center_frequency,
            clock,
        )


@dataclasses.dataclass
class _Job:
    """What is being recorded.

    Attributes:
        folder, lock: where to, and the handle that keeps others out.
        next: number of the next sample to be written; before the first, where to begin.
        end: number of the sample after the last, None while that is open.
        file: None before the first sample, and between two files.
        last: block of the sample before `next`.
        has_looked: whether what a kill left in the folder is finished.
        saved: when the file was last brought up to date, s of a clock that never jumps.
    """

    folder: Path
    lock: int
    next: int
    end: int | None = None
    file: Snippet | None = None
    last: _Block | None = None
    has_looked: bool = False
    saved: float = 0.0


class StreamRecorder(BackgroundWriter):
    """Holds the last seconds of a stream and records it. `take` by one thread, all else by any.

    Args:
        seconds: to be held in memory.
        most_bytes: that this may take; None for 1 GiB, or a quarter of the free memory where that is less.
        carriers: called at the end of a recording; carriers (`carrier_values` takes them) to be annotated in it.

    Raises:
        ParameterError: a value is not allowed.
    """

    def __init__(
        self,
        seconds: float = HELD_SECONDS,
        most_bytes: float | None = None,
        carriers: Callable[[], Iterable[Any]] = tuple,
    ) -> None:
        super().__init__("rpmsn stream recorder")
        require("the recorder", "seconds", seconds, 0 < seconds <= 3600, "above 0, at most 3600")
        self._seconds = seconds
        self._most_bytes = min(MOST_BYTES, MEMORY_FRACTION * free_memory()) if most_bytes is None else most_bytes
        self._carriers = carriers
        self._blocks: deque[_Block] = deque()
        self._free: list[np.ndarray] = []
        self._held = 0
        self._read: _Block | None = None
        self._job: _Job | None = None
        self._state = RecorderState()
        self._is_behind = False
        self._begun = threading.Lock()
        self._thread.start()

    @property
    def state(self) -> RecorderState:
        """How far it is."""
        with self._changed:
            rate = self._blocks[-1].sample_rate if self._blocks else None
            held = 0.0 if rate is None else self._held / rate
            most = 0.0 if rate is None else self._most_samples(self._blocks[-1]) / rate
            return dataclasses.replace(self._state, held_seconds=held, most_seconds=most, fault=self.fault)

    def take(
        self, samples: np.ndarray, offset: int, sample_rate: float, center_frequency: float, clock: SampleClock
    ) -> None:
        """Samples of the stream, which are copied; never waits for the disk.

        Args:
            samples: complex64 of shape (n,), or int16 or int8 of shape (n, 2).
            offset: number of the first in the stream.
            sample_rate, center_frequency: Hz.
            clock: says when a sample was received; another one after a gap.
        """
        with self._changed:
            if self._blocks and offset < self._blocks[-1].start + self._blocks[-1].count:
                self._restart()
            done = 0
            while done < len(samples):
                block = self._room(samples, offset + done, sample_rate, center_frequency, clock)
                part = samples[done : done + len(block.buffer) - block.count]
                block.buffer[block.count : block.count + len(part)] = part
                block.count += len(part)
                self._held += len(part)
                done += len(part)
            self._forget()
            if self._job is not None:
                self._changed.notify_all()

    @property
    def is_behind(self) -> bool:
        """Whether a recording that is being made has so much to write that other work should leave it the processor."""
        with self._changed:
            if self._job is None or not self._blocks:
                self._is_behind = False
            else:
                newest = self._blocks[-1]
                limit = (CAUGHT_UP if self._is_behind else BEHIND) * self._most_samples(newest)
                self._is_behind = newest.start + newest.count - self._job.next > limit
            return self._is_behind

    def record(self, folder: str | os.PathLike[str], before_seconds: float = 0.0, goes_on: bool = True) -> None:
        """Record from now on, and what is held of the time before.

        Args:
            folder: where to; must exist.
            before_seconds: of what is held, 0 for none.
            goes_on: until `end`; False for what is held alone.

        Raises:
            RecordingError: the folder cannot be written to, something is being recorded already, or nothing is there.
        """
        where = check_folder(folder)
        with self._begun:  # one at a time begins
            if self._job is not None:
                raise RecordingError("a recording is being made already: end it first")
            if not self._blocks:
                raise RecordingError("no samples have come yet: wait until the radio sends")
            lock = lock_folder(where)
            with self._changed:
                newest = self._blocks[-1]
                now = newest.start + newest.count
                first = max(now - round(before_seconds * newest.sample_rate), self._blocks[0].start)
                self._state = RecorderState(recording=str(where))
                self._job = _Job(where, lock, first, None if goes_on else now)
                self._changed.notify_all()

    def end(self) -> None:
        """End the recording with the last sample that has come; it is finished a moment later."""
        with self._changed:
            if self._job is not None and self._job.end is None:
                newest = self._blocks[-1]
                self._job.end = newest.start + newest.count
                self._changed.notify_all()

    def _restart(self):
        """Another stream begins, whose samples are counted anew."""
        self._blocks.clear()
        self._held = 0
        if self._job is not None:
            self._job.end = self._job.next

    def _room(self, samples, offset, sample_rate, center_frequency, clock):
        """The block that the next samples go to."""
        newest = self._blocks[-1] if self._blocks else None
        is_next = newest is not None and newest.continues(offset, sample_rate, center_frequency, clock)
        if newest is None or not is_next or newest.count == len(newest.buffer):
            shape = (BLOCK_SAMPLES, *samples.shape[1:])
            fits = self._free and self._free[-1].shape == shape and self._free[-1].dtype == samples.dtype
            buffer = self._free.pop() if fits else np.empty(shape, samples.dtype)
            newest = _Block(buffer, offset, sample_rate, center_frequency, clock)
            self._blocks.append(newest)
        return newest

    def _most_samples(self, block: _Block) -> int:
        size = block.buffer.itemsize * (block.buffer.shape[1] if block.buffer.ndim == 2 else 1)
        return int(min(self._seconds * block.sample_rate, self._most_bytes / size))

    def _forget(self):
        """Let the oldest blocks go, as many as are too much; the newest stays."""
        most = self._most_samples(self._blocks[-1])
        while len(self._blocks) > 1 and self._held - self._blocks[0].count >= most:
            block = self._blocks.popleft()
            self._held -= block.count
            if block is not self._read and not self._free:
                self._free.append(block.buffer)

    def _has_work(self):
        job = self._job
        if job is None or not self._blocks:
            return False
        newest = self._blocks[-1]
        return job.end is not None or newest.start + newest.count - job.next >= BLOCK_SAMPLES

    def _save(self, everything):
        """Write what is there of the recording."""
        job = self._job
        if job is None:
            return False
        try:
            if not job.has_looked:
                recover_all(job.folder)
                job.has_looked = True
            while (part := self._next_part(job)) is not None:
                if not self._write(job, *part):
                    self._report(
                        f"{job.folder}: less than {DISK_KEPT_FREE >> 20} MiB of the disk are free; it has ended"
                    )
                    self._close_job(job)
                    return False
            if job.end is not None and job.next >= job.end or self._is_closing:
                self._close_job(job)
            elif job.file is not None and time.monotonic() - job.saved >= FLUSH_SECONDS:
                job.file.save_soon()
                job.saved = time.monotonic()
        except OSError:
            self._close_job(job)
            raise
        return True

    def _next_part(self, job: _Job) -> tuple[_Block, np.ndarray] | None:
        """The next samples to be written, and their block, which stays as it is until the next call; None for none."""
        with self._changed:
            self._read = None
            end = np.inf if job.end is None else job.end
            waiting = [one for one in self._blocks if one.start + one.count > job.next]
            if waiting and job.file is not None and waiting[0].start > job.next:
                waiting = waiting[len(waiting) // 2 :]  # one large gap: each costs time, and brings the next one about
            block = waiting[0] if waiting else None
            if block is None or job.next >= end:
                return None
            if block.start > job.next:
                if job.file is not None:
                    self._state = dataclasses.replace(
                        self._state, lost_samples=self._state.lost_samples + block.start - job.next
                    )
                job.next = block.start
                if job.next >= end:
                    return None
            self._read = block
            first = job.next - block.start
            after = int(min(block.count, end - block.start))
            return block, block.buffer[first:after]

    def _write(self, job: _Job, block: _Block, samples: np.ndarray) -> bool:
        """Append samples to the file, or to a new one; False where there is no room.

        Raises:
            OSError: they cannot be written.
        """
        last = job.last
        is_new = last is None or job.file is None or last.sample_rate != block.sample_rate or job.file.is_broken_up
        if is_new:
            self._finish_file(job)
            job.file = self._begin_file(job, block)
            if job.file is None:
                return False
        assert job.file is not None
        is_next = last is block or last is not None and last.continues(*_tuning(block, job.next))
        if is_new or not is_next:
            job.file.begin_capture(job.next, block.center_frequency, block.clock)
        if not job.file.write(samples):
            return False
        job.next += len(samples)
        job.last = block
        with self._changed:
            self._state = dataclasses.replace(
                self._state,
                recording=job.file.name,
                seconds=self._state.seconds + len(samples) / block.sample_rate,
                bytes=self._state.bytes + 4 * len(samples),
            )
        return True

    def _begin_file(self, job: _Job, block: _Block) -> Snippet | None:
        """A new file; what is on the disk already is never deleted to make room."""
        quota = shutil.disk_usage(job.folder).free - DISK_KEPT_FREE
        stem = snippet_stem(block.clock.at(job.next), "iq", block.center_frequency)
        rate = block.sample_rate
        return begin_snippet(SnippetStore(job.folder, quota), stem, DESCRIPTION, (), DATATYPE, rate, rate, "")

    def _finish_file(self, job: _Job) -> None:
        file, job.file = job.file, None
        if file is None:
            return
        file.targets = [
            target
            for target in map(Target.of, self._carriers())
            if target.sample_start < job.next and target.sample_end > file.first_offset
        ]
        has_samples = file.samples > 0
        file.finish()
        if has_samples:
            with self._changed:
                self._state = dataclasses.replace(self._state, finished=str(job.folder / (file.name + META_SUFFIX)))

    def _close_job(self, job: _Job) -> None:
        """The recording is over."""
        try:
            self._finish_file(job)
        finally:
            os.close(job.lock)
            with self._changed:
                self._job = None
                self._state = dataclasses.replace(self._state, recording="")

    def _finish(self):
        with self._changed:
            self._blocks.clear()
            self._free.clear()


def _tuning(block: _Block, offset: int) -> tuple[int, float, float, SampleClock]:
    return offset, block.sample_rate, block.center_frequency, block.clock
