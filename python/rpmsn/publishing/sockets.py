# SPDX-License-Identifier: GPL-3.0-or-later
"""The sockets of a publisher and of a subscriber. ZeroMQ's sockets are not thread safe: one thread at a time."""

from __future__ import annotations

import errno
import weakref
from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING

from .. import installation
from ..errors import MissingLibraryError, ParameterError
from .addresses import is_local
from .keys import COMMAND, ClientKeys, ServerKeys

if TYPE_CHECKING:
    import zmq as zmq_types

LINGER_MS = 300
"""How long closing waits for what a subscriber has not taken yet: the last messages of a recording."""

HEARTBEAT_MS = 5000
HEARTBEAT_TIMEOUT_MS = 15000
"""After this, a peer that answers no heartbeat has vanished."""

LONGEST_REQUEST = 4096
"""Bytes; what a subscriber sends: its keys and the topics that it wants."""

LONGEST_MESSAGE = 64 * 2**20
"""Bytes; what a subscriber takes."""


def require_zmq() -> ModuleType:
    """The module zmq.

    Raises:
        MissingLibraryError: it is not installed.
    """
    try:
        import zmq
    except ImportError as error:
        raise MissingLibraryError(
            f"publishing needs pyzmq, which cannot be imported ({error}); install it: {installation.how_to_add('zmq')}"
        ) from error
    return zmq


class PublisherSocket:
    """A bound PUB socket.

    Args:
        address: as `check_address` returns it.
        keys: ServerKeys, or None to let everybody listen.
        high_water_mark: messages that wait for one subscriber; further ones are lost for this subscriber.

    Raises:
        MissingLibraryError: no pyzmq, or one without CURVE.
        ParameterError: the address cannot be bound.
    """

    def __init__(self, address: str, keys: ServerKeys | None, high_water_mark: int) -> None:
        zmq = require_zmq()
        from zmq.utils import z85

        context = zmq.Context()
        sockets: list[zmq_types.Socket] = []
        # Not left to the garbage collector, which may close the context before its sockets and wait for ever.
        self._close = weakref.finalize(self, _close_all, context, sockets)
        self._close.atexit = False
        self._zap: zmq_types.Socket | None = None
        self._clients: set[bytes] = set()
        try:
            if keys is not None and keys.clients is not None:
                # Bound before the address: nobody gets in before somebody is there to be asked.
                self._zap = context.socket(zmq.REP)
                sockets.append(self._zap)
                self._zap.linger = 0
                self._zap.bind("inproc://zeromq.zap.01")
                self._clients = {z85.decode(client) for client in keys.clients}
            self._socket = context.socket(zmq.PUB)
            sockets.append(self._socket)
            self._socket.sndhwm = high_water_mark
            self._socket.linger = LINGER_MS
            self._socket.maxmsgsize = LONGEST_REQUEST
            self._socket.ipv6 = "[" in address
            _set_heartbeat(self._socket)
            if keys is not None:
                _require_curve(zmq)
                self._socket.zap_domain = b"rpmsn"
                self._socket.curve_server = True
                self._socket.curve_publickey = keys.public
                self._socket.curve_secretkey = keys.secret
            try:
                self._socket.bind(address)
            except zmq.ZMQError as error:
                raise ParameterError(_say_why_not_bound(address, error)) from error
        except BaseException:
            self._close()
            raise
        self.address = self._socket.last_endpoint.decode().rstrip("\0")

    def send(self, parts: Sequence[bytes]) -> None:
        """Send the parts of one message; never waits."""
        self._socket.send_multipart(parts)

    def admit(self) -> None:
        """Answer the subscribers that wait to be let in (https://rfc.zeromq.org/spec/27)."""
        while self._zap is not None and self._zap.poll(0):
            request = self._zap.recv_multipart()
            is_known = len(request) > 6 and request[5] == b"CURVE" and request[6] in self._clients
            verdict = (b"200", b"OK") if is_known else (b"400", b"Unknown key")
            self._zap.send_multipart([b"1.0", request[1] if len(request) > 1 else b"", *verdict, b"", b""])

    @property
    def asks_for_keys(self) -> bool:
        """Whether `admit` has to be called."""
        return self._zap is not None

    def close(self) -> None:
        """Free the address; waits at most `LINGER_MS`. May be called again."""
        self._close()


class SubscriberSocket:
    """A SUB socket that reports the state of its connection.

    Args:
        address: as `check_address` returns it.
        topics: of the messages that are wanted.
        keys: ClientKeys or None.
        high_water_mark: messages that wait to be read; further ones are lost.

    Raises:
        MissingLibraryError: no pyzmq, or one without CURVE.
        ParameterError: the address cannot be used.
    """

    def __init__(self, address: str, topics: Sequence[str], keys: ClientKeys | None, high_water_mark: int) -> None:
        self._zmq = zmq = require_zmq()
        context = zmq.Context()
        sockets: list[zmq_types.Socket] = []
        self._close = weakref.finalize(self, _close_all, context, sockets)
        self._close.atexit = False
        try:
            self._socket = context.socket(zmq.SUB)
            sockets.append(self._socket)
            self._socket.linger = 0
            self._socket.rcvhwm = high_water_mark
            self._socket.maxmsgsize = LONGEST_MESSAGE
            self._socket.ipv6 = True
            self._socket.reconnect_ivl = 100
            self._socket.reconnect_ivl_max = 2000
            _set_heartbeat(self._socket)
            if keys is not None:
                _require_curve(zmq)
                self._socket.curve_serverkey = keys.server
                self._socket.curve_publickey = keys.public
                self._socket.curve_secretkey = keys.secret
            for topic in topics:
                self._socket.subscribe(topic)
            self._monitor = self._socket.get_monitor_socket()
            sockets.insert(0, self._monitor)
            try:
                self._socket.connect(address)
            except zmq.ZMQError as error:
                raise ParameterError(f"address is {address!r}, which ZeroMQ cannot use: {error}") from error
        except BaseException:
            self._close()
            raise
        self._poller = zmq.Poller()
        self._poller.register(self._socket, zmq.POLLIN)
        self._poller.register(self._monitor, zmq.POLLIN)

    def wait(self, milliseconds: int) -> None:
        """Wait until something is there to read, but no longer than this."""
        self._poller.poll(milliseconds)

    def receive(self) -> list[bytes] | None:
        """The parts of the next message, or None."""
        try:
            return self._socket.recv_multipart(self._zmq.NOBLOCK)
        except self._zmq.Again:
            return None

    def changes(self) -> list[zmq_types.Event]:
        """What happened to the connection since the last call."""
        from zmq.utils.monitor import recv_monitor_message

        found = []
        while self._monitor.poll(0):
            found.append(self._zmq.Event(recv_monitor_message(self._monitor)["event"]))
        return found

    def close(self) -> None:
        """May be called again."""
        if self._close.alive:
            self._socket.disable_monitor()
        self._close()


def check_secrecy(address: str, keys: ServerKeys | None, allow_plain: bool) -> None:
    """Raise ParameterError where others could read what is published and nobody said that they may."""
    if keys is None and not allow_plain and not is_local(address):
        raise ParameterError(
            f"address is {address!r}, which other computers can reach, and there are no keys, so that anyone on the "
            f"network could read it. Make keys with `{COMMAND}` and set server_secret_key_file and client_keys_folder; "
            "or stay on this computer with tcp://127.0.0.1:PORT; or set allow_plain to let anyone read it"
        )


def _set_heartbeat(socket):
    socket.heartbeat_ivl = HEARTBEAT_MS
    socket.heartbeat_timeout = HEARTBEAT_TIMEOUT_MS


def _require_curve(zmq):
    if not zmq.has("curve"):
        raise MissingLibraryError(
            "keys need a ZeroMQ with CURVE, and this one was built without; install another pyzmq: "
            f"{installation.how_to_add('zmq')}"
        )


def _say_why_not_bound(address, error):
    """What is wrong with an address, and what to do."""
    port = address.rpartition(":")[2]
    hints = {
        errno.EADDRINUSE: "another program or publisher uses it; choose another port, or end that program "
        f"(`ss -ltnp sport = :{port}` shows it)",
        errno.ENODEV: "this computer has no such address; `ip address` lists what it has, tcp://*:PORT means all",
        errno.EACCES: "this user may not use it; choose a port from 1024 on, or a folder that can be written",
        errno.ENOENT: "the folder does not exist; make it, or choose another path",
        errno.ENAMETOOLONG: "the path is too long for a socket; choose one of less than 100 characters",
    }
    hints[errno.EADDRNOTAVAIL] = hints[errno.ENODEV]
    return f"address is {address!r}, which cannot be bound: {hints.get(error.errno, error)}"


def _close_all(context, sockets):
    for socket in sockets:
        socket.close()
    context.term()
