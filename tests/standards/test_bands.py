# SPDX-License-Identifier: GPL-3.0-or-later
"""Bands and rasters.

The tables were written down from TS 36.101 and TS 38.104. Their second source are the values below, known from
elsewhere: GSCN ranges of TS 38.104 table 5.4.3.3-1 for the bands' first and last blocks, the recordings' own
frequencies, and that EARFCN ranges of neighbouring bands join without a gap.
"""

import math

import pytest

from rpmsn.errors import ParameterError
from rpmsn.standards import bands
from rpmsn.standards.bands import BANDS, LTE, NR, bands_at


def band(technology, number):
    return next(entry for entry in BANDS if (entry.technology, entry.number) == (technology, number))


def names(frequency, **which):
    return [entry.name for entry in bands_at(frequency, **which)]


@pytest.mark.parametrize(
    "frequency, expected",
    [
        (816e6, ["20", "n20"]),
        (1815.3e6, ["3", "n3"]),
        (2365e6, ["40", "n40"]),
        (2462e6, []),
        (3427.5e6, ["42", "n77", "n78"]),
        (3619.2e6, ["43", "48", "49", "n48", "n77", "n78"]),
        (4.5e9, ["n79"]),
        (941e6, ["8", "n8"]),
        (100e6, []),
    ],
)
def test_every_band_that_fits_a_downlink_frequency_is_named(frequency, expected):
    assert set(names(frequency)) == set(expected)


def test_directions_are_told_apart():
    assert names(1750e6) == []
    assert set(names(1750e6, direction="uplink")) == {"3", "4", "9", "10", "66", "n3", "n66", "n80", "n86"}
    assert names(1750e6, technology=NR, direction=None) == ["n3", "n66", "n80", "n86"]
    assert band(NR, 80).downlink is None and band(LTE, 29).uplink is None


@pytest.mark.parametrize(
    "number, megahertz",
    [(1300, 1815.0), (0, 2110.0), (6300, 806.0), (38650, 2300.0), (39250, 2360.0), (19300, 1720.0), (66436, 2110.0),
     (3750, 955.0), (2600, 889.0), (132672, 698.0), (55240, 3550.0), (9210, 758.0)],
)  # fmt: skip
def test_earfcn_of_known_carriers(number, megahertz):
    assert bands.earfcn_frequency(number) == pytest.approx(megahertz * 1e6)


def test_earfcn_and_frequency_agree_in_every_band():
    for entry in BANDS:
        for direction in ("downlink", "uplink"):
            edges = getattr(entry, direction)
            if entry.technology == LTE and edges:
                for frequency in (edges[0], edges[0] + 1.3e6, edges[1] - 0.1e6):
                    number = bands.earfcn(frequency, entry, direction)
                    assert bands.earfcn_frequency(number) == pytest.approx(frequency)


def test_earfcn_ranges_join_without_a_gap_or_overlap():
    """Each band begins where the one before ends; TS 36.101 leaves a few numbers out, none is given twice."""
    ranges = []
    for entry in BANDS:
        if entry.technology == LTE:
            ranges.append((entry.first_earfcn, entry.downlink[1] - entry.downlink[0]))
            if entry.duplex == "FDD":
                ranges.append((entry.first_uplink_earfcn, entry.uplink[1] - entry.uplink[0]))
    ranges = sorted((first, first + round(width / 1e5)) for first, width in ranges)
    gaps = [(stop, first) for (_, stop), (first, _) in zip(ranges, ranges[1:]) if stop != first]
    assert all(stop <= first for stop, first in gaps)
    # Numbers left free: of band 12 (starts 1 MHz late), 22 (its edge was cut by 10 MHz), bands withdrawn, and blocks.
    assert len(gaps) < 20


def test_fdd_bands_keep_one_distance():
    """Uplink and downlink are equally wide, save where the standard says otherwise."""
    uneven = {(e.technology, e.number) for e in BANDS if e.duplex == "FDD"
              and not math.isclose(e.uplink[1] - e.uplink[0], e.downlink[1] - e.downlink[0])}  # fmt: skip
    assert uneven == {
        (LTE, 66), (LTE, 70), (NR, 66), (NR, 70), (NR, 91), (NR, 92), (NR, 93), (NR, 94), (NR, 109),
    }  # fmt: skip


def test_bands_of_both_technologies_have_the_same_edges():
    refarmed = {entry.number for entry in BANDS if entry.technology == NR} & {
        entry.number for entry in BANDS if entry.technology == LTE
    }
    assert len(refarmed) > 35
    for number in refarmed:
        one, other = band(LTE, number), band(NR, number)
        assert (one.duplex, one.uplink, one.downlink) == (other.duplex, other.uplink, other.downlink)


@pytest.mark.parametrize(
    "number, megahertz",
    [(0, 0.0), (599999, 2999.995), (600000, 3000.0), (620000, 3300.0), (653333, 3799.995), (422000, 2110.0),
     (361000, 1805.0), (693334, 4400.01), (2016666, 24249.99)],
)  # fmt: skip
def test_nr_arfcn_of_known_frequencies(number, megahertz):
    """TS 38.104 tables 5.4.2.1-1 and 5.4.2.3-1 (the bands' first and last numbers)."""
    assert bands.nr_arfcn_frequency(number) == pytest.approx(megahertz * 1e6)
    assert bands.nr_arfcn(megahertz * 1e6) == number


@pytest.mark.parametrize(
    "number, megahertz",
    [(2, 1.25), (3, 1.35), (4, 1.45), (7498, 2999.05), (7499, 3000.0), (7929, 3619.2), (7711, 3305.28), (8051, 3794.88),
     (22255, 24248.64), (4517, 1807.25), (6246, 2498.55)],
)  # fmt: skip
def test_gscn_of_known_frequencies(number, megahertz):
    assert bands.gscn_frequency(number) == pytest.approx(megahertz * 1e6)
    assert bands.gscn(megahertz * 1e6) == number


@pytest.mark.parametrize(
    "number, spacing, first, last",
    [(1, 15e3, 5279, 5419), (3, 15e3, 4517, 4693), (7, 15e3, 6554, 6718), (8, 15e3, 2318, 2395), (28, 15e3, 1901, 2002),
     (5, 15e3, 2177, 2230), (5, 30e3, 2183, 2224), (66, 15e3, 5279, 5494), (66, 30e3, 5285, 5488),
     (71, 15e3, 1547, 1624),
     (77, 30e3, 7711, 8329), (78, 30e3, 7711, 8051), (41, 15e3, 6246, 6717), (38, 30e3, 6437, 6538),
     (48, 30e3, 7884, 7982)],
)  # fmt: skip
def test_blocks_of_a_band_include_those_of_the_standards_table(number, spacing, first, last):
    """TS 38.104 table 5.4.3.3-1 leaves room for the guard band; no more than 1.5 MHz on either side."""
    lower, upper = band(NR, number).downlink
    places = bands.ssb_places(lower, upper, spacing)
    assert {first, last} <= set(places)
    assert bands.gscn_frequency(first) - bands.gscn_frequency(places[0]) < 1.5e6
    assert bands.gscn_frequency(places[-1]) - bands.gscn_frequency(last) < 1.5e6


def test_places_are_every_gscn_in_order_whose_block_fits():
    places = bands.ssb_places(2990e6, 3010e6, 30e3)
    assert places == sorted(places) and places[-1] == 7503
    assert all(2990e6 + 3.6e6 <= bands.gscn_frequency(place) <= 3010e6 - 3.6e6 for place in places)
    assert bands.ssb_places(1e9, 1.003e9, 15e3) == []


@pytest.mark.parametrize(
    "frequency, spacing, case",
    [(3.5e9, 30e3, "C"), (3.5e9, 15e3, "A"), (881e6, 30e3, None), (2195e6, 30e3, None), (2462e6, 30e3, None),
     (1530e6, 30e3, "B"), (4.5e9, 30e3, "C")],
)  # fmt: skip
def test_case_of_blocks(frequency, spacing, case):
    assert bands.ssb_case(frequency, spacing) == case


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: bands_at(math.nan), "frequency is nan"),
        (lambda: bands_at(1e9, "GSM"), "technology is 'GSM'; choose one of LTE, NR"),
        (lambda: bands_at(1e9, direction="up"), "direction is 'up'"),
        (lambda: bands.earfcn(1e9, band(LTE, 3)), "LTE band 3, 1805 to 1880 MHz"),
        (lambda: bands.earfcn(1e9, band(NR, 3)), "choose an LTE band"),
        (lambda: bands.earfcn_frequency(5000), "earfcn is 5000"),
        (lambda: bands.nr_arfcn(30e9), "0..24.25 GHz"),
        (lambda: bands.nr_arfcn_frequency(-1), "nr_arfcn is -1"),
        (lambda: bands.gscn_frequency(1), "gscn is 1; choose 2..22255"),
        (lambda: bands.gscn(math.inf), "frequency is inf"),
    ],
)
def test_what_no_band_or_raster_has_is_refused(call, words):
    with pytest.raises(ParameterError, match=words):
        call()


def widths(technology, number):
    return [width / 1e6 for width in band(technology, number).bandwidths]


@pytest.mark.parametrize(
    "technology, number, megahertz",
    [
        (LTE, 1, [5, 10, 15, 20]), (LTE, 2, [1.4, 3, 5, 10, 15, 20]), (LTE, 3, [1.4, 3, 5, 10, 15, 20]),
        (LTE, 4, [1.4, 3, 5, 10, 15, 20]), (LTE, 26, [1.4, 3, 5, 10, 15]),
        (NR, 1, [5, 10, 15, 20, 25, 30, 40, 45, 50]), (NR, 2, [5, 10, 15, 20, 25, 30, 35, 40]),
        (NR, 3, [5, 10, 15, 20, 25, 30, 35, 40, 45, 50]), (NR, 5, [5, 10, 15, 20, 25]),
        (NR, 7, [5, 10, 15, 20, 25, 30, 35, 40, 50]), (NR, 8, [5, 10, 15, 20, 25, 35]), (NR, 12, [5, 10, 15]),
        (NR, 13, [5, 10]), (NR, 14, [5, 10]),
    ],
)  # fmt: skip
def test_channel_bandwidths_are_those_of_a_second_source(technology, number, megahertz):
    """Wikipedia's `LTE frequency bands` (July 2021) and `5G NR frequency bands` (release 18)."""
    assert widths(technology, number) == megahertz


@pytest.mark.parametrize(
    "number, megahertz",
    [(1, 20), (2, 20), (3, 30), (5, 20), (12, 15), (20, 20), (25, 20), (28, 20), (34, 15), (38, 20), (39, 40), (40, 80),
     (41, 100), (50, 80), (51, 5), (66, 40), (70, 25), (71, 20), (74, 20), (75, 20), (76, 5), (77, 100), (78, 100),
     (79, 100), (80, 30), (81, 20), (82, 20), (83, 20), (84, 20), (86, 40)],
)  # fmt: skip
def test_later_releases_only_add_bandwidths(number, megahertz):
    """The widest of release 15, as the table of github.com/HandyMenny/uecapabilityparser (38.101-1, 15.7.0) has it."""
    assert widths(NR, number)[-1] >= megahertz


def test_a_channel_fits_its_band():
    for entry in BANDS:
        allowed, edges = entry.bandwidths, entry.downlink or entry.uplink
        assert allowed and list(allowed) == sorted(set(allowed))
        assert allowed[-1] <= max(edges[1] - edges[0], entry.uplink[1] - entry.uplink[0] if entry.uplink else 0)


@pytest.mark.parametrize(
    "frequency, is_uplink",
    [(1750e6, True), (840e6, True), (1815e6, False), (2350e6, False), (1900e6, False), (2462e6, False)],
)
def test_an_uplink_is_where_bands_have_only_theirs(frequency, is_uplink):
    """840 MHz: band 20's; 1900 MHz: of bands 2 and 33 or 39, of which the TDD ones are downlink as well."""
    assert bands.is_uplink(frequency) == is_uplink


def test_no_band_is_defined_at_wi_fi():
    assert not bands.defined_at(2453e6, 2471e6) and not bands.defined_at(90e6, 108e6)
    assert bands.defined_at(1750e6, 1751e6) and bands.defined_at(2471e6, 2484e6)
    assert bands.defined_at(3590e6, 3600e6, NR) and not bands.defined_at(4400e6, 4500e6, LTE)
    assert [entry.name for entry in bands.bands_in(1800e6, 1806e6, LTE)] == ["3"]


def test_a_range_the_wrong_way_round_is_refused():
    with pytest.raises(ParameterError, match="upper is 1e[+]09 Hz; choose one that is not below lower, 2e[+]09 Hz"):
        bands.defined_at(2e9, 1e9)
