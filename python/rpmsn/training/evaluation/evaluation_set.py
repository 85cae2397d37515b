# SPDX-License-Identifier: GPL-3.0-or-later
"""A set as evaluation reads it: one scene after another, whole and fit for the model, or an error that says why not."""

import json
import os
import shlex
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...classes import CLASS_NAMES, IGNORED, NOISE
from ...errors import ParameterError
from ...models.model import ModelCard
from ...signal import image as spectrogram
from ...synthesis.labels.masks import POLICIES, check_policy
from ...synthesis.labels.truth import Truth
from ...synthesis.scene.scene import Scene
from ..dataset import (
    find_shards,
    masks_ending,
    masks_file,
    read_description,
    read_image_coherence,
    read_truths,
    shard_file,
)

FACTS = ("scenes.jsonl", "truths.npz")


@dataclass(frozen=True)
class SetScene:
    """One scene of a set.

    Attributes:
        index: its number in the set.
        image: uint8, shape (channels, 256, 256).
        mask: uint8, shape (256, 256), ids of `rpmsn.classes`, 255 where not judged.
        scene: Scene; None in a set without scenes (one that was imported).
        truths: list of Truth.
        rows: rows of the image that the scene fills; those of a shorter one are repeated.
        image_coherence: float, shape (256,), of every column (`rpmsn.signal.iq_image`); None where not known.
    """

    index: int
    image: np.ndarray
    mask: np.ndarray
    scene: Any  # a Scene, or None
    truths: list
    rows: int
    image_coherence: np.ndarray | None = None


class EvaluationSet:
    """A set's folder, checked: iterate over its scenes.

    Args:
        folder: with `set.yml` and shards, as `rpmsn synth --as set` makes it.
        card: ModelCard that the set has to fit.
        policy: of the masks.

    Attributes:
        description: what `set.yml` says.
        has_scenes: False for an imported set, of which nothing but images and masks is known.

    Raises:
        ParameterError: no such folder or set, another feature set, or a set half there.
    """

    def __init__(self, folder: str | os.PathLike, card: ModelCard, policy: str = "occupied") -> None:
        check_policy(policy)
        self.folder, self.policy = Path(folder), policy
        self._endings = "images.npy", masks_ending(policy)
        self.description = self._read_description()
        self._check_classes(card)
        self._check_features(card)
        self._channels = spectrogram.feature_set(card.features).channels
        self.shards = self._find_shards()
        present = [shard_file(self.folder, shard, name).exists() for shard in self.shards for name in FACTS]
        self.has_scenes = any(present)
        if self.has_scenes and not all(present):
            shard = self.shards[present.index(False) // len(FACTS)]
            raise self._half_there(f"shard {shard} lacks {FACTS[present.index(False) % len(FACTS)]}")
        self._sizes = [len(self._load(shard, "images.npy")) for shard in self.shards]

    def __len__(self) -> int:
        return sum(self._sizes)

    def __iter__(self) -> Iterator[SetScene]:
        index = 0
        for shard in self.shards:
            images, masks = (self._load(shard, ending) for ending in self._endings)
            self._check_arrays(shard, images, masks)
            for image, mask, facts in zip(images, masks, self._facts(shard, len(images))):
                self._check_mask(shard, mask)
                yield SetScene(index, np.asarray(image), np.asarray(mask), *facts)
                index += 1

    def command(self, features: str | None = None, folder: str | os.PathLike | None = None) -> str:
        """The command that makes this set, of another feature set if one is named."""
        about = self.description
        if "imported_from" in about or "preset" not in about:
            return "the command that imported it, such as rpmsn import-authors"
        words = [
            "rpmsn",
            "synth",
            "--as",
            "set",
            "--preset",
            about["preset"],
            "--count",
            about["count"],
            "--seed",
            about["seed"],
            "--policy",
            self.policy,
            "--features",
            features or about["features"],
        ]
        if about.get("sample_rates"):
            words += ["--sample-rates", *(f"{rate:.12g}" for rate in about["sample_rates"])]
        if about.get("recordings"):
            words += ["--recordings", about["recordings"]]
        return shlex.join(str(word) for word in [*words, "--output", folder or self.folder])

    def _read_description(self) -> dict[str, Any]:
        if not self.folder.is_dir():
            raise ParameterError(f"set {self.folder} is no folder; name one that `rpmsn synth --as set` has made")
        return read_description(
            self.folder, f", so {self.folder} is no set; name a folder that `rpmsn synth --as set` has made"
        )

    def _check_classes(self, card: ModelCard) -> None:
        if CLASS_NAMES[NOISE] not in card.classes or len(card.classes) < 2:
            raise ParameterError(
                f"model {card.name!r} has the classes {', '.join(card.classes)}, but noise and at "
                "least one more are needed to be judged; choose another model"
            )

    def _check_features(self, card: ModelCard) -> None:
        features = self.description["features"]
        if features != card.features:
            other = f"{self.folder}-{card.features}"
            raise ParameterError(
                f"set {self.folder} has images of feature set {features!r}, but model {card.name!r} takes "
                f"{card.features!r}; make a set that fits: {self.command(card.features, other)}"
            )

    def _find_shards(self) -> list[int]:
        """Numbers of all shards, each with images and masks."""
        there = {shard for ending in (*self._endings, *FACTS) for shard in find_shards(self.folder, ending)}
        count, each = self.description.get("count"), self.description.get("shard_scenes")
        wanted = set(range(-(-count // each))) if count and each else there
        if not there or not wanted:
            raise ParameterError(f"set {self.folder} is empty: it holds no shard; make it with {self.command()}")
        missing = [
            (shard, ending)
            for shard in sorted(wanted)
            for ending in self._endings
            if not shard_file(self.folder, shard, ending).exists()
        ]
        if missing:
            shard, ending = missing[0]
            raise self._half_there(f"shard {shard} of {len(wanted)} lacks {ending}")
        return sorted(wanted)

    def _half_there(self, why: object) -> ParameterError:
        others = [
            policy for policy in POLICIES if policy != self.policy and masks_file(self.folder, 0, policy).exists()
        ]
        has_other = f"; it has masks of another policy: give --policy {others[0]}" if others else ""
        return ParameterError(
            f"set {self.folder} is only half there: {why}; what is missing is made by {self.command()}{has_other}"
        )

    def _damaged(self, path: object, why: object) -> ParameterError:
        return ParameterError(
            f"{path} is damaged ({why}); remove the files of this shard, and make them again with {self.command()}"
        )

    def _load(self, shard: int, ending: str) -> np.ndarray:
        path = shard_file(self.folder, shard, ending)
        try:
            return np.load(path, mmap_mode="r")
        except (ValueError, EOFError, OSError) as error:
            raise self._damaged(path, error) from error

    def _check_arrays(self, shard: int, images: np.ndarray, masks: np.ndarray) -> None:
        size = (spectrogram.ROWS, spectrogram.COLUMNS)
        shapes = (len(images), self._channels, *size), (len(images), *size)
        for ending, array, shape in zip(self._endings, (images, masks), shapes):
            if array.dtype != np.uint8 or array.shape != shape or not len(array):
                raise self._damaged(
                    shard_file(self.folder, shard, ending),
                    f"{array.dtype} of shape {array.shape}, where uint8 of {shape} is needed",
                )

    def _check_mask(self, shard: int, mask: np.ndarray) -> None:
        unknown = [int(value) for value in np.unique(mask) if value >= len(CLASS_NAMES) and value != IGNORED]
        if unknown:
            raise self._damaged(
                masks_file(self.folder, shard, self.policy),
                f"class {unknown[0]}, where 0 to {len(CLASS_NAMES) - 1} and {IGNORED} are known",
            )

    def _facts(self, shard: int, count: int) -> list[tuple[Scene | None, list[Truth], int, np.ndarray | None]]:
        """(scene, truths, rows, image coherence) of a shard's scenes; None, [], 256, None where nothing is known."""
        if not self.has_scenes:
            return [(None, [], spectrogram.ROWS, None)] * count
        path = shard_file(self.folder, shard, "scenes.jsonl")
        try:
            facts, coherence = list(read_truths(self.folder, shard)), read_image_coherence(self.folder, shard)
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, json.JSONDecodeError) as error:
            raise self._damaged(f"{path} or its {FACTS[1]}", error) from error
        if len(facts) != count:
            raise self._damaged(path, f"{len(facts)} scenes, where there are {count} images")
        return [(*known, coherence.get(position)) for position, known in enumerate(facts)]
