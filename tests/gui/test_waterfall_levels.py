# SPDX-License-Identifier: GPL-3.0-or-later
"""Powers over the noise, in dBFS and dBm, and the times of average and max hold."""

import math

import numpy as np
import pytest

pytest.importorskip("PyQt5.QtWidgets", reason="PyQt5 is not installed")
pytest.importorskip("pyqtgraph", reason="pyqtgraph is not installed")

from PyQt5 import QtWidgets
from waterfall_scene import (
    FRAME_SECONDS,
    a_frame,
    app,  # noqa: F401
    blank,
    column_frequency,
    draw,
    frame_fields,
    move_mouse,
    viewport_point,
)

from rpmsn.errors import ParameterError
from rpmsn.gui.waterfall.levels import DBFS, DBM, NOISE, LevelUnit, dbm_offset
from rpmsn.gui.waterfall.spectrum import SpectrumLines
from rpmsn.gui.waterfall.widget import WaterfallWidget

VALUE = 75
OVER_NOISE = -5.0 + VALUE / 255 * 51.0
"""dB over the noise of the value in the frames here, whose noise floor is -90 dBFS."""


@pytest.fixture
def widget(app):
    widget = WaterfallWidget()
    widget._timer.stop()
    widget.resize(900, 600)
    widget.show()
    yield widget
    widget.close()
    widget.deleteLater()


def show(widget, *floors):
    image = blank(value=VALUE)
    draw(widget, *((frame_fields(k, noise_floor_db=floor), image, 0 * image) for k, floor in enumerate(floors)))


def levels_of(widget):
    """What spectrum, axes and mouse say of a frame that has one power everywhere."""
    power = widget.spectrum.curves["newest"].yData
    assert np.ptp(power) < 1e-6
    words = move_mouse(widget, viewport_point(widget, column_frequency(30), widget.history.newest_y - 0.02))
    label = widget.spectrum.plot.getAxis("left").labelText
    return power[0], words.split(" \u00b7 ")[-2], label, widget.power_bar.levels()


@pytest.mark.parametrize(
    ("settings", "gain", "shift", "unit"),
    [
        ({}, None, 0.0, NOISE),
        ({"unit": DBFS}, 30.0, -90.0, DBFS),
        ({"unit": DBM, "dbm_offsets": {"30": -12.5}}, 30.0, -102.5, DBM),
        ({"unit": DBM, "dbm_offsets": {"30": -12.5}}, 40.0, -112.5, DBM),
        ({"unit": DBM, "dbm_offsets": {"": -20.0}}, None, -110.0, DBM),
        ({"unit": DBM}, 30.0, -90.0, DBFS),
    ],
)
def test_spectrum_axes_and_mouse_say_powers_in_the_unit(widget, settings, gain, shift, unit):
    widget.set_gain(gain)
    widget.apply_settings(settings)
    show(widget, -90.0)
    power, words, label, levels = levels_of(widget)
    assert power == pytest.approx(OVER_NOISE + shift, abs=0.01)
    assert words == f"{OVER_NOISE + shift:.0f} {'dB' if unit == NOISE else unit}"
    assert label.startswith(unit) and (unit == NOISE) != ("156 kHz" in label)
    assert levels == pytest.approx((-5.0 + shift, 45.0 + shift))
    low, high = widget.spectrum.plot.viewRange()[1]
    assert low < -5.0 + shift < 45.0 + shift < high


def test_a_signal_keeps_its_dbfs_where_the_noise_rises(widget):
    widget.apply_settings({"unit": DBFS})
    show(widget, -90.0, -80.0)
    power, words, _, levels = levels_of(widget)
    assert power == pytest.approx(OVER_NOISE - 80.0, abs=0.01) and words == f"{OVER_NOISE - 80:.0f} dBFS"
    assert levels[0] == pytest.approx(-85.0)


def test_the_unit_can_change_when_nothing_comes_any_more(widget):
    show(widget, -90.0, -90.0)
    for unit, shift in ((DBFS, -90.0), (NOISE, 0.0)):
        widget.apply_settings({"unit": unit})
        for name in ("newest", "average", "max_hold"):
            assert widget.spectrum.curves[name].yData == pytest.approx(OVER_NOISE + shift, abs=0.01)


def test_without_a_noise_floor_powers_are_over_the_noise(widget):
    widget.apply_settings({"unit": DBFS})
    show(widget, math.nan)
    power, words, label, _ = levels_of(widget)
    assert power == pytest.approx(OVER_NOISE, abs=0.01) and words.endswith(" dB") and label == NOISE


def test_an_offset_that_is_typed_is_of_this_gain_and_kept(widget, monkeypatch):
    asked = []
    monkeypatch.setattr(
        QtWidgets.QInputDialog, "getDouble", lambda *arguments: asked.append(arguments[2]) or (-33.0, True)
    )
    widget.set_gain(20.0)
    widget.controls.actions["offset"].trigger()
    assert asked == ["dBm at 0 dBFS at a gain of 20 dB"]
    assert widget.settings()["dbm_offsets"] == {"20": -33.0} and widget.settings()["unit"] == DBM
    assert widget.level_unit == LevelUnit(DBM, -33.0)


def test_the_menu_chooses_unit_and_times_and_shows_them(widget):
    for name, value in (("unit", DBFS), ("average_seconds", 3.0), ("hold_seconds", 10.0)):
        widget.controls.choices[name][value].trigger()
        assert widget.settings()[name] == value
        assert [key for key, action in widget.controls.choices[name].items() if action.isChecked()] == [value]
    assert [label.text for _, label in widget.spectrum.legend.items] == [
        "newest frame",
        "average of 3 s",
        "max hold of 10 s",
    ]


@pytest.mark.parametrize(
    "settings",
    [
        {"unit": "dBW"},
        {"average_seconds": 0.0},
        {"hold_seconds": -1.0},
        {"hold_seconds": math.inf},
        {"dbm_offsets": {"high": 1.0}},
        {"dbm_offsets": {"20": math.nan}},
        {"dbm_offsets": {20.0: 1.0}},
        {"dbm_offsets": [1]},
    ],
)
def test_what_cannot_be_set_is_refused(widget, settings):
    before = widget.settings()
    with pytest.raises(ParameterError, match=next(iter(settings))):
        widget.apply_settings(settings)
    assert widget.settings() == before


def test_the_offset_of_a_gain_that_was_not_calibrated_is_that_of_the_nearest():
    offsets = {"10": -40.0, "30": -58.0}
    assert [dbm_offset(offsets, gain) for gain in (10.0, 12.0, 30.0, 31.0)] == [-40.0, -42.0, -58.0, -59.0]
    assert dbm_offset(offsets, None) is None and dbm_offset({}, 10.0) is None


def lines_of(values, **times):
    """Lines after frames of one power each, in values of the image."""
    lines = SpectrumLines()
    lines.set_times(**{"average_seconds": 1.0, "hold_seconds": 0.0, **times})
    for number, value in enumerate(values):
        lines.add(a_frame(number, blank(value=value)))
    return lines


def test_the_average_has_its_time_constant():
    count = round(0.4 / FRAME_SECONDS)
    lines = lines_of([0] + count * [255], average_seconds=0.4)
    low, high = 10**-0.5, 10**4.6
    expected = high + (low - high) * math.exp(-count * FRAME_SECONDS / 0.4)
    assert lines.average[0] == pytest.approx(10 * math.log10(expected), abs=0.01)


@pytest.mark.parametrize(("hold", "frames_later", "is_held"), [(0.0, 500, True), (1.0, 20, True), (1.0, 28, False)])
def test_the_strongest_value_holds_as_long_as_it_shall(hold, frames_later, is_held):
    lines = lines_of([255] + frames_later * [0], hold_seconds=hold)
    assert lines.max_hold[0] == pytest.approx(46.0 if is_held else -5.0, abs=0.01)
    assert len(lines._held) <= 10
