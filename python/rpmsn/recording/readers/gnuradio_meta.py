# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of GNU Radio's File Meta Sink: a header of serialised PMTs before each segment of samples, or in a file of its
own. The engine has no GNU Radio, so the few kinds of PMT that these headers hold are read here."""

import struct
from pathlib import Path
from typing import Any, BinaryIO

from ...errors import RecordingError
from ..formats import FORMATS
from ..stores import FileStore
from .found import Found, capture, described

BEGIN = b"\x09\x07\x02\x00\x04strt"
"""A dictionary whose first key is the symbol `strt`."""
TYPES = {0: "i8", 1: "i16_le", 2: "i32_le", 5: "f32_le", 6: "f64_le"}
"""`type` of a header -> numbers; `cplx` says whether two of them are a sample."""
TRUE, FALSE, SYMBOL, INT32, DOUBLE, COMPLEX, NULL, PAIR, _, DICT, _, UINT64, TUPLE, INT64 = range(14)
FIXED = {INT32: ">i", DOUBLE: ">d", UINT64: ">Q", INT64: ">q", COMPLEX: ">dd"}
LONGEST_HEADER = 1 << 16
MOST_SEGMENTS = 1_000_000
DEEPEST = 8


def open_gnuradio_meta(path: Path, store: FileStore, header_path: Path | None = None) -> Found:
    """Open it.

    Args:
        path: of the samples.
        store: their bytes.
        header_path: of the headers, where they are in a file of their own (`path` + `.hdr`).

    Raises:
        RecordingError: a header is damaged, or the samples change their format or rate.
    """
    if header_path is None:
        return _read(path, store, store.reader(), is_detached=False)
    with open(header_path, "rb") as file:
        return _read(path, store, file, is_detached=True)


def _read(path: Path, store: FileStore, file: BinaryIO, is_detached: bool) -> Found:
    captures: list[dict[str, Any]] = []
    datatype, rate, position, samples, warnings = "", None, 0, 0, []
    while is_detached or position < store.size:
        file.seek(position)
        raw = file.read(LONGEST_HEADER)
        if not raw:
            break
        try:
            header, length = _header(raw)
            now, bytes_per_sample = _datatype(header)
        except (ValueError, KeyError, IndexError, struct.error, TypeError) as error:
            if not captures:
                raise RecordingError(
                    f"{path} begins as a file of GNU Radio's File Meta Sink, but is damaged."
                ) from error
            warnings.append(f"the header at byte {position} is damaged: the recording ends before it")
            break
        if captures and (now, header.get("rx_rate")) != (datatype, rate):
            raise RecordingError(f"{path} changes its format or rate at byte {position}: split it there.")
        datatype, rate = now, header.get("rx_rate")
        captures.append(_capture(header, 0 if is_detached else length, samples))
        count = int(header["bytes"]) // bytes_per_sample
        samples += count
        position += length if is_detached else length + count * bytes_per_sample
        if not count or len(captures) > MOST_SEGMENTS:
            break  # the last one of a recording that was not ended goes to the end of the file
    trailing = max(0, store.size - position) if warnings and not is_detached else None
    metadata = described(datatype, _float(rate), captures, trailing_bytes=trailing)
    return Found(path, store, metadata, warnings=warnings)


def _capture(header: dict[str, Any], header_bytes: int, start: int) -> dict[str, Any]:
    seconds, time = header.get("rx_time"), None
    if isinstance(seconds, tuple) and len(seconds) == 2 and seconds[0]:
        from ..captures import to_datetime

        try:
            # Digits that the fraction has: a double in a tuple of its own.
            whole = to_datetime((int(seconds[0]), 0.0)).strftime("%Y-%m-%dT%H:%M:%S")
            time = f"{whole}{f'{min(float(seconds[1]), 1 - 1e-9):.9f}'[1:]}Z"
        except (ValueError, OverflowError, OSError, TypeError):
            time = None
    return capture(header_bytes, start, frequency=_float(header.get("rx_freq")), datetime=time)


def _float(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _datatype(header: dict[str, Any]) -> tuple[str, int]:
    datatype = ("c" if header.get("cplx") else "r") + TYPES[header["type"]]
    if not isinstance(header["bytes"], int) or header["bytes"] < 0:
        raise ValueError
    return datatype, FORMATS[datatype].bytes_per_sample


def _header(raw: bytes) -> tuple[dict[str, Any], int]:
    """(values of the header and of the extra header behind it, bytes of both)."""
    values, end = _value(raw, 0, 0)
    length = values["strt"]
    if not isinstance(length, int) or not end <= length <= len(raw):
        raise ValueError
    if end < length:
        extra, _ = _value(raw, end, 0)
        values = {**extra, **values} if isinstance(extra, dict) else values
    return values, length


def _value(raw: bytes, position: int, depth: int) -> tuple[Any, int]:
    """(a PMT as a plain value, where it ends)."""
    kind = raw[position]
    position += 1
    if depth > DEEPEST:
        raise ValueError
    if kind in (TRUE, FALSE, NULL):
        return {TRUE: True, FALSE: False, NULL: None}[kind], position
    if kind == SYMBOL:
        end = position + 2 + int.from_bytes(raw[position : position + 2], "big")
        return raw[position + 2 : end].decode("utf-8", "replace"), end
    if kind in FIXED:
        found = struct.unpack_from(FIXED[kind], raw, position)
        return found[0], position + struct.calcsize(FIXED[kind])
    if kind == TUPLE:
        count, position, parts = int.from_bytes(raw[position : position + 4], "big"), position + 4, []
        for _ in range(count):
            part, position = _value(raw, position, depth + 1)
            parts.append(part)
        return tuple(parts), position
    if kind == PAIR:
        first, position = _value(raw, position, depth + 1)
        second, position = _value(raw, position, depth + 1)
        return (first, second), position
    if kind != DICT:
        raise ValueError
    values: dict[Any, Any] = {}
    while True:  # a dictionary is a pair, then the dictionary of the others
        entry, position = _value(raw, position, depth + 1)
        if not isinstance(entry, tuple) or len(entry) != 2:
            raise ValueError
        values.setdefault(entry[0], entry[1])
        kind, position = raw[position], position + 1
        if kind == NULL:
            return values, position
        if kind != DICT:
            raise ValueError
