# SPDX-License-Identifier: GPL-3.0-or-later
"""SSS: which cell, which half of the frame, which duplex and prefix (TS 36.211 6.11.2)."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.fft

from ...standards.sequences import lte_pss, lte_sss
from .primary import MIDDLE_62, SYMBOL, pss_wave

MARGIN = 2
"""Samples by which FFT windows begin before the PSS's strongest path: an earlier one may be there."""

LAYOUTS = (("FDD", False, -137, 832), ("FDD", True, -160, 832), ("TDD", False, -412, 2204), ("TDD", True, -480, 2272))
"""Duplex, extended prefix, samples from the PSS's useful part to the SSS's, and back to the start of the frame."""

SSS_LIMIT = 22.0
"""Of the best sequence's power over what unrelated values give: e**-22 for each of 1344 sequences, 4e-7 in all.

`benchmarks/cells_lte.py false-alarms`: 2700 places in noise have a median of 7.4 and a highest of 14.5; exponential
values would have 7.6 and 15.1."""

RATIO_LIMIT = 1.55
"""Of the best sequence's amplitude over the next best one's, without what the two have in common. Fitted on 25 strong
cells in drawn places, of which 168 wrong sequences reach 1.48, and right ones have 2.5 and more. Noise that comes as
far as `SSS_LIMIT` has 1.4 to 1.7."""

UNCLEAR_RATIO = 1.2
"""From here to `RATIO_LIMIT` the cell's broadcast channel has to say that it is one. Another cell with the same PSS at
the same time makes its own sequence nearly as likely, however strong the cell: a real one of 11 dB had 1.3 and 1.5 in
20 and 30 ms."""

CLEAR_RATIO = 1.8
"""Below it the reference signals have to be there, too."""

RATIO_BESIDE_ANOTHER = 1.7
"""The same, for a cell that begins within two symbols of a stronger one."""


@dataclass(frozen=True, slots=True)
class Synchronisation:
    """What PSS and SSS say.

    Attributes:
        cell_id: 0..503.
        second_half: the first half frame is the second of its radio frame.
        duplex: FDD or TDD.
        extended: cyclic prefix.
        to_frame: samples from the start of a frame to its PSS's useful part.
        offset: frequency, Hz.
        strength: power of the best sequence over the mean of unrelated values.
        ratio: amplitude of the best sequence over the next best one's.
        snr: of the synchronisation signals, power ratio.
    """

    cell_id: int
    second_half: bool
    duplex: str
    extended: bool
    to_frame: int
    offset: float
    strength: float
    ratio: float
    snr: float

    @property
    def is_certain(self) -> bool:
        """Whether noise and other signals do not give this."""
        return self.strength >= SSS_LIMIT and self.ratio >= RATIO_LIMIT


def synchronise(
    values: np.ndarray, starts: np.ndarray, sector: int, offset: float, rate: float
) -> Synchronisation | None:
    """Find the SSS beside the PSS.

    Args:
        values: baseband.
        starts: places of the PSS's useful parts, one each half frame; those too close to an end are left out.
        sector: which PSS.
        offset: Hz, within 7.5 kHz.
        rate: samples a second.
    """
    numbers = np.arange(len(starts))
    inside = (starts + LAYOUTS[-1][2] - MARGIN >= 0) & (starts + SYMBOL <= len(values))
    if not inside.any():
        return None
    starts, odd = starts[inside], numbers[inside] % 2 == 1
    offset += _fine_offset(windows(values, starts, offset, rate), sector, rate)
    # The PSS's symbol and, for each layout, the SSS's, in one pass: with few symbols the time goes between the steps.
    begins = starts + np.array([0, *(layout[2] for layout in LAYOUTS)])[:, None] - MARGIN
    spectra = _subcarriers(windows(values, begins.ravel(), offset, rate)).reshape(*begins.shape, -1)
    power = np.mean(spectra.real**2 + spectra.imag**2, axis=2)
    primary, secondaries = spectra[0], spectra[1:]
    raw = primary * lte_pss(sector).conj()
    channel = raw @ _smoother()
    # A change of gain, or a burst, must not weigh more: each half frame has the same power.
    weights = 1 / np.maximum((power[0] + power[1:]) / 2, np.float32(1e-30))
    products = secondaries * (channel.conj() * weights[..., None])
    halves = np.stack([products[:, ~odd].sum(1), products[:, odd].sum(1)], axis=1)
    both = np.stack([halves.reshape(len(LAYOUTS), -1), halves[:, ::-1].reshape(len(LAYOUTS), -1)], axis=2)
    sums = (_codes(sector) @ both.view(np.float32)).view(np.complex64)
    # Signs that have nothing to do with the products add their powers.
    energy = np.sum(products.real**2 + products.imag**2, axis=(1, 2))
    strength = (sums.real**2 + sums.imag**2) / np.maximum(energy, 1e-30)[:, None, None]
    highest = strength.max(axis=(1, 2))
    best = int(np.argmax(highest))
    others = float(np.delete(highest, best).max())
    return _result(
        (strength[best], others, LAYOUTS[best], sums[best], secondaries[best]), raw, odd, sector, offset, rate
    )


def _next_best(strength, sums, sector):
    """Strength of the next best sequence, without what it has in common with the best one."""
    top = int(np.argmax(strength))
    remaining = sums.ravel() - _likeness(sector)[top] * sums.ravel()[top]
    remaining[top] = 0
    power = np.abs(remaining) ** 2
    return float(power.max() * strength.ravel()[top] / max(float(np.abs(sums.ravel()[top])) ** 2, 1e-30))


def _result(best, raw, odd, sector, offset, rate):
    strength, second, (duplex, extended, distance, to_frame), sums, secondary = best
    second = max(second, _next_best(strength, sums, sector))
    group, half = np.unravel_index(np.argmax(strength), strength.shape)
    cell_id = 3 * int(group) + sector
    offset += float(np.angle(sums[group, half])) * rate / (2 * np.pi * distance)
    sent = _codes(sector)[group].reshape(2, 62)[(odd ^ bool(half)).astype(int)]
    signal = abs(np.sum(secondary * raw.conj() * sent)) / raw.size
    # A PSS may be sent stronger than the SSS: what they have in common is not more than their powers' geometric mean.
    powers = [np.mean(symbols.real**2 + symbols.imag**2) for symbols in (raw, secondary)]
    noise = max(float(np.sqrt(powers[0] * powers[1])) - signal, 1e-9 * signal)
    top = float(strength.max())
    return Synchronisation(
        cell_id=cell_id,
        second_half=bool(half),
        duplex=duplex,
        extended=extended,
        to_frame=to_frame,
        offset=offset,
        strength=top,
        ratio=float(np.sqrt(top / max(second, 1e-30))),
        snr=float(signal / max(noise, 1e-30)),
    )


def windows(values: np.ndarray, starts: np.ndarray, offset: float, rate: float) -> np.ndarray:
    """Symbols of 128 samples from each start on, (len(starts), 128), with a frequency offset taken out."""
    places = starts[:, None] + np.arange(SYMBOL)
    cycles = places * (offset / rate)
    angles = (2 * np.pi * (cycles - np.round(cycles))).astype(np.float32)
    turned = np.empty(places.shape, np.complex64)
    np.cos(angles, out=turned.real)
    np.sin(angles, out=turned.imag)
    return values[places] * np.conj(turned, out=turned)


def _subcarriers(symbols):
    return scipy.fft.fft(symbols, axis=-1)[..., MIDDLE_62] * np.float32(1 / np.sqrt(SYMBOL))


def _fine_offset(symbols, sector, rate):
    """Hz, from the phase between the halves of the PSS."""
    halves = (symbols * pss_wave(sector).conj()).reshape(len(symbols), 2, SYMBOL // 2).sum(-1)
    return float(np.angle(np.vdot(halves[:, 0], halves[:, 1]))) * rate / (np.pi * SYMBOL)


@lru_cache(maxsize=1)
def _smoother():
    return wiener(MIDDLE_62, MIDDLE_62).T.copy()


def wiener(known: np.ndarray, wanted: np.ndarray, noise: float = 1.0) -> np.ndarray:
    """Matrix (wanted, known) that estimates a channel on some subcarriers from values on others, complex64.

    For delays of -0.5 to 5.2 us after the start of an FFT window, all as likely: the normal prefix, a little less.

    Args:
        noise: of the known values, in units of the channel's power.
    """
    first, last = -1 * 15e3 / 1.92e6, 10 * 15e3 / 1.92e6

    def covariance(a, b):
        distance = a[:, None] - b
        return np.exp(-1j * np.pi * distance * (first + last)) * np.sinc(distance * (last - first))

    inverse = np.linalg.inv(covariance(known, known) + noise * np.eye(len(known)))
    return (covariance(wanted, known) @ inverse).astype(np.complex64)


@lru_cache(maxsize=3)
def _codes(sector):
    """Sequences of subframe 0 and then 5 of the 168 cells of a PSS, float32 (168, 124)."""
    rows = [np.concatenate([lte_sss(3 * g + sector, 0), lte_sss(3 * g + sector, 5)]).real for g in range(168)]
    return np.array(rows, np.float32)


@lru_cache(maxsize=3)
def _likeness(sector):
    """Correlation of the sequences of the 168 cells in both orders of half frames, float32 (336, 336)."""
    codes = _codes(sector)
    both = np.stack([codes, np.roll(codes, 62, axis=1)], axis=1).reshape(336, 124)
    return both @ both.T / 124
