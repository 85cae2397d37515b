# SPDX-License-Identifier: GPL-3.0-or-later
"""The picture of a frame for people, with more columns than the network's image (`resolution`)."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .channelizer import as_complex
from .closeup import mean_power, window_weights
from .image import COLUMNS, DB_MAX, DB_MIN, ROWS, to_uint8

PIXELS = ROWS * COLUMNS
"""In every picture of a frame: with more columns it has fewer rows, so that messages are as long."""
BUDGET = 1 << 19
"""Samples of a frame that are transformed for it, about: at 61.44 Msps a fifth, evenly spaced, in 3 to 5 ms of one
core."""


def picture_of(samples: np.ndarray, columns: int, frame_samples: int, floor: float) -> NDArray[np.uint8] | None:
    """`fine_picture` of a frame, or of a part of one; None where the image has as many columns."""
    if columns == COLUMNS:
        return None
    return fine_picture(samples, columns, picture_rows(columns, len(samples), frame_samples), floor)


def picture_rows(columns: int, samples: int, frame_samples: int) -> int:
    """Rows of a picture of a part of a frame: pixels are as high in all of them."""
    return max(1, round(PIXELS / columns * samples / frame_samples))


def fine_picture(samples: np.ndarray, columns: int, rows: int, floor: float) -> NDArray[np.uint8]:
    """Power over the noise floor, in more columns than the network's image has.

    Args:
        samples: as of `channelizer.as_complex`; at least one. NaN counts as zero.
        columns, rows: of the picture.
        floor: noise power in a pixel of the image, linear (`image.Analysis.floor`).

    Returns:
        uint8, shape (rows, columns), lowest frequency and first row first: 0..255 over -5..55 dB over the noise.
    """
    noise = floor * COLUMNS
    if not noise > 0:
        return np.zeros((rows, columns), np.uint8)
    length = min(columns, len(samples))
    weights = np.zeros(columns, np.float32)
    weights[:length] = _weights(length)
    edges = np.linspace(0, len(samples), rows + 1)
    power = np.empty((rows, columns), np.float32)
    with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is as strong as can be shown
        for row, (begin, end) in enumerate(zip(edges, edges[1:])):
            count = int(max(1, min((end - begin) // columns, BUDGET / columns / rows)))
            middles = begin + (np.arange(count) + 0.5) * (end - begin) / count
            starts = np.clip(middles - length / 2, 0, len(samples) - length).astype(int)
            windows = np.zeros((count, columns), np.complex64)
            for window, start in zip(windows, starts):
                window[:length] = as_complex(samples[start : start + length])
            power[row] = mean_power(windows, weights) / np.float32(noise)
    decibels = 10 * np.log10(np.maximum(np.nan_to_num(power, nan=np.inf, posinf=np.inf), np.float32(1e-9)))
    return to_uint8(np.clip((decibels - DB_MIN) / np.float32(DB_MAX - DB_MIN), 0, 1))


@lru_cache(maxsize=2)
def _weights(length: int) -> NDArray[np.float32]:
    return window_weights(length)
