# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables of the generator against a second source: another implementation, or the standard's other way to say it.

Numbers stand here in another form than in the generator wherever there is one, so that a slip of the pen in either
is found. The docstring of a test names the source.
"""

import numpy as np
import pytest

from rpmsn.standards import nr_grant
from rpmsn.synthesis import ofdm  # fmt: skip
from rpmsn.synthesis.channel import fading
from rpmsn.synthesis.lte import control as lte_control
from rpmsn.synthesis.lte import downlink as lte
from rpmsn.synthesis.lte import schedule as lte_schedule
from rpmsn.synthesis.lte import uplink as lte_uplink
from rpmsn.synthesis.nr import broadcast as nr_broadcast
from rpmsn.synthesis.nr import data as nr_data
from rpmsn.synthesis.nr import downlink as nr
from rpmsn.synthesis.nr import uplink as nr_uplink

TDL = {
    # Delays in 1e-4 of the delay spread, powers in 0.1 dB.
    "TDL-A": (
        "0 3819 4025 5868 4610 5375 6708 5750 7618 15375 18978 22242 21718 24942 25119 30582 40810 44579 45695 "
        "47966 50066 53043 96586",
        "134 0 22 40 60 82 99 105 75 159 66 167 124 152 108 113 127 162 183 189 166 199 297",
    ),
    "TDL-B": (
        "0 1072 2155 2095 2870 2986 3752 5055 3681 3697 5700 5283 11021 12756 15474 17842 20169 28294 30219 "
        "36187 41067 42790 47834",
        "0 22 40 32 98 12 34 52 76 30 89 90 48 57 75 19 76 122 98 114 149 92 113",
    ),
    "TDL-C": (
        "0 2099 2219 2329 2176 6366 6448 6560 6584 7935 8213 9336 12285 13083 21704 27105 42589 46003 54902 "
        "56077 63065 66374 70427 86523",
        "44 12 35 52 25 0 22 39 74 71 107 111 51 68 87 132 139 139 158 171 160 157 216 228",
    ),
    "TDL-D": (
        "0 0 350 6120 13630 14050 18040 25960 17750 40420 79370 94240 97080 125250",
        "2 135 188 210 228 179 201 219 229 278 236 248 300 277",
    ),
    "TDL-E": (
        "0 0 5133 5440 5630 5440 7112 19092 19293 19589 26426 37136 54524 120034 206519",
        "0.3 220.3 158 181 198 229 224 186 208 226 223 256 202 298 292",
    ),
}

MICROSECONDS = {
    "EPA": ((0, 0.03, 0.07, 0.09, 0.11, 0.19, 0.41), (0, 1, 2, 3, 8, 17.2, 20.8)),
    "EVA": ((0, 0.03, 0.15, 0.31, 0.37, 0.71, 1.09, 1.73, 2.51), (0, 1.5, 1.4, 3.6, 0.6, 9.1, 7, 12, 16.9)),
    "ETU": ((0, 0.05, 0.12, 0.2, 0.23, 0.5, 1.6, 2.3, 5), (1, 1, 1, 0, 0, 0, 3, 5, 7)),
}


def numbers(text):
    return np.array(text.split(), float)


@pytest.mark.parametrize("name", TDL)
def test_tdl_profiles(name):
    """NVIDIA Sionna 0.x, sionna/channel/tr38901/models/TDL-*.json; OpenAirInterface, openair1/SIMULATION/TOOLS/
    random_channel.c (TDL-A to C, and D and E without their Rayleigh part at delay 0)."""
    delays, losses = TDL[name]
    profile = fading.PROFILES[name]
    np.testing.assert_allclose(1e4 * np.array(profile.delays), numbers(delays), atol=1e-6)
    np.testing.assert_allclose(-10 * np.array(profile.powers_db), numbers(losses), atol=1e-6)
    assert profile.scaled


@pytest.mark.parametrize(
    "name, k_db", [("TDL-A", None), ("TDL-B", None), ("TDL-C", None), ("TDL-D", 13.3), ("TDL-E", 22.0)]
)
def test_tdl_d_and_e_have_a_line_of_sight_of_their_k_factor(name, k_db):
    """Notes of TR 38.901 tables 7.7.2-4 and 7.7.2-5: the first tap is Rice fading with a mean power of 0 dB."""
    profile = fading.PROFILES[name]
    assert profile.line_of_sight == (k_db is not None)
    if profile.line_of_sight:
        steady, scattered = profile.powers_db[:2]
        assert steady - scattered == pytest.approx(k_db)
        assert 10 * np.log10(10 ** (steady / 10) + 10 ** (scattered / 10)) == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("name", MICROSECONDS)
def test_lte_profiles(name):
    """srsRAN 4G, lib/src/phy/channel/fading.c (ns); OpenAirInterface, random_channel.c (microseconds)."""
    delays, losses = MICROSECONDS[name]
    profile = fading.PROFILES[name]
    np.testing.assert_allclose(1e6 * np.array(profile.delays), delays, atol=1e-9)
    np.testing.assert_allclose(-np.array(profile.powers_db), losses, atol=1e-9)
    assert not profile.scaled


def test_resource_blocks_of_lte():
    """srsRAN 4G, lib/src/phy/common/phy_common.c: blocks of the FFT sizes 128, 256, 384, 768, 1024 and 1536, the
    smallest that hold a carrier. Else 10 % of the channel is guard: TS 36.101 table 5.6-1."""
    fft_sizes = {6: 128, 15: 256, 25: 384, 50: 768, 75: 1024, 100: 1536}
    assert list(lte.N_RB.values()) == list(fft_sizes)
    for bandwidth, n_rb in lte.N_RB.items():
        assert 12 * n_rb < fft_sizes[n_rb]
        if bandwidth > 1.4e6:
            assert n_rb * 180e3 == pytest.approx(0.9 * bandwidth)


GUARDS_KHZ = {
    15e3: {5: 242.5, 10: 312.5, 15: 382.5, 20: 452.5, 25: 522.5, 30: 592.5, 35: 572.5, 40: 552.5, 45: 712.5, 50: 692.5},
    30e3: {
        5: 505,
        10: 665,
        15: 645,
        20: 805,
        25: 785,
        30: 945,
        35: 925,
        40: 905,
        45: 1065,
        50: 1045,
        60: 825,
        70: 965,
        80: 925,
        90: 885,
        100: 845,
    },
}


@pytest.mark.parametrize("spacing", GUARDS_KHZ)
def test_resource_blocks_of_nr_leave_the_minimum_guard_band(spacing):
    """TS 38.104 table 5.3.3-1 (kHz), also in Canonical's sdcore operators, du_parameters/guard_bands (which has 552.5
    for 25 MHz at 15 kHz, a slip that no number of blocks makes)."""
    guards = {
        bandwidth: (bandwidth - n_rb * 12 * spacing) / 2 - spacing / 2 for bandwidth, n_rb in nr.N_RB[spacing].items()
    }
    expected = {1e6 * bandwidth: 1e3 * guard for bandwidth, guard in GUARDS_KHZ[spacing].items()}
    assert set(guards) <= set(expected)
    for bandwidth, guard in guards.items():
        assert guard == pytest.approx(expected[bandwidth])


def test_resource_blocks_of_nr():
    """srsRAN Project, lib/ran/band_helper.cpp, by bandwidth: blocks at 15 kHz, at 30 kHz."""
    both = {
        5: (25, 11),
        10: (52, 24),
        15: (79, 38),
        20: (106, 51),
        25: (133, 65),
        30: (160, 78),
        35: (188, 92),
        40: (216, 106),
        45: (242, 119),
        50: (270, 133),
        60: (0, 162),
        70: (0, 189),
        80: (0, 217),
        90: (0, 245),
        100: (0, 273),
    }
    for bandwidth, (narrow, wide) in both.items():
        assert nr.N_RB[15e3].get(1e6 * bandwidth, 0) == narrow
        assert nr.N_RB[30e3].get(1e6 * bandwidth, 0) == wide


def test_first_symbols_of_ss_pbch_blocks():
    """srsRAN 4G, lib/src/phy/sync/ssb.c: {2, 8} + 14 n for cases A and C, {4, 8, 16, 20} + 28 n for case B. The same
    in OpenAirInterface, openair2/LAYER2/NR_MAC_COMMON/nr_mac_common.c."""
    assert (
        nr.SSB_FIRST_SYMBOLS["A"]
        == nr.SSB_FIRST_SYMBOLS["C"]
        == tuple(symbol + 14 * n for n in range(4) for symbol in (2, 8))
    )
    assert nr.SSB_FIRST_SYMBOLS["B"] == tuple(symbol + 28 * n for n in range(2) for symbol in (4, 8, 16, 20))
    assert set(nr.SSB_FIRST_SYMBOLS) == {"A", "B", "C"}


def test_uplink_subframes_of_lte_tdd():
    """srsRAN 4G, lib/src/phy/common/phy_common.c, here as the subframes that are uplink."""
    uplink = [(2, 3, 4, 7, 8, 9), (2, 3, 7, 8), (2, 7), (2, 3, 4), (2, 3), (2,), (2, 3, 4, 7, 8)]
    for pattern, expected in zip(lte.TDD_SUBFRAMES, uplink, strict=True):
        assert tuple(subframe for subframe in range(10) if pattern[subframe] == "U") == expected
        # A special subframe stands between downlink and uplink, and nowhere else.
        assert [pattern[subframe - 1] == "S" for subframe in expected] == [
            pattern[subframe - 1] != "U" for subframe in expected
        ]
        assert pattern.count("S") == len({subframe // 5 for subframe in expected})


def test_symbols_of_the_dwpts():
    """TS 36.211 table 4.2-1 says the DwPTS in units of 1/30.72 MHz. The same in symbols: srsRAN 4G, phy_common.c."""
    durations = (6592, 19760, 21952, 24144, 26336, 6592, 19760, 21952, 24144, 13168)
    starts = [float(start) * 30.72e6 for start in ofdm.symbol_starts(15e3)[0]]
    assert [round(starts[n_symbols]) for n_symbols in lte.DWPTS_SYMBOLS] == list(durations)


def test_symbols_of_the_uppts():
    """TS 36.211 table 4.2-1: 2192 / 30.72 MHz (a symbol) in configurations 0 to 4, 4384 (two) in 5 to 9."""
    assert lte_uplink.UPPTS_SYMBOLS == 5 * (1,) + 5 * (2,)


def test_phich_factors_follow_from_the_uplink_subframes():
    """TS 36.213 table 8.3-1: an uplink subframe n is acknowledged k subframes later, and TS 36.211 table 6.9-1 has as
    many groups as there are subframes to acknowledge. The table itself: srsRAN 4G (mi_tdd_table)."""
    delays = {
        0: {2: 4, 3: 7, 4: 6, 7: 4, 8: 7, 9: 6},
        1: {2: 4, 3: 6, 7: 4, 8: 6},
        2: {2: 6, 7: 6},
        3: {2: 6, 3: 6, 4: 6},
        4: {2: 6, 3: 6},
        5: {2: 6},
        6: {2: 4, 3: 6, 4: 6, 7: 4, 8: 7},
    }
    for config, by_subframe in delays.items():
        expected = np.zeros(10, int)
        for subframe, delay in by_subframe.items():
            expected[(subframe + delay) % 10] += 1
        assert lte_control.TDD_PHICH_FACTORS[config] == tuple(expected)


def test_interleaver_columns_are_bits_in_reverse_odd_ones_first():
    """OpenAirInterface's name for it, bitrev_cc; the same list in srsRAN 4G, lib/src/phy/phch/regs.c."""
    bits_in_reverse = [int(f"{column:05b}"[::-1], 2) for column in range(32)]
    assert list(lte_control.INTERLEAVER_COLUMNS) == bits_in_reverse[16:] + bits_in_reverse[:16]


@pytest.mark.parametrize(
    "duration, additional",
    [
        (3, "0000 0000 0000 0000"),
        (7, "0000 0000 0000 0000"),
        (8, "0000 0080 0080 0080"),
        (9, "0000 0080 0080 0080"),
        (10, "0000 0200 0240 0240"),
        (11, "0000 0200 0240 0240"),
        (12, "0000 0200 0240 0920"),
        (13, "0000 0800 0880 0920"),
        (14, "0000 0800 0880 0920"),
    ],
)
def test_symbols_of_the_pdsch_reference_signal(duration, additional):
    """OpenAirInterface, nr_mac_common.c (table_7_4_1_1_2_3), and NVIDIA Aerial, scf_5g_slot_commands.cpp: bit masks of
    the additional symbols, for 0 to 3 of them. (py3gpp has the row of 13 for 12, srsRAN 4G two for three at 10.)"""
    for count, mask in enumerate(additional.split()):
        expected = tuple(symbol for symbol in range(14) if int(mask, 16) >> symbol & 1)
        assert nr_grant.dmrs_symbols(duration, 2, count) == (2, *expected)


def test_symbols_of_the_reference_signal_of_mini_slots():
    """OpenAirInterface, nr_mac_common.c: masks 1 (2 and 4 symbols) and, with additional ones, 17 (7 symbols)."""
    assert [nr_grant.mini_slot_dmrs_symbols(5, length, 1) for length in (2, 4, 7)] == [(5,), (5,), (5, 9)]
    assert nr_grant.mini_slot_dmrs_symbols(5, 7, 0) == (5,)


def test_symbols_of_double_reference_signals():
    """The same two, table_7_4_1_1_2_4: masks of the additional pair, none below 10 symbols."""
    masks = {9: 0x000, 10: 0x300, 11: 0x300, 12: 0x300, 13: 0xC00, 14: 0xC00}
    for duration, mask in masks.items():
        expected = tuple(symbol for symbol in range(14) if mask >> symbol & 1)
        assert nr_data.double_dmrs_symbols(duration, 2, 1) == (2, 3, *expected)
        assert nr_data.double_dmrs_symbols(duration, 2, 0) == (2, 3)


def test_coreset_zero():
    """OpenAirInterface, nr_mac_common.c (table_38213_13_1 and table_38213_13_4), column by column."""
    columns = {
        15e3: (
            "24 24 24 24 24 24 48 48 48 48 48 48 96 96 96",
            "2 2 2 3 3 3 1 1 2 2 3 3 1 2 3",
            "0 2 4 0 2 4 12 16 12 16 12 16 38 38 38",
        ),
        30e3: (
            "24 24 24 24 24 24 24 24 24 24 48 48 48 48 48 48",
            "2 2 2 2 2 3 3 3 3 3 1 1 1 2 2 2",
            "0 1 2 3 4 0 1 2 3 4 12 14 16 12 14 16",
        ),
    }
    for spacing, rows in nr_broadcast.CORESET_ZERO.items():
        for measured, expected in zip(zip(*rows), columns[spacing], strict=True):
            assert list(measured) == list(numbers(expected))


def test_search_space_zero():
    """srsRAN Project, lib/ran/pdcch/pdcch_type0_css_occasions.cpp: O, then M, then the first symbol (- for two of
    them). OpenAirInterface has the same but for M of rows 8 and 9."""
    offsets, steps, symbols = zip(*nr_grant.SEARCH_SPACE_ZERO)
    assert list(offsets) == list(numbers("0 0 2 2 5 5 7 7 0 5 0 0 2 2 5 5"))
    assert list(steps) == list(numbers("1 .5 1 .5 1 .5 1 .5 2 2 1 1 1 1 1 1"))
    assert "".join("-" if symbol is None else str(symbol) for symbol in symbols) == "0-0-0-0-00121212"


def test_default_time_allocations():
    """OpenAirInterface, nr_mac_common.c (table_5_1_2_1_1_2): mapping type A as 1, first symbol, symbols."""
    position_2 = (
        "1 2 12, 1 2 10, 1 2 9, 1 2 7, 1 2 5, 0 9 4, 0 4 4, 0 5 7, 0 5 2, 0 9 2, 0 12 2, 1 1 13, 1 1 6, "
        "1 2 4, 0 4 7, 0 8 4"
    )
    position_3 = (
        "1 3 11, 1 3 9, 1 3 8, 1 3 6, 1 3 4, 0 10 4, 0 6 4, 0 5 7, 0 5 2, 0 9 2, 0 12 2, 1 1 13, 1 1 6, "
        "1 2 4, 0 4 7, 0 8 4"
    )
    moved = nr_grant.ALLOCATIONS_MOVED_FOR_POSITION_3
    rows = nr_grant.DEFAULT_ALLOCATIONS
    for measured, expected in ((rows, position_2), ([moved.get(row, row) for row in rows], position_3)):
        assert ", ".join(f"{int(kind == 'A')} {first} {length}" for kind, first, length in measured) == expected


def test_widths_of_nr_sounding():
    """TS 38.211 table 6.4.1.4.3-1, column m_SRS,0 of its 64 rows, in units of 4 resource blocks."""
    rows = (
        "1 2 3 4 4 5 6 6 7 8 9 10 12 12 13 14 15 16 18 18 19 20 22 24 24 26 28 30 30 30 32 32 32 33 34 36 36 36 36 "
        "38 40 40 40 42 44 46 48 48 48 48 52 54 56 60 60 60 60 64 64 64 66 68 68 68"
    )
    assert numbers(rows).size == 64
    assert list(nr_uplink.SRS_WIDTHS) == [4 * width for width in sorted(set(numbers(rows)))]


def virtual_to_physical(n_rb, gap_blocks, n_virtual, virtual):
    """Blocks of both slots as a closed formula, as in srsRAN 4G, lib/src/phy/phch/ra.c."""
    group = 1 + (n_rb > 10) + (n_rb > 26) + (n_rb > 63)
    unit, virtual = divmod(virtual, n_virtual)
    n_rows = -(-n_virtual // (4 * group)) * group
    n_null = 4 * n_rows - n_virtual
    if n_null and virtual >= n_virtual - n_null:
        first = 2 * n_rows * (virtual % 2) + virtual // 2 - n_rows + (0 if virtual % 2 else n_null // 2)
    else:
        first = n_rows * (virtual % 4) + virtual // 4 - (n_null // 2 if virtual % 4 >= 2 else 0)
    second = (first + n_virtual // 2) % n_virtual
    return [
        place + (gap_blocks - n_virtual // 2) * (place >= n_virtual // 2) + unit * n_virtual
        for place in (first, second)
    ]


@pytest.mark.parametrize(
    "n_rb, gap, gap_blocks, n_virtual, n_units",
    [
        (6, 1, 3, 6, 1),
        (15, 1, 8, 14, 1),
        (25, 1, 12, 24, 1),
        (50, 1, 27, 46, 1),
        (75, 1, 32, 64, 1),
        (100, 1, 48, 96, 1),
        (50, 2, 9, 18, 2),
        (75, 2, 16, 32, 2),
        (100, 2, 16, 32, 3),
    ],
)
def test_distributed_blocks_of_lte(n_rb, gap, gap_blocks, n_virtual, n_units):
    """TS 36.211 6.2.3.2; gaps as in table 6.2.3.2-1 and srsRAN 4G's srslte_ra_type2_ngap."""
    places = lte_schedule.distributed_places(n_rb, gap)
    assert places.shape == (2, n_virtual * n_units)
    expected = [virtual_to_physical(n_rb, gap_blocks, n_virtual, virtual) for virtual in range(places.shape[1])]
    assert places.T.tolist() == expected
