# SPDX-License-Identifier: GPL-3.0-or-later
"""The NR uplink of one cell as a resource grid: what its terminals send, TS 38.211 section 6, added up at one place.

Terminals have powers of their own. PUSCH lies in the carrier's middle, PUCCH at both edges. Reference signals are
the real sequences, but for 6, 18 and 24 elements, where a computer-found table of the standard is replaced by phases
drawn once for each sequence group. Random access (PRACH) is left out: its subcarriers are no part of the
grid.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import scipy.fft

from ...standards.nr_grant import dmrs_symbols
from ...standards.sequences import NR_CELL_IDS, lte_uplink_reference, nr_low_papr_12
from ..grid import SUBCARRIERS_PER_RB, SYMBOLS_PER_SLOT, ResourceGrid
from .carrier import MODULATIONS, Bursts, NrCarrier, cell_generator, downlink_symbols, random_carrier
from .data import RandomData, User, add_pdsch
from .traffic import split_run

MAX_POWER_RANGE_DB = 25
"""Power control leaves no more between the terminals of one cell."""

SRS_COMBS = (2, 4)
SRS_LENGTHS = (1, 2, 4)
SRS_PERIODS_SLOTS = (1, 2, 4, 5, 8, 10, 16, 20, 32, 40, 64, 80, 160, 320)

SRS_WIDTHS = (
    4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 48, 52, 56, 60, 64, 72, 76, 80, 88, 96, 104, 112, 120, 128, 132, 136, 144,
    152, 160, 168, 176, 184, 192, 208, 216, 224, 240, 256, 264, 272,
)  # fmt: skip
"""Resource blocks that a wide SRS may have: TS 38.211 table 6.4.1.4.3-1."""

SHORTEST_PUSCH = 4
"""Symbols that a slot must leave to the uplink before PUSCH is sent in it."""

LONG_PUCCH_DMRS = {
    4: (0, 2), 5: (0, 3), 6: (1, 4), 7: (1, 4), 8: (1, 5), 9: (1, 6), 10: (2, 7), 11: (2, 7), 12: (2, 8), 13: (2, 9),
    14: (3, 10),
}  # fmt: skip
"""Length of PUCCH format 3 -> symbols with reference signals, with hopping: TS 38.211 table 6.4.1.3.3.2-1."""


@dataclass
class NrUplink(NrCarrier):
    """The uplink of an NR cell.

    Attributes:
        bandwidth_hz: 5 to 100 MHz, see `nr.N_RB`.
        subcarrier_spacing: 15e3 or 30e3 Hz.
        cell_id: physical cell identity, 0..1007.
        tdd_pattern: None for FDD, or slots as a string of D, S and U that repeats, such as "DDDSU".
        special_symbols: uplink symbols at the end of an S slot, 0..14.
        user_powers_db: power of each terminal, dB, at most 25 dB apart; the grid is scaled so that the strongest has
            unit power per resource element.
        load: mean fraction of the uplink's resource blocks that carry user data, 0..1.
        duty: fraction of slots with user data, load..1; None: the square root of load.
        burst_slots: mean length of a burst of slots with user data, 1 or more.
        users_per_slot: terminals that share a slot's PUSCH, at most.
        transform_precoding: single carrier (DFT-s-OFDM) rather than OFDM.
        modulations: bits per symbol of which each terminal has one, of 2, 4, 6 and 8.
        mapping_type: 'A': reference signals at `dmrs_first`; 'B': from the first symbol of the PUSCH on.
        dmrs_type: 1 or 2, PUSCH reference signal; 1 with transform precoding.
        dmrs_first: first symbol with reference signals in a slot, 2 or 3 (mapping type A).
        dmrs_additional: further symbols with them, at most, 0..3.
        pucch_load: mean number of PUCCHs a slot, 0 or more.
        pucch_long: fraction of them that are long (formats 1 and 3), 0..1; the others last 1 or 2 symbols (0 and 2).
        pucch_blocks: resource blocks kept for PUCCH at each edge, 1 or more; together less than the carrier.
        srs_period_slots: slots from one sounding of a terminal to the next, 1 to 320; None: none.
        srs_comb: 2 or 4, distance of its subcarriers.
        srs_symbols: 1, 2 or 4 symbols at the slot's end.
        start_ms: where in the frame structure the grid begins, ms after the start of frame 0.
    """

    bandwidth_hz: float = 20e6
    subcarrier_spacing: float = 30e3
    cell_id: int = 0
    tdd_pattern: str | None = None
    special_symbols: int = 2
    user_powers_db: tuple[float, ...] = (0.0, -6.0, -12.0)
    load: float = 0.3
    duty: float | None = None
    burst_slots: float = 3.0
    users_per_slot: int = 2
    transform_precoding: bool = False
    modulations: tuple[int, ...] = MODULATIONS
    mapping_type: str = "A"
    dmrs_type: int = 1
    dmrs_first: int = 2
    dmrs_additional: int = 1
    pucch_load: float = 1.0
    pucch_long: float = 0.5
    pucch_blocks: int = 1
    srs_period_slots: int | None = 20
    srs_comb: int = 2
    srs_symbols: int = 1
    start_ms: int = 0

    def __post_init__(self):
        self.user_powers_db = tuple(self.user_powers_db)
        self._check_carrier()
        self._check_bursts()
        self._check_modulations()
        self._check_users()
        self._check_reference()
        self._check_control()

    def _check_users(self):
        powers = self.user_powers_db
        fits = len(powers) > 0 and max(powers) - min(powers) <= MAX_POWER_RANGE_DB
        self._require("user_powers_db", powers, fits, f"one or more powers at most {MAX_POWER_RANGE_DB} dB apart")
        self._require("users_per_slot", self.users_per_slot, self.users_per_slot >= 1, "1 or more")

    def _check_reference(self):
        self._require("mapping_type", self.mapping_type, self.mapping_type in ("A", "B"), "'A' or 'B'")
        types = (1,) if self.transform_precoding else (1, 2)
        self._require("dmrs_type", self.dmrs_type, self.dmrs_type in types, "1 (or 2 without transform precoding)")
        self._require("dmrs_first", self.dmrs_first, self.dmrs_first in (2, 3), "2 or 3")
        self._require("dmrs_additional", self.dmrs_additional, self.dmrs_additional in range(4), "0..3")

    def _check_control(self):
        self._require("pucch_load", self.pucch_load, self.pucch_load >= 0, "0 or more")
        self._require("pucch_long", self.pucch_long, 0 <= self.pucch_long <= 1, "0..1")
        most = (self.n_rb - 1) // 2
        self._require("pucch_blocks", self.pucch_blocks, self.pucch_blocks in range(1, most + 1), f"1..{most}")
        period, allowed = self.srs_period_slots, f"None or one of {SRS_PERIODS_SLOTS}"
        self._require("srs_period_slots", period, period is None or period in SRS_PERIODS_SLOTS, allowed)
        self._require("srs_comb", self.srs_comb, self.srs_comb in SRS_COMBS, f"one of {SRS_COMBS}")
        self._require("srs_symbols", self.srs_symbols, self.srs_symbols in SRS_LENGTHS, f"one of {SRS_LENGTHS}")

    @classmethod
    def random(cls, rng: np.random.Generator, **fixed: Any) -> "NrUplink":
        """An uplink as found on the air: mostly lightly loaded, terminals near and far.

        Args:
            rng: `numpy.random.Generator`.
            fixed: attributes that are given instead of drawn.
        """
        carrier = {**random_carrier(rng, fixed), **fixed}
        drawn = {**carrier, **_random_traffic(rng, fixed), **_random_control(rng)}
        return cls(**{**drawn, **fixed})

    def uplink_start(self, slot: int) -> int:
        """First symbol of a slot (counted from frame 0) that belongs to the uplink: 0..14, 14 for none."""
        if self.tdd_pattern is None:
            return 0
        return downlink_symbols(self.tdd_pattern, SYMBOLS_PER_SLOT - self.special_symbols, slot)

    def grid(self, n_ms: int, rng: np.random.Generator) -> ResourceGrid:
        """The uplink's resource grid.

        Args:
            n_ms: duration, whole milliseconds.
            rng: `numpy.random.Generator` for terminals and data.
        """
        symbols, numbers = self._empty_slots(n_ms)
        terminals = _Terminals(self, rng)
        starts = [self.uplink_start(number) for number in numbers]
        for slot, number, start in zip(symbols, numbers, starts):
            terminals.fill(slot, number, start)
        return self._as_grid(symbols, np.array(starts) < SYMBOLS_PER_SLOT)


class _Terminals:
    """The terminals of a cell: PUSCH, PUCCH and SRS, slot by slot."""

    def __init__(self, cell: NrUplink, rng: np.random.Generator) -> None:
        self.cell, self.rng, self.data = cell, rng, RandomData(rng)
        own = cell_generator(cell.cell_id)
        strongest = max(cell.user_powers_db)
        # Single carrier: a symbol with reference signals never carries data as well (TS 38.214 6.2.2).
        groups = (2,) if cell.transform_precoding else range(1, 3 if cell.dmrs_type == 1 else 4)
        self.users = [
            User(int(own.choice(cell.modulations)), int(own.choice(groups)), float(10 ** ((power - strongest) / 20)))
            for power in cell.user_powers_db
        ]
        self.srs_offsets = own.permutation(cell.srs_period_slots or 1)
        self.bursts = Bursts(cell.load, cell.duty, cell.burst_slots, rng)

    def fill(self, slot: np.ndarray, number: int, start: int) -> None:
        """Add what terminals send in one slot, shape (14, n_subcarriers), from its symbol `start` on."""
        self.bursts.next_slot()
        if start == SYMBOLS_PER_SLOT:
            return
        sounding = self._sounding_users(number)
        n_srs = min(self.cell.srs_symbols, SYMBOLS_PER_SLOT - start) if sounding else 0
        stop = SYMBOLS_PER_SLOT - n_srs
        if stop - start >= SHORTEST_PUSCH:
            self._fill_pusch(slot, number, start, stop)
        self._fill_pucch(slot, number, start, stop)
        for user in sounding:
            add_srs(slot, self.cell, user, self.users[user].amplitude, range(stop, SYMBOLS_PER_SLOT))

    def _sounding_users(self, number):
        """Terminals whose SRS is due in a slot."""
        period = self.cell.srs_period_slots
        if period is None:
            return []
        offsets = self.srs_offsets
        return [user for user in range(len(self.users)) if number % period == offsets[user % period]]

    def _fill_pusch(self, slot, number, start, stop):
        cell, rng = self.cell, self.rng
        if not self.bursts.is_busy or cell.load == 0:
            return
        room = cell.n_rb - 2 * cell.pucch_blocks
        wanted = min(room, int(cell.n_rb * cell.load / self.bursts.duty + rng.random()))
        first = cell.pucch_blocks + int(self.bursts.place * (room - wanted + 1))
        served = rng.permutation(len(self.users))[: cell.users_per_slot]
        in_frame = number % cell.slots_per_frame
        for user, (block, width) in zip(served, split_run(first, wanted, len(served), rng)):
            if cell.transform_precoding:
                width = largest_dft_width(width)
            if width:
                self._add_pusch(slot, in_frame, (block, width), (start, stop), self.users[user])

    def _add_pusch(self, slot, in_frame, blocks, symbols, user):
        """One terminal's data and reference signals: TS 38.211 6.3.1 and 6.4.1.1."""
        cell = self.cell
        reference = self._dmrs_symbols(*symbols)
        if not cell.transform_precoding:
            add_pdsch(slot, in_frame, cell.cell_id, blocks, symbols, reference, user, cell.dmrs_type, self.data)
            return
        band = slice(blocks[0] * SUBCARRIERS_PER_RB, sum(blocks) * SUBCARRIERS_PER_RB)
        width = blocks[1] * SUBCARRIERS_PER_RB
        points = self.data.symbols(symbols[1] - symbols[0], width, user.bits_per_symbol, user.amplitude)
        slot[symbols[0] : symbols[1], band] = scipy.fft.fft(points, axis=1, norm="ortho")
        boost = np.float32(user.amplitude * np.sqrt(2))
        for symbol in reference:
            slot[symbol, band] = 0
            slot[symbol, band][::2] = boost * low_papr_sequence(cell.cell_id % 30, width // 2)

    def _dmrs_symbols(self, start, stop):
        """Symbols with PUSCH reference signals: TS 38.211 table 6.4.1.1.3-3."""
        cell = self.cell
        if cell.mapping_type == "A" and start == 0:
            return dmrs_symbols(stop, cell.dmrs_first, cell.dmrs_additional)
        return [start + place for place in dmrs_places_type_b(stop - start, cell.dmrs_additional)]

    def _fill_pucch(self, slot, number, start, stop):
        """PUCCHs of some terminals, each in a resource block of its own, hopping from one edge to the other."""
        cell, rng = self.cell, self.rng
        count = min(2 * cell.pucch_blocks, int(rng.poisson(cell.pucch_load)))
        for place in rng.permutation(2 * cell.pucch_blocks)[:count].tolist():
            is_long = rng.random() < cell.pucch_long and stop - start >= min(LONG_PUCCH_DMRS)
            shortest, longest = (min(LONG_PUCCH_DMRS), stop - start) if is_long else (1, min(2, stop - start))
            if longest < shortest:
                return
            length = int(rng.integers(shortest, longest + 1))
            kind = 2 * int(rng.integers(2)) + is_long
            user = self.users[int(rng.integers(len(self.users)))]
            content = np.float32(user.amplitude) * pucch(kind, length, cell.cell_id, self.data)
            lower = place % cell.pucch_blocks
            blocks = lower, cell.n_rb - 1 - lower
            add_hopping(slot, stop, content, blocks if place < cell.pucch_blocks else blocks[::-1])


def add_hopping(slot: np.ndarray, stop: int, content: np.ndarray, blocks: tuple[int, int]) -> None:
    """Put a PUCCH (symbols, 12) before symbol `stop`: its first half into blocks[0], the rest into blocks[1]."""
    length = len(content)
    by_block = slot.reshape(SYMBOLS_PER_SLOT, -1, SUBCARRIERS_PER_RB)[stop - length : stop]
    by_block[: length // 2, blocks[0]] = content[: length // 2]
    by_block[length // 2 :, blocks[1]] = content[length // 2 :]


def pucch(kind: int, length: int, cell_id: int, data: RandomData) -> np.ndarray:
    """A PUCCH of one resource block, complex64 (length, 12), unit power: TS 38.211 6.3.2 and 6.4.1.3.

    Args:
        kind: format 0, 1, 2 or 3.
        length: symbols, 1..2 (formats 0 and 2) or 4..14 (1 and 3).
        cell_id: physical cell identity, gives the sequence group.
        data: `RandomData`.
    """
    base = low_papr_sequence(cell_id % 30, SUBCARRIERS_PER_RB)
    shifts = np.exp(2j * np.pi / 12 * np.outer(data.rng.integers(0, 12, length), np.arange(12))).astype(np.complex64)
    if kind == 0:
        return base * shifts
    if kind == 1:
        # Even symbols are reference signals, odd ones carry one QPSK symbol.
        content = base * shifts
        content[1::2] *= data.symbols(1, 1)[0, 0]
        return content
    if kind == 2:
        content = data.symbols(length, SUBCARRIERS_PER_RB)
        content[:, 1::3] = data.symbols(length, 4)
        return content
    content = scipy.fft.fft(data.symbols(length, SUBCARRIERS_PER_RB), axis=1, norm="ortho")
    for symbol in LONG_PUCCH_DMRS[length]:
        content[symbol] = base * shifts[symbol]
    return content


def add_srs(slot: np.ndarray, cell: NrUplink, user: int, amplitude: float, symbols: Sequence[int]) -> None:
    """Sounding reference signal of one terminal over the carrier: TS 38.211 6.4.1.4.

    Terminals whose SRS share a symbol take different combs, then different cyclic shifts.
    """
    width = max(width for width in SRS_WIDTHS if width <= cell.n_rb)
    first = (cell.n_rb - width) // 2 * SUBCARRIERS_PER_RB
    n = width * SUBCARRIERS_PER_RB // cell.srs_comb
    shift = np.exp(2j * np.pi * np.arange(n) * (user // cell.srs_comb % 8) / 8).astype(np.complex64)
    values = np.float32(amplitude * np.sqrt(cell.srs_comb)) * low_papr_sequence(cell.cell_id % 30, n) * shift
    start = first + user % cell.srs_comb
    for symbol in symbols:
        slot[symbol, start : first + width * SUBCARRIERS_PER_RB : cell.srs_comb] += values


def dmrs_places_type_b(length: int, additional: int) -> tuple[int, ...]:
    """Symbols with reference signals from the start of a PUSCH on, mapping type B: TS 38.211 table 6.4.1.1.3-3."""
    table = (
        (4, ((0,), (0,), (0,), (0,))),
        (7, ((0,), (0, 4), (0, 4), (0, 4))),
        (9, ((0,), (0, 6), (0, 3, 6), (0, 3, 6))),
        (11, ((0,), (0, 8), (0, 4, 8), (0, 3, 6, 9))),
        (14, ((0,), (0, 10), (0, 5, 10), (0, 3, 6, 9))),
    )
    return next(row for limit, row in table if length <= limit)[additional]


@lru_cache(maxsize=128)
def low_papr_sequence(group: int, n: int) -> np.ndarray:
    """Low-PAPR sequence type 1 of length n, complex64: TS 38.211 5.2.2; of 6, 18 and 24 elements, random QPSK stands
    for the tables.

    Args:
        group: 0..29.
        n: length, 6, 12, 18, 24, 30 or more.
    """
    if n == 12:
        return nr_low_papr_12(group)
    if n < 30:
        quarters = np.random.default_rng([group, n]).integers(0, 4, n)
        return np.exp(0.25j * np.pi * (2 * quarters + 1)).astype(np.complex64)
    if n == 30:
        k = np.arange(n)
        return np.exp(-1j * np.pi * (group + 1) * (k + 1) * (k + 2) / 31).astype(np.complex64)
    return lte_uplink_reference(group, n)


@lru_cache(maxsize=512)
def largest_dft_width(n_rb: int) -> int:
    """The most resource blocks up to n_rb that a DFT may have, 2**a * 3**b * 5**c: TS 38.211 6.3.1.4."""
    for width in range(n_rb, 0, -1):
        rest = width
        for factor in (2, 3, 5):
            while rest % factor == 0:
                rest //= factor
        if rest == 1:
            return width
    return 0


def _random_traffic(rng, fixed):
    """Draw terminals and how busy they are."""
    load = float(fixed.get("load", rng.beta(0.7, 2.5) * (fixed.get("duty") or 1)))
    n_users = int(rng.integers(1, 7))
    reach_db = float(rng.uniform(0, MAX_POWER_RANGE_DB))
    precoded = bool(rng.random() < 0.3)
    return dict(
        cell_id=int(rng.integers(NR_CELL_IDS)),
        special_symbols=int(rng.integers(0, 3)),
        user_powers_db=tuple(-float(power) for power in rng.uniform(0, reach_db, n_users)),
        load=load,
        duty=float(rng.uniform(load, 1)),
        burst_slots=float(np.exp(rng.uniform(0, np.log(20)))),
        users_per_slot=int(rng.integers(1, 5)),
        transform_precoding=precoded,
        mapping_type=str(rng.choice(("A", "B"))),
        dmrs_type=1 if precoded or fixed.get("transform_precoding") else int(rng.choice((1, 2), p=(0.8, 0.2))),
        dmrs_first=int(rng.choice((2, 3))),
        dmrs_additional=int(rng.integers(4)),
        start_ms=int(rng.integers(160)),
    )


def _random_control(rng):
    """Draw control channels and soundings."""
    return dict(
        pucch_load=float(rng.uniform(0, 3)),
        pucch_long=float(rng.random()),
        pucch_blocks=int(rng.integers(1, 4)),
        srs_period_slots=int(rng.choice(SRS_PERIODS_SLOTS[3:12])) if rng.random() < 0.7 else None,
        srs_comb=int(rng.choice(SRS_COMBS)),
        srs_symbols=int(rng.choice(SRS_LENGTHS)),
    )
