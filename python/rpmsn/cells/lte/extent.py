# SPDX-License-Identifier: GPL-3.0-or-later
"""How wide an LTE carrier is, where its broadcast channel does not say so: by where its reference signals end.

Cell-specific reference signals are sent in every resource block of the carrier (TS 36.211 6.10.1), and a carrier has
one of six widths (TS 36.104 table 5.6-1). With the cell, the middle and the time known, the places where the carrier
may end are looked at: it ends where there are references up to there, and none from there on.

References of successive slots are multiplied with each other, so that neither the frequency's error nor the channel's
phase matters. A fade is no edge: right beside a true edge references are gone from one block to the next, and still are
some blocks away. In a narrow fade the second does not hold, in a wide one the first.

A wider cell that mutes the references outside its middle six blocks (TS 36.331, `crs-IntfMitigConfig`) looks like the
narrowest carrier, 1.4 MHz. So that is never said.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import scipy.fft

from ...standards.lte import N_RB
from ...standards.sequences import LTE_MAX_N_RB, lte_crs
from ..grid import SLOT
from ..spectrum import Spectrum
from .broadcast import are_present
from .primary import SYMBOL
from .reference import COMB, EARLY, FIRST_SAMPLES, SLOTS, SPACING, SUBCARRIERS, slice_values

REFERENCES_PER_BLOCK = 2
BLOCK_HZ = 12 * SPACING
MOST_BLOCKS, LEAST_BLOCKS = 4, 2
"""Resource blocks on either side of a place that are looked at: so many, where they are in view."""
WINDOWS = (1, 2, 4)
"""Blocks next to the place in which references have to be gone, each."""
FLAT, REACH = 0.9, 0.97
"""Part of the span in which a receiver's filter is no edge, and in which references may be."""
PRESENT = 5.0
"""Standard errors by which references are there: exp(-25) in noise."""
SURE = 3.0
"""The same by which what is left of them has to stay below..."""
GONE = 0.25
"""...this fraction of their power inside."""
TOLD = sorted(N_RB.items(), reverse=True)[:-1]
"""Bandwidths that are told, the widest first."""
HELD_SYMBOLS = np.array([0, 4])
"""Of a slot with normal cyclic prefix, that have references of antenna port 0: TS 36.211 6.10.1.2."""


def measured_bandwidth(
    spectra: Sequence[Spectrum], sample_rate: float, cell_id: int, frequency: float, start_s: float
) -> float | None:
    """Channel bandwidth of an LTE carrier whose cell, middle and time are known, by where its reference signals end.

    Args:
        spectra: of frames that follow each other, 20.6 ms or more in all.
        sample_rate: Hz, 1.92e6 or more.
        cell_id: 0..503, of a cell with normal cyclic prefix.
        frequency: Hz from the samples' centre, of the carrier's middle, which need not be in the samples.
        start_s: seconds from the first sample to the start of a radio frame.

    Returns:
        Hz; None where no end of the carrier is in view, or not clear.
    """
    for bandwidth, n_rb in TOLD:
        places = [_Place(frequency, side, n_rb, sample_rate) for side in (-1, 1)]
        sides = [place.look(spectra, sample_rate, cell_id, start_s) for place in places if place.is_in_view]
        seen = [side for side in sides if side is not None]
        if any(are_present(PRESENT, beyond) for _, beyond in seen):
            return None
        if any(are_present(PRESENT, within) for within, _ in seen):
            return (
                bandwidth
                if any(are_present(PRESENT, within) and _are_gone(within, beyond) for within, beyond in seen)
                else None
            )
    return None


class _Place:
    """Where a carrier may end.

    Args:
        middle: Hz from the samples' centre, of the carrier.
        side: -1 below it, 1 above.
        n_rb: resource blocks that it would have.
        sample_rate: Hz.
    """

    def __init__(self, middle, side, n_rb, sample_rate):
        self.side, self.n_rb, half = side, n_rb, sample_rate / 2
        self.frequency = middle + side * n_rb * BLOCK_HZ / 2
        self.inside = min(int((REACH * half + side * self.frequency) / BLOCK_HZ), MOST_BLOCKS)
        self.outside = min(int((FLAT * half - side * self.frequency) / BLOCK_HZ), MOST_BLOCKS)

    @property
    def is_in_view(self):
        return min(self.inside, self.outside) >= LEAST_BLOCKS

    def look(self, spectra, sample_rate, cell_id, start_s):
        """References within the carrier and beyond, times those of the slot before, mean over the frames: two complex
        arrays (20 slots, 2 symbols, references), from the place on; None where there is not a frame of them."""
        values, rate, middle = slice_values(spectra, sample_rate, self.frequency)
        start = round(start_s * rate)
        first, last = -(-(EARLY - start) // SLOT), (len(values) - start - FIRST_SAMPLES[4] - SYMBOL) // SLOT
        frames = (last - first) // SLOTS
        if frames < 1:
            return None
        numbers = first + np.arange(frames * SLOTS + 1)
        taken = (start + SLOT * numbers[:, None] + FIRST_SAMPLES[HELD_SYMBOLS] - EARLY)[..., None] + np.arange(SYMBOL)
        turns = np.exp(-2j * np.pi * ((self.frequency - middle) / rate * taken % 1)).astype(np.complex64)
        symbols = scipy.fft.fft(values[taken] * turns, axis=-1)
        power = np.mean(np.abs(symbols[..., SUBCARRIERS]) ** 2, axis=-1, keepdims=True)
        # A weak symbol says less, a strong one not more.
        symbols /= np.sqrt(power + np.median(power) + np.float32(1e-30))
        within, beyond = (
            self._products(symbols, numbers, cell_id, columns).reshape(frames, SLOTS, len(HELD_SYMBOLS), -1)
            for columns in self._columns()
        )
        # Another cell's references are the same in each frame: what their mean leaves tells how sure it is.
        return within.mean(axis=0), beyond.mean(axis=0)

    def _columns(self):
        """References within the carrier and beyond, by their places in the sequence of 220, from the place on."""
        outwards = np.arange(LTE_MAX_N_RB + self.n_rb, 2 * LTE_MAX_N_RB)[: REFERENCES_PER_BLOCK * self.outside]
        inwards = np.arange(LTE_MAX_N_RB + self.n_rb)[: -REFERENCES_PER_BLOCK * self.inside - 1 : -1]
        # The sequence's places below the middle are those above it, mirrored.
        return [columns if self.side > 0 else 2 * LTE_MAX_N_RB - 1 - columns for columns in (inwards, outwards)]

    def _products(self, symbols, numbers, cell_id, columns):
        channel = np.empty((len(numbers), len(HELD_SYMBOLS), len(columns)), np.complex64)
        for index, references in enumerate(_references(cell_id)):
            subcarriers = COMB * (columns - LTE_MAX_N_RB) + (cell_id + 3 * index) % COMB
            # The subcarrier in the middle of the carrier is not counted.
            subcarriers += subcarriers >= 0
            values = references[numbers % SLOTS][:, columns]
            channel[:, index] = symbols[:, index, subcarriers - self.side * self.n_rb * COMB] * values.conj()
        return channel[1:] * channel[:-1].conj()


def _are_gone(within, beyond):
    """Whether references are there on one side of a place, and not on the other; both from the place on."""
    inside = within.mean(axis=-1, keepdims=True)
    # Slots of uplink have none: each counts as much as there is inside.
    within, beyond = ((part * inside.conj()).real for part in (within, beyond))
    for blocks in WINDOWS:
        window = slice(blocks * REFERENCES_PER_BLOCK)
        left = beyond[..., window]
        if left.mean() + SURE * left.std() / np.sqrt(left.size) >= GONE * within[..., window].mean():
            return False
    return True


@lru_cache(maxsize=8)
def _references(cell_id):
    """Values in symbols 0 and 4 of the slots of a frame, complex64 (2, 20, 220)."""
    return np.array(
        [[lte_crs(cell_id, LTE_MAX_N_RB, slot, int(symbol)) for slot in range(SLOTS)] for symbol in HELD_SYMBOLS]
    )
