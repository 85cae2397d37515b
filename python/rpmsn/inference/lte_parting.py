# SPDX-License-Identifier: GPL-3.0-or-later
"""LTE carriers side by side that a mask shows as one: what is wider than LTE can be is several.

A gap of less than a column is not to be seen in a mask. But no LTE carrier occupies more than 18 MHz, and there are
six bandwidths (TS 36.101 5.6). So what is wider is parted where both sides are as wide as LTE carriers are, and where
the level changes most, for two carriers seldom have the same. What is as wide as one carrier stays one: a fading
channel makes steps as well.
"""
import numpy as np

OCCUPIED_HZ = np.array([1.08e6, 2.7e6, 4.5e6, 9e6, 13.5e6, 18e6])
"""Occupied bandwidths: 6, 15, 25, 50, 75 and 100 resource blocks of 180 kHz."""
NARROWER = 1.0
"""Columns by which a carrier may seem narrower than it is..."""
WIDER = 1.5
"""...and wider: half of the gap beside it counts as its own."""
SEVERAL, SEVERAL_HZ = 3.0, 0.9e6
"""A stretch has to be wider than the widest carrier by so many columns, and by this much, to be parted: a little less
than the narrowest carrier that can lie beside it."""
NARROWEST = 3
"""No part has fewer columns."""


def one_carrier(column_hz):
    """Columns up to which a stretch is taken for one carrier, whatever its levels; `column_hz` is a column's width."""
    return OCCUPIED_HZ[-1] / column_hz + max(SEVERAL, SEVERAL_HZ / column_hz)


def seams(levels, lower, upper, column_hz):
    """Where a stretch of columns that is said to be LTE has to be parted.

    Args:
        levels: float, shape (columns of the image,): mean power of a column, dB.
        lower, upper: edges of the stretch on the column axis, to a fraction of a column; at 0 and at the number of
            columns, the ends of the span, a carrier may go on.
        column_hz: width of a column.

    Returns:
        list of int, ascending: columns in the middle of gaps; none where it is one carrier, or where no place parts it
            into carriers of widths there are.
    """
    widths = OCCUPIED_HZ / column_hz
    if upper - lower <= one_carrier(column_hz):
        return []
    inner = range(int(np.ceil(lower)) + NARROWEST, int(upper) - NARROWEST)
    left = [column for column in inner if _fits(column + 0.5 - lower, widths, lower <= 0)]
    right = [column for column in inner if _fits(upper - column - 0.5, widths, upper >= len(levels))]
    seam = max(set(left) & set(right) or set(left) | set(right), default=None,
               key=lambda column: abs(levels[column - 2] - levels[column + 2]))
    if seam is None:
        return []
    return seams(levels, lower, seam + 0.5, column_hz) + [seam] + seams(levels, seam + 0.5, upper, column_hz)


def _fits(width, widths, is_cut):
    """Whether an LTE carrier may be so many columns wide; any part of one, if the span cuts it off."""
    if is_cut:
        return width <= widths[-1] + WIDER
    return bool(np.any((width - widths >= -NARROWER) & (width - widths <= WIDER)))
