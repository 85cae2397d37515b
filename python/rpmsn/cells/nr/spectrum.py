# SPDX-License-Identifier: GPL-3.0-or-later
"""One FFT of a block of samples, from which every place of an SS/PBCH block takes its bins."""

import math
from fractions import Fraction

import numpy as np
import scipy.fft

from ...standards.nr import SSB_SUBCARRIERS

N_FFT = 256
"""Samples of a symbol's useful part at the rate of a band: the smallest power of two above 240 subcarriers."""
BASE_SPACING = 15e3
LARGEST_DIVISOR = 5000
"""Of the ratio of rates; what it misses is below 0.1 ppm."""


GUARD_S = 4e-4
"""Seconds at both ends of a block that belong to its neighbours: more than an SS/PBCH block lasts, so that none is cut,
and more than what an FFT's ends spoil."""


class Blocks:
    """How samples are cut into overlapping blocks whose FFTs hold whole numbers of bins for both subcarrier spacings.

    Args:
        sample_rate: Hz.
        seconds: of a block, without its guards, at least.

    Attributes:
        length: samples of a block.
        hop: samples from one block to the next.
        guard: samples at each end that are seen by the neighbours as well.
        seconds: length of a block.
    """

    def __init__(self, sample_rate: float, seconds: float) -> None:
        self.sample_rate = sample_rate
        ratio = Fraction(N_FFT * BASE_SPACING / sample_rate).limit_denominator(LARGEST_DIVISOR)
        self._ratio = ratio
        unit = ratio.denominator
        guard = 2 * math.ceil(sample_rate * GUARD_S / unit / 2)
        units = int(scipy.fft.next_fast_len(max(1, math.ceil(sample_rate * seconds / unit)) + 2 * guard))
        self.length, self.guard, self.hop = units * unit, guard * unit, (units - 2 * guard) * unit
        self.seconds = self.length / sample_rate

    def in_band(self, samples: int, spacing: float) -> int:
        """What a number of samples is at 256 samples a symbol; exact for `length`, `guard` and `hop`."""
        return samples * self._ratio.numerator // self._ratio.denominator * round(spacing / BASE_SPACING)


class Spectrum:
    """FFT of one block.

    Args:
        blocks: layout.
        samples: complex64, at most `blocks.length` of them. NaN and infinity count as 0, and so does the mean.
    """

    def __init__(self, blocks: Blocks, samples: np.ndarray) -> None:
        self.blocks = blocks
        finite = np.isfinite(samples.view(np.float32)).reshape(-1, 2).all(axis=1)
        values = samples if finite.all() else np.where(finite, samples, np.complex64(0))
        padded = np.zeros(blocks.length, np.complex64)
        # A receiver's DC spur would take its part of the energy by which correlations are normalised.
        padded[: len(values)] = np.where(finite, values - values.mean(dtype=np.complex128), 0)
        self._bins = scipy.fft.fft(padded, overwrite_x=True)

    def nearest(self, frequency: float) -> float:
        """The frequency of the bin nearest to one, Hz."""
        return round(frequency * self.blocks.seconds) / self.blocks.seconds

    def bins(self, frequency: float, count: int) -> np.ndarray:
        """The bins around a frequency in the order of an FFT, complex64 (count,); 0 outside the span.

        Args:
            frequency: Hz from the samples' centre.
            count: of bins; with it the rate of what an inverse FFT makes of them is chosen.
        """
        total = len(self._bins)
        centre = round(frequency * self.blocks.seconds)
        first, last = centre - count // 2, centre - count // 2 + count
        taken = np.zeros(count, np.complex64)
        low, high = max(first, -(total // 2)), min(last, (total + 1) // 2)
        if low < high:
            places = slice(low % total, (high - 1) % total + 1)
            if places.start < places.stop:
                taken[low - first : high - first] = self._bins[places]
            else:
                taken[low - first : high - first] = np.concatenate(
                    [self._bins[places.start :], self._bins[: places.stop]]
                )
        return np.roll(taken, -(count // 2))

    def band(self, frequency: float, spacing: float) -> np.ndarray:
        """Samples of an SS/PBCH block's band, complex64, at 256 samples a symbol, centred on `nearest(frequency)`."""
        count = self.blocks.in_band(self.blocks.length, spacing)
        bins = self.bins(frequency, count)
        return scipy.fft.ifft(bins, overwrite_x=True) * np.float32(count / self.blocks.length)


def fits(frequency: float, spacing: float, sample_rate: float) -> bool:
    """Whether an SS/PBCH block around a frequency lies within the span."""
    return abs(frequency) + SSB_SUBCARRIERS / 2 * spacing <= sample_rate / 2
