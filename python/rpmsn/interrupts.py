# SPDX-License-Identifier: GPL-3.0-or-later
"""The signals that ask a program to end, all treated as Ctrl-C is: SIGINT, SIGTERM, and SIGHUP of a closed terminal.

Work that ends in the middle uses `raised`: the signal becomes a `KeyboardInterrupt`, on which everything tidies
up. What runs until it is asked to end (a monitor, a window) uses `handled` and ends in its own way.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

os.environ.setdefault("UCX_DEBUG_SIGNO", "0")
os.environ.setdefault("UCX_LOG_LEVEL", "error")
"""The PyTorch of Debian 13 loads UCX, which would take SIGHUP for itself, and traces its own end."""

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
AGAIN_SECONDS = 0.02
"""After so long a signal is raised again whose exception was dropped, or would have left a lock behind."""


class Interrupted(KeyboardInterrupt):
    """A signal asked the program to end.

    Attributes:
        number: of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


def describe(stop: KeyboardInterrupt) -> str:
    """What stopped the program, in words.

    Example:
        >>> describe(Interrupted(signal.SIGTERM)), describe(KeyboardInterrupt())
        ('stopped by SIGTERM', 'stopped by the keyboard')
    """
    number = getattr(stop, "number", signal.SIGINT)
    return "stopped by the keyboard" if number == signal.SIGINT else f"stopped by {signal.Signals(number).name}"


def exit_status(stop: KeyboardInterrupt) -> int:
    """128 + number of the signal, as shells count."""
    return 128 + int(getattr(stop, "number", signal.SIGINT))


@contextmanager
def handled(handler: Callable[[int], object]) -> Iterator[None]:
    """Call `handler` with the number of a signal that asks to end; afterwards the handlers are as before.

    A signal that is ignored stays ignored: `nohup` does so for SIGHUP. Outside the main thread nothing changes, since
    Python takes signals in that one only. When the terminal has gone, what would be written to it is dropped.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    with _installed(lambda number, _frame: handler(number)):
        yield


@contextmanager
def _installed(handler: Callable[[int, FrameType | None], object]) -> Iterator[None]:
    """`handled` in the main thread; the handler also gets the frame that the signal interrupts."""
    terminals = [descriptor for descriptor in (1, 2) if os.isatty(descriptor)]

    def handle(number: int, frame: FrameType | None) -> None:
        _leave(terminals)
        handler(number, frame)

    before = {}
    for number in SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:
            before[number] = signal.signal(number, handle)
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old if old is not None else signal.SIG_DFL)


def is_half_way(frame: FrameType | None) -> bool:
    """Whether an exception in this frame would leave something taken that nobody gives back.

    In Python's own `__enter__` and `__exit__`, of conditions for one, a lock may be held for which the `with` around
    it has not begun, or is not undone. Other threads would wait for it without end.
    """
    return frame is not None and frame.f_code.co_name in ("__enter__", "__exit__")


@contextmanager
def raised() -> Iterator[list[int]]:
    """Raise `Interrupted` in the main thread at the first signal that asks to end; yields the numbers that came.

    A second SIGTERM or SIGHUP, which a closing terminal or a service manager may send, does not interrupt the tidying
    up; a second Ctrl-C does. Where the first comes in a destructor or a callback, from which Python lets no exception
    through, or half-way through taking a lock, it is raised a little later.
    """
    numbers: list[int] = []
    again: list[int] = []
    put_off: list[Callable[[KeyboardInterrupt], None]] = []

    def stop(number: int, frame: FrameType | None) -> None:
        if again:
            number = again.pop()
        else:
            numbers.append(number)
            if len(numbers) > 1 and number != signal.SIGINT:
                return
        if not put_off or not is_half_way(frame):
            raise Interrupted(number)
        put_off[0](Interrupted(number))

    def send(dropped: KeyboardInterrupt) -> None:
        again.append(dropped.number if isinstance(dropped, Interrupted) else signal.SIGINT)
        send_to_main_thread(again[-1])

    if threading.current_thread() is not threading.main_thread():
        yield numbers
        return
    with _installed(stop), not_dropped(send) as later:
        put_off.append(later)
        yield numbers


@contextmanager
def not_dropped(again: Callable[[KeyboardInterrupt], object]) -> Iterator[Callable[[KeyboardInterrupt], None]]:
    """Notice where Python drops a KeyboardInterrupt: one raised in a destructor, or in a callback from a library.

    Args:
        again: is called with it a little later, in a thread, unless the body is over.

    Yields:
        What drops one on purpose.
    """
    is_over = False
    lock = threading.Lock()
    others_hook = sys.unraisablehook

    def call(dropped: KeyboardInterrupt) -> None:
        with lock:
            if not is_over:
                again(dropped)

    def later(dropped: KeyboardInterrupt) -> None:
        threading.Timer(AGAIN_SECONDS, call, [dropped]).start()

    def look_at(unraisable: "sys.UnraisableHookArgs") -> None:
        if isinstance(unraisable.exc_value, KeyboardInterrupt):
            later(unraisable.exc_value)
        else:
            others_hook(unraisable)

    sys.unraisablehook = look_at
    try:
        yield later
    finally:
        sys.unraisablehook = others_hook
        with lock:
            is_over = True


def send_to_main_thread(number: int) -> None:
    """Send a signal so that what the main thread waits for ends, too."""
    signal.pthread_kill(threading.main_thread().ident or 0, number)


@contextmanager
def held() -> Iterator[None]:
    """Hold back the signals that ask to end while processes start: one that comes half-way leaves them without orders.

    What came meanwhile takes effect afterwards. New processes inherit the signals blocked, and let them through by
    `let_through` when they have handlers. Blocking them here is not enough: the system may give a signal to any thread
    of a process, and Python then runs its handler in the main one.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    handlers = [(number, signal.getsignal(number)) for number in SIGNALS]
    before = [(number, handler) for number, handler in handlers if handler not in (signal.SIG_IGN, None)]
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        for number, _ in before:
            signal.signal(number, lambda number, _frame: came.append(number))
        try:
            yield
        finally:
            for number, handler in before:
                signal.signal(number, handler)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        for seen in came:
            signal.raise_signal(seen)


def let_through() -> None:
    """In a process that was started under `held`, when it is ready for signals."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


@contextmanager
def default_actions() -> Iterator[None]:
    """Let a signal end the process at once, as without Python.

    For calls into libraries that may hang while they hold the interpreter's lock: no handler of Python's runs then.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        for number, handler in before.items():
            if handler != signal.SIG_IGN:
                signal.signal(number, signal.SIG_DFL)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)


def _leave(terminals: list[int]) -> None:
    """Point descriptors of a terminal that has gone to nowhere: a write would fail in the middle of the tidying up."""
    for descriptor in terminals:
        if not os.isatty(descriptor):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, descriptor)
            os.close(nowhere)
