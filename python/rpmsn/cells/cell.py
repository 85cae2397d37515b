# SPDX-License-Identifier: GPL-3.0-or-later
"""What was decoded from a carrier's own signals."""

from dataclasses import dataclass, field

from ..standards.nr import CORESET_ZERO, LARGEST_OFFSET, SSB_SUBCARRIERS
from ..standards.nr_sib1 import Sib1

SYNC, BROADCAST = "sync", "broadcast"
"""Evidence: PSS and SSS agree, or LTE's reference signals are a cell's; the CRC of the broadcast channel fits."""


SAME_HZ, APART_HZ = 5e3, 0.7e6
"""Cells of one frequency are closer than the one, middles of LTE carriers that do not overlap further apart than the
other: half of the narrowest carrier."""
GHOST_DB = 10.0
"""What is so much weaker than an LTE cell between these is that cell, seen beside its frequency."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell.

    Attributes:
        technology: `LTE`, `NR` or `NB-IoT`.
        cell_id: physical cell identity: 0..503 (LTE, NB-IoT), 0..1007 (NR).
        evidence: SYNC or BROADCAST.
        frequency: Hz, of an LTE carrier's centre or an SS/PBCH block's, relative to the centre of the samples, as
            received: the receiver's frequency error is in it.
        frequency_offset: Hz, from the frequency that was searched to `frequency`.
        start_s: seconds from the first sample to the first start of a radio frame (10 ms) at or after it.
        snr_db: of the synchronisation signals, in their own band.
        score: the best secondary sequence's correlation over the next best one's, in LTE without what the two have
            in common; there what is no cell stays below 1.55. Of reference signals the same of their sequences.
        duplex: `FDD` or `TDD`; None where it is not known.
        extended_prefix: True for LTE with extended cyclic prefix.
        channel_bandwidth: Hz, as LTE's broadcast channel or NR's SIB1 says; with SYNC, as LTE's reference signals show.
            None where neither does.
        subcarrier_spacing: Hz.
        mib: fields of the master information block by their names in TS 36.331 and TS 38.331.
        frames: how many broadcast blocks were decoded with consecutive frame numbers.
        block_index: of the strongest SS/PBCH block in its burst; None where it is not known, and in LTE.
        symbol_turn: radians from one symbol of an SS/PBCH block to the next at `frequency`: what the receiver's mixer
            makes of the carrier's frequency (TS 38.211 5.4). None where it is not known, and in LTE.
        sib1: of NR; None where it was not read.
    """

    technology: str
    cell_id: int
    evidence: str
    frequency: float
    frequency_offset: float = 0.0
    start_s: float = 0.0
    snr_db: float = float("nan")
    score: float = float("nan")
    duplex: str | None = None
    extended_prefix: bool = False
    channel_bandwidth: float | None = None
    subcarrier_spacing: float = 15e3
    mib: dict[str, int | str | bool] = field(default_factory=dict)
    frames: int = 0
    block_index: int | None = None
    symbol_turn: float | None = None
    sib1: Sib1 | None = None

    @property
    def coreset_zero(self) -> tuple[int, int] | None:
        """(k_SSB, index of CORESET 0) of an NR cell; None where its MIB does not say where it is, or by tables that are
        not known here: TS 38.213 13."""
        mib, spacing = self.mib, self.subcarrier_spacing
        if not mib or spacing not in CORESET_ZERO:
            return None
        k_ssb, index = int(mib["ssb-SubcarrierOffset"]), int(mib["controlResourceSetZero"])
        is_same = mib["subCarrierSpacingCommon"] == ("scs15or60" if spacing == 15e3 else "scs30or120")
        is_there = is_same and k_ssb <= LARGEST_OFFSET and index < len(CORESET_ZERO[spacing])
        return (k_ssb, index) if is_there else None

    def sib1_edges(self, frequency: float) -> tuple[float, float] | None:
        """Lower and upper edge of an NR carrier as SIB1 says, Hz; None where it is not known.

        Args:
            frequency: middle of its SS/PBCH block, Hz.
        """
        if self.sib1 is None or not self.mib:
            return None
        edges = self.sib1.carrier_edges(frequency, self.subcarrier_spacing, int(self.mib["ssb-SubcarrierOffset"]))
        half = SSB_SUBCARRIERS / 2 * self.subcarrier_spacing
        # The carrier holds the block, or it is another one's.
        return edges if edges is not None and edges[0] <= frequency - half and frequency + half <= edges[1] else None

    def is_ghost_of(self, other: "Cell", apart_hz: float) -> bool:
        """Whether a cell by its synchronisation signals alone is a stronger LTE cell's, seen beside it.

        LTE's PSS looks like itself when shifted by some subcarriers, and carriers' middles are not that close.

        Args:
            apart_hz: of the frequencies of the two.
        """
        return (
            self.technology == other.technology == "LTE"
            and self.evidence != BROADCAST
            and SAME_HZ < abs(apart_hz) < APART_HZ
            and self.snr_db < other.snr_db - (0.0 if other.evidence == BROADCAST else GHOST_DB)
        )
