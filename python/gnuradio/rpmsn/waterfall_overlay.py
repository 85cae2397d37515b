# SPDX-License-Identifier: GPL-3.0-or-later
"""GNU Radio block: draws what a segmenter sink sends."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pmt
from gnuradio import gr

from rpmsn.errors import require
from rpmsn.gui.translation import use_language
from rpmsn.gui.waterfall.inbox import MAX_FRAMES, MAX_SEGMENTS, Inbox
from rpmsn.messages import keys

from . import pdu

if TYPE_CHECKING:
    from PyQt5 import QtWidgets

REQUIRED_OF_FRAME = (keys.ROWS, keys.COLUMNS, keys.MASK)
"""What is needed to shape the arrays; the widget checks the rest."""
TABLE_PLACES = ("hidden", "below", "beside")
"""Where the table of carriers may be."""


class waterfall_overlay(gr.basic_block):
    """Waterfall with the classes and the carriers drawn over it.

    Connect the ports of a segmenter sink to the ports of the same name. The block itself needs no screen: the
    window is made by `widget()`, in the Qt thread, after the QApplication. Closing it does not stop the flowgraph;
    that ends when the application does, with its last window. docs/waterfall.md describes every control and key.

    Ports:
        frames, segments, status (in): the PDUs described in `gnuradio.rpmsn.pdu`. A message that is not right is
            logged and skipped; of too many, the newest are kept.
        freq (out): dict {freq: Hz} for the command port of a source, at a double click on the picture. Nothing is
            sent while the centre frequency is unknown.

    Args:
        title: written above the picture; "" for none.
        history_frames: frames that are in view at first, 64 are 2.6 s of signal; an hour can be scrolled back to.
        rows_per_frame: rows that a frame is reduced to.
        theme: `dark` or `light`.
        alpha: how much the colours of the classes cover, 0..1.
        color_map: of the power: `gray`, `inferno`, `viridis` or `cividis`.
        levels: power, in dB over the noise floor, of the first and the last colour.
        classes: those that are shown, some of `LTE`, `NR` and `other`.
        newest: where the newest row is, `top` or `bottom`.
        boxes: whether carriers get a box with class, bandwidth and confidence.
        spectrum: whether the spectrum is drawn above the picture.
        average, max_hold: whether it has these lines.
        parent: QWidget or None.
        table: where the table of carriers is, `below` or `beside` the picture, or `hidden`.
        bands: whether 3GPP bands are drawn below the frequencies.

    What is set from `theme` to `max_hold`, and `bands`, can be changed from any thread, by `set_theme` and so on.

    Example:
        >>> waterfall = rpmsn.waterfall_overlay(title="band 3")              # doctest: +SKIP
        >>> tb.msg_connect(segmenter, "frames", waterfall, "frames")         # doctest: +SKIP
        >>> waterfall.widget().show()                                        # doctest: +SKIP
    """

    def __init__(
        self,
        title: str = "",
        history_frames: int = 64,
        rows_per_frame: int = 8,
        theme: str = "dark",
        alpha: float = 0.4,
        color_map: str = "gray",
        levels: Sequence[float] = (-5.0, 45.0),
        classes: Sequence[str] = keys.LABELS,
        newest: str = "top",
        boxes: bool = True,
        spectrum: bool = True,
        average: bool = True,
        max_hold: bool = True,
        parent: "QtWidgets.QWidget | None" = None,
        table: str = "hidden",
        bands: bool = True,
    ):
        require("waterfall_overlay", "table", table, table in TABLE_PLACES, f"one of {', '.join(TABLE_PLACES)}")
        gr.basic_block.__init__(self, name="rpmsn_waterfall_overlay", in_sig=None, out_sig=None)
        self._layout = dict(title=title, history_frames=history_frames, rows_per_frame=rows_per_frame, parent=parent)
        self._place = table
        self._settings = dict(
            theme=theme,
            alpha=alpha,
            color_map=color_map,
            levels=levels,
            classes=classes,
            newest=newest,
            boxes=boxes,
            bands=bands,
            spectrum=spectrum,
            average=average,
            max_hold=max_hold,
        )
        self._inbox = Inbox()
        self._widget = self._window = None
        self._bridge = None
        for name, handler in (
            (keys.FRAMES, self._on_frame),
            (keys.SEGMENTS, self._on_segment),
            (keys.STATUS, self._on_status),
        ):
            self.message_port_register_in(pmt.intern(name))
            self.set_msg_handler(pmt.intern(name), handler)
        self.message_port_register_out(pmt.intern(keys.FREQ))

    def widget(self) -> "QtWidgets.QWidget":
        """The QWidget; always the same one. Call it in the Qt thread.

        Raises:
            RuntimeError: there is no QApplication yet, or this is not its thread.
            rpmsn.errors.MissingLibraryError: PyQt5 or pyqtgraph is not installed.
            rpmsn.errors.ParameterError: a parameter is not allowed.
        """
        if self._widget is None:
            _check_qt_thread()
            use_language()
            if self._place == "hidden":
                from rpmsn.gui.waterfall.widget import WaterfallWidget

                self._window = self._widget = WaterfallWidget(**self._layout, **self._settings)
            else:
                from rpmsn.gui.with_table import WaterfallWithTable

                self._window = WaterfallWithTable(place=self._place, **self._layout, **self._settings)
                self._widget = self._window.waterfall
            self._widget.tune_requested.connect(self._on_tune_requested)
            self._bridge = _make_bridge(self._widget, self._drain, self._apply)
        return self._window

    def set_alpha(self, alpha: float) -> None:
        """How much the colours of the classes cover, 0..1. May be called from any thread, as all that follow."""
        self._change("alpha", float(alpha))

    def set_theme(self, theme: str) -> None:
        """`dark` or `light`."""
        self._change("theme", theme)

    def set_color_map(self, color_map: str) -> None:
        """`gray`, `inferno`, `viridis` or `cividis`."""
        self._change("color_map", color_map)

    def set_levels(self, levels: Sequence[float]) -> None:
        """Power of the first and the last colour, dB over the noise floor."""
        self._change("levels", [float(level) for level in levels])

    def set_classes(self, classes: Sequence[str]) -> None:
        """Names of the classes that are shown."""
        self._change("classes", list(classes))

    def set_newest(self, newest: str) -> None:
        """Where the newest row is, `top` or `bottom`."""
        self._change("newest", newest)

    def set_boxes(self, boxes: bool) -> None:
        """Whether carriers get boxes."""
        self._change("boxes", bool(boxes))

    def set_bands(self, bands: bool) -> None:
        """Whether 3GPP bands are drawn."""
        self._change("bands", bool(bands))

    def set_spectrum(self, spectrum: bool) -> None:
        """Whether the spectrum is drawn."""
        self._change("spectrum", bool(spectrum))

    def set_average(self, average: bool) -> None:
        """Whether the spectrum's average is drawn."""
        self._change("average", bool(average))

    def set_max_hold(self, max_hold: bool) -> None:
        """Whether the spectrum's highest values are drawn."""
        self._change("max_hold", bool(max_hold))

    def _on_frame(self, message: pmt.pmt_base) -> None:
        """Handler of `frames`, in a thread of GNU Radio."""
        self._inbox.put_frame(message)
        self._shed(keys.FRAMES, MAX_FRAMES)

    def _on_segment(self, message: pmt.pmt_base) -> None:
        """Handler of `segments`, in a thread of GNU Radio."""
        self._inbox.put_segment(message)
        self._shed(keys.SEGMENTS, MAX_SEGMENTS)

    def _on_status(self, message: pmt.pmt_base) -> None:
        """Handler of `status`, in a thread of GNU Radio."""
        self._inbox.put_status(message)
        self._shed(keys.STATUS, 1)

    def _shed(self, port: str, limit: int) -> None:
        """Drop the oldest messages that GNU Radio keeps for a port, without a bound, while this thread is late."""
        name = pmt.intern(port)
        for _ in range(self.nmsgs(name) - limit):
            self.delete_head_nowait(name)

    def _drain(self) -> None:
        """In the Qt thread, before each redraw: hand everything that waits to the widget."""
        frames, segments, status = self._inbox.take()
        for port, messages, take in (
            (keys.FRAMES, frames, self._take_frame),
            (keys.STATUS, status, self._take_status),
            (keys.SEGMENTS, segments, self._take_segment),
        ):
            for message in messages:
                try:
                    take(message)
                except Exception as error:  # PyQt5 aborts the process on an exception in a slot
                    self.logger.warn(f"message on port {port} skipped: {error}")

    def _take_frame(self, message: pmt.pmt_base) -> None:
        fields, payload = pdu.parse_pdu(message, required=REQUIRED_OF_FRAME)
        shape = int(fields[keys.ROWS]), int(fields[keys.COLUMNS])
        self._window.add_frame(fields, payload.reshape(shape), fields[keys.MASK].reshape(shape))

    def _take_segment(self, message: pmt.pmt_base) -> None:
        self._window.add_segment(pdu.parse_pdu(message)[0])

    def _take_status(self, message: pmt.pmt_base) -> None:
        self._widget.set_status(pdu.parse_pdu(message)[0])

    def _change(self, name: str, value) -> None:
        """Change a setting, from any thread."""
        self._settings[name] = value
        if self._bridge is not None:
            self._bridge.changed.emit({name: value})

    def _apply(self, changes: dict) -> None:
        """In the Qt thread: hand a change to the widget."""
        try:
            self._widget.apply_settings(changes)
        except Exception as error:  # as above
            self.logger.warn(f"setting not taken: {error}")

    def _on_tune_requested(self, frequency: float) -> None:
        """In the Qt thread: send the double-clicked frequency."""
        self.message_port_pub(pmt.intern(keys.FREQ), pdu.make_tune_command(frequency))


def _check_qt_thread() -> None:
    """Raise RuntimeError where a widget cannot be made here and now; Qt itself would abort the process."""
    from rpmsn.gui.qt import QtCore, QtWidgets

    application = QtWidgets.QApplication.instance()
    if not isinstance(application, QtWidgets.QApplication):
        raise RuntimeError(
            "waterfall_overlay.widget() was called before there is a QApplication; make one first: "
            "`app = QtWidgets.QApplication(sys.argv)`"
        )
    if QtCore.QThread.currentThread() != application.thread():
        raise RuntimeError(
            "waterfall_overlay.widget() was called outside the Qt thread; call it in the thread that "
            "made the QApplication"
        )


def _make_bridge(widget, on_redraw, on_change):
    """A QObject whose signal `changed` reaches the Qt thread from any thread."""
    from rpmsn.gui.qt import QtCore

    class Bridge(QtCore.QObject):
        changed = QtCore.pyqtSignal(dict)

    bridge = Bridge()
    bridge.changed.connect(on_change, QtCore.Qt.QueuedConnection)
    widget.about_to_redraw.connect(on_redraw)
    return bridge
