#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""How weak a cell may be: probability of identity and broadcast channel by signal-to-noise ratio, time and channel.

    .venv/bin/python benchmarks/cells_sensitivity.py run FILE.jsonl [--trials 20] [--seconds 0.04 0.2 1]
    .venv/bin/python benchmarks/cells_sensitivity.py table FILE.jsonl
    .venv/bin/python benchmarks/cells_sensitivity.py picture FILE.jsonl PICTURE.png

`run` adds a line of JSON to the file for each trial that is not in it; one trial of every point comes before the next,
so that it can be stopped at any time. LTE has frequency and clock offsets of up to 50 ppm at 2.7 GHz, NR (30 kHz, one
block every 20 ms) offsets of up to 10 kHz. `table` and `picture` show what is in the file. The ratio is that of the
synchronisation signals in their own band, over all of the fading.
"""

import argparse
import json
import os
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import cells_lte
import cells_nr
import numpy as np

from rpmsn.cells import lte, nr
from rpmsn.cells.cell import BROADCAST
from rpmsn.tables import format_table

SNR_DB = {0.04: (-9, -7, -5, -3, -1, 1, 3), 0.2: (-13, -11, -9, -7, -5, -3, -1), 1.0: (-15, -13, -11, -9, -7, -5)}
CHANNELS = {
    "LTE": {"white noise": "AWGN", "EPA5": "EPA", "EVA70": "EVA"},
    "NR": {"white noise": None, "TDL-C 300 ns": "TDL-C"},
}
GOALS = {"LTE": {0.04: -7, 1.0: -13}, "NR": {0.04: -5, 1.0: -10}}


def lte_trial(rng, seconds, channel, snr_db):
    """(identity, cells)."""
    cell_id, ppm = int(rng.integers(504)), float(rng.uniform(-cells_lte.PPM, cells_lte.PPM))
    samples = cells_lte.cell_samples(cell_id, seconds, channel, ppm, rng)
    density = 10 ** (-snr_db / 10) / cells_lte.OCCUPIED_HZ
    samples = samples + cells_lte.noise(len(samples), density * cells_lte.RATE, rng)
    return cell_id, lte.find_cells(samples, cells_lte.RATE, [0.0], center_frequency=cells_lte.CARRIER_HZ)


def nr_trial(rng, seconds, channel, snr_db):
    """(identity, cells)."""
    cell_id, samples = cells_nr.received(rng, seconds, snr_db, channel)
    return cell_id, nr.find_cells(samples, cells_nr.RATE, [0.0], (cells_nr.SPACING,), cells_nr.TOLERANCE)


def points(seconds):
    for technology, channels in CHANNELS.items():
        for name, channel in channels.items():
            for length in seconds:
                for snr_db in SNR_DB[length]:
                    yield technology, name, channel, length, snr_db


def run(options):
    options.file.touch()
    done = {tuple(line[:5]) for line in map(json.loads, options.file.read_text().splitlines())}
    for trial in range(options.trials):
        for technology, name, channel, seconds, snr_db in points(options.seconds):
            key = (technology, name, seconds, snr_db, trial)
            if key in done:
                continue
            rng = np.random.default_rng([trial, round(1e3 * seconds), -snr_db % 100, len(name)])
            cell_id, cells = (lte_trial if technology == "LTE" else nr_trial)(rng, seconds, channel, snr_db)
            right = [cell for cell in cells if cell.cell_id == cell_id]
            result = bool(right), any(cell.evidence == BROADCAST for cell in right), len(right) < len(cells)
            with options.file.open("a") as file:
                file.write(json.dumps([*key, *map(int, result)]) + "\n")


def summary(file):
    """{(technology, channel, seconds): [(SNR, trials, PCI, MIB, wrong)]}."""
    results: dict[tuple, dict[float, list]] = {}
    for technology, name, seconds, snr_db, _, *found in map(json.loads, file.read_text().splitlines()):
        results.setdefault((technology, name, seconds), {}).setdefault(snr_db, []).append(found)
    return {
        key: [(snr_db, len(found), *np.mean(found, axis=0)) for snr_db, found in sorted(by_snr.items())]
        for key, by_snr in sorted(results.items())
    }


def table(options):
    rows = []
    for (technology, name, seconds), values in summary(options.file).items():
        for snr_db, trials, pci, mib, wrong in values:
            rows.append(
                [
                    technology,
                    name,
                    f"{seconds:g}",
                    f"{snr_db:g}",
                    str(trials),
                    f"{pci:.2f}",
                    f"{mib:.2f}",
                    f"{wrong:.2f}",
                ]
            )
    print(format_table(["", "channel", "seconds", "SNR, dB", "trials", "PCI", "MIB", "wrong"], rows))


def picture(options):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    results = summary(options.file)
    lengths = sorted({key[2] for key in results})
    figure, axes = plt.subplots(2, len(lengths), figsize=(3.6 * len(lengths), 5.6), squeeze=False, sharey=True)
    for row, technology in enumerate(CHANNELS):
        for column, seconds in enumerate(lengths):
            plot = axes[row][column]
            for number, name in enumerate(CHANNELS[technology]):
                values = np.array(results.get((technology, name, seconds), [])).reshape(-1, 5)
                plot.plot(values[:, 0], values[:, 2], f"C{number}o-", markersize=4, label=f"{name}, PCI")
                plot.plot(
                    values[:, 0], values[:, 3], f"C{number}s--", markersize=4, fillstyle="none", label=f"{name}, MIB"
                )
            plot.axhline(0.9, color="0.7", linewidth=0.8)
            if seconds in GOALS[technology]:
                plot.axvline(GOALS[technology][seconds], color="0.7", linewidth=0.8)
            limits = min(SNR_DB[seconds]) - 0.5, max(SNR_DB[seconds]) + 0.5
            plot.set(title=f"{technology}, {seconds:g} s", xlim=limits, ylim=(-0.03, 1.03))
            if row == 1:
                plot.set_xlabel("SNR, dB")
            if column == 0:
                plot.set_ylabel("probability")
                plot.legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(options.picture, dpi=110)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("run", "table", "picture"))
    parser.add_argument("file", type=Path)
    parser.add_argument("picture", type=Path, nargs="?", default=Path("cells-sensitivity.png"))
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--seconds", type=float, nargs="+", default=list(SNR_DB), choices=list(SNR_DB))
    options = parser.parse_args()
    {"run": run, "table": table, "picture": picture}[options.what](options)


if __name__ == "__main__":
    main()
