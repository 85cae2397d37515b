# SPDX-License-Identifier: GPL-3.0-or-later
"""Cells and carriers: what a proof changes, where it makes carriers, and when it is not believed any more."""

import dataclasses
import math
from types import SimpleNamespace

import numpy as np
import pytest
from test_tracker import COLUMN, FRAME_S, NOT_JUDGED, RATE, Stream, seg

from rpmsn.cells.cell import BROADCAST, SYNC, Cell
from rpmsn.cells.finding import Finding, Middle, Piece, Power, Proof, References, Uplink
from rpmsn.cells.looking import Look, Looker
from rpmsn.cells.plan import Hypothesis
from rpmsn.classes import CLASS_NAMES, LTE, NR, OTHER
from rpmsn.detection.segments import FrameGeometry
from rpmsn.standards.nr_sib1 import Carrier, Sib1
from rpmsn.synthesis.nr.downlink import NrDownlink
from rpmsn.synthesis.ofdm import modulate
from rpmsn.synthesis.other.private import private_ofdm
from rpmsn.tracking.proving import settled_mask
from rpmsn.tracking.tracker import consolidate


def proof_of(stream, mhz, cell_id=301, bandwidth=None, technology="LTE", evidence=BROADCAST, seconds=FRAME_S, snr=20.0):
    """A cell found at a frequency in the last frame; bandwidth in MHz."""
    cell = Cell(
        technology,
        cell_id,
        evidence,
        0.0,
        snr_db=snr,
        channel_bandwidth=None if bandwidth is None else bandwidth * 1e6,
        subcarrier_spacing=15e3 if technology == "LTE" else 30e3,
    )
    return Proof(cell, mhz * 1e6, stream.offset - round(seconds * RATE), stream.offset, RATE, pwr_db=-30.0)


def find(stream, *proofs, technology="LTE", searched=(-6.0, 6.0)):
    """Give the tracker what a search of a range in MHz found; returns events as (kind, id)."""
    lower, upper = searched
    finding = Finding(technology, ((lower * 1e6, upper * 1e6),), 0, stream.offset, proofs)
    return stream._note(stream.tracker.prove([finding]))


def carriers(stream):
    return consolidate(stream.tracker.carriers)


def test_an_lte_cell_gives_its_carrier_label_edges_and_identity():
    stream = Stream()
    stream.frames(3, seg("NR", -2.0, 2.9))
    assert find(stream, proof_of(stream, 0.1, bandwidth=5)) == []
    (carrier,) = carriers(stream)
    assert (carrier.label, carrier.verdict, carrier.evidence, carrier.cell_id) == ("LTE", "proven", "broadcast", 301)
    assert (carrier.freq_lower, carrier.freq_upper) == pytest.approx((-2.15e6, 2.35e6))
    assert (carrier.channel_bandwidth, carrier.confidence) == (5e6, 1.0)
    assert not carrier.cut_lower and not carrier.cut_upper


def test_a_proof_holds_against_the_networks_votes():
    stream = Stream()
    stream.frames(3, seg("NR", -2.2, 2.2))
    find(stream, proof_of(stream, 0.0, bandwidth=5))
    assert set(stream.frames(60, seg("NR", -2.0, 2.9))) == {("update", 1)}
    (carrier,) = carriers(stream)
    assert carrier.label == "LTE" and carrier.bandwidth == pytest.approx(4.5e6)


def test_without_a_bandwidth_edges_are_the_networks():
    stream = Stream()
    stream.frames(3, seg("other", -2.0, 2.9))
    find(stream, proof_of(stream, 0.1, evidence=SYNC))
    (carrier,) = carriers(stream)
    assert (carrier.label, carrier.evidence, carrier.verdict) == ("LTE", "sync", "proven")
    assert (carrier.freq_lower, carrier.freq_upper) == (-2.0e6, 2.9e6) and carrier.channel_bandwidth is None


def test_a_carrier_of_lte_reaches_no_further_than_the_widest_one_around_its_centre():
    """A region may hold what lies beside it as well."""
    stream = Stream(rate=3 * RATE)
    stream.frames(3, seg("LTE", -9.0, 14.04))
    find(stream, proof_of(stream, -1.0, evidence=SYNC), searched=(-12.0, 12.0))
    (carrier,) = carriers(stream)
    assert (carrier.freq_lower, carrier.freq_upper) == (pytest.approx(-9e6, abs=3 * COLUMN), 8e6)


def test_a_bandwidth_that_its_reference_signals_show_is_kept_while_the_cell_is_found():
    stream = Stream()
    stream.frames(3, seg("LTE", -2.0, 2.9))
    find(stream, proof_of(stream, 0.1, bandwidth=5, evidence=SYNC))
    find(stream, proof_of(stream, 0.1, evidence=SYNC))
    (carrier,) = carriers(stream)
    assert (carrier.freq_lower, carrier.freq_upper) == pytest.approx((-2.15e6, 2.35e6))
    assert (carrier.evidence, carrier.channel_bandwidth) == ("sync", 5e6)


@pytest.mark.parametrize("upper, labels", [(3.6, ["LTE"]), (4.5, ["LTE", "NR"])])
def test_what_crosses_a_proven_edge_is_the_carrier_unless_there_is_room_for_another(upper, labels):
    stream = Stream()
    stream.frames(3, seg("LTE", -2.2, 0.0), seg("NR", 1.5, upper))
    find(stream, proof_of(stream, 0.0, bandwidth=5))
    assert [carrier.label for carrier in carriers(stream)] == labels


@pytest.mark.parametrize("columns, labels", [(0.9, ["LTE"]), (3.0, ["LTE", "other"])])
def test_what_reaches_over_a_proven_edge_by_less_than_a_column_is_the_carrier(columns, labels):
    stream = Stream()
    stream.frames(3, seg("LTE", -2.2, 0.0), seg("other", 1.9, 2.25 + columns * COLUMN / 1e6))
    find(stream, proof_of(stream, 0.0, bandwidth=5))
    assert [carrier.label for carrier in carriers(stream)] == labels


@pytest.mark.parametrize("is_slice", [True, False])
def test_a_cell_between_two_pieces_is_believed_where_reference_signals_foretold_it(is_slice):
    stream = Stream()
    stream.frames(3, seg("other", -1.4, -0.4), seg("other", 0.2, 1.4))
    proof = proof_of(stream, 0.0, evidence=SYNC)
    stream.tracker.prove([Finding("LTE", (), 0, stream.offset, (proof,), is_slice)])
    found = [carrier for carrier in carriers(stream) if carrier.label == "LTE"]
    assert [(carrier.freq_lower, carrier.freq_upper) for carrier in found] == [(-0.54e6, 0.54e6)] * is_slice


def test_an_lte_carrier_reaches_on_both_sides_at_least_as_far_as_its_signals_were_seen_on_one():
    stream = Stream()
    stream.frames(3, seg("LTE", -1.0, 1.0))
    proof = dataclasses.replace(proof_of(stream, 0.0, evidence=SYNC), seen_hz=2.5e6)
    find(stream, proof)
    find(stream, dataclasses.replace(proof, seen_hz=0.0))
    (carrier,) = carriers(stream)
    assert (carrier.freq_lower, carrier.freq_upper) == (-2.5e6, 2.5e6) and carrier.cut_lower and carrier.cut_upper


@pytest.mark.parametrize("ghost_first", [True, False])
def test_a_cell_seen_beside_its_frequency_is_not_another_one(ghost_first):
    stream = Stream()
    stream.frames(3, seg("LTE", -2.2, 2.2))
    ghost, real = (
        proof_of(stream, *facts[:2], evidence=SYNC, snr=facts[2]) for facts in ((-0.1, 135, 3.0), (0.0, 65, 25.0))
    )
    for proof in (ghost, real) if ghost_first else (real, ghost):
        find(stream, proof)
    assert [carrier.cell_id for carrier in carriers(stream)] == [65]


def test_an_nr_cell_reaches_at_least_as_far_as_its_block():
    stream = Stream()
    stream.frames(3, seg("LTE", -1.0, 4.0))
    find(stream, proof_of(stream, 0.0, 500, technology="NR"), technology="NR")
    (carrier,) = carriers(stream)
    assert carrier.label == "NR" and carrier.ssb_frequency == 0.0
    assert (carrier.freq_lower, carrier.freq_upper) == (-3.6e6, 4.0e6)
    assert carrier.cut_lower and not carrier.cut_upper


def test_one_region_of_two_cells_becomes_two_carriers_at_the_edges_that_they_prove():
    stream = Stream()
    stream.frames(3, seg("LTE", -4.8, 4.8))
    events = find(stream, proof_of(stream, -2.4, 1, bandwidth=5), proof_of(stream, 2.6, 2, bandwidth=5))
    assert events == [("new", 2)]
    assert set(stream.frames(20, seg("LTE", -4.8, 4.8))) == {("update", 1), ("update", 2)}
    lower, upper = carriers(stream)
    assert (lower.cell_id, upper.cell_id) == (1, 2)
    assert (lower.freq_upper, upper.freq_lower) == pytest.approx((-0.15e6, 0.35e6))


def nr_power(quiet_lower, quiet_upper):
    """Power in steps of 20 kHz over the span that is a hundredth between two frequencies in MHz."""
    places = np.arange(-5.12, 5.12, 0.02)
    is_quiet = (places >= quiet_lower) & (places <= quiet_upper)
    return Power(-5.12e6, 20e3, np.where(is_quiet, 0.01, 1.0).astype(np.float32))


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_one_region_of_two_nr_cells_becomes_two_carriers_that_end_where_least_is_sent(order):
    stream, region = Stream(), seg("NR", -5.0, 5.0)
    stream.frames(3, region)
    cells = [proof_of(stream, mhz, cell_id, technology="NR") for mhz, cell_id in ((-3.0, 1), (4.2, 2))]
    cells = [dataclasses.replace(one, cell=dataclasses.replace(one.cell, subcarrier_spacing=15e3)) for one in cells]
    power = nr_power(1.2, 1.8)
    for number in order:
        stream.tracker.prove([Finding("NR", (), 0, stream.offset, (cells[number],), power=power)])
    for _ in range(2):
        lower, upper = carriers(stream)
        assert (lower.cell_id, upper.cell_id) == (1, 2)
        assert (lower.freq_upper, upper.freq_lower) == pytest.approx((1.5e6, 1.5e6), abs=0.1e6)
        assert (lower.freq_lower, upper.freq_upper) == pytest.approx((-5.0e6, 6.0e6), abs=1e3)
        stream.frames(60, region)


@pytest.mark.parametrize("offsets, count", [((None, None), 1), ((4, None), 1), ((4, 31), 1), ((4, 6), 2)])
def test_blocks_of_one_identity_are_of_one_carrier_unless_each_says_where_its_sib1_is(offsets, count):
    stream = Stream()
    stream.frames(3, seg("NR", -5.0, 5.0))
    for mhz, offset in zip((-3.0, 3.1), offsets):
        proof = proof_of(stream, mhz, 7, technology="NR")
        mib = {} if offset is None else mib_of(offset)
        cell = dataclasses.replace(proof.cell, subcarrier_spacing=15e3, mib=mib)
        find(stream, dataclasses.replace(proof, cell=cell), technology="NR")
    assert len(carriers(stream)) == count


def mib_of(offset):
    """What of an NR cell's MIB says where its SIB1 is."""
    return {"ssb-SubcarrierOffset": offset, "controlResourceSetZero": 0, "subCarrierSpacingCommon": "scs15or60"}


def test_the_rest_of_a_region_beside_a_cell_is_a_carrier_of_its_own():
    stream = Stream()
    stream.frames(3, seg("LTE", -4.6, 4.6))
    find(stream, proof_of(stream, -2.4, bandwidth=5))
    stream.frames(20, seg("LTE", -4.6, 4.6))
    lower, upper = carriers(stream)
    assert (lower.verdict, upper.verdict) == ("proven", "likely")
    assert upper.freq_lower == pytest.approx(-0.15e6, abs=COLUMN) and upper.freq_upper == pytest.approx(4.6e6)


def test_carriers_that_one_lte_cell_spans_become_one():
    stream = Stream()
    stream.frames(3, seg("LTE", -2.2, -0.3), seg("NR", 0.1, 2.2))
    assert len(carriers(stream)) == 2
    events = find(stream, proof_of(stream, 0.0, bandwidth=5))
    assert [kind for kind, _ in events] == ["gone"]
    stream.frames(20, seg("LTE", -2.2, -0.3), seg("NR", 0.1, 2.2))
    (carrier,) = carriers(stream)
    assert carrier.cell_id == 301 and carrier.bandwidth == pytest.approx(4.5e6)


def test_an_interferer_within_a_cell_stays_a_carrier_of_its_own():
    stream = Stream()
    both = seg("LTE", -2.2, 2.2), seg("other", 1.0, 1.4)
    stream.frames(3, *both)
    find(stream, proof_of(stream, 0.0, bandwidth=5))
    stream.frames(10, *both)
    assert {carrier.label for carrier in stream.tracker.searchable(with_candidates=True)} == {"LTE", "other"}


def test_a_cell_that_the_network_does_not_see_is_a_carrier():
    stream = Stream()
    stream.frames(3)
    assert find(stream, proof_of(stream, 1.0, 363, bandwidth=5, snr=-4.0)) == [("new", 1)]
    for _ in range(3):
        stream.frames(50)
        assert find(stream, proof_of(stream, 1.0, 363, bandwidth=5, snr=-4.0)) == [("update", 1)]
    (carrier,) = carriers(stream)
    assert (carrier.label, carrier.verdict, carrier.cell_id, carrier.snr_db) == ("LTE", "proven", 363, -4.0)
    assert (carrier.freq_lower, carrier.freq_upper) == pytest.approx((-1.25e6, 3.25e6))
    assert carrier.time_on_air == pytest.approx(carrier.duration) and carrier.pwr_db == pytest.approx(-30.0)
    assert stream.finish() == [("gone", 1)]


@pytest.mark.parametrize(
    ("label", "lower", "edges"),
    [
        pytest.param("NR", -1.0, [("NR", -4.0, 4.6)], id="half of it"),
        pytest.param("NR", 3.0, [("NR", -4.0, 3.6), ("NR", 3.0, 4.6)], id="less than half"),
        pytest.param("other", -1.0, [("NR", -4.0, 3.6), ("other", -1.0, 4.6)], id="not called NR"),
    ],
)
def test_what_is_called_nr_in_the_band_of_an_nr_cell_is_that_carrier(label, lower, edges):
    """Its bursts were not put together while the ones with the block were called something else."""
    stream = Stream()
    stream.frames(3, seg("LTE", -4.0, 3.0), seg(label, lower, 4.6))
    find(stream, proof_of(stream, 0.0, technology="NR"), technology="NR")
    assert [(one.label, one.freq_lower / 1e6, one.freq_upper / 1e6) for one in carriers(stream)] == edges


def test_a_hidden_nr_cell_is_as_wide_as_its_block_at_least():
    stream = Stream()
    stream.frames(3)
    find(stream, proof_of(stream, 0.0, technology="NR"), technology="NR")
    (carrier,) = carriers(stream)
    assert carrier.bandwidth == pytest.approx(7.2e6) and carrier.cut_lower and carrier.cut_upper


def test_synchronisation_signals_alone_are_no_carrier_where_the_network_sees_none():
    stream = Stream()
    stream.frames(3)
    assert find(stream, proof_of(stream, 0.0, evidence=SYNC)) == [] and carriers(stream) == []


def test_with_reference_signals_that_end_where_such_a_carrier_does_they_are_one():
    stream = Stream()
    stream.frames(3)
    assert find(stream, proof_of(stream, 0.0, 363, bandwidth=5, evidence=SYNC)) == [("new", 1)]
    (carrier,) = carriers(stream)
    assert (carrier.verdict, carrier.evidence, carrier.bandwidth) == ("proven", "sync", pytest.approx(4.5e6))


def test_input_that_is_not_judged_can_still_hold_a_proof():
    stream = Stream()
    stream.frames(3, condition=NOT_JUDGED)
    assert find(stream, proof_of(stream, 0.0, bandwidth=5)) == [("new", 1)]
    stream.frames(100, condition=NOT_JUDGED)
    assert [carrier.verdict for carrier in carriers(stream)] == ["proven"]


def test_neighbours_on_the_same_frequency_are_one_carrier_and_the_first_is_named():
    stream = Stream()
    stream.frames(3, seg("LTE", -2.2, 2.2))
    both = proof_of(stream, 0.0, 30, bandwidth=5), proof_of(stream, 0.003, 45, bandwidth=5, snr=10.0)
    find(stream, *both)
    find(stream, *reversed(both))
    assert [carrier.cell_id for carrier in carriers(stream)] == [30]


def test_a_second_block_within_an_nr_carrier_is_no_second_carrier():
    stream = Stream()
    stream.frames(3, seg("NR", -5.0, 5.0))
    two = [proof_of(stream, mhz, cell_id, technology="NR") for mhz, cell_id in ((-1.2, 5), (1.2, 6))]
    assert find(stream, *two, technology="NR") == []
    assert [carrier.cell_id for carrier in carriers(stream)] == [5]


def test_synchronisation_signals_alone_keep_what_was_broadcast():
    stream = Stream()
    stream.frames(3, seg("LTE", -2.2, 2.2))
    find(stream, proof_of(stream, 0.0, bandwidth=5))
    find(stream, proof_of(stream, 0.0, evidence=SYNC))
    (carrier,) = carriers(stream)
    assert (carrier.evidence, carrier.channel_bandwidth) == ("broadcast", 5e6)


def test_a_cell_that_is_not_found_again_is_given_up_after_three_looks():
    stream = Stream()
    stream.frames(3, seg("NR", -2.0, 2.9))
    find(stream, proof_of(stream, 0.1, bandwidth=5))
    for verdict in ("proven", "proven", "likely"):
        stream.frames(5, seg("NR", -2.0, 2.9))
        find(stream)
        assert [carrier.verdict for carrier in carriers(stream)] == [verdict]
    stream.frames(60, seg("NR", -2.0, 2.9))
    (carrier,) = carriers(stream)
    assert (carrier.label, carrier.evidence, carrier.cell_id) == ("NR", "network", None)
    assert carrier.freq_upper == pytest.approx(2.9e6)


def test_looks_elsewhere_do_not_count():
    stream = Stream()
    stream.frames(3, seg("LTE", -2.2, 2.2))
    find(stream, proof_of(stream, 0.0, bandwidth=5))
    for _ in range(5):
        find(stream, searched=(1.0, 2.0))
        find(stream, technology="NR")
    assert [carrier.verdict for carrier in carriers(stream)] == ["proven"]


def test_one_look_is_enough_where_the_network_sees_nothing_either():
    stream = Stream()
    stream.frames(3, seg("LTE", -2.2, 2.2))
    find(stream, proof_of(stream, 0.0, bandwidth=5))
    assert stream.frames(20) == []
    find(stream)
    assert stream.frames(20) == [("gone", 1)]


def test_a_cell_that_nobody_looks_for_any_more_is_given_up_after_half_a_minute():
    stream = Stream()
    stream.frames(3, seg("LTE", -2.2, 2.2))
    find(stream, proof_of(stream, 0.0, bandwidth=5))
    stream.frames(700, seg("LTE", -2.2, 2.2))
    assert [carrier.verdict for carrier in carriers(stream)] == ["proven"]
    stream.frames(60, seg("LTE", -2.2, 2.2))
    assert [carrier.verdict for carrier in carriers(stream)] == ["likely"]


def test_an_nr_carrier_ends_where_an_lte_cell_beside_it_begins():
    stream = Stream()
    stream.frames(3, seg("NR", -5.0, 5.0))
    find(stream, proof_of(stream, 1.4, technology="NR"), technology="NR")
    assert find(stream, proof_of(stream, -3.0, bandwidth=3)) == [("new", 2)]
    stream.frames(20, seg("NR", -5.0, 5.0))
    lte, nr = carriers(stream)
    assert (lte.label, nr.label) == ("LTE", "NR")
    assert lte.freq_upper == pytest.approx(-1.65e6)
    assert nr.freq_lower == pytest.approx(-2.2e6) and nr.freq_upper == pytest.approx(5.0e6)


def test_before_the_first_frame_nothing_is_proven():
    stream = Stream()
    assert find(stream, proof_of(stream, 0.0, bandwidth=5)) == []


def slice_of(stream, mhz, centre, cell_id=300):
    """A cell found by reference signals around a frequency, of a carrier with another centre."""
    return dataclasses.replace(proof_of(stream, centre, cell_id, evidence=SYNC), slice_frequency=mhz * 1e6)


def test_a_slice_proves_a_carrier_whose_middle_is_out_of_view_and_leaves_its_edges():
    stream = Stream()
    stream.frames(3, seg("other", 3.0, 5.12))
    find(stream, slice_of(stream, 4.0, 9.0))
    (carrier,) = carriers(stream)
    assert (carrier.label, carrier.verdict, carrier.evidence, carrier.cell_id) == ("LTE", "proven", "sync", 300)
    assert (carrier.freq_lower, carrier.freq_upper) == (3.0e6, 5.12e6)


def test_a_slice_of_an_alias_proves_nothing_as_its_carrier_does_not_reach_towards_its_centre():
    stream = Stream()
    stream.frames(3, seg("other", 3.0, 5.12))
    find(stream, slice_of(stream, 4.0, -9.0))
    assert carriers(stream)[0].verdict == "likely"


def test_slices_of_one_cell_are_one_carrier():
    stream = Stream()
    stream.frames(3, seg("LTE", 4.6, 5.12), seg("other", 3.0, 5.12))
    find(stream, slice_of(stream, 4.06, 9.0))
    assert len(stream.tracker.searchable(with_candidates=True)) == 2
    find(stream, slice_of(stream, 4.86, 9.0))
    (carrier,) = stream.tracker.searchable(with_candidates=True)
    assert carrier.proof.cell.cell_id == 300


def test_a_slice_is_given_up_when_looks_there_do_not_find_its_cell():
    stream = Stream()
    stream.frames(3, seg("LTE", 3.0, 5.12))
    find(stream, slice_of(stream, 4.0, 9.0))
    for is_slice in (False, True):
        finding = Finding("LTE", ((3.9e6, 4.1e6),), 0, stream.offset, (), is_slice)
        for _ in range(3):
            stream.tracker.prove([finding])
        assert (carriers(stream)[0].verdict == "proven") is not is_slice


def look(stream, strength, lower=-2.3, upper=2.3, pwr=None, searched=5.2):
    """Give the tracker how strong a PSS was around the middle of a range in MHz, where its power is the carrier's, and
    that no cell is anywhere so many MHz around."""
    part = 10 * math.log10(0.93 / (upper - lower))
    middle = (lower + upper) / 2 * 1e6
    found = Middle(middle - 50e3, middle + 50e3, strength, -10.0 + part if pwr is None else pwr)
    band = middle - searched * 1e6, middle + searched * 1e6
    empty = Finding("LTE", (), 0, stream.offset, middles=(found,)), Finding("LTE", (), 0, stream.offset, band=band)
    stream.tracker.prove(empty)


def looks(stream, strengths, segment, **arguments):
    for strength in strengths:
        stream.frames(25, segment)
        look(stream, strength, **arguments)
    (carrier,) = carriers(stream)
    return carrier


@pytest.mark.parametrize("probability, most_looks", [(0.9, 1), (0.97, 2), (0.999, 3)])
def test_lte_in_which_looks_see_no_pss_is_other_until_one_does(probability, most_looks):
    stream, region = Stream(), seg("LTE", -2.3, 2.3, confidence=probability)
    if most_looks > 1:
        before = looks(stream, [1.4] * (most_looks - 1), region)
        assert (before.label, before.evidence) == ("LTE", "network")
        assert 0.5 < before.confidence < probability
    absent = looks(stream, [1.4], region)
    assert (absent.label, absent.verdict, absent.evidence) == ("other", "likely", "absence")
    left = probability * 0.05**most_looks
    assert absent.confidence == pytest.approx((1 - probability) / (left + 1 - probability))
    stream.frames(60, region)
    assert carriers(stream)[0].label == "other"
    seen = looks(stream, [40.0], region)
    assert (seen.label, seen.evidence) == ("LTE", "network")


def test_a_cut_lte_carrier_without_reference_signals_is_less_probable_each_time():
    stream = Stream()
    for number in range(1, 3):
        stream.frames(25, seg("LTE", -5.12, 2.3, confidence=0.97), seg("LTE", 3.0, 4.0, confidence=0.97))
        stream.tracker.prove([Finding("LTE", (), 0, stream.offset, is_slice=True, empty_slices=(-1.4e6, 3.5e6))] * 2)
        cut, whole = carriers(stream)
        assert cut.missed == pytest.approx(0.05**number) and whole.missed == 1.0
    assert (cut.label, cut.evidence, whole.label) == ("other", "absence", "LTE")


def search_for_blocks(stream, *spacings, band=(-5.0, 5.0)):
    """Give the tracker that no SS/PBCH block is at any frequency of a band in MHz."""
    for spacing in spacings:
        band_hz = band[0] * 1e6, band[1] * 1e6
        start = stream.offset - round(FRAME_S * RATE)
        stream.tracker.prove([Finding("NR", (), start, stream.offset, band=band_hz, spacing=spacing)])
    return carriers(stream)[0]


def test_nr_without_a_block_at_any_frequency_is_less_probable_each_time_and_then_other():
    stream = Stream()
    stream.frames(5, seg("NR", -4.0, 4.0, confidence=0.97))
    assert search_for_blocks(stream, 15e3).confidence == pytest.approx(0.97)
    search_for_blocks(stream, 30e3)
    once = search_for_blocks(stream, 15e3, 30e3)  # of the same samples: that is no second look
    assert (once.label, once.verdict, once.evidence) == ("NR", "likely", "network")
    assert once.confidence == pytest.approx(0.97 * 0.069 / (0.97 * 0.069 + 0.03))
    for _ in range(2):
        stream.frames(25, seg("NR", -4.0, 4.0, confidence=0.97))
        carrier = search_for_blocks(stream, 15e3, 30e3)
    assert (carrier.label, carrier.verdict, carrier.evidence) == ("other", "likely", "absence")
    find(stream, proof_of(stream, 0.0, technology="NR"), technology="NR")
    (carrier,) = carriers(stream)
    assert (carrier.label, carrier.verdict) == ("NR", "proven")


@pytest.mark.parametrize(
    ("segment", "band"),
    [
        (seg("NR", -5.12, 2.3), (-5.12, 5.0)),
        (seg("NR", -4.0, 4.0, snr_db=2.0), (-5.0, 5.0)),
        (seg("NR", -4.0, 4.0), (-3.0, 5.0)),
        (seg("other", -4.0, 4.0), (-5.0, 5.0)),
    ],
    ids=["cut", "weak", "searched in a part", "not called NR"],
)
def test_no_block_says_nothing_where_it_could_not_be_seen(segment, band):
    stream = Stream()
    stream.frames(5, segment)
    carrier = search_for_blocks(stream, *[15e3, 30e3] * 3, band=band)
    assert (carrier.evidence, carrier.missed) == ("network", 1.0)


def test_what_may_be_a_piece_of_an_nr_carrier_needs_no_block_of_its_own():
    stream = Stream()
    stream.frames(5, seg("NR", -4.9, -1.0), seg("NR", 1.0, 4.9))
    find(stream, proof_of(stream, -3.0, technology="NR"), technology="NR")
    for _ in range(3):
        search_for_blocks(stream, 15e3, 30e3)
    assert [(carrier.label, carrier.missed) for carrier in carriers(stream)] == [("NR", 1.0), ("NR", 1.0)]


def test_above_3_ghz_blocks_of_30_khz_alone_are_missed():
    stream = Stream(center=3500.0)
    stream.frames(5, seg("NR", 3496.0, 3504.0))
    assert search_for_blocks(stream, 30e3, band=(3495.0, 3505.0)).evidence == "absence"


def test_pieces_of_what_is_no_lte_do_not_begin_an_lte_carrier_there():
    stream, region = Stream(), seg("LTE", -2.3, 2.3)
    looks(stream, [1.4] * 3, region)
    stream.frames(1, seg("LTE", 0.9, 2.3))
    stream.frames(30, region)
    assert [(carrier.label, carrier.evidence) for carrier in carriers(stream)] == [("other", "absence")]
    assert [event.kind for event in stream.events].count("new") == 1


def test_looks_at_the_same_time_are_one():
    stream = Stream()
    stream.frames(3, seg("LTE", -2.3, 2.3, confidence=0.97))
    for _ in range(5):
        look(stream, 1.4)
    assert carriers(stream)[0].label == "LTE"


@pytest.mark.parametrize(
    ("segment", "arguments"),
    [
        (seg("LTE", -5.12, 2.3), {"lower": -5.12}),
        (seg("LTE", -2.3, 2.3), {"pwr": -40.0, "searched": 2.0}),
        (seg("LTE", 0.0, 4.6), {"searched": 2.0}),
    ],
    ids=["cut", "weak in the middle", "looked for elsewhere"],
)
def test_nothing_is_absent_where_it_could_not_be_seen(segment, arguments):
    assert looks(Stream(), [1.4] * 6, segment, **arguments).label == "LTE"


def test_the_middle_of_a_region_counts_once_all_of_it_was_searched():
    stream, region = Stream(), seg("LTE", -2.3, 2.3)
    assert looks(stream, [1.4] * 3, region, searched=2.0).label == "LTE"
    assert looks(stream, [1.4], region).label == "other"


def test_a_search_of_all_of_a_region_counts_where_its_middle_is_too_weak():
    """Of GSM carriers side by side the middle is between two."""
    assert looks(Stream(), [1.4], seg("LTE", -2.3, 2.3), pwr=-40.0).evidence == "absence"


@pytest.mark.parametrize(("snr_db", "missed"), [(-4.0, 1.0), (-3.0, 0.15), (2.9, 0.15), (3.0, 0.05)])
def test_a_search_of_all_of_a_weak_region_counts_less(snr_db, missed):
    stream = Stream()
    stream.frames(5, seg("LTE", -2.3, 2.3, snr_db=snr_db))
    stream.tracker.prove([Finding("LTE", (), 0, stream.offset, band=(-5e6, 5e6))])
    assert carriers(stream)[0].missed == missed


@pytest.mark.parametrize(
    ("label", "seconds", "missed"),
    [
        ("LTE", 1.0, 0.05),
        ("LTE", 0.018, 0.05),
        ("LTE", 0.006, 0.1),
        ("LTE", 0.003, 0.55),
        ("NR", 0.035, 0.05),
        ("NR", 0.025, 0.1),
        ("NR", 0.0105, 0.55),
        ("NR", 0.0004, 1.0),
    ],
)
def test_a_search_counts_by_how_probably_it_had_signals_in_view_while_the_carrier_was_on(label, seconds, missed):
    stream = Stream()
    stream.frames(5)
    before = stream.offset
    stream.frames(5, seg(label, -2.3, 2.3))
    if label == "NR":
        missed = 0.02 + 0.98 * missed  # it may send none
    for start, end, expected in ((0, before, 1.0), (before, stream.offset, missed)):
        for spacing in (15e3, 30e3):
            finding = Finding(label, (), start, end, band=(-5e6, 5e6), spacing=spacing, seconds=seconds)
            stream.tracker.prove([finding])
        assert carriers(stream)[0].missed == pytest.approx(expected)


def test_a_short_look_at_the_middle_or_a_slice_says_nothing():
    stream = Stream()
    stream.frames(5, seg("LTE", -2.3, 2.3), seg("LTE", 3.0, 5.12))
    stream.tracker.prove([Finding("LTE", (), 0, stream.offset, band=(-5e6, 5e6), seconds=0.017)])
    whole, _ = carriers(stream)
    middle = Middle(-0.1e6, 0.1e6, 1.4, -30.0)
    for seconds, missed in ((0.017, [0.1, 1.0]), (0.018, [0.05, 0.05])):
        finding = Finding(
            "LTE", (), 0, stream.offset, middles=(middle,), empty_slices=(4e6,), is_slice=True, seconds=seconds
        )
        stream.tracker.prove([finding])
        assert [carrier.missed for carrier in carriers(stream)] == pytest.approx(missed)


def test_of_an_uplink_nothing_is_claimed():
    stream = Stream(center=1747.5)
    region = seg("LTE", 1745.2, 1749.8)
    assert looks(stream, [1.4] * 6, region, lower=1745.2, upper=1749.8).label == "LTE"


def key_at(stream, place):
    """What names the one carrier around a place in MHz."""
    (key,) = (one.key for one in stream.tracker.searchable() if one.freq_lower < place * 1e6 < one.freq_upper)
    return key


def see_uplink(stream, place, edges=None, bandwidth=None, technology="LTE"):
    """Give the tracker that an uplink, whose edges in MHz are known or not, is in the carrier around a place in MHz."""
    seen = Uplink(key_at(stream, place), technology, 7, edges and (edges[0] * 1e6, edges[1] * 1e6), bandwidth)
    return stream._note(stream.tracker.prove([Finding("LTE", (), 0, stream.offset, uplink=seen)]))


def test_an_uplinks_reference_signals_prove_lte_whatever_the_network_and_searches_in_vain_say():
    stream = Stream()
    looks(stream, [1.4] * 3, seg("LTE", -2.3, 2.3))
    assert carriers(stream)[0].evidence == "absence"
    see_uplink(stream, 0.0)
    looks(stream, [1.4] * 3, seg("LTE", -2.3, 2.3))
    stream.frames(60, seg("NR", -2.3, 2.3))
    (carrier,) = carriers(stream)
    assert (carrier.label, carrier.verdict, carrier.evidence, carrier.confidence) == ("LTE", "proven", "uplink", 1.0)
    assert (carrier.cell_id, carrier.channel_bandwidth) == (None, None)
    (known,) = stream.tracker.searchable()
    assert known.is_uplink and known.proof is None
    find(stream, proof_of(stream, 0.0, bandwidth=5))
    (carrier,) = carriers(stream)
    assert (carrier.cell_id, carrier.evidence, carrier.is_uplink) == (301, "broadcast", False)


def test_bursts_of_terminals_over_an_uplink_are_its_own_and_make_its_edges():
    stream = Stream()
    stream.frames(4, seg("LTE", -2.2, 2.2), seg("other", 3.0, 4.0))
    see_uplink(stream, 2.0)
    for _ in range(20):
        stream.frames(1, seg("LTE", -2.2, -1.0), seg("NR", 0.5, 2.2), seg("other", 3.0, 4.0))
    lte, other = carriers(stream)
    assert (lte.label, other.label) == ("LTE", "other")
    assert lte.freq_lower == pytest.approx(-2.2e6, abs=COLUMN) and lte.freq_upper == pytest.approx(2.2e6, abs=COLUMN)


def test_terminals_within_the_edges_that_an_uplinks_pucch_says_are_one_carrier():
    stream = Stream()
    pieces = seg("NR", -2.2, -0.5), seg("other", 0.2, 0.5), seg("LTE", 1.0, 2.2), seg("other", 3.0, 4.0)
    stream.frames(4, *pieces)
    assert len(carriers(stream)) == 4
    see_uplink(stream, -1.0, (-2.25, 2.25), 5e6)
    see_uplink(stream, -1.0)  # what says no edges takes none away
    stream.frames(10, *pieces)
    lte, other = carriers(stream)
    assert (lte.label, lte.verdict, lte.channel_bandwidth, lte.cell_id) == ("LTE", "proven", 5e6, None)
    assert (lte.freq_lower, lte.freq_upper, lte.cut_lower, lte.cut_upper) == (-2.25e6, 2.25e6, False, False)
    assert (other.label, other.freq_lower) == ("other", pytest.approx(3e6, abs=COLUMN))


def test_terminals_of_nr_prove_an_nr_carrier():
    stream = Stream()
    stream.frames(4, seg("other", -2.2, -0.5), seg("LTE", 1.0, 2.2))
    see_uplink(stream, -1.0, (-2.25, 2.25), 5e6, technology="NR")
    stream.frames(10, seg("other", -2.2, -0.5), seg("LTE", 1.0, 2.2))
    (carrier,) = carriers(stream)
    assert (carrier.label, carrier.verdict, carrier.evidence, carrier.channel_bandwidth) == (
        "NR",
        "proven",
        "uplink",
        5e6,
    )
    assert (carrier.freq_lower, carrier.freq_upper, carrier.ssb_frequency) == (-2.25e6, 2.25e6, None)


def see_references(stream, place, cell_id=77, first_block=-4.0):
    """Give the tracker that the data of the carrier around a place in MHz has reference signals; returns events."""
    seen = References(key_at(stream, place), cell_id, first_block * 1e6, 15e3)
    return stream._note(stream.tracker.prove([Finding("NR", (), 0, stream.offset, references=seen)]))


def test_reference_signals_of_its_data_prove_nr_whatever_the_network_and_searches_in_vain_say():
    stream = Stream()
    looks(stream, [1.4] * 3, seg("LTE", -2.3, 2.3))
    assert carriers(stream)[0].evidence == "absence"
    see_references(stream, 0.0)
    looks(stream, [1.4] * 3, seg("LTE", -2.3, 2.3))
    stream.frames(60, seg("LTE", -2.3, 2.3))
    (carrier,) = carriers(stream)
    assert (carrier.label, carrier.verdict, carrier.evidence, carrier.confidence) == ("NR", "proven", "data", 1.0)
    assert (carrier.cell_id, carrier.is_uplink, carrier.proven_edges) == (None, False, None)
    find(stream, proof_of(stream, 0.0, technology="NR"), technology="NR")
    (carrier,) = carriers(stream)
    assert (carrier.cell_id, carrier.evidence, carrier.references) == (301, "broadcast", None)


def test_pieces_whose_data_counts_from_one_block_are_one_carrier_and_other_cells_are_not():
    stream = Stream()
    pieces = seg("NR", -4.0, -2.5), seg("other", -1.0, 0.2), seg("other", 1.0, 2.0), seg("NR", 3.0, 4.5)
    stream.frames(4, *pieces)
    see_references(stream, -3.0)
    see_references(stream, -0.5)
    assert len(carriers(stream)) == 3
    see_references(stream, 1.5, cell_id=78)
    see_references(stream, 4.0, first_block=1.0)
    stream.frames(10, *pieces)
    first, *others = carriers(stream)
    assert (first.label, first.verdict) == ("NR", "proven") and len(others) == 2
    assert first.freq_lower == pytest.approx(-4e6, abs=COLUMN) and first.freq_upper == pytest.approx(0.2e6, abs=COLUMN)
    assert {(one.label, one.evidence) for one in others} == {("NR", "data")}


@pytest.mark.parametrize("cell_first", [True, False])
@pytest.mark.parametrize(
    ("cell_id", "first_block", "spacing", "is_piece"),
    [(301, -5.6, 15e3, True), (302, -5.6, 15e3, False), (301, 2.4, 15e3, False), (301, -60.0, 15e3, False)],
    ids=["its own", "another cell's", "another carrier's above", "too far"],
)
def test_what_has_a_cells_data_is_a_piece_of_its_carrier(cell_first, cell_id, first_block, spacing, is_piece):
    stream = Stream()
    pieces = seg("NR", -5.0, 1.0), seg("other", 2.5, 4.5)
    stream.frames(4, *pieces)
    for is_cell in (cell_first, not cell_first):
        if is_cell:
            find(stream, proof_of(stream, -2.0, technology="NR"), technology="NR")
        else:
            see_references(stream, 3.0, cell_id=cell_id, first_block=first_block)
    stream.frames(10, *pieces)
    first, *others = carriers(stream)
    assert (first.evidence, len(others)) == ("broadcast", 0 if is_piece else 1)
    assert first.freq_upper == pytest.approx(4.5e6 if is_piece else 1.6e6, abs=1.1 * COLUMN)


def test_what_is_called_nr_over_data_of_nr_is_that_carrier():
    stream = Stream()
    both = seg("other", -2.0, 2.0), seg("NR", -2.0, 1.0)
    stream.frames(4, *both)
    (other,) = (one.key for one in stream.tracker.searchable() if one.label == "other")
    assert len(stream.tracker.searchable()) == 2
    stream.tracker.prove([Finding("NR", (), 0, stream.offset, references=References(other, 77, -4e6, 15e3))])
    assert len(stream.tracker.searchable()) == 1
    stream.frames(4, *both)
    assert [(one.label, one.evidence) for one in carriers(stream)] == [("NR", "data")]


def test_what_terminals_say_of_a_carrier_counts_more_than_its_data():
    stream = Stream()
    stream.frames(4, seg("other", -2.0, 2.0))
    see_references(stream, 0.0)
    see_uplink(stream, 0.0, (-2.25, 2.25), 5e6, technology="NR")
    see_references(stream, 0.0)
    (carrier,) = carriers(stream)
    assert (carrier.label, carrier.evidence, carrier.channel_bandwidth) == ("NR", "uplink", 5e6)


def test_a_neighbour_with_another_cells_data_is_not_joined_to_an_nr_carrier():
    stream = Stream()
    stream.frames(4, seg("NR", -5.0, 1.0), seg("NR", 2.5, 4.5))
    see_references(stream, 3.0, cell_id=78)
    find(stream, proof_of(stream, -2.0, technology="NR"), technology="NR")
    stream.frames(4, seg("NR", -5.0, 1.0), seg("NR", 2.5, 4.5))
    assert [carrier.evidence for carrier in carriers(stream)] == ["broadcast", "data"]


def test_a_carrier_that_takes_over_what_its_data_proves_is_that():
    stream = Stream()
    stream.frames(4, seg("other", -4.0, -1.0), seg("other", 1.0, 4.0))
    see_references(stream, 2.0)
    first, second = sorted((track.carrier for track in stream.tracker._live), key=lambda one: one.freq_lower)
    first.take_over(second)
    assert (first.label, first.verdict, first.evidence) == ("NR", "proven", "data")


def test_a_carrier_that_takes_over_an_uplink_is_one_but_a_cells_carrier_stays_that():
    for has_cell in (False, True):
        stream = Stream()
        stream.frames(4, seg("NR", -4.0, -1.0), seg("LTE", 1.0, 4.0))
        see_uplink(stream, 2.0)
        if has_cell:
            find(stream, proof_of(stream, -2.5, technology="NR"), technology="NR")
        first, second = sorted((track.carrier for track in stream.tracker._live), key=lambda one: one.freq_lower)
        first.take_over(second)
        assert (first.label, first.is_uplink, first.verdict) == ("NR" if has_cell else "LTE", not has_cell, "proven")


def test_where_no_band_is_defined_an_uplink_is_lte_all_the_same():
    stream = Stream(center=2462.0)
    stream.frames(5, seg("LTE", 2460.0, 2464.0))
    assert carriers(stream)[0].evidence == "no_band"
    see_uplink(stream, 2462.0)
    assert (carriers(stream)[0].label, carriers(stream)[0].verdict) == ("LTE", "proven")


def test_a_proven_cell_is_never_absent():
    stream, region = Stream(), seg("LTE", -2.3, 2.3)
    looks(stream, [1.4] * 3, region)
    find(stream, proof_of(stream, 0.0, bandwidth=5))
    carrier = looks(stream, [1.4] * 3, region)
    assert (carrier.label, carrier.verdict) == ("LTE", "proven")


def settled_columns(tracks, classes=(LTE, NR, OTHER)):
    """What is left of each of some classes in the columns of a mask."""
    geometry = FrameGeometry(RATE, 0.0, 0, round(FRAME_S * RATE), 256)
    middles = np.array([geometry.frequency(column + 0.5) for column in range(256)])
    masks = [np.full((4, 256), class_id, np.uint8) for class_id in classes]
    settled = [settled_mask(mask, geometry, tracks) for mask in masks]
    assert all((mask == class_id).all() for mask, class_id in zip(masks, classes))
    return [mask[0] for mask in settled], middles


def test_lte_and_nr_in_a_masks_proven_band_are_what_the_cell_is():
    stream = Stream()
    stream.frames(3, seg("NR", -4.0, -1.0), seg("other", 1.0, 4.0))
    find(stream, proof_of(stream, -2.5, bandwidth=3))
    (lte, nr, other), middles = settled_columns(stream.tracker._live)
    carrier, _ = carriers(stream)
    is_inside = (carrier.freq_lower <= middles) & (middles <= carrier.freq_upper)
    assert is_inside.sum() > 40
    assert (lte == LTE).all() and (nr == np.where(is_inside, LTE, NR)).all() and (other == OTHER).all()


def test_in_a_mask_a_surer_carrier_comes_first_and_where_both_are_as_sure_it_stays_as_it_was():
    def track(class_id, lower, upper, verdict="proven", is_qualified=True):
        values = {"class_id": class_id, "freq_lower": lower, "freq_upper": upper, "verdict": verdict}
        return SimpleNamespace(carrier=SimpleNamespace(**values, is_qualified=is_qualified))

    def found(*tracks):
        (lte, nr), middles = settled_columns(tracks, (LTE, NR))
        at = [np.argmin(abs(middles - place)) for place in (-2e6, 0.5e6, 2e6)]
        return [(lte[column], nr[column]) for column in at]

    stays = LTE, NR
    assert found(track(LTE, -4e6, 1e6), track(NR, 0.0, 4e6)) == [(LTE, LTE), stays, (NR, NR)]
    assert found(track(LTE, -4e6, 1e6), track(NR, 0.0, 4e6, "likely")) == [(LTE, LTE), (LTE, LTE), (NR, NR)]
    assert found(track(LTE, -4e6, 1e6, "unsure"), track(OTHER, 0.0, 4e6, "likely")) == [stays] * 3
    assert found(track(LTE, -4e6, 4e6, is_qualified=False)) == [stays] * 3


def test_after_a_cell_was_lost_a_search_counts_as_before_any_look():
    stream, region = Stream(), seg("LTE", -2.3, 2.3)
    looks(stream, [40.0], region)
    find(stream, proof_of(stream, 0.0, bandwidth=5))
    for _ in range(4):
        stream.frames(25, region)
        find(stream, searched=(-1.0, 1.0))
    assert carriers(stream)[0].verdict == "likely"
    stream.tracker.prove([Finding("LTE", (), 0, stream.offset, band=(-5e6, 5e6))])
    assert carriers(stream)[0].missed == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("mhz", "said", "label", "evidence", "band"),
    [
        (2462.0, "LTE", "other", "no_band", None),
        (2462.0, "NR", "other", "no_band", None),
        (2462.0, "other", "other", "network", None),
        (1815.0, "LTE", "LTE", "network", "3"),
        (1815.0, "NR", "NR", "network", "n3"),
        (1815.0, "other", "other", "network", None),
        (0.0, "LTE", "LTE", "network", None),
    ],
)
def test_lte_and_nr_where_no_band_is_defined_are_other_until_a_cell_proves_them(mhz, said, label, evidence, band):
    stream = Stream(center=mhz)
    stream.frames(3, seg(said, mhz - 2.0, mhz + 2.0))
    (carrier,) = carriers(stream)
    assert (carrier.label, carrier.evidence, carrier.verdict) == (label, evidence, "likely")
    assert CLASS_NAMES[carrier.class_id] == label and carrier.band == band
    assert [known.label for known in stream.tracker.searchable()] == [said]
    find(stream, proof_of(stream, mhz, bandwidth=5), searched=(mhz - 1, mhz + 1))
    (carrier,) = carriers(stream)
    assert (carrier.label, carrier.evidence, carrier.verdict) == ("LTE", "broadcast", "proven")


@pytest.mark.parametrize("label", ["LTE", "NR"])
def test_where_no_band_is_defined_a_search_in_vain_makes_other_no_less_sure(label):
    stream = Stream(center=2462.0)
    stream.frames(5, seg(label, 2458.0, 2466.0, confidence=0.9))
    for _ in range(2):
        finding = Finding(label, (), 0, stream.offset, band=(2457e6, 2467e6), spacing=15e3, seconds=0.006)
        stream.tracker.prove([finding])
        (carrier,) = carriers(stream)
        assert (carrier.label, carrier.evidence, carrier.confidence) == ("other", "no_band", pytest.approx(0.9))


def test_where_no_band_is_defined_a_carrier_stays_one_over_many_frames():
    stream = Stream(center=2462.0)
    stream.frames(40, seg("NR", 2453.0, 2471.0))
    (carrier,) = carriers(stream)
    assert (carrier.carrier_id, carrier.label, carrier.segments) == (1, "other", 40)
    for _ in range(3):
        find(stream, searched=(2450.0, 2474.0))
    assert carriers(stream)[0].label == "other"


def test_ofdm_with_ltes_numerology_is_found_to_be_no_lte():
    stream, region = Stream(), seg("LTE", -2.25, 2.25)
    for second in range(3):
        stream.frames(25, region)
        link = private_ofdm(0.05, np.random.default_rng(second), n_subcarriers=300)
        search = Hypothesis("LTE", (0.0,), 25e3, 15e3, 1, False, 0.0)
        # As strong as the segments.
        frames = Look([link.samples * np.float32(10**-0.5)], 0, link.sample_rate, 0.0)
        anywhere = dataclasses.replace(search, frequencies=(), band=(-3e6, 3e6))
        stream.tracker.prove(list(Looker(frames).findings([search, anywhere])))
    (carrier,) = carriers(stream)
    assert (carrier.label, carrier.evidence) == ("other", "absence")


def join(stream, piece, host):
    """Give the tracker that two of its carriers have their symbols in common; returns events as (kind, id)."""
    by_id = {carrier.carrier_id: carrier for carrier in stream.tracker.carriers}
    found = Piece(by_id[piece], by_id[host], 0.0, 1e6, 2e6, 3e6, 0.0, 30e3, 500)
    return stream._note(stream.tracker.prove([Finding("NR", (), 0, stream.offset, piece=found)]))


@pytest.mark.parametrize("band", [(-9.6e6, 9.6e6), (-5e6, 4.3e6), (-15.36e6, 15.36e6)])
def test_a_block_beside_every_raster_is_found_in_a_carriers_band_where_and_when_it_is(band):
    samples, block = nr_scene()
    samples = samples * np.exp(2j * np.pi * 171e3 * np.arange(len(samples)) / 30.72e6).astype(np.complex64)
    search = Hypothesis("NR", (), 0.0, 30e3, 2, False, 0.05, band=band)
    (finding,) = Looker(Look([samples, samples], 7, 30.72e6, 0.0)).findings([search])
    (proof,) = finding.proofs
    at_place = Looker(Look([samples, samples], 7, 30.72e6, 0.0)).findings(
        [Hypothesis("NR", (block + 171e3,), 0.0, 30e3, 2, False, 0.05)]
    )
    (known,) = next(iter(at_place)).proofs
    assert (proof.cell.cell_id, proof.cell.evidence) == (500, BROADCAST)
    assert proof.frequency == pytest.approx(known.frequency, abs=30)
    assert proof.cell.start_s == pytest.approx(known.cell.start_s, abs=0.3e-6)


def test_an_nr_cell_without_traffic_reaches_as_far_as_its_coreset_zero():
    cell = NrDownlink(20e6, 30e3, 500, style="ssb_only", coreset_zero=11, sib1=True)
    grid = cell.grid(40, np.random.default_rng(4))
    samples = modulate(grid, 30.72e6).astype(np.complex64)
    block = (cell.ssb_offset + 120 - grid.symbols.shape[1] / 2) * 30e3
    search = Hypothesis("NR", (block,), 0.0, 30e3, 1, False, 0.05)
    (finding,) = Looker(Look([samples], 0, 30.72e6, 0.0)).findings([search])
    (proof,) = finding.proofs
    # With SIB1 the carrier's edges are known, and its width.
    half = 51 * 12 * 30e3 / 2
    assert proof.edges == proof.least_edges == pytest.approx((-half, half), abs=200)
    assert proof.cell.channel_bandwidth == 20e6 and proof.cell.sib1.nci == 500
    search = dataclasses.replace(search, reads_sib1=False)
    (finding,) = Looker(Look([samples], 0, 30.72e6, 0.0)).findings([search])
    (proof,) = finding.proofs
    assert proof.edges is None
    first, width, _ = cell.coreset_zero_blocks
    lower = (first * 12 - grid.symbols.shape[1] / 2) * 30e3
    assert proof.least_edges == pytest.approx((lower, lower + width * 12 * 30e3), abs=200)
    assert proof.least_edges[1] - proof.least_edges[0] > 17e6
    # Without SIB1 there is none, and with SIB1 of another spacing its tables are others.
    for changed in ({"ssb-SubcarrierOffset": 30}, {"subCarrierSpacingCommon": "scs15or60"}):
        other = dataclasses.replace(proof, cell=dataclasses.replace(proof.cell, mib={**proof.cell.mib, **changed}))
        assert other.least_edges[1] - other.least_edges[0] == pytest.approx(7.2e6)


def with_sib1(proof, offset_mhz=8.0, blocks=51):
    """The proof of an NR cell whose carrier of some resource blocks begins so far below its block's middle."""
    point_a = round((offset_mhz * 1e6 - 3.6e6) / 180e3)
    sib1 = Sib1(("00101", "26201"), 5, 4711, (78,), point_a, (Carrier(0, 30e3, blocks),), True)
    mib = {"ssb-SubcarrierOffset": 0, "controlResourceSetZero": 0, "subCarrierSpacingCommon": "scs30or120"}
    return dataclasses.replace(proof, cell=dataclasses.replace(proof.cell, mib=mib, sib1=sib1, channel_bandwidth=20e6))


def test_an_nr_carrier_has_the_edges_and_the_networks_that_its_sib1_says_and_keeps_them():
    """Pieces of an idle carrier within them are one; a later look without SIB1 takes nothing back."""
    stream, regions = Stream(), (seg("NR", -9.0, -1.0), seg("LTE", 3.0, 7.0))
    stream.frames(3, *regions)
    proof = proof_of(stream, -2.0, 500, technology="NR")
    assert find(stream, with_sib1(proof), technology="NR") == [("gone", 2)]
    mib = with_sib1(proof).cell.mib
    find(stream, dataclasses.replace(proof, cell=dataclasses.replace(proof.cell, mib=mib)), technology="NR")
    find(stream, proof_of(stream, -2.0, 500, technology="NR", evidence=SYNC), technology="NR")
    assert set(stream.frames(20, *regions)) == {("update", 1)}
    (carrier,) = carriers(stream)
    lower = -2.0e6 - 3.6e6 - 24 * 180e3
    assert (carrier.freq_lower, carrier.freq_upper) == (lower, lower + 51 * 360e3)
    assert not carrier.cut_lower and not carrier.cut_upper
    assert (carrier.plmn, carrier.tac, carrier.nci) == ("00101, 26201", 5, 4711)
    assert carrier.channel_bandwidth == 20e6


def test_a_neighbour_that_keeps_the_same_time_is_no_piece_of_a_carrier_whose_edges_sib1_says():
    stream, regions = Stream(), (seg("NR", -9.0, 0.0), seg("NR", 4.0, 9.0))
    stream.frames(3, *regions)
    find(stream, with_sib1(proof_of(stream, -5.0, 500, technology="NR"), blocks=38), technology="NR")
    assert join(stream, 2, 1) == [] and len(carriers(stream)) == 2


def test_a_sib1_whose_carrier_does_not_hold_the_block_says_no_edges():
    stream = Stream()
    stream.frames(3, seg("NR", -9.0, -1.0))
    assert with_sib1(proof_of(stream, -2.0, 500, technology="NR"), blocks=20).edges is None


def nr_in_pieces():
    stream, regions = Stream(), (seg("NR", -9.0, -1.0), seg("other", 3.0, 7.0))
    stream.frames(3, *regions)
    find(stream, proof_of(stream, -5.0, 500, technology="NR"), technology="NR")
    return stream, regions


def test_pieces_with_the_symbols_of_an_nr_cells_carrier_are_one_carrier_for_as_long_as_the_cell_is_there():
    stream, regions = nr_in_pieces()
    assert len(carriers(stream)) == 2
    assert join(stream, 2, 1) == [("gone", 2)]
    # The gap stays for longer than what makes two carriers of one, and what was called `other` is seen again.
    assert set(stream.frames(60, *regions)) == {("update", 1)}
    (carrier,) = [one for one in carriers(stream) if one.carrier_id == 1]
    assert (carrier.freq_lower, carrier.freq_upper, carrier.label) == (-9.0e6, 7.0e6, "NR")
    for _ in range(3):
        find(stream, technology="NR", searched=(-5.1, -4.9))
    assert carrier.reach is None and carrier.proof is None


def test_a_piece_with_a_cell_of_its_own_stays_a_carrier():
    stream, _ = nr_in_pieces()
    find(stream, proof_of(stream, 5.0, 501, technology="NR"), technology="NR")
    assert join(stream, 2, 1) == [] and len(carriers(stream)) == 2
    assert join(stream, 1, 2) == []


def nr_scene(late=0):
    """40 ms of an NR cell with traffic in its lower and upper part, the upper one `late` samples later."""
    cell = NrDownlink(20e6, 30e3, 500, style="scheduled", schedule=((0, 1, 3), 4, ((0, 12), (38, 12))))
    grid = cell.grid(40, np.random.default_rng(4))
    samples = modulate(grid, 30.72e6).astype(np.complex64)
    spectra = np.fft.fft(samples)
    is_above = np.fft.fftfreq(len(samples), 1 / 30.72e6) > 4e6
    spectra[is_above] *= np.exp(-2j * np.pi * np.arange(len(samples)) * late / len(samples))[is_above]
    samples = np.fft.ifft(spectra).astype(np.complex64)
    noise = np.random.default_rng(5).standard_normal((len(samples), 2)).astype(np.float32).view(np.complex64)[:, 0]
    block = (cell.ssb_offset + 120 - grid.symbols.shape[1] / 2) * 30e3
    return samples + np.float32(0.03 * np.abs(samples).std()) * noise, block


@pytest.mark.parametrize("late, is_shared", [(0, True), (300, False)])
def test_a_look_tells_pieces_of_a_carrier_from_those_of_another(late, is_shared):
    samples, block = nr_scene(late)
    piece = Piece("piece", "host", 5e6, 8.5e6, -8.5e6, -5.5e6, block, 30e3, 500)
    search = Hypothesis("NR", (), 0.0, 30e3, 1, False, 0.05, piece=piece)
    # A short rest after the frame is not what is looked at.
    (finding,) = Looker(Look([samples, samples[:30_000]], 0, 30.72e6, 0.0)).findings([search])
    assert (finding.piece is piece) == is_shared and finding.proofs == ()


def test_a_rest_too_narrow_for_guard_bands_and_a_carrier_is_a_spill_of_the_mask():
    stream = Stream()
    stream.frames(3, seg("LTE", -4.6, 1.2))
    find(stream, proof_of(stream, -2.4, bandwidth=5))  # up to -0.15 MHz; its guard band ends at 0.1 MHz
    stream.frames(20, seg("LTE", -4.6, 1.2))
    (carrier,) = carriers(stream)
    assert carrier.freq_upper == pytest.approx(-0.15e6)
