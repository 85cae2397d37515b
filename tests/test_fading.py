# SPDX-License-Identifier: GPL-3.0-or-later
"""Fading channels and the receiver, against what physics says of them."""
import numpy as np
import pytest
from scipy.special import j0

from rpmsn.errors import ParameterError
from rpmsn.synthesis import fading
from rpmsn.synthesis.grid import ResourceGrid
from rpmsn.synthesis.receiver import Receiver, mean_power

RATE = 1.92e6


def some_grid(n_ms=10, n_rb=25):
    rng = np.random.default_rng(5)
    shape = (14 * n_ms, 12 * n_rb)
    symbols = np.exp(2j * np.pi * rng.random(shape)).astype(np.complex64)
    return ResourceGrid(symbols, "LTE", 15e3, 5e6, True, np.ones(n_ms, bool), 1e-3, 0)


def noise(n, seed=0):
    return np.random.default_rng(seed).standard_normal(2 * n, np.float32).view(np.complex64)


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


def test_ideal_receiver_only_scales():
    samples = noise(4096)
    received = Receiver().apply(samples.copy(), RATE, np.random.default_rng(0))
    scale = np.vdot(samples, received).real / np.vdot(samples, samples).real
    assert np.abs(received - scale * samples).max() < 1.1 / 2 ** 15


def test_mirror_image_has_the_level_that_the_receiver_states():
    n, k = 4096, 500
    tone = np.exp(2j * np.pi * k * np.arange(n) / n).astype(np.complex64)
    receiver = Receiver(iq_gain_db=0.4, iq_phase_deg=2.0)
    spectrum = np.abs(np.fft.fft(receiver.apply(tone, RATE, np.random.default_rng(0)))) ** 2
    rejection = 10 * np.log10(spectrum[k] / spectrum[n - k])
    assert rejection == pytest.approx(receiver.image_rejection_db, abs=0.1)
    assert 25 < rejection < 35


def test_leakage_has_the_level_asked_for():
    received = Receiver(dc_dbc=-20.0, dc_phase=1.0).apply(noise(1 << 18), RATE, np.random.default_rng(0))
    leakage = np.abs(received.mean()) ** 2
    assert 10 * np.log10(leakage / mean_power(received - received.mean())) == pytest.approx(-20, abs=0.5)


@pytest.mark.parametrize("bits", [8, 12])
def test_converter_uses_its_steps_and_adds_the_noise_of_a_step(bits):
    samples = noise(1 << 16) / np.float32(np.sqrt(2))
    receiver = Receiver(adc_bits=bits, headroom_db=15.0)
    received = receiver.apply(samples.copy(), RATE, np.random.default_rng(0))
    codes = received.view(np.float32) * 2 ** (bits - 1)
    assert np.array_equal(codes, np.rint(codes))
    assert codes.min() >= -2 ** (bits - 1) and codes.max() <= 2 ** (bits - 1) - 1
    scale = np.vdot(samples, received).real / np.vdot(samples, samples).real
    error = mean_power(received / np.float32(scale) - samples)
    assert error == pytest.approx(receiver.quantisation_noise(mean_power(samples)), rel=0.1)


def test_clipping_follows_the_headroom():
    received = Receiver(headroom_db=0.0).apply(noise(1 << 16), RATE, np.random.default_rng(0))
    # 32 % of a Gaussian's values lie beyond one standard deviation.
    assert np.mean(np.abs(received.view(np.float32)) > 0.999) == pytest.approx(0.317, abs=0.01)


@pytest.mark.parametrize("length", [1 << 17, 100_003, 700])
def test_filter_shapes_the_spectrum_as_its_gain_says(length):
    receiver = Receiver(rolloff=0.8, stop_db=-30.0, tilt_db=3.0)
    k = round(0.45 * length)
    for cycles in (length // 10, k, -k):
        tone = np.exp(2j * np.pi * cycles * np.arange(length) / length).astype(np.complex64)
        level = receiver.apply(tone, RATE, np.random.default_rng(0), reference_power=1.0)
        change = mean_power(level) / mean_power(Receiver().apply(np.ones(64, np.complex64), RATE, None, 1.0))
        expected = 20 * np.log10(receiver.gain(cycles / length))
        assert 10 * np.log10(change) == pytest.approx(float(expected), abs=0.3)


def test_frequency_error_moves_a_tone():
    n = 1 << 15
    tone = np.ones(n, np.complex64)
    receiver = Receiver(frequency_error_hz=6e3)
    received = receiver.apply(tone, 7.68e6, np.random.default_rng(0))
    turn = np.angle(np.vdot(received[:-1], received[1:])) * 7.68e6 / (2 * np.pi)
    assert turn == pytest.approx(6e3, rel=0.01)


def test_phase_noise_has_the_density_asked_for_at_100_khz():
    n = 1 << 20
    received = Receiver(phase_noise_dbc=-80.0).apply(np.ones(n, np.complex64), 15.36e6, np.random.default_rng(4))
    windows = received.reshape(-1, 4096) * np.hanning(4096)
    density = (np.abs(np.fft.fft(windows, axis=1)) ** 2).mean(0) / np.sum(np.hanning(4096) ** 2) / 15.36e6
    bins = np.flatnonzero(np.abs(np.fft.fftfreq(4096, 1 / 15.36e6) - 100e3) < 10e3)
    level = 10 * np.log10(density[bins].mean() / mean_power(received))
    assert level == pytest.approx(-80, abs=1)
