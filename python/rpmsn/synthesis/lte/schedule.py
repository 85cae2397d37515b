# SPDX-License-Identifier: GPL-3.0-or-later
"""Which resource blocks of an LTE downlink carry the PDSCH: TS 36.211 6.2.3, TS 36.213 7.1.6."""

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from ...standards.lte import SUBFRAMES_PER_FRAME
from ..grid import scattered_runs

if TYPE_CHECKING:
    from .downlink import LteDownlink

NARROWEST_WITH_GAP_2 = 50
"""Resource blocks from which on distributed blocks may have the second gap."""


class Scheduler:
    """Decides which resource blocks carry the PDSCH, subframe by subframe."""

    def __init__(self, cell: "LteDownlink", rng: np.random.Generator) -> None:
        self.cell, self.rng = cell, rng
        self.duty = max(cell.load, 1.0 if cell.duty is None else cell.duty)
        # What stays constant in a cell depends on the cell alone, so that two grids of it fit each other in time.
        cell_generator = np.random.default_rng(cell.cell_id)
        self.run_start = cell_generator.random()
        self.information_width = max(2, round(cell.n_rb * cell_generator.uniform(0.04, 0.16)))
        self.information_start = int(cell_generator.integers(cell.n_rb - self.information_width + 1))
        self.information_is_distributed = cell.n_rb > 6 and cell_generator.random() < 0.5
        self.gap = 2 if cell.n_rb >= NARROWEST_WITH_GAP_2 and cell_generator.random() < 0.5 else 1

    def modulation(self) -> int:
        """Bits a symbol for this subframe."""
        return self.cell.modulations[int(self.rng.integers(len(self.cell.modulations)))]

    def user_blocks(self, in_frame: int) -> np.ndarray:
        """bool (2, n_rb): the blocks that carry user data in each slot of a subframe (0..9)."""
        n_rb, allocation = self.cell.n_rb, self.cell.allocation
        if in_frame in self.cell.silent_subframes:
            return np.zeros((2, n_rb), bool)
        if allocation == "full":
            return np.ones((2, n_rb), bool)
        if allocation == "idle" or self.cell.load == 0 or self.rng.random() >= self.duty:
            return np.zeros((2, n_rb), bool)
        # Rounded at random, so that the mean is the load also where a subframe has less than one block.
        wanted = min(n_rb, int(n_rb * self.cell.load / self.duty + self.rng.random()))
        if allocation == "localised":
            start = int(self.run_start * (n_rb - wanted + 1))
            return _localised(n_rb, start, wanted)
        if allocation == "distributed":
            # The second gap leaves the upper blocks out: a busy subframe takes the first.
            gap = self.gap if wanted <= distributed_places(n_rb, self.gap).shape[1] else 1
            return _distributed(n_rb, gap, int(self.rng.integers(n_rb)), wanted)
        return _scattered_groups(n_rb, wanted, self.cell.users, self.rng)

    def information_blocks(self, number: int) -> np.ndarray:
        """bool (2, n_rb): the blocks that carry system information, `number` subframes after an even frame's start.

        SIB1 is sent in subframe 5 of even frames, the rest in windows of the operator's choice: TS 36.331 5.2.1.2.
        """
        frame, in_frame = divmod(number, SUBFRAMES_PER_FRAME)
        is_sib1 = in_frame == 5 and frame % 2 == 0
        is_other = in_frame == 0 and self.rng.random() < 0.1
        if not self.cell.system_information or not (is_sib1 or is_other):
            return np.zeros((2, self.cell.n_rb), bool)
        if self.information_is_distributed:
            return _distributed(self.cell.n_rb, 1, self.information_start, self.information_width)
        return _localised(self.cell.n_rb, self.information_start, self.information_width)


def _localised(n_rb, start, count):
    """Localised virtual resource blocks, the same in both slots: TS 36.211 6.2.3.1."""
    blocks = np.zeros((2, n_rb), bool)
    blocks[:, start : start + count] = True
    return blocks


def _scattered_groups(n_rb, wanted, users, rng):
    """About `wanted` blocks in resource block groups, in one run for each user: TS 36.213 7.1.6.1."""
    size = _group_size(n_rb)
    n_groups = -(-n_rb // size)
    n_taken = min(n_groups, int(wanted / n_rb * n_groups + rng.random()))
    taken = np.zeros(n_groups, bool)
    for start, width in scattered_runs(n_groups, n_taken, users, rng):
        taken[start : start + width] = True
    return np.repeat(taken, size)[None, :n_rb].repeat(2, axis=0)


def _group_size(n_rb):
    """Resource blocks a group: TS 36.213 table 7.1.6.1-1."""
    return next(size for size, limit in ((1, 10), (2, 26), (3, 63), (4, 110)) if n_rb <= limit)


def _distributed(n_rb, gap, start, count):
    """Distributed virtual resource blocks start, start + 1, ... (cyclic): TS 36.211 6.2.3.2."""
    places = distributed_places(n_rb, gap)
    virtual = (start + np.arange(min(count, places.shape[1]))) % places.shape[1]
    blocks = np.zeros((2, n_rb), bool)
    blocks[0, places[0, virtual]] = True
    blocks[1, places[1, virtual]] = True
    return blocks


@lru_cache(maxsize=16)
def distributed_places(n_rb: int, gap: int = 1) -> np.ndarray:
    """Resource block of each distributed virtual block in both slots, int (2, n_virtual): TS 36.211 6.2.3.2.

    Args:
        n_rb: resource blocks across the carrier.
        gap: 1, or 2 from 50 resource blocks on. With 2 the blocks of a user stay nearer to one another.
    """
    distance = _gap_blocks(n_rb, gap)
    if gap == 1:
        unit, n_units = 2 * min(distance, n_rb - distance), 1
    else:
        unit, n_units = 2 * distance, n_rb // (2 * distance)
    even = _interleaved(unit, _group_size(n_rb))
    places = np.stack([even, (even + unit // 2) % unit])
    places = np.where(places < unit // 2, places, places + distance - unit // 2)
    return np.concatenate([places + unit * index for index in range(n_units)], axis=1)


def _gap_blocks(n_rb, gap):
    """Resource blocks that the gap spans: TS 36.211 table 6.2.3.2-1."""
    if gap == 2:
        return 9 if n_rb < 64 else 16
    limits = ((10, -(-n_rb // 2)), (11, 4), (19, 8), (26, 12), (44, 18), (63, 27), (79, 32), (110, 48))
    return next(blocks for limit, blocks in limits if n_rb <= limit)


def _interleaved(unit, group):
    """Where each of `unit` virtual blocks comes to lie in the first slot: four columns, written by rows, read down."""
    n_rows = -(-unit // (4 * group)) * group
    is_null = np.zeros((n_rows, 4), bool)
    is_null[n_rows - (4 * n_rows - unit) // 2 :, 1::2] = True
    matrix = np.full((n_rows, 4), -1)
    matrix[~is_null] = np.arange(unit)
    read_out = matrix.T[matrix.T >= 0]
    places = np.empty(unit, int)
    places[read_out] = np.arange(unit)
    return places
