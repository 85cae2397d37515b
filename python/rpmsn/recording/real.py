# SPDX-License-Identifier: GPL-3.0-or-later
"""Real samples as complex ones: their spectrum from 0 Hz to half their rate, at half the rate.

The spectrum is moved down by a quarter of the rate, what lies below is filtered out, and every other sample left out.
With a half-band filter that is one product of I and Q each: every other coefficient is 0 (F. Harris, Multirate Signal
Processing, 8.5). The filter falls by 6 dB at 0 Hz and at half the rate.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

HALF_LENGTH = 63
"""Coefficients before the middle one; odd. Within 2 % of the rate of 0 Hz and of half the rate the level falls."""
STOP_BAND_BETA = 8.0
"""Of the Kaiser window: 80 dB."""


class RealSamples:
    """Makes complex samples of real ones; the same for any piece of a recording, wherever it begins."""

    def __init__(self) -> None:
        import scipy.signal  # takes long, and few recordings are real

        self._convolve = scipy.signal.oaconvolve
        taps = scipy.signal.firwin(2 * HALF_LENGTH + 1, 0.5, window=("kaiser", STOP_BAND_BETA))
        self._taps = (2.0 * taps[::2]).astype(np.float32)  # those at an odd distance from the middle one

    def read(self, start: int, count: int, values: Callable[[int, int], NDArray[np.float32]]) -> NDArray[np.complex64]:
        """Complex samples from `start` on.

        Args:
            start, count: which; sample k is that at the real sample 2 k.
            values: (first, how many) -> real samples; what is beyond the ends is 0.

        Returns:
            complex64 (count,).
        """
        before = HALF_LENGTH
        real = values(2 * start - before, 2 * (count + before))
        # x[n] (-j)^n: real where n is even, imaginary where it is odd, with a sign that alternates in each of them.
        odd, even = real[0::2], real[1::2]  # the first is that at 2 start - HALF_LENGTH, an odd number
        sign_odd = _signs(start - (before + 1) // 2, len(odd))
        out = np.empty(count, np.complex64)
        middle = (before - 1) // 2
        out.real = even[middle : middle + count] * _signs(start, count)
        out.imag = -self._convolve(odd * sign_odd, self._taps, "valid")[:count]
        return out


def _signs(first: int, count: int) -> NDArray[np.float32]:
    """(-1)^k for k from `first` on."""
    signs = np.ones(count, np.float32)
    signs[(first + 1) % 2 :: 2] = -1
    return signs
