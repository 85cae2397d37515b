#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Time of the network alone on every runtime that is here, and its ratio to torch in float32, in the same run.

    .venv/bin/python benchmarks/runtimes.py [MODEL] [--rounds 5] [--seconds 0.5]

MODEL is the name of a model that ships, or the path of a card. One image at a time, one thread and two. The runtimes
take turns, and the best round of each counts, so that what else the machine does slows none more than another. Run it
on a quiet machine all the same.
"""

import argparse

from rpmsn import runtimes, tables
from rpmsn.models.model import DEFAULT_MODEL, load_model
from rpmsn.runtimes.fastest import trial

REFERENCE = "torch"


def milliseconds(model, threads, rounds, limit_s):
    """Runtime -> ms an image."""
    made = [runtimes.create(model, name, threads) for name in runtimes.available(model)]
    times = {runtime.name: [] for runtime in made}
    for _ in range(rounds):
        for runtime in made:
            times[runtime.name].append(1e3 * trial(runtime, limit_s))
    return {name: min(values) for name, values in times.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", default=DEFAULT_MODEL, metavar="MODEL")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.5, help="for each runtime in each round")
    options = parser.parse_args()
    model = load_model(options.model)
    rows = []
    for threads in (1, 2):
        times = milliseconds(model, threads, options.rounds, options.seconds)
        rows += [
            (name, str(threads), f"{value:.1f}", f"{times[REFERENCE] / value:.1f}") for name, value in times.items()
        ]
    print(tables.format_table(("runtime", "threads", "ms an image", "x torch"), rows))


if __name__ == "__main__":
    main()
