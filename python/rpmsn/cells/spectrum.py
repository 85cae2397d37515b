# SPDX-License-Identifier: GPL-3.0-or-later
"""FFTs of a frame, taken once, from which the search at every frequency takes its band; and correlation in such a band.

Short FFTs stay in a processor's cache: those of 0.5 ms cost a third of one FFT of 40 ms at 61.44 Msps. Frames stand
alone, and rates are the cells' own, which `signal.channelizer` does not give.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from functools import lru_cache

import numpy as np
import scipy.fft

from ..errors import ParameterError

BASE_RATE = 1.92e6
"""Samples a second of the narrowest band: 128 a symbol at a subcarrier spacing of 15 kHz."""

BLOCK_S = 0.5e-3
TAIL_S = 20e-6
"""Seconds at both ends of a block over which the band's filter rings."""

FLAT = 15 / 16
"""Part of a band's width without attenuation: the 240 of 256 subcarriers of an SS/PBCH block."""

LARGEST_DIVISOR = 30000
"""Of the ratio of rates; what it misses is below 0.1 ppm."""

SYMBOL_BLOCKS = 8
"""Length of a correlator's FFT in symbols."""

GROUP = 1 << 14
"""Values that are worked on at a time, so that they stay in a processor's cache."""


class _Layout:
    """How samples of a rate are cut into blocks whose FFTs hold whole numbers of bins and of band samples.

    Attributes:
        length: bins of a block's FFT.
        hop: samples of a block.
        base: bins of a band at the base rate.
        base_hop, base_tail: samples of a block, and of one tail, at the base rate.
    """

    def __init__(self, sample_rate: float) -> None:
        ratio = Fraction(BASE_RATE / sample_rate).limit_denominator(LARGEST_DIVISOR)
        step = ratio.denominator
        tail = math.ceil(TAIL_S * sample_rate / step)
        units = int(scipy.fft.next_fast_len(max(math.ceil(BLOCK_S * sample_rate / step), 8 * tail)))
        self.sample_rate, self.ratio = sample_rate, ratio
        self.length, self.hop = units * step, (units - 2 * tail) * step
        self.base, self.base_hop = units * ratio.numerator, (units - 2 * tail) * ratio.numerator
        self.base_tail = tail * ratio.numerator
        self.rate = sample_rate * ratio.numerator / ratio.denominator


@lru_cache(maxsize=8)
def _layout(sample_rate):
    return _Layout(sample_rate)


def nearest(frequency: float, sample_rate: float) -> float:
    """The frequency of the bin nearest to one, Hz from the samples' centre: what `Spectrum.band` is centred on."""
    width = sample_rate / _layout(sample_rate).length
    return round(frequency / width) * width


def band_rate(sample_rate: float, width: int = 1) -> float:
    """Samples a second of a band `width` times as wide as the base: `width` x 1.92e6, within 0.1 ppm."""
    return _layout(sample_rate).rate * width


class Spectrum:
    """Spectra of a frame. One serves all searches, of LTE and NR, that look at the frame.

    The mean of the samples is taken out: a receiver's DC would hide what is weak. NaN and infinity count as silence.

        searchers = LteSearcher(rate, [0.0], center_frequency=1815e6), NrSearcher(rate, [3e6])
        for start, samples in frames:
            spectrum = Spectrum(samples, rate)
            cells = [*searchers[0].feed(spectrum, start), *searchers[1].push(spectrum, start)]

    Args:
        samples: complex, one-dimensional.
        sample_rate: Hz.

    Attributes:
        count: samples of the frame.

    Raises:
        ParameterError: the samples are no row of complex values.
    """

    def __init__(self, samples: np.ndarray, sample_rate: float) -> None:
        samples = np.asarray(samples)
        if samples.ndim != 1 or samples.dtype.kind != "c":
            raise ParameterError(
                f"samples have the shape {samples.shape} and the type {samples.dtype}; one row of complex values is "
                "needed"
            )
        self.sample_rate, self.count = sample_rate, len(samples)
        self._layout = _layout(sample_rate)
        samples = silenced(np.ascontiguousarray(samples, np.complex64))
        hop = self._layout.hop
        blocks = np.zeros((-(-len(samples) // hop), self._layout.length), np.complex64)
        mean = samples.mean() if len(samples) else np.complex64(0)
        whole = len(samples) // hop
        np.subtract(samples[: whole * hop].reshape(whole, hop), mean, out=blocks[:whole, :hop])
        if whole < len(blocks):
            blocks[whole, : len(samples) - whole * hop] = samples[whole * hop :] - mean
        self._bins = scipy.fft.fft(blocks, axis=1, overwrite_x=True)

    def band(self, frequency: float, width: int = 1, start: int = 0) -> tuple[int, np.ndarray]:
        """Samples of a band.

        Bands of frames that follow each other overlap by the filter's tails and add up to that of the whole stream.

        Args:
            frequency: Hz from the samples' centre; `nearest` says what becomes 0.
            width: of the band, in units of 1.92 MHz; 15/16 of it are flat.
            start: of the frame's first sample in the stream.

        Returns:
            Place of the first value, in samples at `band_rate` from the stream's start, and the values, complex64.
        """
        layout = self._layout
        count, hop, tail = layout.base * width, layout.base_hop * width, layout.base_tail * width
        centre = round(frequency * layout.length / layout.sample_rate)
        exact = Fraction(start) * layout.ratio * width
        place = math.floor(exact)
        weights = _band_filter(count, count / layout.length, tail + float(exact - place))
        # Blocks are mixed down from their own starts.
        starts = [start + layout.hop * number for number in range(len(self._bins))]
        cycles = np.array([-centre * begin % layout.length for begin in starts], float) / layout.length
        turns = np.exp(2j * np.pi * cycles).astype(np.complex64)[:, None]
        joined = np.zeros((len(starts) + 1, hop), np.complex64)
        step = max(1, GROUP // count)
        for first in range(0, len(starts), step):
            group = slice(first, min(first + step, len(starts)))
            values = self._around(group, centre, count)
            values *= weights
            values = scipy.fft.ifft(values, axis=1, overwrite_x=True)
            values *= turns[group]
            joined[group] += values[:, :hop]
            joined[group.start + 1 : group.stop + 1, : count - hop] += values[:, hop:]
        return place - tail, joined.ravel()[: hop * len(starts) + count - hop]

    def _around(self, group, centre, count):
        """Bins around one of some blocks, in the order of an FFT, (blocks, count); 0 outside the span."""
        length, half = self._layout.length, count // 2
        taken = np.zeros((group.stop - group.start, count), np.complex64)
        lowest, highest = -(length // 2), (length + 1) // 2
        # Negative bins lie behind the others, in what is taken and in where it goes.
        for low, high, at in ((centre, centre + count - half, 0), (centre - half, centre, count - half)):
            low, high, at = max(low, lowest), min(high, highest), at + max(lowest - low, 0)
            for first, last in ((low, min(high, 0)), (max(low, 0), high)):
                if first < last:
                    run = slice(first % length, (last - 1) % length + 1)
                    taken[:, at + first - low : at + last - low] = self._bins[group, run]
        return taken


@lru_cache(maxsize=32)
def _band_filter(count, gain, delay):
    """Raised-cosine edges and a delay of `count` bins in the order of an FFT, complex64."""
    bins = np.round(scipy.fft.fftfreq(count) * count)
    edge = np.clip((np.abs(bins) / (count / 2) - FLAT) / (1 - FLAT), 0, 1)
    cycles = bins * delay / count
    return (gain * (0.5 + 0.5 * np.cos(np.pi * edge)) * np.exp(-2j * np.pi * cycles)).astype(np.complex64)


def check_rates(spectra: Iterable[Spectrum], sample_rate: float) -> None:
    """Check that spectra are at a sample rate.

    Raises:
        ParameterError: one is not.
    """
    for spectrum in spectra:
        if spectrum.sample_rate != sample_rate:
            raise ParameterError(
                f"samples are a spectrum at {spectrum.sample_rate:g} Hz, and sample_rate is {sample_rate:g} Hz: choose "
                "the same for both"
            )


def silenced(samples: np.ndarray) -> np.ndarray:
    """The samples, with 0 for NaN and infinity; complex64."""
    # A sum is finite where all of its terms are, and far quicker than a look at each.
    if np.isfinite(np.vdot(samples, samples)):
        return samples
    values = samples.view(np.float32)
    finite = np.isfinite(values).reshape(-1, 2).all(axis=1)
    return np.where(finite, samples, np.complex64(0))


class History:
    """Samples of a band, as long as they are kept; what is added overlaps what is there.

    Attributes:
        start: place of the first value kept.
        values: complex64.
    """

    def __init__(self) -> None:
        self.start, self.values = 0, np.zeros(0, np.complex64)
        self._room = self.values

    def add(self, place: int, values: np.ndarray) -> None:
        """Add values; places are from the stream's start and never before `start`."""
        if not len(self.values):
            self.start = place
        size, length = max(place + len(values) - self.start, len(self.values)), len(self.values)
        if size > len(self._room):
            self._room = np.zeros(2 * size, np.complex64)
            self._room[:length] = self.values
        elif size > length:
            self._room[length:size] = 0
        self.values = self._room[:size]
        self.values[place - self.start : place - self.start + len(values)] += values

    def keep(self, count: int) -> None:
        """Forget all but the last values."""
        surplus = len(self.values) - count
        if surplus > 0:
            # What is forgotten makes room when the next array is made.
            self._room, self.values, self.start = self._room[surplus:], self.values[surplus:], self.start + surplus


class Correlator:
    """Correlation of a band with known symbols, by FFTs of eight symbols.

    Args:
        spectra: of the symbols, (n, symbol) in the order of an FFT, complex.
        decimation: of what comes out: the symbols' bins lie in the middle of a band so many times wider.
    """

    def __init__(self, spectra: np.ndarray, decimation: int = 1) -> None:
        waves = scipy.fft.ifft(spectra, axis=1)
        waves /= np.linalg.norm(waves, axis=1, keepdims=True)
        self.symbol, self.decimation = spectra.shape[1], decimation
        self.length = SYMBOL_BLOCKS * self.symbol
        self.hop = self.length - self.symbol
        self._filters = np.conj(scipy.fft.fft(waves, self.length, axis=1)).astype(np.complex64)[:, None]

    def normalised(self, values: np.ndarray, offsets: Sequence[float] | np.ndarray) -> Iterator[np.ndarray]:
        """Power of the correlation over the energy of the samples, for each offset, 0..1; the next one overwrites it.

        In white noise it exceeds x with a probability of (1 - x)**(symbol - 1).

        Args:
            values: of the band, complex64.
            offsets: of the symbols' frequency, in units of the band's rate.

        Yields:
            float32 (symbols, places), for every place from which on there are enough samples.
        """
        n = len(values) // self.decimation - self.symbol + 1
        if n <= 0:
            return
        spectra = self._spectra(values, n)
        weight = None
        found = np.empty((len(self._filters), len(spectra), self.hop), np.float32)
        for offset in offsets:
            shift = round(offset * spectra.shape[1])
            # All bins of a band have the same energy wherever they are.
            if weight is None or self.decimation > 1:
                weight = self._weight(spectra, shift)
            for group in self._groups(len(spectra)):
                products = scipy.fft.ifft(self._around(spectra[group], shift) * self._filters, overwrite_x=True)
                np.multiply(_power(products[..., : self.hop]), weight[group], out=found[:, group])
            yield found.reshape(len(found), -1)[:, :n]

    def _spectra(self, values, n):
        """Spectra of blocks that overlap by a symbol, so many that they hold n places."""
        length, hop = self.length * self.decimation, self.hop * self.decimation
        padded = np.zeros(hop * (-(-n // self.hop) - 1) + length, np.complex64)
        padded[: len(values)] = values[: len(padded)]
        return scipy.fft.fft(np.lib.stride_tricks.sliding_window_view(padded, length)[::hop], axis=1)

    def _groups(self, count):
        step = max(1, GROUP // self.length)
        for first in range(0, count, step):
            yield slice(first, min(first + step, count))

    def _around(self, spectra, shift):
        """The bins of the symbols around an offset, in the order of an FFT."""
        total, half = spectra.shape[1], self.length // 2
        taken = np.empty((len(spectra), self.length), np.complex64)
        for at, first in ((0, shift % total), (half, (shift - half) % total)):
            rest = min(half, total - first)
            taken[:, at : at + rest] = spectra[:, first : first + rest]
            taken[:, at + rest : at + half] = spectra[:, : half - rest]
        return taken

    def _weight(self, spectra, shift):
        """1 over the energy that a symbol would have from each place on, (blocks, hop)."""
        energy = np.empty((len(spectra), self.hop), np.float32)
        for group in self._groups(len(spectra)):
            power = _power(scipy.fft.ifft(self._around(spectra[group], shift), axis=1, overwrite_x=True))
            sums = np.cumsum(power, axis=1, dtype=np.float64)
            energy[group] = sums[:, self.symbol - 1 : -1]
            energy[group, 1:] -= sums[:, : -self.symbol - 1]
        # Silence between bursts must not divide by what is left of rounding.
        return 1 / np.maximum(energy, np.float32(1e-6) * energy.mean() + np.float32(1e-30))


def _power(values):
    return np.abs(values) ** 2
