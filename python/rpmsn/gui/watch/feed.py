# SPDX-License-Identifier: GPL-3.0-or-later
"""What waits between the thread of a source and the window: messages, never more than a fixed number (no Qt)."""

import dataclasses
import threading
from collections import deque

import numpy as np

MAX_FRAMES = 64
MAX_SEGMENTS = 1024


@dataclasses.dataclass(frozen=True)
class News:
    """What has arrived since the last call.

    Attributes:
        is_restarted: what the picture shows belongs to something that is over, such as the last round of a loop.
        frames: list of (fields, image, mask, shown); `shown` are the fields for the picture. The mask is None where no
            network has seen the frame yet.
        boxes: list of segments' fields for the picture.
        segments: list of segments' fields for the table.
        status: fields of the newest status, None where there is none.
    """

    is_restarted: bool
    frames: list
    boxes: list
    segments: list
    status: dict | None


class Feed:
    """Messages for the window; any thread may put, one takes.

    When the window is late the newest are kept.

    Attributes:
        problem: what is wrong with the source now, and what to do; "" where nothing is.
        note: what the source is doing where that is worth a line, such as loading a model.
        failed: whether the source has ended because of the problem.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.problem = self.note = ""
        self.failed = False
        self._status: dict | None = None
        self._clear()

    def put_frame(self, fields: dict, image: np.ndarray, mask: np.ndarray | None, shown: dict | None = None) -> None:
        """A frame: `fields` for the table, `shown` for the picture, which may count samples from elsewhere. Without a
        mask it is for the picture alone."""
        with self._lock:
            self._frames.append((fields, image, mask, shown or fields))

    def put_segment(self, fields: dict, box: dict | None) -> None:
        """A segment: `fields` for the table, `box` for the picture, which may count samples from elsewhere."""
        with self._lock:
            self._segments.append(fields)
            if box is not None:
                self._boxes.append(box)

    def put_status(self, fields: dict) -> None:
        """A status."""
        with self._lock:
            self._status = fields

    def restart(self) -> None:
        """What the picture shows, and what waits for it, is over."""
        with self._lock:
            self._is_restarted = True
            self._frames.clear()
            self._boxes.clear()

    def fail(self, problem: str) -> None:
        """The source has ended for a reason."""
        self.problem, self.note, self.failed = problem, "", True

    def take(self) -> News:
        """Everything that waits."""
        with self._lock:
            news = News(self._is_restarted, list(self._frames), list(self._boxes), list(self._segments), self._status)
            self._clear()
            return news

    def _clear(self) -> None:
        self._is_restarted = False
        self._status = None
        self._frames: deque[tuple[dict, np.ndarray, np.ndarray | None, dict]] = deque(maxlen=MAX_FRAMES)
        self._boxes: deque[dict] = deque(maxlen=MAX_SEGMENTS)
        self._segments: deque[dict] = deque(maxlen=MAX_SEGMENTS)
