# SPDX-License-Identifier: GPL-3.0-or-later
"""Spectra of a part of a recording, as fine as a picture of it asks for.

Fewer and longer windows where a narrow band is looked at, more and shorter ones where a short time is.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from .sums import hann

SHORTEST, LONGEST = 256, 1 << 16
"""Samples in a window."""
MOST_WINDOWS = 8
"""Windows that are averaged in a row that is longer than one."""
BUDGET = 1 << 23
"""Samples that are transformed for one picture, about: less than half a second of one core."""
ROWS_AT_A_TIME = 16
LEAST_COVERAGE = 0.2
"""Where less of the time is transformed, short bursts would show at random."""


@dataclass(frozen=True)
class Plan:
    """How a part is transformed.

    Attributes:
        window: samples in a window.
        windows: how many are averaged in a row.
        step: pixels of the height that a row covers.
    """

    window: int
    windows: int
    step: int

    def covers(self, row_samples: float) -> bool:
        """Whether enough of the time is transformed to show short bursts, with so many samples from row to row."""
        return self.window * self.windows >= LEAST_COVERAGE * self.step * row_samples


def window_weights(length: int) -> NDArray[np.float32]:
    """A Hann window by which white noise keeps its power in the square of its spectrum."""
    weights = hann(length).astype(np.float32)
    return weights / np.float32(math.sqrt(float(np.square(weights).sum())))


def mean_power(windows: NDArray[np.complex64], weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean squared spectrum of windows of samples, shape (windows, length), the lowest frequency first; float32."""
    spectrum = fft.fft(windows * weights, axis=1, overwrite_x=True)
    return fft.fftshift((np.square(spectrum.real) + np.square(spectrum.imag)).mean(axis=0))


def plan(span: float, columns: int, rows: int, row_samples: float, sample_rate: float) -> Plan:
    """The windows for a picture.

    Args:
        span: Hz that `columns` pixels show.
        columns, rows: pixels.
        row_samples: samples from one row of pixels to the next.
        sample_rate: Hz.
    """
    wanted = sample_rate * columns / max(span, 1e-9)
    window = min(max(SHORTEST, 1 << math.ceil(math.log2(wanted))), LONGEST)
    # Windows that overlap by more than three quarters would say the same twice.
    step = max(1, math.ceil(window / 4 / max(row_samples, 1e-9)))
    windows = int(min(max(1.0, step * row_samples / window), MOST_WINDOWS, max(1.0, BUDGET * step / rows / window)))
    return Plan(window, windows, max(step, math.ceil(rows * window * windows / BUDGET)))


def spectra(
    read: Callable[[int, int], NDArray[np.complex64]],
    middles: NDArray[np.int64],
    offsets: NDArray[np.float64],
    chosen: Plan,
    sample_rate: float,
    is_wanted: Callable[[], bool] = lambda: True,
) -> NDArray[np.float32] | None:
    """Power around some samples, in the bands between some frequencies.

    Args:
        read: function, (first sample, count) -> complex64; fewer at the end of the recording.
        middles: sample in the middle of each row; below 0 where there is none.
        offsets: edges of the columns, Hz from the centre frequency, ascending; one more than there are columns.
        chosen: Plan; its `step` is that of `middles` already.
        sample_rate: Hz.
        is_wanted: asked now and then; False ends it.

    Returns:
        float32, shape (rows, columns): mean power over full scale as if all of the sample rate were like the column;
        NaN where there is no sample, or no such frequency. None where it was not wanted any more.
    """
    weights = window_weights(chosen.window)
    edges = offsets / sample_rate * chosen.window + chosen.window / 2 + 0.5
    first = np.clip(np.floor(edges[:-1]).astype(int), 0, chosen.window - 1)
    counts = np.maximum(1, np.minimum(np.floor(edges[1:]).astype(int), chosen.window) - first)
    is_there = (edges[1:] > 0) & (edges[:-1] < chosen.window)
    power = np.full((len(middles), len(first)), np.nan, np.float32)
    length = chosen.window * chosen.windows
    for row, middle in enumerate(middles):
        if row % ROWS_AT_A_TIME == 0 and not is_wanted():
            return None
        begin = int(middle) - length // 2
        samples = read(max(0, begin), length) if middle >= 0 else np.empty(0, np.complex64)
        usable = samples[: len(samples) // chosen.window * chosen.window]
        if not len(usable) and len(samples) >= chosen.window // 8:
            usable = np.concatenate([samples, np.zeros(chosen.window - len(samples), np.complex64)])
        if len(usable):
            with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is shown as such
                bins = mean_power(usable.reshape(-1, chosen.window), weights)
                sums = np.concatenate([[0.0], np.cumsum(bins, dtype=np.float64)])
                power[row, is_there] = ((sums[first + counts] - sums[first]) / counts)[is_there]
    return power
