# SPDX-License-Identifier: GPL-3.0-or-later
"""The resource grid of an LTE downlink has what the standard puts where it puts it."""
import numpy as np
import pytest

from rpmsn.errors import ParameterError
from rpmsn.synthesis import lte, sequences
from rpmsn.synthesis.lte import LteDownlink


def generator(seed=1):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("bandwidth", list(lte.N_RB))
@pytest.mark.parametrize("tdd_config", [None, *range(7)])
def test_lte_grid_has_the_size_and_the_times_on_air_of_its_cell(bandwidth, tdd_config):
    grid = LteDownlink(bandwidth, 7, tdd_config=tdd_config, allocation="full", load=1).grid(10, generator())
    assert grid.symbols.shape == (140, 12 * lte.N_RB[bandwidth])
    assert grid.symbols.dtype == np.complex64
    assert grid.occupied_bandwidth == lte.N_RB[bandwidth] * 180e3
    assert grid.duration_s == pytest.approx(0.01)
    on_air = grid.on_air.reshape(10, -1).any(axis=1)
    uplink = np.array(list("D" * 10 if tdd_config is None else lte.TDD_SUBFRAMES[tdd_config])) == "U"
    assert np.array_equal(on_air, ~uplink)
    assert np.array_equal(grid.active, ~uplink)


@pytest.mark.parametrize("special, symbols", list(enumerate(lte.DWPTS_SYMBOLS)))
def test_lte_special_subframe_ends_with_its_downlink_part(special, symbols):
    cell = LteDownlink(5e6, 3, tdd_config=1, special_subframe=special, allocation="full", load=1)
    special_subframe = cell.grid(2, generator()).on_air[14:].any(axis=1)
    assert special_subframe[[0, 2]].all()
    assert special_subframe[:symbols].all() or symbols == 3
    assert not special_subframe[symbols:].any()


@pytest.mark.parametrize("tdd_config, primary, secondary", [(None, 6, 5), (2, 16, 13)])
def test_lte_synchronisation_signals_are_at_their_places(tdd_config, primary, secondary):
    symbols = LteDownlink(10e6, 301, tdd_config=tdd_config, allocation="full", load=1).grid(10, generator()).symbols
    middle = slice(300 - 31, 300 + 31)
    for half in (0, 70):
        assert np.array_equal(symbols[primary + half, middle], sequences.lte_pss(301))
        assert np.array_equal(symbols[secondary + half, middle], sequences.lte_sss(301, half // 14))


@pytest.mark.parametrize("ports, elements", [(1, 8), (2, 16), (4, 24)])
def test_lte_idle_cell_sends_little_but_reference_signals(ports, elements):
    cell = LteDownlink(20e6, 11, ports, load=0, allocation="idle", system_information=False)
    grid = cell.grid(10, generator())
    data_symbols = grid.symbols.reshape(10, 14, -1)[1]
    references = 100 * elements
    assert references <= (data_symbols != 0).sum() <= references + 0.2 * 1200


def test_lte_system_information_comes_in_subframe_5_of_even_frames():
    cell = LteDownlink(10e6, 11, load=0, allocation="idle", start_ms=3)
    occupied = (cell.grid(37, generator()).symbols.reshape(37, 14, -1)[:, 9] != 0).any(axis=1)
    assert set(np.flatnonzero(occupied) + 3) >= {5, 25}
    assert occupied.sum() <= 5


@pytest.mark.parametrize("allocation", ["rbg", "localised", "distributed"])
@pytest.mark.parametrize("load, duty", [(0.05, None), (0.3, 0.6), (0.9, None)])
def test_lte_load_is_the_mean_share_of_blocks_with_data(allocation, load, duty):
    cell = LteDownlink(10e6, 5, load=load, duty=duty, allocation=allocation, system_information=False)
    # Symbol 3 has neither control nor reference signals; subframes 0 and 5 do without synchronisation there.
    share = cell.grid(800, generator()).on_air[3::14].mean()
    assert share == pytest.approx(load, abs=0.04)


@pytest.mark.parametrize("n_rb", list(lte.N_RB.values()))
def test_lte_distributed_blocks_differ_between_slots_and_never_meet(n_rb):
    places = lte._distributed_places(n_rb)
    assert all(len(set(slot)) == places.shape[1] for slot in places)
    assert places.min() >= 0 and places.max() < n_rb
    assert not np.any(places[0] == places[1])


@pytest.mark.parametrize("n_rb, ports", [(6, 1), (15, 4), (25, 2), (50, 4), (75, 1), (100, 2)])
@pytest.mark.parametrize("cell_id", [0, 100, 503])
def test_lte_control_channels_do_not_share_elements(n_rb, ports, cell_id):
    pcfich, phich, pdcch = lte._control_elements(cell_id, n_rb, ports, 3, 2)
    crs, _ = lte._crs_elements(cell_id, n_rb, ports, 1, 3)
    together = np.concatenate([pcfich, phich.ravel(), pdcch.ravel(), crs])
    assert len(set(together)) == len(together)
    assert together.max() < 3 * 12 * n_rb


def test_lte_data_power_is_relative_to_the_reference_signals():
    symbols = LteDownlink(5e6, allocation="full", load=1, pdsch_power_db=-6).grid(10, generator()).symbols
    assert np.mean(np.abs(symbols[14 + 9]) ** 2) == pytest.approx(10**-0.6, rel=0.1)


@pytest.mark.parametrize(
    "parameters, words",
    [
        (dict(bandwidth_hz=12e6), "bandwidth_hz of LteDownlink is 12000000.0; choose 1.4, 3, 5, 10, 15 or 20 MHz"),
        (dict(cell_id=504), "cell_id of LteDownlink is 504; choose 0..503"),
        (dict(ports=3), "ports of LteDownlink is 3; choose 1, 2 or 4"),
        (dict(tdd_config=7), "tdd_config of LteDownlink is 7; choose None"),
        (dict(load=1.1), "load of LteDownlink is 1.1; choose 0..1"),
        (dict(duty=0.1), "duty of LteDownlink is 0.1; choose None or load..1"),
        (dict(allocation="some"), "allocation of LteDownlink is 'some'; choose rbg, localised"),
    ],
)
def test_lte_parameters_that_cannot_be_are_refused_by_name(parameters, words):
    with pytest.raises(ParameterError, match=words):
        LteDownlink(**parameters)
