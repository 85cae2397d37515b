# SPDX-License-Identifier: GPL-3.0-or-later
"""Logs of lines: JSON Lines and CSV, appended to a file that only ever holds whole lines."""

from __future__ import annotations

import csv
import dataclasses
import errno
import io
import itertools
import json
import numbers
import os
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..messages import keys
from ..messages.fields import CSV_COLUMNS
from ..messages.json_messages import number
from ..messages.times import time_text
from .log_base import CARRIER, MAX_WAITING_BYTES, SEGMENT, Log, clean, event_fields

CHUNK_BYTES = 1 << 16
"""Lines are appended in chunks of at most this."""


class TextLog(Log):
    """A log of lines, appended to a file."""

    per_default = SEGMENT
    head = b""

    def _open(self):
        self._sequence = 0
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._repeats_open_carriers = False
        self._health = "ok"
        self._file = self._names.create(self._create)

    def _create(self, path: Path) -> AppendedFile:
        """A new file with its first line."""
        file = AppendedFile(path)
        try:
            file.append(self.head)
            file.sync()
        except OSError:
            file.close()
            path.unlink()
            raise
        return file

    @property
    def path(self) -> Path:  # type: ignore[override]
        """The file that is being written, a Path."""
        return self._file.path

    def _line(self, fields: Mapping[str, Any]) -> bytes:
        """A dict as bytes, with the end of the line."""
        raise NotImplementedError

    def _begin_frame(self, geometry, clock, health):
        self._health = health

    def _write(self, event, clock, frame_number):
        known = self._follow(event, clock)
        self._frame_number = frame_number
        if self._per == CARRIER:
            if self._repeats_open_carriers:
                self._repeats_open_carriers = False
                self._log_open_carriers(besides=event.carrier)
            if event.kind == "update":
                return
        self._add_event(event, known)

    def _log_open_carriers(self, besides=None):
        for known in self._on_air.values() if self._per == CARRIER else ():
            if known.event.carrier is not besides:
                self._add_event(dataclasses.replace(known.event, kind="update", segment=None), known)

    def _add_event(self, event, known):
        begin_clock = known.clock if event.segment else known.begin_clock
        self._add(
            {
                keys.TOPIC: keys.SEGMENT,
                **event_fields(event, begin_clock, self._frame_number, self._model, self._health, known.clock),
            }
        )

    def _add(self, fields):
        line = self._line({keys.SEQUENCE: self._sequence, **fields})
        self._sequence += 1
        self._waiting.append(line)
        self._waiting_bytes += len(line)
        self._drop_oldest()

    def _drop_oldest(self):
        """Let go of what waits beyond the limit."""
        while self._waiting_bytes > MAX_WAITING_BYTES:
            self._waiting_bytes -= len(self._waiting.popleft())
            self.lost += 1

    def _save(self, everything):
        with self._changed:
            lines, self._waiting, self._waiting_bytes = self._waiting, deque[bytes](), 0
        has_written = bool(lines)
        try:
            # Another file where it is time for one, and where somebody has moved or deleted this one.
            if self._names.is_time() or not self._file.is_in_place():
                self._rotate()
                has_written = True
            while lines:
                self._append(lines)
            self._file.sync()
        finally:
            with self._changed:
                self._waiting.extendleft(reversed(lines))
                self._waiting_bytes += sum(map(len, lines))
                self._drop_oldest()
        return has_written

    def _append(self, lines):
        """Append the first lines, as many as fit into the file and into one chunk, and take them off."""
        if self._file.size + len(lines[0]) > self._names.rotation.bytes and self._file.size > len(self.head):
            self._rotate()
        size, count = 0, 0
        for line in lines:
            size += len(line)
            if count and (size > CHUNK_BYTES or self._file.size + size > self._names.rotation.bytes):
                break
            count += 1
        chunk = b"".join(itertools.islice(lines, count))
        try:
            self._file.append(chunk)
        except OSError as error:
            # Files of this file system, or of this process, may not become as large as this.
            if error.errno != errno.EFBIG or self._file.size <= len(self.head):
                raise
            self._rotate()
            self._file.append(chunk)
        for _ in range(count):
            lines.popleft()

    def _rotate(self):
        before, self._file = self._file, self._names.create(self._create)
        with self._changed:
            self._repeats_open_carriers = True
        try:
            before.sync()
        finally:
            self._names.finished(before.path, before.close())

    def _finish(self):
        with self._changed:
            self.lost += len(self._waiting)
            self._waiting.clear()
        self._file.close()


class JsonLines(TextLog):
    """One JSON object a line."""

    suffix = ".jsonl"

    def _line(self, fields):
        return json.dumps(fields, allow_nan=False, separators=(",", ":")).encode() + b"\n"

    def _status(self, fields: Mapping[str, Any]) -> None:
        whole, fraction = divmod(self._names.now(), 1)
        now = time_text((int(whole), fraction))
        self._add({keys.TOPIC: keys.STATUS, keys.STATUS_TIME: now, **json_value(fields)})


class Csv(TextLog):
    """One row a line, below a row of the column names."""

    suffix = ".csv"
    head = ",".join(CSV_COLUMNS).encode() + b"\r\n"

    def _line(self, fields):
        text = io.StringIO()
        csv.writer(text).writerow([fields[column] for column in CSV_COLUMNS])
        return text.getvalue().encode()


class AppendedFile:
    """A new file that only ever holds what was appended as a whole.

    Raises:
        FileExistsError: there is one already.
        OSError: as of `os.open`, and of every method.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self._is_torn = self._is_dirty = False
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | getattr(os, "O_BINARY", 0)
        self._handle = os.open(path, flags, 0o666)

    def append(self, data: bytes) -> None:
        """Append bytes; where not all of them can be written, none is."""
        self._mend()
        self._is_torn = self._is_dirty = True
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self._handle, rest) :]
        except OSError:
            with suppress(OSError):
                self._mend()
            raise
        self._is_torn = False
        self.size += len(data)

    def _mend(self) -> None:
        """Cut off what was written in part."""
        if self._is_torn:
            os.ftruncate(self._handle, self.size)
            self._is_torn = False

    def sync(self) -> None:
        """Make what was appended last through a power cut."""
        if self._is_dirty:
            os.fsync(self._handle)
            self._is_dirty = False

    def is_in_place(self) -> bool:
        """Whether the file is still there under its name; it may have been moved or deleted by somebody."""
        try:
            return os.path.samestat(os.stat(self.path), os.fstat(self._handle))
        except FileNotFoundError:
            return False

    def close(self) -> os.stat_result:
        """Close the file; returns how it was left."""
        status = os.fstat(self._handle)
        os.close(self._handle)
        return status


def json_value(value: object) -> Any:
    """A value as JSON can hold it."""
    if isinstance(value, dict):
        return {clean(key): json_value(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [json_value(item) for item in value]
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        return number(float(value))
    return clean(value)
