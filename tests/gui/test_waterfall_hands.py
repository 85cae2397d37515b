# SPDX-License-Identifier: GPL-3.0-or-later
"""Real mouse and key events: frequencies and times under the mouse are right to a pixel, whatever is in view."""

import re
from datetime import datetime, timezone

import numpy as np
import pytest

pytest.importorskip("pmt", reason="GNU Radio is not installed")
pytest.importorskip("PyQt5.QtWidgets", reason="PyQt5 is not installed")
pytest.importorskip("pyqtgraph", reason="pyqtgraph is not installed")

from PyQt5 import QtCore
from waterfall_scene import (  # noqa: F401
    CENTER,
    FRAME_SECONDS,
    RATE,
    SAMPLES,
    START_TIME,
    app,
    blank,
    click,
    column_frequency,
    drag,
    draw,
    frame_fields,
    move_mouse,
    press_key,
    segment_fields,
    turn_wheel,
    viewport_point,
    widget,
)

from rpmsn.classes import LTE

ROWS = 32
"""Of a frame, in the picture."""
SHIFT = 3e6
"""Hz, of the retune in some scenes."""


def scene(number, tuned=0.0, **changes):
    """A frame whose values encode row and column: value = 4 * (row of 32) + 128 * (odd column)."""
    rows, columns = np.mgrid[:ROWS, :64]
    image = (4 * rows + 128 * (columns % 2)).astype(np.uint8)
    mask = np.where(columns >= 32, LTE, 0).astype(np.uint8)
    return frame_fields(number, ROWS, center_frequency=CENTER + tuned, **changes), image, mask


def said(text):
    """(Hz, s since 1970, dB, class) of the readout."""
    found = re.fullmatch(r"([\d.]+) MHz · (\S+ \S+) UTC · (-?\d+) dB · (\w+)(?: (\d+) %)?", text)
    assert found, text
    clock = datetime.strptime(found[2], "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=timezone.utc).timestamp()
    return 1e6 * float(found[1]), clock, float(found[3]), found[4]


def pixel_size(widget):
    """Hz and seconds of signal of one pixel."""
    width, height = widget.waterfall_plot.getViewBox().viewPixelSize()
    return width * 1e6, height


def check_under_mouse(widget, frequency, y, time, tuned=0.0):
    """The readout at a point is right to a pixel, and names the value that the scene has there."""
    hertz, clock, decibels, name = said(move_mouse(widget, viewport_point(widget, frequency, y)))
    pixel_hertz, pixel_seconds = pixel_size(widget)
    assert abs(hertz - frequency) <= pixel_hertz + 500
    assert abs(clock - time) <= pixel_seconds + 6e-4
    column = int(np.floor((frequency - tuned - CENTER) / RATE * 64 + 32.5))
    row = int((time - START_TIME) / FRAME_SECONDS % 1 * ROWS + 1e-6)
    assert decibels == pytest.approx(-5 + (4 * row + 128 * (column % 2)) / 5, abs=0.51)
    assert name == ("LTE" if column >= 32 else "noise")


def middle_of(number, row, columns=(37, 12)):
    """Time of the middle of a row of a frame, and frequencies of the middles of columns."""
    return START_TIME + (number + (row + 0.5) / ROWS) * FRAME_SECONDS, [column_frequency(column) for column in columns]


def check_rows(widget, number, y_of_frame, tuned=0.0):
    """Some points of a frame that begins at a height."""
    for row in (3, 17, 28):
        time, frequencies = middle_of(number, row)
        for frequency in frequencies:
            check_under_mouse(widget, frequency + tuned, y_of_frame + (row + 0.5) / ROWS * FRAME_SECONDS, time, tuned)


def test_what_is_under_the_mouse(widget):
    draw(widget, *(scene(number) for number in range(4)))
    for number in (0, 3):
        check_rows(widget, number, number * FRAME_SECONDS)


@pytest.mark.parametrize("newest", ["top", "bottom"])
def test_after_zoom_in_frequency_and_time(widget, newest):
    widget.apply_settings({"newest": newest})
    draw(widget, *(scene(number) for number in range(4)))
    time, (frequency, _) = middle_of(3, 17)
    y = 3 * FRAME_SECONDS + (17 + 0.5) / ROWS * FRAME_SECONDS
    for _ in range(3):
        turn_wheel(widget, viewport_point(widget, frequency, y), 1)
        turn_wheel(widget, viewport_point(widget, frequency, y), 1, QtCore.Qt.ControlModifier)
    low, high = widget.waterfall_plot.viewRange()[0]
    assert (high - low) * 1e6 == pytest.approx(RATE * 0.8**3)
    check_under_mouse(widget, frequency, y, time)


def test_the_wheel_keeps_what_is_under_the_mouse(widget):
    draw(widget, *(scene(number) for number in range(4)))
    _, (frequency, _) = middle_of(2, 5)
    point = viewport_point(widget, frequency, 0.07)
    before = said(move_mouse(widget, point))
    turn_wheel(widget, point, 2)
    after = said(widget.status_bar.readout_label.text())
    assert abs(after[0] - before[0]) <= pixel_size(widget)[0] + 1000 and after[1:] == before[1:]
    press_key(widget, QtCore.Qt.Key_Home)
    assert said(widget.status_bar.readout_label.text()) == before  # the mouse has not moved


def test_while_paused_and_after(widget):
    draw(widget, *(scene(number) for number in range(4)))
    press_key(widget, QtCore.Qt.Key_Space)
    assert widget.paused and "analysis continues" in widget.box_layer.note
    draw(widget, *(scene(number) for number in range(4, 30)))
    check_rows(widget, 2, 2 * FRAME_SECONDS)
    assert "1 s newer" in widget.box_layer.note
    press_key(widget, QtCore.Qt.Key_Space)
    assert not widget.paused and widget.history.newest.number == 29 and widget.box_layer.note == ""
    check_rows(widget, 28, 28 * FRAME_SECONDS)


def test_after_scrolling_back_with_the_mouse_while_rows_come(widget):
    draw(widget, *(scene(number) for number in range(40)))
    top = widget.waterfall_plot.viewRange()[1][1]
    start = viewport_point(widget, CENTER, top - 0.15)
    drag(widget, start, start - QtCore.QPoint(0, 300))
    draw(widget)
    moved = widget.waterfall_plot.viewRange()[1][1]
    assert moved == pytest.approx(top - 300 * pixel_size(widget)[1], rel=0.01) and "back" in widget.box_layer.note
    draw(widget, *(scene(number) for number in range(40, 50)))
    assert widget.waterfall_plot.viewRange()[1][1] == pytest.approx(moved)
    number = int(moved / FRAME_SECONDS) - 1
    check_rows(widget, number, number * FRAME_SECONDS)
    press_key(widget, QtCore.Qt.Key_Home)
    assert widget.waterfall_plot.viewRange()[1][1] == pytest.approx(50 * FRAME_SECONDS)


@pytest.mark.parametrize(
    "move_back",
    [
        lambda widget: press_key(widget, QtCore.Qt.Key_PageDown),
        lambda widget: turn_wheel(
            widget, viewport_point(widget, CENTER, 38.5 * FRAME_SECONDS), -7, QtCore.Qt.ShiftModifier
        ),
        lambda widget: widget.scroll_bar.setValue(16),
    ],
)
def test_ways_to_scroll_back(widget, move_back):
    draw(widget, *(scene(number) for number in range(40)))
    move_back(widget)
    low, high = widget.waterfall_plot.viewRange()[1]
    assert high - low == pytest.approx(4 * FRAME_SECONDS) and high == pytest.approx(36 * FRAME_SECONDS, abs=0.02)
    number = int(high / FRAME_SECONDS) - 2
    check_rows(widget, number, number * FRAME_SECONDS)


def test_after_a_retune_and_back_before_it(widget):
    draw(widget, *(scene(number) for number in range(4)))
    draw(widget, *(scene(number, SHIFT) for number in range(4, 6)))
    check_rows(widget, 5, 5 * FRAME_SECONDS, SHIFT)
    time, _ = middle_of(3, 8)
    frequency = column_frequency(51)  # seen before and after
    check_under_mouse(widget, frequency, 3 * FRAME_SECONDS + 8.5 / ROWS * FRAME_SECONDS, time)


def test_above_and_below_a_gap(widget):
    draw(widget, scene(0), scene(3, pdu_num=1))
    [gap] = widget.history.breaks
    check_rows(widget, 0, 0.0)
    check_rows(widget, 3, gap.y1)
    middle = viewport_point(widget, CENTER, (gap.y0 + gap.y1) / 2)
    assert "no signal here" in move_mouse(widget, middle)


def test_outside_the_picture_nothing_is_said(widget):
    draw(widget, scene(0))
    assert move_mouse(widget, QtCore.QPoint(3, 3)) == ""


def test_hover_shows_the_carrier_of_the_box(widget):
    widget.apply_settings({"boxes": True})
    widget.add_segment(segment_fields(0, 0.2e6, 3e6, confidence=0.87))
    draw(widget, scene(0))
    assert move_mouse(widget, viewport_point(widget, CENTER + 1e6, 0.02)).endswith("LTE 87 % · 2.8 MHz")


# Zoom, pan, Home


@pytest.mark.parametrize("is_paused", [False, True])
def test_a_zoom_in_time_keeps_the_newest_rows_where_they_move_and_the_mouse_where_they_stand(widget, is_paused):
    draw(widget, *(scene(number) for number in range(20)))
    if is_paused:
        press_key(widget, QtCore.Qt.Key_Space)
    point = viewport_point(widget, CENTER, 18 * FRAME_SECONDS)
    before = said(move_mouse(widget, point))[1]
    turn_wheel(widget, point, 3, QtCore.Qt.ControlModifier)
    low, high = widget.waterfall_plot.viewRange()[1]
    assert high - low == pytest.approx(0.8**3 * 4 * FRAME_SECONDS)
    after = said(widget.status_bar.readout_label.text())[1]
    assert (abs(after - before) < 2e-3) == is_paused and (abs(high - 20 * FRAME_SECONDS) < 1e-6) != is_paused


def test_home_shows_the_whole_span_again(widget):
    draw(widget, *(scene(number) for number in range(8)))
    whole = widget.waterfall_plot.viewRange()
    point = viewport_point(widget, CENTER + 1e6, 0.25)
    turn_wheel(widget, point, 4)
    drag(widget, point, point + QtCore.QPoint(90, 0))
    assert widget.waterfall_plot.viewRange()[0] != whole[0]
    press_key(widget, QtCore.Qt.Key_Home)
    np.testing.assert_allclose(widget.waterfall_plot.viewRange(), whole)


def test_shift_and_home_shows_all_rows_and_follows_them(widget):
    for number in range(200):
        draw(widget, scene(number))
    view = widget.waterfall_plot.getViewBox()
    widget.waterfall_plot.setXRange(2398, 2399, padding=0)
    press_key(widget, QtCore.Qt.Key_Home, QtCore.Qt.ShiftModifier)
    assert view.viewRange()[1] == pytest.approx([0.0, 200 * FRAME_SECONDS])
    assert view.viewRange()[0][1] - view.viewRange()[0][0] == pytest.approx(RATE / 1e6)
    draw(widget, scene(200))
    assert view.viewRange()[1][1] == pytest.approx(201 * FRAME_SECONDS), "new rows stay in view"


def test_dragging_moves_the_frequency_with_the_mouse(widget):
    draw(widget, *(scene(number) for number in range(4)))
    point = viewport_point(widget, CENTER, 0.1)
    turn_wheel(widget, point, 4)
    before = said(move_mouse(widget, point))[0]
    drag(widget, point, point + QtCore.QPoint(60, 0))
    after = said(move_mouse(widget, point + QtCore.QPoint(60, 0)))[0]
    assert abs(after - before) <= 2 * pixel_size(widget)[0] + 1000


def test_the_view_does_not_leave_what_there_is(widget):
    draw(widget, *(scene(number) for number in range(4)))
    point = viewport_point(widget, CENTER, 0.1)
    turn_wheel(widget, point, -30)
    turn_wheel(widget, point, 60)
    drag(widget, point, point + QtCore.QPoint(3000, 0))
    low, high = (1e6 * edge for edge in widget.waterfall_plot.viewRange()[0])
    assert low + 1 >= CENTER - RATE / 2 - RATE / 128 and high <= CENTER + RATE / 2 and high - low > RATE / 20


# Click and double click


def select(widget, clicked):
    widget.apply_settings({"boxes": True})
    widget.add_segment(segment_fields(0, 1e6, 3e6, burst_id=7))
    widget.add_segment(segment_fields(0, -4e6, 4e6, burst_id=8))
    widget.carrier_selected.connect(clicked.append)
    draw(widget, scene(0))


def test_a_click_selects_the_narrowest_carrier_there_and_a_click_beside_none(widget):
    clicked = []
    select(widget, clicked)
    for frequency in (CENTER + 2e6, CENTER - 2e6, CENTER - 4.5e6):
        click(widget, viewport_point(widget, frequency, 0.02))
    assert clicked == [7, 8, None] and widget.box_layer.selected is None


def test_escape_deselects(widget):
    clicked = []
    select(widget, clicked)
    click(widget, viewport_point(widget, CENTER + 2e6, 0.02))
    press_key(widget, QtCore.Qt.Key_Escape)
    assert clicked == [7, None] and widget.box_layer.selected is None


def test_selecting_from_outside_brings_the_carrier_into_view_and_sends_no_signal(widget):
    widget.apply_settings({"boxes": True})
    clicked = []
    widget.carrier_selected.connect(clicked.append)
    widget.add_segment(segment_fields(3, 3e6, 4e6, burst_id=7))
    draw(widget, *(scene(number) for number in range(60)))
    turn_wheel(widget, viewport_point(widget, CENTER - 4e6, 59 * FRAME_SECONDS), 8)
    widget.select_carrier(7)
    (left, right), (low, high) = widget.waterfall_plot.viewRange()
    assert left <= (CENTER + 3e6) / 1e6 and right >= (CENTER + 4e6) / 1e6
    assert low <= 3 * FRAME_SECONDS and high >= 4 * FRAME_SECONDS
    assert widget.box_layer.selected == 7 and clicked == []


def test_selecting_an_unknown_carrier_moves_nothing(widget):
    draw(widget, *(scene(number) for number in range(8)))
    before = widget.waterfall_plot.viewRange()
    widget.select_carrier(12345)
    assert widget.waterfall_plot.viewRange() == before


def test_a_double_click_asks_for_the_frequency_under_the_mouse(widget):
    asked = []
    widget.tune_requested.connect(asked.append)
    draw(widget, scene(0))
    click(widget, viewport_point(widget, CENTER + 2e6, 0.02), is_double=True)
    assert asked == [pytest.approx(CENTER + 2e6, abs=pixel_size(widget)[0])]


def test_a_double_click_where_the_frequency_is_unknown_asks_for_nothing(widget):
    asked = []
    widget.tune_requested.connect(asked.append)
    draw(widget, scene(0, tuned=-CENTER))
    click(widget, viewport_point(widget, 2e6, 0.02), is_double=True)
    assert asked == []


# Measuring


def test_cursors_measure_what_lies_between(widget):
    image = blank(ROWS, value=25)  # 0 dB
    image[:, 40:48] = 175  # 30 dB in eight columns
    draw(widget, *((frame_fields(number, ROWS), image, blank(ROWS)) for number in range(4)))
    press_key(widget, QtCore.Qt.Key_M)
    places = [(column_frequency(36) - RATE / 128, 0.04), (column_frequency(56) - RATE / 128, 0.12)]
    for cursor, (frequency, y) in zip(widget.cursors.cursors, places):
        start = viewport_point(widget, 1e6 * cursor.pos().x(), cursor.pos().y())
        drag(widget, start, viewport_point(widget, frequency, y))
    pixel_hertz, pixel_seconds = pixel_size(widget)
    first, second = (cursor.pos() for cursor in widget.cursors.cursors)
    assert abs((second.x() - first.x()) * 1e6 - 20 * RATE / 64) <= 2 * pixel_hertz
    assert abs(second.y() - first.y() - 0.08) <= 2 * pixel_seconds
    total = -90 + 10 * np.log10(8 * 10**3 + 12)
    over_noise = 10 * np.log10((8 * 10**3 + 12) / 20)
    found = re.fullmatch(
        r"A to B: ([\d.]+) MHz, ([\d.]+) ms, (-[\d.]+) dBFS, ([\d.]+) dB over the noise there",
        widget.measure_label.text(),
    )
    assert found, widget.measure_label.text()
    assert float(found[1]) == pytest.approx(3.125, abs=3 * pixel_hertz / 1e6)
    assert float(found[2]) == pytest.approx(80, abs=2.5e3 * pixel_seconds)
    assert float(found[3]) == pytest.approx(total, abs=0.15) and float(found[4]) == pytest.approx(over_noise, abs=0.15)
    press_key(widget, QtCore.Qt.Key_M)
    assert not widget.cursors.is_visible and widget.measure_label.isHidden()


# Other keys


def test_r_restarts_max_hold_and_a_scales(widget):
    draw(widget, (frame_fields(0), blank(value=200), blank()))
    press_key(widget, QtCore.Qt.Key_R)
    draw(widget, (frame_fields(1), blank(value=100), blank()))
    assert widget.spectrum.lines.max_hold[0] == pytest.approx(15, abs=0.01)
    press_key(widget, QtCore.Qt.Key_A)
    assert widget.settings()["levels"] == [14.0, 36.0]


def test_controls_follow_settings_and_settings_follow_controls(widget):
    widget.controls.low_slider.setValue(12)
    widget.controls.actions["theme"].trigger()
    widget.controls.actions["viridis"].trigger()
    settings = widget.settings()
    assert settings["levels"][0] == 12 and settings["theme"] == "light" and settings["color_map"] == "viridis"
    widget.controls.high_slider.setValue(5)
    assert widget.settings()["levels"] == [2, 5] and widget.controls.low_slider.value() == 2
    widget.apply_settings({"levels": [0.0, 40.0], "classes": ["NR"], "newest": "bottom"})
    assert widget.controls.high_slider.value() == 40 and not widget.controls.class_boxes["LTE"].isChecked()
    assert widget.controls.actions["newest"].isChecked()
