# SPDX-License-Identifier: GPL-3.0-or-later
"""One FFT of a block of samples, from which every place of an SS/PBCH block takes its bins."""

from fractions import Fraction

import numpy as np
import scipy.fft

from ...standards.nr import SSB_SUBCARRIERS

N_FFT = 256
"""Samples of a symbol's useful part at the rate of a band: the smallest power of two above 240 subcarriers."""
BASE_SPACING = 15e3
LARGEST_DIVISOR = 5000
"""Of the ratio of rates; what it misses is below 0.1 ppm."""


class Blocks:
    """How samples are cut into blocks whose FFTs hold whole numbers of bins for both subcarrier spacings.

    Args:
        sample_rate: Hz.
        seconds: length of a block, at least.

    Attributes:
        length: samples of a block.
        seconds: its length.
    """

    def __init__(self, sample_rate: float, seconds: float) -> None:
        self.sample_rate = sample_rate
        ratio = Fraction(N_FFT * BASE_SPACING / sample_rate).limit_denominator(LARGEST_DIVISOR)
        units = max(1, -(-int(np.ceil(sample_rate * seconds)) // ratio.denominator))
        units = int(scipy.fft.next_fast_len(units))
        self.length = units * ratio.denominator
        self.seconds = self.length / sample_rate
        self._base_samples = units * ratio.numerator

    def samples(self, spacing: float) -> int:
        """Samples of a block at 256 samples a symbol."""
        return self._base_samples * round(spacing / BASE_SPACING)


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
        count = self.blocks.samples(spacing)
        bins = self.bins(frequency, count)
        return scipy.fft.ifft(bins, overwrite_x=True) * np.float32(count / self.blocks.length)


def fits(frequency: float, spacing: float, sample_rate: float) -> bool:
    """Whether an SS/PBCH block around a frequency lies within the span."""
    return abs(frequency) + SSB_SUBCARRIERS / 2 * spacing <= sample_rate / 2
