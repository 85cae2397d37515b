# SPDX-License-Identifier: GPL-3.0-or-later
"""Radios that stop in the middle: noticed, and left behind where a driver never ends."""

import threading

SILENT_SECONDS = 5.0
"""A radio that sends nothing for so long is taken to have stopped."""
STOP_SECONDS = 2.0
"""A driver that does not end within this time is left behind, and the process with it."""


class Silence:
    """Notices when a radio sends nothing more.

    Args:
        now: s, of the clock that `has_stopped` is told the time of.

    Example:
        >>> silence = Silence(now=0.0)
        >>> silence.has_stopped(1000, now=4.0), silence.has_stopped(1000, now=8.0), silence.has_stopped(1000, now=9.5)
        (False, False, True)
    """

    def __init__(self, now):
        self._received, self._heard_at = 0, now

    def has_stopped(self, samples_received, now):
        """Whether nothing has come for `SILENT_SECONDS`; to be asked again and again.

        Args:
            samples_received: since the start.
            now: s.
        """
        if samples_received != self._received:
            self._received, self._heard_at = samples_received, now
        return now - self._heard_at > SILENT_SECONDS


def describe_silence(device):
    """What to tell of a radio that has stopped, as the user named it."""
    return (
        f"{device} has sent nothing for {SILENT_SECONDS:g} s and is taken to have stopped: is it still plugged in, "
        "is its server still running? `rpmsn devices` tells."
    )


def end_flowgraph(flowgraph):
    """Stop a flowgraph; returns whether all its threads have ended: that of gr-osmosdr's client of rtl_tcp may not."""
    flowgraph.stop()
    waiting = threading.Thread(target=flowgraph.wait, daemon=True)
    waiting.start()
    waiting.join(STOP_SECONDS)
    return not waiting.is_alive()
