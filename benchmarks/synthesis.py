#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""CPU time of each part of the synthesis of a scene, and its ratio to the FFT alone, measured in the same run.

    .venv/bin/python benchmarks/synthesis.py [--preset wideband] [--scenes 40] [--first-seed 0] [--recordings FOLDER]

Prints a table of CPU seconds of one thread over all scenes; parts that a scene does not have count as 0. The reference
is one pass of 256-point FFTs over the same samples. The first scene is made twice and counted once, because it fills
caches that later ones use. Run it on a quiet machine.
"""

import os

# Before numpy is loaded: its libraries read them once.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import argparse
import resource
import time
from contextlib import ExitStack
from functools import wraps
from unittest import mock

import numpy as np
import scipy.fft

from rpmsn import tables
from rpmsn.signal import image as spectrogram
from rpmsn.synthesis import ofdm
from rpmsn.synthesis import other as others
from rpmsn.synthesis.channel import fading, noise
from rpmsn.synthesis.labels import masks as labels
from rpmsn.synthesis.receiver import receiver
from rpmsn.synthesis.scene import presets, recorded, rendering, scene

REFERENCE, WHOLE = "FFT alone (reference)", "whole"


class Stopwatch:
    """CPU seconds by part. A part within a part counts for the outer one alone."""

    def __init__(self):
        self.seconds = {}
        self._is_running = False

    def timed(self, part, function):
        """The function, with its time counted for the part."""

        @wraps(function)
        def measured(*arguments, **named):
            if self._is_running:
                return function(*arguments, **named)
            self._is_running, started = True, time.process_time()
            try:
                return function(*arguments, **named)
            finally:
                self._is_running = False
                self.seconds[part] = self.seconds.get(part, 0.0) + time.process_time() - started

        return measured


def parts():
    """(name of the part, module or class, names of its functions), in the order of the data."""
    cells = [("carriers: grid", cell, ("grid",)) for cell in scene.CARRIERS.values()]
    return [
        *cells,
        ("carriers: channel", fading, ("on_grid",)),
        ("carriers: OFDM", ofdm, ("modulate",)),
        ("others: signal", recorded, ("load",)),
        ("others: channel", fading, ("in_time", "gains", "band_power")),
        ("others: placing", others, ("place",)),
        ("noise", noise.Noise, ("samples",)),
        ("receiver", receiver.Receiver, ("apply",)),
    ]


def watched(stopwatch):
    """A context in which the functions of all parts are timed."""
    context = ExitStack()
    for part, owner, names in parts():
        for name in names:
            context.enter_context(mock.patch.object(owner, name, stopwatch.timed(part, getattr(owner, name))))
    kinds = {kind: stopwatch.timed("others: signal", function) for kind, function in others.KINDS.items()}
    context.enter_context(mock.patch.dict(others.KINDS, kinds))
    return context


def seconds_of(work, *arguments):
    """(CPU seconds of a call, its result)."""
    started = time.process_time()
    result = work(*arguments)
    return time.process_time() - started, result


def measure(preset, seed, recordings=None):
    """Part -> CPU seconds of one scene."""
    stopwatch = Stopwatch()
    drawing, drawn = seconds_of(lambda: presets.random_scene(preset, seed, recordings=recordings))
    with watched(stopwatch):
        rendering_all, (samples, truths) = seconds_of(rendering.render, drawn)
    labelling, _ = seconds_of(labels.mask, drawn, truths)
    imaging, _ = seconds_of(spectrogram.image, samples, drawn.sample_rate, "cyclic")
    blocks = samples[: samples.size // 256 * 256].reshape(-1, 256)
    reference, _ = seconds_of(scipy.fft.fft, blocks)
    rest = rendering_all - sum(stopwatch.seconds.values())
    return {
        "drawing": drawing,
        **stopwatch.seconds,
        "rest of rendering": rest,
        "labels": labelling,
        "image": imaging,
        WHOLE: drawing + rendering_all + labelling + imaging,
        REFERENCE: reference,
    }


def table(scenes):
    """Rows of the table, from the parts' seconds of all scenes."""
    reference = np.mean([seconds[REFERENCE] for seconds in scenes])
    order = dict.fromkeys(
        [REFERENCE, "drawing", *(part for part, _, _ in parts()), "rest of rendering", "labels", "image", WHOLE]
    )
    rows = []
    for part in order:
        values = np.array([seconds.get(part, 0.0) for seconds in scenes])
        rows.append(
            (
                part,
                *(f"{1e3 * value:.1f}" for value in (values.mean(), *np.quantile(values, (0.5, 0.9)))),
                f"{values.mean() / reference:.2f}",
            )
        )
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="wideband", choices=presets.PRESETS)
    parser.add_argument("--scenes", type=int, default=40)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--recordings", metavar="FOLDER", help="of the carriers of preset stitched")
    options = parser.parse_args()
    seeds = range(options.first_seed, options.first_seed + options.scenes)
    measure(options.preset, seeds[0], options.recordings)
    scenes = [measure(options.preset, seed, options.recordings) for seed in seeds]
    print(tables.format_table(("part", "mean ms", "median ms", "90 % ms", "x FFT alone"), table(scenes)))
    print(
        f"{options.scenes} scenes of preset {options.preset}; "
        f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB"
    )


if __name__ == "__main__":
    main()
