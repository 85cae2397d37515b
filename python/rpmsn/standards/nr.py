# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables of NR: TS 38.104, TS 38.211, TS 38.213."""

N_RB = {
    15e3: {5e6: 25, 10e6: 52, 15e6: 79, 20e6: 106, 25e6: 133, 30e6: 160, 35e6: 188, 40e6: 216, 45e6: 242, 50e6: 270},
    30e3: {
        5e6: 11, 10e6: 24, 15e6: 38, 20e6: 51, 25e6: 65, 30e6: 78, 35e6: 92, 40e6: 106, 45e6: 119, 50e6: 133,
        60e6: 162, 70e6: 189, 80e6: 217, 90e6: 245, 100e6: 273,
    },
}  # fmt: skip
"""Subcarrier spacing (Hz) -> channel bandwidth (Hz) -> resource blocks: TS 38.104 table 5.3.2-1."""

SSB_FIRST_SYMBOLS = {
    "A": (2, 8, 16, 22, 30, 36, 44, 50),
    "B": (4, 8, 16, 20, 32, 36, 44, 48),
    "C": (2, 8, 16, 22, 30, 36, 44, 50),
}
"""First symbol of each SS/PBCH block in its half frame: TS 38.213 4.1."""

SSB_CASES = {15e3: ("A",), 30e3: ("B", "C")}
"""Subcarrier spacing (Hz) -> cases of `SSB_FIRST_SYMBOLS`: TS 38.213 4.1."""

SSB_SUBCARRIERS, SSB_SYMBOLS = 240, 4
SSB_PERIODS_MS = (5, 10, 20, 40, 80, 160)

CORESET_ZERO = {
    15e3: (
        (24, 2, 0), (24, 2, 2), (24, 2, 4), (24, 3, 0), (24, 3, 2), (24, 3, 4), (48, 1, 12), (48, 1, 16),
        (48, 2, 12), (48, 2, 16), (48, 3, 12), (48, 3, 16), (96, 1, 38), (96, 2, 38), (96, 3, 38),
    ),
    30e3: (
        (24, 2, 0), (24, 2, 1), (24, 2, 2), (24, 2, 3), (24, 2, 4), (24, 3, 0), (24, 3, 1), (24, 3, 2),
        (24, 3, 3), (24, 3, 4), (48, 1, 12), (48, 1, 14), (48, 1, 16), (48, 2, 12), (48, 2, 14), (48, 2, 16),
    ),
}  # fmt: skip
"""Subcarrier spacing -> (resource blocks, symbols, offset in resource blocks) of CORESET 0 by index.

The offset goes from the CORESET's lowest resource block up to the one in which the SS/PBCH block begins. TS 38.213
tables 13-1 and 13-4: bands with channels of 5 or 10 MHz.
"""

LARGEST_OFFSET = 23
"""k_SSB beyond: there is no CORESET 0, since the cell sends no SIB1 here (TS 38.213 13)."""


def coreset_zero_edges(frequency: float, subcarrier_spacing: float, k_ssb: int, index: int) -> tuple[float, float]:
    """Lower and upper edge of CORESET 0, Hz: TS 38.213 13, TS 38.211 7.4.3.1.

    Args:
        frequency: middle of the SS/PBCH block, Hz.
        subcarrier_spacing: of block and carrier, 15e3 or 30e3 Hz.
        k_ssb: offset of the block's first subcarrier from a resource block's, 0..23 in units of 15 kHz.
        index: row of `CORESET_ZERO`.
    """
    width, _, offset = CORESET_ZERO[subcarrier_spacing][index]
    block = 12 * subcarrier_spacing
    lower = frequency - SSB_SUBCARRIERS / 2 * subcarrier_spacing - k_ssb * 15e3 - offset * block
    return lower, lower + width * block


def symbol_time(symbol: int, subcarrier_spacing: float) -> float:
    """Seconds from the start of a subframe to the useful part of a symbol, normal cyclic prefix: TS 38.211 5.3.1.

    Args:
        symbol: counted from the start of the subframe, 0 or more; those of later subframes follow on.
        subcarrier_spacing: 15e3 or 30e3 Hz.
    """
    # Every half millisecond one prefix is longer, by a fixed 16 of the 30720 parts of a millisecond.
    in_half = 7 * round(subcarrier_spacing / 15e3)
    return (symbol * (1 + 144 / 2048) + 144 / 2048) / subcarrier_spacing + (symbol // in_half + 1) * 16 / 30.72e6
