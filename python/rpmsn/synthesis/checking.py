# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of parameters that users write."""

import math
import numbers
from typing import Any

from ..errors import is_number, require


def require_number(
    owner: object, name: str, value: Any, lower: float = -math.inf, upper: float = math.inf, unit: str = ""
) -> None:
    """Raise a ParameterError unless a parameter of `owner` is a finite number from `lower` to `upper`."""
    span = "" if math.isinf(lower) else f" from {lower:g} to {upper:g}"
    require(owner, name, value, is_number(value) and lower <= value <= upper, f"a number{span} {unit}".rstrip())


def require_whole(owner: object, name: str, value: Any, lower: int, upper: int) -> None:
    """Raise a ParameterError unless a parameter of `owner` is a whole number from `lower` to `upper`."""
    is_whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    require(owner, name, value, is_whole and lower <= value <= upper, f"a whole number from {lower} to {upper}")
