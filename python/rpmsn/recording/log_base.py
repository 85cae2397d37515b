# SPDX-License-Identifier: GPL-3.0-or-later
"""What all logs share: which files there are, what an event says, and which carriers are on the air."""

from __future__ import annotations

import itertools
import math
import os
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ..messages import keys
from ..messages.json_messages import line_of
from ..messages.results import segment_fields
from ..messages.times import SampleClock
from .background import CLOSE_SECONDS, BackgroundWriter

if TYPE_CHECKING:
    from ..detection.segments import FrameGeometry
    from ..tracking.tracker import Event

Made = TypeVar("Made")

SEGMENT, CARRIER = PER = ("segment", "carrier")
"""What gets a line or an annotation: every segment, or a carrier as a whole."""
MAX_WAITING_BYTES = 8 << 20
"""Text that waits for a disk with room; what exceeds this is lost, the oldest first, and counted."""


class Log(BackgroundWriter):
    """A log that is being written. Made by `open_log`; a context manager.

    Its methods are for one thread and never raise: what goes wrong is in `fault`, and warned of once. While the disk
    is full the log keeps what it is given, up to 8 MiB, tries again twice a second, and continues when there is room.

    Attributes:
        fault: what is wrong at this moment, in words; empty while all is well.
        lost: lines (SigMF: annotations) that could not be kept.
        path: the file that is being written.
    """

    suffix = per_default = ""

    path: Path

    def __init__(self, names: FileNames, per: str, model: str) -> None:
        super().__init__("rpmsn log")
        self.lost = 0
        self._names = names
        self._per = per
        self._model = model
        self._on_air: dict[int, OpenCarrier] = {}
        self._open()
        self._thread.start()

    def begin_frame(self, geometry: FrameGeometry, clock: SampleClock, health: str = "ok") -> None:
        """Set the frame that the next events belong to; call it for every frame, before its events.

        Args:
            geometry: rpmsn.detection.segments.FrameGeometry of the frame.
            clock: StreamTime of its samples.
            health: of the input, in words.
        """
        self._take_safely(self._begin_frame, geometry, clock, health)

    def write(self, event: Event, clock: SampleClock, frame_number: int) -> None:
        """Take one event of a Tracker.

        Args:
            event: rpmsn.tracking.tracker.Event.
            clock: StreamTime of the frame's samples. For a carrier that is gone the log remembers the one that held
                when it began.
            frame_number: number of the frame.
        """
        if self._is_closing:
            self.lost += 1
            return
        self._take_safely(self._write, event, clock, frame_number)

    def status(self, fields: Mapping[str, Any]) -> None:
        """Take a line about the state of things (JSON Lines; the other formats have no place for it).

        Args:
            fields: dict of what JSON can hold; what it cannot is written as text.
        """
        self._take_safely(self._status, fields)

    def close(self, timeout: float = CLOSE_SECONDS) -> bool:
        """Write the rest and close the file; carriers on the air are logged up to their last sample so far.

        Returns:
            False where that did not work within `timeout` seconds.
        """
        if not self._is_closing:
            self._take_safely(self._log_open_carriers)
        return super().close(timeout)

    def _take_safely(self, take: Callable[..., None], *arguments: object) -> None:
        """Take something in; what cannot be logged is lost and counted, and the analysis continues."""
        try:
            with self._changed:
                take(*arguments)
        except Exception as error:
            self.lost += 1
            self._report(f"{type(error).__name__}: {error}")

    def _follow(self, event: Event, clock: SampleClock) -> OpenCarrier:
        """The `OpenCarrier` of an event's carrier, brought up to date; those that are gone are forgotten."""
        carrier_id = event.carrier.carrier_id
        if event.kind == "new" and carrier_id in self._on_air:
            self._forget(self._on_air.pop(carrier_id))
        known = self._on_air.setdefault(carrier_id, OpenCarrier(event, clock, clock))
        known.event = event
        if event.segment:
            known.clock = clock
        if event.kind == "gone":
            self._forget(self._on_air.pop(carrier_id))
        return known

    def _open(self) -> None:
        raise NotImplementedError

    def _begin_frame(self, geometry: FrameGeometry, clock: SampleClock, health: str) -> None:
        """What a new frame means for the file; nothing for most."""

    def _write(self, event: Event, clock: SampleClock, frame_number: int) -> None:
        raise NotImplementedError

    def _status(self, fields: Mapping[str, Any]) -> None:
        """Take a line of state; nothing for most formats."""

    def _log_open_carriers(self) -> None:
        """Log the carriers on the air up to their last sample so far."""

    def _forget(self, known: OpenCarrier) -> None:
        """A carrier is gone, or its number belongs to another one from now on."""


@dataclass
class OpenCarrier:
    """A carrier on the air: its last event, the clocks of its begin and its end, and which part is in earlier files."""

    event: Event
    begin_clock: SampleClock
    clock: SampleClock
    logged_until: int | None = None

    @property
    def begins(self) -> int:
        """Sample where its part in this file begins."""
        return self.event.carrier.sample_start if self.logged_until is None else self.logged_until


@dataclass(frozen=True)
class Rotation:
    """When a new file starts, and how many are kept."""

    seconds: float | None
    bytes: float
    keep_files: int | None

    @property
    def is_on(self) -> bool:
        """Whether there may be several files, named after their time."""
        return self.seconds is not None or self.bytes < math.inf


class FileNames:
    """FileNames of a log's files, and which of them it made.

    Not a handler of `logging.handlers`: those rename finished files, which readers may hold; write no head into a new
    one; leave a line that a full disk tore; and drop what cannot be written.
    """

    def __init__(self, path: Path, suffix: str, rotation: Rotation, now: Callable[[], float]) -> None:
        self.rotation = rotation
        self.now = now
        self._folder = path.parent
        self._suffix = path.name[-len(suffix) :] if path.name.lower().endswith(suffix) else path.suffix
        self._base = path.name[: len(path.name) - len(self._suffix)]
        self._slot: float | None = None
        self._made: deque[tuple[Path, tuple[int, ...]]] = deque()

    def create(self, make: Callable[[Path], Made]) -> Made:
        """Call `make(path)` with names until one is not taken (it raises FileExistsError); returns its result."""
        self._slot = self._slot_now()
        stem = self._base
        if self.rotation.is_on:
            stem += time.strftime("_%Y%m%dT%H%M%SZ", time.gmtime(self.now()))
        for number in itertools.count(1):
            with suppress(FileExistsError):
                return make(self._folder / f"{stem}{'' if number == 1 else f'_{number}'}{self._suffix}")
        raise AssertionError("counting has no end")

    def is_time(self) -> bool:
        """Whether the file belongs to a time that is over."""
        return self._slot_now() != self._slot

    def finished(self, path: Path, status: os.stat_result) -> None:
        """A file is finished: delete the oldest where there are too many, but none that is not as it was left.

        Args:
            path: of the file.
            status: of the file, as it was left.
        """
        self._made.append((path, _state(status)))
        while self.rotation.keep_files is not None and len(self._made) >= self.rotation.keep_files:
            path, state = self._made.popleft()
            with suppress(OSError):
                if _state(os.stat(path)) == state:
                    os.unlink(path)

    def _slot_now(self) -> float | None:
        return None if self.rotation.seconds is None else self.now() // self.rotation.seconds


def _state(status: os.stat_result) -> tuple[int, ...]:
    """What differs for a file that was replaced or changed by somebody else."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def event_fields(
    event: Event,
    clock: SampleClock,
    frame_number: int,
    model: str = "",
    health: str = "ok",
    end_clock: SampleClock | None = None,
) -> dict[str, Any]:
    """An event as a dict that JSON can hold: the message about it, with its times as text.

    Args:
        event: what happened to which carrier.
        clock: clock that holds at the beginning of the segment, or of the whole carrier where the event has no segment.
        frame_number: number of the frame.
        model: name of the model.
        health: of the input in this frame, in words.
        end_clock: clock that holds at the end, if another one.
    """
    fields = segment_fields(event, clock, frame_number, clean(health), model)
    return line_of(fields, (end_clock or clock).at(fields[keys.END_OFFSET]))


def clean(text: object) -> str:
    """Text that can be written as UTF-8, whatever a path had in it."""
    return str(text).encode("utf-8", "replace").decode()
