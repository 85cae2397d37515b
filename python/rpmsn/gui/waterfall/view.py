# SPDX-License-Identifier: GPL-3.0-or-later
"""What mouse wheel and dragging do in the waterfall."""

from typing import Any

from ..qt import QtCore, pg

ZOOM_STEP = 0.8
SCROLL_STEP = 0.15
"""Of what is in view: the part that one click of the wheel keeps, and the part that it scrolls."""
SMALLEST_COLUMNS = 8
SMALLEST_SECONDS = 0.002
SMALLEST_SPAN, SMALLEST_CLOSER = 1e3, 1e-5
"""Hz and s that can be looked at where there are finer spectra than those of the rows."""


class WaterfallView(pg.ViewBox):
    """Wheel: zoom in frequency. Ctrl and wheel: zoom in time. Shift and wheel: scroll in time. Drag: pan both.
    Shift and drag: mark a part.

    Over an axis the wheel zooms that axis.
    """

    marked = QtCore.pyqtSignal(QtCore.QRectF)
    """The part that a drag with Shift covers so far."""

    def __init__(self):
        super().__init__(enableMenu=False)
        self.setMouseMode(self.PanMode)

    def wheelEvent(self, event: Any, axis: int | None = None) -> None:
        """Zoom about the mouse, or scroll; Qt calls, and so do the axes, which say which one they are."""
        event.accept()
        clicks = event.delta() / 120
        keys = event.modifiers()
        if axis is None and keys & QtCore.Qt.ShiftModifier:
            self.translateBy(y=-clicks * SCROLL_STEP * self.viewRect().height() * (1 if self.yInverted() else -1))
        else:
            in_time = axis == self.YAxis or axis is None and bool(keys & QtCore.Qt.ControlModifier)
            center = self.mapSceneToView(event.scenePos())
            factor = ZOOM_STEP**clicks
            self.scaleBy(x=None if in_time else factor, y=factor if in_time else None, center=center)
        self.sigRangeChangedManually.emit(self.mouseEnabled())

    def mouseDragEvent(self, event: Any, axis: int | None = None) -> None:
        """Pan with the left button, or mark a part; other buttons do nothing."""
        if event.button() == QtCore.Qt.LeftButton and axis is None and event.modifiers() & QtCore.Qt.ShiftModifier:
            event.accept()
            corners = [self.mapToView(place) for place in (event.buttonDownPos(), event.pos())]
            self.marked.emit(QtCore.QRectF(*corners).normalized())
        elif event.button() == QtCore.Qt.LeftButton:
            super().mouseDragEvent(event, axis)
        else:
            event.ignore()
