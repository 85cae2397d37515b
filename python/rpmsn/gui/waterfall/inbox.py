# SPDX-License-Identifier: GPL-3.0-or-later
"""What waits for the Qt thread, between a thread of GNU Radio and the waterfall (no Qt)."""

import threading
from collections import deque
from typing import Any

MAX_FRAMES, MAX_SEGMENTS = 64, 1024
SEGMENTS_AT_A_TIME = 256
"""Parsing them costs 0.1 ms each, in the thread that draws."""


class Inbox:
    """Messages as they came: the newest frames and segments and the last status, never more than a fixed number.

    They are parsed only when they are taken out, so that too many of them cost their sender next to nothing.
    """

    def __init__(self, max_frames: int = MAX_FRAMES, max_segments: int = MAX_SEGMENTS):
        self._lock = threading.Lock()
        self._frames: deque[Any] = deque(maxlen=max_frames)
        self._segments: deque[Any] = deque(maxlen=max_segments)
        self._status: deque[Any] = deque(maxlen=1)

    def put_frame(self, message: Any) -> None:
        """Keep a message of the port `frames`."""
        with self._lock:
            self._frames.append(message)

    def put_segment(self, message: Any) -> None:
        """Keep a message of the port `segments`."""
        with self._lock:
            self._segments.append(message)

    def put_status(self, message: Any) -> None:
        """Keep a message of the port `status`."""
        with self._lock:
            self._status.append(message)

    def take(self) -> tuple[list, list, list]:
        """What waits, the oldest first: all frames, some segments, and the last status if there is one."""
        with self._lock:
            count = min(len(self._segments), SEGMENTS_AT_A_TIME)
            taken = list(self._frames), [self._segments.popleft() for _ in range(count)], list(self._status)
            self._frames.clear()
            self._status.clear()
            return taken
