# SPDX-License-Identifier: GPL-3.0-or-later
"""What the columns of the carrier table say, as text and as what they are sorted by (no Qt)."""

import dataclasses
import math
from datetime import datetime, timezone

from .carrier_list import CarrierList, ListedCarrier

OCCUPANCY = "occupancy"


@dataclasses.dataclass(frozen=True)
class Column:
    """A column.

    Attributes:
        name: of the column in settings.
        title: in the header, with the unit.
        hint: what it means.
        sample: a text as wide as they get.
        is_number: whether it is written to the right.
    """

    name: str
    title: str
    hint: str
    sample: str
    is_number: bool = True


COLUMNS = (
    Column("id", "id", "Number of the carrier", "00000"),
    Column("label", "class", "LTE, NR or other", "■ other", is_number=False),
    Column("center", "centre, MHz", "Middle between the edges", "88888.888"),
    Column("bandwidth", "width, MHz", "Distance of the edges", "888.888"),
    Column("snr", "SNR, dB", "Mean power over the noise floor", "-88.8"),
    Column("confidence", "confidence", "Mean probability of the class", "100 %"),
    Column("since", "since, UTC", "Time of its first sample", "88:88:88.88"),
    Column(
        "share",
        "on air",
        "Fraction of the time with a segment in it, of what was analysed since its first sample",
        "100.0 %",
    ),
    Column(OCCUPANCY, "on air over time", "When it was on the air, from the beginning to now", "", is_number=False),
)
NAMES = tuple(column.name for column in COLUMNS)


def title(column: Column, carriers: CarrierList) -> str:
    """What stands in the header."""
    if column.name == "center" and not carriers.is_absolute:
        return "offset, MHz"
    if column.name == OCCUPANCY and carriers.timeline is not None:
        seconds = (carriers.timeline.end - carriers.timeline.origin) / carriers.sample_rate
        return f"on air, last {format_span(seconds)}"
    return column.title


def hint(column: Column, carriers: CarrierList) -> str:
    """What the header says of a column when asked."""
    if column.name == "center" and not carriers.is_absolute:
        return "Middle between the edges, from the centre of the span: the centre frequency is not known"
    if column.name == OCCUPANCY and carriers.timeline is not None:
        seconds = carriers.timeline.bin_samples / carriers.sample_rate
        return f"{column.hint}; each bar is {format_span(seconds)}, and as high as the fraction of it on the air"
    return column.hint


def text(carrier: ListedCarrier, name: str, carriers: CarrierList) -> str:
    """What a cell says."""
    if name == "id":
        return str(carrier.carrier_id)
    if name == "label":
        return carrier.label
    if name == "center":
        return f"{carrier.center_frequency / 1e6:.3f}"
    if name == "bandwidth":
        return f"{carrier.bandwidth / 1e6:.{2 if carrier.bandwidth >= 1e6 else 3}f}"
    if name == "snr":
        return "" if math.isnan(carrier.snr_db) else f"{carrier.snr_db:.1f}"
    if name == "confidence":
        return f"{100 * carrier.confidence:.0f} %"
    if name == "since":
        return format_since(carrier, carriers.newest_since)
    if name == "share":
        return f"{100 * carrier.share_on_air(carriers.timeline):.1f} %"
    return ""


def sort_value(carrier: ListedCarrier, name: str, carriers: CarrierList):
    """What a column is sorted by."""
    values = {
        "id": lambda: carrier.carrier_id,
        "label": lambda: carrier.label,
        "center": lambda: carrier.center_frequency,
        "bandwidth": lambda: carrier.bandwidth,
        "confidence": lambda: carrier.confidence,
        "snr": lambda: -math.inf if math.isnan(carrier.snr_db) else carrier.snr_db,
        "since": lambda: carrier.since or (0, carrier.sample_start / carrier.sample_rate),
    }
    return values.get(name, lambda: carrier.share_on_air(carriers.timeline))()


def format_since(carrier: ListedCarrier, newest=None) -> str:
    """Time of the first sample: UTC, with the date where it is not that of the newest carrier; without a clock the
    place in the stream."""
    moment = _utc(carrier.since)
    if moment is None:
        return f"+{carrier.sample_start / carrier.sample_rate:.3f} s"
    clock = f"{moment:%H:%M:%S}.{moment.microsecond // 100_000}"
    other = _utc(newest)
    return clock if other is None or other.date() == moment.date() else f"{moment:%m-%d} {clock}"


def format_span(seconds: float) -> str:
    """A length of time in the unit that suits it."""
    if seconds < 1.0:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 120.0:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.3g} min" if seconds < 7200.0 else f"{seconds / 3600:.3g} h"


def describe(carrier: ListedCarrier) -> str:
    """Everything about a carrier, in a few lines."""
    moment = _utc(carrier.since)
    since = (
        f"{moment:%Y-%m-%d %H:%M:%S.%f} UTC, clock of the {carrier.time_source}"
        if moment
        else f"{carrier.sample_start / carrier.sample_rate:.6f} s from the beginning"
    )
    return (
        f"{carrier.label}, carrier {carrier.carrier_id}{', gone' if carrier.gone else ''}\n"
        f"{carrier.freq_lower / 1e6:.4f} to {carrier.freq_upper / 1e6:.4f} MHz\n"
        f"since {since}\nseen for {carrier.duration:.3f} s, {carrier.pwr_db:.1f} dB over full scale"
    )


def table_text(rows, carriers: CarrierList) -> str:
    """Rows as text with tabs, as spreadsheets take it; the first line has the titles."""
    columns = [column for column in COLUMNS if column.name != OCCUPANCY]
    lines = [[title(column, carriers) for column in columns]]
    lines += [[text(carrier, column.name, carriers) for column in columns] for carrier in rows]
    return "\n".join("\t".join(line) for line in lines) + "\n"


def _utc(time):
    """(whole s, fraction) as datetime; None where there is none, or no such date."""
    try:
        return datetime.fromtimestamp(time[0] + time[1], timezone.utc)
    except (TypeError, ValueError, OverflowError, OSError):
        return None
