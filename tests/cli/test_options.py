# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of every command: numbers as people write them, and sentences about those that are not allowed."""

import argparse
import importlib.util
import math
import re
from pathlib import Path

import pytest

pytest.importorskip("torch")

from rpmsn.cli import options as given
from rpmsn.cli.main import build_parser
from rpmsn.detection import segmenter

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
WRONG = ("nan", "inf", "-inf", "-1", "0", "fast", "", "1,5", "3X", "M")
ALLOWED = {
    "--at": {"-1", "0"},
    "--gain": {"-1", "0"},
    "--seed": {"0"},
    "--start": {"0"},
    "--reconnect": {"0"},
    "--log-rotate": {"0"},
    "--settle": {"0"},
    "--center-frequency": {"0"},
    "--from": {"0"},
    "--to": {"0"},
}
"""Of the values in `WRONG`, those that an option takes all the same."""
TEXT_OPTIONS = {
    "--antenna", "--calibration", "--client-key", "--colours", "--device", "--features", "--format", "--log", "--model",
    "--output", "--picture", "--policy", "--preset", "--publish", "--recordings", "--runtime", "--runtimes", "--scene",
    "--server-key", "--sets", "--stream-args",
}  # fmt: skip


def parsers():
    """(name, parser) of every command, and of every example."""
    (commands,) = (action for action in build_parser()._actions if isinstance(action, argparse._SubParsersAction))
    yield from commands.choices.items()
    if importlib.util.find_spec("gnuradio") is None or importlib.util.find_spec("PyQt5") is None:
        return
    for path in sorted(EXAMPLES.glob("*.py")):
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield path.stem, module.build_parser()


PARSERS = dict(parsers())
VALUED = [
    (name, action)
    for name, parser in PARSERS.items()
    for action in parser._actions
    if action.option_strings and action.nargs != 0 and not action.choices and action.help != argparse.SUPPRESS
]
NUMERIC = [(name, action) for name, action in VALUED if isinstance(action.type, given.Number)]


def identify(value):
    return value.option_strings[0] if isinstance(value, argparse.Action) else str(value)


@pytest.mark.parametrize("name, action", VALUED, ids=identify)
def test_an_option_is_a_number_of_our_types_or_text(name, action):
    is_text = action.type is None and action.option_strings[0] in TEXT_OPTIONS
    is_number = isinstance(action.type, given.Number) and action.option_strings[0] not in TEXT_OPTIONS
    assert is_text or is_number


@pytest.mark.parametrize("name, action", NUMERIC, ids=identify)
def test_a_number_that_is_not_allowed_ends_with_status_2_and_what_is(name, action, capsys):
    option = action.option_strings[0]
    for text in set(WRONG) - ALLOWED.get(option, set()):
        arguments = [f"{option}={text}"] if action.nargs is None else [option, text, "1"]
        if action.nargs is not None and text.startswith("-inf"):
            continue  # argparse takes it for an option
        with pytest.raises(SystemExit) as stop:
            PARSERS[name].parse_args(arguments)
        said = capsys.readouterr().err.splitlines()[-1]
        assert stop.value.code == 2
        assert f"argument {option}: {text!r} is not {action.type.name}; write it as " in said


@pytest.mark.parametrize("name, action", NUMERIC, ids=identify)
def test_the_example_of_an_option_and_its_default_are_allowed(name, action):
    for text in re.split(", | or ", action.type.example):
        if text[0].isdigit():
            assert math.isfinite(action.type(text))
    defaults = action.default if isinstance(action.default, (list, tuple)) else [action.default]
    for default in defaults:
        never = default is None or default == 0  # "none", which an option may have no word for
        assert never or action.type(str(default)) == default


@pytest.mark.parametrize("name, action", NUMERIC, ids=identify)
def test_suffixes_work_everywhere(name, action):
    kilo = action.type.highest >= 1000
    assert not kilo or action.type("1k") == 1000


def test_all_commands_and_examples_were_walked():
    commands = {"annotate", "synth", "train", "evaluate", "bench", "monitor", "watch"}
    assert commands <= {name for name, _ in NUMERIC}
    assert len(NUMERIC) > 40


@pytest.mark.parametrize(
    "text, value", [("1.8G", 1.8e9), ("2.4M", 2.4e6), ("960k", 960e3), ("61.44e6", 61.44e6), ("1842500000", 1842.5e6)]
)
def test_numbers_as_people_write_them(text, value):
    assert given.hertz(text) == pytest.approx(value)


def test_a_whole_number_is_exact_however_long():
    assert given.seed(str(2**63 + 1)) == 2**63 + 1
    assert given.count("2k") == 2000 and isinstance(given.count("2k"), int)
    with pytest.raises(argparse.ArgumentTypeError):
        given.count("1.5")


@pytest.mark.parametrize("command", ["annotate", "monitor", "watch"])
def test_threads_point_to_workers_where_the_network_has_one_thread_a_frame(command, capsys):
    with pytest.raises(SystemExit) as stop:
        PARSERS[command].parse_args(["--threads", "2"])
    assert stop.value.code == 2 and "--workers N is the number of frames" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["bench", "evaluate", "train"])
def test_threads_are_those_of_the_network(command):
    (action,) = (action for action in PARSERS[command]._actions if "--threads" in action.option_strings)
    assert action.help.startswith("threads of the network")


def test_the_limits_of_a_frame_are_those_of_the_engine():
    assert (given.frame_seconds.lowest, given.frame_seconds.highest) == segmenter.FRAME_SECONDS


@pytest.mark.parametrize(
    "text, value",
    [("19.2Msps", 19.2e6), ("1842.5 MHz", 1842.5e6), ("1.8GHz", 1.8e9), ("2400000Hz", 2.4e6), ("2.4MS/s", 2.4e6)],
)
def test_frequencies_may_have_their_unit(text, value):
    assert given.hertz(text) == pytest.approx(value)


@pytest.mark.parametrize("kind", [given.hertz, given.center_hertz, given.place_hertz, given.duration, given.decibels])
@pytest.mark.parametrize("text", ["1850,5", "1,85G", "1.850,5M"])
def test_a_decimal_comma_is_refused_and_the_point_named(kind, text):
    with pytest.raises(argparse.ArgumentTypeError, match="with a point for the decimals"):
        kind(text)


@pytest.mark.parametrize("kind", [given.seed, given.count, given.hertz, given.speed])
@pytest.mark.parametrize("digits", [310, 5000])
def test_a_number_of_any_length_is_refused_in_a_sentence(kind, digits):
    with pytest.raises(argparse.ArgumentTypeError, match="write it as"):
        kind("2" * digits)
