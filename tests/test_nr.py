# SPDX-License-Identifier: GPL-3.0-or-later
"""The resource grid of an NR downlink has what the standard puts where it puts it."""
import numpy as np
import pytest

from rpmsn.errors import ParameterError
from rpmsn.synthesis import nr, sequences
from rpmsn.synthesis.nr import NrDownlink

SSB_ONLY = dict(style="ssb_only", sib1=False, trs_period_ms=None)


def generator(seed=1):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("spacing, bandwidth", [(spacing, width) for spacing in nr.N_RB for width in nr.N_RB[spacing]])
def test_nr_grid_has_the_size_of_its_carrier(spacing, bandwidth):
    beams = () if nr.N_RB[spacing][bandwidth] < 20 else ((0, 0.0),)
    grid = NrDownlink(bandwidth, spacing, 7, beams=beams, style="full").grid(5, generator())
    assert grid.symbols.shape == (70 * spacing / 15e3, 12 * nr.N_RB[spacing][bandwidth])
    assert 0.78 * bandwidth < grid.occupied_bandwidth < bandwidth
    assert grid.duration_s == pytest.approx(0.005)
    assert grid.on_air[3::14].all()


@pytest.mark.parametrize("spacing, case", [(15e3, "A"), (30e3, "B"), (30e3, "C")])
@pytest.mark.parametrize("offset", [0, 37, 20 * 12])
def test_nr_blocks_are_at_their_symbols_and_subcarriers(spacing, case, offset):
    beams = [(index, -index) for index in range(8)]
    cell = NrDownlink(
        20e6, spacing, 300, beams=beams, ssb_case=case, ssb_offset=offset, ssb_period_ms=10, **SSB_ONLY
    )  # fmt: skip
    grid = cell.grid(20, generator())
    symbols_a_frame = 140 * round(spacing / 15e3)
    on_air = set(np.flatnonzero(grid.on_air.any(axis=1)))
    firsts = [first + frame for frame in (0, symbols_a_frame) for first in nr.SSB_FIRST_SYMBOLS[case]]
    assert on_air == {first + i for first in firsts for i in range(4)}
    for (index, power_db), first in zip(beams, firsts):
        block = grid.symbols[first : first + 4, offset : offset + 240] * 10 ** (-power_db / 20)
        assert np.allclose(block[0, 56:183], sequences.nr_pss(300))
        assert np.allclose(block[2, 56:183], sequences.nr_sss(300))
        assert (block != 0).sum() == 127 * 2 + 240 * 2 + 96


def test_nr_block_clears_its_resource_blocks_of_data():
    grid = NrDownlink(20e6, 15e3, 300, style="full", ssb_offset=500).grid(1, generator())
    assert not grid.symbols[2, 492 : 500 + 56].any()
    assert not grid.symbols[2, 500 + 183 : 744].any()
    assert grid.symbols[3, 480:492].all()


@pytest.mark.parametrize("pattern", [None, *nr.TDD_PATTERNS])
def test_nr_uplink_slots_are_silent(pattern):
    cell = NrDownlink(40e6, 30e3, 5, tdd_pattern=pattern, special_symbols=6, style="full", start_ms=3)
    grid = cell.grid(20, generator())
    kinds = (pattern or "D") * 60
    expected = {"D": 14, "S": 6, "U": 0}
    on_air = grid.on_air.reshape(40, 14, -1).any(axis=2)
    for slot, kind, is_active in zip(on_air, kinds[6:], grid.active):
        assert not slot[expected[kind] :].any()
        assert is_active == (kind != "U")
        assert slot[3 : expected[kind]].all()


@pytest.mark.parametrize("scattered", [True, False])
@pytest.mark.parametrize("load, duty, burst_slots", [(0.1, None, 1), (0.3, 0.5, 4), (0.8, 0.9, 2)])
def test_nr_load_is_the_mean_share_of_blocks_with_data(load, duty, burst_slots, scattered):
    cell = NrDownlink(
        20e6, 30e3, load=load, duty=duty, burst_slots=burst_slots, scattered=scattered, beams=(), trs_period_ms=None
    )  # fmt: skip
    share = cell.grid(1000, generator()).on_air[5::14].mean()
    assert share == pytest.approx(load, abs=0.05)


def test_nr_mini_slots_last_2_4_or_7_symbols():
    cell = NrDownlink(20e6, 30e3, load=1, users=1, mini_slot_share=1, pdcch_load=0, beams=(), trs_period_ms=None)
    lengths = cell.grid(50, generator()).on_air.any(axis=1).reshape(100, 14).sum(axis=1)
    assert set(lengths) == {2, 4, 7}


@pytest.mark.parametrize("additional, places", [(0, [2]), (1, [2, 11]), (2, [2, 7, 11]), (3, [2, 5, 8, 11])])
def test_nr_data_reference_signal_is_at_its_symbols(additional, places):
    cell = NrDownlink(
        10e6, 30e3, 99, style="full", users=1, dmrs_additional=additional, beams=(), trs_period_ms=None
    )  # fmt: skip
    slot = cell.grid(1, generator()).symbols[14:28]
    found = []
    for symbol in range(14):
        expected = sequences.nr_dmrs(99, 1, symbol, slot.shape[1] // 2)
        product = np.vdot(expected, slot[symbol, 0::2]) / np.linalg.norm(expected) / np.linalg.norm(slot[symbol, 0::2])
        found += [symbol] if abs(product) > 0.999 else []
    assert found == places


@pytest.mark.parametrize("interleaved", [True, False])
@pytest.mark.parametrize("n_symbols", [1, 2, 3])
def test_nr_control_channel_elements_fill_the_coreset_once(interleaved, n_symbols):
    groups = nr._control_channel_elements(48, n_symbols, interleaved, 17)
    assert sorted(groups.ravel()) == list(range(48 * n_symbols))


def test_nr_tracking_reference_signal_comes_in_two_slots_of_each_period():
    cell = NrDownlink(20e6, 30e3, style="ssb_only", beams=(), trs_period_ms=10)
    on_air = cell.grid(40, generator()).on_air.any(axis=1).reshape(80, 14)
    slots = np.flatnonzero(on_air.any(axis=1))
    assert len(slots) == 8
    assert set(np.diff(slots) % 20) == {1, 19}
    assert (on_air[slots].sum(axis=1) == 2).all()


def test_nr_first_system_information_follows_every_beam():
    cell = NrDownlink(20e6, 30e3, style="ssb_only", beams=((0, 0), (3, -3)), sib1_offset_ms=5, trs_period_ms=None)
    on_air = cell.grid(20, generator()).on_air.any(axis=1).reshape(40, 14)
    assert np.flatnonzero(on_air.all(axis=1)).tolist() == [10, 13]


@pytest.mark.parametrize(
    "parameters, words",
    [
        (dict(bandwidth_hz=12e6), "bandwidth_hz of NrDownlink is 12000000.0; choose 5, 10, 15"),
        (dict(bandwidth_hz=100e6, subcarrier_spacing=15e3), "bandwidth_hz of NrDownlink is 100000000.0; choose"),
        (dict(subcarrier_spacing=60e3), "subcarrier_spacing of NrDownlink is 60000.0; choose 15e3 or 30e3 Hz"),
        (dict(ssb_offset=373), "ssb_offset of NrDownlink is 373; choose 0..372"),
        (dict(ssb_offset=-1), "ssb_offset of NrDownlink is -1; choose 0..372"),
        (dict(bandwidth_hz=5e6), r"ssb_offset of NrDownlink is 0; choose beams=\(\): the carrier is narrower"),
        (dict(ssb_case="A"), "ssb_case of NrDownlink is 'A'; choose one of"),
        (dict(tdd_pattern="DXU"), "tdd_pattern of NrDownlink is 'DXU'; choose None"),
        (dict(beams=((8, 0),)), r"beams of NrDownlink is \(\(8, 0\),\); choose .* different indices 0..7"),
        (dict(coreset=(0, 20, 1)), r"coreset of NrDownlink is \(0, 20, 1\); choose"),
        (dict(load=-0.1), "load of NrDownlink is -0.1; choose 0..1"),
    ],
)
def test_nr_parameters_that_cannot_be_are_refused_by_name(parameters, words):
    with pytest.raises(ParameterError, match=words):
        NrDownlink(**parameters)
