# SPDX-License-Identifier: GPL-3.0-or-later
"""A running stream: sample clock, frames, hand-over between threads, and an exact count of what became of the samples.

Nothing here knows GNU Radio; `segmenter_sink` is a thin shell round it.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import DTypeLike

from ..errors import ParameterError

WAIT_SECONDS = 0.05
"""Longest time that `Intake.write` blocks in replay mode: a block that waits longer cannot be stopped."""
SAMPLE_TYPES = tuple(np.dtype(kind) for kind in (np.complex64, np.int16, np.int8))
"""What samples may be. Integers come as I and Q: shape (n, 2)."""

ANALYSED, LATE, SKIPPED, TOO_SHORT, FAILED, STOPPED, WAITING = (
    "analysed",
    "late",
    "skipped",
    "too_short",
    "failed",
    "stopped",
    "waiting",
)
"""What becomes of samples; the fields of `Counts`."""


@dataclass(frozen=True)
class StreamTime:
    """When a sample was received.

    Attributes:
        offset: number of the reference sample since the stream began.
        seconds, fraction: its time, UTC since 1970; split, since one double has no nanoseconds left.
        sample_rate: Hz.
        source: `radio`, `file` or `host`.
    """

    offset: int
    seconds: int
    fraction: float
    sample_rate: float
    source: str

    @classmethod
    def of_host(cls, offset: int, sample_rate: float) -> StreamTime:
        """The host's clock, now, for sample `offset`."""
        now = time.time_ns()
        return cls(offset, now // 10**9, now % 10**9 / 1e9, sample_rate, "host")

    def at(self, offset: int) -> tuple[int, float]:
        """(whole seconds, fraction) of another sample."""
        whole, rest = divmod(offset - self.offset, max(1, round(self.sample_rate)))
        fraction = self.fraction + rest / self.sample_rate + whole * (round(self.sample_rate) / self.sample_rate - 1)
        carry = math.floor(fraction)
        return self.seconds + int(whole) + carry, fraction - carry

    def lost_before(self, offset: int, seconds: int, fraction: float) -> int:
        """Samples that are missing before `offset`, whose true time is given; negative where time went back."""
        expected_seconds, expected_fraction = self.at(offset)
        return round((seconds - expected_seconds + fraction - expected_fraction) * self.sample_rate)


@dataclass(frozen=True)
class Counts:
    """What became of the samples of a stream, at one moment: `received` is the sum of all the others.

    Attributes:
        received: taken from the source.
        analysed: looked at; each counts once.
        late: of whole frames that were dropped, since the analysis was behind (live).
        yielded: of `late`, those of frames that began, or waited, while the analysis was held.
        skipped: of frames left out on purpose (duty cycle).
        too_short: of runs between two cuts with fewer samples than can be analysed.
        failed: of frames whose analysis failed.
        stopped: that came, or waited, when the stream was stopped.
        waiting: that wait, or are being analysed.
        frames_late, frames_skipped: frames begun that were dropped, or left out on purpose.
    """

    received: int
    analysed: int
    late: int
    skipped: int
    too_short: int
    failed: int
    stopped: int
    waiting: int
    frames_late: int
    frames_skipped: int
    yielded: int = 0

    @property
    def dropped(self) -> int:
        """Samples that were to be analysed and will never be."""
        return self.late + self.too_short + self.failed + self.stopped

    @property
    def coverage(self) -> float:
        """Fraction of the samples that were analysed, of those whose fate is known; 1.0 where there are none yet."""
        known = self.received - self.waiting
        return self.analysed / known if known else 1.0


@dataclass(eq=False)
class _Buffer:
    """Memory for a frame, and how many use it."""

    samples: np.ndarray
    users: int = 0


@dataclass(eq=False)
class Job:
    """A run of samples for the analysing thread: a frame, or what there was before the stream was cut.

    Attributes:
        samples: of the type of the Intake; a view of a buffer that goes back to the pool.
        start_offset: number of the first sample since the stream began.
        center_frequency: Hz, 0 if it is not known.
        time: StreamTime.
        ends: True where what follows does not belong to it (retune, gap, end).
        filled_at: `time.monotonic()` when its last sample arrived.
        run: number that all jobs between two cuts share.
        before: samples right before it, as many as it lacks to a frame; empty where there are none.
        number: in the order of `Intake.get`, from 0.
    """

    samples: np.ndarray
    start_offset: int
    center_frequency: float
    time: StreamTime
    ends: bool
    filled_at: float
    run: int
    before: np.ndarray
    buffers: list[_Buffer] = field(repr=False)
    number: int = 0

    def frame(self) -> tuple[np.ndarray, int]:
        """(samples, number of the first): as long as a frame if there are samples before it to reach back to."""
        if not len(self.before):
            return self.samples, self.start_offset
        return np.concatenate([self.before, self.samples]), self.start_offset - len(self.before)


class Intake:
    """Takes samples from one thread, cuts them into frames, and hands these to others, by way of a few buffers.

    A frame begins at the first sample, after every cut, and where the one before it ends. One thread calls `write` and
    `cut`; any number of them `get`, `release` and `settle`.

    Args:
        frame_samples: samples of a frame.
        live: True: never wait; when there is no room for a frame that begins, the oldest one that waits is dropped
            whole and counted (or the new one, where none waits). So none that waits is older than `depth` frames.
            False: never drop; `write` takes what it can.
        depth: frames that may wait.
        dtype: type of the samples, one of `SAMPLE_TYPES`.
        duty_cycle: fraction of the frames to analyse, above 0 to 1; the others are left out, evenly, and counted.
        wait_seconds: how long `write` waits for a buffer in replay mode.

    Attributes:
        held: live, while it is True frames that begin, and those that wait, are dropped: something else needs the
            processor more. Set by the thread that writes.

    Raises:
        ParameterError: a type or a duty cycle that cannot be.
    """

    def __init__(
        self,
        frame_samples: int,
        live: bool,
        depth: int = 3,
        dtype: DTypeLike = np.complex64,
        duty_cycle: float = 1.0,
        wait_seconds: float = WAIT_SECONDS,
    ) -> None:
        if np.dtype(dtype) not in SAMPLE_TYPES:
            raise ParameterError(
                f"samples are {np.dtype(dtype)}, but {', '.join(map(str, SAMPLE_TYPES))} are allowed; convert them"
            )
        if not 0 < duty_cycle <= 1:
            raise ParameterError(f"duty_cycle is {duty_cycle:g}, but above 0 to 1 (every frame) is allowed")
        if depth < 1:
            raise ParameterError(f"depth is {depth}, but at least 1 frame has to have room")
        self.live = live
        self.depth = depth
        self.dtype = np.dtype(dtype)
        self.duty_cycle = duty_cycle
        self.wait_seconds = wait_seconds
        # Held while samples are copied, so that a stream can be closed from another thread; `_changed` never is.
        self._writing = threading.Lock()
        self._changed = threading.Condition()
        self._totals = dict.fromkeys((ANALYSED, LATE, SKIPPED, TOO_SHORT, FAILED, STOPPED, WAITING), 0)
        self._frames = {LATE: 0, SKIPPED: 0}
        self._jobs: deque[Job] = deque()
        self._closing = self._closed = self.held = self._is_for_others = False
        self._yielded = 0
        self._outstanding = 0
        self._given = 0
        self._begun = 0
        self._run = 0
        self._last: _Buffer | None = None
        self._buffer: _Buffer | None = None
        self._filled = self._remaining = 0
        self.resize(frame_samples)

    def resize(self, frame_samples: int) -> None:
        """Another frame length, from here on: a cut; buffers of the old length are freed when they come back."""
        shape = (frame_samples,) if self.dtype == np.complex64 else (frame_samples, 2)
        with self._writing, self._changed:
            self._cut()
            self.frame_samples = frame_samples
            # One more than may wait: the last frame is kept for a short one after it to reach back to.
            self._buffers = [_Buffer(np.empty(shape, self.dtype)) for _ in range(self.depth + 1)]
            self._free = list(self._buffers)

    def write(self, samples: np.ndarray, offset: int, center_frequency: float, clock: StreamTime) -> int:
        """Take samples that follow those of the last call; returns how many were taken.

        Args:
            samples: of the type that was asked for, shape (n,), or (n, 2) of integers; copied.
            offset: number of the first since the stream began.
            center_frequency: Hz.
            clock: StreamTime.

        Raises:
            ParameterError: samples of another type or shape.
        """
        self._check(samples)
        taken = 0
        # Once closed, a writer that never pauses must not keep `close` from its lock.
        while not self._closing and taken < len(samples):
            with self._writing:
                if not self._remaining and not self._begin((offset + taken, center_frequency, clock)):
                    break
                count = min(len(samples) - taken, self._remaining)
                if self._buffer is not None:
                    self._buffer.samples[self._filled : self._filled + count] = samples[taken : taken + count]
                self._take_in(count)
                taken += count
        if self._closing:
            with self._changed:
                self._totals[STOPPED] += len(samples) - taken
            return len(samples)
        return taken

    def cut(self) -> None:
        """What follows does not belong to what came before: hand over the frame begun, whole or not."""
        with self._writing, self._changed:
            self._cut()

    def close(self) -> None:
        """No more samples: hands over the frame begun and wakes the readers. What is written later is only counted.

        Any thread may call it, at any time.
        """
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        with self._writing, self._changed:
            self._cut()
            self._closed = True
            self._changed.notify_all()

    def discard(self) -> None:
        """Forget the jobs that wait; their samples count as stopped."""
        while (job := self.get(0)) is not None:
            self.done(job, STOPPED)

    def get(self, timeout: float) -> Job | None:
        """The next Job; None after `timeout` seconds without one, or when closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._jobs or self._closed, timeout)
            if not self._jobs:
                return None
            job = self._jobs.popleft()
            job.number = self._given
            self._given += 1
            return job

    def done(self, job: Job, fate: str = ANALYSED) -> None:
        """`release` and `settle` at once."""
        self.release(job)
        self.settle(job, fate)

    def release(self, job: Job) -> None:
        """Give a job's buffer back: its samples are not needed any more. Calling it again changes nothing."""
        with self._changed:
            if job.buffers:
                self._outstanding -= 1
            for buffer in job.buffers:
                self._let_go(buffer)
            job.buffers = []
            self._changed.notify_all()

    def settle(self, job: Job, fate: str = ANALYSED) -> None:
        """Count what became of a job's samples (`ANALYSED`, `TOO_SHORT`, `FAILED`, `STOPPED`); to be called once."""
        with self._changed:
            self._totals[WAITING] -= len(job.samples)
            self._totals[fate] += len(job.samples)

    def counts(self) -> Counts:
        """What became of the samples so far, as Counts."""
        with self._changed:
            return Counts(
                received=sum(self._totals.values()),
                **self._totals,
                frames_late=self._frames[LATE],
                frames_skipped=self._frames[SKIPPED],
                yielded=self._yielded,
            )

    @property
    def received(self) -> int:
        """Samples taken from the source."""
        return self.counts().received

    @property
    def dropped(self) -> int:
        """Samples that were to be analysed and will never be."""
        return self.counts().dropped

    @property
    def frames_dropped(self) -> int:
        """Frames that were dropped since the analysis was behind."""
        return self.counts().frames_late

    @property
    def finished(self) -> bool:
        """True when closed and nothing is left to analyse."""
        with self._changed:
            return self._closed and not self._jobs

    @property
    def waiting(self) -> int:
        """Jobs that wait."""
        with self._changed:
            return len(self._jobs)

    def _check(self, samples: np.ndarray) -> None:
        shape = self._buffers[0].samples.shape[1:]
        if samples.dtype != self.dtype or samples.shape[1:] != shape:
            wanted = "(n, 2)" if shape else "(n,)"
            raise ParameterError(
                f"samples are {samples.dtype} of shape {samples.shape}, but {self.dtype} of shape "
                f"{wanted} are what this stream was made for; convert them"
            )

    def _cut(self) -> None:
        if self._filled:
            self._hand_over(ends=True)
        self._remaining = 0
        self._keep(None)
        self._run += 1

    def _begin(self, place: tuple[int, float, StreamTime]) -> bool:
        """Begin a frame, to be analysed or to be skipped; False where there is no room yet (replay), or no more."""
        with self._changed:
            is_due = math.ceil(self._begun * self.duty_cycle) < math.ceil((self._begun + 1) * self.duty_cycle)
            if is_due and not self.live:
                self._changed.wait_for(lambda: self._has_room() or self._closing, self.wait_seconds)
            if self._closing or is_due and not self.live and not self._has_room():
                return False
            if not is_due:
                self._fate = SKIPPED
            else:
                while self._jobs and self.held:
                    self._drop_oldest()
                if not self._has_room() and self._jobs:
                    self._drop_oldest()
                self._fate = WAITING if self._has_room() and not self.held else LATE
            self._is_for_others = is_due and self.held
            if self._fate == WAITING:
                self._buffer = self._free.pop()
                self._buffer.users = 1
            else:
                self._keep(None)
            if self._fate in self._frames:
                self._frames[self._fate] += 1
            self._begun += 1
            self._remaining = self.frame_samples
            self._place = place
            return True

    def _take_in(self, count: int) -> None:
        """Count samples of the frame begun, and hand it over when it is whole."""
        with self._changed:
            self._totals[self._fate] += count
            self._yielded += count * self._is_for_others
            self._remaining -= count
            if self._buffer is not None:
                self._filled += count
                if not self._remaining:
                    self._hand_over(ends=False)

    def _has_room(self) -> bool:
        return bool(self._free) and self._outstanding < self.depth

    def _drop_oldest(self) -> None:
        job = self._jobs.popleft()
        if self._last in job.buffers:
            self._keep(None)
        self.done(job, LATE)
        self._frames[LATE] += 1
        self._yielded += len(job.samples) * self.held

    def _hand_over(self, ends: bool) -> None:
        buffer, self._buffer = self._buffer, None
        assert buffer is not None, "only what has been begun is handed over"
        buffers = [buffer]
        before = buffer.samples[:0]
        if self._remaining and self._last is not None:
            before = self._last.samples[self._filled :]
            self._last.users += 1
            buffers.append(self._last)
        start_offset, center_frequency, clock = self._place
        self._jobs.append(
            Job(
                buffer.samples[: self._filled],
                start_offset,
                center_frequency,
                clock,
                ends,
                time.monotonic(),
                self._run,
                before,
                buffers,
            )
        )
        self._keep(buffer)
        self._outstanding += 1
        self._filled = 0
        self._changed.notify_all()

    def _keep(self, buffer: _Buffer | None) -> None:
        """Keep the frame that was handed over last, in place of the one before."""
        if buffer is not None:
            buffer.users += 1
        if self._last is not None:
            self._let_go(self._last)
        self._last = buffer

    def _let_go(self, buffer: _Buffer) -> None:
        buffer.users -= 1
        if not buffer.users and buffer in self._buffers:
            self._free.append(buffer)
