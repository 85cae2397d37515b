#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Accuracy of this version, with cells and without, and of another one, on the same recordings.

    git worktree add --detach ../gr-rpmsn-0.7.1 534bcec
    .venv/bin/python benchmarks/accuracy.py runs/accuracy --other ../gr-rpmsn-0.7.1 --recordings ../shared/captures

Writes the recordings to the folder (about 15 GB), has each version analyse them (`accuracy_analyse.py`), and scores
all by this version's code: `training.evaluation.recordings` for carriers, `training.evaluation.scores` for the masks
of recordings of one frame. What is in the folder is not made again. Prints a table in Markdown (found, in pieces,
called the other label; false; missed are the others), how many carriers are LTE or NR by label and verdict, and writes
what was not found and what is false to `wrong.txt`.
"""

import argparse
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np

from rpmsn.classes import CLASS_NAMES
from rpmsn.recording import open_recording
from rpmsn.signal.image import frame_length, rows_of
from rpmsn.synthesis.channel.noise import Noise
from rpmsn.synthesis.labels import masks
from rpmsn.synthesis.receiver.receiver import Receiver
from rpmsn.synthesis.scene import everyday
from rpmsn.synthesis.scene.presets import random_scene
from rpmsn.synthesis.scene.rendering import render
from rpmsn.synthesis.scene.scene import BLOCK_S, Reception, Scene, generator, rounded
from rpmsn.synthesis.scene.writing import SCENE_ENDING, Order, write_scenes
from rpmsn.tables import markdown_table
from rpmsn.tracking.verdict import PROVEN
from rpmsn.training.evaluation import recordings, scores
from rpmsn.training.evaluation.recordings import Band, RecordingScore

HERE = Path(__file__).resolve().parent
SEED, OTHERS_SEED = 17001, 9700
NARROW = (1.92e6, 15.36e6)
RATES = (1.92e6, 7.68e6, 15.36e6, 23.04e6, 30.72e6, 61.44e6)
OTHERS, OTHERS_S, NOISE_S = 30, 2.0, 10.0
LOOKALIKES_S = 0.4

Scenes = Iterator[tuple[str, Scene]]


def drawn(preset: str, count: int, first: int = SEED, **arguments) -> Scenes:
    """Scenes of a preset."""
    for seed in range(first, first + count):
        yield f"{preset}-{seed}", random_scene(preset, seed, **arguments)


def others() -> Scenes:
    """Other transmissions as preset `no_cellular` draws them, at several rates."""
    for seed in range(OTHERS_SEED, OTHERS_SEED + OTHERS):
        rng = generator(seed, "scene no_cellular")
        scene = everyday.draw(rng, RATES[seed % len(RATES)], OTHERS_S, situations={"others": 1.0})
        for index, emission in enumerate(scene.emissions):
            emission.seed = int(generator(seed, "emission", index).integers(1 << 32))
        yield f"others-{seed}", Scene.from_dict({**rounded(scene.to_dict()), "seed": seed})


def noise() -> Scenes:
    """White noise, a recording a rate."""
    for index, rate in enumerate(RATES):
        reception = Reception([], Receiver(headroom_db=12.0), Noise())
        yield f"noise-{rate / 1e6:g}", Scene(rate, NOISE_S, SEED + index, [], reception)


@dataclass(frozen=True)
class Set:
    """Recordings of one row of the table.

    Attributes:
        title: in the table.
        folder: with the recordings.
        scenes: what it is made of; None where the recordings are there.
        datatype: of the samples.
    """

    title: str
    folder: Path
    scenes: Callable[[], Scenes] | None = None
    datatype: str = "ci16"

    def paths(self) -> list[Path]:
        """Metadata of all recordings, which are written where they are not there."""
        if self.scenes is None:
            return sorted(self.folder.glob("*.sigmf-meta"))
        return list(write_scenes(list(self.scenes()), Order(str(self.folder), datatype=self.datatype), quiet=True))


def all_sets(folder: Path, real: Sequence[str], count: int, seed: int) -> list[Set]:
    """The rows; preset `stitched` is made of the first folder of real recordings."""
    made = folder / "recordings"
    sets = [
        Set("`wideband`", made / "wideband", lambda: drawn("wideband", count, seed)),
        Set("`any_rate`", made / "any_rate", lambda: drawn("any_rate", count, seed)),
        Set("narrow", made / "narrow", lambda: drawn("any_rate", count, seed + 1000, sample_rates=NARROW)),
    ]
    if real:
        sets.append(Set("`stitched`", made / "stitched", lambda: drawn("stitched", count, seed, recordings=real[0])))
    sets += [Set(Path(name).name, Path(name)) for name in real]
    return [
        *sets,
        Set("others", made / "others", others, "ci8"),
        Set(
            "`lookalikes`",
            made / "lookalikes",
            lambda: drawn("lookalikes", count, seed, duration_s=LOOKALIKES_S),
            "ci8",
        ),
        Set("noise", made / "noise", noise, "ci8"),
    ]


@dataclass(frozen=True)
class Judged:
    """What a version made of one recording.

    Attributes:
        made: outcomes of its carriers.
        by_verdict: ("LTE or NR" or "other", verdict) -> (carriers in the place of such an LTE or NR carrier, reported).
        matrix: of the pixels of a recording of one frame that has a scene, else zeros.
        is_judged: whether any frame was.
    """

    made: RecordingScore
    by_verdict: dict[tuple[str, str], tuple[int, int]]
    matrix: np.ndarray
    is_judged: bool


def judge(path: Path, found: Path, truth: np.ndarray | None) -> Judged:
    """Score what was found in a recording."""
    result = json.loads(found.read_text())
    with open_recording(path) as recording:
        half, center = recording.sample_rate / 2, recording.center_frequency or 0.0
        true = recordings.annotated_carriers(recording.annotations)
    span = center - half, center + half
    bands = [(Band(*entry[:3], entry[3] == PROVEN), entry[3]) for entry in result["carriers"]]
    is_judged = result["judged"] > 0
    made = recordings.score(true, [band for band, _ in bands], span, is_judged)
    by_verdict = {}
    for verdict, is_cellular in {(verdict, band.label in recordings.CELLULAR) for band, verdict in bands}:
        own = [band for band, one in bands if one == verdict and (band.label in recordings.CELLULAR) == is_cellular]
        # As if `other` were LTE: then those in the place of an LTE or NR carrier are found, in pieces or swapped.
        alone = recordings.score(true, own if is_cellular else [one._replace(label="LTE") for one in own], span, True)
        reported = len(own) - len(alone.not_annotated)
        right = reported - len(alone.false)
        if is_cellular:
            right -= sum(outcome == recordings.SWAPPED for _, outcome in alone.outcomes)
        by_verdict["LTE or NR" if is_cellular else "other", verdict] = right, reported
    matrix = np.zeros((len(CLASS_NAMES),) * 2, np.int64)
    mask = found.with_suffix(".npy")
    if truth is not None and mask.exists():
        matrix = scores.confusion_matrix(truth, np.load(mask), len(CLASS_NAMES))
    return Judged(made, by_verdict, matrix, is_judged)


def true_mask(path: Path, kept: Path) -> np.ndarray | None:
    """Mask of a recording of one scene of one frame, None of others; made once and kept."""
    description = path.with_suffix(SCENE_ENDING)
    if not description.exists():
        return None
    scene = Scene.load(description)
    if scene.duration_s > BLOCK_S:
        return None
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        samples, truths = render(scene)
        np.save(kept, masks.mask(scene, truths, rows=rows_of(len(samples), frame_length(scene.sample_rate))))
    return np.load(kept)


def analyse(python: Path, folder: Path, runtime: str, cells: bool, paths: Sequence[Path]) -> None:
    """Have a version analyse recordings."""
    command = [sys.executable, HERE / "accuracy_analyse.py", folder, runtime, str(int(cells)), *paths]
    subprocess.run(command, env={**os.environ, "PYTHONPATH": str(python)}, check=True)


def figures(judged: Sequence[Judged]) -> str:
    """Found, in pieces, of the other label; false; and of how many carriers nothing was said."""
    outcomes = Counter(outcome for one in judged for _, outcome in one.made.outcomes)
    false = sum(len(one.made.false) for one in judged)
    counts = ", ".join(str(outcomes[name]) for name in (recordings.FOUND, recordings.IN_PIECES, recordings.SWAPPED))
    refused = f" ({outcomes[recordings.NOT_JUDGED]} not judged)" if outcomes[recordings.NOT_JUDGED] else ""
    return f"{counts}; {false}{refused}"


def mean_iou(judged: Sequence[Judged], others: Sequence[Sequence[Judged]]) -> str:
    """Mean IoU of the pixels of the recordings that every version judged; nothing where there are no masks."""
    matrices = [one.matrix for one, *all_of_it in zip(judged, *others) if all(each.is_judged for each in all_of_it)]
    matrix = np.sum(matrices, axis=0)
    return f"{scores.mean(scores.intersection_over_union(matrix)):.3f}" if matrix.any() else ""


def wrong(version: str, paths: Sequence[Path], judged: Sequence[Judged]) -> Iterator[str]:
    """A line for every carrier that was not found, or is false."""
    for path, one in zip(paths, judged):
        for band, outcome in one.made.outcomes:
            if outcome not in (recordings.FOUND, recordings.NOT_JUDGED):
                yield _line(version, path, band, outcome)
        for band in one.made.false + one.made.not_annotated:
            yield _line(version, path, band, "not annotated" if band.is_proven else "false")


def _line(version: str, path: Path, band: Band, outcome: str) -> str:
    return f"{version}  {path.stem}  {band.label} {band.lower / 1e6:.2f} to {band.upper / 1e6:.2f} MHz  {outcome}"


def main() -> None:
    """Make, analyse, score, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="for recordings and results")
    parser.add_argument("--other", type=Path, metavar="CHECKOUT", help="of another version")
    parser.add_argument("--recordings", nargs="+", default=[], metavar="FOLDER", help="annotated SigMF recordings")
    parser.add_argument("--count", type=int, default=100, help="recordings of each preset (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=SEED, help="of the first recording (default: %(default)s)")
    parser.add_argument("--runtime", default="openvino", help="of all versions (default: %(default)s)")
    options = parser.parse_args()
    versions = {"cells": (HERE.parent, True), "no cells": (HERE.parent, False)}
    if options.other:
        versions = {"other": (options.other, False), **versions}
    rows, lines, verdicts = [], [], {name: Counter() for name in versions}
    for one in all_sets(options.folder, options.recordings, options.count, options.seed):
        paths = one.paths()
        truths = [true_mask(path, options.folder / "masks" / one.folder.name / f"{path.stem}.npy") for path in paths]
        all_judged = []
        for name, (checkout, cells) in versions.items():
            found = options.folder / name.replace(" ", "-") / one.folder.name
            analyse(checkout / "python", found, options.runtime, cells, paths)
            judged = [judge(path, found / f"{path.stem}.json", truth) for path, truth in zip(paths, truths)]
            all_judged.append(judged)
            lines += wrong(name, paths, judged)
            for key, (right, reported) in (item for each in judged for item in each.by_verdict.items()):
                verdicts[name].update({(*key, "right"): right, (*key, "reported"): reported})
        true = sum(len(each.made.outcomes) for each in judged)
        ious = [mean_iou(judged, all_judged) for judged in all_judged]
        rows.append((one.title, str(len(paths)), str(true), *ious, *map(figures, all_judged)))
        print(*rows[-1], sep=" | ", flush=True, file=sys.stderr)
    (options.folder / "wrong.txt").write_text("\n".join(lines) + "\n")
    columns = ("set", "recordings", "carriers", *(f"mean IoU, {name}" for name in versions), *versions)
    print(*markdown_table(columns, rows), sep="\n")
    for name, counts in verdicts.items():
        for label, verdict in sorted({key[:2] for key in counts}):
            right, reported = counts[label, verdict, "right"], counts[label, verdict, "reported"]
            print(f"{name}, {label} {verdict}: {right} of {reported} in the place of such an LTE or NR carrier")


if __name__ == "__main__":
    main()
