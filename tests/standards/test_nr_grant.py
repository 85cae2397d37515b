# SPDX-License-Identifier: GPL-3.0-or-later
"""Grants of SIB1; those of other encoders are read in tests/cells/test_nr_sib1.py."""

import numpy as np
import pytest

from rpmsn.errors import ParameterError
from rpmsn.standards import nr_grant
from rpmsn.standards.nr_grant import Grant


@pytest.mark.parametrize("width", [24, 48, 96])
def test_every_run_of_resource_blocks_has_its_own_indication(width):
    """TS 38.214 5.1.2.2.2; the DCI has as many bits as there are runs."""
    runs = [(first, blocks) for first in range(width) for blocks in range(1, width - first + 1)]
    indications = [nr_grant._indication(first, blocks, width) for first, blocks in runs]
    assert sorted(indications) == list(range(len(runs)))
    assert [nr_grant._granted(indication, width) for indication in indications] == runs
    assert nr_grant._granted(len(runs), width) is None
    assert nr_grant.payload_bits(width) == {24: 37, 48: 39, 96: 41}[width]


@pytest.mark.parametrize("width, level", [(24, 4), (24, 8), (48, 16), (96, 8)])
def test_a_grant_in_noise_is_read(width, level):
    grant = Grant(3, 11, row=5, is_interleaved=True, scheme=7, version=2)
    bits = nr_grant.encode(grant, width, level, 733)
    assert len(bits) == 108 * level
    noise = np.random.default_rng(1).standard_normal((2, len(bits)))
    heard = np.stack([1 - 2.0 * bits + 10 ** ((level / 4) ** 0.5 * 2 / 20) * noise[0], noise[1]])
    assert nr_grant.decode(heard, width, 733) == [grant, None]
    assert nr_grant.decode(heard, width, 732) == [None, None]


def test_noise_grants_nothing():
    noise = np.random.default_rng(1).standard_normal((200, 432))
    assert nr_grant.decode(noise, 48, 1) == [None] * 200


def test_what_cannot_be_system_information_is_no_grant():
    bits = Grant(0, 24).bits(24)
    bits[9 + 5 : 9 + 10] = [0, 1, 0, 1, 0]  # scheme 10, 16QAM
    assert Grant.of_bits(bits, 24) is None
    with pytest.raises(ParameterError, match="scheme"):
        Grant(scheme=10)


def test_the_transport_block_follows_the_definition():
    """TS 38.214 5.1.3.2, worked out by hand."""
    row = nr_grant.allocation(0, 2)
    assert (row.start, row.stop, row.reference_symbols) == (2, 14, (2, 7, 11))
    # 14 blocks: 14 x 108 = 1512 elements; x 2 x 379/1024 = 1119.2, in steps of 2**4: 1104, so 1128.
    assert Grant(0, 14, scheme=5).block_bits(row) == 1128
    # 4 blocks: 432 x 2 x 120/1024 = 101.25, in steps of 8: 96.
    assert Grant(0, 4, scheme=0).block_bits(row) == 96
    # 96 blocks are too many bits for system information.
    assert Grant(0, 96, scheme=9).block_bits(row) is None


def test_a_pdsch_of_two_symbols_has_data_beside_its_reference_signals():
    row = nr_grant.allocation(8, 2)
    assert row.has_data_beside and Grant.elements_per_block(row) == 18
    assert Grant.elements_per_block(nr_grant.allocation(6, 3)) == 36


@pytest.mark.parametrize("width", [24, 48, 96])
def test_interleaved_resource_blocks_are_spread_in_pairs(width):
    spread = Grant(0, width, is_interleaved=True).resource_blocks(width)
    assert sorted(spread) == list(range(width))
    # f(j) = r C + c with two rows, the last pair stays: TS 38.211 7.3.1.6.
    assert spread[:8].tolist() == [0, 1, width // 2, width // 2 + 1, 2, 3, width // 2 + 2, width // 2 + 3]
    assert spread[-2:].tolist() == [width - 2, width - 1]
    assert Grant(5, 3).resource_blocks(width).tolist() == [5, 6, 7]


def test_candidates_are_those_of_the_search_space():
    """TS 38.213 10.1 without an offset."""
    assert nr_grant.candidates(8) == ((0, 4), (4, 4), (0, 8))
    assert nr_grant.candidates(16) == ((0, 4), (4, 4), (8, 4), (12, 4), (0, 8), (8, 8), (0, 16))
    assert nr_grant.candidates(48)[4:] == ((0, 8), (24, 8), (0, 16))


def test_occasions_follow_the_table():
    assert nr_grant.occasion(0, 3, 2, 1) == (3, 0)
    assert nr_grant.occasion(1, 3, 2, 2) == (1, 2)
    assert nr_grant.occasion(4, 7, 2, 1) == (17, 0)
    assert nr_grant.occasion(11, 2, 1, 1) == (2, 2)
