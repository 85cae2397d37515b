# SPDX-License-Identifier: GPL-3.0-or-later
"""The image by its definition, window by window, in double precision: what the fast implementation must give."""

import numpy as np

WINDOW = 256
LAGS = (2, 3, 6)
BLOCK_ROWS = 64


def _spectrum(samples, start, length):
    """Spectrum of a Hann-weighted window, zeros outside of the samples; 256 bins."""
    inside = np.zeros(length, complex)
    low, high = max(start, 0), min(start + length, len(samples))
    if high > low:
        inside[low - start : high - start] = samples[low:high]
    weights = np.sin(np.pi * (np.arange(length) + 0.5) / length) ** 2
    return np.fft.fft(inside * weights, WINDOW)


def _energy(count, start):
    """Sum of the squared weights of a window that lie inside of the samples."""
    weights = np.sin(np.pi * (np.arange(WINDOW) + 0.5) / WINDOW) ** 2
    places = start + np.arange(WINDOW)
    return np.sum(weights[(places >= 0) & (places < count)] ** 2)


def plain_power(samples, sample_rate, rows=256):
    """Mean power of every pixel, float64, shape (rows, 256)."""
    count = len(samples)
    period = max(1, round(sample_rate / 15e3 / 6))
    windows = int(np.ceil(period / min(230, count / rows)))
    power, energy = np.zeros((rows, WINDOW)), np.zeros(rows)
    for beat in range(-(-count // period) + 1):
        for index in range(windows):
            centre = beat * period + round(index * period / windows)
            row = min(centre * rows // count, rows - 1)
            power[row] += np.abs(np.fft.fftshift(_spectrum(samples, centre - WINDOW // 2, WINDOW))) ** 2
            energy[row] += _energy(count, centre - WINDOW // 2)
    return power / energy[:, None] / WINDOW


def plain_correlation(samples, sample_rate, rows=256):
    """Correlation coefficients at the three lags, float64, shape (3, rows, 256)."""
    count = len(samples)
    exact = sample_rate / 15e3 / 6
    period = max(1, round(exact))
    length = min(WINDOW, period)
    beats = -(-count // period) + 1
    spectra = [_spectrum(samples, beat * period - length // 2, length) for beat in range(beats)]
    block_of = [min(beat * period * rows // count, rows - 1) // BLOCK_ROWS for beat in range(beats)]
    result = np.zeros((len(LAGS), rows, WINDOW))
    reach = max(1, int(720e3 / 2 / (sample_rate / WINDOW)))
    for index, lag in enumerate(LAGS):
        turn = np.exp(-2j * np.pi * (period - exact) * lag * np.fft.fftfreq(WINDOW))
        for block in range(max(block_of) + 1):
            pairs = [(spectra[beat], spectra[beat + lag]) for beat in range(beats - lag) if block_of[beat] == block]
            product = sum(later * np.conj(earlier) for earlier, later in pairs)
            early, late = (sum(np.abs(pair[place]) ** 2 for pair in pairs) for place in (0, 1))
            coefficient = np.fft.fftshift(product / np.maximum(np.sqrt(early * late), 1e-300) * turn)
            padded = np.pad(coefficient, reach, mode="edge")
            smooth = np.convolve(padded, np.ones(2 * reach + 1) / (2 * reach + 1), "valid")
            result[index, block * BLOCK_ROWS : (block + 1) * BLOCK_ROWS] = np.abs(smooth)
    return result
