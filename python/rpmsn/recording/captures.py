# SPDX-License-Identifier: GPL-3.0-or-later
"""Capture segments: from which sample on which centre frequency and time hold (SigMF 1.2, "Captures Array").

One rule for all that reads recordings: a segment without a frequency goes on at the one before it, and the beginning
has what is known first. Segments that say nothing new are one (SigMF: "equivalent consecutive capture segments").
"""

import datetime as dt
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

TIMESTAMP = re.compile(
    r"(?P<whole>\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2})(?P<fraction>\.\d+)?(?P<zone>[Zz]|[+-]\d{2}:\d{2})?", re.ASCII
)


LATEST_S = 9_214_646_400
"""2262-01-01, in seconds since 1970: what radios and other programs can count in nanoseconds ends there."""


SMALLEST_RETUNE_HZ = 1.0
"""Programs that write what a radio's synthesiser gives differ by less from one capture segment to the next."""


@dataclass(frozen=True)
class Capture:
    """What holds from `sample_start` (counted in the file, from 0) until the next capture.

    `center_frequency` is in Hz, `time` is UTC as (whole seconds since 1970, fraction of a second) with all the digits
    of the metadata, `resolution` is what its last digit stands for, in seconds. Each is None where unknown.
    """

    sample_start: int
    center_frequency: float | None = None
    time: tuple[int, float] | None = None
    resolution: float = 0.0

    @property
    def datetime(self) -> dt.datetime | None:
        """`time` as aware UTC datetime, cut to 1 us."""
        return None if self.time is None else to_datetime(self.time)


def settle(captures: Iterable[Capture], sample_rate: float) -> list[Capture]:
    """Captures in order of their start -> those that say something new, the first at sample 0.

    A capture says something new if its frequency is another one, by 1 Hz or more, or if its time is not the one that
    the samples since the last time lead to: then samples are missing. A time is no better than its digits.
    """
    given = list(captures)
    frequency = next((one.center_frequency for one in given if one.center_frequency is not None), None)
    timed = next((one for one in given if one.time is not None), None)
    first = Capture(0, frequency)
    if timed is not None and timed.time is not None:
        first = replace(first, time=later(timed.time, -timed.sample_start / sample_rate), resolution=timed.resolution)
    settled, clock = [first], first
    for one in given:
        frequency = one.center_frequency if one.center_frequency is not None else frequency
        keeps_time = one.time is None or _follows(clock, one, sample_rate)
        if keeps_time and _is_same(frequency, settled[-1].center_frequency):
            continue
        now = Capture(one.sample_start, frequency)
        if not keeps_time:
            now = clock = replace(now, time=one.time, resolution=one.resolution)
        if settled[-1].sample_start == one.sample_start:
            settled.pop()
        settled.append(now)
    return settled


def _is_same(frequency: float | None, before: float | None) -> bool:
    if frequency is None or before is None:
        return frequency is before
    return abs(frequency - before) < SMALLEST_RETUNE_HZ


def _follows(clock: Capture, one: Capture, sample_rate: float) -> bool:
    """Whether the time of a capture is that which a sample clock, started at another, shows by then."""
    if clock.time is None or one.time is None:
        return False
    expected = later(clock.time, (one.sample_start - clock.sample_start) / sample_rate)
    difference = one.time[0] - expected[0] + one.time[1] - expected[1]
    return abs(difference) <= max(clock.resolution, one.resolution, 1 / sample_rate)


def parse_time(text: object) -> tuple[int, float]:
    """`2024-05-01T12:03:07.4120001Z` -> (whole seconds since 1970, fraction). A time without zone is UTC.

    Python's own datetime would cut the fraction to 1 us, which is 61 samples at 61.44 Msps.

    Raises:
        ValueError: `text` is not such a time, or before 1970 or after 2261.
    """
    match = TIMESTAMP.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"{text!r:.60} is not a time such as 2024-05-01T12:03:07.412Z")
    zone = match["zone"] or "Z"
    whole = dt.datetime.fromisoformat(match["whole"] + ("+00:00" if zone in "Zz" else zone))
    seconds = int(whole.timestamp())
    if not 0 <= seconds < LATEST_S:
        raise ValueError(f"{text!r:.60} is not between the years 1970 and 2261")
    return seconds, float(match["fraction"] or 0.0)


def resolution(text: str) -> float:
    """Seconds that the last digit of a time stands for: `...:07.412Z` -> 0.001."""
    match = TIMESTAMP.fullmatch(text)
    digits = len(match["fraction"]) - 1 if match is not None and match["fraction"] else 0
    return 10.0**-digits


def later(time: tuple[int, float], seconds: float) -> tuple[int, float]:
    """`time` as (whole seconds, fraction), moved by `seconds`, with the fraction kept in 0..1."""
    total = time[1] + seconds
    whole = math.floor(total)
    return time[0] + whole, total - whole


def to_datetime(time: tuple[int, float]) -> dt.datetime:
    """(whole seconds, fraction) -> aware UTC datetime, cut to 1 us. `time` is not far from those of `parse_time`."""
    return dt.datetime.fromtimestamp(time[0], dt.timezone.utc) + dt.timedelta(microseconds=int(time[1] * 1e6 + 1e-3))
