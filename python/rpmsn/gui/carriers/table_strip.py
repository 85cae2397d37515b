# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws, in a cell of the carrier table, when a carrier was on the air."""

from ...classes import CLASS_COLORS
from ..qt import QtCore, QtGui, QtWidgets
from ..theme import THEMES, Theme
from .table_model import CARRIER_ROLE, FRACTIONS_ROLE

SMALLEST_BAR = 2
"""Pixels."""
GONE_ALPHA = 120


class StripDelegate(QtWidgets.QStyledItemDelegate):
    """A strip of bars, each as high as the fraction of its time on the air.

    Attributes:
        theme: colours.
    """

    theme: Theme = THEMES["dark"]

    def paint(self, painter: QtGui.QPainter, option: QtWidgets.QStyleOptionViewItem, index: QtCore.QModelIndex) -> None:
        """Qt asks for a cell to be drawn."""
        super().paint(painter, option, index)
        fractions, carrier = index.data(FRACTIONS_ROLE), index.data(CARRIER_ROLE)
        if fractions is None or not len(fractions):
            return
        box = option.rect.adjusted(4, 3, -4, -3)
        color = QtGui.QColor(*CLASS_COLORS.get(carrier.label, CLASS_COLORS["other"]))
        color.setAlpha(GONE_ALPHA if carrier.gone else 255)
        painter.save()
        painter.setPen(QtGui.QPen(QtGui.QColor(self.theme.muted), 0))
        painter.drawLine(box.bottomLeft(), box.bottomRight())
        # Edges are whole pixels: widths that are rounded one by one leave gaps.
        edges = [box.left() + round(place * box.width() / len(fractions)) for place in range(len(fractions) + 1)]
        for fraction, left, right in zip(fractions, edges, edges[1:]):
            if fraction > 0:  # not where it is NaN: nothing was analysed
                height = max(SMALLEST_BAR, round(float(fraction) * box.height()))
                painter.fillRect(left, box.bottom() - height, right - left, height, color)
        painter.restore()
