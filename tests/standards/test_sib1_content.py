# SPDX-License-Identifier: GPL-3.0-or-later
"""SIB1's content; that of other encoders is read in tests/cells/test_nr_sib1.py."""

import numpy as np
import pytest

from rpmsn.standards.nr_sib1 import Carrier, Sib1
from rpmsn.standards.uper import EncodingError, Enumerated, Integer, List, Reader, Sequence, Writer

SIB1 = Sib1(("26201", "310410"), 0x1234, 0xABCDE1234, (78, 77), 86, (Carrier(0, 30e3, 106),), True)


def bits(text):
    return np.array([int(bit) for bit in text.replace(" ", "")], np.uint8)


@pytest.mark.parametrize(
    "sib1", [SIB1, Sib1(("00101",), None, 5, (1,), 2, (Carrier(3, 15e3, 52), Carrier(1, 30e3, 24)))]
)
def test_what_is_written_is_read(sib1):
    assert Sib1.of_bits(np.r_[sib1.bits(), np.ones(40, np.uint8)]) == sib1


def test_a_message_that_ends_early_or_is_none_gives_nothing():
    whole = SIB1.bits()
    assert [Sib1.of_bits(whole[:length]) for length in range(len(whole))] == [None] * len(whole)
    assert Sib1.of_bits(bits("00") + whole[:2] * 0) is None


def test_random_bits_raise_nothing():
    rng = np.random.default_rng(1)
    for _ in range(300):
        Sib1.of_bits(np.r_[bits("01"), rng.integers(0, 2, rng.integers(1, 800), np.uint8)])


def test_edges_follow_from_point_a():
    """TS 38.211 4.4.4.2: 3426.24 MHz, 20 resource blocks of 30 kHz, 24 of 15 kHz below, then 51 of 30 kHz."""
    sib1 = Sib1(("00101",), 100, 1, (78,), 24, (Carrier(0, 30e3, 51),), True)
    assert sib1.carrier_edges(3426.24e6, 30e3, 0) == (3418.32e6, 3436.68e6)
    assert sib1.carrier_edges(3426.24e6, 30e3, 6) == (3418.23e6, 3436.59e6)
    assert sib1.channel_bandwidth(30e3) == 20e6


def test_of_several_carriers_that_of_the_block_s_spacing_is_meant():
    sib1 = Sib1(("00101",), 1, 1, (3,), 0, (Carrier(0, 15e3, 106), Carrier(0, 30e3, 51)))
    assert sib1.carrier(30e3).blocks == 51 and sib1.carrier(15e3).blocks == 106 and sib1.carrier(60e3).blocks == 106
    assert Sib1(("00101",), 1, 1).carrier_edges(1e9, 15e3, 0) is None
    assert Sib1(("00101",), 1, 1, carriers=(Carrier(0, 15e3, 107),)).channel_bandwidth(15e3) is None


def test_numbers_take_the_bits_that_their_range_needs():
    """X.691 11.5."""
    writer = Writer()
    for kind, value in ((Integer(-70, -22), -65), (Integer(1, 1), 1), (Integer(0, 255), 200), (Enumerated(3), 2)):
        kind.write(writer, value)
    assert writer.bits == bits("000101 11001000 10").tolist()
    with pytest.raises(EncodingError, match="more than"):
        Integer(0, 9).read(Reader(bits("1010")))


def test_optional_values_and_additions():
    """X.691 19: extension bit, bits of what is there, values; then additions: how many, which, each with its length."""
    kind = Sequence(("a?", Integer(0, 3)), ("b", List(Integer(0, 1), 1, 4)), extensible=True)
    assert kind.read(Reader(bits("0 1 10 01 11"))) == {"a": 2, "b": [1, 1]}
    pair = List(kind, 2, 2)
    first = "1 0 00 1" + "0 000010 101" + "00000001 11111111" + "00000010 1111111100000000"
    assert pair.read(Reader(bits(first + "0 0 00 0"))) == [{"b": [1]}, {"b": [0]}]
    with pytest.raises(EncodingError, match="ends"):
        kind.read(Reader(bits(first[:-9])))


def test_an_enumeration_may_have_additions():
    kind = Enumerated(16, extensible=True)
    assert [kind.read(Reader(bits(text))) for text in ("0 0101", "1 0000011")] == [5, 16]
