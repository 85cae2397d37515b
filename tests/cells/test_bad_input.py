# SPDX-License-Identifier: GPL-3.0-or-later
"""Samples that are cut, joined or mixed prove nothing wrong."""

import numpy as np
import pytest
from nr_signals import RATES, nr_cell, received

from rpmsn.cells.cell import BROADCAST
from rpmsn.cells.lte import LteSearcher
from rpmsn.cells.lte import find_cells as find_lte
from rpmsn.cells.nr import find_cells as find_nr
from rpmsn.cells.spectrum import Spectrum
from rpmsn.synthesis import ofdm
from rpmsn.synthesis.lte.downlink import LteDownlink

RATE = 1.92e6


def lte_cell(cell_id=250, n_ms=80, seed=1, **more):
    cell = LteDownlink(1.4e6, cell_id, **{"frame_number": 600, **more})
    return ofdm.modulate(cell.grid(n_ms, np.random.default_rng(seed)), RATE)


def with_noise(samples, snr_db=15, seed=2):
    values = np.random.default_rng(seed).standard_normal((len(samples), 2), np.float32).view(np.complex64)[:, 0]
    return samples + values * np.float32(np.sqrt(0.5 * 10 ** (-snr_db / 10) * RATE / 1.08e6))


@pytest.mark.parametrize("lost", [777, 9_600, 12_345, 19_200 * 3])
def test_a_gap_that_nobody_tells_of_makes_no_wrong_lte_cell(lost):
    """The frame number is that of the samples before the gap, or of those behind it."""
    samples = with_noise(lte_cell(n_ms=160))
    kept = len(samples) // 4
    joined = np.concatenate([samples[:kept], samples[kept + lost :]])
    cells = find_lte(joined, RATE, [0.0], tolerance=10e3)
    assert {(cell.cell_id, cell.mib.get("dl-Bandwidth", 6)) for cell in cells} <= {(250, 6)}
    for cell in cells:
        sent = {round((start_s - cell.start_s) % 0.01, 5) % 0.01 for start_s in (0.0, -lost / RATE)}
        assert sent & {0.0, 1e-5, 0.00999}
        first = round((cell.start_s + lost / RATE) / 0.01)
        assert not cell.mib or cell.mib["systemFrameNumber"] in (600, 600 + first)


@pytest.mark.parametrize("lost", [5_000, 153_600, 400_000])
def test_a_gap_that_nobody_tells_of_makes_no_wrong_nr_cell(lost):
    samples, frequency, _ = nr_cell(duration_ms=160)
    kept = len(samples) // 3
    cells = find_nr(np.concatenate([samples[:kept], samples[kept + lost :]]), RATES[30e3], [frequency], (30e3,))
    assert {cell.cell_id for cell in cells} == {500}


def test_two_lte_cells_that_send_at_the_same_time_are_both_found_or_only_the_stronger():
    for level in (0.9, 0.5, 0.2):
        both = with_noise(lte_cell(30) + level * lte_cell(91, seed=2), 20)
        found = [cell.cell_id for cell in find_lte(both, RATE, [0.0], tolerance=10e3)]
        assert found in ([30, 91], [91, 30], [30])


def test_two_nr_cells_whose_blocks_meet_are_both_found_or_only_the_stronger():
    first, frequency, _ = nr_cell(500)
    second, _, _ = nr_cell(503)
    for level in (0.9, 0.3):
        cells = find_nr(first + level * second, RATES[30e3], [frequency], (30e3,))
        assert [cell.cell_id for cell in cells] in ([500, 503], [503, 500], [500])


@pytest.mark.parametrize("rate", [1.4e6, 1.6e6])
def test_below_the_rate_of_the_middle_a_cell_is_right_or_not_found(rate):
    samples = with_noise(lte_cell())
    times = np.arange(int(len(samples) * rate / RATE)) * RATE / rate
    lower = np.interp(times, np.arange(len(samples)), samples).astype(np.complex64)
    assert {cell.cell_id for cell in find_lte(lower, rate, [0.0], tolerance=10e3)} <= {250}


@pytest.mark.parametrize("milliseconds", [0.2, 1, 3])
def test_a_few_milliseconds_give_the_right_cells_or_none(milliseconds):
    lte, (nr, frequency, _) = with_noise(lte_cell()), nr_cell(duration_ms=20)
    heard = received(nr, RATES[30e3], 10, element=RATES[30e3] / 30e3 / 1272)
    for first in range(0, 19_200, 2_400):
        part = lte[first : first + int(milliseconds * RATE / 1e3)]
        assert {cell.cell_id for cell in find_lte(part, RATE, [0.0], tolerance=10e3)} <= {250}
    for first in range(0, 30_720, 6_144):
        part = heard[first : first + int(milliseconds * RATES[30e3] / 1e3)]
        assert {cell.cell_id for cell in find_nr(part, RATES[30e3], [frequency], (30e3,))} <= {500}


def test_values_that_are_not_finite_in_a_shared_spectrum_count_as_silence():
    samples = with_noise(lte_cell(n_ms=40))
    samples[30_000:31_000] = np.nan
    (cell,) = LteSearcher(RATE, [0.0], 10e3).feed(Spectrum(samples, RATE), 0)
    assert (cell.cell_id, cell.evidence) == (250, BROADCAST)
