# SPDX-License-Identifier: GPL-3.0-or-later
"""The centre frequencies that cover a range: one step after the other, their columns side by side."""

import math
from dataclasses import dataclass
from functools import cached_property

from ..detection.segments import FrameGeometry
from ..errors import require
from ..signal.image import COLUMNS, frame_length

USABLE = 0.8
"""Fraction of the radio's span that a step counts for: at its ends the receiver's filter falls off."""
MAX_STEPS = 20_000


@dataclass(frozen=True)
class Plan:
    """The steps of a sweep.

    Attributes:
        lower, upper: ends of the range, Hz.
        sample_rate: of the radio, Hz.
        usable: fraction of the span that each step counts for, 0.1 to 1.

    Raises:
        ParameterError: values that cannot work.

    Example:
        >>> plan = Plan(1.8e9, 1.9e9, 2.4e6)
        >>> plan.steps, plan.center(0)
        (53, 1800956250.0)
    """

    lower: float
    upper: float
    sample_rate: float
    usable: float = USABLE

    def __post_init__(self) -> None:
        frame_length(self.sample_rate)
        name = "the scan"
        require(
            name, "lower", self.lower, math.isfinite(self.lower) and self.lower >= 0, "a frequency in Hz, 0 or more"
        )
        require(
            name,
            "upper",
            self.upper,
            math.isfinite(self.upper) and self.upper > self.lower,
            f"a frequency in Hz above the lower end of {self.lower:g}",
        )
        require(name, "usable", self.usable, 0.1 <= self.usable <= 1, "0.1 to 1, the fraction of the span to use")
        require(
            name,
            "upper",
            self.upper,
            self.steps <= MAX_STEPS,
            f"less, or a higher sample rate: {self.steps} steps would be needed, and {MAX_STEPS} are allowed",
        )

    @cached_property
    def column(self) -> float:
        """Width of a column, Hz."""
        return self.sample_rate / COLUMNS

    @cached_property
    def step_columns(self) -> int:
        """Columns that a step counts for; even."""
        return 2 * int(self.usable * COLUMNS / 2)

    @cached_property
    def steps(self) -> int:
        """Number of steps in a sweep."""
        return math.ceil((self.upper - self.lower) / (self.step_columns * self.column) - 1e-9)

    @property
    def columns(self) -> int:
        """Columns of all steps together."""
        return self.steps * self.step_columns

    def center(self, step: int) -> float:
        """Frequency that the radio is tuned to in a step, Hz."""
        return self.lower + (step + 0.5) * self.step_columns * self.column

    @property
    def used(self) -> slice:
        """Slice of a frame's columns that a step counts for."""
        first = (COLUMNS - self.step_columns) // 2
        return slice(first, first + self.step_columns)

    def place(self, step: int) -> slice:
        """Slice of the whole picture's columns that belong to a step."""
        return slice(step * self.step_columns, (step + 1) * self.step_columns)

    def geometry(self, start_offset: int, samples: int, rows: int) -> FrameGeometry:
        """FrameGeometry of the whole picture.

        Args:
            start_offset: number of a sweep's first sample.
            samples: from there to its last.
            rows: of the picture.
        """
        span = self.columns * self.column
        return FrameGeometry(
            self.sample_rate, self.lower + span / 2, start_offset, samples, rows, self.columns, span=span
        )
