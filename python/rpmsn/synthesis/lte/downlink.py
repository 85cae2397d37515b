# SPDX-License-Identifier: GPL-3.0-or-later
"""The LTE downlink as a resource grid: TS 36.211, normal cyclic prefix, all antenna ports added up.

Synchronisation and reference signals are the real sequences at the real places; channels that carry data have the
real places and random symbols. One function fills in one physical channel or signal of one subframe. `lte_schedule`
decides which resource blocks carry data, `lte_control` fills the control region.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from ...standards import lte_broadcast
from ...standards.lte import DWPTS_SYMBOLS, N_RB, SUBFRAMES_PER_FRAME, SYMBOLS_PER_SUBFRAME, TDD_SUBFRAMES
from ...standards.qam import random_qam
from ...standards.sequences import (
    LTE_CELL_IDS,
    LTE_MBSFN_AREA_IDS,
    lte_crs,
    lte_crs_subcarriers,
    lte_mbsfn_reference,
    lte_pss,
    lte_sss,
)
from ..grid import SUBCARRIERS_PER_RB, ResourceGrid
from ..ofdm import CONTROL_SYMBOLS, EXTENDED_SYMBOLS_PER_MS
from .carrier import BANDWIDTH_FRACTIONS, LteCarrier
from .control import PHICH_RESOURCES, add_control_region, control_symbols
from .schedule import Scheduler

LONGEST_DWPTS_WITHOUT_DATA = 3
"""A special subframe with so few downlink symbols has no PDSCH: TS 36.213 7.1.7."""

ALLOCATIONS = ("rbg", "localised", "distributed", "full", "idle")
MBSFN_CONTENTS = ("empty", "pmch")
MBSFN_SUBFRAMES = {"FDD": (1, 2, 3, 6, 7, 8), "TDD": (3, 4, 7, 8, 9)}
"""Subframes that may be MBSFN subframes, in TDD only where they are downlink: TS 36.331, MBSFN-SubframeConfig."""

MBSFN_REFERENCE_SYMBOLS = ((2, 0), (6, 1), (10, 0))
"""Symbols of a subframe of 12 that have MBSFN reference signals, and their lowest subcarrier: TS 36.211 6.10.2.2."""

MBSFN_CHANCE = 0.08
"""Fraction of the drawn FDD cells that have MBSFN subframes."""

IDLE_CONTROL_LOAD = 0.02
"""Fraction of control channel elements and PHICH groups in use while there is no user data (paging, uplink)."""


@dataclass
class LteDownlink(LteCarrier):
    """An LTE cell's downlink.

    Attributes:
        bandwidth_hz: 1.4, 3, 5, 10, 15 or 20 MHz.
        cell_id: physical cell identity, 0..503.
        ports: antenna ports with reference signals, 1, 2 or 4.
        tdd_config: None for FDD, or the uplink-downlink configuration 0..6.
        special_subframe: special subframe configuration 0..9 (TDD only).
        load: mean fraction of the resource blocks that carry user data, 0..1, over the downlink subframes that may.
        duty: fraction of subframes that carry user data, load..1; None: 1. A busy subframe has load / duty of its
            blocks.
        allocation: how users get their blocks. 'rbg': scattered groups, new in each subframe (resource allocation
            type 0); 'localised': one run that stays; 'distributed': blocks spread over the carrier, other ones in
            the second slot; 'full': every block of every subframe; 'idle': no user at all.
        users: users sharing a subframe ('rbg').
        modulations: bits a symbol of user data, some of 2, 4, 6 and 8; each subframe takes one of them.
        silent_subframes: subframes (0..9) without user data.
        pdsch_power_db: power of PDSCH elements over that of the reference signals, dB.
        pdcch_load: fraction of the control channel elements in use in subframes with user data, 0..1.
        phich_resource: N_g, one of 1/6, 1/2, 1, 2.
        system_information: send SIB1, and occasionally other system information.
        mbsfn_subframes: subframes (0..9) set aside for broadcast in every frame, some of 1, 2, 3, 6, 7 and 8 (FDD) or
            of the downlink ones among 3, 4, 7, 8 and 9 (TDD). They have reference signals in their control region only.
        mbsfn_content: what they carry after it: 'empty': nothing; 'pmch': broadcast data on the whole carrier, with
            extended cyclic prefix.
        start_ms: where in the frame structure the grid begins, ms after the start of an even frame.
        frame_number: of that frame, 0..1022.
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
    modulations: tuple[int, ...] = (2, 4, 6)
    silent_subframes: tuple[int, ...] = ()
    pdsch_power_db: float = 0.0
    pdcch_load: float = 0.4
    phich_resource: float = 1.0
    system_information: bool = True
    mbsfn_subframes: tuple[int, ...] = ()
    mbsfn_content: str = "empty"
    start_ms: int = 0
    frame_number: int = 0

    def __post_init__(self):
        self.silent_subframes, self.mbsfn_subframes = tuple(self.silent_subframes), tuple(self.mbsfn_subframes)
        self._check_carrier()
        self._check_traffic()
        self._require("ports", self.ports, self.ports in (1, 2, 4), "1, 2 or 4")
        self._require("allocation", self.allocation, self.allocation in ALLOCATIONS, ", ".join(ALLOCATIONS))
        self._require("users", self.users, self.users >= 1, "1 or more")
        is_allowed = set(self.silent_subframes) <= set(range(SUBFRAMES_PER_FRAME))
        self._require("silent_subframes", self.silent_subframes, is_allowed, "some of 0..9")
        self._require("pdcch_load", self.pdcch_load, 0 <= self.pdcch_load <= 1, "0..1")
        is_known = np.isclose(self.phich_resource, PHICH_RESOURCES, rtol=1e-4).any()
        self._require("phich_resource", self.phich_resource, is_known, "1/6, 1/2, 1 or 2")
        allowed = _allowed_mbsfn_subframes(self.tdd_config)
        is_allowed, words = set(self.mbsfn_subframes) <= set(allowed), ", ".join(map(str, allowed))
        self._require("mbsfn_subframes", self.mbsfn_subframes, is_allowed, f"some of {words}" if words else "none")
        is_allowed = self.mbsfn_content in MBSFN_CONTENTS
        self._require("mbsfn_content", self.mbsfn_content, is_allowed, ", ".join(MBSFN_CONTENTS))
        is_allowed = self.frame_number in range(0, lte_broadcast.FRAME_NUMBERS, 2)
        self._require("frame_number", self.frame_number, is_allowed, "an even number, 0..1022")

    @classmethod
    def random(cls, rng: np.random.Generator, **fixed: Any) -> "LteDownlink":
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
            bandwidth_hz=float(rng.choice(list(N_RB), p=BANDWIDTH_FRACTIONS)),
            cell_id=int(rng.integers(LTE_CELL_IDS)),
            ports=int(rng.choice((1, 2, 4), p=(0.25, 0.55, 0.2))),
            tdd_config=int(rng.choice(7, p=(0.06, 0.24, 0.4, 0.08, 0.08, 0.08, 0.06))) if is_tdd else None,
            special_subframe=int(rng.choice(10, p=(0.05, 0.05, 0.05, 0.05, 0.05, 0.2, 0.2, 0.25, 0.05, 0.05))),
            load=load,
            duty=float(rng.uniform(load, 1)) if rng.random() < 0.7 else None,
            allocation=allocation,
            users=int(rng.integers(1, 7)),
            modulations=(2, 4, 6, 8) if rng.random() < 0.2 else (2, 4, 6),
            pdsch_power_db=float(rng.choice((-6, -4.77, -3, -1.77, 0, 1, 2, 3))),
            pdcch_load=float(rng.uniform(0.1, 0.9)),
            phich_resource=float(rng.choice(PHICH_RESOURCES)),
            system_information=bool(rng.random() < 0.95),
            start_ms=int(rng.integers(20)),
        )
        carrier = {**drawn, **fixed}
        return cls(**{**_random_mbsfn(rng, carrier["tdd_config"]), **carrier})

    def downlink_symbols(self, subframe: int) -> int:
        """Symbols of a subframe (0..9) that belong to the downlink: 14, those of the DwPTS, or 0."""
        if self.tdd_config is None:
            return SYMBOLS_PER_SUBFRAME
        kind = TDD_SUBFRAMES[self.tdd_config][subframe]
        return {"D": SYMBOLS_PER_SUBFRAME, "S": DWPTS_SYMBOLS[self.special_subframe], "U": 0}[kind]

    def grid(self, n_ms: int, rng: np.random.Generator) -> ResourceGrid:
        """The downlink's resource grid.

        Args:
            n_ms: duration, whole milliseconds.
            rng: `numpy.random.Generator` for users and data.
        """
        symbols, in_frame = self._subframes(n_ms)
        active = np.array([self.downlink_symbols(index) > 0 for index in in_frame])
        has_pmch = np.isin(in_frame, self.mbsfn_subframes) & (self.mbsfn_content == "pmch")
        scheduler = Scheduler(self, rng)
        for index in np.flatnonzero(active):
            fill = self._fill_mbsfn if in_frame[index] in self.mbsfn_subframes else self._fill
            fill(symbols[index], self.start_ms + int(index), scheduler, rng)
        extended = has_pmch if has_pmch.any() else None
        return self._as_grid(symbols, active, has_dc_null=True, extended_prefix=extended)

    def _fill(self, subframe, number, scheduler, rng):
        """Everything of one subframe, shape (14, n_subcarriers), in which the downlink has a part.

        The order matters: reference and synchronisation signals take their elements from the data.
        """
        in_frame = number % SUBFRAMES_PER_FRAME
        n_symbols = self.downlink_symbols(in_frame)
        users, information = scheduler.user_blocks(in_frame), scheduler.information_blocks(number)
        blocks = users | information
        if n_symbols <= LONGEST_DWPTS_WITHOUT_DATA:
            blocks[:] = False
        n_control = control_symbols(self, in_frame, blocks.any(), rng)
        _add_pdsch(subframe, (n_control, n_symbols), blocks, scheduler.modulation(), self.pdsch_power_db, rng)
        load = self.pdcch_load if users.any() else IDLE_CONTROL_LOAD
        add_control_region(subframe, self, in_frame, n_control, load, information.any(), rng)
        if in_frame == 0:
            self._add_pbch(subframe, number // SUBFRAMES_PER_FRAME)
        _add_synchronisation(subframe, self.cell_id, in_frame, self.tdd_config is not None)
        _add_crs(subframe, self.cell_id, self.ports, in_frame, n_symbols)

    def _add_pbch(self, subframe, frame):
        """Master information block with its coding, in subframe 0: TS 36.211 6.6, TS 36.212 5.3.1."""
        resource = int(np.argmin(np.abs(np.subtract(PHICH_RESOURCES, self.phich_resource))))
        number = (self.frame_number + frame) % lte_broadcast.FRAME_NUMBERS
        information = lte_broadcast.MasterInformation(self.n_rb, number, phich_resource=resource)
        block = np.zeros(4 * 72, np.complex64)
        block[lte_broadcast.elements(self.cell_id)] = lte_broadcast.symbols(information, self.cell_id, self.ports).sum(
            0
        )
        subframe[7:11, _middle(subframe.shape[1], 72)] = block.reshape(4, 72)

    def _fill_mbsfn(self, subframe, number, scheduler, rng):
        """A subframe set aside for broadcast, shape (14, n_subcarriers): TS 36.211 6.5, 6.7, 6.10.2."""
        in_frame = number % SUBFRAMES_PER_FRAME
        has_pmch = self.mbsfn_content == "pmch"
        must_be_two = has_pmch or self.ports == 4 or self.n_rb <= 10
        n_control = CONTROL_SYMBOLS if must_be_two else int(rng.integers(1, CONTROL_SYMBOLS + 1))
        if has_pmch:
            _add_pmch(subframe, self.cell_id, in_frame, scheduler.modulation(), rng)
        add_control_region(subframe, self, in_frame, n_control, IDLE_CONTROL_LOAD, False, rng)
        _add_crs(subframe, self.cell_id, self.ports, in_frame, n_control)


def _allowed_mbsfn_subframes(tdd_config):
    if tdd_config is None:
        return MBSFN_SUBFRAMES["FDD"]
    return tuple(subframe for subframe in MBSFN_SUBFRAMES["TDD"] if TDD_SUBFRAMES[tdd_config][subframe] == "D")


def _add_pmch(subframe, cell_id, in_frame, bits_per_symbol, rng):
    """Broadcast data and its reference signals, 10 symbols with extended prefix: TS 36.211 6.5, 6.10.2."""
    data = subframe[CONTROL_SYMBOLS:EXTENDED_SYMBOLS_PER_MS]
    data[:] = random_qam(rng, data.shape, bits_per_symbol)
    # The area's identity is the cell's own here: which cells broadcast together does not matter to a receiver.
    for symbol, first in MBSFN_REFERENCE_SYMBOLS:
        slot, in_slot = 2 * in_frame + symbol // 6, symbol % 6
        n_rb = subframe.shape[1] // SUBCARRIERS_PER_RB
        subframe[symbol, first::2] = _mbsfn_reference(cell_id % LTE_MBSFN_AREA_IDS, n_rb, slot, in_slot)


_mbsfn_reference = lru_cache(maxsize=64)(lte_mbsfn_reference)


def _add_pdsch(subframe, symbols, blocks, bits_per_symbol, power_db, rng):
    """Data on the allocated blocks: TS 36.211 6.3, 6.4.

    Args:
        subframe: shape (14, n_subcarriers), contiguous, is changed.
        symbols: (start, stop) of the symbols that carry data.
        blocks: bool (2, n_rb) for the two slots.
    """
    amplitude = np.float32(10 ** (power_db / 20))
    half = SYMBOLS_PER_SUBFRAME // 2
    by_block = subframe.reshape(SYMBOLS_PER_SUBFRAME, -1, SUBCARRIERS_PER_RB)
    for slot, allocated in enumerate(blocks):
        start, stop = max(symbols[0], slot * half), min(symbols[1], (slot + 1) * half)
        count = int(allocated.sum())
        if stop > start and count:
            data = random_qam(rng, (stop - start, count, SUBCARRIERS_PER_RB), bits_per_symbol)
            by_block[start:stop, allocated] = amplitude * data


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
    """Load of a cell as seen on the air: sometimes idle, mostly below 0.3, in rare cases full."""
    kind = rng.random()
    if kind < 0.15:
        return 0.0
    if kind < 0.75:
        return rng.uniform(0.01, 0.3)
    return rng.uniform(0.3, 1.0) if kind < 0.92 else 1.0


def _random_mbsfn(rng, tdd_config):
    """MBSFN subframes of one FDD cell in twelve, as operators use them: for broadcast, or left empty to save power."""
    count, content = int(rng.integers(1, 7)), str(rng.choice(MBSFN_CONTENTS, p=(0.6, 0.4)))
    subframes = rng.permutation(MBSFN_SUBFRAMES["FDD"])[:count]
    if tdd_config is not None or rng.random() >= MBSFN_CHANCE:
        return {}
    return dict(mbsfn_subframes=tuple(sorted(int(subframe) for subframe in subframes)), mbsfn_content=content)
