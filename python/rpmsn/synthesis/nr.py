# SPDX-License-Identifier: GPL-3.0-or-later
"""The NR downlink as a resource grid: TS 38.211, normal cyclic prefix, FR1, all antenna ports added up.

Synchronisation and reference signals are the real sequences at the real places; channels that carry data have the
real places and random symbols. One function fills in one physical channel or signal of one slot.
"""
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np

from rpmsn.errors import require
from rpmsn.synthesis.grid import SUBCARRIERS_PER_RB, SYMBOLS_PER_SLOT, ResourceGrid, scattered_runs
from rpmsn.synthesis.qam import random_qam
from rpmsn.synthesis.sequences import NR_CELL_IDS, nr_csi_rs, nr_dmrs, nr_pbch_dmrs, nr_pss, nr_sss

_require = partial(require, "NrDownlink")

N_RB = {
    15e3: {5e6: 25, 10e6: 52, 15e6: 79, 20e6: 106, 25e6: 133, 30e6: 160, 35e6: 188, 40e6: 216, 45e6: 242, 50e6: 270},
    30e3: {
        5e6: 11, 10e6: 24, 15e6: 38, 20e6: 51, 25e6: 65, 30e6: 78, 35e6: 92, 40e6: 106, 45e6: 119, 50e6: 133,
        60e6: 162, 70e6: 189, 80e6: 217, 90e6: 245, 100e6: 273,
    },
}  # fmt: skip
"""Subcarrier spacing (Hz) -> channel bandwidth (Hz) -> resource blocks: TS 38.104 table 5.3.2-1."""

SSB_FIRST_SYMBOLS = {
    "A": (2, 8, 16, 22, 30, 36, 44, 50),
    "B": (4, 8, 16, 20, 32, 36, 44, 48),
    "C": (2, 8, 16, 22, 30, 36, 44, 50),
}
"""First symbol of each SS/PBCH block in its half frame: TS 38.213 4.1."""

SSB_CASES = {15e3: ("A",), 30e3: ("B", "C")}
SSB_SUBCARRIERS, SSB_SYMBOLS = 240, 4
SSB_PERIODS_MS = (5, 10, 20, 40, 80, 160)

STYLES = ("bursty", "full", "ssb_only")
MODULATIONS = (2, 4, 6, 8)
MINI_SLOT_LENGTHS = (2, 4, 7)
TRS_PERIODS_MS = (10, 20, 40, 80)
SIB1_OFFSETS_MS = (0, 2, 5, 7)

TDD_PATTERNS = ("DDDSU", "DDDDDDDSUU", "DDSUU", "DDDSUUDDDD", "DSUUU", "DDDSUDDSUU")
"""Common slot patterns; any string of D, S and U can be given."""

QUIET_PDCCH_CHANCE, QUIET_PDCCH_LOAD = 0.1, 0.1
"""A slot without user data still has some grants (uplink, paging) now and then."""


@dataclass
class NrDownlink:
    """An NR cell's downlink.

    Attributes:
        bandwidth_hz: 5 to 100 MHz, see `N_RB`.
        subcarrier_spacing: 15e3 or 30e3 Hz.
        cell_id: physical cell identity, 0..1007.
        tdd_pattern: None for FDD, or slots as a string of D, S and U that repeats, such as "DDDSU".
        special_symbols: downlink symbols of an S slot, 0..14.
        style: 'bursty': users come and go; 'full': every downlink slot full; 'ssb_only': no users.
        load: mean share of the downlink's resource blocks that carry user data, 0..1 ('bursty').
        duty: share of slots with user data, load..1; None: the square root of load.
        burst_slots: mean length of a burst of slots with user data, 1 or more; longer where the duty demands it.
        users: users sharing a slot.
        scattered: users have gaps between them, rather than one stretch in all.
        mini_slot_share: share of PDSCH that lasts only 2, 4 or 7 symbols, 0..1.
        pdsch_power_db: power of user data over that of all else, dB.
        dmrs_type: 1 or 2, PDSCH reference signal.
        dmrs_first: first symbol with PDSCH reference signals in a slot, 2 or 3.
        dmrs_additional: further symbols with them, at most, 0..3.
        coreset: (first resource block, resource blocks, symbols) of the PDCCH; resource blocks a multiple of 6,
            symbols 1..3. None: the whole carrier, 2 symbols.
        coreset_interleaved: spread each control channel element over the CORESET.
        pdcch_load: share of the control channel elements in use in slots with user data, 0..1.
        ssb_case: 'A' (15 kHz), 'B' or 'C' (30 kHz); None: the first that suits the spacing.
        ssb_offset: lowest subcarrier of the SS/PBCH blocks, from the carrier's lowest; None: the middle.
        ssb_period_ms: 5, 10, 20, 40, 80 or 160.
        ssb_blocks: places for blocks in a burst (L_max), 4 or 8.
        beams: (block index, power in dB) of every SS/PBCH block that is heard; () for none.
        sib1: send SIB1 for every beam.
        sib1_offset_ms: 0, 2, 5 or 7, where in an even frame SIB1 begins.
        trs_period_ms: period of the tracking reference signal, 10, 20, 40 or 80; None: not sent.
        start_ms: where in the frame structure the grid begins, ms after the start of frame 0.
    """

    bandwidth_hz: float = 20e6
    subcarrier_spacing: float = 30e3
    cell_id: int = 0
    tdd_pattern: str | None = None
    special_symbols: int = 10
    style: str = "bursty"
    load: float = 0.3
    duty: float | None = None
    burst_slots: float = 4.0
    users: int = 2
    scattered: bool = False
    mini_slot_share: float = 0.0
    pdsch_power_db: float = 0.0
    dmrs_type: int = 1
    dmrs_first: int = 2
    dmrs_additional: int = 1
    coreset: tuple[int, int, int] | None = None
    coreset_interleaved: bool = True
    pdcch_load: float = 0.4
    ssb_case: str | None = None
    ssb_offset: int | None = None
    ssb_period_ms: int = 20
    ssb_blocks: int = 8
    beams: tuple[tuple[int, float], ...] = ((0, 0.0),)
    sib1: bool = True
    sib1_offset_ms: int = 0
    trs_period_ms: int | None = 20
    start_ms: int = 0

    def __post_init__(self):
        self._check_carrier()
        self._check_traffic()
        if self.coreset is None:
            self.coreset = (0, self.n_rb // 6 * 6, 2)
        if self.ssb_case is None:
            self.ssb_case = SSB_CASES[self.subcarrier_spacing][0]
        if self.ssb_offset is None:
            self.ssb_offset = max(0, self.n_subcarriers - SSB_SUBCARRIERS) // 2
        self.coreset = tuple(self.coreset)
        self.beams = tuple(tuple(beam) for beam in self.beams)
        self._check_control()
        self._check_broadcast()

    def _check_carrier(self):
        spacing, widths = self.subcarrier_spacing, N_RB.get(self.subcarrier_spacing, {})
        _require("subcarrier_spacing", spacing, bool(widths), "15e3 or 30e3 Hz")
        allowed = ", ".join(f"{width / 1e6:g}" for width in widths) + f" MHz (in Hz) at {spacing / 1e3:g} kHz"
        _require("bandwidth_hz", self.bandwidth_hz, self.bandwidth_hz in widths, allowed)
        _require("cell_id", self.cell_id, 0 <= self.cell_id < NR_CELL_IDS, f"0..{NR_CELL_IDS - 1}")
        pattern = self.tdd_pattern
        is_pattern = pattern is None or bool(pattern) and set(pattern) <= set("DSU")
        _require("tdd_pattern", pattern, is_pattern, "None (FDD) or a string of D, S and U such as 'DDDSU'")
        _require("special_symbols", self.special_symbols, self.special_symbols in range(15), "0..14")
        _require("start_ms", self.start_ms, self.start_ms >= 0, "0 or more")

    def _check_traffic(self):
        _require("style", self.style, self.style in STYLES, ", ".join(STYLES))
        _require("load", self.load, 0 <= self.load <= 1, "0..1")
        _require("duty", self.duty, self.duty is None or self.load <= self.duty <= 1, "None or load..1")
        _require("burst_slots", self.burst_slots, self.burst_slots >= 1, "1 or more")
        _require("users", self.users, self.users >= 1, "1 or more")
        _require("mini_slot_share", self.mini_slot_share, 0 <= self.mini_slot_share <= 1, "0..1")
        _require("dmrs_type", self.dmrs_type, self.dmrs_type in (1, 2), "1 or 2")
        _require("dmrs_first", self.dmrs_first, self.dmrs_first in (2, 3), "2 or 3")
        _require("dmrs_additional", self.dmrs_additional, self.dmrs_additional in range(4), "0..3")
        _require("pdcch_load", self.pdcch_load, 0 <= self.pdcch_load <= 1, "0..1")
        trs = self.trs_period_ms
        _require("trs_period_ms", trs, trs is None or trs in TRS_PERIODS_MS, f"None or one of {TRS_PERIODS_MS}")

    def _check_control(self):
        first, width, n_symbols = self.coreset
        fits = first >= 0 and width >= 6 and width % 6 == 0 and first + width <= self.n_rb and n_symbols in (1, 2, 3)
        allowed = f"(first, a multiple of 6, 1..3) resource blocks and symbols within {self.n_rb} resource blocks"
        _require("coreset", self.coreset, fits, allowed)

    def _check_broadcast(self):
        cases = SSB_CASES[self.subcarrier_spacing]
        _require("ssb_case", self.ssb_case, self.ssb_case in cases, f"one of {cases} at this subcarrier spacing")
        _require("ssb_period_ms", self.ssb_period_ms, self.ssb_period_ms in SSB_PERIODS_MS, f"one of {SSB_PERIODS_MS}")
        _require("ssb_blocks", self.ssb_blocks, self.ssb_blocks in (4, 8), "4 or 8")
        indices = [index for index, _ in self.beams]
        are_allowed = len(set(indices)) == len(indices) and set(indices) <= set(range(self.ssb_blocks))
        _require("beams", self.beams, are_allowed, f"(index, dB) with different indices 0..{self.ssb_blocks - 1}")
        last = self.n_subcarriers - SSB_SUBCARRIERS
        if self.beams:
            allowed = f"0..{last}" if last >= 0 else "beams=(): the carrier is narrower than an SS/PBCH block"
            _require("ssb_offset", self.ssb_offset, 0 <= self.ssb_offset <= last, allowed)
        is_allowed = self.sib1_offset_ms in SIB1_OFFSETS_MS
        _require("sib1_offset_ms", self.sib1_offset_ms, is_allowed, f"one of {SIB1_OFFSETS_MS}")

    @classmethod
    def random(cls, rng, **fixed):
        """A cell as found on the air: any bandwidth, duplex and position of the SS/PBCH blocks, SSB only to full.

        Args:
            rng: `numpy.random.Generator`.
            fixed: attributes that are given instead of drawn.
        """
        carrier = {**_random_carrier(rng, fixed), **fixed}
        drawn = {**carrier, **_random_traffic(rng, fixed), **_random_broadcast(rng, carrier)}
        return cls(**{**drawn, **fixed})

    @property
    def n_rb(self) -> int:
        """Resource blocks across the carrier."""
        return N_RB[self.subcarrier_spacing][self.bandwidth_hz]

    @property
    def n_subcarriers(self) -> int:
        """Subcarriers across the carrier."""
        return self.n_rb * SUBCARRIERS_PER_RB

    @property
    def slots_per_ms(self) -> int:
        """Slots of 14 symbols in a millisecond."""
        return round(self.subcarrier_spacing / 15e3)

    def downlink_symbols(self, slot):
        """Symbols of a slot (counted from frame 0) that belong to the downlink, from its start on: 0..14."""
        return _downlink_symbols(self.tdd_pattern, self.special_symbols, slot)

    def grid(self, n_ms, rng) -> ResourceGrid:
        """The downlink's resource grid.

        Args:
            n_ms: duration, whole milliseconds.
            rng: `numpy.random.Generator` for users and data.
        """
        _require("n_ms", n_ms, n_ms == int(n_ms) and n_ms >= 1, "a whole number of milliseconds, 1 or more")
        n_slots = int(n_ms) * self.slots_per_ms
        symbols = np.zeros((n_slots, SYMBOLS_PER_SLOT, self.n_subcarriers), np.complex64)
        numbers = range(self.start_ms * self.slots_per_ms, self.start_ms * self.slots_per_ms + n_slots)
        traffic, broadcast = _Traffic(self, rng), _Broadcast(self, rng)
        for slot, number in zip(symbols, numbers):
            n_downlink = self.downlink_symbols(number)
            traffic.fill(slot, number, n_downlink)
            broadcast.fill(slot, number, n_downlink)
        return ResourceGrid(
            symbols=symbols.reshape(-1, self.n_subcarriers),
            technology="NR",
            subcarrier_spacing=self.subcarrier_spacing,
            bandwidth=self.bandwidth_hz,
            has_dc_null=False,
            active=np.array([self.downlink_symbols(number) > 0 for number in numbers]),
            slot_duration_s=1e-3 / self.slots_per_ms,
            cell_id=self.cell_id,
        )


@dataclass
class _User:
    """What one user's PDSCH keeps from slot to slot."""

    bits_per_symbol: int
    groups_without_data: int
    amplitude: float


def _habits(cell):
    """Generator for what a cell keeps for good, so that two grids of a cell fit each other in time."""
    return np.random.default_rng(cell.cell_id)


def _random_user(cell, rng):
    groups = int(rng.integers(1, 3 if cell.dmrs_type == 1 else 4))
    return _User(int(rng.choice(MODULATIONS)), groups, float(10 ** (cell.pdsch_power_db / 20)))


class _Traffic:
    """Users of a cell: when they are served, on which resource blocks, and their PDCCH and PDSCH."""

    def __init__(self, cell, rng):
        self.cell, self.rng = cell, rng
        habits = _habits(cell)
        self.users = [_random_user(cell, habits) for _ in range(cell.users)]
        self.duty = float(np.sqrt(cell.load)) if cell.duty is None else cell.duty
        self.is_busy = rng.random() < self.duty
        self.place = rng.random()

    def fill(self, slot, number, n_downlink):
        """Add PDCCH and PDSCH to one slot, shape (14, n_subcarriers), of which n_downlink symbols are downlink."""
        self._next_state()
        cell, rng = self.cell, self.rng
        if cell.style == "ssb_only" or n_downlink < cell.coreset[2]:
            return
        runs = self._runs()
        share = cell.pdcch_load
        if not runs:
            share = QUIET_PDCCH_LOAD if rng.random() < QUIET_PDCCH_CHANCE else 0.0
        in_frame = number % (10 * cell.slots_per_ms)
        used = rng.random(cell.coreset[1] * cell.coreset[2] // 6) < share
        add_pdcch(slot, in_frame, cell.cell_id, cell.coreset, cell.coreset_interleaved, used, 1.0, rng)
        for user, (start, width) in zip(self.users, runs):
            symbols, reference = self._time_allocation(n_downlink)
            if width and symbols:
                blocks = start, width
                add_pdsch(slot, in_frame, cell.cell_id, blocks, symbols, reference, user, cell.dmrs_type, rng)

    def _next_state(self):
        """Busy and quiet slots alternate as a two-state Markov chain with the wanted duty and burst length."""
        if self.duty >= 1:
            self.is_busy = True
            return
        # Gaps last a slot at least, so a high duty makes bursts longer than asked for.
        leave = min(1 / self.cell.burst_slots, (1 - self.duty) / max(self.duty, 1e-9))
        enter = leave * self.duty / (1 - self.duty)
        was_busy = self.is_busy
        self.is_busy = self.rng.random() < (1 - leave if was_busy else enter)
        if self.is_busy and not was_busy:
            self.place = self.rng.random()

    def _runs(self):
        """(first resource block, resource blocks) of each user in this slot; [] if nobody is served."""
        cell, rng = self.cell, self.rng
        if cell.style == "full":
            return scattered_runs(cell.n_rb, cell.n_rb, cell.users, rng)
        if not self.is_busy or cell.load == 0:
            return []
        wanted = min(cell.n_rb, int(cell.n_rb * cell.load / self.duty + rng.random()))
        if cell.scattered:
            return scattered_runs(cell.n_rb, wanted, cell.users, rng)
        first = int(self.place * (cell.n_rb - wanted + 1))
        return [(first + start, width) for start, width in scattered_runs(wanted, wanted, cell.users, rng)]

    def _time_allocation(self, n_downlink):
        """(start, stop) symbols of a PDSCH and its reference symbols; (None, ()) if the slot has no room."""
        cell, rng = self.cell, self.rng
        first = cell.coreset[2]
        lengths = [length for length in MINI_SLOT_LENGTHS if length <= n_downlink - first]
        if lengths and rng.random() < cell.mini_slot_share:
            length = int(rng.choice(lengths))
            start = int(rng.integers(first, n_downlink - length + 1))
            return (start, start + length), mini_slot_dmrs_symbols(start, length, cell.dmrs_additional)
        if n_downlink <= cell.dmrs_first:
            return None, ()
        return (first, n_downlink), dmrs_symbols(n_downlink, cell.dmrs_first, cell.dmrs_additional)


def dmrs_symbols(duration, first, additional):
    """Symbols of a slot with PDSCH reference signals, mapping type A: TS 38.211 table 7.4.1.1.2-3.

    Args:
        duration: symbols from the slot's start to the end of the PDSCH, 3..14.
        first: position of the first one, 2 or 3.
        additional: further ones at most, 0..3.
    """
    table = (
        (7, ((), (), (), ())),
        (9, ((), (7,), (7,), (7,))),
        (11, ((), (9,), (6, 9), (6, 9))),
        (12, ((), (9,), (6, 9), (5, 8, 11))),
        (14, ((), (11,), (7, 11), (5, 8, 11))),
    )
    return (first,) + next(row for limit, row in table if duration <= limit)[additional]


def mini_slot_dmrs_symbols(start, length, additional):
    """Symbols with PDSCH reference signals of a mini-slot, mapping type B: TS 38.211 table 7.4.1.1.2-3."""
    return (start, start + 4) if length == 7 and additional else (start,)


def add_pdsch(slot, in_frame, cell_id, blocks, symbols, reference_symbols, user, dmrs_type, rng):
    """One user's data and their reference signals: TS 38.211 7.3.1, 7.4.1.1.

    Args:
        slot: shape (14, n_subcarriers), is changed.
        in_frame: slot in the frame.
        blocks: (first resource block, resource blocks).
        symbols: (start, stop).
        reference_symbols: symbols with reference signals.
    """
    band = slice(blocks[0] * SUBCARRIERS_PER_RB, sum(blocks) * SUBCARRIERS_PER_RB)
    shape = (symbols[1] - symbols[0], blocks[1] * SUBCARRIERS_PER_RB)
    amplitude = np.float32(user.amplitude)
    slot[symbols[0] : symbols[1], band] = amplitude * random_qam(rng, shape, user.bits_per_symbol)
    n_rb = slot.shape[1] // SUBCARRIERS_PER_RB
    # Power of the groups that carry no data goes to the reference signal: TS 38.214 table 4.1-1.
    boost = amplitude * np.float32(np.sqrt(user.groups_without_data))
    for symbol in reference_symbols:
        values = _pdsch_dmrs(cell_id, in_frame, symbol, n_rb, dmrs_type)
        per_rb = len(values) // n_rb
        for group in range(user.groups_without_data):
            slot[symbol, band][_dmrs_comb(dmrs_type, blocks[1], group)] = 0
        used = values[blocks[0] * per_rb : sum(blocks) * per_rb]
        slot[symbol, band][_dmrs_comb(dmrs_type, blocks[1], 0)] = boost * used


@lru_cache(maxsize=256)
def _pdsch_dmrs(cell_id, in_frame, symbol, n_rb, dmrs_type):
    return nr_dmrs(cell_id, in_frame, symbol, n_rb * (6 if dmrs_type == 1 else 4))


@lru_cache(maxsize=512)
def _dmrs_comb(dmrs_type, n_rb, group):
    """Subcarriers of a CDM group in n_rb resource blocks: TS 38.211 7.4.1.1.2."""
    subcarriers = np.arange(n_rb * SUBCARRIERS_PER_RB)
    if dmrs_type == 1:
        return subcarriers[subcarriers % 2 == group]
    return subcarriers[subcarriers % 6 // 2 == group]


def add_pdcch(slot, in_frame, cell_id, coreset, interleaved, used, amplitude, rng):
    """Grants on the used control channel elements and their reference signals: TS 38.211 7.3.2, 7.4.1.3.

    Args:
        slot: shape (14, n_subcarriers), is changed.
        in_frame: slot in the frame.
        coreset: (first resource block, resource blocks, symbols).
        used: bool (n_cce,).
    """
    first, width, n_symbols = coreset
    groups = _control_channel_elements(width, n_symbols, interleaved, cell_id)[used].ravel()
    blocks, symbols = np.divmod(groups, n_symbols)
    blocks += first
    values = random_qam(rng, (groups.size, SUBCARRIERS_PER_RB))
    reference = np.stack([_pdcch_dmrs(cell_id, in_frame, s, first + width) for s in range(n_symbols)])
    values[:, 1::4] = reference[symbols[:, None], 3 * blocks[:, None] + np.arange(3)]
    subcarriers = blocks[:, None] * SUBCARRIERS_PER_RB + np.arange(SUBCARRIERS_PER_RB)
    slot[symbols[:, None], subcarriers] = np.float32(amplitude) * values


@lru_cache(maxsize=128)
def _pdcch_dmrs(cell_id, in_frame, symbol, n_rb):
    return nr_dmrs(cell_id, in_frame, symbol, 3 * n_rb)


@lru_cache(maxsize=64)
def _control_channel_elements(width, n_symbols, interleaved, shift):
    """Resource element groups (block x n_symbols + symbol) of each control channel element, int (n_cce, 6).

    TS 38.211 7.3.2.2 with bundles of 6 groups; interleaved where 2, 3 or 6 rows divide the bundles.
    """
    n_bundles = width * n_symbols // 6
    order = np.arange(n_bundles)
    n_rows = next((rows for rows in (2, 3, 6) if n_bundles % rows == 0), None)
    if interleaved and n_rows:
        n_columns = n_bundles // n_rows
        column, row = np.divmod(order, n_rows)
        order = (row * n_columns + column + shift) % n_bundles
    return 6 * order[:, None] + np.arange(6)


class _Broadcast:
    """What a cell sends whether or not it has users: SS/PBCH blocks, SIB1, tracking reference signals."""

    def __init__(self, cell, rng):
        self.cell, self.rng = cell, rng
        self.blocks = self._blocks_by_slot()
        self.sib1_coreset = _sib1_coreset(cell)
        habits = _habits(cell)
        self.trs_symbol, self.trs_comb = int(habits.choice((4, 5, 6))), int(habits.integers(4))
        self.trs_offset = int(habits.integers((cell.trs_period_ms or 1) * cell.slots_per_ms))
        self.sib1_width = int(habits.integers(4, self.sib1_coreset[1] + 1)) if self.sib1_coreset else 0

    def _blocks_by_slot(self):
        """Slot after the start of a burst -> [(first symbol, block index, amplitude)]."""
        by_slot = {}
        for index, power_db in self.cell.beams:
            slot, symbol = divmod(SSB_FIRST_SYMBOLS[self.cell.ssb_case][index], SYMBOLS_PER_SLOT)
            by_slot.setdefault(slot, []).append((symbol, index, 10 ** (power_db / 20)))
        return by_slot

    def fill(self, slot, number, n_downlink):
        """Add what is due to one slot, shape (14, n_subcarriers); it takes its elements from the data."""
        self._fill_trs(slot, number, n_downlink)
        if self.sib1_coreset and n_downlink == SYMBOLS_PER_SLOT:
            self._fill_sib1(slot, number)
        self._fill_blocks(slot, number, n_downlink)

    def _fill_blocks(self, slot, number, n_downlink):
        cell = self.cell
        period = cell.ssb_period_ms * cell.slots_per_ms
        half_frame = number // (5 * cell.slots_per_ms) % 2
        for symbol, index, amplitude in self.blocks.get(number % period, ()):
            if symbol + SSB_SYMBOLS <= n_downlink:
                block = ss_pbch_block(cell.cell_id, index, half_frame, cell.ssb_blocks, self.rng)
                add_ss_pbch_block(slot, symbol, cell.ssb_offset, np.float32(amplitude) * block)

    def _fill_sib1(self, slot, number):
        """PDCCH and PDSCH of SIB1, one slot a beam in every even frame: TS 38.213 13 (pattern 1, M = 1)."""
        cell, rng = self.cell, self.rng
        index = number % (20 * cell.slots_per_ms) - cell.sib1_offset_ms * cell.slots_per_ms
        power_db = dict(cell.beams).get(index)
        if power_db is None:
            return
        in_frame = number % (10 * cell.slots_per_ms)
        amplitude = 10 ** (power_db / 20)
        first, width, n_symbols = self.sib1_coreset
        used = np.arange(width * n_symbols // 6) < 4
        add_pdcch(slot, in_frame, cell.cell_id, self.sib1_coreset, True, used, amplitude, rng)
        user = _User(bits_per_symbol=2, groups_without_data=2, amplitude=amplitude)
        reference = dmrs_symbols(SYMBOLS_PER_SLOT, cell.dmrs_first, 2)
        symbols = (n_symbols, SYMBOLS_PER_SLOT)
        add_pdsch(slot, in_frame, cell.cell_id, (first, self.sib1_width), symbols, reference, user, 1, rng)

    def _fill_trs(self, slot, number, n_downlink):
        cell = self.cell
        if cell.trs_period_ms is None or n_downlink < SYMBOLS_PER_SLOT:
            return
        if (number - self.trs_offset) % (cell.trs_period_ms * cell.slots_per_ms) in (0, 1):
            in_frame = number % (10 * cell.slots_per_ms)
            add_trs(slot, in_frame, cell.cell_id, (self.trs_symbol, self.trs_symbol + 4), self.trs_comb)


def _sib1_coreset(cell):
    """CORESET 0, round the SS/PBCH blocks as far as the carrier allows: TS 38.213 13; None if SIB1 is not sent."""
    width = max((width for width in (24, 48) if width <= cell.n_rb), default=None)
    if not (cell.sib1 and cell.beams and width):
        return None
    first = cell.ssb_offset // SUBCARRIERS_PER_RB + 10 - width // 2
    return min(max(first, 0), cell.n_rb - width), width, 1 if width == 48 else 2


def ss_pbch_block(cell_id, index, half_frame, blocks, rng):
    """An SS/PBCH block, complex64 (4, 240), with random data: TS 38.211 7.4.3.1."""
    block, data = _ss_pbch_reference(cell_id, index, half_frame, blocks)
    block = block.copy()
    block[data] = random_qam(rng, int(data.sum()))
    return block


@lru_cache(maxsize=64)
def _ss_pbch_reference(cell_id, index, half_frame, blocks):
    """PSS, SSS and PBCH reference signal of a block (4, 240), and where the PBCH's data goes, bool (4, 240)."""
    block = np.zeros((SSB_SYMBOLS, SSB_SUBCARRIERS), np.complex64)
    has_pbch = np.zeros(block.shape, bool)
    has_pbch[[1, 3]] = True
    has_pbch[2, :48] = has_pbch[2, 192:] = True
    is_reference = has_pbch & (np.arange(SSB_SUBCARRIERS) % 4 == cell_id % 4)
    block[is_reference] = nr_pbch_dmrs(cell_id, index, half_frame, blocks)
    block[0, 56:183] = nr_pss(cell_id)
    block[2, 56:183] = nr_sss(cell_id)
    return block, has_pbch & ~is_reference


def add_ss_pbch_block(slot, symbol, offset, block):
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


def add_trs(slot, in_frame, cell_id, symbols, comb):
    """Tracking reference signal, 3 elements a resource block: TS 38.211 7.4.1.5.3 row 1, TS 38.214 5.1.6.1.1.

    Args:
        slot: shape (14, n_subcarriers), is changed.
        in_frame: slot in the frame.
        symbols: the symbols that carry it.
        comb: its lowest subcarrier, 0..3.
    """
    for symbol in symbols:
        slot[symbol, comb::4] = nr_csi_rs(cell_id, in_frame, symbol, slot.shape[1] // 4)


def _downlink_symbols(tdd_pattern, special_symbols, slot):
    if tdd_pattern is None:
        return SYMBOLS_PER_SLOT
    return {"D": SYMBOLS_PER_SLOT, "S": special_symbols, "U": 0}[tdd_pattern[slot % len(tdd_pattern)]]


def _random_carrier(rng, fixed):
    """Draw spacing, bandwidth and duplex; 15 kHz is mostly FDD, 30 kHz mostly TDD."""
    spacings = [spacing for spacing in N_RB if fixed.get("bandwidth_hz", 20e6) in N_RB[spacing]] or list(N_RB)
    spacing = float(fixed.get("subcarrier_spacing", rng.choice(spacings)))
    is_tdd = rng.random() < (0.15 if spacing == 15e3 else 0.75)
    return dict(
        subcarrier_spacing=spacing,
        # Below 10 MHz an SS/PBCH block of 30 kHz does not fit.
        bandwidth_hz=float(rng.choice([b for b, n_rb in N_RB.get(spacing, {20e6: 51}).items() if n_rb >= 20])),
        tdd_pattern=str(rng.choice(TDD_PATTERNS, p=(0.35, 0.25, 0.15, 0.1, 0.05, 0.1))) if is_tdd else None,
        special_symbols=int(rng.integers(4, 13)),
    )


def _random_traffic(rng, fixed):
    """Draw how busy the cell is and how it serves its users."""
    style = str(rng.choice(STYLES, p=(0.65, 0.15, 0.2)))
    load = float(fixed.get("load", rng.beta(0.8, 1.6) * (fixed.get("duty") or 1)))
    return dict(
        style=style,
        load=load,
        duty=float(rng.uniform(load, 1)),
        burst_slots=float(np.exp(rng.uniform(0, np.log(40)))),
        users=int(rng.integers(1, 6)),
        scattered=bool(rng.random() < 0.4),
        mini_slot_share=float(rng.choice((0, 0, 0, 0.2, 0.6))),
        pdsch_power_db=float(rng.uniform(-3, 3)),
        dmrs_type=int(rng.choice((1, 2), p=(0.8, 0.2))),
        dmrs_first=int(rng.choice((2, 3))),
        dmrs_additional=int(rng.integers(4)),
        coreset_interleaved=bool(rng.random() < 0.5),
        pdcch_load=float(rng.uniform(0.1, 0.8)),
        trs_period_ms=int(rng.choice(TRS_PERIODS_MS)) if rng.random() < 0.7 else None,
        start_ms=int(rng.integers(160)),
    )


def _random_broadcast(rng, carrier):
    """Draw CORESET, SS/PBCH blocks and beams of a carrier."""
    spacing = carrier["subcarrier_spacing"]
    n_rb = N_RB.get(spacing, {}).get(carrier["bandwidth_hz"], 52)
    coreset_width = 6 * int(rng.integers(min(4, n_rb // 6), n_rb // 6 + 1))
    blocks = int(rng.choice((4, 8)))
    case = str(carrier.get("ssb_case") or rng.choice(SSB_CASES.get(spacing, "A")))
    return dict(
        cell_id=int(rng.integers(NR_CELL_IDS)),
        coreset=(int(rng.integers(n_rb - coreset_width + 1)), coreset_width, int(rng.integers(1, 4))),
        ssb_case=case,
        ssb_offset=int(rng.integers(max(1, n_rb * SUBCARRIERS_PER_RB - SSB_SUBCARRIERS + 1))),
        ssb_period_ms=int(rng.choice((5, 10, 20, 40), p=(0.1, 0.2, 0.6, 0.1))),
        ssb_blocks=blocks,
        beams=_random_beams(rng, carrier, case, blocks) if n_rb * SUBCARRIERS_PER_RB >= SSB_SUBCARRIERS else (),
        sib1=bool(rng.random() < 0.7),
        sib1_offset_ms=int(rng.choice(SIB1_OFFSETS_MS)),
    )


def _random_beams(rng, carrier, case, blocks):
    """Some of the blocks that fit the downlink's slots, one at 0 dB, the others up to 15 dB weaker or 3 dB stronger."""
    heard = []
    for index, first in enumerate(SSB_FIRST_SYMBOLS[case][:blocks]):
        slot, symbol = divmod(first, SYMBOLS_PER_SLOT)
        if symbol + SSB_SYMBOLS <= _downlink_symbols(carrier["tdd_pattern"], carrier["special_symbols"], slot):
            heard.append(index)
    count = int(rng.integers(1, len(heard) + 1))
    indices = sorted(int(index) for index in rng.choice(heard, count, replace=False))
    strongest = int(rng.choice(indices))
    return tuple((index, 0.0 if index == strongest else float(rng.uniform(-15, 3))) for index in indices)
