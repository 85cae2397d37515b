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
import functools
import gzip
import importlib.util
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

KEPT = ROOT / "tests" / "fuzz_inputs"
"""Inputs that failed once, under the names that they were kept by."""
LONGEST_S = 10.0
PATIENCE = 12
"""Other programs may keep the processor."""
MOST_BYTES = 1 << 30
MOST_MUTATIONS = 8
LONGEST_INPUT = 1 << 16
NUMBERS = (
    b"0", b"-1", b"1e400", b"NaN", b"-Infinity", b"9" * 30, b"9" * 400, b"0.5", b"null", b'""', b"[]", b"{}", b"true",
    b'"1e6"',
)  # fmt: skip
INTEGERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)
TOKEN = re.compile(rb'"[^"\\]*"|-?\d[\d.eE+-]*|[\[\]{}:,]')
CARRIER = SimpleNamespace(
    carrier_id=1, label="LTE", class_id=1, sample_start=1, sample_count=3, freq_lower=1.0, freq_upper=2.0,
    center_frequency=1.5, bandwidth=1.0, confidence=0.9, snr_db=1.0, pwr_db=-30.0, verdict="likely", evidence="network",
    cut_lower=False, cut_upper=False,
)  # fmt: skip
KEY_FILE = b"""metadata
curve
    public-key = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
    secret-key = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs"
"""
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
        headers = [("x.dat", gnuradio_header(0) + bytes(160)), ("x.dat.hdr", gnuradio_header(40))]
        collection = {"collection": {"core:streams": [{"name": "x", "hash": "0"}, {"name": "y", "hash": "1"}]}}
        others = [("x.sigmf-collection", json.dumps(collection).encode()), ("x.blue", blue_file())]
        return files + headers + others + [("x.sigmf-meta", meta) for meta in metas + shipped]

    def check(self, name: str, content: bytes) -> None:
        """Open it as a file of this name, read, and write annotations beside it."""
        path = self._folder / name
        path.write_bytes(content)
        beside = []
        if name.endswith((".sigmf-meta", ".hdr", ".sigmf-collection")):
            beside.append(path.with_suffix(".sigmf-data" if ".sigmf" in name else ""))
            beside[0].write_bytes(bytes(range(250)) * 2)
        if name.endswith(".sigmf-collection"):
            beside.append(path.with_suffix(".sigmf-meta"))
            beside[1].write_text(json.dumps(META))
        if name.endswith(".hdr"):
            path = beside[0]
        output = self._folder / "out.sigmf-meta"
        try:
            given: dict = {}
            if zlib.crc32(content) % 4 == 0:
                given = {"datatype": "ci8", "sample_rate": 1e6, "center_frequency": 1e9, "channel": 1}
            with contextlib.suppress(RpmsnError), open_recording(path, **given) as recording:
                self._use(recording, output)
        finally:
            for left in (self._folder / name, output, *beside):
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


def gnuradio_header(length: int) -> bytes:
    """A header of GNU Radio's File Meta Sink for 40 samples.

    Args:
        length: bytes that it says it has; 0 for its own.
    """

    def symbol(text: str) -> bytes:
        return b"\x02" + struct.pack(">H", len(text)) + text.encode()

    time = (
        b"\x0c" + struct.pack(">I", 2) + b"\x0b" + struct.pack(">Q", 1_700_000_000) + b"\x04" + struct.pack(">d", 0.5)
    )
    values = {
        "strt": b"\x0b" + struct.pack(">Q", length), "rx_rate": b"\x04" + struct.pack(">d", 1e6), "rx_time": time,
        "size": b"\x03" + struct.pack(">i", 4), "type": b"\x03" + struct.pack(">i", 1), "cplx": b"\x00",
        "bytes": b"\x0b" + struct.pack(">Q", 160), "rx_freq": b"\x04" + struct.pack(">d", 1e9),
    }  # fmt: skip
    header = b"".join(b"\x09\x07" + symbol(name) + value for name, value in values.items()) + b"\x06"
    return header if length == len(header) else gnuradio_header(len(header))


def blue_file() -> bytes:
    """A file of X-Midas BLUE, type 1000."""
    header = bytearray(512)
    header[:12] = b"BLUEEEEIEEEI"
    struct.pack_into("<ddi2s", header, 32, 512.0, 400.0, 1000, b"CI")
    struct.pack_into("<ddi", header, 256, 0.0, 1e-6, 1)
    return bytes(header) + bytes(400)


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
    """Model cards, configurations of training, scenes and colours, keys of publishers: files that people write."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def seeds(self) -> list[tuple[str, bytes]]:
        """(kind, YAML)."""
        folder = ROOT / "python" / "rpmsn"
        cards = [("card.yml", path.read_bytes()) for path in (folder / "models").glob("*.yml")]
        configs = [("config.yml", path.read_bytes()) for path in (folder / "training" / "configs").glob("rpmsn*.yml")]
        colours = ("colours.yml", (folder / "training" / "configs" / "authors-colours.yml").read_bytes())
        descriptions = [("set.yml", b"features: cyclic\ncount: 40\nclasses: [noise, LTE]\nseed: 1\n")]
        from rpmsn.synthesis.scene.presets import random_scene

        scenes = [("scene.yml", files.to_yaml(random_scene("demo", seed).to_dict()).encode()) for seed in (1, 2)]
        return [*cards, *configs, *descriptions, *scenes, colours, ("x.key_secret", KEY_FILE), ("x.key", KEY_FILE)]

    def check(self, name: str, content: bytes) -> None:
        """Read it."""
        path = self._folder / name
        path.write_bytes(content)
        try:
            self._readers()[name](path)
        except RpmsnError:
            pass
        finally:
            path.unlink(missing_ok=True)

    @staticmethod
    @functools.cache
    def _readers() -> dict[str, Callable[[Path], object]]:
        from rpmsn.models.model import load_model
        from rpmsn.publishing.keys import load_client_keys, load_server_keys
        from rpmsn.synthesis.scene.scene import Scene
        from rpmsn.training.authors import load_colours
        from rpmsn.training.config import load_config
        from rpmsn.training.dataset import read_description

        return {
            "card.yml": load_model,
            "config.yml": load_config,
            "set.yml": lambda path: read_description(path.parent),
            "scene.yml": Scene.load,
            "colours.yml": load_colours,
            "x.key_secret": load_server_keys,
            "x.key": lambda path: load_client_keys(path, path),
        }


class Memory:
    """What the window and the runtimes remember, in files that people may have changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def seeds(self) -> list[tuple[str, bytes]]:
        """(kind, YAML or JSON)."""
        session = {"source": "/x.cs16", "format": "ci16", "sample_rate": 1e6, "position": 0.5, "seconds": 2}
        settings = {
            "theme": "dark", "table": "below", "window": [800, 600], "maximized": False, "layout": "AAAA", "speed": 1.0,
            "loop": True, "waterfall": {"levels": [0, 40], "classes": ["LTE"], "alpha": 0.5, "newest": "top"},
            "carriers": {"sorted_by": "label", "hidden": ["snr_db"]}, "recent": [session], "session": session,
            "bookmarks": [{"name": "tower", "frequency": 1.8e9, "color": "#e15759"}],
        }  # fmt: skip
        return [("watch.yml", files.to_yaml(settings).encode()), ("choice.json", b'{"runtime": "torch"}')]

    def check(self, name: str, content: bytes) -> None:
        """Read it; what is taken over can be used, and is the same after it was written and read again."""
        from rpmsn.gui.watch import session, settings
        from rpmsn.gui.waterfall.bookmarks import bookmarks_of
        from rpmsn.gui.waterfall.settings import Settings
        from rpmsn.runtimes import fastest

        path = self._folder / name
        path.write_bytes(content)
        try:
            if name == "choice.json":
                fastest._read_choice(path)
                return
            read = settings.load_settings(path)
            with contextlib.suppress(RpmsnError):
                Settings().changed(read["waterfall"])
            bookmarks_of(read["bookmarks"])
            asked = argparse.Namespace(source=None, device=None, session=True)
            with contextlib.suppress(RpmsnError):
                session.last_session(asked, read["session"])
            for entry in read["recent"]:
                session.options_of(entry, asked)
            session.with_newest(read["recent"], read["session"])
            settings.save_settings(path, read)
            assert repr(settings.load_settings(path)) == repr(read)
        finally:
            path.unlink(missing_ok=True)


class Archives:
    """What archives hold besides tables: what they were made with, and pieces of recordings."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def seeds(self) -> list[tuple[str, bytes]]:
        """(kind, JSON)."""
        from rpmsn.archive.pieces import Piece
        from rpmsn.archive.schema import VERSION

        made = {"schema": VERSION, "version": "0.9.0", "model": {"name": "rpmsn-rt"}, "settings": {"cells": True}}
        piece = Piece([], 9, 0, b"picture", 1e9).to_bytes()
        return [("manifest", json.dumps(made).encode()), ("piece.gz", piece)]

    def check(self, name: str, content: bytes) -> None:
        """Read it."""
        from rpmsn.archive.pieces import Piece
        from rpmsn.archive.running import MANIFEST, read_manifest
        from rpmsn.archive.store import Store

        if name == "piece.gz":
            with contextlib.suppress(ValueError):
                Piece.from_bytes(content)
            return
        path = self._folder / MANIFEST
        path.write_bytes(content)
        try:
            with contextlib.suppress(RpmsnError):
                read_manifest(Store(str(self._folder)))
        finally:
            path.unlink(missing_ok=True)


class Devices:
    """What programs print about radios, devices as people type them, what answers where a server rtl_tcp should."""

    def seeds(self) -> list[tuple[str, bytes]]:
        """(kind, text or bytes)."""
        soapy = "Found device 0\n  driver = rtlsdr\n  label = Generic :: 1\n\nFound device 1\n  driver = lime\n"
        uhd = "-----\n-- UHD Device 0\n-----\nDevice Address:\n    serial: 3\n    type: b200\n    name: x\n"
        return [
            ("soapy", soapy.encode()), ("uhd", uhd.encode()), ("device", b"rtl_tcp=127.0.0.1:1234,buflen=9"),
            ("device", b"rtl_tcp=radio.example:80"), ("device", b"rtl_tcp=[::1]:1234"), ("greeting", b"RTL0\0\0\0\5"),
        ]  # fmt: skip

    def check(self, name: str, content: bytes) -> None:
        """Read it."""
        from rpmsn.radios.findings import soapy_radios, uhd_radios
        from rpmsn.radios.rtl_tcp import check_server

        text = content.decode("utf-8", "surrogateescape")
        if name in ("soapy", "uhd"):
            {"soapy": soapy_radios, "uhd": uhd_radios}[name](text)
            return
        device, answer = (text, b"RTL0") if name == "device" else ("rtl_tcp=127.0.0.1:1234", content)
        with contextlib.suppress(RpmsnError):
            check_server(device, lambda address, _limit: _Answer(address, answer))


class _Answer:
    """A connection to a server that says one thing and closes; names are looked at as Python does."""

    def __init__(self, address: tuple[str, int], said: bytes) -> None:
        address[0].encode("idna")
        self._said = said

    def __enter__(self) -> "_Answer":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def recv(self, count: int, _flags: int) -> bytes:
        """What it says."""
        return self._said[:count]


class Blocks:
    """Messages that GNU Radio blocks get from others: commands and PDUs."""

    def seeds(self) -> list[tuple[str, bytes]]:
        """(kind, JSON)."""
        values = {"freq": 1e9, "label": "LTE", "rx_time": [1, 0.5], "sample_start": 3, "classes": ["noise", "LTE"]}
        return [("command", json.dumps(values).encode()), ("pdu", json.dumps(values).encode())]

    def check(self, name: str, content: bytes) -> None:
        """Read it, where it is JSON."""
        import pmt
        from gnuradio.rpmsn import pdu

        try:
            values = json.loads(content)
        except (ValueError, RecursionError):
            return
        try:
            message = pmt.to_pmt(values)
        except Exception:  # what has no PMT cannot come
            return
        with contextlib.suppress(ValueError):
            if name == "command":
                pdu.parse_command(message)
            else:
                pdu.parse_pdu(pmt.cons(message, pmt.init_u8vector(2, [1, 2])))
        if isinstance(values, dict):
            with contextlib.suppress(ValueError):
                pdu.parse_pdu(pdu.make_pdu(values, b"12"))


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
        "memory": Memory(folder),
        "archive": Archives(folder),
        "device": Devices(),
        "command": Commands(),
        "name": Names(),
        **({"block": Blocks()} if importlib.util.find_spec("pmt") else {}),
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
    parser.add_argument("--target", action="append", help="one of those that it counts (default: all)")
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
