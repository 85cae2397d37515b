# SPDX-License-Identifier: GPL-3.0-or-later
"""What the receiver does to a signal, against what physics says of it."""

import numpy as np
import pytest

from rpmsn.errors import ParameterError
from rpmsn.synthesis.receiver.receiver import Receiver, mean_power

RATE = 1.92e6


def noise(n, seed=0):
    return np.random.default_rng(seed).standard_normal(2 * n, np.float32).view(np.complex64)


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
def test_the_power_of_samples_does_not_depend_on_their_type(dtype):
    assert mean_power(np.full(1000, 3 + 4j, dtype)) == pytest.approx(25)


def test_the_power_of_real_numbers_is_refused():
    with pytest.raises(ParameterError, match="float32.*complex"):
        mean_power(np.ones(4, np.float32))


def test_ideal_receiver_only_scales():
    samples = noise(4096)
    received = Receiver().apply(samples.copy(), RATE, np.random.default_rng(0))
    scale = np.vdot(samples, received).real / np.vdot(samples, samples).real
    assert np.abs(received - scale * samples).max() < 1.1 / 2**15


def test_iq_image_has_the_level_that_the_receiver_states():
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
    assert codes.min() >= -(2 ** (bits - 1)) and codes.max() <= 2 ** (bits - 1) - 1
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


def received_of(receiver, samples, seed=0, rate=RATE):
    """What comes out, in units of what went in (converter's scale taken off)."""
    power = mean_power(samples)
    full_scale = np.abs(Receiver(headroom_db=receiver.headroom_db).apply(np.ones(8, np.complex64), RATE, None, power))
    return receiver.apply(samples.copy(), rate, np.random.default_rng(seed), power) / full_scale[0]


def tones(n, cycles, drift=0.0):
    """Sum of tones of whole cycles in n samples, read at a clock that is slow by `drift`."""
    times = np.arange(n) * (1 + drift)
    phases = np.random.default_rng(1).uniform(0, 2 * np.pi, len(cycles))
    return sum(np.exp(2j * np.pi * k * times / n + 1j * phase) for k, phase in zip(cycles, phases)).astype(np.complex64)


@pytest.mark.parametrize("ppm", [50.0, -20.0, 3.0])
def test_clock_error_reads_the_signal_at_another_pace(ppm):
    n = 400_000
    cycles = np.random.default_rng(2).integers(-int(0.465 * n), int(0.465 * n), 40)
    received = received_of(Receiver(clock_error_ppm=ppm, headroom_db=20.0), tones(n, cycles))
    expected = tones(n, cycles, ppm * 1e-6)
    assert 10 * np.log10(mean_power(received - expected) / mean_power(expected)) < -60


def test_clock_error_leaves_the_noise_floor_flat():
    received = received_of(Receiver(clock_error_ppm=20.0, headroom_db=20.0), noise(1 << 19))
    power = (np.abs(np.fft.fft(received.reshape(-1, 256), axis=1)) ** 2).mean(axis=0)
    # 2048 windows: 2.2 % standard error, and a bin out of 256 may lie 3.5 of them off.
    assert np.abs(10 * np.log10(power / power.mean())).max() < 0.45


@pytest.mark.parametrize("im3_dbc", [-30.0, -50.0])
def test_intermodulation_lies_as_far_under_two_tones_as_asked(im3_dbc):
    n, low, high = 1 << 14, 500, 620
    spectrum = np.abs(np.fft.fft(received_of(Receiver(im3_dbc=im3_dbc, headroom_db=20.0), tones(n, [low, high]))))
    for product, tone in ((2 * low - high, low), (2 * high - low, high)):
        assert 20 * np.log10(spectrum[product] / spectrum[tone]) == pytest.approx(im3_dbc, abs=0.1)


def test_gain_steps_are_over_the_beginning_and_last_until_the_next():
    steps = [[0.25, -6.0], [0.5, -20.0], [0.75, 0.0]]
    for more in ({}, {"tilt_db": 1e-9}):
        received = received_of(Receiver(gain_steps=steps, headroom_db=20.0, **more), noise(40_000))
        powers = [mean_power(part) for part in np.split(received, 4)]
        assert 10 * np.log10(np.array(powers) / powers[0]) == pytest.approx([0, -6, -20, 0], abs=0.2)


@pytest.mark.parametrize("lost_at", [0.0, 0.3, 0.95])
def test_lost_samples_move_the_rest_up_as_the_map_of_times_says(lost_at):
    n = 19_200
    receiver = Receiver(lost_s=1e-3, lost_at=lost_at, headroom_db=20.0)
    samples = noise(n)
    received = received_of(receiver, samples)
    times = receiver.time_map((np.arange(n) + 0.5) / n, n / RATE)
    index = np.floor(times * n).astype(int)
    assert np.abs(received - samples[index]).max() < 0.01
    assert set(range(n)) - set(index) == set() if lost_at == 0 else len(set(range(n)) - set(index)) == 1920


def test_nothing_is_lost_by_default():
    fractions = np.linspace(0, 0.99, 7)
    assert Receiver().time_map(fractions, 0.04) == pytest.approx(fractions)


@pytest.mark.parametrize("n", [1, 100, 30_000])
def test_any_length_goes_through_every_step(n):
    receiver = Receiver(
        frequency_error_hz=1e3,
        phase_noise_dbc=-90.0,
        iq_gain_db=0.1,
        dc_dbc=-30.0,
        rolloff=0.9,
        clock_error_ppm=10.0,
        im3_dbc=-40.0,
        gain_steps=[[0.5, 3.0]],
        lost_s=1e-6,
    )
    received = receiver.apply(noise(n), RATE, np.random.default_rng(0))
    assert received.shape == (n,) and np.isfinite(received.view(np.float32)).all()


@pytest.mark.parametrize(
    "name, value",
    [
        ("clock_error_ppm", 60.0),
        ("im3_dbc", -10.0),
        ("rolloff", 1.2),
        ("adc_bits", 12.5),
        ("adc_bits", 3),
        ("headroom_db", "14"),
        ("gain_steps", [[0.5, 3.0], [0.2, 1.0]]),
        ("gain_steps", [[1.5, 3.0]]),
        ("gain_steps", 3.0),
        ("gain_steps", [["a", 3.0]]),
        ("lost_at", -0.1),
        ("lost_s", 2.0),
        ("dc_phase", float("nan")),
        ("stop_db", 5.0),
        ("phase_noise_dbc", -10.0),
    ],
)
def test_a_parameter_that_cannot_be_is_named_with_its_value(name, value):
    with pytest.raises(ParameterError, match=name) as error:
        Receiver(**{name: value})
    assert repr(value) in str(error.value)
