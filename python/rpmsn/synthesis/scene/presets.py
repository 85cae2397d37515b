# SPDX-License-Identifier: GPL-3.0-or-later
"""Presets: scenes drawn at random. The same preset and seed give the same scene, on every machine.

=================== ==============================================================================================
`any_rate`          all kinds of emissions, at 1.92 to 122.88 Msps
`wideband`          the same at 61.44 Msps, at SNRs of 0 to 30 dB per occupied Hz
`no_cellular`       none of it LTE or NR, at 61.44 Msps: noise alone, and other transmissions
`crowded`           carriers less than a MHz apart, many NR ones with little traffic, at 30.72 to 122.88 Msps
`quiet`             lightly loaded cells, as received or noise-free, and other transmissions, at 15.36 to
                    122.88 Msps
`refarmed`          an LTE or NR carrier and GSM carriers side by side beside it, at 15.36 to 61.44 Msps
`lookalikes`        what is neither LTE nor NR and looks like it, by radios as they are sold, at their rates (1.92
                    to 122.88 Msps)
`cells`             idle and fully loaded cells, terminals alone, NB-IoT, sidelink, half of them with look-alikes
                    beside them, by the same radios
`demo`              one fixed scene of cells that decode, in which the seed only changes contents and noise
`published`         training data of the RPMSN paper: one LTE or NR carrier
`published_test`    its test data: one of each
`published_clean`   its sibling set of 40, 50 and 100 dB
`stitched`          carriers out of recordings side by side at 61.44 Msps, for validation; needs `recordings`
=================== ==============================================================================================

`everyday` has the draws of the first four, `quiet` and `refarmed` their own, `lookalikes` those of the two after
them (with `cells` and `radios`), `published` those of the paper.
"""

from dataclasses import asdict, replace
from pathlib import Path

from ...errors import ParameterError
from ..channel.noise import Noise
from ..receiver.receiver import Receiver
from . import everyday, lookalikes, published, quiet, refarmed, stitched
from .scene import BLOCK_S, CARRIERS, Emission, PropagationPath, Reception, Scene, generator, rounded

ANY_RATES = {
    61.44e6: 0.40,
    122.88e6: 0.03,
    56e6: 0.02,
    50e6: 0.02,
    46.08e6: 0.05,
    30.72e6: 0.11,
    25e6: 0.02,
    23.04e6: 0.06,
    20e6: 0.03,
    19.2e6: 0.05,
    15.36e6: 0.04,
    11.52e6: 0.05,
    7.68e6: 0.03,
    5.76e6: 0.03,
    3.84e6: 0.02,
    2.4e6: 0.02,
    1.92e6: 0.02,
}
"""Sample rate (Hz) -> fraction of the scenes of preset `any_rate`."""

CROWDED_RATES = {61.44e6: 0.7, 30.72e6: 0.2, 122.88e6: 0.1}
"""The same of preset `crowded`."""

QUIET_RATES = {61.44e6: 0.4, 46.08e6: 0.15, 30.72e6: 0.2, 23.04e6: 0.15, 15.36e6: 0.05, 122.88e6: 0.05}
"""The same of preset `quiet`."""

REFARMED_RATES = {15.36e6: 0.15, 19.2e6: 0.25, 20e6: 0.15, 23.04e6: 0.15, 30.72e6: 0.2, 61.44e6: 0.1}
"""The same of preset `refarmed`."""

PRESETS = (
    "any_rate",
    "wideband",
    "no_cellular",
    "crowded",
    "quiet",
    "refarmed",
    "lookalikes",
    "cells",
    "demo",
    "published",
    "published_test",
    "published_clean",
    "stitched",
)


def random_scene(
    preset: str,
    seed: int,
    duration_s: float | None = None,
    sample_rates: tuple[float, float] | None = None,
    recordings: str | Path | None = None,
) -> Scene:
    """Draw a scene.

    Args:
        preset: a name of `PRESETS`.
        seed: whole number from 0 on; the same seed gives the same scene.
        duration_s: whole milliseconds; the preset's if not given (40 ms, in `any_rate` sometimes less).
        sample_rates: (lowest, highest) in Hz, `any_rate` only: keep to the rates between them.
        recordings: folder of SigMF recordings with annotations, `stitched` only.

    Returns:
        `Scene`, its numbers rounded to six digits.

    Raises:
        ParameterError: no such preset, or an argument that it cannot use or has to have.
    """
    if preset not in PRESETS:
        raise ParameterError(f"preset {preset!r} is unknown; choose one of {', '.join(PRESETS)}")
    _check_arguments(preset, sample_rates, recordings)
    rng = generator(seed, f"scene {preset}")
    if preset == "stitched" and recordings is not None:
        scene = stitched.draw(rng, recordings)
    elif preset == "any_rate":
        scene = _any_rate(rng, sample_rates)
    else:
        scene = _DRAWS[preset](rng)
    for index, emission in enumerate(scene.emissions):
        emission.seed = int(generator(seed, "emission", index).integers(1 << 32))
    if duration_s is not None:
        scene = replace(scene, duration_s=duration_s)
    return Scene.from_dict({**rounded(scene.to_dict()), "seed": int(seed)})


def _check_arguments(preset, sample_rates, recordings):
    if sample_rates is not None and preset != "any_rate":
        raise ParameterError(f"sample_rates is {sample_rates}, but preset {preset!r} has its own; use 'any_rate'")
    if (recordings is None) == (preset == "stitched"):
        raise ParameterError(
            f"recordings is {recordings!r}; name a folder of annotated SigMF recordings for preset "
            "'stitched', and none for the others"
        )


def rates_between(sample_rates: tuple[float, float] | None) -> dict[float, float]:
    """The rates of `any_rate` from the lowest to the highest, and their fractions.

    Raises:
        ParameterError: no rate is between them.
    """
    lowest, highest = sample_rates or (0, float("inf"))
    rates = {rate: fraction for rate, fraction in ANY_RATES.items() if lowest <= rate <= highest}
    if not rates:
        there = ", ".join(f"{rate / 1e6:g}" for rate in sorted(ANY_RATES))
        raise ParameterError(f"sample_rates is {sample_rates} Hz, and no rate lies between; the rates are {there} Msps")
    return rates


def _any_rate(rng, sample_rates):
    rate = everyday.choose(rng, rates_between(sample_rates))
    is_short = rate >= 15.36e6 and rng.random() < 0.1
    return everyday.draw(rng, rate, float(rng.choice([0.006, 0.01, 0.02])) if is_short else BLOCK_S)


def _wideband(rng):
    return everyday.draw(rng, 61.44e6, BLOCK_S, 0.0, 30.0)


def _no_cellular(rng):
    return everyday.draw(rng, 61.44e6, BLOCK_S, situations={"noise": 0.3, "others": 0.7})


def _crowded(rng):
    return everyday.draw(rng, everyday.choose(rng, CROWDED_RATES), BLOCK_S, 0.0, 35.0, {"crowded": 1.0})


def _quiet(rng):
    return quiet.draw(rng, everyday.choose(rng, QUIET_RATES), BLOCK_S)


def _refarmed(rng):
    return refarmed.draw(rng, everyday.choose(rng, REFARMED_RATES), BLOCK_S)


def _lookalikes(rng):
    return lookalikes.draw(rng, BLOCK_S)


def _cells(rng):
    return lookalikes.draw_beside_cells(rng, BLOCK_S)


def _demo(rng):
    """A fixed scene at 61.44 Msps: three LTE and two NR carriers, and two of GSM.

    Around 1842.5 MHz all of them are on the rasters of band 3 and n3.
    """
    pedestrian = {"profile": "EPA", "doppler_hz": 5.0, "delay_spread_s": 0.0}
    vehicle = {"profile": "TDL-A", "doppler_hz": 30.0, "delay_spread_s": 1e-7}

    def carrier(kind, offset_hz, **parameters):
        return Emission(kind, offset_hz, asdict(CARRIERS[kind](**parameters)), early_s=4e-4)

    emissions = [
        carrier("lte", -20.1e6, bandwidth_hz=20e6, cell_id=88, load=0.75, users=5),
        carrier("lte", -5.1e6, bandwidth_hz=10e6, cell_id=17, load=0.0, allocation="idle"),
        carrier(
            "nr",
            11.4e6,
            bandwidth_hz=20e6,
            subcarrier_spacing=30e3,
            cell_id=500,
            tdd_pattern="DDDSU",
            load=0.6,
            users=3,
            ssb_offset=71,
            beams=((0, 0.0), (1, -4.0), (2, -9.0)),
        ),
        carrier("lte", 24.0e6, bandwidth_hz=5e6, cell_id=301, load=0.3, allocation="localised"),
        carrier("nr", 28.8e6, bandwidth_hz=5e6, subcarrier_spacing=15e3, cell_id=733, load=0.9, ssb_offset=0),
        Emission("gsm", 0.65e6),
        Emission("gsm", -30.5e6, {"slots_on": [True, False, True, True, False, False, True, False]}),
    ]
    paths = [
        PropagationPath(27.0, vehicle),
        PropagationPath(22.0, pedestrian),
        PropagationPath(25.0, pedestrian),
        PropagationPath(18.0),
        PropagationPath(20.0),
        PropagationPath(30.0),
        PropagationPath(26.0),
    ]
    receiver = Receiver(dc_dbc=-32.0, dc_phase=0.7, iq_gain_db=0.05, iq_phase_deg=0.3, adc_bits=12, headroom_db=18.0)
    return Scene(61.44e6, BLOCK_S, 0, emissions, Reception(paths, receiver, Noise()))


_DRAWS = {
    "wideband": _wideband,
    "no_cellular": _no_cellular,
    "crowded": _crowded,
    "quiet": _quiet,
    "refarmed": _refarmed,
    "lookalikes": _lookalikes,
    "cells": _cells,
    "demo": _demo,
    "published": published.draw_training,
    "published_test": published.draw_test,
    "published_clean": published.draw_clean,
}
