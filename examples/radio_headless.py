#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Watch a radio without a screen: one line of JSON for every carrier that is new or gone.

    .venv/bin/python examples/radio_headless.py --device driver=rtlsdr --frequency 806M --gain 30

`rpmsn monitor` is the same as a command, with log files, a publisher and a status line.
"""

import argparse
import contextlib
import json
import math
import os
import sys
import time

os.environ.setdefault("GR_CONF_LOG_LOG_FILE", "stderr")  # GNU Radio's log; stdout is for results

import pmt
from gnuradio import gr
from gnuradio import rpmsn as blocks
from gnuradio.rpmsn import pdu

from rpmsn import interrupts
from rpmsn.cli import options as given
from rpmsn.errors import RpmsnError
from rpmsn.messages import keys


class CarrierPrinter(gr.basic_block):
    """Prints carriers that are new or gone as JSON."""

    def __init__(self):
        gr.basic_block.__init__(self, "carrier_printer", None, None)
        self.message_port_register_in(pmt.intern(keys.SEGMENTS))
        self.set_msg_handler(pmt.intern(keys.SEGMENTS), self.handle)

    def handle(self, message):
        fields, _ = pdu.parse_pdu(message)
        if fields[keys.EVENT] != "update":
            print(json.dumps(fields), flush=True)


class RadioWatch(gr.top_block):
    """radio_source -> segmenter_sink -> printer."""

    def __init__(self, options):
        gr.top_block.__init__(self, "RPMSN radio")
        self.source = blocks.radio_source(
            options.device,
            options.rate,
            options.frequency,
            options.gain,
            options.antenna,
            options.bandwidth,
            options.stream_args,
        )
        self.sink = blocks.segmenter_sink(
            self.source.sample_rate(), options.frequency, mode="live", frames_per_second=0
        )
        self.printer = CarrierPrinter()
        self.connect(self.source, self.sink)
        self.msg_connect((self.sink, keys.SEGMENTS), (self.printer, keys.SEGMENTS))


def build_parser():
    """The options."""
    parser = argparse.ArgumentParser(description="Watch a radio without a screen.")
    given.add_radio(parser)
    parser.add_argument("--duration", type=given.duration, metavar="SECONDS", help="end after so long")
    return parser


def main():
    options = build_parser().parse_args()
    try:
        flowgraph = RadioWatch(options)
    except RpmsnError as error:
        sys.exit(f"radio_headless: {error}")
    end = time.monotonic() + (options.duration or math.inf)
    flowgraph.start()
    with contextlib.suppress(KeyboardInterrupt), interrupts.raised():
        while time.monotonic() < end:
            time.sleep(0.1)
    flowgraph.stop()
    flowgraph.wait()
    status = flowgraph.sink.status()
    print(
        f"{status[keys.SAMPLES_ANALYSED]} of {status[keys.SAMPLES_RECEIVED]} samples analysed, "
        f"{status[keys.SAMPLES_LOST]} lost by the radio, input {status[keys.HEALTH]}",
        file=sys.stderr,
    )


if __name__ == "__main__":
    main()
