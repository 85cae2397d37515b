# SPDX-License-Identifier: GPL-3.0-or-later
"""Any network at a coarser resolution than its images, for comparisons at a lower cost."""

from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from ..errors import ParameterError


class Reduced(nn.Module):
    """A network that sees images `factor` times as coarse, and answers at their full size.

    The image is averaged over squares of `factor` x `factor` pixels, and the logits are repeated over them, so that
    images, masks, losses and scores stay those of the full size.

    Args:
        network: name of the network in `rpmsn.network.REGISTRY`.
        factor: 2 for a network that sees 128 x 128 of 256 x 256.
        arguments: of that network.

    Input, output: as of that network.
    """

    def __init__(self, network: str, factor: int = 2, **arguments: Any) -> None:
        super().__init__()
        from . import create

        if factor < 1 or factor != int(factor):
            raise ParameterError(f"factor is {factor!r}, but a whole number of at least 1 is needed, such as 2")
        self.factor = int(factor)
        self.body = create(network, **arguments)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        logits = self.body(F.avg_pool2d(images, self.factor))
        return F.interpolate(logits, scale_factor=self.factor, mode="nearest")
