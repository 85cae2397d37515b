# SPDX-License-Identifier: GPL-3.0-or-later
"""Base of the layers of the picture: they paint in pixels of the screen, whatever the axes show."""

import logging

from ..qt import QtCore, QtGui, QtWidgets, pg
from ..theme import Theme

logger = logging.getLogger(__name__)


class PixelLayer(pg.GraphicsObject):
    """Fills its view and paints in pixels, so that texts and lines keep their size.

    Coordinates of the view are MHz and seconds of signal (`y` of `waterfall_history`).

    Attributes:
        theme: Theme.
    """

    def __init__(self, theme: Theme):
        super().__init__()
        self.theme = theme
        self.font = QtWidgets.QApplication.font()

    def boundingRect(self) -> QtCore.QRectF:
        """What is in view; Qt asks."""
        view = self.getViewBox()  # its rectangle; pyqtgraph's own viewRect() of an item lags behind
        return QtCore.QRectF() if view is None else view.viewRect()

    def viewTransformChanged(self) -> None:
        """Report to Qt that the view has moved; pyqtgraph calls."""
        super().viewTransformChanged()
        self.prepareGeometryChange()

    def paint(self, painter: QtGui.QPainter, *_: object) -> None:
        """Hand over to `paint_pixels`; Qt calls."""
        to_pixels = painter.transform()
        painter.save()
        painter.resetTransform()  # pixels as Qt counts them: on a screen of high resolution each is several
        painter.setFont(self.font)
        try:
            self.paint_pixels(painter, to_pixels, to_pixels.mapRect(self.boundingRect()))
        except Exception:  # as in `WaterfallWidget._on_timer`
            logger.exception("a layer of the waterfall could not be painted")
        painter.restore()

    def paint_pixels(self, painter: QtGui.QPainter, to_pixels: QtGui.QTransform, view: QtCore.QRectF) -> None:
        """Draw; `to_pixels` maps coordinates of the view to pixels, `view` is the QRectF of the view in pixels."""
        raise NotImplementedError

    def paint_text(self, painter: QtGui.QPainter, rect: QtCore.QRectF, text: str, stripe: str | QtGui.QColor) -> None:
        """A text on a background that keeps it readable, with a stripe in a colour at its left."""
        background = QtGui.QColor(self.theme.label_background)
        background.setAlpha(225)
        painter.setPen(QtCore.Qt.NoPen)
        painter.setBrush(background)
        painter.drawRoundedRect(rect, 3, 3)
        painter.setBrush(QtGui.QColor(stripe))
        painter.drawRoundedRect(QtCore.QRectF(rect.left() + 3, rect.top() + 3, 4, rect.height() - 6), 2, 2)
        painter.setPen(QtGui.QColor(self.theme.text))
        painter.drawText(rect.adjusted(10, 0, 0, 0), QtCore.Qt.AlignVCenter | QtCore.Qt.AlignLeft, text)


def text_width(metrics: QtGui.QFontMetrics, text: str) -> int:
    """Pixels that `paint_text` needs."""
    return metrics.horizontalAdvance(text) + 18
