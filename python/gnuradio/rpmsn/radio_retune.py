# SPDX-License-Identifier: GPL-3.0-or-later
"""Block behind a driver that does not tag retunes: takes commands, and tags the frequency from where they were done."""
import numpy as np
import pmt
from gnuradio import gr

from . import pdu, tags

COMMAND = "command"
GAIN = "gain"


class radio_retune(gr.sync_block):
    """Samples as they come, with the tags `rx_freq` and `rx_rate` at the start and after every retune.

    Ports:
        in, out: complex samples.
        command (in): a dict; `freq` (double, Hz) and `gain` (double, dB).

    Args:
        tune: called with Hz; returns the frequency that was set.
        set_gain: called with dB.
        sample_rate: Hz.
        center_frequency: Hz, at the start.
        keeps_time: whether tags `rx_time` of the driver are let through.

    Example:
        retune = radio_retune(lambda hz: source.set_center_freq(hz), source.set_gain, 2.4e6, 806e6, keeps_time=False)
    """

    def __init__(self, tune, set_gain, sample_rate, center_frequency, keeps_time):
        gr.sync_block.__init__(self, "radio_retune", [np.complex64], [np.complex64])
        self.center_frequency = center_frequency
        self._tune, self._set_gain = tune, set_gain
        self._sample_rate = sample_rate
        self._passes = (tags.RX_TIME,) if keeps_time else ()
        self._has_news = True
        self.set_tag_propagation_policy(gr.TPP_DONT)
        self.message_port_register_in(pmt.intern(COMMAND))
        self.set_msg_handler(pmt.intern(COMMAND), self._handle_command)

    def start(self):
        """Called by GNU Radio when the flowgraph starts."""
        self._has_news = True
        return True

    def work(self, input_items, output_items):
        """Copy; a command is never handled while this runs, so what is read now was received after it."""
        output_items[0][:] = input_items[0]
        if self._has_news:
            self._has_news = False
            self._tag(tags.RX_RATE, pmt.from_double(self._sample_rate))
            self._tag(tags.RX_FREQ, pmt.from_double(self.center_frequency))
        for tag in self.get_tags_in_window(0, 0, len(input_items[0])):
            if pmt.symbol_to_string(tag.key) in self._passes:
                self.add_item_tag(0, tag.offset, tag.key, tag.value)
        return len(input_items[0])

    def _tag(self, key, value):
        self.add_item_tag(0, self.nitems_written(0), pmt.intern(key), value)

    def _handle_command(self, message):
        try:
            command = pmt.to_python(message)
            if not isinstance(command, dict):
                raise ValueError("not a dict")
            for key, value in command.items():
                if key == pdu.FREQ:
                    self.center_frequency = self._tune(float(value))
                    self._has_news = True
                elif key == GAIN:
                    self._set_gain(float(value))
                else:
                    raise ValueError(f"unknown key {key!r}")
        except Exception as error:  # a driver may raise anything, and the stream has to go on
            self.logger.warn(f"command {message} was not done ({error}); send a dict with 'freq' (Hz) or 'gain' (dB) in "
                             "the radio's range")
