# SPDX-License-Identifier: GPL-3.0-or-later
"""The NB-IoT downlink as a resource grid: TS 36.211 chapter 10, one resource block of 15 kHz subcarriers.

Synchronisation and reference signals are the real sequences at the real places; channels that carry data have the
real places and random symbols.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from ...errors import require
from ...standards import nbiot
from ...standards.lte import SUBFRAMES_PER_FRAME, SYMBOLS_PER_SUBFRAME
from ...standards.qam import random_qam
from ...standards.sequences import LTE_CELL_IDS, lte_crs, lte_crs_subcarriers
from ..grid import SUBCARRIERS_PER_RB, ResourceGrid

MODES = ("standalone", "guard", "inband")
CARRIER_HZ = 200e3
NPSS_SUBFRAME, NSSS_SUBFRAME, NPBCH_SUBFRAME, SIB1_SUBFRAME = 5, 9, 0, 4
CONTROL_SYMBOLS = 3
"""Symbols at a subframe's beginning that synchronisation and broadcast leave to LTE in every mode."""
REFERENCE_SYMBOLS = ((5, (0, 3)), (6, (3, 0)))
"""Symbols of a slot with narrowband reference signals, and the subcarrier of each port: TS 36.211 10.2.6.2."""
LTE_PORTS = 4
"""Ports whose reference signals NPBCH leaves free: TS 36.211 10.2.4.4."""


@dataclass
class NbIotDownlink:
    """The downlink of an NB-IoT cell.

    Attributes:
        cell_id: narrowband physical cell identity, 0..503.
        mode: 'standalone', 'guard' or 'inband'. In band, the carrier is a part of the LTE carrier that it lies in: it
            counts as LTE, and leaves the first three symbols to it. The LTE carrier of a scene does not leave its
            resource block empty.
        ports: antenna ports with reference signals, 1 or 2.
        load: fraction of the other subframes with NPDCCH or NPDSCH, 0..1.
        start_ms: where in the frame structure the grid begins, ms after the start of an even frame.
    """

    cell_id: int = 0
    mode: str = "standalone"
    ports: int = 2
    load: float = 0.3
    start_ms: int = 0
    subcarrier_spacing = 15e3
    n_rb = 1

    def __post_init__(self):
        self._require("cell_id", self.cell_id, 0 <= self.cell_id < LTE_CELL_IDS, f"0..{LTE_CELL_IDS - 1}")
        self._require("mode", self.mode, self.mode in MODES, ", ".join(MODES))
        self._require("ports", self.ports, self.ports in (1, 2), "1 or 2")
        self._require("load", self.load, 0 <= self.load <= 1, "0..1")
        self._require("start_ms", self.start_ms, self.start_ms >= 0, "0 or more")

    def _require(self, name, value, is_allowed, allowed):
        require(type(self).__name__, name, value, is_allowed, allowed)

    @classmethod
    def random(cls, rng: np.random.Generator, **fixed: Any) -> "NbIotDownlink":
        """A cell as found on the air: mostly idle, of any mode.

        Args:
            rng: `numpy.random.Generator`.
            fixed: attributes that are given instead of drawn.
        """
        drawn = dict(
            cell_id=int(rng.integers(LTE_CELL_IDS)),
            mode=str(rng.choice(MODES)),
            ports=int(rng.integers(1, 3)),
            load=float(rng.beta(0.7, 1.8)),
            start_ms=int(rng.integers(20)),
        )
        return cls(**{**drawn, **fixed})

    def grid(self, n_ms: int, rng: np.random.Generator) -> ResourceGrid:
        """The downlink's resource grid.

        Args:
            n_ms: duration, whole milliseconds.
            rng: `numpy.random.Generator` for data.
        """
        symbols = np.zeros((int(n_ms), SYMBOLS_PER_SUBFRAME, SUBCARRIERS_PER_RB), np.complex64)
        for index, subframe in enumerate(symbols):
            self._fill(subframe, self.start_ms + index, rng)
        return ResourceGrid(
            symbols=symbols.reshape(-1, SUBCARRIERS_PER_RB),
            technology="LTE" if self.mode == "inband" else "other",
            subcarrier_spacing=self.subcarrier_spacing,
            bandwidth=CARRIER_HZ,
            has_dc_null=False,
            active=np.ones(int(n_ms), bool),
            slot_duration_s=1e-3,
            cell_id=self.cell_id,
            half_subcarrier_shift=True,
        )

    def _fill(self, subframe, number, rng):
        """Everything of one subframe, shape (14, 12); the order of TS 36.211 10.2: signals take elements from data."""
        frame, in_frame = divmod(number, SUBFRAMES_PER_FRAME)
        late = subframe[CONTROL_SYMBOLS:]
        if in_frame == NPSS_SUBFRAME:
            late[:] = nbiot.npss()
            return
        if in_frame == NSSS_SUBFRAME and frame % 2 == 0:
            late[:] = _secondary(self.cell_id, frame // 2 % 4)
            return
        if in_frame == NPBCH_SUBFRAME:
            late[:] = random_qam(rng, late.shape)
            for symbol, subcarriers in _lte_reference_places(self.cell_id):
                subframe[symbol, subcarriers] = 0
        elif (in_frame == SIB1_SUBFRAME and frame % 2 == 0) or rng.random() < self.load:
            data = late if self.mode == "inband" else subframe
            data[:] = random_qam(rng, data.shape)
        self._add_references(subframe, in_frame)

    def _add_references(self, subframe, in_frame):
        """Narrowband reference signals: TS 36.211 10.2.6."""
        for slot in (0, 1):
            for symbol, places in REFERENCE_SYMBOLS:
                values = lte_crs(self.cell_id, self.n_rb, 2 * in_frame + slot, symbol)
                for place in places[: self.ports]:
                    first = (place + self.cell_id % 6) % 6
                    subframe[7 * slot + symbol, first::6] = values


_secondary = lru_cache(maxsize=64)(nbiot.nsss)


@lru_cache(maxsize=16)
def _lte_reference_places(cell_id):
    """(symbol of the subframe, subcarriers) that LTE's reference signals of four ports may take."""
    places = []
    for symbol in range(CONTROL_SYMBOLS, SYMBOLS_PER_SUBFRAME):
        for port in range(LTE_PORTS):
            subcarriers = lte_crs_subcarriers(cell_id, 1, port, symbol // 7, symbol % 7)
            if subcarriers.size:
                places.append((symbol, subcarriers))
    return places
