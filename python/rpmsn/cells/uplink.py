# SPDX-License-Identifier: GPL-3.0-or-later
"""Uplinks of LTE and NR, by what their terminals send (TS 36.211 5.4, 5.5, TS 38.211 6.3.2), and no base station does.

These signals have sequences of one of 30 groups that the cell has, and what is known of them are the products of
neighbouring subcarriers: cyclic shifts, timing, delay and channel turn all of them alike. So neither grants, timing
advance nor channel have to be known, and many slots and terminals add up.

* The PUCCH, in most of its symbols, has a sequence of 12 elements times a number, of a table of LTE's or of one of
  NR's, in a resource block at one end of the carrier, and after a hop at the other. Two such blocks as far apart as in
  one of the widths say where the carrier ends.
* Where a terminal of LTE sends data, one symbol of a slot has a Zadoff-Chu sequence over its subcarriers. Products turn
  there by (group + 1) / 31 of a cycle from each to the next, as good as whatever the grant's width is. A radar's chirps
  turn like that as well, but have no cyclic prefix. NR's have other sequences, or leave out every second subcarrier.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
from scipy.ndimage import maximum_filter1d

from ..standards.bands import LTE, NR
from ..standards.lte import N_RB as LTE_N_RB
from ..standards.nr import N_RB
from ..standards.sequences import LTE_UPLINK_GROUPS, lte_uplink_reference, nr_low_papr_12
from .grid import SLOT, SPACINGS, SYMBOL, SYMBOLS, symbol_spectra, symbol_timing, within
from .grid import STRENGTH_LIMIT as PREFIX_LIMIT
from .spectrum import BASE_RATE

BLOCK = 12
SPACING = SPACINGS[0]
"""Of LTE."""

LEAKAGE = 1e-4
"""Of the strongest subcarrier's power in a symbol: what is weaker is what others leave between them, in patterns of
their own."""

WINDOW, HOP = 36, 12
"""Subcarriers over which products add up, and from one such window to the next: three resource blocks are the narrowest
grant with a Zadoff-Chu sequence; grants begin at resource blocks."""
CYCLES = np.append(np.arange(1, LTE_UPLINK_GROUPS + 1) / (LTE_UPLINK_GROUPS + 1), (0.0, 0.5))
"""By which products of neighbours turn: of every group; of impulses; of pilots on every second subcarrier."""

STRENGTH_LIMIT, CLEARNESS_LIMIT = 6.0, 3.0
"""Of the strongest of all groups in all symbols of a slot: its excess over their median, in their standard deviations,
and over that of the next strongest. Of 459 regions in drawn scenes and recordings that are no uplink, none has both
that is no PSS and turns by no half of a cycle."""
SYNC_SLOTS, MOST_IN_ONE = 10, 0.6
"""A PSS, a Zadoff-Chu sequence as well, comes every ten slots: what has more of its excess in one of ten is one."""

CONTROL_BLOCKS = (1, 2, 3)
"""Resource blocks of the PUCCH at either end that are taken together."""
CONTROL_LIMIT, OVER_OTHERS = 6.0, 1.5
"""Of both ends: their excess in standard deviations of all places and groups; and over that of other products there:
those of any other group (0.54 at most where they are of one), of the other technology's, and those that are all alike
(impulses, tones) or alternate. What has half as much in three of four blocks between is no PUCCH: the reference signals
of an LTE downlink without noise look like one group. Of 650 regions that are no uplink, in drawn scenes and recordings,
none is left."""


@dataclass(frozen=True, slots=True)
class UplinkSignals:
    """What was found.

    Attributes:
        technology: LTE or NR.
        group: of the sequences, 0..29; of most cells the remainder of the cell identity over 30.
        edges: of the carrier, Hz from the band's centre; None where no PUCCH says them.
        channel_bandwidth: Hz; None where no PUCCH says it.
    """

    technology: str
    group: int
    edges: tuple[float, float] | None = None
    channel_bandwidth: float | None = None


class _Seen(NamedTuple):
    """Symbols by which terminals' signals are told.

    Attributes:
        products: of neighbouring subcarriers, of modulus 1, or 0 where one is leakage: complex64, shape
            (slots, symbols, n - 1).
        frequencies: of the subcarriers, Hz from the band's centre, shape (n,).
        prefixes: strength of the prefixes by which the symbols were found.
    """

    products: np.ndarray
    frequencies: np.ndarray
    prefixes: float


def find_uplink(
    values: np.ndarray, width: int, part: tuple[float, float], around: tuple[float, float] | None = None
) -> UplinkSignals | None:
    """An LTE or NR uplink in a part of a band.

    Args:
        values: complex, at `width` x 1.92e6 samples a second, 10 ms or more; 80 ms are good.
        width: of the band; an even one shows NR with 30 kHz subcarriers, too.
        part: Hz from the band's centre, lower and upper end of what may be one.
        around: of what is looked through for its PUCCH; None: of the part.

    Returns:
        None where none is seen.
    """
    if len(values) < (SLOT + SYMBOL) * width:
        return None
    values_of_part = within(values, BASE_RATE * width, *part)
    seen = []
    for spacing in SPACINGS[: 2 - width % 2]:
        seen.append(_seen(values, values_of_part, width, around or part, spacing))
        found = _by_control(_control_excess(seen[-1].products), seen[-1].frequencies, sum(part) / 2, spacing)
        if found is not None:
            return found
    lte = seen[0]
    if lte.prefixes < PREFIX_LIMIT:
        return None
    inside = (lte.frequencies[:-1] >= part[0]) & (lte.frequencies[1:] <= part[1])
    return _by_references(reference_excess(lte.products[..., inside]))


def _seen(
    values: np.ndarray, values_of_part: np.ndarray, width: int, around: tuple[float, float], spacing: float
) -> _Seen:
    begin, offset, prefixes = symbol_timing(values_of_part, spacing, width)
    symbols = symbol_spectra(values, width, around, spacing, begin, offset)
    spectra = symbols.spectra
    if not len(spectra) or spectra.shape[2] < BLOCK:
        return _Seen(np.zeros((0, spectra.shape[1], 0), np.complex64), np.zeros(1), 0.0)
    products = spectra[..., 1:] * spectra[..., :-1].conj()
    products /= np.maximum(np.abs(products), np.finfo(np.float32).tiny)
    powers = spectra.real**2 + spectra.imag**2
    is_leakage = powers < LEAKAGE * powers.max(axis=2, keepdims=True)
    products[is_leakage[..., 1:] | is_leakage[..., :-1]] = 0
    return _Seen(products, symbols.frequencies, prefixes)


def reference_excess(products: np.ndarray) -> np.ndarray:
    """How much more than noise products turn alike, by slot, symbol and `CYCLES`: float32, shape (slots, 7, 32), 0 for
    noise in the mean."""
    if products.shape[2] < WINDOW:
        return np.zeros((0, SYMBOLS, len(CYCLES)), np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(products, WINDOW, axis=2)[:, :, ::HOP]
    turns = np.exp(2j * np.pi * np.outer(np.arange(WINDOW), CYCLES)).astype(np.complex64)
    sums = windows @ turns
    return np.mean(sums.real**2 + sums.imag**2, axis=2, dtype=np.float32) / WINDOW - 1


def _by_references(excess: np.ndarray) -> UplinkSignals | None:
    """By reference signals of data, of which `excess` is that of their products."""
    if not len(excess):
        return None
    means, no_group = np.split(excess.mean(axis=0), [LTE_UPLINK_GROUPS], axis=1)
    symbol, group = np.unravel_index(np.argmax(means), means.shape)
    strongest, median = means[symbol, group], np.median(means)
    spread = 1.4826 * np.median(np.abs(means - median))
    others = means.copy()
    others[symbol, max(0, group - 1) : group + 2] = 0  # neighbours share its window
    if strongest - median < STRENGTH_LIMIT * spread or strongest < CLEARNESS_LIMIT * others.max():
        return None
    if strongest <= no_group[symbol].max():
        return None
    slots = excess[:, symbol, group]
    folded = np.bincount(np.arange(len(slots)) % SYNC_SLOTS, slots)
    return None if folded.max() > MOST_IN_ONE * folded.sum() else UplinkSignals(LTE, int(group))


@cache
def _control_patterns() -> np.ndarray:
    """Conjugates of the products in a resource block of the PUCCH: of every group; of NR's (TS 38.211 6.3.2); and of
    products that are all alike, and that alternate. complex64, shape (11, 62)."""
    groups = range(LTE_UPLINK_GROUPS)
    sequences = [lte_uplink_reference(group, BLOCK) for group in groups] + [nr_low_papr_12(group) for group in groups]
    products = [sequence[1:].conj() * sequence[:-1] for sequence in sequences]
    return np.stack([*products, np.ones(BLOCK - 1), (-1.0) ** np.arange(BLOCK - 1)], axis=1).astype(np.complex64)


def _control_excess(products: np.ndarray) -> np.ndarray:
    """How much more than noise products are as in a block of the PUCCH: float, shape (first subcarriers, 62)."""
    patterns, length = _control_patterns(), BLOCK - 1
    count = products.shape[2] - length + 1
    sums = np.zeros((max(0, count), patterns.shape[1]))
    if not sums.size or not len(products):
        return sums[:0]
    # Of squared sums over a block, every term is a product of two subcarriers so far apart, whose mean over all symbols
    # is the same for every group.
    for apart in range(1, length):
        means = np.mean(products[..., apart:] * products[..., :-apart].conj(), axis=(0, 1))
        blocks = np.lib.stride_tricks.sliding_window_view(means, length - apart)[:count]
        sums += 2 * (blocks @ (patterns[apart:] * patterns[:-apart].conj())).real
    return sums / length


def _by_control(excess: np.ndarray, frequencies: np.ndarray, middle: float, spacing: float) -> UplinkSignals | None:
    """By blocks of the PUCCH, of one group, at both ends of a carrier around the middle of a part."""
    if not len(excess):
        return None
    pairs = [pair for count in CONTROL_BLOCKS for pair in _pairs(excess, count, frequencies, middle, spacing)]
    strongest = max((pair.strength for pair in pairs), default=0.0)
    # Of a PUCCH of several blocks, inner ones may be as far apart as those of a narrower carrier.
    clear = [pair for pair in pairs if 2 * pair.strength >= strongest]
    return max(clear, key=lambda pair: pair.found.channel_bandwidth or 0.0).found if clear else None


class _Pair(NamedTuple):
    """Both ends of a carrier by its PUCCH: what they say, and the strength of the weaker."""

    found: UplinkSignals
    strength: float


def _pairs(excess: np.ndarray, count: int, frequencies: np.ndarray, middle: float, spacing: float) -> Iterator[_Pair]:
    """Ends of so many blocks as far apart as a carrier's."""
    padded = np.pad(excess, (((count - 1) * BLOCK,) * 2, (0, 0)))
    steps = [padded[BLOCK * step :][: len(excess)] / np.sqrt(count) for step in range(2 * count - 1)]
    # From the outermost block inwards.
    ends = [sum(steps[count - 1 :]), sum(steps[:count])]
    are_clear = [_is_clear(end, count) for end in ends]
    for technology, columns, blocks_of in _systems(spacing):
        groups = excess[:, columns]
        limit = CONTROL_LIMIT * max(1.4826 * np.median(np.abs(groups - np.median(groups))), 1e-9)
        lower, upper = (np.where(is_clear, end, 0)[:, columns] / limit for end, is_clear in zip(ends, are_clear))
        for bandwidth, blocks in blocks_of.items():
            if 4 * count > blocks:
                continue
            distance = (blocks - 1) * BLOCK
            both = np.minimum(lower[: max(0, len(lower) - distance)], upper[distance:])
            for place, group in zip(*(found.tolist() for found in np.nonzero(both >= 1))):
                edge = float(frequencies[place] - spacing / 2)
                edges = edge, edge + blocks * BLOCK * spacing
                between = groups[place : place + blocks * BLOCK : BLOCK, group]
                is_everywhere = np.quantile(between, 0.25) > both[place, group] * limit / 2
                if edges[0] < middle < edges[1] and not is_everywhere:
                    yield _Pair(UplinkSignals(technology, group, edges, bandwidth), both[place, group])


def _is_clear(end: np.ndarray, count: int) -> np.ndarray:
    """What is clearly of one group, and strongest there: sequences look like others a few subcarriers beside."""
    second, first = np.sort(end, axis=1)[:, -2:, None].transpose(1, 0, 2)
    strongest_near = maximum_filter1d(first, 2 * BLOCK * count - 1, axis=0)
    return (first >= OVER_OTHERS * second) & (end >= strongest_near)


@cache
def _systems(spacing: float) -> tuple[tuple[str, slice, dict[float, int]], ...]:
    """Whose PUCCH subcarriers with a spacing in Hz may be: technology, columns of `_control_patterns`, and resource
    blocks by channel bandwidth in Hz."""
    lte = LTE, slice(0, LTE_UPLINK_GROUPS), LTE_N_RB
    nr = NR, slice(LTE_UPLINK_GROUPS, 2 * LTE_UPLINK_GROUPS), N_RB[spacing]
    return (lte, nr) if spacing == SPACING else (nr,)
