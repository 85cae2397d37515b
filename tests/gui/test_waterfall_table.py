# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of carriers: what it lists, in which order, what mouse and keys do; a storm leaves it responsive."""

import time

import pytest
from limits import HANG_S

pytest.importorskip("pmt", reason="GNU Radio is not installed")
QtWidgets = pytest.importorskip("PyQt5.QtWidgets", reason="PyQt5 is not installed")
pytest.importorskip("pyqtgraph", reason="pyqtgraph is not installed")

from PyQt5 import QtCore, QtGui, QtTest
from test_carrier_list import FRAME, segment

from rpmsn.classes import CLASS_COLORS
from rpmsn.errors import ParameterError, RpmsnError
from rpmsn.gui.carriers.columns import NAMES
from rpmsn.gui.carriers.table import MAX_WAITING, CarrierTable
from rpmsn.gui.theme import THEMES
from rpmsn.gui.with_table import PLACES, WaterfallWithTable

QT = QtCore.Qt


@pytest.fixture(scope="session")
def app():
    return QtWidgets.QApplication.instance() or QtWidgets.QApplication(["test"])


class Clock:
    """A clock that is set by hand."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def table(app):
    """A shown table of three carriers: 1 LTE at 1845, 2 NR at 1815, 3 other at 1875 MHz; SNR 20, 10, 30 dB."""
    table = CarrierTable(clock=Clock())
    table._timer.stop()
    table.resize(1500, 400)
    listed = (("LTE", 1845e6, 20), ("NR", 1815e6, 10), ("other", 1875e6, 30))
    for burst_id, (label, center, snr) in enumerate(listed, 1):
        table.add_segment(
            segment(
                0,
                burst_id,
                label=label,
                freq_lower=center - 5e6,
                freq_upper=center + 5e6,
                snr_db=float(snr),
                event="new",
            )
        )
    table.show()
    table.update_now()
    app.processEvents()
    yield table
    table.close()
    table.deleteLater()
    app.processEvents()


def ids(table):
    """Numbers of the carriers that are shown, from the top."""
    return [carrier.carrier_id for carrier in table.model.rows]


def click(table, row, modifier=QT.NoModifier):
    """Click into a row with the mouse."""
    place = table.view.visualRect(table.model.index(row, 2)).center()
    QtTest.QTest.mouseClick(table.view.viewport(), QT.LeftButton, modifier, place)


def click_header(table, name):
    header = table.view.horizontalHeader()
    index = NAMES.index(name)
    place = QtCore.QPoint(header.sectionViewportPosition(index) + header.sectionSize(index) // 2, header.height() // 2)
    QtTest.QTest.mouseClick(header.viewport(), QT.LeftButton, QT.NoModifier, place)


def cell(table, row, name):
    return table.model.index(row, NAMES.index(name)).data()


def frame(number, **changes):
    """What the table reads of the fields of a frame."""
    return {
        "center_frequency": 1845e6,
        "start_offset": number * FRAME,
        "end_offset": (number + 1) * FRAME,
        "pdu_num": number,
        "sample_rate": 10e6,
        **changes,
    }


# Rows


def test_many_seconds_that_come_at_once_are_those_of_one_stream(table):
    for number in range(1, 300):
        table.add_frame(frame(number))
    for number in range(1, 300):
        table.add_segment(segment(number, 2, label="NR", freq_lower=1810e6, freq_upper=1820e6))
    table.update_now()
    assert ids(table) == [2, 1, 3]
    row = table.carriers.find(2)
    assert (row.gone, row.sample_end, len(row.visits)) == (False, 300 * FRAME, 0)
    assert cell(table, 0, "on_air") == "100.0 %"


def test_rows_stand_by_frequency_and_say_what_is_known(table):
    assert ids(table) == [2, 1, 3]
    assert [cell(table, 1, name) for name in NAMES[:-1]] == [
        "1",
        "LTE",
        "1845.000",
        "10.0",
        "20.0",
        "90 %",
        "likely",
        "",
        "",
        "",
        "12:03:07.5",
        "100.0 %",
    ]


def test_carriers_that_are_gone_stay_greyed(table):
    table.add_segment(segment(1, 1, event="gone", start_offset=0))
    table.update_now()
    grey = table.model.index(1, 2).data(QT.ForegroundRole)
    assert ids(table) == [2, 1, 3] and grey.name() == table.model.theme.muted
    assert table.model.index(0, 2).data(QT.ForegroundRole) is None
    assert "2 on the air" in table.count_label.text() and "1 gone" in table.count_label.text()


@pytest.mark.parametrize(
    "name, once, twice",
    [("snr_db", [2, 1, 3], [3, 1, 2]), ("label", [1, 2, 3], [3, 2, 1]), ("burst_id", [1, 2, 3], [3, 2, 1])],
)
def test_a_click_on_the_header_sorts_and_a_second_one_the_other_way_round(table, name, once, twice):
    click_header(table, name)
    found = [ids(table)]
    click_header(table, name)
    found.append(ids(table))
    assert sorted(found) == sorted([once, twice])


def test_rows_sorted_by_what_always_changes_change_places_now_and_then_only(table):
    table.view.sortByColumn(NAMES.index("snr_db"), QT.AscendingOrder)
    table.update_now()
    for _ in range(60):
        table.add_segment(segment(1, 2, snr_db=50.0))
    table._clock.now += 0.3
    table.update_now()
    assert ids(table) == [2, 1, 3]
    table._clock.now += 3.0
    table.update_now()
    assert ids(table) == [1, 3, 2]


def test_the_selection_stays_with_its_carriers_when_rows_come_go_and_move(table):
    click(table, 1)
    table.add_segment(segment(1, 9, freq_lower=1801e6, freq_upper=1802e6, event="new"))
    table.update_now()
    assert ids(table) == [9, 2, 1, 3] and [carrier.carrier_id for carrier in table.selected()] == [1]
    click_header(table, "burst_id")
    click_header(table, "burst_id")
    assert [carrier.carrier_id for carrier in table.selected()] == [1]
    table.filter_edit.setText("LTE")
    assert [carrier.carrier_id for carrier in table.selected()] == [1]


def test_occupancy_is_drawn_in_the_colour_of_the_class(table):
    for number in range(2):
        table.add_frame(frame(number))
    table.update_now()
    QtWidgets.QApplication.processEvents()
    box = table.view.visualRect(table.model.index(0, NAMES.index("occupancy")))
    image = table.view.viewport().grab().toImage()
    first, second = (
        QtGui.QColor(image.pixel(box.left() + 4 + round(fraction * (box.width() - 8)), box.center().y()))
        for fraction in (0.25, 0.75)
    )
    assert first.getRgb()[:3] == CLASS_COLORS["NR"] and second.getRgb()[:3] != CLASS_COLORS["NR"]


def test_the_header_says_offset_where_the_centre_frequency_is_not_known(table):
    table.add_frame(frame(0, center_frequency=0.0))
    table.update_now()
    assert table.model.headerData(2, QT.Horizontal) == "offset MHz ▲"


# Filter


def test_typing_filters_by_all_words(table):
    QtTest.QTest.keyClicks(table.filter_edit, "lte 1845")
    assert ids(table) == [1]
    QtTest.QTest.keyClick(table.filter_edit, QT.Key_Escape)
    assert ids(table) == [2, 1, 3] and table.filter_edit.text() == ""


def test_boxes_filter_by_class_and_by_gone(table):
    QtTest.QTest.mouseClick(table.class_boxes["NR"], QT.LeftButton, QT.NoModifier, QtCore.QPoint(6, 8))
    assert ids(table) == [1, 3]
    table.add_segment(segment(1, 1, event="gone", start_offset=0))
    table.gone_box.setChecked(False)
    assert ids(table) == [3]


@pytest.mark.parametrize(
    "changes, is_faint",
    [
        ({"verdict": "unsure", "snr_db": -5.3}, True),
        ({"verdict": "unsure", "snr_db": float("nan")}, False),
        ({"verdict": "unsure", "end_offset": FRAME // 50}, True),
        ({"verdict": "unsure"}, False),
        ({"verdict": "proven", "snr_db": -5.3}, False),
    ],
)
def test_what_is_too_faint_to_mean_anything_is_listed_on_demand(table, changes, is_faint):
    table.add_segment({**segment(0, 4, event="new"), **changes})
    table.update_now()
    assert (4 in ids(table)) != is_faint
    table.faint_box.setChecked(True)
    assert 4 in ids(table)
    QtTest.QTest.mouseClick(table.faint_box, QT.LeftButton, QT.NoModifier, QtCore.QPoint(6, 8))
    assert (4 in ids(table)) != is_faint


def test_clear_gone_takes_them_off_the_list(table):
    table.add_segment(segment(1, 1, event="gone", start_offset=0))
    table.update_now()
    QtTest.QTest.mouseClick(table.clear_button, QT.LeftButton)
    assert ids(table) == [2, 3]


# Mouse and keys


def test_a_click_asks_for_the_carrier(table):
    asked = QtTest.QSignalSpy(table.carrier_selected)
    click(table, 2)
    assert [3] in list(asked)


def test_arrow_keys_ask_for_the_next_carrier(table):
    click(table, 0)
    asked = QtTest.QSignalSpy(table.carrier_selected)
    QtTest.QTest.keyClick(table.view, QT.Key_Down)
    assert list(asked) == [[1]]


def test_select_carrier_selects_without_asking_back(table):
    asked = QtTest.QSignalSpy(table.carrier_selected)
    table.select_carrier(3)
    assert [carrier.carrier_id for carrier in table.selected()] == [3] and not list(asked)
    table.select_carrier(77)
    assert table.selected() == [] and not list(asked)


def test_ctrl_c_copies_the_selected_rows(table, app):
    click(table, 0)
    click(table, 2, QT.ControlModifier)
    QtTest.QTest.keyClick(table.view, QT.Key_C, QT.ControlModifier)
    lines = app.clipboard().text().splitlines()
    assert [line.split("\t")[:3] for line in lines] == [
        ["id", "label", "centre MHz"],
        ["2", "NR", "1815.000"],
        ["3", "other", "1875.000"],
    ]


def test_ctrl_f_goes_to_the_filter(table):
    table.activateWindow()
    table.view.setFocus()
    QtTest.QTest.keyClick(table.view, QT.Key_F, QT.ControlModifier)
    assert table.focusWidget() is table.filter_edit


# Files


@pytest.mark.parametrize("name", ["found.csv", "found.sigmf-meta", "found.png"])
def test_the_export_dialog_writes_what_is_shown(table, name, tmp_path, monkeypatch):
    table.filter_edit.setText("NR")
    monkeypatch.setattr(QtWidgets.QFileDialog, "getSaveFileName", lambda *_, **__: (str(tmp_path / name), ""))
    QtTest.QTest.mouseClick(table.export_button, QT.LeftButton)
    written = (tmp_path / name).read_bytes()
    if name.endswith(".png"):
        assert QtGui.QImage(str(tmp_path / name)).width() == table.width()
    else:
        assert b"NR" in written and b"LTE" not in written


def test_a_file_that_cannot_be_written_is_reported_in_a_sentence(table, tmp_path):
    for name in ("found.csv", "found.sigmf-meta", "found.png"):
        with pytest.raises(RpmsnError, match="cannot be written"):
            table.export(tmp_path / "no folder" / name)


# Settings


def test_settings_come_back(table, app):
    click_header(table, "confidence")
    table.gone_box.setChecked(False)
    table.faint_box.setChecked(True)
    table.view.setColumnHidden(NAMES.index("rx_time"), True)
    other = CarrierTable()
    other.apply_settings(table.settings())
    assert other.settings() == table.settings() and other.settings()["hidden"] == ["rx_time"]


@pytest.mark.parametrize(
    "settings", [{}, {"sorted_by": "colour"}, {"hidden": 5, "shows_gone": "yes"}, {"hidden": list(NAMES)}]
)
def test_settings_that_are_not_right_do_no_harm(table, settings):
    table.apply_settings(settings)
    assert not table.view.isColumnHidden(0) and ids(table)


# Storms


def test_a_storm_leaves_it_responsive_and_its_memory_bounded(table, app):
    """A second of 200 frames with 1000 segments each, as fast as they come."""
    slowest = 0.0
    for number in range(200):
        for burst_id in range(1000):
            table.add_segment(segment(number, burst_id))
        if number % 50 == 49:
            started = time.perf_counter()
            table.update_now()
            app.processEvents()
            slowest = max(slowest, time.perf_counter() - started)
    assert slowest < HANG_S, f"an update took {slowest:.2f} s"
    assert len(table._waiting) <= MAX_WAITING and len(table.model.rows) <= 1000
    assert "too many to count" in table.count_label.text()


def test_segments_that_are_not_right_are_logged_now_and_then_and_skipped(table, caplog):
    for _ in range(100):
        table.add_segment({"label": "LTE"})
    table.add_segment(segment(1, 8, event="new"))
    table.update_now()
    assert 8 in ids(table) and len(caplog.records) == 1 and "without start_offset" in caplog.text


def test_clear_forgets_everything(table):
    table.clear()
    assert ids(table) == [] and table.count_label.text().startswith("0 on the air")


# With the waterfall


@pytest.fixture
def both(app):
    both = WaterfallWithTable("band 3")
    both.resize(1200, 800)
    both.show()
    yield both
    both.table._timer.stop()
    both.close()
    both.deleteLater()
    app.processEvents()


def test_a_carrier_selected_in_one_is_selected_in_the_other(both, monkeypatch):
    both.add_segment(segment(0, 4, event="new"))
    both.table.update_now()
    both.waterfall.carrier_selected.emit(4)
    assert [carrier.carrier_id for carrier in both.table.selected()] == [4]
    asked = QtTest.QSignalSpy(both.table.carrier_selected)
    click(both.table, 0)
    assert [4] in list(asked)


@pytest.mark.parametrize("place", PLACES)
def test_the_table_takes_a_part_of_the_room_below_or_beside(place, both, app):
    both.set_place(place)
    app.processEvents()
    table, whole = both.panels[0].geometry(), both.geometry()
    assert both.panels[0].isVisible() == (place != "hidden")
    if place == "below":
        assert table.width() == whole.width() and 0.2 < table.height() / whole.height() < 0.5
    if place == "beside":
        assert table.height() == whole.height() and 0.2 < table.width() / whole.width() < 0.5


@pytest.mark.parametrize(("place", "length"), [("below", "height"), ("beside", "width")])
def test_the_table_keeps_its_part_of_a_window_that_changes_its_size(place, length, both, app):
    def fraction():
        app.processEvents()
        return 1 - getattr(both.waterfall, length)() / getattr(both, length)()

    end = time.monotonic() + HANG_S
    while both._fraction is None:
        assert time.monotonic() < end
        app.processEvents()
    both.set_place(place)
    before = fraction()
    for size in ((2000, 1300), (900, 600), (1200, 800)):
        both.resize(*size)
        assert fraction() == pytest.approx(before, abs=0.02)
    both.add_panel("another", QtWidgets.QLabel("another"))
    before = fraction()
    for step in range(40):
        both.resize(1200 + step, 800 + step)
        app.processEvents()
    assert fraction() == pytest.approx(before, abs=0.02), "a window that is drawn larger bit by bit"
    side = QtCore.Qt.Vertical if place == "below" else QtCore.Qt.Horizontal
    both.resizeDocks([both.panels[0]], [round(0.6 * getattr(both, length)())], side)
    moved = fraction()
    assert moved > before + 0.1
    both.resize(1400, 900)
    assert fraction() == pytest.approx(moved, abs=0.02)


def test_clear_forgets_rows_and_carriers(both):
    both.add_segment(segment(0, 4, event="new"))
    both.table.update_now()
    both.clear()
    assert ids(both.table) == []


# In the block


@pytest.fixture
def overlay(app):
    from gnuradio.rpmsn.waterfall_overlay import waterfall_overlay

    block = waterfall_overlay(title="band 3", table="beside")
    yield block
    block.widget().table._timer.stop()
    block.widget().close()


def test_the_block_lists_the_carriers_of_its_messages(overlay, app):
    from gnuradio.rpmsn import pdu

    overlay.widget().show()
    overlay._on_segment(pdu.make_pdu(segment(0, 4, event="new")))
    overlay.widget().waterfall.about_to_redraw.emit()
    overlay.widget().table.update_now()
    assert ids(overlay.widget().table) == [4] and overlay.widget().place == "beside"


def test_another_theme_of_the_block_is_that_of_the_table_too(overlay, app):
    widget = overlay.widget()
    overlay.set_theme("light")
    app.processEvents()
    assert widget.table.model.theme is THEMES["light"]


def test_a_place_that_the_table_cannot_have_is_refused():
    from gnuradio.rpmsn.waterfall_overlay import waterfall_overlay

    with pytest.raises(ParameterError, match="hidden, below, beside"):
        waterfall_overlay(table="above")
