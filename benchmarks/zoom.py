#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""How soon a zoom or a jump in a large recording is drawn finer, and how much memory that takes.

    .venv/bin/python benchmarks/zoom.py [RECORDING] [--gigabytes 10] [--places 5] [--size 1280 800] [--folder DIR]

Needs a display, or xvfb-run. Without RECORDING a sparse one is made (61.44 Msps, ci16_le, a little signal at each
place) and deleted at the end. The window of `rpmsn watch` is opened with it, and used as a person would: a click in the
strip goes to a place, some frames are played, the wheel zooms in frequency, with Ctrl in time, in several steps.

`jump ms` is the time from the click to the first row from there, the analysis of its frame included. `finer ms` is the
time from the last turn of the wheel until the spectra of the part in view are computed from the samples and drawn;
`rows` counts the views for which the rows of the analysis are as fine as the screen. `MB` is the memory that the
process has once the recording is open, and the most that it had. Run it on a quiet machine.
"""

import argparse
import json
import os
import resource
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from PyQt5 import QtCore, QtGui, QtTest, QtWidgets

from rpmsn import tables
from rpmsn.gui.watch import settings as watch_settings
from rpmsn.gui.watch.feed import Feed
from rpmsn.gui.watch.player import Player
from rpmsn.gui.watch.window import WatchWindow
from rpmsn.models import DEFAULT_MODEL
from rpmsn.recording import open_recording

RATE, CENTER, SAMPLE_BYTES = 61.44e6, 1.8425e9, 4
FRAMES_PLAYED = 6
TURNS = ((5, 0), (3, 3), (6, 6), (10, 0), (12, 12), (5, 5))
"""Turns of the wheel in frequency and in time, one view after the other: down to some kHz and ms."""
PATIENCE_SECONDS, IDLE_SECONDS = 3.0, 0.5
HEADER = ("GB", "views", "finer ms", "slowest", "rows", "jump ms", "slowest", "MB", "most MB")


def make_recording(folder, gigabytes, places):
    """A sparse recording with 0.4 s of noise and two carriers at each place; the path of its metadata."""
    rng, count = np.random.default_rng(1), round(0.04 * RATE)
    noise = rng.normal(0, 100, (count, 2)).view(np.complex128)[:, 0]
    bands = np.fft.fftfreq(count, 1 / RATE)
    carriers = ((-20e6, -2e6), (5e6, 14e6))
    shape = sum((bands > lower) & (bands < upper) for lower, upper in carriers) * 4.0 + 1.0
    values = np.fft.ifft(np.fft.fft(noise) * shape)
    block = np.rint(np.stack([values.real, values.imag], axis=1)).astype("<i2").tobytes()
    size = round(gigabytes * 1e9) // SAMPLE_BYTES * SAMPLE_BYTES
    data = Path(folder, "large.sigmf-data")
    with open(data, "wb") as file:
        file.truncate(size)
        for fraction in fractions(places):
            file.seek(round(fraction * size) // SAMPLE_BYTES * SAMPLE_BYTES)
            file.write(10 * block)
    meta = data.with_name("large.sigmf-meta")
    fields = {"core:datatype": "ci16_le", "core:sample_rate": RATE, "core:version": "1.2.0"}
    capture = {"core:sample_start": 0, "core:frequency": CENTER, "core:datetime": "2026-01-01T00:00:00Z"}
    meta.write_text(json.dumps({"global": fields, "captures": [capture], "annotations": []}))
    return meta


def fractions(places):
    """Places, as fractions of the recording, not in order: a person goes back and forth."""
    return [(0.37 + 0.61803 * number) % 0.98 for number in range(places)]


def resident_mb():
    """Resident memory of this process, MB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1e6


class Hands:
    """Uses the window as a person does.

    Args:
        application: QApplication.
        window: WatchWindow.
    """

    def __init__(self, application, window):
        self.application, self.window = application, window
        self.most_mb = 0.0

    def wait(self, is_true, seconds=PATIENCE_SECONDS):
        """Let Qt work until something is so; s that it took, None where it was not so in time."""
        begun = time.perf_counter()
        while not is_true():
            self.application.processEvents(QtCore.QEventLoop.AllEvents, 5)
            self.most_mb = max(self.most_mb, resident_mb())
            if time.perf_counter() - begun > seconds:
                return None
            time.sleep(0.001)
        return time.perf_counter() - begun

    def jump(self, fraction):
        """Click in the strip, and play some frames there; s until the first row was drawn."""
        strip, picture, player = self.window.transport.slider, self.window.waterfall, self.window.player
        rows = picture.history.newest_y
        QtTest.QTest.mouseClick(strip, QtCore.Qt.LeftButton, pos=QtCore.QPoint(round(fraction * strip.width()), 5))
        took = self.wait(lambda: picture.history.newest_y > rows, 60.0)
        for _ in range(FRAMES_PLAYED):
            begun = player.position
            QtTest.QTest.mouseClick(self.window.transport.step_button, QtCore.Qt.LeftButton)
            self.wait(lambda begun=begun: player.position > begun + 0.039, 60.0)
        self.wait(lambda: False, IDLE_SECONDS)
        return took

    def home(self):
        """The whole span, and the frames that were just played."""
        QtTest.QTest.keyClick(self.window.waterfall, QtCore.Qt.Key_Home)
        self.wait(lambda: False, IDLE_SECONDS)

    def turn(self, in_frequency, in_time):
        """Turn the wheel in the middle of what is there; s until the view was drawn finer, None where it was not."""
        picture = self.window.waterfall
        viewport, view = picture.plots.viewport(), picture.waterfall_plot.getViewBox()
        (left, right), (low, high) = view.viewRange()
        low = max(low, picture.history.newest_y - 0.2)
        scene = view.mapViewToScene(QtCore.QPointF(left + 0.4 * (right - left), (low + high) / 2))
        point = QtCore.QPointF(picture.plots.mapFromScene(scene))
        for count, modifier in ((in_frequency, QtCore.Qt.NoModifier), (in_time, QtCore.Qt.ControlModifier)):
            for _ in range(count):
                where = QtCore.QPointF(viewport.mapToGlobal(point.toPoint()))
                turned = QtCore.QPoint(0, 120)
                QtWidgets.QApplication.sendEvent(
                    viewport,
                    QtGui.QWheelEvent(
                        point,
                        where,
                        QtCore.QPoint(),
                        turned,
                        QtCore.Qt.NoButton,
                        modifier,
                        QtCore.Qt.NoScrollPhase,
                        False,
                    ),
                )
        shown, begun = picture.detail.shown, time.perf_counter()
        found = self.wait(lambda: picture.detail.shown not in (None, shown) and is_of_this_view(picture.detail))
        self.application.processEvents()  # it is drawn
        return None if found is None else time.perf_counter() - begun


def is_of_this_view(layer):
    """Whether what is shown finer was asked for since the view stands still."""
    return layer.shown is not None and layer.is_wanted(layer.shown.wanted.number)


def measure(application, path, places, size):
    """The line of the table."""
    recording, feed = open_recording(path), Feed()
    player = Player(recording, feed, DEFAULT_MODEL, speed=1.0, cell_budget=0.0)
    window = WatchWindow(player, feed, {**watch_settings.DEFAULTS, "window": list(size)})
    window.show()
    player.start()
    hands = Hands(application, window)
    history = window.waterfall.history
    hands.wait(lambda: history.newest is not None and not history.unclassified, 60.0)
    QtTest.QTest.mouseClick(window.transport.play_button, QtCore.Qt.LeftButton)
    hands.wait(lambda: False, 2.0)
    before, jumps, finer = resident_mb(), [], []
    for fraction in fractions(places):
        jumps.append(hands.jump(fraction))
        hands.home()
        finer += [hands.turn(*turns) for turns in TURNS]
    window.close()
    window.stop_sources()
    drawn = [seconds for seconds in finer if seconds is not None]
    return [
        f"{recording.sample_count * SAMPLE_BYTES / 1e9:.1f}",
        str(len(finer)),
        *(f"{1e3 * seconds:.0f}" for seconds in (statistics.median(drawn), max(drawn))),
        str(len(finer) - len(drawn)),
        *(f"{1e3 * seconds:.0f}" for seconds in (statistics.median(jumps), max(jumps))),
        f"{before:.0f}",
        f"{hands.most_mb:.0f}",
    ]


def main():
    parser = argparse.ArgumentParser(description="Benchmark zooming and seeking in a large recording.")
    parser.add_argument("recording", nargs="?", help="SigMF; none: a sparse one is made")
    parser.add_argument("--gigabytes", type=float, default=10.0, help="of the one that is made")
    parser.add_argument("--places", type=int, default=5)
    parser.add_argument("--size", type=int, nargs=2, default=[1280, 800], metavar=("WIDTH", "HEIGHT"))
    parser.add_argument("--folder", help="where to make it, with sparse files (default: the temporary one)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        os.environ["XDG_CONFIG_HOME"] = folder
        application = QtWidgets.QApplication.instance() or QtWidgets.QApplication(["benchmark"])
        path = options.recording or make_recording(folder, options.gigabytes, options.places)
        line = measure(application, path, options.places, options.size)
    print(tables.format_table(HEADER, [line]))


if __name__ == "__main__":
    main()
