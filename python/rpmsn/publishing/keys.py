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
from dataclasses import dataclass
from pathlib import Path

from ..errors import ParameterError, RpmsnError

SERVER = "server"
CLIENTS = "clients"
COMMAND = "python -m rpmsn.publishing.keys FOLDER"

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
    clients: frozenset | None


@dataclass(frozen=True)
class ClientKeys:
    """Keys of a subscriber: its own pair, and the publisher's public key; bytes, Z85."""

    public: bytes
    secret: bytes
    server: bytes


def load_server_keys(secret_key_file, clients_folder=""):
    """Keys of a publisher.

    Args:
        secret_key_file: path of `server.key_secret`.
        clients_folder: folder with the public keys (`*.key`) of those who may listen; "" for everybody who has
            `server.key`.

    Raises:
        ParameterError: a file is missing or holds no such key.
    """
    public, secret = _load("server_secret_key_file", secret_key_file, with_secret=True)
    if not clients_folder:
        return ServerKeys(public, secret, None)
    paths = sorted(Path(clients_folder).glob("*.key"))
    if not paths:
        raise ParameterError(
            f"client_keys_folder is {str(clients_folder)!r}, where there is no public key (*.key); "
            f"make some with `{COMMAND}`, or leave it empty to let everybody in who has the "
            "publisher's public key"
        )
    return ServerKeys(public, secret, frozenset(_load("client_keys_folder", path)[0] for path in paths))


def load_client_keys(secret_key_file, server_key_file):
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
    server, _ = _load("server_key_file", server_key_file)
    return ClientKeys(*_load("client_secret_key_file", secret_key_file, with_secret=True), server)


def make_keys(folder, names=("client",)):
    """Make the keys of a publisher, unless they are there, and of new subscribers.

    Args:
        folder: made where it is missing.
        names: of the subscribers; letters, digits, `.`, `_` and `-`.

    Returns:
        list of the paths that were written.

    Raises:
        ParameterError: a name cannot be a name of a file, or has keys already.
        OSError: the files cannot be written.
    """
    folder = Path(folder)
    for name in names:
        if name == SERVER or not re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]*", name):
            raise ParameterError(
                f"{name!r} cannot be the name of a subscriber; use letters, digits, '.', '_' and '-', "
                f"and not {SERVER!r}"
            )
    pairs = [(folder / f"{name}.key_secret", folder / CLIENTS / f"{name}.key") for name in dict.fromkeys(names)]
    for path in (path for pair in pairs for path in pair):
        if path.exists():
            raise ParameterError(f"{path} exists; choose another name, or remove it")
    server = folder / f"{SERVER}.key_secret", folder / f"{SERVER}.key"
    if not server[0].exists():
        pairs.insert(0, server)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / CLIENTS).mkdir(exist_ok=True)
    for pair in pairs:
        _write_pair(*pair)
    return [path for pair in pairs for path in pair]


def _write_pair(secret_path, public_path):
    from .sockets import require_zmq

    public, secret = (key.decode() for key in require_zmq().curve_keypair())
    for path in (secret_path, public_path):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _MODES[path.suffix])
        with open(file, "w", encoding="ascii") as writer:
            writer.write(_TEXT[path.suffix].format(public=public, secret=secret))


def _load(parameter, path, with_secret=False):
    """(public, secret or None) of a file."""
    from .sockets import require_zmq

    require_zmq()
    from zmq.auth import load_certificate
    from zmq.utils import z85

    try:
        public, secret = load_certificate(str(path))
    except (OSError, ValueError) as error:
        raise ParameterError(
            f"{parameter} is {str(path)!r}, which cannot be read as a key ({error}); make keys with `{COMMAND}`"
        ) from error
    if with_secret and secret is None:
        raise ParameterError(
            f"{parameter} is {str(path)!r}, which has only the public half; the file wanted ends in .key_secret"
        )
    for key in (public, secret) if with_secret else (public,):
        try:
            is_key = len(z85.decode(key)) == 32
        except Exception:  # by the characters, it raises one of several kinds
            is_key = False
        if not is_key:
            raise ParameterError(
                f"{parameter} is {str(path)!r}, where what stands for a key is none; make keys with `{COMMAND}`"
            )
    return public, secret


def main(arguments=None):
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
