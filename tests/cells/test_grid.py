# SPDX-License-Identifier: GPL-3.0-or-later
"""Pieces of one carrier have its symbol timing and subcarriers in common, and those of another have not."""

import numpy as np
import pytest
from test_lte_recordings import read

from rpmsn.cells.cell import SYNC, Cell
from rpmsn.cells.grid import SymbolGrid, symbol_grid
from rpmsn.cells.spectrum import Spectrum
from rpmsn.errors import ParameterError
from rpmsn.synthesis.nr.downlink import NrDownlink
from rpmsn.synthesis.ofdm import modulate

RATE = 30.72e6
BANDWIDTHS = {15e3: 10e6, 30e3: 20e6}


def noise(n, power=1.0, seed=1):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, 2), np.float32).view(np.complex64)[:, 0] * np.float32(np.sqrt(power / 2))


def carrier(spacing, offset=3.2e3, late=12_345, seed=1):
    """20 ms of a carrier, `late` samples after the first; its frames begin there."""
    samples = modulate(
        NrDownlink(BANDWIDTHS[spacing], spacing, 100, load=0.5).grid(20, np.random.default_rng(seed)), RATE
    )
    samples = samples * np.exp(2j * np.pi * offset / RATE * np.arange(len(samples)))
    return np.concatenate([np.zeros(late), samples])[: len(samples)].astype(np.complex64)


@pytest.mark.parametrize("spacing", BANDWIDTHS)
def test_pieces_of_a_carrier_share_its_grid_with_each_other_and_with_the_cell(spacing):
    samples = carrier(spacing)
    spectrum = Spectrum(samples + noise(len(samples), 0.01), RATE)
    cell = Cell("NR", 100, SYNC, 3.2e3, start_s=12_345 / RATE, subcarrier_spacing=spacing)
    regions = [(-4e6, -2e6), (0.5e6, 4e6), (2e6, 2.7e6)]
    grids = [symbol_grid(spectrum, *region) for region in regions]
    for grid in grids:
        assert grid.subcarrier_spacing == spacing
        assert (grid.frequency - 3.2e3 + 7.5e3) % 15e3 == pytest.approx(7.5e3, abs=400)
        assert grid.is_shared_with(SymbolGrid.of_cell(cell)) and SymbolGrid.of_cell(cell).is_shared_with(grid)
        assert all(grid.is_shared_with(other) for other in grids)


@pytest.mark.parametrize("change", [dict(offset=8.7e3), dict(late=12_345 + 600)])
def test_another_carriers_grid_is_not_shared(change):
    first, second = (symbol_grid(Spectrum(carrier(15e3, **more), RATE), -3e6, 3e6) for more in ({}, change))
    assert not first.is_shared_with(second)
    thirty = symbol_grid(Spectrum(carrier(30e3), RATE), -3e6, 3e6)
    assert not first.is_shared_with(thirty) and not thirty.is_shared_with(first)


def test_noise_and_silence_have_no_grid():
    for seed in range(3):
        assert symbol_grid(Spectrum(noise(600_000, seed=seed), 15.36e6), -1e6, 2e6) is None
    for values in (np.zeros(600_000), np.zeros(100), np.zeros(0), np.full(600_000, np.nan)):
        assert symbol_grid(Spectrum(values.astype(np.complex64), 15.36e6), -1e6, 2e6) is None


@pytest.mark.parametrize(
    "name, spacing", [("nr20_fdd15_load60", 15e3), ("nr40_tdd30_load20", 30e3), ("ota_lte15_1867.5MHz", 15e3)]
)
def test_pieces_of_recorded_carriers_share_a_grid(name, spacing):
    samples, rate, _ = read(name)
    spectrum = Spectrum(samples[: int(0.04 * rate)], rate)
    pieces = [symbol_grid(spectrum, low * rate, high * rate) for low, high in ((-0.38, -0.15), (0.15, 0.38))]
    assert [grid.subcarrier_spacing for grid in pieces] == [spacing, spacing]
    assert pieces[0].is_shared_with(pieces[1])


@pytest.mark.parametrize("name", ["wifi_80211a_bursts_2462", "gsm_4M_941", "ota_noise_2646MHz", "wmbus_2M4_868"])
def test_what_is_neither_lte_nor_nr_has_no_grid(name):
    samples, rate, _ = read(name)
    assert symbol_grid(Spectrum(samples[: int(0.04 * rate)], rate), -0.35 * rate, 0.35 * rate) is None


@pytest.mark.parametrize(
    "region, words",
    [((1e6, 0.0), "ascending"), ((0, 20e6), "within"), ((np.nan, 1e6), "ascending"), ((0, 4e5), "500000 Hz or more")],
)
def test_a_wrong_region_is_refused_with_a_sentence(region, words):
    with pytest.raises(ParameterError, match=words):
        symbol_grid(Spectrum(np.zeros(10_000, np.complex64), RATE), *region)
