# SPDX-License-Identifier: GPL-3.0-or-later
"""3GPP bands along the frequency axis: which ones a range has, and which of them there is room for (no Qt).

>>> [span.text for span in spans_between(1.86e9, 1.862e9)][:2]
['B3 n3 ↓', 'B35 TDD']
"""

from collections.abc import Collection, Iterable

from ...standards.band_spans import SPANS, UP, BandSpan


def spans_between(lower: float, upper: float, proven: Collection[str] = ()) -> list[BandSpan]:
    """Bands that have a part of a range.

    Args:
        lower, upper: Hz.
        proven: names of bands that a decoded cell is in.

    Returns:
        What matters most first: bands with a decoded cell; what base stations send in before what they receive in;
        those that have much of the range, and of these wide ones.
    """

    def rank(span: BandSpan) -> tuple[bool, bool, float, float, float]:
        shared = min(span.upper, upper) - max(span.lower, lower)
        return not is_proven(span, proven), span.direction == UP, -shared, span.lower - span.upper, span.lower

    return sorted((span for span in SPANS if span.lower < upper and span.upper > lower), key=rank)


def is_proven(span: BandSpan, proven: Collection[str]) -> bool:
    """Whether a decoded cell is in one of its bands: there base stations send."""
    return span.direction != UP and any(name in proven for name in span.names)


def in_lanes(spans: Iterable[BandSpan], count: int) -> tuple[list[list[BandSpan]], list[BandSpan]]:
    """Distribute bands over lanes in which they do not overlap.

    Args:
        spans: what matters most first.
        count: how many lanes there are.

    Returns:
        The lanes, each with its bands; the bands for which there is no room.
    """
    lanes: list[list[BandSpan]] = [[] for _ in range(count)]
    left_out = []
    for span in spans:
        for lane in lanes:
            if all(span.lower >= other.upper or span.upper <= other.lower for other in lane):
                lane.append(span)
                break
        else:
            left_out.append(span)
    return lanes, left_out
