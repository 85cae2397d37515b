# SPDX-License-Identifier: GPL-3.0-or-later
"""Searches that a plan asks for, at any frequency of a band: LTE and NR, in a part of the span and in all of it."""

import dataclasses
import json
import threading

import numpy as np
import pytest
from nr_signals import nr_cell
from test_lte_search import downlink, noise, shifted

from rpmsn.cells import looking
from rpmsn.cells.cell import SYNC, Cell
from rpmsn.cells.finding import Piece
from rpmsn.cells.looking import Look, Looker
from rpmsn.cells.plan import Hypothesis
from rpmsn.cells.threads import on_threads

RATE, CENTER = 15.36e6, 1842.5e6
LTE_HZ, NR_HZ = -3.17e6, 4.083e6


@pytest.fixture(scope="module")
def look():
    """40 ms with an LTE cell and an NR cell, neither on a raster."""
    lte = shifted(downlink(77, rate=RATE), LTE_HZ, RATE)
    samples, middle, _ = nr_cell(500, 15e3, sample_rate=RATE)
    nr = shifted(3 * samples, NR_HZ - middle, RATE)[: len(lte)]
    return Look([(0.1 * (lte + nr + noise(len(lte), 2.0))).astype(np.complex64)], 0, RATE, CENTER)


def found(look, technology, lower, upper):
    band = CENTER + lower, CENTER + upper
    search = Hypothesis(technology, (), 0.0, 15e3, 1, False, 1.0, band=band)
    (finding,) = Looker(look).findings([search])
    return [(proof.cell.technology, proof.frequency) for proof in finding.proofs]


@pytest.mark.parametrize("reach", [1.9e6, 20e6], ids=["a part of the span", "all of it"])
def test_a_cell_is_found_at_any_frequency_of_a_band(look, reach):
    lower, upper = max(-RATE / 2, LTE_HZ - reach), min(RATE / 2, LTE_HZ + reach)
    assert found(look, "LTE", lower, upper) == [("LTE", pytest.approx(CENTER + LTE_HZ, abs=200))]
    lower, upper = max(-RATE / 2, NR_HZ - 2 * reach), min(RATE / 2, NR_HZ + reach)
    assert found(look, "NR", lower, upper) == [("NR", pytest.approx(CENTER + NR_HZ, abs=200))]


def test_an_nr_cell_whose_block_reaches_beyond_the_span_is_found_at_its_place_again():
    samples, middle, _ = nr_cell(500, 15e3, sample_rate=2 * RATE)
    beyond = RATE / 2 - 1.7e6
    wide = shifted(samples, beyond - middle, 2 * RATE)
    bins = np.fft.fftshift(np.fft.fft(wide))
    kept = bins[len(bins) // 4 : len(bins) // 4 + len(bins) // 2]
    samples = np.fft.ifft(np.fft.ifftshift(kept)).astype(np.complex64)
    look = Look([samples + 0.05 * samples.std() * noise(len(samples), 1.0)], 0, RATE, CENTER)
    assert found(look, "NR", 1e6, RATE / 2) == [("NR", pytest.approx(CENTER + beyond, abs=200))]
    again = Hypothesis("NR", (CENTER + beyond,), 0.0, 15e3, 1, True, 1.0)
    elsewhere = Hypothesis("NR", (CENTER + RATE,), 0.0, 15e3, 1, True, 1.0)
    finding, none = Looker(look).findings([again, elsewhere])
    assert [proof.cell.cell_id for proof in finding.proofs] == [500] and not none.proofs
    piece = Piece("piece", "host", CENTER - 5e6, CENTER - 3e6, CENTER + 3e6, CENTER + 5e6, CENTER + beyond, 15e3, 500)
    comparison = Hypothesis("NR", (), 0.0, 15e3, 1, False, 1.0, piece=piece)
    (finding,) = Looker(look).findings([comparison])
    assert finding.piece is None, "nothing but noise"


def said(finding):
    """What a finding says of its cells, but for what differs from call to call: where arrays lie in memory decides how
    numpy multiplies complex numbers, and with it the last digit."""
    proofs = [dataclasses.asdict(proof) for proof in finding.proofs]
    return json.loads(json.dumps(proofs), parse_float=lambda text: f"{float(text):.9g}")


@pytest.mark.parametrize("search", ["LTE", "NR", "places", "slice"])
def test_what_is_found_does_not_depend_on_the_number_of_threads(look, search):
    band = CENTER - RATE / 2, CENTER + RATE / 2
    searches = {
        "LTE": Hypothesis("LTE", (), 0.0, 15e3, 1, False, 1.0, band=band),
        "NR": Hypothesis("NR", (), 0.0, 15e3, 1, False, 1.0, band=band),
        "places": Hypothesis("LTE", (CENTER + LTE_HZ, CENTER + NR_HZ), 50e3, 15e3, 1, False, 1.0),
        "slice": Hypothesis("LTE", (CENTER + LTE_HZ,), 0.0, 15e3, 1, False, 1.0, is_slice=True),
    }
    with on_threads(1):  # BLAS rounds otherwise on several
        (alone,) = Looker(look).findings([searches[search]])
    with on_threads(3):
        (shared,) = Looker(look).findings([searches[search]])
    assert alone.proofs and said(shared) == said(alone)


def test_searches_side_by_side_find_the_same_in_their_order(look, monkeypatch):
    bands = [(CENTER + middle - 2e6, CENTER + middle + 2e6) for middle in (LTE_HZ, NR_HZ)]
    searches = [
        Hypothesis(name, (), 0.0, 15e3, 1, False, 1.0, band=band) for name, band in zip(("LTE", "NR"), bands)
    ] + [Hypothesis("LTE", (CENTER + LTE_HZ,), 10e3, 15e3, 1, False, 1.0)]
    with on_threads(1):
        alone = list(Looker(look).findings(searches))
    callers, find = set(), Looker._find
    monkeypatch.setattr(Looker, "_find", lambda *of: callers.add(threading.get_ident()) or find(*of))
    with on_threads(2):
        shared = list(Looker(look).findings(searches))
    assert threading.get_ident() not in callers
    assert [said(finding) for finding in shared] == [said(finding) for finding in alone]
    assert [finding.technology for finding in shared] == ["LTE", "NR", "LTE"]


def test_nothing_is_found_where_there_is_none(look):
    assert found(look, "LTE", NR_HZ - 2e6, NR_HZ + 2e6) == found(look, "NR", LTE_HZ - 2e6, LTE_HZ + 2e6) == []


def test_a_ghost_of_a_strong_cell_is_that_cell(monkeypatch):
    """What is found beside the frequency of a strong cell, by its synchronisation signals alone and not clearly."""
    strong = Look([(0.1 * (shifted(downlink(77, rate=RATE), LTE_HZ, RATE))).astype(np.complex64)], 0, RATE, CENTER)
    ghost = Cell("LTE", 135, SYNC, LTE_HZ - 105e3, snr_db=-6.0, score=1.6)
    monkeypatch.setattr(looking.lte, "find_cells_and_pss", lambda *_: ([ghost], [0.0]))
    search = Hypothesis("LTE", (CENTER + LTE_HZ - 105e3,), 10e3, 15e3, 1, False, 1.0)
    (finding,) = Looker(strong).findings([search])
    assert [(proof.cell.cell_id, proof.frequency) for proof in finding.proofs] == [
        (77, pytest.approx(CENTER + LTE_HZ, abs=200))
    ]
