# SPDX-License-Identifier: GPL-3.0-or-later
"""The resource grid of an LTE downlink has what the standard puts where it puts it."""

import re

import numpy as np
import pytest

from rpmsn.errors import ParameterError
from rpmsn.standards import sequences
from rpmsn.standards.qam import constellation
from rpmsn.synthesis import ofdm
from rpmsn.synthesis.lte import control as lte_control
from rpmsn.synthesis.lte import downlink as lte
from rpmsn.synthesis.lte import schedule as lte_schedule
from rpmsn.synthesis.lte.downlink import LteDownlink


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
def test_lte_load_is_the_mean_fraction_of_blocks_with_data(allocation, load, duty):
    cell = LteDownlink(10e6, 5, load=load, duty=duty, allocation=allocation, system_information=False)
    # Symbol 3 has neither control nor reference signals; subframes 0 and 5 do without synchronisation there.
    fraction = cell.grid(800, generator()).on_air[3::14].mean()
    assert fraction == pytest.approx(load, abs=0.04)


GAPS = [(n_rb, 1) for n_rb in lte.N_RB.values()] + [(50, 2), (75, 2), (100, 2)]


@pytest.mark.parametrize("n_rb, gap", GAPS)
def test_lte_distributed_blocks_differ_between_slots_and_never_meet(n_rb, gap):
    places = lte_schedule.distributed_places(n_rb, gap)
    assert all(len(set(slot)) == places.shape[1] for slot in places)
    assert places.min() >= 0 and places.max() < n_rb
    assert not np.any(places[0] == places[1])


@pytest.mark.parametrize("n_rb, gap", GAPS)
def test_lte_distributed_blocks_are_those_of_the_standards_formulas(n_rb, gap):
    """TS 36.211 6.2.3.2 gives the interleaver also as formulas; ours writes and reads a matrix."""
    distance = {(6, 1): 3, (15, 1): 8, (25, 1): 12, (50, 1): 27, (75, 1): 32, (100, 1): 48,
                (50, 2): 9, (75, 2): 16, (100, 2): 16}[n_rb, gap]  # fmt: skip
    group = {6: 1, 15: 2, 25: 2, 50: 3, 75: 4, 100: 4}[n_rb]
    n_virtual = 2 * min(distance, n_rb - distance) if gap == 1 else n_rb // (2 * distance) * 2 * distance
    unit = n_virtual if gap == 1 else 2 * distance
    rows = int(np.ceil(unit / (4 * group))) * group
    nulls = 4 * rows - unit
    expected = np.empty((2, n_virtual), int)
    for number in range(n_virtual):
        start, virtual = number // unit * unit, number % unit
        halved = 2 * rows * (virtual % 2) + virtual // 2
        quartered = rows * (virtual % 4) + virtual // 4
        if nulls and virtual >= unit - nulls:
            even = halved - rows + (nulls // 2 if virtual % 2 == 0 else 0)
        else:
            even = quartered - (nulls // 2 if nulls and virtual % 4 >= 2 else 0)
        for slot, place in enumerate((even, (even + unit // 2) % unit)):
            expected[slot, number] = start + place + (0 if place < unit // 2 else distance - unit // 2)
    assert np.array_equal(lte_schedule.distributed_places(n_rb, gap), expected)


def test_lte_cells_of_both_gaps_are_found():
    gaps = {lte_schedule.Scheduler(LteDownlink(10e6, cell_id), generator()).gap for cell_id in range(20)}
    assert gaps == {1, 2}


def test_lte_silent_subframes_carry_no_user_data():
    cell = LteDownlink(10e6, 4, allocation="full", load=1, silent_subframes=(1, 7), system_information=False)
    busy = cell.grid(20, generator()).on_air[3::14].any(axis=1)
    assert np.array_equal(busy, ~np.isin(np.arange(20) % 10, (1, 7)))


@pytest.mark.parametrize("bits", [2, 8])
def test_lte_data_has_the_modulation_asked_for(bits):
    cell = LteDownlink(5e6, 4, allocation="full", load=1, modulations=(bits,))
    data = cell.grid(2, generator()).symbols[14 + 9]
    distances = np.abs(data[:, None] - constellation(bits)).min(axis=1)
    assert distances.max() < 1e-5
    assert len(set(data.round(4))) > 2**bits / 2


@pytest.mark.parametrize("ports", [1, 2, 4])
def test_lte_empty_mbsfn_subframes_have_a_control_region_and_nothing_else(ports):
    cell = LteDownlink(10e6, 4, ports, allocation="full", load=1, mbsfn_subframes=(1, 8))
    grid = cell.grid(10, generator())
    on_air = grid.on_air.any(axis=1).reshape(10, 14)
    assert grid.extended_prefix is None
    assert on_air[[0, 2, 3, 4, 5, 6, 7, 9]].all()
    assert on_air[[1, 8], 0].all() and not on_air[[1, 8], 2:].any()
    references = sequences.lte_crs_subcarriers(4, 50, 0, 2, 0)
    assert np.array_equal(grid.symbols[14, references], sequences.lte_crs(4, 50, 2, 0))


def test_lte_broadcast_subframes_have_their_own_reference_signals_and_no_others():
    cell = LteDownlink(5e6, 301, allocation="idle", load=0, mbsfn_subframes=(2,), mbsfn_content="pmch")
    grid = cell.grid(10, generator())
    assert np.array_equal(np.flatnonzero(grid.extended_prefix), [2])
    broadcast = grid.symbols[28:42]
    assert (broadcast[2:12] != 0).all() and not broadcast[12:].any()
    for row, first, slot, symbol in ((2, 0, 4, 2), (6, 1, 5, 0), (10, 0, 5, 4)):
        expected = sequences.lte_mbsfn_reference(301 - 256, 25, slot, symbol)
        assert np.array_equal(broadcast[row, first::2], expected)
        crs = sequences.lte_crs_subcarriers(301, 25, 0, 4, 0)
        assert not np.allclose(broadcast[row, crs], sequences.lte_crs(301, 25, slot, symbol))


@pytest.mark.parametrize("n_rb", [6, 100])
def test_lte_broadcast_reference_signals_are_those_of_the_standard(n_rb):
    """TS 36.211 6.10.2.1: the middle of a sequence for 110 resource blocks, QPSK of pairs of bits."""
    bits = sequences.gold(2**9 * (7 * (5 + 1) + 4 + 1) * (2 * 45 + 1) + 45, 2 * 6 * 110).astype(int)
    places = 2 * (np.arange(6 * n_rb) + 3 * (110 - n_rb))
    expected = (1 - 2 * bits[places] + 1j * (1 - 2 * bits[places + 1])) / np.sqrt(2)
    assert np.allclose(sequences.lte_mbsfn_reference(45, n_rb, 5, 4), expected)


def test_lte_broadcast_is_on_air_at_twelve_symbols_a_subframe():
    cell = LteDownlink(5e6, 301, mbsfn_subframes=(1,), mbsfn_content="pmch", start_ms=1)
    grid = cell.grid(1, generator())
    rate, n = 7.68e6, 512
    samples = ofdm.modulate(grid, rate)
    for symbol in range(2, 12):
        useful = round(rate * (symbol * 1e-3 / 12 + 1e-3 / 60))
        received = np.fft.fft(samples[useful : useful + n])[grid.subcarrier_offsets] / n * np.sqrt(300)
        assert np.allclose(received, grid.symbols[symbol], atol=1e-4)


def test_a_twelfth_of_drawn_fdd_cells_has_mbsfn_subframes():
    rng = generator()
    cells = [LteDownlink.random(rng, tdd_config=None) for _ in range(1000)]
    # Three standard deviations of a fraction of 0.08 among 1000.
    assert np.mean([bool(cell.mbsfn_subframes) for cell in cells]) == pytest.approx(0.08, abs=0.026)
    assert {cell.mbsfn_content for cell in cells if cell.mbsfn_subframes} == {"empty", "pmch"}
    assert not any(LteDownlink.random(rng, tdd_config=2).mbsfn_subframes for _ in range(100))


@pytest.mark.parametrize("bandwidth", [1.4e6, 5e6, 20e6])
def test_lte_has_99_percent_of_its_power_within_its_resource_blocks(bandwidth):
    grid = LteDownlink(bandwidth, 9, allocation="full", load=1).grid(10, generator())
    power = np.abs(np.fft.fftshift(np.fft.fft(ofdm.modulate(grid, 30.72e6, ramp=0.3)))) ** 2
    fraction = np.cumsum(power) / power.sum()
    frequencies = (np.arange(power.size) - power.size // 2) * 30.72e6 / power.size
    lower, upper = frequencies[np.searchsorted(fraction, [0.005, 0.995])]
    # The carrier has a subcarrier of 15 kHz more, the empty one in its middle.
    assert 0.95 * grid.occupied_bandwidth < upper - lower < grid.occupied_bandwidth + 15e3


@pytest.mark.parametrize("n_rb, ports", [(6, 1), (15, 4), (25, 2), (50, 4), (75, 1), (100, 2)])
@pytest.mark.parametrize("cell_id", [0, 100, 503])
def test_lte_control_channels_do_not_share_elements(n_rb, ports, cell_id):
    pcfich, phich, pdcch = lte_control.control_elements(cell_id, n_rb, ports, 3, 2)
    crs, _ = lte._crs_elements(cell_id, n_rb, ports, 1, 3)
    together = np.concatenate([pcfich, phich.ravel(), pdcch.ravel(), crs])
    assert len(set(together)) == len(together)
    assert together.max() < 3 * 12 * n_rb


@pytest.mark.parametrize("row, middle", [(0, False), (4, False), (5, True), (6, True), (7, True), (9, False)])
def test_lte_elements_in_use_have_unit_mean_power(row, middle):
    """Control, reference, secondary and primary synchronisation, broadcast, data: whatever the row holds."""
    cell = LteDownlink(5e6, 42, ports=1, allocation="full", load=1, pdcch_load=1)
    elements = cell.grid(60, generator()).symbols.reshape(60, 14, 300)[::10, row]
    used = elements[:, 150 - 36 : 150 + 36] if middle else elements
    used = used[used != 0]
    # 64QAM has a spread of 0.62 of its mean power: three standard deviations of the mean of some hundred elements.
    assert np.mean(np.abs(used) ** 2) == pytest.approx(1, abs=3 * 0.62 / np.sqrt(used.size))


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
        (dict(modulations=(3,)), "modulations of LteDownlink is (3,); choose some of 2, 4, 6 and 8"),
        (dict(silent_subframes=(10,)), "silent_subframes of LteDownlink is (10,); choose some of 0..9"),
        (dict(mbsfn_subframes=(5,)), "mbsfn_subframes of LteDownlink is (5,); choose some of 1, 2, 3, 6, 7, 8"),
        (dict(mbsfn_subframes=(3,), tdd_config=1), "is (3,); choose some of 4, 9"),
        (dict(mbsfn_content="tv"), "mbsfn_content of LteDownlink is 'tv'; choose empty, pmch"),
        (dict(allocation="some"), "allocation of LteDownlink is 'some'; choose rbg, localised"),
    ],
)
def test_lte_parameters_that_cannot_be_are_refused_by_name(parameters, words):
    with pytest.raises(ParameterError, match=re.escape(words)):
        LteDownlink(**parameters)
