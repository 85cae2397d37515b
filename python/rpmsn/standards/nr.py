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


def symbol_time(symbol: int, subcarrier_spacing: float) -> float:
    """Seconds from the start of a subframe to the useful part of a symbol, normal cyclic prefix: TS 38.211 5.3.1.

    Args:
        symbol: counted from the start of the subframe, 0 or more; those of later subframes follow on.
        subcarrier_spacing: 15e3 or 30e3 Hz.
    """
    # Every half millisecond one prefix is longer, by a fixed 16 of the 30720 parts of a millisecond.
    in_half = 7 * round(subcarrier_spacing / 15e3)
    return (symbol * (1 + 144 / 2048) + 144 / 2048) / subcarrier_spacing + (symbol // in_half + 1) * 16 / 30.72e6
