# SPDX-License-Identifier: GPL-3.0-or-later
"""A running stream: sample clock, hand-over from the thread that receives to the one that analyses, and counters.

Nothing here knows GNU Radio; `segmenter_sink` is a thin shell round it.
"""
import math
import threading
import time
from collections import deque
from dataclasses import dataclass

import numpy as np

WAIT_SECONDS = 0.05
"""Longest time that `Intake.write` blocks in replay mode: a block that waits longer cannot be stopped."""


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
    def of_host(cls, offset, sample_rate):
        """The host's clock, now, for sample `offset`."""
        now = time.time_ns()
        return cls(offset, now // 10 ** 9, now % 10 ** 9 / 1e9, sample_rate, "host")

    def at(self, offset):
        """(whole seconds, fraction) of another sample."""
        whole, rest = divmod(offset - self.offset, max(1, round(self.sample_rate)))
        fraction = self.fraction + rest / self.sample_rate + whole * (round(self.sample_rate) / self.sample_rate - 1)
        carry = math.floor(fraction)
        return self.seconds + whole + carry, fraction - carry

    def lost_before(self, offset, seconds, fraction):
        """Samples that are missing before `offset`, whose true time is given; negative where time went back."""
        expected_seconds, expected_fraction = self.at(offset)
        return round((seconds - expected_seconds + fraction - expected_fraction) * self.sample_rate)


@dataclass
class Job:
    """A stretch of samples for the analysing thread: a frame, or what there was before the stream was cut.

    Attributes:
        samples: complex64, a view of a buffer that goes back to the pool.
        start_offset: number of the first sample since the stream began.
        center_frequency: Hz, 0 if it is not known.
        time: StreamTime.
        ends: True where what follows does not belong to it (retune, gap, end).
        filled_at: `time.monotonic()` when its last sample arrived.
    """

    samples: np.ndarray
    start_offset: int
    center_frequency: float
    time: StreamTime
    ends: bool
    filled_at: float
    buffer: np.ndarray


class Intake:
    """Takes samples from one thread and hands frames to another, by way of a few buffers.

    Args:
        frame_samples: samples of a frame.
        live: True: never wait; when no buffer is free, the next whole frame is dropped and counted.
            False: never drop; `write` takes what it can.
        depth: buffers.
    """

    def __init__(self, frame_samples, live, depth=3):
        self.live = live
        self.depth = depth
        self.received = 0
        self.dropped = 0
        self.frames_dropped = 0
        self._changed = threading.Condition()
        self._jobs = deque()
        self._closed = False
        self.resize(frame_samples)

    def resize(self, frame_samples):
        """Another frame length, after `cut`; buffers of the old one are let go when they come back."""
        with self._changed:
            self.frame_samples = frame_samples
            self._free = [np.empty(frame_samples, np.complex64) for _ in range(self.depth)]
            self._buffer = None
            self._filled = 0
            self._to_drop = 0

    def write(self, samples, offset, center_frequency, clock):
        """Take samples that follow those of the last call; returns how many were taken.

        Args:
            samples: complex64; copied.
            offset: number of the first since the stream began.
            center_frequency: Hz.
            clock: StreamTime.
        """
        taken = 0
        while taken < len(samples):
            if self._buffer is None and not self._to_drop and not self._take_buffer():
                break
            count = min(len(samples) - taken, self._to_drop or self.frame_samples - self._filled)
            if self._to_drop:
                self._to_drop -= count
                self.dropped += count
            else:
                if self._filled == 0:
                    self._begin = (offset + taken, center_frequency, clock)
                self._buffer[self._filled:self._filled + count] = samples[taken:taken + count]
                self._filled += count
                if self._filled == self.frame_samples:
                    self._hand_over(ends=False)
            taken += count
        self.received += taken
        return taken

    def cut(self):
        """What follows does not belong to what came before: hand over the frame begun, whole or not."""
        self._to_drop = 0
        if self._filled:
            self._hand_over(ends=True)

    def close(self):
        """No more samples: wakes the reader."""
        self.cut()
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def get(self, timeout):
        """The next Job; None after `timeout` seconds without one."""
        with self._changed:
            self._changed.wait_for(lambda: self._jobs or self._closed, timeout)
            return self._jobs.popleft() if self._jobs else None

    def done(self, job):
        """Give a job's buffer back."""
        with self._changed:
            if len(job.buffer) == self.frame_samples and len(self._free) < self.depth:
                self._free.append(job.buffer)
            self._changed.notify_all()

    @property
    def finished(self):
        """True when closed and nothing is left to analyse."""
        with self._changed:
            return self._closed and not self._jobs

    @property
    def waiting(self):
        """Jobs that wait."""
        with self._changed:
            return len(self._jobs)

    def _take_buffer(self):
        """Get an empty buffer; where there is none, wait a moment (replay) or start to drop a frame (live)."""
        with self._changed:
            if not self._free and not self.live:
                self._changed.wait_for(lambda: self._free or self._closed, WAIT_SECONDS)
            if self._free:
                self._buffer = self._free.pop()
                return True
        if self.live:
            self._to_drop = self.frame_samples
            self.frames_dropped += 1
        return self.live

    def _hand_over(self, ends):
        start_offset, center_frequency, clock = self._begin
        job = Job(self._buffer[:self._filled], start_offset, center_frequency, clock, ends, time.monotonic(),
                  self._buffer)
        with self._changed:
            self._jobs.append(job)
            self._buffer = None
            self._filled = 0
            self._changed.notify_all()
