# SPDX-License-Identifier: GPL-3.0-or-later
"""3GPP bands stand below the frequency axis where frequencies are absolute; the table has a cell's band and channel."""

import pytest

QtWidgets = pytest.importorskip("PyQt5.QtWidgets", reason="PyQt5 is not installed")
pytest.importorskip("pyqtgraph", reason="pyqtgraph is not installed")

from PyQt5 import QtCore, QtGui
from waterfall_scene import app, blank, draw, frame_fields, segment_fields, turn_wheel, viewport_point, widget  # noqa: F401

from rpmsn.gui.carriers import columns
from rpmsn.gui.carriers.carrier_list import CarrierList
from rpmsn.gui.waterfall.band_strip import LANES
from rpmsn.gui.waterfall.bands import SPANS, BandSpan, in_lanes, spans_between


def show(widget, center, **changes):
    draw(widget, (frame_fields(0, center_frequency=center, **changes), blank(), blank()))
    widget.grab()
    return widget.band_strip


def names_drawn(strip):
    return [name for span, text in strip.texts_drawn for name in span.names if text]


@pytest.mark.parametrize(
    "center, first",
    [
        (1842.5e6, ("B3", "n3")),
        (2140e6, ("B65", "n65")),
        (3650e6, ("n77",)),
        (2350e6, ("B40", "n40")),
        (806e6, ("B20", "n20")),
    ],
)
def test_what_base_stations_send_in_comes_first(center, first):
    spans = spans_between(center - 5e6, center + 5e6)
    assert set(first) <= set(spans[0].names)
    directions = [span.direction == "↑" for span in spans]
    assert directions == sorted(directions)


def test_every_band_of_the_standard_is_there_once_in_each_direction():
    for span in SPANS:
        assert span.lower < span.upper and len(set(span.names)) == len(span.names)
    assert {"B3", "n3", "B40", "n78", "n80", "B29", "n104"} == {
        name for span in SPANS for name in span.names if name in ("B3", "n3", "B40", "n78", "n80", "B29", "n104")
    }
    assert [span.text for span in SPANS if "n80" in span.names] == ["B3 n3 n80 ↑"]


def test_lanes_hold_bands_that_do_not_overlap_and_the_rest_is_named():
    spans = [BandSpan(low, high, "↓", (name,)) for name, low, high in (("a", 0, 9), ("b", 5, 12), ("c", 9, 20))]
    lanes, rest = in_lanes([*spans, BandSpan(8, 10, "↓", ("d",))], 2)
    assert [[span.names[0] for span in lane] for lane in lanes] == [["a", "c"], ["b"]]
    assert [span.names[0] for span in rest] == ["d"]


def test_bands_are_drawn_where_the_axis_says(widget):
    strip = show(widget, 1880e6)
    assert strip.isVisible() and "B3" in names_drawn(strip)
    [band] = [span for lane in strip._lanes for span in lane if "B3" in span.names]
    view = widget.waterfall_plot.getViewBox()
    edge = view.mapViewToScene(QtCore.QPointF(1880.0, 0)).x()
    lane = next(number for number, lane in enumerate(strip._lanes) if band in lane)
    drawn = strip.mapRectToScene(strip._place(band, lane, strip.rect()))
    assert drawn.right() == pytest.approx(edge, abs=1.0) and band.upper == 1880e6


@pytest.mark.parametrize(
    "center, name, number_at",
    [
        (1842.5e6, "B3", lambda megahertz: 1200 + 10 * (megahertz - 1805)),
        (1747.5e6, "B3", lambda megahertz: 19200 + 10 * (megahertz - 1710)),
        (806.3e6, "B20", lambda megahertz: 6150 + 10 * (megahertz - 791)),
        (2595e6, "B38", lambda megahertz: 37750 + 10 * (megahertz - 2570)),
        (3710e6, "n77", lambda megahertz: 600000 + (megahertz - 3000) / 0.015),
    ],
)
def test_channel_numbers_stand_below_the_frequencies(widget, center, name, number_at):
    """TS 36.101 5.7.3, TS 38.104 5.4.2.1."""
    widget.resize(1200, 800)
    strip = show(widget, center, sample_rate=20e6)
    drawn = [(megahertz, number) for span, megahertz, number in strip.numbers_drawn if name in span.names]
    assert len(drawn) >= 2 and strip.left_out
    painter = QtGui.QPainter(QtGui.QImage(8, 8, QtGui.QImage.Format_RGB32))
    rest, (low, high) = strip._rest_rect(painter, strip.rect()), widget.waterfall_plot.viewRange()[0]
    lowest = [(span, megahertz) for span, megahertz, _ in strip.numbers_drawn if span in strip._lanes[-1]]
    assert all((at - low) / (high - low) * strip.rect().width() < rest.left() for _, at in lowest)
    for megahertz, number in drawn:
        assert number == pytest.approx(number_at(megahertz), abs=0.5)
        assert megahertz in widget.waterfall_plot.getAxis("bottom").texts_at(
            *widget.waterfall_plot.viewRange()[0], strip.rect().width()
        )


def test_every_band_has_a_first_and_a_last_channel_number():
    """TS 36.101 table 5.7.3-1, TS 38.104 table 5.4.2.3-1."""
    said = {name: span.channel_numbers for span in SPANS for name in span.names if span.direction != "↑"}
    assert said["B3"] == "EARFCN 1200–1949" and said["B20"] == "EARFCN 6150–6449"
    assert said["B40"] == "EARFCN 38650–39649" and said["n78"] == "NR-ARFCN 620000–653333"
    assert all("–" in text for text in said.values())


def test_the_wheel_zooms_the_bands_too(widget):
    strip = show(widget, 1880e6)
    point = viewport_point(widget, 1876e6, 0.02)
    for _ in range(8):
        turn_wheel(widget, point, 2)
    assert widget.waterfall_plot.viewRange()[0][1] < 1880 and not any(
        span.lower >= 1880e6 for lane in strip._lanes for span in lane
    )


def test_the_tooltip_lists_what_there_is_no_room_for(widget):
    strip = show(widget, 1900e6)
    assert strip.left_out and len(strip._lanes) == LANES
    for span in strip.left_out:
        assert f"{span.full_text}, {span.channel_numbers}" in strip.toolTip()


def test_without_an_absolute_frequency_there_are_no_bands(widget):
    assert not show(widget, 0.0).isVisible()


def test_where_no_band_is_the_strip_says_so(widget):
    strip = show(widget, 1000e6)
    assert strip.isVisible() and strip.texts_drawn == [] and "no 3GPP band" in strip.toolTip()


def test_the_menu_hides_the_bands_and_brings_them_back(widget):
    strip = show(widget, 1842.5e6)
    for is_on in (False, True):
        widget.controls.actions["bands"].trigger()
        assert strip.isVisible() == is_on == widget.settings()["bands"]


def test_a_band_with_a_decoded_cell_comes_first(widget):
    strip = show(widget, 1860e6)
    assert "B9" not in [name for span in strip._lanes[0] for name in span.names]
    widget.add_segment(segment_fields(0, verdict="proven", cell_id=5, band="9"))
    draw(widget)
    assert [span.names for span in strip._lanes[0]][0] == ("B9",)


def test_frames_alone_do_not_draw_the_strip_again(widget):
    strip = show(widget, 1860e6)
    found = []
    strip._find = lambda *_: found.append(1)
    for number in range(1, 5):
        draw(widget, (frame_fields(number, center_frequency=1860e6), blank(), blank()))
    assert not found


@pytest.mark.parametrize(
    "changes, band, channel",
    [
        ({"label": "LTE", "band": "3", "earfcn": 1249}, "B3", "1249"),
        ({"label": "NR", "band": "n77, n78", "nr_arfcn": 630000, "gscn": 7812}, "n77, n78", "630000"),
        ({"label": "LTE"}, "", ""),
    ],
)
def test_the_table_has_band_and_channel_number(changes, band, channel):
    carriers = CarrierList()
    rest = {"sample_rate": 10e6, "event": "new", "verdict": "proven", "cell_id": 5, "pdu_num": 0}
    carriers.add(segment_fields(0, **rest, **changes))
    [row] = carriers.rows()
    assert [columns.text(row, name, carriers) for name in ("band", "channel")] == [band, channel]
    assert columns.sort_value(row, "channel", carriers) == int(channel or 0)
    assert channel in columns.describe(row) and band in columns.describe(row)
    # Exports read these of a row.
    assert (row.earfcn, row.nr_arfcn, row.gscn) == tuple(changes.get(key) for key in ("earfcn", "nr_arfcn", "gscn"))
