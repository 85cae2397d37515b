# SPDX-License-Identifier: GPL-3.0-or-later
"""Recordings of an archive for tests, runs of it, and what they have written."""

import json
import os
import subprocess
import sys

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


def written(dest):
    """All rows, sorted, and annotations of an archive in a folder: name -> content."""
    import pyarrow.parquet as pq

    found = {}
    for path in sorted(dest.rglob("*.parquet")):
        found.setdefault(path.parent.name, []).extend(repr(row) for row in pq.read_table(path).to_pylist())
    found = {name: sorted(rows) for name, rows in found.items()}
    for path in sorted((dest / "annotations").rglob("*.sigmf-meta")):
        found[str(path.relative_to(dest))] = path.read_text()
    return found
