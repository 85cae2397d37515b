# SPDX-License-Identifier: GPL-3.0-or-later
"""Results of the engine as the fields of messages: what blocks send, logs write, and `rpmsn watch` shows of a file."""

from typing import TYPE_CHECKING, Any

import numpy as np

from ..classes import CLASS_NAMES
from . import keys
from .fields import CARRIER_FIELDS
from .frame import stretched_mask
from .times import SampleClock

if TYPE_CHECKING:
    from ..detection.segmenter import Frame
    from ..tracking.carrier import Carrier
    from ..tracking.tracker import Event


def carrier_values(carrier: "Carrier") -> dict[str, Any]:
    """What every message and file says of a carrier as a whole: label, edges, how sure; key -> value.

    What is not known of a cell is left out.
    """
    values = {}
    for one in CARRIER_FIELDS:
        value = getattr(carrier, one.name) if one.required else getattr(carrier, one.name, None)
        if value is not None:
            values[one.name] = value
    return values


def segment_fields(event: "Event", clock: SampleClock, frame_number: int, health: str, model: str) -> dict[str, Any]:
    """Fields of the message about an event, keys as in `keys.SEGMENT_KEYS`.

    All that it says of the carrier is the carrier's own: a receiver has nothing to decide. The times are those of the
    segment; of a carrier that is gone those of the whole carrier.

    Args:
        event: what happened to which carrier.
        clock: clock to take its time from.
        frame_number: number of the frame.
        health: of the input, in words.
        model: name of the model.
    """
    carrier, segment = event.carrier, event.segment
    if segment is None:
        start, end, seconds = carrier.sample_start, carrier.sample_end, carrier.duration
    else:
        start, end, seconds = segment.start_offset, segment.end_offset, segment.duration
    return {
        keys.EVENT: event.kind,
        keys.RX_TIME: clock.at(start),
        keys.TIME_SOURCE: clock.source,
        **carrier_values(carrier),
        keys.START_OFFSET: start,
        keys.END_OFFSET: end,
        keys.DURATION: seconds,
        keys.SAMPLE_RATE: (segment or carrier).sample_rate,
        keys.BURST_ID: carrier.carrier_id,
        keys.PDU_NUM: frame_number,
        keys.MODEL: model,
        keys.HEALTH: health,
    }


def frame_fields(frame: "Frame", clock: SampleClock, model: str) -> tuple[dict[str, Any], np.ndarray]:
    """Fields of the message about a frame, keys as in `keys.FRAME_KEYS`, and its image.

    Args:
        frame: rpmsn.detection.segmenter.Frame.
        clock: clock of its samples.
        model: name of the model.

    Returns:
        dict, and uint8, shape (rows, columns): of a last frame that reaches back, and of a short one that was
        repeated, only the rows that are new. The frame's picture, where it has one.
    """
    from ..signal.image import DB_MAX, DB_MIN, decibels  # late: it needs scipy, which `rpmsn doctor` may find missing

    geometry = frame.geometry
    first_row = (frame.new_from - geometry.start_offset) * geometry.rows // geometry.samples
    image, mask = frame.image[first_row : geometry.rows], frame.mask[first_row : geometry.rows]
    floor_db = frame.floor_db
    if frame.picture is not None:
        floor_db -= decibels(frame.picture.shape[1] / image.shape[1])
        image, mask = frame.picture, stretched_mask(mask, *frame.picture.shape)
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
        keys.NOISE_FLOOR_DB: floor_db,
        keys.MODEL: model,
    }
    if not frame.condition.judged:
        fields[keys.JUDGED] = 0.0
    return fields, image


def carrier_fields(carrier: "Carrier") -> dict[str, Any]:
    """A carrier as plain numbers and words, in the names of the segment messages; without a time of day."""
    return {
        keys.BURST_ID: carrier.carrier_id,
        **carrier_values(carrier),
        keys.START_OFFSET: carrier.sample_start,
        keys.END_OFFSET: carrier.sample_end,
        keys.DURATION: carrier.duration,
        "time_on_air": carrier.time_on_air,
    }
