# SPDX-License-Identifier: GPL-3.0-or-later
"""Carriers out as SigMF annotations, in a metadata file of their own that appears whole or not at all.

Besides the `core:` fields an annotation has those of the extension `rpmsn`, by the table of fields
(`rpmsn.messages.fields`; docs/messages.md shows them). How the file refers to the samples:

* beside a data file of the same name (`x.sigmf-meta`, `x.sigmf-data`): nothing needs to be said.
* beside a data file of another name: `core:dataset` is that name, and SigMF readers open the pair.
* in another folder: `core:dataset` may not name a folder, so `core:metadata_only` is true and `rpmsn:dataset` has
  the name, as a hint for people. Moved beside a data file of its own name it is a whole recording again.
"""

from __future__ import annotations

import copy
import logging
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import RecordingError, WriteError
from ..files import write_whole
from ..messages import keys
from ..messages.fields import DOUBLE, sigmf_fields
from ..messages.json_messages import number
from ..messages.results import carrier_values
from ..version import __version__
from . import sigmf_text
from .captures import parse_time
from .metadata import DATA_SUFFIX, META_SUFFIX

if TYPE_CHECKING:
    from .recording import Recording

DATASET = keys.FIELDS[keys.DATASET].sigmf
GENERATOR = f"gr-rpmsn {__version__}"
EXTENSION = {"name": "rpmsn", "version": "2.0.0", "optional": True}
"""Since 2.0.0 an annotation of a segment has its carrier's label, edges and confidence, and numbers are not rounded."""

logger = logging.getLogger(__name__)


def default_output(recording: Recording) -> Path:
    """`<base>.rpmsn.sigmf-meta` beside the data file, or the first of `<base>.rpmsn-2.sigmf-meta`... that is free.

    `<base>` is the name of the data file without `.sigmf-data`; any other ending stays (`x.cs8.rpmsn.sigmf-meta`),
    since a dot in the name of a raw file need not start an ending (`band_2.6GHz`).
    """
    base = recording.path.name.removesuffix(DATA_SUFFIX)
    number = 1
    while True:
        name = f"{base}.rpmsn{'' if number == 1 else f'-{number}'}{META_SUFFIX}"
        output = recording.path.with_name(name)
        if not os.path.lexists(output):
            return output
        number += 1


def write_annotations(
    recording: Recording,
    carriers: Iterable[Any],
    output: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    model: str | None = None,
    extra_global: Mapping[str, Any] | None = None,
    keep_annotations: bool = False,
) -> Path:
    """Write one annotation for each carrier into the new metadata file `output`.

    Args:
        recording: the `Recording` that was analysed. Its global object and captures are kept; of a raw file they
            are made from what is known.
        carriers: their samples count those of the recording, from 0.
        output: path that ends in `.sigmf-meta`.
        overwrite: replace `output` if it exists, even if it is the metadata file of `recording` itself.
        model: name of the model.
        extra_global: dict of further fields of the global object.
        keep_annotations: also keep the annotations that the recording came with.

    Returns:
        `output` as a Path.

    Raises:
        RecordingError: `output` has another ending, exists, or cannot be written. Then nothing has been changed.
    """
    output = check_output(output, overwrite=overwrite)
    annotations = [
        annotation(
            carrier_values(carrier),
            carrier.carrier_id,
            carrier.sample_start + recording.sample_offset,
            carrier.sample_count,
        )
        for carrier in carriers
    ]
    if keep_annotations:
        annotations += copy.deepcopy(recording.metadata["annotations"])
    annotations.sort(key=lambda annotation: annotation["core:sample_start"])
    added = {
        **_dataset(recording, output),
        **({keys.FIELDS[keys.MODEL].sigmf: model} if model else {}),
        **(extra_global or {}),
    }
    try:
        write_whole(output, _document(recording, annotations, added), overwrite=overwrite)
    except FileExistsError:
        raise _exists(output) from None
    except WriteError as error:
        raise RecordingError(str(error)) from error
    return output


def check_output(output: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
    """Check, before the long work begins, what `write_annotations` would refuse after it.

    Raises:
        RecordingError: another ending than `.sigmf-meta`, exists and `overwrite` is false, or its folder is missing.
    """
    output = Path(output)
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


def _dataset(recording, output) -> dict:
    """Global fields that say where the samples are; None means that the field must not be there."""
    if output.parent.resolve() != recording.path.parent.resolve():
        return {"core:dataset": None, "core:metadata_only": True, DATASET: recording.path.name}
    conforming = output.name.removesuffix(META_SUFFIX) + DATA_SUFFIX
    name = recording.path.name
    return {"core:dataset": None if name == conforming else name, "core:metadata_only": None, DATASET: None}


def _document(recording, annotations, added) -> str:
    """The whole file as text, checked.

    Where the recording's own fields are not valid SigMF only those are kept that were needed to read it.
    """
    for is_last, make in enumerate((_original, _essential)):
        global_fields, captures = make(recording)
        try:
            metadata = {"global": _global(global_fields, added), "captures": captures, "annotations": annotations}
            document = sigmf_text.write(metadata)
            sigmf_text.check(document)
            return document
        except (RecordingError, TypeError, KeyError, AttributeError) as error:
            if is_last:
                raise RecordingError(f"the annotations of {recording.path} cannot be written: {error}.") from error
            logger.warning("%s: %s; only its essential fields are kept", recording.meta_path, error)
    raise AssertionError("the last attempt returns or raises")


def _global(fields, added) -> dict:
    fields = {**fields, **added}
    others = [entry for entry in fields.get("core:extensions", []) if entry["name"] != EXTENSION["name"]]
    fields["core:extensions"] = [*others, EXTENSION]
    return {key: value for key, value in fields.items() if value is not None}


def _original(recording):
    """Global object and captures of the recording's metadata, the latter in order of their start."""
    metadata = copy.deepcopy(recording.metadata)
    captures = sorted(metadata["captures"], key=lambda capture: capture.get("core:sample_start", 0))
    return metadata["global"], captures or _essential(recording)[1]


def _essential(recording):
    """Global object and captures with nothing but what was needed, and checked, to read the recording."""
    fields = recording.metadata["global"]
    kept = ("core:datatype", "core:sample_rate", "core:offset", "core:trailing_bytes")
    captures = [_essential_capture(entry) for entry in recording.metadata["captures"]]
    captures.sort(key=lambda capture: capture["core:sample_start"])
    captures = captures or [{"core:sample_start": recording.sample_offset}]
    return {key: fields[key] for key in kept if key in fields}, captures


def _essential_capture(entry) -> dict:
    kept = {"core:sample_start": 0}
    kept |= {key: entry[key] for key in ("core:sample_start", "core:frequency", "core:header_bytes") if key in entry}
    try:
        parse_time(entry.get("core:datetime"))
        kept["core:datetime"] = entry["core:datetime"]
    except ValueError:
        pass  # absent, or no time: nothing to keep
    return kept
