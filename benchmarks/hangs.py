# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs `rpmsn annotate` again and again with threads that change places as often as they can, to see that none hangs.

    PYTHONPATH=python .venv/bin/python benchmarks/hangs.py --runs 1000 --cores 1
    PYTHONPATH=python .venv/bin/python benchmarks/hangs.py --runs 1000 --cores 2 --runtime torch

All runs are in one process, of a recording of noise with a carrier that lasts two short frames. A run that takes longer
than --limit seconds prints where every thread stands, and ends the process.
"""

import argparse
import contextlib
import faulthandler
import io
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from rpmsn.cli.main import main as rpmsn
from rpmsn.models import DEFAULT_MODEL

RATE = 5e6
FRAME_S = 0.01
SWITCH_S = 1e-6


def main() -> int:
    """Run; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=100, help="how many (default: %(default)s)")
    parser.add_argument("--cores", type=int, default=1, help="of this machine to use (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=3, help="as of rpmsn annotate (default: %(default)s)")
    parser.add_argument("--model", default=DEFAULT_MODEL, help="as of rpmsn annotate (default: %(default)s)")
    parser.add_argument("--runtime", default="auto", help="as of rpmsn annotate (default: %(default)s)")
    parser.add_argument("--limit", type=float, default=120.0, help="seconds that a run may take (default: %(default)g)")
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.cores])
    sys.setswitchinterval(SWITCH_S)
    longest, began, results = 0.0, time.monotonic(), set()
    with tempfile.TemporaryDirectory() as folder:
        recording = Path(folder) / "x.cs16"
        values = np.random.default_rng(1).normal(0, 3000, (round(2 * FRAME_S * RATE), 2)).astype("<i2")
        values.tofile(recording)
        arguments = [
            "annotate", str(recording), "--sample-rate", str(RATE), "--quiet", "--json", "--overwrite", "--output",
            f"{folder}/out.sigmf-meta", "--frame-seconds", str(FRAME_S), "--workers", str(options.workers), "--runtime",
            options.runtime, "--model", options.model,
        ]  # fmt: skip
        for run in range(options.runs):
            faulthandler.dump_traceback_later(options.limit, exit=True)
            start, shown = time.monotonic(), io.StringIO()
            with contextlib.redirect_stdout(shown):
                status = rpmsn(arguments)
            longest = max(longest, time.monotonic() - start)
            results.add(shown.getvalue())
            if status or len(results) > 1:
                print(f"run {run}: status {status}, {len(results)} different results")
                return 1
    faulthandler.cancel_dump_traceback_later()
    took = time.monotonic() - began
    print(f"{options.runs} runs on {options.cores} core(s): all ended, with the same result")
    print(f"in {took:.0f} s, the longest {longest:.2f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
