#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the samples of a radio can be recorded at a rate: what is left out, and what it costs.

    .venv/bin/python benchmarks/record.py [--rates 20e6 61.44e6] [--seconds 20] [--types complex64 int16] [--folder DIR]
        [--analysis]

Samples come from memory, in pieces of 10 ms, as fast as a clock says. `held s` is how much is in memory, `Msps` what
came in, `left out` the part of the recording that is missing, `most behind s` by how much the disk was late at the
most, `cores` the processor time, `take ms` the slowest hand-over of a piece. With --analysis the same stream is
analysed meanwhile, live and with the search for cells; `analysed` is the part of the samples for which there was time.
The last line is what the disk itself takes. The files are deleted at the end. Run it on a quiet machine, in a folder on
the disk that is asked about.
"""

import argparse
import os
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np

from rpmsn import tables
from rpmsn.messages import keys
from rpmsn.models import DEFAULT_MODEL
from rpmsn.models.model import load_model
from rpmsn.recording.stream_recorder import StreamRecorder
from rpmsn.streaming.intake import StreamTime
from rpmsn.streaming.live import Settings, StreamAnalyser

PIECE_SECONDS = 0.01
CENTER = 1.8425e9
HEADER = ("samples", "Msps asked", "Msps", "held s", "left out", "most behind s", "cores", "take ms", "analysed")
BLOCK = 1 << 22


def pieces(kind, count, rng):
    """A few pieces of noise: list of complex64, or int16 of shape (count, 2)."""
    parts = [rng.normal(0, 0.1, (count, 2)).astype(np.float32) for _ in range(4)]
    if kind == "complex64":
        return [part.view(np.complex64)[:, 0] for part in parts]
    return [np.rint(32767 * part).astype(np.int16) for part in parts]


class RecorderAlone:
    """Takes what `StreamAnalyser` takes, and records it."""

    def __init__(self, rate):
        self.recorder = StreamRecorder()
        self._tuning = rate, CENTER, StreamTime(0, 1_800_000_000, 0.0, rate, "radio")

    def stop(self):
        """Nothing is analysed."""

    def write(self, samples, offset):
        """Samples of the stream."""
        self.recorder.take(samples, offset, *self._tuning)


def analyser(kind, rate):
    """A running analysis whose stream is recorded."""
    model = load_model(DEFAULT_MODEL)
    stream = StreamAnalyser(model, rate, CENTER, Settings(dtype=kind))
    stream.recorder = StreamRecorder(carriers=stream.carriers)
    stream.warm_up()
    stream.start()
    return stream


def measure(kind, rate, seconds, folder, rng, is_analysed):
    """A line of the table."""
    count = round(PIECE_SECONDS * rate)
    parts = pieces(kind, count, rng)
    stream = analyser(kind, rate) if is_analysed else RecorderAlone(rate)
    recorder = stream.recorder
    offset, slowest, behind = 0, 0.0, 0.0
    stream.write(parts[0], offset)
    recorder.record(folder)
    begun, cpu = time.perf_counter(), time.process_time()
    while offset < seconds * rate:
        offset += count
        due = begun + offset / rate - time.perf_counter()
        if due > 0:
            time.sleep(due)
        started = time.perf_counter()
        stream.write(parts[offset // count % 4], offset)
        slowest = max(slowest, time.perf_counter() - started)
        state = recorder.state
        behind = max(behind, offset / rate - state.seconds - state.lost_samples / rate)
    took, cores = time.perf_counter() - begun, time.process_time() - cpu
    recorder.end()
    while recorder.state.recording:
        time.sleep(0.01)
    state = recorder.state
    analysed = f"{stream.status()[keys.COVERAGE]:.0%}" if is_analysed else "-"
    stream.stop()
    recorder.close(10.0)
    lost = state.lost_samples / (offset + count)
    figures = (
        f"{offset / took / 1e6:.2f}",
        f"{state.most_seconds:.1f}",
        f"{lost:.2%}",
        f"{behind:.1f}",
        f"{cores / took:.2f}",
    )
    return [kind, f"{rate / 1e6:g}", *figures, f"{1e3 * slowest:.0f}", analysed]


def disk_speed(folder, seconds):
    """Bytes a second that the disk takes, for so long."""
    block = np.random.default_rng(0).bytes(BLOCK)
    with open(Path(folder, "disk"), "wb", buffering=0) as file:
        begun, written = time.perf_counter(), 0
        while time.perf_counter() - begun < seconds:
            written += file.write(block)
        os.fsync(file.fileno())
        return written / (time.perf_counter() - begun)


def main():
    parser = argparse.ArgumentParser(description="Benchmark recording a stream.")
    parser.add_argument("--rates", type=float, nargs="+", default=[20e6, 61.44e6], help="Hz")
    parser.add_argument("--types", nargs="+", default=["complex64", "int16"], choices=["complex64", "int16"])
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--analysis", action="store_true", help="analyse the stream meanwhile")
    parser.add_argument("--folder", default=None, help="on the disk that is asked about (default: the temporary one)")
    options = parser.parse_args()
    rng, lines = np.random.default_rng(1), []
    for rate in options.rates:
        for kind in options.types:
            folder = tempfile.mkdtemp(dir=options.folder)
            try:
                lines.append(measure(kind, rate, options.seconds, folder, rng, options.analysis))
            finally:
                shutil.rmtree(folder)
    print(tables.format_table(HEADER, lines))
    folder = tempfile.mkdtemp(dir=options.folder)
    try:
        speed = disk_speed(folder, options.seconds / 2)
    finally:
        shutil.rmtree(folder)
    print(f"disk: {speed / 1e6:.0f} MB/s, enough for {speed / 4e6:.0f} Msps")


if __name__ == "__main__":
    main()
