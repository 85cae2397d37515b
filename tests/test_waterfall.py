# SPDX-License-Identifier: GPL-3.0-or-later
"""The waterfall shows what it was sent, where its axes say, and survives what it should not have been sent."""
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

pmt = pytest.importorskip("pmt", reason="GNU Radio is not installed")
QtWidgets = pytest.importorskip("PyQt5.QtWidgets", reason="PyQt5 is not installed")
pytest.importorskip("pyqtgraph", reason="pyqtgraph is not installed")

from gnuradio import gr  # noqa: E402
from gnuradio.rpmsn import pdu, waterfall_boxes, waterfall_widget  # noqa: E402
from gnuradio.rpmsn.waterfall_box_layer import place_labels  # noqa: E402
from gnuradio.rpmsn.waterfall_boxes import SegmentBoxes, check_segment, format_bandwidth  # noqa: E402
from gnuradio.rpmsn.waterfall_frame import check_frame, mean_spectrum, reduce_rows  # noqa: E402
from gnuradio.rpmsn.waterfall_history import GAP_ROWS, HATCH, SKIP, SKIP_ROWS, History  # noqa: E402
from gnuradio.rpmsn.waterfall_overlay import Inbox, waterfall_overlay  # noqa: E402
from gnuradio.rpmsn.waterfall_status import describe_status  # noqa: E402
from gnuradio.rpmsn.waterfall_time_axis import format_time, round_up_125  # noqa: E402
from gnuradio.rpmsn.waterfall_widget import WaterfallWidget  # noqa: E402
from PyQt5 import QtCore, QtGui, QtTest  # noqa: E402

from rpmsn.classes import CLASS_COLORS, LTE, NR, OTHER  # noqa: E402
from rpmsn.errors import ParameterError  # noqa: E402

RATE = 10e6
CENTER = 2.4e9
SAMPLES = 400_000  # 40 ms
START_TIME = 1_714_564_987.5  # 2024-05-01 12:03:07.5 UTC
PYTHON_FOLDER = Path(__file__).resolve().parent.parent / "python"


def frame_fields(number=0, rows=64, columns=64, **changes):
    """Fields of the frame that follows `number` frames."""
    start = number * SAMPLES
    seconds = START_TIME + start / RATE
    fields = {"pdu_num": number, "rows": rows, "columns": columns, "classes": ["noise", "LTE", "NR", "other"],
              "center_frequency": CENTER, "sample_rate": RATE, "start_offset": start, "end_offset": start + SAMPLES,
              "rx_time": (int(seconds), seconds % 1), "time_source": "radio", "duration": SAMPLES / RATE,
              "db_min": -5.0, "db_max": 46.0, "noise_floor_db": -90.0, "model": "test"}
    return {**fields, **changes}


def blank(rows=64, columns=64, value=0):
    return np.full((rows, columns), value, np.uint8)


def a_frame(number=0, image=None, mask=None, **changes):
    image = blank() if image is None else image
    return check_frame(frame_fields(number, **changes), image, np.zeros_like(image) if mask is None else mask)


def segment_fields(number=0, lower=-1e6, upper=1e6, **changes):
    """Fields of a segment as long as frame `number`, edges in Hz from the centre."""
    fields = {"label": "LTE", "class_id": 1, "confidence": 0.98, "center_frequency": CENTER + (lower + upper) / 2,
              "bandwidth": upper - lower, "freq_lower": CENTER + lower, "freq_upper": CENTER + upper, "burst_id": 1,
              "start_offset": number * SAMPLES, "end_offset": (number + 1) * SAMPLES, "event": "update"}
    return {**fields, **changes}


@pytest.fixture(scope="session")
def app():
    return QtWidgets.QApplication.instance() or QtWidgets.QApplication(["test"])


@pytest.fixture
def widget(app):
    """A shown widget whose history is four frames of 32 rows."""
    widget = WaterfallWidget("test", history_frames=4, rows_per_frame=32)
    widget.resize(1000, 700)
    widget.show()
    widget.boxes_box.setChecked(False)
    app.processEvents()
    yield widget
    widget.close()
    widget.deleteLater()
    app.processEvents()


def draw(widget, *frames):
    """Send frames, given as arguments of `add_frame`, and draw at once."""
    for frame in frames:
        widget.add_frame(*frame)
    widget._tick()
    QtWidgets.QApplication.processEvents()


def color_at(widget, frequency, y):
    """RGB on the screen at a frequency in Hz and a row."""
    view = widget.waterfall_plot.getViewBox()
    scene_point = view.mapViewToScene(QtCore.QPointF(frequency / 1e6, y))
    plots = widget.waterfall_plot.scene().views()[0]
    point = plots.mapTo(widget, plots.mapFromScene(scene_point))
    return QtGui.QColor(widget.grab().toImage().pixel(point)).getRgb()[:3]


def column_frequency(column, columns=64):
    """Middle of a column, Hz."""
    return CENTER + RATE * ((column + 0.5) / columns - 0.5)


# History

def test_newest_rows_are_on_top_and_time_runs_down():
    history = History(frames=4, rows_per_frame=32)
    history.push(a_frame(0, blank(value=10)))
    history.push(a_frame(1, blank(value=20)))
    assert history.image[0, 0] == 20 and history.image[32, 0] == 10 and history.filled_rows == 64
    assert history.time_of_y(0) == pytest.approx(START_TIME + 0.08, abs=1e-6)
    assert history.time_of_y(64) == pytest.approx(START_TIME, abs=1e-6)
    assert history.y_of_sample(SAMPLES) == 32 and history.y_of_time(START_TIME + 0.06) == pytest.approx(16, abs=1e-3)


def test_the_history_keeps_its_size():
    history = History(frames=4, rows_per_frame=32)
    for number in range(50):
        history.push(a_frame(number, blank(value=number)))
    assert history.image.shape == (128, 64) and history.filled_rows == 128
    assert len(history.strips) == 4 and history.oldest_offset == 46 * SAMPLES
    np.testing.assert_array_equal(history.image[::32, 0], [49, 48, 47, 46])


def test_reduced_rows_keep_short_bursts_and_the_class_of_the_majority():
    image, mask = blank(256), np.zeros((256, 64), np.uint8)
    image[9, 3] = 200
    mask[8:13, 3] = LTE
    mask[13:16, 3] = NR
    rows, classes = reduce_rows(a_frame(0, image, mask), 32)
    assert rows.shape == (32, 64) and rows[1, 3] == 200 and classes[1, 3] == LTE and classes[0, 3] == 0


@pytest.mark.parametrize("n_rows, rows", [(1, 32), (31, 32), (100, 32), (256, 7)])
def test_any_number_of_rows_can_be_reduced(n_rows, rows):
    image, mask = reduce_rows(a_frame(0, blank(n_rows, value=5)), rows)
    assert image.shape == mask.shape == (min(n_rows, rows), 64) and (image == 5).all()


def test_dropped_signal_leaves_a_hatched_break_and_right_times():
    history = History(frames=4, rows_per_frame=32)
    history.push(a_frame(0))
    history.push(a_frame(3, pdu_num=1))
    assert (history.mask[32:32 + GAP_ROWS] == HATCH).any() and history.has_gaps
    assert history.time_of_y(32) == pytest.approx(START_TIME + 0.12, abs=1e-6)
    assert history.time_of_y(32 + GAP_ROWS) == pytest.approx(START_TIME + 0.04, abs=1e-6)


def test_frames_analysed_but_not_sent_leave_a_thin_line():
    history = History(frames=4, rows_per_frame=32)
    history.push(a_frame(0))
    history.push(a_frame(3))
    assert history.strips[0].gap_rows == SKIP_ROWS and (history.mask[32:32 + SKIP_ROWS] == SKIP).all()
    assert (history.mask == SKIP).sum() == SKIP_ROWS * 64 and not (history.mask == HATCH).any()


def test_a_jump_of_the_radios_clock_without_missing_samples_is_a_break():
    history = History(frames=4, rows_per_frame=32)
    history.push(a_frame(0))
    history.push(a_frame(1, rx_time=(int(START_TIME) + 3, 0.0)))
    assert history.strips[0].gap_rows == GAP_ROWS


@pytest.mark.parametrize("changes", [{"center_frequency": 2.41e9}, {"sample_rate": 20e6}, {"db_max": 60.0},
                                     {"time_source": "host"}])
def test_rows_never_stand_under_axes_that_are_not_theirs(changes):
    history = History(frames=4, rows_per_frame=32)
    history.push(a_frame(0, blank(value=10)))
    assert "older rows removed" in history.push(a_frame(1, blank(value=20), **changes))
    assert history.filled_rows == 32 and not (history.image == 10).any()


def test_a_stream_that_begins_anew_clears_the_picture():
    history = History(frames=4, rows_per_frame=32)
    history.push(a_frame(5))
    assert "began anew" in history.push(a_frame(0))


def test_host_time_counts_seconds_since_the_start():
    history = History(frames=4, rows_per_frame=32)
    history.push(a_frame(25, time_source="host"))
    assert history.time_of_y(32) == pytest.approx(1.0)


# What is refused

@pytest.mark.parametrize("changes, words", [
    ({"sample_rate": 0.0}, "sample_rate"), ({"center_frequency": float("nan")}, "center_frequency"),
    ({"duration": -1.0}, "duration"), ({"end_offset": 0}, "without extent"), ({"db_max": -5.0}, "without extent"),
    ({"rx_time": (10 ** 19, 0.0)}, "rx_time"), ({"rx_time": 5.0}, "wrong kind"), ({"classes": None}, "wrong kind"),
    ({"start_offset": float("inf")}, "wrong kind"), ({"sample_rate": "fast"}, "fast"),
])
def test_bad_fields_of_a_frame_are_named(changes, words):
    with pytest.raises(ValueError, match=words):
        a_frame(0, **changes)


@pytest.mark.parametrize("image, mask", [
    (blank(), blank(64, 32)), (blank().astype(float), blank()), (blank().ravel(), blank().ravel()),
    (blank(64, 1), blank(64, 1)), (None, blank()), (blank(0), blank(0))])
def test_arrays_that_are_no_picture_are_skipped(widget, image, mask, caplog):
    assert widget.add_frame(frame_fields(), image, mask) is False
    assert "frame skipped" in caplog.text


@pytest.mark.parametrize("key", ["center_frequency", "rx_time", "classes", "start_offset", "pdu_num"])
def test_a_frame_that_lacks_a_key_is_skipped(widget, key, caplog):
    fields = frame_fields()
    del fields[key]
    assert widget.add_frame(fields, blank(), blank()) is False
    assert key in caplog.text


@pytest.mark.parametrize("changes", [{"freq_lower": float("nan")}, {"freq_upper": 0.0}, {"end_offset": 0},
                                     {"confidence": None}, {"start_offset": "soon"}])
def test_a_bad_segment_is_skipped(widget, changes, caplog):
    assert widget.add_segment(segment_fields(**changes)) is False
    assert "segment skipped" in caplog.text


def test_a_bad_status_is_skipped(widget, caplog):
    assert widget.set_status({"coverage": "all"}) is False
    assert "status skipped" in caplog.text


@pytest.mark.parametrize("changes, words", [({"theme": "blue"}, "dark, light"), ({"alpha": 2.0}, "alpha = 2"),
                                            ({"history_frames": 0}, "history_frames = 0"),
                                            ({"rows_per_frame": 10_000}, "8192"), ({"color_map": "jet"}, "viridis")])
def test_parameters_that_cannot_work_are_named(app, changes, words):
    with pytest.raises(ParameterError, match=words):
        WaterfallWidget(**changes)


# Pixels

def test_a_pixel_is_where_the_axes_say(widget):
    image = blank()
    image[10:12, 40] = 255  # 2 of 64 rows, so one row of the picture: 40 ms * 10 / 64 after the frame's start
    draw(widget, (frame_fields(), image, blank()))
    y = widget.history.y_of_time(START_TIME + 0.04 * 11 / 64)
    assert min(color_at(widget, column_frequency(40), y)) > 240
    for frequency, row in ((column_frequency(38), y), (column_frequency(42), y), (column_frequency(40), y + 2),
                           (column_frequency(40), y - 2), (column_frequency(24), y), (column_frequency(40), 32 - y)):
        assert max(color_at(widget, frequency, row)) < 60


def test_every_class_has_its_color(widget):
    widget.set_alpha(1.0)
    mask = blank()
    mask[:, 8:16], mask[:, 24:32], mask[:, 40:48] = LTE, NR, OTHER
    draw(widget, (frame_fields(), blank(), mask))
    for column, name in ((12, "LTE"), (28, "NR"), (44, "other")):
        assert color_at(widget, column_frequency(column), 16) == CLASS_COLORS[name]
    assert color_at(widget, column_frequency(20), 16) == (0, 0, 0)


def test_the_line_over_frames_that_were_not_sent_is_faint(widget):
    draw(widget, (frame_fields(0), blank(value=255), blank()), (frame_fields(3), blank(value=255), blank()))
    red = color_at(widget, CENTER + 1e5, 32 + SKIP_ROWS / 2)[0]
    assert 150 < red < 230 and color_at(widget, CENTER + 1e5, 16)[0] == 255


def test_classes_are_told_by_the_names_of_the_model_not_by_its_numbers(widget):
    widget.set_alpha(1.0)
    draw(widget, (frame_fields(classes=["NR", "noise"]), blank(), blank()))
    assert color_at(widget, CENTER + 1e5, 16) == CLASS_COLORS["NR"]


def test_switches_take_classes_away_and_bring_them_back(widget):
    widget.set_alpha(1.0)
    mask = blank()
    mask[:, :32], mask[:, 32:] = LTE, NR
    draw(widget, (frame_fields(), blank(), mask))
    lte, nr = column_frequency(10), column_frequency(50)
    widget.class_boxes["LTE"].setChecked(False)
    assert color_at(widget, lte, 16) == (0, 0, 0) and color_at(widget, nr, 16) == CLASS_COLORS["NR"]
    widget.class_boxes["LTE"].setChecked(True)
    widget.classes_box.setChecked(False)
    assert color_at(widget, lte, 16) == color_at(widget, nr, 16) == (0, 0, 0)
    widget.classes_box.setChecked(True)
    assert color_at(widget, lte, 16) == CLASS_COLORS["LTE"]


def test_less_alpha_lets_power_through(widget):
    draw(widget, (frame_fields(), blank(value=255), blank(value=LTE)))
    widget.set_alpha(0.0)
    assert color_at(widget, CENTER + 1e5, 16) == (255, 255, 255)
    widget.set_alpha(0.5)
    expected = (np.array(CLASS_COLORS["LTE"]) + 255) / 2
    np.testing.assert_allclose(color_at(widget, CENTER + 1e5, 16), expected, atol=3)


def test_autoscale_fits_the_levels_to_the_picture(widget):
    image = blank(value=100)
    image[:, :32] = 150
    draw(widget, (frame_fields(), image, blank()))
    widget.autoscale()
    assert 90 <= widget.levels[0] < 100 and 150 <= widget.levels[1] < 160
    low, high = widget._levels_in_db()
    assert low == pytest.approx(-5 + widget.levels[0] / 5) and high == pytest.approx(-5 + widget.levels[1] / 5)


def test_the_spectrum_averages_power_not_decibels():
    image = blank(2, 64)
    image[:] = [[255], [0]]  # 46 dB and -5 dB
    frequencies, decibels = mean_spectrum(a_frame(0, image))
    assert decibels[0] == pytest.approx(46 - 10 * np.log10(2), abs=0.01)
    assert frequencies[0] == column_frequency(0) and frequencies[-1] == column_frequency(63)


@pytest.mark.parametrize("center, words", [(CENTER, "Frequency, MHz"), (0.0, "Offset from centre, MHz")])
def test_the_frequency_axis_says_what_it_counts_from(widget, center, words):
    draw(widget, (frame_fields(center_frequency=center), blank(), blank()))
    assert widget.waterfall_plot.getAxis("bottom").labelText == words
    low, high = widget.waterfall_plot.viewRange()[0]
    assert (low, high) == pytest.approx(((center - RATE / 2) / 1e6, (center + RATE / 2) / 1e6))


# Time axis

@pytest.mark.parametrize("gap", [False, True])
def test_the_clock_at_a_tick_is_the_time_of_its_row(widget, gap):
    for number in (0, 1, 4 if gap else 2):
        draw(widget, (frame_fields(number, pdu_num=0), blank(), blank()))
    rows, axis = widget.history.rows, widget.time_axis
    [(_, ticks)] = axis.tickValues(rows, 0, 500)
    assert len(ticks) >= 2
    for y, text in zip(ticks, axis.tickStrings(ticks, 1, 1)):
        time = widget.history.time_of_y(y)
        seconds = sum(float(part) * unit for part, unit in zip(text.split(":"), (3600, 60, 1)))
        assert seconds == pytest.approx(time % 86400, abs=0.0006)


def test_ticks_are_spread_over_a_recording_that_is_repeated(widget):
    for number in range(8):
        begin = frame_fields((number + 1) % 3)["rx_time"]
        draw(widget, (frame_fields(number, rx_time=begin), blank(), blank()))
    [(_, ticks)] = widget.time_axis.tickValues(widget.history.rows, 0, 2000)
    apart = np.diff(sorted(ticks)) * 2000 / widget.history.rows
    assert len(ticks) >= 3 and apart.min() >= 40 and apart.max() <= 1000


@pytest.mark.parametrize("value, expected", [(1, 1), (1.1, 2), (2.5, 5), (6, 10), (0.03, 0.05), (0.1, 0.1)])
def test_ticks_are_round(value, expected):
    assert round_up_125(value) == pytest.approx(expected)


def test_times_are_rounded_without_a_sixtieth_second():
    assert format_time(START_TIME, True, 1) == "12:03:07.5"
    assert format_time(START_TIME + 52.4999, True, 1) == "12:04:00.0"
    assert format_time(1.25, False, 2) == "1.25"


# Segments

def test_segments_of_one_carrier_become_one_box():
    boxes = SegmentBoxes()
    for number in range(5):
        boxes.add(check_segment(segment_fields(number, upper=1e6 + 1e5 * (number % 2))), edge_tolerance=2e5)
    [box] = boxes.boxes
    assert (box.start_offset, box.end_offset) == (0, 5 * SAMPLES)


@pytest.mark.parametrize("changes", [{"label": "NR"}, {"burst_id": 2}, {"upper": 3e6}, {"number": 4}])
def test_other_segments_get_boxes_of_their_own(changes):
    boxes = SegmentBoxes()
    boxes.add(check_segment(segment_fields(0)), edge_tolerance=2e5)
    boxes.add(check_segment(segment_fields(**{"number": 1, **changes})), edge_tolerance=2e5)
    assert len(boxes.boxes) == 2


def test_a_carrier_that_is_gone_draws_nothing():
    assert check_segment(segment_fields(event="gone")) is None


def test_boxes_leave_with_their_rows(widget):
    widget.add_segment(segment_fields(0))
    draw(widget, (frame_fields(0), blank(), blank()))
    assert len(widget.segments.boxes) == 1
    for number in range(1, 6):
        draw(widget, (frame_fields(number), blank(), blank()))
    assert len(widget.segments.boxes) == 0


def test_the_label_names_class_bandwidth_and_confidence(widget):
    widget.boxes_box.setChecked(True)
    widget.add_segment(segment_fields(0, lower=-4e6, upper=4e6))
    draw(widget, (frame_fields(0), blank(), blank()))
    widget.grab()
    assert [text for _, _, text in widget.box_layer.labels_drawn] == ["LTE 8.0 MHz 98 %"]


def test_the_switch_of_a_class_takes_its_boxes_too(widget):
    widget.boxes_box.setChecked(True)
    widget.add_segment(segment_fields(0))
    draw(widget, (frame_fields(0), blank(), blank()))
    widget.class_boxes["LTE"].setChecked(False)
    widget.grab()
    assert widget.box_layer.labels_drawn == []


@pytest.mark.parametrize("bandwidth, text", [(18e6, "18.0 MHz"), (1.4e6, "1.4 MHz"), (200e3, "200 kHz")])
def test_bandwidths_keep_their_digits(bandwidth, text):
    assert format_bandwidth(bandwidth) == text


def test_labels_neither_overlap_nor_leave_the_view():
    rng = np.random.default_rng(3)
    view = QtCore.QRectF(0, 0, 600, 300)
    for _ in range(20):
        lefts, widths, tops = rng.uniform(-50, 620, 40), rng.uniform(1, 200, 40), rng.uniform(-50, 320, 40)
        wishes = [(QtCore.QRectF(*box, 120), ["LTE 18.0 MHz 98 %", "LTE"]) for box in zip(lefts, tops, widths)]
        placed = place_labels(wishes, view, 20, lambda text: 8 * len(text))
        assert placed and all(view.contains(rect) for _, rect, _ in placed)
        assert not any(first.intersects(second) for index, (_, first, _) in enumerate(placed)
                       for _, second, _ in placed[:index])


def test_a_label_gets_shorter_before_it_is_left_out():
    box = QtCore.QRectF(0, 0, 150, 24)
    placed = place_labels([(box, ["long text", "short"])] * 3, QtCore.QRectF(0, 0, 150, 100), 20,
                          lambda text: 150 if text == "long text" else 60)
    assert [text for _, _, text in placed] == ["long text"]
    placed = place_labels([(QtCore.QRectF(0, 0, 50, 24), ["long text", "short"])], QtCore.QRectF(0, 0, 100, 100), 20,
                          lambda text: 150 if text == "long text" else 60)
    assert [text for _, _, text in placed] == ["short"]


# Status, pause, storms

@pytest.mark.parametrize("changes, words", [
    ({"coverage": 0.83}, "17 % of the samples were not analysed"), ({"health": "analysis is late"}, "analysis is late"),
    ({"error": "no model"}, "error: no model"), ({"samples_lost": 1234}, "samples lost by the radio")])
def test_trouble_is_red_and_in_words(widget, changes, words):
    widget.set_status({"coverage": 1.0, "health": "ok", **changes})
    assert words in widget.status_label.text() and widget.theme.alarm in widget.status_label.text()


def test_a_good_status_is_not_red_and_losses_are_trouble_once(widget):
    status = {"coverage": 1.0, "health": "ok", "sample_rate": 61.44e6, "samples_lost": 5, "frames_dropped": 0}
    widget.set_status(status)
    widget.set_status(status)
    text = widget.status_label.text()
    assert widget.theme.alarm not in text and "61.44 Msps" in text and "0 frames dropped" in text


def test_status_words_are_text_not_markup(widget):
    widget.set_status({"health": "<b>late</b>"})
    assert "&lt;b&gt;late" in widget.status_label.text()


def test_describe_status_does_with_what_there_is():
    assert describe_status({}) == ([], [])


def test_space_holds_the_picture_and_what_came_meanwhile_is_shown_after(widget):
    draw(widget, (frame_fields(0), blank(value=10), blank()))
    widget.activateWindow()
    widget.setFocus()
    QtTest.QTest.keyClick(widget, QtCore.Qt.Key_Space)
    assert widget.paused
    for number in range(1, 10):
        draw(widget, (frame_fields(number), blank(value=number), blank()))
    assert widget.history.newest.number == 0
    QtTest.QTest.keyClick(widget, QtCore.Qt.Key_Space)
    draw(widget)
    assert not widget.paused and widget.history.newest.number == 9
    assert [strip.end_offset // SAMPLES for strip in widget.history.strips] == [10, 9, 8, 7]


def test_a_storm_of_messages_keeps_the_newest_in_bounded_memory(widget):
    image, mask = blank(), blank()
    for number in range(3000):
        widget.add_frame(frame_fields(number), image, mask)
        widget.add_segment(segment_fields(number, burst_id=number))
        widget.add_segment(segment_fields(number, burst_id=number, label="NR"))
    assert len(widget._frames) == 4 and len(widget._pending_segments) <= waterfall_widget.MAX_PENDING_SEGMENTS
    draw(widget)
    assert widget.history.newest.number == 2999 and len(widget.segments.boxes) <= waterfall_boxes.MAX_BOXES


def test_the_inbox_is_bounded_and_announces_itself_once():
    inbox = Inbox(max_frames=4)
    news = [inbox.put_frame({"pdu_num": number}, None, None) for number in range(100)]
    news += [inbox.put_segment({}) for _ in range(5000)] + [inbox.put_status({"n": n}) for n in range(10)]
    frames, segments, status = inbox.take()
    assert sum(news) == 1 and [fields["pdu_num"] for fields, _, _ in frames] == [96, 97, 98, 99]
    assert len(segments) <= 1024 and status == {"n": 9}
    assert inbox.put_status({}) and inbox.take()[0] == []


def test_a_double_click_asks_for_the_frequency_under_the_mouse(widget):
    draw(widget, (frame_fields(0), blank(), blank()))
    picked = []
    widget.tune_requested.connect(picked.append)
    view = widget.waterfall_plot.getViewBox()
    plots = widget.waterfall_plot.scene().views()[0]
    point = plots.mapFromScene(view.mapViewToScene(QtCore.QPointF((CENTER + 2e6) / 1e6, 10)))
    QtTest.QTest.mouseClick(plots.viewport(), QtCore.Qt.LeftButton, pos=point)
    QtTest.QTest.mouseDClick(plots.viewport(), QtCore.Qt.LeftButton, pos=point)
    QtTest.QTest.mouseRelease(plots.viewport(), QtCore.Qt.LeftButton, pos=point)
    assert picked == [pytest.approx(CENTER + 2e6, abs=RATE / 500)]


# In GNU Radio

class Poster(gr.basic_block):
    """Sends messages from a thread that is not Qt's."""

    def __init__(self):
        gr.basic_block.__init__(self, name="poster", in_sig=None, out_sig=None)
        for port in ("frames", "segments", "status"):
            self.message_port_register_out(pmt.intern(port))

    def post(self, port, message):
        self.message_port_pub(pmt.intern(port), message)


class Listener(gr.basic_block):
    """Keeps the messages it gets."""

    def __init__(self):
        gr.basic_block.__init__(self, name="listener", in_sig=None, out_sig=None)
        self.messages = []
        self.message_port_register_in(pmt.intern("in"))
        self.set_msg_handler(pmt.intern("in"), self.keep)

    def keep(self, message):
        self.messages.append(message)


@pytest.fixture
def flowgraph(app):
    """(poster, waterfall block, listener on its freq port) in a running top block."""
    top, poster, block, listener = gr.top_block(), Poster(), waterfall_overlay(history_frames=4), Listener()
    for port in ("frames", "segments", "status"):
        top.msg_connect(poster, port, block, port)
    top.msg_connect(block, "freq", listener, "in")
    top.start()
    yield poster, block, listener
    top.stop()
    top.wait()
    block.widget().close()


def wait_for(app, condition, seconds=5.0):
    """Run Qt until something holds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not condition():
        app.processEvents()
        time.sleep(0.01)
    assert condition()


def frame_pdu(number, **changes):
    fields = frame_fields(number, **changes)
    return pdu.make_pdu({**fields, "mask": blank(value=LTE)}, blank(value=number))


def test_messages_of_a_running_flowgraph_reach_the_screen(app, flowgraph):
    poster, block, _ = flowgraph
    widget = block.widget()
    widget.show()
    sender = threading.Thread(target=lambda: [poster.post("frames", frame_pdu(number)) for number in range(3)]
                              + [poster.post("segments", pdu.make_pdu(segment_fields(2))),
                                 poster.post("status", pdu.make_pdu({"coverage": 0.5}))])
    sender.start()
    sender.join()
    wait_for(app, lambda: widget.history.newest is not None and widget.history.newest.number == 2)
    wait_for(app, lambda: len(widget.segments.boxes) == 1 and "50 %" in widget.status_label.text())


def test_bad_messages_do_not_end_the_flowgraph(app, flowgraph):
    poster, block, _ = flowgraph
    widget = block.widget()
    bad = [pmt.PMT_NIL, pmt.intern("x"), pmt.cons(pmt.make_dict(), pmt.PMT_NIL), pdu.make_pdu({}), pdu.make_pdu(
        {**frame_fields(), "mask": blank(2, 2)}, blank()), frame_pdu(0, rows=63), frame_pdu(0, rows="many")]
    for port in ("frames", "segments", "status"):
        for message in bad:
            poster.post(port, message)
    poster.post("frames", frame_pdu(7))
    wait_for(app, lambda: widget.history.newest is not None and widget.history.newest.number == 7)


def test_messages_before_the_widget_are_kept_for_it(app, flowgraph):
    poster, block, _ = flowgraph
    for number in range(20):
        poster.post("frames", frame_pdu(number))
    time.sleep(0.3)
    widget = block.widget()
    wait_for(app, lambda: widget.history.newest is not None and widget.history.newest.number == 19)


def test_the_picked_frequency_is_sent_as_an_exact_double(app, flowgraph):
    _, block, listener = flowgraph
    block.widget().tune_requested.emit(2.4e9 + 1)
    wait_for(app, lambda: listener.messages)
    assert pmt.to_double(pmt.dict_ref(listener.messages[0], pmt.intern("freq"), pmt.PMT_NIL)) == 2.4e9 + 1


def test_alpha_can_be_set_from_another_thread(app, flowgraph):
    _, block, _ = flowgraph
    widget = block.widget()
    thread = threading.Thread(target=block.set_alpha, args=(0.7,))
    thread.start()
    thread.join()
    wait_for(app, lambda: widget.alpha == 0.7)


def test_the_widget_is_always_the_same_one(flowgraph):
    assert flowgraph[1].widget() is flowgraph[1].widget()


def test_a_widget_from_another_thread_is_refused_in_words(flowgraph):
    errors = []

    def build():
        try:
            flowgraph[1].widget()
        except RuntimeError as error:
            errors.append(str(error))

    thread = threading.Thread(target=build)
    thread.start()
    thread.join()
    assert len(errors) == 1 and "outside the Qt thread" in errors[0]


def run_python(code):
    """A fresh interpreter, since this one has a QApplication."""
    return subprocess.run([sys.executable, "-c", f"import sys; sys.path.insert(0, {str(PYTHON_FOLDER)!r})\n{code}"],
                          capture_output=True, text=True, timeout=60)


def test_a_widget_before_the_application_is_refused_and_does_not_abort():
    result = run_python("from gnuradio.rpmsn.waterfall_overlay import waterfall_overlay\n"
                        "try:\n    waterfall_overlay().widget()\nexcept RuntimeError as error:\n    print(error)")
    assert result.returncode == 0 and "before there is a QApplication" in result.stdout


def test_the_block_is_imported_and_made_without_qt():
    result = run_python("from gnuradio.rpmsn.waterfall_overlay import waterfall_overlay\nwaterfall_overlay()\n"
                        "assert not any(name.startswith(('PyQt', 'pyqtgraph', 'torch')) for name in sys.modules)")
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("library", ["PyQt5", "pyqtgraph"])
def test_a_missing_library_says_how_to_install_it(library):
    application = "" if library == "PyQt5" else "from PyQt5 import QtWidgets; app = QtWidgets.QApplication([])\n"
    result = run_python(f"{application}sys.modules[{library!r}] = None\n"
                        "from gnuradio.rpmsn.waterfall_overlay import waterfall_overlay\n"
                        "from rpmsn.errors import MissingLibraryError\n"
                        "try:\n    waterfall_overlay().widget()\n"
                        "except MissingLibraryError as error:\n    print(error)")
    assert result.returncode == 0 and "pip install 'gr-rpmsn[gui]'" in result.stdout, result.stderr
