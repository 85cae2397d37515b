# SPDX-License-Identifier: GPL-3.0-or-later
"""Presets: scenes drawn at random. The same preset and seed give the same scene."""
from dataclasses import asdict, replace

import numpy as np

from ..errors import ParameterError
from . import fading, lte, nr
from .receiver import Receiver
from .scene import BLOCK_S, CARRIERS, Emission, Scene, generator

PRESETS = ("any_rate", "wideband", "published", "demo")

ANY_RATES = {61.44e6: 0.48, 46.08e6: 0.07, 30.72e6: 0.12, 23.04e6: 0.07, 19.2e6: 0.05, 15.36e6: 0.04, 122.88e6: 0.03,
             11.52e6: 0.06, 7.68e6: 0.04, 5.76e6: 0.04}
"""Sample rate (Hz) -> share of the scenes of preset `any_rate`."""

LTE_BANDWIDTHS = {1.4e6: 0.04, 3e6: 0.04, 5e6: 0.15, 10e6: 0.27, 15e6: 0.18, 20e6: 0.32}
NR_BANDWIDTHS = {
    15e3: {5e6: 0.1, 10e6: 0.2, 15e6: 0.15, 20e6: 0.25, 25e6: 0.05, 30e6: 0.08, 40e6: 0.1, 50e6: 0.07},
    30e3: {10e6: 0.08, 15e6: 0.05, 20e6: 0.18, 30e6: 0.1, 40e6: 0.24, 50e6: 0.1, 60e6: 0.07, 80e6: 0.08, 100e6: 0.1},
}
"""Channel bandwidth (Hz) -> share, per subcarrier spacing (Hz) for NR."""

PUBLISHED_LTE_BANDWIDTHS = (5e6, 10e6, 15e6, 20e6)
PUBLISHED_NR_BANDWIDTHS = (10e6, 15e6, 20e6, 25e6, 30e6, 40e6, 50e6)


def random_scene(preset, seed, duration_s=None):
    """Draw a scene.

    Args:
        preset: `any_rate` (all there is, at 5.76 to 122.88 Msps), `wideband` (the same at 61.44 Msps), `published`
            (the data of the RPMSN paper: one LTE or NR carrier or one of each), `demo` (one fixed scene, in which
            the seed only changes contents and noise).
        seed: whole number from 0 on; the same seed gives the same scene.
        duration_s: whole milliseconds; the preset's if not given (40 ms, in `any_rate` now and then less).

    Raises:
        ParameterError: no such preset.
    """
    if preset not in PRESETS:
        raise ParameterError(f"preset {preset!r} is unknown; choose one of {', '.join(PRESETS)}")
    draw = {"any_rate": _any_rate, "wideband": _wideband, "published": _published, "demo": _demo}[preset]
    scene = draw(generator(seed, f"scene {preset}"))
    for index, emission in enumerate(scene.emissions):
        emission.seed = int(generator(seed, "emission", index).integers(1 << 32))
    if duration_s is not None:
        scene = replace(scene, duration_s=duration_s)
    # Through plain numbers, so that a scene read from a file is equal to this one.
    return Scene.from_dict({**scene.to_dict(), "seed": int(seed)})


def _any_rate(rng):
    rate = _choose(rng, ANY_RATES)
    is_short = rate >= 15.36e6 and rng.random() < 0.1
    return _everyday(rng, rate, float(rng.choice([0.006, 0.01, 0.02])) if is_short else BLOCK_S)


def _wideband(rng):
    return _everyday(rng, 61.44e6, BLOCK_S)


def _everyday(rng, rate, duration_s):
    """Spectrum as it is found: nothing, one carrier, neighbours, a crowd, and what else is on the air."""
    situation = _choose(rng, {"noise": 0.07, "others": 0.08, "one": 0.2, "packed": 0.25, "scattered": 0.4})
    if situation == "one":
        carriers = [_filling_carrier(rng, rate)]
    elif situation == "packed":
        carriers = _packed_carriers(rng, rate)
    elif situation == "scattered":
        carriers = _scattered_carriers(rng, rate)
    else:
        carriers = []
    n_others = {"noise": 0, "others": int(rng.integers(1, 4))}.get(situation, int(rng.choice([0, 0, 0, 1, 1, 2])))
    strangers = [_other(rng, rate, carriers) for _ in range(n_others)]
    _set_levels(rng, carriers)
    _set_levels(rng, strangers)
    if situation == "one" and rng.random() < 0.3:
        return _cabled(rng, Scene(rate, duration_s, 0, carriers))
    return Scene(rate, duration_s, 0, carriers + strangers, _random_receiver(rng))


def _cabled(rng, scene):
    """An encoder's output: no noise but the converter's, no channel."""
    receiver = Receiver(adc_bits=int(rng.choice([8, 8, 12, 16])), headroom_db=float(rng.uniform(10, 18)))
    emissions = [replace(emission, channel=None, offset_hz=0.0) for emission in scene.emissions]
    return replace(scene, emissions=emissions, receiver=receiver, noise=False)


def _carrier(rng, kind, channel=None, **parameters):
    """An LTE or NR carrier at the centre, with a cell drawn round the parameters given."""
    cell = CARRIERS[kind].random(rng, **parameters)
    return Emission(kind, parameters=asdict(cell), channel=channel, early_s=float(rng.uniform(0, 1e-3)),
                    ramp=float(rng.choice([0, 0.2, 0.5, 0.8])))


def _any_carrier(rng, widest_hz):
    """A carrier of any technology and bandwidth up to `widest_hz`."""
    kind = str(rng.choice(["lte", "nr"]))
    if kind == "lte":
        return _carrier(rng, kind, _random_channel(rng), bandwidth_hz=_choose(rng, LTE_BANDWIDTHS, widest_hz))
    spacing = _choose(rng, {15e3: 0.35, 30e3: 0.65}) if widest_hz >= 10e6 else 15e3
    bandwidth = _choose(rng, NR_BANDWIDTHS[spacing], widest_hz)
    return _carrier(rng, kind, _random_channel(rng), bandwidth_hz=bandwidth, subcarrier_spacing=spacing)


def _filling_carrier(rng, rate):
    """One carrier about in the middle, from half as wide as the span to far wider than it."""
    wanted = float(rng.uniform(0.5, 1.3) if rng.random() < 0.85 else rng.uniform(1.3, 4)) * rate
    kind = str(rng.choice(["lte", "nr"]))
    spacing = 30e3 if wanted > 15e6 and rng.random() < 0.65 or wanted > 50e6 else 15e3
    bandwidths = lte.N_RB if kind == "lte" else nr.N_RB[spacing]
    parameters = {"bandwidth_hz": min(bandwidths, key=lambda bandwidth: abs(bandwidth - wanted))}
    if kind == "nr":
        parameters["subcarrier_spacing"] = spacing
    emission = _carrier(rng, kind, _random_channel(rng), **parameters)
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


def _scattered_carriers(rng, rate):
    """Carriers anywhere, partly outside the span now and then; they hardly ever overlap."""
    emissions, taken = [], []
    count = int(rng.choice([1, 2, 3, 4, 5], p=[.2, .25, .25, .15, .15]))
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


def _set_levels(rng, emissions):
    """Powers: the first at random, the others within 10 dB below it in half of the scenes, within 40 dB in the rest."""
    strongest_db = float(rng.uniform(-5, 45))
    spread = 10 if rng.random() < 0.5 else 40
    for index, emission in enumerate(emissions):
        emission.power_db = max(strongest_db - (float(rng.uniform(0, spread)) if index else 0.0), -8.0)


def _random_channel(rng):
    """No channel for one in four; else any profile and speed."""
    if rng.random() < 0.25:
        return None
    doppler = 0.0 if rng.random() < 0.3 else float(10 ** rng.uniform(0, np.log10(300)))
    return {"profile": str(rng.choice(list(fading.PROFILES))), "doppler_hz": doppler,
            "delay_spread_s": float(10 ** rng.uniform(-8, -6))}


def _random_receiver(rng):
    """From a laboratory's to a cheap dongle's."""
    leak_db = rng.uniform(-70, -15) if rng.random() < 0.85 else rng.uniform(-15, 10)
    return Receiver(
        frequency_error_hz=float(rng.normal(0, 2e3)) if rng.random() < 0.5 else 0.0,
        phase_noise_dbc=float(rng.uniform(-110, -85)) if rng.random() < 0.4 else None,
        iq_gain_db=float(rng.normal(0, 0.3)),
        iq_phase_deg=float(rng.normal(0, 1.5)),
        dc_dbc=float(leak_db) if rng.random() < 0.7 else None,
        dc_phase=float(rng.uniform(0, 2 * np.pi)),
        rolloff=float(rng.uniform(0.75, 1.0)) if rng.random() < 0.6 else 1.0,
        stop_db=-float(rng.choice([3, 10, 20, 40], p=[.4, .3, .2, .1])),
        tilt_db=float(rng.normal(0, 2)) if rng.random() < 0.3 else 0.0,
        ripple_db=float(rng.uniform(0, 0.8)) if rng.random() < 0.3 else 0.0,
        ripple_periods=float(rng.uniform(1, 8)),
        ripple_phase=float(rng.uniform(0, 2 * np.pi)),
        gain_step_db=float(rng.choice([-10, -5, -2, 2, 5, 10])) if rng.random() < 0.05 else 0.0,
        gain_step_at=float(rng.uniform(0.1, 0.9)),
        adc_bits=int(rng.choice([8, 10, 12, 14, 16])),
        headroom_db=float(rng.uniform(10, 20) if rng.random() < 0.9 else rng.uniform(4, 10)))


def _other(rng, rate, carriers):
    """A transmission of class `other`, in most cases centred where no carrier is."""
    offsets = rng.uniform(-0.48, 0.48, 20) * rate
    free = [offset for offset in offsets
            if all(abs(offset - other.offset_hz) > other.parameters["bandwidth_hz"] / 2 for other in carriers)]
    offset = float((free if free and rng.random() < 0.8 else offsets)[0])
    kind = _choose(rng, {"gsm": 0.2, "band_noise": 0.15, "flat_ofdm": 0.2, "wifi": 0.15, "radar": 0.1, "tone": 0.12,
                         "fm": 0.08})
    channel = _random_channel(rng) if kind in ("gsm", "band_noise", "flat_ofdm", "wifi") else None
    return Emission(kind, offset, 0.0, _OTHER_PARAMETERS[kind](rng), channel)


def _gsm_parameters(rng):
    share = 1.0 if rng.random() < 0.4 else rng.uniform(0.15, 0.9)
    slots = rng.random(8) < share
    slots[int(rng.integers(8))] = True
    return {"slots_on": slots.tolist()}


def _fm_parameters(rng):
    if rng.random() < 0.6:
        return {"deviation_hz": 75e3, "audio_hz": 15e3}
    return {"deviation_hz": 2.5e3, "audio_hz": 3e3}


def _tone_parameters(rng):
    drift = rng.choice([0.0, rng.normal(0, 1e6), rng.normal(0, 1e8)], p=[.5, .3, .2])
    return {"drift_hz_per_s": float(drift)}


def _band_noise_parameters(rng):
    if rng.random() < 0.6:
        return {"symbol_rate": 3.84e6, "rolloff": 0.22}
    return {"symbol_rate": float(10 ** rng.uniform(5.3, 7)), "rolloff": float(rng.uniform(0.05, 0.35))}


def _flat_ofdm_parameters(rng):
    """Two in three as DVB-T, the others of any width and spacing."""
    guard = float(rng.choice([1 / 4, 1 / 8, 1 / 16, 1 / 32]))
    if rng.random() < 0.65:
        bandwidth = float(rng.choice([5e6, 6e6, 7e6, 8e6])) * 7.61 / 8
        return {"bandwidth_hz": bandwidth, "n_subcarriers": int(rng.choice([1705, 6817])), "guard": guard}
    bandwidth = float(10 ** rng.uniform(6, 7.4))
    n_subcarriers = max(24, int(bandwidth / 10 ** rng.uniform(3, 5)))
    return {"bandwidth_hz": bandwidth, "n_subcarriers": n_subcarriers, "guard": guard,
            "pilot_boost_db": float(rng.choice([0, 0, 2.5]))}


def _wifi_parameters(rng):
    return {"bandwidth_hz": float(rng.choice([20e6, 40e6], p=[.7, .3])), "busy": float(rng.uniform(0.05, 0.9))}


def _radar_parameters(rng):
    pulse = float(10 ** rng.uniform(-6, -4.1))
    return {"pulse_s": pulse, "interval_s": float(max(10 ** rng.uniform(-3.7, -2.5), 3 * pulse)),
            "sweep_hz": float(rng.uniform(0.5e6, 8e6)) if rng.random() < 0.7 else 0.0}


_OTHER_PARAMETERS = {"gsm": _gsm_parameters, "fm": _fm_parameters, "tone": _tone_parameters,
                     "band_noise": _band_noise_parameters, "flat_ofdm": _flat_ofdm_parameters,
                     "wifi": _wifi_parameters, "radar": _radar_parameters}


def _published(rng):
    """As the paper describes its data; its SNR is over the whole span and becomes one per occupied hertz here."""
    rate, snr_db = 61.44e6, float(rng.uniform(-10, 30))
    emissions = []
    for kind in (["lte"], ["nr"], ["lte", "nr"])[int(rng.integers(3))]:
        channel = {"profile": "flat", "doppler_hz": float(rng.uniform(0, 500)), "delay_spread_s": 0.0}
        if kind == "lte":
            load = float(rng.choice([0.05, rng.uniform(0.3, 1)]))
            emission = _carrier(rng, kind, channel, bandwidth_hz=float(rng.choice(PUBLISHED_LTE_BANDWIDTHS)),
                                tdd_config=None, load=load)
        else:
            bandwidth = float(rng.choice(PUBLISHED_NR_BANDWIDTHS))
            emission = _carrier(rng, kind, channel, bandwidth_hz=bandwidth, tdd_pattern=None, ssb_period_ms=20,
                                subcarrier_spacing=float(rng.choice([15e3, 30e3])), style="bursty",
                                load=float(rng.uniform(0.1, 0.5)), coreset=None, ssb_case=None, ssb_offset=None)
        bandwidth = emission.parameters["bandwidth_hz"]
        emission.offset_hz = float(rng.uniform(-1, 1) * (rate - bandwidth) / 2)
        emission.power_db = snr_db + 10 * float(np.log10(rate / bandwidth))
        emissions.append(emission)
    return Scene(rate, BLOCK_S, 0, emissions)


def _demo(rng):
    """A fixed, handsome scene at 61.44 Msps: three LTE and two NR carriers, and two of GSM."""
    pedestrian = {"profile": "EPA", "doppler_hz": 5.0, "delay_spread_s": 0.0}
    vehicle = {"profile": "TDL-A", "doppler_hz": 30.0, "delay_spread_s": 1e-7}

    def carrier(kind, offset_hz, power_db, channel, **parameters):
        return Emission(kind, offset_hz, power_db, asdict(CARRIERS[kind](**parameters)), channel, early_s=4e-4)

    emissions = [
        carrier("lte", -20.1e6, 27.0, vehicle, bandwidth_hz=20e6, cell_id=88, load=0.75, users=5),
        carrier("lte", -5.1e6, 22.0, pedestrian, bandwidth_hz=10e6, cell_id=17, load=0.0, allocation="idle"),
        carrier("nr", 11.4e6, 25.0, pedestrian, bandwidth_hz=20e6, subcarrier_spacing=30e3, cell_id=500,
                tdd_pattern="DDDSU", load=0.6, users=3, ssb_offset=60, beams=((0, 0.0), (1, -4.0), (2, -9.0))),
        carrier("lte", 23.9e6, 18.0, None, bandwidth_hz=5e6, cell_id=301, load=0.3, allocation="localised"),
        carrier("nr", 28.9e6, 20.0, None, bandwidth_hz=5e6, subcarrier_spacing=15e3, cell_id=733, load=0.9),
        Emission("gsm", 0.65e6, 30.0),
        Emission("gsm", -30.5e6, 26.0, {"slots_on": [True, False, True, True, False, False, True, False]}),
    ]
    receiver = Receiver(dc_dbc=-32.0, dc_phase=0.7, iq_gain_db=0.05, iq_phase_deg=0.3, adc_bits=12, headroom_db=13.0)
    return Scene(61.44e6, BLOCK_S, 0, emissions, receiver)


def _choose(rng, shares, limit=None):
    """A key drawn by its share; with a limit, of the keys up to it (the smallest key if there is none)."""
    keys = [key for key in shares if limit is None or key <= limit] or [min(shares)]
    weights = np.array([shares[key] for key in keys])
    return keys[int(rng.choice(len(keys), p=weights / weights.sum()))]
