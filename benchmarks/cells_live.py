#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the search for cells costs a live stream, and how soon carriers are proven.

    .venv/bin/python benchmarks/cells_live.py [--seconds 20] [--budget 0.1]

Three LTE and three NR cells in 61.44 Msps go to a live `StreamAnalyser` at a radio's pace, from memory, without and
with the search. For both: coverage, frames dropped, cores of the program. With it also: cores of the search's process,
cells found and wrong ones, seconds from `new` to the proof of each. Run it on a quiet machine.
"""

import argparse
import time

import numpy as np

from rpmsn.models.model import load_model
from rpmsn.standards import bands
from rpmsn.streaming.live import Settings, StreamAnalyser
from rpmsn.synthesis.lte.downlink import LteDownlink
from rpmsn.synthesis.nr.downlink import NrDownlink
from rpmsn.synthesis.ofdm import modulate
from rpmsn.tables import format_table

RATE, CENTER = 61.44e6, 3550e6
SCENE_MS = 160
LTE_CELLS = ((301, 10e6, -25.0e6), (17, 5e6, -16.5e6), (450, 10e6, -8.0e6))
NR_CELLS = ((500, 10e6, 2.0e6), (7, 10e6, 13.5e6), (901, 10e6, 25.0e6))
"""PCI, bandwidth, place of the carrier (LTE) or about it (NR, whose block is on the synchronisation raster)."""
CHUNK = 1 << 18


def scene(seed=1):
    """Samples of the six cells and noise 20 dB below each of them in its band; int16, shape (n, 2)."""
    rng = np.random.default_rng(seed)
    n = round(SCENE_MS * 1e-3 * RATE)
    total = np.zeros(n, np.complex128)
    for cell_id, bandwidth, place in LTE_CELLS:
        cell = LteDownlink(bandwidth_hz=bandwidth, cell_id=cell_id, frame_number=600, load=0.5)
        total += _moved(modulate(cell.grid(SCENE_MS, rng), RATE)[:n], place) * np.sqrt(bandwidth)
    for cell_id, bandwidth, about in NR_CELLS:
        nr = NrDownlink(bandwidth, 30e3, cell_id, coded_broadcast=True, sib1=False)
        grid = nr.grid(SCENE_MS, rng)
        block = (nr.ssb_offset + 120 - grid.symbols.shape[1] / 2) * 30e3
        raster = bands.gscn_frequency(bands.gscn(CENTER + about + block)) - CENTER
        total += _moved(modulate(grid, RATE)[:n], raster - block) * np.sqrt(bandwidth)
    noise = rng.standard_normal((n, 2)).view(complex)[:, 0] / np.sqrt(2)
    total += noise * np.sqrt(0.01 * RATE)
    values = (total / np.abs(total).max() * 30000).astype(np.complex64).view(np.float32).reshape(-1, 2)
    return values.astype(np.int16)


def _moved(samples, hertz):
    return samples * np.exp(2j * np.pi * hertz / RATE * np.arange(len(samples)))


def play(model, samples, seconds, budget):
    """Feed a live analyser at the radio's pace; returns its status, the cores used, and when what was proven."""
    seen: dict[int, float] = {}
    proofs: dict[int, tuple[float, int, str]] = {}

    def note(frame, clock, events):
        now = time.monotonic()
        for event, _ in events:
            if event.kind == "new":
                seen[event.carrier.carrier_id] = now
        for carrier in analyser.carriers():
            if carrier.proof is not None and carrier.carrier_id not in proofs:
                waited = now - seen.get(carrier.carrier_id, now)
                proofs[carrier.carrier_id] = waited, carrier.cell_id, carrier.label

    settings = Settings(live=True, workers=2, dtype=np.int16, cell_budget=budget)
    analyser = StreamAnalyser(model, RATE, CENTER, settings, on_result=note)
    analyser.warm_up()
    analyser.start()
    begun, cpu, offset = time.monotonic(), time.process_time(), 0
    while offset < seconds * RATE:
        start = offset % len(samples)
        part = samples[start : start + CHUNK]
        analyser.write(part, offset)
        offset += len(part)
        if (ahead := begun + offset / RATE - time.monotonic()) > 0:
            time.sleep(ahead)
    status = analyser.status()
    cores = (time.process_time() - cpu) / (time.monotonic() - begun)
    analyser.stop()
    return status, cores, sorted(proofs.values())


def main():
    """Run without and with the search, and print a table of each."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=20.0, help="of each run")
    parser.add_argument("--budget", type=float, default=0.1, help="cores for the search")
    options = parser.parse_args()
    model, samples = load_model("rpmsn-rt"), scene()
    truth = {(cell_id, "LTE") for cell_id, *_ in LTE_CELLS} | {(cell_id, "NR") for cell_id, *_ in NR_CELLS}
    rows = []
    for budget in (0.0, options.budget):
        status, cores, proofs = play(model, samples, options.seconds, budget)
        found = {(cell_id, label) for _, cell_id, label in proofs}
        waits = [waited for waited, *_ in proofs]
        rows.append(
            (
                f"{budget:g}",
                f"{status['coverage']:.4f}",
                str(status["frames_dropped"]),
                f"{cores:.2f}",
                f"{status.get('cell_load', 0.0):.3f}",
                f"{len(found & truth)} of {len(truth)}",
                str(len(found - truth)),
                ", ".join(f"{waited:.1f}" for waited in waits),
            )
        )
    print(format_table(("budget", "coverage", "dropped", "cores", "search", "cells", "wrong", "s to proof"), rows))


if __name__ == "__main__":
    main()
