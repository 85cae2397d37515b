# SPDX-License-Identifier: GPL-3.0-or-later
"""What is trained on what: the YAML file that `rpmsn train` reads.

Everything that decides the result stands in it, so that the same file gives the same model again.
"""

import math
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path

from ..classes import CLASS_NAMES
from ..errors import ParameterError
from ..files import read_yaml
from ..signal import image as spectrogram
from .dataset import SetConfig

SEEDS_APART = 10_000
"""Between the seeds of a set and of the one with fresh scenes that takes its place."""

PRECISIONS = ("fp32", "bf16")

_ABOVE_0 = (lambda value: 0 < value < math.inf, "a number above 0")
_WHOLE_ABOVE_0 = (lambda value: value >= 1 and value == int(value), "a whole number of at least 1")
_WHOLE = (lambda value: value >= 0 and value == int(value), "a whole number of at least 0")
_NOT_NEGATIVE = (lambda value: 0 <= value < math.inf, "a number of at least 0")
_ALLOWED = {
    "epochs": _WHOLE_ABOVE_0,
    "batch_size": _WHOLE_ABOVE_0,
    "learning_rate": _ABOVE_0,
    "weight_decay": _NOT_NEGATIVE,
    "fresh_every": _WHOLE,
    "validate_every": _WHOLE,
    "seed": _WHOLE,
    "gradient_clip": _NOT_NEGATIVE,
    "dice_weight": _NOT_NEGATIVE,
    "average": (lambda value: 0 <= value < 1, "a number from 0 to below 1"),
    "teacher_weight": (lambda value: 0 <= value <= 1, "a number from 0 to 1"),
    "checkpoint_seconds": _NOT_NEGATIVE,
}


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
        validate_every: epochs between validations beside the one at the end; 0 for that one only.
        seed: of initial weights, order and augmentation.
        checkpoint_seconds: how often a checkpoint is written, beside one at the end of every epoch.
    """

    name: str
    version: str
    architecture: str
    arguments: dict
    sample_rates: list
    train: list
    validation: SetConfig
    epochs: int
    learning_rate: float
    batch_size: int = 16
    weight_decay: float = 1e-4
    classes: list = field(default_factory=lambda: list(CLASS_NAMES))
    class_weights: list | None = None
    features: str = "cyclic"
    fresh_every: int = 0
    gradient_clip: float = 1.0
    dice_weight: float = 0.0
    average: float = 0.0
    precision: str = "fp32"
    compile: bool = False
    teacher: str | None = None
    teacher_weight: float = 0.5
    start_from: str | None = None
    validate_every: int = 0
    seed: int = 1
    checkpoint_seconds: float = 120.0

    def to_dict(self):
        """The configuration as plain types, for YAML."""
        return asdict(self)


def load_config(path):
    """Read a training configuration.

    Raises:
        ParameterError: the file is missing, is not YAML, or a value does not fit; the message names it.
    """
    path = Path(path)
    values = read_yaml(
        path, "training config", hint="; give the path of a YAML file, or rpmsn-rt for the one that ships"
    )
    if not isinstance(values, dict):
        raise ParameterError(f"training config {path} holds {type(values).__name__}, but a mapping of keys is needed")
    values = dict(values)
    if "train" in values:
        sets = values["train"] if isinstance(values["train"], list) else [values["train"]]
        values["train"] = [_build(SetConfig, entry, f"{path}, key 'train'") for entry in sets]
    if "validation" in values:
        values["validation"] = _build(SetConfig, values["validation"], f"{path}, key 'validation'")
    config = _build(TrainingConfig, values, str(path))
    _check(config, path)
    return replace(
        config,
        train=[replace(entry, features=config.features) for entry in config.train],
        validation=replace(config.validation, features=config.features),
        class_weights=config.class_weights or [1.0] * len(config.classes),
    )


def _build(kind, values, where):
    """Make the dataclass `kind` from a mapping, naming keys that are unknown or missing."""
    if not isinstance(values, dict):
        raise ParameterError(f"{where} holds {values!r}, but a mapping of keys is needed")
    known = [entry.name for entry in fields(kind)]
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise ParameterError(f"{where}: unknown key {unknown[0]!r}; allowed are {', '.join(known)}")
    try:
        return kind(**values)
    except TypeError as error:
        raise ParameterError(f"{where}: {str(error).split(') ')[-1]}") from error


def _check(config, path):
    """Refuse values that cannot work together, before an hour has gone into them."""
    if config.features not in spectrogram.FEATURE_SETS:
        raise ParameterError(
            f"{path}: feature set is {config.features!r}; allowed are {', '.join(spectrogram.FEATURE_SETS)}"
        )
    features = spectrogram.feature_set(config.features)
    wrong = [name for name in config.classes if name not in CLASS_NAMES]
    if wrong:
        raise ParameterError(f"{path}: class {wrong[0]!r} is unknown; allowed are {', '.join(CLASS_NAMES)}")
    for key, value in (("in_channels", features.channels), ("classes", len(config.classes))):
        if config.arguments.get(key) != value:
            raise ParameterError(
                f"{path}: arguments has {key}: {config.arguments.get(key)}, but feature set and classes "
                f"ask for {key}: {value}"
            )
    for key, (is_allowed, allowed) in _ALLOWED.items():
        value = getattr(config, key)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not is_allowed(value):
            raise ParameterError(
                f"{path}: {key} is {value!r}, but {allowed} is needed (in YAML 2.0e-3, with the point)"
            )
    if config.precision not in PRECISIONS:
        raise ParameterError(f"{path}: precision is {config.precision!r}; allowed are {', '.join(PRECISIONS)}")
    if not isinstance(config.compile, bool):
        raise ParameterError(f"{path}: compile is {config.compile!r}; allowed are true and false")
    if config.class_weights and len(config.class_weights) != len(config.classes):
        raise ParameterError(
            f"{path}: class_weights has {len(config.class_weights)} values for "
            f"{len(config.classes)} classes; give one a class"
        )
    if not config.train:
        raise ParameterError(f"{path}: train is an empty list; give at least one set")
    for entry in config.train:
        apart = (config.validation.seed - entry.seed) % (SEEDS_APART if config.fresh_every else math.inf)
        if entry.preset == config.validation.preset and apart == 0:
            raise ParameterError(
                f"{path}: train and validation both have preset {entry.preset!r} with seed "
                f"{config.validation.seed}, so the same scenes; give validation another seed"
            )


def shipped_config(name):
    """Path of the configuration that ships under `name`; `name` itself where it is a path."""
    shipped = Path(__file__).resolve().parent / "configs" / f"{name}.yml"
    return shipped if shipped.exists() and not Path(name).exists() else Path(name)
