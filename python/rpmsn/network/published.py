# SPDX-License-Identifier: GPL-3.0-or-later
"""RPMSN as published (IMCOM 2025, doi 10.1109/IMCOM64595.2025.10857521), written from its description.

Named parts: multi-scale block -> trunk of parallel branches at 1, 1/2, 1/4 and 1/8 of the resolution that
exchange at every stage -> fusion at full resolution -> head. The full-resolution branch runs from end to end.
"""

import torch
import torch.nn.functional as F
from torch import nn

from ..errors import ParameterError
from .shapes import check_input

HALVINGS = 3


def conv5(in_channels: int, out_channels: int) -> nn.Sequential:
    """5 x 5 convolution with bias, same size, and ReLU ("C5")."""
    return nn.Sequential(nn.Conv2d(in_channels, out_channels, 5, padding=2), nn.ReLU(inplace=True))


class MultiScaleBlock(nn.Module):
    """Four parallel convolutions, 1 x 1 to 7 x 7; concatenated, normalised, ReLU."""

    def __init__(self, in_channels: int, channels_each: int) -> None:
        super().__init__()
        self.scales = nn.ModuleList(
            nn.Conv2d(in_channels, channels_each, size, padding=size // 2) for size in (1, 3, 5, 7)
        )
        self.norm = nn.BatchNorm2d(4 * channels_each)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return F.relu(self.norm(torch.cat([scale(images) for scale in self.scales], dim=1)))


def _resample(values, from_branch, to_branch):
    """Bring a branch's values to the resolution of another: max-pooled down, or bilinear up."""
    for _ in range(to_branch - from_branch):
        values = F.max_pool2d(values, 2)
    if from_branch > to_branch:
        values = F.interpolate(values, scale_factor=2 ** (from_branch - to_branch), mode="bilinear")
    return values


class Stage(nn.Module):
    """One stage of the trunk: exchange among the branches, then convolutions on each.

    Args:
        branches_in: number of branches that enter.
        branches_out: the same, or one more: the new one is the sum of the others, pooled.
        width: channels of every branch.
        convolutions: 5 x 5 convolutions on each branch after the exchange.
    """

    def __init__(self, branches_in: int, branches_out: int, width: int, convolutions: int) -> None:
        super().__init__()
        self.branches_out = branches_out
        self.exchange = nn.ModuleList(conv5(width, width) for _ in range(branches_in))
        self.convolve = nn.ModuleList(
            nn.Sequential(*(conv5(width, width) for _ in range(convolutions))) for _ in range(branches_out)
        )

    def forward(self, branches: list[torch.Tensor]) -> list[torch.Tensor]:
        exchanged = []
        for target in range(self.branches_out):
            # A branch that is born here has no convolution: it is the sum of the pooled finer ones alone.
            own = [self.exchange[target](branches[target])] if target < len(branches) else []
            others = [_resample(values, source, target) for source, values in enumerate(branches) if source != target]
            exchanged.append(sum(own + others))
        return [convolve(values) for convolve, values in zip(self.convolve, exchanged)]


class RPMSN(nn.Module):
    """Resolution-preserving multi-scale network.

    Args:
        in_channels: channels of the image (3 for the published feature set).
        classes: number of classes.
        width: channels of every branch, a multiple of 8; the paper's is 128, and the other parts scale with it.

    Input: float32, shape (batch, in_channels, rows, columns), rows and columns multiples of 8.
    Output: logits, shape (batch, classes, rows, columns).

    With the defaults: 14,495,043 parameters, 466.4 GMAC for 256 x 256.

    Weights begin so that what goes through a convolution and its ReLU keeps its size (K. He et al., "Delving deep into
    rectifiers", ICCV 2015): the trunk has no normalisation, and with torch's own a layer keeps two fifths of it.
    """

    def __init__(self, in_channels: int = 3, classes: int = 3, width: int = 128) -> None:
        super().__init__()
        if width < 8 or width % 8:
            raise ParameterError(f"width is {width}, but it has to be a multiple of 8, such as 128 (the paper's) or 32")
        self.in_channels = in_channels
        half = width // 2
        self.multi_scale = MultiScaleBlock(in_channels, half // 4)
        self.stem = nn.Sequential(conv5(half, width), conv5(width, width))
        self.stages = nn.ModuleList(
            [Stage(1, 2, width, 2), Stage(2, 3, width, 2), Stage(3, 4, width, 2), Stage(4, 4, width, 1)]
        )
        self.fusion = conv5(width, width)
        self.fusion_mix = nn.Conv2d(width, width, 1)
        self.skip = nn.Conv2d(half, half, 1)
        self.head_norm = nn.BatchNorm2d(width + half)
        self.head = nn.Sequential(
            conv5(width + half, half), conv5(half, width // 8), nn.Conv2d(width // 8, classes, 5, padding=2)
        )
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                assert layer.bias is not None
                nn.init.zeros_(layer.bias)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        check_input(images, self.in_channels, 2**HALVINGS)
        multi_scale = self.multi_scale(images)
        branches = [self.stem(multi_scale)]
        for stage in self.stages:
            branches = stage(branches)
        fused = self.fusion(branches[0]) + sum(
            _resample(values, source, 0) for source, values in enumerate(branches) if source > 0
        )
        joined = torch.cat([self.fusion_mix(fused), self.skip(multi_scale)], dim=1)
        return self.head(F.relu(self.head_norm(joined)))
