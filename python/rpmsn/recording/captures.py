# SPDX-License-Identifier: GPL-3.0-or-later
"""Capture segments: from which sample on which centre frequency and time hold (SigMF 1.2, "Captures Array")."""

import datetime as dt
import math
import re
from dataclasses import dataclass

TIMESTAMP = re.compile(
    r"(?P<whole>\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2})(?P<fraction>\.\d+)?(?P<zone>[Zz]|[+-]\d{2}:\d{2})?"
)


@dataclass(frozen=True)
class Capture:
    """What holds from `sample_start` (counted in the file, from 0) until the next capture.

    `center_frequency` is in Hz, `datetime` is UTC with a resolution of 1 us, `time` is the same instant as
    (whole seconds since 1970, fraction of a second) with all the digits of the metadata; each is None where unknown.
    """

    sample_start: int
    center_frequency: float | None = None
    datetime: dt.datetime | None = None
    time: tuple[int, float] | None = None


def parse_time(text: object) -> tuple[int, float]:
    """`2024-05-01T12:03:07.4120001Z` -> (whole seconds since 1970, fraction). A time without zone is UTC.

    Python's own datetime would cut the fraction to 1 us, which is 61 samples at 61.44 Msps.

    Raises:
        ValueError: `text` is not such a time.
    """
    match = TIMESTAMP.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"{text!r} is not a time such as 2024-05-01T12:03:07.412Z")
    zone = match["zone"] or "Z"
    whole = dt.datetime.fromisoformat(match["whole"] + ("+00:00" if zone in "Zz" else zone))
    return int(whole.timestamp()), float(match["fraction"] or 0.0)


def later(time: tuple[int, float], seconds: float) -> tuple[int, float]:
    """`time` as (whole seconds, fraction), moved by `seconds`, with the fraction kept in 0..1."""
    total = time[1] + seconds
    whole = math.floor(total)
    return time[0] + whole, total - whole


def to_datetime(time: tuple[int, float]) -> dt.datetime:
    """(whole seconds, fraction) -> aware UTC datetime, cut to 1 us."""
    return dt.datetime.fromtimestamp(time[0], dt.timezone.utc) + dt.timedelta(microseconds=int(time[1] * 1e6 + 1e-3))
