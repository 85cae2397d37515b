# SPDX-License-Identifier: GPL-3.0-or-later
"""Tunes a radio from step to step, discards what comes before it has settled, and collects the rest.

After every tune command samples are discarded until the stream says (tag `rx_freq`) that the radio is tuned, then for
the time it takes to settle, and the next ones are collected until there are enough. A radio that does not tag is given
a second. With a time of its own, the radio is commanded when to tune, and settling is counted from then.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ..errors import require

if TYPE_CHECKING:
    from ..streaming.intake import StreamTime

UNTAGGED_SECONDS = 1.0
"""A radio that never tags is assumed to be tuned after so long."""
PATIENCE_SECONDS = 3.0
"""One that tags, and has not after so long, gets the command again; after as long again, the step is skipped."""
LEAD_SECONDS = 0.01
"""A radio with a clock is commanded to tune so long after the command."""
TUNING, SETTLING, DWELLING, HOLDING = "tuning", "settling", "dwelling", "holding"


class Steps(Protocol):
    """What a Stepper needs of a plan, such as `scanning.plan.Plan`."""

    @property
    def sample_rate(self) -> float: ...
    @property
    def column(self) -> float: ...
    @property
    def steps(self) -> int: ...
    def center(self, step: int) -> float: ...


@dataclass(frozen=True)
class Dwell:
    """What was received in one step.

    Attributes:
        step: number in the plan.
        sweep: number of the sweep, from 0.
        samples: complex64, as many as were asked for.
        offset: number of the first since the stream began.
        center_frequency: Hz, as the radio tagged it.
        clock: StreamTime.
    """

    step: int
    sweep: int
    samples: np.ndarray
    offset: int
    center_frequency: float
    clock: StreamTime


class Stepper:
    """The state of a scan: where the radio is tuned, and what each sample is used for. For one thread.

    Args:
        plan: the steps.
        tune: called with Hz and with (whole seconds, fraction), or None for at once.
        dwell_samples: wanted in each step.
        settle_seconds: discarded after the radio is tuned.
        timed: whether to command the time of a tune; needs the radio's time.

    Attributes:
        state: `tuning`, `settling`, `dwelling`, or `holding` (the analysis is not ready for the dwell).
        step, sweep: the present ones.
        settling_samples: discarded so far.
        untagged, refused: steps whose tune no tag reported; steps that the radio did not go to, and that were skipped.

    Raises:
        ParameterError: a settling time outside 0 to 10 s.
    """

    def __init__(
        self,
        plan: Steps,
        tune: Callable[[float, tuple[int, float] | None], None],
        dwell_samples: int,
        settle_seconds: float,
        timed: bool = False,
    ) -> None:
        require("the scan", "settle_seconds", settle_seconds, 0 <= settle_seconds <= 10, "0 to 10 s")
        self.plan, self.dwell_samples, self.settle_seconds, self.timed = plan, dwell_samples, settle_seconds, timed
        self._tune = tune
        self._dwell = np.empty(dwell_samples, np.complex64)
        self.settling_samples = self.untagged = self.refused = 0
        self.step = self.sweep = 0
        self.state = TUNING
        self._filled = self._first = 0
        self._asked_again = False
        self._frequency: float | None = None
        self._waited_from: int | None = None
        self._not_before: int | None = None
        self._dwell_clock: StreamTime | None = None
        self._settled_at = 0
        self._begin(None)

    def start(self) -> None:
        """Tune to the first step."""
        self._send(None, 0)

    def follow(self, offset: int, center_frequency: float | None = None, is_gap: bool = False) -> None:
        """What the stream says about sample `offset`, the next one to be written."""
        if center_frequency is not None:
            self._frequency = center_frequency
            if self.state == TUNING and self._is_there(center_frequency):
                self._settle(offset)
        if is_gap:
            self._begin_dwell_again()

    def discard(self, count: int) -> None:
        """Samples came that cannot be used; a dwell begun starts again."""
        self._begin_dwell_again()
        self.settling_samples += count

    def write(self, samples: np.ndarray, offset: int, clock: StreamTime, take: Callable[[Dwell], bool]) -> None:
        """Take samples that follow those of the last call.

        Args:
            samples: complex64.
            offset: number of the first.
            clock: StreamTime.
            take: called with a Dwell; returns whether it was taken. If not, samples are discarded until it is.
        """
        done = 0
        while done < len(samples):
            done += self._advance(samples[done:], offset + done, clock, take)

    def _begin_dwell_again(self) -> None:
        if self.state == DWELLING:
            self.settling_samples += self._filled
            self._filled = 0

    def _advance(self, samples: np.ndarray, offset: int, clock: StreamTime, take: Callable[[Dwell], bool]) -> int:
        """Use samples as the state wants; returns how many were used before it may have changed."""
        if self.state == TUNING:
            return self._wait(samples, offset)
        if self.state == SETTLING:
            count = min(len(samples), self._settled_at - offset)
            self.settling_samples += max(0, count)
            if count == self._settled_at - offset or count <= 0:
                self.state = DWELLING
            return max(0, count)
        if self.state == HOLDING:
            self.settling_samples += len(samples)
            self._offer(take, offset + len(samples), clock)
            return len(samples)
        count = min(len(samples), self.dwell_samples - self._filled)
        if self._filled == 0:
            self._first, self._dwell_clock = offset, clock
        self._dwell[self._filled : self._filled + count] = samples[:count]
        self._filled += count
        if self._filled == self.dwell_samples:
            self._offer(take, offset + count, clock)
        return count

    def _wait(self, samples: np.ndarray, offset: int) -> int:
        """Discard samples until a tag reports the tune, or for long enough."""
        if self._waited_from is None:
            self._waited_from = offset
        count = min(len(samples), max(1, self._waited_from + self._patience - offset))
        self.settling_samples += count
        if offset + count >= self._waited_from + self._patience:
            if self._frequency is None:
                self.untagged += 1
                self._settle(offset + count)
            elif not self._asked_again:
                self._asked_again, self._waited_from = True, None
                self._tune(self.plan.center(self.step), None)
            else:
                self.refused += 1
                self._next_step(None, offset + count)
        return count

    def _offer(self, take: Callable[[Dwell], bool], offset: int, clock: StreamTime) -> None:
        """Hand the dwell over and go to the next step; hold where it is not taken."""
        frequency = self.plan.center(self.step) if self._frequency is None else self._frequency
        dwell = Dwell(self.step, self.sweep, self._dwell, self._first, frequency, self._dwell_clock or clock)
        if not take(dwell):
            self.state = HOLDING
            return
        self._dwell = np.empty(self.dwell_samples, np.complex64)
        self._next_step(clock, offset)

    def _next_step(self, clock: StreamTime | None, offset: int) -> None:
        self.step += 1
        if self.step == self.plan.steps:
            self.step, self.sweep = 0, self.sweep + 1
        self._send(clock, offset)

    def _send(self, clock: StreamTime | None, offset: int) -> None:
        """Send the tune command of the step."""
        self._begin(None)
        moment = None
        if self.timed and clock is not None and clock.source == "radio":
            lead = round(LEAD_SECONDS * self.plan.sample_rate)
            moment = clock.at(offset + lead)
            self._begin(offset + lead)
        self._tune(self.plan.center(self.step), moment)

    def _begin(self, not_before: int | None) -> None:
        self.state = TUNING
        self._filled = 0
        self._first = 0
        self._dwell_clock = None
        self._waited_from = None
        self._asked_again = False
        self._not_before = not_before

    def _settle(self, offset: int) -> None:
        self.state = SETTLING
        start = offset if self._not_before is None else max(offset, self._not_before)
        self._settled_at = start + math.ceil(self.settle_seconds * self.plan.sample_rate)

    def _is_there(self, frequency: float) -> bool:
        """Whether the radio is tuned to the step's centre frequency, to half a column."""
        return abs(frequency - self.plan.center(self.step)) <= self.plan.column / 2

    @property
    def _patience(self) -> int:
        """Samples after which a tag is not waited for any longer."""
        seconds = UNTAGGED_SECONDS if self._frequency is None else PATIENCE_SECONDS
        return round(seconds * self.plan.sample_rate)
