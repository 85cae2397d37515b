# SPDX-License-Identifier: GPL-3.0-or-later
"""The real-time form of RPMSN: the same idea, at a four-hundredth of the arithmetic.

What is kept: a multi-scale block in front, a full-resolution branch from end to end, an exchange among all scales
at every stage, a skip from the front to the head. What is different: few channels where the image is large
and many where it is small, 3 x 3 kernels, residual blocks, and an exchange between neighbouring scales
only, first down, then up, so that one pass reaches every branch.
"""
import torch
import torch.nn.functional as F
from torch import nn

from ..errors import ParameterError
from .published import MultiScaleBlock
from .shapes import check_input


def conv_norm(in_channels, out_channels, size=3, stride=1):
    """Convolution without bias and batch normalisation."""
    return nn.Sequential(nn.Conv2d(in_channels, out_channels, size, stride, padding=size // 2, bias=False),
                         nn.BatchNorm2d(out_channels))


class Residual(nn.Module):
    """Two 3 x 3 convolutions and a shortcut; same shape in and out."""

    def __init__(self, channels):
        super().__init__()
        self.first = conv_norm(channels, channels)
        self.second = conv_norm(channels, channels)

    def forward(self, values):
        return F.relu(values + self.second(F.relu(self.first(values))))


class ExchangeStage(nn.Module):
    """A residual block on every branch, then the exchange: finest to coarsest, then back."""

    def __init__(self, widths):
        super().__init__()
        self.branches = nn.ModuleList(Residual(width) for width in widths)
        self.down = nn.ModuleList(conv_norm(fine, coarse, stride=2) for fine, coarse in zip(widths, widths[1:]))
        self.up = nn.ModuleList(conv_norm(coarse, fine, size=1) for fine, coarse in zip(widths, widths[1:]))

    def forward(self, values):
        values = [branch(value) for branch, value in zip(self.branches, values)]
        for fine, down in enumerate(self.down):
            values[fine + 1] = F.relu(values[fine + 1] + down(values[fine]))
        for fine in reversed(range(len(self.up))):
            coarse = F.interpolate(self.up[fine](values[fine + 1]), scale_factor=2, mode="nearest")
            values[fine] = F.relu(values[fine] + coarse)
        return values


class RPMSNRealTime(nn.Module):
    """Resolution-preserving multi-scale network for live use.

    Args:
        in_channels: channels of the image (1 for the averaged recipe).
        classes: number of classes.
        widths: channels of the branches, from full resolution down, each at half the resolution of the one before;
            the first a multiple of 4.
        stages: how many times the branches exchange.

    Input: float32, shape (batch, in_channels, rows, columns), rows and columns multiples of 2 ** (len(widths) - 1).
    Output: logits, shape (batch, classes, rows, columns).
    """

    def __init__(self, in_channels=1, classes=4, widths=(8, 16, 32, 64, 128), stages=2):
        super().__init__()
        widths = tuple(widths)
        if len(widths) < 2 or widths[0] % 4 or min(widths) < 4:
            raise ParameterError(f"widths are {widths}; at least two are needed, and the first a multiple of 4, "
                                 "such as (8, 16, 32, 64, 128)")
        self.in_channels = in_channels
        self.multiple = 2 ** (len(widths) - 1)
        self.multi_scale = MultiScaleBlock(in_channels, widths[0] // 4)
        self.birth = nn.ModuleList(conv_norm(fine, coarse, stride=2) for fine, coarse in zip(widths, widths[1:]))
        self.stages = nn.ModuleList(ExchangeStage(widths) for _ in range(stages))
        self.head = nn.Sequential(conv_norm(2 * widths[0], 2 * widths[0]), nn.ReLU(inplace=True),
                                  nn.Conv2d(2 * widths[0], classes, 1))

    def forward(self, images):
        check_input(images, self.in_channels, self.multiple)
        multi_scale = self.multi_scale(images)
        branches = [multi_scale]
        for birth in self.birth:
            branches.append(F.relu(birth(branches[-1])))
        for stage in self.stages:
            branches = stage(branches)
        return self.head(torch.cat([branches[0], multi_scale], dim=1))
