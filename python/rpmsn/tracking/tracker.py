# SPDX-License-Identifier: GPL-3.0-or-later
"""Carriers: segments tracked over frames, under one id.

Each segment goes to the carrier whose band it shares, or begins a new one (`association`). That is a candidate until it
was seen in enough frames: then it qualifies, has a number, and is reported by events. docs/carriers.md has the rules.

A frame of a stream and a sweep over a wider range are both an `Observation`: `update` takes a frame, `observe` takes
either.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..cells.cell import BROADCAST
from ..cells.plan import NR_NAME
from ..detection.segments import Segment
from ..errors import require
from . import proving
from .association import Sharing
from .carrier import Carrier, Part
from .track import Clock, Observation, Track, join_overlapping

if TYPE_CHECKING:
    from ..cells.finding import Finding, Piece, Power, Proof, References, Uplink
    from ..cells.plan import KnownCarrier
    from ..detection.segmenter import Frame

QUALIFY_FRAMES, OF_FRAMES = 2, 4
"""A carrier qualifies when it was seen in so many of so many frames."""
HOLD_SECONDS = 0.5
"""A carrier that was observed so long and not seen is gone."""
HOLD_OUTSIDE_SECONDS = 60.0
"""A carrier that could not be observed is gone after so long."""
HOLD_FRAMES = 1
"""Neither happens before so many frames without it: matters where frames are rare, as sweeps are."""
CARRIERS_KEPT = 500
"""So many carriers that are gone are kept."""
MAX_TRACKED = 1000
"""So many carriers and candidates are tracked at once; those with the least weight are dropped."""
MIN_FRACTION_INSIDE = 0.5
"""A carrier inside another's band is part of it unless it has this fraction of the other's weight..."""
MIN_BAND_INSIDE = 0.8
"""...and it is inside with more than this fraction of its own band."""
NESTED_ROWS = 256
"""Carriers compared with all others at once; bounds the memory it takes."""


@dataclass(frozen=True)
class Event:
    """What happened to a carrier: `new`, `update` (with the segment) or `gone` (segment None)."""

    kind: str
    carrier: Carrier
    segment: Segment | None = None


class Tracker:
    """Gives segments of successive frames to carriers.

    Args:
        hold_seconds: how long a carrier may be silent, while it is observed, before it is gone.
        hold_outside_seconds: how long it is kept while it cannot be seen: the receiver is tuned elsewhere, or the input
            is not judged.
        qualify_frames, of_frames: a carrier is reported when it was seen in so many of so many frames.
        hold_frames: a carrier is not gone before so many frames that could have shown it did not; one that could not be
            observed, not before so many frames at all.
        carriers_kept: how many carriers that are gone `carriers` keeps, the latest; None for all.

    Attributes:
        forgotten: how many carriers that are gone are not in `carriers` any more.

    Raises:
        ParameterError: an argument that cannot work.
    """

    def __init__(
        self,
        hold_seconds: float = HOLD_SECONDS,
        hold_outside_seconds: float = HOLD_OUTSIDE_SECONDS,
        qualify_frames: int = QUALIFY_FRAMES,
        of_frames: int = OF_FRAMES,
        carriers_kept: int | None = CARRIERS_KEPT,
        hold_frames: int = HOLD_FRAMES,
    ) -> None:
        name = "Tracker"
        require(name, "hold_seconds", hold_seconds, hold_seconds >= 0, "0 s or more")
        require(name, "hold_outside_seconds", hold_outside_seconds, hold_outside_seconds >= 0, "0 s or more")
        require(name, "hold_frames", hold_frames, hold_frames >= 1, "1 frame or more")
        require(name, "of_frames", of_frames, 1 <= of_frames <= 64, "1 to 64 frames")
        require(
            name,
            "qualify_frames",
            qualify_frames,
            1 <= qualify_frames <= of_frames,
            f"1 to {of_frames} frames, of_frames",
        )
        require(
            name,
            "carriers_kept",
            carriers_kept,
            carriers_kept is None or carriers_kept >= 0,
            "0 or more, or None for all",
        )
        self.hold_seconds = hold_seconds
        self.hold_outside_seconds = hold_outside_seconds
        self.hold_frames = hold_frames
        self.qualify_frames, self.of_frames = qualify_frames, of_frames
        self.forgotten = 0
        self._finished: deque[Carrier] = deque(maxlen=carriers_kept)
        self._live: list[Track] = []
        self._at_end: list[Track] = []
        self._last_id = 0
        self._clock = Clock()
        self._observations: deque[Observation] = deque(maxlen=of_frames)

    @property
    def carriers(self) -> list[Carrier]:
        """Qualified carriers by number: those that are tracked, and the latest of those that are gone."""
        live = [track.carrier for track in self._live if track.carrier.is_qualified]
        return sorted([*self._finished, *live], key=lambda carrier: carrier.carrier_id)

    def update(self, frame: Frame) -> list[Event]:
        """Take in a frame's segments; returns the events, as of `observe`.

        Args:
            frame: its `segments`, `geometry`, `end_offset` and `condition` are read.
        """
        return self.observe(self._clock.observe(frame), frame.segments)

    def observe(self, observation: Observation, segments: Sequence[Segment]) -> list[Event]:
        """Take in what an observation has shown. One tracker takes frames or sweeps, not both: they count time apart.

        Returns:
            list of Event: one for each carrier that became part of another or two; one for each segment of a qualified
            carrier, `new` for its first one (of a carrier that qualifies now they are those of the frames before, too:
            as far back as `of_frames`); one for each carrier that is gone.
        """
        self._observations.append(observation)
        sharing = Sharing(self._live, observation)
        sharing.give(segments)
        given = sharing.parts
        for track, parts in given.items():
            track.see(parts, observation)
        joined = sharing.joined + join_overlapping(given, observation)
        gone = _gone(joined)
        self._live = [track for track in self._live if track.merged_into is None]
        gone += self._split(given, observation)
        for parts in sharing.new:
            track = self._begin(parts, observation)
            given[track] = parts
        live = set(self._live)
        for track in live:
            track.drop_bridges(given, live)
        self._qualify(given)
        return gone + self._reported(given) + self._expire(given, observation)

    def settled_mask(self, frame: Frame) -> np.ndarray:
        """The mask of the latest frame, by what is known of its carriers: `proving.settled_mask`."""
        return proving.settled_mask(frame.mask, frame.geometry, self._live or self._at_end)

    def searchable(self, with_candidates: bool = False) -> list[KnownCarrier]:
        """The carriers that are tracked, for a search of cells; with those that have not qualified if that is asked."""
        tracks = [track for track in self._live if with_candidates or track.carrier.is_qualified]
        return [proving.searchable(track) for track in tracks]

    def prove(self, findings: Sequence[Finding]) -> list[Event]:
        """Take in what searches for cells have shown, between two observations.

        A cell's carrier gets its label and, where the cell says them, its edges. Carriers that lie within these are
        one; a cell where no carrier is becomes one. One whose cell is not found any more is the network's again.

        Returns:
            list of Event: `new` and `update` for what cells alone show; `gone` of what became part of another carrier.
            Nothing before the first observation.
        """
        events: list[Event] = []
        if not self._observations:
            return events
        for finding in findings:
            for track in self._live:
                proof = track.carrier.proof
                if proof is not None and finding.misses(proof):
                    track.look_in_vain()
            for proof in finding.proofs:
                events += self._prove(proof, finding)
            self._note_missing(finding)
            if finding.piece is not None:
                events += self._join_piece(finding.piece)
            if finding.uplink is not None:
                events += self._see_uplink(finding.uplink)
            if finding.references is not None:
                events += self._see_references(finding.references)
        return events

    def _note_missing(self, finding: Finding) -> None:
        """What a search has not found in the carriers that were on meanwhile; in NR, which comes in bursts, those that
        are on now."""
        end_s = self._observations[-1].end_s
        hosts = [track.carrier for track in self._live if track.carrier.ssb_frequency is not None]
        for track in self._live:
            if finding.technology == NR_NAME and track.missed:
                continue
            if finding.has_any_of(track.carrier.sample_start, track.carrier.sample_end):
                track.missing.look(finding, end_s, proving.may_be_piece(track.carrier, hosts))

    def _join_piece(self, piece: Piece) -> list[Event]:
        """What has the symbols and subcarriers of an NR carrier with a cell is a piece of it, unless it has one, or
        the other's edges are known."""
        track, host = self._track_of(piece.key), self._track_of(piece.host_key)
        if track is None or host is None or track.carrier.proof is not None or host.carrier.proof is None:
            return []
        if host.carrier.proven_edges is not None:
            return []
        host.join_piece(track)
        self._live.remove(track)
        return _gone([track])

    def _track_of(self, key: Hashable) -> Track | None:
        """The track whose carrier a finding names, if it is still there."""
        return next((track for track in self._live if track.carrier == key), None)

    def _see_uplink(self, uplink: Uplink) -> list[Event]:
        """Terminals send in a carrier: what lies within the edges that they say, or is called LTE or NR
        over it, is theirs."""
        track = self._track_of(uplink.key)
        if track is None or track.carrier.proof is not None:
            return []
        track.see_uplink(uplink)
        return self._join_within(track)

    def _see_references(self, references: References) -> list[Event]:
        """Data in a carrier is NR's: what it says of which cell makes one of pieces."""
        track = self._track_of(references.key)
        if track is None or track.carrier.is_proven:
            return []
        track.see_references(references)
        host = next((other for other in self._live if other.carrier.proof and self._has_data(other, track)), track)
        events = self._join_data(host)
        return events if host is not track else events + self._join_within(track)

    def _has_data(self, host: Track, piece: Track) -> bool:
        """Whether data in one carrier is another one's."""
        references = piece.carrier.references
        return (
            host is not piece and references is not None and proving.is_data_of(references, piece.carrier, host.carrier)
        )

    def _join_data(self, host: Track) -> list[Event]:
        """Pieces of an NR carrier by their data."""
        pieces = [piece for piece in self._live if self._has_data(host, piece)]
        for piece in pieces:
            host.join_piece(piece)
            self._live.remove(piece)
        return _gone(pieces)

    def _prove(self, proof: Proof, finding: Finding) -> list[Event]:
        track, fitting = proving.known_track(proof, self._live), proving.fitting_track(proof, self._live)
        events = self._join_slice(track, fitting, proof)
        if track is None:
            track = fitting
        elif (known := track.carrier.proof) is not None:
            if known.is_same_cell(proof):
                proof = known.renewed(proof)
            elif proving.is_of_another_carrier(proof, known):
                return events + self._part(track, proof, finding.power)
            elif not known.gives_way_to(proof):
                return events
        if track is None:
            return self._begin_hidden(proof, finding.is_slice)
        track.prove(proof)
        events += self._join_within(track) + self._join_data(track)
        if not track.carrier.is_qualified:
            self._number(track)
            return events + self._reported({track: track.parts})
        return events + self._see_hidden(track, proof)

    def _part(self, track: Track, proof: Proof, power: Power | None) -> list[Event]:
        """Two NR cells in one region are two carriers. Where they end, no cell says: where least is sent between."""
        carrier, known = track.carrier, track.carrier.proof
        assert known is not None, "only for a carrier with another cell"
        below, above = sorted((known, proof), key=lambda one: one.place)
        between = below.least_edges[1], above.least_edges[0]
        seam = power.quietest(*between) if power is not None else sum(between) / 2
        observation = self._observations[-1]
        parts = proving.parts_beside(track, seam, above is proof, observation.column_at(seam))
        parts = parts or [proving.part_of(proof, proof.start)]
        carrier.reach = None
        if above is proof:
            carrier.keep_within(carrier.freq_lower, seam)
        else:
            carrier.keep_within(seam, carrier.freq_upper)
        new = self._begin(parts, observation)
        new.prove(proof)
        self._number(new)
        return self._reported({new: new.parts})

    def _join_slice(self, known: Track | None, piece: Track | None, proof: Proof) -> list[Event]:
        """A piece whose reference signals are those of a carrier that is known is a part of it."""
        if proof.slice_frequency is None or known is None or piece is None or known.carrier.proof is None:
            return []
        if not known.carrier.proof.is_same_cell(proof):
            return []
        known.take_over(piece)
        self._live.remove(piece)
        return _gone([piece])

    def _join_within(self, track: Track) -> list[Event]:
        """Make one of what lies within the edges that a cell proves; others end there. Where it proves none, of what
        shares the band of NR: no two of its carriers do."""
        if (edges := track.carrier.proven_edges) is None:
            inside = proving.others_over(track, self._live)
        else:
            inside, crossing = proving.others_within(track, self._live)
            for other in crossing:
                other.carrier.give_way(*edges)
        for other in inside:
            track.take_over(other)
        self._live = [other for other in self._live if other.merged_into is None]
        return _gone(inside)

    def _begin_hidden(self, proof: Proof, is_by_reference: bool) -> list[Event]:
        """A carrier that only its cell shows; for that, synchronisation signals alone are not enough, but those are
        which LTE's reference signals beside them foretell, or confirm by where they end."""
        if proof.cell.evidence != BROADCAST and not is_by_reference and proof.edges is None:
            return []
        observation = self._observations[-1]
        track = self._begin([proving.part_of(proof, proof.start)], observation)
        track.is_hidden = True
        track.prove(proof)
        events = self._join_within(track)
        self._number(track)
        return events + self._reported({track: track.parts})

    def _see_hidden(self, track: Track, proof: Proof) -> list[Event]:
        """A cell was found again where the network has seen nothing meanwhile: its carrier goes on."""
        carrier, observation = track.carrier, self._observations[-1]
        is_seen = not (track.is_hidden or track.missed) or carrier.sample_end >= proof.end
        # A slice shows that the carrier is on, but not how strong it is.
        if is_seen or proof.slice_frequency is not None:
            return []
        parts = [proving.part_of(proof, carrier.sample_end)]
        track.see(parts, observation)
        track.is_hidden = True
        return self._reported({track: parts})

    def reset(self) -> list[Event]:
        """Forget all carriers and candidates; numbers go on. Returns list of Event: `gone`, of each that was there."""
        events = [self._finished_event(track) for track in self._live if track.carrier.is_qualified]
        self._live = []
        self._at_end = []
        self._finished.clear()
        return events

    def finish(self) -> list[Event]:
        """End of the stream: every carrier that is left is gone.

        A candidate of a stream that was too short to qualify in qualifies now, if it was seen in the same fraction of
        the frames that there were.

        Returns:
            list of Event: `new`, with the segments so far, of carriers that qualify only now; `gone`.
        """
        latest = {track: track.parts for track in self._live if not track.carrier.is_qualified}
        self._qualify(latest, at_end=True)
        reported = self._reported(latest)
        self._at_end = [track for track in self._live if track.carrier.is_qualified]
        self._live = []
        return reported + [self._finished_event(track) for track in self._at_end]

    def resume(self) -> None:
        """The stream that was finished goes on: the carriers that were on at its end are tracked further, under their
        numbers."""
        ended = set(self._at_end)
        self._live += self._at_end
        self._at_end = []
        kept = [carrier for carrier in self._finished if carrier not in {track.carrier for track in ended}]
        self._finished = deque(kept, maxlen=self._finished.maxlen)

    def _reported(self, given: dict[Track, list[Part]]) -> list[Event]:
        """Events for the parts of qualified carriers."""
        events = []
        for track in given:
            if track.carrier.is_qualified:
                parts = [part for frame in track.unreported for part in frame]
                track.unreported.clear()
                kinds = ["update"] * len(parts)
                if not track.is_reported:
                    kinds[0], track.is_reported = "new", True
                events += [Event(kind, track.carrier, part.segment) for kind, part in zip(kinds, parts)]
        return events

    def _qualify(self, given: dict[Track, list[Part]], at_end: bool = False) -> None:
        """Number the candidates that were seen often enough, and are more than a detection nested within another
        carrier."""
        ready = sorted(
            (track for track in given if not track.carrier.is_qualified and self._is_ready(track, at_end)),
            key=lambda track: -track.carrier.weight,
        )
        if ready:
            sure = [track.carrier for track in self._live if track.carrier.is_qualified]
            for track, is_nested in zip(ready, nested([track.carrier for track in ready], sure)):
                if not is_nested:
                    self._number(track)

    def _is_ready(self, track: Track, at_end: bool) -> bool:
        seen = track.history.bit_count()
        if seen >= self.qualify_frames or track.carrier.proof is not None:
            return True
        # Of a stream of fewer frames the same fraction, rounded up.
        return (
            at_end
            and track.observations < self.of_frames
            and seen * self.of_frames >= self.qualify_frames * track.observations
        )

    def _number(self, track: Track) -> None:
        self._last_id += 1
        track.carrier.carrier_id = self._last_id

    def _begin(self, parts: list[Part], observation: Observation) -> Track:
        carrier = Carrier.of(parts, *observation.times(parts))
        observations = sum(
            earlier.is_full and earlier.can_miss(carrier.freq_lower, carrier.freq_upper)
            for earlier in list(self._observations)[:-1]
        )
        track = Track(carrier, parts, observation, self.of_frames, observations)
        self._live.append(track)
        return track

    def _split(self, given: dict[Track, list[Part]], observation: Observation) -> list[Event]:
        """Put two carriers in the place of each that has split; returns the events of those that are gone."""
        split = [track for track in given if track.has_split]
        for track in split:
            for half in track.halves(given.pop(track), observation):
                self._number(half)
                self._live.append(half)
                given[half] = half.parts
            self._live.remove(track)
        return [self._finished_event(track) for track in split]

    def _expire(self, given: dict[Track, list[Part]], observation: Observation) -> list[Event]:
        """Drop what was not seen for too long, and what is more than can be tracked."""
        over: list[Track] = []
        kept: list[Track] = []
        for track in self._live:
            track.grow_older(observation)
            if track not in given:
                track.miss(observation)
            (over if self._is_over(track, observation) else kept).append(track)
        if len(kept) > MAX_TRACKED:
            kept.sort(key=lambda track: (track.carrier.is_qualified, track.carrier.weight), reverse=True)
            over += kept[MAX_TRACKED:]
            del kept[MAX_TRACKED:]
        self._live = kept
        return [self._finished_event(track) for track in over if track.carrier.is_qualified]

    def _is_over(self, track: Track, observation: Observation) -> bool:
        unobserved_s = observation.end_s - track.seen_s - track.silent_s
        if track.carrier.proof is not None:
            return unobserved_s > self.hold_outside_seconds
        if track.silent_s > self.hold_seconds and track.missed >= self.hold_frames:
            return True
        if unobserved_s > self.hold_outside_seconds and track.absent >= self.hold_frames:
            return True
        return not track.carrier.is_qualified and not track.history

    def _finished_event(self, track: Track) -> Event:
        self.forgotten += len(self._finished) == self._finished.maxlen
        self._finished.append(track.carrier)
        return Event("gone", track.carrier)


def _gone(joined: Sequence[Track]) -> list[Event]:
    """Of tracks that have become part of another, which is listed from now on in their place."""
    return [Event("gone", track.carrier) for track in joined if track.carrier.is_qualified]


def consolidate(carriers: Sequence[Carrier]) -> list[Carrier]:
    """Carriers worth reporting, lowest frequency first.

    Left out: one whose band lies inside another's while that one is on, with less weight: a spurious nested
    detection within a carrier, not a second one.
    """
    ranked = sorted(carriers, key=lambda carrier: -carrier.weight)
    kept = [carrier for carrier, is_nested in zip(ranked, nested(ranked)) if carrier.proof is not None or not is_nested]
    return sorted(kept, key=lambda carrier: (carrier.freq_lower, carrier.sample_start))


def nested(ranked: Sequence[Carrier], sure: Sequence[Carrier] = ()) -> np.ndarray:
    """Which carriers are nested detections within another that is not one itself.

    Args:
        ranked: list of Carrier, the one with the most weight first.
        sure: further ones, which are none.

    Returns:
        bool, shape (len(ranked),).
    """
    table = np.array(
        [
            (carrier.freq_lower, carrier.freq_upper, carrier.sample_start, carrier.sample_end, carrier.weight)
            for carrier in (*ranked, *sure)
        ]
    ).reshape(-1, 5)
    may_hold = np.ones(len(table), bool)
    for first in range(0, len(ranked), NESTED_ROWS):
        inside = _are_inside(table[first : min(first + NESTED_ROWS, len(ranked))], table)
        for row in np.flatnonzero(inside.any(axis=1)):
            may_hold[first + row] = not (inside[row] & may_hold).any()
    return ~may_hold[: len(ranked)]


def _are_inside(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Whether carriers lie inside others while those are on, with less weight; bool, shape (len(one), len(other))."""
    lower, upper, start, end, weight = one.T[:, :, None]
    others_lower, others_upper, others_start, others_end, others_weight = other.T
    shared = np.minimum(upper, others_upper) - np.maximum(lower, others_lower)
    is_inside = (shared > 0) & (shared > MIN_BAND_INSIDE * (upper - lower))
    is_at_once = np.minimum(end, others_end) > np.maximum(start, others_start)
    return is_inside & is_at_once & (weight < MIN_FRACTION_INSIDE * others_weight)
