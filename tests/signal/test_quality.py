# SPDX-License-Identifier: GPL-3.0-or-later
"""The input's quality goes by degree: what is clipped is judged and said, and refused where nothing is left of it."""

import numpy as np
import pytest

from rpmsn.signal import quality


def at_the_rail(fraction):
    """Gaussian values of a converter of 8 bits, of which a fraction is at its rail."""
    rng = np.random.default_rng(1)
    values = rng.standard_normal(2 * 400_000)
    scale = 127 / np.quantile(np.abs(values), 1 - fraction)
    return np.clip(np.rint(values * scale), -128, 127).astype(np.int8).reshape(-1)


@pytest.mark.parametrize("fraction, kind, judged", [
    (0.0005, None, True), (0.01, quality.CLIPPING, True), (0.07, quality.CLIPPING, True), (0.1, quality.CLIPPING, True),
    (0.2, quality.CLIPPING, True), (0.3, quality.OVERLOAD, False), (0.47, quality.OVERLOAD, False),
])  # fmt: skip
def test_clipped_values_are_judged_until_too_many_are_at_the_rail(fraction, kind, judged):
    found = quality.of_values(at_the_rail(fraction))
    assert [finding.kind for finding in found] == ([kind] if kind else [])
    assert all(finding.judged == judged for finding in found)


@pytest.mark.parametrize("fraction", [0.01, 0.07, 0.2, 0.47])
def test_the_advised_gain_ends_the_clipping_of_gaussian_values(fraction):
    values = at_the_rail(fraction).astype(float)
    decibels = quality.decibels_too_high(fraction)
    rng = np.random.default_rng(2)
    unclipped = rng.standard_normal(400_000) * 127 / np.quantile(np.abs(rng.standard_normal(400_000)), 1 - fraction)
    rare = np.mean(np.abs(unclipped) * 10 ** (-decibels / 20) >= 127)
    assert rare <= 1.1 * quality.CLIPPING_FRACTION
    # A dB less would not do.
    assert np.mean(np.abs(unclipped) * 10 ** (-(decibels - 1.2) / 20) >= 127) > quality.CLIPPING_FRACTION
    (finding,) = quality.of_values(values.astype(np.int8))
    assert f"lower the gain by {decibels} dB or more" in finding.text


def test_the_advice_stays_within_reason_where_nearly_all_is_clipped():
    assert quality.decibels_too_high(1.0) == quality.MOST_DECIBELS
