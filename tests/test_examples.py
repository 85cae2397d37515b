# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples: flowgraphs compile and run, scripts run, on a small recording and without a screen."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import sigmf
from limits import PROCESS_S
from oracle import flat_band

pytest.importorskip("gnuradio.gr")

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"
ENVIRONMENT = dict(
    os.environ,
    PYTHONPATH=str(ROOT / "python"),
    GRC_BLOCKS_PATH=str(ROOT / "grc"),
    QT_QPA_PLATFORM="offscreen",
    PYQTGRAPH_QT_LIB="PyQt5",
)
RATE = 5e6
CENTER = 1.815e9
SAMPLES = 3 * int(RATE * 0.04)
RUN_SECONDS = 5


def run(*command, **options):
    return subprocess.run(
        [sys.executable, *map(str, command)],
        text=True,
        capture_output=True,
        timeout=PROCESS_S,
        env=ENVIRONMENT,
        **options,
    )


def compile_flowgraph(path, folder):
    """Run GRC's compiler on a flowgraph, under this Python."""
    grcc = shutil.which("grcc")
    if grcc is None:
        pytest.skip("grcc is not installed; it comes with gnuradio")
    return run(grcc, "-o", folder, path)


@pytest.fixture
def recording(tmp_path):
    """Metadata path of three frames with one carrier, 5 Msps."""
    samples = flat_band(SAMPLES, RATE, 0, RATE / 4, np.random.default_rng(1))
    samples.tofile(tmp_path / "band.sigmf-data")
    meta = tmp_path / "band.sigmf-meta"
    meta.write_text(
        json.dumps(
            {
                "global": {"core:datatype": "cf32_le", "core:sample_rate": RATE, "core:version": "1.2.0"},
                "captures": [{"core:sample_start": 0, "core:frequency": CENTER}],
                "annotations": [
                    {
                        "core:sample_start": 0,
                        "core:sample_count": SAMPLES,
                        "core:label": "LTE",
                        "core:freq_lower_edge": CENTER,
                        "core:freq_upper_edge": CENTER + RATE / 4,
                    }
                ],
            }
        )
    )
    return meta


def wait_until_it_catches(process, wanted):
    """Wait until a process has a handler for a signal: a flowgraph sets its own when all else is ready."""
    bit = 1 << (wanted - 1)
    for _ in range(600):
        if process.poll() is not None:
            return
        status = Path(f"/proc/{process.pid}/status").read_text()
        if any(line.startswith("SigCgt:") and int(line.split()[1], 16) & bit for line in status.splitlines()):
            return
        time.sleep(0.1)


class TestFlowgraphs:
    @pytest.mark.parametrize("name", [path.stem for path in sorted(EXAMPLES.glob("*.grc"))])
    def test_every_flowgraph_compiles_to_valid_python(self, name, tmp_path):
        result = compile_flowgraph(EXAMPLES / f"{name}.grc", tmp_path)
        assert result.returncode == 0, result.stdout + result.stderr
        generated = tmp_path / f"{name}.py"
        compile(generated.read_text(), generated, "exec")

    @pytest.mark.parametrize(
        "before, after, sentence",
        [
            ("sample_rate: 61.44e6", "sample_rate: 0.5e6", "Sample Rate has to lie between 1e6 and 125e6 Hz"),
            ("threads: '1'", "threads: '0'", "Threads of the Network has to be at least 1"),
            (
                "frames_per_second: '25'",
                "frames_per_second: '-1'",
                "Frame Messages per Second has to be 0 (none) or more",
            ),
            ("model: rpmsn-rt", "model: ''", "Model has to be a name such as rpmsn-rt"),
        ],
    )
    def test_a_bad_value_is_refused_by_grc_with_a_sentence(self, before, after, sentence, tmp_path):
        text = (EXAMPLES / "file_replay.grc").read_text()
        assert text.count(before) == 1
        (tmp_path / "bad.grc").write_text(text.replace(before, after))
        result = compile_flowgraph(tmp_path / "bad.grc", tmp_path)
        assert result.returncode != 0
        assert sentence in result.stdout + result.stderr
        assert not (tmp_path / "file_replay.py").exists()

    def test_file_replay_runs_until_it_is_ended(self, recording, tmp_path):
        from rpmsn.models.model import DEFAULT_MODEL, available_models

        if DEFAULT_MODEL not in available_models():
            pytest.skip(f"model {DEFAULT_MODEL} does not ship yet")
        self.replay(EXAMPLES / "file_replay.grc", recording, tmp_path)

    def test_file_replay_runs_with_the_card_of_another_model(self, recording, tmp_path, all_lte):
        text = (EXAMPLES / "file_replay.grc").read_text()
        flowgraph = tmp_path / "other_model.grc"
        flowgraph.write_text(text.replace("model: rpmsn-rt", f"model: {all_lte}"))
        self.replay(flowgraph, recording, tmp_path)

    def replay(self, flowgraph, recording, folder):
        """Compile and start a flowgraph; it repeats the recording without end, so it is ended as a user would."""
        result = compile_flowgraph(flowgraph, folder)
        assert result.returncode == 0, result.stdout + result.stderr
        with open(folder / "log", "w+") as log:
            process = subprocess.Popen(
                [sys.executable, str(folder / "file_replay.py"), "--recording", str(recording)],
                env=ENVIRONMENT,
                stdout=log,
                stderr=log,
                cwd=folder,
            )
            try:
                wait_until_it_catches(process, signal.SIGTERM)
                time.sleep(RUN_SECONDS)
                assert process.poll() is None
                process.send_signal(signal.SIGTERM)
                assert process.wait(PROCESS_S) == 0
            finally:
                process.kill()
                log.seek(0)
                said = log.read()
        assert "Traceback" not in said and ":error:" not in said


class TestFileReplay:
    def test_prints_every_segment_as_a_line_of_json_and_analyses_every_sample(self, recording, all_lte):
        result = run(EXAMPLES / "file_replay_headless.py", recording, "--model", all_lte)
        assert result.returncode == 0, result.stderr
        segments = [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]
        assert [segment["event"] for segment in segments] == ["new", "update", "update", "gone"]
        for segment in segments:
            assert (segment["label"], segment["model"], segment["burst_id"]) == ("LTE", "all-lte", 1)
            assert CENTER - RATE / 2 <= segment["freq_lower"] < segment["freq_upper"] <= CENTER + RATE / 2
        assert (segments[-1]["start_offset"], segments[-1]["end_offset"]) == (0, SAMPLES)
        assert f"{SAMPLES} of {SAMPLES} samples analysed" in result.stderr

    @pytest.mark.parametrize(
        "arguments, said",
        [(("nothing.sigmf-meta",), "does not exist"), (("band.sigmf-meta", "--model", "no-such-model"), "is unknown")],
    )
    def test_says_in_a_sentence_what_it_cannot_open(self, recording, arguments, said):
        result = run(EXAMPLES / "file_replay_headless.py", *arguments, cwd=recording.parent)
        assert result.returncode == 1
        assert said in result.stderr and "Traceback" not in result.stderr


class TestReplayWindow:
    def test_draws_a_picture_writes_annotations_and_compares(self, recording, all_lte, tmp_path):
        pytest.importorskip("PyQt5.QtWidgets")
        pytest.importorskip("pyqtgraph")
        picture, output = tmp_path / "picture.png", tmp_path / "found.sigmf-meta"
        result = run(
            EXAMPLES / "replay_window.py",
            recording,
            "--model",
            all_lte,
            "--close",
            "--picture",
            picture,
            "--output",
            output,
        )
        assert result.returncode == 0, result.stderr
        from PyQt5 import QtGui

        image = QtGui.QImage(str(picture))
        assert (image.width(), image.height()) == (1280, 800)
        assert len({image.pixel(x, y) for x in range(0, 1280, 7) for y in range(0, 800, 7)}) > 20
        sigmf.fromfile(str(output), skip_checksum=True).validate()
        assert f"{SAMPLES} of {SAMPLES} samples analysed" in result.stdout
        header, line = result.stdout[result.stdout.index("truth") :].splitlines()[:2]
        truth, lower, upper, found, *_ = line.split()
        assert (truth, lower, upper, found) == ("LTE", "1815.000", "1816.250", "LTE")

    def test_an_output_that_exists_is_refused_before_the_window_opens(self, recording, all_lte):
        pytest.importorskip("PyQt5.QtWidgets")
        result = run(EXAMPLES / "replay_window.py", recording, "--model", all_lte, "--output", recording)
        assert result.returncode == 1
        assert "--overwrite" in result.stderr
        assert json.loads(recording.read_text())["annotations"][0]["core:label"] == "LTE"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_subscriber_ends_well_at_every_signal_that_asks_to(number):
    pytest.importorskip("zmq", reason="pyzmq is not installed")
    process = subprocess.Popen(
        [sys.executable, "-u", str(EXAMPLES / "zmq_subscriber.py"), "tcp://127.0.0.1:9"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    )
    try:
        process.stdout.readline()
        process.send_signal(number)
        _, said = process.communicate(timeout=PROCESS_S)
    finally:
        process.kill()
    assert process.returncode == 0 and "Traceback" not in said, said
