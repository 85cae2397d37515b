# SPDX-License-Identifier: GPL-3.0-or-later
"""Frequencies with a name and a colour: a line through spectrum and picture, with a flag."""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from ...errors import is_number
from ..qt import QtCore, QtGui, pg
from .pixels import PixelLayer, text_width

COLORS = ("#e15759", "#76b7b2", "#edc948", "#b07aa1", "#59a14f", "#ff9da7")
"""Given in turn; other than those of the classes."""
LONGEST_NAME = 60
FLAG_LINES = 3.5
"""Flags begin so many lines above the foot of the picture, where notes stand."""


@dataclasses.dataclass(frozen=True)
class Bookmark:
    """A frequency (Hz) with a name and a colour (#rrggbb)."""

    name: str
    frequency: float
    color: str

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for a file of settings."""
        return dataclasses.asdict(self)


def is_bookmark(value: Any) -> bool:
    """Whether a value of a file of settings is one."""
    return (
        isinstance(value, Mapping)
        and isinstance(value.get("name"), str)
        and is_number(value.get("frequency"))
        and isinstance(value.get("color"), str)
        and QtGui.QColor(value["color"]).isValid()
    )


def bookmarks_of(values: Iterable[Any]) -> list[Bookmark]:
    """Bookmarks of a file of settings; what is none is left out."""
    return [
        Bookmark(value["name"][:LONGEST_NAME], float(value["frequency"]), value["color"])
        for value in values
        if is_bookmark(value)
    ]


def next_color(bookmarks: list[Bookmark]) -> str:
    """A colour for one more: the one that is used least."""
    used = [bookmark.color for bookmark in bookmarks]
    return min(COLORS, key=used.count)


class BookmarkLayer(PixelLayer):
    """Draws bookmarks in a plot; the flags stand at the foot of the picture, in lines where they would overlap.

    Attributes:
        bookmarks: list of Bookmark.
        has_flags: whether the names are written, too.
        drawn: (QRectF in pixels, Bookmark) of the flags that were drawn last.
    """

    def __init__(self, theme: Any, has_flags: bool):
        super().__init__(theme)
        self.bookmarks: list[Bookmark] = []
        self.has_flags = has_flags
        self.drawn: list[tuple[QtCore.QRectF, Bookmark]] = []
        self.setZValue(12)

    def paint_pixels(self, painter: QtGui.QPainter, to_pixels: QtGui.QTransform, view: QtCore.QRectF) -> None:
        """Lines and flags of those in view."""
        self.drawn = []
        height = painter.fontMetrics().height() + 4
        for bookmark in sorted(self.bookmarks, key=lambda bookmark: bookmark.frequency):
            x = round(to_pixels.map(QtCore.QPointF(bookmark.frequency / 1e6, 0.0)).x())
            if not view.left() <= x <= view.right():
                continue
            for color, width in ((self.theme.label_background, 4), (bookmark.color, 2)):
                painter.setPen(pg.mkPen(color, width=width))
                painter.drawLine(QtCore.QPointF(x, view.top()), QtCore.QPointF(x, view.bottom()))
            if self.has_flags:
                self._paint_flag(painter, bookmark, x, height, view)

    def _paint_flag(self, painter, bookmark: Bookmark, x: float, height: float, view: QtCore.QRectF) -> None:
        width = min(text_width(painter.fontMetrics(), bookmark.name), view.width())
        left = min(x + 2, view.right() - width)
        rect = QtCore.QRectF(left, view.bottom() - FLAG_LINES * height, width, height)
        while any(rect.intersects(other) for other, _ in self.drawn) and rect.top() - height > view.top():
            rect.translate(0, -height - 2)
        self.paint_text(painter, rect, bookmark.name, bookmark.color)
        self.drawn.append((rect, bookmark))
