# SPDX-License-Identifier: GPL-3.0-or-later
"""NR is known by the reference signals of its data where no block is in view, and nothing else is taken for it."""

import dataclasses
import math

import numpy as np
import pytest
from test_lte_absence import noise
from test_lte_recordings import read

from rpmsn.cells.finding import Piece
from rpmsn.cells.looking import Look, Looker
from rpmsn.cells.nr.dmrs import QUARTERS, find_data_references
from rpmsn.cells.plan import Hypothesis
from rpmsn.cells.spectrum import FLAT, Spectrum
from rpmsn.standards.nr import N_RB
from rpmsn.synthesis import ofdm
from rpmsn.synthesis.channel import fading
from rpmsn.synthesis.lte.downlink import LteDownlink
from rpmsn.synthesis.nr.downlink import NrDownlink
from rpmsn.synthesis.nr.uplink import NrUplink
from rpmsn.synthesis.other.private import private_ofdm

BASE = 1.92e6
MS = 41


def received(samples, rate, snr_db, part, offset=0.0, seed=1):
    """(samples of a part of a band, width of it, the part): what is around the part is filtered out."""
    samples = samples * np.exp(2j * np.pi * offset / rate * np.arange(len(samples)))
    samples = (samples + noise(len(samples), np.mean(np.abs(samples) ** 2) * 10 ** (-snr_db / 10), seed)).astype(
        np.complex64
    )
    width = 2 * math.ceil((part[1] - part[0]) / (2 * FLAT * BASE))
    middle = sum(part) / 2
    place, values = Spectrum(samples, rate).band(middle, width)
    return values[-place:], width, (part[0] - middle, part[1] - middle)


def downlink(bandwidth_hz=10e6, spacing=15e3, cell_id=301, seed=1, **arguments):
    arguments = {"load": 0.7, "beams": (), "sib1": False, "trs_period_ms": None, **arguments}
    made = NrDownlink(bandwidth_hz, spacing, cell_id, **arguments)
    return made.grid(MS, np.random.default_rng(seed))


def search(grid, part, snr_db=15.0, rate=15.36e6, offset=0.0, seed=1, **arguments):
    values, width, part = received(ofdm.modulate(grid, rate), rate, snr_db, part, offset, seed)
    return find_data_references(values, width, part, **arguments)


@pytest.mark.parametrize("part", [(-4.6e6, 4.6e6), (1.2e6, 3.1e6), (-3.0e6, -2.2e6)], ids=["all", "2 MHz", "0.8 MHz"])
@pytest.mark.parametrize(
    ("spacing", "further"),
    [
        (15e3, {}),
        (15e3, {"dmrs_type": 2, "dmrs_first": 3}),
        (15e3, {"dmrs_length": 2, "scattered": True}),
        (30e3, {"tdd_pattern": "DDDSU"}),
    ],
    ids=["FDD", "type 2", "two symbols", "TDD"],
)
def test_any_part_of_a_carrier_says_which_cells_it_is_and_where_its_first_block_lies(part, spacing, further):
    if part[1] - part[0] < 1e6 and (spacing == 30e3 or "dmrs_type" in further):
        pytest.skip("18 reference signals a symbol are too few")
    grid = downlink(spacing=spacing, style="full", **further)
    found = search(grid, part, offset=-12.3e3)
    assert found is not None and (found.cell_id, found.spacing) == (301, spacing)
    edge = -N_RB[spacing][10e6] * 6 * spacing - 12.3e3 - sum(part) / 2
    assert found.first_block == pytest.approx(edge, abs=(4 if further.get("dmrs_type") == 2 else 2) * spacing)


@pytest.mark.parametrize("cell_id", [0, 1007])
def test_weak_data_is_found_and_fading_does_not_hide_it(cell_id):
    grid = downlink(cell_id=cell_id, load=0.5)
    assert search(grid, (-4.6e6, 4.6e6), snr_db=0.0).cell_id == cell_id
    samples = ofdm.modulate(grid, 15.36e6)
    rng = np.random.default_rng(2)
    faded = fading.in_time(samples, 15.36e6, profile="TDL-C", doppler_hz=70.0, delay_spread_s=3e-7, rng=rng)
    values, width, part = received(faded, 15.36e6, 15.0, (-4.6e6, 4.6e6))
    assert find_data_references(values, width, part).cell_id == cell_id


def test_terminals_data_is_found_as_well():
    made = NrUplink(10e6, 15e3, 44, load=0.6, srs_period_slots=None, transform_precoding=False)
    assert search(made.grid(MS, np.random.default_rng(1)), (-4.6e6, 4.6e6)).cell_id == 44


def test_each_quarter_of_the_slots_is_tried_for_itself_and_only_identities_that_are_asked_for():
    grid = downlink(style="full")
    found = [search(grid, (1e6, 3e6), quarter=quarter) for quarter in range(QUARTERS)]
    assert any(found) and {one.cell_id for one in found if one} == {301}
    assert search(grid, (1e6, 3e6), cell_ids=(300, 302)) is None
    assert search(grid, (1e6, 3e6), cell_ids=(301,)).cell_id == 301


def test_nothing_else_is_taken_for_it():
    lte = LteDownlink(10e6, 77, load=0.6).grid(MS, np.random.default_rng(1))
    assert search(lte, (1e6, 3e6)) is None
    idle = downlink(style="ssb_only", beams=((0, 0.0),))
    assert search(idle, (1e6, 3e6)) is None
    private = private_ofdm(MS / 1e3, np.random.default_rng(3), n_subcarriers=300, pilot_every=6)
    part = private.lower + 0.5e6, private.upper - 0.5e6
    assert find_data_references(*received(private.samples, private.sample_rate, 20.0, part)) is None


@pytest.mark.parametrize("samples", [0, 100, 3000, 20000], ids=str)
def test_too_few_samples_silence_and_noise_are_nothing(samples):
    part = -1e6, 1e6
    assert find_data_references(np.zeros(samples, np.complex64), 2, part) is None
    assert find_data_references(noise(samples, 1.0, 1).astype(np.complex64), 2, part) is None


@pytest.mark.parametrize("seconds", [0.002, 0.012, 0.025])
def test_in_a_short_look_what_is_in_it_is_found(seconds):
    values, width, part = received(ofdm.modulate(downlink(style="full"), 15.36e6), 15.36e6, 20.0, (-4.6e6, 4.6e6))
    found = find_data_references(values[: round(seconds * width * BASE)], width, part)
    assert found is not None and found.cell_id == 301


@pytest.mark.parametrize(
    ("name", "cell_id", "place"),
    [
        ("nr20_fdd15_load60", 300, (-9e6, -6.6e6)),
        ("nr40_tdd30_load20", 733, (-19e6, -9e6)),
        ("ota_nr20_n78_lab", 500, (-9.1e6, 9.1e6)),
    ],
)
def test_recorded_data_is_found(name, cell_id, place):
    samples, rate, _ = read(name)
    values, width, part = received(samples[: round(0.04 * rate)], rate, 100.0, place)
    assert find_data_references(values, width, part).cell_id == cell_id


def two_cells(other_id, start_ms=0):
    """(Look, Piece): NR with a block, and beside it data of a cell that keeps the same time."""
    rate = 30.72e6
    host = NrDownlink(10e6, 15e3, 301, load=0.5, sib1=False).grid(MS, np.random.default_rng(1))
    other = downlink(5e6, cell_id=other_id, style="full", start_ms=start_ms, seed=2)
    turns = np.exp(2j * np.pi * 8.1e6 / rate * np.arange(round(MS * 1e-3 * rate)))
    samples = ofdm.modulate(host, rate) + (ofdm.modulate(other, rate) * turns.astype(np.complex64))
    samples += noise(len(samples), 1e-3 * np.mean(np.abs(samples) ** 2), 3)
    piece = Piece("piece", "host", 5.9e6, 10.3e6, -4.6e6, 4.6e6, 0.0, 15e3, 301)
    return Look([samples.astype(np.complex64)], 0, rate, 0.0), piece


@pytest.mark.parametrize(("other_id", "start_ms", "is_piece"), [(301, 0, True), (77, 0, False), (77, 3, False)])
def test_a_neighbour_that_keeps_the_same_time_is_no_piece_of_a_carrier(other_id, start_ms, is_piece):
    look, piece = two_cells(other_id, start_ms)
    (finding,) = Looker(look).findings([Hypothesis("NR", (), 0.0, 15e3, 1, False, 0.1, piece=piece)])
    assert (finding.piece == piece) == is_piece
    near = dataclasses.replace(piece, is_near=True)
    (finding,) = Looker(look).findings([Hypothesis("NR", (), 0.0, 15e3, 1, False, 0.1, piece=near)])
    assert finding.piece == near, "what has no data of another cell"


def test_a_look_says_where_the_first_block_lies():
    look, piece = two_cells(77)
    band = piece.lower, piece.upper
    searches = [
        Hypothesis("NR", (), 0.0, 15e3, 1, False, 0.1, band=band, references="it", quarter=quarter)
        for quarter in range(QUARTERS)
    ]
    found = [finding.references for finding in Looker(look).findings(searches) if finding.references]
    assert {one.cell_id for one in found} == {77} and {one.key for one in found} == {"it"}
    assert found[0].first_block == pytest.approx(8.1e6 - 25 * 6 * 15e3, abs=30e3)
