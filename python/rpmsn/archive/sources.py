# SPDX-License-Identifier: GPL-3.0-or-later
"""The recordings of a store, and opening one that is not on this machine.

Bare samples and SigMF pairs are read where they are, a range at a time; of what has to be unpacked, and of containers,
a copy is made first.
"""

import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ParameterError, RecordingError
from ..recording import Recording
from ..recording.metadata import DATA_SUFFIX, META_SUFFIX
from ..recording.readers import compressed, names
from .annotating import Annotator
from .listing import Listing, find_recordings, is_recording_name
from .store import Store

HEAD_BYTES = 1 << 16
"""From these, readers see what a file is."""
READ_AHEAD = 8 << 20
"""Bytes that are fetched at once."""
STAMPS = ("ETag", "etag", "LastModified", "last_modified", "mtime", "created", "version_aware")
"""What file systems call the state of a file, the most exact first."""


@dataclass(frozen=True)
class Source:
    """A recording of an archive.

    Attributes:
        url: what users see; names its results.
        path: what to open: a path of this machine, or the name in the store.
        data: the same of the file with the samples.
        size: bytes of it.
        stamp: says, with the size, whether it has changed.
    """

    url: str
    path: str
    data: str
    size: int
    stamp: str


def find(store: Store, annotator: Annotator, has_format: bool, has_rate: bool) -> tuple[list[Source], Listing]:
    """The recordings of a store, and the listing that has what is wrong.

    Raises:
        StorageError: it cannot be listed.
        ParameterError: there is nothing of this name.
    """
    if not store.exists():
        raise ParameterError(f"SOURCE is {store.url}, where nothing is: check the name (docs/archive.md)")
    if store.is_local:
        listing = find_recordings([str(store.path(""))], has_format, has_rate)
        sources = [
            Source(
                one.path,
                one.path,
                one.data,
                one.size,
                annotator.fingerprint(Path(one.data), Path(one.path) if one.path != one.data else None),
            )
            for one in listing.recordings
        ]
        return sources, listing
    return _find_remote(store, has_format, has_rate), Listing()


def _find_remote(store: Store, has_format: bool, has_rate: bool) -> list[Source]:
    """The recordings of a store elsewhere: SigMF pairs, and files that are recordings by their names."""
    infos = dict(store.infos())
    folders: dict[str, set[str]] = defaultdict(set)
    for name in infos:
        folder, _, base = name.rpartition("/")
        if not base.startswith("."):
            folders[folder].add(base)
    found = []
    for folder, bases in folders.items():
        prefix = f"{folder}/" if folder else ""
        for base in bases:
            meta = base.removesuffix(DATA_SUFFIX) + META_SUFFIX
            if base.endswith(META_SUFFIX):
                continue
            if base.endswith(DATA_SUFFIX) and meta in bases:
                found.append(_source(store, infos, prefix + meta, prefix + base))
            elif base.endswith(DATA_SUFFIX) or is_recording_name(base, has_format, has_rate) or not base:
                found.append(_source(store, infos, prefix + base, prefix + base))
    return sorted(found, key=lambda source: source.url)


def _source(store: Store, infos: dict[str, dict[str, Any]], path: str, data: str) -> Source:
    states = [_state(infos[name]) for name in dict.fromkeys((path, data))]
    return Source(store.url_of(path), path, data, int(infos[data].get("size") or 0), " ".join(states))


def _state(info: dict[str, Any]) -> str:
    stamp = next((info[name] for name in STAMPS if info.get(name)), "")
    return f"{info.get('size')} {stamp}"


@contextmanager
def opened(store: Store, source: Source, annotator: Annotator) -> Iterator[Recording]:
    """A recording, open.

    Raises:
        StorageError, RecordingError: it cannot be read.
    """
    with ExitStack() as stack:
        if store.is_local:
            yield stack.enter_context(annotator.open(source.path))
            return
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rpmsn-archive-")))
        path, data = (folder / Path(name or store.url).name for name in (source.path, source.data))
        if path != data:
            store.fetch(source.path, path)
        if not _is_bare(data.name):
            store.fetch(source.data, data)
            yield stack.enter_context(annotator.open(str(path)))
            return
        # The file has its true size and no content but its head: the rest is read from where it is.
        with open(data, "wb") as file:
            file.write(store.read(source.data, 0, min(HEAD_BYTES, source.size)) if source.size else b"")
            file.truncate(source.size)
        recording = stack.enter_context(annotator.open(str(path)))
        if recording.is_plain:
            recording.read_through(RemoteBytes(store, source))
        else:  # a container by its first bytes
            recording.close()
            store.fetch(source.data, data)
            recording = stack.enter_context(annotator.open(str(path)))
        yield recording


def _is_bare(name: str) -> bool:
    """Whether a file holds samples and nothing else, by its name."""
    return Path(name).suffix.lower() not in (*compressed.ENDINGS, ".sigmf", ".wav", ".rf64", ".bw64", ".npy") and (
        name.endswith(DATA_SUFFIX) or Path(name).suffix.lower() in (*names.ENDINGS, ".raw", ".iq", ".bin", ".dat")
    )


class RemoteBytes:
    """Bytes of a file of a store by position, fetched ahead; as of `recording.stores.Store`.

    Args:
        store, source: where.
    """

    def __init__(self, store: Store, source: Source) -> None:
        self._store, self._source = store, source
        self.size = source.size
        self._start, self._bytes = 0, b""

    def fill(self, position: int, view: memoryview) -> None:
        """As of Store."""
        view = view.cast("B")
        while len(view):
            inside = position - self._start
            if not 0 <= inside < len(self._bytes):
                self._start = position
                end = min(self.size, position + max(READ_AHEAD, len(view)))
                self._bytes = self._store.read(self._source.data, position, end)
                inside = 0
                if not self._bytes:
                    raise RecordingError(f"{self._source.url} has become shorter since it was listed: run it again.")
            part = self._bytes[inside : inside + len(view)]
            view[: len(part)] = part
            view, position = view[len(part) :], position + len(part)

    def close(self) -> None:
        """As of Store."""
        self._bytes = b""
