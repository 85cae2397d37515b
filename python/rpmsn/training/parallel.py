# SPDX-License-Identifier: GPL-3.0-or-later
"""Several processes that train one network together, one a GPU, as PyTorch's `torchrun` starts them."""

import os
from datetime import timedelta

import torch
from torch import nn

PATIENCE = timedelta(hours=24)
"""How long the processes wait for the first one, which makes the sets."""


class Group:
    """The processes of this run; on its own, a process is a group of one.

    Attributes:
        rank, size: number of this process, and how many there are.
        device: torch device to train on: a GPU where there is one.
    """

    def __init__(self) -> None:
        self.rank = int(os.environ.get("RANK", "0"))
        self.size = int(os.environ.get("WORLD_SIZE", "1"))
        if torch.cuda.is_available():
            self.device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
            torch.cuda.set_device(self.device)
            torch.backends.cudnn.benchmark = True
        else:
            self.device = torch.device("cpu")

    def __enter__(self) -> "Group":
        if self.size > 1:
            backend = "nccl" if self.device.type == "cuda" else "gloo"
            torch.distributed.init_process_group(backend, timeout=PATIENCE)
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        if self.size > 1:
            if error is None:
                self.wait()  # a process that ends while another still talks to it may be aborted
            torch.distributed.destroy_process_group()

    @property
    def is_first(self) -> bool:
        """Whether this is the process that writes files and shows progress."""
        return self.rank == 0

    def together(self, network: nn.Module) -> nn.Module:
        """The network so wrapped that its gradients are the mean of all processes'."""
        if self.size == 1:
            return network
        devices = [self.device] if self.device.type == "cuda" else None
        return torch.nn.parallel.DistributedDataParallel(network, device_ids=devices)

    def wait(self) -> None:
        """Wait until all processes are here."""
        if self.size > 1:
            torch.distributed.barrier()

    def as_first(self, value: float) -> float:
        """The first process's value, in all of them; a float."""
        if self.size == 1:
            return value
        shared = torch.tensor(float(value), device=self.device)
        torch.distributed.broadcast(shared, 0)
        return shared.item()
