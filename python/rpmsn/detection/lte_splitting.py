# SPDX-License-Identifier: GPL-3.0-or-later
"""Splits LTE carriers side by side that a mask shows as one, where two measurements show that they are several.

A mask does not show a gap of less than a column. Two properties of the powers do:

* **Time.** The columns of one carrier are strong and weak at the same moments, because its control region and its data
  fall into the same symbols and subframes; between its users, one part may be strong just when another is weak.
  Another cell has other traffic, and mostly another frame timing. So levels on either side of a boundary are correlated
  over the rows with those further in, and not with each other, nor are the two sides as wholes. Fading makes steps of
  level along a carrier, but does not change what is on when.
* **Width.** No LTE carrier occupies more than 18 MHz. What is wider is split even without a boundary in time,
  where the level changes most, because two carriers seldom have the same.

In both cases both sides have to have one of the six widths of LTE carriers (TS 36.101 5.6).
"""

import numpy as np

from ..standards.lte import OCCUPIED_HZ

WIDTHS_HZ = np.array(list(OCCUPIED_HZ.values()))
NARROWER = 1.0
"""Columns by which a carrier may be measured narrower than it is..."""
WIDER = 1.5
"""...and wider: half of the gap beside it is counted in."""
MIN_EXCESS, MIN_EXCESS_HZ = 3.0, 0.9e6
"""A run is split by its width alone where it is wider than the widest carrier by as many columns, and by as many Hz:
a little less than the narrowest carrier that can lie beside it."""
MIN_COLUMNS = 3
"""Columns of the narrowest part."""

MIN_HZ = 4.5e6
"""A boundary in time is measured from this width on; narrower runs have too few columns."""
MIN_ROWS = 64
"""Rows on the air, 10 ms in a frame of 40, needed for a correlation over them."""
SIDE = 5
"""Columns on either side of a boundary whose mean level is compared, within the run."""
MAX_CORRELATION_NEAR, MAX_CORRELATION_ALL = 0.3, 0.35
"""Across a boundary the magnitude of the correlation is at most this, of SIDE columns and of all..."""
MIN_DROP = 0.5
"""...and less than within either side by this."""
MIN_POWER = 1e-30
"""Powers below this count as this, linear."""


def may_be_several(columns: float, column_hz: float) -> bool:
    """Whether `columns` columns of `column_hz` may hold more than one carrier that can be separated."""
    return columns > MIN_HZ / column_hz


def boundaries(power: np.ndarray, lower: float, upper: float, column_hz: float) -> list[int]:
    """Where a run of columns labelled LTE has to be split.

    Args:
        power: float, shape (rows, columns of the image), linear: rows in which the run is on the air.
        lower, upper: edges of the run on the column axis, to a fraction of a column; at 0 and at the number of
            columns, the ends of the span, a carrier may go on.
        column_hz: width of a column.

    Returns:
        list of int, ascending: columns in the middle of gaps; none where it is one carrier, or where no place parts it
            into carriers of these widths.
    """
    boundary = _boundary_in_time(power, lower, upper, column_hz)
    if boundary is None:
        boundary = _boundary_by_width(power, lower, upper, column_hz)
    if boundary is None:
        return []
    return (
        boundaries(power, lower, boundary + 0.5, column_hz)
        + [boundary]
        + boundaries(power, boundary + 0.5, upper, column_hz)
    )


def _boundary_in_time(power, lower, upper, column_hz):
    """The column across which levels are least correlated; None where all of the run is on at the same moments."""
    if not may_be_several(upper - lower, column_hz) or len(power) < MIN_ROWS:
        return None
    left, right = _candidates(power.shape[1], lower, upper, WIDTHS_HZ[WIDTHS_HZ >= MIN_HZ] / column_hz)
    if not left & right:
        return None
    first = max(0, int(np.ceil(lower)))
    levels = 10 * np.log10(np.maximum(power[:, first : int(upper)], MIN_POWER))
    drops = {column: drop for column in left & right if (drop := _drop(levels, column - first)) >= MIN_DROP}
    return max(drops, key=drops.__getitem__, default=None)


def _drop(levels, column):
    """By how much the correlation over time is less across a column than within either side; 0 without a drop."""
    left, right = levels[:, : max(0, column - 1)], levels[:, column + 2 :]
    if not (left.size and right.size):
        return 0.0
    near_left, near_right = left[:, -SIDE:], right[:, :SIDE]
    far_left, far_right = left[:, -2 * SIDE : -SIDE], right[:, SIDE : 2 * SIDE]
    across = _correlation(near_left, near_right)
    if abs(across) > MAX_CORRELATION_NEAR or abs(_correlation(left, right)) > MAX_CORRELATION_ALL:
        return 0.0
    within = [_correlation(near, far) for near, far in ((near_left, far_left), (near_right, far_right)) if far.size]
    return min(within, default=0.0) - across


def _correlation(one, other):
    """Correlation coefficient over the rows of the mean levels of some columns and of others; 0 if one is constant."""
    one, other = (part.mean(axis=1) - part.mean() for part in (one, other))
    scale = np.sqrt(np.dot(one, one) * np.dot(other, other))
    return float(np.dot(one, other) / scale) if scale > 0 else 0.0


def _boundary_by_width(power, lower, upper, column_hz):
    """The column where the level changes most; None where the run is not too wide to be one carrier."""
    if upper - lower <= WIDTHS_HZ[-1] / column_hz + max(MIN_EXCESS, MIN_EXCESS_HZ / column_hz):
        return None
    left, right = _candidates(power.shape[1], lower, upper, WIDTHS_HZ / column_hz)
    spectrum = np.maximum(power.mean(axis=0, dtype=np.float64), MIN_POWER)
    return max(
        left & right or left | right,
        default=None,
        key=lambda column: abs(np.log(spectrum[column - 2] / spectrum[column + 2])),
    )


def _candidates(columns, lower, upper, widths):
    """(set of the columns to whose left a carrier of one of these widths fits, in columns, the same to the right)."""
    inner = np.arange(int(np.ceil(lower)) + MIN_COLUMNS, int(upper) - MIN_COLUMNS)
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
