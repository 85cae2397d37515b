# SPDX-License-Identifier: GPL-3.0-or-later
"""A frame that has been checked, its rows reduced, its mean spectrum (no Qt)."""
import dataclasses

import numpy as np

from rpmsn.classes import CLASS_NAMES, NOISE, OTHER

from . import pdu

FRAME_LIMITS = {pdu.CENTER_FREQUENCY: (-1e13, 1e13), pdu.SAMPLE_RATE: (1.0, 1e12), pdu.DURATION: (1e-9, 1e6),
                pdu.DB_MIN: (-500.0, 500.0), pdu.DB_MAX: (-500.0, 500.0), pdu.RX_TIME: (0.0, 2e11)}
"""Lowest and highest value (Hz, s, dB) that can be drawn; the last keeps the year below 9999."""
MAX_COLUMNS = 8192


@dataclasses.dataclass(frozen=True)
class Frame:
    """One frame that has been checked: everything that the picture needs of it.

    Attributes:
        number: counts the frames that were analysed.
        image: uint8, shape (rows, columns); row = time, first in time first; column = frequency, lowest first.
        mask: uint8, same shape, ids of `rpmsn.classes`.
        center_frequency: Hz, 0.0 where unknown.
        sample_rate: Hz.
        start_offset, end_offset: samples since the stream began; the end is the first sample after the frame.
        start_time: s, since 1970 where `is_utc`, otherwise since the stream began.
        duration: s.
        is_utc: whether the time is that of a radio or a file.
        db_min, db_max: dB above the noise floor where the image is 0 and where it is 255.
    """

    number: int
    image: np.ndarray
    mask: np.ndarray
    center_frequency: float
    sample_rate: float
    start_offset: int
    end_offset: int
    start_time: float
    duration: float
    is_utc: bool
    db_min: float
    db_max: float

    @property
    def picture(self) -> tuple:
        """What all rows of one picture share; frames that differ in it cannot be drawn under the same axes."""
        return (self.center_frequency, self.sample_rate, self.image.shape[1], self.is_utc, self.db_min, self.db_max)


def check_frame(fields: dict, image: np.ndarray, mask: np.ndarray) -> Frame:
    """Check what a frame PDU holds.

    Args:
        fields: the PDU's dict, keys as in `pdu.FRAME_KEYS`.
        image: uint8, shape (rows, columns).
        mask: uint8, same shape, indices into `fields["classes"]`.

    Returns:
        Frame.

    Raises:
        ValueError: something is missing or cannot be drawn; the message names it.
    """
    _check_array("image", image)
    _check_array("mask", mask)
    if image.shape != mask.shape:
        raise ValueError(f"the mask has shape {mask.shape}, the image {image.shape}; they must be the same")
    try:
        numbers = {key: float(fields[key]) for key in (pdu.CENTER_FREQUENCY, pdu.SAMPLE_RATE, pdu.DURATION, pdu.DB_MIN,
                                                       pdu.DB_MAX)}
        number, start, end = (int(fields[key]) for key in (pdu.PDU_NUM, pdu.START_OFFSET, pdu.END_OFFSET))
        whole_seconds, fraction = fields[pdu.RX_TIME]
        rx_time = float(whole_seconds) + float(fraction)
        names, source = list(fields[pdu.CLASSES]), fields[pdu.TIME_SOURCE]
    except KeyError as error:
        raise ValueError(f"a frame without {error.args[0]}") from error
    except (TypeError, OverflowError) as error:
        raise ValueError(f"a frame with a value of a wrong kind: {error}") from error
    for key, value in (*numbers.items(), (pdu.RX_TIME, rx_time)):
        lowest, highest = FRAME_LIMITS[key]
        if not lowest <= value <= highest:
            raise ValueError(f"a frame with {key} = {value}; allowed are {lowest:g} to {highest:g}")
    if end <= start or numbers[pdu.DB_MAX] <= numbers[pdu.DB_MIN]:
        raise ValueError(f"a frame without extent: samples {start} to {end}, "
                         f"{numbers[pdu.DB_MIN]} to {numbers[pdu.DB_MAX]} dB")
    is_utc = source in ("radio", "file")
    return Frame(number=number, image=image, mask=class_table(names)[mask], start_offset=start, end_offset=end,
                 is_utc=is_utc, start_time=rx_time if is_utc else start / numbers[pdu.SAMPLE_RATE], **numbers)


def _check_array(name: str, array) -> None:
    """Raise ValueError unless the array can be a picture."""
    if not isinstance(array, np.ndarray) or array.dtype != np.uint8 or array.ndim != 2:
        raise ValueError(f"the {name} must be a uint8 array of rows x columns, it is "
                         f"{getattr(array, 'dtype', type(array).__name__)} {getattr(array, 'shape', '')}")
    if array.shape[0] < 1 or not 2 <= array.shape[1] <= MAX_COLUMNS:
        raise ValueError(f"the {name} has shape {array.shape}; allowed are 1 row or more, 2 to {MAX_COLUMNS} columns")


def class_table(names) -> np.ndarray:
    """Table of 256 entries, a model's class id -> id of `rpmsn.classes`; names that are not known count as other."""
    table = np.full(256, NOISE, np.uint8)
    for index, name in enumerate(names[:255]):
        table[index] = CLASS_NAMES.index(name) if name in CLASS_NAMES else OTHER
    return table


def reduce_rows(frame: Frame, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Image and mask of a frame with at most `rows` rows.

    Of the rows that fall together the image keeps the strongest value, so that short bursts stay, and the mask the
    class that most of them have.
    """
    n_rows = frame.image.shape[0]
    if n_rows <= rows:
        return frame.image, frame.mask
    starts = np.arange(rows) * n_rows // rows
    votes = [np.add.reduceat(frame.mask == class_id, starts, axis=0, dtype=np.int32)
             for class_id in range(len(CLASS_NAMES))]
    return np.maximum.reduceat(frame.image, starts, axis=0), np.argmax(votes, axis=0).astype(np.uint8)


def mean_spectrum(frame: Frame) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies in Hz (middle of the columns) and mean power over a frame's rows, dB above the noise floor."""
    columns = frame.image.shape[1]
    frequencies = frame.center_frequency + frame.sample_rate * ((np.arange(columns) + 0.5) / columns - 0.5)
    decibels = np.linspace(frame.db_min, frame.db_max, 256)
    mean_power = (10.0 ** (decibels / 10))[frame.image].mean(axis=0)
    return frequencies, 10 * np.log10(mean_power)
