# SPDX-License-Identifier: GPL-3.0-or-later
"""The `rpmsn` command: what it writes, what it says, its exit status; for good input, bad input, and when stopped."""

import errno
import gzip
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import sigmf
import yaml
from limits import PROCESS_S
from oracle import ThresholdRuntime, flat_band

from rpmsn.archive import annotating
from rpmsn.cli import doctor
from rpmsn.cli.main import main
from rpmsn.detection import segmenter as segmenter_module
from rpmsn.errors import WriteError
from rpmsn.models import model as model_module
from rpmsn.synthesis.labels.masks import POLICIES

PACKAGES = Path(__file__).resolve().parents[2] / "python"
RATE = 5e6
CENTER = 1.815e9
FRAME = int(RATE * 0.04)
BAND = (-1e6, 0.75e6)
COLUMN = RATE / 256
GIGABYTE = 1 << 30


@pytest.fixture
def rpmsn(capsys):
    """Run the command in this process: rpmsn("info", path) -> status, out, err."""

    def run(*arguments):
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as stop:  # argparse's way
            status = stop.code
        return SimpleNamespace(status=status, **capsys.readouterr()._asdict())

    return run


@pytest.mark.parametrize("module", ["rpmsn", "rpmsn.cli"])
def test_the_package_runs_as_the_program(module):
    done = subprocess.run(
        [sys.executable, "-m", module, "--version"],
        capture_output=True,
        text=True,
        timeout=PROCESS_S,
        env=dict(os.environ, PYTHONPATH=str(PACKAGES)),
    )
    assert (done.returncode, done.stderr) == (0, "") and done.stdout.startswith("gr-rpmsn ")


@pytest.fixture
def annotate(rpmsn, untrained_model, monkeypatch):
    """Run `rpmsn annotate` with the stand-in for a network: what is well over the noise is LTE."""
    monkeypatch.setattr(segmenter_module.runtimes, "create", lambda *_: ThresholdRuntime())
    return lambda *arguments: rpmsn("annotate", "--model", untrained_model, *arguments)


def start(*arguments, **options):
    """Start the command as a process of its own, with the buffered output that most people have."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    environment["PYTHONPATH"] = str(PACKAGES)
    return subprocess.Popen(
        [sys.executable, "-m", "rpmsn.cli", *map(str, arguments)],
        text=True,
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": environment, **options},
    )


def python_without(module, *arguments):
    """Run the command in a Python that cannot import `module`."""
    code = (
        "import sys\n"
        "class Blocked:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.split('.')[0] == {module!r}:\n"
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


def components(count):
    """A flat carrier from -1 to 0.75 MHz over noise, as interleaved ci16 values."""
    samples = flat_band(count, RATE, *BAND, np.random.default_rng(1))
    return np.round(samples.view(np.float32) * 32767).astype("<i2")


def write_sigmf(folder, values, datatype="ci16_le", name="band", **global_fields):
    """Write a recording; a field of None is left out. Returns the path of its metadata."""
    fields = {"datatype": datatype, "sample_rate": RATE, "version": "1.2.0", **global_fields}
    meta = folder / f"{name}.sigmf-meta"
    meta.write_text(
        json.dumps(
            {
                "global": {f"core:{key}": value for key, value in fields.items() if value is not None},
                "captures": [{"core:sample_start": 0, "core:frequency": CENTER}],
                "annotations": [],
            }
        )
    )
    meta.with_suffix(".sigmf-data").write_bytes(values.tobytes())
    return meta


@pytest.fixture
def band(tmp_path):
    """Metadata path of two frames with one carrier, ci16, 5 Msps, around 1.8 GHz."""
    return write_sigmf(tmp_path, components(2 * FRAME))


@pytest.fixture
def raw(tmp_path):
    """The same samples without metadata."""
    path = tmp_path / "band.bin"
    path.write_bytes(components(2 * FRAME).tobytes())
    return path


def assert_is_the_carrier(carrier):
    """Edges within a column of those that `components` made, over both frames."""
    edges = [carrier["freq_lower"], carrier["freq_upper"]]
    assert edges == pytest.approx([CENTER + edge for edge in BAND], abs=COLUMN)
    assert (carrier["label"], carrier["start_offset"], carrier["end_offset"]) == ("LTE", 0, 2 * FRAME)


def files(folder):
    return sorted(path.name for path in folder.iterdir())


class TestAnnotate:
    def test_sigmf_in_gives_valid_sigmf_beside_it_that_opens_with_the_samples(self, annotate, band):
        result = annotate(band)
        written = band.with_name("band.rpmsn.sigmf-meta")
        assert result.status == 0
        assert str(written) in result.out
        found = sigmf.fromfile(str(written), skip_checksum=True)
        found.validate()
        assert found.sample_count == 2 * FRAME
        assert found.get_global_field("rpmsn:model") == "untrained"

    def test_the_carrier_is_printed_and_annotated_with_its_absolute_edges_and_its_samples(self, annotate, band):
        printed = json.loads(annotate(band, "--json").out)
        (carrier,), (annotation,) = printed["carriers"], json.loads(Path(printed["output"]).read_text())["annotations"]
        assert_is_the_carrier(carrier)
        assert (annotation["core:label"], annotation["core:sample_start"]) == ("LTE", 0)
        assert annotation["core:sample_count"] == 2 * FRAME
        assert annotation["core:freq_lower_edge"] == carrier["freq_lower"]
        assert annotation["core:freq_upper_edge"] == carrier["freq_upper"]
        assert annotation["rpmsn:carrier_id"] == carrier["burst_id"]

    def test_the_table_has_the_carrier_in_megahertz(self, annotate, band):
        header, line, last = annotate(band).out.splitlines()
        assert header.split()[:3] == ["label", "lower", "MHz"]
        label, lower, upper, width, *_ = line.split()
        assert label == "LTE"
        assert [float(lower), float(upper)] == pytest.approx([1814.0, 1815.75], abs=COLUMN / 1e6)
        assert float(width) == pytest.approx(1.75, abs=2 * COLUMN / 1e6)
        assert last.startswith("1 carriers in 0.080 s, coverage 1.000, model untrained 0; written to ")

    def test_the_real_network_runs_too(self, rpmsn, untrained_model, band):
        result = rpmsn("annotate", band, "--model", untrained_model, "--workers", "1", "--json")
        assert result.status == 0
        assert json.loads(result.out)["coverage"] == 1.0

    def test_json_names_the_files_the_model_and_what_was_analysed(self, annotate, band):
        printed = json.loads(annotate(band, "--json").out)
        assert (printed["model"], printed["sample_rate"], printed["center_frequency"]) == ("untrained", RATE, CENTER)
        assert (printed["samples"], printed["samples_analysed"], printed["coverage"]) == (2 * FRAME, 2 * FRAME, 1.0)
        assert printed["frames"] == 2
        assert printed["warnings"] == []

    def test_run_again_it_writes_another_file_and_leaves_the_first(self, annotate, band):
        assert annotate(band).status == 0
        first = band.with_name("band.rpmsn.sigmf-meta").read_bytes()
        assert annotate(band).status == 0
        assert files(band.parent) == [
            "band.rpmsn-2.sigmf-meta",
            "band.rpmsn.sigmf-meta",
            "band.sigmf-data",
            "band.sigmf-meta",
        ]
        assert band.with_name("band.rpmsn.sigmf-meta").read_bytes() == first

    def test_a_name_that_is_taken_meanwhile_is_not_written_over_and_nothing_is_lost(self, annotate, band, monkeypatch):
        run = annotating.Annotator.analyse

        def analyse(*arguments):
            band.with_name(f"{band.stem}.rpmsn.sigmf-meta").write_text("another's")
            return run(*arguments)

        monkeypatch.setattr(annotating.Annotator, "analyse", analyse)
        assert annotate(band).status == 0
        assert band.with_name(f"{band.stem}.rpmsn.sigmf-meta").read_text() == "another's"
        assert band.with_name(f"{band.stem}.rpmsn-2.sigmf-meta").exists()

    def test_the_same_recording_gives_the_same_result_every_time(self, annotate, band):
        first, second = (json.loads(annotate(band, "--json").out)["carriers"] for _ in range(2))
        assert first == second

    def test_output_may_lie_in_another_folder(self, annotate, band, tmp_path):
        folder = tmp_path / "elsewhere"
        folder.mkdir()
        assert annotate(band, "--output", folder / "found.sigmf-meta").status == 0
        assert files(folder) == ["found.sigmf-meta"]
        assert json.loads((folder / "found.sigmf-meta").read_text())["global"]["rpmsn:dataset"] == "band.sigmf-data"

    def test_output_that_exists_is_refused_before_the_work_and_left_unchanged(self, annotate, band, monkeypatch):
        monkeypatch.setattr(segmenter_module.runtimes, "create", lambda *_: pytest.fail("the work began"))
        output = band.with_name("mine.sigmf-meta")
        output.write_text("mine")
        result = annotate(band, "--output", output)
        assert result.status == 1
        assert result.out == ""
        assert "exists" in result.err and "--overwrite" in result.err
        assert output.read_text() == "mine"

    def test_overwrite_replaces_output(self, annotate, band):
        output = band.with_name("mine.sigmf-meta")
        output.write_text("mine")
        assert annotate(band, "--output", output, "--overwrite").status == 0
        assert json.loads(output.read_text())["annotations"]

    @pytest.mark.parametrize("name, said", [("found.json", ".sigmf-meta"), ("nowhere/found.sigmf-meta", "folder")])
    def test_output_that_cannot_be_written_is_refused_with_the_reason(self, annotate, band, name, said):
        before = files(band.parent)
        result = annotate(band, "--output", band.parent / name)
        assert result.status == 1
        assert said in result.err
        assert files(band.parent) == before

    def test_an_output_that_cannot_be_written_is_refused_before_the_work(self, annotate, band, tmp_path, monkeypatch):
        def fail(*_):
            pytest.fail("the analysis has begun")

        monkeypatch.setattr("rpmsn.streaming.analysis.RecordingAnalyser", fail)
        result = annotate(band, "--output", tmp_path / f"{'x' * 300}.sigmf-meta")
        assert result.status == 1 and "too long" in result.err and "--output" in result.err

        def refuse(_):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(os, "fsync", refuse)
        result = annotate(band)
        assert result.status == 1 and "No space left" in result.err and "--output names another file" in result.err
        assert sorted(path.name for path in tmp_path.iterdir()) == ["band.sigmf-data", "band.sigmf-meta"]

    @pytest.mark.parametrize("packed", [False, True])
    def test_nothing_is_written_but_what_was_asked_for(self, annotate, band, tmp_path, monkeypatch, packed):
        home, work, results = (tmp_path / name for name in ("home", "work", "results"))
        for folder in (home, work, results):
            folder.mkdir()
        for name, folder in (("HOME", home), ("XDG_CACHE_HOME", home), ("XDG_CONFIG_HOME", home), ("TMPDIR", work)):
            monkeypatch.setenv(name, str(folder))
        monkeypatch.setattr("tempfile.tempdir", None)
        monkeypatch.chdir(work)
        recording = band
        if packed:
            recording = band.with_suffix(".sigmf-data.gz")
            recording.write_bytes(gzip.compress(band.with_suffix(".sigmf-data").read_bytes(), 1))
        before = sorted(tmp_path.rglob("*"))
        assert annotate(recording, "--output", results / "out.sigmf-meta").status == 0
        assert sorted(tmp_path.rglob("*")) == sorted([*before, results / "out.sigmf-meta"])

    @pytest.mark.parametrize("how", [(), ("--json",)])
    def test_the_result_is_printed_also_where_it_can_be_written_no_more(self, annotate, band, monkeypatch, how):
        def fail(*_, **__):
            raise WriteError(errno.ENOSPC, os.strerror(errno.ENOSPC), "out.sigmf-meta")

        monkeypatch.setattr("rpmsn.recording.annotations.write_whole", fail)
        result = annotate(band, *how)
        assert result.status == 1 and "No space left" in result.err
        if how:
            shown = json.loads(result.out)
            assert shown["output"] is None and len(shown["carriers"]) == 1
        else:
            assert "LTE" in result.out and "nothing written" in result.out

    @pytest.mark.parametrize(
        "error, words", [(MemoryError(), "memory is not enough"), (RuntimeError("can't start new thread"), "ulimit -u")]
    )
    def test_a_limit_of_the_system_is_told(self, annotate, band, monkeypatch, error, words):
        def start(_thread):
            raise error

        monkeypatch.setattr(threading.Thread, "start", start)
        result = annotate(band)
        assert result.status == 1 and words in result.err and not list(band.parent.glob("*.rpmsn*"))

    @pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
    def test_a_name_that_the_terminal_cannot_show_stops_nothing(self, band, encoding):
        for path in band.parent.glob("band.*"):
            path.rename(path.with_name(path.name.replace("band", "B\u00fcro\u4e2d\udcff")))
        name = band.parent / "B\u00fcro\u4e2d\udcff.sigmf-meta"
        environment = dict(os.environ, PYTHONPATH=str(PACKAGES), PYTHONIOENCODING=encoding, LC_ALL="C.UTF-8")
        for command in (["info", name], ["info", f"{name}-none"]):
            process = start(*command, env=environment, encoding="utf-8", errors="replace")
            out, err = process.communicate(timeout=PROCESS_S)
            assert process.returncode == (0 if command[1] == name else 1), err
            assert "Traceback" not in err and "ro" in out + err

    def test_raw_samples_are_read_as_the_options_say_and_edges_are_absolute(self, annotate, raw):
        result = annotate(raw, "--format", "ci16", "--sample-rate", "5e6", "--center-frequency", "1.815e9", "--json")
        assert result.status == 0
        printed = json.loads(result.out)
        assert printed["samples"] == 2 * FRAME
        (carrier,) = printed["carriers"]
        assert_is_the_carrier(carrier)

    def test_raw_samples_give_the_same_carriers_as_with_metadata(self, annotate, band, raw):
        options = ("--format", "ci16", "--sample-rate", "5e6", "--center-frequency", "1.815e9")
        of_raw, of_sigmf = (
            json.loads(annotate(*given, "--json").out)["carriers"] for given in ((raw, *options), (band,))
        )
        assert of_raw == of_sigmf

    def test_without_a_centre_frequency_the_table_says_that_edges_are_relative(self, annotate, raw):
        result = annotate(raw, "--format", "ci16", "--sample-rate", "5e6")
        assert result.status == 0
        assert "relative to the centre" in result.out

    def test_raw_samples_without_format_are_refused_and_the_options_named_exist(self, annotate, rpmsn, raw):
        result = annotate(raw)
        assert result.status == 1
        named = re.findall(r"--[a-z-]+", result.err)
        assert "--sample-rate" in named and len(named) >= 2
        usage = rpmsn("annotate", "--help").out
        assert all(option in usage for option in named)

    @pytest.mark.parametrize("format_name", ["ci17", ""])
    def test_an_unknown_format_is_refused_with_those_there_are(self, annotate, raw, format_name):
        result = annotate(raw, "--format", format_name, "--sample-rate", "5e6")
        assert result.status == 1
        assert "ci8" in result.err and "cf32" in result.err

    @pytest.mark.parametrize(
        "option, value",
        [
            ("--sample-rate", "fast"),
            ("--sample-rate", "nan"),
            ("--sample-rate", "-5e6"),
            ("--sample-rate", "0"),
            ("--center-frequency", "inf"),
            ("--workers", "0"),
            ("--workers", "two"),
            ("--no-such-option", "1"),
            ("--frame-seconds", "1"),
            ("--frame-seconds", "0"),
            ("--duty-cycle", "0"),
            ("--duty-cycle", "1.1"),
            ("--average-frames", "0"),
        ],
    )
    def test_a_bad_option_value_is_wrong_use_and_named(self, annotate, band, option, value):
        result = annotate(band, option, value)
        assert result.status == 2
        assert option.strip("-").replace("-", "_") in result.err.replace("-", "_")
        assert "Traceback" not in result.err

    @pytest.mark.parametrize("rate", ["0.5e6", "200e6"])
    def test_a_rate_that_cannot_be_analysed_is_refused_with_the_range(self, annotate, band, rate):
        result = annotate(band, "--sample-rate", rate)
        assert result.status == 2
        assert "1e6" in result.err and "125e6" in result.err

    def test_a_rate_that_the_model_was_not_trained_for_is_said(self, annotate, band):
        result = annotate(band, "--sample-rate", "2e6")
        assert result.status == 0
        assert "was trained for 5 to 125 Msps" in result.err

    def test_per_frame_writes_an_annotation_for_every_segment_under_the_number_of_its_carrier(self, annotate, band):
        assert annotate(band, "--per-frame").status == 0
        found = json.loads(band.with_name("band.rpmsn.sigmf-meta").read_text())["annotations"]
        assert [(one["core:sample_start"], one["core:sample_count"]) for one in found] == [(0, FRAME), (FRAME, FRAME)]
        assert {one["rpmsn:carrier_id"] for one in found} == {1}

    def test_a_duty_cycle_is_reported_as_coverage(self, annotate, band):
        assert json.loads(annotate(band, "--duty-cycle", "0.5", "--json").out)["coverage"] == 0.5

    def test_another_frame_length_gives_other_frames_and_a_warning(self, annotate, band):
        printed = json.loads(annotate(band, "--frame-seconds", "0.02", "--json").out)
        assert printed["frames"] == 4 and "expect more mistakes" in printed["warnings"][0]


class TestBench:
    def test_prints_parts_and_live_runs_of_every_runtime_asked_for(self, rpmsn, untrained_model):
        result = rpmsn(
            "bench",
            "--model",
            untrained_model,
            "--runtimes",
            "torch",
            "--seconds",
            "1",
            "--rate",
            "5e6",
            "--no-references",
            "--json",
            "--quiet",
        )
        assert result.status == 0, result.err
        found = json.loads(result.out)
        assert set(found["parts"]) == set(found["live"]) == set(found["highest"]) == {"torch"}
        times, ratios = (found["parts"]["torch"][key] for key in ("seconds", "x_fft"))
        assert times["whole"] >= max(times["image"], times["network"], times["segments"])
        for middle, lower, upper in ratios.values():
            assert 0 <= lower <= middle <= upper
        assert found["replay"]["torch"] > 0
        assert set(found["flowgraph"]) == ({"torch"} if doctor._is_installed("gnuradio.gr") else set())
        run = found["live"]["torch"]
        assert run["frames_analysed"] > 0 and 0 <= run["coverage"] <= 1
        assert found["highest"]["torch"] is None or 15e6 < found["highest"]["torch"] < 123e6

    def test_the_table_names_what_it_compares_with(self, rpmsn, untrained_model):
        out = rpmsn(
            "bench",
            "--model",
            untrained_model,
            "--runtimes",
            "torch",
            "--seconds",
            "1",
            "--rate",
            "5e6",
            "--no-references",
            "--no-search",
            "--quiet",
        ).out
        for words in ("FFT alone", "x FFT alone", "quartiles", "replay from disk", "coverage"):
            assert words in out

    @pytest.mark.parametrize(
        "arguments, status, words",
        [
            (("--rate", "5e3"), 2, "125e6"),
            (("--runtimes", "magic"), 2, "torch"),
            (("--seconds", "0"), 2, "seconds"),
            (("--model", "nothing"), 1, "there are"),
            (("--type", "cf64"), 2, "ci16"),
            (("--runtimes", "openvino"), 1, "rpmsn export"),
        ],
    )
    def test_typed_wrongly(self, rpmsn, untrained_model, arguments, status, words):
        result = rpmsn("bench", *(() if "--model" in arguments else ("--model", untrained_model)), *arguments)
        assert result.status == status and words in result.err


class TestOddRecordings:
    def test_a_missing_file_is_named(self, annotate, tmp_path):
        result = annotate(tmp_path / "nothing.sigmf-meta")
        assert result.status == 1
        assert "nothing.sigmf-meta does not exist" in result.err

    def test_missing_samples_are_named(self, annotate, band):
        band.with_suffix(".sigmf-data").unlink()
        result = annotate(band)
        assert result.status == 1
        assert "band.sigmf-data does not exist" in result.err

    def test_empty_data_are_refused(self, annotate, band):
        band.with_suffix(".sigmf-data").write_bytes(b"")
        result = annotate(band)
        assert result.status == 1
        assert "holds no samples" in result.err
        assert files(band.parent) == ["band.sigmf-data", "band.sigmf-meta"]

    def test_metadata_that_are_not_json_are_refused(self, annotate, band):
        band.write_text("{")
        result = annotate(band)
        assert result.status == 1
        assert "not valid JSON" in result.err

    def test_data_cut_in_the_middle_of_a_sample_are_analysed_with_a_warning(self, annotate, band):
        data = band.with_suffix(".sigmf-data")
        data.write_bytes(data.read_bytes()[:-3])
        result = annotate(band)
        assert result.status == 0
        assert "middle of a sample" in result.err

    def test_metadata_without_a_rate_ask_for_the_option_and_then_work(self, annotate, tmp_path):
        band = write_sigmf(tmp_path, components(FRAME), sample_rate=None)
        result = annotate(band)
        assert result.status == 1
        assert "--sample-rate" in result.err
        assert annotate(band, "--sample-rate", "5e6").status == 0

    def test_a_recording_shorter_than_a_frame_is_analysed_and_it_says_so(self, annotate, tmp_path):
        band = write_sigmf(tmp_path, components(FRAME // 3))
        result = annotate(band, "--json")
        assert result.status == 0
        printed = json.loads(result.out)
        assert printed["samples_analysed"] == FRAME // 3
        assert any("shorter than a frame" in warning for warning in printed["warnings"])
        (carrier,) = printed["carriers"]
        assert (carrier["start_offset"], carrier["end_offset"]) == (0, FRAME // 3)

    def test_fewer_samples_than_an_image_has_columns_are_said_not_to_be_analysed(self, annotate, tmp_path):
        band = write_sigmf(tmp_path, components(255))
        result = annotate(band)
        assert result.status == 1
        assert "255 samples were too few" in result.err
        assert "Nothing was judged" in result.out and "coverage 0.000" in result.out

    def test_samples_that_are_not_numbers_are_not_judged_and_it_says_so(self, annotate, tmp_path):
        values = flat_band(2 * FRAME, RATE, *BAND, np.random.default_rng(1)).view("<f4")
        values[1000::5000] = np.nan
        result = annotate(write_sigmf(tmp_path, values, "cf32_le"))
        assert result.status == 1
        assert "NaN" in result.err
        assert "Nothing was judged" in result.out

    def test_an_input_that_is_dead_is_not_judged_and_it_says_so(self, annotate, tmp_path):
        result = annotate(write_sigmf(tmp_path, np.zeros(4 * FRAME, "<i2")))
        assert result.status == 1
        assert "all samples are the same" in result.err
        assert "Nothing was judged" in result.out

    def test_samples_at_the_rail_are_not_judged_and_it_says_overload(self, annotate, tmp_path):
        samples = flat_band(2 * FRAME, RATE, *BAND, np.random.default_rng(1)).view(np.float32)
        values = np.clip(samples / samples.std() * 120, -128, 127).astype("i1")
        result = annotate(write_sigmf(tmp_path, values, "ci8"))
        assert result.status == 1
        assert "overload" in result.err
        assert "Nothing was judged" in result.out

    def test_a_real_overloaded_receiver_has_no_carrier_but_what_its_cell_proves(self, annotate, captures, tmp_path):
        result = annotate(captures / "ota_overloaded_806MHz.sigmf-meta", "--output", tmp_path / "found.sigmf-meta")
        assert result.status == 0
        assert "overload" in result.err and "lower the gain by 13 dB" in result.err
        assert "proven" in result.out and "1 carriers" in result.out and "judged 0.000" in result.out

    def test_a_real_overloaded_receiver_is_not_judged_without_cells(self, annotate, captures, tmp_path):
        recording = captures / "ota_overloaded_806MHz.sigmf-meta"
        result = annotate(recording, "--no-cells", "--output", tmp_path / "found.sigmf-meta")
        assert result.status == 1
        assert "overload" in result.err
        assert "Nothing was judged" in result.out

    def test_what_was_not_judged_is_no_empty_band_for_machines(self, annotate, tmp_path):
        result = annotate(write_sigmf(tmp_path, np.zeros(4 * FRAME, "<i2")), "--json")
        printed = json.loads(result.out)
        assert (printed["judged"], printed["output"], printed["carriers"]) == (0, None, [])
        assert "no frame" in result.err and not list(tmp_path.glob("*.rpmsn*"))

    def test_a_recording_of_which_a_part_was_judged_says_how_much(self, annotate, tmp_path):
        values = flat_band(4 * FRAME, RATE, *BAND, np.random.default_rng(1)).view("<f4")
        values[: 2 * FRAME] = np.nan
        result = annotate(write_sigmf(tmp_path, values, "cf32_le"))
        assert result.status == 0 and "judged 0.750" in result.out

    def test_a_clipped_reception_is_judged_and_the_gain_is_advised(self, annotate, captures, tmp_path):
        recording = captures.parent / "receptions" / "rtl_lte10_816.sigmf-meta"
        if not recording.exists():
            pytest.skip(f"there is no {recording}")
        result = annotate(recording, "--output", tmp_path / "found.sigmf-meta")
        assert result.status == 0 and "judged" not in result.out
        assert "lower the gain by 5 dB or more" in result.err


class TestModels:
    @pytest.fixture
    def card(self, untrained_model, tmp_path):
        """Path of a card, with its weights, that a test may spoil."""
        return Path(shutil.copytree(untrained_model.parent, tmp_path / "model")) / untrained_model.name

    def refused(self, rpmsn, band, card):
        before = files(band.parent)
        result = rpmsn("annotate", band, "--model", card)
        assert result.status == 1
        assert result.out == ""
        assert files(band.parent) == before
        return result.err

    def test_an_unknown_model_is_refused_with_the_names_there_are(self, rpmsn, band, monkeypatch, untrained_model):
        monkeypatch.setattr(model_module, "SHIPPED", untrained_model.parent)
        said = self.refused(rpmsn, band, "no-such-model")
        assert "'no-such-model' is unknown" in said and "untrained" in said

    def test_weights_that_were_changed_are_refused(self, rpmsn, band, card):
        weights = card.with_suffix(".safetensors")
        content = bytearray(weights.read_bytes())
        content[-1] ^= 1
        weights.write_bytes(content)
        assert "sha256 differs" in self.refused(rpmsn, band, card)

    def test_weights_that_are_no_safetensors_are_refused_even_with_their_checksum(self, rpmsn, band, card):
        import hashlib

        weights = card.with_suffix(".safetensors")
        weights.write_bytes(weights.read_bytes()[:100])
        self.change(card, sha256=hashlib.sha256(weights.read_bytes()).hexdigest())
        assert "do not fit" in self.refused(rpmsn, band, card)

    def test_missing_weights_are_named(self, rpmsn, band, card):
        card.with_suffix(".safetensors").unlink()
        assert "untrained.safetensors" in self.refused(rpmsn, band, card)

    @pytest.mark.parametrize(
        "changes, said",
        [
            ({"classes": ["noise", "LTE", "NR"]}, "3 classes"),
            ({"classes": ["noise", "LTE", "NR", "GSM"]}, "'GSM'"),
            ({"features": "published"}, "'published'"),
            ({"features": "painted"}, "'painted'"),
            ({"colour": "red"}, "'colour'"),
        ],
    )
    def test_a_card_that_disagrees_is_refused_with_the_value(self, rpmsn, band, card, changes, said):
        self.change(card, **changes)
        assert said in self.refused(rpmsn, band, card)

    def test_a_card_that_is_not_yaml_is_refused(self, rpmsn, band, card):
        card.write_text("name: [")
        assert "not valid YAML" in self.refused(rpmsn, band, card)

    @staticmethod
    def change(card, **changes):
        card.write_text(yaml.safe_dump({**yaml.safe_load(card.read_text()), **changes}))


@pytest.fixture(scope="module")
def stopped(untrained_model, tmp_path_factory):
    """`rpmsn annotate` on 10 GB, stopped by Ctrl-C after it has read 1.5 GB (or after 20 s)."""
    folder = tmp_path_factory.mktemp("long")
    recording = folder / "long.bin"
    with open(recording, "wb") as file:
        file.truncate(10 * 10**9)  # sparse: takes no room on the disk
    process = start(
        "annotate",
        recording,
        "--format",
        "cf32",
        "--sample-rate",
        "61.44e6",
        "--model",
        untrained_model,
        "--workers",
        "1",
        "--quiet",
    )
    deadline, read, memory = time.monotonic() + PROCESS_S, 0, 0
    try:
        while read < 1.5e9 and time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.2)
            facts = dict(
                line.split(":", 1)
                for name in ("io", "status")
                for line in Path(f"/proc/{process.pid}/{name}").read_text().splitlines()
            )
            read, memory = int(facts["rchar"]), int(facts["VmHWM"].split()[0]) * 1024
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=PROCESS_S)
    finally:
        process.kill()
        recording.unlink()
    return SimpleNamespace(read=read, memory=memory, status=process.returncode, error=error, left=files(folder))


class TestStopped:
    def test_memory_stays_below_a_gigabyte_however_long_the_recording(self, stopped):
        assert stopped.read > 0.3e9
        assert stopped.memory < GIGABYTE

    def test_ctrl_c_ends_it_with_130_one_sentence_and_nothing_half_written(self, stopped):
        assert stopped.status == 130
        assert stopped.error == "rpmsn annotate: stopped by the keyboard; nothing half-written is left\n"
        assert stopped.left == []

    def test_ctrl_c_during_synth_leaves_nothing_half_written(self, rpmsn, tmp_path, monkeypatch):
        from rpmsn.synthesis.scene import writing

        def interrupted(scene):
            yield np.zeros(1000, np.complex64), []
            raise KeyboardInterrupt

        monkeypatch.setattr(writing, "render_blocks", interrupted)
        result = rpmsn("synth", "--duration", "0.04", "--output", tmp_path)
        assert result.status == 130
        assert files(tmp_path) == []

    @pytest.mark.parametrize("arguments", [("info",), ("annotate", "--json", "--overwrite", "--output")])
    def test_a_reader_that_is_gone_ends_it_quietly(self, untrained_model, band, arguments):
        more = (band.with_name("found.sigmf-meta"), "--model", untrained_model) if arguments[0] == "annotate" else ()
        process = start(*arguments, *more, band, stdout=subprocess.PIPE)
        process.stdout.close()
        error = process.stderr.read()
        assert process.wait(PROCESS_S) == 1
        assert error == ""


class TestInfo:
    def test_describes_a_recording(self, rpmsn, band):
        result = rpmsn("info", band)
        assert result.status == 0
        for fact in ("ci16_le", "5 Msps", "1815 MHz", f"{2 * FRAME} (0.08 s)"):
            assert fact in result.out

    def test_lists_the_annotations_that_annotate_wrote(self, annotate, rpmsn, band):
        printed = json.loads(annotate(band, "--json").out)
        out = rpmsn("info", printed["output"]).out
        assert re.search(rf"annotations: +{len(printed['carriers'])}\n", out)
        assert f"{printed['carriers'][0]['label']}: {printed['carriers'][0]['freq_lower'] / 1e6:.3f}" in out

    def test_reads_raw_samples_as_the_options_say(self, rpmsn, raw):
        result = rpmsn("info", raw, "--format", "ci16", "--sample-rate", "5e6")
        assert result.status == 0
        assert "not known" in result.out

    def test_without_a_recording_lists_the_models(self, rpmsn, monkeypatch, untrained_model):
        monkeypatch.setattr(model_module, "SHIPPED", untrained_model.parent)
        result = rpmsn("info")
        assert result.status == 0
        assert "untrained" in result.out and "noise, LTE, NR, other" in result.out and "5 to 125" in result.out

    def test_a_missing_file_is_named(self, rpmsn, tmp_path):
        result = rpmsn("info", tmp_path / "nothing")
        assert result.status == 1
        assert "nothing does not exist" in result.err


class TestDoctor:
    def test_names_what_was_found_and_fails_only_if_something_needed_is_missing(self, rpmsn):
        result = rpmsn("doctor")
        lines = result.out.splitlines()
        for name in ("Python", "numpy", "scipy", "sigmf", "runtime torch", "GRC blocks", "processor", "screen"):
            assert any(line[9:].startswith(name) for line in lines), name
        assert result.status == (1 if any(line.startswith("MISSING") for line in lines) else 0)

    def test_is_content_where_all_is_there(self, rpmsn, monkeypatch):
        monkeypatch.setattr(
            doctor,
            "examine",
            lambda: [doctor.Finding("ok", "all", "there"), doctor.Finding("optional", "radio", "none", "buy one")],
        )
        result = rpmsn("doctor")
        assert result.status == 0
        assert "-> buy one" in result.out
        assert result.out.endswith("Everything needed is there.\n")

    def test_loads_every_model_that_ships(self, rpmsn, monkeypatch, untrained_model, tmp_path):
        monkeypatch.setattr(model_module, "SHIPPED", untrained_model.parent)
        assert re.search(r"ok +model untrained", rpmsn("doctor").out)
        shutil.copy(untrained_model, tmp_path)
        monkeypatch.setattr(model_module, "SHIPPED", tmp_path)
        result = rpmsn("doctor")
        assert result.status == 1
        assert re.search(r"MISSING +model untrained .*safetensors", result.out)

    @pytest.mark.parametrize(
        "fault, words",
        [
            ("raise ImportError('numpy.core.multiarray failed to import')", "built for another numpy.*-> .*numpy"),
            ("import os; os.abort()", "Python crashes .SIGABRT.*-> "),
            ("raise RuntimeError('a library is broken')", "a library is broken.*-> install it again"),
        ],
    )
    def test_gnu_radio_that_cannot_be_imported_is_a_sentence(self, rpmsn, monkeypatch, tmp_path, fault, words):
        package = tmp_path / "gnuradio"
        package.mkdir()
        (package / "__init__.py").write_text("")
        (package / "gr.py").write_text(fault)
        monkeypatch.syspath_prepend(tmp_path)
        for name in [name for name in sys.modules if name.partition(".")[0] == "gnuradio"]:
            monkeypatch.delitem(sys.modules, name)
        result = rpmsn("doctor")
        assert result.status == 1
        assert re.search(rf"MISSING +GNU Radio +.*{words}", result.out, re.S), result.out

    @pytest.mark.parametrize("module", ["scipy", "yaml", "tabulate"])
    def test_still_works_where_a_library_is_missing_and_names_it(self, module):
        result = python_without(module, "doctor")
        assert result.returncode == 1
        assert re.search(rf"^MISSING +.*{module}", result.stdout, re.M)
        assert "Traceback" not in result.stderr

    def test_annotate_without_a_library_points_to_the_doctor(self, band, untrained_model):
        result = python_without("torch", "annotate", band, "--model", untrained_model)
        assert result.returncode == 1
        assert "torch" in result.stderr and "rpmsn doctor" in result.stderr and "Traceback" not in result.stderr

    def test_gnu_radio_that_is_missing_is_only_optional(self):
        result = python_without("gnuradio", "doctor")
        assert re.search(r"^- +GNU Radio", result.stdout, re.M)
        assert "apt-get install gnuradio" in result.stdout


class TestGrc:
    def test_a_missing_flowgraph_is_named(self, rpmsn, tmp_path):
        result = rpmsn("grc", tmp_path / "nothing.grc")
        assert result.status == 2
        assert "nothing.grc does not exist" in result.err

    def test_starts_the_companion_under_this_python_so_that_it_finds_the_blocks(self, tmp_path):
        """A stand-in for the companion prints how it was started; so is the library that it would draw with."""
        (tmp_path / "gi.py").write_text("def require_version(name, version): pass")
        program = tmp_path / "gnuradio-companion"
        program.write_text(
            "import os, sys\nimport rpmsn\n"
            "print(sys.executable, os.environ['GRC_BLOCKS_PATH'], *sys.argv[1:], sep='\\n')"
        )
        program.chmod(0o755)
        flowgraph = tmp_path / "my.grc"
        flowgraph.touch()
        (tmp_path / "wayland-0").touch()
        screen = {"WAYLAND_DISPLAY": "wayland-0", "XDG_RUNTIME_DIR": str(tmp_path)}
        path = {"PATH": str(tmp_path), "PYTHONPATH": os.pathsep.join([str(tmp_path), str(PACKAGES)])}
        process = start("grc", flowgraph, env={**path, **screen})
        out, error = process.communicate(timeout=PROCESS_S)
        assert process.returncode == 0, error
        python, blocks, opened = out.split("\n")[:3]
        assert (python, opened) == (sys.executable, str(flowgraph))
        assert (Path(blocks.split(os.pathsep)[0]) / "rpmsn_segmenter_sink.block.yml").exists()

    def test_a_companion_without_what_it_draws_with_is_said(self, tmp_path):
        (tmp_path / "gi.py").write_text("def require_version(name, version): raise ValueError('no Gtk')")
        (tmp_path / "gnuradio-companion").touch(0o755)
        process = start(
            "grc", env={"PATH": str(tmp_path), "PYTHONPATH": os.pathsep.join([str(tmp_path), str(PACKAGES)])}
        )
        _, error = process.communicate(timeout=PROCESS_S)
        assert process.returncode == 1
        assert "no Gtk" in error and "gir1.2-gtk-3.0" in error

    @pytest.mark.parametrize("environment, said", [({}, "DISPLAY is not set"), ({"DISPLAY": ":987"}, "no screen")])
    def test_without_a_screen_it_says_so_in_a_sentence(self, tmp_path, environment, said):
        (tmp_path / "gi.py").write_text("def require_version(name, version): pass")
        (tmp_path / "gnuradio-companion").touch(0o755)
        path = {"PATH": str(tmp_path), "PYTHONPATH": os.pathsep.join([str(tmp_path), str(PACKAGES)])}
        process = start("grc", env={**path, **environment})
        _, error = process.communicate(timeout=PROCESS_S)
        assert process.returncode == 1
        assert said in error and "grcc" in error and "Traceback" not in error

    def test_a_companion_that_is_not_installed_is_said(self, rpmsn, monkeypatch, known_installation):
        monkeypatch.setenv("PATH", "")
        result = rpmsn("grc")
        assert result.status == 1
        assert ("apt-get install gnuradio" if known_installation.has_apt else "install gnuradio") in result.err


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """One frame of the demo scene."""
    folder = tmp_path_factory.mktemp("synth")
    assert (
        main(
            [
                "synth",
                "--duration",
                "0.04",
                "--format",
                "ci8",
                "--center-frequency",
                "1842.5e6",
                "--output",
                str(folder),
            ]
        )
        == 0
    )
    return folder / "demo-1.sigmf-meta"


class TestSynth:
    def test_writes_a_valid_recording_of_the_length_asked_for(self, made):
        recording = sigmf.fromfile(str(made), skip_checksum=True)
        recording.validate()
        rate = recording.get_global_field("core:sample_rate")
        assert recording.sample_count == round(0.04 * rate)
        assert made.with_suffix(".sigmf-data").stat().st_size == 2 * recording.sample_count
        assert files(made.parent) == ["demo-1.scene.yml", "demo-1.sigmf-data", "demo-1.sigmf-meta"]

    def test_annotates_the_truth_inside_the_span(self, made):
        metadata = json.loads(made.read_text())
        rate = metadata["global"]["core:sample_rate"]
        assert {"LTE", "NR"} <= {annotation["core:label"] for annotation in metadata["annotations"]}
        for annotation in metadata["annotations"]:
            low, high = annotation["core:freq_lower_edge"], annotation["core:freq_upper_edge"]
            assert 1842.5e6 - rate / 2 <= low < high <= 1842.5e6 + rate / 2

    def test_a_recording_that_exists_is_left_as_it_is(self, made, rpmsn):
        data = made.with_suffix(".sigmf-data")
        before = data.stat().st_mtime_ns
        result = rpmsn("synth", "--duration", "0.04", "--output", made.parent)
        assert (result.status, result.out) == (0, f"{made}\n")
        assert data.stat().st_mtime_ns == before

    @pytest.mark.parametrize(
        "option, value, said",
        [
            ("--preset", "foggy", "wideband"),
            ("--duration", "-1", "0.001"),
            ("--duration", "nan", "number"),
            ("--seed", "-1", "at least 0"),
            ("--count", "0", "at least 1"),
            ("--format", "cf32", "ci16"),
        ],
    )
    def test_a_bad_value_is_wrong_use_and_what_is_allowed_is_said(self, rpmsn, tmp_path, option, value, said):
        result = rpmsn("synth", "--duration", "0.04", "--output", tmp_path / "new", option, value)
        assert result.status == 2
        assert said in result.err

    def test_a_scene_file_gives_the_recording_that_it_came_with(self, made, rpmsn, tmp_path):
        scene = made.with_suffix(".scene.yml")
        result = rpmsn("synth", "--scene", scene, "--format", "ci8", "--output", tmp_path)
        assert (result.status, result.out) == (0, f"{tmp_path / 'demo-1.sigmf-meta'}\n")
        again = (tmp_path / "demo-1.sigmf-data").read_bytes()
        assert again == made.with_suffix(".sigmf-data").read_bytes()

    def test_a_recording_of_another_scene_is_not_taken_for_the_one_asked_for(self, made, rpmsn):
        result = rpmsn("synth", "--duration", "0.08", "--output", made.parent)
        assert result.status == 1
        assert "demo-1.sigmf-meta" in result.err and "another scene" in result.err

    def test_several_come_in_order_from_several_processes(self, rpmsn, tmp_path):
        options = ("--preset", "any_rate", "--sample-rates", "1.9e6", "8e6", "--count", "3", "--seed", "4")
        one, two = (
            rpmsn("synth", *options, "--output", tmp_path / "one", "--workers", "1"),
            rpmsn("synth", *options, "--output", tmp_path / "two", "--workers", "2"),
        )
        assert one.status == two.status == 0
        assert [Path(line).name for line in two.out.splitlines()] == [f"any_rate-{n}.sigmf-meta" for n in (4, 5, 6)]
        for name in files(tmp_path / "one"):
            assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()

    def test_progress_shows_the_time_left_and_quiet_is_quiet(self, made, rpmsn, tmp_path):
        options = ("--preset", "any_rate", "--sample-rates", "1.9e6", "2e6", "--output")
        assert rpmsn("synth", *options, tmp_path / "quiet", "--quiet").err == ""

    def test_makes_a_set(self, rpmsn, tmp_path):
        result = rpmsn(
            "synth",
            "--as",
            "set",
            "--preset",
            "any_rate",
            "--sample-rates",
            "1.9e6",
            "4e6",
            "--count",
            "2",
            "--output",
            tmp_path,
            "--quiet",
        )
        assert (result.status, result.out) == (0, f"{tmp_path}: 2 images and masks\n")
        assert files(tmp_path) == [
            "set.yml",
            "shard-00000.images.npy",
            "shard-00000.masks-occupied.npy",
            "shard-00000.scenes.jsonl",
            "shard-00000.truths.npz",
        ]

    def test_draws_a_contact_sheet(self, rpmsn, tmp_path):
        from PIL import Image

        result = rpmsn(
            "synth",
            "--preview",
            "--preset",
            "any_rate",
            "--sample-rates",
            "1.9e6",
            "4e6",
            "--count",
            "3",
            "--output",
            tmp_path,
            "--quiet",
        )
        assert result.status == 0
        picture = Image.open(result.out.strip())
        assert picture.width > 2 * 256 and picture.height > 256

    @pytest.mark.parametrize(
        "options, said",
        [
            (("--scene", "none.yml"), "none.yml"),
            (("--as", "set", "--duration", "0.04"), "--duration"),
            (("--as", "set", "--policy", "loose"), "occupied"),
            (("--preset", "any_rate", "--sample-rates", "1", "2"), "1.92"),
            (("--sample-rates", "1e6", "2e6"), "any_rate"),
            (("--preset", "stitched"), "recordings"),
            (("--recordings", "somewhere"), "stitched"),
            (("--workers", "0"), "at least 1"),
        ],
    )
    def test_options_that_do_not_fit_are_wrong_use(self, rpmsn, tmp_path, monkeypatch, options, said):
        monkeypatch.chdir(tmp_path)
        result = rpmsn("synth", *options, "--output", tmp_path / "new")
        assert result.status == 2
        assert said in result.err and not (tmp_path / "new").exists()

    @pytest.mark.parametrize("options", [("--preset", "stitched"), ("--preview",)])
    def test_a_folder_without_recordings_is_named(self, rpmsn, tmp_path, options):
        result = rpmsn("synth", *options, "--recordings", tmp_path / "nowhere", "--output", tmp_path / "new")
        assert result.status in (1, 2)
        assert "nowhere" in result.err and "Traceback" not in result.err and not (tmp_path / "new").exists()

    def test_a_full_disk_is_said_and_leaves_nothing_half_written(self, rpmsn, tmp_path, monkeypatch):
        def fail(handle):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(os, "fsync", fail)
        result = rpmsn("synth", "--duration", "0.04", "--output", tmp_path, "--quiet")
        assert result.status == 1
        assert "No space left" in result.err and "Traceback" not in result.err
        assert files(tmp_path) == []

    def test_a_folder_that_cannot_be_made_is_named(self, rpmsn, tmp_path):
        (tmp_path / "file").touch()
        result = rpmsn("synth", "--duration", "0.04", "--output", tmp_path / "file" / "folder")
        assert result.status == 1
        assert "file" in result.err and "Traceback" not in result.err


class TestTrain:
    CONFIG = {
        "name": "tiny",
        "version": "0",
        "architecture": "rpmsn-rt",
        "sample_rates": [5e6, 125e6],
        "batch_size": 1,
        "arguments": {"in_channels": 4, "classes": 4, "widths": [4, 8], "stages": 1},
        "epochs": 1,
        "train": {"preset": "published", "count": 2, "seed": 1},
        "learning_rate": 1e-3,
        "validation": {"preset": "published", "count": 1, "seed": 2},
        "checkpoint_seconds": 0,
    }

    def write(self, path, **changes):
        values = {**self.CONFIG, **changes}
        path.write_text(yaml.safe_dump({key: value for key, value in values.items() if value is not None}))
        return path

    def test_a_killed_run_goes_on_to_the_result_of_one_that_was_not(self, rpmsn, tmp_path):
        pytest.importorskip("torch")
        config = self.write(tmp_path / "tiny.yml")
        whole, killed = tmp_path / "whole", tmp_path / "killed"
        result = rpmsn("train", config, "--output", whole, "--workers", "1")
        assert (result.status, result.out) == (0, f"{whole / 'tiny.yml'}\n")
        for name in ("train", "validation"):
            shutil.copytree(whole / name, killed / name)

        code = (
            "import os, sys\n"
            "from rpmsn.cli.main import main\n"
            "from rpmsn.training import train\n"
            "save = train.save_checkpoint\n"
            "def save_and_die(*arguments):\n"
            "    save(*arguments)\n"
            "    os.kill(os.getpid(), 9)\n"
            "train.save_checkpoint = save_and_die\n"
            "main(sys.argv[1:])"
        )
        arguments = ["train", str(config), "--output", str(killed), "--workers", "1"]
        died = subprocess.run(
            [sys.executable, "-c", code, *arguments],
            capture_output=True,
            timeout=PROCESS_S,
            env=dict(os.environ, PYTHONPATH=str(PACKAGES)),
        )
        assert died.returncode == -signal.SIGKILL
        assert not (killed / "tiny.yml").exists()

        result = rpmsn(*arguments)
        assert result.status == 0
        assert (killed / "tiny.safetensors").read_bytes() == (whole / "tiny.safetensors").read_bytes()
        cards = [yaml.safe_load((folder / "tiny.yml").read_text()) for folder in (whole, killed)]
        assert cards[0]["scores"] == cards[1]["scores"]
        assert cards[1]["training"]["steps"] == 2

    @pytest.mark.parametrize(
        "changes, said",
        [
            ({"colour": "red"}, "'colour'"),
            ({"train": {"preset": "published", "count": 2, "seed": 1, "colour": "red"}}, "'colour'"),
            ({"epochs": None}, "epochs"),
            ({"train": {"preset": "published"}}, "count"),
            ({"classes": ["noise", "LTE", "NR"]}, "classes: 3"),
            ({"class_weights": [1.0]}, "1 values for 4 classes"),
            ({"learning_rate": "fast"}, "learning_rate is 'fast', but a number is needed"),
            ({"features": "painted"}, "'painted'"),
        ],
    )
    def test_a_config_with_a_fault_is_refused_at_once_and_the_fault_named(self, rpmsn, tmp_path, changes, said):
        result = rpmsn("train", self.write(tmp_path / "bad.yml", **changes), "--output", tmp_path / "run")
        assert result.status == 2
        assert "bad.yml" in result.err or "painted" in result.err
        assert said in result.err
        assert not (tmp_path / "run").exists()

    @pytest.mark.parametrize("content, said", [("name: [", "not valid YAML"), ("- a list", "mapping")])
    def test_a_config_that_is_none_is_refused(self, rpmsn, tmp_path, content, said):
        (tmp_path / "bad.yml").write_text(content)
        result = rpmsn("train", tmp_path / "bad.yml", "--output", tmp_path / "run")
        assert result.status == 2
        assert said in result.err

    def test_a_missing_config_is_named(self, rpmsn, tmp_path):
        result = rpmsn("train", tmp_path / "nothing.yml")
        assert result.status == 2
        assert "nothing.yml" in result.err


class TestCommand:
    def test_the_installed_command_runs(self):
        command = Path(sys.executable).with_name("rpmsn")
        if not command.exists():
            pytest.skip(f"{command} is not installed; scripts/bootstrap installs it")
        result = subprocess.run([command, "--version"], capture_output=True, text=True, timeout=PROCESS_S)
        assert result.returncode == 0
        assert re.fullmatch(r"gr-rpmsn \d+\.\d+\.\d+\n", result.stdout)

    def test_without_a_command_it_lists_the_commands(self, rpmsn):
        result = rpmsn()
        assert result.status == 2
        assert "COMMAND" in result.err

    @pytest.mark.parametrize("command", ["annotate", "info", "doctor", "grc", "synth", "train"])
    def test_every_command_has_help(self, rpmsn, command):
        result = rpmsn(command, "--help")
        assert result.status == 0
        assert result.out.startswith(f"usage: rpmsn {command}")

    @pytest.mark.parametrize("command", ["synth", "evaluate"])
    def test_help_names_every_label_policy(self, rpmsn, command):
        usage = rpmsn(command, "--help").out
        assert all(policy in usage for policy in POLICIES)
