# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes that start while a signal comes."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest
from limits import PROCESS_S

from rpmsn import interrupts

PACKAGES = Path(__file__).resolve().parents[1] / "python"


def test_a_signal_that_another_thread_takes_waits_until_processes_have_started():
    """The system may give a signal to any thread that does not block it; Python runs its handler in the main one."""
    over = threading.Event()
    thread = threading.Thread(target=over.wait)
    thread.start()
    done = []
    try:
        with interrupts.raised() as numbers:
            with pytest.raises(interrupts.Interrupted) as stop, interrupts.held():
                os.kill(os.getpid(), signal.SIGHUP)
                time.sleep(0.05)
                done.append("the work")
            assert done and stop.value.number == signal.SIGHUP and numbers == [signal.SIGHUP]
    finally:
        over.set()
        thread.join()


def test_what_is_ignored_stays_so_and_handlers_are_as_before():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        handlers = [signal.getsignal(number) for number in interrupts.SIGNALS]
        with interrupts.held():
            os.kill(os.getpid(), signal.SIGHUP)
        assert [signal.getsignal(number) for number in interrupts.SIGNALS] == handlers
    finally:
        signal.signal(signal.SIGHUP, before)


PROGRAM = textwrap.dedent(
    """
    import os, signal, sys, threading, time
    from rpmsn import interrupts, processes

    if __name__ == "__main__":
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
        delay = float(sys.argv[1])
        try:
            with interrupts.raised():
                threading.Timer(delay, os.kill, (os.getpid(), signal.SIGTERM)).start()
                for _ in processes.each_done(time.sleep, [(30,)] * 4, 2, "job", "waiting", quiet=True):
                    pass
        except KeyboardInterrupt as stop:
            sys.exit(interrupts.exit_status(stop))
    """
)


@pytest.mark.parametrize("delay", [0.0005, 0.002, 0.005, 0.01, 0.02, 0.04, 0.08, 0.15, 0.3])
def test_a_stop_at_any_moment_of_the_start_ends_it_without_a_traceback(tmp_path, delay):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, program, str(delay)], capture_output=True, text=True, timeout=PROCESS_S,
        env=dict(os.environ, PYTHONPATH=str(PACKAGES)),
    )  # fmt: skip
    assert done.returncode == 128 + signal.SIGTERM and "Traceback" not in done.stderr, done.stderr
