# SPDX-License-Identifier: GPL-3.0-or-later
"""What is neither LTE nor NR and looks like it: alone, and beside cells; received by radios as they are sold.

A group is what one operator or one network sends: carriers side by side, a network's packets, one link.
"""

from collections.abc import Callable

import numpy as np

from ..other.broadcast import T2_GUARDS
from ..other.wireless_lan import GENERATIONS
from . import cells, everyday, radios
from .scene import CARRIERS, Emission, PropagationPath, Reception, Scene

GROUPS = {
    "private_ofdm": 0.3,
    "wlan": 0.2,
    "gsm": 0.16,
    "wcdma": 0.1,
    "broadcast": 0.1,
    "nbiot": 0.05,
    "everyday": 0.09,
}
"""Kind of group -> fraction."""
NOISE_FRACTION = 0.05
"""Scenes of `lookalikes` with nothing on the air."""
LIMITS_DB = (-3.0, 35.0)
"""SNR of a group."""
LTE_LIKE_FRACTION = 0.55
"""Private OFDM with the subcarrier spacings and prefixes of LTE and NR."""
LTE_LIKE_SPACINGS = {15e3: 0.5, 30e3: 0.3, 60e3: 0.2}
LTE_LIKE_WIDTHS_HZ = (1.08e6, 1.4e6, 2.7e6, 4.5e6, 9e6, 13.5e6, 18e6, 19.8e6, 36e6)
FRAMES_S = (0.001, 0.002, 0.004, 0.005, 0.008, 0.01, 0.02, 0.04)
GSM_RASTER_HZ, MOST_GSM = 200e3, 14
WCDMA_RASTER_HZ = 5e6
DAB_RASTER_HZ = 1.712e6
FADED = (*everyday.FADED_KINDS, "private_ofdm", "wlan", "dab", "dvb_t2", "prach")
TRIES = 20

Group = list[Emission]


def draw(rng: np.random.Generator, duration_s: float) -> Scene:
    """A scene without LTE and NR.

    Args:
        rng: numpy Generator.
        duration_s: whole milliseconds, in seconds.
    """
    radio, rate = _radio(rng)
    count = 0 if rng.random() < NOISE_FRACTION else int(rng.choice([1, 2, 3, 4], p=[0.45, 0.3, 0.15, 0.1]))
    return _received(rng, rate, duration_s, radio, _spread(rng, rate, count, []))


def _radio(rng):
    """A radio and one of its sample rates, Hz."""
    radio = everyday.choose(rng, radios.RADIOS)
    return radio, everyday.choose(rng, radios.RATES[radio])


def draw_beside_cells(rng: np.random.Generator, duration_s: float) -> Scene:
    """A scene with cells of one of the kinds in `cells`, and in half of the scenes look-alikes beside them.

    Args:
        rng: numpy Generator.
        duration_s: whole milliseconds, in seconds.
    """
    radio, rate = _radio(rng)
    groups = cells.draw(rng, rate)
    taken = [_band(group) for group in groups]
    count = int(rng.choice([0, 1, 2, 3], p=[0.5, 0.3, 0.15, 0.05]))
    return _received(rng, rate, duration_s, radio, groups + _spread(rng, rate, count, taken))


def _received(rng, rate, duration_s, radio, groups):
    """A reception of groups; what belongs together arrives at about the same level."""
    emissions, paths = [], []
    for group in groups:
        power_db = float(rng.uniform(*LIMITS_DB))
        for index, emission in enumerate(group):
            apart_db = float(rng.normal(0, 3)) if index else 0.0
            has_channel = emission.kind in CARRIERS or emission.kind in FADED
            emissions.append(emission)
            paths.append(PropagationPath(power_db + apart_db, everyday.random_channel(rng) if has_channel else None))
    for emission, path in radios.spurs(rng, radio, rate):
        emissions.append(emission)
        paths.append(path)
    reception = Reception(paths, radios.receiver(rng, radio), everyday.random_noise(rng))
    return Scene(rate, duration_s, 0, emissions, reception)


def _spread(rng, rate, count, taken):
    """Groups at places of their own; where there is no room, in one case of ten on top of others."""
    groups, taken = [], list(taken)
    for _ in range(count):
        group = _GROUPS[everyday.choose(rng, GROUPS)](rng, rate)
        lower, upper = _band(group)
        half = (upper - lower) / 2
        reach = rate / 2 if rng.random() < 0.2 else max(rate / 2 - half, 0.1 * rate)
        tries = rng.uniform(-reach, reach, TRIES)
        free = [place for place in tries if all(place + half < low or place - half > high for low, high in taken)]
        if not free and rng.random() < 0.9:
            continue
        shift = float((free or tries)[0]) - (lower + upper) / 2
        for emission in group:
            emission.offset_hz += shift
        taken.append(_band(group))
        groups.append(group)
    return groups


def _band(group: Group) -> tuple[float, float]:
    """Lowest and highest frequency of a group, roughly, Hz."""
    halves = [_width(emission) / 2 for emission in group]
    lower = min(emission.offset_hz - half for emission, half in zip(group, halves))
    return lower, max(emission.offset_hz + half for emission, half in zip(group, halves))


def _width(emission):
    """Width of a transmission by its parameters, Hz."""
    parameters = emission.parameters
    if emission.kind == "private_ofdm":
        return parameters["n_subcarriers"] * parameters["subcarrier_spacing"]
    if emission.kind == "gsm_hopping":
        return ((parameters["n_channels"] - 1) * parameters["channel_step"] + 1) * GSM_RASTER_HZ
    return parameters.get(
        "bandwidth_hz", {"gsm": 2e5, "nbiot": 2e5, "wcdma": 4.5e6, "dab": 1.6e6}.get(emission.kind, 1e6)
    )


def _private_ofdm(rng, rate):
    """A drone's link or a private network."""
    is_lte_like = rng.random() < LTE_LIKE_FRACTION
    if is_lte_like:
        spacing = everyday.choose(rng, LTE_LIKE_SPACINGS)
        width = float(rng.choice(LTE_LIKE_WIDTHS_HZ))
    else:
        spacing, width = float(10 ** rng.uniform(3.3, 5.3)), float(10 ** rng.uniform(5.8, 7.6))
    parameters = {
        "subcarrier_spacing": spacing,
        "n_subcarriers": int(np.clip(width / spacing, 24, 4096)),
        "lte_prefixes": is_lte_like,
        "prefix": float(rng.choice([1 / 4, 1 / 8, 1 / 10, 1 / 14, 1 / 16, 1 / 32])),
        "frame_s": float(rng.choice(FRAMES_S)),
        "on_fraction": 1.0 if rng.random() < 0.4 else float(rng.uniform(0.1, 0.95)),
        "load": 1.0 if rng.random() < 0.5 else float(rng.beta(0.8, 1.2)),
        "preamble_symbols": int(rng.integers(0, 5)),
        "pilot_every": int(rng.choice([0, 0, 3, 4, 6, 8, 12])),
        "pilot_boost_db": float(rng.choice([0, 0, 2.5, 6])),
        "single_carrier": bool(rng.random() < 0.3),
        "dc_null": bool(rng.random() < 0.6),
    }
    return [Emission("private_ofdm", 0.0, parameters)]


def _wlan(rng, rate):
    """One network, or two on neighbouring channels."""
    count = 2 if rng.random() < 0.25 else 1
    group = []
    for index in range(count):
        generation = str(rng.choice(list(GENERATIONS), p=(0.25, 0.3, 0.25, 0.2)))
        widths = [width for width in GENERATIONS[generation] if width <= max(2 * rate, 20e6)]
        # Slow clocks are rare, and so are the widest channels.
        weights = {5e6: 0.1, 10e6: 0.15, 20e6: 1.0, 40e6: 0.7, 80e6: 0.5, 160e6: 0.1}
        parameters = {
            "generation": generation,
            "bandwidth_hz": everyday.choose(rng, {width: weights[width] for width in widths}),
            "busy": float(rng.choice([0.0, rng.uniform(0.02, 0.95)], p=[0.1, 0.9])),
            "mean_burst_s": float(10 ** rng.uniform(-4, -2.4)),
            "answer_db": float(np.clip(rng.normal(0, 8), -30, 30)),
        }
        group.append(Emission("wlan", 0.0, parameters))
        if index:
            group[1].offset_hz = sum(emission.parameters["bandwidth_hz"] for emission in group) / 2
    return group


def _gsm(rng, rate):
    """Channels of one operator: broadcast carriers at full power, traffic in slots, and some that hop over them all."""
    n_places = int(rng.integers(2, max(3, min(60, int(0.9 * rate / GSM_RASTER_HZ)))))
    is_used = rng.random(n_places) < rng.uniform(0.15, 1.0)
    chosen = (
        np.flatnonzero(is_used)[:MOST_GSM]
        if rng.random() < 0.6
        else rng.permutation(np.flatnonzero(is_used))[:MOST_GSM]
    )
    group = [
        Emission("gsm", float(place * GSM_RASTER_HZ), {"slots_on": [True] * 8})
        if rng.random() < 0.3
        else Emission("gsm", float(place * GSM_RASTER_HZ), everyday.other_parameters(rng, "gsm"))
        for place in chosen
    ]
    step = int(rng.integers(1, 4))
    n_hopped = min(64, (n_places - 1) // step + 1)
    n_hopping = int(rng.integers(1, 5)) if n_hopped > 2 and (rng.random() < 0.5 or not group) else 0
    for _ in range(n_hopping):
        parameters = everyday.other_parameters(rng, "gsm")
        parameters |= {"n_channels": n_hopped, "channel_step": step, "address": int(rng.integers(1 << 28))}
        group.append(Emission("gsm_hopping", (n_hopped - 1) / 2 * step * GSM_RASTER_HZ, parameters))
    return group or [Emission("gsm", 0.0, {"slots_on": [True] * 8})]


def _wcdma(rng, rate):
    """Carriers of one or two operators, 4.6 to 5.2 MHz apart."""
    raster = WCDMA_RASTER_HZ + float(rng.choice([-4e5, -2e5, 0, 0, 0, 2e5]))
    count = int(rng.integers(1, max(2, min(5, round(rate / raster) + 1))))
    return [Emission("wcdma", index * raster, everyday.other_parameters(rng, "wcdma")) for index in range(count)]


def _broadcast(rng, rate):
    """DAB ensembles, or DVB-T or T2 multiplexes, side by side."""
    kind = str(rng.choice(["dab", "dvb_t2", "flat_ofdm"], p=(0.35, 0.4, 0.25)))
    if kind == "dab":
        count = int(rng.integers(1, max(2, min(5, round(rate / DAB_RASTER_HZ)))))
        return [Emission("dab", index * DAB_RASTER_HZ, {}) for index in range(count)]
    bandwidth = float(rng.choice([5e6, 6e6, 7e6, 8e6], p=(0.1, 0.2, 0.2, 0.5)))
    count = int(rng.integers(1, max(2, min(4, round(rate / bandwidth) + 1))))
    if kind == "flat_ofdm":
        # DVB-T: EN 300 744 table 4.
        parameters = {"bandwidth_hz": bandwidth * 7.61 / 8, "n_subcarriers": int(rng.choice([1705, 6817]))}
        parameters["guard"] = float(rng.choice([1 / 4, 1 / 8, 1 / 16, 1 / 32]))
    else:
        n_fft = int(rng.choice([1024, 2048, 4096, 8192, 16384, 32768], p=(0.05, 0.1, 0.15, 0.2, 0.2, 0.3)))
        parameters = {"bandwidth_hz": bandwidth, "n_fft": n_fft, "guard": float(rng.choice(T2_GUARDS))}
        parameters |= {"frame_symbols": int(rng.integers(20, 200)), "pilot_every": int(rng.choice([12, 24, 48, 96]))}
    return [Emission(kind, index * bandwidth, dict(parameters)) for index in range(count)]


def _nbiot(rng, rate):
    """NB-IoT carriers of their own, in former GSM channels."""
    count = int(rng.integers(1, 4))
    return [
        Emission("nbiot", index * GSM_RASTER_HZ * int(rng.integers(1, 4)), cells.nbiot_parameters(rng, "standalone"))
        for index in range(count)
    ]


def _everyday(rng, rate):
    """Anything else that `everyday` knows."""
    emission = everyday.other(rng, rate, [])
    emission.offset_hz = 0.0
    return [emission]


_GROUPS: dict[str, Callable[[np.random.Generator, float], Group]] = {
    "private_ofdm": _private_ofdm,
    "wlan": _wlan,
    "gsm": _gsm,
    "wcdma": _wcdma,
    "broadcast": _broadcast,
    "nbiot": _nbiot,
    "everyday": _everyday,
}
