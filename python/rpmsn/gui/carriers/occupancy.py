# SPDX-License-Identifier: GPL-3.0-or-later
"""When a carrier was on the air, in bounded memory: a fixed number of bins, ever longer ones (no Qt)."""

import numpy as np

BINS = 96
"""Enough for a strip as wide as a column of a table; when they are full, two become one."""
FIRST_BIN_SECONDS = 0.04
"""Length of a bin at the beginning: that of a frame."""
MAX_SPANS = 64
"""Spans of one frame that are kept; more count as one."""


class Timeline:
    """The bins that all carriers have in common, so that their strips line up: from the first sample to now.

    It also keeps what was looked at: signal that was dropped, or lost, says nothing about a carrier.

    Args:
        origin: sample at which the first bin begins.
        bin_samples: length of a bin at the beginning.

    Attributes:
        origin, bin_samples: as above; bins become longer.
        end: the newest sample that is known of.
    """

    def __init__(self, origin: int, bin_samples: int):
        self.origin, self.bin_samples, self.end = origin, bin_samples, origin
        self._analysed = np.zeros(BINS)
        self._last: tuple[int, int] | None = None

    @classmethod
    def of(cls, origin: int, sample_rate: float) -> "Timeline":
        """A timeline that begins at a sample; `sample_rate` in Hz."""
        return cls(origin, max(1, round(FIRST_BIN_SECONDS * sample_rate)))

    def reach(self, offset: int) -> int:
        """Go on to a sample; returns how many times the bins became twice as long."""
        self.end = max(self.end, offset)
        doublings = 0
        while self.end - self.origin > BINS * self.bin_samples:
            self.bin_samples *= 2
            doublings += 1
            _halve(self._analysed)
        return doublings

    def analyse(self, start: int, end: int, number: int, judged: float = 1.0) -> None:
        """Note that a frame was analysed; call `reach` before.

        Args:
            start, end: its samples.
            number: of the frame; those between it and the one before were analysed too, and not reported.
            judged: 0 where nothing is known of it: that is neither on nor off the air.
        """
        if self._last is not None and number > self._last[1] and start > self._last[0]:
            gap = start - self._last[0]
            unreported = min(gap, (number - self._last[1] - 1) * (end - start))
            self.fill(self._analysed, self._last[0], start, unreported / gap)
        self.fill(self._analysed, start, end, judged)
        self._last = end, number

    def fill(self, bins: np.ndarray, start: int, end: int, weight: float = 1.0) -> None:
        """Distribute samples over bins."""
        place = max(0, start - self.origin)
        last = min(end - self.origin, BINS * self.bin_samples)
        while place < last:
            index = place // self.bin_samples
            after = min(last, (index + 1) * self.bin_samples)
            bins[index] += weight * (after - place)
            place = after

    def analysed(self) -> np.ndarray:
        """Samples of each bin that were looked at; all, where no frame was ever reported. One value for each bin
        up to now."""
        filled = self.end - self.origin
        count = min(BINS, -(-filled // self.bin_samples))
        if self._last is not None:
            return self._analysed[:count]
        lengths = np.full(count, float(self.bin_samples))
        if count:
            lengths[-1] = filled - (count - 1) * self.bin_samples
        return lengths

    def analysed_between(self, start: int, end: int) -> float:
        """Samples that were looked at between two, as finely as the bins resolve it."""
        edges = self.origin + self.bin_samples * np.arange(BINS + 1)
        counts = np.concatenate([[0.0], np.cumsum(self.analysed())])
        edges = np.minimum(edges[: len(counts)], self.end)
        return float(np.interp(end, edges, counts) - np.interp(start, edges, counts))


class Occupancy:
    """When one carrier was on the air.

    Segments of a frame may overlap (they are of several bands); what they have in common counts once.

    Attributes:
        samples: on the air, all together.
        bins: float32, shape (BINS,), samples on the air in each bin of the timeline.
    """

    def __init__(self) -> None:
        self.samples = 0
        self.bins = np.zeros(BINS, np.float32)
        self._frame: int | None = None
        self._floor = self._covered = 0
        self._spans: list[tuple[int, int]] = []

    def add(self, start: int, end: int, frame: int | None, timeline: Timeline) -> None:
        """Note that samples `start` to `end` were on the air, as seen in a frame."""
        if frame != self._frame:
            self._frame, self._floor, self._spans = frame, self._covered, []
        self._covered = max(self._covered, end)
        for first, after in _parts_outside(max(start, self._floor), end, self._spans):
            self.samples += after - first
            timeline.fill(self.bins, first, after)
            self._spans.append((first, after))
        if len(self._spans) > MAX_SPANS:
            self._spans = [(min(first for first, _ in self._spans), max(after for _, after in self._spans))]

    def add_earlier(self, other: "Occupancy") -> None:
        """What another carrier of the timeline, which has ended before, was on the air."""
        self.samples += other.samples
        self.bins += other.bins

    def halve(self) -> None:
        """Two bins become one."""
        _halve(self.bins)

    def fractions(self, timeline: Timeline) -> np.ndarray:
        """Fraction of each bin that was on the air, 0..1, of what was looked at; NaN where nothing was."""
        analysed = timeline.analysed()
        with np.errstate(divide="ignore", invalid="ignore"):
            fractions = np.minimum(1.0, self.bins[: len(analysed)] / analysed)
        return np.where(analysed > 0, fractions, np.nan)


def _halve(bins: np.ndarray) -> None:
    """Two bins become one, in place."""
    joined = bins.reshape(-1, 2).sum(axis=1)
    bins[:] = 0
    bins[: len(joined)] = joined


def _parts_outside(start: int, end: int, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The parts of start..end that none of the spans covers."""
    parts = [(start, end)] if end > start else []
    for first, after in spans:
        parts = [
            (low, high)
            for left, right in parts
            for low, high in ((left, min(right, first)), (max(left, after), right))
            if high > low
        ]
    return parts
