# SPDX-License-Identifier: GPL-3.0-or-later
"""Runtimes and export: every library gives what torch gives, the fastest is picked, and torch is not needed."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from limits import HANG_S, PROCESS_S

from rpmsn import installation, runtimes
from rpmsn.cli.main import main
from rpmsn.errors import MissingLibraryError, ModelError, ParameterError
from rpmsn.models.model import load_model
from rpmsn.runtimes import compiled, fastest
from rpmsn.runtimes.base import softmax
from rpmsn.runtimes.torch_runtime import TorchRuntime
from rpmsn.training.export import TOLERANCE, export

pytest.importorskip("torch")
pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

PACKAGES = Path(__file__).resolve().parents[2] / "python"
EXPORTED = [name for name, kind in runtimes.KINDS.items() if kind.export]


def write_set(folder, channels, features, count=4):
    """A calibration set of smooth random images."""
    folder.mkdir(parents=True)
    (folder / "set.yml").write_text(yaml.safe_dump({"features": features}))
    coarse = np.random.default_rng(1).integers(0, 256, (count, channels, 16, 16), np.uint8)
    np.save(folder / "shard-00000.images.npy", coarse.repeat(16, axis=2).repeat(16, axis=3))
    return folder


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    """The user's cache folder, empty."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "rpmsn" / "runtimes"


@pytest.fixture(scope="module")
def calibration(untrained_model, tmp_path_factory):
    card = load_model(untrained_model).card
    return write_set(tmp_path_factory.mktemp("calibration") / "set", card.arguments["in_channels"], card.features)


@pytest.fixture(scope="module")
def exported_model(untrained_model, calibration, tmp_path_factory):
    """Folder with card, weights and both ONNX files of an untrained model."""
    folder = tmp_path_factory.mktemp("exported")
    export(load_model(untrained_model), "all", calibration, folder, quiet=True)
    return folder


@pytest.fixture
def card(exported_model, untrained_model, tmp_path):
    """Path of the card of an exported model that a test may damage."""
    return shutil.copytree(exported_model, tmp_path / "model") / untrained_model.name


def change(card, **values):
    card.write_text(yaml.safe_dump({**yaml.safe_load(card.read_text()), **values}))


def need(name):
    pytest.importorskip(runtimes.KINDS[name].library)


def images_for(model, count=2):
    return np.random.default_rng(3).random((count, model.card.arguments["in_channels"], 256, 256), np.float32)


@pytest.fixture
def compiling(exported_model, monkeypatch):
    """(The exported model, a list with an entry for every network that OpenVINO compiles from now on)."""
    openvino = pytest.importorskip("openvino")
    made = []

    class Core(openvino.Core):
        def compile_model(self, *arguments, **others):
            made.append(arguments)
            return super().compile_model(*arguments, **others)

    monkeypatch.setattr(openvino, "Core", Core)
    return load_model(next(exported_model.glob("*.yml"))), made


@pytest.mark.skipif(os.name == "nt", reason="limits of POSIX")
def test_a_process_with_too_little_memory_is_told_before_a_library_hangs(untrained_model, monkeypatch):
    import resource

    monkeypatch.setattr(resource, "getrlimit", lambda _: (900 << 20, resource.RLIM_INFINITY))
    with pytest.raises(ModelError, match="limited to 0.9 GB, and the analysis needs 1.5 GB"):
        runtimes.create(load_model(untrained_model), "torch")


class TestCompiledNetworks:
    def image(self, model):
        return np.random.default_rng(3).random((1, model.card.arguments["in_channels"], 256, 256), np.float32)

    def test_a_network_is_compiled_once_and_gives_the_same_from_then_on(self, compiling):
        model, made = compiling
        first = runtimes.create(model, "openvino").probabilities(self.image(model))
        again = runtimes.create(model, "openvino").probabilities(self.image(model))
        np.testing.assert_array_equal(again, first)
        assert len(made) == 1
        runtimes.create(model, "openvino", threads=2)
        runtimes.create(model, "openvino-int8")
        assert len(made) == 3

    @pytest.mark.parametrize("damage", [lambda content: content[:-1], lambda content: content[:900], lambda _: b""])
    def test_one_that_is_damaged_is_compiled_again(self, compiling, cache, damage):
        model, made = compiling
        runtimes.create(model, "openvino")
        (kept,) = (cache.parent / "compiled").iterdir()
        kept.write_bytes(damage(kept.read_bytes()))
        runtimes.create(model, "openvino").probabilities(self.image(model))
        runtimes.create(model, "openvino")
        assert len(made) == 2

    def test_without_a_cache_folder_every_start_compiles(self, compiling, monkeypatch, tmp_path):
        model, made = compiling
        (tmp_path / "file").write_text("")
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
        for _ in range(2):
            runtimes.create(model, "openvino").probabilities(self.image(model))
        assert len(made) == 2

    def test_those_used_longest_ago_are_given_up(self, cache, monkeypatch):
        monkeypatch.setattr(compiled, "MOST_FILES", 2)
        for age, name in enumerate("abc"):
            compiled.keep(name, b"network")
            os.utime(cache.parent / "compiled" / f"{name}.bin", (age, age))
        compiled.keep("d", b"network")
        assert [compiled.recall(name) is not None for name in "abcd"] == [False, False, True, True]


class TestRuntimes:
    @pytest.mark.parametrize("name", [name for name in EXPORTED if not name.endswith("int8")])
    def test_float32_gives_the_probabilities_of_torch_for_any_batch(self, card, name):
        need(name)
        model = load_model(card)
        runtime = runtimes.create(model, name, threads=2)
        for count in (1, 2):
            images = images_for(model, count)
            found, expected = runtime.probabilities(images), TorchRuntime(model).probabilities(images)
            assert found.shape == expected.shape and found.dtype == np.float32
            assert np.abs(found - expected).max() < TOLERANCE
        assert runtime.name == name

    @pytest.mark.parametrize("name", [name for name in EXPORTED if name.endswith("int8")])
    def test_int8_is_near_torch(self, card, calibration, name):
        need(name)
        if not fastest.has_int8_unit():
            pytest.skip("this CPU has no unit for int8")
        model = load_model(card)
        images = np.load(calibration / "shard-00000.images.npy")[:1].astype(np.float32) / 255
        found = runtimes.create(model, name).probabilities(images)
        expected = TorchRuntime(model).probabilities(images)
        # A step of 1/255 of the range in each of a few layers: hundredths of a probability, not tenths.
        assert np.abs(found - expected).mean() < 0.02

    def test_bfloat16_is_near_float32(self, card):
        model = load_model(card)
        if "torch-bf16" not in runtimes.available(model):
            pytest.skip("this CPU does not multiply bfloat16")
        images = images_for(model, 2)
        found = runtimes.create(model, "torch-bf16").probabilities(images)
        expected = TorchRuntime(model).probabilities(images)
        # Eight bits of each number, in a few layers: hundredths of a probability at most, but not the same bits.
        assert found.dtype == np.float32 and 0 < np.abs(found - expected).max() < 0.1

    def test_bfloat16_is_refused_on_a_cpu_without_it(self, card, monkeypatch):
        monkeypatch.setattr(runtimes, "BFLOAT16_FEATURES", {"no such feature"})
        assert "torch-bf16" not in runtimes.available(load_model(card))
        with pytest.raises(ModelError, match="'torch-bf16' needs a CPU that multiplies bfloat16.*choose torch"):
            runtimes.create(load_model(card), "torch-bf16")

    @pytest.mark.parametrize("name", ["torch", *EXPORTED])
    def test_the_cards_temperature_flattens_the_probabilities(self, card, name):
        need(name)
        model = load_model(card)
        images = images_for(model, 1)
        sharp = runtimes.create(model, name).probabilities(images)
        change(card, temperature=4.0)
        flat = runtimes.create(load_model(card), name).probabilities(images)
        # By definition: the logarithms' distances are a quarter.
        expected = softmax(np.log(sharp), 4.0)
        assert np.abs(flat - expected).max() < 1e-5

    @pytest.mark.parametrize("name", ["torch", *EXPORTED])
    def test_results_of_an_earlier_call_stay(self, card, name):
        need(name)
        model = load_model(card)
        runtime = runtimes.create(model, name)
        first = runtime.probabilities(images_for(model, 1))
        kept = first.copy()
        runtime.probabilities(np.zeros_like(images_for(model, 1)))
        assert np.array_equal(first, kept)

    def test_images_of_another_shape_are_refused_with_the_right_one(self, card):
        with pytest.raises(ParameterError, match=r"\(1, 7, 256, 256\).*\(batch, \d, 256, 256\)"):
            runtimes.create(load_model(card), "onnxruntime").probabilities(np.zeros((1, 7, 256, 256), np.float32))

    def test_an_unknown_name_lists_the_names_and_too_few_threads_are_refused(self, card):
        with pytest.raises(ParameterError, match="'tensorrt'.*auto, torch.*openvino-int8"):
            runtimes.create(load_model(card), "tensorrt")
        with pytest.raises(ParameterError, match="threads is 0"):
            runtimes.create(load_model(card), "torch", 0)

    def test_a_library_that_is_missing_is_named_with_the_command_to_install_it(self, card, monkeypatch):
        monkeypatch.setitem(runtimes.KINDS, "openvino", replace(runtimes.KINDS["openvino"], library="no_such_library"))
        assert "openvino" not in runtimes.available(load_model(card))
        with pytest.raises(MissingLibraryError, match="pip install no_such_library"):
            runtimes.create(load_model(card), "openvino")

    def test_a_model_without_the_file_says_how_to_make_it(self, untrained_model):
        assert runtimes.available(load_model(untrained_model))[:1] == ["torch"]
        with pytest.raises(ModelError, match="rpmsn export.*torch"):
            runtimes.create(load_model(untrained_model), "onnxruntime-int8")

    def test_a_model_without_the_file_names_all_that_can_run_it(self, untrained_model, monkeypatch):
        model = load_model(untrained_model)
        can = runtimes.available(model)
        assert str(runtimes.why_not("onnxruntime", model)).endswith(f"or choose another runtime: {', '.join(can)}")
        monkeypatch.setattr(runtimes, "_is_installed", lambda library: library == "onnxruntime")
        assert str(runtimes.why_not("onnxruntime", model)).endswith("make it with `rpmsn export`")


class TestDamage:
    def test_a_changed_file_is_refused(self, card):
        path = load_model(card).export_path("onnx")
        path.write_bytes(path.read_bytes()[:-1])
        with pytest.raises(ModelError, match="sha256 differs.*rpmsn export"):
            runtimes.create(load_model(card), "onnxruntime")

    def test_a_missing_file_is_named_and_not_listed(self, card):
        path = load_model(card).export_path("onnx")
        path.unlink()
        assert "onnxruntime" not in runtimes.available(load_model(card))
        with pytest.raises(ModelError, match=path.name):
            runtimes.create(load_model(card), "onnxruntime")

    @pytest.mark.parametrize("name", ["onnxruntime", "openvino"])
    def test_a_file_that_is_no_onnx_is_refused_with_a_message(self, card, name):
        need(name)
        self.replace_file(card, b"this is no graph")
        with pytest.raises(ModelError, match="cannot be read by O.* with `rpmsn export`"):
            runtimes.create(load_model(card), name)

    @pytest.mark.parametrize("name", ["onnxruntime", "openvino"])
    def test_a_network_of_other_shapes_than_the_cards_is_refused(self, card, name):
        need(name)
        from onnx import TensorProto, helper

        shape = ["batch", 9, 256, 256]
        graph = helper.make_graph(
            [helper.make_node("Relu", ["a"], ["b"])],
            "foreign",
            [helper.make_tensor_value_info("a", TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info("b", TensorProto.FLOAT, shape)],
        )
        foreign = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        self.replace_file(card, foreign.SerializeToString())
        with pytest.raises(ModelError, match=r"\(9, 256, 256\).*by the card"):
            runtimes.create(load_model(card), name)

    @pytest.mark.parametrize(
        "values, words",
        [
            ({"temperature": 0}, "temperature is 0"),
            ({"temperature": "warm"}, "temperature is 'warm'"),
            ({"temperature": float("nan")}, "temperature is nan"),
            ({"exports": []}, "exports is .*`rpmsn export`"),
            ({"exports": {"tflite": {}}}, "onnx, onnx-int8"),
            ({"exports": {"onnx": {"file": "a.onnx"}}}, "sha256"),
            ({"exports": {"onnx": {"file": "../a.onnx", "sha256": ""}}}, "without slashes.*`rpmsn export`"),
        ],
    )
    def test_a_card_that_makes_no_sense_is_refused_with_a_message(self, card, values, words):
        change(card, **values)
        with pytest.raises(ModelError, match=words):
            load_model(card)

    def test_a_card_without_the_new_keys_is_as_before(self, card):
        content = yaml.safe_load(card.read_text())
        del content["temperature"], content["exports"]
        card.write_text(yaml.safe_dump(content))
        assert load_model(card).card.temperature == 1.0
        assert load_model(card).card.exports == {}

    def replace_file(self, card, content):
        """Another file in the place of the float32 export, with a card that lists it."""
        import hashlib

        path = load_model(card).export_path("onnx")
        path.write_bytes(content)
        listed = {"onnx": {"file": path.name, "sha256": hashlib.sha256(content).hexdigest()}}
        change(card, exports=listed)


class TestFastest:
    @pytest.fixture
    def times(self, monkeypatch):
        """Times of the runtimes, in the place of a trial; `tried` lists the names."""
        seconds, tried = {"onnxruntime": 0.001}, []

        def trial(runtime, limit_s):
            assert 0 < limit_s <= fastest.TRIAL_SECONDS
            tried.append(runtime.name)
            return seconds.get(runtime.name, 0.002)

        monkeypatch.setattr(fastest, "trial", trial)
        return seconds, tried

    def test_is_picked_and_remembered(self, card, cache, times):
        seconds, tried = times
        model = load_model(card)
        assert runtimes.create(model).name == "onnxruntime"
        names = [name for name in EXPORTED if fastest.has_int8_unit() or not name.endswith("int8")]
        names = [name for name in names if name in runtimes.available(model)]
        assert [name for name in tried if name != "cuda"] == names
        remembered = json.loads(next(cache.iterdir()).read_text())
        assert remembered["runtime"] == "onnxruntime" and set(remembered["milliseconds"]) == set(tried)
        once = len(tried)
        assert runtimes.create(model).name == "onnxruntime"
        assert len(tried) == once

    def test_is_looked_for_again_for_another_number_of_threads_or_another_model(self, card, cache, times):
        _, tried = times
        runtimes.create(load_model(card), threads=1)
        once = len(tried)
        runtimes.create(load_model(card), threads=2)
        change(card, exports={"onnx": load_model(card).card.exports["onnx"]})
        runtimes.create(load_model(card), threads=2)
        assert len(list(cache.iterdir())) == 3 and len(tried) > 2 * once

    @pytest.mark.parametrize("content", ["", "{", "[]", '{"runtime": "tensorrt"}', '{"runtime": []}', "\x00"])
    def test_a_damaged_memory_is_no_error(self, card, cache, times, content):
        runtimes.create(load_model(card))
        (path,) = cache.iterdir()
        path.write_text(content)
        assert runtimes.create(load_model(card)).name == "onnxruntime"
        assert json.loads(path.read_text())["runtime"] == "onnxruntime"

    def test_a_cache_folder_that_cannot_be_written_is_no_error(self, card, times, monkeypatch, tmp_path):
        (tmp_path / "file").write_text("")
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
        assert runtimes.create(load_model(card)).name == "onnxruntime"

    def test_a_remembered_runtime_that_works_no_more_is_replaced(self, card, times):
        runtimes.create(load_model(card))
        path = load_model(card).export_path("onnx")
        path.write_bytes(b"damaged")
        assert runtimes.create(load_model(card)).name not in ("onnxruntime", "openvino")

    def test_int8_is_not_tried_on_a_cpu_without_a_unit_for_it(self, card, times, monkeypatch):
        monkeypatch.setattr(fastest, "has_int8_unit", lambda: False)
        runtimes.create(load_model(card))
        assert not [name for name in times[1] if name.endswith("int8")]

    def test_torch_is_not_loaded_where_another_runtime_is(self, card):
        """It takes seconds and hundreds of megabytes, and is never the fastest on a CPU."""
        code = (
            "import sys; from rpmsn import runtimes; from rpmsn.models.model import load_model\n"
            f"runtimes.create(load_model({str(card)!r})); print('torch' in sys.modules)"
        )
        result = subprocess.run(
            [sys.executable, "-c", code],
            text=True,
            capture_output=True,
            timeout=PROCESS_S,
            env=dict(os.environ, PYTHONPATH=str(PACKAGES)),
        )
        if "cuda" in runtimes.available(load_model(card)):
            pytest.skip("there is a GPU")
        assert result.stdout == "False\n", result.stderr

    def test_one_runtime_needs_no_trial(self, untrained_model, times, cache):
        if "cuda" in runtimes.available(load_model(untrained_model)):
            pytest.skip("there is a GPU")
        assert runtimes.create(load_model(untrained_model)).name == "torch"
        assert not times[1] and not cache.exists()

    def test_says_what_is_missing_where_nothing_works(self, card, monkeypatch):
        monkeypatch.setattr(runtimes, "_is_installed", lambda library: False)
        with pytest.raises(ModelError, match="no runtime.*package torch.*package onnxruntime"):
            runtimes.create(load_model(card))

    def test_a_trial_measures_within_its_limit(self, card):
        seconds = fastest.trial(runtimes.create(load_model(card), "onnxruntime"), 0.2)
        assert 0 < seconds < HANG_S


class TestExport:
    def test_lists_files_with_their_checksums_in_the_card(self, exported_model, untrained_model):
        model = load_model(exported_model / untrained_model.name)
        assert set(model.card.exports) == {"onnx", "onnx-int8"}
        assert model.card.exports["onnx"]["largest_difference"] < TOLERANCE
        assert 0.5 < model.card.exports["onnx-int8"]["agreement"] <= 1
        for key in model.card.exports:
            model.exported(key)
        model.network()
        assert not list(exported_model.glob(".*.tmp"))

    def test_float32_takes_half_the_space_and_int8_less(self, exported_model, untrained_model):
        model = load_model(exported_model / untrained_model.name)
        parameters = sum(values.numel() for values in model.network().parameters())
        graph = 60_000  # the graph itself, which a small model has as well
        assert model.export_path("onnx").stat().st_size < 2 * parameters + graph
        assert model.export_path("onnx-int8").stat().st_size < 1.2 * parameters + 2 * graph

    def test_makes_the_same_file_again_and_keeps_the_other(self, card, tmp_path):
        before = load_model(card).card.exports
        (written,) = export(load_model(card), "onnx")
        assert written.path == card.with_suffix(".onnx")
        after = load_model(card).card.exports
        assert after["onnx"]["sha256"] == before["onnx"]["sha256"] and after["onnx-int8"] == before["onnx-int8"]
        export(load_model(card), "onnx", output=tmp_path / "elsewhere")
        assert set(load_model(tmp_path / "elsewhere" / card.name).card.exports) == {"onnx"}

    def test_a_graph_that_differs_from_torch_is_not_written(self, untrained_model, tmp_path, monkeypatch):
        from rpmsn.training import export as module

        monkeypatch.setattr(module, "TOLERANCE", -1.0)
        with pytest.raises(ModelError, match="nothing was written"):
            export(load_model(untrained_model), "onnx", output=tmp_path / "out")
        assert not (tmp_path / "out").exists()

    @pytest.mark.parametrize(
        "options, words",
        [
            (["--format", "tflite"], "'tflite'.*onnx, onnx-int8, all"),
            ([], "--calibration.*rpmsn synth --as set.*--format onnx"),
            (["--calibration", "nothing"], "nothing holds no shard.*rpmsn synth"),
        ],
    )
    def test_wrong_use_is_answered_with_the_next_step(self, untrained_model, capsys, options, words):
        import re

        assert main(["export", str(untrained_model), *options]) == 2
        assert re.search(words, capsys.readouterr().err)

    def test_a_set_of_another_feature_set_is_refused(self, untrained_model, tmp_path, capsys):
        wrong = write_set(tmp_path / "wrong", 3, "published")
        assert main(["export", str(untrained_model), "--calibration", str(wrong)]) == 2
        assert "'published'" in capsys.readouterr().err
        (wrong / "set.yml").unlink()
        assert main(["export", str(untrained_model), "--calibration", str(wrong)]) == 2
        assert "set.yml" in capsys.readouterr().err

    def test_the_command_prints_what_it_wrote(self, untrained_model, tmp_path, capsys):
        assert main(["export", str(untrained_model), "--format", "onnx", "--output", str(tmp_path), "--quiet"]) == 0
        assert "untrained.onnx: " in capsys.readouterr().out

    def test_a_library_that_is_missing_is_named(self, untrained_model, monkeypatch, capsys):
        monkeypatch.setitem(sys.modules, "onnx", None)
        assert main(["export", str(untrained_model), "--format", "onnx"]) == 1
        assert "Python package onnx" in capsys.readouterr().err


class TestWithoutTorch:
    @pytest.fixture
    def recording(self, tmp_path):
        """A short raw recording of noise."""
        path = tmp_path / "noise.bin"
        np.random.default_rng(1).integers(-20, 20, 2 * 400_000, np.int8).tofile(path)
        return path

    def rpmsn_without(self, modules, *arguments):
        code = (
            "import sys\n"
            "class Blocked:\n"
            "    def find_spec(self, name, path=None, target=None):\n"
            f"        if name.split('.')[0] in {modules!r}:\n"
            "            raise ModuleNotFoundError(f'No module named {name!r}', name=name)\n"
            "sys.meta_path.insert(0, Blocked())\n"
            "from rpmsn.cli.main import main\n"
            "sys.exit(main(sys.argv[1:]))"
        )
        return subprocess.run(
            [sys.executable, "-c", code, *map(str, arguments)],
            text=True,
            capture_output=True,
            timeout=PROCESS_S,
            env=dict(os.environ, PYTHONPATH=str(PACKAGES)),
        )

    @pytest.mark.parametrize(
        "name, others", [("onnxruntime", ["openvino"]), ("openvino-int8", ["onnxruntime"]), ("auto", ["onnx"])]
    )
    def test_annotate_runs_on_the_onnx_files_alone(self, card, recording, tmp_path, name, others):
        need("openvino") if name.startswith("openvino") else None
        card.with_suffix(".safetensors").unlink()
        result = self.rpmsn_without(
            ("torch", "safetensors", *others),
            "annotate",
            recording,
            "--format",
            "ci8",
            "--sample-rate",
            "5e6",
            "--model",
            card,
            "--runtime",
            name,
            "--json",
            "--quiet",
            "--output",
            tmp_path / "out.sigmf-meta",
        )
        assert result.returncode == 0, result.stderr
        found = json.loads(result.stdout)
        assert found["coverage"] == 1.0
        assert found["runtime"] == name if name != "auto" else found["runtime"] in EXPORTED

    def test_a_runtime_that_is_not_there_is_reported_before_any_work(self, card, recording):
        result = self.rpmsn_without(
            ("torch",),
            "annotate",
            recording,
            "--model",
            card,
            "--runtime",
            "torch",
            "--format",
            "ci8",
            "--sample-rate",
            "5e6",
        )
        assert result.returncode == 1 and "Python package torch" in result.stderr
        result = self.rpmsn_without((), "annotate", recording, "--model", card, "--runtime", "tensorrt")
        assert result.returncode == 2 and "openvino-int8" in result.stderr

    def test_the_doctor_is_content_and_lists_the_runtimes(self, card, monkeypatch):
        from rpmsn.cli import doctor
        from rpmsn.models import model as model_module

        monkeypatch.setattr(model_module, "SHIPPED", card.parent)
        there = {finding.name: finding for finding in doctor.examine()}
        assert "onnxruntime-int8" in there["runtime onnxruntime"].detail
        assert "onnxruntime" in there[f"model {card.stem}"].detail
        monkeypatch.setattr(runtimes, "_is_installed", lambda library: library != "torch")
        monkeypatch.setitem(sys.modules, "torch", None)
        there = {finding.name: finding for finding in doctor.examine()}
        assert there["runtime torch"].state == "optional" and there[f"model {card.stem}"].state == "ok"

    def test_the_doctor_misses_torch_where_a_model_needs_it(self, untrained_model, monkeypatch):
        from rpmsn.cli import doctor
        from rpmsn.models import model as model_module

        monkeypatch.setattr(model_module, "SHIPPED", untrained_model.parent)
        monkeypatch.setattr(runtimes, "_is_installed", lambda library: library != "torch")
        monkeypatch.setitem(sys.modules, "torch", None)
        there = {finding.name: finding for finding in doctor.examine()}
        assert (
            there["runtime torch"].state == "missing"
            and installation.how_to_add("torch") in there["runtime torch"].next_step
        )
