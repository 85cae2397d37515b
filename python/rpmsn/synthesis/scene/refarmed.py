# SPDX-License-Identifier: GPL-3.0-or-later
"""Bands that were GSM's and are LTE's or NR's in part: one carrier, and GSM carriers on the rasters beside it.

GSM carriers side by side look like one wide transmission, the more so the weaker they are.
"""

import numpy as np

from . import everyday
from .scene import Emission, Scene

NONE_FRACTION = 0.15
"""Scenes with GSM alone."""
KINDS = {"lte": 0.8, "nr": 0.2}
WIDTHS = (0.3, 0.85)
"""Bandwidth of the carrier as a fraction of the sample rate."""
RASTER_HZ = 200e3
MOST = 14
"""GSM carriers in a scene at most."""
USED = (0.2, 0.95)
"""Fraction of the rasters in use, beside one another, on either side."""
LIMITS_DB = (-5.0, 35.0)


def draw(rng: np.random.Generator, rate: float, duration_s: float) -> Scene:
    """A scene.

    Args:
        rng: numpy Generator.
        rate: sample rate, Hz.
        duration_s: whole milliseconds, in seconds.
    """
    carriers = [] if rng.random() < NONE_FRACTION else [_carrier(rng, rate)]
    return everyday.received(rng, rate, duration_s, carriers, _gsm(rng, rate, carriers), LIMITS_DB)


def _carrier(rng, rate):
    """A carrier about in the middle that leaves room beside it."""
    kind = everyday.choose(rng, KINDS)
    bandwidths = everyday.LTE_BANDWIDTHS if kind == "lte" else everyday.NR_BANDWIDTHS[15e3]
    bandwidth = everyday.nearest(bandwidths, float(rng.uniform(*WIDTHS)) * rate)
    emission = everyday.carrier(rng, kind, bandwidth_hz=bandwidth)
    emission.offset_hz = float(rng.normal(0, 0.05) * rate)
    return emission


def _gsm(rng, rate, carriers):
    """GSM carriers from the edges of the carrier outwards, or anywhere."""
    lower, upper = 0.0, 0.0
    for emission in carriers:
        half = emission.parameters["bandwidth_hz"] / 2
        lower, upper = emission.offset_hz - half, emission.offset_hz + half
    shift = float(rng.uniform(0, RASTER_HZ))
    sides = [np.arange(upper + shift, 0.49 * rate, RASTER_HZ), np.arange(lower - shift, -0.49 * rate, -RASTER_HZ)]
    chosen = []
    for places in sides:
        is_used = rng.random(len(places)) < rng.uniform(*USED)
        chosen += [float(place) for place in places[is_used]]
    chosen = [chosen[index] for index in rng.permutation(len(chosen))[:MOST]] if rng.random() < 0.5 else chosen[:MOST]
    return [Emission("gsm", place, everyday.other_parameters(rng, "gsm")) for place in chosen]
