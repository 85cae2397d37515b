# SPDX-License-Identifier: GPL-3.0-or-later
"""Spectra of a part of a recording: right in frequency, time and power, and bounded in work."""

import numpy as np
import pytest

from rpmsn.signal.closeup import BUDGET, LONGEST, SHORTEST, Plan, plan, spectra

RATE = 1e6


def reader(samples):
    return lambda start, count: samples[start : start + count]


@pytest.mark.parametrize("span", [1e3, 50e3, 1e6, 61.44e6])
@pytest.mark.parametrize("seconds", [1e-5, 1e-3, 1.0, 60.0])
def test_the_work_is_bounded_however_the_part_looks(span, seconds):
    rows, columns, rate = 700, 1100, 61.44e6
    chosen = plan(span, columns, rows, seconds * rate / rows, rate)
    assert SHORTEST <= chosen.window <= LONGEST and chosen.windows >= 1 and chosen.step >= 1
    assert -(-rows // chosen.step) * chosen.window * chosen.windows <= 1.5 * BUDGET


def test_where_most_of_the_time_would_be_left_out_it_is_said():
    assert not plan(61.44e6, 1000, 200, 614_400.0, 61.44e6).covers(614_400.0), "10 ms a row"
    assert plan(61.44e6, 1000, 200, 6_144.0, 61.44e6).covers(6_144.0), "0.1 ms"


def test_a_narrow_band_gets_long_windows():
    chosen = plan(20e3, 1000, 500, 2000.0, RATE)
    assert RATE / chosen.window <= 20, "Hz, no wider than a pixel"
    assert plan(RATE, 256, 500, 2000.0, RATE).window == 256


def test_noise_has_the_power_that_it_has_at_any_resolution():
    rng = np.random.default_rng(1)
    noise = np.sqrt(0.02 / 2) * (rng.standard_normal((400_000, 2)) @ [1, 1j]).astype(np.complex64)
    for window, columns in ((256, 64), (4096, 500), (1024, 1024)):
        edges = np.linspace(-0.4 * RATE, 0.4 * RATE, columns + 1)
        found = spectra(reader(noise), np.arange(10_000, 390_000, 8192), edges, Plan(window, 1, 1), RATE)
        assert 10 * np.log10(found.mean() / 0.02) == pytest.approx(0.0, abs=0.2)


def test_a_tone_is_in_its_column_and_a_pulse_in_its_row():
    time = np.arange(200_000)
    signal = np.exp(2j * np.pi * 0.12345 * time).astype(np.complex64) * ((time >= 50_000) & (time < 60_000))
    edges = np.linspace(100e3, 150e3, 501)
    middles = np.arange(500, 200_000, 1000)
    found = spectra(reader(signal), middles, edges, plan(50e3, 500, 200, 1000.0, RATE), RATE)
    row, column = np.unravel_index(np.argmax(found), found.shape)
    assert edges[column] <= 123_450 < edges[column + 1] and 50 <= row < 60
    assert found[middles < 40_000].max() == 0


def test_what_is_not_there_is_not_known():
    ones = np.ones(10_000, np.complex64)
    edges = np.linspace(0.0, RATE, 101)
    found = spectra(reader(ones), np.array([5000, -1, 50_000]), edges, Plan(256, 1, 1), RATE)
    assert np.isfinite(found[0, :50]).all() and np.isnan(found[0, 51:]).all() and np.isnan(found[1:]).all()


def test_a_recording_shorter_than_a_window_is_shown():
    found = spectra(reader(np.ones(200, np.complex64)), np.array([100]), np.array([-5e3, 5e3]), Plan(256, 1, 1), RATE)
    assert found[0, 0] > 0


def test_it_ends_when_it_is_not_wanted_any_more():
    assert spectra(reader(np.ones(9)), np.arange(9), np.array([0.0, 1.0]), Plan(256, 1, 1), RATE, lambda: False) is None


@pytest.mark.filterwarnings("error")
def test_samples_that_are_not_finite_are_shown_without_a_warning():
    samples = np.ones(10_000, np.complex64)
    samples[4000:6000] = complex(np.inf, np.nan)
    found = spectra(
        reader(samples), np.array([1000, 5000]), np.linspace(-RATE / 4, RATE / 4, 11), Plan(256, 1, 1), RATE
    )
    assert np.isfinite(found[0]).all() and not np.isfinite(found[1]).any()
