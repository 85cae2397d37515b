# SPDX-License-Identifier: GPL-3.0-or-later
"""Synchronisation signals of NB-IoT: TS 36.211 10.2.7."""

import numpy as np

from ..errors import ParameterError
from .sequences import LTE_CELL_IDS

SYMBOLS = 11
"""Of a subframe: the last ones, 3..13."""

SUBCARRIERS = 12

PRIMARY_COVER = (1, 1, 1, 1, -1, -1, 1, 1, 1, -1, 1)
"""S(3..13) of TS 36.211 table 10.2.7.1.1-1."""

HADAMARD_ROWS = (0, 31, 63, 127)
"""The sequences b_q of TS 36.211 table 10.2.7.2.1-1 are these rows of the Hadamard matrix of order 128."""


def npss() -> np.ndarray:
    """Primary signal (subframe 5), complex64 (11, 12), symbol by subcarrier; the highest one is empty: 10.2.7.1."""
    n = np.arange(SUBCARRIERS - 1)
    sequence = np.exp(-5j * np.pi * n * (n + 1) / 11)
    signal = np.zeros((SYMBOLS, SUBCARRIERS), np.complex64)
    signal[:, :-1] = np.array(PRIMARY_COVER)[:, None] * sequence
    return signal


def nsss(cell_id: int, turn: int) -> np.ndarray:
    """Secondary signal (subframe 9 of even frames), complex64 (11, 12), symbol by subcarrier: 10.2.7.2.

    Args:
        cell_id: 0..503.
        turn: half of the frame number, modulo 4.
    """
    if not 0 <= cell_id < LTE_CELL_IDS:
        raise ParameterError(f"cell_id is {cell_id}; choose 0..{LTE_CELL_IDS - 1}")
    n = np.arange(SYMBOLS * SUBCARRIERS)
    root, row = cell_id % 126 + 3, HADAMARD_ROWS[cell_id // 126]
    signs = np.array([1 - 2 * (bin(row & int(m)).count("1") & 1) for m in n % 128])
    shift = 33 / 132 * (turn % 4) * n
    chirp = root * (n % 131) * (n % 131 + 1) / 131
    return (signs * np.exp(-1j * np.pi * (2 * shift + chirp))).astype(np.complex64).reshape(SYMBOLS, SUBCARRIERS)
