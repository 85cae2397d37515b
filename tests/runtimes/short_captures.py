# SPDX-License-Identifier: GPL-3.0-or-later
"""Analyses a recording of two short captures with two workers, again and again, each time in a process whose
libraries were never used: `python short_captures.py RUNTIME TIMES SECONDS`. Prints how many came to their end.

The processes are forked after the imports, which take longer than all the rest.
"""

import faulthandler
import os
import sys
import threading
import traceback

import numpy as np

from rpmsn.detection.segmenter import Segmenter
from rpmsn.models.model import load_model
from rpmsn.runtimes.libraries import load
from rpmsn.streaming.intake import StreamTime
from rpmsn.streaming.pool import Replay, Run

RATE, CAPTURES, SAMPLES = 20e6, 2, 1000


class Together(Segmenter):
    """Makes its first inference at the same moment as the other one."""

    meeting = threading.Barrier(2)
    has_met = False

    def infer(self, prepared):
        if not self.has_met:
            self.has_met = True
            self.meeting.wait(30)
        return super().infer(prepared)


def run_idle():
    """Contend for the GIL all the time."""
    while True:
        pass


def analyse(runtime):
    """What `rpmsn annotate --workers 2` does with the samples of a recording."""
    clock = StreamTime(0, 0, 0.0, RATE, "file")
    samples = np.random.default_rng(1).standard_normal(2 * SAMPLES).astype(np.float32).view(np.complex64)
    runs = [Run(number * SAMPLES, 8e8 + 1e6 * number, clock, [samples]) for number in range(CAPTURES)]
    segmenters = [Together(load_model(), RATE, runtime=runtime) for _ in range(2)]
    results = list(Replay(segmenters).results(runs))
    assert len(results) == CAPTURES and all(result.frame is not None for result in results)


def ends_in_time(runtime, seconds):
    """Whether a new process comes to its end with what it has to do; if not, it prints where its threads are."""
    child = os.fork()
    if not child:
        faulthandler.dump_traceback_later(seconds, exit=True)  # needs no GIL
        try:
            sys.setswitchinterval(1e-6)  # threads change places as often as can be...
            for _ in range(3):  # ...and whoever lets the GIL go, waits for it
                threading.Thread(target=run_idle, daemon=True).start()
            analyse(runtime)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    return os.waitpid(child, 0)[1] == 0


if __name__ == "__main__":
    name, times, limit_s = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    load(name.removesuffix("-int8"))
    print(sum(ends_in_time(name, limit_s) for _ in range(times)))
