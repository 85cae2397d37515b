# SPDX-License-Identifier: GPL-3.0-or-later
"""The networks: `published` holds RPMSN as in the paper, `realtime` the form that runs live, `baselines` the six that
they are compared with, `reduced` any of them at a coarser resolution.

Names resolve on first use, so that importing this package does not load torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..errors import ModelError

if TYPE_CHECKING:
    from torch import nn

REGISTRY = {
    "rpmsn": ("published", "RPMSN"),
    "rpmsn-rt": ("realtime", "RPMSNRealTime"),
    "unet": ("baselines", "UNet"),
    "unetplusplus": ("baselines", "UNetPlusPlus"),
    "deeplabv3": ("baselines", "DeepLabV3"),
    "deeplabv3plus": ("baselines", "DeepLabV3Plus"),
    "fpn": ("baselines", "FPN"),
    "pspnet": ("baselines", "PSPNet"),
    "reduced": ("reduced", "Reduced"),
}
"""Architecture name -> (module, class)."""

__all__ = ["RPMSN", "RPMSNRealTime", "create", "names"]


def __getattr__(name):
    for module, class_name in REGISTRY.values():
        if name == class_name:
            return getattr(import_module(f".{module}", __name__), class_name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def names() -> list[str]:
    """Names that `create` knows, sorted."""
    return sorted(REGISTRY)


def create(name: str, **arguments: Any) -> "nn.Module":
    """Build a network by its registered name, with random weights.

    Args:
        name: one of `names()`.
        arguments: passed to the network's class, such as `in_channels` and `classes`.

    Raises:
        ModelError: the name is unknown (the message lists the names) or an argument does not fit.
    """
    if name not in REGISTRY:
        raise ModelError(f"network {name!r} is unknown; choose one of {', '.join(names())}")
    module, class_name = REGISTRY[name]
    network = getattr(import_module(f".{module}", __name__), class_name)
    try:
        return network(**arguments)
    except TypeError as error:
        raise ModelError(f"network {name!r} cannot be built with {arguments}: {error}") from error
