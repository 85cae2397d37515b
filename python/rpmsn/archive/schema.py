# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of an archive: their columns, and the Parquet files that hold them.

What is said of a carrier is in the table of fields (`rpmsn.messages.fields`); the columns here are those, and what only
an archive has. The fields of a table may grow; what a column means changes with `VERSION` alone.
"""

import math
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from .. import installation
from ..errors import MissingLibraryError
from ..messages import keys
from ..messages.fields import BOOL, CARRIER_FIELDS, DOUBLE, FIELDS, LONG, SYMBOL, TIME, UINT64, Field

if TYPE_CHECKING:
    import pyarrow as pa

VERSION = 1
RECORDINGS, CARRIERS, CELLS, OCCUPANCY, QUALITY, FAILURES = TABLE_NAMES = (
    "recordings", "carriers", "cells", "occupancy", "quality", "failures"
)  # fmt: skip


def _own(name: str, kind: str, unit: str, meaning: str) -> Field:
    return Field(name, kind, unit, meaning, messages=(), forms=frozenset())


KEY = _own("key", SYMBOL, "", "of the recording with this content; the same in all tables")
RECORDING = _own("recording", SYMBOL, "", "path or URL")
START = _own("start", TIME, "", "UTC, of the first sample; null where the recording has no time")
MINUTE = _own("minute", TIME, "", "UTC, beginning of the minute; null where the recording has no time")
MINUTE_S = _own("minute_s", LONG, "s", "beginning of the minute, since that of the first sample's minute")
CELL_FIELDS = tuple(
    one for one in CARRIER_FIELDS if not one.required or one.name in (keys.EVIDENCE, keys.FREQ_LOWER, keys.FREQ_UPPER)
)
_WHEN = (
    FIELDS[keys.START_OFFSET],
    FIELDS[keys.END_OFFSET],
    _own("start_s", DOUBLE, "s", "first time, from the start of the recording"),
    _own("end_s", DOUBLE, "s", "last time, from the start of the recording"),
    _own("start", TIME, "", "the same as UTC; null where the recording has no time"),
    _own("end", TIME, "", "the same as UTC"),
)

TABLES: Mapping[str, Sequence[Field]] = {
    RECORDINGS: (
        KEY,
        RECORDING,
        _own("size", LONG, "bytes", "of the file with the samples"),
        FIELDS[keys.SAMPLE_RATE],
        _own("center_frequency", DOUBLE, "Hz", "at the first sample; null where it is not known"),
        START,
        FIELDS[keys.DURATION],
        _own("samples", LONG, "", "in the recording"),
        FIELDS[keys.SAMPLES_ANALYSED],
        FIELDS[keys.COVERAGE],
        _own("frames", LONG, "", "analysed"),
        FIELDS[keys.JUDGED],
        _own("warnings", SYMBOL, "", "what to know of the result, a sentence a line"),
        _own("annotations", SYMBOL, "", "file in the archive; null where nothing was judged"),
        _own("picture", SYMBOL, "", "file in the archive: the first frame that was judged, as a waterfall shows it"),
        _own("picture_center", DOUBLE, "Hz", "its middle; 0 where the centre frequency is not known"),
    ),
    CARRIERS: (KEY, RECORDING, FIELDS[keys.BURST_ID], *CARRIER_FIELDS, *_WHEN,
               _own("time_on_air", DOUBLE, "s", "with a segment in them")),
    CELLS: (KEY, RECORDING, FIELDS[keys.BURST_ID], FIELDS[keys.LABEL], *CELL_FIELDS, *_WHEN),
    OCCUPANCY: (
        KEY,
        RECORDING,
        MINUTE,
        MINUTE_S,
        _own("bands", SYMBOL, "", "3GPP bands with the same edges, such as `B3 n3 ↓`; null beyond all"),
        _own("band_lower", DOUBLE, "Hz", "lower edge of the bands"),
        _own("band_upper", DOUBLE, "Hz", "upper edge of the bands"),
        FIELDS[keys.LABEL],
        _own("carriers", LONG, "", "with their middle in the bands and this label, on in this minute"),
        _own("seconds_judged", DOUBLE, "s", "of signal in this minute that was fit to be judged"),
        _own("hertz_seen", DOUBLE, "Hz", "of the bands in view"),
        _own("seconds_on_air", DOUBLE, "s", "of the carrier that was on longest"),
        _own("hertz_seconds", DOUBLE, "Hz s", "bandwidth within the bands x time on air, of all of them"),
    ),
    QUALITY: (
        KEY,
        RECORDING,
        MINUTE,
        MINUTE_S,
        _own("span_lower", DOUBLE, "Hz", "lower end of the span"),
        _own("span_upper", DOUBLE, "Hz", "upper end of the span"),
        _own("condition", SYMBOL, "", "kind of what is most wrong with the input, or `ok`"),
        _own("health", SYMBOL, "", "the same in words, of the first frame"),
        _own("seconds", DOUBLE, "s", "of signal in this condition"),
        _own("seconds_judged", DOUBLE, "s", "of these, fit to be judged"),
    ),
    FAILURES: (RECORDING, _own("error", SYMBOL, "", "why there is no result, and what to do")),
}  # fmt: skip


def require() -> None:
    """See that what writes and reads tables is installed.

    Raises:
        MissingLibraryError: it is not.
    """
    for module in ("pyarrow", "fsspec"):
        if find_spec(module) is None:
            raise MissingLibraryError(installation.missing("an archive", module))


def schema(table: str) -> "pa.Schema":
    """Columns of a table for Parquet, with the version and the meaning of each."""
    import pyarrow as pa

    kinds = {
        SYMBOL: pa.string(),
        DOUBLE: pa.float64(),
        LONG: pa.int64(),
        UINT64: pa.int64(),
        BOOL: pa.bool_(),
        TIME: pa.timestamp("us", "UTC"),
    }
    columns = [
        pa.field(one.name, kinds[one.kind], metadata={"meaning": one.meaning, "unit": one.unit})
        for one in TABLES[table]
    ]
    return pa.schema(columns, metadata={"rpmsn:schema": str(VERSION)})


def _storable(value: Any) -> Any:
    """A value as tables have it: not a number is null; bytes in the name of a file that are no text are escaped."""
    if isinstance(value, float) and math.isnan(value):
        return None
    return value.encode(errors="backslashreplace").decode() if isinstance(value, str) else value


def to_parquet(table: str, rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Rows, each by the names of the columns (what is missing is null), as a Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    content = pa.BufferOutputStream()
    wanted = schema(table)
    names = wanted.names
    rows = [{name: _storable(row.get(name)) for name in names} for row in rows]
    pq.write_table(pa.Table.from_pylist(rows, wanted), content)
    return content.getvalue().to_pybytes()
