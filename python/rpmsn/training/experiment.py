# SPDX-License-Identifier: GPL-3.0-or-later
"""An experiment: systems that are trained alike on the same scenes, and scored in one table.

    python -m rpmsn.training.experiment [--config published-experiment] --output runs/published [--only unet fpn]

What is trained on what stands in a configuration: `published-experiment` compares RPMSN with six other networks,
`real-time-experiment` forms of the real-time network. The folder gets the sets (one kind of image each in
`sets-FEATURES`), a folder for each system with its checkpoint, model and `scores.json`, and `table.md` and `table.json`
with a row for every system, trained or not. Stopped at any moment, the same command goes on where it was;
`--stop-after` ends it in time where machines are lent by the minute.
"""

import argparse
import json
import logging
import math
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
from pydantic import Field

from .. import network
from ..errors import MissingLibraryError, ParameterError, RpmsnError
from ..files import read_yaml, to_yaml, whole_file
from ..models.model import load_model
from ..network.shapes import count_macs, count_parameters
from ..signal import image as spectrogram
from ..tables import markdown_table, percent
from ..validation import STRICT, FileName, checked
from .authors import imported_set
from .config import SetList, TrainingConfig, checked_config, shipped_config
from .dataset import Images, ImageSet, build_set, find_shards, read_truths
from .evaluation import scores
from .sets import open_set
from .train import Trainer, predictions

CONFIG = "published-experiment"
BINS = {
    "-10..0": (-10, 0),
    "0..10": (0, 10),
    "10..20": (10, 20),
    "20..30": (20, 30),
    "40": (30, 45),
    "50": (45, 60),
    "100": (60, 150),
}
"""Name of a range of SNR over the span -> from (included) and to (excluded), dB."""
POOLS = {"all": -math.inf, "0 dB and above": 0, "20 dB and above": 20}
"""Name of a sum of ranges -> lowest SNR in it, dB."""
UNKNOWN = "unknown"
"""Stands for a range where a scene's SNR over the whole span is not known: imported images, other presets."""
MEASURES = ("mean_accuracy", "mean_recall", "mean_iou", "mean_f1")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ExperimentConfig:
    """An experiment's file.

    Attributes:
        about: what it is, as the tables name it.
        tests: sets for testing; the first one is the validation set too.
        systems: name -> the keys in which a system differs, and its `title`.
        common: keys of a training configuration, for all systems.
    """

    __pydantic_config__ = STRICT

    about: str
    tests: SetList
    systems: Annotated[dict[FileName, dict[str, Any]], Field(min_length=1)]
    common: dict[str, Any]


@dataclass(frozen=True)
class SystemText:
    """What a system has beside the keys of a training configuration."""

    __pydantic_config__ = STRICT

    title: str


@dataclass(frozen=True)
class System:
    """A system of an experiment.

    Attributes:
        title: as the tables name it.
        config: that it is trained by.
    """

    title: str
    config: TrainingConfig


class Experiment:
    """The systems of a configuration, and the folder with what became of them.

    Args:
        folder: output; made if it is not there.
        config_path: YAML file, or the name of one that ships.
        size: rows and columns that the networks see, 256 or an integer part of it.
        scenes: number of training scenes; those of the configuration if None.
        epochs: how often each is seen; as configured if None.
        imported: folder that `rpmsn import-authors` made, whose sets take the place of the synthetic ones.

    Raises:
        ParameterError: the configuration or an argument cannot be used.
    """

    def __init__(
        self,
        folder: str | os.PathLike,
        config_path: str | os.PathLike = CONFIG,
        size: int = spectrogram.ROWS,
        scenes: int | None = None,
        epochs: int | None = None,
        imported: str | os.PathLike | None = None,
    ) -> None:
        if size not in (256, 128, 64):
            raise ParameterError(f"size is {size}, but 256, 128 or 64 is needed")
        self.folder = Path(folder)
        self.imported = Path(imported) if imported else None
        chosen = {
            "config": None if config_path == CONFIG else config_path,
            "size": None if size == 256 else size,
            "scenes": scenes,
            "epochs": epochs,
            "imported": imported,
        }
        self.options = "".join(f" --{key} {value}" for key, value in chosen.items() if value is not None)
        path = shipped_config(config_path)
        read = _read(path)
        self.about, self.tests = read.about, read.tests
        self.systems = {}
        for name, values in read.systems.items():
            system = _system(name, values, read, size, f"experiment {path}")
            self.systems[name] = replace(system, config=_shortened(system.config, scenes, epochs))
        if self.imported:
            self.systems = {
                name: system for name, system in self.systems.items() if system.config.features == "published"
            }

    def chosen(self, only: Sequence[str] | None = None) -> list[str]:
        """Names of the systems to train: those asked for, or all.

        Raises:
            ParameterError: there is no such system.
        """
        wrong = [name for name in only or () if name not in self.systems]
        if wrong:
            raise ParameterError(f"system {wrong[0]!r} is unknown; there are: {', '.join(self.systems)}")
        return list(only or self.systems)

    def config(self, name: str) -> TrainingConfig:
        """TrainingConfig of a system; its file is `config.yml` in the system's folder."""
        config = self.systems[name].config
        path = self.folder / name / "config.yml"
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as file:
            file.write(to_yaml(config.to_dict()).encode())
        if self.imported:
            config = replace(
                config,
                train=[imported_set(self.imported / "train")],
                validation=imported_set(self.imported / "validation"),
            )
        return config

    def sets(self, features: str) -> Path:
        """Folder of the sets with one kind of image."""
        return self.imported or self.folder / f"sets-{features}"

    def train(self, name: str, workers: int, stop_after: float | None = None) -> bool:
        """Train a system, or go on with it, and score it; returns whether it is done.

        Args:
            name: which.
            workers: processes that make scenes, threads that train.
            stop_after: minutes after which to stop with a checkpoint; None for never.

        Raises:
            MissingLibraryError: its library is not installed.
            RpmsnError: as of `Trainer`.
        """
        config = self.config(name)
        card = self.folder / name / f"{name}.yml"
        if not card.exists():
            sets, command = self.sets(config.features), self.command(name)
            trainer = Trainer(config, card.parent, workers, sets, stop_after, command=command)
            if trainer.run() is None:
                return False
        self.score(name, config, workers)
        return True

    def score(self, name: str, config: TrainingConfig, workers: int) -> Path:
        """Write `scores.json` of a trained system: its confusion matrices by SNR; returns its path."""
        model = load_model(self.folder / name / f"{name}.yml")
        path = self.folder / name / "scores.json"
        if path.exists() and json.loads(path.read_text(encoding="utf-8"))["sha256"] == model.card.sha256:
            return path
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        torch.set_num_threads(workers)
        built = model.network().to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        matrices: dict[str, Any] = {}
        for image_set, snr_db in self._test_sets(config, workers):
            for label, matrix in matrices_by_snr(built, image_set, snr_db, config, device).items():
                matrices[label] = matrices.get(label, 0) + matrix
        found = {
            "sha256": model.card.sha256,
            "confusion": {label: matrix.tolist() for label, matrix in matrices.items()},
        }
        with whole_file(path) as file:
            file.write(json.dumps(found).encode())
        return path

    def _test_sets(self, config: TrainingConfig, workers: int) -> Iterator[tuple[ImageSet, np.ndarray | None]]:
        """(ImageSet, SNR of each image in dB, or None where it is not known) of the sets for testing."""
        folder = self.sets(config.features)
        if self.imported:
            yield build_set(config.validation, folder / "validation", workers), None
            return
        for number, entry in enumerate(self.tests):
            # The first one is what `Trainer` validates on.
            place = folder / (f"test-{number + 1}" if number else "validation")
            yield open_set(replace(entry, features=config.features), place, workers), snr_of(place)

    def rows(self) -> list[dict[str, Any]]:
        """One dict a system: what it is, how it was trained or why not, and its scores."""
        return [self._row(name, system) for name, system in self.systems.items()]

    def _row(self, name: str, system: System) -> dict[str, Any]:
        row: dict[str, Any] = {"name": name, "system": system.title, "image": system.config.features}
        card, found = self.folder / name / f"{name}.yml", self.folder / name / "scores.json"
        if not (card.exists() and found.exists()):
            row["state"] = f"not trained: `{self.command(name)}`"
            return row
        model = load_model(card)
        arguments, training = model.card.arguments, model.card.training
        row |= {
            "state": "trained",
            "size": spectrogram.ROWS // arguments.get("factor", 1),
            "steps": training["steps"],
            "batch": training["config"]["batch_size"],
            "minutes": training["minutes"],
            "machine": training["machine"],
        }
        try:
            built = network.create(model.card.architecture, **arguments)
            row |= {"parameters": count_parameters(built), "gmac": count_macs(built, arguments["in_channels"]) / 1e9}
        except MissingLibraryError:
            log.info("parameters of %s are not counted: its library is not installed", name)
        matrices = {
            label: np.array(matrix)
            for label, matrix in json.loads(found.read_text(encoding="utf-8"))["confusion"].items()
        }
        classes = model.card.classes
        row["scores"] = {label: scores.report(matrix, classes) for label, matrix in pooled(matrices).items()}
        return row

    def command(self, name: str) -> str:
        """What to type to train a system."""
        return f"python -m rpmsn.training.experiment --output {self.folder} --only {name}{self.options}"

    def write_table(self) -> Path:
        """Write `table.json` and `table.md`; returns the path of the latter."""
        rows = self.rows()
        self.folder.mkdir(parents=True, exist_ok=True)
        with whole_file(self.folder / "table.json") as file:
            file.write(json.dumps({"about": self.about, "systems": rows}, indent=1).encode())
        path = self.folder / "table.md"
        with whole_file(path) as file:
            file.write(markdown(rows, self.about).encode())
        return path


def _read(path: Path) -> ExperimentConfig:
    """An experiment's file: its own keys, and in `common` those that all systems have."""
    where = f"experiment {path}"
    values = read_yaml(path, "experiment")
    if not isinstance(values, dict):
        raise ParameterError(f"{where} holds {type(values).__name__}, but a mapping of keys to values is needed")
    own = {entry.name for entry in fields(ExperimentConfig)} - {"common"}
    common = {key: value for key, value in values.items() if key not in own}
    return checked(
        ExperimentConfig, {**{key: value for key, value in values.items() if key in own}, "common": common}, where
    )


def _system(name: str, values: dict[str, Any], read: ExperimentConfig, size: int, where: str) -> System:
    """A system, with the configuration that it is trained by."""
    own = {key: value for key, value in values.items() if key == "title"}
    about = checked(SystemText, own, where, key=f"systems.{name}")
    merged = {**read.common, **{key: value for key, value in values.items() if key not in own}}
    features, classes, given = (merged.get(key) for key in ("features", "classes", "arguments"))
    if given is None or isinstance(given, dict):
        known = spectrogram.FEATURE_SETS.get(features) if isinstance(features, str) else None
        merged["arguments"] = {
            **({"in_channels": known.channels} if known else {}),
            **({"classes": len(classes)} if isinstance(classes, list) else {}),
            **(given or {}),
        }
        if size < spectrogram.ROWS:
            merged["arguments"].update(network=merged.get("architecture"), factor=spectrogram.ROWS // size)
            merged["architecture"] = "reduced"
    merged |= {"name": name, "validation": asdict(read.tests[0])}
    return System(about.title, checked_config(merged, f"{where}, system {name}"))


def _shortened(config: TrainingConfig, scenes: int | None, epochs: int | None) -> TrainingConfig:
    """The configuration with so many scenes and epochs, where they are given."""
    for key, value in (("scenes", scenes), ("epochs", epochs)):
        if value is not None and value < 1:
            raise ParameterError(f"{key} is {value}, but a whole number of at least 1 is needed")
    total = sum(entry.count for entry in config.train)
    train = [replace(entry, count=max(1, round(entry.count * (scenes or total) / total))) for entry in config.train]
    return replace(config, train=train, epochs=epochs or config.epochs)


def snr_of(folder: Path) -> np.ndarray:
    """SNR over the whole span of every scene of a set, dB, in the set's order; None where the scene does not say."""
    return np.array(
        [
            scene.reception.noise and scene.reception.noise.snr_db
            for shard in find_shards(folder)
            for scene, _, _ in read_truths(folder, shard)
        ]
    )


def matrices_by_snr(
    built: torch.nn.Module,
    image_set: Images,
    snr_db: np.ndarray | None,
    config: TrainingConfig,
    device: str | torch.device = "cpu",
) -> dict[str, np.ndarray]:
    """Confusion matrices of a network on a set.

    Args:
        built, image_set, config, device: as of `train.predictions`.
        snr_db: float, shape (images,); None where it is not known.

    Returns:
        dict: name of the range of SNR (`BINS`), or `UNKNOWN` -> int64, shape (classes, classes).
    """
    matrices: dict[str, Any] = {}
    for indices, masks, logits in predictions(built, image_set, config, device):
        for index, truth, mask in zip(indices, masks, logits.argmax(dim=1).cpu().numpy()):
            label = bin_of(None if snr_db is None else snr_db[index])
            matrices[label] = matrices.get(label, 0) + scores.confusion_matrix(truth, mask, len(config.classes))
    return matrices


def bin_of(snr_db: float | None) -> str:
    """Name of the range in which a ratio (dB, or None) lies; those below and above count for the outermost."""
    if snr_db is None:
        return UNKNOWN
    for label, (_, upper) in BINS.items():
        if snr_db < upper:
            return label
    return label


def pooled(matrices: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The matrices by range of SNR, in order, and the sums over several ranges."""
    sums = {label: matrices[label] for label in BINS if label in matrices}
    for label, lowest in POOLS.items():
        chosen = [matrix for name, matrix in matrices.items() if BINS.get(name, (-math.inf,))[0] >= lowest]
        if chosen:
            sums[label] = np.sum(chosen, axis=0)
    return sums


def markdown(rows: list[dict[str, Any]], about: str) -> str:
    """The rows as Markdown tables: what was trained, three measures by SNR where it is known, and IoU by class.

    Args:
        rows: list of dict, as of `Experiment.rows`.
        about: what the experiment is, in words.
    """
    lines = [
        about,
        "",
        "Accuracy is that of each class against the rest, and all means are over the classes; the paper's mean "
        "accuracy is mean recall here. A network of size 128 sees the image at half the resolution in time and "
        "frequency; all are scored on masks of 256 x 256.",
        "",
        *markdown_table(
            ("system", "image", "size", "parameters", "GMAC", "steps x batch", "minutes", "machine"),
            [_training_cells(row) for row in rows],
            right=False,
        ),
    ]
    trained = [row for row in rows if "scores" in row]
    labels = [label for label in (*POOLS, *BINS) if any(label in row["scores"] for row in trained)]
    for measure in MEASURES if trained else ():
        heads = [f"{label} dB" if label in BINS else label for label in labels]
        lines += [
            "",
            f"## {measure.replace('_', ' ').capitalize()}, %",
            "",
            *markdown_table(
                ("system", "image", *heads),
                [
                    (
                        row["system"],
                        row["image"],
                        *(percent(row["scores"].get(label, {}).get(measure), missing="") for label in labels),
                    )
                    for row in trained
                ],
                right=False,
            ),
        ]
    if trained:
        classes = list(trained[0]["scores"]["all"]["classes"])
        lines += [
            "",
            "## IoU by class, all scenes, %",
            "",
            *markdown_table(
                ("system", "image", *classes),
                [
                    (
                        row["system"],
                        row["image"],
                        *(percent(row["scores"]["all"]["classes"][name]["iou"], missing="") for name in classes),
                    )
                    for row in trained
                ],
                right=False,
            ),
        ]
    return "\n".join(lines) + "\n"


def _training_cells(row: dict[str, Any]) -> tuple[str, ...]:
    if "scores" not in row:
        return row["system"], row["image"], row["state"], *[""] * 5
    return (
        row["system"],
        row["image"],
        str(row["size"]),
        f"{row['parameters']:,}" if "parameters" in row else "?",
        f"{row['gmac']:.2f}" if "gmac" in row else "?",
        f"{row['steps']} x {row['batch']}",
        f"{row['minutes']:g}",
        row["machine"],
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m rpmsn.training.experiment",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--output", required=True, metavar="FOLDER", help="folder for everything that is made")
    parser.add_argument("--config", default=CONFIG, metavar="FILE", help="of the experiment (default: what ships)")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="train these systems (default: all)")
    parser.add_argument(
        "--size",
        type=int,
        default=spectrogram.ROWS,
        metavar="PIXELS",
        help="rows and columns that the networks see: 256, 128 or 64 (default: %(default)s)",
    )
    parser.add_argument("--scenes", type=int, metavar="N", help="scenes to train on (default: as configured)")
    parser.add_argument("--epochs", type=int, metavar="N", help="how often each is seen (default: as configured)")
    parser.add_argument(
        "--imported", metavar="FOLDER", help="sets that `rpmsn import-authors` made, instead of synthetic ones"
    )
    parser.add_argument(
        "--workers",
        type=int,
        default=torch.get_num_threads(),
        metavar="N",
        help="processes that make scenes, threads that train (default: %(default)s)",
    )
    parser.add_argument("--stop-after", type=float, metavar="MINUTES", help="stop with a checkpoint")
    parser.add_argument("--table", action="store_true", help="only write the tables of what is there")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        return _run(options)
    except RpmsnError as error:
        print(f"experiment: {error}", file=sys.stderr)
        return 2 if isinstance(error, ParameterError) else 1


def _run(options: argparse.Namespace) -> int:
    experiment = Experiment(
        options.output, options.config, options.size, options.scenes, options.epochs, options.imported
    )
    chosen = experiment.chosen(options.only)
    end = time.monotonic() + 60 * options.stop_after if options.stop_after else math.inf
    skipped = []
    for name in [] if options.table else chosen:
        left = (end - time.monotonic()) / 60
        if left <= 0:
            break
        try:
            is_done = experiment.train(name, options.workers, left if math.isfinite(left) else None)
            log.info("%s: %s", name, "done" if is_done else "stopped; the same command goes on")
        except MissingLibraryError as error:
            log.warning("%s is skipped: %s", name, error)
            skipped.append(name)
    print(experiment.write_table())
    return 1 if skipped else 0


if __name__ == "__main__":
    sys.exit(main())
