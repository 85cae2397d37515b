# SPDX-License-Identifier: GPL-3.0-or-later
"""The real-time form of RPMSN: the published idea with a four-hundredth of its arithmetic.

As published: a multi-scale block in front, a finest branch from end to end that carries every pixel, an exchange among
all scales at every stage, a skip connection from the front to the head. Different: the finest branch holds the pixels
of a patch as channels instead of places, so that no pixel is lost and convolutions have few places, which processors
do fast; few channels where the image is large and many where it is small; residual blocks, whose kernels may be
separable (5 x 5 in the shipped model); an exchange between neighbouring scales only, first down, then up, so that one
pass reaches every branch.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import nn

from ..errors import ParameterError
from .shapes import check_input


def conv_norm(
    in_channels: int, out_channels: int, size: int = 3, stride: int = 1, separable: bool = False
) -> nn.Sequential:
    """Convolution without bias and batch normalisation; `separable` makes it depthwise, then 1 x 1."""
    if separable and size > 1:
        return nn.Sequential(
            nn.Conv2d(in_channels, in_channels, size, stride, padding=size // 2, groups=in_channels, bias=False),
            nn.Conv2d(in_channels, out_channels, 1, bias=False),
            nn.BatchNorm2d(out_channels),
        )
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, size, stride, padding=size // 2, bias=False), nn.BatchNorm2d(out_channels)
    )


class PatchBlock(nn.Module):
    """The multi-scale block in front: patches of several sizes, the same centres, `patch` (rows, columns) apart."""

    def __init__(self, in_channels: int, out_channels: int, patch: tuple[int, int], scales: int) -> None:
        super().__init__()
        rows, columns = patch
        widths = [out_channels // scales + (index < out_channels % scales) for index in range(scales)]
        self.sizes = nn.ModuleList(
            nn.Conv2d(
                in_channels,
                width,
                (rows * (1 + index), columns * (1 + index)),
                patch,
                padding=(rows * index // 2, columns * index // 2),
                bias=False,
            )
            for index, width in enumerate(widths)
        )
        self.norm = nn.BatchNorm2d(out_channels)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return F.relu(self.norm(torch.cat([size(images) for size in self.sizes], dim=1)))


class PixelsOfPatches(nn.Module):
    """Channels back to the places of a patch (rows, columns): torch's PixelShuffle for patches that are not square."""

    def __init__(self, patch: tuple[int, int]) -> None:
        super().__init__()
        self.patch = patch

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        rows, columns = self.patch
        batch, channels, height, width = values.shape
        pixels = channels // (rows * columns)
        parts = values.reshape(batch, pixels, rows, columns, height, width)
        return parts.permute(0, 1, 4, 2, 5, 3).reshape(batch, pixels, height * rows, width * columns)


class Residual(nn.Module):
    """Two convolutions and a shortcut; same shape in and out."""

    def __init__(self, channels: int, kernel: int, separable: bool) -> None:
        super().__init__()
        self.first = conv_norm(channels, channels, kernel, separable=separable)
        self.second = conv_norm(channels, channels, kernel, separable=separable)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return F.relu(values + self.second(F.relu(self.first(values))))


class ExchangeStage(nn.Module):
    """A residual block on every branch, then the exchange: finest to coarsest, then back."""

    def __init__(self, widths: Sequence[int], kernel: int, separable: bool) -> None:
        super().__init__()
        self.branches = nn.ModuleList(Residual(width, kernel, separable) for width in widths)
        self.down = nn.ModuleList(conv_norm(fine, coarse, 3, 2, separable) for fine, coarse in zip(widths, widths[1:]))
        self.up = nn.ModuleList(conv_norm(coarse, fine, size=1) for fine, coarse in zip(widths, widths[1:]))

    def forward(self, values: list[torch.Tensor]) -> list[torch.Tensor]:
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
        in_channels: channels of the image (4 for the cyclic feature set).
        classes: number of classes.
        widths: channels of the branches, from the finest down, each at half the resolution of the one before.
        stages: how many times the branches exchange.
        patch: pixels of the patch that is one place of the finest branch: its side, or (rows, columns).
        scales: sizes of patches in front: `patch`, twice as large, and so on.
        kernel: size of the branches' convolutions, odd.
        separable: depthwise separable convolutions instead of dense ones.

    Input: float32, shape (batch, in_channels, rows, columns), rows and columns multiples of those of the patch times
    2 ** (len(widths) - 1).
    Output: logits, shape (batch, classes, rows, columns).
    """

    def __init__(
        self,
        in_channels: int = 4,
        classes: int = 4,
        widths: Sequence[int] = (48, 80, 128, 192),
        stages: int = 2,
        patch: int | Sequence[int] = 4,
        scales: int = 3,
        kernel: int = 3,
        separable: bool = False,
    ) -> None:
        super().__init__()
        widths = tuple(widths)
        if len(widths) < 2 or min(widths) < 4:
            raise ParameterError(
                f"widths are {widths}; at least two of at least 4 are needed, such as (48, 80, 128, 192)"
            )
        sides = (patch, patch) if isinstance(patch, int) else tuple(patch)
        if kernel % 2 == 0 or len(sides) != 2 or min(stages, *sides, scales, kernel) < 1:
            raise ParameterError(
                f"stages {stages}, patch {sides}, scales {scales} and kernel {kernel} have to be at "
                "least 1, and the kernel odd"
            )
        rows, columns = sides
        self.in_channels = in_channels
        self.multiple = tuple(side * 2 ** (len(widths) - 1) for side in sides)
        self.front = PatchBlock(in_channels, widths[0], (rows, columns), scales)
        self.birth = nn.ModuleList(conv_norm(fine, coarse, stride=2) for fine, coarse in zip(widths, widths[1:]))
        self.stages = nn.ModuleList(ExchangeStage(widths, kernel, separable) for _ in range(stages))
        pixels = nn.PixelShuffle(rows) if rows == columns else PixelsOfPatches((rows, columns))
        self.head = nn.Sequential(
            conv_norm(2 * widths[0], 2 * widths[0], 1),
            nn.ReLU(inplace=True),
            nn.Conv2d(2 * widths[0], classes * rows * columns, 1),
            pixels,
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        check_input(images, self.in_channels, self.multiple)
        front = self.front(images)
        branches = [front]
        for birth in self.birth:
            branches.append(F.relu(birth(branches[-1])))
        for stage in self.stages:
            branches = stage(branches)
        return self.head(torch.cat([branches[0], front], dim=1))
