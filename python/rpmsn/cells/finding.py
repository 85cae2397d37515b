# SPDX-License-Identifier: GPL-3.0-or-later
"""What a search of a stream says: cells at absolute frequencies, and where there was none."""

import math
from collections.abc import Hashable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ..classes import CLASS_NAMES, LTE, NR
from ..standards import bands
from ..standards.lte import OCCUPIED_HZ
from ..standards.nr import LARGEST_OFFSET, SSB_SUBCARRIERS, coreset_zero_edges
from .cell import BROADCAST, SYNC, Cell
from .channels import Channel

SUBCARRIER_HZ, BLOCK_SUBCARRIERS = 15e3, 12
"""Of LTE's resource blocks: TS 36.211 6.2.3."""
SYNC_WIDTH = 62 * SUBCARRIER_HZ
"""Of PSS and SSS, Hz: TS 36.211 6.11.1.2."""
LEAST_HZ = min(OCCUPIED_HZ.values())
"""Of the narrowest LTE carrier, whose resource blocks are those of the synchronisation signals and the PBCH."""
NR_WIDE_CHANNELS_HZ = 4.4e9
"""From n79 on, channels are 40 MHz wide at least: other tables of TS 38.213 13 hold."""
GUARD_HZ, QUIET = 300e3, 1.25
"""Two NR carriers have more than this between them (twice the guard band of 5 MHz at 15 kHz is 485 kHz: TS 38.101-1
table 5.3.3-1); what is within 1 dB of the least power is as quiet."""
FIRST_BLOCK_HZ = 150e3
"""What places of reference signals count from is known within a few subcarriers."""
SAME_PLACE_HZ = 20e3
"""Cells of one technology that are closer than this share a carrier: less than half a step of either raster."""


@dataclass(frozen=True, slots=True)
class Proof:
    """A cell that was decoded from a stream.

    Attributes:
        cell: the cell; its `frequency` and `start_s` count from the centre and the start of what was searched.
        frequency: Hz, of an LTE carrier's centre or an SS/PBCH block's middle; absolute where the centre is known.
        start, end: samples that it was found in, counted since the stream began.
        sample_rate: of these, Hz.
        channel: bands and channel numbers; None where the centre frequency is not known.
        pwr_db: power within `least_edges`, or within `edges` where these are known; dB over full scale.
        slice_frequency: Hz, middle of the slice of an LTE carrier whose reference signals show the cell; `frequency`
            may be out of view, then. None where PSS and SSS do.
        seen_hz: how far from the centre of an LTE carrier in view its signals were seen.
    """

    cell: Cell
    frequency: float
    start: int
    end: int
    sample_rate: float
    channel: Channel | None = None
    pwr_db: float = float("nan")
    slice_frequency: float | None = None
    seen_hz: float = 0.0

    @property
    def place(self) -> float:
        """Hz, where the cell's signals were seen: `frequency`, or the middle of the slice."""
        return self.frequency if self.slice_frequency is None else self.slice_frequency

    @property
    def class_id(self) -> int:
        """Class of a carrier with this cell, as in `rpmsn.classes`."""
        return NR if self.cell.technology == bands.NR else LTE

    @property
    def edges(self) -> tuple[float, float] | None:
        """Lower and upper edge in Hz of the carrier: of LTE, centre +- half of its resource blocks; of NR, as SIB1
        says. None where no broadcast, nor LTE's reference signals, say how many these are."""
        if self.class_id == NR:
            return self.cell.sib1_edges(self.frequency)
        bandwidth = self.cell.channel_bandwidth
        if bandwidth not in OCCUPIED_HZ:
            return None
        return self._around(OCCUPIED_HZ[bandwidth])

    @property
    def least_edges(self) -> tuple[float, float]:
        """Edges of what is at least there: the carrier; the middle six resource blocks, and as far on both sides as its
        signals were seen on one; a resource block in a slice; or the SS/PBCH block with the CORESET 0 of which it says
        where it is."""
        if self.class_id == NR and (edges := self.edges) is not None:
            return edges
        if self.class_id == NR:
            block, control = self._around(SSB_SUBCARRIERS * self.cell.subcarrier_spacing), self._coreset_zero
            return min(block[0], control[0]), max(block[1], control[1])
        if self.slice_frequency is not None:
            half = BLOCK_SUBCARRIERS * SUBCARRIER_HZ / 2
            return self.slice_frequency - half, self.slice_frequency + half
        return self.edges or self._around(max(LEAST_HZ, 2 * self.seen_hz))

    @property
    def most_edges(self) -> tuple[float, float] | None:
        """Edges beyond which the carrier cannot reach: those of the widest one of LTE around its centre; None of NR."""
        return None if self.class_id == NR else self._around(max(OCCUPIED_HZ.values()))

    @property
    def defines_cell(self) -> bool:
        """Whether an NR cell's block is the one that defines it, with SIB1: its MIB says where CORESET 0 is."""
        offset = self.cell.mib.get("ssb-SubcarrierOffset")
        return self.class_id == NR and offset is not None and int(offset) <= LARGEST_OFFSET

    @property
    def _coreset_zero(self) -> tuple[float, float]:
        """Edges of CORESET 0, Hz; empty where the MIB does not say them, or by tables for wider channels (n79)."""
        place = self.cell.coreset_zero
        if place is None or self.frequency >= NR_WIDE_CHANNELS_HZ:
            return self.frequency, self.frequency
        return coreset_zero_edges(self.frequency, self.cell.subcarrier_spacing, *place)

    @property
    def duplex(self) -> str | None:
        """FDD or TDD, as the cell's signals say, or else all bands that fit; None where it is not known."""
        return self.cell.duplex or (self.channel.duplex if self.channel else None)

    def is_same_place(self, other: "Proof") -> bool:
        """Whether another cell shares the carrier: two neighbours on one frequency do."""
        return self.class_id == other.class_id and abs(self.frequency - other.frequency) <= SAME_PLACE_HZ

    def is_same_cell(self, other: "Proof") -> bool:
        """Whether another proof is of the same cell."""
        return self.is_same_place(other) and self.cell.cell_id == other.cell.cell_id

    def is_ghost_of(self, other: "Proof") -> bool:
        """Whether it is another cell, stronger, seen beside its frequency."""
        return self.cell.is_ghost_of(other.cell, self.frequency - other.frequency)

    def gives_way_to(self, other: "Proof") -> bool:
        """Whether another cell at its place is the one to name: the one whose broadcast channel decodes, or of which
        it is a ghost."""
        is_decoded = self.is_same_place(other) and (self.cell.evidence, other.cell.evidence) == (SYNC, BROADCAST)
        return is_decoded or self.is_ghost_of(other)

    def renewed(self, later: "Proof") -> "Proof":
        """This cell as a later look shows it: what was broadcast once still holds where only the synchronisation
        signals are seen now, and a bandwidth that was measured and SIB1, where no later one is."""
        later = replace(later, seen_hz=max(self.seen_hz, later.seen_hz))
        if later.cell.evidence == BROADCAST or self.cell.evidence != BROADCAST:
            bandwidth = later.cell.channel_bandwidth or self.cell.channel_bandwidth
            cell = replace(later.cell, channel_bandwidth=bandwidth)
            if self.cell.sib1 is not None and cell.sib1 is None:
                cell = replace(cell, sib1=self.cell.sib1, duplex=self.cell.duplex)
                later = replace(later, channel=self.channel)
            return replace(later, cell=cell)
        return replace(self, start=later.start, end=later.end, pwr_db=later.pwr_db, seen_hz=later.seen_hz)

    def _around(self, width: float) -> tuple[float, float]:
        return self.frequency - width / 2, self.frequency + width / 2


@dataclass(frozen=True, slots=True)
class Middle:
    """Where an LTE carrier's middle was looked for.

    Attributes:
        lower, upper: Hz, between which the centre may be.
        pss_strength: correlation with the best PSS, in units of what noise gives.
        pwr_db: power in the middle 0.93 MHz, dB over full scale.
    """

    lower: float
    upper: float
    pss_strength: float
    pwr_db: float


@dataclass(frozen=True, slots=True)
class Piece:
    """A carrier that may be a part of an NR carrier with a cell.

    Attributes:
        key, host_key: of both, as `plan.KnownCarrier` has them.
        lower, upper: Hz, of the piece or a part of it.
        host_lower, host_upper: Hz, of the part of the other that is nearest to it.
        ssb_frequency: Hz, middle of the cell's SS/PBCH block.
        spacing: of this block's subcarriers, Hz.
        cell_id: the cell's.
        is_near: whether it is nearer to the other than it is wide, and was searched for data of another cell.
    """

    key: Hashable
    host_key: Hashable
    lower: float
    upper: float
    host_lower: float
    host_upper: float
    ssb_frequency: float
    spacing: float
    cell_id: int
    is_near: bool = False


@dataclass(frozen=True, slots=True)
class Uplink:
    """An uplink that was seen in a carrier.

    Attributes:
        key: of the carrier, as `plan.KnownCarrier` has it.
        technology: LTE or NR.
        group: of its terminals' sequences, 0..29.
        edges: lower and upper edge, Hz; absolute where the centre is known. None where its PUCCH does not say them.
        channel_bandwidth: Hz; None where its PUCCH does not say it.
    """

    key: Hashable
    technology: str
    group: int
    edges: tuple[float, float] | None = None
    channel_bandwidth: float | None = None

    @property
    def class_id(self) -> int:
        """Of its technology."""
        return CLASS_NAMES.index(self.technology)


@dataclass(frozen=True, slots=True)
class References:
    """Reference signals of NR data that were seen in a carrier.

    Attributes:
        key: of the carrier, as `plan.KnownCarrier` has it.
        cell_id: identity that their sequence has, as a rule the cell's, 0..1007.
        first_block: Hz, of the resource block that their places count from; absolute where the centre is known.
        spacing: of the subcarriers, Hz.
    """

    key: Hashable
    cell_id: int
    first_block: float
    spacing: float

    def is_same_carrier(self, other: "References") -> bool:
        """Whether others are of the same carrier: no two of a cell count from the same place."""
        is_same_cell = (self.cell_id, self.spacing) == (other.cell_id, other.spacing)
        return is_same_cell and abs(self.first_block - other.first_block) <= FIRST_BLOCK_HZ


@dataclass(frozen=True, slots=True, eq=False)
class Power:
    """Mean power over frequency.

    Attributes:
        lower: Hz, of the first value; absolute where the centre is known.
        step: Hz from one value to the next.
        values: float32, shape (n,), linear.
    """

    lower: float
    step: float
    values: NDArray[np.float32]

    def quietest(self, lower: float, upper: float) -> float:
        """The place, in Hz between two frequencies, around which least is sent; the middle of such places."""
        width = max(1, round(GUARD_HZ / self.step))
        smooth = np.convolve(self.values, np.full(width, 1 / width, np.float32), "same")
        places = self.lower + self.step * np.arange(len(smooth))
        inside = (places >= lower) & (places <= upper)
        if not inside.any():
            return (lower + upper) / 2
        quiet = places[inside][smooth[inside] <= QUIET * smooth[inside].min()]
        return float(np.median(quiet))


@dataclass(frozen=True, slots=True)
class Finding:
    """What one search has shown.

    Attributes:
        technology: LTE or NR.
        searched: (lower, upper) in Hz, each a range of places of `Proof.place` that were looked at.
        start, end: samples that were searched, counted since the stream began.
        proofs: the cells, the strongest first; empty where there was none.
        is_slice: whether LTE's reference signals were looked for, in slices.
        middles: of LTE carriers, that were in view.
        piece: what shares the symbols and subcarriers of an NR carrier with a cell.
        power: of what was searched, where NR cells were found.
        band: (lower, upper) in Hz of what was searched at any frequency; None where places were...
        spacing: ...and the subcarrier spacing of the SS/PBCH blocks there, Hz.
        empty_slices: Hz, middles of slices in which there were no reference signals of LTE.
        seconds: that were searched.
        uplink: an uplink.
        references: reference signals of NR data.
    """

    technology: str
    searched: tuple[tuple[float, float], ...]
    start: int
    end: int
    proofs: tuple[Proof, ...] = ()
    is_slice: bool = False
    middles: tuple[Middle, ...] = ()
    piece: Piece | None = None
    power: Power | None = field(default=None, compare=False)
    band: tuple[float, float] | None = None
    spacing: float = SUBCARRIER_HZ
    empty_slices: tuple[float, ...] = ()
    seconds: float = math.inf
    uplink: Uplink | None = None
    references: References | None = None

    def has_any_of(self, start: int, end: int) -> bool:
        """Whether something between two samples of the stream was searched."""
        return start < self.end and self.start < end

    def misses(self, proof: Proof) -> bool:
        """Whether a cell would have been found, and was not."""
        kind = proof.cell.technology, proof.slice_frequency is not None
        if kind != (self.technology, self.is_slice):
            return False
        if not any(lower <= proof.place <= upper for lower, upper in self.searched):
            return False
        # A slice shows the strongest of the cells on one frequency alone.
        is_found = proof.is_same_place if self.is_slice else proof.is_same_cell
        return not any(is_found(found) for found in self.proofs)
