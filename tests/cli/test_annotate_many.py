# SPDX-License-Identifier: GPL-3.0-or-later
"""`rpmsn annotate` of many recordings: real processes, the model that ships, recordings of one frame."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from limits import HANG_S, PROCESS_S
from oracle import flat_band

pytest.importorskip("onnxruntime")

PACKAGES = Path(__file__).resolve().parents[2] / "python"
RATE = 5e6
FAST = ("--runtime", "onnxruntime", "--no-cells")


def start(*arguments, **options):
    return subprocess.Popen(
        [sys.executable, "-m", "rpmsn.cli", "annotate", *map(str, arguments), *FAST],
        text=True,
        **{
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            "env": dict(os.environ, PYTHONPATH=str(PACKAGES)),
            "start_new_session": True,
            **options,
        },
    )


def annotate(*arguments, **options):
    """Exit status, stdout, stderr."""
    process = start(*arguments, **options)
    try:
        out, err = process.communicate(timeout=PROCESS_S)
    finally:
        process.kill()
    assert "Traceback" not in err, err
    return process.returncode, out, err


def write(folder, name, samples=None):
    """A recording of one frame, ci16; returns the path of its metadata."""
    if samples is None:
        samples = flat_band(int(RATE * 0.04), RATE, -1e6, 0.75e6, np.random.default_rng(1))
        samples = np.round(samples.view(np.float32) * 32767).astype("<i2").tobytes()
    folder.mkdir(parents=True, exist_ok=True)
    meta = folder / f"{name}.sigmf-meta"
    fields = {"core:datatype": "ci16_le", "core:sample_rate": RATE, "core:version": "1.2.0"}
    captures = [{"core:sample_start": 0, "core:frequency": 1.815e9}]
    meta.write_text(json.dumps({"global": fields, "captures": captures, "annotations": []}))
    meta.with_suffix(".sigmf-data").write_bytes(samples)
    return meta


def written(folder):
    return sorted(path.name for path in folder.rglob("*.rpmsn*") if not path.name.startswith("."))


@pytest.fixture
def campaign(tmp_path):
    """Two recordings, one of them with a name that is hard on everything, and three that cannot be annotated."""
    folder = tmp_path / "campaign"
    write(folder, "good")
    write(folder / "day 1", "Büro\nsüd")
    write(folder, "empty", b"")
    write(folder, "torn").write_text('{"global": ')
    write(folder, "alone").with_suffix(".sigmf-data").unlink()
    return folder


def test_a_folder_gives_a_line_a_recording_bad_ones_end_nothing_and_all_is_as_of_one_alone(campaign, tmp_path):
    status, out, err = annotate(campaign)
    assert status == 1
    lines = out.splitlines()
    found = next(line for line in lines if line.startswith(f"{campaign}/good.sigmf-meta: ")).partition(": ")[2]
    assert f"{campaign}/day 1/Büro\\nsüd.sigmf-meta: {found}" in lines
    assert lines[-1] == "5 recordings: 2 annotated, 0 kept, 3 failed"
    for name, reason in (("empty", "no samples"), ("torn", "not valid JSON"), ("alone", "does not exist")):
        (line,) = (line for line in err.splitlines() if f"/{name}.sigmf-meta: not annotated: " in line)
        assert reason in line
    assert "5 of 5: 100%" in err and "B/s" in err and "\r" not in err
    made = campaign / "good.rpmsn.sigmf-meta"
    many = made.read_bytes()
    made.unlink()
    assert annotate(campaign / "good.sigmf-meta")[0] == 0
    assert made.read_bytes() == many


def test_resume_makes_what_is_missing_and_the_summary_counts_all(tmp_path):
    folder, out = tmp_path / "campaign", tmp_path / "out"
    first = write(folder, "a")
    assert annotate(folder, "--output", out, "--quiet")[::2] == (0, "")
    before = (out / "a.rpmsn.sigmf-meta").stat().st_mtime_ns
    write(folder, "b")
    status, _, err = annotate(folder, "--output", out)
    assert status == 1 and "--resume" in err and written(out) == ["a.rpmsn.sigmf-meta"]
    status, text, _ = annotate(folder, "--output", out, "--resume", "--quiet")
    kept, _, *table, last = text.splitlines()
    assert status == 0 and kept.startswith(f"{first}: ") and kept.endswith("; kept")
    assert last == "2 recordings: 1 annotated, 1 kept, 0 failed"
    assert all(line.split()[-1] in ("2", "recordings") for line in table if line)
    assert (out / "a.rpmsn.sigmf-meta").stat().st_mtime_ns == before
    assert written(out) == ["a.rpmsn.sigmf-meta", "b.rpmsn.sigmf-meta"]


def test_json_is_a_line_a_recording_with_what_one_alone_prints(campaign, tmp_path):
    good = campaign / "good.sigmf-meta"
    status, out, err = annotate(good, campaign / "good", campaign / "empty.sigmf-meta", "--json", "--quiet")
    documents = {line["recording"]: line for line in map(json.loads, out.splitlines())}
    assert status == 1 and len(documents) == 2
    failed = documents[str(campaign / "empty.sigmf-meta")]
    assert failed["output"] is None and "no samples" in failed["error"]
    assert "2 recordings: 1 annotated, 0 kept, 1 failed" in err
    alone = json.loads(annotate(good, "--json", "--overwrite", "--output", campaign / "good.rpmsn.sigmf-meta")[1])
    assert documents[alone["recording"]] == alone


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_what_is_done_and_no_process(tmp_path, number):
    folder = tmp_path / "campaign"
    for name in "ab":
        write(folder, name)
    with open(write(folder, "c").with_suffix(".sigmf-data"), "wb") as file:
        file.truncate(10 * 10**9)  # zeros that take no room on the disk
    process = start(folder, "--quiet", "--jobs", 2)
    end = time.monotonic() + PROCESS_S
    while len(written(folder)) < 2:
        assert process.poll() is None and time.monotonic() < end
        time.sleep(0.05)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.kill(process.pid, number)
    _, err = process.communicate(timeout=PROCESS_S)
    assert process.returncode == 128 + number
    assert "3 recordings: " in err and "--resume" in err and "Traceback" not in err
    assert written(folder) == ["a.rpmsn.sigmf-meta", "b.rpmsn.sigmf-meta"]
    assert not list(folder.glob(".*"))
    end = time.monotonic() + HANG_S
    while any(Path(f"/proc/{child}").exists() for child in children):
        assert time.monotonic() < end, "a process is left"
        time.sleep(0.05)


def test_what_goes_away_meanwhile_is_told_of(tmp_path):
    """The output folder, and a recording that was listed."""
    folder, out = tmp_path / "campaign", tmp_path / "out"
    names = [write(folder, name) for name in "abcdefgh"]
    process = start(folder, "--output", out, "--quiet", "--jobs", 1)
    end = time.monotonic() + PROCESS_S
    while not written(out):
        assert process.poll() is None and time.monotonic() < end
        time.sleep(0.01)
    names[-1].unlink()
    out.rename(tmp_path / "away")
    text, err = process.communicate(timeout=PROCESS_S)
    assert process.returncode == 1 and "Traceback" not in err
    assert f"{names[-1]} does not exist" in err
    assert f"the folder {out} does not exist" in err
    assert not out.exists() and "a.rpmsn.sigmf-meta" in written(tmp_path / "away")


@pytest.mark.parametrize(
    "given", [["-", "x.cs16"], ["x.cs16", "y.cs16", "--output", "z.sigmf-meta"], ["--jobs", "0", "."]]
)
def test_wrong_use_is_2_and_says_what_is_right(tmp_path, given):
    status, out, err = annotate(*given, cwd=tmp_path)
    assert status == 2 and not out and err.strip()


def test_nothing_to_annotate_is_said(tmp_path):
    (tmp_path / "empty").mkdir()
    status, out, err = annotate("empty", "none*.cs16", cwd=tmp_path)
    assert status == 1 and "2 failed" in out
    assert "empty holds no file with the name of a recording" in err and "nothing has a name like none*.cs16" in err
