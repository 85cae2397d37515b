# SPDX-License-Identifier: GPL-3.0-or-later
"""The search plan: what comes first, where, at which cost, and that the same stream gives the same searches."""

import dataclasses

import pytest

from rpmsn.cells.cell import BROADCAST, SYNC, Cell
from rpmsn.cells.channels import channel_of
from rpmsn.cells.finding import Proof, References
from rpmsn.cells.plan import DEEP_FRAMES, Budget, KnownCarrier, SearchPlan, View
from rpmsn.standards.nr_sib1 import Carrier, Sib1

RATE, CENTER, FRAME_S = 30.72e6, 1840e6, 0.04
PLENTY = 100.0


def plan_of(fraction=PLENTY, most_s=PLENTY, span_s=0.0):
    return SearchPlan(Budget(fraction, most_s), span_s)


def view(now_s, *carriers, center=CENTER, rate=RATE):
    return View(now_s, rate, center, rate / 256, 8, FRAME_S, carriers)


def carrier(key, label="LTE", lower=1837.7, upper=1846.7, **further):
    return KnownCarrier(key, label, lower * 1e6, upper * 1e6, **further)


def proven(key, mhz=1842.2, technology="LTE", **further):
    cell = Cell(technology, 7, BROADCAST, mhz * 1e6 - CENTER, channel_bandwidth=10e6, subcarrier_spacing=15e3)
    proof = Proof(cell, mhz * 1e6, 0, 1, RATE, channel_of(cell, CENTER))
    return carrier(key, proof=proof, **further)


def of_carriers(plan, seen):
    """The searches of a view that are neither of the rest of the span nor for reference signals of NR data."""
    plan._span_budget.left_s = -PLENTY
    return [search for search in plan.next(seen) if search.references is None]


def test_an_lte_carrier_is_first_screened_and_then_searched_at_its_middle():
    plan = plan_of()
    (screen, *_), (search, *_) = (of_carriers(plan, view(0.1, carrier("a"))) for _ in range(2))
    assert (screen.technology, screen.frequencies, screen.frames) == ("LTE", (), 1)
    assert sum(screen.band) / 2 == 1842.2e6 and 1e6 < screen.band[1] - screen.band[0] < 1.3e6
    assert (search.technology, search.frequencies, search.frames) == ("LTE", (1842.2e6,), 1)
    assert 50e3 < search.tolerance < 135e3 and screen.cost_s < search.cost_s


def test_an_nr_carrier_is_searched_at_the_places_of_the_raster_in_it():
    seen = view(0.1, carrier("a", "NR", 3400.0, 3410.0), center=3410e6)
    (search,) = of_carriers(plan_of(), seen)
    assert (search.technology, search.spacing) == ("NR", 30e3)
    assert 3401.76e6 in search.frequencies and all(3399e6 < place < 3411e6 for place in search.frequencies)


def test_below_3_ghz_both_spacings_are_searched():
    plan = plan_of()
    searches = [search for _ in range(9) for search in of_carriers(plan, view(0.1, carrier("a", "NR", 1830.0, 1850.0)))]
    assert {search.spacing for search in searches} == {15e3, 30e3}


def test_without_a_centre_frequency_nr_is_searched_anywhere():
    searches = of_carriers(plan_of(), view(0.1, carrier("a", "NR", -3.0, 3.0), center=0.0))
    assert [(search.spacing, search.frequencies) for search in searches] == [(15e3, ())]
    lower, upper = searches[0].band
    assert -5.1e6 < lower < -4.8e6 and 4.8e6 < upper < 5.1e6, "a block's middle may be at its edge"


def test_carriers_that_fill_most_of_the_span_are_searched_at_any_frequency_together():
    three = [carrier(str(n), "NR", 1825.0 + 10 * n, 1834.6 + 10 * n) for n in range(3)]
    plan = plan_of()
    bands_of = [{search.band for _ in range(9) for search in of_carriers(plan_of(), view(0.1, one))} for one in three]
    assert all(upper - lower < RATE / 2 for found in bands_of for lower, upper in filter(None, found))
    together = [search for _ in range(20) for search in of_carriers(plan, view(0.1, *three)) if search.band is not None]
    spans = [search for search in together if search.band == (CENTER - RATE / 2, CENTER + RATE / 2)]
    kinds = [(search.technology, search.spacing) for search in spans]
    assert sorted(kinds) == [("LTE", 15e3), ("NR", 15e3), ("NR", 30e3)], "each once in the same frames"
    assert all(search.technology == "LTE" for search in together if search not in spans)


def test_all_of_the_span_is_searched_after_what_may_prove_some_of_its_carriers():
    """Where LTE's middle proves two of three carriers, NR is searched in the third alone."""
    lte, nr = (
        [carrier(str(n), "LTE", 1825.0 + 10 * n, 1834.6 + 10 * n) for n in range(2)],
        carrier("nr", "NR", 1845, 1854),
    )
    plan = plan_of()
    first = of_carriers(plan, view(0.1, *lte, nr))
    assert [search.technology for search in first] == ["LTE", "LTE"]
    middles = [(one.freq_lower + one.freq_upper) / 2e6 for one in lte]
    known = [proven(one.key, middle, lower=1825.0, upper=1844.6) for one, middle in zip(lte, middles)]
    (search,) = of_carriers(plan, view(0.1, *known, nr))
    assert search.technology == "NR" and search.band[1] - search.band[0] < RATE * 0.7


def test_every_carrier_is_tried_as_the_other_technology_and_over_several_frames_later():
    plan, tried = plan_of(), []
    for number in range(1, 40):
        for search in of_carriers(plan, view(number * FRAME_S, carrier("a"))):
            tried.append((search.technology, search.frames, search.is_slice, search.band is not None))
    kinds = list(dict.fromkeys(tried))
    assert kinds[:4] == [
        ("LTE", 1, False, True),
        ("LTE", 1, False, False),
        ("NR", 1, False, True),
        ("NR", 1, False, False),
    ]
    assert set(kinds[4:]) == {("LTE", DEEP_FRAMES, False, False), ("LTE", 2, True, False)}


@pytest.mark.parametrize(
    "label, snr_db, is_longer", [("other", 5.0, True), ("other", 20.0, False), ("LTE", 20.0, True)]
)
def test_what_is_clear_and_not_called_lte_is_not_searched_longer_for_it(label, snr_db, is_longer):
    plan, seen = plan_of(), [carrier("a", label, snr_db=snr_db)]
    searches = [search for n in range(1, 40) for search in of_carriers(plan, view(n * FRAME_S, *seen))]
    assert any(search.technology == "LTE" and search.frames == DEEP_FRAMES for search in searches) == is_longer
    assert any(search.technology == "LTE" and search.band is not None for search in searches)


def test_the_newest_carrier_comes_first_and_the_rest_waits_where_the_budget_is_small():
    plan = plan_of(0.1, 0.1)
    old, new = carrier("old", since_s=0.0), carrier("new", lower=1827.0, upper=1831.5, since_s=5.0)
    searches = of_carriers(plan, view(6.0, old, new))
    assert [sum(search.band) / 2 for search in searches] == [1829.25e6]
    assert plan.waiting == 1


def test_what_searches_longer_waits_until_a_wide_carrier_was_searched_for_both_technologies():
    narrow = [carrier(n, "other", 1826.0 + 1.5 * n, 1827.2 + 1.5 * n) for n in range(4)]
    seen, plan = view(0.1, carrier("wide", "other", 1835.0, 1853.0), *narrow), plan_of()
    order = [search for _ in range(12) for search in of_carriers(plan, seen)]
    first_deep = next(index for index, search in enumerate(order) if search.frames > 1 and not search.is_slice)
    nr = [index for index, search in enumerate(order) if search.technology == "NR" and search.spacing == 30e3]
    assert nr and nr[0] < first_deep


def test_searches_go_on_until_every_carrier_had_its_longer_ones():
    narrow = [carrier(n, "other", 1826.0 + 1.5 * n, 1827.2 + 1.5 * n) for n in range(4)]
    twins = [carrier(name, "NR", 1835.0, 1853.0) for name in ("one", "other")]
    seen, plan, made = dataclasses.replace(view(0.1, *twins, *narrow), is_last=True), plan_of(), []
    while searches := of_carriers(plan, seen):
        made += searches
    deep = [search for search in made if search.frames > 1 and not search.is_slice]
    for one in narrow:
        assert any(one.freq_lower < place < one.freq_upper for search in deep for place in search.frequencies)


def test_an_edge_beyond_the_span_makes_a_place_for_every_bandwidth():
    seen = view(0.1, carrier("a", lower=1848.0, upper=1855.36, cut_upper=True))
    (search,) = of_carriers(plan_of(), seen)
    assert search.frequencies == (1852.5e6, 1854.75e6)  # 9 and 13.5 MHz; that of 18 MHz is centred beyond the span
    seen = view(0.1, carrier("a", lower=1838.0, upper=1855.36, cut_upper=True))
    (search,) = of_carriers(plan_of(), seen)
    assert search.frequencies == (1847e6,)


def test_a_cell_is_looked_for_again_every_four_seconds_at_its_own_frequency():
    plan, times = plan_of(), []
    for number in range(1, 251):
        searches = of_carriers(plan, view(number * FRAME_S, proven("a")))
        times += [number * FRAME_S for search in searches if search.is_renewal]
        assert all(search.frequencies == (1842.2e6,) and search.tolerance <= 5e3 for search in searches)
    assert times == pytest.approx([4.04, 8.04], abs=FRAME_S)


def test_a_doubtful_cell_is_looked_for_at_once_over_several_frames():
    plan = plan_of()
    of_carriers(plan, view(0.1, proven("a")))
    (search,) = of_carriers(plan, view(0.7, proven("a", is_doubtful=True)))
    assert search.is_renewal and search.frames == DEEP_FRAMES


def test_sib1_is_read_until_it_is_known():
    """A look again costs more as long as it reads it, and only where the cell's MIB says that it is sent."""
    mib = {"ssb-SubcarrierOffset": 0, "controlResourceSetZero": 0, "subCarrierSpacingCommon": "scs30or120"}
    known = Sib1(("00101",), 1, 1)
    reads, costs = [], []
    for changed in ({}, {"mib": mib}, {"mib": mib, "sib1": known}):
        host = proven("a", technology="NR", is_doubtful=True)
        host = dataclasses.replace(
            host, proof=dataclasses.replace(host.proof, cell=dataclasses.replace(host.proof.cell, **changed))
        )
        plan = plan_of()
        of_carriers(plan, view(0.1, host))
        (search,) = of_carriers(plan, view(0.7, host))
        reads.append(search.reads_sib1)
        costs.append(search.cost_s)
    assert reads == [False, True, False] and costs[1] > costs[0] == costs[2]


def test_a_carrier_without_a_cell_is_tried_again_ever_less_often():
    plan, times = plan_of(), []
    for number in range(1, 1501):
        if of_carriers(plan, view(number * FRAME_S, carrier("a", "NR", 1838.0, 1840.0))):
            times.append(number * FRAME_S)
    late = [time for time in times if time > 1.0]
    assert late[0] == pytest.approx(10.1, abs=0.2) and late[1] == pytest.approx(30.1, abs=0.2)


def test_a_known_frequency_error_moves_the_places_of_the_raster():
    plan = plan_of()
    of_carriers(plan, view(0.1, proven("a", 1842.21)))
    assert plan.ppm == pytest.approx(5.43, abs=0.01)
    seen = view(0.2, proven("a", 1842.21), carrier("b", "NR", 1826.0, 1834.0))
    searches = [search for _ in range(9) for search in of_carriers(plan, seen) if search.technology == "NR"]
    places = [place for search in searches for place in search.frequencies]
    assert 1827.65e6 * (1 + 1e-6 * plan.ppm) in places


def test_a_receiver_whose_frequencies_are_corrected_has_its_error_seen_anew():
    plan = plan_of()
    of_carriers(plan, view(0.1, proven("a", 1842.21)))
    plan.forget_receiver()
    of_carriers(plan, view(0.2, carrier("b", "NR", 1826.0, 1834.0)))
    assert plan.ppm is None
    of_carriers(plan, view(0.3, proven("c", 1842.2)))
    assert plan.ppm == pytest.approx(0.0, abs=0.01)


def test_all_of_the_span_is_searched_in_turn_for_what_no_carrier_shows():
    plan, reached = plan_of(), []
    plan._span_budget.left_s = PLENTY
    for number in range(1, 100):
        reached += [search for search in plan.next(view(number * FRAME_S, proven("a"))) if not search.is_renewal]
    span = (CENTER - RATE / 2, CENTER + RATE / 2)
    assert [search.frequencies for search in reached[:1]] == [(CENTER,)]
    assert [(search.technology, search.spacing, search.band) for search in reached[1:4]] == [
        ("LTE", 15e3, span), ("NR", 15e3, span), ("NR", 30e3, span)
    ]  # fmt: skip
    assert reached[4:8] == reached[:4]


@pytest.mark.parametrize("now_s, already, expected", [(0.5, 0, 4), (0.5, 1, 4), (1.5, 0, 4), (1.5, 1, 3), (1.5, 4, 0)])
def test_what_is_left_at_the_end_is_for_searches_of_the_span_that_had_no_turn(now_s, already, expected):
    """Of a short stream for all. A cell of NR alone, whose block is on for a hundredth of the time, has no carrier."""
    plan = SearchPlan(Budget(0.0, PLENTY), PLENTY)
    for _ in range(already):
        assert plan.next(view(1.2))
    plan._span_budget.left_s = 0.0
    found = [search for _ in range(9) for search in plan.next(dataclasses.replace(view(now_s), is_last=True))]
    kinds = {(search.technology, search.spacing, search.band is None) for search in found}
    assert len(found) == len(kinds) == expected
    plan.budget.left_s = 0.0
    assert not plan.next(dataclasses.replace(view(now_s + 0.1), is_last=True)), "where nothing is left"


def test_at_the_end_of_a_short_stream_its_centre_is_searched_before_anything_else():
    seen = dataclasses.replace(view(0.04, carrier("a")), is_last=True)
    first, *_ = plan_of(span_s=0.35).next(seen)
    assert (first.technology, first.frequencies) == ("LTE", (CENTER,))


def test_searches_cost_no_more_than_the_budget_earns():
    plan = plan_of(0.1, 1.0, 0.35)
    carriers = [carrier(key, label, 1825.0 + 5 * key, 1829.5 + 5 * key) for key, label in enumerate(("LTE", "NR") * 3)]
    costs = [search.cost_s for number in range(1, 1501) for search in plan.next(view(number * FRAME_S, *carriers))]
    assert sum(costs) < 0.1 * 60 + 1.0 + max(costs)


def test_the_same_stream_gives_the_same_searches():
    def searches():
        plan = plan_of(0.5, 2.0, 0.35)
        seen = [carrier("a"), carrier("b", "NR", 1826.0, 1834.0), proven("c", 1850.0)]
        return [plan.next(view(number * FRAME_S, *seen)) for number in range(1, 200)]

    assert searches() == searches()


@pytest.mark.parametrize("rate", [1e6, 1.92e6])
def test_what_the_rate_does_not_show_is_not_searched(rate):
    plan = plan_of(span_s=PLENTY)
    seen = [carrier("a", "NR", 1839.7, 1840.3), carrier("b", "other", 1839.6, 1839.7)]
    searches = [search for number in range(1, 50) for search in plan.next(view(number * FRAME_S, *seen, rate=rate))]
    others = {search.technology for search in searches if search.references is None}
    assert others == ({"LTE"} if rate > 1.4e6 else set())


def test_a_carrier_that_is_gone_leaves_nothing_behind():
    plan = plan_of()
    of_carriers(plan, view(0.1, carrier("a"), proven("b")))
    of_carriers(plan, view(0.2))
    assert not plan._states and not plan._renewed_s


def test_a_carrier_that_is_cut_is_searched_in_a_slice_of_what_is_in_view():
    seen = view(0.1, carrier("a", "other", 1854.0, 1856.0, cut_upper=True))
    plan = plan_of()
    searches = [search for _ in range(12) for search in of_carriers(plan, seen)]
    slices = [search for search in searches if search.is_slice]
    assert slices[0].frequencies == (pytest.approx((1854.0e6 + 1855.36e6) / 2),)


def test_a_carrier_in_which_the_middle_was_searched_in_vain_is_searched_in_a_slice():
    plan = plan_of()
    searches = [search for _ in range(20) for search in of_carriers(plan, view(0.1, carrier("a")))]
    kinds = [(search.technology, search.is_slice) for search in searches]
    assert kinds[0] == ("LTE", False) and ("LTE", True) in kinds


def test_less_than_two_radio_frames_are_searched_in_no_slice():
    short = View(0.1, RATE, CENTER, RATE / 256, 1, 0.02, [carrier("a")])
    plan = plan_of()
    assert not any(search.is_slice for _ in range(8) for search in of_carriers(plan, short))


def test_a_wide_carrier_with_many_places_does_not_hold_up_the_others():
    plan = plan_of(0.5, 0.5)
    wide, narrow = carrier("wide", "NR", 1840.0, 1860.0), carrier("narrow", "LTE", 1826.0, 1830.5)
    seen = [view(number * FRAME_S, wide, narrow, rate=61.44e6) for number in range(1, 30)]
    order = [search for one in seen for search in of_carriers(plan, one)]
    begins = [min((*search.frequencies, *(search.band or ()))) for search in order]
    of_narrow = [number for number, begin in enumerate(begins) if begin < 1835e6]
    assert [order[number].technology for number in of_narrow[:4]] == ["LTE"] * 3 + ["NR"] and of_narrow[3] < 14


def test_both_subcarrier_spacings_are_tried_in_turn():
    plan, seen = plan_of(), carrier("a", "NR", 1840.0, 1860.0)
    searches = [search for _ in range(6) for search in of_carriers(plan, view(0.1, seen))]
    assert {search.spacing for search in searches[:2]} == {15e3, 30e3}


def test_a_cell_of_a_slice_is_looked_for_in_that_slice_again():
    proof = Proof(Cell("LTE", 7, SYNC, 18e6), CENTER + 18e6, 0, 1, RATE, slice_frequency=CENTER + 15e6)
    plan, sliced = plan_of(), carrier("a", proof=proof)
    assert of_carriers(plan, view(0.1, sliced)) == []
    (renewal,) = of_carriers(plan, view(4.3, sliced))
    assert (renewal.frequencies, renewal.is_slice, renewal.is_renewal) == ((CENTER + 15e6,), True, True)


def test_absence_is_looked_for_also_where_the_label_was_another_one_meanwhile():
    plan, looks = plan_of(5.0, 5.0), []
    for number in range(1, 120):
        label = "other" if number < 30 else "LTE" if number % 7 else "other"
        seen = carrier("a", label, 1837.7, 1846.7)
        for search in of_carriers(plan, view(number * FRAME_S, seen)):
            if search.technology == "LTE" and search.frames == 1 and not search.is_slice:
                looks.append(number * FRAME_S)
    apart = [looks[0], *(later for earlier, later in zip(looks, looks[1:]) if later - earlier >= 0.9)]
    assert len(apart) >= 3


def test_what_is_called_lte_is_searched_anywhere_in_it_before_nr_and_no_place_twice_in_the_same_frames():
    plan, seen = plan_of(), view(0.1, carrier("a"))
    order = [search for _ in range(12) for search in of_carriers(plan, seen)]
    kinds = [(search.technology, search.band is not None) for search in order]
    assert kinds[:4] == [("LTE", True), ("LTE", False), ("LTE", True), ("NR", True)]
    lower, upper = order[2].band
    assert lower < 1837.7e6 and upper > 1846.7e6
    # At the end of the span every reach ends at the same place.
    plan, seen = plan_of(), view(0.1, carrier("a", lower=1824.7, upper=1825.8))
    order = [search for _ in range(12) for search in of_carriers(plan, seen)]
    places = {(search.technology, search.frequencies, search.band, search.frames, search.is_slice) for search in order}
    assert len(places) == len(order)


def test_what_a_search_of_all_of_the_span_covered_is_not_searched_again_in_a_part_of_it():
    """A cell that it finds leaves the others less than the span, and the other spacing comes next for them."""
    three = [carrier(str(n), "other", 1825.0 + 10 * n, 1834.6 + 10 * n) for n in range(3)]
    plan, found = plan_of(), []
    while ("NR", 15e3) not in found:
        found += [(one.technology, one.spacing) for one in of_carriers(plan, view(0.1, *three)) if not one.frequencies]
    known = proven("0", 1830.0, "NR", lower=1825.0, upper=1834.6)
    later = [one for _ in range(20) for one in of_carriers(plan, view(0.1, known, *three[1:])) if one.band is not None]
    assert ("NR", 30e3) in {(one.technology, one.spacing) for one in later}
    assert ("NR", 15e3) not in {(one.technology, one.spacing) for one in later}
    # The frames after these have not been searched.
    times = [100.0 * n for n in range(1, 20) for _ in range(4)]
    later = [one for now in times for one in of_carriers(plan, view(now, known, *three[1:])) if one.band is not None]
    assert ("NR", 15e3) in {(one.technology, one.spacing) for one in later}


def nr_host(key="host", mhz=3410.0, lower=3400.0, upper=3420.0, cell_id=7):
    cell = Cell("NR", cell_id, BROADCAST, 0.0, subcarrier_spacing=30e3)
    return carrier(key, "NR", lower, upper, proof=Proof(cell, mhz * 1e6, 0, 1, RATE))


def compared(*carriers, turns=12):
    """The pieces that are compared with an NR carrier, in some turns at one time."""
    plan, seen = plan_of(), view(0.1, *carriers, center=3420e6, rate=61.44e6)
    found = [search.piece for _ in range(turns) for search in of_carriers(plan, seen) if search.piece is not None]
    return [(piece.key, piece.host_key) for piece in found]


def test_what_has_no_block_of_its_own_is_compared_with_the_nr_carrier_beside_it():
    plan, order = plan_of(), []
    piece = carrier("piece", "NR", 3422.0, 3430.0)
    for _ in range(6):
        order += of_carriers(plan, view(0.1, nr_host(), piece, center=3420e6, rate=61.44e6))
    assert [search.piece is not None for search in order[:2]] == [False, True]
    found = order[1].piece
    assert (found.key, found.host_key, found.ssb_frequency, found.cell_id) == ("piece", "host", 3410e6, 7)
    assert 3422e6 <= found.lower < found.upper <= 3430e6 and found.host_upper == 3420e6
    assert [search.piece for search in order[2:] if search.piece] == [], "again only later"


def test_where_proven_carriers_leave_no_room_the_span_is_not_searched():
    def searched(rate):
        cell = Cell("LTE", 7, BROADCAST, 0.0, channel_bandwidth=20e6)
        full = carrier("a", lower=1831.0, upper=1849.0, proof=Proof(cell, 1840e6, 0, 1, rate))
        return [one.technology for _ in range(6) for one in plan_of(span_s=PLENTY).next(view(5.0, full, rate=rate))]

    assert searched(20e6) == []
    assert "LTE" in searched(21.5e6)


def test_beside_an_nr_cell_its_region_is_searched_for_lte_once_and_after_the_first_searches_of_others():
    plan, order = plan_of(), []
    for _ in range(8):
        order += of_carriers(
            plan, view(0.1, nr_host(), carrier("new", "NR", 3422.0, 3430.0), center=3420e6, rate=61.44e6)
        )
    (beside,) = [n for n, one in enumerate(order) if one.technology == "LTE" and one.band and one.band[0] < 3400e6]
    assert order[beside].band == pytest.approx((3399.28e6, 3420.72e6), abs=0.3e6)
    assert beside > next(n for n, one in enumerate(order) if one.technology == "NR" and one.frequencies)


@pytest.mark.parametrize("lower, upper, mhz", [(3406.4, 3413.6, 3410.0), (3406.0, 3413.9, 3410.0)])
def test_where_nothing_has_room_beside_an_nr_cell_lte_is_not_searched(lower, upper, mhz):
    seen = view(0.1, nr_host(lower=lower, upper=upper, mhz=mhz), center=3420e6, rate=61.44e6)
    assert of_carriers(plan_of(), seen) == []


def test_nothing_is_compared_with_a_carrier_whose_edges_sib1_says():
    host = nr_host()
    sib1 = Sib1(("00101",), 1, 1, (78,), 36, (Carrier(0, 30e3, 51),), True)
    cell = dataclasses.replace(host.proof.cell, mib={"ssb-SubcarrierOffset": 0}, sib1=sib1)
    host = dataclasses.replace(host, proof=dataclasses.replace(host.proof, cell=cell))
    assert host.proof.edges is not None
    assert compared(host, carrier("piece", "NR", 3422.0, 3430.0)) == []


def test_a_narrow_piece_called_other_is_compared_and_one_with_a_cell_or_too_far_away_is_not():
    assert compared(nr_host(), carrier("piece", "other", 3421.0, 3422.3)) == [("piece", "host")]
    assert compared(nr_host(), nr_host("other", 3430.0, 3425.0, 3435.0, cell_id=9)) == []
    far = [nr_host(mhz=3395.0, lower=3390.0, upper=3400.0), carrier("piece", "NR", 3441.0, 3449.0)]
    assert compared(*far) == [("piece", "host")]
    assert compared(far[0], nr_host("between", 3420.0, 3415.0, 3425.0, cell_id=9), far[1])[0][1] == "between"


@pytest.mark.parametrize("snr_db, is_compared", [(35.0, True), (12.0, False)])
def test_what_leaks_out_of_a_carrier_is_no_piece_of_it(snr_db, is_compared):
    host = dataclasses.replace(nr_host(), snr_db=42.0)
    assert bool(compared(host, carrier("piece", "other", 3421.0, 3425.0, snr_db=snr_db))) == is_compared


def test_a_comparison_is_made_even_where_the_budget_is_spent():
    plan = plan_of(0.0, 0.0)
    plan.budget.left_s = -1.0
    seen = view(0.1, nr_host(lower=-10.0, upper=0.0, mhz=-5.0), carrier("piece", "NR", 2.0, 9.0), center=0.0)
    (search,) = plan.next(seen)
    assert search.piece is not None and search.cost_s < 0.2


def data_searches(plan, seen, turns=40):
    """The searches for reference signals of NR data in so many turns: (carrier, quarter)."""
    made = [search for _ in range(turns) for search in plan.next(seen)]
    first = next((number for number, search in enumerate(made) if search.references is not None), len(made))
    assert all(search.references is not None for search in made[first:]), "after all others"
    return [(search.references, search.quarter) for search in made[first:]]


def test_what_no_other_search_proves_is_searched_for_nr_data_in_quarters_nr_and_strong_carriers_first():
    seen = [
        carrier("weak", "other", 1826.0, 1828.0, snr_db=5.0),
        carrier("strong", "other", 1829.0, 1830.0, snr_db=15.0),
        carrier("nr", "NR", 1832.0, 1837.0, snr_db=0.0),
        carrier("narrow", "other", 1838.0, 1838.4, snr_db=30.0),
        proven("cell", 1843.0, lower=1840.0, upper=1846.0),
        carrier("data", "NR", 1847.0, 1850.0, references=References("data", 7, 0.0, 15e3)),
        carrier("up", "NR", 1851.0, 1853.0, is_uplink=True),
        carrier("within", "other", 1841.0, 1842.0, snr_db=30.0),
    ]
    plan = plan_of()
    expected = [(key, quarter) for key in ("nr", "strong", "weak") for quarter in range(4)]
    assert data_searches(plan, view(0.1, *seen)) == expected
    assert data_searches(plan, view(9.0, *seen)) == []
    assert len(data_searches(plan, view(11.0, *seen))) == 12, "once more"
    assert data_searches(plan, view(22.0, *seen)) == [], "ever less often"


def test_of_a_wide_carrier_the_middle_is_searched_for_nr_data_and_no_slower_rate_shows_any():
    wide = carrier("a", "NR", 1828.0, 1852.0)
    plan = plan_of()
    bands = {search.band for _ in range(30) for search in plan.next(view(0.1, wide)) if search.references}
    assert bands == {(1830e6, 1850e6)}
    assert data_searches(plan_of(), view(0.1, carrier("a", "NR", 1839.2, 1840.8), rate=1.6e6)) == []


def test_at_the_end_one_carrier_is_searched_for_nr_data_whatever_other_searches_have_cost():
    seen = [carrier(key, "NR", lower, lower + 5.0) for key, lower in (("a", 1827.0), ("b", 1834.0), ("c", 1841.0))]
    for is_last, count in ((False, 0), (True, 4)):
        plan = plan_of(0.0, 0.0)
        plan.budget.left_s = -1.0
        searches = data_searches(plan, dataclasses.replace(view(0.04, *seen), is_last=is_last))
        assert [key for key, _ in searches] == ["a"] * count


def test_what_has_another_cells_data_is_no_piece():
    for cell_id, expected in ((7, [("piece", "host")]), (8, [])):
        references = References("piece", cell_id, 0.0, 30e3)
        assert compared(nr_host(), carrier("piece", "NR", 3422.0, 3430.0, references=references)) == expected


def test_what_is_nearer_than_it_is_wide_is_near_once_it_was_searched_for_data_and_compared_again_then():
    for lower, upper, is_near in ((3422.0, 3430.0, True), (3429.0, 3431.0, False), (3397.0, 3399.0, True)):
        seen = view(0.1, nr_host(), carrier("piece", "NR", lower, upper), center=3420e6, rate=61.44e6)
        plan = plan_of()
        searches = [one for _ in range(40) for one in plan.next(seen)]
        compared = [(number, one.piece.is_near) for number, one in enumerate(searches) if one.piece is not None]
        data = [number for number, one in enumerate(searches) if one.references is not None]
        (first, was_near), (second, now_near) = compared
        assert (was_near, now_near) == (False, is_near) and first < min(data) and max(data) < second


def uplinks(*seen, rounds=1):
    """Carriers in which reference signals of an uplink are looked for, in views that follow each other."""
    plan = plan_of()
    searches = [search for one in seen for _ in range(rounds) for search in of_carriers(plan, one)]
    assert all(search.band is not None for search in searches if search.uplink is not None)
    return [search.uplink for search in searches if search.uplink is not None]


def test_an_uplink_is_looked_for_first_where_the_frequency_is_an_uplinks():
    seen = view(0.1, carrier("a", lower=1740.0, upper=1749.0), center=1745e6)
    (search,) = of_carriers(plan_of(), seen)
    assert (search.uplink, search.band, search.frames) == ("a", (1740e6, 1749e6), 2)


@pytest.mark.parametrize("label", ["LTE", "NR", "other"])
def test_an_uplink_is_looked_for_where_the_frequency_is_not_known_and_again_later(label):
    unknown = carrier("a", label, lower=-4.5, upper=4.5)
    assert uplinks(view(0.1, unknown, center=0.0), rounds=12) == ["a"]
    assert uplinks(*(view(0.1 + 1.1 * n, unknown, center=0.0) for n in range(5)), rounds=12) == ["a"] * 3


@pytest.mark.parametrize(
    "seen",
    [
        view(0.1, carrier("a")),
        view(0.1, carrier("a", lower=-0.15, upper=0.15), center=0.0),
        view(0.1, carrier("a", lower=-4.5, upper=4.5, is_uplink=True), center=0.0),
    ],
    ids=["downlink", "narrow", "known"],
)
def test_no_uplink_is_looked_for_where_none_can_be_or_it_is_known(seen):
    assert uplinks(seen, rounds=12) == []


def test_cells_are_looked_for_before_an_uplink_where_the_frequency_is_not_known():
    plan, seen = plan_of(), view(0.1, carrier("a", lower=-4.5, upper=4.5), center=0.0)
    searches = [search for _ in range(12) for search in of_carriers(plan, seen)]
    place = next(place for place, search in enumerate(searches) if search.uplink is not None)
    assert {search.technology for search in searches[:place]} == {"LTE", "NR"}


def test_a_cell_is_looked_for_in_an_uplink_where_it_may_be_of_a_tdd_carrier():
    known = carrier("a", lower=1740.0, upper=1749.0, is_uplink=True)
    assert of_carriers(plan_of(), view(0.1, known, center=1745e6)) == []
    known = carrier("a", lower=-4.5, upper=4.5, is_uplink=True)
    assert of_carriers(plan_of(), view(0.1, known, center=0.0))


def test_what_a_receiver_makes_of_an_uplink_is_not_looked_at():
    strong, weak = carrier("a", lower=-4.5, upper=4.5, snr_db=30.0), carrier("b", lower=5.0, upper=9.5, snr_db=9.0)
    assert set(uplinks(view(0.1, strong, weak, center=0.0), rounds=12)) == {"a"}
