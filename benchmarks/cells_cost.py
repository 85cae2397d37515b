#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each kind of search for cells costs, beside what the plan of searches takes it for.

    .venv/bin/python benchmarks/cells_cost.py [--repeat 5]

Processor time of the thread, in ms: the least and the most over noise, over the six cells of `cells_live.py`, where
they are and beside them. `plan` is the estimate by the constants of `rpmsn.cells.plan`, which were fitted to this.
Run it on a quiet machine.
"""

import argparse
import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import statistics
import time
from dataclasses import replace

import numpy as np
from cells_live import CENTER, LTE_CELLS, NR_CELLS, RATE, scene

from rpmsn.cells import plan
from rpmsn.cells.finding import Piece
from rpmsn.cells.looking import Look, Looker
from rpmsn.standards import bands
from rpmsn.tables import format_table

FRAME = round(0.04 * RATE)


def views():
    """Names and frames, int16 (n, 2), of what is searched."""
    rng = np.random.default_rng(7)
    cells = scene()
    yield "noise", [rng.integers(-3000, 3000, (FRAME, 2)).astype(np.int16) for _ in range(4)]
    yield "cells", [cells[n * FRAME : (n + 1) * FRAME] for n in range(4)]


def searches(view):
    """Names and hypotheses."""
    on, off = CENTER + LTE_CELLS[0][2], CENTER + LTE_CELLS[0][2] + 2.1e6
    for tolerance in (0.0, 10e3, 40e3, 135e3):
        for middle in (on, off):
            yield f"LTE, 1 place, {tolerance / 1e3:g} kHz", plan._lte_hypotheses(view, [(middle, tolerance)], 1)[0]
    for spacing in (15e3, 30e3):
        for offsets in (1, 3, 5):
            tolerance = spacing / 4 + (offsets - 1) / 2 * spacing / 2
            for about in (CENTER + 14e6, CENTER + 2e6, CENTER - 25e6):
                numbers = bands.ssb_places(about - 9e6, about + 9e6, spacing)
                places = [bands.gscn_frequency(number) for number in numbers][:8]
                made = plan._nr_hypothesis(view, places, tolerance, spacing, 1)
                yield f"NR {spacing / 1e3:g} kHz, 8 places, {offsets} offsets", made
    carrier = plan.KnownCarrier("carrier", "NR", CENTER + 4e6, CENTER + 24e6)
    for technology in ("LTE", "NR"):
        for made in plan._anywhere(view, carrier, technology):
            name = f"{technology} {made.spacing / 1e3:g} kHz, at any frequency of"
            yield f"{name} 20 MHz", made
            cost = plan.ANYWHERE_IN_SPAN_S[technology] * RATE
            yield f"{name} the span", replace(made, band=(view.lower, view.upper), cost_s=cost)
    pair = (off - 4e6, off, on - 4e6, on)
    piece = Piece("piece", "host", *pair, CENTER + NR_CELLS[0][2], 30e3, NR_CELLS[0][0])
    yield "symbols of two carriers", plan.Hypothesis("NR", (), 0.0, 30e3, 1, False, plan.GRID_S, piece=piece)
    for middle in (on, off, CENTER + 14e6):
        yield "LTE in a slice", plan._slice_hypothesis(view, middle)


def main():
    parser = argparse.ArgumentParser(description="Benchmark searches for cells.")
    parser.add_argument("--repeat", type=int, default=5)
    repeat = parser.parse_args().repeat
    measured: dict[str, list[float]] = {}
    planned: dict[str, float] = {}
    for _, frames in views():
        look = Look(frames, 0, RATE, CENTER)
        view = plan.View(0.16, RATE, CENTER, RATE / 256, 4, 0.04)
        spectra = []
        for _ in range(repeat):
            looker = Looker(look)
            looker._last(4)
            begun = time.thread_time()
            looker._spectra_of(1)
            spectra.append(time.thread_time() - begun)
        measured.setdefault("spectrum of a frame", []).append(statistics.median(spectra))
        planned["spectrum of a frame"] = plan.SPECTRUM_S * FRAME
        looker._spectra_of(4)
        for name, hypothesis in searches(view):
            times = []
            for _ in range(repeat):
                begun = time.thread_time()
                list(looker.findings([hypothesis]))
                times.append(time.thread_time() - begun)
            measured.setdefault(name, []).append(statistics.median(times))
            planned[name] = hypothesis.cost_s
    rows = [
        [name, f"{1e3 * planned[name]:.0f}", f"{1e3 * min(times):.0f}", f"{1e3 * max(times):.0f}"]
        for name, times in measured.items()
    ]
    print(format_table(["search", "plan ms", "least ms", "most ms"], rows))


if __name__ == "__main__":
    main()
