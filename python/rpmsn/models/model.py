# SPDX-License-Identifier: GPL-3.0-or-later
"""Models: a card (YAML, says everything the code needs to know) beside its weights (safetensors, fp16, and ONNX)."""

import hashlib
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field
from typing_extensions import TypedDict

from .. import network
from ..classes import CLASS_NAMES, NOISE
from ..errors import ModelError
from ..files import read_yaml, to_yaml, whole_file
from ..signal import image as spectrogram
from ..validation import STRICT, FileName, RateRange, Sha256, adapter, check_rates, checked, faults, one_of
from . import DEFAULT_MODEL
from .arguments import check_arguments
from .decision import Decision

if TYPE_CHECKING:
    import torch

SHIPPED = Path(__file__).resolve().parent
EXPORTS = ("onnx", "onnx-int8")
"""Keys of `ModelCard.exports`: float32, and int8 (QDQ)."""
FRAME_SECONDS = (0.01, 0.2)
"""Shortest and longest frame."""
TEMPERATURES = (0.01, 100.0)
"""Least and greatest temperature: beyond, float32 probabilities are 0, 1, or all the same."""
HINTS = {
    "exports": "make the exports again with `rpmsn export`",
    "sha256": "restore card and weights together",
    "weights": "name the safetensors file beside the card",
}

ClassList = Annotated[list[Annotated[str, one_of(CLASS_NAMES)]], Field(min_length=2)]
FeatureSetName = Annotated[str, one_of(sorted(spectrogram.FEATURE_SETS))]
Architecture = Annotated[str, one_of(network.names())]


class ExportEntry(TypedDict):
    """What a card says of an exported file, beside how it was made and checked."""

    __pydantic_config__ = {**STRICT, "extra": "allow"}  # type: ignore[misc]
    file: FileName
    sha256: Sha256


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
        scores: how accurate it is, on what.
        licence: of the weights.
        temperature: what logits are divided by before the softmax, so that confidence is what it says.
        decision: how its segments are classified; None: by the network alone.
        exports: files for other runtimes beside the card: `onnx` (float32) and `onnx-int8`, each a dict of `file` and
            `sha256`, and of how it was made and checked.
    """

    __pydantic_config__ = STRICT

    name: FileName
    version: str
    architecture: Architecture
    arguments: dict[str, Any]
    classes: ClassList
    features: FeatureSetName
    frame_seconds: Annotated[float, Field(ge=FRAME_SECONDS[0], le=FRAME_SECONDS[1])]
    sample_rates: RateRange
    weights: FileName
    sha256: Sha256
    training: dict[str, Any] = field(default_factory=dict)
    scores: dict[str, Any] = field(default_factory=dict)
    licence: str = "GPL-3.0-or-later"
    temperature: Annotated[float, Field(ge=TEMPERATURES[0], le=TEMPERATURES[1])] = 1.0
    decision: Decision | None = None
    exports: dict[Annotated[str, one_of(EXPORTS)], ExportEntry] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The card as plain types, for YAML."""
        return asdict(self)


@dataclass(frozen=True)
class Model:
    """A card, and the folder where its weights lie."""

    card: ModelCard
    folder: Path

    def network(self) -> "torch.nn.Module":
        """Build the network, load the weights (torch is imported here) and return it in evaluation mode, fp32.

        Raises:
            ModelError: weights are missing, were changed since the card was written, or do not fit the architecture.
        """
        from safetensors import SafetensorError
        from safetensors.torch import load

        content, path = self.weights()
        try:
            built = network.create(self.card.architecture, **self.card.arguments)
            built.load_state_dict({name: values.float() for name, values in load(content).items()})
        except (SafetensorError, RuntimeError, MemoryError) as error:
            faults = [line.strip() for line in str(error).splitlines()]
            raise ModelError(
                f"weights {path} do not fit architecture {self.card.architecture!r} with "
                f"{self.card.arguments}: {' '.join(faults[:2])}"
            ) from error
        return built.eval()

    def weights(self) -> tuple[bytes, Path]:
        """Content and path of the weights.

        Raises:
            ModelError: they are missing, or were changed since the card was written.
        """
        path = self.folder / self.card.weights
        return self._checked(path, self.card.sha256, "weights", "restore both files together"), path

    def export_path(self, key: str) -> Path:
        """Path of an exported file: `key` is one of the card's `exports`."""
        return self.folder / self.card.exports[key]["file"]

    def exported(self, key: str) -> tuple[bytes, Path]:
        """Content and path of an exported file.

        Raises:
            ModelError: it is missing, or was changed since the card was written.
        """
        path = self.export_path(key)
        content = self._checked(path, self.card.exports[key]["sha256"], "export", "make it again with `rpmsn export`")
        return content, path

    def _checked(self, path: Path, sha256: str, what: str, next_step: str) -> bytes:
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


def available_models() -> list[str]:
    """Names of the models that ship, sorted."""
    return sorted(path.stem for path in SHIPPED.glob("*.yml"))


def load_model(name: str | os.PathLike = DEFAULT_MODEL) -> Model:
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


def card_schema() -> dict[str, Any]:
    """JSON schema of a card, as docs/model-card.schema.json has it; which values fit each other it does not say."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **adapter(ModelCard).json_schema()}


def _card(values: Any, path: Path) -> ModelCard:
    """A checked card from what the YAML file holds."""
    where = f"model card {path}"
    card = checked(ModelCard, values, where, ModelError, hints=HINTS)
    wrong = check_rates(card.sample_rates)
    if len(set(card.classes)) < len(card.classes):
        wrong.append(f"classes is {card.classes}, but each class is needed once")
    if CLASS_NAMES[NOISE] not in card.classes:
        wrong.append(f"classes is {card.classes}, but {CLASS_NAMES[NOISE]} is needed among them")
    if card.decision is not None:
        if sorted(card.classes) != sorted(CLASS_NAMES):
            wrong.append(f"decision needs classes {', '.join(CLASS_NAMES)}; the model has {', '.join(card.classes)}")
        wrong += card.decision.faults()
    if wrong:
        raise faults(where, wrong, ModelError)
    check_arguments(card.architecture, card.arguments, card.features, len(card.classes), where, ModelError)
    return card


def save_model(built: "torch.nn.Module", card_values: dict[str, Any], folder: str | os.PathLike) -> Path:
    """Write weights and card: in fp16, but for an array with numbers that fp16 cannot hold, as variances may be.

    Args:
        built: the network.
        card_values: dict of the card's keys without `weights` and `sha256`.
        folder: where; made if it is not there.

    Returns:
        Path of the card.
    """
    from safetensors.torch import save

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    halves = {name: _half(values).contiguous() for name, values in built.state_dict().items()}
    content = save(halves)
    weights = f"{card_values['name']}.safetensors"
    with whole_file(folder / weights) as file:
        file.write(content)
    card = ModelCard(**card_values, weights=weights, sha256=hashlib.sha256(content).hexdigest())
    return save_card(card, folder)


def _half(values: "torch.Tensor") -> "torch.Tensor":
    """Values in fp16, where they are numbers of which it holds all."""
    if not values.is_floating_point():
        return values
    half = values.half()
    return half if half.isfinite().all() else values


def save_card(card: ModelCard, folder: str | os.PathLike) -> Path:
    """Write a card as `<name>.yml`, whole or not at all; returns its path.

    Raises:
        ModelError: it is no card that `load_model` would read.
    """
    path = Path(folder) / f"{card.name}.yml"
    _card(card.to_dict(), path)
    with whole_file(path) as file:
        file.write(to_yaml(card.to_dict()).encode())
    return path
