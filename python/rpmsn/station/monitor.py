# SPDX-License-Identifier: GPL-3.0-or-later
"""`rpmsn monitor`: a radio watched without a screen. Log files, a publisher, and one status line a second."""

import argparse
import json
import math
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from .. import interrupts
from ..errors import RadioError
from ..messages.results import carrier_fields
from ..radios.flowgraphs import load
from ..radios.stopping import Silence, describe_silence, end_flowgraph
from ..tables import format_table
from ..tracking.carrier import Carrier
from . import monitor_line

LINES_BETWEEN_HEADERS = 20
STEP_SECONDS = 0.1
SHORTEST_WAIT_S = 0.5
"""Between two tries to open a radio again."""
SHORTEST_LISTED_S = 0.2
"""Carriers that were on the air for less are not in the table at the end."""
STARTED = "RPMSN_MONITOR_BEGUN"
"""Variable of the environment: when the first process started, s since 1970, for one that was restarted."""


class MonitorFlowgraph(Protocol):
    """What is watched: a radio, and the analysis of its samples.

    Attributes:
        device: the radio, as the user named it.
    """

    device: str

    def start(self) -> None:
        """Start it."""

    def finish(self) -> None:
        """Analyse what was received and close the files."""

    def stop(self) -> None:
        """Ask it to end."""

    def wait(self) -> None:
        """Wait for its end."""

    def status(self) -> dict[str, Any]:
        """As `StreamAnalyser.status`."""

    def carriers(self) -> list[Carrier]:
        """The carriers found so far."""

    def warnings(self) -> list[str]:
        """What a user should know before believing the result: sentences."""


def run(options: argparse.Namespace) -> int:
    """Watch a radio until it is asked to end; returns the exit status.

    Raises:
        RpmsnError: a radio, model or file that cannot be used.
    """
    os.environ.setdefault("GR_CONF_LOG_LOG_FILE", "stderr")  # GNU Radio's log; stdout is for results
    started = float(os.environ.get(STARTED, time.time()))
    if STARTED in os.environ and options.duration is not None:
        options.duration = max(0.0, options.duration - (time.time() - started))
    flowgraph = _open(options)
    asked = threading.Event()
    with interrupts.handled(lambda _: asked.set()):
        return _watch(flowgraph, options, asked, started)


def _watch(flowgraph: MonitorFlowgraph, options: argparse.Namespace, asked: threading.Event, started: float) -> int:
    """Run the flowgraph until it is asked to end; returns the exit status."""
    for warning in flowgraph.warnings():
        print(f"rpmsn monitor: {warning}", file=sys.stderr)
    flowgraph.start()
    fault = None
    try:
        Watch(flowgraph, options).watch(asked)
    except RadioError as error:
        fault = error
    flowgraph.finish()
    has_ended = end_flowgraph(flowgraph)
    _print_carriers(flowgraph.carriers(), options)
    if fault is not None:
        print(f"rpmsn monitor: {fault}", file=sys.stderr, flush=True)
    if fault is not None and options.reconnect is not None:
        if not asked.wait(options.reconnect):
            _restart(started)
        fault = None
    status = 1 if fault else 0
    if not has_ended:
        sys.stdout.flush()
        os._exit(status)  # the driver's thread still runs, and would keep Python from ending
    return status


def _open(options: argparse.Namespace) -> MonitorFlowgraph:
    """The flowgraph; once a radio has been open, its return is waited for.

    Raises:
        RpmsnError: a radio, model or file that cannot be used.
    """
    end = math.inf if options.duration is None else time.monotonic() + options.duration
    while True:
        try:
            return load("monitor_flowgraph").MonitorFlowgraph(options)
        except RadioError as error:
            if options.reconnect is None or STARTED not in os.environ or time.monotonic() >= end:
                raise
            print(f"rpmsn monitor: {error}", file=sys.stderr, flush=True)
            time.sleep(max(options.reconnect, SHORTEST_WAIT_S))


def _restart(started: float) -> None:
    """Become a new process with the same command: a driver's thread that hangs cannot be joined."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.environ[STARTED] = repr(started)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))  # the driver's connections, which would stay open
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


class Watch:
    """Prints the status once a second, and notices when the radio has stopped.

    Args:
        flowgraph: only its `status`, `carriers` and `device` are used.
        options: `json`, `duration`, `reconnect`.
        clock: seconds, as `time.monotonic`.
    """

    def __init__(
        self, flowgraph: MonitorFlowgraph, options: argparse.Namespace, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._flowgraph, self._options, self._clock = flowgraph, options, clock
        self._started = clock()
        self._silence = Silence(self._started)
        self._first: tuple[int, float] | None = None
        self._lines = 0

    def watch(self, asked: threading.Event) -> None:
        """Watch until an event is set, or the time is over.

        Raises:
            RadioError: the radio has stopped.
        """
        next_line = self._started + 1.0
        while not asked.wait(STEP_SECONDS):
            now = self._clock()
            status = self._flowgraph.status()
            self._listen(status, now)
            if now >= next_line:
                self.print_status(status, now)
                next_line += 1.0
            if self._options.duration is not None and now - self._started >= self._options.duration:
                return

    def print_status(self, status: Mapping[str, Any], now: float) -> None:
        """Print one status line."""
        from ..tracking.tracker import HOLD_SECONDS

        received = status["samples_received"]
        processed = sum(status[f"samples_{fate}"] for fate in ("analysed", "dropped", "skipped"))
        on_air = monitor_line.carriers_on_air(self._flowgraph.carriers(), processed, HOLD_SECONDS)
        drift_s = self._drift(received + status["samples_lost"], status["sample_rate"], now)
        if self._options.json:
            counts = {label: sum(carrier.label == label for carrier in on_air) for label in ("LTE", "NR", "other")}
            print(
                json.dumps(
                    {
                        "time": time.time(),
                        **status,
                        "clock_drift": drift_s,
                        "carriers": counts,
                        "carriers_cut": sum(map(monitor_line.is_cut, on_air)),
                    }
                ),
                flush=True,
            )
            return
        if self._lines % LINES_BETWEEN_HEADERS == 0:
            print(monitor_line.header())
        self._lines += 1
        print(monitor_line.status_line(status, on_air, drift_s, time.time()), flush=True)

    def _listen(self, status: Mapping[str, Any], now: float) -> None:
        if self._silence.has_stopped(status["samples_received"], now):
            next_step = (
                "start again to go on in new ones"
                if self._options.reconnect is None
                else f"it is opened again in {self._options.reconnect:g} s, with new ones"
            )
            raise RadioError(
                f"{describe_silence(self._flowgraph.device)} What was found so far is in the files, whole; {next_step}."
            )

    def _drift(self, samples: int, rate: float, now: float) -> float:
        """Seconds by which the host's clock has run ahead of the samples since the first line."""
        if self._first is None:
            self._first = samples, now
        first_samples, first_now = self._first
        return now - first_now - (samples - first_samples) / rate


def _print_carriers(carriers: list[Carrier], options: argparse.Namespace) -> None:
    """The carriers found, as a table or as JSON."""
    if options.json:
        print(
            json.dumps(
                {
                    "carriers": [
                        {**carrier_fields(carrier), "cut_lower": carrier.cut_lower, "cut_upper": carrier.cut_upper}
                        for carrier in carriers
                    ]
                }
            ),
            flush=True,
        )
        return
    listed = [carrier for carrier in carriers if carrier.time_on_air >= SHORTEST_LISTED_S]
    if listed:
        print(format_table(monitor_line.CARRIER_COLUMNS, [monitor_line.carrier_row(carrier) for carrier in listed]))
    short = len(carriers) - len(listed)
    print(
        f"{len(carriers)} carriers, {short} of them shorter than {SHORTEST_LISTED_S:g} s and not listed here"
        if carriers
        else "No carrier found."
    )
    if any(map(monitor_line.is_cut, listed)):
        print("< and >: wider than the radio's span; a band_scanner finds the whole (docs/scanner.md).")
