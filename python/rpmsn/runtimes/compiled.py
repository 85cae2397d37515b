# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks as a library has compiled them for this processor, kept in the user's cache folder.

Compiling takes a good part of a start. Where the folder cannot be read or written, every start compiles.
"""

import hashlib
import logging
from contextlib import suppress
from pathlib import Path

from ..files import user_cache_dir, whole_file

MOST_FILES = 16
"""Networks that are kept, those used last: 2 to 5 MB each."""

log = logging.getLogger(__name__)


def recall(key: str) -> bytes | None:
    """What was kept under a key; None where nothing is, or what is there is damaged."""
    path = _path(key)
    try:
        content = path.read_bytes()
    except OSError:
        return None
    digest, network = content[:32], content[32:]
    if hashlib.sha256(network).digest() != digest:
        return None
    with suppress(OSError):
        path.touch()
    return network


def keep(key: str, network: bytes) -> None:
    """Keep a network under a key, and give up those that were used longest ago."""
    path = _path(key)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as file:
            file.write(hashlib.sha256(network).digest() + network)
        by_age = sorted(path.parent.glob("*.bin"), key=lambda one: one.stat().st_mtime, reverse=True)
        for old in by_age[MOST_FILES:]:
            old.unlink()
    except OSError as error:
        log.info("the compiled network is not kept: %s", error)


def _path(key: str) -> Path:
    return user_cache_dir() / "compiled" / f"{key}.bin"
