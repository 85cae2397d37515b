# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a server rtl_tcp answers, before a driver waits for it."""

import socket
from collections.abc import Callable
from typing import Any

from ..errors import ParameterError, RadioError

DEFAULT_PORT = 1234
MOST_DIGITS = 5
"""Of a port."""
CONNECT_SECONDS = 5.0
GREETING = b"RTL0"


def check_server(device: str, connect: Callable[..., Any] = socket.create_connection) -> None:
    """Raise RadioError unless a server rtl_tcp answers: gr-osmosdr would wait without limit for a silent one.

    Args:
        device: `rtl_tcp=HOST:PORT`, perhaps with more arguments.
        connect: as `socket.create_connection`.
    """
    host, _, port = device.split(",")[0].partition("=")[2].rpartition(":")
    if not host:
        host, port = port or "127.0.0.1", str(DEFAULT_PORT)
    if not port.isdecimal() or len(port) > MOST_DIGITS or not 0 < int(port) < 65536:
        raise ParameterError(f"device is {device!r}; write it as rtl_tcp=HOST:PORT, with a port from 1 to 65535")
    try:
        with connect((host, int(port)), CONNECT_SECONDS) as connection:
            greeting = connection.recv(len(GREETING), socket.MSG_WAITALL)
    except ValueError as error:  # UnicodeError: an empty or very long part of the name; a zero byte
        raise ParameterError(f"device is {device!r}, where {host!r} is no name of a computer ({error})") from error
    except OSError as error:
        raise RadioError(
            f"nothing answers at {host}:{port} ({error.strerror or error}); start the server where the "
            f"radio is: rtl_tcp -a 0.0.0.0 -p {port}, and see that no firewall is between"
        ) from error
    if greeting != GREETING:
        raise RadioError(
            f"what answers at {host}:{port} is no rtl_tcp (it says {greeting!r}, not {GREETING!r}), or "
            "serves another program already; check host and port"
        )
