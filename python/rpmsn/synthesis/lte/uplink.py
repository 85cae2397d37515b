# SPDX-License-Identifier: GPL-3.0-or-later
"""The LTE uplink as a resource grid: what the terminals of one cell send, as its base station receives it.

TS 36.211 chapter 5, normal cyclic prefix: PUSCH (SC-FDMA) with its reference signals, PUCCH, sounding. Group and
sequence hopping are off. The random access channel (PRACH) is left out: its subcarriers of 1.25 kHz have no place in
a grid of 15 kHz.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import scipy.fft

from ...standards.lte import N_RB, SUBFRAMES_PER_FRAME, SYMBOLS_PER_SUBFRAME, TDD_SUBFRAMES, UPPTS_SYMBOLS
from ...standards.qam import random_qam
from ...standards.sequences import LTE_CELL_IDS, LTE_UPLINK_GROUPS, lte_uplink_reference, lte_uplink_shifts
from ..grid import SUBCARRIERS_PER_RB, ResourceGrid, scattered_runs
from .carrier import BANDWIDTH_FRACTIONS, LteCarrier

SYMBOLS_PER_SLOT = 7
WEAKEST_DB = -25.0

REFERENCE_SYMBOL = 3
"""Symbol of a slot with the PUSCH's reference signal: TS 36.211 5.5.2.1.2."""

REFERENCE_SHIFTS = (0, 6, 3, 4, 2, 8, 10, 9)
"""Cyclic shifts that a grant may name: TS 36.211 table 5.5.2.1.1-1."""

SRS_PERIODS_MS = (1, 2, 5, 10)
SRS_WIDTHS = ((40, (36, 32, 24, 20, 16, 12, 8, 4)), (60, (48, 40, 36, 32)), (80, (72, 64, 60)), (110, (96, 80, 72)))
"""Resource blocks of the carrier, at most -> widths of sounding over it all: TS 36.211 tables 5.5.3.2-1 to -4."""

NARROW_SRS_BLOCKS = 4
SRS_SHIFTS = 8
PUCCH_LAYERS = 3
"""Terminals that share a PUCCH block here, at most."""

FORMAT_1_DATA, FORMAT_1_REFERENCE, FORMAT_2_REFERENCE = (0, 1, 5, 6), (2, 3, 4), (1, 5)
"""Symbols of a slot of the PUCCH: TS 36.211 5.4, 5.5.2.2.2."""

MOST_USERS_AT_ONCE = 4
NEW_GRANT_CHANCE = 0.3
"""Fraction of the subframes of a burst in which the blocks are assigned again."""


@dataclass
class LteUplink(LteCarrier):
    """The uplink of an LTE cell, as its base station receives it.

    Attributes:
        bandwidth_hz: 1.4, 3, 5, 10, 15 or 20 MHz.
        cell_id: physical cell identity, 0..503.
        tdd_config: None for FDD, or the uplink-downlink configuration 0..6. Only uplink subframes carry anything, and
            the end of special ones sounding.
        special_subframe: special subframe configuration 0..9 (TDD only).
        load: mean fraction of the resource blocks between the PUCCH's that carry user data, 0..1. Widths that are not
            products of 2, 3 and 5 are rounded down.
        duty: fraction of uplink subframes with user data, load..1; None: the square root of load.
        burst_ms: mean length of a burst of subframes with user data, 1 or more; longer where the duty demands it.
        user_powers_db: received power of each terminal, per resource element, -25..0 dB.
        modulations: bits a symbol of user data, some of 2, 4, 6 and 8.
        pucch_blocks: resource blocks at the two edges that are kept for the PUCCH, an even number.
        pucch_load: fraction of the PUCCH's places in use, 0..1.
        srs_period_ms: period of the sounding, 1, 2, 5 or 10 ms; None: no sounding.
        start_ms: where in the frame structure the grid begins, ms after the start of a frame.
    """

    bandwidth_hz: float = 20e6
    cell_id: int = 0
    tdd_config: int | None = None
    special_subframe: int = 7
    load: float = 0.2
    duty: float | None = None
    burst_ms: float = 5.0
    user_powers_db: tuple[float, ...] = (0.0, -6.0, -15.0)
    modulations: tuple[int, ...] = (2, 4, 6)
    pucch_blocks: int = 4
    pucch_load: float = 0.3
    srs_period_ms: int | None = 10
    start_ms: int = 0

    def __post_init__(self):
        self.user_powers_db = tuple(self.user_powers_db)
        self._check_carrier()
        self._check_traffic()
        self._require("burst_ms", self.burst_ms, self.burst_ms >= 1, "1 or more")
        powers = self.user_powers_db
        is_allowed = bool(powers) and all(WEAKEST_DB <= power <= 0 for power in powers)
        self._require("user_powers_db", powers, is_allowed, f"one or more of {WEAKEST_DB:g}..0 dB")
        is_allowed = self.pucch_blocks in range(0, self.n_rb - 1, 2)
        self._require("pucch_blocks", self.pucch_blocks, is_allowed, f"an even number, 0..{(self.n_rb - 2) // 2 * 2}")
        self._require("pucch_load", self.pucch_load, 0 <= self.pucch_load <= 1, "0..1")
        is_allowed = self.srs_period_ms is None or self.srs_period_ms in SRS_PERIODS_MS
        self._require("srs_period_ms", self.srs_period_ms, is_allowed, "None, 1, 2, 5 or 10 ms")

    @classmethod
    def random(cls, rng: np.random.Generator, **fixed: Any) -> "LteUplink":
        """The uplink of a cell as found on the air: mostly lightly loaded, near and far terminals.

        Args:
            rng: `numpy.random.Generator`.
            fixed: attributes that are given instead of drawn.
        """
        bandwidth_hz = float(fixed.get("bandwidth_hz", rng.choice(list(N_RB), p=BANDWIDTH_FRACTIONS)))
        load = float(fixed.get("load", rng.beta(0.7, 1.8) * (fixed.get("duty") or 1)))
        is_tdd = rng.random() < 0.3
        most_pucch = int(np.clip(N_RB.get(bandwidth_hz, 6) // 10, 1, 5))
        drawn = dict(
            bandwidth_hz=bandwidth_hz,
            cell_id=int(rng.integers(LTE_CELL_IDS)),
            tdd_config=int(rng.choice(7, p=(0.12, 0.28, 0.3, 0.08, 0.06, 0.06, 0.1))) if is_tdd else None,
            special_subframe=int(rng.integers(10)),
            load=load,
            duty=float(rng.uniform(load, 1)) if rng.random() < 0.7 else None,
            burst_ms=float(np.exp(rng.uniform(0, np.log(40)))),
            user_powers_db=(0.0, *(float(power) for power in rng.uniform(WEAKEST_DB, 0, rng.integers(0, 8)))),
            modulations=(2, 4) if rng.random() < 0.3 else (2, 4, 6),
            pucch_blocks=2 * int(rng.integers(1, most_pucch + 1)),
            pucch_load=float(rng.uniform(0.05, 0.7)),
            srs_period_ms=int(rng.choice(SRS_PERIODS_MS, p=(0.1, 0.2, 0.3, 0.4))) if rng.random() < 0.7 else None,
            start_ms=int(rng.integers(20)),
        )
        return cls(**{**drawn, **fixed})

    def subframe_kind(self, in_frame: int) -> str:
        """ "U" for an uplink subframe (0..9), "S" for a special one, "D" for a downlink one."""
        return "U" if self.tdd_config is None else TDD_SUBFRAMES[self.tdd_config][in_frame]

    def grid(self, n_ms: int, rng: np.random.Generator) -> ResourceGrid:
        """The uplink's resource grid; where terminals share elements their signals are added.

        Args:
            n_ms: duration, whole milliseconds.
            rng: `numpy.random.Generator` for terminals and data.
        """
        symbols, in_frame = self._subframes(n_ms)
        constants, scheduler = _CellConstants(self), _Scheduler(self, rng)
        is_uplink = np.array([self.subframe_kind(number) == "U" for number in in_frame])
        sounding = [constants.sounding_symbols[number] for number in in_frame]
        has_sounding = np.array([len(symbols) > 0 for symbols in sounding])
        for index, subframe in enumerate(symbols):
            for grant in scheduler.grants() if is_uplink[index] else ():
                _add_pusch(subframe, in_frame[index], constants, grant, has_sounding[index], rng)
            for symbol in sounding[index]:
                _add_srs(subframe[symbol], self, constants, self.start_ms + index, rng)
        _add_pucch(symbols, in_frame, is_uplink, has_sounding, self, constants, rng)
        return self._as_grid(symbols, is_uplink | has_sounding, has_dc_null=False, half_subcarrier_shift=True)


class _CellConstants:
    """What stays constant in a cell and its terminals; depends on the cell alone, so that two grids of it fit in time.

    Attributes:
        group: sequence group of all reference signals, 0..29.
        reference_shift: cyclic shift of the cell's PUSCH reference signals.
        n_format_2: PUCCH resources, from the edges on, that carry format 2; the others carry format 1.
        srs_is_narrow: bool, one a terminal.
        sounding_symbols: ten ranges of symbols, one a subframe.
    """

    def __init__(self, cell: LteUplink) -> None:
        rng = np.random.default_rng(cell.cell_id)
        self.cell_id = cell.cell_id
        self.group = cell.cell_id % LTE_UPLINK_GROUPS
        self.reference_shift = int(rng.choice(REFERENCE_SHIFTS))
        self.n_format_2 = int(rng.integers(cell.pucch_blocks // 2 + 1))
        self.srs_is_narrow = rng.random(len(cell.user_powers_db)) < 0.5
        self.sounding_symbols = _sounding_symbols(cell, rng)


def _sounding_symbols(cell, rng):
    """Symbols with sounding of each subframe of a frame: the last one of some uplink subframes, UpPTS."""
    kinds = [cell.subframe_kind(number) for number in range(SUBFRAMES_PER_FRAME)]
    one_of_them = int(rng.choice([number for number, kind in enumerate(kinds) if kind == "U"]))
    n_uppts = UPPTS_SYMBOLS[cell.special_subframe]
    every = cell.srs_period_ms
    symbols = []
    for number, kind in enumerate(kinds):
        is_due = every is not None and (kind == "S" or kind == "U" and (number - one_of_them) % every == 0)
        count = (n_uppts if kind == "S" else 1) if is_due else 0
        symbols.append(range(SYMBOLS_PER_SUBFRAME - count, SYMBOLS_PER_SUBFRAME))
    return symbols


@dataclass(frozen=True)
class _Grant:
    """User data of one terminal in a subframe: resource blocks, amplitude, bits a symbol, cyclic shift."""

    start: int
    width: int
    amplitude: float
    bits_per_symbol: int
    shift: int


class _Scheduler:
    """Decides who sends user data where, uplink subframe by uplink subframe."""

    def __init__(self, cell: LteUplink, rng: np.random.Generator) -> None:
        self.cell, self.rng = cell, rng
        self.duty = max(cell.load, float(np.sqrt(cell.load)) if cell.duty is None else cell.duty)
        self.end_chance = 1 / max(cell.burst_ms, self.duty / max(1 - self.duty, 1e-9))
        self.is_busy = rng.random() < self.duty
        self.current = self._assign_blocks()

    def grants(self) -> list:
        """Grants of the next uplink subframe."""
        was_busy, rng = self.is_busy, self.rng
        if was_busy:
            self.is_busy = self.duty >= 1 or rng.random() >= self.end_chance
        else:
            self.is_busy = rng.random() < self.end_chance * self.duty / max(1 - self.duty, 1e-9)
        if not self.is_busy or self.cell.load == 0:
            return []
        if not was_busy or rng.random() < NEW_GRANT_CHANCE:
            self.current = self._assign_blocks()
        return self.current

    def _assign_blocks(self):
        """Assign the blocks between the PUCCH's to some terminals."""
        cell, rng = self.cell, self.rng
        n_blocks = cell.n_rb - cell.pucch_blocks
        # Rounded at random, so that the mean is the load also where a subframe has less than one block.
        wanted = min(n_blocks, int(n_blocks * cell.load / max(self.duty, 1e-9) + rng.random()))
        n_users = int(rng.integers(1, min(len(cell.user_powers_db), MOST_USERS_AT_ONCE) + 1))
        users = rng.permutation(len(cell.user_powers_db))[:n_users]
        grants = []
        for user, (start, width) in zip(users, scattered_runs(n_blocks, wanted, n_users, rng)):
            if width:
                amplitude = 10 ** (cell.user_powers_db[user] / 20)
                bits, shift = int(rng.choice(cell.modulations)), int(rng.choice(REFERENCE_SHIFTS))
                grants.append(_Grant(start + cell.pucch_blocks // 2, transform_width(width), amplitude, bits, shift))
        return grants


@lru_cache(maxsize=128)
def transform_width(width: int) -> int:
    """The largest number of resource blocks up to `width` that is 2^a 3^b 5^c: TS 36.211 5.3.3."""
    return next(number for number in range(width, 0, -1) if 30**7 % number == 0)


def _add_pusch(subframe, in_frame, constants, grant, is_shortened, rng):
    """User data, transform precoded, and its reference signals: TS 36.211 5.3.3, 5.3.4, 5.5.2.1.

    Args:
        subframe: shape (14, n_subcarriers), is changed.
        in_frame: subframe in the frame, 0..9.
        is_shortened: the last symbol is left to sounding.
    """
    n = grant.width * SUBCARRIERS_PER_RB
    place = slice(grant.start * SUBCARRIERS_PER_RB, grant.start * SUBCARRIERS_PER_RB + n)
    is_data = np.arange(SYMBOLS_PER_SUBFRAME) % SYMBOLS_PER_SLOT != REFERENCE_SYMBOL
    is_data[-1] = not is_shortened
    data = random_qam(rng, (int(is_data.sum()), n), grant.bits_per_symbol)
    amplitude = np.float32(grant.amplitude)
    subframe[is_data, place] += amplitude * scipy.fft.fft(data, axis=1, norm="ortho")
    for half in (0, 1):
        shift = grant.shift + constants.reference_shift + _reference_shifts(constants.cell_id)[2 * in_frame + half]
        reference = lte_uplink_reference(constants.group, n) * _cyclic_shifts(12, n)[shift % 12]
        subframe[half * SYMBOLS_PER_SLOT + REFERENCE_SYMBOL, place] += amplitude * reference


@lru_cache(maxsize=64)
def _reference_shifts(cell_id):
    """Number added to the PUSCH reference signal's cyclic shift in each slot of a frame, int (20,): 5.5.2.1.1."""
    n_slots = 2 * SUBFRAMES_PER_FRAME
    group = cell_id % LTE_UPLINK_GROUPS
    c_init = cell_id // LTE_UPLINK_GROUPS * 2**5 + group
    return lte_uplink_shifts(c_init, n_slots * SYMBOLS_PER_SLOT)[::SYMBOLS_PER_SLOT]


@lru_cache(maxsize=256)
def _cyclic_shifts(n_shifts, n):
    """Factors that shift a sequence of n elements cyclically in time, complex64 (n_shifts, n): TS 36.211 5.5.1."""
    cycles = np.outer(np.arange(n_shifts), np.arange(n)) % n_shifts / n_shifts
    return np.exp(2j * np.pi * cycles).astype(np.complex64)


def _add_srs(symbol, cell, constants, number, rng):
    """Sounding of two terminals, on every second subcarrier each: TS 36.211 5.5.3.

    Terminals take turns, two at a time. Where a narrow one stands is drawn, rather than taken from 5.5.3.2.

    Args:
        symbol: shape (n_subcarriers,), is changed.
        number: subframes since a frame's start.
    """
    widths = next(widths for limit, widths in SRS_WIDTHS if cell.n_rb <= limit)
    widest = next(width for width in widths if width <= cell.n_rb)
    n_users = len(cell.user_powers_db)
    for comb in range(min(2, n_users)):
        user = (2 * (number // cell.srs_period_ms) + comb) % n_users
        width = NARROW_SRS_BLOCKS if constants.srs_is_narrow[user] else widest
        start = (cell.n_rb - widest) // 2 + width * int(rng.integers(widest // width))
        n = width * SUBCARRIERS_PER_RB // 2
        shift = _cyclic_shifts(SRS_SHIFTS, n)[int(rng.integers(SRS_SHIFTS))]
        first = start * SUBCARRIERS_PER_RB + comb
        amplitude = np.float32(10 ** (cell.user_powers_db[user] / 20))
        symbol[first : first + 2 * n : 2] += amplitude * lte_uplink_reference(constants.group, n) * shift


def _add_pucch(symbols, in_frame, is_uplink, is_shortened, cell, constants, rng):
    """Control information at the edges, in the other edge's block in the second slot: TS 36.211 5.4.

    Args:
        symbols: shape (n_ms, 14, n_subcarriers), is changed.
        in_frame: int (n_ms,), subframe in the frame, 0..9.
        is_uplink: bool (n_ms,), subframes with a PUCCH.
        is_shortened: bool (n_ms,), the last symbol is left to sounding.
    """
    by_block = symbols.reshape(len(symbols), 2, SYMBOLS_PER_SLOT, cell.n_rb, SUBCARRIERS_PER_RB)
    amplitudes = 10 ** (np.array(cell.user_powers_db) / 20)
    shift_tables = _cyclic_shifts(12, 12) * lte_uplink_reference(constants.group, 12)
    for _ in range(PUCCH_LAYERS):
        used = is_uplink[:, None] & (rng.random((len(symbols), cell.pucch_blocks)) < cell.pucch_load)
        subframe, resource = np.nonzero(used)
        amplitude = amplitudes[rng.integers(0, amplitudes.size, subframe.size)].astype(np.float32)
        covers = _pucch_covers(resource < constants.n_format_2, is_shortened[subframe], rng)
        first_shift = rng.integers(0, 12, subframe.size)
        for half in (0, 1):
            slot = 2 * in_frame[subframe] + half
            shifts = (first_shift[:, None] + _pucch_shifts(cell.cell_id)[slot]) % 12
            values = (amplitude[:, None] * covers[:, half])[..., None] * shift_tables[shifts]
            block = pucch_block(cell.n_rb, resource, half)
            by_block[subframe, half, :, block] += values


def pucch_block(n_rb: int, resource: np.ndarray, half: int) -> np.ndarray:
    """Resource block of a PUCCH resource in the first (0) or second (1) slot of a subframe: TS 36.211 5.4.3."""
    is_low = (resource + half) % 2 == 0
    return np.where(is_low, resource // 2, n_rb - 1 - resource // 2)


@lru_cache(maxsize=64)
def _pucch_shifts(cell_id):
    """Cyclic shift of the cell in each slot and symbol, int (20, 7): TS 36.211 5.4."""
    n_slots = 2 * SUBFRAMES_PER_FRAME
    return lte_uplink_shifts(cell_id, n_slots * SYMBOLS_PER_SLOT).reshape(n_slots, SYMBOLS_PER_SLOT)


def _pucch_covers(is_format_2, is_shortened, rng):
    """What multiplies the sequence in each symbol, complex64 (n, 2, 7): TS 36.211 5.4.1, 5.4.2, 5.5.2.2.

    Format 1 spreads one symbol over a slot, with one of three orthogonal covers on data and on reference symbols;
    format 2 has a symbol of data in each but the second and sixth.
    """
    n = is_format_2.size
    cover = rng.integers(0, 3, n)
    data = random_qam(rng, n)
    one = np.repeat(_format_1_covers(False)[cover][:, None], 2, axis=1)
    one[:, 1] = np.where(is_shortened[:, None], _format_1_covers(True)[cover], one[:, 1])
    one[:, :, FORMAT_1_DATA] *= data[:, None, None]
    two = random_qam(rng, (n, 2, SYMBOLS_PER_SLOT))
    two[:, :, FORMAT_2_REFERENCE] = 1
    return np.where(is_format_2[:, None, None], two, one)


@lru_cache(maxsize=2)
def _format_1_covers(is_shortened):
    """Orthogonal covers of the symbols of a slot, complex64 (3, 7): TS 36.211 tables 5.4.1-2, -3 and 5.5.2.2.1-2."""
    third = np.exp(2j * np.pi * np.outer(np.arange(3), np.arange(3)) / 3)
    covers = np.zeros((3, SYMBOLS_PER_SLOT), np.complex64)
    covers[:, FORMAT_1_REFERENCE] = third
    if is_shortened:
        covers[:, FORMAT_1_DATA[:3]] = third
    else:
        covers[:, FORMAT_1_DATA] = ((1, 1, 1, 1), (1, -1, 1, -1), (1, -1, -1, 1))
    return covers
