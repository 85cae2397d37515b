# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are whole or not there, also after a kill or on a full disk."""
import os
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_file(path):
    """Open `path` for writing bytes; it gets its content at once, when all is written, or stays as it was.

    Meanwhile the bytes are in `<path>.part`, which is removed if anything goes wrong.

    Raises:
        OSError: as of `open`, `write` and `os.replace`.
    """
    path = Path(path)
    temporary = path.with_name(path.name + ".part")
    try:
        with open(temporary, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
