# SPDX-License-Identifier: GPL-3.0-or-later
"""Polar coding of NR's broadcast channel, against its definition and its tables' own properties.

Blocks of other encoders (srsRAN) decode in tests/cells/test_nr_search.py: the second source of every table here.
"""

import numpy as np
import pytest

from rpmsn.errors import ParameterError
from rpmsn.standards import polar
from rpmsn.standards.crc import CRC24C


def generator(seed=1):
    return np.random.default_rng(seed)


def crc_by_division(bits):
    """Remainder of a long division by the generator polynomial, as TS 38.212 5.1 writes it."""
    powers = (24, 23, 21, 20, 17, 15, 13, 12, 8, 4, 2, 1, 0)
    register = [*bits, *[0] * 24]
    for place in range(len(bits)):
        if register[place]:
            for power in powers:
                register[place + 24 - power] ^= 1
    return register[-24:]


def transform_by_definition():
    """G_512: the ninth Kronecker power of [[1, 0], [1, 1]]: TS 38.212 5.3.1.2."""
    kernel = np.array([[1, 0], [1, 1]])
    matrix = np.array([[1]])
    for _ in range(9):
        matrix = np.kron(matrix, kernel)
    return matrix


@pytest.mark.parametrize("table, size", [("RELIABILITY", 512), ("INTERLEAVER", 164), ("SUB_BLOCKS", 32)])
def test_a_table_is_a_permutation(table, size):
    assert sorted(getattr(polar, table).tolist()) == list(range(size))


def test_reliability_keeps_the_partial_order_of_polar_codes():
    """A bit channel with one more one in its number is more reliable; with a one moved up as well (Schuerch 2016),
    save for a few neighbours that the standard has the other way round."""
    rank = np.argsort(polar.RELIABILITY)
    late = []
    for channel in range(512):
        for bit in range(9):
            if not channel >> bit & 1:
                assert rank[channel] < rank[channel | 1 << bit]
                if bit and channel >> bit - 1 & 1:
                    late.append(rank[channel] - rank[channel ^ 3 << bit - 1])
    assert len(late) > 1000 and sum(lag > 0 for lag in late) == 13 and max(late) <= 11


def test_reliability_is_close_to_a_polarization_weight():
    """The weights sum of 2**(i / 4) over the ones (He et al. 2017), of which the standard's sequence was made."""
    numbers = np.arange(512)
    weights = sum((numbers >> bit & 1) * 2 ** (bit / 4) for bit in range(9))
    ranks = np.argsort(np.argsort(weights))
    assert np.corrcoef(ranks, np.argsort(polar.RELIABILITY))[0, 1] > 0.99


def test_the_interleaver_spreads_every_crc_bit_behind_what_it_checks():
    """Its purpose (TS 38.212 5.3.1.1): CRC bits follow the bits that they depend on, so a decoder can stop early."""
    place = np.argsort(polar._code(polar.PAYLOAD_BITS, polar.RATE_MATCHED_BITS).input_order)
    checks = CRC24C.parity(np.eye(polar.PAYLOAD_BITS, dtype=np.uint8))
    behind = [place[:32][checks[:, bit] == 1].max() < place[32 + bit] for bit in range(24)]
    assert all(behind)


def test_the_crc_is_the_remainder_of_a_division():
    bits = generator().integers(0, 2, (20, 32))
    assert CRC24C.parity(bits).tolist() == [crc_by_division(row) for row in bits]


def test_the_codeword_is_the_transform_of_the_information_bits():
    payload = generator().integers(0, 2, 32)
    with_crc = np.r_[payload, crc_by_division(payload)]
    channels = np.zeros(512, int)
    code = polar._code(polar.PAYLOAD_BITS, polar.RATE_MATCHED_BITS)
    channels[code.information] = with_crc[code.input_order]
    codeword = channels @ transform_by_definition() % 2
    blocks = codeword.reshape(32, 16)[polar.SUB_BLOCKS].ravel()
    assert polar.encode(payload).tolist() == np.r_[blocks, blocks[:352]].tolist()


def test_blocks_in_noise_decode():
    payloads = generator().integers(0, 2, (40, 32))
    bits = polar.encode(payloads)
    received = 1 - 2.0 * bits + 10 ** (7 / 20) * generator(2).standard_normal(bits.shape)
    decoded = polar.decode(1e-3 * received)
    assert sum(bits is not None and np.array_equal(bits, sent) for bits, sent in zip(decoded, payloads)) >= 38


def test_a_longer_list_decodes_more():
    payloads = generator().integers(0, 2, (60, 32))
    bits = polar.encode(payloads)
    received = 1 - 2.0 * bits + 10 ** (9.5 / 20) * generator(2).standard_normal(bits.shape)
    right = [sum(found is not None for found in polar.decode(received, paths)) for paths in (1, 8)]
    assert right[1] > right[0] + 10


def test_noise_silence_and_what_is_not_finite_give_nothing():
    received = generator().standard_normal((64, 864))
    assert polar.decode(received) == [None] * 64
    received[0], received[1], received[2, 5], received[3] = 0, 1, np.nan, np.inf
    assert polar.decode(received)[:4] == [None] * 4


def test_a_bad_block_does_not_spoil_its_neighbour():
    payload = generator().integers(0, 2, 32)
    received = np.stack([np.full(864, np.nan), 1 - 2.0 * polar.encode(payload)])
    assert np.array_equal(polar.decode(received)[1], payload)


@pytest.mark.parametrize(
    "call",
    [
        lambda: polar.decode(np.zeros(864)),
        lambda: polar.decode(np.zeros((1, 100))),
        lambda: polar.encode(np.zeros(11, int)),
        lambda: polar.encode(np.zeros(141, int)),
    ],
)
def test_other_codes_are_refused(call):
    with pytest.raises(ParameterError, match=r"shape|payload_bits"):
        call()
