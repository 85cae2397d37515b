# SPDX-License-Identifier: GPL-3.0-or-later
"""What picture and table write of a carrier, so that both say the same of it (no Qt).

>>> from types import SimpleNamespace
>>> carrier = SimpleNamespace(label="LTE", verdict="proven", confidence=1.0, cell_id=253, bandwidth=1.92e6,
...                           cut_lower=True, cut_upper=True)
>>> label_texts(carrier)
['✓ LTE 253 · ≥ 1.9 MHz', '✓ LTE 253', '✓ LTE']
"""

import math
from typing import Protocol

from ..tracking.verdict import PROVEN, UNSURE

PROVEN_MARK, UNSURE_MARK, CUT_MARK = "✓", "?", "≥"


class Described(Protocol):
    """What is written of a carrier: the fields of messages, as `Report` and `CarrierRow` have them."""

    @property
    def label(self) -> str: ...
    @property
    def verdict(self) -> str: ...
    @property
    def confidence(self) -> float: ...
    @property
    def bandwidth(self) -> float: ...
    @property
    def cut_lower(self) -> bool: ...
    @property
    def cut_upper(self) -> bool: ...
    @property
    def cell_id(self) -> int | None: ...
    @property
    def band(self) -> str | None: ...
    @property
    def earfcn(self) -> int | None: ...
    @property
    def nr_arfcn(self) -> int | None: ...


def class_text(carrier: Described) -> str:
    """The class, and how sure it is: `✓ LTE`, `LTE`, `LTE?`."""
    if carrier.verdict == PROVEN:
        return f"{PROVEN_MARK} {carrier.label}"
    return f"{carrier.label}{UNSURE_MARK}" if carrier.verdict == UNSURE else carrier.label


def confidence_text(carrier: Described) -> str:
    """Probability that the label is right."""
    return f"{100 * carrier.confidence:.0f} %"


def name_text(carrier: Described) -> str:
    """The class with the cell that proves it, or with its probability: `✓ LTE 253`, `LTE 79 %`, `LTE? 53 %`."""
    has_cell = carrier.verdict == PROVEN and carrier.cell_id is not None
    return f"{class_text(carrier)} {carrier.cell_id if has_cell else confidence_text(carrier)}"


def width_text(carrier: Described) -> str:
    """Distance of the edges in MHz, to 0.1 MHz or, of what is narrower than 1 MHz, to 1 kHz.

    Where an edge is cut by the span this is the least that it can be, and so never rounded up.
    """
    megahertz = carrier.bandwidth / 1e6
    if math.isnan(megahertz):
        return ""
    digits = 1 if megahertz >= 1 else 3
    if carrier.cut_lower or carrier.cut_upper:
        least = math.floor(megahertz * 10**digits + 1e-6) / 10**digits
        return f"{CUT_MARK} {least:.{digits}f}"
    return f"{megahertz:.{digits}f}"


def band_texts(carrier: Described) -> list[str]:
    """Bands that fit a carrier, such as `B3`, or `n77` and `n78`; empty where none is known."""
    names = carrier.band.split(", ") if carrier.band else []
    return [f"B{name}" if name.isdigit() else name for name in names]


def band_text(carrier: Described) -> str:
    """The same as one text."""
    return ", ".join(band_texts(carrier))


def channel_text(carrier: Described) -> str:
    """EARFCN of LTE, NR-ARFCN of the SS/PBCH block of NR; empty where it is not known."""
    number = carrier.nr_arfcn if carrier.earfcn is None else carrier.earfcn
    return "" if number is None else str(number)


def label_texts(carrier: Described) -> list[str]:
    """What may be written at a carrier in the picture, the best first; where there is little room a shorter one."""
    name, width = name_text(carrier), width_text(carrier)
    return [f"{name} · {width} MHz" if width else name, name, class_text(carrier)]
