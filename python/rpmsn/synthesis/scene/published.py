# SPDX-License-Identifier: GPL-3.0-or-later
"""The data of the RPMSN paper (doi 10.1109/IMCOM64595.2025.10857521), as far as it is described.

61.44 Msps, 40 ms, carriers anywhere inside the span, one path with Doppler, white noise and an ideal receiver. Where
the description is silent (which groups, which slots), the draw is uniform.
"""

from dataclasses import asdict

import numpy as np

from ..channel.noise import Noise
from ..grid import scattered_runs
from ..lte.downlink import LteDownlink
from ..nr.downlink import SSB_CASES, NrDownlink
from .scene import BLOCK_S, Emission, PropagationPath, Reception, Scene

SAMPLE_RATE = 61.44e6
LTE_BANDWIDTHS = (5e6, 10e6, 15e6, 20e6)
NR_BANDWIDTHS = (10e6, 15e6, 20e6, 25e6, 30e6, 40e6, 50e6)
PERIOD_SLOTS = 20
SNR_DB = (-10.0, 30.0)
CLEAN_SNR_DB = (40.0, 50.0, 100.0)
MOST_DOPPLER_HZ = 500.0


def draw_training(rng: np.random.Generator) -> Scene:
    """A frame for training: one carrier of either kind."""
    return _scene(rng, [_lte if rng.random() < 0.5 else _nr], float(rng.uniform(*SNR_DB)))


def draw_test(rng: np.random.Generator) -> Scene:
    """A frame for testing: a carrier of each kind."""
    return _scene(rng, [_lte, _nr], float(rng.uniform(*SNR_DB)))


def draw_clean(rng: np.random.Generator) -> Scene:
    """A frame of the sibling set with little noise: one carrier, or one of each kind."""
    kinds = ([_lte], [_nr], [_lte, _nr])[int(rng.integers(3))]
    return _scene(rng, kinds, float(rng.choice(CLEAN_SNR_DB)))


def _scene(rng, kinds, snr_db):
    emissions = [draw(rng) for draw in kinds]
    for emission in emissions:
        room = (SAMPLE_RATE - emission.parameters["bandwidth_hz"]) / 2
        emission.offset_hz = float(rng.uniform(-room, room))
    reception = Reception([_path(rng) for _ in emissions], noise=Noise(snr_db=snr_db))
    return Scene(SAMPLE_RATE, BLOCK_S, 0, emissions, reception)


def _path(rng):
    doppler_hz = float(rng.uniform(0, MOST_DOPPLER_HZ))
    return PropagationPath(0.0, {"profile": "flat", "doppler_hz": doppler_hz, "delay_spread_s": 0.0})


def _lte(rng):
    """Half of the frames have a few blocks in use, the others silent subframes."""
    bandwidth = float(rng.choice(LTE_BANDWIDTHS))
    is_nearly_empty = rng.random() < 0.5
    silent = () if is_nearly_empty else rng.choice(10, int(rng.integers(1, 9)), replace=False)
    n_rb = LteDownlink(bandwidth_hz=bandwidth).n_rb
    cell = LteDownlink(
        bandwidth_hz=bandwidth,
        cell_id=int(rng.integers(504)),
        load=float(rng.integers(2, 5)) / n_rb if is_nearly_empty else 1.0,
        allocation="localised" if is_nearly_empty else "full",
        silent_subframes=tuple(sorted(int(subframe) for subframe in silent)),
        start_ms=int(rng.integers(20)),
    )
    return Emission("lte", 0.0, asdict(cell), early_s=float(rng.uniform(0, 1e-3)))


def _nr(rng):
    """Centred SS/PBCH blocks, a control region over the whole band, one QPSK user in some blocks of some slots."""
    spacing = float(rng.choice([15e3, 30e3]))
    bandwidth = float(rng.choice(NR_BANDWIDTHS))
    n_rb = NrDownlink(bandwidth_hz=bandwidth, subcarrier_spacing=spacing).n_rb
    places = int(rng.choice([4, 8]))
    beams = rng.choice(places, int(rng.integers(1, places + 1)), replace=False)
    blocks = _runs(rng, n_rb, rng.uniform(0.2, 0.7))
    slots = [
        slot for first, count in _runs(rng, PERIOD_SLOTS, rng.uniform(0.1, 0.8)) for slot in range(first, first + count)
    ]
    cell = NrDownlink(
        bandwidth_hz=bandwidth,
        subcarrier_spacing=spacing,
        cell_id=int(rng.integers(1008)),
        style="scheduled",
        schedule=(tuple(slots), PERIOD_SLOTS, tuple(blocks)),
        modulations=(2,),
        users=1,
        ssb_case=SSB_CASES[spacing][0],
        ssb_blocks=places,
        beams=tuple((int(index), 0.0) for index in sorted(beams)),
        ssb_period_ms=20,
        sib1=False,
        trs_period_ms=None,
        start_ms=int(rng.integers(20)),
    )
    return Emission("nr", 0.0, asdict(cell), early_s=float(rng.uniform(0, 1e-3)))


def _runs(rng, n, fraction):
    """About `fraction` of n places in 1 to 3 runs: pairs (first, count), none of them empty."""
    runs = scattered_runs(n, max(1, round(n * fraction)), int(rng.integers(1, 4)), rng)
    return [run for run in runs if run[1]]
