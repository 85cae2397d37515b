# SPDX-License-Identifier: GPL-3.0-or-later
"""Terrestrial broadcasting by OFDM: DAB and DVB-T2; DVB-T is `continuous.flat_ofdm`."""

import numpy as np
import scipy.fft

from ...errors import require
from ...standards.qam import random_qam
from ..checking import require_whole
from .baseband import Baseband, always, cells, grid
from .ofdm import ofdm_grid, symbol_bodies

DAB_RATE = 2.048e6
DAB_MODES = {
    1: (1536, 2048, 504, 2656, 76),
    2: (384, 512, 126, 664, 76),
    3: (192, 256, 63, 345, 153),
    4: (768, 1024, 252, 1328, 76),
}
"""Mode -> carriers, samples of useful part, guard and null symbol, OFDM symbols of a frame: EN 300 401 table 38."""

T2_CARRIERS = {1024: 853, 2048: 1705, 4096: 3409, 8192: 6817, 16384: 13633, 32768: 27265}
"""FFT size -> carriers of normal mode: EN 302 755 table 67."""
T2_RATES = {1.7e6: 131e6 / 71, **{width: width * 8 / 7 for width in (5e6, 6e6, 7e6, 8e6, 10e6)}}
"""Bandwidth (Hz) -> elementary rate 1/T (Hz): EN 302 755 table 66."""
T2_GUARDS = (1 / 128, 1 / 32, 1 / 16, 19 / 256, 1 / 8, 19 / 128, 1 / 4)
P1_SAMPLES = (542, 1024, 482)
"""The P1 symbol's parts, of which the first and last repeat some of the middle one shifted by a carrier: 9.8.2."""
P1_CARRIERS = 384
PILOT_DB = 4.9
"""Power of scattered pilots over that of data, for patterns 3 to 5: EN 302 755 table 56 (amplitude 7/4)."""


def dab(duration_s: float, rng: np.random.Generator, start_s: float = 0.0, mode: int = 1) -> Baseband:
    """A DAB ensemble: differential QPSK on 1.536 MHz, a null symbol at the beginning of every frame (EN 300 401 14).

    Args:
        mode: of transmission, 1 to 4.
    """
    require("DAB", "mode", mode, mode in DAB_MODES, "1 to 4")
    n_carriers, n_fft, guard, null, n_symbols = DAB_MODES[mode]
    samples, rate = grid(duration_s, DAB_RATE)
    scale = rate / DAB_RATE
    n_fft, guard, null = round(n_fft * scale), round(guard * scale), round(null * scale)
    length = n_fft + guard
    frame = null + n_symbols * length
    at = round(start_s * rate)
    place = (at + np.arange(samples)) % frame - null
    number = (at + np.arange(samples)) // frame * n_symbols + np.maximum(place, 0) // length
    number -= number[0]
    # Steps of 45 and 135 degrees from symbol to symbol.
    steps = 2 * rng.integers(0, 4, (int(number[-1]) + 1, n_carriers)) + 1
    symbols = np.exp(1j * np.pi / 4 * (np.cumsum(steps, axis=0) % 8)).astype(np.complex64)
    half = n_carriers // 2
    bodies = symbol_bodies(symbols, np.r_[-half:0, 1 : half + 1], n_fft)
    is_sent = place >= 0
    signal = np.zeros(samples, np.complex64)
    signal[is_sent] = bodies[number[is_sent], (place[is_sent] % length - guard) % n_fft]
    edge = (half + 0.5) * rate / n_fft
    return Baseband(signal, rate, -edge, edge, cells(is_sent, duration_s))


def dvb_t2(
    duration_s: float,
    rng: np.random.Generator,
    start_s: float = 0.0,
    bandwidth_hz: float = 8e6,
    n_fft: int = 8192,
    guard: float = 1 / 8,
    frame_symbols: int = 60,
    pilot_every: int = 12,
    pilot_rows: int = 4,
) -> Baseband:
    """DVB-T2: a P1 symbol at the beginning of every frame, then OFDM with scattered pilots (EN 302 755 chapter 9).

    Args:
        bandwidth_hz: 1.7e6, 5e6, 6e6, 7e6, 8e6 or 10e6.
        n_fft: 1024 to 32768.
        guard: guard interval over useful symbol, one of 1/128, 1/32, 1/16, 19/256, 1/8, 19/128, 1/4.
        frame_symbols: OFDM symbols of a frame, 3..2098.
        pilot_every, pilot_rows: scattered pilots are on every `pilot_every`-th carrier of a symbol, and come back to
            the same carrier after `pilot_rows` symbols (D_X D_Y and D_Y of table 51).
    """
    require("DVB-T2", "bandwidth_hz", bandwidth_hz, bandwidth_hz in T2_RATES, "1.7e6, 5e6, 6e6, 7e6, 8e6 or 10e6")
    require("DVB-T2", "n_fft", n_fft, n_fft in T2_CARRIERS, ", ".join(map(str, T2_CARRIERS)))
    is_guard = bool(np.isclose(guard, T2_GUARDS, rtol=1e-4).any())
    require("DVB-T2", "guard", guard, is_guard, "1/128, 1/32, 1/16, 19/256, 1/8, 19/128 or 1/4")
    require_whole("DVB-T2", "frame_symbols", frame_symbols, 3, 2098)
    require_whole("DVB-T2", "pilot_every", pilot_every, 3, 96)
    require_whole("DVB-T2", "pilot_rows", pilot_rows, 1, 16)
    n_carriers, spacing = T2_CARRIERS[n_fft], T2_RATES[bandwidth_hz] / n_fft
    samples, rate, size = ofdm_grid(duration_s, spacing, n_carriers)
    prefix = round(guard * size)
    p1 = _p1(rate / T2_RATES[bandwidth_hz], n_carriers * spacing / rate)
    length = size + prefix
    frame = p1.size + frame_symbols * length
    at = round(start_s * rate)
    place = (at + np.arange(samples)) % frame
    number = (at + np.arange(samples)) // frame * frame_symbols + np.maximum(place - p1.size, 0) // length
    first = int(number[0])
    symbols = random_qam(rng, (int(number[-1]) - first + 1, n_carriers), 8)
    _add_pilots(symbols, first, pilot_every, pilot_rows)
    bodies = symbol_bodies(symbols, np.arange(n_carriers) - n_carriers // 2, size)
    is_p1 = place < p1.size
    signal = np.empty(samples, np.complex64)
    signal[is_p1] = p1[place[is_p1]]
    rest = place[~is_p1] - p1.size
    signal[~is_p1] = bodies[number[~is_p1] - first, (rest % length - prefix) % size]
    half = n_carriers / 2 * rate / size
    return Baseband(signal, rate, -half, half, always(duration_s))


def _add_pilots(symbols, first, every, rows):
    """Raise the scattered pilots, in place; mean power stays 1."""
    boost = 10 ** (PILOT_DB / 10)
    for index, row in enumerate(symbols, first):
        row[index % rows * (every // rows) :: every] *= np.float32(np.sqrt(boost))
    symbols *= np.float32(1 / np.sqrt(1 + (boost - 1) / every))


def _p1(samples_a_unit, band):
    """The P1 symbol, unit power, complex64: EN 302 755 9.8.2. Which of the 853 carriers it has is drawn once.

    Args:
        samples_a_unit: sample rate times T.
        band: width in use over the sample rate.
    """
    generator = np.random.default_rng(1)
    before, middle, after = (round(count * samples_a_unit) for count in P1_SAMPLES)
    used = np.sort(generator.permutation(853)[:P1_CARRIERS]) - 426
    used = used[np.abs(used) < band * middle / 2]
    spectrum = np.zeros(middle, np.complex64)
    spectrum[used % middle] = 1 - 2.0 * generator.integers(0, 2, used.size)
    body = scipy.fft.ifft(spectrum) * np.float32(middle / np.sqrt(max(used.size, 1)))
    shifted = body * np.exp(2j * np.pi * np.arange(middle) / middle)
    return np.concatenate([shifted[:before], body, shifted[middle - after :]]).astype(np.complex64)
