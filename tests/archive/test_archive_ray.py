# SPDX-License-Identifier: GPL-3.0-or-later
"""Actors and nodes of Ray give the rows of one process, also where an actor or the program is killed meanwhile."""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import pytest
from archive_tools import actors, descendants, end, record, run, started, wait_for, written
from limits import PROCESS_S

from rpmsn.cli.main import main

for module in ("ray", "pyarrow", "fsspec"):
    if find_spec(module) is None:
        pytest.skip(f"{module} is not installed", allow_module_level=True)

HOW = ["--frame-seconds", "0.2", "--runtime", "onnxruntime", "--no-cells", "--quiet"]
"""`test_pieces` has cells."""
LOOPBACK = "127.0.0.1"
NODE = Path(__file__).with_name("ray_node.py")


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("archive") / "campaign"
    record(folder, "long", 11.3, captures=[(5.3, 1850e6)])
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
        assert program.wait(PROCESS_S) == 0
    finally:
        end([program.pid, *below])
    assert written(dest) == expected
    assert not list((dest / "pieces").rglob("*.gz"))
    assert not ray_folders(program.pid)
    assert not (home / ".ray").exists()


@pytest.fixture
def cluster():
    """Address of a cluster of two nodes on loopback."""
    folder = tempfile.mkdtemp(prefix="rpmsn-test-", dir="/tmp")  # names of sockets are short
    with socket.socket() as free:
        free.bind((LOOPBACK, 0))
        address = f"{LOOPBACK}:{free.getsockname()[1]}"
    common = ["--block", "--num-cpus=1", f"--node-ip-address={LOOPBACK}", "--object-store-memory=100000000"]
    head = ["--head", f"--port={address.rpartition(':')[2]}", f"--temp-dir={folder}", "--include-dashboard=false"]
    nodes = []
    environment = {**os.environ, "RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "disabled"}
    try:
        for which in (head, [f"--address={address}"]):
            log = Path(folder, f"node{len(nodes)}.log")
            with open(log, "wb") as output:
                nodes.append(
                    subprocess.Popen(
                        [sys.executable, str(NODE), "start", *which, *common],
                        stdout=output,
                        stderr=output,
                        env=environment,
                    )
                )
            wait_for("node", lambda log=log: b"Ray runtime started" in log.read_bytes(), nodes[-1])
        yield address
    finally:
        for node in reversed(nodes):
            below = descendants(node.pid)
            end([node.pid, *below])
            node.wait()
        shutil.rmtree(folder, ignore_errors=True)


def test_two_nodes_write_what_one_process_writes_after_the_program_was_killed(source, expected, cluster, tmp_path):
    dest = tmp_path / "found"
    # Of a cluster on loopback Ray takes the address as it is only so.
    there = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_AUTH_MODE": "disabled"}
    how = ["run", source, "--output", dest, "--address", cluster, *HOW]
    program = started(*how, "--piece-seconds", 1, **there)
    wait_for("first piece", has_pieces(dest), program)
    program.kill()
    program.wait()
    time.sleep(0.5)  # what was in work may still be written
    out, _ = run(*how, "--piece-seconds", 10, **there)
    assert "0 failed" in out
    assert written(dest) == expected
    assert run(*how, "--piece-seconds", 10, **there)[0].startswith("2 recordings: 0 analysed, 2 kept")


def test_a_cluster_that_is_not_there_is_named(source, tmp_path, capsys):
    for address in (f"{LOOPBACK}:1", "nonsense"):
        assert main(["archive", "run", str(source), "--output", str(tmp_path / "found"), "--address", address, *HOW])
        told = capsys.readouterr().err
        assert address in told and "--actors 0" in told
