# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a sweep side by side: one picture, and the carriers in it, however many steps they reach over.

The steps were not looked at at the same time, so a row of the picture is no time: the rows of every column are sorted,
those with the most signal first. A burst that one step saw early and the next one late then lies in the same rows.

A step within a wide carrier shows no noise, and its floor is that carrier. So the floor of a step is compared with
those around it, and where all of it is stronger, what the network took for noise counts as signal; its class is what
the rest of the step, and of the carrier, is.

In so narrow a span the network may call one piece of a carrier LTE and the next one NR. So within what hangs together,
each column gets the classes of the steps around it: a carrier has one class, unless it is many steps wide.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import find_objects, label, percentile_filter, uniform_filter1d

from ..classes import CLASS_NAMES, LTE, NOISE, NR, OTHER
from ..detection.segments import find_segments
from ..signal.image import DB_MAX, DB_MIN

ROWS = 16
FLOOR_REACH_HZ = 60e6
"""The floor is that of the emptiest steps within so much spectrum to either side..."""
FLOOR_PERCENTILE = 10
"""...so many percent of which are taken for empty."""
RAISED_DB = 3.0
"""A step whose own floor is so much higher has no noise in sight."""
MIN_SNR_DB = -3.0
"""What is weaker is no carrier here: over the common floor of many steps, spurious nested detections in noise lie
below this."""
CLASS_STEPS = 3
"""Classes of what hangs together are averaged over the columns of so many steps."""


@dataclass(frozen=True)
class Picture:
    """A sweep as a picture.

    Attributes:
        image: uint8, shape (ROWS, columns): 0..255 over -5..55 dB over the floor; rows sorted, most signal first.
        mask: uint8, the same shape, ids of `rpmsn.classes`.
        geometry: FrameGeometry.
        times: float64, shape (steps,): when each step was looked at, seconds since 1970; NaN where it was not.
        floor_db: float32, shape (steps,), noise floor in a pixel, dB over full scale.
        segments: list of Segment, lowest frequency first.
        clock: StreamTime of the first step.
    """

    image: np.ndarray
    mask: np.ndarray
    geometry: object
    times: np.ndarray
    floor_db: np.ndarray
    segments: list
    clock: object

    def reduced(self, columns):
        """(image, mask) with so many columns at most: of those that fall together, the strongest pixel."""
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
    """

    def __init__(self, plan, classes, tells_apart=True):
        self.plan, self.classes, self.tells_apart = plan, classes, tells_apart
        self._ids = np.array([CLASS_NAMES.index(name) for name in classes], np.uint8)
        self._noise = list(self._ids).index(NOISE)
        self.clear()

    def clear(self):
        """Begin a sweep."""
        plan = self.plan
        self._power = np.zeros((ROWS, plan.columns), np.float32)
        self._probabilities = np.zeros((len(self.classes), ROWS, plan.columns), np.float32)
        self._probabilities[self._noise] = 1
        self._floors = np.full(plan.steps, np.nan)
        self._times = np.full(plan.steps, np.nan)
        self._offsets = np.zeros((plan.steps, 2), np.int64)
        self._clock = None

    def add(self, dwell, power, probabilities, floor):
        """Put a step in its place.

        Args:
            dwell: stepping.Dwell.
            power: float32, shape (256, 256), linear, without the receiver's own spur.
            probabilities: float32, shape (classes, 256, 256); None where the input was not fit to be judged.
            floor: noise floor of the step, linear.
        """
        place = self.plan.place(dwell.step)
        seconds, fraction = dwell.clock.at(dwell.offset)
        self._times[dwell.step] = seconds + fraction
        self._offsets[dwell.step] = dwell.offset, dwell.offset + len(dwell.samples)
        self._clock = self._clock or dwell.clock
        if probabilities is None:
            return
        power, probabilities = sorted_rows(power[:, self.plan.used], probabilities[:, :, self.plan.used], self._noise)
        self._power[:, place], self._probabilities[:, :, place] = power, probabilities
        self._floors[dwell.step] = floor

    def picture(self):
        """The Picture, of what has been added since `clear`; None where nothing could be judged."""
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
        first, last = self._offsets[:, 0][~np.isnan(self._times)].min(), self._offsets[:, 1].max()
        geometry = self.plan.geometry(int(first), int(last - first), ROWS)
        found = find_segments(best, probabilities, over_floor, 1.0, geometry, self.classes)
        segments = [self._placed(segment, floors) for segment in found if segment.snr_db >= MIN_SNR_DB]
        levels = 10 * np.log10(np.maximum(over_floor, 1e-3))
        image = np.clip((levels - DB_MIN) / (DB_MAX - DB_MIN) * 255, 0, 255).astype(np.uint8)
        floor_db = (10 * np.log10(floors)).astype(np.float32)
        return Picture(image, mask, geometry, self._times.copy(), floor_db, segments, self._clock)

    def _common_floors(self):
        """Floor of every step, linear: that of the emptiest steps around it."""
        known = ~np.isnan(self._floors)
        steps = np.arange(self.plan.steps)
        decibels = 10 * np.log10(np.maximum(np.interp(steps, steps[known], self._floors[known]), 1e-30))
        reach = int(FLOOR_REACH_HZ // (self.plan.step_columns * self.plan.column))
        common = percentile_filter(decibels, FLOOR_PERCENTILE, 2 * reach + 1, mode="nearest")
        return 10 ** (np.minimum(common, decibels) / 10)

    def _with_full_steps(self, over_floor, floors):
        """The probabilities, where a step has no noise in sight with signal in place of noise."""
        with np.errstate(invalid="ignore"):
            is_raised = self._floors > floors * 10 ** (RAISED_DB / 10)
        raised = np.repeat(is_raised, self.plan.step_columns) & (over_floor.mean(axis=0) > 10 ** (RAISED_DB / 10))
        probabilities = self._probabilities.copy()
        part = probabilities[:, :, raised]
        part[self._noise] = 0
        probabilities[:, :, raised] = part / np.maximum(part.sum(axis=0), 1e-9)
        return probabilities

    def _with_steady_classes(self, probabilities):
        """The probabilities, with the classes of what hangs together averaged over some steps; noise stays as it is."""
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

    def _placed(self, segment, floors):
        """A segment with the samples of its steps instead of those of its rows, and its power over full scale."""
        first, last = (column // self.plan.step_columns for column in (segment.columns[0], segment.columns[1] - 1))
        steps = slice(first, last + 1)
        seen = self._offsets[steps][~np.isnan(self._times[steps])]
        floor_db = 10 * np.log10(floors[steps].mean())
        changed = replace(
            segment,
            start_offset=int(seen[:, 0].min()),
            end_offset=int(seen[:, 1].max()),
            sample_rate=self.plan.sample_rate,
            pwr_db=segment.pwr_db + float(floor_db),
        )
        if not self.tells_apart and segment.class_id in (LTE, NR):
            changed = replace(changed, class_id=OTHER, label=CLASS_NAMES[OTHER])
        return changed


def sorted_rows(power, probabilities, noise):
    """Rows of every column sorted, those that are most surely signal first, and averaged to ROWS.

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
