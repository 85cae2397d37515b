# SPDX-License-Identifier: GPL-3.0-or-later
"""The LTE uplink: the standard's signals at their places, single-carrier, silent where the downlink is."""

import re
from dataclasses import asdict

import numpy as np
import pytest
import yaml

from rpmsn.errors import ParameterError
from rpmsn.standards import sequences
from rpmsn.standards.qam import constellation, random_qam
from rpmsn.synthesis import ofdm
from rpmsn.synthesis.grid import ResourceGrid
from rpmsn.synthesis.lte import downlink as lte
from rpmsn.synthesis.lte import uplink as lte_uplink
from rpmsn.synthesis.lte.uplink import LteUplink

PLAIN = dict(pucch_load=0, srs_period_ms=None)
FULL = dict(load=1, duty=1, user_powers_db=(0.0,), **PLAIN)
REFERENCE_ROWS = np.arange(14) % 7 == 3


def generator(seed=1):
    return np.random.default_rng(seed)


def by_subframe(grid):
    return grid.symbols.reshape(-1, 14, grid.symbols.shape[1])


@pytest.mark.parametrize("bandwidth", list(lte.N_RB))
@pytest.mark.parametrize("tdd_config", [None, *range(7)])
def test_uplink_grid_is_on_the_air_in_uplink_subframes_only(bandwidth, tdd_config):
    cell = LteUplink(bandwidth, 8, tdd_config, load=1, pucch_blocks=2, pucch_load=1, srs_period_ms=None)
    grid = cell.grid(10, generator())
    assert grid.symbols.shape == (140, 12 * lte.N_RB[bandwidth]) and grid.symbols.dtype == np.complex64
    uplink = np.array(list("U" * 10 if tdd_config is None else lte.TDD_SUBFRAMES[tdd_config])) == "U"
    assert np.array_equal(grid.on_air.reshape(10, -1).any(axis=1), uplink)
    assert np.array_equal(grid.active, uplink)
    assert grid.half_subcarrier_shift and not grid.has_dc_null


@pytest.mark.parametrize("special, symbols", [(0, 1), (4, 1), (5, 2), (7, 2), (9, 2)])
def test_special_subframes_end_with_sounding(special, symbols):
    cell = LteUplink(5e6, 8, tdd_config=1, special_subframe=special, load=0, pucch_load=0, srs_period_ms=10)
    grid = cell.grid(10, generator())
    on_air = grid.on_air.any(axis=1).reshape(10, 14)
    assert not on_air[[1, 6], : 14 - symbols].any() and on_air[[1, 6], 14 - symbols :].all()
    assert grid.active[[1, 6]].all() and not grid.active[[0, 4, 5, 9]].any()


@pytest.mark.parametrize("bits", [2, 4, 6])
def test_undoing_the_transform_gives_constellation_points(bits):
    cell = LteUplink(5e6, 8, modulations=(bits,), **FULL)
    data = by_subframe(cell.grid(2, generator()))[1, ~REFERENCE_ROWS]
    # 21 blocks are free between the PUCCH's, 20 of them are a product of 2, 3 and 5.
    place = slice(2 * 12, 22 * 12)
    assert not np.delete(data, np.r_[place], axis=1).any()
    points = np.fft.ifft(data[:, place], norm="ortho")
    assert np.abs(points[..., None] - constellation(bits)).min(axis=-1).max() < 1e-5
    assert np.mean(np.abs(data[:, place]) ** 2) == pytest.approx(1, abs=0.05)


def power_exceeded(samples, fraction=1e-3):
    """Power, dB over the mean, that is exceeded in a fraction of the samples."""
    power = np.abs(samples) ** 2
    return 10 * np.log10(np.quantile(power, 1 - fraction) / power.mean())


@pytest.mark.parametrize("bits, at_least", [(2, 1.5), (4, 0.8), (6, 0.6)])
def test_peaks_of_single_carrier_signals_are_below_those_of_many_carriers(bits, at_least):
    rng = generator()
    single = LteUplink(10e6, 8, modulations=(bits,), **FULL).grid(10, rng)
    shape = single.symbols.shape
    many = ResourceGrid(random_qam(rng, shape, bits), "LTE", 15e3, 10e6, False, np.ones(10, bool), 1e-3, 0)
    of_many = power_exceeded(ofdm.modulate(many, 30.72e6))
    # Many carriers are Gaussian noise, whose power is distributed exponentially.
    assert of_many == pytest.approx(10 * np.log10(-np.log(1e-3)), abs=0.15)
    assert power_exceeded(ofdm.modulate(single, 30.72e6)) < of_many - at_least


def test_reference_signals_have_constant_amplitude_and_are_orthogonal_when_shifted():
    cell = LteUplink(10e6, 77, **FULL)
    rows = by_subframe(cell.grid(4, generator()))[:, REFERENCE_ROWS].reshape(8, -1)
    used = rows[:, (rows != 0).all(axis=0)]
    assert used.shape[1] == 12 * 45
    assert np.allclose(np.abs(used), 1, atol=1e-5)
    shifted = sequences.lte_uplink_reference(17, 540) * lte_uplink._cyclic_shifts(12, 540)
    assert np.allclose(shifted @ shifted.conj().T / 540, np.eye(12), atol=1e-5)
    likeness = np.abs(used @ shifted.conj().T) / 540
    assert np.allclose(likeness.max(axis=1), 1, atol=1e-5)
    assert len(set(likeness.argmax(axis=1))) > 1


@pytest.mark.parametrize("n, prime", [(36, 31), (60, 59), (300, 293), (1200, 1193)])
def test_long_base_sequences_are_zadoff_chu(n, prime):
    values = np.array([sequences.lte_uplink_reference(group, n) for group in range(30)])
    assert np.allclose(np.abs(values), 1, atol=1e-5)
    assert np.allclose(values[:, prime:], values[:, : n - prime], atol=1e-5)
    for sequence in values[:, :prime]:
        correlation = np.fft.ifft(np.abs(np.fft.fft(sequence)) ** 2) / prime
        assert np.abs(correlation[1:]).max() < 1e-5
    # Of two roots of a prime length every correlation is 1 / sqrt(length).
    likeness = np.abs(values[:, :prime] @ values[:, :prime].conj().T) / prime
    assert np.allclose(likeness[~np.eye(30, dtype=bool)], prime**-0.5, atol=1e-5)


def test_short_base_sequences_are_thirty_with_low_peaks():
    """TS 36.211 table 5.5.1.2-1 was chosen for low peaks; QPSK drawn at random has up to 10.8 dB."""
    values = np.array([sequences.lte_uplink_reference(group, 12) for group in range(30)])
    peaks = np.abs(np.fft.ifft(values, 192) * 192).max(axis=1) ** 2 / 12
    assert 10 * np.log10(peaks.max()) < 4.5
    likeness = np.abs(values @ values.conj().T) / 12
    assert likeness[~np.eye(30, dtype=bool)].max() < 0.9


@pytest.mark.parametrize("n_rb, bandwidth", [(25, 5e6), (100, 20e6)])
def test_pucch_is_at_the_edges_and_changes_them_between_slots(n_rb, bandwidth):
    cell = LteUplink(bandwidth, 8, load=0, pucch_blocks=4, pucch_load=0.1, srs_period_ms=None)
    on_air = cell.grid(200, generator()).on_air.reshape(200, 2, 7, n_rb)
    first, second = np.moveaxis(on_air.any(axis=2), 1, 0)
    assert not first[:, 2:-2].any() and not second[:, 2:-2].any()
    assert first[:, [0, 1, -2, -1]].any(axis=0).all()
    assert np.array_equal(first, second[:, ::-1])


def test_pucch_of_one_terminal_is_a_shifted_base_sequence_in_every_symbol():
    cell = LteUplink(1.4e6, 101, load=0, pucch_blocks=2, pucch_load=0.05, srs_period_ms=None, user_powers_db=(-10.0,))
    symbols = by_subframe(cell.grid(100, generator()))
    # Among 100 subframes with 2 places each some have one terminal only: those of constant amplitude.
    low = symbols[:, :7, :12]
    alone = low[(np.abs(low) > 0).all(axis=(1, 2)) & (np.ptp(np.abs(low), axis=(1, 2)) < 1e-4)]
    assert len(alone) >= 3
    assert np.allclose(np.abs(alone), 10**-0.5, atol=1e-5)
    shifted = sequences.lte_uplink_reference(101 % 30, 12) * lte_uplink._cyclic_shifts(12, 12)
    likeness = np.abs(alone @ shifted.conj().T) / 12 * 10**0.5
    assert np.allclose(likeness.max(axis=-1), 1, atol=1e-5)


@pytest.mark.parametrize("is_shortened, data", [(False, (0, 1, 5, 6)), (True, (0, 1, 5))])
def test_pucch_covers_keep_three_terminals_apart(is_shortened, data):
    covers = lte_uplink._format_1_covers(is_shortened)
    assert np.array_equal(np.flatnonzero(covers.any(axis=0)), sorted({*data, 2, 3, 4}))
    for symbols in (data, (2, 3, 4)):
        part = covers[:, symbols]
        assert np.allclose(part @ part.conj().T, len(symbols) * np.eye(3), atol=1e-6)


def test_sounding_takes_the_last_symbol_and_every_second_subcarrier():
    cell = LteUplink(10e6, 8, load=1, duty=1, user_powers_db=(0.0,), pucch_load=0, srs_period_ms=5)
    symbols = by_subframe(cell.grid(20, generator()))
    used = symbols[:, -1] != 0
    combs = used.reshape(20, -1, 2).any(axis=1)
    with_sounding = ~combs.all(axis=1)
    assert np.array_equal(np.flatnonzero(with_sounding), np.flatnonzero(with_sounding)[0] + 5 * np.arange(4))
    assert combs[with_sounding].any(axis=1).all()
    assert {int(count) for count in used[with_sounding].sum(axis=1)} <= {4 * 6, 48 * 6}
    assert np.allclose(np.abs(symbols[with_sounding, -1][used[with_sounding]]), 1, atol=1e-5)


def test_near_and_far_terminals_differ_by_their_powers():
    cell = LteUplink(10e6, 8, load=0.9, duty=1, user_powers_db=(0.0, -25.0), modulations=(2,), **PLAIN)
    references = by_subframe(cell.grid(40, generator()))[:, REFERENCE_ROWS]
    levels = np.unique(np.round(20 * np.log10(np.abs(references[references != 0])), 2))
    assert np.allclose(levels, [-25, 0], atol=0.01)


@pytest.mark.parametrize("load, duty, burst_ms", [(0.1, None, 1), (0.3, 0.5, 5), (0.8, 0.9, 10), (1, 1, 1)])
def test_uplink_load_is_the_mean_fraction_of_blocks_with_data(load, duty, burst_ms):
    cell = LteUplink(10e6, 8, load=load, duty=duty, burst_ms=burst_ms, pucch_blocks=0, **PLAIN)
    fraction = cell.grid(2500, generator()).on_air[::14]
    # Widths are rounded down to products of 2, 3 and 5: at most 1/4 of a width, 1/25 on the average.
    assert 0.85 * load < fraction.mean() < 1.1 * load
    wanted = np.sqrt(load) if duty is None else duty
    assert fraction.any(axis=1).mean() == pytest.approx(wanted, abs=0.06)


def test_every_transform_is_a_product_of_two_three_and_five():
    allowed = {2**a * 3**b * 5**c for a in range(7) for b in range(5) for c in range(3)}
    for width in range(1, 111):
        assert lte_uplink.transform_width(width) == max(number for number in allowed if number <= width)


def test_uplink_is_centred_on_its_carrier():
    grid = LteUplink(5e6, 8, load=1, duty=1, pucch_blocks=0, user_powers_db=(0.0,), **PLAIN).grid(20, generator())
    power = np.abs(np.fft.fftshift(np.fft.fft(ofdm.modulate(grid, 7.68e6, ramp=0.5)))) ** 2
    frequencies = np.fft.fftshift(np.fft.fftfreq(power.size, 1 / 7.68e6))
    lower, upper = frequencies[np.searchsorted(np.cumsum(power) / power.sum(), [0.005, 0.995])]
    assert 0.95 * grid.occupied_bandwidth < upper - lower < grid.occupied_bandwidth
    # Without the half subcarrier the centre would be 7.5 kHz too low. 0.5 % of the power are 1.5 subcarriers of 280
    # symbols: their power is known to 1 / sqrt(420), which is 1 kHz at each edge.
    assert abs(lower + upper) / 2 < 3e3


def test_two_chunks_of_one_cell_sound_at_the_same_times():
    cell = LteUplink(5e6, 8, load=0, pucch_load=0, srs_period_ms=10)
    whole = cell.grid(40, generator()).on_air.any(axis=1)
    later = LteUplink(**{**asdict(cell), "start_ms": 13}).grid(27, generator()).on_air.any(axis=1)
    assert np.array_equal(whole[13 * 14 :], later)


def test_drawn_uplinks_work_vary_and_survive_yaml():
    rng = generator()
    cells = [LteUplink.random(rng) for _ in range(150)]
    assert all(LteUplink(**yaml.safe_load(yaml.safe_dump(_lists(asdict(cell))))) == cell for cell in cells)
    assert all(np.isfinite(cell.grid(2, rng).symbols).all() for cell in cells[:40])
    assert len({cell.bandwidth_hz for cell in cells}) == 6
    assert {cell.tdd_config is None for cell in cells} == {True, False}


def _lists(values):
    return {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}


def test_one_seed_one_uplink():
    first, same, other = (LteUplink.random(generator(seed)).grid(5, generator(seed)).symbols for seed in (3, 3, 4))
    assert np.array_equal(first, same)
    assert first.shape != other.shape or not np.array_equal(first, other)


@pytest.mark.parametrize(
    "parameters, words",
    [
        (dict(bandwidth_hz=12e6), "bandwidth_hz of LteUplink is 12000000.0; choose 1.4, 3, 5, 10, 15 or 20 MHz"),
        (dict(tdd_config=7), "tdd_config of LteUplink is 7; choose None (FDD) or 0..6"),
        (dict(load=0.5, duty=0.2), "duty of LteUplink is 0.2; choose None or load..1"),
        (dict(user_powers_db=()), "user_powers_db of LteUplink is (); choose one or more of -25..0 dB"),
        (dict(user_powers_db=(3.0,)), "user_powers_db of LteUplink is (3.0,); choose one or more of -25..0 dB"),
        (dict(modulations=(1,)), "modulations of LteUplink is (1,); choose some of 2, 4, 6 and 8 bits"),
        (dict(pucch_blocks=3), "pucch_blocks of LteUplink is 3; choose an even number, 0..98"),
        (dict(srs_period_ms=3), "srs_period_ms of LteUplink is 3; choose None, 1, 2, 5 or 10 ms"),
        (dict(burst_ms=0), "burst_ms of LteUplink is 0; choose 1 or more"),
    ],
)
def test_uplink_parameters_that_cannot_be_are_refused_by_name(parameters, words):
    with pytest.raises(ParameterError, match=re.escape(words)):
        LteUplink(**parameters)
