# SPDX-License-Identifier: GPL-3.0-or-later
"""A running stream: listeners that fail, resets, gaps, rates, and an end that is never waited for without a limit."""

import threading
import time

import numpy as np
import pytest
from limits import HANG_S
from oracle import ThresholdRuntime, flat_band

from rpmsn.models.model import load_model
from rpmsn.recording.logs import open_log
from rpmsn.signal.rates import RATE_TOLERANCE
from rpmsn.streaming import live
from rpmsn.streaming.live import Settings, StreamAnalyser

RATE = 5e6
FRAME = 200_000
BEGIN = 1_700_000_000


def signal(frames, seed=1):
    return flat_band(int(frames * FRAME), RATE, -1e6, 1e6, np.random.default_rng(seed))


class Output:
    """A log that keeps what it gets, or fails."""

    fault = ""

    def __init__(self, fails=()):
        self.events, self.fails, self.is_closed = [], fails, False

    def begin_frame(self, *_):
        self._may_fail("begin_frame")

    def write(self, event, clock, number):
        self._may_fail("write")
        self.events.append((event.kind, event.carrier.carrier_id, clock))

    def status(self, fields):
        self._may_fail("status")

    def flush(self):
        self._may_fail("flush")

    def close(self):
        self.is_closed = True
        self._may_fail("close")

    def _may_fail(self, name):
        if name in self.fails:
            raise OSError("out of luck")


@pytest.fixture
def make(untrained_model):
    """Make a started StreamAnalyser of the threshold; stopped at the end of the test."""
    made = []

    def start(*, live=False, runtime=None, **arguments):
        settings = Settings(live=live, runtime=runtime or ThresholdRuntime(), workers=1)
        analyser = StreamAnalyser(load_model(untrained_model), RATE, settings=settings, **arguments)
        made.append(analyser)
        analyser.start()
        return analyser

    yield start
    for analyser in made:
        analyser.stop()


def write(analyser, samples, offset=0):
    """Write all of some samples."""
    end = time.monotonic() + 30
    done = 0
    while done < len(samples) and time.monotonic() < end:
        done += analyser.write(samples[done:], offset + done)
    assert done == len(samples)
    return offset + done


def wait_until(is_true, seconds=20):
    end = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


class BusyRecorder:
    """A recorder that is behind until told otherwise."""

    def __init__(self):
        self.is_behind, self.taken = True, 0

    def take(self, samples, *_):
        self.taken += len(samples)


def test_a_recording_that_is_behind_takes_precedence_over_a_live_analysis_and_the_status_counts_it(make):
    analyser = make(live=True)
    analyser.recorder = recorder = BusyRecorder()
    end = write(analyser, signal(2))
    status = analyser.status()
    assert (recorder.taken, status["samples_dropped"], status["samples_yielded"]) == (end, end, end)
    recorder.is_behind = False
    write(analyser, signal(2), end)
    wait_until(lambda: analyser.status()["samples_analysed"] == end)
    assert (recorder.taken, analyser.status()["samples_yielded"]) == (2 * end, end)


def test_a_replay_leaves_nothing_out_for_a_recording(make):
    analyser = make()
    analyser.recorder = BusyRecorder()
    end = write(analyser, signal(2))
    wait_until(lambda: analyser.status()["samples_analysed"] == end)
    assert "samples_yielded" not in analyser.status()


class TestListeners:
    @pytest.mark.parametrize("call", ["begin_frame", "write", "status", "flush", "close"])
    def test_a_file_that_fails_is_reported_and_the_others_get_everything(self, make, call):
        bad, good, errors, results = Output({call}), Output(), [], []
        analyser = make(
            outputs=[bad, good], on_error=errors.append, on_result=lambda *reported: results.append(reported)
        )
        write(analyser, signal(4))
        analyser.stop()
        assert [kind for kind, *_ in good.events] == ["new", "update", "update", "update", "gone"]
        assert [event.kind for _, _, events in results for event, _ in events] == [
            "new",
            "update",
            "update",
            "update",
            "gone",
        ]
        assert bad.is_closed and good.is_closed
        assert any("could not be delivered: out of luck" in error for error in errors)

    def test_a_listener_of_errors_that_fails_ends_nothing(self, make):
        def fails(*_):
            raise ValueError("no")

        analyser = make(on_error=fails, on_result=fails, on_status=fails)
        write(analyser, signal(4))
        analyser.stop()
        assert analyser.status()["samples_analysed"] == 4 * FRAME
        assert "could not be delivered: no" in analyser.status()["error"]


class TestStatus:
    def test_judged_is_the_fraction_of_the_frames_whose_input_was_fit(self, make):
        analyser = make()
        assert analyser.status()["judged"] == 1
        offset = write(analyser, signal(2))
        write(analyser, np.zeros(2 * FRAME, np.complex64), offset)
        analyser.stop()
        assert analyser.status()["judged"] == pytest.approx(0.5)

    def test_a_spike_at_the_centre_is_information_and_no_fault(self, make):
        analyser = make()
        rng = np.random.default_rng(8)
        noise = 1e-2 * (rng.standard_normal(2 * FRAME) + 1j * rng.standard_normal(2 * FRAME))
        write(analyser, (noise + 0.05).astype(np.complex64))
        analyser.stop()
        status = analyser.status()
        assert status["health"] == "ok" and "spike at the centre frequency" in status["information"]

    def test_without_anything_to_know_there_is_no_information(self, make):
        analyser = make()
        write(analyser, signal(2))
        analyser.stop()
        assert "information" not in analyser.status()


class TestReset:
    def test_ends_every_carrier_with_gone_and_starts_clocks_afresh(self, make):
        output, results = Output(), []
        analyser = make(outputs=[output], on_result=lambda frame, clock, events: results.extend(events))
        analyser.follow(0, seconds=(BEGIN, 0.0))
        offset = write(analyser, signal(3))
        wait_until(lambda: analyser.status()["frames_analysed"] == 3)
        analyser.reset_carriers()
        assert analyser.carriers() == []
        wait_until(lambda: [kind for kind, *_ in output.events][-1] == "gone")
        analyser.follow(offset, seconds=(BEGIN + 1000, 0.0))
        write(analyser, signal(3), offset)
        analyser.stop()
        reported = [(kind, number, clock.seconds) for kind, number, clock in output.events]
        assert reported == [
            ("new", 1, BEGIN),
            ("update", 1, BEGIN),
            ("update", 1, BEGIN),
            ("gone", 1, BEGIN),
            ("new", 2, BEGIN + 1000),
            ("update", 2, BEGIN + 1000),
            ("update", 2, BEGIN + 1000),
            ("gone", 2, BEGIN + 1000),
        ]
        assert [(event.kind, clock.seconds) for event, clock in results] == [(kind, at) for kind, _, at in reported]

    def test_of_a_stream_that_has_ended_leaves_nothing_to_report(self, make):
        analyser = make()
        write(analyser, signal(3))
        analyser.stop()
        analyser.reset_carriers()
        assert analyser.carriers() == []


def test_log_files_and_messages_have_the_same_times_after_a_gap(make, tmp_path):
    import json

    from rpmsn.messages.results import segment_fields

    messages = []
    analyser = make(
        outputs=[open_log(tmp_path / "found.jsonl")],
        on_result=lambda frame, clock, events: messages.extend(
            segment_fields(event, event_clock, 0, "ok", "m") for event, event_clock in events
        ),
    )
    analyser.follow(0, seconds=(BEGIN, 0.0))
    offset = write(analyser, signal(3))
    analyser.follow(offset, seconds=(BEGIN + 10, 0.25))
    write(analyser, signal(3), offset)
    analyser.stop()
    lines = [json.loads(line) for line in (tmp_path / "found.jsonl").read_text().splitlines()]
    logged = [line["rx_time_seconds"] for line in lines if line["topic"] == "segment"]
    assert logged == pytest.approx([sum(message["rx_time"]) for message in messages], abs=1e-6)
    assert logged[-2] > BEGIN + 10 and logged[-1] < BEGIN + 1


def test_an_event_has_the_clock_that_holds_where_its_segment_begins():
    from types import SimpleNamespace

    from rpmsn.streaming.intake import StreamTime
    from rpmsn.streaming.reports import EventClocks
    from rpmsn.tracking.tracker import Event

    before, after = StreamTime(0, BEGIN, 0.0, RATE, "file"), StreamTime(FRAME, BEGIN + 10, 0.0, RATE, "file")
    carrier = SimpleNamespace(carrier_id=1)
    events = [
        Event(kind, carrier, SimpleNamespace(start_offset=start)) for kind, start in (("new", 5), ("update", FRAME))
    ]
    clocks = EventClocks()
    clocks.follow(before)
    clocks.follow(after)
    assert [clock for _, clock in clocks.timed([*events, Event("gone", carrier)])] == [before, after, before]


class TestRates:
    def test_a_rate_within_the_tolerance_changes_no_frame_and_no_segment_but_the_clock(self, make):
        frames, actual = [], RATE + 1.0
        analyser = make(on_result=lambda frame, clock, events: frames.append((frame, clock)))
        analyser.follow(0, sample_rate=actual, seconds=(BEGIN, 0.0))
        seconds = divmod(2 * FRAME / actual, 1)
        offset = write(analyser, signal(2))
        analyser.follow(offset, sample_rate=actual, seconds=(BEGIN + int(seconds[0]), seconds[1]))
        write(analyser, signal(2), offset)
        analyser.stop()
        found = [frame for frame, _ in frames if frame is not None]
        assert [frame.geometry.samples for frame in found] == [FRAME] * 4
        assert {frame.geometry.sample_rate for frame in found} == {RATE}
        assert {clock.sample_rate for frame, clock in frames if frame is not None} == {actual}
        assert analyser.status()["samples_lost"] == analyser.status()["overflows"] == 0

    def test_a_rate_beyond_it_starts_a_new_frame(self, make):
        frames = []
        analyser = make(on_result=lambda frame, clock, events: frames.append(frame))
        offset = write(analyser, signal(0.5))
        analyser.follow(offset, sample_rate=RATE * (1 + 3 * RATE_TOLERANCE))
        write(analyser, signal(0.5), offset)
        analyser.stop()
        assert [frame.new_from for frame in frames if frame is not None] == [0, FRAME // 2]


class StuckRuntime(ThresholdRuntime):
    """Waits until it is released."""

    def __init__(self):
        self.released = threading.Event()

    def probabilities(self, images):
        self.released.wait(60)
        return super().probabilities(images)


class TestWaits:
    def test_the_end_of_a_stream_that_is_stuck_is_given_up_and_says_what_it_waits_for(self, make, monkeypatch):
        runtime, errors = StuckRuntime(), []
        patience, join = live.Patience, live.join
        monkeypatch.setattr(live, "Patience", lambda what, **options: patience(what, 0.3, **options))
        monkeypatch.setattr(live, "join", lambda thread: join(thread, 0.3))
        analyser = make(runtime=runtime, on_error=errors.append)
        monkeypatch.setattr(analyser._pool, "close", lambda: None)
        write(analyser, signal(1))
        thread = analyser._thread
        started = time.monotonic()
        analyser.stop()
        assert time.monotonic() - started < HANG_S
        assert "waited 0.3 s for the last frames of the stream" in errors[0]
        assert "thread 'rpmsn results' is in" in errors[0]
        assert "has not ended" in errors[1]
        runtime.released.set()
        thread.join(20)
        assert not thread.is_alive()

    def test_a_source_that_waits_for_room_is_reported_in_the_log(self, make, monkeypatch, caplog):
        runtime = StuckRuntime()
        patience = live.Patience
        monkeypatch.setattr(live, "Patience", lambda what, **options: patience(what, 0.1, **options))
        analyser = make(runtime=runtime)
        samples = signal(1)
        end = time.monotonic() + 30
        while "for the analysis to take a frame" not in caplog.text:
            assert time.monotonic() < end
            analyser.write(samples, 0)
        runtime.released.set()


@pytest.mark.parametrize("reads_ahead, times", [(False, 1), (True, 4)])
def test_integers_that_are_read_ahead_take_the_memory_of_complex_samples(untrained_model, reads_ahead, times):
    taken = []
    for shape, dtype in (((), np.complex64), ((2,), np.int8)):
        settings = Settings(live=False, runtime=ThresholdRuntime(), dtype=dtype, reads_ahead=reads_ahead)
        analyser = StreamAnalyser(load_model(untrained_model), RATE, settings=settings)
        taken.append(analyser.write(np.zeros((100 * analyser.segmenter.frame_samples, *shape), dtype), 0))
    assert taken[1] == times * taken[0] > 0
