# SPDX-License-Identifier: GPL-3.0-or-later
"""Acting on what the window shows, by mouse and keys: marked parts, other classes, deleted carriers, files cut out."""

import json

import numpy as np
import pytest

QtWidgets = pytest.importorskip("PyQt5.QtWidgets", reason="PyQt5 is not installed")
pytest.importorskip("pyqtgraph", reason="pyqtgraph is not installed")

from PyQt5 import QtCore, QtGui, QtTest
from test_carrier_list import segment
from test_watch import CENTER, FRAME, RATE, app, own_settings, play, press, wait_for
from test_watch_window import choose, middle_of, narrow, open_menu, opener, recording_path, window
from waterfall_scene import viewport_point

from rpmsn.gui.watch.corrections import Corrections, corrected
from rpmsn.messages.report import check_report
from rpmsn.recording import open_recording

__all__ = ["app", "narrow", "opener", "own_settings", "play", "recording_path", "window"]

QT, BOX = QtCore.Qt, QtWidgets.QMessageBox


def sub_menu(menu, begin):
    """The menu behind an entry."""
    return next(action.menu() for action in menu.actions() if action.text().replace("&", "").startswith(begin))


def mark(app, window, edges, heights):
    """Shift and drag over a part of the picture, as a mouse does."""
    viewport = window.waterfall.plots.viewport()
    start, end = (viewport_point(window.waterfall, edge, y) for edge, y in zip(edges, heights))
    QtTest.QTest.mousePress(viewport, QT.LeftButton, QT.ShiftModifier, start)
    for fraction in (0.3, 0.7, 1.0):
        point = QtCore.QPointF(start + (end - start) * fraction)
        app.sendEvent(
            viewport, QtGui.QMouseEvent(QtCore.QEvent.MouseMove, point, QT.LeftButton, QT.LeftButton, QT.ShiftModifier)
        )
    QtTest.QTest.mouseRelease(viewport, QT.LeftButton, QT.ShiftModifier, end)
    app.processEvents()
    return viewport_point(window.waterfall, sum(edges) / 2, sum(heights) / 2)


@pytest.fixture
def marked(window, app):
    """A pixel in a part that is marked: 0.5 to 1.5 MHz above the centre, 0.1 to 0.3 s."""
    return mark(app, window, (CENTER + 0.5e6, CENTER + 1.5e6), (0.1, 0.3))


def test_shift_and_drag_marks_a_part_right_to_a_pixel(window, marked):
    selection = window.waterfall.selection
    width, height = window.waterfall.waterfall_plot.getViewBox().viewPixelSize()
    assert selection.frequencies == pytest.approx((CENTER + 0.5e6, CENTER + 1.5e6), abs=1.5e6 * width)
    assert selection.heights == pytest.approx((0.1, 0.3), abs=1.5 * height)
    assert window.waterfall.waterfall_plot.viewRange()[0] == pytest.approx([1812.49, 1817.49], abs=0.01), (
        "it does not pan"
    )
    press(window.waterfall, QT.Key_Escape)
    assert selection.area is None


def test_zoom_to_what_is_marked(window, app, marked):
    edges, heights = window.waterfall.selection.frequencies, window.waterfall.selection.heights
    choose(app, open_menu(app, window.waterfall.plots.viewport(), marked), "Zoom to the marked part")
    (left, right), (low, high) = window.waterfall.waterfall_plot.viewRange()
    assert (1e6 * left, 1e6 * right) == pytest.approx(edges, abs=10) and (low, high) == pytest.approx(heights, abs=1e-6)


def test_what_is_marked_is_cut_to_a_file(window, app, marked, tmp_path, monkeypatch):
    target = tmp_path / "part.sigmf-meta"
    monkeypatch.setattr(QtWidgets.QFileDialog, "getSaveFileName", lambda *_, **__: (str(target), ""))
    choose(app, open_menu(app, window.waterfall.plots.viewport(), marked), "Cut the marked part")
    wait_for(target.exists, app=app)
    wait_for(lambda: "written" in window.statusBar().currentMessage(), app=app)
    with open_recording(target) as part:
        assert part.duration == pytest.approx(0.2, abs=0.004) and part.sample_rate < RATE / 2
        assert part.center_frequency == pytest.approx(CENTER + 1e6, abs=20e3)
        assert sum(part.time_at(0)) == pytest.approx(1_714_564_987.6, abs=0.003)
        power = np.abs(np.fft.fftshift(np.fft.fft(part.read(0, 65536)))) ** 2
        frequencies = np.fft.fftshift(np.fft.fftfreq(65536, 1 / part.sample_rate)) + part.center_frequency
        inside = (frequencies > CENTER + 0.5e6) & (frequencies < CENTER + 1.25e6)
        outside = (frequencies > CENTER + 1.3e6) & (frequencies < CENTER + 1.5e6)
        assert power[inside].mean() > 10 * power[outside].mean(), "the carrier ends at 1.25 MHz above the centre"


def test_a_part_never_replaces_its_own_recording(window, app, recording_path, monkeypatch):
    said = []
    monkeypatch.setattr(QtWidgets.QMessageBox, "warning", lambda *arguments: said.append(arguments[-1]))
    before = recording_path.with_name("band.sigmf-data").read_bytes()
    window.editor.cut(recording_path, (0, 1000), (CENTER, CENTER + 1e6), overwrite=True)
    assert "another name" in said[0] and recording_path.with_name("band.sigmf-data").read_bytes() == before


def test_a_marked_part_is_annotated_and_exported_beside_the_file(window, app, marked, tmp_path):
    before = (tmp_path / "band.sigmf-meta").read_bytes()
    menu = open_menu(app, window.waterfall.plots.viewport(), marked)
    choose(app, sub_menu(menu, "Annotate"), "NR")
    menu.close()
    assert "own: NR" in [label for label, *_ in window.waterfall.box_layer.references]
    path = window.table.export(tmp_path / "band.rpmsn.sigmf-meta")
    read = json.loads(path.read_text())["annotations"]
    [own] = [entry for entry in read if entry["core:label"] == "NR"]
    assert own["core:sample_start"] == pytest.approx(0.1 * RATE, abs=0.003 * RATE)
    assert own["core:freq_lower_edge"] == pytest.approx(CENTER + 0.5e6, abs=20e3) and len(read) == 2
    assert (tmp_path / "band.sigmf-meta").read_bytes() == before
    press(window, QT.Key_Z, QT.ControlModifier)
    assert not window.editor.drawn and "own: NR" not in [label for label, *_ in window.waterfall.box_layer.references]


def test_an_annotation_that_was_drawn_is_deleted_by_its_menu_until_that_is_undone(window, app, marked):
    def own():
        return [label for label, *_ in window.waterfall.box_layer.references if label.startswith("own")]

    for label in ("NR", "LTE"):
        edges, heights = (CENTER + 0.5e6, CENTER + 1.5e6), (0.1, 0.3) if label == "NR" else (0.32, 0.38)
        point = mark(app, window, edges, heights)
        menu = open_menu(app, window.waterfall.plots.viewport(), point)
        choose(app, sub_menu(menu, "Annotate"), label)
        menu.close()
    menu = open_menu(app, window.waterfall.plots.viewport(), marked)
    texts = [action.text() for action in menu.actions() if "annotation" in action.text()]
    assert texts == ["&Delete the annotation NR"]
    choose(app, menu, "Delete the annotation")
    menu.close()
    assert own() == ["own: LTE"] and [entry["core:label"] for entry in window.table.drawn] == ["LTE"]
    press(window, QT.Key_Z, QT.ControlModifier)
    assert own() == ["own: NR", "own: LTE"]


def test_a_class_that_a_person_gives_holds_against_reports_that_wait(window, narrow, app):
    later = segment(9, narrow, sample_rate=RATE, start_offset=8 * FRAME, end_offset=9 * FRAME)
    window.table.add_segment(later)
    window.waterfall.add_segment(later)
    window.editor.relabel(window.table.carriers.find(narrow), "NR")
    window.table.update_now()
    window.waterfall._tick()
    assert window.table.carriers.find(narrow).label == window.waterfall.segments.newest_of(narrow).label == "NR"


def test_a_carrier_gets_another_class_everywhere_until_it_is_undone(window, narrow, app, tmp_path):
    menu = open_menu(app, window.waterfall.plots.viewport(), middle_of(window, narrow))
    choose(app, sub_menu(menu, "It is"), "NR")
    menu.close()
    row, box = window.table.carriers.find(narrow), window.waterfall.segments.newest_of(narrow)
    assert (row.label, box.label, row.confidence) == ("NR", "NR", 1.0)
    later = segment(9, narrow, sample_rate=RATE, start_offset=8 * FRAME, end_offset=9 * FRAME)
    window._feed.put_segment(later, later)
    window._drain()
    window.waterfall._tick()
    window.table.update_now()
    assert window.table.carriers.find(narrow).label == "NR", "what is reported later is corrected, too"
    labels = [
        entry["core:label"]
        for entry in json.loads(window.table.export(tmp_path / "a.sigmf-meta").read_text())["annotations"]
    ]
    assert sorted(labels) == ["LTE", "NR"]
    press(window, QT.Key_Z, QT.ControlModifier)
    assert window.table.carriers.find(narrow).label == window.waterfall.segments.newest_of(narrow).label == "LTE"
    press(window, QT.Key_Y, QT.ControlModifier)
    assert window.table.carriers.find(narrow).label == "NR"


def test_a_deleted_carrier_is_neither_listed_nor_drawn_nor_exported_until_it_is_undone(window, narrow, app, tmp_path):
    window.table.select_carrier(narrow)
    press(window, QT.Key_Delete)

    def shown():
        return [row.carrier_id for row in window.table.model.rows]

    assert shown() == [1]
    assert window.waterfall.pointing.box_at(CENTER, 6 * 0.04).burst_id == 1, "the one below it"
    assert len(json.loads(window.table.export(tmp_path / "a.sigmf-meta").read_text())["annotations"]) == 1
    press(window, QT.Key_Z, QT.ControlModifier)
    assert sorted(shown()) == [1, narrow] and window.waterfall.pointing.box_at(CENTER, 6 * 0.04).burst_id == narrow


def test_the_menu_on_a_row_cuts_the_carrier(window, narrow, app, tmp_path, monkeypatch):
    target = tmp_path / "carrier"
    monkeypatch.setattr(QtWidgets.QFileDialog, "getSaveFileName", lambda *_, **__: (str(target), ""))
    view = window.table.view
    row = window.table.model.row_of(window.table.carriers.find(narrow))
    choose(app, open_menu(app, view.viewport(), view.visualRect(window.table.model.index(row, 2)).center()), "Cut it")
    wait_for(lambda: "written" in window.statusBar().currentMessage(), app=app)
    with open_recording(tmp_path / "carrier.sigmf-meta") as part:
        assert part.duration == pytest.approx(4 * 0.04, abs=1e-3)
        assert {entry["core:label"] for entry in part.annotations} == {"LTE"}


def test_a_correction_takes_the_cell_away_with_the_class():
    fields = segment(0, 3, cell_id=17, verdict="proven", evidence="broadcast", band="3")
    corrections = Corrections()
    assert corrections.apply(fields) is fields
    corrections.labels[3] = "NR"
    said = check_report(corrections.apply(fields))
    assert said == corrected(check_report(fields), "NR")
    assert (said.label, said.cell_id, said.band, said.verdict, said.confidence) == ("NR", None, None, "", 1.0)


def test_another_recording_begins_without_corrections(window, narrow, recording_path):
    window.editor.relabel(window.table.carriers.find(narrow), "NR")
    window.editor.delete([window.table.carriers.find(1)])
    assert window.open({"source": str(recording_path)})
    assert not window.editor.corrections.labels and not window.editor.canUndo() and not window.view.hidden_carriers


@pytest.mark.parametrize(
    ("answer", "is_left", "is_written"),
    [(BOX.Cancel, False, False), (BOX.Discard, True, False), (BOX.Save, True, True)],
)
def test_corrections_that_no_file_has_are_asked_about_before_they_are_gone(
    answer, is_left, is_written, window, narrow, app, recording_path, tmp_path, monkeypatch
):
    asked, target = [], tmp_path / "mine.sigmf-meta"
    monkeypatch.setattr(BOX, "question", lambda *arguments: asked.append(arguments[2]) or answer)
    monkeypatch.setattr(QtWidgets.QFileDialog, "getSaveFileName", lambda *_, **__: (str(target), ""))
    before = window.player
    window.ask_and_show({"source": str(recording_path)})
    assert window.player is not before and not asked, "nothing was corrected"
    wait_for(lambda: window.player.finished and window.table.model.rows, app=app)
    before = window.player
    window.editor.relabel(window.table.model.rows[0], "NR")
    menu = window.menuBar().actions()[0].menu()
    [quit_action] = [action for action in menu.actions() if action.shortcut().toString() == "Ctrl+Q"]
    window.ask_and_show({"source": str(recording_path)})
    assert asked == ["1 correction is in no file yet."] and (window.player is not before) == is_left
    assert target.exists() == is_written
    if answer == BOX.Cancel:
        quit_action.trigger()
        assert window.isVisible() and len(asked) == 2
        press(window, QT.Key_Z, QT.ControlModifier)
        quit_action.trigger()
        assert not window.isVisible() and len(asked) == 2, "what is undone is not asked about"


@pytest.mark.parametrize("is_part", [False, True])
def test_corrected_labels_are_saved_with_the_samples_to_train_on(window, app, tmp_path, monkeypatch, is_part):
    from rpmsn.training.annotated import frames_in, image_and_mask

    if is_part:
        mark(app, window, (CENTER + 0.5e6, CENTER + 1.5e6), (0.1, 0.3))
    carrier = window.table.model.rows[0]
    window.editor.relabel(carrier, "NR")
    monkeypatch.setattr(QtWidgets.QFileDialog, "getExistingDirectory", lambda *_, **__: str(tmp_path))
    press(window, QT.Key_T, QT.ControlModifier)
    wait_for(lambda: "written" in window.statusBar().currentMessage(), app=app)
    assert window.editor.isClean() != is_part, "a part does not have all corrections"
    (path,) = tmp_path.glob("*.labels.sigmf-meta")
    with open_recording(path) as saved:
        assert saved.sample_rate == RATE
        whole = window.player.recording.duration
        assert saved.duration == (pytest.approx(0.2, abs=0.004) if is_part else whole)
        assert "NR" in {entry["core:label"] for entry in saved.annotations}
    mask = image_and_mask(frames_in(tmp_path)[0], "averaged")[1]
    column = 128 + round((carrier.center_frequency - CENTER) / RATE * 256)
    assert (mask[100:156, column] == 2).all()
