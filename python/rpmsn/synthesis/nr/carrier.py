# SPDX-License-Identifier: GPL-3.0-or-later
"""What NR's downlink and uplink have in common: carrier widths, duplex patterns, traffic that comes in bursts."""

import numpy as np

from ...errors import require
from ...standards.nr import N_RB
from ...standards.sequences import NR_CELL_IDS
from ..grid import SUBCARRIERS_PER_RB, SYMBOLS_PER_SLOT, ResourceGrid

TDD_PATTERNS = ("DDDSU", "DDDDDDDSUU", "DDSUU", "DDDSUUDDDD", "DSUUU", "DDDSUDDSUU")
"""Common slot patterns; any string of D, S and U can be given."""

TDD_PATTERN_FRACTIONS = (0.35, 0.25, 0.15, 0.1, 0.05, 0.1)

MODULATIONS = (2, 4, 6, 8)
"""Bits per symbol."""


class NrCarrier:
    """Base of the NR carriers: sizes that follow from `bandwidth_hz` and `subcarrier_spacing`."""

    bandwidth_hz: float
    subcarrier_spacing: float
    cell_id: int
    tdd_pattern: str | None
    special_symbols: int
    load: float
    duty: float | None
    burst_slots: float
    modulations: tuple[int, ...]
    start_ms: int

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

    @property
    def slots_per_frame(self) -> int:
        """Slots in a frame of 10 ms."""
        return 10 * self.slots_per_ms

    def slot_numbers(self, n_ms: int) -> range:
        """Numbers, counted from frame 0, of the slots of a grid of n_ms milliseconds."""
        self._require("n_ms", n_ms, n_ms == int(n_ms) and n_ms >= 1, "a whole number of milliseconds, 1 or more")
        first = self.start_ms * self.slots_per_ms
        return range(first, first + int(n_ms) * self.slots_per_ms)

    def _empty_slots(self, n_ms):
        """Slots of n_ms milliseconds, complex64 (n_slots, 14, n_subcarriers), and their `slot_numbers`."""
        numbers = self.slot_numbers(n_ms)
        return np.zeros((len(numbers), SYMBOLS_PER_SLOT, self.n_subcarriers), np.complex64), numbers

    def _as_grid(self, slots, active):
        """The resource grid of filled slots, of which `active` marks those that may carry energy."""
        return ResourceGrid(
            symbols=slots.reshape(-1, self.n_subcarriers),
            technology="NR",
            subcarrier_spacing=self.subcarrier_spacing,
            bandwidth=self.bandwidth_hz,
            has_dc_null=False,
            active=active,
            slot_duration_s=1e-3 / self.slots_per_ms,
            cell_id=self.cell_id,
        )

    def _require(self, name, value, is_allowed, allowed):
        require(type(self).__name__, name, value, is_allowed, allowed)

    def _check_carrier(self):
        spacing, widths = self.subcarrier_spacing, N_RB.get(self.subcarrier_spacing, {})
        self._require("subcarrier_spacing", spacing, bool(widths), "15e3 or 30e3 Hz")
        allowed = ", ".join(f"{width / 1e6:g}" for width in widths) + f" MHz (in Hz) at {spacing / 1e3:g} kHz"
        self._require("bandwidth_hz", self.bandwidth_hz, self.bandwidth_hz in widths, allowed)
        self._require("cell_id", self.cell_id, 0 <= self.cell_id < NR_CELL_IDS, f"0..{NR_CELL_IDS - 1}")
        pattern = self.tdd_pattern
        is_pattern = pattern is None or bool(pattern) and set(pattern) <= set("DSU")
        self._require("tdd_pattern", pattern, is_pattern, "None (FDD) or a string of D, S and U such as 'DDDSU'")
        self._require("special_symbols", self.special_symbols, self.special_symbols in range(15), "0..14")
        self._require("start_ms", self.start_ms, self.start_ms >= 0, "0 or more")

    def _check_bursts(self):
        self._require("load", self.load, 0 <= self.load <= 1, "0..1")
        self._require("duty", self.duty, self.duty is None or self.load <= self.duty <= 1, "None or load..1")
        self._require("burst_slots", self.burst_slots, self.burst_slots >= 1, "1 or more")

    def _check_modulations(self):
        self.modulations = tuple(self.modulations)
        are_allowed = bool(self.modulations) and set(self.modulations) <= set(MODULATIONS)
        self._require("modulations", self.modulations, are_allowed, f"some of {MODULATIONS} bits per symbol")


class Bursts:
    """Busy and quiet slots of a cell: a two-state Markov chain with the wanted duty and burst length.

    Attributes:
        duty: fraction of busy slots.
        is_busy: whether the present slot is busy.
        place: 0..1, drawn for every burst: where in the carrier it lies.
    """

    def __init__(self, load: float, duty: float | None, burst_slots: float, rng: np.random.Generator) -> None:
        self.duty = float(np.sqrt(load)) if duty is None else duty
        self.burst_slots, self.rng = burst_slots, rng
        self.is_busy = rng.random() < self.duty
        self.place = rng.random()

    def next_slot(self) -> None:
        """Go on to the next slot."""
        if self.duty >= 1:
            self.is_busy = True
            return
        # Gaps last a slot at least, so a high duty makes bursts longer than asked for.
        leave = min(1 / self.burst_slots, (1 - self.duty) / max(self.duty, 1e-9))
        enter = leave * self.duty / (1 - self.duty)
        was_busy = self.is_busy
        self.is_busy = self.rng.random() < (1 - leave if was_busy else enter)
        if self.is_busy and not was_busy:
            self.place = self.rng.random()


def cell_generator(cell_id: int) -> np.random.Generator:
    """Generator for what stays constant in a cell, so that two grids of a cell fit each other in time."""
    return np.random.default_rng(cell_id)


def downlink_symbols(tdd_pattern: str | None, special_symbols: int, slot: int) -> int:
    """Symbols of a slot (counted from frame 0) that belong to the downlink, from its start on: 0..14."""
    if tdd_pattern is None:
        return SYMBOLS_PER_SLOT
    return {"D": SYMBOLS_PER_SLOT, "S": special_symbols, "U": 0}[tdd_pattern[slot % len(tdd_pattern)]]


def random_carrier(rng: np.random.Generator, fixed: dict) -> dict:
    """Draw spacing, bandwidth and duplex; 15 kHz is mostly FDD, 30 kHz mostly TDD."""
    spacings = [spacing for spacing in N_RB if fixed.get("bandwidth_hz", 20e6) in N_RB[spacing]] or list(N_RB)
    spacing = float(fixed.get("subcarrier_spacing", rng.choice(spacings)))
    is_tdd = rng.random() < (0.15 if spacing == 15e3 else 0.75)
    return dict(
        subcarrier_spacing=spacing,
        # Below 10 MHz an SS/PBCH block of 30 kHz does not fit.
        bandwidth_hz=float(rng.choice([b for b, n_rb in N_RB.get(spacing, {20e6: 51}).items() if n_rb >= 20])),
        tdd_pattern=str(rng.choice(TDD_PATTERNS, p=TDD_PATTERN_FRACTIONS)) if is_tdd else None,
    )
