# SPDX-License-Identifier: GPL-3.0-or-later
"""Block behind a driver that does not tag retunes: takes commands, and tags the frequency where it changes."""

import time
from collections import deque
from collections.abc import Callable

import numpy as np
import pmt
from gnuradio import gr

from rpmsn.messages import keys

from . import pdu, tags

COMMAND = "command"
GAIN = "gain"
WATCHED_SECONDS = 3.0
"""Within so long, the backlog was read to its end once; longer ago, samples may have been lost since."""
OUTPUT_MULTIPLE = 16384
LONGEST_BACKLOG_S = 2.0
"""Drivers and networks hold no more than this; what looks like more was lost."""


class radio_retune(gr.sync_block):
    """Samples as they come, with the tags `rx_freq` and `rx_rate` at the start and after every retune.

    What a driver delivers after a retune may have been received before it: it was in a buffer, or on the network.
    The clock shows how much that is: how much later samples come than the earliest ones did, by their number. The tag
    is put behind this backlog.

    Ports:
        in, out: complex samples.
        command (in): a dict; `freq` (double, Hz) and `gain` (double, dB).

    Args:
        tune: called with Hz; returns the frequency that was set.
        set_gain: called with dB.
        sample_rate: Hz.
        center_frequency: Hz, at the start.
        keeps_time: whether tags `rx_time` of the driver are let through.
        clock: seconds, as `time.monotonic`.

    Example:
        retune = radio_retune(lambda hz: source.set_center_freq(hz), source.set_gain, 2.4e6, 806e6, keeps_time=False)
    """

    def __init__(
        self,
        tune: Callable[[float], float],
        set_gain: Callable[[float], None],
        sample_rate: float,
        center_frequency: float,
        keeps_time: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        gr.sync_block.__init__(self, "radio_retune", [np.complex64], [np.complex64])
        self.center_frequency = center_frequency
        self._tune, self._set_gain = tune, set_gain
        self._sample_rate = sample_rate
        self._passes = (tags.RX_TIME,) if keeps_time else ()
        self._clock = clock
        self._forget()
        # Large calls keep Python's cost per sample small: several times as fast, for 16 ms at 1 Msps.
        self.set_output_multiple(OUTPUT_MULTIPLE)
        self.set_min_output_buffer(8 * OUTPUT_MULTIPLE)
        self.set_tag_propagation_policy(gr.TPP_DONT)
        self.message_port_register_in(pmt.intern(COMMAND))
        self.set_msg_handler(pmt.intern(COMMAND), self._handle_command)

    def start(self) -> bool:
        """Called by GNU Radio when the flowgraph starts."""
        self._forget()
        return True

    def work(self, input_items: list[np.ndarray], output_items: list[np.ndarray]) -> int:
        """Copy; a command is never handled while this runs."""
        count = len(input_items[0])
        output_items[0][:] = input_items[0]
        start = self.nitems_written(0)
        self._watch_clock(start + count)
        if self._due is not None and self._due < start + count:
            offset, self._due = max(self._due, start), None
            self._tag(offset, tags.RX_RATE, pmt.from_double(self._sample_rate))
            self._tag(offset, tags.RX_FREQ, pmt.from_double(self.center_frequency))
        for tag in self.get_tags_in_window(0, 0, count):
            if pmt.symbol_to_string(tag.key) in self._passes:
                self.add_item_tag(0, tag.offset, tag.key, tag.value)
        return count

    def _forget(self):
        """A stream begins: its first sample gets the tags."""
        self._due = 0
        self._begins = deque()

    def _watch_clock(self, samples):
        """Note the latest time at which sample 0 was received, by what has come until now; sorted, for the minimum."""
        now = self._clock()
        earliest = now - samples / self._sample_rate
        while self._begins and self._begins[-1][1] >= earliest:
            self._begins.pop()
        self._begins.append((now, earliest))
        while self._begins[0][0] < now - WATCHED_SECONDS:
            self._begins.popleft()

    def _next_received(self):
        """Number of the sample that the radio receives now."""
        if not self._begins:
            return 0
        written = self.nitems_written(0)
        waiting = (self._clock() - self._begins[0][1]) * self._sample_rate - written
        return written + round(min(max(waiting, 0), LONGEST_BACKLOG_S * self._sample_rate))

    def _tag(self, offset, key, value):
        self.add_item_tag(0, offset, pmt.intern(key), value)

    def _handle_command(self, message):
        try:
            for key, value in pdu.parse_command(message).items():
                if key == keys.FREQ:
                    self.center_frequency = self._tune(float(value))
                    self._due = self._next_received()
                elif key == GAIN:
                    self._set_gain(float(value))
                else:
                    raise ValueError(f"unknown key {key!r}")
        except Exception as error:  # a driver may raise anything, and the stream has to go on
            self.logger.warn(
                f"command {message} failed ({error}); send a dict with 'freq' (Hz) or 'gain' (dB) in the radio's range"
            )
