# SPDX-License-Identifier: GPL-3.0-or-later
"""The strip below the frequency axis: 3GPP bands in view, in lanes where they overlap."""

from collections.abc import Callable, Iterable, Sequence

from ..qt import QtCore, QtGui, QtWidgets, pg
from ..theme import Theme
from ..translation import mark, tr
from .bands import UP, BandSpan, in_lanes, is_proven, spans_between

LANES = 2
"""Rows of bars, where there is room."""
GAP = 2
"""Pixels between lanes."""
SMALLER = 0.85
"""Size of the font, of that of the other texts."""
NO_BAND = mark("no 3GPP band here")
LIST_LENGTH = 20
"""Bands that the tooltip has."""
APART = 6
"""Pixels between texts in a bar."""


class BandStrip(pg.GraphicsWidget):
    """Bars over the frequencies of the bands; drawn anew when the view or what is known changes, not with every frame.

    Args:
        view: ViewBox whose frequency axis, in MHz, it stands below.
        theme: Theme.
        ticks: function, (lowest and highest MHz, pixels between them) -> MHz of the axis's texts: where channel numbers
            are written.

    Attributes:
        texts_drawn: what was written when it was last drawn, list of (BandSpan, str).
        numbers_drawn: channel numbers, likewise: list of (BandSpan, MHz, int).
        left_out: list of BandSpan in view for which there was no room.
    """

    def __init__(self, view: pg.ViewBox, theme: Theme, ticks: Callable[[float, float, float], Sequence[float]]):
        super().__init__()
        self._view, self._ticks = view, ticks
        self._proven: set[str] = set()
        self.theme = theme
        self._font = QtWidgets.QApplication.font()
        self._font.setPointSizeF(SMALLER * QtGui.QFontInfo(self._font).pointSizeF())
        self.lane_height = QtGui.QFontMetrics(self._font).height() + 2
        self.is_absolute = self.is_wanted = False
        self._lane_count = LANES
        self.texts_drawn: list[tuple[BandSpan, str]] = []
        self.numbers_drawn: list[tuple[BandSpan, float, int]] = []
        self.left_out: list[BandSpan] = []
        self._lanes: list[list[BandSpan]] = []
        self._set_height()
        view.sigXRangeChanged.connect(self._find)

    def show_bands(self, is_wanted: bool) -> None:
        """Whether the user wants it."""
        self.is_wanted = is_wanted
        self._set_height()

    def set_lanes(self, count: int) -> None:
        """How many rows of bars there are at most."""
        if count != self._lane_count:
            self._lane_count = count
            self._set_height()

    def set_absolute(self, is_absolute: bool) -> None:
        """Whether frequencies are absolute: only then bands are known."""
        if is_absolute != self.is_absolute:
            self.is_absolute = is_absolute
            self._set_height()

    def set_theme(self, theme: Theme) -> None:
        """Other colours."""
        self.theme = theme
        self.update()

    def add_proven(self, names: Iterable[str]) -> None:
        """A cell was decoded in these bands: they stand out."""
        if not self._proven.issuperset(names):
            self._proven.update(names)
            self._find()

    def clear(self) -> None:
        """No cell is known."""
        self._proven.clear()
        self._find()

    def paint(self, painter: QtGui.QPainter, *_: object) -> None:
        """Bars and names; Qt calls."""
        self.texts_drawn, self.numbers_drawn = [], []
        if not self.isVisible():
            return
        painter.setFont(self._font)
        area = self.rect()
        painter.setClipRect(area)
        if not any(self._lanes):
            painter.setPen(QtGui.QColor(self.theme.muted))
            painter.drawText(area, QtCore.Qt.AlignCenter, tr(NO_BAND))
        for number, lane in enumerate(self._lanes):
            for span in lane:
                self._paint_span(painter, span, self._place(span, number, area), area)
        if self.left_out:
            self._paint_rest(painter, area)

    def _paint_span(self, painter, span: BandSpan, rect, area) -> None:
        """A bar with its name in the middle of the part that is in view: a longer text where there is room."""
        stands_out = is_proven(span, self._proven)
        style = QtCore.Qt.DashLine if span.direction == UP else QtCore.Qt.SolidLine
        painter.setPen(QtGui.QPen(QtGui.QColor(self.theme.line if stands_out else self.theme.muted), 1, style))
        painter.setBrush(QtGui.QColor(self.theme.surface))
        painter.drawRect(rect)
        visible = rect.intersected(area)
        painter.setPen(QtGui.QColor(self.theme.muted if span.direction == UP else self.theme.text))
        metrics = painter.fontMetrics()
        texts = [span.full_text, span.text, span.names[0]]
        text = next((text for text in texts if metrics.horizontalAdvance(text) + 6 <= visible.width()), "")
        painter.drawText(visible, QtCore.Qt.AlignCenter, text)
        self.texts_drawn.append((span, text))
        self._paint_numbers(painter, span, visible, metrics.horizontalAdvance(text) if text else 0, area)

    def _paint_numbers(self, painter, span: BandSpan, visible, name_width: int, area) -> None:
        """Channel numbers below the texts of the axis, where there is room beside the name of the bar."""
        low, high = self._view.viewRange()[0]
        painter.setPen(QtGui.QColor(self.theme.muted))
        last, taken = None, visible.left() - APART / 2
        rest = self._rest_rect(painter, area)
        right = min(visible.right(), rest.left()) if visible.intersects(rest) else visible.right()
        for megahertz in self._ticks(low, high, area.width()):
            if not span.lower <= 1e6 * megahertz <= span.upper:
                continue
            number = span.channel_number(1e6 * megahertz)
            half = painter.fontMetrics().horizontalAdvance(str(number)) / 2
            place = area.left() + area.width() * (megahertz - low) / (high - low)
            is_in_bar = taken + APART <= place - half and place + half <= right - APART / 2
            is_beside_name = abs(place - visible.center().x()) >= half + name_width / 2 + APART
            if number != last and is_in_bar and is_beside_name:
                rect = QtCore.QRectF(place - half, visible.top(), 2 * half, visible.height())
                painter.drawText(rect, QtCore.Qt.AlignCenter | QtCore.Qt.TextDontClip, str(number))
                self.numbers_drawn.append((span, megahertz, number))
                taken = place + half
            last = number

    def _paint_rest(self, painter, area) -> None:
        """At the right end, how many more there are: the tooltip has them."""
        rect = self._rest_rect(painter, area)
        painter.fillRect(rect, QtGui.QColor(self.theme.background))
        painter.setPen(QtGui.QColor(self.theme.text))
        painter.drawText(rect, QtCore.Qt.AlignCenter, f"+{len(self.left_out)}")

    def _rest_rect(self, painter, area) -> QtCore.QRectF:
        """Where that stands, over the last lane; empty where there are no more."""
        width = painter.fontMetrics().horizontalAdvance(f"+{len(self.left_out)}") + 8 if self.left_out else 0
        return QtCore.QRectF(area.right() - width, area.bottom() - self.lane_height, width, self.lane_height)

    def _place(self, span: BandSpan, lane: int, area) -> QtCore.QRectF:
        """Bar in pixels; an end that is out of view lies beyond the strip's, so that no line is drawn there."""
        low, high = self._view.viewRange()[0]
        left, right = (
            area.left() + area.width() * min(max((edge / 1e6 - low) / (high - low), -1.0), 2.0)
            for edge in (span.lower, span.upper)
        )
        return QtCore.QRectF(left, area.top() + lane * self.lane_height + GAP, right - left, self.lane_height - GAP - 1)

    def _find(self, *_: object) -> None:
        """Which bands are in view."""
        if not self.isVisible():
            return
        low, high = self._view.viewRange()[0]
        found = spans_between(1e6 * low, 1e6 * high, self._proven)
        self._lanes, self.left_out = in_lanes(found, self._lane_count)
        lines = [f"{span.full_text}, {span.channel_numbers}" for span in found[:LIST_LENGTH]]
        self.setToolTip("\n".join([tr("3GPP bands in view:"), *lines]) if lines else tr(NO_BAND))
        self.update()

    def _set_height(self) -> None:
        is_shown = self.is_wanted and self.is_absolute
        self.setVisible(is_shown)
        height = self._lane_count * self.lane_height + GAP if is_shown else 0
        self.setMinimumHeight(height)
        self.setMaximumHeight(height)
        self.setSizePolicy(QtWidgets.QSizePolicy.Expanding, QtWidgets.QSizePolicy.Fixed)
        self._find()
