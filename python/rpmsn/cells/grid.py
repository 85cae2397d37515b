# SPDX-License-Identifier: GPL-3.0-or-later
"""Symbols and subcarriers by the cyclic prefix, in any part of a carrier (TS 36.211 6.12, TS 38.211 5.3.1).

Pieces of a carrier between which nothing is sent have their symbol timing and subcarriers in common, with each other
and with the cell. That says "may be one", not "is one": carriers of one base station, and TDD networks that keep the
same time on the same raster, share both as well.
"""

import math
from dataclasses import dataclass

import numpy as np
import scipy.fft

from ..errors import ParameterError
from .cell import Cell
from .spectrum import BASE_RATE, Spectrum, band_rate, nearest

SLOT_S = 0.5e-3
"""After it the pattern of symbols begins anew, at 15 and at 30 kHz."""
SLOT = 960
"""The same at the base rate."""
SPACINGS = (15e3, 30e3)
NARROWEST_HZ = 0.5e6
"""Of a region: its timing is as fine as one over its width."""

STRENGTH_LIMIT = 25.0
"""Of the prefixes' correlation over its median, as power. White noise in 60 regions of 0.5 to 5 MHz reaches 16.3;
Wi-Fi, GSM, wM-Bus and noise in recordings 9.9, LTE and NR in theirs 31 and more wherever they are sent."""

SAME_TIME_S, SAME_FREQUENCY_HZ = 1.2e-6, 750.0
"""Half a prefix at 30 kHz; a twentieth of the finest spacing."""

SYMBOL, PREFIX, LONGER = 128, 9, 1
"""Samples of a symbol with 15 kHz and of its prefix, at the base rate, and how much longer the first prefix of a slot
is."""
SYMBOLS = 7
"""In 0.5 ms, with 15 kHz."""
EARLY = 4 / 9
"""Part of the prefix that a symbol's FFT takes in: what comes a little early is in it, too."""


@dataclass(frozen=True, slots=True)
class SymbolGrid:
    """Where a signal's symbols and subcarriers lie.

    Attributes:
        subcarrier_spacing: 15e3 or 30e3 Hz.
        slot_s: seconds from the frame's first sample at which a slot of 0.5 ms may begin: one of its symbols does.
        frequency: Hz from the samples' centre, of a subcarrier.
        strength: of the prefixes' correlation, over what chance gives.
    """

    subcarrier_spacing: float
    slot_s: float
    frequency: float
    strength: float = math.inf

    @classmethod
    def of_cell(cls, cell: Cell, subcarrier_spacing: float | None = None) -> "SymbolGrid":
        """Of a cell, whose `start_s` counts from the same sample; or of other subcarriers of its carrier, in Hz."""
        return cls(subcarrier_spacing or cell.subcarrier_spacing, cell.start_s % SLOT_S, cell.frequency)

    def is_shared_with(self, other: "SymbolGrid") -> bool:
        """Whether both have the same spacing, symbols at the same time, and subcarriers on one raster of 15 kHz.

        An SS/PBCH block may lie half a subcarrier beside those of a carrier of 30 kHz: TS 38.211 7.4.3.1.
        """
        if self.subcarrier_spacing != other.subcarrier_spacing:
            return False
        beside = _remainder(self.frequency - other.frequency, SPACINGS[0])
        # Symbols are 2192 of 2048 / spacing long, the first of a slot a little more.
        length = (1 + 144 / 2048) / self.subcarrier_spacing
        apart = (self.slot_s - other.slot_s) % SLOT_S
        late = min(abs(_remainder(apart, length)), abs(_remainder(apart - SLOT_S, length)))
        return abs(beside) <= SAME_FREQUENCY_HZ and late <= SAME_TIME_S


def symbol_grid(spectrum: Spectrum, freq_lower: float, freq_upper: float) -> SymbolGrid | None:
    """Symbols and subcarriers of what is between two frequencies, with normal cyclic prefix.

    Args:
        spectrum: of 10 ms or more; 40 ms show a signal of about 0 dB.
        freq_lower, freq_upper: Hz from the samples' centre, 0.5 MHz or more apart.

    Returns:
        None where no cyclic prefix of LTE or NR is seen.

    Raises:
        ParameterError: the region is too narrow, or not in the samples.
    """
    half = spectrum.sample_rate / 2
    if not -half <= freq_lower < freq_upper <= half:
        raise ParameterError(
            f"freq_lower and freq_upper are {freq_lower:g} and {freq_upper:g} Hz; choose two in ascending order "
            f"within +-{half:g} Hz, which the samples cover"
        )
    if freq_upper - freq_lower < NARROWEST_HZ:
        raise ParameterError(
            f"freq_lower and freq_upper are {freq_upper - freq_lower:g} Hz apart; choose {NARROWEST_HZ:g} Hz or more"
        )
    width = 2 * max(1, math.ceil((freq_upper - freq_lower) / (1.8 * BASE_RATE)))
    centre = (freq_lower + freq_upper) / 2
    middle, rate = nearest(centre, spectrum.sample_rate), band_rate(spectrum.sample_rate, width)
    place, values = spectrum.band(centre, width)
    values = within(values, rate, freq_lower - middle, freq_upper - middle)[-place:]
    found = [(spacing, symbol_timing(values, spacing, width)) for spacing in SPACINGS]
    spacing, (begin, offset, strength) = max(found, key=lambda one: one[1][2])
    if strength < STRENGTH_LIMIT:
        return None
    return SymbolGrid(spacing, begin / rate, middle + offset * spacing, strength)


def within(values: np.ndarray, rate: float, lower: float, upper: float) -> np.ndarray:
    """What of a signal lies between two frequencies.

    Args:
        values: complex.
        rate: samples a second.
        lower, upper: Hz from their centre.
    """
    bins = scipy.fft.fft(values, scipy.fft.next_fast_len(len(values)))
    frequencies = scipy.fft.fftfreq(len(bins), 1 / rate)
    bins[(frequencies < lower) | (frequencies > upper)] = 0
    return scipy.fft.ifft(bins, overwrite_x=True)[: len(values)]


def symbol_timing(values: np.ndarray, spacing: float = 15e3, width: int = 1) -> tuple[int, float, float]:
    """Where symbols begin, and the frequency offset, by the normal cyclic prefix.

    Args:
        values: complex, at `width` x 1.92e6 samples a second, a slot of 0.5 ms or more.
        spacing: 15e3, or 30e3 Hz with an even width.
        width: of the band.

    Returns:
        sample, 0 to 960 `width` - 1, at which a slot may begin: one of its symbols does; frequency offset in
        subcarriers, within +-0.5; power of the correlation there over its median.
    """
    symbol, slot = round(BASE_RATE * width / spacing), SLOT * width
    prefix = symbol * 9 // 128
    products = values[:-symbol] * values[symbol:].conj()
    products = products[: len(products) // slot * slot].reshape(-1, slot)
    if not len(products):
        return 0, 0.0, 0.0
    # A burst must not decide alone, nor silence as much as it.
    weights = np.mean(np.abs(products), axis=1, keepdims=True)
    folded = np.mean(products / (weights + 0.1 * weights.mean() + 1e-30), axis=0)
    # A spur at any frequency correlates with itself all the time; prefixes are a fourteenth of it.
    folded -= np.median(folded.real) + 1j * np.median(folded.imag)
    sums = np.cumsum(np.concatenate([[0], folded, folded]))
    sums = sums[prefix : slot + prefix] - sums[:slot]
    # The first prefix of a slot is longer.
    starts = width + (symbol + prefix) * np.arange(slot // (symbol + prefix))
    total = np.sum([np.roll(sums, -start) for start in starts], axis=0)
    power = total.real**2 + total.imag**2
    begin = int(np.argmax(power))
    strength = float(power[begin] / max(float(np.median(power)), 1e-30)) if power[begin] > 0 else 0.0
    return begin, float(-np.angle(total[begin]) / (2 * np.pi)), strength


@dataclass(frozen=True, slots=True)
class Symbols:
    """Spectra of the symbols in a part of a band.

    Attributes:
        spectra: complex64, shape (n, symbols in 0.5 ms, subcarriers): of so many times 0.5 ms.
        frequencies: of the subcarriers, Hz from the band's centre.
        spacing: of the subcarriers, Hz.
    """

    spectra: np.ndarray
    frequencies: np.ndarray
    spacing: float


def symbol_spectra(
    values: np.ndarray, width: int, part: tuple[float, float], spacing: float, begin: int, offset: float
) -> Symbols:
    """Spectra of all symbols that `symbol_timing` tells.

    Args:
        values: complex, at `width` x 1.92e6 samples a second.
        width: of the band.
        part: Hz from the band's centre, lower and upper end of what is wanted.
        spacing: of the subcarriers, Hz.
        begin, offset: as `symbol_timing` says them.
    """
    per_symbol = round(spacing / SPACINGS[0])
    size, rate = SYMBOL * width // per_symbol, BASE_RATE * width
    values = values * np.exp(-2j * np.pi * offset / size * np.arange(len(values))).astype(np.complex64)
    prefix = PREFIX * width // per_symbol
    starts = LONGER * width + prefix - round(EARLY * prefix) + (size + prefix) * np.arange(SYMBOLS * per_symbol)
    slots = np.arange(begin, len(values) - SLOT * width + 1, SLOT * width)
    places = scipy.fft.fftshift(scipy.fft.fftfreq(size, 1 / rate))
    inside = np.flatnonzero((places >= part[0]) & (places <= part[1]))
    frequencies = places[inside] + offset * spacing
    if not len(slots) or not len(inside):
        return Symbols(np.zeros((0, len(starts), len(inside)), np.complex64), frequencies, spacing)
    spectra = np.lib.stride_tricks.sliding_window_view(values, size)[np.add.outer(slots, starts)]
    spectra = scipy.fft.fftshift(scipy.fft.fft(spectra, axis=2), axes=2)[..., inside]
    return Symbols(spectra, frequencies, spacing)


def _remainder(value, step):
    return value - round(value / step) * step
