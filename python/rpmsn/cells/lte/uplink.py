# SPDX-License-Identifier: GPL-3.0-or-later
"""The LTE uplink, by the reference signals of its terminals (TS 36.211 5.5): what no base station sends.

In each slot in which a terminal sends data, one symbol has a Zadoff-Chu sequence over the terminal's subcarriers, of
one of 30 groups that the cell has. From subcarrier to subcarrier, products of neighbours turn there by
(group + 1) / 31 of a cycle, as good as whatever the grant's width is; and cyclic shift, delay and channel turn all of
them alike. So neither grants, timing advance nor channel have to be known, and many slots and terminals add up.
"""

from dataclasses import dataclass

import numpy as np
import scipy.fft

from ...standards.sequences import LTE_UPLINK_GROUPS
from ..grid import SLOT, symbol_timing
from ..grid import STRENGTH_LIMIT as PREFIX_LIMIT
from ..spectrum import BASE_RATE

SPACING = 15e3
SYMBOL, PREFIX, SYMBOLS = 128, 9, 7
"""Samples of a symbol and of its prefix, at the base rate; in a slot, of which the first prefix is one longer."""
EARLY = 4
"""Samples of the prefix that a symbol's FFT takes in: what comes a little early is in it, too."""

WINDOW, HOP = 36, 12
"""Subcarriers over which products add up, and from one such window to the next: three resource blocks are the narrowest
grant with a Zadoff-Chu sequence; grants begin at resource blocks."""
NARROWEST_HZ = (WINDOW + 1) * SPACING
CYCLES = np.append(np.arange(1, LTE_UPLINK_GROUPS + 1) / (LTE_UPLINK_GROUPS + 1), (0.0, 0.5))
"""By which products of neighbours turn: of every group; of impulses; of pilots on every second subcarrier."""

STRENGTH_LIMIT, CLEARNESS_LIMIT = 6.0, 3.0
"""Of the strongest of all groups in all symbols of a slot: its excess over their median, in their standard deviations,
and over that of the next strongest. Of 459 regions in drawn scenes and recordings that are no uplink, none has both
that is no PSS and turns by no half of a cycle."""
SYNC_SLOTS, MOST_IN_ONE = 10, 0.6
"""A PSS, a Zadoff-Chu sequence as well, comes every ten slots: what has more of its excess in one of ten is one."""


@dataclass(frozen=True, slots=True)
class UplinkReferences:
    """Reference signals that were found.

    Attributes:
        group: of the sequences, 0..29; of most cells the remainder of the cell identity over 30.
        strength: how far they stand out, in standard deviations of chance...
        clearness: ...and over what is the next strongest.
    """

    group: int
    strength: float
    clearness: float


def find_uplink(values: np.ndarray, width: int, lower: float, upper: float) -> UplinkReferences | None:
    """Reference signals of an LTE uplink in a part of a band.

    Args:
        values: complex, at `width` x 1.92e6 samples a second, 10 ms or more; 80 ms are good.
        width: of the band.
        lower, upper: Hz from the band's centre, of the part; 0.555 MHz apart at least.

    Returns:
        None where none are seen.
    """
    excess, prefixes = uplink_excess(values, width, lower, upper)
    if prefixes < PREFIX_LIMIT:
        return None
    means, no_group = np.split(excess.mean(axis=0), [LTE_UPLINK_GROUPS], axis=1)
    symbol, group = np.unravel_index(np.argmax(means), means.shape)
    spread = 1.4826 * np.median(np.abs(means - np.median(means)))
    others = means.copy()
    others[symbol, max(0, group - 1) : group + 2] = 0  # neighbours share its window
    found = UplinkReferences(
        int(group),
        float((means[symbol, group] - np.median(means)) / max(spread, 1e-9)),
        float(means[symbol, group] / max(others.max(), 1e-9)),
    )
    if found.strength < STRENGTH_LIMIT or found.clearness < CLEARNESS_LIMIT or means.max() <= no_group[symbol].max():
        return None
    slots = excess[:, symbol, group]
    folded = np.bincount(np.arange(len(slots)) % SYNC_SLOTS, slots)
    return None if folded.max() > MOST_IN_ONE * folded.sum() else found


def uplink_excess(values: np.ndarray, width: int, lower: float, upper: float) -> tuple[np.ndarray, float]:
    """How much more than noise products of neighbouring subcarriers turn alike, by slot, symbol and group.

    Args:
        values, width, lower, upper: as of `find_uplink`.

    Returns:
        float32, shape (slots, 7, 32), by `CYCLES`, 0 for noise in the mean; and the strength of the prefixes by which
        the symbols were found (`grid.symbol_timing`), 0 where there is no slot, or the part is too narrow.
    """
    nothing = np.zeros((0, SYMBOLS, len(CYCLES)), np.float32), 0.0
    size, rate = SYMBOL * width, BASE_RATE * width
    if len(values) < SLOT * width + size:
        return nothing
    bins = scipy.fft.fft(values, scipy.fft.next_fast_len(len(values)))
    frequencies = scipy.fft.fftfreq(len(bins), 1 / rate)
    bins[(frequencies < lower) | (frequencies > upper)] = 0
    part = scipy.fft.ifft(bins, overwrite_x=True)[: len(values)]
    begin, offset, prefixes = symbol_timing(part, SPACING, width)
    part = part * np.exp(-2j * np.pi * offset / size * np.arange(len(part))).astype(np.complex64)
    starts = width * (1 + PREFIX - EARLY + (SYMBOL + PREFIX) * np.arange(SYMBOLS))
    slots = np.arange(begin, len(part) - SLOT * width + 1, SLOT * width)
    places = scipy.fft.fftfreq(size, 1 / rate)
    inside = np.flatnonzero(scipy.fft.fftshift((places >= lower) & (places <= upper)))
    if not len(slots) or len(inside) <= WINDOW:
        return nothing
    symbols = np.lib.stride_tricks.sliding_window_view(part, size)[np.add.outer(slots, starts)]
    symbols = scipy.fft.fftshift(scipy.fft.fft(symbols, axis=2), axes=2)[..., inside]
    products = symbols[..., 1:] * symbols[..., :-1].conj()
    products /= np.maximum(np.abs(products), np.finfo(np.float32).tiny)
    windows = np.lib.stride_tricks.sliding_window_view(products, WINDOW, axis=2)[:, :, ::HOP]
    turns = np.exp(2j * np.pi * np.outer(np.arange(WINDOW), CYCLES)).astype(np.complex64)
    sums = windows @ turns
    return np.mean(sums.real**2 + sums.imag**2, axis=2, dtype=np.float32) / WINDOW - 1, prefixes
