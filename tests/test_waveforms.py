# SPDX-License-Identifier: GPL-3.0-or-later
"""Resource grids of LTE and NR, and the samples that the OFDM modulator makes of them."""
from dataclasses import asdict, replace

import numpy as np
import pytest
import scipy.signal

from rpmsn.errors import ParameterError
from rpmsn.synthesis import lte, nr, ofdm, sequences
from rpmsn.synthesis.grid import ResourceGrid, scattered_runs
from rpmsn.synthesis.lte import LteDownlink
from rpmsn.synthesis.nr import NrDownlink

RATES = [1.92e6, 5.76e6, 11.52e6, 19.2e6, 20e6, 23.04e6, 30.72e6, 61.44e6]
SSB_ONLY = dict(style="ssb_only", sib1=False, trs_period_ms=None)


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


# The modulator


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


def demodulate(samples, sample_rate, symbol, offsets):
    """Values of a 15 kHz symbol at subcarrier offsets, by correlation with tones that start at its exact time."""
    start = float(ofdm.symbol_starts(15e3)[1][symbol])
    begin = round(start * sample_rate)
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


def test_a_ramp_lowers_the_skirts():
    grid = random_grid(n_ms=10)
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


# LTE


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


# NR


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


# Both


@pytest.mark.parametrize("kind", [LteDownlink, NrDownlink])
def test_one_seed_one_carrier(kind):
    def make(seed):
        rng = generator(seed)
        return kind.random(rng).grid(4, rng).symbols

    assert np.array_equal(make(3), make(3))
    first, other = make(3), make(4)
    assert first.shape != other.shape or not np.array_equal(first, other)


@pytest.mark.parametrize("kind", [LteDownlink, NrDownlink])
def test_a_grid_does_not_depend_on_what_was_made_before(kind):
    """Caches are never written to."""
    cell = kind.random(generator(5))
    before = cell.grid(3, generator(6)).symbols.copy()
    for seed in range(5):
        kind.random(generator(seed), cell_id=cell.cell_id, bandwidth_hz=cell.bandwidth_hz).grid(3, generator(seed))
    assert np.array_equal(cell.grid(3, generator(6)).symbols, before)


@pytest.mark.parametrize("kind", [LteDownlink, NrDownlink])
def test_drawn_cells_work_vary_and_can_be_written_down(kind):
    rng = generator()
    cells = [kind.random(rng) for _ in range(150)]
    for cell in cells[:40]:
        assert np.isfinite(cell.grid(2, rng).symbols).all()
    assert all(kind(**asdict(cell)) == cell for cell in cells)
    plain = (int, float, str, bool, tuple, type(None))
    assert all(type(value) in plain for cell in cells for value in asdict(cell).values())
    assert len({cell.bandwidth_hz for cell in cells}) >= 6
    assert len({cell.cell_id for cell in cells}) > 100


def test_drawn_lte_cells_are_mostly_lightly_loaded():
    rng = generator()
    loads = np.array([LteDownlink.random(rng).load for _ in range(400)])
    assert 0.65 < np.mean(loads <= 0.3) < 0.85
    assert loads.min() == 0 and loads.max() == 1


@pytest.mark.parametrize("kind", [LteDownlink, NrDownlink])
def test_attributes_that_are_given_are_not_drawn(kind):
    cell = kind.random(generator(), bandwidth_hz=5e6, load=0.4, start_ms=7)
    assert (cell.bandwidth_hz, cell.load, cell.start_ms) == (5e6, 0.4, 7)


@pytest.mark.parametrize("kind", [LteDownlink, NrDownlink])
def test_a_later_start_shifts_what_is_periodic(kind):
    quiet = dict(load=0) | ({} if kind is LteDownlink else SSB_ONLY)
    whole = kind(10e6, cell_id=5, **quiet).grid(30, generator()).symbols
    late = kind(10e6, cell_id=5, start_ms=6, **quiet).grid(24, generator()).symbols
    skipped = len(whole) - len(late)
    # Half frame 2's PSS of LTE, the second burst's of NR; the middle of the carrier is free of anything random.
    primary, middle = (14 * 10 + 6, slice(300 - 31, 300 + 31)) if kind is LteDownlink else (20 * 28 + 4, slice(None))
    assert whole[primary, middle].any()
    assert np.array_equal(whole[primary, middle], late[primary - skipped, middle])


def test_nr_cell_keeps_its_habits_from_grid_to_grid():
    """Two grids that follow each other show the tracking signal with its period, whatever their generators."""
    cell = NrDownlink(20e6, 30e3, 17, style="ssb_only", beams=(), trs_period_ms=20)
    grids = [replace(cell, start_ms=start).grid(20, generator(start)).on_air for start in (0, 20)]
    assert grids[0].any()
    assert np.array_equal(*grids)


@pytest.mark.parametrize("duration", [0, 1.5, -1])
@pytest.mark.parametrize("kind", [LteDownlink, NrDownlink])
def test_a_duration_that_is_no_whole_millisecond_is_refused(kind, duration):
    with pytest.raises(ParameterError, match="n_ms"):
        kind().grid(duration, generator())


def test_scattered_runs_take_what_they_are_asked_for_and_never_overlap():
    rng = generator()
    for _ in range(200):
        n_taken, n_runs = int(rng.integers(0, 21)), int(rng.integers(1, 8))
        runs = scattered_runs(20, n_taken, n_runs, rng)
        taken = [block for start, width in runs for block in range(start, start + width)]
        assert len(runs) == n_runs
        assert len(taken) == len(set(taken)) == n_taken
        assert all(0 <= block < 20 for block in taken)
