# SPDX-License-Identifier: GPL-3.0-or-later
"""SigMF metadata are read and written with and without the `sigmf` library, which only checks them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from limits import PROCESS_S

from rpmsn.recording import sigmf_text
from rpmsn.recording.metadata import parse

PACKAGES = Path(__file__).resolve().parents[2] / "python"
METADATA = {
    "global": {"core:datatype": "ci8", "core:sample_rate": 1e6},
    "captures": [{"core:sample_start": 0, "core:frequency": 1.8e9}],
    "annotations": [{"core:sample_start": 0, "core:sample_count": 10, "core:label": "LTE"}],
}


def test_what_is_written_is_read_as_it_was_with_what_may_be_left_out():
    read, warnings = parse(sigmf_text.write(METADATA).encode(), Path("band.sigmf-meta"))
    assert not warnings
    assert read["captures"] == METADATA["captures"] and read["annotations"] == METADATA["annotations"]
    added = {"core:num_channels": 1, "core:offset": 0, "core:version": sigmf_text.VERSION}
    assert read["global"] == METADATA["global"] | added


def test_the_library_reads_what_is_written():
    sigmf = pytest.importorskip("sigmf")
    file = sigmf.SigMFFile(metadata=sigmf_text.write(METADATA))
    file.validate()
    assert file.get_global_field("core:sample_rate") == 1e6


def test_what_else_a_file_holds_is_kept_and_nan_is_never_written():
    assert json.loads(sigmf_text.write({**METADATA, "mine": [1]}))["mine"] == [1]
    with pytest.raises(ValueError, match="JSON"):
        sigmf_text.write({**METADATA, "mine": float("nan")})


def test_a_recording_is_annotated_where_the_library_is_not_installed(tmp_path):
    """As with the packages of Debian alone: read, annotated, and read again."""
    (tmp_path / "band.sigmf-data").write_bytes(bytes(2000))
    (tmp_path / "band.sigmf-meta").write_text(json.dumps(METADATA))
    code = (
        "import sys\n"
        "sys.modules['sigmf'] = None; sys.modules['jsonschema'] = None\n"
        "import importlib.util\n"
        "find = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *rest: None if name == 'sigmf' else find(name, *rest)\n"
        "from rpmsn.recording import open_recording\n"
        "from rpmsn.recording.annotations import write_annotations\n"
        f"output = write_annotations(open_recording({str(tmp_path / 'band.sigmf-meta')!r}), [],"
        f" {str(tmp_path / 'out.sigmf-meta')!r}, keep_annotations=True)\n"
        "print(len(open_recording(output).metadata['annotations']))\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        text=True,
        capture_output=True,
        timeout=PROCESS_S,
        env={"PYTHONPATH": str(PACKAGES)},
    )
    assert (result.returncode, result.stdout) == (0, "1\n"), result.stderr
    assert json.loads((tmp_path / "out.sigmf-meta").read_text())["global"]["core:datatype"] == "ci8"
