# SPDX-License-Identifier: GPL-3.0-or-later
"""I/Q images: what a receiver's I/Q imbalance puts at -f of a signal at f, and how it is distinguished from a signal.

A receiver whose two branches differ in gain, or are not 90 degrees apart, gives x + g x* instead of x: at -f of a
signal there is its spectrum reversed, weaker by |g| (20 to 40 dB in cheap receivers). In a spectrogram that looks like
any other carrier. But it is the signal, conjugated: the product of the spectra at f and at -f has the same phase
all the time, where that of two signals has any. So the image coherence

    |sum X(f) X(-f)|^2 / (sum |X(f)|^2 sum |X(-f)|^2)

is the fraction of the weaker side's power that is an image. It is taken column by column, for g differs along the span.
(On images, and that they make a signal improper: M. Valkama, M. Renfors, V. Koivunen, "Advanced methods for I/Q
imbalance compensation in communication receivers", IEEE Transactions on Signal Processing 49(10), 2001.)
"""

import numpy as np
import scipy.fft

from .sums import COLUMNS, hann, is_compiled

WINDOWS = 512
"""Spectra that are evaluated at least, evenly spaced, where the chunk has as many."""
CHANCE = 12
"""A coherence below this multiple of the mean for two independent signals may be chance."""
WEAKER = 0.2
"""An I/Q image has less than this of the power on the other side."""
IMAGE_FRACTION = 0.5
"""A column shows an I/Q image where this fraction of its power over the noise floor is an image."""
GAP = 2
"""Gaps of at most this many columns between two with an I/Q image count as image, too."""


def image_coherence(values: np.ndarray) -> np.ndarray:
    """Image coherence of a chunk, column by column: the fraction of its power that is the image of the other side.

    Args:
        values: of 256 samples or more, as `sums.real_values` gives them.

    Returns:
        float32, shape (256,): 0..1, in the order of the columns of `rpmsn.signal.image`; 0 where it may be chance, and
        where the other side is not much stronger, so in column 0 and at the centre, which are their own other side.
    """
    step = max(1, len(values) // (2 * COLUMNS) // WINDOWS)
    picked = values[: len(values) // (2 * COLUMNS) * (2 * COLUMNS)].reshape(-1, 2 * COLUMNS)[::step]
    # A power of two changes no digit, and keeps the products of powers inside float32 whatever the amplitude.
    exponent = np.frexp(max(float(picked.max()), -float(picked.min())))[1]
    weights = (hann(COLUMNS) * 2.0**-exponent).astype(np.float32)
    powers, products, squares = _sums(picked, weights)
    other_side = -np.arange(COLUMNS)
    product = np.maximum(powers * powers[other_side], np.finfo(np.float32).tiny)
    coherence = np.square(np.abs(products)) / product
    # Sums of products with random phases; the fewer spectra hold the power (bursts), the larger.
    by_chance = squares / product
    is_sure = (powers < WEAKER * powers[other_side]) & (coherence > CHANCE * by_chance)
    return scipy.fft.fftshift(np.where(is_sure, np.minimum(coherence, 1), 0)).astype(np.float32)


def _sums(windows: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sums over the spectra X of windows, in the order of the FFT.

    Args:
        windows: shape (windows, 512), real and imaginary parts in turn.
        weights: float32, shape (256,).

    Returns:
        (powers, products, squares), each of shape (256,): of |X(f)|^2, X(f) X(-f), and |X(f)|^2 |X(-f)|^2.
    """
    if is_compiled():
        from .fused import mirrored_sums

        return mirrored_sums(windows, weights)
    other_side = -np.arange(COLUMNS)
    spectra = scipy.fft.fft((windows * np.repeat(weights, 2)).view(np.complex64), axis=1, overwrite_x=True)
    squares = np.square(spectra.real) + np.square(spectra.imag)
    return (
        squares.sum(axis=0),
        np.einsum("ij,ij->j", spectra, spectra[:, other_side]),
        np.einsum("ij,ij->j", squares, squares[:, other_side]),
    )


def image_columns(coherence: np.ndarray, power: np.ndarray, floor: float) -> np.ndarray:
    """Columns that hold an I/Q image and little else but noise.

    Args:
        coherence: as `image_coherence` gives it.
        power: float32, shape (rows, 256), linear (`rpmsn.signal.image.power`).
        floor: noise power in a pixel, linear.

    Returns:
        bool, shape (256,).
    """
    over_noise = 1 - floor / np.maximum(power.mean(axis=0), np.finfo(np.float32).tiny)
    is_image = (coherence > 0) & (coherence >= IMAGE_FRACTION * over_noise)
    places = np.flatnonzero(is_image)
    for before, after in zip(places, places[1:]):
        if after - before <= GAP + 1:
            is_image[before:after] = True
    return is_image
