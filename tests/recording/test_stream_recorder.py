# SPDX-License-Identifier: GPL-3.0-or-later
"""Recording a running stream: what is held in memory, what a file has, and what a slow or full disk does."""

import shutil
import threading
import time

import numpy as np
import pytest
import sigmf
from limits import HANG_S
from test_logs import FakeCarrier

from rpmsn.errors import ParameterError, RecordingError
from rpmsn.recording import open_recording, snippet_files, stream_recorder
from rpmsn.recording.stream_recorder import BLOCK_SAMPLES, StreamRecorder
from rpmsn.streaming.intake import StreamTime

RATE, CENTER = 1e6, 806e6
CLOCK = StreamTime(0, 1_716_000_000, 0.25, RATE, "radio")
PART = 50_000


def stream(first, count):
    """Samples of which each says its number, to 16 bits."""
    number = np.arange(first, first + count)
    return ((number % 1000 + 1j * (number // 1000 % 1000)) / 32768).astype(np.complex64)


class Radio:
    """Gives a recorder the samples of a stream."""

    def __init__(self, recorder):
        self.recorder, self.offset = recorder, 0
        self.tuning = [RATE, CENTER, CLOCK]

    def send(self, count):
        for first in range(self.offset, self.offset + count, PART):
            part = stream(first, min(PART, self.offset + count - first))
            self.recorder.take(part, first, *self.tuning)
        self.offset += count


@pytest.fixture
def recorder():
    recorder = StreamRecorder(seconds=0.5)
    yield recorder
    recorder.close(HANG_S)


@pytest.fixture
def radio(recorder):
    return Radio(recorder)


def wait_for(condition):
    end = time.monotonic() + HANG_S
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


def finish(recorder):
    """End the recording and return its path."""
    recorder.end()
    wait_for(lambda: not recorder.state.recording)
    return recorder.state.finished


def read(path):
    sigmf.fromfile(path).validate()
    with open_recording(path) as recording:
        return recording.read(0, recording.sample_count), recording


def test_what_comes_is_recorded_to_the_sample(tmp_path, recorder, radio):
    radio.send(300_000)
    recorder.record(tmp_path)
    radio.send(400_001)
    samples, recording = read(finish(recorder))
    np.testing.assert_array_equal(samples, stream(300_000, 400_001))
    (capture,) = recording.metadata["captures"]
    assert capture["core:frequency"] == CENTER and recording.sample_rate == RATE
    assert recording.time_at(0) == (1_716_000_000, pytest.approx(0.55, abs=1e-9))
    assert recorder.state.seconds == pytest.approx(0.400001) and recorder.state.lost_samples == 0
    assert not list(tmp_path.glob("*.part"))


def test_what_is_held_is_recorded_from_before_the_command(tmp_path, recorder, radio):
    radio.send(300_000)
    recorder.record(tmp_path, before_seconds=0.2)
    radio.send(100_000)
    np.testing.assert_array_equal(read(finish(recorder))[0], stream(100_000, 300_000))


def test_the_last_seconds_alone_end_where_the_command_came(tmp_path, recorder, radio):
    radio.send(300_000)
    recorder.record(tmp_path, before_seconds=30.0, goes_on=False)
    radio.send(200_000)
    wait_for(lambda: recorder.state.finished)
    np.testing.assert_array_equal(read(recorder.state.finished)[0], stream(0, 300_000))


@pytest.mark.parametrize(
    ("seconds", "most_bytes", "held"), [(0.5, None, 500_000), (30.0, 8 * 300_000, 300_000), (30.0, 0, 0)]
)
def test_memory_is_bounded_and_what_is_held_is_said(seconds, most_bytes, held):
    recorder = StreamRecorder(seconds, most_bytes)
    try:
        Radio(recorder).send(2_000_000)
        state = recorder.state
        assert held <= RATE * state.held_seconds <= held + BLOCK_SAMPLES
        assert state.most_seconds == pytest.approx(held / RATE)
        buffers = [block.buffer.nbytes for block in recorder._blocks] + [part.nbytes for part in recorder._free]
        assert sum(buffers) <= 8 * (held + 3 * BLOCK_SAMPLES)
    finally:
        recorder.close(HANG_S)


def test_a_retune_and_a_gap_are_captures_and_another_rate_another_file(tmp_path, recorder, radio):
    radio.send(100_000)
    recorder.record(tmp_path, before_seconds=30.0)
    radio.tuning[1] = CENTER + 1e6
    radio.send(100_000)
    radio.tuning[2] = StreamTime(200_000, 1_716_000_009, 0.5, RATE, "radio")
    radio.send(100_000)
    radio.tuning[0] = 2 * RATE
    radio.send(100_000)
    second = read(finish(recorder))[1]
    (first,) = [path for path in tmp_path.glob("*.sigmf-meta") if path.name != second.path.name.replace("data", "meta")]
    samples, recording = read(first)
    np.testing.assert_array_equal(samples, stream(0, 300_000))
    captures = [(entry["core:sample_start"], entry["core:frequency"]) for entry in recording.metadata["captures"]]
    assert captures == [(0, CENTER), (100_000, CENTER + 1e6), (200_000, CENTER + 1e6)]
    assert recording.time_at(200_000) == (1_716_000_009, 0.5)
    assert (second.sample_rate, second.sample_count) == (2 * RATE, 100_000)


def test_what_a_late_disk_has_to_leave_out_is_counted_and_the_recording_goes_on(tmp_path, radio, recorder, monkeypatch):
    is_free, write = threading.Event(), snippet_files.Snippet.write
    monkeypatch.setattr(snippet_files.Snippet, "write", lambda file, part: is_free.wait(HANG_S) and write(file, part))
    radio.send(10_000)
    recorder.record(tmp_path, before_seconds=30.0)
    wait_for(lambda: recorder._read is not None)
    radio.send(2_000_000)
    is_free.set()
    samples, recording = read(finish(recorder))
    lost = recorder.state.lost_samples
    assert lost > 1_000_000 and len(samples) + lost == 2_010_000
    start = recording.metadata["captures"][1]["core:sample_start"]
    np.testing.assert_array_equal(samples[start:], stream(2_010_000 - len(samples) + start, len(samples) - start))


def test_a_recording_is_behind_from_a_quarter_of_the_memory_until_a_tenth(tmp_path, radio, recorder, monkeypatch):
    parts, write = threading.Semaphore(0), snippet_files.Snippet.write
    monkeypatch.setattr(
        snippet_files.Snippet, "write", lambda file, part: parts.acquire(timeout=HANG_S) and write(file, part)
    )
    monkeypatch.setattr(stream_recorder, "BLOCK_SAMPLES", 10_000)
    radio.send(400_000)
    assert not recorder.is_behind
    recorder.record(tmp_path)
    radio.send(100_000)
    assert not recorder.is_behind
    radio.send(100_000)
    assert recorder.is_behind
    parts.release(9)
    wait_for(lambda: recorder.state.seconds >= 0.09)
    assert recorder.is_behind
    parts.release(100)
    wait_for(lambda: not recorder.is_behind)
    finish(recorder)
    assert recorder.state.lost_samples == 0 and not recorder.is_behind


def test_carriers_on_the_air_are_annotated(tmp_path):
    carriers = [
        FakeCarrier(7, freq_lower=CENTER - 1e5, freq_upper=CENTER + 1e5, sample_start=50_000, sample_end=250_000),
        FakeCarrier(8, freq_lower=CENTER, freq_upper=CENTER + 1e5, sample_start=0, sample_end=90_000),
    ]
    recorder = StreamRecorder(0.5, carriers=lambda: carriers)
    try:
        radio = Radio(recorder)
        radio.send(100_000)
        recorder.record(tmp_path)
        radio.send(200_000)
        (entry,) = read(finish(recorder))[1].annotations
        assert (entry["core:sample_start"], entry["core:sample_count"]) == (0, 150_000)
        assert entry["core:freq_lower_edge"] == CENTER - 1e5 and entry["core:label"] == carriers[0].label
    finally:
        recorder.close(HANG_S)


def test_a_recording_that_runs_is_finished_at_the_end(tmp_path, recorder, radio):
    radio.send(100_000)
    recorder.record(tmp_path)
    radio.send(70_000)
    assert recorder.close(HANG_S)
    (path,) = tmp_path.glob("*.sigmf-meta")
    np.testing.assert_array_equal(read(path)[0], stream(100_000, 70_000))


def test_a_disk_without_room_ends_the_recording_with_what_there_is(tmp_path, recorder, radio, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    room = 8 * BLOCK_SAMPLES
    free = stream_recorder.DISK_KEPT_FREE + room
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage._replace(free=free))
    radio.send(100_000)
    recorder.record(tmp_path)
    wait_for(lambda: radio.send(PART) or recorder.state.fault)
    wait_for(lambda: recorder.state.finished)
    assert "of the disk are free; it has ended" in recorder.state.fault
    samples, _ = read(recorder.state.finished)
    np.testing.assert_array_equal(samples, stream(100_000, len(samples)))
    assert 0 < len(samples) * 4 <= room


def test_what_a_kill_left_is_finished_by_the_next_recording_and_nothing_is_deleted(tmp_path, recorder, radio):
    radio.send(100_000)
    recorder.record(tmp_path, before_seconds=30.0, goes_on=False)
    wait_for(lambda: recorder.state.finished)
    for path in list(tmp_path.glob("*.sigmf-*")):
        path.rename(f"{path}.part")
    recorder.record(tmp_path, before_seconds=30.0, goes_on=False)
    wait_for(lambda: recorder.state.finished and not recorder.state.recording)
    found = sorted(tmp_path.glob("*.sigmf-meta"))
    assert len(found) == 2
    for path in found:
        np.testing.assert_array_equal(read(path)[0], stream(0, 100_000))


def test_what_cannot_be_recorded_says_why(tmp_path, recorder, radio):
    with pytest.raises(RecordingError, match="no samples have come yet"):
        recorder.record(tmp_path)
    radio.send(1000)
    with pytest.raises(RecordingError, match="does not exist: make the folder"):
        recorder.record(tmp_path / "none")
    recorder.record(tmp_path)
    with pytest.raises(RecordingError, match="being made already"):
        recorder.record(tmp_path)
    other = StreamRecorder()
    try:
        Radio(other).send(1000)
        with pytest.raises(RecordingError, match="used by another"):
            other.record(tmp_path)
    finally:
        other.close(HANG_S)
    with pytest.raises(ParameterError, match="seconds of the recorder is 0"):
        StreamRecorder(0)


def test_a_stream_that_begins_again_ends_the_recording(tmp_path, recorder, radio):
    radio.send(200_000)
    recorder.record(tmp_path, before_seconds=30.0)
    wait_for(lambda: recorder.state.seconds > 0)
    radio.offset = 0
    radio.send(1000)
    wait_for(lambda: recorder.state.finished)
    samples, _ = read(recorder.state.finished)
    np.testing.assert_array_equal(samples, stream(0, len(samples)))
    assert recorder.state.held_seconds == pytest.approx(0.001)
