# SPDX-License-Identifier: GPL-3.0-or-later
"""Searches in a process of their own give what they give here, and the process never stays behind."""

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from limits import PROCESS_S

from rpmsn.cells import process
from rpmsn.cells.finding import Piece
from rpmsn.cells.looking import Look, Looker
from rpmsn.cells.plan import Hypothesis
from rpmsn.cells.process import SearchLostError, SearchProcess
from rpmsn.synthesis.lte.downlink import LteDownlink
from rpmsn.synthesis.lte.uplink import LteUplink
from rpmsn.synthesis.nr.downlink import NrDownlink
from rpmsn.synthesis.ofdm import modulate

RATE, CENTER = 1.92e6, 1842.5e6
SEARCH = Hypothesis("LTE", (CENTER,), 10e3, 15e3, 1, False, 0.1)


@pytest.fixture(scope="module")
def look():
    """40 ms of an LTE cell as a radio sends it."""
    grid = LteDownlink(bandwidth_hz=1.4e6, cell_id=301, frame_number=600).grid(41, np.random.default_rng(1))
    samples = modulate(grid, RATE)[: round(0.04 * RATE)]
    values = (samples / np.abs(samples).max() * 30000).astype(np.complex64).view(np.float32).reshape(-1, 2)
    return Look([values.astype(np.int16)], 0, RATE, CENTER)


@pytest.fixture
def searching():
    made = SearchProcess()
    made.start()
    yield made
    made.kill()
    made.close()


def cells_of(findings):
    return [(proof.cell.cell_id, proof.cell.evidence) for finding in findings for proof in finding.proofs]


def gone(pid):
    """Whether a process ends in good time."""
    end = time.monotonic() + PROCESS_S
    while time.monotonic() < end:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def test_what_it_finds_is_of_the_carriers_that_were_searched(searching):
    """They are named by what a process cannot be sent."""
    carrier, host = threading.Lock(), threading.Lock()
    rng = np.random.default_rng(1)
    samples = modulate(LteUplink(bandwidth_hz=3e6, cell_id=44, load=1.0).grid(81, rng), 2 * RATE)
    band, lower, upper = (CENTER - 1.35e6, CENTER + 1.35e6), (CENTER - 1.3e6, CENTER), (CENTER, CENTER + 1.3e6)
    uplink = Hypothesis("LTE", (), 0.0, 15e3, 1, False, 0.1, band=band, uplink=carrier)
    elsewhere = replace(uplink, band=(CENTER + 1.4e6, CENTER + 1.9e6))
    piece = Piece(carrier, host, *lower, *upper, CENTER, 15e3, 1, is_near=True)
    alike = Hypothesis("NR", (), 0.0, 15e3, 1, False, 0.1, piece=piece)
    look = Look([samples.astype(np.complex64)], 0, 2 * RATE, CENTER)
    findings = list(searching.search(look, [elsewhere, uplink, alike]))
    assert [finding.uplink and finding.uplink.key for finding in findings] == [None, carrier, None]
    assert findings[1].uplink.group == 44 % 30
    assert [finding.piece for finding in findings] == [None, None, piece]


def test_data_that_it_finds_is_of_the_carrier_that_was_searched(searching):
    carrier = threading.Lock()
    made = NrDownlink(5e6, 15e3, 44, style="full", sib1=False, beams=())
    samples = modulate(made.grid(41, np.random.default_rng(1)), 4 * RATE).astype(np.complex64)
    band = CENTER - 2e6, CENTER + 2e6
    data = [Hypothesis("NR", (), 0.0, 15e3, 1, False, 0.1, band=band, references=carrier, quarter=q) for q in range(4)]
    found = [finding.references for finding in searching.search(Look([samples], 0, 4 * RATE, CENTER), data)]
    assert any(found) and {(one.key, one.cell_id) for one in found if one} == {(carrier, 44)}


def test_it_finds_what_a_search_here_finds(searching, look):
    there = list(searching.search(look, [SEARCH]))
    assert cells_of(there) == cells_of(Looker(look).findings([SEARCH])) == [(301, "broadcast")]
    assert there[0].proofs[0].cell.mib is not None and searching.spent_s > 0


def test_complex_samples_and_several_frames_arrive_whole(searching, look):
    (values,) = look.frames
    samples = (values.astype(np.float32).view(np.complex64)[:, 0] / 32768).astype(np.complex64)
    parts = Look([samples[:40000], samples[40000:]], 0, RATE, CENTER)
    assert cells_of(searching.search(parts, [SEARCH])) == cells_of(Looker(parts).findings([SEARCH]))


def test_a_search_that_fails_says_why_and_the_next_one_works(searching, look):
    with pytest.raises(RuntimeError, match="TypeError"):
        list(searching.search(look, [replace(SEARCH, frequencies=None)]))
    assert cells_of(searching.search(look, [SEARCH])) == [(301, "broadcast")]


def test_a_process_that_is_killed_is_said_and_started_again_at_a_price(searching, look):
    os.kill(searching.pid, signal.SIGKILL)
    with pytest.raises(SearchLostError, match="signal 9"):
        list(searching.search(look, [SEARCH]))
    before = searching.spent_s
    assert cells_of(searching.search(look, [SEARCH])) == [(301, "broadcast")]
    assert searching.spent_s - before > process.START_S


def test_without_an_interpreter_it_is_said(monkeypatch, look):
    monkeypatch.setattr(sys, "executable", "/nowhere/python3")
    with pytest.raises(SearchLostError, match="could not be started: .*nowhere"):
        list(SearchProcess().search(look, [SEARCH]))


def test_a_killed_one_finds_nothing_and_is_not_started_again(searching, look):
    pid = searching.pid
    searching.kill()
    assert list(searching.search(look, [SEARCH])) == [] and gone(pid)


@pytest.mark.skipif(not hasattr(os, "getpriority"), reason="processes have no priority")
def test_where_cores_are_short_others_come_first_and_signals_are_for_the_program(searching, look):
    list(searching.search(look, [SEARCH]))
    wanted = min(os.getpriority(os.PRIO_PROCESS, 0) + process.NICE, 19)
    assert os.getpriority(os.PRIO_PROCESS, searching.pid) == wanted
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(searching.pid, number)
    assert cells_of(searching.search(look, [SEARCH])) == [(301, "broadcast")]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_it_ends_with_the_program_however_that_ends(number):
    program = (
        "import time; from rpmsn.cells.process import SearchProcess; one = SearchProcess(); one.start(); "
        "print(one.pid, flush=True); time.sleep(100)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        pid = int(parent.stdout.readline())
        parent.send_signal(number)
    assert gone(pid)
