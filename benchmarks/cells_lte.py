#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""How weak an LTE cell may be, how often something else is taken for one, and what the search costs.

    .venv/bin/python benchmarks/cells_lte.py sensitivity [--trials 20] [--channel EPA] [--seconds 0.04 0.2 1]
    .venv/bin/python benchmarks/cells_lte.py false-alarms [--seconds 60]
    .venv/bin/python benchmarks/cells_lte.py scenes [--trials 20] [--preset no_cellular]
    .venv/bin/python benchmarks/cells_lte.py absence [--trials 100]
    .venv/bin/python benchmarks/cells_lte.py cost

`sensitivity`: probabilities that the identity and that the master information block are found, by SNR in each of the
signals' subcarriers, with frequency (and clock) offsets up to 50 ppm at 2.7 GHz. `false-alarms`: strengths and ratios
of secondary sequences in noise, and what is reported. `scenes`: cells reported in synthetic scenes, at the middle of
each emission, right and wrong. `absence`: the correlation of cells' PSS in 40 ms, as a part of what their SNR of 0 to
20 dB promises. `cost`: milliseconds of one core.
"""

import argparse
import os
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np

from rpmsn.cells.cell import BROADCAST
from rpmsn.cells.lte import find_cells, primary, search
from rpmsn.synthesis import ofdm
from rpmsn.synthesis.channel import fading
from rpmsn.synthesis.lte.downlink import LteDownlink
from rpmsn.synthesis.scene.presets import PRESETS, random_scene
from rpmsn.synthesis.scene.rendering import render

RATE = 1.92e6
CARRIER_HZ, PPM = 2.7e9, 50e-6
OCCUPIED_HZ = 1.08e6
CHANNELS = {"AWGN": None, "EPA": ("EPA", 5.0), "EVA": ("EVA", 70.0)}


def noise(n, power, rng):
    """White noise, complex64."""
    return rng.standard_normal((n, 2), np.float32).view(np.complex64)[:, 0] * np.float32(np.sqrt(power / 2))


def cell_samples(cell_id, seconds, channel, ppm, rng):
    """A cell of 1.4 MHz and two ports through a fading channel, at a receiver whose oscillator is off."""
    n_ms = int(np.ceil(seconds * 1e3)) + 10
    cell = LteDownlink(1.4e6, cell_id, ports=2, load=0.3, start_ms=int(rng.integers(20)))
    samples = ofdm.modulate(cell.grid(n_ms, rng), RATE)
    if CHANNELS[channel]:
        profile, doppler_hz = CHANNELS[channel]
        parameters = dict(profile=profile, doppler_hz=doppler_hz, delay_spread_s=0.0)
        samples = fading.in_time(samples, RATE, rng=rng, **parameters)
    n = int(seconds * RATE)
    if ppm:
        samples = np.interp(np.arange(n) / (1 + ppm), np.arange(len(samples)), samples)
    turns = -ppm * CARRIER_HZ / RATE * np.arange(n) % 1
    return (samples[:n] * np.exp(2j * np.pi * turns)).astype(np.complex64)


def sensitivity(options):
    """Table of probabilities."""
    print("| seconds | channel | SNR dB | PCI | MIB | wrong |")
    print("|---|---|---|---|---|---|")
    for seconds in options.seconds:
        for snr in options.snr:
            found = np.zeros(3)
            for trial in range(options.trials):
                rng = np.random.default_rng([trial, int(100 * seconds)])
                cell_id, ppm = int(rng.integers(504)), float(rng.uniform(-PPM, PPM))
                samples = cell_samples(cell_id, seconds, options.channel, ppm, rng)
                samples = samples + noise(len(samples), 10 ** (-snr / 10) * RATE / OCCUPIED_HZ, rng)
                cells = find_cells(samples, RATE, [0.0], tolerance=options.tolerance, center_frequency=CARRIER_HZ)
                right = [cell for cell in cells if cell.cell_id == cell_id]
                broadcast = [cell for cell in right if cell.evidence == BROADCAST]
                wrong = [cell for cell in broadcast if cell.mib["dl-Bandwidth"] != 6]
                found += bool(right), bool(broadcast), bool(wrong) or len(right) < len(cells)
            row = " | ".join(f"{100 * count / options.trials:.0f} %" for count in found)
            print(f"| {seconds:g} | {options.channel} | {snr:g} | {row} |", flush=True)


def false_alarms(options):
    """What white noise gives, and what the limits make of it."""
    seen = []
    synchronise = search.synchronise

    def watched(*arguments):
        result = synchronise(*arguments)
        if result is not None:
            seen.append((result.strength, result.ratio))
        return result

    search.synchronise = watched
    rng = np.random.default_rng(1)
    # With the limit of the PSS as it is, noise hardly ever comes as far as the SSS: let the strongest places through.
    primary.FALSE_PEAKS = 1e-3
    reported = 0
    for _ in range(round(options.seconds[0] / 0.04)):
        reported += len(find_cells(noise(76800, 1.0, rng), RATE, [0.0], tolerance=30e3, center_frequency=CARRIER_HZ))
    strength, ratio = np.array(seen).T
    print(f"{options.seconds[0]:g} s of noise, {len(seen)} places of a PSS looked at, {reported} cells reported")
    print("strength: median, 99 %, highest:", *np.round(np.quantile(strength, (0.5, 0.99, 1)), 2))
    print("ratio:    median, 99 %, highest:", *np.round(np.quantile(ratio, (0.5, 0.99, 1)), 2))


def scenes(options):
    """Cells in drawn scenes: every one that is reported has to be an LTE emission of the scene."""
    looked, right, wrong, ratios = 0, 0, [], []
    for seed in range(options.trials):
        scene = random_scene(options.preset, 10_000 + seed)
        samples = render(scene)[0]
        limit = scene.sample_rate / 2 - search.HALF_WIDTH
        middles = [emission.offset_hz for emission in scene.emissions if abs(emission.offset_hz) < limit]
        looked += len(middles)
        known = {emission.parameters.get("cell_id") for emission in scene.emissions if emission.kind in ("lte", "dss")}
        for cell in find_cells(samples, scene.sample_rate, middles, tolerance=15e3) if middles else ():
            ratios.append(cell.score)
            if cell.cell_id in known:
                right += 1
            else:
                wrong.append((seed, cell))
    print(
        f"{options.preset}, {options.trials} scenes, {looked} places: {right} cells of the scene, {len(wrong)} others"
    )
    print("lowest ratios:", np.round(np.sort(ratios)[:5], 2))
    for seed, cell in wrong:
        print(" ", seed, cell)


def absence(options):
    """Lowest parts of the promised correlation that cells of any load have."""
    channels = {**CHANNELS, "ETU": ("ETU", 70.0), "TDL-C 300 ns": ("TDL-C", 10.0), "TDL-C 1 us": ("TDL-C", 10.0)}
    spreads = {"TDL-C 300 ns": 300e-9, "TDL-C 1 us": 1e-6}
    print("| channel | lowest | 1 % | 10 % | median |")
    print("|---|---|---|---|---|")
    for number, (name, channel) in enumerate(channels.items()):
        rng = np.random.default_rng([options.seed, number])
        parts = []
        for _ in range(options.trials):
            samples = absence_look(rng, channel, spreads.get(name, 0.0))
            snr_db = float(rng.uniform(0, 20))
            density = np.mean(np.abs(samples) ** 2) * 10 ** (-snr_db / 10)
            searcher = search.LteSearcher(RATE, [0.0], 15e3, CARRIER_HZ)
            searcher.feed(samples + noise(len(samples), density * RATE / OCCUPIED_HZ, rng), 0)
            ratio = 10 ** (snr_db / 10)
            parts.append((searcher.pss_strengths()[0] - 1) / (127 * ratio / (1 + ratio)))
        row = " | ".join(f"{value:.2f}" for value in np.quantile(parts, (0, 0.01, 0.1, 0.5)))
        print(f"| {name} | {row} |", flush=True)


def absence_look(rng, channel, delay_spread_s):
    """40 ms of a cell."""
    cell = LteDownlink(
        1.4e6, int(rng.integers(504)), ports=int(rng.choice([1, 2, 4])), load=float(rng.choice([0, 0.3, 1])),
        start_ms=int(rng.integers(20)), pdsch_power_db=float(rng.choice([-3, 0, 3])),
        tdd_config=(None, 2)[int(rng.integers(2))],
    )  # fmt: skip
    samples = ofdm.modulate(cell.grid(45, rng), RATE)
    if channel:
        profile, doppler_hz = channel
        parameters = dict(profile=profile, doppler_hz=doppler_hz, delay_spread_s=delay_spread_s)
        samples = fading.in_time(samples, RATE, rng=rng, **parameters)
    samples = samples[: int(0.04 * RATE)]
    offset = rng.uniform(-15e3, 15e3)
    return (samples * np.exp(2j * np.pi * offset / RATE * np.arange(len(samples)))).astype(np.complex64)


def cost(options):
    """Milliseconds of a core for 40 ms of samples."""
    rng = np.random.default_rng(1)
    for rate, frequencies, tolerance in (
        (61.44e6, [0.0], 0.0),
        (61.44e6, [0.0], search.TOLERANCE),
        (61.44e6, list(np.arange(-2, 4) * 9e6), 15e3),
        (1.92e6, [0.0], search.TOLERANCE),
        (7.68e6, None, search.TOLERANCE),
    ):
        samples = noise(int(0.04 * rate), 1.0, rng)
        begin = time.process_time()
        find_cells(samples, rate, frequencies, tolerance=tolerance, center_frequency=CARRIER_HZ)
        hypotheses = "the whole span" if frequencies is None else f"{len(frequencies)} x +-{tolerance / 1e3:g} kHz"
        print(f"{rate / 1e6:g} Msps, {hypotheses}: {1e3 * (time.process_time() - begin):.0f} ms", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("sensitivity", "false-alarms", "scenes", "absence", "cost"))
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--channel", choices=CHANNELS, default="AWGN")
    parser.add_argument("--seconds", type=float, nargs="+", default=[0.04])
    parser.add_argument("--snr", type=float, nargs="+", default=[-13, -11, -9, -7, -5, -3])
    parser.add_argument("--preset", choices=PRESETS, default="no_cellular")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tolerance", type=float, default=search.TOLERANCE)
    options = parser.parse_args()
    commands = dict(sensitivity=sensitivity, scenes=scenes, absence=absence, cost=cost)
    {**commands, "false-alarms": false_alarms}[options.what](options)


if __name__ == "__main__":
    main()
