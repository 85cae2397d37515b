# SPDX-License-Identifier: GPL-3.0-or-later
"""CURVE keys: who may listen to a publisher, and is it the right one.

    python -m rpmsn.publishing.keys FOLDER [NAME ...]

makes a pair for the publisher and one for every NAME, in files as pyzmq and czmq read and write them:

    FOLDER/server.key_secret   the publisher's, stays where it is
    FOLDER/server.key          its public half, for every subscriber
    FOLDER/NAME.key_secret     for the subscriber NAME only
    FOLDER/clients/NAME.key    its public half, stays where it is: who may listen
"""

import argparse
import os
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import ParameterError, RpmsnError
from ..files import write_whole

SERVER = "server"
CLIENTS = "clients"
COMMAND = "python -m rpmsn.publishing.keys FOLDER"

# Not `zmq.auth.create_certificates`: it lets the umask decide who may read the secret, and replaces what is there.
_TEXT = {
    ".key": '#   ZeroMQ CURVE Public Certificate\n\nmetadata\ncurve\n    public-key = "{public}"\n',
    ".key_secret": (
        "#   ZeroMQ CURVE **Secret** Certificate\n#   DO NOT GIVE THIS FILE TO OTHERS.\n\nmetadata\ncurve\n"
        '    public-key = "{public}"\n    secret-key = "{secret}"\n'
    ),
}
_MODES = {".key": 0o644, ".key_secret": 0o600}


@dataclass(frozen=True)
class ServerKeys:
    """Keys of a publisher.

    Attributes:
        public, secret: bytes, Z85.
        clients: frozenset of bytes, Z85: public keys of those who may listen. None: everybody who has `public`.
    """

    public: bytes
    secret: bytes
    clients: frozenset[bytes] | None


@dataclass(frozen=True)
class ClientKeys:
    """Keys of a subscriber: its own pair, and the publisher's public key; bytes, Z85."""

    public: bytes
    secret: bytes
    server: bytes


def load_server_keys(
    secret_key_file: str | os.PathLike[str], clients_folder: str | os.PathLike[str] = ""
) -> ServerKeys:
    """Keys of a publisher.

    Args:
        secret_key_file: path of `server.key_secret`.
        clients_folder: folder with the public keys (`*.key`) of those who may listen; "" for everybody who has
            `server.key`.

    Raises:
        ParameterError: a file is missing or holds no such key.
    """
    public, secret = _load_pair("server_secret_key_file", secret_key_file)
    if not clients_folder:
        return ServerKeys(public, secret, None)
    paths = sorted(Path(clients_folder).glob("*.key"))
    if not paths:
        raise ParameterError(
            f"client_keys_folder is {str(clients_folder)!r}, where there is no public key (*.key); "
            f"make some with `{COMMAND}`, or leave it empty to let everybody in who has the "
            "publisher's public key"
        )
    return ServerKeys(public, secret, frozenset(_load("client_keys_folder", path) for path in paths))


def load_client_keys(secret_key_file: str | os.PathLike[str], server_key_file: str | os.PathLike[str]) -> ClientKeys:
    """Keys of a subscriber.

    Args:
        secret_key_file: path of `NAME.key_secret`.
        server_key_file: path of `server.key`.

    Raises:
        ParameterError: a file is missing or holds no such key.
    """
    if not (secret_key_file and server_key_file):
        raise ParameterError(
            "a subscriber with keys needs both files, client_secret_key_file and server_key_file; one "
            "of them is not set"
        )
    server = _load("server_key_file", server_key_file)
    return ClientKeys(*_load_pair("client_secret_key_file", secret_key_file), server)


def make_keys(folder: str | os.PathLike[str], names: Iterable[str] = ("client",)) -> list[Path]:
    """Make the keys of a publisher, unless they are there, and of new subscribers.

    Args:
        folder: made where it is missing.
        names: of the subscribers; letters, digits, `.`, `_` and `-`.

    Returns:
        The paths that were written.

    Raises:
        ParameterError: a name cannot be a name of a file, or has keys already, which are never overwritten.
        OSError: the files cannot be written.
    """
    folder = Path(folder)
    names = tuple(dict.fromkeys(names))
    for name in names:
        if name == SERVER or not re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]*", name):
            raise ParameterError(
                f"{name!r} cannot be the name of a subscriber; use letters, digits, '.', '_' and '-', "
                f"and not {SERVER!r}"
            )
    pairs = [(folder / f"{name}.key_secret", folder / CLIENTS / f"{name}.key") for name in names]
    for path in (path for pair in pairs for path in pair):
        if os.path.lexists(path):  # before any is written; a file that appears later is not overwritten either
            raise _exists(path)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / CLIENTS).mkdir(exist_ok=True)
    server = folder / f"{SERVER}.key_secret", folder / f"{SERVER}.key"
    if not server[0].exists():
        try:
            _write_pair(*server)
        except ParameterError:
            if not server[0].exists():
                raise
        else:
            pairs.insert(0, server)
    for pair in pairs:
        if pair != server:
            _write_pair(*pair)
    return [path for pair in pairs for path in pair]


def _write_pair(secret_path: Path, public_path: Path) -> None:
    """Write both halves of a new pair, or none."""
    from .sockets import require_zmq

    public, secret = (key.decode() for key in require_zmq().curve_keypair())
    written: list[Path] = []
    try:
        for path in (secret_path, public_path):
            text = _TEXT[path.suffix].format(public=public, secret=secret)
            write_whole(path, text, overwrite=False, mode=_MODES[path.suffix])
            written.append(path)
    except BaseException as error:
        for half in written:
            half.unlink(missing_ok=True)
        if isinstance(error, FileExistsError):
            raise _exists(path) from None
        raise


def _exists(path: Path) -> ParameterError:
    return ParameterError(f"{path} exists; choose another name, or remove it")


def _load(parameter: str, path: str | os.PathLike[str]) -> bytes:
    """The public key in a file."""
    public, _ = _certificate(parameter, path)
    return _checked(parameter, path, public)


def _load_pair(parameter: str, path: str | os.PathLike[str]) -> tuple[bytes, bytes]:
    """(public, secret) key in a file."""
    public, secret = _certificate(parameter, path)
    if secret is None:
        raise ParameterError(
            f"{parameter} is {str(path)!r}, which has only the public half; the file wanted ends in .key_secret"
        )
    return _checked(parameter, path, public), _checked(parameter, path, secret)


def _certificate(parameter: str, path: str | os.PathLike[str]) -> tuple[bytes, bytes | None]:
    """What a file of keys holds."""
    from .sockets import require_zmq

    require_zmq()
    from zmq.auth import load_certificate

    try:
        return load_certificate(str(path))
    except (OSError, ValueError, LookupError) as error:
        raise ParameterError(
            f"{parameter} is {str(path)!r}, which cannot be read as a key ({error}); make keys with `{COMMAND}`"
        ) from error


def _checked(parameter: str, path: str | os.PathLike[str], key: bytes) -> bytes:
    """A key that `load_certificate` took out of a file, which does not look at it."""
    from zmq.utils import z85

    try:
        is_key = len(z85.decode(key)) == 32
    except Exception:  # by the characters, it raises one of several kinds
        is_key = False
    if not is_key:
        raise ParameterError(
            f"{parameter} is {str(path)!r}, where what stands for a key is none; make keys with `{COMMAND}`"
        )
    return key


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m rpmsn.publishing.keys",
        description=("Make CURVE keys: for the publisher, unless they are there, and for new subscribers."),
    )
    parser.add_argument("folder", help="where the keys go")
    parser.add_argument("names", nargs="*", default=["client"], metavar="NAME", help="a subscriber (default: client)")
    options = parser.parse_args(arguments)
    try:
        written = make_keys(options.folder, options.names)
    except (RpmsnError, OSError) as error:
        print(f"rpmsn.publishing.keys: {error}", file=sys.stderr)
        return 1
    for path in written:
        print(path)
    folder = Path(options.folder)
    print(
        f"\nPublisher:  server_secret_key_file={folder / SERVER}.key_secret  client_keys_folder={folder / CLIENTS}\n"
        f"Subscriber: its NAME.key_secret, and {folder / SERVER}.key",
        file=sys.stderr,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
