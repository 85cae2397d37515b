# SPDX-License-Identifier: GPL-3.0-or-later
"""A status message as text: what is wrong and what to do, and the plain facts (no Qt)."""

import dataclasses
import math

from ...messages import keys

LATE_SECONDS = 1.0
"""Latency in mode live from which on results count as late."""
SLOW_INPUT = 0.9
"""Fraction of the sample rate below which a source counts as too slow."""
LATE_ADVICE = "choose a faster runtime or model, a lower sample rate or a lower duty cycle"
LOST_ADVICE = "lower the sample rate, or free the processor and the bus to the radio"


NOTE, WARNING, ALARM = 0, 1, 2
"""What a problem is: something to know; results are there, but should be better; results are missing."""
SPEED = "asked_speed"
SOURCE_STATE = "source_state"
"""Keys that a source of this process may add to a status: times real time that it was to play at since the status
before; what it is doing where that is not to analyse: `PAUSED`, `ENDED`."""
PAUSED, ENDED = "paused", "end of the recording"
OF_RUNNING = (keys.INPUT_RATE, keys.REAL_TIME_FACTOR, keys.LATENCY)
"""Numbers that say nothing where nothing is analysed."""
SLOW_PLAYING = 0.9
"""Fraction of the speed asked for below which a recording counts as too slow."""


@dataclasses.dataclass(frozen=True)
class Problem:
    """What is wrong, with what to do, and how much it is a problem: NOTE, WARNING or ALARM."""

    text: str
    level: int = ALARM


@dataclasses.dataclass(frozen=True)
class Fact:
    """One field of the status bar: its text, and how much it is a problem; None where it is none."""

    text: str
    level: int | None = None


def describe_status(fields: dict, before: dict | None = None) -> tuple[list[Problem], list[Fact]]:
    """A status message as text.

    Args:
        fields: the message's dict; any of `keys.STATUS_KEYS`, `error`, `judged`, `information`, and of a source of this
            process `SPEED` and `SOURCE_STATE`, may be there.
        before: the message before it; counts are a problem only when they grow.

    Returns:
        list of what is wrong, the worst first (empty: nothing), and list of facts.

    Raises:
        TypeError, ValueError: a value is of a wrong kind.
    """
    before = before or {}
    late, lost, slow = _not_analysed(fields, before), _lost(fields, before), _slow_input(fields)
    error = [Problem(f"error: {fields[keys.ERROR]}")] if fields.get(keys.ERROR) else []
    faults, delayed, slow_playing = _input_faults(fields, before), _delayed(fields), _slow_playing(fields)
    notes = [Problem(f"note: {fields[keys.INFORMATION]}", NOTE)] if fields.get(keys.INFORMATION) else []
    said = {key: value for key, value in fields.items() if not (fields.get(SOURCE_STATE) and key in OF_RUNNING)}
    facts = [
        *_fact(said, keys.INPUT_RATE, _input_text, slow),
        *_fact(said, keys.REAL_TIME_FACTOR, _factor_text, slow_playing),
        *_fact(said, keys.COVERAGE, _coverage_text, late),
        *_fact(said, keys.QUEUE, lambda f: f"queue {f[keys.QUEUE]}"),
        *_fact(said, keys.FRAMES_DROPPED, lambda f: _count(f[keys.FRAMES_DROPPED], "frame") + " dropped", late),
        *_fact(said, keys.OVERFLOWS, lambda f: _count(f[keys.OVERFLOWS], "overflow"), lost),
        *_fact(said, keys.LATENCY, lambda f: f"latency {f[keys.LATENCY]:.2g} s", delayed),
        *_fact(
            said, keys.MODEL, lambda f: " on ".join(str(f[key]) for key in (keys.MODEL, keys.RUNTIME) if f.get(key))
        ),
        *_fact(said, keys.HEALTH, lambda f: "input " + ("faulty" if faults else "ok"), faults),
    ]
    problems = error + faults + lost + late + slow + delayed + slow_playing + notes
    return sorted(problems, key=lambda problem: -problem.level), facts


def _fact(fields: dict, key: str, text, problems=()) -> list[Fact]:
    """A fact, where its key is there."""
    level = max((problem.level for problem in problems), default=None)
    return [Fact(text(fields), level)] if fields.get(key) is not None else []


def _input_text(fields: dict) -> str:
    return f"input {fields[keys.INPUT_RATE] / 1e6:.4g} Msps"


def _factor_text(fields: dict) -> str:
    return f"{fields[keys.REAL_TIME_FACTOR]:.3g} \u00d7 real time"


def _coverage_text(fields: dict) -> str:
    """Rounded down, so that only what is whole is called 100 %."""
    text = f"coverage {math.floor(1e4 * fields[keys.COVERAGE] + 1e-6) / 100:g} %"
    return text + (" (duty cycle)" if is_duty_cycled(fields) else "")


def _count(number: int, thing: str) -> str:
    return f"{number:,d} {thing}{'' if number == 1 else 's'}".replace(",", "\u202f")


def is_duty_cycled(fields: dict) -> bool:
    """Whether samples are left out on purpose."""
    return fields.get(keys.SAMPLES_SKIPPED, 0) > 0


def _growth(fields: dict, before: dict, key: str):
    """How much a count has grown; after a restart it begins at 0 again."""
    value, last = fields.get(key, 0), before.get(key, 0)
    return value - last if value >= last else value


def _input_faults(fields: dict, before: dict) -> list[Problem]:
    """What is wrong with the input; whether frames were not judged because of it, so that nothing is known of them."""
    health = str(fields.get(keys.HEALTH) or keys.HEALTH_OK)
    is_faulty = health != keys.HEALTH_OK
    if keys.JUDGED not in fields or keys.FRAMES_ANALYSED not in fields:
        return [Problem(health)] if is_faulty else []
    since = {} if fields.get(SOURCE_STATE) == ENDED else before
    frames, judged = (
        _growth(_with_count(fields), _with_count(since), key) for key in (keys.FRAMES_ANALYSED, keys.JUDGED)
    )
    if frames > judged:
        how_many = "" if judged <= 0 else f" {_count(frames - judged, 'frame')} of {frames}"
        return [Problem(f"not judged{how_many}: {health if is_faulty else 'the input was not fit to be'}")]
    if not is_faulty:
        return []
    return [Problem(health, WARNING if frames else ALARM)]


def _with_count(fields: dict) -> dict:
    """A status whose `judged` is a number of frames."""
    frames = fields.get(keys.FRAMES_ANALYSED, 0)
    return {keys.FRAMES_ANALYSED: frames, keys.JUDGED: round(fields.get(keys.JUDGED, 1.0) * frames)}


def _not_analysed(fields: dict, before: dict) -> list[Problem]:
    """Samples that were dropped since the message before."""
    if keys.SAMPLES_DROPPED in fields:
        dropped, analysed = (_growth(fields, before, key) for key in (keys.SAMPLES_DROPPED, keys.SAMPLES_ANALYSED))
        fraction = dropped / max(dropped + analysed, 1)
    else:
        fraction = 0.0 if is_duty_cycled(fields) else 1 - fields.get(keys.COVERAGE, 1.0)
    if fraction < 5e-4:
        return []
    text = f"{100 * fraction:.3g} % of the samples were not analysed: the analysis is late; {LATE_ADVICE}"
    return [Problem(text)]


def _lost(fields: dict, before: dict) -> list[Problem]:
    """Samples that the radio lost since the message before."""
    lost = _growth(fields, before, keys.SAMPLES_LOST)
    return [Problem(f"{_count(lost, 'sample')} lost by the radio: {LOST_ADVICE}")] if lost > 0 else []


def _slow_input(fields: dict) -> list[Problem]:
    """A radio that sends less than its sample rate."""
    rate, expected = fields.get(keys.INPUT_RATE), fields.get(keys.SAMPLE_RATE)
    if fields.get(keys.MODE) != "live" or not rate or not expected or rate >= SLOW_INPUT * expected:
        return []
    text = f"only {rate / 1e6:.4g} of {expected / 1e6:.4g} Msps come in: check the source, and the blocks before this"
    return [Problem(text)]


def _slow_playing(fields: dict) -> list[Problem]:
    """A recording that plays more slowly than it was asked to: nothing is left out, but it takes longer."""
    factor, asked = fields.get(keys.REAL_TIME_FACTOR), fields.get(SPEED)
    if factor is None or asked is None or factor >= SLOW_PLAYING * asked:
        return []
    text = (
        f"{factor:.2g} × real time, slower than asked ({asked:g} ×): the analysis takes longer, and leaves nothing out"
    )
    return [Problem(text, WARNING)]


def _delayed(fields: dict) -> list[Problem]:
    """Results that come late."""
    latency = fields.get(keys.LATENCY) or 0.0
    is_late = fields.get(keys.MODE) == "live" and latency > LATE_SECONDS
    return [Problem(f"results come {latency:.2g} s late: {LATE_ADVICE}")] if is_late else []
