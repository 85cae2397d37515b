# SPDX-License-Identifier: GPL-3.0-or-later
"""Publisher: takes messages from a thread that must not wait, and sends them from a thread of its own."""

import logging
import os
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from ..errors import RpmsnError
from ..messages import wire as messages
from ..waiting import join
from .addresses import DEFAULT_ADDRESS, check_address
from .keys import load_server_keys
from .sockets import PublisherSocket, check_secrecy

logger = logging.getLogger(__name__)

MAX_WAITING = {messages.SEGMENT: 1024, messages.FRAME: 4, messages.STATUS: 16}
"""Messages that wait for the thread; of too many, the newest are kept."""

HIGH_WATER_MARK = 1000
"""Messages that wait for one slow subscriber."""

IDLE_SECONDS = 0.5
ADMIT_SECONDS = 0.05
STOP_SECONDS = 10.0
"""A thread that has not ended after this hangs in its socket, and is left behind."""

FLUSH_SECONDS = 0.3
RETRY_SECONDS = 0.5
COMPLAIN_SECONDS = 1.0


class Outbox:
    """Messages on their way from any thread to the one that sends; numbers them, and counts what it has to drop."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_news = threading.Event()
        self._waiting: dict[str, deque[tuple[str, int, Any]]] = {topic: deque() for topic in messages.TOPICS}
        self._numbers = dict.fromkeys(messages.TOPICS, 0)
        self.dropped = 0

    def put(self, topic: str, item: Any) -> None:
        """Add a message; where too many wait, the oldest of its topic is dropped. Never waits."""
        with self._lock:
            waiting = self._waiting[topic]
            if len(waiting) == MAX_WAITING[topic]:
                waiting.popleft()
                self.dropped += 1
            waiting.append((topic, self._numbers[topic], item))
            self._numbers[topic] += 1
        if not self._is_news.is_set():
            self._is_news.set()

    def wait(self, seconds: float) -> None:
        """Wait until there is a message, or `wake` was called, but no longer than this."""
        self._is_news.wait(seconds)

    def wake(self) -> None:
        """End `wait`."""
        self._is_news.set()

    def take(self) -> list[tuple[str, int, Any]]:
        """All that wait, as (topic, number, item), in order within a topic."""
        self._is_news.clear()
        with self._lock:
            taken = [entry for waiting in self._waiting.values() for entry in waiting]
            for waiting in self._waiting.values():
                waiting.clear()
            return taken


class Publisher:
    """Sends messages to all who listen, and never makes the caller wait.

    A message gets its number when it is put, so that every one that is lost on the way, here or on the network, leaves
    a gap that a subscriber sees.

    Args:
        encode: function (topic, item) -> dict of the body, called in the publisher's thread; it raises ValueError for
            an item that is no message.
        address: to bind, `tcp://HOST:PORT` or `ipc://PATH`; port 0 takes any that is free.
        server_secret_key_file, client_keys_folder: see `keys.load_server_keys`; "" for none.
        allow_plain: True lets an address beyond this computer be used without keys.
        high_water_mark: messages that wait for one slow subscriber; further ones are lost for this one.
        complain: function (text), called with what went wrong, at most once a second.

    Attributes:
        address: str, with the port that was taken.

    Raises:
        ParameterError: a parameter is not allowed, the address is in use, a key cannot be read.
        MissingLibraryError: pyzmq is not installed.

    Example:
        >>> publisher = Publisher(lambda topic, item: item, "tcp://127.0.0.1:0")
        >>> publisher.start()
        >>> publisher.put("status", {"health": "ok"})
        >>> publisher.stop()
        >>> publisher.counts()
        {'sent': 1, 'dropped': 0, 'refused': 0}
    """

    def __init__(
        self,
        encode: Callable[[str, Any], Mapping[str, Any]],
        address: str = DEFAULT_ADDRESS,
        server_secret_key_file: str | os.PathLike[str] = "",
        client_keys_folder: str | os.PathLike[str] = "",
        allow_plain: bool = False,
        high_water_mark: int = HIGH_WATER_MARK,
        complain: Callable[[str], object] = logger.warning,
    ) -> None:
        self._encode = encode
        self._complain_to = complain
        self._keys = load_server_keys(server_secret_key_file, client_keys_folder) if server_secret_key_file else None
        address = check_address(address, to_bind=True)
        check_secrecy(address, self._keys, allow_plain)
        self._high_water_mark = high_water_mark
        self._thread: threading.Thread | None = None
        # Bound here, where an error reaches the user; the thread takes it over.
        self._socket: PublisherSocket | None = PublisherSocket(address, self._keys, high_water_mark)
        self.address: str = self._socket.address
        self._reset()

    def start(self) -> None:
        """Begin to send, with a new start id and numbers from 0; the address of the last time is bound again."""
        self._reset()
        self._thread = threading.Thread(target=self._run, name="rpmsn publisher", daemon=True)
        self._thread.start()

    def put(self, topic: str, item: Any) -> None:
        """Send `item` on `topic`, one of `messages.TOPICS`. Any thread; never waits."""
        self._outbox.put(topic, item)

    def stop(self) -> None:
        """Send what waits and free the address, within a second. May be called again.

        Where a message takes longer to encode than `STOP_SECONDS`, a complaint says so, and the address is freed later.
        """
        self._closing.set()
        self._outbox.wake()
        if self._thread is not None:
            if not join(self._thread, STOP_SECONDS):
                self._complain_to(
                    f"the publisher at {self.address} has not ended within {STOP_SECONDS:g} s: it still encodes a "
                    "message; the address is free when that is done"
                )
            self._thread = None
        elif self._socket is not None:
            self._socket.close()
            self._socket = None

    def counts(self) -> dict[str, int]:
        """Messages since the start: `sent`, `dropped` (too many waited), `refused` (could not be encoded)."""
        return {"sent": self._sent, "dropped": self._outbox.dropped + self._unsent, "refused": self._refused}

    def _reset(self):
        self._id = secrets.token_hex(8)
        self._outbox = Outbox()
        self._closing = threading.Event()
        self._sent = self._refused = self._unsent = 0
        self._complained_at = -COMPLAIN_SECONDS

    def _run(self):
        """The thread: owns the socket until it ends."""
        socket = self._take_socket()
        if socket is None:
            self._unsent += len(self._outbox.take())
            return
        try:
            wait_seconds = ADMIT_SECONDS if socket.asks_for_keys else IDLE_SECONDS
            while not self._closing.is_set():
                self._outbox.wait(wait_seconds)
                socket.admit()
                self._send_all(socket)
            self._send_all(socket)
        except Exception as error:  # the thread ends, and the user has to know
            self._complain(f"publishing has ended: {error!r}; stop and start it")
        finally:
            socket.close()

    def _take_socket(self):
        """The bound socket; binds again after a stop, as soon as the address is free. None if stopped meanwhile."""
        socket, self._socket = self._socket, None
        while socket is None and not self._closing.is_set():
            try:
                check_address(self.address, to_bind=True)
                socket = PublisherSocket(self.address, self._keys, self._high_water_mark)
            except RpmsnError as error:
                self._complain(f"nothing is published for now: {error}")
                self._closing.wait(RETRY_SECONDS)
        return socket

    def _send_all(self, socket):
        """Send what waits; after `stop` was called, only as long as stopping may take."""
        deadline = None
        for topic, number, item in self._outbox.take():
            if deadline is None and self._closing.is_set():
                deadline = time.monotonic() + FLUSH_SECONDS
            if deadline is not None and time.monotonic() > deadline:
                self._unsent += 1
            else:
                self._send(socket, topic, number, item)

    def _send(self, socket, topic, number, item):
        try:
            parts = messages.pack(topic, number, self._id, self._encode(topic, item))
        except Exception as error:  # one message lost is better than all that follow
            self._refused += 1
            self._complain(f"a message for {topic} cannot be published: {error}")
            return
        socket.send(parts)
        self._sent += 1

    def _complain(self, text):
        now = time.monotonic()
        if now - self._complained_at >= COMPLAIN_SECONDS:
            self._complained_at = now
            self._complain_to(text)
