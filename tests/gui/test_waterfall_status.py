# SPDX-License-Identifier: GPL-3.0-or-later
"""The status bar says what is wrong, in red, at once, and what to do."""

import re

import pytest

pytest.importorskip("pmt", reason="GNU Radio is not installed")
pytest.importorskip("PyQt5.QtWidgets", reason="PyQt5 is not installed")
pytest.importorskip("pyqtgraph", reason="pyqtgraph is not installed")

from waterfall_scene import app  # noqa: F401

from rpmsn.gui.theme import THEMES
from rpmsn.gui.waterfall.status import ALARM, ENDED, NOTE, PAUSED, SOURCE_STATE, SPEED, WARNING, describe_status
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
        ({"samples_dropped": 20_000_000, "samples_yielded": 19_000_000}, "the recording comes first"),
        ({"samples_dropped": 20_000_000, "samples_yielded": 9_000}, "the analysis is late"),
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
    facts = {fact.text: fact.level for fact in describe_status({**GOOD, "overflows": 3, "samples_lost": 9})[1]}
    assert facts["3 overflows"] == ALARM and facts["queue 0"] is None


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


# What is not judged, what should be better, and what rests

JUDGED = {**GOOD, "frames_analysed": 100, "judged": 1.0}
NEXT = {**JUDGED, "frames_analysed": 125}


def colors(bar):
    theme = bar.theme
    names = {theme.alarm: "red", theme.warning: "amber", theme.good: "green", theme.muted: "grey"}
    return [name for color, name in names.items() if color in bar.state_label.text()]


def words(bar):
    return bar.state_label.toolTip()


def test_input_that_is_not_judged_is_told_from_a_band_where_nothing_is_found(bar):
    overload = "overload: 31% of the values are at the rail; lower the gain by 12 dB or more"
    bar.has_found = False
    bar.set_status(JUDGED)
    assert words(bar) == "ok, nothing found" and colors(bar) == ["green"]
    bar.set_status({**NEXT, "judged": 0.8, "health": overload})
    assert words(bar) == f"not judged: {overload}" and colors(bar) == ["red"]
    bar.has_found = True
    bar.set_status({**NEXT, "frames_analysed": 150, "judged": 125 / 150})
    assert words(bar) == "ok"


def test_frames_that_were_not_judged_in_between_are_counted():
    [problem] = describe_status({**NEXT, "judged": 122 / 125}, JUDGED)[0]
    assert problem.text.startswith("not judged 3 frames of 25:") and problem.level == ALARM


def test_a_fault_that_leaves_frames_judged_is_amber(bar):
    bar.set_status(JUDGED)
    bar.set_status({**NEXT, "health": "clipping: 7.0% of the values are at the rail; lower the gain by 9 dB or more"})
    assert words(bar).startswith("clipping: 7.0%") and colors(bar) == ["amber"]


def test_a_source_that_sends_nothing_is_red(bar):
    bar.set_status(JUDGED)
    bar.set_status({**JUDGED, "health": "no samples for 6 s: the source has stopped; check the radio and its cable"})
    assert colors(bar) == ["red"]


def test_a_spike_at_the_centre_is_a_note(bar):
    bar.set_status({**JUDGED, "information": "a spike at the centre frequency"})
    assert words(bar) == "ok; note: a spike at the centre frequency" and colors(bar) == ["green", "grey"]
    assert [problem.level for problem in bar.problems] == [NOTE]


def test_where_there_is_little_room_one_line_says_what_is_wrong_and_the_tooltip_the_rest(bar):
    note = "a spike at the centre frequency, as receivers make it themselves (DC offset)"
    bar.set_brief(True)
    bar.set_status({**JUDGED, "information": note, "health": "clipping: 3.0% of the values, or so"})
    said = re.sub("<[^>]*>", "", bar.state_label.text())
    assert said == "clipping: 3.0% of the values, or so; note: a spike at the centre frequency"
    assert not bar.facts_label.isVisibleTo(bar)
    assert note in words(bar) and "coverage" in words(bar)
    bar.set_brief(False)
    assert bar.facts_label.isVisibleTo(bar) and "(DC offset)" in bar.state_label.text()


def test_a_recording_that_plays_slower_than_asked_is_amber(bar):
    slow = {**JUDGED, "mode": "replay", "real_time_factor": 0.4}
    bar.set_status({**slow, SPEED: 1.0})
    assert words(bar).startswith("0.4 × real time, slower than asked (1 ×)") and colors(bar) == ["amber"]
    assert bar.theme.warning in bar.facts_label.text()
    facts = {fact.text: fact.level for fact in describe_status({**slow, SPEED: 1.0})[1]}
    assert facts["0.4 × real time"] == WARNING
    for speed in ({}, {SPEED: 0.4}):
        bar.set_status({**slow, **speed})
        assert colors(bar) == ["green"]


@pytest.mark.parametrize("state", [ENDED, PAUSED])
def test_nothing_is_green_where_nothing_is_analysed(bar, state):
    bar.has_found = False
    bar.set_status({**JUDGED, "mode": "replay", "real_time_factor": 0.0, "input_rate": 0.0, SOURCE_STATE: state})
    assert words(bar) == f"{state}, nothing found" and colors(bar) == ["grey"]
    assert "real time" not in bar.facts_label.text() and "input 0" not in bar.facts_label.text()


def test_at_the_end_it_is_said_what_was_not_judged(bar):
    ended = {**JUDGED, "mode": "replay", "judged": 0.0, "health": "overload: lower the gain", SOURCE_STATE: ENDED}
    for _ in range(2):
        bar.set_status(ended)
        assert words(bar) == f"not judged: overload: lower the gain; {ENDED}" and "green" not in colors(bar)
