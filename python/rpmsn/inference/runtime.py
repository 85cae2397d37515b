# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs a network: images in, class probabilities out."""
import numpy as np

DEFAULT_THREADS = 1


class TorchRuntime:
    """Runs a model with torch on the CPU.

    Args:
        model: rpmsn.inference.model.Model.
        threads: torch's own threads. The count is set for the whole process, on purpose: left to itself,
            torch takes all cores and fights with GNU Radio for them.
    """

    name = "torch"

    def __init__(self, model, threads=DEFAULT_THREADS):
        import torch

        torch.set_num_threads(threads)
        self._torch = torch
        self._network = _fused(model.network()).to(memory_format=torch.channels_last)

    def probabilities(self, images):
        """Softmax over the classes.

        Args:
            images: float32, shape (batch, channels, 256, 256), 0..1.

        Returns:
            float32, shape (batch, classes, 256, 256).
        """
        torch = self._torch
        with torch.inference_mode():
            batch = torch.from_numpy(np.ascontiguousarray(images)).contiguous(memory_format=torch.channels_last)
            return torch.softmax(self._network(batch), dim=1).contiguous().numpy()


def _fused(network):
    """The network with every batch normalisation that follows a convolution taken into it: fewer passes over memory."""
    from torch import nn
    from torch.nn.utils.fusion import fuse_conv_bn_eval

    for part in network.modules():
        if not isinstance(part, nn.Sequential):
            continue
        for index, (first, second) in enumerate(zip(list(part), list(part)[1:])):
            if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
                part[index], part[index + 1] = fuse_conv_bn_eval(first, second), nn.Identity()
    return network
