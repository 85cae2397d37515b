# SPDX-License-Identifier: GPL-3.0-or-later
"""The RPMSN authors' published folders -> sets as training and evaluation read them.

The folders are `trainSet` and `testSet`, each with `input` (pictures) and `label` (the same names; a colour is a
class). They become the sets `train` and `validation` of one folder, which `Trainer` takes as its folder of sets. What
a colour means is declared and checked. Of these images no scenes are known, so there are no scores by SNR.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from ..classes import CLASS_NAMES, IGNORED, NOISE
from ..errors import ParameterError
from ..files import read_yaml, whole_file
from ..processes import each_done
from ..signal import image as spectrogram
from ..validation import STRICT, checked, one_of
from .dataset import SHARD_SCENES, ImageSet, SetConfig, claim, masks_file, read_description, shard_file

SPLITS = {"trainSet": "train", "testSet": "validation"}
"""Folder of the authors -> name of the set."""
DEFAULT_COLOURS = Path(__file__).resolve().parent / "configs" / "authors-colours.yml"
POLICY = FEATURES = "published"
IMPORTED = "imported"
"""Stands for the preset in what describes such a set."""
HINTS = {"colours": "write class: [red, green, blue], each from 0 to 255, such as LTE: [2, 0, 0]"}
Colour = Annotated[list[Annotated[int, Field(ge=0, le=255)]], Field(min_length=3, max_length=3)]
LOOKED_AT = 64
"""Label pictures in which the classes are counted before anything is written."""
NEAR = 24
"""A colour no further than this from a declared one in each of red, green and blue is taken for a blurred one."""


@dataclass(frozen=True)
class Colours:
    """A file of colours: class -> [red, green, blue]."""

    __pydantic_config__ = STRICT

    colours: dict[Annotated[str, one_of(CLASS_NAMES)], Colour]


class ImportedSet(SetConfig):
    """A set that `import_authors` made, as a training configuration names it."""

    def scene(self, index: int) -> None:  # type: ignore[override]
        """None: how these images came about is not known."""

    @property
    def description(self) -> dict[str, Any]:
        """What decides the images, as it stands in `set.yml`."""
        return {"preset": self.preset, "count": self.count, "features": self.features, "shard_scenes": SHARD_SCENES}


def _imported(count: int) -> ImportedSet:
    return ImportedSet(IMPORTED, count, seed=0, policy=POLICY, features=FEATURES)


def imported_set(folder: str | os.PathLike) -> ImportedSet:
    """The `ImportedSet` of a folder that `import_authors` made.

    Raises:
        ParameterError: the folder holds no such set.
    """
    there = read_description(folder, f", so {folder} is no imported set; make it with `rpmsn import-authors`")
    if there.get("preset") != IMPORTED or "count" not in there:
        raise ParameterError(f"{folder} is no imported set; make it with `rpmsn import-authors`")
    return _imported(there["count"])


def load_colours(path: str | os.PathLike = DEFAULT_COLOURS) -> dict[str, tuple[int, int, int]]:
    """Read which colour is which class.

    Args:
        path: YAML file with a line `class: [red, green, blue]` for each class.

    Returns:
        dict: class name -> (red, green, blue), 0..255.

    Raises:
        ParameterError: the file or a value in it cannot be used.
    """
    where = f"colours {path}"
    values = read_yaml(path, "colours")
    if not isinstance(values, dict) or "noise" not in values or len(values) < 2:
        raise ParameterError(
            f"{where} has to have a line `class: [red, green, blue]` for noise and for each other class, as "
            f"{DEFAULT_COLOURS} has"
        )
    colours = {
        name: (red, green, blue)
        for name, (red, green, blue) in checked(Colours, {"colours": values}, where, hints=HINTS).colours.items()
    }
    twice = [name for name, colour in colours.items() if list(colours.values()).count(colour) > 1]
    if twice:
        raise ParameterError(
            f"{where}: {twice[1]} has the colour {list(colours[twice[1]])} of another class, {twice[0]}; give each its "
            "own"
        )
    return colours


def import_authors(
    folder: str | os.PathLike,
    output: str | os.PathLike,
    colours: Mapping[str, Sequence[int]],
    workers: int = 1,
    quiet: bool = False,
) -> dict[str, ImageSet]:
    """Make the sets `train` and `validation` from the authors' folders; goes on where it was stopped.

    Args:
        folder: has `trainSet` and `testSet`.
        output: folder of the sets; made if it is not there.
        colours: from `load_colours`.
        workers: processes.
        quiet: no progress bar.

    Returns:
        dict: name of the set -> ImageSet.

    Raises:
        ParameterError: a picture is missing or is not what it has to be, or the colours are not those declared.
    """
    pairs = {split: _pairs(Path(folder) / split) for split in SPLITS}
    _check_majority(pairs["trainSet"], colours)
    sets = {}
    for split, name in SPLITS.items():
        target = Path(output) / name
        target.mkdir(parents=True, exist_ok=True)
        claim(
            target,
            {
                **_imported(len(pairs[split])).description,
                "imported_from": split,
                "colours": {label: list(colour) for label, colour in colours.items()},
            },
        )
        shards = {
            shard: pairs[split][shard * SHARD_SCENES : (shard + 1) * SHARD_SCENES]
            for shard in range(-(-len(pairs[split]) // SHARD_SCENES))
        }
        jobs = [
            (target, shard, chosen, colours)
            for shard, chosen in shards.items()
            if not shard_file(target, shard, "images.npy").exists()
        ]
        if jobs:
            total = sum(len(chosen) for _, _, chosen, _ in jobs)
            for _ in each_done(_import_shard, jobs, workers, "picture", f"importing {split}", int, total, quiet):
                pass
        sets[name] = ImageSet(target, POLICY)
    return sets


def _pairs(folder: Path) -> list[tuple[Path, Path]]:
    """(picture, label) of every example of a split, by name."""
    found = {}
    for kind in ("input", "label"):
        there = folder / kind
        if not there.is_dir():
            raise ParameterError(
                f"{there} is not there; the authors' folders are trainSet/input, trainSet/label, "
                "testSet/input and testSet/label, and all four are needed"
            )
        found[kind] = {path.stem: path for path in sorted(there.iterdir()) if path.suffix.lower() == ".png"}
        others = [path for path in sorted(there.iterdir()) if path.suffix.lower() in (".jpg", ".jpeg", ".bmp")]
        if others:
            raise ParameterError(
                f"{others[0]} is no PNG file; only PNG keeps colours as they are: take the pictures "
                "as they were published"
            )
    for kind, other in (("input", "label"), ("label", "input")):
        alone = sorted(set(found[kind]) - set(found[other]))
        if alone:
            raise ParameterError(
                f"{found[kind][alone[0]]} has no {other} of that name in {folder / other} "
                f"({len(alone)} of {len(found[kind])} have none); complete the folder, or take it out"
            )
    if not found["input"]:
        raise ParameterError(f"{folder / 'input'} holds no PNG file; name the folder that has trainSet and testSet")
    return [(path, found["label"][stem]) for stem, path in found["input"].items()]


def _check_majority(pairs: Sequence[tuple[Path, Path]], colours: Mapping[str, Sequence[int]]) -> None:
    """Raise a ParameterError if noise is not the most common class of the training labels."""
    counts = np.zeros(len(CLASS_NAMES), np.int64)
    for _, path in pairs[:: -(-len(pairs) // LOOKED_AT)]:
        counts += np.bincount(read_label(path, colours).ravel(), minlength=len(CLASS_NAMES))
    if counts.argmax() != NOISE:
        fractions = ", ".join(f"{name} {counts[CLASS_NAMES.index(name)] / counts.sum():.0%}" for name in colours)
        raise ParameterError(
            f"by the colours declared, the labels of {pairs[0][1].parent} are {fractions}; noise should "
            "be the most common. The classes are probably in another order: declare them in a file "
            "and name it with --colours"
        )


def _import_shard(
    folder: Path, shard: int, pairs: list[tuple[Path, Path]], colours: Mapping[str, Sequence[int]]
) -> int:
    """Write one shard; returns the number of its images."""
    images = np.stack([read_picture(picture).transpose(2, 0, 1) for picture, _ in pairs])
    masks = np.stack([read_label(label, colours) for _, label in pairs])
    with whole_file(masks_file(folder, shard, POLICY)) as file:
        np.save(file, masks)
    with whole_file(shard_file(folder, shard, "images.npy")) as file:
        np.save(file, images)
    return len(pairs)


def read_picture(path: Path) -> np.ndarray:
    """Read a PNG file of 256 x 256.

    Returns:
        uint8, shape (256, 256, 3).

    Raises:
        ParameterError: it is no PNG file, or of another size.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as picture:
            kind, size = picture.format, picture.size
            pixels = np.asarray(picture.convert("RGB"))
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise ParameterError(f"{path} cannot be read as a picture ({error}); copy it again") from error
    if kind != "PNG":
        raise ParameterError(
            f"{path} is {kind} under the name of PNG; only PNG keeps colours as they are: take the "
            "pictures as they were published"
        )
    if size != (spectrogram.COLUMNS, spectrogram.ROWS):
        raise ParameterError(
            f"{path} is {size[0]} x {size[1]} pixels, but {spectrogram.COLUMNS} x {spectrogram.ROWS} "
            "are needed; take the pictures as they were published"
        )
    return pixels


def read_label(path: Path, colours: Mapping[str, Sequence[int]]) -> np.ndarray:
    """Read a label picture.

    Args:
        path: PNG file of 256 x 256.
        colours: class name -> (red, green, blue).

    Returns:
        Class ids, uint8, shape (256, 256).

    Raises:
        ParameterError: a pixel has a colour that is not declared, or as of `read_picture`.
    """
    pixels = read_picture(path)
    mask = np.full(pixels.shape[:2], IGNORED, np.uint8)
    for name, colour in colours.items():
        mask[(pixels == colour).all(axis=-1)] = CLASS_NAMES.index(name)
    wrong = np.argwhere(mask == IGNORED)
    if len(wrong):
        row, column = wrong[0]
        declared = ", ".join(f"{name} {colour}" for name, colour in colours.items())
        raise ParameterError(
            f"{path}: the pixel in row {row}, column {column} has colour "
            f"{tuple(int(part) for part in pixels[row, column])}, and {len(wrong)} pixels have a "
            f"colour that is not declared; declared are {declared}. "
            f"{_advice(pixels[mask == IGNORED], colours)}"
        )
    return mask


def _advice(wrong: np.ndarray, colours: Mapping[str, Sequence[int]]) -> str:
    """What to do about pixels, uint8 of shape (n, 3), with a colour that is not declared."""
    distance = np.abs(wrong[:, None].astype(int) - np.array(list(colours.values()))).max(axis=2).min(axis=1)
    if (distance <= NEAR).all():
        return (
            "They are close to declared ones, as if the picture had once been a JPEG file or been scaled: take the "
            "labels as they were published"
        )
    return "Declare each colour in a file and name it with --colours"
