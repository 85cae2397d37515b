# SPDX-License-Identifier: GPL-3.0-or-later
"""What a reader finds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..stores import Store


@dataclass
class Found:
    """A recording as bytes and SigMF metadata: what a header says is `core:` fields, the header itself `header_bytes`.

    Attributes:
        path: the file; results are named after it.
        store: its bytes.
        metadata: as of a `.sigmf-meta` file.
        meta_path: that file, where there is one.
        warnings: what is odd, or was assumed.
        is_plain: whether SigMF metadata beside `path` could say where in it the samples are.
        from_name: what was read from the file's name, in words; by `datatype`, `sample_rate`, `center_frequency`.
    """

    path: Path
    store: Store
    metadata: dict[str, Any]
    meta_path: Path | None = None
    warnings: list[str] = field(default_factory=list)
    is_plain: bool = True
    from_name: dict[str, str] = field(default_factory=dict)


def described(
    datatype: str | None,
    sample_rate: float | None = None,
    captures: list[dict[str, Any]] | None = None,
    **global_fields: Any,
) -> dict[str, Any]:
    """SigMF metadata with what is known; the names of further global fields without `core:`. None is left out."""
    fields = {"datatype": datatype, "sample_rate": sample_rate, **global_fields}
    return {
        "global": {f"core:{name}": value for name, value in fields.items() if value is not None},
        "captures": captures or [],
        "annotations": [],
    }


def capture(header_bytes: int = 0, start: int = 0, **fields: Any) -> dict[str, Any]:
    """A capture segment; the names of further fields without `core:`. None is left out."""
    known: Mapping[str, Any] = {"sample_start": start, "header_bytes": header_bytes or None, **fields}
    return {f"core:{name}": value for name, value in known.items() if value is not None}
