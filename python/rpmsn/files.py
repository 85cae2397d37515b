# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are whole or not there, also after a kill or on a full disk; and YAML, by one rule for all files."""

import os
import re
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from .errors import ParameterError, RpmsnError


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


# libyaml's parser and emitter are ten times as fast as those in Python, where PyYAML has them.
_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SafeDumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Loader(_SafeLoader):
    """YAML 1.2 core schema: 1.92e6 is a number, `yes` and 2024-01-01 are text, as they are not in YAML 1.1."""

    yaml_implicit_resolvers: dict = {}

    def construct_mapping(self, node, deep=False):
        """As of PyYAML, but a key that comes twice is an error: the second one would take the place of the first."""
        names = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise yaml.constructor.ConstructorError(None, None, f"key {twice!r} is there twice", node.start_mark)
        return super().construct_mapping(node, deep)


class _Dumper(_SafeDumper):
    """Quotes text that would be read as something else by YAML 1.1 or 1.2."""


_FLOAT = r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
for _tag, _pattern, _first in (
    ("bool", "true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", "~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", "[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    ("float", _FLOAT, "-+.0123456789"),
    ("merge", "<<", "<"),
):
    for _kind in (_Loader, _Dumper):
        _kind.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first))


def _integer(loader, node):
    text = loader.construct_scalar(node)
    return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))


_Loader.add_constructor("tag:yaml.org,2002:int", _integer)


def to_yaml(values: object, width: int = 110) -> str:
    """Plain types as YAML text that `read_yaml` gives back as they were, keys in their order."""
    return yaml.dump(values, Dumper=_Dumper, sort_keys=False, width=width)


def read_yaml(path: str | os.PathLike, what: str = "", error: type[RpmsnError] = ParameterError, hint: str = "") -> Any:
    """Content of a YAML file, by YAML 1.2: a number is a number with or without a point, such as 1.92e6.

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
        return yaml.load(Path(path).read_text(encoding="utf-8"), _Loader)
    except OSError as fault:
        raise error(f"{name} cannot be read: {fault.strerror}{hint}") from fault
    except (yaml.YAMLError, ValueError, RecursionError) as fault:  # also text that is not UTF-8
        raise error(f"{name} is not valid YAML: {fault}") from fault
