# SPDX-License-Identifier: GPL-3.0-or-later
"""What a segment is, and how probable that is, by the decision that was fitted for the model.

The network says what single pixels look like. Whether a segment is LTE, NR or neither depends on more: how much of each
class its pixels hold, whether LTE has such a width, how long it was on the air, how strong it is, how much of it the
span shows.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..classes import LTE, NOISE, NR, OTHER
from ..models.decision import Decision
from ..signal.image import COLUMNS
from ..standards.lte import OCCUPIED_HZ

if TYPE_CHECKING:
    from ..models.model import ModelCard
    from .segments import FrameGeometry, Segment

CLASSES = LTE, NR, OTHER
"""In the order of `Decision.probabilities`."""
LTE_WIDTHS_HZ = np.array(list(OCCUPIED_HZ.values()))
FURTHEST_COLUMNS = 4.0
"""A width that is further from those of LTE counts as this far."""
NARROWEST_HZ = 0.9e6
"""LTE always sends reference signals over its whole band, of 1.08 MHz at least (TS 36.101 5.6), and the control signals
of NR are as wide (TS 38.211 7.3.2.2): what is narrower than this is something else, or too little of a carrier for its
class to be known."""
SNRS_DB = -10.0, 40.0
SPANS_HZ = 1.92e6, 125e6
"""What is beyond counts as this."""


class Decider:
    """Classifies a frame's segments.

    Args:
        decision: of the model.
    """

    def __init__(self, decision: Decision) -> None:
        self._decision = decision

    def decide(self, segments: "Sequence[Segment]", values: Sequence[np.ndarray]) -> "list[Segment]":
        """Segments with their class and its probability, the confidence: LTE or NR where that is more probable than all
        else, otherwise `other`.

        Args:
            segments: of one frame.
            values: of each, as of `describe`.
        """
        if not segments:
            return []
        probabilities = self._decision.probabilities(np.stack(values))
        return [_as(segment, row) for segment, row in zip(segments, probabilities)]


def decider_of(card: "ModelCard") -> Decider | None:
    """What classifies a model's segments; None where only its network does."""
    return Decider(card.decision) if card.decision is not None else None


def _as(segment: "Segment", probabilities: np.ndarray) -> "Segment":
    best = int(probabilities.argmax())
    if segment.bandwidth < NARROWEST_HZ or probabilities[best] <= 0.5:
        best = CLASSES.index(OTHER)
    return replace(segment, class_id=CLASSES[best], confidence=float(probabilities[best]))


def describe(segment: "Segment", means: np.ndarray, filled: float, geometry: "FrameGeometry") -> np.ndarray:
    """What a segment is classified by.

    Args:
        segment: Segment.
        means: mean probability of each class of `CLASS_NAMES` over its pixels.
        filled: fraction of its rows and columns that are its pixels.
        geometry: of its frame.

    Returns:
        float, one value for each of `FEATURES`.
    """
    signal = means / max(1 - means[NOISE], 1e-6) + 0.01
    ends = segment.columns[0] == 0, segment.columns[1] >= geometry.columns
    columns = segment.bandwidth / geometry.column_hz
    from_lte = np.abs(segment.bandwidth - LTE_WIDTHS_HZ).min() / geometry.column_hz
    width = np.log2(segment.bandwidth / 1e6 + 0.05)
    snr = np.clip(segment.snr_db, *SNRS_DB) / 10
    return np.array(
        (
            np.log(signal[LTE] / signal[OTHER]),
            np.log(signal[NR] / signal[OTHER]),
            means[NOISE],
            width,
            width**2 / 10,
            np.log2(columns + 0.5),
            0.0 if any(ends) else min(from_lte, FURTHEST_COLUMNS),
            float(any(ends)),
            float(all(ends)),
            np.log10(segment.duration + 1e-5) + 2,
            (segment.rows[1] - segment.rows[0]) / geometry.rows,
            filled,
            snr,
            snr**2 / 4,
            np.log2(np.clip(geometry.column_hz * COLUMNS, *SPANS_HZ) / 20e6),
        )
    )
