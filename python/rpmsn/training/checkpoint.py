# SPDX-License-Identifier: GPL-3.0-or-later
"""Checkpoints of training: networks, optimiser and place in one safetensors file, whole or not there."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import nn

from ..errors import ModelError
from ..files import whole_file
from .config import TrainingConfig

OPTIMISER_KEYS = ("step", "exp_avg", "exp_avg_sq")
"""What AdamW remembers of a parameter."""
FREE_KEYS = ("name", "version", "checkpoint_seconds", "validate_every", "blend")
"""What may change in a configuration when a run goes on, for it does not change the result."""


def save_checkpoint(
    path: Path,
    networks: Mapping[str, nn.Module],
    optimizer: torch.optim.Optimizer,
    state: dict[str, Any],
    config: TrainingConfig,
) -> None:
    """Write a checkpoint.

    Args:
        path: of the file, which is replaced at once.
        networks: dict of name and network; the first one is what the optimiser works on.
        optimizer: AdamW.
        state: plain dict: the step that comes next, and what else is needed to go on.
        config: TrainingConfig.
    """
    tensors: dict[str, torch.Tensor] = {}
    for name, network in networks.items():
        tensors |= {f"{name}.{key}": values.contiguous() for key, values in network.state_dict().items()}
    names = _parameter_names(networks)
    for index, values in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{key}.{names[index]}": values[key].contiguous() for key in OPTIMISER_KEYS}
    metadata = {"state": json.dumps(state), "config": json.dumps(config.to_dict())}
    with whole_file(path) as file:
        file.write(save(tensors, metadata))


def load_checkpoint(
    path: Path, networks: Mapping[str, nn.Module], optimizer: torch.optim.Optimizer, config: TrainingConfig
) -> dict[str, Any] | None:
    """Put networks and optimiser where they were.

    Returns:
        The state; None if there is no checkpoint.

    Raises:
        ModelError: the file is of another configuration, or no checkpoint.
    """
    if not path.exists():
        return None
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata()
            there = json.loads(metadata["config"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no dict
    except (SafetensorError, TypeError, KeyError, json.JSONDecodeError) as error:
        raise ModelError(
            f"{path} is not a checkpoint of `rpmsn train` ({error}); move it away to start over"
        ) from error
    ours = json.loads(json.dumps(config.to_dict()))
    changed = [key for key in ours | there if ours.get(key) != there.get(key) and key not in FREE_KEYS]
    if changed:
        raise ModelError(
            f"{path} belongs to another configuration ({', '.join(changed)} differ); move it away to "
            "start over, or name another --output"
        )
    for name, network in networks.items():
        prefix = f"{name}."
        network.load_state_dict(
            {key[len(prefix) :]: values for key, values in tensors.items() if key.startswith(prefix)}
        )
    content = optimizer.state_dict()
    content["state"] = {
        index: {key: tensors[f"optimizer.{key}.{name}"] for key in OPTIMISER_KEYS}
        for index, name in enumerate(_parameter_names(networks))
    }
    optimizer.load_state_dict(content)
    return json.loads(metadata["state"])


def _parameter_names(networks: Mapping[str, nn.Module]) -> list[str]:
    """Names of the parameters that the optimiser works on, in its order."""
    return [name for name, _ in next(iter(networks.values())).named_parameters()]
