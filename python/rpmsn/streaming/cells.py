# SPDX-License-Identifier: GPL-3.0-or-later
"""Cells of a stream: frames go in beside the tracker, and what is decoded from them goes to it.

`ReplaySearch` searches within the thread that reports results, by estimated costs: a recording gives the same cells
whatever the machine's speed. `LiveSearch` has a process of its own, takes frames only when that has time for them, and
keeps to a fraction of one core by the clock.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

import numpy as np

from .. import waiting
from ..cells.finding import Finding
from ..cells.looking import Look, Looker
from ..cells.plan import DEEP_FRAMES, Budget, Hypothesis, KnownCarrier, SearchPlan, View
from ..cells.process import SearchProcess
from ..cells.threads import on_threads
from ..errors import ParameterError
from ..signal import quality
from ..tracking.tracker import Event, Tracker

if TYPE_CHECKING:
    from ..detection.segmenter import Frame

LIVE_MOST_S = 2.0
"""Seconds of one core that a live search may save up."""
REPLAY_FRACTION, REPLAY_MOST_S, REPLAY_MOST_S_A_HZ = 0.25, 2.0, 0.03e-6
"""The same of a recording, for each second of signal; a search of a wider span costs more."""
SHORT_S = 1.0
"""A recording that ends before gets at its end part of what a longer one had in its course."""


class Carriers(Protocol):
    """What a search needs of a `Tracker`."""

    def searchable(self, with_candidates: bool = False) -> list[KnownCarrier]:
        """As of Tracker."""

    def prove(self, findings: Sequence[Finding]) -> list[Event]:
        """As of Tracker."""


class LockedCarriers:
    """A Tracker for a search that takes its time: locked only while it is read or changed."""

    def __init__(self, tracker: Tracker, lock: AbstractContextManager) -> None:
        self._tracker, self._lock = tracker, lock

    def searchable(self, with_candidates: bool = False) -> list[KnownCarrier]:
        """As of Tracker."""
        with self._lock:
            return self._tracker.searchable(with_candidates)

    def prove(self, findings: Sequence[Finding]) -> list[Event]:
        """As of Tracker."""
        with self._lock:
            return self._tracker.prove(findings)


class CellSearch(Protocol):
    """What the reporting thread of a stream calls."""

    def follow(self, frame: Frame, samples: np.ndarray, start: int, carriers: Carriers) -> list[Event]:
        """A frame was given to the tracker; gives it what is known of cells by now, and returns the events of that.

        Args:
            frame: the frame.
            samples: the new ones in it, valid until as many more frames are given as `frames_held` says.
            start: number of the first of them.
            carriers: the stream's.
        """

    def finish(self, carriers: Carriers) -> list[Event]:
        """No more frames will come; returns the last events, those of the tracker's own end not among them."""

    def close(self) -> None:
        """End what runs; the stream is over."""

    def forget_receiver(self) -> None:
        """What was seen of the receiver's frequency error does not hold any more."""

    def status(self, carriers: Carriers) -> dict[str, float]:
        """How it is going, keys as in `messages.fields`."""


def check_budget(cell_budget: float) -> float:
    """The fraction of a core for cells.

    Raises:
        ParameterError: it is outside 0 (no search) to 1.
    """
    if not 0 <= cell_budget <= 1:
        raise ParameterError(f"cell_budget is {cell_budget:g}, but 0 (no search for cells) to 1 core is allowed")
    return float(cell_budget)


def _view(frame: Frame, now_s: float, frames: int, carriers: Carriers, at_end: bool = False) -> View:
    geometry = frame.geometry
    return View(
        now_s,
        geometry.sample_rate,
        geometry.center_frequency,
        geometry.column_hz,
        frames,
        min(geometry.samples / geometry.sample_rate, 1.0),
        carriers.searchable(at_end),
        at_end,
    )


def _is_dead(frame: Frame) -> bool:
    """Whether there is nothing in a frame that could hold a cell."""
    return any(frame.condition.has(kind) for kind in (quality.CONSTANT, quality.NON_FINITE))


def _status(carriers: Carriers, plan: SearchPlan, load: float) -> dict[str, float]:
    found = sum(carrier.proof is not None for carrier in carriers.searchable())
    receiver = {} if plan.ppm is None else {"receiver_ppm": plan.ppm}
    return {"cells_found": found, "searches_waiting": plan.waiting, "cell_load": load, **receiver}


class ReplaySearch:
    """Searches frame by frame, within what estimated costs allow. For one thread.

    Args:
        threads: that a search may take; its result does not depend on them.
    """

    def __init__(self, threads: int = 1) -> None:
        self._threads = threads
        self._plan = SearchPlan(Budget(REPLAY_FRACTION, REPLAY_MOST_S))
        self._look: Look | None = None
        self._frame: Frame | None = None
        self._now_s = self._spent_s = 0.0

    def follow(self, frame: Frame, samples: np.ndarray, start: int, carriers: Carriers) -> list[Event]:
        """As of CellSearch."""
        rate, center = frame.geometry.sample_rate, frame.geometry.center_frequency
        self._now_s += len(samples) / rate
        self._plan.budget.allow(REPLAY_MOST_S + REPLAY_MOST_S_A_HZ * rate)
        if _is_dead(frame):
            self._look = None
            return []
        look = self._look or Look((), start, rate, center)
        self._look, self._frame = look.followed_by(samples, start, rate, center, DEEP_FRAMES), frame
        return self._search(carriers, at_end=False)

    def finish(self, carriers: Carriers) -> list[Event]:
        """As of CellSearch: carriers of a short recording get what a longer one had in its course."""
        if self._look is None:
            return []
        budget = self._plan.budget
        budget.left_s = max(budget.left_s, budget.most_s * (1 - self._now_s / SHORT_S))
        return self._search(carriers, at_end=True)

    def close(self) -> None:
        """As of CellSearch."""
        self._look = None

    def forget_receiver(self) -> None:
        """As of CellSearch."""
        self._plan.forget_receiver()

    def status(self, carriers: Carriers) -> dict[str, float]:
        """As of CellSearch."""
        return _status(carriers, self._plan, self._spent_s / max(self._now_s, 1e-9))

    def _search(self, carriers: Carriers, at_end: bool) -> list[Event]:
        assert self._look is not None and self._frame is not None, "only after a frame"
        looker = Looker(self._look)
        events: list[Event] = []
        while True:
            view = _view(self._frame, self._now_s, len(self._look.frames), carriers, at_end)
            hypotheses = self._plan.next(view)
            if not hypotheses:
                return events
            self._spent_s += sum(one.cost_s for one in hypotheses)
            with on_threads(self._threads):
                findings = list(looker.findings(hypotheses))
            events += carriers.prove(findings)


@dataclass
class _Task:
    """Searches that wait for their frames, or are being made."""

    hypotheses: list[Hypothesis]
    look: Look
    wanted: int
    tries: int = 0


class LiveSearch:
    """Searches in a process of its own, at most a fraction of one core; frames that it has no time for pass by.

    Args:
        fraction: of one core.
        on_error: called from that thread with a sentence, when a search failed; the next one is made all the same.
    """

    def __init__(self, fraction: float, on_error: Callable[[str], None]) -> None:
        self._plan = SearchPlan(Budget(fraction, LIVE_MOST_S))
        self._on_error = on_error
        self._changed = threading.Condition()
        self._task: _Task | None = None
        self._is_searching = self._is_stopping = False
        self._findings: list[Finding] = []
        self._spent_s = self._unaccounted_s = 0.0
        self._now_s = 0.0
        self._end: int | None = None
        self._process = SearchProcess()
        self._thread = threading.Thread(target=self._work, name="rpmsn cells", daemon=True)
        self._thread.start()

    def follow(self, frame: Frame, samples: np.ndarray, start: int, carriers: Carriers) -> list[Event]:
        """As of CellSearch: takes a copy of the samples when a search needs them, else only looks for results."""
        end = start + len(samples)
        # What was dropped in between has passed as well.
        passed = len(samples) if self._end is None else max(0, end - self._end)
        self._now_s += passed / frame.geometry.sample_rate
        self._end = end
        events = carriers.prove(self._results())
        if not (self._is_searching or _is_dead(frame)):
            self._prepare(frame, samples, start, carriers)
        return events

    def finish(self, carriers: Carriers) -> list[Event]:
        """As of CellSearch."""
        return carriers.prove(self._results())

    def close(self) -> None:
        """As of CellSearch; the search in progress is ended."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify_all()
        self._process.kill()
        waiting.join(self._thread)

    def forget_receiver(self) -> None:
        """As of CellSearch."""
        self._plan.forget_receiver()

    def status(self, carriers: Carriers) -> dict[str, float]:
        """As of CellSearch."""
        return _status(carriers, self._plan, self._spent_s / max(self._now_s, 1e-9))

    def _results(self) -> list[Finding]:
        """What was found since the last call; the budget gets what it really cost."""
        with self._changed:
            findings, self._findings = self._findings, []
            unaccounted, self._unaccounted_s = self._unaccounted_s, 0.0
        self._plan.budget.spend(unaccounted)
        return findings

    def _prepare(self, frame: Frame, samples: np.ndarray, start: int, carriers: Carriers) -> None:
        """Choose the next searches, and collect the frames that they need."""
        rate, center = frame.geometry.sample_rate, frame.geometry.center_frequency
        if self._task is None:
            hypotheses = self._plan.next(_view(frame, self._now_s, DEEP_FRAMES, carriers))
            if not hypotheses:
                return
            wanted = max(one.frames for one in hypotheses)
            self._task = _Task(hypotheses, Look((), start, rate, center), wanted)
        task = self._task
        task.tries += 1
        if (rate, center) != (task.look.sample_rate, task.look.center_frequency):
            self._task = None  # the radio was tuned elsewhere
            return
        task.look = task.look.followed_by(samples.copy(), start, rate, center, task.wanted)
        if len(task.look.frames) >= task.wanted or task.tries >= 2 * task.wanted:
            with self._changed:
                self._is_searching = True
                self._changed.notify_all()

    def _work(self) -> None:
        """The thread that waits for the process."""
        self._attempt(self._process.start)
        while True:
            with self._changed:
                while not (self._is_searching or self._is_stopping):
                    self._changed.wait()
                task = self._task
            if self._is_stopping or task is None:
                break
            before = self._process.spent_s
            self._attempt(partial(self._search, task))
            spent = self._process.spent_s - before
            with self._changed:
                self._spent_s += spent
                self._unaccounted_s += spent - sum(one.cost_s for one in task.hypotheses)
                self._task = None
                self._is_searching = False
        self._process.close()

    def _attempt(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # a search that is lost must not end the others
            self._on_error(f"the search for cells failed: {error}")

    def _search(self, task: _Task) -> None:
        for finding in self._process.search(task.look, task.hypotheses):
            with self._changed:
                self._findings.append(finding)


def frames_held(cell_budget: float, live: bool) -> int:
    """Frames whose samples stay valid for the search of a stream, the newest among them."""
    return DEEP_FRAMES if cell_budget and not live else 1


def search_of(cell_budget: float, live: bool, on_error: Callable[[str], None], threads: int = 1) -> CellSearch | None:
    """The search of a stream; None where the budget is 0. Arguments as of LiveSearch and ReplaySearch."""
    if not check_budget(cell_budget):
        return None
    return LiveSearch(cell_budget, on_error) if live else ReplaySearch(threads)
