# SPDX-License-Identifier: GPL-3.0-or-later
"""The middle of a carrier at 1.92 Msps, without the tones of the receiver."""

import numpy as np
import scipy.fft

from ..spectrum import BASE_RATE as RATE
from ..spectrum import Spectrum

__all__ = ["CHUNK_S", "HALF_FRAME", "RATE", "baseband"]

HALF_FRAME = 9600
CHUNK_S = 0.04

SPUR_BINS, SPUR_LIMIT = 500, 30.0
"""A bin (25 Hz) is a spur where its power is so many times that of the strongest tenth of its 500 neighbours: in noise
that would be once in e**69."""


def baseband(spectrum: Spectrum, frequency: float, start: int) -> tuple[int, np.ndarray]:
    """What a frame adds to the baseband around a frequency: `Spectrum.band` without spurs.

    A spur is a single bin far above its neighbours: the receiver's DC and other steady tones. It is compared with the
    strong ones of the neighbours: an idle cell is a comb of lines 100 Hz apart, four bins.
    """
    place, values = spectrum.band(frequency, start=start)
    n = scipy.fft.next_fast_len(max(len(values), round(CHUNK_S * RATE)))
    bins = scipy.fft.fft(values, n)
    whole = bins[: n // SPUR_BINS * SPUR_BINS].reshape(-1, SPUR_BINS)
    power = whole.real**2 + whole.imag**2
    strong = np.partition(power, -SPUR_BINS // 10, axis=1)[:, -SPUR_BINS // 10, None]
    spurs = (power > SPUR_LIMIT * strong) & (strong > 0)
    if not spurs.any():
        return place, values
    whole[spurs] = 0
    return place, scipy.fft.ifft(bins, overwrite_x=True)[: len(values)]
