# SPDX-License-Identifier: GPL-3.0-or-later
"""What a recording says of itself beside what was found."""

from collections.abc import Iterable, Mapping
from typing import Any

Span = tuple[int, int]
Band = tuple[float, float]
"""Lower and upper edge, Hz."""


def matched(annotations: Iterable[Mapping[str, Any]], carriers: Iterable[Any]) -> list[tuple[Any, Any]]:
    """Pairs of annotation and carrier: each annotation with the carrier that covers most of it, or None; then None with
    every carrier that is left. Annotations without both frequency edges are left out."""
    left = list(carriers)
    pairs: list[tuple[Any, Any]] = []
    for annotation in annotations:
        if None in (annotation.get("core:freq_lower_edge"), annotation.get("core:freq_upper_edge")):
            continue
        best = max(left, key=lambda carrier: shared_band(annotation, carrier), default=None)
        if best is not None and shared_band(annotation, best) > 0:
            left.remove(best)
        else:
            best = None
        pairs.append((annotation, best))
    return pairs + [(None, carrier) for carrier in left]


def band_iou(one: Band, other: Band) -> float:
    """Part of two bands together that both cover, 0..1 (intersection over union); 0 where they are apart.

    >>> band_iou((0.0, 2.0), (1.0, 4.0)), band_iou((0.0, 1.0), (2.0, 3.0))
    (0.25, 0.0)
    """
    both = min(one[1], other[1]) - max(one[0], other[0])
    whole = max(one[1], other[1]) - min(one[0], other[0])
    return max(0.0, both) / whole if whole > 0 else 0.0


def shared_band(annotation: Mapping[str, Any], carrier: Any) -> float:
    """`band_iou` of an annotation and a carrier."""
    edges = annotation["core:freq_lower_edge"], annotation["core:freq_upper_edge"]
    return band_iou(edges, (carrier.freq_lower, carrier.freq_upper))


def shared_time(first: Iterable[Span], second: Iterable[Span]) -> float:
    """Part of the time of two things together at which both are on, 0..1 (intersection over union).

    Args:
        first, second: (start, end) in samples of each time that it is on; they may overlap.

    >>> shared_time([(0, 100), (50, 150)], [(100, 200)])
    0.25
    """
    first, second = list(first), list(second)
    whole = _length([*first, *second])
    return (_length(first) + _length(second) - whole) / whole if whole else 0.0


def _length(spans: Iterable[Span]) -> int:
    """Samples that some spans cover."""
    total, covered = 0, 0
    for start, end in sorted(spans):
        start = max(start, covered)
        total += max(0, end - start)
        covered = max(covered, end)
    return total
