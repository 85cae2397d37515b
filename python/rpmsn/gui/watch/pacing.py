# SPDX-License-Identifier: GPL-3.0-or-later
"""The speeds at which a recording plays, and how many samples are due at them (no Qt)."""

import math
from collections.abc import Callable

SLOWEST, FASTEST = 0.1, math.inf
SPEEDS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, FASTEST)
"""Times real time; the last is as fast as the analysis goes."""
SLICE_SECONDS = 0.02
"""Samples are passed on in slices of so much signal, so that a seek or the end never waits for long."""
MOST_BEHIND_SECONDS = 0.25
"""Where the analysis cannot keep up, no more than this is made up for later."""


class Pacing:
    """How many samples are due, at a speed.

    Args:
        sample_rate: Hz.
        clock: seconds of a clock that never jumps.
    """

    def __init__(self, sample_rate: float, clock: Callable[[], float]) -> None:
        self._rate, self._clock = sample_rate, clock
        self.begin(1.0)

    def begin(self, speed: float, due: int = 0) -> None:
        """The next sample, and so many more, are due now; from here on at `speed` times real time."""
        self._speed, self._begun, self._done = speed, self._clock(), -due

    def due(self) -> int:
        """Samples that may go out now, a slice at the most."""
        most = max(1, round(SLICE_SECONDS * self._rate))
        if math.isinf(self._speed):
            return most
        behind = int((self._clock() - self._begun) * self._rate * self._speed) - self._done
        if behind > MOST_BEHIND_SECONDS * self._rate * max(1.0, self._speed):
            self.begin(self._speed)
            return most
        return max(0, min(behind, most))

    def went(self, count: int) -> None:
        """Count samples that went out."""
        self._done += count
