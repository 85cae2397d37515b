# SPDX-License-Identifier: GPL-3.0-or-later
"""The resource grid: what an LTE or NR carrier sends on every subcarrier of every OFDM symbol."""

from dataclasses import dataclass

import numpy as np

SUBCARRIERS_PER_RB = 12
SYMBOLS_PER_SLOT = 14

EXTENDED_ROWS_IN_TIME = np.array([0, 1, 2, 3, 3, 4, 5, 6, 7, 8, 9, 9, 10, 11])
"""Which of two symbols with normal and ten with extended cyclic prefix is on the air in each 14th of a slot."""


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
        half_subcarrier_shift: every subcarrier lies half a spacing higher (LTE uplink, TS 36.211 5.6).
        extended_prefix: bool, shape (n_slots,), or None for none: True for a slot (an LTE MBSFN subframe) whose symbols
            after the control region, its first two, have extended cyclic prefix. Such a slot has 12 symbols, in its
            first 12 rows; its last two rows are 0.
        shared: bool, shape (n_symbols, n_rb), or None: blocks in which a carrier of both technologies (dynamic
            spectrum sharing) sends signals of NR.
    """

    symbols: np.ndarray
    technology: str
    subcarrier_spacing: float
    bandwidth: float
    has_dc_null: bool
    active: np.ndarray
    slot_duration_s: float
    cell_id: int
    half_subcarrier_shift: bool = False
    extended_prefix: np.ndarray | None = None
    shared: np.ndarray | None = None

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
        """bool, shape (n_symbols, n_rb): True where a resource block carries energy in a 14th of a slot."""
        has_energy = (self.symbols != 0).reshape(len(self.symbols), self.n_rb, SUBCARRIERS_PER_RB).any(axis=2)
        return has_energy if self.extended_prefix is None else has_energy[self.rows_in_time]

    @property
    def rows_in_time(self) -> np.ndarray:
        """Row of `symbols` that is on the air in each 14th of a slot, int, shape (n_symbols,).

        It counts up by one, but for slots of 12 symbols with extended cyclic prefix.
        """
        rows = np.arange(len(self.symbols)).reshape(-1, SYMBOLS_PER_SLOT)
        if self.extended_prefix is not None:
            rows[self.extended_prefix] = rows[self.extended_prefix, :1] + EXTENDED_ROWS_IN_TIME
        return rows.ravel()


def scattered_runs(n_blocks: int, n_taken: int, n_runs: int, rng: np.random.Generator) -> list[tuple[int, int]]:
    """Distribute `n_taken` of `n_blocks` over runs with gaps between them, as a scheduler does among its users.

    Returns:
        n_runs pairs (start, width), ascending, not overlapping; a width may be 0.
    """
    # Plain integers: arrays of a handful cost more than they save.
    width_edges = [0, *sorted(rng.integers(0, n_taken + 1, n_runs - 1).tolist()), n_taken]
    gap_edges = sorted(rng.integers(0, n_blocks - n_taken + 1, n_runs).tolist())
    return [(gap + edge, end - edge) for gap, edge, end in zip(gap_edges, width_edges[:-1], width_edges[1:])]
