# SPDX-License-Identifier: GPL-3.0-or-later
"""The screen: where a PSS may be, in one pass over the span."""

import numpy as np
import pytest
from nr_signals import nr_cell, received
from test_scan import lte_cell

from rpmsn.cells.screening import lte_sequences, nr_sequences, screen
from rpmsn.standards.nr import SSB_FIRST_SYMBOLS, symbol_time

RATE = 7.68e6


def noise(n, seed=1):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, 2)).astype(np.float32).view(np.complex64)[:, 0]


@pytest.mark.parametrize("cell_id", [0, 1, 2])
@pytest.mark.parametrize("offset", [-2.9e6, 1.234e6])
def test_an_lte_cell_stands_out_where_it_is(cell_id, offset):
    samples = lte_cell(cell_id, n_ms=20, offset=offset, rate=RATE)
    (place,) = screen(samples, RATE, lte_sequences())
    assert abs(place.frequency - offset) <= 7.5e3


@pytest.mark.parametrize("spacing", [15e3, 30e3])
def test_an_nr_cell_stands_out_at_its_block(spacing):
    samples, frequency, element = nr_cell(spacing=spacing, duration_ms=20, sample_rate=15.36e6)
    samples = received(samples, 15.36e6, 10.0, 40e3, element=element)
    places = screen(samples, 15.36e6, nr_sequences(spacing))
    assert abs(places[0].frequency - frequency - 40e3) <= spacing / 2


@pytest.mark.parametrize("late", [0.0, 0.0031, 0.0175])
def test_a_place_says_when_its_block_begins(late):
    samples, _, element = nr_cell(duration_ms=60, sample_rate=15.36e6, beams=((0, 0.0),), ssb_case="B")
    samples = received(samples, 15.36e6, 10.0, late=late, element=element)
    place = screen(samples, 15.36e6, nr_sequences(30e3))[0]
    begin = late + symbol_time(SSB_FIRST_SYMBOLS["B"][0], 30e3)
    assert place.begin_s - 1e-5 <= begin <= place.end_s + 1e-5
    assert place.end_s - place.begin_s < 2e-3, "a tenth of a period"


def test_what_a_cell_repeats_has_no_place():
    """Its reference signals, every 10 ms the same, add up as its PSS does."""
    (place,) = screen(lte_cell(n_ms=80, offset=1e6, rate=RATE), RATE, lte_sequences())
    assert abs(place.frequency - 1e6) <= 7.5e3


def test_what_is_not_allowed_is_not_looked_at():
    samples = lte_cell(n_ms=10, offset=1e6, rate=RATE)
    assert screen(samples, RATE, lte_sequences(), lambda frequencies: frequencies < -1e6) == []
    (place,) = screen(samples, RATE, lte_sequences(), lambda frequencies: np.abs(frequencies - 1e6) < 20e3)
    assert abs(place.frequency - 1e6) <= 7.5e3


@pytest.mark.parametrize("sequences", [lte_sequences(), nr_sequences(15e3)])
def test_noise_tones_and_silence_have_no_place(sequences):
    n = round(0.02 * RATE)
    tone = 30 * np.exp(2j * np.pi * 0.123 * np.arange(n)).astype(np.complex64)
    for samples in (noise(n), noise(n) + tone, np.zeros(n, np.complex64), noise(300)):
        assert screen(samples, RATE, sequences) == []


def test_periods_add_up():
    """A cell that 10 ms do not show is shown by 80 ms."""
    weak = lte_cell(n_ms=80, offset=1e6, rate=RATE)
    # 1.4 MHz of 7.68: so much noise as makes -2 dB in the cell's own band.
    weak = (weak + noise(len(weak)) * np.float32(np.sqrt(0.5 * 10**0.2 * RATE / 1.08e6))).astype(np.complex64)
    assert screen(weak[: round(0.01 * RATE)], RATE, lte_sequences()) == []
    (place,) = screen(weak, RATE, lte_sequences())
    assert abs(place.frequency - 1e6) <= 22.5e3
