# SPDX-License-Identifier: GPL-3.0-or-later
"""True carriers of a scene, the carriers that are found in it by the product's own code, and which is which.

A true carrier is an emission that is to be seen in the mask; emissions of one class that share half of the narrower
one's band (a TDD cell and its terminals) are one carrier, as they are for the tracker. It is found when a carrier of
the same label has a frequency IoU of at least 0.5 with it. Where the mask shows a part of its band only (little
traffic; the rest is a matter of opinion), that part may be found instead of the whole, also in pieces.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from ...classes import CLASS_NAMES, IGNORED, LTE, NOISE, NR, OTHER
from ...detection.segmenter import Frame
from ...detection.segments import MIN_PIXELS, Classifier, FrameGeometry, Segment, find_segments
from ...models.model import ModelCard
from ...recording.comparison import band_iou
from ...signal.image import COLUMNS, DB_MAX, DB_MIN
from ...synthesis.labels import masks as labels
from ...synthesis.labels.truth import Truth
from ...synthesis.scene.scene import CARRIERS, RECORDED, Emission, Scene
from ...tracking.tracker import Tracker, consolidate

MIN_IOU = 0.5
"""Frequency IoU from which on a found carrier and a true one are the same."""
MIN_SHARED = 0.5
"""Emissions are one carrier where they share this much of the narrower one's band, and a found carrier lies in a band
where it shares this much of its own."""
WHOLE_FRACTION = 0.9
"""A carrier is whole where the mask gives it this fraction of its pixels; with less it may be found in part."""
MIN_COLUMNS = 3
"""Narrower bands count as so many columns wide: an image does not show them narrower."""
HIDDEN_FRACTION = 0.5
"""A carrier of which stronger ones hide more than this is not judged."""
LOADS = (0.0, 0.1, 0.3, 0.6)
MIN_JUDGED = 0.3
"""Of a segment's pixels, for its true class to be known."""

CELLULAR = (CLASS_NAMES[LTE], CLASS_NAMES[NR])


@dataclass
class TrueCarrier:
    """A carrier of a scene, as far as its mask shows it.

    Attributes:
        label: `LTE`, `NR` or `other`.
        lower, upper: edges of the occupied band, clipped to the span, Hz relative to the centre; at least three columns
            apart.
        shown: (lower, upper) of what the mask shows, if that is not all; else None.
        has_edges: (lower, upper): False where the span cuts it off, or it is too narrow to have any in an image.
        is_judged: False where too little of it is to be seen.
        snr_db: power per occupied Hz while on the air over that of the noise.
        technology: such as `LTE FDD`, `NR uplink`, `gsm`.
        bandwidth_hz: nominal.
        load: fraction of resource blocks with user data; None where the scene does not say.
        own: bool (rows, 256): its pixels.
    """

    label: str
    lower: float
    upper: float
    shown: tuple | None
    has_edges: tuple
    is_judged: bool
    snr_db: float
    technology: str
    bandwidth_hz: float
    load: float | None
    own: np.ndarray = field(repr=False)

    def iou(self, lower: float, upper: float) -> float:
        """Frequency IoU with a band: with the occupied one or, if that is more, with what the mask shows."""
        return max(band_iou((lower, upper), band) for band in ((self.lower, self.upper), self.shown) if band)

    def holds(self, found: "FoundCarrier") -> bool:
        """Whether a found carrier lies in its band, for the most part."""
        return _shared((found.lower, found.upper), (self.lower, self.upper)) >= MIN_SHARED * (found.upper - found.lower)


@dataclass(frozen=True)
class FoundCarrier:
    """A carrier that the product reports.

    Attributes:
        label: `LTE`, `NR` or `other`.
        lower, upper: edges, Hz relative to the centre.
        ignored_fraction: fraction of its pixels that the mask does not judge.
    """

    label: str
    lower: float
    upper: float
    ignored_fraction: float = 0.0


@dataclass
class Match:
    """What became of a scene's carriers.

    Attributes:
        found: list of (TrueCarrier, lower, upper): judged ones, found with the right label, and the edges found.
        wrong: list of (TrueCarrier, FoundCarrier): judged ones in whose place another label was found.
        missed: list of TrueCarrier: judged, and nothing there.
        false: list of FoundCarrier: where no carrier is.
    """

    found: list = field(default_factory=list)
    wrong: list = field(default_factory=list)
    missed: list = field(default_factory=list)
    false: list = field(default_factory=list)


def _shared(one: tuple[float, float], other: tuple[float, float]) -> float:
    return max(0.0, min(one[1], other[1]) - max(one[0], other[0]))


def true_carriers(scene: Scene, truths: list[Truth], mask: np.ndarray, policy: str = "occupied") -> list[TrueCarrier]:
    """The carriers of a scene.

    Args:
        scene: Scene.
        truths: list of Truth.
        mask: uint8, shape (rows, 256): the scene's own mask, without repeated rows.
        policy: that it was made by.

    Returns:
        list of TrueCarrier, also those that are not judged.
    """
    single = [
        _single(scene, truth, emission, mask, policy) for truth, emission in zip(truths, _emissions(scene, truths))
    ]
    joined: list[TrueCarrier] = []
    for carrier in sorted(single, key=lambda carrier: -(carrier.upper - carrier.lower)):
        same = next((index for index, other in enumerate(joined) if _are_one(carrier, other)), None)
        if same is None:
            joined.append(carrier)
        else:
            joined[same] = _joined(joined[same], carrier)
    return joined


def _are_one(narrower: TrueCarrier, wider: TrueCarrier) -> bool:
    shared = _shared((narrower.lower, narrower.upper), (wider.lower, wider.upper))
    return narrower.label == wider.label and shared >= MIN_SHARED * (narrower.upper - narrower.lower)


def _joined(one: TrueCarrier, other: TrueCarrier) -> TrueCarrier:
    """Two emissions as one carrier: the one with more pixels says what it is."""
    main, second = (one, other) if one.own.sum() >= other.own.sum() else (other, one)
    if not second.own.any():
        return main
    own = main.own | second.own
    shown = (
        None
        if main.shown is None or second.shown is None
        else (min(main.shown[0], second.shown[0]), max(main.shown[1], second.shown[1]))
    )
    return TrueCarrier(
        main.label,
        min(one.lower, other.lower),
        max(one.upper, other.upper),
        shown,
        main.has_edges,
        main.is_judged or second.is_judged,
        main.snr_db,
        main.technology,
        main.bandwidth_hz,
        main.load,
        own,
    )


def _emissions(scene: Scene, truths: list[Truth]) -> Sequence[Emission]:
    """The emission of every truth; those that lie outside the span have left none."""

    def distance(emissions: Sequence[Emission]) -> float:
        return sum(
            abs(truth.center_hz - emission.offset_hz) + (np.inf if not _fits(emission, truth) else 0)
            for truth, emission in zip(truths, emissions)
        )

    return min(combinations(scene.emissions, len(truths)), key=distance)


def _fits(emission: Emission, truth: Truth) -> bool:
    """Whether a truth may be that of an emission, by its label."""
    return emission.label in (None, truth.label)


def _single(scene: Scene, truth: Truth, emission: Emission, mask: np.ndarray, policy: str) -> TrueCarrier:
    """One emission as a carrier."""
    class_id = CLASS_NAMES.index(truth.label)
    rows = len(mask)
    alone = labels.mask(scene, [truth], policy, rows) == class_id
    own = alone & (mask == class_id)
    width = scene.sample_rate / COLUMNS
    middles = (np.arange(COLUMNS) - COLUMNS // 2) * width
    inside = (middles > truth.freq_lower + width) & (middles < truth.freq_upper - width)
    band = np.broadcast_to(inside if inside.any() else own.any(axis=0), mask.shape)
    taken = band & (mask != class_id) & (mask != IGNORED) & (mask != NOISE)
    n_free = np.count_nonzero(band & ~taken)
    shown = None
    if own.any() and np.count_nonzero(own & band) < WHOLE_FRACTION * n_free:
        columns = np.flatnonzero(own.any(axis=0))
        # Beside what it shows, up to two columns of an edge are ignored.
        shown = (
            max(truth.freq_lower, middles[columns[0]] - 1.5 * width),
            min(truth.freq_upper, middles[columns[-1]] + 1.5 * width),
        )
    is_hidden = np.count_nonzero(taken) > HIDDEN_FRACTION * np.count_nonzero(band)
    half = scene.sample_rate / 2
    middle, reach = (truth.freq_lower + truth.freq_upper) / 2, MIN_COLUMNS * width / 2
    lower, upper = min(truth.freq_lower, middle - reach), max(truth.freq_upper, middle + reach)
    has_edges = (lower > -half and lower == truth.freq_lower, upper < half and upper == truth.freq_upper)
    return TrueCarrier(
        truth.label,
        lower,
        upper,
        shown,
        has_edges,
        bool(own.sum() >= MIN_PIXELS and not is_hidden),
        truth.snr_db,
        technology(emission, truth),
        truth.bandwidth_hz,
        load(emission),
        own,
    )


def technology(emission: Emission, truth: Truth) -> str:
    """What kind of transmission an emission is, in words."""
    if emission.kind in ("lte", "nr"):
        is_tdd = (emission.parameters.get("tdd_config"), emission.parameters.get("tdd_pattern")) != (None, None)
        return f"{truth.label} {'TDD' if is_tdd else 'FDD'}"
    if emission.kind == "dss":
        return "DSS"
    if emission.kind in ("lte_uplink", "nr_uplink", "prach"):
        return f"{truth.label} uplink"
    names = {"lte_sidelink": "LTE sidelink", "nbiot": "NB-IoT", RECORDED: f"{truth.label} recorded"}
    return names.get(emission.kind, emission.kind)


def load(emission: Emission) -> float | None:
    """Fraction of a carrier's resource blocks that carry user data, 0..1; None where the scene does not say."""
    parameters = emission.parameters
    if emission.kind not in CARRIERS or parameters.get("style") == "scheduled":
        return None
    if parameters.get("style") in ("full", "ssb_only"):
        return float(parameters["style"] == "full")
    return parameters.get("load")


def found_segments(
    found: np.ndarray,
    probabilities: np.ndarray,
    image: np.ndarray,
    scene: Scene,
    card: ModelCard,
    decider: Classifier | None,
) -> tuple[list[Segment], FrameGeometry]:
    """The segments that the product finds in one frame, and where its pixels lie.

    Args:
        found: integer, shape (rows, 256): indices of the card's classes.
        probabilities: float32, shape (classes, rows, 256).
        image: uint8, shape (channels, rows, 256).
        scene: Scene.
        card: ModelCard.
        decider: as of `find_segments`.
    """
    samples = round(scene.duration_s * scene.sample_rate)
    geometry = FrameGeometry(scene.sample_rate, 0.0, 0, samples, len(found))
    power = stored_power(image, found != card.classes.index(CLASS_NAMES[NOISE]), card.features)
    return find_segments(found, probabilities, power, 1.0, geometry, card.classes, decider), geometry


def found_carriers(
    found: np.ndarray,
    segments: list[Segment],
    geometry: FrameGeometry,
    image: np.ndarray,
    truth_mask: np.ndarray,
    card: ModelCard,
) -> list[FoundCarrier]:
    """The carriers that the product reports for one frame.

    Args:
        found, image, card: as of `found_segments`.
        segments, geometry: what that returned.
        truth_mask: uint8, shape (rows, 256), ids of `rpmsn.classes`.

    Returns:
        list of FoundCarrier.
    """
    tracker = Tracker()
    events = tracker.update(Frame(0, geometry, image[0], found, 0.0, segments)) + tracker.finish()
    parts: dict[int, list[Segment]] = {}
    for event in events:
        if event.segment is not None:
            parts.setdefault(event.carrier.carrier_id, []).append(event.segment)
    is_signal = found != card.classes.index(CLASS_NAMES[NOISE])
    return [
        FoundCarrier(
            carrier.label,
            carrier.freq_lower,
            carrier.freq_upper,
            _ignored_fraction(parts[carrier.carrier_id], is_signal, truth_mask),
        )
        for carrier in consolidate(tracker.carriers)
    ]


def true_class(segment: Segment, is_signal: np.ndarray, truth_mask: np.ndarray) -> int | None:
    """The class that most of a segment's judged pixels have by a mask, `other` where that is noise; None where less
    than `MIN_JUDGED` of them are judged.

    Args:
        is_signal: bool, shape (rows, 256): pixels that were found not to be noise.
        truth_mask: uint8, the same shape, ids of `rpmsn.classes`, 255 where not judged.
    """
    place = slice(*segment.rows), slice(*segment.columns)
    truth = truth_mask[place][is_signal[place]]
    judged = truth[truth != IGNORED]
    if len(judged) < MIN_JUDGED * len(truth) or not len(judged):
        return None
    best = int(np.bincount(judged).argmax())
    return OTHER if best == NOISE else best


def stored_power(image: np.ndarray, is_signal: np.ndarray, features: str) -> np.ndarray:
    """Powers relative to the noise floor, as far as a stored image shows them; float32 (rows, 256).

    Feature sets `averaged` and `cyclic` have them in channel 0, in steps of 0.24 dB. An image of feature set
    `published` says neither where 0 dB is nor how much a step is: there the mask stands for them, so that edges are
    the mask's.
    """
    if features == "published":
        return np.where(is_signal, np.float32(100), np.float32(1))
    decibels = image[0].astype(np.float32) * ((DB_MAX - DB_MIN) / 255) + DB_MIN
    return 10 ** (decibels / 10)


def _ignored_fraction(segments: list[Segment], is_signal: np.ndarray, truth_mask: np.ndarray) -> float:
    """Fraction of the pixels of some segments that the mask does not judge."""
    pixels = ignored = 0
    for segment in segments:
        place = slice(*segment.rows), slice(*segment.columns)
        pixels += np.count_nonzero(is_signal[place])
        ignored += np.count_nonzero(is_signal[place] & (truth_mask[place] == IGNORED))
    return ignored / max(pixels, 1)


def match(true: list[TrueCarrier], found: list[FoundCarrier]) -> Match:
    """Match found carriers to true ones.

    Not counted either way are true carriers that are not judged, and found ones that lie on them or on pixels that the
    mask ignores, or that are further pieces of a carrier of which the mask shows only a part.

    Args:
        true: list of TrueCarrier.
        found: list of FoundCarrier.

    Returns:
        Match.
    """
    result = Match()
    judged, left = [carrier for carrier in true if carrier.is_judged], list(found)
    for carrier, candidate in _pairs(judged, left, lambda one, other: one.label == other.label):
        result.found.append((carrier, candidate.lower, candidate.upper))
    for carrier in [carrier for carrier in judged if carrier.shown is not None]:
        pieces = [one for one in left if one.label == carrier.label and carrier.holds(one)]
        band = min((one.lower for one in pieces), default=0.0), max((one.upper for one in pieces), default=0.0)
        if pieces and carrier.iou(*band) >= MIN_IOU:
            result.found.append((carrier, *band))
            judged.remove(carrier)
            left = [one for one in left if one not in pieces]
    result.wrong = _pairs(judged, left, lambda one, other: True)
    result.missed = judged
    excused = [carrier for carrier in true if not carrier.is_judged or carrier.shown is not None]
    result.false = [
        one
        for one in left
        if one.ignored_fraction <= 0.5
        and not any(carrier.label == one.label and carrier.holds(one) for carrier in excused)
    ]
    return result


def _pairs(
    true: list[TrueCarrier], found: list[FoundCarrier], may_be: Callable[[TrueCarrier, FoundCarrier], bool]
) -> list[tuple[TrueCarrier, FoundCarrier]]:
    """Pairs (TrueCarrier, FoundCarrier) by falling IoU, taken out of both lists."""
    candidates = sorted(
        (
            (carrier.iou(one.lower, one.upper), i, j)
            for i, carrier in enumerate(true)
            for j, one in enumerate(found)
            if may_be(carrier, one)
        ),
        reverse=True,
    )
    pairs: list[tuple[TrueCarrier, FoundCarrier]] = []
    taken: tuple[set[int], set[int]] = (set(), set())
    for iou, i, j in candidates:
        if iou >= MIN_IOU and i not in taken[0] and j not in taken[1]:
            pairs.append((true[i], found[j]))
            taken[0].add(i)
            taken[1].add(j)
    true[:] = [carrier for i, carrier in enumerate(true) if i not in taken[0]]
    found[:] = [one for j, one in enumerate(found) if j not in taken[1]]
    return pairs
