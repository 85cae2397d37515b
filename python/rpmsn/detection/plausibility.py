# SPDX-License-Identifier: GPL-3.0-or-later
"""Which segments are `other`, though the network takes them for LTE or NR: guesses, loose pieces, faint LTE.

A transmission of unknown kind is the better answer where a class is not sure enough for how little is to be seen. What
the limits cost and bring is in docs/experiments/results.md.
"""

from dataclasses import replace

import numpy as np

from ..classes import CLASS_NAMES, LTE, NR, OTHER

MIN_CONFIDENCE = 0.45
"""LTE or NR is said only with this mean probability."""
SLICE_HZ = 5e6
"""A span below this shows a slice of most carriers, and slices of LTE and NR are much alike..."""
SLICE_CONFIDENCE = 0.65
"""...so that it takes more to say which."""
NARROWEST_LTE_HZ = 0.9e6
"""LTE always sends reference signals over its whole band, of 1.08 MHz at least (TS 36.101 5.6): what is narrower than
this is something else, or so little of a carrier at the end of the span that its class is a guess."""

BURST_SECONDS, BURST_CONFIDENCE = 5e-3, 0.65
"""What is on the air for less than this takes more, too: bursts of other systems are much like those of NR..."""
SCRAP_HZ, SCRAP_CONFIDENCE = 2e6, 0.75
"""...and NR narrower than this takes still more: that is half of its SS/PBCH block (3.6 MHz, TS 38.211 7.4.3.1)..."""
MIN_SHARED = 0.5
"""...but where something of higher confidence of its class shares this much of its band, it is taken for a piece of
the same."""

FAINT_HZ, FAINT_SNR_DB, FAINT_BELOW_DB = 3.2e6, 3.0, 10.0
"""LTE narrower and weaker than this, and so much weaker than other LTE in the same frame, is mostly no LTE: a receiver
makes such products of strong carriers, and of 39 on scenes for evaluation 10 were right."""


def with_other(segments):
    """The segments of a frame as they are reported.

    Args:
        segments: list of Segment, each with the class that most of it has by the network.

    Returns:
        list of Segment, in the same order: those that there is reason to doubt are `other`.
    """
    segments = [_as_other(segment) if _is_guess(segment) else segment for segment in segments]
    segments = _without_loose_pieces(segments)
    highest_db = max((segment.snr_db for segment in segments if segment.class_id == LTE), default=0.0)
    return [_as_other(segment) if _is_faint(segment, highest_db) else segment for segment in segments]


def _as_other(segment):
    return replace(segment, class_id=OTHER, label=CLASS_NAMES[OTHER])


def _is_guess(segment):
    """Whether a segment's class is not sure enough, or no LTE carrier is so narrow."""
    least = SLICE_CONFIDENCE if segment.sample_rate < SLICE_HZ else MIN_CONFIDENCE
    return segment.confidence < least or segment.class_id == LTE and segment.bandwidth < NARROWEST_LTE_HZ


def _without_loose_pieces(segments):
    """The segments; bursts and scraps of LTE and NR that nothing of higher confidence backs as `other`."""
    bands = {
        class_id: np.array(
            [
                (segment.freq_lower, segment.freq_upper)
                for segment in segments
                if segment.class_id == class_id and not _is_piece(segment)
            ]
        ).reshape(-1, 2)
        for class_id in (LTE, NR)
    }
    return [
        _as_other(segment) if _is_piece(segment) and not _is_backed(segment, bands[segment.class_id]) else segment
        for segment in segments
    ]


def _is_piece(segment):
    """Whether LTE or NR is so short or narrow that its class is not sure enough by itself."""
    if segment.class_id == NR and segment.bandwidth < SCRAP_HZ:
        return segment.confidence < SCRAP_CONFIDENCE
    is_burst = segment.class_id in (LTE, NR) and segment.duration < BURST_SECONDS
    return is_burst and segment.confidence < BURST_CONFIDENCE


def _is_backed(segment, bands):
    """Whether one of some bands, shape (n, 2), holds enough of the segment's."""
    shared = np.minimum(bands[:, 1], segment.freq_upper) - np.maximum(bands[:, 0], segment.freq_lower)
    return bool((shared >= MIN_SHARED * segment.bandwidth).any())


def _is_faint(segment, highest_db):
    """Whether LTE is so faint and narrow beside LTE with an SNR of `highest_db` that it is mostly none."""
    is_far_below = segment.snr_db < min(FAINT_SNR_DB, highest_db - FAINT_BELOW_DB)
    return segment.class_id == LTE and segment.bandwidth < FAINT_HZ and is_far_below
