# SPDX-License-Identifier: GPL-3.0-or-later
"""A part of the picture that the user has marked: Shift and drag."""

from ..qt import QtCore, QtGui, QtWidgets, pg
from ..theme import Theme

SMALLEST_PIXELS = 4
FILL_ALPHA = 40


class Selection(QtCore.QObject):
    """A rectangle in frequency and time.

    Args:
        plot: of the waterfall.

    Attributes:
        area: QRectF in MHz and s of signal; None where nothing is marked.
    """

    changed = QtCore.pyqtSignal()
    """Another part, or none, is marked."""

    def __init__(self, plot: pg.PlotItem):
        super().__init__()
        self.area: QtCore.QRectF | None = None
        self._view = plot.getViewBox()
        self._item = QtWidgets.QGraphicsRectItem()
        self._item.setZValue(17)
        plot.addItem(self._item, ignoreBounds=True)
        self._item.hide()
        self._view.marked.connect(self._on_marked)

    @property
    def frequencies(self) -> tuple[float, float]:
        """Edges, Hz; only where something is marked."""
        assert self.area is not None
        return 1e6 * self.area.left(), 1e6 * self.area.right()

    @property
    def heights(self) -> tuple[float, float]:
        """Older and newer edge, s of signal; only where something is marked."""
        assert self.area is not None
        return self.area.top(), self.area.bottom()

    def contains(self, frequency: float, y: float) -> bool:
        """Whether a place (Hz, s of signal) is marked."""
        return self.area is not None and self.area.contains(frequency / 1e6, y)

    def clear(self) -> None:
        """Mark nothing."""
        self._set(None)

    def set_theme(self, theme: Theme) -> None:
        """Other colours."""
        pen = pg.mkPen(theme.line, width=2)
        fill = QtGui.QColor(theme.line)
        fill.setAlpha(FILL_ALPHA)
        self._item.setPen(pen)
        self._item.setBrush(fill)

    def _on_marked(self, area: QtCore.QRectF) -> None:
        """A drag goes on, or is over."""
        width, height = self._view.viewPixelSize()
        is_large = area.width() >= SMALLEST_PIXELS * width and area.height() >= SMALLEST_PIXELS * height
        self._set(area if is_large else None)

    def _set(self, area: QtCore.QRectF | None) -> None:
        self.area = area
        self._item.setVisible(area is not None)
        if area is not None:
            self._item.setRect(area)
        self.changed.emit()
