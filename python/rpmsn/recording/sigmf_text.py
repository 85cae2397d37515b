# SPDX-License-Identifier: GPL-3.0-or-later
"""SigMF metadata as text: read, completed, written, and checked against the standard's schema.

The schema is that of the `sigmf` library. Distributions do not have it, so it is optional: what this program writes is
in order without a check, and the fields that a recording came with are then passed on as they are.
"""

import json
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from ..errors import RecordingError

VERSION = "1.2.0"
"""Version of the SigMF standard that is written."""
PARTS = ("global", "captures", "annotations")
DEFAULTS = {"core:num_channels": 1, "core:offset": 0}
"""Fields of the global object that may be left out."""


def read(text: str) -> dict[str, Any]:
    """The parts of a metadata file, with what may be left out; `captures` and `annotations` are not looked at.

    Raises:
        ValueError, RecursionError: not JSON.
        TypeError: it has no object `global`.
    """
    found = json.loads(text)
    if not isinstance(found, dict) or not isinstance(found.get("global"), dict):
        raise TypeError('no object "global"')
    return {
        "global": completed(found["global"]),
        "captures": found.get("captures", []),
        "annotations": found.get("annotations", []),
    }


def completed(fields: Mapping[str, Any]) -> dict[str, Any]:
    """A global object with the fields that may be left out, and the version that is written here."""
    known = {key: value for key, value in fields.items() if key not in DEFAULTS or value is not None}
    return {**DEFAULTS, **known, "core:version": VERSION}


def write(metadata: Mapping[str, Any]) -> str:
    """The text of a metadata file: the three parts in their order, their keys in that of the alphabet."""
    parts = {part: metadata[part] for part in PARTS} | {"global": completed(metadata["global"])}
    ordered = {part: json.loads(json.dumps(value, sort_keys=True)) for part, value in parts.items()}
    return json.dumps(ordered, indent=4) + "\n"


def check(text: str) -> None:
    """Check the text of a metadata file by the `sigmf` library, where that is installed.

    Raises:
        RecordingError: it is not valid SigMF.
    """
    if find_spec("sigmf") is None:
        return
    from jsonschema.exceptions import ValidationError
    from sigmf import SigMFFile

    try:
        SigMFFile(metadata=text).validate()
    except (ValidationError, TypeError, KeyError, AttributeError) as error:
        raise RecordingError(f"not valid SigMF: {getattr(error, 'message', error)}") from error
