# SPDX-License-Identifier: GPL-3.0-or-later
"""A carrier while it is followed: where frames could show it, in which they did, and whether it is really two."""

import copy
from collections import deque
from dataclasses import dataclass
from functools import cached_property

from ..classes import LTE, NR, OTHER
from ..signal.image import COLUMNS
from .carrier import CUT, SEEN, SHARED, Carrier, Part

MIN_FULL_FRAME = 0.5
"""That a candidate is absent is told by frames with this fraction of the longest frame's new samples, or more."""
MIN_SHARE_IN_VIEW = 0.25
"""A carrier can be observed where the span shows this fraction of it, or it fills half of the span."""
BORDER_COLUMNS = 2
"""An end of a segment that is nearer than this to the end of the span is no edge of the carrier."""
MIN_GAP_COLUMNS = 2
"""A gap between two carriers is this wide at least; an edge that moves by less is steady."""
MIN_SIDE_FRACTION, MIN_SIDES_FRACTION = 0.15, 0.6
"""Of a carrier's band, what each side of a gap covers at least, and both together."""
PART_FRAMES = {LTE: 10, NR: 25, OTHER: 10}
"""A carrier with a gap in the same place in so many frames in a row is two. NR has gaps where it has no traffic."""
JOIN_FRAMES = 10
"""Two carriers that one segment covers in so many frames in a row are one."""
MIN_SHARE_IN_BOTH, OVERLAP_FRAMES = 0.1, 5
"""Two NR carriers that fraction this much of the narrower one's band are one, when both were seen in so many frames."""
MAX_FRAMES_AGAINST = 250
"""To part and to join needs as many frames as spoke for the opposite before, but not more than this."""


@dataclass(frozen=True)
class Observation:
    """What a frame can show.

    Attributes:
        lower, upper: ends of the span, Hz.
        sample_rate: Hz.
        seconds: of samples that no earlier frame held.
        end_offset, end_s: its end in samples and in seconds since the stream began.
        is_judged: whether its input was fit to be judged.
        is_full: whether it is long enough to tell that something is absent.
    """

    lower: float
    upper: float
    sample_rate: float
    seconds: float
    end_offset: int
    end_s: float
    is_judged: bool
    is_full: bool

    @cached_property
    def column(self):
        """Width of a column, Hz."""
        return self.sample_rate / COLUMNS

    @cached_property
    def inner(self):
        """The span without its borders, where ends of segments are edges: (lower, upper), Hz."""
        return self.lower + BORDER_COLUMNS * self.column, self.upper - BORDER_COLUMNS * self.column

    def times(self, parts):
        """Start and end of some parts, in seconds since the stream began."""
        return tuple(
            self.end_s - (self.end_offset - offset) / self.sample_rate
            for offset in (
                min(part.segment.start_offset for part in parts),
                max(part.segment.end_offset for part in parts),
            )
        )

    def can_miss(self, lower, upper):
        """Whether so much of a band lies in the span that it would be seen if it were on."""
        visible = min(upper, self.upper) - max(lower, self.lower)
        return (
            self.is_judged
            and visible > 0
            and (visible >= MIN_SHARE_IN_VIEW * (upper - lower) or visible >= (self.upper - self.lower) / 2)
        )

    def part(self, segment):
        """A whole segment as a part; an end at the border of the span is the span's."""
        lower, upper = self.inner
        return Part(segment, CUT if segment.freq_lower < lower else SEEN, CUT if segment.freq_upper > upper else SEEN)


class Clock:
    """Counts seconds over frames of any sample rate, and knows where the last of them looked."""

    def __init__(self, of_frames):
        self._end_offset = None
        self._end_s = 0.0
        self._longest_s = 0.0
        self._observations = deque(maxlen=of_frames)

    def observe(self, frame):
        """The Observation of the next frame."""
        geometry = frame.geometry
        rate = geometry.sample_rate
        before = geometry.start_offset if self._end_offset is None else self._end_offset
        seconds = (frame.end_offset - max(before, geometry.start_offset)) / rate
        self._end_s += (frame.end_offset - before) / rate
        self._end_offset = frame.end_offset
        self._longest_s = max(self._longest_s, seconds)
        observation = Observation(
            geometry.center_frequency - rate / 2,
            geometry.center_frequency + rate / 2,
            rate,
            seconds,
            frame.end_offset,
            self._end_s,
            frame.condition.judged,
            seconds >= MIN_FULL_FRAME * self._longest_s,
        )
        self._observations.append(observation)
        return observation

    def earlier_observations(self, lower, upper):
        """How many of the last frames, without the very last, could have shown a band."""
        return sum(
            observation.is_full and observation.can_miss(lower, upper) for observation in list(self._observations)[:-1]
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
        seen_s: when it was seen last, in seconds since the stream began.
        splitting: Split, while it shows a gap.
        merged_into: the track that it has become a part of.
        is_reported: whether its `new` was reported.
        unreported: lists of Part, of the frames of its history that no event was about yet.
    """

    def __init__(self, carrier, parts, observation, of_frames, observations=0):
        self.carrier = carrier
        self.parts = parts
        self.history = 1
        self.observations = min(observations + 1, of_frames)
        self.silent_s, self.seen_s = 0.0, observation.end_s
        self.splitting, self.merged_into, self.is_reported = None, None, False
        self.unreported = deque([parts], maxlen=of_frames)
        self._of_frames = of_frames
        self._own_frames = self._whole_frames = 1
        self._bridges = {}

    def see(self, parts, observation):
        """The track was given the parts of one more frame."""
        self._watch_gap(parts, observation)
        self.carrier.add(parts, observation.times(parts)[1])
        self.parts = parts
        self.unreported.append(parts)
        self._remember(1)
        self.silent_s, self.seen_s = 0.0, observation.end_s
        if self.was_seen_apart:
            self._own_frames = min(self._own_frames + 1, MAX_FRAMES_AGAINST)

    def miss(self, observation):
        """The frame had nothing for it."""
        if observation.can_miss(self.carrier.freq_lower, self.carrier.freq_upper):
            self.silent_s += observation.seconds
            if observation.is_full:
                self._remember(0)
                self.unreported.append([])

    @property
    def was_seen_apart(self):
        """Whether it had a segment of its own when it was seen last."""
        return any(SHARED not in (part.lower, part.upper) for part in self.parts)

    @property
    def has_parted(self):
        """Whether it has shown a gap for so long that it is two carriers."""
        return (
            self.splitting is not None
            and self.carrier.is_qualified
            and all(self.splitting.sides(self.parts))
            and self.splitting.frames >= max(PART_FRAMES[self.carrier.class_id], self._whole_frames)
        )

    def halves(self, parts, observation):
        """The two tracks that this one has split into; its own carrier ends where the gap began.

        Args:
            parts: list of Part, those of the latest frame.
            observation: Observation of that frame.
        """
        splitting = self.splitting
        self.carrier.restore(splitting.before)
        made = [
            Track(carrier, side, observation, self._of_frames, self._of_frames)
            for carrier, side in zip((splitting.left, splitting.right), splitting.sides(parts))
        ]
        for track in made:
            track._own_frames = min(splitting.frames, MAX_FRAMES_AGAINST)
        return made

    @property
    def is_well_known(self):
        """Whether it was seen in enough frames to trust its edges."""
        return self.carrier.is_qualified and self._own_frames >= OVERLAP_FRAMES

    def overlaps(self, other, observation):
        """Whether it shares more of the spectrum with another one than doubt about the edges explains."""
        shared = min(self.carrier.freq_upper, other.carrier.freq_upper) - max(
            self.carrier.freq_lower, other.carrier.freq_lower
        )
        narrower = min(self.carrier.bandwidth, other.carrier.bandwidth)
        return shared > MIN_GAP_COLUMNS * observation.column and shared > MIN_SHARE_IN_BOTH * narrower

    def is_apart_from(self, upper_one, observation):
        """Whether a track and another one above it are two carriers, though one segment covers both now.

        Qualified ones are, and of NR those whose edges at the gap stay in place; until a segment has covered both in
        more frames in a row than they were seen apart in.
        """
        tolerance = MIN_GAP_COLUMNS * observation.column
        if not (self.carrier.is_qualified and upper_one.carrier.is_qualified):
            return False
        if self.carrier.class_id == NR and not (
            self.carrier.has_steady_edge(tolerance, upper=True)
            and upper_one.carrier.has_steady_edge(tolerance, upper=False)
        ):
            return False
        frames, end = self._bridges.get(upper_one, (0, None))
        if end != observation.end_offset:
            self._bridges[upper_one] = frames, end = frames + 1, observation.end_offset
        return frames < max(JOIN_FRAMES, min(self._own_frames, upper_one._own_frames))

    def drop_bridges(self, given, live):
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

    def take_over(self, other):
        """Another track is a part of this one's carrier."""
        self.carrier.take_over(other.carrier)
        self.history |= other.history
        self.observations = max(self.observations, other.observations)
        self._whole_frames = min(self._whole_frames + 1, MAX_FRAMES_AGAINST)
        self.splitting = None
        other.merged_into = self

    def _remember(self, bit):
        self.history = (self.history << 1 | bit) & ((1 << self._of_frames) - 1)
        self.observations = min(self.observations + 1, self._of_frames)

    def _watch_gap(self, parts, observation):
        gap = widest_gap(parts, self.carrier, observation)
        if gap is None:
            if self.splitting is None or self.splitting.is_crossed_by(parts):
                self.splitting = None
                self._whole_frames = min(self._whole_frames + 1, MAX_FRAMES_AGAINST)
        elif self.splitting is None or not self.splitting.goes_on(gap, observation):
            self.splitting = Split(gap, self.carrier, parts, observation)
        else:
            self.splitting.add(gap, parts, observation)


def join_overlapping(given, observation):
    """Join tracks of NR that were seen apart for long enough and whose bands overlap, as those of carriers never do.

    Args:
        given: {Track: list of Part} of a frame; of tracks that join only one is left.
        observation: Observation of the frame.

    Returns:
        list of Track: those that have become part of another one.
    """
    ordered = sorted(
        (track for track in given if track.carrier.class_id == NR and track.is_well_known),
        key=lambda track: track.carrier.freq_lower,
    )
    joined = []
    last = None
    for track in ordered:
        if last is not None and last.overlaps(track, observation):
            last, other = sorted((last, track), key=rank, reverse=True)
            given[last] = given[last] + given.pop(other)
            last.unreported[-1] = last.unreported[-1] + other.unreported[-1]
            last.take_over(other)
            joined.append(other)
        else:
            last = track
    return joined


def rank(track):
    """Which of two tracks goes on when they are one: the one with the highest rank."""
    return track.carrier.is_qualified, track.carrier.weight


class Split:
    """A gap in a carrier that stays in its place, and the two carriers that would be beside it.

    Attributes:
        gap: (lower, upper), Hz: what was free in all its frames.
        before: Carrier, as it was before the gap.
        left, right: Carrier, not qualified.
        frames: in how many the gap was seen.
    """

    def __init__(self, gap, carrier, parts, observation):
        self.gap = gap
        self.before = copy.deepcopy(carrier)
        self.left, self.right = (Carrier.of(side, *observation.times(side)) for side in self.sides(parts))
        self.frames = 1

    def goes_on(self, gap, observation):
        """Whether a gap is in the same place."""
        return min(gap[1], self.gap[1]) - max(gap[0], self.gap[0]) >= observation.column

    def add(self, gap, parts, observation):
        """One more frame shows the gap."""
        self.gap = max(gap[0], self.gap[0]), min(gap[1], self.gap[1])
        for carrier, side in zip((self.left, self.right), self.sides(parts)):
            carrier.add(side, observation.times(side)[1])
        self.frames += 1

    def is_crossed_by(self, parts):
        """Whether one of some parts lies on both sides."""
        return any(part.segment.freq_lower < self.gap[0] and part.segment.freq_upper > self.gap[1] for part in parts)

    def sides(self, parts):
        """The parts below and above the gap."""
        middle = sum(self.gap) / 2
        return (
            [part for part in parts if part.segment.center_frequency < middle],
            [part for part in parts if part.segment.center_frequency >= middle],
        )


def widest_gap(parts, carrier, observation):
    """(lower, upper) in Hz of a gap between one frame's parts that may part a carrier; None where there is none."""
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


def _are_on_together(ordered, gap):
    """Whether what is below a gap and what is above share half of the shorter one's time."""
    (start, end), (other_start, other_end) = (
        (min(part.segment.start_offset for part in side), max(part.segment.end_offset for part in side))
        for side in (
            [part for part in ordered if part.segment.freq_upper <= gap[0]],
            [part for part in ordered if part.segment.freq_lower >= gap[1]],
        )
    )
    return 2 * (min(end, other_end) - max(start, other_start)) >= min(end - start, other_end - other_start)
