# SPDX-License-Identifier: GPL-3.0-or-later
"""Models: a card (YAML, says everything the code needs to know) beside its weights (safetensors, fp16, and ONNX)."""

import hashlib
import math
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

import yaml

from .. import network
from ..classes import CLASS_NAMES
from ..errors import ModelError, ParameterError
from ..files import read_yaml, whole_file
from ..signal import image as spectrogram
from . import DEFAULT_MODEL

SHIPPED = Path(__file__).resolve().parent
EXPORTS = ("onnx", "onnx-int8")
"""Keys of `ModelCard.exports`: float32, and int8 (QDQ)."""


@dataclass(frozen=True)
class ModelCard:
    """What a model is.

    Attributes:
        name, version: which model.
        architecture, arguments: what `rpmsn.network.create` is called with.
        classes: names in the order of the network's outputs.
        features: feature set that it was trained on (`rpmsn.signal.image.FEATURE_SETS`).
        frame_seconds: length of a frame.
        sample_rates: lowest and highest rate that it was trained for, Hz.
        weights: name of the safetensors file beside the card.
        sha256: of that file.
        training: how it was made: config, seeds, time, machine.
        scores: how right it is, on what.
        licence: of the weights.
        temperature: what logits are divided by before the softmax, so that confidence is what it says.
        exports: files for other runtimes beside the card: `onnx` (float32) and `onnx-int8`, each a dict of `file` and
            `sha256`, and of how it was made and checked.
    """

    name: str
    version: str
    architecture: str
    arguments: dict
    classes: list
    features: str
    frame_seconds: float
    sample_rates: list
    weights: str
    sha256: str
    training: dict = field(default_factory=dict)
    scores: dict = field(default_factory=dict)
    licence: str = "GPL-3.0-or-later"
    temperature: float = 1.0
    exports: dict = field(default_factory=dict)

    def to_dict(self):
        """The card as plain types, for YAML."""
        return asdict(self)


@dataclass(frozen=True)
class Model:
    """A card, and the folder where its weights lie."""

    card: ModelCard
    folder: Path

    def network(self):
        """Build the network, load the weights (torch is imported here) and return it in evaluation mode, fp32.

        Raises:
            ModelError: weights are missing, were changed since the card was written, or do not fit the architecture.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load

        path = self.folder / self.card.weights
        content = self._checked(path, self.card.sha256, "weights", "restore both files together")
        built = network.create(self.card.architecture, **self.card.arguments)
        try:
            built.load_state_dict({name: values.float() for name, values in load(content).items()})
        except (SafetensorError, RuntimeError) as error:
            faults = [line.strip() for line in str(error).splitlines()]
            raise ModelError(
                f"weights {path} do not fit architecture {self.card.architecture!r} with "
                f"{self.card.arguments}: {' '.join(faults[:2])}"
            ) from error
        return built.eval()

    def export_path(self, key):
        """Path of an exported file: `key` is one of the card's `exports`."""
        return self.folder / self.card.exports[key]["file"]

    def exported(self, key):
        """Content and path of an exported file.

        Raises:
            ModelError: it is missing, or was changed since the card was written.
        """
        path = self.export_path(key)
        content = self._checked(path, self.card.exports[key]["sha256"], "export", "make it again with `rpmsn export`")
        return content, path

    def _checked(self, path, sha256, what, next_step):
        """Content of a file that the card names, which has to be the one that it was written for."""
        try:
            content = path.read_bytes()
        except OSError as error:
            raise ModelError(f"{what} {path} of model {self.card.name!r} cannot be read: {error.strerror}") from error
        if hashlib.sha256(content).hexdigest() != sha256:
            raise ModelError(
                f"{what} {path} is not what the card of model {self.card.name!r} was written for "
                f"(sha256 differs); {next_step}"
            )
        return content


def available_models():
    """Names of the models that ship, sorted."""
    return sorted(path.stem for path in SHIPPED.glob("*.yml"))


def load_model(name=DEFAULT_MODEL):
    """Find a model and read its card; weights are loaded later, by `Model.network`.

    Args:
        name: name of a model that ships, or the path of a card (`.yml`).

    Raises:
        ModelError: no such model (the message lists those there are), or the card is not a card.
    """
    path = Path(name)
    if path.suffix != ".yml":
        path = SHIPPED / f"{name}.yml"
        if not path.exists():
            raise ModelError(
                f"model {str(name)!r} is unknown; there are: {', '.join(available_models()) or 'none'}; "
                "or give the path of a model card (.yml)"
            )
    return Model(_card(read_yaml(path, "model card", ModelError), path), path.parent)


def _card(values, path):
    """A checked card from what the YAML file holds."""
    if not isinstance(values, dict):
        raise ModelError(f"model card {path} holds {type(values).__name__}, but a mapping of keys is needed")
    known = {entry.name for entry in fields(ModelCard)}
    wrong = sorted(set(values) - known)
    if wrong:
        raise ModelError(f"model card {path}: unknown key {wrong[0]!r}; this version of gr-rpmsn knows {sorted(known)}")
    try:
        card = ModelCard(**values)
    except TypeError as error:
        raise ModelError(f"model card {path} is incomplete: {str(error).split(') ')[-1]}") from error
    unknown = [name for name in card.classes if name not in CLASS_NAMES]
    if unknown:
        raise ModelError(f"model card {path}: class {unknown[0]!r} is unknown; allowed are {', '.join(CLASS_NAMES)}")
    try:
        channels = spectrogram.feature_set(card.features).channels
    except ParameterError as error:
        raise ModelError(f"model card {path}: {error}") from error
    if card.arguments.get("in_channels") != channels or card.arguments.get("classes") != len(card.classes):
        raise ModelError(
            f"model card {path}: arguments {card.arguments} do not agree with feature set {card.features!r} "
            f"({channels} channels) and {len(card.classes)} classes"
        )
    if not _is_number(card.temperature) or not 0 < card.temperature < math.inf:
        raise ModelError(f"model card {path}: temperature is {card.temperature!r}, but a number above 0 is allowed")
    _check_exports(card.exports, path)
    return card


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _check_exports(exports, path):
    """Raise a ModelError unless every entry is of a known kind and names a file beside the card, and its sha256."""
    if not isinstance(exports, dict) or set(exports) - set(EXPORTS):
        raise ModelError(
            f"model card {path}: exports are {exports!r}, but a mapping with the keys "
            f"{', '.join(EXPORTS)} is allowed; make them again with `rpmsn export`"
        )
    for key, entry in exports.items():
        names = [entry.get(name) for name in ("file", "sha256")] if isinstance(entry, dict) else [None]
        if not all(isinstance(name, str) for name in names) or Path(names[0]).name != names[0]:
            raise ModelError(
                f"model card {path}: export {key!r} is {entry!r}, but the name of a file beside the card "
                "(file) and its sha256 are needed; make it again with `rpmsn export`"
            )


def save_model(built, card_values, folder):
    """Write weights (fp16) and card.

    Args:
        built: the network.
        card_values: dict of the card's keys without `weights` and `sha256`.
        folder: where; made if it is not there.

    Returns:
        Path of the card.
    """
    import torch
    from safetensors.torch import save

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    halves = {
        name: (values.half() if torch.is_floating_point(values) else values).contiguous()
        for name, values in built.state_dict().items()
    }
    content = save(halves)
    weights = f"{card_values['name']}.safetensors"
    with whole_file(folder / weights) as file:
        file.write(content)
    card = ModelCard(**card_values, weights=weights, sha256=hashlib.sha256(content).hexdigest())
    return save_card(card, folder)


def save_card(card, folder):
    """Write a card as `<name>.yml`, whole or not at all; returns its path."""
    path = Path(folder) / f"{card.name}.yml"
    with whole_file(path) as file:
        file.write(yaml.safe_dump(card.to_dict(), sort_keys=False, width=110).encode())
    return path
