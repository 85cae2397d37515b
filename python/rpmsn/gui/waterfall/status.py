# SPDX-License-Identifier: GPL-3.0-or-later
"""A status message as text: what is wrong and what to do, and the plain facts (no Qt)."""

import dataclasses
import math

from ...messages import keys
from ..translation import counted, mark, tr, tr_report

LATE_SECONDS = 1.0
"""Latency in mode live from which on results count as late."""
SLOW_INPUT = 0.9
"""Fraction of the sample rate below which a source counts as too slow."""
LATE_ADVICE = mark("choose a faster runtime or model, a lower sample rate or a lower duty cycle")
LOST_ADVICE = mark("lower the sample rate, or free the processor and the bus to the radio")


NOTE, WARNING, ALARM = 0, 1, 2
"""What a problem is: something to know; results are there, but should be better; results are missing."""
SPEED = "asked_speed"
SOURCE_STATE = "source_state"
"""Keys that a source of this process may add to a status: times real time that it was to play at since the status
before; what it is doing where that is not to analyse: `PAUSED`, `ENDED`."""
PAUSED, ENDED = mark("paused"), mark("end of the recording")
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
    error = [Problem(tr("error: {words}", words=tr_report(fields[keys.ERROR])))] if fields.get(keys.ERROR) else []
    faults, delayed, slow_playing = _input_faults(fields, before), _delayed(fields), _slow_playing(fields)
    notes = (
        [Problem(tr("note: {words}", words=tr_report(fields[keys.INFORMATION])), NOTE)]
        if fields.get(keys.INFORMATION)
        else []
    )
    said = {key: value for key, value in fields.items() if not (fields.get(SOURCE_STATE) and key in OF_RUNNING)}
    facts = [
        *_fact(said, keys.INPUT_RATE, _input_text, slow),
        *_fact(said, keys.REAL_TIME_FACTOR, _factor_text, slow_playing),
        *_fact(said, keys.COVERAGE, _coverage_text, late),
        *_fact(said, keys.QUEUE, lambda f: tr("queue {count}", count=f[keys.QUEUE])),
        *_fact(
            said,
            keys.FRAMES_DROPPED,
            lambda f: counted("{count} frame dropped", "{count} frames dropped", f[keys.FRAMES_DROPPED]),
            late,
        ),
        *_fact(
            said, keys.OVERFLOWS, lambda f: counted("{count} overflow", "{count} overflows", f[keys.OVERFLOWS]), lost
        ),
        *_fact(said, keys.LATENCY, lambda f: tr("latency {time} s", time=f"{f[keys.LATENCY]:.2g}"), delayed),
        *_fact(said, keys.MODEL, _model_text),
        *_fact(said, keys.HEALTH, lambda _: tr("input faulty") if faults else tr("input ok"), faults),
    ]
    problems = error + faults + lost + late + slow + delayed + slow_playing + notes
    return sorted(problems, key=lambda problem: -problem.level), facts


def _fact(fields: dict, key: str, text, problems=()) -> list[Fact]:
    """A fact, where its key is there."""
    level = max((problem.level for problem in problems), default=None)
    return [Fact(text(fields), level)] if fields.get(key) is not None else []


def _input_text(fields: dict) -> str:
    return tr("input {rate} Msps", rate=f"{fields[keys.INPUT_RATE] / 1e6:.4g}")


def _factor_text(fields: dict) -> str:
    return tr("{factor} \u00d7 real time", factor=f"{fields[keys.REAL_TIME_FACTOR]:.3g}")


def _model_text(fields: dict) -> str:
    if not fields.get(keys.RUNTIME):
        return str(fields[keys.MODEL])
    return tr("{model} on {runtime}", model=fields[keys.MODEL], runtime=fields[keys.RUNTIME])


def _coverage_text(fields: dict) -> str:
    """Rounded down, so that only what is whole is called 100 %."""
    percent = f"{math.floor(1e4 * fields[keys.COVERAGE] + 1e-6) / 100:g}"
    if is_duty_cycled(fields):
        return tr("coverage {percent} % (duty cycle)", percent=percent)
    return tr("coverage {percent} %", percent=percent)


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
        return [Problem(tr_report(health))] if is_faulty else []
    since = {} if fields.get(SOURCE_STATE) == ENDED else before
    frames, judged = (
        _growth(_with_count(fields), _with_count(since), key) for key in (keys.FRAMES_ANALYSED, keys.JUDGED)
    )
    if frames > judged:
        reason = tr_report(health) if is_faulty else tr("the input was not fit to be")
        if judged <= 0:
            return [Problem(tr("not judged: {reason}", reason=reason))]
        text = counted(
            "not judged {count} frame of {all}: {reason}",
            "not judged {count} frames of {all}: {reason}",
            frames - judged,
            all=frames,
            reason=reason,
        )
        return [Problem(text)]
    if not is_faulty:
        return []
    return [Problem(tr_report(health), WARNING if frames else ALARM)]


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
        dropped, fraction = 0, 0.0 if is_duty_cycled(fields) else 1 - fields.get(keys.COVERAGE, 1.0)
    if fraction < 5e-4:
        return []
    percent = f"{100 * fraction:.3g}"
    if 2 * _growth(fields, before, keys.SAMPLES_YIELDED) > dropped:
        text = tr(
            "{percent} % of the samples were not analysed: the recording comes first, and needs the processor",
            percent=percent,
        )
    else:
        text = tr(
            "{percent} % of the samples were not analysed: the analysis is late; {advice}",
            percent=percent,
            advice=tr(LATE_ADVICE),
        )
    return [Problem(text)]


def _lost(fields: dict, before: dict) -> list[Problem]:
    """Samples that the radio lost since the message before."""
    lost = _growth(fields, before, keys.SAMPLES_LOST)
    if lost <= 0:
        return []
    text = counted(
        "{count} sample lost by the radio: {advice}",
        "{count} samples lost by the radio: {advice}",
        lost,
        advice=tr(LOST_ADVICE),
    )
    return [Problem(text)]


def _slow_input(fields: dict) -> list[Problem]:
    """A radio that sends less than its sample rate."""
    rate, expected = fields.get(keys.INPUT_RATE), fields.get(keys.SAMPLE_RATE)
    if fields.get(keys.MODE) != "live" or not rate or not expected or rate >= SLOW_INPUT * expected:
        return []
    text = tr(
        "only {rate} of {expected} Msps come in: check the source, and the blocks before this",
        rate=f"{rate / 1e6:.4g}",
        expected=f"{expected / 1e6:.4g}",
    )
    return [Problem(text)]


def _slow_playing(fields: dict) -> list[Problem]:
    """A recording that plays more slowly than it was asked to: nothing is left out, but it takes longer."""
    factor, asked = fields.get(keys.REAL_TIME_FACTOR), fields.get(SPEED)
    if factor is None or asked is None or factor >= SLOW_PLAYING * asked:
        return []
    text = tr(
        "{factor} × real time, slower than asked ({asked} ×): the analysis takes longer, and leaves nothing out",
        factor=f"{factor:.2g}",
        asked=f"{asked:g}",
    )
    return [Problem(text, WARNING)]


def _delayed(fields: dict) -> list[Problem]:
    """Results that come late."""
    latency = fields.get(keys.LATENCY) or 0.0
    is_late = fields.get(keys.MODE) == "live" and latency > LATE_SECONDS
    text = tr("results come {time} s late: {advice}", time=f"{latency:.2g}", advice=tr(LATE_ADVICE))
    return [Problem(text)] if is_late else []
