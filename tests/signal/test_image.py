# SPDX-License-Identifier: GPL-3.0-or-later
"""The image: one definition, every sample in it, the same at every rate."""

from dataclasses import asdict

import numpy as np
import pytest
from plain_image import plain_correlation, plain_power

from rpmsn.classes import NOISE
from rpmsn.detection.segmenter import Segmenter
from rpmsn.errors import ParameterError
from rpmsn.models.model import load_model
from rpmsn.signal import image as spectrogram
from rpmsn.synthesis.channel.noise import Noise
from rpmsn.synthesis.receiver.receiver import Receiver
from rpmsn.synthesis.scene.presets import random_scene
from rpmsn.synthesis.scene.rendering import render
from rpmsn.synthesis.scene.scene import CARRIERS, Emission, PropagationPath, Reception, Scene

RATES = [1e6, 1.92e6, 2.4e6, 19.2e6, 20e6, 61.44e6, 125e6]


def noise(n, rng, power=1.0):
    parts = rng.standard_normal((n, 2), np.float32) * np.float32(np.sqrt(power / 2))
    return parts.view(np.complex64)[:, 0]


@pytest.mark.parametrize("rate", RATES)
def test_image_of_any_rate_is_256_by_256_and_noise_lies_at_the_floor(rate):
    n = spectrogram.frame_length(rate)
    samples = noise(n, np.random.default_rng(1), power=0.01)
    analysis = spectrogram.analyse(samples, rate)
    levels, floor, power = analysis.levels, analysis.floor, analysis.power
    assert levels.shape == (256, 256) and levels.dtype == np.float32
    assert np.isfinite(levels).all() and levels.min() >= 0 and levels.max() <= 1
    assert power.mean() == pytest.approx(0.01 / 256, rel=0.02)
    # 65536 pixels of at least one average each: the mean is known to 1 %, the quantile estimate to a few per cent.
    assert floor == pytest.approx(0.01 / 256, rel=0.08 if rate > 1e6 else 0.2)
    assert analysis.averages == pytest.approx((power.mean() / power.std()) ** 2, rel=0.05 if rate > 1e6 else 0.2)


@pytest.mark.parametrize("rate", [1.92e6, 20e6, 23.04e6, 61.44e6])
def test_every_sample_counts(rate):
    """An impulse anywhere, also on the first and the last sample, adds energy: at most 30 dB below others."""
    n = spectrogram.frame_length(rate)
    energies = []
    for place in [0, 1, n - 2, n - 1, *range(n // 2, n // 2 + 260, 5)]:
        samples = np.zeros(n, np.complex64)
        samples[place] = 1
        energies.append(spectrogram.power(samples, rate).sum())
    assert min(energies) > 1e-3 * max(energies)


def test_a_tone_lands_in_the_column_and_rows_that_the_axes_say():
    n = spectrogram.frame_length(61.44e6)
    time = np.arange(n)
    samples = np.zeros(n, np.complex64)
    on = slice(n // 4, n // 2)
    samples[on] = np.exp(2j * np.pi * (200 - 128) / 256 * time[on])
    power = spectrogram.power(samples, 61.44e6)
    row, column = np.unravel_index(power.argmax(), power.shape)
    assert column == 200 and 64 <= row < 128
    assert power[66:126, 200].min() > 100 * power[:62].max()


@pytest.mark.parametrize("features", ["averaged", "cyclic"])
def test_level_of_the_input_does_not_change_the_image(features):
    samples = noise(300_000, np.random.default_rng(3))
    image = spectrogram.image(samples, 7.68e6, features)
    assert np.allclose(image, spectrogram.image(samples * np.float32(1e-3), 7.68e6, features), atol=1e-4)


def test_the_averaged_image_is_the_first_channel_of_the_cyclic_one():
    samples = noise(768_000, np.random.default_rng(2))
    assert np.array_equal(spectrogram.image(samples, 19.2e6)[0], spectrogram.image(samples, 19.2e6, "cyclic")[0])


def repeating(n, rate, symbol_s, copied_s, rng):
    """Noise in blocks of which the last `copied_s` seconds are put before, as a cyclic prefix is."""
    symbol, copied = round(symbol_s * rate), round(copied_s * rate)
    blocks = noise(symbol * (n // symbol + 1), rng).reshape(-1, symbol)
    return np.concatenate([blocks[:, symbol - copied :], blocks], axis=1).ravel()[:n]


@pytest.mark.parametrize("rate", [1.92e6, 5.76e6, 20e6, 25e6, 50e6, 61.44e6])
def test_a_cyclic_prefix_stands_out_in_the_channel_of_its_lag_alone(rate):
    n = spectrogram.frame_length(rate)
    for symbol_s, channel in ((1 / 15e3, 2), (1 / 30e3, 1)):
        samples = repeating(n, rate, symbol_s, symbol_s * 0.07, np.random.default_rng(8))
        found = spectrogram.analyse(samples, rate, correlated=True).correlation.mean(axis=(1, 2))
        others = np.delete(found, channel)
        # A prefix is 7 % of the time; windows that last as long as it, or longer, see about half of it.
        assert 0.025 < found[channel] < 0.1
        assert others[0] < 0.6 * found[channel] and (symbol_s < 5e-5 or others[1] < 0.6 * found[channel])


def test_reference_signals_of_lte_stand_out_and_nr_has_none():
    """An idle LTE carrier is little else than its reference signals."""
    rate, bins = 23.04e6, slice(20, 236)
    means = {}
    for kind, parameters in (
        ("lte", {"bandwidth_hz": 20e6, "load": 0.0, "allocation": "idle"}),
        ("nr", {"bandwidth_hz": 20e6, "subcarrier_spacing": 30e3, "load": 1.0}),
    ):
        emission = Emission(kind, parameters=asdict(CARRIERS[kind](**parameters)))
        samples, _ = render(Scene(rate, 0.04, 1, [emission], Reception([PropagationPath(20.0)], Receiver(), Noise())))
        means[kind] = spectrogram.analyse(samples, rate, correlated=True).correlation[..., bins].mean(axis=(1, 2))
    assert means["lte"][0] > 0.3 and means["lte"][0] > 4 * means["lte"][1:].max()
    assert means["nr"][1] > 0.03 and means["nr"][1] > 1.5 * max(means["nr"][0], means["nr"][2])


def test_a_tone_is_alike_at_all_lags():
    samples = np.exp(2j * np.pi * 0.1 * np.arange(768_000)).astype(np.complex64)
    found = spectrogram.analyse(samples, 19.2e6, correlated=True).correlation
    assert found[:, :, round(128 + 0.1 * 256)].min() > 0.7


def test_a_chunk_shorter_than_a_frame_has_its_own_rows_of_correlation():
    samples = noise(6 * 19_200, np.random.default_rng(9))
    analysis = spectrogram.analyse(samples, 19.2e6, 38, correlated=True)
    assert analysis.correlation.shape == (3, 38, 256) and analysis.image().shape == (4, 256, 256)


def test_a_recording_without_noise_keeps_the_texture_of_its_carrier():
    n = spectrogram.frame_length(19.2e6)
    spectrum = np.zeros(n, np.complex64)
    spectrum[: n // 4] = noise(n // 4, np.random.default_rng(4))
    levels = spectrogram.image(np.fft.ifft(spectrum).astype(np.complex64), 19.2e6)[0]
    assert (levels[:, 132:188] < 1).mean() > 0.99


def test_silence_is_black():
    assert not spectrogram.image(np.zeros(40_000, np.complex64), 1e6, "cyclic").any()


def test_published_image_has_three_channels_and_reaches_both_ends_of_the_colours():
    picture = spectrogram.image(noise(100_000, np.random.default_rng(5)), 61.44e6, "published")
    assert picture.shape == (3, 256, 256) and picture.dtype == np.float32
    assert picture.min() >= 0 and picture.max() <= 1


def test_published_rows_are_single_snapshots():
    """What lies between two of the 256 snapshots is not seen, as in the paper."""
    n = 2_457_600
    samples = noise(n, np.random.default_rng(6))
    count = (n - 256) // 246 + 1
    seen = ((np.arange(256) + 0.5) * count / 256).astype(int) * 246
    samples[seen[10] + 256 : seen[11]] *= 3
    changed = spectrogram.image(samples, 61.44e6, "published")
    samples[seen[10] + 256 : seen[11]] /= 3
    same = np.abs(changed - spectrogram.image(samples, 61.44e6, "published")).mean(axis=(0, 2))
    # Only the scale (the maximum over all spectra) moves, a little and alike for all rows.
    assert same[11] < 3 * np.median(same) + 1e-6


@pytest.mark.parametrize("rate", [0.9e6, 126e6, 0, -1])
def test_rate_out_of_range_is_named_with_what_is_allowed(rate):
    with pytest.raises(ParameterError, match="1 to 125 Msps"):
        spectrogram.frame_length(rate)


def test_too_few_samples_and_unknown_feature_set_are_named():
    with pytest.raises(ParameterError, match="at least 256"):
        spectrogram.power(np.zeros(100, np.complex64), 20e6)
    with pytest.raises(ParameterError, match="averaged, cyclic, published"):
        spectrogram.image(np.zeros(1000, np.complex64), 20e6, "unknown")


class TestPlainWay:
    """The fast implementation gives what the definition says; `plain_image` is the slow one."""

    @pytest.mark.parametrize(
        "rate, samples, rows",
        [
            (1e6, 40_000, 256),
            (1.92e6, 76_800, 256),
            (20e6, 800_000, 256),
            (23.04e6, 921_600, 256),
            (61.44e6, 614_400, 64),
            (20e6, 5_001, 2),
            (61.44e6, 300_007, 31),
        ],
    )
    def test_powers_and_correlations(self, rate, samples, rows):
        values = lively(samples, rate)
        found = spectrogram.analyse(values, rate, rows, correlated=True)
        expected = plain_power(values, rate, rows)
        np.testing.assert_allclose(found.power, expected, rtol=1e-3, atol=1e-6 * expected.mean())
        np.testing.assert_allclose(found.correlation, plain_correlation(values, rate, rows), atol=1e-3)

    def test_masks_of_the_shipped_model(self):
        """A value of the image that is off by less than a thousandth changes no pixel's class in float32."""
        segmenter = Segmenter(load_model(), 20e6, runtime="onnxruntime")
        for seed in (3, 5, 8):
            samples = np.resize(render(random_scene("any_rate", seed, sample_rates=(20e6, 20e6)))[0], 800_000)
            samples *= np.float32(0.5 / np.abs(samples).max())  # away from the rail, at which nothing is judged
            prepared = segmenter.prepare(samples)
            fast = segmenter.infer(prepared).argmax(axis=0)
            slow = spectrogram.Analysis(
                plain_power(samples, 20e6).astype(np.float32),
                spectrogram.analyse(samples, 20e6).averages,
                plain_correlation(samples, 20e6)[:, ::64].astype(np.float32),
            )
            classes = segmenter.runtime.probabilities(slow.image()[None])[0].argmax(axis=0)
            np.testing.assert_array_equal(fast, classes)
            assert prepared.features.quality.judged and (fast != NOISE).any()


def lively(count, rate, seed=4):
    """Noise with a few bands of repeating symbols, and a ramp of level: every sum is exercised."""
    rng = np.random.default_rng(seed)
    values = noise(count, rng, 1e-4).astype(complex)
    symbol = rng.standard_normal(2 * max(1, round(rate / 15e3))).view(complex)
    values += 0.05 * np.resize(symbol, count) * np.linspace(0.1, 1, count)
    return values.astype(np.complex64)
