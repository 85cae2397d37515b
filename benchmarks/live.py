#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Coverage, latency and memory of the sink in a real flowgraph, fed at a radio's pace from memory.

    .venv/bin/python benchmarks/live.py [--rate 61.44e6] [--type ci16] [--seconds 60] [--window]

    source (a file in memory, over and over) -> throttle -> segmenter_sink [-> waterfall_overlay, with --window]

A line every ten seconds reports the state; the last one, after the flowgraph has ended, sums up. `source` are those of
the `cores` that source and throttle take, which stand for a radio. Run it on a quiet machine; with --window under a
display, or under xvfb-run.
"""

import argparse
import resource
import sys
import time
from pathlib import Path

from gnuradio import rpmsn
from gnuradio.rpmsn.bench_flowgraph import BenchFlowgraph

from rpmsn import runtimes
from rpmsn.cli import report, timing
from rpmsn.messages import keys
from rpmsn.models import DEFAULT_MODEL
from rpmsn.signal.channelizer import SAMPLE_TYPES

HEADER = ("s", "Msps in", "received", "coverage", "dropped", "latency ms", "99 %", "cores", "source", "RSS MB")
EVERY_SECONDS = 10
STAND_INS = ("file_source", "throttle")
"""Names of the threads that stand for a radio."""


def rss_mb():
    """Resident memory of this process, MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def stand_in_seconds():
    """Processor time of what stands for a radio."""
    tasks = Path("/proc/self/task").iterdir()
    ours = [task / "schedstat" for task in tasks if (task / "comm").read_text().startswith(STAND_INS)]
    return sum(int(path.read_text().split()[0]) for path in ours) / 1e9


def line(sink, seconds, cpu):
    """State, in the order of `HEADER`."""
    status, latencies = sink.status(), sorted(sink.latencies()) or [0.0]
    return (
        f"{seconds:.0f}",
        f"{status[keys.SAMPLES_RECEIVED] / seconds / 1e6:.2f}",
        str(status[keys.SAMPLES_RECEIVED]),
        f"{status[keys.COVERAGE]:.4f}",
        str(status[keys.FRAMES_DROPPED]),
        f"{1e3 * latencies[len(latencies) // 2]:.0f}",
        f"{1e3 * latencies[int(0.99 * (len(latencies) - 1))]:.0f}",
        f"{cpu / seconds:.2f}",
        f"{stand_in_seconds() / seconds:.2f}",
        f"{rss_mb():.0f}",
    )


def watch(flowgraph, seconds, application):
    """Let it run for so long; returns the last line while it ran."""
    started, cpu, printed_s, last = time.monotonic(), time.process_time(), 0, None
    while (passed := time.monotonic() - started) < seconds:
        if application is not None:
            application.processEvents()
        time.sleep(0.01)
        if passed >= printed_s + EVERY_SECONDS:
            printed_s += EVERY_SECONDS
            last = line(flowgraph.sink, passed, time.process_time() - cpu)
            print("  ".join(f"{name} {value}" for name, value in zip(HEADER, last)), file=sys.stderr, flush=True)
    return line(flowgraph.sink, time.monotonic() - started, time.process_time() - cpu)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=61.44e6, metavar="HZ")
    parser.add_argument("--type", choices=sorted(SAMPLE_TYPES), default="ci16")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--window", action="store_true", help="with the waterfall open")
    options = parser.parse_args()
    application = None
    if options.window:
        from PyQt5.QtWidgets import QApplication

        application = QApplication(sys.argv[:1])
    samples = timing.frame_of(timing.scene(SAMPLE_TYPES[options.type]), options.rate)
    flowgraph = BenchFlowgraph(samples, options.rate, DEFAULT_MODEL, runtimes.AUTO, 2, frames_per_second=25)
    if options.window:
        overlay = rpmsn.waterfall_overlay()
        for port in (keys.FRAMES, keys.SEGMENTS, keys.STATUS):
            flowgraph.msg_connect((flowgraph.sink, port), (overlay, port))
        window = overlay.widget()
        window.resize(1280, 800)
        window.show()
    flowgraph.start()
    row = watch(flowgraph, options.seconds, application)
    started = time.monotonic()
    flowgraph.stop()
    flowgraph.wait()
    stopped = time.monotonic() - started
    print(report.format_table(HEADER, [row]))
    status = flowgraph.sink.status()
    parts = [status[key] for key in (keys.SAMPLES_ANALYSED, keys.SAMPLES_DROPPED, keys.SAMPLES_SKIPPED)]
    print(
        f"stopped in {stopped:.2f} s; received {status[keys.SAMPLES_RECEIVED]} = analysed {parts[0]} + dropped "
        f"{parts[1]} + skipped {parts[2]}: {'exactly' if sum(parts) == status[keys.SAMPLES_RECEIVED] else 'NOT SO'}"
    )


if __name__ == "__main__":
    main()
