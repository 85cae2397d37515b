# SPDX-License-Identifier: GPL-3.0-or-later
"""PSS: a matched filter at many frequency offsets, folded over half frames (TS 36.211 6.11.1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.fft
import scipy.special

from ...standards.sequences import lte_pss
from ..spectrum import Correlator
from .baseband import HALF_FRAME

SYMBOL = 128
STEP_HZ = 7.5e3
"""Between the offsets that are tried: half of it costs 0.9 dB."""

FALSE_PEAKS = 1e-6
"""Probability that noise exceeds the limit, at one place in time and frequency."""

FALSE_CLEAR = 1e-10
"""The same where nothing but the neighbouring frequency offsets are looked at any more."""

AROUND = 2
"""Offsets on either side of a clear one that are still looked at: what drifts between two is not lost."""

CANDIDATES = 6
"""Places looked at further, of each of the three sequences."""

GUARD = 6
"""Samples around a candidate that belong to it."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place where a PSS may be.

    Attributes:
        sector: N_ID(2), 0..2.
        offset: frequency, Hz.
        place: of the useful part's first sample in the first half frame, 0..9599.
        drift: relative error of the sample clock.
        strength: mean correlation over half frames, in units of what noise gives.
    """

    sector: int
    offset: float
    place: int
    drift: float
    strength: float


def pss_wave(sector: int) -> np.ndarray:
    """Useful part of the PSS at 128 samples a symbol, complex64 (128,), energy 1."""
    bins = np.zeros(SYMBOL, np.complex64)
    bins[MIDDLE_62] = lte_pss(sector)
    return scipy.fft.ifft(bins) * np.float32(np.sqrt(SYMBOL / 62))


MIDDLE_62 = np.r_[-31:0, 1:32]
"""FFT bins of the 62 subcarriers around DC."""


class PssMap:
    """Correlation with the three PSS by frequency offset and place in the half frame, summed over half frames.

    Args:
        rate: samples a second of the baseband, about 1.92e6.
        offsets: Hz, multiples of a step.
        carrier_frequency: Hz, absolute: the receiver's oscillator error then says its clock's; None: several clock
            errors are tried.
    """

    def __init__(self, rate: float, offsets: Sequence[float], carrier_frequency: float | None) -> None:
        self.rate, self.offsets = rate, np.asarray(offsets, float)
        self.drifts = clock_errors(self.offsets, carrier_frequency)
        self.sums = np.zeros((self.drifts.shape[0], len(self.offsets), 3, HALF_FRAME), np.float32)
        self.count = np.zeros(HALF_FRAME, np.float32)
        self._latest: tuple[np.ndarray, np.ndarray] | None = None

    def add(self, values: np.ndarray, start: int) -> None:
        """Correlate every place of `values` but the last 127, the first of which is sample `start` of the search."""
        n_places = len(values) - SYMBOL + 1
        if n_places <= 0:
            return
        self._latest = None
        for place, _, length in self._runs(start, n_places, 0.0):
            self.count[place : place + length] += 1
        strengths = _correlator().normalised(values, self.offsets / self.rate)
        for index, strength in enumerate(strengths):
            for drift, sums in zip(self.drifts[:, index], self.sums[:, index]):
                for place, first, length in self._runs(start, n_places, drift):
                    sums[:, place : place + length] += strength[:, first : first + length]

    def _runs(self, start, n, drift):
        """Runs in which samples start..start + n fall on half frames: place in the half frame, first sample, length."""
        period = 5e-3 * self.rate * (1 + drift)
        runs = []
        for number in range(int((start - HALF_FRAME) // period), int((start + n) // period) + 1):
            begin = round(number * period)
            low, high = max(begin, start), min(begin + HALF_FRAME, start + n)
            if low < high:
                runs.append((low - begin, low - start, high - low))
        return runs

    def narrow(self) -> bool:
        """Where a PSS stands clear of noise by now, keep the offsets around it and forget the others; returns whether
        one does. At other offsets the same PSS shows as well, at other times and lower; cells of one carrier have its
        frequency."""
        strength, places = self._strength()
        heights = strength[0].max(axis=-1).max(axis=-1)
        best = int(np.argmax(heights))
        if heights[best] <= self._limit(places, FALSE_CLEAR):
            return False
        kept = slice(max(0, best - AROUND), best + AROUND + 1)
        self.offsets, self.drifts, self.sums = self.offsets[kept], self.drifts[:, kept], self.sums[:, kept]
        self._latest = None
        return True

    def _strength(self):
        """Mean over half frames in units of what noise gives, (drifts, offsets, 3, places), and the places."""
        if self._latest is None:
            places = np.flatnonzero(self.count)
            strength = self.sums[..., places] / self.count[places]
            # A quarter of the places tells the noise well enough, and any clock error.
            strength /= np.maximum(np.median(strength[0, ..., ::4], axis=-1, keepdims=True), 1e-30)
            self._latest = strength, places
        return self._latest

    def _limit(self, places, probability):
        """Strength that noise exceeds at one of the places with a probability."""
        half_frames = float(self.count[places].min())
        return noise_limit(probability, half_frames)

    def strongest(self) -> float:
        """Mean correlation over half frames, in units of what noise gives, at the best place; 0 without any."""
        return float(self._strength()[0].max()) if self.count.any() else 0.0

    def candidates(self) -> list[Candidate]:
        """Places above the noise, strongest first."""
        if not self.count.any():
            return []
        strength, places = self._strength()
        limit = self._limit(places, FALSE_PEAKS)
        found = []
        for sector in range(3):
            found += self._peaks(strength[:, :, sector], places, sector, limit)
        return sorted(found, key=lambda candidate: -candidate.strength)

    def _peaks(self, strength, places, sector, limit):
        best = strength.reshape(-1, len(places)).max(axis=0)
        peaks = []
        for _ in range(CANDIDATES):
            at = int(np.argmax(best))
            if best[at] < limit:
                break
            drift, offset = np.unravel_index(np.argmax(strength[:, :, at]), strength.shape[:2])
            peaks.append(
                Candidate(
                    sector,
                    float(self.offsets[offset]),
                    int(places[at]),
                    float(self.drifts[drift, offset]),
                    float(best[at]),
                )
            )
            distance = np.abs(places - places[at])
            best[np.minimum(distance, HALF_FRAME - distance) <= GUARD] = 0
        return peaks


def noise_limit(probability: float, count: float) -> float:
    """Mean of `count` powers of noise that is exceeded with a probability, in units of its median."""
    return scipy.special.gammainccinv(count, probability) / scipy.special.gammaincinv(count, 0.5)


def clock_errors(offsets: np.ndarray, carrier_frequency: float | None) -> np.ndarray:
    """Relative errors of the sample clock to try, (n, offsets): a half frame is 1 + error times as many samples."""
    if carrier_frequency is None:
        return np.repeat(np.array([0, -60e-6, -30e-6, 30e-6, 60e-6])[:, None], len(offsets), axis=1)
    # A crystal that is fast makes more samples, and mixes with too high a frequency: the carrier seems too low.
    return np.stack([np.zeros(len(offsets)), -offsets / carrier_frequency])


@lru_cache(maxsize=1)
def _correlator():
    bins = np.zeros((3, SYMBOL), np.complex64)
    bins[:, MIDDLE_62] = [lte_pss(sector) for sector in range(3)]
    return Correlator(bins)
