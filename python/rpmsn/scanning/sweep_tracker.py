# SPDX-License-Identifier: GPL-3.0-or-later
"""Carriers over sweeps: the tracker of streams, for which a sweep is one observation of the whole range."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..tracking.carrier import Carrier
from ..tracking.track import Observation
from ..tracking.tracker import Event, Tracker, consolidate

if TYPE_CHECKING:
    from .panorama import Picture

HOLD_SWEEPS = 2
"""A carrier is not gone before so many sweeps without it: between two of them minutes may pass, far more than a hold
in seconds. Where sweeps are short the hold of streams, in seconds of clock, comes on top."""


class SweepTracker:
    """Gives the segments of each sweep to carriers.

    * A sweep observes each band once, for the time of a dwell; what it did not look at, or could not judge, is not
      missed.
    * One sweep is enough to report a carrier: the next one may take minutes, and a dwell averages its frames.
    * Silence is counted in seconds of clock, from sweep to sweep.
    * A segment has the time of the first step that shows it, and lasts no longer than a dwell: dwells of other steps
      are at other times.
    """

    def __init__(self) -> None:
        self._tracker = Tracker(qualify_frames=1, of_frames=1, hold_frames=HOLD_SWEEPS, carriers_kept=0)
        self._end_s = 0.0
        self._last_end: tuple[int, float] | None = None

    @property
    def carriers(self) -> list[Carrier]:
        """Carriers that are on the air, lowest frequency first."""
        return consolidate(self._tracker.carriers)

    def update(self, picture: Picture) -> list[Event]:
        """Take in a sweep; returns the events, as of Tracker: by lowest frequency, and those without a segment last."""
        begin, end = picture.period
        passed_s = max(0.0, _between(self._last_end or begin, end))
        self._last_end = end
        self._end_s += passed_s
        end_s, geometry = self._end_s, picture.geometry
        half = (geometry.span or geometry.sample_rate) / 2
        observation = Observation(
            geometry.center_frequency - half,
            geometry.center_frequency + half,
            column=geometry.column_hz,
            seconds=picture.dwell_seconds,
            passed_s=passed_s,
            end_s=end_s,
            bands=picture.bands,
            is_full=True,
            seconds_at=lambda offset: end_s - _between(picture.clock_of(offset).at(offset), end),
        )
        return sorted(self._tracker.observe(observation, picture.segments), key=_order)

    def finish(self) -> list[Event]:
        """End of the scan: `gone` for every carrier that is left."""
        return self._tracker.finish()


def _order(event: Event) -> tuple[bool, float]:
    return event.segment is None, event.segment.freq_lower if event.segment else 0.0


def _between(earlier: tuple[int, float], later: tuple[int, float]) -> float:
    """Seconds from one moment to another, each (whole seconds, fraction)."""
    return later[0] - earlier[0] + (later[1] - earlier[1])
