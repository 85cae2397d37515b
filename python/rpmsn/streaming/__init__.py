# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames through the engine: from a stream (`live`) or a whole recording (`analysis`).

`intake` cuts samples into frames and hands them between threads, `pool` analyses several at once and gives them back in
order; `reports` has what goes to listeners, and what happens when one fails.
"""

CELL_BUDGET = 0.1
"""Fraction of one core for the search for cells in live use."""
