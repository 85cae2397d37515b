# SPDX-License-Identifier: GPL-3.0-or-later
"""`rpmsn watch` and drivers that hang or crash; and `rpmsn watch` without GNU Radio."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from limits import HANG_S, PROCESS_S

pytest.importorskip("PyQt5.QtWidgets", reason="PyQt5 is not installed")
pytest.importorskip("pyqtgraph", reason="pyqtgraph is not installed")

import fake_radios
from radio_tools import build_test_device
from test_watch import app, write_recording  # noqa: F401

from rpmsn.gui.watch import radio_process
from rpmsn.gui.watch import settings as watch_settings
from rpmsn.gui.watch.feed import Feed
from rpmsn.gui.watch.radio_process import RadioWatch
from rpmsn.gui.watch.window import WatchWindow

ROOT = Path(__file__).resolve().parents[2]
TELLS_ITS_END = """
import sys
from PyQt5 import QtWidgets
from rpmsn.gui.watch import window as watch_window

class Window(watch_window.WatchWindow):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.destroyed.connect(lambda: print("Qt runs:", QtWidgets.QApplication.instance() is not None, flush=True))

watch_window.WatchWindow = Window
from rpmsn.cli.main import main
status = main(["watch", "tcp://127.0.0.1:1", "--close-after", "0.1", "--no-session"])
print("the command is done", flush=True)
sys.exit(status)
"""
RADIO = {"device": "driver=fake", "sample_rate": 5e6, "center_frequency": 9e8, "gain": None}
WITHOUT_GNU_RADIO = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("gnuradio", "pmt", "osmosdr", "SoapySDR"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Blocked())
from rpmsn.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


def wait_for(condition, what, process_events=lambda: None):
    end = time.monotonic() + PROCESS_S
    while not condition():
        assert time.monotonic() < end, f"waited {PROCESS_S} s in vain for {what}"
        process_events()
        time.sleep(0.01)


def radio(feed, main, all_lte):
    return RadioWatch(feed, str(all_lte), "torch", 1, RADIO, main)


@pytest.mark.parametrize("pause_s", [0.0, 1.0])
def test_a_window_closes_while_a_driver_hangs_in_open(app, all_lte, pause_s):
    feed = Feed()
    window = WatchWindow(radio(feed, fake_radios.hang, all_lte), feed, dict(watch_settings.DEFAULTS))
    window.show()
    window.source.start()
    end = time.monotonic() + pause_s
    wait_for(lambda: time.monotonic() >= end, "the driver", app.processEvents)
    window._update_slow_parts()
    assert window.banner.text().find("opening driver=fake") >= 0, "the window is alive"
    started = time.monotonic()
    window.close()
    window.source.stop()
    assert time.monotonic() - started < HANG_S
    assert window.source.was_killed
    window.source._process.join(20)
    assert not window.source._process.is_alive()
    for timer in (window._timer, window.table._timer):
        timer.stop()
    window.deleteLater()


def test_the_window_is_taken_down_by_the_command_and_not_by_the_end_of_python(tmp_path):
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "python"),
        "QT_QPA_PLATFORM": "offscreen",
        "XDG_CONFIG_HOME": str(tmp_path),
    }
    command = [sys.executable, "-c", TELLS_ITS_END]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PROCESS_S)
    assert (result.returncode, result.stdout) == (0, "Qt runs: True\nthe command is done\n"), result.stderr


def test_a_driver_that_does_not_answer_is_reported(all_lte, monkeypatch):
    monkeypatch.setattr(radio_process, "OPEN_SECONDS", 0.5)
    feed = Feed()
    source = radio(feed, fake_radios.hang, all_lte)
    source.start()
    wait_for(lambda: feed.problem, "the report")
    assert "driver=fake has not been opened within 0.5 s" in feed.problem and not feed.failed
    source.stop()


def test_a_driver_that_crashes_is_reported_and_the_window_stays(all_lte):
    feed = Feed()
    source = radio(feed, fake_radios.crash, all_lte)
    source.start()
    wait_for(lambda: feed.failed, "the report")
    assert f"has ended (exit status {-signal.SIGABRT}): its driver may have crashed" in feed.problem
    source.stop()


def test_commands_reach_the_process_and_it_ends_by_itself(all_lte):
    feed = Feed()
    source = radio(feed, fake_radios.answer, all_lte)
    source.start()
    wait_for(lambda: source.is_open, "the radio")
    source.tune(9.1e8)
    wait_for(lambda: source.center_frequency == 9.1e8, "the new frequency")
    assert source.title == "driver=fake, 910.000 MHz" and source.gain_range == (0.0, 50.0)
    source.stop()
    assert not source.was_killed


def environment(tmp_path, **changes):
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT / "python"),
        "QT_QPA_PLATFORM": "offscreen",
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "PYTHONFAULTHANDLER": "1",
        **changes,
    }


def test_the_command_ends_while_a_soapy_driver_hangs_in_open(tmp_path, all_lte):
    pytest.importorskip("gnuradio.gr", reason="GNU Radio is not installed")
    folder = tmp_path / "soapy" / "modules"
    folder.mkdir(parents=True)
    started = time.monotonic()
    result = subprocess.run(
        [sys.executable, "-m", "rpmsn.cli", "watch", "--device", "driver=rpmsntest,hang=1000", "--frequency", "900M"]
        + ["--model", str(all_lte), "--close-after", "4"],
        env=environment(tmp_path, **build_test_device(folder)),
        capture_output=True,
        text=True,
        timeout=PROCESS_S,
    )
    assert result.returncode == 0 and "Traceback" not in result.stderr, result.stderr
    assert time.monotonic() - started < PROCESS_S
    assert (tmp_path / "config/gr-rpmsn/watch.yml").exists()


def without_gnuradio(tmp_path, *arguments):
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_GNU_RADIO, *map(str, arguments)],
        env=environment(tmp_path),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PROCESS_S,
    )


class TestWithoutGnuRadio:
    def test_a_file_is_watched(self, tmp_path, all_lte):
        path = write_recording(tmp_path)
        result = without_gnuradio(
            tmp_path, "watch", path, "--model", all_lte, "--runtime", "torch", "--speed", "max", "--picture", "a.png"
        )
        assert result.returncode == 0 and (tmp_path / "a.png").exists(), result.stderr

    def test_a_publisher_is_watched(self, tmp_path):
        pytest.importorskip("zmq", reason="pyzmq is not installed")
        from rpmsn.publishing.publisher import Publisher

        publisher = Publisher(lambda topic, item, *_: item, "tcp://127.0.0.1:0")
        publisher.start()
        try:
            result = without_gnuradio(tmp_path, "watch", publisher.address, "--picture", "a.png", "--close-after", "2")
        finally:
            publisher.stop()
        assert result.returncode == 0 and (tmp_path / "a.png").exists(), result.stderr

    @pytest.mark.parametrize("command", ["watch", "monitor"])
    def test_a_radio_needs_it_and_the_next_step_is_said(self, command, tmp_path):
        result = without_gnuradio(tmp_path, command, "--device", "driver=rtlsdr", "--frequency", "900M")
        assert result.returncode == 1 and "Traceback" not in result.stderr
        assert "apt-get install gnuradio" in result.stderr and "Files and publishers need no GNU Radio" in result.stderr

    @pytest.mark.parametrize(
        "arguments",
        [
            ("info",),
            ("annotate", "band.sigmf-meta", "--runtime", "torch", "--model"),
            ("synth", "--duration", "0.04", "--preset", "demo", "--output", "made"),
            ("bench", "--rate", "5M", "--seconds", "1", "--runtimes", "torch", "--no-references", "--no-search")
            + ("--model",),
            ("devices",),
        ],
        ids=lambda arguments: arguments[0],
    )
    def test_every_other_command_works(self, arguments, tmp_path, all_lte):
        write_recording(tmp_path, frames=2)
        model = (all_lte,) if arguments[-1] == "--model" else ()
        result = without_gnuradio(tmp_path, *arguments, *model)
        assert result.returncode in ((0, 1) if arguments[0] == "devices" else (0,)), result.stderr
        assert "Traceback" not in result.stderr and "gnuradio" not in result.stderr.lower()
