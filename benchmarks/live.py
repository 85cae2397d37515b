#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Coverage that the sink reaches in live mode, fed in real time from memory.

    .venv/bin/python benchmarks/live.py [--rates 5.76e6 20e6 61.44e6] [--seconds 10] [--threads 1]

Prints a table: share of the samples analysed, frames dropped, latency. Run it on a quiet machine.
"""
import argparse
import time

import numpy as np
from gnuradio import blocks, gr, rpmsn
from gnuradio.rpmsn import pdu

from rpmsn import report


def run(rate, seconds, threads):
    """Run the sink for a while; returns its status."""
    parts = np.random.default_rng(1).standard_normal((1 << 20, 2), np.float32) * np.float32(0.1)
    flowgraph = gr.top_block()
    source = blocks.vector_source_c(parts.view(np.complex64)[:, 0].tolist(), True)
    throttle = blocks.throttle(gr.sizeof_gr_complex, rate, True)
    sink = rpmsn.segmenter_sink(rate, mode="live", threads=threads)
    flowgraph.connect(source, throttle, sink)
    flowgraph.start()
    time.sleep(seconds)
    status = sink.status()
    flowgraph.stop()
    flowgraph.wait()
    return status


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rates", type=float, nargs="+", default=[5.76e6, 20e6, 61.44e6], metavar="HZ")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    rows = []
    for rate in options.rates:
        status = run(rate, options.seconds, options.threads)
        rows.append((f"{rate / 1e6:g}", f"{status[pdu.COVERAGE]:.2f}", str(status[pdu.FRAMES_DROPPED]),
                     f"{status[pdu.LATENCY] * 1e3:.0f}"))
    print(report.format_table(("Msps", "coverage", "frames dropped", "latency ms"), rows))


if __name__ == "__main__":
    main()
