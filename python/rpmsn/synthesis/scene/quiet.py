# SPDX-License-Identifier: GPL-3.0-or-later
"""Lightly loaded cells: the little that they send has to be distinguished from other short transmissions.

Half of the scenes have no noise, as what encoders put out; the others are receptions.
"""

import numpy as np

from . import everyday
from .scene import Scene

OTHERS_FRACTION = 0.25
"""Scenes with other transmissions alone."""
CABLED_FRACTION = 0.5
"""Scenes without noise and channel."""
ALONE_FRACTION = 0.6
"""Of the receptions of cells, those of one about in the middle of the span."""
NR_FRACTION = 0.75
"""Of the cells that are alone."""
BARE_FRACTION = 0.4
"""NR cells that send nothing but SS/PBCH blocks and what their users get."""
BARE = {"sib1": False, "trs_period_ms": None, "csi_rs_period_slots": None}
HIGHEST_LTE_LOAD = 0.15
LIMITS_DB = (0.0, 40.0)
"""SNR of a reception."""


def draw(rng: np.random.Generator, rate: float, duration_s: float) -> Scene:
    """A scene.

    Args:
        rng: numpy Generator.
        rate: sample rate, Hz.
        duration_s: whole milliseconds, in seconds.
    """
    is_cabled = rng.random() < CABLED_FRACTION
    if rng.random() < OTHERS_FRACTION:
        carriers, interferers = [], [everyday.other(rng, rate, []) for _ in range(int(rng.integers(1, 3)))]
    else:
        carriers, interferers = _cells(rng, rate, is_cabled), []
    if is_cabled:
        return everyday.cabled(rng, rate, duration_s, carriers or interferers[:1])
    if carriers and rng.random() < 0.3:
        interferers = [everyday.other(rng, rate, carriers)]
    return everyday.received(rng, rate, duration_s, carriers, interferers, LIMITS_DB)


def _cells(rng, rate, is_alone):
    """One cell about in the middle, or several anywhere, with little traffic."""
    if is_alone or rng.random() < ALONE_FRACTION:
        emissions = [everyday.filling_carrier(rng, rate, "nr" if rng.random() < NR_FRACTION else "lte")]
    else:
        emissions = everyday.scattered_carriers(rng, rate)
    for emission in emissions:
        if emission.kind == "nr":
            emission.parameters |= everyday.little_traffic(rng) | (BARE if rng.random() < BARE_FRACTION else {})
        elif emission.kind == "lte":
            bandwidth, load = emission.parameters["bandwidth_hz"], float(rng.uniform(0, HIGHEST_LTE_LOAD))
            emission.parameters = everyday.carrier(rng, "lte", bandwidth_hz=bandwidth, load=load).parameters
    return emissions
