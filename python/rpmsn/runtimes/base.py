# SPDX-License-Identifier: GPL-3.0-or-later
"""The interface that every runtime has."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError, ParameterError, StalledError
from ..signal.image import COLUMNS, ROWS
from ..waiting import LIMIT_SECONDS

if TYPE_CHECKING:
    from ..models.model import Model

DEFAULT_THREADS = 1

_first_use = threading.RLock()


@contextmanager
def first_use(what: str) -> Iterator[None]:
    """Keep what a library does for the first time to one thread at a time, in the whole process.

    Libraries initialise parts of themselves at first use. Two threads that come to such a part at once can wait for
    each other for ever: one holds the GIL and waits for the initialiser, the other runs it and waits for the GIL.

    Args:
        what: is used for the first time, for the error.

    Raises:
        StalledError: another thread has not come to the end of its first use.
    """
    if not _first_use.acquire(timeout=LIMIT_SECONDS):
        raise StalledError(
            f"{what} waited {LIMIT_SECONDS:g} s for another thread that uses a library for the first time; "
            "end the program, and start it with another --runtime"
        )
    try:
        yield
    finally:
        _first_use.release()


class Runtime(ABC):
    """Runs a model.

    Args:
        model: rpmsn.models.model.Model.
        name: under which name of `runtimes.KINDS` it was made.
        threads: that it may use. Set on purpose in every library: left to themselves they take all cores, and fight
            with GNU Radio for them.

    Attributes:
        is_warm: whether the first inference was made.
    """

    def __init__(self, model: "Model", name: str, threads: int = DEFAULT_THREADS) -> None:
        self.name = name
        self.card = model.card
        self.threads = threads
        self.is_warm = False

    def warm_up(self) -> None:
        """Make the first inference, while no other runtime makes its first; a second call does nothing.

        `runtimes.create` has done this, so that it happens before there are workers.
        """
        with first_use(f"runtime {self.name}"):
            if not self.is_warm:
                self._logits(np.zeros((1, self.card.arguments["in_channels"], ROWS, COLUMNS), np.float32))
                self.is_warm = True

    def probabilities(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probability of every class in every pixel: softmax(logits / the card's temperature).

        Args:
            images: float32, shape (batch, channels, 256, 256), 0..1.

        Returns:
            float32, shape (batch, classes, 256, 256).

        Raises:
            ParameterError: the images have another shape.
        """
        wanted = (self.card.arguments["in_channels"], ROWS, COLUMNS)
        if images.ndim != 4 or images.shape[1:] != wanted:
            raise ParameterError(
                f"images have shape {images.shape}, but (batch, {wanted[0]}, {ROWS}, {COLUMNS}) is "
                f"what model {self.card.name!r} takes"
            )
        if not self.is_warm:
            self.warm_up()
        return softmax(self._logits(np.ascontiguousarray(images, np.float32)), self.card.temperature)

    @abstractmethod
    def _logits(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """The network's output, float32, shape (batch, classes, 256, 256), for contiguous images."""

    def _check_shapes(self, path: Path, inputs: list[tuple], outputs: list[tuple]) -> None:
        """Raise a ModelError unless a file's shapes, without the batch, are what the card says."""
        wanted = [(self.card.arguments["in_channels"], ROWS, COLUMNS)], [(len(self.card.classes), ROWS, COLUMNS)]
        if (inputs, outputs) != wanted:
            raise ModelError(
                f"{path} takes images of {inputs} and gives {outputs}, but by the card of model "
                f"{self.card.name!r} that would be {wanted[0]} and {wanted[1]}; make the file again with "
                "`rpmsn export`"
            )


def softmax(logits: NDArray[np.float32], temperature: float = 1.0) -> NDArray[np.float32]:
    """Softmax over axis 1 of logits / temperature, in a new array."""
    values = logits - logits.max(axis=1, keepdims=True)
    if temperature != 1.0:
        values /= np.float32(temperature)
    np.exp(values, out=values)
    values /= values.sum(axis=1, keepdims=True)
    return values
