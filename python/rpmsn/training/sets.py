# SPDX-License-Identifier: GPL-3.0-or-later
"""The sets of a training run: made when they are missing, and anew in the background while training goes on."""

import os
import shutil
import signal
from dataclasses import replace
from multiprocessing import get_context
from zipfile import BadZipFile

from ..errors import ModelError, RpmsnError
from ..processes import end_with_parent
from ..waiting import SLICE_SECONDS, Patience
from .config import SEEDS_APART
from .dataset import Joined, build_set

MAKER_SECONDS = 600.0
"""Training that has waited so long for its scenes says so and goes on: how many there are is the user's choice."""


def open_set(config, folder, workers=1, quiet=False):
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

    def __init__(self, config, sets, folder, workers, group):
        self.config = config
        self.sets = sets
        self.folder = folder
        self.workers = workers
        self.group = group
        self.maker = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.maker:
            self.maker.kill()  # its own workers end with it, and leave whole shards

    @property
    def period_epochs(self):
        """Epochs of a period."""
        return self.config.fresh_every or self.config.epochs

    def open(self, period):
        """The sets of a period, as one; begins to make those of the next."""
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
                self.maker = get_context("spawn").Process(target=_make, args=(os.getpid(), jobs))
                self.maker.start()
        self.group.wait()
        return Joined(open_set(entry, folder) for entry, folder in self._entries(period))

    def _entries(self, period):
        """(SetConfig, folder) of every set of a period."""
        entries = []
        for number, entry in enumerate(self.config.train):
            name = "train" if len(self.config.train) == 1 else f"train-{number + 1}"
            if period:
                entry = replace(entry, seed=entry.seed + SEEDS_APART * period)
                name += f"-fresh-{period:04d}"
            entries.append((entry, (self.folder if period else self.sets) / name))
        return entries


def _make(parent, jobs):
    """In a process of its own: make sets, out of the way of what trains."""
    end_with_parent(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # what trains ends this process too
    os.nice(10)
    try:
        for config, folder, workers in jobs:
            build_set(config, folder, workers, quiet=True)
    except KeyboardInterrupt:
        pass  # came to the workers
