# SPDX-License-Identifier: GPL-3.0-or-later
"""NR's shared channel: user data and their demodulation reference signals, TS 38.211 7.3.1 and 7.4.1.1."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ...standards.qam import constellation, qpsk
from ...standards.sequences import gold, nr_dmrs_init
from ..grid import SUBCARRIERS_PER_RB, SYMBOLS_PER_SLOT

SLOTS_PER_FRAME = 20
"""At 30 kHz; at 15 kHz the second half is not used."""


@dataclass
class User:
    """What one user's PDSCH keeps from slot to slot.

    Attributes:
        bits_per_symbol: 2, 4, 6 or 8.
        groups_without_data: CDM groups that are free of data in symbols with reference signals, 1..2 (3 for type 2).
        amplitude: of the data, 1 for unit power.
    """

    bits_per_symbol: int
    groups_without_data: int
    amplitude: float


def random_user(rng: np.random.Generator, modulations: Sequence[int], dmrs_type: int, power_db: float) -> User:
    """Draw a `User` of a given power, dB, whose modulation is one of those given."""
    groups = int(rng.integers(1, 3 if dmrs_type == 1 else 4))
    return User(int(rng.choice(modulations)), groups, float(10 ** (power_db / 20)))


class RandomData:
    """Random data symbols; draws random bits in large pieces, because small draws are slow."""

    PIECE = 1 << 16

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.pool, self.position = np.empty(0, np.uint8), 0

    def symbols(self, n_rows: int, n_columns: int, bits_per_symbol: int = 2, amplitude: float = 1.0) -> np.ndarray:
        """Data symbols of mean power amplitude**2, complex64 (n_rows, n_columns)."""
        n = n_rows * n_columns
        if self.position + n > self.pool.size:
            size = max(n, self.PIECE)
            self.pool = self.rng.integers(0, 2**64, -(-size // 8), np.uint64).view(np.uint8)
            self.position = 0
        picks = self.pool[self.position : self.position + n]
        self.position += n
        return _points_by_byte(bits_per_symbol, amplitude)[picks].reshape(n_rows, n_columns)


@lru_cache(maxsize=64)
def _points_by_byte(bits_per_symbol, amplitude):
    """A constellation repeated to 256 entries: any byte picks a point, each equally often."""
    points = constellation(bits_per_symbol) * np.float32(amplitude)
    return np.tile(points, 256 // points.size)


def double_dmrs_symbols(duration: int, first: int, additional: int) -> tuple[int, ...]:
    """As `dmrs_symbols`, with reference signals of two symbols each: TS 38.211 table 7.4.1.1.2-4."""
    firsts = [first]
    if additional and duration >= 10:
        firsts.append(8 if duration <= 12 else 10)
    return tuple(symbol for start in firsts for symbol in (start, start + 1))


def add_pdsch(
    slot: np.ndarray,
    in_frame: int,
    cell_id: int,
    blocks: tuple[int, int],
    symbols: tuple[int, int],
    reference_symbols: Sequence[int],
    user: User,
    dmrs_type: int,
    data: RandomData,
    reference_block: int = 0,
) -> None:
    """One user's data and their reference signals.

    Args:
        slot: complex64, shape (14, n_subcarriers), is changed.
        in_frame: slot in the frame.
        blocks: (first resource block, resource blocks).
        symbols: (start, stop).
        reference_symbols: symbols with reference signals.
        user: `User`.
        dmrs_type: 1 or 2.
        data: `RandomData`.
        reference_block: resource block in which the reference sequence begins; not 0 for system information.
    """
    first, width = blocks
    band = slice(first * SUBCARRIERS_PER_RB, (first + width) * SUBCARRIERS_PER_RB)
    n_symbols, n_subcarriers = symbols[1] - symbols[0], width * SUBCARRIERS_PER_RB
    sent = data.symbols(n_symbols, n_subcarriers, user.bits_per_symbol, user.amplitude)
    slot[symbols[0] : symbols[1], band] = sent
    add_dmrs(slot, in_frame, cell_id, blocks, reference_symbols, user, dmrs_type, reference_block)


def add_dmrs(
    slot: np.ndarray,
    in_frame: int,
    cell_id: int,
    blocks: tuple[int, int],
    reference_symbols: Sequence[int],
    user: User,
    dmrs_type: int,
    reference_block: int = 0,
) -> None:
    """Reference signals of one user in place of data; arguments as in `add_pdsch`."""
    first, width = blocks
    combs = _combs(slot, dmrs_type)
    n_rb = slot.shape[1] // SUBCARRIERS_PER_RB
    per_rb, rows_per_rb = (6 if dmrs_type == 1 else 4), combs.shape[1] // n_rb
    rows = slice(first * rows_per_rb, (first + width) * rows_per_rb)
    used = slice((first - reference_block) * per_rb, (first - reference_block + width) * per_rb)
    # Power of the groups that carry no data goes to the reference signal: TS 38.214 table 4.1-1.
    boost = np.float32(user.amplitude * np.sqrt(user.groups_without_data))
    for symbol in reference_symbols:
        values = reference_values(cell_id, symbol, n_rb * per_rb)[in_frame, used]
        combs[symbol, rows, : user.groups_without_data] = 0
        combs[symbol, rows, 0] = (boost * values).reshape(-1, combs.shape[3])


def _combs(slot, dmrs_type):
    """A slot's elements by CDM group, a view of shape (14, repetitions, groups, elements): TS 38.211 7.4.1.1.2."""
    n_subcarriers = slot.shape[1]
    if dmrs_type == 1:
        return slot.reshape(SYMBOLS_PER_SLOT, n_subcarriers // 2, 2, 1)
    return slot.reshape(SYMBOLS_PER_SLOT, n_subcarriers // 6, 3, 2)


@lru_cache(maxsize=64)
def reference_values(cell_id: int, symbol: int, n: int) -> np.ndarray:
    """Reference values of PDSCH and PDCCH in one symbol of every slot of a frame, complex64 (slots, n).

    TS 38.211 7.4.1.1.1 and 7.4.1.3.1; also of PUSCH, 6.4.1.1.1.1.
    """
    c_init = nr_dmrs_init(cell_id, np.arange(SLOTS_PER_FRAME), symbol)
    return qpsk(gold(c_init, 2 * sequence_length(n)))[:, :n]


def sequence_length(n: int) -> int:
    """A power of two from n on: `gold` keeps a table for each length, so a few lengths for all carriers are best."""
    return max(256, 1 << (n - 1).bit_length())
