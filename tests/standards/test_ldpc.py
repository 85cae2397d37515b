# SPDX-License-Identifier: GPL-3.0-or-later
"""LDPC coding of transport blocks, against the definition by parity checks; blocks of other encoders decode in
tests/cells/test_nr_sib1.py."""

import numpy as np
import pytest

from rpmsn.errors import ParameterError
from rpmsn.standards import ldpc
from rpmsn.standards.crc import CRC16


def payload(bits, seed=1):
    return np.random.default_rng(seed).integers(0, 2, bits).astype(np.uint8)


def received(bits, snr_db, seed=2):
    return 1 - 2.0 * bits + 10 ** (-snr_db / 20) * np.random.default_rng(seed).standard_normal(len(bits))


def longest(size):
    """Bits of a transport block that fills a lifting size, with all ten columns of information."""
    return min(10 * size - 16, ldpc.MOST_BITS)


def test_the_table_has_the_edges_and_the_parity_columns_of_base_graph_2():
    rows = ldpc.CORE.split()
    assert len(rows) == 42 and sum(map(len, rows)) + 38 == 197
    assert {len(shifts) for shifts in ldpc.SHIFTS} == {sum(map(len, rows))}
    # The double diagonal of the core: TS 38.212 table 5.3.2-3.
    assert [row[-2:] for row in rows[:4]] == ["ab", "bc", "cd", "ad"] or [
        [digit for digit in row if digit in "abcd"] for row in rows[:4]
    ] == [["a", "b"], ["b", "c"], ["a", "c", "d"], ["a", "d"]]


def test_lifting_sizes_are_those_of_the_standard():
    assert len(ldpc.LIFTING_SIZES) == 51 and min(ldpc.LIFTING_SIZES) == 2 and max(ldpc.LIFTING_SIZES) == 384
    assert [ldpc.LIFTING_SIZES[size] for size in (2, 96, 80, 56, 36, 352, 208, 240)] == list(range(8))


@pytest.mark.parametrize("size", sorted(ldpc.LIFTING_SIZES)[2:])
def test_a_codeword_meets_every_parity_check(size):
    """By the definition of 5.3.2, bit by bit: row i of a shift s has its one at column (i + s) modulo Z."""
    bits = longest(size)
    code = ldpc.code(bits)
    word = code.codeword(payload(bits)).reshape(52, code.size)
    assert np.array_equal(word.ravel()[: code.filled], CRC16.attach(payload(bits)))
    for row in code.rows:
        total = sum(
            word[column, (np.arange(code.size) + shift) % code.size] for column, shift in zip(row.columns, row.shifts)
        )
        assert not (total % 2).any()


@pytest.mark.parametrize("bits", [24, 104, 456, 640, 1128, 2976])
@pytest.mark.parametrize("version", [0, 3])
def test_a_block_in_noise_decodes(bits, version):
    code, sent = ldpc.code(bits), payload(bits)
    heard = received(code.encode(sent, 4 * bits + 200, version), 1)
    assert np.array_equal(code.decode([(heard, version)]), sent)


def test_redundancy_versions_add_up():
    code, sent = ldpc.code(808), payload(808)
    times = [(received(code.encode(sent, 2000, version), -4, seed=version), version) for version in (0, 2, 3, 1)]
    assert [code.decode([one]) for one in times] == [None] * 4
    assert np.array_equal(code.decode(times), sent)


def test_rate_matching_leaves_out_the_first_columns_and_the_fillers_and_repeats():
    code = ldpc.code(456)
    first = code.sent(len(code.buffer), 0).reshape(-1, 2).T.ravel()
    fillers = range(code.filled, 10 * code.size)
    assert first.tolist() == [bit for bit in range(2 * code.size, 52 * code.size) if bit not in fillers]
    twice = code.sent(2 * len(code.buffer), 0).reshape(-1, 2).T.ravel()
    assert twice.tolist() == [*first, *first]
    # k_0 counts the fillers: version 2 begins 25 Z after the first bit that is sent.
    assert code.sent(10, 2)[0] == 27 * code.size


def test_noise_silence_and_what_is_not_finite_give_nothing():
    code = ldpc.code(640)
    noise = np.random.default_rng(1).standard_normal((30, 1600))
    assert [code.decode([(row, 0)]) for row in noise] == [None] * 30
    for value in (0.0, 1.0, np.nan, np.inf):
        assert code.decode([(np.full(1600, value), 0)]) is None


@pytest.mark.parametrize("bits", [0, 7, 3825])
def test_other_lengths_are_refused(bits):
    with pytest.raises(ParameterError, match="payload_bits"):
        ldpc.Code(bits)
