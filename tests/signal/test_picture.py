# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of frames with more columns than the image."""

import numpy as np
import pytest

from rpmsn.errors import ParameterError
from rpmsn.signal.image import COLUMNS, DB_MAX, DB_MIN, analyse
from rpmsn.signal.picture import fine_picture, picture_rows
from rpmsn.signal.resolution import PICTURE_COLUMNS, Resolution

RATE = 7.68e6
FRAME = round(0.04 * RATE)
POWER = 1e-4
FLOOR = POWER / COLUMNS
FINE = PICTURE_COLUMNS[1:]


def noise(count=FRAME, seed=1):
    parts = np.random.default_rng(seed).standard_normal((count, 2), np.float32) * np.float32((POWER / 2) ** 0.5)
    return parts.view(np.complex64)[:, 0]


def decibels(picture):
    return DB_MIN + picture / 255 * (DB_MAX - DB_MIN)


def mean_db(picture):
    return 10 * np.log10((10 ** (decibels(picture) / 10)).mean())


@pytest.mark.parametrize("columns", FINE)
def test_white_noise_is_at_zero_decibels_in_every_row_and_column(columns):
    rows = picture_rows(columns, FRAME, FRAME)
    picture = fine_picture(noise(), columns, rows, FLOOR)
    assert picture.dtype == np.uint8 and picture.shape == (rows, columns)
    assert rows * columns == 65536
    assert mean_db(picture) == pytest.approx(0, abs=0.1)
    for part in (picture[0], picture[-1], picture[:, : columns // 8], picture[:, -columns // 8 :]):
        assert mean_db(part) == pytest.approx(0, abs=0.5)


@pytest.mark.parametrize("columns", FINE)
@pytest.mark.parametrize("frequency", [0.0, 1.23e6, -2.9e6])
def test_a_tone_is_in_its_column_with_its_power(columns, frequency):
    tone = np.exp(2j * np.pi * frequency / RATE * np.arange(FRAME)).astype(np.complex64)
    samples = noise() + np.float32(POWER**0.5 * 10**1.5 / columns**0.5) * tone  # 30 dB in one column
    picture = fine_picture(samples, columns, picture_rows(columns, FRAME, FRAME), FLOOR)
    column = round(frequency / RATE * columns) + columns // 2
    strongest = decibels(picture).mean(axis=0).argmax()
    assert abs(strongest - column) <= 1
    assert mean_db(picture[:, column]) == pytest.approx(30 - 1.76, abs=1.8)  # a Hann window's noise bandwidth


def test_two_tones_that_the_image_shows_as_one_are_apart():
    spacing = 4 * RATE / 4096
    times = np.arange(FRAME) / RATE
    samples = noise() + sum(
        np.float32(POWER**0.5) * np.exp(2j * np.pi * frequency * times).astype(np.complex64)
        for frequency in (1e6, 1e6 + spacing)
    )
    power = decibels(fine_picture(samples, 4096, 16, FLOOR)).mean(axis=0)
    first = round(1e6 / RATE * 4096) + 2048
    assert power[first + 2] < min(power[first], power[first + 4]) - 10


@pytest.mark.parametrize("dtype, full_scale", [(np.int16, 32768), (np.int8, 128)])
def test_integers_look_like_what_they_stand_for(dtype, full_scale):
    samples = noise() * np.float32(20)
    whole = np.rint(samples.view(np.float32).reshape(-1, 2) * full_scale).astype(dtype)
    of_integers = fine_picture(whole, 1024, 64, 400 * FLOOR)
    of_complex = fine_picture(
        whole.astype(np.float32).reshape(-1).view(np.complex64) / full_scale, 1024, 64, 400 * FLOOR
    )
    assert np.abs(of_integers.astype(int) - of_complex).max() <= 1


def test_a_burst_is_in_its_rows():
    samples = noise()
    samples[FRAME // 2 : FRAME * 5 // 8] *= 30
    rows = mean_db_of_rows(fine_picture(samples, 2048, 32, FLOOR))
    assert (rows[16:20] > 25).all() and (np.delete(rows, slice(15, 21)) < 3).all()


def mean_db_of_rows(picture):
    return np.array([mean_db(row) for row in picture])


@pytest.mark.parametrize("count", [1, 300, 5000])
@pytest.mark.parametrize("columns", [1024, 16384])
def test_fewer_samples_than_columns_fill_a_picture(count, columns):
    rows = picture_rows(columns, count, FRAME)
    picture = fine_picture(noise(count), columns, rows, FLOOR)
    assert picture.shape == (rows, columns) and rows >= 1
    if count >= 300:
        assert mean_db(picture) == pytest.approx(0, abs=3)


def test_what_is_no_number_and_what_is_too_large_are_drawn():
    samples = noise()
    samples[1000] = np.nan
    assert mean_db(fine_picture(samples, 1024, 64, FLOOR)) == pytest.approx(0, abs=0.5)
    samples[:] = 3e38
    assert fine_picture(samples, 1024, 64, FLOOR).max() == 255


def test_without_a_noise_floor_nothing_is_drawn():
    assert not fine_picture(np.zeros(FRAME, np.complex64), 1024, 64, 0.0).any()


def test_levels_are_those_of_the_image():
    samples = noise()
    wide = np.fft.fft(noise(seed=2))
    wide[np.abs(np.fft.fftfreq(FRAME, 1 / RATE) - 1e6) > 0.9e6] = 0
    samples += 10 * np.fft.ifft(wide).astype(np.complex64)
    analysis = analyse(samples, RATE)
    picture = fine_picture(samples, 4096, 16, analysis.floor)
    band = slice(round(0.5e6 / RATE * 4096) + 2048, round(1.5e6 / RATE * 4096) + 2048)
    in_image = analysis.levels[:, round(0.5e6 / RATE * 256) + 128 : round(1.5e6 / RATE * 256) + 128]
    expected = 10 * np.log10((10 ** ((DB_MIN + in_image * (DB_MAX - DB_MIN)) / 10)).mean())
    assert mean_db(picture[:, band]) == pytest.approx(expected, abs=0.3)


@pytest.mark.parametrize("columns", [0, 255, 512, 32768, None])
def test_other_columns_are_refused(columns):
    with pytest.raises(ParameterError, match="columns is .* 256, 1024, 2048"):
        Resolution(columns)
