# SPDX-License-Identifier: GPL-3.0-or-later
"""Radios that hang: when they are opened, in the middle, or when they are to stop."""

import faulthandler
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from .. import interrupts

SILENT_SECONDS = 5.0
"""A radio that sends nothing for so long is taken to have stopped."""
OPEN_SECONDS = 120.0
"""A driver that takes longer to open its radio ends the process; firmware and FPGA images take up to 30 s."""
STOP_SECONDS = 2.0
"""A driver that does not end within this time is left behind, and the process with it."""


@contextmanager
def opening(limit_s: float = OPEN_SECONDS) -> Iterator[None]:
    """Within, a driver opens a radio: signals end the process at once, and so does the limit, with status 1.

    Drivers hold the interpreter's lock meanwhile, so nothing written in Python could do it; stderr then gets the place
    in which they hang.
    """
    faulthandler.dump_traceback_later(limit_s, exit=True, file=sys.__stderr__ or sys.stderr)
    try:
        with interrupts.default_actions():
            yield
    finally:
        faulthandler.cancel_dump_traceback_later()


class Flowgraph(Protocol):
    """What can be stopped and waited for, as `gr.top_block`."""

    def stop(self) -> None:
        """Ask it to end."""

    def wait(self) -> None:
        """Wait for its end."""


class Silence:
    """Notices when a radio sends nothing more.

    Args:
        now: s, of the clock that `has_stopped` gets the time of.

    Example:
        >>> silence = Silence(now=0.0)
        >>> silence.has_stopped(1000, now=4.0), silence.has_stopped(1000, now=8.0), silence.has_stopped(1000, now=9.5)
        (False, False, True)
    """

    def __init__(self, now: float) -> None:
        self._received, self._heard_at = 0, now

    def has_stopped(self, samples_received: int, now: float) -> bool:
        """Whether nothing has come for `SILENT_SECONDS`; called again and again.

        Args:
            samples_received: since the start.
            now: s.
        """
        if samples_received != self._received:
            self._received, self._heard_at = samples_received, now
        return now - self._heard_at > SILENT_SECONDS


def describe_silence(device: str) -> str:
    """The message about a radio that has stopped; `device` as the user named it."""
    return (
        f"{device} has sent nothing for {SILENT_SECONDS:g} s and is taken to have stopped: is it still plugged in, "
        "is its server still running? `rpmsn devices` lists what it finds."
    )


def end_flowgraph(flowgraph: Flowgraph, limit_s: float = STOP_SECONDS) -> bool:
    """Stop a flowgraph; returns whether all its threads have ended within `limit_s`.

    That of gr-osmosdr's client of rtl_tcp may never end, and any driver may hang when it is stopped.
    """

    def end() -> None:
        flowgraph.stop()
        flowgraph.wait()

    ending = threading.Thread(target=end, name="rpmsn end of a flowgraph", daemon=True)
    ending.start()
    ending.join(limit_s)
    return not ending.is_alive()
