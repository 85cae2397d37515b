# SPDX-License-Identifier: GPL-3.0-or-later
"""A stream of samples and a tune command become sweeps: pictures of a whole range, and the carriers in them."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..detection.deciding import decider_of
from ..detection.segmenter import Segmenter
from ..errors import require
from ..runtimes import AUTO
from ..signal.quality import OK, Finding, InputQuality
from ..signal.rates import is_rate_within, is_same_rate
from ..streaming.intake import StreamTime
from ..streaming.reports import EventClocks, Reports
from ..tracking.carrier import Carrier
from ..tracking.tracker import Event
from ..waiting import Patience, join
from .panorama import Panorama, Picture
from .plan import Plan
from .stepping import HOLDING, Dwell, Stepper
from .sweep_tracker import SweepTracker

if TYPE_CHECKING:
    from ..models.model import Model

WAITING_DWELLS = 2
STATUS_SECONDS = 1.0
POLL_SECONDS = 0.1
SILENT_SECONDS = 2.0
"""A radio that sends nothing for so long is reported as silent."""
STOP_SECONDS = 30.0
"""The end waits no longer for the frame that is being analysed."""


@dataclass(frozen=True)
class ScanSettings:
    """How a range is scanned.

    Attributes:
        settle_seconds: discarded after each tune.
        dwell_frames: frames of 40 ms that are averaged in each step.
        timed: whether the radio is commanded the time to tune at.
        runtime, threads: what runs the network.
    """

    settle_seconds: float = 0.1
    dwell_frames: int = 1
    timed: bool = False
    runtime: str = AUTO
    threads: int = 1


class Scanner:
    """Scans a range with a radio. `start`, then `follow` and `write` from one thread, then `stop`.

    Never holds up the radio: when the analysis is behind, samples are discarded, and the sweep takes longer.

    Args:
        plan: Plan.
        model: rpmsn.models.model.Model.
        tune: called with Hz and with a time (whole seconds, fraction) or None; in the thread that writes.
        settings: ScanSettings.
        outputs: what gets every event, such as log files.
        on_sweep: called in the analysing thread after every sweep, with (Picture, list of (Event, StreamTime), sweep
            number); at the end with None for the picture and the last events.
        on_status: called in that thread once a second and at the end, with what `status` returns.
        on_error: called with a sentence when something failed and the scan goes on.

    Raises:
        ParameterError: settings out of their range.
    """

    _clock: StreamTime | None
    _clock_rate: float
    _wrong_rate: str | None
    _picture: Picture | None
    _received: int
    _holding: Patience
    _last_sample_at: float

    def __init__(
        self,
        plan: Plan,
        model: Model,
        tune: Callable[[float, tuple[int, float] | None], None],
        settings: ScanSettings = ScanSettings(),
        outputs: Iterable[Any] = (),
        on_sweep: Callable[[Picture | None, list[tuple[Event, StreamTime]], int], None] = lambda *_: None,
        on_status: Callable[[dict], None] = lambda _: None,
        on_error: Callable[[str], None] = lambda _: None,
    ) -> None:
        require("the scan", "dwell_frames", settings.dwell_frames, 1 <= settings.dwell_frames <= 100, "1 to 100")
        self.plan, self.model, self.settings = plan, model, settings
        self.segmenter = Segmenter(model, plan.sample_rate, settings.threads, settings.runtime)
        self.outputs = list(outputs)
        self._tune = tune
        self._on_sweep, self._on_status = on_sweep, on_status
        self._reports = Reports(on_error)
        self._thread: threading.Thread | None = None
        self._reset()

    def start(self) -> None:
        """Begin a scan; tunes to its first step."""
        self._reset()
        self._thread = threading.Thread(target=self._analyse_all, name="rpmsn scanner")
        self._thread.start()
        self._stepper.start()

    def write(self, samples: np.ndarray, offset: int) -> None:
        """Take samples, complex64, that follow those of the last call; `offset` is the number of the first."""
        if self._clock is None:
            self._clock = StreamTime.of_host(offset, self.plan.sample_rate)
        self._received += len(samples)
        self._last_sample_at = time.monotonic()
        if self._wrong_rate is None:
            self._stepper.write(samples, offset, self._clock, self._take)
        else:
            self._stepper.discard(len(samples))
        if self._stepper.state == HOLDING and self._thread is not None:
            self._holding.spend(len(samples) / self.plan.sample_rate, [self._thread])
        else:
            self._holding.reset()

    def follow(
        self,
        offset: int,
        center_frequency: float | None = None,
        seconds: tuple[int, float] | None = None,
        sample_rate: float | None = None,
    ) -> None:
        """What the stream says about sample `offset`, the next one to be written.

        A time that is later than the samples before it explain is a gap: samples were lost, and a dwell begun starts
        again. One that fits, as a radio sends after a retune, changes nothing. At a rate that is not that of the plan
        samples are discarded, and the status says so, until the rate fits.

        Args:
            center_frequency: Hz, of a tag `rx_freq`.
            seconds: (whole seconds, fraction) of a tag `rx_time`.
            sample_rate: Hz, of a tag `rx_rate`.
        """
        if sample_rate is not None:
            self._check_rate(sample_rate)
        is_gap = False
        rate = self._clock_rate
        if seconds is not None:
            if self._clock is not None and self._clock.source == "radio":
                lost = self._clock.lost_before(offset, *seconds)
                is_gap = lost != 0
                with self._lock:
                    self._lost += max(0, lost)
                    self._gaps += lost > 0
            if is_gap or self._clock is None or self._clock.source != "radio":
                self._clock = StreamTime(offset, *seconds, rate, "radio")
        if self._clock is not None and self._clock.sample_rate != rate:
            self._clock = StreamTime(offset, *self._clock.at(offset), rate, self._clock.source)
        self._stepper.follow(offset, center_frequency, is_gap)

    def stop(self) -> None:
        """End the scan; what waits is not analysed any more."""
        if self._thread is not None:
            self._ending = True
            if not join(self._thread, STOP_SECONDS):
                self._reports.fail(f"the scan has not ended {STOP_SECONDS:g} s after it was stopped; the log says why")
            self._thread = None

    def carriers(self) -> list[Carrier]:
        """Carriers that are on the air, lowest frequency first."""
        with self._lock:
            return self._tracker.carriers

    def picture(self) -> Picture | None:
        """Picture of the last whole sweep; None before there is one."""
        return self._picture

    def status(self) -> dict:
        """How it is going; docs/scanner.md has the meaning of every key."""
        stepper, now = self._stepper, time.monotonic()
        with self._lock:
            elapsed = max(now - self._begun, 1e-9)
            received, analysed = self._received, self._analysed
            fields = {
                "mode": "scan",
                "sample_rate": self.plan.sample_rate,
                "center_frequency": self.plan.center(stepper.step),
                "input_rate": self._input_rate,
                "samples_received": received,
                "samples_analysed": analysed,
                "samples_dropped": 0,
                "samples_skipped": stepper.settling_samples,
                "samples_lost": self._lost,
                "frames_analysed": self._steps_done,
                "frames_dropped": 0,
                "overflows": self._gaps,
                "coverage": analysed / received if received else 1.0,
                "real_time_factor": analysed / self.plan.sample_rate / elapsed,
                "queue": self._waiting.qsize(),
                "latency": self._latency_s,
                "inference_time": self._latency_s,
                "model": self.model.card.name,
                "runtime": self.segmenter.runtime.name,
                "health": self._health_text(now),
                "sweep": stepper.sweep,
                "step": stepper.step,
                "steps": self.plan.steps,
                "state": stepper.state,
                "revisit_time": self._revisit_s,
                "sweep_time_left": self._time_left(now),
                "steps_not_judged": self._not_judged,
                "steps_refused": stepper.refused,
                "steps_untagged": stepper.untagged,
                "carriers": len(self._tracker.carriers),
            }
            errors = [text for text in (self._wrong_rate, self._reports.text(self.outputs)) if text]
        return {**fields, "error": "; ".join(errors)} if errors else fields

    def fail(self, text: str) -> None:
        """Report what went wrong, at once and in the next status; the scan goes on."""
        self._reports.fail(text)

    def _reset(self) -> None:
        self._lock = threading.RLock()
        self._waiting: queue.Queue[Dwell] = queue.Queue(WAITING_DWELLS)
        self._stepper = Stepper(
            self.plan,
            lambda *arguments: self._reports.deliver("the tune command", self._tune, *arguments),
            self.segmenter.frame_samples * self.settings.dwell_frames,
            self.settings.settle_seconds,
            self.settings.timed,
        )
        card = self.model.card
        tells_apart = is_rate_within(self.plan.sample_rate, card.sample_rates[0])
        self._panorama = Panorama(self.plan, card.classes, tells_apart, decider_of(card))
        self._tracker, self._clocks = SweepTracker(), EventClocks()
        self._clock = None
        self._clock_rate = self.plan.sample_rate
        self._wrong_rate = None
        self._picture = None
        self._received = self._analysed = self._lost = self._steps_done = self._not_judged = self._gaps = 0
        self._received_before = 0
        self._revisit_s = self._latency_s = self._input_rate = 0.0
        self._begun = self._sweep_begun = self._last_status = self._last_sample_at = time.monotonic()
        self._health = OK
        self._holding = Patience("the analysis to take the samples of a step", goes_on=True)
        self._reports.clear()
        self._ending = False

    def _check_rate(self, rate: float) -> None:
        """Follow a rate that the radio reports; note one that the plan does not fit."""
        self._clock_rate = rate
        if is_same_rate(rate, self.plan.sample_rate):
            self._wrong_rate = None
            return
        text = (
            f"the sample rate of the radio is {rate:g} Hz and that of the scan {self.plan.sample_rate:g}: nothing is "
            "analysed; give both the same rate"
        )
        if text != self._wrong_rate:
            self._wrong_rate = text
            self._reports.announce(text)

    def _take(self, dwell: Dwell) -> bool:
        """A dwell for the analysing thread; False where it is behind."""
        try:
            self._waiting.put_nowait(dwell)
        except queue.Full:
            return False
        return True

    def _analyse_all(self) -> None:
        """The analysing thread. Nothing that a frame, a file or a listener raises ends it."""
        sweep = 0
        while not self._ending:
            try:
                dwell = self._waiting.get(timeout=POLL_SECONDS)
            except queue.Empty:
                dwell = None
            if dwell is not None:
                if dwell.sweep != sweep:
                    self._reports.deliver("a sweep", self._end_sweep, sweep)
                    sweep = dwell.sweep
                try:
                    if not self._analyse(dwell):
                        break
                except Exception as error:  # a step that fails must not end the scan
                    self.fail(f"a step could not be analysed: {error}")
                if dwell.step == self.plan.steps - 1:
                    self._reports.deliver("a sweep", self._end_sweep, sweep)
                    sweep += 1
            self._reports.deliver("the status", self._send_status)
        self._reports.deliver("the last results", self._end, sweep)
        self._reports.deliver("the status", self._send_status, True)
        for output in self.outputs:
            self._reports.deliver("the end of a file", output.close)

    def _analyse(self, dwell: Dwell) -> bool:
        """Analyse a step, its frames averaged, and put it into the panorama; False where the scan ends meanwhile."""
        begun = time.monotonic()
        length = self.segmenter.frame_samples
        powers: list[np.ndarray] = []
        scores: list[np.ndarray] = []
        floors: list[float] = []
        findings: list[Finding] = []
        for first in range(0, len(dwell.samples), length):
            if self._ending:
                return False
            prepared = self.segmenter.prepare(
                dwell.samples[first : first + length], dwell.offset + first, dwell.center_frequency
            )
            probabilities = self.segmenter.infer(prepared)
            features = prepared.features
            findings += features.quality.findings
            if probabilities is not None:
                powers.append(features.artefacts.without_spur(features.power))
                scores.append(probabilities)
                floors.append(features.floor)
        is_judged = bool(scores)
        self._panorama.add(
            dwell,
            np.mean(powers, axis=0) if is_judged else None,
            np.mean(scores, axis=0) if is_judged else None,
            sum(floors) / len(floors) if is_judged else None,
        )
        with self._lock:
            self._steps_done += 1
            self._not_judged += not is_judged
            self._analysed += len(dwell.samples)
            self._health = InputQuality(tuple(findings))
            self._latency_s = time.monotonic() - begun
        return True

    def _end_sweep(self, sweep: int) -> None:
        """Find the carriers of a sweep, and report them."""
        try:
            picture = self._panorama.picture()
        finally:
            self._panorama.clear()
        now = time.monotonic()
        with self._lock:
            self._revisit_s, self._sweep_begun = now - self._sweep_begun, now
            if picture is None:
                return
            for _, clock in picture.clocks:
                self._clocks.follow(clock)
            events = self._clocks.timed(self._tracker.update(picture))
            self._picture = picture
        geometry = picture.geometry
        for output in self.outputs:
            for offset, clock in picture.clocks:
                begun = replace(geometry, start_offset=offset)
                self._reports.deliver("a sweep", output.begin_frame, begun, clock)
        self._deliver(picture, events, sweep)

    def _end(self, sweep: int) -> None:
        """Report the carriers that are left as gone."""
        with self._lock:
            events = self._clocks.timed(self._tracker.finish())
        self._deliver(None, events, sweep)

    def _deliver(self, picture: Picture | None, events: list[tuple[Event, StreamTime]], sweep: int) -> None:
        for output in self.outputs:
            for event, clock in events:
                self._reports.deliver("an event", output.write, event, clock, sweep)
        self._reports.deliver("a sweep", self._on_sweep, picture, events, sweep)

    def _time_left(self, now: float) -> float:
        """Seconds until the sweep is whole, at the pace of the one before; 0 while that is not known."""
        return max(0.0, self._revisit_s - (now - self._sweep_begun)) if self._revisit_s else 0.0

    def _health_text(self, now: float) -> str:
        silent = now - self._last_sample_at
        if self._thread is not None and silent > SILENT_SECONDS:
            return f"no samples for {silent:.0f} s: the source has stopped; check the radio and its cable"
        return self._health.text

    def _send_status(self, at_once: bool = False) -> None:
        now = time.monotonic()
        if not at_once and now - self._last_status < STATUS_SECONDS:
            return
        with self._lock:
            self._input_rate = (self._received - self._received_before) / max(now - self._last_status, 1e-3)
            self._received_before, self._last_status = self._received, now
        status = self.status()
        for output in self.outputs:
            self._reports.deliver("the status", output.status, status)
            self._reports.deliver("the status", output.flush)
        self._reports.deliver("the status", self._on_status, status)
