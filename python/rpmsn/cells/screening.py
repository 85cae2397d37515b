# SPDX-License-Identifier: GPL-3.0-or-later
"""Where in a wide span synchronisation signals may be: all of it in one pass, before a search looks into places.

A PSS shows in the phases from one subcarrier to the next, which do not depend on when exactly its symbol begins: four
FFTs a symbol see every subcarrier of the span as the middle of one. What comes again after a period is summed: the
phases themselves of what comes in each, since they stay the same, and the power of what may not come.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np
import scipy.fft
import scipy.special

from ..standards.sequences import lte_pss, nr_pss
from .threads import each

HOPS = 4
"""FFTs in a symbol's length: one of them holds 7/8 of a PSS or more."""
AT_ONCE = 1 << 16
"""Values of the FFTs done at a time, 0.5 MB: they stay in the processor's second cache."""
FALSE_PLACES = 1e-8
"""Probability that noise comes so far at one time and frequency. 61.44 MHz have 1e7 of them: one in ten is in vain."""
OWN = 0.2
"""A sequence beside itself has less than this fraction of its height."""
LTE_PERIOD_S, NR_PERIOD_S = 0.005, 0.02
SCREEN_S, SCREEN_SAMPLES = 0.2, 6_200_000
"""Of what is searched so much is screened at most: a clock that errs by 50 ppm is 10 us off after 0.2 s, which is less
than a hop; the samples are 0.1 s of 61.44 Msps, some 5 s of a core for each kind of signal."""


@dataclass(frozen=True, slots=True)
class Sequence3:
    """The three PSS of a technology, as a screen sees them.

    Attributes:
        spacing: between subcarriers, Hz.
        period_s: in which they come again.
        values: complex (3, n), of subcarriers in a row; 0 where none is sent.
        apart_hz: places that are closer than this are one.
        is_always_sent: whether it comes in each period; what adds up then, are the steps, and not their correlations.
    """

    spacing: float
    period_s: float
    values: np.ndarray
    apart_hz: float
    is_always_sent: bool


@dataclass(frozen=True, slots=True)
class Place:
    """A place that stands out.

    Attributes:
        frequency: of the sequence's middle, Hz from the samples' centre.
        height: correlation over what noise gives.
        begin_s, end_s: when in the period it begins, seconds from the first sample.
    """

    frequency: float
    height: float
    begin_s: float
    end_s: float


def lte_sequences() -> Sequence3:
    """LTE's PSS: TS 36.211 6.11.1."""
    values = np.zeros((3, 63), complex)
    # Subcarrier 0 is not sent.
    values[:, np.r_[0:31, 32:63]] = [lte_pss(sector) for sector in range(3)]
    return Sequence3(15e3, LTE_PERIOD_S, values, 0.95e6, is_always_sent=True)


def nr_sequences(spacing: float) -> Sequence3:
    """NR's PSS: TS 38.211 7.4.2.2; its middle is that of the SS/PBCH block."""
    # Subcarriers 56..182 of a block whose centre is subcarrier 120: -64..62.
    values = np.zeros((3, 129), complex)
    values[:, :127] = [nr_pss(sector) for sector in range(3)]
    return Sequence3(spacing, NR_PERIOD_S, values, 60 * spacing, is_always_sent=False)


def screened_part(samples: np.ndarray, sample_rate: float) -> np.ndarray:
    """As much of the beginning of samples as is worth a screen."""
    return samples[: min(round(SCREEN_S * sample_rate), SCREEN_SAMPLES)]


def screen(
    samples: np.ndarray,
    sample_rate: float,
    sequences: Sequence3,
    allowed: Callable[[np.ndarray], np.ndarray] | None = None,
    most: int = 24,
    false_places: float = FALSE_PLACES,
) -> list[Place]:
    """Places where a PSS may be, the highest first.

    Args:
        samples: complex64, finite, shape (n,); of more than one period the sum is taken.
        sample_rate: Hz.
        sequences: what is looked for.
        allowed: which of some frequencies (Hz from the centre) are looked at; None: all.
        most: places at most.
        false_places: probability that noise comes so far at one time and frequency.
    """
    grid = _Grid(sample_rate, sequences, allowed)
    if not len(grid.columns) or len(samples) < grid.size:
        return []
    heights, times = grid.heights(samples, false_places)
    return _highest(heights, times, grid, most)


class _Grid:
    """Frequencies and times at which a screen looks."""

    def __init__(self, sample_rate, sequences, allowed):
        self.sequences, self.rate = sequences, sample_rate
        self.size = round(sample_rate / sequences.spacing)
        self.width = sequences.values.shape[1]
        self.hops = round(HOPS * sequences.period_s * sequences.spacing)
        self.times_at_once = max(1, AT_ONCE // self.size)
        self.n_bins = max(0, self.size - self.width + 1)
        middle = np.arange(self.n_bins) + self.width // 2 - self.size // 2
        self.frequencies = (middle + np.array([[0.0], [0.5]])) * sample_rate / self.size
        is_allowed = np.ones(self.frequencies.shape, bool) if allowed is None else allowed(self.frequencies)
        self.columns = np.flatnonzero(is_allowed)

    def heights(self, samples, false_places):
        """Of each column, the highest correlation at any time, float32, 0 where noise alone may come as far; and at or
        after which of the times of a period that is, to `times_at_once`."""
        n_times = (len(samples) - self.size) * HOPS // self.size + 1
        starts = np.round(np.arange(n_times) * self.rate * self.sequences.period_s / self.hops).astype(int)
        starts = starts[starts + self.size <= len(samples)]
        windows = np.lib.stride_tricks.sliding_window_view(samples, self.size)
        halves = np.unique(self.columns // self.n_bins)
        firsts = range(0, min(self.hops, len(starts)), self.times_at_once)
        some_times = [
            (
                half,
                [starts[time : min(time + self.times_at_once, end)] for time, end in self._periods(first, len(starts))],
            )
            for half, first in product(halves, firsts)
        ]
        references = self._references(scipy.fft.next_fast_len(self.size))
        highest, times = np.zeros((2, self.n_bins), np.float32), np.zeros((2, self.n_bins), int)
        work = partial(self._highest_at, windows, references, false_places)
        for (half, first), found in zip(product(halves, firsts), each(work, some_times)):
            times[half, found > highest[half]] = first
            np.maximum(highest[half], found, out=highest[half])
        return highest.ravel()[self.columns], times.ravel()[self.columns]

    def _periods(self, first, count):
        """The same time in each period: its number, and that of the period's end."""
        for start in range(0, count - first, self.hops):
            yield start + first, min(start + self.hops, count)

    def _highest_at(self, windows, references, false_places, half_and_starts):
        """`heights` of all bins of one half at some times, whose starts are those in each period."""
        half, periods = half_and_starts
        # Turned so far, the lowest frequency comes first.
        cycles = np.arange(self.size) * (self.size // 2 - half / 2) / self.size
        turn = np.exp(2j * np.pi * cycles).astype(np.complex64)
        shape = len(periods[0]), references.shape[1]
        sums, counts = np.zeros((3, shape[0], self.n_bins), np.float32), np.zeros(shape[0], int)
        steps, products = np.zeros(shape, np.complex64), np.empty(shape, np.complex64)
        powers = np.empty(shape, np.float32)
        for number, starts in enumerate(periods, start=1):
            rows = len(starts)
            self._add_steps(windows[starts], turn, steps[:rows])
            counts[:rows] += 1
            if self.sequences.is_always_sent and number < len(periods):
                continue
            transformed = scipy.fft.fft(steps, axis=1)
            for total, reference in zip(sums, references):
                np.multiply(transformed, reference, out=products)
                found = np.abs(scipy.fft.ifft(products, axis=1, overwrite_x=True), out=powers)[:rows, : self.n_bins]
                total[:rows] += np.square(found, out=found)
            steps[:] = 0
        heights = np.zeros(self.n_bins, np.float32)
        for count in np.unique(counts):
            limit = scipy.special.gammainccinv(count, false_places) / count
            if self.sequences.is_always_sent:
                # What other cells repeat adds up as well as a PSS: one as strong is let through as by its power.
                limit = count * (limit - 1) + 1
            best = sums[:, counts == count].max(axis=(0, 1)) / count
            np.maximum(heights, np.where(best > limit, best, 0), out=heights)
        return heights

    def _references(self, length):
        """Conjugate spectra of the steps between subcarriers, complex64 (3, length): noise gives a power of 1."""
        values = self.sequences.values
        steps = values[:, 1:] * np.conj(values[:, :-1])
        steps /= np.sqrt(np.count_nonzero(steps[0]))
        return np.conj(scipy.fft.fft(steps, length, axis=1)).astype(np.complex64)

    def _add_steps(self, windows, turn, steps):
        """Add the unit steps from bin to bin, along the frequency, to some; the windows are overwritten."""
        windows *= turn
        spectra = scipy.fft.fft(windows, axis=1, overwrite_x=True)
        magnitudes = np.abs(spectra)
        spectra *= np.reciprocal(np.maximum(magnitudes, np.float32(1e-15), out=magnitudes), out=magnitudes)
        products = np.conj(spectra[:, :-1])
        products *= spectra[:, 1:]
        steps[:, : self.size - 1] += products


def _highest(heights, times, grid, most):
    """The highest places, each apart from the others."""
    frequencies = grid.frequencies.ravel()[grid.columns]
    hop_s = grid.sequences.period_s / grid.hops
    places: list[Place] = []
    while len(places) < most and heights.any():
        index = int(np.argmax(heights))
        begin = times[index]
        end = begin + grid.times_at_once
        places.append(Place(float(frequencies[index]), float(heights[index]), begin * hop_s, end * hop_s))
        distance = np.abs(frequencies - frequencies[index])
        is_own = (distance < grid.width * grid.sequences.spacing) & (heights < OWN * heights[index])
        heights[is_own | (distance < grid.sequences.apart_hz)] = 0
    return places
