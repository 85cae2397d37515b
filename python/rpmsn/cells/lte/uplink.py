# SPDX-License-Identifier: GPL-3.0-or-later
"""The LTE uplink, by what its terminals send (TS 36.211 5.4, 5.5), and no base station does.

Both signals have sequences of one of 30 groups that the cell has, and what is known of these are the products of
neighbouring subcarriers: cyclic shifts, timing, delay and channel turn all of them alike. So neither grants, timing
advance nor channel have to be known, and many slots and terminals add up.

* The PUCCH, in all of its symbols, has a sequence of 12 elements times a number, in a resource block at one end of the
  carrier, and in the next slot at the other. Two such blocks as far apart as in one of the six widths say where the
  carrier ends.
* Where a terminal sends data, one symbol of a slot has a Zadoff-Chu sequence over its subcarriers. Products turn there
  by (group + 1) / 31 of a cycle from each to the next, as good as whatever the grant's width is. A radar's chirps turn
  like that as well, but have no cyclic prefix.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import scipy.fft
from scipy.ndimage import maximum_filter1d

from ...standards.lte import OCCUPIED_HZ
from ...standards.sequences import LTE_UPLINK_GROUPS, lte_uplink_reference, nr_low_papr_12
from ..grid import SLOT, symbol_timing, within
from ..grid import STRENGTH_LIMIT as PREFIX_LIMIT
from ..spectrum import BASE_RATE

SPACING, BLOCK = 15e3, 12
SYMBOL, PREFIX, SYMBOLS = 128, 9, 7
"""Samples of a symbol and of its prefix, at the base rate; in a slot, of which the first prefix is one longer."""
EARLY = 4
"""Samples of the prefix that a symbol's FFT takes in: what comes a little early is in it, too."""

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

CONTROL_LIMIT, OVER_OTHERS = 6.0, 1.5
"""Of both blocks of a PUCCH: their excess in standard deviations of all places and groups; and over that of other
products in the same block: those of any other group (0.54 at most where they are of one), of NR's groups, and those
that are all alike (impulses, tones) or alternate. Of 390 regions that are no uplink one has two such blocks as far
apart as a carrier's: an uplink of NR that was drawn with sequences of its own."""


@dataclass(frozen=True, slots=True)
class UplinkSignals:
    """What was found.

    Attributes:
        group: of the sequences, 0..29; of most cells the remainder of the cell identity over 30.
        edges: of the carrier, Hz from the band's centre; None where no PUCCH says them.
        channel_bandwidth: Hz; None where no PUCCH says it.
    """

    group: int
    edges: tuple[float, float] | None = None
    channel_bandwidth: float | None = None


def find_uplink(
    values: np.ndarray, width: int, part: tuple[float, float], around: tuple[float, float] | None = None
) -> UplinkSignals | None:
    """An LTE uplink in a part of a band.

    Args:
        values: complex, at `width` x 1.92e6 samples a second, 10 ms or more; 80 ms are good.
        width: of the band.
        part: Hz from the band's centre, lower and upper end of what may be one.
        around: of what is looked through for its PUCCH; None: of the part.

    Returns:
        None where none is seen.
    """
    products, frequencies, prefixes = _products(values, width, part, around or part)
    found = _by_control(_control_excess(products), frequencies, sum(part) / 2)
    if found is None and prefixes >= PREFIX_LIMIT:
        inside = (frequencies[:-1] >= part[0]) & (frequencies[1:] <= part[1])
        found = _by_references(reference_excess(products[..., inside]))
    return found


def _products(
    values: np.ndarray, width: int, part: tuple[float, float], around: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray, float]:
    """Products of neighbouring subcarriers, of modulus 1, or 0 where one is leakage: complex64, shape
    (slots, 7, n - 1); the subcarriers' frequencies, shape (n,); and the strength of the prefixes by which the symbols
    were found."""
    size, rate = SYMBOL * width, BASE_RATE * width
    nothing = np.zeros((0, SYMBOLS, 0), np.complex64), np.zeros(1), 0.0
    if len(values) < SLOT * width + size:
        return nothing
    begin, offset, prefixes = symbol_timing(within(values, rate, *part), SPACING, width)
    values = values * np.exp(-2j * np.pi * offset / size * np.arange(len(values))).astype(np.complex64)
    starts = width * (1 + PREFIX - EARLY + (SYMBOL + PREFIX) * np.arange(SYMBOLS))
    slots = np.arange(begin, len(values) - SLOT * width + 1, SLOT * width)
    places = scipy.fft.fftshift(scipy.fft.fftfreq(size, 1 / rate))
    inside = np.flatnonzero((places >= around[0]) & (places <= around[1]))
    if not len(slots) or len(inside) < BLOCK:
        return nothing
    symbols = np.lib.stride_tricks.sliding_window_view(values, size)[np.add.outer(slots, starts)]
    symbols = scipy.fft.fftshift(scipy.fft.fft(symbols, axis=2), axes=2)[..., inside]
    products = symbols[..., 1:] * symbols[..., :-1].conj()
    products /= np.maximum(np.abs(products), np.finfo(np.float32).tiny)
    powers = symbols.real**2 + symbols.imag**2
    is_leakage = powers < LEAKAGE * powers.max(axis=2, keepdims=True)
    products[is_leakage[..., 1:] | is_leakage[..., :-1]] = 0
    return products, places[inside] + offset * SPACING, prefixes


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
    return None if folded.max() > MOST_IN_ONE * folded.sum() else UplinkSignals(int(group))


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


def _by_control(excess: np.ndarray, frequencies: np.ndarray, within: float) -> UplinkSignals | None:
    """By two blocks of the PUCCH around a frequency, which are at the ends of the carrier."""
    if not len(excess):
        return None
    second, first = np.sort(excess, axis=1)[:, -2:, None].transpose(1, 0, 2)
    # Sequences look like others a few subcarriers beside.
    strongest_near = maximum_filter1d(first, 2 * BLOCK - 1, axis=0)
    groups = excess[:, :LTE_UPLINK_GROUPS]
    strengths = groups / max(1.4826 * np.median(np.abs(groups - np.median(groups))), 1e-9)
    strengths[(groups < strongest_near) | (first < OVER_OTHERS * second)] = 0
    best, found = CONTROL_LIMIT, None
    for bandwidth, occupied in sorted(OCCUPIED_HZ.items()):
        distance = round(occupied / SPACING) - BLOCK
        both = np.minimum(strengths[: max(0, len(strengths) - distance)], strengths[distance:])
        lower = frequencies[: len(both)] - SPACING / 2
        both = both[(lower < within) & (within < lower + occupied)]
        if not both.size or both.max() < best:
            continue
        place, group = np.unravel_index(np.argmax(both), both.shape)
        edge = lower[(lower < within) & (within < lower + occupied)][place]
        # Of a PUCCH of several blocks, inner ones may be as far apart as those of a narrower carrier.
        best, found = max(CONTROL_LIMIT, both.max() / 2), UplinkSignals(int(group), (edge, edge + occupied), bandwidth)
    return found
