# SPDX-License-Identifier: GPL-3.0-or-later
"""I/Q images: what a receiver's I/Q imbalance puts at -f of a signal at f, and how it is told from a signal.

A receiver whose two branches differ in gain, or are not 90 degrees apart, gives x + g x* instead of x: at -f of a
signal there is its spectrum turned round, weaker by |g| (20 to 40 dB in cheap receivers). In a spectrogram that is a
carrier like any other. But it is the signal, conjugated: the product of the spectra at f and at -f has the same phase
all the time, where that of two signals has any. So the coherence

    |sum X(f) X(-f)|^2 / (sum |X(f)|^2 sum |X(-f)|^2)

is the fraction of the weaker side's power that is mirrored. It is taken column by column, for g differs along the span.
(On images, and that they make a signal improper: M. Valkama, M. Renfors, V. Koivunen, "Advanced methods for I/Q
imbalance compensation in communication receivers", IEEE Transactions on Signal Processing 49(10), 2001.)
"""

import numpy as np
import scipy.fft

from .sums import COLUMNS, FULL_SCALE, exact_scale, hann, real_values

WINDOWS = 512
"""Spectra at least, spread evenly, where there are so many."""
CHANCE = 12
"""What is below so many times the fraction that two signals would seem to have in the mean may be chance."""
WEAKER = 0.2
"""A I/Q image has less than this of the power on the other side."""
MIRRORED_FRACTION = 0.5
"""A column shows a I/Q image where so much of what it has over the noise floor is mirrored: more than all else."""
GAP = 2
"""Columns between two with a I/Q image are taken to have one too, if there are no more than so many."""


def image_coherence(samples):
    """How much of a chunk's power, column by column, is the I/Q image of what is on the other side of the centre.

    Args:
        samples: complex64, shape (n,), or int16 or int8, shape (n, 2); n is 256 or more.

    Returns:
        float32, shape (256,): 0..1, in the order of the columns of `rpmsn.signal.image`; 0 where it may be chance, and
        where the other side is not much stronger, so in column 0 and at the centre, which are their own other side.
    """
    values = real_values(samples)
    windows = len(values) // (2 * COLUMNS)
    picked = values[: 2 * COLUMNS * windows].reshape(windows, 2 * COLUMNS)[:: max(1, windows // WINDOWS)]
    weights = np.repeat(hann(COLUMNS) / FULL_SCALE[values.dtype], 2).astype(np.float32)
    spectra = scipy.fft.fft((picked * weights).view(np.complex64), axis=1, overwrite_x=True)
    other_side = -np.arange(COLUMNS)
    # Only ratios count; where samples are not scaled to 1.0, products of powers may have no room in float32.
    spectra *= exact_scale(spectra.view(np.float32))
    squares = np.square(spectra.real) + np.square(spectra.imag)
    powers = squares.sum(axis=0)
    product = np.maximum(powers * powers[other_side], np.finfo(np.float32).tiny)
    shares = np.square(np.abs(np.einsum("ij,ij->j", spectra, spectra[:, other_side]))) / product
    # Sums of products with random phases; the fewer spectra hold the power (bursts), the larger.
    by_chance = np.einsum("ij,ij->j", squares, squares[:, other_side]) / product
    is_sure = (powers < WEAKER * powers[other_side]) & (shares > CHANCE * by_chance)
    return scipy.fft.fftshift(np.where(is_sure, np.minimum(shares, 1), 0)).astype(np.float32)


def image_columns(shares, power, floor):
    """Columns that hold a I/Q image, and hardly anything else but noise.

    Args:
        shares: as `image_coherence` gives them.
        power: float32, shape (rows, 256), linear (`rpmsn.signal.image.power`).
        floor: noise power in a pixel, linear.

    Returns:
        bool, shape (256,).
    """
    over_noise = 1 - floor / np.maximum(power.mean(axis=0), np.finfo(np.float32).tiny)
    is_mirrored = (shares > 0) & (shares >= MIRRORED_FRACTION * over_noise)
    places = np.flatnonzero(is_mirrored)
    for before, after in zip(places, places[1:]):
        if after - before <= GAP + 1:
            is_mirrored[before:after] = True
    return is_mirrored


def without_mirrored(probabilities, columns, noise):
    """Probabilities that call I/Q images noise.

    Args:
        probabilities: float32, shape (classes, rows, 256).
        columns: bool, shape (256,): as `image_columns` gives them.
        noise: index of the class noise.

    Returns:
        The same, changed only in a copy.
    """
    if not columns.any():
        return probabilities
    changed = probabilities.copy()
    changed[..., columns] = 0
    changed[noise][:, columns] = 1
    return changed
