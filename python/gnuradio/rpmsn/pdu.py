# SPDX-License-Identifier: GPL-3.0-or-later
"""Every key of every message, named once, and the way between Python values and PDUs.

A message is a PDU, `pmt.cons(dict, u8vector)`: the blocks of gr-pdu take it, and the payload may be empty but is always
there. `SEGMENT_KEYS`, `FRAME_KEYS` and `STATUS_KEYS` are what a reader of each port may count on.

    >>> pdu = make_pdu({LABEL: "LTE", CENTER_FREQUENCY: 2.4e9})
    >>> fields, payload = parse_pdu(pdu, required=(LABEL,))
    >>> fields["label"], fields["center_frequency"], payload.size
    ('LTE', 2400000000.0, 0)
"""
import numbers
import struct

import numpy as np
import pmt

# Ports
SEGMENTS = "segments"
FRAMES = "frames"
STATUS = "status"

# On more than one port
PDU_NUM = "pdu_num"                    # uint64, number of the frame
CENTER_FREQUENCY = "center_frequency"  # double, Hz; of a segment: its middle. Of a frame: 0.0 where unknown
SAMPLE_RATE = "sample_rate"            # double, Hz
START_OFFSET = "start_offset"          # uint64, samples since the stream began
END_OFFSET = "end_offset"              # uint64, first sample after
RX_TIME = "rx_time"                    # tuple (uint64 whole s, double fraction), UTC since 1970
TIME_SOURCE = "time_source"            # symbol, one of TIME_SOURCES
DURATION = "duration"                  # double, s
MODEL = "model"                        # symbol
HEALTH = "health"                      # symbol, HEALTH_OK or what is wrong with the input, in words

TIME_SOURCES = ("radio", "file", "host")

# Segment
LABEL = "label"            # symbol, a name of rpmsn.classes.CLASS_NAMES
CLASS_ID = "class_id"      # long
CONFIDENCE = "confidence"  # double, 0..1
BANDWIDTH = "bandwidth"    # double, Hz
FREQ_LOWER = "freq_lower"  # double, Hz, absolute where the centre frequency is known
FREQ_UPPER = "freq_upper"  # double, Hz, likewise
SNR_DB = "snr_db"          # double, dB
PWR_DB = "pwr_db"          # double, dB
BURST_ID = "burst_id"      # uint64, the carrier
EVENT = "event"            # symbol, one of EVENTS

EVENTS = ("new", "update", "gone")

# Frame; its payload is the image, uint8, row-major, first row = first in time, first column = lowest frequency
ROWS = "rows"                        # long
COLUMNS = "columns"                  # long
MASK = "mask"                        # u8vector of rows * columns class ids, in the order of the payload
CLASSES = "classes"                  # vector of symbols, index = class id
DB_MIN = "db_min"                    # double, dB above the frame's noise floor where the image is 0
DB_MAX = "db_max"                    # double, likewise where the image is 255
NOISE_FLOOR_DB = "noise_floor_db"    # double, dB

# Status
MODE = "mode"                              # symbol, "live" or "replay"
INPUT_RATE = "input_rate"                  # double, samples per second of clock, as they come in
SAMPLES_RECEIVED = "samples_received"      # uint64
SAMPLES_ANALYSED = "samples_analysed"      # uint64
SAMPLES_DROPPED = "samples_dropped"        # uint64, not analysed: late, failed, or too few left over
SAMPLES_SKIPPED = "samples_skipped"        # uint64, left out on purpose: duty cycle
SAMPLES_LOST = "samples_lost"              # uint64, gaps: lost by the radio
FRAMES_ANALYSED = "frames_analysed"        # uint64
FRAMES_DROPPED = "frames_dropped"          # uint64
OVERFLOWS = "overflows"                    # uint64, gaps so far
COVERAGE = "coverage"                      # double, 0..1
REAL_TIME_FACTOR = "real_time_factor"      # double, seconds of signal per second of clock
QUEUE = "queue"                            # long, frames that wait
LATENCY = "latency"                        # double, s
INFERENCE_TIME = "inference_time"          # double, s a frame
RUNTIME = "runtime"                        # symbol
ERROR = "error"                            # symbol, only when something failed

HEALTH_OK = "ok"

# Command to a source, on the port of the same name
FREQ = "freq"  # double, Hz

SEGMENT_KEYS = (LABEL, CLASS_ID, CONFIDENCE, CENTER_FREQUENCY, BANDWIDTH, FREQ_LOWER, FREQ_UPPER, START_OFFSET,
                END_OFFSET, RX_TIME, TIME_SOURCE, DURATION, SAMPLE_RATE, SNR_DB, PWR_DB, BURST_ID, EVENT, PDU_NUM,
                MODEL, HEALTH)
FRAME_KEYS = (PDU_NUM, ROWS, COLUMNS, MASK, CLASSES, CENTER_FREQUENCY, SAMPLE_RATE, START_OFFSET, END_OFFSET, RX_TIME,
              TIME_SOURCE, DURATION, DB_MIN, DB_MAX, NOISE_FLOOR_DB, MODEL)
STATUS_KEYS = (MODE, SAMPLE_RATE, CENTER_FREQUENCY, INPUT_RATE, SAMPLES_RECEIVED, SAMPLES_ANALYSED, SAMPLES_DROPPED,
               SAMPLES_SKIPPED, SAMPLES_LOST, FRAMES_ANALYSED, FRAMES_DROPPED, OVERFLOWS, COVERAGE, REAL_TIME_FACTOR,
               QUEUE, LATENCY, INFERENCE_TIME, MODEL, RUNTIME, HEALTH)

UINT64_KEYS = frozenset({PDU_NUM, START_OFFSET, END_OFFSET, BURST_ID, SAMPLES_RECEIVED, SAMPLES_ANALYSED,
                         SAMPLES_DROPPED, SAMPLES_SKIPPED, SAMPLES_LOST, FRAMES_ANALYSED, FRAMES_DROPPED, OVERFLOWS})
"""Whole numbers that are sent as uint64; other whole numbers are sent as long."""

DOUBLE_KEYS = frozenset({CENTER_FREQUENCY, SAMPLE_RATE, DURATION, CONFIDENCE, BANDWIDTH, FREQ_LOWER, FREQ_UPPER, SNR_DB,
                         PWR_DB, DB_MIN, DB_MAX, NOISE_FLOOR_DB, INPUT_RATE, COVERAGE, REAL_TIME_FACTOR, LATENCY,
                         INFERENCE_TIME, FREQ})
"""Numbers that are sent as double even when a caller holds a whole number."""

# A uniform vector of uint8 as PMT writes it: tag, element type, count, one pad byte. The element-wise calls of
# the Python binding take milliseconds for one image and hold the interpreter lock meanwhile.
_U8_HEADER = struct.Struct(">BBIBB")
_TAG_UNIFORM_VECTOR = 0x0A
_TYPE_U8 = 0x00


def make_pdu(fields: dict, payload=b""):
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


def parse_pdu(message, required=()) -> tuple[dict, np.ndarray]:
    """Take a PDU apart.

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
        raise ValueError(f"not a PDU of bytes: {_shorten(message)}; send pmt.cons(dict, u8vector), for example by "
                         "gnuradio.rpmsn.pdu.make_pdu")
    fields = _parse_dict(pmt.car(message))
    missing = [key for key in required if key not in fields]
    if missing:
        raise ValueError(f"PDU without {', '.join(missing)}; it has {', '.join(fields) or 'no keys'}")
    return fields, _from_u8vector(pmt.cdr(message))


def make_tune_command(frequency: float):
    """The dict that UHD's and Soapy's sources take on their command port; `frequency` in Hz."""
    return pmt.dict_add(pmt.make_dict(), pmt.intern(FREQ), pmt.from_double(float(frequency)))


def parse_command(message) -> dict:
    """A command, such as `make_tune_command` makes, as a dict of Python values.

    Raises:
        ValueError: it is no dict.
    """
    command = pmt.to_python(message)
    if not isinstance(command, dict):
        raise ValueError("not a dict")
    return command


def _to_pmt(key: str, value):
    """One value as the PMT kind that belongs to its key."""
    if key == RX_TIME:
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
    raise ValueError(f"{key} = {value!r}: a {type(value).__name__} cannot be sent; allowed are bool, number, str, "
                     "uint8 array and list of str")


def _to_number(key: str, value):
    """uint64, long or double, by key first and by type where the key is not one of ours."""
    if key in UINT64_KEYS:
        whole = int(value)
        if whole != value or not 0 <= whole < 2 ** 64:
            raise ValueError(f"{key} = {value!r} is not a whole number from 0 to 2**64 - 1")
        return pmt.from_uint64(whole)
    if key in DOUBLE_KEYS or not isinstance(value, numbers.Integral):
        return pmt.from_double(float(value))
    return pmt.from_long(int(value))


def _to_time(value):
    """(whole seconds, fraction) as UHD tags carry it."""
    try:
        seconds, fraction = value
        return pmt.make_tuple(pmt.from_uint64(int(seconds)), pmt.from_double(float(fraction)))
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{RX_TIME} = {value!r} is not (whole seconds >= 0, fraction of a second)") from error


def _to_symbols(key: str, values):
    """A vector of symbols."""
    if not all(isinstance(value, str) for value in values):
        raise ValueError(f"{key} = {values!r}: a list may only hold str")
    vector = pmt.make_vector(len(values), pmt.PMT_NIL)
    for index, value in enumerate(values):
        pmt.vector_set(vector, index, pmt.intern(value))
    return vector


def _to_u8vector(key: str, values):
    """Bytes or a uint8 array as u8vector."""
    if isinstance(values, np.ndarray) and values.dtype != np.uint8:
        raise ValueError(f"{key} is an array of {values.dtype}; only uint8 can be sent, convert it first")
    data = values.tobytes() if isinstance(values, np.ndarray) else bytes(values)
    if not data:
        return pmt.init_u8vector(0, [])
    return pmt.deserialize_str(_U8_HEADER.pack(_TAG_UNIFORM_VECTOR, _TYPE_U8, len(data), 1, 0) + data)


def _from_u8vector(vector) -> np.ndarray:
    """A u8vector as read-only uint8 array."""
    count = pmt.length(vector)
    if count == 0:
        return np.zeros(0, np.uint8)
    data = pmt.serialize_str(vector)
    return np.frombuffer(data, np.uint8, count=count, offset=len(data) - count)


def _parse_dict(message) -> dict:
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


def _shorten(message) -> str:
    """A message in at most 80 characters, for an error."""
    text = str(message)
    return text if len(text) <= 80 else text[:77] + "..."
