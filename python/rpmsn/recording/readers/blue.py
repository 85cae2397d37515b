# SPDX-License-Identifier: GPL-3.0-or-later
"""BLUE and Platinum files, by the converter of the `sigmf` library."""

from pathlib import Path

from ...errors import RecordingError
from ..stores import FileStore
from .found import Found

MAGIC = b"BLUE"


def open_blue(path: Path, store: FileStore) -> Found:
    """Open it; only the headers are read.

    Raises:
        RecordingError: the library is too old, or cannot read the file.
    """
    if not store.is_file:
        raise RecordingError(f"{path} holds a BLUE file, which is read from a file alone: unpack it first.")
    try:
        from sigmf.convert.blue import blue_to_sigmf
    except ImportError as error:
        raise RecordingError(
            f"{path} is a BLUE file, which the library `sigmf` reads from version 1.5 on: pip install -U sigmf"
        ) from error
    try:
        metadata = blue_to_sigmf(blue_path=path, create_ncd=True).ordered_metadata()
    except Exception as error:  # whatever the library raises for a damaged file
        raise RecordingError(f"{path} is a BLUE file that the library `sigmf` cannot read: {error}") from error
    for key in ("core:dataset", "core:author"):  # the converter takes the user's name for the author
        metadata["global"].pop(key, None)
    return Found(path, store, {"annotations": [], **{key: _plain(value) for key, value in metadata.items()}})


def _plain(value):
    """Dictionaries as they are in a file."""
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    return [_plain(entry) for entry in value] if isinstance(value, list) else value
