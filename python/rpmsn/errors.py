# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors that a user can correct. Each message names the value, what is allowed and the next step."""

import numbers
import sys
from typing import Any


class RpmsnError(Exception):
    """Base of all errors of this package; the command line prints it and exits with 1."""


class ParameterError(RpmsnError, ValueError):
    """A parameter has a value that is not allowed."""


class RecordingError(RpmsnError):
    """A recording or its metadata cannot be read or written."""


class WriteError(RpmsnError, OSError):
    """A file cannot be written. `errno`, `strerror` and `filename` are those of the OSError that it also is."""

    def __str__(self) -> str:
        return f"{self.filename} cannot be written: {self.strerror}. Choose a folder with space that you may write to."


class StorageError(RpmsnError):
    """A place for recordings or results cannot be reached, read or written.

    Attributes:
        url: of the place.
    """

    def __init__(self, message: str, url: str = "") -> None:
        super().__init__(message)
        self.url = url


class ModelError(RpmsnError):
    """A model, its card or its weights cannot be used."""


class RadioError(RpmsnError):
    """A radio cannot be opened, refuses what is asked of it, or has stopped."""


class StalledError(RpmsnError):
    """What was waited for did not come in the longest time that it may take."""


class MissingLibraryError(RpmsnError, ImportError):
    """A library that is only needed for this one thing is not installed."""


def is_number(value: Any) -> bool:
    """Whether a value is a real number that a float can hold; NaN, infinities, True and False are none."""
    is_real = isinstance(value, numbers.Real) and not isinstance(value, bool)
    return is_real and bool(-sys.float_info.max <= value <= sys.float_info.max)


def require(owner: object, name: str, value: Any, is_allowed: bool, allowed: str) -> None:
    """Raise a ParameterError that names a parameter of `owner`, its value and what is allowed, unless it is."""
    if not is_allowed:
        raise ParameterError(f"{name} of {owner} is {value!r}; choose {allowed}")
