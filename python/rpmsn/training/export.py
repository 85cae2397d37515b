# SPDX-License-Identifier: GPL-3.0-or-later
"""`rpmsn export`: a model's network as ONNX files beside its card, for stations that run it without torch, and faster.

`NAME.onnx` is float32; numbers that float16 holds exactly, as it does all weights of a card, are stored so, in half
the space. `NAME.int8.onnx` has quantised convolutions, with ranges from images of the kind that the model was trained
on. ONNX Runtime and OpenVINO both read both. Every file is compared with torch before anything is written.
"""

import hashlib
import io
import logging
import os
import tempfile
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from .. import installation, runtimes
from ..errors import MissingLibraryError, ModelError, ParameterError
from ..files import whole_file
from ..models.model import EXPORTS, ExportEntry, Model, ModelCard, save_card
from ..progress import progress_bar
from ..runtimes.libraries import load
from ..runtimes.torch_runtime import TorchRuntime
from ..signal import image as spectrogram
from .dataset import find_shards, read_description, shard_file

log = logging.getLogger(__name__)

FORMATS = (*EXPORTS, "all")
OPSET = 17
TOLERANCE = 1e-3
"""Largest difference in probability between torch and a float32 file; what is left is the order of sums."""
CALIBRATION_IMAGES = 128
CHECKED_IMAGES = 16
QUANTISED = ("Conv", "Relu", "Add", "Resize", "MaxPool", "AveragePool", "DepthToSpace")
"""Operations in int8. Not Concat: OpenVINO 2026.4 crashes where a normalisation of its own follows a quantised one."""
ENDINGS = {"onnx": "onnx", "onnx-int8": "int8.onnx"}


@dataclass(frozen=True)
class Exported:
    """One file that was written.

    Attributes:
        path: where.
        facts: what the card says of it: `file`, `sha256`, how it was made, and how far it agrees with torch.
    """

    path: Path
    facts: dict


def export(
    model: Model,
    formats: str = "all",
    calibration: str | os.PathLike | None = None,
    output: str | os.PathLike | None = None,
    quiet: bool = False,
) -> list[Exported]:
    """Write a model's ONNX files, and list them in its card.

    Args:
        model: rpmsn.models.model.Model.
        formats: `onnx`, `onnx-int8` or `all`.
        calibration: folder of a set with images of the card's feature set (`rpmsn synth --as set`); for int8.
        output: folder, made if it is not there; it gets card and weights too. None for where the model is.
        quiet: no progress bar.

    Returns:
        list of Exported.

    Raises:
        ParameterError: an unknown format, or a calibration set that is missing or of another kind.
        MissingLibraryError: torch, onnx or onnxruntime is not installed.
        ModelError: what came out does not agree with torch; nothing was written then.
    """
    if formats not in FORMATS:
        raise ParameterError(f"format is {formats!r}, but {', '.join(FORMATS)} are allowed")
    keys = EXPORTS if formats == "all" else (formats,)
    for library in ("torch", "onnx", "onnxruntime"):
        _need(library)
    images = calibration_images(model.card, calibration) if "onnx-int8" in keys else _random_images(model.card)
    folder = Path(output) if output else model.folder
    made = {"onnx": lambda: float32_file(model), "onnx-int8": lambda: int8_file(model, images, quiet)}
    written = []
    with tempfile.TemporaryDirectory() as trial_folder:
        trial = Model(model.card, Path(trial_folder))
        (trial.folder / model.card.weights).write_bytes((model.folder / model.card.weights).read_bytes())
        for key in keys:
            content = made[key]()
            facts: dict[str, Any] = {
                "file": f"{model.card.name}.{ENDINGS[key]}",
                "sha256": hashlib.sha256(content).hexdigest(),
            }
            (trial.folder / facts["file"]).write_bytes(content)
            trial = _listed(trial, key, facts)
            facts |= check(trial, key, images)
            trial = _listed(trial, key, facts)
            written.append(Exported(folder / facts["file"], facts))
        folder.mkdir(parents=True, exist_ok=True)
        for name in (model.card.weights, *(entry.facts["file"] for entry in written)):
            if (folder / name) != (model.folder / model.card.weights):
                with whole_file(folder / name) as file:
                    file.write((trial.folder / name).read_bytes())
    save_card(_with_those_there(trial.card, folder), folder)
    return written


def calibration_images(card: ModelCard, folder: str | os.PathLike | None) -> np.ndarray:
    """Images of a set, evenly spread over it.

    Args:
        card: of the model that is to see them.
        folder: of the set; None raises the error that says how to make one.

    Returns:
        float32, shape (at most `CALIBRATION_IMAGES`, channels, 256, 256), 0..1.
    """
    make = (
        f"make one with: rpmsn synth --as set --preset any_rate --features {card.features} "
        f"--count {CALIBRATION_IMAGES} --output FOLDER"
    )
    if folder is None:
        raise ParameterError(f"int8 needs a calibration set (--calibration FOLDER); {make}; or choose --format onnx")
    folder = Path(folder)
    numbers = find_shards(folder)
    if not numbers:
        raise ParameterError(f"calibration set {folder} holds no shard of a set; {make}")
    features = _features_of(folder)
    shards = [np.load(shard_file(folder, number, "images.npy"), mmap_mode="r") for number in numbers]
    wanted = (spectrogram.feature_set(card.features).channels, spectrogram.ROWS, spectrogram.COLUMNS)
    if features != card.features or any(shard.shape[1:] != wanted for shard in shards):
        raise ParameterError(
            f"calibration set {folder} has images of feature set {features!r} and shape "
            f"{shards[0].shape[1:]}, but model {card.name!r} takes feature set {card.features!r} and shape "
            f"{wanted}; {make}"
        )
    places = [(shard, index) for shard in shards for index in range(len(shard))]
    chosen = np.linspace(0, len(places) - 1, min(len(places), CALIBRATION_IMAGES)).astype(int)
    return np.stack([places[place][0][places[place][1]] for place in chosen]).astype(np.float32) / 255


def float32_file(model: Model) -> bytes:
    """The network as an ONNX file, in bytes: input `images`, output `logits`, any batch size."""
    import torch

    # Normalisations stay as they are: folded into convolutions, the weights would no longer be exact in float16.
    graph = _traced(model, torch.onnx.TrainingMode.PRESERVE)
    _halve_what_is_exact(graph)
    return graph.SerializeToString()


def int8_file(model: Model, images: np.ndarray, quiet: bool = False) -> bytes:
    """The network with quantised convolutions as an ONNX file, in bytes: calibrated on `images`.

    Activations are uint8 with a zero point, weights int8 without one, and a scale for every channel: of the settings
    that both runtimes compute, the fastest in both (docs/experiments/speed.md has the measurement).
    """
    import torch

    load("onnxruntime")
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static

    with tempfile.TemporaryDirectory() as folder, _quiet_root_logger():
        source, target = Path(folder) / "float32.onnx", Path(folder) / "int8.onnx"
        source.write_bytes(_traced(model, torch.onnx.TrainingMode.EVAL).SerializeToString())
        with progress_bar(len(images), "image", f"calibrating {model.card.name}", quiet) as progress:
            quantize_static(
                str(source),
                str(target),
                _Reader(images, progress),
                quant_format=QuantFormat.QDQ,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                per_channel=True,
                op_types_to_quantize=list(QUANTISED),
                calibrate_method=CalibrationMethod.MinMax,
            )
        return target.read_bytes()


def check(model: Model, key: str, images: np.ndarray) -> dict[str, float]:
    """Run an exported file on every runtime that is here, and compare it with torch.

    Args:
        model: with the file in its folder, and listed in its card.
        key: of `EXPORTS`.
        images: float32, shape (n, channels, 256, 256).

    Returns:
        dict for the card: `largest_difference` of a probability, and for int8 `calibration_images` and `agreement`, the
        fraction of pixels in which torch finds the same class.

    Raises:
        ModelError: a float32 file that differs by more than `TOLERANCE`.
    """
    names = [name for name in runtimes.available(model) if runtimes.KINDS[name].export == key]
    # The first two at once: a file has to take any batch size.
    batches = [images[:2], *(images[index : index + 1] for index in _spread(len(images)))]
    reference = TorchRuntime(model, threads=1)
    expected = [reference.probabilities(batch) for batch in batches]
    difference, agreement = 0.0, 1.0
    for name in names:
        runtime = runtimes.create(model, name)
        found = [runtime.probabilities(batch) for batch in batches]
        largest = max(float(np.abs(mine - theirs).max()) for mine, theirs in zip(found, expected))
        alike = float(
            np.mean([(mine.argmax(1) == theirs.argmax(1)).mean() for mine, theirs in zip(found[1:], expected[1:])])
        )
        log.info(
            "%s against torch: probabilities differ by %.2g at most, the class is the same in %.2f %% of pixels",
            name,
            largest,
            100 * alike,
        )
        difference, agreement = max(difference, largest), min(agreement, alike)
    if key == "onnx-int8":
        return {"calibration_images": len(images), "agreement": round(agreement, 5)}
    if not difference <= TOLERANCE:
        raise ModelError(
            f"the exported network of {model.card.name!r} differs from torch by {difference:.2g} in "
            f"probability, more than {TOLERANCE:g}; nothing was written. Its architecture "
            f"{model.card.architecture!r} does something that ONNX opset {OPSET} does otherwise"
        )
    return {"largest_difference": float(f"{difference:.2g}")}


class _Reader:
    """Hands images to the quantiser, one by one, as it asks for them."""

    def __init__(self, images: np.ndarray, progress: Any) -> None:
        self._images = iter(images)
        self._progress = progress

    def get_next(self) -> dict[str, np.ndarray] | None:
        image = next(self._images, None)
        if image is None:
            return None
        self._progress.update()
        return {"images": image[None]}


class _quiet_root_logger:
    """Keeps the quantiser's advice, which it gives on the root logger, out of ours."""

    def __enter__(self) -> None:
        self._level = logging.getLogger().level
        logging.getLogger().setLevel(logging.ERROR)

    def __exit__(self, *_: object) -> None:
        logging.getLogger().setLevel(self._level)


def _traced(model: Model, training: Any) -> Any:
    """The network as an ONNX graph with fixed shapes but for the batch."""
    import onnx
    import torch

    content = io.BytesIO()
    image = torch.zeros(1, model.card.arguments["in_channels"], spectrogram.ROWS, spectrogram.COLUMNS)
    with warnings.catch_warnings():
        # Shape checks in Python become constants, which is right here; the exporter that follows this one in torch
        # needs a library more.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model.network(),
            (image,),
            content,  # type: ignore[arg-type]
            opset_version=OPSET,
            dynamo=False,
            training=training,
            input_names=["images"],
            output_names=["logits"],
            dynamic_axes={"images": {0: "batch"}, "logits": {0: "batch"}},
        )
    graph = onnx.load_from_string(content.getvalue())
    sizes = graph.graph.output[0].type.tensor_type.shape.dim
    for size, value in zip(sizes[1:], (len(model.card.classes), spectrogram.ROWS, spectrogram.COLUMNS)):
        size.dim_value = value
    return graph


def _halve_what_is_exact(graph: Any) -> None:
    """Store every number array that float16 holds without loss as such, with a cast back to float32 in the graph."""
    from onnx import TensorProto, helper, numpy_helper

    casts = []
    for tensor in graph.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32:
            continue
        with np.errstate(over="ignore"):
            halves = values.astype(np.float16)
        if (halves.astype(np.float32) == values).all():
            name = tensor.name
            tensor.CopyFrom(numpy_helper.from_array(halves, f"{name}.float16"))
            casts.append(helper.make_node("Cast", [tensor.name], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.graph.node]
    del graph.graph.node[:]
    graph.graph.node.extend(nodes)


def _need(library: str) -> None:
    """Raise a MissingLibraryError unless a library can be imported."""
    try:
        __import__(library)
    except ImportError as error:
        raise MissingLibraryError(
            f"`rpmsn export` needs the Python package {library} ({error}); install it: "
            f"{installation.how_to_add(library)}"
        ) from error


def _features_of(folder: Path) -> str:
    """Feature set of a set."""
    try:
        return read_description(folder)["features"]
    except ParameterError as error:
        raise ParameterError(
            f"set.yml of calibration set {folder} does not name the feature set of its images ({error}); make the set "
            "with `rpmsn synth --as set`"
        ) from error


def _random_images(card: ModelCard) -> np.ndarray:
    """Images for a check where there is no set: noise finds a wrong graph as well."""
    shape = (4, card.arguments["in_channels"], spectrogram.ROWS, spectrogram.COLUMNS)
    return np.random.default_rng(1).random(shape, np.float32)


def _spread(count: int) -> np.ndarray:
    """Numbers of the images that are compared."""
    return np.unique(np.linspace(0, count - 1, min(count, CHECKED_IMAGES)).astype(int))


def _listed(model: Model, key: str, facts: dict[str, Any]) -> Model:
    """The model with one more export, or another one, in its card."""
    return replace(model, card=replace(model.card, exports={**model.card.exports, key: cast(ExportEntry, facts)}))


def _with_those_there(card: ModelCard, folder: Path) -> ModelCard:
    """The card without exports of before that are not in `folder`."""
    there = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.onnx")}
    return replace(
        card,
        exports={
            key: entry for key, entry in sorted(card.exports.items()) if there.get(entry["file"]) == entry["sha256"]
        },
    )
