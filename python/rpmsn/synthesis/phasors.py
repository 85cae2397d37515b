# SPDX-License-Identifier: GPL-3.0-or-later
"""Complex numbers of magnitude 1 from their angles, many at a time."""

import numpy as np


def of_angles(angles: np.ndarray) -> np.ndarray:
    """exp(j angle), complex64, of float32 angles in rad that are small enough for single precision."""
    turns = np.empty(angles.shape, np.complex64)
    np.cos(angles, out=turns.real)
    np.sin(angles, out=turns.imag)
    return turns
