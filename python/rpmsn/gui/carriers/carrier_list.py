# SPDX-License-Identifier: GPL-3.0-or-later
"""Carriers as the segment messages tell of them, in bounded memory (no Qt).

>>> carriers = CarrierList()
>>> fields = {"label": "LTE", "confidence": 0.98, "freq_lower": 1.86e9, "freq_upper": 1.87e9, "burst_id": 7,
...           "start_offset": 0, "end_offset": 400_000, "sample_rate": 10e6, "event": "new", "pdu_num": 0}
>>> carriers.add(fields)
>>> [(carrier.carrier_id, carrier.label, carrier.bandwidth) for carrier in carriers.rows()]
[(7, 'LTE', 10000000.0)]
"""

import dataclasses
import itertools
import math
from collections import deque

from ...classes import CLASS_NAMES, OTHER
from ...messages import keys
from .occupancy import Occupancy, Timeline

MAX_ON_AIR = 1000
"""Carriers on the air that are followed at once; those that were silent for longest count as gone."""
MAX_GONE = 300
"""Carriers that are gone and still listed."""
SILENT_SECONDS = 60.0
"""A carrier that nothing was heard of for so long is gone, even if the message that says so was lost."""
FOLLOW_MEANS = 0.1
FOLLOW_OUTWARDS, FOLLOW_INWARDS = 0.3, 0.02
"""How far a value goes towards that of a new segment. Edges go inwards slowly: a burst is narrower than its carrier."""
WHOLE_EVENT = "whole"
"""Beside the events of messages: what is known of the whole of a carrier that is not gone; its recording has ended."""
ENDS = ("gone", WHOLE_EVENT)
LATE_SECONDS = 2.0
"""Messages that lie further back than this belong to a stream that has begun anew."""
OFFSETS = (keys.START_OFFSET, keys.END_OFFSET)
NUMBERS = (keys.CONFIDENCE, keys.FREQ_LOWER, keys.FREQ_UPPER, keys.SAMPLE_RATE)


@dataclasses.dataclass(slots=True, eq=False)
class ListedCarrier:
    """One carrier; the names are those of `rpmsn.tracking.carrier.Carrier`, so that the writers of files take it.

    Attributes:
        key: number in the list, never used twice.
        carrier_id: `burst_id` of the messages; a stream that begins anew uses it again.
        label: class.
        confidence: 0..1.
        freq_lower, freq_upper: edges, Hz; absolute where the centre frequency is known.
        sample_start, sample_end: samples since the stream began; the end is the first sample after.
        sample_rate: Hz.
        snr_db, pwr_db: dB; NaN where unknown.
        since: (whole s, fraction) UTC of the first sample; None where there is no clock.
        time_source: whose clock, `radio`, `file` or `host`.
        model: name of the model.
        occupancy: when it was on the air.
        counted_from: first sample that was reported while it was on: before a carrier is sure nothing is.
        gone: whether it has ended.
    """

    key: int
    carrier_id: int
    label: str
    confidence: float
    freq_lower: float
    freq_upper: float
    sample_start: int
    sample_end: int
    sample_rate: float
    snr_db: float = math.nan
    pwr_db: float = math.nan
    since: tuple | None = None
    time_source: str = "host"
    model: str = ""
    occupancy: Occupancy = dataclasses.field(default_factory=Occupancy)
    counted_from: int = 0
    gone: bool = False

    @property
    def class_id(self) -> int:
        """Number of the class."""
        return CLASS_NAMES.index(self.label) if self.label in CLASS_NAMES else OTHER

    @property
    def center_frequency(self) -> float:
        """Middle between the edges, Hz."""
        return (self.freq_lower + self.freq_upper) / 2

    @property
    def bandwidth(self) -> float:
        """Distance of the edges, Hz."""
        return self.freq_upper - self.freq_lower

    @property
    def sample_count(self) -> int:
        """From the first sample to the end."""
        return self.sample_end - self.sample_start

    @property
    def duration(self) -> float:
        """The same in seconds."""
        return self.sample_count / self.sample_rate

    def share_on_air(self, timeline: Timeline) -> float:
        """Fraction of the time with a segment in it, 0..1: of what was looked at from its first sample to now, or to
        its end."""
        end = self.sample_end if self.gone else timeline.end
        return min(1.0, self.occupancy.samples / max(1.0, timeline.analysed_between(self.counted_from, end)))


class CarrierList:
    """Carriers on the air, and the last ones that are gone.

    Args:
        max_on_air, max_gone: how many of each are kept.

    Attributes:
        timeline: of the occupancy; None before the first frame or segment.
        sample_rate: Hz, of the stream; None before that.
        newest_since: `since` of the carrier that came last.
        is_absolute: whether frequencies are absolute, as far as frames have told.
    """

    def __init__(self, max_on_air: int = MAX_ON_AIR, max_gone: int = MAX_GONE):
        self._max_on_air = max_on_air
        self._keys = itertools.count(1)
        self._gone = deque(maxlen=max_gone)
        self.is_absolute = True
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._on_air = {}
        self._gone.clear()
        self.timeline = None
        self.sample_rate = None
        self.newest_since = None

    def clear_gone(self) -> None:
        """Forget the carriers that are gone."""
        self._gone.clear()

    def rows(self) -> list:
        """All carriers (list of ListedCarrier), in the order in which they came."""
        return sorted([*self._gone, *self._on_air.values()], key=lambda carrier: carrier.key)

    @property
    def now(self) -> int:
        """The newest sample that is known of."""
        return self.timeline.end if self.timeline else 0

    @property
    def count_on_air(self) -> int:
        """How many carriers are on the air."""
        return len(self._on_air)

    def find(self, carrier_id):
        """The latest carrier of a number, None where there is none."""
        found = self._on_air.get(carrier_id)
        if found is None:
            found = next((carrier for carrier in reversed(self._gone) if carrier.carrier_id == carrier_id), None)
        return found

    def add(self, fields: dict) -> None:
        """Take in a segment message.

        Args:
            fields: dict of the PDU, keys as in `keys.SEGMENT_KEYS`; further keys do not matter. The event may be
                `WHOLE_EVENT`, too.

        Raises:
            ValueError: something that is needed is missing or cannot be; the message names it.
        """
        values = _checked(fields)
        event = fields.get(keys.EVENT)
        # What is reported a whole carrier may be long ago.
        if event not in ENDS or self.timeline is None:
            self._follow_stream(values[keys.START_OFFSET], values[keys.END_OFFSET], values[keys.SAMPLE_RATE])
        carrier = self._on_air.get(values[keys.BURST_ID])
        if carrier is not None and event == "new":
            self._end(carrier)
            carrier = None
        if carrier is None:
            carrier = self._begin(fields, values)
        if event in ENDS:
            _take_whole(carrier, fields, values)
            if event == "gone":
                self._end(carrier)
        else:
            _take_segment(carrier, fields, values)
            carrier.occupancy.add(
                values[keys.START_OFFSET], values[keys.END_OFFSET], fields.get(keys.PDU_NUM), self.timeline
            )

    def advance(self, offset: int) -> None:
        """Tell that the stream has come as far as a sample, whether or not there was a segment."""
        if self.timeline is None or offset <= self.timeline.end:
            return
        for _ in range(self.timeline.reach(offset)):
            for carrier in (*self._gone, *self._on_air.values()):
                carrier.occupancy.halve()

    def add_frame(self, start: int, end: int, number: int, sample_rate: float) -> None:
        """Tell that a frame was analysed: its samples, its number and its rate in Hz; see `Timeline.analyse`."""
        self._follow_stream(start, end, sample_rate)
        self.timeline.analyse(start, end, number)

    def end_silent(self) -> None:
        """Carriers that nothing was heard of for long are gone."""
        for carrier in list(self._on_air.values()):
            if (self.now - carrier.sample_end) / carrier.sample_rate > SILENT_SECONDS:
                self._end(carrier)

    def _follow_stream(self, start: int, end: int, rate: float) -> None:
        """A stream at another rate, or one that begins anew, ends all carriers of the one before."""
        is_anew = self.timeline is not None and end < self.timeline.end - LATE_SECONDS * rate
        if self.timeline is None or is_anew or rate != self.sample_rate:
            for carrier in list(self._on_air.values()):
                self._end(carrier)
            for carrier in self._gone:
                carrier.occupancy.bins[:] = 0
            self.sample_rate = rate
            self.timeline = Timeline.of(start, rate)
        self.advance(end)

    def _begin(self, fields: dict, values: dict) -> ListedCarrier:
        """A carrier that was not there; where there are too many, the one that was silent for longest is gone."""
        if len(self._on_air) >= self._max_on_air:
            self._end(min(self._on_air.values(), key=lambda carrier: carrier.sample_end))
        carrier = ListedCarrier(
            key=next(self._keys),
            carrier_id=values[keys.BURST_ID],
            label=str(fields[keys.LABEL]),
            confidence=values[keys.CONFIDENCE],
            freq_lower=values[keys.FREQ_LOWER],
            freq_upper=values[keys.FREQ_UPPER],
            counted_from=values[keys.START_OFFSET],
            sample_start=values[keys.START_OFFSET],
            sample_end=values[keys.END_OFFSET],
            sample_rate=values[keys.SAMPLE_RATE],
            snr_db=_number(fields.get(keys.SNR_DB)),
            pwr_db=_number(fields.get(keys.PWR_DB)),
            since=_time(fields.get(keys.RX_TIME)),
            time_source=str(fields.get(keys.TIME_SOURCE, "host")),
            model=str(fields.get(keys.MODEL, "")),
        )
        self._on_air[carrier.carrier_id] = carrier
        self.newest_since = carrier.since
        return carrier

    def _end(self, carrier: ListedCarrier) -> None:
        carrier.gone = True
        del self._on_air[carrier.carrier_id]
        self._gone.append(carrier)


def _take_segment(carrier: ListedCarrier, fields: dict, values: dict) -> None:
    """Bring a carrier up to date with one of its segments."""
    carrier.label = str(fields[keys.LABEL])
    carrier.sample_end = max(carrier.sample_end, values[keys.END_OFFSET])
    carrier.confidence = _follow(carrier.confidence, values[keys.CONFIDENCE])
    carrier.snr_db = _follow(carrier.snr_db, _number(fields.get(keys.SNR_DB)))
    carrier.pwr_db = _follow(carrier.pwr_db, _number(fields.get(keys.PWR_DB)))
    lower, upper = values[keys.FREQ_LOWER], values[keys.FREQ_UPPER]
    carrier.freq_lower += (lower - carrier.freq_lower) * (
        FOLLOW_OUTWARDS if lower < carrier.freq_lower else FOLLOW_INWARDS
    )
    carrier.freq_upper += (upper - carrier.freq_upper) * (
        FOLLOW_OUTWARDS if upper > carrier.freq_upper else FOLLOW_INWARDS
    )


def _take_whole(carrier: ListedCarrier, fields: dict, values: dict) -> None:
    """What the message about a carrier that is gone says holds for the whole of it."""
    carrier.label, carrier.confidence = str(fields[keys.LABEL]), values[keys.CONFIDENCE]
    carrier.freq_lower, carrier.freq_upper = values[keys.FREQ_LOWER], values[keys.FREQ_UPPER]
    carrier.sample_start = min(carrier.sample_start, values[keys.START_OFFSET])
    carrier.sample_end = max(carrier.sample_end, values[keys.END_OFFSET])
    carrier.snr_db, carrier.pwr_db = _number(fields.get(keys.SNR_DB)), _number(fields.get(keys.PWR_DB))


def _follow(mean: float, value: float) -> float:
    """A running mean; what is not known does not change it."""
    if math.isnan(value):
        return mean
    return value if math.isnan(mean) else mean + FOLLOW_MEANS * (value - mean)


def _checked(fields: dict) -> dict:
    """The numbers that are needed, checked."""
    try:
        values = {key: int(fields[key]) for key in (*OFFSETS, keys.BURST_ID)}
        values |= {key: float(fields[key]) for key in NUMBERS}
        fields[keys.LABEL]
    except KeyError as error:
        raise ValueError(f"a segment without {error.args[0]}") from error
    except (TypeError, OverflowError) as error:
        raise ValueError(f"a segment with a value of a wrong kind: {error}") from error
    lower, upper = values[keys.FREQ_LOWER], values[keys.FREQ_UPPER]
    if not all(math.isfinite(values[key]) for key in NUMBERS) or upper <= lower or values[keys.SAMPLE_RATE] <= 0:
        raise ValueError(
            f"a segment from {lower} to {upper} Hz, confidence {values[keys.CONFIDENCE]}, at "
            f"{values[keys.SAMPLE_RATE]} Hz; finite numbers are needed, and an upper edge above the lower"
        )
    if not 0 <= values[keys.START_OFFSET] < values[keys.END_OFFSET]:
        raise ValueError(
            f"a segment of the samples {values[keys.START_OFFSET]} to {values[keys.END_OFFSET]}; the end "
            "has to lie after the start"
        )
    return values


def _number(value) -> float:
    """A float, NaN where it is unknown."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan


def _time(value):
    """(whole s, fraction), None where it is unknown."""
    try:
        seconds, fraction = value
        return int(seconds), float(fraction)
    except (TypeError, ValueError):
        return None
