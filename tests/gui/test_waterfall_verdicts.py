# SPDX-License-Identifier: GPL-3.0-or-later
"""One verdict a carrier: proven, likely and unsure differ by outline and pattern; all texts have the same numbers."""

import csv
import itertools
from types import SimpleNamespace

import numpy as np
import pytest

QtWidgets = pytest.importorskip("PyQt5.QtWidgets", reason="PyQt5 is not installed")
pytest.importorskip("pyqtgraph", reason="pyqtgraph is not installed")

from PyQt5 import QtCore, QtGui
from waterfall_scene import (  # noqa: F401
    CENTER,
    FRAME_SECONDS,
    RATE,
    START_TIME,
    app,
    blank,
    color_at,
    column_frequency,
    draw,
    frame_fields,
    move_mouse,
    segment_fields,
    viewport_point,
    widget,
)

from rpmsn.classes import CLASS_COLORS
from rpmsn.gui.carriers import columns
from rpmsn.gui.theme import THEMES
from rpmsn.gui.waterfall.box_layer import outline
from rpmsn.gui.waterfall.settings import COLOR_MAP_NAMES
from rpmsn.gui.with_table import WaterfallWithTable
from rpmsn.gui.wording import label_texts, width_text
from rpmsn.messages.report import check_report

PLACES = {"proven": (-4.5e6, -2e6), "likely": (-1.25e6, 1.25e6), "unsure": (2e6, 4.5e6)}
COUNT = 4


def show_verdicts(widget, value=120, **changes):
    """Three carriers, one of each verdict, over power that is the same everywhere."""
    for number in range(COUNT):
        for burst_id, (verdict, (lower, upper)) in enumerate(PLACES.items(), 1):
            widget.add_segment(
                segment_fields(number, lower, upper, burst_id=burst_id, verdict=verdict, cell_id=7, **changes)
            )
        draw(widget, (frame_fields(number), blank(value=value), blank()))


@pytest.mark.parametrize(("verdict", "shown"), [("proven", "LTE"), ("likely", "LTE"), ("unsure", "NR")])
def test_a_carrier_that_is_sure_is_tinted_by_its_verdict_and_not_by_each_frames(widget, verdict, shown):
    widget.apply_settings({"alpha": 1.0, "boxes": False})
    mask = blank()
    mask[:, 20:44] = 2  # NR, from 20 to 44 of 64 columns
    mask[:, 30] = 3
    mask[40:, 32] = 0
    # It is known after a redraw; the rows that were drawn change, too.
    draw(widget, (frame_fields(0), blank(), mask), (frame_fields(1), blank(), mask))
    widget.add_segment(segment_fields(1, column_frequency(22) - CENTER, column_frequency(40) - CENTER, verdict=verdict))
    draw(widget)
    colors = {
        column: color_at(widget, column_frequency(column), 1.3 * FRAME_SECONDS) for column in (21, 26, 30, 36, 42)
    }
    assert colors[26] == colors[36] == CLASS_COLORS[shown]
    assert colors[21] == colors[42] == CLASS_COLORS["NR"] and colors[30] == CLASS_COLORS["other"]
    assert color_at(widget, column_frequency(26), 0.5 * FRAME_SECONDS) == CLASS_COLORS["NR"], "before it came"
    assert color_at(widget, column_frequency(32), 1.9 * FRAME_SECONDS) == (0, 0, 0), "noise stays"


def grabbed(widget, frequencies, heights):
    """RGB of the part of the picture between two frequencies and two heights, (rows, columns, 3)."""
    image = widget.grab().toImage().convertToFormat(QtGui.QImage.Format_RGB32)
    (x0, y0), (x1, y1) = (
        (point.x(), point.y())
        for point in (
            widget.plots.mapTo(widget, viewport_point(widget, frequency, height))
            for frequency, height in zip(frequencies, heights)
        )
    )
    pixels = np.frombuffer(image.bits().asarray(image.sizeInBytes()), np.uint8).reshape(image.height(), -1, 4)
    return pixels[min(y0, y1) : max(y0, y1) + 1, x0 : x1 + 1, 2::-1].astype(int)


HEIGHTS = (0.1 * COUNT * FRAME_SECONDS, 0.5 * COUNT * FRAME_SECONDS)
"""Below the labels."""


def edge_widths(widget, verdict):
    """How many pixels in the class's colour there are across a box's right edge, for each row of pixels."""
    upper = CENTER + PLACES[verdict][1]
    pixels = grabbed(widget, (upper - 8e4, upper + 4e4), HEIGHTS)
    return (np.abs(pixels - np.array(CLASS_COLORS["LTE"])).max(axis=-1) < 25).sum(axis=1)


@pytest.mark.parametrize("theme", THEMES)
def test_verdicts_differ_by_outline_and_pattern_over_every_map_of_power(widget, theme):
    show_verdicts(widget)
    for name in COLOR_MAP_NAMES:
        widget.apply_settings({"boxes": True, "theme": theme, "color_map": name})
        widths = {verdict: edge_widths(widget, verdict) for verdict in PLACES}
        assert widths["proven"].min() > widths["likely"].max(), (name, "the line of what is proven is thicker")
        assert widths["likely"].min() > 0, (name, "what is likely has a solid line")
        assert 0.2 < np.mean(widths["unsure"] > 0) < 0.95, (name, "what is unsure has a dashed line")
        for verdict, (lower, upper) in PLACES.items():
            inside = grabbed(widget, (CENTER + lower + 3e5, CENTER + upper - 3e5), HEIGHTS)
            # Light next to dark: one of the two stands out, whatever the power below is.
            steps = np.abs(np.diff(inside, axis=1)).max(axis=-1)
            assert (np.count_nonzero(steps > 40) > steps.size / 30) == (verdict == "unsure"), (name, verdict)


def test_a_side_where_the_span_ends_is_open():
    rect = QtCore.QRectF(10, 20, 100, 50)

    def has_line(path, x):
        points = [path.elementAt(index) for index in range(path.elementCount())]
        lines = [(a, b) for a, b in itertools.pairwise(points) if b.isLineTo()]
        return any(a.x == x and b.x == x for a, b in lines)

    for open_sides in itertools.product((False, True), repeat=2):
        path = outline(rect, open_sides)
        assert (not has_line(path, rect.left()), not has_line(path, rect.right())) == open_sides


def test_a_cut_carrier_is_drawn_open_and_called_at_least_so_wide(widget):
    show_verdicts(widget, cut_upper=True)
    widget.apply_settings({"boxes": True})
    assert edge_widths(widget, "proven").max() == 0
    widget.grab()
    assert [text for _, _, text, _ in widget.box_layer.labels_drawn][0] == "✓ LTE 7 · ≥ 2.5 MHz"


def test_edges_that_become_better_known_move_the_whole_box(widget):
    show_verdicts(widget)
    widget.apply_settings({"boxes": True})
    wide = segment_fields(COUNT, PLACES["proven"][0], PLACES["proven"][1] + 1e5, verdict="proven", cell_id=7)
    assert edge_widths(widget, "proven").min() > 0
    widget.add_segment(wide)
    draw(widget)
    # 16 pixels further out, in the oldest rows, too.
    assert edge_widths(widget, "proven").max() == 0


def test_the_mouse_reads_the_same_verdict(widget):
    show_verdicts(widget)
    widget.apply_settings({"boxes": True})
    said = move_mouse(widget, viewport_point(widget, CENTER + 3e6, 0.3 * COUNT * FRAME_SECONDS))
    assert said.endswith("LTE? 98 % · 2.5 MHz")


@pytest.mark.parametrize(
    "bandwidth, is_cut, text",
    [
        (18e6, False, "18.0"),
        (1.4e6, False, "1.4"),
        (200e3, False, "0.200"),
        (1.92e6, True, "≥ 1.9"),
        (3.984e6, True, "≥ 3.9"),
        (999.9e3, True, "≥ 0.999"),
        (4.5e6, True, "≥ 4.5"),
        (float("nan"), False, ""),
    ],
)
def test_widths_keep_their_digits_and_a_least_width_is_never_rounded_up(bandwidth, is_cut, text):
    assert width_text(SimpleNamespace(bandwidth=bandwidth, cut_lower=is_cut, cut_upper=False)) == text


@pytest.mark.parametrize(
    "changes, texts",
    [
        ({"verdict": "proven", "cell_id": 253}, ["✓ LTE 253 · 2.0 MHz", "✓ LTE 253", "✓ LTE"]),
        ({"verdict": "likely", "confidence": 0.79}, ["LTE 79 % · 2.0 MHz", "LTE 79 %", "LTE"]),
        ({"verdict": "unsure", "confidence": 0.53}, ["LTE? 53 % · 2.0 MHz", "LTE? 53 %", "LTE?"]),
        ({"confidence": 0.9}, ["LTE 90 % · 2.0 MHz", "LTE 90 %", "LTE"]),
    ],
)
def test_labels_say_how_sure_a_verdict_is(changes, texts):
    assert label_texts(check_report(segment_fields(0, **changes))) == texts


def test_label_table_and_export_have_the_same_numbers(app, tmp_path):
    both = WaterfallWithTable()
    both.waterfall._timer.stop()
    both.resize(1200, 800)
    both.show()
    rest = {"sample_rate": RATE, "rx_time": (int(START_TIME), START_TIME % 1), "time_source": "radio"}
    rest |= {"evidence": "network", "snr_db": 12.3, "pwr_db": -40.0}
    both.add_segment(
        segment_fields(0, -4.816e6, -0.9e6, verdict="likely", confidence=0.786, cut_lower=True, event="new", **rest)
    )
    both.waterfall.add_frame(frame_fields(0), blank(), blank())
    both.waterfall._tick()
    both.table.update_now()
    both.grab()
    [(_, _, label, _)] = both.waterfall.box_layer.labels_drawn
    [row] = both.table.model.rows
    cells = {name: columns.text(row, name, both.table.carriers) for name in columns.NAMES}
    assert label == f"{cells['label']} {cells['confidence']} · {cells['bandwidth']} MHz" == "LTE 79 % · ≥ 3.9 MHz"
    with open(both.table.export(tmp_path / "found.csv")) as file:
        [line] = csv.DictReader(line for line in file if not line.startswith("#"))
    exported = SimpleNamespace(
        **{name: line[name] for name in ("label", "verdict")},
        **{name: float(line[name]) for name in ("confidence", "bandwidth")},
        **{name: line[name] in ("true", "True", "1") for name in ("cut_lower", "cut_upper")},
        cell_id=None,
    )
    assert label_texts(exported)[0] == label
    both.close()
    both.deleteLater()
