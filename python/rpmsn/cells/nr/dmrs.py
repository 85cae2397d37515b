# SPDX-License-Identifier: GPL-3.0-or-later
"""NR by the demodulation reference signals of its data, in any part of a carrier: TS 38.211 7.4.1.1 and 6.4.1.1.

Where a carrier's SS/PBCH block is out of view, or not sent, what is left is data. One symbol of a slot at least has
reference signals, whose sequence says which cell, which slot, and how far from the carrier's first resource block.
Their phases from one to the next but one do not depend on the channel, nor on whether one antenna sends or two. Three
steps, of which each leaves few hypotheses to the next:

1. The cyclic prefix: where symbols begin, and where subcarriers lie.
2. Which symbols may be such: power on every second subcarrier only (type 1), or on two of six (type 2), at one time or
   in many slots; the same phases 10 ms later; or equal power, which data seldom has.
3. The sequence: 1008 cells, 10 or 20 slots, two symbols of a slot, at all places at once. The same cell in the other
   slots is the proof.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import scipy.fft
from scipy.special import gammaincc

from ...standards.nr import N_RB
from ...standards.sequences import NR_CELL_IDS, gold, nr_dmrs_init
from ..grid import SLOT, SPACINGS, STRENGTH_LIMIT, Symbols, symbol_spectra, symbol_timing, within
from ..spectrum import BASE_RATE

HALF_SLOTS = 20
"""Of 0.5 ms in a frame of 10 ms, after which all reference signals are the same."""
SLOT_SYMBOLS = 14
COMBS = ((2, 4, 1), (6, 6, 2))
"""Of types 1 and 2: combs of subcarriers, from one product's subcarrier to its other, and from one product to the next
in the sequence of products."""
APART = 2
"""From one value of a sequence to the other of a product: what two antennas send has the same sign in both."""
PER_RB = 6
"""Values of a sequence in a resource block at most."""
LENGTH = PER_RB * max(max(blocks.values()) for blocks in N_RB.values())
"""Of a sequence: of the widest carrier."""
SIZE = 2048
"""Of the FFTs over the places of a sequence."""
FIRST_SYMBOLS = (2, 3)
"""Of a slot, with the first reference signals: TS 38.211 table 7.4.1.1.2-3, mapping type A."""
FEWEST = 8
"""Products of a comb in a symbol."""
TINY = np.finfo(np.float32).tiny

QUIET = 0.05
"""Of the strongest symbol's power: what is weaker is not looked at."""
BY_EACH, RECURRING = 3, 3
"""Symbols of a slot that are taken by each measure, and by what all slots together have on a comb: each where it is
most of all slots."""
AT_LEAST, MOST_TOGETHER = 75, 6
"""Symbols are correlated together as long as each still has so many products of the sum, and so many at most."""
AT_ONCE = 48
"""Identities tried at a time: their values stay in a processor's cache."""
TRIED = 16
"""Best hypotheses that are looked at in the other slots."""
QUARTERS = 4
"""Of a frame's slots, each of which is tried in a search of its own."""
SURE, SURE_POWER = 12.0, 30.0
"""A surprise after which nothing else is tried, and the power of the first symbol from which it is asked for."""
SURPRISE_LIMIT = 6.0
"""Of 89 parts of LTE, other transmissions and receptions that have the symbols of LTE or NR and are no NR, the most is
2.2 (seeds 73001 on, not those by which it was made); of 54 of 79 drawn NR carriers with data, 9 and more."""


@dataclass(frozen=True, slots=True)
class DataReferences:
    """Reference signals of NR data.

    Attributes:
        cell_id: identity that their sequence has, 0..1007: the cell's, unless it gives its terminals another.
        first_block: Hz from the band's centre, lower edge of the resource block that their places count from, within
            two subcarriers: as a rule common resource block 0 (point A), for SIB1 the first of CORESET 0.
        spacing: of the subcarriers, Hz.
        surprise: minus the decimal logarithm of the probability that chance gives them.
    """

    cell_id: int
    first_block: float
    spacing: float
    surprise: float


class _Comb(NamedTuple):
    """Products on one comb of subcarriers, folded over frames.

    Attributes:
        products: of modulus 1, zeros between where the sequence has others: complex64, shape (20, symbols, n).
        n_products: in a symbol.
        contrast: how much of a symbol's power is on the comb, 0 for an equal part and 1 for all; shape (20, symbols).
        sameness: how much more than chance products are the same in all frames; shape (20, symbols).
        evenness: how equal powers next to each other are, 1 where all are; shape (20, symbols).
        first: its first subcarrier.
        step: subcarriers from one to the next.
    """

    products: np.ndarray
    n_products: int
    contrast: np.ndarray
    sameness: np.ndarray
    evenness: np.ndarray
    first: int
    step: int


class _Place(NamedTuple):
    """A symbol on a comb: number of the comb, of the 0.5 ms in a frame, and of the symbol in that."""

    comb: int
    half_slot: int
    symbol: int


class _Group(NamedTuple):
    """Places whose products are correlated together, and the conjugate of their sum's spectrum."""

    places: list[_Place]
    spectrum: np.ndarray


class _Hypothesis(NamedTuple):
    """A sequence at a place of a group: power over what chance gives, identity, slot, symbol of it, place."""

    power: float
    cell_id: int
    slot: int
    symbol: int
    group: _Group
    offset: int


def find_data_references(
    values: np.ndarray,
    width: int,
    part: tuple[float, float],
    quarter: int | None = None,
    cell_ids: Sequence[int] | None = None,
) -> DataReferences | None:
    """Reference signals of NR data in a part of a band, with normal cyclic prefix, 15 or 30 kHz.

    Args:
        values: complex, at `width` x 1.92e6 samples a second, 1.5 ms or more; 40 ms are good.
        width: of the band, even.
        part: Hz from the band's centre, lower and upper end of what may be NR: 0.5 MHz or more.
        quarter: 0..3, of a frame's slots that are tried; None for all.
        cell_ids: identities that are tried; None for all.

    Returns:
        None where none are seen.
    """
    if len(values) < 3 * SLOT * width:
        return None
    values_of_part = within(values, BASE_RATE * width, *part)
    timings = [(spacing, *symbol_timing(values_of_part, spacing, width)) for spacing in SPACINGS]
    spacing, begin, offset, strength = max(timings, key=lambda timing: timing[3])
    if strength < STRENGTH_LIMIT:
        return None
    symbols = symbol_spectra(values, width, part, spacing, begin, offset)
    combs = _combs(symbols.spectra)
    if not combs:
        return None
    half_slots = round(SPACINGS[1] / spacing)
    groups = _grouped(_chosen(combs, half_slots), combs)
    slots = np.arange(HALF_SLOTS // half_slots)
    slots = slots if quarter is None else np.array_split(slots, QUARTERS)[quarter]
    identities = np.arange(NR_CELL_IDS) if cell_ids is None else np.asarray(cell_ids)
    trials = len(identities) * SIZE * len(groups) * len(slots) * len(FIRST_SYMBOLS)
    best: list[_Hypothesis] = []
    for slot, symbol in itertools.product(slots.tolist(), FIRST_SYMBOLS):
        best += _correlated(slot, symbol, groups, identities)
        best = sorted(best, reverse=True, key=lambda one: one.power)[:TRIED]
        if best and best[0].power >= SURE_POWER:
            found = _judged(best[:1], combs, symbols, trials)
            if found.surprise >= SURE:
                return found
    if not best:
        return None
    found = _judged(best, combs, symbols, trials)
    return found if found.surprise >= SURPRISE_LIMIT else None


def _combs(spectra: np.ndarray) -> list[_Comb]:
    """All combs of a part's symbols that have products enough."""
    powers = _by_frames(spectra.real**2 + spectra.imag**2)
    totals = powers.sum(axis=(0, 3))
    is_quiet = totals <= QUIET * totals.max(initial=0)
    combs = []
    for count, apart, step in COMBS:
        if spectra.shape[2] < apart + count * FEWEST:
            continue
        products = _by_frames(spectra[..., apart:] * spectra[..., :-apart].conj())
        for first in range(count):
            own, on_comb = products[..., first::count], powers[..., first::count]
            sums = own.sum(axis=0)
            moduli = np.abs(sums)
            alone = np.sum(own.real**2 + own.imag**2, axis=(0, 3))
            sameness = (np.sum(moduli**2, axis=2) / np.maximum(alone, TINY) - 1) * math.sqrt(sums.shape[2])
            evenness = np.sum(on_comb[..., 1:] * on_comb[..., :-1], axis=(0, 3))
            evenness /= np.maximum(np.sum(on_comb**2, axis=(0, 3)), TINY)
            contrast = (count * on_comb.sum(axis=(0, 3)) / np.maximum(totals, TINY) - 1) / (count - 1)
            for measure in (contrast, sameness, evenness):
                measure[is_quiet] = -np.inf
            stuffed = np.zeros((*sums.shape[:2], step * sums.shape[2]), np.complex64)
            stuffed[..., ::step] = sums / np.maximum(moduli, TINY)
            combs.append(_Comb(stuffed, sums.shape[2], contrast, sameness, evenness, first, count))
    return combs


def _by_frames(values: np.ndarray) -> np.ndarray:
    """Whole frames of 20 half slots; of less than one, one that ends with zeros."""
    frames = len(values) // HALF_SLOTS
    if frames:
        return values[: frames * HALF_SLOTS].reshape(frames, HALF_SLOTS, *values.shape[1:])
    return np.concatenate([values, np.zeros((HALF_SLOTS - len(values), *values.shape[1:]), values.dtype)])[None]


def _chosen(combs: Sequence[_Comb], half_slots: int) -> list[_Place]:
    """The symbols that are most like reference signals."""
    contrast, *others = (np.stack(measure) for measure in zip(*((c.contrast, c.sameness, c.evenness) for c in combs)))
    chosen: dict[_Place, None] = {}
    # Those of a cell's slots are at the same symbols.
    by_slot = np.maximum(contrast, 0).reshape(len(combs), -1, half_slots, contrast.shape[2])
    often = by_slot.sum(axis=1)
    for place in np.argsort(often, axis=None)[::-1][:RECURRING]:
        comb, half_slot, symbol = (int(index) for index in np.unravel_index(place, often.shape))
        slot = int(np.argmax(by_slot[comb, :, half_slot, symbol]))
        chosen[_Place(comb, slot * half_slots + half_slot, symbol)] = None
    for measure in (contrast, *others):
        by_slot = measure.reshape(len(combs), -1, half_slots, measure.shape[2])
        best = by_slot.max(axis=(0, 1))
        for place in np.argsort(best, axis=None)[::-1][:BY_EACH]:
            half_slot, symbol = (int(index) for index in np.unravel_index(place, best.shape))
            comb, slot = divmod(int(np.argmax(by_slot[:, :, half_slot, symbol])), by_slot.shape[1])
            chosen[_Place(comb, slot * half_slots + half_slot, symbol)] = None
    return [place for place in chosen if np.isfinite(contrast[place])]


def _grouped(places: Sequence[_Place], combs: Sequence[_Comb]) -> list[_Group]:
    """Places of one comb together, as many as leave each enough of the sum."""
    groups = []
    for number, comb in enumerate(combs):
        own = [place for place in places if place.comb == number]
        size = min(max(comb.n_products // AT_LEAST, 1), MOST_TOGETHER)
        for start in range(0, len(own), size):
            together = own[start : start + size]
            total = np.sum([comb.products[place.half_slot, place.symbol, :SIZE] for place in together], axis=0)
            spectrum = scipy.fft.fft(total, SIZE).conj() / np.float32(math.sqrt(comb.n_products * len(together)))
            groups.append(_Group(together, spectrum))
    return groups


_BITS = np.arange(16)
_PRODUCTS = (1 - 2 * (_BITS >> 2 & 1) + 1j * (1 - 2 * (_BITS >> 3))) * (
    1 - 2 * (_BITS & 1) - 1j * (1 - 2 * (_BITS >> 1 & 1))
)
_PRODUCTS = (_PRODUCTS / 2).astype(np.complex64)
"""Of a value of QPSK and the conjugate of another, by the bits of the latter and of the former."""


def _sequence_products(cell_id: int | np.ndarray, slot: int | np.ndarray, symbol: int) -> np.ndarray:
    """Products of the values of a sequence, or of several: complex64, shape (..., LENGTH - APART)."""
    bits = gold(nr_dmrs_init(cell_id, slot, symbol), 2 * LENGTH)
    real, imaginary = bits[..., ::2], bits[..., 1::2]
    numbers = real[..., :-APART] | imaginary[..., :-APART] << 1
    numbers |= real[..., APART:] << 2 | imaginary[..., APART:] << 3
    return _PRODUCTS[numbers]


def _correlated(slot: int, symbol: int, groups: Sequence[_Group], identities: np.ndarray) -> Iterator[_Hypothesis]:
    """The best place of each group in the sequences of so many cells at a time."""
    for start in range(0, len(identities), AT_ONCE):
        cell_ids = identities[start : start + AT_ONCE]
        sequences = scipy.fft.fft(_sequence_products(cell_ids, slot, symbol), SIZE, overwrite_x=True)
        for group in groups:
            sums = scipy.fft.ifft(sequences * group.spectrum, overwrite_x=True)
            powers = sums.real**2 + sums.imag**2
            row, place = divmod(int(powers.argmax()), SIZE)
            offset = place if place < LENGTH else place - SIZE
            yield _Hypothesis(float(powers[row, place]), int(cell_ids[row]), slot, symbol, group, offset)


def _judged(best: Sequence[_Hypothesis], combs: Sequence[_Comb], symbols: Symbols, trials: int) -> DataReferences:
    """The best hypothesis by its own symbol and the same one of the other slots, which chance does not prefer."""
    judged = [_surprise(one, place, combs, trials) for one in best for place in one.group.places]
    surprise, one, comb = max(judged, key=lambda candidate: candidate[0])
    subcarriers = one.offset * (2 if comb.step == 2 else 3)
    first = float(symbols.frequencies[comb.first]) - (subcarriers + 0.5) * symbols.spacing
    return DataReferences(one.cell_id, first, symbols.spacing, surprise)


def _surprise(one: _Hypothesis, place: _Place, combs: Sequence[_Comb], trials: int) -> tuple[float, _Hypothesis, _Comb]:
    comb = combs[place.comb]
    half_slots = SLOT_SYMBOLS // comb.products.shape[1]
    slots = HALF_SLOTS // half_slots
    later = np.arange(slots)
    sequences = _sequence_products(one.cell_id, (one.slot + later) % slots, one.symbol)
    values = comb.products[(place.half_slot + half_slots * later) % HALF_SLOTS, place.symbol]
    first, stop = max(0, -one.offset), min(values.shape[1], sequences.shape[1] - one.offset)
    sums = np.sum(values[:, first:stop].conj() * sequences[:, first + one.offset : stop + one.offset], axis=1)
    powers = (sums.real**2 + sums.imag**2) / comb.n_products
    # Powers of chance are exponential with a mean of 1; the first is the largest of all trials.
    excess = max(float(powers.sum()) - math.log(trials), 0.0)
    probability = max(float(gammaincc(slots, excess)), float(np.finfo(float).tiny))
    return -math.log10(probability), one, comb
