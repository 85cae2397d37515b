# SPDX-License-Identifier: GPL-3.0-or-later
"""What all logs share: which files there are, what an event says, and which carriers are on the air."""

import itertools
import math
import os
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..messages import keys
from ..messages.json_messages import line_of
from ..messages.results import segment_fields
from ..messages.times import SampleClock
from .background import CLOSE_SECONDS, BackgroundWriter

if TYPE_CHECKING:
    from ..tracking.tracker import Event

SEGMENT, CARRIER = PER = ("segment", "carrier")
"""What gets a line or an annotation: every segment, or a carrier as a whole."""
MAX_WAITING_BYTES = 8 << 20
"""Text that waits for a disk with room; what exceeds this is lost, the oldest first, and counted."""


class Log(BackgroundWriter):
    """A log that is being written. Made by `open_log`; a context manager.

    Its methods are for one thread and never raise: what goes wrong is in `fault`, and warned of once. While the disk
    is full the log keeps what it is told, up to 8 MiB, tries again twice a second, and goes on when there is room.

    Attributes:
        fault: what is wrong at this moment, in words; empty while all is well.
        lost: lines (SigMF: annotations) that could not be kept.
        path: the file that is being written.
    """

    suffix = per_default = None

    def __init__(self, names, per, model):
        super().__init__("rpmsn log")
        self.lost = 0
        self._names = names
        self._per = per
        self._model = model
        self._on_air = {}
        self._open()
        self._thread.start()

    def begin_frame(self, geometry, clock, health="ok"):
        """Tell what the next events are about; call it for every frame, before its events.

        Args:
            geometry: rpmsn.detection.segments.FrameGeometry of the frame.
            clock: StreamTime of its samples.
            health: of the input, in words.
        """
        self._take_safely(self._begin_frame, geometry, clock, health)

    def write(self, event, clock, frame_number):
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

    def status(self, fields):
        """Take a line about the state of things (JSON Lines; the other formats have no place for it).

        Args:
            fields: dict of what JSON can hold; what it cannot is written as text.
        """
        self._take_safely(self._status, fields)

    def close(self, timeout=CLOSE_SECONDS):
        """Write the rest and close the file; carriers on the air are told as far as they have come.

        Returns:
            bool: False where that did not work within `timeout` seconds.
        """
        if not self._is_closing:
            self._take_safely(self._tell_on_air)
        return super().close(timeout)

    def _take_safely(self, take, *arguments):
        """Take something in; a thing that cannot be told is lost, and the analysis goes on."""
        try:
            with self._changed:
                take(*arguments)
        except Exception as error:
            self.lost += 1
            self._report(f"{type(error).__name__}: {error}")

    def _follow(self, event, clock):
        """The `Known` of an event's carrier, brought up to date; those that are gone are forgotten."""
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

    def _open(self):
        raise NotImplementedError

    def _begin_frame(self, geometry, clock, health):
        """What a new frame means for the file; nothing for most."""

    def _write(self, event, clock, frame_number):
        raise NotImplementedError

    def _status(self, fields):
        """Take a line of state; nothing for most formats."""

    def _tell_on_air(self):
        """Tell how far the carriers on the air have come."""

    def _forget(self, known):
        """A carrier is gone, or its number belongs to another one from now on."""


@dataclass
class OpenCarrier:
    """A carrier on the air: its last event, the clocks of its begin and its end, and what earlier files have of it."""

    event: object
    begin_clock: object
    clock: object
    told_until: int | None = None

    @property
    def begins(self):
        """Sample where its part in this file begins."""
        return self.event.carrier.sample_start if self.told_until is None else self.told_until


@dataclass(frozen=True)
class Rotation:
    """When a new file starts, and how many are kept."""

    seconds: float | None
    bytes: float
    keep_files: int | None

    @property
    def is_on(self):
        """Whether there may be several files, named after their time."""
        return self.seconds is not None or self.bytes < math.inf


class Names:
    """Names of a log's files, and which of them it made."""

    def __init__(self, path, suffix, rotation, now):
        self.rotation = rotation
        self.now = now
        self._folder = path.parent
        self._suffix = path.name[-len(suffix) :] if path.name.lower().endswith(suffix) else path.suffix
        self._base = path.name[: len(path.name) - len(self._suffix)]
        self._slot = None
        self._made = deque()

    def create(self, make):
        """Call `make(path)` with names until one is not taken (it raises FileExistsError); returns its result."""
        self._slot = self._slot_now()
        stem = self._base
        if self.rotation.is_on:
            stem += time.strftime("_%Y%m%dT%H%M%SZ", time.gmtime(self.now()))
        for number in itertools.count(1):
            with suppress(FileExistsError):
                return make(self._folder / f"{stem}{'' if number == 1 else f'_{number}'}{self._suffix}")

    def is_time(self):
        """Whether the file belongs to a time that is over."""
        return self._slot_now() != self._slot

    def finished(self, path, status):
        """A file is finished: delete the oldest where there are too many, but none that is not as it was left.

        Args:
            path: of the file.
            status: its os.stat_result, as it was left.
        """
        self._made.append((path, _state(status)))
        while self.rotation.keep_files is not None and len(self._made) >= self.rotation.keep_files:
            path, state = self._made.popleft()
            with suppress(OSError):
                if _state(os.stat(path)) == state:
                    os.unlink(path)

    def _slot_now(self):
        return None if self.rotation.seconds is None else self.now() // self.rotation.seconds


def _state(status):
    """What tells a file from another that has taken its place, or that somebody has changed."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def event_fields(
    event: "Event",
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
