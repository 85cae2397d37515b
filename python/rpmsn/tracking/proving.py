# SPDX-License-Identifier: GPL-3.0-or-later
"""Which carrier a cell belongs to, and what becomes of those beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..cells.finding import FIRST_BLOCK_HZ
from ..cells.plan import WIDEST_NR_HZ, KnownCarrier
from ..classes import CLASS_NAMES, LTE, NOISE, NR, OTHER
from ..detection.segments import FrameGeometry, Segment
from ..signal.sums import COLUMNS
from .association import least_beside, share_band, within
from .carrier import CUT, SEEN, SHARED, Carrier, Part
from .track import Track
from .verdict import SURE

if TYPE_CHECKING:
    from ..cells.finding import Proof, References

MIN_SHARED = 0.5
"""A carrier is a cell's where it covers this fraction of what the cell occupies at least..."""
MIN_INSIDE = 0.8
"""...and one with this fraction of its own band within a cell's edges is a part of that carrier."""
INTERFERER_FRACTION = 0.5
"""What is neither LTE nor NR and narrower than this fraction of an LTE carrier may be another's transmission in it."""


def searchable(track: Track) -> KnownCarrier:
    """What a search for cells needs to know of a track."""
    carrier = track.carrier
    return KnownCarrier(
        carrier,
        CLASS_NAMES[carrier.voted_class_id],
        carrier.freq_lower,
        carrier.freq_upper,
        carrier.cut_lower,
        carrier.cut_upper,
        carrier.start_s,
        carrier.proof,
        is_doubtful=track.looks_without > 0 or track.missed > 0 and not track.is_hidden,
        snr_db=carrier.snr_db,
        is_uplink=carrier.is_uplink,
        references=carrier.references,
    )


def known_track(proof: Proof, tracks: Sequence[Track]) -> Track | None:
    """The track that has this cell, another one at its place, or one that another block of the carrier may be of.

    LTE and NR may share an LTE carrier, and several SS/PBCH blocks an NR carrier, whose edges no block says.
    """
    holding = None
    for track in tracks:
        carrier, other = track.carrier, track.carrier.proof
        if other is None:
            continue
        if other.is_same_place(proof) or other.is_ghost_of(proof) or proof.is_ghost_of(other):
            return track
        may_hold = other.edges is not None or other.class_id == proof.class_id == NR
        if may_hold and carrier.freq_lower < proof.place < carrier.freq_upper:
            holding = track
    return holding


def fitting_track(proof: Proof, tracks: Sequence[Track]) -> Track | None:
    """The track without a cell that is most like what a cell occupies; None where none is.

    It covers half of that and the cell's frequency; or it is a piece of the carrier whose edges the cell says.
    """
    # What was seen further out may be another region.
    lower, upper = replace(proof, seen_hz=0.0).least_edges
    best, best_fit = None, 0.0
    for track in tracks:
        carrier = track.carrier
        if carrier.proof is not None:
            continue
        shared = min(upper, carrier.freq_upper) - max(lower, carrier.freq_lower)
        has_cell = carrier.freq_lower <= proof.place <= carrier.freq_upper and _reaches_centre(carrier, proof)
        if (has_cell and shared >= MIN_SHARED * (upper - lower)) or _is_piece(carrier, proof.edges):
            fit = shared / (max(upper, carrier.freq_upper) - min(lower, carrier.freq_lower))
            if proof.slice_frequency is not None:
                # A slice lies in the middle of the carrier that it was taken of.
                fit = 1 / (1 + abs(carrier.center_frequency - proof.slice_frequency))
            if fit > best_fit:
                best, best_fit = track, fit
    return best


def _reaches_centre(carrier: Carrier, proof: Proof) -> bool:
    """Whether a carrier has a cell's centre within, or goes on beyond the span on that side. An alias does not."""
    if proof.slice_frequency is None:
        return True
    is_beyond = proof.frequency < carrier.freq_lower, proof.frequency > carrier.freq_upper
    return not (is_beyond[0] and not carrier.cut_lower or is_beyond[1] and not carrier.cut_upper)


def others_within(track: Track, tracks: Sequence[Track]) -> tuple[list[Track], list[Track]]:
    """Of the tracks without a cell of their own: those that are a part of a carrier with proven edges, and those that
    reach across one of these."""
    edges = track.carrier.proven_edges
    assert edges is not None, "only for a carrier with proven edges"
    lower, upper = edges
    inside, crossing = [], []
    for other in tracks:
        carrier = other.carrier
        if other is track or carrier.proven_edges is not None:
            continue
        is_crossing = carrier.freq_lower < lower < carrier.freq_upper or carrier.freq_lower < upper < carrier.freq_upper
        # What is called LTE or NR, and has no room for that beside the carrier, is the carrier with what is beside it.
        rest = max(lower - carrier.freq_lower, carrier.freq_upper - upper)
        has_no_room = is_crossing and carrier.voted_class_id in (LTE, NR) and rest < least_beside(track.carrier)
        # Less than a column is no transmission, but the error of an edge.
        has_no_room |= is_crossing and rest < carrier.sample_rate / COLUMNS
        if carrier.proof is None and (_is_piece(carrier, edges, track.carrier.is_uplink) or has_no_room):
            inside.append(other)
        elif is_crossing:
            crossing.append(other)
    return inside, crossing


def others_over(track: Track, tracks: Sequence[Track]) -> list[Track]:
    """Of the tracks without a cell, those that the network calls NR and that share the band of an NR carrier with one,
    as segments do that go to one carrier: what was called something else until its cell was found had its bursts apart.
    And those of LTE and NR that share the band of an uplink.
    """
    host = track.carrier
    is_nr = host.references is not None or host.proof is not None and host.proof.class_id == NR
    if not host.is_uplink and not is_nr:
        return []
    classes = (LTE, NR) if host.is_uplink else (NR,)
    unproven = [one for one in tracks if one.carrier.proof is None and one.carrier.voted_class_id in classes]
    own = host.proof.cell.cell_id if host.proof else host.references.cell_id if host.references else None
    # By reference signals of its data, one may be another cell's.
    unproven = [one for one in unproven if one.carrier.references is None or one.carrier.references.cell_id == own]
    return [other for other in unproven if other is not track and share_band(host, other.carrier)]


def is_data_of(references: References, piece: Carrier, host: Carrier) -> bool:
    """Whether data in a carrier is that of an NR carrier: of its cell, or as its data.

    Other carriers of the same site may have the same identity: what data counts from, as a rule the lower end of a
    carrier, lies below the cell's signals and the data, and no carrier reaches further from it than the widest.
    """
    if host.references is not None:
        return references.is_same_carrier(host.references)
    if host.proof is None or host.proof.class_id != NR or host.proof.edges is not None:
        return False
    if host.proof.cell.cell_id != references.cell_id:
        return False
    least_lower, least_upper = host.proof.least_edges
    lower = min(piece.freq_lower + piece.sample_rate / COLUMNS, least_lower)
    upper = max(piece.freq_upper, least_upper)
    first = references.first_block
    return first - FIRST_BLOCK_HZ <= lower and upper <= first + WIDEST_NR_HZ[references.spacing]


def may_be_piece(carrier: Carrier, hosts: Sequence[Carrier]) -> bool:
    """Whether a carrier may be a part of one of the NR carriers with a cell and without known edges: those are no
    wider than NR's widest."""
    for host in hosts:
        first, last = min(carrier.freq_lower, host.freq_lower), max(carrier.freq_upper, host.freq_upper)
        if host.proof is None or host.proof.edges is not None:
            continue
        if last - first <= WIDEST_NR_HZ[host.proof.cell.subcarrier_spacing]:
            return True
    return False


def _is_piece(carrier: Carrier, edges: tuple[float, float] | None, is_of_uplink: bool = False) -> bool:
    """Whether a carrier is a part of another one with proven edges, and no interferer in it; what lies in an uplink is
    a terminal's."""
    if edges is None:
        return False
    lower, upper = edges
    shared = min(upper, carrier.freq_upper) - max(lower, carrier.freq_lower)
    is_interferer = carrier.voted_class_id == OTHER and carrier.bandwidth < INTERFERER_FRACTION * (upper - lower)
    return shared > 0 and shared >= MIN_INSIDE * carrier.bandwidth and (is_of_uplink or not is_interferer)


def is_of_another_carrier(proof: Proof, known: Proof) -> bool:
    """Whether a cell that was found in the region of a known one has a carrier of its own, of which the region does not
    tell: NR cells that do not overlap, of other identities, or each with a SIB1 of its own (TS 38.300 5.2.4)."""
    (lower, upper), (known_lower, known_upper) = proof.least_edges, known.least_edges
    is_beside = upper <= known_lower or lower >= known_upper
    is_another = proof.cell.cell_id != known.cell.cell_id or proof.defines_cell and known.defines_cell
    return proof.class_id == known.class_id == NR and is_beside and is_another


def parts_beside(track: Track, seam: float, above: bool, column: int) -> list[Part]:
    """What a track's parts of the latest frame are above (or below) a frequency in Hz, which is at a column there."""
    made = []
    for part in track.parts:
        segment = part.segment
        if (segment.freq_upper <= seam) if above else (segment.freq_lower >= seam):
            continue
        if not segment.freq_lower < seam < segment.freq_upper:
            made.append(part)
            continue
        first, after = segment.columns
        if above:
            piece = within(segment, seam, math.inf, min(max(column, first), after - 1), after)
            made.append(Part(piece, SHARED, part.upper))
        else:
            piece = within(segment, -math.inf, seam, first, max(min(column, after), first + 1))
            made.append(Part(piece, part.lower, SHARED))
    return made


def part_of(proof: Proof, start: int) -> Part:
    """A segment of what a cell alone shows, from sample `start` on: its edges where it says them, else what it occupies
    at least."""
    lower, upper = proof.least_edges
    end = SEEN if proof.edges is not None else CUT
    segment = Segment(
        class_id=proof.class_id,
        confidence=1.0,
        freq_lower=lower,
        freq_upper=upper,
        start_offset=start,
        end_offset=proof.end,
        sample_rate=proof.sample_rate,
        snr_db=proof.cell.snr_db,
        pwr_db=proof.pwr_db,
        rows=(0, 1),
        columns=(0, 1),
    )
    return Part(segment, end, end)


def settled_mask(mask: np.ndarray, geometry: FrameGeometry, tracks: Sequence[Track]) -> np.ndarray:
    """A frame's mask in which LTE and NR, in the band of an LTE or NR carrier of which that is sure, have its class.

    A carrier with a cell comes before one without. Where both classes are as sure of a band, as with DSS, those of the
    network stay. So does `other`: an interferer, or a neighbour within what is not a proven edge.

    Args:
        mask: uint8, shape (rows, columns), ids of `rpmsn.classes`.
        geometry: of the frame.
        tracks: those that are on.

    Returns:
        uint8, the same shape; `mask` itself where no such carrier is known.
    """
    middles = geometry.frequency(0.5) + geometry.column_hz * np.arange(geometry.columns)
    covered = np.zeros((len(SURE), 2, geometry.columns), bool)
    for carrier in (track.carrier for track in tracks):
        if carrier.is_qualified and carrier.class_id in (LTE, NR) and (verdict := carrier.verdict) in SURE:
            is_inside = (carrier.freq_lower <= middles) & (middles <= carrier.freq_upper)
            covered[SURE.index(verdict), (LTE, NR).index(carrier.class_id)] |= is_inside
    of_column = np.full(geometry.columns, NOISE, np.uint8)
    for is_lte, is_nr in covered:
        of_column[is_lte | is_nr] = NOISE
        of_column[is_lte & ~is_nr], of_column[is_nr & ~is_lte] = LTE, NR
    if not of_column.any():
        return mask
    return np.where((of_column != NOISE) & ((mask == LTE) | (mask == NR)), of_column, mask)
