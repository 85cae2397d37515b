# SPDX-License-Identifier: GPL-3.0-or-later
"""What is on the wire: a message is two parts, its topic and a JSON object that starts with the same four keys.

    >>> parts = pack("segment", 7, "c0ffee", {"label": "LTE"})
    >>> parts[0], unpack(parts)["sequence"]
    (b'segment', 7)

The keys beyond these four are those of the GNU Radio messages; docs/publisher.schema.json has them all.
"""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from . import keys
from .fields import FRAME, SEGMENT, STATUS, TOPICS

if TYPE_CHECKING:
    import numpy as np

__all__ = ["FRAME", "SEGMENT", "STATUS", "TOPICS", "VERSION", "VersionError", "decode_image", "pack", "unpack"]

VERSION = 2
"""Goes up when a key changes its meaning or goes away; not when a key is added. Since 2 a segment carries its carrier's
label, edges, confidence, SNR and power, and no longer its own."""

# Keys of every message
KEY_VERSION, KEY_PUBLISHER, KEY_TOPIC, KEY_SEQUENCE = keys.VERSION, keys.PUBLISHER, keys.TOPIC, keys.SEQUENCE


class VersionError(ValueError):
    """A message of another version."""


def pack(topic: str, sequence: int, publisher: str, body: Mapping[str, Any]) -> list[bytes]:
    """The two parts of a message.

    Args:
        topic: one of `TOPICS`.
        sequence: number of the message within its topic.
        publisher: another word after every start of the publisher.
        body: dict of what JSON can hold. The four keys of every message come from the other arguments.

    Returns:
        [bytes, bytes]: topic and JSON, ASCII.

    Raises:
        ValueError, TypeError: the body holds something that is not JSON, such as NaN.
    """
    envelope = {KEY_VERSION: VERSION, KEY_PUBLISHER: publisher, KEY_TOPIC: topic, KEY_SEQUENCE: sequence}
    text = json.dumps({**envelope, **body, **envelope}, allow_nan=False, separators=(",", ":"))
    return [topic.encode(), text.encode()]


def unpack(parts: Sequence[bytes]) -> dict[str, Any]:
    """Read a message.

    Args:
        parts: list of bytes, as they were received.

    Returns:
        dict of the JSON object; the four keys of every message are there and of the right kind.

    Raises:
        VersionError: it is of another version.
        ValueError: it is no such message.
    """
    if len(parts) != 2:
        raise ValueError(f"a message of {len(parts)} parts instead of 2, topic and JSON")
    try:
        message = json.loads(parts[1])
    except (ValueError, RecursionError) as error:
        raise ValueError(f"a message that is not JSON: {error}") from None
    if not isinstance(message, dict) or KEY_VERSION not in message:
        raise ValueError(f"JSON without the key {KEY_VERSION}")
    if message[KEY_VERSION] != VERSION:
        raise VersionError(f"messages of version {message[KEY_VERSION]!r}; version {VERSION} can be read")
    topic, publisher, sequence = (message.get(key) for key in (KEY_TOPIC, KEY_PUBLISHER, KEY_SEQUENCE))
    if topic not in TOPICS or topic.encode() != parts[0]:
        raise ValueError(f"topic {topic!r} in a message for {parts[0]!r}")
    if not isinstance(publisher, str) or type(sequence) is not int or sequence < 0:
        raise ValueError(f"{KEY_PUBLISHER} {publisher!r} or {KEY_SEQUENCE} {sequence!r} is of a wrong kind")
    return message


def encode_pixels(pixels: "np.ndarray") -> str:
    """Base64 of a uint8 array, row by row, as str."""
    return base64.b64encode(pixels.tobytes()).decode()


def decode_image(message: Mapping[str, Any]) -> "tuple[np.ndarray, np.ndarray]":
    """The pictures of a frame message.

    Args:
        message: dict of a message with topic `frame`.

    Returns:
        image, mask: uint8, shape (rows, columns); first row = first in time, first column = lowest frequency. The
            mask holds indices into `message["classes"]`.

    Raises:
        ValueError: they are missing, or their size does not fit.
    """
    import numpy as np

    try:
        shape = message[keys.ROWS], message[keys.COLUMNS]
        if min(shape) < 1:
            raise ValueError(f"{shape[0]} rows of {shape[1]} columns")
        image, mask = (
            np.frombuffer(base64.b64decode(message[key], validate=True), np.uint8).reshape(shape)
            for key in (keys.IMAGE, keys.MASK)
        )
        return image, mask
    except (KeyError, TypeError, binascii.Error, ValueError) as error:
        raise ValueError(f"a frame message without a picture that can be read: {error!r}") from error
