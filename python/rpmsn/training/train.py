# SPDX-License-Identifier: GPL-3.0-or-later
"""The training loop: a configuration in, a model (card and weights) out; killed half-way, it goes on where it was."""
import json
import logging
import math
import os
import platform
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import safe_open
from safetensors.torch import save
from tqdm import tqdm

from .. import network, spectrogram
from ..classes import IGNORED
from ..errors import ModelError
from ..files import whole_file
from ..inference.model import save_model
from ..synthesis import GENERATOR
from ..version import __version__
from . import scores
from .dataset import build_set

WARM_UP = 0.05
MAX_LEVEL_SHIFT = 0.05
MAX_NOISE = 0.02

log = logging.getLogger(__name__)


def learning_rate(step, steps, highest):
    """Linear warm-up over the first twentieth of all steps, then half a cosine down to zero."""
    warm_up = max(1, round(WARM_UP * steps))
    if step < warm_up:
        return highest * (step + 1) / warm_up
    return highest * 0.5 * (1 + math.cos(math.pi * (step - warm_up) / max(1, steps - warm_up)))


def augment(image, mask, rng):
    """One of the many pictures that the same scene could have given.

    Mirrored in frequency (column c -> 256 - c, which keeps the centre column), rolled in time, brighter or darker
    by up to 3 dB, with a little noise.

    Args:
        image: float32 0..1, shape (channels, 256, 256).
        mask: uint8, shape (256, 256).
        rng: numpy Generator.

    Returns:
        (image, mask), new arrays.
    """
    if rng.random() < 0.5:
        image, mask = (np.roll(values[..., ::-1], 1, axis=-1) for values in (image, mask))
    if rng.random() < 0.5:
        shift = int(rng.integers(len(mask)))
        image, mask = (np.roll(values, shift, axis=-2) for values in (image, mask))
    image = image + np.float32(rng.uniform(-MAX_LEVEL_SHIFT, MAX_LEVEL_SHIFT))
    if rng.random() < 0.3:
        image = image + rng.standard_normal(image.shape, np.float32) * np.float32(rng.uniform(0, MAX_NOISE))
    return np.clip(image, 0, 1), mask


def make_batch(image_set, indices, rng=None):
    """Images and masks as tensors; augmented where a generator is given."""
    images, masks = [], []
    for index in indices:
        image, mask = image_set[int(index)]
        image = image.astype(np.float32) / 255
        if rng is not None:
            image, mask = augment(image, mask, rng)
        images.append(image)
        masks.append(mask)
    batch = torch.from_numpy(np.stack(images)).contiguous(memory_format=torch.channels_last)
    return batch, torch.from_numpy(np.stack(masks).astype(np.int64))


def evaluate(built, image_set, classes, batch_size=16):
    """Confusion matrix of a network on a set; pixels with 255 are left out."""
    built.eval()
    matrix = np.zeros((classes, classes), np.int64)
    with torch.inference_mode():
        for start in range(0, len(image_set), batch_size):
            images, masks = make_batch(image_set, range(start, min(start + batch_size, len(image_set))))
            found = built(images).argmax(dim=1)
            matrix += scores.confusion_matrix(masks.numpy(), found.numpy(), classes)
    return matrix


class Trainer:
    """One run in one folder.

    Args:
        config: TrainingConfig.
        folder: sets, checkpoint and the finished model go here.
        workers: processes that make the sets, and threads that train.
    """

    def __init__(self, config, folder, workers=2):
        self.config = config
        self.folder = Path(folder)
        self.workers = workers
        self.checkpoint = self.folder / "checkpoint.safetensors"

    def run(self):
        """Make the sets, train (from the checkpoint if there is one), score, save.

        Returns:
            Path of the model's card.
        """
        config = self.config
        train_set = build_set(config.train, self.folder / "train", self.workers)
        validation_set = build_set(config.validation, self.folder / "validation", self.workers)
        torch.set_num_threads(self.workers)
        torch.manual_seed(config.seed)
        self.network = network.create(config.architecture, **config.arguments).to(memory_format=torch.channels_last)
        self.optimizer = torch.optim.AdamW(self.network.parameters(), weight_decay=config.weight_decay)
        self.steps_an_epoch = math.ceil(len(train_set) / config.batch_size)
        self.steps = self.steps_an_epoch * config.epochs
        state = self._load_checkpoint()
        if state["step"] >= self.steps:
            log.info("the checkpoint is of the last step; scoring and saving")
        self._train(train_set, state)
        matrix = evaluate(self.network, validation_set, len(config.classes))
        return self._save(state, scores.summary(matrix, config.classes))

    def _train(self, train_set, state):
        """Steps from `state["step"]` to the last; the random choices of a step depend on its number alone."""
        config = self.config
        weights = torch.tensor(config.class_weights, dtype=torch.float32)
        saved = started = time.monotonic()
        before = state["seconds"]
        progress = tqdm(total=self.steps, initial=state["step"], unit="step", desc=f"training {config.name}")
        self.network.train()
        for step in range(state["step"], self.steps):
            epoch, place = divmod(step, self.steps_an_epoch)
            order = np.random.default_rng([config.seed, epoch]).permutation(len(train_set))
            chosen = order[place * config.batch_size:(place + 1) * config.batch_size]
            images, masks = make_batch(train_set, chosen, np.random.default_rng([config.seed, 1, step]))
            for group in self.optimizer.param_groups:
                group["lr"] = learning_rate(step, self.steps, config.learning_rate)
            loss = F.cross_entropy(self.network(images), masks, weights, ignore_index=IGNORED)
            if not torch.isfinite(loss):
                bad = self.folder / f"bad-step-{step}.npz"
                np.savez(bad, images=images.numpy(), masks=masks.numpy(), indices=chosen)
                raise ModelError(f"the loss became {loss.item()} at step {step}; its batch is in {bad}; "
                                 f"lower learning_rate (now {config.learning_rate:g}) and start again")
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            state["loss"] = 0.98 * state.get("loss", loss.item()) + 0.02 * loss.item()
            state["step"] = step + 1
            state["seconds"] = before + time.monotonic() - started
            progress.set_postfix(loss=f"{state['loss']:.4f}", refresh=False)
            progress.update()
            if time.monotonic() - saved > config.checkpoint_seconds or place + 1 == self.steps_an_epoch:
                self._save_checkpoint(state)
                saved = time.monotonic()
        progress.close()

    def _save_checkpoint(self, state):
        """Network, optimiser and place in one safetensors file, put in place by renaming."""
        tensors = {f"network.{name}": values.contiguous() for name, values in self.network.state_dict().items()}
        names = [name for name, _ in self.network.named_parameters()]
        for index, values in self.optimizer.state_dict()["state"].items():
            for key, value in values.items():
                tensors[f"optimizer.{key}.{names[index]}"] = value.contiguous()
        metadata = {"state": json.dumps(state), "config": json.dumps(self.config.to_dict())}
        with whole_file(self.checkpoint) as file:
            file.write(save(tensors, metadata))

    def _load_checkpoint(self):
        """Put network and optimiser where they were; returns the state, that of a fresh start if there is none."""
        if not self.checkpoint.exists():
            return {"step": 0, "seconds": 0.0}
        with safe_open(self.checkpoint, "pt") as file:
            metadata = file.metadata()
            if json.loads(metadata["config"]) != json.loads(json.dumps(self.config.to_dict())):
                raise ModelError(f"{self.checkpoint} belongs to another configuration; move it away to start anew, "
                                 "or name another --output")
            tensors = {name: file.get_tensor(name) for name in file.keys()}
        prefix = "network."
        self.network.load_state_dict({name[len(prefix):]: values for name, values in tensors.items()
                                      if name.startswith(prefix)})
        names = [name for name, _ in self.network.named_parameters()]
        content = self.optimizer.state_dict()
        keys = ("step", "exp_avg", "exp_avg_sq")  # what AdamW remembers of a parameter
        content["state"] = {index: {key: tensors[f"optimizer.{key}.{name}"] for key in keys}
                            for index, name in enumerate(names)}
        self.optimizer.load_state_dict(content)
        state = json.loads(metadata["state"])
        log.info("going on from step %d of %d", state["step"], self.steps)
        return state

    def _save(self, state, validation_scores):
        config = self.config
        training = {
            "command": f"rpmsn train {config.name}",
            "config": config.to_dict(),
            "steps": state["step"],
            "minutes": round(state["seconds"] / 60, 1),
            "machine": f"{os.cpu_count()} cores, {platform.machine()}",
            "software": f"gr-rpmsn {__version__}, torch {torch.__version__}",
            "generator": GENERATOR,
        }
        card = {
            "name": config.name, "version": config.version, "architecture": config.architecture,
            "arguments": config.arguments, "classes": config.classes, "recipe": config.recipe,
            "frame_seconds": spectrogram.FRAME_SECONDS, "sample_rates": config.sample_rates, "training": training,
            "scores": {"validation": validation_scores},
        }
        return save_model(self.network, card, self.folder)
