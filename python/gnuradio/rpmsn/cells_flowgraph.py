# SPDX-License-Identifier: GPL-3.0-or-later
"""The flowgraph of `rpmsn cells --device`: radio_source -> dwell_sink, which tunes the source."""

import argparse

from gnuradio import gr

from rpmsn.radios.stopping import opening
from rpmsn.scanning.stepping import Steps

from .dwell_sink import dwell_sink
from .radio_source import radio_source


class CellsFlowgraph(gr.top_block):
    """Samples of a radio, step by step.

    Args:
        options: `device`, `rate`, `gain`, `antenna`, `bandwidth`, `stream_args` as of `rpmsn cells`.
        steps: where the radio is tuned to.
        dwell_samples, settle_seconds: as of dwell_sink.

    Attributes:
        sink: dwell_sink.

    Raises:
        RpmsnError: a radio that cannot be used; what was opened is closed again.
    """

    def __init__(self, options: argparse.Namespace, steps: Steps, dwell_samples: int, settle_seconds: float) -> None:
        gr.top_block.__init__(self, "rpmsn cells")
        with opening():
            self.source = radio_source(
                options.device,
                options.rate,
                steps.center(0),
                options.gain,
                options.antenna,
                options.bandwidth,
                options.stream_args,
            )
        self.sink = dwell_sink(steps, dwell_samples, settle_seconds)
        self.connect(self.source, self.sink)
        self.msg_connect((self.sink, "command"), (self.source, "command"))
