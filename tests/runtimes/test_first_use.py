# SPDX-License-Identifier: GPL-3.0-or-later
"""What a library does for the first time is done by one thread alone, before there are workers."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from oracle import flat_band

from rpmsn import runtimes
from rpmsn.detection.segmenter import Segmenter
from rpmsn.errors import ModelError, StalledError
from rpmsn.models.model import load_model
from rpmsn.runtimes import base
from rpmsn.streaming.intake import StreamTime
from rpmsn.streaming.pool import Replay, Run

pytest.importorskip("torch")

PACKAGES = Path(__file__).resolve().parents[2] / "python"
RATE = 5e6


class NotedRuntime(runtimes.Runtime):
    """Notes by whom and when inferences are made."""

    inferences: list = []

    def _logits(self, images):
        started = time.monotonic()
        time.sleep(0.02)
        self.inferences.append((self, threading.current_thread(), started, time.monotonic()))
        return np.zeros((len(images), len(self.card.classes), *images.shape[2:]), np.float32)


class FaultyRuntime(NotedRuntime):
    """Cannot be run."""

    def _logits(self, images):
        raise Exception("an operator is missing")


@pytest.fixture
def noted(monkeypatch):
    """A runtime `noted`, and the list of its inferences."""
    monkeypatch.setattr(NotedRuntime, "inferences", [])
    monkeypatch.setitem(sys.modules, "rpmsn.runtimes.noted", sys.modules[__name__])
    monkeypatch.setitem(runtimes.KINDS, "noted", runtimes.Kind("numpy", "noted", "NotedRuntime"))
    monkeypatch.setitem(runtimes.KINDS, "faulty", runtimes.Kind("numpy", "noted", "FaultyRuntime"))
    return NotedRuntime.inferences


def test_no_worker_makes_the_first_inference_of_a_runtime(noted, untrained_model):
    segmenters = Segmenter(load_model(untrained_model), RATE, runtime="noted", frame_seconds=0.01).replicas(3)
    assert [(made, thread) for made, thread, *_ in noted] == [
        (segmenter.runtime, threading.main_thread()) for segmenter in segmenters
    ]
    samples = flat_band(6 * 50_000, RATE, -1e6, 1e6, np.random.default_rng(1))
    results = list(Replay(segmenters).results([Run(0, 0.0, StreamTime(0, 0, 0.0, RATE, "file"), [samples])]))
    assert len(results) == 6 and len(noted) == 3 + 6
    assert all(thread is not threading.main_thread() for _, thread, *_ in noted[3:])


def test_the_features_are_computed_once_before_there_are_workers(noted, untrained_model, monkeypatch):
    users = []
    prepare = Segmenter.prepare
    monkeypatch.setattr(
        Segmenter, "prepare", lambda *given: users.append(threading.current_thread()) or prepare(*given)
    )
    Segmenter(load_model(untrained_model), RATE, runtime="noted").replicas(2)
    assert users == [threading.main_thread()] * 2


@pytest.mark.parametrize("name", [name for name in runtimes.KINDS if name != "cuda"])
def test_every_runtime_is_warm_when_it_is_made(name):
    model = load_model()
    if (why_not := runtimes.why_not(name, model)) is not None:
        pytest.skip(str(why_not))
    assert runtimes.create(model, name).is_warm


def test_the_remembered_runtime_is_warm_as_well(monkeypatch, tmp_path, noted, untrained_model):
    from rpmsn.runtimes import fastest

    monkeypatch.setattr(fastest, "_read_choice", lambda path: "noted")
    assert runtimes.create(load_model(untrained_model)).is_warm and len(noted) == 1


def test_first_inferences_are_made_one_after_the_other_however_runtimes_are_made(noted, untrained_model):
    model = load_model(untrained_model)
    made = [NotedRuntime(model, "noted") for _ in range(4)]
    images = np.zeros((1, 1, 256, 256), np.float32)
    threads = [threading.Thread(target=runtime.probabilities, args=(images,)) for runtime in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    firsts = [min((started, end) for runtime, _, started, end in noted if runtime is one) for one in made]
    firsts.sort()
    assert all(end <= started for (_, end), (started, _) in zip(firsts, firsts[1:]))


def test_a_runtime_that_cannot_be_run_is_an_error_that_names_the_next_step(noted, untrained_model):
    with pytest.raises(ModelError, match="'faulty' cannot run model 'untrained': an operator is missing; choose"):
        runtimes.create(load_model(untrained_model), "faulty")


def test_waiting_for_the_first_use_of_another_thread_ends(monkeypatch):
    monkeypatch.setattr(base, "LIMIT_SECONDS", 0.1)
    holding, over = threading.Event(), threading.Event()

    def hold():
        with runtimes.first_use("one"):
            holding.set()
            over.wait(30)

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        assert holding.wait(30)
        with pytest.raises(StalledError, match="another waited 0.1 s.*--runtime"), runtimes.first_use("another"):
            pass
    finally:
        over.set()
        holder.join(30)


def test_first_use_of_openvino_by_two_workers_does_not_hang():
    """Without the warm-up, seven of ten of these processes never end."""
    pytest.importorskip("openvino")
    times = 4
    ended = subprocess.run(
        [sys.executable, Path(__file__).with_name("short_captures.py"), "openvino", str(times), "60"],
        env=dict(os.environ, PYTHONPATH=str(PACKAGES)),
        text=True,
        capture_output=True,
        timeout=280,
    )
    assert ended.stdout.split() == [str(times)], ended.stderr
