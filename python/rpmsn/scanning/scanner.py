# SPDX-License-Identifier: GPL-3.0-or-later
"""A stream of samples and a tune command become sweeps: pictures of a whole range, and the carriers in them."""

import queue
import threading
import time
from dataclasses import dataclass

from ..detection.segmenter import Segmenter
from ..errors import require
from ..runtimes import AUTO
from ..signal.quality import OK, InputQuality
from ..streaming.intake import StreamTime
from .keeping import Keeper
from .panorama import Panorama
from .stepping import Stepper

WAITING_DWELLS = 2
STATUS_SECONDS = 1.0
POLL_SECONDS = 0.1


@dataclass(frozen=True)
class ScanSettings:
    """How a range is scanned.

    Attributes:
        settle_seconds: thrown away after each tune.
        dwell_frames: frames of 40 ms that are averaged in each step.
        timed: whether the radio is told the time to tune at.
        runtime, threads: what runs the network.
    """

    settle_seconds: float = 0.1
    dwell_frames: int = 1
    timed: bool = False
    runtime: str = AUTO
    threads: int = 1


class Scanner:
    """Scans a range with a radio. `start`, then `follow` and `write` from one thread, then `stop`.

    Never holds up the radio: when the analysis is behind, samples are thrown away, and the sweep takes longer.

    Args:
        plan: Plan.
        model: rpmsn.models.model.Model.
        tune: called with Hz and with a time (whole seconds, fraction) or None; in the thread that writes.
        settings: ScanSettings.
        outputs: list of what gets every event, such as logs.
        on_sweep: called in the analysing thread after every sweep, with (Picture, list of Event, sweep number).
        on_status: called in that thread once a second and at the end, with what `status` returns.
        on_error: called with a sentence when something failed and the scan goes on.

    Raises:
        ParameterError: values that cannot work.
    """

    def __init__(
        self,
        plan,
        model,
        tune,
        settings=ScanSettings(),
        outputs=(),
        on_sweep=lambda *_: None,
        on_status=lambda _: None,
        on_error=lambda _: None,
    ):
        require("the scan", "dwell_frames", settings.dwell_frames, 1 <= settings.dwell_frames <= 100, "1 to 100")
        self.plan, self.model, self.settings = plan, model, settings
        self.segmenter = Segmenter(model, plan.sample_rate, settings.threads, settings.runtime)
        self.outputs = list(outputs)
        self._tune = tune
        self._on_sweep, self._on_status, self._on_error = on_sweep, on_status, on_error
        self._thread = None
        self._reset()

    def start(self):
        """Begin a scan; tunes to its first step."""
        self._reset()
        self._thread = threading.Thread(target=self._analyse_all, name="rpmsn scanner")
        self._thread.start()
        self._stepper.start()

    def write(self, samples, offset):
        """Take samples, complex64, that follow those of the last call; `offset` is the number of the first."""
        if self._clock is None:
            self._clock = StreamTime.of_host(offset, self.plan.sample_rate)
        self._received += len(samples)
        self._stepper.write(samples, offset, self._clock, self._take)

    def follow(self, offset, center_frequency=None, seconds=None):
        """What the stream says at sample `offset`, the next one to be written.

        Args:
            center_frequency: Hz, of a tag `rx_freq`.
            seconds: (whole seconds, fraction) of a tag `rx_time`.
        """
        is_gap = False
        if seconds is not None:
            is_gap = self._clock is not None and self._clock.source == "radio"
            self._gaps += is_gap
            self._clock = StreamTime(offset, *seconds, self.plan.sample_rate, "radio")
        self._stepper.follow(offset, center_frequency, is_gap)

    def stop(self):
        """End the scan; what waits is not analysed any more."""
        if self._thread is not None:
            self._ending = True
            self._thread.join()
            self._thread = None

    def carriers(self):
        """Carriers that are there (list of ScanCarrier), lowest frequency first."""
        with self._lock:
            return sorted(self._keeper.carriers, key=lambda carrier: carrier.freq_lower)

    def picture(self):
        """Picture of the last whole sweep; None before there is one."""
        return self._picture

    def status(self):
        """How it is going, as a dict; docs/scanner.md has the meaning of every key."""
        stepper, now = self._stepper, time.monotonic()
        with self._lock:
            elapsed = max(now - self._begun, 1e-9)
            received, analysed = self._received, self._analysed
            return {
                "mode": "scan",
                "sample_rate": self.plan.sample_rate,
                "center_frequency": self.plan.center(stepper.step),
                "input_rate": self._input_rate,
                "samples_received": received,
                "samples_analysed": analysed,
                "samples_dropped": 0,
                "samples_skipped": stepper.settling_samples,
                "samples_lost": 0,
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
                "health": self._health.text,
                "sweep": stepper.sweep,
                "step": stepper.step,
                "steps": self.plan.steps,
                "state": stepper.state,
                "revisit_time": self._revisit_s,
                "sweep_time_left": self._time_left(now),
                "steps_not_judged": self._not_judged,
                "steps_refused": stepper.refused,
                "steps_untagged": stepper.untagged,
                "carriers": len(self._keeper.carriers),
            }

    def _reset(self):
        self._lock = threading.RLock()
        self._waiting = queue.Queue(WAITING_DWELLS)
        self._stepper = Stepper(
            self.plan,
            self._tune,
            self.segmenter.frame_samples * self.settings.dwell_frames,
            self.settings.settle_seconds,
            self.settings.timed,
        )
        card = self.model.card
        self._panorama = Panorama(self.plan, card.classes, self.plan.sample_rate >= card.sample_rates[0])
        self._keeper = Keeper()
        self._clock = self._picture = None
        self._received = self._analysed = self._steps_done = self._not_judged = self._gaps = 0
        self._received_before = 0
        self._revisit_s = self._latency_s = self._input_rate = 0.0
        self._begun = self._sweep_begun = self._last_status = time.monotonic()
        self._health = OK
        self._ending = False

    def _take(self, dwell):
        """A dwell for the analysing thread; False where it is behind."""
        try:
            self._waiting.put_nowait(dwell)
        except queue.Full:
            return False
        return True

    def _analyse_all(self):
        """The analysing thread."""
        sweep = 0
        while not self._ending:
            try:
                dwell = self._waiting.get(timeout=POLL_SECONDS)
            except queue.Empty:
                dwell = None
            try:
                if dwell is not None:
                    if dwell.sweep != sweep:
                        self._end_sweep(sweep)
                        sweep = dwell.sweep
                    self._analyse(dwell)
                    if dwell.step == self.plan.steps - 1:
                        self._end_sweep(sweep)
                        sweep += 1
            except Exception as error:  # a step that fails must not end the scan
                self._on_error(f"a step could not be analysed: {error}")
            self._tell_status()
        with self._lock:
            events = self._keeper.finish()
        self._write_out(events, sweep)
        self._tell_status(at_once=True)
        for output in self.outputs:
            output.close()

    def _analyse(self, dwell):
        """Analyse a step, its frames averaged, and put it into the panorama."""
        begun = time.monotonic()
        length = self.segmenter.frame_samples
        powers, scores, floors, findings = [], [], [], []
        for first in range(0, len(dwell.samples), length):
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
            sum(powers) / len(powers) if is_judged else None,
            sum(scores) / len(scores) if is_judged else None,
            sum(floors) / len(floors) if is_judged else None,
        )
        with self._lock:
            self._steps_done += 1
            self._not_judged += not is_judged
            self._analysed += len(dwell.samples)
            self._health = InputQuality(tuple(findings))
            self._latency_s = time.monotonic() - begun

    def _end_sweep(self, sweep):
        """Find the carriers of a sweep, and tell of them."""
        picture = self._panorama.picture()
        self._panorama.clear()
        now = time.monotonic()
        with self._lock:
            self._revisit_s, self._sweep_begun = now - self._sweep_begun, now
            if picture is None:
                return
            events = self._keeper.update(picture)
            self._picture = picture
        for output in self.outputs:
            output.begin_frame(picture.geometry, picture.clock)
        self._write_out(events, sweep)
        self._on_sweep(picture, events, sweep)

    def _write_out(self, events, sweep):
        for output in self.outputs:
            for event in events:
                output.write(event, self._clock, sweep)

    def _time_left(self, now):
        """Seconds until the sweep is whole, at the pace of the one before; 0 while that is not known."""
        return max(0.0, self._revisit_s - (now - self._sweep_begun)) if self._revisit_s else 0.0

    def _tell_status(self, at_once=False):
        now = time.monotonic()
        if not at_once and now - self._last_status < STATUS_SECONDS:
            return
        with self._lock:
            self._input_rate = (self._received - self._received_before) / max(now - self._last_status, 1e-3)
            self._received_before, self._last_status = self._received, now
        status = self.status()
        for output in self.outputs:
            output.status(status)
            output.flush()
        self._on_status(status)
