# SPDX-License-Identifier: GPL-3.0-or-later
"""The spectrum above the waterfall: the newest frame, an average, and the highest since the last reset."""

import math
from collections import deque

import numpy as np

from ...messages.frame import Frame, Scale, mean_spectrum, powers_of
from ..qt import QtCore, QtGui, pg
from ..theme import THEMES
from ..translation import tr
from .history import format_seconds
from .levels import NOISE, LevelUnit
from .settings import FOR_EVER, Settings

HEIGHT_FRACTION, LOW_FRACTION = 0.24, 0.17
HEIGHTS = (54, 240)
"""Height of the spectrum, of that of the widget, also of a low one, and its limits in pixels."""
HOLD_PARTS = 10
LEGEND_HEIGHT = 90
"""Lower than this the names of the lines would cover them."""
LEGEND_ALPHA = 150
"""Opacity of what is behind these names, 0..255: they are read over the lines, and the lines seen."""


class SpectrumLines:
    """Spectra from frames (no Qt).

    Attributes:
        scale: Scale of the frames, None while there is none.
        floor_db: noise floor of the last frame, dBFS; NaN where it is not known.
        average_seconds, hold_seconds: as of `Settings`.
        is_absolute: whether powers are over full scale, where the noise floor is known, and not over the noise.
        newest, average, max_hold: dB, one value a column: mean of the last frame; mean over `average_seconds` or so;
            strongest pixel of the last `hold_seconds`, or since `reset`.
    """

    def __init__(self):
        self.average_seconds, self.hold_seconds = Settings.average_seconds, Settings.hold_seconds
        self.is_absolute = False
        self.reset()

    def reset(self) -> None:
        """Start again."""
        self.scale: Scale | None = None
        self.floor_db = math.nan
        self._mean = self._average = np.empty(0)
        self._held: deque[tuple[float, np.ndarray]] = deque()

    def set_times(self, average_seconds: float, hold_seconds: float) -> None:
        """Other times from now on; what is held for another time starts again."""
        if hold_seconds != self.hold_seconds:
            self._held.clear()
        self.average_seconds, self.hold_seconds = average_seconds, hold_seconds

    def set_absolute(self, is_absolute: bool) -> None:
        """Powers over full scale, or over the noise; those that are there go by the last frame's noise."""
        if is_absolute != self.is_absolute:
            before, self.is_absolute = self._zero, is_absolute
            ratio = self._zero / before
            self._mean, self._average = ratio * self._mean, ratio * self._average
            self._held = deque((began, ratio * strongest) for began, strongest in self._held)

    @property
    def _zero(self) -> float:
        """Power of 0 dB over the last frame's noise, in what powers are kept in."""
        return 10 ** (self.floor_db / 10) if self.is_absolute and math.isfinite(self.floor_db) else 1.0

    def add(self, frame: Frame) -> None:
        """Add a frame; other axes start again."""
        if frame.scale != self.scale:
            self.reset()
            self.scale = frame.scale
        self.floor_db = frame.floor_db
        zero = self._zero
        self._mean = zero * mean_spectrum(frame)
        fraction = 1 - np.exp(-frame.duration / self.average_seconds) if self._average.size else 1.0
        before = self._average if self._average.size else self._mean
        self._average = before + fraction * (self._mean - before)
        self._hold(frame.start_time, zero * powers_of(frame.scale)[frame.image.max(axis=0)])

    def _hold(self, time: float, highest: np.ndarray) -> None:
        """The strongest, in parts of a tenth of the time that they hold."""
        part = self.hold_seconds / HOLD_PARTS
        if self._held and (self.hold_seconds == FOR_EVER or 0 <= time - self._held[-1][0] < part):
            began, strongest = self._held.pop()
            self._held.append((began, np.maximum(strongest, highest)))
        else:
            self._held.append((time, highest))
        while len(self._held) > HOLD_PARTS:
            self._held.popleft()
        while self.hold_seconds != FOR_EVER and not 0 <= time - self._held[0][0] < self.hold_seconds:
            self._held.popleft()

    @property
    def newest(self) -> np.ndarray:
        return 10 * np.log10(self._mean)

    @property
    def average(self) -> np.ndarray:
        return 10 * np.log10(self._average)

    @property
    def max_hold(self) -> np.ndarray:
        strongest = [values for _, values in self._held] or [self._mean]
        return 10 * np.log10(np.max(strongest, axis=0))


class LineSample(pg.ItemSample):
    """A line as it is drawn, in the legend; a click does nothing: the menu View shows and hides lines."""

    def paint(self, painter: QtGui.QPainter, *_: object) -> None:
        """Qt calls."""
        if not self.item.isVisible():
            super().paint(painter)
            return
        options = self.item.opts
        if options["fillLevel"] is not None:
            painter.fillRect(QtCore.QRectF(0, 11, 20, 7), pg.mkBrush(options["fillBrush"]))
        painter.setPen(pg.mkPen(options["pen"]))
        painter.drawLine(0, 11, 20, 11)

    def mouseClickEvent(self, event: object) -> None:
        """pyqtgraph would hide the line."""


class SpectrumPlot:
    """The lines in a plot of pyqtgraph.

    Attributes:
        lines: SpectrumLines.
        plot: pyqtgraph's PlotItem.
        curves: name of the line -> PlotDataItem.
        part: (Hz, dB over noise) of the part in view where the picture shows it finer than the frames do: drawn in
            place of the newest frame. None where it does not.
    """

    part: tuple[np.ndarray, np.ndarray] | None = None

    def __init__(self, plot: pg.PlotItem):
        self.lines, self.plot = SpectrumLines(), plot
        self._room, self._is_shown = (0, HEIGHTS[0], False), True
        plot.setMouseEnabled(x=True, y=False)
        plot.getAxis("bottom").setStyle(showValues=False)
        plot.showGrid(x=True, y=True, alpha=0.18)
        self.legend = plot.addLegend(
            offset=(-8, 2), colCount=3, labelTextSize="9pt", verSpacing=-6, sampleType=LineSample
        )
        self.curves = {
            name: plot.plot(name=label)
            for name, label in (
                ("newest", tr("newest frame")),
                ("average", tr("average")),
                ("max_hold", tr("max hold")),
            )
        }
        self._unit, self._shift = LevelUnit(), 0.0
        self._settings = Settings()

    def fit(self, whole: int, spare: int, is_low: bool = False) -> None:
        """Take a part of the height of the widget, of what the others leave; pixels."""
        self._room = whole, spare, is_low
        fraction = LOW_FRACTION if is_low else HEIGHT_FRACTION
        height = min(max(HEIGHTS[0], round(fraction * whole)), HEIGHTS[1], spare)
        height = height if self._is_shown and height >= HEIGHTS[0] else 0
        self.plot.setFixedHeight(height)
        self.plot.setVisible(height > 0)
        self.legend.setVisible(height >= LEGEND_HEIGHT)

    def draw(self) -> None:
        """Bring the lines to the screen."""
        if self.lines.scale is not None:
            frequencies = self.lines.scale.frequencies / 1e6
            known = self._unit.at(self.lines.floor_db)
            offset = (known.offset or 0.0) if self.lines.is_absolute else 0.0
            for name, curve in self.curves.items():
                if name == "newest" and self.part is not None:
                    curve.setData(self.part[0] / 1e6, self.part[1] + self._shift, connect="finite")
                elif curve.isVisible():
                    curve.setData(frequencies, getattr(self.lines, name) + offset)

    def show_part(self, part: tuple[np.ndarray, np.ndarray] | None) -> None:
        """Another part is in view, or none that is finer."""
        has_changed = (part is None) != (self.part is None)
        self.part = part
        if has_changed:
            self._name_lines()
        self.draw()

    def set_unit(self, unit: LevelUnit, shift: float) -> None:
        """What powers are said in, and what is to be added to dB over noise for it."""
        self._unit, self._shift = unit, shift
        self.lines.set_absolute(unit.name != NOISE)
        low, high = self._settings.levels
        self.plot.setYRange(low + shift, high + shift, padding=0.05)
        self.draw()

    def set_settings(self, settings: Settings) -> None:
        """Colours, range, and which lines there are."""
        theme = THEMES[settings.theme]
        fill = QtGui.QColor(theme.line)
        fill.setAlpha(50)
        self.curves["newest"].setPen(pg.mkPen(theme.line, width=1))
        self.curves["newest"].setFillLevel(-200)
        self.curves["newest"].setBrush(fill)
        self.curves["average"].setPen(pg.mkPen(theme.text, width=1))
        self.curves["max_hold"].setPen(pg.mkPen(theme.hold, width=1))
        self.curves["average"].setVisible(settings.average)
        self.curves["max_hold"].setVisible(settings.max_hold)
        self.lines.set_times(settings.average_seconds, settings.hold_seconds)
        behind = QtGui.QColor(theme.label_background)
        behind.setAlpha(LEGEND_ALPHA)
        self.legend.setBrush(behind)
        self._settings = settings
        self._name_lines()
        self._is_shown = settings.spectrum
        self.fit(*self._room)
        self.draw()

    def _name_lines(self) -> None:
        """What the lines are, in the legend."""
        held = tr("max hold")
        if self._settings.hold_seconds != FOR_EVER:
            held = tr("max hold of {time}", time=format_seconds(self._settings.hold_seconds))
        averaged = tr("average of {time}", time=format_seconds(self._settings.average_seconds))
        texts = tr("newest frame") if self.part is None else tr("part in view"), averaged, held
        for (_, label), text in zip(self.legend.items, texts):
            label.setText(text, color=THEMES[self._settings.theme].text, size="9pt")
