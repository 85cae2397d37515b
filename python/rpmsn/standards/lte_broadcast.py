# SPDX-License-Identifier: GPL-3.0-or-later
"""The broadcast channel of LTE: its information (TS 36.331), coding (TS 36.212 5.3.1) and mapping (TS 36.211 6.6)."""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from ..errors import require
from . import convolutional
from .crc import CRC16
from .lte import N_RB
from .qam import qpsk
from .sequences import gold

MIB_BITS = 24
PHICH_RESOURCES = (("oneSixth", 1 / 6), ("half", 1 / 2), ("one", 1.0), ("two", 2.0))
"""phich-Resource of TS 36.331 in its order, and N_g of TS 36.211 6.9."""

FRAMES = 4
"""Radio frames that one block is sent in."""

FRAME_NUMBERS = 1024

PORT_MASKS = {1: 0x0000, 2: 0xFFFF, 4: 0x5555}
"""Added to the parity bits, by the number of antenna ports: TS 36.212 table 5.3.1.1-1."""


@dataclass(frozen=True)
class MasterInformation:
    """Master information block: TS 36.331 6.2.2.

    Attributes:
        n_rb: resource blocks of the downlink: 6, 15, 25, 50, 75 or 100.
        frame_number: 0..1023; the block itself has it in steps of four.
        extended_phich: phich-Duration is extended.
        phich_resource: index into PHICH_RESOURCES.
        spare: the last ten bits; releases from 13 on use some of them.
    """

    n_rb: int
    frame_number: int
    extended_phich: bool = False
    phich_resource: int = 2
    spare: int = 0

    def __post_init__(self) -> None:
        widths = tuple(N_RB.values())
        require("MasterInformation", "n_rb", self.n_rb, self.n_rb in widths, f"one of {widths}")
        is_allowed = 0 <= self.frame_number < FRAME_NUMBERS
        require("MasterInformation", "frame_number", self.frame_number, is_allowed, "0..1023")
        require("MasterInformation", "phich_resource", self.phich_resource, self.phich_resource in range(4), "0..3")
        require("MasterInformation", "spare", self.spare, 0 <= self.spare < 1024, "0..1023")

    def bits(self) -> np.ndarray:
        """The 24 bits, uint8."""
        value = tuple(N_RB.values()).index(self.n_rb)
        for field, width in (
            (int(self.extended_phich), 1),
            (self.phich_resource, 2),
            (self.frame_number // FRAMES, 8),
            (self.spare, 10),
        ):
            value = value << width | field
        return (value >> np.arange(MIB_BITS - 1, -1, -1) & 1).astype(np.uint8)

    @classmethod
    def from_bits(cls, bits: np.ndarray) -> "MasterInformation | None":
        """The block of 24 bits, for the first of its four frames; None where no bandwidth has such a number."""
        value = int("".join(str(int(bit)) for bit in bits), 2)
        if value >> 21 >= len(N_RB):
            return None
        return cls(
            n_rb=tuple(N_RB.values())[value >> 21],
            frame_number=(value >> 10 & 0xFF) * FRAMES,
            extended_phich=bool(value >> 20 & 1),
            phich_resource=value >> 18 & 3,
            spare=value & 1023,
        )

    def later(self, frames: int) -> "MasterInformation":
        """The block as it is some radio frames later."""
        return replace(self, frame_number=(self.frame_number + frames) % FRAME_NUMBERS)


def codeword(information: np.ndarray, ports: int = 1) -> np.ndarray:
    """The 120 coded bits in the order of the circular buffer, uint8 (..., 120), of blocks (..., 24)."""
    block = CRC16.attach(information)
    block[..., MIB_BITS:] ^= (PORT_MASKS[ports] >> np.arange(15, -1, -1) & 1).astype(np.uint8)
    return convolutional.rate_match(convolutional.encode(block), 3 * block.shape[-1])


def decode(soft: np.ndarray) -> np.ndarray:
    """Most probable 40 bits (information and parity), uint8 (blocks, 40), of soft values (blocks, 120) of codewords."""
    in_order = np.empty_like(soft)
    in_order[:, convolutional.interleaving(MIB_BITS + 16)] = soft
    return convolutional.decode(in_order.reshape(len(soft), MIB_BITS + 16, 3))


@lru_cache(maxsize=64)
def scrambling(cell_id: int, extended: bool = False) -> np.ndarray:
    """Bits that are added in each of the four frames, uint8 (4, 480 or 432): TS 36.211 6.6.1."""
    length = 2 * len(elements(cell_id, extended))
    return gold(cell_id, FRAMES * length).reshape(FRAMES, length)


@lru_cache(maxsize=64)
def elements(cell_id: int, extended: bool = False) -> np.ndarray:
    """Places of a frame's symbols, int (240 or 216,), as 72 x symbol of slot 1 + middle subcarrier: TS 36.211 6.6.4."""
    taken = np.zeros((4, 72), bool)
    # The references of four antenna ports are left free, whatever number there is.
    taken[[0, 1, 3] if extended else [0, 1], cell_id % 3 :: 3] = True
    return np.flatnonzero(~taken)


def positions(frame: int, extended: bool = False) -> np.ndarray:
    """Place in the circular buffer of each bit that frame 0..3 sends, int (480 or 432,)."""
    length = 432 if extended else 480
    return (frame * length + np.arange(length)) % (3 * (MIB_BITS + 16))


def symbols(information: MasterInformation, cell_id: int, ports: int, extended: bool = False) -> np.ndarray:
    """What the antenna ports send in a frame at `elements`, complex64 (ports, 240 or 216): TS 36.211 6.6.2, 6.6.3."""
    phase = information.frame_number % FRAMES
    coded = codeword(information.bits(), ports)[positions(phase, extended)]
    return precoded(qpsk(coded ^ scrambling(cell_id, extended)[phase]), ports)


def precoded(data: np.ndarray, ports: int) -> np.ndarray:
    """Transmit diversity of symbols (n,) -> complex64 (ports, n): TS 36.211 6.3.3.3 and 6.3.4.3."""
    if ports == 1:
        return data[None]
    sent = np.zeros((ports, len(data)), np.complex64)
    for pair, (one, other) in enumerate(PORT_PAIRS[ports]):
        first = slice(2 * pair, None, 2 * len(PORT_PAIRS[ports]))
        second = slice(2 * pair + 1, None, 2 * len(PORT_PAIRS[ports]))
        sent[one, first], sent[one, second] = data[first], data[second]
        sent[other, first], sent[other, second] = -data[second].conj(), data[first].conj()
    return sent * np.float32(np.sqrt(0.5))


PORT_PAIRS = {2: ((0, 1),), 4: ((0, 2), (1, 3))}
"""Antenna ports that send a pair of symbols together, in turn: TS 36.211 6.3.4.3."""


def combined(received: np.ndarray, channel: np.ndarray, ports: int) -> np.ndarray:
    """Estimates of the symbols, each times its channel's power: the inverse of `precoded` by maximum ratio.

    Args:
        received: (..., n).
        channel: of each port, (ports or more, ..., n).
    """
    if ports == 1:
        return received * channel[0].conj()
    data = np.empty_like(received)
    for pair, (one, other) in enumerate(PORT_PAIRS[ports]):
        first = slice(2 * pair, None, 2 * len(PORT_PAIRS[ports]))
        second = slice(2 * pair + 1, None, 2 * len(PORT_PAIRS[ports]))
        a, b = received[..., first], received[..., second]
        h = (channel[one][..., first] + channel[one][..., second]) / 2
        g = (channel[other][..., first] + channel[other][..., second]) / 2
        data[..., first] = h.conj() * a + g * b.conj()
        data[..., second] = h.conj() * b - g * a.conj()
    return data
