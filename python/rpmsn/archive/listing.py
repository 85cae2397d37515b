# SPDX-License-Identifier: GPL-3.0-or-later
"""Files, folders and patterns -> recordings, each once.

In folders a recording is known by its name alone, so that a listing is quick: only metadata whose samples are not in
the `.sigmf-data` file beside it are opened. Whether a recording can be read shows when it is.
"""

import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from ..errors import ParameterError, RecordingError
from ..messages import keys
from ..recording import metadata as sigmf_metadata
from ..recording.annotations import is_output_name
from ..recording.metadata import DATA_SUFFIX, META_SUFFIX
from ..recording.readers import compressed, names
from ..recording.readers.digital_rf import PROPERTIES, is_digital_rf

ALWAYS = (DATA_SUFFIX, ".sigmf", ".wav", ".rf64", ".bw64", ".blue", ".prm", *names.ENDINGS)
"""Endings of recordings."""
WITH_RATE = (".npy", ".raw", ".iq")
"""Endings of recordings where the rate is given, or in the name."""
DESCRIBED = (".bin", ".dat")
"""Endings of recordings where format and rate are given."""
ANY_DEPTH = "**"
"""In patterns: any number of folders."""
MODEL = keys.FIELDS[keys.MODEL].sigmf


@dataclass(frozen=True)
class Listed:
    """A recording that was found.

    Attributes:
        path: what to open.
        data: the file, or folder, with the samples, which results are named after; `path` where it is not known.
        size: bytes of that file.
    """

    path: str
    data: str
    size: int = 0


@dataclass
class Listing:
    """What was found.

    Attributes:
        recordings: in the order of the sources, in folders in that of their names.
        faults: (source or path, sentence) of what is no recording, or cannot be listed.
        root: the folder around all sources.
    """

    recordings: list[Listed] = field(default_factory=list)
    faults: list[tuple[str, str]] = field(default_factory=list)
    root: str = os.curdir


def is_many(sources: Sequence[str]) -> bool:
    """Whether sources may be other than one recording: several, a folder, or a pattern."""
    return len(sources) != 1 or _is_folder(sources[0]) or _is_pattern(sources[0])


def find_recordings(sources: Sequence[str], has_format: bool = False, has_rate: bool = False) -> Listing:
    """The recordings in sources.

    Args:
        sources: recordings, folders, which are searched with all folders in them, and patterns.
        has_format, has_rate: whether the caller gives the format of samples, and their rate, where files do not.

    Raises:
        ParameterError: a source is stdin.
    """
    if "-" in sources:
        raise ParameterError("IN is -, stdin: that is one recording; name it alone")
    finder = _Finder(has_format, has_rate)
    around = [finder.add_source(source) for source in sources]
    finder.listing.root = os.path.commonpath(around)
    return finder.listing


def _is_folder(source: str) -> bool:
    return os.path.isdir(source) and not os.path.isfile(source + META_SUFFIX) and not is_digital_rf(Path(source))


def _is_pattern(source: str) -> bool:
    return glob.has_magic(source) and not os.path.lexists(source) and not os.path.isfile(source + META_SUFFIX)


def is_recording_name(name: str, has_format: bool, has_rate: bool) -> bool:
    """Whether a file without metadata is a recording, by its name; arguments as of `find_recordings`."""
    inner = compressed.inner_name(Path(name))
    ending = inner.suffix.lower()
    if ending in WITH_RATE:
        return has_rate or names.read_name(inner).sample_rate is not None
    return ending in ALWAYS or (ending in DESCRIBED and has_format and has_rate)


class _Finder:
    """Fills a Listing."""

    def __init__(self, has_format: bool, has_rate: bool) -> None:
        self._has_format, self._has_rate = has_format, has_rate
        self.listing = Listing()
        self._seen: set[str] = set()
        self._folders: set[tuple[int, int]] = set()

    def add_source(self, source: str) -> str:
        """Add what is in a source; returns the folder around it, absolute."""
        if not _is_pattern(source):
            self._add_path(source)
            return os.path.abspath(source if _is_folder(source) else os.path.dirname(source))
        fixed = _fixed_part(source)
        paths = _matches(source, fixed)
        for path in paths:
            self._add_path(path)
        if not paths:
            self._fault(source, f"nothing has a name like {source}: check the pattern.")
        return os.path.abspath(fixed)

    def _fault(self, path: str, sentence: str) -> None:
        self.listing.faults.append((path, sentence))

    def _add_path(self, path: str) -> None:
        """Add what the user, a pattern or a shell named."""
        if _is_folder(path):
            self._add_folder(path)
            return
        folder, name = os.path.split(os.path.normpath(path) if os.path.isdir(path) else path)
        meta = name if name.endswith(META_SUFFIX) else name.removesuffix(DATA_SUFFIX) + META_SUFFIX
        if os.path.isfile(os.path.join(folder, meta)):
            data = meta.removesuffix(META_SUFFIX) + DATA_SUFFIX
            pair = self._pair(folder, meta, {data} if os.path.isfile(os.path.join(folder, data)) else set())
            if pair is not None:
                self._add(folder, *pair)
            if pair is not None or meta == name:
                return
        if os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path):
            self._fault(path, f"{path} is a pipe or a device: that is one recording; name it alone.")
            return
        self._add(folder, name, name)

    def _add_folder(self, folder: str) -> None:
        before = len(self._seen), len(self.listing.faults)
        is_new = False
        for inner, files in _walk(folder, self._folders, self.listing.faults):
            is_new = True
            if PROPERTIES in files:
                above, name = os.path.split(os.path.normpath(inner))
                self._add(above, name, name)
            else:
                self._add_files(inner, files)
        if is_new and before == (len(self._seen), len(self.listing.faults)):
            self._fault(folder, f"{folder} holds no file with the name of a recording: name the files themselves.")

    def _add_files(self, folder: str, files: list[str]) -> None:
        """Add what by its name is a recording, in a folder."""
        there = set(files)
        pairs = [pair for name in files if name.endswith(META_SUFFIX) and (pair := self._pair(folder, name, there))]
        described = {name for pair in pairs for name in pair}
        alone = (name for name in files if name not in described and not name.endswith(META_SUFFIX))
        for name, data in sorted(
            pairs + [(name, name) for name in alone if is_recording_name(name, self._has_format, self._has_rate)]
        ):
            self._add(folder, name, data)

    def _pair(self, folder: str, meta: str, there: Iterable[str]) -> tuple[str, str] | None:
        """(what to open, data file) of a metadata file; None where it is annotations of this program for others' data.

        Args:
            there: names of the files in the folder.
        """
        data = meta.removesuffix(META_SUFFIX) + DATA_SUFFIX
        if data in there:
            return meta, data
        packed = next((data + ending for ending in compressed.ENDINGS if data + ending in there), None)
        if packed is not None:
            return packed, packed
        if is_output_name(meta):
            return None
        path = Path(folder, meta)
        try:
            metadata = sigmf_metadata.load(path)
            if MODEL in metadata["global"]:
                return None
            return meta, sigmf_metadata.find_data(path, metadata, path)[0].name
        except RecordingError:
            return meta, meta  # whoever opens it will say so

    def _add(self, folder: str, name: str, data: str) -> None:
        """Add a recording unless it is there already, under whatever name."""
        path = os.path.join(folder, name)
        real = os.path.realpath(path)
        if real in self._seen:
            return
        self._seen.add(real)
        data = os.path.join(folder, data)
        self.listing.recordings.append(Listed(path, data, os.path.getsize(data) if os.path.isfile(data) else 0))


def _walk(folder: str, entered: set[tuple[int, int]], faults: list[tuple[str, str]]) -> Iterator[tuple[str, list[str]]]:
    """(folder, names of its files, sorted) of a folder and those in it, but not in Digital RF; none that is hidden.

    Args:
        entered: device and inode of the folders that are not entered again, by a symbolic link for instance; filled.
        faults: as of Listing; filled.
    """
    waiting = [folder]
    while waiting:
        folder = waiting.pop()
        folders, files = [], []
        try:
            status = os.stat(folder)
            if (status.st_dev, status.st_ino) in entered:
                continue
            entered.add((status.st_dev, status.st_ino))
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.name.startswith("."):
                        continue
                    if entry.is_dir():
                        folders.append(entry.path)
                    elif entry.is_file() or not os.path.exists(entry.path):  # a link to nothing is told of
                        files.append(entry.name)
        except OSError as error:
            faults.append((folder, f"{folder} cannot be listed: {error.strerror}."))
            continue
        yield folder, sorted(files)
        if PROPERTIES not in files:
            waiting += sorted(folders, reverse=True)


def _fixed_part(pattern: str) -> str:
    """The folder before the first part of a pattern that is one."""
    fixed = pattern
    while glob.has_magic(fixed):
        fixed = os.path.dirname(fixed)
    return fixed or os.curdir


def _matches(pattern: str, fixed: str) -> list[str]:
    """The paths that a pattern means. With `ANY_DEPTH` they are files, and each folder is entered once, which Python's
    `glob` does not see to."""
    if ANY_DEPTH not in pattern:
        return sorted(glob.glob(pattern))
    parts = os.path.relpath(pattern, fixed).split(os.sep)
    found = []
    for folder, files in _walk(fixed, set(), []):
        inner = [] if folder == fixed else os.path.relpath(folder, fixed).split(os.sep)
        found += [os.path.normpath(os.path.join(folder, name)) for name in files if _is_like([*inner, name], parts)]
    return found


def _is_like(steps: list[str], parts: list[str]) -> bool:
    """Whether the names on the way to a file match the parts of a pattern."""
    if not steps or not parts:
        return not steps and not parts
    if parts[0] == ANY_DEPTH:
        return len(parts) == 1 or _is_like(steps, parts[1:]) or _is_like(steps[1:], parts)
    return fnmatchcase(steps[0], parts[0]) and _is_like(steps[1:], parts[1:])
