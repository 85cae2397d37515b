# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of a network's input, and its number of parameters and operations."""

import copy

import torch
from torch import nn

from ..errors import ParameterError


def check_input(images: torch.Tensor, channels: int, multiple: int | tuple[int, int]) -> None:
    """Raise a ParameterError unless `images` has shape (batch, channels, rows, columns) that the network can halve.

    Args:
        images: torch tensor.
        channels: channels that the network was built for.
        multiple: rows and columns have to be multiples of this (2 to the number of halvings), or of these two.
    """
    multiple = (multiple, multiple) if isinstance(multiple, int) else multiple
    shape = tuple(images.shape)
    if len(shape) != 4:
        raise ParameterError(
            f"images have shape {shape}; (batch, {channels}, rows, columns) is needed, for one image use image[None]"
        )
    if shape[1] != channels:
        raise ParameterError(f"images have {shape[1]} channels (shape {shape}); this network was built for {channels}")
    fitting = tuple(max(step, -(-side // step) * step) for side, step in zip(shape[2:], multiple))
    if fitting != shape[2:]:
        raise ParameterError(
            f"images are {shape[2]} x {shape[3]}; rows and columns have to be multiples of "
            f"{' and '.join(map(str, dict.fromkeys(multiple)))}: {fitting[0]} x {fitting[1]} would fit"
        )


def count_parameters(network: nn.Module) -> int:
    """Number of trainable values."""
    return sum(parameter.numel() for parameter in network.parameters())


def count_macs(network: nn.Module, in_channels: int, rows: int = 256, columns: int = 256) -> int:
    """Multiply-accumulates of all convolutions for one image; additions, pooling and interpolation are not counted."""
    # On the device "meta" tensors have shapes but no values: the pass costs nothing.
    network = copy.deepcopy(network).to("meta").eval()
    total = 0

    def add(layer, _, output):
        nonlocal total
        total += output[0].numel() * layer.weight[0].numel()

    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            layer.register_forward_hook(add)
    with torch.no_grad():
        network(torch.empty(1, in_channels, rows, columns, device="meta"))
    return total
