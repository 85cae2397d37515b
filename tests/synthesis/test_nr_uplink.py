# SPDX-License-Identifier: GPL-3.0-or-later
"""The resource grid of an NR uplink: who sends where, single carrier or OFDM, control channels and soundings."""

import numpy as np
import pytest
import scipy.fft

from rpmsn.errors import ParameterError
from rpmsn.standards.qam import constellation
from rpmsn.synthesis import ofdm
from rpmsn.synthesis.nr import uplink as nr_uplink
from rpmsn.synthesis.nr.data import RandomData
from rpmsn.synthesis.nr.uplink import NrUplink

DATA_ONLY = dict(pucch_load=0, srs_period_slots=None, user_powers_db=(0.0,), users_per_slot=1)
CONTROL_ONLY = dict(load=0, srs_period_slots=None, user_powers_db=(0.0,))
SOUNDING_ONLY = dict(load=0, pucch_load=0)


def generator(seed=1):
    return np.random.default_rng(seed)


def peak_to_average_db(cell, fraction):
    """Power over its mean that is exceeded for a fraction of the time, dB."""
    power = np.abs(ofdm.modulate(cell.grid(20, generator()), 61.44e6)) ** 2
    power = power[power > 0]
    return 10 * np.log10(np.quantile(power, 1 - fraction) / power.mean())


@pytest.mark.parametrize("pattern", ["DDDSU", "DDSUU", "DSUUU"])
def test_nr_uplink_is_silent_in_the_downlink(pattern):
    cell = NrUplink(40e6, 30e3, 5, pattern, 3, load=1, duty=1, pucch_load=4, srs_period_slots=1, start_ms=3)
    grid = cell.grid(20, generator())
    on_air = grid.on_air.any(axis=1).reshape(40, 14)
    kinds = (pattern * 60)[6:46]
    first = {"D": 14, "S": 11, "U": 0}
    for slot, kind, is_active in zip(on_air, kinds, grid.active):
        assert not slot[: first[kind]].any()
        assert is_active == (kind != "D")
        assert slot[13] == (kind != "D")
        assert slot.all() or kind != "U"


@pytest.mark.parametrize("load, duty", [(0.1, None), (0.3, 0.5), (0.7, 0.9)])
def test_nr_uplink_load_is_the_mean_fraction_of_blocks_with_data(load, duty):
    cell = NrUplink(20e6, 30e3, load=load, duty=duty, burst_slots=2, **DATA_ONLY)
    assert cell.grid(1000, generator()).on_air[5::14].mean() == pytest.approx(load, abs=0.05)


def test_nr_uplink_terminals_have_their_powers():
    powers = (0.0, -10.0, -25.0)
    cell = NrUplink(
        20e6, 30e3, load=1, duty=1, user_powers_db=powers, users_per_slot=1, modulations=(2,), pucch_load=0,
        srs_period_slots=None,
    )  # fmt: skip
    symbol = cell.grid(100, generator()).symbols[6::14, 300]
    found = np.unique(np.round(20 * np.log10(np.abs(symbol)), 3))
    assert found.tolist() == sorted(powers)


def test_nr_uplink_single_carrier_gives_its_points_back():
    cell = NrUplink(20e6, 30e3, load=1, duty=1, transform_precoding=True, modulations=(4,), **DATA_ONLY)
    grid = cell.grid(4, generator())
    row = grid.symbols[6]
    used = np.flatnonzero(row)
    width = used[-1] - used[0] + 1
    assert width % 12 == 0 and nr_uplink.largest_dft_width(width // 12) == width // 12
    points = scipy.fft.ifft(row[used[0] : used[-1] + 1], norm="ortho")
    nearest = constellation(4)[np.abs(points[:, None] - constellation(4)).argmin(axis=1)]
    # float32 DFT of some 500 points: relative error of some 1e-6.
    assert np.allclose(points, nearest, atol=1e-5)


def test_nr_uplink_single_carrier_has_lower_peaks_than_ofdm():
    """OFDM is Gaussian: -ln(p) of the mean at a fraction p, 9.6 dB at 1e-4. QPSK on one carrier is some 2 dB below."""
    cells = [
        NrUplink(20e6, 30e3, load=1, duty=1, transform_precoding=precoded, modulations=(2,), **DATA_ONLY)
        for precoded in (False, True)
    ]
    of_ofdm, of_single_carrier = (peak_to_average_db(cell, 1e-4) for cell in cells)
    assert of_ofdm == pytest.approx(10 * np.log10(-np.log(1e-4)), abs=0.4)
    assert of_single_carrier < of_ofdm - 1.5


@pytest.mark.parametrize("n", [6, 12, 18, 24, 30, 36, 96, 816])
def test_nr_uplink_reference_sequences_have_one_amplitude(n):
    for group in (0, 13, 29):
        assert np.allclose(np.abs(nr_uplink.low_papr_sequence(group, n)), 1, atol=1e-6)


def test_nr_uplink_reference_sequences_are_zadoff_chu():
    """One period has a flat spectrum; different groups correlate as one over the square root of the length."""
    length = 811  # the largest prime below 816
    first, other = (nr_uplink.low_papr_sequence(group, 816)[:length] for group in (3, 20))
    assert np.allclose(np.abs(scipy.fft.fft(first, norm="ortho")), 1, atol=1e-3)
    assert abs(np.vdot(first, other)) / length == pytest.approx(length**-0.5, rel=1e-3)


@pytest.mark.parametrize("additional, places", [(0, [2]), (1, [2, 11]), (2, [2, 7, 11]), (3, [2, 5, 8, 11])])
@pytest.mark.parametrize("precoded", [True, False])
def test_nr_uplink_reference_signals_are_at_their_symbols(additional, places, precoded):
    cell = NrUplink(
        20e6, 30e3, 0, load=1, duty=1, transform_precoding=precoded, modulations=(8,), dmrs_additional=additional,
        **DATA_ONLY,
    )  # fmt: skip
    slot = cell.grid(1, generator()).symbols[:14, 12 : 12 * 49]
    has_one_amplitude = [np.ptp(np.abs(row[::2])) < 1e-3 for row in slot]
    assert np.flatnonzero(has_one_amplitude).tolist() == places


@pytest.mark.parametrize(
    "length, masks",
    [(4, "1 1 1 1"), (5, "1 17 17 17"), (7, "1 17 17 17"), (8, "1 65 73 73"), (9, "1 65 73 73"), (10, "1 257 273 585"),
     (11, "1 257 273 585"), (12, "1 1025 1057 585"), (14, "1 1025 1057 585")],
)  # fmt: skip
def test_nr_uplink_reference_places_of_mapping_type_b(length, masks):
    """As bit masks of symbols; from 8 symbols on they are those of another implementation (OpenAirInterface)."""
    for additional, mask in enumerate(masks.split()):
        places = nr_uplink.dmrs_places_type_b(length, additional)
        assert sum(1 << place for place in places) == int(mask)


@pytest.mark.parametrize("pucch_blocks", [1, 3])
def test_nr_uplink_control_channels_hop_between_the_edges(pucch_blocks):
    cell = NrUplink(20e6, 30e3, pucch_load=1, pucch_long=1, pucch_blocks=pucch_blocks, **CONTROL_ONLY)
    on_air = cell.grid(200, generator()).on_air.reshape(400, 14, 51)
    assert not on_air[:, :, pucch_blocks : 51 - pucch_blocks].any()
    lower, upper = on_air[:, :, :pucch_blocks].any(axis=1), on_air[:, :, : -pucch_blocks - 1 : -1].any(axis=1)
    assert np.array_equal(lower, upper), "who is at one edge is at the other too, reflected"
    lengths = on_air.any(axis=2).sum(axis=1)
    assert set(lengths) == {0, *range(4, 15)}


def test_nr_uplink_short_control_channels_last_one_or_two_symbols():
    cell = NrUplink(20e6, 30e3, pucch_load=0.5, pucch_long=0, **CONTROL_ONLY)
    on_air = cell.grid(100, generator()).on_air.any(axis=1).reshape(200, 14)
    assert not on_air[:, :12].any()
    assert set(on_air.sum(axis=1)) == {0, 1, 2}


@pytest.mark.parametrize("kind, length", [(0, 1), (0, 2), (1, 4), (1, 14), (2, 2), (3, 4), (3, 11), (3, 14)])
def test_nr_uplink_control_channels_have_unit_power(kind, length):
    data = RandomData(generator())
    power = np.mean([np.abs(nr_uplink.pucch(kind, length, 17, data)) ** 2 for _ in range(50)])
    assert power == pytest.approx(1, rel=1e-5)


@pytest.mark.parametrize("comb", [2, 4])
@pytest.mark.parametrize("n_symbols", [1, 2, 4])
def test_nr_uplink_soundings_are_combs_in_the_last_symbols(comb, n_symbols):
    cell = NrUplink(
        20e6, 30e3, 8, user_powers_db=(0.0, 0.0), srs_comb=comb, srs_symbols=n_symbols, srs_period_slots=10,
        **SOUNDING_ONLY,
    )  # fmt: skip
    symbols = cell.grid(20, generator()).symbols.reshape(40, 14, -1)
    slots = np.flatnonzero(symbols.any(axis=(1, 2)))
    assert len(slots) == 8, "two terminals, every 10 slots"
    for slot in symbols[slots]:
        assert np.flatnonzero(slot.any(axis=1)).tolist() == list(range(14 - n_symbols, 14))
        used = np.flatnonzero(slot[13])
        assert set(np.diff(used)) == {comb} and used.size * comb == 48 * 12
        assert np.allclose(np.abs(slot[13, used]) ** 2, comb, rtol=1e-4)


def test_nr_uplink_terminals_that_sound_together_take_different_combs():
    cell = NrUplink(20e6, 30e3, user_powers_db=(0.0, -6.0), srs_comb=2, srs_period_slots=1, **SOUNDING_ONLY)
    combs = np.abs(cell.grid(1, generator()).symbols[13, 12 : 12 + 576]).reshape(-1, 2)
    power_db = 20 * np.log10(combs.mean(axis=0) / np.sqrt(2))
    assert power_db == pytest.approx([0, -6], abs=1e-3)


def test_nr_uplink_data_and_control_keep_apart():
    cell = NrUplink(20e6, 30e3, load=1, duty=1, pucch_load=0, pucch_blocks=3, srs_period_slots=None)
    on_air = cell.grid(20, generator()).on_air
    assert on_air[5::14, 3:48].all()
    assert not on_air[:, :3].any() and not on_air[:, 48:].any()


@pytest.mark.parametrize("n_rb, width", [(1, 1), (7, 6), (11, 10), (23, 20), (49, 48), (273, 270), (0, 0)])
def test_nr_uplink_dft_widths_have_small_factors(n_rb, width):
    assert nr_uplink.largest_dft_width(n_rb) == width


@pytest.mark.parametrize(
    "parameters, words",
    [
        (dict(bandwidth_hz=12e6), "bandwidth_hz of NrUplink is 12000000.0; choose 5, 10, 15"),
        (dict(user_powers_db=(0, -30)), r"user_powers_db of NrUplink is \(0, -30\); choose one or more"),
        (dict(user_powers_db=()), r"user_powers_db of NrUplink is \(\); choose one or more"),
        (dict(transform_precoding=True, dmrs_type=2), "dmrs_type of NrUplink is 2; choose 1"),
        (dict(mapping_type="C"), "mapping_type of NrUplink is 'C'; choose 'A' or 'B'"),
        (dict(pucch_blocks=26), r"pucch_blocks of NrUplink is 26; choose 1..25"),
        (dict(pucch_load=-1), "pucch_load of NrUplink is -1; choose 0 or more"),
        (dict(srs_comb=3), "srs_comb of NrUplink is 3; choose one of"),
        (dict(srs_period_slots=3), "srs_period_slots of NrUplink is 3; choose None or one of"),
        (dict(srs_symbols=3), "srs_symbols of NrUplink is 3; choose one of"),
        (dict(duty=0.1), "duty of NrUplink is 0.1; choose None or load..1"),
        (dict(special_symbols=15), "special_symbols of NrUplink is 15; choose 0..14"),
    ],
)
def test_nr_uplink_parameters_that_cannot_be_are_refused_by_name(parameters, words):
    with pytest.raises(ParameterError, match=words):
        NrUplink(**parameters)
