# SPDX-License-Identifier: GPL-3.0-or-later
"""Libraries of runtimes are loaded without the lines that Debian's ONNX Runtime writes; all others are seen."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from limits import PROCESS_S

PACKAGES = Path(__file__).resolve().parents[2] / "python"
WRITES = (
    "import os\n"
    "for number in range(900):\n"
    "    os.write(2, b'Schema error: Trying to register schema with name Abs (version: %d)\\n\\n' % number)\n"
    "os.write(2, b'this one matters\\n')\n"
)


def load(folder, text, **options):
    """Load a stand-in of a library in a Python of its own."""
    (folder / "noisy.py").write_text(text)
    return subprocess.run(
        [sys.executable, "-c", "from rpmsn.runtimes.libraries import load; load('noisy')"],
        text=True,
        capture_output=True,
        timeout=PROCESS_S,
        env=dict(os.environ, PYTHONPATH=os.pathsep.join([str(PACKAGES), str(folder)])),
        **options,
    )


def test_lines_that_mean_nothing_are_left_out_and_others_are_not(tmp_path):
    result = load(tmp_path, WRITES)
    assert (result.returncode, result.stderr) == (0, "this one matters\n")


def test_what_a_library_says_before_it_fails_is_seen(tmp_path):
    result = load(tmp_path, WRITES + "raise ImportError('no such symbol')")
    assert result.stderr.startswith("this one matters\n")
    assert "no such symbol" in result.stderr


@pytest.mark.skipif(os.name == "nt", reason="file descriptors of POSIX")
def test_a_process_without_stderr_loads_it_too(tmp_path):
    result = load(tmp_path, "open('loaded', 'w').close()", cwd=tmp_path, preexec_fn=lambda: os.close(2))
    assert result.returncode == 0 and (tmp_path / "loaded").exists()
