# SPDX-License-Identifier: GPL-3.0-or-later
"""`rpmsn watch` on a radio: a real window and real clients of rtl_tcp and SoapySDR, on loopback."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from limits import PROCESS_S

pytest.importorskip("gnuradio.gr", reason="GNU Radio is not installed")
pytest.importorskip("PyQt5.QtWidgets", reason="PyQt5 is not installed")
pytest.importorskip("pyqtgraph", reason="pyqtgraph is not installed")
pytest.importorskip("osmosdr", reason="gr-osmosdr is not installed")

from PyQt5 import QtCore, QtTest, QtWidgets
from radio_tools import SCENE_CENTER, SCENE_RATE, RtlTcpServer, build_test_device, write_lte_scene
from waterfall_scene import app, click, viewport_point  # noqa: F401

from rpmsn.cli import main as cli
from rpmsn.gui.watch import main as watch
from rpmsn.gui.watch import settings as watch_settings
from rpmsn.gui.watch.feed import Feed
from rpmsn.gui.watch.window import WatchWindow
from rpmsn.recording import open_recording

ROOT = Path(__file__).resolve().parents[2]
COLUMN = SCENE_RATE / 256
SEED = 4
WATCH_AND_PRINT = """
import sys
from rpmsn.gui.watch import window as watch_window

class Window(watch_window.WatchWindow):
    def _update_slow_parts(self):
        super()._update_slow_parts()
        if self.problem:
            print("said:", self.banner.isVisible(), self.banner.text(), flush=True)
            print("rows:", len(self.table.model.rows), flush=True)
            self.close()

watch_window.WatchWindow = Window
from rpmsn.cli.main import main
sys.exit(main(["watch", *sys.argv[1:]]))
"""
"""`rpmsn watch`, closed by a user who has read what is wrong."""


def wait_for(condition, what):
    """Wait, with Qt's events going on, until something is so."""
    end = time.monotonic() + PROCESS_S
    while not condition():
        assert time.monotonic() < end, f"waited {PROCESS_S} s in vain for {what}"
        QtWidgets.QApplication.processEvents()
        time.sleep(0.01)


def open_window(*arguments):
    """The window of a command line, shown, with its source started."""
    feed = Feed()
    options = cli.build_parser().parse_args(["watch", *map(str, arguments)])
    settings = {**watch_settings.DEFAULTS, "theme": "dark"}
    window = WatchWindow(watch.make_source(options, feed, settings), feed, settings)
    window.show()
    window.source.start()
    return window


def close_window(window):
    for timer in (window._timer, window.table._timer):
        timer.stop()
    window.close()
    window.source.stop()
    window.deleteLater()
    QtWidgets.QApplication.processEvents()


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """(path, edges) of what the radio hears."""
    return write_lte_scene(tmp_path_factory.mktemp("scene"), SEED)


@pytest.fixture
def server(scene):
    """One for each window: it serves one client, and gr-osmosdr's goes when Python forgets it."""
    with RtlTcpServer("--recording", scene[0], "--shift") as server:
        yield server


@pytest.fixture
def window(app, server):
    """A window on a radio that sends; the commands of its opening are taken off the server."""
    window = open_window("--device", server.device, "--frequency", SCENE_CENTER, "--rate", SCENE_RATE, "--gain", 30)
    wait_for(lambda: window.table.model.rows and window.radio_bar.isEnabled(), "a carrier")
    server.commands()
    yield window
    close_window(window)
    window.source._process.join(20)  # on a busy machine it is killed, and takes its time
    assert not window.source._process.is_alive()


def brightness(window, frequency):
    """Mean brightness, 0..255, of the brightest tenth of the picture at a frequency in Hz, where it is not red: a busy
    machine does not analyse all, and hatching lies over the rest."""
    plots, box = window.waterfall.plots, window.waterfall.waterfall_plot.getViewBox()
    across = viewport_point(window.waterfall, frequency, 0.0).x()
    rect = plots.mapFromScene(box.sceneBoundingRect()).boundingRect()
    image = plots.grab().toImage()
    colors = [image.pixelColor(across, height) for height in range(rect.top() + 5, rect.bottom() - 5)]
    shown = sorted(color.lightness() for color in colors if color.red() <= color.blue() + 20)
    return np.mean(shown[-max(1, len(shown) // 10) :])


def edges_in_table(window):
    """[(lower, upper)] in Hz of the carriers that are on the air."""
    return [(carrier.freq_lower, carrier.freq_upper) for carrier in window.table.model.rows if not carrier.gone]


def type_into(box, text):
    """Select all, type, Enter."""
    box.setFocus()
    box.selectAll()
    QtTest.QTest.keyClicks(box, text)
    QtTest.QTest.keyClick(box, QtCore.Qt.Key_Return)


def test_the_carrier_is_in_the_picture_and_in_the_table_with_its_edges(window, scene):
    edges = scene[1]
    inside, outside = sum(edges) / 2, edges[0] - 0.3e6
    wait_for(lambda: brightness(window, inside) > brightness(window, outside) + 40, "a bright carrier")
    wait_for(
        lambda: any(found == pytest.approx(edges, abs=2 * COLUMN) for found in edges_in_table(window)),
        "the carrier's edges",
    )


def test_columns_are_chosen_in_the_menu_and_rows_are_so_fine_from_then_on(window, scene):
    """More columns show the same carrier in the same place, without a line or a new start in the picture."""
    history = window.waterfall.history
    newest = lambda: history.newest.scale.columns  # noqa: E731
    assert newest() == watch_settings.DEFAULTS["columns"] == 1024
    breaks = [found.kind for found in history.breaks]
    choose(window, "16384")
    wait_for(lambda: newest() == 16384, "finer rows")
    assert [found.kind for found in history.breaks if found.kind == "tuned"] == [
        kind for kind in breaks if kind == "tuned"
    ]
    assert len({chunk.scale.columns for chunk in history.chunks}) == 2
    wait_for(lambda: len(history.chunks[-1].image[: history.chunks[-1].rows]) >= 8, "rows")
    frequencies, rows = history.newest.scale.frequencies, history.newest.image
    inside = (frequencies > scene[1][0] + 1e5) & (frequencies < scene[1][1] - 1e5)
    assert rows[:, inside].mean() > rows[:, ~inside].mean() + 20
    choose(window, "256")
    wait_for(lambda: newest() == 256, "rows as the network sees them")
    assert window.remember()["columns"] == 256


def choose(window, columns):
    """Choose in the menu View."""
    (view,) = (action.menu() for action in window.menuBar().actions() if action.text() == "&View")
    (menu,) = (action.menu() for action in view.actions() if action.menu() and "olumns" in action.text())
    (action,) = (action for action in menu.actions() if action.text() == columns)
    action.trigger()


def test_frequency_rate_and_gain_are_shown(window):
    bar = window.radio_bar
    assert (bar.frequency_box.text(), bar.rate_label.text(), bar.gain_box.text()) == (
        "806.000 MHz",
        "2.4 Msps",
        "30.0 dB",
    )
    window._update_slow_parts()
    assert "806.000 MHz" in window.windowTitle()


def test_a_double_click_tunes_the_radio_and_the_picture_follows(window, server, scene):
    wanted = SCENE_CENTER + 0.5e6
    wait_for(lambda: window.waterfall.shown[0].newest_y > window.waterfall.shown[0].oldest_y + 0.5, "rows")
    newest_y = window.waterfall.shown[0].newest_y
    click(window.waterfall, viewport_point(window.waterfall, wanted, newest_y - 0.3), is_double=True)
    sent = server.wait_for("command", "frequency")["value"]
    pixel = 1e6 * window.waterfall.waterfall_plot.getViewBox().viewPixelSize()[0]
    assert sent == pytest.approx(wanted, abs=pixel)
    wait_for(lambda: window.radio_bar.frequency_box.value() == round(sent / 1e6, 3), "the new frequency")
    wait_for(lambda: abs(window.waterfall.shown[0].chunks[-1].scale.center_frequency - sent) < 1, "the new rows")
    wait_for(
        lambda: any(found == pytest.approx(scene[1], abs=2 * COLUMN) for found in edges_in_table(window)),
        "the carrier where it was",
    )
    assert f"{sent / 1e6:.3f} MHz" in window.windowTitle()


def test_frequency_and_gain_that_are_typed_reach_the_radio(window, server):
    type_into(window.radio_bar.frequency_box, "806.25")
    assert server.wait_for("command", "frequency")["value"] == 806.25e6
    type_into(window.radio_bar.gain_box, "12")
    # Tenths of a dB; a tuner R820T has steps of up to 2 dB.
    assert server.wait_for("command", "gain")["value"] == pytest.approx(120, abs=20)


def test_a_frequency_that_the_radio_does_not_have_changes_nothing(window):
    type_into(window.radio_bar.frequency_box, "9000")
    wait_for(lambda: window.radio_bar.frequency_box.value() == 806.0, "the frequency as it is")


def test_what_the_radio_sends_is_recorded_with_what_was_held(window, tmp_path, scene):
    bar = window.radio_bar
    window.settings["record_folder"] = str(tmp_path)
    wait_for(lambda: window.source.recorder.held_seconds > 1.0, "samples that are held")
    window._update_slow_parts()
    assert " held" in bar.recording.label.text()
    bar.recording.before_action.trigger()
    wait_for(lambda: window.source.recorder.seconds > 1.5, "a recording")
    QtTest.QTest.keyClick(window, QtCore.Qt.Key_R, QtCore.Qt.ControlModifier)
    wait_for(lambda: "written" in window.statusBar().currentMessage(), "the file")
    (path,) = tmp_path.glob("*.sigmf-meta")
    with open_recording(path) as recording:
        assert (recording.sample_rate, recording.center_frequency) == (SCENE_RATE, SCENE_CENTER)
        assert recording.duration > 1.5
        samples = recording.read(0, recording.sample_count)
        assert np.abs(samples).max() > 0.01
        lte = [entry for entry in recording.annotations if entry["core:label"] == "LTE"]
        assert any(abs(entry["core:freq_lower_edge"] - scene[1][0]) < 2 * COLUMN for entry in lte)


def test_a_correction_moves_the_radio_and_not_what_it_is_called(window, server):
    type_into(window.radio_bar.ppm_box, "10")
    sent = server.wait_for("command", "frequency")["value"]
    assert sent == pytest.approx(SCENE_CENTER * (1 + 10e-6), abs=2)
    wait_for(lambda: abs(window.waterfall.shown[0].chunks[-1].scale.center_frequency - SCENE_CENTER) < 2, "rows")
    assert window.radio_bar.frequency_box.text() == "806.000 MHz"
    assert window.settings["ppm"] == {server.device: 10.0}


def test_a_lock_keeps_the_frequency_against_a_double_click(window, server):
    QtTest.QTest.keyClick(window, QtCore.Qt.Key_L, QtCore.Qt.ControlModifier)
    wait_for(lambda: window.waterfall.shown[0].newest_y > window.waterfall.shown[0].oldest_y + 0.5, "rows")
    newest_y = window.waterfall.shown[0].newest_y
    click(window.waterfall, viewport_point(window.waterfall, SCENE_CENTER + 0.5e6, newest_y - 0.3), is_double=True)
    assert "locked" in window.statusBar().currentMessage()
    type_into(window.radio_bar.gain_box, "12")
    server.wait_for("command", "gain")  # what would have come before it has come
    assert server.commands().get("frequency") in (None, SCENE_CENTER)


def test_the_radios_own_gain_control_is_shown_until_a_gain_is_set(app, server):
    window = open_window("--device", server.device, "--frequency", SCENE_CENTER, "--rate", SCENE_RATE)
    try:
        wait_for(window.radio_bar.isEnabled, "the radio")
        assert window.radio_bar.gain_box.text() == "automatic"
        window.radio_bar.gain_box.stepUp()
        assert window.radio_bar.gain_box.text() == "0.0 dB" and window.source.gain == 0.0
    finally:
        close_window(window)


def test_where_nothing_answers_the_window_says_how_to_start_the_server(app):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    window = open_window("--device", f"rtl_tcp=127.0.0.1:{port}", "--frequency", SCENE_CENTER)
    try:
        wait_for(window.banner.isVisible, "words")
        wait_for(lambda: f"rtl_tcp -a 0.0.0.0 -p {port}" in window.banner.text(), "the next step")
        assert not window.radio_bar.isEnabled()
    finally:
        close_window(window)


def watch_until_reported(tmp_path, *arguments, **variables):
    """`rpmsn watch` until it reports what is wrong; a process of its own, as a driver may leave a thread behind."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "python"),
        "QT_QPA_PLATFORM": "offscreen",
        "XDG_CONFIG_HOME": str(tmp_path),
        **variables,
    }
    result = subprocess.run(
        [sys.executable, "-c", WATCH_AND_PRINT, *map(str, arguments)],
        env=environment,
        text=True,
        capture_output=True,
        timeout=PROCESS_S,
    )
    assert "Traceback" not in result.stderr, result.stderr
    return result


def check_stopped(result, device):
    assert "said: True" in result.stdout and f"{device} has sent nothing for 5 s" in result.stdout
    assert "is its server still running?" in result.stdout and "close the window and start again" in result.stdout
    assert "rows: 0" not in result.stdout, "what was found stays"
    assert result.returncode == 1


def test_a_server_that_disconnects_is_reported_and_the_window_closes(tmp_path, scene):
    with RtlTcpServer("--recording", scene[0], "--shift", "--fault", "disconnect", 6, 0) as server:
        result = watch_until_reported(tmp_path, "--device", server.device, "--frequency", SCENE_CENTER)
        check_stopped(result, server.device)
    assert (tmp_path / "gr-rpmsn/watch.yml").exists()


def test_a_soapy_radio_that_is_unplugged_is_reported_and_the_window_closes(tmp_path):
    folder = tmp_path / "soapy" / "modules"
    folder.mkdir(parents=True)
    device = "driver=rpmsntest,unplug=6,bands=899.6e6:900.1e6:25"
    result = watch_until_reported(tmp_path, "--device", device, "--frequency", "900M", **build_test_device(folder))
    check_stopped(result, device)
