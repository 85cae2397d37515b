# SPDX-License-Identifier: GPL-3.0-or-later
"""The noise of a receiver's input: Gaussian, white unless its floor is tilted or rippled."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import ndtri

from ..checking import require_number
from ..filtering import filter_in_pieces

N_VALUES = 1 << 16
"""A Gaussian number is drawn as 16 random bits, the number of a slice that holds 1/65536 of the probability."""
PIECE = 1 << 16

MEAN_POINTS = 4096


@dataclass
class Noise:
    """A noise floor of mean power 1 over the span.

    Args:
        tilt_db: floor at the upper edge of the span over that at the lower edge, -40..40 dB.
        colour_db: peak ripple of the floor, 0..20 dB.
        colour_periods, colour_phase: periods of the ripple over the span, 0..20, and its phase in the middle (rad).
        snr_db: -60..150; None: the floor is the reference of all powers. Else whoever renders scales the noise to lie
            this far under the mean power of everything received, taken over the whole span.

    Raises:
        ParameterError: a value outside its range.
    """

    tilt_db: float = 0.0
    colour_db: float = 0.0
    colour_periods: float = 2.0
    colour_phase: float = 0.0
    snr_db: float | None = None

    def __post_init__(self):
        require_number("the noise", "tilt_db", self.tilt_db, -40, 40, "dB")
        require_number("the noise", "colour_db", self.colour_db, 0, 20, "dB")
        require_number("the noise", "colour_periods", self.colour_periods, 0, 20)
        require_number("the noise", "colour_phase", self.colour_phase)
        if self.snr_db is not None:
            require_number("the noise", "snr_db", self.snr_db, -60, 150, "dB or None")

    @property
    def is_white(self) -> bool:
        """True if there is neither tilt nor colour."""
        return self.tilt_db == 0 and self.colour_db == 0

    def gain(self, frequency: np.ndarray) -> np.ndarray:
        """Floor at frequencies given as fractions of the sample rate (-0.5..0.5): power relative to the mean."""
        middles = (np.arange(MEAN_POINTS) + 0.5) / MEAN_POINTS - 0.5
        return self._shape(np.asarray(frequency, np.float64)) / self._shape(middles).mean()

    def _shape(self, frequency):
        ripple_db = self.colour_db * np.cos(2 * np.pi * self.colour_periods * frequency + self.colour_phase)
        return 10 ** ((self.tilt_db * frequency + ripple_db) / 10)

    def samples(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Draw n samples, complex64, of mean power 1."""
        samples = white(n, rng)
        if not self.is_white:
            for _ in filter_in_pieces(samples, lambda frequency: np.sqrt(self.gain(frequency))):
                pass
        return samples


def white(n: int, rng: np.random.Generator) -> np.ndarray:
    """Complex white Gaussian noise of power 1, complex64, shape (n,).

    Four times as fast as `Generator.standard_normal`: each branch is looked up by 16 random bits in a table of the
    mean of every slice of the distribution; the outermost slices are drawn in full. Depends on nothing but the
    generator's stream of 64-bit words (and of uniform numbers for the outermost slices).

    Args:
        n: samples wanted.
        rng: numpy Generator.
    """
    values = np.empty(2 * n, np.float32)
    table = _slice_means()
    for first in range(0, values.size, PIECE):
        part = values[first : first + PIECE]
        words = rng.integers(0, 1 << 64, -(-part.size // 4), dtype=np.uint64)
        slices = words.astype("<u8", copy=False).view("<u2")[: part.size]
        np.take(table, slices, out=part, mode="wrap")
        # Adding one brings both outermost slices, 65535 and 0, below two.
        outermost = np.flatnonzero(slices + np.uint16(1) < 2)
        if outermost.size:
            part[outermost] = _tail(rng.random(outermost.size), slices[outermost] == 0)
    return values.view(np.complex64)


@lru_cache(maxsize=1)
def _slice_means():
    """Mean of the Gaussian of variance 1/2 in each of `N_VALUES` slices of equal probability, float32."""
    edges = ndtri(np.arange(N_VALUES + 1) / N_VALUES)
    density = np.exp(-(edges**2) / 2) / np.sqrt(2 * np.pi)
    means = -np.diff(density) * N_VALUES
    # Rounded coarser than libraries differ, so that every machine has the same table.
    return (np.round(means * np.sqrt(0.5) * 2**20) / 2**20).astype(np.float32)


def _tail(uniform, is_lower):
    """Numbers of an outermost slice by the inverse of the distribution; `uniform` are 0 <= u < 1."""
    depth = -ndtri((1 - uniform) / N_VALUES) * np.sqrt(0.5)
    return (np.round(np.where(is_lower, -depth, depth) * 2**20) / 2**20).astype(np.float32)
