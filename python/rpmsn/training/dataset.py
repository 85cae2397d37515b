# SPDX-License-Identifier: GPL-3.0-or-later
"""A set of images and masks on disk: made from scenes, in shards, by several processes, resumable.

A folder holds `set.yml` (what it was made from) and, for every shard of 32 scenes:

    shard-00000.images.npy          uint8, (scenes, channels, 256, 256)
    shard-00000.masks-occupied.npy  uint8, (scenes, 256, 256), 255 = not judged; one file for every policy asked for
    shard-00000.scenes.jsonl        one scene a line, and the facts of its truths
    shard-00000.truths.npz          power of every emission in every row and resource block, from which masks are made;
                                    and the columns' image coherences (`rpmsn.signal.iq_image`)

A shard's images are put in place last and by renaming, so a shard is either whole or not there. Masks under another
policy are made from the truths alone, without rendering a scene again.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

from ..errors import ParameterError
from ..files import read_yaml, whole_file
from ..processes import each_done
from ..signal import image as spectrogram
from ..signal.iq_image import image_coherence
from ..signal.sums import real_values
from ..synthesis import GENERATOR
from ..synthesis.labels import masks as labels
from ..synthesis.labels.truth import Truth
from ..synthesis.scene.presets import random_scene
from ..synthesis.scene.rendering import render
from ..synthesis.scene.scene import Scene

SHARD_SCENES = 32
SEEDS_PER_SET = 1_000_000
MIRRORED = "mirrored"


@dataclass(frozen=True)
class SetConfig:
    """A synthetic set of images and masks.

    Attributes:
        preset: which scenes (`rpmsn.synthesis.scene.presets.random_scene`).
        count: number of scenes.
        seed: first seed; the set has the scenes of `count` seeds made from it (`scene_seed`).
        policy: label policy (`rpmsn.synthesis.labels.masks.mask`).
        features: of the images (`rpmsn.signal.image`).
        sample_rates: lowest and highest rate in Hz, for preset `any_rate`; None for all.
        recordings: folder of recordings, for preset `stitched`.
    """

    preset: str
    count: int
    seed: int
    policy: str = "occupied"
    features: str = "cyclic"
    sample_rates: list | None = None
    recordings: str | None = None

    def scene(self, index):
        """Scene number `index` of the set."""
        return random_scene(self.preset, scene_seed(self.seed, index), None, self.sample_rates, self.recordings)

    @property
    def description(self):
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


def scene_seed(set_seed, index):
    """Seed of scene `index` of a set; sets with different seeds share no scene."""
    return set_seed * SEEDS_PER_SET + index


def build_set(config, folder, workers=1, quiet=False):
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
    config.scene(0)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    claim(folder, config.description)
    shards = range(-(-config.count // SHARD_SCENES))
    missing = [shard for shard in shards if not shard_file(folder, shard, "images.npy").exists()]
    if missing:
        sizes = [len(_indices(config, shard)) for shard in missing]
        jobs = [(config, folder, shard) for shard in missing]
        for _ in each_done(_build_shard, jobs, workers, "scene", f"making {folder.name}", int, sum(sizes), quiet):
            pass
    for shard in shards:
        if not masks_file(folder, shard, config.policy).exists():
            _label_shard(folder, shard, config.policy)
    return ImageSet(folder, config.policy)


def claim(folder, description):
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
            file.write(yaml.safe_dump(description, sort_keys=False).encode())
        return
    there = read_yaml(path)
    there = there if isinstance(there, dict) else {}
    changed = [key for key in description if there.get(key) != description[key]]
    if changed:
        raise ParameterError(
            f"{path} describes another set ({', '.join(changed)} differ); name another folder or move that one away"
        )


def _indices(config, shard):
    return range(shard * SHARD_SCENES, min((shard + 1) * SHARD_SCENES, config.count))


def shard_file(folder, shard, ending):
    """Path of a shard's file, such as `images.npy`."""
    return folder / f"shard-{shard:05d}.{ending}"


def masks_ending(policy):
    """How the name of a shard's masks by a label policy ends."""
    return f"masks-{policy}.npy"


def masks_file(folder, shard, policy):
    """Path of a shard's masks by a label policy."""
    return shard_file(folder, shard, masks_ending(policy))


def find_shards(folder, ending="images.npy"):
    """Numbers of the shards that have a file with this ending, in order."""
    numbers = [
        path.name.removeprefix("shard-").removesuffix(f".{ending}") for path in Path(folder).glob(f"shard-*.{ending}")
    ]
    return sorted(int(number) for number in numbers if number.isdecimal())


def _build_shard(config, folder, shard):
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
        arrays[f"{position}/{MIRRORED}"] = image_coherence(real_values(samples)).astype(np.float16)
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


def _label_shard(folder, shard, policy):
    """Make the masks of a shard from its stored truths."""
    masks = [
        spectrogram.fill_rows(labels.mask(scene, truths, policy, rows))
        for scene, truths, rows in read_truths(folder, shard)
    ]
    with whole_file(masks_file(folder, shard, policy)) as file:
        np.save(file, np.stack(masks))


def read_truths(folder, shard):
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


def read_mirrored(folder, shard):
    """Mirrored fractions of the columns of a shard's scenes: {position: float16, shape (256,)}.

    Empty for sets of gr-rpmsn 0.5 and before, which did not keep them.
    """
    with np.load(shard_file(Path(folder), shard, "truths.npz")) as arrays:
        endings = [name.split("/") for name in arrays.files]
        return {int(position): arrays[f"{position}/{MIRRORED}"] for position, *rest in endings if rest == [MIRRORED]}


class Joined:
    """Several sequences as one: the items of the first, then those of the next; `len(joined)`, `joined[index]`."""

    def __init__(self, parts):
        self.parts = list(parts)
        self.ends = np.cumsum([len(part) for part in self.parts])

    def __len__(self):
        return int(self.ends[-1])

    def __getitem__(self, index):
        number, position = self.place(index)
        return self.parts[number][position]

    def place(self, index):
        """(number of the part, index in it) of an item."""
        number = int(np.searchsorted(self.ends, index, side="right"))
        return number, index - (self.ends[number - 1] if number else 0)


class ImageSet:
    """The images and masks of a folder, memory-mapped.

    `len(set)`; `set[index] -> (image, mask)`, uint8 of shapes (channels, 256, 256) and (256, 256).
    """

    def __init__(self, folder, policy="occupied"):
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
        self.images = Joined(np.load(shard_file(folder, shard, "images.npy"), mmap_mode="r") for shard in shards)
        self.masks = [np.load(file, mmap_mode="r") for file in masks]

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        shard, position = self.images.place(index)
        return self.images.parts[shard][position], self.masks[shard][position]
