# SPDX-License-Identifier: GPL-3.0-or-later
"""Calibrated confidence: of the pixels with a confidence of 0.8, eight in ten should be right.

The logits are divided by one number, the temperature, before the softmax (C. Guo et al., "On Calibration of Modern
Neural Networks", ICML 2017): above 1 lowers the confidence, below 1 raises it. Which class wins does not change.

>>> sample = PixelSample(images=2)
>>> for log_probabilities, truth in []: sample.add(log_probabilities, truth)
>>> temperature = fit_temperature(*sample.pixels()) if len(sample) else 1.0
"""

from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar

from ...classes import IGNORED
from ...errors import ParameterError

BINS = 15
MAX_PIXELS = 200_000
"""Pixels that are kept of a whole set: enough for the temperature to three digits."""
TEMPERATURES = (0.05, 20.0)
"""Where a temperature is looked for."""


class PixelSample:
    """Judged pixels drawn at random from every image of a set, the same for the same seed.

    Args:
        images: how many will be added; each may give `MAX_PIXELS / images` pixels.
        seed: of the draw.
    """

    def __init__(self, images: int, seed: int = 1) -> None:
        self._each = max(1, MAX_PIXELS // max(1, images))
        self._rng = np.random.default_rng(seed)
        self._outputs: list[np.ndarray] = []
        self._truths: list[np.ndarray] = []

    def __len__(self) -> int:
        return sum(len(truth) for truth in self._truths)

    def add(self, outputs: np.ndarray, truth: np.ndarray) -> None:
        """Draw from an image.

        Args:
            outputs: float, shape (classes, rows, columns): logits, or logarithms of probabilities.
            truth: integer, shape (rows, columns): true class of every pixel, 255 where it is not judged.
        """
        judged = np.flatnonzero(truth.ravel() != IGNORED)
        chosen = self._rng.choice(judged, min(self._each, len(judged)), replace=False)
        self._outputs.append(outputs.reshape(len(outputs), -1)[:, chosen].T.astype(np.float32))
        self._truths.append(truth.ravel()[chosen].astype(np.uint8))

    def pixels(self) -> tuple[np.ndarray, np.ndarray]:
        """(outputs, truth): float32, shape (pixels, classes), and uint8, shape (pixels,).

        Raises:
            ParameterError: no pixel was judged.
        """
        if not len(self):
            raise ParameterError(
                "no pixel of the set is judged (all are 255), so confidence cannot be calibrated; "
                "choose another set or policy"
            )
        return np.concatenate(self._outputs), np.concatenate(self._truths)


def fit_temperature(outputs: np.ndarray, truth: np.ndarray) -> float:
    """The temperature at which the true classes are most likely (least mean negative logarithm).

    Args:
        outputs: float, shape (pixels, classes): logits, or logarithms of probabilities at temperature 1.
        truth: integer, shape (pixels,): indices of the true classes.

    Returns:
        float, to be put into a model's card as `temperature`.
    """
    # Relative to the true class, so that one logarithm of a sum is all there is to a pixel.
    differences = outputs - np.take_along_axis(outputs, truth[:, None].astype(np.intp), axis=1)
    limits = np.log(TEMPERATURES)
    return float(
        np.exp(
            minimize_scalar(
                lambda exponent: _loss(differences, np.exp(exponent)),
                bounds=limits,
                method="bounded",
                options={"xatol": 1e-4},
            ).x
        )
    )


def _loss(differences: np.ndarray, temperature: float) -> float:
    scaled = differences / np.float32(temperature)
    highest = scaled.max(axis=1)
    return float((highest + np.log(np.exp(scaled - highest[:, None]).sum(axis=1))).mean(dtype=np.float64))


def reliability(outputs: np.ndarray, truth: np.ndarray, temperature: float = 1.0, bins: int = BINS) -> dict[str, Any]:
    """How often pixels are right that are said with a confidence.

    Args:
        outputs, truth: as for `fit_temperature`.
        temperature: that the outputs are divided by first.
        bins: intervals of equal width between 0 and 1.

    Returns:
        dict: `ece` (expected calibration error: mean distance of confidence and accuracy, weighted by pixels), and
        lists with one entry a bin: `pixels`, `confidence` (mean) and `accuracy`, None where there are no pixels.
    """
    scaled = outputs / np.float32(temperature)
    scaled = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    confidence = scaled.max(axis=1) / scaled.sum(axis=1)
    binned = reliability_of(confidence, outputs.argmax(axis=1) == truth, bins)
    return {"ece": binned["ece"], "pixels": binned["count"], **{key: binned[key] for key in ("confidence", "accuracy")}}


def reliability_of(confidence: np.ndarray, is_right: np.ndarray, bins: int = BINS) -> dict[str, Any]:
    """The same of anything that is said with a confidence, shape (n,), and is right or not; `count` for `pixels`."""
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    count = np.bincount(place, minlength=bins)
    sums = [np.bincount(place, values, bins) for values in (confidence, is_right)]
    means = [[round(float(total / n), 4) if n else None for total, n in zip(values, count)] for values in sums]
    ece = float(np.abs(sums[0] - sums[1]).sum() / max(len(confidence), 1))
    return {"ece": round(ece, 4), "count": count.tolist(), "confidence": means[0], "accuracy": means[1]}
