# SPDX-License-Identifier: GPL-3.0-or-later
"""`rpmsn watch`: plays files as it says, shows what comes, remembers, and reports what is wrong."""

import argparse
import csv
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from limits import HANG_S, PROCESS_S

QtWidgets = pytest.importorskip("PyQt5.QtWidgets", reason="PyQt5 is not installed")
pytest.importorskip("pyqtgraph", reason="pyqtgraph is not installed")

from oracle import flat_band
from PyQt5 import QtCore, QtGui, QtTest
from test_carrier_list import segment

from rpmsn.cli import main as cli
from rpmsn.errors import ParameterError, RpmsnError
from rpmsn.gui import with_table
from rpmsn.gui.carriers.carrier_list import WHOLE_EVENT
from rpmsn.gui.theme import THEMES
from rpmsn.gui.watch import display as watch_display
from rpmsn.gui.watch import main as watch
from rpmsn.gui.watch import settings as watch_settings
from rpmsn.gui.watch.comparison import TITLES, ComparisonTable, distinct, latest
from rpmsn.gui.watch.feed import MAX_FRAMES, MAX_SEGMENTS, Feed
from rpmsn.gui.watch.pacing import FASTEST, MOST_BEHIND_SECONDS, SPEEDS, Pacing
from rpmsn.gui.watch.player import Player
from rpmsn.gui.watch.publisher_source import PublisherSource, to_fields
from rpmsn.gui.watch.transport import format_place
from rpmsn.gui.watch.window import WatchWindow
from rpmsn.gui.waterfall.status import ENDED, PAUSED, SOURCE_STATE, SPEED
from rpmsn.models.model import load_model
from rpmsn.recording import open_recording
from rpmsn.recording.captures import parse_time
from rpmsn.streaming.analysis import RecordingAnalyser

QT = QtCore.Qt
ROOT = Path(__file__).resolve().parents[2]
RATE = 5e6
CENTER = 1.815e9
FRAME = int(RATE * 0.04)
FRAMES = 12


@pytest.fixture(scope="session")
def app():
    return QtWidgets.QApplication.instance() or QtWidgets.QApplication(["test"])


@pytest.fixture(autouse=True)
def own_settings(tmp_path, monkeypatch):
    """Settings of the person who runs the tests stay as they are."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def write_recording(folder, captures=None, frames=FRAMES, name="band"):
    """Metadata path of a recording with one carrier from 1815 to 1816.25 MHz."""
    samples = flat_band(frames * FRAME, RATE, 0, RATE / 4, np.random.default_rng(1))
    samples.tofile(folder / f"{name}.sigmf-data")
    captures = captures or [
        {"core:sample_start": 0, "core:frequency": CENTER, "core:datetime": "2024-05-01T12:03:07.5Z"}
    ]
    meta = folder / f"{name}.sigmf-meta"
    meta.write_text(
        json.dumps(
            {
                "global": {"core:datatype": "cf32_le", "core:sample_rate": RATE, "core:version": "1.2.0"},
                "captures": captures,
                "annotations": [
                    {
                        "core:sample_start": 0,
                        "core:sample_count": frames * FRAME,
                        "core:label": "LTE",
                        "core:freq_lower_edge": CENTER,
                        "core:freq_upper_edge": CENTER + RATE / 4,
                    },
                    {
                        "core:sample_start": FRAME,
                        "core:sample_count": FRAME,
                        "core:label": "NR",
                        "core:freq_lower_edge": CENTER - 2e6,
                        "core:freq_upper_edge": CENTER - 1.9e6,
                    },
                ],
            }
        )
    )
    return meta


@pytest.fixture
def recording_path(tmp_path):
    return write_recording(tmp_path)


class Recorder(Feed):
    """A feed that also keeps everything that it was given."""

    def __init__(self):
        super().__init__()
        self.all_frames, self.all_segments, self.all_boxes, self.all_status = [], [], [], []
        self.previews = []
        self.restarts = 0

    def put_frame(self, fields, image, mask, shown=None):
        (self.previews if mask is None else self.all_frames).append((shown or fields, image, mask))
        super().put_frame(fields, image, mask, shown)

    def put_segment(self, fields, box):
        self.all_segments.append(fields)
        if box is not None:
            self.all_boxes.append(box)
        super().put_segment(fields, box)

    def put_status(self, fields):
        self.all_status.append(fields)
        super().put_status(fields)

    def restart(self):
        self.restarts += 1
        self.all_frames.append(None)
        super().restart()


def wait_for(condition, what="", app=None):
    """Wait, with Qt's events going on where there is an application, until something is so."""
    end = time.monotonic() + PROCESS_S
    while not condition():
        assert time.monotonic() < end, f"waited {PROCESS_S} s in vain {what}"
        if app is not None:
            app.processEvents()
        time.sleep(0.01)


@pytest.fixture
def play(all_lte):
    """Makes players that are ended at the end."""
    made = []

    def make(path, **settings):
        feed = Recorder()
        player = Player(open_recording(path), feed, str(all_lte), runtime="torch", **{"speed": FASTEST, **settings})
        made.append(player)
        player.start()
        return player, feed

    yield make
    for player in made:
        player.stop()
        player.recording.close()


def file_places(feed):
    """(first, last) sample of the recording of every frame that was shown, by its time."""
    times = [fields["rx_time"] for fields, _, _ in feed.all_frames]
    starts = [round((whole - 1_714_564_987 + fraction - 0.5) * RATE) for whole, fraction in times]
    return [(start, start + FRAME) for start in starts]


def places(feed):
    """(first, last) sample of every frame that was shown, None where the picture was restarted."""
    return [frame and (frame[0]["start_offset"], frame[0]["end_offset"]) for frame in feed.all_frames]


def shown_until(feed):
    """Sample after the last frame that was shown, 0 where there is none."""
    return feed.all_frames[-1][0]["end_offset"] if feed.all_frames and feed.all_frames[-1] else 0


# Speed


class HandClock:
    """A clock that is set by hand."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.mark.parametrize("speed", [speed for speed in SPEEDS if speed != FASTEST])
def test_as_many_samples_are_due_as_the_speed_says(speed):
    clock = HandClock()
    pace, went = Pacing(1000.0, clock), 0
    pace.begin(speed)
    for _ in range(5000):
        clock.now += 0.001
        count = pace.due()
        pace.went(count)
        went += count
    assert went == pytest.approx(5000 * speed, abs=2 + 0.02 * 1000)


def test_the_fastest_never_waits_and_goes_in_slices():
    pace = Pacing(1000.0, HandClock())
    pace.begin(FASTEST)
    assert [pace.due() for _ in range(3)] == [20, 20, 20]


def test_what_the_analysis_could_not_keep_up_with_is_not_made_up_for_later():
    clock = HandClock()
    pace = Pacing(1000.0, clock)
    pace.begin(1.0)
    clock.now = 100.0
    assert pace.due() == 20
    pace.went(20)
    clock.now += 0.001
    assert pace.due() <= MOST_BEHIND_SECONDS * 1000


def test_a_recording_takes_as_long_as_its_speed_says(play, recording_path):
    player, feed = play(recording_path, speed=0.2)
    wait_for(lambda: player.position > 0)
    started, position = time.monotonic(), player.position
    wait_for(lambda: player.ended)
    assert time.monotonic() - started > (FRAMES * 0.04 - position - MOST_BEHIND_SECONDS) / 0.2 > 0


@pytest.mark.parametrize("speed", [0.0, 0.09, -1.0, math.nan])
def test_a_speed_that_cannot_be_is_refused(speed, recording_path, all_lte):
    with open_recording(recording_path) as recording, pytest.raises(ParameterError, match="at least 0.1"):
        Player(recording, Feed(), str(all_lte), speed=speed)


# What is played


def test_every_sample_is_shown_once_and_in_order(play, recording_path):
    player, feed = play(recording_path)
    wait_for(lambda: player.ended and len(feed.all_frames) >= FRAMES)
    assert places(feed) == [(k * FRAME, (k + 1) * FRAME) for k in range(FRAMES)]
    assert player.position == pytest.approx(FRAMES * 0.04) and not player.playing


def test_the_rest_of_the_last_frame_is_shown_when_the_recording_is_over(play, tmp_path):
    path = write_recording(tmp_path)
    data = tmp_path / "band.sigmf-data"
    with open(data, "r+b") as file:
        file.truncate(8 * (2 * FRAME + FRAME // 2))
    player, feed = play(path)
    wait_for(lambda: len(feed.all_frames) == 3)
    assert places(feed)[-1][1] == 2 * FRAME + FRAME // 2


def annotated(path, model):
    """What `rpmsn annotate` does with a recording: its events, as messages have them, and its carriers."""
    with open_recording(path) as recording:
        analyser = RecordingAnalyser(recording, load_model(str(model)), runtime="torch")
        events = [
            (event.carrier.freq_lower, event.carrier.freq_upper, event.segment.start_offset, event.kind)
            for _, found in analyser.frames()
            for event in found
        ]
    return events, analyser.tracker.carriers


def test_it_finds_what_annotate_finds(play, recording_path, all_lte):
    events, carriers = annotated(recording_path, all_lte)
    player, feed = play(recording_path)
    wait_for(lambda: player.finished)
    found = [
        (fields["freq_lower"], fields["freq_upper"], fields["start_offset"], fields["event"])
        for fields in feed.all_segments
        if fields["event"] != WHOLE_EVENT
    ]
    assert found == events
    whole = [fields for fields in feed.all_segments if fields["event"] == WHOLE_EVENT]
    assert [(fields["freq_lower"], fields["freq_upper"], fields["confidence"]) for fields in whole] == [
        (carrier.freq_lower, carrier.freq_upper, carrier.confidence) for carrier in carriers
    ]


def test_a_recording_of_one_frame_shows_its_carrier(play, tmp_path):
    player, feed = play(write_recording(tmp_path, frames=1))
    wait_for(lambda: player.finished)
    assert [fields["event"] for fields in feed.all_segments] == ["new", WHOLE_EVENT] and len(feed.all_frames) == 1


def test_at_the_end_of_a_recording_the_status_still_comes(play, recording_path):
    player, feed = play(recording_path)
    wait_for(lambda: player.finished)
    count = len(feed.all_status)
    wait_for(lambda: len(feed.all_status) > count + 1)
    assert feed.all_status[-1]["input_rate"] == 0.0 and feed.all_status[-1]["samples_analysed"] == FRAMES * FRAME
    assert all(fields[SOURCE_STATE] == ENDED for fields in feed.all_status[count:])


def test_the_status_says_that_a_recording_is_paused(play, recording_path):
    player, feed = play(recording_path, speed=0.1)
    player.pause()
    wait_for(lambda: feed.all_status and feed.all_status[-1].get(SOURCE_STATE) == PAUSED)


def test_the_status_has_the_speed_that_was_asked_for_where_it_was_played_at_all_the_time(all_lte, recording_path):
    clock, feed = HandClock(), Recorder()
    player = Player(open_recording(recording_path), feed, str(all_lte), runtime="torch", speed=2.0, clock=clock)
    disturbances = [None, None, lambda: player.set_speed(4.0), None, lambda: player.seek(0.0), None]
    for second, disturb in enumerate(disturbances):
        if disturb is not None:
            disturb()
        clock.now = second + 1.0
        player._on_status({"samples_analysed": round(0.4 * (second + 1) * player.recording.sample_rate)})
    player.recording.close()
    assert [fields.get(SPEED) for fields in feed.all_status] == [None, 2.0, None, 4.0, None, 4.0]
    assert feed.all_status[-1]["real_time_factor"] == pytest.approx(0.4)


def test_times_are_those_of_the_file(play, recording_path):
    player, feed = play(recording_path)
    wait_for(lambda: player.ended and len(feed.all_frames) == FRAMES)
    seconds, fraction = feed.all_frames[2][0]["rx_time"]
    assert seconds + fraction == pytest.approx(1_714_564_987.58) and feed.all_frames[2][0]["time_source"] == "file"


def test_capture_segments_have_their_own_frequency_and_time(play, tmp_path):
    path = write_recording(
        tmp_path,
        [
            {"core:sample_start": 0, "core:frequency": 1.8e9, "core:datetime": "2024-05-01T12:00:00Z"},
            {"core:sample_start": 3 * FRAME, "core:frequency": 1.9e9, "core:datetime": "2024-05-01T13:00:00Z"},
        ],
        frames=6,
    )
    player, feed = play(path)
    wait_for(lambda: len(feed.all_frames) == 6)
    frames = [fields for fields, _, _ in feed.all_frames]
    assert [fields["center_frequency"] for fields in frames] == 3 * [1.8e9] + 3 * [1.9e9]
    assert frames[3]["rx_time"][0] - frames[0]["rx_time"][0] == 3600


def test_without_a_clock_carriers_show_no_time(play, tmp_path):
    player, feed = play(write_recording(tmp_path, [{"core:sample_start": 0}]))
    wait_for(lambda: len(feed.all_segments) > 2)
    assert {fields["rx_time"] for fields in feed.all_segments} == {None} and "has no time" in feed.note


# Seek, loop, hold


def test_a_seek_forwards_goes_on_there_and_keeps_the_picture(play, recording_path):
    player, feed = play(recording_path, speed=0.1)
    wait_for(lambda: player.position > 0.02)  # half a frame
    player.seek(8 * 0.04)
    player.set_speed(FASTEST)
    wait_for(lambda: player.ended and feed.all_frames and file_places(feed)[-1][1] == FRAMES * FRAME)
    assert [place for place in file_places(feed) if place[0] >= 8 * FRAME] == [
        (k * FRAME, (k + 1) * FRAME) for k in range(8, FRAMES)
    ]
    assert feed.restarts == 0
    assert all(fields["samples_lost"] == 0 for fields in feed.all_status), "a seek is no loss of the radio"


def test_a_seek_back_goes_on_there_and_keeps_picture_and_carriers(play, recording_path):
    player, feed = play(recording_path)
    wait_for(lambda: player.ended)
    player.seek(2 * 0.04)
    player.play()
    wait_for(lambda: player.ended and shown_until(feed) == (2 * FRAMES - 2) * FRAME)
    assert feed.restarts == 0
    assert [place[0] for place in places(feed)] == [k * FRAME for k in range(2 * FRAMES - 2)], "the stream counts on"
    assert {fields["burst_id"] for fields in feed.all_segments} == {1}
    starts = [fields["start_offset"] for fields in feed.all_segments if fields["event"] == "update"]
    assert starts == sorted(starts), "the table counts on"
    offsets = np.array([0, FRAMES * FRAME - 1, FRAMES * FRAME, (2 * FRAMES - 2) * FRAME - 1])
    assert player.positions_of(offsets).tolist() == [0, FRAMES * FRAME - 1, 2 * FRAME, FRAMES * FRAME - 1]


def test_after_the_end_a_jump_to_where_another_carrier_is_keeps_the_numbers(play, tmp_path):
    captures = [
        {"core:sample_start": start * FRAME, "core:frequency": center, "core:datetime": f"2024-05-01T12:03:{seconds}Z"}
        for start, center, seconds in ((0, CENTER, "07.5"), (FRAMES // 2, CENTER + 20e6, "07.74"))
    ]
    player, feed = play(write_recording(tmp_path, captures))
    wait_for(lambda: player.finished)
    before = bands_of(feed)
    assert len(before) == 2
    feed.all_segments.clear()
    player.seek((FRAMES // 2 + 1) * 0.04)
    player.play()
    wait_for(lambda: not player.finished)
    wait_for(lambda: player.finished)
    assert bands_of(feed) == before
    times = {fields["burst_id"]: sum(fields["rx_time"]) for fields in feed.all_segments if fields["event"] == "whole"}
    assert times == pytest.approx({1: 1_714_564_987.5, 2: 1_714_564_987.74}), "they came when they came at first"


def bands_of(feed):
    """Number of each carrier that was reported, and its band in columns of 100 kHz."""
    return {
        fields["burst_id"]: (round(fields["freq_lower"] / 1e5), round(fields["freq_upper"] / 1e5))
        for fields in feed.all_segments
    }


def test_a_loop_begins_again_and_the_carrier_keeps_its_number(play, recording_path):
    player, feed = play(recording_path, loop=True)
    wait_for(lambda: shown_until(feed) > 3 * FRAMES * FRAME)
    player.loop = False
    wait_for(lambda: player.ended)
    assert {fields["burst_id"] for fields in feed.all_segments} == {1}
    times = [sum(fields["rx_time"]) for fields, _, _ in feed.all_frames]
    assert times[FRAMES] == pytest.approx(times[0]), "the clock is that of the file"


def test_paused_it_plays_nothing_and_steps_frame_by_frame(play, recording_path):
    player, feed = play(recording_path, begin_at=0.04)
    player.pause()
    wait_for(lambda: feed.note == "" and feed.all_status)
    before = player.position
    time.sleep(0.3)
    assert player.position == before and not player.playing
    player.seek(4 * 0.04)
    wait_for(lambda: (4 * FRAME, 5 * FRAME) in file_places(feed))
    player.step()
    wait_for(lambda: (5 * FRAME, 6 * FRAME) in file_places(feed))
    time.sleep(0.3)
    assert player.position == pytest.approx(6 * 0.04)


def test_what_was_said_at_the_end_holds_no_more_once_it_plays_again(play, recording_path):
    player, feed = play(recording_path)
    said = []
    feed.put_status = said.append
    wait_for(lambda: said and said[-1].get(SOURCE_STATE) == ENDED)
    at_end = said[-1]["samples_analysed"]
    player.seek(0.1)
    wait_for(lambda: said[-1].get(SOURCE_STATE) != ENDED)
    first = next(status for status in said[::-1] if status["samples_analysed"] == at_end)
    assert first.get(SOURCE_STATE) in (None, PAUSED), "said before the analysis has a new one"


def test_play_after_the_end_begins_at_the_beginning(play, recording_path):
    player, feed = play(recording_path)
    wait_for(lambda: player.ended)
    player.play()
    wait_for(lambda: player.ended and shown_until(feed) == 2 * FRAMES * FRAME)


def test_it_can_be_stopped_at_any_moment(play, recording_path):
    for pause in (0.0, 0.05, 0.2):
        player, _ = play(recording_path, loop=True)
        time.sleep(pause)
        player.stop()
        assert not player._thread.is_alive()


@pytest.mark.parametrize("start", [-0.1, FRAMES * 0.04 + 0.1])
def test_a_start_outside_the_recording_is_refused(start, recording_path, all_lte):
    with open_recording(recording_path) as recording, pytest.raises(ParameterError, match="lasts 0.48 s"):
        Player(recording, Feed(), str(all_lte), begin_at=start)


def test_a_file_that_is_cut_while_it_plays_is_reported_in_a_sentence(play, recording_path):
    player, feed = play(recording_path, speed=0.1)
    wait_for(lambda: player.position > 0)
    os.truncate(recording_path.with_name("band.sigmf-data"), 0)
    wait_for(lambda: feed.failed)
    assert "has become shorter" in feed.problem


def test_a_runtime_that_fails_is_reported_in_a_sentence(recording_path, all_lte):
    with open_recording(recording_path) as recording:
        feed = Feed()
        player = Player(recording, feed, str(all_lte), runtime="openvino-int8")
        player.start()
        wait_for(lambda: feed.failed)
        player.stop()
    assert "openvino" in feed.problem


# Feed


def test_a_feed_that_nobody_takes_from_stays_small_and_keeps_the_newest():
    feed = Feed()
    for number in range(10_000):
        feed.put_frame({"number": number}, None, None)
        feed.put_segment({"number": number}, {"number": number})
    news = feed.take()
    assert len(news.frames) == MAX_FRAMES and len(news.segments) == len(news.boxes) == MAX_SEGMENTS
    assert news.frames[-1][0]["number"] == news.segments[-1]["number"] == 9999
    assert feed.take().frames == []


def test_a_restart_drops_what_waits_for_the_picture_and_not_what_waits_for_the_table():
    feed = Feed()
    feed.put_frame({}, None, None)
    feed.put_segment({}, {})
    feed.restart()
    news = feed.take()
    assert news.is_restarted and not news.frames and not news.boxes and len(news.segments) == 1
    assert not feed.take().is_restarted


# Publisher


@pytest.fixture
def publisher():
    pytest.importorskip("zmq", reason="pyzmq is not installed")
    pytest.importorskip("gnuradio.gr", reason="GNU Radio is not installed")
    from gnuradio import rpmsn as blocks

    block = blocks.segment_publisher("tcp://127.0.0.1:0", frames_per_second=100.0)
    block.start()
    yield block
    block.stop()


def a_frame_pdu(number=0):
    from gnuradio.rpmsn import pdu

    image = np.full((64, 64), 77, np.uint8)
    return pdu.make_pdu(
        {
            "pdu_num": number,
            "rows": 64,
            "columns": 64,
            "mask": np.ones((64, 64), np.uint8),
            "classes": ["noise", "LTE", "NR", "other"],
            "center_frequency": CENTER,
            "sample_rate": RATE,
            "start_offset": number * FRAME,
            "end_offset": (number + 1) * FRAME,
            "rx_time": (1_714_564_987, 0.25),
            "time_source": "radio",
            "duration": 0.04,
            "db_min": -5.0,
            "db_max": 55.0,
            "noise_floor_db": -90.0,
            "model": "test",
        },
        image,
    )


def test_frames_and_segments_of_a_publisher_arrive(publisher):
    from gnuradio.rpmsn import pdu

    feed = Recorder()
    source = PublisherSource(publisher.address(), feed)
    source.start()
    try:
        number = 0
        while not (feed.all_frames and feed.all_segments):
            assert number < 1000
            publisher._on_frame(a_frame_pdu(number))
            publisher._on_segment(pdu.make_pdu(segment(number)))
            number += 1
            time.sleep(0.05)
    finally:
        source.stop()
    fields, image, mask = feed.all_frames[-1]
    assert (image == 77).all() and (mask == 1).all() and fields["rx_time"] == (1_714_564_987, pytest.approx(0.25))
    assert feed.all_segments[-1]["label"] == "LTE" and feed.problem == ""


def test_without_a_publisher_the_window_says_that_it_waits():
    pytest.importorskip("zmq", reason="pyzmq is not installed")
    feed = Feed()
    source = PublisherSource("tcp://127.0.0.1:9", feed)
    source.start()
    wait_for(lambda: "waiting" in feed.problem)
    source.stop()


def test_a_publisher_without_frames_is_reported():
    pytest.importorskip("zmq", reason="pyzmq is not installed")
    clock, feed = HandClock(), Feed()
    source = PublisherSource("tcp://127.0.0.1:9", feed, clock=clock)
    clock.now = 1.0
    source._take({"topic": "status", "mode": "live"})
    clock.now = 10.0
    source._report_state()
    source.stop()
    assert "frames_per_second" in feed.note


def test_numbers_that_are_not_known_become_nan_and_times_pairs():
    fields = to_fields({"snr_db": None, "label": "LTE", "rx_time": "2024-05-01T12:03:07.5Z"})
    assert math.isnan(fields["snr_db"]) and fields["rx_time"] == (1_714_564_987, 0.5)


# Settings


def test_settings_come_back(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    path = watch_settings.settings_path()
    settings = {**watch_settings.DEFAULTS, "speed": 0, "table": "beside", "waterfall": {"alpha": 0.25}}
    watch_settings.save_settings(path, settings)
    assert watch_settings.load_settings(path) == settings and path == tmp_path / "gr-rpmsn" / "watch.yml"


@pytest.mark.parametrize(
    "text, words",
    [
        ("{", "not valid YAML"),
        ("- 1", "keys and values"),
        ("\xff\xfe", "YAML"),
        ("speed: fast", "speed"),
        ("window: [1, 2, 3]", "window"),
        ("colour: blue", "key 'colour' is unknown"),
    ],
)
def test_damaged_settings_give_a_warning_and_the_defaults(text, words, tmp_path, caplog):
    path = tmp_path / "watch.yml"
    path.write_bytes(text.encode("latin-1"))
    assert watch_settings.load_settings(path) == watch_settings.DEFAULTS
    assert words in caplog.text and str(path) in caplog.text


def test_settings_in_a_folder_that_may_not_be_read_are_the_defaults(tmp_path, monkeypatch, caplog):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.stat", refuse)
    assert watch_settings.load_settings(tmp_path / "home" / "watch.yml") == watch_settings.DEFAULTS
    monkeypatch.setattr("pathlib.Path.mkdir", refuse)
    watch_settings.save_settings(tmp_path / "home" / "watch.yml", watch_settings.DEFAULTS)
    assert "cannot be written: Permission denied" in caplog.text


def test_settings_that_cannot_be_written_are_no_reason_to_fail(tmp_path, caplog):
    (tmp_path / "file").write_text("")
    watch_settings.save_settings(tmp_path / "file" / "watch.yml", watch_settings.DEFAULTS)
    assert "cannot be written" in caplog.text


@pytest.mark.parametrize("folder", ["", "relative"])
def test_without_a_folder_for_settings_that_of_the_home_is_taken(folder, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", folder)
    assert watch_settings.settings_path() == Path.home() / ".config/gr-rpmsn/watch.yml"


# Screen


@pytest.mark.parametrize(
    "environment, said",
    [
        ({}, "DISPLAY is not set"),
        ({"DISPLAY": ":987"}, "no screen answers"),
        ({"WAYLAND_DISPLAY": "wayland-9"}, "DISPLAY is not set"),
        ({"QT_QPA_PLATFORM": "xcb"}, "DISPLAY is not set"),
    ],
)
def test_without_a_screen_it_says_what_works_without(environment, said):
    with pytest.raises(RpmsnError, match=said) as error:
        watch_display.check_display(environment)
    assert "rpmsn annotate" in str(error.value) and "rpmsn monitor" in str(error.value)


def test_qt_without_a_screen_is_let_through():
    watch_display.check_display({"QT_QPA_PLATFORM": "offscreen"})


# Comparison


def test_annotations_of_one_band_and_class_are_compared_once():
    burst = {"core:label": "LTE", "core:freq_lower_edge": 1.0, "core:freq_upper_edge": 2.0}
    without = {"core:label": "LTE", "core:sample_start": 5}
    assert distinct([{**burst, "core:sample_start": k} for k in range(9)] + [without]) == [
        {**burst, "core:sample_start": 0}
    ]


def carriers_of(*segments):
    from rpmsn.gui.carriers.carrier_list import CarrierList

    carriers = CarrierList()
    for fields in segments:
        carriers.add(fields)
    return carriers.rows()


def test_a_carrier_that_came_again_is_compared_once():
    found = latest(
        carriers_of(
            segment(0, event="new"), segment(9, event="new"), segment(9, burst_id=2, freq_lower=1e9, freq_upper=1.1e9)
        )
    )
    assert [(carrier.carrier_id, carrier.gone) for carrier in found] == [(2, False), (1, False)]


def test_what_the_file_says_stands_next_to_what_was_found(app):
    def annotation(label, lower, upper, **times):
        times = {f"core:sample_{name}": value for name, value in times.items()}
        return {"core:label": label, "core:freq_lower_edge": lower, "core:freq_upper_edge": upper, **times}

    times = {1: [(0, 1000)], 2: [(0, 400), (700, 1000)]}
    table = ComparisonTable(
        [
            annotation("lte", 1840e6, 1850e6, start=500),
            annotation("NR", 1860e6, 1870e6, start=0, count=200),
            annotation("NR", 1860e6, 1870e6, start=600, count=400),
            annotation("NR", 2e9, 2.1e9),
        ],
        THEMES["dark"],
        1000,
        lambda carrier: times[carrier.carrier_id],
    )
    table.show_carriers(
        carriers_of(
            segment(0, 1),
            segment(0, 2, freq_lower=1861e6, freq_upper=1871e6),
            segment(0, 3, freq_lower=1e9, freq_upper=1.1e9),
        )
    )
    rows = [line.split("\t") for line in table.copy().splitlines()[1:]]
    assert [(row[0], row[3], row[-1]) for row in rows] == [
        ("lte", "LTE", "found"),
        ("NR", "LTE", "wrong class"),
        ("NR", "", "missed"),
        ("", "LTE", "not in the file"),
    ]
    assert rows[0][1] == "1840.000" and rows[0][6] == "90 %" and rows[1][7] == "82 %"
    # Samples 500 to 1000 of 0 to 1000; 0 to 200 and 700 to 1000 of 0 to 400 and 600 to 1000.
    assert [row[8] for row in rows] == ["50 %", "62 %", "", ""]
    assert table.summary() == (
        "3 in the file: 1 found, 1 wrong class, 1 missed; 1 not in the file; "
        "91 % of the bands and 56 % of the times in common"
    )
    assert table.results()["NR", 2e9, 2.1e9] == "missed"


# Window


@pytest.fixture
def window(app, play, recording_path):
    """A shown window with a recording that has been played."""
    player, feed = play(recording_path, speed=5.0)
    window = WatchWindow(player, feed, {**watch_settings.DEFAULTS, "theme": "dark"})
    window.show()
    wait_for(lambda: player.ended and window.table.model.rows, app=app)
    yield window
    window._timer.stop()
    window.table._timer.stop()
    window.close()
    window.deleteLater()
    app.processEvents()


def close(window):
    """Close a window that no fixture closes."""
    for timer in (window._timer, window.table._timer):
        timer.stop()
    window.close()
    window.deleteLater()


def press(window, key, modifier=QT.NoModifier):
    window.activateWindow()
    wait_for(lambda: QtWidgets.QApplication.activeWindow() is window.window(), app=QtWidgets.QApplication.instance())
    QtTest.QTest.keyClick(window, key, modifier)
    QtWidgets.QApplication.processEvents()


def test_the_table_lists_the_carrier_and_a_click_selects_it_in_the_picture(window):
    asked = []
    window.waterfall.select_carrier = asked.append
    window.table.carrier_selected.disconnect()
    window.table.carrier_selected.connect(window.waterfall.select_carrier)
    view = window.table.view
    QtTest.QTest.mouseClick(
        view.viewport(), QT.LeftButton, QT.NoModifier, view.visualRect(window.table.model.index(0, 2)).center()
    )
    assert asked and set(asked) == {1}


def test_a_carrier_selected_in_the_picture_is_selected_in_the_table(window):
    window.waterfall.carrier_selected.emit(1)
    assert [carrier.carrier_id for carrier in window.table.selected()] == [1]


def test_keys_play_step_loop_and_change_the_speed(window, app):
    player = window.player
    press(window, QT.Key_BracketRight)
    assert player.speed == 10.0 and window.transport.speed_box.currentText() == "10 ×"
    press(window, QT.Key_BracketLeft)
    press(window, QT.Key_BracketLeft)
    assert player.speed == 2.0
    press(window, QT.Key_L)
    assert player.loop and window.transport.loop_box.isChecked()
    press(window, QT.Key_P)
    assert player.playing and window.transport.play_button.text() == "Pause"
    press(window, QT.Key_P)
    assert not player.playing and window.transport.play_button.text() == "Play"
    place = player.position
    press(window, QT.Key_Period)
    wait_for(lambda: player.position != place, app=app)


def test_nothing_is_green_at_the_end_of_a_recording_or_while_it_is_paused(window, app):
    label, theme = window.waterfall.status_bar.state_label, THEMES["dark"]
    wait_for(lambda: label.toolTip() == ENDED, app=app)
    assert theme.good not in label.text() and "input 0" not in window.waterfall.status_bar.facts_label.text()
    view = window.waterfall.waterfall_plot
    wait_for(lambda: np.ptp(view.viewRange()[1]) == pytest.approx(FRAMES * 0.04), "the recording fills it", app)
    press(window, QT.Key_Period)
    press(window, QT.Key_Left, QT.ControlModifier)
    wait_for(lambda: label.toolTip().startswith(PAUSED), app=app)
    assert theme.good not in label.text()


@pytest.mark.parametrize("key, place", [(QT.Key_Left, 7 * 0.04), (QT.Key_Right, FRAMES * 0.04)])
def test_ctrl_and_arrows_go_back_and_forwards(key, place, window, app):
    press(window, key, QT.ControlModifier)
    wait_for(lambda: window.player.position >= min(place, FRAMES * 0.04 - 1e-6), app=app)
    app.processEvents()
    assert not window.player.playing


def test_a_click_on_the_slider_goes_there(window, app):
    slider = window.transport.slider
    place = QtCore.QPoint(slider.width() // 4, slider.height() // 2)
    QtTest.QTest.mouseClick(slider, QT.LeftButton, QT.NoModifier, place)
    wait_for(lambda: 0.25 * FRAMES * 0.04 <= window.player.position < 0.25 * FRAMES * 0.04 + 0.06, app=app)
    window._drain()
    assert slider.value() == pytest.approx(window.player.position / (FRAMES * 0.04) * slider.maximum(), abs=1)


def test_annotations_of_the_file_are_handed_to_the_picture_and_compared(window, app):
    references = window.player.reference_annotations()
    assert [(entry["label"], entry["freq_lower"]) for entry in references] == [("LTE", CENTER), ("NR", CENTER - 2e6)]
    assert references[1]["start"] == (1_714_564_987, pytest.approx(0.54)) and references[1]["duration"] == 0.04
    window.view.panels[1].raise_()
    wait_for(lambda: window.comparison.rowCount() >= 2, app=app)
    assert window.comparison.item(0, TITLES.index("result")).text() in ("found", "missed")


def test_the_export_of_a_recording_is_a_recording_with_annotations(window, tmp_path):
    import sigmf

    path = window.table.export(tmp_path / "band.found.sigmf-meta")
    read = sigmf.fromfile(str(path), skip_checksum=True)
    read.validate()
    assert (
        read.get_annotations()[0]["core:label"] == "LTE"
        and json.loads(path.read_text())["global"]["core:dataset"] == "band.sigmf-data"
    )


@pytest.mark.parametrize("times", [1, 2])
def test_samples_and_times_of_an_export_agree_and_end_with_the_recording(window, app, tmp_path, times):
    for number in range(times):
        if number:
            window.player.play()
            wait_for(lambda: not window.player.finished, app=app)
        wait_for(lambda: window.player.finished, app=app)
    window._drain()
    window.table.update_now()
    with open(window.table.export(tmp_path / "found.csv"), newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows
    for row in rows:
        start, end = (int(row[key]) for key in ("start_offset", "end_offset"))
        assert 0 <= start < end <= FRAMES * FRAME
        started, ended = (parse_time(row[key]) for key in ("rx_time", "end_time"))
        assert sum(started) == pytest.approx(1_714_564_987.5 + start / RATE, abs=1e-6)
        assert sum(ended) == pytest.approx(1_714_564_987.5 + end / RATE, abs=1e-6)
    assert min(int(row["start_offset"]) for row in rows) == 0


def test_a_carrier_that_was_there_from_the_start_was_on_from_the_start(window, app):
    wait_for(lambda: window.player.finished, app=app)
    window._drain()
    window.table.update_now()
    carriers = window.table.carriers
    fractions = carriers.rows()[0].occupancy.fractions(carriers.timeline)
    assert fractions.min() > 0.9 and len(fractions) == FRAMES


def test_a_double_click_on_a_file_says_that_it_cannot_be_tuned(window):
    window.waterfall.tune_requested.emit(1.801e9)
    assert (
        "1801.000 MHz" in window.statusBar().currentMessage()
        and "cannot be tuned" in window.statusBar().currentMessage()
    )


def test_a_problem_is_reported_above_the_picture_and_goes_away(window):
    window._feed.problem = "the radio <is> gone; plug it in"
    window._update_slow_parts()
    assert window.banner.isVisible() and "&lt;is&gt;" in window.banner.text()
    window._feed.problem = ""
    window._update_slow_parts()
    assert not window.banner.isVisible()


@pytest.mark.parametrize("key, place", [(QT.Key_1, "below"), (QT.Key_2, "beside"), (QT.Key_3, "hidden")])
def test_the_table_goes_where_it_is_asked_to_and_that_is_remembered(key, place, window):
    press(window, key, QT.ControlModifier)
    assert window.view.place == place and window.view.panels[0].isVisible() == (place != "hidden")
    remembered = window.remember()
    assert (remembered["table"] or "below") == place
    watch_settings.save_settings(watch_settings.settings_path(), remembered)
    assert watch_settings.load_settings(watch_settings.settings_path()) == remembered


def test_panels_come_back_where_somebody_put_them(window, app, play, recording_path):
    table = window.view.panels[0]
    window.view.addDockWidget(QT.LeftDockWidgetArea, table)
    window.view.resizeDocks([table], [500], QT.Horizontal)
    app.processEvents()
    remembered = window.remember()
    assert remembered["table"] == "beside"
    watch_settings.save_settings(watch_settings.settings_path(), remembered)
    player, feed = play(recording_path)
    other = WatchWindow(player, feed, watch_settings.load_settings(watch_settings.settings_path()))
    other.show()
    app.processEvents()
    assert other.view.dockWidgetArea(other.view.panels[0]) == QT.LeftDockWidgetArea
    assert other.view.panels[0].width() == pytest.approx(table.width(), abs=5)
    close(other)


def test_carriers_can_be_detached_and_put_back(window, app):
    panel = window.view.panels[0]
    press(window, QT.Key_4, QT.ControlModifier)
    assert panel.isFloating() and panel.isVisible()
    assert panel.titleBarWidget() is None and window.view.panels[1].titleBarWidget() is None, "each has its title"
    press(window, QT.Key_4, QT.ControlModifier)
    assert not panel.isFloating() and panel.isVisible()


@pytest.mark.parametrize(
    "screen, place", [((1280, 1200), (100, 800)), ((2500, 900), (1100, 0)), ((1280, 900), (480, 600))]
)
def test_detached_carriers_hide_nothing_where_the_screen_has_room(screen, place):
    area = SimpleNamespace(availableGeometry=lambda: QtCore.QRect(0, 0, *screen))
    found = with_table._beside(QtCore.QRect(100, 0, 1000, 800), QtCore.QSize(800, 300), area)
    assert (found.x(), found.y()) == place


def test_letters_typed_into_the_filter_are_no_keys_of_the_player(window):
    window.activateWindow()
    window.table.filter_edit.setFocus()
    QtTest.QTest.keyClicks(window.table.filter_edit, "lp.[")
    assert window.table.filter_edit.text() == "lp.[" and not window.player.loop and not window.player.playing


def test_another_theme_of_the_waterfall_goes_for_the_whole_window(window):
    window.waterfall.apply_settings({"theme": "light"})
    assert THEMES["light"].background in window.styleSheet() and window.remember()["theme"] == "light"
    assert window.table.model.theme is THEMES["light"]


def test_ctrl_s_saves_a_picture_of_the_window(window, tmp_path, monkeypatch):
    monkeypatch.setattr(QtWidgets.QFileDialog, "getSaveFileName", lambda *_, **__: (str(tmp_path / "a"), ""))
    press(window, QT.Key_S, QT.ControlModifier)
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_a_storm_leaves_the_window_responsive(window, app):
    """A second of 200 frames with 1000 segments each, in between the updates of the window."""
    slowest = 0.0
    for number in range(200):
        for burst_id in range(1000):
            fields = segment(
                number,
                burst_id,
                sample_rate=RATE,
                start_offset=number * FRAME,
                end_offset=(number + 1) * FRAME,
                freq_lower=CENTER + burst_id * 1e3,
                freq_upper=CENTER + burst_id * 1e3 + 9e2,
            )
            window._feed.put_segment(fields, fields)
        if number % 20 == 19:
            started = time.perf_counter()
            window._drain()
            window.table.update_now()
            app.processEvents()
            slowest = max(slowest, time.perf_counter() - started)
    assert slowest < HANG_S, f"the window did not answer for {slowest:.2f} s"


def test_a_part_is_played_and_then_it_pauses(play, recording_path):
    player, feed = play(recording_path, cell_budget=0.0)
    wait_for(lambda: player.finished, "for the end")
    feed.all_frames.clear()
    player.play_part(3 * FRAME, 5 * FRAME)
    wait_for(lambda: not player.playing and not player.ended, "for the pause")
    wait_for(lambda: len(feed.all_frames) >= 2, "for the frames")
    assert player.position == pytest.approx(5 * FRAME / RATE)
    assert file_places(feed) == [(3 * FRAME, 4 * FRAME), (4 * FRAME, 5 * FRAME)]
    player.play()
    wait_for(lambda: player.finished, "for the end")
    assert player.position == player.recording.duration


@pytest.mark.parametrize(
    "seconds, duration, words",
    [(0.0032, 0.006, "3.20 ms"), (1.234, 2.0, "1.23 s"), (61.25, 600.0, "01:01.2"), (3661.25, 7200.0, "1:01:01.2")],
)
def test_places_are_as_fine_as_the_recording_is_long(seconds, duration, words):
    assert format_place(seconds, duration) == words


# Command line


def parse(*arguments):
    return cli.build_parser().parse_args(["watch", *map(str, arguments)])


@pytest.mark.parametrize(
    "arguments, said",
    [
        ([], "nothing to watch"),
        (["a", "--device", "driver=rtlsdr"], "both SOURCE"),
        (["--device", "driver=rtlsdr"], "--device needs --frequency"),
        (["a", "--frequency", "1.8G"], "--frequency is for"),
        (["a", "--server-key", "k"], "are for the address"),
        (["tcp://127.0.0.1:5560", "--picture", "a.png"], "--close-after"),
        (["tcp://127.0.0.1"], "tcp://HOST:PORT"),
        (["tcp://127.0.0.1:99999"], "port"),
    ],
)
def test_options_that_do_not_go_together_are_refused_with_the_next_step(arguments, said):
    with pytest.raises(ParameterError, match=said):
        watch.make_source(parse(*arguments), Feed(), dict(watch_settings.DEFAULTS))


@pytest.mark.parametrize(
    "arguments",
    [
        ["a", "--speed", "0.05"],
        ["a", "--speed", "fast"],
        ["a", "--workers", "0"],
        ["a", "--theme", "blue"],
        ["a", "b"],
        ["a", "--start", "x"],
        ["a", "--close-after", "0"],
    ],
)
def test_values_that_cannot_be_end_with_status_2(arguments, capsys):
    with pytest.raises(SystemExit) as error:
        parse(*arguments)
    assert error.value.code == 2


def test_the_speed_of_the_last_time_is_taken_unless_another_is_given(recording_path, all_lte):
    for given, remembered, wanted in (
        ([], 5.0, 5.0),
        ([], 0, FASTEST),
        (["--speed", "2"], 5.0, 2.0),
        (["--speed", "max"], 1.0, FASTEST),
    ):
        options = parse(recording_path, "--model", all_lte, *given)
        source = watch.make_source(options, Feed(), {**watch_settings.DEFAULTS, "speed": remembered})
        assert source.speed == wanted
        source.recording.close()


needs_xvfb = pytest.mark.skipif(shutil.which("xvfb-run") is None, reason="xvfb-run is not installed")


def command(*arguments, screen=True):
    """The command as a user starts it, with or without a screen."""
    before = ["xvfb-run", "-a", "-s", "-screen 0 1400x900x24"] if screen else []
    return [*before, sys.executable, "-m", "rpmsn.cli", "watch", *map(str, arguments)]


def environment(tmp_path, **changes):
    kept = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "QT_QPA_PLATFORM")}
    return {**kept, "PYTHONPATH": str(ROOT / "python"), "XDG_CONFIG_HOME": str(tmp_path / "config"), **changes}


def run(tmp_path, *arguments, screen=True, **changes):
    return subprocess.run(
        command(*arguments, screen=screen),
        env=environment(tmp_path, **changes),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PROCESS_S,
    )


@needs_xvfb
def test_the_command_shows_a_file_and_writes_a_picture(tmp_path, recording_path, all_lte):
    result = run(
        tmp_path, recording_path, "--model", all_lte, "--runtime", "torch", "--speed", "max", "--picture", "out.png"
    )
    assert result.returncode == 0, result.stderr
    assert "Traceback" not in result.stderr
    image = QtGui.QImage(str(tmp_path / "out.png"))
    assert (image.width(), image.height()) == (1280, 800)
    assert len({image.pixel(x, y) for x in range(0, 1280, 7) for y in range(0, 800, 7)}) > 50
    assert "speed: 0" in (tmp_path / "config/gr-rpmsn/watch.yml").read_text()


@needs_xvfb
def test_raw_samples_are_shown_with_format_and_rate(tmp_path, recording_path, all_lte):
    raw = tmp_path / "band.bin"
    recording_path.with_name("band.sigmf-data").rename(raw)
    result = run(
        tmp_path,
        raw,
        "--format",
        "cf32",
        "--sample-rate",
        RATE,
        "--center-frequency",
        CENTER,
        "--model",
        all_lte,
        "--runtime",
        "torch",
        "--speed",
        "max",
        "--picture",
        "out.png",
    )
    assert result.returncode == 0 and (tmp_path / "out.png").exists(), result.stderr


@needs_xvfb
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ctrl_c_closes_the_window_cleanly(number, tmp_path, recording_path, all_lte):
    process = subprocess.Popen(
        [
            "xvfb-run",
            "-a",
            "-s",
            "-screen 0 1400x900x24",
            "sh",
            "-c",
            'echo $$ > pid; exec "$@"',
            "sh",
            *command(recording_path, "--model", all_lte, "--runtime", "torch", "--loop", screen=False),
        ],
        env=environment(tmp_path),
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wait_for(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip())
        child = int((tmp_path / "pid").read_text())
        # The model is loaded when the window has been painted.
        wait_for(lambda: "libtorch" in Path(f"/proc/{child}/maps").read_text())
        os.kill(child, number)
        _, said = process.communicate(timeout=PROCESS_S)
    finally:
        process.kill()
    assert process.returncode == 0 and "Traceback" not in said, said
    assert (tmp_path / "config/gr-rpmsn/watch.yml").exists()


@needs_xvfb
def test_damaged_settings_do_not_keep_it_from_opening(tmp_path, recording_path, all_lte):
    (tmp_path / "config/gr-rpmsn").mkdir(parents=True)
    settings = tmp_path / "config/gr-rpmsn/watch.yml"
    settings.write_text("window: [")
    arguments = (recording_path, "--model", all_lte, "--runtime", "torch", "--close-after", "1")
    result = run(tmp_path, *arguments)
    assert result.returncode == 0 and "not valid YAML" in result.stderr and "window:" in settings.read_text()
    settings.write_text("theme: light\n")
    assert run(tmp_path, *arguments, "--reset-settings").returncode == 0
    assert "theme: system" in settings.read_text()


@pytest.mark.parametrize(
    "arguments, status, said",
    [
        (["nothing.sigmf-meta"], 1, "does not exist: check the name"),
        (["band.txt"], 1, "pass --format"),
        (["band.sigmf-meta", "--model", "no-such"], 1, "is unknown; there are"),
        (["band.sigmf-meta", "--runtime", "abacus"], 2, "abacus"),
        (["tcp://nowhere"], 2, "tcp://HOST:PORT"),
        (["band.sigmf-meta", "--start", "9"], 2, "lasts 0.48 s"),
        ([], 2, "nothing to watch"),
        (["band.sigmf-meta"], 1, "rpmsn monitor"),
        (["."], 1, "is a folder"),
    ],
)
def test_wrong_use_without_a_screen_ends_in_a_sentence(arguments, status, said, tmp_path, recording_path):
    (tmp_path / "band.txt").write_text("not samples")
    result = run(tmp_path, *arguments, screen=False)
    assert result.returncode == status and said in result.stderr, result.stderr
    assert "Traceback" not in result.stderr and len(result.stderr.splitlines()) == 1


@needs_xvfb
def test_a_model_that_breaks_while_it_is_loaded_ends_with_status_1(tmp_path, recording_path, all_lte):
    folder = tmp_path / "model"
    shutil.copytree(Path(all_lte).parent, folder)
    for weights in folder.glob("*.safetensors"):
        weights.write_bytes(b"broken")
    result = run(
        tmp_path, recording_path, "--model", folder / Path(all_lte).name, "--runtime", "torch", "--picture", "out.png"
    )
    assert result.returncode == 1 and "rpmsn" in result.stderr and not (tmp_path / "out.png").exists()


def test_the_window_is_painted_before_torch_is_loaded(tmp_path, recording_path, all_lte):
    script = f"""
import sys
from PyQt5 import QtCore
from rpmsn.gui.watch import window as watch_window
class Window(watch_window.WatchWindow):
    def paintEvent(self, event):
        if not hasattr(self, "seen"):
            self.seen = "torch" in sys.modules
            print("torch at first paint:", self.seen, flush=True)
        super().paintEvent(event)
watch_window.WatchWindow = Window
from rpmsn.cli.main import main
sys.exit(main(["watch", {str(recording_path)!r}, "--model", {str(all_lte)!r}, "--runtime", "torch",
               "--close-after", "1"]))
"""
    result = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        timeout=PROCESS_S,
        cwd=tmp_path,
        env=environment(tmp_path, QT_QPA_PLATFORM="offscreen"),
    )
    assert result.returncode == 0 and "torch at first paint: False" in result.stdout, result.stdout + result.stderr


def test_every_option_is_in_the_guide():
    guide = (ROOT / "docs" / "watch.md").read_text()
    parser = next(action for action in cli.build_parser()._actions if isinstance(action, argparse._SubParsersAction))
    for action in parser.choices["watch"]._actions:
        for option in action.option_strings if action.help != argparse.SUPPRESS else ():
            assert option in ("-h", "--help") or option in guide, f"docs/watch.md does not describe {option}"
