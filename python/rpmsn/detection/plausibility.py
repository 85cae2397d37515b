# SPDX-License-Identifier: GPL-3.0-or-later
"""Which segments that the network calls LTE or NR are reported as `other`: uncertain, isolated and faint ones.

`other` is the better answer where little of a transmission is visible and the confidence of its class is low. What the
limits cost and gain is in docs/experiments/results.md.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..classes import CLASS_NAMES, LTE, NR, OTHER

if TYPE_CHECKING:
    from .segments import Segment

MIN_CONFIDENCE = 0.45
"""LTE or NR is reported only with this mean probability."""
SLICE_HZ = 5e6
"""A span below this shows a slice of most carriers, and slices of LTE and NR look similar..."""
SLICE_CONFIDENCE = 0.65
"""...so that a higher confidence is required."""
NARROWEST_LTE_HZ = 0.9e6
"""LTE always sends reference signals over its whole band, of 1.08 MHz at least (TS 36.101 5.6): what is narrower than
this is something else, or too little of a carrier at the end of the span for its class to be known."""

BURST_SECONDS, BURST_CONFIDENCE = 5e-3, 0.65
"""What is on the air for less than this requires a higher confidence, too: other systems have similar bursts..."""
NARROW_NR_HZ, NARROW_NR_CONFIDENCE = 2e6, 0.75
"""...and NR narrower than this a still higher one: that is half of its SS/PBCH block (3.6 MHz, TS 38.211 7.4.3.1)..."""
MIN_OVERLAP = 0.5
"""...unless a segment of its class with enough confidence overlaps this fraction of its band: then it is part of
that one."""

FAINT_HZ, FAINT_SNR_DB, FAINT_BELOW_DB = 3.2e6, 3.0, 10.0
"""LTE narrower and weaker than this, and weaker by this than other LTE in the same frame, is mostly no LTE: a receiver
makes such products of strong carriers. Of 39 on scenes for evaluation, 10 were right."""


def relabel_implausible(segments: "list[Segment]") -> "list[Segment]":
    """The segments of a frame as they are reported.

    Args:
        segments: list of Segment, each with the class that most of it has by the network.

    Returns:
        list of Segment, in the same order, the implausible ones as `other`.
    """
    segments = [_as_other(segment) if _is_guess(segment) else segment for segment in segments]
    segments = _without_isolated_pieces(segments)
    highest_db = max((segment.snr_db for segment in segments if segment.class_id == LTE), default=0.0)
    return [_as_other(segment) if _is_faint(segment, highest_db) else segment for segment in segments]


def _as_other(segment):
    return replace(segment, class_id=OTHER, label=CLASS_NAMES[OTHER])


def _is_guess(segment):
    """Whether the confidence of a segment's class is too low, or no LTE carrier is so narrow."""
    least = SLICE_CONFIDENCE if segment.sample_rate < SLICE_HZ else MIN_CONFIDENCE
    return segment.confidence < least or segment.class_id == LTE and segment.bandwidth < NARROWEST_LTE_HZ


def _without_isolated_pieces(segments):
    """The segments, with short or narrow LTE and NR that no other segment of the class supports as `other`."""
    bands = {
        class_id: np.array(
            [
                (segment.freq_lower, segment.freq_upper)
                for segment in segments
                if segment.class_id == class_id and not _is_short_or_narrow(segment)
            ]
        ).reshape(-1, 2)
        for class_id in (LTE, NR)
    }
    return [
        _as_other(segment)
        if _is_short_or_narrow(segment) and not _is_supported(segment, bands[segment.class_id])
        else segment
        for segment in segments
    ]


def _is_short_or_narrow(segment):
    """Whether LTE or NR is so short or narrow that its class needs the support of another segment."""
    if segment.class_id == NR and segment.bandwidth < NARROW_NR_HZ:
        return segment.confidence < NARROW_NR_CONFIDENCE
    is_burst = segment.class_id in (LTE, NR) and segment.duration < BURST_SECONDS
    return is_burst and segment.confidence < BURST_CONFIDENCE


def _is_supported(segment, bands):
    """Whether one of these bands, shape (n, 2), overlaps enough of the segment's."""
    overlap = np.minimum(bands[:, 1], segment.freq_upper) - np.maximum(bands[:, 0], segment.freq_lower)
    return bool((overlap >= MIN_OVERLAP * segment.bandwidth).any())


def _is_faint(segment, highest_db):
    """Whether LTE is so faint and narrow beside LTE with an SNR of `highest_db` that it is mostly none."""
    is_far_below = segment.snr_db < min(FAINT_SNR_DB, highest_db - FAINT_BELOW_DB)
    return segment.class_id == LTE and segment.bandwidth < FAINT_HZ and is_far_below
