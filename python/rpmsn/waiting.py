# SPDX-License-Identifier: GPL-3.0-or-later
"""Waits with a limit: after it, a wait says what it waits for, and fails or goes on.

`wait_for` (a condition), `result` (a future) and `join` (a thread) wait in short slices and count these, not the clock:
a process that was stopped for a while (SIGSTOP, a debugger) does not fail when it goes on. `Patience` is the same for
a loop that polls by itself.
"""

import logging
import sys
import threading
import traceback
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from pathlib import Path
from typing import TypeVar

from .errors import StalledError

LIMIT_SECONDS = 120.0
"""Longer than any single step of the engine takes, on a slow and busy machine as well."""
SLICE_SECONDS = 0.5
FRAMES_TOLD = 3

T = TypeVar("T")

logger = logging.getLogger(__name__)


class Patience:
    """How long a loop that polls may find nothing.

    Args:
        what: that it waits for, in words that follow "waited 120 s for".
        limit_s: seconds without `reset` after which `spend` raises, or warns.
        goes_on: warn at the limit, and at every doubling of it, in place of raising: where waiting for ever is right.

    Example:
        >>> patience = Patience("the next frame", limit_s=1.0)
        >>> patience.spend(0.5)
        >>> patience.spend(0.5)
        Traceback (most recent call last):
        rpmsn.errors.StalledError: waited 1 s for the next frame
    """

    def __init__(self, what: str, limit_s: float = LIMIT_SECONDS, goes_on: bool = False) -> None:
        self._what, self._limit_s, self._goes_on = what, limit_s, goes_on
        self.reset()

    def reset(self) -> None:
        """What was waited for came; the next wait begins."""
        self._spent_s, self._next_s = 0.0, self._limit_s

    def spend(self, seconds: float, threads: Iterable[threading.Thread] = ()) -> None:
        """Count `seconds` of waiting in vain.

        Args:
            threads: that are to bring what is waited for; the message says where they are.

        Raises:
            StalledError: the limit is reached.
        """
        self._spent_s += seconds
        if self._spent_s < self._next_s:
            return
        text = "; ".join([f"waited {self._spent_s:g} s for {self._what}", *map(place_of, threads)])
        if not self._goes_on:
            raise StalledError(text)
        self._next_s *= 2
        logger.warning("%s; still waiting", text)


def wait_for(
    condition: threading.Condition,
    predicate: Callable[[], T],
    what: str,
    limit_s: float = LIMIT_SECONDS,
    goes_on: bool = False,
) -> T:
    """Wait, with `condition` held, until `predicate()` is true; returns its value.

    Args:
        what, limit_s, goes_on: as of `Patience`.

    Raises:
        StalledError: it was not within `limit_s`.
    """
    patience = Patience(what, limit_s, goes_on)
    slice_s = min(SLICE_SECONDS, limit_s)
    while not (value := condition.wait_for(predicate, slice_s)):
        patience.spend(slice_s)
    return value


def result(future: "Future[T]", what: str, limit_s: float = LIMIT_SECONDS, goes_on: bool = False) -> T:
    """The result of a future, arguments as of `wait_for`; raises what the work raised.

    Raises:
        StalledError: it did not come within `limit_s`.
    """
    patience = Patience(what, limit_s, goes_on)
    slice_s = min(SLICE_SECONDS, limit_s)
    while True:
        try:
            return future.result(slice_s)
        except FutureTimeoutError:
            if future.done():
                return future.result()  # what the work itself raised, or a result that came just now
            patience.spend(slice_s)


def join(thread: threading.Thread, limit_s: float = LIMIT_SECONDS) -> bool:
    """Wait for the end of a thread; returns whether it came within `limit_s`. If not, the log says where it is."""
    slice_s = min(SLICE_SECONDS, limit_s)
    spent_s = 0.0
    while spent_s < limit_s:
        thread.join(slice_s)
        if not thread.is_alive():
            return True
        spent_s += slice_s
    logger.error("waited %g s for the end of a thread, and leave it behind: %s", limit_s, place_of(thread))
    return False


def place_of(thread: threading.Thread) -> str:
    """Where a thread is at this moment: its name and its innermost calls, the last one first."""
    frame = sys._current_frames().get(thread.ident or 0)
    if frame is None:
        return f"thread {thread.name!r} has ended"
    calls = traceback.extract_stack(frame)[-FRAMES_TOLD:]
    reported = [f"{Path(call.filename).name}:{call.lineno} {call.name}" for call in reversed(calls)]
    return f"thread {thread.name!r} is in {' < '.join(reported)}"
