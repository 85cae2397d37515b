# SPDX-License-Identifier: GPL-3.0-or-later
"""Fits the decision about segments: what is LTE, what NR, what neither, and how probable that is."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize

from .. import runtimes
from ..classes import CLASS_NAMES, NOISE
from ..detection.deciding import CLASSES
from ..detection.segments import Segment
from ..errors import ParameterError
from ..models.decision import CONSTANT, FEATURES, Decision
from ..models.model import Model, save_card
from ..progress import progress_bar
from .evaluation.carrier_scores import found_segments, true_class
from .evaluation.evaluation import as_reported
from .evaluation.evaluation_set import EvaluationSet

PENALTY = 1e-3
"""On the squares of the weights of standardised features, beside the mean log loss. With a tenth of it that of scenes
left out was 0.02 higher."""
FOLDS = 4
DIGITS = 5


@dataclass
class Examples:
    """Segments of which the truth is known.

    Attributes:
        values: float, shape (n, features).
        truths: integer, shape (n,): places in `deciding.CLASSES`.
        scenes: integer, shape (n,): which scene each is of.
    """

    values: np.ndarray
    truths: np.ndarray
    scenes: np.ndarray


@dataclass(frozen=True)
class Calibrated:
    """What came out.

    Attributes:
        card: path of the card.
        segments: that it was fitted on.
        right: fraction of them that have the right class, where the decision was fitted on the other scenes.
        network_right: the same of the network's own classes.
    """

    card: Path
    segments: int
    right: float
    network_right: float


class Recorder:
    """In the place of a Decider: keeps what describes the segments of a frame, and leaves them as they are."""

    def __init__(self) -> None:
        self.found: list[tuple[Segment, np.ndarray]] = []

    def decide(self, segments: Sequence[Segment], values: Sequence[np.ndarray]) -> list[Segment]:
        """As of `deciding.Decider`."""
        self.found = list(zip(segments, values))
        return list(segments)


def calibrate(
    model: Model,
    folders: Sequence[str | os.PathLike],
    output: str | os.PathLike | None = None,
    policy: str = "occupied",
    runtime: str = runtimes.AUTO,
    threads: int = 1,
    quiet: bool = False,
) -> Calibrated:
    """Fit a model's decision on sets, and write it into its card.

    Args:
        model: with the four classes.
        folders: of sets with scenes, which the model was not trained on and is not judged on.
        output: folder for the card; None for the model's own.
        policy: of the sets' masks.
        runtime, threads: what runs the network.
        quiet: no progress bar.

    Raises:
        ParameterError: the model has other classes; a set does not fit it, or holds too little.
    """
    if sorted(model.card.classes) != sorted(CLASS_NAMES):
        raise ParameterError(
            f"model {model.card.name} has the classes {', '.join(model.card.classes)}, but a decision needs "
            f"{', '.join(CLASS_NAMES)}"
        )
    sets = [EvaluationSet(folder, model.card, policy) for folder in folders]
    for one in sets:
        if not one.has_scenes:
            raise ParameterError(f"set {one.folder} has no scenes beside its masks; choose sets of `rpmsn synth`")
    examples, network_right = _examples(model, sets, runtimes.create(model, runtime, threads), quiet)
    counts = np.bincount(examples.truths, minlength=len(CLASSES))
    if counts.min() < len(FEATURES):
        found = ", ".join(f"{CLASS_NAMES[class_id]} {count}" for class_id, count in zip(CLASSES, counts))
        raise ParameterError(
            f"the sets have too few segments ({found}); {len(FEATURES)} of each class are needed: give more scenes"
        )
    lte, nr = fit(examples.values, examples.truths)
    about = [_about(one) for one in sets]
    card = replace(model.card, decision=Decision(lte, nr, about, len(examples.truths)))
    folder = Path(output) if output else model.folder
    return Calibrated(save_card(card, folder), len(examples.truths), _right_elsewhere(examples), network_right)


def fit(values: np.ndarray, truths: np.ndarray) -> tuple[dict[str, float], dict[str, float]]:
    """Weights (of LTE, of NR) against `other` that make the true classes most probable, less `PENALTY`.

    Args:
        values, truths: as of Examples.
    """
    mean, scale = values.mean(axis=0), np.maximum(values.std(axis=0), 1e-6)
    inputs = np.column_stack([(values - mean) / scale, np.ones(len(values))])
    wanted = np.eye(len(CLASSES))[truths]

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights = flat.reshape(len(CLASSES), -1)
        logits = inputs @ weights.T
        logits -= logits.max(axis=1, keepdims=True)
        logs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        gradient = (np.exp(logs) - wanted).T @ inputs / len(inputs) + 2 * PENALTY * weights
        return float(-(wanted * logs).sum() / len(inputs) + PENALTY * (weights**2).sum()), gradient.ravel()

    found = minimize(loss, np.zeros(len(CLASSES) * inputs.shape[1]), jac=True, method="L-BFGS-B")
    weights = found.x.reshape(len(CLASSES), -1)
    weights = weights[:2] - weights[2]
    plain = weights[:, :-1] / scale
    constants = weights[:, -1] - plain @ mean
    lte, nr = (
        {name: float(f"{value:.{DIGITS}g}") for name, value in zip((*FEATURES, CONSTANT), (*row, constant))}
        for row, constant in zip(plain, constants)
    )
    return lte, nr


def _examples(
    model: Model, sets: Sequence[EvaluationSet], runtime: runtimes.Runtime, quiet: bool
) -> tuple[Examples, float]:
    """The segments of all scenes, and which fraction of them the network alone has right."""
    card, recorder = model.card, Recorder()
    ids = np.array([CLASS_NAMES.index(name) for name in card.classes])
    values: list[np.ndarray] = []
    truths: list[int] = []
    scenes: list[int] = []
    right: list[bool] = []
    with progress_bar(sum(map(len, sets)), "scene", f"calibrating {card.name}", quiet) as progress:
        for number, scene in enumerate(scene for one in sets for scene in one):
            probabilities = runtime.probabilities(scene.image[None].astype(np.float32) / 255)[0]
            probabilities = as_reported(card, scene, probabilities)[:, : scene.rows]
            found, mask = probabilities.argmax(axis=0), scene.mask[: scene.rows]
            found_segments(found, probabilities, scene.image[:, : scene.rows], scene.scene, card, recorder)
            for segment, described in recorder.found:
                truth = true_class(segment, ids[found] != NOISE, mask)
                if truth is not None:
                    values.append(described)
                    truths.append(CLASSES.index(truth))
                    scenes.append(number)
                    right.append(segment.class_id == truth)
            progress.update()
    shaped = np.array(values).reshape(-1, len(FEATURES))
    return Examples(shaped, np.array(truths, int), np.array(scenes, int)), float(np.mean(right or [False]))


def _right_elsewhere(examples: Examples) -> float:
    """Fraction of segments with the right class by a decision that was fitted on the other scenes."""
    right = np.zeros(len(examples.truths), bool)
    for fold in range(FOLDS):
        is_out = examples.scenes % FOLDS == fold
        if is_out.any() and not is_out.all():
            lte, nr = fit(examples.values[~is_out], examples.truths[~is_out])
            chosen = Decision(lte, nr, [], 0).probabilities(examples.values[is_out]).argmax(axis=1)
            right[is_out] = chosen == examples.truths[is_out]
    return float(right.mean())


def _about(one: EvaluationSet) -> dict[str, Any]:
    """What decides a set's scenes."""
    keys = ("preset", "count", "seed", "sample_rates", "recordings")
    return {key: one.description[key] for key in keys if one.description.get(key) is not None}
