# SPDX-License-Identifier: GPL-3.0-or-later
"""A set of images and masks on disk: made from scenes, in shards, by several processes, resumable.

A folder holds `set.yml` (what it was made from) and, for every shard of 32 scenes:

    shard-00000.images.npy          uint8, (scenes, channels, 256, 256)
    shard-00000.masks-occupied.npy  uint8, (scenes, 256, 256), 255 = not judged; one file for every policy asked for
    shard-00000.scenes.jsonl        one scene a line, and the facts of its truths
    shard-00000.truths.npz          power of every emission in every row and resource block, from which masks are made;
                                    and the columns' image coherences (`rpmsn.signal.iq_image`)

A shard's images are put in place last and by renaming, so a shard is either whole or not there. Masks under another
policy are made from the truths alone, without rendering a scene again. A set of preset `annotated` is made from
recordings and has images and masks alone.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Protocol

import numpy as np
from pydantic import Field

from ..errors import ParameterError
from ..files import read_yaml, to_yaml, whole_file
from ..processes import each_done
from ..signal import image as spectrogram
from ..signal.iq_image import image_coherence
from ..signal.sums import real_values
from ..synthesis import GENERATOR
from ..synthesis.labels import masks as labels
from ..synthesis.labels.truth import Truth
from ..synthesis.scene.presets import PRESETS, random_scene
from ..synthesis.scene.rendering import render
from ..synthesis.scene.scene import Scene
from ..validation import STRICT, RateRange, Seed, checked, one_of
from . import annotated

SHARD_SCENES = 32
SEEDS_PER_SET = 1_000_000
COHERENCE = "mirrored"
"""Name of the image coherences among a shard's truths, as files of before have it."""


@dataclass(frozen=True)
class SetConfig:
    """A set of images and masks.

    Attributes:
        preset: which scenes (`rpmsn.synthesis.scene.presets.random_scene`), or `annotated` for frames of recordings
            (`rpmsn.training.annotated`).
        count: number of scenes or frames.
        seed: first seed; the set has the scenes of `count` seeds made from it (`scene_seed`).
        policy: label policy (`rpmsn.synthesis.labels.masks.mask`).
        features: of the images (`rpmsn.signal.image`).
        sample_rates: lowest and highest rate in Hz, for preset `any_rate`; None for all.
        recordings: folder of recordings, for presets `stitched` and `annotated`.
    """

    __pydantic_config__ = STRICT

    preset: Annotated[str, one_of((*PRESETS, annotated.PRESET))]
    count: Annotated[int, Field(ge=1, le=SEEDS_PER_SET)]
    seed: Seed
    policy: Annotated[str, one_of(labels.POLICIES)] = "occupied"
    features: Annotated[str, one_of(sorted(spectrogram.FEATURE_SETS))] = "cyclic"
    sample_rates: RateRange | None = None
    recordings: str | None = None

    def scene(self, index: int) -> Scene:
        """Scene number `index` of the set."""
        rates = None if self.sample_rates is None else (self.sample_rates[0], self.sample_rates[1])
        return random_scene(self.preset, scene_seed(self.seed, index), None, rates, self.recordings)

    @property
    def is_recorded(self) -> bool:
        """Whether its images are of recordings, and there are no scenes."""
        return self.preset == annotated.PRESET

    def frames(self) -> list[annotated.FramePlace]:
        """The frames of a set that `is_recorded`.

        Raises:
            ParameterError, RecordingError: there are none, or fewer than `count`.
        """
        if self.recordings is None or self.sample_rates is not None:
            raise ParameterError(f"preset {self.preset!r} needs recordings, a folder, and takes no sample_rates")
        return annotated.draw_frames(self.recordings, self.count, self.seed)

    def check(self) -> None:
        """Raise an RpmsnError where its images cannot be made."""
        if self.is_recorded:
            self.frames()
        else:
            self.scene(0)

    @property
    def description(self) -> dict[str, Any]:
        """What decides the images, as it stands in `set.yml`."""
        return {
            "preset": self.preset,
            "count": self.count,
            "seed": self.seed,
            "features": self.features,
            "sample_rates": self.sample_rates,
            "recordings": self.recordings,
            "shard_scenes": SHARD_SCENES,
            "generator": GENERATOR,
        }


@dataclass(frozen=True)
class SetDescription:
    """What `set.yml` says of a set; which keys are there depends on how it was made."""

    __pydantic_config__ = STRICT

    features: Annotated[str, one_of(sorted(spectrogram.FEATURE_SETS))]
    preset: str | None = None
    count: Annotated[int, Field(ge=1)] | None = None
    seed: Annotated[int, Field(ge=0)] | None = None
    sample_rates: RateRange | None = None
    recordings: str | None = None
    shard_scenes: Annotated[int, Field(ge=1)] | None = None
    generator: Annotated[int, Field(ge=0)] | None = None
    imported_from: str | None = None
    colours: dict[str, list[int]] | None = None


def read_description(folder: str | os.PathLike, hint: str = "") -> dict[str, Any]:
    """What `set.yml` of a set says.

    Args:
        folder: of the set.
        hint: for the error where there is no such file, as of `read_yaml`.

    Returns:
        dict: keys of `SetDescription`, those that are there.

    Raises:
        ParameterError: the file cannot be read, or a value does not fit.
    """
    path = Path(folder) / "set.yml"
    values = read_yaml(path, hint=hint)
    checked(SetDescription, values, str(path))
    return values


def scene_seed(set_seed: int, index: int) -> int:
    """Seed of scene `index` of a set; sets with different seeds share no scene."""
    return set_seed * SEEDS_PER_SET + index


def build_set(config: SetConfig, folder: str | os.PathLike, workers: int = 1, quiet: bool = False) -> "ImageSet":
    """Make a set, or what is missing of one.

    Args:
        config: SetConfig.
        folder: where; made if it is not there.
        workers: processes.
        quiet: no progress bar.

    Returns:
        ImageSet.

    Raises:
        ParameterError: the folder holds a set made from something else, or the configuration cannot be.
    """
    labels.check_policy(config.policy)
    spectrogram.feature_set(config.features)
    config.check()
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    claim(folder, config.description)
    shards = range(-(-config.count // SHARD_SCENES))
    # Masks of recordings are made with the images: there are no truths to make them from.
    endings = ["images.npy", *([masks_ending(config.policy)] if config.is_recorded else [])]
    missing = [shard for shard in shards if not all(shard_file(folder, shard, end).exists() for end in endings)]
    if missing:
        sizes = [len(_indices(config, shard)) for shard in missing]
        jobs = [(config, folder, shard) for shard in missing]
        build = _build_recorded_shard if config.is_recorded else _build_shard
        for _ in each_done(build, jobs, workers, "scene", f"making {folder.name}", int, sum(sizes), quiet):
            pass
    for shard in shards:
        if not masks_file(folder, shard, config.policy).exists():
            _label_shard(folder, shard, config.policy)
    return ImageSet(folder, config.policy)


def claim(folder: Path, description: dict[str, Any]) -> None:
    """Write `set.yml`, or check that the one there is ours.

    Args:
        folder: of the set.
        description: dict of what decides its images.

    Raises:
        ParameterError: the folder holds a set made from something else.
    """
    path = folder / "set.yml"
    if not path.exists():
        with whole_file(path) as file:
            file.write(to_yaml(description).encode())
        return
    there = read_yaml(path)
    there = there if isinstance(there, dict) else {}
    changed = [key for key in description if there.get(key) != description[key]]
    if changed:
        raise ParameterError(
            f"{path} describes another set ({', '.join(changed)} differ); name another folder or move that one away"
        )


def _indices(config: SetConfig, shard: int) -> range:
    return range(shard * SHARD_SCENES, min((shard + 1) * SHARD_SCENES, config.count))


def shard_file(folder: Path, shard: int, ending: str) -> Path:
    """Path of a shard's file, such as `images.npy`."""
    return folder / f"shard-{shard:05d}.{ending}"


def masks_ending(policy: str) -> str:
    """How the name of a shard's masks by a label policy ends."""
    return f"masks-{policy}.npy"


def masks_file(folder: Path, shard: int, policy: str) -> Path:
    """Path of a shard's masks by a label policy."""
    return shard_file(folder, shard, masks_ending(policy))


def find_shards(folder: str | os.PathLike, ending: str = "images.npy") -> list[int]:
    """Numbers of the shards that have a file with this ending, in order."""
    numbers = [
        path.name.removeprefix("shard-").removesuffix(f".{ending}") for path in Path(folder).glob(f"shard-*.{ending}")
    ]
    return sorted(int(number) for number in numbers if number.isdecimal())


def _build_shard(config: SetConfig, folder: Path, shard: int) -> int:
    """Make one shard; returns the number of its scenes."""
    indices = _indices(config, shard)
    channels = spectrogram.feature_set(config.features).channels
    images = np.empty((len(indices), channels, spectrogram.ROWS, spectrogram.COLUMNS), np.uint8)
    lines, arrays = [], {}
    for position, index in enumerate(indices):
        scene = config.scene(index)
        samples, truths = render(scene)
        rows = spectrogram.rows_of(len(samples), spectrogram.frame_length(scene.sample_rate))
        images[position] = spectrogram.stored_image(samples, scene.sample_rate, rows, config.features)
        packed = [truth.pooled(rows).pack() for truth in truths]
        lines.append(json.dumps({"scene": scene.to_dict(), "rows": rows, "truths": [facts for facts, _ in packed]}))
        arrays[f"{position}/{COHERENCE}"] = image_coherence(real_values(samples)).astype(np.float16)
        for number, (_, parts) in enumerate(packed):
            arrays.update({f"{position}/{number}/{name}": values for name, values in parts.items()})
    with whole_file(shard_file(folder, shard, "scenes.jsonl")) as file:
        file.write("".join(line + "\n" for line in lines).encode())
    with whole_file(shard_file(folder, shard, "truths.npz")) as file:
        np.savez_compressed(file, **arrays)
    _label_shard(folder, shard, config.policy)
    with whole_file(shard_file(folder, shard, "images.npy")) as file:
        np.save(file, images)
    return len(indices)


def _build_recorded_shard(config: SetConfig, folder: Path, shard: int) -> int:
    """Make one shard of frames of recordings; returns their number."""
    frames = config.frames()
    pairs = [annotated.image_and_mask(frames[index], config.features) for index in _indices(config, shard)]
    for path, arrays in zip(
        (masks_file(folder, shard, config.policy), shard_file(folder, shard, "images.npy")),
        ([mask for _, mask in pairs], [image for image, _ in pairs]),
    ):
        with whole_file(path) as file:
            np.save(file, np.stack(arrays))
    return len(pairs)


def _label_shard(folder: Path, shard: int, policy: str) -> None:
    """Make the masks of a shard from its stored truths."""
    masks = [
        spectrogram.fill_rows(labels.mask(scene, truths, policy, rows))
        for scene, truths, rows in read_truths(folder, shard)
    ]
    with whole_file(masks_file(folder, shard, policy)) as file:
        np.save(file, np.stack(masks))


def read_truths(folder: str | os.PathLike, shard: int) -> Iterator[tuple[Scene, list[Truth], int]]:
    """Scenes of a shard and what is true of them: yields (`Scene`, list of `Truth`, rows of its mask)."""
    with np.load(shard_file(Path(folder), shard, "truths.npz")) as arrays:
        lines = shard_file(Path(folder), shard, "scenes.jsonl").read_text(encoding="utf-8").splitlines()
        for position, line in enumerate(lines):
            entry = json.loads(line)
            truths = []
            for number, facts in enumerate(entry["truths"]):
                prefix = f"{position}/{number}/"
                own = {name[len(prefix) :]: arrays[name] for name in arrays.files if name.startswith(prefix)}
                truths.append(Truth.unpack(facts, own))
            yield Scene.from_dict(entry["scene"]), truths, entry["rows"]


def read_image_coherence(folder: str | os.PathLike, shard: int) -> dict[int, np.ndarray]:
    """Image coherences (`rpmsn.signal.iq_image`) of a shard's scenes: {position: float16, shape (256,)}.

    Empty for sets of gr-rpmsn 0.5 and before, which did not keep them.
    """
    with np.load(shard_file(Path(folder), shard, "truths.npz")) as arrays:
        endings = [name.split("/") for name in arrays.files]
        return {int(position): arrays[f"{position}/{COHERENCE}"] for position, *rest in endings if rest == [COHERENCE]}


class Images(Protocol):
    """A sequence of (image, mask): an `ImageSet`, or several as one."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]: ...


class ImageSet:
    """The images and masks of a folder, memory-mapped.

    `len(set)`; `set[index] -> (image, mask)`, uint8 of shapes (channels, 256, 256) and (256, 256).
    """

    def __init__(self, folder: str | os.PathLike, policy: str = "occupied") -> None:
        folder = Path(folder)
        shards = find_shards(folder)
        if not shards:
            raise ParameterError(
                f"{folder} holds no shard of a set; make it with `rpmsn synth --as set` or name another folder"
            )
        masks = [masks_file(folder, shard, policy) for shard in shards]
        if not all(file.exists() for file in masks):
            raise ParameterError(
                f"{folder} has no masks of policy {policy!r}; make them with `rpmsn synth --as set "
                f"--policy {policy}` and the options the set was made with"
            )
        self.images = [np.load(shard_file(folder, shard, "images.npy"), mmap_mode="r") for shard in shards]
        self.masks = [np.load(file, mmap_mode="r") for file in masks]

    def __len__(self) -> int:
        return sum(map(len, self.images))

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        shard, position = divmod(index, SHARD_SCENES)  # only the last shard has fewer
        return self.images[shard][position], self.masks[shard][position]
