# SPDX-License-Identifier: GPL-3.0-or-later
"""The process of `rpmsn watch` that has the radio open: radio, segmenter, and a block that forwards messages."""

import contextlib
import dataclasses
import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import pmt
from gnuradio import gr

from rpmsn import interrupts
from rpmsn.errors import RpmsnError
from rpmsn.gui.watch.feed import Feed, News
from rpmsn.gui.watch.radio_process import ANTENNA, COLUMNS, END_RECORDING, GAIN, PPM, RECORD, STOP, TUNE, Report, Tuning
from rpmsn.messages import keys
from rpmsn.radios.stopping import Silence, describe_silence, end_flowgraph
from rpmsn.recording.stream_recorder import StreamRecorder

from . import pdu
from .radio_source import radio_source
from .segmenter_sink import segmenter_sink

logger = logging.getLogger(__name__)

REPORT_SECONDS = 0.02
"""What has come is reported so often; commands are taken at once."""
STOP_SECONDS, RECORDED_SECONDS = 0.8, 0.4
"""For the flowgraph to end, and before it for a recording that is being made."""
AFTER_SILENCE = (
    "What was found stays here and can be exported. If it does not resume, close the window and start again."
)


class FeedSink(gr.basic_block):
    """Forwards the messages of a segmenter sink to a Feed, and says so when the radio has stopped.

    Args:
        feed: Feed.
        device: name of the radio.
    """

    def __init__(self, feed: Feed, device: str) -> None:
        gr.basic_block.__init__(self, name="rpmsn_feed_sink", in_sig=None, out_sig=None)
        self._feed, self._device = feed, device
        self._silence = Silence(time.monotonic())
        for name, handler in (
            (keys.FRAMES, self._on_frame),
            (keys.SEGMENTS, self._on_segment),
            (keys.STATUS, self._on_status),
        ):
            self.message_port_register_in(pmt.intern(name))
            self.set_msg_handler(pmt.intern(name), handler)

    def _on_frame(self, message: object) -> None:
        try:
            fields, payload = pdu.parse_pdu(message, required=keys.FRAME_KEYS)
            shape = fields[keys.ROWS], fields[keys.COLUMNS]
            self._feed.put_frame(fields, payload.reshape(shape), fields[keys.MASK].reshape(shape))
        except ValueError as error:
            logger.warning("frame skipped: %s", error)

    def _on_segment(self, message: object) -> None:
        try:
            fields = pdu.parse_pdu(message)[0]
            self._feed.put_segment(fields, fields)
        except ValueError as error:
            logger.warning("segment skipped: %s", error)

    def _on_status(self, message: object) -> None:
        try:
            fields = pdu.parse_pdu(message, required=(keys.SAMPLES_RECEIVED,))[0]
        except ValueError as error:
            logger.warning("status skipped: %s", error)
            return
        self._feed.put_status(fields)
        has_stopped = self._silence.has_stopped(fields[keys.SAMPLES_RECEIVED], time.monotonic())
        self._feed.problem = f"{describe_silence(self._device)} {AFTER_SILENCE}" if has_stopped else ""


class RadioFlowgraph(gr.top_block):
    """Radio, segmenter sink, and the block that forwards its messages.

    Args:
        feed: Feed that gets everything; its note says what is being done.
        radio: arguments of `radio_source`.
        sink: further arguments of `segmenter_sink`.
        notify: called when the note has changed.
    """

    def __init__(self, feed: Feed, radio: dict, sink: dict, notify: Callable[[], None]) -> None:
        gr.top_block.__init__(self, "rpmsn watch")
        feed.note = f"opening {radio['device']}"
        notify()
        self.source = radio_source(**radio)
        feed.note = f"loading the model {sink['model']}"
        notify()
        self.sink = segmenter_sink(self.source.sample_rate(), self.source.center_frequency(), **sink)
        self.recorder = StreamRecorder(carriers=self.sink.carriers)
        self.sink.set_recorder(self.recorder)
        self._receiver_ppm = 0.0
        # Kept: GNU Radio keeps no reference to blocks that are written in Python.
        self.feed_sink = FeedSink(feed, radio["device"])
        self.connect(self.source, self.sink)
        for port in (keys.FRAMES, keys.SEGMENTS, keys.STATUS):
            self.msg_connect((self.sink, port), (self.feed_sink, port))

    def tuning(self) -> Tuning:
        """What the radio is set to; the frequency is corrected."""
        return Tuning(
            self.source.center_frequency() * self._correction,
            self.source.sample_rate(),
            self.source.gain_range(),
            tuple(self.source.antennas()),
            self.source.antenna(),
        )

    def tune(self, frequency: float) -> None:
        """Another centre frequency, Hz, as it is after the correction."""
        self.source.set_center_frequency(frequency / self._correction)

    def correct(self, receiver_ppm: float) -> None:
        """Correct frequencies by the receiver's error from now on; the centre stays what it is called."""
        frequency = self.source.center_frequency() * self._correction
        self._receiver_ppm = receiver_ppm
        self.sink.set_receiver_ppm(receiver_ppm)
        self.tune(frequency)

    @property
    def _correction(self) -> float:
        return 1 - 1e-6 * self._receiver_ppm


def serve(connection: Connection, radio: dict, sink: dict) -> None:
    """Run a radio until it is asked to stop, or the other end of the connection is gone.

    Args:
        connection: takes (command, value), gives `Report`.
        radio: arguments of `radio_source`.
        sink: further arguments of `segmenter_sink`.
    """
    for number in set(interrupts.SIGNALS) - {signal.SIGTERM}:
        signal.signal(number, signal.SIG_IGN)  # the window gets them, too, and ends this process
    logging.basicConfig(level=logging.WARNING, format="rpmsn: %(message)s", stream=sys.stderr)
    logging.getLogger("rpmsn").setLevel(logging.INFO)
    feed = Feed()
    try:
        flowgraph = RadioFlowgraph(feed, radio, sink, lambda: connection.send(Report(None, None, feed.note, "")))
        flowgraph.start()
        feed.note = ""
    except (EOFError, BrokenPipeError):
        return
    except Exception as error:  # a driver may raise anything; the window has to say it
        text = str(error) if isinstance(error, (RpmsnError, ImportError)) else f"{type(error).__name__}: {error}"
        logger.error("%s", text)
        connection.send(Report(None, None, "", text, failed=True))
        return
    with contextlib.suppress(EOFError, OSError):  # the window is gone
        _report(connection, feed, flowgraph)
    flowgraph.recorder.close(RECORDED_SECONDS)
    if not end_flowgraph(flowgraph, STOP_SECONDS):
        os._exit(0)  # a thread of the driver still runs, and would keep Python from ending


def _report(connection: Connection, feed: Feed, flowgraph: RadioFlowgraph) -> None:
    """Send reports and do commands until one says to stop."""
    before: Report | None = None
    refused = ""
    commands: dict[str, Callable[[Any], None]] = {
        TUNE: flowgraph.tune,
        GAIN: flowgraph.source.set_gain,
        ANTENNA: flowgraph.source.set_antenna,
        PPM: flowgraph.correct,
        COLUMNS: flowgraph.sink.set_columns,
        RECORD: lambda value: flowgraph.recorder.record(*value),
        END_RECORDING: lambda value: flowgraph.recorder.end(),
    }
    while True:
        if connection.poll(REPORT_SECONDS):
            name, value = connection.recv()
            if name == STOP:
                return
            refused = _refusal(commands[name], value)
        news = feed.take()
        state = flowgraph.recorder.state
        state = dataclasses.replace(state, fault=refused or state.fault)
        report = Report(
            news if _holds_anything(news) else None, flowgraph.tuning(), feed.note, feed.problem, recorder=state
        )
        if report != before:
            connection.send(report)
        before = dataclasses.replace(report, news=None)


def _refusal(command: Callable[[Any], None], value: Any) -> str:
    """Do a command; why it was not done, "" where it was."""
    try:
        command(value)
    except Exception as error:  # a driver may raise anything
        logger.warning("%s", error)
        return str(error)
    return ""


def _holds_anything(news: News) -> bool:
    return bool(news.frames or news.segments or news.status)
