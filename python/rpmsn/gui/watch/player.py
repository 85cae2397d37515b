# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays a recording into the analysis: seeks, at any speed, in a loop (no Qt, no GNU Radio flowgraph)."""

import dataclasses
import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent import futures
from typing import TYPE_CHECKING

import numpy as np

from ... import waiting
from ...errors import ParameterError, RpmsnError
from ...messages import keys
from ...messages.results import frame_fields, segment_fields
from ...models.model import load_model
from ...recording import Recording
from ...streaming import CELL_BUDGET
from ...streaming.intake import StreamTime
from ..carriers.carrier_list import WHOLE_EVENT
from ..translation import mark, tr
from ..waterfall.status import ENDED, PAUSED, SOURCE_STATE, SPEED
from .feed import Feed
from .pacing import FASTEST, SLOWEST, Pacing

if TYPE_CHECKING:
    from ...streaming.live import StreamAnalyser
    from .preview import Preview

logger = logging.getLogger(__name__)

WAIT_SECONDS = 0.02
STATUS_SECONDS = 1.0
MAX_PIECES = 64
STOP_SECONDS = 10.0
PREVIEW_SECONDS = 0.2
"""Signal that is shown without classes while the analysis loads; it is then made up for (`pacing`)."""


@dataclasses.dataclass(frozen=True)
class Piece:
    """A chunk of the recording that was played without a jump.

    Attributes:
        offset: sample of the stream at which it begins; the stream counts on over jumps.
        position: the same, as sample of the recording.
    """

    offset: int
    position: int


class Player:
    """A recording as a source of `rpmsn watch`: a thread of its own reads, and the analysis runs in others.

    No sample that is played is left out: where the analysis cannot keep up, the recording plays more slowly. The
    methods may be called from any thread.

    Args:
        recording: `rpmsn.recording.Recording`; the player alone reads it from `start` on.
        feed: Feed that gets everything.
        model: name of a model, or path of its card.
        runtime: what runs the network.
        workers: frames that are analysed at the same time.
        speed: times real time, 0.1 to `FASTEST`.
        loop: begin again at the end.
        begin_at: s, where to begin.
        clock: seconds of a clock that never jumps.
        cell_budget, columns: as of `streaming.live.Settings`.

    Attributes:
        ended: whether it stands at the end of the recording.
        finished: whether all that was played until then has been reported.

    Raises:
        ParameterError: a value is not allowed.
        ModelError: there is no such model.
    """

    is_stuck = False

    def __init__(
        self,
        recording: Recording,
        feed: Feed,
        model: str,
        runtime: str = "auto",
        workers: int = 2,
        speed: float = 1.0,
        loop: bool = False,
        begin_at: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
        cell_budget: float = CELL_BUDGET,
        columns: int = 256,
    ) -> None:
        self.recording, self._feed = recording, feed
        self._model, self._runtime, self._workers = load_model(model), runtime, workers
        self._cell_budget = cell_budget
        self._columns = columns
        self._analyser: StreamAnalyser | None = None
        self._clock = clock
        self._pace = Pacing(recording.sample_rate, clock)
        self._changed = threading.Condition()
        self._seek: int | None = self._sample_at(begin_at)
        self._until: int | None = None
        self._step = 0
        self._is_paused = self._is_stopping = self.ended = self.finished = False
        self.loop = loop
        self._position = self._sample_at(begin_at)
        self._offset = self._shown = 0
        self._pieces: deque[Piece] = deque(maxlen=MAX_PIECES)
        self._health, self._number = keys.HEALTH_OK, 0
        self._measured = clock(), 0
        self._status: dict | None = None
        self._is_steady = False
        self._thread = threading.Thread(target=self._run, name="rpmsn player")
        self.set_speed(speed)
        if not 0 <= begin_at <= recording.duration:
            raise ParameterError(
                f"the start is {begin_at:g} s, but {recording.path.name} lasts "
                f"{recording.duration:g} s; choose a time from 0 to that"
            )

    @property
    def title(self) -> str:
        """Name of what is played."""
        return (self.recording.meta_path or self.recording.path).name

    @property
    def position(self) -> float:
        """Where it plays, s from the start of the recording."""
        return self._position / self.recording.sample_rate

    @property
    def playing(self) -> bool:
        """Whether it plays, and is not paused."""
        return not (self._is_paused or self.ended)

    @property
    def speed(self) -> float:
        """Times real time that is asked for."""
        return self._speed

    def start(self) -> None:
        """Load the model and play; a second call does nothing."""
        if self._thread.ident is None:
            self._thread.start()

    def stop(self) -> None:
        """End it; waits for the frames in progress, for a limited time."""
        self._set_state(is_stopping=True)
        if self._thread.ident is not None:
            self.is_stuck = not waiting.join(self._thread, STOP_SECONDS)

    def play(self) -> None:
        """Go on; from the beginning where it had ended."""
        with self._changed:
            if self.ended:
                self._seek = 0
            self._is_paused = self.ended = False
            self._changed.notify_all()

    def pause(self) -> None:
        """Pause."""
        self._set_state(is_paused=True)

    def seek(self, seconds: float) -> None:
        """Go to a place, s from the start; while it is paused one frame is shown there."""
        with self._changed:
            self._seek, self._until = self._sample_at(seconds), None
            self._is_steady = False
            if not self.playing:
                self._is_paused, self.ended = True, False
                self._step = self._frame_samples
            self._changed.notify_all()

    def play_part(self, start: int, end: int) -> None:
        """Play from one sample of the recording to another, and pause there."""
        with self._changed:
            self._seek, self._until = start, end
            self._step, self._is_steady = 0, False
            self._is_paused = self.ended = False
            self._changed.notify_all()

    def step(self) -> None:
        """Pause, and play one frame."""
        with self._changed:
            self._is_paused = True
            self._step = self._frame_samples
            self._changed.notify_all()

    def set_speed(self, speed: float) -> None:
        """Times real time, 0.1 to `FASTEST`.

        Raises:
            ParameterError: another value.
        """
        if not SLOWEST <= speed <= FASTEST:
            raise ParameterError(f"speed is {speed:g} times real time; choose a number of at least {SLOWEST:g}, or max")
        with self._changed:
            self._speed = speed
            self._is_steady = False
            self._pace.begin(speed)

    def set_columns(self, columns: int) -> None:
        """Other columns of the picture, from the next frame on."""
        with self._changed:
            self._columns = columns
            if self._analyser is not None:
                self._analyser.resolution.columns = columns

    def reference_annotations(self, own: Sequence[dict] = (), results: Mapping[tuple, str] | None = None) -> list:
        """The annotations of the file, and those that a person has drawn, as
        `WaterfallWidget.set_reference_annotations` takes them.

        Args:
            own: annotations, as of `Recording.annotations`.
            results: as of `ComparisonTable.results`: said after the label.
        """
        rate, found = self.recording.sample_rate, []
        said = [(entry, mark("file")) for entry in self.recording.annotations] + [(entry, mark("own")) for entry in own]
        for entry, by in said:
            lower, upper = entry.get("core:freq_lower_edge"), entry.get("core:freq_upper_edge")
            if lower is not None and upper is not None:
                start, count = entry.get("core:sample_start", 0), entry.get("core:sample_count")
                duration = None if count is None else count / rate
                label = str(entry.get("core:label", "?"))
                result = (results or {}).get((label, lower, upper)) if by == "file" else None
                found.append(
                    {
                        "label": f"{label}, {tr(result)}" if result else label,
                        "freq_lower": lower,
                        "freq_upper": upper,
                        "start": self._time_at(max(0, start)),
                        "duration": duration,
                        "by": by,
                    }
                )
        return found

    def recording_span(self, start: int, end: int) -> tuple[int, int]:
        """First sample, and the one after the last, of the recording that samples of the stream were: over a jump, from
        the earliest to the latest. The whole recording, where the jumps are no longer known."""
        pieces = list(self._pieces)
        ends = [piece.offset for piece in pieces[1:]] + [max(end, self._offset)]
        spans = [
            (max(start, piece.offset) - piece.offset + piece.position, min(end, after) - piece.offset + piece.position)
            for piece, after in zip(pieces, ends)
            if min(end, after) > max(start, piece.offset)
        ]
        return (
            min((first for first, _ in spans), default=0),
            max((after for _, after in spans), default=self.recording.sample_count),
        )

    def positions_of(self, offsets: np.ndarray) -> np.ndarray:
        """Samples of the recording that samples of the stream were; -1 where that is not known any more."""
        pieces = list(self._pieces)
        if not pieces:
            return np.full(len(offsets), -1)
        starts = np.array([piece.offset for piece in pieces])
        index = np.searchsorted(starts, offsets, side="right") - 1
        shift = np.array([piece.position - piece.offset for piece in pieces])
        return np.where(index < 0, -1, offsets + shift[np.maximum(index, 0)])

    def _set_state(self, is_paused=None, is_stopping=False) -> None:
        with self._changed:
            self._is_paused = self._is_paused if is_paused is None else is_paused
            self._is_stopping |= is_stopping
            self._changed.notify_all()

    @property
    def _frame_samples(self) -> int:
        return max(1, round(self._model.card.frame_seconds * self.recording.sample_rate))

    def _sample_at(self, seconds: float) -> int:
        last = max(0, self.recording.sample_count - 1)
        return min(last, max(0, round(seconds * self.recording.sample_rate)))

    def _time_at(self, position: int) -> tuple[int, float]:
        """(whole s, fraction) of a sample; without a clock the recording begins with 1970."""
        known = self.recording.time_at(position)
        return known or (int(position / self.recording.sample_rate), position / self.recording.sample_rate % 1)

    def _run(self) -> None:
        """The thread: load, play, and report what goes wrong."""
        try:
            self._feed.note = tr("loading the model {name}", name=self._model.card.name)
            analyser = self._load_and_show()
            with self._changed:
                self._analyser = analyser
            self.set_columns(self._columns)
            self._feed.note = "; ".join(self._notes(analyser))
        except Exception as error:  # whatever a broken library raises has to be seen in the window
            self._fail(error)
            return
        self._begin_stream(analyser)
        try:
            self._play(analyser)
        except Exception as error:  # as above
            self._fail(error)
        finally:
            analyser.stop()

    def _load_and_show(self) -> "StreamAnalyser":
        """The analysis; until it is loaded the first frames are shown without classes."""
        from .preview import Preview  # late: the window opens sooner

        begin = self._position
        preview = Preview(self.recording, self._model.card, begin, self._stream_time(begin), self._columns)
        self._show(preview)
        begun = self._clock()
        with futures.ThreadPoolExecutor(1, "rpmsn load") as loader:
            loading = loader.submit(self._load)
            while not loading.done():
                played = preview.samples / self.recording.sample_rate
                is_wanted = self.playing and not self._is_stopping and self._seek == begin
                is_due = played <= min((self._clock() - begun) * self._speed, PREVIEW_SECONDS)
                if not (is_wanted and is_due and self._show(preview)):
                    futures.wait([loading], WAIT_SECONDS)
        with self._changed:
            self._shown = preview.samples if self._seek == begin else 0
        return loading.result()

    def _show(self, preview: "Preview") -> bool:
        """The next frame of a preview; returns whether there was one."""
        shown = preview.next()
        if shown is not None:
            self._feed.put_frame(*shown, None)
        return shown is not None

    def _load(self) -> "StreamAnalyser":
        from ...streaming.live import Settings, StreamAnalyser  # late: rows come sooner

        settings = Settings(
            live=False,
            runtime=self._runtime,
            workers=self._workers,
            carriers_kept=1000,
            dtype=self.recording.native_type,
            cell_budget=self._cell_budget,
            columns=self._columns,
        )
        return StreamAnalyser(
            self._model,
            self.recording.sample_rate,
            self.recording.center_frequency or 0.0,
            settings,
            on_result=self._on_result,
            on_status=self._on_status,
            on_error=lambda text: logger.error("%s", text),
        )

    def _notes(self, analyser) -> list:
        """What a user should know about this recording, as one text."""
        notes = [*self.recording.warnings, *analyser.segmenter.warnings]
        if not self._has_clock:
            notes.append(tr("the recording has no time: times count from its beginning"))
        return notes

    def _begin_stream(self, analyser, goes_on: bool = False) -> None:
        analyser.start(goes_on)
        self._measured = self._clock(), 0
        if self._status is not None and self._status.get(SOURCE_STATE) == ENDED:
            # Said until the first status of the new stream, it would be wrong for a second or more.
            rest = {key: value for key, value in self._status.items() if key != SOURCE_STATE}
            self._status = {**rest, **self._what_it_does()}
            self._feed.put_status(self._status)

    def _fail(self, error: Exception) -> None:
        text = str(error) if isinstance(error, (RpmsnError, ImportError)) else f"{type(error).__name__}: {error}"
        logger.error("%s", text)
        self._feed.fail(text)
        self.ended = True

    def _play(self, analyser) -> None:
        """Play slices until it is stopped."""
        while not self._is_stopping:
            if self.ended and not self.finished:
                # As at the end of `rpmsn annotate`: carriers that were seen too little to be reported are reported now.
                analyser.stop()
                self.finished = True
            self._jump(analyser)
            count = self._allowed()
            if count:
                self._play_slice(analyser, count)
            else:
                self._repeat_status()
                with self._changed:
                    self._changed.wait(WAIT_SECONDS)

    def _allowed(self) -> int:
        """Samples that may be played now."""
        with self._changed:
            if self._seek is not None:
                return 0
            if self._step:
                return min(self._step, self._slice_end() - self._position)
            if not self.playing:
                self._pace.begin(self._speed)
                self._is_steady = False
                return 0
            return min(self._pace.due(), self._slice_end() - self._position)

    def _slice_end(self) -> int:
        """Where a slice ends at the latest: at the next capture segment, or at the end of the recording or the part."""
        end = self.recording.next_capture(self._position)
        return end if self._until is None else min(end, self._until)

    def _play_slice(self, analyser, count: int) -> None:
        """Play a slice; this waits where the analysis is late."""
        captures = self.recording.captures_between(self._position, self._position + 1)
        if captures and self._position != self._pieces[-1].position:
            capture = captures[0]
            analyser.follow(self._offset, center_frequency=capture.center_frequency, seconds=capture.time)
        samples = self.recording.read_native(self._position, count)
        taken = 0
        while taken < len(samples) and not self._is_stopping and self._seek is None:
            taken += analyser.write(samples[taken:], self._offset + taken)
        with self._changed:
            self._position += taken
            self._offset += taken
            self._step = max(0, self._step - taken)
            self._pace.went(taken)
            if self._position >= self.recording.sample_count:
                self._at_end()
            elif self._until is not None and self._position >= self._until and self._seek is None:
                self._until, self._is_paused = None, True

    def _at_end(self) -> None:
        """The recording is over: start again, or pause."""
        self._step, self._until = 0, None
        if self.loop:
            self._seek = 0
        elif self._seek is None:
            self.ended = True

    def _jump(self, analyser) -> None:
        """Go where a seek has asked to."""
        with self._changed:
            position, self._seek = self._seek, None
            if position is None:
                return
            self._position = position
            self._pieces.append(Piece(self._offset, position))
            self._pace.begin(self._speed, self._shown)
            self._shown = 0
            self._is_steady = False
        if self.finished:
            self._begin_stream(analyser, goes_on=True)
            self.finished = False
        frequency = self.recording.capture_at(position).center_frequency
        analyser.jump(self._stream_time(position), frequency)

    def _stream_time(self, position: int) -> StreamTime:
        return StreamTime(self._offset, *self._time_at(position), self.recording.sample_rate, "file")

    def _on_result(self, frame, clock, events) -> None:
        """Results of a frame (None after the last one), in the analysing thread: to the window."""
        if frame is None and not events:
            return
        if frame is not None:
            self._health, self._number = frame.health, frame.number
        for event, event_clock in events:
            fields = segment_fields(event, event_clock, self._number, self._health, self._model.card.name)
            shown_fields = fields if self._has_clock else {**fields, keys.RX_TIME: None}
            # What is on the air when the recording ends is not gone, also where a jump comes before its last results.
            is_cut = frame is None and fields[keys.EVENT] == "gone"
            self._feed.put_segment({**shown_fields, keys.EVENT: WHOLE_EVENT} if is_cut else shown_fields, fields)
        if frame is not None:
            fields, image = frame_fields(frame, clock, self._model.card.name)
            self._feed.put_frame(fields, image, fields[keys.MASK])

    def _on_status(self, status: dict) -> None:
        """A status, in the analysing thread. The real-time factor is that since the one before: since the start it
        would count pauses and speeds of the past."""
        now, analysed = self._clock(), status[keys.SAMPLES_ANALYSED]
        since, before = self._measured
        self._measured = now, analysed
        factor = (analysed - before) / self.recording.sample_rate / max(now - since, 1e-3)
        self._status = status = {**status, keys.REAL_TIME_FACTOR: factor, **self._what_it_does()}
        self._feed.put_status(status)

    def _what_it_does(self) -> dict:
        """What a status does not say: that it is paused, or how fast it was to play ever since the one before."""
        with self._changed:
            was_steady, self._is_steady = self._is_steady, self.playing
            if self._is_paused and not self.ended:
                return {SOURCE_STATE: PAUSED}
            is_known = was_steady and self.playing and math.isfinite(self._speed)
            return {SPEED: self._speed} if is_known else {}

    def _repeat_status(self) -> None:
        """At the end of the recording the analysis rests; its last status is repeated, as a sign of life."""
        if not (self.finished and self._status):
            return
        is_new = self._status.get(SOURCE_STATE) != ENDED
        if is_new or self._clock() - self._measured[0] >= STATUS_SECONDS:
            self._measured = self._clock(), 0
            rest = {key: value for key, value in self._status.items() if key != SPEED}
            self._status = {**rest, keys.INPUT_RATE: 0.0, keys.REAL_TIME_FACTOR: 0.0, SOURCE_STATE: ENDED}
            self._feed.put_status(self._status)

    @property
    def _has_clock(self) -> bool:
        return self.recording.time_at(self.recording.sample_count - 1) is not None
