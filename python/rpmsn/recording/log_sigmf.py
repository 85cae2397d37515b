# SPDX-License-Identifier: GPL-3.0-or-later
"""A log of SigMF annotations, one a carrier, in metadata files that are whole at every moment."""

from __future__ import annotations

import json
import math
import os
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

from ..files import write_whole
from ..messages.fields import FIELDS, LOST, MODEL
from ..messages.results import carrier_values
from ..messages.times import SampleClock, time_text
from . import sigmf_text
from .annotations import EXTENSION, GENERATOR, annotation
from .log_base import CARRIER, MAX_WAITING_BYTES, SEGMENT, Log
from .metadata import META_SUFFIX

MAX_WAITING_FILES = 4
"""Finished files that wait for a disk with room."""
MAX_CAPTURES = 10_000
MAX_CAPTURES_HANDED_ON = 100
"""A new file takes over the capture segments of the carriers on the air, but not more than these."""
CHECK_SECONDS = 0.4
"""How often the annotations of carriers on the air are brought up to date."""


class SigmfLog(Log):
    """A log of annotations: a metadata file, put in place again, whole, whenever it has changed.

    A carrier is annotated up to its last sample so far. When a new file begins, one on the air has its part up to then
    in the one and its further part in the other.
    """

    suffix = META_SUFFIX
    per_default = CARRIER

    def _open(self):
        self._is_started = False
        self._global = sigmf_text.completed(
            {
                "core:datatype": "cf32_le",
                "core:metadata_only": True,
                "core:extensions": [EXTENSION],
                "core:recorder": GENERATOR,
                "core:description": "Found live; samples count from the start of the stream.",
                **({FIELDS[MODEL].sigmf: self._model} if self._model else {}),
            }
        )
        self._tuned: _Tuned | None = None
        self._captures: deque[tuple[int, str]] = deque(maxlen=MAX_CAPTURES)
        self._done: deque[tuple[int, str]] = deque()
        self._done_bytes = 0
        self._parts: dict[int, _Part] = {}
        self._ended_documents: deque[_Document] = deque()
        self._checked_at = -math.inf
        self._status_on_disk: os.stat_result
        self._has_changed = False
        self._store(self._document())

    def _begin_frame(self, geometry, clock, health):
        self._tune(geometry.start_offset, geometry.sample_rate, geometry.center_frequency, clock)
        self._check_open_carriers()

    def _tune(self, start, sample_rate, center_frequency, clock):
        """A capture segment begins where the centre frequency or the clock is another; a file, where the rate is."""
        before = self._tuned
        if before is not None:
            is_same = (sample_rate, center_frequency) == (before.sample_rate, before.center_frequency)
            if is_same and (clock is before.clock or _agree(clock, before.clock, start, sample_rate)):
                return
            if sample_rate != before.sample_rate:
                self._log_open_carriers(start)
                self._end_document()
                self._captures.clear()
        self._tuned = _Tuned(sample_rate, center_frequency, clock)
        self._global["core:sample_rate"] = float(sample_rate)
        capture: dict[str, Any] = {"core:sample_start": int(start), "core:datetime": time_text(clock.at(start))}
        if center_frequency:
            capture["core:frequency"] = float(center_frequency)
        self._captures.append((start, _json({key: value for key, value in capture.items() if value is not None})))
        self._has_changed = True

    def _write(self, event, clock, frame_number):
        source = event.segment or event.carrier
        if self._tuned is None:
            self._tune(source.start_offset if event.segment else source.sample_start, source.sample_rate, 0.0, clock)
        self._follow(event, clock)
        if self._per == SEGMENT and event.segment:
            self._add(event.carrier, source.start_offset, source.end_offset)
        self._check_open_carriers()

    def _forget(self, known):
        self._parts.pop(known.event.carrier.carrier_id, None)
        carrier = known.event.carrier
        if self._per == CARRIER and carrier.sample_end > known.begins:
            self._add(carrier, known.begins, carrier.sample_end)

    def _add(self, carrier, start, end):
        """Take a finished annotation; where too many wait it is lost, since those before may be on the disk already."""
        text = _json(annotation(carrier_values(carrier), carrier.carrier_id, start, end - start))
        if self._done_bytes + len(text) > max(MAX_WAITING_BYTES, 2 * self._names.rotation.bytes):
            self.lost += 1
            return
        self._done.append((start, text))
        self._done_bytes += len(text)
        self._has_changed = True

    def flush(self, timeout: float = 0.0) -> bool:
        """As of BackgroundWriter, with the carriers on the air up to their last sample so far."""
        self._take_safely(self._log_open_carriers)
        return super().flush(timeout)

    def _check_open_carriers(self):
        now = time.monotonic()
        if now - self._checked_at >= CHECK_SECONDS:
            self._checked_at = now
            self._log_open_carriers()

    def _log_open_carriers(self, until=math.inf):
        # A carrier may be ahead of this log: its last frame may have had another sample rate, for instance.
        for carrier_id, known in self._on_air.items() if self._per == CARRIER else ():
            carrier = known.event.carrier
            start, end = known.begins, min(carrier.sample_end, until)
            if end > start and (carrier_id not in self._parts or end > self._parts[carrier_id].end):
                text = _json(annotation(carrier_values(carrier), carrier_id, start, end - start))
                self._parts[carrier_id] = _Part(start, end, text)
                self._has_changed = True

    def _document(self) -> _Document:
        """The file as it would be now."""
        if self.lost:
            self._global[FIELDS[LOST].sigmf] = self.lost
        annotations = sorted([*self._done, *((part.start, part.text) for part in self._parts.values())])
        text = '{{"global": {},\n"captures": [\n{}\n],\n"annotations": [\n{}\n]}}\n'.format(
            _json(self._global),
            ",\n".join(text for _, text in self._captures),
            ",\n".join(text for _, text in annotations),
        )
        return _Document(text, len(annotations))

    def _end_document(self):
        """End this file; what comes next belongs to another."""
        self._ended_documents.append(self._document())
        if len(self._ended_documents) > MAX_WAITING_FILES:
            # The first belongs to a file that is there already; the others are not on the disk yet.
            self.lost += self._ended_documents[1].entries
            del self._ended_documents[1]
        self._done.clear()
        self._done_bytes = 0
        for carrier_id, part in self._parts.items():
            self._on_air[carrier_id].logged_until = part.end
        self._parts.clear()
        earliest = min((known.begins for known in self._on_air.values()), default=math.inf)
        while len(self._captures) > 1 and (
            self._captures[1][0] <= earliest or len(self._captures) > MAX_CAPTURES_HANDED_ON
        ):
            self._captures.popleft()
        self._has_changed = True

    def _save(self, everything):
        with self._changed:
            size = self._done_bytes + sum(len(text) for _, text in self._captures)
            is_due = size >= self._names.rotation.bytes or self._is_started and self._names.is_time()
            if is_due and not self._ended_documents:
                self._end_document()
        has_written = False
        while self._ended_documents:
            self._store(self._ended_documents[0])
            with self._changed:
                self._ended_documents.popleft()
            self._names.finished(self.path, self._status_on_disk)
            self._is_started, self._stored, has_written = False, 0, True
        with self._changed:
            document = self._document() if self._has_changed else None
            self._has_changed = False
        if document is not None:
            try:
                self._store(document)
            except OSError:
                self._has_changed = True
                raise
        return has_written or document is not None

    def _store(self, document: _Document) -> None:
        """Put the file in place, under a new name if it is a new one."""
        if self._is_started:
            write_whole(self.path, document.text)
        else:
            self.path = self._names.create(lambda path: write_whole(path, document.text, overwrite=False))
        self._is_started, self._stored = True, document.entries
        self._status_on_disk = os.stat(self.path)

    def _finish(self):
        with self._changed:
            if self._has_changed or self._ended_documents:
                unsaved = [*self._ended_documents, self._document()]
                self.lost += max(0, sum(document.entries for document in unsaved) - self._stored)


@dataclass(frozen=True)
class _Tuned:
    """What holds for the samples of the stream from some sample on."""

    sample_rate: float
    center_frequency: float
    clock: SampleClock


@dataclass(frozen=True)
class _Part:
    """The annotation of a carrier on the air, up to the sample `end`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class _Document:
    """A whole SigMF metadata file, and how many annotations it has."""

    text: str
    entries: int


def _agree(clock, other, offset, sample_rate):
    """Whether two clocks have the same time, to less than half a sample."""
    (seconds, fraction), (other_seconds, other_fraction) = clock.at(offset), other.at(offset)
    return abs(seconds - other_seconds + fraction - other_fraction) * sample_rate < 0.5


def _json(fields):
    return json.dumps(fields, allow_nan=False, sort_keys=True)
