# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses of ZeroMQ: which there are, which of them only this computer can reach."""

import ipaddress
import os
import re
import socket
import stat

from ..errors import ParameterError

DEFAULT_ADDRESS = "tcp://127.0.0.1:5560"

_TCP = re.compile(r"tcp://(?P<host>\[[0-9A-Fa-f:.%\w]+\]|[^\s:;/\[\]]+):(?P<port>\*|\d{1,5})")
_ALLOWED = "tcp://HOST:PORT, such as tcp://127.0.0.1:5560, or ipc://PATH"


def check_address(address: object, to_bind: bool) -> str:
    """The address as ZeroMQ takes it.

    Args:
        address: `tcp://HOST:PORT` or `ipc://PATH`. To bind, HOST is an address of this computer or `*` for all, and
            port 0 or `*` takes any that is free.
        to_bind: True for a publisher, False for a subscriber.

    Raises:
        ParameterError: it is no such address.
    """
    address = str(address)
    if address.startswith("ipc://") and len(address) > len("ipc://"):
        if to_bind:
            _check_path(address)
        return address
    found = _TCP.fullmatch(address)
    if found is None:
        raise ParameterError(f"address is {address!r}, but {_ALLOWED} is allowed")
    host, port = found["host"], 0 if found["port"] == "*" else int(found["port"])
    if port > 65535 or not (port or to_bind):
        raise ParameterError(f"address is {address!r}, but the port has to lie between 1 and 65535")
    if host == "*" and not to_bind:
        raise ParameterError(f"address is {address!r}, but a subscriber needs one computer: its name or IP address")
    if host == "localhost" and to_bind:  # ZeroMQ binds to addresses and interfaces only
        host = "127.0.0.1"
    return f"tcp://{host}:{port or '*'}"


def is_local(address: str) -> bool:
    """Whether only this computer can reach an address that `check_address` returned."""
    if address.startswith("ipc://"):
        return True
    try:
        return ipaddress.ip_address(address.removeprefix("tcp://").rpartition(":")[0].strip("[]")).is_loopback
    except ValueError:
        return False


def _check_path(address: str) -> None:
    """Raise ParameterError where binding would take a path away from another program; ZeroMQ replaces what is there."""
    path = address[len("ipc://") :]
    if path.startswith("@"):
        return
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return
    if not stat.S_ISSOCK(mode):
        raise ParameterError(
            f"address is {address!r}, but {path} exists and is no socket; choose another path, or remove it"
        )
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(0.2)
        try:
            probe.connect(path)
        except OSError:
            return
    raise ParameterError(
        f"address is {address!r}, but another program or publisher uses it; choose another path, or "
        f"end that program (`ss -lxp src {path}` shows it)"
    )
