# SPDX-License-Identifier: GPL-3.0-or-later
"""Carriers over sweeps: the same one in the next picture keeps its number, one that two sweeps did not show is gone."""

from collections import deque
from dataclasses import dataclass, field
from statistics import median

from ..classes import CLASS_NAMES
from ..tracking.tracker import Event
from ..tracking.verdict import NETWORK, verdict_of

MIN_SHARED = 0.3
"""Two bands are one carrier when they share this much of what they cover together..."""
MIN_INSIDE = 0.8
"""...or when this much of the narrower one lies inside the other: a burst carrier that a sweep saw a part of."""
GONE_SWEEPS = 2
EDGES_KEPT = 9


@dataclass(eq=False)
class ScanCarrier:
    """A carrier followed over sweeps.

    Attributes:
        carrier_id: from 1 on.
        sample_start, sample_end: first sample of its first step, and the one after the last of its latest.
        sample_rate: of the radio, Hz.
        sweeps: in how many it was seen.
        missed: sweeps since it was seen last.
        confidence, snr_db, pwr_db: means over its sweeps.
        cut_lower, cut_upper: whether the range ends before the carrier does.
    """

    carrier_id: int
    sample_start: int
    sample_rate: float
    sample_end: int = 0
    sweeps: int = 0
    missed: int = 0
    confidence: float = 0.0
    snr_db: float = 0.0
    pwr_db: float = 0.0
    cut_lower: bool = False
    cut_upper: bool = False
    _lower: deque = field(default_factory=lambda: deque(maxlen=EDGES_KEPT), repr=False)
    _upper: deque = field(default_factory=lambda: deque(maxlen=EDGES_KEPT), repr=False)
    _votes: dict = field(default_factory=dict, repr=False)

    @property
    def class_id(self):
        """The class that has the most confidence over all sweeps."""
        return max(self._votes, key=self._votes.get)

    @property
    def label(self):
        """Its name."""
        return CLASS_NAMES[self.class_id]

    @property
    def freq_lower(self):
        """Lower edge, Hz: the median of the latest sweeps."""
        return median(self._lower)

    @property
    def freq_upper(self):
        """Upper edge, Hz."""
        return median(self._upper)

    evidence = NETWORK

    @property
    def verdict(self):
        """How sure the label is."""
        return verdict_of(self.confidence)

    @property
    def bandwidth(self):
        """Distance of the edges, Hz."""
        return self.freq_upper - self.freq_lower

    @property
    def center_frequency(self):
        """Middle between the edges, Hz."""
        return (self.freq_lower + self.freq_upper) / 2

    @property
    def duration(self):
        """Seconds from when it was first seen to when it was last."""
        return (self.sample_end - self.sample_start) / self.sample_rate

    def see(self, segment, geometry):
        """It is in one more sweep."""
        self.sweeps += 1
        self.missed = 0
        self.sample_end = segment.end_offset
        for name in ("confidence", "snr_db", "pwr_db"):
            before = getattr(self, name)
            setattr(self, name, before + (getattr(segment, name) - before) / self.sweeps)
        self._lower.append(segment.freq_lower)
        self._upper.append(segment.freq_upper)
        self._votes[segment.class_id] = self._votes.get(segment.class_id, 0.0) + segment.confidence
        self.cut_lower, self.cut_upper = segment.columns[0] == 0, segment.columns[1] == geometry.columns


class Keeper:
    """Gives the segments of each sweep to carriers.

    Attributes:
        carriers: list of ScanCarrier that are there, in the order in which they came.
    """

    def __init__(self):
        self.carriers = []
        self._last_id = 0

    def update(self, picture):
        """Take in a sweep.

        Args:
            picture: panorama.Picture.

        Returns:
            list of Event: `new` or `update` for each segment, `gone` for each carrier that is gone.
        """
        events = []
        free = list(self.carriers)
        for segment in sorted(picture.segments, key=lambda segment: -segment.bandwidth):
            carrier = max(free, key=lambda one: shared(one, segment), default=None)
            if carrier is None or not is_same(carrier, segment):
                self._last_id += 1
                carrier = ScanCarrier(self._last_id, segment.start_offset, segment.sample_rate)
                self.carriers.append(carrier)
                kind = "new"
            else:
                free.remove(carrier)
                kind = "update"
            carrier.see(segment, picture.geometry)
            events.append(Event(kind, carrier, segment))
        for carrier in free:
            carrier.missed += 1
        gone = [carrier for carrier in free if carrier.missed >= GONE_SWEEPS]
        self.carriers = [carrier for carrier in self.carriers if carrier not in gone]
        events.sort(key=lambda event: event.segment.freq_lower)
        return events + [Event("gone", carrier) for carrier in gone]

    def finish(self):
        """End of the scan: list of Event, `gone` for all that are left."""
        left, self.carriers = self.carriers, []
        return [Event("gone", carrier) for carrier in left]


def shared(one, other):
    """Hz that two bands share; negative where they are apart."""
    return min(one.freq_upper, other.freq_upper) - max(one.freq_lower, other.freq_lower)


def is_same(carrier, segment):
    """Whether a segment shows a carrier."""
    both = shared(carrier, segment)
    union = max(carrier.freq_upper, segment.freq_upper) - min(carrier.freq_lower, segment.freq_lower)
    return both > 0 and (both >= MIN_SHARED * union or both >= MIN_INSIDE * min(carrier.bandwidth, segment.bandwidth))
