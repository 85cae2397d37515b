# SPDX-License-Identifier: GPL-3.0-or-later
"""Cells of streams and recordings: found live and in replay, the same every time, and never in the frames' way."""

import json
import math
import os
import signal
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from oracle import ThresholdRuntime

from rpmsn.classes import LTE, NOISE, NR
from rpmsn.errors import ParameterError
from rpmsn.messages.results import carrier_fields
from rpmsn.models.model import load_model
from rpmsn.recording import open_recording
from rpmsn.streaming import cells
from rpmsn.streaming.analysis import RecordingAnalyser
from rpmsn.streaming.live import Settings, StreamAnalyser
from rpmsn.synthesis import ofdm
from rpmsn.synthesis.lte.downlink import LteDownlink
from rpmsn.synthesis.lte.uplink import LteUplink
from rpmsn.synthesis.nr.downlink import NrDownlink

RECEPTIONS = Path(__file__).parents[3] / "shared/receptions"
RATE = 3.84e6
FRAME = round(0.04 * RATE)
CENTER = 1842.5e6
OFFSET = 0.6e6


class Blind(ThresholdRuntime):
    """A network that sees nothing."""

    def probabilities(self, images):
        return super().probabilities(np.zeros_like(images))


class Doubtful(ThresholdRuntime):
    """A network that calls the first half of every frame NR."""

    def probabilities(self, images):
        scores = super().probabilities(images)
        scores[:, [1, 2], :128] = scores[:, [2, 1], :128]
        return scores


def noise(frames, seed=3):
    parts = np.random.default_rng(seed).standard_normal((frames * FRAME, 2)).astype(np.float32) * np.float32(0.01)
    return parts.view(np.complex64)[:, 0]


def downlink(frames, cell_id=301, amplitude=0.2, offset=OFFSET, has_pss=True):
    """An LTE cell of 1.4 MHz beside the centre, in noise; or the like without PSS and reference signals."""
    grid = LteDownlink(cell_id=cell_id, bandwidth_hz=1.4e6, frame_number=600).grid(
        40 * frames, np.random.default_rng(1)
    )
    if not has_pss:
        grid.symbols *= np.exp(2j * np.pi * np.random.default_rng(2).random(grid.symbols.shape)).astype(np.complex64)
    samples = ofdm.modulate(grid, RATE)
    turn = np.exp(2j * np.pi * offset / RATE * np.arange(len(samples)))
    return (amplitude * samples * turn).astype(np.complex64) + noise(frames)


def uplink(frames):
    """Terminals of an LTE cell of 3 MHz, in noise."""
    grid = LteUplink(bandwidth_hz=3e6, cell_id=44, load=0.7).grid(40 * frames, np.random.default_rng(1))
    return (0.2 * ofdm.modulate(grid, RATE)).astype(np.complex64) + noise(frames)


def nr_data(frames):
    """The upper end of an NR carrier of 20 MHz, data alone, from 1 MHz above the centre down, in noise."""
    grid = NrDownlink(20e6, 15e3, 77, style="full", ssb_offset=0).grid(40 * frames, np.random.default_rng(1))
    samples = ofdm.modulate(grid, 16 * RATE)
    bins = np.fft.fft(samples * np.exp(-2j * np.pi * 8.54e6 / (16 * RATE) * np.arange(len(samples))))
    part = np.fft.ifft(np.concatenate([bins[: len(bins) // 32], bins[-len(bins) // 32 :]])).astype(np.complex64)
    return part / np.float32(10 * part.std()) + noise(frames)


@pytest.fixture
def recorded(any_rate_model, tmp_path):
    """Write samples as a recording; a context with its RecordingAnalyser."""

    @contextmanager
    def opened(samples, runtime=None, workers=1, center=CENTER, **arguments):
        (tmp_path / "band.sigmf-data").write_bytes(samples.tobytes())
        meta = {
            "global": {"core:datatype": "cf32_le", "core:sample_rate": RATE, "core:version": "1.2.0"},
            "captures": [{"core:sample_start": 0} | ({"core:frequency": center} if center else {})],
            "annotations": [],
        }
        (tmp_path / "band.sigmf-meta").write_text(json.dumps(meta))
        with open_recording(tmp_path / "band.sigmf-meta") as recording:
            analyser = RecordingAnalyser(recording, load_model(any_rate_model), workers, **arguments)
            analyser.segmenter.runtime = runtime or ThresholdRuntime()
            for replica in analyser._replay._segmenters:
                replica.runtime = analyser.segmenter.runtime
            yield analyser

    return opened


@pytest.fixture
def analyse(recorded):
    """Write samples as a recording, analyse it, return the Analysis."""

    def run(*args, **arguments):
        with recorded(*args, **arguments) as analyser:
            return analyser.run()

    return run


@pytest.fixture
def make(untrained_model):
    """Make a started StreamAnalyser; stopped at the end of the test."""
    made = []

    def start(live=True, runtime=None, model=untrained_model, center=CENTER, **arguments):
        budget = arguments.pop("cell_budget", 0.5)
        settings = Settings(live=live, runtime=runtime or ThresholdRuntime(), workers=1, cell_budget=budget)
        analyser = StreamAnalyser(load_model(model), RATE, center, settings, **arguments)
        made.append(analyser)
        analyser.start()
        return analyser

    yield start
    for analyser in made:
        analyser.stop()


def play(analyser, samples, until=lambda: False, seconds=30.0, offset=0):
    """Write samples again and again, at their own pace, until something is true; returns the sample after the last."""
    end = time.monotonic() + seconds
    while not until() and time.monotonic() < end:
        for start in range(0, len(samples), FRAME):
            analyser.write(samples[start : start + FRAME], offset)
            offset += FRAME
            time.sleep(0.04)
    return offset


def proven(found):
    return [carrier for carrier in found if carrier.verdict == "proven"]


def test_a_recordings_carrier_gets_its_cell(analyse):
    (carrier,) = analyse(downlink(3)).carriers
    assert (carrier.label, carrier.verdict, carrier.evidence) == ("LTE", "proven", "broadcast")
    assert (carrier.cell_id, carrier.duplex, carrier.channel_bandwidth) == (301, "FDD", 1.4e6)
    assert carrier.freq_lower == pytest.approx(CENTER + OFFSET - 0.54e6, abs=1e3)
    assert (carrier.band, carrier.earfcn) == ("3", 1581)


def test_a_recording_of_one_frame_is_enough(analyse):
    (carrier,) = analyse(downlink(1)).carriers
    assert carrier.cell_id == 301


def test_a_short_last_frame_does_not_stand_for_a_whole_one(analyse):
    (carrier,) = analyse(downlink(2)[: FRAME + FRAME // 20]).carriers
    assert carrier.cell_id == 301


def test_a_cell_that_the_network_does_not_see_is_found(analyse):
    samples = downlink(2, amplitude=0.05, offset=50e3)
    (carrier,) = proven(analyse(samples, Blind()).carriers)
    assert (carrier.label, carrier.cell_id, carrier.channel_bandwidth) == ("LTE", 301, 1.4e6)
    power = np.mean(np.abs(samples - noise(2)) ** 2)
    assert carrier.pwr_db == pytest.approx(10 * np.log10(power), abs=1.0)


def test_what_looks_like_lte_and_sends_no_pss_is_other(analyse):
    (carrier,) = analyse(downlink(75, has_pss=False)).carriers
    assert (carrier.label, carrier.evidence) == ("other", "absence")


@pytest.mark.parametrize(
    ("center", "label", "verdict"),
    [(None, "LTE", "proven"), (1747.5e6, "LTE", "proven"), (CENTER, "LTE", "likely")],
    ids=["unknown", "uplink", "downlink"],
)
def test_an_uplink_is_proven_where_one_may_be(analyse, center, label, verdict):
    carriers = analyse(uplink(10), center=center).carriers
    widest = max(carriers, key=lambda carrier: carrier.bandwidth)
    assert (widest.label, widest.verdict) == (label, verdict)
    assert verdict == "likely" or 2.2e6 < widest.bandwidth < 2.9e6


@pytest.mark.parametrize("center", [None, CENTER], ids=["unknown", "downlink"])
def test_data_of_nr_is_proven_where_no_block_is_in_view(analyse, center):
    (carrier,) = analyse(nr_data(2), center=center).carriers
    assert (carrier.label, carrier.verdict, carrier.evidence) == ("NR", "proven", "data")
    assert (carrier.cell_id, carrier.cut_lower, carrier.cut_upper) == (None, True, False)
    assert carrier.freq_upper == pytest.approx((center or 0.0) + 1e6, abs=RATE / 256)


def test_noise_has_no_cell(analyse):
    assert analyse(noise(25)).carriers == []


@pytest.mark.parametrize("workers", [1, 3])
def test_a_recording_gives_the_same_carriers_every_time(analyse, workers):
    samples = downlink(6)
    expected = [carrier_fields(carrier) for carrier in analyse(samples).carriers]
    assert [carrier_fields(carrier) for carrier in analyse(samples, workers=workers).carriers] == expected


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_dead_input_is_not_searched(analyse, monkeypatch, value):
    searched = []
    monkeypatch.setattr(cells, "Looker", searched.append)
    analyse(np.full(2 * FRAME, value, np.complex64))
    assert searched == []


def classes_in(frame):
    """Those within the resource blocks of `downlink`, less a column on either side."""
    middle, half = 128 + OFFSET / RATE * 256, 0.54e6 / RATE * 256 - 1
    return set(frame.mask[:, math.ceil(middle - half) : math.floor(middle + half)].ravel()) - {NOISE}


def test_pixels_of_a_proven_carrier_have_its_class(recorded, make, any_rate_model):
    samples = downlink(6)
    with recorded(samples, Doubtful()) as analyser:
        frames = [frame for frame, _ in analyser.frames()]
    assert classes_in(frames[-1]) == {LTE}
    with recorded(samples, Doubtful(), cells=False) as analyser:
        assert all(classes_in(frame) == {LTE, NR} for frame, _ in analyser.frames())
    shown = []
    analyser = make(True, Doubtful(), any_rate_model, on_result=lambda frame, *_: shown.append(classes_in(frame)))
    play(analyser, samples, until=lambda: shown and shown[-1] == {LTE})
    assert {LTE, NR} in shown and {LTE} in shown


def test_without_the_search_nothing_is_proven(analyse):
    assert proven(analyse(downlink(3), cells=False).carriers) == []


def test_a_search_that_fails_is_said_and_leaves_the_carriers(analyse, monkeypatch):
    def fail(*_):
        raise ValueError("out of luck")

    monkeypatch.setattr(cells.Looker, "findings", fail)
    result = analyse(downlink(3))
    assert [carrier.verdict for carrier in result.carriers] == ["likely"]
    assert any("search for cells failed" in warning and "out of luck" in warning for warning in result.warnings)


def test_a_live_stream_gets_its_cell_and_says_so_in_the_status(make):
    statuses = []
    analyser = make(on_status=statuses.append)
    play(analyser, downlink(8), until=lambda: proven(analyser.carriers()))
    (carrier,) = proven(analyser.carriers())
    assert (carrier.label, carrier.cell_id) == ("LTE", 301)
    status = analyser.status()
    assert status["cells_found"] == 1 and status["searches_waiting"] >= 0 and status["cell_load"] > 0


def test_a_live_stream_of_an_uplink_is_lte(make):
    analyser = make(center=1747.5e6)
    play(analyser, uplink(10), until=lambda: proven(analyser.carriers()))
    carrier = max(proven(analyser.carriers()), key=lambda carrier: carrier.bandwidth)
    assert (carrier.label, carrier.evidence, carrier.cell_id) == ("LTE", "uplink", None)


def test_data_of_nr_is_proven_in_a_live_stream(make):
    analyser = make()
    play(analyser, nr_data(4), until=lambda: proven(analyser.carriers()))
    carrier = max(proven(analyser.carriers()), key=lambda carrier: carrier.bandwidth)
    assert (carrier.label, carrier.evidence, carrier.cell_id) == ("NR", "data", None)


def test_the_receivers_error_is_said_and_is_gone_once_frequencies_are_corrected(make):
    analyser = make()
    place, ppm = CENTER + OFFSET, 3.0
    samples = downlink(8, offset=OFFSET + 1e-6 * ppm * place)
    offset = play(analyser, samples, until=lambda: "receiver_ppm" in analyser.status())
    assert analyser.status()["receiver_ppm"] == pytest.approx(ppm, abs=0.1)
    analyser.forget_receiver()
    analyser.follow(offset, center_frequency=CENTER * (1 - 1e-6 * ppm))

    def is_corrected():
        return abs(analyser.status().get("receiver_ppm", ppm)) < 0.2

    play(analyser, samples, until=is_corrected, offset=offset)
    assert is_corrected()
    (carrier,) = (one for one in proven(analyser.carriers()) if one.sample_end > offset)
    assert carrier.center_frequency == pytest.approx(place, abs=200)


def test_a_budget_of_nothing_starts_no_thread_and_proves_nothing(make):
    before = set(threading.enumerate())
    analyser = make(cell_budget=0.0)
    assert not any(thread.name == "rpmsn cells" for thread in set(threading.enumerate()) - before)
    play(analyser, downlink(4), seconds=1.0)
    assert proven(analyser.carriers()) == [] and "cell_load" not in analyser.status()


@pytest.mark.parametrize("budget", [-0.1, 1.5])
def test_a_budget_beyond_one_core_is_refused(budget):
    with pytest.raises(ParameterError, match="cell_budget"):
        Settings(cell_budget=budget)


def test_a_live_search_that_fails_is_reported_and_the_stream_goes_on(make, monkeypatch):
    def fail(*_):
        raise ValueError("out of luck")

    monkeypatch.setattr(cells.SearchProcess, "search", fail)
    errors = []
    analyser = make(on_error=errors.append)
    play(analyser, downlink(4), until=lambda: errors)
    before = analyser.status()["frames_analysed"]
    play(analyser, downlink(4), until=lambda: analyser.status()["frames_analysed"] > before)
    assert any("out of luck" in error for error in errors)
    assert analyser.status()["frames_analysed"] > before


def test_a_live_search_whose_process_is_killed_is_said_and_goes_on_in_another(make):
    errors = []
    analyser = make(on_error=errors.append)
    process = analyser._cells._process
    play(analyser, downlink(2), until=lambda: process.pid)
    os.kill(process.pid, signal.SIGKILL)
    play(analyser, downlink(8), until=lambda: proven(analyser.carriers()))
    assert [carrier.cell_id for carrier in proven(analyser.carriers())] == [301]
    assert len(errors) == 1 and "search for cells failed: its process ended (signal 9)" in errors[0]


def test_frames_do_not_wait_for_a_search(make, monkeypatch):
    is_over = threading.Event()

    def hang(*_):
        is_over.wait(60)
        return iter(())

    monkeypatch.setattr(cells.SearchProcess, "search", hang)
    analyser = make()
    try:
        play(analyser, downlink(4), until=lambda: analyser.status()["frames_analysed"] >= 30)
        assert analyser.status()["frames_analysed"] >= 30
    finally:
        is_over.set()


def test_a_stopped_stream_leaves_no_thread_and_no_process(make):
    before = set(threading.enumerate())
    analyser = make()
    process = analyser._cells._process
    play(analyser, downlink(4), until=lambda: process.pid)
    pid = process.pid
    analyser.stop()
    assert not any(thread.name == "rpmsn cells" for thread in set(threading.enumerate()) - before)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_replayed_stream_gives_what_the_recording_gives(make, analyse):
    samples = downlink(6)
    analyser = make(live=False)
    done = 0
    while done < len(samples):
        done += analyser.write(samples[done:], done)
    analyser.stop()
    expected = analyse(samples).carriers
    assert [carrier.cell_id for carrier in analyser.carriers()] == [carrier.cell_id for carrier in expected] == [301]


@pytest.mark.parametrize(("name", "cells"), [("rtl_lte_gap_811", [300, 57]), ("rtl_lte_edge_nbiot_821", [57])])
def test_slices_of_recordings_are_lte_and_proven(name, cells):
    path = RECEPTIONS / f"{name}.sigmf-meta"
    if not path.exists():
        pytest.skip("the recordings are not there")
    with open_recording(path) as recording:
        analysis = RecordingAnalyser(recording, load_model("rpmsn-rt"), 1).run()
    proven = [carrier for carrier in analysis.carriers if carrier.proof is not None]
    assert [carrier.cell_id for carrier in proven] == cells
    assert {(carrier.label, carrier.verdict, carrier.evidence) for carrier in proven} == {("LTE", "proven", "sync")}
