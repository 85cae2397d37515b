# SPDX-License-Identifier: GPL-3.0-or-later
"""The noise floor of a scan: the percentile over neighbouring steps, in windows of any width."""

import numpy as np
import pytest
from scipy.ndimage import percentile_filter

from rpmsn.scanning.panorama import running_percentile


@pytest.mark.parametrize("percentile", [0, 10, 50, 90, 100])
@pytest.mark.parametrize("size", [1, 2, 7, 40])
@pytest.mark.parametrize("reach", [0, 1, 6, 100])
def test_each_value_is_that_of_its_rank_in_a_window_with_repeated_ends(percentile, size, reach):
    values = np.random.default_rng(size).standard_normal(size)
    width = 2 * reach + 1
    expected = []
    for index in range(size):
        window = [values[min(max(index + shift, 0), size - 1)] for shift in range(-reach, reach + 1)]
        expected.append(sorted(window)[min(int(width * percentile / 100), width - 1)])
    assert running_percentile(values, percentile, reach).tolist() == expected


@pytest.mark.parametrize("percentile", [10, 25, 50])
def test_where_the_window_is_shorter_than_half_of_the_array_it_agrees_with_scipy(percentile):
    values = np.random.default_rng(1).standard_normal(200)
    assert np.array_equal(
        running_percentile(values, percentile, 20), percentile_filter(values, percentile, 41, mode="nearest")
    )
