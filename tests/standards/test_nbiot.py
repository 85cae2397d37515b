# SPDX-License-Identifier: GPL-3.0-or-later
"""Synchronisation signals of NB-IoT against the formulas and tables of TS 36.211 10.2.7."""

import numpy as np
import pytest

from rpmsn.errors import ParameterError
from rpmsn.standards.nbiot import npss, nsss

ROW_1 = "+--+-++--++-+--+-++-+--+" + "+--+-++-"
"""The first 32 values of b_1 in table 10.2.7.2.1-1 (also srsRAN's lib/include/srsran/phy/sync/nsss.h); all of b_1 has
this period, b_2 and b_3 change signs with the period of 64 and 128."""


def test_the_primary_signal_is_a_covered_zadoff_chu_sequence():
    signal = npss()
    assert np.all(signal[:, 11] == 0)
    assert np.allclose(signal[0, :3], [1, np.exp(-10j * np.pi / 11), np.exp(-30j * np.pi / 11)], atol=1e-6)
    assert np.allclose(signal[:, 0], [1, 1, 1, 1, -1, -1, 1, 1, 1, -1, 1])


def test_the_secondary_signal_has_the_tables_signs():
    first = np.array([1 if sign == "+" else -1 for sign in ROW_1])
    rows = [
        np.ones(128),
        np.tile(first, 4),
        np.tile(np.concatenate([first, -first]), 2),
        np.concatenate([first, -first, -first, first]),
    ]
    for group, row in enumerate(rows):
        signs = (nsss(126 * group, 0) / nsss(0, 0)).ravel()
        assert np.allclose(signs[:128], row, atol=1e-4)


def test_the_secondary_signal_turns_by_a_quarter_with_every_second_frame():
    turned = (nsss(77, 1) / nsss(77, 0)).ravel()
    assert np.allclose(turned, np.exp(-2j * np.pi * 0.25 * np.arange(132)), atol=1e-4)
    assert np.array_equal(nsss(77, 4), nsss(77, 0))


def test_a_narrowband_identity_out_of_range_is_refused():
    with pytest.raises(ParameterError, match="cell_id is 504; choose 0..503"):
        nsss(504, 0)
