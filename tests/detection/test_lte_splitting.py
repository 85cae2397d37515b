# SPDX-License-Identifier: GPL-3.0-or-later
"""LTE carriers side by side: what is on at other moments, or wider than LTE can be, is split, and nothing else."""

import numpy as np
import pytest

from rpmsn.detection import lte_splitting
from rpmsn.detection.segments import FrameGeometry, find_segments

COLUMN_HZ = 240e3
FLOOR_DB = 0.0


def spectrum(*carriers, ripple_db=0.0, seed=1):
    """Levels of 256 columns, dB, shape (1, 256), with carriers (lower column, width in MHz, level in dB); fractions of
    columns count."""
    power = np.full(256, 10 ** (FLOOR_DB / 10))
    for lower, megahertz, level_db in carriers:
        upper = lower + megahertz * 1e6 / COLUMN_HZ
        fraction = np.clip(np.minimum(np.arange(256) + 1, upper) - np.maximum(np.arange(256), lower), 0, 1)
        power += fraction * 10 ** (level_db / 10)
    rng = np.random.default_rng(seed)
    slow = ripple_db * np.sin(np.arange(256) / 256 * 2 * np.pi * 9 + rng.uniform(0, 6))
    return (10 * np.log10(power) + slow + rng.normal(0, 0.1, 256))[None]


def over_time(levels, *traffic, rows=256, seed=1):
    """Levels of a spectrum over some rows; `traffic` are (first column, one after the last, dB of every row)."""
    rng = np.random.default_rng(seed)
    changed = np.repeat(levels, rows, axis=0) + rng.normal(0, 0.7, (rows, 256))
    for first, after, decibels in traffic:
        changed[:, first:after] += decibels[:, None]
    return changed


def bursts(seed, rows=256, decibels=6.0):
    """Traffic that comes and goes by subframes of 1 ms, 6 rows."""
    return decibels * np.repeat(np.random.default_rng(seed).random(rows // 6 + 1) < 0.5, 6)[:rows]


def boundaries(levels, *run):
    """`lte_splitting.boundaries` of levels in dB."""
    return lte_splitting.boundaries(10 ** (levels / 10), *run)


def end(lower, megahertz):
    return lower + megahertz * 1e6 / COLUMN_HZ


@pytest.mark.parametrize("step_db", [6, 12, -9])
@pytest.mark.parametrize("widths", [(18, 9), (4.5, 18), (13.5, 13.5)])
def test_two_carriers_of_different_level_are_split_between_them(widths, step_db):
    left, right = widths
    border = end(60, left) + 0.8
    levels = spectrum((60, left, 20), (border, right, 20 + step_db))
    cuts = boundaries(levels, 60, end(border, right), COLUMN_HZ)
    assert len(cuts) == 1 and abs(cuts[0] + 0.5 - border) <= 2


def test_what_is_as_wide_as_one_carrier_stays_one_whatever_its_level_does():
    levels = spectrum((60, 9, 20), (97.5, 9, 8))
    assert boundaries(levels, 60, 135, COLUMN_HZ) == []


@pytest.mark.parametrize("megahertz", [1.08, 2.7, 4.5, 9, 13.5, 18])
@pytest.mark.parametrize("ripple_db", [0, 3, 8])
def test_one_carrier_stays_whole_faded_or_not(megahertz, ripple_db):
    for seed in range(5):
        levels = spectrum((60, megahertz, 20), ripple_db=ripple_db, seed=seed)
        assert boundaries(levels, 60, end(60, megahertz), COLUMN_HZ) == []


@pytest.mark.parametrize("column_hz", [75e3, 240e3, 480e3])
def test_an_edge_that_is_a_little_off_makes_no_two_of_a_carrier(column_hz):
    middle, half = 128, 9e6 / column_hz
    levels = np.where(np.arange(256) < middle, 20.0, 10.0)[None]
    assert boundaries(levels, middle - half, middle + half + 0.5e6 / column_hz, column_hz) == []
    assert len(boundaries(levels, middle - half, middle + half + 1.5e6 / column_hz, column_hz)) == 1


def test_two_carriers_of_the_same_level_are_split_too():
    levels = spectrum((40, 18, 20), (40 + 75, 18, 20))
    cuts = boundaries(levels, 40, 40 + 150, COLUMN_HZ)
    assert len(cuts) == 1 and abs(cuts[0] + 0.5 - 115) <= 2


def test_three_carriers_are_split_twice():
    levels = spectrum((20, 18, 20), (20 + 75.5, 9, 10), (20 + 75.5 + 38, 13.5, 18))
    cuts = boundaries(levels, 20, 20 + 75.5 + 38 + 56.25, COLUMN_HZ)
    assert len(cuts) == 2 and abs(cuts[0] - 95) <= 2 and abs(cuts[1] - 133) <= 2


def test_a_carrier_that_the_span_cuts_off_may_have_any_width():
    levels = spectrum((-30, 18, 20))
    assert boundaries(levels, 0, 45, COLUMN_HZ) == []
    assert boundaries(spectrum((225, 18, 20)), 225, 256, COLUMN_HZ) == []


def test_nothing_to_split_in_a_run_of_few_columns():
    assert boundaries(spectrum((100, 0.9, 20)), 100, 104, COLUMN_HZ) == []
    assert boundaries(spectrum(), 0, 256, 1e9) == []


@pytest.mark.parametrize("widths", [(4.5, 4.5), (9, 4.5), (4.5, 9)])
def test_two_carriers_with_traffic_of_their_own_are_split(widths):
    left, right = widths
    border = end(60, left)
    for seed in range(5):
        middle = round(border)
        levels = over_time(
            spectrum((60, left, 12), (border + 0.8, right, 12)),
            (60, middle, bursts(2 * seed)),
            (middle, 150, bursts(2 * seed + 1)),
            seed=seed,
        )
        cuts = boundaries(levels, 60, end(border + 0.8, right), COLUMN_HZ)
        assert len(cuts) == 1 and abs(cuts[0] + 0.5 - border - 0.4) <= 2


def test_three_narrow_carriers_are_split_twice():
    borders = [60, 79, 98, 117]
    levels = over_time(
        spectrum((60, 13.7, 12)), *((first, after, bursts(first)) for first, after in zip(borders, borders[1:]))
    )
    assert boundaries(levels, 60, 117, COLUMN_HZ) == pytest.approx([78.5, 97.5], abs=1.5)


@pytest.mark.parametrize("megahertz", [9, 13.5, 18])
def test_one_carrier_stays_whole_though_it_fades_and_users_come_and_go(megahertz):
    upper = end(60, megahertz)
    for seed in range(10):
        users = [(first, first + 6, bursts(100 * seed + first, decibels=2.0)) for first in range(60, int(upper), 6)]
        levels = over_time(
            spectrum((60, megahertz, 12), ripple_db=5, seed=seed), (60, round(upper), bursts(seed)), *users, seed=seed
        )
        assert boundaries(levels, 60, upper, COLUMN_HZ) == []


def test_users_who_take_turns_on_one_carrier_do_not_split_it():
    turns = bursts(3, decibels=9.0)
    levels = over_time(spectrum((60, 9, 12)), (60, 79, turns), (79, 98, 9.0 - turns))
    assert boundaries(levels, 60, 97.5, COLUMN_HZ) == []


def test_carriers_that_are_on_at_the_same_moments_stay_one():
    levels = over_time(spectrum((60, 4.5, 12), (79.5, 4.5, 12)), (60, 98, bursts(1)))
    assert boundaries(levels, 60, 98, COLUMN_HZ) == []


def test_a_few_rows_are_too_few_for_a_correlation():
    levels = over_time(spectrum((60, 4.5, 12), (79.5, 4.5, 12)), (60, 79, bursts(1)), (79, 98, bursts(2)))
    assert len(boundaries(levels, 60, 98, COLUMN_HZ)) == 1 and boundaries(levels[:63], 60, 98, COLUMN_HZ) == []


def test_constant_levels_are_no_reason_to_split():
    assert boundaries(np.full((256, 256), 12.0), 60, 98, COLUMN_HZ) == []


def test_segments_of_two_carriers_under_one_mask():
    rate = 256 * COLUMN_HZ
    levels = spectrum((60, 18, 25), (60 + 75.8, 9, 13))
    power = np.repeat(10 ** (levels / 10), 256, axis=0).astype(np.float32)
    mask = np.zeros((256, 256), np.uint8)
    mask[:, 60:173] = 1
    probabilities = np.stack([mask == index for index in range(4)]).astype(np.float32)
    segments = find_segments(mask, probabilities, power, 1.0, FrameGeometry(rate, 0.0, 0, 2457600, 256))
    assert [segment.label for segment in segments] == ["LTE", "LTE"]
    assert [segment.bandwidth for segment in segments] == pytest.approx([18e6, 9e6], abs=0.5e6)
    assert segments[0].snr_db - segments[1].snr_db == pytest.approx(12, abs=1.5)


def test_each_part_has_the_class_of_its_own_columns():
    levels = over_time(spectrum((60, 9, 12), (98.3, 4.5, 12)), (60, 98, bursts(1)), (98, 120, bursts(2)))
    mask = np.zeros((256, 256), np.uint8)
    mask[:, 60:117] = 1
    probabilities = np.stack([mask == 0, 0.9 * mask, 0.1 * mask, 0 * mask]).astype(np.float32)
    # The right carrier is ambiguous: the confidence in NR is below the one that splits columns by their classes.
    probabilities[1:3, :, 98:117] = np.array([0.4, 0.6])[:, None, None]
    power = (10 ** (levels / 10)).astype(np.float32)
    segments = find_segments(mask, probabilities, power, 1.0, FrameGeometry(256 * COLUMN_HZ, 0.0, 0, 2457600, 256))
    assert [segment.label for segment in segments] == ["LTE", "NR"]
