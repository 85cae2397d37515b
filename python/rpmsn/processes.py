# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs in processes of their own: one core each, ended together, with progress."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing import active_children, get_context, resource_tracker
from typing import Any, TypeVar

from . import interrupts, waiting
from .progress import progress_bar

T = TypeVar("T")

_THREAD_COUNTS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


JOB_SECONDS = 600.0
"""A job that takes longer is reported in the log."""


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
    start_resource_tracker()
    context = get_context("spawn")
    with (
        _one_thread_each(),
        ProcessPoolExecutor(workers, context, _start_worker, (os.getpid(),)) as pool,
        progress_bar(len(jobs) if total is None else total, unit, description, quiet) as progress,
    ):
        futures: list[Future[T]] = []
        try:
            with interrupts.held():
                futures += [pool.submit(_until_interrupted, work, *job) for job in jobs]
            for future in futures:
                # A job may be of any length.
                result = waiting.result(future, f"a job of '{description}'", JOB_SECONDS, goes_on=True)
                progress.update(size(result))
                yield result
        except KeyboardInterrupt:
            for process in active_children():  # the signal may have come to this process alone
                if process.pid is not None:
                    with suppress(ProcessLookupError):
                        os.kill(process.pid, signal.SIGINT)
            raise
        finally:
            for future in futures:
                future.cancel()


def start_resource_tracker() -> None:
    """Start multiprocessing's helper so that it survives SIGHUP, as it does SIGINT and SIGTERM.

    A closing terminal sends SIGHUP to all processes; without its helper multiprocessing ends in tracebacks.
    """
    with interrupts.held():  # a new process inherits what is blocked
        resource_tracker.ensure_running()


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Keep the processes started meanwhile to one core each: they are the parallelism, not BLAS."""
    before = {name: os.environ.get(name) for name in _THREAD_COUNTS}
    os.environ.update(dict.fromkeys(_THREAD_COUNTS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


class _Interrupts:
    """In a worker: a signal stops the running job, which cleans up, and no other starts."""

    def __init__(self) -> None:
        self.is_working = self.came = False

    def handle(self, *_: object) -> None:
        """The signal's handler."""
        is_first, self.came = not self.came, True
        if is_first and self.is_working:
            raise KeyboardInterrupt

    def do(self, work: Callable[..., T], job: tuple) -> T:
        """Do a job unless an interrupt came."""
        self.is_working = True
        try:
            if self.came:
                raise KeyboardInterrupt
            return work(*job)
        finally:
            self.is_working = False


_interrupts = _Interrupts()


def _until_interrupted(work: Callable[..., T], *job: Any) -> T:
    return _interrupts.do(work, job)


def _start_worker(parent: int) -> None:
    """In a worker, before its first job."""
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
