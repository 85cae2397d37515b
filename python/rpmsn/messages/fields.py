# SPDX-License-Identifier: GPL-3.0-or-later
"""The one table of fields: every key of every message, its kind, its unit, what it means, and where it occurs.

Made from it, and held to it by tests: the names that code uses (`keys`), how a value is encoded in a PDU, the JSON that
is published and its schema, the columns of CSV logs, the fields of SigMF annotations, the columns of the tables that
people read, and the tables of docs/messages.md (`python -m rpmsn.messages.page docs`).

    >>> FIELDS[LABEL].sigmf, FIELDS[FREQ_LOWER].unit
    ('core:label', 'Hz')
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from ..classes import CLASS_NAMES, LTE, NR, OTHER
from ..tracking import verdict

# Messages: the topics of JSON; the ports of the same content are in `PORTS`.
SEGMENT, FRAME, STATUS = TOPICS = ("segment", "frame", "status")
COMMAND = "command"
SEGMENTS, FRAMES = "segments", "frames"
PORTS = {SEGMENT: SEGMENTS, FRAME: FRAMES, STATUS: STATUS}
"""Topic of JSON -> port of GNU Radio blocks."""

# Forms of a message
PDU, JSON, LINE, CSV = "pdu", "json", "line", "csv"
"""GNU Radio message; published JSON; line of a JSON Lines log; row of a CSV log."""
ALL_FORMS = frozenset({PDU, JSON, LINE, CSV})
IN_TEXT = frozenset({JSON, LINE, CSV})

# Kinds of values
UINT64, LONG, DOUBLE, SYMBOL, BOOL, TIME, SYMBOLS, PIXELS, ANY = KINDS = (
    "uint64",
    "long",
    "double",
    "symbol",
    "bool",
    "time",
    "symbols",
    "pixels",
    "any",
)

TIME_SOURCES = ("radio", "file", "host")
EVENTS = ("new", "update", "gone")
MODES = ("live", "replay")
HEALTH_OK = "ok"
LABELS = tuple(CLASS_NAMES[class_id] for class_id in (LTE, NR, OTHER))


@dataclass(frozen=True)
class Column:
    """How a field is shown in tables that people read.

    Attributes:
        title: what it is called there.
        unit: that it is shown in.
        scale: that the value is multiplied by.
        digits: after the point; None for values that are no numbers.
        sample: a text as wide as they get.
    """

    title: str
    unit: str = ""
    scale: float = 1.0
    digits: int | None = None
    sample: str = ""

    @property
    def heading(self) -> str:
        """Title with its unit."""
        return f"{self.title} {self.unit}".rstrip()

    @property
    def is_number(self) -> bool:
        """Whether it is written to the right."""
        return self.digits is not None

    def text(self, value: Any) -> str:
        """A value as it is shown; empty where it is not known."""
        if value is None or isinstance(value, float) and math.isnan(value):
            return ""
        return str(value) if self.digits is None else f"{value * self.scale:.{self.digits}f}"


@dataclass(frozen=True)
class Field:
    """One key.

    Attributes:
        name: the key.
        kind: one of `KINDS`.
        unit: of a number; empty where it has none.
        meaning: in words.
        messages: topics in which it occurs, or `COMMAND`.
        forms: in which forms of these messages.
        required: whether it is always there; otherwise it is left out while it is not known.
        of_carrier: whether it says something of the carrier as a whole: its attribute of this name.
        choices: the values of a symbol, where there are only these.
        lowest, highest: limits of a number.
        notes: topic -> meaning, where it is another one there.
        sigmf: name in SigMF metadata; empty where it has none.
        is_global: whether SigMF has it in the global object, and not in annotations.
        column: how tables for people show it.
    """

    name: str
    kind: str
    unit: str
    meaning: str
    messages: tuple[str, ...] = (SEGMENT,)
    forms: frozenset[str] = ALL_FORMS
    required: bool = True
    of_carrier: bool = False
    choices: tuple[str, ...] = ()
    lowest: float | None = None
    highest: float | None = None
    notes: Mapping[str, str] = field(default_factory=dict)
    sigmf: str = ""
    is_global: bool = False
    column: Column | None = None

    def meaning_in(self, message: str) -> str:
        """What it means in a message."""
        return self.notes.get(message, self.meaning)


_table: dict[str, Field] = {}
FIELDS: Mapping[str, Field] = MappingProxyType(_table)
"""Name -> Field, in the order in which messages, columns and pages have them."""


def _field(name: str, *arguments: Any, **further: Any) -> str:
    """A line of the table; returns the name, which code uses."""
    _table[name] = Field(name, *arguments, **further)
    return name


def _mhz(title: str, sample: str) -> Column:
    return Column(title, "MHz", 1e-6, 3, sample)


_EVERY = TOPICS
_CELL: dict[str, Any] = {"required": False, "of_carrier": True, "forms": frozenset({PDU, JSON, LINE})}
"""Fields of a decoded cell: sent only where one is known."""

# Every message in JSON
VERSION = _field("version", LONG, "", "of the messages' format", _EVERY, frozenset({JSON}))
PUBLISHER = _field(
    "publisher", SYMBOL, "", "16 hexadecimal digits, others after every start of it", _EVERY, frozenset({JSON})
)
TOPIC = _field(
    "topic", SYMBOL, "", "which message it is; in JSON the same as its first part", _EVERY, frozenset({JSON, LINE})
)
SEQUENCE = _field(
    "sequence",
    UINT64,
    "",
    "from 0 on, per topic and start (in a log: per line); a number that is missing is a message that was lost",
    _EVERY,
    IN_TEXT,
)

# A carrier, and when it was on
EVENT = _field(
    "event",
    SYMBOL,
    "",
    "`new` (the first that is reported of a carrier), `update` (a further segment), `gone`",
    choices=EVENTS,
)
RX_TIME = _field(
    "rx_time",
    TIME,
    "s",
    "time of the first sample, UTC",
    (SEGMENT, FRAME),
    column=Column("since", "UTC", sample="88:88:88.88"),
)
RX_TIME_SECONDS = _field(
    "rx_time_seconds", DOUBLE, "s", "the same since 1970; a double holds it to 0.24 µs", (SEGMENT, FRAME), IN_TEXT
)
END_TIME = _field("end_time", TIME, "s", "time of the end, UTC", (SEGMENT,), frozenset({LINE, CSV}))
TIME_SOURCE = _field(
    "time_source",
    SYMBOL,
    "",
    "whose clock it is: `radio`, `file` or `host` (this computer)",
    (SEGMENT, FRAME),
    choices=TIME_SOURCES,
)
LABEL = _field(
    "label",
    SYMBOL,
    "",
    "the carrier's class: `LTE`, `NR` or `other`",
    of_carrier=True,
    sigmf="core:label",
    column=Column("label", sample="■ ✓ other"),
)
CLASS_ID = _field("class_id", LONG, "", "the same as a number: 1, 2, 3", of_carrier=True, lowest=0, highest=255)
CONFIDENCE = _field(
    "confidence",
    DOUBLE,
    "0..1",
    "probability that the label is right: mean over the carrier's segments, as the model's decision has it; 1 where "
    "it is proven, less what missing signals of a cell take; with `no_band` that of the label that the network gave it",
    of_carrier=True,
    lowest=0,
    highest=1,
    sigmf="rpmsn:confidence",
    column=Column("confidence", "", 1.0, 2, "0.88"),
)
VERDICT = _field(
    "verdict",
    SYMBOL,
    "",
    "`proven` (a cell was decoded), `likely` (confidence above one half: rather right than wrong), `unsure`",
    of_carrier=True,
    choices=verdict.VERDICTS,
    sigmf="rpmsn:verdict",
    column=Column("verdict", sample="unsure"),
)
EVIDENCE = _field(
    "evidence",
    SYMBOL,
    "",
    "what the verdict rests on: `network`, `sync` (PSS and SSS, or LTE's reference signals), `broadcast` (CRC of the "
    "PBCH), `uplink` (what terminals send: it is one), `data` (reference signals of NR data), `absence` (rather "
    "neither LTE nor NR: its PSS or SS/PBCH block would be seen, and is not), `no_band` (the network calls it LTE or "
    "NR, and neither has a band there)",
    of_carrier=True,
    choices=verdict.EVIDENCE,
    sigmf="rpmsn:evidence",
)
CENTER_FREQUENCY = _field(
    "center_frequency",
    DOUBLE,
    "Hz",
    "middle between the carrier's edges",
    _EVERY,
    of_carrier=True,
    notes={FRAME: "of the span; 0 if it is not known", STATUS: "as tags or commands last said; 0 if it is not known"},
    column=_mhz("centre", "88888.888"),
)
BANDWIDTH = _field(
    "bandwidth",
    DOUBLE,
    "Hz",
    "distance of the carrier's edges",
    of_carrier=True,
    lowest=0,
    column=_mhz("width", "888.888"),
)
FREQ_LOWER = _field(
    "freq_lower",
    DOUBLE,
    "Hz",
    "the carrier's lower edge",
    of_carrier=True,
    sigmf="core:freq_lower_edge",
    column=_mhz("lower", "88888.888"),
)
FREQ_UPPER = _field(
    "freq_upper",
    DOUBLE,
    "Hz",
    "the carrier's upper edge",
    of_carrier=True,
    sigmf="core:freq_upper_edge",
    column=_mhz("upper", "88888.888"),
)
CUT_LOWER = _field(
    "cut_lower",
    BOOL,
    "",
    "whether the lower edge is not known: the span ends before the carrier does, and no cell says where it is",
    of_carrier=True,
    sigmf="rpmsn:cut_lower",
)
CUT_UPPER = _field("cut_upper", BOOL, "", "the same of the upper edge", of_carrier=True, sigmf="rpmsn:cut_upper")
START_OFFSET = _field(
    "start_offset",
    UINT64,
    "samples",
    "first sample of the segment, `gone`: of the carrier",
    (SEGMENT, FRAME),
    notes={FRAME: "first sample of the frame"},
)
END_OFFSET = _field("end_offset", UINT64, "samples", "first sample after it", (SEGMENT, FRAME))
DURATION = _field("duration", DOUBLE, "s", "from the first sample to the end", (SEGMENT, FRAME), lowest=0)
SAMPLE_RATE = _field(
    "sample_rate",
    DOUBLE,
    "Hz",
    "of the stream",
    _EVERY,
    notes={FRAME: "the columns span it, half on either side of the centre", STATUS: "as tags last said"},
)
SNR_DB = _field(
    "snr_db",
    DOUBLE,
    "dB",
    "mean power of the carrier over the noise floor",
    of_carrier=True,
    sigmf="rpmsn:snr_db",
    column=Column("SNR", "dB", 1.0, 1, "-88.8"),
)
PWR_DB = _field(
    "pwr_db",
    DOUBLE,
    "dB",
    "mean power of the carrier inside its edges while it is on, over full scale (1.0)",
    of_carrier=True,
    sigmf="rpmsn:pwr_db",
)
BURST_ID = _field(
    "burst_id",
    UINT64,
    "",
    "number of the carrier, from 1 on; the same for all its segments",
    sigmf="rpmsn:carrier_id",
    column=Column("id", "", 1.0, 0, "00000"),
)
PDU_NUM = _field(
    "pdu_num",
    UINT64,
    "",
    "number of the frame",
    (SEGMENT, FRAME),
    notes={FRAME: "number of the frame, from 0 on; it jumps where frames were not sent"},
)
MODEL = _field("model", SYMBOL, "", "name of the model", _EVERY, sigmf="rpmsn:model", is_global=True)
HEALTH = _field(
    "health",
    SYMBOL,
    "",
    "of the input in this frame: `ok`, or what is wrong with it, in words",
    (SEGMENT, STATUS),
    notes={STATUS: "`ok`, or what is wrong with the input, in words: overload, NaN, a source that has stopped"},
)

INFORMATION = _field(
    "information",
    SYMBOL,
    "",
    "what to know of the input that is no fault, in words, such as a spike at the centre frequency",
    (STATUS,),
    required=False,
)

# A decoded cell: left out while none is known
CELL_ID = _field(
    "cell_id",
    LONG,
    "",
    "physical cell identity",
    **_CELL,
    lowest=0,
    highest=1007,
    sigmf="rpmsn:cell_id",
    column=Column("PCI", "", 1.0, 0, "1007"),
)
DUPLEX = _field("duplex", SYMBOL, "", "`FDD` or `TDD`", **_CELL, choices=("FDD", "TDD"), sigmf="rpmsn:duplex")
CHANNEL_BANDWIDTH = _field(
    "channel_bandwidth",
    DOUBLE,
    "Hz",
    "with the evidence `broadcast` as the cell broadcasts it (NR: in SIB1), with `sync` by where LTE's reference "
    "signals end",
    **_CELL,
    lowest=0,
    sigmf="rpmsn:channel_bandwidth",
)
BAND = _field(
    "band",
    SYMBOL,
    "",
    "operating bands that fit, such as `3` or `n77, n78`",
    **_CELL,
    sigmf="rpmsn:band",
    column=Column("band", sample="n77, n78"),
)
EARFCN = _field(
    "earfcn", LONG, "", "channel number of LTE, in the first of `band`", **_CELL, lowest=0, sigmf="rpmsn:earfcn"
)
NR_ARFCN = _field("nr_arfcn", LONG, "", "channel number of NR, of the SSB", **_CELL, lowest=0, sigmf="rpmsn:nr_arfcn")
GSCN = _field("gscn", LONG, "", "raster number of the SSB", **_CELL, lowest=0, sigmf="rpmsn:gscn")
SSB_FREQUENCY = _field("ssb_frequency", DOUBLE, "Hz", "middle of the SSB", **_CELL, sigmf="rpmsn:ssb_frequency")
PLMN = _field(
    "plmn",
    SYMBOL,
    "",
    "networks of an NR cell, country and network code such as `26201`, several with `, ` between (SIB1)",
    **_CELL,
    sigmf="rpmsn:plmn",
)
TAC = _field(
    "tac", LONG, "", "tracking area code of an NR cell (SIB1)", **_CELL, lowest=0, highest=2**24 - 1, sigmf="rpmsn:tac"
)
NCI = _field("nci", UINT64, "", "NR cell identity (SIB1)", **_CELL, lowest=0, highest=2**36 - 1, sigmf="rpmsn:nci")

# A frame; the payload of its PDU is the image
ROWS = _field("rows", LONG, "", "of image and mask: 256, fewer where the frame is shorter", (FRAME,), lowest=1)
COLUMNS = _field(
    "columns",
    LONG,
    "",
    "of image and mask: 256, or as the sink was told; then there are fewer rows",
    (FRAME,),
    lowest=2,
)
IMAGE = _field(
    "image", PIXELS, "", "power: 0 is `db_min`, 255 is `db_max` (the payload of a PDU)", (FRAME,), frozenset({JSON})
)
MASK = _field("mask", PIXELS, "", "class of every pixel, an index into `classes`", (FRAME,))
CLASSES = _field("classes", SYMBOLS, "", "names of the classes; the index is the number in `mask`", (FRAME,))
DB_MIN = _field("db_min", DOUBLE, "dB", "over the frame's noise floor: what 0 stands for", (FRAME,))
DB_MAX = _field("db_max", DOUBLE, "dB", "over the frame's noise floor: what 255 stands for", (FRAME,))
NOISE_FLOOR_DB = _field("noise_floor_db", DOUBLE, "dB", "noise power in a pixel, over full scale", (FRAME,))

# The state of things
STATUS_TIME = _field("time", TIME, "s", "of this computer, UTC", (STATUS,), frozenset({LINE}))
MODE = _field("mode", SYMBOL, "", "`live` or `replay`", (STATUS,), choices=MODES)
INPUT_RATE = _field(
    "input_rate",
    DOUBLE,
    "samples/s",
    "as they came in during the last second, by this computer's clock",
    (STATUS,),
    lowest=0,
)
SAMPLES_RECEIVED = _field("samples_received", UINT64, "samples", "taken from the source", (STATUS,))
SAMPLES_ANALYSED = _field("samples_analysed", UINT64, "samples", "looked at; a sample counts once", (STATUS,))
SAMPLES_DROPPED = _field(
    "samples_dropped",
    UINT64,
    "samples",
    "received and not looked at: the analysis was late (live), fewer than 256 were left, or a frame failed",
    (STATUS,),
)
SAMPLES_YIELDED = _field(
    "samples_yielded",
    UINT64,
    "samples",
    "of those dropped, the ones that a recording of the stream needed the processor for",
    (STATUS,),
    required=False,
)
SAMPLES_SKIPPED = _field("samples_skipped", UINT64, "samples", "left out on purpose: `duty_cycle` below 1", (STATUS,))
SAMPLES_LOST = _field(
    "samples_lost", UINT64, "samples", "never received: gaps in the time tags of the source", (STATUS,)
)
FRAMES_ANALYSED = _field("frames_analysed", UINT64, "frames", "looked at", (STATUS,))
FRAMES_DROPPED = _field(
    "frames_dropped", UINT64, "frames", "whole frames that were dropped because the analysis was late", (STATUS,)
)
OVERFLOWS = _field("overflows", UINT64, "", "gaps so far", (STATUS,))
COVERAGE = _field(
    "coverage",
    DOUBLE,
    "0..1",
    "analysed / (analysed + dropped + skipped); samples that still wait and gaps do not count",
    (STATUS,),
    lowest=0,
    highest=1,
)
JUDGED = _field(
    "judged",
    DOUBLE,
    "0..1",
    "frames whose input was fit to be judged / frames analysed; the others are not empty, but unknown",
    (FRAME, STATUS),
    required=False,
    lowest=0,
    highest=1,
    notes={FRAME: "0 where the input was not fit to be judged, so that nothing is known; else left out"},
)
REAL_TIME_FACTOR = _field(
    "real_time_factor", DOUBLE, "", "seconds of signal analysed per second since the start", (STATUS,), lowest=0
)
QUEUE = _field("queue", LONG, "frames", "that wait to be analysed", (STATUS,), lowest=0)
LATENCY = _field("latency", DOUBLE, "s", "from a frame's last sample to its result", (STATUS,))
INFERENCE_TIME = _field("inference_time", DOUBLE, "s", "work on the last frame: image, network, segments", (STATUS,))
CELLS_FOUND = _field(
    "cells_found", LONG, "", "carriers on the air with a decoded cell", (STATUS,), required=False, lowest=0
)
SEARCHES_WAITING = _field(
    "searches_waiting",
    LONG,
    "",
    "carriers whose search for cells is due and waits for its share of a core",
    (STATUS,),
    required=False,
    lowest=0,
)
CELL_LOAD = _field(
    "cell_load",
    DOUBLE,
    "cores",
    "that the search for cells took since the start (live), or is estimated to take (replay)",
    (STATUS,),
    required=False,
    lowest=0,
)
RECEIVER_PPM = _field(
    "receiver_ppm",
    DOUBLE,
    "ppm",
    "frequency error of the receiver as its cells show it, beyond what is corrected: above 0 where it hears too high",
    (STATUS,),
    required=False,
)
RUNTIME = _field("runtime", SYMBOL, "", "what runs the network, such as `torch`", (STATUS,))
ERROR = _field(
    "error",
    SYMBOL,
    "",
    "what failed, in words; the key is there for ten seconds after a failure",
    (STATUS,),
    required=False,
)
MESSAGES_SENT = _field(
    "messages_sent",
    UINT64,
    "",
    "by this publisher since its start, over all topics, before this one",
    (STATUS,),
    frozenset({JSON}),
)
MESSAGES_DROPPED = _field(
    "messages_dropped",
    UINT64,
    "",
    "likewise: dropped, because too many waited to be encoded",
    (STATUS,),
    frozenset({JSON}),
)
MESSAGES_REFUSED = _field(
    "messages_refused",
    UINT64,
    "",
    "likewise: skipped, because they were not right; the log says why",
    (STATUS,),
    frozenset({JSON}),
)

# Commands to a block
FREQ = _field(
    "freq", DOUBLE, "Hz", "centre frequency from here on, for sources that do not tag it", (COMMAND,), frozenset({PDU})
)
RESET = _field(
    "reset", ANY, "", "forget the carriers: each is `gone`; numbers go on", (COMMAND,), frozenset({PDU}), required=False
)

# Only in SigMF metadata
DATASET = _field(
    "dataset",
    SYMBOL,
    "",
    "name of the data file where that is in another folder",
    (),
    required=False,
    sigmf="rpmsn:dataset",
    is_global=True,
)
FINGERPRINT = _field(
    "fingerprint",
    SYMBOL,
    "",
    "of what the annotations were made from: version, model and settings, size and time of change of the samples and "
    "of their metadata; `rpmsn annotate --resume` compares it",
    (),
    required=False,
    sigmf="rpmsn:fingerprint",
    is_global=True,
)
LOST = _field(
    "lost",
    UINT64,
    "",
    "annotations of a log that could not be kept",
    (),
    required=False,
    sigmf="rpmsn:lost",
    is_global=True,
)


def fields_of(message: str, form: str) -> tuple[Field, ...]:
    """The fields of a message in one of its forms, in the order of the table."""
    return tuple(one for one in FIELDS.values() if message in one.messages and form in one.forms)


def required_keys(message: str, form: str = PDU) -> tuple[str, ...]:
    """The keys that a reader may count on."""
    return tuple(one.name for one in fields_of(message, form) if one.required)


def kind_of(key: str) -> str | None:
    """Kind of a value; None for a key that is none of ours."""
    return FIELDS[key].kind if key in FIELDS else None


def sigmf_fields(is_global: bool = False) -> tuple[Field, ...]:
    """The fields that SigMF annotations have, or the global object."""
    return tuple(one for one in FIELDS.values() if one.sigmf and one.is_global == is_global)


def column_of(key: str) -> Column:
    """How tables for people show a field.

    Raises:
        KeyError: no table shows it.
    """
    column = FIELDS[key].column
    if column is None:
        raise KeyError(f"{key} has no column in the table of fields")
    return column


SEGMENT_KEYS, FRAME_KEYS, STATUS_KEYS = (required_keys(topic) for topic in TOPICS)
"""What a reader of each port may count on."""
CARRIER_FIELDS = tuple(one for one in FIELDS.values() if one.of_carrier)
"""What messages and files say of a carrier as a whole, whatever they are about."""
CSV_COLUMNS = tuple(one.name for one in fields_of(SEGMENT, CSV))
"""Columns of a CSV log, in this order."""
