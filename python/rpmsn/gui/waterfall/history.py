# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows of the last hour, finer when newer, and where a sample or a time lies among them (no Qt).

Heights, `y`, are seconds of signal since the first frame, so that a row keeps its place for as long as it lives. Where
signal is missing, time jumps: such a `Break` has a height of its own, however long it lasted.
"""

import copy
import dataclasses
import itertools
from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...classes import LTE, NR
from ...messages.frame import Frame, Scale, Values, grouped, majority_rows, mean_rows, powers_of, reduce_rows
from ...messages.report import Report
from ...tracking.verdict import SURE
from ..translation import mark, tr

HISTORY_SECONDS = 3600.0
CELLULAR = (LTE, NR)
TIERS = 5
MERGED_ROWS = 8
"""Rows of a tier that become one row of the next, older one."""
MAX_TIER_ROWS, MAX_TIER_BYTES, MAX_TIER_CHUNKS = 8192, 24_000_000, 512
JOINED_SECONDS = 1.0
"""Rows are merged across frames that were not sent, if no more than this is missing: times are then right to that."""
CHUNK_ROWS = 256
MAX_BREAKS = 2048

SKIP, DROPPED, LOST, CLOCK, TUNED = "skip", "dropped", "lost", "clock", "tuned"
"""Kinds of breaks: frames that were analysed, or left out on purpose, and not sent here; samples that were not
analysed; samples that the radio lost; a clock that jumps with nothing missing, as of a recording that is played from
another place; a new frequency or sample rate."""
BREAK_FRAMES = (1.0, 4.0)
"""Height of what was dropped or lost: as long as it lasted, but within so many frames."""


@dataclasses.dataclass(frozen=True)
class Break:
    """Where time, or the frequency axis, jumps.

    Attributes:
        kind: SKIP, DROPPED, LOST, CLOCK or TUNED.
        y0, y1: older and newer edge; the same for a mere line.
        seconds: of signal that is missing.
        text: what happened.
    """

    kind: str
    y0: float
    y1: float
    seconds: float
    text: str


@dataclasses.dataclass(eq=False)
class Chunk:
    """Rows that follow one another in time under the same axes.

    Attributes:
        scale: Scale of all rows.
        clock: `radio`, `file` or `host`.
        image, mean, mask: uint8, shape (rows or more, columns): strongest power, mean power, class; oldest row first.
        floor_db: float32, one a row: noise power in a pixel, dB over full scale.
        rows: how many are filled.
        y0, y1: edges.
        start_time, end_time: s since 1970.
        start_offset, end_offset: samples since the stream began.
    """

    scale: Scale
    clock: str
    image: np.ndarray
    mean: np.ndarray
    mask: np.ndarray
    floor_db: np.ndarray
    rows: int
    y0: float
    y1: float
    start_time: float
    end_time: float
    start_offset: int
    end_offset: int

    ARRAYS = ("image", "mean", "mask", "floor_db")

    @property
    def row_height(self) -> float:
        """Seconds of signal in a row."""
        return (self.y1 - self.y0) / self.rows

    def row_of(self, y: float) -> int:
        """Row that shows a height between the edges."""
        return min(int((y - self.y0) / self.row_height), self.rows - 1)

    def rows_of_samples(self, offsets: Sequence[int]) -> np.ndarray:
        """Nearest edges of rows to samples of the stream, int; of those outside, below 0 and above `rows`."""
        samples = self.end_offset - self.start_offset
        return np.rint((np.array(offsets) - self.start_offset) * self.rows / samples).astype(int)

    def trim(self) -> None:
        """Give back the room that was kept for further rows."""
        for name in self.ARRAYS:
            if len(getattr(self, name)) > self.rows:
                setattr(self, name, getattr(self, name)[: self.rows].copy())


class History:
    """Rows of the last hour in bounded memory.

    The newest rows are kept as they came. When there are more than a tier holds, eight become one, with their strongest
    power, their mean power, and the class of the majority; so from each of the five tiers to the next.

    Args:
        rows_per_frame: rows that a frame is reduced to.

    Attributes:
        tiers: lists of chunks, the newest tier first, in each the oldest chunk first.
        breaks, skips: deques of Break, the oldest first; `skips` are those of kind SKIP.
        newest: the last frame, None while there is none.
        newest_y: upper edge of the newest row.
        unclassified: first samples of the frames that no network has seen yet.
        duty_cycled: whether signal is left out on purpose, so that what is missing was not dropped.
        version: changes whenever something does.
    """

    def __init__(self, rows_per_frame: int):
        self.rows_per_frame = rows_per_frame
        self.duty_cycled = False
        self.version = 0
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self.tiers: list[deque[Chunk]] = [deque() for _ in range(TIERS)]
        self.breaks: deque[Break] = deque(maxlen=MAX_BREAKS)
        self.skips: deque[Break] = deque(maxlen=MAX_TIER_CHUNKS)
        self.newest: Frame | None = None
        self.newest_y = 0.0
        self.unclassified: set[int] = set()
        self._changed()

    def snapshot(self) -> "History":
        """A copy that stays as it is; rows are shared."""
        held = copy.copy(self)
        held.tiers = [deque(tier) for tier in self.tiers]
        if held.tiers[0]:
            held.tiers[0][-1] = dataclasses.replace(held.tiers[0][-1])
        held.breaks, held.skips = self.breaks.copy(), self.skips.copy()
        return held

    def push(self, frame: Frame) -> Break | None:
        """Put a frame on top.

        Returns:
            What lies between it and the frame before, None where they adjoin.
        """
        if self.newest is not None and frame.start_offset <= self.newest.start_offset:
            self.clear()
        found = self._break_before(frame)
        if found is not None:
            (self.skips if found.kind == SKIP else self.breaks).append(found)
            self.newest_y = found.y1
        self._append(frame, is_new=found is not None or self.newest is None)
        if not frame.is_classified:
            self.unclassified.add(frame.start_offset)
        self.newest = frame
        self._coarsen()
        self._changed()
        return found

    def classify(self, frame: Frame) -> tuple[Chunk, int] | None:
        """Give the rows of a frame that was put on top without classes those that a network has seen by now.

        Returns:
            Their chunk, and the first of them; None where the frame is another one, which then has to be pushed.
        """
        if frame.start_offset not in self.unclassified:
            return None
        self.unclassified.remove(frame.start_offset)
        mask = reduce_rows(frame, self.rows_per_frame)[2]
        for chunk in reversed(self.tiers[0]):
            row = int(chunk.rows_of_samples([frame.start_offset])[0])
            time = chunk.start_time + (frame.start_offset - chunk.start_offset) / frame.sample_rate
            is_same = chunk.scale == frame.scale and abs(time - frame.start_time) < frame.duration / 2
            if row >= 0 and is_same and row + len(mask) <= chunk.rows:
                chunk.mask[row : row + len(mask)] = mask
                self._changed()
                return chunk, row
        return None

    def recolor(self, report: Report) -> list[tuple[Chunk, int]]:
        """Give the pixels of a carrier that is LTE or NR, and of which that is sure, its class where a frame alone said
        the other one of the two: what is in sight is the verdict. Of the rows that are as fine as they came.

        Returns:
            Each chunk that has changed, and its first row that has.
        """
        changed: list[tuple[Chunk, int]] = []
        if report.class_id not in CELLULAR or report.verdict not in SURE:
            return changed
        for chunk in reversed(self.tiers[0]):
            if chunk.end_offset <= report.start_offset:
                break
            first, after = np.clip(chunk.rows_of_samples([report.start_offset, report.end_offset]), 0, chunk.rows)
            columns = np.searchsorted(chunk.scale.frequencies, (report.freq_lower, report.freq_upper))
            part = chunk.mask[first:after, slice(*columns)]
            wrong = np.isin(part, CELLULAR) & (part != report.class_id)
            if wrong.any():
                part[wrong] = report.class_id
                changed.append((chunk, int(first)))
        if changed:
            self._changed()
        return changed

    @property
    def chunks(self) -> list[Chunk]:
        """All of them, the oldest first."""
        return list(itertools.chain.from_iterable(reversed(self.tiers)))

    @property
    def oldest_y(self) -> float:
        """Lower edge of the oldest row."""
        oldest = next((tier[0] for tier in reversed(self.tiers) if tier), None)
        return self.newest_y if oldest is None else oldest.y0

    @property
    def oldest_offset(self) -> int:
        """First sample that is still in the picture."""
        oldest = next((tier[0] for tier in reversed(self.tiers) if tier), None)
        return 0 if oldest is None else oldest.start_offset

    @property
    def nbytes(self) -> int:
        """Memory of all rows."""
        return sum(getattr(chunk, name).nbytes for chunk in self.chunks for name in Chunk.ARRAYS)

    def between(self, y0: float, y1: float) -> list[Chunk]:
        """Chunks that reach into a range of heights."""
        return [chunk for chunk in self.chunks if chunk.y1 > y0 and chunk.y0 < y1]

    def at(self, y: float) -> Chunk | None:
        """The chunk that shows a height, None in a break and beyond the ends."""
        return next((chunk for chunk in self.chunks if chunk.y0 <= y < chunk.y1), None)

    def y_of_sample(self, offset: Values) -> Values:
        """Height of samples; before the oldest and after the newest row: that edge."""
        y, offsets, _ = self._corners()
        return _interpolated(offset, offsets, y)

    def y_of_time(self, time: Values) -> Values:
        """Height of times in s since 1970; beyond the ends as `y_of_sample`."""
        y, _, times = self._corners()
        return _interpolated(time, np.maximum.accumulate(times), y)

    def heights_of_times(
        self, starts: np.ndarray, ends: np.ndarray, low: float, high: float
    ) -> list[tuple[int, float, float]]:
        """Where time spans lie between two heights; one that was played several times lies there as often.

        Args:
            starts, ends: s since 1970, may be infinite.
            low, high: heights.

        Returns:
            list of (index of the span, lower height, upper height).
        """
        found: list[tuple[int, float, float]] = []
        growing: dict[int, int] = {}
        before: Chunk | None = None
        for chunk in self.between(low, high):
            if before is None or chunk.start_time < before.end_time - before.row_height:
                growing = {}  # the clock went back
            begun, over = np.maximum(starts, chunk.start_time), np.minimum(ends, chunk.end_time)
            inside = np.flatnonzero(over > begun)
            edges = np.interp([begun[inside], over[inside]], (chunk.start_time, chunk.end_time), (chunk.y0, chunk.y1))
            for index, y0, y1 in zip(inside.tolist(), *edges.tolist()):
                if index in growing:
                    place = growing[index]
                    found[place] = (index, found[place][1], y1)
                else:
                    growing[index] = len(found)
                    found.append((index, y0, y1))
            before = chunk
        return found

    def time_of_y(self, y: Values) -> Values:
        """Times of heights, in s since 1970."""
        heights, _, times = self._corners()
        return _interpolated(y, heights, times)

    def power_between(self, frequencies: Sequence[float], heights: Sequence[float]) -> tuple[float, float] | None:
        """Mean power in a part of the picture.

        Args:
            frequencies: lower and upper edge, Hz.
            heights: lower and upper edge.

        Returns:
            dB over full scale (NaN where the noise floor is not known), and dB over the noise in the same part; None
            where no pixel has its middle there.
        """
        total, noise, weight = 0.0, 0.0, 0.0
        for chunk in self.between(*heights):
            columns = np.searchsorted(chunk.scale.frequencies, frequencies)
            middles = chunk.y0 + (np.arange(chunk.rows) + 0.5) * chunk.row_height
            rows = np.searchsorted(middles, heights)
            part = chunk.mean[slice(*rows), slice(*columns)]
            if part.size:
                floor = 10.0 ** (chunk.floor_db[slice(*rows)].astype(float) / 10)
                total += (powers_of(chunk.scale)[part].sum(axis=1, dtype=float) * floor).sum() * chunk.row_height
                noise += part.shape[1] * floor.sum() * chunk.row_height
                weight += len(part) * chunk.row_height
        return (10 * np.log10(total / weight), 10 * np.log10(total / noise)) if weight else None

    def _break_before(self, frame: Frame) -> Break | None:
        """What lies between the newest frame and this one."""
        newest = self.newest
        if newest is None:
            return None
        not_received = frame.start_time - newest.start_time - newest.duration
        not_analysed = (frame.start_offset - newest.end_offset) / frame.sample_rate
        not_sent = min(max(frame.number - newest.number - 1, 0) * newest.duration, max(not_analysed, 0.0))
        not_received, not_analysed = not_received - not_analysed, not_analysed - not_sent
        tolerance = frame.duration / frame.image.shape[0] / 2
        tuned = _describe_change(newest.scale, frame.scale)
        if frame.clock == "file" and abs(not_received) > tolerance:
            way = mark("on by {time}") if not_received > 0 else mark("back by {time}")
            return self._break(CLOCK, frame, 0.0, tr(way, time=format_seconds(abs(not_received))), tuned)
        if not_received > tolerance:
            return self._break(
                LOST, frame, not_received, tr("{time} lost by the radio", time=format_seconds(not_received)), tuned
            )
        if not_analysed > frame.duration / 2 and not self.duty_cycled:
            return self._break(
                DROPPED, frame, not_analysed, tr("{time} not analysed", time=format_seconds(not_analysed)), tuned
            )
        if not_received < -tolerance:
            return self._break(
                CLOCK, frame, 0.0, tr("clock goes back by {time}", time=format_seconds(-not_received)), tuned
            )
        if tuned:
            return self._break(TUNED, frame, 0.0, tuned)
        if not_sent + not_analysed > tolerance:
            missing = not_sent + not_analysed
            return self._break(SKIP, frame, missing, tr("{time} not shown", time=format_seconds(missing)))
        return None

    def _break(self, kind: str, frame: Frame, seconds: float, *texts: str) -> Break:
        """A break on top of the newest row."""
        lowest, highest = (frames * frame.duration for frames in BREAK_FRAMES)
        height = min(max(seconds, lowest), highest) if kind in (DROPPED, LOST) else 0.0
        return Break(kind, self.newest_y, self.newest_y + height, seconds, ", ".join(filter(None, texts)))

    def _append(self, frame: Frame, is_new: bool) -> None:
        """Rows of a frame, to the newest chunk where they continue it."""
        image, mean, mask = reduce_rows(frame, self.rows_per_frame)
        tier, count = self.tiers[0], len(image)
        chunk = None if is_new or not tier else tier[-1]
        if (
            chunk is None
            or chunk.rows + count > len(chunk.image)
            or chunk.clock != frame.clock
            or chunk.scale != frame.scale
            or abs(chunk.row_height * count / frame.duration - 1) > 1e-3
        ):
            if tier:
                tier[-1].trim()
            chunk = self._new_chunk(frame, max(CHUNK_ROWS, count))
            tier.append(chunk)
        rows = slice(chunk.rows, chunk.rows + count)
        chunk.image[rows], chunk.mean[rows], chunk.mask[rows] = image, mean, mask
        chunk.floor_db[rows] = frame.floor_db
        chunk.rows += count
        self.newest_y += frame.duration
        chunk.y1, chunk.end_time = self.newest_y, frame.start_time + frame.duration
        chunk.end_offset = frame.end_offset

    def _new_chunk(self, frame: Frame, capacity: int) -> Chunk:
        """An empty one that begins with a frame."""
        image, mean, mask = (np.empty((capacity, frame.image.shape[1]), np.uint8) for _ in range(3))
        return Chunk(
            frame.scale,
            frame.clock,
            image,
            mean,
            mask,
            np.empty(capacity, np.float32),
            0,
            self.newest_y,
            self.newest_y,
            frame.start_time,
            frame.start_time,
            frame.start_offset,
            frame.start_offset,
        )

    def _coarsen(self) -> None:
        """Move the oldest rows of a tier that is full to the next one, eight into one; drop what is too old."""
        for tier, older in zip(self.tiers, self.tiers[1:]):
            while is_full(tier):
                older.append(merged(_take_joined(tier)))
        for tier in reversed(self.tiers):
            while tier and (tier[0].y1 < self.newest_y - HISTORY_SECONDS or tier is self.tiers[-1] and is_full(tier)):
                tier.popleft()
        for breaks in (self.breaks, self.skips):
            while breaks and breaks[0].y1 < self.oldest_y:
                breaks.popleft()

    def _changed(self) -> None:
        self.version += 1
        self._cached_corners: np.ndarray | None = None

    def _corners(self) -> np.ndarray:
        """Corners of the broken line between heights, samples and times: three arrays, ascending heights."""
        if self._cached_corners is None:
            corners: list[tuple[float, float, float]] = [
                corner
                for chunk in self.chunks
                for corner in (
                    (chunk.y0, chunk.start_offset, chunk.start_time),
                    (chunk.y1, chunk.end_offset, chunk.end_time),
                )
            ]
            self._cached_corners = np.array(corners or [(0.0, 0.0, 0.0)], np.float64).T
        return self._cached_corners


def _interpolated(at: Values, places: np.ndarray, values: np.ndarray) -> Values:
    found: Any = np.interp(at, places, values)  # numpy's stubs know arrays alone
    return found


def is_full(tier: Sequence[Chunk]) -> bool:
    """Whether chunks have to leave a tier."""
    if len(tier) < 2:
        return False
    rows = sum(chunk.rows for chunk in tier)
    nbytes = sum(3 * chunk.rows * chunk.scale.columns for chunk in tier)
    return len(tier) > MAX_TIER_CHUNKS or rows > MAX_TIER_ROWS or nbytes > MAX_TIER_BYTES


def _take_joined(tier) -> list[Chunk]:
    """Take the oldest chunks out of a tier: as many as can be merged into one, but never the newest."""
    group = [tier.popleft()]
    rows = group[0].rows
    while len(tier) > 1 and rows < CHUNK_ROWS and _can_join(group[-1], tier[0]):
        rows += tier[0].rows
        group.append(tier.popleft())
    return group


def _can_join(older: Chunk, newer: Chunk) -> bool:
    """Whether two chunks can be shown as one: same axes, and no more missing than a few rows would show."""
    missing = newer.start_time - older.end_time
    is_skip = newer.y0 - older.y1 < 0.5 * older.row_height
    longest = max(JOINED_SECONDS if is_skip else 0.0, 2 * MERGED_ROWS * older.row_height)
    return (
        older.scale == newer.scale
        and older.clock == newer.clock
        and abs(newer.row_height / older.row_height - 1) < 0.2
        and 0 <= missing + 1e-3 < longest
    )


def merged(group: list[Chunk]) -> Chunk:
    """One chunk with an eighth of the rows. A break between them repeats the row before it."""
    first, last = group[0], group[-1]
    indices, place = [], 0
    for chunk, following in itertools.zip_longest(group, group[1:]):
        indices.append(np.arange(place, place + chunk.rows))
        place += chunk.rows
        if following is not None:
            missing = round((following.y0 - chunk.y1) / chunk.row_height)
            indices.append(np.full(missing, place - 1))
    indices = np.concatenate(indices)
    image, mean, mask, floor_db = (
        np.concatenate([getattr(chunk, name)[: chunk.rows] for chunk in group])[indices] for name in Chunk.ARRAYS
    )
    count = -(-len(indices) // MERGED_ROWS)
    starts = np.arange(count) * len(indices) // count
    return Chunk(
        first.scale,
        first.clock,
        grouped(np.maximum, image, starts),
        mean_rows(mean, starts, first.scale),
        majority_rows(mask, starts),
        floor_db[starts],
        count,
        first.y0,
        last.y1,
        first.start_time,
        last.end_time,
        first.start_offset,
        last.end_offset,
    )


def format_seconds(seconds: float) -> str:
    """A time span with its unit, three digits."""
    for unit, size in (("h", 3600.0), ("min", 60.0), ("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.3g} \u00b5s"


def _describe_change(old: Scale, new: Scale) -> str:
    """What differs between the axes of two frames, "" where nothing does but how fine they are."""
    if dataclasses.replace(old, columns=new.columns) == new:
        return ""
    if old.center_frequency != new.center_frequency:
        megahertz = f"{new.center_frequency / 1e6:.6f}".rstrip("0").rstrip(".")
        return tr("tuned to {frequency} MHz", frequency=megahertz)
    if old.sample_rate != new.sample_rate:
        return tr("sample rate now {rate} MHz", rate=f"{new.sample_rate / 1e6:.6g}")
    return tr("the picture's scale changed")
