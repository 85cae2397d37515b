# SPDX-License-Identifier: GPL-3.0-or-later
"""A set of images and masks on disk: made from scenes, in shards, by several processes, resumable.

A folder holds `set.yml` (what it was made from) and for every shard `shard-00000.images.npy` (uint8,
scenes x 256 x 256), `.masks.npy` (uint8, 255 = not judged) and `.scenes.jsonl` (one scene a line, from which the
masks can be derived again under another rule). A shard's images are put in place last and by renaming, so a
shard is either whole or not there.
"""
import json
import os
import threading
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import yaml
from tqdm import tqdm

from .. import spectrogram
from ..errors import ParameterError
from ..files import whole_file
from ..synthesis import labels
from ..synthesis.presets import random_scene
from ..synthesis.scene import render

SHARD_SCENES = 32
SEEDS_PER_SET = 1_000_000


def scene_seed(set_seed, index):
    """Seed of scene `index` of a set; sets with different seeds share no scene."""
    return set_seed * SEEDS_PER_SET + index


def build_set(config, folder, workers=1):
    """Make a set, or what is missing of one.

    Args:
        config: SetConfig.
        folder: where; made if it is not there.
        workers: processes.

    Returns:
        ImageSet.

    Raises:
        ParameterError: the folder holds a set made from something else.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    description = dict(asdict(config), recipe="averaged", shard_scenes=SHARD_SCENES)
    _claim(folder, description)
    missing = [shard for shard in range(_shards(config)) if not _images_file(folder, shard).exists()]
    if missing:
        scenes = min(config.count, len(missing) * SHARD_SCENES)
        context = get_context("spawn")
        with _one_thread_each(), ProcessPoolExecutor(workers, context, _end_with_parent, (os.getpid(),)) as pool, \
                tqdm(total=scenes, unit="scene", desc=f"making {folder.name}") as progress:
            jobs = [pool.submit(_build_shard, config, folder, shard) for shard in missing]
            for job in as_completed(jobs):
                progress.update(job.result())
    return ImageSet(folder)


@contextmanager
def _one_thread_each():
    """Keep the processes started meanwhile to one core each: they are the parallelism, not BLAS."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _end_with_parent(parent):
    """In a worker: end when the process that asked for it is gone, also if it was killed."""
    def watch():
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _claim(folder, description):
    """Write `set.yml`, or check that the one there is ours."""
    path = folder / "set.yml"
    if not path.exists():
        with whole_file(path) as file:
            file.write(yaml.safe_dump(description, sort_keys=False).encode())
        return
    there = yaml.safe_load(path.read_text(encoding="utf-8"))
    if there != description:
        changed = [key for key in description if (there or {}).get(key) != description[key]]
        raise ParameterError(f"{path} describes another set ({', '.join(changed)} differ); name another folder "
                             "or move that one away")


def _shards(config):
    return -(-config.count // SHARD_SCENES)


def _images_file(folder, shard):
    return folder / f"shard-{shard:05d}.images.npy"


def _build_shard(config, folder, shard):
    """Make one shard; returns the number of its scenes."""
    indices = range(shard * SHARD_SCENES, min((shard + 1) * SHARD_SCENES, config.count))
    images = np.empty((len(indices), spectrogram.ROWS, spectrogram.COLUMNS), np.uint8)
    masks = np.empty_like(images)
    scenes = []
    for position, index in enumerate(indices):
        scene = random_scene(config.preset, scene_seed(config.seed, index))
        samples, truths = render(scene)
        rows = spectrogram.rows_of(len(samples), spectrogram.frame_length(scene.sample_rate))
        levels, _ = spectrogram.normalise(spectrogram.power(samples, rows), len(samples))
        images[position] = spectrogram.fill_rows(spectrogram.to_uint8(levels))
        masks[position] = spectrogram.fill_rows(labels.mask(scene, truths, config.rule, rows))
        scenes.append(json.dumps(scene.to_dict()) + "\n")
    base = str(_images_file(folder, shard))[:-len(".images.npy")]
    with whole_file(base + ".scenes.jsonl") as file:
        file.write("".join(scenes).encode())
    for name, pixels in (("masks", masks), ("images", images)):
        with whole_file(f"{base}.{name}.npy") as file:
            np.save(file, pixels)
    return len(indices)


class ImageSet:
    """The images and masks of a folder, memory-mapped: `len(set)`, `set[index] -> (image, mask)`, both uint8."""

    def __init__(self, folder):
        folder = Path(folder)
        files = sorted(folder.glob("shard-*.images.npy"))
        if not files:
            raise ParameterError(f"{folder} holds no shard of a set; make it with `rpmsn train` or name another folder")
        self.images = [np.load(file, mmap_mode="r") for file in files]
        self.masks = [np.load(str(file).replace(".images.", ".masks."), mmap_mode="r") for file in files]
        self.ends = np.cumsum([len(images) for images in self.images])

    def __len__(self):
        return int(self.ends[-1])

    def __getitem__(self, index):
        shard = int(np.searchsorted(self.ends, index, side="right"))
        position = index - (self.ends[shard - 1] if shard else 0)
        return self.images[shard][position], self.masks[shard][position]
