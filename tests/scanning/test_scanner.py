# SPDX-License-Identifier: GPL-3.0-or-later
"""A scan on the tracker of streams: what depends on the dwell alone, faults that end nothing, clocks, rates."""

import json
import threading
import time

import numpy as np
import pytest
from limits import HANG_S
from oracle import ThresholdRuntime
from test_band_scanner import FRAME, RATE, SimulatedRadio, flat_bands, scan

from rpmsn.classes import NR, OTHER
from rpmsn.detection.deciding import Decider
from rpmsn.messages.results import segment_fields
from rpmsn.models.decision import CONSTANT, FEATURES, Decision
from rpmsn.models.model import load_model
from rpmsn.recording.logs import open_log
from rpmsn.scanning import scanner as scanning
from rpmsn.scanning.panorama import Panorama
from rpmsn.scanning.plan import Plan
from rpmsn.scanning.scanner import Scanner, ScanSettings
from rpmsn.scanning.stepping import Dwell
from rpmsn.scanning.sweep_tracker import SweepTracker
from rpmsn.streaming.intake import StreamTime
from rpmsn.tracking.carrier import Carrier

CLASSES = ("noise", "LTE", "NR", "other")
PLAN = Plan(900e6, 980e6, RATE)
CLOCK = StreamTime(0, 1_700_000_000, 0.0, RATE, "radio")
SAMPLES = np.zeros(FRAME, np.complex64)

NEUTRAL = dict.fromkeys((*FEATURES, CONSTANT), 0.0)
OF_LONG_NR = Decider(Decision(NEUTRAL | {CONSTANT: -9.0}, NEUTRAL | {"duration": 2.0}, [], 0))
"""NR is what lasts for more than 10 ms."""


def sweep_of(class_id, columns, rows, confidence, settle_s=0.02, start=0, clock=CLOCK, unjudged=(), decider=None):
    """Picture of a sweep in which some columns of the panorama show a class, in the first rows of each frame."""
    panorama = Panorama(PLAN, CLASSES, decider=decider)
    step_samples = FRAME + round(settle_s * RATE)
    for step in range(PLAN.steps):
        power = np.ones((256, 256), np.float32)
        scores = np.zeros((4, 256, 256), np.float32)
        scores[0] = 1
        place = PLAN.place(step)
        shown = (
            PLAN.used.start + np.arange(max(columns.start, place.start), min(columns.stop, place.stop)) - place.start
        )
        if len(shown):
            power[:rows, shown] = 100
            scores[0, :rows, shown] = 1 - confidence
            scores[class_id, :rows, shown] = confidence
        dwell = Dwell(step, 0, SAMPLES, start + step * step_samples, PLAN.center(step), clock)
        panorama.add(dwell, *((None, None, None) if step in unjudged else (power, scores, 1.0)))
    return panorama.picture()


class TestRules:
    """What is decided of a segment depends on what its dwells show, and on the radio's span."""

    @pytest.mark.parametrize("rows, found", [(256, NR), (16, OTHER)])  # 40 ms, and 2.5 ms of a dwell of 40 ms
    def test_the_class_does_not_depend_on_the_settling_time(self, rows, found):
        for settle_s in (0.0, 0.02, 0.1, 1.0):
            (segment,) = sweep_of(NR, slice(1000, 1500), rows, 0.8, settle_s, decider=OF_LONG_NR).segments
            assert segment.class_id == found
            assert segment.duration == pytest.approx(rows / 256 * FRAME / RATE)
            assert segment.sample_rate == RATE

    def test_neither_does_anything_that_the_tracker_knows_but_times_and_places(self):
        def known(settle_s):
            tracker = SweepTracker()
            for number in range(3):
                tracker.update(sweep_of(NR, slice(1000, 2500), 256, 0.9, settle_s, start=number * 10**8))
            (carrier,) = tracker.carriers
            return [
                carrier.label,
                carrier.confidence,
                carrier.time_on_air,
                carrier.freq_lower,
                carrier.freq_upper,
                carrier.snr_db,
            ]

        assert known(0.02) == known(0.1) == known(1.0)

    def test_a_segment_has_the_time_of_the_first_step_that_shows_it(self):
        picture = sweep_of(NR, slice(1000, 1500), 256, 0.9, settle_s=0.1)
        first = 1000 // PLAN.step_columns
        (segment,) = picture.segments
        assert segment.start_offset == first * (FRAME + round(0.1 * RATE))
        (event,) = SweepTracker().update(picture)
        assert isinstance(event.carrier, Carrier)
        assert event.carrier.start_s == pytest.approx(segment.start_offset / RATE)
        assert event.carrier.duration == pytest.approx(0.04)


class TestSweeps:
    def test_seconds_are_those_of_the_clock_and_not_of_the_samples(self):
        tracker = SweepTracker()
        tracker.update(sweep_of(NR, slice(1000, 1500), 256, 0.9))
        late = StreamTime(10**8, 1_700_000_300, 0.0, RATE, "radio")
        tracker.update(sweep_of(NR, slice(1000, 1500), 256, 0.9, start=10**8, clock=late))
        (carrier,) = tracker.carriers
        assert carrier.duration == pytest.approx(300.04, abs=1e-6)

    def test_a_carrier_is_gone_after_two_sweeps_that_could_show_it(self):
        tracker = SweepTracker()
        first = 1000 // PLAN.step_columns
        hidden = range(first, 1 + 1500 // PLAN.step_columns)
        shown, empty = (NR, slice(1000, 1500), 256, 0.9), (NR, slice(0, 0), 256, 0.9)
        kinds = [
            [event.kind for event in tracker.update(picture)]
            for picture in (
                sweep_of(*shown, start=0),
                sweep_of(*empty, start=10**7),
                sweep_of(*shown, start=2 * 10**7),
                sweep_of(*empty, start=3 * 10**7),
                sweep_of(*empty, start=4 * 10**7, unjudged=hidden),
                sweep_of(*empty, start=5 * 10**7),
            )
        ]
        assert kinds == [["new"], [], ["update"], [], [], ["gone"]]

    def test_an_end_at_a_step_that_was_not_judged_is_no_edge(self):
        after = 1500 // PLAN.step_columns
        picture = sweep_of(NR, slice(1000, after * PLAN.step_columns), 256, 0.9, unjudged=(after,))
        (event,) = SweepTracker().update(picture)
        assert (event.carrier.cut_lower, event.carrier.cut_upper) == (False, True)


class Output:
    """A log that fails at one of its calls."""

    fault = ""

    def __init__(self, fails=None):
        self.fails, self.events, self.is_closed = fails, [], False

    def _take(self, name):
        if name == self.fails:
            raise OSError("out of luck")

    def begin_frame(self, geometry, clock):
        self._take("begin_frame")

    def write(self, event, clock, number):
        self._take("write")
        self.events.append(event.kind)

    def status(self, fields):
        self._take("status")

    def flush(self):
        self._take("flush")

    def close(self):
        self.is_closed = True
        self._take("close")


def feed(scanner, radio, until, seconds=60):
    """Feed a scanner until something is so."""
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end, "it did not happen in time"
        radio.feed(scanner)
        if scanner.status()["state"] == "holding":
            time.sleep(0.002)


class TestFaults:
    """Range of two steps; the listeners fail."""

    def scanner(self, radio, model, **arguments):
        settings = ScanSettings(settle_seconds=0.03, runtime=ThresholdRuntime())
        made = Scanner(Plan(900e6, 903e6, RATE), load_model(model), radio.tune, settings, **arguments)
        made.start()
        return made

    @pytest.mark.parametrize("call", ["begin_frame", "write", "status", "flush", "close"])
    def test_a_file_that_fails_is_reported_and_the_others_get_everything(self, any_rate_model, call, monkeypatch):
        monkeypatch.setattr(scanning, "STATUS_SECONDS", 0.0)
        radio = SimulatedRadio(flat_bands([(900.5e6, 902e6, 20)]))
        bad, good, errors = Output(call), Output(), []
        scanner = self.scanner(radio, any_rate_model, outputs=[bad, good], on_error=errors.append)
        feed(scanner, radio, lambda: len(good.events) >= 2)
        scanner.stop()
        assert good.events[0] == "new" and good.events[-1] == "gone"
        assert bad.is_closed and good.is_closed
        assert any("could not be delivered: out of luck" in error for error in errors)

    def test_listeners_that_fail_do_not_end_the_scan(self, any_rate_model, monkeypatch):
        monkeypatch.setattr(scanning, "STATUS_SECONDS", 0.0)

        def fails(*_):
            raise RuntimeError("no")

        radio = SimulatedRadio(flat_bands([(900.5e6, 902e6, 20)]))
        scanner = self.scanner(radio, any_rate_model, on_sweep=fails, on_status=fails, on_error=fails)
        feed(scanner, radio, lambda: scanner.status()["frames_analysed"] >= 4)
        assert "could not be delivered: no" in scanner.status()["error"]
        scanner.stop()

    def test_a_tune_command_that_fails_loses_no_samples_and_is_sent_again(self, any_rate_model):
        radio, errors, calls = SimulatedRadio(flat_bands([])), [], []

        def tune(frequency, moment):
            calls.append(frequency)
            if len(calls) == 2:
                raise RuntimeError("busy")
            radio.tune(frequency)

        settings = ScanSettings(settle_seconds=0.03, runtime=ThresholdRuntime())
        scanner = Scanner(Plan(900e6, 903e6, RATE), load_model(any_rate_model), tune, settings, on_error=errors.append)
        scanner.start()
        feed(scanner, radio, lambda: scanner.status()["sweep"] >= 1)
        status = scanner.status()
        scanner.stop()
        assert errors == ["the tune command could not be delivered: busy"]
        assert calls[1] == calls[2]
        assert status["samples_received"] == radio.offset

    def test_a_network_that_is_stuck_does_not_hold_the_end_forever(self, any_rate_model, monkeypatch):
        released = threading.Event()

        class Stuck(ThresholdRuntime):
            def probabilities(self, images):
                released.wait(60)
                return super().probabilities(images)

        monkeypatch.setattr(scanning, "STOP_SECONDS", 0.3)
        radio, errors = SimulatedRadio(flat_bands([])), []
        settings = ScanSettings(settle_seconds=0.03, runtime=Stuck())
        scanner = Scanner(
            Plan(900e6, 903e6, RATE), load_model(any_rate_model), radio.tune, settings, on_error=errors.append
        )
        scanner.start()
        thread = scanner._thread
        feed(scanner, radio, lambda: scanner.status()["sweep"] >= 1)
        scanner.stop()
        released.set()
        assert errors == ["the scan has not ended 0.3 s after it was stopped; the log says why"]
        thread.join(20)
        assert not thread.is_alive()

    def test_a_radio_that_sends_nothing_is_reported_as_silent(self, any_rate_model, monkeypatch):
        monkeypatch.setattr(scanning, "SILENT_SECONDS", 0.05)
        scanner = self.scanner(SimulatedRadio(flat_bands([])), any_rate_model)
        time.sleep(0.2)
        assert scanner.status()["health"].startswith("no samples for")
        scanner.stop()


def uncounted(status):
    """Samples that have come and were neither analysed nor skipped so far."""
    return status["samples_received"] - status["samples_analysed"] - status["samples_skipped"]


class TimedRadio(SimulatedRadio):
    """As a USRP: tags of time, rate and frequency at the start, after every retune, and after samples were lost."""

    lost = 0
    rate = RATE
    has_begun = False

    def feed(self, scanner, count=8192):
        if self._has_news:
            self.tag(scanner)
        super().feed(scanner, count)

    def tag(self, scanner):
        clock = StreamTime(0, 1_700_000_000, 0.25, self.rate, "radio")
        scanner.follow(self.offset, self.frequency, clock.at(self.offset + self.lost), self.rate)

    def lose(self, scanner, count):
        self.lost += count
        self.tag(scanner)


class TestClock:
    @pytest.fixture
    def scanner(self, any_rate_model):
        def make(**arguments):
            radio = TimedRadio(flat_bands([(900.5e6, 902e6, 20)]))
            settings = ScanSettings(settle_seconds=0.03, runtime=ThresholdRuntime())
            made = Scanner(Plan(900e6, 903e6, RATE), load_model(any_rate_model), radio.tune, settings, **arguments)
            made.start()
            running.append(made)
            return made, radio

        running = []
        yield make
        for made in running:
            made.stop()

    @pytest.mark.parametrize("rate", [RATE, RATE + 0.7])
    def test_a_retune_is_no_overflow_and_an_overflow_is_one(self, scanner, rate):
        made, radio = scanner()
        radio.rate = rate
        feed(made, radio, lambda: made.status()["sweep"] >= 3)
        assert (made.status()["overflows"], made.status()["samples_lost"]) == (0, 0)
        radio.lose(made, 12_345)
        feed(made, radio, lambda: made.status()["sweep"] >= 4)
        assert (made.status()["overflows"], made.status()["samples_lost"]) == (1, 12_345)

    def test_log_files_and_messages_have_the_same_times_after_a_gap(self, scanner, tmp_path):
        log, messages = open_log(tmp_path / "found.jsonl", per="segment"), []
        made, radio = scanner(
            outputs=[log],
            on_sweep=lambda picture, events, sweep: messages.extend(
                segment_fields(event, clock, sweep, "ok", "m") for event, clock in events
            ),
        )
        for count in range(3):
            feed(made, radio, lambda wanted=count: len(messages) > wanted)
            radio.lose(made, round(100 * RATE))
        sweep = made.status()["sweep"]
        feed(made, radio, lambda: made.status()["sweep"] > sweep + 2 and len(messages) > 5)
        made.stop()
        lines = [json.loads(line) for line in (tmp_path / "found.jsonl").read_text().splitlines()]
        logged = [line["rx_time_seconds"] for line in lines if line["topic"] == "segment"]
        sent = [sum(message["rx_time"]) for message in messages]
        assert logged == pytest.approx(sent, abs=1e-6)
        assert max(sent) > 1_700_000_200 and sent[-1] < 1_700_000_050  # the last one is gone, at its beginning

    def test_at_another_rate_nothing_is_analysed_and_every_sample_is_counted(self, scanner):
        errors = []
        made, radio = scanner(on_error=errors.append)
        feed(made, radio, lambda: made.status()["frames_analysed"] >= 2)
        radio.rate = 1.01 * RATE
        radio.tag(made)
        right = radio.offset
        for _ in range(60):
            radio.feed(made)
        end = time.monotonic() + HANG_S
        while uncounted(status := made.status()) >= 4 * FRAME and time.monotonic() < end:
            time.sleep(0.02)
        assert "sample rate of the radio is 2.424e+06 Hz" in status["error"] and len(errors) == 1
        assert status["samples_received"] == radio.offset
        assert uncounted(status) < 4 * FRAME and status["samples_analysed"] <= right
        analysed = status["frames_analysed"]
        radio.rate = RATE
        radio.tag(made)
        feed(made, radio, lambda: made.status()["frames_analysed"] >= analysed + 2)
        assert "sample rate" not in made.status().get("error", "")


def test_carriers_are_those_of_the_tracker(any_rate_model):
    _, scanner = scan(Plan(900e6, 903e6, RATE), any_rate_model, SimulatedRadio(flat_bands([(900.5e6, 902e6, 20)])))
    assert scanner.carriers() == []  # at the end every carrier is gone
    reports, _ = scan(Plan(900e6, 903e6, RATE), any_rate_model, SimulatedRadio(flat_bands([(900.5e6, 902e6, 20)])))
    (event,) = reports[0][1]
    assert isinstance(event.carrier, Carrier) and event.carrier.carrier_id == 1
