# SPDX-License-Identifier: GPL-3.0-or-later
"""LTE and NR in one channel: each has its own places, and neither spoils the other's reference signals."""

from dataclasses import asdict

import numpy as np
import pytest
import yaml

from rpmsn.errors import ParameterError
from rpmsn.standards import sequences
from rpmsn.synthesis.dss import DssDownlink
from rpmsn.synthesis.lte.downlink import LteDownlink
from rpmsn.synthesis.nr import data as nr_data
from rpmsn.synthesis.nr import downlink as nr

BANDWIDTHS = (5e6, 10e6, 15e6, 20e6)


def generator(seed=1):
    return np.random.default_rng(seed)


def subframes(cell, n_ms=20, seed=1):
    """(elements (n_ms, 14, n_subcarriers), blocks shared by NR (n_ms, 14, n_rb)) of a carrier."""
    grid = cell.grid(n_ms, generator(seed))
    return grid.symbols.reshape(n_ms, 14, -1), grid.shared.reshape(n_ms, 14, -1)


@pytest.mark.parametrize("bandwidth", BANDWIDTHS)
def test_dss_grid_has_nr_raster_and_lte_label(bandwidth):
    grid = DssDownlink(bandwidth).grid(3, generator())
    assert grid.symbols.shape == (42, 12 * nr.N_RB[15e3][bandwidth])
    assert grid.shared.shape == (42, grid.n_rb)
    assert grid.technology == "LTE" and not grid.has_dc_null and grid.active.all()


@pytest.mark.parametrize("bandwidth", BANDWIDTHS)
def test_dss_without_nr_is_lte_at_the_same_frequencies(bandwidth):
    """Every LTE element is at its distance from the centre; only at 5 MHz the highest subcarrier is lost."""
    lte = dict(cell_id=77, load=0.5)
    shared = DssDownlink(bandwidth, lte=lte, nr_subframes=(), ssb=None).grid(4, generator())
    alone = LteDownlink(bandwidth, **lte).grid(4, generator())
    offsets = alone.subcarrier_offsets
    inside = offsets < shared.symbols.shape[1] // 2
    assert (~inside).sum() == (bandwidth == 5e6)
    places = offsets[inside] + shared.symbols.shape[1] // 2
    assert np.array_equal(shared.symbols[:, places], alone.symbols[:, inside])
    assert np.count_nonzero(shared.symbols) == np.count_nonzero(alone.symbols[:, inside])
    assert not shared.shared.any()


@pytest.mark.parametrize("ports", [1, 2, 4])
@pytest.mark.parametrize("bandwidth", BANDWIDTHS)
def test_dss_keeps_lte_reference_signals_in_all_but_mbsfn_subframes(bandwidth, ports):
    lte = dict(cell_id=204, ports=ports, mbsfn_subframes=(1, 6))
    symbols, _ = subframes(DssDownlink(bandwidth, lte=lte, nr_subframes=(2, 3, 4, 7, 8, 9), nr_load=1), 10)
    alone = LteDownlink(bandwidth, load=0, allocation="idle", **lte).grid(10, generator())
    n_lte, n_nr = alone.symbols.shape[1], symbols.shape[2]
    for number in set(range(10)) - {1, 6}:
        for symbol in (0, 4, 7, 11) + ((1, 8) if ports == 4 else ()):
            for port in range(ports):
                slot = 2 * number + symbol // 7
                own = sequences.lte_crs_subcarriers(204, n_lte // 12, port, slot, symbol % 7)
                if not own.size:
                    continue
                places = alone.subcarrier_offsets[own] + n_nr // 2
                inside = places < n_nr
                sent = symbols[number, symbol, places[inside]]
                assert np.allclose(sent, sequences.lte_crs(204, n_lte // 12, slot, symbol % 7)[inside])


def test_dss_nr_data_has_its_reference_signals_off_those_of_lte():
    cell = DssDownlink(20e6, 500, nr_subframes=(2,), nr_load=1, nr_users=1, lte=dict(ports=4), ssb=None)
    symbols, shared = subframes(cell, 10)
    for symbol in (3, 12):
        expected = nr_data.reference_values(500, symbol, 636)[2]
        found = symbols[2, symbol, ::2]
        likeness = abs(np.vdot(expected, found)) / np.linalg.norm(expected) / np.linalg.norm(found)
        assert likeness == pytest.approx(1, abs=1e-5)
    assert shared[2, 3:].all() and not shared[2, :2].any()


def test_dss_nr_takes_whole_subframes_where_it_shares_in_time():
    lte = dict(load=1, allocation="full", mbsfn_subframes=(6,))
    cell = DssDownlink(10e6, lte=lte, nr_subframes=(2, 8), nr_load=1, ssb=None, trs=False)
    symbols, shared = subframes(cell)
    in_frame = np.arange(20) % 10
    assert np.array_equal(shared.any(axis=(1, 2)), np.isin(in_frame, (2, 6, 8)))
    assert shared[np.isin(in_frame, (2, 6, 8)), 3:].all()
    # LTE's 50 blocks lie in the middle of NR's 52, so the outermost subcarriers are NR's alone.
    assert not symbols[~np.isin(in_frame, (2, 6, 8)), :, :11].any()
    assert symbols[2, 3:, :11].any(axis=1).all()


def test_dss_nr_keeps_to_its_blocks_where_it_shares_in_frequency():
    lte = dict(load=1, allocation="full")
    cell = DssDownlink(20e6, lte=lte, nr_subframes=(1, 2, 3, 4, 6, 7, 8, 9), nr_blocks=(60, 30), nr_load=1, ssb=None)
    symbols, shared = subframes(cell)
    nr_only = np.isin(np.arange(20) % 10, (0, 5), invert=True)
    assert shared[nr_only, 3:, 60:90].all()
    assert not shared[:, :, :60].any() and not shared[:, :, 90:].any() and not shared[~nr_only].any()
    lte_only = np.r_[36:636, 637:720, 1081:1237]
    assert symbols[nr_only][:, 5, lte_only].all(), "LTE fills the rest, but for the carrier's centre"


def test_dss_nr_leaves_to_lte_what_it_does_not_take():
    lte = dict(load=1, allocation="full", modulations=(2,))
    cell = DssDownlink(5e6, lte=lte, nr_subframes=(3,), nr_duty=0.4, nr_load=1, ssb=None)
    symbols, shared = subframes(cell, 1000)
    taken = shared[3::10].any(axis=(1, 2))
    # Binomial: standard error of 100 trials 0.05.
    assert taken.mean() == pytest.approx(0.4, abs=0.2)
    assert symbols[3::10][~taken][:, 5, :150].all()


@pytest.mark.parametrize("subframe, index, first", [(1, 2, 2), (1, 3, 8), (6, 2, 2), (6, 3, 8)])
def test_dss_block_lies_in_an_mbsfn_subframe_every_20_ms(subframe, index, first):
    cell = DssDownlink(10e6, 321, dict(mbsfn_subframes=(1, 6)), ssb=(subframe, index), ssb_offset=100, nr_load=0)
    symbols, _ = subframes(cell, 40)
    found = [
        (number, symbol)
        for number in range(40)
        for symbol in range(14)
        if np.allclose(symbols[number, symbol, 156:283], sequences.nr_pss(321))
    ]
    assert found == [(subframe, first), (subframe + 20, first)]
    assert np.allclose(symbols[subframe, first + 2, 156:283], sequences.nr_sss(321))
    reference = sequences.nr_pbch_dmrs(321, index, half_frame=subframe // 5, blocks=4)
    assert np.allclose(symbols[subframe, first + 1, 101:340:4], reference[:60])


def test_dss_mbsfn_subframes_have_nothing_of_lte_after_its_control_region():
    cell = DssDownlink(10e6, lte=dict(mbsfn_subframes=(1,), ports=4), nr_load=0, nr_subframes=(), ssb=None, trs=False)
    symbols, _ = subframes(cell)
    assert not symbols[1::10, 2:].any()
    assert symbols[1::10, 0].any()


def test_dss_tracking_signal_comes_every_20_ms():
    cell = DssDownlink(10e6, nr_load=0, nr_subframes=(), ssb=None)
    _, shared = subframes(cell, 60)
    assert np.argwhere(shared.all(axis=2)).tolist() == [[n, symbol] for n in (11, 31, 51) for symbol in (4, 8)]


@pytest.mark.parametrize("start_ms", [0, 7, 33])
def test_dss_fractions_are_those_of_the_frame_wherever_it_starts(start_ms):
    whole = DssDownlink(10e6, nr_load=1).grid(60, generator()).shared.reshape(60, 14, -1).any(axis=(1, 2))
    late = DssDownlink(10e6, nr_load=1, start_ms=start_ms).grid(20, generator()).shared.reshape(20, 14, -1)
    assert np.array_equal(late.any(axis=(1, 2)), whole[start_ms : start_ms + 20])


def test_dss_carrier_survives_yaml():
    for seed in range(20):
        cell = DssDownlink.random(generator(seed))
        plain = yaml.safe_load(yaml.safe_dump(listed(asdict(cell))))
        assert DssDownlink(**plain) == cell


def listed(value):
    """The value with lists for tuples, as in a file."""
    if isinstance(value, dict):
        return {name: listed(inner) for name, inner in value.items()}
    return [listed(inner) for inner in value] if isinstance(value, tuple) else value


@pytest.mark.parametrize(
    "parameters, words",
    [
        (dict(bandwidth_hz=1.4e6), "bandwidth_hz of DssDownlink is 1400000.0; choose 5, 10, 15 or 20 MHz"),
        (dict(cell_id=1008), r"cell_id of DssDownlink is 1008; choose 0..1007"),
        (dict(lte={"start_ms": 3}), "lte of DssDownlink is {'start_ms': 3}; choose a dict with some of .*ports"),
        (dict(lte={"tdd_config": 1}), "lte of DssDownlink is .* choose tdd_config None"),
        (dict(lte={"ports": 3}), "ports of LteDownlink is 3"),
        (dict(lte={}), r"ssb of DssDownlink is \(1, 2\); choose None or one of .* in an MBSFN subframe"),
        (dict(nr_subframes=(0, 1)), r"nr_subframes of DssDownlink is \(0, 1\); choose some of \[1, 2, 3, 4, 6"),
        (dict(nr_blocks=(50, 3)), r"nr_blocks of DssDownlink is \(50, 3\); choose None or .* within 52"),
        (dict(nr_load=2), "nr_load of DssDownlink is 2; choose 0..1"),
        (dict(nr_modulations=()), r"nr_modulations of DssDownlink is \(\); choose some of"),
        (dict(ssb_offset=385), "ssb_offset of DssDownlink is 385; choose 0..384"),
        (dict(start_ms=-1), "start_ms of DssDownlink is -1; choose 0 or more"),
    ],
)
def test_dss_parameters_that_cannot_be_are_refused_by_name(parameters, words):
    with pytest.raises(ParameterError, match=words):
        DssDownlink(**parameters)
