# SPDX-License-Identifier: GPL-3.0-or-later
"""What all cells have in common: one seed one grid, drawn cells that work, attributes that are kept."""

from dataclasses import asdict, replace

import numpy as np
import pytest

from rpmsn.errors import ParameterError
from rpmsn.synthesis.dss import DssDownlink
from rpmsn.synthesis.grid import scattered_runs
from rpmsn.synthesis.lte.downlink import LteDownlink
from rpmsn.synthesis.lte.uplink import LteUplink
from rpmsn.synthesis.nr.downlink import NrDownlink
from rpmsn.synthesis.nr.uplink import NrUplink

KINDS = (LteDownlink, NrDownlink, LteUplink, NrUplink, DssDownlink)
each_kind = pytest.mark.parametrize("kind", KINDS)

PERIODIC_ONLY = {
    LteDownlink: dict(load=0.0),
    NrDownlink: dict(style="ssb_only", sib1=False, csi_rs_period_slots=10),
    LteUplink: dict(load=0.0, pucch_load=0.0, srs_period_ms=5),
    NrUplink: dict(load=0.0, pucch_load=0.0, srs_period_slots=8),
    DssDownlink: dict(nr_load=0.0, lte=dict(load=0.0, mbsfn_subframes=(1,))),
}
"""Parameters with which a cell sends little besides its periodic signals."""


def generator(seed=1):
    return np.random.default_rng(seed)


@each_kind
def test_one_seed_one_carrier(kind):
    def make(seed):
        rng = generator(seed)
        return kind.random(rng).grid(4, rng).symbols

    assert np.array_equal(make(3), make(3))
    first, other = make(3), make(4)
    assert first.shape != other.shape or not np.array_equal(first, other)


@each_kind
def test_a_grid_does_not_depend_on_what_was_made_before(kind):
    """Caches are never written to."""
    cell = kind.random(generator(5))
    before = cell.grid(3, generator(6)).symbols.copy()
    for seed in range(5):
        kind.random(generator(seed), cell_id=cell.cell_id, bandwidth_hz=cell.bandwidth_hz).grid(3, generator(seed))
    assert np.array_equal(cell.grid(3, generator(6)).symbols, before)


@each_kind
def test_drawn_cells_work_vary_and_can_be_written_down(kind):
    rng = generator()
    cells = [kind.random(rng) for _ in range(150)]
    for cell in cells[:40]:
        assert np.isfinite(cell.grid(2, rng).symbols).all()
    assert all(kind(**asdict(cell)) == cell for cell in cells)
    plain = (int, float, str, bool, tuple, dict, type(None))
    assert all(type(value) in plain for cell in cells for value in leaves(asdict(cell)))
    assert len({cell.bandwidth_hz for cell in cells}) >= (4 if kind is DssDownlink else 6)
    assert len({cell.cell_id for cell in cells}) > 100


def leaves(value):
    """A value and all that it holds."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, tuple) else ()
    return [value] + [leaf for item in inner for leaf in leaves(item)]


@each_kind
def test_grids_fit_what_they_say_about_themselves(kind):
    rng = generator(2)
    for _ in range(20):
        cell = kind.random(rng)
        grid = cell.grid(3, rng)
        assert grid.duration_s == pytest.approx(3e-3)
        assert grid.bandwidth == cell.bandwidth_hz
        assert grid.occupied_bandwidth < grid.bandwidth
        assert grid.technology == ("NR" if kind in (NrDownlink, NrUplink) else "LTE")
        assert grid.half_subcarrier_shift == (kind is LteUplink)
        assert grid.active.shape == (len(grid.symbols) // 14,)
        assert not grid.symbols.reshape(len(grid.active), -1)[~grid.active].any(), "nothing on the air while inactive"


def test_drawn_lte_cells_are_mostly_lightly_loaded():
    rng = generator()
    loads = np.array([LteDownlink.random(rng).load for _ in range(400)])
    assert 0.65 < np.mean(loads <= 0.3) < 0.85
    assert loads.min() == 0 and loads.max() == 1


@each_kind
def test_attributes_that_are_given_are_not_drawn(kind):
    given = dict(bandwidth_hz=5e6, start_ms=7, cell_id=99)
    given |= dict(nr_load=0.4) if kind is DssDownlink else dict(load=0.4)
    for seed in range(20):
        cell = kind.random(generator(seed), **given)
        assert {name: getattr(cell, name) for name in given} == given


@each_kind
def test_a_later_start_shifts_what_is_periodic(kind):
    """What two grids of a cell have in common covers the periodic signals, whatever their generators."""
    cell = kind(10e6, cell_id=5, **PERIODIC_ONLY[kind])
    whole = periodic_part(cell.grid(40, generator(1)))
    skipped = 6 * len(whole) // 40
    late = periodic_part(replace(cell, start_ms=6).grid(34, generator(2)))
    early = periodic_part(cell.grid(34, generator(2)))
    assert fraction_in_common(whole[skipped:], late) > 0.7
    assert fraction_in_common(whole[: len(early)], late) < 0.5


def periodic_part(grid):
    """What a grid repeats: its elements; of the LTE uplink's soundings, with random cyclic shifts, only the places."""
    return grid.on_air if grid.half_subcarrier_shift else grid.symbols


def fraction_in_common(first, other):
    """Fraction of the used elements of either that have the same value in both."""
    used = (first != 0) | (other != 0)
    return np.mean(np.isclose(first[used], other[used]))


@each_kind
def test_a_duration_that_is_no_whole_millisecond_is_refused(kind):
    for duration in (0, 1.5, -1):
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
