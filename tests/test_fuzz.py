# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever comes in, each parser gives a result or an error that it documents. `scripts/fuzz` goes on for longer."""

import contextlib
import json
import logging
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import fuzzing
import pytest
from limits import PROCESS_S

hypothesis = pytest.importorskip("hypothesis", reason="hypothesis is not installed")
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

QUICK = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

number = st.one_of(
    st.integers(-(2**70), 2**70), st.floats(), st.sampled_from(["0", "1e6", "1,5", "NaN", "-1", "9" * 5000]), st.none()
)
anything = st.recursive(
    st.one_of(st.none(), st.booleans(), number, st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=6,
)
moment = st.one_of(
    st.datetimes().map(lambda value: value.isoformat() + "Z"),
    st.sampled_from(
        ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z", "2024-02-30T00:00:00Z", "2024-05-01T12:00:60Z"]
    ),
)
position = st.one_of(st.integers(0, 200), number)


def fields(**values):
    """An object of SigMF with some of these fields, right or not, and one of an extension."""
    given = {f"core:{key}": st.one_of(kind, kind, kind, anything) for key, kind in values.items()}
    return st.fixed_dictionaries({}, optional={**given, "far:field": anything})


metadata = st.fixed_dictionaries(
    {
        "global": st.one_of(
            fields(
                datatype=st.sampled_from(["ci8", "cu8", "ci16_be", "cf64_le", "rf32_le", "ri8", "cf32"]),
                sample_rate=st.floats(1, 1e9),
                version=st.just("1.2.0"),
                num_channels=st.integers(1, 3),
                offset=position,
                trailing_bytes=position,
                dataset=st.sampled_from(["x.sigmf-data", "../x", "/", "", "x"]),
                extensions=st.lists(anything, max_size=2),
                hw=st.text(max_size=4),
            ),
            anything,
        )
    },
    optional={
        "captures": st.one_of(
            st.lists(
                fields(sample_start=position, frequency=st.floats(-1e10, 1e10), datetime=moment, header_bytes=position),
                max_size=5,
            ),
            anything,
        ),
        "annotations": st.one_of(
            st.lists(
                fields(
                    sample_start=position,
                    sample_count=position,
                    freq_lower_edge=number,
                    freq_upper_edge=number,
                    label=st.text(max_size=4),
                    generator=st.text(max_size=4),
                ),
                max_size=4,
            ),
            anything,
        ),
        "far:object": anything,
    },
)


@pytest.fixture(autouse=True)
def quiet():
    """No log: thousands of warnings are expected."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def targets(tmp_path):
    return fuzzing.make_targets(tmp_path)


@given(metadata)
@QUICK
@example({"global": {"core:datatype": "ci8", "core:sample_rate": 1e6}, "captures": [{"core:datetime": None}]})
def test_metadata_of_any_shape(targets, content):
    targets["recording"].check("x.sigmf-meta", json.dumps(content).encode())


@given(st.binary(max_size=400), st.sampled_from(["x.bin", "x.wav", "x.npy", "x.sigmf", "x.cs16", "x.sigmf-meta"]))
@QUICK
def test_bytes_of_any_kind_under_any_name(targets, content, name):
    targets["recording"].check(name, content)


@given(
    st.sampled_from(
        [b"RIFF\0\0\0\0WAVE", b"\x93NUMPY\x01\x00", b"\x09\x07\x02\x00\x04strt", b"\x1f\x8b\x08", b"PK\x03\x04"]
    ),
    st.binary(max_size=300),
)
@QUICK
def test_headers_with_anything_behind_them(targets, begin, content):
    targets["recording"].check("x.bin", begin + content)


@given(st.sampled_from(["segment", "frame", "status", "x"]), anything)
@QUICK
def test_messages_of_any_shape(targets, topic, content):
    targets["message"].check(topic, json.dumps(content).encode())


@given(
    st.sampled_from(["card.yml", "config.yml", "set.yml", "scene.yml", "colours.yml", "x.key", "watch.yml"]),
    st.dictionaries(st.text(max_size=9), anything, max_size=4),
)
@QUICK
def test_cards_and_configurations_of_any_shape(targets, name, content):
    targets["memory" if name == "watch.yml" else "card"].check(name, json.dumps(content).encode())


@given(
    st.sampled_from(["annotate", "info", "cells", "watch", "synth", "monitor", "train", "bench", "x", ""]),
    st.lists(
        st.one_of(st.sampled_from(["--rate", "--format", "--seed", "--json", "-", "--", "x"]), st.text(max_size=8))
    ),
)
@QUICK
def test_command_lines_of_any_words(targets, command, words):
    targets["command"].check("line", "\0".join([command, *words]).encode("utf-8", "surrogatepass"))


@given(st.one_of(st.text(max_size=40), moment))
@QUICK
def test_names_times_and_numbers_of_any_text(targets, text):
    targets["name"].check("text", text.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize(
    "name", ["recording", "message", "card", "memory", "archive", "device", "block", "command", "name"]
)
def test_mutations_of_what_is_right(targets, name):
    if name not in targets:
        pytest.skip("GNU Radio is not installed")
    rng, seeds = random.Random(11), targets[name].seeds()
    others = [content for _, content in seeds]
    ends = time.monotonic() + 2.0
    for _ in range(150):
        kind, content = rng.choice(seeds)
        changed = fuzzing.mutated(content, rng, others)
        assert not fuzzing.tried(targets[name].check, kind, changed, contextlib.nullcontext), (kind, changed)
        if time.monotonic() > ends:
            break


@pytest.mark.parametrize("path", sorted(fuzzing.KEPT.iterdir()), ids=lambda path: path.name)
def test_what_failed_once(targets, path):
    target, name = path.name.split("-", 1)[0], path.name.split("-", 3)[-1]
    targets[target].check(name, path.read_bytes())


def test_a_fault_and_a_hang_are_seen():
    """In a process of its own: timers are the whole process's, and pytest has its own."""
    code = (
        "import time, fuzzing\n"
        "assert 'ZeroDivisionError' in fuzzing.tried(lambda *_: 1 / 0, 'x', b'')\n"
        "assert fuzzing.tried(lambda *_: None, 'x', b'') == ''\n"
        "slow = fuzzing.tried(lambda *_: time.sleep(60), 'x', b'', lambda: fuzzing.limits(0.2))\n"
        "assert 'longer than 0.2 s' in slow\n"
    )
    folder = Path(fuzzing.__file__).resolve().parent
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join([str(folder), str(folder.parent / "python")]))
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=PROCESS_S, env=environment
    )
    assert done.returncode == 0, done.stderr
