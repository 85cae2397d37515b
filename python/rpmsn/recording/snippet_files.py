# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of IQ that grow: named while they grow, finished, found again after a kill, and deleted for lack of room.

A snippet that grows is `<name>.sigmf-data.part` and `<name>.sigmf-meta.part`; finished it has the names without
`.part`. What an earlier run left behind and cannot be finished is set aside, as `.broken` instead of `.part`.
`SnippetStore` knows what is in the folder and how much room is left. `snippets` writes bands of carriers, and
`stream_recorder` whole streams.
"""

from __future__ import annotations

import hashlib
import itertools
import logging
import math
import os
import re
import time
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import RecordingError, require
from ..files import put_in_place, write_whole
from ..messages.fields import FIELDS, MODEL
from ..messages.results import carrier_values
from ..messages.times import SampleClock, time_text
from ..signal.channelizer import as_complex
from . import sigmf_text
from .annotations import EXTENSION, GENERATOR, annotation
from .formats import sample_format
from .metadata import DATA_SUFFIX, META_SUFFIX, load

PART = ".part"
BROKEN = ".broken"
PREFIX = "rpmsn_"
PROGRAM = GENERATOR.split()[0]
LOCK_NAME = ".rpmsn-snippets.lock"
DISK_BLOCK = 4096
META_BYTES = 1 << 16
"""Room that is kept for the metadata of a snippet that grows; it is there twice at times."""
MAX_CAPTURES = 64
"""A snippet with more breaks than this ends, and its metadata stays small."""
HASH_BYTES = 1 << 20

logger = logging.getLogger(__name__)


def to_int16(values: np.ndarray, full_scale: float) -> np.ndarray:
    """float32 as little-endian int16, rounded, with what is too large at the limits."""
    values = values * np.float32(full_scale)
    np.rint(values, out=values)
    lowest, highest = map(np.float32, (np.iinfo(np.int16).min, np.iinfo(np.int16).max))
    np.minimum(np.maximum(values, lowest, out=values), highest, out=values)  # np.clip takes twice as long
    return values.astype("<i2")


class SnippetStore:
    """The snippets in a folder, and the room that is left for more.

    Attributes:
        used: bytes on the disk, with what is kept free for those that grow.
        deleted: snippets that were deleted for lack of room.
    """

    def __init__(self, folder: Path, quota_bytes: float) -> None:
        self.folder = folder
        self.used = 0
        self.deleted = 0
        self._quota_bytes = quota_bytes
        self._finished: deque[tuple[tuple[Path, ...], int]] = deque()

    def find(self) -> None:
        """Finish what an earlier run left behind, and count what earlier runs recorded."""
        recover_all(self.folder)
        # Metadata come before the first samples, so that data without them are a snippet that was not begun.
        data_parts = self.folder.glob(f"{PREFIX}*{DATA_SUFFIX}{PART}")
        alone = [path for path in data_parts if not _beside(path, DATA_SUFFIX, META_SUFFIX).exists()]
        for path in [*alone, *self.folder.glob(f".{PREFIX}*.tmp")]:
            with suppress(OSError):
                path.unlink()
        found: list[tuple[Path, ...]] = [
            (path, _beside(path, META_SUFFIX, DATA_SUFFIX))
            for path in self.folder.glob(f"{PREFIX}*{META_SUFFIX}")
            if _is_ours(path)
        ]
        found += [(path,) for path in self.folder.glob(f"{PREFIX}*{BROKEN}*")]
        for paths in sorted(found, key=lambda paths: (paths[0].stat().st_mtime_ns, paths[0].name)):
            self._count(paths)
        # What could not be finished or set aside takes its room until somebody removes it.
        self.used += sum(on_disk(path.stat().st_size) for path in self.folder.glob(f"{PREFIX}*{PART}"))
        self.reserve(0)

    def reserve(self, size: int) -> bool:
        """Make room for so many more bytes, if need be by deleting the oldest; False where that is not enough."""
        while self.used + size > self._quota_bytes and self._finished:
            self._delete(*self._finished.popleft())
        if self.used + size > self._quota_bytes:
            return False
        self.used += size
        return True

    def release(self, size: int) -> None:
        """Give reserved bytes back."""
        self.used -= size

    def add(self, name: str, reserved: int) -> None:
        """A snippet is finished: from now on it takes the room that its files take, instead of what was reserved."""
        self._count(tuple(self.folder / (name + suffix) for suffix in (META_SUFFIX, DATA_SUFFIX)))
        self.used -= reserved

    def _count(self, paths: tuple[Path, ...]) -> None:
        """Count files that may be deleted, together, to make room."""
        size = sum(on_disk(path.stat().st_size) for path in paths if path.exists())
        self._finished.append((paths, size))
        self.used += size

    def _delete(self, paths: tuple[Path, ...], size: int) -> None:
        """Delete the files of a snippet, metadata first; one that cannot be deleted still takes its room."""
        try:
            for path in paths:
                path.unlink(missing_ok=True)
        except OSError as error:
            logger.warning("%s cannot be deleted: %s", path, error.strerror or error)
            return
        self.used -= size
        self.deleted += 1


@dataclass(frozen=True)
class Target:
    """What is known of a carrier, to be written beside the samples.

    Attributes:
        carrier_id: its number.
        label, freq_lower, freq_upper: class, and edges in Hz.
        values: as `annotation` takes them.
        sample_start, sample_end: of the stream.
        key: number of the carrier among those that a writer has recorded; never given twice.
    """

    carrier_id: int
    label: str
    freq_lower: float
    freq_upper: float
    values: dict[str, Any]
    sample_start: int
    sample_end: int
    key: int = 0

    @classmethod
    def of(cls, carrier: Any, key: int = 0) -> Target:
        """What is known at this moment; the carrier itself keeps changing."""
        return cls(
            int(carrier.carrier_id),
            str(carrier.label),
            float(carrier.freq_lower),
            float(carrier.freq_upper),
            carrier_values(carrier),
            int(carrier.sample_start),
            int(carrier.sample_end),
            key,
        )


class Snippet:
    """A snippet that grows. Made by `begin_snippet`.

    Args:
        store: SnippetStore; `META_BYTES` of it are reserved for this snippet.
        stem: of its name, as of `snippet_stem`; a number is added where it is taken.
        description: of the recording, for its metadata.
        targets: carriers that are annotated.
        datatype: SigMF name of the sample format, `ci16_le` or `cf32_le`.
        sample_rate: of the snippet, Hz.
        stream_rate: of the stream that it was cut out of, Hz.
        model: name of the model.

    Attributes:
        samples: how many it has.
        targets: may change until it is finished.

    Raises:
        OSError: it cannot be made.
    """

    def __init__(
        self,
        store: SnippetStore,
        stem: str,
        description: str,
        targets: Sequence[Target],
        datatype: str,
        sample_rate: float,
        stream_rate: float,
        model: str,
    ) -> None:
        self.targets = targets
        self.samples = 0
        self._description = description
        self._store = store
        self._format = sample_format(datatype)
        self._sample_rate, self._stream_rate = sample_rate, stream_rate
        self._model = model
        self._captures: list[tuple[int, int, float, str | None]] = []
        self._hash = hashlib.sha512()
        # Checksum and disk, each in a thread: both take as long as writing does.
        self._threads = ThreadPoolExecutor(2, "rpmsn snippet")
        self._hashed: Future[None] | None = None
        self._synced: Future[None] | None = None
        self._is_dirty = True
        self._reserved = META_BYTES
        self.name, self._handle = self._create(stem)
        self._is_open = True

    @property
    def is_broken_up(self) -> bool:
        """Whether it has so many breaks that it should end."""
        return len(self._captures) >= MAX_CAPTURES

    @property
    def first_offset(self) -> int:
        """Number of the stream's sample that it begins with; there is a capture."""
        return self._captures[0][1]

    def begin_capture(self, offset: int, center_frequency: float, clock: SampleClock) -> None:
        """The samples that follow are of another chunk of the stream. On the disk it says so before they are there.

        Args:
            offset: number of the stream's sample that the next one of the snippet belongs to.
            center_frequency: of the snippet, Hz.
            clock: of the stream.

        Raises:
            OSError: that cannot be written.
        """
        self._captures.append((self.samples, offset, center_frequency, time_text(clock.at(offset))))
        self._save_metadata()

    def write(self, samples: np.ndarray) -> bool:
        """Append samples; False where there is no room for them.

        Args:
            samples: complex64 of shape (n,), or integers of shape (n, 2).

        Raises:
            OSError: they cannot be written. What was written before stays as it was.
        """
        data = self._encode(samples)
        more = on_disk(self._bytes + len(data)) - on_disk(self._bytes)
        if not self._store.reserve(more):
            return False
        self._reserved += more
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self._handle, rest) :]
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._handle, self._bytes)
                os.lseek(self._handle, self._bytes, os.SEEK_SET)
            raise
        if self._hashed is not None:
            self._hashed.result()
        self._hashed = self._threads.submit(self._hash.update, data)
        self.samples += len(samples)
        self._is_dirty = True
        return True

    def save(self) -> None:
        """Bring what is on the disk up to date, so that little is lost by a power cut."""
        if self._is_dirty:
            os.fsync(self._handle)
            self._save_metadata()
            self._is_dirty = False

    def save_soon(self) -> None:
        """The same, without waiting for the disk.

        Raises:
            OSError: the last time was not possible.
        """
        if self._is_dirty and (self._synced is None or self._synced.done()):
            if self._synced is not None:
                self._synced.result()
            self._save_metadata()
            self._synced = self._threads.submit(os.fsync, self._handle)
            self._is_dirty = False

    def finish(self) -> None:
        """Give the files their final names, data first; one without samples is deleted.

        Raises:
            OSError: that is not possible; it can be tried again.
        """
        if not self.samples:
            self.discard()
            return
        if self._is_open:
            self._threads.shutdown()
            os.ftruncate(self._handle, self._bytes)
            os.fsync(self._handle)
            os.close(self._handle)
            self._is_open = False
        metadata = self._metadata()
        metadata["captures"] = [entry for entry in metadata["captures"] if entry["core:sample_start"] < self.samples]
        metadata["annotations"] = [entry for entry in metadata["annotations"] if entry["core:sample_count"]]
        metadata["global"]["core:sha512"] = self._hash.hexdigest()
        _put_in_place(self._store.folder, self.name, metadata)
        self._store.add(self.name, self._reserved)

    def discard(self) -> None:
        """Delete what there is of it."""
        if self._is_open:
            self._threads.shutdown()
            os.close(self._handle)
            self._is_open = False
        for suffix in (DATA_SUFFIX, META_SUFFIX):
            self._path(suffix + PART).unlink(missing_ok=True)
        self._store.release(self._reserved)

    @property
    def _bytes(self):
        return self.samples * self._format.bytes_per_sample

    def _path(self, suffix):
        return self._store.folder / (self.name + suffix)

    def _create(self, stem: str) -> tuple[str, int]:
        """(name that is not taken, handle of its data file)."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        for number in itertools.count(1):
            name = stem if number == 1 else f"{stem}_{number}"
            if any(os.path.lexists(self._store.folder / (name + suffix)) for suffix in (DATA_SUFFIX, META_SUFFIX)):
                continue
            with suppress(FileExistsError):
                return name, os.open(self._store.folder / (name + DATA_SUFFIX + PART), flags, 0o666)
        raise AssertionError("counting has no end")

    def _encode(self, samples):
        """Samples of any kind as the bytes of the file."""
        if samples.dtype == self._format.component:
            return samples.tobytes()
        values = np.ascontiguousarray(as_complex(samples)).view(np.float32)
        if self._format.component == np.float32:
            return values.astype("<f4", copy=False).tobytes()
        return to_int16(values, self._format.full_scale).tobytes()

    def _save_metadata(self):
        write_whole(self._path(META_SUFFIX + PART), sigmf_text.write(self._metadata()))

    def _metadata(self):
        """The metadata as they would be now."""
        captures = [
            {"core:sample_start": index, "core:frequency": float(frequency), "core:datetime": text}
            for index, _, frequency, text in self._captures
        ]
        return {
            "global": {
                "core:datatype": self._format.name,
                "core:sample_rate": float(self._sample_rate),
                "core:recorder": GENERATOR,
                "core:extensions": [EXTENSION],
                "core:description": self._description,
                **({FIELDS[MODEL].sigmf: self._model} if self._model else {}),
            },
            "captures": [{key: value for key, value in capture.items() if value is not None} for capture in captures],
            "annotations": [self._annotation(target) for target in self.targets],
        }

    def _annotation(self, target):
        start, end = self._index(target.sample_start), self._index(target.sample_end)
        return annotation(target.values, target.carrier_id, start, max(0, end - start))

    def _index(self, offset):
        """Sample of the snippet that a sample of the stream became, or the nearest one that it has."""
        ends = [capture[0] for capture in self._captures[1:]] + [self.samples]
        for (begin, begin_offset, _, _), end in reversed(list(zip(self._captures, ends))):
            if offset >= begin_offset:
                return min(end, begin + round((offset - begin_offset) * self._sample_rate / self._stream_rate))
        return 0


def begin_snippet(store: SnippetStore, *arguments: Any) -> Snippet | None:
    """A new Snippet; None where there is no room for one.

    Raises:
        OSError: it cannot be made.
    """
    if not store.reserve(META_BYTES):
        return None
    try:
        return Snippet(store, *arguments)
    except OSError:
        store.release(META_BYTES)
        raise


def on_disk(size: int) -> int:
    """Bytes that a file of this size takes."""
    return math.ceil(size / DISK_BLOCK) * DISK_BLOCK


def snippet_stem(begin: tuple[int, float], what: str, center_frequency: float) -> str:
    """`rpmsn_<UTC>_<what>_<centre>MHz`, with nothing in it that a file system or a shell stumbles over.

    Args:
        begin: (whole seconds since 1970, fraction) of about its begin.
        what: what is recorded, in a word.
        center_frequency: Hz.
    """
    moment = time.strftime("%Y%m%dT%H%M%S", time.gmtime(max(0, begin[0])))
    what = re.sub(r"[^A-Za-z0-9]+", "-", what) or "-"
    return f"{PREFIX}{moment}.{int(begin[1] * 1000):03d}Z_{what}_{center_frequency / 1e6:.3f}MHz"


def check_folder(folder: str | os.PathLike[str]) -> Path:
    """A folder to record to, which must be there.

    Raises:
        ParameterError: it is no path.
        RecordingError: it is not there.
    """
    is_path = isinstance(folder, (str, os.PathLike)) and bool(str(folder)) and "\0" not in str(folder)
    require("the snippets", "folder", folder, is_path, "the path of a folder")
    folder = Path(folder)
    if not folder.is_dir():
        what = "is not a folder" if folder.exists() else "does not exist"
        raise RecordingError(f"{folder} {what}: make the folder that is to be recorded to first.")
    return folder


def lock_folder(folder: Path) -> int:
    """Keep other writers out of the folder as long as the handle that is returned is open, so not after a kill.

    Raises:
        RecordingError: it cannot be written to, or another writer uses it.
    """
    try:
        handle = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise RecordingError(
            f"{folder} cannot be written to: {error.strerror or error}. Choose a folder with space "
            "that you may write to."
        ) from error
    try:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise RecordingError(f"{folder} is used by another writer of snippets: choose a folder for this one.") from None
    except (ImportError, OSError):
        pass  # Windows, or a file system without locks
    return handle


def recover_all(folder: Path) -> None:
    """Finish what runs that were killed left behind in a folder, which is locked."""
    for meta_part in sorted(folder.glob(f"{PREFIX}*{META_SUFFIX}{PART}")):
        _recover(folder, meta_part.name.removesuffix(META_SUFFIX + PART))


def _put_in_place(folder: Path, name: str, metadata: Mapping[str, Any]) -> None:
    """Give a whole snippet its final names. After a kill in between `_recover` does the rest."""
    part = folder / (name + DATA_SUFFIX + PART)
    if part.exists():
        os.replace(part, folder / (name + DATA_SUFFIX))
    write_whole(folder / (name + META_SUFFIX), sigmf_text.write(metadata))
    (folder / (name + META_SUFFIX + PART)).unlink(missing_ok=True)


def _recover(folder: Path, name: str) -> None:
    """Finish a snippet that a run which was killed left behind. Whatever is wrong with it, recording goes on.

    One without samples is deleted, and one that is not as this program writes them is set aside.
    """
    meta_part, part = folder / (name + META_SUFFIX + PART), folder / (name + DATA_SUFFIX + PART)
    data = part if part.exists() else folder / (name + DATA_SUFFIX)
    try:
        if not data.exists() or not data.stat().st_size:
            data.unlink(missing_ok=True)
            meta_part.unlink()
            return
        try:
            samples, metadata = _finished_metadata(meta_part, data)
        except Exception as error:  # any, by what stands in metadata that were not written to their end
            for path in (data, meta_part):
                aside = _set_aside(path)
                logger.warning("%s is set aside as %s: repair or delete it (%s)", path, aside.name, error)
            return
        os.truncate(data, samples * sample_format(metadata["global"]["core:datatype"]).bytes_per_sample)
        metadata["global"]["core:sha512"] = _hash_of(data)
        _put_in_place(folder, name, metadata)
    except OSError as error:
        # Not ours to change, or a disk without room: it stays as it is, and the next run tries again.
        logger.warning("%s cannot be finished now: %s", meta_part, error.strerror or error)


def _finished_metadata(meta_part: Path, data: Path) -> tuple[int, dict]:
    """(samples that the data hold, metadata as they would be had the snippet ended with the last of them).

    Raises:
        Exception: of one kind or another, where the metadata are not as this program writes them.
    """
    metadata = load(meta_part)
    samples = os.stat(data).st_size // sample_format(metadata["global"]["core:datatype"]).bytes_per_sample
    metadata["captures"] = [entry for entry in metadata["captures"] if entry["core:sample_start"] < samples]
    for entry in metadata["annotations"]:
        # It was on the air to the end, as far as is known.
        entry["core:sample_count"] = max(0, samples - entry["core:sample_start"])
    if not (samples and metadata["captures"]):
        raise RecordingError(f"{meta_part} has no samples or captures")
    sigmf_text.write(metadata)
    return samples, metadata


def _set_aside(path: Path) -> Path:
    """Give a file the first name that ends in `.broken` and is not taken."""
    stem = path.name.removesuffix(PART) + BROKEN
    for number in itertools.count(1):
        aside = path.with_name(stem if number == 1 else f"{stem}_{number}")
        with suppress(FileExistsError):
            put_in_place(path, aside, overwrite=False)
            return aside
    raise AssertionError("counting has no end")


def _beside(path: Path, suffix: str, other: str) -> Path:
    """The other of the two files of a snippet."""
    return path.with_name(path.name.replace(suffix, other))


def _hash_of(path: Path) -> str:
    """SHA-512 of a file."""
    found = hashlib.sha512()
    with open(path, "rb") as file:
        while piece := file.read(HASH_BYTES):
            found.update(piece)
    return found.hexdigest()


def _is_ours(path: Path) -> bool:
    """Whether a metadata file was written by this program, under the name that it has now."""
    try:
        return str(load(path)["global"].get("core:recorder")).split()[:1] == [PROGRAM]
    except RecordingError:
        return False
