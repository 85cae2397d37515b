# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages keep their values, to the last bit, and what is no message is refused with a reason."""

import numpy as np
import pytest

pmt = pytest.importorskip("pmt", reason="GNU Radio is not installed")

from gnuradio.rpmsn import pdu

from rpmsn.messages import keys

SEGMENT = {
    "label": "LTE",
    "class_id": 1,
    "confidence": 0.98,
    "verdict": "likely",
    "evidence": "network",
    "center_frequency": 2.4e9 + 0.125,
    "bandwidth": 18e6,
    "freq_lower": 2.391e9,
    "freq_upper": 2.409e9,
    "cut_lower": False,
    "cut_upper": True,
    "start_offset": 2**63 + 1,
    "end_offset": 2**64 - 1,
    "rx_time": (1_700_000_000, 0.123456789012),
    "time_source": "radio",
    "duration": 0.04,
    "sample_rate": 61.44e6,
    "snr_db": 21.5,
    "pwr_db": -43.25,
    "burst_id": 7,
    "event": "new",
    "pdu_num": 12,
    "model": "rpmsn-rt",
    "health": "ok",
}


def field_of(message, key):
    """The PMT value under one key of a PDU."""
    return pmt.dict_ref(pmt.car(message), pmt.intern(key), pmt.PMT_NIL)


def test_a_segment_comes_back_as_it_was_sent():
    fields, payload = pdu.parse_pdu(pdu.make_pdu(SEGMENT), required=keys.SEGMENT_KEYS)
    assert fields == SEGMENT
    assert payload.size == 0 and payload.dtype == np.uint8


def test_the_keys_of_a_segment_are_all_named():
    assert set(SEGMENT) == set(keys.SEGMENT_KEYS)


def test_gnu_radio_takes_it_for_a_pdu():
    assert pmt.is_pdu(pdu.make_pdu(SEGMENT))
    assert pmt.is_pdu(pdu.make_pdu({"pdu_num": 1}, b"abc"))


@pytest.mark.parametrize("frequency", [2.4e9 + 1.0, 2.4e9 + 2.0**-20, 5.9e9 + 0.3, -1.5, 0.0])
def test_frequencies_are_exact_doubles(frequency):
    message = pdu.make_pdu({"center_frequency": frequency})
    assert pmt.to_double(field_of(message, "center_frequency")) == frequency


@pytest.mark.parametrize("value", [np.float32(0.5), np.float64(0.5), np.float16(0.5), 0.5])
def test_numpy_floats_are_sent_as_double(value):
    fields, _ = pdu.parse_pdu(pdu.make_pdu({"confidence": value}))
    assert fields["confidence"] == 0.5 and type(fields["confidence"]) is float


@pytest.mark.parametrize("value", [61440000, np.int64(61440000), np.uint32(61440000)])
def test_a_whole_number_under_a_frequency_key_is_sent_as_double(value):
    assert pmt.is_real(field_of(pdu.make_pdu({"sample_rate": value}), "sample_rate"))


@pytest.mark.parametrize("value", [3, np.int64(3), np.uint8(3)])
def test_whole_numbers_are_long_or_uint64_by_key(value):
    message = pdu.make_pdu({"class_id": value, "pdu_num": value})
    assert pmt.is_integer(field_of(message, "class_id")) and not pmt.is_uint64(field_of(message, "class_id"))
    assert pmt.is_uint64(field_of(message, "pdu_num"))


@pytest.mark.parametrize("topic", keys.TOPICS)
def test_every_field_is_sent_as_the_kind_that_the_table_says(topic):
    made = {
        keys.UINT64: (3, pmt.is_uint64),
        keys.LONG: (3, lambda value: pmt.is_integer(value) and not pmt.is_uint64(value)),
        keys.DOUBLE: (3, pmt.is_real),
        keys.SYMBOL: ("x", pmt.is_symbol),
        keys.BOOL: (True, pmt.is_bool),
        keys.TIME: ((3, 0.5), pmt.is_tuple),
        keys.SYMBOLS: (["x"], pmt.is_vector),
        keys.PIXELS: (np.zeros(4, np.uint8), pmt.is_u8vector),
    }
    for one in keys.fields_of(topic, keys.PDU):
        value, is_kind = made[one.kind]
        assert is_kind(field_of(pdu.make_pdu({one.name: value}), one.name)), one.name


def test_rx_time_is_a_tuple_of_uint64_and_double():
    time = field_of(pdu.make_pdu({"rx_time": (np.int64(5), np.float32(0.5))}), "rx_time")
    assert pmt.is_tuple(time) and pmt.is_uint64(pmt.tuple_ref(time, 0)) and pmt.is_real(pmt.tuple_ref(time, 1))


def test_a_frame_brings_image_and_mask_row_by_row():
    image = np.arange(6, dtype=np.uint8).reshape(2, 3)
    mask = np.asfortranarray(image % 3)
    fields, payload = pdu.parse_pdu(pdu.make_pdu({"mask": mask, "classes": ["noise", "LTE", "NR"], "rows": 2}, image))
    np.testing.assert_array_equal(payload.reshape(2, 3), image)
    np.testing.assert_array_equal(fields["mask"].reshape(2, 3), mask)
    assert fields["classes"] == ["noise", "LTE", "NR"]


@pytest.mark.parametrize("size", [0, 1, 255, 65536])
def test_payloads_equal_those_that_pmt_itself_makes(size):
    values = (np.arange(size) % 256).astype(np.uint8)
    payload = pmt.cdr(pdu.make_pdu({}, values))
    assert pmt.equal(payload, pmt.init_u8vector(size, values.tolist()))
    np.testing.assert_array_equal(pdu.parse_pdu(pmt.cons(pmt.make_dict(), payload))[1], values)


def test_bools_of_numpy_are_bools():
    fields, _ = pdu.parse_pdu(pdu.make_pdu({"overload": np.bool_(True), "muted": False}))
    assert fields["overload"] is True and fields["muted"] is False


def test_an_unknown_value_leaves_its_key_out():
    fields, _ = pdu.parse_pdu(pdu.make_pdu({"label": "NR", "snr_db": None}))
    assert fields == {"label": "NR"}


@pytest.mark.parametrize(
    "message",
    [
        pmt.PMT_NIL,
        pmt.PMT_T,
        pmt.from_long(3),
        pmt.intern("segment"),
        pmt.cons(pmt.make_dict(), pmt.PMT_NIL),
        pmt.cons(pmt.intern("freq"), pmt.from_double(1.0)),
        pmt.cons(pmt.cons(pmt.from_long(1), pmt.from_long(2)), pmt.init_u8vector(0, [])),
        pmt.cons(pmt.make_dict(), pmt.init_f32vector(1, [1.0])),
    ],
)
def test_what_is_no_pdu_is_refused_with_a_message(message):
    with pytest.raises(ValueError, match="not a PDU of bytes"):
        pdu.parse_pdu(message)


def test_missing_keys_are_named():
    with pytest.raises(ValueError, match="without snr_db, event"):
        pdu.parse_pdu(pdu.make_pdu({"label": "LTE"}), required=("label", "snr_db", "event"))


@pytest.mark.parametrize(
    "fields, words",
    [
        ({"pdu_num": -1}, "pdu_num = -1"),
        ({"pdu_num": 1.5}, "pdu_num = 1.5"),
        ({"pdu_num": 2**64}, "2\\*\\*64"),
        ({"rx_time": 3.0}, "rx_time = 3.0"),
        ({"rx_time": (-1, 0.0)}, "rx_time"),
        ({"classes": [1, 2]}, "only hold str"),
        ({"mask": np.zeros(4)}, "mask is an array of float64"),
        ({"label": object()}, "label = "),
    ],
)
def test_values_that_cannot_be_sent_are_named(fields, words):
    with pytest.raises(ValueError, match=words):
        pdu.make_pdu(fields)


def test_a_key_that_is_no_symbol_is_left_out():
    message = pmt.dict_add(pmt.car(pdu.make_pdu({"label": "LTE"})), pmt.from_long(1), pmt.init_u8vector(1, [1]))
    fields, _ = pdu.parse_pdu(pmt.cons(message, pmt.init_u8vector(0, [])))
    assert fields == {"label": "LTE"}


def test_the_tune_command_is_a_dict_with_an_exact_double():
    command = pdu.make_tune_command(2.4e9 + 1)
    assert pmt.is_dict(command) and pmt.to_double(pmt.dict_ref(command, pmt.intern("freq"), pmt.PMT_NIL)) == 2.4e9 + 1
