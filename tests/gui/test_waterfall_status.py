# SPDX-License-Identifier: GPL-3.0-or-later
"""The status bar says what is wrong, in red, at once, and what to do."""

import pytest

pytest.importorskip("pmt", reason="GNU Radio is not installed")
pytest.importorskip("PyQt5.QtWidgets", reason="PyQt5 is not installed")
pytest.importorskip("pyqtgraph", reason="pyqtgraph is not installed")

from waterfall_scene import app  # noqa: F401

from rpmsn.gui.theme import THEMES
from rpmsn.gui.waterfall.status import describe_status
from rpmsn.gui.waterfall.status_bar import StatusBar

GOOD = {
    "mode": "live",
    "sample_rate": 61.44e6,
    "input_rate": 61.44e6,
    "coverage": 1.0,
    "real_time_factor": 3.2,
    "queue": 0,
    "frames_dropped": 0,
    "overflows": 0,
    "latency": 0.05,
    "model": "rpmsn-rt",
    "runtime": "torch",
    "health": "ok",
    "samples_lost": 0,
    "samples_dropped": 0,
    "samples_analysed": 61_440_000,
    "samples_skipped": 0,
}


@pytest.fixture
def bar(app):
    """A status bar and the clock that it goes by."""
    clock = [100.0]
    bar = StatusBar(THEMES["dark"], clock=lambda: clock[0])
    bar.advance = lambda seconds: (clock.__setitem__(0, clock[0] + seconds), bar.refresh())
    return bar


def is_red(bar):
    return THEMES["dark"].alarm in bar.state_label.text()


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"samples_dropped": 12_583_614, "coverage": 0.83}, "17 % of the samples were not analysed"),
        ({"samples_dropped": 12_583_614, "coverage": 0.83}, "faster runtime"),
        ({"health": "overload: lower the gain"}, "overload: lower the gain"),
        ({"error": "no model"}, "error: no model"),
        ({"samples_lost": 1234, "overflows": 1}, "1\u202f234 samples lost by the radio: lower the sample rate"),
        ({"input_rate": 30e6}, "only 30 of 61.44 Msps come in: check the source"),
        ({"latency": 3.0}, "results come 3 s late"),
    ],
)
def test_trouble_is_red_and_says_what_to_do(bar, changes, words):
    bar.set_status(GOOD)
    assert not is_red(bar) and bar.problems == []
    bar.set_status({**GOOD, "samples_analysed": 2 * GOOD["samples_analysed"], **changes})
    assert words in bar.state_label.text() and is_red(bar)


@pytest.mark.parametrize(
    "key, text",
    [
        ("input_rate", "input 61.44 Msps"),
        ("real_time_factor", "3.2 × real time"),
        ("coverage", "coverage 100 %"),
        ("queue", "queue 0"),
        ("frames_dropped", "0 frames dropped"),
        ("overflows", "0 overflows"),
        ("latency", "latency 0.05 s"),
        ("model", "rpmsn-rt on torch"),
        ("health", "input ok"),
    ],
)
def test_every_number_is_there(key, text):
    problems, facts = describe_status(GOOD)
    assert problems == [] and text in [fact.text for fact in facts]
    assert text not in [fact.text for fact in describe_status({**GOOD, key: None})[1]]


def test_the_number_that_is_the_reason_is_red_too():
    facts = {fact.text: fact.is_bad for fact in describe_status({**GOOD, "overflows": 3, "samples_lost": 9})[1]}
    assert facts["3 overflows"] and not facts["queue 0"]


def test_losses_are_trouble_once(bar):
    lost = {**GOOD, "samples_lost": 5, "overflows": 1}
    bar.set_status(lost)
    assert is_red(bar)
    bar.set_status(lost)
    assert not is_red(bar)


def test_coverage_is_only_called_whole_when_it_is():
    texts = [describe_status({"coverage": fraction})[1][0].text for fraction in (1.0, 0.99999, 0.5)]
    assert texts == ["coverage 100 %", "coverage 99.99 %", "coverage 50 %"]


def test_what_is_left_out_on_purpose_is_no_trouble():
    problems, facts = describe_status({**GOOD, "coverage": 0.25, "samples_skipped": 3 * GOOD["samples_analysed"]})
    assert problems == [] and "coverage 25 % (duty cycle)" in [fact.text for fact in facts]


def test_a_replay_may_be_slow(bar):
    bar.set_status({**GOOD, "mode": "replay", "input_rate": 10e6, "real_time_factor": 0.2, "latency": 4.0})
    assert not is_red(bar)


def test_a_gap_is_reported_at_once_and_for_some_seconds(bar):
    bar.set_status(GOOD)
    bar.show_break("0.3 s lost by the radio")
    assert is_red(bar) and "0.3 s lost by the radio" in bar.state_label.text()
    bar.set_status(GOOD)
    assert is_red(bar)
    bar.advance(6.0)
    bar.set_status(GOOD)
    assert not is_red(bar)


@pytest.mark.parametrize("mode, expected", [("live", True), ("replay", False)])
def test_silence_is_reported(bar, mode, expected):
    bar.set_status({**GOOD, "mode": mode})
    bar.advance(4.0)
    assert "no status for 4 s" in bar.state_label.text() and is_red(bar) == expected


def test_words_are_text_not_markup(bar):
    bar.set_status({"health": "<b>late</b>"})
    assert "&lt;b&gt;late" in bar.state_label.text()


def test_an_empty_status_is_fine():
    assert describe_status({}) == ([], [])
