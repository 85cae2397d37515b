# SPDX-License-Identifier: GPL-3.0-or-later
"""The bar below the picture of a radio, by keys and mouse, on a radio that notes what it is asked for."""

import dataclasses

import pytest

pytest.importorskip("PyQt5.QtWidgets", reason="PyQt5 is not installed")
pytest.importorskip("pyqtgraph", reason="pyqtgraph is not installed")

from PyQt5 import QtCore, QtTest, QtWidgets
from waterfall_scene import app  # noqa: F401

from rpmsn.gui.watch import radio_bar as bars
from rpmsn.gui.watch.radio_bar import RadioBar
from rpmsn.gui.watch.settings import DEFAULTS
from rpmsn.recording.stream_recorder import RecorderState

SEEN = 1.25


class Radio:
    """A radio that does at once what it is asked for."""

    device, is_open, sample_rate, gain_range = "driver=test", True, 2.4e6, (0.0, 50.0)
    antennas: tuple = ("RX1", "RX2")

    def __init__(self):
        self.center_frequency, self.gain, self.antenna = 1842.53e6, 20.0, "RX1"
        self.ppm, self.seen_ppm = 0.0, None
        self.recorder = RecorderState()
        self.asked = []

    def tune(self, frequency):
        self.center_frequency = frequency
        self.asked.append(("tune", round(frequency)))

    def set_gain(self, gain):
        self.gain = gain

    def set_antenna(self, antenna):
        self.antenna = antenna
        self.asked.append(("antenna", antenna))

    def set_ppm(self, ppm):
        self.ppm, self.seen_ppm = ppm, None
        self.asked.append(("ppm", ppm))

    def record(self, folder, before_seconds=0.0, goes_on=True):
        self.asked.append(("record", folder, round(before_seconds, 1), goes_on))
        self.recorder = dataclasses.replace(self.recorder, recording="rpmsn_iq")

    def end_recording(self):
        self.asked.append("end")
        self.recorder = dataclasses.replace(self.recorder, recording="", finished="recordings/rpmsn_iq.sigmf-meta")


@pytest.fixture
def radio():
    return Radio()


@pytest.fixture
def settings():
    return dict(DEFAULTS)


@pytest.fixture
def bar(app, radio, settings):
    bar = RadioBar(radio, settings)
    bar.show()
    bar.update_now()
    yield bar
    bar.close()
    bar.deleteLater()


def press(bar, key):
    bar.frequency_box.setFocus()
    QtTest.QTest.keyClick(bar.frequency_box, key)


def click(button):
    QtTest.QTest.mouseClick(button, QtCore.Qt.LeftButton, pos=QtCore.QPoint(8, button.height() // 2))


@pytest.mark.parametrize(
    ("step", "up", "down"),
    [
        (bars.SPAN, 1843_130_000, 1841_930_000),
        (bars.RASTER, 1842_600_000, 1842_500_000),
        ("1 MHz", 1843_530_000, 1841_530_000),
    ],
)
def test_arrow_keys_tune_by_the_step_that_is_chosen_and_kept(bar, radio, settings, step, up, down):
    bar.step_box.setCurrentText(step)
    press(bar, QtCore.Qt.Key_Up)
    assert radio.asked[-1] == ("tune", up)
    radio.center_frequency = 1842.53e6
    bar.update_now()
    press(bar, QtCore.Qt.Key_Down)
    assert radio.asked[-1] == ("tune", down)
    assert settings["tuning_step"] == step


def test_a_lock_keeps_the_frequency_against_keys(bar, radio):
    click(bar.lock_button)
    assert bar.is_locked and not bar.frequency_box.isEnabled()
    press(bar, QtCore.Qt.Key_Up)
    assert not radio.asked
    click(bar.lock_button)
    press(bar, QtCore.Qt.Key_Up)
    assert radio.asked


def test_the_correction_is_taken_from_a_cell_by_one_click_added_to_the_one_before_and_kept(bar, radio, settings):
    assert not bar.cell_button.isEnabled()
    radio.ppm, radio.seen_ppm = 0.5, SEEN
    bar.update_now()
    assert bar.cell_button.text() == "From cell: +1.75"
    click(bar.cell_button)
    assert radio.asked == [("ppm", 0.5 + SEEN)] and settings["ppm"] == {"driver=test": 0.5 + SEEN}
    bar.update_now()
    assert not bar.cell_button.isEnabled() and bar.ppm_box.text() == "1.75 ppm"


def test_antennas_can_be_chosen_where_there_are_several(bar, radio):
    assert bar.antenna_box.isVisible() and bar.antenna_box.currentText() == "RX1"
    bar.antenna_box.setFocus()
    QtTest.QTest.keyClick(bar.antenna_box, QtCore.Qt.Key_Down)
    assert radio.asked == [("antenna", "RX2")]


def test_one_antenna_is_no_choice(app, settings):
    radio = Radio()
    radio.antennas = ("RX",)
    bar = RadioBar(radio, settings)
    bar.show()
    try:
        assert not bar.antenna_box.isVisible() and bar.gain_box.isVisible()
    finally:
        bar.close()
        bar.deleteLater()


def test_a_recording_begins_says_how_far_it_is_and_ends(bar, radio, settings, tmp_path):
    settings["record_folder"] = str(tmp_path)
    said = []
    bar.recording.said.connect(said.append)
    click(bar.recording.button)
    assert radio.asked == [("record", str(tmp_path), 0.0, True)]
    radio.recorder = dataclasses.replace(radio.recorder, seconds=12.5, bytes=120_000_000, lost_samples=7)
    bar.update_now()
    assert bar.recording.label.text() == "12.5 s, 120 MB, 7 samples left out: the disk is late"
    click(bar.recording.button)
    bar.update_now()
    assert radio.asked[-1] == "end"
    assert said == ["written: recordings/rpmsn_iq.sigmf-meta, 7 samples left out: the disk is late"]


def test_how_much_is_held_is_said_and_can_be_saved(bar, radio, settings, tmp_path):
    settings["record_folder"] = str(tmp_path)
    assert not bar.recording.last_action.isEnabled()
    radio.recorder = RecorderState(held_seconds=30.04, most_seconds=30.0)
    bar.update_now()
    assert bar.recording.label.text() == "last 30 s held"
    assert bar.recording.last_action.text() == "Save the last 30 s alone"
    bar.recording.last_action.trigger()
    assert radio.asked == [("record", str(tmp_path), 30.0, False)]
    radio.recorder = RecorderState(held_seconds=30.0, most_seconds=30.0)
    bar.update_now()
    bar.recording.before_action.trigger()
    assert radio.asked[-1] == ("record", str(tmp_path), 30.0, True)


def test_the_folder_is_asked_for_once_and_what_comes_meanwhile_is_recorded(bar, radio, settings, tmp_path, monkeypatch):
    monkeypatch.setattr(QtWidgets.QFileDialog, "getExistingDirectory", lambda *_: "")
    click(bar.recording.button)
    assert not radio.asked
    times = iter([100.0, 104.5, 200.0, 200.0])
    monkeypatch.setattr("rpmsn.gui.watch.record_controls.time.monotonic", lambda: next(times))
    monkeypatch.setattr(QtWidgets.QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    click(bar.recording.button)
    assert radio.asked == [("record", str(tmp_path), 4.5, True)] and settings["record_folder"] == str(tmp_path)


def test_why_nothing_is_recorded_is_said_once(bar, radio):
    said = []
    bar.recording.said.connect(said.append)
    radio.recorder = RecorderState(fault="none does not exist")
    for _ in range(3):
        bar.update_now()
    assert said == ["not recorded: none does not exist"]
