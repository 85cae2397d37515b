# SPDX-License-Identifier: GPL-3.0-or-later
"""The LTE sidelink of vehicles (V2X, transmission modes 3 and 4) as a resource grid: TS 36.211 chapter 9.

Terminals send to each other by SC-FDMA, a subframe at a time: control (PSCCH, two resource blocks) and data (PSSCH)
side by side on one or more sub-channels, again and again at their reservation's pace; and synchronisation every 160 ms.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.fft

from ...standards.lte import N_RB, SUBFRAMES_PER_FRAME, SYMBOLS_PER_SUBFRAME
from ...standards.qam import random_qam
from ...standards.sequences import LTE_UPLINK_GROUPS, lte_sss, lte_uplink_reference
from ..grid import SUBCARRIERS_PER_RB, ResourceGrid
from .carrier import LteCarrier
from .uplink import WEAKEST_DB, transform_width

BANDWIDTHS = (10e6, 20e6)
"""Of band 47: TS 36.101 table 5.6G.1-1."""
SUBCHANNEL_BLOCKS = (4, 5, 6, 8, 9, 10, 12, 15, 16, 18, 20, 25, 48, 50)
RESERVATIONS_MS = (20, 50, 100)
CONTROL_BLOCKS = 2
REFERENCE_SYMBOLS = (2, 5, 8, 11)
"""Of PSCCH and PSSCH in a subframe: TS 36.211 9.8 (four a subframe for V2X)."""
LAST_SYMBOL = SYMBOLS_PER_SUBFRAME - 1
"""Left empty, so that terminals can turn from sending to receiving: TS 36.211 9.3.6."""
SYNC_PERIOD_MS = 160
PRIMARY_SYMBOLS, SECONDARY_SYMBOLS, BROADCAST_REFERENCES = (1, 2), (11, 12), (4, 6, 9)
"""Of a synchronisation subframe, in its middle six blocks: TS 36.211 9.7, 9.8 (V2X)."""
SYNC_IDS = 336
PRIMARY_ROOTS = (26, 37)


@dataclass
class LteSidelink(LteCarrier):
    """The sidelink of some vehicles.

    Attributes:
        bandwidth_hz: 10e6 or 20e6.
        cell_id: identity of the synchronisation, 0..335; it also decides who has reserved what.
        subchannel_blocks: resource blocks of a sub-channel.
        load: fraction of the sub-channels of all subframes that are reserved, 0..1.
        reservation_ms: period of all reservations, 20, 50 or 100 ms.
        user_powers_db: received power of each terminal, per resource element, -25..0 dB.
        has_sync: one of them sends synchronisation and PSBCH.
        start_ms: where in the frame structure the grid begins.
    """

    bandwidth_hz: float = 10e6
    cell_id: int = 0
    subchannel_blocks: int = 10
    load: float = 0.1
    reservation_ms: int = 100
    user_powers_db: tuple[float, ...] = (0.0, -6.0, -15.0)
    has_sync: bool = True
    start_ms: int = 0

    def __post_init__(self):
        self.user_powers_db = tuple(self.user_powers_db)
        self._require("bandwidth_hz", self.bandwidth_hz, self.bandwidth_hz in BANDWIDTHS, "10e6 or 20e6")
        self._require("cell_id", self.cell_id, 0 <= self.cell_id < SYNC_IDS, f"0..{SYNC_IDS - 1}")
        is_allowed = self.subchannel_blocks in SUBCHANNEL_BLOCKS and self.subchannel_blocks <= self.n_rb
        words = ", ".join(str(blocks) for blocks in SUBCHANNEL_BLOCKS if blocks <= self.n_rb)
        self._require("subchannel_blocks", self.subchannel_blocks, is_allowed, words)
        self._require("load", self.load, 0 <= self.load <= 1, "0..1")
        self._require("reservation_ms", self.reservation_ms, self.reservation_ms in RESERVATIONS_MS, "20, 50 or 100")
        powers = self.user_powers_db
        is_allowed = bool(powers) and all(WEAKEST_DB <= power <= 0 for power in powers)
        self._require("user_powers_db", powers, is_allowed, f"one or more of {WEAKEST_DB:g}..0 dB")
        self._require("start_ms", self.start_ms, self.start_ms >= 0, "0 or more")

    @classmethod
    def random(cls, rng: np.random.Generator, **fixed: Any) -> "LteSidelink":
        """The sidelink on a road: few vehicles or many, near and far ones.

        Args:
            rng: `numpy.random.Generator`.
            fixed: attributes that are given instead of drawn.
        """
        bandwidth_hz = float(fixed.get("bandwidth_hz", rng.choice(BANDWIDTHS, p=(0.4, 0.6))))
        drawn = dict(
            bandwidth_hz=bandwidth_hz,
            cell_id=int(rng.integers(SYNC_IDS)),
            subchannel_blocks=int(rng.choice([size for size in SUBCHANNEL_BLOCKS if size <= N_RB[bandwidth_hz]])),
            load=float(rng.beta(0.8, 3)),
            reservation_ms=int(rng.choice(RESERVATIONS_MS, p=(0.1, 0.2, 0.7))),
            user_powers_db=(0.0, *(float(power) for power in rng.uniform(WEAKEST_DB, 0, rng.integers(0, 12)))),
            has_sync=bool(rng.random() < 0.6),
            start_ms=int(rng.integers(SYNC_PERIOD_MS)),
        )
        return cls(**{**drawn, **fixed})

    def grid(self, n_ms: int, rng: np.random.Generator) -> ResourceGrid:
        """The resource grid.

        Args:
            n_ms: duration, whole milliseconds.
            rng: `numpy.random.Generator` for data.
        """
        symbols, _ = self._subframes(n_ms)
        plan, sync_ms = self._reservations()
        for index, subframe in enumerate(symbols):
            number = self.start_ms + index
            if self.has_sync and number % SYNC_PERIOD_MS == sync_ms:
                _add_synchronisation(subframe, self.cell_id, rng)
                continue
            for channel in np.flatnonzero(plan[number % self.reservation_ms] >= 0):
                user = int(plan[number % self.reservation_ms, channel])
                _add_transmission(subframe, self, int(channel), 10 ** (self.user_powers_db[user] / 20), rng)
        # Any subframe may be used: pauses are no pattern of a duplex.
        return self._as_grid(symbols, np.ones(len(symbols), bool), has_dc_null=False, half_subcarrier_shift=True)

    def _reservations(self):
        """(terminal in each subframe of the period and sub-channel, -1 for none; ms of the synchronisation)."""
        rng = np.random.default_rng(self.cell_id)
        shape = self.reservation_ms, self.n_rb // self.subchannel_blocks
        users = rng.integers(0, len(self.user_powers_db), shape)
        return np.where(rng.random(shape) < self.load, users, -1), int(rng.integers(SYNC_PERIOD_MS))


def _add_transmission(subframe, sidelink, channel, amplitude, rng):
    """Control and data of one terminal on one sub-channel: TS 36.211 9.3, 9.4."""
    start = channel * sidelink.subchannel_blocks
    width = transform_width(sidelink.subchannel_blocks - CONTROL_BLOCKS)
    for first, blocks in ((start, CONTROL_BLOCKS), (start + CONTROL_BLOCKS, width)):
        _add_part(subframe, first, blocks, int(rng.integers(LTE_UPLINK_GROUPS)), amplitude, REFERENCE_SYMBOLS, rng)


def _add_part(subframe, first, blocks, group, amplitude, references, rng):
    """Transform-precoded data with reference signals on some resource blocks; the last symbol stays empty."""
    n = blocks * SUBCARRIERS_PER_RB
    place = slice(first * SUBCARRIERS_PER_RB, first * SUBCARRIERS_PER_RB + n)
    is_data = ~np.isin(np.arange(SYMBOLS_PER_SUBFRAME), (*references, LAST_SYMBOL))
    data = random_qam(rng, (int(is_data.sum()), n), int(rng.choice((2, 4))))
    subframe[is_data, place] = np.float32(amplitude) * scipy.fft.fft(data, axis=1, norm="ortho")
    subframe[list(references), place] = np.float32(amplitude) * lte_uplink_reference(group, n)


def _add_synchronisation(subframe, sync_id, rng):
    """PSSS, SSSS and PSBCH in the middle six blocks: TS 36.211 9.6, 9.7."""
    first = (subframe.shape[1] // SUBCARRIERS_PER_RB - 6) // 2
    _add_part(subframe, first, 6, sync_id % LTE_UPLINK_GROUPS, 1.0, BROADCAST_REFERENCES, rng)
    middle = slice(first * SUBCARRIERS_PER_RB, (first + 6) * SUBCARRIERS_PER_RB)
    in_middle = slice((subframe.shape[1] - 62) // 2, (subframe.shape[1] + 62) // 2)
    subframe[list(PRIMARY_SYMBOLS + SECONDARY_SYMBOLS), middle] = 0
    subframe[list(PRIMARY_SYMBOLS), in_middle] = _primary(PRIMARY_ROOTS[sync_id // 168])
    subframe[list(SECONDARY_SYMBOLS), in_middle] = lte_sss(sync_id % 168 * 3, SUBFRAMES_PER_FRAME // 2)


def _primary(root):
    """Primary sidelink synchronisation signal, complex64 (62,): TS 36.211 9.7.1."""
    n = np.arange(62)
    n += n >= 31
    return np.exp(-1j * np.pi * root * n * (n + 1) / 63).astype(np.complex64)
