# SPDX-License-Identifier: GPL-3.0-or-later
"""What an NR cell sends whether or not it has users: SS/PBCH blocks, SIB1, tracking and channel state signals."""

from collections.abc import Sequence, Set
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from ...standards import ldpc, nr_grant
from ...standards.nr import CORESET_ZERO, SSB_FIRST_SYMBOLS, SSB_SUBCARRIERS, SSB_SYMBOLS
from ...standards.nr_grant import CODE_RATES, GROUPS_PER_CCE, SEARCH_SPACE_ZERO, Grant
from ...standards.nr_pbch import SFN_PERIOD, Mib
from ...standards.nr_pbch import encode as nr_pbch_bits
from ...standards.nr_sib1 import Carrier, Sib1
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

TEST_NETWORKS = ("00101",)
"""Mobile country and network code for tests: ITU-T E.212."""

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
        self.sib1 = self._sib1()
        self.csi_rs_symbol, self.csi_rs_comb = int(own.choice((5, 9, 12, 13))), int(own.integers(12))
        self.csi_rs_offset = int(own.integers(cell.csi_rs_period_slots or 1))

    def _sib1(self):
        """SIB1 of the cell, in a network for tests."""
        cell = self.cell
        per_block = round(cell.subcarrier_spacing / 15e3)
        offset = cell.ssb_offset // SUBCARRIERS_PER_RB * per_block
        carrier = Carrier(0, cell.subcarrier_spacing, cell.n_rb)
        return Sib1(TEST_NETWORKS, 1, cell.cell_id, (), offset, (carrier,), cell.tdd_pattern is not None)

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
        taken = {symbol + i for symbol, _, _ in self._due_blocks(number, n_downlink) for i in range(SSB_SYMBOLS)}
        row = sib1_allocation(cell.dmrs_first, control_stop, n_downlink, taken)
        grant = None
        if row is not None:
            room = width // 2 if cell.beams_share_slots else width
            blocks = index % 2 * (width - room), max(4, int(room * self.sib1_share))
            grant = self._sib1_grant(*blocks, row) if cell.sends_mib else None
            self._fill_sib1_data(slot, in_frame, blocks, nr_grant.allocation(row, cell.dmrs_first), amplitude, grant)
        used = np.arange(width * n_symbols // GROUPS_PER_CCE) < SIB1_AGGREGATION
        bits = None if grant is None else nr_grant.encode(grant, width, SIB1_AGGREGATION, cell.cell_id)
        add_pdcch(slot, in_frame, cell.cell_id, (first, width, n_symbols), True, used, amplitude, self.data,
                  control_start, first, bits)  # fmt: skip

    def _sib1_grant(self, first, blocks, row):
        """Grant of the cell's SIB1 at the lowest code rate at which it fits; None where it does not."""
        grants = (Grant(first, blocks, row, scheme=scheme) for scheme in range(len(CODE_RATES)))
        least = len(self.sib1.bits())
        allocated = nr_grant.allocation(row, self.cell.dmrs_first)
        return next((grant for grant in grants if (grant.block_bits(allocated) or 0) >= least), None)

    def _fill_sib1_data(self, slot, in_frame, blocks, allocated, amplitude, grant):
        """A PDSCH in resource blocks of CORESET 0; with a grant it carries the cell's SIB1, else random bits."""
        cell, (first, width) = self.cell, blocks
        lowest = cell.coreset_zero_blocks[0]
        symbols, groups = (allocated.start, allocated.stop), 1 if allocated.has_data_beside else 2
        user = User(bits_per_symbol=2, groups_without_data=groups, amplitude=amplitude)
        add_pdsch(slot, in_frame, cell.cell_id, (lowest + first, width), symbols, allocated.reference_symbols, user, 1,
                  self.data, lowest)  # fmt: skip
        if grant is None:
            return
        band = slice((lowest + first) * SUBCARRIERS_PER_RB, (lowest + first + width) * SUBCARRIERS_PER_RB)
        elements = slot[slice(*symbols), band]
        is_data = np.ones(elements.shape, bool)
        for symbol in allocated.reference_symbols:
            is_data[symbol - allocated.start, slice(0, None, 2) if allocated.has_data_beside else slice(None)] = False
        bits = _sib1_block(self.sib1, cell.cell_id, grant.block_bits(allocated), 2 * int(is_data.sum()))
        elements[is_data] = np.float32(amplitude) * qpsk(bits)

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


def sib1_allocation(dmrs_first: int, control_stop: int, n_downlink: int, taken: Set[int]) -> int | None:
    """The longest default time allocation of a PDSCH that a slot has room for: row of the table, None without room.

    Args:
        dmrs_first: 2 or 3.
        control_stop: symbol after the control region.
        n_downlink: downlink symbols of the slot.
        taken: symbols of SS/PBCH blocks; SIB1 never shares elements with them (TS 38.214 5.1.4).
    """
    rows = [nr_grant.allocation(row, dmrs_first) for row in range(len(nr_grant.DEFAULT_ALLOCATIONS))]
    free = [
        number
        for number, row in enumerate(rows)
        if control_stop <= row.start
        and row.stop <= n_downlink
        and taken.isdisjoint(range(row.start, row.stop))
        and (row.mapping == "B" or row.start <= dmrs_first)
    ]
    return max(free, key=lambda number: rows[number].stop - rows[number].start, default=None)


@lru_cache(maxsize=64)
def _sib1_block(sib1: Sib1, cell_id: int, block_bits: int, sent_bits: int) -> np.ndarray:
    """Scrambled bits of a transport block that begins with SIB1, uint8 (sent_bits,); what follows is random."""
    block = cell_generator(cell_id).integers(0, 2, block_bits, np.uint8)
    message = sib1.bits()
    block[: len(message)] = message
    return ldpc.code(block_bits).encode(block, sent_bits) ^ nr_grant.data_scrambling(cell_id, sent_bits)


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
