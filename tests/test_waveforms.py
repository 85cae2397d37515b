# SPDX-License-Identifier: GPL-3.0-or-later
"""What all cells have in common: one seed one grid, drawn cells that work, attributes that are kept."""
from dataclasses import asdict, replace

import numpy as np
import pytest

from rpmsn.errors import ParameterError
from rpmsn.synthesis import lte, nr
from rpmsn.synthesis.grid import scattered_runs
from rpmsn.synthesis.lte import LteDownlink
from rpmsn.synthesis.nr import NrDownlink

SSB_ONLY = dict(style="ssb_only", sib1=False, trs_period_ms=None)


def generator(seed=1):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("kind", [LteDownlink, NrDownlink])
def test_one_seed_one_carrier(kind):
    def make(seed):
        rng = generator(seed)
        return kind.random(rng).grid(4, rng).symbols

    assert np.array_equal(make(3), make(3))
    first, other = make(3), make(4)
    assert first.shape != other.shape or not np.array_equal(first, other)


@pytest.mark.parametrize("kind", [LteDownlink, NrDownlink])
def test_a_grid_does_not_depend_on_what_was_made_before(kind):
    """Caches are never written to."""
    cell = kind.random(generator(5))
    before = cell.grid(3, generator(6)).symbols.copy()
    for seed in range(5):
        kind.random(generator(seed), cell_id=cell.cell_id, bandwidth_hz=cell.bandwidth_hz).grid(3, generator(seed))
    assert np.array_equal(cell.grid(3, generator(6)).symbols, before)


@pytest.mark.parametrize("kind", [LteDownlink, NrDownlink])
def test_drawn_cells_work_vary_and_can_be_written_down(kind):
    rng = generator()
    cells = [kind.random(rng) for _ in range(150)]
    for cell in cells[:40]:
        assert np.isfinite(cell.grid(2, rng).symbols).all()
    assert all(kind(**asdict(cell)) == cell for cell in cells)
    plain = (int, float, str, bool, tuple, type(None))
    assert all(type(value) in plain for cell in cells for value in asdict(cell).values())
    assert len({cell.bandwidth_hz for cell in cells}) >= 6
    assert len({cell.cell_id for cell in cells}) > 100


def test_drawn_lte_cells_are_mostly_lightly_loaded():
    rng = generator()
    loads = np.array([LteDownlink.random(rng).load for _ in range(400)])
    assert 0.65 < np.mean(loads <= 0.3) < 0.85
    assert loads.min() == 0 and loads.max() == 1


@pytest.mark.parametrize("kind", [LteDownlink, NrDownlink])
def test_attributes_that_are_given_are_not_drawn(kind):
    cell = kind.random(generator(), bandwidth_hz=5e6, load=0.4, start_ms=7)
    assert (cell.bandwidth_hz, cell.load, cell.start_ms) == (5e6, 0.4, 7)


@pytest.mark.parametrize("kind", [LteDownlink, NrDownlink])
def test_a_later_start_shifts_what_is_periodic(kind):
    quiet = dict(load=0) | ({} if kind is LteDownlink else SSB_ONLY)
    whole = kind(10e6, cell_id=5, **quiet).grid(30, generator()).symbols
    late = kind(10e6, cell_id=5, start_ms=6, **quiet).grid(24, generator()).symbols
    skipped = len(whole) - len(late)
    # Half frame 2's PSS of LTE, the second burst's of NR; the middle of the carrier is free of anything random.
    primary, middle = (14 * 10 + 6, slice(300 - 31, 300 + 31)) if kind is LteDownlink else (20 * 28 + 4, slice(None))
    assert whole[primary, middle].any()
    assert np.array_equal(whole[primary, middle], late[primary - skipped, middle])


def test_nr_cell_keeps_its_habits_from_grid_to_grid():
    """Two grids that follow each other show the tracking signal with its period, whatever their generators."""
    cell = NrDownlink(20e6, 30e3, 17, style="ssb_only", beams=(), trs_period_ms=20)
    grids = [replace(cell, start_ms=start).grid(20, generator(start)).on_air for start in (0, 20)]
    assert grids[0].any()
    assert np.array_equal(*grids)


@pytest.mark.parametrize("duration", [0, 1.5, -1])
@pytest.mark.parametrize("kind", [LteDownlink, NrDownlink])
def test_a_duration_that_is_no_whole_millisecond_is_refused(kind, duration):
    with pytest.raises(ParameterError, match="n_ms"):
        kind().grid(duration, generator())


def test_scattered_runs_take_what_they_are_asked_for_and_never_overlap():
    rng = generator()
    for _ in range(200):
        n_taken, n_runs = int(rng.integers(0, 21)), int(rng.integers(1, 8))
        runs = scattered_runs(20, n_taken, n_runs, rng)
        taken = [block for start, width in runs for block in range(start, start + width)]
        assert len(runs) == n_runs
        assert len(taken) == len(set(taken)) == n_taken
        assert all(0 <= block < 20 for block in taken)
