# SPDX-License-Identifier: GPL-3.0-or-later
"""A radio as a source of `rpmsn watch`: a flowgraph of radio, segmenter and a block that hands on (no Qt)."""

import logging
import threading
import time

import pmt
from gnuradio import gr

from rpmsn.errors import RpmsnError
from rpmsn.gui.watch.feed import Feed
from rpmsn.messages import keys
from rpmsn.models.choice import model_for_rate
from rpmsn.models.model import load_model
from rpmsn.radios.stopping import Silence, describe_silence, end_flowgraph

from . import pdu
from .segmenter_sink import segmenter_sink

logger = logging.getLogger(__name__)

FRAMES_PER_SECOND = 25.0
AFTER_SILENCE = (
    "What was found stays here and can be exported. If it does not go on by itself, close the window and start again."
)


class FeedSink(gr.basic_block):
    """Hands the messages of a segmenter sink on to a Feed, and says so when the radio has stopped.

    Args:
        feed: Feed.
        device: name of the radio.
    """

    def __init__(self, feed: Feed, device: str):
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

    def _on_frame(self, message) -> None:
        try:
            fields, payload = pdu.parse_pdu(message, required=keys.FRAME_KEYS)
            shape = fields[keys.ROWS], fields[keys.COLUMNS]
            self._feed.put_frame(fields, payload.reshape(shape), fields[keys.MASK].reshape(shape))
        except ValueError as error:
            logger.warning("frame skipped: %s", error)

    def _on_segment(self, message) -> None:
        try:
            fields = pdu.parse_pdu(message)[0]
            self._feed.put_segment(fields, fields)
        except ValueError as error:
            logger.warning("segment skipped: %s", error)

    def _on_status(self, message) -> None:
        try:
            fields = pdu.parse_pdu(message, required=(keys.SAMPLES_RECEIVED,))[0]
        except ValueError as error:
            logger.warning("status skipped: %s", error)
            return
        self._feed.put_status(fields)
        has_stopped = self._silence.has_stopped(fields[keys.SAMPLES_RECEIVED], time.monotonic())
        self._feed.problem = f"{describe_silence(self._device)} {AFTER_SILENCE}" if has_stopped else ""


class RadioWatch:
    """A radio, opened and analysed in threads of its own; never held up.

    Args:
        feed: Feed that gets everything.
        model, runtime, workers: as of `segmenter_sink`; without a model the one that suits the sample rate.
        radio: dict of the arguments of `radio_source`.

    Attributes:
        is_stuck: after `stop`, whether a thread of the driver never ends, and the process has to be left by `os._exit`.
        gain: dB, as it was asked for; None where the radio has its own control.

    Raises:
        ModelError: there is no such model.
    """

    can_tune = True
    recording = None
    is_stuck = False

    def __init__(self, feed: Feed, model: str | None, runtime: str, workers: int, radio: dict):
        model = model or model_for_rate(radio["sample_rate"])
        load_model(model)
        self._feed, self._radio = feed, radio
        self.gain = radio["gain"]
        self._sink = dict(
            model=model, runtime=runtime, workers=workers, mode="live", frames_per_second=FRAMES_PER_SECOND
        )
        self._flowgraph = self._source = None
        self._lock = threading.Lock()
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name="rpmsn radio")

    @property
    def title(self) -> str:
        """The radio and where it is tuned to."""
        return f"{self._radio['device']}, {self.center_frequency / 1e6:.3f} MHz"

    @property
    def is_open(self) -> bool:
        """Whether the radio is there, so that it can be tuned."""
        return self._source is not None

    @property
    def center_frequency(self) -> float:
        """Hz; before the radio is there, what it will be asked for."""
        return self._source.center_frequency() if self.is_open else self._radio["center_frequency"]

    @property
    def sample_rate(self) -> float:
        """Hz, likewise."""
        return self._source.sample_rate() if self.is_open else self._radio["sample_rate"]

    @property
    def gain_range(self) -> tuple[float, float]:
        """(lowest, highest) gain of the radio that is there, dB."""
        return self._source.gain_range()

    def start(self) -> None:
        """Load the model, open the radio and begin; a second call does nothing."""
        if self._thread.ident is None:
            self._thread.start()

    def stop(self) -> None:
        """End it."""
        with self._lock:
            self._is_stopping = True
        if self._thread.ident is not None:
            self._thread.join()
        if self._flowgraph is not None:
            self.is_stuck = not end_flowgraph(self._flowgraph)
        if self._feed.problem:
            self._feed.fail(self._feed.problem)

    def tune(self, frequency: float) -> None:
        """Ask the radio for another centre frequency, Hz."""
        if self.is_open:
            self._source.set_center_frequency(frequency)

    def set_gain(self, gain: float) -> None:
        """Ask the radio for another gain, dB."""
        if self.is_open:
            self.gain = gain
            self._source.set_gain(gain)

    def _run(self) -> None:
        """The thread: what takes long, so that the window is there meanwhile."""
        try:
            from .radio_source import radio_source

            self._feed.note = f"opening {self._radio['device']}"
            source = radio_source(**self._radio)
            self._feed.note = f"loading the model {self._sink['model']}"
            segmenter = segmenter_sink(source.sample_rate(), source.center_frequency(), **self._sink)
            self._begin(source, segmenter)
        except Exception as error:  # a driver may raise anything; the window has to say it
            text = str(error) if isinstance(error, (RpmsnError, ImportError)) else f"{type(error).__name__}: {error}"
            logger.error("%s", text)
            self._feed.fail(text)

    def _begin(self, source, segmenter) -> None:
        """Connect and start, unless the window was closed meanwhile."""
        flowgraph = gr.top_block("rpmsn watch")
        # Kept: GNU Radio does not hold on to blocks that are written in Python.
        self._blocks = source, segmenter, FeedSink(self._feed, self._radio["device"])
        flowgraph.connect(source, segmenter)
        for port in (keys.FRAMES, keys.SEGMENTS, keys.STATUS):
            flowgraph.msg_connect((segmenter, port), (self._blocks[2], port))
        with self._lock:
            if not self._is_stopping:
                flowgraph.start()
                self._source, self._flowgraph, self._feed.note = source, flowgraph, ""
