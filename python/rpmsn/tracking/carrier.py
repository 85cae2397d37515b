# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of one carrier: its edges, its class, its times, from the segments that were given to it.

Edges and class are running estimates in bounded memory, so that a carrier may be followed for days. Which segment
belongs to which carrier is decided by `tracker.Tracker`. What tables, pictures, files and messages say of a carrier are
the values here.
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeVar

from ..cells.channels import channel_of_carrier
from ..cells.finding import Proof, References, Uplink
from ..classes import CLASS_NAMES, LTE, NR, OTHER
from ..detection.segments import Segment
from ..standards import bands
from .verdict import ABSENCE, DATA, NETWORK, NO_BAND, PROVEN, UPLINK, verdict_of

Third = TypeVar("Third")

FRAME_QUANTILE, EDGE_QUANTILE = 0.05, 0.15
"""A carrier's lower edge in a frame is this quantile of its segments', and over all frames that of its frames',
weighted by duration x bandwidth; the upper 1 minus it. Bursts are narrower than the carrier, and few segments are
wider."""
LTE_QUANTILE = 0.5
"""The same for LTE, which is always there over its whole band: what is narrower or wider is as much of an error."""
MEMORY_FRAMES = 250
"""Edges are those of about so many of the last frames in which the carrier was seen."""
VOTING_FRAMES = 50
"""The label is voted on by about so many of them."""
MIN_VOTES_TO_GAIN, MIN_VOTES_TO_KEEP = 2 / 3, 1 / 2
"""A class becomes a carrier's with this fraction of the votes; one that keeps less than the other leaves it `other`."""
MIN_VOTE_FRAMES = 3
"""A label that was reported changes when classes against it, and the one that follows, were seen in so many frames."""

SEEN, CUT, SHARED = "seen", "cut", "shared"
"""What the end of a segment is: an edge; the end of the span; where it was divided between two carriers."""

KNOTS = 32
SCALE_LIMIT = 1e9


@dataclass(slots=True)
class Part:
    """A segment, or a piece of one, that is given to a carrier.

    Attributes:
        segment: Segment.
        lower, upper: what its ends are, SEEN, CUT or SHARED.
        weight: what it counts: duration x bandwidth.
    """

    segment: Segment
    lower: str = SEEN
    upper: str = SEEN
    weight: float = field(init=False)

    def __post_init__(self) -> None:
        segment = self.segment
        self.weight = segment.duration * (segment.freq_upper - segment.freq_lower)


@dataclass
class Edge:
    """Running estimate of one edge in bounded memory: a quantile over frames, of which older ones fade.

    Places are Hz for a lower edge and minus Hz for an upper one, so that the outermost is the least. Of a frame in
    which the span ends before the carrier does, only its weight counts: the edge is not there, but further out.

    Attributes:
        sign: 1 for a lower edge, -1 for an upper one.
    """

    sign: int
    _places: list[float] = field(default_factory=list)
    _weights: list[float] = field(default_factory=list)
    _reach: float = math.inf
    _cut_weight: float = 0.0
    _scale: float = 1.0

    def add(self, ends: Sequence[tuple[float, float, str]], quantile: float) -> None:
        """Take in one frame.

        Args:
            ends: list of (frequency in Hz, weight, kind: SEEN, CUT or SHARED), one for each part.
            quantile: which of the frame's ends is the carrier's, by weight from the outermost.
        """
        known = [end for end in ends if end[2] != SHARED] or (ends if self._is_empty else [])
        if not known:
            return
        place, is_cut = quantile_of(
            sorted((self.sign * frequency, weight, kind == CUT) for frequency, weight, kind in known), quantile
        )
        self._scale *= MEMORY_FRAMES / (MEMORY_FRAMES - 1)
        weight = sum(weight for _, weight, _ in known) * self._scale
        if is_cut:
            self._reach = min(self._reach, place)
            self._cut_weight += weight
        else:
            self._insert(place, weight)
        if self._scale > SCALE_LIMIT:
            self._weights = [weight / self._scale for weight in self._weights]
            self._cut_weight /= self._scale
            self._scale = 1.0

    def find(self, quantile: float) -> tuple[float, bool]:
        """(frequency in Hz, whether the edge itself was never seen)."""
        place = math.inf
        total = sum(self._weights)
        if total:
            place, _ = quantile_of(list(zip(self._places, self._weights, self._places)), quantile)
        is_cut = self._reach < place and self._cut_weight >= quantile * (total + self._cut_weight)
        return self.sign * (self._reach if is_cut else place), is_cut

    def set(self, frequency: float) -> None:
        """Forget all places for a frequency in Hz, with the weight that is there."""
        weight = sum(self._weights) + self._cut_weight
        self._places, self._weights = [self.sign * frequency], [weight]
        self._reach, self._cut_weight = math.inf, 0.0

    def is_steady(self, tolerance: float) -> bool:
        """Whether nearly all frames agree on it, to a tolerance in Hz."""
        return abs(self.find(0.9)[0] - self.find(0.1)[0]) <= tolerance

    def is_inside(self, other: "Edge", quantile: float) -> bool:
        """Whether another one lies further out."""
        return other.sign * other.find(quantile)[0] < self.sign * self.find(quantile)[0]

    def become(self, other: "Edge") -> None:
        """Go to the places of another one, with the weight that is there."""
        mine, theirs = (sum(edge._weights) + edge._cut_weight for edge in (self, other))
        factor = mine / theirs if theirs else 1.0
        self._places, self._weights = list(other._places), [weight * factor for weight in other._weights]
        self._reach, self._cut_weight = other._reach, other._cut_weight * factor

    @property
    def _is_empty(self) -> bool:
        return not self._places and not self._cut_weight

    def _insert(self, place: float, weight: float) -> None:
        index = bisect_left(self._places, place)
        self._places.insert(index, place)
        self._weights.insert(index, weight)
        if len(self._places) > KNOTS:
            gaps = [above - below for below, above in zip(self._places, self._places[1:])]
            self._join_with_next(gaps.index(min(gaps)))

    def _join_with_next(self, index: int) -> None:
        place, weight = self._places.pop(index + 1), self._weights.pop(index + 1)
        self._weights[index] += weight
        self._places[index] += (place - self._places[index]) * weight / (self._weights[index] or 1.0)


def quantile_of(sorted_places: Sequence[tuple[float, float, Third]], quantile: float) -> tuple[float, Third]:
    """The place (and what comes third with it) that a fraction of the weight does not reach beyond.

    Args:
        sorted_places: list of (place, weight, anything), the least place first.
        quantile: 0..1.
    """
    aim = quantile * sum(weight for _, weight, _ in sorted_places)
    passed = 0.0
    for place, weight, third in sorted_places:  # noqa: B007 - the last ones are the result
        passed += weight
        if passed >= aim:
            break
    return place, third


@dataclass(eq=False)
class Carrier:
    """A segment followed over frames.

    Attributes:
        carrier_id: from 1 on, in the order in which they qualified; 0 for one that has not.
        voted_class_id: the class by its cell, or else by the network's votes: segments of it are this carrier's.
        sample_start, sample_end: first sample, and the one after the last, counted since the stream began.
        sample_rate: Hz, that of the latest segment.
        time_on_air: seconds in which there was a segment.
        network_confidence, snr_db, pwr_db: means over its segments, weighted by duration and bandwidth.
        segments: how many there were.
        proof: the cell that was decoded from it, while that is believed; None where there is none.
        reach: (lower, upper) in Hz, between which all is one NR carrier, by its cell's symbols and subcarriers; None
            where nothing more than the network's regions says so.
        uplink: what terminals send in it: it is an uplink, which has no cell. None where none was seen.
        references: reference signals of NR data in it, of a cell that was not found in it; None where none were seen.
        missed: probability that a cell of its class, if there is one, was missed by all searches so far.
        is_absolute: whether its frequencies are absolute.
        start_s, end_s: `sample_start` and `sample_end` in seconds since the stream began, whatever its sample rates.
    """

    carrier_id: int
    voted_class_id: int
    sample_start: int
    sample_end: int
    sample_rate: float
    time_on_air: float = 0.0
    network_confidence: float = 0.0
    snr_db: float = 0.0
    pwr_db: float = 0.0
    segments: int = 0
    start_s: float = 0.0
    end_s: float = 0.0
    proof: Proof | None = None
    reach: tuple[float, float] | None = None
    uplink: Uplink | None = None
    references: References | None = None
    missed: float = 1.0
    is_absolute: bool = False
    _mean_weight: float = field(default=0.0, repr=False)
    _lower: Edge = field(default_factory=lambda: Edge(1), repr=False)
    _upper: Edge = field(default_factory=lambda: Edge(-1), repr=False)
    _votes: dict[int, float] = field(default_factory=dict, repr=False)
    _vote_frames: dict[int, int] = field(default_factory=dict, repr=False)
    _found: tuple[float, float, bool, bool] | None = field(default=None, repr=False)

    @classmethod
    def of(cls, parts: Sequence[Part], start_s: float, end_s: float) -> "Carrier":
        """A carrier that is not qualified, of one frame's parts; the first of them says the class."""
        first = parts[0].segment
        carrier = cls(
            0,
            first.class_id,
            min(part.segment.start_offset for part in parts),
            first.end_offset,
            first.sample_rate,
            start_s=start_s,
        )
        carrier.add(parts, end_s)
        return carrier

    @property
    def is_qualified(self) -> bool:
        """Whether it was seen often enough to be reported."""
        return self.carrier_id > 0

    @property
    def freq_lower(self) -> float:
        """Lower edge, Hz."""
        return self._edges[0]

    @property
    def freq_upper(self) -> float:
        """Upper edge, Hz."""
        return self._edges[1]

    @property
    def cut_lower(self) -> bool:
        """Whether the lower edge was never seen: the span ended before it."""
        return self._edges[2]

    @property
    def cut_upper(self) -> bool:
        """The same of the upper edge."""
        return self._edges[3]

    @property
    def bandwidth(self) -> float:
        """Distance of the edges, Hz."""
        return self.freq_upper - self.freq_lower

    @property
    def center_frequency(self) -> float:
        """Middle between the edges, Hz."""
        return (self.freq_lower + self.freq_upper) / 2

    @property
    def class_id(self) -> int:
        """The class that is reported: OTHER of what only the network calls LTE or NR where neither has a band, or where
        its synchronisation signals are missing."""
        return OTHER if self._has_no_band or self._is_absent else self.voted_class_id

    @property
    def label(self) -> str:
        """Name of the class that is reported."""
        return CLASS_NAMES[self.class_id]

    @property
    def confidence(self) -> float:
        """Probability that the label is right: 1 where it is proven. Where no band is defined, at least that: what the
        network calls LTE or NR is a signal, and can only be another."""
        if self.is_proven:
            return 1.0
        if self._has_no_band:
            return self.network_confidence
        return 1 - self._believed if self._is_absent else self._believed

    @property
    def verdict(self) -> str:
        """How sure the label is, one of `verdict.VERDICTS`."""
        return PROVEN if self.is_proven else verdict_of(self.confidence)

    @property
    def evidence(self) -> str:
        """What the verdict rests on, one of `verdict.EVIDENCE`."""
        if self.proof:
            return self.proof.cell.evidence
        if self.is_uplink:
            return UPLINK
        if self.references:
            return DATA
        if self._has_no_band:
            return NO_BAND
        return ABSENCE if self._is_absent else NETWORK

    @property
    def _believed(self) -> float:
        """Probability of the network's class after the searches that found no cell, by Bayes' rule."""
        if self.voted_class_id not in (LTE, NR):
            return self.network_confidence
        unseen = self.network_confidence * self.missed
        return unseen / (unseen + 1 - self.network_confidence) if unseen > 0 else 0.0

    @property
    def _is_absent(self) -> bool:
        """Whether what the network calls LTE or NR is rather neither, as no cell was found."""
        return not self.is_proven and self.voted_class_id in (LTE, NR) and self.missed < 1 and self._believed <= 0.5

    @property
    def _has_no_band(self) -> bool:
        """Whether it is called LTE or NR where neither has one, and no cell proves it."""
        if self.is_proven or self.voted_class_id not in (LTE, NR) or not self.is_absolute:
            return False
        return not _has_band(self.freq_lower, self.freq_upper)

    @property
    def is_proven(self) -> bool:
        """Whether the standard's own signals say what it is: a cell's, those of terminals, or those in its data."""
        return self.proof is not None or self.is_uplink or self.references is not None

    @property
    def is_uplink(self) -> bool:
        """Whether it is known to be an uplink."""
        return self.uplink is not None

    @property
    def proven_edges(self) -> tuple[float, float] | None:
        """Edges that a cell or an uplink's terminals say, Hz; None where none do."""
        return self.proof.edges if self.proof else self.uplink.edges if self.uplink else None

    @property
    def cell_id(self) -> int | None:
        """Physical cell identity; this and what follows are None where they are not known."""
        return self.proof.cell.cell_id if self.proof else None

    @property
    def duplex(self) -> str | None:
        """FDD or TDD."""
        return self.proof.duplex if self.proof else None

    @property
    def channel_bandwidth(self) -> float | None:
        """As the cell broadcasts it, or by where its reference signals end, or an uplink's PUCCH lies, Hz."""
        known = self.proof.cell if self.proof else self.uplink
        return known.channel_bandwidth if known else None

    @property
    def ssb_frequency(self) -> float | None:
        """Middle of an NR cell's SS/PBCH block, Hz."""
        return self.proof.frequency if self.proof and self.proof.class_id == NR else None

    @property
    def band(self) -> str | None:
        """Operating bands that fit, such as `3` or `n77, n78`: those of its cell, else those of its edges."""
        if self.proof is not None:
            return (self.proof.channel.band if self.proof.channel else None) or None
        is_cellular = self.is_absolute and self.class_id in (LTE, NR)
        return _bands_of(self.freq_lower, self.freq_upper, self.label) if is_cellular else None

    @property
    def earfcn(self) -> int | None:
        """Channel number of LTE, in the first of `band`."""
        return next(iter(self.proof.channel.earfcns), None) if self.proof and self.proof.channel else None

    @property
    def nr_arfcn(self) -> int | None:
        """Channel number of NR of the SS/PBCH block."""
        return self.proof.channel.nr_arfcn if self.proof and self.proof.channel else None

    @property
    def gscn(self) -> int | None:
        """Raster number of the SS/PBCH block."""
        return self.proof.channel.gscn if self.proof and self.proof.channel else None

    @property
    def plmn(self) -> str | None:
        """Networks of an NR cell, as SIB1 says."""
        return ", ".join(self.proof.cell.sib1.plmns) if self.proof and self.proof.cell.sib1 else None

    @property
    def tac(self) -> int | None:
        """Tracking area code of an NR cell, as SIB1 says."""
        return self.proof.cell.sib1.tac if self.proof and self.proof.cell.sib1 else None

    @property
    def nci(self) -> int | None:
        """NR cell identity, as SIB1 says."""
        return self.proof.cell.sib1.nci if self.proof and self.proof.cell.sib1 else None

    @property
    def weight(self) -> float:
        """What it counts against others: time on air, bandwidth and confidence, multiplied."""
        return self.time_on_air * self.bandwidth * self.confidence

    @property
    def sample_count(self) -> int:
        """Samples from the first to the last, whether it was on the air all the time or not."""
        return self.sample_end - self.sample_start

    @property
    def duration(self) -> float:
        """Seconds from the first sample to the last, also where the sample rate changed in between."""
        return self.end_s - self.start_s

    def add(self, parts: Sequence[Part], end_s: float) -> None:
        """Take in the segments of one more frame.

        Args:
            parts: list of Part, at least one.
            end_s: end of the last of them, in seconds since the stream began.
        """
        self.sample_rate = parts[0].segment.sample_rate
        # What several segments cover at once counts once.
        counted_to = on_air = 0
        for start, end in sorted((part.segment.start_offset, part.segment.end_offset) for part in parts):
            if end > counted_to:
                on_air += end - max(start, counted_to)
                counted_to = end
        self.time_on_air += on_air / self.sample_rate
        self.sample_end = max(self.sample_end, counted_to)
        self.end_s = max(self.end_s, end_s)
        self.segments += len(parts)
        for part in parts:
            self._add_to_means(part.weight, part.segment)
        quantile = frame_quantile(self._class_of_edges)
        self._lower.add([(part.segment.freq_lower, part.weight, part.lower) for part in parts], quantile)
        self._upper.add([(part.segment.freq_upper, part.weight, part.upper) for part in parts], quantile)
        self._vote(parts)
        self._found = None

    def take_over(self, other: "Carrier") -> None:
        """Become what this carrier and another one are together: what lies beside it moves the edge there out."""
        if other.is_qualified or not self.is_qualified:
            for mine, theirs in ((self._lower, other._lower), (self._upper, other._upper)):
                if mine.is_inside(theirs, edge_quantile(self._class_of_edges)):
                    mine.become(theirs)
        if self.proof is None and other.proof is not None:
            self.prove(other.proof)
        elif self.proof is None and other.uplink is not None:
            self.see_uplink(other.uplink)
        elif not self.is_proven and other.references is not None:
            self.see_references(other.references)
        self._add_to_means(other._mean_weight, other)
        self.sample_start, self.start_s = min(self.sample_start, other.sample_start), min(self.start_s, other.start_s)
        self.sample_end, self.end_s = max(self.sample_end, other.sample_end), max(self.end_s, other.end_s)
        self.time_on_air = min(self.time_on_air + other.time_on_air, self.duration)
        self.segments += other.segments
        for class_id, count in other._votes.items():
            self._votes[class_id] = self._votes.get(class_id, 0.0) + count
        self._found = None

    def prove(self, proof: Proof) -> None:
        """Take on what a cell says, whatever the network's votes are."""
        self.proof, self.uplink, self.references, self.missed = proof, None, None, 1.0
        self._set_class(proof.class_id)

    def see_uplink(self, uplink: Uplink) -> None:
        """Terminals send in it, whatever the network's votes are. What says no edges leaves them."""
        if self.uplink is None or uplink.edges is not None:
            self.uplink = uplink
        self.missed, self.references = 1.0, None
        self._set_class(self.uplink.class_id)

    def see_references(self, references: References) -> None:
        """Its data is NR's, whatever the network's votes are."""
        self.references, self.missed = references, 1.0
        self._set_class(NR)

    def disprove(self) -> None:
        """The cell is not seen any more: label and edges are the network's again, as its next frames have them."""
        self.proof = self.reach = None
        self._votes, self._vote_frames = {}, {}
        self._found = None

    def reach_over(self, piece: "Carrier") -> None:
        """A piece is known to be a part of this carrier: all between them is."""
        lower, upper = self.reach or (self.freq_lower, self.freq_upper)
        self.reach = min(lower, piece.freq_lower), max(upper, piece.freq_upper)
        self._found = None

    def give_way(self, lower: float, upper: float) -> None:
        """Another carrier is known to lie between two frequencies in Hz: end there."""
        below, above = lower - self.freq_lower, self.freq_upper - upper
        if below >= above:
            if self.freq_upper > lower:
                self._upper.set(lower)
        elif self.freq_lower < upper:
            self._lower.set(upper)
        self._found = None

    def keep_within(self, lower: float, upper: float) -> None:
        """It is known to be a part of what lies between two frequencies in Hz: reach no further."""
        if self.freq_lower < lower:
            self._lower.set(lower)
        if self.freq_upper > upper:
            self._upper.set(upper)
        self._found = None

    def has_steady_edge(self, tolerance: float, upper: bool) -> bool:
        """Whether nearly all frames agree on the upper (or lower) edge, to a tolerance in Hz."""
        return (self._upper if upper else self._lower).is_steady(tolerance)

    def restore(self, before: "Carrier") -> None:
        """Become again what it was when `before`, a deep copy, was made; the number stays."""
        vars(self).update(vars(before), carrier_id=self.carrier_id)

    @property
    def _edges(self) -> tuple[float, float, bool, bool]:
        """(lower, upper, lower is cut, upper is cut), worked out once a frame."""
        if (proven := self.proven_edges) is not None:
            return *proven, False, False
        if self._found is None:
            quantile = edge_quantile(self._class_of_edges)
            (lower, cut_lower), (upper, cut_upper) = self._lower.find(quantile), self._upper.find(quantile)
            if upper < lower:
                lower = upper = (lower + upper) / 2
            if self.proof is not None:
                # What the cell itself occupies is there; where it reaches further than the network saw, no edge was.
                least, most = self.proof.least_edges
                cut_lower, cut_upper = cut_lower or least < lower, cut_upper or most > upper
                lower, upper = min(lower, least), max(upper, most)
                if (widest := self.proof.most_edges) is not None:
                    lower, upper = max(lower, widest[0]), min(upper, widest[1])
            if self.reach is not None:
                lower, upper = min(lower, self.reach[0]), max(upper, self.reach[1])
            self._found = lower, upper, cut_lower, cut_upper
        return self._found

    def _add_to_means(self, weight: float, of: "Segment | Carrier") -> None:
        self._mean_weight += weight
        fraction = weight / self._mean_weight if self._mean_weight else 1.0
        confidence = of.network_confidence if isinstance(of, Carrier) else of.confidence
        self.network_confidence += fraction * (confidence - self.network_confidence)
        self.snr_db += fraction * (of.snr_db - self.snr_db)
        self.pwr_db += fraction * (of.pwr_db - self.pwr_db)

    def _vote(self, parts: Sequence[Part]) -> None:
        """Count the classes of one frame, and change the label where they leave no doubt."""
        fading = 1 - 1 / VOTING_FRAMES
        for class_id in self._votes:
            self._votes[class_id] *= fading
        for part in parts:
            class_id = part.segment.class_id
            self._votes[class_id] = self._votes.get(class_id, 0.0) + part.weight * part.segment.confidence
        for class_id in {part.segment.class_id for part in parts}:
            self._vote_frames[class_id] = self._vote_frames.get(class_id, 0) + 1
        if not self.is_proven and (len(self._votes) > 1 or self.voted_class_id not in self._votes):
            self._set_class(self._elected())

    @property
    def _class_of_edges(self) -> int:
        """The class whose segments are as wide beside the carrier: of an uplink a terminal has a part, as in NR."""
        return NR if self.is_uplink else self.voted_class_id

    def _set_class(self, class_id: int) -> None:
        self.voted_class_id = class_id
        self._found = None

    def _elected(self) -> int:
        """The class that the votes are for. One that was reported is given up only after enough frames against it."""
        total = sum(self._votes.values())
        best = max(self._votes, key=lambda class_id: self._votes[class_id])
        is_clear = self._votes[best] >= MIN_VOTES_TO_GAIN * total
        if not self.is_qualified:
            return best if is_clear else OTHER
        if is_clear and self._vote_frames[best] >= MIN_VOTE_FRAMES:
            return best
        against = sum(frames for class_id, frames in self._vote_frames.items() if class_id != self.voted_class_id)
        is_kept = self._votes.get(self.voted_class_id, 0.0) >= MIN_VOTES_TO_KEEP * total
        return self.voted_class_id if is_kept or against < MIN_VOTE_FRAMES else OTHER


@lru_cache(maxsize=1024)
def _has_band(lower: float, upper: float) -> bool:
    """`bands.defined_at`, which costs 0.1 ms, for edges that are asked for several times a frame."""
    return bands.defined_at(lower, upper)


@lru_cache(maxsize=1024)
def _bands_of(lower: float, upper: float, label: str) -> str | None:
    """Names of the bands that a carrier with these edges may be in; None where there are none."""
    return channel_of_carrier(lower, upper, label).band or None


def edge_quantile(class_id: int) -> float:
    """Which quantile of its frames' edges is a carrier's."""
    return LTE_QUANTILE if class_id == LTE else EDGE_QUANTILE


def frame_quantile(class_id: int) -> float:
    """Which quantile of its segments' edges is a carrier's in one frame."""
    return LTE_QUANTILE if class_id == LTE else FRAME_QUANTILE
