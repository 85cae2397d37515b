# SPDX-License-Identifier: GPL-3.0-or-later
"""What is trained on what: the YAML file that `rpmsn train` reads.

Everything that decides the result stands in it, so that the same file gives the same model again.
"""

import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from ..classes import CLASS_NAMES, NOISE
from ..errors import RpmsnError
from ..files import read_yaml
from ..models.arguments import check_arguments
from ..models.model import Architecture, ClassList, FeatureSetName
from ..validation import (
    STRICT,
    FileName,
    Fraction,
    NotNegative,
    Positive,
    RateRange,
    check_rates,
    checked,
    faults,
    one_of,
)
from .dataset import SetConfig

SEEDS_APART = 10_000
"""Between the seeds of a set and of the one with fresh scenes that takes its place."""

PRECISIONS = ("fp32", "bf16")
CONFIGS = Path(__file__).resolve().parent / "configs"

Count = Annotated[int, Field(ge=0, le=1_000_000)]
CountFrom1 = Annotated[int, Field(ge=1, le=1_000_000)]
SetList = Annotated[
    list[SetConfig],
    Field(min_length=1),
    BeforeValidator(lambda value: [value] if isinstance(value, Mapping) else value),
]


@dataclass(frozen=True)
class TrainingConfig:
    """One training run.

    Attributes:
        name: name of the model that comes out.
        version: its version.
        architecture: name in `rpmsn.network.REGISTRY`.
        arguments: of that network; `in_channels` and `classes` have to agree with `features` and `classes`.
        classes: names in the order of the network's outputs; pixels of other classes are not judged.
        features: feature set, of all sets too.
        sample_rates: lowest and highest rate that the model is for, Hz.
        train: the sets; in the file one or a list of them, all are used in every epoch.
        validation: the set that scores are reported.
        fresh_every: make new scenes after so many epochs, in the background; 0 keeps those of the first.
        epochs, batch_size, learning_rate, weight_decay: of AdamW with one warm-up and a cosine to zero.
        gradient_clip: greatest norm of a step's gradient; 0 for no limit.
        class_weights: weight of each class in the loss.
        dice_weight: weight of the region loss (soft Dice) beside cross-entropy.
        average: decay of the moving average of the weights, such as 0.998, that is scored and saved; 0 for none.
        precision: `fp32`, or `bf16` for mixed precision.
        compile: let `torch.compile` make the network faster.
        teacher: model, by name or path of its card, whose outputs are imitated; null for none.
        teacher_weight: its fraction of the loss.
        start_from: model, by name or path of its card, whose weights come first; null for random ones.
        blend: fraction of the trained weights in those that are scored and saved; the rest are those of `start_from`.
        validate_every: epochs between validations beside the one at the end; 0 for that one only.
        seed: of initial weights, order and augmentation.
        checkpoint_seconds: how often a checkpoint is written, beside one at the end of every epoch.
    """

    __pydantic_config__ = STRICT

    name: FileName
    version: str
    architecture: Architecture
    arguments: dict[str, Any]
    sample_rates: RateRange
    train: SetList
    validation: SetConfig
    epochs: CountFrom1
    learning_rate: Positive
    batch_size: Annotated[int, Field(ge=1, le=65_536)] = 16
    weight_decay: NotNegative = 1e-4
    classes: ClassList = field(default_factory=lambda: list(CLASS_NAMES))
    class_weights: list[NotNegative] | None = None
    features: FeatureSetName = "cyclic"
    fresh_every: Count = 0
    gradient_clip: NotNegative = 1.0
    dice_weight: NotNegative = 0.0
    average: Annotated[float, Field(ge=0, lt=1)] = 0.0
    precision: Annotated[str, one_of(PRECISIONS)] = "fp32"
    compile: bool = False
    teacher: str | None = None
    teacher_weight: Fraction = 0.5
    start_from: str | None = None
    blend: Fraction = 1.0
    validate_every: Count = 0
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 1
    checkpoint_seconds: NotNegative = 120.0

    def to_dict(self) -> dict[str, Any]:
        """The configuration as plain types, for YAML."""
        return asdict(self)


def load_config(path: str | os.PathLike) -> TrainingConfig:
    """Read a training configuration.

    Raises:
        ParameterError: the file is missing, is not YAML, or a value does not fit; the message names it.
    """
    values = read_yaml(
        path,
        "training config",
        hint=f"; give the path of a YAML file, or the name of one that ships: {', '.join(shipped_configs())}",
    )
    return checked_config(values, f"training config {path}")


def checked_config(values: Any, where: str) -> TrainingConfig:
    """A configuration of what a file holds.

    Args:
        values: plain types.
        where: file, for errors.

    Raises:
        ParameterError: a value does not fit; the message names it.
    """
    config = checked(TrainingConfig, values, where)
    _check(config, where)
    return replace(
        config,
        train=[replace(entry, features=config.features) for entry in config.train],
        validation=replace(config.validation, features=config.features),
        class_weights=config.class_weights or [1.0] * len(config.classes),
    )


def _check(config: TrainingConfig, where: str) -> None:
    """Refuse values that cannot work together, before an hour has gone into them."""
    wrong = check_rates(config.sample_rates)
    if len(set(config.classes)) < len(config.classes) or CLASS_NAMES[NOISE] not in config.classes:
        wrong.append(f"classes is {config.classes}, but each class is needed once, and noise among them")
    if config.class_weights is not None and len(config.class_weights) != len(config.classes):
        wrong.append(
            f"class_weights has {len(config.class_weights)} values for {len(config.classes)} classes; give one a class"
        )
    if config.blend < 1 and config.start_from is None:
        wrong.append(f"blend is {config.blend:g}, but without start_from there is nothing to blend with; leave it out")
    if config.class_weights is not None and not any(config.class_weights):
        wrong.append(f"class_weights is {config.class_weights}, but one above 0 at least is needed")
    for key, entry in set_entries(config):
        wrong += check_rates(entry.sample_rates, f"{key}.sample_rates")
        apart = (config.validation.seed - entry.seed) % (SEEDS_APART if config.fresh_every else math.inf)
        if entry is not config.validation and entry.preset == config.validation.preset and apart == 0:
            wrong.append(
                f"{key} and validation both have preset {entry.preset!r} with seed {config.validation.seed}, so the "
                "same scenes; give validation another seed"
            )
        if not wrong:
            wrong += _scene_faults(key, entry)
    if wrong:
        raise faults(where, wrong)
    check_arguments(config.architecture, config.arguments, config.features, len(config.classes), where)


def _scene_faults(key: str, entry: SetConfig) -> list[str]:
    """What keeps the scenes of a set from being drawn: nothing, or a sentence."""
    try:
        entry.check()
    except RpmsnError as error:
        return [f"{key}: {error}"]
    return []


def set_entries(config: TrainingConfig) -> list[tuple[str, SetConfig]]:
    """(key in the file, set) of every set of a configuration."""
    return [(f"train[{number}]", entry) for number, entry in enumerate(config.train)] + [
        ("validation", config.validation)
    ]


def shipped_configs() -> list[str]:
    """Names of the training configurations that ship, sorted."""
    return sorted(path.stem for path in CONFIGS.glob("rpmsn-*.yml"))


def shipped_config(name: str | os.PathLike) -> Path:
    """Path of the configuration that ships under `name`; `name` itself where it is a file."""
    shipped = CONFIGS / f"{name}.yml"
    return shipped if shipped.exists() and not Path(name).is_file() else Path(name)
