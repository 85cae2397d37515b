# SPDX-License-Identifier: GPL-3.0-or-later
"""Fading channels, against what physics says of them."""
import numpy as np
import pytest
from scipy.special import j0

from rpmsn.errors import ParameterError
from rpmsn.synthesis import fading
from rpmsn.synthesis.grid import ResourceGrid

RATE = 1.92e6


def some_grid(n_ms=10, n_rb=25):
    rng = np.random.default_rng(5)
    shape = (14 * n_ms, 12 * n_rb)
    symbols = np.exp(2j * np.pi * rng.random(shape)).astype(np.complex64)
    return ResourceGrid(symbols, "LTE", 15e3, 5e6, True, np.ones(n_ms, bool), 1e-3, 0)


@pytest.mark.parametrize("name", ["TDL-A", "TDL-B", "TDL-C", "TDL-D", "TDL-E"])
def test_tdl_delays_are_normalised_to_an_rms_delay_spread_of_one(name):
    profile = fading.PROFILES[name]
    delays, powers = np.array(profile.delays), 10 ** (np.array(profile.powers_db) / 10)
    mean = np.sum(powers * delays) / powers.sum()
    assert np.sqrt(np.sum(powers * (delays - mean) ** 2) / powers.sum()) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("name, spread_ns", [("EPA", 43), ("EVA", 357), ("ETU", 991)])
def test_lte_profiles_have_the_delay_spread_of_ts_36_104_table_b_2_1(name, spread_ns):
    profile = fading.PROFILES[name]
    delays, powers = np.array(profile.delays), 10 ** (np.array(profile.powers_db) / 10)
    mean = np.sum(powers * delays) / powers.sum()
    spread = np.sqrt(np.sum(powers * (delays - mean) ** 2) / powers.sum())
    assert spread == pytest.approx(spread_ns * 1e-9, rel=0.02)


@pytest.mark.parametrize("name", fading.PROFILES)
def test_mean_power_of_a_channel_is_one(name):
    times = np.linspace(0, 20, 500)
    total = np.mean([np.sum(np.abs(fading.gains(times, name, 100.0, 1e-7, np.random.default_rng(seed))[1]) ** 2, axis=0)
                     for seed in range(20)])
    assert total == pytest.approx(1, abs=0.02)


def test_mean_power_of_a_channel_that_stands_still_is_one_and_rayleigh():
    power = np.array([np.abs(fading.gains(np.zeros(1), "flat", 0.0, 0.0, np.random.default_rng(seed))[1][0, 0]) ** 2
                      for seed in range(4000)])
    # The mean of 4000 exponential variables has a standard deviation of 1.6 %; a share e^-1 lies above the mean.
    assert power.mean() == pytest.approx(1, abs=0.05)
    assert np.mean(power > 1) == pytest.approx(np.exp(-1), abs=0.03)


def test_autocorrelation_in_time_is_the_bessel_function_of_jakes():
    doppler, lags = 100.0, np.arange(0, 0.02, 5e-4)
    starts = np.arange(300) * 0.0731
    times = (starts[:, None] + lags).ravel()
    correlation = np.zeros(lags.size, complex)
    for seed in range(10):
        _, taps = fading.gains(times, "EVA", doppler, 0.0, np.random.default_rng(seed))
        taps = taps.reshape(-1, starts.size, lags.size)
        correlation += np.sum(taps * np.conj(taps[:, :, :1]), axis=0).mean(axis=0) / 10
    assert np.abs(correlation - j0(2 * np.pi * doppler * lags)).max() < 0.1


def test_stretches_of_one_channel_join():
    times = np.linspace(0, 1, 100)
    _, whole = fading.gains(times, "TDL-C", 50.0, 1e-7, np.random.default_rng(3))
    _, late = fading.gains(times[60:], "TDL-C", 50.0, 1e-7, np.random.default_rng(3))
    np.testing.assert_allclose(late, whole[:, 60:], atol=1e-5)


def test_fading_on_the_grid_is_the_transfer_function_of_the_taps():
    grid = some_grid()
    faded = fading.on_grid(grid, "EVA", 70.0, 0.0, np.random.default_rng(1))
    delays, taps = fading.gains(fading.symbol_times(grid), "EVA", 70.0, 0.0, np.random.default_rng(1))
    frequency = grid.subcarrier_offsets[200] * 15e3
    expected = taps[:, 33] @ np.exp(-2j * np.pi * frequency * delays)
    assert faded.symbols[33, 200] / grid.symbols[33, 200] == pytest.approx(expected, abs=1e-4)
    assert faded.symbols.dtype == np.complex64


def test_fading_in_time_delays_and_weighs_the_samples():
    pulse = np.zeros(1000, np.complex64)
    pulse[100] = 1
    received = fading.in_time(pulse, 100e6, "EPA", 0.0, 0.0, np.random.default_rng(2))
    delays, taps = fading.gains(np.zeros(1), "EPA", 0.0, 0.0, np.random.default_rng(2))
    np.testing.assert_allclose(received[100 + np.round(delays * 100e6).astype(int)], taps[:, 0], atol=1e-6)
    assert np.count_nonzero(received) == delays.size


def test_unknown_profile_is_refused_with_the_list_of_those_there_are():
    with pytest.raises(ParameterError, match="TDL-A"):
        fading.gains(np.zeros(1), "EVB", 0.0, 0.0, np.random.default_rng(0))
