# SPDX-License-Identifier: GPL-3.0-or-later
"""Left axis of the waterfall: the clock beside its rows."""
import math
from datetime import datetime, timezone

import numpy as np

from .waterfall_history import History
from .waterfall_qt import pg

MIN_SPACING = 46
"""Pixels between two times."""


class TimeAxis(pg.AxisItem):
    """Left axis of the waterfall: the clock, right across breaks in time."""

    def __init__(self, history: History):
        super().__init__("left")
        self.history = history
        self._texts: dict[float, str] = {}

    def tickValues(self, minVal, maxVal, size):
        """Round times where time runs on, otherwise the exact first time of a frame."""
        rows = max(minVal, maxVal)  # of an inverted view the ends come swapped
        is_even = not (self.history.has_gaps or self._goes_back())
        self._texts = self._round_times(rows, size) if is_even else self._frame_times(rows, size)
        return [(1.0, list(self._texts))]

    def tickStrings(self, values, scale, spacing):
        """Texts of the ticks that `tickValues` chose; pyqtgraph asks."""
        return [self._texts.get(value, "") for value in values]

    def _goes_back(self) -> bool:
        """Whether the clock jumps back somewhere in the picture: a recording that is repeated."""
        newest_first = list(self.history.strips)
        return any(newer.start_time < older.start_time for newer, older in zip(newest_first, newest_first[1:]))

    def _round_times(self, rows: float, size: float) -> dict[float, str]:
        """y -> text, at multiples of 1, 2 or 5 times a power of ten seconds."""
        strips = self.history.strips
        if not strips:
            return {}
        newest, oldest = strips[0].end_time, self.history.time_of_y(rows)
        filled = max(self.history.filled_rows / rows * size, 1.0)
        step = round_up_125((newest - oldest) * MIN_SPACING / filled)
        decimals = max(1, math.ceil(-math.log10(step) - 1e-9))
        times = step * np.arange(math.ceil(oldest / step), math.floor(newest / step) + 1)
        ticks = {self.history.y_of_time(time): self._format(time, decimals) for time in times}
        return {y: text for y, text in ticks.items() if self._is_inside(y, rows, size)}

    def _frame_times(self, rows: float, size: float) -> dict[float, str]:
        """y -> text, at the first rows of frames that are far enough apart."""
        ticks, last, y = {}, -math.inf, 0
        for strip in self.history.strips:
            y += strip.rows
            if (y - last) * size / rows >= MIN_SPACING and self._is_inside(y, rows, size):
                ticks[float(y)] = self._format(strip.start_time, decimals=3)
                last = y
            y += strip.gap_rows
        return ticks

    @staticmethod
    def _is_inside(y: float, rows: float, size: float) -> bool:
        """Whether a text at a row fits into the length of the axis."""
        margin = 8 * rows / max(size, 1)
        return margin <= y <= rows - margin

    def _format(self, time: float, decimals: int) -> str:
        newest = self.history.newest
        return format_time(time, newest is not None and newest.is_utc, decimals)


def round_up_125(value: float) -> float:
    """The next of 1, 2, 5, 10, 20, ... (and 0.1, 0.2, ...) that is not smaller."""
    power = 10.0 ** math.floor(math.log10(max(value, 1e-9)))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= value * (1 - 1e-9))


def format_time(time: float, is_utc: bool, decimals: int) -> str:
    """hh:mm:ss.s of a time since 1970, or plain seconds."""
    if not is_utc:
        return f"{time:.{decimals}f}"
    ticks = round(time * 10 ** decimals)
    clock = datetime.fromtimestamp(ticks // 10 ** decimals, timezone.utc).strftime("%H:%M:%S")
    return f"{clock}.{ticks % 10 ** decimals:0{decimals}d}"
