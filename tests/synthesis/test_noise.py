# SPDX-License-Identifier: GPL-3.0-or-later
"""Noise is Gaussian, white where it should be, and has the floor that it states where it is not."""

import numpy as np
import pytest
from scipy import stats

from rpmsn.errors import ParameterError
from rpmsn.synthesis.channel.noise import N_VALUES, Noise, _slice_means, white
from rpmsn.synthesis.receiver.receiver import mean_power

N = 1 << 20


@pytest.fixture(scope="module")
def samples():
    return white(N, np.random.default_rng(3))


def test_branches_are_gaussian_of_power_one_half(samples):
    values = samples.view(np.float32).astype(np.float64) * np.sqrt(2)
    n = values.size
    # Standard errors: 1 / sqrt(n), sqrt(2 / n), sqrt(24 / n).
    assert abs(values.mean()) < 5 / np.sqrt(n)
    assert abs(values.var() - 1) < 5 * np.sqrt(2 / n)
    assert abs(stats.kurtosis(values)) < 5 * np.sqrt(24 / n)
    assert stats.kstest(values, "norm").pvalue > 1e-3


def test_tails_reach_as_far_as_they_should(samples):
    values = np.abs(np.concatenate([samples.view(np.float32), white(4 * N, np.random.default_rng(4)).view(np.float32)]))
    for limit in (3.0, 4.0, 4.3, 4.6):
        expected = values.size * 2 * stats.norm.sf(limit)
        assert abs(np.count_nonzero(values * np.sqrt(2) > limit) - expected) < 5 * np.sqrt(expected)


def test_samples_do_not_depend_on_each_other(samples):
    power = np.abs(np.fft.fft(samples)) ** 2 / N
    # The largest of n exponential values lies near ln n; a period would stand out far above.
    assert power.max() < np.log(N) + 12
    for lag in (1, 2, 3, 4, 1 << 14, 1 << 15, 1 << 16):
        assert np.abs(np.mean(samples[lag:] * samples[:-lag].conj())) < 5 / np.sqrt(N)
        assert np.abs(np.corrcoef(np.abs(samples[lag:]), np.abs(samples[:-lag]))[0, 1]) < 5 / np.sqrt(N)
    assert abs(np.mean(samples.real * samples.imag)) < 5 * 0.5 / np.sqrt(N)


def test_table_of_slices_is_symmetric_and_has_nearly_all_the_power():
    table = _slice_means().astype(np.float64)
    assert np.array_equal(table, -table[::-1]) and table.size == N_VALUES
    # What the slices' own width holds; it is least where the outermost are drawn in full.
    assert 2 * np.mean(table**2) == pytest.approx(1, abs=2e-5)


def test_a_seed_gives_the_same_noise_forever():
    first = white(5, np.random.default_rng(0))
    assert np.array_equal(first, white(5, np.random.default_rng(0)))
    expected = [
        0.016431808471679688,
        0.7347640991210938,
        0.9989633560180664,
        0.24772262573242188,
        0.7042198181152344,
        0.01973247528076172,
        0.459442138671875,
        -0.4337882995605469,
        0.9440021514892578,
        -0.35498905181884766,
    ]
    assert np.array_equal(first.view(np.float32), np.array(expected, np.float32))


@pytest.mark.parametrize("n", [0, 1, 3, 32768, 100_003])
def test_any_length_is_possible(n):
    assert white(n, np.random.default_rng(0)).shape == (n,)
    assert Noise(tilt_db=2.0).samples(max(n, 1), np.random.default_rng(0)).shape == (max(n, 1),)


@pytest.mark.parametrize(
    "noise",
    [
        Noise(),
        Noise(tilt_db=6.0),
        Noise(colour_db=2.0, colour_periods=4.0),
        Noise(tilt_db=-3.0, colour_db=1.0, colour_periods=1.5, colour_phase=2.0),
    ],
)
def test_floor_follows_the_gain_that_it_states(noise):
    frequency = (np.arange(100_000) + 0.5) / 100_000 - 0.5
    assert noise.gain(frequency).mean() == pytest.approx(1, abs=1e-4)
    samples = noise.samples(N, np.random.default_rng(9))
    assert mean_power(samples) == pytest.approx(1, abs=0.01)
    windows = samples.reshape(-1, 256) * np.hanning(256) / np.sqrt(np.sum(np.hanning(256) ** 2))
    power = (np.abs(np.fft.fft(windows, axis=1)) ** 2).mean(axis=0)
    # Next to the ends of the span, where a jump of the floor is smoothed; 4096 windows: 0.07 dB standard error.
    inner = np.abs(np.fft.fftfreq(256)) < 0.47
    difference_db = 10 * np.log10(power / noise.gain(np.fft.fftfreq(256)))[inner]
    assert np.abs(difference_db).max() < 0.4


def test_tilt_is_from_edge_to_edge():
    lower, upper = Noise(tilt_db=5.0).gain([-0.5, 0.5])
    assert 10 * np.log10(upper / lower) == pytest.approx(5)


@pytest.mark.parametrize(
    "name, value",
    [("tilt_db", 41.0), ("colour_db", -1.0), ("colour_periods", "3"), ("colour_phase", float("inf")), ("snr_db", 1000)],
)
def test_a_parameter_that_cannot_be_is_named_with_its_value(name, value):
    with pytest.raises(ParameterError, match=name) as error:
        Noise(**{name: value})
    assert repr(value) in str(error.value)
