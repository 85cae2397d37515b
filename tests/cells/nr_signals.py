# SPDX-License-Identifier: GPL-3.0-or-later
"""NR cells in noise, of known identity and frame number."""

import numpy as np

from rpmsn.synthesis.nr.downlink import NrDownlink
from rpmsn.synthesis.ofdm import modulate

RATES = {15e3: 7.68e6, 30e3: 15.36e6}
"""Subcarrier spacing -> a rate at which 20 MHz is cut to the SS/PBCH block and some around it."""


def nr_cell(cell_id=500, spacing=30e3, duration_ms=40, sample_rate=None, seed=1, **parameters):
    """Samples of a cell, the centre of its SS/PBCH blocks in Hz, and the power of one resource element.

    The block is 97 subcarriers above the carrier's middle, unless given.
    """
    given = dict(style="ssb_only", sib1=False, trs_period_ms=None, ssb_offset=106 * 6 - 120 + 9)
    cell = NrDownlink(20e6 if spacing == 15e3 else 40e6, spacing, cell_id, **{**given, **parameters})
    grid = cell.grid(duration_ms, np.random.default_rng(seed))
    rate = sample_rate or RATES[spacing]
    samples = modulate(grid, rate)
    return samples, (cell.ssb_offset + 120 - grid.symbols.shape[1] / 2) * spacing, spacing / rate


def received(samples, sample_rate, snr_db=None, offset=0.0, late=0.0, element=None, seed=1):
    """Samples as a receiver has them.

    Args:
        snr_db: of a resource element of 1, over the noise in it; None: no noise.
        offset: Hz, by which all is shifted.
        late: seconds of noise before; less than one sample is an exact delay.
        element: subcarrier spacing, Hz, with `snr_db`.
    """
    rng = np.random.default_rng(seed)
    n = len(samples)
    whole = int(late * sample_rate)
    padded = np.concatenate([np.zeros(whole, np.complex64), samples])
    fraction = late * sample_rate - whole
    if fraction:
        bins = np.fft.fft(padded)
        padded = np.fft.ifft(bins * np.exp(-2j * np.pi * np.fft.fftfreq(len(padded)) * fraction))
    if offset:
        padded = padded * np.exp(2j * np.pi * offset / sample_rate * np.arange(len(padded)))
    if snr_db is not None:
        # Mean power of an OFDM symbol with all of its n elements is 1: an element has 1 / n.
        noise = rng.standard_normal((len(padded), 2)) @ np.array([1, 1j]) * np.sqrt(0.5)
        padded = padded + noise * np.sqrt(element * 10 ** (-snr_db / 10))
    assert len(padded) == n + whole
    return padded.astype(np.complex64)
