# SPDX-License-Identifier: GPL-3.0-or-later
"""`rpmsn archive run` with something killed at a random moment, many times: is anything lost, or there twice?

In turn an actor, a node of a cluster, or the program itself is killed, at any time after its start or, every other
time, while pieces are in work; then the same command runs to its end, and what is in the archive is compared with what
one process writes. Where the program was not killed, it has to end well itself. A round is a line of JSON in a file;
rounds that it has are not made again.

    .venv/bin/python benchmarks/archive_kills.py --rounds 20 --output kills.jsonl
"""

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "archive")]

import archive_tools as tools

VICTIMS = ("actor", "node", "program")
HOW = ["--frame-seconds", "0.2", "--runtime", "onnxruntime", "--piece-seconds", 1, "--quiet"]
LATEST_S, LATEST_IN_WORK_S = 20.0, 6.0


def main() -> int:
    """Make the rounds that are missing; returns 1 if any of all has failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20, metavar="N", help="in all (default: %(default)s)")
    parser.add_argument("--output", type=Path, required=True, metavar="FILE", help="one line a round; goes on from it")
    options = parser.parse_args()
    made = [json.loads(line) for line in options.output.read_text().splitlines()] if options.output.exists() else []
    folder = Path(tempfile.mkdtemp(prefix="rpmsn-kills-"))
    try:
        source, alone = folder / "campaign", folder / "alone"
        tools.record(source, "long", 12.5, captures=[(5.3, 1850e6)])
        for number in range(4):
            tools.record(source / "deep", f"short{number}", 0.4, seed=number)
        tools.run("run", source, "--output", alone, "--actors", 0, *HOW)
        expected = tools.written(alone)
        for number in range(len(made), options.rounds):
            made.append(one_round(number, source, folder / f"found{number}", expected))
            with open(options.output, "a") as file:
                file.write(json.dumps(made[-1]) + "\n")
            print(json.dumps(made[-1]), flush=True)
    finally:
        shutil.rmtree(folder)
    good = sum(one["same"] for one in made)
    print(f"{good} of {len(made)} rounds ended with what one process writes")
    return int(good < len(made))


def one_round(number: int, source: Path, dest: Path, expected: dict) -> dict:
    """Kill, run again, compare."""
    turn, kind = divmod(number, len(VICTIMS))
    victim, in_work = VICTIMS[kind], turn % 2 == 1
    after_s = random.Random(number).uniform(0, LATEST_IN_WORK_S if in_work else LATEST_S)
    if victim == "node":
        with tools.cluster() as (address, nodes):
            how = ["run", source, "--output", dest, "--address", address, *HOW]
            program = tools.started(*how, **tools.ON_LOOPBACK)
            killed = wait(program, dest, in_work, after_s)
            tools.end_nodes(nodes[1:])
            status = program.wait(tools.ARCHIVE_S)
    else:
        program = tools.started("run", source, "--output", dest, "--actors", 2, *HOW)
        killed = wait(program, dest, in_work, after_s)
        below = tools.descendants(program.pid)
        tools.end(tools.actors(program.pid)[:1] if victim == "actor" else [program.pid])
        status = program.wait(tools.ARCHIVE_S)
        tools.end(below)
    done = len(list(dest.glob("recordings/*.parquet")))
    tools.run("run", source, "--output", dest, "--actors", 2, *HOW)
    same = tools.written(dest) == expected and not list(dest.rglob("*.gz"))
    same &= victim == "program" or status == 0
    return {
        "round": number,
        "victim": victim,
        "in_work": in_work,
        "after_s": round(after_s, 2),
        "in_time": killed,
        "status": status,
        "done_before": done,
        "same": same,
    }


def wait(program, dest: Path, in_work: bool, seconds: float) -> bool:
    """Let a program run so long, or so long from its first piece on; whether it still does."""
    while in_work and program.poll() is None and not any(dest.glob("pieces/*/*.gz")):
        time.sleep(0.05)
    end = time.monotonic() + seconds
    while time.monotonic() < end and program.poll() is None:
        time.sleep(0.05)
    return program.poll() is None


if __name__ == "__main__":
    sys.exit(main())
