# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts in other languages: none of the window's escapes, places for values and numbers stay, German is complete."""

import ast
import json
import re
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

QtWidgets = pytest.importorskip("PyQt5.QtWidgets", reason="PyQt5 is not installed")
pytest.importorskip("pyqtgraph", reason="pyqtgraph is not installed")

from PyQt5 import QtGui
from test_carrier_list import segment
from test_radio_bar import Radio
from test_watch import CENTER, FRAME, RATE, app, close, own_settings, parse, play, wait_for, write_recording

from rpmsn.detection.segmenter import frame_warnings, rate_warnings
from rpmsn.errors import ParameterError, RecordingError
from rpmsn.gui.carriers import columns
from rpmsn.gui.carriers.carrier_list import CarrierList
from rpmsn.gui.translation import counted, read_texts, tr, tr_report, use_language, use_texts
from rpmsn.gui.watch import main as watch
from rpmsn.gui.watch import settings as watch_settings
from rpmsn.gui.watch.bookmark_menu import BookmarkDialog
from rpmsn.gui.watch.keys_help import keys_table
from rpmsn.gui.watch.radio_bar import RadioBar
from rpmsn.gui.watch.window import WatchWindow
from rpmsn.gui.waterfall.bookmarks import Bookmark
from rpmsn.gui.waterfall.status import describe_status
from rpmsn.models.model import load_model
from rpmsn.radios.stopping import describe_silence
from rpmsn.recording import open_recording
from rpmsn.signal import quality
from rpmsn.signal.artefacts import Artefacts
from rpmsn.tracking.verdict import VERDICTS

__all__ = ["app", "own_settings", "play"]

ROOT = Path(__file__).resolve().parents[2]
GUI = ROOT / "python/rpmsn/gui"
GERMAN = GUI / "translations/rpmsn_de.ts"
OPEN, CLOSE = "⟦", "⟧"
SAME_EVERYWHERE = re.compile(
    r"\b(LTE|NR|other|noise|PCI|SNR|UTC|MHz|kHz|Hz|dB|dBm|dBFS|Msps|ppm|ms|min|[hs]|SigMF|CSV|all_lte|band|torch|test|RX[12]"
    r"|rpmsn|watch|Esc|Ctrl|Shift|Del|Home|PgUp|PgDown|Space|Left|Right|F1|[A-Z]|gray|inferno|viridis|cividis"
    r"|driver|network|sync|EARFCN|ARFCN|GSCN|n\d+|B\d+|marked_by_a_person)\b"
)
"""Names of classes, units, keys, values of fields, and of what the tests open."""


class Marked(dict):
    """A language in which every text is the English one in brackets."""

    def get(self, text, default=None):
        return tuple(f"{OPEN}{form}{CLOSE}" for form in (default or (text,)))

    def __contains__(self, text):
        return True

    def __bool__(self):
        return True


@pytest.fixture
def marked():
    use_texts(Marked())
    yield
    use_texts({})


@pytest.fixture
def german():
    use_texts(read_texts(GERMAN))
    yield
    use_texts({})


def not_translated(text):
    """What of a text is in no brackets and is a word of a language."""
    text = re.sub(r"<[^>]*>|&nbsp;|&lt;|&gt;|\*\.[\w-]+|[\w./-]*\.sigmf-meta|file:|/\S+", " ", text)
    depth, outside = 0, []
    for letter in text:
        depth += (letter == OPEN) - (letter == CLOSE)
        if not depth and letter != CLOSE:
            outside.append(letter)
    return re.findall(r"[^\W\d_]{2,}", SAME_EVERYWHERE.sub(" ", "".join(outside)))


def texts_of(widget):
    """(where, text) of all that a person sees, or a screen reader reads, of a widget and all in it."""
    for part in (widget, *widget.findChildren(QtWidgets.QWidget)):
        kind = type(part).__name__
        if part.objectName().startswith(("qt_", "Scroll")) or isinstance(part.parentWidget(), QtWidgets.QColorDialog):
            continue
        for name in ("text", "windowTitle", "title", "placeholderText", "specialValueText", "suffix", "toPlainText"):
            getter = getattr(part, name, None)
            is_typed = isinstance(part, QtWidgets.QLineEdit) and name == "text"
            if callable(getter) and not is_typed:
                yield f"{kind}.{name}", str(getter())
        yield f"{kind}.toolTip", part.toolTip()
        yield f"{kind}.accessibleName", part.accessibleName()
        if isinstance(part, QtWidgets.QComboBox):
            yield from ((f"{kind} item", part.itemText(index)) for index in range(part.count()))
        model = part.model() if isinstance(part, QtWidgets.QTableView) else None
        for column in range(model.columnCount() if model else 0):
            yield f"{kind} header", str(model.headerData(column, 1) or "")
            yield f"{kind} header hint", str(model.headerData(column, 1, 3) or "")
            for row in range(model.rowCount()):
                yield f"{kind} cell", str(model.index(row, column).data() or "")
                yield f"{kind} hint", str(model.index(row, column).data(3) or "")
        for action in QtWidgets.QWidget.actions(part):
            yield f"{kind} action", action.text()


def escaped(parts):
    return [(where, words, text) for where, text in parts if (words := not_translated(text))]


@pytest.fixture
def window(app, marked, play, recording_path):
    """A window with a recording that was played, whose carriers are proven, cut off, likely and gone."""
    player, feed = play(recording_path, cell_budget=0.0)
    window = WatchWindow(player, feed, {**watch_settings.DEFAULTS, "theme": "dark"}, open_source=lambda *_: None)
    window.show()
    wait_for(lambda: player.finished and window.table.model.rows, app=app)
    for number, fields in enumerate(
        (
            dict(verdict="proven", cell_id=7, evidence="sync", band="3", earfcn=1300, channel_bandwidth=1e6),
            dict(verdict="likely", cut_lower=True, evidence="network"),
            dict(verdict="unsure", cut_lower=True, cut_upper=True, event="gone"),
        )
    ):
        edges = dict(freq_lower=CENTER - 1e6 * number, freq_upper=CENTER + 1e6, center_frequency=CENTER, bandwidth=2e6)
        window.table.add_segment(
            segment(1, 90 + number, sample_rate=RATE, start_offset=FRAME, end_offset=5 * FRAME, **edges, **fields)
        )
    window.table.update_now()
    window._update_slow_parts()
    window.waterfall._tick()
    yield window
    close(window)
    window.stop_sources()
    app.processEvents()


@pytest.fixture
def recording_path(tmp_path):
    return write_recording(tmp_path)


def test_no_text_of_the_window_escapes_translation(window):
    for menu in window.findChildren(QtWidgets.QMenu):
        menu.aboutToShow.emit()
    assert escaped(texts_of(window)) == []
    waterfall = window.waterfall
    axes = [
        plot.getAxis(side)
        for plot in (waterfall.spectrum.plot, waterfall.waterfall_plot)
        for side in ("left", "bottom")
    ]
    legend = [label.text for _, label in waterfall.spectrum.legend.items]
    drawn = [text for *_, text, _ in waterfall.box_layer.labels_drawn]
    drawn += [label.replace("file", "") for label, *_ in waterfall.box_layer.references]
    assert not escaped(("drawn", text) for text in [*(axis.labelText for axis in axes), *legend, *drawn])
    waterfall.pause_button.setChecked(True)
    waterfall.controls.measure_button.setChecked(True)
    place = waterfall.waterfall_plot.getViewBox().viewRect().center()
    said = [
        waterfall.box_layer.note,
        waterfall.measure_label.text(),
        waterfall.pointing._describe(1e6 * place.x(), place.y()),
    ]
    assert said[0] and not escaped(("said", text) for text in said)


def test_no_text_of_menus_on_carriers_and_places_escapes(window, app):
    waterfall, carrier = window.waterfall, window.table.model.rows[0]
    menu = QtWidgets.QMenu()
    window.table.filter_edit.setText("x")
    window.table.add_to_menu(menu, carrier)
    view = waterfall.waterfall_plot.getViewBox().viewRect()
    waterfall.selection._set(view)
    waterfall.pointing._open_menu((1e6 * view.center().x(), view.center().y()), QtGui.QCursor.pos())
    picture_menu = app.activePopupWidget()
    texts = [action.text() for one in (menu, picture_menu) for action in one.actions()]
    picture_menu.close()
    assert len(texts) > 12 and not escaped(("menu", text) for text in texts)


def test_no_text_of_lists_of_keys_dialogs_and_a_radio_escapes(window, app):
    window.menus._show_keys()
    dialogs = [window.menus.keys_dialog, BookmarkDialog(window, [Bookmark("LTE", CENTER, "#ff0000")])]
    bar = RadioBar(Radio(), dict(watch_settings.DEFAULTS))
    bar.update_now()
    for part in (*dialogs, bar):
        # Buttons of dialogs are Qt's.
        own = [(where, text) for where, text in texts_of(part) if text not in ("Cancel", "OK", "#ff0000")]
        assert own and not escaped(own)
        part.close()
    actions = [action for part in (window, window.waterfall, window.table, bar) for action in part.actions()]
    assert not escaped(("key", text) for text in re.findall(r"<td>([^<]*)</td>", keys_table([(tr("x"), actions)])))


def test_no_text_of_the_status_escapes(marked):
    base = {"mode": "live", "sample_rate": 1e7, "model": "test", "runtime": "torch", "frames_analysed": 10}
    for fields in (
        dict(samples_dropped=10, samples_analysed=10, frames_dropped=1, coverage=0.5, queue=3),
        dict(samples_dropped=10, samples_yielded=10, samples_analysed=10, coverage=0.5),
        dict(samples_lost=3, overflows=2, latency=3.0, input_rate=5e6),
        dict(samples_skipped=3, coverage=0.5, error="", real_time_factor=0.5, asked_speed=1.0),
        dict(judged=0.5, health="clipping: 2.0% of the values are at the rail; lower the gain by 3 dB or more"),
        dict(judged=0.0, health="ok"),
        dict(judged=1.0, health="ok", information="a spike at the centre frequency, as receivers make it themselves "
             "(DC offset): nothing so narrow is reported there; tune a little aside to see it"),
    ):  # fmt: skip
        problems, facts = describe_status({**base, **fields})
        assert facts and not escaped(("status", said.text) for said in [*problems, *facts])


def reports():
    """Every sentence that the analysis may say of its input and of itself."""
    noise = np.random.default_rng(1).normal(size=(4096, 2)).astype(np.float32)
    card = load_model("rpmsn-rt").card
    for values in (
        np.zeros_like(noise),
        np.clip(noise, -1, 1),
        np.clip(0.45 * noise, -1, 1),
        1e-9 * noise,
        1e-6 * noise,
    ):
        yield from (finding.text for finding in quality.of_values(values.astype(np.float32)))
    yield quality.without_bad_values(np.array([np.nan], np.float32))[1].text
    artefacts = Artefacts(True, np.ones(256, bool))
    yield from (found.text for found in quality.of_artefacts(artefacts, np.full((8, 256), 99.0, np.float32), 1.0))
    yield from [*rate_warnings(card, 1e9), *rate_warnings(card, 1e3), *frame_warnings(card, 1.0)]
    yield describe_silence("driver=rtlsdr")


def test_all_that_the_analysis_reports_is_known(marked):
    texts = list(reports())
    assert len(texts) >= 10
    assert not escaped(("report", tr_report(text)) for text in texts)
    assert not escaped((("report", tr_report("; ".join(texts[:3]))),))


def test_what_a_recording_says_of_its_file_is_known(marked, tmp_path):
    (tmp_path / "a.sigmf-data").write_bytes(bytes(2001))
    fields = {"core:datatype": "ci8", "core:sample_rate": "2e6", "core:num_channels": 2, "core:version": "1.2.0"}
    fields["core:extensions"] = [{"name": "other", "version": "1.0.0", "optional": False}]
    captures = [
        {"core:sample_start": 10, "core:frequency": 1e9},
        {"core:sample_start": 20},
        {"core:sample_start": 10**6},
    ]
    annotations = [{"core:sample_start": 0, "core:sample_count": 10**6}, {"core:sample_start": "x"}, 5]
    content = {"global": fields, "captures": captures, "annotations": annotations}
    (tmp_path / "a.sigmf-meta").write_text(json.dumps(content))
    warnings = open_recording(tmp_path / "a.sigmf-meta", datatype="ci8", sample_rate=3e6).warnings
    assert len(warnings) >= 9
    own = [text for text in warnings if "the first since" not in text]  # an error is the same in all languages
    for text in (*own, "; ".join(own)):
        assert not escaped([("recording", tr_report(text))])


def test_a_file_that_became_shorter_is_said(marked, tmp_path):
    path = tmp_path / "a.cf32"
    path.write_bytes(bytes(80_000))
    recording = open_recording(path, datatype="cf32_le", sample_rate=2e6, center_frequency=1e9)
    path.write_bytes(bytes(800))
    with pytest.raises(RecordingError) as error:
        recording.read(9000, 100)
    assert not escaped([("error", tr_report(str(error.value)))])


# The code


SETTERS = """
    setText setToolTip setWindowTitle setAccessibleName setPlaceholderText setSpecialValueText setLabelText addAction
    addMenu addItem showMessage QLabel QAction QPushButton QCheckBox QMenu QProgressDialog warning getText getDouble
    getColor getOpenFileName getSaveFileName getExistingDirectory
"""
"""Of Qt: what shows a text."""


def test_what_qt_shows_is_never_a_text_of_the_code_itself():
    found = []
    for path in GUI.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            is_log = isinstance(node.func, ast.Attribute) and getattr(node.func.value, "id", "") == "logger"
            for value in node.args if name in SETTERS.split() and not is_log else ():
                parts = value.values if isinstance(value, ast.JoinedStr) else [value]
                words = [part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]
                found += [
                    (path.name, node.lineno, word) for word in words if not_translated(word) and ".png" not in word
                ]
    assert not found


# Languages


def test_the_translations_are_complete_with_all_places_for_values():
    result = subprocess.run(
        [sys.executable, ROOT / "scripts/translate", "--check"], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("{count} gesendet", "gesendet"), "has other places for values"),
        (("&amp;Datei", "Datei"), "has another number of access keys"),
        (("<source>paused</source>", "<source>passed</source>"), "is missing: 'paused'"),
        (
            ("<translation>angehalten</translation>", '<translation type="unfinished"></translation>'),
            "is not translated",
        ),
    ],
)
def test_a_translation_that_is_not_right_is_refused(change, reason, tmp_path):
    script = runpy.run_path(str(ROOT / "scripts/translate"), run_name="translate")
    text = GERMAN.read_text(encoding="utf-8")
    assert change[0] in text
    path = tmp_path / "rpmsn_de.ts"
    path.write_text(text.replace(*change), encoding="utf-8")
    faults = script["faults_of"](path, script["texts_in_code"]())
    assert any(fault.startswith(reason) for fault in faults)


def test_a_new_language_begins_with_every_text_unfinished_and_says_english_until_then(tmp_path):
    script = runpy.run_path(str(ROOT / "scripts/translate"), run_name="translate")
    path = tmp_path / "rpmsn_fr.ts"
    texts = script["texts_in_code"]()
    script["update"](path, texts)
    assert read_texts(path) == {} and len(script["faults_of"](path, texts)) >= len(texts)
    before = GERMAN.read_text(encoding="utf-8")
    (tmp_path / "rpmsn_de.ts").write_text(before, encoding="utf-8")
    script["update"](tmp_path / "rpmsn_de.ts", texts)
    assert (tmp_path / "rpmsn_de.ts").read_text(encoding="utf-8") == before, "what is translated stays"


def test_numbers_have_the_form_that_the_language_asks_for(german):
    assert [counted("{count} overflow", "{count} overflows", count) for count in (0, 1, 2)] == [
        "0 Überläufe",
        "1 Überlauf",
        "2 Überläufe",
    ]
    assert counted("{count} overflow", "{count} overflows", 12345) == "12\u202f345 Überläufe"


def test_values_with_braces_are_written_as_they_are(german):
    assert tr("written: {path}", path="{0}{name}") == "geschrieben: {0}{name}"


def test_every_verdict_has_a_word():
    assert set(columns.VERDICT_WORDS) == set(VERDICTS)


def test_the_filter_knows_words_of_both_languages(german):
    carriers = CarrierList()
    carriers.add(segment(0, 1, verdict="proven", band="3"))
    row = carriers.rows()[0]
    assert columns.filter_words(row)[-1] == "Urteil:bewiesen"
    for word in ("urteil:bewiesen", "verdict:proven", "verdict:bewiesen", "band:b3", "klasse:lte", "bewiesen"):
        assert columns.passes(row, [word], carriers), word
    assert not columns.passes(row, ["urteil:unsicher"], carriers)


@pytest.mark.parametrize(
    ("environment", "language"),
    [({"LANGUAGE": "de_AT:en"}, "de"), ({"LANG": "de_DE.UTF-8"}, "de"), ({"LANG": "C"}, "en")],
)
def test_the_language_is_that_of_the_system(environment, language, monkeypatch, app):
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    code = "from rpmsn.gui.translation import use_language, tr; print(use_language(), tr('paused'))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.split() == [language, {"de": "angehalten", "en": "paused"}[language]]


def test_a_language_that_is_not_there_is_refused(app):
    with pytest.raises(ParameterError, match="choose one of system, en, de"):
        use_language("tlh")


def test_the_command_opens_a_german_window_whose_settings_are_the_same(recording_path, all_lte, tmp_path, monkeypatch):
    titles = []
    monkeypatch.setattr(
        WatchWindow,
        "save_and_close",
        lambda window: titles.append([menu.text() for menu in window.menuBar().actions()]) or window.close(),
    )
    options = parse(
        str(recording_path), "--model", str(all_lte), "--language", "de", "--no-cells", "--close-after", "1"
    )
    try:
        assert watch.run(options) == 0
    finally:
        use_texts({})
    assert titles and titles[0][:2] == ["&Datei", "&Bearbeiten"]
    settings = watch_settings.load_settings(watch_settings.settings_path())
    assert settings["tuning_step"] == "1/4 span" and settings["waterfall"]["unit"] == "dB over noise"


def test_access_keys_of_a_german_menu_are_each_other_ones(german, app, play, recording_path):
    player, feed = play(recording_path, cell_budget=0.0)
    window = WatchWindow(player, feed, dict(watch_settings.DEFAULTS), open_source=lambda *_: None)
    try:
        for menu in [window.menuBar(), *(action.menu() for action in window.menuBar().actions())]:
            keys = [key for action in menu.actions() for key in re.findall("&(.)", action.text())]
            assert len(set(map(str.lower, keys))) == len(keys), [action.text() for action in menu.actions()]
    finally:
        close(window)
        window.stop_sources()
