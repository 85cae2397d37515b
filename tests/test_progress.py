# SPDX-License-Identifier: GPL-3.0-or-later
"""Progress bars, and a signal that comes while one is made."""

import gc
import os
import signal
import sys

import pytest

from rpmsn import interrupts, progress


class SignalsWhileItIsMade(progress._Lines):
    """A bar that fails in its destructor where a signal keeps it from getting its place on the screen."""

    @classmethod
    def _get_free_pos(cls, instance=None):
        os.kill(os.getpid(), signal.SIGTERM)
        for _ in range(1000):  # a handler runs between any two steps
            pass
        return super()._get_free_pos(instance)


def test_a_signal_waits_until_the_bar_is_made(monkeypatch):
    dropped = []
    monkeypatch.setattr(sys, "unraisablehook", dropped.append)
    monkeypatch.setattr(progress, "_Lines", SignalsWhileItIsMade)
    with pytest.raises(interrupts.Interrupted) as stopped, interrupts.raised():
        progress.progress_bar(10, "frame", "analysing")
        pytest.fail("the signal was lost")
    del stopped
    gc.collect()
    assert not dropped


def test_in_a_log_it_is_lines_or_nothing(capfd):
    for in_logs in (True, False):
        with progress.progress_bar(10, "frame", "analysing", in_logs=in_logs) as bar:
            bar.update(10)
        said = capfd.readouterr().err
        assert ("analysing: 100%" in said) == in_logs and "\r" not in said
