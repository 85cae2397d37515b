# SPDX-License-Identifier: GPL-3.0-or-later
"""A carrier while it is tracked: which frames could show it, which did, and whether it is two carriers."""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..classes import LTE, NR, OTHER
from ..signal.image import COLUMNS
from .carrier import CUT, SEEN, SHARED, Carrier, Part
from .missing import MissingSignals

if TYPE_CHECKING:
    from ..cells.finding import Proof, References, Uplink
    from ..detection.segmenter import Frame
    from ..detection.segments import Segment

MIN_FULL_FRAME = 0.5
"""Only a frame with this fraction of the longest frame's new samples, or more, shows that a candidate is absent."""
MIN_FRACTION_IN_VIEW = 0.25
"""A carrier can be observed where this fraction of it is in view, or it fills half of the view."""
BORDER_COLUMNS = 2
"""An end of a segment that is nearer than this to the end of the span is no edge of the carrier."""
MIN_GAP_COLUMNS = 2
"""A gap between two carriers is this wide at least; an edge that moves by less is steady."""
MIN_SIDE_FRACTION, MIN_SIDES_FRACTION = 0.15, 0.6
"""Of a carrier's band, what each side of a gap covers at least, and both together."""
SPLIT_FRAMES = {LTE: 10, NR: 25, OTHER: 10}
"""A carrier with a gap in the same place in so many frames in a row is two. NR has gaps where it has no traffic."""
JOIN_FRAMES = 10
"""Two carriers that one segment covers in so many frames in a row are one."""
MIN_FRACTION_IN_BOTH, OVERLAP_FRAMES = 0.1, 5
"""Two NR carriers that share this fraction of the narrower one's band are one, if both were seen in so many frames."""
LOOKS_WITHOUT = 3
"""A cell that so many looks in a row did not show is not there any more; one is enough where the network sees nothing
there, either."""
PROOF_SECONDS = 30.0
"""A cell that was not seen for so long while its carrier was in view is not believed any more, looked for or not."""
MAX_FRAMES_AGAINST = 250
"""To split and to join needs as many frames as spoke for the opposite before, but not more than this."""


@dataclass(frozen=True)
class Observation:
    """What a frame, or a sweep over a wider range, can show.

    Attributes:
        lower, upper: ends of the range, Hz.
        column: width of a column of the mask, Hz.
        seconds: of signal at any frequency in it that no earlier observation held.
        passed_s: seconds for which it says that something was absent: a frame's own, or those since the sweep before.
        end_s: its end, in seconds since the stream began.
        bands: (lower, upper) in Hz of what was looked at and judged, ascending; none where the input was unfit.
        is_full: whether it is long enough to show that something is absent.
        seconds_at: number of a sample -> seconds since the stream began.
    """

    lower: float
    upper: float
    column: float
    seconds: float
    passed_s: float
    end_s: float
    bands: tuple[tuple[float, float], ...]
    is_full: bool
    seconds_at: Callable[[int], float]

    @property
    def is_absolute(self) -> bool:
        """Whether frequencies are absolute: a span whose centre is not known lies around 0."""
        return self.lower + self.upper > 0

    def times(self, parts: Sequence[Part]) -> tuple[float, float]:
        """Start and end of some parts, in seconds since the stream began."""
        return (
            self.seconds_at(min(part.segment.start_offset for part in parts)),
            self.seconds_at(max(part.segment.end_offset for part in parts)),
        )

    def column_at(self, frequency: float) -> int:
        """The place of a frequency on the column axis, as in `FrameGeometry.frequency`."""
        return round((frequency - self.lower) / self.column + 0.5)

    def can_miss(self, lower: float, upper: float) -> bool:
        """Whether so much of a band was looked at that a carrier there would be seen if it were on."""
        visible = sum(max(0.0, min(upper, end) - max(lower, start)) for start, end in self.bands)
        return visible > 0 and (
            visible >= MIN_FRACTION_IN_VIEW * (upper - lower) or visible >= (self.upper - self.lower) / 2
        )

    def part(self, segment: Segment) -> Part:
        """A whole segment as a part; an end at the border of what was looked at is not the carrier's."""
        lower, upper = self._band_of(segment)
        border = BORDER_COLUMNS * self.column
        return Part(
            segment,
            CUT if segment.freq_lower < lower + border else SEEN,
            CUT if segment.freq_upper > upper - border else SEEN,
        )

    def _band_of(self, segment: Segment) -> tuple[float, float]:
        if len(self.bands) > 1:
            for lower, upper in self.bands:
                if lower <= segment.center_frequency <= upper:
                    return lower, upper
        return self.lower, self.upper


class Clock:
    """Counts seconds over frames of any sample rate."""

    def __init__(self) -> None:
        self._end_offset: int | None = None
        self._end_s = 0.0
        self._longest_s = 0.0

    def observe(self, frame: Frame) -> Observation:
        """The Observation of the next frame."""
        geometry = frame.geometry
        rate, end_offset = geometry.sample_rate, frame.end_offset
        before = geometry.start_offset if self._end_offset is None else self._end_offset
        seconds = (end_offset - max(before, geometry.start_offset)) / rate
        self._end_s += (end_offset - before) / rate
        self._end_offset = end_offset
        self._longest_s = max(self._longest_s, seconds)
        end_s = self._end_s
        span = geometry.center_frequency - rate / 2, geometry.center_frequency + rate / 2
        return Observation(
            *span,
            column=rate / COLUMNS,
            seconds=seconds,
            passed_s=seconds,
            end_s=end_s,
            bands=(span,) if frame.condition.judged else (),
            is_full=seconds >= MIN_FULL_FRAME * self._longest_s,
            seconds_at=lambda offset: end_s - (end_offset - offset) / rate,
        )


class Track:
    """A carrier or candidate that is followed.

    Args:
        carrier: Carrier, of the parts.
        parts: list of Part, those of its first frame.
        observation: Observation of that frame.
        of_frames: length of its history.
        observations: how many earlier frames could have shown it.

    Attributes:
        carrier: what is known of it.
        parts: list of Part, those of the last frame in which it was seen.
        history: bits, one for each of the last frames that observed it, the latest lowest: 1 where it was seen.
        observations: how many frames observed it, up to the length of the history.
        silent_s: seconds for which it was observed and not seen.
        missed: in how many frames since it was seen last it would have been seen, and was not.
        absent: frames since it was seen last, whether they could have shown it or not.
        seen_s: when it was seen last, in seconds since the stream began.
        splitting: Split, while it shows a gap.
        merged_into: the track that it has become a part of.
        is_reported: whether its `new` was reported.
        missing: what was looked for in it and not seen.
        looks_without: in how many looks in a row its cell was not found.
        is_hidden: whether its latest part is from its cell alone, where the network saw nothing.
        unproven_s: seconds for which it was in view since its cell was found last.
        unreported: lists of Part, of the frames of its history that no event was about yet.
    """

    def __init__(
        self, carrier: Carrier, parts: list[Part], observation: Observation, of_frames: int, observations: int = 0
    ) -> None:
        self.carrier = carrier
        self.parts = parts
        self.history = 1
        self.observations = min(observations + 1, of_frames)
        self._note_seen(observation)
        carrier.is_absolute = observation.is_absolute
        self.splitting: Split | None = None
        self.merged_into: Track | None = None
        self.is_reported = False
        self.looks_without, self.unproven_s = 0, 0.0
        self.missing = MissingSignals(carrier)
        self.is_hidden = False
        self.unreported: deque[list[Part]] = deque([parts], maxlen=of_frames)
        self._of_frames = of_frames
        self._own_frames = self._whole_frames = 1
        self._bridges: dict[Track, tuple[int, Observation]] = {}

    def see(self, parts: list[Part], observation: Observation) -> None:
        """The track was given the parts of one more frame."""
        self._watch_gap(parts, observation)
        self.is_hidden = False
        self.carrier.is_absolute = observation.is_absolute
        self.carrier.add(parts, observation.times(parts)[1])
        self.parts = parts
        self.unreported.append(parts)
        self._remember(1)
        self._note_seen(observation)
        if self.was_seen_apart:
            self._own_frames = min(self._own_frames + 1, MAX_FRAMES_AGAINST)

    def miss(self, observation: Observation) -> None:
        """The frame had nothing for it."""
        self.absent += 1
        if observation.can_miss(self.carrier.freq_lower, self.carrier.freq_upper):
            self.silent_s += observation.passed_s
            self.missed += 1
            if observation.is_full:
                self._remember(0)
                self.unreported.append([])

    def prove(self, proof: Proof) -> None:
        """A cell was found in it."""
        self.looks_without, self.unproven_s = 0, 0.0
        self.splitting = None
        self.missing.forget()
        self.carrier.prove(proof)

    def see_uplink(self, uplink: Uplink) -> None:
        """Terminals send in it."""
        self.splitting = None
        self.missing.forget()
        self.carrier.see_uplink(uplink)

    def see_references(self, references: References) -> None:
        """Its data is NR's."""
        self.missing.forget()
        self.carrier.see_references(references)

    def join_piece(self, other: Track) -> None:
        """Another track has this NR carrier's symbols and subcarriers."""
        self.splitting = None
        self.carrier.reach_over(other.carrier)
        self.take_over(other)

    def look_in_vain(self) -> None:
        """Its cell was looked for and not found."""
        self.looks_without += 1
        if self.looks_without >= LOOKS_WITHOUT or (self.missed and not self.is_hidden):
            self.carrier.disprove()

    def grow_older(self, observation: Observation) -> None:
        """Time passed in which its cell may have been looked for."""
        carrier = self.carrier
        if carrier.proof is not None and observation.can_miss(carrier.freq_lower, carrier.freq_upper):
            self.unproven_s += observation.passed_s
            if self.unproven_s > PROOF_SECONDS:
                carrier.disprove()

    @property
    def was_seen_apart(self) -> bool:
        """Whether it had a segment of its own when it was seen last."""
        return any(SHARED not in (part.lower, part.upper) for part in self.parts)

    @property
    def has_split(self) -> bool:
        """Whether it has shown a gap for so long that it is two carriers."""
        return (
            self.splitting is not None
            and self.carrier.is_qualified
            and self.carrier.proven_edges is None
            and self.carrier.reach is None
            and not self.carrier.is_uplink
            and all(self.splitting.sides(self.parts))
            and self.splitting.frames >= max(SPLIT_FRAMES[self.carrier.voted_class_id], self._whole_frames)
        )

    def halves(self, parts: list[Part], observation: Observation) -> list[Track]:
        """The two tracks that this one has split into; its own carrier ends where the gap began.

        Args:
            parts: list of Part, those of the latest frame.
            observation: Observation of that frame.
        """
        splitting = self.splitting
        assert splitting is not None, "only for a track that has_split"
        self.carrier.restore(splitting.before)
        made = [
            Track(carrier, side, observation, self._of_frames, self._of_frames)
            for carrier, side in zip((splitting.left, splitting.right), splitting.sides(parts))
        ]
        for track in made:
            track._own_frames = min(splitting.frames, MAX_FRAMES_AGAINST)
        if (proof := self.carrier.proof) is not None:
            nearest = min(made, key=lambda track: abs(track.carrier.center_frequency - proof.frequency))
            nearest.prove(proof)
        return made

    @property
    def is_well_known(self) -> bool:
        """Whether it was seen in enough frames to trust its edges."""
        return self.carrier.is_qualified and self._own_frames >= OVERLAP_FRAMES

    def overlaps(self, other: Track, observation: Observation) -> bool:
        """Whether it shares more of the spectrum with another one than uncertain edges explain."""
        shared = min(self.carrier.freq_upper, other.carrier.freq_upper) - max(
            self.carrier.freq_lower, other.carrier.freq_lower
        )
        narrower = min(self.carrier.bandwidth, other.carrier.bandwidth)
        return shared > MIN_GAP_COLUMNS * observation.column and shared > MIN_FRACTION_IN_BOTH * narrower

    def is_apart_from(self, upper_one: Track, observation: Observation) -> bool:
        """Whether a track and another one above it are two carriers, though one segment covers both now.

        Qualified ones are, and of NR those whose edges at the gap stay in place; until a segment has covered both in
        more frames in a row than they were seen apart in.
        """
        tolerance = MIN_GAP_COLUMNS * observation.column
        if self.has_another_cell(upper_one):
            return True
        if not (self.carrier.is_qualified and upper_one.carrier.is_qualified):
            return False
        if self.carrier.voted_class_id == NR and not (
            self.carrier.has_steady_edge(tolerance, upper=True)
            and upper_one.carrier.has_steady_edge(tolerance, upper=False)
        ):
            return False
        frames, latest = self._bridges.get(upper_one, (0, None))
        if latest is not observation:
            frames += 1
            self._bridges[upper_one] = frames, observation
        return frames < max(JOIN_FRAMES, min(self._own_frames, upper_one._own_frames))

    def has_another_cell(self, other: Track) -> bool:
        """Whether cells prove that a track and another one are two carriers."""
        proof, other_proof = self.carrier.proof, other.carrier.proof
        return proof is not None and other_proof is not None and not proof.is_same_place(other_proof)

    def drop_bridges(self, given: dict[Track, list[Part]], live: set[Track]) -> None:
        """Forget for how long one segment covered this and another track, where a frame shows both apart.

        Args:
            given: {Track: list of Part} of the frame.
            live: set of the tracks that are followed.
        """
        if self._bridges:
            is_apart = self in given and self.was_seen_apart
            self._bridges = {
                other: bridge
                for other, bridge in self._bridges.items()
                if other in live and not (is_apart and other in given and other.was_seen_apart)
            }

    def take_over(self, other: Track) -> None:
        """Another track is a part of this one's carrier."""
        self.carrier.take_over(other.carrier)
        self.history |= other.history
        self.observations = max(self.observations, other.observations)
        self._whole_frames = min(self._whole_frames + 1, MAX_FRAMES_AGAINST)
        self.splitting = None
        other.merged_into = self

    def _note_seen(self, observation: Observation) -> None:
        self.silent_s, self.seen_s = 0.0, observation.end_s
        self.missed = self.absent = 0

    def _remember(self, bit: int) -> None:
        self.history = (self.history << 1 | bit) & ((1 << self._of_frames) - 1)
        self.observations = min(self.observations + 1, self._of_frames)

    def _watch_gap(self, parts: list[Part], observation: Observation) -> None:
        gap = widest_gap(parts, self.carrier, observation)
        if gap is None:
            if self.splitting is None or self.splitting.is_crossed_by(parts):
                self.splitting = None
                self._whole_frames = min(self._whole_frames + 1, MAX_FRAMES_AGAINST)
        elif self.splitting is None or not self.splitting.goes_on(gap, observation):
            self.splitting = Split(gap, self.carrier, parts, observation)
        else:
            self.splitting.add(gap, parts, observation)


def join_overlapping(given: dict[Track, list[Part]], observation: Observation) -> list[Track]:
    """Join tracks of NR that were seen apart for long enough and whose bands overlap, as those of carriers never do.

    Args:
        given: {Track: list of Part} of a frame; of tracks that join only one is left.
        observation: Observation of the frame.

    Returns:
        list of Track: those that have become part of another one.
    """
    ordered = sorted(
        (track for track in given if track.carrier.voted_class_id == NR and track.is_well_known),
        key=lambda track: track.carrier.freq_lower,
    )
    joined = []
    last = None
    for track in ordered:
        if last is not None and last.overlaps(track, observation) and not last.has_another_cell(track):
            last, other = sorted((last, track), key=rank, reverse=True)
            given[last] = given[last] + given.pop(other)
            last.unreported[-1] = last.unreported[-1] + other.unreported[-1]
            last.take_over(other)
            joined.append(other)
        else:
            last = track
    return joined


def rank(track: Track) -> tuple[bool, bool, float]:
    """Which of two tracks goes on when they are one: the one with the highest rank."""
    return track.carrier.is_qualified, track.carrier.proof is not None, track.carrier.weight


class Split:
    """A gap in a carrier that stays in its place, and the two carriers that would be beside it.

    Attributes:
        gap: (lower, upper), Hz: what was free in all its frames.
        before: Carrier, as it was before the gap.
        left, right: Carrier, not qualified.
        frames: in how many the gap was seen.
    """

    def __init__(self, gap: tuple[float, float], carrier: Carrier, parts: list[Part], observation: Observation) -> None:
        self.gap = gap
        self.before = copy.deepcopy(carrier)
        self.left, self.right = (Carrier.of(side, *observation.times(side)) for side in self.sides(parts))
        self.frames = 1

    def goes_on(self, gap: tuple[float, float], observation: Observation) -> bool:
        """Whether a gap is in the same place."""
        return min(gap[1], self.gap[1]) - max(gap[0], self.gap[0]) >= observation.column

    def add(self, gap: tuple[float, float], parts: list[Part], observation: Observation) -> None:
        """One more frame shows the gap."""
        self.gap = max(gap[0], self.gap[0]), min(gap[1], self.gap[1])
        for carrier, side in zip((self.left, self.right), self.sides(parts)):
            carrier.add(side, observation.times(side)[1])
        self.frames += 1

    def is_crossed_by(self, parts: list[Part]) -> bool:
        """Whether one of some parts lies on both sides."""
        return any(part.segment.freq_lower < self.gap[0] and part.segment.freq_upper > self.gap[1] for part in parts)

    def sides(self, parts: list[Part]) -> tuple[list[Part], list[Part]]:
        """The parts below and above the gap."""
        middle = sum(self.gap) / 2
        return (
            [part for part in parts if part.segment.center_frequency < middle],
            [part for part in parts if part.segment.center_frequency >= middle],
        )


def widest_gap(parts: list[Part], carrier: Carrier, observation: Observation) -> tuple[float, float] | None:
    """(lower, upper) in Hz of a gap between one frame's parts that may split a carrier; None where there is none."""
    ordered = sorted(parts, key=lambda part: part.segment.freq_lower)
    reach, best = ordered[0].segment.freq_upper, (0.0, 0.0)
    for part in ordered[1:]:
        if part.segment.freq_lower - reach > best[1] - best[0]:
            best = reach, part.segment.freq_lower
        reach = max(reach, part.segment.freq_upper)
    if best[1] - best[0] < MIN_GAP_COLUMNS * observation.column:
        return None
    below, above = best[0] - ordered[0].segment.freq_lower, reach - best[1]
    band = carrier.bandwidth
    is_large = min(below, above) >= MIN_SIDE_FRACTION * band and below + above >= MIN_SIDES_FRACTION * band
    return best if is_large and _are_on_together(ordered, best) else None


def _are_on_together(ordered: list[Part], gap: tuple[float, float]) -> bool:
    """Whether what is below a gap and what is above share half of the shorter one's time."""
    (start, end), (other_start, other_end) = (
        (min(part.segment.start_offset for part in side), max(part.segment.end_offset for part in side))
        for side in (
            [part for part in ordered if part.segment.freq_upper <= gap[0]],
            [part for part in ordered if part.segment.freq_lower >= gap[1]],
        )
    )
    return 2 * (min(end, other_end) - max(start, other_start)) >= min(end - start, other_end - other_start)
