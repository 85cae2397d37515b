# SPDX-License-Identifier: GPL-3.0-or-later
"""What a radio offers: whether a value lies in its ranges, whether it has set the rate, and the messages about it."""

import logging
from collections.abc import Sequence

from ..errors import RadioError
from ..signal.rates import is_same_rate

logger = logging.getLogger(__name__)

TOLERANCE = 1e-6
RTLSDR_REACH = 0.08
"""Many an RTL-SDR tunes this fraction further than its driver reports: 1.86 GHz instead of 1.766."""


def check_in_ranges(
    device: str,
    name: str,
    value: float,
    ranges: Sequence[tuple[float, float]],
    unit: str,
    scale: float,
    reach: float = 0.0,
) -> None:
    """Raise RadioError unless a value lies in one of some ranges; without any, nothing is known and all is allowed.

    Args:
        device: as the user named it.
        name: of the parameter, in words.
        value: Hz or dB.
        ranges: list of (lowest, highest).
        unit, scale: for the message, as "MHz" and 1e6.
        reach: fraction of the value by which it may lie outside; with a warning.

    Example:
        >>> check_in_ranges("driver=rtlsdr", "frequency", 3e9, [(24e6, 1766e6)], "MHz", 1e6)
        Traceback (most recent call last):
        rpmsn.errors.RadioError: driver=rtlsdr has no frequency of 3000 MHz; choose from 24 to 1766
    """
    distance = min((max(low - value, value - high, 0.0) for low, high in ranges), default=0.0)
    if distance <= TOLERANCE * abs(value):
        return
    allowed = ", ".join(
        f"{low / scale:g}" if low == high else f"{low / scale:g} to {high / scale:g}" for low, high in ranges
    )
    message = f"{device} has no {name} of {value / scale:g} {unit}; choose from {allowed}"
    if distance > reach * abs(value):
        raise RadioError(message)
    logger.warning("%s. It is tried all the same, since many radios of this kind reach further.", message)


def check_rate(device: str, asked: float, got: float, hint: str = "") -> None:
    """Raise RadioError unless a radio has set the sample rate, Hz, that was asked for.

    Args:
        hint: what else to do, added to the message.

    Example:
        >>> check_rate("uhd", 2.4e6, 2.5e6)
        Traceback (most recent call last):
        rpmsn.errors.RadioError: uhd has no sample rate of 2.4 Msps, and takes 2.5: choose that
    """
    if not is_same_rate(got, asked):
        raise RadioError(
            f"{device} has no sample rate of {asked / 1e6:g} Msps, and takes {got / 1e6:g}: choose that{hint}"
        )
