#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replay a recording through the blocks, without a screen: one line of JSON for every segment, a table at the end.

.venv/bin/python examples/file_replay_headless.py RECORDING.sigmf-meta
"""

import argparse
import json
import os
import sys

os.environ.setdefault("GR_CONF_LOG_LOG_FILE", "stderr")  # GNU Radio's log; stdout is for results

import pmt
from gnuradio import gr
from gnuradio import rpmsn as blocks
from gnuradio.rpmsn import pdu

from rpmsn import interrupts
from rpmsn.errors import RpmsnError
from rpmsn.messages import keys
from rpmsn.models import DEFAULT_MODEL


class SegmentPrinter(gr.basic_block):
    """Prints every segment as JSON."""

    def __init__(self):
        gr.basic_block.__init__(self, "segment_printer", None, None)
        self.message_port_register_in(pmt.intern(keys.SEGMENTS))
        self.set_msg_handler(pmt.intern(keys.SEGMENTS), self.handle)

    def handle(self, message):
        fields, _ = pdu.parse_pdu(message)
        print(json.dumps(fields), flush=True)


class FileReplay(gr.top_block):
    """sigmf_source -> segmenter_sink -> printer."""

    def __init__(self, path, model):
        gr.top_block.__init__(self, "RPMSN file replay")
        self.source = blocks.sigmf_source(path)
        self.sink = blocks.segmenter_sink(
            self.source.sample_rate(), self.source.center_frequency(), model, mode="replay", frames_per_second=0
        )
        self.printer = SegmentPrinter()
        self.connect(self.source, self.sink)
        self.msg_connect((self.sink, keys.SEGMENTS), (self.printer, keys.SEGMENTS))


def build_parser():
    """The options."""
    parser = argparse.ArgumentParser(description="Replay a recording through the RPMSN blocks, without a screen.")
    parser.add_argument("recording", help="SigMF recording")
    parser.add_argument("--model", default=DEFAULT_MODEL, help="model to use (default: %(default)s)")
    return parser


def main():
    options = build_parser().parse_args()
    try:
        flowgraph = FileReplay(options.recording, options.model)
    except RpmsnError as error:
        sys.exit(f"file_replay_headless: {error}")
    with interrupts.raised() as numbers:
        flowgraph.run()  # ends well at a KeyboardInterrupt
    status = flowgraph.sink.status()
    for carrier in flowgraph.sink.carriers():
        print(
            f"{carrier.label:6}{carrier.freq_lower / 1e6:12.3f} to {carrier.freq_upper / 1e6:.3f} MHz, "
            f"{carrier.snr_db:.1f} dB, confidence {carrier.confidence:.2f}",
            file=sys.stderr,
        )
    print(
        f"{status[keys.SAMPLES_ANALYSED]} of {status[keys.SAMPLES_RECEIVED]} samples analysed, "
        f"{status[keys.REAL_TIME_FACTOR]:.2f} times real time",
        file=sys.stderr,
    )
    return 128 + numbers[0] if numbers else 0


if __name__ == "__main__":
    sys.exit(main())
