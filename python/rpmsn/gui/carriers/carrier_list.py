# SPDX-License-Identifier: GPL-3.0-or-later
"""Carriers as they were last reported by segment messages, and when they were on; in bounded memory (no Qt).

Nothing is decided here: label, edges and all else are those of the last message.

>>> carriers = CarrierList()
>>> fields = {"label": "LTE", "confidence": 0.98, "freq_lower": 1.86e9, "freq_upper": 1.87e9, "burst_id": 7,
...           "start_offset": 0, "end_offset": 400_000, "sample_rate": 10e6, "event": "new", "pdu_num": 0}
>>> carriers.add(fields)
>>> [(carrier.carrier_id, carrier.label, carrier.bandwidth) for carrier in carriers.rows()]
[(7, 'LTE', 10000000.0)]
"""

import dataclasses
import itertools
from collections import deque
from collections.abc import Mapping
from typing import Any

from ...messages import keys
from ...messages.report import Report, check_report
from ...tracking.verdict import UNSURE
from .occupancy import Occupancy, Timeline

MAX_ON_AIR = 1000
"""Carriers on the air that are followed at once; those that were silent for longest count as gone."""
MAX_GONE = 300
"""Carriers that are gone and still listed."""
SILENT_SECONDS = 60.0
"""A carrier of which no message came for so long is gone, even if the message that says so was lost."""
WHOLE_EVENT = "whole"
"""Next to the events of messages: all of a carrier that is still on the air when its recording ends."""
ENDS = ("gone", WHOLE_EVENT)
SAME_PLACE = 0.5
"""A carrier of a class that comes where one of that class was, with more than this part of the band of both in common,
has come again."""
MAX_VISITS = 200
"""Times on the air that are kept of a carrier."""
FAINT_SNR_DB, FAINT_SECONDS = 0.0, 1e-3
"""What nobody is sure of and is weaker than the noise, or was on the air for less than a subframe, says nothing."""
LATE_SECONDS = 2.0
"""Messages that lie further back than this belong to a stream that has restarted."""


@dataclasses.dataclass(frozen=True, slots=True)
class Visit:
    """A carrier from when it came until it went: the last message of it, its samples and the UTC of the first."""

    report: Report
    sample_start: int
    sample_end: int
    since: tuple[int, float] | None


@dataclasses.dataclass(slots=True, eq=False)
class CarrierRow:
    """A row of the list. What messages say (`label`, `freq_lower`...) can be read from it by name: see `Report`.

    Attributes:
        key: number in the list, never used twice.
        report: the last message.
        sample_start, sample_end: samples since the stream began; the end is the first sample after.
        since: (whole s, fraction) UTC of the first sample; None where there is no clock.
        counted_from: first sample that was reported while it was on.
        occupancy: when it was on the air.
        gone: whether it has ended.
        visits: times before this one that it was on the air, the last `MAX_VISITS`.
        times: how often it has come.
        visit_start, visit_since: first sample of this time, and its UTC.
        stream: goes up with each stream whose samples are counted anew.
    """

    key: int
    report: Report
    sample_start: int
    sample_end: int
    since: tuple[int, float] | None
    counted_from: int
    occupancy: Occupancy = dataclasses.field(default_factory=Occupancy)
    gone: bool = False
    visits: deque[Visit] = dataclasses.field(default_factory=lambda: deque(maxlen=MAX_VISITS))
    times: int = 1
    visit_start: int = 0
    visit_since: tuple[int, float] | None = None
    stream: int = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(object.__getattribute__(self, "report"), name)

    @property
    def carrier_id(self) -> int:
        """`burst_id` of the messages; a stream that restarts uses it again."""
        return self.report.burst_id or 0

    @property
    def sample_count(self) -> int:
        """From the first sample to the end."""
        return self.sample_end - self.sample_start

    @property
    def duration(self) -> float:
        """The same in seconds."""
        return self.sample_count / self.report.sample_rate

    @property
    def is_faint(self) -> bool:
        """Whether there is too little of it to mean anything."""
        on_air = self.occupancy.samples / self.report.sample_rate
        return self.report.verdict == UNSURE and (self.report.snr_db < FAINT_SNR_DB or on_air < FAINT_SECONDS)

    def fraction_on_air(self, timeline: Timeline) -> float:
        """Fraction of the time with a segment in it, 0..1: of what was looked at from its first sample to now, or to
        its end."""
        end = self.sample_end if self.gone else timeline.end
        return min(1.0, self.occupancy.samples / max(1.0, timeline.analysed_between(self.counted_from, end)))

    def each_time(self) -> "list[CarrierRow]":
        """The carrier as it was each time that it was on the air."""
        return [
            dataclasses.replace(
                self, **{name: getattr(visit, name) for name in Visit.__slots__}, visits=deque(), times=1
            )
            for visit in (*self.visits, self.visit)
        ]

    @property
    def visit(self) -> Visit:
        """This time, as far as it has come."""
        return Visit(self.report, self.visit_start, self.sample_end, self.visit_since)

    def come_again(self, report: Report) -> None:
        """It is on the air once more."""
        self.visits.append(self.visit)
        self.times += 1
        self.report, self.gone = report, False
        self.visit_start, self.visit_since = report.start_offset, report.rx_time

    def follow(self, before: "CarrierRow") -> None:
        """It is another one that has come again, as was not known before that one was gone."""
        self.visits = deque([*before.visits, before.visit, *self.visits], maxlen=MAX_VISITS)
        self.times += before.times
        self.key, self.counted_from = before.key, before.counted_from
        self.sample_start, self.since = before.sample_start, before.since
        self.occupancy.add_earlier(before.occupancy)

    def take(self, report: Report) -> None:
        """A further message says what it is now, and how far it has come."""
        self.report = report
        if report.start_offset < self.visit_start:
            self.visit_start, self.visit_since = report.start_offset, report.rx_time
        if report.start_offset < self.sample_start:
            self.sample_start, self.since = report.start_offset, report.rx_time
        self.sample_end = max(self.sample_end, report.end_offset)


class CarrierList:
    """Carriers on the air, and the last ones that are gone.

    Args:
        max_on_air, max_gone: how many of each are kept.

    Attributes:
        timeline: of the occupancy; None before the first frame or segment.
        sample_rate: Hz, of the stream; None before that.
        newest_since: `since` of the carrier that came last.
        is_absolute: whether frequencies are absolute, as far as frames have said.
    """

    timeline: Timeline | None
    sample_rate: float | None
    newest_since: tuple[int, float] | None

    def __init__(self, max_on_air: int = MAX_ON_AIR, max_gone: int = MAX_GONE):
        self._max_on_air = max_on_air
        self._keys = itertools.count(1)
        self._stream = 0
        self._gone: deque[CarrierRow] = deque(maxlen=max_gone)
        self.is_absolute = True
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._on_air: dict[int, CarrierRow] = {}
        self._gone.clear()
        self.timeline = None
        self.sample_rate = None
        self.newest_since = None
        self._number: int | None = None

    def clear_gone(self) -> None:
        """Forget the carriers that are gone."""
        self._gone.clear()

    def rows(self) -> list[CarrierRow]:
        """All carriers, in the order in which they came."""
        return sorted([*self._gone, *self._on_air.values()], key=lambda carrier: carrier.key)

    @property
    def now(self) -> int:
        """The newest sample that is known of."""
        return self.timeline.end if self.timeline else 0

    @property
    def count_on_air(self) -> int:
        """How many carriers are on the air."""
        return len(self._on_air)

    @property
    def has_clock(self) -> bool:
        """Whether times are UTC, as far as carriers have said."""
        return self.newest_since is not None or not (self._on_air or self._gone)

    def find(self, carrier_id: int) -> CarrierRow | None:
        """The latest carrier of a number, None where there is none."""
        found = self._on_air.get(carrier_id)
        if found is not None:
            return found
        rows = [*reversed(self._gone), *self._on_air.values()]
        was = (carrier for carrier in rows if any(visit.report.burst_id == carrier_id for visit in carrier.visits))
        return next((carrier for carrier in self._gone_newest() if carrier.carrier_id == carrier_id), next(was, None))

    def add(self, fields: Mapping[str, Any]) -> None:
        """Add a segment message.

        Args:
            fields: dict of the PDU, keys as in `keys.SEGMENT_KEYS`; further keys do not matter. The event may be
                `WHOLE_EVENT`, too.

        Raises:
            ValueError: something that is needed is missing or cannot be; the message names it.
        """
        report = check_report(fields)
        if report.burst_id is None:
            raise ValueError(f"a segment without {keys.BURST_ID}")
        if not report.sample_rate > 0:
            raise ValueError(
                f"a segment with {keys.SAMPLE_RATE} = {fields.get(keys.SAMPLE_RATE)}; a finite number above 0 is needed"
            )
        timeline = self.timeline
        # A message about a whole carrier may be about what was long ago.
        if report.event not in ENDS or timeline is None:
            timeline = self._follow_stream(report.start_offset, report.end_offset, report.sample_rate, report.pdu_num)
        carrier = self._on_air.get(report.burst_id)
        if carrier is not None and report.event == "new":
            self._end(carrier)
            carrier = None
        if carrier is None:
            carrier = self._begin(report)
        carrier.take(report)
        if report.event == "gone":
            self._end(carrier)
        elif report.event not in ENDS:
            carrier.occupancy.add(report.start_offset, report.end_offset, report.pdu_num, timeline)

    def advance(self, offset: int) -> None:
        """Note that the stream has come as far as a sample, whether or not there was a segment."""
        if self.timeline is None or offset <= self.timeline.end:
            return
        for _ in range(self.timeline.reach(offset)):
            for carrier in (*self._gone, *self._on_air.values()):
                carrier.occupancy.halve()

    def add_frame(self, start: int, end: int, number: int, sample_rate: float, judged: float = 1.0) -> None:
        """Note that a frame was analysed: its samples, its number, its rate in Hz, whether it was judged; see
        `Timeline.analyse`."""
        self._follow_stream(start, end, sample_rate, number).analyse(start, end, number, judged)

    def end_silent(self) -> None:
        """Carriers of which no message came for long are gone."""
        for carrier in list(self._on_air.values()):
            if (self.now - carrier.sample_end) / carrier.sample_rate > SILENT_SECONDS:
                self._end(carrier)

    def _follow_stream(self, start: int, end: int, rate: float, number: int | None) -> Timeline:
        """A stream at another rate, or one that has restarted, ends all carriers of the one before.

        A message of a frame that is not older than the last one belongs to this stream, however far it reaches back: a
        carrier that was long a candidate is reported from its first segment on.
        """
        is_older = number is None or self._number is None or number < self._number
        is_anew = is_older and self.timeline is not None and end < self.timeline.end - LATE_SECONDS * rate
        self._number = number
        if self.timeline is None or is_anew or rate != self.sample_rate:
            for carrier in list(self._on_air.values()):
                self._end(carrier)
            for carrier in self._gone:
                carrier.occupancy.bins[:] = 0
            self.sample_rate = rate
            self._stream += 1
            self.timeline = Timeline.of(start, rate)
        self.advance(end)
        return self.timeline

    def _begin(self, report: Report) -> CarrierRow:
        """A carrier that was not there, or has come again; of too many, the one that was silent for longest is gone."""
        if len(self._on_air) >= self._max_on_air:
            self._end(min(self._on_air.values(), key=lambda carrier: carrier.sample_end))
        carrier = next(
            (row for row in self._gone_newest() if self._has_returned(row, report, report.start_offset)), None
        )
        if carrier is not None:
            self._gone.remove(carrier)
            carrier.come_again(report)
        else:
            carrier = CarrierRow(
                key=next(self._keys),
                report=report,
                sample_start=report.start_offset,
                sample_end=report.end_offset,
                since=report.rx_time,
                counted_from=report.start_offset,
                visit_start=report.start_offset,
                visit_since=report.rx_time,
                stream=self._stream,
            )
        self._on_air[carrier.carrier_id] = carrier
        self.newest_since = carrier.since
        return carrier

    def _gone_newest(self) -> "reversed[CarrierRow]":
        return reversed(self._gone)

    def _has_returned(self, carrier: CarrierRow, report: Report, start: int) -> bool:
        """Whether a carrier that began at a sample is one that is gone."""
        both = min(carrier.freq_upper, report.freq_upper) - max(carrier.freq_lower, report.freq_lower)
        whole = max(carrier.freq_upper, report.freq_upper) - min(carrier.freq_lower, report.freq_lower)
        is_same_cell = carrier.cell_id == report.cell_id or None in (carrier.cell_id, report.cell_id)
        is_later = start >= carrier.sample_end and carrier.stream == self._stream
        return carrier.label == report.label and is_same_cell and is_later and both > SAME_PLACE * whole

    def _end(self, carrier: CarrierRow) -> None:
        carrier.gone = True
        del self._on_air[carrier.carrier_id]
        for next_one in self._on_air.values():
            if next_one.times == 1 and self._has_returned(carrier, next_one.report, next_one.sample_start):
                next_one.follow(carrier)
                return
        self._gone.append(carrier)
