# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables of NR: TS 38.104."""

N_RB = {
    15e3: {5e6: 25, 10e6: 52, 15e6: 79, 20e6: 106, 25e6: 133, 30e6: 160, 35e6: 188, 40e6: 216, 45e6: 242, 50e6: 270},
    30e3: {
        5e6: 11, 10e6: 24, 15e6: 38, 20e6: 51, 25e6: 65, 30e6: 78, 35e6: 92, 40e6: 106, 45e6: 119, 50e6: 133,
        60e6: 162, 70e6: 189, 80e6: 217, 90e6: 245, 100e6: 273,
    },
}  # fmt: skip
"""Subcarrier spacing (Hz) -> channel bandwidth (Hz) -> resource blocks: TS 38.104 table 5.3.2-1."""
