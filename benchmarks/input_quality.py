#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What clipping, few steps of the converter and steps of the gain do to the result.

    .venv/bin/python benchmarks/input_quality.py [--model rpmsn-rt] [--scenes 48] [--seed 911]

The same scenes as the receiver of their preset gives them, and after each impairment: pixels and carriers against the
same truth. Nothing is refused here. Prints a table in Markdown.
"""

import argparse
import sys
from collections.abc import Callable, Iterator

import numpy as np

from rpmsn import runtimes
from rpmsn.errors import RpmsnError
from rpmsn.models import DEFAULT_MODEL
from rpmsn.models.model import Model, load_model
from rpmsn.signal import image as spectrogram
from rpmsn.signal.iq_image import image_coherence
from rpmsn.signal.sums import real_values
from rpmsn.synthesis.labels import masks
from rpmsn.synthesis.scene.presets import random_scene
from rpmsn.synthesis.scene.rendering import render
from rpmsn.tables import markdown_table
from rpmsn.training.evaluation.evaluation import Tally
from rpmsn.training.evaluation.evaluation_set import SetScene

RATES = (1.92e6, 11.52e6)
"""Of the radios with converters of 8 bits."""
CLIPPED = (0.002, 0.01, 0.03, 0.07, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)
LEVELS = (8.0, 4.0, 2.0, 1.0, 0.5, 0.25)
"""RMS of I and Q in steps of the converter."""
GAIN_STEPS_DB = (1.0, 3.0, 6.0, 10.0, 20.0)
STEPS = 128
POLICY = "occupied"

Impairment = Callable[[np.ndarray], np.ndarray]


def clipped(fraction: float) -> Impairment:
    """Samples through a converter of 8 bits that has this fraction of the values at its rail."""

    def apply(samples: np.ndarray) -> np.ndarray:
        values = samples.view(np.float32)
        full_scale = np.quantile(np.abs(values), 1 - fraction)
        return _quantised(values * np.float32((STEPS - 1) / max(full_scale, 1e-12)))

    return apply


def at_level(rms: float) -> Impairment:
    """Samples through a converter of 8 bits, I and Q with this RMS in its steps."""

    def apply(samples: np.ndarray) -> np.ndarray:
        values = samples.view(np.float32)
        return _quantised(values * np.float32(rms / max(float(np.sqrt(np.mean(values**2))), 1e-12)))

    return apply


def stepped(step_db: float) -> Impairment:
    """Samples whose gain rises by so much after a third of the frame, and falls back after two."""

    def apply(samples: np.ndarray) -> np.ndarray:
        changed = samples.copy()
        third = samples.size // 3
        changed[third : 2 * third] *= np.float32(10 ** (step_db / 20))
        return changed

    return apply


def _quantised(values: np.ndarray) -> np.ndarray:
    """Values in steps, clipped to 8 bits; full scale is 1."""
    return (np.clip(np.rint(values), -STEPS, STEPS - 1) / np.float32(STEPS)).astype(np.float32).view(np.complex64)


IMPAIRMENTS: dict[str, Impairment] = {
    "none": lambda samples: samples,
    **{f"{fraction:.1%} of the values at the rail": clipped(fraction) for fraction in CLIPPED},
    **{f"RMS of {level:g} steps": at_level(level) for level in LEVELS},
    **{f"gain {step:g} dB higher for a third": stepped(step) for step in GAIN_STEPS_DB},
}


def impaired(model: Model, preset: str, seed: int) -> Iterator[tuple[str, SetScene]]:
    """A scene as the network gets it, after each of the impairments."""
    scene = random_scene(preset, seed, sample_rates=RATES if preset == "any_rate" else None)
    samples, truths = render(scene)
    rows = spectrogram.rows_of(samples.size, spectrogram.frame_length(scene.sample_rate))
    truth = masks.mask(scene, [part.pooled(rows) for part in truths], POLICY, rows)
    mask = np.resize(truth, (spectrogram.ROWS, truth.shape[1]))
    for name, apply in IMPAIRMENTS.items():
        changed = apply(samples)
        image = spectrogram.stored_image(changed, scene.sample_rate, rows, model.card.features)
        coherence = image_coherence(real_values(changed))
        yield name, SetScene(seed, image, mask, scene, truths, rows, coherence)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--preset", default="any_rate")
    parser.add_argument("--scenes", type=int, default=48)
    parser.add_argument("--seed", type=int, default=911, help="of the set of scenes")
    options = parser.parse_args()
    try:
        model = load_model(options.model)
        runtime = runtimes.create(model, runtimes.AUTO, 1)
        tallies = {name: Tally(model.card, POLICY, options.scenes) for name in IMPAIRMENTS}
        for index in range(options.scenes):
            for name, scene in impaired(model, options.preset, 1_000_000 * options.seed + index):
                probabilities = runtime.probabilities(scene.image[None].astype(np.float32) / 255)[0]
                tallies[name].add(scene, probabilities)
    except RpmsnError as error:
        sys.exit(f"input_quality: {error}")
    rows = []
    for name, tally in tallies.items():
        scores = tally.scores()
        carriers = scores["carriers"]["labels"]["LTE and NR"]
        rows.append(
            (
                name,
                f"{100 * scores['pixels']['mean_iou']:.1f}",
                *(f"{100 * (carriers[key] or 0):.1f}" for key in ("f1", "precision", "recall")),
                *(str(carriers[key]) for key in ("wrong_label", "false", "others_called_so")),
            )
        )
    header = (
        "input",
        "mean IoU %",
        "carriers F1 %",
        "precision %",
        "recall %",
        "wrong label",
        "false",
        "others called so",
    )
    print("\n".join(markdown_table(header, rows)))


if __name__ == "__main__":
    main()
