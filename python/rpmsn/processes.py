# SPDX-License-Identifier: GPL-3.0-or-later
"""Work that is spread over processes: one core each, ended together, with a progress bar."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any, TypeVar

from tqdm import tqdm

T = TypeVar("T")

_THREAD_COUNTS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


LOG_INTERVAL_S = 30.0
"""How often a progress bar writes a line where it is no terminal but a log."""


class _Lines(tqdm):
    """A progress bar whose states stand below each other, one a line."""

    @staticmethod
    def status_printer(file: Any) -> Callable[[str], None]:
        """How tqdm writes a state."""

        def write(state: str) -> None:
            if state:
                print(state, file=file, flush=True)

        return write


def progress_bar(total: float | None, unit: str, description: str, quiet: bool = False, initial: int = 0) -> tqdm:
    """A progress bar on stderr that shows the time left; in a log it writes a line now and then.

    Args:
        total: units in all.
        unit, description: words for the bar.
        quiet: no bar.
        initial: units that were done before.
    """
    is_watched = sys.stderr.isatty()
    bar, interval = (tqdm, 0.1) if is_watched else (_Lines, LOG_INTERVAL_S)
    return bar(
        total=total, unit=unit, desc=description, file=sys.stderr, disable=quiet, mininterval=interval, initial=initial
    )


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
        unit, description: words for the bar.
        size: how many units a result is.
        total: units in all; as many as jobs if not given.
        quiet: no bar.
    """
    context = get_context("spawn")
    with (
        _one_thread_each(),
        ProcessPoolExecutor(workers, context, _start_worker, (os.getpid(),)) as pool,
        progress_bar(len(jobs) if total is None else total, unit, description, quiet) as progress,
    ):
        futures = [pool.submit(_until_interrupted, work, *job) for job in jobs]
        try:
            for future in futures:
                result = future.result()
                progress.update(size(result))
                yield result
        finally:
            for future in futures:
                future.cancel()


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
    """In a worker: Ctrl-C stops the job that is being done, which tidies up, and lets no other one begin."""

    def __init__(self) -> None:
        self.is_working = self.came = False

    def handle(self, *_: object) -> None:
        """The signal's handler."""
        self.came = True
        if self.is_working:
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
    signal.signal(signal.SIGINT, _interrupts.handle)
    end_with_parent(parent)


def end_with_parent(parent: int) -> None:
    """End this process when the one that started it (its number) is gone, also if that was killed."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
