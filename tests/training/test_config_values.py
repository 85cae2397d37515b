# SPDX-License-Identifier: GPL-3.0-or-later
"""Every value of training and experiment configurations and of sets' descriptions: taken, or refused in a sentence with
file and key; never a traceback."""

import dataclasses
from dataclasses import MISSING, fields

import pytest
from bad_values import BAD_VALUES, places, with_value, without

pytest.importorskip("torch")

from rpmsn.errors import ParameterError
from rpmsn.files import to_yaml
from rpmsn.training.config import TrainingConfig, load_config, shipped_config
from rpmsn.training.dataset import SetConfig, read_description
from rpmsn.training.experiment import Experiment

SET = {
    "preset": "any_rate",
    "count": 2,
    "seed": 3,
    "policy": "occupied",
    "features": "cyclic",
    "sample_rates": [5e6, 8e6],
}
CONFIG = {
    "name": "tiny",
    "version": "0.1",
    "architecture": "rpmsn-rt",
    "arguments": {"in_channels": 4, "classes": 4, "widths": [4, 8], "stages": 1},
    "sample_rates": [1.92e6, 125e6],
    "train": [SET],
    "validation": {**SET, "seed": 4},
    "epochs": 2,
    "learning_rate": 1e-3,
    "batch_size": 2,
    "weight_decay": 1e-4,
    "classes": ["noise", "LTE", "NR", "other"],
    "class_weights": [1.0, 1.0, 1.2, 2.0],
    "features": "cyclic",
    "fresh_every": 1,
    "gradient_clip": 1.0,
    "dice_weight": 0.3,
    "average": 0.9,
    "precision": "fp32",
    "compile": False,
    "teacher": "rpmsn-rt",
    "teacher_weight": 0.5,
    "start_from": "rpmsn-rt",
    "blend": 0.5,
    "validate_every": 1,
    "seed": 1,
    "checkpoint_seconds": 120.0,
}
TEXTS = {"text", "empty text", "number as text", "path"}
COUNTS = {"zero"}
AMOUNTS = {"zero", "fraction", "huge", "huge whole"}
FITTING = {
    "name": {"text", "number as text"},
    "version": TEXTS,
    "sample_rates": {"list"},
    "sample_rates.0": {"fraction"},
    "sample_rates.1": {"huge", "huge whole"},
    "learning_rate": {"fraction", "huge", "huge whole"},
    "weight_decay": AMOUNTS,
    "class_weights": {"null"},
    **{f"class_weights.{index}": AMOUNTS for index in range(4)},
    "fresh_every": COUNTS,
    "gradient_clip": AMOUNTS,
    "dice_weight": AMOUNTS,
    "average": {"zero", "fraction"},
    "compile": {"true"},
    "teacher": {*TEXTS, "null"},
    "teacher_weight": {"zero", "fraction"},
    "start_from": TEXTS,
    "blend": {"zero", "fraction"},
    "validate_every": COUNTS,
    "seed": COUNTS,
    "checkpoint_seconds": AMOUNTS,
    **{
        f"{before}.{key}": names
        for before in ("train.0", "validation")
        for key, names in {
            "seed": COUNTS,
            "sample_rates": {"null"},
            "sample_rates.0": {"fraction"},
            "sample_rates.1": {"huge", "huge whole"},
        }.items()
    },
}
"""Place -> names of the values that it may have, however odd."""


def named(place):
    return ".".join(map(str, place))


def refused(read, folder, values):
    """The message of the error for a file with these values; None if it is taken."""
    path = folder / "wrong.yml"
    path.write_text(to_yaml(values), encoding="utf-8")
    try:
        read(path)
    except ParameterError as error:
        assert str(path) in str(error) and len(str(error)) < 3000
        return str(error)
    return None


def test_all_keys_are_tried():
    assert list(CONFIG) == [entry.name for entry in fields(TrainingConfig)]
    assert [*SET, "recordings"] == [entry.name for entry in fields(SetConfig)]


@pytest.mark.parametrize("place", list(places(CONFIG)), ids=named)
def test_a_value_that_cannot_be_is_refused_by_file_and_key(tmp_path, place):
    fitting = set()
    for name, value in BAD_VALUES.items():
        message = refused(load_config, tmp_path, with_value(CONFIG, place, value))
        if message is None:
            fitting.add(name)
        else:
            assert str(place[0]) in message
    assert fitting == FITTING.get(named(place), set())


@pytest.mark.parametrize("entry", fields(TrainingConfig), ids=lambda entry: entry.name)
def test_a_key_that_is_missing_is_named_if_it_is_needed(tmp_path, entry):
    plain = {**CONFIG, "blend": 1.0} if entry.name != "blend" else CONFIG
    message = refused(load_config, tmp_path, without(plain, (entry.name,)))
    is_needed = entry.default is MISSING and entry.default_factory is MISSING
    assert (message is not None) == is_needed and (not is_needed or f"key '{entry.name}' is missing" in message)


def test_numbers_are_read_by_one_rule_in_sets_and_configurations(tmp_path):
    path = tmp_path / "config.yml"
    path.write_text(to_yaml({key: value for key, value in CONFIG.items() if key != "sample_rates"}))
    with path.open("a") as file:
        file.write("sample_rates: [1.92e6, 125e6]\n")
    assert load_config(path).sample_rates == [1.92e6, 125e6]
    (tmp_path / "set.yml").write_text("features: cyclic\nsample_rates: [1.92e6, 125e6]\n")
    assert read_description(tmp_path)["sample_rates"] == [1.92e6, 125e6]


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"recipe": "cyclic"}, "unknown key 'recipe'; it is called 'features' now"),
        (
            {"validation": {**SET, "seed": 4, "rule": "filled"}},
            "validation: unknown key 'rule'; it is called 'policy' now",
        ),
        ({"validation": {**SET, "seed": 4, "policy": "parted"}}, "allowed are .*split.*; it is called split now"),
        ({"validation": {**SET, "seed": 10_003}}, "same scenes"),
        ({"sample_rates": [125e6, 1.92e6]}, "lowest rate is needed first"),
        ({"classes": ["noise", "LTE", "NR", "NR"]}, "each class is needed once"),
        ({"class_weights": [0.0] * 4}, "one above 0"),
        ({"train": {**SET, "preset": "crowded"}}, "train\\[0\\]: .*preset 'crowded' has its own"),
        ({"train": {**SET, "preset": "stitched", "sample_rates": None}}, "train\\[0\\]: .*name a folder"),
        (
            {"arguments": {**CONFIG["arguments"], "kernels": 3}},
            "arguments: unknown key 'kernels'; allowed are .*kernel",
        ),
        ({"epochs": 2.0}, "epochs is 2.0, but a whole number is needed"),
    ],
)
def test_a_configuration_is_refused_with_what_is_allowed(tmp_path, changes, words):
    message = refused(load_config, tmp_path, {**CONFIG, **changes})
    assert message is not None
    with pytest.raises(ParameterError, match=words):
        load_config(tmp_path / "wrong.yml")


def test_a_folder_does_not_hide_a_configuration_that_ships_and_an_unknown_name_lists_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rpmsn-rt-second").mkdir()
    assert load_config(shipped_config("rpmsn-rt-second")).name == "rpmsn-rt-second"
    with pytest.raises(ParameterError, match="ships: rpmsn-rt, rpmsn-rt-first, rpmsn-rt-second, rpmsn-rt-split"):
        load_config(shipped_config("rpmsn"))


def test_a_configuration_that_is_written_is_read_again_as_it_was(tmp_path):
    path = tmp_path / "config.yml"
    for name in ("rpmsn-rt", "rpmsn-rt-first", "rpmsn-rt-second", "rpmsn-rt-split"):
        config = load_config(shipped_config(name))
        path.write_text(to_yaml(config.to_dict()))
        assert load_config(path) == config


EXPERIMENT = {
    **{key: CONFIG[key] for key in ("version", "classes", "sample_rates", "train", "epochs", "learning_rate")},
    "about": "Two systems",
    "tests": [{**SET, "seed": 4}],
    "systems": {
        "one": {"title": "One", "architecture": "rpmsn-rt", "features": "cyclic", "arguments": {"stages": 1}},
        "two": {"title": "Two", "architecture": "unet", "features": "averaged"},
    },
}
EXPERIMENT_FITTING = {
    "version": TEXTS,
    "about": TEXTS,
    "systems.one.title": TEXTS,
    "systems.two.title": TEXTS,
    "systems.one.arguments": {"null", "empty mapping"},
    "systems": set(),
    "tests": set(),
}


def read_experiment(path):
    Experiment(path.parent, path)


@pytest.mark.parametrize("place", list(places(EXPERIMENT)), ids=named)
def test_an_experiments_value_that_cannot_be_is_refused_before_anything_is_trained(tmp_path, place):
    fitting = set()
    for name, value in BAD_VALUES.items():
        message = refused(read_experiment, tmp_path, with_value(EXPERIMENT, place, value))
        if message is None:
            fitting.add(name)
    key = named(place).replace("tests.0", "validation")
    assert fitting == EXPERIMENT_FITTING.get(named(place), FITTING.get(key, set()))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["wrong.yml"]


@pytest.mark.parametrize("content", ["", "- 1\n", "loud", "systems: 3", "systems: {one: 1}"])
def test_a_file_that_is_no_experiment_is_refused(tmp_path, content):
    (tmp_path / "wrong.yml").write_text(content)
    with pytest.raises(ParameterError, match="wrong.yml"):
        read_experiment(tmp_path / "wrong.yml")


def test_scenes_and_epochs_given_count_for_every_system(tmp_path):
    three = {**EXPERIMENT["systems"]["one"], "train": {**SET, "count": 100}}
    values = {**EXPERIMENT, "systems": {**EXPERIMENT["systems"], "three": three}}
    (tmp_path / "wrong.yml").write_text(to_yaml(values))
    made = Experiment(tmp_path, tmp_path / "wrong.yml", scenes=10, epochs=3)
    assert {name: system.config.train[0].count for name, system in made.systems.items()} == dict.fromkeys(
        made.systems, 10
    )
    assert {system.config.epochs for system in made.systems.values()} == {3}
    for key in ("scenes", "epochs"):
        with pytest.raises(ParameterError, match=f"{key} is -1"):
            Experiment(tmp_path, tmp_path / "wrong.yml", **{key: -1})


DESCRIPTION = {
    **dataclasses.asdict(SetConfig("any_rate", 2, 3, sample_rates=[5e6, 8e6])),
    "shard_scenes": 32,
    "generator": 3,
}
del DESCRIPTION["policy"]


@pytest.mark.parametrize("place", list(places(DESCRIPTION)), ids=named)
def test_a_sets_description_that_cannot_be_is_refused_by_file_and_key(tmp_path, place):
    def read(path):
        path.rename(tmp_path / "set.yml")
        try:
            read_description(tmp_path)
        except ParameterError as error:
            raise ParameterError(str(error).replace("set.yml", "wrong.yml")) from error

    for name, value in BAD_VALUES.items():
        message = refused(read, tmp_path, with_value(DESCRIPTION, place, value))
        assert message is None or str(place[0]) in message
        if name in ("mapping", "list of null", "not a number", "true"):
            assert message is not None
