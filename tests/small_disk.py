# SPDX-License-Identifier: GPL-3.0-or-later
"""Python code on a disk of its own that is soon full."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from limits import PROCESS_S

TESTS = Path(__file__).parent
PACKAGES = TESTS.parent / "python"


def child_environment(*folders):
    """Environment of a process that imports from the engine, the tests, and other folders."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (PACKAGES, *folders, TESTS)))}


def run_on_small_disk(tmp_path, code, *arguments, kib=512, folders=()):
    """Run Python code with a disk of so many KiB in `sys.argv[1]`; returns what it prints.

    The code may make it larger: `mount -o remount,size=8m`. Skips where a user may not mount.

    Args:
        arguments: `sys.argv[2:]`.
        folders: that it imports from, too.
    """
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = f"mount -t tmpfs -o size={kib}k tmpfs {folder}"
    alone = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    try:
        may_mount = subprocess.run([*alone, mount], capture_output=True).returncode == 0
    except FileNotFoundError:
        may_mount = False
    if not may_mount:
        pytest.skip("this system does not let a user mount a small disk of his own (unshare --user --mount)")
    result = subprocess.run(
        [*alone, f'{mount} && exec "$@"', "sh", sys.executable, "-c", code, folder, *arguments],
        env=child_environment(*folders),
        text=True,
        capture_output=True,
        timeout=PROCESS_S,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout
