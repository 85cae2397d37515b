# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenes -> SigMF recordings with true annotations."""
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import ParameterError, RecordingError
from ..files import whole_file
from ..version import __version__
from .presets import random_scene
from .scene import render_blocks

FORMATS = {"ci8": (np.int8, 127), "ci16": (np.int16, 32767)}
"""Sample format -> (type of a component, its largest value)."""


@dataclass
class _TrueCarrier:
    """One emission over the whole recording; frequencies in Hz relative to the centre, times in seconds."""

    label: str
    freq_lower: float
    freq_upper: float
    start_s: float
    end_s: float
    snr_db: float


def write_scenes(preset, count, seed, folder, duration_s=None, center_frequency=0.0, datatype="ci16"):
    """Write `count` scenes as recordings `<preset>-<seed>.sigmf-data` and `.sigmf-meta`, with seeds from `seed` on.

    A recording that exists is left as it is. A data file is renamed to its final name when it is whole, and the
    metadata follow.

    Args:
        preset: see `rpmsn.synthesis.presets.random_scene`.
        count, seed: how many, and the seed of the first.
        folder: made if it is not there.
        duration_s: whole milliseconds; None for the preset's own.
        center_frequency: Hz, written into the metadata; edges are relative to it.
        datatype: `ci8` or `ci16`.

    Yields:
        Path of each recording's metadata, when it is there.

    Raises:
        ParameterError: unknown preset or format.
    """
    if datatype not in FORMATS:
        raise ParameterError(f"format {datatype!r} cannot be written; allowed are {', '.join(FORMATS)}")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(seed, seed + count):
        meta = folder / f"{preset}-{number}.sigmf-meta"
        if not meta.exists():
            scene = random_scene(preset, number, duration_s)
            _write_scene(scene, meta, f"preset {preset}, seed {number}", center_frequency, datatype)
        yield meta


def _write_scene(scene, meta, what, center_frequency, datatype):
    data = meta.with_suffix(".sigmf-data")
    carriers = []
    try:
        with whole_file(data) as file:
            for samples, truths in render_blocks(scene):
                file.write(_quantise(samples, *FORMATS[datatype]).tobytes())
                _extend(carriers, truths)
        description = _describe(scene, what, center_frequency, datatype, carriers)
        with whole_file(meta) as file:
            file.write(description.dumps(pretty=True).encode() + b"\n")
    except OSError as error:
        raise RecordingError(f"{data} cannot be written: {error.strerror}") from error


def _quantise(samples, kind, largest):
    """Complex samples of full scale 1.0 as interleaved integers; what lies beyond is clipped."""
    parts = samples.view(np.float32).reshape(-1)
    return np.clip(np.round(parts * np.float32(largest)), -largest, largest).astype(kind)


def _extend(carriers, truths):
    """Join the truths of one more block to those of the blocks before."""
    for truth in truths:
        same = [carrier for carrier in carriers if carrier.label == truth.label
                and (carrier.freq_lower, carrier.freq_upper) == (truth.freq_lower, truth.freq_upper)]
        if same:
            same[0].end_s = truth.end_s
        else:
            carriers.append(_TrueCarrier(truth.label, truth.freq_lower, truth.freq_upper, truth.start_s, truth.end_s,
                                         truth.snr_db))


def _describe(scene, what, center_frequency, datatype, carriers):
    """The metadata, as a SigMFFile."""
    from sigmf import SigMFFile

    name = datatype if datatype == "ci8" else f"{datatype}_le"
    description = SigMFFile(global_info={
        "core:datatype": name, "core:sample_rate": float(scene.sample_rate), "core:num_channels": 1,
        "core:description": f"Synthetic scene of gr-rpmsn: {what}", "core:recorder": f"gr-rpmsn {__version__}",
    })
    description.add_capture(0, {"core:frequency": float(center_frequency), "core:datetime": "2026-01-01T00:00:00.000Z"})
    for carrier in sorted(carriers, key=lambda carrier: (carrier.start_s, carrier.freq_lower)):
        start = round(carrier.start_s * scene.sample_rate)
        description.add_annotation(start, round(carrier.end_s * scene.sample_rate) - start, {
            "core:freq_lower_edge": center_frequency + carrier.freq_lower,
            "core:freq_upper_edge": center_frequency + carrier.freq_upper,
            "core:label": carrier.label, "core:comment": f"SNR {carrier.snr_db:.1f} dB",
        })
    return description
