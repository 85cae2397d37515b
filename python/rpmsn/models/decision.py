# SPDX-License-Identifier: GPL-3.0-or-later
"""How a model's segments are classified: a multinomial logistic regression, stored in its card."""

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from ..validation import STRICT

Weight = Annotated[float, Field(allow_inf_nan=False)]

CONSTANT = "constant"
FEATURES = (
    "lte",
    "nr",
    "noise",
    "width",
    "width_squared",
    "columns",
    "from_lte_width",
    "cut",
    "filling",
    "duration",
    "on",
    "filled",
    "snr",
    "snr_squared",
    "span",
)
"""What a segment is classified by: `detection.deciding.describe` says what each is."""


@dataclass(frozen=True)
class Decision:
    """The weights, and what they were fitted on.

    Attributes:
        lte, nr: weight of each of `FEATURES`, and of `CONSTANT`, in the logarithm of the class's odds against `other`.
        sets: what it was fitted on, an entry a set.
        segments: how many.
    """

    __pydantic_config__ = STRICT

    lte: dict[str, Weight]
    nr: dict[str, Weight]
    sets: list[dict[str, Any]]
    segments: Annotated[int, Field(ge=0)]

    @cached_property
    def _weights(self) -> np.ndarray:
        return np.array([[one[name] for name in (*FEATURES, CONSTANT)] for one in (self.lte, self.nr)])

    def probabilities(self, values: np.ndarray) -> np.ndarray:
        """Probability of LTE, NR and `other`, shape (n, 3), of described segments, shape (n, features)."""
        logits = np.zeros((len(values), 3))
        logits[:, :2] = values @ self._weights[:, :-1].T + self._weights[:, -1]
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        return odds / odds.sum(axis=1, keepdims=True)

    def faults(self) -> list[str]:
        """What is wrong with the weights, as sentences."""
        needed = {*FEATURES, CONSTANT}
        return [
            f"decision.{name} has the weights {', '.join(sorted(weights))}, but {', '.join(sorted(needed))} are "
            "needed; fit it again with `rpmsn calibrate`"
            for name, weights in (("lte", self.lte), ("nr", self.nr))
            if set(weights) != needed
        ]
