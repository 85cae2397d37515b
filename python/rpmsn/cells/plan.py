# SPDX-License-Identifier: GPL-3.0-or-later
"""Which searches of a stream are worth their time, and in which order.

New carriers come first, each at the places where its own signals would be; then the cells that are known, so that what
is said of them stays true; then what was searched in vain, longer; and now and then all of the span,
for cells that no spectrum shows. A plan decides by times in the stream and by estimated costs, and never by a clock:
the same stream gives the same searches.
"""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import NamedTuple

from ..classes import CLASS_NAMES, LTE, NR
from ..standards import bands
from ..standards.lte import N_RB, OCCUPIED_HZ
from ..standards.nr import SSB_SUBCARRIERS
from .finding import SUBCARRIER_HZ, Piece, Proof, References
from .grid import NARROWEST_HZ as NARROWEST_GRID_HZ
from .lte.reference import SHORTEST_S
from .lte.search import HALF_WIDTH as LTE_HALF_WIDTH
from .lte.search import LOWEST_RATE
from .nr.dmrs import QUARTERS
from .nr.spectrum import fits
from .spectrum import BASE_RATE

LTE_NAME, NR_NAME = CLASS_NAMES[LTE], CLASS_NAMES[NR]

DEEP_FRAMES = 4
"""Frames that a second look sums: 160 ms, in which every period of SS/PBCH blocks has a block (TS 38.331)."""
RENEW_S, RENEW_AT_ONCE_S = 4.0, 0.5
"""A cell is looked for again after so long; where its carrier has gone silent, or the last look was in vain, sooner."""
RETRY_S, LONGEST_RETRY_S = 10.0, 80.0
"""A carrier in which nothing was found is looked at again after so long, and then after twice that, up to a limit."""

FURTHER_LOOKS, SEPARATE_S = 2, 1.0
"""A carrier that the network calls LTE is looked at so often again, so long apart: by then it is known whether its PSS
is missing."""

LTE_TOLERANCE = 135e3
"""Hz around a place of LTE that one search takes in: more reaches beyond the middle of its filter."""
RENEWAL_TOLERANCE = {LTE_NAME: 5e3, NR_NAME: 0.0}
"""Hz: a receiver that was found to err errs as much a few seconds later."""
LTE_CLOSE, LTE_WIDEST = (0.5, 25e3), (2.0, 50e3)
"""How far the middle of a carrier may be from the network's, first and then: columns of the mask, and Hz."""
NR_PPM = 2.0
"""How far a receiver may err where an SS/PBCH block is looked for on the raster; then it is at any frequency."""
RASTER_TOLERANCE = 10e3
"""The same of LTE where the receiver's frequency error is known."""
PLACES_AT_ONCE = 8
"""Places of a raster that one search takes..."""
WIDE_PLACES_AT_ONCE = 2
"""...and places of LTE with all of a tolerance."""
CLEAR_DB = 10.0
"""A carrier so far above the noise that was never called LTE is not searched longer for LTE: one frame shows the PSS at
any frequency from -6 dB on."""
ROUNDS = 8
"""So often the next searches are asked for, until there is one: what another carrier's search has covered is none."""
SPAN_AFTER_S = 1.0
"""The rest of the span is searched from so long on: the carriers of the beginning come first."""
NARROWEST_HZ = {LTE_NAME: 0.9e6, NR_NAME: 3.2e6}
"""What is narrower in view holds no cell: six resource blocks, the narrowest NR carrier (3 MHz) less its
edges' error."""
SLICE_FRAMES = 2
"""Frames for reference signals: 80 ms, in which a clock that errs by 50 ppm gains half a cyclic prefix."""
NARROWEST_SLICE_HZ = 0.45e6
"""What is narrower in view shows too few reference signals."""

UPLINK_FRAMES = 2
"""Frames for an uplink: its terminals send now and then, and clocks err as above."""
UPLINK_AROUND_HZ = 20e6
"""How far beyond a region an uplink's PUCCH is looked for: the region may be what one terminal sends."""
NARROWEST_UPLINK_HZ = 0.35e6
"""What is narrower in view has less than two resource blocks."""

WIDEST_NR_HZ = {15e3: 50e6, 30e3: 100e6}
"""The widest NR carriers, by the subcarrier spacing: TS 38.101-1 table 5.3.5-1."""
LEAKAGE_DB = 20.0
"""What is so much weaker than the NR carrier beside it is what that leaks, and no piece of it: pieces that a fading
channel or an encoder made differ by 6 dB, the leakage of a carrier without a filter by 30. So is what is so much weaker
than an uplink."""
NARROWEST_REFERENCES_HZ, WIDEST_REFERENCES_HZ = 0.5e6, 20e6
"""What is narrower in view has too few reference signals of NR data; of what is wider, the middle has enough."""
REFERENCES_FRAMES = 2
"""Frames for these: slots without data in one have some in another."""
GRID_PART_HZ = 5e6
"""So much of a carrier shows its symbols and subcarriers well enough."""

SLICE_S, SLICE_RENEWAL_S = 0.4, 0.5
"""Seconds of one core for reference signals in a slice: 0.01 where there is no OFDM like it, 0.4 to 1.3 where there is;
measured, as what follows, in noise and in recordings, as CPU time of the thread."""
LTE_PLACE_S, LTE_OFFSET_S = 0.04, 0.9e-6
"""For a place of LTE in 40 ms of signal, and for each Hz of tolerance: 0.02 to 0.07, and 0.7e-6 to 1.1e-6."""
MIDDLE_S = 0.07
"""For the middle of a carrier at any frequency: 0.03 where there is no cell, 0.06 to 0.08 with one."""
UPLINK_S = 1.4e-8
"""For an uplink, for each Hz that is looked through, in 40 ms."""
GRID_S = 0.1
"""For the symbols of two carriers, and reference signals of the cell in one of them."""
REFERENCES_S = 0.6
"""For reference signals of NR data in a quarter of all slots: 0.02 where there are no symbols like NR's, else 0.4 to
0.6 with 15 kHz and twice that with 30, in one frame as in several."""
NR_PLACE_S, NR_OFFSET_S = 0.01, 0.008
"""For a place of NR, and each frequency offset there, half a subcarrier apart: 0.011 to 0.034 with one, to 0.087 with
five."""
SIB1_S = 0.05
"""For SIB1 of an NR cell, in 40 ms of signal."""
SPECTRUM_S = 12e-9
"""For each sample: the spectrum that all searches of a frame share; 11e-9 to 18e-9."""
WIDE_CARRIER = 12e6
"""Hz from which 30 kHz is tried before 15 kHz at any frequency: wide carriers have wide subcarriers."""
ANYWHERE_FRAMES = 1
"""Frames for a search at any frequency: two of NR's usual periods."""
ANYWHERE_S = {LTE_NAME: 14e-9, NR_NAME: 18e-9}
ANYWHERE_IN_SPAN_S = {LTE_NAME: 13e-9, NR_NAME: 17e-9}
"""For each Hz of a carrier's band, or of the span, in so many frames of 40 ms: LTE 5e-9 to 12e-9, NR 8e-9 to 17e-9, on
a processor that takes 0.8 of the other estimates."""


@dataclass(frozen=True, slots=True)
class KnownCarrier:
    """What a plan needs to know of a carrier that is tracked.

    Attributes:
        key: the same for the same carrier every time.
        label: LTE, NR or other.
        freq_lower, freq_upper: Hz, absolute where the centre is known.
        cut_lower, cut_upper: whether an edge is beyond the span.
        since_s: when it began, seconds since the stream began.
        proof: its cell, if it has one.
        is_doubtful: whether its cell should be looked for at once: the carrier has gone silent, or the last look was in
            vain.
        snr_db: mean over its band.
        is_uplink: whether it is known to be an uplink.
        references: those of its data, by which it is known to be NR.
    """

    key: Hashable
    label: str
    freq_lower: float
    freq_upper: float
    cut_lower: bool = False
    cut_upper: bool = False
    since_s: float = 0.0
    proof: Proof | None = None
    is_doubtful: bool = False
    snr_db: float = 0.0
    is_uplink: bool = False
    references: References | None = None


@dataclass(frozen=True, slots=True)
class View:
    """What there is to search.

    Attributes:
        now_s: end of the samples, seconds since the stream began.
        sample_rate: Hz.
        center_frequency: Hz; 0 where it is not known.
        column: width of a column of the mask, Hz: how well edges are known.
        frames: how many successive frames there are.
        frame_seconds: of one.
        carriers: those that are tracked.
        is_last: whether nothing will follow.
    """

    now_s: float
    sample_rate: float
    center_frequency: float
    column: float
    frames: int
    frame_seconds: float
    carriers: Sequence[KnownCarrier] = ()
    is_last: bool = False

    @property
    def seconds(self) -> float:
        """Of all frames."""
        return self.frames * self.frame_seconds

    @property
    def lower(self) -> float:
        """Lower end of the span, Hz."""
        return self.center_frequency - self.sample_rate / 2

    @property
    def upper(self) -> float:
        """Upper end of the span, Hz."""
        return self.center_frequency + self.sample_rate / 2


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One search.

    Attributes:
        technology: LTE or NR.
        frequencies: Hz, of carriers' centres or SS/PBCH blocks.
        tolerance: Hz around each.
        spacing: subcarrier spacing, Hz.
        frames: how many of the last frames are searched.
        is_renewal: whether cells that are known are looked for: their absence counts.
        cost_s: estimated time of one core, s; with the spectra, where no search of these frames had them before.
        is_slice: whether LTE's reference signals are looked for, in slices around `frequencies`.
        band: lower and upper end in Hz of what is searched at any frequency; None where places are known.
        piece: what is compared with an NR carrier with a cell; nothing else is looked for then.
        reads_sib1: whether SIB1 of NR cells is read; not where it is known.
        uplink: key of the carrier that `band` is of, in which what terminals send is looked for;
            nothing else is then.
        references: the same for reference signals of NR data...
        quarter: ...in this quarter of a frame's slots, 0..3.
    """

    technology: str
    frequencies: tuple[float, ...]
    tolerance: float
    spacing: float
    frames: int
    is_renewal: bool
    cost_s: float
    is_slice: bool = False
    band: tuple[float, float] | None = None
    piece: Piece | None = None
    reads_sib1: bool = True
    uplink: Hashable | None = None
    references: Hashable | None = None
    quarter: int = 0


class _Kind(NamedTuple):
    """Of search in a carrier: technology; whether widest and over several frames; whether by reference signals; whether
    once more at another time; whether at any frequency, of all of it or of its middle; whether first searches of others
    come first; whether of an uplink."""

    technology: str
    is_deep: bool = False
    is_slice: bool = False
    is_again: bool = False
    is_anywhere: bool = False
    is_middle: bool = False
    is_late: bool = False
    is_uplink: bool = False


class Budget:
    """Time of one core that may be spent on searches: earned by the stream's own time.

    A search may be begun while anything is left, so that none has to be saved up for; what it costs more is made up for
    by waiting.

    Args:
        fraction: of one core.
        most_s: that is kept for later, and there at the start.
    """

    def __init__(self, fraction: float, most_s: float) -> None:
        self.fraction, self.most_s = fraction, most_s
        self.left_s = most_s

    def earn(self, seconds: float) -> None:
        """The stream went on."""
        self.left_s = min(self.most_s, self.left_s + self.fraction * seconds)

    def allow(self, most_s: float) -> None:
        """Another time may be kept; more of it is there at once."""
        self.left_s += max(0.0, most_s - self.most_s)
        self.most_s = most_s

    @property
    def is_spent(self) -> bool:
        """Whether nothing is left."""
        return self.left_s <= 0

    def spend(self, cost_s: float) -> None:
        """A search was begun; negative gives back."""
        self.left_s -= cost_s


@dataclass(slots=True)
class _State:
    """How far the search in one carrier has come.

    Attributes:
        attempts: how many kinds of search were made.
        part: how many searches of the next kind were.
        next_s: when the next one is due.
        wait_s: until the one after the next, once all kinds have been tried.
        spent_s: what its searches have cost, seconds of one core as estimated.
        compared_s: when it may be compared again with an NR carrier beside it...
        compared_wait_s: ...and how long after that.
        was_lte: whether it was called LTE at any time: then an absence of LTE's signals is looked for.
        quarters: how many searches for reference signals of NR data were made...
        data_s: ...when the next one is due...
        data_wait_s: ...and how long that is after all quarters.
    """

    attempts: int = 0
    part: int = 0
    next_s: float = 0.0
    wait_s: float = RETRY_S
    spent_s: float = 0.0
    compared_s: float = 0.0
    compared_wait_s: float = RENEW_AT_ONCE_S
    was_lte: bool = False
    quarters: int = 0
    data_s: float = 0.0
    data_wait_s: float = RETRY_S


class SearchPlan:
    """Chooses the next searches.

    Args:
        budget: for all searches.
        span_s: seconds of one core that may be spent at the start on the rest of the span; half of what the budget
            earns later is for it.

    Attributes:
        ppm: the receiver's frequency error as the cells show it, parts per million; None while none does.
        waiting: searches that were due and for which the budget was not enough, when it was asked last.

    Example:
        >>> plan = SearchPlan(Budget(fraction=0.1, most_s=1.0))
        >>> carrier = KnownCarrier("first", "LTE", 1837.7e6, 1846.7e6)
        >>> view = View(0.08, 30.72e6, 1840e6, 120e3, frames=2, frame_seconds=0.04, carriers=[carrier])
        >>> search = plan.next(view)[0]
        >>> search.technology, sum(search.band) / 2
        ('LTE', 1842200000.0)
    """

    def __init__(self, budget: Budget, span_s: float = 0.35) -> None:
        self.budget = budget
        self.ppm: float | None = None
        self.waiting = 0
        self._is_receiver_new = False
        self._span_budget = Budget(budget.fraction / 2, max(budget.most_s / 2, span_s))
        self._span_budget.left_s = span_s
        self._data_budget = Budget(0.0, QUARTERS * REFERENCES_S)
        self._states: dict[Hashable, _State] = {}
        self._renewed_s: dict[Hashable, float] = {}
        self._beside_s: dict[Hashable, float] = {}
        self._now_s: float | None = None
        self._place = 0
        self._spectra = 0
        self._made: list[Hypothesis] = []
        self._pieces_due: dict[Hashable, Piece] = {}

    def forget_receiver(self) -> None:
        """The receiver's frequencies are said otherwise from now on: its error has to be seen anew. Any thread."""
        self._is_receiver_new = True

    def next(self, view: View) -> list[Hypothesis]:
        """The searches to make now, most important first; what they cost is spent."""
        if self._is_receiver_new:
            self._is_receiver_new, self.ppm = False, None
        passed = max(0.0, view.now_s - self._now_s) if self._now_s is not None else 0.0
        if view.now_s != self._now_s:
            self._spectra, self._made = 0, []
        self._now_s = view.now_s
        for budget in (self.budget, self._span_budget):
            budget.earn(passed)
        self._keep_only({carrier.key for carrier in view.carriers})
        self._learn(view)
        # A short recording may be of nothing but a cell in its middle.
        chosen = self._of_span(view) if view.is_last and not self._place else []
        for _ in range(ROUNDS):
            due = self._due(view)
            is_early = any(not is_late for is_late, *_ in due)
            chosen += self._of_carriers(view, due, is_early)
            if chosen or not is_early:
                break
        return chosen or self._of_span(view) or self._of_data(view)

    def _of_carriers(self, view, due, is_early):
        """The next search of each carrier that is due, as far as the budget goes."""
        chosen: list[Hypothesis] = []
        self.waiting = 0
        for _, carrier, cost_s, is_of_span in due:
            # What others find may leave less to search than all of the span.
            if is_of_span and chosen:
                continue
            # Comparisons are few and cheap, and make one carrier of several. What costs more than is left does not
            # come between others.
            is_too_much = bool(chosen) and cost_s > self.budget.left_s
            if (self.budget.is_spent or is_too_much) and carrier.key not in self._pieces_due:
                self.waiting += 1
                continue
            if (search := self._next_of(view, carrier, is_early)) is not None:
                chosen.append(self._charged(view, search, self.budget))
        return chosen

    def _charged(self, view: View, search: Hypothesis, *budgets: Budget) -> Hypothesis:
        """The search, paid for, with the spectra of frames of which no other search has had them made."""
        missing = max(0, search.frames - self._spectra)
        self._spectra += missing
        search = replace(search, cost_s=search.cost_s + missing * view.frame_seconds * view.sample_rate * SPECTRUM_S)
        for budget in budgets:
            budget.spend(search.cost_s)
        return search

    def _keep_only(self, keys: set[Hashable]) -> None:
        for table in (self._states, self._renewed_s, self._beside_s):
            for key in [key for key in table if key not in keys]:
                del table[key]

    def _learn(self, view: View) -> None:
        """Take the receiver's frequency error from the cells on a raster."""
        errors = []
        for carrier in view.carriers:
            proof = carrier.proof
            if proof is None or proof.channel is None:
                continue
            if proof.channel.earfcns:
                place = round(proof.frequency / bands.LTE_RASTER) * bands.LTE_RASTER
            elif proof.channel.gscn is not None:
                place = bands.gscn_frequency(proof.channel.gscn)
            else:
                continue
            errors.append(1e6 * (proof.frequency - place) / place)
        if errors:
            self.ppm = sorted(errors)[len(errors) // 2]

    def _due(self, view):
        """Carriers for which a search is due: whether others come first, carrier, about what it costs, whether it is of
        all of the span. First those on which the least will have been spent after it, of these the newest, and what is
        known last."""
        due = []
        self._pieces_due = {}
        proven = [carrier for carrier in view.carriers if carrier.proof is not None]
        for carrier in view.carriers:
            if carrier.proof is not None:
                last = self._renewed_s.setdefault(carrier.key, view.now_s)
                if (beside := self._beside_due(view, carrier)) is not None:
                    due.append(((True, 0.0, -carrier.since_s), carrier, beside.cost_s, False))
                elif view.now_s - last >= (RENEW_AT_ONCE_S if carrier.is_doubtful else RENEW_S):
                    due.append(((True, math.inf, last), carrier, 0.0, False))
            else:
                state = self._states.setdefault(carrier.key, _State())
                if carrier.label == LTE_NAME and not state.was_lte:
                    state.was_lte, state.next_s = True, min(state.next_s, view.now_s + SEPARATE_S)
                kinds = _kinds(view, carrier, state.was_lte)
                if (piece := self._piece_due(view, carrier, proven, kinds)) is not None:
                    self._pieces_due[carrier.key] = piece
                if piece is not None or view.now_s >= state.next_s and kinds:
                    is_late, cost_s, of_span = False, GRID_S, False
                    if piece is None:
                        is_late, cost_s, of_span = self._next_cost(view, carrier, kinds)
                    due.append(((is_late, state.spent_s + cost_s, -carrier.since_s), carrier, cost_s, of_span))
        return [(order[0], *one) for order, *one in sorted(due, key=lambda one: one[0])]

    def _next_of(self, view, carrier, is_early):
        """The next search of a carrier; None where there is no place for it, or others come first."""
        if carrier.proof is not None:
            if (beside := self._beside_due(view, carrier)) is not None:
                if is_early:
                    return None
                self._beside_s[carrier.key] = view.now_s + LONGEST_RETRY_S
                return beside if beside not in self._made else None
            self._renewed_s[carrier.key] = view.now_s
            return _renewal(view, carrier)
        state = self._states[carrier.key]
        if (piece := self._pieces_due.get(carrier.key)) is not None:
            state.compared_s = view.now_s + state.compared_wait_s
            state.compared_wait_s = min(2 * state.compared_wait_s, RETRY_S)
            state.spent_s += GRID_S
            return Hypothesis(NR_NAME, (), 0.0, piece.spacing, 1, False, GRID_S, piece=piece)
        kinds = _kinds(view, carrier, state.was_lte)
        for _ in kinds:
            kind = kinds[state.attempts % len(kinds)]
            hypotheses = self._of_kind(view, carrier, kind)
            if is_early and kind.is_late and state.part < len(hypotheses):
                return None
            chosen = hypotheses[state.part] if state.part < len(hypotheses) else None
            # Another carrier's search, or one of all of the span, may have had the same place and frames.
            if chosen is not None and any(_covers(made, chosen) for made in self._made):
                chosen = None
            elif chosen is not None:
                self._made.append(chosen)
                state.spent_s += chosen.cost_s
            state.part += 1
            if state.part >= len(hypotheses):
                state.attempts, state.part = state.attempts + 1, 0
                if state.attempts < len(kinds) and kinds[state.attempts].is_again:
                    state.next_s = view.now_s + SEPARATE_S
                    return chosen
                if state.attempts >= len(kinds):
                    state.next_s = view.now_s + state.wait_s
                    state.wait_s = min(2 * state.wait_s, LONGEST_RETRY_S)
                    return chosen
            # A kind without a place in view is no reason to wait.
            if chosen is not None:
                return chosen
        return None

    def _next_cost(self, view, carrier, kinds):
        """Of the next search of a carrier: whether others come first, its estimated cost, 0 where it has no place, and
        whether it is of all of the span."""
        state = self._states[carrier.key]
        part = state.part
        for attempt in range(state.attempts, state.attempts + len(kinds)):
            kind = kinds[attempt % len(kinds)]
            hypotheses = self._of_kind(view, carrier, kind)
            if part < len(hypotheses):
                search = hypotheses[part]
                return kind.is_late, search.cost_s, search.band == (view.lower, view.upper)
            part = 0
        return True, 0.0, False

    def _beside_due(self, view, carrier):
        """The search for LTE beside an NR cell, if one is due; else None."""
        return _beside(view, carrier) if view.now_s >= self._beside_s.get(carrier.key, 0.0) else None

    def _piece_due(self, view, carrier, proven, kinds):
        """The comparison of a carrier with an NR carrier beside it, if one is due: not before its own block was looked
        for once; else None."""
        state = self._states[carrier.key]
        if view.now_s < state.compared_s:
            return None
        first = next((index for index, kind in enumerate(kinds) if kind.technology == NR_NAME), -1)
        first = first if view.center_frequency else -1
        if state.attempts <= first or (piece := _piece_of(view, carrier, proven)) is None:
            return None
        # Networks that keep the same time share symbols and subcarriers, too.
        return replace(piece, is_near=piece.is_near and state.quarters >= QUARTERS)

    def _of_kind(self, view, carrier, kind):
        if kind.is_uplink:
            return _uplink(view, carrier)
        if kind.is_slice:
            return _slices(view, carrier)
        if kind.is_middle:
            return _middle_band(view, carrier)
        if kind.is_anywhere:
            return _anywhere(view, carrier, kind.technology)
        return (self._lte if kind.technology == LTE_NAME else self._nr)(view, carrier, kind)

    def _lte(self, view, carrier, kind):
        columns, further = LTE_WIDEST if kind.is_deep else LTE_CLOSE
        reach = columns * view.column + further
        places = []
        for middle in _middles(carrier, view):
            places += self._lte_places(view, middle - reach, middle + reach)
        if carrier.cut_lower and carrier.cut_upper and kind.is_deep:
            places = self._lte_places(view, carrier.freq_lower, carrier.freq_upper)
        return _lte_hypotheses(view, places, DEEP_FRAMES if kind.is_deep else 1)

    def _lte_places(self, view, lower, upper):
        """(frequency, tolerance) in Hz that cover where an LTE carrier's centre may be, the middle first."""
        half = view.sample_rate / 2 - LTE_HALF_WIDTH
        lower, upper = max(lower, view.center_frequency - half), min(upper, view.center_frequency + half)
        if upper < lower:
            return []
        middle, reach = (lower + upper) / 2, (upper - lower) / 2
        count = max(1, math.ceil(reach / LTE_TOLERANCE))
        tolerance = reach / count
        covering = [(middle + (2 * n - count + 1) * tolerance, tolerance) for n in range(count)]
        if self.ppm is not None and view.center_frequency:
            factor = 1 + 1e-6 * self.ppm
            first, last = (end / factor / bands.LTE_RASTER for end in (lower, upper))
            numbers = range(math.ceil(first), math.floor(last) + 1)
            on_raster = [(number * bands.LTE_RASTER * factor, RASTER_TOLERANCE) for number in numbers]
            if on_raster and sum(map(_lte_cost, on_raster)) < sum(map(_lte_cost, covering)):
                covering = on_raster
        return sorted(covering, key=lambda place: abs(place[0] - middle))

    def _nr(self, view, carrier, kind):
        by_spacing = []
        for spacing in bands.block_spacings(view.center_frequency):
            hypotheses = []
            # The network may have seen a part of the carrier: a block's middle lies in it, the block may reach out.
            margin = view.column + SSB_SUBCARRIERS / 2 * spacing
            places = self._raster(view, carrier.freq_lower - margin, carrier.freq_upper + margin, spacing)
            for start in range(0, len(places), PLACES_AT_ONCE):
                part = places[start : start + PLACES_AT_ONCE]
                hypotheses.append(_nr_hypothesis(view, part, self._nr_tolerance(view, spacing), spacing, 1))
            by_spacing.append(hypotheses)
        in_turn = zip_longest(*by_spacing)
        return [hypothesis for together in in_turn for hypothesis in together if hypothesis is not None]

    def _nr_tolerance(self, view, spacing):
        """Hz around a place of the raster; where cells have shown the receiver's error, what needs one offset."""
        return spacing / 4 if self.ppm is not None else 1e-6 * NR_PPM * view.center_frequency

    def _raster(self, view, lower, upper, spacing):
        """Places of the synchronisation raster within a range and the span, Hz as received."""
        factor = 1 + 1e-6 * (self.ppm or 0.0)
        numbers = bands.ssb_places(max(lower, view.lower, 0.0), max(0.0, min(upper, view.upper)), spacing)
        places = [bands.gscn_frequency(number) * factor for number in numbers]
        return [place for place in places if fits(place - view.center_frequency, spacing, view.sample_rate)]

    def _of_span(self, view):
        """The next search of all of the span, in turn, for what no carrier shows. Carriers' searches have half of what
        may be saved up for themselves. At the end of a stream what is left is for those that had no turn before, and
        of a short one for all."""
        is_short = view.now_s < SPAN_AFTER_S
        is_early = is_short or self.budget.left_s < self.budget.most_s / 2
        if (is_early or self._span_budget.is_spent) and (not view.is_last or self.budget.is_spent):
            return []
        searches = _of_whole_span(view)
        ends = view.is_last and not is_short
        first = self._place if ends else self._place % max(1, len(searches))
        for search in searches[first:] + searches[: 0 if ends else first]:
            self._place += 1
            if search not in self._made:
                self._made.append(search)
                return [self._charged(view, search, self.budget, self._span_budget)]
        return []

    def _of_data(self, view):
        """The next search for reference signals of NR data, in what is neither proven nor has anything else to be
        looked for: what is called NR, and is strong, comes first. At the end of a stream one carrier's are made in any
        case."""
        budget = self._data_budget if self.budget.is_spent and view.is_last else self.budget
        if budget.is_spent or view.sample_rate < BASE_RATE:
            return []
        edges, due = _proven_edges(view), []
        for carrier in view.carriers:
            if carrier.proof is None and carrier.references is None and not carrier.is_uplink:
                state = self._states[carrier.key]
                if state.data_s <= view.now_s and _may_have_references(view, carrier, edges):
                    rounds, begun = divmod(state.quarters, QUARTERS)
                    due.append(((rounds, carrier.label != NR_NAME, not begun, -carrier.snr_db), carrier, state))
        if not due:
            return []
        _, carrier, state = min(due, key=lambda one: one[0])
        search = _references(view, carrier, state.quarters % QUARTERS)
        state.quarters += 1
        if state.quarters % QUARTERS == 0:
            state.data_s = view.now_s + state.data_wait_s
            state.data_wait_s = min(2 * state.data_wait_s, LONGEST_RETRY_S)
            state.compared_s = view.now_s
        return [self._charged(view, search, budget)]


def _kinds(view: View, carrier: KnownCarrier, was_lte: bool) -> list[_Kind]:
    """Searches of a carrier in turn: that of its label comes first, else the cheaper one; what is wider and longer,
    last."""
    is_known = view.center_frequency > 0
    if carrier.is_uplink and is_known:  # elsewhere it may be TDD, with a cell
        return []
    lower, upper = _in_view(view, carrier)
    close, slices = _Kind(LTE_NAME), _Kind(LTE_NAME, is_slice=True)
    middle = _Kind(LTE_NAME, is_middle=True)
    deep = _Kind(LTE_NAME, is_deep=True, is_late=True)
    lte_anywhere = _Kind(LTE_NAME, is_anywhere=True)
    nr = [_Kind(NR_NAME), _Kind(NR_NAME, is_anywhere=True)]
    if len(bands.block_spacings(view.center_frequency)) > 1:
        nr = [nr[1], nr[0]._replace(is_late=True)]  # of the denser raster, all places cost more than all frequencies
    # What is cut may have its middle out of view. What is called LTE is more likely to be off by a column than NR.
    is_cut = carrier.cut_lower or carrier.cut_upper
    later = [lte_anywhere, deep] if is_cut else [deep, slices]
    if carrier.snr_db >= CLEAR_DB and not was_lte:
        later.remove(deep)
    if carrier.label == NR_NAME:
        order = [nr[0], close, nr[1], *([slices] if is_cut else [lte_anywhere]), *later]
    else:
        order = [close, slices if is_cut else lte_anywhere, *nr, *later]
    if not is_cut:
        order.insert(order.index(close), middle)
    uplink = _Kind(LTE_NAME, is_uplink=True)
    may_be_uplink = not carrier.is_uplink and (not is_known or bands.is_uplink((lower + upper) / 2))
    if may_be_uplink:
        # Cells come first where there may be any.
        order.insert(0 if is_known else 1 + max(map(order.index, nr)), uplink)
    for again, is_due in ((close, was_lte and not is_cut), (uplink, may_be_uplink)):
        order += [again._replace(is_again=True, is_late=True)] * FURTHER_LOOKS * is_due
    return [kind for kind in order if _is_possible(view, upper - lower, kind)]


def _covers(made: Hypothesis, other: Hypothesis) -> bool:
    """Whether a search was the same as another one, or the same at any frequency of a band around that one's."""
    if made.band is None or other.band is None:
        return made == other
    is_around = made.band[0] <= other.band[0] and other.band[1] <= made.band[1]
    return is_around and replace(made, band=other.band, cost_s=other.cost_s) == other


def _is_possible(view: View, width: float, kind: _Kind) -> bool:
    if kind.is_uplink:
        return width >= NARROWEST_UPLINK_HZ and view.sample_rate >= BASE_RATE
    if kind.is_slice:
        return width >= NARROWEST_SLICE_HZ and view.sample_rate >= BASE_RATE and view.seconds >= SHORTEST_S
    if kind.technology == LTE_NAME:
        return width >= NARROWEST_HZ[LTE_NAME] and view.sample_rate >= LOWEST_RATE
    # Without a centre frequency there is no raster.
    return width >= NARROWEST_HZ[NR_NAME] and (view.center_frequency > 0 or kind.is_anywhere)


def _in_view(view: View, carrier: KnownCarrier) -> tuple[float, float]:
    return max(carrier.freq_lower, view.lower), min(carrier.freq_upper, view.upper)


def _piece_of(view: View, carrier: KnownCarrier, proven: Sequence[KnownCarrier]) -> Piece | None:
    """A carrier without a cell as a piece of the nearest NR carrier with one; None where none is near, or another
    cell lies between.

    Args:
        view: what there is to search.
        carrier: the one without.
        proven: those with a cell.
    """
    lower, upper = _in_view(view, carrier)
    if upper - lower < NARROWEST_GRID_HZ:
        return None
    # Where SIB1 says a carrier's edges, nothing beyond is a piece of it.
    hosts = [
        other
        for other in proven
        if other.proof is not None and other.proof.cell.technology == NR_NAME and other.proof.edges is None
    ]
    if not hosts:
        return None
    host = min(hosts, key=lambda other: max(lower - other.freq_upper, other.freq_lower - upper))
    proof = host.proof
    assert proof is not None
    first, last = min(lower, host.freq_lower), max(upper, host.freq_upper)
    is_between = any(other is not host and first < other.proof.place < last for other in proven if other.proof)
    if is_between or last - first > WIDEST_NR_HZ[proof.cell.subcarrier_spacing]:
        return None
    if carrier.references is not None and carrier.references.cell_id != proof.cell.cell_id:
        return None
    # What leaks out of a carrier has its symbols as well.
    if carrier.snr_db < host.snr_db - LEAKAGE_DB:
        return None
    host_lower, host_upper = _in_view(view, host)
    # Of the other, the part on this side, without what both have.
    if lower + upper > host_lower + host_upper:
        host_upper = max(min(host_upper, lower), host_lower + NARROWEST_GRID_HZ)
        host_lower = max(host_lower, host_upper - GRID_PART_HZ)
    else:
        host_lower = min(max(host_lower, upper), host_upper - NARROWEST_GRID_HZ)
        host_upper = min(host_upper, host_lower + GRID_PART_HZ)
    middle, half = (lower + upper) / 2, min(upper - lower, GRID_PART_HZ) / 2
    return Piece(
        carrier.key,
        host.key,
        middle - half,
        middle + half,
        host_lower,
        host_upper,
        proof.frequency,
        proof.cell.subcarrier_spacing,
        proof.cell.cell_id,
        max(lower - host.freq_upper, host.freq_lower - upper) <= upper - lower,
    )


def _middle_band(view: View, carrier: KnownCarrier) -> list[Hypothesis]:
    """A screen of the middle of an LTE carrier with both edges in sight: what is not weak is found at a third of the
    cost of a search there."""
    columns, further = LTE_CLOSE
    middle, reach = sum(_in_view(view, carrier)) / 2, columns * view.column + further + LTE_HALF_WIDTH
    lower, upper = max(middle - reach, view.lower), min(middle + reach, view.upper)
    if upper - lower < 2 * LTE_HALF_WIDTH:
        return []
    cost = MIDDLE_S * view.frame_seconds / 0.04
    return [Hypothesis(LTE_NAME, (), 0.0, SUBCARRIER_HZ, 1, False, cost, band=(lower, upper))]


def _beside(view: View, carrier: KnownCarrier) -> Hypothesis | None:
    """A search for LTE in what a region has beside an NR cell; None where there is no room, or the cell is no NR."""
    proof = carrier.proof
    if proof is None or proof.cell.technology != NR_NAME or proof.edges is not None or view.sample_rate < LOWEST_RATE:
        return None
    (lower, upper), (first, last) = _in_view(view, carrier), proof.least_edges
    sides = [(low, high) for low, high in ((lower, first), (last, upper)) if high - low >= NARROWEST_HZ[LTE_NAME]]
    if not sides:
        return None
    rest = replace(carrier, freq_lower=sides[0][0], freq_upper=sides[-1][1])
    band = _reach(view, rest, LTE_HALF_WIDTH)
    cost = _anywhere_cost(view, ANYWHERE_S[LTE_NAME] * (band[1] - band[0]))
    frames = min(ANYWHERE_FRAMES, view.frames)
    return Hypothesis(LTE_NAME, (), 0.0, SUBCARRIER_HZ, frames, False, cost, band=band)


def _uplink(view: View, carrier: KnownCarrier) -> list[Hypothesis]:
    """A search for what terminals send in a carrier; none in what a receiver may make of a stronger one."""
    strongest = max(other.snr_db for other in view.carriers if other.proof is None)
    if carrier.snr_db < strongest - LEAKAGE_DB:
        return []
    lower, upper = _in_view(view, carrier)
    frames = min(UPLINK_FRAMES, view.frames)
    around = min(upper + UPLINK_AROUND_HZ, view.upper) - max(lower - UPLINK_AROUND_HZ, view.lower)
    cost = UPLINK_S * around * frames * view.frame_seconds / 0.04
    return [Hypothesis(LTE_NAME, (), 0.0, SUBCARRIER_HZ, frames, False, cost, band=(lower, upper), uplink=carrier.key)]


def _may_have_references(view: View, carrier: KnownCarrier, edges: Sequence[tuple[float, float]]) -> bool:
    """Whether as much of a carrier is in view as shows reference signals of NR data, and it lies within none of the
    edges that cells say: that one's data would be in it."""
    lower, upper = _in_view(view, carrier)
    is_within = any(low <= carrier.freq_lower and carrier.freq_upper <= high for low, high in edges)
    return upper - lower >= NARROWEST_REFERENCES_HZ and not is_within


def _references(view: View, carrier: KnownCarrier, quarter: int) -> Hypothesis:
    """A search for reference signals of NR data in a carrier, of a quarter of the slots of a frame."""
    lower, upper = _in_view(view, carrier)
    middle, half = (lower + upper) / 2, min(upper - lower, WIDEST_REFERENCES_HZ) / 2
    frames = min(REFERENCES_FRAMES, view.frames)
    band = middle - half, middle + half
    search = Hypothesis(NR_NAME, (), 0.0, SUBCARRIER_HZ, frames, False, REFERENCES_S, band=band)
    return replace(search, references=carrier.key, quarter=quarter)


def _slices(view: View, carrier: KnownCarrier) -> list[Hypothesis]:
    return [_slice_hypothesis(view, sum(_in_view(view, carrier)) / 2)]


def _slice_hypothesis(view: View, place: float, is_renewal: bool = False) -> Hypothesis:
    frames = min(max(SLICE_FRAMES, math.ceil(SHORTEST_S / view.frame_seconds)), view.frames)
    cost = SLICE_RENEWAL_S if is_renewal else SLICE_S
    return Hypothesis(LTE_NAME, (place,), 0.0, SUBCARRIER_HZ, frames, is_renewal, cost, is_slice=True)


def _middles(carrier: KnownCarrier, view: View) -> list[float]:
    """Where the middle of an LTE carrier may be, Hz: with one edge in sight, one place for each bandwidth."""
    lower, upper = carrier.freq_lower, carrier.freq_upper
    if carrier.cut_lower == carrier.cut_upper:
        return [view.center_frequency if carrier.cut_lower else (lower + upper) / 2]
    wide_enough = [width for width in OCCUPIED_HZ.values() if width >= upper - lower - view.column]
    return [upper - width / 2 if carrier.cut_lower else lower + width / 2 for width in wide_enough]


def _renewal(view: View, carrier: KnownCarrier) -> Hypothesis:
    proof = carrier.proof
    assert proof is not None, "only a carrier with a cell"
    frames = DEEP_FRAMES if carrier.is_doubtful else 1
    if proof.slice_frequency is not None:
        return _slice_hypothesis(view, proof.slice_frequency, is_renewal=True)
    tolerance = RENEWAL_TOLERANCE[proof.cell.technology]
    if proof.cell.technology == NR_NAME:
        search = _nr_hypothesis(view, [proof.frequency], tolerance, proof.cell.subcarrier_spacing, frames, True)
        if not proof.defines_cell or proof.cell.sib1 is not None:
            return replace(search, reads_sib1=False)
        return replace(search, cost_s=search.cost_s + SIB1_S * search.frames * view.frame_seconds / 0.04)
    return _lte_hypotheses(view, [(proof.frequency, tolerance)], frames, True)[0]


def _lte_hypotheses(
    view: View, places: Sequence[tuple[float, float]], frames: int, is_renewal: bool = False
) -> list[Hypothesis]:
    """Searches of places: each of one tolerance, and of so many that it does not hold up others."""
    frames = min(frames, view.frames)
    made = []
    for tolerance in dict.fromkeys(tolerance for _, tolerance in places):
        frequencies = [frequency for frequency, other in places if other == tolerance]
        at_once = max(1, (PLACES_AT_ONCE if tolerance <= RASTER_TOLERANCE else WIDE_PLACES_AT_ONCE) // frames)
        for start in range(0, len(frequencies), at_once):
            part = tuple(frequencies[start : start + at_once])
            cost = len(part) * _lte_cost((0.0, tolerance)) * frames * view.frame_seconds / 0.04
            made.append(Hypothesis(LTE_NAME, part, tolerance, SUBCARRIER_HZ, frames, is_renewal, cost))
    return made


def _lte_cost(place: tuple[float, float]) -> float:
    return LTE_PLACE_S + LTE_OFFSET_S * place[1]


def _nr_hypothesis(
    view: View, places: Sequence[float], tolerance: float, spacing: float, frames: int, is_renewal: bool = False
) -> Hypothesis:
    frames = min(frames, view.frames)
    offsets = 1 + 2 * max(0, math.ceil((tolerance - spacing / 4) / (spacing / 2)))
    cost = (NR_PLACE_S + NR_OFFSET_S * offsets) * len(places) * frames * view.frame_seconds / 0.04
    return Hypothesis(NR_NAME, tuple(places), tolerance, spacing, frames, is_renewal, cost)


def _anywhere(view: View, carrier: KnownCarrier, technology: str) -> list[Hypothesis]:
    """Searches at any frequency of a carrier: of its own band, or, where that costs less, of the span for all carriers
    without a cell at once. For NR with either subcarrier spacing, the likelier one first; none without room for it."""
    searches = []
    is_wide = carrier.freq_upper - carrier.freq_lower > WIDE_CARRIER
    of_blocks = sorted(bands.block_spacings(view.center_frequency), reverse=is_wide)
    for spacing in [SUBCARRIER_HZ] if technology == LTE_NAME else of_blocks:
        half = _half_width(technology, spacing)
        lower, upper = _reach(view, carrier, half)
        if upper - lower < 2 * half:
            continue
        others = [_reach(view, other, half) for other in view.carriers if other.proof is None]
        of_span = _anywhere_in_span(view, technology, spacing)
        apart = sum(max(0.0, high - low) for low, high in others)
        if of_span.cost_s < _anywhere_cost(view, ANYWHERE_S[technology] * apart):
            searches.append(of_span)
        else:
            cost = _anywhere_cost(view, ANYWHERE_S[technology] * (upper - lower))
            searches.append(replace(of_span, band=(lower, upper), cost_s=cost))
    return searches


def _of_whole_span(view: View) -> list[Hypothesis]:
    """Searches of all of the span: at its centre for LTE, then at any frequency; where carriers whose edges cells prove
    leave room for another one."""
    searches = []
    room = _widest_gap(view)
    if view.sample_rate >= LOWEST_RATE and room >= min(N_RB):
        tolerance = min(LTE_TOLERANCE, max(0.0, view.sample_rate / 2 - LTE_HALF_WIDTH))
        searches = _lte_hypotheses(view, [(view.center_frequency, tolerance)], 1)
        searches.append(_anywhere_in_span(view, LTE_NAME, SUBCARRIER_HZ))
    for spacing in bands.block_spacings(view.center_frequency):
        if fits(0.0, spacing, view.sample_rate) and room >= NARROWEST_HZ[NR_NAME]:
            searches.append(_anywhere_in_span(view, NR_NAME, spacing))
    return searches


def _proven_edges(view: View) -> list[tuple[float, float]]:
    """Edges of carriers that cells say, Hz."""
    proven = [carrier.proof.edges for carrier in view.carriers if carrier.proof is not None]
    return [edges for edges in proven if edges is not None]


def _widest_gap(view: View) -> float:
    """The widest part of the span, Hz, in which no cell proves a carrier's edges."""
    widest, reach = 0.0, view.lower
    for lower, upper in sorted(_proven_edges(view)):
        widest, reach = max(widest, lower - reach), max(reach, upper)
    return max(widest, view.upper - reach)


def _anywhere_in_span(view: View, technology: str, spacing: float) -> Hypothesis:
    frames = min(ANYWHERE_FRAMES, view.frames)
    cost = _anywhere_cost(view, ANYWHERE_IN_SPAN_S[technology] * view.sample_rate)
    return Hypothesis(technology, (), 0.0, spacing, frames, False, cost, band=(view.lower, view.upper))


def _anywhere_cost(view: View, cost_s: float) -> float:
    """What costs so much in 40 ms, in the frames that are there."""
    return cost_s * min(ANYWHERE_FRAMES, view.frames) / ANYWHERE_FRAMES * view.frame_seconds / 0.04


def _half_width(technology: str, spacing: float) -> float:
    """Half of what a search needs in view around a cell's place, Hz."""
    return LTE_HALF_WIDTH if technology == LTE_NAME else SSB_SUBCARRIERS / 2 * spacing


def _reach(view: View, carrier: KnownCarrier, half: float) -> tuple[float, float]:
    """Lower and upper end in Hz of a carrier in view, with room for signals whose middle is at its edge."""
    return max(carrier.freq_lower - view.column - half, view.lower), min(
        carrier.freq_upper + view.column + half, view.upper
    )
