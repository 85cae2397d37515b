# SPDX-License-Identifier: GPL-3.0-or-later
"""Left axis of the waterfall: the clock next to its rows."""

import itertools
import math
from datetime import datetime, timezone

import numpy as np

from ..qt import QtGui, QtWidgets, pg
from ..translation import tr
from .history import Chunk, History

LINES_APART = 1.75
"""Lines of text between two times."""
MOST_DECIMALS = 2
"""Of a time of day; finer times have no hours and minutes, for which the axis would be too narrow."""
STEPS_TRIED = 3
"""Where round times are too close together, as those of a clock that gains, there are fewer."""
FIRST_YEAR_S = 366 * 86400
"""Times in the first year of the clock are none of a radio's."""


class TimeAxis(pg.AxisItem):
    """Left axis of the waterfall: the clock, right across breaks in time.

    Attributes:
        history: History whose rows stand next to the axis.
        zero: time that is 0 there, s since 1970; 0.0 for the time of day.
    """

    def __init__(self, history: History):
        super().__init__("left")
        self.history, self.zero = history, 0.0
        self._texts: dict[float, str] = {}
        text_height = QtGui.QFontMetrics(QtWidgets.QApplication.font()).height()
        self._spacing, self._margin = LINES_APART * text_height, text_height / 2

    def tickValues(self, minVal: float, maxVal: float, size: float) -> list[tuple[float | None, list[float]]]:
        """Round times where there are any, and where a break has none for long, the first time after it."""
        low, high = sorted((minVal, maxVal))
        self._texts = self._ticks(low, high, max(size, 1))
        return [(1.0, list(self._texts))]

    def tickStrings(self, values: list[float], scale: float, spacing: float | None) -> list[str]:
        """Texts of the ticks that `tickValues` chose; pyqtgraph asks."""
        return [self._texts.get(value, "") for value in values]

    def is_fine(self, low: float, high: float, size: float) -> bool:
        """Whether the ticks between two heights, so many pixels apart, are seconds of a minute."""
        return _decimals(self._step(low, high, size)) > MOST_DECIMALS

    def _step(self, low: float, high: float, size: float) -> float:
        return round_up_time(self._spacing * (high - low) / max(size, 1))

    def _ticks(self, low: float, high: float, size: float) -> dict[float, str]:
        """Height -> text, the newest first, none closer to another than a few lines."""
        step = self._step(low, high, size)
        for _ in range(STEPS_TRIED):
            ticks, is_even = self._ticks_of(step, low, high, size)
            if is_even:
                break
            step = round_up_time(1.01 * step)
        return ticks

    def _ticks_of(self, step: float, low: float, high: float, size: float) -> tuple[dict[float, str], bool]:
        """Ticks at round times, and whether none of these was left out between two that follow each other."""
        pixel = (high - low) / size
        ticks: dict[float, str] = {}
        last, last_time, is_even = math.inf, math.inf, True
        newest_first = self.history.between(low, high)[::-1]
        for chunk, older in itertools.zip_longest(newest_first, newest_first[1:]):
            found = _round_times(chunk, step, low, high, self.zero) + _skipped_time(older, chunk, step, self.zero)
            if not found and last - chunk.y0 > 2 * self._spacing * pixel and _jumps(older, chunk, step):
                time, decimals = chunk.start_time - self.zero, _decimals(step)
                text = _tick_text(time, decimals) if decimals > MOST_DECIMALS else format_time(time, 3)
                found = [(chunk.y0, text, math.inf)]
            for y, text, time in found:
                if not low + self._margin * pixel <= y <= high - self._margin * pixel:
                    continue
                if last - y >= self._spacing * pixel:
                    ticks[y] = text
                    last, last_time = y, time
                elif math.isclose(last_time - time, step, abs_tol=step / 10):
                    is_even = False
        return ticks, is_even


def _round_times(chunk: Chunk, step: float, low: float, high: float, zero: float) -> list:
    """Heights, texts and values of the round times in a chunk, between two heights, newest first."""
    edges, ends = (chunk.y0, chunk.y1), (chunk.start_time - zero, chunk.end_time - zero)
    first, last = np.interp((low, high), edges, ends)
    times = step * np.arange(math.ceil(first / step), math.floor(last / step) + 1)[::-1]
    heights = np.interp(times, ends, edges)
    return [(float(y), _tick_text(time, _decimals(step)), time) for y, time in zip(heights, times)]


def _skipped_time(older: Chunk | None, newer: Chunk, step: float, zero: float) -> list:
    """Height, text and value of the round time that the clock passes between two chunks, where it gains less than a
    step: the clock of a computer is set right again and again."""
    if older is None or not 0 < newer.start_time - older.end_time < step:
        return []
    time = step * math.ceil((older.end_time - zero) / step)
    return [(newer.y0, _tick_text(time, _decimals(step)), time)] if time < newer.start_time - zero else []


def _decimals(step: float) -> int:
    """Of seconds, so that times that are a step apart differ."""
    return max(0, math.ceil(-math.log10(step) - 1e-9))


def _tick_text(time: float, decimals: int) -> str:
    text = format_time(abs(time), decimals)
    return ("-" if time < 0 else "") + (text if decimals <= MOST_DECIMALS else text.rpartition(":")[2])


def _jumps(older: Chunk | None, newer: Chunk, step: float) -> bool:
    """Whether the clock jumps between two chunks by more than a step, or back."""
    return older is not None and not -newer.row_height < newer.start_time - older.end_time < step


def round_up_time(seconds: float) -> float:
    """The next round time span: 1, 2, 5 times a power of ten up to 1 s, then steps of a clock."""
    if seconds <= 1:
        power = 10.0 ** math.floor(math.log10(max(seconds, 1e-9)))
        return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= seconds * (1 - 1e-9))
    return next((span for span in (2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600) if span >= seconds), 7200)


def format_time(time: float, decimals: int) -> str:
    """hh:mm:ss.s, UTC, of a time in s since 1970, or of one from a beginning, which may be negative."""
    if time < 0:
        return f"-{format_time(-time, decimals)}"
    ticks = round(time * 10**decimals)
    clock = datetime.fromtimestamp(ticks // 10**decimals, timezone.utc).strftime("%H:%M:%S")
    return f"{clock}.{ticks % 10**decimals:0{decimals}d}" if decimals else clock


def is_since_start(time: float) -> bool:
    """Whether a time in s since 1970 can only count from a beginning."""
    return abs(time) < FIRST_YEAR_S


def format_day(time: float) -> str:
    """The day that clock times belong to: `UTC yyyy-mm-dd`, or that they count from a recording's beginning."""
    if is_since_start(time):
        return tr("Time from the start")
    return f"UTC {datetime.fromtimestamp(time, timezone.utc):%Y-%m-%d}"


def format_moment(time: float) -> str:
    """A time to the millisecond: `yyyy-mm-dd hh:mm:ss.sss UTC`, or `hh:mm:ss.sss from the start`."""
    if is_since_start(time):
        return tr("{time} from the start", time=format_time(time, 3))
    return f"{datetime.fromtimestamp(time, timezone.utc):%Y-%m-%d} {format_time(time, 3)} UTC"
