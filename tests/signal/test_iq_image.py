# SPDX-License-Identifier: GPL-3.0-or-later
"""I/Q images: distinguished from signals by their coherence, masked as noise, and named."""

import numpy as np
import pytest
from oracle import ThresholdRuntime, flat_band

from rpmsn.detection.segmenter import Segmenter
from rpmsn.models.model import load_model
from rpmsn.signal import image as spectrogram
from rpmsn.signal.artefacts import Artefacts
from rpmsn.signal.iq_image import image_coherence as coherence_of_values
from rpmsn.signal.iq_image import image_columns
from rpmsn.signal.quality import IQ_IMAGE
from rpmsn.signal.sums import real_values

RATE = 20e6
LOWER, UPPER = 3e6, 6e6
LENGTH = spectrogram.frame_length(RATE)
NOISE_POWER = 1e-4


def noise(seed=7, length=LENGTH):
    values = np.random.default_rng(seed).standard_normal((length, 2), np.float32)
    return np.float32(np.sqrt(NOISE_POWER / 2)) * values.view(np.complex64)[:, 0]


def imbalanced(samples, gain_db=0.5, phase_deg=2.0):
    """What a receiver makes of it whose Q branch is stronger and not at right angles."""
    gain, phase = 10 ** (gain_db / 20), np.deg2rad(phase_deg)
    quadrature = gain * (samples.imag * np.cos(phase) - samples.real * np.sin(phase))
    return (samples.real + 1j * quadrature).astype(np.complex64)


def columns_of(lower, upper):
    """The columns that lie between two frequencies as a whole."""
    return slice(int(np.ceil(lower / RATE * 256 + 128.5)), int(np.floor(upper / RATE * 256 + 128.5)))


@pytest.fixture
def segmenter(untrained_model):
    return Segmenter(load_model(untrained_model), RATE, runtime=ThresholdRuntime())


def signal(snr_db=40, seed=1):
    return flat_band(LENGTH, RATE, LOWER, UPPER, np.random.default_rng(seed), snr_db)


def image_coherence(samples):
    return coherence_of_values(real_values(samples))


def found(samples):
    analysis = spectrogram.analyse(samples, RATE)
    return image_columns(image_coherence(samples), analysis.power, analysis.floor)


@pytest.mark.parametrize("kind", [np.complex64, np.int16, np.int8])
def test_an_iq_image_is_distinguished_from_the_signal_in_every_sample_format(kind):
    samples = imbalanced(signal())
    if kind is not np.complex64:
        full = np.iinfo(kind).max + 1
        pairs = samples.view(np.float32).reshape(-1, 2) / (4 * samples.view(np.float32).std())
        samples = np.clip(np.round(pairs * full), -full, full - 1).astype(kind)
    columns = found(samples)
    image, own = columns_of(-UPPER, -LOWER), columns_of(LOWER, UPPER)
    assert columns[image].all() and not columns[own].any()
    assert columns.sum() <= image.stop - image.start + 4


def test_the_coherence_is_the_fraction_of_the_power_that_is_an_image():
    samples = imbalanced(signal(snr_db=40), gain_db=0.5, phase_deg=0)
    gain = 10 ** (0.5 / 20)
    image = ((1 - gain) / (1 + gain)) ** 2
    over_noise = 1e4 * image
    coherence = image_coherence(samples)[columns_of(-UPPER, -LOWER)]
    assert coherence.mean() == pytest.approx(over_noise / (over_noise + 1), abs=0.03)


def test_a_weak_signal_opposite_a_strong_one_is_a_signal():
    samples = signal() + flat_band(LENGTH, RATE, -UPPER, -LOWER, np.random.default_rng(2), snr_db=10)
    assert not found(samples).any()


def test_a_signal_over_an_iq_image_is_a_signal():
    samples = imbalanced(signal(), 0.3, 0) + flat_band(LENGTH, RATE, -UPPER, -LOWER, np.random.default_rng(2), 25)
    assert not found(samples).any()


def test_both_halves_of_a_real_signal_are_signals():
    samples = signal()
    assert not found((samples.real + noise()).astype(np.complex64)).any()


@pytest.mark.parametrize("length", [256, 1000, LENGTH // 50, LENGTH])
def test_noise_alone_has_none_however_short(length):
    for seed in range(20):
        assert not image_coherence(noise(seed, length)).any()


@pytest.mark.parametrize("bursts", [3, 10])
def test_bursts_on_both_sides_at_the_same_times_are_signals(bursts):
    both = signal() + flat_band(LENGTH, RATE, -UPPER, -LOWER, np.random.default_rng(2), snr_db=28)
    on = np.zeros(LENGTH, bool)
    for start in np.linspace(0, LENGTH - 3000, bursts).astype(int):
        on[start : start + 2000] = True
    for seed in range(5):
        assert not found(np.where(on, both, noise(seed))).any()


@pytest.mark.parametrize("amplitude", [1e-15, 1e-6, 1e6, 1e15])
def test_the_coherence_does_not_depend_on_amplitude(amplitude):
    samples = imbalanced(signal())
    scaled = image_coherence(samples * np.float32(amplitude))
    assert np.allclose(scaled, image_coherence(samples), atol=1e-4) and scaled.any()


def test_silence_has_none():
    assert not image_coherence(np.zeros(1000, np.complex64)).any()


def test_probabilities_become_noise_in_a_copy():
    probabilities = np.full((3, 4, 256), 1 / 3, np.float32)
    columns = np.zeros(256, bool)
    assert Artefacts(False, columns).without(probabilities, 0) is probabilities
    columns[5] = True
    changed = Artefacts(False, columns).without(probabilities, 1)
    assert (changed[:, :, 5] == [[0], [1], [0]]).all() and (changed[:, :, 6] == probabilities[:, :, 6]).all()
    assert (probabilities == np.float32(1 / 3)).all()


def test_an_iq_image_is_named_and_not_reported(segmenter):
    clean, with_image = segmenter.analyse(signal()), segmenter.analyse(imbalanced(signal()))
    assert clean.condition.kind == "ok"
    for frame in (clean, with_image):
        (segment,) = frame.segments
        assert segment.freq_lower == pytest.approx(LOWER, abs=RATE / 256)
    assert with_image.condition.kind == IQ_IMAGE and with_image.condition.judged
    assert "I/Q images" in with_image.health and not with_image.mask[:, columns_of(-UPPER, -LOWER)].any()


def test_an_iq_image_that_is_barely_visible_is_not_named(segmenter):
    frame = segmenter.analyse(imbalanced(signal(snr_db=20)))
    assert frame.condition.kind == "ok" and len(frame.segments) == 1
