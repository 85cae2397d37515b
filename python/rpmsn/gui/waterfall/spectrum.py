# SPDX-License-Identifier: GPL-3.0-or-later
"""The spectrum above the waterfall: the newest frame, an average, and the highest since the last reset."""

import numpy as np

from ...messages.frame import Frame, Scale, mean_spectrum, powers_of
from ..qt import QtGui, pg
from ..theme import THEMES
from .settings import Settings

AVERAGE_SECONDS = 1.0
HEIGHT_FRACTION = 0.24
HEIGHTS = (48, 240)
"""Height of the spectrum, of that of the widget, and its limits in pixels."""
LEGEND_HEIGHT = 90
"""Lower than this the names of the lines would cover them."""


class SpectrumLines:
    """Spectra over the noise floor, from frames (no Qt).

    Attributes:
        scale: Scale of the frames, None while there is none.
        newest, average, max_hold: dB, one value a column: mean of the last frame; mean over the last second or so;
            strongest pixel since `reset`.
    """

    def __init__(self):
        self.reset()

    def reset(self) -> None:
        """Start again."""
        self.scale: Scale | None = None
        self._mean = self._average = self._highest = np.empty(0)

    def add(self, frame: Frame) -> None:
        """Add a frame; other axes start again."""
        if frame.scale != self.scale:
            self.reset()
            self.scale = frame.scale
        self._mean = mean_spectrum(frame)
        highest = powers_of(frame.scale)[frame.image.max(axis=0)]
        if not self._average.size:
            self._average, self._highest = self._mean, highest
            return
        fraction = 1 - np.exp(-frame.duration / AVERAGE_SECONDS)
        self._average = self._average + fraction * (self._mean - self._average)
        self._highest = np.maximum(self._highest, highest)

    @property
    def newest(self) -> np.ndarray:
        return 10 * np.log10(self._mean)

    @property
    def average(self) -> np.ndarray:
        return 10 * np.log10(self._average)

    @property
    def max_hold(self) -> np.ndarray:
        return 10 * np.log10(self._highest)


class SpectrumPlot:
    """The lines in a plot of pyqtgraph.

    Attributes:
        lines: SpectrumLines.
        plot: pyqtgraph's PlotItem.
        curves: name of the line -> PlotDataItem.
    """

    def __init__(self, plot: pg.PlotItem):
        self.lines, self.plot = SpectrumLines(), plot
        self._room, self._is_shown = (0, HEIGHTS[0]), True
        plot.setMouseEnabled(x=True, y=False)
        plot.getAxis("bottom").setStyle(showValues=False)
        plot.showGrid(x=True, y=True, alpha=0.18)
        self.legend = plot.addLegend(offset=(-8, 2), colCount=3, labelTextSize="9pt", verSpacing=-6)
        self.curves = {
            name: plot.plot(name=label)
            for name, label in (("newest", "newest frame"), ("average", "average of 1 s"), ("max_hold", "max hold"))
        }

    def fit(self, whole: int, spare: int) -> None:
        """Take a part of the height of the widget, of what the others leave; pixels."""
        self._room = whole, spare
        height = min(max(HEIGHTS[0], round(HEIGHT_FRACTION * whole)), HEIGHTS[1], spare)
        height = height if self._is_shown and height >= HEIGHTS[0] else 0
        self.plot.setFixedHeight(height)
        self.plot.setVisible(height > 0)
        self.legend.setVisible(height >= LEGEND_HEIGHT)

    def draw(self) -> None:
        """Bring the lines to the screen."""
        if self.lines.scale is not None:
            frequencies = self.lines.scale.frequencies / 1e6
            for name, curve in self.curves.items():
                if curve.isVisible():
                    curve.setData(frequencies, getattr(self.lines, name))

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
        self.plot.setYRange(*settings.levels, padding=0.05)
        for _, label in self.legend.items:
            label.setText(label.text, color=theme.text, size="9pt")
        self._is_shown = settings.spectrum
        self.fit(*self._room)
        self.draw()
