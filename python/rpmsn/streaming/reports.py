# SPDX-License-Identifier: GPL-3.0-or-later
"""Results on their way out: faults that do not end a stream, listeners that fail, and the clock of an event."""

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from ..tracking.tracker import Event
from .intake import StreamTime

ERROR_SECONDS = 10.0
"""An error is in the status for so long after it last happened."""
CLOCKS_KEPT = 64
"""More than the frames that an event may be about."""

logger = logging.getLogger(__name__)


class Reports:
    """Errors that do not end a stream: passed on at once, and in the status for a while. For any thread.

    Args:
        on_error: called with a sentence.
    """

    def __init__(self, on_error: Callable[[str], None]) -> None:
        self._on_error = on_error
        self.clear()

    def clear(self) -> None:
        """Forget the last error."""
        self._last = "", -ERROR_SECONDS

    def fail(self, text: str) -> None:
        """Report what went wrong, and keep it for the status."""
        self._last = text, time.monotonic()
        self.announce(text)

    def announce(self, text: str) -> None:
        """Report what went wrong, and is in the status by other means."""
        try:
            self._on_error(text)
        except Exception:
            logger.exception("the listener of errors failed, and did not get: %s", text)

    def deliver(self, what: str, receive: Callable[..., Any], *arguments: Any) -> None:
        """Call a listener or a file; one that fails is reported, and everything goes on."""
        try:
            receive(*arguments)
        except Exception as error:
            logger.debug("%s could not be delivered", what, exc_info=True)
            self.fail(f"{what} could not be delivered: {error or type(error).__name__}")

    def text(self, writers: Iterable[Any] = ()) -> str:
        """The error for the status: the last one while it is new, and the faults of files; "" where there is none."""
        text, when = self._last
        errors = [text] if time.monotonic() - when < ERROR_SECONDS else []
        return "; ".join(errors + [fault for writer in writers if (fault := getattr(writer, "fault", ""))])


class EventClocks:
    """The clocks of events, the same in messages and in log files."""

    def __init__(self) -> None:
        self._recent: deque[StreamTime] = deque(maxlen=CLOCKS_KEPT)
        self._begun: dict[int, StreamTime] = {}

    def follow(self, clock: StreamTime) -> None:
        """A frame or a sweep was received by this clock; they come in order."""
        if not self._recent or self._recent[-1] != clock:
            self._recent.append(clock)

    def timed(self, events: Iterable[Event], may_resume: bool = False) -> list[tuple[Event, StreamTime]]:
        """Events, each with the clock that holds where its segment begins, which a gap may have changed since.

        A carrier that is gone has the clock of its first event.

        Args:
            events: of the tracker.
            may_resume: whether what is gone may go on (`Tracker.resume`): its first clock is kept.
        """
        return [(event, self._of(event, may_resume)) for event in events]

    def _of(self, event: Event, may_resume: bool) -> StreamTime:
        clock = self._recent[-1]
        if event.segment is not None:
            start = event.segment.start_offset
            clock = next((one for one in reversed(self._recent) if one.offset <= start), self._recent[0])
        begun = self._begun.setdefault(event.carrier.carrier_id, clock)
        if event.kind != "gone":
            return clock
        if not may_resume:
            del self._begun[event.carrier.carrier_id]
        return begun
