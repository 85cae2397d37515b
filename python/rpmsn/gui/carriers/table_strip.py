# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws, in a cell of the carrier table, when a carrier was on the air."""

from ...classes import CLASS_COLORS
from ..qt import QtGui, QtWidgets
from ..theme import THEMES
from .table_model import CARRIER_ROLE, SHARES_ROLE

SMALLEST_BAR = 2
"""Pixels."""
GONE_ALPHA = 120


class StripDelegate(QtWidgets.QStyledItemDelegate):
    """A strip of bars, each as high as the fraction of its time on the air.

    Attributes:
        theme: Theme of `waterfall_theme`.
    """

    theme = THEMES["dark"]

    def paint(self, painter, option, index):
        """Qt asks for a cell to be drawn."""
        super().paint(painter, option, index)
        shares, carrier = index.data(SHARES_ROLE), index.data(CARRIER_ROLE)
        if shares is None or not len(shares):
            return
        box = option.rect.adjusted(4, 3, -4, -3)
        color = QtGui.QColor(*CLASS_COLORS.get(carrier.label, CLASS_COLORS["other"]))
        color.setAlpha(GONE_ALPHA if carrier.gone else 255)
        painter.save()
        painter.setPen(QtGui.QPen(QtGui.QColor(self.theme.muted), 0))
        painter.drawLine(box.bottomLeft(), box.bottomRight())
        # Edges are whole pixels: widths that are rounded one by one leave gaps.
        edges = [box.left() + round(place * box.width() / len(shares)) for place in range(len(shares) + 1)]
        for share, left, right in zip(shares, edges, edges[1:]):
            if share > 0:  # not where it is NaN: nobody looked
                height = max(SMALLEST_BAR, round(float(share) * box.height()))
                painter.fillRect(left, box.bottom() - height, right - left, height, color)
        painter.restore()
