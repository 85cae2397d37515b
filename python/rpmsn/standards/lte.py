# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables of LTE: TS 36.104, TS 36.211."""

SYMBOLS_PER_SUBFRAME = 14
SUBFRAMES_PER_FRAME = 10

N_RB = {1.4e6: 6, 3e6: 15, 5e6: 25, 10e6: 50, 15e6: 75, 20e6: 100}
"""Channel bandwidth (Hz) -> resource blocks: TS 36.104 table 5.6-1."""
OCCUPIED_HZ = {bandwidth: 180e3 * blocks for bandwidth, blocks in N_RB.items()}
"""Channel bandwidth (Hz) -> bandwidth of its resource blocks (Hz): TS 36.211 6.2.3."""

TDD_SUBFRAMES = ("DSUUUDSUUU", "DSUUDDSUUD", "DSUDDDSUDD", "DSUUUDDDDD", "DSUUDDDDDD", "DSUDDDDDDD", "DSUUUDSUUD")
"""Downlink, special and uplink subframes of configurations 0..6: TS 36.211 table 4.2-2."""

DWPTS_SYMBOLS = (3, 9, 10, 11, 12, 3, 9, 10, 11, 6)
"""Downlink symbols of the special subframe, configurations 0..9: TS 36.211 table 4.2-1."""

UPPTS_SYMBOLS = (1, 1, 1, 1, 1, 2, 2, 2, 2, 2)
"""Uplink symbols of the special subframe, configurations 0..9: TS 36.211 table 4.2-1."""
