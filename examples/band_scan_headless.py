#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scan a range that is wider than the radio's span, without a screen: a table of carriers after every sweep.

.venv/bin/python examples/band_scan_headless.py --device driver=rtlsdr --from 700M --to 1G --gain 30
"""

import argparse
import contextlib
import os
import sys
import time

os.environ.setdefault("GR_CONF_LOG_LOG_FILE", "stderr")  # GNU Radio's log; stdout is for results

from gnuradio import gr
from gnuradio import rpmsn as blocks

from rpmsn import interrupts
from rpmsn.cli import options as given
from rpmsn.errors import RpmsnError
from rpmsn.tables import format_table

COLUMNS = ("number", "label", "lower MHz", "upper MHz", "width MHz", "seen", "SNR dB", "confidence")
SILENT_SECONDS = 5.0


class BandScan(gr.top_block):
    """radio_source -> band_scanner, which tunes the source."""

    def __init__(self, options):
        gr.top_block.__init__(self, "RPMSN band scan")
        self.source = blocks.radio_source(
            options.device,
            options.rate,
            options.lower,
            options.gain,
            options.antenna,
            options.bandwidth,
            options.stream_args,
        )
        self.scanner = blocks.band_scanner(
            options.lower,
            options.upper,
            self.source.sample_rate(),
            options.settle,
            options.dwell,
            timed=options.device.startswith("uhd"),
            logs=options.log,
        )
        self.connect(self.source, self.scanner)
        self.msg_connect((self.scanner, "command"), (self.source, "command"))


def row(carrier):
    """A carrier as a row of the table."""
    return (
        str(carrier.carrier_id),
        carrier.label,
        ("< " if carrier.cut_lower else "") + f"{carrier.freq_lower / 1e6:.3f}",
        ("> " if carrier.cut_upper else "") + f"{carrier.freq_upper / 1e6:.3f}",
        f"{carrier.bandwidth / 1e6:.2f}",
        str(carrier.segments),
        f"{carrier.snr_db:.1f}",
        f"{carrier.confidence:.2f}",
    )


def watch(scanner, sweeps):
    """A table after every sweep, a line about where the scan is once a second; returns whether the radio stopped."""
    done, received, heard_at = 0, 0, time.monotonic()
    while done < sweeps:
        time.sleep(1)
        status = scanner.status()
        if status["samples_received"] > received:
            received, heard_at = status["samples_received"], time.monotonic()
        elif time.monotonic() - heard_at > SILENT_SECONDS:
            return True
        picture = scanner.picture()
        if picture is not None and status["sweep"] > done:
            done = status["sweep"]
            print(format_table(COLUMNS, [row(carrier) for carrier in scanner.carriers()]))
            print(f"sweep {done}: revisit time {status['revisit_time']:.1f} s", flush=True)
        print(
            f"sweep {status['sweep'] + 1}, step {status['step'] + 1} of {status['steps']}, "
            f"{status['center_frequency'] / 1e6:.3f} MHz, {status['state']}, {status['health']}",
            file=sys.stderr,
        )
    return False


def build_parser():
    """The options."""
    parser = argparse.ArgumentParser(description="Scan a range that is wider than the radio's span.")
    given.add_radio(parser, needs_frequency=False)
    parser.add_argument(
        "--from", dest="lower", type=given.hertz, required=True, metavar="HZ", help="lower end of the range"
    )
    parser.add_argument("--to", dest="upper", type=given.hertz, required=True, metavar="HZ", help="upper end")
    parser.add_argument(
        "--settle", type=given.seconds, default=0.1, metavar="SECONDS", help="discarded after each tune"
    )
    parser.add_argument("--dwell", type=given.count, default=1, metavar="N", help="frames of 40 ms in each step")
    parser.add_argument(
        "--sweeps", type=given.count, default=10**9, metavar="N", help="end after so many (default: at Ctrl-C)"
    )
    parser.add_argument(
        "--log", default="", metavar="PATHS", help="write carriers to .jsonl, .csv or .sigmf-meta files"
    )
    return parser


def main():
    options = build_parser().parse_args()
    try:
        flowgraph = BandScan(options)
    except RpmsnError as error:
        sys.exit(f"band_scan_headless: {error}")
    flowgraph.start()
    has_stopped = False
    with contextlib.suppress(KeyboardInterrupt), interrupts.raised():
        has_stopped = watch(flowgraph.scanner, options.sweeps)
    flowgraph.scanner.stop()  # closes the log files, should the driver's thread never end
    flowgraph.stop()
    if has_stopped:
        print(
            f"band_scan_headless: {options.device} has sent nothing for {SILENT_SECONDS:g} s; is it still plugged "
            "in? `rpmsn devices` lists what it finds",
            file=sys.stderr,
            flush=True,
        )
        os._exit(1)
    flowgraph.wait()


if __name__ == "__main__":
    main()
