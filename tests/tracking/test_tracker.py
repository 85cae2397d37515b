# SPDX-License-Identifier: GPL-3.0-or-later
"""Carriers: when they are reported, one id over frames and retunes, neighbours apart, pieces together, bounds."""

import gc
import random
import statistics
import time
import tracemalloc
from types import SimpleNamespace

import pytest

from rpmsn.classes import CLASS_NAMES
from rpmsn.detection.segments import FrameGeometry, Segment
from rpmsn.errors import ParameterError
from rpmsn.signal.quality import OK, Finding, InputQuality
from rpmsn.tracking.track import Observation
from rpmsn.tracking.tracker import Tracker, consolidate

RATE = 10.24e6
COLUMN = RATE / 256
FRAME_S = 0.04
FRAME = round(FRAME_S * RATE)
NOT_JUDGED = InputQuality((Finding("overload", "overload", False),))


def seg(label, lower, upper, start=0.0, end=1.0, confidence=0.9, snr_db=20.0):
    """A segment in MHz, from one fraction of the frame to another; the frame gives it its place in time."""
    return label, lower * 1e6, upper * 1e6, start, end, confidence, snr_db


class Stream:
    """A tracker that is given frame after frame; segments are as of `seg`, frequencies absolute."""

    def __init__(self, center=0.0, rate=RATE, **arguments):
        self.tracker = Tracker(**arguments)
        self.center, self.rate, self.offset = center * 1e6, rate, 0
        self.events = []

    def frame(self, *segments, condition=OK, seconds=FRAME_S, skipped_s=0.0):
        """One more frame; returns its events as (kind, id)."""
        samples = round(seconds * self.rate)
        start = self.offset + round(skipped_s * self.rate)
        self.offset = start + samples
        geometry = FrameGeometry(self.rate, self.center, start, samples, 256)
        made = [self._segment(geometry, *one) for one in segments]
        frame = SimpleNamespace(segments=made, end_offset=self.offset, geometry=geometry, condition=condition)
        return self._note(self.tracker.update(frame))

    def frames(self, count, *segments, **arguments):
        """Several frames alike; returns the events of all."""
        return [event for _ in range(count) for event in self.frame(*segments, **arguments)]

    def finish(self):
        return self._note(self.tracker.finish())

    def resume(self):
        self.tracker.resume()

    def _segment(self, geometry, label, lower, upper, start, end, confidence, snr_db):
        first, after = (round((edge - self.center + self.rate / 2) / self.rate * 256) for edge in (lower, upper))
        return Segment(
            CLASS_NAMES.index(label),
            confidence,
            lower,
            upper,
            geometry.start_offset + round(start * geometry.samples),
            geometry.start_offset + round(end * geometry.samples),
            self.rate,
            snr_db,
            -10.0,
            (round(start * 256), round(end * 256)),
            (first, after),
        )

    def _note(self, events):
        self.events += events
        return [(event.kind, event.carrier.carrier_id) for event in events]

    @property
    def carriers(self):
        return self.tracker.carriers

    @property
    def bands(self):
        """(label, lower, upper) in MHz of those that are reported."""
        return [
            (one.label, round(one.freq_lower / 1e6, 2), round(one.freq_upper / 1e6, 2))
            for one in consolidate(self.carriers)
        ]


LTE = seg("LTE", -2, 2)


class TestQualifying:
    def test_a_carrier_is_new_in_the_second_frame_of_four_and_began_in_the_first(self):
        stream = Stream()
        assert stream.frame(LTE) == []
        assert stream.carriers == []
        assert stream.frame(LTE) == [("new", 1), ("update", 1)]
        assert [event.segment.start_offset for event in stream.events] == [0, FRAME]
        assert stream.frames(3, LTE) == [("update", 1)] * 3
        (carrier,) = stream.carriers
        assert carrier.is_qualified and (carrier.sample_start, carrier.sample_end) == (0, 5 * FRAME)
        assert carrier.time_on_air == pytest.approx(5 * FRAME_S)
        assert stream.finish() == [("gone", 1)]

    def test_new_comes_with_the_first_segment_and_one_event_for_each_further_one(self):
        stream = Stream()
        stream.frame(seg("NR", -3, 3, 0, 0.5))
        assert stream.frame(seg("NR", -3, 3, 0, 0.5), seg("NR", -1, 0, 0.7, 0.8)) == [("new", 1), *[("update", 1)] * 2]
        assert [event.segment.start_offset for event in stream.events] == [0, FRAME, FRAME + round(0.7 * FRAME)]

    def test_every_segment_of_the_frames_that_it_qualified_in_is_reported_once(self):
        stream = Stream(qualify_frames=3, of_frames=4)
        for seen in (1, 0, 1, 1, 1):
            stream.frame(*[LTE] * seen)
        assert [event.segment.start_offset // FRAME for event in stream.events] == [0, 2, 3, 4]

    def test_segments_further_back_than_the_frames_it_may_qualify_in_are_not_reported(self):
        stream = Stream(qualify_frames=3, of_frames=4)
        for seen in (1, 1, 0, 0, 1, 1, 1):
            stream.frame(*[LTE] * seen)
        assert [event.segment.start_offset // FRAME for event in stream.events] == [4, 5, 6]

    def test_flicker_is_never_reported(self):
        stream = Stream()
        for number in range(40):
            stream.frame(*([seg("other", 1, 1.5)] if number % 5 == 0 else []))
        assert stream.events == [] and stream.finish() == []

    def test_a_carrier_in_every_third_frame_is_reported_and_stays(self):
        stream = Stream()
        for number in range(30):
            stream.frame(*([LTE] if number % 3 == 0 else []))
        assert [event.kind for event in stream.events] == ["new"] + ["update"] * 9

    def test_how_often_is_a_choice(self):
        assert Stream(qualify_frames=1).frame(LTE) == [("new", 1)]
        stream = Stream(qualify_frames=3, of_frames=5)
        assert stream.frames(2, LTE) == [] and stream.frame() == []
        assert stream.frame(LTE) == [("new", 1), *[("update", 1)] * 2]

    def test_one_frame_is_enough_where_there_is_no_other(self):
        stream = Stream()
        stream.frame(LTE, seg("other", 3, 3.5, 0.2, 0.3), seg("other", 3, 3.5, 0.6, 0.7))
        assert stream.finish() == [("new", 1), ("new", 2), ("update", 2), ("gone", 1), ("gone", 2)]
        assert [event.segment is None for event in stream.events] == [False] * 3 + [True] * 2
        assert len(stream.carriers) == 2

    @pytest.mark.parametrize("frames, seen, is_reported", [(2, 1, True), (3, 1, False), (3, 2, True), (9, 1, False)])
    def test_of_a_short_stream_half_of_the_frames_are_enough(self, frames, seen, is_reported):
        stream = Stream()
        for number in range(frames):
            stream.frame(*([LTE] if number >= frames - seen else []))
        stream.finish()
        assert bool(stream.carriers) == is_reported

    def test_a_stream_that_goes_on_after_its_end_keeps_the_numbers_of_what_was_on(self):
        stream = Stream(center=100.0)
        stream.frames(4, seg("LTE", 98, 99))
        stream.frames(25, seg("NR", 101, 102))
        assert stream.finish() == [("gone", 2)], "1 was gone before"
        stream.resume()
        assert stream.frame(seg("NR", 101, 102)) == [("update", 2)]
        assert [carrier.carrier_id for carrier in stream.tracker.carriers] == [1, 2], "each is there once"
        assert ("new", 3) in stream.frames(2, seg("NR", 101, 102), seg("LTE", 98, 99)), "numbers go on"
        assert sorted(stream.finish()) == [("gone", 2), ("gone", 3)]

    def test_a_short_rest_of_a_frame_does_not_speak_against_a_carrier(self):
        stream = Stream()
        stream.frame(LTE)
        stream.frame(seconds=0.002)
        stream.finish()
        assert stream.bands == [("LTE", -2.0, 2.0)]

    def test_frames_that_are_not_judged_do_not_count(self):
        stream = Stream()
        for number in range(20):
            stream.frame(*([LTE] if number in (3, 12) else []), condition=OK if number in (3, 12) else NOT_JUDGED)
        assert [event.kind for event in stream.events] == ["new", "update"]

    def test_a_spurious_nested_detection_is_not_reported(self):
        stream = Stream()
        stream.frames(3, LTE)
        assert {carrier_id for _, carrier_id in stream.frames(5, LTE, seg("NR", -0.5, 0.5, 0, 0.2))} == {1}

    @pytest.mark.parametrize(
        "arguments",
        [
            {"hold_seconds": -1},
            {"hold_outside_seconds": -0.1},
            {"qualify_frames": 0},
            {"qualify_frames": 5},
            {"of_frames": 0, "qualify_frames": 0},
            {"of_frames": 65},
            {"carriers_kept": -1},
        ],
    )
    def test_what_cannot_work_is_refused_by_name(self, arguments):
        with pytest.raises(ParameterError, match="|".join(arguments)):
            Tracker(**arguments)


class TestHolding:
    def test_a_carrier_that_pauses_keeps_its_id_and_one_that_stays_away_is_gone(self):
        stream = Stream(hold_seconds=0.1)
        stream.frames(2, LTE)
        assert stream.frames(2) == []
        assert stream.frame(LTE) == [("update", 1)]
        assert stream.frames(3) == [("gone", 1)]
        assert stream.frames(2, LTE) == [("new", 2), ("update", 2)]

    def test_bursts_of_a_carrier_are_one(self):
        stream = Stream()
        for number in range(60):
            stream.frame(*([seg("other", 1, 1.4, 0.1, 0.3)] if number % 10 in (0, 1, 2) else []))
        assert [carrier.carrier_id for carrier in stream.carriers] == [1]
        assert stream.carriers[0].time_on_air == pytest.approx(18 * 0.2 * FRAME_S, rel=1e-3)

    def test_samples_that_nobody_looked_at_are_no_silence(self):
        stream = Stream(hold_seconds=0.1)
        stream.frames(2, LTE)
        stream.frames(5, condition=NOT_JUDGED)
        assert stream.frame(LTE, skipped_s=20.0) == [("update", 1)]

    def test_but_not_forever(self):
        stream = Stream(hold_seconds=0.1, hold_outside_seconds=10.0)
        stream.frames(2, LTE)
        stream.frame(skipped_s=5.0)
        assert [kind for kind, _ in stream.frames(1, skipped_s=6.0)] == ["gone"]

    def test_a_frame_that_reaches_back_counts_its_new_samples(self):
        stream = Stream(hold_seconds=0.5)
        stream.frames(2, LTE)
        for _ in range(60):
            stream.offset -= round(0.9 * FRAME)
            stream.frame()
        assert [event.kind for event in stream.events] == ["new", "update"]


class TestRetunes:
    def test_there_and_back_is_the_same_carrier(self):
        stream = Stream(center=1800)
        here, there = seg("LTE", 1798, 1802), seg("LTE", 2598, 2602)
        for _ in range(10):
            stream.center = 1800e6
            stream.frames(25, here)
            stream.center = 2600e6
            stream.frames(25, there)
        assert [event.kind for event in stream.events].count("new") == 2
        assert "gone" not in {event.kind for event in stream.events}
        assert [round(carrier.center_frequency / 1e6) for carrier in stream.carriers] == [1800, 2600]

    def test_a_scan_with_one_frame_at_each_place_finds_carriers_and_keeps_them(self):
        stream = Stream()
        for _ in range(30):
            for center in (1800, 1820, 1840, 1860):
                stream.center = center * 1e6
                stream.frame(*([seg("LTE", center - 1, center + 1)] if center != 1840 else []))
        assert [event.kind for event in stream.events].count("new") == 3 == len(stream.carriers)

    def test_a_carrier_of_a_scan_that_was_switched_off_is_gone_after_it_was_looked_for(self):
        stream = Stream(hold_seconds=0.1)
        for turn in range(10):
            for center in (1800, 1820):
                stream.center = center * 1e6
                stream.frame(*([seg("LTE", center - 1, center + 1)] if turn < 4 else []))
        assert sorted(event.carrier.carrier_id for event in stream.events if event.kind == "gone") == [1, 2]

    def test_outside_the_span_it_is_kept_for_a_bounded_time(self):
        stream = Stream(center=1800, hold_outside_seconds=2.0)
        stream.frames(2, seg("LTE", 1798, 1802))
        stream.center = 2600e6
        assert stream.frames(45) == []
        assert stream.frames(10) == [("gone", 1)]

    def test_a_neighbouring_span_shows_the_rest_of_a_carrier(self):
        stream = Stream(center=1800)
        # 1802 to 1810 MHz, of which the span shows all up to its end at 1805.12.
        stream.frames(5, seg("LTE", 1802, 1805.1))
        (carrier,) = stream.carriers
        assert (carrier.cut_lower, carrier.cut_upper) == (False, True)
        assert carrier.freq_upper == pytest.approx(1805.1e6)
        stream.center = 1806e6
        assert stream.frame(seg("LTE", 1802, 1810)) == [("update", 1)]
        assert (carrier.freq_lower, carrier.freq_upper) == (1802e6, 1810e6)
        assert not carrier.cut_upper

    def test_the_end_of_the_span_does_not_pull_an_edge_in(self):
        stream = Stream(center=1806)
        stream.frames(5, seg("LTE", 1802, 1810))
        stream.center = 1800e6
        assert {carrier_id for _, carrier_id in stream.frames(50, seg("LTE", 1802, 1805.1))} == {1}
        assert stream.carriers[0].freq_upper == 1810e6 and not stream.carriers[0].cut_upper

    def test_a_carrier_wider_than_the_span_has_no_edges(self):
        stream = Stream()
        stream.frames(3, seg("NR", -5.12, 5.1))
        assert (stream.carriers[0].cut_lower, stream.carriers[0].cut_upper) == (True, True)

    def test_a_carrier_of_which_little_is_in_view_is_not_missed(self):
        stream = Stream(center=1800, hold_seconds=0.1)
        stream.frames(3, seg("LTE", 1798, 1802))
        stream.center = 1806.5e6
        assert stream.frames(20) == []

    def test_another_sample_rate_leaves_times_right(self):
        stream = Stream()
        stream.frames(5, LTE)
        stream.rate = 2 * RATE
        stream.frames(5, LTE)
        (carrier,) = stream.carriers
        assert carrier.time_on_air == pytest.approx(10 * FRAME_S)
        assert carrier.duration == pytest.approx(10 * FRAME_S)
        assert carrier.sample_count == 15 * FRAME
        assert carrier.sample_rate == 2 * RATE


class TestNeighbours:
    # Five columns between them.
    LEFT, RIGHT, BOTH = seg("LTE", -4, -0.1), seg("LTE", 0.1, 4), seg("LTE", -4, 4)

    def test_they_stay_apart(self):
        stream = Stream()
        stream.frames(5, self.LEFT, self.RIGHT)
        assert stream.bands == [("LTE", -4.0, -0.1), ("LTE", 0.1, 4.0)]

    def test_one_that_comes_later_is_its_own(self):
        stream = Stream()
        stream.frames(20, self.LEFT)
        assert ("new", 2) in stream.frames(20, self.LEFT, self.RIGHT)
        assert stream.bands == [("LTE", -4.0, -0.1), ("LTE", 0.1, 4.0)]

    @pytest.mark.parametrize("label", ["LTE", "NR", "other"])
    def test_a_segment_over_both_is_divided_between_them(self, label):
        stream = Stream()
        left, right = seg(label, -4, -0.1), seg(label, 0.1, 4)
        stream.frames(5, left, right)
        assert stream.frame(seg(label, -4, 4)) == [("update", 1), ("update", 2)]
        pieces = [event.segment for event in stream.events[-2:]]
        assert sorted((piece.freq_lower, piece.freq_upper) for piece in pieces) == [(-4e6, -0.1e6), (0.1e6, 4e6)]
        assert sorted(piece.columns for piece in pieces) == [(28, 126), (131, 228)]
        assert stream.bands == [(label, -4.0, -0.1), (label, 0.1, 4.0)]

    def test_three_too(self):
        stream = Stream()
        edges = [(-4, -2), (-1.5, 1), (1.5, 4)]
        stream.frames(5, *(seg("other", *band) for band in edges))
        stream.frames(3, seg("other", -4, 4))
        assert [band[1:] for band in stream.bands] == [(-4.0, -2.0), (-1.5, 1.0), (1.5, 4.0)]

    def test_an_outer_edge_of_a_divided_segment_counts(self):
        stream = Stream()
        stream.frames(3, self.LEFT, self.RIGHT)
        for _ in range(4):
            stream.frame(seg("LTE", -4.4, 4.4))
            stream.frame(seg("LTE", -4.4, -0.1), seg("LTE", 0.1, 4.4))
        assert stream.bands == [("LTE", -4.4, -0.1), ("LTE", 0.1, 4.4)]

    def test_frames_that_show_one_wide_piece_now_and_then_change_nothing(self):
        stream = Stream()
        for number in range(100):
            stream.frame(*([self.BOTH] if number % 3 == 2 else [self.LEFT, self.RIGHT]))
        assert stream.bands == [("LTE", -4.0, -0.1), ("LTE", 0.1, 4.0)] and len(stream.carriers) == 2

    def test_two_that_never_are_apart_any_more_are_one_in_the_end(self):
        stream = Stream()
        stream.frames(5, self.LEFT, self.RIGHT)
        stream.frames(9, self.BOTH)
        assert len(stream.bands) == 2
        assert "gone" in [kind for kind, _ in stream.frames(3, self.BOTH)]
        stream.frames(30, self.BOTH)
        assert stream.bands == [("LTE", -4.0, 4.0)]

    def test_the_longer_they_were_apart_the_longer_they_stay(self):
        stream = Stream()
        stream.frames(60, self.LEFT, self.RIGHT)
        assert "gone" not in [kind for kind, _ in stream.frames(50, self.BOTH)]

    def test_a_wide_piece_that_turns_out_to_be_two_becomes_two(self):
        stream = Stream()
        stream.frames(3, self.BOTH)
        events = stream.frames(15, self.LEFT, self.RIGHT)
        assert events[:18] == [("update", 1)] * 18
        assert events[18:21] == [("gone", 1), ("new", 2), ("new", 3)]
        assert [
            (round(one.freq_lower / 1e6, 1), one.sample_start // FRAME, one.sample_end // FRAME)
            for one in stream.carriers
        ] == [(-4.0, 0, 3), (-4.0, 3, 18), (0.1, 3, 18)]
        assert sum(one.time_on_air for one in stream.carriers[:2]) == pytest.approx(18 * FRAME_S)

    def test_a_gap_that_a_segment_crosses_now_and_then_does_not_split_it(self):
        stream = Stream()
        stream.frames(3, self.BOTH)
        for number in range(60):
            stream.frame(*([self.BOTH] if number % 8 == 7 else [self.LEFT, self.RIGHT]))
        assert len(stream.carriers) == 1

    def test_a_long_time_as_one_needs_a_long_time_as_two(self):
        stream = Stream()
        stream.frames(60, self.BOTH)
        assert "gone" not in [kind for kind, _ in stream.frames(40, self.LEFT, self.RIGHT)]
        assert "gone" in [kind for kind, _ in stream.frames(40, self.LEFT, self.RIGHT)]

    def test_a_fade_that_cuts_a_carrier_in_one_frame_leaves_one(self):
        stream = Stream()
        stream.frame(self.LEFT, self.RIGHT)
        stream.frames(20, self.BOTH)
        assert stream.bands == [("LTE", -4.0, 4.0)]


class TestNrInPieces:
    def test_bursts_on_parts_of_a_carrier_belong_to_it(self):
        stream = Stream()
        stream.frames(2, seg("NR", -3, 3, 0, 0.5), seg("NR", -1, 0, 0.7, 0.9))
        assert len(stream.carriers) == 1

    def test_a_wide_segment_joins_the_pieces_that_it_covers(self):
        stream = Stream()
        random_ = random.Random(1)
        for _ in range(4):
            stream.frame(seg("NR", -4, -1 - random_.random(), 0, 0.2), seg("NR", random_.random(), 4, 0.5, 0.8))
        assert len(stream.carriers) == 2
        assert ("gone", 2) in stream.frame(seg("NR", -4, 4, 0.1, 0.2))
        stream.frame(seg("NR", -4, 4, 0.1, 0.2))
        assert stream.bands == [("NR", -4.0, 4.0)]
        assert stream.carriers[0].sample_start == 0

    def test_pieces_whose_bands_overlap_in_the_long_run_are_one(self):
        stream = Stream()
        for number in range(12):
            shift = 0.1 * (number % 3)
            stream.frame(seg("NR", -4 + shift, 0.5, 0, 0.3), seg("NR", -0.5, 4 - shift, 0.5, 0.8))
        assert stream.bands == [("NR", -4.0, 4.0)]

    def test_pieces_side_by_side_that_go_on_and_off_together_are_one(self):
        stream = Stream()
        for number in range(4):
            edge = 0.3 * number
            stream.frame(seg("NR", -3, edge, 0.2, 0.5), seg("NR", edge + COLUMN / 1e6, 3, 0.21, 0.5))
        assert stream.bands == [("NR", -3.0, 3.0)]

    @pytest.mark.parametrize("gap_columns, times", [(5, (0.2, 0.5)), (1, (0.0, 1.0))])
    def test_true_neighbours_do_not_come_together(self, gap_columns, times):
        stream = Stream()
        for _ in range(30):
            stream.frame(seg("NR", -4, 0, *times), seg("NR", gap_columns * COLUMN / 1e6, 4, *times))
        assert len(stream.bands) == 2

    def test_gaps_that_move_with_the_traffic_do_not_split_a_carrier(self):
        stream = Stream()
        random_ = random.Random(2)
        stream.frames(3, seg("NR", -4, 4))
        for _ in range(200):
            middle = random_.uniform(-2, 2)
            stream.frame(seg("NR", -4, middle - 0.5), seg("NR", middle + 0.5, 4))
        assert len(stream.carriers) == 1 and stream.bands == [("NR", -4.0, 4.0)]

    def test_random_bursts_within_a_band_leave_one_carrier(self):
        stream = Stream()
        random_ = random.Random(3)
        stream.frame(seg("NR", -4, 4, 0, 0.1))
        for _ in range(200):
            edges = [sorted(random_.uniform(-4, 4) for _ in range(2)) for _ in range(4)]
            stream.frame(*(seg("NR", *band, 0.2 * index, 0.2 * index + 0.15) for index, band in enumerate(edges)))
        assert len(stream.bands) == 1
        label, lower, upper = stream.bands[0]
        assert lower < -3 and upper > 3


class TestEdges:
    def test_they_follow_the_bulk_of_the_segments_not_the_outliers(self):
        stream = Stream()
        stream.frames(18, LTE)
        stream.frames(2, seg("LTE", -2.9, 2.9))
        assert stream.bands == [("LTE", -2.0, 2.0)]

    @pytest.mark.parametrize("label", ["LTE", "other"])
    def test_they_sharpen_with_time(self, label):
        def error(frames, seed):
            stream, random_ = Stream(), random.Random(seed)
            for _ in range(frames):
                stream.frame(seg(label, -2 + random_.gauss(0, 0.05), 2 + random_.gauss(0, 0.05)))
            # What a quantile of noise settles at is not what is measured here, but how well.
            return stream.carriers[0].bandwidth

        spread = {frames: statistics.stdev(error(frames, seed) for seed in range(20)) for frames in (2, 100)}
        assert spread[100] < spread[2] / 3

    def test_they_follow_a_carrier_that_has_become_wider(self):
        stream = Stream()
        stream.frames(300, LTE)
        stream.frames(300, seg("LTE", -3, 3))
        assert stream.bands == [("LTE", -3.0, 3.0)]

    def test_means_are_weighted_by_duration_and_bandwidth(self):
        stream = Stream()
        stream.frames(2, seg("NR", -3, 3, 0, 0.5, confidence=0.9), seg("NR", -1, 0, 0.6, 0.9, confidence=0.5))
        assert stream.carriers[0].confidence == pytest.approx((3 * 0.9 + 0.3 * 0.5) / 3.3)

    def test_time_on_air_counts_what_two_segments_have_in_common_once(self):
        stream = Stream(qualify_frames=1)
        stream.frame(seg("NR", -3, 3, 0, 0.5), seg("NR", -1, 0, 0.25, 0.875))
        assert stream.carriers[0].time_on_air == pytest.approx(0.875 * FRAME_S)


class TestLabels:
    def test_a_frame_with_another_label_changes_nothing(self):
        stream = Stream()
        for label in ("LTE", "LTE", "NR", "LTE", "LTE", "other", "LTE"):
            stream.frame(seg(label, -2, 2))
        assert stream.bands == [("LTE", -2.0, 2.0)] and [event.kind for event in stream.events].count("new") == 1

    def test_clear_evidence_changes_it_under_the_same_id(self):
        stream = Stream()
        stream.frames(3, LTE)
        labels = []
        for _ in range(20):
            stream.frame(seg("NR", -2, 2))
            labels.append(stream.carriers[0].label)
        assert labels[:2] == ["LTE", "LTE"] and labels[-1] == "NR"
        assert {event.carrier.carrier_id for event in stream.events} == {1}
        assert stream.events[-1].kind == "update" and stream.events[-1].carrier.class_id == CLASS_NAMES.index("NR")

    def test_doubt_that_lasts_is_other_and_the_label_does_not_flutter(self):
        stream, labels = Stream(), []
        for number in range(200):
            stream.frame(seg("NR" if number % 2 else "LTE", -2, 2))
            labels += [carrier.label for carrier in stream.carriers]
        assert labels[-1] == "other"
        assert sum(one != other for one, other in zip(labels, labels[1:])) <= 1

    def test_of_a_carrier_that_is_not_reported_yet_the_majority_decides(self):
        stream = Stream()
        stream.frame(seg("NR", -2, 2, 0.9, 1.0))
        stream.frame(LTE)
        assert stream.bands == [("LTE", -2.0, 2.0)]

    def test_a_carrier_of_another_class_inside_a_band_is_its_own(self):
        stream = Stream()
        stream.frames(5, seg("NR", -4, 0), seg("LTE", 0.5, 4), seg("other", 4.2, 4.4))
        assert [label for label, _, _ in stream.bands] == ["NR", "LTE", "other"]

    def test_labels_swapped_in_one_frame_leave_both_carriers(self):
        stream = Stream()
        stream.frames(5, seg("NR", -4, -0.5), seg("LTE", 0.5, 4))
        stream.frame(seg("LTE", -4, -0.5), seg("NR", 0.5, 4))
        stream.frames(5, seg("NR", -4, -0.5), seg("LTE", 0.5, 4))
        assert [label for label, _, _ in stream.bands] == ["NR", "LTE"] and len(stream.carriers) == 2


class TestReporting:
    def test_a_nested_detection_of_another_class_is_left_out(self):
        stream = Stream(qualify_frames=1)
        stream.frames(2, seg("NR", -0.5, 0.5, 0, 0.1))
        stream.frames(10, LTE, seg("NR", -0.5, 0.5, 0, 0.1))
        assert len(stream.carriers) == 2 and stream.bands == [("LTE", -2.0, 2.0)]

    def test_what_is_next_to_a_carrier_is_reported_lowest_first(self):
        stream = Stream()
        stream.frames(2, LTE, seg("other", 3, 3.2), seg("NR", -4.8, -3))
        assert [label for label, _, _ in stream.bands] == ["NR", "LTE", "other"]

    def test_a_detection_nested_in_a_nested_one_is_judged_by_the_carrier_that_stays(self):
        stream = Stream(qualify_frames=1)
        stream.frame(seg("LTE", -4, 4), seg("NR", -2, 1.5), seg("other", 1.1, 1.4))
        assert stream.bands == [("LTE", -4.0, 4.0)]

    def test_no_carriers_are_an_empty_list(self):
        assert consolidate([]) == []


class TestMemoryAndSpeed:
    def test_finished_carriers_are_kept_up_to_a_limit_and_the_rest_is_counted(self):
        stream = Stream(hold_seconds=0.0, carriers_kept=10)
        for number in range(25):
            stream.frames(2, seg("other", -4 + 0.3 * number, -3.9 + 0.3 * number))
        stream.finish()
        assert [carrier.carrier_id for carrier in stream.carriers] == list(range(16, 26))
        assert stream.tracker.forgotten == 15

    def test_all_are_kept_where_that_is_asked_for(self):
        stream = Stream(hold_seconds=0.0, carriers_kept=None)
        for number in range(600):
            stream.frames(2, seg("other", -4 + 0.01 * (number * 71 % 600), -3.99 + 0.01 * (number * 71 % 600)))
        stream.finish()
        assert len(stream.carriers) == 600 and stream.tracker.forgotten == 0

    def test_memory_does_not_grow_with_random_churn(self):
        stream, random_ = Stream(hold_seconds=0.1, carriers_kept=50), random.Random(4)

        def churn(frames):
            for _ in range(frames):
                stream.center = random_.choice((0.0, 100e6, 200e6))
                middles = [random_.uniform(-5, 5) + stream.center / 1e6 for _ in range(8)]
                stream.frame(
                    *(
                        seg(random_.choice(("LTE", "NR", "other")), middle - width, middle + width, 0.1, 0.5)
                        for middle, width in ((middle, random_.uniform(0.01, 0.3)) for middle in middles)
                    )
                )
                stream.events.clear()

        churn(400)
        tracemalloc.start()
        churn(20)
        gc.collect()  # what waits for it is there or not, as the tests before left the collector
        before = tracemalloc.get_traced_memory()[0]
        churn(600)
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0] - before
        tracemalloc.stop()
        assert len(stream.carriers) <= 50 + 1000
        assert grown < 400_000

    def test_no_more_are_followed_than_the_limit_and_the_strongest_stay(self, monkeypatch):
        monkeypatch.setattr("rpmsn.tracking.tracker.MAX_TRACKED", 20)
        stream, random_ = Stream(), random.Random(5)
        stream.frames(2, LTE)
        for _ in range(10):
            stream.frame(
                LTE, *(seg("other", lower, lower + 0.01) for lower in (random_.uniform(2.5, 5) for _ in range(60)))
            )
        assert ("gone", 1) not in stream.finish()[:-20]
        assert stream.bands[0] == ("LTE", -2.0, 2.0)

    def test_a_thousand_segments_of_two_hundred_carriers_cost_a_frame_little(self):
        # On a quiet core the reference loop takes about 8 ms, and a frame less than 20 ms.
        random_ = random.Random(6)
        stream = Stream(rate=61.44e6)
        width = 61.44 / 200

        def frame():
            segments = []
            for index in range(200):
                lower = -30.72 + index * width + 0.1 * width
                for part in range(5):
                    inset = random_.uniform(0, 0.05 * width)
                    segments.append(
                        seg(
                            "LTE" if index % 3 else "other",
                            lower + inset,
                            lower + 0.7 * width - inset,
                            0.2 * part,
                            0.2 * part + 0.18,
                        )
                    )
            return segments

        def seconds(work):
            started = time.process_time()
            work()
            return time.process_time() - started

        costs, references = [], []
        for _ in range(9):
            segments = frame()
            costs.append(seconds(lambda: stream.frame(*segments)))
            references.append(seconds(lambda: sum(number * number for number in range(200_000))))
        assert len(stream.carriers) == 200
        assert statistics.median(costs) < 6 * statistics.median(references)
        together = [seconds(lambda: consolidate(stream.carriers)) for _ in range(3)]
        assert statistics.median(together) < 6 * statistics.median(references)


class TestSweeps:
    """Observations that are rare and have holes, as sweeps of a scan are."""

    def sweeps(self, tracker, *shown, bands=((-5e6, 5e6),), passed_s=30.0):
        """Observe sweep after sweep; each of `shown` says whether the carrier of -2..2 MHz was seen."""
        events = []
        for is_shown in shown:
            self.end_s = getattr(self, "end_s", 0.0) + passed_s
            end_s = self.end_s
            observation = Observation(
                -5e6, 5e6, COLUMN, 0.04, passed_s, end_s, bands, True, lambda offset, end_s=end_s: end_s
            )
            segment = Segment(1, 0.9, -2e6, 2e6, 0, FRAME, RATE, 20.0, -10.0, (0, 256), (78, 178))
            events += [event.kind for event in tracker.observe(observation, [segment] if is_shown else [])]
        return events

    def tracker(self):
        return Tracker(qualify_frames=1, of_frames=1, hold_frames=2)

    def test_a_carrier_outlives_one_sweep_without_it_however_long_it_took_and_not_two(self):
        assert self.sweeps(self.tracker(), True, False, True) == ["new", "update"]
        assert self.sweeps(self.tracker(), True, False, False) == ["new", "gone"]

    def test_short_sweeps_hold_a_carrier_for_the_seconds_of_a_stream(self):
        assert self.sweeps(self.tracker(), True, *[False] * 4, passed_s=0.11) == ["new"]
        assert self.sweeps(self.tracker(), True, *[False] * 5, passed_s=0.11) == ["new", "gone"]

    def test_what_a_sweep_did_not_look_at_is_not_missed_until_the_hold_outside_is_over(self):
        tracker = self.tracker()
        hole = ((-5e6, -2.5e6), (2.5e6, 5e6))
        assert self.sweeps(tracker, True) == ["new"]
        assert self.sweeps(tracker, False, False, bands=hole) == []
        assert self.sweeps(tracker, False, bands=hole) == ["gone"]

    def test_an_end_next_to_a_hole_is_no_edge(self):
        tracker = self.tracker()
        self.sweeps(tracker, True, bands=((-5e6, 2e6), (2.5e6, 5e6)))
        (carrier,) = tracker.carriers
        assert (carrier.cut_lower, carrier.cut_upper) == (False, True)


def test_a_reset_ends_every_carrier_and_numbers_go_on():
    stream = Stream()
    stream.frames(3, LTE)
    assert [(event.kind, event.carrier.carrier_id) for event in stream.tracker.reset()] == [("gone", 1)]
    assert stream.carriers == [] and stream.frames(2, LTE) == [("new", 2), ("update", 2)]
    assert stream.finish() == [("gone", 2)]
