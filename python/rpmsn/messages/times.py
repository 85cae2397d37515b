# SPDX-License-Identifier: GPL-3.0-or-later
"""Times as text: (whole seconds since 1970, fraction), since a double has no nanoseconds left."""

import datetime as dt
from typing import Protocol

NANOSECONDS = 10**9


class SampleClock(Protocol):
    """What says when a sample was received: `rpmsn.streaming.intake.StreamTime`."""

    @property
    def source(self) -> str:
        """`radio`, `file` or `host`."""

    def at(self, offset: int) -> tuple[int, float]:
        """(whole seconds since 1970, fraction) of a sample."""


def utc_text(time: tuple[int, float]) -> str:
    """(whole seconds since 1970, fraction) as `2024-05-01T12:03:07.412000100Z`; JSON has no number so precise.

    Raises:
        TypeError, ValueError, OverflowError, OSError: no time, or a year that is not from 1 to 9999.
    """
    whole, nanoseconds = divmod(_nanoseconds(time), NANOSECONDS)
    return f"{dt.datetime.fromtimestamp(whole, dt.timezone.utc):%Y-%m-%dT%H:%M:%S}.{nanoseconds:09d}Z"


def time_text(time: tuple[int, float] | None) -> str | None:
    """As `utc_text`; None where a clock is so far off that there is no such date."""
    try:
        return None if time is None else utc_text(time)
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def seconds_of(time: tuple[int, float] | None) -> float | None:
    """Seconds since 1970, to 0.24 us; None where `time_text` is."""
    return None if time is None or time_text(time) is None else _nanoseconds(time) / NANOSECONDS


def _nanoseconds(time: tuple[int, float]) -> int:
    seconds, fraction = time
    return int(seconds) * NANOSECONDS + round(fraction * NANOSECONDS)
