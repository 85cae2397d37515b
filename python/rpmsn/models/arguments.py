# SPDX-License-Identifier: GPL-3.0-or-later
"""Arguments of the networks as cards and configurations name them, checked without building a network or torch."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from .. import network
from ..errors import ParameterError, RpmsnError
from ..signal.image import ROWS, feature_set
from ..validation import STRICT, checked, faults, one_of

Channels = Annotated[int, Field(ge=1, le=4096)]
Few = Annotated[int, Field(ge=1, le=64)]
Odd = Annotated[int, Field(ge=1, le=63)]
Width = Annotated[int, Field(ge=4, le=4096)]
Patch = Annotated[
    list[Few],
    Field(min_length=2, max_length=2),
    BeforeValidator(lambda value: value if isinstance(value, list) else [value, value]),
]


@dataclass(frozen=True)
class ImageArguments:
    """Arguments of every network; the six baselines have no others."""

    __pydantic_config__ = STRICT
    in_channels: Channels
    classes: Channels


@dataclass(frozen=True)
class PublishedArguments(ImageArguments):
    """Of RPMSN as published."""

    width: Annotated[int, Field(ge=8, le=4096, multiple_of=8)] = 128


@dataclass(frozen=True)
class RealTimeArguments(ImageArguments):
    """Of the real-time form."""

    widths: Annotated[list[Width], Field(min_length=2, max_length=8)] = field(
        default_factory=lambda: [48, 80, 128, 192]
    )
    stages: Few = 2
    patch: Patch = field(default_factory=lambda: [4, 4])
    scales: Annotated[int, Field(ge=1, le=8)] = 3
    kernel: Odd = 3
    separable: bool = False


@dataclass(frozen=True)
class ReducedArguments:
    """Of any network at a coarser resolution, beside those of that network."""

    __pydantic_config__ = STRICT
    network: Annotated[str, one_of(sorted(set(network.REGISTRY) - {"reduced"}))]
    factor: Annotated[int, Field(ge=1, le=ROWS)] = 2


KINDS: dict[str, type] = {"rpmsn": PublishedArguments, "rpmsn-rt": RealTimeArguments, "reduced": ReducedArguments}
"""Architecture -> its arguments; `ImageArguments` for all others."""


def check_arguments(
    architecture: str,
    arguments: Mapping[str, Any],
    features: str,
    classes: int,
    where: str,
    error: type[RpmsnError] = ParameterError,
    size: int = ROWS,
) -> None:
    """Refuse arguments with which no network can be built for these images and classes.

    Args:
        architecture: name in `rpmsn.network.REGISTRY`.
        arguments: of that network.
        features: feature set of the images.
        classes: how many.
        where: file, for errors.
        error: class of errors.
        size: rows and columns of the images.

    Raises:
        error: an argument is missing, unknown, or cannot be; a line for each.
    """
    if architecture == "reduced":
        own = {key: value for key, value in arguments.items() if key in ("network", "factor")}
        reduced = checked(ReducedArguments, own, where, error, "arguments")
        if size % reduced.factor:
            raise faults(where, [f"arguments.factor is {reduced.factor}, but one that divides {size} is needed"], error)
        rest = {key: value for key, value in arguments.items() if key not in own}
        return check_arguments(reduced.network, rest, features, classes, where, error, size // reduced.factor)
    made: ImageArguments = checked(KINDS.get(architecture, ImageArguments), arguments, where, error, "arguments")
    wanted = {
        "in_channels": (feature_set(features).channels, f"feature set {features!r}"),
        "classes": (classes, f"the list of {classes} classes"),
    }
    wrong = [
        f"arguments.{key} is {getattr(made, key)}, but {of} asks for {key}: {value}"
        for key, (value, of) in wanted.items()
        if getattr(made, key) != value
    ]
    if isinstance(made, RealTimeArguments) and made.kernel % 2 == 0:
        wrong.append(f"arguments.kernel is {made.kernel}, but an odd number is needed, such as 5")
    multiples = _multiples(made)
    if any(size % multiple for multiple in multiples):
        wrong.append(
            f"arguments make a network for images whose rows and columns are multiples of "
            f"{' and '.join(map(str, multiples))}, but they are {size} here; choose another patch, fewer widths, or a "
            "smaller factor"
        )
    if isinstance(made, RealTimeArguments) and made.scales > 1 and any(side % 2 for side in made.patch):
        # The centres of larger patches fall on those of the smallest only where its sides are even.
        wrong.append(f"arguments.patch is {made.patch}, but even numbers are needed where scales is above 1")
    if isinstance(made, RealTimeArguments) and made.scales > made.widths[0]:
        wrong.append(f"arguments.scales is {made.scales}, but at most the first of widths, {made.widths[0]}, is needed")
    if wrong:
        raise faults(where, wrong, error)


def _multiples(made: ImageArguments) -> list[int]:
    """What rows and columns of the images have to be multiples of, for a network with these arguments."""
    if isinstance(made, RealTimeArguments):
        return [side * 2 ** (len(made.widths) - 1) for side in made.patch]
    return [8 if isinstance(made, PublishedArguments) else 32]
