# SPDX-License-Identifier: GPL-3.0-or-later
"""From the fields of a message to the JSON that is published and logged; docs/publisher.schema.json has the result.

Keys keep their names and values, but for these: numbers that are not finite become null, `rx_time` becomes text and is
joined by `rx_time_seconds`, the pixels of a frame become base64.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..classes import CLASS_NAMES
from . import fields as table
from . import keys, wire
from .frame import check_frame, reduce_rows
from .times import seconds_of, time_text


def segment_to_json(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a message of the port `segments` as dict that JSON can hold."""
    return _to_json(fields)


def status_to_json(fields: Mapping[str, Any], counts: Mapping[str, int]) -> dict[str, Any]:
    """The fields of a message of the port `status` as dict that JSON can hold, with the publisher's own counts.

    Args:
        fields: keys as in `keys.STATUS_KEYS`.
        counts: as `rpmsn.publishing.publisher.Publisher.counts` returns them.
    """
    return {
        **_to_json(fields),
        keys.MESSAGES_SENT: counts["sent"],
        keys.MESSAGES_DROPPED: counts["dropped"],
        keys.MESSAGES_REFUSED: counts["refused"],
    }


def frame_to_json(fields: Mapping[str, Any], payload: np.ndarray, rows: int) -> dict[str, Any]:
    """A message of the port `frames` as dict that JSON can hold.

    Args:
        fields: keys as in `keys.FRAME_KEYS`.
        payload: uint8, the image, row by row.
        rows: rows that are left at most; of those that fall together the image keeps the strongest value, and the mask
            the class that most of them have.

    Raises:
        ValueError: a value that no frame has.
    """
    shape = fields[keys.ROWS], fields[keys.COLUMNS]
    frame = check_frame(fields, payload.reshape(shape), fields[keys.MASK].reshape(shape))
    image, _, mask = reduce_rows(frame, rows)
    return {
        **_to_json(fields),
        keys.CLASSES: list(CLASS_NAMES),
        keys.ROWS: image.shape[0],
        keys.COLUMNS: image.shape[1],
        keys.IMAGE: wire.encode_pixels(image),
        keys.MASK: wire.encode_pixels(mask),
    }


def line_of(fields: Mapping[str, Any], end_time: tuple[int, float]) -> dict[str, Any]:
    """The fields of a message of the port `segments` as a line of a log, in the order of the table of fields.

    Args:
        fields: keys as in `keys.SEGMENT_KEYS`.
        end_time: (whole seconds since 1970, fraction) of its end.
    """
    line = {**_to_json(fields), keys.END_TIME: time_text(end_time)}
    return {one.name: line[one.name] for one in table.fields_of(table.SEGMENT, table.LINE) if one.name in line}


def number(value: float | None) -> float | None:
    """A float that JSON can hold; None where it is unknown or not finite."""
    return float(value) if value is not None and math.isfinite(value) else None


def _to_json(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Values that JSON has a kind for; other keys are left out."""
    body: dict[str, Any] = {}
    for key, value in fields.items():
        if key == keys.RX_TIME:
            body[key], body[keys.RX_TIME_SECONDS] = time_text(value), seconds_of(value)
        elif isinstance(value, float) or table.kind_of(key) == table.DOUBLE and not isinstance(value, str):
            body[key] = number(value)
        elif (
            isinstance(value, (bool, int, str))
            or isinstance(value, list)
            and all(isinstance(item, str) for item in value)
        ):
            body[key] = value
    return body
