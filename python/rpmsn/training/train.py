# SPDX-License-Identifier: GPL-3.0-or-later
"""The training loop: a configuration in, a model (card and weights) out; killed half-way, it goes on where it was."""

import logging
import math
import os
import platform
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, SequentialLR
from torch.optim.swa_utils import AveragedModel
from tqdm import tqdm

from .. import network
from ..errors import ModelError, ParameterError
from ..files import whole_file
from ..models.model import load_model, save_model
from ..progress import progress_bar
from ..signal import image as spectrogram
from ..synthesis import GENERATOR
from ..version import __version__
from .batches import make_batch, to_device, training_batches
from .checkpoint import load_checkpoint, save_checkpoint
from .config import TrainingConfig
from .dataset import Images
from .evaluation import scores
from .evaluation.calibration import PixelSample, fit_temperature
from .journal import Journal
from .losses import segmentation_loss, teacher_loss
from .parallel import Group
from .sets import TrainingSets, open_set

WARM_UP = 0.05
STEPS_PER_SEED = 100_000_000
JOURNAL_STEPS = 20

log = logging.getLogger(__name__)


def learning_rates(optimizer: torch.optim.Optimizer, steps: int) -> SequentialLR:
    """Linear warm-up over the first twentieth of all steps, then half a cosine down to zero."""
    warm_up = max(1, round(WARM_UP * steps))
    return SequentialLR(
        optimizer,
        [
            LinearLR(optimizer, 1 / warm_up, total_iters=warm_up - 1),
            CosineAnnealingLR(optimizer, max(1, steps - warm_up)),
        ],
        [warm_up],
    )


def average_of(followed: nn.Module, decay: float) -> AveragedModel:
    """A moving average of a network's weights: as good as many steps at a smaller rate, at once.

    The first steps count little, for they are far from where it will go. Its `module` is a copy of the network.
    """

    @torch.no_grad()
    def update(averaged: Sequence[torch.Tensor], now: Sequence[torch.Tensor], count: torch.Tensor | int) -> None:
        if torch.is_floating_point(averaged[0]):
            torch._foreach_lerp_(list(averaged), list(now), 1 - min(decay, (1 + int(count)) / (10 + int(count))))
        else:
            torch._foreach_copy_(list(averaged), list(now))

    return AveragedModel(followed, multi_avg_fn=update, use_buffers=True)


def _precision(config: TrainingConfig, device: torch.device) -> torch.autocast:
    """A context in which a network computes in the configuration's precision."""
    return torch.autocast(device.type, torch.bfloat16, enabled=config.precision == "bf16")


@torch.inference_mode()
def predictions(
    built: nn.Module, image_set: Images, config: TrainingConfig, device: str | torch.device = "cpu"
) -> Iterator[tuple[range, np.ndarray, torch.Tensor]]:
    """Outputs of a network, put in evaluation mode, for a set, batch by batch.

    Args:
        built: the network, on `device`.
        image_set: ImageSet.
        config: TrainingConfig; its classes, feature set, batch size and precision are used.
        device: torch device.

    Yields:
        (indices, masks, logits): range of places in the set; uint8, shape (batch, 256, 256); and float32 tensor on
        `device`, shape (batch, classes, 256, 256).
    """
    built.eval()
    for start in range(0, len(image_set), config.batch_size):
        indices = range(start, min(start + config.batch_size, len(image_set)))
        images, masks = make_batch(image_set, indices, config)
        with _precision(config, torch.device(device)):
            logits = built(to_device(images, masks, device)[0])
        yield indices, masks.numpy(), logits.float()


def evaluate(
    built: nn.Module,
    image_set: Images,
    config: TrainingConfig,
    device: str | torch.device = "cpu",
    sample: PixelSample | None = None,
) -> np.ndarray:
    """Confusion matrix of a network on a set; pixels with 255 are left out.

    Args:
        built, image_set, config, device: as of `predictions`.
        sample: PixelSample that gets pixels of every image, to calibrate confidence by.
    """
    classes = len(config.classes)
    matrix = np.zeros((classes, classes), np.int64)
    for _, masks, logits in predictions(built, image_set, config, device):
        matrix += scores.confusion_matrix(masks, logits.argmax(dim=1).cpu().numpy(), classes)
        if sample is not None:
            for outputs, mask in zip(logits.cpu().numpy(), masks):
                sample.add(outputs, mask)
    return matrix


def _model(config: TrainingConfig, key: str) -> nn.Module | None:
    """The model that the configuration names under `key`; None where it names none."""
    name = getattr(config, key)
    if name is None:
        return None
    try:
        model = load_model(name)
    except ModelError as error:
        raise ModelError(
            f"{key} names a model that cannot be loaded: {error}; train it first, or name another one"
        ) from error
    same = ("features", "classes") + (("architecture", "arguments") if key == "start_from" else ())
    for aspect in same:
        if getattr(model.card, aspect) != getattr(config, aspect):
            raise ModelError(
                f"{key} is {name}, whose {aspect} is {getattr(model.card, aspect)}, but this "
                f"configuration has {getattr(config, aspect)}; name a model that agrees, or change "
                f"{aspect}"
            )
    return model.network()


class Trainer:
    """One run in one folder.

    Args:
        config: TrainingConfig.
        folder: checkpoint and the finished model go here.
        workers: processes that make the sets.
        sets: folder of the sets, which runs may share; the run's own if None.
        stop_after: minutes after which to stop with a checkpoint; None for never.
        threads: that train; as many as workers if None.
        command: what to type to train it, for the card; `rpmsn train` by its name if None.
    """

    def __init__(
        self,
        config: TrainingConfig,
        folder: str | os.PathLike,
        workers: int = 2,
        sets: str | os.PathLike | None = None,
        stop_after: float | None = None,
        threads: int | None = None,
        command: str | None = None,
    ) -> None:
        self.config = config
        self.command = command or f"rpmsn train {config.name}"
        self.folder = Path(folder)
        self.sets = Path(sets) if sets else self.folder
        self.workers = workers
        self.threads = threads or workers
        self.stop_time = time.monotonic() + 60 * stop_after if stop_after else math.inf
        self.checkpoint = self.folder / "checkpoint.safetensors"
        self.steps_an_epoch = math.ceil(sum(entry.count for entry in config.train) / config.batch_size)
        self.steps = self.steps_an_epoch * config.epochs

    def run(self) -> Path | None:
        """Make the sets, train (from the checkpoint if there is one), score, save.

        Returns:
            Path of the model's card; None if it stopped before the last step, or is not the first of several
            processes.
        """
        config = self.config
        self.folder.mkdir(parents=True, exist_ok=True)
        torch.set_num_threads(self.threads)
        with Group() as self.group:
            if config.batch_size < self.group.size:
                raise ParameterError(
                    f"batch_size is {config.batch_size}, but {self.group.size} processes share a "
                    "batch; give at least one image each"
                )
            self._make_network()
            networks = {"network": self.network} | ({"average": self.average.module} if self.average else {})
            state = load_checkpoint(self.checkpoint, networks, self.optimizer, config) or {"step": 0, "seconds": 0.0}
            if state["step"]:
                log.info("going on from step %d of %d", state["step"], self.steps)
                self._advance(state["step"])
            self.save_checkpoint = lambda: save_checkpoint(self.checkpoint, networks, self.optimizer, state, config)
            if self.group.is_first:
                self.validation_set = open_set(config.validation, self.sets / "validation", self.workers)
                self.journal = Journal(self.folder, state["step"])
            self._train(state)
            if not self.group.is_first:
                return None
            card = None
            if state["step"] >= self.steps:
                card = self._save(state)
            else:
                log.info("stopped after step %d of %d; the same command goes on from there", state["step"], self.steps)
            self.journal.close()
            return card

    def _make_network(self) -> None:
        """The network, and what trains it."""
        config = self.config
        self.device = self.group.device
        torch.manual_seed(config.seed)
        built = network.create(config.architecture, **config.arguments)
        first = _model(config, "start_from")
        if first:
            built.load_state_dict(first.state_dict())
        self.network = self._placed(built)
        self.forward: Callable[[torch.Tensor], torch.Tensor] = self.group.together(self.network)
        if config.compile:
            self.forward = torch.compile(self.forward)
        self.average = average_of(self.network, config.average) if config.average else None
        self.finished = self.average.module if self.average else self.network
        teacher = _model(config, "teacher")
        self.teacher = teacher and self._placed(teacher)
        self.class_weights = torch.tensor(config.class_weights, dtype=torch.float32, device=self.device)
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
        )
        self.rates = learning_rates(self.optimizer, self.steps)

    def _blend(self) -> None:
        """Mix the weights that training started from into the finished ones (M. Wortsman et al., "Robust fine-tuning of
        zero-shot models", CVPR 2022): what was learned before is kept, and little of what is new is lost."""
        first = _model(self.config, "start_from")
        assert first is not None, "as the configuration was checked"
        before = first.state_dict()
        with torch.no_grad():
            for name, values in self.finished.state_dict().items():
                if values.is_floating_point():
                    values.lerp_(before[name].to(values), 1 - self.config.blend)

    def _placed(self, network: nn.Module) -> nn.Module:
        """A network on this process's device, in the memory format that convolutions are fastest in."""
        return network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def _advance(self, step: int) -> None:
        """Put what a checkpoint does not hold to where it was before a step, to the same bits."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of rates that change before the first step of this optimiser
            for _ in range(step):
                self.rates.step()
        if self.average:
            self.average.n_averaged.fill_(step)

    def _train(self, state: dict[str, Any]) -> None:
        """Steps from `state["step"]` to the last; the random choices of a step depend on its number alone."""
        if state["step"] >= self.steps:
            return
        with TrainingSets(self.config, self.sets, self.folder, self.workers, self.group) as sets:
            period_steps = sets.period_epochs * self.steps_an_epoch
            train_set = sets.open(state["step"] // period_steps)
            with progress_bar(
                self.steps, "step", f"training {self.config.name}", not self.group.is_first, state["step"]
            ) as progress:
                while True:
                    period = state["step"] // period_steps
                    steps = range(state["step"], min((period + 1) * period_steps, self.steps))
                    if not self._train_period(train_set, steps, state, progress) or state["step"] == self.steps:
                        return
                    train_set = sets.open(period + 1)

    def _train_period(self, train_set: Images, steps: range, state: dict[str, Any], progress: tqdm) -> bool:
        """Steps on the same images; returns whether they were all done, and not stopped before."""
        config, group = self.config, self.group
        saved = last = time.monotonic()
        self.network.train()
        batches = training_batches(train_set, config, steps, group.rank, group.size, max(1, self.workers // 4))
        for step, images, masks, indices in batches:
            loss = self._step(step, images, masks, indices)
            now = time.monotonic()
            state.update(
                step=step + 1, loss=0.98 * state.get("loss", loss) + 0.02 * loss, seconds=state["seconds"] + now - last
            )
            last = now
            is_epoch = state["step"] % self.steps_an_epoch == 0
            must_stop = group.as_first(now > self.stop_time)
            if group.is_first:
                self._show(state, progress)
                if is_epoch or must_stop or now - saved > config.checkpoint_seconds:
                    self.save_checkpoint()
                    saved = time.monotonic()
                if is_epoch and config.validate_every and state["step"] < self.steps:
                    self._validate(state)
            if must_stop:
                batches.close()
                return False
        return True

    def _step(self, step: int, images: torch.Tensor, masks: torch.Tensor, indices: np.ndarray) -> float:
        """One step of the optimiser; returns the loss."""
        config = self.config
        torch.manual_seed(STEPS_PER_SEED * config.seed + step)  # for networks with dropout
        inputs, truth = to_device(images, masks, self.device)
        with _precision(config, self.device):
            logits = self.forward(inputs)
            if self.teacher:
                with torch.no_grad():
                    wanted = self.teacher(inputs)
        loss = segmentation_loss(logits, truth, self.class_weights, config.dice_weight)
        if self.teacher:
            loss = torch.lerp(loss, teacher_loss(logits, wanted), config.teacher_weight)
        self.optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), config.gradient_clip or math.inf).item()
        value = loss.item()
        if not math.isfinite(value + norm):
            bad = self.folder / f"bad-step-{step}-process-{self.group.rank}.npz"
            with whole_file(bad) as file:
                np.savez(file, images=images.numpy(), masks=masks.numpy(), indices=indices)
            raise ModelError(
                f"at step {step} the loss became {value} and its gradient {norm}; the batch is in {bad}; "
                f"lower learning_rate (now {config.learning_rate:g}) and start over with another "
                "--output, or with the same one after moving the checkpoint away"
            )
        self.optimizer.step()
        self.rate = float(self.rates.get_last_lr()[0])
        self.rates.step()
        if self.average:
            self.average.update_parameters(self.network)
        return value

    def _show(self, state: dict[str, Any], progress: tqdm) -> None:
        """Progress: on the terminal, and for TensorBoard."""
        progress.set_postfix(loss=f"{state['loss']:.4f}", learning_rate=f"{self.rate:.2e}", refresh=False)
        progress.update()
        if state["step"] % JOURNAL_STEPS == 0:
            self.journal.write(state["step"], {"loss": state["loss"], "learning_rate": self.rate})

    def _validate(self, state: dict[str, Any]) -> None:
        """After an epoch whose turn it is: scores of the network as it is."""
        epoch = state["step"] // self.steps_an_epoch
        if epoch % self.config.validate_every == 0:
            found = self._scores(state)
            log.info(
                "epoch %d of %d: mean IoU %.4f (%s)",
                epoch,
                self.config.epochs,
                found["mean_iou"],
                ", ".join(f"{name} {value}" for name, value in found["iou"].items()),
            )
            self.network.train()

    def _scores(self, state: dict[str, Any], sample: PixelSample | None = None) -> dict[str, Any]:
        """Scores on the validation set, written to TensorBoard too; arguments as of `evaluate`."""
        matrix = evaluate(self.finished, self.validation_set, self.config, self.device, sample)
        found = scores.summary(matrix, self.config.classes)
        self.journal.write(
            state["step"],
            {"validation/mean_iou": found["mean_iou"]}
            | {f"validation/iou_{name}": value for name, value in found["iou"].items()},
        )
        return found

    def _save(self, state: dict[str, Any]) -> Path:
        """Score, calibrate and write the finished model; returns the path of its card."""
        config = self.config
        if config.blend < 1:
            self._blend()
        sample = PixelSample(len(self.validation_set))
        validation_scores = self._scores(state, sample)
        temperature = round(fit_temperature(*sample.pixels()), 4) if len(sample) else 1.0
        on_gpu = self.device.type == "cuda"
        gpus = f", {self.group.size} x {torch.cuda.get_device_name(self.device)}" if on_gpu else ""
        training = {
            "command": self.command,
            "config": config.to_dict(),
            "steps": state["step"],
            "minutes": round(state["seconds"] / 60, 1),
            "machine": f"{os.cpu_count()} cores, {platform.machine()}{gpus}",
            "software": f"gr-rpmsn {__version__}, torch {torch.__version__}",
            "generator": GENERATOR,
        }
        card = {
            "name": config.name,
            "version": config.version,
            "architecture": config.architecture,
            "arguments": config.arguments,
            "classes": config.classes,
            "features": config.features,
            "frame_seconds": spectrogram.FRAME_SECONDS,
            "sample_rates": config.sample_rates,
            "training": training,
            "temperature": temperature,
            "scores": {"validation": validation_scores},
        }
        return save_model(self.finished, card, self.folder)
