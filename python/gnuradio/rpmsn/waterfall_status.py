# SPDX-License-Identifier: GPL-3.0-or-later
"""What a status message says, in words: what is wrong, and the plain facts (no Qt)."""
from . import pdu

STATUS_TEXTS = (
    (pdu.SAMPLE_RATE, "{:.6g} Msps", 1e-6), (pdu.COVERAGE, "coverage {:.4g} %", 100),
    (pdu.REAL_TIME_FACTOR, "{:.3g} \u00d7 real time", 1), (pdu.FRAMES_DROPPED, "{:d} frames dropped", 1),
    (pdu.SAMPLES_LOST, "{:d} samples lost", 1), (pdu.LATENCY, "latency {:.2g} s", 1))
"""Key, how its value is written, factor to the unit written."""


def describe_status(fields: dict, lost_before: int = 0) -> tuple[list[str], list[str]]:
    """Put a status message into words.

    Args:
        fields: the message's dict; any of `pdu.STATUS_KEYS` and `error` may be there.
        lost_before: `samples_lost` of the message before; only new losses are trouble.

    Returns:
        list of what is wrong (empty: nothing) and list of plain facts.

    Raises:
        TypeError, ValueError: a value is of a wrong kind.
    """
    troubles = []
    if fields.get(pdu.ERROR):
        troubles.append(f"error: {fields[pdu.ERROR]}")
    if fields.get(pdu.HEALTH, pdu.HEALTH_OK) != pdu.HEALTH_OK:
        troubles.append(str(fields[pdu.HEALTH]))
    coverage = fields.get(pdu.COVERAGE)
    if coverage is not None and coverage < 0.9995:
        troubles.append(f"{100 * (1 - coverage):.3g} % of the samples were not analysed")
    lost = fields.get(pdu.SAMPLES_LOST, 0) - lost_before
    if lost > 0:
        troubles.append(f"{lost:,} samples lost by the radio".replace(",", "\u202f"))
    facts = [text.format(fields[key] * factor) for key, text, factor in STATUS_TEXTS if fields.get(key) is not None]
    if fields.get(pdu.MODEL):
        facts.append(" on ".join(str(fields[key]) for key in (pdu.MODEL, pdu.RUNTIME) if fields.get(key)))
    return troubles, facts
