# SPDX-License-Identifier: GPL-3.0-or-later
"""Samples that are not scaled to 1.0: features come out the same, or the input is said to be faulty."""

import numpy as np
import pytest

from rpmsn.signal import iq_image, quality
from rpmsn.signal.features import FeatureExtractor
from rpmsn.signal.image import analyse
from rpmsn.signal.sums import exact_scale, real_values

RATE, SAMPLES = 5e6, 50_000
AMPLITUDES = 10.0 ** np.arange(-6, 19)


@pytest.fixture(scope="module")
def samples():
    """Noise, a signal that repeats after a useful symbol, and the I/Q image of a tone; complex128, about 1."""
    rng = np.random.default_rng(1)
    period = round(RATE / 15e3)
    noise, block = (rng.standard_normal((n, 2)) @ [1, 1j] for n in (SAMPLES, period))
    tone = 30 * np.exp(2j * np.pi * 0.21 * np.arange(SAMPLES))
    return 0.1 * noise + np.resize(block, SAMPLES) + tone + 0.1 * tone.conj()


def input_quality(samples):
    """InputQuality of a frame."""
    return FeatureExtractor(RATE, SAMPLES / RATE, "cyclic").extract(samples).quality


def judge(samples):
    """(InputQuality, Analysis, image coherence) of samples, as a frame's are judged."""
    values = real_values(samples)
    with np.errstate(over="ignore", invalid="ignore"):
        analysis = analyse(samples, RATE, correlated=True)
        return input_quality(samples), analysis, iq_image.image_coherence(values)


@pytest.mark.parametrize("amplitude", AMPLITUDES)
def test_correlations_are_right_or_the_input_is_not_judged(samples, amplitude):
    expected = judge(samples.astype(np.complex64))
    health, analysis, coherence = judge((amplitude * samples).astype(np.complex64))
    assert np.abs(samples).max() * amplitude < quality.LARGEST or not health.judged
    if not health.judged:
        assert amplitude >= quality.LARGEST / 100
        assert health.kind == quality.NON_FINITE and "larger than 1e+12" in health.text
        return
    # Rounding of float32, of sums over many windows.
    assert np.abs(analysis.block_correlation - expected[1].block_correlation).max() < 1e-4
    assert np.abs(analysis.levels - expected[1].levels).max() < 1e-4
    assert np.abs(coherence - expected[2]).max() < 1e-4 and (coherence > 0.9).any()


def test_the_features_see_what_is_in_the_samples(samples):
    _, analysis, coherence = judge(samples.astype(np.complex64))
    assert analysis.block_correlation.max() > 0.9 and (coherence > 0.9).any()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e16, -1e16])
def test_one_absurd_value_is_found(value):
    samples = np.ones(SAMPLES, np.complex64)
    samples[::2] = -1
    samples[77] = value
    health = input_quality(samples)
    assert health.kind == quality.NON_FINITE and not health.judged and health.text.startswith("1 values")


@pytest.mark.parametrize("largest", [1e-30, 0.3, 0.5, 1.0, 7e20])
def test_the_scale_is_a_power_of_two_that_keeps_every_bit(largest):
    values = np.array([largest, -largest / 3, 0], np.float32)
    scale = exact_scale(values)
    assert 0.5 <= values[0] * scale <= 1 and np.frexp(scale)[0] == 0.5
    assert np.array_equal(values * scale / scale, values)


@pytest.mark.parametrize("values", [[0.0, 0.0], [np.inf, 1.0], [np.nan, 1.0]])
def test_the_scale_of_what_has_no_magnitude_is_one(values):
    assert exact_scale(np.array(values, np.float32)) == 1
