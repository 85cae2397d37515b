# SPDX-License-Identifier: GPL-3.0-or-later
"""The tail-biting convolutional code of LTE: TS 36.212 5.1.3.1 (code) and 5.1.4.2 (rate matching)."""

from functools import lru_cache

import numpy as np

GENERATORS = (0o133, 0o171, 0o165)
"""Of the three coded streams, the newest bit first."""

MEMORY = 6

INTERLEAVER_COLUMNS = (1, 17, 9, 25, 5, 21, 13, 29, 3, 19, 11, 27, 7, 23, 15, 31,
                       0, 16, 8, 24, 4, 20, 12, 28, 2, 18, 10, 26, 6, 22, 14, 30)  # fmt: skip
"""Column order of TS 36.212 table 5.1.4-2."""

TURNS = 3
"""How often the decoder goes round the block: on the second time it no longer depends on where it began."""


def encode(bits: np.ndarray) -> np.ndarray:
    """Coded bits d(k, stream) of blocks of bits (..., n) -> uint8 (..., n, 3)."""
    bits = np.asarray(bits, np.uint8)
    streams = [
        np.bitwise_xor.reduce([np.roll(bits, delay, -1) for delay in range(MEMORY + 1) if tap >> (MEMORY - delay) & 1])
        for tap in GENERATORS
    ]
    return np.stack(streams, axis=-1)


@lru_cache(maxsize=8)
def interleaving(n: int) -> np.ndarray:
    """Order in which the coded bits of n bits stand in the circular buffer, int (3 n,) of 3 k + stream: 5.1.4.2.1."""
    n_rows = -(-n // len(INTERLEAVER_COLUMNS))
    matrix = np.concatenate([np.full(32 * n_rows - n, -1), np.arange(n)]).reshape(n_rows, 32)
    order = matrix[:, INTERLEAVER_COLUMNS].T.ravel()
    order = order[order >= 0]
    return np.concatenate([3 * order + stream for stream in range(3)])


def rate_match(coded: np.ndarray, length: int) -> np.ndarray:
    """`length` transmitted bits, uint8 (..., length), of coded bits (..., n, 3): TS 36.212 5.1.4.2.2."""
    n = coded.shape[-2]
    flat = np.reshape(coded, (*coded.shape[:-2], 3 * n))
    return flat[..., interleaving(n)[np.arange(length) % (3 * n)]]


def decode(soft: np.ndarray) -> np.ndarray:
    """The most probable blocks of bits, by a Viterbi decoder that goes round the block.

    Args:
        soft: (blocks, n, 3): proportional to the log-likelihood ratios of the coded bits, above 0 for 0.

    Returns:
        uint8 (blocks, n).
    """
    soft = np.asarray(soft, np.float32)
    blocks, n, _ = soft.shape
    before, signs = _trellis()
    # Of a state's two ways in, each is worth the sum of the soft values with the signs of its coded bits.
    worth = np.einsum("bnk,sck->nbcs", soft, signs, optimize=True)
    metric = np.zeros((blocks, len(before)), np.float32)
    choice = np.empty((TURNS * n, blocks, len(before)), bool)
    for step in range(TURNS * n):
        first = metric[:, before[:, 0]] + worth[step % n, :, 0]
        second = metric[:, before[:, 1]] + worth[step % n, :, 1]
        np.greater(second, first, out=choice[step])
        metric = np.maximum(first, second)
    return _trace_back(choice, np.argmax(metric, axis=1), before, n)


def _trace_back(choice, state, before, n):
    """Bits of the middle turn on the best path that ends in `state` (blocks,)."""
    rows = np.arange(len(state))
    bits = np.empty((len(state), n), np.uint8)
    for step in range(TURNS * n - 1, n - 1, -1):
        if step < (TURNS - 1) * n:
            # The newest bit is the highest of a state.
            bits[:, step - n] = state >> (MEMORY - 1)
        state = before[state, choice[step, rows, state].astype(int)]
    return bits


@lru_cache(maxsize=1)
def _trellis():
    """Two states before each state, int (64, 2), and signs of the coded bits on the way, float32 (64, 2, 3)."""
    states = np.arange(1 << MEMORY)
    # A state is its last six bits, the newest highest; the register is a new bit before them.
    before = np.stack([states << 1 & (len(states) - 1), (states << 1 & (len(states) - 1)) | 1], axis=1)
    register = (states[:, None] >> (MEMORY - 1) << MEMORY) | before
    parities = np.array(
        [[[bin(value & tap).count("1") & 1 for tap in GENERATORS] for value in row] for row in register]
    )
    return before, (1 - 2 * parities).astype(np.float32)
