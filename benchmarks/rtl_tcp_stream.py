#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A long rtl_tcp stream at speed: does time drift against samples, does memory grow, is every sample accounted for?

    .venv/bin/python benchmarks/rtl_tcp_stream.py --hours 6

A server in a process of its own sends noise and a carrier at 2.4 Msps, as fast as the client takes it. The real client
of gr-osmosdr, radio_source and the live sink take hours of it, faster than real time; every tenth of them gives a row.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

os.environ.setdefault("GR_CONF_LOG_LOG_FILE", "stderr")

from gnuradio import gr
from gnuradio import rpmsn as blocks

from rpmsn.tables import format_table

SERVER = Path(__file__).resolve().parent.parent / "tests" / "rtl_tcp_server.py"
RATE, CENTER = 2.4e6, 900e6
TAIL_BYTES = 1 << 16
HEADER = ("hours of signal", "times real time", "time against samples, us", "memory, MB", "accounted for")


def memory_mb():
    """Memory of this process, resident."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def seconds_and_samples(line):
    """(nanoseconds since 1970, sample) of the beginning of a segment, as a log line has it."""
    whole, _, fraction = line["rx_time"].rstrip("Z").partition(".")
    moment = datetime.fromisoformat(whole + "+00:00")
    return int(moment.timestamp()) * 10**9 + int(fraction), line["start_offset"]


def clock_error_us(log):
    """How far the time of the last segment of a log has moved against the samples since the first one."""
    with open(log, "rb") as lines:
        first = next(line for line in map(json.loads, lines) if line.get("event") == "update")
        lines.seek(max(0, os.path.getsize(log) - TAIL_BYTES))
        last = [line for line in map(json.loads, lines.read().splitlines()[1:-1]) if line.get("event") == "update"][-1]
    (started, first_sample), (now, last_sample) = seconds_and_samples(first), seconds_and_samples(last)
    return (now - started - round((last_sample - first_sample) * 1e9 / RATE)) / 1e3


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hours", type=float, default=6.0, help="of signal (default: %(default)s)")
    parser.add_argument("--duty-cycle", type=float, default=0.05, help="fraction of the frames to analyse")
    options = parser.parse_args()
    server = subprocess.Popen(
        [sys.executable, str(SERVER), "--fast", "--band", "899.6e6", "900.1e6", "20"], stdout=subprocess.PIPE, text=True
    )
    try:
        with tempfile.TemporaryDirectory() as folder:
            run(json.loads(server.stdout.readline())["port"], options, Path(folder) / "found.jsonl")
    finally:
        server.kill()


def run(port, options, log):
    """Receive the stream, and print a row for every tenth of it."""
    wanted = options.hours * 3600 * RATE
    source = blocks.radio_source(f"rtl_tcp=127.0.0.1:{port}", RATE, CENTER, gain=30)
    sink = blocks.segmenter_sink(RATE, CENTER, frames_per_second=0, duty_cycle=options.duty_cycle, logs=[str(log)])
    flowgraph = gr.top_block()
    flowgraph.connect(source, sink)
    started, rows = time.monotonic(), []
    flowgraph.start()
    for tenth in range(1, 11):
        while sink.status()["samples_received"] < wanted * tenth / 10:
            time.sleep(0.1)
        status = sink.status()
        received = status["samples_received"]
        known = sum(status[f"samples_{fate}"] for fate in ("analysed", "dropped", "skipped"))
        rows.append(
            (
                f"{received / RATE / 3600:.3f}",
                f"{received / RATE / (time.monotonic() - started):.1f}",
                f"{clock_error_us(log):+.3f}",
                f"{memory_mb():.0f}",
                f"{known / received:.6f}",
            )
        )
        table = format_table(HEADER, rows).splitlines()
        print("\n".join(table if tenth == 1 else table[-1:]), flush=True)
    flowgraph.stop()
    flowgraph.wait()


if __name__ == "__main__":
    main()
