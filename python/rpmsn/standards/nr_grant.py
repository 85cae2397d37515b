# SPDX-License-Identifier: GPL-3.0-or-later
"""Where and how SIB1 is sent: search space 0, its candidates, the grant (DCI format 1_0 with SI-RNTI), what it grants.

TS 38.213 10.1 and 13, TS 38.212 7.3, TS 38.214 5.1.2 and 5.1.3, TS 38.211 7.3.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..errors import require
from . import polar
from .crc import CRC24C
from .sequences import gold

SI_RNTI = 0xFFFF
"""TS 38.321 table 7.1-1."""
GROUPS_PER_CCE, GROUP_DATA = 6, 9
"""Resource element groups (a resource block in one symbol) of a control channel element; elements with data of each."""
CANDIDATES = {4: 4, 8: 2, 16: 1}
"""Aggregation level -> candidates: TS 38.213 table 10.1-1."""
RESERVED_BITS = 15
BLOCKS_PER_BUNDLE = 2
"""Of interleaved resource blocks: TS 38.211 7.3.1.6; and of one precoding: TS 38.214 5.1.2.3."""

SEARCH_SPACE_ZERO = (
    (0, 1, 0), (0, 0.5, None), (2, 1, 0), (2, 0.5, None), (5, 1, 0), (5, 0.5, None), (7, 1, 0), (7, 0.5, None),
    (0, 2, 0), (5, 2, 0), (0, 1, 1), (0, 1, 2), (2, 1, 1), (2, 1, 2), (5, 1, 1), (5, 1, 2),
)  # fmt: skip
"""(O in ms, slots M from one beam to the next, first symbol) of SIB1's PDCCH by index: TS 38.213 table 13-11.

First symbol None: 0 for even beams, right after that for odd ones.
"""

DEFAULT_ALLOCATIONS: tuple[tuple[str, int, int], ...] = (
    ("A", 2, 12), ("A", 2, 10), ("A", 2, 9), ("A", 2, 7), ("A", 2, 5), ("B", 9, 4), ("B", 4, 4), ("B", 5, 7),
    ("B", 5, 2), ("B", 9, 2), ("B", 12, 2), ("A", 1, 13), ("A", 1, 6), ("A", 2, 4), ("B", 4, 7), ("B", 8, 4),
)  # fmt: skip
"""(mapping type, first symbol, symbols) of a PDSCH with dmrs-TypeA-Position 2: TS 38.214 table 5.1.2.1.1-2."""

ALLOCATIONS_MOVED_FOR_POSITION_3 = {
    ("A", 2, 12): ("A", 3, 11), ("A", 2, 10): ("A", 3, 9), ("A", 2, 9): ("A", 3, 8), ("A", 2, 7): ("A", 3, 6),
    ("A", 2, 5): ("A", 3, 4), ("B", 9, 4): ("B", 10, 4), ("B", 4, 4): ("B", 6, 4),
}  # fmt: skip
"""Rows of that table that differ with dmrs-TypeA-Position 3."""

CODE_RATES = (120, 157, 193, 251, 308, 379, 449, 526, 602, 679)
"""Code rate times 1024 of the modulation and coding schemes with QPSK: TS 38.214 table 5.1.3.1-1. Others are not for
system information."""

TRANSPORT_BLOCKS = (
    *range(24, 192, 8), *range(192, 384, 16), 384, *range(408, 576, 24), *range(576, 768, 32), 768, 808, 848, 888, 928,
    984, 1032, 1064, 1128, 1160, 1192, 1224, 1256, 1288, 1320, 1352, 1416, 1480, 1544, 1608, 1672, 1736, 1800, 1864,
    1928, 2024, 2088, 2152, 2216, 2280, 2408, 2472, 2536, 2600, 2664, 2728, 2792, 2856, 2976,
)  # fmt: skip
"""Bits of a transport block, up to the largest one of system information: TS 38.214 table 5.1.3.2-1 and 5.1.3.2."""


@dataclass(frozen=True)
class Allocation:
    """Symbols of a PDSCH.

    Attributes:
        mapping: 'A' or 'B'.
        start, stop: first symbol of the slot, and the one after the last.
        reference_symbols: those with demodulation reference signals.
        has_data_beside: whether these have data as well, in the other half of the subcarriers.
    """

    mapping: str
    start: int
    stop: int
    reference_symbols: tuple[int, ...]
    has_data_beside: bool


def allocation(row: int, dmrs_first: int) -> Allocation:
    """Of a row 0..15 of the default table, with dmrs-TypeA-Position 2 or 3: TS 38.214 5.1.2.1.1, 5.1.6.2."""
    entry = DEFAULT_ALLOCATIONS[row]
    if dmrs_first == 3:
        entry = ALLOCATIONS_MOVED_FOR_POSITION_3.get(entry, entry)
    mapping, start, length = entry
    if mapping == "A":
        reference = dmrs_symbols(start + length, dmrs_first, 2)
    else:
        reference = mini_slot_dmrs_symbols(start, length, 2)
    return Allocation(mapping, start, start + length, reference, length == 2)


def dmrs_symbols(duration: int, first: int, additional: int) -> tuple[int, ...]:
    """Symbols of a slot with reference signals, mapping type A: TS 38.211 tables 7.4.1.1.2-3 and 6.4.1.1.3-3.

    Args:
        duration: symbols from the slot's start to the end of the data, 3..14.
        first: position of the first one, 2 or 3.
        additional: further ones at most, 0..3; the standard has 3 only with first = 2.
    """
    if first == 3:
        additional = min(additional, 2)
    table = (
        (7, ((), (), (), ())),
        (9, ((), (7,), (7,), (7,))),
        (11, ((), (9,), (6, 9), (6, 9))),
        (12, ((), (9,), (6, 9), (5, 8, 11))),
        (14, ((), (11,), (7, 11), (5, 8, 11))),
    )
    return (first,) + next(row for limit, row in table if duration <= limit)[additional]


def mini_slot_dmrs_symbols(start: int, length: int, additional: int) -> tuple[int, ...]:
    """Symbols with reference signals of a PDSCH of 2, 4 or 7 symbols, mapping type B: TS 38.211 table 7.4.1.1.2-3."""
    return (start, start + 4) if length == 7 and additional else (start,)


@lru_cache(maxsize=64)
def control_channel_elements(width: int, n_symbols: int, interleaved: bool, shift: int) -> np.ndarray:
    """Resource element groups (block x n_symbols + symbol) of each control channel element, int (n_cce, 6).

    TS 38.211 7.3.2.2 with bundles of 6 groups; interleaved where 2, 3 or 6 rows divide the bundles.
    """
    n_bundles = width * n_symbols // GROUPS_PER_CCE
    order = np.arange(n_bundles)
    n_rows = next((rows for rows in (2, 3, 6) if n_bundles % rows == 0), None)
    if interleaved and n_rows:
        n_columns = n_bundles // n_rows
        column, row = np.divmod(order, n_rows)
        order = (row * n_columns + column + shift) % n_bundles
    return GROUPS_PER_CCE * order[:, None] + np.arange(GROUPS_PER_CCE)


@lru_cache(maxsize=16)
def candidates(n_cce: int) -> tuple[tuple[int, int], ...]:
    """(first control channel element, aggregation level) of all places of a grant of system information, each once:
    TS 38.213 10.1."""
    return tuple(
        dict.fromkeys(
            (level * (number * n_cce // (level * count) % (n_cce // level)), level)
            for level, count in CANDIDATES.items()
            if level <= n_cce
            for number in range(count)
        )
    )


def occasion(index: int, block_index: int, slots_per_ms: int, n_symbols: int) -> tuple[int, int]:
    """(slot, first symbol) of the PDCCH of a block, counted from the start of an even frame; the next slot has one as
    well: TS 38.213 13.

    Args:
        index: row of `SEARCH_SPACE_ZERO`.
        block_index: of the SS/PBCH block.
        slots_per_ms: 1 or 2.
        n_symbols: of CORESET 0.
    """
    start_ms, step, symbol = SEARCH_SPACE_ZERO[index]
    slot = (start_ms * slots_per_ms + int(block_index * step)) % (20 * slots_per_ms)
    return slot, n_symbols * (block_index % 2) if symbol is None else symbol


@dataclass(frozen=True)
class Grant:
    """A grant of SIB1: DCI format 1_0 with SI-RNTI, TS 38.212 7.3.1.2.1.

    Attributes:
        first, blocks: first of the resource blocks that are granted, from CORESET 0's, and how many.
        row: of the default table of allocations, 0..15.
        is_interleaved: resource blocks are spread in pairs.
        scheme: modulation and coding scheme, 0..9.
        version: redundancy version, 0..3.
        is_other: it is not SIB1 but another system information.
    """

    first: int = 0
    blocks: int = 24
    row: int = 0
    is_interleaved: bool = False
    scheme: int = 0
    version: int = 0
    is_other: bool = False

    def __post_init__(self) -> None:
        for name, last in (("row", 15), ("scheme", len(CODE_RATES) - 1), ("version", 3)):
            value = getattr(self, name)
            require("Grant", name, value, 0 <= value <= last, f"0..{last}")

    def bits(self, width: int) -> np.ndarray:
        """Of its DCI, uint8; CORESET 0 is `width` resource blocks wide."""
        values = (
            (_indication(self.first, self.blocks, width), _frequency_bits(width)), (self.row, 4),
            (self.is_interleaved, 1), (self.scheme, 5), (self.version, 2), (self.is_other, 1), (0, RESERVED_BITS),
        )  # fmt: skip
        return np.array([int(value) >> bit & 1 for value, n in values for bit in range(n - 1, -1, -1)], np.uint8)

    @classmethod
    def of_bits(cls, bits: np.ndarray, width: int) -> "Grant | None":
        """What a DCI grants; None where it cannot be system information."""
        word = "".join(map(str, np.asarray(bits).tolist()))
        n = _frequency_bits(width)
        row, interleaved, scheme, version, other = (
            int(word[n + start : n + stop], 2) for start, stop in ((0, 4), (4, 5), (5, 10), (10, 12), (12, 13))
        )
        granted = _granted(int(word[:n], 2), width)
        if granted is None or scheme >= len(CODE_RATES):
            return None
        first, blocks = granted
        return cls(first, blocks, row, bool(interleaved), scheme, version, bool(other))

    def resource_blocks(self, width: int) -> np.ndarray:
        """Resource block of CORESET 0 that each granted one is, in the order of the data: TS 38.211 7.3.1.6."""
        granted = np.arange(self.first, self.first + self.blocks)
        if not self.is_interleaved:
            return granted
        bundle, within = np.divmod(granted, BLOCKS_PER_BUNDLE)
        n_bundles = width // BLOCKS_PER_BUNDLE
        n_columns = n_bundles // 2
        column, row = np.divmod(bundle, 2)
        spread = np.where(bundle == n_bundles - 1, bundle, row * n_columns + column)
        return BLOCKS_PER_BUNDLE * spread + within

    def block_bits(self, allocated: Allocation) -> int | None:
        """Bits of the transport block; None where it is too long for system information: TS 38.214 5.1.3.2."""
        elements = min(156, self.elements_per_block(allocated)) * self.blocks
        information = elements * 2 * CODE_RATES[self.scheme] / 1024
        step = 2 ** max(3, int(np.log2(information)) - 6)
        least = max(24, step * int(information // step))
        return next((bits for bits in TRANSPORT_BLOCKS if bits >= least), None)

    @staticmethod
    def elements_per_block(allocated: Allocation) -> int:
        """Resource elements with data of a resource block."""
        without = 6 if allocated.has_data_beside else 12
        return 12 * (allocated.stop - allocated.start) - without * len(allocated.reference_symbols)


def payload_bits(width: int) -> int:
    """Bits of a grant where CORESET 0 is `width` resource blocks wide."""
    return _frequency_bits(width) + 4 + 1 + 5 + 2 + 1 + RESERVED_BITS


def _frequency_bits(width):
    return (width * (width + 1) // 2 - 1).bit_length()


def _indication(first, blocks, width):
    """Resource indication value: TS 38.214 5.1.2.2.2."""
    require("Grant", "blocks", blocks, 1 <= blocks <= width - first, f"1..{width - first}")
    if blocks - 1 <= width // 2:
        return width * (blocks - 1) + first
    return width * (width - blocks + 1) + width - 1 - first


def _granted(indication: int, width: int) -> tuple[int, int] | None:
    """(first resource block, resource blocks), or None."""
    quotient, rest = divmod(indication, width)
    for first, blocks in ((rest, quotient + 1), (width - 1 - rest, width - quotient + 1)):
        is_short = blocks - 1 <= width // 2
        is_one = indication < width * (width + 1) // 2 and 1 <= blocks <= width - first
        if is_one and is_short == (blocks == quotient + 1):
            return first, blocks
    return None


def encode(grant: Grant, width: int, level: int, cell_id: int) -> np.ndarray:
    """Scrambled bits of a grant's PDCCH at an aggregation level, uint8: TS 38.212 7.3, TS 38.211 7.3.2.3."""
    bits = control_bits(level)
    return polar.encode(grant.bits(width), bits, _crc_mask(payload_bits(width))) ^ gold(cell_id, bits)


def decode(llr: np.ndarray, width: int, cell_id: int) -> list[Grant | None]:
    """Grants of what was received in candidates of one aggregation level.

    Args:
        llr: log-likelihood ratios, positive for 0, float (candidates, bits).
        width: of CORESET 0, resource blocks.
        cell_id: 0..1007.
    """
    n = payload_bits(width)
    descrambled = llr * (1 - 2.0 * gold(cell_id, llr.shape[1]))
    found = polar.decode(descrambled, payload_bits=n, crc_mask=_crc_mask(n))
    return [None if bits is None else Grant.of_bits(bits, width) for bits in found]


def control_bits(level: int) -> int:
    """Bits of a PDCCH of an aggregation level."""
    return 2 * GROUP_DATA * GROUPS_PER_CCE * level


def data_scrambling(cell_id: int, bits: int) -> np.ndarray:
    """What is added to the bits of SIB1's PDSCH, uint8: TS 38.211 7.3.1.1."""
    return gold((SI_RNTI << 15) + cell_id, bits)


@lru_cache(maxsize=8)
def _crc_mask(n):
    """What the CRC of n bits has added: by the 24 ones before them, and by the RNTI: TS 38.212 7.3.2."""
    ones = CRC24C.parity(np.r_[np.ones(24, np.uint8), np.zeros(n, np.uint8)])
    return ones ^ np.array([SI_RNTI >> bit & 1 for bit in range(23, -1, -1)], np.uint8)
