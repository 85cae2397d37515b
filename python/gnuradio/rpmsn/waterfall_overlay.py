# SPDX-License-Identifier: GPL-3.0-or-later
"""GNU Radio block: draws what a segmenter sink sends."""
import logging
import threading
from collections import deque

import pmt
from gnuradio import gr

from . import pdu

logger = logging.getLogger(__name__)

MAX_WAITING_SEGMENTS = 1024

REQUIRED_OF_FRAME = (pdu.ROWS, pdu.COLUMNS, pdu.MASK)
"""What is needed to shape the arrays; the widget checks the rest."""


class Inbox:
    """What waits for the Qt thread: the newest frames, segments and status, never more than a fixed number."""

    def __init__(self, max_frames: int):
        self._lock = threading.Lock()
        self._frames = deque(maxlen=max_frames)
        self._segments = deque(maxlen=MAX_WAITING_SEGMENTS)
        self._status = None
        self._is_announced = False

    def put_frame(self, fields: dict, image, mask) -> bool:
        """Returns whether the Qt thread has to be told."""
        with self._lock:
            self._frames.append((fields, image, mask))
            return self._announce()

    def put_segment(self, fields: dict) -> bool:
        """Returns whether the Qt thread has to be told."""
        with self._lock:
            self._segments.append(fields)
            return self._announce()

    def put_status(self, fields: dict) -> bool:
        """Returns whether the Qt thread has to be told."""
        with self._lock:
            self._status = fields
            return self._announce()

    def take(self) -> tuple[list, list, dict | None]:
        """Everything that waits: frames, segments, status."""
        with self._lock:
            taken = list(self._frames), list(self._segments), self._status
            self._frames.clear()
            self._segments.clear()
            self._status = None
            self._is_announced = False
            return taken

    def _announce(self) -> bool:
        """True once between two calls of `take`: at most one signal is on its way."""
        is_first, self._is_announced = not self._is_announced, True
        return is_first


class waterfall_overlay(gr.basic_block):
    """Waterfall with the classes and the segments drawn over it.

    Connect the ports of a segmenter sink to the ports of the same name. The block itself needs no screen: the
    window is made by `widget()`, in the Qt thread, after the QApplication.

    Ports:
        frames, segments, status (in): the PDUs described in `gnuradio.rpmsn.pdu`. A message that is not right is
            logged and skipped; of too many, the newest are kept.
        freq (out): dict {freq: Hz} for the command port of a source, at a double click on the picture. Nothing is
            sent while the centre frequency is unknown.

    Args:
        title: written above the picture; "" for none.
        history_frames: frames that stay in the picture. 64 are 2.6 s of signal.
        rows_per_frame: rows that a frame is reduced to.
        theme: `dark` or `light`.
        alpha: how much the colours of the classes cover, 0..1.
        color_map: of the power: `gray`, `inferno` or `viridis`.
        parent: QWidget or None.

    Example:
        >>> waterfall = rpmsn.waterfall_overlay(title="band 3")              # doctest: +SKIP
        >>> tb.msg_connect(segmenter, "frames", waterfall, "frames")         # doctest: +SKIP
        >>> waterfall.widget().show()                                        # doctest: +SKIP
    """

    def __init__(self, title: str = "", history_frames: int = 64, rows_per_frame: int = 8, theme: str = "dark",
                 alpha: float = 0.4, color_map: str = "gray", parent=None):
        gr.basic_block.__init__(self, name="rpmsn_waterfall_overlay", in_sig=None, out_sig=None)
        self._settings = dict(title=title, history_frames=history_frames, rows_per_frame=rows_per_frame, theme=theme,
                              alpha=alpha, color_map=color_map, parent=parent)
        self._inbox = Inbox(max_frames=max(1, history_frames))
        self._widget = None
        self._bridge = None
        for name, handler in ((pdu.FRAMES, self._on_frame), (pdu.SEGMENTS, self._on_segment),
                              (pdu.STATUS, self._on_status)):
            self.message_port_register_in(pmt.intern(name))
            self.set_msg_handler(pmt.intern(name), handler)
        self.message_port_register_out(pmt.intern(pdu.FREQ))

    def widget(self):
        """The QWidget; always the same one. Call it in the Qt thread.

        Raises:
            RuntimeError: there is no QApplication yet, or this is not its thread.
            rpmsn.errors.MissingLibraryError: PyQt5 or pyqtgraph is not installed.
            rpmsn.errors.ParameterError: a parameter is not allowed.
        """
        if self._widget is None:
            _check_qt_thread()
            from .waterfall_widget import WaterfallWidget
            self._widget = WaterfallWidget(**self._settings)
            self._widget.tune_requested.connect(self._on_tune_requested)
            self._bridge = _make_bridge(self._drain, self._widget.set_alpha)
            self._drain()
        return self._widget

    def set_alpha(self, alpha: float) -> None:
        """How much the colours of the classes cover, 0..1. May be called from any thread."""
        self._settings["alpha"] = alpha
        if self._bridge is not None:
            self._bridge.alpha_changed.emit(float(alpha))

    def _on_frame(self, message) -> None:
        """Handler of `frames`, in a thread of GNU Radio."""
        try:
            fields, payload = pdu.parse_pdu(message, required=REQUIRED_OF_FRAME)
            shape = int(fields[pdu.ROWS]), int(fields[pdu.COLUMNS])
            image, mask = payload.reshape(shape), fields[pdu.MASK].reshape(shape)
            self._tell(self._inbox.put_frame(fields, image, mask))
        except Exception as error:  # an exception here would end the flowgraph's thread
            self._log_skipped(pdu.FRAMES, error)

    def _on_segment(self, message) -> None:
        """Handler of `segments`, in a thread of GNU Radio."""
        try:
            self._tell(self._inbox.put_segment(pdu.parse_pdu(message)[0]))
        except Exception as error:  # as above
            self._log_skipped(pdu.SEGMENTS, error)

    def _on_status(self, message) -> None:
        """Handler of `status`, in a thread of GNU Radio."""
        try:
            self._tell(self._inbox.put_status(pdu.parse_pdu(message)[0]))
        except Exception as error:  # as above
            self._log_skipped(pdu.STATUS, error)

    def _tell(self, is_news: bool) -> None:
        """Send the one signal to the Qt thread."""
        if is_news and self._bridge is not None:
            self._bridge.news.emit()

    def _drain(self) -> None:
        """In the Qt thread: hand everything that waits to the widget."""
        frames, segments, status = self._inbox.take()
        try:
            for frame in frames:
                self._widget.add_frame(*frame)
            for segment in segments:
                self._widget.add_segment(segment)
            if status is not None:
                self._widget.set_status(status)
        except Exception as error:  # PyQt5 aborts the process on an exception in a slot
            logger.warning("waterfall not drawn: %s", error)

    def _on_tune_requested(self, frequency: float) -> None:
        """In the Qt thread: send the double-clicked frequency."""
        self.message_port_pub(pmt.intern(pdu.FREQ), pdu.make_tune_command(frequency))

    def _log_skipped(self, port: str, error: Exception) -> None:
        self.logger.warn(f"message on port {port} skipped: {error}")


def _check_qt_thread() -> None:
    """Raise RuntimeError where a widget cannot be made here and now; Qt itself would abort the process."""
    from .waterfall_qt import QtCore, QtWidgets
    application = QtWidgets.QApplication.instance()
    if not isinstance(application, QtWidgets.QApplication):
        raise RuntimeError("waterfall_overlay.widget() was called before there is a QApplication; make one first: "
                           "`app = QtWidgets.QApplication(sys.argv)`")
    if QtCore.QThread.currentThread() != application.thread():
        raise RuntimeError("waterfall_overlay.widget() was called outside the Qt thread; call it in the thread that "
                           "made the QApplication")


def _make_bridge(on_news, on_alpha):
    """A QObject whose signals reach the Qt thread from any thread."""
    from .waterfall_qt import QtCore

    class Bridge(QtCore.QObject):
        news = QtCore.pyqtSignal()
        alpha_changed = QtCore.pyqtSignal(float)

    bridge = Bridge()
    bridge.news.connect(on_news, QtCore.Qt.QueuedConnection)
    bridge.alpha_changed.connect(on_alpha, QtCore.Qt.QueuedConnection)
    return bridge
