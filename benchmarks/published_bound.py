#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""How high an oracle scores on the published data: it knows the truth, but sees only what the image shows.

    .venv/bin/python benchmarks/published_bound.py runs/published/sets-published/test-2 [...]

Of sets with images of feature set `published` and masks of policy `published`: mean IoU in % by SNR over the span, of

* the truth at 128 x 128 and 64 x 64: the class of most of the pixels of a square, for all of it;
* the truth without the carriers that the image does not show: those whose pixels, taken together, differ from the
  frame's noise by no more than noise does (mean of all pixels, spread of the rows' means);
* the truth with each carrier called what carriers of its width mostly are in these sets: places without waveforms.

No network can be held to more than the first two; one that is below the third has not learned what tells LTE from NR.
Prints a table in Markdown.
"""

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from rpmsn.tables import markdown_table
from rpmsn.training.batches import class_table
from rpmsn.training.dataset import ImageSet
from rpmsn.training.evaluation import scores
from rpmsn.training.experiment import bin_of, pooled, snr_of

CLASSES = ("noise", "LTE", "NR")
LEVEL = 1
"""Channel that rises with the level: green, of the colours of `parula`."""
DEVIATIONS = 15.0
"""Standard errors of independent pixels, which neighbours are not. Measured on 120 scenes of `published`: 20 columns of
noise differ from the rest by 15 at most, 1.8 in the median; carriers between -10 and 0 dB by 41 at least."""


def coarse(mask: np.ndarray, side: int) -> np.ndarray:
    """A mask in which each square of `side` x `side` pixels has the class that is most frequent in it."""
    rows, columns = (length // side for length in mask.shape)
    squares = mask.reshape(rows, side, columns, side)
    counts = np.stack([(squares == label).sum(axis=(1, 3)) for label in range(len(CLASSES))])
    return counts.argmax(axis=0).repeat(side, 0).repeat(side, 1)


def deviations(level: np.ndarray, region: np.ndarray, noise: np.ndarray) -> float:
    """By how many standard errors the pixels of a region differ from noise.

    Args:
        level: shape (rows, columns).
        region, noise: bool, of the same shape.
    """
    middle, spread = level[noise].mean(), level[noise].std()
    width = region.sum(axis=1)
    sums = np.where(region, level - middle, 0).sum(axis=1)
    rows = sums[width > 0] / (spread * np.sqrt(width[width > 0]))
    of_mean = abs(sums.sum()) / (spread * np.sqrt(width.sum()))
    of_rows = (np.square(rows).sum() - len(rows)) / np.sqrt(2 * len(rows))
    return float(max(of_mean, of_rows))


def visible(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The mask without the classes that the image does not show."""
    level, seen, noise = image[LEVEL].astype(float), mask.copy(), mask == 0
    for _, _, region in carriers(mask):
        if noise.any() and deviations(level, region, noise) <= DEVIATIONS:
            seen[region] = 0
    return seen


def carriers(mask: np.ndarray) -> Iterator[tuple[int, int, np.ndarray]]:
    """(class, width in columns, pixels) of the carriers of a mask: these data have at most one of each class."""
    for label in range(1, len(CLASSES)):
        region = mask == label
        if region.any():
            yield label, int(region.any(axis=0).sum()), region


def by_width(mask: np.ndarray, usual: dict[int, Counter[int]]) -> np.ndarray:
    """The mask with each carrier called what those of its width mostly are."""
    called = mask.copy()
    for _, width, region in carriers(mask):
        called[region] = usual[width].most_common(1)[0][0]
    return called


def main() -> int:
    """The command; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", type=Path, nargs="+", metavar="SET", help="folder of a set")
    options = parser.parse_args()
    table = class_table(CLASSES)
    found: dict[str, dict[str, np.ndarray]] = {}
    usual: dict[int, Counter[int]] = defaultdict(Counter)
    for folder in options.sets:
        for _, stored in ImageSet(folder, "published"):
            for label, width, _ in carriers(table[stored]):
                usual[width][label] += 1
    for folder in options.sets:
        for (image, stored), snr_db in zip(ImageSet(folder, "published"), snr_of(folder)):
            mask = table[stored]
            ratio = bin_of(snr_db)
            for name, said in (
                ("128 x 128", coarse(mask, 2)),
                ("64 x 64", coarse(mask, 4)),
                ("carriers that the image shows", visible(image, mask)),
                ("classes by width", by_width(mask, usual)),
            ):
                matrix = scores.confusion_matrix(mask, said, len(CLASSES))
                by_ratio = found.setdefault(name, {})
                by_ratio[ratio] = by_ratio.get(ratio, 0) + matrix
    means = {
        name: {label: 100 * scores.mean(scores.intersection_over_union(matrix)) for label, matrix in pooled(by).items()}
        for name, by in found.items()
    }
    labels = list(next(iter(means.values())))
    rows = [(name, *(f"{by[label]:.1f}" for label in labels)) for name, by in means.items()]
    print("\n".join(markdown_table(("oracle", *labels), rows, right=False)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
