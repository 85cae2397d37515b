# SPDX-License-Identifier: GPL-3.0-or-later
"""Standard streams that are closed, left by their reader or on a full disk: the work is done, and nothing is traced."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from limits import PROCESS_S

PACKAGES = Path(__file__).resolve().parents[2] / "python"
FULL = Path("/dev/full")

pytestmark = pytest.mark.skipif(not FULL.exists(), reason="Linux has /dev/full")


def close(*numbers):
    """The streams of these numbers are closed."""
    for number in numbers:
        os.close(number)


def fill(number):
    """A stream that takes nothing."""
    os.dup2(os.open(FULL, os.O_WRONLY), number)


def leave(number):
    """A stream whose reader has gone."""
    reader, writer = os.pipe()
    os.close(reader)
    os.dup2(writer, number)


@pytest.fixture
def info(tmp_path):
    """Run `rpmsn info` of raw samples, with a warning; returns what came of it."""
    (tmp_path / "g001_1867.5M_2400k.cs16").write_bytes(bytes(4001))

    def run(prepare):
        return subprocess.run(
            [sys.executable, "-m", "rpmsn.cli", "info", "g001_1867.5M_2400k.cs16"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=PROCESS_S,
            preexec_fn=prepare,
            env=dict(os.environ, PYTHONPATH=str(PACKAGES)),
        )

    return run


@pytest.mark.parametrize("numbers", [(0,), (2,), (0, 2)])
def test_without_stdin_or_stderr_the_result_is_the_same(info, numbers):
    done = info(lambda: close(*numbers))
    assert (done.returncode, done.stdout) == (0, info(None).stdout) and "Traceback" not in done.stderr


@pytest.mark.parametrize("how", [lambda: fill(2), lambda: leave(2)], ids=["full", "left"])
def test_a_stderr_that_takes_nothing_stops_nothing(info, how):
    done = info(how)
    assert (done.returncode, done.stdout) == (0, info(None).stdout)


def test_a_stdout_that_is_closed_is_what_was_asked_for(info):
    done = info(lambda: close(1))
    assert done.returncode == 0 and "Traceback" not in done.stderr


def test_a_full_stdout_is_told_once_and_without_a_traceback(info):
    done = info(lambda: fill(1))
    assert done.returncode == 1 and "lost: No space left on device" in done.stderr
    assert "Traceback" not in done.stderr and "Exception" not in done.stderr


def test_files_do_not_take_the_place_of_streams(tmp_path):
    code = (
        "import os, sys; from rpmsn.cli.main import main; main(['info']);"
        "number = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT); sys.exit(0 if number > 2 else 3)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "x")],
        timeout=PROCESS_S,
        preexec_fn=lambda: close(0, 1, 2),
        env=dict(os.environ, PYTHONPATH=str(PACKAGES)),
    )
    assert done.returncode == 0
