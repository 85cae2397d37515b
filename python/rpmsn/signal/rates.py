# SPDX-License-Identifier: GPL-3.0-or-later
"""Sample rates: which of them are the same, since a radio sets what its clock can be divided to."""

RATE_TOLERANCE = 1e-4
"""Relative. At this limit an end of the span lies 128e-4 = 0.013 columns off, the last row of a frame 0.026 rows, and
the longest lag of the features, 66.7 us, is off by less than a sample up to 125 Msps: images, edges and correlations
are those of the other rate. Times are counted at the rate that the radio reports."""


def is_same_rate(rate: float, other: float) -> bool:
    """Whether samples at two rates, Hz, may be analysed alike.

    Example:
        >>> is_same_rate(2_400_001.0, 2.4e6), is_same_rate(2.41e6, 2.4e6)
        (True, False)
    """
    return abs(rate - other) <= RATE_TOLERANCE * abs(other)


def is_rate_within(rate: float, lowest: float, highest: float | None = None) -> bool:
    """Whether a rate lies in a range, Hz, or is the same as one of its ends; without an upper end where that is None.

    Example:
        >>> is_rate_within(999_990.0, 1e6), is_rate_within(125.1e6, 1e6, 125e6)
        (True, False)
    """
    is_high_enough = rate >= lowest or is_same_rate(rate, lowest)
    return is_high_enough and (highest is None or rate <= highest or is_same_rate(rate, highest))
