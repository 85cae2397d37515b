# SPDX-License-Identifier: GPL-3.0-or-later
"""Operating bands, their channel bandwidths and rasters.

LTE: TS 36.101 5.5, 5.6.1, 5.7.3; NR below 7.125 GHz: TS 38.104 5.2, 5.3.5, 5.4.2, 5.4.3.
"""

import math
from dataclasses import dataclass

from ..errors import ParameterError

FDD, TDD, SDL, SUL = "FDD", "TDD", "SDL", "SUL"
"""Duplex of a band; SDL: downlink only, SUL: uplink only."""
LTE, NR = "LTE", "NR"


@dataclass(frozen=True)
class Band:
    """An operating band.

    Attributes:
        technology: LTE or NR.
        number: such as 3, called `3` in LTE and `n3` in NR.
        duplex: FDD, TDD, SDL or SUL.
        uplink, downlink: (lower, upper) in Hz, None where there is none; equal in TDD.
        first_earfcn: of the downlink (TDD: of both); None in NR.
        first_uplink_earfcn: of the uplink; None in NR and without an uplink of its own.
        bandwidths: channel bandwidths that the band allows, Hz, ascending.
    """

    technology: str
    number: int
    duplex: str
    uplink: tuple[float, float] | None
    downlink: tuple[float, float] | None
    first_earfcn: int | None = None
    first_uplink_earfcn: int | None = None
    bandwidths: tuple[float, ...] = ()

    @property
    def name(self) -> str:
        """As the standards write it: `3` or `n3`."""
        return f"n{self.number}" if self.technology == NR else str(self.number)


_LTE_FDD = """
1 1920 1980 2110 2170 0 18000
2 1850 1910 1930 1990 600 18600
3 1710 1785 1805 1880 1200 19200
4 1710 1755 2110 2155 1950 19950
5 824 849 869 894 2400 20400
6 830 840 875 885 2650 20650
7 2500 2570 2620 2690 2750 20750
8 880 915 925 960 3450 21450
9 1749.9 1784.9 1844.9 1879.9 3800 21800
10 1710 1770 2110 2170 4150 22150
11 1427.9 1447.9 1475.9 1495.9 4750 22750
12 699 716 729 746 5010 23010
13 777 787 746 756 5180 23180
14 788 798 758 768 5280 23280
17 704 716 734 746 5730 23730
18 815 830 860 875 5850 23850
19 830 845 875 890 6000 24000
20 832 862 791 821 6150 24150
21 1447.9 1462.9 1495.9 1510.9 6450 24450
22 3410 3490 3510 3590 6600 24600
23 2000 2020 2180 2200 7500 25500
24 1626.5 1660.5 1525 1559 7700 25700
25 1850 1915 1930 1995 8040 26040
26 814 849 859 894 8690 26690
27 807 824 852 869 9040 27040
28 703 748 758 803 9210 27210
30 2305 2315 2350 2360 9770 27660
31 452.5 457.5 462.5 467.5 9870 27760
65 1920 2010 2110 2200 65536 131072
66 1710 1780 2110 2200 66436 131972
68 698 728 753 783 67536 132672
70 1695 1710 1995 2020 68336 132972
71 663 698 617 652 68586 133122
72 451 456 461 466 68936 133472
73 450 455 460 465 68986 133522
74 1427 1470 1475 1518 69036 133572
85 698 716 728 746 70366 134002
87 410 415 420 425 70546 134182
88 412 417 422 427 70596 134232
"""
"""Band, uplink and downlink in MHz, first EARFCN down and up: TS 36.101 tables 5.5-1 and 5.7.3-1."""

_LTE_TDD = """
33 1900 1920 36000
34 2010 2025 36200
35 1850 1910 36350
36 1930 1990 36950
37 1910 1930 37550
38 2570 2620 37750
39 1880 1920 38250
40 2300 2400 38650
41 2496 2690 39650
42 3400 3600 41590
43 3600 3800 43590
44 703 803 45590
45 1447 1467 46590
46 5150 5925 46790
47 5855 5925 54540
48 3550 3700 55240
49 3550 3700 56740
50 1432 1517 58240
51 1427 1432 59090
52 3300 3400 59140
53 2483.5 2495 60140
"""

_LTE_SDL = """
29 717 728 9660
32 1452 1496 9920
67 738 758 67336
69 2570 2620 67836
75 1432 1517 69466
76 1427 1432 70316
"""

_NR_FDD = """
1 1920 1980 2110 2170
2 1850 1910 1930 1990
3 1710 1785 1805 1880
5 824 849 869 894
7 2500 2570 2620 2690
8 880 915 925 960
12 699 716 729 746
13 777 787 746 756
14 788 798 758 768
18 815 830 860 875
20 832 862 791 821
24 1626.5 1660.5 1525 1559
25 1850 1915 1930 1995
26 814 849 859 894
28 703 748 758 803
30 2305 2315 2350 2360
31 452.5 457.5 462.5 467.5
65 1920 2010 2110 2200
66 1710 1780 2110 2200
70 1695 1710 1995 2020
71 663 698 617 652
72 451 456 461 466
74 1427 1470 1475 1518
85 698 716 728 746
91 832 862 1427 1432
92 832 862 1432 1517
93 880 915 1427 1432
94 880 915 1432 1517
100 874.4 880 919.4 925
105 663 703 612 652
106 896 901 935 940
109 703 733 1432 1517
"""
"""Band, uplink and downlink in MHz: TS 38.104 table 5.2-1."""

_NR_TDD = """
34 2010 2025
38 2570 2620
39 1880 1920
40 2300 2400
41 2496 2690
46 5150 5925
47 5855 5925
48 3550 3700
50 1432 1517
51 1427 1432
53 2483.5 2495
54 1670 1675
77 3300 4200
78 3300 3800
79 4400 5000
90 2496 2690
96 5925 7125
101 1900 1910
102 5925 6425
104 6425 7125
"""

_NR_SDL = """
29 717 728
67 738 758
75 1432 1517
76 1427 1432
"""

_NR_SUL = """
80 1710 1785
81 880 915
82 832 862
83 703 748
84 1920 1980
86 1710 1780
89 824 849
95 2010 2025
97 2300 2400
98 1880 1920
99 1626.5 1660.5
"""

_LTE_BANDWIDTHS = """
1.4 3 5 10 15 20: 2 3 4 23 25 35 36 65 66 74
1.4 3 5 10 15: 26
1.4 3 5 10: 5 8 12 27 53
1.4 3 5: 31 72 73 87 88
3 5 10 15 20: 28 44 50
3 5 10: 29
3 5: 51
5 10 15 20: 1 7 9 10 20 22 32 33 37 38 39 40 41 42 43 45 48 52 67 69 70 71 75
5 10 15: 18 19 21 34 68
5 10: 6 11 13 14 17 24 30 85
5: 76
10 20: 46 47 49
"""
"""Channel bandwidths in MHz, and the bands that allow them: TS 36.101 table 5.6.1-1."""

_NR_BANDWIDTHS = """
3: 106
3 5: 100
5: 31 51 54 72 76 91 93
5 10: 13 14 24 29 30 53 99 101
5 10 15: 12 18 34 85 95
5 10 15 20: 20 67 74 81 82 89 92 94
5 10 15 20 25: 5 70
5 10 15 20 25 30: 26
5 10 15 20 25 30 35: 71 105
5 10 15 20 25 30 35 40: 2 39
5 10 15 20 25 30 35 40 45: 25 66
5 10 15 20 25 30 35 40 45 50: 3
5 10 15 20 25 30 35 40 50: 7
5 10 15 20 25 30 40: 28 38 80 83 98
5 10 15 20 25 30 40 45 50: 1
5 10 15 20 25 30 40 50: 75 84 109
5 10 15 20 25 30 40 50 60 70 80 90 100: 40 97
5 10 15 20 25 35: 8
5 10 15 20 30 40 50 60 70 80 90 100: 48
5 10 15 20 30 40 50 60 80: 50
5 10 15 20 40: 86
5 10 15 20 50: 65
10 15 20 25 30 40 50 60 70 80 90 100: 41 77 78 90
10 20 30 40: 47
10 20 30 40 50 60 70 80 90 100: 79
10 20 40 60 80 100: 46
20 30 40 50 60 70 80 90 100: 104
20 40 60 80 100: 96 102
"""
"""The same of NR, at any subcarrier spacing: TS 38.104 table 5.3.5-1."""

SSB_CASE_B_BANDS = (5, 24, 66)
"""NR bands whose SS/PBCH blocks at 30 kHz are those of case B; case C elsewhere: TS 38.104 table 5.4.3.3-1."""
BLOCKS_30_KHZ_ONLY_HZ = 3e9
"""Bands above have blocks with 30 kHz subcarriers alone, by the same table."""


def _allowed(table):
    """Band -> channel bandwidths, Hz."""
    allowed = {}
    for line in table.split("\n")[1:-1]:
        widths, numbers = line.split(":")
        for number in numbers.split():
            allowed[int(number)] = tuple(round(float(width) * 1e6) for width in widths.split())
    return allowed


def _bands():
    widths = {LTE: _allowed(_LTE_BANDWIDTHS), NR: _allowed(_NR_BANDWIDTHS)}
    for technology, duplex, table in (
        (LTE, FDD, _LTE_FDD), (LTE, TDD, _LTE_TDD), (LTE, SDL, _LTE_SDL),
        (NR, FDD, _NR_FDD), (NR, TDD, _NR_TDD), (NR, SDL, _NR_SDL), (NR, SUL, _NR_SUL),
    ):  # fmt: skip
        for line in table.split("\n")[1:-1]:
            number, *values = line.split()
            n_edges = 4 if duplex == FDD else 2
            edges = [round(float(value) * 1e6) for value in values[:n_edges]]
            first, last = (edges[0], edges[1]), (edges[-2], edges[-1])
            channels = [int(value) for value in values[n_edges:]]
            yield Band(
                technology,
                int(number),
                duplex,
                uplink=None if duplex == SDL else first,
                downlink=None if duplex == SUL else last,
                first_earfcn=channels[0] if channels else None,
                first_uplink_earfcn=channels[-1] if channels and duplex != SDL else None,
                bandwidths=widths[technology][int(number)],
            )


BANDS = tuple(_bands())
"""All operating bands, LTE first."""


def bands_at(frequency: float, technology: str | None = None, direction: str | None = "downlink") -> list[Band]:
    """Every band that a frequency lies in.

    Args:
        frequency: Hz.
        technology: LTE or NR; None: both.
        direction: 'downlink' or 'uplink'; None: either.

    Raises:
        ParameterError: a value is not one of these, or the frequency is not a finite number.
    """
    return bands_in(frequency, frequency, technology, direction)


def is_uplink(frequency: float, technology: str | None = None) -> bool:
    """Whether a frequency is for uplinks only: bands have their uplink there (`bands_at`), and none a downlink.

    A frequency of a TDD band is for both.
    """
    uplink, downlink = (bands_at(frequency, technology, direction) for direction in ("uplink", "downlink"))
    return bool(uplink) and not downlink


def defined_at(lower: float, upper: float, technology: str | None = None) -> bool:
    """Whether a band, up or down, has a part of a range; where not, no LTE or NR carrier is to be expected.

    Example:
        >>> defined_at(2453e6, 2471e6), defined_at(1815e6, 1820e6)
        (False, True)
    """
    return bool(bands_in(lower, upper, technology, None))


def bands_in(
    lower: float, upper: float, technology: str | None = None, direction: str | None = "downlink"
) -> list[Band]:
    """Every band that has a part of a range; arguments as of `bands_at`.

    Raises:
        ParameterError: an end is not a finite number, or the upper is below the lower.
    """
    for edge in (lower, upper):
        _check_frequency(edge)
    if upper < lower:
        raise ParameterError(f"upper is {upper:g} Hz; choose one that is not below lower, {lower:g} Hz")
    _check_choice("technology", technology, (LTE, NR, None))
    _check_choice("direction", direction, ("downlink", "uplink", None))
    return [
        band
        for band in BANDS
        if technology in (None, band.technology)
        and any(edges[0] <= upper and lower <= edges[1] for edges in _ranges(band, direction))
    ]


def _ranges(band, direction):
    """A band's (lower, upper) of a direction, or of both where it is None."""
    directions = ("downlink", "uplink") if direction is None else (direction,)
    return [edges for name in directions if (edges := getattr(band, name)) is not None]


LTE_RASTER = 100e3
"""Hz, of LTE's carriers: TS 36.101 5.7.1."""


def raster_neighbour(frequency: float, steps: int) -> float:
    """Hz of the place on the channel raster so many steps above a frequency, or below it where `steps` is negative.

    100 kHz where an LTE band is (TS 36.101 5.7.1), and elsewhere below 3 GHz; the global raster of 15 kHz above
    (TS 38.104 5.4.2.1). From between two places the first step leads to the next one.

    >>> raster_neighbour(1842.53e6, 1), raster_neighbour(1842.53e6, -1), raster_neighbour(4.7e9, 2)
    (1842600000.0, 1842500000.0, 4700025000.0)
    """
    _check_frequency(frequency)
    first, step = (0.0, LTE_RASTER) if frequency < 3e9 or bands_at(frequency, LTE) else (3e9, 15e3)
    place = (frequency - first) / step
    nearest = round(place)
    if abs(place - nearest) * step < 1.0:
        place = nearest
    return first + step * ((math.floor(place) if steps > 0 else math.ceil(place)) + steps)


def earfcn(frequency: float, band: Band, direction: str = "downlink") -> int:
    """Channel number of an LTE carrier's centre, the nearest on the raster: TS 36.101 5.7.3."""
    edges, first = _lte_raster(band, direction)
    _check_frequency(frequency)
    if not edges[0] <= frequency <= edges[1]:
        raise ParameterError(
            f"frequency is {frequency:g} Hz; choose one in the {direction} of LTE band {band.name}, "
            f"{edges[0] / 1e6:g} to {edges[1] / 1e6:g} MHz"
        )
    return first + min(round((frequency - edges[0]) / LTE_RASTER), round((edges[1] - edges[0]) / LTE_RASTER) - 1)


def earfcn_frequency(number: int) -> float:
    """Hz of an EARFCN, downlink or uplink: TS 36.101 5.7.3.

    Raises:
        ParameterError: no band has this number.
    """
    for band in BANDS:
        if band.technology == LTE:
            for direction in ("downlink", "uplink"):
                if getattr(band, direction) is None:
                    continue
                edges, first = _lte_raster(band, direction)
                if first <= number < first + round((edges[1] - edges[0]) / LTE_RASTER):
                    return edges[0] + LTE_RASTER * (number - first)
    raise ParameterError(f"earfcn is {number}; choose a channel number of an LTE band, such as 1300 (1815 MHz)")


def _lte_raster(band, direction):
    _check_choice("direction", direction, ("downlink", "uplink"))
    edges = getattr(band, direction)
    if band.technology != LTE or edges is None:
        raise ParameterError(f"band is {band.name} of {band.technology}; choose an LTE band that has a {direction}")
    return edges, band.first_earfcn if direction == "downlink" else band.first_uplink_earfcn


def nr_arfcn(frequency: float) -> int:
    """NR-ARFCN nearest to a frequency: TS 38.104 5.4.2.1, table 5.4.2.1-1.

    Raises:
        ParameterError: the frequency is not within 0..24.25 GHz.
    """
    _check_frequency(frequency)
    if not 0 <= frequency < 24.25e9:
        raise ParameterError(f"frequency is {frequency:g} Hz; choose 0..24.25 GHz (FR1 and what lies above it)")
    return round(frequency / 5e3) if frequency < 3e9 else 600000 + round((frequency - 3e9) / 15e3)


def nr_arfcn_frequency(number: int) -> float:
    """Hz of an NR-ARFCN: TS 38.104 5.4.2.1."""
    if not 0 <= number <= 2016666:
        raise ParameterError(f"nr_arfcn is {number}; choose 0..2016666")
    return number * 5e3 if number < 600000 else 3e9 + (number - 600000) * 15e3


GSCN_RANGE = (2, 22255)
"""Lowest and highest GSCN below 24.25 GHz."""


def gscn_frequency(number: int) -> float:
    """Hz of the centre (subcarrier 120) of an SS/PBCH block: TS 38.104 5.4.3.1, table 5.4.3.1-1."""
    if not GSCN_RANGE[0] <= number <= GSCN_RANGE[1]:
        raise ParameterError(f"gscn is {number}; choose {GSCN_RANGE[0]}..{GSCN_RANGE[1]}")
    if number >= 7499:
        return 3e9 + (number - 7499) * 1.44e6
    # number = 3 N + (M - 3) / 2 with M = 1, 3, 5
    n = (number + 1) // 3
    return n * 1.2e6 + (2 * (number - 3 * n) + 3) * 50e3


def gscn(frequency: float) -> int:
    """GSCN nearest to the centre of an SS/PBCH block.

    Raises:
        ParameterError: the frequency is not within 0..24.25 GHz.
    """
    _check_frequency(frequency)
    if not 0 <= frequency < 24.25e9:
        raise ParameterError(f"frequency is {frequency:g} Hz; choose 0..24.25 GHz (FR1 and what lies above it)")
    if frequency < 3e9:
        guess = 3 * round(frequency / 1.2e6)
    else:
        guess = 7499 + round((frequency - 3e9) / 1.44e6)
    near = range(max(guess - 3, GSCN_RANGE[0]), min(guess + 3, GSCN_RANGE[1]) + 1)
    return min(near, key=lambda number: abs(gscn_frequency(number) - frequency))


def ssb_places(lower: float, upper: float, subcarrier_spacing: float) -> list[int]:
    """Every GSCN whose SS/PBCH block (240 subcarriers) lies within a range.

    Args:
        lower, upper: Hz.
        subcarrier_spacing: 15e3 or 30e3 Hz.
    """
    for edge in (lower, upper):
        _check_frequency(edge)
    half = 120 * subcarrier_spacing
    first, last = max(lower + half, 0.0), min(upper - half, 24.24e9)
    if first > last:
        return []
    numbers = range(gscn(first), gscn(last) + 1)
    return [number for number in numbers if first <= gscn_frequency(number) <= last]


def block_spacings(frequency: float) -> list[float]:
    """Subcarrier spacings in Hz that SS/PBCH blocks at a frequency in Hz may have; both where that is not known (0)."""
    return [30e3] if frequency > BLOCKS_30_KHZ_ONLY_HZ else [15e3, 30e3]


def ssb_case(frequency: float, subcarrier_spacing: float) -> str | None:
    """Case of SS/PBCH blocks at a frequency, 'A', 'B' or 'C'; None where the bands there differ, or there are none."""
    if subcarrier_spacing == 15e3:
        return "A"
    cases = {"B" if band.number in SSB_CASE_B_BANDS else "C" for band in bands_at(frequency, NR)}
    return cases.pop() if len(cases) == 1 else None


def _check_frequency(frequency):
    if not math.isfinite(frequency):
        raise ParameterError(f"frequency is {frequency}; a finite number in Hz is needed")


def _check_choice(name, value, choices):
    if value not in choices:
        raise ParameterError(f"{name} is {value!r}; choose one of {', '.join(map(str, choices))}")
