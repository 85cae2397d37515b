# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows of an archive: which count, and how they come to lie in few files.

Results come in files of one recording each. `compact` puts them together: a layer has one file a table, all of one
name, with the rows of many recordings. A recording counts in the latest layer that has it, and single files are later
than all layers. A layer counts from its file of the table `recordings` on, which is written last, and what is in it is
removed elsewhere after that. So at no moment is a row lost or counted twice, whenever this is killed.
"""

import secrets
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import StorageError
from . import schema
from .store import Store

if TYPE_CHECKING:
    import pyarrow as pa

SINGLE = ""
"""Name of the layer of files of one recording each."""
PREFIX = "compact-"
ENDING = ".parquet"
KEYED = (
    *(table for table in schema.TABLE_NAMES if table not in (schema.RECORDINGS, schema.FAILURES)),
    schema.RECORDINGS,
)
"""Tables with a row or more a recording, in the order in which they are written."""
ROWS_AT_ONCE, FILES_AT_ONCE = 1 << 17, 1000
"""Rows that are written together, and files that are read together."""

Live = Mapping[str, set[str]]
"""Layer -> keys of the recordings that count in it; the latest first."""


def identity_of(key: str) -> str:
    """What the keys of a recording have in common, whatever its content: `work.identity` of its URL."""
    return key.partition("-")[0]


def live(dest: Store) -> Live:
    """What counts in an archive.

    Raises:
        StorageError: it cannot be read.
    """
    there = stems(dest, schema.RECORDINGS)
    layers = sorted(filter(_is_layer, there), reverse=True)
    found = {SINGLE: there - set(layers)}
    taken = set(map(identity_of, found[SINGLE]))
    for layer in layers:
        keys = {key for key in _keys(dest, layer) if identity_of(key) not in taken}
        taken |= set(map(identity_of, keys))
        found[layer] = keys
    return found


def datasets(dest: Store, table: str, counts: Live, at_once: int | None = None) -> "Iterator[tuple[str, Any]]":
    """(layer, rows as they lie there) of a table; in layers other than SINGLE also rows that do not count.

    Args:
        at_once: files in one of them, at most: what Arrow keeps of each, 100 kB, goes with it.
    """
    import pyarrow.dataset as ds

    there = stems(dest, table)
    for layer, keys in counts.items():
        chosen = sorted(there & keys) if layer == SINGLE else [layer] if layer in there else []
        paths = [dest.full_name(_name(table, stem)) for stem in chosen]
        files = None if dest.is_local else dest.files
        step = at_once or max(len(paths), 1)
        for first in range(0, len(paths), step):
            part = paths[first : first + step]
            yield layer, ds.dataset(part, schema.schema(table), format="parquet", filesystem=files)


def stems(dest: Store, table: str) -> set[str]:
    """Names of the files of a table, without their ending."""
    return {name.removesuffix(ENDING) for name in dest.names(table) if name.endswith(ENDING)}


def _is_layer(stem: str) -> bool:
    return stem.startswith(PREFIX)


def _keys(dest: Store, layer: str) -> list[str]:
    import pyarrow.parquet as pq

    with dest.opened(_name(schema.RECORDINGS, layer)) as file:
        return pq.read_table(file, columns=["key"])["key"].to_pylist()


def _name(table: str, stem: str) -> str:
    return f"{table}/{stem}{ENDING}"


@dataclass(frozen=True)
class Compacted:
    """What became of an archive.

    Attributes:
        recordings: that count.
        before, after: files of tables that hold them.
    """

    recordings: int
    before: int
    after: int


def compact(
    dest: Store, started: Callable[[int], Callable[[int], object]] = lambda files: lambda done: None
) -> Compacted:
    """Put all rows into one layer. To be done by one process at a time.

    Args:
        dest: the archive.
        started: is called with the number of files to read; what it gives, with that of files that were read since.

    Raises:
        StorageError: it cannot be read or written, or another process does the same; nothing is lost.
    """
    dest.remove_leftovers()
    there = {table: stems(dest, table) for table in KEYED}
    counts = live(dest)
    before = _remove_what_does_not_count(dest, there, counts)
    recordings = sum(map(len, counts.values()))
    # Which of two results of a recording is the newer is known to a run alone, which will remove the other.
    several = Counter(map(identity_of, counts[SINGLE]))
    moved = {**counts, SINGLE: {key for key in counts[SINGLE] if several[identity_of(key)] == 1}}
    layers = [layer for layer in counts if layer != SINGLE]
    if not moved[SINGLE] and len(layers) < 2:
        return Compacted(recordings, before, before)
    layer = f"{PREFIX}{1 + max((_number(one) for one in layers), default=0):06}-{secrets.token_hex(4)}"
    advance = started(before)
    written: list[str] = []
    for table in KEYED:
        with tempfile.TemporaryDirectory(prefix="rpmsn-archive-") as folder:
            path = Path(folder, table)
            if not _write(dest, table, moved, path, advance):
                continue
            dest.send(path, _name(table, layer))
            written.append(table)
    if any(layer not in stems(dest, table) for table in written):
        dest.remove(_name(schema.RECORDINGS, layer))
        raise StorageError(f"{dest.url}: another process compacts it, too: run it again when that is done", dest.url)
    # First what makes the others count.
    for table in reversed(KEYED):
        dest.remove_files([_name(table, stem) for stem in sorted(there[table] & {*moved[SINGLE], *layers})])
    return Compacted(recordings, before, sum(len(stems(dest, table)) for table in KEYED))


def _number(layer: str) -> int:
    return int(layer.removeprefix(PREFIX).partition("-")[0])


def _remove_what_does_not_count(dest: Store, there: Mapping[str, set[str]], counts: Live) -> int:
    """Remove what a compaction left that was killed; returns how many files there are without it."""
    compacted = set().union(*(keys for layer, keys in counts.items() if layer != SINGLE))
    lost = {*compacted - counts[SINGLE], *(stem for found in there.values() for stem in found if _is_layer(stem))}
    lost -= counts.keys()
    for table, found in there.items():
        dest.remove_files([_name(table, stem) for stem in sorted(found & lost)])
        found -= lost
    return sum(map(len, there.values()))


def _write(dest: Store, table: str, counts: Live, path: Path, advance: Callable[[int], object]) -> int:
    """Write the rows of a table that count; returns how many."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    wanted = schema.schema(table)
    written, rows, waiting = 0, 0, list[pa.RecordBatch]()
    with pq.ParquetWriter(path, wanted) as writer:
        for batch in _batches(dest, table, counts, advance):
            waiting.append(batch)
            rows += len(batch)
            if rows >= ROWS_AT_ONCE:
                writer.write_table(pa.Table.from_batches(waiting, wanted))
                written, rows, waiting = written + rows, 0, []
        writer.write_table(pa.Table.from_batches(waiting, wanted))
    return written + rows


def _batches(dest: Store, table: str, counts: Live, advance: Callable[[int], object]) -> "Iterator[pa.RecordBatch]":
    import pyarrow as pa
    import pyarrow.dataset as ds

    with dest.named(table):
        for layer, content in datasets(dest, table, counts, FILES_AT_ONCE):
            chosen = None if layer == SINGLE else ds.field("key").isin(pa.array(sorted(counts[layer]), pa.string()))
            for batch in content.to_batches(filter=chosen):
                advance(1)
                if len(batch):
                    yield batch
