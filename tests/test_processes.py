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
from late_signals import SignalsAtItsEnd
from limits import HANG_S, PROCESS_S

from rpmsn import interrupts, processes

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


JOBS = textwrap.dedent(
    """
    import os, signal, sys, time
    from contextlib import closing
    from pathlib import Path
    from rpmsn import processes

    def work(number, killed):
        if number in killed:
            os.kill(os.getpid(), signal.SIGKILL)
        for _ in range(4):
            processes.report(0.25)
        return number

    def late(number, folder):
        (Path(folder) / str(number)).touch()
        while number == 0 and not (Path(folder) / "3").exists():
            time.sleep(0.01)
        return number

    handed_out = []

    def jobs(count, *arguments):
        for number in range(count):
            handed_out.append(number)
            yield number, *arguments

    if __name__ == "__main__":
        """
)


def run_jobs(tmp_path, code):
    """What a program prints that does jobs in processes."""
    program = tmp_path / "jobs.py"
    program.write_text(JOBS + textwrap.indent(textwrap.dedent(code), "    "))
    done = subprocess.run(
        [sys.executable, program], capture_output=True, text=True, timeout=PROCESS_S,
        env=dict(os.environ, PYTHONPATH=str(PACKAGES)),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_a_job_that_ends_its_process_is_told_of_and_all_others_are_done(tmp_path):
    code = """
    lost = lambda job: f"lost-{job[0]}"
    for number, result in processes.as_done(work, jobs(6, (1, 4)), 2, "a job", lost=lost):
        print(result)
    """
    assert sorted(run_jobs(tmp_path, code)) == ["0", "2", "3", "5", "lost-1", "lost-4"]


def test_results_come_as_they_finish_and_in_order_where_that_was_promised(tmp_path):
    code = f"""
    print(*[number for number, _ in processes.as_done(late, jobs(4, {str(tmp_path)!r}), 2, "a job")][-1:])
    Path({str(tmp_path)!r}, "3").unlink()
    arguments = [(number, {str(tmp_path)!r}) for number in range(4)]
    print(*processes.each_done(late, arguments, 2, "job", "doing", quiet=True))
    """
    assert run_jobs(tmp_path, code) == ["0", "0", "1", "2", "3"]


def test_few_jobs_are_handed_out_ahead_and_progress_within_them_is_passed_on(tmp_path):
    code = """
    amounts = []
    with closing(processes.as_done(work, jobs(1000, ()), 1, "a job", amounts.append)) as results:
        for _ in range(5):
            next(results)
    print(len(handed_out) <= 5 + processes.JOBS_AHEAD, sum(amounts) >= 5)
    """
    assert run_jobs(tmp_path, code) == ["True", "True"]


def test_free_memory_is_what_the_system_and_the_control_group_leave(monkeypatch, tmp_path):
    assert 0 < processes.free_memory() < 1e15
    (tmp_path / "memory.max").write_text("3000000\n")
    (tmp_path / "memory.current").write_text("1000000\n")
    monkeypatch.setattr(processes, "_control_groups", lambda: iter([tmp_path, tmp_path / "none"]))
    assert processes.free_memory() == 2e6
    (tmp_path / "memory.max").write_text("max\n")
    assert processes.free_memory() > 2e6


def goes_on_after_a_signal():
    SignalsAtItsEnd(signal.SIGINT)
    time.sleep(HANG_S)
    return "the signal was dropped"


def test_a_signal_in_a_destructor_ends_a_worker_s_job():
    before = signal.getsignal(signal.SIGINT)
    worker = processes._Interrupts()
    signal.signal(signal.SIGINT, worker.handle)
    try:
        with pytest.raises(KeyboardInterrupt):
            worker.do(goes_on_after_a_signal, ())
    finally:
        signal.signal(signal.SIGINT, before)
