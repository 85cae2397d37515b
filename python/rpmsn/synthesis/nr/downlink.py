# SPDX-License-Identifier: GPL-3.0-or-later
"""The NR downlink as a resource grid: TS 38.211, normal cyclic prefix, FR1, all antenna ports added up.

Synchronisation and reference signals are the real sequences at the real places; channels that carry data have the
real places and random symbols.

============== =====================================================
`nr_carrier`   carrier widths, duplex patterns, bursts of traffic
`nr_data`      PDSCH and its reference signals
`nr_control`   PDCCH in its CORESET
`nr_traffic`   users: who is served when and on which blocks
`nr_broadcast` SS/PBCH blocks, SIB1 and its CORESET 0, TRS, CSI-RS
============== =====================================================

Simplified are: the carrier's lowest resource block is common resource block 0, so that reference sequences begin
there; SS/PBCH blocks have the carrier's spacing and may begin on any subcarrier, as if the carrier's frequency were
chosen to meet the synchronisation raster (TS 38.104 5.4.3); CORESET 0 is that of bands with channels of 5 or 10 MHz,
multiplexing pattern 1; SIB1 comes in every period of 20 ms, at the first of its two monitoring occasions.
"""

from dataclasses import InitVar, dataclass
from typing import Any

import numpy as np

from ...standards.nr import (
    CORESET_ZERO,
    N_RB,
    SSB_CASES,
    SSB_FIRST_SYMBOLS,
    SSB_PERIODS_MS,
    SSB_SUBCARRIERS,
    SSB_SYMBOLS,
)
from ...standards.nr_grant import SEARCH_SPACE_ZERO
from ...standards.sequences import NR_CELL_IDS
from ..grid import SUBCARRIERS_PER_RB, SYMBOLS_PER_SLOT, ResourceGrid
from .broadcast import (
    CSI_RS_PERIODS_SLOTS,
    CSI_RS_PORTS,
    TRS_PERIODS_MS,
    Broadcast,
    coreset_zero,
    fitting_coresets_zero,
    ss_pbch_block,
)
from .carrier import MODULATIONS, TDD_PATTERNS, NrCarrier, downlink_symbols, random_carrier
from .data import RandomData
from .traffic import Traffic

__all__ = [
    "MODULATIONS", "N_RB", "SSB_CASES", "SSB_FIRST_SYMBOLS", "SSB_PERIODS_MS", "SSB_SUBCARRIERS", "SSB_SYMBOLS",
    "STYLES", "TDD_PATTERNS", "NrDownlink", "ss_pbch_block",
]  # fmt: skip

STYLES = ("bursty", "full", "ssb_only", "scheduled")


@dataclass
class NrDownlink(NrCarrier):
    """An NR cell's downlink.

    Attributes:
        bandwidth_hz: 5 to 100 MHz, see `N_RB`.
        subcarrier_spacing: 15e3 or 30e3 Hz.
        cell_id: physical cell identity, 0..1007.
        tdd_pattern: None for FDD, or slots as a string of D, S and U that repeats, such as "DDDSU".
        special_symbols: downlink symbols of an S slot, 0..14.
        style: 'bursty': users come and go; 'full': every downlink slot full; 'ssb_only': no users; 'scheduled': as
            given by `schedule`.
        schedule: (slots, period in slots, ((first resource block, resource blocks), ...)): one PDSCH on those blocks
            in those slots of every period; None unless 'scheduled'.
        load: mean fraction of the downlink's resource blocks that carry user data, 0..1 ('bursty').
        duty: fraction of slots with user data, load..1; None: the square root of load.
        burst_slots: mean length of a burst of slots with user data, 1 or more; longer where the duty demands it.
        users: users sharing a slot.
        scattered: users have gaps between them, rather than one run in all.
        mini_slot_share: fraction of PDSCH that lasts only 2, 4 or 7 symbols, 0..1.
        modulations: bits per symbol of which each user has one, of 2, 4, 6 and 8.
        pdsch_power_db: power of user data over that of all else, dB.
        dmrs_type: 1 or 2, PDSCH reference signal.
        dmrs_first: first symbol with PDSCH reference signals in a slot, 2 or 3.
        dmrs_length: symbols in a row with them, 1 or 2; mini-slots have 1.
        dmrs_additional: further places with them, at most, 0..3.
        coreset: (first resource block, resource blocks, symbols) of the PDCCH; resource blocks a multiple of 6,
            symbols 1..3. None: the whole carrier, 2 symbols.
        coreset_interleaved: spread each control channel element over the CORESET.
        pdcch_load: fraction of the control channel elements in use in slots with user data, 0..1.
        ssb_case: 'A' (15 kHz), 'B' or 'C' (30 kHz); None: the first that suits the spacing.
        ssb_offset: lowest subcarrier of the SS/PBCH blocks, from the carrier's lowest; None: the middle.
        ssb_period_ms: 5, 10, 20, 40, 80 or 160.
        ssb_blocks: places for blocks in a burst (L_max), 4 or 8.
        beams: (block index, power in dB) of every SS/PBCH block that is sent; () for none.
        coded_broadcast: send MIB and SIB1, coded as receivers expect it, rather than random bits.
        sib1: send SIB1 for every beam.
        coreset_zero: where SIB1's PDCCH is, a row of TS 38.213 table 13-1 (15 kHz) or 13-4 (30 kHz) that fits into
            the carrier; None: the first that does.
        search_space_zero: when it comes, a row of TS 38.213 table 13-11, 0..15.
        trs_period_ms: period of the tracking reference signal, 10, 20, 40 or 80; None: not sent.
        csi_rs_period_slots: period of the channel state reference signal, 4 to 640 slots; None: not sent.
        csi_rs_ports: its antenna ports, 1, 2, 4 or 8.
        start_ms: where in the frame structure the grid begins, ms after the start of frame 0.
    """

    bandwidth_hz: float = 20e6
    subcarrier_spacing: float = 30e3
    cell_id: int = 0
    tdd_pattern: str | None = None
    special_symbols: int = 10
    style: str = "bursty"
    schedule: tuple[tuple[int, ...], int, tuple[tuple[int, int], ...]] | None = None
    load: float = 0.3
    duty: float | None = None
    burst_slots: float = 4.0
    users: int = 2
    scattered: bool = False
    mini_slot_share: float = 0.0
    modulations: tuple[int, ...] = MODULATIONS
    pdsch_power_db: float = 0.0
    dmrs_type: int = 1
    dmrs_first: int = 2
    dmrs_length: int = 1
    dmrs_additional: int = 1
    coreset: tuple[int, int, int] = None  # type: ignore[assignment]  # None is filled in
    coreset_interleaved: bool = True
    pdcch_load: float = 0.4
    ssb_case: str = None  # type: ignore[assignment]  # None is filled in
    ssb_offset: int = None  # type: ignore[assignment]  # None is filled in
    ssb_period_ms: int = 20
    ssb_blocks: int = 8
    beams: tuple[tuple[int, float], ...] = ((0, 0.0),)
    sib1: bool = True
    coreset_zero: int = None  # type: ignore[assignment]  # None is filled in where SIB1 is sent
    search_space_zero: int = 0
    trs_period_ms: int | None = 20
    csi_rs_period_slots: int | None = None
    csi_rs_ports: int = 2
    start_ms: int = 0
    coded_broadcast: InitVar[bool] = True

    def __post_init__(self, coded_broadcast: bool) -> None:
        self.sends_mib = bool(coded_broadcast)
        self._check_carrier()
        self._check_bursts()
        self._check_modulations()
        self._check_traffic()
        self._check_schedule()
        if self.coreset is None:
            self.coreset = (0, self.n_rb // 6 * 6, 2)
        if self.ssb_case is None:
            self.ssb_case = SSB_CASES[self.subcarrier_spacing][0]
        if self.ssb_offset is None:
            self.ssb_offset = max(0, self.n_subcarriers - SSB_SUBCARRIERS) // 2
        first, width, n_symbols = self.coreset
        self.coreset = (first, width, n_symbols)
        self.beams = tuple((index, power_db) for index, power_db in self.beams)
        self._check_control()
        self._check_blocks()
        self._check_sib1()

    def _check_traffic(self):
        self._require("style", self.style, self.style in STYLES, ", ".join(STYLES))
        self._require("users", self.users, self.users >= 1, "1 or more")
        self._require("mini_slot_share", self.mini_slot_share, 0 <= self.mini_slot_share <= 1, "0..1")
        self._require("dmrs_type", self.dmrs_type, self.dmrs_type in (1, 2), "1 or 2")
        self._require("dmrs_first", self.dmrs_first, self.dmrs_first in (2, 3), "2 or 3")
        self._require("dmrs_length", self.dmrs_length, self.dmrs_length in (1, 2), "1 or 2")
        self._require("dmrs_additional", self.dmrs_additional, self.dmrs_additional in range(4), "0..3")
        self._require("pdcch_load", self.pdcch_load, 0 <= self.pdcch_load <= 1, "0..1")
        trs, csi_rs = self.trs_period_ms, self.csi_rs_period_slots
        self._require("trs_period_ms", trs, trs is None or trs in TRS_PERIODS_MS, f"None or one of {TRS_PERIODS_MS}")
        allowed = f"None or one of {CSI_RS_PERIODS_SLOTS}"
        self._require("csi_rs_period_slots", csi_rs, csi_rs is None or csi_rs in CSI_RS_PERIODS_SLOTS, allowed)
        self._require("csi_rs_ports", self.csi_rs_ports, self.csi_rs_ports in CSI_RS_PORTS, f"one of {CSI_RS_PORTS}")

    def _check_schedule(self):
        allowed = "((slots,), period, ((first, width),)) with style='scheduled', slots below the period, blocks that "
        allowed += f"do not overlap within {self.n_rb}; else None"
        fits = (self.schedule is None) == (self.style != "scheduled")
        if fits and self.schedule is not None:
            slots, period, blocks = self.schedule
            self.schedule = (tuple(slots), period, tuple((first, width) for first, width in blocks))
            fits = all(0 <= slot < period for slot in slots)
            fits = fits and all(0 <= first <= first + width <= self.n_rb for first, width in blocks)
            places = [place for first, width in blocks for place in range(first, first + width)] if fits else []
            fits = fits and len(set(places)) == len(places)
        self._require("schedule", self.schedule, fits, allowed)

    def _check_control(self):
        first, width, n_symbols = self.coreset
        fits = first >= 0 and width >= 6 and width % 6 == 0 and first + width <= self.n_rb and n_symbols in (1, 2, 3)
        allowed = f"(first, a multiple of 6, 1..3) resource blocks and symbols within {self.n_rb} resource blocks"
        self._require("coreset", self.coreset, fits, allowed)

    def _check_blocks(self):
        cases = SSB_CASES[self.subcarrier_spacing]
        self._require("ssb_case", self.ssb_case, self.ssb_case in cases, f"one of {cases} at this subcarrier spacing")
        period = self.ssb_period_ms
        self._require("ssb_period_ms", period, period in SSB_PERIODS_MS, f"one of {SSB_PERIODS_MS}")
        self._require("ssb_blocks", self.ssb_blocks, self.ssb_blocks in (4, 8), "4 or 8")
        indices = [index for index, _ in self.beams]
        are_allowed = len(set(indices)) == len(indices) and set(indices) <= set(range(self.ssb_blocks))
        self._require("beams", self.beams, are_allowed, f"(index, dB) with different indices 0..{self.ssb_blocks - 1}")
        last = self.n_subcarriers - SSB_SUBCARRIERS
        if self.beams:
            allowed = f"0..{last}" if last >= 0 else "beams=(): the carrier is narrower than an SS/PBCH block"
            self._require("ssb_offset", self.ssb_offset, 0 <= self.ssb_offset <= last, allowed)

    def _check_sib1(self):
        rows = range(len(SEARCH_SPACE_ZERO))
        self._require("search_space_zero", self.search_space_zero, self.search_space_zero in rows, f"0..{rows[-1]}")
        fitting = fitting_coresets_zero(self.subcarrier_spacing, self.n_rb, self.ssb_offset)
        if self.coreset_zero is None and self.sends_sib1:
            self.coreset_zero = fitting[0]
        is_allowed = self.coreset_zero in fitting or not self.sends_sib1
        self._require("coreset_zero", self.coreset_zero, is_allowed, f"one of {fitting} for this carrier, or None")

    @classmethod
    def random(cls, rng: np.random.Generator, **fixed: Any) -> "NrDownlink":
        """A cell as found on the air: any bandwidth, duplex and position of the SS/PBCH blocks, SSB only to full.

        Args:
            rng: `numpy.random.Generator`.
            fixed: attributes that are given instead of drawn.
        """
        carrier = {**random_carrier(rng, fixed), "special_symbols": int(rng.integers(4, 13)), **fixed}
        drawn = {**carrier, **_random_traffic(rng, fixed), **_random_broadcast(rng, carrier)}
        return cls(**{**drawn, **fixed})

    @property
    def sends_sib1(self) -> bool:
        """Whether SIB1 is sent: it needs a beam whose MIB points to it."""
        return bool(self.sib1 and self.beams)

    @property
    def coreset_zero_blocks(self) -> tuple[int, int, int]:
        """First resource block, resource blocks and symbols of CORESET 0."""
        return coreset_zero(self.subcarrier_spacing, self.coreset_zero, self.ssb_offset)

    @property
    def beams_share_slots(self) -> bool:
        """Whether SIB1's grants for two beams come in one slot."""
        return SEARCH_SPACE_ZERO[self.search_space_zero][1] == 0.5

    def downlink_symbols(self, slot: int) -> int:
        """Symbols of a slot (counted from frame 0) that belong to the downlink, from its start on: 0..14."""
        return downlink_symbols(self.tdd_pattern, self.special_symbols, slot)

    def grid(self, n_ms: int, rng: np.random.Generator) -> ResourceGrid:
        """The downlink's resource grid.

        Args:
            n_ms: duration, whole milliseconds.
            rng: `numpy.random.Generator` for users and data.
        """
        symbols, numbers = self._empty_slots(n_ms)
        data = RandomData(rng)
        traffic, broadcast = Traffic(self, data), Broadcast(self, data)
        for slot, number in zip(symbols, numbers):
            n_downlink = self.downlink_symbols(number)
            traffic.fill(slot, number, n_downlink)
            broadcast.fill(slot, number, n_downlink)
        return self._as_grid(symbols, np.array([self.downlink_symbols(number) > 0 for number in numbers]))


def _random_traffic(rng, fixed):
    """Draw how busy the cell is and how it serves its users."""
    style = str(rng.choice(STYLES[:3], p=(0.65, 0.15, 0.2)))
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
        dmrs_length=int(rng.choice((1, 2), p=(0.85, 0.15))),
        dmrs_additional=int(rng.integers(4)),
        coreset_interleaved=bool(rng.random() < 0.5),
        pdcch_load=float(rng.uniform(0.1, 0.8)),
        trs_period_ms=int(rng.choice(TRS_PERIODS_MS)) if rng.random() < 0.7 else None,
        csi_rs_period_slots=int(rng.choice(CSI_RS_PERIODS_SLOTS[3:10])) if rng.random() < 0.5 else None,
        csi_rs_ports=int(rng.choice(CSI_RS_PORTS)),
        start_ms=int(rng.integers(160)),
    )


def _random_broadcast(rng, carrier):
    """Draw CORESETs, SS/PBCH blocks and beams of a carrier."""
    spacing = carrier["subcarrier_spacing"]
    n_rb = N_RB.get(spacing, {}).get(carrier["bandwidth_hz"], 52)
    coreset_width = 6 * int(rng.integers(min(4, n_rb // 6), n_rb // 6 + 1))
    blocks = int(carrier.get("ssb_blocks", rng.choice((4, 8))))
    case = str(carrier.get("ssb_case") or rng.choice(SSB_CASES.get(spacing, "A")))
    last_offset = max(0, n_rb * SUBCARRIERS_PER_RB - SSB_SUBCARRIERS)
    offset = carrier.get("ssb_offset", int(rng.integers(last_offset + 1)))
    return dict(
        cell_id=int(rng.integers(NR_CELL_IDS)),
        coreset=(int(rng.integers(n_rb - coreset_width + 1)), coreset_width, int(rng.integers(1, 4))),
        ssb_case=case,
        ssb_offset=offset,
        ssb_period_ms=int(rng.choice((5, 10, 20, 40), p=(0.1, 0.2, 0.6, 0.1))),
        ssb_blocks=blocks,
        beams=_random_beams(rng, carrier, case, blocks) if n_rb * SUBCARRIERS_PER_RB >= SSB_SUBCARRIERS else (),
        sib1=bool(rng.random() < 0.7),
        **_random_sib1(rng, spacing, n_rb, last_offset // 2 if offset is None else offset),
    )


def _random_sib1(rng, spacing, n_rb, ssb_offset):
    """Draw where and when SIB1's grants come; three symbols only away from the half frame of the blocks."""
    search_space = int(rng.integers(len(SEARCH_SPACE_ZERO)))
    longest = 3 if SEARCH_SPACE_ZERO[search_space][0] >= 5 else 2
    fitting = fitting_coresets_zero(spacing, n_rb, ssb_offset)
    fitting = [index for index in fitting if CORESET_ZERO[spacing][index][1] <= longest]
    index = int(rng.choice(fitting)) if fitting else None
    return dict(coreset_zero=index, search_space_zero=search_space)


def _random_beams(rng, carrier, case, blocks):
    """Some of the blocks that fit the downlink's slots, one at 0 dB, the others up to 15 dB weaker or 3 dB stronger."""
    sent = []
    for index, first in enumerate(SSB_FIRST_SYMBOLS[case][:blocks]):
        slot, symbol = divmod(first, SYMBOLS_PER_SLOT)
        n_downlink = downlink_symbols(carrier["tdd_pattern"], carrier["special_symbols"], slot)
        if symbol + SSB_SYMBOLS <= n_downlink:
            sent.append(index)
    if not sent:
        return ()
    count = int(rng.integers(1, len(sent) + 1))
    indices = sorted(int(index) for index in rng.choice(sent, count, replace=False))
    strongest = int(rng.choice(indices))
    return tuple((index, 0.0 if index == strongest else float(rng.uniform(-15, 3))) for index in indices)
