# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames analysed by several threads, and given back in order: the live sink and the replay of recordings share this.

    Intake -+-> worker: health, image, network, segments -+-> in order -> the thread that asks for results
            +-> worker: health, image, network, segments -+

Each worker has a Segmenter of its own. Where scores are averaged, segments depend on the frames before: then they are
found last, by the one thread that asks. So results are the same, bit for bit, with any number of workers.
"""

import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import DTypeLike

from .. import waiting
from ..detection.segmenter import Frame, Prepared, Segmenter
from ..errors import StalledError
from ..signal.image import COLUMNS
from ..signal.rates import is_same_rate
from .intake import ANALYSED, FAILED, TOO_SHORT, Intake, Job, StreamTime

POLL_SECONDS = 0.1
"""A worker that waits for samples looks up so often whether it is to stop."""
FRAME_LIMIT_SECONDS = 120.0
"""A worker that has not finished a frame in this time is given up, and its frame has failed."""


@dataclass(frozen=True)
class Result:
    """What became of a frame, or of a run that was too short for one.

    Attributes:
        frame: Frame; None where there is none.
        error: the exception that the analysis failed with, else None. With neither, there were too few samples.
        start_offset, end_offset: its new samples, numbered since the stream began; those that it reaches back to do
            not count.
        center_frequency: Hz, 0 if it is not known.
        time: StreamTime.
        latency: seconds from the arrival of its last sample to now.
        samples: the new samples, if the pool was asked to hold them; to be read before `held` more Results are asked
            for.
    """

    frame: Frame | None
    error: Exception | None
    start_offset: int
    end_offset: int
    center_frequency: float
    time: StreamTime
    latency: float
    samples: np.ndarray | None = None


@dataclass(frozen=True)
class _Done:
    """What a worker made of a job: a frame, whose number is not known yet, or what one is made from."""

    job: Job
    frame: Frame | None = None
    prepared: Prepared | None = None
    probabilities: np.ndarray | None = None
    error: Exception | None = None


class FramePool:
    """Threads that analyse what an Intake holds.

    A frame whose analysis fails becomes a Result with the error, and the next one is analysed all the same. So does a
    frame whose analysis does not end, and its worker is left behind. When results are not fetched, the workers wait,
    and then the Intake drops frames (live) or takes no more (replay).

    Args:
        intake: Intake, new and for this pool alone.
        segmenters: list of Segmenter, one for every thread (`Segmenter.replicas`).
        held: frames whose samples are kept until so many more Results are asked for, to be recorded or searched; the
            Intake then has room for fewer frames.
        frame_limit_s: seconds after which a frame whose analysis has not ended has failed.

    Example:
        with FramePool(intake, segmenter.replicas(2)) as pool:
            for result in pool.results():
                ...
    """

    def __init__(
        self, intake: Intake, segmenters: list[Segmenter], held: int = 0, frame_limit_s: float = FRAME_LIMIT_SECONDS
    ) -> None:
        self._intake = intake
        self._most_held = held
        self._held: deque[Job] = deque()
        self._finisher = segmenters[0]
        self._finisher.reset()
        self._changed = threading.Condition()
        self._ready: dict[int, _Done] = {}
        self._in_work: dict[int, tuple[Job, threading.Thread]] = {}
        self._lost: set[threading.Thread] = set()
        self._patience = waiting.Patience("the analysis of a frame", frame_limit_s)
        self._next = 0
        self._frames = 0
        self._begun = 0
        # As many as the Intake holds may be finished before any is fetched: a reader that fills it never waits for
        # itself.
        self._most_at_once = intake.depth + 2 * len(segmenters)
        self._stopping = False
        self._running = len(segmenters)
        self._threads = [
            # A daemon: one that is left behind in a library must not keep the program from its end.
            threading.Thread(target=self._work_off, args=(segmenter,), name=f"rpmsn frames {number}", daemon=True)
            for number, segmenter in enumerate(segmenters, start=1)
        ]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> "FramePool":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def finished(self) -> bool:
        """True when no further result will come."""
        with self._changed:
            return not self._running and not self._ready

    def next(self, timeout: float) -> Result | None:
        """The next Result; None after `timeout` seconds without one, or when there will be none. For one thread."""
        self._let_go()
        with self._changed:
            self._changed.wait_for(lambda: self._next in self._ready or not self._running, timeout)
            if self._next not in self._ready:
                self._lose_patience(timeout)
            done = self._ready.pop(self._next, None)
            if done is None:
                return None
            self._patience.reset()
            self._next += 1
            self._begun -= 1
            self._changed.notify_all()
        return self._result(done)

    def results(self) -> Iterator[Result]:
        """Yield every Result, in order, until the Intake is closed and empty, or the pool is closed."""
        while not self.finished:
            result = self.next(POLL_SECONDS)
            if result is not None:
                yield result

    def close(self) -> None:
        """Stop, after the frames in hand; those that wait are counted as stopped. Any thread may call it, repeatedly.

        Results that are ready can still be fetched.
        """
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._intake.close()
        for thread in self._threads:
            if thread not in self._lost:
                waiting.join(thread)
        self._intake.discard()

    def _let_go(self) -> None:
        """Give back the samples that were held for long enough."""
        while self._held and len(self._held) >= self._most_held:
            self._intake.release(self._held.popleft())

    def _lose_patience(self, seconds: float) -> None:
        """Give up the worker whose result is the next, if it has been waited for too long; with `_changed` held."""
        if self._next not in self._in_work:
            return  # samples may take any time to come
        job, thread = self._in_work[self._next]
        try:
            self._patience.spend(seconds, [thread])
        except StalledError as error:
            self._lost.add(thread)
            self._running -= 1
            self._ready[self._next] = _Done(job, error=error)
            del self._in_work[self._next]
            self._release(job)

    def _work_off(self, segmenter: Segmenter) -> None:
        """A worker thread: analyse job after job."""
        me = threading.current_thread()
        try:
            while me not in self._lost and (job := self._take()) is not None:
                segmenter, done = self._analyse(segmenter, job)
                with self._changed:
                    if self._in_work.pop(job.number, None):
                        self._ready[job.number] = done
                        self._changed.notify_all()
        finally:
            with self._changed:
                if me not in self._lost:
                    self._running -= 1
                self._changed.notify_all()

    def _take(self) -> Job | None:
        """The next job, when there is room for its result; None at the end."""
        with self._changed:
            # A reader may take any time to fetch results: that is right, and only logged.
            waiting.wait_for(
                self._changed,
                lambda: self._stopping or self._begun < self._most_at_once,
                f"the reader to fetch the results of {self._most_at_once} frames",
                goes_on=True,
            )
            self._begun += 1
        while not self._stopping and not self._intake.finished:
            job = self._intake.get(POLL_SECONDS)
            if job is not None:
                with self._changed:
                    self._in_work[job.number] = job, threading.current_thread()
                return job
        return None

    def _analyse(self, segmenter: Segmenter, job: Job) -> tuple[Segmenter, _Done]:
        """What a job becomes, and the Segmenter for the next one: the sample rate may have changed."""
        try:
            if not is_same_rate(job.time.sample_rate, segmenter.sample_rate):
                segmenter = segmenter.at_rate(job.time.sample_rate)
            samples, start_offset = job.frame()
            if len(samples) < COLUMNS:
                return segmenter, _Done(job)
            prepared = segmenter.prepare(samples, start_offset, job.center_frequency, job.start_offset, job.run)
            self._release(job)
            probabilities = segmenter.infer(prepared)
            if segmenter.average_frames > 1:
                return segmenter, _Done(job, prepared=prepared, probabilities=probabilities)
            return segmenter, _Done(job, segmenter.finish(prepared, probabilities))
        except Exception as error:  # one frame lost is better than a thread that is gone
            return segmenter, _Done(job, error=error)
        finally:
            self._release(job)

    def _release(self, job: Job) -> None:
        """A worker does not need a job's samples any more."""
        if not self._most_held:
            self._intake.release(job)

    def _result(self, done: _Done) -> Result:
        """Finish a frame, and count what became of its samples."""
        job, frame, error = done.job, done.frame, done.error
        if done.prepared is not None:
            try:
                frame = self._finisher.finish(done.prepared, done.probabilities)
            except Exception as failure:  # as in the workers
                error = failure
        if frame is not None:
            frame = replace(frame, number=self._frames)
            self._frames += 1
        self._intake.settle(job, ANALYSED if frame else FAILED if error else TOO_SHORT)
        if self._most_held:
            self._held.append(job)
        return Result(
            frame,
            error,
            job.start_offset,
            job.start_offset + len(job.samples),
            job.center_frequency,
            job.time,
            time.monotonic() - job.filled_at,
            job.samples if self._most_held else None,
        )


@dataclass(frozen=True)
class Run:
    """Samples that belong together, such as a capture segment of a recording.

    Attributes:
        start_offset: number of the first sample.
        center_frequency: Hz, 0 if it is not known.
        time: StreamTime.
        pieces: iterable of arrays of samples, of any length, one after the other.
    """

    start_offset: int
    center_frequency: float
    time: StreamTime
    pieces: Iterable[np.ndarray]


class Replay:
    """Analyses a recording: as fast as the threads can, and nothing is dropped.

    Args:
        segmenters: list of Segmenter, one for every thread (`Segmenter.replicas`).
        dtype: type of the samples, one of `stream.SAMPLE_TYPES`.
        duty_cycle: fraction of the frames to analyse, above 0 to 1.
        frame_limit_s: as of FramePool.

    Attributes:
        intake: Intake; its `counts()` say what became of the samples.
    """

    def __init__(
        self,
        segmenters: list[Segmenter],
        dtype: DTypeLike = np.complex64,
        duty_cycle: float = 1.0,
        frame_limit_s: float = FRAME_LIMIT_SECONDS,
    ) -> None:
        self._segmenters, self._frame_limit_s = segmenters, frame_limit_s
        self.intake = Intake(
            segmenters[0].frame_samples,
            live=False,
            depth=2 * len(segmenters),
            dtype=dtype,
            duty_cycle=duty_cycle,
            wait_seconds=0,
        )

    def results(self, runs: Iterable[Run]) -> Iterator[Result]:
        """Analyse an iterable of Run; yields every Result, in order. To be called once.

        Raises:
            StalledError: there is no worker left that could analyse the rest.
        """
        with FramePool(self.intake, self._segmenters, frame_limit_s=self._frame_limit_s) as pool:
            for run in runs:
                offset = run.start_offset
                for samples in run.pieces:
                    while len(samples):
                        taken = self.intake.write(samples, offset, run.center_frequency, run.time)
                        offset += taken
                        samples = samples[taken:]
                        # Only where there is no room is there time to wait for a result.
                        result = pool.next(0 if taken else POLL_SECONDS)
                        while result is not None:
                            yield result
                            result = pool.next(0)
                        if not taken and pool.finished:
                            raise StalledError("every worker is left behind in a frame: the rest cannot be analysed")
                self.intake.cut()
            self.intake.close()
            yield from pool.results()
