# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames and segments whose truth is known, and how to look at a waterfall that draws them."""

import numpy as np
import pytest
from PyQt5 import QtCore, QtGui, QtTest, QtWidgets

from rpmsn.gui.waterfall.widget import WaterfallWidget
from rpmsn.messages.frame import check_frame

RATE = 10e6
CENTER = 2.4e9
SAMPLES = 400_000  # 40 ms
FRAME_SECONDS = SAMPLES / RATE
START_TIME = 1_714_564_987.5  # 2024-05-01 12:03:07.5 UTC


def frame_fields(number=0, rows=64, columns=64, **changes):
    """Fields of the frame that follows `number` frames."""
    start = number * SAMPLES
    seconds = START_TIME + start / RATE
    fields = {
        "pdu_num": number,
        "rows": rows,
        "columns": columns,
        "classes": ["noise", "LTE", "NR", "other"],
        "center_frequency": CENTER,
        "sample_rate": RATE,
        "start_offset": start,
        "end_offset": start + SAMPLES,
        "rx_time": (int(seconds), seconds % 1),
        "time_source": "radio",
        "duration": FRAME_SECONDS,
        "db_min": -5.0,
        "db_max": 46.0,
        "noise_floor_db": -90.0,
        "model": "test",
    }
    return {**fields, **changes}


def blank(rows=64, columns=64, value=0):
    return np.full((rows, columns), value, np.uint8)


def a_frame(number=0, image=None, mask=None, **changes):
    image = blank() if image is None else image
    return check_frame(frame_fields(number, **changes), image, np.zeros_like(image) if mask is None else mask)


def segment_fields(number=0, lower=-1e6, upper=1e6, **changes):
    """Fields of a segment as long as frame `number`, edges in Hz from the centre."""
    fields = {
        "label": "LTE",
        "class_id": 1,
        "confidence": 0.98,
        "center_frequency": CENTER + (lower + upper) / 2,
        "bandwidth": upper - lower,
        "freq_lower": CENTER + lower,
        "freq_upper": CENTER + upper,
        "burst_id": 1,
        "start_offset": number * SAMPLES,
        "end_offset": (number + 1) * SAMPLES,
        "event": "update",
    }
    return {**fields, **changes}


def draw(widget, *frames):
    """Send frames, given as arguments of `add_frame`, and draw at once."""
    for frame in frames:
        widget.add_frame(*frame)
    widget._tick()
    QtWidgets.QApplication.processEvents()


def column_frequency(column, columns=64):
    """Middle of a column, Hz: the middle one of them lies at the centre."""
    return CENTER + RATE * (column - columns // 2) / columns


def viewport_point(widget, frequency, y):
    """Pixel of the plots' viewport at a frequency in Hz and a height."""
    scene_point = widget.waterfall_plot.getViewBox().mapViewToScene(QtCore.QPointF(frequency / 1e6, y))
    return widget.plots.mapFromScene(scene_point)


def color_at(widget, frequency, y):
    """RGB on the screen at a frequency in Hz and a height."""
    point = widget.plots.mapTo(widget, viewport_point(widget, frequency, y))
    return QtGui.QColor(widget.grab().toImage().pixel(point)).getRgb()[:3]


def move_mouse(widget, point):
    """Move the real mouse to a pixel of the viewport; returns what the widget says is there."""
    QtTest.QTest.mouseMove(widget.plots.viewport(), point + QtCore.QPoint(1, 0))
    QtTest.QTest.mouseMove(widget.plots.viewport(), point)
    QtWidgets.QApplication.processEvents()
    return widget.status_bar.readout_label.text()


def press_key(widget, key, modifier=QtCore.Qt.NoModifier):
    widget.activateWindow()
    QtTest.QTest.qWaitForWindowActive(widget.window())
    widget.setFocus()
    QtTest.QTest.keyClick(widget, key, modifier)
    QtWidgets.QApplication.processEvents()


def click(widget, point, is_double=False):
    """Click, or double click, with the real mouse at a pixel of the viewport."""
    viewport = widget.plots.viewport()
    QtTest.QTest.mouseClick(viewport, QtCore.Qt.LeftButton, pos=point)
    if is_double:
        QtTest.QTest.mouseDClick(viewport, QtCore.Qt.LeftButton, pos=point)
        QtTest.QTest.mouseRelease(viewport, QtCore.Qt.LeftButton, pos=point)


def drag(widget, start, end):
    """Drag with the left button from one pixel of the viewport to another."""
    viewport = widget.plots.viewport()
    QtTest.QTest.mousePress(viewport, QtCore.Qt.LeftButton, pos=start)
    for fraction in (0.3, 0.6, 1.0):
        point = start + (end - start) * fraction
        event = QtGui.QMouseEvent(
            QtCore.QEvent.MouseMove,
            QtCore.QPointF(point),
            QtCore.Qt.LeftButton,
            QtCore.Qt.LeftButton,
            QtCore.Qt.NoModifier,
        )
        QtWidgets.QApplication.sendEvent(viewport, event)
    QtTest.QTest.mouseRelease(viewport, QtCore.Qt.LeftButton, pos=end)
    QtWidgets.QApplication.processEvents()


def turn_wheel(widget, point, clicks, keys=QtCore.Qt.NoModifier):
    """Turn the wheel over a pixel of the viewport; above 0 away from the user."""
    event = QtGui.QWheelEvent(
        QtCore.QPointF(point),
        QtCore.QPointF(widget.plots.viewport().mapToGlobal(point)),
        QtCore.QPoint(),
        QtCore.QPoint(0, 120 * clicks),
        QtCore.Qt.NoButton,
        keys,
        QtCore.Qt.NoScrollPhase,
        False,
    )
    QtWidgets.QApplication.sendEvent(widget.plots.viewport(), event)
    QtWidgets.QApplication.processEvents()


@pytest.fixture(scope="session")
def app():
    return QtWidgets.QApplication.instance() or QtWidgets.QApplication(["test"])


@pytest.fixture
def widget(app, caplog):
    """A shown widget without boxes: four frames of 32 rows are in view."""
    widget = WaterfallWidget("test", history_frames=4, rows_per_frame=32, boxes=False, levels=(-5.0, 46.0))
    widget._timer.stop()  # redrawn by `draw` alone
    widget.resize(1000, 700)
    widget.show()
    app.processEvents()
    yield widget
    widget.grab()
    assert not [record for record in caplog.get_records("call") if record.exc_info]
    widget.close()
    widget.deleteLater()
    app.processEvents()
