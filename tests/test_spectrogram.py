# SPDX-License-Identifier: GPL-3.0-or-later
"""The image: one definition, every sample in it, the same at every rate."""
import numpy as np
import pytest

from rpmsn import spectrogram
from rpmsn.errors import ParameterError

RATES = [1e6, 1.92e6, 2.4e6, 19.2e6, 20e6, 61.44e6, 125e6]


def noise(n, rng, power=1.0):
    parts = rng.standard_normal((n, 2), np.float32) * np.float32(np.sqrt(power / 2))
    return parts.view(np.complex64)[:, 0]


@pytest.mark.parametrize("rate", RATES)
def test_image_of_any_rate_is_256_by_256_and_noise_lies_at_the_floor(rate):
    n = spectrogram.frame_length(rate)
    samples = noise(n, np.random.default_rng(1), power=0.01)
    power = spectrogram.power(samples)
    levels, floor = spectrogram.normalise(power, n)
    assert levels.shape == (256, 256) and levels.dtype == np.float32
    assert np.isfinite(levels).all() and 0 <= levels.min() and levels.max() <= 1
    # 65536 pixels of at least one average each: the mean is known to 1 %, the quantile estimate to a few per cent.
    assert power.mean() == pytest.approx(0.01 / 256, rel=0.02)
    assert floor == pytest.approx(0.01 / 256, rel=0.08)


@pytest.mark.parametrize("n", [256, 40000, 40001, 76799, 768000])
def test_every_sample_counts_with_a_weight_within_3_db(n):
    """An impulse anywhere in the frame adds its energy, also on the first and the last sample."""
    energies = []
    for place in sorted({0, 1, 63, 64, 127, 128, 200, n // 3, n // 2, n - 2, n - 1} & set(range(n))):
        samples = np.zeros(n, np.complex64)
        samples[place] = 1
        energies.append(spectrogram.power(samples).sum())
    energies = np.array(energies) * n / 256
    assert energies.min() > 0.45 and energies.max() < 2.4


def test_a_tone_lands_in_the_column_and_rows_that_the_axes_say():
    n = spectrogram.frame_length(61.44e6)
    time = np.arange(n)
    samples = np.zeros(n, np.complex64)
    on = slice(n // 4, n // 2)
    samples[on] = np.exp(2j * np.pi * (200 - 128) / 256 * time[on])
    power = spectrogram.power(samples)
    row, column = np.unravel_index(power.argmax(), power.shape)
    assert column == 200 and 64 <= row < 128
    assert power[66:126, 200].min() > 100 * power[:62].max()


def test_image_depends_on_the_rate_only_through_pixel_size():
    """The same samples give the same image, whatever rate they are said to have."""
    samples = noise(200_000, np.random.default_rng(2))
    assert np.array_equal(spectrogram.image(samples), spectrogram.image(samples.copy()))


def test_level_of_the_input_does_not_change_the_image():
    samples = noise(300_000, np.random.default_rng(3))
    assert np.allclose(spectrogram.image(samples), spectrogram.image(samples * np.float32(1e-3)), atol=1e-4)


def test_a_recording_without_noise_keeps_the_texture_of_its_carrier():
    n = spectrogram.frame_length(19.2e6)
    spectrum = np.zeros(n, np.complex64)
    spectrum[:n // 4] = noise(n // 4, np.random.default_rng(4))
    levels = spectrogram.image(np.fft.ifft(spectrum).astype(np.complex64))[0]
    assert (levels[:, 132:188] < 1).mean() > 0.99


def test_silence_is_black():
    assert not spectrogram.image(np.zeros(40_000, np.complex64)).any()


def test_published_image_has_three_channels_and_reaches_both_ends_of_the_colours():
    picture = spectrogram.image(noise(100_000, np.random.default_rng(5)), "published")
    assert picture.shape == (3, 256, 256) and picture.dtype == np.float32
    assert 0 <= picture.min() and picture.max() <= 1


def test_published_rows_are_single_snapshots():
    """What lies between two of the 256 snapshots is not seen, as in the paper."""
    n = 2_457_600
    samples = noise(n, np.random.default_rng(6))
    count = (n - 256) // 246 + 1
    seen = ((np.arange(256) + 0.5) * count / 256).astype(int) * 246
    samples[seen[10] + 256:seen[11]] *= 3
    changed = spectrogram.image(samples, "published")
    samples[seen[10] + 256:seen[11]] /= 3
    same = np.abs(changed - spectrogram.image(samples, "published")).mean(axis=(0, 2))
    # Only the scale (the maximum over all spectra) moves, a little and alike for all rows.
    assert same[11] < 3 * np.median(same) + 1e-6


@pytest.mark.parametrize("rate", [0.9e6, 126e6, 0, -1])
def test_rate_out_of_range_is_named_with_what_is_allowed(rate):
    with pytest.raises(ParameterError, match="1 to 125 Msps"):
        spectrogram.frame_length(rate)


def test_too_few_samples_and_unknown_recipe_are_named():
    with pytest.raises(ParameterError, match="at least 256"):
        spectrogram.power(np.zeros(100, np.complex64))
    with pytest.raises(ParameterError, match="averaged, published"):
        spectrogram.image(np.zeros(1000, np.complex64), "nice")
