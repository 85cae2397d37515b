# SPDX-License-Identifier: GPL-3.0-or-later
"""Recordings of an archive for tests, runs of it, and what they have written."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
from limits import PROCESS_S
from oracle import flat_band

RATE = 1e6


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
        timeout=PROCESS_S,
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
    end = time.monotonic() + PROCESS_S
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
