# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole recording in one strip: power, the carriers found so far, what is in view, and where it plays.

Time goes from left to right, frequency upwards. The strip is a slider: a click goes there.
"""

import dataclasses
import logging
import threading

import numpy as np

from ...classes import CLASS_COLORS
from ...recording import Recording
from ...signal import closeup
from ..qt import QtCore, QtGui, QtWidgets
from ..theme import THEMES, Theme, power_colors
from ..waterfall.settings import Settings

logger = logging.getLogger(__name__)

SLOTS, BANDS = 512, 96
"""Moments and frequencies of which the power is looked up, however long the recording is."""
WINDOW, WINDOWS = 256, 8
"""Samples of a spectrum, and spectra that are averaged at a moment."""
STRIDES = (16, 4, 1)
"""Every so many moments first: the whole recording is there at once, and gets finer."""
LINES_HIGH, LINES_LOW = 2.2, 1.3
"""Height of the strip, in lines of text; also where there is little room."""
MARK_ALPHA = 50
"""Opacity of carriers over the power, 0..255."""
DB_BELOW, DB_ABOVE = 3.0, 35.0
"""Range of the colours about the noise floor."""


@dataclasses.dataclass(frozen=True)
class Mark:
    """A carrier in the strip: fractions of time and frequency, and its class."""

    start: float
    end: float
    lower: float
    upper: float
    label: str


class Survey(QtCore.QObject):
    """Power over a whole recording, in a thread of its own.

    Args:
        recording: Recording that nobody else reads (`Recording.second_reader`).
    """

    grown = QtCore.pyqtSignal(object)
    """Power so far: float32, shape (SLOTS, BANDS), linear, NaN where it is not known yet."""

    def __init__(self, recording: Recording) -> None:
        super().__init__()
        self._recording = recording
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name="rpmsn overview", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """No more of it."""
        self._is_stopping = True
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            self._look()
        except Exception as error:  # a file that has become shorter, for one
            logger.warning("no overview of the recording: %s", error)

    def _look(self) -> None:
        rate, count = self._recording.sample_rate, self._recording.sample_count
        power = np.full((SLOTS, BANDS), np.nan, np.float32)
        middles = ((np.arange(SLOTS) + 0.5) * count / SLOTS).astype(np.int64)
        edges = np.linspace(-rate / 2, rate / 2, BANDS + 1)
        done = np.zeros(SLOTS, bool)
        for stride in STRIDES:
            slots = np.arange(0, SLOTS, stride)
            slots = slots[~done[slots]]
            found = closeup.spectra(
                self._recording.read,
                middles[slots],
                edges,
                closeup.Plan(WINDOW, WINDOWS, 1),
                rate,
                lambda: not self._is_stopping,
            )
            if found is None:
                return
            power[slots], done[slots] = found, True
            self.grown.emit(power.copy())


class Overview(QtWidgets.QSlider):
    """The strip.

    Attributes:
        marks: list of Mark.
        view: fractions of the recording between which the picture is, None where it shows something else.
    """

    asked = QtCore.pyqtSignal(float)
    """Fraction of the whole, 0..1, that was clicked, or to which the handle was dragged."""

    def __init__(self) -> None:
        super().__init__(QtCore.Qt.Horizontal)
        self.marks: list[Mark] = []
        self.view: tuple[float, float] | None = None
        self._decibels: np.ndarray | None = None
        self._image: QtGui.QImage | None = None
        self._settings = Settings()
        self.set_low(False)
        self.setFocusPolicy(QtCore.Qt.TabFocus)

    def set_low(self, is_low: bool) -> None:
        """Take less of the height, or not."""
        self.setFixedHeight(round((LINES_LOW if is_low else LINES_HIGH) * self.fontMetrics().height()))

    def set_settings(self, settings: Settings) -> None:
        """Other colours."""
        self._settings = settings
        self._color()

    def set_power(self, power: np.ndarray) -> None:
        """What a Survey has found."""
        with np.errstate(divide="ignore"):
            self._decibels = 10 * np.log10(np.maximum(power, 1e-30))
        self._color()

    def set_marks(self, marks: list[Mark], view: tuple[float, float] | None) -> None:
        """Carriers, and what is in view."""
        if (marks, view) != (self.marks, self.view):
            self.marks, self.view = marks, view
            self.update()

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        """Called by Qt to draw it."""
        painter = QtGui.QPainter(self)
        theme = THEMES[self._settings.theme]
        area = self.rect().adjusted(0, 1, 0, -1)
        painter.fillRect(area, QtGui.QColor(theme.surface))
        if self._image is not None:
            painter.setRenderHint(QtGui.QPainter.SmoothPixmapTransform)
            painter.drawImage(area, self._image)
        for mark in self.marks:
            self._paint_mark(painter, mark, area, theme)
        if self.view is not None:
            self._paint_view(painter, area, theme)
        x = self._x_of(self.value() / self.maximum())
        for width, color in ((4, theme.label_background), (2, theme.alarm)):
            painter.setPen(QtGui.QPen(QtGui.QColor(color), width))
            painter.drawLine(x, area.top(), x, area.bottom())
        if self.hasFocus():
            painter.setPen(QtGui.QColor(theme.line))
            painter.drawRect(area.adjusted(0, 0, -1, -1))

    def _paint_mark(self, painter, mark: Mark, area: QtCore.QRect, theme: Theme) -> None:
        left, right = self._x_of(mark.start), self._x_of(mark.end)
        top, bottom = (round(area.bottom() - fraction * area.height()) for fraction in (mark.upper, mark.lower))
        rect = QtCore.QRect(left, top, max(3, right - left), max(3, bottom - top))
        color = QtGui.QColor(*CLASS_COLORS.get(mark.label, CLASS_COLORS["other"]))
        fill = QtGui.QColor(color)
        fill.setAlpha(MARK_ALPHA)
        painter.fillRect(rect, fill)
        painter.setPen(color)
        painter.drawRect(rect.adjusted(0, 0, -1, -1))

    def _paint_view(self, painter, area: QtCore.QRect, theme: Theme) -> None:
        """What is not in view is dimmed."""
        assert self.view is not None
        left, right = map(self._x_of, self.view)
        dim = QtGui.QColor(theme.background)
        dim.setAlpha(120)
        painter.fillRect(QtCore.QRect(0, area.top(), left, area.height()), dim)
        painter.fillRect(QtCore.QRect(right + 1, area.top(), self.width() - right, area.height()), dim)

    def _color(self) -> None:
        """The image anew: unknown moments take the place of the one before."""
        self.update()
        decibels = self._decibels
        if decibels is None or not np.isfinite(decibels).any():
            return
        known = np.flatnonzero(np.isfinite(decibels).any(axis=1))
        nearest = known[np.clip(np.searchsorted(known, np.arange(SLOTS), side="right") - 1, 0, None)]
        rows = decibels[nearest]
        floor = float(np.nanpercentile(rows, 10))
        level = np.clip((np.nan_to_num(rows, nan=floor) - floor + DB_BELOW) / (DB_BELOW + DB_ABOVE), 0.0, 1.0)
        colors = power_colors(self._settings).map(level.T[::-1], mode="byte")
        pixels = np.ascontiguousarray(colors[..., :3])
        size = pixels.shape[1], pixels.shape[0]
        self._image = QtGui.QImage(pixels.data, *size, pixels.strides[0], QtGui.QImage.Format_RGB888).copy()

    def mousePressEvent(self, event: QtGui.QMouseEvent) -> None:
        """Called by Qt at a press: go there."""
        if event.button() == QtCore.Qt.LeftButton:
            self.setSliderDown(True)
            self.setValue(self._value_at(event.x()))

    def mouseMoveEvent(self, event: QtGui.QMouseEvent) -> None:
        """Called by Qt at a move: the handle follows; the player seeks when the drag ends, since that takes time."""
        if self.isSliderDown():
            self.setValue(self._value_at(event.x()))

    def mouseReleaseEvent(self, event: QtGui.QMouseEvent) -> None:
        """Called by Qt at the end of a drag."""
        if event.button() == QtCore.Qt.LeftButton and self.isSliderDown():
            self.setSliderDown(False)
            self.setValue(self._value_at(event.x()))
            self.asked.emit(self.value() / self.maximum())

    def _x_of(self, fraction: float) -> int:
        return round(fraction * (self.width() - 1))

    def _value_at(self, x: int) -> int:
        return QtWidgets.QStyle.sliderValueFromPosition(self.minimum(), self.maximum(), x, max(1, self.width() - 1))
