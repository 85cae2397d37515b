# SPDX-License-Identifier: GPL-3.0-or-later
"""SigMF archives (`.sigmf`, a tar): the samples are read where they lie in it, nothing is unpacked. Collections."""

import json
import tarfile
from pathlib import Path
from typing import Any

from ...errors import RecordingError
from .. import metadata as sigmf_metadata
from ..metadata import DATA_SUFFIX, META_SUFFIX
from ..stores import FileStore
from .found import Found

MOST_MEMBERS = 10_000
COLLECTION_SUFFIX = ".sigmf-collection"
LONGEST_COLLECTION = 1 << 22


def is_tar(head: bytes) -> bool:
    """Whether a file begins as a tar archive does (POSIX.1-1988 and later)."""
    return head[257:262] == b"ustar"


def open_archive(path: Path, store: FileStore) -> Found:
    """Open the one recording in an archive.

    Raises:
        RecordingError: the archive is damaged, or holds none or several recordings.
    """
    try:
        with tarfile.open(fileobj=store.reader(), mode="r:") as archive:
            members = _members(path, archive)
            metas = {
                name.removesuffix(META_SUFFIX): member for name, member in members.items() if name.endswith(META_SUFFIX)
            }
            pairs = {base: members[base + DATA_SUFFIX] for base in metas if base + DATA_SUFFIX in members}
            base = _only(path, pairs)
            file = archive.extractfile(metas[base])
            raw = file.read(sigmf_metadata.LONGEST_METADATA + 1) if file else b""
    except RecordingError:
        raise
    except Exception as error:  # whatever the library raises for what is damaged
        raise RecordingError(f"{path} is a damaged tar archive: {error}. Fetch it again.") from error
    metadata, warnings = sigmf_metadata.parse(raw, path)
    metadata["global"].pop("core:dataset", None)
    inner = store.part(pairs[base].offset_data, pairs[base].size)
    return Found(path, inner, metadata, warnings=warnings, is_plain=False)


def open_collection(path: Path, number: int | None) -> Path:
    """Metadata file of a recording of a collection.

    Args:
        path: of the `.sigmf-collection`.
        number: of the recording, from 1; None for the only one.

    Raises:
        RecordingError: the file is none, or holds several and `number` is None.
    """
    try:
        with open(path, "rb") as file:
            content = json.loads(file.read(LONGEST_COLLECTION).decode("utf-8-sig"))
        streams = content["collection"]["core:streams"]
        names = [stream["name"] for stream in streams]
    except (ValueError, RecursionError, LookupError, TypeError) as error:
        raise RecordingError(f'{path} is no SigMF collection (an object "collection" with "core:streams").') from error
    # A name may not lead out of the folder.
    names = [name for name in names if isinstance(name, str) and name and Path(name).name == name]
    if number is None and len(names) == 1:
        number = 1
    if number is None or not 1 <= number <= len(names):
        listed = "; ".join(f"{k} {name}" for k, name in enumerate(names[:16], 1)) or "none"
        raise RecordingError(f"{path} is a collection of several recordings: choose one by --channel ({listed}).")
    return path.with_name(names[number - 1] + META_SUFFIX)


def _members(path: Path, archive: tarfile.TarFile) -> dict[str, tarfile.TarInfo]:
    members: dict[str, tarfile.TarInfo] = {}
    for member in archive:
        if len(members) >= MOST_MEMBERS:
            raise RecordingError(f"{path} holds more than {MOST_MEMBERS} files: unpack it and name one recording.")
        if member.isreg() and not member.issparse():
            members[member.name] = member
    return members


def _only(path: Path, pairs: dict[str, Any]) -> str:
    if len(pairs) == 1:
        return next(iter(pairs))
    names = ", ".join(sorted(pairs)[:8]) or "none"
    raise RecordingError(
        f"{path} is an archive with {len(pairs)} SigMF recordings ({names}); one is read. "
        f"Unpack it (tar -xf {path.name}) and name one."
    )
