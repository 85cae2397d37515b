# SPDX-License-Identifier: GPL-3.0-or-later
"""Cyclic redundancy checks of TS 36.212 5.1.1 and TS 38.212 5.1."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np


@dataclass(frozen=True)
class Crc:
    """A check of `length` parity bits; `polynomial` has bit i for D**i, without the leading D**length."""

    length: int
    polynomial: int

    def parity(self, bits: np.ndarray) -> np.ndarray:
        """Parity bits (most significant first) of blocks of bits (..., n) -> uint8 (..., length)."""
        bits = np.asarray(bits, np.uint8)
        # Linear in the bits: a sum of unit responses. Float32 counts exactly up to 2**24 of them.
        counts = bits.astype(np.float32) @ _responses(self.length, self.polynomial, bits.shape[-1])
        return (counts.astype(np.int64) & 1).astype(np.uint8)

    def attach(self, bits: np.ndarray) -> np.ndarray:
        """Blocks of bits (..., n) with their parity bits behind them, uint8 (..., n + length)."""
        return np.concatenate([np.asarray(bits, np.uint8), self.parity(bits)], axis=-1)

    def mask(self, block: np.ndarray) -> np.ndarray:
        """What was added to the parity bits of received blocks (..., n + length): zeros where the check fits."""
        block = np.asarray(block, np.uint8)
        return self.parity(block[..., : -self.length]) ^ block[..., -self.length :]

    def fits(self, block: np.ndarray) -> np.ndarray:
        """Whether the parity bits of blocks (..., n + length) are right, bool (...)."""
        return ~self.mask(block).any(-1)


@lru_cache(maxsize=64)
def _responses(length, polynomial, n):
    """Parity bits of each single bit of n, float32 (n, length)."""
    responses = np.empty((n, length), np.float32)
    register = polynomial
    for position in range(n - 1, -1, -1):
        responses[position] = [register >> i & 1 for i in range(length - 1, -1, -1)]
        register <<= 1
        if register >> length:
            register ^= 1 << length | polynomial
    return responses


CRC16 = Crc(16, 0x1021)
"""gCRC16 of TS 36.212 5.1.1 and TS 38.212 5.1."""

CRC24A = Crc(24, 0x864CFB)
"""gCRC24A of TS 36.212 5.1.1 and TS 38.212 5.1: transport blocks."""

CRC24C = Crc(24, 0xB2B117)
"""gCRC24C of TS 38.212 5.1: the broadcast channel and downlink control of NR."""
