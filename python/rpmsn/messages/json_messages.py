# SPDX-License-Identifier: GPL-3.0-or-later
"""From the fields of a message to the JSON that is published; docs/publisher.schema.json has the result.

Keys keep their names and values, but for these: numbers that are not finite become null, `rx_time` becomes text and is
joined by `rx_time_seconds`, the pixels of a frame become base64.
"""

import math
import time

from ..classes import CLASS_NAMES
from . import keys, wire
from .frame import check_frame, reduce_rows

RX_TIME_SECONDS = "rx_time_seconds"  # number, s since 1970; a double holds it to 0.24 us
MESSAGES_SENT = "messages_sent"  # of the publisher, since its start
MESSAGES_DROPPED = "messages_dropped"  # likewise: too many waited
MESSAGES_REFUSED = "messages_refused"  # likewise: could not be encoded

NANOSECONDS = 10**9


def segment_to_json(fields):
    """The fields of a message of the port `segments` as dict that JSON can hold."""
    return _to_json(fields)


def status_to_json(fields, counts):
    """The fields of a message of the port `status` as dict that JSON can hold, with the publisher's own counts.

    Args:
        fields: dict, keys as in `keys.STATUS_KEYS`.
        counts: as `rpmsn.publishing.publisher.Publisher.counts` returns them.
    """
    return {
        **_to_json(fields),
        MESSAGES_SENT: counts["sent"],
        MESSAGES_DROPPED: counts["dropped"],
        MESSAGES_REFUSED: counts["refused"],
    }


def frame_to_json(fields, payload, rows):
    """A message of the port `frames` as dict that JSON can hold.

    Args:
        fields: dict, keys as in `keys.FRAME_KEYS`.
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
        wire.KEY_IMAGE: wire.encode_pixels(image),
        wire.KEY_MASK: wire.encode_pixels(mask),
    }


def _to_json(fields):
    """Values that JSON has a kind for; other keys are left out."""
    body = {}
    for key, value in fields.items():
        if key == keys.RX_TIME:
            body[key], body[RX_TIME_SECONDS] = _time_to_json(value)
        elif isinstance(value, float):
            body[key] = value if math.isfinite(value) else None
        elif (
            isinstance(value, (bool, int, str))
            or isinstance(value, list)
            and all(isinstance(item, str) for item in value)
        ):
            body[key] = value
    return body


def _time_to_json(rx_time):
    """(whole seconds, fraction) as ISO 8601 in UTC with nanoseconds, and as seconds; (None, None) if it is no time."""
    try:
        seconds, fraction = rx_time
        total = int(seconds) * NANOSECONDS + round(fraction * NANOSECONDS)
        whole, nanoseconds = divmod(total, NANOSECONDS)
        text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole))
    except (TypeError, ValueError, OverflowError, OSError):
        return None, None
    return (f"{text}.{nanoseconds:09d}Z", total / NANOSECONDS) if len(text) == 19 else (None, None)
