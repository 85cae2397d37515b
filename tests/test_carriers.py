# SPDX-License-Identifier: GPL-3.0-or-later
"""Carriers: one id over frames, neighbours apart, patches left out."""
from types import SimpleNamespace

import pytest

from rpmsn.inference.carriers import Tracker, consolidate
from rpmsn.inference.segments import Segment

RATE = 10e6
FRAME = 400_000


def segment(label, lower, upper, start, end, confidence=0.9):
    class_id = ("noise", "LTE", "NR", "other").index(label)
    return Segment(class_id, label, confidence, lower, upper, start, end, RATE, 20.0, -10.0, (0, 1), (0, 1))


def frame(number, *segments):
    geometry = SimpleNamespace(sample_rate=RATE)
    return SimpleNamespace(segments=list(segments), end_offset=(number + 1) * FRAME, geometry=geometry)


def whole(number, label="LTE", lower=-2e6, upper=2e6):
    return segment(label, lower, upper, number * FRAME, (number + 1) * FRAME)


def test_a_segment_of_every_frame_is_one_carrier_with_one_id():
    tracker = Tracker()
    kinds = [event.kind for number in range(5) for event in tracker.update(frame(number, whole(number)))]
    assert kinds == ["new", "update", "update", "update", "update"]
    (carrier,) = tracker.carriers
    assert (carrier.carrier_id, carrier.sample_start, carrier.sample_end) == (1, 0, 5 * FRAME)
    assert carrier.time_on_air == pytest.approx(5 * FRAME / RATE)
    assert [event.kind for event in tracker.finish()] == ["gone"]


def test_neighbours_of_one_class_stay_apart():
    tracker = Tracker()
    for number in range(3):
        tracker.update(frame(number, whole(number, lower=-4e6, upper=-0.1e6), whole(number, lower=0.1e6, upper=4e6)))
    assert len(tracker.carriers) == 2


def test_a_carrier_that_pauses_keeps_its_id_and_one_that_stays_away_is_gone():
    tracker = Tracker(hold_seconds=0.1)
    tracker.update(frame(0, whole(0)))
    assert not tracker.update(frame(1))
    assert [event.kind for event in tracker.update(frame(2, whole(2)))] == ["update"]
    events = [event for number in range(3, 8) for event in tracker.update(frame(number))]
    assert [event.kind for event in events] == ["gone"]
    assert [event.kind for event in tracker.update(frame(9, whole(9)))] == ["new"]
    assert [carrier.carrier_id for carrier in tracker.carriers] == [1, 2]


def test_edges_follow_the_bulk_of_the_segments_not_the_outliers():
    tracker = Tracker()
    for number in range(9):
        tracker.update(frame(number, whole(number)))
    tracker.update(frame(9, whole(9, lower=-2.9e6, upper=2.9e6)))
    (carrier,) = tracker.carriers
    assert (carrier.freq_lower, carrier.freq_upper) == (-2e6, 2e6)


def test_bursts_on_parts_of_a_carrier_belong_to_it():
    tracker = Tracker()
    tracker.update(frame(0, segment("NR", -3e6, 3e6, 0, 200_000), segment("NR", -1e6, 0, 300_000, 350_000)))
    assert len(tracker.carriers) == 1


def test_a_patch_of_another_class_inside_a_carrier_is_left_out():
    tracker = Tracker()
    for number in range(10):
        tracker.update(frame(number, whole(number)))
    tracker.update(frame(10, whole(10), segment("NR", -0.5e6, 0.5e6, 10 * FRAME, 10 * FRAME + 60_000)))
    assert [carrier.label for carrier in consolidate(tracker.carriers)] == ["LTE"]


def test_what_is_beside_a_carrier_is_reported_lowest_first():
    tracker = Tracker()
    tracker.update(frame(0, whole(0), segment("other", 3e6, 3.2e6, 0, FRAME), segment("NR", -4.8e6, -3e6, 0, FRAME)))
    assert [carrier.label for carrier in consolidate(tracker.carriers)] == ["NR", "LTE", "other"]


def test_time_on_air_counts_what_two_segments_share_once():
    tracker = Tracker()
    tracker.update(frame(0, segment("NR", -3e6, 3e6, 0, 200_000), segment("NR", -1e6, 0, 100_000, 350_000)))
    assert tracker.carriers[0].time_on_air == pytest.approx(350_000 / RATE)
