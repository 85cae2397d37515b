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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import StorageError
from . import schema
from .store import Store

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.dataset as ds

SINGLE = ""
"""Name of the layer of files of one recording each."""
PREFIX = "compact-"
ENDING = ".parquet"
KEYED = (
    *(table for table in schema.TABLE_NAMES if table not in (schema.RECORDINGS, schema.FAILURES)),
    schema.RECORDINGS,
)
"""Tables with a row or more a recording, in the order in which they are written."""
ROWS_AT_ONCE, OPEN_AT_ONCE = 1 << 17, 8
"""Rows that are written together, and files that are open together."""
BATCHES_AT_ONCE = 1000
"""So many become one in memory: one of a single row takes 25 kB."""

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


def files(dest: Store, table: str, counts: Live) -> Iterator[tuple[str, list[str]]]:
    """(layer, its files) of a table; in files of layers other than SINGLE are also rows that do not count."""
    there = stems(dest, table)
    for layer, keys in counts.items():
        if found := sorted(there & (keys if layer == SINGLE else {layer})):
            yield layer, [_name(table, stem) for stem in found]


def dataset(dest: Store, table: str, names: Sequence[str]) -> "ds.Dataset":
    """The rows of files, read when they are asked for. What Arrow keeps of each file, 100 kB, stays as long."""
    import pyarrow.dataset as ds

    paths = [dest.full_name(name) for name in names]
    return ds.dataset(paths, schema.schema(table), format="parquet", filesystem=None if dest.is_local else dest.files)


def rows_of(
    dest: Store, table: str, names: Sequence[str], advance: Callable[[int], object] = lambda done: None
) -> "Iterator[pa.RecordBatch]":
    """The rows of many small files, a few open at a time; `advance` is called with how many were read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    wanted = schema.schema(table)

    def opened(name: str) -> pq.ParquetFile:
        with dest.named(name):
            return pq.ParquetFile(dest.path(name) if dest.is_local else pa.BufferReader(dest.read(name)))

    with ThreadPoolExecutor(OPEN_AT_ONCE) as pool:
        for first in range(0, len(names), OPEN_AT_ONCE):
            part = names[first : first + OPEN_AT_ONCE]
            for name, file in zip(part, pool.map(opened, part)):
                with dest.named(name), file:
                    for batch in file.iter_batches(use_threads=False):  # of a few rows it is thrice as fast
                        yield batch if batch.schema.equals(wanted) else _conformed(batch, wanted)
                advance(1)


def _conformed(batch: "pa.RecordBatch", wanted: "pa.Schema") -> "pa.RecordBatch":
    """Rows of a version that had fewer columns."""
    import pyarrow as pa

    there = batch.schema.names
    columns = [batch[one.name] if one.name in there else pa.nulls(len(batch), one.type) for one in wanted]
    return pa.RecordBatch.from_arrays(columns, schema=wanted)


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
            if not write(table, _live_rows(dest, table, moved, advance), path):
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


def write(table: str, rows: "Iterable[pa.RecordBatch]", path: Path) -> int:
    """Write rows of a table to a file of this machine; returns how many.

    Raises:
        StorageError: it cannot be written.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    wanted = schema.schema(table)
    written, rows_waiting = 0, 0
    small, waiting = list[pa.RecordBatch](), list[pa.RecordBatch]()
    with Store(str(path.parent)).named(path.name), pq.ParquetWriter(path, wanted) as writer:
        for batch in rows:
            small.append(batch)
            rows_waiting += len(batch)
            if len(small) >= BATCHES_AT_ONCE:
                waiting += pa.Table.from_batches(small, wanted).combine_chunks().to_batches()
                small = []
            if rows_waiting >= ROWS_AT_ONCE:
                writer.write_table(pa.Table.from_batches([*waiting, *small], wanted))
                written, rows_waiting, small, waiting = written + rows_waiting, 0, [], []
        writer.write_table(pa.Table.from_batches([*waiting, *small], wanted))
    return written + rows_waiting


def _live_rows(dest: Store, table: str, counts: Live, advance: Callable[[int], object]) -> "Iterator[pa.RecordBatch]":
    """The rows of a table that count."""
    import pyarrow as pa
    import pyarrow.dataset as ds

    for layer, names in files(dest, table, counts):
        if layer == SINGLE:
            yield from rows_of(dest, table, names, advance)
            continue
        with dest.named(table):
            chosen = ds.field("key").isin(pa.array(sorted(counts[layer]), pa.string()))
            yield from dataset(dest, table, names).to_batches(filter=chosen)
        advance(len(names))
