# SPDX-License-Identifier: GPL-3.0-or-later
"""The status line of `rpmsn monitor`, one a second; docs/monitor.md explains every column."""

import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..messages import keys
from ..messages.fields import LABELS, column_of

if TYPE_CHECKING:
    from ..tracking.carrier import Carrier

COLUMNS = (
    ("time", 9),
    ("MHz", 10),
    ("Msps", 7),
    ("coverage", 8),
    ("late", 6),
    ("lost", 9),
    ("clock ms", 8),
    ("LTE", 4),
    ("NR", 4),
    ("other", 5),
    ("cut", 4),
)
MHZ = (keys.FREQ_LOWER, keys.FREQ_UPPER, keys.BANDWIDTH)
QUALITY = (keys.SNR_DB, keys.CONFIDENCE, keys.VERDICT, keys.CELL_ID)
CARRIER_COLUMNS = (
    column_of(keys.LABEL).heading,
    *(column_of(name).heading for name in MHZ),
    "on air s",
    *(column_of(name).heading for name in QUALITY),
)


def header() -> str:
    """The names of the columns."""
    return "  ".join(name.rjust(width) for name, width in COLUMNS) + "  health"


def status_line(status: Mapping[str, Any], carriers: "Iterable[Carrier]", drift_s: float, now: float) -> str:
    """What there is to say about the last second, in one line.

    Args:
        status: dict, as `StreamAnalyser.status` gives it.
        carriers: list of Carrier that are on the air.
        drift_s: seconds by which the host's clock has run ahead of the count of samples since the start.
        now: seconds since 1970.
    """
    carriers = list(carriers)
    labels = [carrier.label for carrier in carriers]
    cells = (
        time.strftime("%H:%M:%SZ", time.gmtime(now)),
        f"{status['center_frequency'] / 1e6:.3f}",
        f"{status['input_rate'] / 1e6:.3f}",
        f"{100 * status['coverage']:.1f} %",
        str(status["frames_dropped"]),
        str(status["samples_lost"]),
        f"{1e3 * drift_s:+.0f}",
        *(str(labels.count(label)) for label in LABELS),
        str(sum(is_cut(carrier) for carrier in carriers)),
    )
    words = status.get("error") or status["health"]
    return "  ".join(cell.rjust(width) for cell, (_, width) in zip(cells, COLUMNS)) + f"  {words}"


def carriers_on_air(carriers: "Iterable[Carrier]", offset: int, hold_s: float) -> "list[Carrier]":
    """Those of some carriers that were seen within the last `hold_s` seconds before a sample."""
    return [carrier for carrier in carriers if offset - carrier.sample_end <= hold_s * carrier.sample_rate]


def is_cut(carrier: "Carrier") -> bool:
    """Whether a carrier reaches beyond the span, so that its bandwidth is not known."""
    return carrier.cut_lower or carrier.cut_upper


def carrier_row(carrier: "Carrier") -> tuple[str, ...]:
    """A carrier in words, in the order of `CARRIER_COLUMNS`."""
    marks = ("< " if carrier.cut_lower else "", "> " if carrier.cut_upper else "", "> " if is_cut(carrier) else "")
    return (
        carrier.label,
        *(mark + column_of(name).text(getattr(carrier, name)) for mark, name in zip(marks, MHZ)),
        f"{carrier.time_on_air:.1f}",
        *(column_of(name).text(getattr(carrier, name)) for name in QUALITY),
    )
