#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cost and accuracy of an experiment's networks: time of one image on one core next to the scores.

    .venv/bin/python -m rpmsn.training.experiment --config real-time-experiment --output runs/real-time
    .venv/bin/python benchmarks/forms.py runs/real-time

Of every system that the folder has trained: arithmetic, time of one image on one core (int8, the faster of ONNX
Runtime and OpenVINO), and IoU on the scenes for testing. The systems take turns, and the best round of each counts.
"""

import argparse
import json
import tempfile
from pathlib import Path

from rpmsn import runtimes
from rpmsn.models.model import load_model
from rpmsn.runtimes.fastest import trial
from rpmsn.tables import markdown_table, percent
from rpmsn.training.export import export

HEADER = ("form", "parameters", "GMAC", "ms, int8, one core", "mean IoU %")


def integer_runtimes(card, calibration, folder):
    """The runtimes that take the int8 file of a trained network, made in `folder`."""
    export(load_model(card), "onnx-int8", calibration, folder, quiet=True)
    model = load_model(folder / card.name)
    return [
        runtimes.create(model, name, 1)
        for name in runtimes.available(model)
        if runtimes.KINDS[name].export == "onnx-int8"
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="output of the experiment")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.5, help="for each system in each round")
    options = parser.parse_args()
    systems = json.loads((options.folder / "table.json").read_text(encoding="utf-8"))["systems"]
    trained = [system for system in systems if "scores" in system]
    with tempfile.TemporaryDirectory() as work:
        made = {
            system["name"]: integer_runtimes(
                options.folder / system["name"] / f"{system['name']}.yml",
                options.folder / f"sets-{system['image']}" / "train",
                Path(work) / system["name"],
            )
            for system in trained
        }
        best = dict.fromkeys(made, float("inf"))
        for _ in range(options.rounds):
            for name, choices in made.items():
                best[name] = min(best[name], *(1e3 * trial(runtime, options.seconds) for runtime in choices))
    classes = list(trained[0]["scores"]["all"]["classes"]) if trained else []
    rows = [
        (
            system["system"],
            f"{system['parameters']:,}",
            f"{system['gmac']:.2f}",
            f"{best[system['name']]:.1f}",
            percent(system["scores"]["all"]["mean_iou"]),
            *(percent(system["scores"]["all"]["classes"][name]["iou"]) for name in classes),
        )
        for system in trained
    ]
    print("\n".join(markdown_table((*HEADER, *classes), rows, right=False)))


if __name__ == "__main__":
    main()
