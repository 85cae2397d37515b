# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are whole or not there, also after a kill or on a full disk; and the reading of YAML."""

import os
from contextlib import contextmanager
from pathlib import Path

import yaml

from .errors import ParameterError


@contextmanager
def whole_file(path):
    """Open `path` for writing bytes; it gets its content at once, when all is written, or stays as it was.

    Meanwhile the bytes are in `<path>.part`, which is removed if anything goes wrong.

    Raises:
        OSError: as of `open`, `write` and `os.replace`.
    """
    path = Path(path)
    temporary = path.with_name(path.name + ".part")
    try:
        with open(temporary, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def read_yaml(path, what="", error=ParameterError, hint=""):
    """Content of a YAML file.

    Args:
        path: of the file.
        what: kind of file, for errors, such as `model card`; empty where the path tells it.
        error: class of errors.
        hint: what follows where the file cannot be read, such as what to do then.

    Returns:
        What the file holds, as plain types; None for an empty one.

    Raises:
        error: the file cannot be read, or is not valid YAML.
    """
    name = f"{what} {path}".lstrip()
    try:
        return yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as fault:
        raise error(f"{name} cannot be read: {fault.strerror}{hint}") from fault
    except (yaml.YAMLError, ValueError) as fault:  # also text that is not UTF-8, and a date such as 2024-13-45
        raise error(f"{name} is not valid YAML: {fault}") from fault
