# SPDX-License-Identifier: GPL-3.0-or-later
"""The interface that every runtime has."""

from abc import ABC, abstractmethod

import numpy as np

from ..errors import ModelError, ParameterError
from ..signal.image import COLUMNS, ROWS

DEFAULT_THREADS = 1


class Runtime(ABC):
    """Runs a model.

    Args:
        model: rpmsn.models.model.Model.
        name: under which name of `runtimes.KINDS` it was made.
        threads: that it may use. Set on purpose in every library: left to themselves they take all cores, and fight
            with GNU Radio for them.
    """

    def __init__(self, model, name, threads=DEFAULT_THREADS):
        self.name = name
        self.card = model.card
        self.threads = threads

    def probabilities(self, images):
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
        return softmax(self._logits(np.ascontiguousarray(images, np.float32)), self.card.temperature)

    @abstractmethod
    def _logits(self, images):
        """The network's output, float32, shape (batch, classes, 256, 256), for contiguous images."""

    def _check_shapes(self, path, inputs, outputs):
        """Raise a ModelError unless a file's shapes, without the batch, are what the card says."""
        wanted = [(self.card.arguments["in_channels"], ROWS, COLUMNS)], [(len(self.card.classes), ROWS, COLUMNS)]
        if (inputs, outputs) != wanted:
            raise ModelError(
                f"{path} takes images of {inputs} and gives {outputs}, but by the card of model "
                f"{self.card.name!r} that would be {wanted[0]} and {wanted[1]}; make the file again with "
                "`rpmsn export`"
            )


def softmax(logits, temperature=1.0):
    """Softmax over axis 1 of logits / temperature, in a new array."""
    values = logits - logits.max(axis=1, keepdims=True)
    if temperature != 1.0:
        values /= np.float32(temperature)
    np.exp(values, out=values)
    values /= values.sum(axis=1, keepdims=True)
    return values
