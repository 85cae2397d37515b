# SPDX-License-Identifier: GPL-3.0-or-later
"""Fading channels, against what physics says of them."""

from dataclasses import replace

import numpy as np
import pytest

from rpmsn.errors import ParameterError
from rpmsn.synthesis.channel import fading
from rpmsn.synthesis.grid import ResourceGrid


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


@pytest.mark.parametrize("name, spread_ns", [("EPA", 45), ("EVA", 357), ("ETU", 991)])
def test_lte_profiles_have_the_delay_spread_of_ts_36_104_table_b_2_1(name, spread_ns):
    profile = fading.PROFILES[name]
    delays, powers = np.array(profile.delays), 10 ** (np.array(profile.powers_db) / 10)
    mean = np.sum(powers * delays) / powers.sum()
    spread = np.sqrt(np.sum(powers * (delays - mean) ** 2) / powers.sum())
    # The table is rounded: EPA's is 43 ns.
    assert spread == pytest.approx(spread_ns * 1e-9, abs=2.1e-9)


def test_chunks_of_one_channel_join():
    times = np.linspace(0, 1, 100)
    _, whole = fading.gains(times, "TDL-C", 50.0, 1e-7, np.random.default_rng(3))
    _, late = fading.gains(times[60:], "TDL-C", 50.0, 1e-7, np.random.default_rng(3))
    np.testing.assert_allclose(late, whole[:, 60:], atol=1e-5)


@pytest.mark.parametrize("doppler_hz", [0.0, 1.0, 70.0, 1000.0])
@pytest.mark.parametrize("name", ["flat", "EVA", "TDL-C", "TDL-D"])
def test_fading_on_the_grid_is_the_transfer_function_of_the_taps(name, doppler_hz):
    """Gains computed at knots and interpolated leave an error of -60 dB at most."""
    grid = some_grid()
    faded = fading.on_grid(grid, name, doppler_hz, 3e-7, np.random.default_rng(1))
    delays, taps = fading.gains(fading.symbol_times(grid), name, doppler_hz, 3e-7, np.random.default_rng(1))
    frequencies = grid.subcarrier_offsets * 15e3
    expected = taps.T @ np.exp(-2j * np.pi * np.outer(delays, frequencies))
    error = faded.symbols / grid.symbols - expected
    assert np.mean(np.abs(error) ** 2) < 1e-6 * np.mean(np.abs(expected) ** 2)
    assert faded.symbols.dtype == np.complex64


def test_a_half_subcarrier_is_a_phase_of_each_tap():
    grid = some_grid(n_ms=1)
    shifted = replace(grid, half_subcarrier_shift=True)
    faded = fading.on_grid(shifted, "ETU", 0.0, 0.0, np.random.default_rng(1)).symbols / grid.symbols
    delays, taps = fading.gains(np.zeros(1), "ETU", 0.0, 0.0, np.random.default_rng(1))
    expected = taps[:, 0] @ np.exp(-2j * np.pi * np.outer(delays, (grid.subcarrier_offsets + 0.5) * 15e3))
    np.testing.assert_allclose(faded[3], expected, atol=1e-4)


def test_two_grids_that_follow_each_other_see_one_channel():
    grid = some_grid()
    times = fading.symbol_times(grid)
    whole = fading.on_grid(grid, "TDL-A", 200.0, 1e-7, np.random.default_rng(4)).symbols
    late = replace(grid, symbols=grid.symbols[60:])
    rest = fading.on_grid(late, "TDL-A", 200.0, 1e-7, np.random.default_rng(4), times=times[60:]).symbols
    np.testing.assert_allclose(rest, whole[60:], atol=1e-4)


def test_fading_in_time_delays_and_weighs_the_samples():
    pulse = np.zeros(1000, np.complex64)
    pulse[100] = 1
    received = fading.in_time(pulse, 100e6, "EPA", 0.0, 0.0, np.random.default_rng(2))
    delays, taps = fading.gains(np.zeros(1), "EPA", 0.0, 0.0, np.random.default_rng(2))
    np.testing.assert_allclose(received[100 + np.round(delays * 100e6).astype(int)], taps[:, 0], atol=1e-6)
    assert np.count_nonzero(received) == delays.size


@pytest.mark.parametrize("doppler_hz", [0.0, 20.0, 1000.0])
@pytest.mark.parametrize("sample_rate", [50e3, 1e6, 20e6])
def test_fading_in_time_is_the_sum_of_delayed_samples_times_gains(sample_rate, doppler_hz):
    rng = np.random.default_rng(8)
    samples = (rng.standard_normal(9000) + 1j * rng.standard_normal(9000)).astype(np.complex64)
    received = fading.in_time(samples, sample_rate, "TDL-C", doppler_hz, 3e-6, np.random.default_rng(3), start_s=0.7)
    delays, taps = fading.gains(
        0.7 + np.arange(9000) / sample_rate, "TDL-C", doppler_hz, 3e-6, np.random.default_rng(3)
    )
    lags = np.round(delays * sample_rate).astype(int)
    expected = sum(gain * np.roll(samples, lag) for gain, lag in zip(taps, lags))
    assert np.mean(np.abs(received - expected) ** 2) < 1e-6 * np.mean(np.abs(expected) ** 2)
    assert received.dtype == np.complex64


def test_two_chunks_of_samples_see_one_channel():
    samples = np.ones(30_000, np.complex64)
    whole = fading.in_time(samples, 1e6, "EPA", 300.0, 0.0, np.random.default_rng(6))
    late = fading.in_time(samples[10_000:], 1e6, "EPA", 300.0, 0.0, np.random.default_rng(6), start_s=0.01)
    np.testing.assert_allclose(late, whole[10_000:], atol=5e-3)


GOOD = {"profile": "EPA", "doppler_hz": 5.0, "delay_spread_s": 0.0}


@pytest.mark.parametrize(
    "name, value, allowed",
    [
        ("profile", "EVB", "TDL-A"),
        ("profile", None, "EVA"),
        ("doppler_hz", -1.0, "0 to 1000 Hz"),
        ("doppler_hz", 1001, "0 to 1000 Hz"),
        ("doppler_hz", float("nan"), "0 to 1000 Hz"),
        ("doppler_hz", "5", "0 to 1000 Hz"),
        ("delay_spread_s", -1e-9, "0 to 1e-05 s"),
        ("delay_spread_s", 2e-5, "0 to 1e-05 s"),
        ("delay_spread_s", True, "0 to 1e-05 s"),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_name(name, value, allowed):
    channel = {**GOOD, name: value}
    with pytest.raises(ParameterError, match=f"{name} of a fading channel is .*{allowed}"):
        fading.check(channel)
    with pytest.raises(ParameterError, match=name):
        fading.gains(np.zeros(1), **channel, rng=np.random.default_rng(0))


@pytest.mark.parametrize("channel", [{**GOOD, "speed": 3}, {"profile": "EPA"}, [], "EPA", None])
def test_a_channel_with_other_keys_is_refused_with_the_names_of_those_there_are(channel):
    with pytest.raises(ParameterError, match="'profile', 'doppler_hz', 'delay_spread_s'"):
        fading.check(channel)


@pytest.mark.parametrize(
    "channel", [GOOD, {**GOOD, "doppler_hz": 0, "delay_spread_s": 1e-5}, {**GOOD, "doppler_hz": np.float32(1000)}]
)
def test_a_channel_that_can_be_is_let_through(channel):
    fading.check(channel)
