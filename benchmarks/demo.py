#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo, a recording replayed into its window: how fast, and where the processor's time goes.

    xvfb-run -s "-screen 0 1280x800x24" .venv/bin/python benchmarks/demo.py [demo/demo-1.sigmf-meta] [--repeat 5]

Prints, for each run, seconds of processor time of every kind of thread from the start of the flowgraph to its end, and
times real time; then the median. `rpmsn search` are the threads of a search for cells that has several parts, `results`
is the one that tracks carriers and makes the searches, `main` the window. Run it on a quiet machine; under a
display xvfb-run is not needed.
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

from rpmsn.cli import report

ROOT = Path(__file__).resolve().parent.parent
EVERY_S = 0.01
RATIO = "times real time"


def busy_seconds():
    """Processor time of the threads that there are, by the number of the thread."""
    found = {}
    for task in Path("/proc/self/task").iterdir():
        try:
            found[int(task.name)] = int((task / "schedstat").read_text().split()[0]) / 1e9
        except OSError:  # it has just ended
            continue
    return found


def name_of(number, names):
    """Kind of a thread: the name that Python has for it, or else the system."""
    if number == os.getpid():
        return "main"
    try:
        name = names.get(number) or Path(f"/proc/self/task/{number}/comm").read_text()
    except OSError:
        name = "others"
    return re.sub(r"[\s_\d]+$", "", name)


class Watch(threading.Thread):
    """Adds up the time of all threads, many of which end soon.

    Attributes:
        spent: seconds, by kind.
    """

    def __init__(self):
        super().__init__(name="watch", daemon=True)
        self.spent, self._last, self._kinds = Counter(), busy_seconds(), {}
        self._ended = threading.Event()

    def run(self):
        while not self._ended.wait(EVERY_S):
            names = {thread.native_id: thread.name for thread in threading.enumerate()}
            for number, seconds in busy_seconds().items():
                # The system's name alone says little: Python may not have given its own yet.
                if number in names or number not in self._kinds:
                    self._kinds[number] = name_of(number, names)
                self.spent[self._kinds[number]] += seconds - self._last.get(number, 0.0)
                self._last[number] = seconds

    def stop(self):
        """End, and give the times."""
        self._ended.set()
        self.join()
        return {kind: seconds for kind, seconds in self.spent.items() if kind != self.name}


def replay(recording):
    """Replay once, in this process: prints a line `kind seconds` for each kind of thread, and the ratio."""
    sys.path.insert(0, str(ROOT / "examples"))
    import replay_window

    watches = []

    class Watched(replay_window.Replay):
        def start(self):
            watches.append(Watch())
            watches[0].start()
            super().start()

    replay_window.Replay = Watched
    flowgraph = replay_window.show(recording, replay_window.DEFAULT_MODEL, None, close=True)
    for kind, seconds in watches[0].stop().items():
        print(f"{kind}\t{seconds}")
    print(f"{RATIO}\t{flowgraph.sink.status()['real_time_factor']}")


def measured(recording):
    """Seconds of each kind of thread, and the ratio, of a replay in a process of its own."""
    command = [sys.executable, __file__, recording, "--once"]
    lines = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    # GNU Radio writes there, too.
    return {kind: float(value) for kind, tab, value in (line.partition("\t") for line in lines) if tab}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recording", nargs="?", default=str(ROOT / "demo" / "demo-1.sigmf-meta"))
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--once", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.once:
        replay(options.recording)
        return
    runs = [measured(options.recording) for _ in range(options.repeat)]
    ratios = [run.pop(RATIO) for run in runs]
    kinds = sorted(set().union(*runs), key=lambda kind: -statistics.median(run.get(kind, 0.0) for run in runs))
    columns = [[run.get(kind, 0.0) for run in runs] for kind in kinds] + [[sum(run.values()) for run in runs], ratios]
    rows = [
        (name, *(f"{value:.2f}" for value in column), f"{statistics.median(column):.2f}")
        for name, column in zip([*kinds, "all", RATIO], columns)
    ]
    print(report.format_table(("s of a core", *(f"run {n}" for n in range(1, len(runs) + 1)), "median"), rows))


if __name__ == "__main__":
    main()
