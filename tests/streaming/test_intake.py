# SPDX-License-Identifier: GPL-3.0-or-later
"""A running stream: the clock, and the hand-over between threads."""

import numpy as np
import pytest

from rpmsn.streaming.intake import Intake, StreamTime

CLOCK = StreamTime(0, 1_700_000_000, 0.25, 61.44e6, "radio")


def samples(n):
    return np.arange(n).astype(np.complex64)


@pytest.mark.parametrize("offset", [0, 1, 61_440_000, 61_440_000 * 86_400 + 17])
@pytest.mark.parametrize("rate", [61.44e6, 1_920_000.5, 1e6])
def test_time_of_a_sample_is_right_to_a_nanosecond_after_a_day(offset, rate):
    from fractions import Fraction

    clock = StreamTime(0, 1_700_000_000, 0.25, rate, "radio")
    seconds, fraction = clock.at(offset)
    exact = Fraction(1, 4) + Fraction(offset) / Fraction(rate)
    assert 0 <= fraction < 1
    assert abs(float(seconds - 1_700_000_000 + Fraction(fraction) - exact)) < 1e-9


@pytest.mark.parametrize("lost", [0, 1, 1000, 614_400_000, -5])
def test_gap_is_counted_in_samples(lost):
    offset = 61_440_000 * 3 + 5
    seconds, fraction = CLOCK.at(offset + lost)
    assert CLOCK.lost_before(offset, seconds, fraction) == lost


def test_replay_takes_what_fits_and_drops_nothing():
    intake = Intake(100, live=False, depth=2)
    assert intake.write(samples(350), 0, 0.0, CLOCK) == 200
    job = intake.get(0)
    assert (job.start_offset, len(job.samples), job.ends) == (0, 100, False)
    intake.done(job)
    assert intake.write(samples(150), 200, 0.0, CLOCK) == 100
    assert (intake.received, intake.dropped) == (300, 0)


def test_live_never_waits_and_counts_the_whole_frames_that_it_drops():
    intake = Intake(100, live=True, depth=2)
    assert intake.write(samples(450), 0, 0.0, CLOCK) == 450
    # The oldest that wait make room, so that what is analysed is never old.
    assert (intake.received, intake.dropped, intake.frames_dropped) == (450, 300, 3)
    intake.done(intake.get(0))
    assert intake.write(samples(150), 450, 0.0, CLOCK) == 150
    assert (intake.received, intake.dropped, intake.frames_dropped) == (600, 300, 3)
    assert [intake.get(0).start_offset for _ in range(2)] == [400, 500]


def test_a_held_analysis_gets_no_frames_and_what_waited_is_counted_with_them():
    intake = Intake(100, live=True, depth=4)
    intake.write(samples(250), 0, 0.0, CLOCK)
    intake.held = True
    intake.write(samples(200), 250, 0.0, CLOCK)
    intake.held = False
    intake.write(samples(150), 450, 0.0, CLOCK)
    counts = intake.counts()
    assert (counts.late, counts.yielded, counts.frames_late) == (500, 500, 5)
    assert (intake.get(0).start_offset, intake.get(0)) == (500, None)


def test_cut_hands_over_what_there_is():
    intake = Intake(100, live=False)
    intake.write(samples(30), 5, 1e9, CLOCK)
    intake.cut()
    intake.write(samples(10), 35, 2e9, CLOCK)
    intake.close()
    jobs = [intake.get(0), intake.get(0)]
    assert [(job.start_offset, len(job.samples), job.center_frequency, job.ends) for job in jobs] == [
        (5, 30, 1e9, True),
        (35, 10, 2e9, True),
    ]
    assert intake.finished and intake.get(0) is None
