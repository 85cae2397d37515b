# SPDX-License-Identifier: GPL-3.0-or-later
"""The flowgraph of `rpmsn monitor`: radio_source -> segmenter_sink, and a publisher where one is wanted."""

import argparse

from gnuradio import gr

from rpmsn.messages import keys
from rpmsn.models.choice import model_for_rate
from rpmsn.radios.stopping import opening
from rpmsn.streaming import CELL_BUDGET
from rpmsn.tracking.carrier import Carrier

from .radio_source import radio_source
from .segment_publisher import segment_publisher
from .segmenter_sink import segmenter_sink


class MonitorFlowgraph(gr.top_block):
    """Watches a radio.

    Args:
        options: of `rpmsn monitor`.

    Raises:
        RpmsnError: a radio, model or file that cannot be used; what was opened is closed again.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        gr.top_block.__init__(self, "rpmsn monitor")
        self.device = options.device
        with opening():
            self.source = radio_source(
                options.device,
                options.rate,
                options.frequency,
                options.gain,
                options.antenna,
                options.bandwidth,
                options.stream_args,
            )
        self.sink = segmenter_sink(
            self.source.sample_rate(),
            options.frequency,
            options.model or model_for_rate(options.rate),
            mode="live",
            frames_per_second=0,
            runtime=options.runtime,
            workers=options.workers,
            duty_cycle=options.duty_cycle,
            cell_budget=CELL_BUDGET if options.cells else 0.0,
            logs=options.log,
            log_rotate_seconds=options.log_rotate,
        )
        self.connect(self.source, self.sink)
        if options.publish:
            self.publisher = segment_publisher(options.publish)
            for port in (keys.SEGMENTS, keys.STATUS):
                self.msg_connect((self.sink, port), (self.publisher, port))

    def finish(self) -> None:
        """Analyse what was received and close the files, even where the driver hangs; messages still arrive."""
        self.sink.stop()

    def status(self) -> dict:
        """As of segmenter_sink, with the overflows that the driver itself has reported."""
        return {**self.sink.status(), "driver_overflows": self.source.overflows}

    def carriers(self) -> list[Carrier]:
        """As of segmenter_sink."""
        return self.sink.carriers()

    def warnings(self) -> list[str]:
        """What a user should know before believing the result: sentences."""
        if self.source.has_time:
            return []
        return [
            f"{self.device} has no clock: times are this computer's (time_source host), accurate to some tens of "
            "milliseconds, and off by what the column 'clock ms' shows"
        ]
