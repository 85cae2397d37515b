# SPDX-License-Identifier: GPL-3.0-or-later
"""LDPC coding of NR's shared channel, of transport blocks of one code block with base graph 2: TS 38.212 5.2.2, 5.3.2,
5.4.2, 6.2.

System information is always such a block: QPSK at a rate up to 0.67, up to 2976 bits (TS 38.214 5.1.3). The shifts
agree with those of two packages, sionna-no-rt 2.2.0 and py3gpp 0.6.0.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..errors import ParameterError
from .crc import CRC16

MOST_BITS = 3824
"""Of a transport block with base graph 2 in one code block and 16 bits of CRC."""
BITS_PER_SYMBOL = 2
"""QPSK."""
LIFTING_SIZES = {
    first << shift: number
    for number, first in enumerate((2, 3, 5, 7, 9, 11, 13, 15))
    for shift in range(8)
    if first << shift <= 384
}
"""Lifting size Z -> set of shifts: TS 38.212 table 5.3.2-1."""
INFORMATION_COLUMNS, CORE_COLUMNS, COLUMNS, ROWS = 10, 14, 52, 42
STARTS = (0, 13, 25, 43)
"""k_0 in units of Z of the redundancy versions: TS 38.212 table 5.4.2.1-2."""
ITERATIONS, CORRECTION = 30, 0.75
"""Of the decoder: passes over all rows at most; factor of normalised min-sum."""

CORE = (
    "012369ab 03456789bc 01348acd 12456789ad 01b 0157b 0579b 157bd 01c 18ab 0167 079d 13b 018d 16bd 0ab "
    "19bc 15bc 067 01a 14b 08d 12 035 129 05 27cd 06 125 04 2579 1d 05c 27a 0cd 15b 027 ad 15b 07c 2ad "
    "15b"
)
"""Columns below 14 of each row, a hexadecimal digit each; from row 4 on, each row has one more column, its own parity,
with a shift of 0. TS 38.212 table 5.3.2-3."""
SHIFTS = (
    bytes.fromhex(
        "0975cc1abdcd0000a7a6fd7de29ce0fc000051722c34f0010000083a9e68d13612800000b3d647e729c29f679be42d1c9e81938c0374"
        "8e5ee6cbcd3df70bb900750becd2383f6f0e530226de739103e833afd5cb8e08f2fe7c7240dcc2325714b91a691d4c2ad2de3f17ebee"
        "2e8b08e49c1d8fa07a0897626587121c47f009546a01f22ca684a4eb93552439283f8c269adb971f4226efac22004b7881e576"
    ),
    bytes.fromhex(
        "ae61a64247ac00001b24305c1fbbb90300001972756e7201000088af71487b761cba0000484a1d0a2c795030815c6431b850ba10668f"
        "7646981c84b9b23b681634205cae9a275d0b317d23a6137615a3443f5157b187409e170906ba062e3a2a9c4c3d999daf4314346a565f"
        "b699402d15438937556732466fa86e11789a343803aa540811a5b37cadb10c4db8121997aa251f5497be5d8439676ba393073c"
    ),
    bytes.fromhex(
        "0000000000000000897c0000580000370000145e63096c010000260f66920c39352e000000889d00838e8d40007c632d94002d94604e"
        "0041570061335500119c14000704020071300070661a008a391b004963004f6f8f00186d12001256009e9a0094680011210004004b9e"
        "004557004100640d070020007e6e009a00233386001400147a00580d00134e009d06003f520090005d1300188a00248f000237"
    ),
    bytes.fromhex(
        "486e17b55f080100359c739c73c81d1f000098832ebf5b000000b906247c7c6e9c850100c81065b98aaadbc17b371fded1670d6996b5"
        "932b98021eb853ae960838638a6e632ed96d25718f8c245f287474c86e4b9e86613084ce0244109c238a5606148d502b5131019c3686"
        "99583fd35e5a06dd061b76d8d4c16c3d6a2cb9b093b66c156e470c6d1dc9455ba53701af53280c25612e6ab59a622324786551"
    ),
    bytes.fromhex(
        "031a3523737f0000135e68425462453200005f6a5c6e6f010000787916044931804f00002a1833288c5489476d576b858b6187236c41"
        "464558612818312e2965601c1e7440217a834c253e2f8f3382618b608030091c08782b412a116a8e4f1c2902674e5b4b513684447338"
        "1e2a65803f8e1c64850d0a6a4d2b851957386846508b2059478706022519723c895d79811a613801460177208e064966302f13"
    ),
    bytes.fromhex(
        "9c8f0e03287b000011413f013725ab85000062a86b528e01000035aeae7f1159116900005643534f5423673c2f9a0a9b1d307d182f37"
        "351fa1688e63406f19ae175baf188d7a0b041d5b1b7f0b9108a68967284e9e11a586173ea3ad1f160d87918034ad9ca62812a36e8496"
        "716c3d4888242635912a684018958ba154ad5d1d759474498e69891d0b29a27e98ac499a81a7267007136d0669a09c52840608"
    ),
    bytes.fromhex(
        "8f13b0a5c40d0000121b0366b9110eb400007ea32fb7840100002430126fcb03bfa000002b1b75883124843e0722c6a80ca34e8f6b3a"
        "65b116ba1bcd517d3cb133271d2308129b3120355fba5b14346dae6c667d1f36b039c98e2381cb8c6e7c34c423720a7a17ca7e34aa0d"
        "71a158c5c2a4ac31a1a8c10eba2e321b4611320673bd6e00a3a3adb3c5bfc19da7b5c5a7b3b5c19dadbfb59dadc1a3b3bfc5a7"
    ),
    bytes.fromhex(
        "91834715177001008eaeb71b601709a700004a1f03359b000000efab5f6e9fc72b4b01001d8cb47929a958cf8948ac7c3856ba57ac9a"
        "b0a9e1a7ee304426d9d0e8b2d6a8337c7a483039a7db52e8cca226d99daa17afcac4adc3da80d3d227545875e306ee0d0bc32c055e6f"
        "511382425f9242be5640b50790101939258bdd11c92eb30e742e026ab8878d55e1afb2706a9a722a2969a72dbd4e43b435d7e6"
    ),
)
"""Of these columns, row by row, a byte each, for the eight sets: TS 38.212 table 5.3.2-3."""


@dataclass(frozen=True)
class _Row:
    """Parity checks of a row of the base graph.

    Attributes:
        columns: of the base graph, int (n,).
        shifts: of each of them, modulo Z, int (n,).
        places: bits of the codeword in each check, int (n, Z).
    """

    columns: np.ndarray
    shifts: np.ndarray
    places: np.ndarray


class Code:
    """The code of a transport block.

    Args:
        payload_bits: of the transport block, 8..3824.

    Attributes:
        size: lifting size Z.
        filled: bits of payload and CRC; fillers follow, up to 10 Z.
        buffer: bits of the codeword that the circular buffer holds, in its order, without fillers.

    Raises:
        ParameterError: the block has another length.
    """

    def __init__(self, payload_bits: int) -> None:
        if not 8 <= payload_bits <= MOST_BITS:
            raise ParameterError(f"payload_bits are {payload_bits}; choose 8..{MOST_BITS}")
        self.payload_bits = payload_bits
        self.filled = filled = payload_bits + CRC16.length
        used = next(columns for least, columns in ((640, 10), (560, 9), (192, 8), (-1, 6)) if filled > least)
        self.size = size = min(size for size in LIFTING_SIZES if used * size >= filled)
        self.rows = _rows(size)
        places = np.arange(2 * size, COLUMNS * size)
        self._is_sent = (places < filled) | (places >= INFORMATION_COLUMNS * size)
        self.buffer = places[self._is_sent]

    def sent(self, rate_matched_bits: int, version: int) -> np.ndarray:
        """Bit of the codeword that each rate matched bit is, in the order of sending, int (rate_matched_bits,)."""
        first = np.count_nonzero(self._is_sent[: STARTS[version] * self.size])
        chosen = self.buffer[(first + np.arange(rate_matched_bits)) % len(self.buffer)]
        return chosen.reshape(BITS_PER_SYMBOL, -1).T.ravel()

    def encode(self, payload: np.ndarray, rate_matched_bits: int, version: int = 0) -> np.ndarray:
        """Rate matched bits of a transport block, uint8; an even number of them."""
        return self.codeword(payload)[self.sent(rate_matched_bits, version)]

    def codeword(self, payload: np.ndarray) -> np.ndarray:
        """All bits of a codeword, with the first 2 Z, which are never sent, and 0 for fillers; uint8 (52 Z,)."""
        size = self.size
        codeword = np.zeros((COLUMNS, size), np.uint8)
        codeword.reshape(-1)[: self.filled] = CRC16.attach(payload)
        first, second, third, fourth = (self._sum(row, codeword) for row in self.rows[:4])
        # The sum of the first four rows has one bit of the first parity column: its other two shifts are equal.
        shifts = [int(row.shifts[row.columns == INFORMATION_COLUMNS][0]) for row in self.rows[:4] if 10 in row.columns]
        single = next(shift for shift in shifts if shifts.count(shift) == 1)
        codeword[10] = np.roll(first ^ second ^ third ^ fourth, single)
        # Then each row has one column that is not known yet.
        for row, column in ((0, 11), (1, 12), (3, 13)):
            codeword[column] = self._sum(self.rows[row], codeword)
        for number in range(4, ROWS):
            codeword[INFORMATION_COLUMNS + number] = self._sum(self.rows[number], codeword)
        return codeword.ravel()

    def decode(self, received: Iterable[tuple[np.ndarray, int]]) -> np.ndarray | None:
        """The transport block of what was received, uint8; None where no codeword with a CRC that fits is found.

        Args:
            received: (log-likelihood ratios of rate matched bits, positive for 0; redundancy version) of each time that
                the block was sent.
        """
        values = np.zeros(COLUMNS * self.size)
        for llr, version in received:
            np.add.at(values, self.sent(len(llr), version), llr)
        level = np.mean(np.abs(values))
        if not (np.isfinite(level) and level > 0):
            return None
        values /= level
        # Parity that was not received at all says nothing: its row has no use.
        received_columns = values.reshape(COLUMNS, self.size).any(axis=1)
        rows = [row for n, row in enumerate(self.rows) if n < 4 or received_columns[INFORMATION_COLUMNS + n]]
        values[self.filled : INFORMATION_COLUMNS * self.size] = 1e6
        messages = [np.zeros(row.places.shape) for row in rows]
        for _ in range(ITERATIONS):
            is_codeword = True
            for row, message in zip(rows, messages):
                incoming = values[row.places]
                is_codeword &= not np.bitwise_xor.reduce(incoming < 0, axis=0).any()
                incoming -= message
                message[:] = _checked(incoming)
                values[row.places] = incoming + message
            if is_codeword:
                bits = (values[: self.filled] < 0).astype(np.uint8)
                return bits[: self.payload_bits] if CRC16.fits(bits) and bits.any() else None
        return None

    def _sum(self, row, codeword):
        """Sum of a row's bits modulo 2, uint8 (Z,)."""
        return np.bitwise_xor.reduce(codeword.reshape(-1)[row.places], axis=0)


def _checked(incoming):
    """What parity checks say of each of their bits, from what is known of the others, (n, Z)."""
    magnitudes = np.abs(incoming)
    order = np.argmin(magnitudes, axis=0)[None]
    least = np.take_along_axis(magnitudes, order, axis=0)
    np.put_along_axis(magnitudes, order, np.inf, axis=0)
    messages = np.broadcast_to(CORRECTION * least, incoming.shape).copy()
    np.put_along_axis(messages, order, CORRECTION * magnitudes.min(axis=0, keepdims=True), axis=0)
    is_negative = incoming < 0
    return np.where(is_negative ^ np.bitwise_xor.reduce(is_negative, axis=0), -messages, messages)


@lru_cache(maxsize=8)
def _rows(size):
    places = np.arange(size)
    table = iter(SHIFTS[LIFTING_SIZES[size]])
    rows = []
    for number, word in enumerate(CORE.split()):
        columns = [int(digit, 16) for digit in word]
        shifts = [next(table) % size for _ in columns]
        if number >= 4:
            columns, shifts = [*columns, INFORMATION_COLUMNS + number], [*shifts, 0]
        bits = [size * column + (places + shift) % size for column, shift in zip(columns, shifts)]
        rows.append(_Row(np.array(columns), np.array(shifts), np.array(bits)))
    return rows


@lru_cache(maxsize=8)
def code(payload_bits: int) -> Code:
    """`Code` of transport blocks of a length, made once."""
    return Code(payload_bits)
