# SPDX-License-Identifier: GPL-3.0-or-later
"""What a recording says of itself beside what was found."""

from collections.abc import Iterable, Mapping
from typing import Any

Span = tuple[int, int]


def matched(annotations: Iterable[Mapping[str, Any]], carriers: Iterable[Any]) -> list[tuple[Any, Any]]:
    """Pairs of annotation and carrier: each annotation with the carrier that covers most of it, or None; then None with
    every carrier that is left. Annotations without both frequency edges are left out."""
    left = list(carriers)
    pairs: list[tuple[Any, Any]] = []
    for annotation in annotations:
        band = annotation.get("core:freq_lower_edge"), annotation.get("core:freq_upper_edge")
        if None in band:
            continue
        best = max(left, key=lambda carrier: _shared(carrier, band), default=None)
        if best is not None and _shared(best, band) > 0:
            left.remove(best)
        else:
            best = None
        pairs.append((annotation, best))
    return pairs + [(None, carrier) for carrier in left]


def _shared(carrier, band):
    """Fraction of the union of both bands that both cover; negative where they are apart."""
    both = min(carrier.freq_upper, band[1]) - max(carrier.freq_lower, band[0])
    return both / (max(carrier.freq_upper, band[1]) - min(carrier.freq_lower, band[0]))


def shared_band(annotation: Mapping[str, Any], carrier: Any) -> float:
    """Part of the band of an annotation and a carrier together that both cover, 0..1 (intersection over union)."""
    return max(0.0, _shared(carrier, (annotation["core:freq_lower_edge"], annotation["core:freq_upper_edge"])))


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
