#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""How fast `rpmsn archive` is: actors and cores, a recording's parts, very many recordings, questions.

    .venv/bin/python benchmarks/archive.py                       # all, about five minutes
    .venv/bin/python benchmarks/archive.py actors --rounds 5     # some of it
    .venv/bin/python benchmarks/archive.py many questions --recordings 100000 --results 100000

`actors`: two actors on two cores beside one on one core, in turn, medians; from the first result of each actor on, so
without the start of Ray. `parts`: processor time of what pieces do apart and of what is done in order; cells are sought
most at the start. `many`: recordings of 1 ms are listed and planned. `questions`: to as many results, before and after
`compact`. Files are in a temporary folder. Run it on a quiet machine.
"""

import argparse
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from pathlib import Path

import numpy as np

from rpmsn.tables import format_table

RATE = 20e6
NARROWER = (20e6,)
"""Rates for `parts` beside that of `cells_live`."""
RECORDINGS, SECONDS = 12, 1.0
"""For `actors`, without cells: each of them is one job."""
QUESTIONS = (
    *(["query", *one, "--format", "csv"] for one in (["recordings"], ["on-air", "--band", "n78"], ["hours"])),
    ["report", "--overwrite"],
)


def main() -> int:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(MEASURES)} (default: all)")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="of `actors` (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=8.0, metavar="S", help="of `parts` (default: %(default)g)")
    parser.add_argument("--recordings", type=int, default=100_000, metavar="N", help="of `many` (default: %(default)s)")
    parser.add_argument(
        "--results", type=int, default=10_000, metavar="N", help="of `questions` (default: %(default)s)"
    )
    options = parser.parse_args()
    if unknown := set(options.parts) - set(MEASURES):
        parser.error(f"PART is {', '.join(sorted(unknown))}; choose from {', '.join(MEASURES)}")
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before")
    for part in options.parts or MEASURES:
        with tempfile.TemporaryDirectory(prefix="rpmsn-archive-speed-") as folder:
            begun = time.monotonic()
            # Each in a process of its own: what that takes of memory counts for the processes that it starts.
            process = multiprocessing.get_context("spawn").Process(target=MEASURES[part], args=(Path(folder), options))
            process.start()
            process.join()
            if process.exitcode:
                return 1
            print(f"({part}: {time.monotonic() - begun:.0f} s)\n", flush=True)
    return 0


def sigmf(path: Path, rate: float, center: float, samples: bytes | None) -> None:
    """A SigMF recording of 8 bit samples, which are there already where `samples` is None."""
    if samples is not None:
        path.with_suffix(".sigmf-data").write_bytes(samples)
    meta = {"core:datatype": "ci8", "core:sample_rate": rate, "core:version": "1.0.0"}
    captures = [{"core:sample_start": 0, "core:frequency": center, "core:datetime": "2026-11-02T10:00:00Z"}]
    path.with_suffix(".sigmf-meta").write_text(json.dumps({"global": meta, "captures": captures, "annotations": []}))


def actors(folder: Path, options: argparse.Namespace) -> None:
    """Two actors on two cores, one on one."""
    rng = np.random.default_rng(1)
    source = folder / "campaign"
    source.mkdir()
    for number in range(RECORDINGS):
        noise = rng.normal(0, 20, 2 * round(SECONDS * RATE))
        sigmf(source / f"r{number:02}", RATE, 1842.5e6, noise.astype(np.int8).tobytes())
    size = 2 * SECONDS * RATE / 1e6
    copied = median(lambda: copy_rate(source / "r00.sigmf-data"), 3)
    speeds: dict[int, list[float]] = {1: [], 2: []}
    for turn in range(options.rounds):
        for count in speeds:
            speeds[count].append(recordings_a_second(source, folder / f"found-{turn}-{count}", count))
    one, two = (statistics.median(speeds[count]) for count in (1, 2))
    rows = [
        (count, f"{size * value:.1f}", f"{SECONDS * value:.2f}", " ".join(f"{one:.2f}" for one in speeds[count]))
        for count, value in ((1, one), (2, two))
    ]
    print(f"recordings of {RATE / 1e6:g} Msps, 8 bit, {size:.0f} MB each; `dd` reads one at {copied:.0f} MB/s")
    print(format_table(("actors = cores", "MB/s", "real-time factor", "recordings/s of each round"), rows))
    print(f"two actors on two cores are {two / one:.2f} x one on one")


def recordings_a_second(source: Path, dest: Path, count: int) -> float:
    """Speed of a run on so many cores, from when each actor has done one recording."""
    cores = sorted(os.sched_getaffinity(0))[:count]
    command = [sys.executable, "-m", "rpmsn.cli", "archive", "run", source, "--output", dest, "--actors", count]
    command += ["--no-cells", "--quiet"]
    # A process inherits the cores that it may use from the one that starts it.
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        program = subprocess.Popen([str(one) for one in command], stdout=subprocess.PIPE, text=True)
    finally:
        os.sched_setaffinity(0, allowed)
    assert program.stdout is not None
    times = [time.monotonic() for line in program.stdout if ".sigmf-meta: " in line]
    if program.wait() or len(times) != RECORDINGS:
        raise SystemExit(f"the run with {count} actors failed")
    return (RECORDINGS - count) / (times[-1] - times[count - 1])


def copy_rate(path: Path) -> float:
    """MB/s of `dd` that reads a file, which the system has in memory."""
    begun = time.monotonic()
    subprocess.run(["dd", f"if={path}", "of=/dev/null", "bs=8M"], check=True, capture_output=True)
    return path.stat().st_size / 1e6 / (time.monotonic() - begun)


def median(measure, times: int) -> float:
    """Of several measurements."""
    return statistics.median(measure() for _ in range(times))


def parts(folder: Path, options: argparse.Namespace) -> None:
    """Processor time of the two parts of a long recording."""
    from cells_live import CENTER, SCENE_MS, scene
    from cells_live import RATE as WIDE

    from rpmsn import runtimes
    from rpmsn.archive import pieces
    from rpmsn.archive.annotating import Annotator, Settings
    from rpmsn.archive.minutes import Minutes
    from rpmsn.detection.segmenter import Segmenter
    from rpmsn.models.model import load_model

    model = load_model("rpmsn-rt")
    runtime = runtimes.create(model, "auto")
    wide = (scene() // 256).astype(np.int8).tobytes()
    rng = np.random.default_rng(1)
    rows = []
    for rate, block in ((WIDE, wide), *((rate, None) for rate in NARROWER)):
        path = folder / f"{rate / 1e3:.0f}ksps"
        with open(path.with_suffix(".sigmf-data"), "wb") as file:
            for _ in range(max(1, round(1e3 * options.seconds / SCENE_MS))):
                noise = rng.normal(0, 20, 2 * round(SCENE_MS * 1e-3 * rate)) if block is None else None
                file.write(block or noise.astype(np.int8).tobytes())
        sigmf(path, rate, CENTER, None)
        with Annotator(model, Settings()).open(f"{path}.sigmf-meta") as recording:
            segmenter, seconds = Segmenter(model, rate, runtime=runtime), recording.duration
            times = [time.process_time()]
            piece = pieces.analyse(recording, segmenter, 0, recording.sample_count, lambda count: None)
            times.append(time.process_time())
            for cells in (False, True):
                pieces.track(recording, model, [piece], runtime.name, None, cells, [Minutes(recording).follow])
                times.append(time.process_time())
        costs = [f"{(end - start) / seconds:.3f}" for start, end in pairwise(times)]
        what = "noise" if block is None else "six cells"
        rows.append((f"{rate / 1e6:g}", what, *costs, f"{len(piece.to_bytes()) / seconds / 1e3:.1f}"))
        path.with_suffix(".sigmf-data").unlink()
    print(f"{options.seconds:g} s each, 8 bit, {runtime.name}; core seconds for each second of signal")
    names = ("Msps", "what", "apart", "in order, no cells", "in order, cells", "kB/s of pieces")
    print(format_table(names, rows))


PLAN = """
import json, resource, sys, time
from rpmsn.archive import running, sources
from rpmsn.archive.annotating import Annotator, Settings
from rpmsn.archive.store import Store
from rpmsn.archive.work import Plan
from rpmsn.models.model import load_model
settings = Settings(runtime="onnxruntime")
annotator = Annotator(load_model("rpmsn-rt"), settings)
plan = Plan(sys.argv[1], sys.argv[2], "rpmsn-rt", settings, 30.0, annotator.made_by)
before, begun = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
found, _ = sources.find(Store(plan.source), annotator, False, False)
listed = time.monotonic()
todo = running.look(Store(plan.dest), plan, found)
count = sum(1 for _ in running.jobs_of(todo, plan, annotator))
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([count, listed - begun, time.monotonic() - listed, before / 1e3, memory / 1e3]))
"""


def many(folder: Path, options: argparse.Namespace) -> None:
    """Time and memory for the listing and the plan of recordings of 1 ms."""
    samples = np.random.default_rng(1).integers(-40, 40, 2000, dtype=np.int8).tobytes()
    for number in range(options.recordings):
        inner = folder / "campaign" / f"{number // 1000:03}"
        first = inner / f"r{number // 1000 * 1000:06}"
        if number % 1000 == 0:
            inner.mkdir(parents=True)
            sigmf(first, 1e6, 1842.5e6, samples)
            continue
        for ending in (".sigmf-data", ".sigmf-meta"):  # links are made, and removed, sooner than files
            os.link(first.with_suffix(ending), inner / f"r{number:06}{ending}")
    (folder / "found").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", PLAN, folder / "campaign", folder / "found"], check=True, capture_output=True, text=True
    )
    count, listing, planning, before, memory = json.loads(done.stdout)
    print(f"{count} recordings of 1 ms: listed in {listing:.1f} s, planned in {planning:.1f} s")
    print(f"memory of the process {memory:.0f} MB, {before:.0f} MB with the model alone")


def results(dest: Path, first: int, count: int) -> None:
    """Results of recordings as a run writes them, of a carrier and a cell each."""
    from rpmsn.archive import schema

    for number in range(first, first + count):
        key = f"{number:016x}-{0:016x}"
        row = {"key": key, "recording": f"r{number:06}.sigmf-meta", "start": None}
        lower = 3400e6 + 1e6 * (number % 300)
        carrier = {
            "burst_id": 1,
            "label": "NR",
            "freq_lower": lower,
            "freq_upper": lower + 20e6,
            "cell_id": number % 1008,
            "verdict": "proven",
            "confidence": 0.9,
            "evidence": "broadcast",
            "time_on_air": 1.0,
        }
        band = {"minute_s": 0, "bands": "n78 TDD", "band_lower": 3300e6, "band_upper": 3800e6, "label": "NR"}
        quality = {"minute_s": 0, "condition": "ok", "seconds": 1.0, "seconds_judged": 1.0}
        quality |= {"span_lower": lower, "span_upper": lower + 20e6}
        for table, values in (
            (schema.CARRIERS, carrier),
            (schema.CELLS, carrier),
            (schema.OCCUPANCY, band),
            (schema.QUALITY, quality),
            (schema.RECORDINGS, {"duration": 1.0}),
        ):
            (dest / table / f"{key}.parquet").write_bytes(schema.to_parquet(table, [{**row, **values}]))


def questions(folder: Path, options: argparse.Namespace) -> None:
    """Time of questions, before and after `compact`."""
    from rpmsn.archive import schema

    for table in schema.TABLE_NAMES:
        (folder / table).mkdir()
    (folder / "rpmsn-archive.json").write_text(json.dumps({"schema": schema.VERSION}))
    portion = 1000
    with ProcessPoolExecutor() as pool:
        firsts = range(0, options.results, portion)
        counts = [min(portion, options.results - first) for first in firsts]
        list(pool.map(results, [folder] * len(counts), firsts, counts))
    before = [asked(folder, question) for question in QUESTIONS]
    begun = time.monotonic()
    archive("compact", folder, "--quiet")
    compaction = time.monotonic() - begun
    after = [asked(folder, question) for question in QUESTIONS]
    rows = [
        (" ".join(question[:2]), f"{one[0]:.1f}", f"{one[1]:.0f}", f"{two[0]:.1f}", f"{two[1]:.0f}")
        for question, one, two in zip(QUESTIONS, before, after)
    ]
    print(f"{options.results} results; compacted in {compaction:.1f} s")
    print(format_table(("question", "s", "MB", "s compacted", "MB compacted"), rows))


def archive(*arguments: object) -> float:
    """Run `rpmsn archive`; returns its memory in MB."""
    command = [sys.executable, "-m", "rpmsn.cli", "archive", *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as program:
        _, status, usage = os.wait4(program.pid, 0)
        program.returncode = os.waitstatus_to_exitcode(status)
    if program.returncode:
        raise SystemExit(f"`rpmsn archive {' '.join(map(str, arguments))}` failed")
    return usage.ru_maxrss / 1e3


def asked(dest: Path, question: list[str]) -> tuple[float, float]:
    """Seconds and MB that a question, or the page, takes."""
    verb, *how = question
    begun = time.monotonic()
    memory = archive(verb, dest, *how, *(["--output", dest / "page.html"] if verb == "report" else []))
    return time.monotonic() - begun, memory


MEASURES = {"actors": actors, "parts": parts, "many": many, "questions": questions}


if __name__ == "__main__":
    sys.exit(main())
