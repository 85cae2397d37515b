# SPDX-License-Identifier: GPL-3.0-or-later
"""What a file is, by its first bytes, and the reader for it."""

import os
from pathlib import Path
from typing import Any

from ...errors import RecordingError
from .. import metadata as sigmf_metadata
from ..metadata import META_SUFFIX
from ..stores import FileStore
from . import blue, compressed, digital_rf, gnuradio_meta, kinds, names, npy, sigmf_archive, wav
from .found import Found, capture, described

STDIN = Path("-")
INNERMOST = 2
"""Compressed files in compressed files are opened this deep."""


def find(
    path: Path, datatype: str | None = None, sample_rate: float | None = None, channel: int | None = None
) -> Found:
    """The recording that a path names.

    Args:
        path: a file of any kind, a folder of Digital RF, or `-` for stdin.
        datatype, sample_rate: what the caller gave in place of what is not known; None where nothing.
        channel: number of a recording in a collection, or of a channel of Digital RF; from 1.

    Raises:
        RecordingError: there is nothing to read; the message says what it is, and what to do.
        OSError: it cannot be read.
    """
    is_described = datatype is not None and sample_rate is not None
    if path == STDIN or path.exists() and not path.is_file() and not path.is_dir():
        return _find_pipe(path)
    if path.is_dir() and digital_rf.is_digital_rf(path):
        return digital_rf.open_digital_rf(path, channel)
    if path.name.endswith(sigmf_archive.COLLECTION_SUFFIX) and path.is_file():
        return find(sigmf_archive.open_collection(path, channel), datatype, sample_rate)
    is_foreign = is_described and path.is_file() and ".sigmf" not in path.suffix
    meta_path = None if is_foreign else sigmf_metadata.find_metadata(path)
    if meta_path is not None:
        return _find_sigmf(path, meta_path, is_described)
    if not path.is_file():
        raise RecordingError(sigmf_metadata.missing_file(path))
    return _find_file(path, FileStore(path), path)


def _find_sigmf(path: Path, meta_path: Path, is_described: bool) -> Found:
    """A pair of files. Metadata that cannot be read are left aside where what they should say is given."""
    try:
        metadata, warnings = sigmf_metadata.read(meta_path)
    except RecordingError as error:
        if not is_described:
            raise RecordingError(
                f"{error} Or pass --format and --sample-rate, to read the samples without it."
            ) from error
        metadata, warnings = described(None), [f"{error} It is left aside, since format and rate are given"]
    data_path, notes = sigmf_metadata.find_data(meta_path, metadata, path)
    store = FileStore(data_path)
    has_header = any("core:header_bytes" in entry for entry in metadata["captures"])
    found = kinds.unreadable(store.head(kinds.HEAD_BYTES))
    if found and not has_header:
        store.close()
        raise RecordingError(f"{data_path} is {found[0]}: {found[1].replace('FILE', data_path.name)}.")
    return Found(data_path, store, metadata, meta_path, [*warnings, *notes])


def _find_pipe(path: Path) -> Found:
    store, note = compressed.open_pipe(path)
    if not store.size:
        store.close()
        raise RecordingError(f"{'stdin' if path == STDIN else path} ended before the first sample.")
    name = Path("stdin") if path == STDIN else path
    found = _find_file(name, store, name)
    found.warnings.append(note)
    found.is_plain = False
    return found


def _find_file(path: Path, store: FileStore, name: Path, depth: int = 0, raw: bytes | None = None) -> Found:
    """A file of some kind.

    Args:
        path: as it was named.
        store: its bytes; of a compressed file those that were in it.
        name: the name of what is in these bytes.
        depth: how often it was unpacked.
        raw: metadata that were packed with it.
    """
    try:
        return _read_kind(path, store, name, depth, raw)
    except BaseException:
        store.close()
        raise


def _read_kind(path: Path, store: FileStore, name: Path, depth: int, raw: bytes | None) -> Found:
    head = store.head(kinds.HEAD_BYTES)
    magic = compressed.compression(head)
    if magic is not None and depth == INNERMOST:
        raise RecordingError(f"{path} is compressed more than {INNERMOST} times: unpack it first.")
    if magic is not None:
        return _unpacked(path, magic, depth, store)
    if sigmf_archive.is_tar(head):
        return sigmf_archive.open_archive(path, store)
    if raw is None and name.name.endswith(sigmf_metadata.DATA_SUFFIX):
        beside = path.with_name(name.name.removesuffix(sigmf_metadata.DATA_SUFFIX) + META_SUFFIX)
        raw = _first_bytes(beside, sigmf_metadata.LONGEST_METADATA + 1) if os.path.isfile(beside) else None
    found = kinds.unreadable(head)
    if found:
        raise RecordingError(f"{path} is {found[0]}: {found[1].replace('FILE', path.name)}.")
    reader = _reader(head)
    if reader is not None:
        return _completed(reader(path, store), names.read_name(name))
    if raw is not None:
        metadata, warnings = sigmf_metadata.parse(raw, path)
        return Found(path, store, metadata, warnings=warnings, is_plain=store.is_file)
    header = path.with_name(path.name + ".hdr")
    if os.path.isfile(header) and _first_bytes(header, len(gnuradio_meta.BEGIN)) == gnuradio_meta.BEGIN:
        return gnuradio_meta.open_gnuradio_meta(path, store, header)
    return _bare(path, store, name)


def _first_bytes(path: Path, count: int) -> bytes:
    with open(path, "rb") as file:
        return file.read(count)


def _reader(head: bytes) -> Any:
    """What opens a file of a kind with a header; None for bare samples."""
    if wav.is_wav(head):
        return wav.open_wav
    if head.startswith(npy.MAGIC):
        return npy.open_npy
    if head.startswith(gnuradio_meta.BEGIN):
        return gnuradio_meta.open_gnuradio_meta
    if head.startswith(blue.MAGIC) and head[8:12] in (b"EEEI", b"IEEE"):
        return blue.open_blue
    return None


def _unpacked(path: Path, magic: bytes, depth: int, store: FileStore) -> Found:
    inner, name, raw, note = compressed.open_compressed(path, magic, store)
    store.close()
    found = _find_file(path, inner, name, depth + 1, raw)
    found.warnings.append(note)
    found.is_plain = False
    return found


def _completed(found: Found, said: names.Named) -> Found:
    """What a header says, completed by what the file's name says."""
    fields, captures = found.metadata["global"], found.metadata["captures"]
    words = _words(said)
    if "core:sample_rate" not in fields and said.sample_rate:
        fields["core:sample_rate"] = said.sample_rate
        found.from_name["sample_rate"] = words["sample_rate"]
    if captures and not any("core:frequency" in entry for entry in captures) and said.center_frequency:
        captures[0]["core:frequency"] = said.center_frequency
        found.from_name["center_frequency"] = words["center_frequency"]
    if captures and said.datetime and "core:datetime" not in captures[0]:
        captures[0]["core:datetime"] = said.datetime
    return found


def _bare(path: Path, store: FileStore, name: Path) -> Found:
    """Samples without a header: what their file's name says of them."""
    said = names.read_name(name)
    metadata = described(
        said.datatype,
        said.sample_rate,
        [capture(frequency=said.center_frequency, datetime=said.datetime)]
        if said.center_frequency or said.datetime
        else [],
    )
    return Found(path, store, metadata, is_plain=store.is_file, from_name=_words(said))


def _words(said: names.Named) -> dict[str, str]:
    """What a file's name says, as of `Found.from_name`."""
    words = {}
    if said.datatype:
        words["datatype"] = f"format {said.datatype}"
    if said.sample_rate:
        words["sample_rate"] = f"sample rate {said.sample_rate / 1e6:g} MHz"
    if said.center_frequency:
        words["center_frequency"] = f"centre frequency {said.center_frequency / 1e6:g} MHz"
    return words
