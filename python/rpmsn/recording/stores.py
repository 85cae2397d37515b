# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the bytes of a recording are: a file, a part of one, or what had to be unpacked first."""

import io
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from ..errors import RecordingError

LONGEST_UNPACKED = 8 << 30
"""Bytes of temporary space that a compressed recording, or one from a pipe, may take."""
FREE_FRACTION = 0.5
"""Of the free space of the temporary folder, no more than this is used."""
PIECE = 1 << 20


class Store(Protocol):
    """Bytes by position; not for several threads at once."""

    size: int

    def fill(self, position: int, view: memoryview) -> None:
        """Fill `view` with the bytes from `position` on.

        Raises:
            RecordingError: they cannot be read, or are not there any more.
        """

    def close(self) -> None:
        """Let go of what is open. May be called twice."""


class FileStore:
    """A file, or the part of it from byte `start` on; several threads may read at once.

    Args:
        path: of the file; the name in messages.
        start, size: the part; to the end without `size`.
        file: open file of these bytes, where they are not those of `path`.

    Attributes:
        is_file: whether the bytes are those of `path`.

    Raises:
        OSError: the file cannot be opened.
    """

    def __init__(self, path: Path, start: int = 0, size: int | None = None, file: io.FileIO | None = None) -> None:
        self._path, self._start, self.is_file = path, start, file is None
        self._file = file or open(path, "rb", buffering=0)  # noqa: SIM115 - closed by close()
        end = os.fstat(self._file.fileno()).st_size
        self.size = max(0, min(end - start, end if size is None else size))

    def fill(self, position: int, view: memoryview) -> None:
        """As of Store."""
        position += self._start
        try:
            while view:
                n = os.preadv(self._file.fileno(), [view], position)
                if not n:
                    raise RecordingError(
                        f"{self._path} has become shorter since it was opened: it ends before byte "
                        f"{position + len(view)}. Open it again when nothing writes to it any more."
                    )
                view, position = view[n:], position + n
        except (OSError, ValueError) as error:  # ValueError: closed
            reason = getattr(error, "strerror", None) or error
            raise RecordingError(f"{self._path} cannot be read at byte {position}: {reason}.") from error

    def close(self) -> None:
        """As of Store."""
        self._file.close()

    def part(self, start: int, size: int) -> "FileStore":
        """Some of its bytes; to be used in place of this one."""
        return FileStore(self._path, self._start + start, size, self._file)

    def head(self, count: int) -> bytes:
        """Its first bytes, `count` at most."""
        head = bytearray(min(count, self.size))
        self.fill(0, memoryview(head))
        return bytes(head)

    def reader(self) -> io.BufferedReader:
        """Its bytes as a file; closing it closes nothing."""
        return io.BufferedReader(_StoreFile(self), PIECE)


class _StoreFile(io.RawIOBase):
    """A store as Python's libraries read files."""

    def __init__(self, store: FileStore) -> None:
        self._store, self._position = store, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        count = max(0, min(len(view), self._store.size - self._position))
        self._store.fill(self._position, view[:count])
        self._position += count
        return count

    def seek(self, position: int, whence: int = 0) -> int:
        position += (0, self._position, self._store.size)[whence]
        if position < 0:
            raise ValueError(f"there is no byte {position}")
        self._position = position
        return position

    def tell(self) -> int:
        return self._position


def unpack(path: Path, read: Callable[[int], bytes], how: str) -> tuple[FileStore, str]:
    """Copy what `read(n)` gives, until it gives nothing, to a temporary file that nobody else sees.

    Args:
        path: what it comes from, for messages.
        read: the next bytes, n at most.
        how: what to do where it takes too much space.

    Returns:
        The Store, and a sentence about the space that it takes.

    Raises:
        RecordingError: it takes too much space, or cannot be written.
        Exception: what `read` raises.
    """
    folder = tempfile.gettempdir()
    allowed = min(LONGEST_UNPACKED, int(FREE_FRACTION * shutil.disk_usage(folder).free))
    file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - the store closes it
    try:
        size = 0
        while piece := read(PIECE):
            size += len(piece)
            if size > allowed:
                raise RecordingError(
                    f"{path} takes more than {_size(allowed)} unpacked, all that is used of {folder}: {how}"
                )
            if file.write(piece) != len(piece):
                raise RecordingError(f"{folder} is full: {how}")
    except BaseException:
        file.close()
        raise
    return FileStore(path, file=file), f"unpacked to {_size(size)} in {folder}, until the end"


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"
