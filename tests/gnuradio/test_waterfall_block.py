# SPDX-License-Identifier: GPL-3.0-or-later
"""The waterfall as a block: messages of a running flowgraph reach the screen, from any thread, in any number."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from limits import HANG_S, PROCESS_S

pmt = pytest.importorskip("pmt", reason="GNU Radio is not installed")
pytest.importorskip("PyQt5.QtWidgets", reason="PyQt5 is not installed")
pytest.importorskip("pyqtgraph", reason="pyqtgraph is not installed")

from gnuradio import gr
from gnuradio.rpmsn import pdu
from gnuradio.rpmsn.waterfall_overlay import waterfall_overlay
from PyQt5 import QtCore
from waterfall_scene import app, blank, frame_fields, press_key, segment_fields  # noqa: F401

from rpmsn import installation
from rpmsn.classes import LTE
from rpmsn.gui.waterfall import inbox as waterfall_inbox
from rpmsn.gui.waterfall.inbox import Inbox

PYTHON_FOLDER = Path(__file__).resolve().parents[2] / "python"


def test_the_inbox_is_bounded_and_keeps_the_newest():
    inbox = Inbox()
    for number in range(5000):
        inbox.put_frame(number)
        inbox.put_segment(number)
        inbox.put_status(number)
    frames, segments, status = inbox.take()
    assert frames == list(range(5000 - waterfall_inbox.MAX_FRAMES, 5000)) and status == [4999]
    while more := inbox.take()[1]:
        segments += more
    assert segments == list(range(5000 - waterfall_inbox.MAX_SEGMENTS, 5000)) and inbox.take() == ([], [], [])


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
    sender = threading.Thread(
        target=lambda: (
            [poster.post("frames", frame_pdu(number)) for number in range(3)]
            + [
                poster.post("segments", pdu.make_pdu(segment_fields(2))),
                poster.post("status", pdu.make_pdu({"coverage": 0.5})),
            ]
        )
    )
    sender.start()
    sender.join()
    wait_for(app, lambda: widget.history.newest is not None and widget.history.newest.number == 2)
    wait_for(app, lambda: len(widget.segments.boxes) == 1 and "50 %" in widget.status_bar.state_label.text())


def test_bad_messages_do_not_end_the_flowgraph(app, flowgraph):
    poster, block, _ = flowgraph
    widget = block.widget()
    bad = [
        pmt.PMT_NIL,
        pmt.intern("x"),
        pmt.cons(pmt.make_dict(), pmt.PMT_NIL),
        pdu.make_pdu({}),
        pdu.make_pdu({**frame_fields(), "mask": blank(2, 2)}, blank()),
        frame_pdu(0, rows=63),
        frame_pdu(0, rows="many"),
    ]
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
    wait_for(app, lambda: widget.settings()["alpha"] == 0.7)


@pytest.mark.parametrize(
    "name, value",
    [
        ("theme", "light"),
        ("color_map", "cividis"),
        ("levels", [0.0, 30.0]),
        ("classes", ["NR"]),
        ("newest", "bottom"),
        ("boxes", False),
        ("spectrum", False),
        ("bands", False),
        ("average", False),
        ("max_hold", False),
    ],
)
def test_every_setting_can_be_set_from_another_thread(app, flowgraph, name, value):
    _, block, _ = flowgraph
    widget = block.widget()
    thread = threading.Thread(target=getattr(block, f"set_{name}"), args=(value,))
    thread.start()
    thread.join()
    wait_for(app, lambda: widget.settings()[name] == value)


def test_a_setting_that_is_not_right_is_logged_and_ends_nothing(app, flowgraph):
    poster, block, _ = flowgraph
    widget = block.widget()
    block.set_theme("pink")
    poster.post("frames", frame_pdu(3))
    wait_for(app, lambda: widget.history.newest is not None)
    assert widget.settings()["theme"] == "dark"


def test_a_fault_while_drawing_is_logged_and_ends_nothing(app, flowgraph, monkeypatch, caplog):
    poster, block, _ = flowgraph
    widget = block.widget()
    with monkeypatch.context() as patch:
        patch.setattr(widget, "_take_in", lambda: 1 / 0)
        wait_for(app, lambda: "could not be drawn" in caplog.text)
    poster.post("frames", frame_pdu(3))
    wait_for(app, lambda: widget.history.newest is not None)


def test_a_storm_leaves_it_responsive_and_its_memory_bounded(app, flowgraph):
    """200 frames a second with 1000 segments each, or as many as can be sent."""
    poster, block, _ = flowgraph
    widget = block.widget()
    widget.show()
    app.processEvents()  # the first drawing is that of the window, not of the storm
    segments = [pdu.make_pdu(segment_fields(number % 3, burst_id=number)) for number in range(1000)]
    stop = threading.Event()
    sent = []

    def storm():
        while not stop.is_set():
            poster.post("frames", frame_pdu(len(sent)))
            for segment in segments:
                poster.post("segments", segment)
            sent.append(1)
            stop.wait(0.005)

    thread = threading.Thread(target=storm)
    thread.start()
    try:
        turns, end = [], time.monotonic() + 3
        while time.monotonic() < end:
            started = time.monotonic()
            app.processEvents()
            turns.append(time.monotonic() - started)
            time.sleep(0.005)
        press_key(widget, QtCore.Qt.Key_Space)
        assert widget.paused
    finally:
        stop.set()
        thread.join()
    assert max(turns) < HANG_S and len(sent) > 1
    assert len(widget.segments.boxes) <= 4000 and len(widget._segments) <= 4096
    assert block.nmsgs(pmt.intern("segments")) < 10_000  # GNU Radio's own queue, which has no bound


def test_two_in_one_flowgraph_draw_apart_and_closing_one_stops_nothing(app):
    top, poster = gr.top_block(), Poster()
    first, second = waterfall_overlay(title="first"), waterfall_overlay(title="second", theme="light")
    for block in (first, second):
        for port in ("frames", "segments", "status"):
            top.msg_connect(poster, port, block, port)
    top.start()
    try:
        widgets = [block.widget() for block in (first, second)]
        for widget in widgets:
            widget.show()
        poster.post("frames", frame_pdu(1))
        wait_for(app, lambda: all(widget.history.newest is not None for widget in widgets))
        first.set_alpha(0.9)
        wait_for(app, lambda: widgets[0].settings()["alpha"] == 0.9)
        assert widgets[1].settings()["alpha"] == 0.4
        widgets[0].close()
        poster.post("frames", frame_pdu(2))
        wait_for(app, lambda: widgets[1].history.newest.number == 2)
        assert widgets[1].isVisible() and not widgets[0].isVisible()
    finally:
        top.stop()
        top.wait()
        widgets[1].close()


def test_the_widget_is_always_the_same_one(flowgraph):
    assert flowgraph[1].widget() is flowgraph[1].widget()


def test_a_widget_from_another_thread_is_refused_with_a_message(flowgraph):
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
    return subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(PYTHON_FOLDER)!r})\n{code}"],
        capture_output=True,
        text=True,
        timeout=PROCESS_S,
    )


def test_a_widget_before_the_application_is_refused_and_does_not_abort():
    result = run_python(
        "from gnuradio.rpmsn.waterfall_overlay import waterfall_overlay\n"
        "try:\n    waterfall_overlay().widget()\nexcept RuntimeError as error:\n    print(error)"
    )
    assert result.returncode == 0 and "before there is a QApplication" in result.stdout


def test_the_block_is_imported_and_made_without_qt():
    result = run_python(
        "from gnuradio.rpmsn.waterfall_overlay import waterfall_overlay\nwaterfall_overlay()\n"
        "assert not any(name.startswith(('PyQt', 'pyqtgraph', 'torch')) for name in sys.modules)"
    )
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("library", ["PyQt5", "pyqtgraph"])
def test_a_missing_library_says_how_to_install_it(library):
    application = "" if library == "PyQt5" else "from PyQt5 import QtWidgets; app = QtWidgets.QApplication([])\n"
    result = run_python(
        f"{application}sys.modules[{library!r}] = None\n"
        "from gnuradio.rpmsn.waterfall_overlay import waterfall_overlay\n"
        "from rpmsn.errors import MissingLibraryError\n"
        "try:\n    waterfall_overlay().widget()\n"
        "except MissingLibraryError as error:\n    print(error)"
    )
    assert result.returncode == 0 and installation.how_to_add(library) in result.stdout, result.stderr
