#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Time of each part of the way of one frame, and its ratio to the FFT alone, measured in the same run.

    .venv/bin/python benchmarks/chain.py [--sample-rate 61.44e6] [--repeats 20] [--threads 1] [--published]

Prints a table; run it on a quiet machine. The reference is one pass of 256-point FFTs over the frame's samples
(scipy, one thread), which nothing that looks at every sample can go below by much.
"""
import argparse
import statistics
import time
from dataclasses import replace

import numpy as np
import scipy.fft

from rpmsn import network, report, spectrogram
from rpmsn.inference import runtimes
from rpmsn.inference.model import load_model
from rpmsn.inference.segmenter import Segmenter, check_health
from rpmsn.inference.segments import FrameGeometry, find_segments
from rpmsn.synthesis.presets import random_scene
from rpmsn.synthesis.rendering import render


def median_seconds(work, repeats):
    """Median time of a call, after one to warm up."""
    work()
    times = []
    for _ in range(repeats):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


def parts(samples, sample_rate, model, threads):
    """(name, callable) of every part, in the order of the data."""
    n = len(samples)
    analysis = spectrogram.analyse(samples, sample_rate, correlated=True)
    images = analysis.image()[None]
    made = {name: runtimes.create(model, name, threads) for name in runtimes.available(model)}
    fastest = runtimes.create(model, threads=threads)
    probabilities = fastest.probabilities(images)[0]
    geometry = FrameGeometry(sample_rate, 0.0, 0, n, spectrogram.ROWS)
    segmenter = Segmenter(model, sample_rate, runtime=fastest)
    blocks = samples[:n // 256 * 256].reshape(-1, 256)
    networks = [(f"network, {name}, {threads} threads", lambda runtime=runtime: runtime.probabilities(images))
                for name, runtime in made.items()]
    return [
        ("FFT alone (reference)", lambda: scipy.fft.fft(blocks, axis=1)),
        ("health of the input", lambda: check_health(samples)),
        ("powers of the pixels", lambda: spectrogram.power(samples, sample_rate)),
        ("powers and cyclic correlations", lambda: spectrogram.analyse(samples, sample_rate, correlated=True)),
        ("image of them", lambda: replace(analysis).image()),
        *networks,
        ("classes and segments",
         lambda: find_segments(probabilities.argmax(axis=0), probabilities, analysis.power, analysis.floor, geometry)),
        (f"whole way, {fastest.name}", lambda: segmenter.analyse(samples)),
    ]


def published(threads):
    """The published network on one image, with random weights: its time does not depend on them."""
    import torch

    torch.set_num_threads(threads)
    built = network.create("rpmsn").eval()
    image = torch.rand(1, 3, 256, 256)
    with torch.inference_mode():
        return median_seconds(lambda: built(image), 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample-rate", type=float, default=61.44e6)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--published", action="store_true", help="also time the published network (many seconds)")
    options = parser.parse_args()
    samples, _ = render(random_scene("wideband", 1))
    n = spectrogram.frame_length(options.sample_rate)
    samples = np.resize(samples, n)
    frame_seconds = n / options.sample_rate
    rows, reference = [], None
    for name, work in parts(samples, options.sample_rate, load_model(), options.threads):
        seconds = median_seconds(work, options.repeats)
        reference = reference or seconds
        rows.append((name, f"{seconds * 1e3:.1f}", f"{seconds / reference:.2f}", f"{frame_seconds / seconds:.2f}"))
    if options.published:
        seconds = published(options.threads)
        rows.append((f"RPMSN as published, torch, {options.threads} threads", f"{seconds * 1e3:.0f}",
                     f"{seconds / reference:.0f}", f"{frame_seconds / seconds:.4f}"))
    print(report.format_table(("part", "ms a frame", "x FFT alone", "x real time"), rows))


if __name__ == "__main__":
    main()
