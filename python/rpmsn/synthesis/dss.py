# SPDX-License-Identifier: GPL-3.0-or-later
"""Dynamic spectrum sharing: an LTE cell and an NR carrier of 15 kHz in one channel, as one resource grid.

LTE comes first: it has its control region in every subframe and its cell-specific reference signals in all but the
MBSFN subframes. NR fills its part of what remains: PDCCH in symbol 2, PDSCH from symbol 3 on round LTE's reference
signals, with its own ones off LTE's symbols (TS 38.214 5.1.4.2). What cannot do with holes, SS/PBCH blocks and
tracking reference signals, goes into MBSFN subframes.

The grid is NR's: LTE's subcarrier k (never 0) is NR's subcarrier k from the centre. At 5 MHz LTE's highest of 300
subcarriers falls beyond NR's 25 resource blocks and is left out. Both count the same frames and have the same power
per resource element. NR's SIB1 is left out. An LTE block beside NR's may lose a subcarrier, for above the centre
the borders of their resource blocks are one subcarrier apart.
"""

from dataclasses import asdict, dataclass, field, fields
from functools import lru_cache
from typing import Any

import numpy as np

from ..standards.lte import N_RB as LTE_N_RB
from ..standards.nr import N_RB
from ..standards.nr_grant import GROUPS_PER_CCE
from ..standards.sequences import NR_CELL_IDS, lte_crs_subcarriers
from .grid import SUBCARRIERS_PER_RB, SYMBOLS_PER_SLOT, ResourceGrid
from .lte.downlink import LteDownlink
from .nr.broadcast import SSB_FIRST_SYMBOLS, SSB_SUBCARRIERS, add_ss_pbch_block, add_trs, ss_pbch_block
from .nr.carrier import MODULATIONS, NrCarrier, cell_generator
from .nr.control import add_pdcch
from .nr.data import RandomData, add_pdsch, random_user
from .nr.traffic import split_run

SPACING = 15e3
BANDWIDTHS_HZ = (5e6, 10e6, 15e6, 20e6)

LTE_ONLY_SUBFRAMES = (0, 5)
"""They have LTE's synchronisation signals, broadcast channel and system information."""

LTE_CONTROL_SYMBOLS, NR_CONTROL_SYMBOL, NR_FIRST_SYMBOL = 2, 2, 3
"""LTE's control region in NR's subframes at most, the symbol of NR's CORESET, and the first one of NR's PDSCH."""

DMRS_SYMBOLS = (3, 12)
"""First at 3 and one additional, moved from 11, which has LTE reference signals: TS 38.211 7.4.1.1.2."""

PDCCH_LOAD = 0.5
"""Fraction of NR's control channel elements in use in a subframe with NR user data."""

SSB_PLACES = ((1, 2), (1, 3), (6, 2), (6, 3))
"""(subframe, block index) of the SS/PBCH blocks of case A, 4 a burst, that lie where MBSFN subframes can be."""

SSB_PERIOD_MS, SSB_BLOCKS = 20, 4
TRS_SYMBOLS = (4, 8)


@dataclass
class DssDownlink(NrCarrier):
    """An LTE cell and an NR carrier that share a channel.

    Attributes:
        bandwidth_hz: 5, 10, 15 or 20 MHz, of both.
        cell_id: NR's physical cell identity, 0..1007.
        lte: arguments of `LteDownlink`, without bandwidth_hz and start_ms, FDD; MBSFN subframes, if any, are empty of
            LTE's own and go to NR.
        nr_subframes: subframes that NR may use beside the MBSFN ones, of 1..4 and 6..9 (sharing in time).
        nr_blocks: (first, count) of the resource blocks that NR may use there (sharing in frequency); None: all.
        nr_duty: chance that NR takes such a subframe; else it is LTE's, 0..1.
        nr_load: mean fraction of its blocks that NR fills in a subframe of its own, 0..1.
        nr_users: NR users sharing a subframe.
        nr_power_db: power of NR's user data over that of LTE's reference signals, dB.
        nr_modulations: bits per symbol of which each NR user has one, of 2, 4, 6 and 8.
        ssb: (MBSFN subframe, block index) of NR's SS/PBCH block, subframe 1 or 6, index 2 or 3; None: none.
        ssb_offset: its lowest subcarrier, from NR's lowest; None: the middle.
        ssb_power_db: its power, dB.
        trs: send tracking reference signals, in the first MBSFN subframe of every odd frame.
        start_ms: where in the frame structure the grid begins, ms after the start of an even frame.
    """

    subcarrier_spacing = SPACING

    bandwidth_hz: float = 10e6
    cell_id: int = 0
    lte: dict = field(default_factory=lambda: {"mbsfn_subframes": (1,)})
    nr_subframes: tuple[int, ...] = (2, 3, 7, 8)
    nr_blocks: tuple[int, int] | None = None
    nr_duty: float = 1.0
    nr_load: float = 0.6
    nr_users: int = 2
    nr_power_db: float = 0.0
    nr_modulations: tuple[int, ...] = MODULATIONS
    ssb: tuple[int, int] | None = (1, 2)
    ssb_offset: int = None  # type: ignore[assignment]  # None is filled in
    ssb_power_db: float = 0.0
    trs: bool = True
    start_ms: int = 0

    def __post_init__(self):
        is_allowed = self.bandwidth_hz in BANDWIDTHS_HZ
        self._require("bandwidth_hz", self.bandwidth_hz, is_allowed, "5, 10, 15 or 20 MHz, in Hz")
        self._require("cell_id", self.cell_id, 0 <= self.cell_id < NR_CELL_IDS, f"0..{NR_CELL_IDS - 1}")
        self._require("start_ms", self.start_ms, self.start_ms >= 0, "0 or more")
        self._check_lte()
        self._check_shares()
        self._check_ssb()

    def _check_lte(self):
        allowed = {parameter.name for parameter in fields(LteDownlink)} - {"bandwidth_hz", "start_ms"}
        self._require("lte", self.lte, set(self.lte) <= allowed, f"a dict with some of {', '.join(sorted(allowed))}")
        cell = LteDownlink(bandwidth_hz=self.bandwidth_hz, **self.lte)
        is_allowed = cell.tdd_config is None and cell.mbsfn_content == "empty"
        self._require("lte", self.lte, is_allowed, "tdd_config None (FDD) and mbsfn_content 'empty'")
        self.lte = asdict(cell)
        del self.lte["bandwidth_hz"], self.lte["start_ms"]

    def _check_shares(self):
        self.nr_subframes = tuple(self.nr_subframes)
        self.nr_modulations = tuple(self.nr_modulations)
        if self.nr_blocks is not None:
            first, count = self.nr_blocks
            self.nr_blocks = (first, count)
        allowed = [number for number in range(10) if number not in LTE_ONLY_SUBFRAMES]
        self._require("nr_subframes", self.nr_subframes, set(self.nr_subframes) <= set(allowed), f"some of {allowed}")
        first, count = self.nr_blocks or (0, self.n_rb)
        fits = first >= 0 and count >= 0 and first + count <= self.n_rb
        self._require("nr_blocks", self.nr_blocks, fits, f"None or (first, count) within {self.n_rb} resource blocks")
        for name in ("nr_duty", "nr_load"):
            self._require(name, getattr(self, name), 0 <= getattr(self, name) <= 1, "0..1")
        self._require("nr_users", self.nr_users, self.nr_users >= 1, "1 or more")
        are_allowed = bool(self.nr_modulations) and set(self.nr_modulations) <= set(MODULATIONS)
        self._require("nr_modulations", self.nr_modulations, are_allowed, f"some of {MODULATIONS} bits per symbol")

    def _check_ssb(self):
        if self.ssb is not None:
            subframe, index = self.ssb
            self.ssb = (subframe, index)
        is_allowed = self.ssb is None or self.ssb in SSB_PLACES and self.ssb[0] in self.mbsfn_subframes
        allowed = f"None or one of {tuple(SSB_PLACES)} in an MBSFN subframe of lte"
        self._require("ssb", self.ssb, is_allowed, allowed)
        last = self.n_subcarriers - SSB_SUBCARRIERS
        if self.ssb_offset is None:
            self.ssb_offset = last // 2
        self._require("ssb_offset", self.ssb_offset, 0 <= self.ssb_offset <= last, f"0..{last}")

    @classmethod
    def random(cls, rng: np.random.Generator, **fixed: Any) -> "DssDownlink":
        """A carrier shared in time, in frequency or both.

        Args:
            rng: `numpy.random.Generator`.
            fixed: attributes that are given instead of drawn.
        """
        bandwidth = float(fixed.get("bandwidth_hz", rng.choice(BANDWIDTHS_HZ, p=(0.1, 0.4, 0.2, 0.3))))
        n_rb = N_RB[SPACING].get(bandwidth, 52)
        lte = fixed.get("lte") or _random_lte(rng, bandwidth)
        drawn = _random_nr(rng, n_rb, lte.get("mbsfn_subframes", ()))
        return cls(**{**drawn, "bandwidth_hz": bandwidth, "lte": lte, **fixed})

    @property
    def mbsfn_subframes(self) -> tuple[int, ...]:
        """LTE's MBSFN subframes, which are NR's."""
        return self.lte["mbsfn_subframes"]

    def grid(self, n_ms: int, rng: np.random.Generator) -> ResourceGrid:
        """The resource grid of both.

        Args:
            n_ms: duration, whole milliseconds.
            rng: `numpy.random.Generator` for users and data.
        """
        numbers = self.slot_numbers(n_ms)
        symbols = self._lte_on_nr_raster(int(n_ms), rng)
        shared = np.zeros((len(numbers), SYMBOLS_PER_SLOT, self.n_rb), bool)
        sharing = _Sharing(self, rng)
        for subframe, by_nr, number in zip(symbols, shared, numbers):
            sharing.fill(subframe, by_nr, number)
        return ResourceGrid(
            symbols=symbols.reshape(-1, self.n_subcarriers),
            technology="LTE",
            subcarrier_spacing=SPACING,
            bandwidth=self.bandwidth_hz,
            has_dc_null=False,
            active=np.ones(len(numbers), bool),
            slot_duration_s=1e-3,
            cell_id=self.lte["cell_id"],
            shared=shared.reshape(-1, self.n_rb),
        )

    def _lte_on_nr_raster(self, n_ms, rng):
        """LTE's elements as if it were alone, complex64 (subframes, 14, n_subcarriers)."""
        cell = LteDownlink(bandwidth_hz=self.bandwidth_hz, start_ms=self.start_ms % 20, **self.lte)
        own = cell.grid(n_ms, rng).symbols
        symbols = np.zeros((n_ms, SYMBOLS_PER_SLOT, self.n_subcarriers), np.complex64)
        flat, half = symbols.reshape(-1, self.n_subcarriers), own.shape[1] // 2
        middle = self.n_subcarriers // 2
        flat[:, middle - half : middle] = own[:, :half]
        upper = flat[:, middle + 1 : middle + 1 + half]
        upper[:] = own[:, half : half + upper.shape[1]]
        return symbols


class _Sharing:
    """NR's part of a shared carrier, subframe by subframe."""

    def __init__(self, cell: DssDownlink, rng: np.random.Generator) -> None:
        self.cell, self.rng, self.data = cell, rng, RandomData(rng)
        own = cell_generator(cell.cell_id)
        self.users = [random_user(own, cell.nr_modulations, 1, cell.nr_power_db) for _ in range(cell.nr_users)]
        self.trs_comb = int(own.integers(4))
        self.trs_subframe = min(cell.mbsfn_subframes) if cell.trs and cell.mbsfn_subframes else None

    def fill(self, subframe: np.ndarray, by_nr: np.ndarray, number: int) -> None:
        """Give NR its part of one subframe.

        Args:
            subframe: complex64, shape (14, n_subcarriers), LTE's; is changed.
            by_nr: bool, shape (14, n_rb), set where NR sends.
            number: subframe since the start of frame 0.
        """
        in_frame = number % 10
        is_mbsfn = in_frame in self.cell.mbsfn_subframes
        own = np.zeros_like(subframe)
        if is_mbsfn:
            self._fill_data(own, in_frame, (0, self.cell.n_rb))
            self._fill_signals(own, number)
        elif in_frame in self.cell.nr_subframes and self.rng.random() < self.cell.nr_duty:
            first, count = blocks = self.cell.nr_blocks or (0, self.cell.n_rb)
            self._fill_data(own, in_frame, blocks)
            taken = np.zeros(subframe.shape, bool)
            taken[LTE_CONTROL_SYMBOLS:, first * SUBCARRIERS_PER_RB : (first + count) * SUBCARRIERS_PER_RB] = True
            taken &= ~lte_reference_elements(self.cell.bandwidth_hz, self.cell.lte["cell_id"], self.cell.lte["ports"])
            subframe[taken] = 0
            own[~taken] = 0
        else:
            return
        subframe += own
        by_nr |= (own != 0).reshape(*by_nr.shape, SUBCARRIERS_PER_RB).any(axis=2)

    def _fill_data(self, own, in_frame, blocks):
        """NR's grants and user data on some of (first, count) resource blocks, without regard to LTE."""
        cell, rng = self.cell, self.rng
        wanted = int(blocks[1] * cell.nr_load + rng.random())
        if wanted == 0:
            return
        self._fill_grants(own, in_frame, blocks)
        first = blocks[0] + int(rng.integers(blocks[1] - min(wanted, blocks[1]) + 1))
        for user, run in zip(self.users, split_run(first, min(wanted, blocks[1]), len(self.users), rng)):
            if run[1]:
                span = NR_FIRST_SYMBOL, SYMBOLS_PER_SLOT
                add_pdsch(own, in_frame, cell.cell_id, run, span, DMRS_SYMBOLS, user, 1, self.data)

    def _fill_grants(self, own, in_frame, blocks):
        """One symbol of PDCCH on as many of the blocks as make a CORESET."""
        width = blocks[1] // GROUPS_PER_CCE * GROUPS_PER_CCE
        used = self.rng.random(width // GROUPS_PER_CCE) < PDCCH_LOAD
        if used.any():
            coreset = (blocks[0], width, 1)
            cell_id = self.cell.cell_id
            add_pdcch(own, in_frame, cell_id, coreset, True, used, 1.0, self.data, NR_CONTROL_SYMBOL)

    def _fill_signals(self, own, number):
        """Tracking reference signals and SS/PBCH block, where an MBSFN subframe has them."""
        cell = self.cell
        if number % 20 - 10 == self.trs_subframe:
            add_trs(own, number % 10, cell.cell_id, TRS_SYMBOLS, self.trs_comb)
        if cell.ssb and number % SSB_PERIOD_MS == cell.ssb[0]:
            symbol = SSB_FIRST_SYMBOLS["A"][cell.ssb[1]] % SYMBOLS_PER_SLOT
            block = ss_pbch_block(cell.cell_id, cell.ssb[1], cell.ssb[0] // 5, SSB_BLOCKS, self.rng)
            add_ss_pbch_block(own, symbol, cell.ssb_offset, np.float32(10 ** (cell.ssb_power_db / 20)) * block)


@lru_cache(maxsize=32)
def lte_reference_elements(bandwidth_hz: float, cell_id: int, ports: int) -> np.ndarray:
    """Where LTE's cell-specific reference signals are on NR's raster, bool (14, NR's subcarriers): TS 36.211 6.10.1.2.

    Args:
        bandwidth_hz: of both carriers.
        cell_id: LTE's physical cell identity.
        ports: LTE's antenna ports, 1, 2 or 4.
    """
    n_lte, n_nr = LTE_N_RB[bandwidth_hz], N_RB[SPACING][bandwidth_hz] * SUBCARRIERS_PER_RB
    elements = np.zeros((SYMBOLS_PER_SLOT, n_nr), bool)
    for symbol in range(SYMBOLS_PER_SLOT):
        for port in range(ports):
            subcarriers = lte_crs_subcarriers(cell_id, n_lte, port, symbol // 7, symbol % 7)
            places = nr_subcarrier(subcarriers, n_lte * SUBCARRIERS_PER_RB, n_nr)
            elements[symbol, places[places < n_nr]] = True
    return elements


def nr_subcarrier(subcarrier: np.ndarray, n_lte: int, n_nr: int) -> np.ndarray:
    """NR's number of an LTE subcarrier, both counted from their carrier's lowest; LTE has none at the centre.

    Args:
        subcarrier: LTE's, int or array.
        n_lte: LTE's subcarriers.
        n_nr: NR's.
    """
    return subcarrier - n_lte // 2 + (subcarrier >= n_lte // 2) + n_nr // 2


def _random_lte(rng, bandwidth_hz):
    """Draw the LTE cell: FDD, with one or two MBSFN subframes in most cells."""
    mbsfn = ((), (1,), (6,), (1, 6), (1, 2))[int(rng.choice(5, p=(0.15, 0.35, 0.2, 0.2, 0.1)))]
    given = dict(bandwidth_hz=bandwidth_hz, tdd_config=None, mbsfn_subframes=mbsfn, mbsfn_content="empty")
    cell = asdict(LteDownlink.random(rng, **given))
    return {name: value for name, value in cell.items() if name not in ("bandwidth_hz", "start_ms")}


def _random_nr(rng, n_rb, mbsfn_subframes):
    """Draw how NR and LTE share the channel: by whole subframes, by blocks of all, or by both."""
    way = str(rng.choice(("time", "frequency", "both")))
    allowed = [number for number in range(10) if number not in LTE_ONLY_SUBFRAMES]
    count = len(allowed) if way == "frequency" else int(rng.integers(1, 7))
    subframes = sorted(rng.choice(allowed, count, replace=False).tolist())
    width = int(rng.integers(6, max(7, int(0.8 * n_rb))))
    places = [place for place in SSB_PLACES if place[0] in mbsfn_subframes]
    return dict(
        cell_id=int(rng.integers(NR_CELL_IDS)),
        nr_subframes=tuple(subframes),
        nr_blocks=None if way == "time" else (int(rng.integers(n_rb - width + 1)), width),
        nr_duty=float(rng.uniform(0.2, 1)),
        nr_load=float(rng.beta(1, 1.5)),
        nr_users=int(rng.integers(1, 5)),
        nr_power_db=float(rng.uniform(-3, 3)),
        ssb=places[int(rng.integers(len(places)))] if places else None,
        ssb_offset=int(rng.integers(n_rb * SUBCARRIERS_PER_RB - SSB_SUBCARRIERS + 1)),
        trs=bool(rng.random() < 0.8),
        start_ms=int(rng.integers(160)),
    )
