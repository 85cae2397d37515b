# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors that a user can mend. Each message names the value, what is allowed and the next step."""


class RpmsnError(Exception):
    """Base of all errors of this package; the command line prints it and exits with 1."""


class ParameterError(RpmsnError, ValueError):
    """A parameter has a value that cannot work."""


class RecordingError(RpmsnError):
    """A recording or its metadata cannot be read or written."""


class ModelError(RpmsnError):
    """A model, its card or its weights cannot be used."""


class RadioError(RpmsnError):
    """A radio cannot be opened, refuses what is asked of it, or has stopped."""


class StalledError(RpmsnError):
    """What was waited for did not come in the longest time that it may take."""


class MissingLibraryError(RpmsnError, ImportError):
    """A library that is only needed for this one thing is not installed."""


def require(owner, name, value, is_allowed, allowed):
    """Raise a ParameterError that names a parameter of `owner`, its value and what is allowed, unless it is."""
    if not is_allowed:
        raise ParameterError(f"{name} of {owner} is {value!r}; choose {allowed}")
