# SPDX-License-Identifier: GPL-3.0-or-later
"""Coding of LTE's broadcast channel: against the definitions, and back again."""

import numpy as np
import pytest

from rpmsn.errors import ParameterError
from rpmsn.standards import convolutional, lte_broadcast
from rpmsn.standards.crc import CRC16
from rpmsn.standards.lte_broadcast import MasterInformation


def encoded_by_definition(bits):
    """One bit at a time: TS 36.212 figure 5.1.3-1, generators in octal, the register begins with the last bits."""
    register, coded = list(bits[:-7:-1]), []
    for bit in bits:
        taps = [bit, *register]
        coded.append([sum(t for t, g in zip(taps, format(o, "07b")) if g == "1") % 2 for o in (0o133, 0o171, 0o165)])
        register = [bit, *register[:-1]]
    return coded


def test_the_code_follows_its_definition():
    bits = np.random.default_rng(0).integers(0, 2, 40)
    assert convolutional.encode(bits).tolist() == encoded_by_definition(bits.tolist())


def test_the_interleaver_sends_each_bit_once():
    """The columns are the bit-reversed numbers, the odd ones first: a second source of TS 36.212 table 5.1.4-2."""
    reversed_bits = [int(format(column, "05b")[::-1], 2) for column in range(32)]
    assert tuple(reversed_bits[16:] + reversed_bits[:16]) == convolutional.INTERLEAVER_COLUMNS
    assert sorted(convolutional.interleaving(40)) == list(range(120))


def test_a_clean_block_decodes_from_any_place_where_the_decoder_may_begin():
    bits = np.random.default_rng(1).integers(0, 2, (50, 40))
    assert np.array_equal(convolutional.decode(1.0 - 2 * convolutional.encode(bits)), bits)


def test_blocks_decode_at_3_db_a_bit():
    """Rate 1/3, constraint length 7: Eb/N0 of 3 dB loses few blocks in a hundred."""
    rng = np.random.default_rng(2)
    bits = rng.integers(0, 2, (400, 40))
    sigma = np.sqrt(3 / (2 * 10**0.3))
    soft = 1.0 - 2 * convolutional.encode(bits) + sigma * rng.standard_normal((400, 40, 3))
    assert np.mean((convolutional.decode(soft) != bits).any(1)) < 0.06


def test_the_information_survives_its_bits():
    information = MasterInformation(75, 516, True, 1, 0x2A5)
    assert MasterInformation.from_bits(information.bits()) == information
    assert information.bits().tolist()[:3] == [1, 0, 0]


def test_the_frame_number_wraps():
    assert MasterInformation(50, 1020).later(8).frame_number == 4


def test_a_bandwidth_that_does_not_exist_is_no_information():
    assert MasterInformation.from_bits(np.array([1, 1, 0] + [0] * 21)) is None


@pytest.mark.parametrize("values", [dict(n_rb=30, frame_number=0), dict(n_rb=25, frame_number=1024)])
def test_a_wrong_value_is_named(values):
    with pytest.raises(ParameterError, match="of MasterInformation is"):
        MasterInformation(**values)


@pytest.mark.parametrize("ports", [1, 2, 4])
@pytest.mark.parametrize("extended", [False, True])
def test_what_the_ports_send_is_decoded_through_their_channels(ports, extended):
    rng = np.random.default_rng(3)
    information, soft = MasterInformation(25, 400), np.zeros(120)
    for frame in range(4):
        sent = lte_broadcast.symbols(information.later(frame), 77, ports, extended)
        assert np.mean(np.abs(sent) ** 2) * ports == pytest.approx(1, rel=1e-5)
        channel = np.repeat(rng.standard_normal((ports, 1)) + 1j * rng.standard_normal((ports, 1)), sent.shape[1], 1)
        data = lte_broadcast.combined((channel * sent).sum(0), channel, ports)
        values = np.stack([data.real, data.imag], -1).ravel() * (
            1.0 - 2 * lte_broadcast.scrambling(77, extended)[frame]
        )
        np.add.at(soft, lte_broadcast.positions(frame, extended), values)
    block = lte_broadcast.decode(soft[None])[0]
    assert MasterInformation.from_bits(block[:24]) == information
    assert int("".join(map(str, CRC16.mask(block))), 2) == {1: 0, 2: 0xFFFF, 4: 0x5555}[ports]
