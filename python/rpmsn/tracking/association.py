# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of one frame's segments belong to which carrier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..classes import LTE, NR
from .carrier import SHARED, Carrier, Part, frame_quantile, quantile_of
from .track import Observation, Track, rank

if TYPE_CHECKING:
    from ..detection.segments import Segment

MIN_OVERLAP = 0.5
"""Segment and carrier are the same where they share this much of the narrower one's band."""
MIN_IOU_OF_CLASSES = 0.7
"""A segment of another class is a doubt about a carrier where they share this much of both bands together."""

LEAST_GUARD_HZ = 0.485e6
"""NR carriers side by side have this much between them at least (two of 5 MHz, TS 38.104 table 5.3.3-1)."""
LEAST_REST_COLUMNS = 4
NARROWEST_HZ = 1.24e6
"""What a segment has beyond the edges that a cell proves is another carrier's from this width on: where it is called
LTE or NR, from that of the narrowest LTE carrier on, six resource blocks and the guard band before them (TS 36.104
5.6), behind the proven carrier's own guard band."""
MAX_FRAGMENT_COLUMNS = 1
"""Fragments of one carrier are at most this far apart in the mask..."""
MIN_SHARED_TIME, MAX_BURST_FRACTION = 0.7, 0.9
"""...and share this fraction of their time. What is on for more than this fraction of the frame says nothing."""


Near = dict[tuple[str, int], dict[int, tuple[Part, list[Part]]]]
"""("after" or "first", column) -> the parts that end or begin there, by id, and the list that each is in."""


class Sharing:
    """Assigns one frame's segments to the existing tracks.

    Args:
        tracks: list of Track.
        observation: Observation of the frame.

    Attributes:
        parts: {Track: list of its Part in this frame, the widest first}.
        new: list of lists of Part, one for each carrier that begins.
        joined: list of Track: those that became part of another one.
    """

    def __init__(self, tracks: Sequence[Track], observation: Observation) -> None:
        self.parts: dict[Track, list[Part]] = {}
        self.new: list[list[Part]] = []
        self.joined: list[Track] = []
        self._observation = observation
        bands = [
            (max(track.carrier.freq_lower, observation.lower), min(track.carrier.freq_upper, observation.upper))
            for track in tracks
        ]
        self._tracks = [track for track, (lower, upper) in zip(tracks, bands) if upper >= lower]
        self._lower, self._upper = np.array([band for band in bands if band[1] >= band[0]]).reshape(-1, 2).T
        self._classes = np.array([track.carrier.voted_class_id for track in self._tracks])

    def give(self, segments: Sequence[Segment]) -> None:
        """Assign all segments, the widest first: a burst on a part of a carrier then finds the whole one there."""
        ordered = sorted(self._as_proven(segments), key=lambda segment: -segment.bandwidth * segment.duration)
        rest = []
        for segment, fitting in zip(ordered, self._fitting(ordered)):
            if fitting:
                self._assign(segment, fitting)
            else:
                rest.append(segment)
        self._begin(self._without_doubts(rest))
        self._put_fragments_together()

    def _as_proven(self, segments: Sequence[Segment]) -> Sequence[Segment]:
        """Segments cut where cells prove edges, each with the label of the cell or uplink that it belongs to."""
        proven = [track for track in self._tracks if track.carrier.is_proven]
        for track in sorted(proven, key=lambda track: track.carrier.proven_edges is None):
            segments = [piece for segment in segments for piece in self._pieces(segment, track)]
        return segments

    def _pieces(self, segment: Segment, track: Track) -> list[Segment]:
        """What a segment is, given a carrier with a cell: the part inside its edges, and what is beside it."""
        carrier = track.carrier
        # What is narrow and neither LTE nor NR is a transmission of its own, such as an interferer; in an uplink it is
        # a terminal's.
        is_cellular = segment.class_id in (LTE, NR) or carrier.is_uplink
        shared = self._shared(segment, track)
        narrower = min(segment.bandwidth, self._visible(track))
        if carrier.proven_edges is None:
            takes = (is_cellular or carrier.reach is not None) and shared >= MIN_OVERLAP * narrower
            return [replace(segment, class_id=carrier.voted_class_id) if takes else segment]
        if shared < self._observation.column or not (is_cellular or shared >= MIN_OVERLAP * self._visible(track)):
            return [segment]
        lower, upper = carrier.proven_edges
        column_at = self._observation.column_at
        first, after = max(segment.columns[0], column_at(lower)), min(segment.columns[1], column_at(upper))
        own = within(segment, lower, upper, first, max(first + 1, after))
        pieces = [replace(own, class_id=carrier.voted_class_id)]
        least = LEAST_REST_COLUMNS * self._observation.column
        if is_cellular:
            least = max(least, least_beside(carrier) + self._observation.column)
        if lower - segment.freq_lower >= least:
            pieces.append(within(segment, -np.inf, lower, segment.columns[0], first))
        if segment.freq_upper - upper >= least:
            pieces.append(within(segment, upper, np.inf, after, segment.columns[1]))
        return pieces

    def _overlaps(self, segments: Sequence[Segment]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Widths that are shared, and those of the segments and tracks: shapes (n, m), (n, 1), (m,); Hz."""
        lower, upper = (
            np.array([getattr(segment, name) for segment in segments])[:, None] for name in ("freq_lower", "freq_upper")
        )
        shared = np.minimum(upper, self._upper) - np.maximum(lower, self._lower)
        return shared, upper - lower, self._upper - self._lower

    def _fitting(self, segments: Sequence[Segment]) -> list[list[Track]]:
        """For each segment the tracks of its class whose band it shares."""
        found: list[list[Track]] = [[] for _ in segments]
        if self._tracks and segments:
            shared, widths, bands = self._overlaps(segments)
            classes = np.array([segment.class_id for segment in segments])[:, None]
            is_fitting = (shared >= MIN_OVERLAP * np.maximum(np.minimum(widths, bands), 1e-9)) & (
                classes == self._classes
            )
            for row, column in zip(*np.nonzero(is_fitting)):
                found[row].append(self._tracks[column])
        return found

    def _assign(self, segment: Segment, fitting: list[Track]) -> None:
        if len(fitting) > 1:
            fitting = list(dict.fromkeys(successor_of(track) for track in fitting))
            fitting = self._separate(segment, self._with_nested_joined(fitting))
        if len(fitting) > 1:
            for track, part in zip(fitting, self._divided(segment, fitting)):
                self._add(track, part)
        else:
            self._add(successor_of(fitting[0]), self._observation.part(segment))

    def _with_nested_joined(self, fitting: list[Track]) -> list[Track]:
        """The same tracks, of which one has taken over those that share its band: they are one by definition."""
        kept: list[Track] = []
        for track in sorted(fitting, key=rank, reverse=True):
            same = next((other for other in kept if share_band(track.carrier, other.carrier)), None)
            if same is None:
                kept.append(track)
            else:
                self._join(same, track)
        return kept

    def _separate(self, segment: Segment, fitting: list[Track]) -> list[Track]:
        """Of tracks that fit a segment those that share it: one, or carriers of their own that it covers."""
        covered = [track for track in fitting if self._shared(segment, track) >= MIN_OVERLAP * self._visible(track)]
        if len(covered) < 2:
            return [max(fitting, key=lambda track: self._iou(segment, track))]
        ordered = sorted(covered, key=lambda track: track.carrier.center_frequency)
        apart = ordered[:1]
        for track in ordered[1:]:
            first, second = sorted((apart[-1], track), key=rank, reverse=True)
            if apart[-1].is_apart_from(track, self._observation):
                apart.append(track)
            elif segment.class_id == NR or second.carrier.is_qualified:
                self._join(first, second)
                apart[-1] = first
            else:
                apart[-1] = first
        return apart

    def _divided(self, segment: Segment, tracks: list[Track]) -> list[Part]:
        """The pieces of a segment that covers several carriers: between two, it ends where they are known to."""
        whole = self._observation.part(segment)
        pieces, lower, first, kind = [], segment.freq_lower, segment.columns[0], whole.lower
        for left, right in zip(tracks, tracks[1:]):
            upper, next_lower = left.carrier.freq_upper, right.carrier.freq_lower
            after = max(first + 1, self._observation.column_at(upper))
            piece = replace(segment, freq_lower=lower, freq_upper=max(lower, upper), columns=(first, after))
            pieces.append(Part(piece, kind, SHARED))
            lower, first, kind = next_lower, max(after, self._observation.column_at(next_lower)), SHARED
        last = replace(
            segment,
            freq_lower=lower,
            freq_upper=max(lower, segment.freq_upper),
            columns=(first, max(first + 1, segment.columns[1])),
        )
        return [*pieces, Part(last, SHARED, whole.upper)]

    def _without_doubts(self, segments: list[Segment]) -> list[Segment]:
        """Give segments that lie where a carrier of another class is to that carrier; returns the rest."""
        if not (self._tracks and segments):
            return segments
        shared, widths, bands = self._overlaps(segments)
        ious = shared / np.maximum(widths + bands - shared, 1e-9)
        rest = []
        for segment, row in zip(segments, ious):
            tracks = [
                track
                for index in np.flatnonzero(row >= MIN_IOU_OF_CLASSES)
                if (track := successor_of(self._tracks[index])) is not None and self._is_free(track, segment)
            ]
            if tracks:
                self._add(max(tracks, key=lambda track: self._iou(segment, track)), self._observation.part(segment))
            else:
                rest.append(segment)
        return rest

    def _is_free(self, track: Track, segment: Segment) -> bool:
        """Whether a track has no part yet at the time of a segment."""
        return not any(
            part.segment.start_offset < segment.end_offset and segment.start_offset < part.segment.end_offset
            for part in self.parts.get(track, ())
        )

    def _begin(self, segments: list[Segment]) -> None:
        """Put segments that no track has together, each with those that share its band."""
        bands = np.empty((len(segments), 2))
        classes = np.empty(len(segments))
        for segment in segments:
            count = len(self.new)
            lower, upper = bands[:count].T
            shared = np.minimum(upper, segment.freq_upper) - np.maximum(lower, segment.freq_lower)
            fraction = shared / np.maximum(np.minimum(upper - lower, segment.bandwidth), 1e-9)
            fraction[classes[:count] != segment.class_id] = 0
            best = int(fraction.argmax()) if count else 0
            if not count or fraction[best] < MIN_OVERLAP:
                best = count
                self.new.append([])
                classes[best] = segment.class_id
            self.new[best].append(self._observation.part(segment))
            bands[best] = _band(self.new[best])

    def _put_fragments_together(self) -> None:
        """Give what would begin an NR carrier to the one right beside it that is on at the same times.

        Between two carriers there is a guard band; what is nearer is a piece of the same one.
        """
        homes = [parts for parts in (*self.parts.values(), *self.new) if parts[0].segment.class_id == NR]
        near: Near = {}
        for parts in homes:
            self._list_ends(parts, parts, near)
        # The widest came first: pieces go to what is wider.
        for parts in reversed([parts for parts in self.new if parts[0].segment.class_id == NR]):
            home = self._home_of(parts, near)
            if home is not None:
                home += parts
                self._list_ends(parts, home, near)
                self.new = [other for other in self.new if other is not parts]

    def _list_ends(self, parts: list[Part], home: list[Part], near: Near) -> None:
        """Note where parts end, in columns, and in which list they are now."""
        for part in parts:
            if part.segment.duration < MAX_BURST_FRACTION * self._observation.seconds:
                for key in (("after", part.segment.columns[1]), ("first", part.segment.columns[0])):
                    near.setdefault(key, {})[id(part)] = part, home

    def _home_of(self, parts: list[Part], near: Near) -> list[Part] | None:
        """The list of a part right beside one of some parts; None where there is none."""
        for part in parts:
            first, after = part.segment.columns
            keys = [("after", first - gap) for gap in range(MAX_FRAGMENT_COLUMNS + 1)]
            keys += [("first", after + gap) for gap in range(MAX_FRAGMENT_COLUMNS + 1)]
            for other, home in (found for key in keys for found in near.get(key, {}).values()):
                if home is not parts and _are_of_one_burst(part.segment, other.segment):
                    return home
        return None

    def _add(self, track: Track, part: Part) -> None:
        self.parts.setdefault(track, []).append(part)

    def _join(self, track: Track, other: Track) -> None:
        track.take_over(other)
        self.joined.append(other)
        if other in self.parts:
            self.parts[track] = self.parts.get(track, []) + self.parts.pop(other)

    def _visible(self, track: Track) -> float:
        observation = self._observation
        return min(track.carrier.freq_upper, observation.upper) - max(track.carrier.freq_lower, observation.lower)

    def _shared(self, segment: Segment, track: Track) -> float:
        return _shared_width(segment.freq_lower, segment.freq_upper, track.carrier.freq_lower, track.carrier.freq_upper)

    def _iou(self, segment: Segment, track: Track) -> float:
        shared = self._shared(segment, track)
        return shared / max(segment.bandwidth + self._visible(track) - shared, 1e-9)


def least_beside(carrier: Carrier) -> float:
    """Hz from a proven edge to the far edge of the narrowest LTE carrier that has room beside it."""
    occupied = carrier.bandwidth
    return ((carrier.channel_bandwidth or occupied) - occupied) / 2 + NARROWEST_HZ


def share_band(one: Carrier, other: Carrier) -> bool:
    """Whether two carriers have so much in common of the narrower one's band that they are one."""
    shared = _shared_width(one.freq_lower, one.freq_upper, other.freq_lower, other.freq_upper)
    return shared >= MIN_OVERLAP * min(one.bandwidth, other.bandwidth)


def within(segment: Segment, lower: float, upper: float, first: int, after: int) -> Segment:
    """The piece of a segment between two frequencies in Hz and two columns."""
    return replace(
        segment,
        freq_lower=max(segment.freq_lower, lower),
        freq_upper=min(segment.freq_upper, upper),
        columns=(first, after),
    )


def _are_of_one_burst(one: Segment, other: Segment) -> bool:
    """Whether two segments go on and off together, nearer to each other than carriers are."""
    gap = max(one.freq_lower, other.freq_lower) - min(one.freq_upper, other.freq_upper)
    shared = min(one.end_offset, other.end_offset) - max(one.start_offset, other.start_offset)
    both = max(one.end_offset, other.end_offset) - min(one.start_offset, other.start_offset)
    return gap < LEAST_GUARD_HZ and shared >= MIN_SHARED_TIME * both


def successor_of(track: Track) -> Track:
    """The track that another one has become part of, or itself."""
    while track.merged_into is not None:
        track = track.merged_into
    return track


def _shared_width(lower: float, upper: float, other_lower: float, other_upper: float) -> float:
    return min(upper, other_upper) - max(lower, other_lower)


def _band(parts: list[Part]) -> tuple[float, ...]:
    """Edges of one frame's parts together, Hz."""
    quantile = frame_quantile(parts[0].segment.class_id)
    return tuple(
        sign
        * quantile_of(sorted((sign * getattr(part.segment, name), part.weight, None) for part in parts), quantile)[0]
        for sign, name in ((1, "freq_lower"), (-1, "freq_upper"))
    )
