# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a radio is tuned to for a search for cells."""

import numpy as np
import pytest

from rpmsn.errors import ParameterError
from rpmsn.scanning.cell_plan import USABLE, CellPlan


@pytest.mark.parametrize("rate, width", [(2.4e6, 0.96e6), (7.68e6, 3.6e6), (20e6, 7.2e6), (61.44e6, 7.2e6)])
def test_no_synchronisation_signal_in_the_range_is_cut(rate, width):
    plan = CellPlan(1805e6, 1880e6, rate)
    for middle in np.linspace(1805e6, 1880e6, 1001):
        distance = min(abs(plan.center(step) - middle) for step in range(plan.steps))
        assert distance + width / 2 <= USABLE * rate / 2 + 1


def test_steps_without_a_downlink_are_left_out_unless_all_are_wanted():
    plan = CellPlan(2390e6, 2490e6, 20e6)
    assert plan.steps == 3 and not any(2406e6 < center < 2478e6 for center in plan.centers)
    assert CellPlan(2390e6, 2490e6, 20e6, everywhere=True).steps == 10


def test_one_frequency_is_one_step():
    assert CellPlan(900e6, 900e6, 2.4e6, everywhere=True).centers == (900e6,)


@pytest.mark.parametrize(
    "arguments, said",
    [
        ((960e6, 925e6, 2.4e6), "not below the lower end"),
        ((0, float("inf"), 2.4e6), "upper of the search is inf"),
        ((925e6, 960e6, 1e6), "sample_rate of the search is 1000000.0; choose 1.4 Msps or more"),
        ((88e6, 108e6, 2.4e6), "no LTE or NR band has its downlink from 88 to 108 MHz"),
        ((1e6, 90e9, 2.4e6), "steps would be needed, 20000 are allowed"),
    ],
)
def test_what_cannot_work_is_refused(arguments, said):
    with pytest.raises(ParameterError, match=said):
        CellPlan(*arguments)
