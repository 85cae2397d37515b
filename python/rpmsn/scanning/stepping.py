# SPDX-License-Identifier: GPL-3.0-or-later
"""Tunes a radio from step to step, throws away what comes before it has settled, and collects the rest.

After every tune command samples are thrown away until the stream says (tag `rx_freq`) that the radio is there, then for
the time it takes to settle, and the next ones are collected until there are enough. A radio that does not tag is given
a second. With a time of its own, the radio is told when to tune, and settling is counted from then.
"""

import math
from dataclasses import dataclass

import numpy as np

from ..errors import require

UNTAGGED_SECONDS = 1.0
"""A radio that never tags is taken to be there after so long."""
PATIENCE_SECONDS = 3.0
"""One that tags, and has not done so after so long, is told again; and after as long again, the step is given up."""
LEAD_SECONDS = 0.01
"""A radio with a clock is told to tune so long after the command."""
TUNING, SETTLING, DWELLING, HOLDING = "tuning", "settling", "dwelling", "holding"


@dataclass(frozen=True)
class Dwell:
    """What was heard in one step.

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
    clock: object


class Stepper:
    """The state of a scan: where the radio is, and what becomes of the samples that come. For one thread.

    Args:
        plan: Plan.
        tune: called with Hz and with (whole seconds, fraction), or None for at once.
        dwell_samples: wanted in each step.
        settle_seconds: thrown away after the radio is there.
        timed: whether to tell the radio when to tune; needs its time.

    Attributes:
        state: `tuning`, `settling`, `dwelling`, or `holding` (whoever takes the dwells is not ready).
        step, sweep: where it is.
        settling_samples: thrown away so far.
        untagged, refused: steps whose tune no tag reported; steps that the radio did not go to, and that were left out.

    Raises:
        ParameterError: a time that cannot be.
    """

    def __init__(self, plan, tune, dwell_samples, settle_seconds, timed=False):
        require("the scan", "settle_seconds", settle_seconds, 0 <= settle_seconds <= 10, "0 to 10 s")
        self.plan, self.dwell_samples, self.settle_seconds, self.timed = plan, dwell_samples, settle_seconds, timed
        self._tune = tune
        self._dwell = np.empty(dwell_samples, np.complex64)
        self.settling_samples = self.untagged = self.refused = 0
        self.step = self.sweep = 0
        self._frequency = None
        self._begin(None)

    def start(self):
        """Tune to the first step."""
        self._send(None, 0)

    def follow(self, offset, center_frequency=None, is_gap=False):
        """What the stream says at sample `offset`, the next one to be written."""
        if center_frequency is not None:
            self._frequency = center_frequency
            if self.state == TUNING and self._is_there(center_frequency):
                self._settle(offset)
        if is_gap and self.state == DWELLING:
            self.settling_samples += self._filled
            self._filled = 0

    def write(self, samples, offset, clock, take):
        """Take samples that follow those of the last call.

        Args:
            samples: complex64.
            offset: number of the first.
            clock: StreamTime.
            take: called with a Dwell; returns whether it was taken. If not, samples are thrown away until it is.
        """
        done = 0
        while done < len(samples):
            done += self._advance(samples[done:], offset + done, clock, take)

    def _advance(self, samples, offset, clock, take):
        """Let the state have its part of some samples; returns how many that were."""
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
            self._first = offset
        self._dwell[self._filled : self._filled + count] = samples[:count]
        self._filled += count
        if self._filled == self.dwell_samples:
            self._offer(take, offset + count, clock)
        return count

    def _wait(self, samples, offset):
        """Throw samples away until a tag tells of the tune, or for long enough."""
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

    def _offer(self, take, offset, clock):
        """Hand the dwell over and go on; hold where it is not taken."""
        frequency = self.plan.center(self.step) if self._frequency is None else self._frequency
        dwell = Dwell(self.step, self.sweep, self._dwell, self._first, frequency, clock)
        if not take(dwell):
            self.state = HOLDING
            return
        self._dwell = np.empty(self.dwell_samples, np.complex64)
        self._next_step(clock, offset)

    def _next_step(self, clock, offset):
        self.step += 1
        if self.step == self.plan.steps:
            self.step, self.sweep = 0, self.sweep + 1
        self._send(clock, offset)

    def _send(self, clock, offset):
        """Send the tune command of the step."""
        self._begin(None)
        moment = None
        if self.timed and clock is not None and clock.source == "radio":
            lead = round(LEAD_SECONDS * self.plan.sample_rate)
            moment = clock.at(offset + lead)
            self._begin(offset + lead)
        self._tune(self.plan.center(self.step), moment)

    def _begin(self, not_before):
        self.state = TUNING
        self._filled = 0
        self._first = 0
        self._waited_from = None
        self._asked_again = False
        self._not_before = not_before

    def _settle(self, offset):
        self.state = SETTLING
        start = offset if self._not_before is None else max(offset, self._not_before)
        self._settled_at = start + math.ceil(self.settle_seconds * self.plan.sample_rate)

    def _is_there(self, frequency):
        """Whether the radio is where it was told to be, to half a column."""
        return abs(frequency - self.plan.center(self.step)) <= self.plan.column / 2

    @property
    def _patience(self):
        """Samples after which a tag is not waited for any longer."""
        seconds = UNTAGGED_SECONDS if self._frequency is None else PATIENCE_SECONDS
        return round(seconds * self.plan.sample_rate)
