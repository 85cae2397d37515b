# SPDX-License-Identifier: GPL-3.0-or-later
"""The window of `rpmsn watch` in use: any size and font, other recordings, menus on what is shown, what comes back."""

import itertools
from collections import Counter

import numpy as np
import pytest

QtWidgets = pytest.importorskip("PyQt5.QtWidgets", reason="PyQt5 is not installed")
pytest.importorskip("pyqtgraph", reason="pyqtgraph is not installed")

from PyQt5 import QtCore, QtGui, QtTest
from test_carrier_list import segment
from test_watch import (
    CENTER,
    FRAME,
    FRAMES,
    RATE,
    app,
    close,
    own_settings,
    parse,
    play,
    press,
    wait_for,
    write_recording,
)
from waterfall_scene import viewport_point

from rpmsn.errors import ParameterError
from rpmsn.gui.flow_layout import FlowLayout
from rpmsn.gui.theme import THEMES, system_theme
from rpmsn.gui.watch import main as watch
from rpmsn.gui.watch import session as watch_session
from rpmsn.gui.watch import settings as watch_settings
from rpmsn.gui.watch.comparison import RESULT
from rpmsn.gui.watch.feed import Feed
from rpmsn.gui.watch.keys_help import keys_table
from rpmsn.gui.watch.player import Player
from rpmsn.gui.watch.window import WatchWindow
from rpmsn.gui.waterfall.bookmarks import COLORS, Bookmark, bookmarks_of
from rpmsn.recording import open_recording

__all__ = ["app", "own_settings", "play"]

QT = QtCore.Qt
DURATION = FRAMES * 0.04


@pytest.fixture
def recording_path(tmp_path):
    return write_recording(tmp_path)


@pytest.fixture
def opener(all_lte):
    """Opens a recording as the command does, at full speed."""

    def open_source(described, feed, settings):
        recording = open_recording(described["source"])
        return Player(recording, feed, str(all_lte), "torch", speed=float("inf"), cell_budget=0.0)

    return open_source


@pytest.fixture
def window(app, play, recording_path, opener):
    """A shown window with a recording that has been played."""
    player, feed = play(recording_path, cell_budget=0.0)
    settings = {**watch_settings.load_settings(watch_settings.settings_path()), "theme": "dark"}
    window = WatchWindow(player, feed, settings, described={"source": str(recording_path)}, open_source=opener)
    window.show()
    wait_for(lambda: player.finished and window.table.model.rows and window.waterfall.segments.boxes, app=app)
    wait_for(lambda: window.waterfall._is_over, app=app)
    window.waterfall._tick()
    yield window
    close(window)
    window.stop_sources()
    app.processEvents()


@pytest.fixture
def narrow(window):
    """burst_id of a carrier of 1 MHz, in the middle third of the recording."""
    fields = segment(
        1,
        9,
        event="new",
        sample_rate=RATE,
        start_offset=4 * FRAME,
        end_offset=8 * FRAME,
        freq_lower=CENTER - 0.5e6,
        freq_upper=CENTER + 0.5e6,
        center_frequency=CENTER,
        bandwidth=1e6,
    )
    window.waterfall.add_segment(fields)
    window.table.add_segment(fields)
    window.waterfall._tick()
    window.table.update_now()
    return 9


def middle_of(window, burst_id):
    """A pixel of the picture in the middle of a carrier's newest box."""
    waterfall = window.waterfall
    box = waterfall.segments.newest_of(burst_id)
    y0, y1 = waterfall.history.y_of_sample(box.start_offset), waterfall.history.y_of_sample(box.end_offset)
    return viewport_point(waterfall, (box.freq_lower + box.freq_upper) / 2, (y0 + y1) / 2)


def open_menu(app, widget, point):
    """Click with the right button; returns the menu that opens."""
    QtTest.QTest.mouseClick(widget, QT.RightButton, pos=point)
    if not isinstance(app.activePopupWidget(), QtWidgets.QMenu):  # a table takes it from the window system
        event = QtGui.QContextMenuEvent(QtGui.QContextMenuEvent.Mouse, point, widget.mapToGlobal(point))
        app.sendEvent(widget, event)
    menu = app.activePopupWidget()
    assert isinstance(menu, QtWidgets.QMenu)
    return menu


def choose(app, menu, begin):
    """Choose what begins with some words, by the keyboard."""
    action = next(action for action in menu.actions() if action.text().replace("&", "").startswith(begin))
    menu.setActiveAction(action)
    QtTest.QTest.keyClick(menu, QT.Key_Return)
    app.processEvents()


# Size


def parts_of(window):
    """What a user reads or clicks, with its rectangle in the window."""
    kinds = (QtWidgets.QAbstractButton, QtWidgets.QAbstractSlider, QtWidgets.QLineEdit, QtWidgets.QComboBox)
    found = [part for kind in (*kinds, QtWidgets.QLabel) for part in window.findChildren(kind) if part.isVisible()]
    bars = window.findChildren((QtWidgets.QTabBar, QtWidgets.QHeaderView))
    inner = [
        part
        for bar in (*bars, *window.findChildren(QtWidgets.QComboBox))
        for part in bar.findChildren(QtWidgets.QWidget)
    ]
    hidden = [part for part in found if part in inner or isinstance(part, QtWidgets.QScrollBar) or not part.width()]
    parts = [part for part in found if part not in hidden and not isinstance(part.parent(), QtWidgets.QLineEdit)]
    parts = [part for part in parts if not part.visibleRegion().isEmpty()]  # not in a tab that is behind
    return [(part, QtCore.QRect(part.mapTo(window, QtCore.QPoint()), part.size())) for part in parts]


@pytest.mark.parametrize("size", [(800, 500), (1280, 800), (2560, 1440)])
def test_nothing_is_cut_off_and_nothing_overlaps(size, window, app):
    window.resize(*size)
    app.processEvents()
    assert (window.width(), window.height()) == size, "the window can be so small"
    parts = parts_of(window)
    assert len(parts) > 10
    for index, (part, rect) in enumerate(parts):
        assert window.rect().contains(rect), f"{part} {rect} leaves the window"
        for other, another in parts[index + 1 :]:
            both = rect.intersected(another)
            assert both.isEmpty() or part.isAncestorOf(other) or other.isAncestorOf(part), f"{part} and {other}: {both}"
    axes = [plot.getAxis("left") for plot in (window.waterfall.spectrum.plot, window.waterfall.waterfall_plot)]
    for axis in (axis for axis in axes if axis.isVisible() and axis.height() > 40):
        text = QtGui.QFontMetrics(app.font()).horizontalAdvance(axis.labelText)
        assert text <= axis.height() or " " not in axis.labelText, "a label that is too long has one word"
    view = window.waterfall.waterfall_plot.getViewBox().sceneBoundingRect()
    assert view.height() > 0.2 * size[1] and view.width() > 0.4 * size[0]
    rows = window.table.view
    assert rows.viewport().height() >= 2 * rows.verticalHeader().defaultSectionSize(), "some carriers are in view"


@pytest.mark.parametrize("size, least", [((800, 500), 180), ((1280, 720), 190), ((1280, 800), 230)])
def test_the_picture_has_most_of_a_low_window(size, least, app, play, recording_path):
    """In the font of a usual desktop, with the table below; also where the window was larger."""
    usual, small = app.font(), app.font()
    small.setPixelSize(13)
    app.setFont(small)
    try:
        player, feed = play(recording_path, cell_budget=0.0)
        window = WatchWindow(player, feed, {**watch_settings.DEFAULTS, "window": list(size)})
        window.show()
        view = window.waterfall.waterfall_plot.getViewBox()
        app.processEvents()
        assert view.sceneBoundingRect().height() >= least
        wait_for(lambda: window.view._fraction is not None, app=app)
        for other in ((1500, 1000), size):
            window.resize(*other)
            app.processEvents()
        assert view.sceneBoundingRect().height() >= least
        rows = window.table.view
        assert rows.viewport().height() >= 2 * rows.verticalHeader().defaultSectionSize()
        close(window)
        window.stop_sources()
    finally:
        app.setFont(usual)


def test_with_large_fonts_all_controls_are_there(app, play, recording_path):
    usual, large = app.font(), app.font()
    large.setPointSizeF(2 * usual.pointSizeF())
    app.setFont(large)
    try:
        player, feed = play(recording_path, cell_budget=0.0)
        window = WatchWindow(player, feed, {**watch_settings.DEFAULTS, "window": [1280, 800]})
        window.show()
        app.processEvents()
        assert (window.width(), window.height()) == (1280, 800)
        for part, rect in parts_of(window):
            assert window.rect().contains(rect), f"{part} {rect} leaves the window"
        controls = window.waterfall.controls
        assert controls.view_button.fontMetrics().height() > 1.7 * QtGui.QFontMetrics(usual).height()
        assert controls.height() > 1.5 * controls.view_button.height(), "they go on in a second line"
        close(window)
    finally:
        app.setFont(usual)


def test_a_line_of_controls_goes_on_below_where_it_is_narrow(app):
    box = QtWidgets.QWidget()
    layout = FlowLayout(box)
    buttons = [QtWidgets.QPushButton(f"button {number}") for number in range(4)]
    for button in buttons[:2]:
        layout.addWidget(button)
    layout.addStretch()
    for button in buttons[2:]:
        layout.addWidget(button)
    width = layout.sizeHint().width()
    box.resize(width + 100, 200)
    box.show()
    app.processEvents()
    assert {button.y() for button in buttons} == {buttons[0].y()} and buttons[3].geometry().right() == box.width() - 1
    box.resize(width // 2, 200)
    app.processEvents()
    assert buttons[3].y() > buttons[0].y() and all(box.rect().contains(button.geometry()) for button in buttons)
    assert layout.heightForWidth(width // 2) > layout.heightForWidth(width)
    box.close()


# Keys, names, colours


def test_the_list_of_keys_is_that_of_the_actions(window):
    press(window, QT.Key_F1)
    dialog = window.menus.keys_dialog
    text = dialog.findChild(QtWidgets.QTextBrowser).toPlainText()
    for words in ("Space, P", "Play or pause", "Ctrl+F", "Ctrl+O", "Home", "Measure", "Esc", "Ctrl+Left"):
        assert words in text
    dialog.close()
    action = QtWidgets.QAction("&Dance…", window)
    action.setShortcut("Ctrl+D")
    assert "Ctrl+D" in keys_table([("Other", [action])]) and "Dance<" in keys_table([("Other", [action])])


def test_space_pauses_the_one_thing_that_moves(window):
    assert not window.waterfall.pause_button.isVisible()
    window.player.set_speed(0.1)  # it is still playing when it is looked at
    press(window, QT.Key_Space)
    assert window.player.playing and window.transport.play_button.text() == "Pause"
    press(window, QT.Key_Space)
    assert not window.player.playing and not window.waterfall.paused
    assert "Space" in window.transport.play_button.toolTip()


def test_controls_have_names_for_screen_readers(window):
    controls = window.findChildren((QtWidgets.QSlider, QtWidgets.QComboBox, QtWidgets.QLineEdit, QtWidgets.QTableView))
    for part in controls:
        assert part.accessibleName(), part


def test_the_colours_follow_the_desktop_unless_they_are_chosen(window, app):
    before = app.palette()
    try:
        window.choose_theme("system")
        for color, theme in ((QtGui.QColor("#202020"), "dark"), (QtGui.QColor("#f0f0f0"), "light")):
            app.setPalette(QtGui.QPalette(color))
            app.processEvents()
            assert system_theme() == theme and window.waterfall.settings()["theme"] == theme
        assert window.remember()["theme"] == "system"
        window.waterfall.apply_settings({"theme": "dark"})
        assert window.remember()["theme"] == "dark"
    finally:
        app.setPalette(before)


def main_color(widget):
    """The lightness that most of a widget has, 0..255."""
    image = widget.grab().toImage()
    places = itertools.product(range(0, image.width(), 2), range(0, image.height(), 2))
    return Counter(image.pixelColor(x, y).lightness() for x, y in places).most_common(1)[0][0]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_dialogs_and_what_is_in_them_have_the_colours_of_the_window(theme, window, app):
    window.choose_theme(theme)
    window.bookmark_menu.set_bookmarks([Bookmark("a", 2.1404e9, COLORS[0])])
    press(window, QT.Key_F1)
    dialogs = [window.menus.keys_dialog, window.bookmark_menu.edit()]
    box = QtWidgets.QMessageBox(QtWidgets.QMessageBox.Question, "", "?", QtWidgets.QMessageBox.Ok, window)
    box.show()
    app.processEvents()
    kinds = QtWidgets.QPushButton, QtWidgets.QAbstractSpinBox, QtWidgets.QScrollBar
    for dialog in (*dialogs, box):
        parts = [part for kind in kinds for part in dialog.findChildren(kind) if part.isVisible()]
        assert parts
        for part in (dialog, *parts):
            assert (main_color(part) < 110) == (theme == "dark"), part
    frequency = dialogs[1].table.cellWidget(0, 1)
    text = frequency.fontMetrics().horizontalAdvance(frequency.text())
    assert frequency.lineEdit().width() > text, "all digits are seen"
    for dialog in (*dialogs, box):
        dialog.close()


def test_results_of_the_comparison_have_the_colours_of_the_theme(window, app):
    window.choose_theme("dark")
    window._update_slow_parts()
    for theme in ("light", "dark"):
        window.choose_theme(theme)
        cells = [window.comparison.item(row, RESULT) for row in range(window.comparison.rowCount())]
        allowed = {getattr(THEMES[theme], name) for name in ("good", "alarm", "muted")}
        assert cells and {cell.foreground().color().name() for cell in cells} <= allowed


# Other recordings


def drop(app, window, path):
    data = QtCore.QMimeData()
    data.setUrls([QtCore.QUrl.fromLocalFile(str(path))])
    place, none = QtCore.QPoint(300, 200), QT.NoModifier
    enter = QtGui.QDragEnterEvent(place, QT.CopyAction, data, QT.LeftButton, none)
    app.sendEvent(window, enter)
    assert enter.isAccepted()
    app.sendEvent(window, QtGui.QDropEvent(QtCore.QPointF(place), QT.CopyAction, data, QT.LeftButton, none))


def test_a_recording_that_is_dropped_is_opened_and_the_other_can_be_opened_again(window, app, tmp_path):
    other = write_recording(tmp_path, name="other")
    before = window.source
    drop(app, window, other)
    assert window.source is not before and "other" in window.windowTitle()
    wait_for(lambda: window.source.finished and window.table.model.rows, app=app)
    assert len(window.findChildren(type(window.transport))) == 1 and len(window.view.panels) == 2
    assert [entry["source"] for entry in window.settings["recent"]] == [
        str(other),
        before.recording.meta_path.as_posix(),
    ]
    window.menus._fill_recent(window.menus.recent_menu)
    choose(app, window.menus.recent_menu, "band")
    assert "band" in window.windowTitle()
    wait_for(lambda: window.source.finished, app=app)


def test_what_cannot_be_opened_leaves_all_as_it_was(window, app, tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(QtWidgets.QMessageBox, "warning", lambda *arguments: said.append(arguments[-1]))
    (tmp_path / "notes.txt").write_text("no samples")
    before = window.source
    drop(app, window, tmp_path / "notes.txt")
    assert window.source is before and "notes.txt" in said[0] and "--format" in said[0]


def test_open_asks_for_a_recording(window, app, tmp_path, monkeypatch):
    other = write_recording(tmp_path, name="other")
    monkeypatch.setattr(QtWidgets.QFileDialog, "getOpenFileName", lambda *_, **__: (str(other), ""))
    press(window, QT.Key_O, QT.ControlModifier)
    assert "other" in window.windowTitle()


# Menus


def test_the_menu_on_a_carrier_zooms_to_it_and_copies(window, narrow, app):
    menu = open_menu(app, window.waterfall.plots.viewport(), middle_of(window, narrow))
    choose(app, menu, "Zoom to")
    low, high = window.waterfall.waterfall_plot.viewRange()[0]
    carrier = window.table.carriers.find(narrow)
    assert low < carrier.freq_lower / 1e6 and high > carrier.freq_upper / 1e6
    assert 1e6 * (high - low) == pytest.approx(1.2 * carrier.bandwidth, rel=0.02)
    menu = open_menu(app, window.waterfall.plots.viewport(), middle_of(window, narrow))
    choose(app, menu, "Copy carrier")
    assert app.clipboard().text().splitlines()[1].split("\t")[0] == "9"
    menu = open_menu(app, window.waterfall.plots.viewport(), middle_of(window, narrow))
    choose(app, menu, "Copy frequency")
    pixel = 1e3 * window.waterfall.waterfall_plot.getViewBox().viewPixelSize()[0]
    assert 1e3 * float(app.clipboard().text()) == pytest.approx(carrier.center_frequency / 1e3, abs=2 * pixel)
    menu = open_menu(app, window.waterfall.plots.viewport(), middle_of(window, narrow))
    choose(app, menu, "Whole span")
    low, high = window.waterfall.waterfall_plot.viewRange()[0]
    assert high - low == pytest.approx(RATE / 1e6)


def test_the_menu_on_a_row_zooms_and_filters(window, narrow, app):
    view = window.table.view
    row = window.table.model.row_of(window.table.carriers.find(narrow))
    point = view.visualRect(window.table.model.index(row, 2)).center()
    choose(app, open_menu(app, view.viewport(), point), "Zoom to it")
    low, high = window.waterfall.waterfall_plot.viewRange()[0]
    assert 1e6 * (high - low) < RATE / 2
    choose(app, open_menu(app, view.viewport(), point), "List only class:")
    assert window.table.filter_edit.text() == "class:LTE" and window.table.model.rows
    window.table.filter_edit.setText("class:NR")
    assert not window.table.model.rows
    window.table.filter_edit.setText("verdict:proven")
    assert not window.table.model.rows


# What comes back


def test_without_a_source_the_last_one_is_opened_where_it_was(window, app, opener, recording_path):
    window.waterfall.waterfall_plot.setXRange(1815.2, 1816.2, padding=0)
    window.table.filter_edit.setText("lte")
    window.player.seek(0.2)
    wait_for(lambda: window.player.position == pytest.approx(0.24), app=app)
    watch_settings.save_settings(watch_settings.settings_path(), window.remember())
    settings = watch_settings.load_settings(watch_settings.settings_path())
    options = watch_session.last_session(parse(), settings["session"])
    assert options.source == str(recording_path) and options.start == pytest.approx(0.24)
    feed = Feed()
    source = opener({"source": options.source}, feed, settings)
    other = WatchWindow(
        source, feed, settings, described=watch_session.description(options), open_source=opener, continues=True
    )
    other.show()
    source.start()
    wait_for(lambda: other.waterfall.history.newest is not None and other.waterfall._wanted_view is None, app=app)
    assert other.waterfall.waterfall_plot.viewRange()[0] == pytest.approx([1815.2, 1816.2], abs=1e-3)
    assert other.table.filter_edit.text() == "lte"
    close(other)
    other.stop_sources()


def test_the_last_session_is_not_opened_where_it_is_not_wanted_or_gone(tmp_path, recording_path):
    session = {"source": str(recording_path)}
    assert watch_session.last_session(parse("--no-session"), session).source is None
    assert watch_session.last_session(parse("tcp://127.0.0.1:5560"), session).source.startswith("tcp")
    with pytest.raises(ParameterError, match="not there any more"):
        watch_session.last_session(parse(), {"source": str(tmp_path / "gone.sigmf-meta")})
    with pytest.raises(ParameterError, match="nothing to watch"):
        watch.make_source(parse("--no-session"), None, dict(watch_settings.DEFAULTS))


@pytest.mark.parametrize(
    "text", ["recent: [1]", "session: {source: 3}", "session: {source: a, position: x}", "layout: 5"]
)
def test_a_damaged_session_is_the_default(text, tmp_path, caplog):
    (tmp_path / "watch.yml").write_text(text)
    assert watch_settings.load_settings(tmp_path / "watch.yml") == watch_settings.DEFAULTS
    assert text.split(":")[0] in caplog.text


def test_a_layout_that_qt_does_not_understand_is_not_used(app, play, recording_path):
    player, feed = play(recording_path, cell_budget=0.0)
    window = WatchWindow(player, feed, {**watch_settings.DEFAULTS, "layout": "nonsense", "table": "beside"})
    window.show()
    app.processEvents()
    assert window.view.place == "beside"
    close(window)


# Closer, and all of it


def test_a_zoom_shows_what_the_rows_of_the_history_do_not(window, app, tmp_path):
    """Two tones 4 kHz apart, in one column of 19.5 kHz: after the zoom they are two lines, right to a pixel."""
    tones = (CENTER - 1.000e6, CENTER - 1.004e6)
    time = np.arange(FRAMES * FRAME) / RATE
    samples = sum(0.1 * np.exp(2j * np.pi * (tone - CENTER) * time) for tone in tones)
    noise = np.random.default_rng(3).standard_normal((len(samples), 2)) @ [1, 1j]
    other = write_recording(tmp_path, name="tones")
    (samples + 1e-3 * noise).astype(np.complex64).tofile(tmp_path / "tones.sigmf-data")
    assert window.open({"source": str(other)})
    waterfall = window.waterfall
    wait_for(lambda: window.player.finished and waterfall._is_over, app=app)
    wait_for(lambda: np.ptp(waterfall.waterfall_plot.viewRange()[1]) == pytest.approx(DURATION, abs=0.01), app=app)
    waterfall.apply_settings({"boxes": False, "references": False, "alpha": 0.0})
    waterfall.waterfall_plot.setXRange(1813.985, 1814.01, padding=0)
    wait_for(lambda: is_closer(waterfall, 0.026e6), app=app)
    image = waterfall.plots.grab().toImage()
    middle = waterfall.history.newest_y / 2
    points = [viewport_point(waterfall, CENTER - 1.02e6 + 100 * step, middle) for step in range(60, 340)]
    bright = np.array([image.pixelColor(point).lightness() for point in points])
    frequencies = CENTER - 1.02e6 + 100.0 * np.arange(60, 340)
    for tone in tones:
        near = np.abs(frequencies - tone) < 1500
        assert frequencies[near][bright[near].argmax()] == pytest.approx(tone, abs=100)
    assert bright[np.abs(frequencies - np.mean(tones)) < 500].max() < 0.6 * bright.max(), "dark between them"
    spectrum = waterfall.spectrum
    at, power = spectrum.curves["newest"].getData()
    for tone in tones:
        near = np.abs(at - tone / 1e6) < 0.0015
        assert at[near][power[near].argmax()] == pytest.approx(tone / 1e6, abs=1e-4)
    between = power[np.abs(at - np.mean(tones) / 1e6) < 0.0005].max()
    assert between < power.max() - 20 and spectrum.legend.items[0][1].text == "part in view"
    window.player.seek(0.1)
    wait_for(lambda: spectrum.part is None and spectrum.legend.items[0][1].text == "newest frame", app=app)
    wait_for(lambda: is_closer(waterfall, 0.026e6) and spectrum.part is not None, app=app)
    waterfall.home()
    wait_for(lambda: is_closer(waterfall, RATE), app=app)


def is_closer(waterfall, span):
    """Whether finer spectra of no more than a span in Hz are shown, of what is in view now."""
    shown = waterfall.detail.shown
    return (
        shown is not None
        and shown.wanted.upper - shown.wanted.lower <= span + 1
        and waterfall.detail.is_wanted(shown.wanted.number)
    )


def test_going_back_wipes_nothing(window, app):
    waterfall = window.waterfall
    rows, boxes = waterfall.history.newest_y, len(waterfall.segments.boxes)
    window.player.seek(0.0)
    window.player.play()
    wait_for(lambda: window.player.finished, app=app)
    wait_for(lambda: waterfall.history.newest_y == pytest.approx(2 * rows, rel=0.01), app=app)
    assert waterfall.history.oldest_y == 0.0 and len(waterfall.segments.boxes) > boxes
    assert [found.text for found in waterfall.history.breaks] == ["back by 480 ms"]
    drawn = waterfall.history.heights_of_times(np.array([1_714_564_987.54]), np.array([1_714_564_987.58]), 0, 2 * rows)
    assert len(drawn) == 2, "an annotation is drawn in both rounds"
    assert [y1 - y0 for _, y0, y1 in drawn] == pytest.approx([0.04, 0.04], abs=0.003)


def test_the_overview_has_the_whole_recording_and_a_click_goes_there(window, app):
    strip = window.transport.slider
    wait_for(lambda: strip._image is not None and strip.marks and strip.marks[0].end == 1.0, app=app)
    wait_for(lambda: np.isfinite(strip._decibels).all(), app=app)
    picture = strip.grab().toImage()
    x = strip.width() // 3
    upper, lower = (picture.pixelColor(x, round(part * strip.height())) for part in (0.4, 0.8))
    assert upper.lightness() > lower.lightness() + 20, "the carrier is in the upper half of the span"
    assert strip.marks[0].label == "LTE" and (strip.marks[0].start, strip.marks[0].end) == (0.0, 1.0)
    assert strip.view == pytest.approx((0.0, 1.0), abs=0.01), "all of it is in view"
    QtTest.QTest.mouseClick(strip, QT.LeftButton, pos=QtCore.QPoint(strip.width() // 2, 5))
    wait_for(lambda: window.player.position == pytest.approx(DURATION / 2 + 0.04, abs=0.005), app=app)


def test_a_recording_of_3_ms_fills_the_picture(app, play, tmp_path):
    path = write_recording(tmp_path, frames=1, name="short")
    with open(tmp_path / "short.sigmf-data", "r+b") as file:
        file.truncate(8 * round(0.003 * RATE))
    player, feed = play(path, cell_budget=0.0)
    window = WatchWindow(player, feed, dict(watch_settings.DEFAULTS))
    window.show()
    view = window.waterfall.waterfall_plot
    wait_for(lambda: player.finished and window.waterfall._is_over, app=app)
    wait_for(lambda: window.waterfall.history.newest is not None, app=app)
    wait_for(lambda: np.ptp(view.viewRange()[1]) < 0.0045, app=app)
    close(window)
    window.stop_sources()


# Bookmarks


def test_a_bookmark_is_drawn_at_its_frequency_found_in_the_menu_and_kept(window, narrow, app, monkeypatch):
    monkeypatch.setattr(QtWidgets.QInputDialog, "getText", lambda *_, **__: ("our cell", True))
    choose(app, open_menu(app, window.waterfall.plots.viewport(), middle_of(window, narrow)), "Bookmark its centre")
    window.waterfall.plots.grab()
    [(rect, bookmark)] = window.waterfall.bookmark_layers[0].drawn
    assert (bookmark.name, bookmark.frequency) == ("our cell", CENTER)
    at = viewport_point(window.waterfall, CENTER, window.waterfall.history.newest_y / 2).x()
    assert rect.left() == pytest.approx(at, abs=4)
    window.waterfall.waterfall_plot.setXRange(1813, 1814, padding=0)
    window.bookmark_menu._fill()
    choose(app, popup(window.bookmark_menu, app), "our cell")
    low, high = window.waterfall.waterfall_plot.viewRange()[0]
    assert low < CENTER / 1e6 < high
    watch_settings.save_settings(watch_settings.settings_path(), window.remember())
    kept = watch_settings.load_settings(watch_settings.settings_path())["bookmarks"]
    assert kept == [{"name": "our cell", "frequency": CENTER, "color": bookmark.color}]


def popup(menu, app):
    menu.popup(QtCore.QPoint(10, 10))
    app.processEvents()
    return menu


def test_bookmarks_are_edited_and_deleted(window, app):
    window.bookmark_menu.set_bookmarks([Bookmark("a", 1e9, COLORS[0]), Bookmark("b", 2e9, COLORS[1])])
    dialog = window.bookmark_menu.edit()
    dialog.table.item(0, 0).setText("first")
    dialog.table.cellWidget(0, 1).setValue(1000.5)
    dialog.table.selectRow(1)
    delete = next(button for button in dialog.findChildren(QtWidgets.QPushButton) if "Delete" in button.text())
    QtTest.QTest.mouseClick(delete, QT.LeftButton)
    dialog.accept()
    assert window.bookmark_menu.bookmarks == [Bookmark("first", 1000.5e6, COLORS[0])]


def test_bookmarks_that_are_none_are_left_out():
    good = {"name": "a", "frequency": 1e9, "color": "#ff0000"}
    bad = [
        3,
        {},
        {**good, "name": 5},
        {**good, "frequency": "x"},
        {**good, "frequency": float("nan")},
        {**good, "frequency": 10**400},
        {**good, "color": "?"},
    ]
    assert bookmarks_of([*bad, good]) == [Bookmark("a", 1e9, "#ff0000")]


def test_what_has_no_text_has_an_accessible_name(window):
    kinds = (
        QtWidgets.QAbstractButton,
        QtWidgets.QAbstractItemView,
        QtWidgets.QAbstractSlider,
        QtWidgets.QAbstractSpinBox,
        QtWidgets.QComboBox,
        QtWidgets.QGraphicsView,
        QtWidgets.QLineEdit,
    )
    parts = [part for kind in kinds for part in window.findChildren(kind) if not part.objectName().startswith("qt_")]
    # What Qt puts into its own: lists of combo boxes, buttons of text fields, scroll bars.
    inner = (
        QtWidgets.QComboBox,
        QtWidgets.QAbstractSpinBox,
        QtWidgets.QAbstractScrollArea,
        QtWidgets.QLineEdit,
        QtWidgets.QTabBar,
    )
    nameless = [
        (type(part).__name__, type(part.parentWidget()).__name__)
        for part in parts
        if not (part.accessibleName() or isinstance(part, QtWidgets.QAbstractButton) and part.text())
        and not isinstance(part.parentWidget(), inner)
        and part.parentWidget().metaObject().className() != "QComboBoxPrivateContainer"
        and not part.parentWidget().objectName().startswith("qt_")
    ]
    assert not nameless
