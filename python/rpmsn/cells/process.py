# SPDX-License-Identifier: GPL-3.0-or-later
"""Searches in a process of their own, one at a time: their many short steps would wait for the GIL at each, beside
threads that analyse frames."""

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from multiprocessing import Pipe
from multiprocessing.connection import Connection

import numpy as np

from ..errors import RpmsnError, StalledError
from ..interrupts import SIGNALS
from ..processes import ONE_THREAD, end_with_parent
from ..waiting import LIMIT_SECONDS, SLICE_SECONDS, Patience
from .finding import Finding
from .looking import Look, Looker
from .plan import Hypothesis

NICE = 10
"""How much less a search's share of a core is, where cores are short, than that of the process that asked for it."""
START_S = 1.0
"""What a start of the process costs, seconds of one core: 0.6 to 1.3."""
PROGRAM = "import sys; sys.path[:] = {path!r}; from rpmsn.cells.process import serve; serve({descriptor})"


class SearchLostError(RpmsnError):
    """The process ended, or could not be started."""


class SearchProcess:
    """A process that searches. One thread starts, asks and closes it; any may kill it.

    Attributes:
        spent_s: seconds of one core that searches have taken; those of starts after the first are in it.
    """

    def __init__(self) -> None:
        self.spent_s = 0.0
        self._lock = threading.Lock()
        self._process: subprocess.Popen | None = None
        self._connection: Connection | None = None
        self._is_over = False
        self._starts = 0

    @property
    def pid(self) -> int | None:
        """Number of the process; None while none runs."""
        process = self._process
        return None if process is None else process.pid

    def start(self) -> None:
        """Start the process where none runs, so that it is ready when it is asked.

        Raises:
            SearchLostError: it could not be started.
        """
        with self._lock:
            if self._connection is not None or self._is_over:
                return
            self._starts += 1
            self.spent_s += START_S if self._starts > 1 else 0.0
            ours, theirs = Pipe()
            program = PROGRAM.format(path=sys.path, descriptor=theirs.fileno())
            try:
                self._process = subprocess.Popen(
                    [sys.executable, "-c", program],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    pass_fds=[theirs.fileno()],
                    env={**os.environ, **ONE_THREAD},
                )
            except (OSError, ValueError) as error:
                ours.close()
                raise SearchLostError(f"its process could not be started: {error}") from error
            finally:
                theirs.close()
            self._connection = ours

    def search(self, look: Look, hypotheses: Sequence[Hypothesis]) -> Iterator[Finding]:
        """As of `Looker.findings`; after `kill` nothing is found.

        Raises:
            SearchLostError: the process could not be started, or ended; the next search starts another.
            StalledError: there was no answer for two minutes.
            RuntimeError: the search failed.
        """
        self.start()
        connection = self._connection
        if connection is None:
            return
        try:
            frames = [np.ascontiguousarray(np.asarray(frame)) for frame in look.frames]
            shapes = [(frame.shape, frame.dtype.str) for frame in frames]
            connection.send((replace(look, frames=()), shapes, tuple(map(_without_keys, hypotheses))))
            for frame in frames:
                connection.send_bytes(frame.data.cast("B"))
            searches = iter(hypotheses)
            while not isinstance(answer := self._answer(connection), float):
                if isinstance(answer, str):
                    raise RuntimeError(answer)
                yield _with_keys(answer, next(searches))
            self.spent_s += answer
        except StalledError:
            self.close()
            raise
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            status = self.close()
            if not self._is_over:
                raise SearchLostError(f"its process ended ({status}), and is started again") from error

    def kill(self) -> None:
        """End the process for good, also in the middle of a search."""
        with self._lock:
            self._is_over = True
            if self._process is not None:
                self._process.kill()

    def close(self) -> str:
        """End it, and wait for that; returns how it ended. A search starts another, unless it was killed."""
        with self._lock:
            if self._process is None or self._connection is None:
                return "was not running"
            self._connection.close()
            self._process.kill()
            status = self._process.wait(LIMIT_SECONDS)
            self._process = self._connection = None
        return f"signal {-status}" if status < 0 else f"exit status {status}"

    def _answer(self, connection: Connection) -> Finding | float | str:
        patience = Patience("the search for cells", LIMIT_SECONDS)
        while not connection.poll(SLICE_SECONDS):
            patience.spend(SLICE_SECONDS)
        answer: Finding | float | str = connection.recv()
        return answer


def _without_keys(search: Hypothesis) -> Hypothesis:
    """A search without what names carriers: copies of that would name none."""
    piece = search.piece and replace(search.piece, key=None, host_key=None)
    uplink, references = (None if key is None else True for key in (search.uplink, search.references))
    return replace(search, piece=piece, uplink=uplink, references=references)


def _with_keys(finding: Finding, search: Hypothesis) -> Finding:
    """What a search without keys has shown, of the carriers that it was for."""
    uplink = finding.uplink and replace(finding.uplink, key=search.uplink)
    references = finding.references and replace(finding.references, key=search.references)
    return replace(finding, piece=finding.piece and search.piece, uplink=uplink, references=references)


def serve(descriptor: int) -> None:
    """The process: search whatever comes in over a connection, until its other end is closed.

    The signals that ask a program to end are left to the one that asks: with it, its end of the connection closes.
    """
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    end_with_parent(os.getppid())
    with suppress(OSError):
        os.nice(NICE)
    connection = Connection(descriptor)
    with suppress(OSError, EOFError):
        while True:
            look, shapes, hypotheses = connection.recv()
            frames = [np.frombuffer(connection.recv_bytes(), dtype).reshape(shape) for shape, dtype in shapes]
            begun = time.process_time()
            try:
                for finding in Looker(replace(look, frames=frames)).findings(hypotheses):
                    connection.send(finding)
            except (OSError, EOFError):
                raise
            except Exception as error:  # the next search may do
                connection.send(f"{type(error).__name__}: {error}")
            else:
                connection.send(time.process_time() - begun)
