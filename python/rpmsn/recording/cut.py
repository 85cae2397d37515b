# SPDX-License-Identifier: GPL-3.0-or-later
"""A part of a recording as a recording of its own: some seconds, and some megahertz, filtered and decimated."""

import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ParameterError, RecordingError, WriteError
from ..files import whole_file, write_whole
from ..signal.channelizer import HALF_TAPS, Band, BandExtractor, Spectra, as_complex, plan_band
from . import sigmf_text
from .annotations import EXTENSION, GENERATOR
from .captures import to_datetime
from .metadata import DATA_SUFFIX, META_SUFFIX
from .recording import Recording

BLOCK_SAMPLES = 1 << 18
"""Samples that are read at a time."""
KEPT_FIELDS = ("core:hw", "core:recorder", "core:author", "core:license", "core:geolocation")
"""Of the global object of the whole recording, these hold for a part, too."""


def cut(
    recording: Recording,
    output: str | os.PathLike[str],
    start: int,
    end: int,
    edges: tuple[float, float] | None = None,
    annotations: Iterable[Mapping[str, Any]] = (),
    overwrite: bool = False,
    on_progress: Callable[[float], bool] = lambda fraction: True,
) -> Path | None:
    """Write a part of a recording as a SigMF recording of complex floats.

    Args:
        recording: the whole one. A part ends where its frequency changes.
        output: path that ends in `.sigmf-meta`; the samples go beside it.
        start, end: first sample, and the one after the last.
        edges: lower and upper edge of the band to keep, Hz; None for all of it.
        annotations: as of `Recording.annotations`; those that reach into the part are written with it.
        overwrite: replace files that exist.
        on_progress: called with the fraction that is done, 0..1; where it returns False nothing is written.

    Returns:
        Path of the metadata; None where it was not wanted any more.

    Raises:
        ParameterError: the part is empty, or not in the recording.
        RecordingError: the files exist, or cannot be written.
    """
    meta = Path(output)
    if not meta.name.endswith(META_SUFFIX) or meta.name == META_SUFFIX:
        raise ParameterError(f"the file is {meta}; choose a name that ends in {META_SUFFIX}")
    start, end = max(0, start), min(end, recording.sample_count, recording.next_capture(max(0, start)))
    if end <= start:
        raise ParameterError(f"samples {start} to {end} of {recording.path.name} are none; choose a longer part")
    center = recording.capture_at(start).center_frequency or 0.0
    band = _band(recording, edges, center)
    data = meta.with_name(meta.name.removesuffix(META_SUFFIX) + DATA_SUFFIX)
    taken = [path for path in (meta, data) if os.path.lexists(path)]
    if taken and not overwrite:
        raise RecordingError(f"{taken[0]} exists and is not overwritten: choose another name")
    try:
        with whole_file(data, overwrite=overwrite) as file:
            for samples, fraction in _pieces(recording, start, end, band):
                file.write(np.ascontiguousarray(samples, "<c8").tobytes())
                if not on_progress(fraction):
                    raise _NotWantedError
        document = _metadata(recording, start, end, band, center, annotations)
        return write_whole(meta, sigmf_text.write(document), overwrite=overwrite)
    except _NotWantedError:
        return None
    except FileExistsError as error:
        raise RecordingError(f"{error.filename or meta} exists and is not overwritten: choose another name") from None
    except WriteError as error:
        raise RecordingError(str(error)) from error


class _NotWantedError(Exception):
    """The user has changed their mind."""


def _band(recording: Recording, edges: tuple[float, float] | None, center: float) -> Band | None:
    """What is to be extracted; None for all of it."""
    if edges is None:
        return None
    half = recording.sample_rate / 2
    lower, upper = max(edges[0], center - half), min(edges[1], center + half)
    if upper <= lower:
        raise ParameterError(
            f"{edges[0] / 1e6:g} to {edges[1] / 1e6:g} MHz are not in {recording.path.name}, which has "
            f"{(center - half) / 1e6:g} to {(center + half) / 1e6:g} MHz"
        )
    band = plan_band(lower, upper, recording.sample_rate, center)
    return None if band.is_whole else band


def _pieces(
    recording: Recording, start: int, end: int, band: Band | None
) -> Iterator[tuple[NDArray[np.complex64], float]]:
    """Samples of the part one after the other, each with the fraction of it that they end at."""
    extractor = None if band is None else BandExtractor(band)
    # The filter reaches so far beyond both ends.
    begin = start - HALF_TAPS if extractor is not None and start >= HALF_TAPS else start
    stop = end if extractor is None else min(recording.sample_count, end + HALF_TAPS)
    spectra = Spectra(begin)
    for first in range(begin, stop, BLOCK_SAMPLES):
        samples = recording.read(first, min(BLOCK_SAMPLES, stop - first))
        fraction = min(1.0, (first - start + len(samples)) / (end - start))
        if extractor is None:
            yield samples, fraction
            continue
        blocks = list(spectra.push(as_complex(samples)))
        if first + len(samples) == stop:
            blocks += spectra.finish()
        for block_start, spectrum in blocks:
            early = extractor.samples_before(block_start, start)
            late = extractor.samples_before(block_start, end)
            yield extractor.extract(block_start, spectrum)[early:late], fraction


def _metadata(
    recording: Recording,
    start: int,
    end: int,
    band: Band | None,
    center: float,
    annotations: Iterable[Mapping[str, Any]],
) -> dict[str, Any]:
    rate = recording.sample_rate if band is None else band.sample_rate
    is_known = recording.capture_at(start).center_frequency is not None
    time = recording.time_at(start)
    capture = {
        "core:sample_start": 0,
        **({"core:frequency": center if band is None else band.center_frequency} if is_known else {}),
        **({"core:datetime": to_datetime(time).isoformat().replace("+00:00", "Z")} if time is not None else {}),
    }
    given = recording.metadata["global"]
    ratio = rate / recording.sample_rate
    return {
        "global": {
            "core:datatype": "cf32_le",
            "core:sample_rate": rate,
            "core:recorder": GENERATOR,
            **{key: given[key] for key in KEPT_FIELDS if key in given},
            "core:description": f"samples {start} to {end} of {recording.path.name}",
            "core:extensions": [EXTENSION],
        },
        "captures": [capture],
        "annotations": sorted(
            (moved for entry in annotations if (moved := _moved(entry, start, end, ratio)) is not None),
            key=lambda entry: entry["core:sample_start"],
        ),
    }


def _moved(entry: Mapping[str, Any], start: int, end: int, ratio: float) -> dict[str, Any] | None:
    """An annotation in the samples of the part; None where it is not in it."""
    first = max(start, entry.get("core:sample_start", 0))
    count = entry.get("core:sample_count")
    after = end if count is None else min(end, entry.get("core:sample_start", 0) + count)
    if after <= first:
        return None
    begin, stop = math.floor((first - start) * ratio), math.ceil((after - start) * ratio)
    return {**entry, "core:sample_start": begin, "core:sample_count": stop - begin}
