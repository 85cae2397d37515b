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


@dataclasses.dataclass(frozen=True)
class Fact:
    """One field of the status bar: its text, and whether it is a problem."""

    text: str
    is_bad: bool = False


def describe_status(fields: dict, before: dict | None = None) -> tuple[list[str], list[Fact]]:
    """A status message as text.

    Args:
        fields: the message's dict; any of `keys.STATUS_KEYS` and `error` may be there.
        before: the message before it; counts are a problem only when they grow.

    Returns:
        list of what is wrong, with what to do (empty: nothing), and list of facts.

    Raises:
        TypeError, ValueError: a value is of a wrong kind.
    """
    before = before or {}
    late, lost, slow = _not_analysed(fields, before), _lost(fields, before), _slow_input(fields)
    health = str(fields.get(keys.HEALTH) or keys.HEALTH_OK)
    error = [f"error: {fields[keys.ERROR]}"] if fields.get(keys.ERROR) else []
    faults = [health] if health != keys.HEALTH_OK else []
    delayed = _delayed(fields)
    facts = [
        *_fact(fields, keys.INPUT_RATE, _input_text, slow),
        *_fact(fields, keys.REAL_TIME_FACTOR, _factor_text),
        *_fact(fields, keys.COVERAGE, _coverage_text, late),
        *_fact(fields, keys.QUEUE, lambda f: f"queue {f[keys.QUEUE]}"),
        *_fact(fields, keys.FRAMES_DROPPED, lambda f: _count(f[keys.FRAMES_DROPPED], "frame") + " dropped", late),
        *_fact(fields, keys.OVERFLOWS, lambda f: _count(f[keys.OVERFLOWS], "overflow"), lost),
        *_fact(fields, keys.LATENCY, lambda f: f"latency {f[keys.LATENCY]:.2g} s", delayed),
        *_fact(
            fields, keys.MODEL, lambda f: " on ".join(str(f[key]) for key in (keys.MODEL, keys.RUNTIME) if f.get(key))
        ),
        *_fact(fields, keys.HEALTH, lambda f: "input " + ("ok" if not faults else "faulty"), faults),
    ]
    return error + faults + lost + late + slow + delayed, facts


def _fact(fields: dict, key: str, text, problems=()) -> list[Fact]:
    """A fact, where its key is there."""
    return [Fact(text(fields), bool(problems))] if fields.get(key) is not None else []


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


def _not_analysed(fields: dict, before: dict) -> list[str]:
    """Samples that were dropped since the message before."""
    if keys.SAMPLES_DROPPED in fields:
        dropped, analysed = (_growth(fields, before, key) for key in (keys.SAMPLES_DROPPED, keys.SAMPLES_ANALYSED))
        fraction = dropped / max(dropped + analysed, 1)
    else:
        fraction = 0.0 if is_duty_cycled(fields) else 1 - fields.get(keys.COVERAGE, 1.0)
    if fraction < 5e-4:
        return []
    return [f"{100 * fraction:.3g} % of the samples were not analysed: the analysis is late; {LATE_ADVICE}"]


def _lost(fields: dict, before: dict) -> list[str]:
    """Samples that the radio lost since the message before."""
    lost = _growth(fields, before, keys.SAMPLES_LOST)
    return [f"{_count(lost, 'sample')} lost by the radio: {LOST_ADVICE}"] if lost > 0 else []


def _slow_input(fields: dict) -> list[str]:
    """A radio that sends less than its sample rate."""
    rate, expected = fields.get(keys.INPUT_RATE), fields.get(keys.SAMPLE_RATE)
    if fields.get(keys.MODE) != "live" or not rate or not expected or rate >= SLOW_INPUT * expected:
        return []
    return [f"only {rate / 1e6:.4g} of {expected / 1e6:.4g} Msps come in: check the source, and the blocks before this"]


def _delayed(fields: dict) -> list[str]:
    """Results that come late."""
    latency = fields.get(keys.LATENCY) or 0.0
    is_late = fields.get(keys.MODE) == "live" and latency > LATE_SECONDS
    return [f"results come {latency:.2g} s late: {LATE_ADVICE}"] if is_late else []
