# SPDX-License-Identifier: GPL-3.0-or-later
"""A message on `segments`, checked: what a carrier is reported to be, and when it was on.

Receivers (picture, table, exports) show this and decide nothing: label, edges and all else are the tracker's.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from ..classes import CLASS_NAMES, OTHER
from . import keys

NUMBERS = (keys.CONFIDENCE, keys.FREQ_LOWER, keys.FREQ_UPPER)
Kind = TypeVar("Kind")
OFFSETS = (keys.START_OFFSET, keys.END_OFFSET)


@dataclass(frozen=True, slots=True)
class Report:
    """What one message says; the names are those of the keys.

    Attributes:
        event: one of `keys.EVENTS`; another word where the sender has one, "" where it has none.
        burst_id: number of the carrier; None where the sender names none.
        label, class_id, confidence, verdict, evidence: the carrier's class, and how sure it is.
        center_frequency, bandwidth, freq_lower, freq_upper: Hz.
        cut_lower, cut_upper: whether an edge was never seen.
        start_offset, end_offset: samples since the stream began; of the segment, or of the whole carrier.
        sample_rate: Hz; NaN where it is not known.
        snr_db, pwr_db: dB; NaN where they are not known.
        rx_time: (whole s, fraction) UTC of the first sample; None where it is not known.
        time_source: whose clock that is.
        pdu_num: number of the frame; None where it is not known.
        model: name of the model.
        cell_id, duplex, channel_bandwidth, band, earfcn, nr_arfcn, gscn, ssb_frequency, plmn, tac, nci: of a decoded
            cell; None where they are not known.
    """

    event: str
    burst_id: int | None
    label: str
    class_id: int
    confidence: float
    verdict: str
    evidence: str
    center_frequency: float
    bandwidth: float
    freq_lower: float
    freq_upper: float
    cut_lower: bool
    cut_upper: bool
    start_offset: int
    end_offset: int
    sample_rate: float
    snr_db: float
    pwr_db: float
    rx_time: tuple[int, float] | None
    time_source: str
    pdu_num: int | None
    model: str
    cell_id: int | None = None
    duplex: str | None = None
    channel_bandwidth: float | None = None
    band: str | None = None
    earfcn: int | None = None
    nr_arfcn: int | None = None
    gscn: int | None = None
    ssb_frequency: float | None = None
    plmn: str | None = None
    tac: int | None = None
    nci: int | None = None


def check_report(fields: Mapping[str, Any]) -> Report:
    """Check what a segment message holds.

    Args:
        fields: the PDU's dict, keys as in `keys.SEGMENT_KEYS`; label, confidence, edges and offsets have to be
            there, further keys do not matter.

    Raises:
        ValueError: something is missing or cannot be; the message names it.
    """
    try:
        start, end = (int(fields[key]) for key in OFFSETS)
        confidence, lower, upper = (float(fields[key]) for key in NUMBERS)
        label = str(fields[keys.LABEL])
        burst_id, pdu_num, cell_id = (_known(fields, key, int) for key in (keys.BURST_ID, keys.PDU_NUM, keys.CELL_ID))
        tac, nci = (_known(fields, key, int) for key in (keys.TAC, keys.NCI))
        earfcn, nr_arfcn, gscn = (_known(fields, key, int) for key in (keys.EARFCN, keys.NR_ARFCN, keys.GSCN))
        channel_bandwidth, ssb_frequency = (
            _known(fields, key, float) for key in (keys.CHANNEL_BANDWIDTH, keys.SSB_FREQUENCY)
        )
    except KeyError as error:
        raise ValueError(f"a segment without {error.args[0]}") from error
    except (TypeError, OverflowError) as error:
        raise ValueError(f"a segment with a value of a wrong kind: {error}") from error
    if not all(map(math.isfinite, (confidence, lower, upper))) or upper <= lower:
        raise ValueError(
            f"a segment without extent: from {lower} to {upper} Hz, confidence {confidence}; finite numbers are "
            "needed, and an upper edge above the lower"
        )
    if not 0 <= start < end < 2**64:
        raise ValueError(f"a segment without extent: samples {start} to {end}; the end has to lie after the start")
    known = CLASS_NAMES.index(label) if label in CLASS_NAMES else OTHER
    return Report(
        event=str(fields.get(keys.EVENT, "")),
        burst_id=burst_id,
        label=label,
        class_id=int(fields.get(keys.CLASS_ID, known)),
        confidence=confidence,
        verdict=str(fields.get(keys.VERDICT, "")),
        evidence=str(fields.get(keys.EVIDENCE, "")),
        center_frequency=_number(fields.get(keys.CENTER_FREQUENCY, (lower + upper) / 2)),
        bandwidth=_number(fields.get(keys.BANDWIDTH, upper - lower)),
        freq_lower=lower,
        freq_upper=upper,
        cut_lower=bool(fields.get(keys.CUT_LOWER, False)),
        cut_upper=bool(fields.get(keys.CUT_UPPER, False)),
        start_offset=start,
        end_offset=end,
        sample_rate=_number(fields.get(keys.SAMPLE_RATE)),
        snr_db=_number(fields.get(keys.SNR_DB)),
        pwr_db=_number(fields.get(keys.PWR_DB)),
        rx_time=_time(fields.get(keys.RX_TIME)),
        time_source=str(fields.get(keys.TIME_SOURCE, "host")),
        pdu_num=pdu_num,
        model=str(fields.get(keys.MODEL, "")),
        cell_id=cell_id,
        duplex=_known(fields, keys.DUPLEX, str),
        channel_bandwidth=channel_bandwidth,
        band=_known(fields, keys.BAND, str),
        earfcn=earfcn,
        nr_arfcn=nr_arfcn,
        gscn=gscn,
        ssb_frequency=ssb_frequency,
        plmn=_known(fields, keys.PLMN, str),
        tac=tac,
        nci=nci,
    )


def _known(fields: Mapping[str, Any], key: str, kind: Callable[[Any], Kind]) -> Kind | None:
    """A value of a kind, None where it is not there."""
    return None if fields.get(key) is None else kind(fields[key])


def _number(value: Any) -> float:
    """A float, NaN where it is unknown."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan


def _time(value: Any) -> tuple[int, float] | None:
    """(whole s, fraction), None where it is unknown."""
    try:
        seconds, fraction = value
        return int(seconds), float(fraction)
    except (TypeError, ValueError):
        return None
