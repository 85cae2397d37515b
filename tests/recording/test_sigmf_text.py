# SPDX-License-Identifier: GPL-3.0-or-later
"""SigMF metadata are read and written with and without the `sigmf` library, which only checks them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from rpmsn.errors import RecordingError
from rpmsn.recording import sigmf_text

PACKAGES = Path(__file__).resolve().parents[2] / "python"
METADATA = {
    "global": {"core:datatype": "ci8", "core:sample_rate": 1e6},
    "captures": [{"core:sample_start": 0, "core:frequency": 1.8e9}],
    "annotations": [{"core:sample_start": 0, "core:sample_count": 10, "core:label": "LTE"}],
}


def test_what_is_written_is_read_as_it_was_with_what_may_be_left_out():
    read = sigmf_text.read(sigmf_text.write(METADATA))
    assert read["captures"] == METADATA["captures"] and read["annotations"] == METADATA["annotations"]
    added = {"core:num_channels": 1, "core:offset": 0, "core:version": sigmf_text.VERSION}
    assert read["global"] == METADATA["global"] | added


def test_the_library_reads_what_is_written():
    sigmf = pytest.importorskip("sigmf")
    file = sigmf.SigMFFile(metadata=sigmf_text.write(METADATA))
    file.validate()
    assert file.get_global_field("core:sample_rate") == 1e6


@pytest.mark.parametrize("text", ["[]", "{}", '{"global": []}', '{"global": null}'])
def test_metadata_without_a_global_object_are_refused(text):
    with pytest.raises(TypeError, match="global"):
        sigmf_text.read(text)


def test_what_the_standard_does_not_allow_is_refused_where_the_library_is_there():
    pytest.importorskip("sigmf")
    wrong = {**METADATA, "global": {"core:datatype": "no such type"}}
    with pytest.raises(RecordingError, match="not valid SigMF: .*no such type"):
        sigmf_text.check(sigmf_text.write(wrong))


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
        [sys.executable, "-c", code], text=True, capture_output=True, timeout=60, env={"PYTHONPATH": str(PACKAGES)}
    )
    assert (result.returncode, result.stdout) == (0, "1\n"), result.stderr
    assert json.loads((tmp_path / "out.sigmf-meta").read_text())["global"]["core:datatype"] == "ci8"
