# SPDX-License-Identifier: GPL-3.0-or-later
"""What downlink and uplink of an LTE cell have in common: channel widths, frame structure, checks, the empty grid."""

import numpy as np

from ...errors import require
from ...standards.lte import N_RB, SUBFRAMES_PER_FRAME, SYMBOLS_PER_SUBFRAME, TDD_SUBFRAMES
from ...standards.qam import BITS_PER_SYMBOL
from ...standards.sequences import LTE_CELL_IDS
from ..grid import SUBCARRIERS_PER_RB, ResourceGrid

BANDWIDTH_FRACTIONS = (0.05, 0.06, 0.16, 0.26, 0.17, 0.3)
"""How often a drawn cell has each of these bandwidths."""


class LteCarrier:
    """Base of the two directions, which are dataclasses with these attributes among theirs."""

    bandwidth_hz: float
    cell_id: int
    tdd_config: int | None
    special_subframe: int
    load: float
    duty: float | None
    modulations: tuple[int, ...]
    start_ms: int
    subcarrier_spacing = 15e3

    def _require(self, name, value, is_allowed, allowed):
        require(type(self).__name__, name, value, is_allowed, allowed)

    def _check_carrier(self):
        self._require(
            "bandwidth_hz", self.bandwidth_hz, self.bandwidth_hz in N_RB, "1.4, 3, 5, 10, 15 or 20 MHz, in Hz"
        )
        self._require("cell_id", self.cell_id, 0 <= self.cell_id < LTE_CELL_IDS, f"0..{LTE_CELL_IDS - 1}")
        is_allowed = self.tdd_config is None or self.tdd_config in range(len(TDD_SUBFRAMES))
        self._require("tdd_config", self.tdd_config, is_allowed, "None (FDD) or 0..6")
        self._require("special_subframe", self.special_subframe, self.special_subframe in range(10), "0..9")
        self._require("start_ms", self.start_ms, self.start_ms >= 0, "0 or more")

    def _check_traffic(self):
        self._require("load", self.load, 0 <= self.load <= 1, "0..1")
        self._require("duty", self.duty, self.duty is None or self.load <= self.duty <= 1, "None or load..1")
        self.modulations = tuple(self.modulations)
        is_allowed = bool(self.modulations) and set(self.modulations) <= set(BITS_PER_SYMBOL)
        self._require("modulations", self.modulations, is_allowed, "some of 2, 4, 6 and 8 bits")

    @property
    def n_rb(self) -> int:
        """Resource blocks across the carrier."""
        return N_RB[self.bandwidth_hz]

    def _subframes(self, n_ms):
        """n_ms empty subframes (n_ms, 14, n_subcarriers), and the number of each in its frame."""
        is_allowed = n_ms == int(n_ms) and n_ms >= 1
        self._require("n_ms", n_ms, is_allowed, "a whole number of milliseconds, 1 or more")
        symbols = np.zeros((int(n_ms), SYMBOLS_PER_SUBFRAME, self.n_rb * SUBCARRIERS_PER_RB), np.complex64)
        return symbols, (self.start_ms + np.arange(int(n_ms))) % SUBFRAMES_PER_FRAME

    def _as_grid(self, symbols, active, **more):
        """The resource grid of filled subframes, of which `active` marks those that may carry energy."""
        return ResourceGrid(
            symbols=symbols.reshape(-1, symbols.shape[2]),
            technology="LTE",
            subcarrier_spacing=self.subcarrier_spacing,
            bandwidth=self.bandwidth_hz,
            active=active,
            slot_duration_s=1e-3,
            cell_id=self.cell_id,
            **more,
        )
