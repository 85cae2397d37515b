# SPDX-License-Identifier: GPL-3.0-or-later
"""SIGINT, SIGTERM and SIGHUP end long commands alike, with whole files; real processes, and a real terminal."""

import os
import pty
import random
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import Future, wait
from pathlib import Path

import pytest
import yaml
from late_signals import SignalsAtItsEnd
from limits import HANG_S, PROCESS_S

from rpmsn import interrupts

PACKAGES = Path(__file__).resolve().parents[2] / "python"
SIGNALS = pytest.mark.parametrize("number", interrupts.SIGNALS, ids=lambda number: signal.Signals(number).name)
TRAINING = {
    "name": "tiny",
    "version": "0",
    "architecture": "rpmsn-rt",
    "sample_rates": [5e6, 125e6],
    "batch_size": 1,
    "arguments": {"in_channels": 4, "classes": 4, "widths": [4, 8], "stages": 1},
    "epochs": 1000,
    "train": {"preset": "published", "count": 2, "seed": 1},
    "learning_rate": 1e-3,
    "validation": {"preset": "published", "count": 1, "seed": 2},
}


def start(*arguments, **options):
    return subprocess.Popen(
        [sys.executable, "-m", "rpmsn.cli", *map(str, arguments)],
        text=True,
        **{
            "stdout": subprocess.DEVNULL,
            "stderr": subprocess.PIPE,
            "env": dict(os.environ, PYTHONPATH=str(PACKAGES)),
            "start_new_session": True,
            **options,
        },
    )


def wait_for(condition, process, what):
    """Wait until something is so, while a process runs."""
    end = time.monotonic() + PROCESS_S
    while not condition():
        assert process.poll() is None, f"the process ended before {what}"
        assert time.monotonic() < end, f"waited {PROCESS_S} s in vain for {what}"
        time.sleep(0.02)


def stop(process, number, to_group=False):
    """Send a signal and wait for the end; returns what was said on stderr."""
    try:
        (os.killpg if to_group else os.kill)(process.pid, number)
        return process.communicate(timeout=PROCESS_S)[1]
    finally:
        process.kill()


def files(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def read_of(process):
    """Bytes that a process has read."""
    return int(Path(f"/proc/{process.pid}/io").read_text().split()[1])


def runs(number):
    """Whether a process runs; one that has ended stays listed until its parent has asked for its exit status."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_ctrl_c_while_the_command_is_loaded_ends_it_without_a_word():
    code = (
        "import os, signal, sys\n"
        "class Stop:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'rpmsn.cli.main':\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Stop())\n"
        "from rpmsn.cli.__main__ import run\n"
        "sys.exit(run())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        timeout=PROCESS_S,
        env=dict(os.environ, PYTHONPATH=str(PACKAGES)),
    )
    assert (done.returncode, done.stderr) == (-signal.SIGINT, b"")


@pytest.fixture
def long_recording(tmp_path):
    """10 GB of zeros that take no room on the disk."""
    path = tmp_path / "long.bin"
    with open(path, "wb") as file:
        file.truncate(10 * 10**9)
    return path


def annotating(long_recording, model, **options):
    """`rpmsn annotate` in the middle of its work."""
    process = start(
        "annotate", long_recording, "--format", "cf32", "--sample-rate", "61.44M", "--model", model, "--workers", 1,
        "--runtime", "torch", "--quiet", **options,
    )  # fmt: skip
    wait_for(lambda: read_of(process) > 100e6, process, "the analysis")
    return process


@SIGNALS
def test_annotate_ends_with_128_and_the_signal_one_sentence_and_nothing_half_written(
    long_recording, untrained_model, number
):
    process = annotating(long_recording, untrained_model)
    said = stop(process, number)
    assert process.returncode == 128 + number
    by = "the keyboard" if number == signal.SIGINT else signal.Signals(number).name
    assert said == f"rpmsn annotate: stopped by {by}; nothing half-written is left\n"
    assert files(long_recording.parent) == ["long.bin"]


@pytest.mark.parametrize(
    "number, to_group",
    [(signal.SIGTERM, False), (signal.SIGHUP, True), (signal.SIGINT, True)],
    ids=["SIGTERM-alone", "SIGHUP-group", "SIGINT-group"],
)
def test_synth_ends_with_its_processes_and_leaves_whole_files(tmp_path, number, to_group):
    process = start(
        "synth", "--preset", "any_rate", "--sample-rates", "1.92M", "8M", "--count", 200, "--workers", 2,
        "--duration", 0.2, "--output", tmp_path,
    )  # fmt: skip
    wait_for(lambda: len(list(tmp_path.glob("*.sigmf-meta"))) >= 2, process, "two recordings")
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    said = stop(process, number, to_group)
    assert process.returncode == 128 + number and "Traceback" not in said, said
    assert len({name.split(".")[1] for name in files(tmp_path)} - {"sigmf-meta", "sigmf-data", "scene"}) == 0
    assert all(path.with_suffix(".sigmf-data").exists() for path in tmp_path.glob("*.sigmf-meta"))
    end = time.monotonic() + HANG_S
    while any(map(runs, children)) and time.monotonic() < end:
        time.sleep(0.05)
    assert children and not any(map(runs, children)), "no process is left"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=["SIGTERM", "SIGHUP"])
def test_train_ends_and_the_same_command_goes_on(tmp_path, number):
    pytest.importorskip("torch")
    config = tmp_path / "tiny.yml"
    config.write_text(yaml.safe_dump(TRAINING))
    process = start("train", config, "--output", tmp_path / "run", "--workers", 1)
    wait_for((tmp_path / "run" / "validation" / "set.yml").exists, process, "the training")
    said = stop(process, number)
    assert process.returncode == 128 + number and "Traceback" not in said, said
    assert not [name for name in files(tmp_path) if ".part" in name or name.endswith(".tmp")]


def test_a_closed_terminal_ends_it_with_129_and_nothing_half_written(long_recording, untrained_model):
    """The process leads the session of a terminal, which then goes away, as when its window is closed."""
    ours, theirs = pty.openpty()
    process = annotating(
        long_recording,
        untrained_model,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=False,
        preexec_fn=lambda: os.login_tty(theirs) if hasattr(os, "login_tty") else take_terminal(theirs),
    )
    os.close(theirs)
    os.close(ours)
    try:
        assert process.wait(PROCESS_S) == 128 + signal.SIGHUP
    finally:
        process.kill()
    assert files(long_recording.parent) == ["long.bin"]


def take_terminal(descriptor):
    """Lead a session with this terminal."""
    import fcntl
    import termios

    os.setsid()
    fcntl.ioctl(descriptor, termios.TIOCSCTTY, 0)


def test_nohup_stays_nohup(long_recording, untrained_model):
    process = annotating(
        long_recording, untrained_model, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)
    )
    os.kill(process.pid, signal.SIGHUP)
    before = read_of(process)
    wait_for(lambda: read_of(process) > before + 50e6, process, "more work")
    stop(process, signal.SIGTERM)
    assert process.returncode == 128 + signal.SIGTERM


def test_a_second_signal_does_not_interrupt_the_tidying_up():
    tidied = False
    with pytest.raises(interrupts.Interrupted) as stopped, interrupts.raised() as numbers:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            pytest.fail("no exception")
        finally:
            os.kill(os.getpid(), signal.SIGHUP)
            tidied = True
    assert tidied and numbers == [signal.SIGTERM, signal.SIGHUP]
    assert interrupts.exit_status(stopped.value) == 143


def test_a_signal_that_comes_in_a_destructor_is_not_lost():
    hook = sys.unraisablehook
    with pytest.raises(interrupts.Interrupted) as stopped, interrupts.raised() as numbers:
        SignalsAtItsEnd(signal.SIGTERM)
        time.sleep(HANG_S)
        pytest.fail("the signal was dropped")
    assert numbers == [signal.SIGTERM] and stopped.value.number == signal.SIGTERM
    assert sys.unraisablehook is hook


def test_a_signal_in_the_last_destructor_does_not_end_what_comes_after():
    with interrupts.raised() as numbers:
        SignalsAtItsEnd(signal.SIGTERM)
    time.sleep(5 * interrupts.AGAIN_SECONDS)
    assert numbers == [signal.SIGTERM]


class SignalsInItsMiddle:
    """A lock whose taking, as that of a condition, has a step in Python after which it is held; a signal comes there.

    Args:
        number: of the signal.
        lock: that is taken.
    """

    def __init__(self, number, lock):
        self.number, self.lock = number, lock

    def __enter__(self):
        self.lock.acquire()
        signal.raise_signal(self.number)

    def __exit__(self, *_):
        self.lock.release()


@SIGNALS
def test_a_signal_that_comes_while_a_lock_is_taken_leaves_it_free(number):
    lock = threading.Lock()
    with (
        pytest.raises(interrupts.Interrupted) as stopped,
        interrupts.raised() as numbers,
        SignalsInItsMiddle(number, lock),
    ):
        time.sleep(HANG_S)
        pytest.fail("the signal was lost")
    assert not lock.locked()
    assert numbers == [number] and stopped.value.number == number


def test_signals_at_any_time_leave_no_future_locked():
    """Another thread could not give a future its result, and a pool would wait for it without end."""
    futures = [Future() for _ in range(4)]
    for _ in range(300):
        with pytest.raises((interrupts.Interrupted, RuntimeError)), interrupts.raised():
            delay = random.uniform(0, 2e-3)
            threading.Timer(delay, interrupts.send_to_main_thread, [signal.SIGTERM]).start()
            while True:
                wait(futures, 0)
        assert not any(future._condition._is_owned() for future in futures)


def test_handlers_are_as_before_afterwards():
    before = [signal.getsignal(number) for number in interrupts.SIGNALS]
    with interrupts.raised(), interrupts.default_actions(), interrupts.handled(print):
        pass
    assert [signal.getsignal(number) for number in interrupts.SIGNALS] == before


def test_a_library_that_holds_the_interpreter_ends_at_a_signal():
    code = (
        "import ctypes\nfrom rpmsn import interrupts\n"
        "with interrupts.raised(), interrupts.default_actions():\n"
        "    print('now', flush=True)\n    ctypes.PyDLL(None).sleep(1000)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, env=dict(os.environ, PYTHONPATH=str(PACKAGES))
    )
    process.stdout.readline()
    process.terminate()
    assert process.wait(PROCESS_S) == -signal.SIGTERM


def test_a_driver_that_hangs_in_open_ends_the_process_at_the_limit_and_the_place_is_said():
    code = (
        "import ctypes\nfrom rpmsn.radios.stopping import opening\n"
        "def open_radio():\n    ctypes.PyDLL(None).sleep(1000)\n"
        "with opening(limit_s=0.5):\n    open_radio()"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=PROCESS_S,
        env=dict(os.environ, PYTHONPATH=str(PACKAGES)),
    )
    assert result.returncode == 1 and "Timeout" in result.stderr and "in open_radio" in result.stderr
