# SPDX-License-Identifier: GPL-3.0-or-later
"""Primary and secondary synchronisation signals: where a block begins, and whose it is."""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import scipy.fft

from ...standards.nr import SSB_SYMBOLS
from ...standards.sequences import nr_pss, nr_sss
from ..spectrum import Correlator
from .spectrum import N_FFT

SYNC_BINS = np.arange(-64, 63)
"""Subcarriers of PSS and SSS, from the block's centre: TS 38.211 table 7.4.3.1-1."""
SYMBOL = N_FFT + 18
"""Samples from one symbol of a block to the next; none of a block's symbols has the longer prefix."""
PSS_SAMPLES = N_FFT // 2
"""Samples of a PSS at half the band's rate, which its 127 subcarriers fill."""
EARLY = 4
"""Samples before the useful part at which an FFT begins, so that echoes that come before the strongest stay in it."""
BLOCK = (SSB_SYMBOLS - 1) * SYMBOL + N_FFT
"""Samples from the useful part of a block's first symbol to the end of its last."""
MARGIN = 8
"""Samples kept on both sides of a block."""


@lru_cache(maxsize=1)
def pss_correlator() -> Correlator:
    """Correlation of a block's band with the three PSS, at half the band's rate, which their subcarriers fill.

    Normalised by the energy, white noise exceeds x with a probability of (1 - x)**127.
    """
    spectra = np.zeros((3, PSS_SAMPLES), np.complex64)
    spectra[:, SYNC_BINS] = [nr_pss(sector) for sector in range(3)]
    return Correlator(spectra, decimation=2)


def _wave(values):
    """Useful part, of unit energy at the band's rate, of a symbol with these 127 values, complex (N_FFT,)."""
    spectrum = np.zeros(N_FFT, complex)
    spectrum[SYNC_BINS] = values
    wave = scipy.fft.ifft(spectrum)
    return wave / np.linalg.norm(wave)


@lru_cache(maxsize=3)
def _primary_wave(sector):
    return _wave(_primary(sector)).astype(np.complex64)


def _halves(samples, wave):
    """Correlation with the first and the second half of a symbol, (..., 2): their phases differ by the offset."""
    products = samples * np.conj(wave)
    return products.reshape(*products.shape[:-1], 2, N_FFT // 2).sum(axis=-1)


@lru_cache(maxsize=3)
def _primary(sector):
    """PSS of a sector, float32 (127,)."""
    return nr_pss(sector).real


@lru_cache(maxsize=3)
def _secondary(sector):
    """SSS of all cells of a sector, float32 (336, 127)."""
    return np.array([nr_sss(3 * group + sector).real for group in range(336)], np.float32)


def delay_covariance(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Covariance of a channel between subcarriers, complex (len(rows), len(columns)), 1 on the diagonal.

    Delays as in cities, from the strongest path on: most within 1 us, some up to the cyclic prefix.
    """
    delays = np.arange(-EARLY, 19)
    profile = np.where(delays < 0, np.exp(delays / 1.0), np.exp(-delays / 5.0))
    profile /= profile.sum()
    steps = np.subtract.outer(rows, columns)
    # Of many pairs of subcarriers, few are differently far apart.
    lowest = steps.min()
    apart = np.arange(lowest, steps.max() + 1)
    return (np.exp(-2j * np.pi * np.outer(apart, delays) / N_FFT) @ profile)[steps - lowest]


@lru_cache(maxsize=1)
def _smoothing():
    """Channel of the 127 subcarriers from its noisy values at 0 dB, (127, 127): linear MMSE."""
    covariance = delay_covariance(SYNC_BINS, SYNC_BINS)
    return (covariance @ np.linalg.inv(covariance + np.eye(127))).astype(np.complex64)


_EARLIER = np.exp(2j * np.pi * EARLY * np.arange(N_FFT) / N_FFT).astype(np.complex64)
"""Undoes on each bin what an FFT that begins `EARLY` does to it."""


@dataclass
class Windows:
    """Samples around a block in each of its periods.

    Attributes:
        samples: complex (n, BLOCK + 2 * MARGIN).
        starts: sample of the band's timeline at which the PSS's useful part begins, int (n,).
        offset: Hz, of the block from the band's centre.
        rate: of the samples, Hz.
    """

    samples: np.ndarray
    starts: np.ndarray
    offset: float
    rate: float

    def symbols(self, which: tuple[int, ...]) -> np.ndarray:
        """Spectra of symbols of the block without frequency offset, (n, len(which), N_FFT)."""
        first = np.array(which) * SYMBOL + MARGIN - EARLY
        taken = first[:, None] + np.arange(N_FFT)
        turned = np.exp(-2j * np.pi * self.offset / self.rate * (taken - MARGIN)).astype(np.complex64)
        return scipy.fft.fft(self.samples[:, taken] * turned, axis=-1) * _EARLIER

    def some(self, chosen: np.ndarray) -> "Windows":
        """Those of some of the periods."""
        return Windows(self.samples[chosen], self.starts[chosen], self.offset, self.rate)


def align(windows: Windows, sector: int) -> tuple[Windows, np.ndarray]:
    """Place the windows on their PSS to a sample, and measure the frequency offset.

    Returns:
        the windows, with offset and starts set; the PSS's squared normalised correlation in each, float (n,).
    """
    shifts = np.arange(-2, 3)
    taken = MARGIN + shifts[:, None] + np.arange(N_FFT)
    turned = np.exp(-2j * np.pi * windows.offset / windows.rate * (taken - MARGIN)).astype(np.complex64)
    halves = _halves(windows.samples[:, taken] * turned, _primary_wave(sector))
    power = np.abs(halves.sum(axis=-1)) ** 2
    spectra = scipy.fft.fft(windows.samples[:, MARGIN : MARGIN + N_FFT], axis=-1)
    energy = np.sum(np.abs(spectra[:, SYNC_BINS]) ** 2, axis=-1) / N_FFT + 1e-30
    best = int(np.argmax((power / energy[:, None]).sum(axis=0)))
    turn = np.sum(halves[:, best, 1] * np.conj(halves[:, best, 0]) / energy)
    offset = windows.offset + float(np.angle(turn)) / np.pi * windows.rate / N_FFT
    shift = int(shifts[best])
    samples = np.roll(windows.samples, -shift, axis=1)
    return Windows(samples, windows.starts + shift, offset, windows.rate), power[:, best] / energy


@dataclass(frozen=True)
class Sync:
    """What the synchronisation signals of some windows say.

    Attributes:
        cell_id: 0..1007.
        strength: power of the best secondary sequence's correlation over the mean of the others'; exponentially
            distributed in noise, the largest of 336 then.
        score: the best one's amplitude over the next one's.
        offset: Hz, of the block from the band's centre.
        turn: radians from one symbol of the block to the next, or that and half a turn. It says nothing of the offset:
            the phase of every symbol restarts at its useful part, at the carrier's frequency (TS 38.211 5.4).
        snr_db: of the signals in their own band.
    """

    cell_id: int
    strength: float
    score: float
    offset: float
    turn: float
    snr_db: float


class Secondary:
    """The SSS in some windows; the PSS is the reference of the phase.

    Args:
        windows: from `align`.
        sector: of the PSS.
    """

    def __init__(self, windows: Windows, sector: int) -> None:
        self.sector, self.offset = sector, windows.offset
        spectra = windows.symbols((0, 2))[:, :, SYNC_BINS]
        smooth = (spectra[:, 0] * _primary(sector)) @ _smoothing().T
        power = np.mean(spectra.real**2 + spectra.imag**2, axis=(1, 2)) + np.float32(1e-30)
        self._received = spectra[:, 1]
        self._products = spectra[:, 1] * np.conj(smooth) / power[:, None]

    def best(self, chosen: np.ndarray | slice = slice(None)) -> Sync:
        """The cell whose SSS fits best, some windows added up coherently."""
        products = self._products[chosen].sum(axis=0).astype(np.complex64, copy=False)
        correlation = (_secondary(self.sector) @ products.view(np.float32).reshape(-1, 2)).view(np.complex64)[:, 0]
        magnitude = np.abs(correlation)
        best = int(np.argmax(magnitude))
        others = np.delete(magnitude, best)
        return Sync(
            cell_id=3 * best + self.sector,
            strength=float(magnitude[best] ** 2 / (np.mean(others**2) + 1e-30)),
            score=float(magnitude[best] / (others.max() + 1e-30)),
            offset=self.offset,
            turn=float(np.angle(correlation[best])) / 2,
            snr_db=_snr_db(self._received[chosen] * _secondary(self.sector)[best]),
        )


def refine(windows: Windows, sync: Sync) -> Sync:
    """With the frequency offset that the halves of PSS and SSS show together; the windows are set to it."""
    total = 0j
    sector, group = sync.cell_id % 3, sync.cell_id // 3
    for symbol, values in ((0, _primary(sector)), (2, _secondary(sector)[group])):
        taken = MARGIN + symbol * SYMBOL + np.arange(N_FFT)
        turned = np.exp(-2j * np.pi * windows.offset / windows.rate * (taken - MARGIN))
        samples = windows.samples[:, taken]
        power = np.mean(np.abs(samples) ** 2, axis=1) + 1e-30
        halves = _halves(samples * turned, _wave(values))
        total += np.sum(halves[:, 1] * np.conj(halves[:, 0]) / power)
    remaining = float(np.angle(total)) / np.pi * windows.rate / N_FFT
    # What is turned more from symbol to symbol is turned back in the phase that was measured there.
    turn = sync.turn - 2 * np.pi * remaining * SYMBOL / windows.rate
    windows.offset += remaining
    return replace(sync, offset=windows.offset, turn=turn)


def _snr_db(channel):
    """Of the channel's values (n, 127): what neighbouring subcarriers have in common over what they have not."""
    total = np.mean(np.abs(channel) ** 2)
    noise = np.mean(np.abs(np.diff(channel, axis=1)) ** 2) / 2
    return float(10 * np.log10(max(total - noise, 1e-3 * total, 1e-30) / max(noise, 1e-30)))
