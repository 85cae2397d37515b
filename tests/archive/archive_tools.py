# SPDX-License-Identifier: GPL-3.0-or-later
"""Recordings of an archive for tests, runs of it, and what they have written."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import numpy as np
from limits import PROCESS_S
from oracle import flat_band

RATE = 1e6
ARCHIVE_S = 3 * PROCESS_S
"""A run with actors: a dozen processes that start at the same time."""
LOOPBACK = "127.0.0.1"
NODE = Path(__file__).with_name("ray_node.py")
ON_LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_AUTH_MODE": "disabled"}
"""Environment of a program that uses `cluster`: Ray then takes an address on loopback as it is."""
NODES = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_MODE": "disabled",
    "RAY_agent_register_timeout_ms": str(int(1e3 * PROCESS_S)),
}
"""Environment of nodes."""
AGENTS = ("dashboard-agent-grpc-port", "dashboard-agent-listen-port", "metrics-export-port", "runtime-env-agent-port")
"""Options of `ray start`: ports of a node's agents, see `ray_node`."""


def record(folder, name, seconds, seed=1, time="2026-11-02T10:00:58Z", center=1842.5e6, captures=()):
    """A SigMF recording of 8 bit samples at 1 Msps: noise with bands that come and go; returns its metadata's path.

    Args:
        captures: (second, centre frequency in Hz) of further capture segments.
    """
    rng = np.random.default_rng(seed)
    count = int(seconds * RATE)
    samples = flat_band(count, RATE, -0.35e6, -0.1e6, rng)
    burst = flat_band(count, RATE, 0.1e6, 0.3e6, rng)
    on = (np.arange(count) / RATE + seed) % 2 < 1.1
    samples += burst * on
    folder.mkdir(parents=True, exist_ok=True)
    scaled = np.clip(samples.view(np.float32) * 600, -120, 120)
    (folder / f"{name}.sigmf-data").write_bytes(scaled.astype(np.int8).tobytes())
    first = {"core:sample_start": 0, "core:frequency": center}
    if time:
        first["core:datetime"] = time
    others = [{"core:sample_start": int(second * RATE), "core:frequency": hertz} for second, hertz in captures]
    meta = {"global": {"core:datatype": "ci8", "core:sample_rate": RATE, "core:version": "1.0.0"}}
    path = folder / f"{name}.sigmf-meta"
    path.write_text(json.dumps({**meta, "captures": [first, *others], "annotations": []}))
    return path


def command(*arguments):
    """`rpmsn archive ...` as a process is started with it."""
    return [sys.executable, "-m", "rpmsn.cli", "archive", *map(str, arguments)]


def run(*arguments, status=0, **environment):
    """Run `rpmsn archive ...`; returns (stdout, stderr)."""
    done = subprocess.run(
        command(*arguments),
        capture_output=True,
        text=True,
        timeout=ARCHIVE_S,
        env={**os.environ, **{name: str(value) for name, value in environment.items()}},
    )
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout, done.stderr


def tables(dest):
    """The rows of an archive in a folder: table -> list of dict."""
    import pyarrow.parquet as pq

    found = {}
    for path in sorted(dest.rglob("*.parquet")):
        found.setdefault(path.parent.name, []).extend(pq.read_table(path).to_pylist())
    return found


def written(dest):
    """All rows, sorted, and annotations of an archive in a folder: name -> content."""
    found = {name: sorted(map(repr, rows)) for name, rows in tables(dest).items()}
    for path in sorted((dest / "annotations").rglob("*.sigmf-meta")):
        found[str(path.relative_to(dest))] = path.read_text()
    return found


def started(*arguments, **environment):
    """`rpmsn archive ...` in a process that goes on."""
    return subprocess.Popen(
        command(*arguments), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, **environment}
    )


def wait_for(what, is_there, process):
    """Wait for something that a process does."""
    end = time.monotonic() + ARCHIVE_S
    while not is_there():
        assert process.poll() is None, f"it ended before {what}"
        assert time.monotonic() < end, f"no {what}"
        time.sleep(0.02)


def descendants(pid):
    """Numbers of the processes below one, and their names: pid -> command line."""
    parents, names = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            names[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return {one: names[one] for one in found[1:]}


def actors(pid):
    """The processes that analyse, below one."""
    return [one for one, name in descendants(pid).items() if name.startswith("ray::MapWorker")]


def end(pids):
    """Kill processes that this test started."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@contextmanager
def cluster():
    """Two nodes of Ray on loopback: yields (address, their processes), the head first."""
    folder = tempfile.mkdtemp(prefix="rpmsn-test-", dir="/tmp")  # names of sockets are short
    (port,) = _free_ports(1)
    address = f"{LOOPBACK}:{port}"
    nodes = []
    try:
        nodes.append(_node(folder, "--head", f"--port={port}", f"--temp-dir={folder}"))
        nodes.append(_node(folder, f"--address={address}"))
        yield address, nodes
    finally:
        end_nodes(nodes)
        shutil.rmtree(folder, ignore_errors=True)


def _free_ports(count):
    with ExitStack() as stack:
        found = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in found:
            one.bind((LOOPBACK, 0))
        return [one.getsockname()[1] for one in found]


def end_nodes(nodes):
    """Kill nodes, with all of their processes."""
    for node in reversed(nodes):
        end([node.pid, *descendants(node.pid)])
        node.wait()


def _node(folder, *which):
    """A node that is ready."""
    common = ["--block", "--num-cpus=1", f"--node-ip-address={LOOPBACK}", "--object-store-memory=100000000"]
    common += ["--include-dashboard=false"] if "--head" in which else []
    common += [f"--{name}={port}" for name, port in zip(AGENTS, _free_ports(len(AGENTS)))]
    log = Path(folder, f"node-{len(list(Path(folder).glob('node-*.log')))}.log")
    with open(log, "wb") as output:
        node = subprocess.Popen(
            [sys.executable, str(NODE), "start", *which, *common],
            stdout=output,
            stderr=output,
            env={**os.environ, **NODES},
        )
    try:
        wait_for("node", lambda: b"Ray runtime started" in log.read_bytes(), node)
    except AssertionError as error:
        end_nodes([node])
        raise AssertionError(f"{error}; it said: {log.read_text(errors='replace')}") from None
    except BaseException:
        end_nodes([node])
        raise
    return node
