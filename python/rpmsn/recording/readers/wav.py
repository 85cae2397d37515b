# SPDX-License-Identifier: GPL-3.0-or-later
"""WAV, RF64 and BW64 files of I/Q samples (EBU Tech 3306; the chunk `auxi` as SDR programs write it)."""

import datetime as dt
import re
import struct
from pathlib import Path
from typing import BinaryIO

from ...errors import RecordingError
from ..stores import FileStore
from .found import Found, capture, described

PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE
TYPES = {(PCM, 8): "u8", (PCM, 16): "i16_le", (PCM, 32): "i32_le", (FLOAT, 32): "f32_le", (FLOAT, 64): "f64_le"}
UNKNOWN_SIZE = 0xFFFFFFFF
MOST_CHUNKS = 1000
LONGEST_CHUNK = 1 << 16
"""Of the chunks that are read: `fmt `, `ds64`, `auxi`."""
LONGEST_AUXI_TEXT = re.compile(r'RadioCenterFreq="(\d{1,12})"')
NAMES = (b"RIFF", b"RF64", b"BW64")


def is_wav(head: bytes) -> bool:
    """Whether a file begins as a WAV file does."""
    return head[:4] in NAMES and head[8:12] == b"WAVE"


def open_wav(path: Path, store: FileStore) -> Found:
    """Open it; only the chunks before the samples are read, and `auxi` also where it follows them.

    Raises:
        RecordingError: the file is damaged, or holds samples of a kind that is not read.
    """
    size = store.size
    chunks, start, length = _chunks(path, store.reader(), size)
    kind, channels, rate, bits = _format(path, chunks)
    number = TYPES.get((kind, bits))
    if number is None:
        raise RecordingError(
            f"{path} is a WAV file of format {kind} with {bits} bits; 8, 16 and 32 bits, and float of 32 and 64, "
            f"are read. Convert it: sox {path.name} -b 32 -e signed OUT.wav"
        )
    warnings = []
    is_complex = channels % 2 == 0
    if not is_complex:
        warnings.append(
            f"the WAV file has {channels} channel(s), not I and Q: it is read as real samples, with a spectrum from "
            "0 to half the rate"
        )
    frequency, time = _auxi(chunks.get(b"auxi", b""))
    if length > size - start:
        warnings.append(f"the WAV file is cut off: {size - start} of {length} bytes of samples are there")
        length = size - start
    return Found(
        path,
        store,
        described(
            ("c" if is_complex else "r") + number,
            rate,
            [capture(start, frequency=frequency, datetime=time)],
            num_channels=channels // 2 if is_complex else channels,
            trailing_bytes=size - start - length,
        ),
        warnings=warnings,
    )


def _chunks(path: Path, file: BinaryIO, size: int) -> tuple[dict[bytes, bytes], int, int]:
    """(small chunks by name, first byte of the samples, how many bytes of them)."""
    found: dict[bytes, bytes] = {}
    data: tuple[int, int] | None = None
    position = 12
    for _ in range(MOST_CHUNKS):
        file.seek(position)
        header = file.read(8)
        if len(header) < 8:
            break
        name, length = header[:4], int.from_bytes(header[4:], "little")
        position += 8
        if name == b"data":
            # While it is written, and in files over 4 GiB without `ds64`, the length is 0 or of no use.
            if length == UNKNOWN_SIZE and len(found.get(b"ds64", b"")) >= 16:
                length = int.from_bytes(found[b"ds64"][8:16], "little")
            if length in (0, UNKNOWN_SIZE) or size >= 1 << 32 and length < 1 << 32:
                length = size - position
            data = position, length
        elif name in (b"fmt ", b"ds64", b"auxi"):
            found.setdefault(name, file.read(min(length, LONGEST_CHUNK)))
        position += length + length % 2
        if position >= size:
            break
    if data is None:
        raise RecordingError(f"{path} is a WAV file without samples (no chunk `data`): record it again.")
    return found, *data


def _format(path: Path, chunks: dict[bytes, bytes]) -> tuple[int, int, float, int]:
    """(kind, channels, sample rate, bits)."""
    fmt = chunks.get(b"fmt ", b"")
    if len(fmt) < 16:
        raise RecordingError(f"{path} is a damaged WAV file (no whole chunk `fmt `): record it again.")
    kind, channels, rate, _, block, bits = struct.unpack_from("<HHIIHH", fmt)
    if kind == EXTENSIBLE and len(fmt) >= 26:
        kind = int.from_bytes(fmt[24:26], "little")
    if not channels or not rate or block != channels * ((bits + 7) // 8):
        raise RecordingError(
            f"{path} is a damaged WAV file: {channels} channels, {rate} Hz, {bits} bits, {block} bytes a sample do not "
            "go together. Record it again."
        )
    return kind, channels, float(rate), bits


def _auxi(chunk: bytes) -> tuple[float | None, str | None]:
    """(centre frequency in Hz, time) that SDR programs leave: binary, or XML as SDR-Console writes it."""
    text = LONGEST_AUXI_TEXT.search(chunk.decode("utf-16-le", "ignore")) if b"<\x00" in chunk[:4] else None
    if text:
        return float(text[1]), None
    if len(chunk) < 40:
        return None, None
    year, month, _, day, hour, minute, second, millisecond, *_ = struct.unpack_from("<16H", chunk)
    frequency = int.from_bytes(chunk[32:36], "little")
    return float(frequency) if frequency else None, _time(year, month, day, hour, minute, second, millisecond)


def _time(*parts: int) -> str | None:
    try:
        year, month, day, hour, minute, second, millisecond = parts
        moment = dt.datetime(year, month, day, hour, minute, second, 1000 * millisecond)
        return moment.isoformat(timespec="milliseconds") + "Z"
    except (ValueError, OverflowError):
        return None
