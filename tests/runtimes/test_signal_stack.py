# SPDX-License-Identifier: GPL-3.0-or-later
"""A signal that comes after a runtime has gone reaches its handler: libraries leave the thread's signal stack alone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from limits import PROCESS_S

from rpmsn.runtimes.signal_stack import kept_signal_stack

PACKAGES = Path(__file__).resolve().parents[2] / "python"
BEGIN = """
import faulthandler, gc, os, signal, sys, threading
from rpmsn import runtimes
from rpmsn.models.model import load_model

came = []
signal.signal(signal.SIGINT, lambda *_: came.append(1))
def make():
    return runtimes.create(load_model(), "openvino")
"""
END = """
gc.collect()
os.kill(os.getpid(), signal.SIGINT)
while not came:
    pass
"""
GOING = {
    "first_come_first_gone": "first = make(); second = make(); del first; gc.collect(); del second",
    "from_another_thread": "box = [make()]; thread = threading.Thread(target=box.clear); thread.start(); thread.join()",
}

linux_alone = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="OpenVINO sets a stack on Linux alone")


@linux_alone
@pytest.mark.parametrize("going", GOING)
@pytest.mark.parametrize("before", ["", "faulthandler.enable()\n"], ids=["none", "faulthandler"])
def test_a_signal_after_runtimes_have_gone_is_handled(going, before, tmp_path):
    pytest.importorskip("openvino")
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + before + GOING[going] + END],
        env=dict(os.environ, PYTHONPATH=str(PACKAGES), XDG_CACHE_HOME=str(tmp_path)),
        timeout=PROCESS_S,
    )
    assert done.returncode == 0


@linux_alone
def test_the_stack_is_the_one_from_before():
    import ctypes

    from rpmsn.runtimes.signal_stack import _Stack

    library, room = ctypes.CDLL(None), ctypes.create_string_buffer(1 << 16)

    def stack():
        now = _Stack()
        assert library.sigaltstack(None, ctypes.byref(now)) == 0
        return now.start, now.flags, now.size

    before = stack()
    with kept_signal_stack():
        assert library.sigaltstack(ctypes.byref(_Stack(ctypes.addressof(room), 0, len(room))), None) == 0
        assert stack() != before
    assert stack() == before
