# SPDX-License-Identifier: GPL-3.0-or-later
"""Training sets: the same on any number of processes, written atomically, relabelled without rendering."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from limits import PROCESS_S

from rpmsn.classes import LTE, NR
from rpmsn.errors import ParameterError
from rpmsn.signal import image as spectrogram
from rpmsn.synthesis.labels import masks as labels
from rpmsn.synthesis.scene.rendering import render
from rpmsn.training import dataset
from rpmsn.training.dataset import ImageSet, SetConfig, build_set, read_truths

PACKAGES = Path(__file__).resolve().parents[2] / "python"
TINY = SetConfig("any_rate", count=3, seed=77, sample_rates=[1.9e6, 8e6])


def contents(folder, ending=".npy"):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.name.endswith(ending)}


def test_a_set_is_the_same_on_any_number_of_processes(tmp_path):
    config = replace(TINY, count=40)
    one, two = tmp_path / "one", tmp_path / "two"
    assert len(build_set(config, one, workers=1, quiet=True)) == 40
    build_set(config, two, workers=2, quiet=True)
    assert contents(one) == contents(two) and len(contents(one)) == 4
    assert contents(one, ".jsonl") == contents(two, ".jsonl")
    for index in (0, 33):
        samples, truths = render(config.scene(index))
        image = spectrogram.stored_image(samples, config.scene(index).sample_rate, features=config.features)
        assert np.array_equal(ImageSet(one)[index][0], image)


def test_images_and_masks_are_memory_mapped_and_of_one_shape(tmp_path):
    made = build_set(TINY, tmp_path, quiet=True)
    image, mask = made[2]
    assert isinstance(made.images[0], np.memmap) and isinstance(made.masks[0], np.memmap)
    assert image.shape == (4, 256, 256) and mask.shape == (256, 256) and image.dtype == mask.dtype == np.uint8


def test_a_set_of_the_published_feature_set_has_three_channels(tmp_path):
    config = SetConfig("published", count=1, seed=5, policy="published", features="published")
    image, mask = build_set(config, tmp_path, quiet=True)[0]
    assert image.shape == (3, 256, 256) and image.max() > 200
    assert set(np.unique(mask)) <= {0, LTE, NR} and len(set(np.unique(mask))) == 2


def test_a_lost_shard_is_made_again_exactly(tmp_path):
    build_set(TINY, tmp_path, quiet=True)
    before = contents(tmp_path)
    (tmp_path / "shard-00000.images.npy").unlink()
    build_set(TINY, tmp_path, quiet=True)
    assert contents(tmp_path) == before
    assert not list(tmp_path.glob(".*.tmp"))


def test_masks_of_another_policy_are_made_without_rendering(tmp_path, monkeypatch):
    build_set(TINY, tmp_path, quiet=True)
    before = contents(tmp_path)
    monkeypatch.setattr(dataset, "render", None)
    made = build_set(replace(TINY, policy="published"), tmp_path, quiet=True)
    after = contents(tmp_path)
    assert set(after) - set(before) == {"shard-00000.masks-published.npy"}
    assert all(after[name] == before[name] for name in before)
    for index, (scene, truths, rows) in enumerate(read_truths(tmp_path, 0)):
        assert scene == TINY.scene(index)
        assert np.array_equal(made[index][1], labels.mask(scene, truths, "published", rows))


@pytest.mark.parametrize("change", [{"seed": 78}, {"count": 4}, {"sample_rates": None}, {"features": "published"}])
def test_a_folder_with_another_set_is_refused(tmp_path, change):
    build_set(TINY, tmp_path, quiet=True)
    with pytest.raises(ParameterError, match=next(iter(change))):
        build_set(replace(TINY, **change), tmp_path, quiet=True)


def test_a_set_of_another_generator_is_not_completed(tmp_path, monkeypatch):
    build_set(TINY, tmp_path, quiet=True)
    monkeypatch.setattr(dataset, "GENERATOR", 99)
    with pytest.raises(ParameterError, match="generator"):
        build_set(TINY, tmp_path, quiet=True)


@pytest.mark.parametrize(
    "change, words",
    [
        ({"preset": "nowhere"}, "nowhere"),
        ({"policy": "loose"}, "occupied"),
        ({"features": "oil"}, "averaged"),
        ({"sample_rates": [1.0, 2.0]}, "sample_rates"),
    ],
)
def test_a_set_that_cannot_be_is_refused_before_anything_is_written(tmp_path, change, words):
    with pytest.raises(ParameterError, match=words):
        build_set(replace(TINY, **change), tmp_path / "set", quiet=True)
    assert not (tmp_path / "set").exists()


def test_an_empty_folder_is_no_set(tmp_path):
    with pytest.raises(ParameterError, match="no shard"):
        ImageSet(tmp_path)


def test_masks_that_are_not_there_are_named(tmp_path):
    build_set(TINY, tmp_path, quiet=True)
    with pytest.raises(ParameterError, match="--policy published"):
        ImageSet(tmp_path, "published")


def test_a_set_whose_making_is_killed_is_completed_to_what_it_would_have_been(tmp_path):
    """kill -9 of command and workers in the middle; every file that is there is whole."""
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    arguments = [
        "synth",
        "--as",
        "set",
        "--preset",
        "any_rate",
        "--sample-rates",
        "1.9e6",
        "8e6",
        "--count",
        "96",
        "--seed",
        "5",
        "--workers",
        "2",
        "--quiet",
        "--output",
    ]
    environment = dict(os.environ, PYTHONPATH=str(PACKAGES))
    command = [sys.executable, "-m", "rpmsn.cli"]
    process = subprocess.Popen([*command, *arguments, str(killed)], env=environment, start_new_session=True)
    deadline = time.monotonic() + 120
    while not list(killed.glob("*.images.npy")) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for path in killed.glob("*.npy"):
        assert len(np.load(path)) == 32
    for folder in (whole, killed):
        assert subprocess.run([*command, *arguments, str(folder)], env=environment, timeout=200).returncode == 0
    assert contents(killed) == contents(whole) and len(contents(whole)) == 6


def test_ctrl_c_ends_all_processes_at_once_and_leaves_nothing_half_written(tmp_path):
    command = [sys.executable, "-m", "rpmsn.cli", "synth", "--preset", "wideband", "--count", "400", "--workers", "2"]
    process = subprocess.Popen(
        [*command, "--output", str(tmp_path / "made")],
        start_new_session=True,
        text=True,
        env=dict(os.environ, PYTHONPATH=str(PACKAGES)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("made/*.sigmf-meta")) and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    error = process.communicate(timeout=PROCESS_S)[1]
    assert process.returncode == 130
    assert "Traceback" not in error and error.rstrip().endswith("nothing half-written is left")
    assert not list(tmp_path.glob("made/.*.tmp"))
