# SPDX-License-Identifier: GPL-3.0-or-later
"""Accuracy of masks: a confusion matrix of pixels, and the scores that follow from it.

Matrices of single images are added up and all scores computed from the sum, so memory does not grow with a set.
torchmetrics gives the same numbers (tests/training/test_evaluation.py); three lines of numpy keep it and torch out of
the evaluation of exported models.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...classes import IGNORED


def confusion_matrix(truth: np.ndarray, found: np.ndarray, classes: int) -> np.ndarray:
    """Pixels by true class (rows) and found class (columns); pixels with true class 255 are left out.

    Args:
        truth, found: integer arrays of the same shape.
        classes: number of classes.

    Returns:
        int64, shape (classes, classes).
    """
    judged = truth != IGNORED
    pairs = truth[judged].astype(np.int64) * classes + found[judged]
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


def intersection_over_union(matrix: np.ndarray) -> np.ndarray:
    """IoU of each class; NaN for one that neither is there nor was found."""
    hits, found, there = _counts(matrix)
    return _ratio(hits, found + there - hits)


def summary(matrix: np.ndarray, classes: Sequence[str]) -> dict[str, Any]:
    """Scores for a card: pixel accuracy, mean IoU and IoU by class name, rounded to four places."""
    return {
        "pixel_accuracy": rounded(pixel_accuracy(matrix)),
        "mean_iou": rounded(mean(intersection_over_union(matrix))),
        "iou": dict(zip(classes, map(rounded, intersection_over_union(matrix)))),
    }


def report(matrix: np.ndarray, classes: Sequence[str]) -> dict[str, Any]:
    """All scores of a confusion matrix, by name; None where a class neither is there nor was found.

    With the pixels of a class counted as TP (hits), FN (missed), FP (said wrongly) and TN (all others):

    * `recall` TP / (TP + FN), `precision` TP / (TP + FP), `iou` TP / (TP + FP + FN), `f1` 2 TP / (2 TP + FP + FN);
    * `accuracy` (TP + TN) / all, one class against the rest;
    * `mean_...`: the plain mean over the classes, none weighted by how often it is;
    * `pixel_accuracy`: pixels with the right class / all pixels.

    Args:
        matrix: int64, shape (classes, classes), from `confusion_matrix`.
        classes: their names.

    Returns:
        dict: `pixels`, `pixel_accuracy`, `mean_...` of all five, and `classes`: for each name its five and `pixels`.
    """
    hits, found, there = _counts(matrix)
    total = matrix.sum()
    is_met = found + there > 0
    values = {
        "iou": intersection_over_union(matrix),
        "f1": _ratio(2 * hits, found + there),
        "precision": _ratio(hits, found),
        "recall": _ratio(hits, there),
        "accuracy": np.where(is_met, _ratio(total - found - there + 2 * hits, np.full(len(matrix), total)), np.nan),
    }
    return {
        "pixels": int(total),
        "pixel_accuracy": rounded(pixel_accuracy(matrix)),
        **{f"mean_{name}": rounded(mean(scores)) for name, scores in values.items()},
        "classes": {
            label: {**{name: rounded(scores[index]) for name, scores in values.items()}, "pixels": int(there[index])}
            for index, label in enumerate(classes)
        },
    }


def pixel_accuracy(matrix: np.ndarray) -> float:
    """Fraction of the pixels that have the right class."""
    return float(np.diag(matrix).sum() / max(matrix.sum(), 1))


def mean(values: Sequence[float] | np.ndarray) -> float:
    """Mean of those that are not NaN; NaN if there are none."""
    there = np.asarray(values, float)
    there = there[~np.isnan(there)]
    return float(there.mean()) if there.size else np.nan


def rounded(value: float, digits: int = 4) -> float | None:
    """A number for a file: None for NaN."""
    return None if np.isnan(value) else round(float(value), digits)


def _counts(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(hits, found, there) of every class, float."""
    return np.diag(matrix).astype(float), matrix.sum(axis=0).astype(float), matrix.sum(axis=1).astype(float)


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)
