# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames by several threads: the same results in the same order, every sample accounted for, stopped at any moment."""

import re
import threading
import time

import numpy as np
import pytest
from limits import HANG_S
from oracle import ThresholdRuntime, flat_band
from plain_framer import Framer

from rpmsn.detection.segmenter import Segmenter
from rpmsn.errors import StalledError
from rpmsn.models.model import load_model
from rpmsn.streaming.intake import Intake, StreamTime
from rpmsn.streaming.live import Settings, StreamAnalyser
from rpmsn.streaming.pool import FramePool, Replay, Run

RATE = 5e6
FRAME_SECONDS = 0.01
FRAME = 50_000
CLOCK = StreamTime(0, 1_700_000_000, 0.25, RATE, "file")


class SlowRuntime(ThresholdRuntime):
    """As slow as a test asks for: seconds for every call, in turn."""

    def __init__(self, *seconds):
        self.seconds = seconds
        self.calls = 0

    def probabilities(self, images):
        time.sleep(self.seconds[self.calls % len(self.seconds)])
        self.calls += 1
        return super().probabilities(images)


class FailingRuntime(ThresholdRuntime):
    """Raises at some calls."""

    def __init__(self, *failing):
        self.failing = failing
        self.calls = 0

    def probabilities(self, images):
        self.calls += 1
        if self.calls in self.failing:
            raise RuntimeError("out of luck")
        return super().probabilities(images)


@pytest.fixture
def segmenters(untrained_model):
    def make(*stand_ins, **arguments):
        return [
            Segmenter(load_model(untrained_model), RATE, runtime=stand_in, frame_seconds=FRAME_SECONDS, **arguments)
            for stand_in in stand_ins or [ThresholdRuntime()]
        ]

    return make


def signal(n, seed=1, lower=-1e6, upper=1e6):
    return flat_band(n, RATE, lower, upper, np.random.default_rng(seed))


def run(samples, start_offset=0, center_frequency=0.0, piece=FRAME // 3):
    return Run(
        start_offset,
        center_frequency,
        CLOCK,
        (samples[start : start + piece] for start in range(0, len(samples), piece)),
    )


def assert_equal_frames(found, expected):
    assert len(found) == len(expected)
    for one, other in zip(found, expected):
        assert (one.number, one.geometry, one.segments, one.new_from, one.health) == (
            other.number,
            other.geometry,
            other.segments,
            other.new_from,
            other.health,
        )
        assert np.array_equal(one.image, other.image) and np.array_equal(one.mask, other.mask)


@pytest.mark.parametrize("average_frames", [1, 3])
@pytest.mark.parametrize("workers", [1, 2, 3])
def test_any_number_of_workers_gives_what_one_thread_gives(segmenters, workers, average_frames):
    samples = signal(6 * FRAME + 12_345)
    samples[2 * FRAME + 7] = np.nan
    (segmenter,) = segmenters(average_frames=average_frames)
    framer = Framer(segmenter, 1e9)
    expected = [*framer.push(samples), *framer.flush()]
    # Of unequal speed, so that they finish out of order.
    runtimes = [SlowRuntime(0.02 * number, 0.0) for number in range(workers)]
    replayed = Replay(segmenters(*runtimes, average_frames=average_frames))
    results = list(replayed.results([run(samples, center_frequency=1e9)]))
    assert_equal_frames([result.frame for result in results], expected)
    assert [result.start_offset for result in results] == [frame.new_from for frame in expected]
    counts = replayed.intake.counts()
    assert (counts.received, counts.analysed, counts.coverage) == (len(samples), len(samples), 1.0)


def test_runs_do_not_reach_into_each_other(segmenters):
    samples = signal(3 * FRAME)
    cut = FRAME + 1000
    results = list(
        Replay(segmenters()).results(
            [run(samples[:cut], 0, 8e8), run(samples[cut:], cut, 2.6e9), run(samples[:100], 3 * FRAME)]
        )
    )
    frames = [
        (result.frame.geometry.start_offset, result.frame.new_from, result.frame.geometry.center_frequency)
        for result in results
        if result.frame
    ]
    assert frames == [(0, 0, 8e8), (1000, FRAME, 8e8), (cut, cut, 2.6e9), (2 * FRAME, cut + FRAME, 2.6e9)]
    assert results[-1].frame is None and results[-1].error is None and results[-1].end_offset == 3 * FRAME + 100


def test_a_frame_that_fails_is_a_result_and_the_next_are_analysed(segmenters):
    replayed = Replay(segmenters(FailingRuntime(2)))
    results = list(replayed.results([run(signal(5 * FRAME))]))
    assert [result.frame and result.frame.number for result in results] == [0, None, 1, 2, 3]
    assert "out of luck" in str(results[1].error)
    counts = replayed.intake.counts()
    assert (counts.analysed, counts.failed, counts.dropped, counts.waiting) == (4 * FRAME, FRAME, FRAME, 0)


def test_segments_that_cannot_be_made_are_a_failed_frame_too(segmenters):
    class Wrong(ThresholdRuntime):
        """Knows one class more than its card."""

        def probabilities(self, images):
            return np.eye(5, dtype=np.float32)[np.full((1, 256, 256), 4)].transpose(0, 3, 1, 2)

    results = list(Replay(segmenters(Wrong())).results([run(signal(2 * FRAME))]))
    assert all(result.frame is None and result.error is not None for result in results) and len(results) == 2


def test_nan_bursts_spoil_the_frames_that_they_hit_alone(segmenters):
    samples = signal(6 * FRAME)
    for frame in (1, 3):
        samples[frame * FRAME + 100 : frame * FRAME + 5000] = np.nan
    results = list(Replay(segmenters(ThresholdRuntime(), ThresholdRuntime())).results([run(samples)]))
    assert [result.frame.condition.kind for result in results] == ["ok", "non-finite", "ok", "non-finite", "ok", "ok"]
    assert [len(result.frame.segments) for result in results] == [1, 0, 1, 0, 1, 1]


def feed_live(intake, samples, seconds, piece=FRAME // 5):
    """Write `samples` over and over, a piece at a time, for a while, and until some came too late; returns how many
    were written."""
    begun, written = time.monotonic(), 0
    while time.monotonic() < begun + (seconds if intake.counts().late else HANG_S):
        start = written % (len(samples) - piece)
        assert intake.write(samples[start : start + piece], written, 0.0, CLOCK) == piece
        written += piece
        time.sleep(0.001)
    return written


def test_an_input_that_is_too_fast_drops_whole_frames_counts_them_and_recovers(segmenters):
    intake = Intake(FRAME, live=True, depth=2)
    found, samples = [], signal(3 * FRAME)
    with FramePool(intake, segmenters(SlowRuntime(0.05))) as pool:
        consumer = threading.Thread(target=lambda: found.extend(pool.results()))
        consumer.start()
        written = feed_live(intake, samples, 0.7)
        counts = intake.counts()
        assert counts.received == written == counts.analysed + counts.dropped + counts.waiting
        assert counts.late and counts.late == counts.dropped and counts.late % FRAME == 0 or counts.waiting
        # Two wait, one is in work and one is begun: no result gets older than that, whatever the input does.
        assert counts.waiting < 4 * FRAME
        late = counts.late
        while intake.counts().waiting > FRAME:
            time.sleep(0.01)
        for _ in range(3):
            written += intake.write(samples[: FRAME // 2], written, 0.0, CLOCK)
            time.sleep(0.3)
        assert intake.counts().late - late <= FRAME
        intake.close()
        consumer.join()
    counts = intake.counts()
    assert counts.waiting == 0 and counts.received == written == counts.analysed + counts.dropped
    assert counts.analysed == sum(result.end_offset - result.start_offset for result in found)


def test_a_consumer_that_is_slow_holds_up_the_workers_and_memory_stays_bounded(segmenters):
    intake = Intake(FRAME, live=True, depth=2)
    with FramePool(intake, segmenters(ThresholdRuntime(), ThresholdRuntime())) as pool:
        feed_live(intake, signal(2 * FRAME), 0.5)
        assert len(pool._ready) <= 2 + 2 * 2
        counts = intake.counts()
        assert counts.analysed == 0 and counts.late > 0
        intake.close()
        assert sum(result.frame is not None for result in pool.results()) <= 2 + 2 * 2 + 3


def test_a_retune_every_50_ms_loses_nothing(segmenters):
    samples = signal(20 * FRAME)
    every = round(0.05 * RATE)
    pieces = [run(samples[start : start + every], start, 1e9 + start) for start in range(0, len(samples), every)]
    replayed = Replay(segmenters(ThresholdRuntime(), ThresholdRuntime()))
    results = list(replayed.results(pieces))
    assert replayed.intake.counts().analysed == len(samples)
    assert [result.center_frequency for result in results] == [
        1e9 + result.start_offset // every * every for result in results
    ]
    assert all(result.frame.geometry.center_frequency == result.center_frequency for result in results)


def test_samples_are_held_until_so_many_more_results_are_asked_for(segmenters):
    intake = Intake(FRAME, live=False, depth=3, wait_seconds=0)
    samples = signal(3 * FRAME)
    with FramePool(intake, segmenters(), held=2) as pool:
        assert intake.write(samples, 0, 0.0, CLOCK) == 3 * FRAME
        first, second = pool.next(30), pool.next(30)
        assert intake.write(-samples, 3 * FRAME, 0.0, CLOCK) == 0
        assert np.array_equal(first.samples, samples[:FRAME])
        assert pool.next(30).start_offset == 2 * FRAME
        assert intake.write(-samples, 3 * FRAME, 0.0, CLOCK) == FRAME
        assert np.array_equal(second.samples, samples[FRAME : 2 * FRAME])


def test_a_change_of_rate_is_followed_and_one_that_cannot_be_is_a_failed_frame(segmenters):
    intake = Intake(FRAME, live=False, depth=4)
    with FramePool(intake, segmenters()) as pool:
        intake.write(signal(FRAME), 0, 0.0, CLOCK)
        intake.resize(2 * FRAME)
        intake.write(signal(2 * FRAME), FRAME, 0.0, StreamTime(0, 0, 0.0, 2 * RATE, "file"))
        intake.resize(FRAME)
        intake.write(signal(FRAME), 3 * FRAME, 0.0, StreamTime(0, 0, 0.0, 1.0, "file"))
        intake.close()
        first, second, third = pool.results()
    assert (first.frame.geometry.sample_rate, second.frame.geometry.sample_rate) == (RATE, 2 * RATE)
    assert not second.frame.repeated and "1 to 125 Msps" in str(third.error)


@pytest.mark.parametrize("wait", [0.0, 0.05, 0.2])
@pytest.mark.parametrize("live", [True, False])
def test_close_returns_at_any_moment_with_every_sample_accounted_for(segmenters, live, wait):
    intake = Intake(FRAME, live=live, depth=3)
    samples, written, ending = signal(2 * FRAME), [0], threading.Event()

    def write():
        while not ending.is_set():
            written[0] += intake.write(samples[:7001], written[0], 0.0, CLOCK)
            time.sleep(0.0005)

    made = segmenters(SlowRuntime(0.1), SlowRuntime(0.1))
    for segmenter in made:
        segmenter.warm_up()
    pool = FramePool(intake, made)
    writer = threading.Thread(target=write)
    writer.start()
    try:
        time.sleep(wait)
        started = time.monotonic()
        pool.close()
        assert time.monotonic() - started < HANG_S
    finally:
        ending.set()
        writer.join()
    analysed = sum(result.end_offset - result.start_offset for result in pool.results())
    counts = intake.counts()
    assert counts.waiting == 0 and counts.analysed == analysed
    assert counts.received == written[0] == counts.analysed + counts.dropped


def test_five_hundred_starts_and_stops_leave_no_thread(segmenters):
    before = set(threading.enumerate())
    made = segmenters(ThresholdRuntime(), ThresholdRuntime())
    samples = signal(FRAME)
    for number in range(500):
        intake = Intake(FRAME, live=bool(number % 2), depth=2)
        with FramePool(intake, made):
            intake.write(samples[: (0, FRAME // 2, FRAME)[number % 3]], 0, 0.0, CLOCK)
    assert set(threading.enumerate()) <= before


def test_a_reader_that_stops_early_leaves_no_thread(segmenters):
    before = set(threading.enumerate())
    results = Replay(segmenters(SlowRuntime(0.01))).results([run(signal(8 * FRAME))])
    assert next(results).frame.number == 0
    results.close()
    assert set(threading.enumerate()) <= before


def test_an_error_of_the_source_is_raised_and_ends_the_threads(segmenters):
    def pieces():
        yield signal(FRAME)
        raise OSError("the disk is gone")

    before = set(threading.enumerate())
    with pytest.raises(OSError, match="the disk is gone"):
        list(Replay(segmenters()).results([Run(0, 0.0, CLOCK, pieces())]))
    assert set(threading.enumerate()) <= before


class StuckRuntime(ThresholdRuntime):
    """Does not come back from one of its calls, as a driver or a library may do, before it is let go."""

    def __init__(self, *stuck):
        self.stuck, self.calls, self.let_go = stuck, 0, threading.Event()

    def probabilities(self, images):
        self.calls += 1
        if self.calls in self.stuck:
            self.let_go.wait(60)
        return super().probabilities(images)


def test_a_frame_that_never_ends_has_failed_with_a_message_and_the_others_are_analysed(segmenters):
    before = set(threading.enumerate())
    stuck = StuckRuntime(2)
    replayed = Replay(segmenters(stuck, SlowRuntime(0.02)), frame_limit_s=0.5)
    results = list(replayed.results([run(signal(8 * FRAME))]))
    (failed,) = [result for result in results if result.error is not None]
    assert len(results) == 8 and isinstance(failed.error, StalledError)
    assert re.search(r"analysis of a frame; thread 'rpmsn frames 1' is in .*probabilities", str(failed.error))
    counts = replayed.intake.counts()
    assert (counts.analysed, counts.failed, counts.waiting) == (7 * FRAME, FRAME, 0)
    # The one that was left behind ends by itself when it can, and its result is not taken any more.
    stuck.let_go.set()
    ends = time.monotonic() + HANG_S
    while set(threading.enumerate()) - before and time.monotonic() < ends:
        time.sleep(0.01)
    assert set(threading.enumerate()) <= before


def test_a_replay_whose_workers_are_all_stuck_ends_with_an_error(segmenters):
    stuck = StuckRuntime(1)
    results = Replay(segmenters(stuck), frame_limit_s=0.3).results([run(signal(20 * FRAME))])
    try:
        assert isinstance(next(results).error, StalledError)
        with pytest.raises(StalledError, match="the rest cannot be analysed"):
            list(results)
    finally:
        stuck.let_go.set()


def test_a_live_pool_whose_workers_are_all_stuck_ends_and_closes(segmenters):
    stuck = StuckRuntime(1)
    intake = Intake(FRAME, live=True, depth=2)
    pool = FramePool(intake, segmenters(stuck), frame_limit_s=0.3)
    try:
        intake.write(signal(FRAME), 0, 0.0, CLOCK)
        (result,) = pool.results()
        assert isinstance(result.error, StalledError) and pool.finished
        started = time.monotonic()
        pool.close()
        assert time.monotonic() - started < HANG_S
        counts = intake.counts()
        assert counts.failed == FRAME and counts.received == counts.analysed + counts.dropped
    finally:
        stuck.let_go.set()


def test_a_pool_waits_for_samples_as_long_as_it_takes(segmenters):
    intake = Intake(FRAME, live=True, depth=2)
    with FramePool(intake, segmenters(), frame_limit_s=0.1) as pool:
        for _ in range(5):
            assert pool.next(0.1) is None
        intake.write(signal(FRAME), 0, 0.0, CLOCK)
        intake.close()
        (result,) = pool.results()
        assert result.frame is not None


@pytest.mark.parametrize("dtype, scale", [(np.int16, 32768), (np.int8, 128)])
def test_integers_are_analysed_as_the_complex_numbers_that_they_stand_for(segmenters, dtype, scale):
    samples = signal(3 * FRAME + 500) * 1.2
    integers = np.round(samples.view(np.float32) * scale).astype(dtype).reshape(-1, 2)
    same = (integers.reshape(-1).astype(np.float32) / scale).view(np.complex64)
    found = [result.frame for result in Replay(segmenters(), dtype=dtype).results([run(integers)])]
    expected = [result.frame for result in Replay(segmenters()).results([run(same)])]
    assert_equal_frames(found, expected)
    assert found[0].segments and found[0].condition.kind == "ok"


def test_listeners_that_fail_do_not_end_the_analysis(untrained_model):
    def fails(*_):
        raise RuntimeError("out of luck")

    errors = []
    settings = Settings(live=False, frame_seconds=FRAME_SECONDS, workers=1)
    analyser = StreamAnalyser(
        load_model(untrained_model), RATE, settings=settings, on_result=fails, on_status=fails, on_error=errors.append
    )
    analyser.start()
    analyser.write(signal(3 * FRAME), 0)
    analyser.stop()
    assert analyser.status()["samples_analysed"] == 3 * FRAME
    assert {error.partition(" could not")[0] for error in errors} == {
        "the results of a frame",
        "the last results",
        "the status",
    }
