# SPDX-License-Identifier: GPL-3.0-or-later
"""Spectrum as it is found: nothing, one carrier, neighbours, a crowd, their uplinks, and what else is on the air."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from ..channel import fading
from ..channel.noise import Noise
from ..grid import SUBCARRIERS_PER_RB
from ..lte import downlink as lte
from ..nr import downlink as nr
from ..receiver.receiver import Receiver
from .scene import CARRIERS, Emission, PropagationPath, Reception, Scene

SITUATIONS = {"noise": 0.07, "others": 0.08, "one": 0.2, "packed": 0.25, "scattered": 0.4}

CARRIER_KINDS = {"lte": 0.44, "nr": 0.44, "dss": 0.04, "lte_uplink": 0.04, "nr_uplink": 0.04}
"""Kind of a carrier -> fraction. Uplinks of TDD cells come on top, beside their downlinks."""

TDD_UPLINK_CHANCE = 0.4
"""How often terminals of a TDD cell are received in its uplink subframes."""

LTE_BANDWIDTHS = {1.4e6: 0.04, 3e6: 0.04, 5e6: 0.15, 10e6: 0.27, 15e6: 0.18, 20e6: 0.32}
NR_BANDWIDTHS = {
    15e3: {5e6: 0.1, 10e6: 0.2, 15e6: 0.15, 20e6: 0.25, 25e6: 0.05, 30e6: 0.08, 40e6: 0.1, 50e6: 0.07},
    30e3: {10e6: 0.08, 15e6: 0.05, 20e6: 0.18, 30e6: 0.1, 40e6: 0.24, 50e6: 0.1, 60e6: 0.07, 80e6: 0.08, 100e6: 0.1},
}
"""Channel bandwidth (Hz) -> fraction, per subcarrier spacing (Hz) for NR."""
DSS_BANDWIDTHS = {5e6: 0.1, 10e6: 0.5, 15e6: 0.2, 20e6: 0.2}

OTHER_KINDS = {
    "gsm": 0.18,
    "wcdma": 0.1,
    "band_noise": 0.05,
    "flat_ofdm": 0.18,
    "wifi": 0.13,
    "radar": 0.08,
    "tone": 0.1,
    "fm": 0.06,
    "bluetooth": 0.05,
    "lora": 0.04,
    "impulses": 0.03,
}
FADED_KINDS = ("gsm", "wcdma", "band_noise", "flat_ofdm", "wifi")

WEAKEST_DB, STRONGEST_DB = -8.0, 45.0


def draw(
    rng: np.random.Generator,
    rate: float,
    duration_s: float,
    weakest_db: float = WEAKEST_DB,
    strongest_db: float = STRONGEST_DB,
    situations: Mapping[str, float] = SITUATIONS,
) -> Scene:
    """A scene of one of the situations, given with their fractions.

    Args:
        rng: numpy Generator.
        rate: sample rate, Hz.
        duration_s: whole milliseconds, in seconds.
        weakest_db, strongest_db: limits of the transmissions' SNR.
        situations: names of `SITUATIONS`, or "crowded", -> fraction.
    """
    situation = choose(rng, situations)
    if situation == "one":
        carriers = [filling_carrier(rng, rate)]
    elif situation == "packed":
        carriers = _packed_carriers(rng, rate)
    elif situation == "scattered":
        carriers = scattered_carriers(rng, rate)
    elif situation == "crowded":
        carriers = _crowded_carriers(rng, rate)
    else:
        carriers = []
    n_others = {"noise": 0, "others": int(rng.integers(1, 4))}.get(situation, int(rng.choice([0, 0, 0, 1, 1, 2])))
    interferers = [other(rng, rate, carriers) for _ in range(n_others)]
    if situation == "one" and rng.random() < 0.3:
        return cabled(rng, rate, duration_s, carriers)
    return received(rng, rate, duration_s, carriers, interferers, (weakest_db, strongest_db))


def received(
    rng: np.random.Generator,
    rate: float,
    duration_s: float,
    carriers: Sequence[Emission],
    interferers: Sequence[Emission],
    limits: tuple[float, float],
) -> Scene:
    """A reception of carriers, of other transmissions, and of the uplinks that belong to the carriers.

    Args:
        limits: of the transmissions' SNR, dB.
    """
    paths = _paths(rng, carriers, limits) + _paths(rng, interferers, limits)
    uplinks, uplink_paths = _tdd_uplinks(rng, carriers, paths, limits)
    reception = Reception([*paths, *uplink_paths], random_receiver(rng), random_noise(rng))
    return Scene(rate, duration_s, 0, [*carriers, *interferers, *uplinks], reception)


def cabled(rng: np.random.Generator, rate: float, duration_s: float, carriers: Sequence[Emission]) -> Scene:
    """An encoder's output: no noise but the converter's, no channel."""
    receiver = Receiver(adc_bits=int(rng.choice([8, 8, 12, 16])), headroom_db=float(rng.uniform(10, 18)))
    emissions = [replace(emission, offset_hz=0.0) for emission in carriers]
    return Scene(rate, duration_s, 0, emissions, Reception([PropagationPath()], receiver, None))


def carrier(rng: np.random.Generator, kind: str, **parameters: Any) -> Emission:
    """A carrier at the centre, with a cell drawn around the given parameters."""
    cell = CARRIERS[kind].random(rng, **parameters)
    return Emission(
        kind, parameters=asdict(cell), early_s=float(rng.uniform(0, 1e-3)), ramp=float(rng.choice([0, 0.2, 0.5, 0.8]))
    )


def _any_carrier(rng, widest_hz):
    """A carrier of any kind and bandwidth up to `widest_hz` (or the narrowest)."""
    kind = choose(rng, CARRIER_KINDS)
    if kind.startswith("lte"):
        return carrier(rng, kind, bandwidth_hz=choose(rng, LTE_BANDWIDTHS, widest_hz))
    if kind == "dss":
        return carrier(rng, kind, bandwidth_hz=choose(rng, DSS_BANDWIDTHS, widest_hz))
    spacing = choose(rng, {15e3: 0.35, 30e3: 0.65}) if widest_hz >= 10e6 else 15e3
    return carrier(rng, kind, bandwidth_hz=choose(rng, NR_BANDWIDTHS[spacing], widest_hz), subcarrier_spacing=spacing)


def nearest(bandwidths: Iterable[float], wanted: float) -> float:
    """The bandwidth nearest to the wanted one, all in Hz."""
    return min(bandwidths, key=lambda bandwidth: abs(bandwidth - wanted))


def filling_carrier(rng: np.random.Generator, rate: float, kind: str | None = None) -> Emission:
    """One carrier, LTE or NR if its kind is not given, about in the middle, from half as wide as the span to far wider
    than it."""
    wanted = float(rng.uniform(0.5, 1.3) if rng.random() < 0.85 else rng.uniform(1.3, 4)) * rate
    kind = kind or str(rng.choice(["lte", "nr"]))
    spacing = 30e3 if wanted > 15e6 and rng.random() < 0.65 or wanted > 50e6 else 15e3
    bandwidths = lte.N_RB if kind == "lte" else nr.N_RB[spacing]
    parameters = {"bandwidth_hz": nearest(bandwidths, wanted)}
    if kind == "nr":
        parameters["subcarrier_spacing"] = spacing
    emission = carrier(rng, kind, **parameters)
    if rng.random() < 0.4:
        emission.offset_hz = float(rng.normal(0, 0.05) * rate)
    return emission


def _packed_carriers(rng, rate):
    """Carriers side by side, mostly without guard, as operators' blocks lie; the outer ones may leave the span."""
    emissions = []
    position = float(rng.uniform(-0.65, -0.2)) * rate
    count = int(rng.integers(2, 6))
    for _ in range(count):
        emission = _any_carrier(rng, 1.6 * rate / count)
        bandwidth = emission.parameters["bandwidth_hz"]
        emission.offset_hz = position + bandwidth / 2
        position += bandwidth + (float(rng.uniform(0, 0.1)) * rate if rng.random() < 0.25 else 0.0)
        emissions.append(emission)
        if position > 0.45 * rate:
            break
    return emissions


def scattered_carriers(rng: np.random.Generator, rate: float) -> list[Emission]:
    """Carriers anywhere, some partly outside the span; they seldom overlap."""
    emissions: list[Emission] = []
    taken: list[tuple[float, float]] = []
    count = int(rng.choice([1, 2, 3, 4, 5], p=[0.2, 0.25, 0.25, 0.15, 0.15]))
    for _ in range(count):
        emission = _any_carrier(rng, rate * min(1.0, 1.5 / count))
        half = emission.parameters["bandwidth_hz"] / 2
        reach = rate / 2 if rng.random() < 0.2 else max(rate / 2 - half, 0.1 * rate)
        tries = rng.uniform(-reach, reach, 10)
        free = [center for center in tries if all(abs(center - other) >= half + width for other, width in taken)]
        if not free and rng.random() < 0.9:
            continue
        emission.offset_hz = float((free or tries)[0])
        taken.append((emission.offset_hz, half))
        emissions.append(emission)
    return emissions


def _crowded_carriers(rng, rate):
    """Carriers whose occupied bands are less than a MHz apart, many of the NR ones with little traffic."""
    emissions = []
    position = float(rng.uniform(-0.55, -0.2)) * rate
    count = int(rng.integers(2, 7))
    for _ in range(count):
        emission = _any_carrier(rng, 1.6 * rate / count)
        if emission.kind == "nr" and rng.random() < 0.5:
            emission.parameters |= little_traffic(rng)
        occupied = _occupied_hz(emission)
        emission.offset_hz = position + occupied / 2
        position += occupied + float(10 ** rng.uniform(5, 6))
        emissions.append(emission)
        if position > 0.45 * rate:
            break
    return emissions


def _occupied_hz(emission):
    """Width of a carrier's resource blocks together, Hz."""
    cell = CARRIERS[emission.kind](**emission.parameters)
    return cell.n_rb * SUBCARRIERS_PER_RB * emission.parameters.get("subcarrier_spacing", 15e3)


def little_traffic(rng: np.random.Generator) -> dict[str, Any]:
    """Parameters of a lightly loaded NR downlink."""
    if rng.random() < 0.4:
        return {"style": "ssb_only"}
    load = float(10 ** rng.uniform(-2, -0.7))
    return {"style": "bursty", "load": load, "duty": float(rng.uniform(load, 1))}


def _paths(rng, emissions, limits):
    """Paths of some emissions within limits of SNR in dB: the first of any level, the others within 10 dB below it in
    half of the scenes, within 40 dB in the rest; a channel for most of those that can have one."""
    weakest_db, highest_db = limits
    strongest_db = float(rng.uniform(max(weakest_db, -5), highest_db))
    spread = 10 if rng.random() < 0.5 else 40
    paths = []
    for index, emission in enumerate(emissions):
        power_db = max(strongest_db - (float(rng.uniform(0, spread)) if index else 0.0), weakest_db)
        has_channel = emission.kind in CARRIERS or emission.kind in FADED_KINDS
        paths.append(PropagationPath(power_db, random_channel(rng) if has_channel else None))
    return paths


def _tdd_uplinks(rng, carriers, paths, limits):
    """Uplinks of the TDD cells among the carriers, and their paths."""
    emissions, uplink_paths = [], []
    for downlink, path in zip(carriers, paths):
        is_tdd = (downlink.parameters.get("tdd_config"), downlink.parameters.get("tdd_pattern")) != (None, None)
        if downlink.kind not in ("lte", "nr") or not is_tdd or rng.random() >= TDD_UPLINK_CHANCE:
            continue
        cell = CARRIERS[f"{downlink.kind}_uplink"].random(rng, **_uplink_parameters(rng, downlink))
        emissions.append(replace(downlink, kind=f"{downlink.kind}_uplink", parameters=asdict(cell)))
        power_db = float(np.clip(path.power_db + rng.normal(-5, 10), *limits))
        uplink_paths.append(PropagationPath(power_db, random_channel(rng)))
    return emissions, uplink_paths


def _uplink_parameters(rng, downlink):
    """What the uplink of a TDD cell has from its downlink."""
    names = ["bandwidth_hz", "cell_id", "start_ms"]
    if downlink.kind == "lte":
        names += ["tdd_config", "special_subframe"]
        return {name: downlink.parameters[name] for name in names}
    names += ["subcarrier_spacing", "tdd_pattern"]
    most = max(0, 13 - downlink.parameters["special_symbols"])
    return {**{name: downlink.parameters[name] for name in names}, "special_symbols": int(rng.integers(most + 1))}


def random_channel(rng: np.random.Generator) -> dict[str, Any] | None:
    """No channel for one in four; else any profile and speed."""
    if rng.random() < 0.25:
        return None
    doppler = 0.0 if rng.random() < 0.3 else float(10 ** rng.uniform(0, np.log10(300)))
    return {
        "profile": str(rng.choice(list(fading.PROFILES))),
        "doppler_hz": doppler,
        "delay_spread_s": float(10 ** rng.uniform(-8, -6)),
    }


def random_noise(rng: np.random.Generator) -> Noise:
    """A floor that is flat in most scenes, tilted or coloured in the others."""
    if rng.random() < 0.75:
        return Noise()
    return Noise(
        tilt_db=float(rng.normal(0, 2)),
        colour_db=float(rng.choice([0.0, rng.uniform(0.3, 2.5)])),
        colour_periods=float(rng.uniform(0.5, 4)),
        colour_phase=float(rng.uniform(0, 2 * np.pi)),
    )


def random_receiver(rng: np.random.Generator) -> Receiver:
    """From a laboratory's to a cheap dongle's."""
    leak_db = rng.uniform(-70, -15) if rng.random() < 0.85 else rng.uniform(-15, 10)
    return Receiver(
        frequency_error_hz=float(rng.normal(0, 2e3)) if rng.random() < 0.5 else 0.0,
        clock_error_ppm=float(np.clip(rng.normal(0, 10), -50, 50)) if rng.random() < 0.1 else 0.0,
        phase_noise_dbc=float(rng.uniform(-110, -85)) if rng.random() < 0.4 else None,
        im3_dbc=float(rng.uniform(-60, -25)) if rng.random() < 0.1 else None,
        iq_gain_db=float(rng.normal(0, 0.3)),
        iq_phase_deg=float(rng.normal(0, 1.5)),
        dc_dbc=float(leak_db) if rng.random() < 0.7 else None,
        dc_phase=float(rng.uniform(0, 2 * np.pi)),
        rolloff=float(rng.uniform(0.75, 1.0)) if rng.random() < 0.6 else 1.0,
        stop_db=-float(rng.choice([3, 10, 20, 40], p=[0.4, 0.3, 0.2, 0.1])),
        tilt_db=float(rng.normal(0, 2)) if rng.random() < 0.3 else 0.0,
        ripple_db=float(rng.uniform(0, 0.8)) if rng.random() < 0.3 else 0.0,
        ripple_periods=float(rng.uniform(1, 8)),
        ripple_phase=float(rng.uniform(0, 2 * np.pi)),
        gain_steps=gain_steps(rng) if rng.random() < 0.06 else [],
        lost_s=float(10 ** rng.uniform(-5, -2.5)) if rng.random() < 0.04 else 0.0,
        lost_at=float(rng.uniform(0.05, 0.9)),
        adc_bits=int(rng.choice([8, 10, 12, 14, 16])),
        headroom_db=float(rng.uniform(10, 20) if rng.random() < 0.9 else rng.uniform(4, 10)),
    )


def gain_steps(rng: np.random.Generator) -> list[list[float]]:
    """One to three steps of an automatic gain control."""
    times = np.sort(rng.uniform(0.05, 0.95, int(rng.integers(1, 4))))
    return [[float(time), float(rng.choice([-10, -6, -3, -1, 1, 3, 6, 10]))] for time in times]


def other(rng: np.random.Generator, rate: float, carriers: Sequence[Emission]) -> Emission:
    """A transmission of class `other`, in most cases centred where no carrier is."""
    kind = choose(rng, OTHER_KINDS)
    return Emission(kind, _free_offset(rng, rate, carriers), other_parameters(rng, kind))


def other_parameters(rng: np.random.Generator, kind: str) -> dict[str, Any]:
    """Draw the parameters of a transmission of class `other`."""
    return _OTHER_PARAMETERS[kind](rng)


def _free_offset(rng, rate, carriers):
    """An offset (Hz) in the span, in four cases of five outside the nominal bands of some carriers."""
    offsets = rng.uniform(-0.48, 0.48, 20) * rate
    free = [
        offset
        for offset in offsets
        if all(abs(offset - other.offset_hz) > other.parameters["bandwidth_hz"] / 2 for other in carriers)
    ]
    return float((free if free and rng.random() < 0.8 else offsets)[0])


def _gsm_parameters(rng):
    fraction = 1.0 if rng.random() < 0.4 else rng.uniform(0.15, 0.9)
    slots = rng.random(8) < fraction
    slots[int(rng.integers(8))] = True
    return {"slots_on": slots.tolist()}


def _wcdma_parameters(rng):
    return {"load": float(rng.uniform(0, 1)), "scrambling_code": int(rng.integers(512))}


def _fm_parameters(rng):
    if rng.random() < 0.6:
        return {"deviation_hz": 75e3, "audio_hz": 15e3}
    return {"deviation_hz": 2.5e3, "audio_hz": 3e3}


def _tone_parameters(rng):
    """Half of them still, the others drifting, or sweeping a few MHz."""
    drift = float(rng.choice([0.0, rng.normal(0, 1e6), rng.normal(0, 1e8)], p=[0.5, 0.3, 0.2]))
    return {"drift_hz_per_s": drift, "sweep_hz": float(rng.uniform(2e6, 12e6)) if abs(drift) > 1e7 else 0.0}


def _band_noise_parameters(rng):
    return {"symbol_rate": float(10 ** rng.uniform(5.3, 7)), "rolloff": float(rng.uniform(0.05, 0.35))}


def _flat_ofdm_parameters(rng):
    """Two in three as DVB-T, the others of any width and spacing."""
    guard = float(rng.choice([1 / 4, 1 / 8, 1 / 16, 1 / 32]))
    if rng.random() < 0.65:
        bandwidth = float(rng.choice([5e6, 6e6, 7e6, 8e6])) * 7.61 / 8
        return {"bandwidth_hz": bandwidth, "n_subcarriers": int(rng.choice([1705, 6817])), "guard": guard}
    bandwidth = float(10 ** rng.uniform(6, 7.4))
    n_subcarriers = max(24, int(bandwidth / 10 ** rng.uniform(3, 5)))
    return {
        "bandwidth_hz": bandwidth,
        "n_subcarriers": n_subcarriers,
        "guard": guard,
        "pilot_boost_db": float(rng.choice([0, 0, 2.5])),
    }


def _wifi_parameters(rng):
    return {"bandwidth_hz": float(rng.choice([20e6, 40e6], p=[0.7, 0.3])), "busy": float(rng.uniform(0.05, 0.9))}


def _radar_parameters(rng):
    pulse = float(10 ** rng.uniform(-6, -4.1))
    interval = float(max(10 ** rng.uniform(-3.7, -2.5), 3 * pulse))
    staggered = [interval, interval * float(rng.uniform(1.05, 1.5))]
    return {
        "pulse_s": pulse,
        "interval_s": staggered if rng.random() < 0.3 else interval,
        "sweep_hz": float(rng.uniform(0.5e6, 8e6)) if rng.random() < 0.7 else 0.0,
    }


def _bluetooth_parameters(rng):
    return {
        "load": float(rng.uniform(0.1, 1)),
        "n_channels": int(rng.choice([20, 40, 79])),
        "address": int(rng.integers(1 << 28)),
    }


def _lora_parameters(rng):
    return {
        "spreading_factor": int(rng.integers(7, 13)),
        "bandwidth_hz": float(rng.choice([125e3, 250e3, 500e3])),
        "n_symbols": int(rng.integers(8, 60)),
        "pause_s": float(10 ** rng.uniform(-2.5, -1)),
        "delay_s": float(rng.uniform(0, 0.05)),
        "address": int(rng.integers(1 << 28)),
    }


def _impulses_parameters(rng):
    return {
        "bandwidth_hz": float(10 ** rng.uniform(7, 7.9)),
        "interval_s": float(10 ** rng.uniform(-3.3, -2)),
        "burst_s": float(10 ** rng.uniform(-6, -4.7)),
        "regular": bool(rng.random() < 0.4),
    }


_OTHER_PARAMETERS = {
    "gsm": _gsm_parameters,
    "wcdma": _wcdma_parameters,
    "fm": _fm_parameters,
    "tone": _tone_parameters,
    "band_noise": _band_noise_parameters,
    "flat_ofdm": _flat_ofdm_parameters,
    "wifi": _wifi_parameters,
    "radar": _radar_parameters,
    "bluetooth": _bluetooth_parameters,
    "lora": _lora_parameters,
    "impulses": _impulses_parameters,
}


def choose(rng: np.random.Generator, fractions: Mapping, limit: float | None = None) -> Any:
    """A key drawn by its fraction; with a limit, of the keys up to it (the smallest key if all are above it)."""
    keys = [key for key in fractions if limit is None or key <= limit] or [min(fractions)]
    weights = np.array([fractions[key] for key in keys])
    return keys[int(rng.choice(len(keys), p=weights / weights.sum()))]
