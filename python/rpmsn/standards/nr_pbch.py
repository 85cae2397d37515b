# SPDX-License-Identifier: GPL-3.0-or-later
"""NR's broadcast channel: MIB and timing <-> the 864 bits of a PBCH.

TS 38.331 6.2.2, TS 38.212 7.1, TS 38.211 7.3.3.1.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..errors import require
from . import polar
from .sequences import gold

SFN_PERIOD = 1024
SCRAMBLED_BITS = 29
"""Payload bits that the first scrambling covers with 4 or 8 blocks a burst: TS 38.212 7.1.2."""

PAYLOAD_PLACES = (
    16, 23, 18, 17, 8, 30, 10, 6, 24, 7, 0, 5, 3, 2, 1, 4, 9, 11, 12, 13, 14, 15, 19, 20, 21, 22, 25, 26, 27, 28, 29,
    31,
)  # fmt: skip
"""Payload interleaver G: TS 38.212 table 7.1.1-1."""

_SFN_HIGH, _SFN_LOW, _HALF_FRAME, _INDEX_BITS = range(1, 7), range(24, 28), 28, range(29, 32)
_IN_ORDER = [*_SFN_HIGH, *_SFN_LOW, _HALF_FRAME, *_INDEX_BITS, 0, *range(7, 24)]
"""Payload bits in the order in which the interleaver takes its places: TS 38.212 7.1.1."""
_TO_PLACE = np.empty(32, int)
_TO_PLACE[list(PAYLOAD_PLACES)] = _IN_ORDER
UNSCRAMBLED_PLACES = (PAYLOAD_PLACES[7], PAYLOAD_PLACES[8], PAYLOAD_PLACES[10])
"""Interleaved bits that the first scrambling leaves out: two bits of the frame number, and the half frame."""


@dataclass(frozen=True)
class Mib:
    """Fields of the master information block (TS 38.331 6.2.2), and what the physical layer adds (TS 38.212 7.1.1).

    Attributes:
        frame: system frame number, 0..1023.
        half_frame: 0 or 1.
        subcarrier_spacing_common: 0: 15 kHz, 1: 30 kHz (FR1).
        ssb_subcarrier_offset: k_SSB, 0..31; above 23 there is no SIB1 here.
        dmrs_position: first symbol with PDSCH reference signals, 2 or 3.
        pdcch_config_sib1: 0..255: CORESET 0 times 16, and search space 0.
        cell_barred: nobody may camp on the cell.
        intra_frequency_reselection: others on this frequency are allowed then.
    """

    frame: int = 0
    half_frame: int = 0
    subcarrier_spacing_common: int = 1
    ssb_subcarrier_offset: int = 0
    dmrs_position: int = 2
    pdcch_config_sib1: int = 0
    cell_barred: bool = False
    intra_frequency_reselection: bool = True

    def __post_init__(self) -> None:
        for name, last in (("frame", SFN_PERIOD - 1), ("half_frame", 1), ("subcarrier_spacing_common", 1),
                           ("ssb_subcarrier_offset", 31), ("pdcch_config_sib1", 255)):  # fmt: skip
            value = getattr(self, name)
            require("Mib", name, value, 0 <= value <= last, f"0..{last}")
        require("Mib", "dmrs_position", self.dmrs_position, self.dmrs_position in (2, 3), "2 or 3")

    def payload(self) -> np.ndarray:
        """The 32 bits before interleaving, uint8: MIB, then frame number, half frame and k_SSB's highest bit."""
        offset = self.ssb_subcarrier_offset
        widths = (
            (0, 1), (self.frame >> 4, 6), (self.subcarrier_spacing_common, 1), (offset & 15, 4),
            (self.dmrs_position - 2, 1), (self.pdcch_config_sib1, 8), (not self.cell_barred, 1),
            (not self.intra_frequency_reselection, 1), (0, 1), (self.frame & 15, 4), (self.half_frame, 1),
            (offset >> 4, 1), (0, 2),
        )  # fmt: skip
        return np.array(
            [int(value) >> bit & 1 for value, width in widths for bit in range(width - 1, -1, -1)], np.uint8
        )

    @classmethod
    def of_payload(cls, bits: np.ndarray) -> "Mib | None":
        """The fields of a payload before interleaving; None where its first bit says that it is no MIB."""
        bits = np.asarray(bits, int)
        if bits[0]:
            return None

        def number(first, width):
            return int("".join(map(str, bits[first : first + width])), 2)

        return cls(
            frame=number(1, 6) << 4 | number(24, 4),
            half_frame=number(28, 1),
            subcarrier_spacing_common=number(7, 1),
            ssb_subcarrier_offset=number(29, 1) << 4 | number(8, 4),
            dmrs_position=2 + number(12, 1),
            pdcch_config_sib1=number(13, 8),
            cell_barred=not number(21, 1),
            intra_frequency_reselection=not number(22, 1),
        )

    def fields(self) -> dict[str, int | str | bool]:
        """By their names in TS 38.331 6.2.2; frame number and k_SSB whole (TS 38.212 7.1.1), and `halfFrame`."""
        return {
            "systemFrameNumber": self.frame,
            "halfFrame": self.half_frame,
            "subCarrierSpacingCommon": "scs30or120" if self.subcarrier_spacing_common else "scs15or60",
            "ssb-SubcarrierOffset": self.ssb_subcarrier_offset,
            "dmrs-TypeA-Position": f"pos{self.dmrs_position}",
            "controlResourceSetZero": self.pdcch_config_sib1 >> 4,
            "searchSpaceZero": self.pdcch_config_sib1 & 15,
            "cellBarred": self.cell_barred,
            "intraFreqReselection": self.intra_frequency_reselection,
        }


def scramble(payload: np.ndarray, cell_id: int, frame: int) -> np.ndarray:
    """Interleaved and scrambled payload, uint8 (32,): TS 38.212 7.1.1 and 7.1.2.

    Args:
        payload: 32 bits.
        cell_id: 0..1007.
        frame: system frame number, of which two bits choose the scrambling.
    """
    return np.asarray(payload, np.uint8)[_TO_PLACE] ^ _first_scrambling(cell_id, frame >> 1 & 3)


def descramble(interleaved: np.ndarray, cell_id: int) -> np.ndarray:
    """The payload, uint8 (32,), of what `scramble` gives; the frame number's two bits are read from it."""
    version = 2 * int(interleaved[UNSCRAMBLED_PLACES[0]]) + int(interleaved[UNSCRAMBLED_PLACES[1]])
    payload = np.empty(32, np.uint8)
    payload[_TO_PLACE] = interleaved ^ _first_scrambling(cell_id, version)
    return payload


@lru_cache(maxsize=256)
def _first_scrambling(cell_id, version):
    """uint8 (32,), 0 where nothing is scrambled: TS 38.212 7.1.2."""
    places = np.setdiff1d(np.arange(32), UNSCRAMBLED_PLACES)
    sequence = np.zeros(32, np.uint8)
    sequence[places] = gold(cell_id, 4 * SCRAMBLED_BITS)[version * SCRAMBLED_BITS :][:SCRAMBLED_BITS]
    return sequence


@lru_cache(maxsize=256)
def second_scrambling(cell_id: int, block_index: int) -> np.ndarray:
    """What is added to the 864 bits, uint8: TS 38.211 7.3.3.1.

    Args:
        cell_id: 0..1007.
        block_index: of the SS/PBCH block, modulo 4 with 4 blocks a burst, else modulo 8.
    """
    bits = polar.RATE_MATCHED_BITS
    return gold(cell_id, 8 * bits)[block_index * bits :][:bits]


def encode(mib: Mib, cell_id: int, block_index: int) -> np.ndarray:
    """The 864 scrambled bits of a PBCH, uint8; the arguments are those of `second_scrambling`."""
    return polar.encode(scramble(mib.payload(), cell_id, mib.frame)) ^ second_scrambling(cell_id, block_index)


def change(cell_id: int, frames: tuple[int, int], half_frames: tuple[int, int]) -> np.ndarray:
    """Bits of the codeword that differ between two blocks of a cell, uint8 (864,), without the second scrambling.

    All coding is linear: the payload need not be known, but how frame number and half frame count on.

    Args:
        cell_id: 0..1007.
        frames: frame numbers modulo 16 of both blocks, within the same 16 frames.
        half_frames: their half frames.
    """
    one, other = (
        scramble(Mib(frame=frame % 16, half_frame=half).payload(), cell_id, frame)
        for frame, half in zip(frames, half_frames)
    )
    return polar.encode(one ^ other)
