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
        return [f"{value:.{max(self._decimals, _decimals(spacing))}f}" for value in values]


def _decimals(spacing: float) -> int:
    """That tell frequencies apart which are so many MHz apart."""
    return max(0, math.ceil(-math.log10(spacing) - 1e-9))
