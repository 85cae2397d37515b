# SPDX-License-Identifier: GPL-3.0-or-later
"""Mutates inputs of every parser for as long as it is told, and reports those at which one fails.

    scripts/fuzz --seconds 600                       all parsers
    scripts/fuzz --inputs 100000 --target recording  one of them, so many inputs
    scripts/fuzz --target recording --again FILE     one input that was kept

An input has failed where something else is raised than the errors that the parser documents, where it takes more than
`LONGEST_S` of the processor, or more than `MOST_BYTES` of memory on top of what the program takes. Such inputs are
kept, and the exit status is 1.
"""

import argparse
import collections
import contextlib
import gzip
import io
import json
import logging
import os
import random
import re
import resource
import signal
import struct
import sys
import tempfile
import time
import traceback
import warnings
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

ROOT = Path(__file__).resolve().parent.parent
for folder in ("python", "tests", "tests/recording"):
    sys.path.insert(0, str(ROOT / folder))

import numpy as np

from rpmsn import files
from rpmsn.errors import RpmsnError
from rpmsn.messages import wire
from rpmsn.recording import open_recording, write_annotations
from rpmsn.recording.readers import names

LONGEST_S = 10.0
PATIENCE = 12
"""Other programs may keep the processor."""
MOST_BYTES = 1 << 30
MOST_MUTATIONS = 8
LONGEST_INPUT = 1 << 16
NUMBERS = (
    b"0", b"-1", b"1e400", b"NaN", b"-Infinity", b"9" * 30, b"0.5", b"null", b'""', b"[]", b"{}", b"true", b'"1e6"'
)  # fmt: skip
INTEGERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)
TOKEN = re.compile(rb'"[^"\\]*"|-?\d[\d.eE+-]*|[\[\]{}:,]')
CARRIER = SimpleNamespace(
    carrier_id=1, label="LTE", class_id=1, sample_start=1, sample_count=3, freq_lower=1.0, freq_upper=2.0,
    center_frequency=1.5, bandwidth=1.0, confidence=0.9, snr_db=1.0, pwr_db=-30.0, verdict="likely", evidence="network",
    cut_lower=False, cut_upper=False,
)  # fmt: skip
META = {
    "global": {
        "core:datatype": "ci16_le", "core:sample_rate": 1e6, "core:version": "1.2.0", "core:num_channels": 1,
        "core:offset": 0, "core:trailing_bytes": 0, "core:dataset": "x.sigmf-data", "core:hw": "radio",
        "core:extensions": [{"name": "far", "version": "1.0.0", "optional": True}],
    },
    "captures": [
        {
            "core:sample_start": 0, "core:frequency": 1e9, "core:datetime": "2024-05-01T12:00:00.25Z",
            "core:header_bytes": 4,
        },
        {"core:sample_start": 40, "core:frequency": 2e9, "core:datetime": "2024-05-01T12:00:09Z"},
    ],
    "annotations": [
        {
            "core:sample_start": 0, "core:sample_count": 9, "core:freq_lower_edge": 1e9, "core:freq_upper_edge": 1.1e9,
            "core:label": "LTE", "core:generator": "me",
        }
    ],
}  # fmt: skip


class Recordings:
    """Files of every kind, and metadata beside samples."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def seeds(self) -> list[tuple[str, bytes]]:
        """(name, content)."""
        from test_formats import NO_SAMPLES, READ

        files = [(name, content) for known in (READ, NO_SAMPLES) for name, (content, _) in known.items()]
        metas = [json.dumps(META).encode(), json.dumps({**META, "captures": []}, indent=1).encode()]
        shipped = [path.read_bytes() for path in (ROOT.parent / "shared" / "captures").glob("*.sigmf-meta")]
        return files + [("x.sigmf-meta", meta) for meta in metas + shipped]

    def check(self, name: str, content: bytes) -> None:
        """Open it as a file of this name, read, and write annotations beside it."""
        path = self._folder / name
        path.write_bytes(content)
        beside = []
        if name.endswith(".sigmf-meta"):
            beside.append(path.with_suffix(".sigmf-data"))
            beside[0].write_bytes(bytes(range(250)) * 2)
        output = self._folder / "out.sigmf-meta"
        try:
            given: dict = {}
            if zlib.crc32(content) % 4 == 0:
                given = {"datatype": "ci8", "sample_rate": 1e6, "center_frequency": 1e9}
            with contextlib.suppress(RpmsnError), open_recording(path, **given) as recording:
                self._use(recording, output)
        finally:
            for left in (path, output, *beside):
                left.unlink(missing_ok=True)

    @staticmethod
    def _use(recording, output) -> None:
        assert recording.sample_count >= 1 and recording.sample_rate > 0
        count = min(recording.sample_count, 5000)
        assert len(recording.read(0, count)) == count
        assert len(recording.read_native(recording.sample_count - 1, 5)) == 1
        recording.time_at(count)
        for capture in recording.captures:
            assert capture.datetime is None or 1970 <= capture.datetime.year < 2300
        for entry in recording.annotations:
            assert isinstance(entry.get("core:label", ""), str)
        write_annotations(recording, [CARRIER], output, overwrite=True)
        json.loads(output.read_text(), parse_constant=_refuse)


def _refuse(text: str) -> None:
    raise AssertionError(f"{text} is no JSON")


class Messages:
    """Messages of a publisher."""

    def seeds(self) -> list[tuple[str, bytes]]:
        """(topic, JSON)."""
        keys = {wire.KEY_VERSION: wire.VERSION, wire.KEY_PUBLISHER: "p", wire.KEY_SEQUENCE: 3}
        shape = {"rows": 4, "columns": 4, "image": "AAAAAAAAAAAAAAAAAAAAAA==", "mask": "AAAAAAAAAAAAAAAAAAAAAA=="}
        fields = {"label": "LTE", "rx_time": "2024-05-01T12:00:00Z", "freq_lower": 1e9, "snr_db": None}
        return [
            (topic, json.dumps({wire.KEY_TOPIC: topic, **keys, **shape, **fields}).encode()) for topic in wire.TOPICS
        ]

    def check(self, name: str, content: bytes) -> None:
        """Read it, and its pictures."""
        from rpmsn.recording.captures import parse_time

        try:
            message = wire.unpack([name.encode("utf-8", "surrogatepass"), content])
            if "rx_time" in message:
                parse_time(message["rx_time"])
            image, mask = wire.decode_image(message)
            assert image.shape == mask.shape
        except ValueError:
            pass


class Cards:
    """Model cards, training configurations and settings of the window: YAML that pydantic checks."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def seeds(self) -> list[tuple[str, bytes]]:
        """(kind, YAML)."""
        folder = ROOT / "python" / "rpmsn"
        cards = [("card.yml", path.read_bytes()) for path in (folder / "models").glob("*.yml")]
        configs = [("config.yml", path.read_bytes()) for path in (folder / "training" / "configs").glob("rpmsn*.yml")]
        return [*cards, *configs, ("watch.yml", b"theme: dark\nspeed: 1\nwindow: [800, 600]\nloop: true\n")]

    def check(self, name: str, content: bytes) -> None:
        """Read it."""
        path = self._folder / name
        path.write_bytes(content)
        try:
            if name == "card.yml":
                from rpmsn.models.model import load_model

                load_model(path)
            elif name == "config.yml":
                from rpmsn.training.config import load_config

                load_config(path)
            else:
                files.read_yaml(path)
        except RpmsnError:
            pass
        finally:
            path.unlink(missing_ok=True)


class Commands:
    """Command lines: words between zero bytes."""

    def __init__(self) -> None:
        from rpmsn.cli.main import build_parser

        self._parser = build_parser()

    def seeds(self) -> list[tuple[str, bytes]]:
        """Command lines of the documentation."""
        lines = re.findall(r"\.venv/bin/rpmsn ([^\n#|]+)", "".join(p.read_text() for p in (ROOT / "docs").glob("*.md")))
        return [("line", "\0".join(line.split()).encode()) for line in lines]

    def check(self, _name: str, content: bytes) -> None:
        """Parse it."""
        words = content.decode("utf-8", "surrogateescape").split("\0")
        quiet = io.StringIO()
        try:
            with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
                self._parser.parse_args(words)
        except SystemExit as stop:
            assert stop.code in (0, 2)


class Names:
    """Names of files, times, numbers of the command line."""

    def seeds(self) -> list[tuple[str, bytes]]:
        """Texts."""
        from test_formats import READ

        times = ["2024-05-01T12:03:07.412Z", "2024-05-01T12:03:07+02:00"]
        return [("text", text.encode()) for text in [*READ, *times, "19.2M", "1842.5 MHz", "ci16_le", "-1.26M"]]

    def check(self, _name: str, content: bytes) -> None:
        """Parse it as each of them."""
        from rpmsn.cli import options
        from rpmsn.recording.captures import parse_time
        from rpmsn.recording.formats import sample_format

        text = content.decode("utf-8", "surrogateescape")
        names.read_name(Path(text.replace("\0", "") or "x"))
        for parse in (parse_time, sample_format, options.hertz, options.seed, options.speed):
            with contextlib.suppress(ValueError, RpmsnError, argparse.ArgumentTypeError):
                parse(text)


def make_targets(folder: Path) -> dict:
    """Name -> what is tried; files go to `folder`."""
    return {
        "recording": Recordings(folder),
        "message": Messages(),
        "card": Cards(folder),
        "command": Commands(),
        "name": Names(),
    }


def mutated(content: bytes, rng: random.Random, others: list[bytes]) -> bytes:
    """The content with some changes: bits, bytes, numbers, tokens of JSON, pieces of others; sometimes packed again."""
    data = bytearray(content[:LONGEST_INPUT])
    for _ in range(rng.randint(1, MOST_MUTATIONS)):
        at = rng.randrange(len(data) + 1)
        how = rng.randrange(9)
        if how == 0 and data:
            data[at % len(data)] ^= 1 << rng.randrange(8)
        elif how == 1:
            data[at : at + rng.randint(1, 16)] = rng.randbytes(rng.randint(0, 16))
        elif how == 2:
            size = rng.choice("BHIQ")
            value = rng.choice(INTEGERS) % (1 << 8 * struct.calcsize(size))
            data[at : at + struct.calcsize(size)] = struct.pack(rng.choice("<>") + size, value)
        elif how == 3:
            del data[at:]
        elif how == 4:
            data[at:at] = data[at : at + rng.randint(1, 64)] * rng.randint(1, 40)
        elif how == 5:
            other = rng.choice(others)
            begin = rng.randrange(len(other) + 1)
            data[at : at + rng.randint(0, 64)] = other[begin : begin + rng.randint(1, 256)]
        else:
            found = list(TOKEN.finditer(data, at, at + 500)) if data[:1] == b"{" else []
            if found:
                token = rng.choice(found)
                new = rng.choice(found).group() if how == 6 else rng.choice(NUMBERS)
                data[token.start() : token.end()] = new
    return bytes(data[:LONGEST_INPUT])


@contextlib.contextmanager
def limits(seconds: float = LONGEST_S) -> Iterator[None]:
    """A TimeoutError where what is done takes longer on the processor, or `PATIENCE` times as long by the clock."""

    def stop(*_: object) -> None:
        raise TimeoutError(f"longer than {seconds:g} s")

    timers = (signal.SIGPROF, signal.ITIMER_PROF, seconds), (signal.SIGALRM, signal.ITIMER_REAL, PATIENCE * seconds)
    before = [signal.signal(number, stop) for number, _, _ in timers]
    for _, timer, limit in timers:
        signal.setitimer(timer, limit)
    try:
        yield
    finally:
        for (number, timer, _), handler in zip(timers, before):
            signal.signal(number, signal.SIG_IGN)  # one that is on its way would end the process
            signal.setitimer(timer, 0)
            if handler != signal.SIG_DFL:
                signal.signal(number, handler)


def tried(
    check: Callable[[str, bytes], None],
    name: str,
    content: bytes,
    guard: Callable[[], contextlib.AbstractContextManager[object]] = limits,
) -> str:
    """What an input has failed with, as text; "" where it has not. `guard` says how long it may take."""
    try:
        with guard():
            check(name, content)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        return traceback.format_exc()
    return ""


def main() -> int:
    """Run; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long (default: %(default)g)")
    parser.add_argument("--inputs", type=int, default=1 << 62, help="how many inputs at most")
    parser.add_argument("--target", action="append", help="recording, message, card, command or name (default: all)")
    parser.add_argument("--seed", type=int, default=1, help="of the random numbers (default: %(default)s)")
    parser.add_argument("--keep", type=Path, default=Path("build/fuzz"), help="where failed inputs go (%(default)s)")
    parser.add_argument("--again", type=Path, help="try this input, which was kept, and nothing else")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    # In memory, where there is such a folder: every annotation file is synced.
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None) as folder:
        targets = make_targets(Path(folder))
        chosen = options.target or list(targets)
        if options.again:
            name = options.again.name.split("-", 3)[-1]
            failed = tried(targets[chosen[0]].check, name, options.again.read_bytes())
            print(failed or "passes")
            return 1 if failed else 0
        return run(targets, chosen, options)


def run(targets: dict, chosen: list[str], options: argparse.Namespace) -> int:
    """The loop."""
    rng = random.Random(options.seed)
    seeds = {name: targets[name].seeds() for name in chosen}
    others = {name: [content for _, content in found] for name, found in seeds.items()}
    for name in chosen:  # so that what is imported at first use does not count as memory of an input
        for seed in seeds[name]:
            tried(targets[name].check, *seed)
    # Address space: what is mapped now, and what an input may take.
    mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (mapped + MOST_BYTES, mapped + MOST_BYTES))
    counts: collections.Counter = collections.Counter()
    faults: dict[str, str] = {}
    end = time.monotonic() + options.seconds
    while sum(counts.values()) < options.inputs and time.monotonic() < end:
        name = rng.choice(chosen)
        kind, content = rng.choice(seeds[name])
        if kind.endswith(".gz") and rng.random() < 0.5:  # else nearly every change is found by the sum
            with contextlib.suppress(OSError, EOFError, ValueError):
                content = gzip.compress(mutated(gzip.decompress(content), rng, others[name]), 1)
        else:
            content = mutated(content, rng, others[name])
        counts[name] += 1
        failed = tried(targets[name].check, kind, content)
        if failed:
            place = _place(failed)
            if place not in faults:
                faults[place] = failed
                options.keep.mkdir(parents=True, exist_ok=True)
                path = options.keep / f"{name}-{options.seed}-{sum(counts.values())}-{kind}"
                path.write_bytes(content)
                print(f"{path}\n{failed}", flush=True)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{sum(counts.values())} inputs {dict(counts)}, {len(faults)} places failed, at most {most} MB resident")
    return 1 if faults else 0


def _place(failed: str) -> str:
    """The last line of ours in a traceback, and the kind of error: what is the same fault."""
    lines = [line.strip() for line in failed.splitlines() if 'File "' in line]
    return (lines[-1] if lines else "") + failed.strip().splitlines()[-1].split(":")[0]


if __name__ == "__main__":
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    np.seterr(all="ignore")
    sys.exit(main())
