# SPDX-License-Identifier: GPL-3.0-or-later
"""The importer of the authors' folders: a set as others, colours declared and checked, errors that name the pixel."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from rpmsn.classes import LTE, NOISE, NR
from rpmsn.cli.main import main
from rpmsn.errors import ParameterError
from rpmsn.training.authors import import_authors, imported_set, load_colours, read_label
from rpmsn.training.dataset import ImageSet, build_set

COLOURS = {"noise": (248, 163, 191), "LTE": (2, 0, 0), "NR": (127, 0, 0)}
COUNTS = {"trainSet": 34, "testSet": 3}


def label_pixels(number):
    """A label whose carriers lie elsewhere in every picture."""
    pixels = np.full((256, 256, 3), COLOURS["noise"], np.uint8)
    pixels[:, 10 + number : 50 + number] = COLOURS["LTE"]
    pixels[:, 120 + number : 200 + number] = COLOURS["NR"]
    return pixels


def input_pixels(number):
    return np.random.default_rng(number).integers(0, 256, (256, 256, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A folder like the authors'."""
    folder = tmp_path_factory.mktemp("authors") / "published"
    for split, count in COUNTS.items():
        for kind, pixels in (("input", input_pixels), ("label", label_pixels)):
            (folder / split / kind).mkdir(parents=True)
            for number in range(count):
                Image.fromarray(pixels(number)).save(folder / split / kind / f"{number:03d}.png")
    return folder


@pytest.fixture
def published(original, tmp_path):
    """A copy of it that a test may change."""
    return Path(shutil.copytree(original, tmp_path / "published"))


def test_the_folders_become_two_sets_with_the_pictures_and_classes_as_they_were(published, tmp_path, capsys):
    output = tmp_path / "sets"
    assert main(["import-authors", str(published), "--output", str(output), "--workers", "1", "--quiet"]) == 0
    assert "34 images" in capsys.readouterr().out
    for name, count in (("train", 34), ("validation", 3)):
        made = ImageSet(output / name, "published")
        assert len(made) == count
        image, mask = made[count - 1]
        assert image.dtype == mask.dtype == np.uint8 and image.shape == (3, 256, 256)
        assert np.array_equal(image.transpose(1, 2, 0), input_pixels(count - 1))
        assert (mask[:, 9 + count : 49 + count] == LTE).all() and (mask[:, 119 + count : 199 + count] == NR).all()
        assert (mask == NOISE).sum() == 256 * (256 - 120)


def test_training_takes_the_set_as_one_that_is_there(published, tmp_path):
    import_authors(published, tmp_path / "sets", load_colours(), quiet=True)
    config = imported_set(tmp_path / "sets" / "train")
    assert len(build_set(config, tmp_path / "sets" / "train", quiet=True)) == config.count == 34


def test_a_stopped_import_is_completed(published, tmp_path):
    made = import_authors(published, tmp_path / "sets", load_colours(), quiet=True)["train"]
    lost = tmp_path / "sets" / "train" / "shard-00001.images.npy"
    before = lost.read_bytes()
    lost.unlink()
    assert len(import_authors(published, tmp_path / "sets", load_colours(), quiet=True)["train"]) == len(made)
    assert lost.read_bytes() == before


def test_an_undeclared_colour_is_named_with_file_pixel_and_the_declared_ones(published):
    path = published / "trainSet" / "label" / "003.png"
    pixels = label_pixels(3)
    pixels[17, 40] = (0, 255, 0)
    Image.fromarray(pixels).save(path)
    with pytest.raises(ParameterError, match=r"003.png.*row 17, column 40.*\(0, 255, 0\).*LTE \(2, 0, 0\).*--colours"):
        read_label(path, COLOURS)


def test_labels_that_went_through_jpeg_are_named_as_such(tmp_path):
    Image.fromarray(label_pixels(0)).save(tmp_path / "lossy.jpg", quality=92)
    Image.open(tmp_path / "lossy.jpg").save(tmp_path / "label.png")
    pixels = np.array(Image.open(tmp_path / "label.png"))
    pixels[:, ::2] = pixels[:, 1::2] = np.clip(label_pixels(0)[:, ::2].astype(int) + 3, 0, 255)
    Image.fromarray(pixels).save(tmp_path / "label.png")
    with pytest.raises(ParameterError, match="JPEG"):
        read_label(tmp_path / "label.png", COLOURS)


def test_a_jpeg_under_the_name_of_png_is_refused(tmp_path):
    Image.fromarray(label_pixels(0)).save(tmp_path / "label.png", format="JPEG")
    with pytest.raises(ParameterError, match="JPEG under the name of PNG"):
        read_label(tmp_path / "label.png", COLOURS)


def test_classes_in_another_order_are_found_out_before_anything_is_written(published, tmp_path):
    swapped = {"noise": COLOURS["LTE"], "LTE": COLOURS["NR"], "NR": COLOURS["noise"]}
    with pytest.raises(ParameterError, match="noise 16%.*another order"):
        import_authors(published, tmp_path / "sets", swapped, quiet=True)
    assert not (tmp_path / "sets").exists()


@pytest.mark.parametrize("kind, words", [("label", "002.png has no label.*1 of 34"), ("input", "002.png has no input")])
def test_a_picture_without_its_partner_is_named(published, tmp_path, kind, words):
    (published / "trainSet" / kind / "002.png").unlink()
    with pytest.raises(ParameterError, match=words):
        import_authors(published, tmp_path / "sets", COLOURS, quiet=True)


def test_a_picture_of_another_size_is_named(published, tmp_path):
    Image.fromarray(input_pixels(1)[:200]).save(published / "testSet" / "input" / "001.png")
    with pytest.raises(ParameterError, match="001.png is 256 x 200"):
        import_authors(published, tmp_path / "sets", COLOURS, quiet=True)


@pytest.mark.parametrize(
    "damage, words",
    [
        (lambda folder: (folder / "testSet").rename(folder / "elsewhere"), "testSet/input is not there"),
        (lambda folder: (folder / "trainSet/label/000.png").write_bytes(b"x"), "000.png cannot be read"),
        (lambda folder: (folder / "trainSet/label/000.png").rename(folder / "trainSet/label/000.jpg"), "no PNG"),
    ],
)
def test_a_folder_that_is_not_whole_is_refused(published, tmp_path, damage, words):
    damage(published)
    with pytest.raises(ParameterError, match=words):
        import_authors(published, tmp_path / "sets", COLOURS, quiet=True)


def test_colours_that_ship_are_those_of_the_authors_code():
    assert load_colours() == COLOURS


@pytest.mark.parametrize(
    "values, words",
    [
        ({"LTE": [1, 2, 3]}, "noise"),
        ({"noise": [0, 0, 0], "WCDMA": [1, 1, 1]}, "WCDMA.*allowed"),
        ({"noise": [0, 0, 0], "LTE": [0, 0, 256]}, "0 to 255"),
        ({"noise": [0, 0, 0], "LTE": [0, 0, 0]}, "another class"),
    ],
)
def test_colours_that_cannot_be_are_named(tmp_path, values, words):
    path = tmp_path / "colours.yml"
    path.write_text(yaml.safe_dump(values))
    with pytest.raises(ParameterError, match=words):
        load_colours(path)


def test_a_folder_that_is_no_imported_set_is_refused(tmp_path):
    with pytest.raises(ParameterError, match="import-authors"):
        imported_set(tmp_path)
    (tmp_path / "set.yml").write_text("{unfinished")
    with pytest.raises(ParameterError, match="set.yml is not valid YAML"):
        imported_set(tmp_path)
