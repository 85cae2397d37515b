# SPDX-License-Identifier: GPL-3.0-or-later
"""Cells as they are seldom drawn by `everyday`: idle, at full load, their terminals alone, with NB-IoT, sidelink."""

from collections.abc import Callable
from dataclasses import asdict

import numpy as np

from ..lte.downlink import N_RB as LTE_N_RB
from ..lte.narrowband import NbIotDownlink
from ..prach import LONG_FORMATS, NR_LONG_FORMATS, NR_SHORT_FORMATS
from . import everyday, quiet
from .scene import Emission

KINDS = {
    "everyday": 0.22,
    "idle": 0.18,
    "full_nr": 0.16,
    "uplink": 0.14,
    "with_nbiot": 0.12,
    "packed_idle": 0.1,
    "sidelink": 0.08,
}
"""Kind of situation -> fraction."""
RB_HZ = 180e3
GUARD_NBIOT_FROM_HZ = 5e6
"""Narrower LTE carriers have no room in their guard band: TS 36.104 5.6."""


def draw(rng: np.random.Generator, rate: float) -> list[list[Emission]]:
    """Groups of emissions of cells; those of one group arrive at about the same level.

    Args:
        rng: numpy Generator.
        rate: sample rate, Hz.
    """
    return _DRAWS[everyday.choose(rng, KINDS)](rng, rate)


def nbiot_parameters(rng: np.random.Generator, mode: str) -> dict:
    """Parameters of an NB-IoT carrier in a mode."""
    return asdict(NbIotDownlink.random(rng, mode=mode))


def _everyday(rng, rate):
    """A carrier that fills the span, or several anywhere."""
    if rng.random() < 0.5:
        return [[everyday.filling_carrier(rng, rate)]]
    return [[emission] for emission in everyday.scattered_carriers(rng, rate)]


def _make_idle(rng, emission):
    """A cell without users, in place."""
    if emission.kind == "nr":
        bare = quiet.BARE if rng.random() < quiet.BARE_FRACTION else {}
        emission.parameters |= {"style": "ssb_only", **bare}
    elif emission.kind == "lte":
        emission.parameters |= {"load": 0.0, "duty": None, "allocation": "idle"}
    return emission


def _idle(rng, rate):
    """One idle cell about in the middle."""
    return [[_make_idle(rng, everyday.filling_carrier(rng, rate))]]


def _packed_idle(rng, rate):
    """Idle and busy cells anywhere."""
    carriers = everyday.scattered_carriers(rng, rate)
    return [[_make_idle(rng, emission) if rng.random() < 0.6 else emission] for emission in carriers]


def _full_nr(rng, rate):
    """An NR carrier at full load, mostly of 15 kHz, with every pattern of reference signals."""
    spacing = 15e3 if rng.random() < 0.7 else 30e3
    bandwidth = everyday.nearest(everyday.NR_BANDWIDTHS[spacing], float(rng.uniform(0.25, 1.2)) * rate)
    emission = everyday.carrier(
        rng,
        "nr",
        bandwidth_hz=bandwidth,
        subcarrier_spacing=spacing,
        style="full",
        dmrs_type=int(rng.integers(1, 3)),
        dmrs_first=int(rng.integers(2, 4)),
        dmrs_length=int(rng.integers(1, 3)),
        dmrs_additional=int(rng.integers(0, 4)),
        mini_slot_share=0.0,
    )
    emission.offset_hz = float(rng.normal(0, 0.05) * rate)
    return [[emission]]


def _uplink(rng, rate):
    """Terminals of an FDD cell, and random access among them."""
    kind = str(rng.choice(["lte", "nr"]))
    spacing = 15e3 if kind == "lte" or rng.random() < 0.5 else 30e3
    bandwidths = everyday.LTE_BANDWIDTHS if kind == "lte" else everyday.NR_BANDWIDTHS[spacing]
    parameters = {"bandwidth_hz": everyday.nearest(bandwidths, float(rng.uniform(0.15, 0.9)) * rate)}
    if kind == "nr":
        parameters["subcarrier_spacing"] = spacing
    room = 0.5 * rate - parameters["bandwidth_hz"] / 2
    carrier = everyday.carrier(rng, f"{kind}_uplink", **parameters)
    carrier.offset_hz = float(rng.uniform(-1, 1)) * max(room, 0.05 * rate)
    group = [carrier]
    if rng.random() < 0.7:
        group.append(_prach(rng, kind, carrier))
    return [group]


def _prach(rng, kind, carrier):
    """Random access somewhere in an uplink carrier."""
    formats = {"lte": [*LONG_FORMATS], "nr": [*NR_LONG_FORMATS, *NR_SHORT_FORMATS]}[kind]
    parameters = {
        "technology": kind.upper(),
        "preamble": str(rng.choice(formats)),
        "subcarrier_spacing": carrier.parameters.get("subcarrier_spacing", 15e3),
        "period_s": float(rng.choice([0.005, 0.01, 0.02])),
        "delay_s": float(rng.uniform(0, 0.02)),
        "chance": float(rng.uniform(0.05, 0.8)),
    }
    # The widest preamble is 4.2 MHz.
    reach = max(carrier.parameters["bandwidth_hz"] / 2 - 2.2e6, 0.0)
    return Emission("prach", carrier.offset_hz + float(rng.uniform(-1, 1)) * reach, parameters)


def _sidelink(rng, rate):
    """Vehicles on a road."""
    emission = everyday.carrier(rng, "lte_sidelink", bandwidth_hz=20e6 if rate > 20e6 and rng.random() < 0.6 else 10e6)
    emission.offset_hz = float(rng.uniform(-0.3, 0.3)) * rate
    return [[emission]]


def _with_nbiot(rng, rate):
    """An LTE carrier with NB-IoT in its guard bands or among its resource blocks."""
    widths = [width for width in LTE_N_RB if width >= GUARD_NBIOT_FROM_HZ]
    carrier = everyday.carrier(rng, "lte", bandwidth_hz=everyday.nearest(widths, float(rng.uniform(0.2, 1.2)) * rate))
    # Where the span is narrow, its edge is in sight.
    half = carrier.parameters["bandwidth_hz"] / 2
    reach = half if half > rate / 2 else rate / 2 - half
    carrier.offset_hz = float(rng.uniform(-1, 1)) * reach
    places = [_nbiot_place(rng, carrier) for _ in range(int(rng.integers(1, 3)))]
    return [[carrier, *(Emission("nbiot", place, nbiot_parameters(rng, mode)) for place, mode in places)]]


def _nbiot_place(rng, carrier):
    """(offset in Hz, mode) of an NB-IoT carrier in an LTE carrier or its guard band: TS 36.104 5.7.3."""
    bandwidth = carrier.parameters["bandwidth_hz"]
    n_rb = LTE_N_RB[bandwidth]
    side = float(rng.choice([-1, 1]))
    if rng.random() < 0.6:
        edge, room = n_rb * RB_HZ / 2, (bandwidth - n_rb * RB_HZ) / 2
        return carrier.offset_hz + side * (edge + float(rng.uniform(0.5 * RB_HZ, room - 0.5 * RB_HZ))), "guard"
    block = int(rng.integers(4, n_rb // 2 - 1))
    # The empty subcarrier in the middle moves all blocks by half a subcarrier.
    return carrier.offset_hz + side * ((block + 0.5) * RB_HZ + 7.5e3), "inband"


_DRAWS: dict[str, Callable[[np.random.Generator, float], list[list[Emission]]]] = {
    "everyday": _everyday,
    "idle": _idle,
    "packed_idle": _packed_idle,
    "full_nr": _full_nr,
    "uplink": _uplink,
    "sidelink": _sidelink,
    "with_nbiot": _with_nbiot,
}
