# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws the rows of the waterfall, each at its own frequency, and the breaks between them."""

import dataclasses
import math

import numpy as np

from ..qt import QtCore, QtGui
from ..theme import THEMES, pixel_colors
from .history import CLOCK, DROPPED, LOST, TUNED, Break, Chunk, History
from .pixels import PixelLayer, text_width
from .settings import Settings

LOWEST_BREAK, LOWEST_SKIPPED_FRAME = 4, 6
"""Pixels: a break is never lower, a line between frames is only drawn where they are higher."""
SKIP_ALPHA = 70
"""Opacity of the line over frames that were not sent, 0..255: they may be every second frame."""


@dataclasses.dataclass
class Colored:
    """The rows of one chunk in colour, as far as they have been coloured.

    Attributes:
        key: steps and direction; another key needs another picture.
        pixels: uint32; top row first.
        rows: how many rows of the chunk are in it.
    """

    key: tuple
    pixels: np.ndarray
    rows: int = 0


class Picture(PixelLayer):
    """Power and classes of all rows in view, hatches where signal is missing.

    Rows are coloured once, when they are first seen. Where several fall on one pixel, the strongest power is drawn.

    Attributes:
        history: History.
        settings: Settings.
        texts: list of (QRectF in pixels, text, colour): what is to be written over the breaks drawn last.
    """

    def __init__(self, history: History, settings: Settings):
        super().__init__(THEMES[settings.theme])
        self.history, self.settings = history, settings
        self._colored: dict[Chunk, Colored] = {}
        self._tables: dict = {}
        self.texts: list = []

    def set_settings(self, settings: Settings) -> None:
        """Other colours, or another direction."""
        self.settings, self.theme = settings, THEMES[settings.theme]
        self._colored.clear()
        self._tables.clear()
        self.update()

    def color_again(self, chunk: Chunk, row: int) -> None:
        """The classes of a chunk have changed, from a row on."""
        colored = self._colored.get(chunk)
        if colored is not None:
            colored.rows = min(colored.rows, row)

    def paint_pixels(self, painter: QtGui.QPainter, to_pixels: QtGui.QTransform, view: QtCore.QRectF) -> None:
        """Rows in view, then the breaks over them."""
        shown = self.boundingRect()
        chunks = self.history.between(shown.top(), shown.bottom())
        for chunk in chunks:
            self._paint_chunk(painter, chunk, shown, to_pixels)
        visible = set(chunks)
        self._colored = {chunk: colored for chunk, colored in self._colored.items() if chunk in visible}
        self._paint_skips(painter, shown, to_pixels, view)
        self._paint_breaks(painter, shown, to_pixels, view)

    def _paint_chunk(self, painter, chunk: Chunk, shown, to_pixels) -> None:
        """The part of a chunk that is in view; its edges lie on whole pixels, so that no seams show."""
        scale, height = chunk.scale, chunk.row_height
        left, width = scale.freq_lower / 1e6, scale.column_width / 1e6
        columns = _part(shown.left(), shown.right(), left, width, scale.columns)
        rows = _part(shown.top(), shown.bottom(), chunk.y0, height, chunk.rows)
        if columns[0] >= columns[1] or rows[0] >= rows[1]:
            return
        steps = _step(height * abs(to_pixels.m22())), _step(width * to_pixels.m11())
        image = self._image(chunk, *steps)
        newest_on_top = to_pixels.m22() < 0
        rows, columns = _whole_steps(rows, steps[0]), _whole_steps(columns, steps[1])
        target = to_pixels.mapRect(
            QtCore.QRectF(
                QtCore.QPointF(left + columns[0] * width, chunk.y0 + rows[0] * height),
                QtCore.QPointF(
                    left + min(columns[1], scale.columns) * width, chunk.y0 + min(rows[1], chunk.rows) * height
                ),
            )
        )
        first, after = rows[0] // steps[0], -(-min(rows[1], chunk.rows) // steps[0])
        top = image.height() - after if newest_on_top else first
        source = QtCore.QRectF(
            columns[0] // steps[1],
            top,
            -(-min(columns[1], scale.columns) // steps[1]) - columns[0] // steps[1],
            after - first,
        )
        edges = [round(edge) for edge in (target.left(), target.top(), target.right(), target.bottom())]
        target = QtCore.QRectF(edges[0], edges[1], max(edges[2] - edges[0], 1), edges[3] - edges[1])
        if target.height() >= 1:
            painter.drawImage(target, image, source)

    def _image(self, chunk: Chunk, row_step: int, column_step: int):
        """QImage of a chunk; only rows that are new are coloured."""
        newest_on_top = self.settings.newest == "top"
        key = (row_step, column_step, newest_on_top)
        colored = self._colored.get(chunk)
        if colored is None or colored.key != key:
            shape = -(-len(chunk.image) // row_step), -(-chunk.scale.columns // column_step)
            colored = self._colored[chunk] = Colored(key, np.empty(shape, np.uint32))
        upwards = colored.pixels[::-1] if newest_on_top else colored.pixels
        after = -(-chunk.rows // row_step)
        if colored.rows < chunk.rows:
            first = colored.rows // row_step
            rows = slice(first * row_step, chunk.rows)
            index = shrink(chunk.image[rows], row_step, column_step).astype(np.uint16)
            index |= chunk.mask[rows][::row_step, ::column_step].astype(np.uint16) << np.uint16(8)
            upwards[first:after] = self._table(chunk.scale)[index]
            colored.rows = chunk.rows
        pixels = colored.pixels[len(colored.pixels) - after :] if newest_on_top else colored.pixels[:after]
        return QtGui.QImage(pixels.data, pixels.shape[1], after, pixels.strides[0], QtGui.QImage.Format_RGB32)

    def _table(self, scale) -> np.ndarray:
        """Colours for rows of a scale."""
        key = scale.db_min, scale.db_max
        if key not in self._tables:
            self._tables[key] = pixel_colors(self.settings, scale)
        return self._tables[key]

    def _paint_skips(self, painter, shown, to_pixels, view) -> None:
        """Faint lines over frames that were not sent here, where there is room between them."""
        skips = [skip for skip in self.history.skips if shown.top() < skip.y0 < shown.bottom()]
        if not skips or shown.height() / len(skips) * abs(to_pixels.m22()) < LOWEST_SKIPPED_FRAME:
            return
        color = QtGui.QColor(self.theme.background)
        color.setAlpha(SKIP_ALPHA)
        painter.setPen(color)
        for skip in skips:
            y = round(to_pixels.map(QtCore.QPointF(0, skip.y0)).y())
            painter.drawLine(QtCore.QPointF(view.left(), y), QtCore.QPointF(view.right(), y))

    def _paint_breaks(self, painter, shown, to_pixels, view) -> None:
        """Hatches and lines; their texts are kept, the newest first where texts would overlap."""
        last_text, text_height = math.inf, painter.fontMetrics().height() + 3
        self.texts = []
        for found in reversed(self.history.breaks):
            if found.y1 < shown.top() or found.y0 > shown.bottom():
                continue
            rect = to_pixels.mapRect(QtCore.QRectF(shown.left(), found.y0, shown.width(), found.y1 - found.y0))
            self._paint_break(painter, found, rect)
            middle = min(max(rect.center().y(), view.top() + text_height / 2), view.bottom() - text_height / 2)
            if abs(middle - last_text) > text_height + 2:
                last_text = middle
                width = text_width(painter.fontMetrics(), found.text)
                rect = QtCore.QRectF(view.left() + 8, round(middle - text_height / 2), width, text_height)
                self.texts.append((rect, found.text, self._break_color(found)))

    def _paint_break(self, painter, found: Break, rect) -> None:
        """Stripes over what is missing (one way what was dropped, crossed what was lost), or a dashed line."""
        color = QtGui.QColor(self._break_color(found))
        if found.kind in (TUNED, CLOCK):
            painter.setPen(QtGui.QPen(color, 1, QtCore.Qt.DashLine))
            painter.drawLine(rect.topLeft(), rect.topRight())
            return
        if rect.height() < LOWEST_BREAK:
            rect = rect.adjusted(0, -LOWEST_BREAK / 2, 0, LOWEST_BREAK / 2)
        painter.fillRect(rect, QtGui.QColor(self.theme.background))
        pattern = QtCore.Qt.DiagCrossPattern if found.kind == LOST else QtCore.Qt.BDiagPattern
        painter.fillRect(rect, QtGui.QBrush(color, pattern))

    def _break_color(self, found: Break) -> str:
        return self.theme.alarm if found.kind in (LOST, DROPPED) else self.theme.line


def shrink(image: np.ndarray, row_step: int, column_step: int) -> np.ndarray:
    """Strongest value of every block of rows and columns."""
    if row_step > 1:
        image = np.maximum.reduceat(image, np.arange(0, image.shape[0], row_step), axis=0)
    if column_step > 1:
        image = np.maximum.reduceat(image, np.arange(0, image.shape[1], column_step), axis=1)
    return image


def _step(pixels: float) -> int:
    """How many cells of a size in pixels make at least half a pixel: a power of two."""
    return 1 << max(0, math.floor(-math.log2(max(pixels, 1e-9))))


def _part(low: float, high: float, start: float, size: float, count: int) -> tuple[int, int]:
    """First cell in view and the one after the last, of `count` cells of a size."""
    return max(math.floor((low - start) / size), 0), min(math.ceil((high - start) / size), count)


def _whole_steps(cells: tuple[int, int], step: int) -> tuple[int, int]:
    """The same, from and to multiples of a step."""
    return cells[0] // step * step, -(-cells[1] // step) * step
