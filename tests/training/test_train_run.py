# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole training runs, tiny ones: resumed to the same result, on two processes, with a teacher, and refused in time."""

import logging
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from limits import PROCESS_S

torch = pytest.importorskip("torch")

from safetensors.torch import load_file

from rpmsn import network
from rpmsn.errors import ModelError, ParameterError
from rpmsn.files import to_yaml
from rpmsn.models.model import load_model, save_model
from rpmsn.training.config import load_config
from rpmsn.training.train import Trainer

PACKAGES = Path(__file__).resolve().parents[2] / "python"
RATES = [1.92e6, 5e6]
NETWORK = {"in_channels": 1, "classes": 4, "widths": [4, 8], "stages": 1}
VALUES = {
    "name": "tiny",
    "version": "0.1",
    "architecture": "rpmsn-rt",
    "arguments": NETWORK,
    "features": "averaged",
    "sample_rates": RATES,
    "epochs": 2,
    "batch_size": 2,
    "learning_rate": 0.01,
    "checkpoint_seconds": 0,
    "average": 0.9,
    "dice_weight": 0.5,
    "train": [
        {"preset": "any_rate", "count": 3, "seed": 3, "sample_rates": RATES},
        {"preset": "any_rate", "count": 2, "seed": 4, "sample_rates": RATES},
    ],
    "validation": {"preset": "any_rate", "count": 2, "seed": 5, "sample_rates": RATES},
}


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    """Folder of the sets that the runs share; the first one makes them."""
    return tmp_path_factory.mktemp("sets")


@pytest.fixture(scope="module")
def whole(sets, tmp_path_factory):
    """Folder of a run without interruption."""
    folder = tmp_path_factory.mktemp("whole")
    return train(folder, sets)


def write(folder, **changes):
    """A configuration file with some values changed."""
    path = folder / "tiny-config.yml"
    path.write_text(to_yaml(VALUES | changes))
    return path


def train(folder, sets, stop_after=None, **changes):
    """Train in this process; returns the folder."""
    config = load_config(write(folder, **changes))
    Trainer(config, folder, workers=1, sets=sets, stop_after=stop_after).run()
    return folder


def command(folder, sets, config):
    return ["-m", "rpmsn.cli", "train", str(config), "--output", str(folder), "--sets", str(sets), "--workers", "1"]


def same_weights(one, other):
    return (one / "tiny.safetensors").read_bytes() == (other / "tiny.safetensors").read_bytes()


def model_like(folder, **changes):
    """Path of the card of a model with random weights that fits the configuration, but for the changes."""
    torch.manual_seed(7)
    card = {
        "name": "other",
        "version": "0",
        "architecture": "rpmsn-rt",
        "arguments": NETWORK,
        "features": "averaged",
        "classes": ["noise", "LTE", "NR", "other"],
        "frame_seconds": 0.04,
        "sample_rates": RATES,
    } | changes
    return save_model(network.create(card["architecture"], **card["arguments"]), card, folder)


def test_a_run_gives_a_model_whose_card_says_how_it_was_made(whole):
    model = load_model(whole / "tiny.yml")
    assert model.card.training["steps"] == 6 and model.card.training["config"]["train"][1]["count"] == 2
    assert 0 <= model.card.scores["validation"]["mean_iou"] <= 1
    assert 0.05 <= model.card.temperature <= 20 and model.card.temperature != 1
    averaged = {
        name[len("average.") :]: values
        for name, values in load_file(whole / "checkpoint.safetensors").items()
        if name.startswith("average.")
    }
    for name, values in model.network().state_dict().items():
        assert torch.allclose(values.float(), averaged[name].half().float())


def test_a_run_that_is_killed_goes_on_to_the_same_bits(whole, sets, tmp_path):
    arguments = command(tmp_path, sets, write(tmp_path))
    environment = dict(os.environ, PYTHONPATH=str(PACKAGES))
    process = subprocess.Popen([sys.executable, *arguments], env=environment, stderr=subprocess.DEVNULL)
    checkpoint = tmp_path / "checkpoint.safetensors"
    deadline = time.monotonic() + 60
    while not checkpoint.exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert checkpoint.exists() and not (tmp_path / "tiny.yml").exists()
    done = subprocess.run(
        [sys.executable, *arguments], env=environment, timeout=PROCESS_S, capture_output=True, text=True
    )
    assert done.returncode == 0 and "going on from step" in done.stderr
    assert done.stdout.strip() == str(tmp_path / "tiny.yml")
    assert same_weights(whole, tmp_path)
    assert torch.equal(
        *(
            torch.cat([values.flatten().double() for _, values in sorted(load_file(file).items())])
            for file in (whole / "checkpoint.safetensors", checkpoint)
        )
    )


def test_a_run_in_pieces_ends_the_same(whole, sets, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    train(tmp_path, sets, stop_after=1e-6)
    assert not (tmp_path / "tiny.yml").exists() and "stopped after step 1 of 6" in caplog.text
    train(tmp_path, sets)
    assert same_weights(whole, tmp_path)


def test_a_run_goes_on_under_another_name(whole, sets, tmp_path):
    train(tmp_path, sets, stop_after=1e-6)
    train(tmp_path, sets, name="renamed", version="0.2")
    renamed, plain = (load_model(path).card for path in (tmp_path / "renamed.yml", whole / "tiny.yml"))
    assert (renamed.name, renamed.version, renamed.sha256) == ("renamed", "0.2", plain.sha256)


def test_a_checkpoint_of_another_configuration_is_not_continued(sets, tmp_path):
    train(tmp_path, sets, stop_after=1e-6)
    with pytest.raises(ModelError, match="learning_rate, dice_weight differ"):
        train(tmp_path, sets, learning_rate=0.02, dice_weight=0.0)
    (tmp_path / "checkpoint.safetensors").write_bytes(b"no checkpoint")
    with pytest.raises(ModelError, match="move it away"):
        train(tmp_path, sets)


def test_two_processes_train_one_network(sets, whole, tmp_path):
    try:
        torch.distributed.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    except RuntimeError as error:
        pytest.skip(f"PyTorch's launcher does not work here: {str(error).splitlines()[0]}")
    launch = [
        "-m",
        "torch.distributed.run",
        "--nproc-per-node",
        "2",
        "--master-addr",
        "127.0.0.1",
        "--master-port",
        "29731",
    ]
    done = subprocess.run(
        [sys.executable, *launch, *command(tmp_path, sets, write(tmp_path))],
        timeout=PROCESS_S,
        text=True,
        env=dict(os.environ, PYTHONPATH=str(PACKAGES), OMP_NUM_THREADS="1"),
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(tmp_path / "tiny.yml")]
    assert load_model(tmp_path / "tiny.yml").card.training["steps"] == 6


def test_fresh_scenes_take_the_place_of_those_that_were_used(tmp_path):
    entry = {"preset": "any_rate", "count": 2, "seed": 8, "sample_rates": RATES}
    train(tmp_path, tmp_path, train=entry, epochs=3, fresh_every=1)
    assert sorted(path.name for path in tmp_path.glob("train*")) == ["train", "train-fresh-0002"]
    for name, seed in (("train", 8), ("train-fresh-0002", 20008)):
        assert yaml.safe_load((tmp_path / name / "set.yml").read_text())["seed"] == seed
    assert load_model(tmp_path / "tiny.yml").card.training["steps"] == 3


def test_a_loss_that_is_no_number_stops_the_run_and_keeps_the_batch(sets, tmp_path):
    with pytest.raises(ModelError, match="lower learning_rate") as caught:
        train(tmp_path, sets, learning_rate=1e30)
    (kept,) = tmp_path.glob("bad-step-*.npz")
    assert str(kept) in str(caught.value)
    with np.load(kept) as batch:
        assert batch["images"].shape[1:] == (1, 256, 256) and batch["masks"].shape == batch["images"][:, 0].shape
        assert len(batch["indices"]) == len(batch["images"])
    assert not (tmp_path / "tiny.yml").exists()


def test_weights_of_a_model_come_first_where_it_is_asked_for(sets, tmp_path):
    card = model_like(tmp_path / "first")
    train(tmp_path, sets, start_from=str(card), learning_rate=1e-12, average=0.0)
    first, last = (load_model(path).network() for path in (card, tmp_path / "tiny.yml"))
    for one, other in zip(first.parameters(), last.parameters()):
        assert torch.allclose(one, other, atol=1e-3)


def test_a_student_comes_nearer_to_its_teacher(sets, tmp_path, monkeypatch):
    card = model_like(tmp_path / "teacher")
    losses = []
    for weight in (0.0, 1.0):
        run = tmp_path / f"{weight}"
        run.mkdir()
        train(run, sets, teacher=str(card), teacher_weight=weight, epochs=6)
        student, teacher = load_model(run / "tiny.yml").network(), load_model(card).network()
        images = torch.rand(2, 1, 256, 256, generator=torch.Generator().manual_seed(1)) * 0.3
        with torch.inference_mode():
            losses.append((student(images).softmax(1) - teacher(images).softmax(1)).abs().mean().item())
    assert losses[1] < losses[0]


def test_a_blend_lies_between_the_weights_before_and_after(sets, tmp_path):
    card = model_like(tmp_path / "first")
    weights = {}
    for blend in (1.0, 0.25, 0.0):  # the finished run is blended anew, not trained again
        train(tmp_path, sets, start_from=str(card), blend=blend)
        weights[blend] = load_file(tmp_path / "tiny.safetensors")
    before = load_file(card.with_suffix(".safetensors"))
    for name, values in before.items():
        if values.is_floating_point():
            assert torch.equal(weights[0.0][name], values)
            expected = torch.lerp(values.float(), weights[1.0][name].float(), 0.25)
            torch.testing.assert_close(weights[0.25][name].float(), expected, rtol=2e-3, atol=1e-4)


def test_a_blend_takes_weights_to_start_from(tmp_path):
    with pytest.raises(ParameterError, match="blend is 0.5, but without start_from"):
        train(tmp_path, tmp_path / "sets", blend=0.5)


@pytest.mark.parametrize(
    "key, changes, words",
    [
        ("teacher", {"features": "published", "arguments": NETWORK | {"in_channels": 3}}, "features"),
        ("teacher", {"classes": ["noise", "NR", "LTE", "other"]}, "classes"),
        (
            "start_from",
            {"architecture": "rpmsn", "arguments": {"in_channels": 1, "classes": 4, "width": 8}},
            "architecture",
        ),
    ],
)
def test_a_model_that_does_not_fit_is_refused_before_anything_is_made(key, changes, words, tmp_path):
    card = model_like(tmp_path / "wrong", **changes)
    with pytest.raises(ModelError, match=words):
        train(tmp_path, tmp_path / "sets", **{key: str(card)})
    assert not (tmp_path / "sets").exists()


@pytest.mark.parametrize("key", ["teacher", "start_from"])
def test_a_model_that_is_not_there_is_named_before_anything_is_made(key, tmp_path):
    with pytest.raises(ModelError, match=f"{key} names a model that cannot be loaded: .*train it first"):
        train(tmp_path, tmp_path / "sets", **{key: str(tmp_path / "first.yml")})
    assert not (tmp_path / "sets").exists()


def test_mixed_precision_trains(sets, tmp_path):
    train(tmp_path, sets, precision="bf16", epochs=1, validate_every=1)
    assert load_model(tmp_path / "tiny.yml").card.training["config"]["precision"] == "bf16"
    assert all(
        values.dtype == torch.float32
        for name, values in load_file(tmp_path / "checkpoint.safetensors").items()
        if name.startswith("network.") and name.endswith("weight")
    )


def test_tensorboard_gets_scalars(whole):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    events = accumulator.EventAccumulator(str(whole / "tensorboard")).Reload()
    assert "validation/mean_iou" in events.Tags()["scalars"]
    assert events.Scalars("validation/mean_iou")[0].step == 6


def test_a_set_whose_file_is_not_whole_is_named(sets, whole, tmp_path):
    config = load_config(write(tmp_path))
    broken = tmp_path / "sets"
    Trainer(replace(config, epochs=1), tmp_path / "one", 1, broken, 1e-6).run()
    file = broken / "train-2" / "shard-00000.images.npy"
    file.write_bytes(file.read_bytes()[:-1000])
    with pytest.raises(ModelError, match="train-2 holds a file that is not whole"):
        Trainer(config, tmp_path / "two", 1, broken).run()
    file.unlink()
    Trainer(config, tmp_path / "two", 1, broken, 1e-6).run()
    assert file.read_bytes() == (sets / "train-2" / file.name).read_bytes()


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"classes": ["noise", "LTE", "6G", "other"]}, "6G"),
        ({"features": "oil"}, "averaged"),
        ({"features": "published"}, "in_channels: 3"),
        ({"classes": ["noise", "LTE", "NR"]}, "classes: 3"),
        ({"learning_rate": "2e-3"}, "learning_rate is '2e-3', but a number is needed; write it without quotes"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"epochs": 1.5}, "epochs is 1.5"),
        ({"average": 1.0}, "below 1"),
        ({"precision": "fp8"}, "fp32, bf16"),
        ({"compile": "fast"}, "true or false"),
        ({"class_weights": [1, 2]}, "2 values for 4 classes"),
        ({"train": []}, "train is .*a list of at least 1"),
        ({"train": VALUES["validation"]}, "same scenes"),
        ({"train": VALUES["train"] + [{"count": 1}]}, "train"),
        ({"schedule": "linear"}, "unknown key 'schedule'"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused_by_name(changes, words, tmp_path):
    with pytest.raises(ParameterError, match=words) as caught:
        load_config(write(tmp_path, **changes))
    assert "tiny-config.yml" in str(caught.value)
