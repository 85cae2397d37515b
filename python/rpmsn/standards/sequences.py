# SPDX-License-Identifier: GPL-3.0-or-later
"""Synchronisation and reference sequences of TS 36.211 (LTE) and TS 38.211 (NR)."""

from functools import cache, lru_cache

import numpy as np

from ..errors import ParameterError
from .qam import qpsk

GOLD_ADVANCE = 1600
LTE_MAX_N_RB = 110
LTE_CELL_IDS = 504
NR_CELL_IDS = 1008
LTE_MBSFN_AREA_IDS = 256


def gold(c_init: int | np.ndarray, n: int) -> np.ndarray:
    """Pseudo-random bits c(0..n-1) of TS 36.211 7.2 and TS 38.211 5.2.1.

    Args:
        c_init: initial value, or an array of them, each 0 <= c_init < 2**31.
        n: bits wanted.

    Returns:
        uint8, shape (n,) for one c_init, else c_init.shape + (n,).
    """
    first, responses = _gold_parts(n)
    bits = (np.asarray(c_init, np.int64)[..., None] >> np.arange(31)) & 1
    # The second m-sequence is linear in its initial bits: a sum of unit responses, counted here and reduced to parity.
    counts = bits.astype(np.float32) @ responses
    return (counts.astype(np.uint8) ^ first) & 1


@lru_cache(maxsize=32)
def _gold_parts(n):
    """The first m-sequence (n,) uint8 and the second one's response to each initial bit, (31, n) float32."""
    length = GOLD_ADVANCE + n + 31
    first = np.zeros(length, np.uint8)
    first[0] = 1
    second = np.zeros((length, 31), np.uint8)
    second[:31] = np.eye(31, dtype=np.uint8)
    # The nearest tap lies 28 back, so 28 values can be made at once.
    for start in range(31, length, 28):
        stop = min(start + 28, length)
        first[start:stop] = _delayed(first, start, stop, (28, 31))
        second[start:stop] = _delayed(second, start, stop, (28, 29, 30, 31))
    used = slice(GOLD_ADVANCE, GOLD_ADVANCE + n)
    return first[used].copy(), np.ascontiguousarray(second[used].T, np.float32)


def _delayed(sequence, start, stop, delays):
    """Modulo-2 sum of a sequence's chunk [start, stop) as it was each of `delays` steps before."""
    return np.bitwise_xor.reduce([sequence[start - delay : stop - delay] for delay in delays])


@cache
def m_sequence(taps: tuple[int, ...], initial: tuple[int, ...], n: int) -> np.ndarray:
    """Bits x(0..n-1) with x(i + len(initial)) = sum of x(i + tap) modulo 2; read-only.

    Args:
        taps: the delays that are added.
        initial: x(0), x(1), ...
        n: bits wanted.
    """
    bits = list(initial)
    for i in range(n - len(initial)):
        bits.append(sum(bits[i + tap] for tap in taps) % 2)
    found = np.array(bits[:n])
    found.flags.writeable = False
    return found


def lte_pss(cell_id: int) -> np.ndarray:
    """Primary synchronisation signal, complex64 (62,): TS 36.211 6.11.1.1."""
    root = (25, 29, 34)[_checked(cell_id, LTE_CELL_IDS) % 3]
    n = np.arange(62)
    # The middle element of the 63-point Zadoff-Chu sequence would fall on DC and is left out.
    n += n >= 31
    return np.exp(-1j * np.pi * root * n * (n + 1) / 63).astype(np.complex64)


def lte_sss(cell_id: int, subframe: int) -> np.ndarray:
    """Secondary synchronisation signal of subframe 0 or 5, complex64 (62,): TS 36.211 6.11.2.1."""
    group, sector = divmod(_checked(cell_id, LTE_CELL_IDS), 3)
    shift_0, shift_1 = _lte_sss_shifts(group)
    n = np.arange(31)
    s = 1 - 2 * m_sequence((0, 2), (0, 0, 0, 0, 1), 31)
    c = 1 - 2 * m_sequence((0, 3), (0, 0, 0, 0, 1), 31)
    z = 1 - 2 * m_sequence((0, 1, 2, 4), (0, 0, 0, 0, 1), 31)
    if subframe == 5:
        even, odd, scrambling = shift_1, shift_0, shift_1
    else:
        even, odd, scrambling = shift_0, shift_1, shift_0
    sequence = np.empty(62, np.complex64)
    sequence[0::2] = s[(n + even) % 31] * c[(n + sector) % 31]
    sequence[1::2] = s[(n + odd) % 31] * c[(n + sector + 3) % 31] * z[(n + scrambling % 8) % 31]
    return sequence


def _lte_sss_shifts(group):
    """Indices m0 and m1 of a cell identity group: TS 36.211 table 6.11.2.1-1."""
    q_prime = group // 30
    q = (group + q_prime * (q_prime + 1) // 2) // 30
    m_prime = group + q * (q + 1) // 2
    m0 = m_prime % 31
    return m0, (m0 + m_prime // 31 + 1) % 31


def lte_crs(cell_id: int, n_rb: int, slot: int | np.ndarray, symbol: int, extended: bool = False) -> np.ndarray:
    """Cell-specific reference values of one symbol, complex64 (2 * n_rb,): TS 36.211 6.10.1.1.

    Args:
        slot: slot of 0.5 ms in the frame, 0..19; of an array of them, the result has a row for each.
        symbol: symbol in the slot, 0..6, or 0..5 with extended cyclic prefix.
        extended: the cell has extended cyclic prefix.
    """
    cell_id = _checked(cell_id, LTE_CELL_IDS)
    c_init = (7 * (slot + 1) + symbol + 1) * (2 * cell_id + 1) * 2**10 + 2 * cell_id + (not extended)
    values = qpsk(gold(c_init, 4 * LTE_MAX_N_RB))
    return values[..., LTE_MAX_N_RB - n_rb : LTE_MAX_N_RB + n_rb]


def lte_crs_subcarriers(cell_id: int, n_rb: int, port: int, slot: int, symbol: int) -> np.ndarray:
    """Subcarriers of a port's reference elements, int (2 * n_rb,), empty if the symbol has none: TS 36.211 6.10.1.2."""
    shifts = {(0, 0): 0, (0, 4): 3, (1, 0): 3, (1, 4): 0, (2, 1): 3 * (slot % 2), (3, 1): 3 + 3 * (slot % 2)}
    if (port, symbol) not in shifts:
        return np.empty(0, int)
    return 6 * np.arange(2 * n_rb) + (shifts[port, symbol] + cell_id) % 6


def nr_pss(cell_id: int) -> np.ndarray:
    """Primary synchronisation signal, complex64 (127,): TS 38.211 7.4.2.2."""
    bits = m_sequence((0, 4), (0, 1, 1, 0, 1, 1, 1), 127)
    sector = _checked(cell_id, NR_CELL_IDS) % 3
    return (1 - 2 * bits[(np.arange(127) + 43 * sector) % 127]).astype(np.complex64)


def nr_sss(cell_id: int) -> np.ndarray:
    """Secondary synchronisation signal, complex64 (127,): TS 38.211 7.4.2.3."""
    group, sector = divmod(_checked(cell_id, NR_CELL_IDS), 3)
    x0 = m_sequence((0, 4), (1, 0, 0, 0, 0, 0, 0), 127)
    x1 = m_sequence((0, 1), (1, 0, 0, 0, 0, 0, 0), 127)
    n = np.arange(127)
    first = x0[(n + 15 * (group // 112) + 5 * sector) % 127]
    second = x1[(n + group % 112) % 127]
    return ((1 - 2 * first) * (1 - 2 * second)).astype(np.complex64)


def nr_pbch_dmrs(cell_id: int, block_index: int, half_frame: int = 0, blocks: int = 8) -> np.ndarray:
    """Reference values of a PBCH, complex64 (144,): TS 38.211 7.4.1.4.1.

    Args:
        block_index: index of the SS/PBCH block in its burst.
        half_frame: 0 or 1, the half of the frame that the burst is in; only used with 4 blocks.
        blocks: blocks that a burst can hold (L_max), 4 or 8.
    """
    index = block_index % 4 + 4 * half_frame if blocks == 4 else block_index % 8
    cell_id = _checked(cell_id, NR_CELL_IDS)
    c_init = 2**11 * (index + 1) * (cell_id // 4 + 1) + 2**6 * (index + 1) + cell_id % 4
    return qpsk(gold(c_init, 288))


def nr_dmrs(cell_id: int, slot: int, symbol: int, n: int) -> np.ndarray:
    """Reference values r(0..n-1) of PDSCH and PDCCH, complex64: TS 38.211 7.4.1.1.1 and 7.4.1.3.1.

    Args:
        slot: slot in the frame.
        symbol: symbol in the slot.
    """
    return qpsk(gold(nr_dmrs_init(cell_id, slot, symbol), 2 * n))


def nr_dmrs_init(cell_id: int | np.ndarray, slot: int | np.ndarray, symbol: int | np.ndarray) -> np.ndarray:
    """Initial values of `gold` for the reference values of PDSCH, PDCCH and PUSCH, int64; arguments as in `nr_dmrs`, or
    arrays of them."""
    cell_id, slot = np.asarray(cell_id, np.int64), np.asarray(slot, np.int64)
    return np.asarray((2**17 * (14 * slot + symbol + 1) * (2 * cell_id + 1) + 2 * cell_id) % 2**31)


def nr_csi_rs(cell_id: int, slot: int, symbol: int, n: int) -> np.ndarray:
    """CSI-RS values r(0..n-1), complex64: TS 38.211 7.4.1.5.2; arguments as in `nr_dmrs`."""
    c_init = 2**10 * (14 * slot + symbol + 1) * (2 * cell_id + 1) + cell_id
    return qpsk(gold(c_init % 2**31, 2 * n))


def _checked(cell_id, cell_ids):
    if not 0 <= cell_id < cell_ids:
        raise ParameterError(f"cell_id is {cell_id}; choose 0..{cell_ids - 1}")
    return int(cell_id)


def lte_mbsfn_reference(area_id: int, n_rb: int, slot: int, symbol: int) -> np.ndarray:
    """MBSFN reference values of one symbol, complex64 (6 * n_rb,): TS 36.211 6.10.2.1.

    Args:
        area_id: identity of the MBSFN area, 0..255.
        slot: slot of 0.5 ms in the frame, 0..19.
        symbol: symbol in the slot, 0..5 (extended cyclic prefix).
    """
    c_init = 2**9 * (7 * (slot + 1) + symbol + 1) * (2 * area_id + 1) + area_id
    values = qpsk(gold(c_init, 12 * LTE_MAX_N_RB))
    return values[3 * (LTE_MAX_N_RB - n_rb) : 3 * (LTE_MAX_N_RB + n_rb)]


LTE_UPLINK_GROUPS = 30

LTE_UPLINK_QUARTERS = [
    "123033223203",
    "223331200203",
    "220001002021",
    "122221002031",
    "132121012123",
    "203112211302",
    "130003213302",
    "011120312032",
    "203211122312",
    "201331022222",
    "131220010031",
    "321133023233",
    "202202220002",
    "330302231033",
    "021013233312",
    "312011223210",
    "232123331131",
    "022303003231",
    "032202001120",
    "132321130101",
    "102222321201",
    "131200000210",
    "220000130203",
    "221010212312",
    "223233121002",
    "203323320113",
    "230030211310",
    "010103212300",
    "130313303311",
    "300110130321",
]
"""TS 36.211 table 5.5.1.2-1, one word a group: digit d stands for phi = 2 d - 3."""

NR_LOW_PAPR_QUARTERS = [
    "020003012220",
    "032023112333",
    "033203123030",
    "001333030210",
    "011232212102",
    "003200013123",
    "213111012220",
    "103100012120",
    "013201032332",
    "011001032310",
    "030330113320",
    "010110331120",
    "013001021033",
    "021133011010",
    "230233321213",
    "023110011320",
    "111120133102",
    "122123311020",
    "023311033030",
    "003013331020",
    "323230123210",
    "032302222303",
    "033310010230",
    "310301333010",
    "012023331033",
    "032133021212",
    "123021211021",
    "003330120320",
    "213221112302",
    "030300311230",
]
"""The same of TS 38.211 table 5.2.2.2-2, of 12 elements."""


@lru_cache(maxsize=512)
def lte_uplink_reference(group: int, n: int) -> np.ndarray:
    """Base sequence (number 0) of the uplink's reference signals, complex64 (n,): TS 36.211 5.5.1.

    It has modulus 1 everywhere. The 30 sequences of 24 elements are QPSK like the standard's, but not its table.

    Args:
        group: sequence group, 0..29.
        n: 12, 24, or 36 and more: elements.
    """
    if not 0 <= group < LTE_UPLINK_GROUPS:
        raise ParameterError(f"group is {group}; choose 0..{LTE_UPLINK_GROUPS - 1}")
    if n == 12:
        quarters = np.array(list(LTE_UPLINK_QUARTERS[group]), int)
    elif n == 24:
        quarters = np.random.default_rng(group).integers(0, 4, n)
    else:
        return _zadoff_chu(group, n)
    return _phases(quarters)


def nr_low_papr_12(group: int) -> np.ndarray:
    """Low-PAPR sequence of type 1 of 12 elements, of a group 0..29, complex64: TS 38.211 5.2.2.2."""
    return _phases(np.array(list(NR_LOW_PAPR_QUARTERS[group]), int))


def _phases(quarters):
    """Elements from the digits of the tables above."""
    return np.exp(0.25j * np.pi * (2 * quarters - 3)).astype(np.complex64)


def _zadoff_chu(group, n):
    """A Zadoff-Chu sequence of the longest prime length below n, repeated to n elements: TS 36.211 5.5.1.1."""
    length = next(prime for prime in range(n - 1, 1, -1) if all(prime % divisor for divisor in range(2, prime)))
    root = (2 * length * (group + 1) + 31) // 62
    m = np.arange(n) % length
    return np.exp(-1j * np.pi * (root * m * (m + 1) % (2 * length)) / length).astype(np.complex64)


def lte_uplink_shifts(c_init: int, n: int) -> np.ndarray:
    """Numbers 0..255 that turn the cyclic shifts of uplink sequences: TS 36.211 5.4 and 5.5.2.1.1.

    Args:
        c_init: of the pseudo-random sequence.
        n: numbers wanted, each of 8 bits, least significant first.
    """
    return gold(c_init, 8 * n).reshape(n, 8).astype(int) @ (1 << np.arange(8))
