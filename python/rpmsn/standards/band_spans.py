# SPDX-License-Identifier: GPL-3.0-or-later
"""Operating bands that have the same edges as one: what a frequency axis or a table shows of them."""

from dataclasses import dataclass
from functools import cached_property

from . import bands
from .bands import NR, SUL, TDD

DOWN, UP, BOTH = "↓", "↑", "TDD"


@dataclass(frozen=True)
class BandSpan:
    """Bands that have the same edges, and the same direction there.

    Attributes:
        lower, upper: Hz.
        direction: DOWN, UP or BOTH.
        names: such as `B3` of LTE and `n3` of NR.
    """

    lower: float
    upper: float
    direction: str
    names: tuple[str, ...]

    @property
    def text(self) -> str:
        """Names and direction."""
        return f"{' '.join(self.names)} {self.direction}"

    @property
    def full_text(self) -> str:
        """The same, with the edges in MHz."""
        return f"{self.text} {self.lower / 1e6:g}–{self.upper / 1e6:g} MHz"

    @property
    def channel_numbers(self) -> str:
        """The first and the last of its channel numbers, and what these are called."""
        name = "NR-ARFCN" if self._lte is None else "EARFCN"
        return f"{name} {self.channel_number(self.lower)}–{self.channel_number(self.upper)}"

    def channel_number(self, frequency: float) -> int:
        """EARFCN, in the first of its LTE bands, or, where NR alone is, NR-ARFCN: nearest to a frequency in Hz.

        Raises:
            ParameterError: the frequency is not in it.
        """
        if self._lte is None:
            return bands.nr_arfcn(frequency)
        return bands.earfcn(frequency, self._lte, "uplink" if self.direction == UP else "downlink")

    @cached_property
    def _lte(self) -> bands.Band | None:
        return next((band for band in bands.BANDS if band.technology != NR and f"B{band.name}" in self.names), None)


def _all_spans() -> tuple[BandSpan, ...]:
    names: dict[tuple[float, float, str], list[str]] = {}
    for band in bands.BANDS:
        name = band.name if band.technology == NR else f"B{band.name}"
        ranges = ((band.downlink, BOTH if band.duplex == TDD else DOWN), (band.uplink, UP))
        for edges, direction in ranges[: 1 if band.duplex == TDD else 2]:
            if edges is not None and not (direction == DOWN and band.duplex == SUL):
                names.setdefault((*edges, direction), []).append(name)
    return tuple(BandSpan(*place, tuple(found)) for place, found in names.items())


SPANS = _all_spans()
"""All of them."""
