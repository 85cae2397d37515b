# SPDX-License-Identifier: GPL-3.0-or-later
"""Python values to PDUs and back; `rpmsn.messages.fields` has every key and its kind.

A message is a PDU, `pmt.cons(dict, u8vector)`: the blocks of gr-pdu take it, and the payload may be empty but is always
there.

    >>> pdu = make_pdu({"label": "LTE", "center_frequency": 2.4e9})
    >>> fields, payload = parse_pdu(pdu, required=("label",))
    >>> fields["label"], fields["center_frequency"], payload.size
    ('LTE', 2400000000.0, 0)
"""

import numbers
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pmt

from rpmsn.messages.fields import DOUBLE, FREQ, RX_TIME, TIME, UINT64, kind_of

# A uniform vector of uint8 as PMT writes it: tag, element type, count, one pad byte. The element-wise calls of
# the Python binding take milliseconds for one image and hold the GIL meanwhile (measured), so it is written by hand.
_U8_HEADER = struct.Struct(">BBIBB")
_TAG_UNIFORM_VECTOR = 0x0A
_TYPE_U8 = 0x00


def make_pdu(fields: Mapping[str, Any], payload: bytes | np.ndarray = b"") -> pmt.pmt_base:
    """Build a PDU.

    Args:
        fields: dict, str -> bool, whole number, float (numpy's too), str, uint8 array, list of str, and (whole s,
            fraction) for `rx_time`. A value of None means unknown: its key is left out.
        payload: bytes, or uint8 array of any shape, which is sent row by row (C order).

    Returns:
        `pmt.cons(dict, u8vector)`.

    Raises:
        ValueError: a value cannot be sent under its key; the message names both.
    """
    message = pmt.make_dict()
    for key, value in fields.items():
        if value is not None:
            message = pmt.dict_add(message, pmt.intern(key), _to_pmt(key, value))
    return pmt.cons(message, _to_u8vector("payload", payload))


def parse_pdu(message: pmt.pmt_base, required: Sequence[str] = ()) -> tuple[dict[str, Any], np.ndarray]:
    """Parse a PDU.

    Args:
        message: pmt.
        required: keys that must be there, such as `FRAME_KEYS`.

    Returns:
        fields: dict, str -> bool, int, float, str, tuple, list or uint8 array. Keys of a kind that Python has no value
            for are left out.
        payload: uint8, one-dimensional, read-only.

    Raises:
        ValueError: not a PDU of bytes, or keys are missing.
    """
    if not (pmt.is_pair(message) and pmt.is_dict(pmt.car(message)) and pmt.is_u8vector(pmt.cdr(message))):
        raise ValueError(
            f"not a PDU of bytes: {_shorten(message)}; send pmt.cons(dict, u8vector), for example by "
            "gnuradio.rpmsn.pdu.make_pdu"
        )
    fields = _parse_dict(pmt.car(message))
    missing = [key for key in required if key not in fields]
    if missing:
        raise ValueError(f"PDU without {', '.join(missing)}; it has {', '.join(fields) or 'no keys'}")
    return fields, _from_u8vector(pmt.cdr(message))


def make_tune_command(frequency: float) -> pmt.pmt_base:
    """The dict that UHD's and Soapy's sources take on their command port; `frequency` in Hz."""
    return pmt.dict_add(pmt.make_dict(), pmt.intern(FREQ), pmt.from_double(float(frequency)))


def parse_command(message: pmt.pmt_base) -> dict[str, Any]:
    """A command, such as `make_tune_command` makes, as a dict of Python values.

    Raises:
        ValueError: it is no dict.
    """
    command = pmt.to_python(message)
    if not isinstance(command, dict):
        raise ValueError("not a dict")
    return command


def _to_pmt(key: str, value: Any) -> pmt.pmt_base:
    """One value as the PMT kind that belongs to its key."""
    if kind_of(key) == TIME:
        return _to_time(value)
    if isinstance(value, (bool, np.bool_)):
        return pmt.from_bool(bool(value))
    if isinstance(value, numbers.Real):
        return _to_number(key, value)
    if isinstance(value, str):
        return pmt.intern(value)
    if isinstance(value, (bytes, bytearray, np.ndarray)):
        return _to_u8vector(key, value)
    if isinstance(value, (list, tuple)):
        return _to_symbols(key, value)
    raise ValueError(
        f"{key} = {value!r}: a {type(value).__name__} cannot be sent; allowed are bool, number, str, "
        "uint8 array and list of str"
    )


def _to_number(key: str, value: Any) -> pmt.pmt_base:
    """uint64, long or double, by key first and by type where the key is not one of ours."""
    kind = kind_of(key)
    if kind == UINT64:
        whole = int(value)
        if whole != value or not 0 <= whole < 2**64:
            raise ValueError(f"{key} = {value!r} is not a whole number from 0 to 2**64 - 1")
        return pmt.from_uint64(whole)
    if kind == DOUBLE or not isinstance(value, numbers.Integral):
        return pmt.from_double(float(value))
    return pmt.from_long(int(value))


def _to_time(value: Any) -> pmt.pmt_base:
    """(whole seconds, fraction) as UHD tags carry it."""
    try:
        seconds, fraction = value
        return pmt.make_tuple(pmt.from_uint64(int(seconds)), pmt.from_double(float(fraction)))
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{RX_TIME} = {value!r} is not (whole seconds >= 0, fraction of a second)") from error


def _to_symbols(key: str, values: Any) -> pmt.pmt_base:
    """A vector of symbols."""
    if not all(isinstance(value, str) for value in values):
        raise ValueError(f"{key} = {values!r}: a list may only hold str")
    vector = pmt.make_vector(len(values), pmt.PMT_NIL)
    for index, value in enumerate(values):
        pmt.vector_set(vector, index, pmt.intern(value))
    return vector


def _to_u8vector(key: str, values: bytes | np.ndarray) -> pmt.pmt_base:
    """Bytes or a uint8 array as u8vector."""
    if isinstance(values, np.ndarray) and values.dtype != np.uint8:
        raise ValueError(f"{key} is an array of {values.dtype}; only uint8 can be sent, convert it first")
    data = values.tobytes() if isinstance(values, np.ndarray) else bytes(values)
    if not data:
        return pmt.init_u8vector(0, [])
    return pmt.deserialize_str(_U8_HEADER.pack(_TAG_UNIFORM_VECTOR, _TYPE_U8, len(data), 1, 0) + data)


def _from_u8vector(vector: pmt.pmt_base) -> np.ndarray:
    """A u8vector as read-only uint8 array."""
    count = pmt.length(vector)
    if count == 0:
        return np.zeros(0, np.uint8)
    data = pmt.serialize_str(vector)
    return np.frombuffer(data, np.uint8, count=count, offset=len(data) - count)


def _parse_dict(message: pmt.pmt_base) -> dict[str, Any]:
    """A PMT dict as Python dict, in the order in which the keys were added."""
    items, rest = [], pmt.dict_items(message)
    while pmt.is_pair(rest):
        items.append(pmt.car(rest))
        rest = pmt.cdr(rest)
    fields = {}
    for item in reversed(items):
        key, value = pmt.car(item), pmt.cdr(item)
        if pmt.is_symbol(key):
            try:
                value = _from_u8vector(value) if pmt.is_u8vector(value) else pmt.to_python(value)
            except ValueError:
                continue
            fields[pmt.symbol_to_string(key)] = value
    return fields


def _shorten(message: pmt.pmt_base) -> str:
    """A message in at most 80 characters, for an error."""
    text = str(message)
    return text if len(text) <= 80 else text[:77] + "..."
