# SPDX-License-Identifier: GPL-3.0-or-later
"""The resource grid: what an LTE or NR carrier sends on every subcarrier of every OFDM symbol."""
from dataclasses import dataclass

import numpy as np

SUBCARRIERS_PER_RB = 12
SYMBOLS_PER_SLOT = 14


@dataclass
class ResourceGrid:
    """One carrier before the OFDM modulator.

    A slot here is always 14 symbols of normal cyclic prefix: an NR slot, or an LTE subframe.

    Attributes:
        symbols: complex64, shape (n_symbols, n_subcarriers), lowest subcarrier first; unit mean power per used
            resource element, 0 where nothing is sent.
        technology: "LTE" or "NR".
        subcarrier_spacing: Hz.
        bandwidth: nominal channel bandwidth, Hz.
        has_dc_null: True where the subcarrier at the carrier's centre is left empty (LTE downlink).
        active: bool, shape (n_slots,): True for a slot whose downlink symbols may carry energy.
        slot_duration_s: seconds of one slot (14 symbols).
        cell_id: physical cell identity, 0..503 (LTE) or 0..1007 (NR).
    """

    symbols: np.ndarray
    technology: str
    subcarrier_spacing: float
    bandwidth: float
    has_dc_null: bool
    active: np.ndarray
    slot_duration_s: float
    cell_id: int

    @property
    def n_rb(self) -> int:
        """Resource blocks across the carrier."""
        return self.symbols.shape[1] // SUBCARRIERS_PER_RB

    @property
    def occupied_bandwidth(self) -> float:
        """N_RB x 12 x subcarrier spacing, Hz."""
        return self.n_rb * SUBCARRIERS_PER_RB * self.subcarrier_spacing

    @property
    def symbols_per_ms(self) -> int:
        """OFDM symbols in one millisecond."""
        return round(SYMBOLS_PER_SLOT * 1e-3 / self.slot_duration_s)

    @property
    def duration_s(self) -> float:
        """Seconds of the whole grid, a whole number of milliseconds."""
        return len(self.symbols) // self.symbols_per_ms * 1e-3

    @property
    def subcarrier_offsets(self) -> np.ndarray:
        """Subcarriers as whole subcarrier spacings from the carrier's centre, shape (n_subcarriers,)."""
        n_subcarriers = self.symbols.shape[1]
        offsets = np.arange(n_subcarriers) - n_subcarriers // 2
        return offsets + (offsets >= 0) if self.has_dc_null else offsets

    @property
    def on_air(self) -> np.ndarray:
        """bool, shape (n_symbols, n_rb): True where a resource block really carries energy in a symbol."""
        return (self.symbols != 0).reshape(len(self.symbols), self.n_rb, SUBCARRIERS_PER_RB).any(axis=2)


def scattered_runs(n_blocks, n_taken, n_runs, rng):
    """Deal `n_taken` of `n_blocks` out in runs with gaps between them, as a scheduler does among its users.

    Returns:
        n_runs pairs (start, width), ascending, not overlapping; a width may be 0.
    """
    widths = np.diff(np.sort(rng.integers(0, n_taken + 1, n_runs - 1)), prepend=0, append=n_taken)
    gaps = np.diff(np.sort(rng.integers(0, n_blocks - n_taken + 1, n_runs)), prepend=0)
    starts = np.cumsum(gaps + widths) - widths
    return [(int(start), int(width)) for start, width in zip(starts, widths)]
