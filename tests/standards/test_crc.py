# SPDX-License-Identifier: GPL-3.0-or-later
"""Cyclic redundancy checks against long division and against the catalogue's check values."""

import numpy as np
import pytest

from rpmsn.standards.crc import CRC16, CRC24A, CRC24C

EXPONENTS = {CRC16: (16, 12, 5, 0), CRC24C: (24, 23, 21, 20, 17, 15, 13, 12, 8, 4, 2, 1, 0)}


def long_division(bits, exponents):
    """Remainder of bits(D) * D**length by the polynomial as TS 36.212 5.1.1 writes it, most significant first."""
    divisor = np.zeros(max(exponents) + 1, int)
    divisor[[max(exponents) - exponent for exponent in exponents]] = 1
    dividend = np.concatenate([bits, np.zeros(max(exponents), int)])
    for start in range(len(bits)):
        if dividend[start]:
            dividend[start : start + len(divisor)] ^= divisor
    return dividend[len(bits) :]


@pytest.mark.parametrize("crc", EXPONENTS)
def test_parity_is_the_remainder_of_the_standards_polynomial(crc):
    bits = np.random.default_rng(0).integers(0, 2, (5, 40))
    assert np.array_equal(crc.parity(bits), [long_division(row, EXPONENTS[crc]) for row in bits])


@pytest.mark.parametrize("crc, check", [(CRC16, 0x31C3), (CRC24A, 0xCDE703)])
def test_parity_of_the_digits_is_the_check_value_of_the_crc_catalogue(crc, check):
    """CRC-16/XMODEM and CRC-24/LTE-A of the RevEng catalogue, for the text 123456789."""
    digits = np.unpackbits(np.frombuffer(b"123456789", np.uint8))
    assert int("".join(map(str, crc.parity(digits))), 2) == check


@pytest.mark.parametrize("crc", [CRC16, CRC24A, CRC24C])
def test_a_block_fits_until_a_bit_is_turned(crc):
    block = crc.attach(np.random.default_rng(1).integers(0, 2, 32))
    assert crc.fits(block)
    turned = block ^ np.eye(len(block), dtype=np.uint8)
    assert not crc.fits(turned).any()


def test_the_mask_of_a_block_is_what_was_added_to_its_parity():
    block = CRC16.attach(np.arange(24) % 2)
    block[-16:] ^= np.arange(16, dtype=np.uint8) % 2
    assert CRC16.mask(block).tolist() == [0, 1] * 8
