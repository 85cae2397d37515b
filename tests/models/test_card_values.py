# SPDX-License-Identifier: GPL-3.0-or-later
"""Every value of a model card: taken, or refused in a sentence with file and key; never a traceback."""

import inspect
import json
from dataclasses import fields
from pathlib import Path

import pytest
from bad_values import BAD_VALUES, places, with_value, without

from rpmsn import network
from rpmsn.errors import ModelError, ParameterError
from rpmsn.files import read_yaml, to_yaml
from rpmsn.models.arguments import KINDS, ImageArguments, RealTimeArguments, check_arguments
from rpmsn.models.model import SHIPPED, ModelCard, available_models, card_schema, load_model, save_card

ROOT = Path(__file__).resolve().parents[2]
CARD = {**read_yaml(SHIPPED / "rpmsn-rt.yml"), "training": {"steps": 1}, "scores": {"validation": {"mean_iou": 0.5}}}
FREE = (("training",), ("scores",), ("decision", "sets"))
"""Places whose contents are for people."""
PLACES = [place for place in places(CARD) if not any(place[: len(free)] == free != place for free in FREE)]
NUMBERS = {"fraction", "negative", "zero", "huge", "huge whole"}
FITTING = {
    ("version",): {"text", "empty text", "number as text", "path"},
    ("licence",): {"text", "empty text", "number as text", "path"},
    ("name",): {"text", "number as text"},
    ("weights",): {"text", "number as text"},
    ("training",): {"empty mapping", "mapping"},
    ("scores",): {"empty mapping", "mapping"},
    ("exports",): {"empty mapping"},
    ("decision",): {"null"},
    ("decision", "sets"): {"empty list"},
    ("decision", "segments"): {"zero", "huge whole", "beyond float"},
    **{place: NUMBERS for place in PLACES if place[:1] == ("decision",) and len(place) == 3},
    ("temperature",): {"fraction"},
    ("arguments", "separable"): {"true"},
    ("exports", "onnx", "file"): {"text", "number as text"},
    ("exports", "onnx-int8", "file"): {"text", "number as text"},
    ("exports", "onnx", "largest_difference"): set(BAD_VALUES),
    ("exports", "onnx-int8", "calibration_images"): set(BAD_VALUES),
    ("exports", "onnx-int8", "agreement"): set(BAD_VALUES),
    ("sample_rates",): {"list"},
    ("sample_rates", 0): {"fraction"},
    ("sample_rates", 1): {"huge", "huge whole"},
}
"""Place -> names of the values that it may have, however odd."""


def read(folder, values):
    path = folder / "card.yml"
    path.write_text(to_yaml(values), encoding="utf-8")
    return load_model(path)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: ".".join(map(str, place)))
def test_a_value_that_cannot_be_is_refused_by_file_and_key(tmp_path, place):
    fitting = set()
    for name, value in BAD_VALUES.items():
        try:
            read(tmp_path, with_value(CARD, place, value))
        except ModelError as error:
            assert str(error).startswith(f"model card {tmp_path / 'card.yml'}: ") and place[0] in str(error)
            assert len(str(error)) < 1500
        else:
            fitting.add(name)
    assert fitting == FITTING.get(place, set())


@pytest.mark.parametrize("key", [entry.name for entry in fields(ModelCard)])
def test_a_key_that_is_missing_is_named_if_it_is_needed(tmp_path, key):
    if key in ("training", "scores", "licence", "temperature", "exports", "decision"):
        read(tmp_path, without(CARD, (key,)))
    else:
        with pytest.raises(ModelError, match=f"card.yml: key '{key}' is missing"):
            read(tmp_path, without(CARD, (key,)))


def test_every_fault_is_reported_in_a_line_of_its_own(tmp_path):
    with pytest.raises(ModelError) as caught:
        read(
            tmp_path,
            {**CARD, "classes": ["noise", "GSM"], "frame_seconds": "0.04", "colour": "red", "recipe": "cyclic"},
        )
    lines = [line.removeprefix(f"model card {tmp_path / 'card.yml'}: ") for line in str(caught.value).splitlines()]
    assert lines == [
        "classes[1] is 'GSM', but allowed are noise, LTE, NR, other",
        "frame_seconds is '0.04', but a number is needed; write it without quotes",
        lines[2],
        "unknown key 'recipe'; it is called 'features' now",
    ]
    assert lines[2].startswith("unknown key 'colour'; allowed are name, version,")


@pytest.mark.parametrize(
    "classes, words",
    [(["LTE", "NR", "other", "noise"], None), (["noise", "LTE", "LTE", "NR"], "once"), (["LTE", "NR"], "noise")],
)
def test_classes_come_once_each_in_any_order_and_noise_among_them(tmp_path, classes, words):
    if words is None:
        assert read(tmp_path, {**CARD, "classes": classes}).card.classes == classes
    else:
        with pytest.raises(ModelError, match=words):
            read(tmp_path, {**CARD, "classes": classes})


@pytest.mark.parametrize("content", ["", "- 1\n", "hello", "3", "a: 1\na: 2", "a: &a [*a]", "? [1]\n: 2", "2: 3"])
def test_a_file_that_is_no_card_is_refused(tmp_path, content):
    (tmp_path / "card.yml").write_text(content)
    with pytest.raises(ModelError, match="card.yml"):
        load_model(tmp_path / "card.yml")


@pytest.mark.parametrize("name", sorted(set(network.REGISTRY) - {"reduced"}))
def test_the_arguments_that_are_checked_are_those_of_the_network(name):
    pytest.importorskip("torch")
    module, class_name = network.REGISTRY[name]
    parameters = inspect.signature(
        getattr(__import__(f"rpmsn.network.{module}", fromlist=["x"]), class_name)
    ).parameters
    known = {entry.name: entry.default for entry in fields(KINDS.get(name, ImageArguments))}
    assert list(known) == list(parameters)
    for key in set(known) - {"in_channels", "classes", "widths", "patch"}:
        assert known[key] == parameters[key].default
    if name == "rpmsn-rt":
        made = RealTimeArguments(1, 1)
        assert tuple(made.widths) == parameters["widths"].default and set(made.patch) == {parameters["patch"].default}


@pytest.mark.parametrize("key", ["widths", "stages", "patch", "scales", "kernel", "separable", "network", "factor"])
@pytest.mark.parametrize("architecture", ["rpmsn-rt", "reduced"])
def test_arguments_that_pass_build_a_network_of_the_images_size(architecture, key):
    torch = pytest.importorskip("torch")

    base = {"in_channels": 1, "classes": 3, "widths": [4, 8], "stages": 1}
    base |= {"network": "rpmsn-rt", "factor": 2} if architecture == "reduced" else {}
    for value in [*BAD_VALUES.values(), 2, 3, 16, 64, [4, 2], [4, 8, 8], [8] * 8]:
        arguments = {**base, key: value}
        try:
            check_arguments(architecture, arguments, "averaged", 3, "file.yml")
        except ParameterError as error:
            assert "file.yml: arguments" in str(error) and key in str(error)
            continue
        with torch.device("meta"):  # shapes without numbers
            made = network.create(architecture, **arguments).eval()
            assert made(torch.zeros(1, 1, 256, 256)).shape == (1, 3, 256, 256)


def test_a_card_that_could_not_be_read_again_is_not_written(tmp_path):
    from dataclasses import replace

    card = load_model(available_models()[0]).card
    assert load_model(save_card(card, tmp_path)).card == card
    with pytest.raises(ModelError, match="temperature is nan"):
        save_card(replace(card, name="bad", temperature=float("nan")), tmp_path)
    assert not (tmp_path / "bad.yml").exists()


def test_the_schema_that_is_published_is_that_of_the_code():
    assert json.loads((ROOT / "docs" / "model-card.schema.json").read_text(encoding="utf-8")) == card_schema()
