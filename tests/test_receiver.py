# SPDX-License-Identifier: GPL-3.0-or-later
"""What the receiver does to a signal, against what physics says of it."""
import numpy as np
import pytest

from rpmsn.synthesis.receiver import Receiver, mean_power

RATE = 1.92e6


def noise(n, seed=0):
    return np.random.default_rng(seed).standard_normal(2 * n, np.float32).view(np.complex64)


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
