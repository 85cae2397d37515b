# SPDX-License-Identifier: GPL-3.0-or-later
"""LTE by its cell-specific reference signals, in any slice of a carrier: TS 36.211 6.10.1.

Where a carrier's middle is out of view, PSS and PBCH are, too. Reference signals are everywhere: every sixth subcarrier
of symbols 0 and 4 of each slot, the same in every frame, and their sequence says which cell, which slot, and how far
from the carrier's middle. Three steps, of which each leaves few hypotheses to the next:

1. The cyclic prefix: where symbols begin, and where between two subcarriers the slice lies.
2. What is the same 10 ms later: which symbols and which of six combs of subcarriers may have references.
3. The sequence: 504 cells, 20 slots, 220 places, by the phases from one reference to the next. That is the proof.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.fft

from ...errors import ParameterError
from ...standards.sequences import LTE_CELL_IDS, LTE_MAX_N_RB, lte_crs
from ..grid import SLOT, symbol_timing
from ..spectrum import Spectrum, band_rate, check_rates, nearest
from ..threads import each
from .baseband import CHUNK_S, RATE, baseband
from .primary import SYMBOL

SLOTS = 20
SYMBOLS = 7
FIRST_SAMPLES = np.array([10 + 137 * symbol for symbol in range(SYMBOLS)])
"""Of the useful parts in a slot with normal cyclic prefix."""
EARLY = 4
"""Samples before the useful part at which an FFT begins."""
COMB = 6
SUBCARRIERS = np.arange(-57, 57)
"""Of a slice, from its middle: 0.86 MHz on either side, without the edges of its filter."""
SPACING = 15e3
HALF_SLICE = 0.86e6
"""Of a slice, Hz."""
SLOPES = np.arange(-2, 3) / 2
"""Samples by which a frame may come late because of the clock's error: 50 ppm are 1."""
PLACES = 2 * LTE_MAX_N_RB
LENGTH = 240
"""Of the FFTs over the places of a slice of 19 references: 220 and the slice's, less one."""
AT_ONCE = 18
"""Identities tried at a time: their values stay in a processor's cache."""

COMB_LIMIT = 20.0
"""Of the power in which frames agree at the references over what chance gives: e**-20 for each of 210 hypotheses. NR's
tracking reference signals come so far, too."""
TRIED = 4
"""Combs whose sequence is searched: synchronised sectors have references in all of them."""
SEQUENCE_LIMIT = 32.0
"""Of the best sequence's power over what unrelated values give: e**-32 for each of 4 million, 5e-8 in all."""
SEQUENCE_RATIO = 2.0
"""Of the same over the next best cell's: a tone, or a strong carrier's edge, is like many. Wrong ones have up to 1.6
(even seeds of `benchmarks/cells_false.py`), right ones as weak as `SEQUENCE_LIMIT` more than 2."""
SHORTEST_S = 0.0206
"""Two frames, and a slot that may be cut at the beginning."""


@dataclass(frozen=True, slots=True)
class ReferenceSignals:
    """Reference signals of LTE in a slice.

    Attributes:
        cell_id: 0..503.
        frequency: Hz from the samples' centre, of the carrier's middle, which need not be in the samples.
        start_s: seconds from the first sample to the first start of a radio frame.
        strength: power of the best cell's sequence over what chance gives.
        ratio: of the same to the next best cell's.
        grid_offset: Hz from the slice's middle to the nearest subcarrier of the carrier, within +-7.5 kHz.
    """

    cell_id: int
    frequency: float
    start_s: float
    strength: float
    ratio: float
    grid_offset: float


def find_reference_signals(
    samples: np.ndarray | Spectrum | Sequence[Spectrum], sample_rate: float, frequency: float = 0.0
) -> ReferenceSignals | None:
    """Look for LTE's reference signals in the 1.7 MHz around a frequency, away from the middle of a carrier.

    Only cells with normal cyclic prefix are found; in a slice with several, the strongest. Frames are compared with
    each other, so that 40 ms show a cell of about 0 dB, and longer samples weaker ones.

    Args:
        samples: complex, one-dimensional, 20.6 ms or more, NaN and infinity count as silence; or the
            spectrum of a frame, or of several that follow each other.
        sample_rate: Hz, 1.92e6 or more; what is missing around `frequency` counts as silence.
        frequency: Hz from the samples' centre.

    Returns:
        None where there are none.

    Raises:
        ParameterError: a value is not allowed.
    """
    if not (np.isfinite(sample_rate) and sample_rate >= RATE):
        raise ParameterError(f"sample_rate is {sample_rate:g} Hz; choose {RATE:g} Hz or more")
    if not abs(frequency) <= sample_rate / 2:
        raise ParameterError(
            f"frequency is {frequency:g} Hz; choose one within +-{sample_rate / 2:g} Hz, which the samples cover"
        )
    return search_slice(*slice_values(_spectra(samples, sample_rate), sample_rate, frequency))


def slice_values(spectra: Sequence[Spectrum], sample_rate: float, frequency: float) -> tuple[np.ndarray, float, float]:
    """A slice of frames that follow each other.

    Returns:
        Its values, complex64, how many of these a second there are, about 1.92e6, and Hz of its middle.
    """
    middle, rate = nearest(frequency, sample_rate), band_rate(sample_rate)
    values = np.zeros(int(sum(spectrum.count for spectrum in spectra) * rate / sample_rate), np.complex64)
    start = 0
    for spectrum in spectra:
        place, part = baseband(spectrum, middle, start)
        first, last = max(place, 0), min(place + len(part), len(values))
        values[first:last] += part[first - place : last - place]
        start += spectrum.count
    return values, rate, middle


def _spectra(samples, sample_rate):
    if isinstance(samples, Spectrum):
        samples = [samples]
    if isinstance(samples, Sequence):
        check_rates(samples, sample_rate)
        return samples
    samples, chunk = np.atleast_1d(samples), round(CHUNK_S * sample_rate)
    return [Spectrum(samples[start : start + chunk], sample_rate) for start in range(0, len(samples), chunk)]


def search_slice(values: np.ndarray, rate: float, middle: float) -> ReferenceSignals | None:
    """`find_reference_signals` in a slice that is at hand.

    Args:
        values: of the slice, complex64.
        rate: samples a second of them, about 1.92e6.
        middle: Hz, of the slice from the samples' centre.
    """
    if len(values) < SHORTEST_S * rate:
        return None
    begin, offset, _ = symbol_timing(values)
    frames = _Frames(values, begin, offset)
    combs = frames.combs()
    if not combs:
        return None
    grid_offset = offset * rate / SYMBOL
    _references()  # once, before several threads need them
    matches = each(lambda comb: frames.sequence(comb.symbol, comb.comb), combs)
    comb, match = max(zip(combs, matches), key=lambda one: one[1].strength)
    if match.strength < SEQUENCE_LIMIT or match.ratio < SEQUENCE_RATIO:
        return None
    # Subcarriers are counted from the carrier's middle, without the one in it. Where that is in the slice, most of the
    # references lie on the side of the one in the middle of the slice.
    half = len(SUBCARRIERS) // COMB // 2
    from_middle = COMB * (match.place + half - LTE_MAX_N_RB) + match.cell_id % COMB
    from_middle += from_middle >= 0
    first = frames.start(comb.symbol) - SLOT * match.slot
    return ReferenceSignals(
        match.cell_id,
        middle + grid_offset + SPACING * (match.subcarrier + COMB * half - from_middle),
        float((first % (SLOTS * SLOT)) / rate),
        match.strength,
        match.ratio,
        grid_offset,
    )


@dataclass(frozen=True, slots=True)
class _Comb:
    """Where references may be: symbol of the grid's slot with which a slot begins, and comb in it."""

    symbol: int
    comb: int


@dataclass(frozen=True, slots=True)
class _Match:
    """Best sequence of a comb: slot number of the first slot, and antenna port 0's first reference in symbol 0: its
    `place` in the sequence of 220, and its subcarrier."""

    cell_id: int
    slot: int
    place: int
    subcarrier: int
    strength: float
    ratio: float


class _Frames:
    """The slice's symbols in frames of 140.

    Args:
        values: of the slice, two frames or more.
        begin, offset: from `symbol_timing`.
    """

    def __init__(self, values, begin, offset):
        self.begin = begin - EARLY if begin >= EARLY else begin - EARLY + SLOT
        slots = (len(values) - self.begin - FIRST_SAMPLES[-1] - SYMBOL) // SLOT + 1
        count = max(slots // SLOTS, 1)
        places = self.begin + SLOT * np.arange(SLOTS * min(count, slots))[:, None] + FIRST_SAMPLES
        taken = places[..., None] + np.arange(SYMBOL)
        cycles = taken * (offset / SYMBOL)
        turned = np.exp(-2j * np.pi * (cycles - np.round(cycles)).astype(np.float32)).astype(np.complex64)
        spectra = scipy.fft.fft(values[taken] * turned, axis=-1)[..., SUBCARRIERS]
        # The window begins early.
        spectra *= np.exp(2j * np.pi * EARLY * SUBCARRIERS / SYMBOL).astype(np.complex64)
        power = np.mean(spectra.real**2 + spectra.imag**2, axis=-1, keepdims=True)
        # A weak symbol says less, a strong one not more.
        spectra /= np.sqrt(power + np.median(power) + np.float32(1e-30))
        self.spectra = spectra.reshape(count, SLOTS * SYMBOLS, -1)

    def start(self, symbol: int) -> int:
        """Sample at which the slot would begin of which a symbol is the first."""
        return int(self.begin + EARLY + FIRST_SAMPLES[symbol] - FIRST_SAMPLES[0])

    def combs(self) -> list[_Comb]:
        """The likeliest, strongest first."""
        frames = self.spectra
        if len(frames) < 2:
            return []
        products = np.sum(frames[1:] * frames[:-1].conj(), axis=0).reshape(SLOTS, SYMBOLS, -1)
        energy = np.sum(products.real**2 + products.imag**2, axis=0)
        turns = np.exp(2j * np.pi * SLOPES[:, None] * SUBCARRIERS / SYMBOL)
        turned = products.sum(axis=0)[None] * turns[:, None]
        sums = np.stack([turned[..., comb::COMB].sum(-1) for comb in range(COMB)], axis=-1)
        energies = np.stack([energy[:, comb::COMB].sum(-1) for comb in range(COMB)], axis=-1) + 1e-30
        # A slot begins with symbol r: references lie in comb c of r and c + 3 of r + 4.
        first, second = np.arange(SYMBOLS), (np.arange(SYMBOLS) + 4) % SYMBOLS
        other = (np.arange(COMB) + 3) % COMB
        both = np.abs(sums[:, first] + sums[:, second][:, :, other]) ** 2
        strength = both / (energies[first] + energies[second][:, other])
        # Ports 0 and 1 lie three subcarriers from each other, and one leads to both.
        strength = strength.max(axis=0).reshape(SYMBOLS, 2, 3)
        port, strength = strength.argmax(axis=1), strength.max(axis=1)
        found = []
        for index in np.argsort(-strength, axis=None)[:TRIED]:
            symbol, comb = np.unravel_index(index, strength.shape)
            if strength[symbol, comb] >= COMB_LIMIT:
                found.append(_Comb(int(symbol), int(comb + 3 * port[symbol, comb])))
        return found

    def sequence(self, symbol: int, comb: int) -> _Match:
        """The cell, slot and place that fit best, if references lie in a comb of a symbol."""
        symbols = SYMBOLS * np.arange(SLOTS) + symbol
        sums = np.zeros((2, SLOTS, len(SUBCARRIERS) // COMB - 1), np.complex64)
        for number, (later, one) in enumerate(((0, comb), (4, (comb + 3) % COMB))):
            references = self.spectra[:, (symbols + later) % (SLOTS * SYMBOLS), one::COMB]
            sums[number] = np.sum(references[..., 1:] * references[..., :-1].conj(), axis=0)
        return _best_sequence(sums, comb)


def _best_sequence(sums, comb):
    energy = float(np.sum(sums.real**2 + sums.imag**2)) + 1e-30
    transformed = scipy.fft.fft2(sums, (SLOTS, LENGTH)).conj()
    places = PLACES - sums.shape[2]
    # The first reference of symbol 4 lies three subcarriers beside that of symbol 0. It has the same place in the
    # sequence, or, where the one with the same place is on the other side, the next one.
    beside = 1 if comb < 3 else -1
    best = np.zeros((LTE_CELL_IDS, 2), np.float32)
    at = np.zeros((LTE_CELL_IDS, 2), int)
    shift = np.exp(2j * np.pi * beside * np.arange(LENGTH) / LENGTH).astype(np.complex64)
    for start in range(0, LTE_CELL_IDS, AT_ONCE):
        some = slice(start, start + AT_ONCE)
        products = _references()[some] * transformed
        first, second = products[:, 0], products[:, 1]
        for number in range(2):
            if number:
                second *= shift
            found = np.abs(scipy.fft.ifft2(first + second, overwrite_x=True)[..., :places]).reshape(len(first), -1)
            at[some, number] = np.argmax(found, axis=1)
            best[some, number] = np.take_along_axis(found, at[some, number, None], axis=1)[:, 0]
    best = best**2 / np.float32(energy)
    cell_id, number = (int(index) for index in np.unravel_index(np.argmax(best), best.shape))
    slot, place = divmod(int(at[cell_id, number]), places)
    others = np.delete(best.max(axis=1), cell_id)
    is_above = (comb < 3) == (number == 0)
    # Port 0 has its references of symbol 4 above those of symbol 0 where its shift is below three, port 1 below.
    subcarrier = int(SUBCARRIERS[comb])
    is_low = cell_id % COMB < 3
    if is_above != is_low:
        subcarrier += -3 if is_low else 3
    top = float(best[cell_id, number])
    return _Match(cell_id, slot, place, subcarrier, top, top / max(float(others.max()), 1e-30))


@lru_cache(maxsize=1)
def _references():
    """Spectra of the phases from each reference to the next, in symbols 0 and 4 of the slots of a frame, complex64
    (504, 2, 20, LENGTH)."""
    spectra = np.empty((LTE_CELL_IDS, 2, SLOTS, LENGTH), np.complex64)
    for cell_id in range(LTE_CELL_IDS):
        values = np.stack([lte_crs(cell_id, LTE_MAX_N_RB, np.arange(SLOTS), symbol) for symbol in (0, 4)])
        spectra[cell_id] = scipy.fft.fft2(values[..., 1:] * values[..., :-1].conj(), (SLOTS, LENGTH))
    return spectra
