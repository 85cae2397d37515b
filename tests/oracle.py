# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for a network: every pixel well over the noise floor is LTE. Makes a whole analysis predictable."""

import numpy as np

from rpmsn.signal.image import DB_MAX, DB_MIN

THRESHOLD_DB = 10


class ThresholdRuntime:
    """Takes the place of a runtime; see `rpmsn.runtimes`."""

    name = "threshold"

    def probabilities(self, images):
        is_signal = images[:, 0] * (DB_MAX - DB_MIN) + DB_MIN > THRESHOLD_DB
        scores = np.zeros((len(images), 4, *images.shape[2:]), np.float32)
        scores[:, 1] = np.where(is_signal, 0.99, 0.01)
        scores[:, 0] = 1 - scores[:, 1]
        return scores


def flat_band(n, sample_rate, lower, upper, rng, snr_db=30.0):
    """Noise of power 1e-4 a sample with a flat band over it, from `lower` to `upper` (Hz): complex64, shape (n,)."""
    spectrum = rng.standard_normal((n, 2)).view(complex)[:, 0] / np.sqrt(2)
    frequencies = np.fft.fftfreq(n, 1 / sample_rate)
    spectrum[(frequencies >= lower) & (frequencies < upper)] *= np.sqrt(1 + 10 ** (snr_db / 10))
    return (np.fft.ifft(spectrum) * np.sqrt(n) * 1e-2).astype(np.complex64)
