# SPDX-License-Identifier: GPL-3.0-or-later
"""Augmentation: one of the many pictures that the same scene could have given, in stored (uint8) images."""

import numpy as np

from ..signal.image import feature_set
from ..signal.sums import CORRELATED_ROWS, LAGS

MAX_LEVEL_SHIFT = 13
"""Brighter or darker by up to so many steps of 255: 3 dB of the averaged feature set's level."""
MAX_NOISE = 5.0
"""Greatest standard deviation of the noise, in steps of 255."""


def augment(
    image: np.ndarray,
    mask: np.ndarray,
    out_image: np.ndarray,
    out_mask: np.ndarray,
    rng: np.random.Generator,
    features: str = "averaged",
) -> None:
    """Mirror in frequency, roll in time, shift the level, add a little noise; each at random.

    Mirroring takes column c to 256 - c, which keeps the centre column. The last channels of feature set `cyclic` are
    correlations, which no change of level moves; they are mirrored and rolled only. They are measured over
    blocks of 64 rows, so that such an image is rolled by whole blocks: no receiver shows one that begins elsewhere.

    Args:
        image: uint8, shape (channels, rows, columns).
        mask: uint8, shape (rows, columns).
        out_image, out_mask: arrays of the same shapes that get the result.
        rng: numpy Generator.
        features: feature set.
    """
    is_mirrored = rng.random() < 0.5
    is_correlated = feature_set(features).correlated
    step = CORRELATED_ROWS if is_correlated else 1
    shift = step * int(rng.integers(len(mask) // step)) if rng.random() < 0.5 else 0
    for values, out in ((image, out_image), (mask, out_mask)):
        _move(values, out, is_mirrored, shift)
    level = out_image[: -len(LAGS)] if is_correlated else out_image
    brighter = int(rng.integers(-MAX_LEVEL_SHIFT, MAX_LEVEL_SHIFT + 1))
    if rng.random() < 0.3:
        noise = rng.standard_normal(level.shape, np.float32)
        noise *= np.float32(rng.uniform(0, MAX_NOISE))
        noise += level
        noise += np.float32(brighter + 0.5)  # cut off below, so rounded
        level[...] = np.clip(noise, 0, 255, out=noise)
    else:
        level[...] = np.clip(np.arange(256) + brighter, 0, 255).astype(np.uint8)[level]


def _move(values: np.ndarray, out: np.ndarray, is_mirrored: bool, shift: int) -> None:
    """Copy `values` to `out`, rolled by `shift` rows and mirrored in the last axis if asked for."""
    for target, source in (
        (out[..., shift:, :], values[..., : values.shape[-2] - shift, :]),
        (out[..., :shift, :], values[..., values.shape[-2] - shift :, :]),
    ):
        if is_mirrored:
            target[..., 0] = source[..., 0]
            target[..., 1:] = source[..., :0:-1]
        else:
            target[...] = source
