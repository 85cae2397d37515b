#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""How often something else is taken for a cell, and how close it comes.

    .venv/bin/python benchmarks/cells_false.py run FILE.jsonl [--scenes 1000] [--noise 600]
    .venv/bin/python benchmarks/cells_false.py report FILE.jsonl

`run` searches 40 ms of drawn scenes (preset `any_rate`, 7.68 to 15.36 Msps, at the middle of every emission and two
other places) and of white noise (7.68 Msps, in chunks of 40 ms) for LTE by PSS and by reference signals, and for NR,
and adds a line of JSON to the file for each: every cell that is not in the scene, and the highest secondary scores of
what is none. The limits of the PSS are lowered, so that more comes as far as the secondary sequences. What is in the
file is not run again. `report` gives the highest scores of the even seeds, on which limits are set, and of the odd.
"""

import argparse
import json
import os
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np

from rpmsn.cells import lte, nr
from rpmsn.cells.lte import primary, reference, search
from rpmsn.cells.lte.reference import find_reference_signals
from rpmsn.cells.nr import search as nr_search
from rpmsn.cells.nr.spectrum import fits
from rpmsn.synthesis.scene.presets import random_scene
from rpmsn.synthesis.scene.rendering import render
from rpmsn.tables import format_table

CHUNK_S, NOISE_RATE = 0.04, 7.68e6
SAME_HZ = 5e3
LOWERED_PSS = 1e-4


class Watch:
    """Scores of whatever comes as far as the secondary sequences."""

    def __init__(self):
        self.clear()
        synchronise, look = search.synchronise, nr_search._Place.synchronise
        sequence = reference._Frames.sequence

        def lte_watched(*arguments):
            result = synchronise(*arguments)
            if result is not None:
                self.lte.append((result.strength, result.ratio, result.cell_id))
            return result

        def nr_watched(place, peak):
            result = look(place, peak)
            if result is not None:
                self.nr.append((result[0].strength, result[0].score, result[0].cell_id))
            return result

        def reference_watched(frames, symbol, comb):
            result = sequence(frames, symbol, comb)
            self.reference.append((result.strength, result.ratio, result.cell_id))
            return result

        search.synchronise, nr_search._Place.synchronise = lte_watched, nr_watched
        reference._Frames.sequence = reference_watched

    def clear(self):
        self.lte, self.nr, self.reference = [], [], []


def looked_at(samples, rate, places, watch):
    """Cells that are found, as (technology, identity, evidence, frequency)."""
    watch.clear()
    inside = [place for place in places if abs(place) < rate / 2 - search.HALF_WIDTH]
    cells = lte.find_cells(samples, rate, inside, tolerance=15e3) if inside else []
    for spacing in (15e3, 30e3):
        fitting = [place for place in places if fits(place, spacing, rate)]
        cells += nr.find_cells(samples, rate, fitting, (spacing,)) if fitting else []
    found = [(cell.technology, cell.cell_id, cell.evidence, cell.frequency) for cell in cells]
    for place in places:
        signals = find_reference_signals(samples, rate, place)
        if signals is not None:
            found.append(("LTE", signals.cell_id, "reference", signals.frequency))
    return found


def scene_record(seed, watch):
    scene = random_scene("any_rate", seed, duration_s=CHUNK_S, sample_rates=(7.68e6, 15.36e6))
    samples = render(scene)[0]
    rng = np.random.default_rng(seed)
    half = scene.sample_rate / 2 - 1e6
    places = [emission.offset_hz for emission in scene.emissions if abs(emission.offset_hz) < half]
    places = [*places[:4], *rng.uniform(-half, half, 2)]
    known = {"LTE": set(), "NR": set()}
    for emission in scene.emissions:
        for technology in {"lte": ("LTE",), "nr": ("NR",), "dss": ("LTE", "NR")}.get(emission.kind, ()):
            parameters = emission.parameters
            if emission.kind == "dss" and technology == "LTE":
                parameters = parameters["lte"]
            known[technology].add(parameters.get("cell_id"))
    found = looked_at(samples, scene.sample_rate, places, watch)
    kinds = sorted({emission.kind for emission in scene.emissions})
    return {"kinds": kinds, **record(found, known, watch)}


def noise_record(seed, watch):
    rng = np.random.default_rng([seed, 1])
    samples = rng.standard_normal((round(CHUNK_S * NOISE_RATE), 2), np.float32).view(np.complex64)[:, 0]
    return {"kinds": [], **record(looked_at(samples, NOISE_RATE, [0.0], watch), {"LTE": (), "NR": ()}, watch)}


def record(found, known, watch):
    wrong = [cell for cell in found if cell[1] not in known[cell[0]]]
    scores = {}
    for name, seen, ids in (("lte", watch.lte, "LTE"), ("nr", watch.nr, "NR"), ("reference", watch.reference, "LTE")):
        others = [score[:2] for score in seen if score[2] not in known[ids]]
        # Both limits have to be passed: the pair that comes closest in each.
        scores[name] = [max(others, default=(0, 0)), max(others, key=lambda score: score[1], default=(0, 0))]
    return {"cells": len(found) - len(wrong), "wrong": wrong, "scores": scores}


def run(options):
    options.file.touch()
    done = {(line["what"], line["seed"]) for line in map(json.loads, options.file.read_text().splitlines())}
    primary.FALSE_PEAKS, nr_search.FALSE_PEAKS = LOWERED_PSS, LOWERED_PSS
    watch = Watch()
    chunks = round(options.noise / CHUNK_S)
    for seed in range(max(options.scenes, chunks)):
        for what, count, make in (("scene", options.scenes, scene_record), ("noise", chunks, noise_record)):
            if seed < count and (what, seed) not in done:
                line = json.dumps({"what": what, "seed": seed, **make(seed, watch)})
                with options.file.open("a") as file:
                    file.write(line + "\n")


def report(options):
    lines = [json.loads(line) for line in options.file.read_text().splitlines()]
    rows = []
    for what in ("scene", "noise"):
        for parity, name in ((0, "even"), (1, "odd")):
            chosen = [line for line in lines if line["what"] == what and line["seed"] % 2 == parity]
            scores = {
                key: np.array([line["scores"][key] for line in chosen]).reshape(-1, 2).max(axis=0, initial=0)
                for key in ("lte", "nr", "reference")
            }
            row = [f"{what}, {name} seeds", len(chosen), sum(line["cells"] for line in chosen)]
            rows.append([*row, sum(len(line["wrong"]) for line in chosen)])
            rows[-1] += [f"{value:.2f}" for key in scores for value in scores[key]]
    pairs = ["strength, score of " + name for name in ("LTE", "NR", "references")]
    columns = [part for pair in pairs for part in (pair, "")]
    print(format_table(["", "looks of 40 ms", "right", "wrong", *columns], [[str(v) for v in row] for row in rows]))
    for line in lines:
        for cell in line["wrong"]:
            print(line["what"], line["seed"], line["kinds"], *cell)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("run", "report"))
    parser.add_argument("file", type=Path)
    parser.add_argument("--scenes", type=int, default=1000)
    parser.add_argument("--noise", type=float, default=600.0, help="seconds")
    options = parser.parse_args()
    {"run": run, "report": report}[options.what](options)


if __name__ == "__main__":
    main()
