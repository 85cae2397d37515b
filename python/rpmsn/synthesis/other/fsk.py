# SPDX-License-Identifier: GPL-3.0-or-later
"""Frequency shift keying through a Gaussian filter: GSM's GMSK and Bluetooth's GFSK."""

from functools import lru_cache

import numpy as np
from scipy.special import ndtr

from .baseband import unit_phasor

REACH = 2
"""Symbols on either side of a symbol's middle in which it moves the phase."""
STEPS = 256


def gaussian_fsk(bits: np.ndarray, times: np.ndarray, bt: float, index: float) -> np.ndarray:
    """A carrier keyed by bits, complex64 of magnitude 1, shape of `times`.

    Args:
        bits: +1 and -1; bit k is centred on time k + 1/2.
        times: in symbols, 0 <= times < len(bits), float64 array.
        bt: bandwidth of the Gaussian filter times the symbol duration.
        index: modulation index; the phase moves by pi * index a bit.
    """
    whole = np.floor(times).astype(np.int64)
    fraction = times - whole
    padded = np.concatenate([np.zeros(REACH), bits, np.zeros(REACH + 1)])
    # What the bits sent long ago have turned; of those near, the fraction that has been turned so far.
    phase = np.concatenate([[0.0], np.cumsum(padded)])[whole]
    steps, response = np.arange(-REACH - 0.5, REACH + 1, 1 / STEPS), _step_response(bt)
    for near in range(2 * REACH + 1):
        phase += padded[whole + near] * np.interp(fraction + REACH - 0.5 - near, steps, response)
    return unit_phasor(np.pi * index * phase)


@lru_cache(maxsize=8)
def _step_response(bt):
    """Fraction of its turn that a bit has done, every 1 / STEPS symbol from -REACH - 1/2 to REACH + 1 after its
    middle."""
    times = np.arange(-REACH - 0.5, REACH + 1, 1 / STEPS)
    width = np.sqrt(np.log(2)) / (2 * np.pi * bt)

    def integral(time):
        scaled = time / width
        return width * (scaled * ndtr(scaled) + np.exp(-(scaled**2) / 2) / np.sqrt(2 * np.pi))

    return integral(times + 0.5) - integral(times - 0.5)
