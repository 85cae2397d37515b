#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the level of half columns is worth: image `cyclic`, and the same with two levels a column, trained alike.

    .venv/bin/python benchmarks/half_columns.py --output runs/half-columns

Half an hour of one core for the scenes and as much for the two trainings. Options are those of
`rpmsn.training.experiment`. The second image is made here alone: windows of 512 samples give 512 columns, of which each
column of the image has two as channels of their own, the lower and the upper half.
"""

import copy
import sys
from pathlib import Path

import numpy as np
import scipy.fft

from rpmsn.signal import image as spectrogram
from rpmsn.signal.channelizer import as_complex
from rpmsn.signal.sums import COLUMNS, LAGS, hann

NAME, HALVES = "cyclic_halves", 2
spectrogram.FEATURE_SETS[NAME] = spectrogram.FeatureSet(NAME, HALVES + len(LAGS), correlated=True)

# What follows reads the feature sets when it is imported, as the processes that make scenes do.
from rpmsn.training import batches, experiment

LENGTH, HOP, AT_ONCE = HALVES * COLUMNS, 224, 512
INDEPENDENT = 0.8
"""Spectra of windows that overlap so, in independent ones."""


def half_columns(samples: np.ndarray, rows: int) -> np.ndarray:
    """Levels of the lower and the upper half of every column, float32, shape (2, rows, 256)."""
    numbers = as_complex(samples)
    places = np.arange(LENGTH)
    # Halves lie a quarter of a column beside the column's middle.
    window = (hann(LENGTH) * np.exp(-1j * np.pi * places / LENGTH)).astype(np.complex64)
    windows = np.lib.stride_tricks.sliding_window_view(numbers, LENGTH)[::HOP]
    row_of = np.minimum((HOP * np.arange(len(windows)) + LENGTH // 2) * rows // len(numbers), rows - 1)
    sums = np.zeros((rows, LENGTH), np.float32)
    for first in range(0, len(windows), AT_ONCE):
        spectra = scipy.fft.fft(windows[first : first + AT_ONCE] * window, axis=1)
        np.add.at(sums, row_of[first : first + AT_ONCE], spectra.real**2 + spectra.imag**2)
    counts = np.maximum(np.bincount(row_of, minlength=rows), 1).astype(np.float32)
    sums /= np.float32(LENGTH * np.sum(np.abs(window) ** 2)) * counts[:, None]
    averages = max(1.0, INDEPENDENT * float(np.median(counts)))
    levels, _ = spectrogram.normalise(scipy.fft.fftshift(sums, axes=1), averages)
    return np.stack([np.roll(levels, 1, axis=1)[:, ::HALVES], levels[:, ::HALVES]])


def image(samples, sample_rate, features="averaged", rows=spectrogram.ROWS):
    """`signal.image.image`, with this feature set."""
    if features != NAME:
        return make_image(samples, sample_rate, features, rows)
    made = make_image(samples, sample_rate, "cyclic", rows)
    return np.concatenate([spectrogram.fill_rows(half_columns(samples, rows)), made[1:]])


def augment(image, mask, out_image, out_mask, rng, features="averaged"):
    """`training.augment.augment`: mirrored, the lower half of a column is the upper one. It draws that first."""
    is_mirrored = copy.deepcopy(rng).random() < 0.5
    make_augmented(image, mask, out_image, out_mask, rng, features)
    if features == NAME and is_mirrored:
        out_image[:HALVES] = out_image[HALVES - 1 :: -1].copy()


make_image, make_augmented = spectrogram.image, batches.augment
spectrogram.image, batches.augment = image, augment

if __name__ == "__main__":
    sys.exit(experiment.main(["--config", str(Path(__file__).with_suffix(".yml")), *sys.argv[1:]]))
