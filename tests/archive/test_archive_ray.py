# SPDX-License-Identifier: GPL-3.0-or-later
"""Actors of Ray, on one node and on two, give the rows of one process, also where one is killed meanwhile.

Many times, at random moments, and the program as well: `benchmarks/archive_kills.py`.
"""

import os
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest
from archive_tools import (
    ARCHIVE_S,
    LOOPBACK,
    ON_LOOPBACK,
    actors,
    cluster,
    descendants,
    end,
    end_nodes,
    record,
    started,
    wait_for,
    written,
)

from rpmsn.cli.main import main

for module in ("ray", "pyarrow", "fsspec"):
    if find_spec(module) is None:
        pytest.skip(f"{module} is not installed", allow_module_level=True)

HOW = ["--frame-seconds", "0.2", "--runtime", "onnxruntime", "--no-cells", "--quiet"]
"""`test_pieces` has cells."""

pytestmark = pytest.mark.timeout(2 * ARCHIVE_S)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("archive") / "campaign"
    record(folder, "long", 10.5, captures=[(5.3, 1850e6)])
    record(folder / "deep", "short", 0.4, seed=2, time=None)
    return folder


@pytest.fixture(scope="module")
def expected(source):
    """What one process writes."""
    dest = source.parent / "alone"
    assert main(["archive", "run", str(source), "--output", str(dest), "--actors", "0", *HOW]) == 0
    return written(dest)


def has_pieces(dest):
    return lambda: any(dest.glob("pieces/*/*.gz"))


def ray_folders(pid):
    return list(Path("/tmp").glob(f"rpmsn-ray-{pid}-*"))


def listening(pids):
    """Addresses that processes listen at."""
    shown = subprocess.run(["ss", "-ltnpH"], capture_output=True, text=True).stdout.splitlines()
    owned = [line for line in shown if set(map(int, re.findall(r"pid=(\d+)", line))) & set(pids)]
    return {line.split()[3].rpartition(":")[0].replace("::ffff:", "").strip("[]") for line in owned}


def test_two_actors_of_which_one_is_killed_write_what_one_process_writes_and_leave_nothing(source, expected, tmp_path):
    dest = tmp_path / "found"
    home = tmp_path / "home"
    home.mkdir()
    program = started("run", source, "--output", dest, "--actors", 2, "--piece-seconds", 1, *HOW, HOME=str(home))
    below = {}
    try:
        wait_for("first piece", has_pieces(dest), program)
        below = descendants(program.pid)
        if shutil.which("ss"):
            assert listening([program.pid, *below]) == {LOOPBACK}
        end(actors(program.pid)[:1])
        assert program.wait(ARCHIVE_S) == 0
    finally:
        end([program.pid, *below])
    assert written(dest) == expected
    assert not list((dest / "pieces").rglob("*.gz"))
    assert not ray_folders(program.pid)
    assert not (home / ".ray").exists()


def test_two_nodes_write_what_one_process_writes_in_long_pieces_and_where_one_node_is_lost(source, expected, tmp_path):
    with cluster() as (address, nodes):
        for seconds, is_lost in ((10, False), (1, True)):
            dest = tmp_path / str(seconds)
            how = ["--address", address, "--piece-seconds", seconds, *HOW]
            program = started("run", source, "--output", dest, *how, **ON_LOOPBACK)
            try:
                wait_for("actor on each node", lambda: all(actors(node.pid) for node in nodes), program)
                if is_lost:
                    wait_for("first piece", has_pieces(dest), program)
                    end_nodes(nodes[1:])
                assert program.wait(ARCHIVE_S) == 0
            finally:
                end([program.pid])
            assert written(dest) == expected
            assert not list((dest / "pieces").rglob("*.gz"))


def test_a_cluster_that_is_not_there_is_named(source, tmp_path, capsys):
    for address in (f"{LOOPBACK}:1", "nonsense"):
        assert main(["archive", "run", str(source), "--output", str(tmp_path / "found"), "--address", address, *HOW])
        told = capsys.readouterr().err
        assert address in told and "--actors 0" in told


def test_a_machine_too_busy_for_ray_is_told_of(source, tmp_path, capsys, monkeypatch):
    import ray

    def too_late(**_):
        raise Exception("The current node timed out during startup.")

    monkeypatch.setattr(ray, "init", too_late)
    before = dict(os.environ)
    assert main(["archive", "run", str(source), "--output", str(tmp_path / "found"), *HOW]) == 1
    told = capsys.readouterr().err
    assert "timed out during startup" in told and "less busy" in told and "--actors 0" in told
    assert dict(os.environ) == before
    assert not ray_folders(os.getpid())
