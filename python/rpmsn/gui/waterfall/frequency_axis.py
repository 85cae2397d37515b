# SPDX-License-Identifier: GPL-3.0-or-later
"""Axis below the waterfall: MHz, all with as many decimals as the closest two need, at any frequency; its unit stands
at its left, where it takes no line of its own."""

import math

from ..qt import QtCore, QtGui, QtWidgets, pg

FILLED = 0.8
"""Of the axis, by texts: where there would be more, pyqtgraph leaves out those of the finest ticks."""


class FrequencyAxis(pg.AxisItem):
    """Bottom axis, MHz.

    Attributes:
        is_known: whether there is something that has frequencies; before, the axis has no numbers.
    """

    def __init__(self) -> None:
        super().__init__("bottom")
        self.is_known = False
        self._decimals = 0

    def set_known(self, is_known: bool) -> None:
        """Whether it has numbers."""
        if is_known != self.is_known:
            self.is_known = is_known
            self.picture = None
            self.update()

    def tickValues(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, list[float]]]:
        """Spacings of major and minor ticks, and where these are; pyqtgraph asks."""
        levels = super().tickValues(minVal, maxVal, size)
        written = self._written(levels, maxVal, (maxVal - minVal) / size)
        self._decimals = max((_decimals(spacing) for spacing, _ in written), default=0)
        return levels

    def texts_at(self, low: float, high: float, size: float) -> list[float]:
        """MHz of the ticks that have texts, of an axis from `low` to `high` that is `size` pixels long, ascending."""
        levels = self._written(super().tickValues(low, high, size), high, (high - low) / size)
        return sorted(place for _, places in levels for place in places)

    @staticmethod
    def _written(
        levels: list[tuple[float, list[float]]], highest: float, per_pixel: float
    ) -> list[tuple[float, list[float]]]:
        """The ticks that have texts: those for which there is room."""
        width = QtGui.QFontMetrics(QtWidgets.QApplication.font()).horizontalAdvance(f"{highest:.1f}")
        return [level for level in levels if width * per_pixel / level[0] <= FILLED]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        """Texts of the ticks; pyqtgraph asks, and would round what is above 10 GHz."""
        if not self.is_known:
            return [" "] * len(values)  # of the height of numbers
        return [f"{value:.{max(self._decimals, _decimals(spacing))}f}" for value in values]


class UnitLabel(pg.GraphicsWidget):
    """What an axis counts, beside the axis, at the height of its numbers.

    Args:
        axis: whose colour of texts it has.

    Attributes:
        text: what is written; the tooltip has it in full.
    """

    MARGIN = 8
    """Pixels to the axis."""

    def __init__(self, axis: pg.AxisItem) -> None:
        super().__init__()
        self._axis, self.text = axis, ""
        self.setSizePolicy(QtWidgets.QSizePolicy.Ignored, QtWidgets.QSizePolicy.Ignored)

    def set_text(self, text: str, full_text: str) -> None:
        """Write this."""
        if (text, full_text) != (self.text, self.toolTip()):
            self.text = text
            self.setToolTip(full_text)
            self.update()

    def paint(self, painter: QtGui.QPainter, *_: object) -> None:
        """Qt calls."""
        painter.setPen(self._axis.textPen())
        area = self.rect().adjusted(0, self._axis.style["tickTextOffset"][1], -self.MARGIN, 0)
        painter.drawText(area, QtCore.Qt.AlignRight | QtCore.Qt.AlignTop, self.text)


def _decimals(spacing: float) -> int:
    """That tell frequencies apart which are so many MHz apart."""
    return max(0, math.ceil(-math.log10(spacing) - 1e-9))
