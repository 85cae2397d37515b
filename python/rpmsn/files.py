# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are whole or not there, also after a kill or on a full disk; the user's folders; the reading of YAML."""

import errno
import glob
import os
import re
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import yaml

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

from .errors import ParameterError, RpmsnError, WriteError

NEW_FILE_MODE = 0o666
"""Permissions of a new file, before the umask takes its part away."""
TOKEN_BYTES = 8
TEMPORARY_SUFFIX = ".tmp"
RANDOM_ENDING = f"{'[0-9a-f]' * 2 * TOKEN_BYTES}{TEMPORARY_SUFFIX}"
"""Of a temporary file, as a pattern."""
LONGEST_PREFIX = 48
"""Characters of a file's name in its temporary name, so that a name of any length has one that is short enough."""
TRIAL_BYTES = 1 << 16
"""What `check_writable` writes: more than the annotations of most recordings take."""
CANNOT_SYNC = (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS, errno.EACCES)
"""What file systems answer that cannot sync a folder, and folders that may be written but not read."""


@contextmanager
def whole_file(
    path: str | os.PathLike[str], *, overwrite: bool = True, mode: int = NEW_FILE_MODE, tidy: bool = True
) -> Iterator[BinaryIO]:
    """Open `path` for writing bytes; it gets its content at once, when all is written, or stays as it was.

    Meanwhile the bytes are in `.<name>.<random>.tmp` beside it, which is removed if anything goes wrong. So of several
    writers at the same time each writes a file of its own, and the last to finish is what is read from then on. A kill
    leaves such a file behind, but nothing half-written under the name `path`; the next writer of `path` removes it.

    Args:
        path: of the file; a symbolic link is replaced, not followed.
        overwrite: replace what is there. False: also a file that appears while this one is written stays.
        mode: permissions of the file, from the start; the umask is taken away.
        tidy: remove what killed writers of `path` left. False: `remove_leftovers` does, once for a folder of so many
            files that to list it for each of them takes too long.

    Raises:
        FileExistsError: `path` exists and `overwrite` is false.
        WriteError: it cannot be written (no such folder, no permission, a full disk); nothing has changed then.
    """
    path = Path(path)
    prefix = f".{path.name[:LONGEST_PREFIX]}."
    temporary = None
    try:
        if tidy:
            _remove(path.parent.glob(f"{glob.escape(prefix)}{RANDOM_ENDING}"))
        temporary, file = _open_temporary(path.parent, prefix, mode)
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            if fcntl is None:
                file.close()  # Windows does not rename a file that is open; elsewhere its lock holds until then
            put_in_place(temporary, path, overwrite=overwrite)
    except FileExistsError:
        raise
    except OSError as error:
        if error.filename is not None and Path(error.filename) not in (temporary, path, path.parent):
            raise  # of another file, which was read for what is written here
        raise WriteError(error.errno, error.strerror or str(error), str(path)) from error
    finally:
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink()


def check_writable(path: str | os.PathLike[str]) -> None:
    """Try, before long work, whether a file can be written: a few bytes go beside `path`, and away again.

    Raises:
        WriteError: as `whole_file` would.
    """
    path = Path(path)
    temporary = None
    try:
        with suppress(FileNotFoundError):
            os.lstat(path)  # a name that is too long
        temporary, file = _open_temporary(path.parent, f".{path.name[:LONGEST_PREFIX]}.", NEW_FILE_MODE)
        with file:
            file.write(bytes(TRIAL_BYTES))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise WriteError(error.errno, error.strerror or str(error), str(path)) from error
    finally:
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink()


def _open_temporary(folder: Path, prefix: str, mode: int) -> tuple[Path, BinaryIO]:
    """A new file, locked while it is open, where there are locks: so others know that somebody writes it."""
    while True:
        temporary = folder / f"{prefix}{secrets.token_hex(TOKEN_BYTES)}{TEMPORARY_SUFFIX}"
        try:
            file = open(temporary, "xb", opener=lambda name, flags: os.open(name, flags, mode))  # noqa: SIM115 - returned
        except OSError as error:
            error.filename = str(folder)
            raise
        if _lock(file) is not False and os.fstat(file.fileno()).st_nlink:
            return temporary, file
        file.close()  # removed as a leftover before it was locked


def remove_leftovers(folder: str | os.PathLike[str]) -> None:
    """Remove, in a folder and all below, what writers left that were killed (`whole_file`)."""
    _remove(Path(folder).rglob(f".*{RANDOM_ENDING}"))


def _remove(temporaries: Iterable[Path]) -> None:
    """Remove temporary files that nobody has locked. What cannot be removed stays."""
    for left in temporaries:
        with suppress(OSError), open(left, "r+b") as file:
            if _lock(file):
                left.unlink()


def _lock(file: BinaryIO) -> bool | None:
    """Lock a file until it is closed: True; False if another has locked it; None where there are no locks."""
    if fcntl is None:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def write_whole(
    path: str | os.PathLike[str],
    content: str | bytes,
    *,
    overwrite: bool = True,
    mode: int = NEW_FILE_MODE,
    tidy: bool = True,
) -> Path:
    """Write a file at once, as `whole_file` does; returns its path. Text is written as UTF-8.

    Raises:
        FileExistsError, WriteError: as of `whole_file`.
    """
    with whole_file(path, overwrite=overwrite, mode=mode, tidy=tidy) as file:
        file.write(content.encode() if isinstance(content, str) else content)
    return Path(path)


def put_in_place(source: Path, target: Path, *, overwrite: bool) -> None:
    """Give a finished file its name, in the same folder, for good: also through a power cut.

    Raises:
        FileExistsError: `target` exists and `overwrite` is false; not even a file that appeared just now is replaced.
        OSError: as of `os.replace`.
    """
    if overwrite:
        os.replace(source, target)
    else:
        _move_to_new(source, target)
    _sync_folder(target.parent)


def _move_to_new(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except FileExistsError:
        raise
    except OSError:
        # A file system without hard links (FAT, some network shares): the name is taken first, then the file put there.
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
        try:
            os.replace(source, target)
        except BaseException:
            target.unlink()
            raise
    else:
        source.unlink()


def _sync_folder(folder: Path) -> None:
    """Make a new name last through a power cut, where the system can do that for folders."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        if error.errno not in CANNOT_SYNC:
            raise


def user_config_dir() -> Path:
    """Folder for settings: `gr-rpmsn` in `$XDG_CONFIG_HOME` or `~/.config`, or where this system has such. Not made.

    A user without a home gets a path that can be neither read nor made: nothing is remembered then, and nothing fails.
    """
    import platformdirs

    return _usable(platformdirs.user_config_path, "gr-rpmsn", ".config")


def user_cache_dir() -> Path:
    """Folder for what can be found out again: `rpmsn` in `$XDG_CACHE_HOME` or `~/.cache`; else as `user_config_dir`."""
    import platformdirs

    return _usable(platformdirs.user_cache_path, "rpmsn", ".cache")


def _usable(find: Callable[..., Path], name: str, usual: str) -> Path:
    """What `platformdirs` finds; its older releases take a relative variable as it is, and keep `~` without a home."""
    with suppress(RuntimeError):
        for path in (find(name, appauthor=False), Path(os.path.expanduser("~")) / usual / name):
            if path.is_absolute():
                return path
    return Path(os.devnull) / name


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
        what: kind of file, for errors, such as `model card`; empty where the path says so.
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
