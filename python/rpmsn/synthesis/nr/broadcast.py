# SPDX-License-Identifier: GPL-3.0-or-later
"""What an NR cell sends whether or not it has users: SS/PBCH blocks, SIB1, tracking and channel state signals."""

from collections.abc import Sequence, Set
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from ...standards.nr import CORESET_ZERO, SSB_FIRST_SYMBOLS, SSB_SUBCARRIERS, SSB_SYMBOLS
from ...standards.nr_grant import (
    ALLOCATIONS_MOVED_FOR_POSITION_3,
    DEFAULT_ALLOCATIONS,
    GROUPS_PER_CCE,
    SEARCH_SPACE_ZERO,
    dmrs_symbols,
    mini_slot_dmrs_symbols,
)
from ...standards.nr_pbch import SFN_PERIOD, Mib
from ...standards.nr_pbch import encode as nr_pbch_bits
from ...standards.qam import qpsk, random_qam
from ...standards.sequences import nr_csi_rs, nr_pbch_dmrs, nr_pss, nr_sss
from ..grid import SUBCARRIERS_PER_RB, SYMBOLS_PER_SLOT
from .carrier import cell_generator
from .control import add_pdcch
from .data import RandomData, User, add_pdsch, sequence_length

if TYPE_CHECKING:
    from .downlink import NrDownlink

TRS_PERIODS_MS = (10, 20, 40, 80)
CSI_RS_PERIODS_SLOTS = (4, 5, 8, 10, 16, 20, 32, 40, 64, 80, 160, 320, 640)
CSI_RS_PORTS = (1, 2, 4, 8)

SIB1_AGGREGATION = 4
"""Control channel elements of SIB1's grant."""


class Broadcast:
    """SS/PBCH blocks, SIB1, TRS and CSI-RS of a cell, slot by slot."""

    def __init__(self, cell: "NrDownlink", data: RandomData) -> None:
        self.cell, self.data = cell, data
        self.blocks = self._blocks_by_slot()
        self.grants = self._sib1_grants() if cell.sends_sib1 else {}
        own = cell_generator(cell.cell_id)
        self.trs_symbol, self.trs_comb = int(own.choice((4, 5, 6))), int(own.integers(4))
        self.trs_offset = int(own.integers((cell.trs_period_ms or 1) * cell.slots_per_ms))
        self.sib1_share = own.uniform(0.2, 1)
        self.csi_rs_symbol, self.csi_rs_comb = int(own.choice((5, 9, 12, 13))), int(own.integers(12))
        self.csi_rs_offset = int(own.integers(cell.csi_rs_period_slots or 1))

    def _blocks_by_slot(self):
        """Slot after the start of a burst -> [(first symbol, block index, amplitude)]."""
        by_slot: dict[int, list[tuple[int, int, float]]] = {}
        for index, power_db in self.cell.beams:
            slot, symbol = divmod(SSB_FIRST_SYMBOLS[self.cell.ssb_case][index], SYMBOLS_PER_SLOT)
            by_slot.setdefault(slot, []).append((symbol, index, 10 ** (power_db / 20)))
        return by_slot

    def _sib1_grants(self):
        """Slot of two frames -> [(beam index, amplitude)] that get their SIB1 there: TS 38.213 13, pattern 1."""
        by_slot: dict[int, list[tuple[int, float]]] = {}
        start_ms, step, _ = SEARCH_SPACE_ZERO[self.cell.search_space_zero]
        for index, power_db in self.cell.beams:
            slot = (start_ms * self.cell.slots_per_ms + int(index * step)) % (2 * self.cell.slots_per_frame)
            by_slot.setdefault(slot, []).append((index, 10 ** (power_db / 20)))
        return by_slot

    def fill(self, slot: np.ndarray, number: int, n_downlink: int) -> None:
        """Add what is due to one slot, shape (14, n_subcarriers); it takes its elements from the data.

        Args:
            slot: complex64, is changed.
            number: slot since frame 0.
            n_downlink: symbols of the slot that belong to the downlink, from its start on.
        """
        self._fill_csi_rs(slot, number, n_downlink)
        self._fill_trs(slot, number, n_downlink)
        for index, amplitude in self.grants.get(number % (2 * self.cell.slots_per_frame), ()):
            self._fill_sib1(slot, number, n_downlink, index, amplitude)
        self._fill_blocks(slot, number, n_downlink)

    def _due_blocks(self, number, n_downlink):
        """SS/PBCH blocks of a slot that lie in the downlink: [(first symbol, block index, amplitude)]."""
        blocks = self.blocks.get(number % (self.cell.ssb_period_ms * self.cell.slots_per_ms), ())
        return [block for block in blocks if block[0] + SSB_SYMBOLS <= n_downlink]

    def _fill_blocks(self, slot, number, n_downlink):
        cell = self.cell
        half_frame = number // (5 * cell.slots_per_ms) % 2
        for symbol, index, amplitude in self._due_blocks(number, n_downlink):
            if cell.sends_mib:
                mib = self._mib(number // cell.slots_per_frame, half_frame)
                block = coded_ss_pbch_block(cell.cell_id, index, cell.ssb_blocks, mib)
            else:
                block = ss_pbch_block(cell.cell_id, index, half_frame, cell.ssb_blocks, self.data.rng)
            add_ss_pbch_block(slot, symbol, cell.ssb_offset, np.float32(amplitude) * block)

    def _mib(self, frame, half_frame):
        cell = self.cell
        # 15 kHz steps from the resource block's lowest subcarrier; 31: no SIB1 (TS 38.213 13).
        offset = cell.ssb_offset % SUBCARRIERS_PER_RB * round(cell.subcarrier_spacing / 15e3)
        return Mib(
            frame=frame % SFN_PERIOD,
            half_frame=half_frame,
            subcarrier_spacing_common=int(cell.subcarrier_spacing == 30e3),
            ssb_subcarrier_offset=offset if cell.sends_sib1 else 31,
            dmrs_position=cell.dmrs_first,
            pdcch_config_sib1=16 * cell.coreset_zero + cell.search_space_zero if cell.sends_sib1 else 0,
        )

    def _fill_sib1(self, slot, number, n_downlink, index, amplitude):
        """One beam's SIB1 and its grant; beams in one slot alternate in frequency."""
        cell = self.cell
        first, width, n_symbols = cell.coreset_zero_blocks
        control_start = SEARCH_SPACE_ZERO[cell.search_space_zero][2]
        if control_start is None:
            control_start = n_symbols * (index % 2)
        # Two beams in a slot have their control regions one after the other, and data only after both.
        control_stop = control_start + n_symbols * (2 - index % 2 if cell.beams_share_slots else 1)
        if control_start + n_symbols > n_downlink:
            return
        in_frame = number % cell.slots_per_frame
        used = np.arange(width * n_symbols // GROUPS_PER_CCE) < SIB1_AGGREGATION
        add_pdcch(slot, in_frame, cell.cell_id, (first, width, n_symbols), True, used, amplitude, self.data,
                  control_start, first)  # fmt: skip
        taken = {symbol + i for symbol, _, _ in self._due_blocks(number, n_downlink) for i in range(SSB_SYMBOLS)}
        symbols, reference = sib1_allocation(cell.dmrs_first, control_stop, n_downlink, taken)
        if symbols:
            room = width // 2 if cell.beams_share_slots else width
            blocks = first + index % 2 * (width - room), max(4, int(room * self.sib1_share))
            user = User(bits_per_symbol=2, groups_without_data=2, amplitude=amplitude)
            add_pdsch(slot, in_frame, cell.cell_id, blocks, symbols, reference, user, 1, self.data, first)

    def _fill_trs(self, slot, number, n_downlink):
        cell = self.cell
        if cell.trs_period_ms is None or n_downlink < SYMBOLS_PER_SLOT:
            return
        if (number - self.trs_offset) % (cell.trs_period_ms * cell.slots_per_ms) in (0, 1):
            in_frame = number % cell.slots_per_frame
            add_trs(slot, in_frame, cell.cell_id, (self.trs_symbol, self.trs_symbol + 4), self.trs_comb)

    def _fill_csi_rs(self, slot, number, n_downlink):
        cell = self.cell
        if cell.csi_rs_period_slots is None or self.csi_rs_symbol >= n_downlink:
            return
        if (number - self.csi_rs_offset) % cell.csi_rs_period_slots == 0:
            in_frame = number % cell.slots_per_frame
            add_csi_rs(slot, in_frame, cell.cell_id, self.csi_rs_symbol, cell.csi_rs_ports, self.csi_rs_comb)


def coreset_zero(subcarrier_spacing: float, index: int, ssb_offset: int) -> tuple[int, int, int]:
    """CORESET 0 as (first resource block, resource blocks, symbols): TS 38.213 13.

    Args:
        subcarrier_spacing: Hz, of SS/PBCH block and carrier.
        index: row of `CORESET_ZERO`.
        ssb_offset: lowest subcarrier of the SS/PBCH block, from the carrier's lowest.
    """
    width, n_symbols, offset = CORESET_ZERO[subcarrier_spacing][index]
    return ssb_offset // SUBCARRIERS_PER_RB - offset, width, n_symbols


def fitting_coresets_zero(subcarrier_spacing: float, n_rb: int, ssb_offset: int) -> list[int]:
    """Indices of `CORESET_ZERO` whose resource blocks lie within a carrier of n_rb."""
    fitting = []
    for index in range(len(CORESET_ZERO.get(subcarrier_spacing, ()))):
        first, width, _ = coreset_zero(subcarrier_spacing, index, ssb_offset)
        if first >= 0 and first + width <= n_rb:
            fitting.append(index)
    return fitting


def sib1_allocation(
    dmrs_first: int, control_stop: int, n_downlink: int, taken: Set[int]
) -> tuple[tuple[int, int] | None, tuple[int, ...]]:
    """The longest default time allocation of a PDSCH that a slot has room for.

    Args:
        dmrs_first: 2 or 3.
        control_stop: symbol after the control region.
        n_downlink: downlink symbols of the slot.
        taken: symbols of SS/PBCH blocks; SIB1 never shares elements with them (TS 38.214 5.1.4).

    Returns:
        (start, stop) and the symbols with reference signals; (None, ()) without room.
    """
    rows = DEFAULT_ALLOCATIONS
    if dmrs_first == 3:
        rows = tuple(ALLOCATIONS_MOVED_FOR_POSITION_3.get(row, row) for row in rows)
    free = [
        (mapping, start, length)
        for mapping, start, length in rows
        if control_stop <= start
        and start + length <= n_downlink
        and taken.isdisjoint(range(start, start + length))
        and (mapping == "B" or start <= dmrs_first)
    ]
    if not free:
        return None, ()
    mapping, start, length = max(free, key=lambda row: row[2])
    if mapping == "B":
        return (start, start + length), mini_slot_dmrs_symbols(start, length, 2)
    return (start, start + length), dmrs_symbols(start + length, dmrs_first, 2)


def ss_pbch_block(cell_id: int, index: int, half_frame: int, blocks: int, rng: np.random.Generator) -> np.ndarray:
    """An SS/PBCH block, complex64 (4, 240), with random data: TS 38.211 7.4.3.1."""
    block, data = ss_pbch_reference(cell_id, index, half_frame, blocks)
    block = block.copy()
    block[data] = random_qam(rng, int(data.sum()))
    return block


def coded_ss_pbch_block(cell_id: int, index: int, blocks: int, mib: Mib) -> np.ndarray:
    """An SS/PBCH block, complex64 (4, 240), with a MIB coded as receivers expect it: TS 38.212 7.1, TS 38.211 7.3.3.

    Args:
        cell_id: 0..1007.
        index: of the block in its burst.
        blocks: blocks that a burst can hold, 4 or 8.
        mib: its fields; the half frame is also in the reference signal where there are 4 blocks.
    """
    block, data = ss_pbch_reference(cell_id, index, mib.half_frame, blocks)
    block = block.copy()
    block[data] = qpsk(nr_pbch_bits(mib, cell_id, index % blocks))
    return block


@lru_cache(maxsize=64)
def ss_pbch_reference(cell_id: int, index: int, half_frame: int, blocks: int) -> tuple[np.ndarray, np.ndarray]:
    """PSS, SSS and PBCH reference signal of a block (4, 240), and where the PBCH's data goes, bool (4, 240)."""
    block = np.zeros((SSB_SYMBOLS, SSB_SUBCARRIERS), np.complex64)
    has_pbch = np.zeros(block.shape, bool)
    has_pbch[[1, 3]] = True
    has_pbch[2, :48] = has_pbch[2, 192:] = True
    is_reference = has_pbch & (np.arange(SSB_SUBCARRIERS) % 4 == cell_id % 4)
    block[is_reference] = nr_pbch_dmrs(cell_id, index, half_frame, blocks)
    block[0, 56:183], block[2, 56:183] = _synchronisation(cell_id)
    return block, has_pbch & ~is_reference


@lru_cache(maxsize=16)
def _synchronisation(cell_id):
    return nr_pss(cell_id), nr_sss(cell_id)


def add_ss_pbch_block(slot: np.ndarray, symbol: int, offset: int, block: np.ndarray) -> None:
    """Put a block into a slot, and clear every resource block that it touches: TS 38.214 5.1.4.

    Args:
        slot: shape (14, n_subcarriers), is changed.
        symbol: the block's first symbol.
        offset: the block's lowest subcarrier.
        block: complex64 (4, 240).
    """
    start = offset // SUBCARRIERS_PER_RB * SUBCARRIERS_PER_RB
    stop = -(-(offset + SSB_SUBCARRIERS) // SUBCARRIERS_PER_RB) * SUBCARRIERS_PER_RB
    slot[symbol : symbol + SSB_SYMBOLS, start:stop] = 0
    slot[symbol : symbol + SSB_SYMBOLS, offset : offset + SSB_SUBCARRIERS] = block


def add_trs(slot: np.ndarray, in_frame: int, cell_id: int, symbols: Sequence[int], comb: int) -> None:
    """Tracking reference signal, 3 elements a resource block: TS 38.211 7.4.1.5.3 row 1, TS 38.214 5.1.6.1.1.

    Args:
        slot: shape (14, n_subcarriers), is changed.
        in_frame: slot in the frame.
        symbols: the symbols that carry it.
        comb: its lowest subcarrier, 0..3.
    """
    for symbol in symbols:
        slot[symbol, comb::4] = csi_rs_values(cell_id, in_frame, symbol, slot.shape[1] // 4)


@lru_cache(maxsize=128)
def csi_rs_values(cell_id: int, in_frame: int, symbol: int, n: int) -> np.ndarray:
    """CSI-RS values r(0..n-1) of a symbol, complex64 (n,)."""
    return nr_csi_rs(cell_id, in_frame, symbol, sequence_length(n))[:n]


def add_csi_rs(slot: np.ndarray, in_frame: int, cell_id: int, symbol: int, ports: int, comb: int) -> None:
    """Channel state reference signal on every resource block: TS 38.211 table 7.4.1.5.3-1, rows 2, 3, 4 and 6.

    Ports come in pairs on two neighbouring elements. They are added up with the second one a quarter period behind,
    as over the air they meet at some phase, so that all elements have equal power.

    Args:
        slot: shape (14, n_subcarriers), is changed.
        in_frame: slot in the frame.
        symbol: the symbol that carries it.
        ports: 1, 2, 4 or 8.
        comb: picks one of the places in the resource block, 0..11.
    """
    n_rb = slot.shape[1] // SUBCARRIERS_PER_RB
    blocks = slot[symbol].reshape(n_rb, SUBCARRIERS_PER_RB)
    if ports == 1:
        blocks[:, comb] = csi_rs_values(cell_id, in_frame, symbol, n_rb)
        return
    values = csi_rs_values(cell_id, in_frame, symbol, 2 * n_rb).reshape(n_rb, 2)
    pair = values * np.array([1 + 1j, 1 - 1j], np.complex64) * np.float32(np.sqrt(0.5))
    n_pairs = ports // 2
    start = 2 * (comb % (7 - n_pairs)) if ports != 4 else 4 * (comb % 3)
    blocks[:, start : start + ports] = np.tile(pair, n_pairs)
