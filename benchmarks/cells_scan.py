#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cells in a span of which nothing is known: how weak they may be, what is wrongly found, and what it costs.

    .venv/bin/python benchmarks/cells_scan.py sensitivity [--trials 10] [--seconds 0.2] [--snr -8 -6 -4 -2 0]
    .venv/bin/python benchmarks/cells_scan.py scenes [--trials 20] [--preset any_rate]
    .venv/bin/python benchmarks/cells_scan.py cost [--rate 61.44e6] [--seconds 0.2]

`sensitivity`: probabilities that a cell anywhere in 15.36 MHz is found and proven, by SNR in each of its subcarriers.
`scenes`: cells reported in synthetic scenes, those of the scene and others. `cost`: seconds of one core for noise.
"""

import argparse
import os
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np

from rpmsn.cells.cell import BROADCAST
from rpmsn.cells.scan import CellScan, Wanted
from rpmsn.synthesis import ofdm
from rpmsn.synthesis.channel import fading
from rpmsn.synthesis.lte.downlink import LteDownlink
from rpmsn.synthesis.nr.downlink import NrDownlink
from rpmsn.synthesis.scene.presets import PRESETS, random_scene
from rpmsn.synthesis.scene.rendering import render

RATE = 15.36e6
CHANNELS = {"LTE": {"profile": "EPA", "doppler_hz": 5.0, "delay_spread_s": 0.0},
            "NR": {"profile": "TDL-C", "doppler_hz": 10.0, "delay_spread_s": 3e-7}}  # fmt: skip


def noise(n, power, rng):
    """White noise, complex64."""
    return rng.standard_normal((n, 2), np.float32).view(np.complex64)[:, 0] * np.float32(np.sqrt(power / 2))


def cell_samples(technology, spacing, cell_id, seconds, is_fading, rng):
    """A cell of 72 or 240 and more subcarriers anywhere in the span, and the power of a subcarrier."""
    n_ms = round(seconds * 1e3)
    if technology == "LTE":
        cell = LteDownlink(1.4e6, cell_id, load=0.3, start_ms=int(rng.integers(20)))
    else:
        # 10 MHz at 30 kHz is the narrowest that holds a block.
        cell = NrDownlink(5e6 if spacing == 15e3 else 10e6, spacing, cell_id, coded_broadcast=True, sib1=False)
    grid = cell.grid(n_ms, rng)
    samples = ofdm.modulate(grid, RATE)
    if is_fading:
        samples = fading.in_time(samples, RATE, rng=rng, **CHANNELS[technology])
    n_subcarriers = grid.symbols.shape[1]
    room = RATE / 2 - n_subcarriers * spacing / 2
    offset = float(rng.uniform(-room, room))
    turns = offset / RATE * np.arange(len(samples)) % 1
    return (samples * np.exp(2j * np.pi * turns)).astype(np.complex64), 1 / n_subcarriers


def sensitivity(options):
    """Table of probabilities."""
    print("| cells | channel | SNR dB | found | proven | others |")
    print("|---|---|---|---|---|---|")
    for technology, spacing in (("LTE", 15e3), ("NR", 15e3), ("NR", 30e3)):
        for is_fading in (False, True):
            for snr in options.snr:
                counts = np.zeros(3)
                for trial in range(options.trials):
                    rng = np.random.default_rng([trial, round(spacing)])
                    cell_id = int(rng.integers(504))
                    samples, element = cell_samples(technology, spacing, cell_id, options.seconds, is_fading, rng)
                    samples += noise(len(samples), element * 10 ** (-snr / 10) * RATE / spacing, rng)
                    scan = CellScan(RATE, Wanted(options.seconds, technologies=[technology]))
                    scan.search(samples, None)
                    cells = [found.cell for found in scan.result().cells]
                    right = [cell for cell in cells if cell.cell_id == cell_id]
                    proven = [cell for cell in right if cell.evidence == BROADCAST]
                    counts += bool(right), bool(proven), len(right) < len(cells)
                row = " | ".join(f"{100 * count / options.trials:.0f} %" for count in counts)
                channel = CHANNELS[technology]["profile"] if is_fading else "AWGN"
                print(f"| {technology} {spacing / 1e3:g} kHz | {channel} | {snr:g} | {row} |", flush=True)


def scenes(options):
    """Cells in drawn scenes: every one that is reported has to be of an emission of the scene."""
    right, wrong = 0, []
    for seed in range(options.trials):
        scene = random_scene(options.preset, 20_000 + seed)
        scan = CellScan(scene.sample_rate, Wanted(2.0))
        scan.search(render(scene)[0], None)
        known = set()
        for emission in scene.emissions:
            if "cell_id" in emission.parameters:
                known.add(("NR" if emission.kind in ("nr", "dss") else "LTE", emission.parameters["cell_id"]))
            if emission.kind == "dss":
                known.add(("LTE", emission.parameters["lte"]["cell_id"]))
        for found in scan.result().cells:
            if (found.cell.technology, found.cell.cell_id) in known:
                right += 1
            else:
                wrong.append((seed, found.cell))
    print(f"{options.preset}, {options.trials} scenes: {right} cells of the scene, {len(wrong)} others")
    for seed, cell in wrong:
        print(" ", seed, cell)


def cost(options):
    """Seconds of a core for noise, which has no place that is looked into."""
    samples = noise(round(options.seconds * options.rate), 1.0, np.random.default_rng(1))
    begin, marks = time.process_time(), []
    scan = CellScan(options.rate, Wanted(options.seconds))
    scan.search(samples, None, progress=lambda technology, _: marks.append((technology, time.process_time())))
    marks.append(("", time.process_time()))
    print(f"{options.seconds:g} s of {options.rate / 1e6:g} Msps: {marks[-1][1] - begin:.1f} s of a core")
    for (technology, start), (_, end), where in zip(marks, marks[1:], scan.result().searched):
        print(f"  {end - start:6.1f} s  {where if where.startswith(technology) else technology}")


def main():
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("sensitivity", "scenes", "cost"))
    parser.add_argument("--trials", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=0.2)
    parser.add_argument("--rate", type=float, default=61.44e6)
    parser.add_argument("--snr", type=float, nargs="+", default=[-8, -6, -4, -2, 0])
    parser.add_argument("--preset", choices=PRESETS, default="any_rate")
    options = parser.parse_args()
    {"sensitivity": sensitivity, "scenes": scenes, "cost": cost}[options.what](options)


if __name__ == "__main__":
    main()
