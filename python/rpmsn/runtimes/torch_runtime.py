# SPDX-License-Identifier: GPL-3.0-or-later
"""torch, on the CPU or on an NVIDIA GPU: reads the weights themselves."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .base import DEFAULT_THREADS, Runtime

if TYPE_CHECKING:
    from torch import nn

    from ..models.model import Model


class TorchRuntime(Runtime):
    """Runs a model with torch on the CPU, in float32, or as `torch-bf16` its convolutions in bfloat16.

    `threads` are torch's own, and are set for the whole process.
    """

    def __init__(self, model: "Model", name: str = "torch", threads: int = DEFAULT_THREADS) -> None:
        import torch

        super().__init__(model, name, threads)
        torch.set_num_threads(threads)
        self._torch = torch
        self._network = _fused(model.network()).to(memory_format=torch.channels_last)

    def _logits(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        torch = self._torch
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=self.name == "torch-bf16"):
            batch = torch.from_numpy(images).contiguous(memory_format=torch.channels_last)
            return self._network(batch).float().contiguous().numpy()


class CudaRuntime(Runtime):
    """Runs a model with torch on the first NVIDIA GPU: bfloat16 where the GPU has it, else float16."""

    def __init__(self, model: "Model", name: str = "cuda", threads: int = DEFAULT_THREADS) -> None:
        import torch

        super().__init__(model, name, threads)
        torch.set_num_threads(threads)
        self._torch = torch
        self._precision = torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
        self._network = _fused(model.network()).to("cuda", self._precision, memory_format=torch.channels_last)

    def _logits(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        torch = self._torch
        with torch.inference_mode():
            # Pinned memory is what the GPU can copy from by itself.
            batch = torch.from_numpy(images).pin_memory().to("cuda", non_blocking=True)
            batch = batch.to(self._precision, memory_format=torch.channels_last)
            return self._network(batch).float().contiguous().cpu().numpy()


def _fused(network: "nn.Module") -> Any:
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
