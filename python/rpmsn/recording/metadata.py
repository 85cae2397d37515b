# SPDX-License-Identifier: GPL-3.0-or-later
"""SigMF metadata: find the files of a recording, read them, check what the samples rely on.

The schema of the standard would refuse recordings that are only a little out of line, so the numbers and words that are
needed here are checked one by one. The `sigmf` library does not open the data file: it counts samples without regard to
`core:offset` and to captures out of order, centres `cu8` on 128 instead of 127.5, and follows `core:dataset` into any
folder.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import RecordingError
from . import sigmf_text

META_SUFFIX = ".sigmf-meta"
DATA_SUFFIX = ".sigmf-data"
OTHER_SUFFIXES = (".sigmf", ".sigmf.gz", ".sigmf.xz", ".sigmf.zip", ".sigmf-collection")


def find_metadata(path: Path) -> Path | None:
    """Metadata file that belongs to `path`, or None if `path` is a raw file.

    Args:
        path: the `.sigmf-meta`, the `.sigmf-data` or the name without ending, or a file of another kind.

    Raises:
        RecordingError: nothing there, a folder, an archive or a collection.
    """
    if not path.name:  # such as `.` or `/`
        refuse_unreadable_kind(path)
    if path.name.endswith(META_SUFFIX):
        refuse_unreadable_kind(path)
        return path
    if path.name.endswith(DATA_SUFFIX):
        base = path.with_name(path.name.removesuffix(DATA_SUFFIX))
    else:
        base = path
    metadata = base.with_name(base.name + META_SUFFIX)
    if metadata.is_file():
        return metadata
    refuse_unreadable_kind(path)
    return None


def refuse_unreadable_kind(path: Path) -> None:
    """Raise a RecordingError if `path` is not a file, or a SigMF file of a kind that is not read."""
    if path.is_dir():
        raise RecordingError(f"{path} is a folder: give one recording in it, for instance its {META_SUFFIX} file.")
    if not path.exists():
        raise RecordingError(missing_file(path))
    if not path.is_file():
        raise RecordingError(f"{path} is not a regular file: samples are read by position, copy them to a file first.")
    if path.name.endswith(OTHER_SUFFIXES):
        raise RecordingError(
            f"{path} is a SigMF archive or collection, which is not read: unpack it "
            f"(archive: tar -xf {path.name}) and give the {META_SUFFIX} file of one recording."
        )


def missing_file(path: Path) -> str:
    """Message for a file that is not there, with the names that were tried."""
    if path.suffix in (META_SUFFIX, DATA_SUFFIX):
        return f"{path} does not exist: check the name."
    return f"{path} does not exist, nor does {path.name}{META_SUFFIX}: check the name."


def load(path: Path) -> dict[str, Any]:
    """Read a metadata file into a dict whose `global` is an object and `captures`, `annotations` lists of objects.

    Raises:
        RecordingError: unreadable, not JSON, or without these three parts.
    """
    try:
        metadata = sigmf_text.read(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RecordingError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (ValueError, RecursionError) as error:
        raise RecordingError(f"{path} is not valid JSON: {error}. Repair it or make it again.") from error
    except TypeError as error:
        raise RecordingError(f'{path} is not SigMF metadata: it has no object "global".') from error
    for key in ("captures", "annotations"):
        entries = metadata[key]
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise RecordingError(f'{path}: "{key}" is {entries!r:.80}; it must be a list of objects.')
    return metadata


def find_data(meta_path: Path, metadata: Mapping[str, Any]) -> Path:
    """Data file of a metadata file: `core:dataset` if given, else the same name with `.sigmf-data`.

    Raises:
        RecordingError: it does not exist, or `core:dataset` is not a mere file name.
    """
    dataset = metadata["global"].get("core:dataset")
    if dataset is None:
        data_path = meta_path.with_name(meta_path.name.removesuffix(META_SUFFIX) + DATA_SUFFIX)
    elif isinstance(dataset, str) and dataset and Path(dataset).name == dataset:
        data_path = meta_path.with_name(dataset)
    else:
        raise RecordingError(f"{meta_path}: core:dataset is {dataset!r}; it must be the name of a file beside it.")
    if data_path.is_dir():
        raise RecordingError(f"{data_path} is a folder: the samples that {meta_path.name} describes must be a file.")
    if not data_path.is_file():
        alone = " (core:metadata_only says that it was left out)" if is_metadata_only(metadata) else ""
        raise RecordingError(f"{data_path} does not exist{alone}: put the samples beside {meta_path.name}.")
    return data_path


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
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= 1e12:
        raise RecordingError(f"{where}: {key} is {value!r:.40}; it must be a number of at most 1e12.")
    if above is not None and not value > above:
        raise RecordingError(f"{where}: {key} is {value!r}; it must be above {above:g}.")
    return float(value)


def count(where: str | os.PathLike[str], fields: Mapping[str, Any], key: str, default: int = 0) -> int:
    """Value of `fields[key]` as an int of 0 or more, `default` where absent. A float such as 4e6 will do.

    Raises:
        RecordingError: anything else.
    """
    value = fields.get(key, default)
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if isinstance(value, bool) or not whole or value < 0:
        raise RecordingError(f"{where}: {key} is {value!r}; it must be a whole number of 0 or more.")
    return int(value)
