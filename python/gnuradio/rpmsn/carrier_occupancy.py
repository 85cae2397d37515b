# SPDX-License-Identifier: GPL-3.0-or-later
"""When a carrier was on the air, in bounded memory: a fixed number of bins, ever longer ones (no Qt)."""
import dataclasses

import numpy as np

BINS = 96
"""Enough for a strip as wide as a column of a table; when they are full, two become one."""
FIRST_BIN_SECONDS = 0.04
"""Length of a bin at the beginning: that of a frame."""
MAX_SPANS = 64
"""Spans of one frame that are told apart; more count as one."""


@dataclasses.dataclass
class Timeline:
    """The bins that all carriers share, so that their strips stand in line: from the first sample to now.

    Attributes:
        origin: sample at which the first bin begins.
        bin_samples: length of a bin.
        end: the newest sample that is known of.
    """

    origin: int
    bin_samples: int
    end: int

    @classmethod
    def of(cls, origin: int, sample_rate: float) -> "Timeline":
        """A timeline that begins at a sample; `sample_rate` in Hz."""
        return cls(origin, max(1, round(FIRST_BIN_SECONDS * sample_rate)), origin)

    def reach(self, offset: int) -> int:
        """Go on to a sample; returns how many times the bins became twice as long."""
        self.end = max(self.end, offset)
        doublings = 0
        while self.end - self.origin > BINS * self.bin_samples:
            self.bin_samples *= 2
            doublings += 1
        return doublings


class Occupancy:
    """When one carrier was on the air.

    Segments of a frame may overlap (they are of several bands); what they share counts once.

    Attributes:
        samples: on the air, all together.
        bins: float32, shape (BINS,), samples on the air in each bin of the timeline.
    """

    def __init__(self):
        self.samples = 0
        self.bins = np.zeros(BINS, np.float32)
        self._frame = None
        self._floor = self._covered = 0
        self._spans = []

    def add(self, start: int, end: int, frame: int, timeline: Timeline) -> None:
        """Take in that samples `start` to `end` were on the air, as seen in a frame."""
        if frame != self._frame:
            self._frame, self._floor, self._spans = frame, self._covered, []
        self._covered = max(self._covered, end)
        for first, after in _parts_outside(max(start, self._floor), end, self._spans):
            self.samples += after - first
            self._fill(first, after, timeline)
            self._spans.append((first, after))
        if len(self._spans) > MAX_SPANS:
            self._spans = [(min(first for first, _ in self._spans), max(after for _, after in self._spans))]

    def halve(self) -> None:
        """Two bins become one."""
        joined = self.bins.reshape(-1, 2).sum(axis=1)
        self.bins[:] = 0
        self.bins[:len(joined)] = joined

    def shares(self, timeline: Timeline) -> np.ndarray:
        """Share of each bin that was on the air, float32, 0..1; as many bins as the timeline has begun."""
        filled = timeline.end - timeline.origin
        count = min(BINS, -(-filled // timeline.bin_samples))
        lengths = np.full(count, timeline.bin_samples, np.float32)
        if count:
            lengths[-1] = filled - (count - 1) * timeline.bin_samples
        return np.minimum(1.0, self.bins[:count] / lengths)

    def _fill(self, start: int, end: int, timeline: Timeline) -> None:
        """Share samples out to the bins."""
        place = max(0, start - timeline.origin)
        last = min(end - timeline.origin, BINS * timeline.bin_samples)
        while place < last:
            index = place // timeline.bin_samples
            after = min(last, (index + 1) * timeline.bin_samples)
            self.bins[index] += after - place
            place = after


def _parts_outside(start: int, end: int, spans: list) -> list:
    """The parts of start..end that none of the spans covers."""
    parts = [(start, end)] if end > start else []
    for first, after in spans:
        parts = [(low, high) for left, right in parts
                 for low, high in ((left, min(right, first)), (max(left, after), right)) if high > low]
    return parts
