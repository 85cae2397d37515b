# SPDX-License-Identifier: GPL-3.0-or-later
"""The LTE downlink as a resource grid: TS 36.211, normal cyclic prefix, all antenna ports added up.

Synchronisation and reference signals are the real sequences at the real places; channels that carry data have the
real places and random symbols. One function fills in one physical channel or signal of one subframe.
"""
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np

from rpmsn.errors import require
from rpmsn.synthesis.grid import SUBCARRIERS_PER_RB, ResourceGrid, scattered_runs
from rpmsn.synthesis.qam import random_qam
from rpmsn.synthesis.sequences import LTE_CELL_IDS, lte_crs, lte_crs_subcarriers, lte_pss, lte_sss

_require = partial(require, "LteDownlink")

SUBCARRIER_SPACING = 15e3
SYMBOLS_PER_SUBFRAME = 14
SUBFRAMES_PER_FRAME = 10

N_RB = {1.4e6: 6, 3e6: 15, 5e6: 25, 10e6: 50, 15e6: 75, 20e6: 100}
"""Channel bandwidth (Hz) -> resource blocks: TS 36.104 table 5.6-1."""

TDD_SUBFRAMES = (
    "DSUUUDSUUU",
    "DSUUDDSUUD",
    "DSUDDDSUDD",
    "DSUUUDDDDD",
    "DSUUDDDDDD",
    "DSUDDDDDDD",
    "DSUUUDSUUD",
)
"""Downlink, special and uplink subframes of configurations 0..6: TS 36.211 table 4.2-2."""

DWPTS_SYMBOLS = (3, 9, 10, 11, 12, 3, 9, 10, 11, 6)
"""Downlink symbols of the special subframe, configurations 0..9: TS 36.211 table 4.2-1."""

LONGEST_DWPTS_WITHOUT_DATA = 3
"""A special subframe with so few downlink symbols has no PDSCH: TS 36.213 7.1.7."""

ALLOCATIONS = ("rbg", "localised", "distributed", "full", "idle")
MODULATIONS = (2, 4, 6)
PHICH_RESOURCES = (1 / 6, 1 / 2, 1, 2)
"""N_g of TS 36.211 6.9."""

TDD_PHICH_FACTORS = (
    (2, 1, 0, 0, 0, 2, 1, 0, 0, 0),
    (0, 1, 0, 0, 1, 0, 1, 0, 0, 1),
    (0, 0, 0, 1, 0, 0, 0, 0, 1, 0),
    (1, 0, 0, 0, 0, 0, 0, 0, 1, 1),
    (0, 0, 0, 0, 0, 0, 0, 0, 1, 1),
    (0, 0, 0, 0, 0, 0, 0, 0, 1, 0),
    (1, 1, 0, 0, 0, 1, 1, 0, 0, 1),
)
"""m_i of TS 36.211 table 6.9-1, by configuration and subframe."""

INTERLEAVER_COLUMNS = (1, 17, 9, 25, 5, 21, 13, 29, 3, 19, 11, 27, 7, 23, 15, 31,
                       0, 16, 8, 24, 4, 20, 12, 28, 2, 18, 10, 26, 6, 22, 14, 30)  # fmt: skip
"""Column order of TS 36.212 table 5.1.4-2."""

IDLE_CONTROL_LOAD = 0.02
"""Share of control channel elements and PHICH groups in use while there is no user data (paging, uplink)."""


@dataclass
class LteDownlink:
    """An LTE cell's downlink.

    Attributes:
        bandwidth_hz: 1.4, 3, 5, 10, 15 or 20 MHz.
        cell_id: physical cell identity, 0..503.
        ports: antenna ports with reference signals, 1, 2 or 4.
        tdd_config: None for FDD, or the uplink-downlink configuration 0..6.
        special_subframe: special subframe configuration 0..9 (TDD only).
        load: mean share of the downlink's resource blocks that carry user data, 0..1.
        duty: share of subframes that carry user data, load..1; None: 1. A busy subframe has load / duty of its blocks.
        allocation: how users get their blocks. 'rbg': scattered groups, new in each subframe (resource allocation
            type 0); 'localised': one stretch that stays; 'distributed': blocks spread over the carrier, other ones in
            the second slot; 'full': every block of every subframe; 'idle': no user at all.
        users: users sharing a subframe ('rbg').
        pdsch_power_db: power of PDSCH elements over that of the reference signals, dB.
        pdcch_load: share of the control channel elements in use in subframes with user data, 0..1.
        phich_resource: N_g, one of 1/6, 1/2, 1, 2.
        system_information: send SIB1, and other system information now and then.
        start_ms: where in the frame structure the grid begins, ms after the start of an even frame.
    """

    bandwidth_hz: float = 20e6
    cell_id: int = 0
    ports: int = 2
    tdd_config: int | None = None
    special_subframe: int = 7
    load: float = 0.2
    duty: float | None = None
    allocation: str = "rbg"
    users: int = 3
    pdsch_power_db: float = 0.0
    pdcch_load: float = 0.4
    phich_resource: float = 1.0
    system_information: bool = True
    start_ms: int = 0

    def __post_init__(self):
        _require("bandwidth_hz", self.bandwidth_hz, self.bandwidth_hz in N_RB, "1.4, 3, 5, 10, 15 or 20 MHz, in Hz")
        _require("cell_id", self.cell_id, 0 <= self.cell_id < LTE_CELL_IDS, f"0..{LTE_CELL_IDS - 1}")
        _require("ports", self.ports, self.ports in (1, 2, 4), "1, 2 or 4")
        _require(
            "tdd_config",
            self.tdd_config,
            self.tdd_config is None or self.tdd_config in range(len(TDD_SUBFRAMES)),
            "None (FDD) or 0..6",
        )
        _require("special_subframe", self.special_subframe, self.special_subframe in range(10), "0..9")
        _require("load", self.load, 0 <= self.load <= 1, "0..1")
        _require("duty", self.duty, self.duty is None or self.load <= self.duty <= 1, "None or load..1")
        _require("allocation", self.allocation, self.allocation in ALLOCATIONS, ", ".join(ALLOCATIONS))
        _require("users", self.users, self.users >= 1, "1 or more")
        _require("pdcch_load", self.pdcch_load, 0 <= self.pdcch_load <= 1, "0..1")
        _require("phich_resource", self.phich_resource, self.phich_resource in PHICH_RESOURCES, "1/6, 1/2, 1 or 2")
        _require("start_ms", self.start_ms, self.start_ms >= 0, "0 or more")

    @classmethod
    def random(cls, rng, **fixed):
        """A cell as found on the air: mostly lightly loaded, any bandwidth, duplex and allocation.

        Args:
            rng: `numpy.random.Generator`.
            fixed: attributes that are given instead of drawn.
        """
        load = float(fixed.get("load", _random_load(rng) * (fixed.get("duty") or 1)))
        if load == 0:
            allocation = "idle"
        elif load == 1:
            allocation = "full"
        else:
            allocation = str(rng.choice(ALLOCATIONS[:3], p=(0.5, 0.3, 0.2)))
        is_tdd = rng.random() < 0.3
        drawn = dict(
            bandwidth_hz=float(rng.choice(list(N_RB), p=(0.05, 0.06, 0.16, 0.26, 0.17, 0.3))),
            cell_id=int(rng.integers(LTE_CELL_IDS)),
            ports=int(rng.choice((1, 2, 4), p=(0.25, 0.55, 0.2))),
            tdd_config=int(rng.choice(7, p=(0.06, 0.24, 0.4, 0.08, 0.08, 0.08, 0.06))) if is_tdd else None,
            special_subframe=int(rng.choice(10, p=(0.05, 0.05, 0.05, 0.05, 0.05, 0.2, 0.2, 0.25, 0.05, 0.05))),
            load=load,
            duty=float(rng.uniform(load, 1)) if rng.random() < 0.7 else None,
            allocation=allocation,
            users=int(rng.integers(1, 7)),
            pdsch_power_db=float(rng.choice((-6, -4.77, -3, -1.77, 0, 1, 2, 3))),
            pdcch_load=float(rng.uniform(0.1, 0.9)),
            phich_resource=float(rng.choice(PHICH_RESOURCES)),
            system_information=bool(rng.random() < 0.95),
            start_ms=int(rng.integers(20)),
        )
        return cls(**{**drawn, **fixed})

    @property
    def n_rb(self) -> int:
        """Resource blocks across the carrier."""
        return N_RB[self.bandwidth_hz]

    def downlink_symbols(self, subframe):
        """Symbols of a subframe (0..9) that belong to the downlink: 14, those of the DwPTS, or 0."""
        if self.tdd_config is None:
            return SYMBOLS_PER_SUBFRAME
        kind = TDD_SUBFRAMES[self.tdd_config][subframe]
        return {"D": SYMBOLS_PER_SUBFRAME, "S": DWPTS_SYMBOLS[self.special_subframe], "U": 0}[kind]

    def grid(self, n_ms, rng) -> ResourceGrid:
        """The downlink's resource grid.

        Args:
            n_ms: duration, whole milliseconds.
            rng: `numpy.random.Generator` for users and data.
        """
        _require("n_ms", n_ms, n_ms == int(n_ms) and n_ms >= 1, "a whole number of milliseconds, 1 or more")
        symbols = np.zeros((n_ms, SYMBOLS_PER_SUBFRAME, self.n_rb * SUBCARRIERS_PER_RB), np.complex64)
        active = np.zeros(n_ms, bool)
        scheduler = _Scheduler(self, rng)
        for number, subframe in enumerate(symbols, self.start_ms):
            active[number - self.start_ms] = self.downlink_symbols(number % SUBFRAMES_PER_FRAME) > 0
            if active[number - self.start_ms]:
                self._fill(subframe, number, scheduler, rng)
        return ResourceGrid(
            symbols=symbols.reshape(-1, symbols.shape[2]),
            technology="LTE",
            subcarrier_spacing=SUBCARRIER_SPACING,
            bandwidth=self.bandwidth_hz,
            has_dc_null=True,
            active=active,
            slot_duration_s=1e-3,
            cell_id=self.cell_id,
        )

    def _fill(self, subframe, number, scheduler, rng):
        """Everything of one subframe, shape (14, n_subcarriers), in which the downlink has a part.

        The order matters: reference and synchronisation signals take their elements from the data.
        """
        in_frame = number % SUBFRAMES_PER_FRAME
        n_symbols = self.downlink_symbols(in_frame)
        users, information = scheduler.user_blocks(), scheduler.information_blocks(number)
        blocks = users | information
        if n_symbols <= LONGEST_DWPTS_WITHOUT_DATA:
            blocks[:] = False
        n_control = _control_symbols(self, in_frame, blocks.any(), rng)
        _add_pdsch(subframe, (n_control, n_symbols), blocks, scheduler.modulation(), self.pdsch_power_db, rng)
        share = self.pdcch_load if users.any() else IDLE_CONTROL_LOAD
        n_phich = _phich_groups(self, in_frame)
        pcfich, phich, pdcch = _control_elements(self.cell_id, self.n_rb, self.ports, n_control, n_phich)
        _add_pcfich(subframe, pcfich, rng)
        _add_phich(subframe, phich, share, rng)
        _add_pdcch(subframe, pdcch, share, information.any(), rng)
        if in_frame == 0:
            _add_pbch(subframe, self.cell_id, rng)
        _add_synchronisation(subframe, self.cell_id, in_frame, self.tdd_config is not None)
        _add_crs(subframe, self.cell_id, self.ports, in_frame, n_symbols)


class _Scheduler:
    """Decides which resource blocks carry the PDSCH, subframe by subframe."""

    def __init__(self, cell, rng):
        self.cell, self.rng = cell, rng
        self.duty = max(cell.load, 1.0 if cell.duty is None else cell.duty)
        # What a cell keeps for good depends on the cell alone, so that two grids of it fit each other in time.
        habits = np.random.default_rng(cell.cell_id)
        self.stretch_start = habits.random()
        self.information_width = max(2, round(cell.n_rb * habits.uniform(0.04, 0.16)))
        self.information_start = int(habits.integers(cell.n_rb - self.information_width + 1))
        self.information_is_distributed = cell.n_rb > 6 and habits.random() < 0.5

    def modulation(self):
        """Bits a symbol for this subframe."""
        return int(self.rng.choice(MODULATIONS))

    def user_blocks(self):
        """bool (2, n_rb): the blocks that carry user data in each slot of the next subframe."""
        n_rb, allocation = self.cell.n_rb, self.cell.allocation
        if allocation == "full":
            return np.ones((2, n_rb), bool)
        if allocation == "idle" or self.cell.load == 0 or self.rng.random() >= self.duty:
            return np.zeros((2, n_rb), bool)
        # Rounded at random, so that the mean is the load also where a subframe has less than one block.
        wanted = min(n_rb, int(n_rb * self.cell.load / self.duty + self.rng.random()))
        if allocation == "localised":
            start = int(self.stretch_start * (n_rb - wanted + 1))
            return _stretch(n_rb, start, wanted)
        if allocation == "distributed":
            return _distributed(n_rb, int(self.rng.integers(n_rb)), wanted)
        return _scattered_groups(n_rb, wanted, self.cell.users, self.rng)

    def information_blocks(self, number):
        """bool (2, n_rb): the blocks that carry system information, `number` subframes after an even frame's start.

        SIB1 is sent in subframe 5 of even frames, the rest in windows of the operator's choice: TS 36.331 5.2.1.2.
        """
        frame, in_frame = divmod(number, SUBFRAMES_PER_FRAME)
        is_sib1 = in_frame == 5 and frame % 2 == 0
        is_other = in_frame == 0 and self.rng.random() < 0.1
        if not self.cell.system_information or not (is_sib1 or is_other):
            return np.zeros((2, self.cell.n_rb), bool)
        if self.information_is_distributed:
            return _distributed(self.cell.n_rb, self.information_start, self.information_width)
        return _stretch(self.cell.n_rb, self.information_start, self.information_width)


def _stretch(n_rb, start, count):
    """Localised virtual resource blocks, the same in both slots: TS 36.211 6.2.3.1."""
    blocks = np.zeros((2, n_rb), bool)
    blocks[:, start : start + count] = True
    return blocks


def _scattered_groups(n_rb, wanted, users, rng):
    """About `wanted` blocks in resource block groups, dealt out in one run for each user: TS 36.213 7.1.6.1."""
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


def _distributed(n_rb, start, count):
    """Distributed virtual resource blocks start, start + 1, ... (cyclic): TS 36.211 6.2.3.2."""
    places = _distributed_places(n_rb)
    virtual = (start + np.arange(min(count, places.shape[1]))) % places.shape[1]
    blocks = np.zeros((2, n_rb), bool)
    blocks[0, places[0, virtual]] = True
    blocks[1, places[1, virtual]] = True
    return blocks


@lru_cache(maxsize=16)
def _distributed_places(n_rb):
    """Resource block of each distributed virtual block in both slots, int (2, n_virtual): TS 36.211 6.2.3.2, gap 1."""
    limits = ((10, -(-n_rb // 2)), (11, 4), (19, 8), (26, 12), (44, 18), (63, 27), (79, 32), (110, 48))
    gap = next(gap for limit, gap in limits if n_rb <= limit)
    group = _group_size(n_rb)
    n_virtual = 2 * min(gap, n_rb - gap)
    n_rows = -(-n_virtual // (4 * group)) * group
    empty = 4 * n_rows - n_virtual
    is_null = np.zeros((n_rows, 4), bool)
    is_null[n_rows - empty // 2 :, 1::2] = True
    matrix = np.full((n_rows, 4), -1)
    matrix[~is_null] = np.arange(n_virtual)
    read_out = matrix.T[matrix.T >= 0]
    even = np.empty(n_virtual, int)
    even[read_out] = np.arange(n_virtual)
    interleaved = np.stack([even, (even + n_virtual // 2) % n_virtual])
    return np.where(interleaved < n_virtual // 2, interleaved, interleaved + gap - n_virtual // 2)


def _control_symbols(cell, in_frame, has_data, rng):
    """Symbols of the control region in this subframe: TS 36.211 table 6.7-1."""
    is_special = cell.tdd_config is not None and in_frame in (1, 6)
    fewest, most = (2, 4) if cell.n_rb <= 10 else (1, 3)
    if is_special:
        most = 2
    return int(rng.integers(fewest, most + 1)) if has_data else fewest


def _add_pdsch(subframe, symbols, blocks, bits_per_symbol, power_db, rng):
    """Data on the allocated blocks: TS 36.211 6.3, 6.4.

    Args:
        subframe: shape (14, n_subcarriers).
        symbols: (start, stop) of the symbols that carry data.
        blocks: bool (2, n_rb) for the two slots.
    """
    amplitude = np.float32(10 ** (power_db / 20))
    half = SYMBOLS_PER_SUBFRAME // 2
    for slot, allocated in enumerate(blocks):
        start, stop = max(symbols[0], slot * half), min(symbols[1], (slot + 1) * half)
        subcarriers = np.flatnonzero(np.repeat(allocated, SUBCARRIERS_PER_RB))
        if stop > start and subcarriers.size:
            shape = (stop - start, subcarriers.size)
            subframe[start:stop, subcarriers] = amplitude * random_qam(rng, shape, bits_per_symbol)


def _add_pcfich(subframe, elements, rng):
    """Control format indicator, in every downlink subframe: TS 36.211 6.7."""
    subframe.flat[elements] = random_qam(rng, elements.shape)


def _add_phich(subframe, groups, share, rng):
    """Acknowledgements in a share of the groups, (n_groups, 12) elements: TS 36.211 6.9."""
    used = groups[rng.random(len(groups)) < share]
    subframe.flat[used] = random_qam(rng, used.shape)


def _add_pdcch(subframe, elements, share, has_common, rng):
    """Grants in a share of the control channel elements, (n_cce, 36) resource elements: TS 36.211 6.8.

    Args:
        has_common: also use the first eight control channel elements, as for system information.
    """
    aggregation = int(rng.choice((1, 2, 4, 8)))
    used = np.repeat(rng.random(-(-len(elements) // aggregation)) < share, aggregation)[: len(elements)]
    used[:8] |= has_common
    subframe.flat[elements[used]] = random_qam(rng, (int(used.sum()), elements.shape[1]))


@lru_cache(maxsize=256)
def _control_elements(cell_id, n_rb, ports, n_control, n_phich):
    """Places of the control channels, as indices into a flattened subframe.

    Returns:
        PCFICH (16,), PHICH (n_phich, 12) and PDCCH (n_cce, 36).
    """
    first = _element_groups(cell_id, n_rb, 0, has_reference=True)
    pcfich = (cell_id % (2 * n_rb) + np.arange(4) * n_rb // 2) % len(first)
    free = np.delete(first, pcfich, axis=0)
    thirds = np.arange(3) * len(free) // 3
    phich = (cell_id + np.arange(n_phich)[:, None] + thirds) % len(free)
    control = [np.delete(free, phich.ravel(), axis=0)]
    for symbol in range(1, n_control):
        control.append(_element_groups(cell_id, n_rb, symbol, has_reference=symbol == 1 and ports == 4))
    pdcch = _control_channel_elements(np.concatenate(control), cell_id, n_rb, ports)
    return first[pcfich].ravel(), free[phich].reshape(n_phich, 12), pdcch


def _element_groups(cell_id, n_rb, symbol, has_reference):
    """Resource element groups of a symbol, (n_groups, 4) indices into a flattened subframe: TS 36.211 6.2.4."""
    subcarriers = np.arange(n_rb * SUBCARRIERS_PER_RB)
    if has_reference:
        subcarriers = subcarriers[subcarriers % 3 != cell_id % 3]
    return symbol * n_rb * SUBCARRIERS_PER_RB + subcarriers.reshape(-1, 4)


def _control_channel_elements(groups, cell_id, n_rb, ports):
    """Control channel elements, (n_cce, 36), out of the element groups left for them: TS 36.211 6.8.1, 6.8.5."""
    symbol, subcarrier = np.divmod(groups[:, 0], n_rb * SUBCARRIERS_PER_RB)
    width = np.array([6, 6 if ports == 4 else 4, 4, 4])[symbol]
    lowest = subcarrier // width * width
    groups = groups[np.lexsort((symbol, lowest))]
    content = np.roll(_interleaver(len(groups)), -cell_id)
    place = np.empty(len(groups), int)
    place[content] = np.arange(len(groups))
    n_cce = len(groups) // 9
    return groups[place[: 9 * n_cce]].reshape(n_cce, 36)


def _interleaver(n):
    """Sub-block interleaver of n entries: which one comes at each place: TS 36.212 5.1.4.2.1."""
    n_rows = -(-n // 32)
    matrix = np.concatenate([np.full(32 * n_rows - n, -1), np.arange(n)]).reshape(n_rows, 32)
    order = matrix[:, INTERLEAVER_COLUMNS].T.ravel()
    return order[order >= 0]


def _phich_groups(cell, in_frame):
    """PHICH groups in a subframe: TS 36.211 6.9 and table 6.9-1."""
    groups = int(np.ceil(cell.phich_resource * cell.n_rb / 8))
    return groups if cell.tdd_config is None else groups * TDD_PHICH_FACTORS[cell.tdd_config][in_frame]


def _add_pbch(subframe, cell_id, rng):
    """Master information block, in subframe 0: TS 36.211 6.6.4. Elements of four ports' references stay free."""
    middle = _middle(subframe.shape[1], 72)
    block = random_qam(rng, (4, 72))
    block[:2, np.arange(72) % 3 == cell_id % 3] = 0
    subframe[7:11, middle] = block


def _add_synchronisation(subframe, cell_id, in_frame, is_tdd):
    """PSS and SSS where this subframe has them: TS 36.211 6.11.1.2, 6.11.2.2."""
    signals = []
    if in_frame in (0, 5):
        signals.append((13 if is_tdd else 5, _sss(cell_id, in_frame)))
    if in_frame in ((1, 6) if is_tdd else (0, 5)):
        signals.append((2 if is_tdd else 6, lte_pss(cell_id)))
    for symbol, sequence in signals:
        subframe[symbol, _middle(subframe.shape[1], 72)] = 0
        subframe[symbol, _middle(subframe.shape[1], 62)] = sequence


_sss = lru_cache(maxsize=64)(lte_sss)


def _middle(n_subcarriers, width):
    """Slice of the middle `width` subcarriers."""
    return slice((n_subcarriers - width) // 2, (n_subcarriers + width) // 2)


def _add_crs(subframe, cell_id, ports, in_frame, n_symbols):
    """Cell-specific reference signals of all ports: TS 36.211 6.10.1."""
    elements, values = _crs_elements(cell_id, subframe.shape[1] // SUBCARRIERS_PER_RB, ports, in_frame, n_symbols)
    subframe.flat[elements] = values


@lru_cache(maxsize=128)
def _crs_elements(cell_id, n_rb, ports, in_frame, n_symbols):
    """Indices into a flattened subframe and values of the reference signals in its first n_symbols symbols."""
    elements, values = [], []
    for symbol in range(n_symbols):
        slot, in_slot = 2 * in_frame + symbol // 7, symbol % 7
        for port in range(ports):
            subcarriers = lte_crs_subcarriers(cell_id, n_rb, port, slot, in_slot)
            if subcarriers.size:
                elements.append(symbol * n_rb * SUBCARRIERS_PER_RB + subcarriers)
                values.append(lte_crs(cell_id, n_rb, slot, in_slot))
    return np.concatenate(elements), np.concatenate(values)


def _random_load(rng):
    """Load of a cell as seen on the air: sometimes idle, mostly below 0.3, now and then up to full."""
    kind = rng.random()
    if kind < 0.15:
        return 0.0
    if kind < 0.75:
        return rng.uniform(0.01, 0.3)
    return rng.uniform(0.3, 1.0) if kind < 0.92 else 1.0
