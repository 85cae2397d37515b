# SPDX-License-Identifier: GPL-3.0-or-later
"""OFDM symbols, for what is neither LTE nor NR."""

import numpy as np
import scipy.fft

from .baseband import grid


def ofdm_grid(duration_s: float, spacing_hz: float, n_subcarriers: int) -> tuple[int, float, int]:
    """(samples, rate, FFT size) for a subcarrier spacing, which is kept within a fraction of 1 / (2 FFT size)."""
    lowest = n_subcarriers * spacing_hz * 8 / 7
    tried = [grid(duration_s, lowest * (1 + step / 50)) for step in range(20)]
    sizes = [round(rate / spacing_hz) for _, rate in tried]
    quick = [scipy.fft.next_fast_len(size) == size for size in sizes]
    best = quick.index(True) if any(quick) else 0
    return *tried[best], sizes[best]


def modulate(symbols: np.ndarray, subcarriers: np.ndarray, n_fft: int, prefix: int) -> np.ndarray:
    """OFDM symbols with cyclic prefix, unit power: complex64 (n, len(subcarriers)) -> (n * (n_fft + prefix),)."""
    body = symbol_bodies(symbols, subcarriers, n_fft)
    return np.concatenate([body[:, n_fft - prefix :], body], axis=1).reshape(-1)


def symbol_bodies(symbols: np.ndarray, subcarriers: np.ndarray, n_fft: int) -> np.ndarray:
    """Useful parts of OFDM symbols, unit power: complex64 (n, len(subcarriers)) -> (n, n_fft)."""
    spectrum = np.zeros((len(symbols), n_fft), np.complex64)
    spectrum[:, subcarriers % n_fft] = symbols
    body = scipy.fft.ifft(spectrum, axis=1, overwrite_x=True)
    body *= np.float32(n_fft / np.sqrt(len(subcarriers)))
    return body
