# SPDX-License-Identifier: GPL-3.0-or-later
"""What is always on the air: broadcasting, tones, single-carrier signals."""

import numpy as np
import scipy.fft

from ...standards.qam import random_qam
from ..channel.noise import white
from ..checking import require_number, require_whole
from .baseband import Baseband, always, grid, n_cells, unit_phasor
from .ofdm import modulate, ofdm_grid


def fm(
    duration_s: float,
    rng: np.random.Generator,
    start_s: float = 0.0,
    deviation_hz: float = 75e3,
    audio_hz: float = 15e3,
) -> Baseband:
    """Frequency-modulated voice or broadcast: a tone modulated by random audio.

    Args:
        deviation_hz: peak deviation (about 2.5 kHz: land mobile radio; 75 kHz: broadcast).
        audio_hz: highest frequency of the audio.
    """
    require_number("FM", "deviation_hz", deviation_hz, 100, 1e6, "Hz")
    require_number("FM", "audio_hz", audio_hz, 100, 1e6, "Hz")
    half_band = deviation_hz + audio_hz
    samples, rate = grid(duration_s, 4 * half_band)
    spectrum = white(samples, rng)
    frequencies = np.abs(scipy.fft.fftfreq(samples, 1 / rate))
    spectrum *= (frequencies < audio_hz) / (1 + frequencies / (0.1 * audio_hz))
    audio = scipy.fft.ifft(spectrum).real
    audio *= deviation_hz / max(3 * audio.std(), 1e-20)
    signal = unit_phasor(2 * np.pi * np.cumsum(audio.astype(np.float64)) / rate)
    return Baseband(signal, rate, -half_band, half_band, always(duration_s))


def tone(
    duration_s: float,
    rng: np.random.Generator,
    start_s: float = 0.0,
    drift_hz_per_s: float = 0.0,
    width_hz: float = 10e3,
    sweep_hz: float = 0.0,
) -> Baseband:
    """Unmodulated carrier that may drift (a sweep where it drifts fast).

    Args:
        drift_hz_per_s: change of frequency; the tone passes its offset at time 0.
        width_hz: band that it counts as occupying.
        sweep_hz: the tone stays within half of this on either side of its offset and jumps from one end to the other;
            0: it drifts away.
    """
    require_number("a tone", "drift_hz_per_s", drift_hz_per_s, -200e6 / duration_s, 200e6 / duration_s)
    require_number("a tone", "width_hz", width_hz, 100, 1e6, "Hz")
    require_number("a tone", "sweep_hz", sweep_hz, 0, 200e6, "Hz")
    first, last = _swept_ends(drift_hz_per_s * start_s, drift_hz_per_s * (start_s + duration_s), sweep_hz)
    # Round the middle of the chunk, so that a tone far away needs no high rate; whole cycles, so that it fits.
    middle = round((first + last) / 2 * duration_s) / duration_s
    samples, rate = grid(duration_s, 1.3 * (last - first) + 3 * width_hz)
    times = np.arange(samples) / rate
    phase = -2 * np.pi * middle * times
    if drift_hz_per_s:
        phase += np.pi / drift_hz_per_s * _swept(drift_hz_per_s * (start_s + times), sweep_hz) ** 2
    lower, upper = first - width_hz / 2, last + width_hz / 2
    cell_s = duration_s / n_cells(duration_s)
    track = _swept(drift_hz_per_s * (start_s + cell_s * (np.arange(n_cells(duration_s)) + 0.5)), sweep_hz)
    n_bands = int(np.ceil((upper - lower) / (2 * width_hz)))
    on_air = np.zeros((track.size, n_bands), np.float32)
    on_air[np.arange(track.size), np.clip((track - lower) / (upper - lower) * n_bands, 0, n_bands - 1).astype(int)] = 1
    return Baseband(unit_phasor(phase), rate, lower, upper, on_air, hops=[(0, samples, middle)])


def _swept_ends(first, last, sweep_hz):
    """(lowest, highest) frequency of a tone that drifts from `first` to `last`."""
    if sweep_hz:
        turns = np.floor(np.array([first, last]) / sweep_hz + 0.5)
        if turns[0] != turns[1]:
            return -sweep_hz / 2, sweep_hz / 2
        first, last = _swept(np.array([first, last]), sweep_hz)
    return min(first, last), max(first, last)


def _swept(frequency, sweep_hz):
    """Frequencies folded into -sweep_hz/2..sweep_hz/2, unless that is 0."""
    return np.mod(frequency + sweep_hz / 2, sweep_hz) - sweep_hz / 2 if sweep_hz else frequency


def band_noise(
    duration_s: float,
    rng: np.random.Generator,
    start_s: float = 0.0,
    symbol_rate: float = 3.84e6,
    rolloff: float = 0.22,
) -> Baseband:
    """Gaussian noise with the root-raised-cosine spectrum of a CDMA or single-carrier signal."""
    require_number("band noise", "symbol_rate", symbol_rate, 1e3, 100e6, "Hz")
    require_number("band noise", "rolloff", rolloff, 0.01, 1)
    samples, rate = grid(duration_s, symbol_rate * (1 + rolloff) * 1.1)
    shape = root_raised_cosine(scipy.fft.fftfreq(samples, 1 / rate) / symbol_rate, rolloff)
    spectrum = white(samples, rng) * (shape / np.sqrt(np.mean(shape**2) / samples))
    signal = scipy.fft.ifft(spectrum, overwrite_x=True)
    return Baseband(signal, rate, -symbol_rate / 2, symbol_rate / 2, always(duration_s))


def root_raised_cosine(frequency: np.ndarray, rolloff: float) -> np.ndarray:
    """Amplitude at frequencies given as fractions of the symbol rate, float32; 1 in the middle."""
    edge = np.clip((2 * np.abs(frequency) - 1 + rolloff) / (2 * rolloff), 0, 1)
    return np.cos(np.pi / 2 * edge).astype(np.float32)


def flat_ofdm(
    duration_s: float,
    rng: np.random.Generator,
    start_s: float = 0.0,
    bandwidth_hz: float = 7.61e6,
    n_subcarriers: int = 1705,
    guard: float = 1 / 8,
    pilot_boost_db: float = 2.5,
    pilot_every: int = 12,
) -> Baseband:
    """OFDM with every subcarrier in use all the time, as DVB-T sends it (EN 300 744: 1705 or 6817 subcarriers).

    Args:
        bandwidth_hz: occupied band.
        guard: guard interval over useful symbol.
        pilot_boost_db: power of the scattered pilots over the data; every `pilot_every`-th subcarrier, moving on by
            three from symbol to symbol; 0 for no pilots.
    """
    require_number("flat OFDM", "bandwidth_hz", bandwidth_hz, 1e5, 100e6, "Hz")
    require_whole("flat OFDM", "n_subcarriers", n_subcarriers, 16, 65536)
    require_number("flat OFDM", "guard", guard, 0, 1)
    require_number("flat OFDM", "pilot_boost_db", pilot_boost_db, 0, 20, "dB")
    require_whole("flat OFDM", "pilot_every", pilot_every, 1, 10000)
    samples, rate, n_fft = ofdm_grid(duration_s, bandwidth_hz / n_subcarriers, n_subcarriers)
    prefix = int(round(guard * n_fft))
    symbol = n_fft + prefix
    # The symbol that is under way at the beginning, so that chunks follow each other in rhythm.
    number, skipped = divmod(round(start_s * rate), symbol)
    n_symbols = -(-(skipped + samples) // symbol)
    symbols = random_qam(rng, (n_symbols, n_subcarriers), 4)
    if pilot_boost_db:
        boost = 10 ** (pilot_boost_db / 10)
        first = 3 * (number + np.arange(n_symbols)) % pilot_every
        for row, start in zip(symbols, first):
            row[start::pilot_every] *= np.float32(np.sqrt(boost))
        symbols *= np.float32(1 / np.sqrt(1 + (boost - 1) / pilot_every))
    signal = modulate(symbols, np.arange(n_subcarriers) - n_subcarriers // 2, n_fft, prefix)
    return Baseband(signal[skipped : skipped + samples], rate, -bandwidth_hz / 2, bandwidth_hz / 2, always(duration_s))
