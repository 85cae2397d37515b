# SPDX-License-Identifier: GPL-3.0-or-later
"""What is found on the air, written to files while it is found: JSON Lines, CSV, or SigMF annotations.

    >>> log = open_log("scan.jsonl", model="rpmsn-rt")          # doctest: +SKIP
    >>> log.begin_frame(frame.geometry, clock)                  # doctest: +SKIP
    >>> for event in events:                                    # doctest: +SKIP
    ...     log.write(event, clock, frame.number)
    >>> log.close()                                             # doctest: +SKIP

What was written is on the disk within a second, in whole lines (SigMF: whole files), so that a process that is killed
leaves files that can be read. docs/logs.md has the formats, every key, and what happens when the disk is full.
"""

import math
import os
import time
from collections.abc import Callable
from pathlib import Path

from ..errors import ParameterError, RecordingError, is_number, require
from .log_base import PER, FileNames, Log, Rotation, clean, event_fields
from .log_sigmf import SigmfLog
from .log_text import Csv, JsonLines
from .metadata import META_SUFFIX

__all__ = ["Log", "event_fields", "open_log"]

SMALLEST_FILE = 4096
SIGMF_FILE_BYTES = 1 << 20
"""A SigMF file is rewritten at every change, so it must not become large."""


def open_log(
    path: str | os.PathLike[str],
    fmt: str | None = None,
    per: str | None = None,
    rotate_seconds: float | None = None,
    rotate_bytes: float | None = None,
    keep_files: int | None = None,
    model: str = "",
    now: Callable[[], float] = time.time,
) -> Log:
    """Open a log file that does not exist yet; a number is put into its name where it does (`scan_2.jsonl`).

    Args:
        path: ends in `.jsonl`, `.csv` or `.sigmf-meta`. Where files are rotated each has the time of its start in its
            name: `scan.jsonl` becomes `scan_20261124T040000Z.jsonl`.
        fmt: `jsonl`, `csv` or `sigmf`, for a path with another ending.
        per: `segment`: every segment, and every carrier that is gone; `carrier`: a carrier when it appears and when it
            is gone (SigMF: one annotation a carrier). None: `segment` for text, `carrier` for SigMF.
        rotate_seconds: start a new file at every multiple of this, in UTC (3600: at every full hour).
        rotate_bytes: start a new file when this one would become larger. SigMF files do so at 1 MiB anyway.
        keep_files: keep so many files of this log, and delete older ones that it made. None: all.
        model: name of the model.
        now: clock, in seconds since 1970.

    Raises:
        ParameterError: a parameter that cannot work.
        RecordingError: the file cannot be made; the message says why.
    """
    is_path = isinstance(path, (str, os.PathLike)) and bool(str(path)) and "\0" not in str(path)
    require("the log", "path", path, is_path, "the path of a file, such as scan.jsonl")
    path = Path(path)
    kind = _kind_of(path, fmt)
    require("the log", "per", per, per is None or per in PER, f"one of {', '.join(PER)}, or None")
    rotate_bytes = SIGMF_FILE_BYTES if rotate_bytes is None and kind is SigmfLog else rotate_bytes
    for name, value, least in (
        ("rotate_seconds", rotate_seconds, 1),
        ("rotate_bytes", rotate_bytes, SMALLEST_FILE),
        ("keep_files", keep_files, 1),
    ):
        require(
            "the log",
            name,
            value,
            value is None or is_number(value) and value >= least,
            f"a number of at least {least}, or None",
        )
    rotation = Rotation(rotate_seconds, math.inf if rotate_bytes is None else rotate_bytes, keep_files)
    try:
        _check_place(path)
        return kind(FileNames(path, kind.suffix, rotation, now), per or kind.per_default, clean(model))
    except OSError as error:
        raise RecordingError(
            f"{path} cannot be written: {error.strerror or error}. Choose a folder with space that you may write to."
        ) from error


def _check_place(path):
    """Refuse what would only fail in a less clear way later on."""
    if not path.parent.is_dir():
        raise RecordingError(f"{path} cannot be written: the folder {path.parent} does not exist. Make it first.")
    if path.exists() and not path.is_file():
        what = "a folder" if path.is_dir() else "not a regular file"
        raise RecordingError(f"{path} is {what}: give the path of a file that does not exist yet, such as scan.jsonl.")


def _kind_of(path: Path, fmt: str | None) -> type[Log]:
    """The class of a log, by the format or the ending of the path."""
    kinds: dict[str, type[Log]] = {"jsonl": JsonLines, "csv": Csv, "sigmf": SigmfLog}
    if fmt is None:
        found = [kind for kind in kinds.values() if path.name.lower().endswith(kind.suffix)]
        if not found or path.name.lower() == found[0].suffix:
            endings = ", ".join(kind.suffix for kind in kinds.values())
            raise ParameterError(f"the log is {path}; choose a name that ends in one of {endings}")
        return found[0]
    require("the log", "fmt", fmt, fmt in kinds, f"one of {', '.join(kinds)}, or None to go by the path's ending")
    if kinds[fmt] is SigmfLog and not path.name.lower().endswith(META_SUFFIX):
        raise ParameterError(f"the log is {path}; a SigMF log must end in {META_SUFFIX}, as {path.name}{META_SUFFIX}")
    return kinds[fmt]
