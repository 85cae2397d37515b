# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers from the tables of an archive, by DuckDB. Rows count whose recording is done with."""

import logging
import shutil
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import installation
from ..errors import MissingLibraryError, ParameterError
from ..standards.bands import BANDS, NR
from . import layers, schema
from .running import read_manifest
from .store import Store

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.dataset as ds

log = logging.getLogger(__name__)

MOST_FILES = 1000
"""Of a table that are asked as they are; what Arrow keeps of each, 100 kB, stays meanwhile."""
PLACE_HZ = 100_000
"""Carriers whose middles round to the same multiple are one for `changes`."""


@dataclass(frozen=True)
class Filter:
    """What a question is limited to; None where it is not.

    Attributes:
        bands: (lower, upper) in Hz; a carrier that has a part of one is in.
        since, until: UTC.
        cell_id: physical cell identity.
    """

    bands: Sequence[tuple[float, float]] = ()
    since: datetime | None = None
    until: datetime | None = None
    cell_id: int | None = None


LIMITS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "bands": ("--band and --range", ("{bands}",)),
    "since": ("--since", ("{times}", "$since")),
    "until": ("--until", ("{times}",)),
    "cell_id": ("--pci", ("$cell_id",)),
}
"""Field of Filter -> options that give it, and what a question that it limits has in its SQL."""


@dataclass(frozen=True)
class Question:
    """A question that is built in.

    Attributes:
        meaning: in words, for help.
        sql: with `{bands}` and `{times}` for what limits rows, and `$since`, `$cell_id`.
        needs: fields of Filter that have to be given.
        lower, upper: columns of the edges.
        start, end: columns of the times.
    """

    meaning: str
    sql: str
    needs: tuple[str, ...] = ()
    lower: str = "freq_lower"
    upper: str = "freq_upper"
    start: str = '"start"'
    end: str = '"end"'


_CARRIER = """label, round(freq_lower / 1e6, 3) AS lower_mhz, round(freq_upper / 1e6, 3) AS upper_mhz, band,
    cell_id AS pci, verdict"""

QUESTIONS: Mapping[str, Question] = {
    "on-air": Question(
        "the carriers, with the time that they were on",
        f"""SELECT {_CARRIER}, round(snr_db, 1) AS snr_db, "start", round(time_on_air, 3) AS on_air_s, recording
            FROM carriers WHERE {{bands}} AND {{times}} ORDER BY freq_lower, "start", recording, burst_id""",
    ),
    "hours": Question(
        "occupancy of bands by hour of the day (UTC): bandwidth x time on air over that in view",
        """WITH per AS (
               SELECT bands, band_lower, hour("minute") AS hour_utc, key, "minute", minute_s,
                   max(hertz_seen * seconds_judged) AS seen, sum(hertz_seconds) AS used,
                   max(seconds_judged) AS seconds
               FROM occupancy WHERE bands IS NOT NULL AND "minute" IS NOT NULL AND {bands} AND {times}
               GROUP BY ALL)
           SELECT bands, hour_utc, round(100 * sum(used) / nullif(sum(seen), 0), 2) AS occupancy_percent,
               round(sum(seconds), 3) AS judged_s, count(DISTINCT key) AS recordings
           FROM per GROUP BY bands, band_lower, hour_utc ORDER BY band_lower, bands, hour_utc""",
        lower="band_lower",
        upper="band_upper",
        start='"minute"',
        end='"minute"',
    ),
    "cell": Question(
        "the recordings with a cell (--pci), or all cells",
        """SELECT cell_id AS pci, label, band, earfcn, nr_arfcn,
               round((freq_lower + freq_upper) / 2e6, 3) AS centre_mhz, evidence, "start",
               round(start_s, 3) AS start_s, round(end_s, 3) AS end_s, recording
           FROM cells WHERE ($cell_id IS NULL OR cell_id = $cell_id) AND {bands} AND {times}
           ORDER BY cell_id, "start", recording, burst_id""",
    ),
    "changes": Question(
        "carriers that are new since a time (--since), and those that vanished",
        f"""WITH places AS (
                SELECT label, cell_id, round((freq_lower + freq_upper) / 2 / {PLACE_HZ}) * {PLACE_HZ} AS centre,
                    min("start") AS first, max("end") AS last, count(DISTINCT key) AS recordings
                FROM carriers WHERE "start" IS NOT NULL AND {{bands}} GROUP BY ALL)
            SELECT CASE WHEN first >= $since THEN 'new' ELSE 'vanished' END AS change, label,
                round(centre / 1e6, 1) AS centre_mhz, cell_id AS pci, first, last, recordings
            FROM places WHERE (first >= $since) <> (last < $since) OR first >= $since
            ORDER BY change, centre, label, cell_id""",
        needs=("since",),
    ),
    "not-judged": Question(
        "what was not judged, and why; recordings that failed",
        """SELECT recording, round(span_lower / 1e6, 3) AS lower_mhz, round(span_upper / 1e6, 3) AS upper_mhz,
               round(sum(seconds - seconds_judged), 3) AS not_judged_s, any_value(health) AS why
           FROM quality WHERE seconds > seconds_judged AND {bands} AND {times}
           GROUP BY recording, span_lower, span_upper, condition
           UNION ALL SELECT recording, NULL, NULL, NULL, error FROM failures
           ORDER BY recording, lower_mhz""",
        lower="span_lower",
        upper="span_upper",
        start='"minute"',
        end='"minute"',
    ),
    "recordings": Question(
        "all recordings, with how much of each was judged",
        """SELECT recording, "start", round(duration, 3) AS duration_s, sample_rate / 1e6 AS msps,
               round(center_frequency / 1e6, 3) AS centre_mhz, round(judged, 3) AS judged, annotations
           FROM recordings WHERE {times} ORDER BY "start", recording""",
        end='"start"',
    ),
    "failures": Question(
        "recordings without a result, and why", "SELECT recording, error FROM failures ORDER BY recording"
    ),
}


class Archive:
    """The results of an archive, to be asked.

    Args:
        url: of the folder with the results.

    Raises:
        ParameterError: it holds none.
        StorageError: it cannot be read.
        MissingLibraryError: DuckDB is not installed.
    """

    def __init__(self, url: str) -> None:
        schema.require()
        try:
            import duckdb
        except ImportError as error:
            raise MissingLibraryError(installation.missing("`rpmsn archive query`", "duckdb")) from error
        self.store = Store(url)
        self.manifest = read_manifest(self.store)
        self._errors = duckdb.Error
        # Nothing is fetched, and no other file is read or written.
        self._connection = duckdb.connect(
            config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
        )
        self._connection.execute("SET TimeZone = 'UTC'")
        self._connection.execute("SET enable_external_access = false")
        for table in schema.TABLE_NAMES:
            self._connection.register(table, schema.schema(table).empty_table())
        self._counts = layers.live(self.store)
        self._unread = set(schema.TABLE_NAMES)
        self._folder: Path | None = None

    def ask(self, name: str, limits: Filter | None = None) -> "pa.Table":
        """The answer to a question of `QUESTIONS`.

        Raises:
            ParameterError: there is no such question, it needs more, or it is not limited so.
        """
        question = QUESTIONS.get(name)
        if question is None:
            raise ParameterError(f"QUESTION is {name!r}; choose {', '.join(QUESTIONS)}, or --sql")
        limits = limits or Filter()
        for need in question.needs:
            if getattr(limits, need) is None:
                raise ParameterError(f"{name} needs --{need}, such as 2026-11-02 or 2026-11-02T14:00")
        for field, (options, marks) in LIMITS.items():
            if getattr(limits, field) not in (None, (), []) and not any(mark in question.sql for mark in marks):
                raise ParameterError(f"{name} is not limited by {options}: leave it out, or ask by --sql")
        values: dict[str, Any] = {"since": limits.since, "until": limits.until, "cell_id": limits.cell_id}
        sql = question.sql.format(bands=_in_bands(question, limits.bands), times=_in_times(question, limits))
        return self.sql(sql, {name: value for name, value in values.items() if f"${name}" in sql})

    def sql(self, text: str, values: Mapping[str, Any] | None = None) -> "pa.Table":
        """The answer to a question in SQL; the tables are those of `schema.TABLES`.

        Raises:
            ParameterError: DuckDB does not understand it.
        """
        for table in sorted(self._unread):
            if table in text.lower():
                self._read(table)
                self._unread.remove(table)
        try:
            found = self._connection.sql(text, params=dict(values or {}))
            if found is None:
                raise ParameterError("--sql has no answer: it must be one question, a SELECT")
            return found.to_arrow_table()
        except self._errors as error:
            raise ParameterError(
                f"DuckDB says of this question: {error}\nTables are {', '.join(schema.TABLE_NAMES)}; "
                "`DESCRIBE carriers` shows the columns of one"
            ) from error

    def _read(self, table: str) -> None:
        """Have a table for questions: what is asked for is read from its files when it is, or from one that is made of
        very many."""
        import pyarrow as pa

        counts = self._counts
        if table == schema.FAILURES:
            counts = {layers.SINGLE: layers.stems(self.store, table)}
        parts = []
        for number, (layer, names) in enumerate(layers.files(self.store, table, counts)):
            part = f"{table}_{number}"
            self._connection.register(part, self._content(table, names))
            parts.append(f"SELECT * FROM {part}")
            if layer != layers.SINGLE:
                self._connection.register(f"{part}_keys", pa.table({"key": pa.array(counts[layer], pa.string())}))
                parts[-1] += f" WHERE key IN (SELECT key FROM {part}_keys)"
        if parts:
            self._connection.unregister(table)
            self._connection.execute(f"CREATE VIEW {table} AS {' UNION ALL '.join(parts)}")

    def _content(self, table: str, names: Sequence[str]) -> "ds.Dataset":
        if len(names) <= MOST_FILES:
            return layers.dataset(self.store, table, names)
        if self._folder is None:
            log.warning(
                "%s has %d files of the table %s, to read them takes a while: `rpmsn archive compact` makes it one",
                self.store.url,
                len(names),
                table,
            )
            self._folder = Path(tempfile.mkdtemp(prefix="rpmsn-archive-"))
            weakref.finalize(self, shutil.rmtree, self._folder, True)
        layers.write(table, layers.rows_of(self.store, table, names), self._folder / table)
        return layers.dataset(Store(str(self._folder)), table, [table])


def _in_bands(question: Question, bands: Sequence[tuple[float, float]]) -> str:
    parts = [f"({question.lower} < {upper!r} AND {question.upper} > {lower!r})" for lower, upper in bands]
    return f"({' OR '.join(parts)})" if parts else "true"


def _in_times(question: Question, limits: Filter) -> str:
    parts = []
    if limits.since is not None:
        parts.append(f"{question.end} >= $since")
    if limits.until is not None:
        parts.append(f"{question.start} < $until")
    return " AND ".join(parts) or "true"


def edges_of_band(name: str) -> list[tuple[float, float]]:
    """(lower, upper) in Hz of a band's downlink and uplink: `3` or `B3` of LTE, `n78` of NR.

    Raises:
        ParameterError: there is no such band.
    """
    wanted = name.lower().removeprefix("b")
    for band in BANDS:
        if band.name == wanted:
            return sorted({edges for edges in (band.downlink, band.uplink) if edges is not None})
    known = ", ".join(band.name for band in BANDS if band.technology == NR)
    raise ParameterError(f"--band is {name!r}; LTE's are called 3 or B3, NR's {known}")
