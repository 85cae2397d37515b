# SPDX-License-Identifier: GPL-3.0-or-later
"""The resource grid of an NR downlink has what the standard puts where it puts it."""

import numpy as np
import pytest
from test_sequences import NR_RECORDINGS, SAME, NrRecording, likeness

from rpmsn.errors import ParameterError
from rpmsn.standards import nr_grant, sequences
from rpmsn.synthesis.nr import broadcast as nr_broadcast
from rpmsn.synthesis.nr import data as nr_data
from rpmsn.synthesis.nr import downlink as nr
from rpmsn.synthesis.nr.downlink import NrDownlink

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
def test_nr_load_is_the_mean_fraction_of_blocks_with_data(load, duty, burst_slots, scattered):
    cell = NrDownlink(
        20e6, 30e3, load=load, duty=duty, burst_slots=burst_slots, scattered=scattered, beams=(), trs_period_ms=None
    )  # fmt: skip
    fraction = cell.grid(1000, generator()).on_air[5::14].mean()
    assert fraction == pytest.approx(load, abs=0.05)


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
    groups = nr_grant.control_channel_elements(48, n_symbols, interleaved, 17)
    assert sorted(groups.ravel()) == list(range(48 * n_symbols))


def test_nr_tracking_reference_signal_comes_in_two_slots_of_each_period():
    cell = NrDownlink(20e6, 30e3, style="ssb_only", beams=(), trs_period_ms=10)
    on_air = cell.grid(40, generator()).on_air.any(axis=1).reshape(80, 14)
    slots = np.flatnonzero(on_air.any(axis=1))
    assert len(slots) == 8
    assert set(np.diff(slots) % 20) == {1, 19}
    assert (on_air[slots].sum(axis=1) == 2).all()


def first_information(**parameters):
    """(slots of two frames with SIB1 or its grant, on_air of those slots) of a cell that sends nothing else."""
    base = dict(bandwidth_hz=20e6, style="ssb_only", trs_period_ms=None, ssb_period_ms=160, start_ms=20)
    cell = NrDownlink(**{**base, **parameters})
    on_air = cell.grid(20, generator()).on_air.reshape(-1, 14, cell.n_rb)
    slots = np.flatnonzero(on_air.any(axis=(1, 2)))
    return slots.tolist(), on_air[slots]


@pytest.mark.parametrize(
    "row, spacing, slots",
    [(0, 30e3, [0, 3]), (2, 30e3, [4, 7]), (4, 15e3, [5, 8]), (6, 30e3, [14, 17]), (9, 30e3, [10, 16])],
)
def test_nr_first_system_information_follows_every_beam(row, spacing, slots):
    """n0 = (O 2^mu + floor(i M)) mod slots of a frame, of table 13-11."""
    found, on_air = first_information(subcarrier_spacing=spacing, beams=((0, 0), (3, -3)), search_space_zero=row)
    assert found == slots
    assert on_air.any(axis=2).all(), "control and data fill the slot"


def test_nr_two_beams_share_a_slot_where_the_search_space_says_so():
    found, on_air = first_information(
        subcarrier_spacing=30e3, beams=((2, 0), (3, 0)), search_space_zero=5, ssb_offset=216, coreset_zero=1
    )  # fmt: skip
    assert found == [11]
    assert on_air[0, :4].any(axis=1).all(), "two control regions of two symbols"
    first = 216 // 12 - 1
    data = on_air[0, 5:, first : first + 24].any(axis=0)
    assert data[:12].sum() >= 4 and data[12:].sum() >= 4, "each beam has its half of the blocks"


def test_nr_late_search_space_leaves_the_first_symbols_free():
    _, on_air = first_information(search_space_zero=11, coreset_zero=0)
    assert not on_air[0, :2].any() and on_air[0, 2:4].any(axis=1).all()


@pytest.mark.parametrize("spacing", [15e3, 30e3])
def test_nr_control_region_zero_lies_round_the_blocks_as_its_row_says(spacing):
    for index, (width, n_symbols, offset) in enumerate(nr_broadcast.CORESET_ZERO[spacing]):
        ssb_offset = 12 * offset + 7
        cell = NrDownlink(50e6, spacing, ssb_offset=ssb_offset, coreset_zero=index)
        assert cell.coreset_zero_blocks == (0, width, n_symbols)
        assert offset + 20 <= width, "the SS/PBCH block lies within"


@pytest.mark.parametrize("spacing", [15e3, 30e3])
@pytest.mark.parametrize("bandwidth", [5e6, 10e6, 20e6])
def test_nr_some_control_region_zero_fits_wherever_the_blocks_are(spacing, bandwidth):
    n_rb = nr.N_RB[spacing][bandwidth]
    for offset in range(max(0, 12 * n_rb - 240 + 1) if n_rb >= 20 else 0):
        assert nr_broadcast.fitting_coresets_zero(spacing, n_rb, offset)


@pytest.mark.parametrize("dmrs_first", [2, 3])
@pytest.mark.parametrize("case, spacing", [("A", 15e3), ("B", 30e3), ("C", 30e3)])
def test_nr_first_system_information_keeps_off_the_blocks(case, spacing, dmrs_first):
    """In one slot SIB1 never has a symbol with an SS/PBCH block, for their resource blocks overlap."""
    for beams in [((0, 0),), ((1, 0),), ((0, 0), (1, 0))]:
        parameters = dict(beams=beams, ssb_case=case, dmrs_first=dmrs_first, style="ssb_only", trs_period_ms=None)
        cells = [NrDownlink(20e6, spacing, sib1=sib1, ssb_offset=25, **parameters) for sib1 in (True, False)]
        with_sib1, without = (cell.grid(2, generator()).symbols for cell in cells)
        blocks = without.any(axis=1)
        assert np.array_equal(with_sib1[blocks] != 0, without[blocks] != 0)
        assert with_sib1.any(axis=1).sum() > blocks.sum()


def test_nr_first_system_information_has_its_references_counted_from_its_control_region():
    """TS 38.211 7.4.1.1.2 and 7.4.1.3.2: not from common resource block 0, as for users."""
    parameters = dict(ssb_offset=12 * 20, coreset_zero=2, search_space_zero=2, dmrs_additional=0, start_ms=2)
    cell = NrDownlink(20e6, 30e3, 700, style="ssb_only", trs_period_ms=None, **parameters)
    slot = cell.grid(1, generator()).symbols[:14]
    first = cell.coreset_zero_blocks[0]
    assert first == 18
    used = np.flatnonzero(slot[2])
    expected = sequences.nr_dmrs(700, 4, 2, used.size) * np.float32(np.sqrt(2))
    assert used[0] == 12 * first and np.allclose(slot[2, used], expected)
    control = slot[0, 12 * first + 1 :: 4]
    is_used = control != 0
    assert is_used.sum() >= 18 and np.allclose(control[is_used], sequences.nr_dmrs(700, 4, 0, control.size)[is_used])


def test_nr_allocations_are_the_longest_that_fit():
    for first, stop, n_downlink, taken, expected in (
        (2, 2, 14, (), [(2, 14, (2, 7, 11))]),
        (3, 2, 14, (), [(3, 14, (3, 7, 11))]),
        (2, 2, 14, range(2, 6), [(9, 13, (9,))]),
        (2, 2, 14, range(2, 12), [(12, 14, (12,))]),
        (2, 4, 14, (), [(4, 11, (4, 8)), (5, 12, (5, 9))]),
    ):
        row = nr_grant.allocation(nr_broadcast.sib1_allocation(first, stop, n_downlink, set(taken)), first)
        assert (row.start, row.stop, row.reference_symbols) in expected
    assert nr_broadcast.sib1_allocation(2, 2, 3, set()) is None


@pytest.mark.parametrize("period", [4, 20])
@pytest.mark.parametrize("ports", [1, 2, 4, 8])
def test_nr_channel_state_signal_has_as_many_elements_as_ports(ports, period):
    cell = NrDownlink(
        20e6, 30e3, 31, style="ssb_only", beams=(), trs_period_ms=None, csi_rs_period_slots=period, csi_rs_ports=ports
    )  # fmt: skip
    symbols = cell.grid(20, generator()).symbols
    rows = np.flatnonzero(symbols.any(axis=1))
    assert len(rows) == 40 / period
    assert set(np.diff(rows)) == {14 * period}
    sent = symbols[rows]
    assert ((sent != 0).sum(axis=1) == ports * cell.n_rb).all()
    assert np.allclose(np.abs(sent[sent != 0]), 1)


def test_nr_schedule_is_kept_to_the_slot_and_block():
    schedule = ((1, 2, 7), 10, ((3, 10), (40, 5)))
    cell = NrDownlink(
        20e6, 30e3, style="scheduled", schedule=schedule, pdcch_load=0, modulations=(2,), beams=(), trs_period_ms=None
    )  # fmt: skip
    data = cell.grid(20, generator()).on_air.reshape(4, 10, 14, 51)[:, :, 3:]
    expected = np.zeros((10, 51), bool)
    expected[[1, 2, 7], 3:13] = expected[[1, 2, 7], 40:45] = True
    assert np.array_equal(data, np.broadcast_to(expected[None, :, None], data.shape))


@pytest.mark.parametrize("bits, n_points", [(2, 4), (4, 16), (6, 64), (8, 256)])
def test_nr_users_have_the_modulations_that_are_given(bits, n_points):
    cell = NrDownlink(
        20e6, 30e3, style="full", modulations=(bits,), users=1, pdcch_load=0, beams=(), trs_period_ms=None
    )  # fmt: skip
    data = cell.grid(4, generator()).symbols[6::14]
    assert len(np.unique(data)) == n_points
    # Mean power of N points of kurtosis below 2: standard error below 1 / sqrt(N).
    assert np.mean(np.abs(data) ** 2) == pytest.approx(1, abs=4 / np.sqrt(data.size))


@pytest.mark.parametrize("dmrs_type, groups", [(1, 2), (2, 3)])
def test_nr_reference_signals_have_the_power_of_the_elements_left_free(dmrs_type, groups):
    user = nr_data.User(bits_per_symbol=2, groups_without_data=groups, amplitude=0.5)
    slot = np.zeros((14, 24 * 12), np.complex64)
    nr_data.add_pdsch(slot, 3, 7, (4, 6), (2, 14), (2, 11), user, dmrs_type, nr_data.RandomData(generator()))
    used = slot[2, 48:120]
    assert np.count_nonzero(used) == 72 / groups
    assert np.mean(np.abs(used) ** 2) == pytest.approx(0.25, rel=1e-5)
    assert not slot[:, :48].any() and not slot[:, 120:].any()


def test_nr_dmrs_positions_of_two_symbols():
    assert nr_data.double_dmrs_symbols(14, 2, 0) == (2, 3)
    assert nr_data.double_dmrs_symbols(14, 3, 2) == (3, 4, 10, 11)
    assert nr_data.double_dmrs_symbols(12, 2, 1) == (2, 3, 8, 9)
    assert nr_data.double_dmrs_symbols(9, 2, 3) == (2, 3)


def test_nr_random_data_uses_every_point_equally():
    """A chi-square of 255 degrees of freedom lies within 255 +- 5 sqrt(510)."""
    data = nr_data.RandomData(generator()).symbols(1000, 256, 8)
    counts = np.unique(data, return_counts=True)[1]
    assert abs(((counts - 1000) ** 2 / 1000).sum() - 255) < 5 * np.sqrt(510)


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
        (dict(ssb_offset=0, coreset_zero=4), r"coreset_zero of NrDownlink is 4; choose one of \[0, 5\]"),
        (dict(search_space_zero=16), "search_space_zero of NrDownlink is 16; choose 0..15"),
        (dict(csi_rs_period_slots=7), "csi_rs_period_slots of NrDownlink is 7; choose None or one of"),
        (dict(csi_rs_ports=3), "csi_rs_ports of NrDownlink is 3; choose one of"),
        (dict(modulations=(3,)), r"modulations of NrDownlink is \(3,\); choose some of"),
        (dict(dmrs_length=3), "dmrs_length of NrDownlink is 3; choose 1 or 2"),
        (dict(style="scheduled"), "schedule of NrDownlink is None; choose"),
        (dict(style="scheduled", schedule=((10,), 10, ((0, 5),))), "schedule of NrDownlink is .* below the period"),
        (dict(style="scheduled", schedule=((1,), 10, ((48, 5),))), "schedule of NrDownlink is .* within 51"),
        (dict(load=-0.1), "load of NrDownlink is -0.1; choose 0..1"),
    ],
)
def test_nr_parameters_that_cannot_be_are_refused_by_name(parameters, words):
    with pytest.raises(ParameterError, match=words):
        NrDownlink(**parameters)


def test_nr_control_channel_elements_and_references_are_those_of_another_encoder(captures):
    """Every group of 6 blocks with energy in the recording's control symbol has our reference values."""
    recording = NrRecording(captures, *NR_RECORDINGS[1])
    n_groups = recording.n_rb // 6
    control = recording.slots(block_symbol=2)[:, 0, : 72 * n_groups].reshape(-1, n_groups, 6, 12)
    references = control[..., 1::4].reshape(*control.shape[:2], 18)
    power = np.abs(control) ** 2
    is_used = power.mean(axis=(2, 3)) > 0.1 * power.mean(axis=(2, 3)).max()
    assert 50 < is_used.sum() < 0.5 * is_used.size
    worst = []
    for first in range(10):
        numbers = (first + np.arange(len(control))) % 10
        values = nr_data.reference_values(recording.cell_id, 0, 3 * recording.n_rb)[numbers, : 18 * n_groups]
        worst.append(likeness(references[is_used], values.reshape(references.shape)[is_used]).min())
    assert max(worst) > SAME
