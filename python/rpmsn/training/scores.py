# SPDX-License-Identifier: GPL-3.0-or-later
"""How right masks are: a confusion matrix of pixels, and what is read off it."""
import numpy as np

from ..classes import IGNORED


def confusion_matrix(truth, found, classes):
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


def intersection_over_union(matrix):
    """IoU of each class; NaN for one that neither is there nor was found."""
    hits = np.diag(matrix).astype(float)
    union = matrix.sum(axis=0) + matrix.sum(axis=1) - hits
    return np.divide(hits, union, out=np.full(len(matrix), np.nan), where=union > 0)


def summary(matrix, classes):
    """Scores for a card: pixel accuracy, mean IoU and IoU by class name, rounded to four places."""
    iou = intersection_over_union(matrix)
    return {
        "pixel_accuracy": round(float(np.diag(matrix).sum() / max(matrix.sum(), 1)), 4),
        "mean_iou": round(float(np.nanmean(iou)), 4),
        "iou": {name: None if np.isnan(value) else round(float(value), 4) for name, value in zip(classes, iou)},
    }
