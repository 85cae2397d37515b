# SPDX-License-Identifier: GPL-3.0-or-later
"""A pair of cursors in the waterfall that measure what lies between them."""

import math

from ..qt import QtCore, QtGui, QtWidgets, pg
from ..theme import Theme
from ..translation import tr
from .history import History, format_seconds
from .levels import DBM, LevelUnit

SIZE = 14
PLACES = (0.35, 0.65)
"""Of the view: where the cursors are put at first."""


class CursorPair(QtCore.QObject):
    """Two cursors, A and B, that can be dragged, and the rectangle between them.

    Attributes:
        cursors: the two pyqtgraph.TargetItem.
    """

    moved = QtCore.pyqtSignal()
    """A cursor is somewhere else."""

    def __init__(self, plot: pg.PlotItem):
        super().__init__()
        self._view = plot.getViewBox()
        self._area = QtWidgets.QGraphicsRectItem()
        self._area.setZValue(18)
        self.cursors = [
            pg.TargetItem(movable=True, size=SIZE, symbol="crosshair", label=name, labelOpts={"offset": (10, -10)})
            for name in "AB"
        ]
        plot.addItem(self._area, ignoreBounds=True)
        for cursor in self.cursors:
            cursor.setZValue(20)
            plot.addItem(cursor, ignoreBounds=True)
            cursor.sigPositionChanged.connect(self._on_moved)
        self.set_visible(False)

    @property
    def is_visible(self) -> bool:
        """Whether the cursors are there."""
        return self._area.isVisible()

    def set_visible(self, is_visible: bool) -> None:
        """Show the cursors, in the middle of what is in view, or take them away."""
        if is_visible:
            view = self._view.viewRect()
            for cursor, fraction in zip(self.cursors, PLACES):
                cursor.setPos(view.left() + fraction * view.width(), view.top() + (1 - fraction) * view.height())
        for item in (self._area, *self.cursors):
            item.setVisible(is_visible)

    def set_theme(self, theme: Theme) -> None:
        """Other colours."""
        for cursor in self.cursors:
            cursor.setPen(pg.mkPen(theme.text, width=2))
            cursor.setHoverPen(pg.mkPen(theme.line, width=3))
            cursor.label().setColor(theme.text)
            cursor.label().fill = pg.mkBrush(theme.label_background)
        self._area.setPen(pg.mkPen(theme.text, width=1, style=QtCore.Qt.DashLine))
        fill = QtGui.QColor(theme.line)
        fill.setAlpha(40)
        self._area.setBrush(fill)

    def text(self, history: History, unit: LevelUnit) -> str:
        """What lies between the cursors: distances in frequency and time, and power."""
        (x0, y0), (x1, y1) = sorted((cursor.pos().x(), cursor.pos().y()) for cursor in self.cursors)
        span = abs(history.time_of_y(y1) - history.time_of_y(y0))
        found = history.power_between((x0 * 1e6, x1 * 1e6), tuple(sorted((y0, y1))))
        distances = tr("A to B: {width}, {time}", width=format_hertz((x1 - x0) * 1e6), time=format_seconds(span))
        if found is None:
            return f"{distances}, {tr('no pixel between')}"
        full_scale, over_noise = found
        power = "" if math.isnan(full_scale) else f"{full_scale:.1f} dBFS, "
        if power and unit.name == DBM and unit.offset is not None:
            power = f"{full_scale + unit.offset:.1f} dBm, "
        return f"{distances}, {power}" + tr("{power} dB over the noise there", power=f"{over_noise:.1f}")

    def _on_moved(self, *_) -> None:
        """Fit the rectangle between the cursors."""
        first, second = (QtCore.QPointF(cursor.pos().x(), cursor.pos().y()) for cursor in self.cursors)
        self._area.setRect(QtCore.QRectF(first, second).normalized())
        self.moved.emit()


def format_hertz(hertz: float) -> str:
    """A difference of frequencies with its unit."""
    for unit, size in (("MHz", 1e6), ("kHz", 1e3)):
        if hertz >= size:
            return f"{hertz / size:.4g} {unit}"
    return f"{hertz:.3g} Hz"
