# SPDX-License-Identifier: GPL-3.0-or-later
"""Evaluation: a model and a set in, all its scores out: pixels, carriers, calibration, and the worst failures.

`evaluation_set` reads the set, `scores` counts pixels, `carrier_scores` finds and matches carriers, `calibration`
judges confidence, and `evaluation_report` writes it all down. Here they are put together, one scene after another, so
that memory does not grow with the set.
"""

import heapq
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ... import runtimes
from ...classes import CLASS_NAMES, IGNORED, NOISE
from ...detection.deciding import decider_of
from ...detection.segmenter import rate_warnings
from ...detection.segments import Segment
from ...models.model import Model, ModelCard
from ...progress import progress_bar
from ...signal.artefacts import find_artefacts
from ...synthesis.scene.scene import Scene
from ...version import __version__
from ..batches import class_table
from . import calibration, scores
from .carrier_scores import (
    CELLULAR,
    LOADS,
    MIN_IOU,
    FoundCarrier,
    Match,
    TrueCarrier,
    found_carriers,
    found_segments,
    match,
    stored_power,
    true_carriers,
    true_class,
)
from .evaluation_set import EvaluationSet, SetScene

WORST = 8
"""Failures that are kept to be drawn."""
SNR_STEP_DB = 5
SMALLEST_FRACTION = 0.01
"""A class with a smaller fraction of a scene's pixels does not count where scenes are ranked by mean IoU."""


@dataclass(order=True)
class Failure:
    """A scene that a model sees badly.

    Attributes:
        badness: 1 - mean IoU of the classes that fill a hundredth of it or more.
        index: its number in the set.
        title: in words.
        image: uint8, shape (channels, 256, 256).
        truth, found: uint8, shape (256, 256), ids of `rpmsn.classes`; 255 in the truth where it is not judged.
    """

    badness: float
    index: int
    title: str = field(compare=False)
    image: np.ndarray = field(compare=False, repr=False)
    truth: np.ndarray = field(compare=False, repr=False)
    found: np.ndarray = field(compare=False, repr=False)


@dataclass
class Evaluation:
    """What came out.

    Attributes:
        report: dict of plain numbers and words, as it goes to `report.json`.
        worst: list of Failure, the worst first.
    """

    report: dict
    worst: list


def evaluate(
    model: Model,
    folder: str | os.PathLike,
    policy: str = "occupied",
    runtime: str = runtimes.AUTO,
    threads: int = 1,
    quiet: bool = False,
) -> Evaluation:
    """Judge a model on a set.

    Args:
        model: rpmsn.models.model.Model.
        folder: of the set.
        policy: of its masks.
        runtime: name of one of `runtimes.KINDS`, or `auto`.
        threads: of the runtime.
        quiet: no progress bar.

    Returns:
        Evaluation.

    Raises:
        ParameterError: the set does not fit the model, or is not whole.
        ModelError: weights are missing or do not fit the card.
    """
    image_set = EvaluationSet(folder, model.card, policy)
    made = runtimes.create(model, runtime, threads)
    tally = Tally(model.card, policy, len(image_set))
    with progress_bar(len(image_set), "scene", f"evaluating {model.card.name}", quiet) as progress:
        for scene in image_set:
            probabilities = made.probabilities(scene.image[None].astype(np.float32) / 255)[0]
            tally.add(scene, probabilities)
            progress.update()
    about = {
        "model": {
            "name": model.card.name,
            "version": model.card.version,
            "sha256": model.card.sha256,
            "classes": list(model.card.classes),
            "features": model.card.features,
            "temperature": model.card.temperature,
        },
        "set": {"folder": str(image_set.folder), "policy": policy, "scenes": len(image_set), **image_set.description},
        "software": f"gr-rpmsn {__version__}",
        "runtime": made.name,
        "notes": _notes(model.card, image_set, tally),
    }
    return Evaluation({**about, **tally.scores()}, sorted(tally.worst, reverse=True))


def _notes(card: ModelCard, image_set: EvaluationSet, tally: "Tally") -> list[str]:
    """What a reader should know before believing the figures, in words."""
    notes = []
    unknown = [name for name in CLASS_NAMES if name not in card.classes]
    if unknown:
        notes.append(
            f"The model has no class {' and no class '.join(unknown)}: such pixels are not judged. Carriers "
            "that it finds in scenes without LTE and NR count as false all the same."
        )
    if not image_set.has_scenes:
        notes.append(
            "The set has no scenes beside its masks (it was imported), so carriers are not judged and nothing "
            "is broken down."
        )
    elif card.features == "published":
        notes.append(
            "Images of feature set published hold no absolute powers: edges of carriers are those of the mask, not "
            "measured on powers as in live use."
        )
    elif tally.without_coherence:
        notes.append(
            "The set was made by gr-rpmsn 0.5 or before, which did not keep where I/Q images are: here they "
            "count as false, in live use they are not reported. Make the set again in another folder."
        )
    unfit = sorted({rate for rate in tally.sample_rates if rate_warnings(card, rate)})
    if unfit:
        notes.append(
            "The model was not trained for some of the set's sample rates: "
            f"{', '.join(f'{rate / 1e6:g}' for rate in unfit)} Msps."
        )
    trained_on = card.training.get("config", {}).get("train") or []
    keys = ("preset", "seed", "recordings")
    for entry in trained_on if isinstance(trained_on, list) else [trained_on]:
        if "preset" in image_set.description and all(entry.get(key) == image_set.description.get(key) for key in keys):
            notes.append(
                "The model was trained on scenes of this very set (same preset and seed): the figures say "
                "nothing about others."
            )
    return notes


def as_reported(card: ModelCard, scene: SetScene, probabilities: np.ndarray) -> np.ndarray:
    """Probabilities of a scene, shape (classes, 256, 256), without the receiver's own artefacts, as
    `detection.segmenter` has them."""
    noise = card.classes.index(CLASS_NAMES[NOISE])
    power = stored_power(scene.image[:, : scene.rows], probabilities[noise, : scene.rows] < 0.5, card.features)
    return find_artefacts(scene.image_coherence, power, 1.0).without(probabilities, noise)


class Tally:
    """Counts of everything, scene by scene.

    Args:
        card: ModelCard.
        policy: of the masks.
        scenes: how many there will be.

    Attributes:
        worst: list of Failure, in the order of a heap.
        sample_rates: set of those met, Hz.
        without_coherence: scenes of which it is not known where I/Q images are.
    """

    def __init__(self, card: ModelCard, policy: str, scenes: int) -> None:
        self.card, self.policy = card, policy
        self.worst: list[Failure] = []
        self.sample_rates: set[float] = set()
        self.without_coherence = 0
        n_classes = len(card.classes)
        self._to_output = class_table(card.classes)
        self._class_ids = np.array([CLASS_NAMES.index(name) for name in card.classes], np.uint8)
        self._matrix = np.zeros((n_classes, n_classes), np.int64)
        self._matrices: dict[str, dict[tuple[float, str], tuple[Any, int]]] = {"snr_db": {}, "sample_rate": {}}
        self._sample = calibration.PixelSample(scenes)
        self._carriers = CarrierTally()
        self._decider = decider_of(card)
        self._segments: list[tuple[float, bool]] = []

    def add(self, scene: SetScene, probabilities: np.ndarray) -> None:
        """Count a scene.

        Args:
            scene: SetScene.
            probabilities: float32, shape (classes, 256, 256).
        """
        truth = self._to_output[scene.mask]
        # A short scene's rows are repeated to fill the image; they are judged once.
        rows = slice(scene.rows)
        # Softmax has divided the logits by the card's temperature; up to a constant, this undoes it.
        logits = self.card.temperature * np.log(np.maximum(probabilities[:, rows], np.float32(1e-12)))
        self._sample.add(logits, truth[rows])
        self.without_coherence += scene.image_coherence is None
        probabilities = as_reported(self.card, scene, probabilities)
        found = probabilities.argmax(axis=0)
        matrix = scores.confusion_matrix(truth[rows], found[rows], len(self._class_ids))
        self._matrix += matrix
        carriers = None
        if scene.scene is not None:
            self._add_matrix("sample_rate", rate_key(scene.scene.sample_rate), matrix)
            noise = scene.scene.reception.noise
            if noise is not None and noise.snr_db is not None:
                self._add_matrix("snr_db", snr_key(noise.snr_db), matrix)
            self.sample_rates.add(scene.scene.sample_rate)
            carriers = self._add_carriers(scene, found[rows], probabilities[:, rows])
        self._keep_if_bad(scene, matrix, found, carriers)

    def scores(self) -> dict[str, Any]:
        """All scores as plain numbers and words."""
        outputs, truth = self._sample.pixels()
        present, fitted = self.card.temperature, calibration.fit_temperature(outputs, truth)
        by_carrier = self._carriers.scores() if self.sample_rates else None
        return {
            "pixels": scores.report(self._matrix, self.card.classes),
            "confusion_matrix": self._matrix.tolist(),
            "pixels_by": {
                name: [
                    {"range": text, "scenes": count, **scores.report(matrix, self.card.classes)}
                    for (_, text), (matrix, count) in sorted(groups.items())
                ]
                for name, groups in self._matrices.items()
            },
            "calibration": {
                "pixels": len(truth),
                "fitted_temperature": round(fitted, 4),
                "plain": {"temperature": 1.0, **calibration.reliability(outputs, truth)},
                "card": {"temperature": present, **calibration.reliability(outputs, truth, present)},
                "fitted": {"temperature": round(fitted, 4), **calibration.reliability(outputs, truth, fitted)},
            },
            "segments": self._segment_scores(),
            "carriers": by_carrier,
            "worst": [
                {"scene": failure.index, "mean_iou": round(1 - failure.badness, 4), "title": failure.title}
                for failure in sorted(self.worst, reverse=True)
            ],
        }

    def _segment_scores(self) -> dict[str, Any] | None:
        """How many segments have the right class, and how far their confidence says so; None where there are none."""
        if not self._segments:
            return None
        confidence, is_right = np.array(self._segments).T
        return {
            "segments": len(confidence),
            "right": round(float(is_right.mean()), 4),
            **calibration.reliability_of(confidence, is_right),
        }

    def _add_matrix(self, name: str, key: tuple[float, str], matrix: np.ndarray) -> None:
        before, count = self._matrices[name].get(key, (0, 0))
        self._matrices[name][key] = before + matrix, count + 1

    def _add_carriers(self, scene: SetScene, found: np.ndarray, probabilities: np.ndarray) -> str:
        """Count the carriers; returns them in words."""
        mask = scene.mask[: scene.rows]
        true = true_carriers(scene.scene, scene.truths, mask, self.policy)
        known = [carrier for carrier in true if carrier.label in self.card.classes]
        image = scene.image[:, : scene.rows]
        segments, geometry = found_segments(found, probabilities, image, scene.scene, self.card, self._decider)
        self._add_segments(segments, self._class_ids[found] != NOISE, mask)
        reported = found_carriers(found, segments, geometry, image, mask, self.card)
        is_other = [one for one in true if one.label not in self.card.classes]
        result = match(known, [one for one in reported if not any(other.holds(one) for other in is_other)])
        self._carriers.add(scene, result, reported, self._class_ids[found])
        return ", ".join(f"{one.label} {(one.upper - one.lower) / 1e6:.1f} MHz" for one in reported) or "no carrier"

    def _add_segments(self, segments: list[Segment], is_signal: np.ndarray, mask: np.ndarray) -> None:
        """Count which segments have the right class, by their confidence."""
        for segment in segments:
            truth = true_class(segment, is_signal, mask)
            if truth is not None and CLASS_NAMES[truth] in self.card.classes:
                self._segments.append((segment.confidence, segment.class_id == truth))

    def _keep_if_bad(self, scene: SetScene, matrix: np.ndarray, found: np.ndarray, carriers: str | None) -> None:
        """Put the scene among the worst ones if it is one of them."""
        # A class matters where it is a visible part of the picture, in truth or as it was found.
        matters = np.maximum(matrix.sum(axis=0), matrix.sum(axis=1)) >= max(1, SMALLEST_FRACTION * matrix.sum())
        iou = scores.mean(scores.intersection_over_union(matrix)[matters])
        if np.isnan(iou) or len(self.worst) == WORST and 1 - iou <= self.worst[0].badness:
            return
        rate = "" if scene.scene is None else f"   {scene.scene.sample_rate / 1e6:g} Msps"
        title = f"scene {scene.index}{rate}   IoU {iou:.2f}" + (f"   found: {carriers}" if carriers else "")
        truth = np.where(self._to_output[scene.mask] == IGNORED, IGNORED, scene.mask).astype(np.uint8)
        keep = heapq.heappush if len(self.worst) < WORST else heapq.heapreplace
        keep(self.worst, Failure(1 - iou, scene.index, title, scene.image.copy(), truth, self._class_ids[found]))


class CarrierTally:
    """Counts of carriers: found, missed, mistaken, and what was found where none is."""

    def __init__(self) -> None:
        breakdowns = ("all", "technology", "snr_db", "bandwidth", "load", "sample_rate")
        self._groups: dict[str, dict[Any, dict[str, int]]] = {name: {} for name in breakdowns}
        self._false = dict.fromkeys(CLASS_NAMES[1:], 0)
        self._called: dict[tuple[str, str], int] = {}
        self._edges: dict[str, list[float]] = {label: [] for label in CLASS_NAMES[1:]}
        self._without = {
            name: {"scenes": 0, "seconds": 0.0, **dict.fromkeys(CELLULAR, 0)} for name in ("empty", "other_only")
        }

    def add(self, scene: SetScene, result: Match, reported: list[FoundCarrier], found: np.ndarray) -> None:
        """Count a scene.

        Args:
            scene: SetScene.
            result: carrier_scores.Match.
            reported: list of FoundCarrier, all there are.
            found: uint8, shape (rows, 256), ids of `rpmsn.classes`.
        """
        for carrier, lower, upper in result.found:
            self._count(scene, carrier, found, "found")
            if carrier.shown is None:
                edges = zip((lower, upper), (carrier.lower, carrier.upper), carrier.has_edges)
                self._edges[carrier.label] += [abs(one - other) / 1e3 for one, other, is_there in edges if is_there]
        for carrier, other in result.wrong:
            self._count(scene, carrier, found, "wrong_label")
            self._called[carrier.label, other.label] = self._called.get((carrier.label, other.label), 0) + 1
        for carrier in result.missed:
            self._count(scene, carrier, found, "missed")
        for one in result.false:
            self._false[one.label] += 1
        if not any(truth.label in CELLULAR for truth in scene.truths):
            without = self._without["other_only" if scene.truths else "empty"]
            without["scenes"] += 1
            without["seconds"] += scene.scene.duration_s
            for one in reported:
                if one.label in CELLULAR:
                    without[one.label] += 1

    def scores(self) -> dict[str, Any]:
        """All counts and what follows from them, as plain numbers and words."""
        return {
            "min_iou": MIN_IOU,
            "labels": {
                **{label: self._label((label,)) for label in CLASS_NAMES[1:]},
                "LTE and NR": self._label(CELLULAR),
            },
            "called": [
                {"true": true, "found": found, "carriers": count}
                for (true, found), count in sorted(self._called.items())
            ],
            "edge_error_khz": {
                label: _edge_error(values)
                for label, values in {
                    **self._edges,
                    "LTE and NR": sum((self._edges[one] for one in CELLULAR), []),
                }.items()
            },
            "without_lte_and_nr": {
                name: {
                    **counts,
                    "seconds": round(counts["seconds"], 3),
                    "per_second": _per(sum(counts[one] for one in CELLULAR), counts["seconds"]),
                }
                for name, counts in self._without.items()
            },
            "by": {
                name: [
                    {"label": label, "range": text, **_group_scores(counts)}
                    for (label, (_, text)), counts in sorted(groups.items())
                ]
                for name, groups in self._groups.items()
                if name != "all"
            },
        }

    def _count(self, scene: SetScene, carrier: TrueCarrier, found: np.ndarray, outcome: str) -> None:
        """Count one judged carrier in all the groups that it belongs to."""
        class_id = CLASS_NAMES.index(carrier.label)
        hits = np.count_nonzero(carrier.own & (found == class_id))
        width = scene.scene.sample_rate / found.shape[1]
        middles = (np.arange(found.shape[1]) - found.shape[1] // 2) * width
        in_band = (middles >= carrier.lower) & (middles <= carrier.upper)
        mask = scene.mask[: len(found)]
        beyond = np.count_nonzero((found == class_id) & (mask != class_id) & (mask != IGNORED) & in_band)
        own = np.count_nonzero(carrier.own)
        for name, key in _keys(scene.scene, carrier):
            counts = self._groups[name].setdefault(
                (carrier.label, key), dict.fromkeys(("found", "wrong_label", "missed", "hits", "own", "beyond"), 0)
            )
            counts[outcome] += 1
            counts["hits"] += hits
            counts["own"] += own
            counts["beyond"] += beyond

    def _label(self, labels: Sequence[str]) -> dict[str, Any]:
        """Scores of the carriers of some labels together."""
        groups = [counts for (label, _), counts in self._groups["all"].items() if label in labels]
        found, wrong, missed = (sum(counts[name] for counts in groups) for name in ("found", "wrong_label", "missed"))
        false = sum(self._false[label] for label in labels)
        called = sum(count for (_, label), count in self._called.items() if label in labels)
        return {
            "true": found + wrong + missed,
            "found": found,
            "wrong_label": wrong,
            "missed": missed,
            "false": false,
            "others_called_so": called,
            "precision": _per(found, found + false + called),
            "recall": _per(found, found + wrong + missed),
            "f1": _per(2 * found, 2 * found + false + called + wrong + missed),
        }


def _keys(scene: Scene, carrier: TrueCarrier) -> Iterator[tuple[str, tuple[float, str]]]:
    """(breakdown, key) of a carrier; a key is (number to sort by, words)."""
    yield "all", (0, "all")
    yield "technology", (0, carrier.technology)
    yield "snr_db", snr_key(carrier.snr_db)
    yield "sample_rate", rate_key(scene.sample_rate)
    if carrier.label in CELLULAR:
        megahertz = round(carrier.bandwidth_hz / 1e6, 1)
        yield "bandwidth", (megahertz, f"{megahertz:g} MHz")
        if carrier.load is not None:
            yield "load", load_key(carrier.load)


def snr_key(snr_db: float) -> tuple[float, str]:
    """The range of 5 dB in which an SNR lies, as (lower end, words)."""
    lower = int(np.floor(snr_db / SNR_STEP_DB)) * SNR_STEP_DB
    return lower, f"{lower} to {lower + SNR_STEP_DB} dB"


def rate_key(sample_rate: float) -> tuple[float, str]:
    """A sample rate as (Hz, words)."""
    return sample_rate, f"{sample_rate / 1e6:g} Msps"


def load_key(load: float) -> tuple[float, str]:
    """The range in which a load lies, as (lower end, words)."""
    if load == 0:
        return -1.0, "0"
    index = max(index for index, lower in enumerate(LOADS) if load >= lower)
    return LOADS[index], f"{LOADS[index]:g} to {[*LOADS, 1.0][index + 1]:g}"


def _group_scores(counts: dict[str, int]) -> dict[str, Any]:
    """Scores of a group of carriers: how many were found, and how accurate their pixels are."""
    carriers = counts["found"] + counts["wrong_label"] + counts["missed"]
    return {
        "carriers": carriers,
        "found": counts["found"],
        "wrong_label": counts["wrong_label"],
        "missed": counts["missed"],
        "found_fraction": _per(counts["found"], carriers),
        "pixel_recall": _per(counts["hits"], counts["own"]),
        "pixel_iou": _per(counts["hits"], counts["own"] + counts["beyond"]),
    }


def _edge_error(values: list[float]) -> dict[str, Any]:
    """Median and 90 % quantile of edge errors in kHz, and how many there are."""
    if not values:
        return {"edges": 0, "median": None, "quantile_90": None}
    median, high = np.quantile(values, [0.5, 0.9])
    return {"edges": len(values), "median": round(float(median), 1), "quantile_90": round(float(high), 1)}


def _per(part: float, whole: float) -> float | None:
    """A ratio, rounded; None where there is nothing to divide by."""
    return round(part / whole, 4) if whole else None
