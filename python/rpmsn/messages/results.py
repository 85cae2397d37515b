# SPDX-License-Identifier: GPL-3.0-or-later
"""Results of the engine as the fields of messages: what the sink sends, and what `rpmsn watch` shows of a file."""

from ..classes import CLASS_NAMES
from ..signal.image import DB_MAX, DB_MIN
from . import keys


def segment_fields(event, clock, frame_number: int, health: str, model: str) -> dict:
    """Fields of the message about an event, keys as in `keys.SEGMENT_KEYS`.

    Args:
        event: rpmsn.tracking.tracker.Event.
        clock: rpmsn.streaming.intake.StreamTime to tell it by.
        frame_number: number of the frame.
        health: of the input, in words.
        model: name of the model.
    """
    source = event.segment or event.carrier
    start, end = (source.start_offset, source.end_offset) if event.segment else (source.sample_start, source.sample_end)
    return {
        keys.LABEL: source.label,
        keys.CLASS_ID: source.class_id,
        keys.CONFIDENCE: source.confidence,
        keys.CENTER_FREQUENCY: source.center_frequency,
        keys.BANDWIDTH: source.bandwidth,
        keys.FREQ_LOWER: source.freq_lower,
        keys.FREQ_UPPER: source.freq_upper,
        keys.START_OFFSET: start,
        keys.END_OFFSET: end,
        keys.RX_TIME: clock.at(start),
        keys.TIME_SOURCE: clock.source,
        keys.DURATION: (end - start) / source.sample_rate,
        keys.SAMPLE_RATE: source.sample_rate,
        keys.SNR_DB: source.snr_db,
        keys.PWR_DB: source.pwr_db,
        keys.BURST_ID: event.carrier.carrier_id,
        keys.EVENT: event.kind,
        keys.PDU_NUM: frame_number,
        keys.HEALTH: health,
        keys.MODEL: model,
    }


def frame_fields(frame, clock, model: str) -> tuple:
    """Fields of the message about a frame, keys as in `keys.FRAME_KEYS`, and its image.

    Args:
        frame: rpmsn.detection.segmenter.Frame.
        clock: rpmsn.streaming.intake.StreamTime of its samples.
        model: name of the model.

    Returns:
        dict, and uint8, shape (rows, columns): of a last frame that reaches back, and of a short one that was
        repeated, only the rows that are new.
    """
    geometry = frame.geometry
    first_row = (frame.new_from - geometry.start_offset) * geometry.rows // geometry.samples
    image, mask = frame.image[first_row : geometry.rows], frame.mask[first_row : geometry.rows]
    fields = {
        keys.PDU_NUM: frame.number,
        keys.ROWS: image.shape[0],
        keys.COLUMNS: image.shape[1],
        keys.MASK: mask,
        keys.CLASSES: list(CLASS_NAMES),
        keys.CENTER_FREQUENCY: geometry.center_frequency,
        keys.SAMPLE_RATE: geometry.sample_rate,
        keys.START_OFFSET: frame.new_from,
        keys.END_OFFSET: frame.end_offset,
        keys.RX_TIME: clock.at(frame.new_from),
        keys.TIME_SOURCE: clock.source,
        keys.DURATION: (frame.end_offset - frame.new_from) / geometry.sample_rate,
        keys.DB_MIN: DB_MIN,
        keys.DB_MAX: DB_MAX,
        keys.NOISE_FLOOR_DB: frame.floor_db,
        keys.MODEL: model,
    }
    return fields, image


def carrier_fields(carrier):
    """A carrier as plain numbers and words, in the names of the segment messages."""
    return {
        "burst_id": carrier.carrier_id,
        "label": carrier.label,
        "confidence": round(carrier.confidence, 4),
        "freq_lower": carrier.freq_lower,
        "freq_upper": carrier.freq_upper,
        "center_frequency": carrier.center_frequency,
        "bandwidth": carrier.bandwidth,
        "start_offset": carrier.sample_start,
        "end_offset": carrier.sample_end,
        "time_on_air": round(carrier.time_on_air, 6),
        "snr_db": round(carrier.snr_db, 2),
        "pwr_db": round(carrier.pwr_db, 2),
    }
