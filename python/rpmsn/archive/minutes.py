# SPDX-License-Identifier: GPL-3.0-or-later
"""What was on air, and how good the input was, minute by minute. Memory grows with minutes and carriers alone."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from ..standards.band_spans import SPANS, BandSpan
from ..tracking.tracker import Event
from .pieces import AnalysedFrame

if TYPE_CHECKING:
    from ..recording import Recording
    from ..tracking.carrier import Carrier

MINUTE_S = 60
SETTLED_FRAMES = 64
"""Events come no later than so many frames after their segments (`Tracker`'s `of_frames`)."""

Place = tuple[int, float, float]
"""Minute, and the span's lower and upper end, Hz."""


@dataclass
class _OnAir:
    """Time on air of a carrier in a minute: runs of samples that may still grow, and seconds of those that are over."""

    runs: list[tuple[int, int]] = field(default_factory=list)
    samples: int = 0

    def add(self, start: int, end: int) -> None:
        if self.runs and self.runs[-1][0] <= start <= self.runs[-1][1]:
            self.runs[-1] = self.runs[-1][0], max(end, self.runs[-1][1])
            return
        self.runs.append((start, end))
        if len(self.runs) > SETTLED_FRAMES:
            self._join()

    def total(self) -> int:
        """All samples, each once."""
        self._join()
        return self.samples + sum(end - start for start, end in self.runs)

    def _join(self) -> None:
        """Runs that touch are one; of the others the oldest are over."""
        joined: list[tuple[int, int]] = []
        for start, end in sorted(self.runs):
            if joined and start <= joined[-1][1]:
                joined[-1] = joined[-1][0], max(end, joined[-1][1])
            else:
                joined.append((start, end))
        over = joined[: -SETTLED_FRAMES // 2]
        self.samples += sum(end - start for start, end in over)
        self.runs = joined[len(over) :]


@dataclass
class _Condition:
    health: str
    seconds: float = 0.0
    judged: float = 0.0


class Minutes:
    """Follows the analysis of a recording (`pieces.track`).

    Args:
        recording: is asked for the time of samples.
    """

    def __init__(self, recording: "Recording") -> None:
        self._recording, self._rate = recording, recording.sample_rate
        start = recording.time_at(0)
        self._first = 0 if start is None else start[0] // MINUTE_S
        self._is_timed = start is not None
        self._on_air: dict[int, dict[int, _OnAir]] = defaultdict(lambda: defaultdict(_OnAir))
        self._conditions: dict[tuple[Place, str], _Condition] = {}
        self._judged: dict[Place, float] = defaultdict(float)

    def follow(self, one: AnalysedFrame | None, events: Iterable[Event]) -> None:
        """A frame was tracked, or, with None, there are no more."""
        if one is not None:
            self._look_at(one)
        for event in events:
            if event.segment is not None:
                start, end = event.segment.start_offset, event.segment.end_offset
                self._on_air[self._minute(start)][event.carrier.carrier_id].add(start, end)

    def _look_at(self, one: AnalysedFrame) -> None:
        frame, geometry = one.frame, one.frame.geometry
        half = geometry.sample_rate / 2
        place = self._minute(one.start), geometry.center_frequency - half, geometry.center_frequency + half
        seconds = (one.end - one.start) / geometry.sample_rate
        condition = self._conditions.setdefault((place, frame.condition.kind), _Condition(frame.health))
        condition.seconds += seconds
        condition.judged += seconds * frame.condition.judged
        self._judged[place] += seconds * frame.condition.judged

    def quality(self) -> list[dict[str, Any]]:
        """Rows of the table `quality`."""
        return [
            {
                **self._when(place[0]),
                "span_lower": place[1],
                "span_upper": place[2],
                "condition": kind,
                "health": one.health,
                "seconds": one.seconds,
                "seconds_judged": one.judged,
            }
            for (place, kind), one in sorted(self._conditions.items())
        ]

    def occupancy(self, carriers: Sequence["Carrier"]) -> list[dict[str, Any]]:
        """Rows of the table `occupancy`: of each minute the bands in view with what was on, those without as well.

        Args:
            carriers: that are reported.
        """
        rows = []
        reported = {one.carrier_id: (number, one) for number, one in enumerate(carriers)}
        by_minute: dict[int, list[Place]] = defaultdict(list)
        for place in sorted(self._judged):
            by_minute[place[0]].append(place)
        for minute, places in by_minute.items():
            here = self._on_air[minute]
            on = [
                (one, here[one.carrier_id].total() / self._rate)
                for _, one in sorted(reported[carrier_id] for carrier_id in here.keys() & reported.keys())
            ]
            for band, seen, judged in _bands_seen(places, self._judged):
                rows += [{**self._when(minute), **row} for row in _rows(band, seen, judged, on)]
        return rows

    def _minute(self, sample: int) -> int:
        """Minutes since the epoch, or since the start of a recording without a time."""
        time = self._recording.time_at(sample)
        return int(sample / self._rate // MINUTE_S) if time is None else time[0] // MINUTE_S

    def _when(self, minute: int) -> dict[str, Any]:
        time = datetime.fromtimestamp(MINUTE_S * minute, timezone.utc) if self._is_timed else None
        return {"minute": time, "minute_s": MINUTE_S * (minute - self._first)}


def _bands_seen(places: Sequence[Place], judged: dict[Place, float]) -> Iterator[tuple[BandSpan | None, float, float]]:
    """(bands, Hz of them in view, seconds judged); None for what is in no band, where that is all of the view."""
    found = False
    for band in SPANS:
        views = [
            (min(upper, band.upper) - max(lower, band.lower), judged[minute, lower, upper])
            for minute, lower, upper in places
            if lower < band.upper and upper > band.lower
        ]
        if views:
            found = True
            yield band, max(width for width, _ in views), sum(seconds for _, seconds in views)
    if not found:
        yield None, max(upper - lower for _, lower, upper in places), sum(judged[place] for place in places)


def _rows(
    band: BandSpan | None, seen: float, judged: float, on: Sequence[tuple["Carrier", float]]
) -> Iterator[dict[str, Any]]:
    here = [(one, seconds) for one, seconds in on if band is None or band.lower <= one.center_frequency < band.upper]
    place = {
        "bands": None if band is None else band.text,
        "band_lower": None if band is None else band.lower,
        "band_upper": None if band is None else band.upper,
        "seconds_judged": judged,
        "hertz_seen": seen,
    }
    labels: list[str | None] = [*sorted({one.label for one, _ in here})] or [None]
    for label in labels:
        alike = [(one, seconds) for one, seconds in here if one.label == label]
        yield {
            **place,
            "label": label,
            "carriers": len(alike),
            "seconds_on_air": max((seconds for _, seconds in alike), default=0.0),
            "hertz_seconds": sum(_inside(one, band) * seconds for one, seconds in alike),
        }


def _inside(carrier: "Carrier", band: BandSpan | None) -> float:
    """Hz of a carrier that are in a band."""
    if band is None:
        return carrier.bandwidth
    return min(carrier.freq_upper, band.upper) - max(carrier.freq_lower, band.lower)
