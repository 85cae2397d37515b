# SPDX-License-Identifier: GPL-3.0-or-later
"""The waterfall draws what it was given, where its axes say, in bounded memory, and skips what is not right."""

from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("pmt", reason="GNU Radio is not installed")
QtWidgets = pytest.importorskip("PyQt5.QtWidgets", reason="PyQt5 is not installed")
pytest.importorskip("pyqtgraph", reason="pyqtgraph is not installed")

from PyQt5 import QtCore, QtGui
from waterfall_scene import (  # noqa: F401
    CENTER,
    FRAME_SECONDS,
    RATE,
    SAMPLES,
    START_TIME,
    a_frame,
    app,
    blank,
    color_at,
    column_frequency,
    draw,
    frame_fields,
    segment_fields,
    widget,
)

from rpmsn.classes import CLASS_COLORS, LTE, NR, OTHER
from rpmsn.errors import ParameterError
from rpmsn.gui.theme import pixel_colors
from rpmsn.gui.waterfall import boxes as waterfall_boxes
from rpmsn.gui.waterfall import history as waterfall_history
from rpmsn.gui.waterfall.box_layer import place_labels
from rpmsn.gui.waterfall.boxes import SegmentBoxes, part_overlaps
from rpmsn.gui.waterfall.history import CHUNK_ROWS, CLOCK, DROPPED, LOST, MAX_TIER_BYTES, SKIP, TUNED, History, is_full
from rpmsn.gui.waterfall.picture import shrink
from rpmsn.gui.waterfall.settings import COLOR_MAP_NAMES, Settings
from rpmsn.gui.waterfall.spectrum import SpectrumLines
from rpmsn.gui.waterfall.status import ENDED, SOURCE_STATE
from rpmsn.gui.waterfall.time_axis import TimeAxis, format_time, round_up_time
from rpmsn.gui.waterfall.widget import WaterfallWidget
from rpmsn.messages.frame import mean_spectrum, reduce_rows
from rpmsn.messages.report import check_report

# History


def filled_history(*frames, rows_per_frame=32):
    history = History(rows_per_frame)
    for frame in frames:
        history.push(frame)
    return history


def test_newest_rows_are_highest_and_time_runs_up():
    history = filled_history(a_frame(0, blank(value=10)), a_frame(1, blank(value=20)))
    [chunk] = history.chunks
    assert chunk.image[0, 0] == 10 and chunk.image[32, 0] == 20 and chunk.rows == 64
    assert history.time_of_y(history.newest_y) == pytest.approx(START_TIME + 0.08, abs=1e-6)
    assert history.time_of_y(history.oldest_y) == pytest.approx(START_TIME, abs=1e-6)
    assert history.y_of_sample(SAMPLES) == pytest.approx(FRAME_SECONDS)
    assert history.y_of_time(START_TIME + 0.06) == pytest.approx(0.06, abs=1e-6)


def test_reduced_rows_keep_short_bursts_mean_power_and_the_class_of_the_majority():
    image, mask = blank(256), np.zeros((256, 64), np.uint8)
    image[9, 3] = 200
    mask[8:13, 3] = LTE
    mask[13:16, 3] = NR
    rows, means, classes = reduce_rows(a_frame(0, image, mask), 32)
    assert rows.shape == (32, 64) and rows[1, 3] == 200 and classes[1, 3] == LTE and classes[0, 3] == 0
    mean_db = 10 * np.log10((10**3.5 + 7 * 10**-0.5) / 8)
    assert -5 + means[1, 3] / 5 == pytest.approx(mean_db, abs=0.1)


@pytest.mark.parametrize("n_rows, rows", [(1, 32), (31, 32), (100, 32), (256, 7)])
def test_any_number_of_rows_can_be_reduced(n_rows, rows):
    for array in reduce_rows(a_frame(0, blank(n_rows, value=5), blank(n_rows, value=1)), rows)[:2]:
        assert array.shape == (min(n_rows, rows), 64) and (array == 5).all()


def test_dropped_signal_leaves_a_break_and_right_times():
    history = filled_history(a_frame(0), a_frame(3, pdu_num=1))
    [found] = history.breaks
    assert found.kind == DROPPED and found.seconds == pytest.approx(0.08) and found.text == "80 ms not analysed"
    assert history.time_of_y(found.y1) == pytest.approx(START_TIME + 0.12, abs=1e-6)
    assert history.time_of_y(found.y0) == pytest.approx(START_TIME + 0.04, abs=1e-6)


def test_what_the_radio_lost_is_distinguished_from_what_was_dropped():
    [found] = filled_history(a_frame(0), a_frame(1, rx_time=(int(START_TIME) + 3, 0.0))).breaks
    assert found.kind == LOST and found.text == "2.46 s lost by the radio"


def test_frames_analysed_but_not_sent_leave_a_mere_line():
    history = filled_history(a_frame(0), a_frame(3))
    assert not history.breaks and [skip.kind for skip in history.skips] == [SKIP]
    assert history.newest_y == pytest.approx(2 * FRAME_SECONDS)
    assert history.time_of_y(history.newest_y) == pytest.approx(START_TIME + 4 * FRAME_SECONDS, abs=1e-6)


def test_what_is_left_out_on_purpose_is_not_called_dropped():
    history = filled_history(a_frame(0))
    history.duty_cycled = True
    history.push(a_frame(3, pdu_num=1))
    assert not history.breaks and len(history.skips) == 1


def test_a_clock_that_goes_back_is_reported():
    history = filled_history(a_frame(0), a_frame(1, rx_time=(int(START_TIME) - 5, 0.0)))
    assert [found.kind for found in history.breaks] == [CLOCK] and "goes back" in history.breaks[0].text


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"center_frequency": 2.41e9}, "tuned to 2410 MHz"),
        ({"sample_rate": 20e6, "end_offset": 3 * SAMPLES}, "sample rate now 20"),
        ({"db_max": 60.0}, "scale"),
    ],
)
def test_rows_stay_under_their_own_axes(changes, words):
    history = filled_history(a_frame(0, blank(value=10)), a_frame(1, blank(value=20), **changes))
    assert [found.kind for found in history.breaks] == [TUNED] and words in history.breaks[0].text
    older, newer = history.chunks
    assert older.scale == a_frame(0).scale and newer.scale != older.scale and older.image[0, 0] == 10


def test_what_was_lost_during_a_retune_is_hatched_and_both_are_reported():
    later = (int(START_TIME) + 6, 0.0)
    [found] = filled_history(a_frame(0), a_frame(1, center_frequency=CENTER + 2e6, rx_time=later)).breaks
    assert found.kind == LOST and found.text == "5.46 s lost by the radio, tuned to 2402 MHz"


def test_a_stream_that_restarts_clears_the_picture():
    history = filled_history(a_frame(5), a_frame(0))
    assert history.newest_y == pytest.approx(FRAME_SECONDS) and len(history.chunks) == 1


def test_a_snapshot_stays_as_it_is():
    history = filled_history(a_frame(0, blank(value=10)))
    held = history.snapshot()
    history.push(a_frame(1, blank(value=20)))
    assert held.newest_y == pytest.approx(FRAME_SECONDS) and held.chunks[0].rows == 32
    assert (held.chunks[0].image[:32] == 10).all()


def hour_of_frames(hours=1.2, seconds=2.0, **changes):
    """Frames of 2 s that carry their number in the image."""
    for number in range(round(hours * 3600 / seconds)):
        start = number * seconds
        yield a_frame(
            0,
            blank(value=number % 256),
            pdu_num=number,
            start_offset=round(start * RATE),
            end_offset=round((start + seconds) * RATE),
            duration=seconds,
            rx_time=(int(START_TIME), START_TIME % 1 + start),
            **changes,
        )


def test_an_hour_is_kept_in_bounded_memory_coarser_when_older(monkeypatch):
    monkeypatch.setattr(waterfall_history, "MAX_TIER_ROWS", 2048)
    history = filled_history(*hour_of_frames())
    assert 3600 <= history.newest_y - history.oldest_y < 3700
    assert history.nbytes < 4 * 2048 * 3 * 64
    heights = [chunk.row_height for chunk in history.chunks]
    assert heights[-1] == pytest.approx(2 / 32) and heights == sorted(heights, reverse=True) and heights[0] > 0.4


def test_times_and_rows_are_right_also_where_rows_are_coarse(monkeypatch):
    monkeypatch.setattr(waterfall_history, "MAX_TIER_ROWS", 512)
    history = filled_history(*hour_of_frames(0.5))
    for seconds in (100.0, 900.3, 1500.7, 1799.0):
        y = float(history.y_of_time(START_TIME + seconds))
        assert history.time_of_y(y) == pytest.approx(START_TIME + seconds, abs=1e-4)
        chunk = history.at(y)
        assert abs(int(chunk.image[chunk.row_of(y), 0]) - seconds // 2 % 256) <= chunk.row_height / 2 + 1


def test_rows_of_several_resolutions_lie_side_by_side_in_bounded_memory():
    """Other columns draw no line; heights, times and powers go on, also when the rows are merged."""
    history = History(8)
    for number in range(600):
        columns = (256, 1024, 16384)[number // 100 % 3]
        history.push(a_frame(number, blank(max(1, 65536 // columns), columns, 100)))
    assert not history.breaks
    assert {chunk.scale.columns for chunk in history.chunks} == {256, 1024, 16384}
    assert history.newest_y == pytest.approx(600 * FRAME_SECONDS)
    for number in (5, 150, 250, 599):
        assert history.y_of_sample(number * SAMPLES) == pytest.approx(number * FRAME_SECONDS, abs=0.04)
    for tier in history.tiers:
        assert not is_full(tier)
    assert history.nbytes < len(history.tiers) * (MAX_TIER_BYTES + 3 * CHUNK_ROWS * 16384)
    over_noise = [
        history.power_between((CENTER - 3e6, CENTER + 3e6), (4 * second, 4 * second + 4))[1] for second in range(6)
    ]
    assert over_noise == pytest.approx([-5 + 100 / 255 * 51] * 6, abs=0.2)


def test_breaks_of_every_frame_for_an_hour_stay_bounded(monkeypatch):
    monkeypatch.setattr(waterfall_history, "MAX_TIER_ROWS", 512)
    history = History(8)
    for number in range(4000):
        history.push(a_frame(2 * number, blank(8), pdu_num=number))
    assert len(history.breaks) <= waterfall_history.MAX_BREAKS and len(history.chunks) < 1000


def test_frames_that_are_sent_now_and_then_can_be_merged(monkeypatch):
    monkeypatch.setattr(waterfall_history, "MAX_TIER_CHUNKS", 32)
    history = History(8)
    for number in range(0, 2000, 5):  # one of five frames is sent
        history.push(a_frame(number, blank(8)))
    assert len(history.chunks) < 50 and history.newest_y - history.oldest_y == pytest.approx(400 * FRAME_SECONDS)
    for number in (100, 1000, 1900):
        y = number / 5 * FRAME_SECONDS + FRAME_SECONDS / 2
        assert history.time_of_y(y) == pytest.approx(START_TIME + (number + 0.5) * FRAME_SECONDS, abs=5 * FRAME_SECONDS)


def test_coarse_rows_keep_the_strongest_power():
    frames = [a_frame(number, blank(8, value=10)) for number in range(3)]
    frames[1].image[4, 5] = 250
    [chunk] = filled_history(*frames, rows_per_frame=8).chunks
    coarse = waterfall_history.merged([chunk])
    assert coarse.rows == 3 and coarse.image[:, 5].tolist() == [10, 250, 10] and coarse.mean[1, 5] < 220
    assert (coarse.start_time, coarse.end_time) == (chunk.start_time, chunk.end_time)


# What is refused


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"sample_rate": 0.0}, "sample_rate"),
        ({"center_frequency": float("nan")}, "center_frequency"),
        ({"duration": -1.0}, "duration"),
        ({"end_offset": 0}, "without extent"),
        ({"db_max": -5.0}, "without extent"),
        ({"rx_time": (10**19, 0.0)}, "rx_time"),
        ({"rx_time": 5.0}, "wrong kind"),
        ({"classes": None}, "wrong kind"),
        ({"start_offset": float("inf")}, "wrong kind"),
        ({"end_offset": 10**400}, "without extent"),
        ({"sample_rate": "fast"}, "fast"),
    ],
)
def test_bad_fields_of_a_frame_are_named(changes, words):
    with pytest.raises(ValueError, match=words):
        a_frame(0, **changes)


@pytest.mark.parametrize(
    "image, mask",
    [
        (blank(), blank(64, 32)),
        (blank().astype(float), blank()),
        (blank().ravel(), blank().ravel()),
        (blank(64, 1), blank(64, 1)),
        (None, blank()),
        (blank(0), blank(0)),
    ],
)
def test_arrays_that_are_no_picture_are_skipped(widget, image, mask, caplog):
    assert widget.add_frame(frame_fields(), image, mask) is False
    assert "frame skipped" in caplog.text


@pytest.mark.parametrize("key", ["center_frequency", "rx_time", "classes", "start_offset", "pdu_num"])
def test_a_frame_that_lacks_a_key_is_skipped(widget, key, caplog):
    fields = frame_fields()
    del fields[key]
    assert widget.add_frame(fields, blank(), blank()) is False
    assert key in caplog.text


@pytest.mark.parametrize(
    "changes",
    [
        {"freq_lower": float("nan")},
        {"freq_upper": 0.0},
        {"end_offset": 0},
        {"confidence": None},
        {"start_offset": "soon"},
        {"burst_id": "first"},
        {"end_offset": 10**400},
    ],
)
def test_a_bad_segment_is_skipped(widget, changes, caplog):
    assert widget.add_segment(segment_fields(**changes)) is False
    assert "segment skipped" in caplog.text


def test_a_bad_status_is_skipped(widget, caplog):
    assert widget.set_status({"coverage": "all"}) is False
    assert "status skipped" in caplog.text


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"theme": "blue"}, "dark, light"),
        ({"alpha": 2.0}, "alpha of the waterfall is 2"),
        ({"history_frames": 0}, "0"),
        ({"rows_per_frame": 10_000}, "8192"),
        ({"color_map": "jet"}, "viridis"),
        ({"levels": (10, 5)}, "levels"),
        ({"classes": ["GSM"]}, "LTE, NR, other"),
        ({"classes": [{}, []]}, "LTE, NR, other"),
        ({"alpha": 10**400}, "alpha"),
        ({"newest": "left"}, "top, bottom"),
        ({"boxes": 1}, "True or False"),
    ],
)
def test_parameters_that_cannot_work_are_named(app, changes, words):
    with pytest.raises(ParameterError, match=words):
        WaterfallWidget(**changes)


# Pixels


def test_a_pixel_is_where_the_axes_say(widget):
    image = blank()
    image[10:12, 40] = 255  # 2 of 64 rows, so one row of the picture: 40 ms * 10 / 64 after the frame's start
    draw(widget, (frame_fields(), image, blank()))
    y, row = FRAME_SECONDS * 11 / 64, FRAME_SECONDS / 32
    assert min(color_at(widget, column_frequency(40), y)) > 240
    for frequency, height in (
        (column_frequency(38), y),
        (column_frequency(42), y),
        (column_frequency(40), y + 2 * row),
        (column_frequency(40), y - 2 * row),
        (column_frequency(24), y),
        (column_frequency(40), FRAME_SECONDS - y),
    ):
        assert max(color_at(widget, frequency, height)) < 60


def test_a_column_is_centred_on_its_frequency(widget):
    image = blank()
    image[:, 32] = 255
    draw(widget, (frame_fields(), image, blank()))
    width = RATE / 64
    for offset, is_bright in ((-0.6, False), (-0.4, True), (0.4, True), (0.6, False)):
        assert (min(color_at(widget, CENTER + offset * width, FRAME_SECONDS / 2)) > 200) == is_bright


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("color_map", COLOR_MAP_NAMES)
def test_on_every_map_of_power_lte_is_blue_and_nr_orange(color_map, theme):
    scale = a_frame().scale
    colors = pixel_colors(Settings(color_map=color_map, theme=theme), scale).reshape(-1, 256)
    red, green, blue = colors >> 16 & 255, colors >> 8 & 255, colors & 255
    assert (blue[LTE] > green[LTE]).all() and (green[LTE] > red[LTE]).all()
    assert (red[NR] > green[NR]).all() and (green[NR] > blue[NR]).all()
    plain = pixel_colors(Settings(color_map=color_map, theme=theme, alpha=0.0), scale).reshape(-1, 256)
    assert (plain[LTE] == plain[0]).all(), "where classes do not cover, the map is seen"


def test_every_class_has_its_color(widget):
    widget.apply_settings({"alpha": 1.0})
    mask = blank()
    mask[:, 8:16], mask[:, 24:32], mask[:, 40:48] = LTE, NR, OTHER
    draw(widget, (frame_fields(), blank(), mask))
    for column, name in ((12, "LTE"), (28, "NR"), (44, "other")):
        assert color_at(widget, column_frequency(column), FRAME_SECONDS / 2) == CLASS_COLORS[name]
    assert color_at(widget, column_frequency(20), FRAME_SECONDS / 2) == (0, 0, 0)


def test_the_line_over_frames_that_were_not_sent_is_faint(widget):
    draw(widget, (frame_fields(0), blank(value=255), blank()), (frame_fields(3), blank(value=255), blank()))
    reds = {color_at(widget, CENTER + 1e5, FRAME_SECONDS + step * 1e-4)[0] for step in range(-5, 6)}
    assert 150 < min(reds) < 230 and max(reds) == 255


def test_breaks_are_hatched_and_have_words(widget):
    draw(widget, (frame_fields(0), blank(value=255), blank()), (frame_fields(3, pdu_num=1), blank(value=255), blank()))
    [found] = widget.history.breaks
    middle = (found.y0 + found.y1) / 2
    colors = {color_at(widget, CENTER + step * 1.2e4, middle) for step in range(34)}
    assert len(colors) >= 2 and (255, 255, 255) not in colors
    assert "80 ms not analysed" in widget.status_bar.state_label.text()


def test_classes_are_those_of_the_models_names_not_of_its_numbers(widget):
    widget.apply_settings({"alpha": 1.0})
    draw(widget, (frame_fields(classes=["NR", "noise"]), blank(), blank()))
    assert color_at(widget, CENTER + 1e5, FRAME_SECONDS / 2) == CLASS_COLORS["NR"]


def test_check_boxes_hide_classes_and_bring_them_back(widget):
    widget.apply_settings({"alpha": 1.0})
    mask = blank()
    mask[:, :32], mask[:, 32:] = LTE, NR
    draw(widget, (frame_fields(), blank(), mask))
    lte, nr, y = column_frequency(10), column_frequency(50), FRAME_SECONDS / 2
    widget.controls.class_boxes["LTE"].setChecked(False)
    assert color_at(widget, lte, y) == (0, 0, 0) and color_at(widget, nr, y) == CLASS_COLORS["NR"]
    widget.controls.class_boxes["LTE"].setChecked(True)
    assert color_at(widget, lte, y) == CLASS_COLORS["LTE"]


def test_less_alpha_lets_power_through(widget):
    draw(widget, (frame_fields(), blank(value=255), blank(value=LTE)))
    widget.controls.alpha_slider.setValue(0)
    assert color_at(widget, CENTER + 1e5, FRAME_SECONDS / 2) == (255, 255, 255)
    widget.controls.alpha_slider.setValue(50)
    expected = (np.array(CLASS_COLORS["LTE"]) + 255) / 2
    np.testing.assert_allclose(color_at(widget, CENTER + 1e5, FRAME_SECONDS / 2), expected, atol=3)


def test_levels_are_decibels(widget):
    draw(widget, (frame_fields(), blank(value=125), blank()))  # 20 dB
    for levels, color in (((10.0, 20.0), 255), ((20.0, 30.0), 0)):
        widget.apply_settings({"levels": levels})
        assert color_at(widget, CENTER + 1e5, FRAME_SECONDS / 2) == (color,) * 3


def test_autoscale_fits_the_levels_to_the_picture(widget):
    image = blank(value=100)
    image[:, :32] = 150
    draw(widget, (frame_fields(), image, blank()))
    widget.autoscale()
    assert widget.settings()["levels"] == [14.0, 26.0]  # 15 and 25 dB


def test_rows_before_a_retune_stay_at_their_own_frequency(widget):
    image = blank()
    image[:, 40] = 255
    draw(widget, (frame_fields(0), image, blank()))
    draw(widget, (frame_fields(1, center_frequency=CENTER + 2e6), image, blank()))
    assert min(color_at(widget, column_frequency(40), FRAME_SECONDS / 2)) > 240
    assert min(color_at(widget, column_frequency(40) + 2e6, FRAME_SECONDS * 1.5)) > 240
    assert max(color_at(widget, column_frequency(40), FRAME_SECONDS * 1.5)) < 60
    low, high = widget.waterfall_plot.viewRange()[0]
    assert (low + high) / 2 == pytest.approx((CENTER + 2e6 - RATE / 128) / 1e6)


def test_a_radio_that_scans_is_shown_as_a_whole(widget):
    for number in range(12):
        shift = 8e6 * (number % 3)
        draw(widget, (frame_fields(number, center_frequency=CENTER + shift), blank(), blank()))
    low, high = widget.waterfall_plot.viewRange()[0]
    assert low == pytest.approx((CENTER - RATE / 2 - RATE / 128) / 1e6)
    assert high == pytest.approx((CENTER + RATE / 2 - RATE / 128 + 16e6) / 1e6)


@pytest.mark.parametrize("seconds", [0.003, FRAME_SECONDS])
def test_a_short_recording_fills_the_picture_when_it_is_over(widget, seconds):
    samples = round(seconds * RATE)
    frame = frame_fields(0, end_offset=samples, duration=seconds)
    draw(widget, (frame, blank(value=255), blank()))
    low, high = widget.waterfall_plot.viewRange()[1]
    assert high - low > 2 * seconds
    widget.set_status({SOURCE_STATE: ENDED})
    draw(widget)
    assert widget.waterfall_plot.viewRange()[1] == pytest.approx([0.0, seconds], abs=seconds / 100)
    # It plays again: as much is in view as at first.
    widget.clear()
    draw(widget, (frame, blank(value=255), blank()))
    assert widget.waterfall_plot.viewRange()[1] == pytest.approx([low, high], abs=seconds / 100)


def test_newest_at_the_bottom_turns_the_picture(widget):
    draw(widget, (frame_fields(0), blank(value=255), blank()), (frame_fields(1), blank(), blank()))
    view = widget.waterfall_plot.getViewBox()
    for newest, is_higher in (("top", True), ("bottom", False)):
        widget.apply_settings({"newest": newest})
        old, new = (view.mapViewToScene(QtCore.QPointF(CENTER / 1e6, y)).y() for y in (0.02, 0.06))
        assert (new < old) == is_higher
        assert min(color_at(widget, CENTER, 0.02)) > 240 and max(color_at(widget, CENTER, 0.06)) < 20


def test_a_pixel_shows_the_strongest_of_what_falls_on_it():
    image = np.zeros((10, 9), np.uint8)
    image[5, 4] = 7
    assert shrink(image, 4, 2).shape == (3, 5) and shrink(image, 4, 2)[1, 2] == 7


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_weak_power_has_the_ground_of_the_theme(widget, theme):
    widget.apply_settings({"theme": theme})
    draw(widget, (frame_fields(), blank(), blank()))
    assert (color_at(widget, CENTER, FRAME_SECONDS / 2)[0] < 100) == (theme == "dark")


def test_settings_go_out_and_come_back(widget):
    changes = {
        "theme": "light",
        "alpha": 0.7,
        "classes": ["NR"],
        "newest": "bottom",
        "levels": [0.0, 30.0],
        "spectrum": False,
        "color_map": "cividis",
    }
    widget.apply_settings({**changes, "of a later version": 1})
    assert changes.items() <= widget.settings().items()
    other = WaterfallWidget()
    other.apply_settings(widget.settings())
    assert other.settings() == widget.settings()


def test_changes_of_settings_are_signalled_once(widget):
    signalled = []
    widget.settings_changed.connect(signalled.append)
    widget.controls.class_boxes["NR"].setChecked(False)
    widget.apply_settings({"classes": ["LTE", "other"]})
    assert signalled == [widget.settings()] and signalled[0]["classes"] == ["LTE", "other"]


def test_settings_that_are_not_right_change_nothing(widget):
    before = widget.settings()
    with pytest.raises(ParameterError, match="theme"):
        widget.apply_settings({"alpha": 0.9, "theme": "pink"})
    assert widget.settings() == before


# Spectrum


def test_the_spectrum_averages_power_not_decibels():
    image = blank(2, 64)
    image[:] = [[255], [0]]  # 46 dB and -5 dB
    assert 10 * np.log10(mean_spectrum(a_frame(0, image))[0]) == pytest.approx(46 - 10 * np.log10(2), abs=0.01)


def test_average_and_max_hold():
    lines = SpectrumLines()
    for number in range(200):
        lines.add(a_frame(number, blank(value=255 if number == 0 else 25)))
    assert lines.max_hold[0] == pytest.approx(46) and lines.newest[0] == pytest.approx(0, abs=0.01)
    assert 0 < lines.average[0] < 15
    lines.add(a_frame(200, blank(value=25), center_frequency=CENTER + 1e6))
    assert lines.max_hold[0] == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize(
    "center, words", [(CENTER, ("MHz", "Frequency, MHz")), (0.0, ("offset, MHz", "Offset from centre, MHz"))]
)
def test_the_frequency_axis_says_what_it_counts_from(widget, center, words):
    assert set(widget.waterfall_plot.getAxis("bottom").tickStrings([0.1, 0.2], 1.0, 0.1)) == {" "}, "nothing is there"
    draw(widget, (frame_fields(center_frequency=center), blank(), blank()))
    unit, axis = widget.unit_label, widget.waterfall_plot.getAxis("bottom")
    assert (unit.text, unit.toolTip()) == words
    assert unit.sceneBoundingRect().right() <= axis.sceneBoundingRect().left() + 1
    width = QtGui.QFontMetrics(QtWidgets.QApplication.font()).horizontalAdvance(unit.text)
    assert width < unit.rect().width() - unit.MARGIN, "all of it is seen"
    views = [plot.getViewBox().sceneBoundingRect() for plot in (widget.spectrum.plot, widget.waterfall_plot)]
    assert views[0].left() == pytest.approx(views[1].left(), abs=1), "frequencies stand in line"
    low, high = widget.waterfall_plot.viewRange()[0]
    lower = center - RATE / 2 - RATE / 128
    assert (low, high) == pytest.approx((lower / 1e6, (lower + RATE) / 1e6))


@pytest.mark.parametrize(
    ("center", "rate", "texts"),
    [
        (1822.4e6, 1.92e6, {"1821.6", "1822.0", "1823.2"}),
        (24_250e6, 0.1e6, {"24249.96", "24250.00"}),
        (1842.5e6, 61.44e6, {"1820", "1850"}),
    ],
)
def test_frequencies_have_as_many_decimals_as_tell_them_apart(widget, center, rate, texts):
    widget.resize(1280, 600)
    draw(widget, (frame_fields(center_frequency=center, sample_rate=rate), blank(), blank()))
    axis, picture = widget.waterfall_plot.getAxis("bottom"), QtGui.QPicture()
    painter = QtGui.QPainter(picture)
    *_, drawn = axis.generateDrawSpecs(painter)
    painter.end()
    shown = [text for _, _, text in drawn]
    assert texts <= set(shown) and len(set(shown)) == len(shown)
    assert len({len(text.partition(".")[2]) for text in shown}) == 1


# Time axis


def test_times_of_a_short_part_fit_beside_the_picture_and_the_axis_says_their_minute(widget):
    draw(widget, *[(frame_fields(number), blank(), blank()) for number in range(8)])
    widget.resize(900, 1400)
    widget.waterfall_plot.setYRange(0.1, 0.106, padding=0)
    QtWidgets.QApplication.processEvents()
    axis = widget.time_axis
    [(_, heights)] = axis.tickValues(0.1, 0.106, axis.height())
    texts = axis.tickStrings(heights, 1, None)
    assert axis.labelText == "UTC 2024-05-01, radio's clock, s after 12:03"
    assert len(texts) > 5
    for height, text in zip(heights, texts):
        assert float(text) == pytest.approx(7.5 + height, abs=1e-6)
    label, width = axis.label.boundingRect().height(), widget.fontMetrics().horizontalAdvance(max(texts, key=len))
    assert label + width < axis.width()
    widget.waterfall_plot.setYRange(0.0, 0.32, padding=0)
    assert axis.labelText == "UTC 2024-05-01, radio's clock"


@pytest.mark.parametrize("gap", [False, True])
def test_the_clock_at_a_tick_is_the_time_of_its_row(widget, gap):
    for number in (0, 1, 4 if gap else 2):
        draw(widget, (frame_fields(number, pdu_num=min(number, 2)), blank(), blank()))
    axis = widget.time_axis
    [(_, ticks)] = axis.tickValues(0, widget.history.newest_y, 500)
    assert len(ticks) >= 2
    for y, text in zip(ticks, axis.tickStrings(ticks, 1, 1)):
        seconds = sum(float(part) * unit for part, unit in zip(text.split(":"), (3600, 60, 1)))
        times = [float(widget.history.time_of_y(y + step)) % 86400 for step in (-1e-9, 1e-9)]
        assert min(abs(seconds - time) for time in times) < 0.0006


def test_no_round_time_is_left_out_where_a_clock_gains(widget):
    """That of a computer is set right now and then, by milliseconds."""
    for number in range(60):
        seconds = START_TIME + 0.043 * number
        fields = frame_fields(number, rx_time=(int(seconds), seconds % 1), time_source="host")
        draw(widget, (fields, blank(), blank()))
    axis = widget.time_axis
    assert is_evenly_spread(axis, widget.history.newest_y, 900)


def is_evenly_spread(axis, newest_y, size):
    """Whether there are three ticks at least, and all as far apart in time."""
    [(_, ticks)] = axis.tickValues(0, newest_y, size)
    seconds = [float(text.split(":")[-1]) for text in axis.tickStrings(ticks, 1, 1)]
    return len(ticks) >= 3 and np.diff(seconds) == pytest.approx([seconds[1] - seconds[0]] * (len(ticks) - 1))


@pytest.mark.parametrize("size", range(400, 1000, 40))
def test_ticks_are_evenly_spread_where_a_clock_gains_in_one_half_of_the_picture(size, app):
    starts = [START_TIME + 0.04 * number + 0.01 * max(0, number - 50) for number in range(100)]
    chunks = [
        SimpleNamespace(
            y0=0.04 * number, y1=0.04 * (number + 1), start_time=time, end_time=time + 0.04, row_height=0.005
        )
        for number, time in enumerate(starts)
    ]
    axis = TimeAxis(SimpleNamespace(between=lambda low, high: chunks))
    assert is_evenly_spread(axis, 4.0, size)


def test_ticks_are_spread_over_a_recording_that_is_repeated(widget):
    for number in range(8):
        begin = frame_fields((number + 1) % 3)["rx_time"]
        draw(widget, (frame_fields(number, rx_time=begin), blank(), blank()))
    [(_, ticks)] = widget.time_axis.tickValues(0, 8 * FRAME_SECONDS, 2000)
    apart = np.diff(sorted(ticks)) * 2000 / (8 * FRAME_SECONDS)
    assert len(ticks) >= 3 and apart.min() >= 40 and apart.max() <= 1000


def test_times_count_from_the_start_where_that_is_asked_for(widget):
    draw(widget, *[(frame_fields(number), blank(), blank()) for number in range(8)])
    widget.apply_settings({"from_start": True})
    [(_, heights)] = widget.time_axis.tickValues(0, 8 * FRAME_SECONDS, 500)
    texts = widget.time_axis.tickStrings(heights, 1, None)
    assert widget.time_axis.labelText == "Time from the start" and "00:00:00.10" in texts
    for height, text in zip(heights, texts):
        assert float(text.split(":")[-1]) == pytest.approx(height, abs=0.001)
    widget.set_start_time(START_TIME + 0.2)
    [(_, heights)] = widget.time_axis.tickValues(0, 8 * FRAME_SECONDS, 500)
    assert "-00:00:00.10" in widget.time_axis.tickStrings(heights, 1, None)
    widget.apply_settings({"from_start": False})
    assert widget.time_axis.labelText.startswith("UTC 2024-05-01")


def test_the_date_is_that_of_the_newest_row_in_view(widget):
    midnight = 1_714_608_000  # 2024-05-02
    for number in range(20):
        begin = midnight - 0.4 + number * FRAME_SECONDS
        draw(widget, (frame_fields(number, rx_time=(int(begin), begin % 1)), blank(), blank()))
    assert widget.time_axis.labelText == "UTC 2024-05-02, radio's clock"
    widget.scroll_bar.setValue(60)
    draw(widget)
    widget._update_picture()
    assert widget.time_axis.labelText == "UTC 2024-05-01, radio's clock"


@pytest.mark.parametrize("value, expected", [(1, 1), (1.1, 2), (2.5, 5), (6, 10), (0.03, 0.05), (0.1, 0.1), (40, 60)])
def test_ticks_are_round(value, expected):
    assert round_up_time(value) == pytest.approx(expected)


def test_times_are_rounded_without_a_sixtieth_second():
    assert format_time(START_TIME, 1) == "12:03:07.5"
    assert format_time(START_TIME + 52.4999, 1) == "12:04:00.0"
    assert format_time(START_TIME + 52.4999, 0) == "12:04:00"


# Boxes


def test_segments_of_one_carrier_become_one_box():
    boxes = SegmentBoxes()
    for number in range(5):
        boxes.add(check_report(segment_fields(number, upper=1e6 + 1e5 * (number % 2))))
    [box] = boxes.boxes
    assert (box.start_offset, box.end_offset) == (0, 5 * SAMPLES)


def test_all_boxes_of_a_carrier_are_what_it_was_last_reported_to_be():
    boxes = SegmentBoxes()
    boxes.add(check_report(segment_fields(0, -4.26e6, 4.24e6, label="NR")))
    held = boxes.snapshot()
    boxes.part_at(9 * SAMPLES)
    boxes.add(check_report(segment_fields(9, -4.4e6, 4.4e6, label="NR", confidence=0.7)))
    boxes.add(check_report(segment_fields(0, -4.48e6, 4.48e6, event="gone", end_offset=10 * SAMPLES, confidence=0.6)))
    assert [(box.start_offset, box.end_offset) for box in boxes.boxes] == [(0, SAMPLES), (9 * SAMPLES, 10 * SAMPLES)]
    for box in boxes.boxes:
        assert (box.label, box.freq_lower, box.freq_upper) == ("LTE", CENTER - 4.48e6, CENTER + 4.48e6)
        assert (box.bandwidth, box.confidence) == (8.96e6, 0.6)
    assert [(box.label, box.freq_upper) for box in held.boxes] == [("NR", CENTER + 4.24e6)]


def test_a_number_that_comes_again_as_new_leaves_the_boxes_of_the_carrier_before():
    boxes = SegmentBoxes()
    boxes.add(check_report(segment_fields(0, event="new")))
    boxes.add(check_report(segment_fields(1, event="new", label="NR")))
    assert [box.label for box in boxes.boxes] == ["LTE", "NR"]


def test_another_carrier_gets_a_box_of_its_own():
    boxes = SegmentBoxes()
    boxes.add(check_report(segment_fields(0)))
    boxes.add(check_report(segment_fields(1, burst_id=2)))
    assert len(boxes.boxes) == 2


def test_a_carrier_that_is_silent_now_and_then_stays_one_box():
    boxes = SegmentBoxes()
    for number in (0, 4, 40, 41):
        boxes.add(check_report(segment_fields(number)))
    [box] = boxes.boxes
    assert (box.start_offset, box.end_offset) == (0, 42 * SAMPLES)


def test_segments_that_come_late_join_the_box_on_their_side_of_a_break():
    boxes = SegmentBoxes()
    for number in range(3 * waterfall_boxes.OPEN_BOXES):
        boxes.part_at(10 * number * SAMPLES)
        boxes.add(check_report(segment_fields(10 * number + 5)))
    boxes.add(check_report(segment_fields(10 * number - 2)))
    assert [(box.start_offset // SAMPLES, box.end_offset // SAMPLES) for box in boxes.boxes[-2:]] == [
        (10 * number - 5, 10 * number - 1),
        (10 * number + 5, 10 * number + 6),
    ]
    assert len(boxes._open[1].boxes) <= waterfall_boxes.OPEN_BOXES


@pytest.mark.parametrize("is_known", [True, False])
def test_a_segment_that_comes_before_the_frame_with_the_break_is_behind_the_break(is_known):
    boxes = SegmentBoxes()
    for number in (8, 9) if is_known else ():
        boxes.add(check_report(segment_fields(number)))
    boxes.add(check_report(segment_fields(10)))
    boxes.part_at(10 * SAMPLES)
    boxes.add(check_report(segment_fields(11)))
    found = [(box.start_offset // SAMPLES, box.end_offset // SAMPLES) for box in boxes.boxes]
    assert found == [(8, 10)] * is_known + [(10, 12)]


def test_a_carrier_whose_box_has_left_the_picture_gets_a_new_one():
    boxes = SegmentBoxes()
    boxes.add(check_report(segment_fields(0)))
    boxes.forget_before(5 * SAMPLES)
    boxes.add(check_report(segment_fields(9)))
    assert [box.start_offset for box in boxes.boxes] == [9 * SAMPLES]


def test_boxes_of_one_carrier_do_not_overlap():
    boxes = SegmentBoxes()
    for start, end in ((0, 2), (10, 12), (1, 11)):
        boxes.add(check_report(segment_fields(start_offset=start * SAMPLES, end_offset=end * SAMPLES)))
    [box] = boxes.boxes
    assert (box.start_offset, box.end_offset) == (0, 12 * SAMPLES)


def test_boxes_do_not_reach_over_a_gap(widget):
    for number, late in ((0, 0.0), (1, 2.0)):
        widget.add_segment(segment_fields(number))
        begin = START_TIME + number * FRAME_SECONDS + late
        draw(widget, (frame_fields(number, rx_time=(int(begin), begin % 1)), blank(), blank()))
    assert [box.start_offset for box in widget.segments.boxes] == [0, SAMPLES]
    widget.apply_settings({"boxes": True})
    [gap] = widget.history.breaks
    colors = {color_at(widget, CENTER - 1e6, (gap.y0 + gap.y1) / 2 + step * 1e-3) for step in range(-20, 21)}
    assert CLASS_COLORS["LTE"] not in colors


def test_neighbours_that_cross_are_drawn_apart_and_what_is_inside_stays():
    edges = np.array([[0, 110, 0, 9], [100, 200, 0, 9], [120, 150, 2, 5], [190, 300, 20, 30]], float)
    expected = np.array([[0, 105, 0, 9], [105, 200, 0, 9], [120, 150, 2, 5], [190, 300, 20, 30]], float)
    np.testing.assert_array_equal(part_overlaps(edges), expected)


def test_a_carrier_that_is_gone_draws_nothing():
    boxes = SegmentBoxes()
    boxes.add(check_report(segment_fields(event="gone")))
    boxes.add(check_report(segment_fields(event="gone", burst_id=None)))
    assert boxes.boxes == []


def test_boxes_are_bounded():
    boxes = SegmentBoxes()
    for number in range(3 * waterfall_boxes.MAX_BOXES):
        boxes.add(check_report(segment_fields(number % 7, burst_id=number)))
    assert len(boxes.boxes) <= waterfall_boxes.MAX_BOXES and len(boxes._open) <= 2 * waterfall_boxes.MAX_BOXES + 1


def test_a_carrier_that_goes_on_keeps_its_box_while_short_ones_come_and_go():
    boxes = SegmentBoxes()
    for number in range(2 * waterfall_boxes.MAX_BOXES):
        boxes.add(check_report(segment_fields(number)))
        boxes.add(check_report(segment_fields(number, 2e6, 3e6, burst_id=number + 2)))
    assert boxes.newest_of(1).end_offset == 2 * waterfall_boxes.MAX_BOXES * SAMPLES


def shown_labels(widget):
    widget.grab()
    return [text for _, _, text, _ in widget.box_layer.labels_drawn]


def test_the_label_names_class_confidence_and_bandwidth(widget):
    widget.apply_settings({"boxes": True})
    widget.add_segment(segment_fields(0, lower=-4e6, upper=4e6))
    draw(widget, (frame_fields(0), blank(), blank()))
    assert shown_labels(widget) == ["LTE 98 % · 8.0 MHz"]


@pytest.mark.parametrize("width, count", [(0.2e6, 1), (9e6, 3)])
def test_what_comes_again_has_one_label_unless_there_is_room_in_its_boxes(width, count, widget):
    """Of a carrier that comes and goes, labels wider than its boxes would cover its neighbours all the way down."""
    widget.apply_settings({"boxes": True})
    widget.resize(1000, 900)
    for number in range(3):
        widget.add_segment(segment_fields(number, -width / 2, width / 2, burst_id=number, event="new"))
    draw(widget, *((frame_fields(number), blank(), blank()) for number in range(4)))
    assert len(shown_labels(widget)) == count
    highest = min(rect.top() for _, rect, _, _ in widget.box_layer.labels_drawn)
    view = widget.waterfall_plot.getViewBox().sceneBoundingRect()
    assert highest < view.center().y(), "the newest box, at the top but one frame, has it"


def test_the_check_box_of_a_class_hides_its_boxes_too(widget):
    widget.apply_settings({"boxes": True})
    widget.add_segment(segment_fields(0))
    draw(widget, (frame_fields(0), blank(), blank()))
    widget.controls.class_boxes["LTE"].setChecked(False)
    assert shown_labels(widget) == []


def test_labels_neither_overlap_nor_leave_the_view():
    rng = np.random.default_rng(3)
    view = QtCore.QRectF(0, 0, 600, 300)
    for _ in range(20):
        lefts, widths, tops = rng.uniform(-50, 620, 40), rng.uniform(1, 200, 40), rng.uniform(-50, 320, 40)
        boxes = zip(lefts, tops, widths)
        candidates = [(QtCore.QRectF(*box, 120), ["LTE 18.0 MHz 98 %", "LTE"], None) for box in boxes]
        placed = place_labels(candidates, view, 20, lambda text: 8 * len(text))
        assert placed and all(view.contains(rect) for _, rect, _, _ in placed)
        assert not any(
            first.intersects(second)
            for index, (_, first, _, _) in enumerate(placed)
            for _, second, _, _ in placed[:index]
        )


def test_a_label_gets_shorter_before_it_is_left_out():
    def width(text):
        return 150 if text == "long text" else 60

    texts = ["long text", "short"]
    placed = place_labels([(QtCore.QRectF(0, 0, 150, 24), texts, None)] * 3, QtCore.QRectF(0, 0, 150, 100), 20, width)
    assert [text for _, _, text, _ in placed] == ["long text"]
    placed = place_labels([(QtCore.QRectF(0, 0, 50, 24), texts, None)], QtCore.QRectF(0, 0, 100, 100), 20, width)
    assert [text for _, _, text, _ in placed] == ["short"]


def test_a_box_of_few_rows_at_the_border_of_the_view_has_its_label():
    view = QtCore.QRectF(0, 2, 200, 100)
    [(_, rect, text, _)] = place_labels([(QtCore.QRectF(20, 0, 100, 1), ["LTE"], None)], view, 20, lambda text: 40)
    assert text == "LTE" and view.contains(rect)
    assert not place_labels([(QtCore.QRectF(20, -90, 100, 10), ["LTE"], None)], view, 20, lambda text: 40)


def test_a_shortened_label_gets_longer_again_when_there_is_room_to_spare():
    def place(spot, room):
        candidates = [(QtCore.QRectF(0, 0, 200, 24), ["long text", "short"], spot)]
        taken = [QtCore.QRectF(145 + room, 0, 50, 24)]
        return place_labels(candidates, QtCore.QRectF(0, 0, 200, 24), 20, lambda text: 10 * len(text), taken)[0]

    assert place(None, -5)[2:] == ("short", (1, 0))
    assert place((1, 0), 0)[2] == "short" and place((1, 0), 20)[2] == "long text" and place((0, 0), 0)[2] == "long text"


def test_labels_do_not_cover_other_texts():
    candidates = [(QtCore.QRectF(0, 0, 100, 90), ["LTE"], None)]
    [(_, rect, _, _)] = place_labels(candidates, QtCore.QRectF(0, 0, 100, 90), 20, len, [QtCore.QRectF(0, 0, 100, 40)])
    assert rect.top() > 40


def test_labels_do_not_flicker_while_edges_and_confidence_waver(widget):
    widget.apply_settings({"boxes": True})
    rng = np.random.default_rng(4)
    places = []
    # Edges of segments waver by 40 kHz; those of a carrier, which messages have, settle.
    wavering = np.cumsum(rng.normal(0, 4e4, (40, 3, 2)), axis=0) / np.arange(1, 41)[:, np.newaxis, np.newaxis]
    for number in range(40):
        for carrier, lower in enumerate((-4e6, -1.6e6, 0.8e6)):
            low, high = np.array([lower, lower + 2.3e6]) + wavering[number, carrier]
            widget.add_segment(segment_fields(number, low, high, burst_id=carrier, confidence=rng.uniform(0.9, 0.99)))
        draw(widget, (frame_fields(number), blank(), blank()))
        widget.grab()
        places.append({number: (rect.left(), rect.top()) for number, rect, _, _ in widget.box_layer.labels_drawn})
    assert all(len(place) == 3 for place in places)
    for before, after in zip(places[10:], places[11:]):
        lefts = sorted(left for left, _ in before.values()), sorted(left for left, _ in after.values())
        np.testing.assert_allclose(*lefts, atol=2.0)
        assert {top for _, top in before.values()} == {top for _, top in after.values()}


# Annotations that a file already has


def test_reference_annotations_are_dashed_and_can_be_hidden(widget):
    draw(widget, *((frame_fields(number), blank(), blank()) for number in range(4)))
    widget.set_reference_annotations(
        [
            {
                "label": "LTE",
                "freq_lower": CENTER - 2e6,
                "freq_upper": CENTER + 2e6,
                "start": (int(START_TIME), START_TIME % 1 + 0.04),
                "duration": 0.08,
            }
        ]
    )
    light = [max(color_at(widget, CENTER - 2e6, 0.042 + 0.076 * fraction)) for fraction in np.linspace(0, 1, 60)]
    assert 0.2 < np.mean(np.array(light) > 120) < 0.95
    assert max(color_at(widget, CENTER - 2e6, 0.02)) < 60
    widget.apply_settings({"references": False})
    assert max(max(color_at(widget, CENTER - 2e6, 0.042 + 0.076 * fraction)) for fraction in np.linspace(0, 1, 20)) < 60


def test_the_word_of_an_annotation_makes_way_for_the_one_beside_it(widget, monkeypatch):
    draw(widget, *((frame_fields(number), blank(), blank()) for number in range(4)))
    widget.resize(700, 500)
    words = {}
    monkeypatch.setattr(
        widget.box_layer, "paint_text", lambda painter, rect, text, color: words.setdefault(text, QtCore.QRectF(rect))
    )
    narrow, wide = (CENTER - 4.9e6, CENTER - 4.8e6), (CENTER - 4.7e6, CENTER - 2e6)
    widget.set_reference_annotations(
        [
            {"label": f"{name}, found", "freq_lower": lower, "freq_upper": upper, "start": None, "duration": None}
            for name, (lower, upper) in (("other", narrow), ("LTE", wide))
        ]
    )
    widget.grab()
    assert set(words) == {"file: other, found", "file: LTE, found"}
    assert not words["file: other, found"].intersects(words["file: LTE, found"])


def test_an_annotation_without_times_spans_all_rows(widget):
    draw(widget, *((frame_fields(number), blank(), blank()) for number in range(4)))
    widget.set_reference_annotations(
        [{"label": "NR", "freq_lower": CENTER - 1e6, "freq_upper": CENTER + 1e6, "start": None, "duration": None}]
    )
    before = widget.grab().toImage()
    widget.set_reference_annotations([])
    assert widget.grab().toImage() != before


# Memory and messages without end


def test_a_storm_keeps_the_newest_in_bounded_memory(widget):
    image, mask = blank(), blank()
    for number in range(3000):
        widget.add_frame(frame_fields(number), image, mask)
        widget.add_segment(segment_fields(number, burst_id=number))
    assert len(widget._frames) == 64 and len(widget._segments) <= 4096
    draw(widget)
    assert widget.history.newest.number == 2999 and len(widget.segments.boxes) <= waterfall_boxes.MAX_BOXES


def test_clear_forgets_what_was_drawn_and_keeps_settings(widget):
    widget.apply_settings({"alpha": 0.8})
    widget.add_segment(segment_fields(0))
    draw(widget, (frame_fields(7), blank(value=255), blank()))
    widget.clear()
    draw(widget)
    assert widget.history.newest is None and not widget.segments.boxes and widget.settings()["alpha"] == 0.8
    draw(widget, (frame_fields(0), blank(value=255), blank()))
    assert min(color_at(widget, CENTER, FRAME_SECONDS / 2)) > 240


def test_a_picture_is_written_or_the_error_names_the_file(widget, tmp_path):
    widget.save_picture(tmp_path / "look.png")
    assert (tmp_path / "look.png").stat().st_size > 1000
    with pytest.raises(OSError, match="nowhere"):
        widget.save_picture(tmp_path / "nowhere" / "look.png")


def test_a_recording_without_a_time_counts_from_its_start():
    from rpmsn.gui.waterfall.time_axis import format_day, format_moment

    assert (format_day(5.0), format_moment(65.25)) == ("Time from the start", "00:01:05.250 from the start")
    assert (format_day(1.7e9), format_moment(1.7e9)) == ("UTC 2023-11-14", "2023-11-14 22:13:20.000 UTC")
