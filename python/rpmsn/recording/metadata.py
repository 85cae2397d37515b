# SPDX-License-Identifier: GPL-3.0-or-later
"""SigMF metadata: find the files of a recording, read them, check what the samples rely on.

What is a little out of line is read, with a warning: numbers as text, `captures` that are one object. The `sigmf`
library refuses such files, counts samples without regard to `core:offset` and to captures out of order, and follows
`core:dataset` into any folder. So the JSON is read here, and the library's schema checks what is written.
"""

import codecs
import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import RecordingError

META_SUFFIX = ".sigmf-meta"
DATA_SUFFIX = ".sigmf-data"
LONGEST_METADATA = 64 << 20
"""Bytes. Python's objects take ten times as much."""
HIGHEST = 1e12
"""Limit of SigMF for frequencies and rates."""
NUMBERS = {
    "global": ("core:sample_rate", "core:offset", "core:trailing_bytes", "core:num_channels"),
    "captures": ("core:sample_start", "core:frequency", "core:header_bytes"),
    "annotations": ("core:sample_start", "core:sample_count", "core:freq_lower_edge", "core:freq_upper_edge"),
}
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def find_metadata(path: Path) -> Path | None:
    """Metadata file that belongs to `path`, or None if `path` is a file of another kind.

    Args:
        path: the `.sigmf-meta`, the `.sigmf-data` or the name without ending, or a file of another kind.

    Raises:
        RecordingError: nothing there, or a folder.
    """
    if not path.name:  # such as `.` or `/`
        check_file(path)
    if path.name.endswith(META_SUFFIX):
        check_file(path)
        return path
    base = path.with_name(path.name.removesuffix(DATA_SUFFIX)) if path.name.endswith(DATA_SUFFIX) else path
    metadata = base.with_name(base.name + META_SUFFIX)
    if os.path.isfile(metadata):  # False also where the longer name is too long
        return metadata
    check_file(path)
    return None


def check_file(path: Path) -> None:
    """Raise a RecordingError if `path` is not a file."""
    if path.is_dir():
        raise RecordingError(f"{path} is a folder: give one recording in it, for instance its {META_SUFFIX} file.")
    if not path.exists():
        raise RecordingError(missing_file(path))


def missing_file(path: Path) -> str:
    """Message for a file that is not there, with the names that were tried."""
    if path.suffix in (META_SUFFIX, DATA_SUFFIX):
        return f"{path} does not exist: check the name."
    return f"{path} does not exist, nor does {path.name}{META_SUFFIX}: check the name."


def load(path: Path) -> dict[str, Any]:
    """The metadata of a file, as of `read`."""
    return read(path)[0]


def read(path: Path) -> tuple[dict[str, Any], list[str]]:
    """Read a metadata file.

    Returns:
        As of `parse`.

    Raises:
        RecordingError: it cannot be read, or as of `parse`.
    """
    try:
        with open(path, "rb") as file:
            raw = file.read(LONGEST_METADATA + 1)
    except OSError as error:
        raise RecordingError(f"{path} cannot be read: {error.strerror or error}.") from error
    return parse(raw, path)


def parse(raw: bytes, where: Path) -> tuple[dict[str, Any], list[str]]:
    """Metadata out of bytes.

    Args:
        raw: the file, or its first bytes if it is longer than `LONGEST_METADATA`.
        where: its path, for messages.

    Returns:
        (metadata, warnings): `global` is an object and `captures`, `annotations` are lists of objects; whatever else is
        there is as it was.

    Raises:
        RecordingError: too long, not JSON, or without an object `global`.
    """
    if len(raw) > LONGEST_METADATA:
        raise RecordingError(
            f"{where} is longer than {LONGEST_METADATA >> 20} MB: leave out captures that say nothing new."
        )
    try:
        content = json.loads(_decoded(raw))
    except (ValueError, RecursionError) as error:
        raise RecordingError(f"{where} is not valid JSON: {error}. Repair it or make it again.") from error
    if not isinstance(content, dict) or not isinstance(content.get("global"), dict):
        raise RecordingError(f'{where} is not SigMF metadata: it has no object "global".')
    warnings: list[str] = []
    metadata = {**content, **{key: _entries(content.get(key), key, warnings) for key in ("captures", "annotations")}}
    _convert_numbers(metadata, warnings)
    return metadata, warnings


def _decoded(raw: bytes) -> str:
    encoding = next((name for mark, name in BYTE_ORDER_MARKS if raw.startswith(mark)), "utf-8")
    return raw.decode(encoding)


def _entries(value: Any, key: str, warnings: list[str]) -> list[dict[str, Any]]:
    """A list of objects, of what should be one."""
    if value is None:
        return []
    if isinstance(value, dict):
        is_one = not value or any(name.startswith("core:") for name in value)
        warnings.append(
            f'"{key}" is an object, not a list of objects: taken as {"the one in it" if is_one else "its values"}'
        )
        value = [value] if is_one else list(value.values())
    if not isinstance(value, list):
        warnings.append(f'"{key}" is {value!r:.40}, not a list of objects, and is left aside')
        return []
    entries = [entry for entry in value if isinstance(entry, dict)]
    if len(entries) < len(value):
        warnings.append(f'{len(value) - len(entries)} of {len(value)} in "{key}" are no objects and are left out')
    return entries


def _convert_numbers(metadata: Mapping[str, Any], warnings: list[str]) -> None:
    """Replace text that is a number by it, in place."""
    changed: dict[str, str] = {}
    for part, keys in NUMBERS.items():
        for entry in metadata[part] if isinstance(metadata[part], list) else [metadata[part]]:
            for key in keys:
                text = entry.get(key)
                value = _number_of(text) if isinstance(text, str) else None
                if value is not None:
                    entry[key] = value
                    changed.setdefault(key, text)
    warnings += [f"{key} is text, {text!r:.40}, and is taken as the number" for key, text in changed.items()]


def _number_of(text: str) -> int | float | None:
    """The finite number that a text is; None where it is none."""
    for kind in (int, float):
        try:
            value = kind(text)
            return value if math.isfinite(value) and "_" not in text else None
        except (ValueError, OverflowError):
            continue
    return None


def find_data(meta_path: Path, metadata: Mapping[str, Any], named: Path) -> tuple[Path, list[str]]:
    """Data file of a metadata file: the one that was named, else the same name with `.sigmf-data`, else `core:dataset`.

    Args:
        meta_path: the metadata file.
        metadata: what it says.
        named: what the user named: one of both files, or their common name.

    Returns:
        (path, warnings).

    Raises:
        RecordingError: it does not exist, or `core:dataset` is not a mere file name.
    """
    dataset = metadata["global"].get("core:dataset")
    conforming = meta_path.with_name(meta_path.name.removesuffix(META_SUFFIX) + DATA_SUFFIX)
    if named != meta_path and named.is_file():
        data_path = named
    elif dataset is None or conforming.is_file():
        data_path = conforming
    elif isinstance(dataset, str) and dataset and Path(dataset).name == dataset and "\0" not in dataset:
        data_path = meta_path.with_name(dataset)
    else:
        raise RecordingError(f"{meta_path}: core:dataset is {dataset!r:.80}; it must be the name of a file beside it.")
    if data_path.is_dir():
        raise RecordingError(f"{data_path} is a folder: the samples that {meta_path.name} describes must be a file.")
    if not data_path.is_file():
        alone = " (core:metadata_only says that it was left out)" if is_metadata_only(metadata) else ""
        raise RecordingError(f"{data_path} does not exist{alone}: put the samples beside {meta_path.name}.")
    is_other = dataset is not None and dataset != data_path.name
    return data_path, [f"core:dataset is {dataset!r:.80}; {data_path.name} is read"] if is_other else []


def is_metadata_only(metadata: Mapping[str, Any]) -> bool:
    """Whether the metadata say that the samples were left out."""
    return metadata["global"].get("core:metadata_only") is True


def needed_extensions(metadata: Mapping[str, Any]) -> list[str]:
    """Names of the extensions without which, so the metadata say, the recording may not be understood."""
    extensions = metadata["global"].get("core:extensions")
    entries = extensions if isinstance(extensions, list) else []
    return [str(entry.get("name")) for entry in entries if isinstance(entry, dict) and entry.get("optional") is False]


def number(
    where: str | os.PathLike[str], fields: Mapping[str, Any], key: str, *, above: float | None = None
) -> float | None:
    """Value of `fields[key]` as a float, None where absent.

    Raises:
        RecordingError: not a number up to 1e12 (the limit of SigMF), or not above `above`.
    """
    value = fields.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= HIGHEST:
        raise RecordingError(f"{where}: {key} is {value!r:.40}; it must be a number of at most 1e12.")
    if above is not None and not value > above:
        raise RecordingError(f"{where}: {key} is {value!r}; it must be above {above:g}.")
    return float(value)


def count(where: str | os.PathLike[str], fields: Mapping[str, Any], key: str, default: int = 0) -> int:
    """Value of `fields[key]` as an int from 0 to 2^63 - 1, `default` where absent. A float such as 4e6 will do.

    Raises:
        RecordingError: anything else.
    """
    value = fields.get(key, default)
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if isinstance(value, bool) or not whole or not 0 <= value < 1 << 63:
        raise RecordingError(f"{where}: {key} is {value!r:.40}; it must be a whole number of 0 or more.")
    return int(value)


def check_annotation(where: str | os.PathLike[str], entry: Mapping[str, Any]) -> None:
    """Raise a RecordingError if one of the fields of an annotation that are used here cannot be."""
    count(where, entry, "core:sample_start")
    count(where, entry, "core:sample_count")
    edges = [number(where, entry, f"core:freq_{side}_edge") for side in ("lower", "upper")]
    if None not in edges and edges[0] > edges[1]:  # type: ignore[operator]
        raise RecordingError(
            f"{where}: core:freq_lower_edge is {edges[0]:g}, above core:freq_upper_edge, {edges[1]:g}."
        )
    for key in ("core:label", "core:comment", "core:generator"):
        if not isinstance(entry.get(key, ""), str):
            raise RecordingError(f"{where}: {key} is {entry[key]!r:.40}; it must be text.")
