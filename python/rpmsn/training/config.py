# SPDX-License-Identifier: GPL-3.0-or-later
"""What is trained on what: the YAML file that `rpmsn train` reads.

Everything that decides the result stands in it, so that the same file gives the same model again.
"""
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path

import yaml

from .. import spectrogram
from ..classes import CLASS_NAMES
from ..errors import ParameterError
from .dataset import SetConfig


@dataclass(frozen=True)
class TrainingConfig:
    """One training run.

    Attributes:
        name: name of the model that comes out.
        version: its version.
        architecture: name in `rpmsn.network.REGISTRY`.
        arguments: of that network; `in_channels` and `classes` have to agree with `recipe` and `classes`.
        classes: names in the order of the network's outputs.
        recipe: image recipe, of both sets too.
        sample_rates: lowest and highest rate that the model is for, Hz.
        train, validation: the sets.
        epochs, batch_size, learning_rate, weight_decay: of AdamW with one warm-up and a cosine to zero.
        class_weights: weight of each class in the loss.
        seed: of initial weights, order and augmentation.
        checkpoint_seconds: how often a checkpoint is written, beside one at the end of every epoch.
    """

    name: str
    version: str
    architecture: str
    arguments: dict
    sample_rates: list
    train: SetConfig
    validation: SetConfig
    epochs: int
    learning_rate: float
    batch_size: int = 16
    weight_decay: float = 1e-4
    classes: list = field(default_factory=lambda: list(CLASS_NAMES))
    class_weights: list = field(default_factory=lambda: [1.0] * len(CLASS_NAMES))
    recipe: str = "averaged"
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
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ParameterError(f"training config {path} cannot be read: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise ParameterError(f"training config {path} is not valid YAML: {error}") from error
    if not isinstance(values, dict):
        raise ParameterError(f"training config {path} holds {type(values).__name__}, but a mapping of keys is needed")
    for name in ("train", "validation"):
        if name in values:
            values[name] = _build(SetConfig, values[name], f"{path}, key {name!r}")
    config = _build(TrainingConfig, values, str(path))
    _check(config, path)
    return replace(config, train=replace(config.train, recipe=config.recipe),
                   validation=replace(config.validation, recipe=config.recipe))


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
    recipe = spectrogram.recipe(config.recipe)
    wrong = [name for name in config.classes if name not in CLASS_NAMES]
    if wrong:
        raise ParameterError(f"{path}: class {wrong[0]!r} is unknown; allowed are {', '.join(CLASS_NAMES)}")
    for key, value in (("in_channels", recipe.channels), ("classes", len(config.classes))):
        if config.arguments.get(key) != value:
            raise ParameterError(f"{path}: arguments has {key}: {config.arguments.get(key)}, but recipe and classes "
                                 f"ask for {key}: {value}")
    for key in ("epochs", "batch_size", "learning_rate"):
        value = getattr(config, key)
        if not isinstance(value, (int, float)) or value <= 0:
            raise ParameterError(f"{path}: {key} is {value!r}, but a number above 0 is needed "
                                 "(in YAML 2.0e-3, with the point)")
    if len(config.class_weights) != len(config.classes):
        raise ParameterError(f"{path}: class_weights has {len(config.class_weights)} values for "
                             f"{len(config.classes)} classes; give one a class")


def shipped_config(name):
    """Path of the configuration that ships under `name`; `name` itself where it is a path."""
    shipped = Path(__file__).resolve().parent / "configs" / f"{name}.yml"
    return shipped if shipped.exists() and not Path(name).exists() else Path(name)
