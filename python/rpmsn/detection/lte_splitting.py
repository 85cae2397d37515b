# SPDX-License-Identifier: GPL-3.0-or-later
"""LTE carriers side by side that a mask shows as one are split, where it can be told that they are several.

A gap of less than a column is not to be seen in a mask. Two things tell of it all the same:

* **Time.** The columns of one carrier are strong and weak at the same moments, for its control region and its data fall
  into the same symbols and subframes; where its users share it, one part may be strong just when another is weak.
  Another cell has another traffic, and mostly another frame timing. So levels on either side of a seam are correlated
  over the rows with those further in, and not with each other, nor are the two sides as wholes. Fading makes steps of
  level along a carrier, but does not change what is on when.
* **Width.** No LTE carrier occupies more than 18 MHz. What is wider is split even where time does not tell, where the
  level changes most, for two carriers seldom have the same.

Either way both sides have to be as wide as LTE carriers are, and there are six bandwidths (TS 36.101 5.6).
"""

import numpy as np

OCCUPIED_HZ = np.array([1.08e6, 2.7e6, 4.5e6, 9e6, 13.5e6, 18e6])
"""Occupied bandwidths: 6, 15, 25, 50, 75 and 100 resource blocks of 180 kHz."""
NARROWER = 1.0
"""Columns by which a carrier may seem narrower than it is..."""
WIDER = 1.5
"""...and wider: half of the gap beside it counts as its own."""
SEVERAL, SEVERAL_HZ = 3.0, 0.9e6
"""A run has to be wider than the widest carrier by so many columns, and by this much, to be split by its width
alone: a little less than the narrowest carrier that can lie beside it."""
NARROWEST = 3
"""No part has fewer columns."""

LEAST_HZ = 4.5e6
"""Time tells carriers apart from this width on; narrower ones have too few columns."""
LEAST_ROWS = 64
"""Rows on the air, 10 ms in a frame of 40, from which on a correlation over them says something."""
SIDE = 5
"""Columns on either side of a seam whose mean level is compared, as far as the run goes."""
MOST_ACROSS, MOST_OF_ALL = 0.3, 0.35
"""Across a seam the correlation is no more than this, and no less than its opposite, of SIDE columns and of all..."""
LEAST_DROP = 0.5
"""...and so much less than within either side."""
LEAST_POWER = 1e-30
"""Taken for nothing, linear."""


def may_be_several(columns: float, column_hz: float) -> bool:
    """Whether so many columns, each `column_hz` wide, may hold more than one carrier that can be told apart."""
    return columns > LEAST_HZ / column_hz


def seams(power: np.ndarray, lower: float, upper: float, column_hz: float) -> list[int]:
    """Where a run of columns that is said to be LTE has to be split.

    Args:
        power: float, shape (rows, columns of the image), linear: rows in which the run is on the air.
        lower, upper: edges of the run on the column axis, to a fraction of a column; at 0 and at the number of
            columns, the ends of the span, a carrier may go on.
        column_hz: width of a column.

    Returns:
        list of int, ascending: columns in the middle of gaps; none where it is one carrier, or where no place parts it
            into carriers of widths there are.
    """
    seam = _seam_in_time(power, lower, upper, column_hz)
    if seam is None:
        seam = _seam_of_width(power, lower, upper, column_hz)
    if seam is None:
        return []
    return seams(power, lower, seam + 0.5, column_hz) + [seam] + seams(power, seam + 0.5, upper, column_hz)


def _seam_in_time(power, lower, upper, column_hz):
    """The column across which levels change least alike; None where all of the run is on at the same moments."""
    if not may_be_several(upper - lower, column_hz) or len(power) < LEAST_ROWS:
        return None
    left, right = _candidates(power.shape[1], lower, upper, OCCUPIED_HZ[OCCUPIED_HZ >= LEAST_HZ] / column_hz)
    if not left & right:
        return None
    first = max(0, int(np.ceil(lower)))
    levels = 10 * np.log10(np.maximum(power[:, first : int(upper)], LEAST_POWER))
    drops = {column: drop for column in left & right if (drop := _drop(levels, column - first)) >= LEAST_DROP}
    return max(drops, key=drops.__getitem__, default=None)


def _drop(levels, column):
    """By how much the correlation over time is less across a column than within either side; 0 where there is one."""
    left, right = levels[:, : max(0, column - 1)], levels[:, column + 2 :]
    if not (left.size and right.size):
        return 0.0
    near_left, near_right = left[:, -SIDE:], right[:, :SIDE]
    far_left, far_right = left[:, -2 * SIDE : -SIDE], right[:, SIDE : 2 * SIDE]
    across = _correlation(near_left, near_right)
    if abs(across) > MOST_ACROSS or abs(_correlation(left, right)) > MOST_OF_ALL:
        return 0.0
    within = [_correlation(near, far) for near, far in ((near_left, far_left), (near_right, far_right)) if far.size]
    return min(within, default=0.0) - across


def _correlation(one, other):
    """Correlation coefficient over the rows of the mean levels of some columns and of others; 0 if one is constant."""
    one, other = (part.mean(axis=1) - part.mean() for part in (one, other))
    scale = np.sqrt(np.dot(one, one) * np.dot(other, other))
    return float(np.dot(one, other) / scale) if scale > 0 else 0.0


def _seam_of_width(power, lower, upper, column_hz):
    """The column where the level changes most; None where the run is not too wide to be one carrier."""
    if upper - lower <= OCCUPIED_HZ[-1] / column_hz + max(SEVERAL, SEVERAL_HZ / column_hz):
        return None
    left, right = _candidates(power.shape[1], lower, upper, OCCUPIED_HZ / column_hz)
    spectrum = np.maximum(power.mean(axis=0, dtype=np.float64), LEAST_POWER)
    return max(
        left & right or left | right,
        default=None,
        key=lambda column: abs(np.log(spectrum[column - 2] / spectrum[column + 2])),
    )


def _candidates(columns, lower, upper, widths):
    """(set of the columns to whose left a carrier of one of these widths fits, in columns, the same to the right)."""
    inner = np.arange(int(np.ceil(lower)) + NARROWEST, int(upper) - NARROWEST)
    return (
        set(inner[_fit(inner + 0.5 - lower, widths, lower <= 0)].tolist()),
        set(inner[_fit(upper - inner - 0.5, widths, upper >= columns)].tolist()),
    )


def _fit(parts, widths, is_cut):
    """Which parts, in columns, an LTE carrier may be as wide as; any part of one, if the span cuts it off."""
    if is_cut:
        return parts <= widths[-1] + WIDER
    excess = parts[:, None] - widths
    return ((excess >= -NARROWER) & (excess <= WIDER)).any(axis=1)
