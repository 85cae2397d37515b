# SPDX-License-Identifier: GPL-3.0-or-later
"""Batches for training: which images a step gets, augmented, made in the background while the step before runs."""

from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch

from ..classes import CLASS_NAMES, IGNORED
from ..signal.image import COLUMNS, ROWS
from ..waiting import result
from .augment import augment
from .config import TrainingConfig
from .dataset import Images

BATCH_SECONDS = 600.0
"""Longer than a batch takes, from a slow disk as well: what takes longer is reported in the log."""

AHEAD = 3
"""Batches that each thread has made or in hand before they are asked for."""


def class_table(classes: Sequence[str]) -> np.ndarray:
    """Class of a stored mask -> output of a network with `classes`; 255 for classes that it does not have.

    Returns:
        uint8, shape (256,).
    """
    table = np.full(256, IGNORED, np.uint8)
    for output, name in enumerate(classes):
        table[CLASS_NAMES.index(name)] = output
    return table


def make_batch(
    image_set: Images,
    indices: Sequence[int] | np.ndarray,
    config: TrainingConfig,
    generators: Sequence[np.random.Generator] | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Images and masks of a set as tensors.

    Args:
        image_set: `ImageSet`, or several as a `ConcatDataset`.
        indices: which.
        config: TrainingConfig; its feature set and classes are used.
        generators: a numpy Generator for each image that is to be augmented by it; None for the images as they are.

    Returns:
        (images, masks): uint8, shapes (batch, channels, 256, 256) and (batch, 256, 256).
    """
    images = np.empty((len(indices), len(image_set[int(indices[0])][0]), ROWS, COLUMNS), np.uint8)
    masks = np.empty((len(indices), ROWS, COLUMNS), np.uint8)
    for position, index in enumerate(indices):
        image, mask = image_set[int(index)]
        if generators is None:
            images[position], masks[position] = image, mask
        else:
            augment(image, mask, images[position], masks[position], generators[position], config.features)
    return torch.from_numpy(images), torch.from_numpy(class_table(config.classes)[masks])


def to_device(
    images: torch.Tensor, masks: torch.Tensor, device: str | torch.device
) -> tuple[torch.Tensor, torch.Tensor]:
    """Stored images and masks as a network takes them: float32 0..1 with channels last, and int64."""
    images = images.to(device, non_blocking=True).to(torch.float32, memory_format=torch.channels_last).div_(255)
    return images, masks.to(device, non_blocking=True).long()


def step_indices(
    config: TrainingConfig, step: int, image_count: int, rank: int = 0, ranks: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Which images the step takes: those of its place in its epoch's random order; on several machines, a fraction.

    Returns:
        (indices, places): of the images in the set, and of each in the whole batch.
    """
    epoch, place = divmod(step, -(-image_count // config.batch_size))
    order = np.random.default_rng([config.seed, epoch]).permutation(image_count)
    chosen = order[place * config.batch_size : (place + 1) * config.batch_size]
    places = np.arange(rank, -(-len(chosen) // ranks) * ranks, ranks)  # a short batch is filled up from its start
    return chosen[places % len(chosen)], places


def training_batches(
    image_set: Images, config: TrainingConfig, steps: range, rank: int = 0, ranks: int = 1, threads: int = 1
) -> Generator[tuple[int, torch.Tensor, torch.Tensor, np.ndarray], None, None]:
    """Batches of the steps asked for, in order, made by threads ahead of time.

    Threads, not the processes of `DataLoader`: a batch costs 16 ms of one core in a step of 500, and processes would
    have to be forked beside other threads, or get a copy of the memory-mapped sets each.

    The random choices of a step depend on seed, step and place alone, so that a run that goes on is as one that
    never stopped, on any number of threads.

    Args:
        image_set: `ImageSet`, or several as a `ConcatDataset`.
        config: TrainingConfig.
        steps: range of step numbers.
        rank, ranks: which fraction of each batch, of how many.
        threads: how many make batches.

    Yields:
        (step, images, masks, indices), as of `make_batch`.
    """

    def make(step: int) -> tuple[int, torch.Tensor, torch.Tensor, np.ndarray]:
        indices, places = step_indices(config, step, len(image_set), rank, ranks)
        generators = [np.random.default_rng([config.seed, 1, step, place]) for place in places]
        return step, *make_batch(image_set, indices, config, generators), indices

    def ready(future: Future) -> tuple:
        return result(future, f"a batch from {threads} threads", BATCH_SECONDS, goes_on=True)

    waiting: deque[Future] = deque()
    with ThreadPoolExecutor(threads, "batches") as pool:
        try:
            for step in steps:
                waiting.append(pool.submit(make, step))
                if len(waiting) > AHEAD * threads:
                    yield ready(waiting.popleft())
            while waiting:
                yield ready(waiting.popleft())
        finally:
            for future in waiting:
                future.cancel()
