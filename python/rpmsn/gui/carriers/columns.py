# SPDX-License-Identifier: GPL-3.0-or-later
"""What the columns of the carrier table say, as text and as what they are sorted by (no Qt)."""

import dataclasses
import math
from collections.abc import Iterable
from datetime import datetime, timezone
from typing import Any

from ...messages import keys
from ...messages.fields import FIELDS, column_of
from ..translation import mark, tr
from ..wording import band_text, band_texts, channel_text, class_text, confidence_text, name_text, width_text
from .carrier_list import CarrierList, CarrierRow

CHANNEL = "channel"
OCCUPANCY = "occupancy"
ON_AIR = "on_air"


TEXTS = {
    keys.LABEL: class_text,
    keys.BANDWIDTH: width_text,
    keys.CONFIDENCE: confidence_text,
    keys.BAND: band_text,
    CHANNEL: channel_text,
}
"""What is written as in the picture."""


@dataclasses.dataclass(frozen=True)
class Column:
    """A column.

    Attributes:
        name: of the column in settings: the key of the field, for most.
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


def _of_field(key: str) -> Column:
    """The column of a field, by the table of fields."""
    shown = column_of(key)
    return Column(key, shown.heading, FIELDS[key].meaning.replace("`", ""), shown.sample, shown.is_number)


COLUMNS = (
    *map(
        _of_field,
        (
            keys.BURST_ID,
            keys.LABEL,
            keys.CENTER_FREQUENCY,
            keys.BANDWIDTH,
            keys.SNR_DB,
            keys.CONFIDENCE,
            keys.VERDICT,
            keys.CELL_ID,
            keys.BAND,
        ),
    ),
    Column(
        CHANNEL,
        mark("channel"),
        mark("Of a decoded cell: EARFCN of LTE, in the first of its bands; NR-ARFCN of the SSB of NR"),
        "888888",
    ),
    _of_field(keys.RX_TIME),
    Column(
        ON_AIR,
        mark("on air"),
        mark(
            "Fraction of the time with a segment in it, of what was analysed since its first sample; "
            "and how often it came"
        ),
        "100.0 %, 88 ×",
    ),
    Column(
        OCCUPANCY,
        mark("on air over time"),
        mark("When it was on the air, from the beginning to now"),
        "",
        is_number=False,
    ),
)
NAMES = tuple(column.name for column in COLUMNS)


def title(column: Column, carriers: CarrierList) -> str:
    """What stands in the header."""
    if column.name == keys.CENTER_FREQUENCY and not carriers.is_absolute:
        return tr("offset {unit}", unit=column_of(column.name).unit)
    if column.name == keys.RX_TIME and not carriers.has_clock:
        return tr("since start")
    if column.name == OCCUPANCY and carriers.timeline is not None and carriers.sample_rate:
        seconds = (carriers.timeline.end - carriers.timeline.origin) / carriers.sample_rate
        return tr("on air, last {time}", time=format_span(seconds))
    return tr(column.title)


def hint(column: Column, carriers: CarrierList) -> str:
    """What the header says of a column when asked."""
    words = tr(column.hint)
    if column.name == keys.CENTER_FREQUENCY and not carriers.is_absolute:
        return tr("{meaning}, from the centre of the span: the centre frequency is not known", meaning=words)
    if column.name == OCCUPANCY and carriers.timeline is not None and carriers.sample_rate:
        seconds = carriers.timeline.bin_samples / carriers.sample_rate
        return tr(
            "{meaning}; each bar is {time}, and as high as the fraction of it on the air",
            meaning=words,
            time=format_span(seconds),
        )
    return words


def text(carrier: CarrierRow, name: str, carriers: CarrierList) -> str:
    """What a cell says."""
    if name == keys.RX_TIME:
        return format_since(carrier, carriers.newest_since)
    if name == ON_AIR:
        if carriers.timeline is None:
            return ""
        times = f", {carrier.times} ×" if carrier.times > 1 else ""
        return f"{100 * carrier.fraction_on_air(carriers.timeline):.1f} %{times}"
    if name in TEXTS:
        return TEXTS[name](carrier)
    if name == keys.VERDICT:
        return tr(carrier.verdict or "")
    return column_of(name).text(getattr(carrier, name)) if name in FIELDS else ""


def sort_value(carrier: CarrierRow, name: str, carriers: CarrierList) -> Any:
    """What a column is sorted by."""
    if name == keys.RX_TIME:
        return carrier.since or (0, carrier.sample_start / carrier.sample_rate)
    if name in (keys.LABEL, keys.VERDICT, keys.BAND):
        return getattr(carrier, name) or ""
    if name == CHANNEL:
        return carrier.earfcn or carrier.nr_arfcn or 0
    if name in FIELDS:
        value = getattr(carrier, name)
        return -math.inf if value is None or isinstance(value, float) and math.isnan(value) else value
    return 0.0 if carriers.timeline is None else carrier.fraction_on_air(carriers.timeline)


FILTERS = {mark("class"): keys.LABEL, mark("band"): keys.BAND, mark("verdict"): keys.VERDICT, "PCI": keys.CELL_ID}
"""Names for the filter, `band:B3`, and the columns that they stand for; they are known in English, too."""
VERDICT_WORDS = mark("proven"), mark("likely"), mark("unsure")


def filter_words(carrier: CarrierRow) -> list[str]:
    """Words that filter for what a carrier is: one for its class, its verdict, and each of its bands."""
    words = [f"{tr('class')}:{carrier.label}", *(f"{tr('band')}:{name}" for name in band_texts(carrier))]
    return words + ([f"{tr('verdict')}:{tr(carrier.verdict)}"] if carrier.verdict else [])


def passes(carrier: CarrierRow, words: Iterable[str], carriers: CarrierList) -> bool:
    """Whether a carrier's row has all words of a filter (lower case): `name:value` has to be all of what the column
    says, or one of several; any other word may be anywhere in the row."""
    line = None
    names = {word.lower(): column for name, column in FILTERS.items() for word in (name, tr(name))}
    for word in words:
        name, colon, value = word.partition(":")
        if colon and name in names:
            said = carrier.label if names[name] == keys.LABEL else text(carrier, names[name], carriers)
            if value and value not in [*said.lower().split(", "), getattr(carrier, names[name])]:
                return False
            continue
        if line is None:
            cells = [text(carrier, column, carriers) for column in NAMES]
            line = " ".join([*cells, f"gone {tr('gone')}" if carrier.gone else ""]).lower()
        if word not in line:
            return False
    return True


def format_since(carrier: CarrierRow, newest: tuple[int, float] | None = None) -> str:
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


CLOCKS = {"radio": mark("clock of the radio"), "file": mark("clock of the file"), "host": mark("clock of the computer")}
"""Whose clock it is, by `time_source`."""
BEYOND = {
    (True, False): mark("continues beyond the lower end of the span"),
    (False, True): mark("continues beyond the upper end of the span"),
    (True, True): mark("continues beyond both ends of the span"),
}
"""By which edges the span cuts off: lower, upper."""


def describe(carrier: CarrierRow) -> str:
    """Everything about a carrier, in a few lines."""
    moment = _utc(carrier.since)
    since = (
        f"{moment:%Y-%m-%d %H:%M:%S.%f} UTC, {tr(CLOCKS.get(carrier.time_source, carrier.time_source))}"
        if moment
        else tr("{time} s from the beginning", time=f"{carrier.sample_start / carrier.sample_rate:.6f}")
    )
    beyond = BEYOND.get((bool(carrier.cut_lower), bool(carrier.cut_upper)), "")
    edges = [f"{edge / 1e6:.4f}" for edge in (carrier.freq_lower, carrier.freq_upper)]
    lines = [
        tr("{name}, carrier {number}", name=name_text(carrier), number=carrier.carrier_id)
        + (f", {tr('gone')}" if carrier.gone else ""),
        tr("{verdict} (by {evidence})", verdict=tr(carrier.verdict), evidence=carrier.evidence)
        if carrier.verdict
        else "",
        _cell(carrier),
        tr("{lower} to {upper} MHz", lower=edges[0], upper=edges[1]) + (f"; {tr(beyond)}" if beyond else ""),
        tr("since {time}", time=since),
        tr(
            "seen for {time} s, {power} dB over full scale",
            time=f"{carrier.duration:.3f}",
            power=f"{carrier.pwr_db:.1f}",
        ),
    ]
    return "\n".join(filter(None, lines))


def _cell(carrier: CarrierRow) -> str:
    """A line about the cell, and one about its network; empty where none was decoded."""
    if carrier.cell_id is None:
        return ""
    bandwidth, ssb = carrier.channel_bandwidth, carrier.ssb_frequency
    facts = [
        f"PCI {carrier.cell_id}",
        f"{bandwidth / 1e6:g} MHz" if bandwidth else "",
        carrier.duplex or "",
        f"{tr('band')} {band_text(carrier)}" if carrier.band else "",
        f"EARFCN {carrier.earfcn}" if carrier.earfcn is not None else "",
        f"NR-ARFCN {carrier.nr_arfcn}, GSCN {carrier.gscn}" if carrier.nr_arfcn is not None else "",
        tr("SSB at {frequency} MHz", frequency=f"{ssb / 1e6:.4f}") if ssb is not None else "",
    ]
    network = [
        f"PLMN {carrier.plmn}" if carrier.plmn else "",
        f"TAC {carrier.tac}" if carrier.tac is not None else "",
        f"NCI {carrier.nci}" if carrier.nci is not None else "",
    ]
    lines = {tr("cell"): filter(None, facts), tr("network"): filter(None, network)}
    texts = {name: ", ".join(words) for name, words in lines.items()}
    return "\n".join(f"{name}: {text}" for name, text in texts.items() if text)


def table_text(rows: Iterable[CarrierRow], carriers: CarrierList) -> str:
    """Rows as text with tabs, as spreadsheets take it; the first line has the titles."""
    columns = [column for column in COLUMNS if column.name != OCCUPANCY]
    lines = [[title(column, carriers) for column in columns]]
    lines += [[text(carrier, column.name, carriers) for column in columns] for carrier in rows]
    return "\n".join("\t".join(line) for line in lines) + "\n"


def _utc(time: tuple[int, float] | None) -> datetime | None:
    """(whole s, fraction) as datetime; None where there is none, or no such date."""
    if time is None:
        return None
    try:
        return datetime.fromtimestamp(time[0] + time[1], timezone.utc)
    except (TypeError, ValueError, OverflowError, OSError):
        return None
