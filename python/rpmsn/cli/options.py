# SPDX-License-Identifier: GPL-3.0-or-later
"""The types of options, and the options that several commands share; the examples use them, too.

>>> parser = argparse.ArgumentParser()
>>> add_radio(parser)
>>> parser.parse_args(["--device", "driver=rtlsdr", "--frequency", "1.8G", "--rate", "2.4M"]).frequency
1800000000.0
"""

import argparse
import math
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..models import DEFAULT_MODEL

if TYPE_CHECKING:
    from ..recording import Recording

SUFFIXES = {"k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9}
MOST_DIGITS = 300
"""Of a whole number; a float holds no larger one."""
DEFAULT_RATE = 2.4e6
DEFAULT_SCAN_SECONDS = 0.2
CORES = os.cpu_count() or 1
LABEL_POLICIES = "occupied, filled, split, filled_split or published"


@dataclass(frozen=True)
class Number:
    """Type of a numeric option, for argparse: finite, within limits, written with or without a suffix k, M or G.

    Attributes:
        name: what it is and what is allowed, with an article, as "a number of seconds above 0".
        example: how to write it.
        lowest, highest: limits.
        excludes_lowest: whether `lowest` itself is refused.
        is_whole: whether it becomes an int.
        infinite: a word that stands for infinity, "" where there is none.
        units: what may follow, as in 19.2Msps.
    """

    name: str
    example: str
    lowest: float = -math.inf
    highest: float = math.inf
    excludes_lowest: bool = False
    is_whole: bool = False
    infinite: str = ""
    units: tuple[str, ...] = ()

    def __call__(self, text: str) -> float:
        """The number that a text stands for.

        Raises:
            argparse.ArgumentTypeError: it is none, or not allowed.
        """
        if self.infinite and text == self.infinite:
            return math.inf
        number = self._parse(text)
        is_allowed = math.isfinite(number) and self.lowest <= number <= self.highest
        if not is_allowed or (self.excludes_lowest and number == self.lowest):
            point = ", with a point for the decimals" if "," in text else ""
            raise argparse.ArgumentTypeError(f"{text!r} is not {self.name}; write it as {self.example}{point}")
        return number

    def _parse(self, text: str) -> float:
        """The number, NaN where there is none."""
        if self.is_whole and text.isdecimal() and len(text) <= MOST_DIGITS:
            return int(text)  # seeds are longer than a float is exact
        for unit in self.units:
            text = text.removesuffix(unit).rstrip()
        digits, factor = (text[:-1], SUFFIXES[text[-1]]) if text[-1:] in SUFFIXES else (text, 1.0)
        try:
            number = float(digits) * factor
        except ValueError:
            return math.nan
        if self.is_whole:
            return int(number) if number.is_integer() else math.nan
        return number


UNITS = ("Hz", "sps", "S/s")
hertz = Number("a frequency or rate above 0", "1842.5M, 1.8G or 2.4e6", lowest=0, excludes_lowest=True, units=UNITS)
center_hertz = Number("a centre frequency of 0 or more", "1842.5M, 1.8G or 1.8675e9", lowest=0, units=UNITS)
place_hertz = Number("a frequency, or an offset from the centre", "1867.5M or -1.26M", units=UNITS)
decibels = Number("a gain in dB", "30, or leave it out for the radio's own control")
seconds = Number("a number of seconds of 0 or more", "10", lowest=0)
duration = Number("a number of seconds above 0", "2.5", lowest=0, excludes_lowest=True)
minutes = Number("a number of minutes above 0", "90", lowest=0, excludes_lowest=True)
fraction = Number("a fraction above 0, up to 1", "0.25", lowest=0, highest=1, excludes_lowest=True)
count = Number("a whole number of at least 1", "4", lowest=1, is_whole=True)
seed = Number("a whole number of at least 0", "7", lowest=0, is_whole=True)
count_or_zero = Number("a whole number of at least 0", "4", lowest=0, is_whole=True)
piece_seconds = Number("a number of seconds of at least 1", "30", lowest=1)
frame_seconds = Number("a length of a frame from 0.01 to 0.2 s", "0.04", lowest=0.01, highest=0.2)
scene_seconds = Number("a number of seconds of at least 0.001", "0.5", lowest=1e-3)
scan_seconds = Number("a number of seconds above 0, up to 2", "0.2", lowest=0, highest=2, excludes_lowest=True)
bench_seconds = Number("a number of seconds of at least 1", "10", lowest=1)
speed = Number("a speed of at least 0.1 times real time, or max", "2", lowest=0.1, infinite="max")


class Renamed(argparse.Action):
    """An option under a name that it does not have here: refused, with the name that it has."""

    def __init__(self, option_strings: list[str], dest: str, hint: str, **how: Any) -> None:
        super().__init__(option_strings, argparse.SUPPRESS, help=argparse.SUPPRESS, **how)
        self._hint = hint

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """Called by argparse: end with a sentence."""
        parser.error(f"{self.option_strings[0]}: {self._hint}")


def add_input(
    parser: argparse.ArgumentParser,
    name: str = "input",
    metavar: str = "IN",
    words: str = "recording: SigMF, WAV, or another kind of docs/formats.md; - for samples from stdin",
    **how: Any,
) -> None:
    """Add the argument and the options that name a recording: `name`, `format`, `sample_rate`, `center_frequency`."""
    parser.add_argument(name, metavar=metavar, help=words, **how)
    raw = parser.add_argument_group(
        "raw samples", "for a file that does not say what it holds, or to overrule what it says"
    )
    raw.add_argument("--format", metavar="TYPE", help="ci8, cu8, ci16, cf32, or another of docs/formats.md")
    raw.add_argument("--sample-rate", type=hertz, metavar="HZ", help="such as 19.2M")
    raw.add_argument("--center-frequency", type=center_hertz, metavar="HZ", help="such as 1867.5M")
    raw.add_argument(
        "--channel", type=count, metavar="N", help="of several channels, or of a collection's recordings; from 1"
    )


def open_input(path: str, options: argparse.Namespace) -> "Recording":
    """The recording that the options of `add_input` name; a context manager.

    Raises:
        RecordingError: it cannot be read.
    """
    from ..recording import open_recording

    return open_recording(
        path,
        datatype=options.format,
        sample_rate=options.sample_rate,
        center_frequency=options.center_frequency,
        channel=options.channel,
    )


def add_model(parser: argparse.ArgumentParser, default: str | None = DEFAULT_MODEL, words: str = "%(default)s") -> None:
    """Add `--model`; `words` state the default."""
    parser.add_argument(
        "--model", default=default, metavar="NAME", help=f"model to use, by name or path of its card (default: {words})"
    )


def add_runtime(parser: argparse.ArgumentParser) -> None:
    """Add `--runtime`."""
    parser.add_argument(
        "--runtime",
        default="auto",
        metavar="NAME",
        help="what runs the network: auto (the fastest, found by a short trial at first use), or one "
        "that `rpmsn doctor` lists, such as torch (default: %(default)s)",
    )


def add_workers(
    parser: argparse._ActionsContainer,
    default: int | None = CORES,
    what: str = "frames analysed at the same time",
    words: str = "%(default)s, the cores of this machine",
) -> None:
    """Add `--workers`."""
    parser.add_argument("--workers", type=count, default=default, metavar="N", help=f"{what} (default: {words})")


def refuse_threads(parser: argparse.ArgumentParser) -> None:
    """Where the network has one thread for each worker: say so to who asks for `--threads`."""
    parser.add_argument(
        "--threads",
        action=Renamed,
        hint="the network runs in one thread for each frame; --workers N is the number of frames analysed at the "
        "same time",
    )


def add_threads(
    parser: argparse.ArgumentParser, default: int | None = CORES, words: str = "%(default)s, the cores of this machine"
) -> None:
    """Add `--threads`."""
    parser.add_argument(
        "--threads", type=count, default=default, metavar="N", help=f"threads of the network (default: {words})"
    )


def add_quiet(parser: argparse._ActionsContainer, words: str = "no progress bar") -> None:
    """Add `--quiet`."""
    parser.add_argument("--quiet", action="store_true", help=words)


def add_policy(parser: argparse._ActionsContainer) -> None:
    """Add `--policy`, the label policy of masks."""
    parser.add_argument(
        "--policy",
        default="occupied",
        metavar="NAME",
        help=f"label policy of masks: {LABEL_POLICIES} (default: %(default)s)",
    )


def add_duty_cycle(parser: argparse.ArgumentParser) -> None:
    """Add `--duty-cycle`."""
    parser.add_argument(
        "--duty-cycle",
        type=fraction,
        default=1.0,
        metavar="FRACTION",
        help="analyse only this fraction of the frames, above 0 to 1 (default: all)",
    )


def add_cells(parser: argparse.ArgumentParser) -> None:
    """Add `--cells` and `--no-cells`; `cells` is a bool."""
    parser.add_argument(
        "--cells",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="search for LTE and NR cells, which prove carriers, or not (default: search)",
    )


def add_radio(parser: argparse.ArgumentParser, needs_frequency: bool = True, needs_device: bool = True) -> None:
    """Add --device, --rate, --frequency, --gain, --antenna, --bandwidth and --stream-args.

    They become `device`, `rate`, `frequency`, `gain` (None for automatic), `antenna`, `bandwidth` and `stream_args`.

    Args:
        parser: the command's.
        needs_frequency: False for a command that tunes by itself; `frequency` may then be None.
        needs_device: False for a command that has other sources, too; `device` may then be None.
    """
    group = parser.add_argument_group("radio", "`rpmsn devices` lists what is connected; docs/radios.md has more")
    group.add_argument(
        "--device",
        required=needs_device,
        metavar="DEVICE",
        help="driver=rtlsdr (or another SoapySDR driver), uhd:ARGS for a USRP, rtl_tcp=HOST:PORT",
    )
    group.add_argument(
        "--frequency", type=hertz, required=needs_frequency, metavar="HZ", help="centre frequency, such as 1842.5M"
    )
    group.add_argument(
        "--rate",
        type=hertz,
        default=DEFAULT_RATE,
        metavar="HZ",
        help=f"sample rate, such as 61.44M (default: {DEFAULT_RATE / 1e6:g}M)",
    )
    group.add_argument("--gain", type=decibels, metavar="DB", help="gain (default: the radio's own control)")
    group.add_argument("--antenna", default="", metavar="NAME", help="such as RX2 (default: the radio's first)")
    group.add_argument(
        "--bandwidth",
        type=hertz,
        default=0.0,
        metavar="HZ",
        help="of the analogue filter (default: the driver's choice for the rate)",
    )
    group.add_argument(
        "--stream-args",
        default="",
        metavar="ARGS",
        help="for the driver's stream: of a USRP otw_format=sc8, of SoapyRemote remote:format=CS8",
    )
