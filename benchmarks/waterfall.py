#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many frames a second the waterfall can draw, what 25 a second cost, and how much an hour of them remembers.

    .venv/bin/python benchmarks/waterfall.py [--columns 256 1024] [--size 1280 800] [--updates 200] [--no-hour]

Needs a display, or xvfb-run. Frames of 65,536 pixels, as the sink sends them, with four carriers are taken in and drawn
one by one, as fast as it goes. `cores at 25/s` is the processor time of 25 such updates. `storm ms` is the slowest of
the updates while 200 frames a second come with 1000 segments each: how long the window does not answer. `hour MB` is
what the memory of the process has grown by after an hour of frames, 90,000 of them, whatever the time that they took to
draw; `zoomed out` is how long one redraw takes with the whole hour in view. Run it on a quiet machine.
"""

import argparse
import resource
import time
from pathlib import Path

import numpy as np
from PyQt5 import QtWidgets

from rpmsn import tables
from rpmsn.gui.waterfall.widget import WaterfallWidget

PIXELS, RATE, FRAME_SECONDS = 65536, 61.44e6, 0.04
SAMPLES = round(RATE * FRAME_SECONDS)
START_TIME = 1.76e9
UPDATES_PER_SECOND, FRAMES_PER_HOUR, STORM_FRAMES = 25, 90_000, 200
CARRIERS = ((0.05, 0.3, 1), (0.32, 0.5, 1), (0.55, 0.85, 2), (0.9, 0.93, 3))
"""Lower and upper edge, as fraction of the span, and class."""
HEADER = ("columns", "updates/s", "slowest ms", "cores at 25/s", "storm ms", "hour MB", "zoomed out ms")


def fields(number, rows, columns):
    """Of a frame."""
    start = number * SAMPLES
    seconds = START_TIME + number * FRAME_SECONDS
    return {
        "pdu_num": number,
        "rows": rows,
        "columns": columns,
        "classes": ["noise", "LTE", "NR", "other"],
        "center_frequency": 1.8425e9,
        "sample_rate": RATE,
        "start_offset": start,
        "end_offset": start + SAMPLES,
        "rx_time": (int(seconds), seconds % 1),
        "time_source": "radio",
        "duration": FRAME_SECONDS,
        "db_min": -5.0,
        "db_max": 55.0,
        "noise_floor_db": -90.0,
        "model": "benchmark",
    }


def segments(number):
    """Fields of the segments of a frame."""
    for carrier, (lower, upper, class_id) in enumerate(CARRIERS):
        edges = [1.8425e9 + RATE * (edge - 0.5) for edge in (lower, upper)]
        yield {
            "label": ("", "LTE", "NR", "other")[class_id],
            "confidence": 0.9,
            "bandwidth": edges[1] - edges[0],
            "freq_lower": edges[0],
            "freq_upper": edges[1],
            "start_offset": number * SAMPLES,
            "end_offset": (number + 1) * SAMPLES,
            "burst_id": carrier,
            "event": "update",
        }


def scene(rows, columns, rng):
    """Image and mask of a frame with the carriers."""
    image, mask = rng.gamma(16, 1.5, (rows, columns)).astype(np.uint8), np.zeros((rows, columns), np.uint8)
    for lower, upper, class_id in CARRIERS:
        band = slice(int(lower * columns), int(upper * columns))
        image[:, band] += 80
        mask[:, band] = class_id
    return image, mask


def resident_mb():
    """Resident memory of this process, MB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1e6


def feed(widget, number, image, mask):
    """One frame with its segments."""
    widget.add_frame(fields(number, *image.shape), image, mask)
    for segment in segments(number):
        widget.add_segment(segment)


def draw(application, widget):
    """Take in what waits and draw, now; returns seconds."""
    started = time.perf_counter()
    widget._tick()
    application.processEvents()
    return time.perf_counter() - started


def measure(application, columns, size, updates, with_hour):
    """A line of the table."""
    widget = WaterfallWidget("benchmark")
    widget._timer.stop()
    widget.resize(*size)
    widget.show()
    scenes = [scene(PIXELS // columns, columns, np.random.default_rng(seed)) for seed in range(4)]
    for number in range(80):  # a full picture
        feed(widget, number, *scenes[number % 4])
        draw(application, widget)
    started, times = time.process_time(), []
    for number in range(80, 80 + updates):
        feed(widget, number, *scenes[number % 4])
        times.append(draw(application, widget))
    cores = (time.process_time() - started) / updates * UPDATES_PER_SECOND
    line = [str(columns), f"{updates / sum(times):.0f}", f"{1e3 * max(times):.0f}", f"{cores:.2f}"]
    line.append(f"{1e3 * measure_storm(application, widget, scenes, 80 + updates):.0f}")
    line += measure_hour(application, widget, columns, 80 + updates + STORM_FRAMES) if with_hour else ["-", "-"]
    widget.close()
    widget.deleteLater()
    application.processEvents()
    return line


def measure_storm(application, widget, scenes, first):
    """The slowest update in seconds, with eight frames of 1000 segments before each."""
    slowest = 0.0
    for number in range(first, first + STORM_FRAMES):
        feed(widget, number, *scenes[number % 4])
        (segment, *_) = segments(number)
        for burst_id in range(10, 1010):
            lower = 1.815e9 + burst_id * 5e4
            widget.add_segment({**segment, "freq_lower": lower, "freq_upper": lower + 4e4, "burst_id": burst_id})
        if number % 8 == 7:
            slowest = max(slowest, draw(application, widget))
    return slowest


def measure_hour(application, widget, columns, first):
    """Growth of memory in MB, and time of a redraw in ms."""
    before = resident_mb()
    rows = min(
        widget.history.rows_per_frame, PIXELS // columns
    )  # as many as are kept of a frame: an hour is over sooner
    image, mask = scene(rows, columns, np.random.default_rng(9))
    for number in range(first, first + FRAMES_PER_HOUR):
        feed(widget, number, image, mask)
        if number % 32 == 0:
            draw(application, widget)
    grown = resident_mb() - before
    widget.waterfall_plot.setYRange(widget.history.oldest_y, widget.history.newest_y, padding=0)
    widget.select_carrier(None)
    draw(application, widget)
    feed(widget, first + FRAMES_PER_HOUR, image, mask)
    return [f"{grown:.0f}", f"{1e3 * draw(application, widget):.0f}"]


def main():
    parser = argparse.ArgumentParser(description="Benchmark the waterfall.")
    parser.add_argument("--columns", type=int, nargs="+", default=[256, 1024, 4096, 16384])
    parser.add_argument("--size", type=int, nargs=2, default=[1280, 800], metavar=("WIDTH", "HEIGHT"))
    parser.add_argument("--updates", type=int, default=200)
    parser.add_argument("--no-hour", action="store_true", help="leave out the hour, which takes minutes")
    options = parser.parse_args()
    application = QtWidgets.QApplication.instance() or QtWidgets.QApplication(["benchmark"])
    lines = [
        measure(application, columns, options.size, options.updates, not options.no_hour) for columns in options.columns
    ]
    print(tables.format_table(HEADER, lines))


if __name__ == "__main__":
    main()
