# SPDX-License-Identifier: GPL-3.0-or-later
"""The band of an SS/PBCH block: 256 samples a symbol, 240 subcarriers."""

from ...standards.nr import SSB_SUBCARRIERS
from ..spectrum import BASE_RATE

N_FFT = 256
"""Samples of a symbol's useful part at the rate of a band: the smallest power of two above 240 subcarriers."""


def width(spacing: float) -> int:
    """Width of a block's band in units of `cells.spectrum.BASE_RATE`."""
    return round(N_FFT * spacing / BASE_RATE)


def fits(frequency: float, spacing: float, sample_rate: float) -> bool:
    """Whether an SS/PBCH block around a frequency lies within the span."""
    return abs(frequency) + SSB_SUBCARRIERS / 2 * spacing <= sample_rate / 2
