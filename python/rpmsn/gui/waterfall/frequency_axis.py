# SPDX-License-Identifier: GPL-3.0-or-later
"""Axis below the waterfall: MHz, all with as many decimals as the closest two need, at any frequency."""

import math

from ..qt import QtGui, QtWidgets, pg

FILLED = 0.8
"""Of the axis, by texts: where there would be more, pyqtgraph leaves out those of the finest ticks."""


class FrequencyAxis(pg.AxisItem):
    """Bottom axis, MHz."""

    def __init__(self) -> None:
        super().__init__("bottom")
        self._decimals = 0

    def tickValues(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, list[float]]]:
        """Spacings of major and minor ticks, and where these are; pyqtgraph asks."""
        levels = super().tickValues(minVal, maxVal, size)
        width = QtGui.QFontMetrics(QtWidgets.QApplication.font()).horizontalAdvance(f"{maxVal:.1f}")
        written = [spacing for spacing, _ in levels if width * (maxVal - minVal) / spacing <= FILLED * size]
        self._decimals = max(map(_decimals, written), default=0)
        return levels

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        """Texts of the ticks; pyqtgraph asks, and would round what is above 10 GHz."""
        return [f"{value:.{max(self._decimals, _decimals(spacing))}f}" for value in values]


def _decimals(spacing: float) -> int:
    """That tell frequencies apart which are so many MHz apart."""
    return max(0, math.ceil(-math.log10(spacing) - 1e-9))
