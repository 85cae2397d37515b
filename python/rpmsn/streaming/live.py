# SPDX-License-Identifier: GPL-3.0-or-later
"""A running stream analysed while it comes in: samples in by one thread; frames, carriers and a status out by another.

`segmenter_sink` is a shell round this that knows GNU Radio's tags and messages; `rpmsn bench` drives it from memory.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike

from ..detection.segmenter import Frame, Segmenter
from ..errors import ParameterError, StalledError
from ..runtimes import AUTO
from ..signal.image import COLUMNS, frame_length
from ..signal.quality import OK
from ..signal.rates import is_same_rate
from ..signal.resolution import Resolution
from ..tracking.carrier import Carrier
from ..tracking.tracker import Event, Tracker, consolidate
from ..waiting import LIMIT_SECONDS, Patience, join
from . import CELL_BUDGET, cells
from .intake import WAIT_SECONDS, Intake, StreamTime
from .pool import FramePool, Result
from .reports import EventClocks, Reports

if TYPE_CHECKING:
    from ..models.model import Model
    from ..recording.snippets import SnippetWriter
    from ..recording.stream_recorder import StreamRecorder

TimedEvents = list[tuple[Event, StreamTime]]

STATUS_SECONDS = 1.0
SILENT_SECONDS = 2.0
"""A radio that sends nothing for so long is reported as silent."""
STOP_SECONDS = 0.7
"""Time for the frames that wait when a live stream is stopped; what is left then counts as dropped."""
LATENCIES_KEPT = 1000
POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Settings:
    """How a stream is analysed.

    Attributes:
        live: True: never wait, and drop whole frames when late. False: never drop, and hold up the source.
        runtime: what runs the network, a name of `runtimes.KINDS` or `auto`.
        threads: of the network, for each worker.
        workers: frames that are analysed at the same time, each in a thread of its own.
        depth: frames that may wait, on top of those being analysed; in replay, where nothing is gained by it, as many
            as `workers`.
        reads_ahead: in replay: as many frames of integers may wait as take the memory of those of complex samples, so
            that workers go on while a search for cells takes its time. Not where a seek would have to wait for them.
        dtype: type of the samples, one of `intake.SAMPLE_TYPES`.
        frame_seconds: 0.01 to 0.2; None for what the model was trained with.
        average_frames: class probabilities are averaged over so many frames.
        duty_cycle: fraction of the frames to analyse, above 0 to 1.
        carriers_kept: carriers that are gone and still listed; None for all.
        cell_budget: fraction of one core, 0 to 1, for the search for cells; 0 for none. In replay any other value means
            as much as `streaming.cells.ReplaySearch` takes.
        columns: of the pictures of frames, one of `signal.resolution.PICTURE_COLUMNS`.
    """

    live: bool = True
    runtime: str = AUTO
    threads: int = 1
    workers: int = 2
    depth: int = 8
    reads_ahead: bool = False
    dtype: DTypeLike = np.complex64
    frame_seconds: float | None = None
    average_frames: int = 1
    duty_cycle: float = 1.0
    carriers_kept: int | None = 1000
    cell_budget: float = CELL_BUDGET
    columns: int = COLUMNS

    def __post_init__(self) -> None:
        for name in ("threads", "workers", "depth"):
            if getattr(self, name) < 1:
                raise ParameterError(f"{name} is {getattr(self, name)}, but at least 1 is needed")
        cells.check_budget(self.cell_budget)


class StreamAnalyser:
    """Analyses one stream.

    `start`, then `follow` and `write` from one thread, then `finish` or `stop`; `status` and `carriers` from any.

    Args:
        model: rpmsn.models.model.Model.
        sample_rate: Hz.
        center_frequency: Hz; 0 if it is not known.
        settings: Settings.
        outputs: what gets every event, such as log files (`recording.open_log`); called in the analysing thread.
        snippets: rpmsn.recording.snippets.SnippetWriter that gets the samples of every frame, or None.
        on_result: called in that thread for every frame, with (Frame, StreamTime, list of (Event, StreamTime)).
        on_status: called in that thread once a second and at the end, with what `status` returns.
        on_error: called from any thread with a sentence, when something failed and the stream goes on.

    A listener or file that fails is reported, and neither ends the analysis nor keeps results from the others.

    Attributes:
        resolution: of the pictures of frames; may be changed at any time.
        latencies: seconds from the last sample of a frame to when it had been reported; of the latest frames.
        recorder: StreamRecorder that gets all samples as they come, in the thread that writes; None for none. While a
            recording is behind, the analysis of a live stream drops frames: samples that are not recorded are gone.

    Raises:
        ParameterError, ModelError: as of Segmenter and Settings.
    """

    latencies: deque[float]
    _clock: StreamTime | None
    _clocks: EventClocks
    _tracker: Tracker
    _ended: TimedEvents
    _cells: cells.CellSearch | None

    def __init__(
        self,
        model: Model,
        sample_rate: float,
        center_frequency: float = 0.0,
        settings: Settings = Settings(),
        outputs: Iterable[Any] = (),
        snippets: SnippetWriter | None = None,
        on_result: Callable[[Frame | None, StreamTime | None, TimedEvents], None] = lambda frame, clock, events: None,
        on_status: Callable[[dict], None] = lambda status: None,
        on_error: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.model = model
        self.settings = settings
        self.resolution = Resolution(settings.columns)
        self.segmenter = Segmenter(
            model,
            sample_rate,
            settings.threads,
            settings.runtime,
            settings.frame_seconds,
            settings.average_frames,
            self.resolution,
        )
        self.sample_rate = float(sample_rate)
        self.center_frequency = float(center_frequency)
        self.outputs = list(outputs)
        self.snippets = snippets
        self.recorder: StreamRecorder | None = None
        self._on_result, self._on_status = on_result, on_status
        self._reports = Reports(on_error)
        self._thread: threading.Thread | None = None
        self._segmenters: list[Segmenter] = []
        self._made_for: Any = None
        self._reset()

    def warm_up(self) -> None:
        """Load and compile what the workers need, and analyse a frame of noise with each: the first frame of a radio
        that already sends is then not late."""
        for segmenter in self._replicas():
            segmenter.warm_up(self.settings.dtype)

    def start(self, goes_on: bool = False) -> None:
        """Begin a stream.

        Args:
            goes_on: whether it is the one before, after a pause: its samples count on, and the carriers that were on
                at its end keep their numbers. Otherwise what was found before is forgotten.
        """
        segmenters, settings = self._replicas(), self.settings  # before: what they take is none of the stream's time
        tracker, clocks = self._tracker, self._clocks
        self._reset()
        if goes_on:
            tracker.resume()
            self._tracker, self._clocks = tracker, clocks
            self._carriers = cells.LockedCarriers(tracker, self._lock)
        self._cells = cells.search_of(settings.cell_budget, settings.live, self._reports.fail, settings.workers)
        held = self._frames_held if self.snippets is not None or self._cells is not None else 0
        self._pool = FramePool(self._intake, segmenters, held)
        self._thread = threading.Thread(target=self._report_all, name="rpmsn results")
        self._thread.start()

    def write(self, samples: np.ndarray, offset: int) -> int:
        """Take samples; returns how many were taken (in live mode all of them, and at once).

        Args:
            samples: of the type of the settings, shape (n,), or (n, 2) of integers; copied.
            offset: number of the first since the stream began.
        """
        if self._clock is None:
            self._clock = StreamTime.of_host(offset, self.sample_rate)
        self._intake.held = self.settings.live and self.recorder is not None and self.recorder.is_behind
        taken = self._intake.write(samples, offset, self.center_frequency, self._clock)
        if self.recorder is not None and taken:
            self.recorder.take(samples[:taken], offset, self.sample_rate, self.center_frequency, self._clock)
        if taken or not len(samples) or self._thread is None:
            self._room.reset()
        else:
            self._room.spend(WAIT_SECONDS, [self._thread])
        return taken

    def follow(
        self,
        offset: int,
        sample_rate: float | None = None,
        center_frequency: float | None = None,
        seconds: tuple[int, float] | None = None,
    ) -> None:
        """What a source says about sample `offset` and those after it; saying it again changes nothing.

        Args:
            offset: number of the sample since the stream began; the next one to be written.
            sample_rate, center_frequency: Hz; another than before starts a new frame. A rate that is the same but for
                `signal.rates.RATE_TOLERANCE` does not: only times are counted by it.
            seconds: (whole seconds, fraction), UTC since 1970. Later than expected means that samples were lost.

        Raises:
            ParameterError: a sample rate that is not allowed; the stream goes on at the one before.
        """
        if self._clock is None:
            self._clock = StreamTime.of_host(offset, self.sample_rate)
        if sample_rate is not None and not is_same_rate(sample_rate, self.sample_rate):
            self._change_rate(float(sample_rate), offset)
        if center_frequency is not None and center_frequency != self.center_frequency:
            self._intake.cut()
            self.center_frequency = float(center_frequency)
        if seconds is not None:
            self._set_time(offset, *seconds)
        if sample_rate is not None and sample_rate != self._clock.sample_rate:
            self._clock = StreamTime(offset, *self._clock.at(offset), float(sample_rate), self._clock.source)

    def jump(self, clock: StreamTime, center_frequency: float | None = None) -> None:
        """What follows comes from elsewhere, such as another place of a recording: a new frame starts, and nothing
        counts as lost. Called by the thread that writes.

        Args:
            clock: StreamTime of what follows.
            center_frequency: Hz; None where it stays the same.
        """
        self._intake.cut()
        self._clock = clock
        if center_frequency is not None:
            self.center_frequency = float(center_frequency)

    def finish(self) -> None:
        """No more samples will come: lets the analysing thread end when it has done all; does not wait."""
        self._intake.close()

    @property
    def running(self) -> bool:
        """False when all is done."""
        return self._thread is not None and self._thread.is_alive()

    def join(self, timeout: float = LIMIT_SECONDS) -> bool:
        """Wait for the end after `finish`; returns whether it came within `timeout` seconds."""
        if self._thread is not None:
            self._thread.join(timeout)
        return not self.running

    def stop(self) -> None:
        """End the stream: what waits is still analysed, in live mode for 0.7 s at the most.

        A thread that does not end within two minutes is reported and left behind.
        """
        if self._thread is None:
            return
        self.finish()
        if self.settings.live:
            self.join(STOP_SECONDS)
        else:
            self._wait_for_rest(self._thread)
        try:
            self._pool.close()
        except StalledError as error:
            self._reports.fail(str(error))
        if not join(self._thread):
            self._reports.fail(f"the analysis has not ended {LIMIT_SECONDS:g} s after it was stopped; the log says why")
        self._thread = None

    def _wait_for_rest(self, thread: threading.Thread) -> None:
        """Wait for the frames that were taken, for as long as there is progress."""
        patience, frames = Patience("the last frames of the stream"), self._frames
        try:
            while not self.join(POLL_SECONDS):
                if self._frames != frames:
                    patience.reset()
                    frames = self._frames
                patience.spend(POLL_SECONDS, [thread])
        except StalledError as error:
            self._reports.fail(str(error))

    def reset_carriers(self) -> None:
        """End every carrier: each is reported as gone, by the analysing thread, and numbers go on. From any thread."""
        with self._lock:
            self._ended += self._clocks.timed(self._tracker.reset())
            if not self.running:
                self._ended = []

    def forget_receiver(self) -> None:
        """Frequencies are said otherwise from now on, for the same signals: carriers end, and the receiver's error is
        taken anew from the cells that are found. From any thread."""
        self.reset_carriers()
        if self._cells is not None:
            self._cells.forget_receiver()

    def carriers(self) -> list[Carrier]:
        """Carriers found so far, lowest frequency first."""
        with self._lock:
            return consolidate(self._tracker.carriers)

    def status(self) -> dict:
        """How it is going; docs/messages.md has the meaning of every key."""
        with self._lock:
            counts, now = self._intake.counts(), time.monotonic()
            elapsed = max((now if self.running else self._last_report) - self._started, 1e-9)
            fields = {
                "mode": "live" if self.settings.live else "replay",
                "sample_rate": self.sample_rate,
                "center_frequency": self.center_frequency,
                "input_rate": self._input_rate,
                "samples_received": counts.received,
                "samples_analysed": counts.analysed,
                "samples_dropped": counts.dropped,
                "samples_skipped": counts.skipped,
                "samples_lost": self._lost,
                "frames_analysed": self._frames,
                "frames_dropped": counts.frames_late,
                "overflows": self._overflows,
                "coverage": counts.coverage,
                "judged": self._judged / self._frames if self._frames else 1.0,
                "real_time_factor": counts.analysed / self.sample_rate / elapsed,
                "queue": self._intake.waiting,
                "latency": self.latencies[-1] if self.latencies else 0.0,
                "inference_time": self._analysis_seconds,
                "model": self.model.card.name,
                "runtime": self.segmenter.runtime.name,
                **(self._cells.status(self._carriers) if self._cells is not None else {}),
                "health": self._health_text(now),
            }
            if counts.yielded:
                fields["samples_yielded"] = counts.yielded
            if self._health.information:
                fields["information"] = self._health.information
            if error := self._reports.text(self._writers()):
                fields["error"] = error
            return fields

    def fail(self, text: str) -> None:
        """Report what went wrong, at once and in the next status; the stream goes on."""
        self._reports.fail(text)

    def _reset(self) -> None:
        settings = self.settings
        self._lock = threading.RLock()
        frame_samples = frame_length(self.sample_rate, self.segmenter.frame_seconds)
        self._frames_held = cells.frames_held(settings.cell_budget, settings.live)
        waiting = settings.depth if settings.live else settings.workers
        depth = waiting + settings.workers + self._frames_held - 1
        if settings.reads_ahead and not settings.live and np.dtype(settings.dtype).kind == "i":
            depth = depth * np.dtype(np.complex64).itemsize // (2 * np.dtype(settings.dtype).itemsize)
        self._intake = Intake(frame_samples, settings.live, depth, settings.dtype, settings.duty_cycle)
        self._tracker = self._new_tracker()
        self._clock = None
        self._clocks = EventClocks()
        self._cells = None
        self._carriers = cells.LockedCarriers(self._tracker, self._lock)
        self._ended = []
        self._room = Patience("the analysis to take a frame", goes_on=True)
        self._started = self._last_report = self._last_sample_at = time.monotonic()
        self._lost = self._overflows = self._frames = self._judged = self._received = 0
        self.latencies = deque(maxlen=LATENCIES_KEPT)
        self._analysis_seconds = self._input_rate = 0.0
        self._health = OK
        self._reports.clear()
        self._last_status = self._started

    def _new_tracker(self) -> Tracker:
        return Tracker(carriers_kept=self.settings.carriers_kept)

    def _replicas(self) -> list[Segmenter]:
        """Segmenters of the workers, at the present rate; the runtimes are made once."""
        if self._made_for is not self.segmenter.runtime:
            self._segmenters = self.segmenter.replicas(self.settings.workers)
            self._made_for = self.segmenter.runtime
        self._segmenters = [
            segmenter if segmenter.sample_rate == self.sample_rate else segmenter.at_rate(self.sample_rate)
            for segmenter in self._segmenters
        ]
        return self._segmenters

    def _change_rate(self, rate: float, offset: int) -> None:
        frame_samples = frame_length(rate, self.segmenter.frame_seconds)
        self._intake.resize(frame_samples)
        if self._clock is not None:
            self._clock = StreamTime(offset, *self._clock.at(offset), rate, self._clock.source)
        self.sample_rate = rate

    def _set_time(self, offset: int, seconds: int, fraction: float) -> None:
        """A time stamp: at the start it sets the clock, later one that does not fit is a gap. One that fits, as a radio
        sends after a retune, changes nothing."""
        source = "radio" if self.settings.live else "file"
        rate = self.sample_rate
        if self._clock is not None and self._clock.source == source:
            rate = self._clock.sample_rate
            lost = self._clock.lost_before(offset, seconds, fraction)
            if lost == 0:
                return
            self._intake.cut()
            with self._lock:
                self._lost += max(0, lost)
                self._overflows += lost > 0
        self._clock = StreamTime(offset, seconds, fraction, rate, source)

    def _report_all(self) -> None:
        """The analysing thread: fetch results, and report them, until all is done. Nothing that fails ends it."""
        deliver = self._reports.deliver
        while not self._pool.finished:
            result = None
            try:
                result = self._pool.next(POLL_SECONDS)
            except Exception as error:  # a result that is lost must not end the stream
                self.fail(f"a frame could not be analysed: {error}")
            if result is not None:
                deliver("the results of a frame", self._report, result)
            elif self._ended:
                deliver("the carriers ended by a reset", self._deliver_ended)
            deliver("the status", self._send_status)
        deliver("the last results", self._report_end)
        deliver("the status", self._send_status, True)
        for writer in self._writers():
            deliver("the end of a file", writer.close)

    def _writers(self) -> list[Any]:
        """Everything that writes files."""
        return [*self.outputs, self.snippets] if self.snippets is not None else self.outputs

    def _report(self, result: Result) -> None:
        arrived = time.monotonic() - result.latency
        if result.error is not None:
            self.fail(f"a frame could not be analysed: {result.error}")
            return
        if result.frame is None:
            return
        frame = result.frame
        with self._lock:
            ended, self._ended = self._ended, []
            events = self._tracker.update(frame)
            self._clocks.follow(result.time)
            timed = ended + self._clocks.timed(events)
        timed += self._clocks.timed(self._proven(frame, result))
        with self._lock:
            frame.mask = self._tracker.settled_mask(frame)
        deliver = self._reports.deliver
        for output in self.outputs:
            deliver("the results of a frame", output.begin_frame, frame.geometry, result.time, frame.health)
        self._write_out(timed, frame.number)
        if self.snippets is not None:
            every = [event for event, _ in timed]
            deliver("a snippet", self.snippets.take, frame, result.samples, every, result.time, result.start_offset)
        deliver("the results of a frame", self._on_result, frame, result.time, timed)
        with self._lock:
            self._frames += 1
            self._judged += frame.condition.judged
            self._last_report = time.monotonic()
            self.latencies.append(self._last_report - arrived)
            self._analysis_seconds = sum(frame.seconds.values())
            self._health = frame.condition

    def _proven(self, frame: Frame, result: Result) -> list[Event]:
        """Let the search for cells have a frame, and give the tracker what it knows by now."""
        if self._cells is None or result.samples is None:
            return []
        try:
            return self._cells.follow(frame, result.samples, result.start_offset, self._carriers)
        except Exception as error:  # carriers go on without cells
            self.fail(f"the search for cells failed: {error}")
            return []

    def _last_proven(self) -> list[Event]:
        """What the search for cells knows when no frame follows."""
        if self._cells is None:
            return []
        try:
            return self._cells.finish(self._carriers)
        except Exception as error:
            self.fail(f"the search for cells failed: {error}")
            return []
        finally:
            self._cells.close()

    def _write_out(self, timed: TimedEvents, number: int) -> None:
        for output in self.outputs:
            for event, clock in timed:
                self._reports.deliver("an event", output.write, event, clock, number)

    def _deliver_ended(self) -> None:
        """Report the carriers that a reset has ended, between two frames."""
        with self._lock:
            ended, self._ended = self._ended, []
        self._write_out(ended, self._frames)
        self._on_result(None, self._clock, ended)

    def _report_end(self) -> None:
        """Report what is left after the last frame."""
        proven = self._last_proven()
        with self._lock:
            timed = self._ended + self._clocks.timed(proven) + self._clocks.timed(self._tracker.finish(), True)
            self._ended = []
        self._write_out(timed, self._frames)
        self._reports.deliver("the last results", self._on_result, None, self._clock, timed)

    def _send_status(self, at_once: bool = False) -> None:
        now = time.monotonic()
        passed = now - self._last_status
        if not at_once and passed < STATUS_SECONDS:
            return
        received = self._intake.counts().received
        with self._lock:
            if received > self._received:
                self._last_sample_at = now
            self._input_rate = (received - self._received) / max(passed, 1e-3)
            self._received, self._last_status = received, now
        status = self.status()
        for output in self.outputs:
            self._reports.deliver("the status", output.status, status)
            self._reports.deliver("the status", output.flush)
        self._reports.deliver("the status", self._on_status, status)

    def _health_text(self, now: float) -> str:
        silent = now - self._last_sample_at
        if self.running and self.settings.live and silent > SILENT_SECONDS:
            return f"no samples for {silent:.0f} s: the source has stopped; check the radio and its cable"
        return self._health.text
