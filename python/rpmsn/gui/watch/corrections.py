# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person says of carriers: another class, or that there is none (no Qt)."""

import dataclasses
from typing import Any

from ...classes import CLASS_NAMES
from ...messages import keys
from ...messages.report import Report

OF_THE_CELL: dict[str, Any] = dict.fromkeys(
    (
        "cell_id",
        "duplex",
        "channel_bandwidth",
        "band",
        "earfcn",
        "nr_arfcn",
        "gscn",
        "ssb_frequency",
        "plmn",
        "tac",
        "nci",
    )  # fmt: skip
)
"""What was decoded belongs to the class that was corrected."""


def corrected(report: Report, label: str) -> Report:
    """What a message says with another class: certain, and without what the analysis had to say for its own."""
    return dataclasses.replace(
        report, label=label, class_id=CLASS_NAMES.index(label), confidence=1.0, verdict="", evidence="", **OF_THE_CELL
    )


class Corrections:
    """Classes that a person gave to carriers.

    Attributes:
        labels: number of the carrier -> class.
    """

    def __init__(self) -> None:
        self.labels: dict[int, str] = {}

    def apply(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Fields of a segment message, with the class that a person gave to the carrier."""
        label = self.labels.get(fields.get(keys.BURST_ID, -1))
        if label is None:
            return fields
        said = {keys.LABEL: label, keys.CLASS_ID: CLASS_NAMES.index(label), keys.CONFIDENCE: 1.0}
        return {**fields, **said, keys.VERDICT: "", keys.EVIDENCE: "", **OF_THE_CELL}
