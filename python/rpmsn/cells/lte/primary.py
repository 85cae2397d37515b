# SPDX-License-Identifier: GPL-3.0-or-later
"""PSS: a matched filter at many frequency offsets, folded over half frames (TS 36.211 6.11.1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.fft
import scipy.stats

from ...standards.sequences import lte_pss
from ..spectrum import Correlator
from .baseband import HALF_FRAME

SYMBOL = 128
STEP_HZ = 7.5e3
"""Between the offsets that are tried: half of it costs 0.9 dB."""

FALSE_PEAKS = 1e-6
"""Probability that noise exceeds the limit, at one place in time and frequency."""

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

    def add(self, values: np.ndarray, start: int) -> None:
        """Correlate every place of `values` but the last 127, the first of which is sample `start` of the search."""
        n_places = len(values) - SYMBOL + 1
        if n_places <= 0:
            return
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

    def _strength(self):
        """Mean over half frames in units of what noise gives, (drifts, offsets, 3, places), and the places."""
        places = np.flatnonzero(self.count)
        strength = self.sums[..., places] / self.count[places]
        # A quarter of the places tells the noise well enough.
        strength /= np.maximum(np.median(strength[..., ::4], axis=-1, keepdims=True), 1e-30)
        return strength, places

    def strongest(self) -> float:
        """Mean correlation over half frames, in units of what noise gives, at the best place; 0 without any."""
        return float(self._strength()[0].max()) if self.count.any() else 0.0

    def candidates(self) -> list[Candidate]:
        """Places above the noise, strongest first."""
        if not self.count.any():
            return []
        strength, places = self._strength()
        half_frames = float(self.count[places].min())
        limit = scipy.stats.gamma.isf(FALSE_PEAKS, half_frames) / scipy.stats.gamma.median(half_frames)
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
