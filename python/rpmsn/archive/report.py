# SPDX-License-Identifier: GPL-3.0-or-later
"""One HTML file about an archive, with all that it shows in it: no scripts, nothing that is fetched."""

import base64
import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ..classes import CLASS_COLORS
from ..errors import StorageError
from ..standards.band_spans import SPANS, UP
from ..version import __version__
from .querying import PLACE_HZ, Archive

if TYPE_CHECKING:
    import pyarrow as pa

WIDTH = 1080
MARGIN = 12
TICK_HALF = 22
"""Half of the width of a number at an axis, at most."""
LANE, BOX = 18, 16
MOST_PICTURES, MOST_GROUPS, MOST_FAILURES, MOST_CELLS = 60, 400, 500, 500
MOST_COLUMNS = 168
"""Of the heat map: hours of a week; of a longer time they are wider."""
MOST_BAND_LANES = 4
FILL = {"proven": 0.95, "likely": 0.6, "unsure": 0.25}
STYLE = """
:root { color-scheme: light dark; --text: #1c2026; --muted: #5b636e; --back: #fbfbfa; --surface: #ececea;
  --rim: #c9cbd0 }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6e9ee; --muted: #98a1ad; --back: #14171c; --surface: #232830; --rim: #3a414c } }
body { font: 15px/1.45 system-ui, sans-serif; color: var(--text); background: var(--back); margin: 2em auto;
  max-width: 1104px; padding: 0 1em }
h1 { font-size: 1.5em; overflow-wrap: anywhere }
h2 { font-size: 1.15em; margin-top: 2em } p, figcaption { color: var(--muted) }
table { border-collapse: collapse; width: 100%; font-size: 12px; display: block; overflow-x: auto }
th, td { text-align: right; padding: 3px 7px; border-bottom: 1px solid var(--rim); white-space: nowrap }
th { position: sticky; top: 0; background: var(--back) } td.words, th.words { text-align: left }
td.long { white-space: normal; overflow-wrap: anywhere; text-align: left }
.wide { overflow-x: auto }
svg { display: block; width: 100%; min-width: 1040px; height: auto; margin: .4em 0 1.2em }
svg text { fill: var(--text); font-size: 11px }
svg .muted { fill: var(--muted) } svg .axis { stroke: var(--rim) } svg .lane { fill: var(--surface) }
.numbers { display: flex; flex-wrap: wrap; gap: .6em } .numbers div { background: var(--surface); padding: .5em 1em;
  border-radius: 6px } .numbers b { font-size: 1.35em; display: block }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(240px, 1fr)); gap: 1em }
figure { margin: 0 } figure img { width: 100%; image-rendering: pixelated; display: block; aspect-ratio: 1.6 }
figcaption { font-size: 12px; overflow-wrap: anywhere } figure:target { outline: 3px solid #e69f00 }
a { color: inherit }
.key span { display: inline-block; width: 1em; height: 1em; margin: 0 .3em 0 1em; vertical-align: -2px }
"""


def build(archive: Archive) -> str:
    """The page."""
    import pyarrow as pa

    counts = _one(
        archive,
        """SELECT (SELECT count(*) FROM recordings) AS recordings, (SELECT count(*) FROM carriers) AS carriers,
               (SELECT count(DISTINCT (cell_id, label)) FROM cells) AS cells,
               (SELECT count(*) FROM failures) AS failures, (SELECT sum(duration) FROM recordings) AS seconds,
               (SELECT min("start") FROM recordings) AS first, (SELECT max("start") FROM recordings) AS last,
               (SELECT sum(seconds_judged) / sum(seconds) FROM quality) AS judged""",
    )
    groups, cells = _groups(archive), _cell_groups(archive)
    keys = pa.chunked_array([*cells["key"][:MOST_CELLS].chunks, *groups["key"][:MOST_GROUPS].chunks], pa.string())
    wanted = keys.unique().to_pylist()
    found = archive.sql(
        """SELECT key, recording, picture, picture_center, sample_rate, "start" FROM recordings
           WHERE picture IS NOT NULL AND key IN (SELECT unnest($keys))""",
        {"keys": wanted},
    )
    by_key = {row["key"]: row for row in found.to_pylist()}
    pictures = [by_key[key] for key in wanted if key in by_key][:MOST_PICTURES]
    shown = {row["key"]: f"p{number}" for number, row in enumerate(pictures)}
    parts = [
        _numbers(counts),
        "<h2>Bands</h2>" + _overview(archive, groups),
        "<h2>Occupancy</h2>" + _heat_map(archive),
        "<h2>Carriers</h2>" + _carriers(groups, shown),
        "<h2>Cells</h2>" + _cells(cells, shown),
        "<h2>Pictures</h2>" + _pictures(archive, pictures),
        "<h2>Not judged, and failures</h2>" + _failures(archive),
    ]
    made = archive.manifest
    title = html.escape(f"Archive {archive.store.url}")
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body><h1>{title}</h1>'
        f"<p>Made by gr-rpmsn {html.escape(str(made.get('version')))} with the model "
        f"{html.escape(str(made.get('model')))}; page by {__version__}. Times are UTC.</p>"
        + "".join(parts)
        + "</body></html>\n"
    )


def _rows(archive: Archive, sql: str) -> list[dict[str, Any]]:
    return archive.sql(sql).to_pylist()


def _first(found: "pa.Table", most: int) -> list[dict[str, Any]]:
    """The first rows; very many as objects of Python take a hundred times what they take in Arrow."""
    return found.slice(0, most).to_pylist()


def _one(archive: Archive, sql: str) -> dict[str, Any]:
    return _rows(archive, sql)[0]


def _numbers(counts: Mapping[str, Any]) -> str:
    judged = counts["judged"]
    span = "" if counts["first"] is None else f"{_when(counts['first'])} to {_when(counts['last'])}"
    values = [
        _count(counts["recordings"], "recording", "recordings"),
        (_duration(counts["seconds"] or 0.0), "of signal"),
        _count(counts["carriers"], "carrier", "carriers"),
        _count(counts["cells"], "cell identity", "cell identities"),
        ("-" if judged is None else f"{100 * judged:.1f} %", "judged"),
        _count(counts["failures"], "failure", "failures"),
    ]
    boxes = "".join(f"<div><b>{number}</b>{words}</div>" for number, words in values)
    return f'<div class="numbers">{boxes}</div><p>{span}</p>'


def _count(number: int, one: str, several: str) -> tuple[str, str]:
    return f"{number:,}", one if number == 1 else several


def _duration(seconds: float) -> str:
    for limit, unit, name in ((7200, 3600, "h"), (180, 60, "min")):
        if seconds >= limit:
            return f"{seconds / unit:,.1f} {name}"
    return f"{seconds:.2f} s"


def _when(time: datetime | None) -> str:
    return "" if time is None else time.strftime("%Y-%m-%d %H:%M")


def _color(label: str) -> str:
    return "#{:02x}{:02x}{:02x}".format(*CLASS_COLORS[label])


@dataclass(frozen=True)
class _Axis:
    """Frequency over the width of a picture."""

    lower: float
    upper: float

    def x(self, frequency: float) -> float:
        inside = min(max(frequency, self.lower), self.upper)
        return MARGIN + (WIDTH - 2 * MARGIN) * (inside - self.lower) / (self.upper - self.lower)

    def ticks(self, y: float) -> str:
        """Marks and MHz below a picture."""
        step = next(
            one * 10**power
            for power in range(3, 12)
            for one in (1, 2, 5)
            if (self.upper - self.lower) / (one * 10**power) <= 12
        )
        first = int(-(-self.lower // step))
        unit = "MHz" if self.lower > 0 else "MHz from the centre, which is not known"
        marks = []
        for number in range(first, int(self.upper // step) + 1):
            x = self.x(number * step)
            at_end = min(max(x, TICK_HALF), WIDTH - TICK_HALF)  # the picture ends there
            marks.append(
                f'<line class="axis" x1="{x:.1f}" y1="{y}" x2="{x:.1f}" y2="{y + 4}"/>'
                f'<text class="muted" text-anchor="middle" x="{at_end:.1f}" y="{y + 15}">{number * step / 1e6:g}</text>'
            )
        return "".join(marks) + f'<text class="muted" text-anchor="end" x="{WIDTH}" y="{y + 27}">{unit}</text>'


def _overview(archive: Archive, groups: "pa.Table") -> str:
    """A picture of every range of frequencies that was looked at: 3GPP bands, and carriers in them."""
    seen = _merged(
        [
            (row["span_lower"], row["span_upper"])
            for row in _rows(archive, "SELECT DISTINCT span_lower, span_upper FROM quality ORDER BY ALL")
        ]
    )
    pictures = [_range_picture(_Axis(*one), groups) for one in seen]
    if not pictures:
        return "<p>Nothing was looked at.</p>"
    key = "".join(f'<span style="background:{_color(label)}"></span>{label}' for label in ("LTE", "NR", "other"))
    return (
        f'<p class="key">Ranges that were looked at, each with the 3GPP bands (↓ base stations send, ↑ phones send), '
        f"and what was found, strongest colour where proven:{key}</p>" + "".join(pictures)
    )


def _merged(ranges: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Ranges that touch as one."""
    found: list[tuple[float, float]] = []
    for lower, upper in sorted(ranges):
        if found and lower <= found[-1][1]:
            found[-1] = found[-1][0], max(upper, found[-1][1])
        else:
            found.append((lower, upper))
    return found


def _groups(archive: Archive) -> "pa.Table":
    """Carriers with the same label, cell and place as one, those of most recordings first."""
    return archive.sql(
        f"""SELECT label, cell_id, round((freq_lower + freq_upper) / 2 / {PLACE_HZ}) AS place,
                avg(freq_lower) AS freq_lower, avg(freq_upper) AS freq_upper, any_value(band) AS band,
                arg_max(verdict, confidence) AS verdict, avg(snr_db) FILTER (NOT isnan(snr_db)) AS snr_db,
                count(DISTINCT key) AS recordings,
                sum(time_on_air) AS on_air, min("start") AS first, max("end") AS last,
                first(key ORDER BY "start", key) AS key
            FROM carriers GROUP BY label, cell_id, place ORDER BY recordings DESC, freq_lower, label, cell_id"""
    )


def _range_picture(axis: _Axis, groups: "pa.Table") -> str:
    import pyarrow.compute as pc

    parts, y = [], 4.0
    spans = sorted(
        (span for span in SPANS if span.lower < axis.upper and span.upper > axis.lower),
        key=lambda span: (span.direction == UP, span.lower - span.upper),
    )
    lanes = _lanes([(span.lower, span.upper) for span in spans], 0.0)
    for span, lane in zip(spans, lanes):
        if lane < MOST_BAND_LANES and axis.lower >= 0:
            parts.append(_bar(axis, span.lower, span.upper, y + LANE * lane, span.text, span.full_text))
    y += LANE * min(MOST_BAND_LANES, max(lanes, default=-1) + 1) + 6
    seen = groups.filter((pc.field("freq_lower") < axis.upper) & (pc.field("freq_upper") > axis.lower))
    inside = sorted(_first(seen, MOST_GROUPS), key=lambda one: one["freq_lower"] - one["freq_upper"])
    rows = _lanes([(one["freq_lower"], one["freq_upper"]) for one in inside], 0.0)
    for one, lane in zip(inside, rows):
        parts.append(_box(axis, one, y + (BOX + 2) * lane))
    y += (BOX + 2) * (max(rows, default=-1) + 1) + 4
    parts.append(f'<line class="axis" x1="{MARGIN}" y1="{y}" x2="{WIDTH - MARGIN}" y2="{y}"/>' + axis.ticks(y))
    return _drawing(y + 30, parts)


def _drawing(height: float, parts: Sequence[str]) -> str:
    """A drawing, which a narrow screen shows at a size that can be read, to be moved sideways."""
    return f'<div class="wide"><svg viewBox="0 0 {WIDTH} {height:.0f}" role="img">{"".join(parts)}</svg></div>'


def _lanes(ranges: Sequence[tuple[float, float]], gap: float) -> list[int]:
    """Lane of each range, so that none overlaps another in its lane."""
    taken: list[list[tuple[float, float]]] = []
    found = []
    for lower, upper in ranges:
        lane = next(
            (
                number
                for number, others in enumerate(taken)
                if all(upper + gap <= low or lower >= high + gap for low, high in others)
            ),
            len(taken),
        )
        if lane == len(taken):
            taken.append([])
        taken[lane].append((lower, upper))
        found.append(lane)
    return found


def _bar(axis: _Axis, lower: float, upper: float, y: float, text: str, title: str) -> str:
    x, end = axis.x(lower), axis.x(upper)
    words = text if end - x > 7 * len(text) else ""
    return (
        f'<g><title>{html.escape(title)}</title><rect class="lane" x="{x:.1f}" y="{y}" width="{max(end - x, 1):.1f}" '
        f'height="{LANE - 3}" rx="3"/><text class="muted" x="{x + 4:.1f}" y="{y + 11.5}">{html.escape(words)}'
        "</text></g>"
    )


def _box(axis: _Axis, one: Mapping[str, Any], y: float) -> str:
    x, end = axis.x(one["freq_lower"]), axis.x(one["freq_upper"])
    cell = "" if one["cell_id"] is None else f"PCI {one['cell_id']}"
    title = (
        f"{one['label']} {cell} {one['freq_lower'] / 1e6:.3f} to {one['freq_upper'] / 1e6:.3f} MHz, {one['verdict']}, "
        f"in {one['recordings']} recordings"
    )
    words = cell or one["label"]
    words = words if end - x > 7 * len(words) else ""
    color, fill = _color(one["label"]), FILL[one["verdict"]]
    ink = "#fff" if fill > 0.5 and one["label"] == "LTE" else "#111" if fill > 0.5 else "currentColor"
    return (
        f'<g><title>{html.escape(title)}</title><rect x="{x:.1f}" y="{y}" width="{max(end - x, 1.5):.1f}" '
        f'height="{BOX}" rx="2" fill="{color}" fill-opacity="{fill}" stroke="{color}"/>'
        f'<text style="fill:{ink}" x="{x + 3:.1f}" y="{y + 12}">{html.escape(words)}</text></g>'
    )


def _heat_map(archive: Archive) -> str:
    """Occupancy of bands over time."""
    times = _one(archive, 'SELECT min("minute") AS first, max("minute") AS last FROM occupancy')
    if times["first"] is None:
        return "<p>No recording has a time of day.</p>"
    hours = (times["last"] - times["first"]) / timedelta(hours=1) + 1
    step = max(1, int(-(-hours // MOST_COLUMNS)))
    cells = _rows(
        archive,
        f"""WITH per AS (
                SELECT bands, band_lower, band_upper, epoch("minute") // {3600 * step} AS bin, key, "minute", minute_s,
                    max(hertz_seen * seconds_judged) AS seen, sum(hertz_seconds) AS used
                FROM occupancy WHERE bands IS NOT NULL AND "minute" IS NOT NULL GROUP BY ALL)
            SELECT bands, band_lower, band_upper, bin::BIGINT AS bin, sum(used) / nullif(sum(seen), 0) AS occupancy
            FROM per GROUP BY bands, band_lower, band_upper, bin ORDER BY band_lower, band_upper, bands, bin""",
    )
    first = int(times["first"].timestamp() // (3600 * step))
    count = int(times["last"].timestamp() // (3600 * step)) - first + 1
    bands = list(dict.fromkeys((row["bands"], row["band_lower"], row["band_upper"]) for row in cells))
    left, row_height = 190, 16
    width = min(40.0, (WIDTH - left - 10) / count)
    parts = []
    for number, (name, lower, upper) in enumerate(bands):
        y = 4 + row_height * number
        parts.append(f'<text text-anchor="end" x="{left - 6}" y="{y + 12}">{html.escape(_shortened(name))}</text>')
        parts.append(
            f'<rect class="lane" x="{left}" y="{y}" width="{width * count:.1f}" height="{row_height - 2}">'
            f"<title>{html.escape(name)} {lower / 1e6:g} to {upper / 1e6:g} MHz</title></rect>"
        )
    place = {band: number for number, band in enumerate(bands)}
    for row in cells:
        y = 4 + row_height * place[row["bands"], row["band_lower"], row["band_upper"]]
        x = left + width * (row["bin"] - first)
        time = datetime.fromtimestamp(row["bin"] * 3600 * step, timezone.utc)
        value = row["occupancy"]
        words = "not judged" if value is None else f"{100 * value:.1f} %"
        fill = "none" if value is None else _heat(value)
        rim = ' stroke="var(--muted)" stroke-dasharray="2 2"' if value is None else ""
        parts.append(
            f'<rect x="{x:.1f}" y="{y}" width="{max(width - 0.5, 1):.1f}" height="{row_height - 2}" fill="{fill}"{rim}>'
            f"<title>{html.escape(row['bands'])} {time:%Y-%m-%d %H:%M}: {words}</title></rect>"
        )
    y = 8 + row_height * len(bands)
    parts.append(_days(left, width, first, count, step, y))
    scale = "".join(f'<span style="background:{_heat(value / 100)}"></span>{value} %' for value in (0, 25, 50, 75, 100))
    unit = "an hour" if step == 1 else f"{step} hours"
    return (
        f'<p class="key">Bandwidth x time on air over what was in view and judged; a column is {unit}:{scale}; '
        "dashed: not judged; grey: not looked at.</p>" + _drawing(y + 22, parts)
    )


def _shortened(name: str) -> str:
    return name if len(name) <= 30 else f"{name[:29]}…"


def _heat(value: float) -> str:
    """Colour of an occupancy, 0..1: from pale to strong blue, in sight on light and dark pages."""
    value = min(max(value, 0.0), 1.0)
    low, high = (0xD0, 0xE2, 0xF2), (0x1B, 0x62, 0xA5)
    return "#{:02x}{:02x}{:02x}".format(*(round(a + (b - a) * value) for a, b in zip(low, high)))


def _days(left: float, width: float, first: int, count: int, step: int, y: float) -> str:
    """Days below the heat map, as many as there is room for."""
    marks, last = [], -100.0
    for number in range(count):
        time = datetime.fromtimestamp((first + number) * 3600 * step, timezone.utc)
        x = left + width * number
        is_new = number == 0 or time.date() != (time - timedelta(hours=step)).date()
        if is_new and x - last >= 70:
            last = x
            marks.append(
                f'<line class="axis" x1="{x:.1f}" y1="4" x2="{x:.1f}" y2="{y + 4}"/>'
                f'<text class="muted" x="{x + 2:.1f}" y="{y + 14}">{time:%Y-%m-%d}</text>'
            )
    return "".join(marks)


def _carriers(groups: "pa.Table", shown: Mapping[str, str]) -> str:
    rows = [
        [
            one["label"],
            f"{one['freq_lower'] / 1e6:.3f}",
            f"{one['freq_upper'] / 1e6:.3f}",
            f"{(one['freq_upper'] - one['freq_lower']) / 1e6:.3f}",
            one["band"] or "",
            "" if one["cell_id"] is None else str(one["cell_id"]),
            one["verdict"],
            "" if one["snr_db"] is None else f"{one['snr_db']:.1f}",
            str(one["recordings"]),
            f"{one['on_air']:.2f}",
            _when(one["first"]),
            _when(one["last"]),
            _Link(shown.get(one["key"])),
        ]
        for one in _first(groups, MOST_GROUPS)
    ]
    head = ["label", "lower MHz", "upper MHz", "width MHz", "band", "PCI", "verdict", "SNR dB", "recordings"]
    more = _more(groups.num_rows, MOST_GROUPS)
    return _table([*head, "on air s", "first", "last", "picture"], rows) + more


@dataclass(frozen=True)
class _Link:
    """To a picture; None where it is not on the page."""

    target: str | None


def _cell_groups(archive: Archive) -> "pa.Table":
    """Cells at the same place as one, those of most recordings first."""
    return archive.sql(
        """SELECT label, cell_id, band, any_value(duplex) AS duplex, max(channel_bandwidth) AS channel_bandwidth,
               any_value(earfcn) AS earfcn, any_value(nr_arfcn) AS nr_arfcn, max(evidence = 'broadcast') AS decoded,
               count(DISTINCT key) AS recordings, min("start") AS first, max("end") AS last,
               first(key ORDER BY evidence <> 'broadcast', "start", key) AS key
           FROM cells GROUP BY label, cell_id, band, round((freq_lower + freq_upper) / 2e5)
           ORDER BY recordings DESC, label, cell_id, band, key"""
    )


def _cells(found: "pa.Table", shown: Mapping[str, str]) -> str:
    rows = [
        [
            one["label"],
            str(one["cell_id"]),
            one["band"] or "",
            one["duplex"] or "",
            "" if one["channel_bandwidth"] is None else f"{one['channel_bandwidth'] / 1e6:g}",
            str(one["earfcn"] if one["earfcn"] is not None else one["nr_arfcn"] or ""),
            "broadcast" if one["decoded"] else "sync",
            str(one["recordings"]),
            _when(one["first"]),
            _when(one["last"]),
            _Link(shown.get(one["key"])),
        ]
        for one in _first(found, MOST_CELLS)
    ]
    head = ["label", "PCI", "band", "duplex", "channel MHz", "EARFCN or NR-ARFCN", "evidence", "recordings"]
    return _table([*head, "first", "last", "picture"], rows) + _more(found.num_rows, MOST_CELLS)


def _pictures(archive: Archive, pictures: Sequence[Mapping[str, Any]]) -> str:
    """The first frame of recordings, to which the tables have links."""
    figures = []
    for number, row in enumerate(pictures):
        try:
            content = base64.b64encode(archive.store.read(row["picture"])).decode()
        except StorageError:
            continue  # a page without one picture is better than none
        lower, upper = (row["picture_center"] + sign * row["sample_rate"] / 2 for sign in (-1, 1))
        name = html.escape(row["recording"].encode(errors="backslashreplace").decode())
        figures.append(
            f'<figure id="p{number}"><img alt="" src="data:image/png;base64,{content}"><figcaption>'
            f"{lower / 1e6:.1f} to {upper / 1e6:.1f} MHz {_when(row['start'])}<br>{name}</figcaption></figure>"
        )
    if not figures:
        return "<p>None.</p>"
    return (
        "<p>The first frame that was judged, of the recordings that the tables name; frequency to the right, time "
        f'down.</p><div class="pictures">{"".join(figures)}</div>'
    )


def _failures(archive: Archive) -> str:
    found = archive.ask("not-judged")
    rows = [
        [
            _Long(row["recording"]),
            "" if row["lower_mhz"] is None else f"{row['lower_mhz']:g} to {row['upper_mhz']:g}",
            "all" if row["not_judged_s"] is None else f"{row['not_judged_s']:.2f}",
            _Long(row["why"]),
        ]
        for row in _first(found, MOST_FAILURES)
    ]
    return _table(["recording", "MHz", "s", "why"], rows) + _more(found.num_rows, MOST_FAILURES)


@dataclass(frozen=True)
class _Long:
    """Text that may take several lines."""

    text: str


def _more(count: int, most: int) -> str:
    return "" if count <= most else f"<p>And {count - most} others: <code>rpmsn archive query</code> has all.</p>"


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    if not rows:
        return "<p>None.</p>"
    words = {"label", "band", "verdict", "recording", "why", "evidence", "duplex"}
    kinds = ["words" if name in words else "" for name in head]
    lines = "".join(f"<tr>{''.join(_cell(value, kind) for value, kind in zip(row, kinds))}</tr>" for row in rows)
    titles = "".join(f'<th class="{kind}">{html.escape(name)}</th>' for name, kind in zip(head, kinds))
    return f"<table><thead><tr>{titles}</tr></thead><tbody>{lines}</tbody></table>"


def _cell(value: Any, kind: str) -> str:
    if isinstance(value, _Link):
        return f'<td><a href="#{quote(value.target)}">show</a></td>' if value.target else "<td></td>"
    if isinstance(value, _Long):
        return f'<td class="long">{html.escape(value.text.encode(errors="backslashreplace").decode())}</td>'
    return f'<td class="{kind}">{html.escape(str(value))}</td>'
