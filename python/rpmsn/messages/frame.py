# SPDX-License-Identifier: GPL-3.0-or-later
"""A frame that has been checked, its rows reduced, its mean spectrum (no Qt)."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from ..classes import CLASS_NAMES, NOISE, OTHER
from . import keys

Values = TypeVar("Values", float, np.ndarray)

FRAME_LIMITS = {
    keys.CENTER_FREQUENCY: (-1e13, 1e13),
    keys.SAMPLE_RATE: (1.0, 1e12),
    keys.DURATION: (1e-9, 1e6),
    keys.DB_MIN: (-500.0, 500.0),
    keys.DB_MAX: (-500.0, 500.0),
    keys.RX_TIME: (0.0, 2e11),
}
"""Lowest and highest value (Hz, s, dB) that can be drawn; the last keeps the year below 9999."""
MAX_COLUMNS = 16384
VOTE_BITS = 16


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
        start_time: s since 1970, UTC.
        duration: s.
        clock: whose time it is: `radio`, `file` or `host` (this computer).
        db_min, db_max: dB above the noise floor where the image is 0 and where it is 255.
        floor_db: noise power in a pixel, dB over full scale; NaN where it is not known.
        is_classified: whether a network has seen it; if not, the mask has noise alone.
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
    clock: str
    db_min: float
    db_max: float
    floor_db: float
    is_classified: bool = True

    @property
    def scale(self) -> "Scale":
        """Where the columns and values of the image lie."""
        return Scale(self.center_frequency, self.sample_rate, self.image.shape[1], self.db_min, self.db_max)


@dataclasses.dataclass(frozen=True)
class Scale:
    """Where columns and values of an image lie; rows that have the same can be drawn as one picture.

    A column is centred on its frequency, as those of an FFT are: the middle column (of an even number the one right of
    the middle) lies at the centre frequency.

    Attributes:
        center_frequency, sample_rate: Hz.
        columns: how many.
        db_min, db_max: dB above the noise floor where the image is 0 and where it is 255.
    """

    center_frequency: float
    sample_rate: float
    columns: int
    db_min: float
    db_max: float

    @property
    def column_width(self) -> float:
        """Hz."""
        return self.sample_rate / self.columns

    @property
    def freq_lower(self) -> float:
        """Lower edge of the first column, Hz."""
        return self.center_frequency - (self.columns // 2 + 0.5) * self.column_width

    @property
    def freq_upper(self) -> float:
        """Upper edge of the last column, Hz."""
        return self.freq_lower + self.sample_rate

    @property
    def frequencies(self) -> np.ndarray:
        """Middle of every column, Hz."""
        return self.center_frequency + (np.arange(self.columns) - self.columns // 2) * self.column_width

    def column_of(self, frequency: float) -> int | None:
        """Column that shows a frequency in Hz, None beyond the edges."""
        column = math.floor((frequency - self.freq_lower) / self.column_width)
        return column if 0 <= column < self.columns else None

    def decibels_of(self, value: Values) -> Values:
        """dB above the noise floor of values of the image."""
        return self.db_min + value / 255 * (self.db_max - self.db_min)


def check_frame(fields: Mapping[str, Any], image: np.ndarray, mask: np.ndarray | None) -> Frame:
    """Check what a frame PDU holds.

    Args:
        fields: the PDU's dict, keys as in `keys.FRAME_KEYS`.
        image: uint8, shape (rows, columns).
        mask: uint8, same shape, indices into `fields["classes"]`; None where no network has seen the frame yet.

    Returns:
        Frame.

    Raises:
        ValueError: something is missing or cannot be drawn; the message names it.
    """
    _check_array("image", image)
    is_classified = mask is not None
    mask = np.full(image.shape, NOISE, np.uint8) if mask is None else mask
    _check_array("mask", mask)
    if image.shape != mask.shape:
        raise ValueError(f"the mask has shape {mask.shape}, the image {image.shape}; they must be the same")
    try:
        numbers = {
            key: float(fields[key])
            for key in (keys.CENTER_FREQUENCY, keys.SAMPLE_RATE, keys.DURATION, keys.DB_MIN, keys.DB_MAX)
        }
        number, start, end = (int(fields[key]) for key in (keys.PDU_NUM, keys.START_OFFSET, keys.END_OFFSET))
        whole_seconds, fraction = fields[keys.RX_TIME]
        rx_time = float(whole_seconds) + float(fraction)
        names, clock = list(fields[keys.CLASSES]), str(fields[keys.TIME_SOURCE])
        floor_db = float(fields.get(keys.NOISE_FLOOR_DB, math.nan))
    except KeyError as error:
        raise ValueError(f"a frame without {error.args[0]}") from error
    except (TypeError, OverflowError) as error:
        raise ValueError(f"a frame with a value of a wrong kind: {error}") from error
    for key, value in (*numbers.items(), (keys.RX_TIME, rx_time)):
        lowest, highest = FRAME_LIMITS[key]
        if not lowest <= value <= highest:
            raise ValueError(f"a frame with {key} = {value}; allowed are {lowest:g} to {highest:g}")
    if not 0 <= start < end < 2**64 or numbers[keys.DB_MAX] <= numbers[keys.DB_MIN]:
        raise ValueError(
            f"a frame without extent: samples {start} to {end}, {numbers[keys.DB_MIN]} to {numbers[keys.DB_MAX]} dB"
        )
    return Frame(
        number=number,
        image=image,
        mask=np.take(class_table(names), mask) if is_classified else mask,
        start_offset=start,
        end_offset=end,
        start_time=rx_time,
        clock=clock,
        floor_db=floor_db,
        is_classified=is_classified,
        **numbers,
    )


def _check_array(name: str, array) -> None:
    """Raise ValueError unless the array can be a picture."""
    if not isinstance(array, np.ndarray) or array.dtype != np.uint8 or array.ndim != 2:
        raise ValueError(
            f"the {name} must be a uint8 array of rows x columns, it is "
            f"{getattr(array, 'dtype', type(array).__name__)} {getattr(array, 'shape', '')}"
        )
    if array.shape[0] < 1 or not 2 <= array.shape[1] <= MAX_COLUMNS:
        raise ValueError(f"the {name} has shape {array.shape}; allowed are 1 row or more, 2 to {MAX_COLUMNS} columns")


def class_table(names: Sequence[str]) -> np.ndarray:
    """Table of 256 entries, a model's class id -> id of `rpmsn.classes`; names that are not known count as other."""
    table = np.full(256, NOISE, np.uint8)
    for index, name in enumerate(names[:255]):
        table[index] = CLASS_NAMES.index(name) if name in CLASS_NAMES else OTHER
    return table


def reduce_rows(frame: Frame, rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Image, mean image and mask of a frame with at most `rows` rows.

    Of the rows that fall together the image keeps the strongest value, so that short bursts stay, the mean image the
    mean power, and the mask the class that most of them have.
    """
    n_rows = frame.image.shape[0]
    if n_rows <= rows:
        return frame.image, frame.image, frame.mask
    starts = np.arange(rows) * n_rows // rows
    return (
        grouped(np.maximum, frame.image, starts),
        mean_rows(frame.image, starts, frame.scale),
        majority_rows(frame.mask, starts),
    )


def grouped(operation: np.ufunc, array: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Reduce the rows from each start to the next; as `reduceat`, but fast where all groups are as long."""
    size = -(-len(array) // len(starts))
    if size * len(starts) == len(array) and starts[-1] == len(array) - size:
        return operation.reduce(array.reshape(len(starts), size, *array.shape[1:]), axis=1)
    return operation.reduceat(array, starts, axis=0)  # type: ignore[attr-defined]


def majority_rows(mask: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Class that most rows have, of the rows from each start to the next; of less than 65,536 rows each."""
    ones = np.uint64(1) << (VOTE_BITS * np.arange(len(CLASS_NAMES))).astype(np.uint64)  # a counter for each class
    votes = grouped(np.add, np.take(ones, mask), starts)
    return np.argmax(votes.view(np.uint16).reshape(*votes.shape, -1), axis=-1).astype(np.uint8)


def stretched_mask(mask: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """A mask with other rows, and more columns, of the same samples: the class of the majority of the rows.

    Args:
        mask: uint8, shape (rows, columns).
        rows, columns: of the result; its columns are a multiple.
    """
    starts = np.arange(rows) * len(mask) // rows
    of_rows = majority_rows(mask, starts) if len(mask) > rows else mask[starts]
    # Columns are centred on their frequencies; the highest half of the first one lies at the other end.
    return of_rows[:, (np.arange(columns) * mask.shape[1] + columns // 2) // columns % mask.shape[1]]


def mean_rows(image: np.ndarray, starts: np.ndarray, scale: Scale) -> np.ndarray:
    """Mean power of the rows from each start to the next, in the steps of the image."""
    counts = np.diff(np.append(starts, len(image)))[:, np.newaxis]
    powers = grouped(np.add, np.take(powers_of(scale), image), starts) / counts
    step = (scale.db_max - scale.db_min) / 255
    return np.rint((10 * np.log10(powers) - scale.db_min) / step).astype(np.uint8)


def powers_of(scale: Scale) -> np.ndarray:
    """Table of 256 entries, value of the image -> power over that of the noise floor."""
    return (10.0 ** (scale.decibels_of(np.arange(256)) / 10)).astype(np.float32)


def mean_spectrum(frame: Frame) -> np.ndarray:
    """Mean power over a frame's rows, for each column, over that of the noise floor (linear)."""
    return np.take(powers_of(frame.scale), frame.image).mean(axis=0, dtype=np.float64)
