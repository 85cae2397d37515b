#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""NR cells: how weak they may be, what is taken for one, and what the search costs.

    .venv/bin/python benchmarks/cells_nr.py sensitivity [--trials 20] [--seconds 0.04 0.2 1] [--channel TDL-C]
    .venv/bin/python benchmarks/cells_nr.py false [--scenes 50] [--recordings FOLDER]
    .venv/bin/python benchmarks/cells_nr.py cost

`sensitivity`: probability of PCI and MIB of a cell with one block every 20 ms, against the SNR in its own band, at a
frequency offset that is drawn. `false`: the largest values of noise and of transmissions without an NR cell, beside
the limits. `cost`: CPU time in ms.
"""

import argparse
import os
import sys
import time
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np

from rpmsn.cells.cell import BROADCAST
from rpmsn.cells.nr import NrSearcher, find_cells
from rpmsn.cells.nr.search import PBCH_STRENGTH, SYNC_SCORE, SYNC_STRENGTH
from rpmsn.errors import ParameterError
from rpmsn.recording import open_recording
from rpmsn.synthesis.channel import fading
from rpmsn.synthesis.nr.downlink import NrDownlink
from rpmsn.synthesis.ofdm import modulate
from rpmsn.synthesis.scene.presets import random_scene
from rpmsn.synthesis.scene.rendering import render
from rpmsn.tables import format_table

SPACING, RATE, TOLERANCE = 30e3, 15.36e6, 10e3
CHANNELS = {"TDL-C": {"profile": "TDL-C", "doppler_hz": 10.0, "delay_spread_s": 300e-9}}


def received(rng, seconds, snr_db, channel):
    """(cell identity, samples, frequency of the block) of a cell in noise."""
    cell_id = int(rng.integers(1008))
    beams = ((int(rng.integers(8)), 0.0),)
    cell = NrDownlink(
        40e6, SPACING, cell_id, beams=beams, style="ssb_only", sib1=False, trs_period_ms=None, coded_broadcast=True,
        start_ms=int(rng.integers(10000)),
    )  # fmt: skip
    grid = cell.grid(round(seconds * 1e3) + 20, rng)
    if channel:
        grid = fading.on_grid(grid, **CHANNELS[channel], rng=rng)
    samples = modulate(grid, RATE)
    offset = rng.uniform(-TOLERANCE, TOLERANCE)
    samples = samples * np.exp(2j * np.pi * offset / RATE * np.arange(len(samples)))
    first = int(rng.integers(0.02 * RATE))
    samples = samples[first : first + round(seconds * RATE)]
    # A symbol with all elements has a mean power of 1.
    noise = RATE / SPACING / cell.n_subcarriers * 10 ** (-snr_db / 10)
    values = rng.standard_normal((len(samples), 2)).astype(np.float32) * np.float32(np.sqrt(noise / 2))
    return cell_id, (samples + values.view(np.complex64)[:, 0]).astype(np.complex64)


def sensitivity(options):
    rows = []
    for seconds in options.seconds:
        for snr_db in options.snr:
            rng = np.random.default_rng(1)
            pci = mib = false = 0
            for _ in range(options.trials):
                cell_id, samples = received(rng, seconds, snr_db, options.channel)
                cells = find_cells(samples, RATE, [0.0], (SPACING,), TOLERANCE)
                pci += any(cell.cell_id == cell_id for cell in cells)
                mib += any(cell.cell_id == cell_id and cell.evidence == BROADCAST for cell in cells)
                false += any(cell.cell_id != cell_id for cell in cells)
            rows.append([seconds, snr_db, pci / options.trials, mib / options.trials, false])
            print(*rows[-1], flush=True)
    print(_table(["seconds", "SNR, dB", "PCI", "MIB", "wrong"], rows))


def strengths(samples, rate, frequencies):
    """[(strength, score)] of every peak that is looked into, and the cells."""
    found, cells = [], []
    for spacing in (15e3, 30e3):
        try:
            searcher = NrSearcher(rate, frequencies, (spacing,), block_s=min(0.04, len(samples) / rate))
        except ParameterError:
            continue
        searcher.push(samples)
        cells += searcher.flush()
        for place in searcher._places:
            for peak in place.candidates():
                sync = place.synchronise(peak)
                if sync is not None:
                    found.append((sync[0].strength, sync[0].score))
    return found, cells


def false(options):
    rng = np.random.default_rng(1)
    sources = []
    for seed in range(options.scenes):
        sources.append(("noise", lambda seed=seed: _noise(seed)))
        sources.append(("no_cellular", lambda seed=seed: _scene("no_cellular", seed)))
        sources.append(("lte", lambda seed=seed: _lte(seed)))
    if options.recordings:
        for path in sorted(options.recordings.glob("*.sigmf-meta")):
            sources.append((path.stem, lambda path=path: _recording(path)))
    values: dict[str, list] = {}
    for name, source in sources:
        samples, rate = source()
        half = max(rate / 2 - 3.6e6, 1e6)
        found, cells = strengths(samples, rate, rng.uniform(-half, half, options.places))
        values.setdefault(name, []).extend(found)
        for cell in cells:
            print(f"{name}: taken for a cell: {cell}", flush=True)
    print(f"limits: PBCH from {PBCH_STRENGTH}; without it {SYNC_STRENGTH} and a score of {SYNC_SCORE}")
    rows = []
    for name, found in values.items():
        strength, score = np.array(found or [(0, 0)]).T
        rows.append([name, len(found), strength.max(), score.max(), np.mean(strength > PBCH_STRENGTH)])
    print(_table(["source", "peaks", "strength", "score", "to PBCH"], rows))


def _noise(seed):
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((int(0.04 * RATE), 2)).astype(np.float32)
    return values.view(np.complex64)[:, 0], RATE


def _scene(preset, seed):
    scene = random_scene(preset, seed, duration_s=0.04)
    return render(scene)[0], scene.sample_rate


def _lte(seed):
    from rpmsn.synthesis.lte.downlink import LteDownlink

    rng = np.random.default_rng(seed)
    return modulate(LteDownlink.random(rng, bandwidth_hz=20e6).grid(40, rng), 30.72e6), 30.72e6


def _recording(path):
    with open_recording(path) as recording:
        return recording.read(0, min(recording.sample_count, int(0.1 * recording.sample_rate))), recording.sample_rate


def cost(options):
    rows = []
    for rate, seconds in ((15.36e6, 0.04), (61.44e6, 0.04)):
        for places in (1, 6, 20):
            rng = np.random.default_rng(1)
            searcher = NrSearcher(rate, np.arange(places) * 1e5, (SPACING,))
            for _ in range(3):
                values = rng.standard_normal((int(rate * seconds), 2), np.float32).view(np.complex64)[:, 0]
                start = time.process_time()
                searcher.push(values)
                spent = 1e3 * (time.process_time() - start)
            rows.append([rate / 1e6, places, spent])
    print(_table(["Msps", "places", "ms for 40 ms"], rows))


def _table(header, rows):
    return format_table(header, [[value if isinstance(value, str) else f"{value:g}" for value in row] for row in rows])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("sensitivity", "false", "cost"))
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--seconds", type=float, nargs="+", default=[0.04, 0.2, 1.0])
    parser.add_argument("--snr", type=float, nargs="+", default=[-2, -5, -8, -10, -12])
    parser.add_argument("--channel", choices=CHANNELS)
    parser.add_argument("--scenes", type=int, default=50)
    parser.add_argument("--places", type=int, default=6)
    parser.add_argument("--recordings", type=Path)
    options = parser.parse_args()
    {"sensitivity": sensitivity, "false": false, "cost": cost}[options.what](options)


if __name__ == "__main__":
    sys.exit(main())
