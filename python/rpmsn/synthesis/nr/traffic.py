# SPDX-License-Identifier: GPL-3.0-or-later
"""Users of an NR cell: when they are served, on which resource blocks, and their PDCCH and PDSCH."""

from typing import TYPE_CHECKING

import numpy as np

from ...standards.nr_grant import GROUPS_PER_CCE, dmrs_symbols, mini_slot_dmrs_symbols
from ..grid import scattered_runs
from .carrier import Bursts, cell_generator
from .control import add_pdcch
from .data import RandomData, add_pdsch, double_dmrs_symbols, random_user

if TYPE_CHECKING:
    from .downlink import NrDownlink

MINI_SLOT_LENGTHS = (2, 4, 7)

QUIET_PDCCH_CHANCE, QUIET_PDCCH_LOAD = 0.1, 0.1
"""A slot without user data still has some grants (uplink, paging) occasionally."""


class Traffic:
    """PDCCH and PDSCH of a cell's users, slot by slot."""

    def __init__(self, cell: "NrDownlink", data: RandomData) -> None:
        self.cell, self.data, self.rng = cell, data, data.rng
        own = cell_generator(cell.cell_id)
        drawn = [random_user(own, cell.modulations, cell.dmrs_type, cell.pdsch_power_db) for _ in range(cell.users)]
        self.users = drawn if cell.schedule is None else drawn[:1] * len(cell.schedule[2])
        self.bursts = Bursts(cell.load, cell.duty, cell.burst_slots, self.rng)

    def fill(self, slot: np.ndarray, number: int, n_downlink: int) -> None:
        """Add PDCCH and PDSCH to one slot.

        Args:
            slot: complex64, shape (14, n_subcarriers), is changed.
            number: slot since frame 0.
            n_downlink: symbols of the slot that belong to the downlink, from its start on.
        """
        self.bursts.next_slot()
        cell, rng = self.cell, self.rng
        if cell.style == "ssb_only" or n_downlink < cell.coreset[2]:
            return
        runs = self._runs(number)
        load = cell.pdcch_load
        if not runs:
            load = QUIET_PDCCH_LOAD if rng.random() < QUIET_PDCCH_CHANCE else 0.0
        in_frame = number % cell.slots_per_frame
        used = rng.random(cell.coreset[1] * cell.coreset[2] // GROUPS_PER_CCE) < load
        if used.any():
            add_pdcch(slot, in_frame, cell.cell_id, cell.coreset, cell.coreset_interleaved, used, 1.0, self.data)
        for user, blocks in zip(self.users, runs):
            symbols, reference = self._time_allocation(n_downlink)
            if blocks[1] and symbols:
                add_pdsch(slot, in_frame, cell.cell_id, blocks, symbols, reference, user, cell.dmrs_type, self.data)

    def _runs(self, number):
        """(first resource block, resource blocks) of each user in a slot; [] if nobody is served."""
        cell, rng = self.cell, self.rng
        if cell.schedule is not None:
            slots, period, blocks = cell.schedule
            return blocks if number % period in slots else []
        if cell.style == "full":
            return split_run(0, cell.n_rb, cell.users, rng)
        if not self.bursts.is_busy or cell.load == 0:
            return []
        wanted = min(cell.n_rb, int(cell.n_rb * cell.load / self.bursts.duty + rng.random()))
        if cell.scattered:
            return scattered_runs(cell.n_rb, wanted, cell.users, rng)
        first = int(self.bursts.place * (cell.n_rb - wanted + 1))
        return split_run(first, wanted, cell.users, rng)

    def _time_allocation(self, n_downlink):
        """(start, stop) symbols of a PDSCH and its reference symbols; (None, ()) if the slot has no room."""
        cell, rng = self.cell, self.rng
        first = cell.coreset[2]
        lengths = [length for length in MINI_SLOT_LENGTHS if length <= n_downlink - first]
        if lengths and cell.mini_slot_share and rng.random() < cell.mini_slot_share:
            length = lengths[int(rng.integers(len(lengths)))]
            start = int(rng.integers(first, n_downlink - length + 1))
            return (start, start + length), mini_slot_dmrs_symbols(start, length, cell.dmrs_additional)
        if n_downlink < cell.dmrs_first + cell.dmrs_length:
            return None, ()
        positions = double_dmrs_symbols if cell.dmrs_length == 2 else dmrs_symbols
        return (first, n_downlink), positions(n_downlink, cell.dmrs_first, cell.dmrs_additional)


def split_run(first: int, width: int, users: int, rng: np.random.Generator) -> list[tuple[int, int]]:
    """Split the run of resource blocks first, first + 1, ... at random among users: [(first, width)] of each."""
    cuts = [0, *sorted(rng.integers(0, width + 1, users - 1).tolist()), width]
    return [(first + start, stop - start) for start, stop in zip(cuts, cuts[1:])]
