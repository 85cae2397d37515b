# SPDX-License-Identifier: GPL-3.0-or-later
"""Modulation mapper of TS 36.211 7.1 and TS 38.211 5.1, at unit mean power."""

from functools import cache

import numpy as np

from ..errors import ParameterError

BITS_PER_SYMBOL = (2, 4, 6, 8)
"""QPSK, 16QAM, 64QAM and 256QAM."""


def qpsk(bits: np.ndarray) -> np.ndarray:
    """QPSK symbols of bits (..., 2n) -> complex64 (..., n); TS 38.211 5.1.3."""
    signs = np.float32(np.sqrt(0.5)) * (1 - 2 * np.asarray(bits, np.float32))
    return (signs[..., 0::2] + 1j * signs[..., 1::2]).astype(np.complex64)


@cache
def constellation(bits_per_symbol: int) -> np.ndarray:
    """All 2**bits_per_symbol points of a square QAM at unit mean power, complex64.

    Raises:
        ParameterError: bits_per_symbol is not 2, 4, 6 or 8.
    """
    if bits_per_symbol not in BITS_PER_SYMBOL:
        raise ParameterError(f"bits_per_symbol is {bits_per_symbol}; choose one of {BITS_PER_SYMBOL}")
    side = 1 << (bits_per_symbol // 2)
    levels = 2.0 * np.arange(side) - (side - 1)
    levels /= np.sqrt(2 * np.mean(levels**2))
    return (levels[:, None] + 1j * levels).ravel().astype(np.complex64)


def random_qam(rng: np.random.Generator, shape: int | tuple[int, ...], bits_per_symbol: int = 2) -> np.ndarray:
    """Random data symbols, complex64 of the given shape, unit mean power."""
    # A byte picks a point: drawing bytes is four times as fast as drawing numbers below the number of points.
    picks = np.frombuffer(rng.bytes(int(np.prod(shape))), np.uint8)
    return _points_by_byte(bits_per_symbol)[picks].reshape(shape)


@cache
def _points_by_byte(bits_per_symbol):
    """The points repeated to 256 entries, each equally often."""
    points = constellation(bits_per_symbol)
    return np.tile(points, 256 // points.size)
