# SPDX-License-Identifier: GPL-3.0-or-later
"""Subscriber: yields the messages of a publisher, sees what is missing, and connects again by itself."""

import os
import time
from collections.abc import Iterable, Iterator
from typing import Any

from ..errors import ParameterError, RpmsnError
from ..messages import wire as messages
from .addresses import DEFAULT_ADDRESS, check_address
from .keys import load_client_keys
from .sockets import SubscriberSocket

HIGH_WATER_MARK = 1000
HIGH_WATER_MARK_WITH_FRAMES = 100
"""Messages that wait to be read, and how many where frames of 175 kB are among them."""

POLL_SECONDS = 0.2
RETRY_SECONDS = 1.0


class Subscriber:
    """Messages of one publisher. To be used by one thread.

    Publisher and subscriber may be started in any order, and again; the subscriber waits for its publisher.

    Args:
        address: `tcp://HOST:PORT` or `ipc://PATH` of the publisher.
        topics: those of `messages.TOPICS` that are wanted.
        server_key_file: the publisher's public key; "" where it has none.
        client_secret_key_file: the own secret key; "" where the publisher has none.

    Attributes:
        lost: dict, topic -> messages that were not received, by the gaps in the numbers of those that were.
        restarts: how many times the publisher has begun again.
        unreadable: messages that were none.
        problem: str, why there is no connection, and what to do; "" where there is one.

    Raises:
        ParameterError: a parameter is not allowed, or a key cannot be read.
        MissingLibraryError: pyzmq is not installed.

    Example:
        >>> with Subscriber(topics=["segment"]) as subscriber:                  # doctest: +SKIP
        ...     for message in subscriber:
        ...         print(message["label"], message["freq_lower"], message["freq_upper"])
    """

    def __init__(
        self,
        address: str = DEFAULT_ADDRESS,
        topics: Iterable[str] = messages.TOPICS,
        server_key_file: str | os.PathLike[str] = "",
        client_secret_key_file: str | os.PathLike[str] = "",
    ) -> None:
        self.address = check_address(address, to_bind=False)
        self._topics = list(topics)
        unknown = [topic for topic in self._topics if topic not in messages.TOPICS]
        if unknown or not self._topics:
            raise ParameterError(f"topics are {topics!r}, but some of {', '.join(messages.TOPICS)} are allowed")
        self._keys = None
        if server_key_file or client_secret_key_file:
            self._keys = load_client_keys(client_secret_key_file, server_key_file)
        self.lost = dict.fromkeys(messages.TOPICS, 0)
        self.restarts = 0
        self.unreadable = 0
        self._publisher: str | None = None
        self._expected: dict[str, int] = {}
        self._open()

    def __enter__(self) -> "Subscriber":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Messages as they arrive, without end."""
        while True:
            message = self.receive()
            if message is not None:  # as ever, without a timeout
                yield message

    def receive(self, timeout: float | None = None) -> dict[str, Any] | None:
        """The next message.

        Args:
            timeout: s; None waits for ever.

        Returns:
            What docs/publisher.schema.json describes, or None after the timeout.

        Raises:
            RpmsnError: the publisher speaks another version.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            message = self._receive_now()
            if message is not None:
                return message
            remaining = POLL_SECONDS if deadline is None else min(POLL_SECONDS, deadline - time.monotonic())
            if remaining <= 0:
                return None
            self._socket.wait(max(1, round(remaining * 1000)))

    def close(self) -> None:
        """End the connection. May be called again."""
        self._socket.close()

    def _open(self):
        has_frames = messages.FRAME in self._topics
        self._socket = SubscriberSocket(
            self.address, self._topics, self._keys, HIGH_WATER_MARK_WITH_FRAMES if has_frames else HIGH_WATER_MARK
        )
        self.problem = f"no publisher at {self.address} yet; waiting for one"
        self._retry_at: float | None = None

    def _receive_now(self):
        """A message that is there, or None."""
        self._follow_connection()
        parts = self._socket.receive()
        if parts is None:
            return None
        try:
            message = messages.unpack(parts)
        except messages.VersionError as error:
            raise RpmsnError(
                f"the publisher at {self.address} sends {error}; install the same release of gr-rpmsn on both sides"
            ) from error
        except ValueError:
            self.unreadable += 1
            return None
        self._count(message)
        return message

    def _count(self, message):
        """Compare a message's number with that of the one before."""
        topic, number = message[messages.KEY_TOPIC], message[messages.KEY_SEQUENCE]
        if message[messages.KEY_PUBLISHER] != self._publisher:
            self.restarts += self._publisher is not None
            self._publisher = message[messages.KEY_PUBLISHER]
            self._expected = {}
        self.lost[topic] += max(0, number - self._expected.get(topic, number))
        self._expected[topic] = number + 1

    def _follow_connection(self):
        """Keep `problem` up to date; connect again where ZeroMQ has given up, which it does after a refusal."""
        for name in (str(event.name) for event in self._socket.changes()):
            if name == "HANDSHAKE_SUCCEEDED":
                self.problem, self._retry_at = "", None
            elif name == "DISCONNECTED" and not self.problem:
                self.problem = f"the publisher at {self.address} is gone; waiting for it"
            elif name.startswith("HANDSHAKE_FAILED"):
                self.problem = self._say_why_refused(name)
                self._retry_at = self._retry_at or time.monotonic() + RETRY_SECONDS
        if self._retry_at is not None and time.monotonic() >= self._retry_at:
            problem = self.problem
            self._socket.close()
            self._open()
            self.problem = problem

    def _say_why_refused(self, event):
        if event == "HANDSHAKE_FAILED_AUTH":
            return (
                f"the publisher at {self.address} does not know our key; copy our public key (.key) into its "
                "client_keys_folder and start it again"
            )
        if event == "HANDSHAKE_FAILED_PROTOCOL":
            return f"the publisher at {self.address} " + (
                "has no keys; connect without"
                if self._keys
                else "wants keys; set server_key_file and client_secret_key_file"
            )
        return (
            f"the publisher at {self.address} has another key than server_key_file (get its server.key), or has none "
            "(connect without)"
            if self._keys
            else f"what is at {self.address} wants keys (set server_key_file and "
            "client_secret_key_file), is no publisher, or was just ended"
        )
