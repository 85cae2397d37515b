# SPDX-License-Identifier: GPL-3.0-or-later
"""The middle of a carrier at 1.92 Msps: bins of one FFT of all samples, which serves every frequency searched."""

from collections.abc import Iterator

import numpy as np
import scipy.fft

RATE = 1.92e6
"""Samples a second for the middle six resource blocks: 128 a symbol (TS 36.211 6.12)."""

HALF_FRAME = 9600
CHUNK_S = 0.04

PAD = 1200
"""Samples at RATE that a chunk is given for the tails of the band filter."""

LARGEST_PRIME = 13

SPUR_BINS, SPUR_LIMIT = 500, 30.0
"""A bin (25 Hz) is a spur where its power is so many times that of the strongest tenth of its 500 neighbours: in noise
that would be once in e**69."""


class Extractor:
    """Takes 1.92 MHz around any frequency out of chunks of samples.

    Attributes:
        chunk: samples of a chunk.
        rate: of what comes out, within 1e-6 of RATE.
    """

    def __init__(self, sample_rate: float) -> None:
        self.sample_rate = float(sample_rate)
        self.n_out, self.n_in = _sizes(self.sample_rate)
        self.chunk = round(CHUNK_S * self.sample_rate)
        self.rate = self.sample_rate * self.n_out / self.n_in

    def spectrum(self, samples: np.ndarray) -> np.ndarray:
        """Spectrum of up to a chunk of samples, complex64, for `band`."""
        padded = np.zeros(self.n_in, np.complex64)
        padded[: len(samples)] = samples
        return scipy.fft.fft(padded, overwrite_x=True)

    def band(self, spectrum: np.ndarray, frequency: float, start: int) -> tuple[int, np.ndarray]:
        """What a chunk adds to the baseband around a frequency.

        Args:
            spectrum: of the chunk.
            frequency: Hz from the samples' centre, that becomes 0.
            start: of the chunk's first sample in the stream.

        Returns:
            Place of the first value, in samples at `rate` from the stream's start, and the values, complex64.
        """
        bin_width = self.sample_rate / self.n_in
        middle = round(frequency / bin_width)
        first = middle - self.n_out // 2
        lowest = max(first, -(self.n_in // 2))
        highest = min(first + self.n_out, (self.n_in + 1) // 2)
        bins = np.zeros(self.n_out, np.complex64)
        if lowest < highest:
            # Bins come in two runs, of negative and of other frequencies.
            for low, high in ((lowest, min(highest, 0)), (max(lowest, 0), highest)):
                if low < high:
                    bins[low - first : high - first] = spectrum[low % self.n_in : (high - 1) % self.n_in + 1]
        _remove_spurs(bins)
        exact = start * self.rate / self.sample_rate
        place = int(np.floor(exact)) - PAD // 2
        # The chunk's start falls between two values, which lie at whole multiples of 1 / rate: delay it by the rest.
        delay = exact - place
        bins *= _turns(-delay / self.n_out, self.n_out, -(self.n_out // 2))
        values = scipy.fft.ifft(scipy.fft.ifftshift(bins), overwrite_x=True)
        # Mixed down from the chunk's own start so far, and by a whole bin.
        phase = np.exp(-2j * np.pi * (frequency * start / self.sample_rate % 1))
        rest = frequency - middle * bin_width
        # The turn is 1 at the chunk's start.
        values *= np.complex64(phase)
        if abs(rest) > 1e-3:
            values *= _turns(-rest / self.rate, self.n_out, -delay)
        return place, values


def _remove_spurs(bins):
    """Take out single bins far above their neighbours, in place: the receiver's DC and other steady tones.

    Compared with the strong ones of the neighbours: an idle cell is a comb of lines 100 Hz apart, four bins.
    """
    whole = bins[: len(bins) // SPUR_BINS * SPUR_BINS].reshape(-1, SPUR_BINS)
    power = whole.real**2 + whole.imag**2
    strong = np.partition(power, -SPUR_BINS // 10, axis=1)[:, -SPUR_BINS // 10, None]
    whole[(power > SPUR_LIMIT * strong) & (strong > 0)] = 0


def _sizes(sample_rate):
    """Lengths of the FFTs out of and into the baseband: their ratio is RATE / sample_rate, both have small factors."""
    n_wanted = round(CHUNK_S * RATE) + PAD
    options = []
    for n_out in _smooth_numbers(n_wanted, int(1.05 * n_wanted)):
        n_in = round(n_out * sample_rate / RATE)
        error = abs(n_in * RATE / sample_rate / n_out - 1)
        options.append((error > 1e-6, max(_largest_prime(n_in), LARGEST_PRIME), n_out, n_in))
    return min(options)[2:]


def _smooth_numbers(first: int, last: int) -> Iterator[int]:
    """Even lengths of which an FFT is fast."""
    while first <= last:
        first = scipy.fft.next_fast_len(first)
        if first % 2 == 0:
            yield first
        first += 1


def _largest_prime(n):
    largest, divisor = 1, 2
    while divisor * divisor <= n:
        while n % divisor == 0:
            n, largest = n // divisor, divisor
        divisor += 1
    return max(largest, n)


def _turns(step, n, first):
    """exp(2j pi step (first + i)) for i below n, complex64: float32 alone would lose the phase."""
    cycles = step * (first + np.arange(n))
    return np.exp(2j * np.pi * (cycles - np.round(cycles)).astype(np.float32)).astype(np.complex64)


class Baseband:
    """Baseband of one frequency, as long as it is kept: chunks overlap by the filter's tails and add up."""

    def __init__(self) -> None:
        self.values = np.zeros(0, np.complex64)
        self.start = 0

    def add(self, place: int, values: np.ndarray) -> None:
        """Add a chunk's values; places are from the stream's start and never before the first one's."""
        if not len(self.values):
            self.start, self.values = place, values.copy()
            return
        end = place + len(values)
        grown = end - self.start - len(self.values)
        if grown > 0:
            self.values = np.concatenate([self.values, np.zeros(grown, np.complex64)])
        self.values[place - self.start : end - self.start] += values
