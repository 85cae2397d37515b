# SPDX-License-Identifier: GPL-3.0-or-later
"""SigMF metadata as text: completed, written, and checked against the standard's schema.

The schema is that of the `sigmf` library. Distributions do not have it, so it is optional: what this program writes is
in order without a check, and the fields that a recording came with are then passed on as they are.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from typing import Any

VERSION = "1.2.0"
"""Version of the SigMF standard that is written."""
PARTS = ("global", "captures", "annotations")
DEFAULTS = {"core:num_channels": 1, "core:offset": 0}
"""Fields of the global object that may be left out."""


def completed(fields: Mapping[str, Any]) -> dict[str, Any]:
    """A global object with the fields that may be left out, and the version that is written here."""
    known = {key: value for key, value in fields.items() if key not in DEFAULTS or value is not None}
    return {**DEFAULTS, **known, "core:version": VERSION}


def write(metadata: Mapping[str, Any]) -> str:
    """The text of a metadata file: the three parts in their order, their keys in that of the alphabet; then the rest.

    Raises:
        ValueError: a number is NaN or infinite, which JSON does not have.
    """
    parts = {part: metadata[part] for part in PARTS} | {"global": completed(metadata["global"])}
    ordered = {part: json.loads(json.dumps(value, sort_keys=True)) for part, value in parts.items()}
    return json.dumps({**ordered, **metadata, **ordered}, indent=4, allow_nan=False) + "\n"


@cache
def validator() -> Any:
    """The validator of the standard's schema, of `jsonschema`; None where the `sigmf` library is not installed."""
    if find_spec("sigmf") is None:
        return None
    import jsonschema
    from sigmf.schema import get_schema

    schema = get_schema()
    return jsonschema.validators.validator_for(schema)(schema)
