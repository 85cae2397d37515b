# SPDX-License-Identifier: GPL-3.0-or-later
"""The alternate signal stack of a thread (sigaltstack(2)): where there is one, Python's handlers of signals run on it.

OpenVINO's plugin for CPUs gives the thread that loads it a stack of its own, and frees that memory with the plugin. Of
plugins that go in the order in which they came, or from another thread, it leaves the thread with a stack whose memory
is gone: the next Ctrl-C then ends the process with SIGSEGV.
"""

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager


class _Stack(ctypes.Structure):
    """`stack_t` of Linux."""

    _fields_ = (("start", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t))


SS_DISABLE = 2


@contextmanager
def kept_signal_stack() -> Iterator[None]:
    """This thread has the signal stack afterwards that it had before, whatever a library has set meanwhile.

    Where the system does not allow that one any more, since the library asked for processor states that need a larger
    one, it has none: its handlers then run on the thread's ordinary stack.
    """
    if not sys.platform.startswith("linux"):
        yield
        return
    library = ctypes.CDLL(None)
    before = _Stack()
    library.sigaltstack(None, ctypes.byref(before))
    try:
        yield
    finally:
        if library.sigaltstack(ctypes.byref(before), None):
            library.sigaltstack(ctypes.byref(_Stack(None, SS_DISABLE, 0)), None)
