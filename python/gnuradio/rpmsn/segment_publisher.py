# SPDX-License-Identifier: GPL-3.0-or-later
"""GNU Radio block: publishes what a segmenter sink sends, as JSON over ZeroMQ."""

import math
import time

import pmt
from gnuradio import gr

from rpmsn.errors import require
from rpmsn.messages import json_messages, keys
from rpmsn.messages import wire as messages
from rpmsn.publishing.addresses import DEFAULT_ADDRESS
from rpmsn.publishing.publisher import HIGH_WATER_MARK, Publisher

from . import pdu

MAX_ROWS = 256
FRAME_BYTES = 180_000
"""Image and mask of a whole frame, 65,536 pixels each, base64; with more columns it has fewer rows."""

MAX_WAITING_BYTES = 16 * 2**20
"""What may wait for one subscriber that has stopped reading."""


REQUIRED = {topic: keys.required_keys(topic) for topic in messages.TOPICS}
"""What a message of each topic has to have."""


class segment_publisher(gr.basic_block):
    """Publishes segments, status and, if wanted, frames to any number of programs, on this computer or others.

    Connect the ports of a segmenter sink to the ports of the same name. The handlers only put a message into a queue of
    fixed size; a thread of the block's own encodes and sends. A subscriber that is slow, hangs or is gone never holds
    up the radio: what it cannot take is lost, for this subscriber only, and it sees that from the numbers.

    Subscribe with `rpmsn.publishing.subscriber.Subscriber`, as examples/zmq_subscriber.py does, or with any ZeroMQ SUB
    socket. A message has two parts, topic (`segment`, `status` or `frame`) and JSON. docs/messages.md has every key.

    Ports:
        segments, status, frames (in): the PDUs described in docs/messages.md. A message that is not right is
            logged, counted and skipped.

    Args:
        address: to bind, `tcp://HOST:PORT` or `ipc://PATH`. 127.0.0.1 is this computer only; `*` is every address that
            it has, and needs keys. Port 0 takes any that is free; `address()` returns which.
        frames_per_second: upper limit for frames; 0 sends none.
        frame_rows: 1 to 256; frames are reduced to this many rows. 256 rows are 175 kB a message, 64 are 45 kB.
        server_secret_key_file: CURVE key of this publisher, made by `python -m rpmsn.publishing.keys FOLDER`; "" sends
            in plain text.
        client_keys_folder: folder with the public keys of those who may listen; "" lets everybody in who has this
            publisher's public key.
        allow_plain: True lets an address that others can reach be used without keys: anyone on the network can read.

    Raises:
        rpmsn.errors.ParameterError: a parameter is not allowed, the address is in use, or a key cannot be read.
        rpmsn.errors.MissingLibraryError: pyzmq is not installed.

    Example:
        >>> publisher = rpmsn.segment_publisher()                                 # doctest: +SKIP
        >>> for port in ("segments", "status"):                                   # doctest: +SKIP
        ...     tb.msg_connect((segmenter, port), (publisher, port))
    """

    def __init__(
        self,
        address: str = DEFAULT_ADDRESS,
        frames_per_second: float = 0.0,
        frame_rows: int = MAX_ROWS,
        server_secret_key_file: str = "",
        client_keys_folder: str = "",
        allow_plain: bool = False,
    ):
        gr.basic_block.__init__(self, name="rpmsn_segment_publisher", in_sig=None, out_sig=None)
        require(
            "segment_publisher",
            "frames_per_second",
            frames_per_second,
            math.isfinite(frames_per_second) and frames_per_second >= 0,
            "0 (none) or more",
        )
        require("segment_publisher", "frame_rows", frame_rows, 1 <= frame_rows <= MAX_ROWS, f"1 to {MAX_ROWS}")
        require(
            "segment_publisher",
            "client_keys_folder",
            client_keys_folder,
            server_secret_key_file or not client_keys_folder,
            "server_secret_key_file too, or leave it empty",
        )
        self._frame_rows = int(frame_rows)
        self._frame_limit = RateLimit(frames_per_second)
        high_water_mark = HIGH_WATER_MARK
        if frames_per_second:
            high_water_mark = min(HIGH_WATER_MARK, MAX_WAITING_BYTES // FRAME_BYTES)
        self._publisher = Publisher(
            self._encode,
            address,
            server_secret_key_file,
            client_keys_folder,
            allow_plain,
            high_water_mark,
            self.logger.warn,
        )
        for port, handler in (
            (keys.SEGMENTS, self._on_segment),
            (keys.STATUS, self._on_status),
            (keys.FRAMES, self._on_frame),
        ):
            self.message_port_register_in(pmt.intern(port))
            self.set_msg_handler(pmt.intern(port), handler)

    def start(self) -> bool:
        """Called by GNU Radio when the flowgraph starts."""
        self._publisher.start()
        return True

    def stop(self) -> bool:
        """Called by GNU Radio at the end: what waits is sent, within half a second."""
        self._publisher.stop()
        return True

    def address(self) -> str:
        """Where to subscribe, with the port that was taken."""
        return self._publisher.address

    def counts(self) -> dict[str, int]:
        """Messages since the start: dict of `sent`, `dropped` (too many waited) and `refused` (not right)."""
        return self._publisher.counts()

    def _on_segment(self, message):
        """Handler of `segments`, in a thread of GNU Radio."""
        self._publisher.put(messages.SEGMENT, message)

    def _on_status(self, message):
        """Handler of `status`, in a thread of GNU Radio."""
        self._publisher.put(messages.STATUS, message)

    def _on_frame(self, message):
        """Handler of `frames`, in a thread of GNU Radio."""
        if self._frame_limit.is_due(time.monotonic()):
            self._publisher.put(messages.FRAME, message)

    def _encode(self, topic, message):
        """The JSON object of a message, in the publisher's thread."""
        fields, payload = pdu.parse_pdu(message, required=REQUIRED[topic])
        if topic == messages.SEGMENT:
            return json_messages.segment_to_json(fields)
        if topic == messages.STATUS:
            return json_messages.status_to_json(fields, self._publisher.counts())
        return json_messages.frame_to_json(fields, payload, self._frame_rows)


class RateLimit:
    """Lets events through at a mean rate of at most `per_second`."""

    def __init__(self, per_second: float):
        self._period = 1 / per_second if per_second else math.inf
        self._due = -math.inf if per_second else math.inf

    def is_due(self, now: float) -> bool:
        """Whether an event at `now` (s, of a clock that never jumps) may pass."""
        if now < self._due:
            return False
        # An event that is late by less than a period does not shift those that follow.
        is_late = now >= self._due + self._period
        self._due = (now if is_late else self._due) + self._period
        return True
