# SPDX-License-Identifier: GPL-3.0-or-later
"""The part in view, as fine as the screen shows it, where the samples can be had again: drawn over the rows.

The layer says what it wants (`Wanted`) once the view stands still; somebody with the samples answers with `show`.
"""

import dataclasses
from collections.abc import Callable

import numpy as np

from ...messages.frame import Scale
from ..qt import QtCore, QtGui
from ..theme import THEMES, pixel_colors
from .history import History
from .pixels import PixelLayer
from .settings import Settings

SETTLED_MS = 60
"""The view stands still for so long before finer spectra are asked for."""
FINER = 1.5
"""Pixels on the screen for each cell of the history before it is worth the work."""


@dataclasses.dataclass(frozen=True)
class Wanted:
    """A part of the picture.

    Attributes:
        number: goes up with every request; older ones are not wanted any more.
        lower, upper: edges, Hz.
        columns: pixels between them.
        low, high: older and newer edge, s of signal.
        rows: pixels between them.
        row_samples: samples from one row of pixels to the next.
        scale: Scale of the rows.
        offset_of: function, heights -> samples of the stream there; below 0 in breaks, and under another scale.
    """

    number: int
    lower: float
    upper: float
    columns: int
    low: float
    high: float
    rows: int
    row_samples: float
    scale: Scale
    offset_of: Callable[[np.ndarray], np.ndarray]

    def heights(self, step: int) -> np.ndarray:
        """Middles of rows of `step` pixels, the oldest first."""
        count = -(-self.rows // step)
        return self.low + (np.arange(count) + 0.5) * (self.high - self.low) / count


@dataclasses.dataclass
class Shown:
    """What was answered.

    Attributes:
        wanted: to what.
        index: class and value of each pixel, shape (rows, columns), oldest row first.
        is_known: of each pixel.
        spectrum: mean power of each column, dB over noise; NaN where nothing is known.
        pixels: colours, once they are needed.
    """

    wanted: Wanted
    index: np.ndarray
    is_known: np.ndarray
    spectrum: np.ndarray
    pixels: np.ndarray | None = None

    @property
    def frequencies(self) -> np.ndarray:
        """Middles of the columns, Hz."""
        width = (self.wanted.upper - self.wanted.lower) / self.wanted.columns
        return self.wanted.lower + width * (np.arange(self.wanted.columns) + 0.5)


class DetailLayer(PixelLayer):
    """Finer spectra over the rows of the history.

    Attributes:
        history: History in view.
        settings: Settings.
        ask: called with what is Wanted; None where nobody has the samples.
        shown: what is drawn, None for nothing.
        on_shown: called when that has changed.
    """

    def __init__(self, history: History, settings: Settings):
        super().__init__(THEMES[settings.theme])
        self.history, self.settings = history, settings
        self.ask: Callable[[Wanted], None] | None = None
        self.shown: Shown | None = None
        self.on_shown: Callable[[], None] = lambda: None
        self._number = 0
        self._timer = QtCore.QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(SETTLED_MS)
        self._timer.timeout.connect(self._request)

    def set_settings(self, settings: Settings) -> None:
        """Other colours, or another direction."""
        self.settings, self.theme = settings, THEMES[settings.theme]
        if self.shown is not None:
            self.shown.pixels = None
        self.update()

    def look_again(self) -> None:
        """The view has moved, or rows have come: what is drawn may not be fine enough any more."""
        self._number += 1
        if self.ask is not None:
            self._timer.start()

    def clear(self) -> None:
        """Draw nothing."""
        self._number += 1
        self._timer.stop()
        self.drop()

    def drop(self) -> None:
        """Draw nothing: the rows of the history are as good."""
        self._set_shown(None)

    def is_wanted(self, number: int) -> bool:
        """Whether an answer to this request would still be shown. Any thread may ask."""
        return number == self._number

    def show(self, wanted: Wanted, heights: np.ndarray, power: np.ndarray) -> None:
        """Draw an answer.

        Args:
            wanted: what was asked for.
            heights: middles of the rows, s of signal.
            power: as of `rpmsn.signal.closeup.spectra`.
        """
        if not self.is_wanted(wanted.number):
            return
        scale = wanted.scale
        span = np.linspace(wanted.lower, wanted.upper, wanted.columns, endpoint=False)
        columns = np.floor((span - scale.freq_lower) / scale.column_width).astype(int).clip(0, scale.columns - 1)
        mask = np.zeros(power.shape, np.uint8)
        over_noise = np.full(power.shape, np.nan)
        for chunk in self.history.between(wanted.low, wanted.high):
            inside = np.flatnonzero((heights >= chunk.y0) & (heights < chunk.y1))
            rows = ((heights[inside] - chunk.y0) / chunk.row_height).astype(int).clip(0, chunk.rows - 1)
            mask[inside] = chunk.mask[rows][:, columns]
            floor = 10.0 ** (chunk.floor_db[rows].astype(float) / 10) * scale.columns
            over_noise[inside] = power[inside] / floor[:, None]
        is_known = np.isfinite(over_noise)
        with np.errstate(divide="ignore", invalid="ignore"):
            decibels = 10 * np.log10(over_noise)
        value = (decibels - scale.db_min) / (scale.db_max - scale.db_min) * 255
        index = np.nan_to_num(value, nan=0.0, posinf=255.0, neginf=0.0).clip(0, 255).astype(np.uint16)
        count = is_known.sum(axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            spectrum = 10 * np.log10(np.nansum(over_noise, axis=0) / count)
        self._set_shown(Shown(wanted, index | mask.astype(np.uint16) << np.uint16(8), is_known, spectrum))

    def _set_shown(self, shown: Shown | None) -> None:
        if self.shown is not shown:
            self.shown = shown
            self.on_shown()
            self.update()

    def paint_pixels(self, painter: QtGui.QPainter, to_pixels: QtGui.QTransform, view: QtCore.QRectF) -> None:
        """The last answer, wherever the view has moved since."""
        shown = self.shown
        if shown is None:
            return
        if shown.pixels is None:
            colors = pixel_colors(self.settings, shown.wanted.scale)[shown.index]
            colors[~shown.is_known] = 0  # the rows of the history stay
            shown.pixels = np.ascontiguousarray(colors[::-1] if to_pixels.m22() < 0 else colors)
        rows, columns = shown.pixels.shape
        image = QtGui.QImage(shown.pixels.data, columns, rows, shown.pixels.strides[0], QtGui.QImage.Format_ARGB32)
        wanted = shown.wanted
        low, high = wanted.low, wanted.high
        area = QtCore.QRectF(wanted.lower / 1e6, low, (wanted.upper - wanted.lower) / 1e6, high - low)
        painter.drawImage(to_pixels.mapRect(area), image)

    def _request(self) -> None:
        """Ask for what is in view, where the screen shows more than the history has."""
        view, ask = self.getViewBox(), self.ask
        if view is None or ask is None or self.history.newest is None:
            return
        (left, right), (low, high) = view.viewRange()
        low, high = max(low, self.history.oldest_y), min(high, self.history.newest_y)
        chunk = self.history.at((low + high) / 2) or self.history.chunks[-1]
        scale = chunk.scale
        lower, upper = max(1e6 * left, scale.freq_lower), min(1e6 * right, scale.freq_upper)
        width, height = view.viewPixelSize()
        if high <= low or upper <= lower or not width or not height:
            return
        ratio = self.scene().views()[0].devicePixelRatioF() if self.scene().views() else 1.0
        columns, rows = (max(1, round(ratio * size)) for size in ((upper - lower) / 1e6 / width, (high - low) / height))
        is_coarse = max(columns * scale.column_width / (upper - lower), rows * chunk.row_height / (high - low)) > FINER
        if not is_coarse:
            self.drop()
            return
        per_second = (chunk.end_offset - chunk.start_offset) / (chunk.y1 - chunk.y0)
        row_samples = per_second * (high - low) / rows
        chunks = [part for part in self.history.between(low, high) if part.scale == scale]
        ask(
            Wanted(
                self._number,
                lower,
                upper,
                columns,
                low,
                high,
                rows,
                row_samples,
                scale,
                lambda y: offsets_at(chunks, y),
            )
        )


def offsets_at(chunks: list, heights: np.ndarray) -> np.ndarray:
    """Samples of the stream at heights, -1 where no chunk is."""
    found = np.full(len(heights), -1, np.int64)
    for chunk in chunks:
        inside = (heights >= chunk.y0) & (heights < chunk.y1)
        ends = (chunk.y0, chunk.y1), (chunk.start_offset, chunk.end_offset)
        found[inside] = np.interp(heights[inside], *ends).astype(np.int64)
    return found
