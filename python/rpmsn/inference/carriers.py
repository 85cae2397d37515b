# SPDX-License-Identifier: GPL-3.0-or-later
"""Carriers: segments followed over frames, under one id."""
from dataclasses import dataclass, field

import numpy as np

from ..classes import LTE

MIN_OVERLAP = 0.5
"""Segment and carrier are the same where they share this much of the narrower one's band."""
HOLD_SECONDS = 0.5
"""A carrier that was not seen for so long is gone."""
EDGE_QUANTILE = 0.25
"""A carrier's lower edge is this quantile of its segments', weighted by duration x bandwidth; the upper minus it."""
LTE_EDGE_QUANTILE = 0.5
"""The same for LTE, which is always there over its whole band: no burst is narrower than the carrier."""
MAX_SEGMENTS_KEPT = 256
MIN_SHARE_INSIDE = 0.5
"""A carrier inside another's band is part of it unless it has this share of the other's evidence."""


@dataclass(eq=False)
class Carrier:
    """A segment followed over frames.

    Attributes:
        carrier_id: from 1 on, in the order of discovery.
        class_id, label: the class.
        sample_start, sample_end: first sample, and the one after the last.
        sample_rate: Hz.
        time_on_air: seconds in which there was a segment.
        confidence, snr_db, pwr_db: means over its segments, weighted by duration and bandwidth.
        segments: how many there were.
    """

    carrier_id: int
    class_id: int
    label: str
    sample_start: int
    sample_end: int
    sample_rate: float
    time_on_air: float = 0.0
    confidence: float = 0.0
    snr_db: float = 0.0
    pwr_db: float = 0.0
    segments: int = 0
    _weight: float = 0.0
    _edges: list = field(default_factory=list, repr=False)

    @property
    def freq_lower(self):
        """Lower edge, Hz."""
        return self._edge(0, self._edge_quantile)

    @property
    def freq_upper(self):
        """Upper edge, Hz."""
        return self._edge(1, 1 - self._edge_quantile)

    @property
    def bandwidth(self):
        """Distance of the edges, Hz."""
        return self.freq_upper - self.freq_lower

    @property
    def center_frequency(self):
        """Middle between the edges, Hz."""
        return (self.freq_lower + self.freq_upper) / 2

    @property
    def evidence(self):
        """How much speaks for it: time on air, bandwidth and confidence, multiplied."""
        return self.time_on_air * self.bandwidth * self.confidence

    @property
    def sample_count(self):
        """Samples from the first to the last, whether it was on the air all the time or not."""
        return self.sample_end - self.sample_start

    def add(self, segment):
        """Take in one more segment."""
        weight = segment.duration * segment.bandwidth
        self._weight += weight
        share = weight / self._weight if self._weight else 1.0
        for name in ("confidence", "snr_db", "pwr_db"):
            setattr(self, name, (1 - share) * getattr(self, name) + share * getattr(segment, name))
        self.sample_start = min(self.sample_start, segment.start_offset)
        self.sample_end = max(self.sample_end, segment.end_offset)
        self.segments += 1
        self._edges.append((segment.freq_lower, segment.freq_upper, weight))
        if len(self._edges) > MAX_SEGMENTS_KEPT:
            del self._edges[0]

    def overlap(self, freq_lower, freq_upper):
        """Share of the narrower band that both bands cover."""
        shared = min(self.freq_upper, freq_upper) - max(self.freq_lower, freq_lower)
        return shared / max(min(self.bandwidth, freq_upper - freq_lower), 1e-9)

    @property
    def _edge_quantile(self):
        return LTE_EDGE_QUANTILE if self.class_id == LTE else EDGE_QUANTILE

    def _edge(self, which, quantile):
        edges = np.array(self._edges)
        order = np.argsort(edges[:, which])
        cumulative = np.cumsum(edges[order, 2])
        place = np.searchsorted(cumulative, quantile * cumulative[-1])
        return float(edges[order[min(place, len(order) - 1)], which])


@dataclass(frozen=True)
class Event:
    """What happened to a carrier: `new`, `update` (with the segment) or `gone` (segment None)."""

    kind: str
    carrier: Carrier
    segment: object = None


class Tracker:
    """Gives segments of successive frames the id of their carrier.

    Args:
        hold_seconds: how long a carrier may be silent before it is gone.

    Attributes:
        carriers: all so far, also those that are gone.
    """

    def __init__(self, hold_seconds=HOLD_SECONDS):
        self.hold_seconds = hold_seconds
        self.carriers = []
        self._live = []

    def update(self, frame):
        """Take in a frame's segments.

        Returns:
            list of Event, one for each segment, then one for each carrier that is gone.
        """
        # The widest first: a burst on a part of a carrier then finds the whole carrier there.
        by_width = sorted(frame.segments, key=lambda segment: -segment.bandwidth * segment.duration)
        events = [self._take(segment) for segment in by_width]
        self._count_time(events)
        return events + self._expire(frame.end_offset, frame.geometry.sample_rate)

    def finish(self):
        """End of the stream: every carrier that is left is gone."""
        events = [Event("gone", carrier) for carrier in self._live]
        self._live = []
        return events

    def _take(self, segment):
        fitting = [carrier for carrier in self._live if carrier.class_id == segment.class_id
                   and carrier.overlap(segment.freq_lower, segment.freq_upper) >= MIN_OVERLAP]
        kind = "update" if fitting else "new"
        if fitting:
            carrier = max(fitting, key=lambda candidate: candidate.overlap(segment.freq_lower, segment.freq_upper))
        else:
            carrier = Carrier(len(self.carriers) + 1, segment.class_id, segment.label, segment.start_offset,
                              segment.end_offset, segment.sample_rate)
            self.carriers.append(carrier)
            self._live.append(carrier)
        carrier.add(segment)
        return Event(kind, carrier, segment)

    def _count_time(self, events):
        """Add this frame's time on air; what several segments of a carrier cover at once counts once."""
        spans = {}
        for event in events:
            spans.setdefault(event.carrier.carrier_id, (event.carrier, []))[1].append(
                (event.segment.start_offset, event.segment.end_offset))
        for carrier, stretches in spans.values():
            counted_to = 0
            for start, end in sorted(stretches):
                carrier.time_on_air += max(0, end - max(start, counted_to)) / carrier.sample_rate
                counted_to = max(counted_to, end)

    def _expire(self, now, sample_rate):
        gone = [carrier for carrier in self._live if now - carrier.sample_end > self.hold_seconds * sample_rate]
        self._live = [carrier for carrier in self._live if carrier not in gone]
        return [Event("gone", carrier) for carrier in gone]


def consolidate(carriers):
    """Carriers worth reporting, lowest frequency first.

    Left out: one whose band lies inside another's while that one is on, with less evidence for it: a patch of doubt
    within a carrier, not a second one.
    """
    kept = []
    for carrier in sorted(carriers, key=lambda candidate: -candidate.evidence):
        if not any(_is_patch(carrier, other) for other in kept):
            kept.append(carrier)
    return sorted(kept, key=lambda candidate: (candidate.freq_lower, candidate.sample_start))


def _is_patch(carrier, other):
    at_once = min(carrier.sample_end, other.sample_end) > max(carrier.sample_start, other.sample_start)
    shared = min(carrier.freq_upper, other.freq_upper) - max(carrier.freq_lower, other.freq_lower)
    return (at_once and shared > 0.8 * carrier.bandwidth
            and carrier.evidence < MIN_SHARE_INSIDE * other.evidence)
