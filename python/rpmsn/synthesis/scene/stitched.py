# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenes whose LTE and NR carriers come out of recordings: true labels from encoders and radios that are not ours.

They are for validation and never for training. Channel, receiver and noise are drawn as in `everyday`, and now and then
a synthetic transmission of class `other` is put beside them.
"""

from pathlib import Path

import numpy as np

from . import everyday, recorded
from .scene import BLOCK_S, Emission, PropagationPath, Reception, Scene

SAMPLE_RATE = 61.44e6
COUNTS = {1: 0.25, 2: 0.35, 3: 0.25, 4: 0.15}
GUARD_HZ = 0.2e6
LEVELS_DB = (0.0, 35.0)
UNKNOWN_DB = 15.0
"""Level at most of a recording whose own noise is not known."""
CLEAN_DB = 30.0
"""A recording with less room than this between carrier and noise has been through a channel, and gets no other one."""


def draw(rng: np.random.Generator, folder: str | Path) -> Scene:
    """A scene of carriers out of the recordings in `folder`.

    Raises:
        ParameterError: the folder has no usable carrier.
    """
    entries = [
        entry
        for entry in recorded.catalogue(folder)
        if not entry.is_cut and entry.bandwidth_hz < SAMPLE_RATE and entry.label != "other"
    ]
    emissions, paths = [], []
    position = float(rng.uniform(-0.5, -0.3)) * SAMPLE_RATE
    for _ in range(everyday.choose(rng, COUNTS)):
        fitting = [entry for entry in entries if position + entry.bandwidth_hz < SAMPLE_RATE / 2]
        if not fitting:
            break
        # A technology first, so that the folder's mixture does not decide.
        label = str(rng.choice(sorted({entry.label for entry in fitting})))
        fitting = [entry for entry in fitting if entry.label == label]
        entry = fitting[int(rng.integers(len(fitting)))]
        position += _gap(rng, SAMPLE_RATE / 2 - position - entry.bandwidth_hz)
        emissions.append(_emission(rng, Path(folder), entry, position + entry.bandwidth_hz / 2))
        paths.append(_path(rng, emissions[-1]))
        position += entry.bandwidth_hz
    if rng.random() < 0.3:
        emissions.append(_other(rng))
        paths.append(PropagationPath(float(rng.uniform(*LEVELS_DB))))
    reception = Reception(paths, everyday.random_receiver(rng), everyday.random_noise(rng))
    return Scene(SAMPLE_RATE, BLOCK_S, 0, emissions, reception)


def _gap(rng, room):
    """Hz between two carriers: little in half of the cases."""
    return min(room, GUARD_HZ) if rng.random() < 0.5 else float(rng.uniform(0, 0.5)) * room


def _emission(rng, folder, entry, offset_hz):
    parameters = {
        "recording": str(folder / entry.recording),
        "annotation": entry.annotation,
        "delay_s": float(rng.uniform(0, entry.duration_s)),
    }
    return Emission("recorded", offset_hz, parameters)


def _path(rng, emission):
    """A level and, for an encoder's output, a channel. A reception is not lifted above its own noise."""
    own_db = recorded.load(**emission.parameters, duration_s=1e-3).recorded_snr_db
    highest = min(LEVELS_DB[1], UNKNOWN_DB if own_db is None else own_db)
    power_db = float(rng.uniform(LEVELS_DB[0], max(highest, LEVELS_DB[0] + 1)))
    is_clean = own_db is not None and own_db > CLEAN_DB
    return PropagationPath(power_db, everyday.random_channel(rng) if is_clean else None)


def _other(rng):
    kind = everyday.choose(rng, everyday.OTHER_KINDS)
    return Emission(kind, float(rng.uniform(-0.48, 0.48)) * SAMPLE_RATE, everyday.other_parameters(rng, kind))
