# SPDX-License-Identifier: GPL-3.0-or-later
"""What each emission of a scene left in a chunk of samples: the facts from which labels are derived."""

from dataclasses import dataclass, fields, replace

import numpy as np

STEPS_A_DECIBEL, ZERO_DECIBEL = 2, 200
"""Packed powers are whole half decibels over -100 dB; 0 is no power at all."""

_ARRAYS = ("level", "shared")


@dataclass
class Truth:
    """What one emission left in a chunk of samples.

    Frequencies are in Hz relative to the receiver's centre, times in seconds from the scene's beginning.

    Attributes:
        label: `LTE`, `NR` or `other`.
        center_hz, bandwidth_hz: centre and nominal channel bandwidth.
        occupied_lower, occupied_upper: edges of the occupied band, also where they lie outside the span.
        freq_lower, freq_upper: the same, clipped to the span.
        start_s, end_s: the chunk.
        snr_db: mean power per hertz while on the air (LTE: over its downlink subframes) over that of all noise, the
            converter's included.
        level: float32 (time cells, frequency cells), power in cells of the chunk x the occupied band relative
            to `snr_db`.
        fills_band: True for an LTE downlink, whose reference signals fill its band all the time.
        gap_s: longest pause of a TDD pattern; 0 without one.
        shared: None, or (DSS only) as `level`, the part of it that is NR's in an LTE carrier.
    """

    label: str
    center_hz: float
    bandwidth_hz: float
    occupied_lower: float
    occupied_upper: float
    freq_lower: float
    freq_upper: float
    start_s: float
    end_s: float
    snr_db: float
    level: np.ndarray
    fills_band: bool = False
    gap_s: float = 0.0
    shared: np.ndarray | None = None

    def at_times(self, times: np.ndarray) -> "Truth":
        """The truth of samples received at other times: cell i of n holds what was at times[i], 0..1.

        Args:
            times: fractions of the chunk, shape (time cells,).
        """
        n_cells = len(self.level)
        cells = np.clip((np.asarray(times) * n_cells).astype(int), 0, n_cells - 1)
        return self._with_arrays(lambda values: values[cells])

    def pooled(self, rows: int) -> "Truth":
        """The truth with `rows` time cells, which is all that masks of so many rows need."""
        fraction = overlap_fractions(np.linspace(0, 1, len(self.level) + 1), np.linspace(0, 1, rows + 1))
        return self._with_arrays(lambda values: fraction @ values)

    def _with_arrays(self, change):
        shared = None if self.shared is None else change(self.shared)
        return replace(self, level=change(self.level), shared=shared)

    def pack(self) -> tuple[dict, dict[str, np.ndarray]]:
        """As it is stored: (numbers and words as a dictionary, arrays as a dictionary of uint8)."""
        facts = {item.name: getattr(self, item.name) for item in fields(self) if item.name not in _ARRAYS}
        arrays = {name: _to_steps(getattr(self, name)) for name in _ARRAYS if getattr(self, name) is not None}
        return facts, arrays

    @classmethod
    def unpack(cls, facts: dict, arrays: dict[str, np.ndarray]) -> "Truth":
        """The truth that `pack` stored, its powers rounded to half a decibel."""
        return cls(**facts, **{name: _from_steps(steps) for name, steps in arrays.items()})


def overlap_fractions(cells: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """Fraction of every pixel that every cell fills, float32 (pixels, cells), from the edges of both (ascending)."""
    lower = np.maximum(cells[None, :-1], pixels[:-1, None])
    upper = np.minimum(cells[None, 1:], pixels[1:, None])
    return (np.maximum(upper - lower, 0) / np.diff(pixels)[:, None]).astype(np.float32)


def _to_steps(power):
    """Linear power -> uint8 steps of half a decibel."""
    decibels = 10 * np.log10(np.maximum(power, np.float32(1e-30)))
    steps = np.round(STEPS_A_DECIBEL * decibels + ZERO_DECIBEL)
    return np.where(power > 0, np.clip(steps, 1, 255), 0).astype(np.uint8)


def _from_steps(steps):
    """Steps of half a decibel -> linear power, float32."""
    powers = 10 ** ((np.arange(256) - ZERO_DECIBEL) / STEPS_A_DECIBEL / 10)
    powers[0] = 0
    return powers.astype(np.float32)[steps]
