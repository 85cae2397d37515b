#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Annotated recordings as other receivers have them, and what is found in each.

    .venv/bin/python benchmarks/variants.py runs/variants ../captures ../receptions

What is true of a reception does not depend on the radio: tuned elsewhere, with another sample rate, noise figure,
clock, converter or filter, for a shorter time, over another path. Writes every recording of the folders in each of
these forms, and scores what `rpmsn annotate` finds (`training.evaluation.recordings`): a line for every carrier that is
found in the recording and not in a form of it, or is false there and not in the recording, then a table in Markdown.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from accuracy import HERE, analyse, judge

from rpmsn.recording import open_recording
from rpmsn.recording.sigmf_text import write
from rpmsn.synthesis.receiver.receiver import Receiver
from rpmsn.tables import markdown_table
from rpmsn.training.evaluation import recordings
from rpmsn.training.evaluation.recordings import FOUND, Band

LARGEST = 127
LOWEST_RATE = 1.92e6
PREFIX_S = 144 / 2048 / 30e3


@dataclass(frozen=True)
class Reception:
    """Samples, complex64 of shape (n,), their rate and centre in Hz, and what is annotated."""

    samples: np.ndarray
    rate: float
    center: float
    true: tuple[Band, ...]


def floor_of(samples: np.ndarray) -> float:
    """Power of white noise at the level of the quietest tenth of the band."""
    length = min(1024, len(samples))
    rows = samples[: len(samples) // length * length].reshape(-1, length)
    powers = np.mean(np.abs(np.fft.fft(rows, axis=1)) ** 2, axis=0) / length
    return float(np.quantile(powers, 0.1))


def noise(power: float, count: int) -> np.ndarray:
    """White noise of a power."""
    parts = np.random.default_rng(1).standard_normal((count, 2), np.float32) * np.float32(np.sqrt(power / 2))
    return parts.view(np.complex64)[:, 0]


def weaker(one: Reception) -> Reception:
    """6 dB less SNR."""
    samples = one.samples + noise(3 * floor_of(one.samples), len(one.samples))
    return replace(one, samples=samples.astype(np.complex64))


def wider(one: Reception) -> Reception:
    """1.6 times the sample rate, tuned so that the band lies a sixth of it higher; noise where nothing was received."""
    count, rate = len(one.samples), 1.6 * one.rate
    more = round(count * 1.6)
    spectrum = np.zeros(more, np.complex64)
    bins = np.fft.fftfreq(count, 1 / count).astype(int)
    shift = round(count / 6)
    spectrum[(bins + shift) % more] = np.fft.fft(one.samples)
    empty = np.ones(more, bool)
    empty[(bins + shift) % more] = False
    outside = np.fft.fft(noise(floor_of(one.samples), more))
    spectrum[empty] = outside[empty] * np.sqrt(more * count) / more
    samples = np.fft.ifft(spectrum) * (more / count)
    return replace(one, samples=samples.astype(np.complex64), rate=rate, center=one.center - shift / count * one.rate)


def middle(one: Reception) -> Reception:
    """Half of the sample rate, the middle of the band."""
    count = len(one.samples) // 2
    bins = np.fft.fftfreq(count, 1 / count).astype(int)
    spectrum = np.fft.fft(one.samples[: 2 * count])[bins % (2 * count)]
    half = one.rate / 4
    inside = [band for band in one.true if band.upper > one.center - half and band.lower < one.center + half]
    samples = np.fft.ifft(spectrum).astype(np.complex64) / 2
    return replace(one, samples=samples, rate=one.rate / 2, true=tuple(inside))


def received(receiver: Callable[[Reception], Receiver]) -> Callable[[Reception], Reception]:
    """By another receiver."""

    def change(one: Reception) -> Reception:
        samples = receiver(one).apply(one.samples.copy(), one.rate, np.random.default_rng(2))
        return replace(one, samples=samples)

    return change


def first(seconds: float, start: float) -> Callable[[Reception], Reception]:
    """A part of the time."""

    def change(one: Reception) -> Reception:
        begin = min(round(start * one.rate), max(0, len(one.samples) - round(seconds * one.rate)))
        return replace(one, samples=one.samples[begin : begin + round(seconds * one.rate)])

    return change


def echo(delay_s: float, gain: float, doppler_hz: float, phase: float) -> Callable[[Reception], Reception]:
    """A second path, later, that turns."""

    def change(one: Reception) -> Reception:
        late = np.roll(one.samples, round(delay_s * one.rate))
        turn = np.exp(2j * np.pi * (doppler_hz * np.arange(len(late)) / one.rate + phase)).astype(np.complex64)
        return replace(one, samples=(one.samples + np.float32(gain) * turn * late).astype(np.complex64))

    return change


def drawn(seed: int) -> Callable[[Reception], Reception]:
    """A few of all that together, at random: another way for one seed and recording."""

    def change(one: Reception) -> Reception:
        rng = np.random.default_rng([seed, len(one.samples), round(one.center) % 997])
        # No longer than the cyclic prefix of 30 kHz: beyond it no receiver of NR can do with it.
        one = echo(rng.uniform(0, PREFIX_S), 10 ** (rng.uniform(-15, 0) / 20), rng.uniform(-50, 50), rng.random())(one)
        if rng.random() < 0.4:
            one = weaker(one)
        if rng.random() < 0.4:
            one = wider(one)
        if rng.random() < 0.3:
            one = first(rng.choice([0.02, 0.03, 0.041]), rng.uniform(0, 0.02))(one)
        receiver = Receiver(
            clock_error_ppm=(ppm := rng.uniform(-10, 10)),
            frequency_error_hz=ppm * 1e-6 * one.center,
            adc_bits=int(rng.choice([6, 8, 12])),
            headroom_db=rng.choice([4.0, 8.0, 14.0]),
            dc_dbc=rng.uniform(-40, -10),
            iq_gain_db=rng.uniform(0, 0.5),
            iq_phase_deg=rng.uniform(0, 3),
            rolloff=rng.choice([0.8, 0.9, 1.0]),
            stop_db=-15,
            ripple_db=rng.uniform(0, 1.5),
            tilt_db=rng.uniform(-3, 3),
        )
        return replace(one, samples=receiver.apply(one.samples.copy(), one.rate, rng))

    return change


FORMS: dict[str, Callable[[Reception], Reception]] = {
    "as recorded": lambda one: one,
    "6 dB weaker": weaker,
    "wider, tuned elsewhere": wider,
    "the middle half of the band": middle,
    "20 ms": first(0.02, 0.007),
    "12 ms": first(0.012, 0.003),
    "clock and oscillator 15 ppm off": received(
        lambda one: Receiver(clock_error_ppm=15, frequency_error_hz=15e-6 * one.center)
    ),
    "6 bits, leakage, image, a filter": received(
        lambda one: Receiver(
            adc_bits=6, dc_dbc=-15, iq_gain_db=0.5, iq_phase_deg=3, rolloff=0.85, stop_db=-15, ripple_db=1
        )
    ),
    "clipped": received(lambda one: Receiver(adc_bits=8, headroom_db=3)),
    "two paths": echo(2e-6, 0.7, 5.0, 0.3),
}
"""What is made of a recording, and how."""


def save(one: Reception, path: Path) -> None:
    """As SigMF, 8 bits."""
    parts = one.samples.view(np.float32)
    largest = float(np.abs(parts).max()) or 1.0
    path.with_suffix(".sigmf-data").write_bytes(np.round(parts * (LARGEST / largest)).astype(np.int8).tobytes())
    annotations = [
        {
            "core:sample_start": 0,
            "core:sample_count": len(one.samples),
            "core:freq_lower_edge": band.lower,
            "core:freq_upper_edge": band.upper,
            "core:label": band.label,
        }
        for band in one.true
    ]
    fields = {"core:datatype": "ci8", "core:sample_rate": one.rate}
    captures = [{"core:sample_start": 0, "core:frequency": one.center}]
    path.write_text(write({"global": fields, "captures": captures, "annotations": annotations}))


def main() -> None:
    """Make, analyse, score, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="for recordings and results")
    parser.add_argument("recordings", nargs="+", type=Path, metavar="FOLDER", help="annotated SigMF recordings")
    parser.add_argument("--draws", type=int, default=0, metavar="N", help="forms that are drawn, instead of those")
    parser.add_argument("--seed", type=int, default=1, help="of the first draw (default: %(default)s)")
    parser.add_argument("--runtime", default="openvino", help="(default: %(default)s)")
    options = parser.parse_args()
    originals = sorted(path for folder in options.recordings for path in folder.glob("*.sigmf-meta"))
    if not originals:
        parser.error("there is no .sigmf-meta in what is named; give folders with annotated SigMF recordings")
    rows, before = [], {}
    forms = FORMS
    if options.draws:
        forms = {"as recorded": FORMS["as recorded"]}
        forms |= {f"drawn {seed}": drawn(seed) for seed in range(options.seed, options.seed + options.draws)}
    for form, change in forms.items():
        made, found = (options.folder / part / form.replace(" ", "-").replace(",", "") for part in ("made", "found"))
        made.mkdir(parents=True, exist_ok=True)
        for path in originals:
            if (made / path.name).exists():
                continue
            with open_recording(path) as recording:
                samples = recording.read(0, recording.sample_count)
                true = recordings.annotated_carriers(recording.annotations)
                one = Reception(samples, recording.sample_rate, recording.center_frequency or 0.0, tuple(true))
            made_of_it = change(one)
            if made_of_it.rate >= LOWEST_RATE:
                save(made_of_it, made / path.name)
        paths = sorted(made.glob("*.sigmf-meta"))
        analyse(HERE.parent / "python", found, options.runtime, True, paths)
        judged = {path.stem: judge(path, found / f"{path.stem}.json", None).made for path in paths}
        outcomes = Counter(outcome for score in judged.values() for _, outcome in score.outcomes)
        names = (FOUND, recordings.IN_PIECES, recordings.SWAPPED, recordings.NOT_JUDGED)
        false = sum(len(score.false) for score in judged.values())
        rows.append((form, str(outcomes.total()), *(str(outcomes[name]) for name in names), str(false)))
        before = before or judged
        for name, score in judged.items():
            was = [outcome for _, outcome in before[name].outcomes]
            lost = [(band, what) for band, what in score.outcomes if what != FOUND and FOUND in was]
            lost += [(band, "false") for band in score.false[len(before[name].false) :]]
            for band, outcome in lost:
                print(f"{form}: {name}: {band.label} {band.lower / 1e6:.2f} to {band.upper / 1e6:.2f} MHz {outcome}")
        sys.stdout.flush()
    if options.draws:
        sums = [str(sum(int(row[column]) for row in rows[1:])) for column in range(1, len(rows[0]))]
        rows = [rows[0], (f"{options.draws} drawn", *sums)]
    columns = ("recordings", "carriers", "found", "in pieces", "other label", "not judged", "false")
    print(*markdown_table(columns, rows), sep="\n")


if __name__ == "__main__":
    main()
