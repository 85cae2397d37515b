# SPDX-License-Identifier: GPL-3.0-or-later
"""Carriers out as SigMF annotations, in a metadata file of their own that appears whole or not at all.

Besides the `core:` fields an annotation has those of the extension `rpmsn`, by the table of fields
(`rpmsn.messages.fields`; docs/messages.md shows them). How the file refers to the samples:

* beside a data file of the same name (`x.sigmf-meta`, `x.sigmf-data`): nothing needs to be said.
* beside a data file of another name: `core:dataset` is that name, and SigMF readers open the pair.
* in another folder, or where SigMF does not allow the data file's name: `core:dataset` may not say it, so
  `core:metadata_only` is true and `rpmsn:dataset` has the name, as a hint for people. Moved beside a data file of its
  own name it is a whole recording again.
"""

from __future__ import annotations

import copy
import logging
import math
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import RecordingError, WriteError
from ..files import check_writable, write_whole
from ..messages import keys
from ..messages.fields import DOUBLE, sigmf_fields
from ..messages.json_messages import number
from ..messages.results import carrier_values
from ..version import __version__
from . import sigmf_text
from .metadata import DATA_SUFFIX, META_SUFFIX

if TYPE_CHECKING:
    from .recording import Recording

DATASET = keys.FIELDS[keys.DATASET].sigmf
GENERATOR = f"gr-rpmsn {__version__}"
EXTENSION = {"name": "rpmsn", "version": "2.0.0", "optional": True}
"""Since 2.0.0 an annotation of a segment has its carrier's label, edges and confidence, and numbers are not rounded."""

DATASET_NAME = re.compile(r'[^/\\:*?"<>|]')
"""How names begin that SigMF allows as `core:dataset`."""
OUTPUT_NAME = re.compile(rf"\.rpmsn(-\d+)?{re.escape(META_SUFFIX)}$")

MOST_FAULTS = 8
"""Fields that a warning names."""
MOST_PASSES = 4
"""What is valid alone may not be beside what was left out; the second pass finds nothing more as a rule."""

logger = logging.getLogger(__name__)


def default_output(recording: Recording) -> Path:
    """`<base>.rpmsn.sigmf-meta` beside the data file, or the first of `<base>.rpmsn-2.sigmf-meta`... that is free.

    `<base>` is the name of the data file without `.sigmf-data`; any other ending stays (`x.cs8.rpmsn.sigmf-meta`),
    since a dot in the name of a raw file need not start an ending (`band_2.6GHz`).
    """
    number = 1
    while True:
        output = recording.path.with_name(output_name(recording.path.name, number))  # of stdin in the current folder
        if not os.path.lexists(output):
            return output
        number += 1


def output_name(data: str, number: int = 1) -> str:
    """Name of the annotations of a data file, the first or a later one."""
    return f"{data.removesuffix(DATA_SUFFIX)}.rpmsn{'' if number == 1 else f'-{number}'}{META_SUFFIX}"


def is_output_name(name: str) -> bool:
    """Whether a file has a name as of `output_name`."""
    return OUTPUT_NAME.search(name) is not None


def write_annotations(
    recording: Recording,
    carriers: Iterable[Any],
    output: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    model: str | None = None,
    extra_global: Mapping[str, Any] | None = None,
    keep_annotations: bool = False,
    drawn: Iterable[Mapping[str, Any]] = (),
) -> Path:
    """Write one annotation for each carrier into the new metadata file `output`.

    Args:
        recording: the `Recording` that was analysed. Its global object and captures are kept; of a raw file they
            are made from what is known.
        carriers: their samples count those of the recording, from 0.
        output: path that ends in `.sigmf-meta`.
        overwrite: replace `output` if it exists, even if it is the metadata file of `recording` itself. Then the
            annotations that it has from others stay, and those of this program are replaced.
        model: name of the model.
        extra_global: dict of further fields of the global object.
        keep_annotations: also keep the annotations that the recording came with.
        drawn: further annotations, as of `Recording.annotations`.

    Returns:
        `output` as a Path.

    Raises:
        RecordingError: `output` has another ending, exists, or cannot be written. Then nothing has been changed.
    """
    output = _check_name(Path(output), overwrite)
    each = recording.stored_per_sample
    annotations = [
        annotation(
            carrier_values(carrier),
            carrier.carrier_id,
            carrier.sample_start * each + recording.sample_offset,
            carrier.sample_count * each,
        )
        for carrier in carriers
    ]
    annotations += [_in_stored_samples(entry, recording) for entry in drawn]
    if keep_annotations:
        annotations += copy.deepcopy(recording.metadata["annotations"])
    elif _is_own_metadata(recording, output):
        annotations += [copy.deepcopy(entry) for entry in recording.metadata["annotations"] if not _is_ours(entry)]
    annotations.sort(key=lambda entry: _order(entry.get("core:sample_start")))
    added = {
        **_dataset(recording, output),
        **({keys.FIELDS[keys.MODEL].sigmf: model} if model else {}),
        keys.FIELDS[keys.FINGERPRINT].sigmf: None,  # that of other annotations, which the recording came with
        **(extra_global or {}),
    }
    try:
        write_whole(output, _document(recording, annotations, added), overwrite=overwrite)
    except FileExistsError:
        raise _exists(output) from None
    except WriteError as error:
        raise RecordingError(str(error)) from error
    return output


def _in_stored_samples(entry: Mapping[str, Any], recording: Recording) -> dict[str, Any]:
    each = recording.stored_per_sample
    start = entry["core:sample_start"] * each + recording.sample_offset
    return {**entry, "core:sample_start": start, "core:sample_count": entry["core:sample_count"] * each}


def _is_own_metadata(recording: Recording, output: Path) -> bool:
    return recording.meta_path is not None and output.resolve() == recording.meta_path.resolve()


def _is_ours(entry: Mapping[str, Any]) -> bool:
    return str(entry.get("core:generator", "")).split(" ")[0] == GENERATOR.split(" ")[0]


def check_output(output: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
    """Check, before the long work begins, what `write_annotations` would refuse after it.

    Raises:
        RecordingError: another ending than `.sigmf-meta`, exists and `overwrite` is false, its folder is missing, or
            nothing can be written there.
    """
    output = _check_name(Path(output), overwrite)
    try:
        check_writable(output)
    except WriteError as error:
        raise RecordingError(f"{error} --output names another file.") from error
    return output


def _check_name(output: Path, overwrite: bool) -> Path:
    if not output.name.endswith(META_SUFFIX) or output.name == META_SUFFIX:
        raise RecordingError(f"output is {output}; it must end in {META_SUFFIX}, for instance {output}{META_SUFFIX}.")
    if not output.parent.is_dir():
        raise RecordingError(f"{output} cannot be written: the folder {output.parent} does not exist. Make it first.")
    if not overwrite and os.path.lexists(output):
        raise _exists(output)
    return output


def _exists(output: Path) -> RecordingError:
    return RecordingError(f"{output} exists and is not overwritten: choose another name, or ask for it (--overwrite).")


def annotation(values: Mapping[str, Any], carrier_id: int, sample_start: int, sample_count: int) -> dict[str, Any]:
    """One annotation. Numbers that are unknown or not finite are left out.

    Args:
        values: what is known of its carrier, as of `rpmsn.messages.results.carrier_values`.
        carrier_id: of its carrier.
        sample_start, sample_count: in the numbers of the file that the annotation is written to.
    """
    values = {**values, keys.BURST_ID: int(carrier_id)}
    known = {
        one.sigmf: number(values[one.name]) if one.kind == DOUBLE else values[one.name]
        for one in sigmf_fields()
        if one.name in values
    }
    return {
        "core:sample_start": int(sample_start),
        "core:sample_count": int(sample_count),
        "core:generator": GENERATOR,
        **{name: value for name, value in known.items() if value is not None},
    }


def _dataset(recording: Recording, output: Path) -> dict[str, Any]:
    """Global fields that say where the samples are; None means that the field must not be there."""
    is_beside = output.parent.resolve() == recording.path.parent.resolve()
    if not recording.is_plain or not is_beside or not DATASET_NAME.match(recording.path.name):
        return {"core:dataset": None, "core:metadata_only": True, DATASET: recording.path.name}
    conforming = output.name.removesuffix(META_SUFFIX) + DATA_SUFFIX
    name = recording.path.name
    return {"core:dataset": None if name == conforming else name, "core:metadata_only": None, DATASET: None}


def _document(recording: Recording, annotations: list[dict[str, Any]], added: Mapping[str, Any]) -> str:
    """The whole file as text. Fields of the recording that are not valid SigMF are left out, and a warning names them;
    all else is kept, objects of extensions, too."""
    metadata: dict[str, Any] = copy.deepcopy(recording.metadata)
    captures = metadata["captures"] or [{"core:sample_start": recording.sample_offset}]
    if not recording.is_plain:
        # Headers are those of the file that the samples were in.
        captures = [{key: value for key, value in entry.items() if key != "core:header_bytes"} for entry in captures]
        metadata["global"].pop("core:trailing_bytes", None)
    for entry in captures:
        entry.setdefault("core:sample_start", 0)
    metadata["captures"] = sorted(captures, key=lambda entry: _order(entry["core:sample_start"]))
    metadata["annotations"] = annotations
    metadata["global"] = _global(metadata["global"], added)
    faults = _leave_out_invalid(metadata)
    if faults:
        others = f", and {len(faults) - MOST_FAULTS} others" if len(faults) > MOST_FAULTS else ""
        logger.warning(
            "%s is not valid SigMF: left out are %s%s",
            recording.meta_path or recording.path,
            "; ".join(faults[:MOST_FAULTS]),
            others,
        )
    return sigmf_text.write(metadata)


def _order(value: Any) -> float:
    """What captures are sorted by; those that are not valid come first, and are left out."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and value == value
    return value if is_number else -1


def _global(fields: Mapping[str, Any], added: Mapping[str, Any]) -> dict[str, Any]:
    fields = sigmf_text.completed({**fields, **added})
    extensions = fields.get("core:extensions")
    others = [
        entry
        for entry in (extensions if isinstance(extensions, list) else [])
        if not isinstance(entry, dict) or entry.get("name") != EXTENSION["name"]
    ]
    fields["core:extensions"] = [*others, EXTENSION]
    return {key: value for key, value in fields.items() if value is not None}


def _leave_out_invalid(metadata: dict[str, Any]) -> list[str]:
    """Take out of `global`, `captures` and `annotations`, in place, what the schema of SigMF refuses.

    Numbers that are not finite, which JSON does not have, go first, wherever they are.

    Returns:
        What was taken out, and why.
    """
    faults = [words for key in list(metadata) for words in _leave_out_infinite(metadata, key, "")]
    validator = sigmf_text.validator()
    for _ in range(MOST_PASSES if validator is not None else 0):
        checked = {key: metadata[key] for key in ("global", "captures", "annotations")}
        places = {tuple(error.absolute_path): error.message for error in validator.iter_errors(checked)}
        places = {place: words for place, words in places.items() if len(place) > 1}
        if not places:
            break
        # From the back, so that the numbers of list entries still hold.
        for place in sorted(places, key=lambda place: [str(part).zfill(20) for part in place], reverse=True):
            whole = place[: 2 if place[0] == "global" and place[1:2] != ("core:extensions",) else 3]
            if _take_out(metadata, list(whole)):
                faults.append(f"{_path_of(whole)} ({places[place]:.80})")
        metadata["global"].setdefault(
            "core:version", sigmf_text.VERSION
        )  # the one field that has to be there and may be wrong
    return faults


def _take_out(metadata: Any, place: list[Any]) -> bool:
    for part in place[:-1]:
        metadata = metadata[part]
    try:
        del metadata[place[-1]]
    except LookupError:  # already gone, with another fault in it
        return False
    return True


def _leave_out_infinite(parent: Any, key: Any, path: str) -> list[str]:
    """Take NaN and infinities out of what is at `parent[key]`, in place: the field that holds them, in an object."""
    value = parent[key]
    here = f"{path}[{key}]" if isinstance(key, int) else f"{path}.{key}".lstrip(".")
    if isinstance(value, float) and not math.isfinite(value):
        if isinstance(parent, list):
            parent[key] = None
        else:
            del parent[key]
        return [f"{here} ({value})"]
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [words for inner in keys for words in _leave_out_infinite(value, inner, here)]


def _path_of(place: Sequence[Any]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).lstrip(".")
