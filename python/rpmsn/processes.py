# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs in processes of their own: one core each, ended together, with progress."""

import os
import signal
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager, suppress
from itertools import islice
from multiprocessing import active_children, get_context, resource_tracker
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

from . import interrupts, waiting
from .progress import progress_bar

T = TypeVar("T")

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""Environment that keeps a process to one core: processes are the parallelism, not BLAS."""

JOB_SECONDS = 600.0
"""Without an end of a job, and without progress in one, for so long: it is reported in the log."""
POLL_SECONDS = 0.2
"""So often progress within jobs is looked at."""
JOBS_AHEAD = 2
"""Jobs for each process that are handed out: one in work, one that waits for it."""


def each_done(
    work: Callable[..., T],
    jobs: Sequence[tuple],
    workers: int,
    unit: str,
    description: str,
    size: Callable[[T], float] = lambda result: 1,
    total: float | None = None,
    quiet: bool = False,
) -> Iterator[T]:
    """Do jobs in processes of their own, with a progress bar that shows the time left; yields results in their order.

    Args:
        work: function at the top level of a module.
        jobs: list of tuples, its arguments.
        workers: processes; each uses one core.
        unit, description: texts of the bar.
        size: how many units a result is.
        total: units in all; as many as jobs if not given.
        quiet: no bar.
    """
    early: dict[int, T] = {}
    following = 0
    with (
        progress_bar(len(jobs) if total is None else total, unit, description, quiet) as progress,
        closing(as_done(work, jobs, workers, f"a job of '{description}'")) as results,
    ):
        for number, result in results:
            progress.update(size(result))
            early[number] = result
            while following in early:
                yield early.pop(following)
                following += 1


def as_done(
    work: Callable[..., T],
    jobs: Iterable[tuple],
    workers: int,
    what: str,
    advance: Callable[[float], object] = lambda amount: None,
    lost: Callable[[tuple], T] | None = None,
) -> Generator[tuple[int, T], None, None]:
    """Do jobs in processes of their own; yields (number of the job, result) as they finish. Close it (`closing`).

    Only a few jobs and results are held, however many there are. What ends the loop early, a signal as well, interrupts
    the jobs in work.

    Args:
        work: function at the top level of a module; `report` in it says how far it is.
        jobs: its arguments, one tuple a job.
        workers: processes; each uses one core.
        what: a job, in words that follow "waited 600 s for".
        advance: is called with what jobs have reported.
        lost: the result of a job whose process ended in the middle of it (killed, out of memory). The other jobs that
            were handed out are done again. None: it is an error.

    Raises:
        BrokenProcessPool: a process ended in the middle of a job, and there is no `lost`.
        Exception: what the work raised.
    """
    start_resource_tracker()
    coming = enumerate(jobs)
    suspects: deque[tuple[int, tuple]] = deque()
    is_over = False
    while not is_over:
        # Of the jobs that were handed out when a process was lost, one ended it: one at a time they show which.
        alone = bool(suspects)
        source, most = (_drained(suspects), 1) if alone else (coming, JOBS_AHEAD * workers)
        in_work: dict[Future[T], tuple[int, tuple]] = {}
        try:
            with environment(ONE_THREAD), _pool(1 if alone else workers) as (pool, reports):
                while True:
                    for entry in islice(source, most - len(in_work)):
                        try:
                            with interrupts.held():  # it may start a process
                                in_work[pool.submit(_until_interrupted, work, *entry[1])] = entry
                        except BrokenProcessPool:  # nobody has this job yet
                            suspects.append(entry)
                            raise
                    if not in_work:
                        break
                    for future in _next_done(in_work, reports, what, advance):
                        result = future.result()
                        number, _ = in_work.pop(future)
                        yield number, result
            is_over = not alone
        except BrokenProcessPool:
            if lost is None:
                raise
            for future, entry in in_work.items():
                if future.exception() is None:
                    yield entry[0], future.result()
                elif alone:
                    yield entry[0], lost(entry[1])
                else:
                    suspects.append(entry)


def _drained(entries: "deque[T]") -> Iterator[T]:
    """The entries, each taken out when it is asked for."""
    while entries:
        yield entries.popleft()


def _next_done(
    in_work: Iterable["Future[T]"], reports: Connection, what: str, advance: Callable[[float], object]
) -> "list[Future[T]]":
    """The futures that are done, at least one; passes on meanwhile what jobs report."""
    patience = waiting.Patience(what, JOB_SECONDS, goes_on=True)  # a job may be of any length
    while True:
        with interrupts.held():  # half-way through it, locks of the futures may be held
            done, _ = wait(in_work, POLL_SECONDS, FIRST_COMPLETED)
        while reports.poll():
            advance(*_AMOUNT.unpack(reports.recv_bytes()))
            patience.reset()
        if done:
            return list(done)
        patience.spend(POLL_SECONDS)


@contextmanager
def _pool(workers: int) -> Iterator[tuple[ProcessPoolExecutor, Connection]]:
    """Processes, and where their reports come in; on an exception the jobs in work are stopped, and no other starts."""
    context = get_context("spawn")
    others = active_children()
    reports, reporter = context.Pipe(duplex=False)
    with reports, reporter, ProcessPoolExecutor(workers, context, _start_worker, (os.getpid(), reporter)) as pool:
        try:
            yield pool, reports
        except BaseException as error:
            # Where one was lost, the others may wait for a lock that it held, and a signal that they handle ends none.
            number = signal.SIGKILL if isinstance(error, BrokenProcessPool) else signal.SIGINT
            for process in active_children():  # the signal may have come to this process alone
                if process.pid is not None and process not in others:
                    with suppress(ProcessLookupError):
                        os.kill(process.pid, number)
            pool.shutdown(cancel_futures=True)
            raise


def free_memory() -> float:
    """Bytes that this process and others that it starts may take: free, and below the limit of its control group.

    Infinite where the system does not say.
    """
    found = [float("inf")]
    with suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/meminfo").read_text().splitlines()
        found.append(1024.0 * int(next(line for line in lines if line.startswith("MemAvailable:")).split()[1]))
    for folder in _control_groups():
        for most, used in (("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes")):
            with suppress(OSError, ValueError):  # "max" is no number
                found.append(float(int((folder / most).read_text()) - int((folder / used).read_text())))
    return max(0.0, min(found))


def _control_groups() -> Iterator[Path]:
    """The folders of this process's control groups for memory, and those around them."""
    with suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers in ("", "memory"):
                root = Path("/sys/fs/cgroup") / controllers
                inner = root / path.lstrip("/")
                yield from (folder for folder in (inner, *inner.parents) if folder.is_relative_to(root))


def start_resource_tracker() -> None:
    """Start multiprocessing's helper so that it survives SIGHUP, as it does SIGINT and SIGTERM.

    A closing terminal sends SIGHUP to all processes; without its helper multiprocessing ends in tracebacks.
    """
    with interrupts.held():  # a new process inherits what is blocked
        resource_tracker.ensure_running()


@contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """This process's environment with these values meanwhile, for processes that are started and libraries; as before
    afterwards."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


class _Interrupts:
    """In a worker: a signal stops the running job, which cleans up, and no other starts."""

    def __init__(self) -> None:
        self.is_working = self.came = self.was_dropped = False
        self.later: Callable[[KeyboardInterrupt], None] | None = None

    def handle(self, _number: int, frame: FrameType | None) -> None:
        """The signal's handler."""
        counts = self.was_dropped or not self.came
        self.came, self.was_dropped = True, False
        if counts and self.is_working:
            if self.later is None or not interrupts.is_half_way(frame):
                raise KeyboardInterrupt
            self.later(KeyboardInterrupt())

    def again(self, _dropped: KeyboardInterrupt) -> None:
        """An interrupt was raised where Python lets none through, or held back where it would leave a lock behind."""
        self.was_dropped = True
        interrupts.send_to_main_thread(signal.SIGINT)

    def do(self, work: Callable[..., T], job: tuple) -> T:
        """Do a job unless an interrupt came."""
        self.is_working = True
        try:
            if self.came:
                raise KeyboardInterrupt
            with interrupts.not_dropped(self.again) as self.later:
                return work(*job)
        finally:
            self.is_working, self.later = False, None


_interrupts = _Interrupts()
_AMOUNT = struct.Struct("d")
_reporter: list[Connection] = []
"""In a worker: where its reports go."""


def report(amount: float) -> None:
    """In the work of `as_done`: so much more is done, in units of one's own choice. Elsewhere nothing happens."""
    for reporter in _reporter:
        with suppress(OSError):  # the parent has gone
            reporter.send_bytes(_AMOUNT.pack(amount))


def _until_interrupted(work: Callable[..., T], *job: Any) -> T:
    return _interrupts.do(work, job)


def _start_worker(parent: int, reporter: Connection) -> None:
    """In a worker, before its first job."""
    _reporter.append(reporter)
    for number in interrupts.SIGNALS:  # a closing terminal and a service manager send theirs to all processes
        signal.signal(number, _interrupts.handle)
    interrupts.let_through()
    end_with_parent(parent)


def end_with_parent(parent: int) -> None:
    """End this process when the one that started it (its number) is gone, also if that was killed."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
