# SPDX-License-Identifier: GPL-3.0-or-later
"""The OFDM modulator: exact times, true frequencies, unit power, nothing where nothing belongs."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.signal

from rpmsn.errors import ParameterError
from rpmsn.synthesis import ofdm
from rpmsn.synthesis.grid import ResourceGrid

RATES = [1.92e6, 5.76e6, 11.52e6, 19.2e6, 20e6, 23.04e6, 30.72e6, 61.44e6]


def generator(seed=1):
    return np.random.default_rng(seed)


def random_grid(spacing=15e3, n_rb=25, has_dc_null=True, n_ms=2):
    """Every resource element used, QPSK."""
    rng = generator()
    shape = (round(14 * n_ms * spacing / 15e3), 12 * n_rb)
    symbols = np.exp(0.5j * np.pi * rng.integers(0, 4, shape)).astype(np.complex64)
    slots = np.ones(shape[0] // 14, bool)
    return ResourceGrid(symbols, "NR", spacing, 5e6, has_dc_null, slots, 15.0 / spacing, 0)


def spectrum(samples, sample_rate):
    frequencies, power = scipy.signal.welch(samples, sample_rate, nperseg=2048, return_onesided=False, detrend=False)
    return np.fft.fftshift(frequencies), np.fft.fftshift(power)


@pytest.mark.parametrize("sample_rate", RATES)
@pytest.mark.parametrize("spacing", [15e3, 30e3])
def test_a_millisecond_has_exactly_a_thousandth_of_the_sample_rate(sample_rate, spacing):
    samples = ofdm.modulate(random_grid(spacing, n_rb=6, n_ms=3), sample_rate)
    assert samples.dtype == np.complex64
    assert samples.shape == (3 * sample_rate / 1000,)


@pytest.mark.parametrize("spacing", [15e3, 30e3])
def test_symbol_times_fill_a_millisecond_with_prefixes_as_specified(spacing):
    starts, useful = ofdm.symbol_starts(spacing)
    prefixes = np.array([float(b - a) for a, b in zip(starts, useful)]) * 30.72e6
    first_of_half_ms = np.arange(len(starts)) % (len(starts) // 2) == 0
    assert np.allclose(prefixes, 144 * 15e3 / spacing + 16 * first_of_half_ms)
    assert float(useful[-1]) + 1 / spacing == pytest.approx(1e-3)


def demodulate(samples, sample_rate, symbol, offsets, times=ofdm.symbol_starts, early=0):
    """Values of a 15 kHz symbol at subcarrier offsets, by correlation with tones that start at its exact time.

    `early` samples of its prefix are taken in place of as many at its end.
    """
    start = float(times(15e3)[1][symbol])
    begin = round(start * sample_rate) - early
    n = int(sample_rate / 15e3)
    times = np.arange(begin, begin + n) / sample_rate - start
    return samples[begin : begin + n] @ np.exp(-2j * np.pi * 15e3 * np.outer(times, offsets)) / n


@pytest.mark.parametrize("sample_rate", [5.76e6, 19.2e6, 23.04e6, 30.72e6, 61.44e6])
@pytest.mark.parametrize("has_dc_null", [True, False])
def test_demodulating_gives_the_grid_back(sample_rate, has_dc_null):
    grid = random_grid(has_dc_null=has_dc_null)
    samples = ofdm.modulate(grid, sample_rate)
    for symbol in range(14):
        received = demodulate(samples, sample_rate, symbol, grid.subcarrier_offsets) * np.sqrt(grid.symbols.shape[1])
        assert np.allclose(received, grid.symbols[symbol], atol=1e-4)


@pytest.mark.parametrize("offset_hz, shift", [(0, 0), (1.5e6, 100)])
@pytest.mark.parametrize("early", [0, 17])
def test_half_a_subcarrier_up_is_where_the_uplink_has_its_subcarriers(offset_hz, shift, early):
    """Also within the prefix, which is minus the symbol's end there: TS 36.211 5.6."""
    grid = replace(random_grid(has_dc_null=False), half_subcarrier_shift=True)
    samples = ofdm.modulate(grid, 30.72e6, offset_hz)
    offsets = grid.subcarrier_offsets + 0.5
    assert offsets.sum() == 0
    for symbol in range(14):
        # A mixer at 1.5 MHz has turned by whole cycles where each millisecond begins, not where a symbol does.
        turned = np.exp(2j * np.pi * 15e3 * shift * float(ofdm.symbol_starts(15e3)[1][symbol]))
        received = demodulate(samples, 30.72e6, symbol, offsets + shift, early=early) * np.sqrt(offsets.size) / turned
        assert np.allclose(received, grid.symbols[symbol], atol=1e-4)


def mixed_prefix_grid():
    """Three milliseconds; the second has two symbols with normal and ten with extended cyclic prefix."""
    grid = random_grid(n_ms=3)
    grid.symbols[26:28] = 0
    return replace(grid, extended_prefix=np.array([False, True, False]))


@pytest.mark.parametrize("sample_rate", [7.68e6, 30.72e6])
@pytest.mark.parametrize("ramp", [0.0, 0.5])
def test_symbols_with_extended_prefix_stand_where_twelve_make_a_millisecond(sample_rate, ramp):
    grid = mixed_prefix_grid()
    by_ms = ofdm.modulate(grid, sample_rate, ramp=ramp).reshape(3, -1) * np.sqrt(grid.symbols.shape[1])

    def twelfths(_):
        return None, [symbol * 1e-3 / 12 + 512 / 30.72e6 for symbol in range(12)]

    for symbol in range(2, 12):
        received = demodulate(by_ms[1], sample_rate, symbol, grid.subcarrier_offsets, twelfths)
        assert np.allclose(received, grid.symbols[14 + symbol], atol=1e-4)
    for row in (0, 1, 2, 13, 14, 15, 28, 29, 41):
        received = demodulate(by_ms[row // 14], sample_rate, row % 14, grid.subcarrier_offsets)
        assert np.allclose(received, grid.symbols[row], atol=1e-4)


def test_there_is_silence_between_the_control_region_and_symbols_with_extended_prefix():
    samples = ofdm.modulate(mixed_prefix_grid(), 30.72e6).reshape(3, -1)[1]
    quiet = slice(160 + 144 + 2 * 2048, 2 * (2048 + 512))
    assert not samples[quiet].any()
    assert samples[: quiet.start].all() and samples[quiet.stop :].all()


def test_energy_of_symbols_with_extended_prefix_counts_for_the_time_when_they_are_sent():
    grid = mixed_prefix_grid()
    grid.symbols[14 + 2 : 14 + 12] = 0
    grid.symbols[14 + 7] = 1
    starts = np.arange(14) / 14
    # Symbol 7 of 12 lasts from 7/12 to 8/12 of a millisecond; a 14th counts where its middle lies in it.
    sent = (starts + 1 / 28 >= 7 / 12) & (starts + 1 / 28 < 8 / 12)
    assert np.array_equal(grid.on_air[14:28, 0][2:], sent[2:])
    assert grid.on_air[:16].all() and grid.on_air[28:].all()


@pytest.mark.parametrize("sample_rate", [4.8e6, 7.5e6, 20e6, 45e6])
def test_prefixes_that_are_no_whole_samples_move_a_symbol_by_half_a_sample_at_most(sample_rate):
    grid = random_grid()
    samples = ofdm.modulate(grid, sample_rate)
    half_a_sample_late = np.sinc(0.5 * grid.occupied_bandwidth / sample_rate)
    for symbol in range(14):
        received = demodulate(samples, sample_rate, symbol, grid.subcarrier_offsets)
        likeness = abs(np.vdot(grid.symbols[symbol], received)) / np.linalg.norm(received) / np.sqrt(received.size)
        assert likeness > half_a_sample_late - 0.01


@pytest.mark.parametrize("sample_rate", [19.2e6, 20e6])
def test_an_offset_is_the_same_as_mixing(sample_rate):
    grid = random_grid()
    times = np.arange(2 * sample_rate / 1000) / sample_rate
    mixed = ofdm.modulate(grid, sample_rate) * np.exp(2j * np.pi * 3e6 * times)
    assert np.allclose(ofdm.modulate(grid, sample_rate, 3e6), mixed, atol=1e-3)


def test_an_offset_is_rounded_to_a_whole_subcarrier():
    grid = random_grid()
    assert np.array_equal(ofdm.modulate(grid, 19.2e6, 3.007e6), ofdm.modulate(grid, 19.2e6, 3e6))


@pytest.mark.parametrize("ramp", [0.0, 0.5])
def test_full_load_has_mean_power_one_in_the_occupied_bandwidth(ramp):
    grid = random_grid(spacing=30e3, has_dc_null=False, n_ms=4)
    samples = ofdm.modulate(grid, 30.72e6, 2e6, ramp=ramp)
    assert np.mean(np.abs(samples) ** 2) == pytest.approx(1, abs=0.03)
    frequencies, power = spectrum(samples, 30.72e6)
    occupied = np.abs(frequencies - round(2e6 / 30e3) * 30e3) < grid.occupied_bandwidth / 2
    assert power[occupied].sum() / power.sum() > 0.98
    assert np.min(power[occupied][2:-2]) > 0.3 * np.mean(power[occupied])


@pytest.mark.parametrize("ramp", [0.3, 1.0])
def test_a_ramp_leaves_the_useful_parts_alone(ramp):
    grid = random_grid()
    sharp, soft = (ofdm.modulate(grid, 30.72e6, ramp=fraction) for fraction in (0.0, ramp))
    starts = np.array([float(start) for start in ofdm.symbol_starts(15e3)[1]]) * 30.72e6
    useful = (starts.round().astype(int)[:, None] + np.arange(2048)).ravel()
    assert np.array_equal(sharp[useful], soft[useful])
    assert not np.array_equal(sharp, soft)


def test_a_ramp_runs_on_into_the_next_millisecond():
    grid = random_grid()
    grid.symbols[14:] = 0
    first, second = ofdm.modulate(grid, 30.72e6, ramp=0.5).reshape(2, -1)
    assert second[:72].all() and not second[72:].any()
    # Nothing was sent before the first millisecond: it rises from 0.
    assert np.abs(first[0]) < 0.01 * np.sqrt(np.mean(np.abs(first) ** 2))


@pytest.mark.parametrize("half_shift", [False, True])
def test_a_ramp_lowers_the_skirts(half_shift):
    grid = replace(random_grid(n_ms=10), half_subcarrier_shift=half_shift)
    skirts = []
    for ramp in (0.0, 0.6):
        frequencies, power = spectrum(ofdm.modulate(grid, 30.72e6, ramp=ramp), 30.72e6)
        skirts.append(power[np.abs(frequencies) > 8e6].mean() / power[np.abs(frequencies) < 2e6].mean())
    assert skirts[1] < skirts[0] / 10


def test_what_leaves_the_span_is_dropped_and_does_not_alias():
    grid = random_grid(n_ms=10)
    samples = ofdm.modulate(grid, 7.68e6, 3.84e6)
    frequencies, power = spectrum(samples, 7.68e6)
    assert np.mean(np.abs(samples) ** 2) == pytest.approx(0.5, abs=0.03)
    inside = (frequencies > 1.7e6) & (frequencies < 3.8e6)
    assert power[frequencies < 1e6].mean() < 0.01 * power[inside].mean()
    assert not ofdm.modulate(grid, 7.68e6, 50e6).any()


def test_gains_are_those_of_the_channel_on_every_element():
    grid = random_grid()
    gains = generator().standard_normal((len(grid.symbols), 1)).astype(np.float32)
    faded = replace(grid, symbols=grid.symbols * gains)
    assert np.array_equal(ofdm.modulate(grid, 7.68e6, gains=gains), ofdm.modulate(faded, 7.68e6))


@pytest.mark.parametrize("sample_rate", [10.001e6, 7.681e6, 0, -15e3, 19.2e6 + 0.5])
def test_a_rate_that_does_not_fit_the_subcarrier_spacing_is_refused(sample_rate):
    with pytest.raises(ParameterError, match=r"sample_rate is .* a multiple of the subcarrier spacing, 15000 Hz"):
        ofdm.modulate(random_grid(), sample_rate)
