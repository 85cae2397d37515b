# SPDX-License-Identifier: GPL-3.0-or-later
"""Progress of training, for TensorBoard: `tensorboard --logdir RUN`."""

import logging
from collections.abc import Mapping
from pathlib import Path

from .. import installation

log = logging.getLogger(__name__)


class Journal:
    """Scalars by step, in `tensorboard/` below the run's folder; nothing where TensorBoard is not installed.

    Args:
        folder: of the run.
        step: first step that will be written; what an interrupted run wrote from there on is dropped.
    """

    def __init__(self, folder: Path, step: int) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            log.info("no TensorBoard log is written; to have one: %s", installation.how_to_add("tensorboard"))
            self.writer = None
        else:
            self.writer = SummaryWriter(str(folder / "tensorboard"), purge_step=step)

    def write(self, step: int, values: Mapping[str, float | None]) -> None:
        """Write values (dict of name and number) of a step; None is left out."""
        if self.writer:
            for name, value in values.items():
                if value is not None:
                    self.writer.add_scalar(name, value, step)

    def close(self) -> None:
        """End the log."""
        if self.writer:
            self.writer.close()
