# SPDX-License-Identifier: GPL-3.0-or-later
"""NB-IoT carriers (180 kHz wide, alone, in an LTE carrier or in its guard band) by NPSS and NSSS: TS 36.211 10.2.7."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
import scipy.fft
import scipy.special

from ...errors import ParameterError
from ...standards.nbiot import SUBCARRIERS, SYMBOLS, npss, nsss
from ...standards.sequences import LTE_CELL_IDS
from ..cell import SYNC, Cell
from ..spectrum import History, Spectrum, band_rate, nearest
from .baseband import CHUNK_S, baseband
from .primary import FALSE_PEAKS, SYMBOL, clock_errors, noise_limit
from .search import LOWEST_RATE, MEMORY_S, MEMORY_WITHOUT_CLOCK_S, checked_samples

STEP_HZ = 600.0
"""The NPSS is coherent for 0.79 ms: half of it costs 0.9 dB."""

DECIMATION = 4
FRAME = 19200
SUBFRAME = 1920
HALF_WIDTH = 0.12e6
FIRST_SYMBOL = 412
"""Samples from the start of a subframe to symbol 3, where the signals begin."""

USEFUL = np.array([(slot * 960 + 10 + 137 * symbol) for slot in (0, 1) for symbol in range(7)])[3:]
"""Samples from the start of a subframe to the useful parts of its last 11 symbols."""

FALSE_CELL = 1e-10
"""Probability that unrelated values exceed the limit for one of the 4032 sequences."""

RATIO_LIMIT = 1.5
CANDIDATES = 4


def find_narrowband_cells(
    samples: np.ndarray,
    sample_rate: float,
    frequencies: Sequence[float],
    tolerance: float = 10e3,
    center_frequency: float | None = None,
) -> list[Cell]:
    """NB-IoT cells in samples, by their synchronisation signals: `evidence` is SYNC.

    Args:
        samples: complex, one-dimensional; 40 ms and more are useful. The first second is used, or the first 0.16 s
            without `center_frequency`.
        sample_rate: Hz, 1.4e6 or more.
        frequencies: where the middles of carriers may be, Hz from the samples' centre. In LTE they are those of
            resource blocks.
        tolerance: Hz around each frequency that are searched.
        center_frequency: absolute frequency of the samples' centre, Hz, as in `find_cells`.

    Raises:
        ParameterError: a value is not allowed; the samples have values that are not finite.
    """
    if not (np.isfinite(sample_rate) and sample_rate >= LOWEST_RATE):
        raise ParameterError(f"sample_rate is {sample_rate:g} Hz; choose {LOWEST_RATE:g} Hz or more")
    if not (np.isfinite(tolerance) and 0 <= tolerance <= 150e3):
        raise ParameterError(f"tolerance is {tolerance:g} Hz; choose 0 to 150000 Hz")
    samples = checked_samples(samples)
    memory_s = MEMORY_WITHOUT_CLOCK_S if center_frequency is None else MEMORY_S
    samples = samples[: int(memory_s * sample_rate)]
    chunk, rate = round(CHUNK_S * sample_rate), band_rate(sample_rate)
    spectra = [
        (start, Spectrum(samples[start : start + chunk], sample_rate)) for start in range(0, len(samples), chunk)
    ]
    cells: list[Cell] = []
    for frequency in frequencies:
        if not abs(frequency) <= sample_rate / 2 - HALF_WIDTH:
            raise ParameterError(
                f"one of frequencies is {frequency:g} Hz; choose frequencies within "
                f"+-{sample_rate / 2 - HALF_WIDTH:g} Hz of the centre, so that the carrier is in the samples"
            )
        middle, history = nearest(frequency, sample_rate), History()
        for start, spectrum in spectra:
            history.add(*baseband(spectrum, middle, start))
        values = history.values[-history.start :][: int(len(samples) * rate / sample_rate)]
        carrier = None if center_frequency is None else center_frequency + frequency
        cells += [
            replace(cell, frequency_offset=cell.frequency - frequency)
            for cell in _cells(values, rate, middle, tolerance, carrier)
        ]
    return sorted(cells, key=lambda cell: -cell.snr_db)


def _cells(values, rate, frequency, tolerance, carrier):
    steps = np.ceil(tolerance / STEP_HZ)
    offsets = np.arange(-steps, steps + 1) * STEP_HZ
    found: list[Cell] = []
    for place, offset, drift in _candidates(values, rate, offsets, clock_errors(offsets, carrier)):
        cell = _cell(values, rate, place, offset, drift, frequency)
        if cell is not None and all(cell.cell_id != other.cell_id for other in found):
            found.append(cell)
    return found


def _candidates(values, rate, offsets, drifts):
    """(place in the frame, offset, drift) where an NPSS may begin, strongest first."""
    n = DECIMATION * scipy.fft.next_fast_len(-(-len(values) // DECIMATION))
    n_places = (len(values) - len(_wave())) // DECIMATION
    if n_places < FRAME // DECIMATION:
        return []
    few = np.r_[0 : n // DECIMATION // 2, n - (n // DECIMATION - n // DECIMATION // 2) : n]
    template = scipy.fft.fft(_wave(), n).conj()[few]
    spectrum = scipy.fft.fft(values, n)
    power = _local_power(spectrum, few, n, rate)[:n_places]
    places = FRAME // DECIMATION
    sums = np.zeros((*drifts.shape, places), np.float32)
    frames = int((n_places - places) // (places * (1 + 100e-6))) + 1
    for index, offset in enumerate(offsets):
        shift = round(offset * n / rate)
        correlation = scipy.fft.ifft(spectrum[(few + shift) % n] * template)[:n_places]
        strength = (correlation.real**2 + correlation.imag**2) / power
        for number, drift in enumerate(drifts[:, index]):
            for frame in range(frames):
                begin = round(frame * FRAME * rate / 1.92e6 * (1 + drift) / DECIMATION)
                part = strength[begin : begin + places]
                sums[number, index, : len(part)] += part
    sums /= np.maximum(np.median(sums, axis=-1, keepdims=True), 1e-30)
    limit = noise_limit(FALSE_PEAKS, frames)
    best = sums.reshape(-1, places).max(axis=0)
    found = []
    for _ in range(CANDIDATES):
        at = int(np.argmax(best))
        if best[at] < limit:
            break
        best_drift, best_offset = np.unravel_index(np.argmax(sums[:, :, at]), drifts.shape)
        found.append((DECIMATION * at, float(offsets[best_offset]), float(drifts[best_drift, best_offset])))
        distance = np.abs(np.arange(places) - at)
        # Copies of the signal shifted by a symbol or a few agree in part.
        best[np.minimum(distance, places - distance) < len(_wave()) // DECIMATION] = 0
    return found


def _local_power(spectrum, few, n, rate):
    """Power of the middle 0.24 MHz over the length of the NPSS, from each place on."""
    inside = np.abs((few + n // 2) % n - n // 2) < HALF_WIDTH * n / rate
    narrow = scipy.fft.ifft(np.where(inside, spectrum[few], 0))
    sums = np.concatenate([[0.0], np.cumsum(narrow.real.astype(float) ** 2 + narrow.imag.astype(float) ** 2)])
    length = len(_wave()) // DECIMATION
    power = np.append(sums[length:] - sums[:-length], np.zeros(length))[: len(narrow)]
    return np.maximum(power, 1e-3 * power.mean() + 1e-30)


def _cell(values, rate, place, offset, drift, frequency):
    period = FRAME * rate / 1.92e6 * (1 + drift)
    begins = np.round(np.arange(len(values) // period + 1) * period).astype(int) + place - FIRST_SYMBOL
    begins = begins[(begins >= 4) & (begins + 5 * SUBFRAME + 4 <= len(values))]
    if len(begins) < 2:
        return None
    powers = [np.sum(np.abs(_primary_sums(values, begins + late, offset, rate).sum(1)) ** 2) for late in range(-3, 4)]
    begins = begins + int(np.argmax(powers)) - 3
    products = _primary_sums(values, begins, offset, rate)
    symbol_s = 137.1 / 1.92e6
    offset += float(np.angle(np.vdot(products[:, :-1], products[:, 1:]))) / (2 * np.pi * symbol_s)
    received = _grid(values, begins + 4 * SUBFRAME, offset, rate).reshape(len(begins), -1)
    energy = np.maximum(np.sum(np.abs(received) ** 2, axis=1), 1e-30)
    strength = np.abs(received @ _secondary_codes()) ** 2 / energy[:, None]
    strength = strength.reshape(len(begins), 4, LTE_CELL_IDS)
    sums, counts = _by_parity(strength)
    significance = sums / counts[:, None, None]
    parity, turn, cell_id = np.unravel_index(np.argmax(significance), significance.shape)
    top = sums[parity, turn, cell_id]
    others = np.delete(sums[parity], cell_id, axis=-1).max()
    ratio = float(np.sqrt(top / max(others, 1e-30)))
    if top < scipy.special.gammainccinv(counts[parity], FALSE_CELL) or ratio < RATIO_LIMIT:
        return None
    fraction = min(max((top / counts[parity] - 1) / (SYMBOLS * SUBCARRIERS - 1), 1e-6), 1 - 1e-6)
    start = float((begins[0] - 5 * SUBFRAME) % period)
    return Cell(
        technology="NB-IoT",
        cell_id=int(cell_id),
        evidence=SYNC,
        frequency=frequency + offset,
        frequency_offset=offset,
        start_s=start / rate,
        snr_db=float(10 * np.log10(fraction / (1 - fraction))),
        score=ratio,
        channel_bandwidth=200e3,
    )


def _by_parity(strength):
    """Sums over the even or the odd frames, (2, 4, 504) by parity and turn of the first of them, and how many."""
    sums, counts = np.zeros((2, *strength.shape[1:])), np.zeros(2)
    for frame, values in enumerate(strength):
        sums[frame % 2] += np.roll(values, -(frame // 2), axis=0)
        counts[frame % 2] += 1
    return sums, counts


def _primary_sums(values, begins, offset, rate):
    """Correlation of each symbol with the NPSS, (frames, 11)."""
    return np.sum(_grid(values, begins, offset, rate) * npss().conj(), axis=2)


def _grid(values, begins, offset, rate):
    """Last 11 symbols of subframes, (n, 11, 12): the subcarriers lie half a spacing beside the carrier's middle."""
    places = begins[:, None, None] + USEFUL[:, None] + np.arange(SYMBOL)
    cycles = places * (offset / rate)
    symbols = values[places] * np.exp(-2j * np.pi * (cycles - np.round(cycles)))
    return (symbols @ _subcarriers()).astype(np.complex64)


@lru_cache(maxsize=1)
def _subcarriers():
    """Conjugate subcarriers, complex64 (128, 12)."""
    k = np.arange(SUBCARRIERS) - SUBCARRIERS / 2 + 0.5
    return np.exp(-2j * np.pi * np.arange(SYMBOL)[:, None] * k / SYMBOL).astype(np.complex64)


@lru_cache(maxsize=1)
def _wave():
    """The NPSS from its first prefix on, complex64 (1508,), energy 1."""
    return signal_wave(npss())


def signal_wave(signal: np.ndarray) -> np.ndarray:
    """Samples at 1.92 Msps of a signal (11, 12) from symbol 3's prefix to the end of its subframe, energy 1."""
    wave = np.zeros(SUBFRAME - FIRST_SYMBOL, np.complex64)
    for symbol, useful in zip(signal, USEFUL - FIRST_SYMBOL):
        prefix = 10 if useful == 960 + 10 - FIRST_SYMBOL else 9
        times = np.arange(-prefix, SYMBOL)
        k = np.arange(SUBCARRIERS) - SUBCARRIERS / 2 + 0.5
        wave[useful - prefix : useful + SYMBOL] = np.exp(2j * np.pi * times[:, None] * k / SYMBOL) @ symbol
    return wave / np.linalg.norm(wave)


@lru_cache(maxsize=1)
def _secondary_codes():
    """Conjugate NSSS of all turns and cells, complex64 (132, 4 * 504)."""
    codes = [nsss(cell_id, turn).ravel() for turn in range(4) for cell_id in range(LTE_CELL_IDS)]
    return np.array(codes).conj().T.copy()
