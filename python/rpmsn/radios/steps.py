# SPDX-License-Identifier: GPL-3.0-or-later
"""A radio that is tuned from step to step: an iterator of what it received in each, that ends in bounded time."""

import argparse
import os
import queue
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

from ..errors import RadioError
from ..scanning.stepping import PATIENCE_SECONDS, UNTAGGED_SECONDS, Dwell, Steps
from .flowgraphs import load
from .stopping import Silence, describe_silence, end_flowgraph

SETTLE_SECONDS = 0.1
"""After a tune; what an RTL-SDR needs."""
SLOWEST = 3.0
"""A radio, or its network, that takes so many times as long as its samples last is taken to be too slow."""
SLACK_S = 5.0
POLL_S = 0.1


class RadioSteps:
    """What a radio receives in each step, once; a context manager, and an iterator of `Dwell`.

    Args:
        options: as of `gnuradio.rpmsn.cells_flowgraph.CellsFlowgraph`.
        steps: where it is tuned to.
        seconds: of samples in each step.
        clock: seconds, as `time.monotonic`.

    Attributes:
        has_ended: False after the end where the driver hangs: Python then cannot end by itself, but by `os._exit`.
        refused: steps that the radio did not go to.

    Raises:
        RpmsnError: entered, the radio cannot be opened; in the loop, it has stopped.
    """

    def __init__(
        self, options: argparse.Namespace, steps: Steps, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._options, self._steps, self._clock = options, steps, clock
        self._dwell_samples = max(1, round(seconds * steps.sample_rate))
        self.has_ended = True
        self.refused = 0
        self._flowgraph: Any = None

    def __enter__(self) -> "RadioSteps":
        os.environ.setdefault("GR_CONF_LOG_LOG_FILE", "stderr")  # GNU Radio's log; stdout is for results
        self._flowgraph = load("cells_flowgraph").CellsFlowgraph(
            self._options, self._steps, self._dwell_samples, SETTLE_SECONDS
        )
        self.has_ended = False
        self._flowgraph.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, place: TracebackType | None
    ) -> None:
        self.refused = self._flowgraph.sink.refused
        self.has_ended = end_flowgraph(self._flowgraph)

    def __iter__(self) -> Iterator[Dwell]:
        while (dwell := self._next()) is not None:
            yield dwell

    def _next(self) -> Dwell | None:
        sink, begun = self._flowgraph.sink, self._clock()
        silence, step = Silence(begun), sink.step
        patience_s = 2 * PATIENCE_SECONDS + UNTAGGED_SECONDS + SETTLE_SECONDS
        limit_s = SLACK_S + SLOWEST * (patience_s + self._dwell_samples / self._steps.sample_rate)
        while True:
            try:
                return sink.dwells.get(timeout=POLL_S)
            except queue.Empty:
                now = self._clock()
            if silence.has_stopped(sink.received, now):
                raise RadioError(describe_silence(self._options.device))
            if sink.step != step:  # a step that the radio does not go to is left out
                begun, step = now, sink.step
            if now - begun > limit_s:
                raise RadioError(
                    f"{self._options.device} sends too slowly: {limit_s:.0f} s were not enough for one step; choose a "
                    "lower --rate"
                )
