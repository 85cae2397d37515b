# SPDX-License-Identifier: GPL-3.0-or-later
"""Results of the engine as the fields of messages: what the sink sends, and what `rpmsn watch` shows of a file."""
from rpmsn.classes import CLASS_NAMES
from rpmsn.spectrogram import DB_MAX, DB_MIN

from . import pdu


def segment_fields(event, clock, frame_number: int, health: str, model: str) -> dict:
    """Fields of the message about an event, keys as in `pdu.SEGMENT_KEYS`.

    Args:
        event: rpmsn.inference.carriers.Event.
        clock: rpmsn.inference.stream.StreamTime to tell it by.
        frame_number: number of the frame.
        health: of the input, in words.
        model: name of the model.
    """
    source = event.segment or event.carrier
    start, end = ((source.start_offset, source.end_offset) if event.segment
                  else (source.sample_start, source.sample_end))
    return {
        pdu.LABEL: source.label, pdu.CLASS_ID: source.class_id, pdu.CONFIDENCE: source.confidence,
        pdu.CENTER_FREQUENCY: source.center_frequency, pdu.BANDWIDTH: source.bandwidth,
        pdu.FREQ_LOWER: source.freq_lower, pdu.FREQ_UPPER: source.freq_upper,
        pdu.START_OFFSET: start, pdu.END_OFFSET: end,
        pdu.RX_TIME: clock.at(start), pdu.TIME_SOURCE: clock.source,
        pdu.DURATION: (end - start) / source.sample_rate, pdu.SAMPLE_RATE: source.sample_rate,
        pdu.SNR_DB: source.snr_db, pdu.PWR_DB: source.pwr_db, pdu.BURST_ID: event.carrier.carrier_id,
        pdu.EVENT: event.kind, pdu.PDU_NUM: frame_number, pdu.HEALTH: health, pdu.MODEL: model,
    }


def frame_fields(frame, clock, model: str) -> tuple:
    """Fields of the message about a frame, keys as in `pdu.FRAME_KEYS`, and its image.

    Args:
        frame: rpmsn.inference.segmenter.Frame.
        clock: rpmsn.inference.stream.StreamTime of its samples.
        model: name of the model.

    Returns:
        dict, and uint8, shape (rows, columns): of a last frame that reaches back, and of a short one that was
        repeated, only the rows that are new.
    """
    geometry = frame.geometry
    first_row = (frame.new_from - geometry.start_offset) * geometry.rows // geometry.samples
    image, mask = frame.image[first_row:geometry.rows], frame.mask[first_row:geometry.rows]
    fields = {
        pdu.PDU_NUM: frame.number, pdu.ROWS: image.shape[0], pdu.COLUMNS: image.shape[1],
        pdu.MASK: mask, pdu.CLASSES: list(CLASS_NAMES),
        pdu.CENTER_FREQUENCY: geometry.center_frequency, pdu.SAMPLE_RATE: geometry.sample_rate,
        pdu.START_OFFSET: frame.new_from, pdu.END_OFFSET: frame.end_offset,
        pdu.RX_TIME: clock.at(frame.new_from), pdu.TIME_SOURCE: clock.source,
        pdu.DURATION: (frame.end_offset - frame.new_from) / geometry.sample_rate,
        pdu.DB_MIN: DB_MIN, pdu.DB_MAX: DB_MAX, pdu.NOISE_FLOOR_DB: frame.floor_db, pdu.MODEL: model,
    }
    return fields, image
