# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames of annotated recordings as images and masks, to train on: preset `annotated`.

A folder of SigMF recordings whose annotations say what everything is, as `rpmsn watch` saves corrected ones. A pixel
whose middle lies in an annotation has its class; one without is noise. Not judged are pixels in annotations of
another label or without frequency edges, and where annotations of two classes overlap.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..classes import CLASS_NAMES, IGNORED, NOISE
from ..errors import ParameterError, RecordingError
from ..recording import open_recording
from ..recording.metadata import META_SUFFIX
from ..recording.recording import Recording
from ..signal import image as spectrogram

PRESET = "annotated"
CLASS_IDS = {name.lower(): class_id for class_id, name in enumerate(CLASS_NAMES) if class_id != NOISE}
"""`core:label` in small letters -> class."""
NEEDED = "SigMF recordings with annotations of core:label LTE, NR or other and both frequency edges"


@dataclass(frozen=True)
class FramePlace:
    """Where a frame is: path of the metadata, and its samples `start` to `end`."""

    path: Path
    start: int
    end: int


def frames_in(folder: str | Path) -> list[FramePlace]:
    """The frames of all annotated recordings below a folder, by path and time; none reaches over a retune. What is left
    at the end and is shorter than a frame is one only where there is no other.

    Raises:
        RecordingError: there is no such folder, no annotated recording in it, or one cannot be read.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise RecordingError(f"folder {folder} does not exist; give one with {NEEDED}")
    found = []
    for meta in sorted(folder.rglob(f"*{META_SUFFIX}")):
        with open_recording(meta) as recording:
            if any(_class_of(entry) is not None for entry in recording.annotations):
                found += _frames(meta, recording)
    if not found:
        raise RecordingError(f"folder {folder} has nothing to train on; needed are {NEEDED}")
    return found


def draw_frames(folder: str | Path, count: int, seed: int) -> list[FramePlace]:
    """So many different frames of a folder, in an order that the seed decides.

    Raises:
        ParameterError: there are fewer.
        RecordingError: as of `frames_in`.
    """
    frames = frames_in(folder)
    if count > len(frames):
        raise ParameterError(f"count is {count}, but the recordings in {folder} have {len(frames)} frames; choose less")
    order = np.random.default_rng(seed).permutation(len(frames))
    return [frames[place] for place in order[:count]]


def image_and_mask(place: FramePlace, features: str) -> tuple[np.ndarray, np.ndarray]:
    """A frame as it is trained on: uint8 of shapes (channels, 256, 256) and (256, 256), 255 = not judged.

    Raises:
        RecordingError: it cannot be read.
    """
    with open_recording(place.path) as recording:
        samples = recording.read(place.start, place.end - place.start)
        rate = recording.sample_rate
        rows = spectrogram.rows_of(len(samples), spectrogram.frame_length(rate))
        image = spectrogram.stored_image(samples, rate, rows, features)
        center = recording.capture_at(place.start).center_frequency or 0.0
        mask = mask_of(recording.annotations, place.start, len(samples), rows, rate, center)
    return image, spectrogram.fill_rows(mask)


def mask_of(
    annotations: Sequence[dict[str, Any]], start: int, samples: int, rows: int, rate: float, center: float
) -> np.ndarray:
    """Class of every pixel of a frame by its annotations.

    Args:
        annotations: as of `Recording.annotations`.
        start: first sample of the frame in the recording.
        samples, rows: of the frame.
        rate, center: Hz.

    Returns:
        uint8, shape (rows, 256), 255 = not judged.
    """
    columns = spectrogram.COLUMNS
    middles = center + (np.arange(columns) - columns // 2) * rate / columns
    times = start + (np.arange(rows) + 0.5) * samples / rows
    mask = np.full((rows, columns), NOISE, np.uint8)
    for entry in annotations:
        first = entry.get("core:sample_start", 0)
        after = np.inf if entry.get("core:sample_count") is None else first + entry["core:sample_count"]
        # Without edges it may be anywhere.
        lower = entry.get("core:freq_lower_edge", -np.inf)
        upper = entry.get("core:freq_upper_edge", np.inf)
        inside = (middles >= lower) & (middles <= upper)
        part = np.ix_((times >= first) & (times < after), inside)
        class_id = _class_of(entry)
        value = IGNORED if class_id is None else class_id
        mask[part] = np.where((mask[part] == NOISE) | (mask[part] == value), value, IGNORED)
    return mask


def _frames(meta: Path, recording: Recording) -> list[FramePlace]:
    length = spectrogram.frame_length(recording.sample_rate)
    found, start = [], 0
    while start < recording.sample_count:
        after = recording.next_capture(start)
        found += [FramePlace(meta, first, first + length) for first in range(start, after - length + 1, length)]
        start = after
    end = recording.next_capture(0)
    return found or ([FramePlace(meta, 0, end)] if end >= spectrogram.COLUMNS else [])


def _class_of(entry: dict[str, Any]) -> int | None:
    """Class of an annotation that has a known one, and both edges."""
    edges = (entry.get(f"core:freq_{side}_edge") for side in ("lower", "upper"))
    return None if None in edges else CLASS_IDS.get(str(entry.get("core:label")).lower())
