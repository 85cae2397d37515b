# SPDX-License-Identifier: GPL-3.0-or-later
"""A radio as a source of `rpmsn watch`: driver and analysis run in a process of their own (no Qt, no GNU Radio here).

A driver may hang, also while it holds the GIL, and may crash. The window stays alive, and closes, all the same.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

from ...messages import keys
from ...models.choice import model_for_rate
from ...models.model import load_model
from ...processes import start_resource_tracker
from ...radios import flowgraphs
from ...recording.stream_recorder import RecorderState
from ...streaming import CELL_BUDGET
from ..translation import tr
from .feed import Feed, News

logger = logging.getLogger(__name__)

FRAMES_PER_SECOND = 25.0
TUNE, GAIN, ANTENNA, PPM, COLUMNS, STOP = "tune", "gain", "antenna", "ppm", "columns", "stop"
RECORD, END_RECORDING = "record", "end recording"
"""Commands to the process: (name, value)."""
STOP_SECONDS, KILL_SECONDS = 1.4, 0.3
"""The process may end by itself for so long, and is then killed: together less than 2 s."""
OPEN_SECONDS = 30.0
"""A driver that takes longer to open a radio is reported as not answering; it is still waited for."""
POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Tuning:
    """What a radio is set to.

    Attributes:
        center_frequency, sample_rate: Hz.
        gain_range: (lowest, highest), dB.
        antennas, antenna: those that it has, and the one in use.
    """

    center_frequency: float
    sample_rate: float
    gain_range: tuple[float, float]
    antennas: tuple[str, ...] = ()
    antenna: str = ""


@dataclass(frozen=True)
class Report:
    """What the process says.

    Attributes:
        news: messages since the last report, None where there are none.
        tuning: None before the radio is open.
        note, problem, failed: as of `Feed`.
        recorder: what is recorded; its fault may be one of the last command, too.
    """

    news: News | None
    tuning: Tuning | None
    note: str
    problem: str
    failed: bool = False
    recorder: RecorderState = RecorderState()


def work(connection: Connection, radio: dict, sink: dict) -> None:
    """The main function of the process."""
    flowgraphs.load("watch_radio").serve(connection, radio, sink)


class RadioWatch:
    """A radio, opened and analysed in a process of its own.

    Args:
        feed: Feed that gets everything.
        model, runtime, workers, cell_budget: as of `segmenter_sink`; without a model the one that suits the sample
            rate.
        radio: dict of the arguments of `radio_source`.
        ppm: error of its clock, by which frequencies are corrected, parts per million.
        columns: of the picture, as of `segmenter_sink`.
        main: function of the process; tests have others.

    Attributes:
        gain: dB, as it was asked for; None where the radio has its own control.
        ppm: as above, as it was asked for last.
        seen_ppm: what the cells show beyond that; None while none does.
        recorder: RecorderState.
        was_killed: after `stop`, whether the driver did not end by itself.

    Raises:
        MissingLibraryError: GNU Radio is not installed.
        ModelError: there is no such model.
    """

    recording = None
    is_stuck = was_killed = False

    def __init__(
        self,
        feed: Feed,
        model: str | None,
        runtime: str,
        workers: int,
        radio: dict[str, Any],
        main: Callable[[Connection, dict, dict], None] = work,
        cell_budget: float = CELL_BUDGET,
        ppm: float = 0.0,
        columns: int = 256,
    ) -> None:
        model = model or model_for_rate(radio["sample_rate"])
        load_model(model)
        self._feed, self._radio = feed, radio
        self.gain = radio["gain"]
        self.ppm = ppm
        self.seen_ppm: float | None = None
        self.recorder = RecorderState()
        sink = dict(
            model=model,
            runtime=runtime,
            workers=workers,
            mode="live",
            frames_per_second=FRAMES_PER_SECOND,
            cell_budget=cell_budget,
            columns=columns,
        )
        context = get_context("spawn")
        self._connection, self._theirs = context.Pipe()
        self._process = context.Process(target=main, args=(self._theirs, radio, sink), name="rpmsn radio", daemon=True)
        self._thread = threading.Thread(target=self._listen, name="rpmsn radio", daemon=True)
        self._tuning: Tuning | None = None
        self._is_stopping = False

    @property
    def title(self) -> str:
        """The radio and where it is tuned to."""
        return f"{self._radio['device']}, {self.center_frequency / 1e6:.3f} MHz"

    @property
    def is_open(self) -> bool:
        """Whether the radio is open, so that it can be tuned."""
        return self._tuning is not None

    @property
    def center_frequency(self) -> float:
        """Hz; before the radio is open, what it will be asked for."""
        return self._radio["center_frequency"] if self._tuning is None else self._tuning.center_frequency

    @property
    def sample_rate(self) -> float:
        """Hz, likewise."""
        return self._radio["sample_rate"] if self._tuning is None else self._tuning.sample_rate

    @property
    def gain_range(self) -> tuple[float, float]:
        """(lowest, highest) gain of the radio, dB; nothing before it is open."""
        return (0.0, 0.0) if self._tuning is None else self._tuning.gain_range

    def start(self) -> None:
        """Start the process; a second call does nothing."""
        if self._process.pid is None:
            self._feed.note = tr("opening {device}", device=self._radio["device"])
            start_resource_tracker()
            self._process.start()
            self._theirs.close()  # so that the end of the process is the end of the connection
            self._thread.start()

    def stop(self) -> None:
        """End it, within 2 s whatever the driver does."""
        self._is_stopping = True
        if self._process.pid is not None:
            self._send(STOP, 0.0)
            self._process.join(STOP_SECONDS)
            if self._process.is_alive():
                self.was_killed = True
                logger.warning("%s did not end within %g s; its driver was left", self._radio["device"], STOP_SECONDS)
                self._process.kill()
                self._process.join(KILL_SECONDS)
            self._thread.join(KILL_SECONDS)
        if self._feed.problem:
            self._feed.fail(self._feed.problem)

    def tune(self, frequency: float) -> None:
        """Ask the radio for another centre frequency, Hz."""
        self._send(TUNE, frequency)

    def set_gain(self, gain: float) -> None:
        """Ask the radio for another gain, dB."""
        if self.is_open:
            self.gain = gain
            self._send(GAIN, gain)

    @property
    def device(self) -> str:
        """As it was named."""
        return self._radio["device"]

    @property
    def antennas(self) -> tuple[str, ...]:
        """Those that the radio names."""
        return () if self._tuning is None else self._tuning.antennas

    @property
    def antenna(self) -> str:
        """The one in use."""
        return "" if self._tuning is None else self._tuning.antenna

    def set_antenna(self, antenna: str) -> None:
        """Ask the radio for another antenna."""
        self._send(ANTENNA, antenna)

    def set_ppm(self, ppm: float) -> None:
        """Correct frequencies by an error of the radio's clock, parts per million."""
        if self.is_open:
            self.ppm, self.seen_ppm = ppm, None
            self._send(PPM, ppm)

    def set_columns(self, columns: int) -> None:
        """Other columns of the picture, from the next frame on."""
        self._send(COLUMNS, columns)

    def record(self, folder: str, before_seconds: float = 0.0, goes_on: bool = True) -> None:
        """Record IQ, as of `StreamRecorder.record`."""
        self._send(RECORD, (folder, before_seconds, goes_on))

    def end_recording(self) -> None:
        """End it with the samples that have come."""
        self._send(END_RECORDING, None)

    def _send(self, name: str, value: Any) -> None:
        if self.is_open or name == STOP:
            with contextlib.suppress(OSError):  # the process has ended; `_listen` says so
                self._connection.send((name, value))

    def _listen(self) -> None:
        """The thread: hand reports on until the process ends."""
        started = time.monotonic()
        while True:
            try:
                if self._connection.poll(POLL_SECONDS):
                    report = self._connection.recv()
                    self._take(report)
                    if report.failed:
                        return
                elif not self.is_open and time.monotonic() - started > OPEN_SECONDS:
                    self._feed.problem = tr(
                        "{device} has not been opened within {seconds} s: its driver does not answer. It is still "
                        "waited for; or close the window, plug the radio in again, and start again.",
                        device=self._radio["device"],
                        seconds=f"{OPEN_SECONDS:g}",
                    )
            except (EOFError, OSError):
                break
        if not self._is_stopping:
            self._process.join(KILL_SECONDS)
            code = self._process.exitcode
            self._feed.fail(
                tr(
                    "the process of {device} has ended (exit status {code}): its driver may have crashed. Close the "
                    "window and start again; `rpmsn devices` shows what is connected.",
                    device=self._radio["device"],
                    code="?" if code is None else code,
                )
            )

    def _take(self, report: Report) -> None:
        if report.failed:
            self._feed.fail(report.problem)
            return
        is_new = self._tuning is None and report.tuning is not None
        self._feed.note, self._feed.problem, self._tuning = report.note, report.problem, report.tuning
        self.recorder = report.recorder
        if is_new and self.ppm:
            self.set_ppm(self.ppm)
        if report.news is None:
            return
        for fields, image, mask, shown in report.news.frames:
            self._feed.put_frame(fields, image, mask, shown)
        for fields in report.news.segments:
            self._feed.put_segment(fields, fields)
        if report.news.status is not None:
            self.seen_ppm = report.news.status.get(keys.RECEIVER_PPM)
            self._feed.put_status(report.news.status)
