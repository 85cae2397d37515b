# SPDX-License-Identifier: GPL-3.0-or-later
"""One tolerance for sample rates, and what it may cost."""

import pytest

from rpmsn.detection.segmenter import rate_warnings
from rpmsn.errors import RadioError
from rpmsn.models.model import load_model
from rpmsn.radios.ranges import check_rate
from rpmsn.scanning.plan import Plan
from rpmsn.signal.image import COLUMNS, ROWS, frame_length
from rpmsn.signal.rates import RATE_TOLERANCE, is_rate_within, is_same_rate


@pytest.mark.parametrize("rate", [1e6, 1.92e6, 2.4e6, 61.44e6, 125e6])
def test_a_rate_within_the_tolerance_keeps_pixels_and_correlations_in_place(rate):
    other = rate * (1 + RATE_TOLERANCE)
    assert is_same_rate(other, rate)
    assert abs(other - rate) / 2 < 0.02 * rate / COLUMNS  # frequency at an end of the span
    assert abs(1 - rate / other) * ROWS < 0.03  # rows at the end of a frame
    assert abs(frame_length(min(other, 125e6)) - frame_length(rate)) <= RATE_TOLERANCE * frame_length(rate) + 1
    assert (other - rate) / 15e3 < 1  # samples of the longest lag, a useful symbol


def test_one_hertz_is_no_other_rate_and_the_next_setting_of_a_radio_is():
    assert is_same_rate(2.4e6 + 1, 2.4e6) and is_same_rate(2.4e6 - 1, 2.4e6)
    assert not is_same_rate(2.4e6 * 1.001, 2.4e6)


def test_a_rate_a_little_outside_a_range_is_in_it_everywhere(any_rate_model):
    card = load_model(any_rate_model).card
    low, high = card.sample_rates
    for rate in (low - 1, high + 1):
        assert is_rate_within(rate, low, high) and rate_warnings(card, rate) == []
        assert frame_length(rate) > 0 and Plan(1e9, 1.1e9, rate).steps > 0
    assert not is_rate_within(0.99 * low, low, high) and rate_warnings(card, 1.01 * high) != []


def test_a_radio_that_sets_another_rate_is_refused_with_the_rate_that_it_has():
    check_rate("uhd", 2.4e6, 2.4e6 + 1)
    with pytest.raises(
        RadioError, match="uhd has no sample rate of 2.4 Msps, and takes 2.402: choose that, or another clock"
    ):
        check_rate("uhd", 2.4e6, 2.402e6, ", or another clock")
