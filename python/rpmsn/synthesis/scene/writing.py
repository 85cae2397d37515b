# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenes -> SigMF recordings with true annotations."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...errors import ParameterError, RecordingError
from ...files import whole_file, write_whole
from ...messages.fields import CELL_ID, CHANNEL_BANDWIDTH, DUPLEX, FIELDS, SSB_FREQUENCY
from ...processes import each_done
from ...progress import progress_bar
from ...recording import sigmf_text
from ...recording.annotations import EXTENSION
from ...standards.bands import FDD, TDD
from ...standards.nr import SSB_SUBCARRIERS
from ...version import __version__
from ..dss import DssDownlink
from ..lte.downlink import LteDownlink
from ..nr.downlink import NrDownlink
from .rendering import render_blocks
from .scene import CARRIERS, Scene

FORMATS = {"ci8": (np.int8, 127), "ci16": (np.int16, 32767)}
"""Sample format -> (type of a component, its largest value)."""

SCENE_ENDING = ".scene.yml"


@dataclass
class _TrueCarrier:
    """One emission over the whole recording; frequencies in Hz relative to the centre, times in seconds."""

    label: str
    center_hz: float
    freq_lower: float
    freq_upper: float
    start_s: float
    end_s: float
    snr_db: float
    is_shared: bool


@dataclass(frozen=True)
class Order:
    """What recordings are to be written, and how.

    Attributes:
        folder: made if it is not there.
        center_frequency: Hz, written into the metadata; edges are relative to it.
        datatype: `ci8` or `ci16`.
    """

    folder: str
    center_frequency: float = 0.0
    datatype: str = "ci16"

    def __post_init__(self):
        if self.datatype not in FORMATS:
            raise ParameterError(f"format {self.datatype!r} cannot be written; allowed are {', '.join(FORMATS)}")


def write_scenes(
    scenes: Sequence[tuple[str, Scene]], order: Order, workers: int = 1, quiet: bool = False
) -> Iterator[Path]:
    """Write scenes as recordings `<name>.sigmf-data`, `.sigmf-meta` and `.scene.yml`.

    A recording that exists is left as it is. A data file is renamed to its final name when it is whole, and the
    metadata follow.

    Args:
        scenes: list of (name, `Scene`).
        order: `Order`.
        workers: processes.
        quiet: no progress bar.

    Yields:
        Path of each recording's metadata, when it is written, in the order of the scenes.

    Raises:
        RecordingError: a file cannot be written.
    """
    Path(order.folder).mkdir(parents=True, exist_ok=True)
    if workers > 1 and len(scenes) > 1:
        jobs = [(name, scene.to_dict(), order) for name, scene in scenes]
        yield from each_done(_write_apart, jobs, workers, "recording", "writing", quiet=quiet)
        return
    total_ms = sum(round(scene.duration_s * 1e3) for _, scene in scenes)
    with progress_bar(total_ms, "ms", "writing", quiet) as progress:
        for name, scene in scenes:
            yield _write_recording(name, scene, order, progress.update)


def _write_apart(name, scene, order):
    """Write a recording in a process of its own, to which the scene came as a dictionary."""
    return _write_recording(name, Scene.from_dict(scene), order, lambda milliseconds: None)


def _write_recording(name, scene, order, report):
    """Write one recording unless it exists; reports the milliseconds of signal as they are done."""
    meta = Path(order.folder) / f"{name}.sigmf-meta"
    if not meta.exists():
        _write_scene(scene, meta, order, report)
        return meta
    description = meta.with_suffix(SCENE_ENDING)
    if not description.exists() or Scene.load(description) != scene:
        raise RecordingError(f"{meta} exists and holds another scene; name another folder or move it away")
    report(round(scene.duration_s * 1e3))
    return meta


def _write_scene(scene, meta, order, report):
    data = meta.with_suffix(".sigmf-data")
    carriers: list[dict] = []
    try:
        with whole_file(data) as file:
            for samples, truths in render_blocks(scene):
                file.write(_quantise(samples, *FORMATS[order.datatype]).tobytes())
                _extend(carriers, truths)
                report(round(1e3 * samples.size / scene.sample_rate))
        scene.save(meta.with_suffix(SCENE_ENDING))
        write_whole(meta, sigmf_text.write(_describe(scene, meta.stem, order, carriers)))
    except OSError as error:
        raise RecordingError(f"{data} cannot be written: {error.strerror}") from error


def _quantise(samples, kind, largest):
    """Complex samples of full scale 1.0 as interleaved integers; what lies beyond is clipped."""
    parts = samples.view(np.float32).reshape(-1)
    return np.clip(np.round(parts * np.float32(largest)), -largest, largest).astype(kind)


def _extend(carriers, truths):
    """Join the truths of one more block to those of the blocks before."""
    for truth in truths:
        same = [
            carrier
            for carrier in carriers
            if carrier.label == truth.label
            and (carrier.freq_lower, carrier.freq_upper) == (truth.freq_lower, truth.freq_upper)
        ]
        if same:
            same[0].end_s = truth.end_s
        else:
            carriers.append(
                _TrueCarrier(
                    truth.label,
                    truth.center_hz,
                    truth.freq_lower,
                    truth.freq_upper,
                    truth.start_s,
                    truth.end_s,
                    truth.snr_db,
                    truth.shared is not None,
                )
            )


def _describe(scene, name, order, carriers):
    """The metadata of a recording."""
    fields = {
        "core:datatype": order.datatype if order.datatype == "ci8" else f"{order.datatype}_le",
        "core:sample_rate": float(scene.sample_rate),
        "core:description": f"Synthetic scene of gr-rpmsn: {name}",
        "core:recorder": f"gr-rpmsn {__version__}",
        "core:extensions": [EXTENSION],
    }
    capture = {
        "core:sample_start": 0,
        "core:frequency": float(order.center_frequency),
        "core:datetime": "2026-01-01T00:00:00.000Z",
    }
    cells = _true_cells(scene, order.center_frequency)
    annotations = []
    for carrier in sorted(carriers, key=lambda carrier: (carrier.start_s, carrier.freq_lower)):
        start = round(carrier.start_s * scene.sample_rate)
        comment = f"SNR {carrier.snr_db:.1f} dB" + ("; DSS, shared by LTE and NR" if carrier.is_shared else "")
        annotations.append(
            {
                "core:sample_start": start,
                "core:sample_count": round(carrier.end_s * scene.sample_rate) - start,
                "core:freq_lower_edge": order.center_frequency + carrier.freq_lower,
                "core:freq_upper_edge": order.center_frequency + carrier.freq_upper,
                "core:label": carrier.label,
                "core:comment": comment,
                **cells.get((carrier.label, carrier.center_hz), {}),
            }
        )
    return {"global": fields, "captures": [capture], "annotations": annotations}


def _true_cells(scene, center_frequency):
    """(label, centre) of a carrier whose synchronisation signals are sent -> what they say, as SigMF fields."""
    cells = {}
    for emission in scene.emissions:
        if emission.kind not in CARRIERS:
            continue
        cell = emission.cell()
        spacing = cell.subcarrier_spacing
        center = round(emission.offset_hz / spacing) * spacing
        if isinstance(cell, LteDownlink):
            label = "LTE"
            facts = {CELL_ID: cell.cell_id, DUPLEX: FDD if cell.tdd_config is None else TDD}
        elif isinstance(cell, DssDownlink):
            label = "LTE"
            facts = {CELL_ID: cell.lte["cell_id"], DUPLEX: FDD}
        elif isinstance(cell, NrDownlink) and cell.beams:
            label = "NR"
            middle = (cell.ssb_offset + SSB_SUBCARRIERS / 2 - cell.n_subcarriers / 2) * spacing
            facts = {CELL_ID: cell.cell_id, DUPLEX: FDD if cell.tdd_pattern is None else TDD}
            facts[SSB_FREQUENCY] = center_frequency + center + middle
        else:
            continue
        facts[CHANNEL_BANDWIDTH] = cell.bandwidth_hz
        cells[label, center] = {FIELDS[name].sigmf: value for name, value in facts.items()}
    return cells
