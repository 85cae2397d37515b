# SPDX-License-Identifier: GPL-3.0-or-later
"""Compressed recordings, and samples from a pipe: unpacked into temporary space of bounded size, in one pass."""

import bz2
import gzip
import io
import lzma
import os
import select
import stat
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from ...errors import RecordingError
from ..metadata import DATA_SUFFIX, LONGEST_METADATA, META_SUFFIX
from ..stores import FileStore, unpack

GZIP, BZIP2, XZ, ZSTD, ZIP = b"\x1f\x8b\x08", b"BZh", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd", b"PK\x03\x04"
ENDINGS = (".gz", ".bz2", ".xz", ".zst", ".zstd", ".zip")
UNPACKERS = {GZIP: "gzip -dk", BZIP2: "bzip2 -dk", XZ: "xz -dk", ZSTD: "zstd -dk", ZIP: "unzip"}
LONGEST_WINDOW = 1 << 27
"""Bytes that zstd may look back."""
ZSTD_PIECE = 1 << 10
"""Packed bytes at a time: they may become 30,000 times as many."""
LONGEST_SILENCE_S = 60.0
POLL_SECONDS = 0.2


def compression(head: bytes) -> bytes | None:
    """The magic number of the compression of a file; None where it is not compressed."""
    for magic in UNPACKERS:
        if head.startswith(magic) and (magic != BZIP2 or head[3:4].isdigit() and head[4:10] == b"1AY&SY"):
            return magic
    return None


def inner_name(path: Path) -> Path:
    """The name that the unpacked file has."""
    return path.with_suffix("") if path.suffix.lower() in ENDINGS else path


def open_compressed(path: Path, magic: bytes, packed: FileStore) -> tuple[FileStore, Path, bytes | None, str]:
    """Unpack the one recording in it.

    Returns:
        Its Store, its name, its metadata where they are in there too, and a sentence on the space.

    Raises:
        RecordingError: damaged, too large, several recordings, or a library is missing.
    """
    how = f"unpack it first ({UNPACKERS[magic]} {path.name}) and name the file that comes out."
    try:
        if magic == ZIP:
            return _open_zip(path, packed, how)
        with _reader(path, magic, packed.reader()) as file:
            store, note = unpack(path, file.read, how)
    except RecordingError:
        raise
    except Exception as error:  # whatever the libraries raise for what is damaged
        raise RecordingError(f"{path} cannot be unpacked: {error or type(error).__name__}. Fetch it again.") from error
    return store, inner_name(path), None, note


def open_pipe(path: Path) -> tuple[FileStore, str]:
    """All that comes out of a pipe; `-` is stdin.

    Raises:
        RecordingError: it is more than may be kept, nothing comes for `LONGEST_SILENCE_S`, or it is a device.
    """
    if str(path) != "-":
        # Opened for reading alone and waiting, it would wait for a writer without end.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        try:
            return _all_of(path, handle)
        finally:
            os.close(handle)
    if sys.stdin is None or sys.stdin.isatty():
        what = "closed" if sys.stdin is None else "a terminal"
        raise RecordingError(f"stdin is {what}: pass samples through a pipe, such as rx_sdr ... | rpmsn annotate -")
    return _all_of(Path("stdin"), sys.stdin.fileno())


def _all_of(path: Path, handle: int) -> tuple[FileStore, str]:
    how = "write it to a file first, or pass less through the pipe (head -c)."
    opened = os.fstat(handle)
    is_device = stat.S_ISCHR(opened.st_mode) or stat.S_ISBLK(opened.st_mode)
    if is_device and opened.st_rdev != os.stat(os.devnull).st_rdev:
        raise RecordingError(f"{path} is a device, which has no end: {how}")
    return unpack(path, lambda count: _next_of_pipe(path, handle, count), how)


def _next_of_pipe(path: Path, handle: int, count: int) -> bytes:
    """What comes next; nothing at the end."""
    until = time.monotonic() + LONGEST_SILENCE_S
    while time.monotonic() < until:
        # A pipe that nobody has opened for writing yet reads as one that has ended.
        ready, _, _ = select.select([handle], [], [], POLL_SECONDS)
        if ready:
            try:
                return os.read(handle, count)
            except BlockingIOError:
                continue
    raise RecordingError(f"nothing came from {path} for {LONGEST_SILENCE_S:g} s: start what writes to it first.")


def _reader(path: Path, magic: bytes, packed: BinaryIO) -> Any:
    if magic == GZIP:
        return gzip.open(packed, "rb")
    if magic == BZIP2:
        return bz2.open(packed, "rb")
    if magic == XZ:
        return lzma.open(packed, "rb")
    try:
        import zstandard
    except ImportError as error:
        raise RecordingError(
            f"{path} is compressed by zstd: pip install zstandard, or unpack it first (zstd -dk {path.name})."
        ) from error
    return _ZstdFile(packed, zstandard.ZstdDecompressor(max_window_size=LONGEST_WINDOW).decompressobj)


class _ZstdFile(io.RawIOBase):
    """What is in frames of zstd. The library's own reader takes a file that was cut off for one that has ended."""

    def __init__(self, packed: BinaryIO, decompressor: Callable[[], Any]) -> None:
        self._packed, self._decompressor = packed, decompressor
        self._frame: Any = None
        self._left, self._ready = b"", memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready:
            packed = self._left or self._packed.read(ZSTD_PIECE)
            if not packed:
                if self._frame is not None:
                    raise EOFError("it is cut off")
                return 0
            self._frame = self._frame or self._decompressor()
            self._ready, self._left = memoryview(self._frame.decompress(packed)), b""
            if self._frame.eof:
                self._left, self._frame = self._frame.unused_data, None
        view = memoryview(buffer).cast("B")
        count = min(len(view), len(self._ready))
        view[:count], self._ready = self._ready[:count], self._ready[count:]
        return count


def _open_zip(path: Path, packed: FileStore, how: str) -> tuple[FileStore, Path, bytes | None, str]:
    """The only file in a zip, or the only SigMF pair."""
    with zipfile.ZipFile(packed.reader()) as archive:
        entries = {entry.filename: entry for entry in archive.infolist() if not entry.is_dir()}
        bases = [name.removesuffix(META_SUFFIX) for name in entries if name.endswith(META_SUFFIX)]
        pairs = [base for base in bases if base + DATA_SUFFIX in entries]
        names = [pairs[0] + DATA_SUFFIX] if len(pairs) == 1 else list(entries)
        if len(names) != 1:
            raise RecordingError(f"{path} is a zip archive of {len(entries)} files: {how}")
        raw = None
        if len(pairs) == 1:
            with archive.open(pairs[0] + META_SUFFIX) as file:
                raw = file.read(LONGEST_METADATA + 1)
        if not names[0]:
            raise RecordingError(f"{path} cannot be unpacked: the file in it has no name. {how}")
        with archive.open(names[0]) as file:
            store, note = unpack(path, file.read, how)
    return store, path.with_name(Path(names[0]).name or path.name), raw, note
