# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a radio is tuned to for a search for cells: steps that overlap, so that no synchronisation signal is cut."""

import math
from dataclasses import dataclass
from functools import cached_property

from ..cells.lte.search import HALF_WIDTH, LOWEST_RATE
from ..errors import ParameterError, require
from ..standards import bands
from ..standards.nr import SSB_CASES, SSB_SUBCARRIERS

USABLE = 0.9
"""Fraction of the radio's span in which signals are decoded: synchronisation signals bear a filter's slope."""
SHORTEST_HOP = 0.15
"""Fraction of the span: signals that would need shorter steps are left to where they happen to be whole."""
WIDTHS = (*sorted((SSB_SUBCARRIERS * spacing for spacing in SSB_CASES), reverse=True), 2 * HALF_WIDTH)
"""Hz, of what has to be whole: SS/PBCH blocks, and LTE's synchronisation signals."""
MOST_STEPS = 20_000


@dataclass(frozen=True)
class CellPlan:
    """The steps.

    Attributes:
        lower, upper: Hz, where middles of carriers and SS/PBCH blocks may be; equal for one step at that frequency.
        sample_rate: of the radio, Hz.
        everywhere: True: also steps in which no LTE or NR band has its downlink.

    Raises:
        ParameterError: values that cannot work, or a range without a band.

    Example:
        >>> plan = CellPlan(1.79e9, 1.82e9, 2.4e6)
        >>> plan.steps, plan.center(0), plan.hop
        (13, 1805000000.0, 1200000.0)
    """

    lower: float
    upper: float
    sample_rate: float
    everywhere: bool = False

    def __post_init__(self) -> None:
        name = "the search"
        require(
            name,
            "sample_rate",
            self.sample_rate,
            self.sample_rate >= LOWEST_RATE,
            f"{LOWEST_RATE / 1e6:g} Msps or more",
        )
        is_range = math.isfinite(self.upper) and 0 <= self.lower <= self.upper
        require(name, "upper", self.upper, is_range, f"a frequency in Hz, not below the lower end, {self.lower:g}")
        n = self._all_steps
        require(
            name, "upper", self.upper, n <= MOST_STEPS, f"less: {n} steps would be needed, {MOST_STEPS} are allowed"
        )
        if not self.centers:
            raise ParameterError(
                f"no LTE or NR band has its downlink from {self.lower / 1e6:.6g} to {self.upper / 1e6:.6g} MHz; choose "
                "another range, or search all the same with --everywhere"
            )

    @property
    def hop(self) -> float:
        """From one step to the next, Hz."""
        hops = [USABLE * self.sample_rate - width for width in WIDTHS]
        return next((hop for hop in hops if hop >= SHORTEST_HOP * self.sample_rate), hops[-1])

    @property
    def column(self) -> float:
        """Hz: a radio that is tuned as close as half of this is there."""
        return self.sample_rate / 256

    @property
    def _all_steps(self) -> int:
        return max(1, math.ceil((self.upper - self.lower) / self.hop - 1e-9))

    @cached_property
    def centers(self) -> tuple[float, ...]:
        """Frequencies that the radio is tuned to, Hz."""
        if self.lower == self.upper:
            return (self.lower,)
        n = self._all_steps
        middles = [(self.lower + self.upper) / 2 + (step - (n - 1) / 2) * self.hop for step in range(n)]
        half = self.hop / 2
        return tuple(
            middle for middle in middles if self.everywhere or bands.bands_in(max(0.0, middle - half), middle + half)
        )

    @property
    def steps(self) -> int:
        """Number of steps."""
        return len(self.centers)

    def center(self, step: int) -> float:
        """Frequency of a step, Hz."""
        return self.centers[step]
