# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a sweep side by side: one picture, and the segments in it, however many steps they extend over.

The steps were received at different times, so a row of the picture is no time: the rows of every column are sorted,
those with the most signal first. A burst that is early in one step and late in the next one then lies in the same rows.

A step within a wide carrier shows no noise, and its floor is that carrier. So the floor of a step is compared with
those around it, and where all of it is stronger, what the network took for noise counts as signal; its class is that
of the rest of the step and of the carrier.

In so narrow a span the network may call one piece of a carrier LTE and the next one NR. So within connected columns,
each column gets the classes of the steps around it: a carrier has one class, unless it is many steps wide.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.ndimage import find_objects, label, uniform_filter1d

from ..classes import CLASS_NAMES, LTE, NOISE, NR, OTHER
from ..detection.segments import Classifier, FrameGeometry, Segment, find_segments
from ..signal.image import DB_MAX, DB_MIN
from ..streaming.intake import StreamTime

if TYPE_CHECKING:
    from .plan import Plan
    from .stepping import Dwell

ROWS = 16
FLOOR_REACH_HZ = 60e6
"""The floor is that of the emptiest steps within so much spectrum to either side..."""
FLOOR_PERCENTILE = 10
"""...so many percent of which are taken for empty."""
RAISED_DB = 3.0
"""A step whose own floor is so much higher has no noise in sight."""
MIN_SNR_DB = -3.0
"""What is weaker is no carrier here: over the common floor of many steps, spurious detections in noise lie below
this."""
CLASS_STEPS = 3
"""Classes of connected columns are averaged over the columns of so many steps."""


@dataclass(frozen=True)
class Picture:
    """A sweep as a picture.

    Attributes:
        image: uint8, shape (ROWS, columns): 0..255 over -5..55 dB over the floor; rows sorted, most signal first.
        mask: uint8, the same shape, ids of `rpmsn.classes`.
        geometry: FrameGeometry; its samples are those of the sweep, from the first of its first dwell to its end.
        times: float64, shape (steps,): when each step was received, seconds since 1970; NaN where it was not.
        floor_db: float32, shape (steps,), noise floor in a pixel, dB over full scale.
        segments: list of Segment, lowest frequency first; each has the time of the first step that shows it, and lasts
            no longer than a dwell.
        clocks: list of (first sample, StreamTime), ascending: that of the first dwell, and each one that followed it
            after a gap.
        bands: (lower, upper) in Hz of the steps that were received and judged, neighbours joined.
        dwell_seconds: of signal in each step.
    """

    image: np.ndarray
    mask: np.ndarray
    geometry: FrameGeometry
    times: np.ndarray
    floor_db: np.ndarray
    segments: list[Segment]
    clocks: list[tuple[int, StreamTime]]
    bands: tuple[tuple[float, float], ...]
    dwell_seconds: float

    @property
    def clock(self) -> StreamTime:
        """That of the first dwell."""
        return self.clocks[0][1]

    @property
    def period(self) -> tuple[tuple[int, float], tuple[int, float]]:
        """Begin and end of the sweep, each (whole seconds, fraction) since 1970."""
        first, after = self.geometry.start_offset, self.geometry.start_offset + self.geometry.samples
        return self.clock.at(first), self.clock_of(after).at(after)

    def clock_of(self, offset: int) -> StreamTime:
        """The clock that holds at a sample."""
        return self.clocks[max(0, bisect_right([first for first, _ in self.clocks], offset) - 1)][1]

    def reduced(self, columns: int) -> tuple[np.ndarray, np.ndarray]:
        """(image, mask) with at most so many columns: of those that fall together, the strongest pixel."""
        width = self.image.shape[1]
        if width <= columns:
            return self.image, self.mask
        starts = np.arange(columns) * width // columns
        image = np.maximum.reduceat(self.image, starts, axis=1)
        # Classes are small numbers: level times 8 plus class keeps the class of the strongest pixel.
        both = np.maximum.reduceat(self.image.astype(np.uint16) * 8 + self.mask, starts, axis=1)
        return image, (both % 8).astype(np.uint8)


class Panorama:
    """Collects the steps of a sweep. For one thread.

    Args:
        plan: Plan.
        classes: names in the order of the model's outputs.
        tells_apart: whether LTE and NR can be told apart in so narrow a span; otherwise both are `other`.
        decider: as of `find_segments`.
    """

    def __init__(
        self, plan: Plan, classes: Sequence[str], tells_apart: bool = True, decider: Classifier | None = None
    ) -> None:
        self.plan, self.classes, self.tells_apart = plan, classes, tells_apart
        self._decider = decider
        self._ids = np.array([CLASS_NAMES.index(name) for name in classes], np.uint8)
        self._noise = list(self._ids).index(NOISE)
        self.clear()

    def clear(self) -> None:
        """Begin a sweep."""
        plan = self.plan
        self._power = np.zeros((ROWS, plan.columns), np.float32)
        self._probabilities = np.zeros((len(self.classes), ROWS, plan.columns), np.float32)
        self._probabilities[self._noise] = 1
        self._floors = np.full(plan.steps, np.nan)
        self._times = np.full(plan.steps, np.nan)
        self._offsets = np.zeros((plan.steps, 2), np.int64)
        self._clocks: list[tuple[int, StreamTime]] = []

    def add(
        self, dwell: Dwell, power: np.ndarray | None, probabilities: np.ndarray | None, floor: float | None
    ) -> None:
        """Put a step in its place; dwells of a sweep come in the order of their samples.

        Args:
            dwell: stepping.Dwell.
            power: float32, shape (256, 256), linear, without the receiver's own spur.
            probabilities: float32, shape (classes, 256, 256).
            floor: noise floor of the step, linear; all three None where the input was not fit to be judged.
        """
        place = self.plan.place(dwell.step)
        seconds, fraction = dwell.clock.at(dwell.offset)
        self._times[dwell.step] = seconds + fraction
        self._offsets[dwell.step] = dwell.offset, dwell.offset + len(dwell.samples)
        if not self._clocks or self._clocks[-1][1] != dwell.clock:
            self._clocks.append((dwell.offset, dwell.clock))
        if power is None or probabilities is None or floor is None:
            return
        power, probabilities = sorted_rows(power[:, self.plan.used], probabilities[:, :, self.plan.used], self._noise)
        self._power[:, place], self._probabilities[:, :, place] = power, probabilities
        self._floors[dwell.step] = floor

    def picture(self) -> Picture | None:
        """The Picture of what has been added since `clear`; None where nothing could be judged."""
        if np.isnan(self._floors).all():
            return None
        floors = self._common_floors()
        columns_floor = np.repeat(floors, self.plan.step_columns).astype(np.float32)
        over_floor = self._power / columns_floor
        probabilities = self._with_steady_classes(self._with_full_steps(over_floor, floors))
        best = probabilities.argmax(axis=0)
        mask = self._ids[best]
        if not self.tells_apart:
            mask[(mask == LTE) | (mask == NR)] = OTHER
        received = self._offsets[~np.isnan(self._times)]
        first, last = received[:, 0].min(), received[:, 1].max()
        geometry = self.plan.geometry(int(first), int(last - first), ROWS)
        # Rules about how long a segment lasts need the time that its rows were received in: that of one dwell.
        dwell_samples = int(np.diff(received).max())
        within_dwell = replace(geometry, samples=dwell_samples)
        found = find_segments(best, probabilities, over_floor, 1.0, within_dwell, self.classes, self._decider)
        segments = [self._placed(segment, floors) for segment in found if segment.snr_db >= MIN_SNR_DB]
        levels = 10 * np.log10(np.maximum(over_floor, 1e-3))
        image = np.clip((levels - DB_MIN) / (DB_MAX - DB_MIN) * 255, 0, 255).astype(np.uint8)
        floor_db = (10 * np.log10(floors)).astype(np.float32)
        return Picture(
            image,
            mask,
            geometry,
            self._times.copy(),
            floor_db,
            segments,
            list(self._clocks),
            self._judged_bands(),
            dwell_samples / self.plan.sample_rate,
        )

    def _judged_bands(self) -> tuple[tuple[float, float], ...]:
        """(lower, upper) in Hz of runs of steps that were judged."""
        runs, _ = label(~np.isnan(self._floors))
        half = self.plan.step_columns * self.plan.column / 2
        return tuple(
            (self.plan.center(steps.start) - half, self.plan.center(steps.stop - 1) + half)
            for (steps,) in find_objects(runs)
        )

    def _common_floors(self) -> np.ndarray:
        """Floor of every step, linear: that of the emptiest steps around it."""
        known = ~np.isnan(self._floors)
        steps = np.arange(self.plan.steps)
        decibels = 10 * np.log10(np.maximum(np.interp(steps, steps[known], self._floors[known]), 1e-30))
        reach = int(FLOOR_REACH_HZ // (self.plan.step_columns * self.plan.column))
        return 10 ** (np.minimum(running_percentile(decibels, FLOOR_PERCENTILE, reach), decibels) / 10)

    def _with_full_steps(self, over_floor: np.ndarray, floors: np.ndarray) -> np.ndarray:
        """The probabilities, where a step has no noise in sight with signal in place of noise."""
        with np.errstate(invalid="ignore"):
            is_raised = self._floors > floors * 10 ** (RAISED_DB / 10)
        raised = np.repeat(is_raised, self.plan.step_columns) & (over_floor.mean(axis=0) > 10 ** (RAISED_DB / 10))
        probabilities = self._probabilities.copy()
        part = probabilities[:, :, raised]
        part[self._noise] = 0
        probabilities[:, :, raised] = part / np.maximum(part.sum(axis=0), 1e-9)
        return probabilities

    def _with_steady_classes(self, probabilities: np.ndarray) -> np.ndarray:
        """The probabilities, with the classes of connected columns averaged over some steps; noise stays as it is."""
        noise = probabilities[self._noise].copy()
        columns, _ = label((probabilities.argmax(axis=0) != self._noise).any(axis=0))
        for (place,) in find_objects(columns):
            scores = probabilities[:, :, place].mean(axis=1)
            scores[self._noise] = 0
            width = min(CLASS_STEPS * self.plan.step_columns, scores.shape[1])
            scores = np.maximum(uniform_filter1d(scores, width, mode="nearest"), 1e-9)
            probabilities[:, :, place] = (scores / scores.sum(axis=0))[:, None] * (1 - noise[:, place])
        probabilities[self._noise] = noise
        return probabilities

    def _placed(self, segment: Segment, floors: np.ndarray) -> Segment:
        """A segment from the first sample of its first dwell on, for as long as its rows, and its power over full
        scale."""
        first, last = (column // self.plan.step_columns for column in (segment.columns[0], segment.columns[1] - 1))
        steps = slice(first, last + 1)
        seen = self._offsets[steps][~np.isnan(self._times[steps])]
        floor_db = 10 * np.log10(floors[steps].mean())
        start = int(seen[:, 0].min())
        changed = replace(
            segment,
            start_offset=start,
            end_offset=start + segment.end_offset - segment.start_offset,
            pwr_db=segment.pwr_db + float(floor_db),
        )
        if not self.tells_apart and segment.class_id in (LTE, NR):
            changed = replace(changed, class_id=OTHER)
        return changed


def sorted_rows(power: np.ndarray, probabilities: np.ndarray, noise: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of every column sorted, those with the highest probability of signal first, and averaged to ROWS.

    Args:
        power: float32, shape (rows, columns).
        probabilities: float32, shape (classes, rows, columns).
        noise: index of the class noise.

    Returns:
        The same two, with ROWS rows.
    """
    order = np.argsort(probabilities[noise], axis=0, kind="stable")
    power = np.take_along_axis(power, order, 0)
    probabilities = np.take_along_axis(probabilities, order[None], 1)
    rows, columns = power.shape
    return (
        power.reshape(ROWS, rows // ROWS, columns).mean(axis=1),
        probabilities.reshape(len(probabilities), ROWS, rows // ROWS, columns).mean(axis=2),
    )


def running_percentile(values: np.ndarray, percentile: float, reach: int) -> np.ndarray:
    """Percentile of each value and its `reach` neighbours on either side; the end values repeat beyond the ends.

    Not scipy's `percentile_filter`: of scipy 1.15 it is wrong where the window reaches beyond the whole array.

    Args:
        values: shape (n,).
        percentile: 0..100; the value of that rank, not interpolated.
        reach: 0 or more, also more than n.
    """
    width = 2 * reach + 1
    rank = min(int(width * percentile / 100), width - 1)
    return np.partition(sliding_window_view(np.pad(values, reach, mode="edge"), width), rank, axis=1)[:, rank]
