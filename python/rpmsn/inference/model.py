# SPDX-License-Identifier: GPL-3.0-or-later
"""Models: a card (YAML, says everything the code needs to know) beside its weights (safetensors, fp16)."""
import hashlib
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

import yaml

from .. import network, spectrogram
from ..classes import CLASS_NAMES
from ..errors import ModelError, ParameterError
from ..files import whole_file
from ..models import DEFAULT_MODEL

SHIPPED = Path(__file__).resolve().parent.parent / "models"


@dataclass(frozen=True)
class ModelCard:
    """What a model is.

    Attributes:
        name, version: which model.
        architecture, arguments: what `rpmsn.network.create` is called with.
        classes: names in the order of the network's outputs.
        recipe: image recipe that it was trained on (`rpmsn.spectrogram.RECIPES`).
        frame_seconds: length of a frame.
        sample_rates: lowest and highest rate that it was trained for, Hz.
        weights: name of the safetensors file beside the card.
        sha256: of that file.
        training: how it was made: config, seeds, time, machine.
        scores: how right it is, on what.
        licence: of the weights.
    """

    name: str
    version: str
    architecture: str
    arguments: dict
    classes: list
    recipe: str
    frame_seconds: float
    sample_rates: list
    weights: str
    sha256: str
    training: dict = field(default_factory=dict)
    scores: dict = field(default_factory=dict)
    licence: str = "GPL-3.0-or-later"

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
        try:
            content = path.read_bytes()
        except OSError as error:
            raise ModelError(f"weights {path} of model {self.card.name!r} cannot be read: {error.strerror}") from error
        if hashlib.sha256(content).hexdigest() != self.card.sha256:
            raise ModelError(f"weights {path} are not those that the card of model {self.card.name!r} was written for "
                             "(sha256 differs); restore both files together")
        built = network.create(self.card.architecture, **self.card.arguments)
        try:
            built.load_state_dict({name: values.float() for name, values in load(content).items()})
        except (SafetensorError, RuntimeError) as error:
            raise ModelError(f"weights {path} do not fit architecture {self.card.architecture!r} with "
                             f"{self.card.arguments}: {error}") from error
        return built.eval()


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
            raise ModelError(f"model {str(name)!r} is unknown; there are: {', '.join(available_models()) or 'none'}; "
                             "or give the path of a model card (.yml)")
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(f"model card {path} cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ModelError(f"model card {path} is not valid YAML: {error}") from error
    return Model(_card(values, path), path.parent)


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
        channels = spectrogram.recipe(card.recipe).channels
    except ParameterError as error:
        raise ModelError(f"model card {path}: {error}") from error
    if card.arguments.get("in_channels") != channels or card.arguments.get("classes") != len(card.classes):
        raise ModelError(f"model card {path}: arguments {card.arguments} do not agree with recipe {card.recipe!r} "
                         f"({channels} channels) and {len(card.classes)} classes")
    return card


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
    halves = {name: (values.half() if torch.is_floating_point(values) else values).contiguous()
              for name, values in built.state_dict().items()}
    content = save(halves)
    weights = f"{card_values['name']}.safetensors"
    with whole_file(folder / weights) as file:
        file.write(content)
    card = ModelCard(**card_values, weights=weights, sha256=hashlib.sha256(content).hexdigest())
    path = folder / f"{card.name}.yml"
    with whole_file(path) as file:
        file.write(yaml.safe_dump(card.to_dict(), sort_keys=False, width=110).encode())
    return path
