# SPDX-License-Identifier: GPL-3.0-or-later
"""The sets of a training run: made when they are missing, and made again in the background while training goes on."""

import os
import shutil
import signal
from dataclasses import replace
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

from .. import interrupts
from ..errors import ModelError, RpmsnError
from ..processes import end_with_parent
from ..waiting import SLICE_SECONDS, Patience
from .config import SEEDS_APART, TrainingConfig
from .dataset import ImageSet, SetConfig, build_set

if TYPE_CHECKING:
    from torch.utils.data import ConcatDataset

    from .parallel import Group

MAKER_SECONDS = 600.0
"""Training that has waited so long for its scenes says so and goes on: how many there are is the user's choice."""


def open_set(config: SetConfig, folder: Path, workers: int = 1, quiet: bool = False) -> ImageSet:
    """`build_set`, with an error that says what to do where a file of the set is not whole."""
    try:
        return build_set(config, folder, workers, quiet)
    except RpmsnError:
        raise
    except (ValueError, EOFError, FileNotFoundError, BadZipFile) as error:
        raise ModelError(
            f"set {folder} holds a file that is not whole ({error}); remove the set's folder, and it is made again"
        ) from error


class TrainingSets:
    """The training sets, period by period; a period is `fresh_every` epochs, or the whole run where that is 0.

    The next period's scenes are made by a process of its own with lower priority. Those of the first period stay;
    later ones are removed when they are done with.

    Args:
        config: TrainingConfig.
        sets: folder of the first period's sets, which runs may share.
        folder: of the run; later periods' sets are in it.
        workers: processes that make scenes.
        group: parallel.Group.
    """

    def __init__(self, config: TrainingConfig, sets: Path, folder: Path, workers: int, group: "Group") -> None:
        self.config = config
        self.sets = sets
        self.folder = folder
        self.workers = workers
        self.group = group
        self.maker: BaseProcess | None = None

    def __enter__(self) -> "TrainingSets":
        return self

    def __exit__(self, *_: object) -> None:
        if self.maker:
            self.maker.kill()  # its own workers end with it, and leave whole shards

    @property
    def period_epochs(self) -> int:
        """Epochs of a period."""
        return self.config.fresh_every or self.config.epochs

    def open(self, period: int) -> "ConcatDataset":
        """The sets of a period, as one; begins to make those of the next."""
        from torch.utils.data import ConcatDataset  # not in the processes that make sets

        if self.group.is_first:
            if self.maker:
                patience = Patience("the sets of the next period", MAKER_SECONDS, goes_on=True)
                while self.maker.is_alive():
                    self.maker.join(SLICE_SECONDS)
                    patience.spend(SLICE_SECONDS)
            for entry, folder in self._entries(period):
                open_set(entry, folder, self.workers)
            if period > 1:
                for _, folder in self._entries(period - 1):
                    shutil.rmtree(folder, ignore_errors=True)
            if (period + 1) * self.period_epochs < self.config.epochs:
                jobs = [(entry, folder, self.workers) for entry, folder in self._entries(period + 1)]
                maker = get_context("spawn").Process(target=_make, args=(os.getpid(), jobs))
                with interrupts.held():
                    maker.start()
                    self.maker = maker
        self.group.wait()
        parts: list[Any] = [open_set(entry, folder) for entry, folder in self._entries(period)]
        return ConcatDataset(parts)

    def _entries(self, period: int) -> list[tuple[SetConfig, Path]]:
        """(SetConfig, folder) of every set of a period."""
        entries = []
        for number, entry in enumerate(self.config.train):
            name = "train" if len(self.config.train) == 1 else f"train-{number + 1}"
            if period:
                entry = replace(entry, seed=entry.seed + SEEDS_APART * period)
                name += f"-fresh-{period:04d}"
            entries.append((entry, (self.folder if period else self.sets) / name))
        return entries


def _make(parent: int, jobs: list[tuple[SetConfig, Path, int]]) -> None:
    """In a process of its own: make sets, out of the way of what trains."""
    end_with_parent(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # what trains ends this process too
    interrupts.let_through()
    os.nice(10)
    try:
        for config, folder, workers in jobs:
            build_set(config, folder, workers, quiet=True)
    except KeyboardInterrupt:
        pass  # came to the workers
