# SPDX-License-Identifier: GPL-3.0-or-later
"""A running stream analysed while it comes in: samples in by one thread; frames, carriers and a status out by another.

`segmenter_sink` is a shell round this that knows GNU Radio's tags and messages; `rpmsn bench` drives it from memory.
"""

import threading
import time
from collections import deque
from dataclasses import dataclass

import numpy as np

from ..detection.segmenter import Segmenter
from ..errors import ParameterError
from ..runtimes import AUTO
from ..signal.image import frame_length
from ..signal.quality import OK
from ..tracking.tracker import Tracker, consolidate
from .intake import Intake, StreamTime
from .pool import FramePool

STATUS_SECONDS = 1.0
SILENT_SECONDS = 2.0
"""A radio that sends nothing for so long is said to be silent."""
ERROR_SECONDS = 10.0
"""An error is told in the status for so long after it last happened."""
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
        depth: frames that may wait, on top of those being analysed.
        dtype: type of the samples, one of `stream.SAMPLE_TYPES`.
        frame_seconds: 0.01 to 0.2; None for what the model was trained with.
        average_frames: class probabilities are averaged over so many frames.
        duty_cycle: fraction of the frames to analyse, above 0 to 1.
        carriers_kept: carriers that are gone and still listed; None for all.
    """

    live: bool = True
    runtime: str = AUTO
    threads: int = 1
    workers: int = 2
    depth: int = 8
    dtype: type = np.complex64
    frame_seconds: float | None = None
    average_frames: int = 1
    duty_cycle: float = 1.0
    carriers_kept: int | None = 1000

    def __post_init__(self):
        for name in ("threads", "workers", "depth"):
            if getattr(self, name) < 1:
                raise ParameterError(f"{name} is {getattr(self, name)}, but at least 1 is needed")


class StreamAnalyser:
    """Analyses one stream.

    `start`, then `follow` and `write` from one thread, then `finish` or `stop`; `status` and `carriers` from any.

    Args:
        model: rpmsn.models.model.Model.
        sample_rate: Hz.
        center_frequency: Hz; 0 if it is not known.
        settings: Settings.
        outputs: list of what gets every event, such as logs (`recording.open_log`); called in the analysing thread.
        snippets: rpmsn.recording.snippets.SnippetWriter that gets the samples of every frame, or None.
        on_result: called in that thread for every frame, with (Frame, StreamTime, list of (Event, StreamTime)).
        on_status: called in that thread once a second and at the end, with what `status` returns.
        on_error: called from any thread with a sentence, when something failed and the stream goes on.

    Attributes:
        latencies: seconds from the last sample of a frame to when it had been reported; of the latest frames.

    Raises:
        ParameterError, ModelError: as of Segmenter and Settings.
    """

    def __init__(
        self,
        model,
        sample_rate,
        center_frequency=0.0,
        settings=Settings(),
        outputs=(),
        snippets=None,
        on_result=lambda frame, clock, events: None,
        on_status=lambda status: None,
        on_error=lambda text: None,
    ):
        self.model = model
        self.settings = settings
        self.segmenter = Segmenter(
            model, sample_rate, settings.threads, settings.runtime, settings.frame_seconds, settings.average_frames
        )
        self.sample_rate = float(sample_rate)
        self.center_frequency = float(center_frequency)
        self.outputs = list(outputs)
        self.snippets = snippets
        self._on_result, self._on_status, self._on_error = on_result, on_status, on_error
        self._thread = None
        self._segmenters, self._made_for = [], None
        self._reset()

    def warm_up(self):
        """Load and compile what the workers need, and analyse a frame of noise with each: the first frame of a radio
        that already sends is then not late."""
        for segmenter in self._twins():
            segmenter.warm_up()

    def start(self):
        """Begin a stream; what was found in the one before is forgotten."""
        self._reset()
        self._pool = FramePool(self._intake, self._twins(), hold_samples=self.snippets is not None)
        self._thread = threading.Thread(target=self._report_all, name="rpmsn results")
        self._thread.start()

    def write(self, samples, offset):
        """Take samples; returns how many were taken (in live mode all of them, and at once).

        Args:
            samples: of the type of the settings, shape (n,), or (n, 2) of integers; copied.
            offset: number of the first since the stream began.
        """
        if self._clock is None:
            self._clock = StreamTime.of_host(offset, self.sample_rate)
        return self._intake.write(samples, offset, self.center_frequency, self._clock)

    def follow(self, offset, sample_rate=None, center_frequency=None, seconds=None):
        """What a source says about sample `offset` and those after it; telling it again changes nothing.

        Args:
            offset: number of the sample since the stream began; the next one to be written.
            sample_rate, center_frequency: Hz; another than before starts a new frame.
            seconds: (whole seconds, fraction), UTC since 1970. Later than expected means that samples were lost.

        Raises:
            ParameterError: a sample rate that cannot be; the stream goes on at the one before.
        """
        if self._clock is None:
            self._clock = StreamTime.of_host(offset, self.sample_rate)
        if sample_rate is not None and sample_rate != self.sample_rate:
            self._change_rate(float(sample_rate), offset)
        if center_frequency is not None and center_frequency != self.center_frequency:
            self._intake.cut()
            self.center_frequency = float(center_frequency)
        if seconds is not None:
            self._set_time(offset, *seconds)

    def jump(self, clock, center_frequency=None):
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

    def finish(self):
        """No more samples will come: lets the analysing thread end when it has done all; does not wait."""
        self._intake.close()

    @property
    def running(self):
        """False when all is done."""
        return self._thread is not None and self._thread.is_alive()

    def join(self, timeout=None):
        """Wait for the end after `finish`; returns whether it came within `timeout` seconds."""
        if self._thread is not None:
            self._thread.join(timeout)
        return not self.running

    def stop(self):
        """End the stream: what waits is still analysed, in live mode for 0.7 s at the most."""
        if self._thread is None:
            return
        self.finish()
        self.join(STOP_SECONDS if self.settings.live else None)
        self._pool.close()
        self._thread.join()
        self._thread = None

    def reset_carriers(self):
        """Forget the carriers."""
        with self._lock:
            self._tracker = self._new_tracker()

    def carriers(self):
        """Carriers found so far (list of Carrier), lowest frequency first."""
        with self._lock:
            return consolidate(self._tracker.carriers)

    def status(self):
        """How it is going, as a dict; docs/messages.md has the meaning of every key."""
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
                "real_time_factor": counts.analysed / self.sample_rate / elapsed,
                "queue": self._intake.waiting,
                "latency": self.latencies[-1] if self.latencies else 0.0,
                "inference_time": self._analysis_seconds,
                "model": self.model.card.name,
                "runtime": self.segmenter.runtime.name,
                "health": self._health_text(now),
            }
            error = self._error if now - self._error_at < ERROR_SECONDS else ""
            faults = [writer.fault for writer in self._writers() if writer.fault]
            if error or faults:
                fields["error"] = "; ".join([error] * bool(error) + faults)
            return fields

    def fail(self, text):
        """Tell what went wrong, at once and in the next status; the stream goes on."""
        with self._lock:
            self._error, self._error_at = text, time.monotonic()
        self._on_error(text)

    def _reset(self):
        settings = self.settings
        self._lock = threading.RLock()
        frame_samples = frame_length(self.sample_rate, self.segmenter.frame_seconds)
        self._intake = Intake(
            frame_samples, settings.live, settings.depth + settings.workers, settings.dtype, settings.duty_cycle
        )
        self._tracker = self._new_tracker()
        self._clock = None
        self._clocks = {}
        self._started = self._last_report = self._last_sample_at = time.monotonic()
        self._lost = self._overflows = self._frames = self._received = 0
        self.latencies = deque(maxlen=LATENCIES_KEPT)
        self._analysis_seconds = self._input_rate = 0.0
        self._health = OK
        self._error, self._error_at = "", 0.0
        self._last_status = self._started

    def _new_tracker(self):
        return Tracker(carriers_kept=self.settings.carriers_kept)

    def _twins(self):
        """Segmenters of the workers, at the present rate; the runtimes are made once."""
        if self._made_for is not self.segmenter.runtime:
            self._segmenters = self.segmenter.replicas(self.settings.workers)
            self._made_for = self.segmenter.runtime
        self._segmenters = [
            segmenter if segmenter.sample_rate == self.sample_rate else segmenter.at_rate(self.sample_rate)
            for segmenter in self._segmenters
        ]
        return self._segmenters

    def _change_rate(self, rate, offset):
        frame_samples = frame_length(rate, self.segmenter.frame_seconds)
        self._intake.resize(frame_samples)
        seconds, fraction = self._clock.at(offset)
        self._clock = StreamTime(offset, seconds, fraction, rate, self._clock.source)
        self.sample_rate = rate

    def _set_time(self, offset, seconds, fraction):
        """A time stamp: at the start it sets the clock, later one that does not fit is a gap."""
        source = "radio" if self.settings.live else "file"
        if self._clock.source == source:
            lost = self._clock.lost_before(offset, seconds, fraction)
            if lost == 0:
                return
            self._intake.cut()
            with self._lock:
                self._lost += max(0, lost)
                self._overflows += lost > 0
        self._clock = StreamTime(offset, seconds, fraction, self.sample_rate, source)

    def _report_all(self):
        """The analysing thread: fetch results, and tell of them, until all is done."""
        while not self._pool.finished:
            result = self._pool.next(POLL_SECONDS)
            if result is not None:
                self._guarded("the results of a frame", self._report, result)
            self._guarded("the status", self._tell_status)
        with self._lock:
            events = self._tracker.finish()
        self._guarded("the last results", self._tell_events, events, self._frames)
        self._guarded("the status", self._tell_status, True)
        for writer in self._writers():
            writer.close()

    def _guarded(self, what, tell, *arguments):
        """Call a function that tells listeners; one of them that fails must not end the analysis."""
        try:
            tell(*arguments)
        except Exception as error:
            self.fail(f"{what} could not be told: {error}")

    def _writers(self):
        """Everything that writes files."""
        return [*self.outputs, self.snippets] if self.snippets is not None else self.outputs

    def _report(self, result):
        arrived = time.monotonic() - result.latency
        if result.error is not None:
            self.fail(f"a frame could not be analysed: {result.error}")
            return
        if result.frame is None:
            return
        frame = result.frame
        with self._lock:
            events = self._tracker.update(frame)
            timed = [(event, self._clock_of(event, result.time)) for event in events]
        for output in self.outputs:
            output.begin_frame(frame.geometry, result.time, frame.health)
            for event, clock in timed:
                output.write(event, clock, frame.number)
        if self.snippets is not None:
            self.snippets.take(frame, result.samples, events, result.time, result.start_offset)
        self._on_result(frame, result.time, timed)
        with self._lock:
            self._frames += 1
            self._last_report = time.monotonic()
            self.latencies.append(self._last_report - arrived)
            self._analysis_seconds = sum(frame.seconds.values())
            self._health = frame.condition

    def _clock_of(self, event, clock):
        """The clock to tell an event by: of a carrier that is gone the one of its beginning, which a gap may have
        changed since."""
        begun = self._clocks.setdefault(event.carrier.carrier_id, clock)
        if event.kind == "gone":
            del self._clocks[event.carrier.carrier_id]
            return begun
        return clock

    def _tell_events(self, events, number):
        """Events after the last frame."""
        timed = [(event, self._clock_of(event, self._clock)) for event in events]
        for output in self.outputs:
            for event, clock in timed:
                output.write(event, clock, number)
        self._on_result(None, self._clock, timed)

    def _tell_status(self, at_once=False):
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
            output.status(status)
            output.flush()
        self._on_status(status)

    def _health_text(self, now):
        silent = now - self._last_sample_at
        if self.running and self.settings.live and silent > SILENT_SECONDS:
            return f"no samples for {silent:.0f} s: the source has stopped; check the radio and its cable"
        return self._health.text
