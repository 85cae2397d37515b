# SPDX-License-Identifier: GPL-3.0-or-later
"""Transmissions that are neither LTE nor NR: what class `other` is made of.

Each function makes a `Baseband`, the signal at a low rate of its own, of unit power while on the air; `place` puts
it into a wide span. Spectrum and rhythm are right, contents are random. Most use the same arguments:

    duration_s   length
    rng          numpy Generator
    start_s      time of the first sample, so that stretches follow each other in rhythm
"""
from dataclasses import dataclass

import numpy as np
import scipy.fft

from ..errors import ParameterError
from .qam import random_qam

CELLS_PER_MS = 16
"""Time resolution of `Baseband.on_air`."""


@dataclass
class Baseband:
    """A transmission round 0 Hz at its own sample rate.

    `samples` are complex64 (n,); `sample_rate` and the occupied band's `lower` and `upper` edges are in Hz. `on_air` is
    float32, shape (time cells, frequency cells): the share of every cell of [0, duration] x [lower, upper] that
    is on the air.
    """

    samples: np.ndarray
    sample_rate: float
    lower: float
    upper: float
    on_air: np.ndarray

    @property
    def occupied_bandwidth(self):
        """Hz in use at a time: the whole band, or the cells that a drifting tone is in."""
        n_bands = self.on_air.shape[1]
        return (self.upper - self.lower) / n_bands * max(1.0, float(self.on_air.sum(axis=1).max()))


def place(baseband, n_samples, sample_rate, offset_hz=0.0):
    """Bring a `Baseband` to another rate and offset; what falls outside the span is dropped.

    Exact for a periodic signal, since it works on the spectrum of the whole stretch: both have the same duration.

    Args:
        n_samples: length wanted; `n_samples / sample_rate` is the duration of the baseband.

    Returns:
        complex64, shape (n_samples,).
    """
    narrow = scipy.fft.fft(baseband.samples)
    n_narrow = narrow.size
    low = -(n_narrow // 2) + int(round(offset_hz * n_samples / sample_rate))
    high = low + n_narrow
    first, last = max(low, -(n_samples // 2)), min(high, (n_samples + 1) // 2)
    spectrum = np.zeros(n_samples, np.complex64)
    if first < last:
        kept = scipy.fft.fftshift(narrow)[first - low:last - low] * np.float32(n_samples / n_narrow)
        split = min(max(-first, 0), kept.size)
        if split:
            spectrum[n_samples + first:n_samples + first + split] = kept[:split]
        if split < kept.size:
            start = max(first, 0)
            spectrum[start:start + kept.size - split] = kept[split:]
    return scipy.fft.ifft(spectrum, overwrite_x=True)


def gsm(duration_s, rng, start_s=0.0, slots_on=(True,) * 8):
    """GSM carrier: GMSK (BT 0.3, 270.833 ksymbol/s) in bursts of eight time slots (TS 45.004, TS 45.002).

    Args:
        slots_on: which of the eight slots of a 4.615 ms frame are sent; a broadcast carrier sends all.
    """
    oversampling, symbol_rate = 4, 13e6 / 48
    samples, rate = _grid(duration_s, oversampling * symbol_rate)
    bits = 2.0 * rng.integers(0, 2, samples // oversampling + 2) - 1
    steps = np.convolve(np.repeat(bits, oversampling), _gaussian_pulse(oversampling), "same")[:samples]
    signal = _unit_phasor(np.cumsum(steps) * (np.pi / 2 / oversampling))
    on = np.asarray(slots_on, bool)
    slot_s = 156.25 / symbol_rate
    times = start_s + np.arange(samples) / rate
    phase = times % slot_s
    # A burst has 148 symbols and 8.25 of guard.
    sent = on[(times // slot_s).astype(int) % 8] & (phase < 148 / symbol_rate)
    return Baseband(signal * sent, rate, -100e3, 100e3, _cells(sent, duration_s))


def _gaussian_pulse(oversampling, bt=0.3):
    """Gaussian filter of unit area over four symbols."""
    times = np.arange(-2 * oversampling, 2 * oversampling + 1) / oversampling
    pulse = np.exp(-times ** 2 * (2 * np.pi ** 2 * bt ** 2 / np.log(2)))
    return pulse / pulse.sum()


def fm(duration_s, rng, start_s=0.0, deviation_hz=75e3, audio_hz=15e3):
    """Frequency-modulated voice or broadcast: a tone that random audio pulls about, always on the air.

    Args:
        deviation_hz: peak deviation (about 2.5 kHz: land mobile radio; 75 kHz: broadcast).
        audio_hz: highest frequency of the audio.
    """
    half_band = deviation_hz + audio_hz
    samples, rate = _grid(duration_s, 4 * half_band)
    spectrum = _complex_noise(rng, samples)
    frequencies = np.abs(scipy.fft.fftfreq(samples, 1 / rate))
    spectrum *= (frequencies < audio_hz) / (1 + frequencies / (0.1 * audio_hz))
    audio = scipy.fft.ifft(spectrum).real
    audio *= deviation_hz / max(3 * audio.std(), 1e-20)
    signal = _unit_phasor(2 * np.pi * np.cumsum(audio.astype(np.float64)) / rate)
    return Baseband(signal, rate, -half_band, half_band, _always(duration_s))


def tone(duration_s, rng, start_s=0.0, drift_hz_per_s=0.0, width_hz=10e3):
    """Unmodulated carrier that may drift (a sweep where it drifts fast).

    Args:
        drift_hz_per_s: change of frequency; the tone passes its offset at time 0.
        width_hz: band that it counts as occupying.
    """
    ends = drift_hz_per_s * np.array([start_s, start_s + duration_s])
    half_span = np.max(np.abs(ends)) + width_hz
    samples, rate = _grid(duration_s, 3 * half_span)
    times = start_s + np.arange(samples) / rate
    signal = _unit_phasor(np.pi * drift_hz_per_s * times ** 2 + 2 * np.pi * rng.random())
    lower, upper = ends.min() - width_hz / 2, ends.max() + width_hz / 2
    n_cells = _n_cells(duration_s)
    n_bands = int(np.ceil((upper - lower) / (2 * width_hz)))
    if n_bands == 1:
        return Baseband(signal, rate, lower, upper, _always(duration_s))
    band = (upper - lower) / n_bands
    track = drift_hz_per_s * (start_s + (np.arange(n_cells) + 0.5) / (1e3 * CELLS_PER_MS)) - lower
    on_air = np.zeros((n_cells, n_bands), np.float32)
    on_air[np.arange(n_cells), np.clip((track / band).astype(int), 0, n_bands - 1)] = 1
    return Baseband(signal, rate, lower, upper, on_air)


def band_noise(duration_s, rng, start_s=0.0, symbol_rate=3.84e6, rolloff=0.22):
    """Gaussian noise with the root-raised-cosine spectrum of a CDMA or single-carrier signal.

    WCDMA has 3.84 Mchip/s and roll-off 0.22 (TS 25.104, 6.8.1); a loaded carrier is as Gaussian as this.
    """
    samples, rate = _grid(duration_s, symbol_rate * (1 + rolloff) * 1.1)
    frequency = np.abs(scipy.fft.fftfreq(samples, 1 / rate)) * 2 / symbol_rate
    edge = np.clip((frequency - 1 + rolloff) / (2 * rolloff), 0, 1)
    shape = np.cos(np.pi / 2 * edge).astype(np.float32)
    spectrum = _complex_noise(rng, samples) * (shape / np.sqrt(np.mean(shape ** 2) / samples))
    signal = scipy.fft.ifft(spectrum, overwrite_x=True)
    return Baseband(signal, rate, -symbol_rate / 2, symbol_rate / 2, _always(duration_s))


def flat_ofdm(duration_s, rng, start_s=0.0, bandwidth_hz=7.61e6, n_subcarriers=1705, guard=1 / 8, pilot_boost_db=2.5,
              pilot_every=12):
    """OFDM with every subcarrier in use all the time, as DVB-T sends it (EN 300 744: 1705 or 6817 subcarriers).

    Args:
        bandwidth_hz: occupied band.
        guard: guard interval over useful symbol.
        pilot_boost_db: power of the scattered pilots over the data; every `pilot_every`-th subcarrier, moving on by
            three from symbol to symbol; 0 for no pilots.
    """
    spacing = bandwidth_hz / n_subcarriers
    n_fft = scipy.fft.next_fast_len(n_subcarriers + n_subcarriers // 7)
    samples, rate = _grid(duration_s, n_fft * spacing)
    prefix = int(round(guard * n_fft))
    n_symbols = -(-samples // (n_fft + prefix))
    symbols = random_qam(rng, (n_symbols, n_subcarriers), 4)
    if pilot_boost_db:
        index = np.arange(n_subcarriers) - 3 * np.arange(n_symbols)[:, None]
        symbols[index % pilot_every == 0] *= np.float32(10 ** (pilot_boost_db / 20))
        symbols /= np.sqrt(np.mean(np.abs(symbols) ** 2))
    signal = _ofdm(symbols, np.arange(n_subcarriers) - n_subcarriers // 2, n_fft, prefix)[:samples]
    return Baseband(signal, rate, -bandwidth_hz / 2, bandwidth_hz / 2, _always(duration_s))


def wifi(duration_s, rng, start_s=0.0, bandwidth_hz=20e6, busy=0.4):
    """Bursts of IEEE 802.11 OFDM (312.5 kHz spacing, 4 us symbols), packets of random length with random pauses.

    Args:
        bandwidth_hz: 20e6 (52 subcarriers) or 40e6 (114).
        busy: share of time on the air.
    """
    if bandwidth_hz not in (20e6, 40e6):
        raise ParameterError(f"bandwidth_hz of Wi-Fi is {bandwidth_hz}; 20e6 and 40e6 are there")
    used = np.r_[-26:0, 1:27] if bandwidth_hz == 20e6 else np.r_[-58:-1, 2:59]
    n_fft = int(bandwidth_hz / 312.5e3)
    prefix = n_fft // 4
    samples, rate = _grid(duration_s, bandwidth_hz)
    symbol_s = (n_fft + prefix) / rate
    n_symbols = -(-samples // (n_fft + prefix))
    sent = np.zeros(n_symbols, bool)
    lengths = rng.choice([6, 8, 30, 120, 400], n_symbols, p=[.25, .25, .2, .2, .1])
    mean_pause = lengths.mean() * (1 - busy) / max(busy, 1e-3)
    position = int(rng.exponential(mean_pause))
    for length in lengths:
        sent[position:position + length] = True
        position += length + 4 + int(rng.exponential(mean_pause))
        if position >= n_symbols:
            break
    symbols = random_qam(rng, (n_symbols, used.size), 4) * sent[:, None]
    signal = _ofdm(symbols, used, n_fft, prefix)[:samples]
    half = (used.max() + 0.5) * 312.5e3
    on_air = _cells(np.repeat(sent, n_fft + prefix)[:samples], duration_s)
    return Baseband(signal, rate, -half, half, on_air)


def radar(duration_s, rng, start_s=0.0, pulse_s=2e-5, interval_s=1e-3, sweep_hz=4e6):
    """Pulses of linear frequency modulation at a fixed interval.

    Args:
        pulse_s: length of a pulse.
        interval_s: from pulse to pulse.
        sweep_hz: band that a pulse sweeps; 0 for a plain pulse.
    """
    band = max(sweep_hz, 1 / pulse_s)
    samples, rate = _grid(duration_s, 2.5 * band)
    since = (start_s + np.arange(samples) / rate) % interval_s
    sent = since < pulse_s
    signal = np.zeros(samples, np.complex64)
    centred = since[sent] - pulse_s / 2
    signal[sent] = _unit_phasor(np.pi * sweep_hz / pulse_s * centred ** 2)
    return Baseband(signal, rate, -band / 2, band / 2, _cells(sent, duration_s))


KINDS = {"gsm": gsm, "fm": fm, "tone": tone, "band_noise": band_noise, "flat_ofdm": flat_ofdm, "wifi": wifi,
         "radar": radar}
"""Name of a kind in a scene -> function."""


def _grid(duration_s, rate):
    """(number of samples, exact rate) nearest above `rate` that fill the duration; the number is quick to transform."""
    samples = scipy.fft.next_fast_len(int(np.ceil(duration_s * rate)))
    return samples, samples / duration_s


def _ofdm(symbols, subcarriers, n_fft, prefix):
    """OFDM symbols with cyclic prefix, unit power; symbols (n, len(subcarriers)) -> samples (n * (n_fft + prefix),)."""
    spectrum = np.zeros((len(symbols), n_fft), np.complex64)
    spectrum[:, subcarriers % n_fft] = symbols
    body = scipy.fft.ifft(spectrum, axis=1, overwrite_x=True) * np.float32(n_fft / np.sqrt(len(subcarriers)))
    return np.concatenate([body[:, n_fft - prefix:], body], axis=1).reshape(-1)


def _unit_phasor(phase):
    """exp(j phase) as complex64; the phase is wrapped in double precision first."""
    wrapped = np.mod(phase, 2 * np.pi).astype(np.float32)
    return np.cos(wrapped) + 1j * np.sin(wrapped)


def _complex_noise(rng, n):
    """Complex white Gaussian noise of power 1, complex64."""
    return rng.standard_normal(2 * n, dtype=np.float32).view(np.complex64) * np.float32(np.sqrt(0.5))


def _n_cells(duration_s):
    return max(1, int(round(duration_s * 1e3 * CELLS_PER_MS)))


def _always(duration_s):
    return np.ones((_n_cells(duration_s), 1), np.float32)


def _cells(sent, duration_s):
    """Share of every time cell that is on the air, float32 (cells, 1), from one flag a sample."""
    edges = np.round(np.linspace(0, sent.size, _n_cells(duration_s) + 1)).astype(int)
    total = np.concatenate([[0], np.cumsum(sent)])
    return (np.diff(total[edges]) / np.maximum(np.diff(edges), 1)).astype(np.float32)[:, None]
