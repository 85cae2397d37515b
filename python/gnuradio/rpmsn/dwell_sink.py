# SPDX-License-Identifier: GPL-3.0-or-later
"""Sink block: tunes a radio through some steps, once, and keeps the samples of each until they are taken."""

import queue

import numpy as np
import pmt
from gnuradio import gr

from rpmsn.messages import keys
from rpmsn.scanning.stepping import Dwell, Stepper, Steps
from rpmsn.streaming.intake import StreamTime

from . import tags

COMMAND = "command"
INPUT_MULTIPLE = 8192


class dwell_sink(gr.sync_block):
    """Samples of every step, complex64, in `dwells`; while one waits there, the next is collected, and no more.

    Ports:
        in: complex samples, with tags `rx_freq` after every retune, as of radio_source.
        command (out): dict {freq: Hz} for the source's port `command`.

    Args:
        steps: where the radio is tuned to.
        dwell_samples: wanted in each.
        settle_seconds: discarded after the radio reports the tune.

    Attributes:
        dwells: queue of `Dwell`; None after the last one.
        received: samples taken so far.
    """

    def __init__(self, steps: Steps, dwell_samples: int, settle_seconds: float) -> None:
        gr.sync_block.__init__(self, "dwell_sink", [np.complex64], None)
        self.dwells: queue.Queue[Dwell | None] = queue.Queue(maxsize=1)
        self.received = 0
        self._clock = StreamTime.of_host(0, steps.sample_rate)
        self._is_over = False
        self._stepper = Stepper(steps, self._send_tune, dwell_samples, settle_seconds)
        self.set_output_multiple(INPUT_MULTIPLE)
        self.message_port_register_out(pmt.intern(COMMAND))

    @property
    def step(self) -> int:
        """The present step."""
        return self._stepper.step

    @property
    def refused(self) -> int:
        """Steps that the radio did not go to, and that were left out."""
        return self._stepper.refused

    def start(self) -> bool:
        """Called by GNU Radio when the flowgraph starts."""
        self._stepper.start()
        return True

    def work(self, input_items: list[np.ndarray], output_items: list[np.ndarray]) -> int:
        """Pass samples on, following the tags at their places."""
        samples = input_items[0]
        self.received += len(samples)
        try:
            for first, run, found in tags.runs(self, samples):
                if len(run):
                    self._stepper.write(run, first, self._clock, self._take)
                if found:
                    tagged = tags.read(found, self.logger.error)
                    self._stepper.follow(first + len(run), tagged.center_frequency)
            if self._stepper.sweep > 0:
                self._end()
        except Exception as error:  # a block that raises here hangs the whole flowgraph silently
            self.logger.error(f"samples could not be taken: {error}")
        return len(samples)

    def _take(self, dwell):
        """Whether a dwell was put into the queue; those of a second sweep never are."""
        if dwell.sweep > 0:
            return False
        try:
            self.dwells.put_nowait(dwell)
        except queue.Full:
            return False
        return True

    def _end(self):
        if not self._is_over:
            try:
                self.dwells.put_nowait(None)
            except queue.Full:
                return
            self._is_over = True

    def _send_tune(self, frequency, moment):
        if not self._is_over:
            message = pmt.dict_add(pmt.make_dict(), pmt.intern(keys.FREQ), pmt.from_double(frequency))
            self.message_port_pub(pmt.intern(COMMAND), message)
