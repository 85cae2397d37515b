# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows that `rpmsn watch` shows of a recording before the network is loaded: they get their classes, and stay."""

import threading

import numpy as np
import pytest

pytest.importorskip("PyQt5.QtWidgets", reason="PyQt5 is not installed")
pytest.importorskip("pyqtgraph", reason="pyqtgraph is not installed")

from test_watch import CENTER, FRAME, FRAMES, app, own_settings, places, play, wait_for, write_recording

from rpmsn.classes import LTE, NOISE
from rpmsn.gui.watch import settings as watch_settings
from rpmsn.gui.watch.player import PREVIEW_SECONDS, Player
from rpmsn.gui.watch.window import WatchWindow

__all__ = ["app", "own_settings", "play"]

SHOWN = round(PREVIEW_SECONDS / 0.04) + 1


@pytest.fixture
def held(monkeypatch):
    """The analysis is loaded when this event is set."""
    event, load = threading.Event(), Player._load

    def wait_and_load(player):
        event.wait()
        return load(player)

    monkeypatch.setattr(Player, "_load", wait_and_load)
    yield event
    event.set()


def test_the_first_frames_come_before_the_model_and_are_those_of_the_analysis(play, held, tmp_path):
    player, feed = play(write_recording(tmp_path))
    wait_for(lambda: len(feed.previews) == SHOWN)
    assert not feed.all_frames
    held.set()
    wait_for(lambda: player.finished)
    assert len(feed.previews) == SHOWN and places(feed) == [(k * FRAME, (k + 1) * FRAME) for k in range(FRAMES)]
    for (early, image, _), (fields, same, _) in zip(feed.previews, feed.all_frames):
        for key in ("pdu_num", "start_offset", "end_offset", "rx_time", "center_frequency", "rows"):
            assert early[key] == fields[key], key
        assert np.abs(image.astype(int) - same).max() <= 1


def test_finer_rows_come_first_without_classes_too_and_may_change_while_it_plays(play, held, tmp_path):
    player, feed = play(write_recording(tmp_path), columns=4096)
    wait_for(lambda: len(feed.previews) == SHOWN)
    held.set()
    wait_for(lambda: player.finished)
    for (early, image, _), (fields, same, mask) in zip(feed.previews, feed.all_frames):
        assert image.shape == same.shape == mask.shape == (16, 4096)
        assert early["noise_floor_db"] == pytest.approx(fields["noise_floor_db"], abs=0.01)
        assert np.abs(image.astype(int) - same).max() <= 1
    player.set_columns(1024)
    player.play()
    wait_for(lambda: len(feed.all_frames) == 2 * FRAMES)
    assert feed.all_frames[-1][1].shape == (64, 1024)


def test_rows_in_the_picture_get_their_classes_and_stay(app, play, held, tmp_path):
    player, feed = play(write_recording(tmp_path), cell_budget=0.0)
    settings = {**watch_settings.load_settings(watch_settings.settings_path()), "theme": "dark"}
    window = WatchWindow(player, feed, settings)
    window.show()
    history = window.waterfall.history
    wait_for(lambda: history.newest is not None and history.newest.end_offset == SHOWN * FRAME, app=app)
    assert {chunk.mask[: chunk.rows].max() for chunk in history.chunks} == {NOISE}
    assert not window.table.model.rows
    before = [chunk.image[: chunk.rows].copy() for chunk in history.chunks]
    held.set()
    wait_for(lambda: player.finished and history.newest.end_offset == FRAMES * FRAME, app=app)
    window._drain()
    window.waterfall._tick()
    assert history.newest_y == pytest.approx(FRAMES * 0.04) and not history.breaks and not history.unclassified
    assert {np.unique(chunk.mask[: chunk.rows]).tolist()[0] for chunk in history.chunks} == {LTE}
    assert np.array_equal(history.chunks[0].image[: len(before[0])], before[0])
    assert window.table.model.rows
    window.close()
    window.stop_sources()
    app.processEvents()


@pytest.mark.parametrize("place", [0.0, 0.24])
def test_where_another_place_is_chosen_meanwhile_the_rows_are_of_that(app, play, held, tmp_path, place):
    player, feed = play(write_recording(tmp_path), cell_budget=0.0)
    wait_for(lambda: len(feed.previews) == SHOWN)
    player.pause()
    player.seek(place)
    held.set()
    wait_for(lambda: len(feed.all_frames) == 1)
    assert file_start(feed.all_frames[0][0]) == pytest.approx(place)


def test_what_cannot_be_shown_is_left_to_the_analysis(play, held, tmp_path):
    path = write_recording(tmp_path)
    samples = np.fromfile(path.with_suffix(".sigmf-data"), np.complex64)
    samples[FRAME + 5] = np.nan
    samples.tofile(path.with_suffix(".sigmf-data"))
    player, feed = play(path)
    wait_for(lambda: len(feed.previews) == 1)
    held.set()
    wait_for(lambda: player.finished)
    assert len(feed.previews) == 1 and len(feed.all_frames) == FRAMES


@pytest.mark.parametrize("frames", [0.25, 1, 1.5])
def test_a_short_recording_is_shown_too(play, held, tmp_path, frames):
    path = write_recording(tmp_path, frames=1)
    samples = np.tile(np.fromfile(path.with_suffix(".sigmf-data"), np.complex64), 2)[: int(frames * FRAME)]
    samples.tofile(path.with_suffix(".sigmf-data"))
    player, feed = play(path)
    wait_for(lambda: feed.previews)
    held.set()
    wait_for(lambda: player.finished)
    (early, image, _), (fields, same, _) = feed.previews[0], feed.all_frames[0]
    assert early["end_offset"] == fields["end_offset"] and np.abs(image.astype(int) - same).max() <= 1


def test_frames_of_another_frequency_are_not_ahead_of_their_capture(play, held, tmp_path):
    captures = [{"core:sample_start": 0, "core:frequency": CENTER}]
    captures += [{"core:sample_start": 2 * FRAME + 10, "core:frequency": CENTER + 1e6}]
    player, feed = play(write_recording(tmp_path, captures))
    wait_for(lambda: len(feed.previews) == 2)
    held.set()
    wait_for(lambda: player.finished)
    assert len(feed.previews) == 2 and {fields["center_frequency"] for fields, _, _ in feed.previews} == {CENTER}


def file_start(fields):
    """Where a frame begins, s from the start of the recording."""
    whole, fraction = fields["rx_time"]
    return whole - 1_714_564_987 + fraction - 0.5
