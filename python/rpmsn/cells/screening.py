# SPDX-License-Identifier: GPL-3.0-or-later
"""Where in a wide span synchronisation signals may be: all of it in one pass, before a search looks into places.

A PSS shows in the phases from one subcarrier to the next, which do not depend on when exactly its symbol begins: four
FFTs a symbol see every subcarrier of the span as the middle of one. What comes again after a period is summed.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.fft
import scipy.special

from ..standards.sequences import lte_pss, nr_pss

HOPS = 4
"""FFTs in a symbol's length: one of them holds 7/8 of a PSS or more."""
ROWS = 64
"""FFTs done at a time: their values stay in the processor's cache."""
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
    """

    spacing: float
    period_s: float
    values: np.ndarray
    apart_hz: float


@dataclass(frozen=True, slots=True)
class Place:
    """A place that stands out.

    Attributes:
        frequency: of the sequence's middle, Hz from the samples' centre.
        height: correlation over what noise gives.
    """

    frequency: float
    height: float


def lte_sequences() -> Sequence3:
    """LTE's PSS: TS 36.211 6.11.1."""
    values = np.zeros((3, 63), complex)
    # Subcarrier 0 is not sent.
    values[:, np.r_[0:31, 32:63]] = [lte_pss(sector) for sector in range(3)]
    return Sequence3(15e3, LTE_PERIOD_S, values, 0.95e6)


def nr_sequences(spacing: float) -> Sequence3:
    """NR's PSS: TS 38.211 7.4.2.2; its middle is that of the SS/PBCH block."""
    # Subcarriers 56..182 of a block whose centre is subcarrier 120: -64..62.
    values = np.zeros((3, 129), complex)
    values[:, :127] = [nr_pss(sector) for sector in range(3)]
    return Sequence3(spacing, NR_PERIOD_S, values, 60 * spacing)


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
    sums, counts = grid.correlate(samples)
    return _highest(sums, counts, grid, most, false_places)


class _Grid:
    """Frequencies and times at which a screen looks."""

    def __init__(self, sample_rate, sequences, allowed):
        self.sequences, self.rate = sequences, sample_rate
        self.size = round(sample_rate / sequences.spacing)
        self.width = sequences.values.shape[1]
        self.hops = round(HOPS * sequences.period_s * sequences.spacing)
        self.n_bins = max(0, self.size - self.width + 1)
        middle = np.arange(self.n_bins) + self.width // 2 - self.size // 2
        self.frequencies = (middle + np.array([[0.0], [0.5]])) * sample_rate / self.size
        is_allowed = np.ones(self.frequencies.shape, bool) if allowed is None else allowed(self.frequencies)
        self.columns = np.flatnonzero(is_allowed)

    def correlate(self, samples):
        """Sums (times in a period, 3, columns), float32, and how many periods each time has."""
        n_times = (len(samples) - self.size) * HOPS // self.size + 1
        starts = np.round(np.arange(n_times) * self.rate * self.sequences.period_s / self.hops).astype(int)
        starts = starts[starts + self.size <= len(samples)]
        times = np.arange(len(starts)) % self.hops
        counts = np.bincount(times, minlength=self.hops)[: min(self.hops, len(starts))]
        sums = np.zeros((len(counts), 3, len(self.columns)), np.float32)
        length = scipy.fft.next_fast_len(self.size)
        references, n_pairs = self._references(length)
        halves = [self.columns[self.columns < self.n_bins], self.columns[self.columns >= self.n_bins] - self.n_bins]
        for half, bins in enumerate(halves):
            if not len(bins):
                continue
            place = slice(0, len(bins)) if half == 0 else slice(len(self.columns) - len(bins), None)
            turn = np.exp(-1j * np.pi * half * np.arange(self.size) / self.size).astype(np.complex64)
            for first in range(0, len(starts), ROWS):
                rows = slice(first, first + ROWS)
                transformed = self._phases(samples, starts[rows], turn, length)
                for sector, reference in enumerate(references):
                    products = scipy.fft.ifft(transformed * reference, axis=1, overwrite_x=True)[:, : self.n_bins]
                    power = (products.real**2 + products.imag**2) / np.float32(n_pairs)
                    for row, time in zip(power, times[rows]):
                        sums[time, sector, place] += row if len(bins) == self.n_bins else row[bins]
        return sums, counts

    def _references(self, length):
        """Conjugate spectra of the steps between subcarriers, complex64 (3, length), and how many steps there are."""
        values = self.sequences.values
        steps = values[:, 1:] * np.conj(values[:, :-1])
        return np.conj(scipy.fft.fft(steps, length, axis=1)).astype(np.complex64), np.count_nonzero(steps[0])

    def _phases(self, samples, starts, turn, length):
        """Transform, along the frequency, of the unit steps from bin to bin, complex64 (rows, length)."""
        windows = samples[starts[:, None] + np.arange(self.size)] * turn
        spectra = scipy.fft.fftshift(scipy.fft.fft(windows, axis=1, overwrite_x=True), axes=1)
        steps = spectra[:, 1:] * np.conj(spectra[:, :-1])
        steps *= 1 / np.sqrt(steps.real**2 + steps.imag**2 + np.float32(1e-30))
        return scipy.fft.fft(steps, length, axis=1, overwrite_x=True)


def _highest(sums, counts, grid, most, false_places):
    """The highest places, each apart from the others."""
    heights = np.zeros(len(grid.columns), np.float32)
    for count in np.unique(counts):
        limit = scipy.special.gammainccinv(count, false_places) / count
        best = sums[counts == count].max(axis=(0, 1)) / count
        np.maximum(heights, np.where(best > limit, best, 0), out=heights)
    frequencies = grid.frequencies.ravel()[grid.columns]
    places: list[Place] = []
    while len(places) < most and heights.any():
        index = int(np.argmax(heights))
        places.append(Place(float(frequencies[index]), float(heights[index])))
        distance = np.abs(frequencies - frequencies[index])
        is_own = (distance < grid.width * grid.sequences.spacing) & (heights < OWN * heights[index])
        heights[is_own | (distance < grid.sequences.apart_hz)] = 0
    return places
