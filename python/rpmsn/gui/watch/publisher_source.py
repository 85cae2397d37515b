# SPDX-License-Identifier: GPL-3.0-or-later
"""A segment publisher as a source of `rpmsn watch`: the carriers that another flowgraph or computer finds (no Qt)."""

import logging
import math
import threading
import time
from collections.abc import Callable

from ... import waiting
from ...errors import RpmsnError
from ...messages import keys
from ...messages import wire as messages
from ...publishing.subscriber import Subscriber
from ...recording.captures import parse_time
from ..translation import counted, tr
from .feed import Feed

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.1
STOP_SECONDS = 10.0
NO_FRAMES_SECONDS = 5.0
"""Messages without frames for so long, and the window says why there is no picture."""


class PublisherSource:
    """Messages of a publisher; it is waited for, and connected to again, for as long as the window is open.

    Args:
        address: `tcp://HOST:PORT` or `ipc://PATH`.
        feed: Feed that gets everything.
        server_key_file, client_key_file: as of `rpmsn.publishing.subscriber.Subscriber`.
        clock: seconds of a clock that never jumps.

    Raises:
        ParameterError: the address, or a key, cannot be used.
        MissingLibraryError: pyzmq is not installed.
    """

    is_stuck = False
    recording = None

    def __init__(
        self,
        address: str,
        feed: Feed,
        server_key_file: str = "",
        client_key_file: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.title = address
        self._feed, self._clock = feed, clock
        self._subscriber = Subscriber(address, server_key_file=server_key_file, client_secret_key_file=client_key_file)
        self._restarts = 0
        self._first_message: float | None = None
        self._last_frame: float | None = None
        self._is_stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rpmsn subscriber")

    def start(self) -> None:
        """Listen; a second call does nothing."""
        if self._thread.ident is None:
            self._thread.start()

    def stop(self) -> None:
        """End the connection."""
        self._is_stopping.set()
        if self._thread.ident is not None:
            self.is_stuck = not waiting.join(self._thread, STOP_SECONDS)
        if not self.is_stuck:
            self._subscriber.close()

    def _run(self) -> None:
        try:
            while not self._is_stopping.is_set():
                message = self._subscriber.receive(POLL_SECONDS)
                if message is not None:
                    self._take(message)
                self._report_state()
        except RpmsnError as error:
            logger.error("%s", error)
            self._feed.fail(str(error))

    def _take(self, message: dict) -> None:
        """One message; what cannot be read is logged and skipped."""
        if self._subscriber.restarts != self._restarts:
            self._restarts = self._subscriber.restarts
            self._feed.restart()
        self._first_message = self._first_message or self._clock()
        try:
            topic, fields = message[messages.KEY_TOPIC], to_fields(message)
            if topic == messages.FRAME:
                image, mask = messages.decode_image(message)
                self._last_frame = self._clock()
                self._feed.put_frame({**fields, keys.MASK: mask}, image, mask)
            elif topic == messages.SEGMENT:
                self._feed.put_segment(fields, fields)
            else:
                self._feed.put_status(fields)
        except ValueError as error:
            logger.warning("message skipped: %s", error)

    def _report_state(self) -> None:
        """What is wrong with the connection, and what is missing."""
        lost = sum(self._subscriber.lost.values())
        note = ""
        if lost:
            note = counted(
                "{count} message of the publisher did not arrive",
                "{count} messages of the publisher did not arrive",
                lost,
            )
        now = self._clock()
        since = self._last_frame or self._first_message
        if since is not None and self._last_frame is None and now - since > NO_FRAMES_SECONDS:
            note = tr(
                "no picture: the publisher sends no frames; set frames_per_second of its segment_publisher "
                "above 0, and connect its port frames"
            )
        self._feed.problem, self._feed.note = self._subscriber.problem, note


def to_fields(message: dict) -> dict:
    """A message as the fields of a PDU; numbers that are not known are NaN, and a time is (whole s, fraction).

    Raises:
        ValueError: its time is none.
    """
    fields = {
        key: math.nan if value is None and keys.kind_of(key) == keys.DOUBLE else value for key, value in message.items()
    }
    if isinstance(fields.get(keys.RX_TIME), str):
        fields[keys.RX_TIME] = parse_time(fields[keys.RX_TIME])
    return fields
