# SPDX-License-Identifier: GPL-3.0-or-later
"""Exports carriers of the table with the engine's writers: SigMF annotations and CSV (no Qt)."""

import dataclasses
import itertools
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ...errors import ParameterError, RecordingError
from ...files import put_in_place
from ...recording import Recording, default_output, write_annotations
from ...recording.logs import open_log
from ...recording.metadata import META_SUFFIX
from ...streaming.intake import StreamTime
from .carrier_list import CarrierRow

if TYPE_CHECKING:
    from ...tracking.carrier import Carrier

ENDINGS = (META_SUFFIX, ".csv")


def export(
    carriers: Sequence[CarrierRow],
    path: str | os.PathLike[str],
    recording: Recording | None = None,
    drawn: Sequence[Mapping[str, Any]] = (),
) -> Path:
    """Write carriers to a new file; where its name is taken a number is put into it.

    Args:
        carriers: list of CarrierRow.
        path: ends in `.sigmf-meta` or `.csv`.
        recording: `rpmsn.recording.Recording` that they are of: its metadata are kept, and its own sample numbers
            used. None for a live stream.
        drawn: annotations of a person, as of `Recording.annotations`, for SigMF metadata of a recording.

    Returns:
        Path of the file.

    Raises:
        ParameterError: another ending.
        RecordingError: the file cannot be written, or a part of it was lost.
    """
    path = Path(path)
    if not path.name.lower().endswith(ENDINGS):
        raise ParameterError(f"the file is {path}; choose a name that ends in one of {', '.join(ENDINGS)}, .png")
    if recording is not None and path.name.endswith(META_SUFFIX):
        model = next((carrier.model for carrier in carriers if carrier.model), None)
        return write_annotations(recording, carriers, free_path(path), model=model, drawn=drawn)
    return _write_log(carriers, path)


def placed(
    carrier: CarrierRow, recording: Recording, recording_span: Callable[[int, int], tuple[int, int]]
) -> CarrierRow:
    """A carrier in the samples and times of the recording, which may have been played from any place, and repeated."""
    start, end = recording_span(carrier.sample_start, carrier.sample_end)
    return dataclasses.replace(carrier, sample_start=start, sample_end=end, since=recording.time_at(start))


def suggested_path(recording: Recording | None) -> Path:
    """The suggested name: next to the recording, or in the current folder."""
    return default_output(recording) if recording is not None else Path.cwd() / f"carriers{META_SUFFIX}"


def free_path(path: Path) -> Path:
    """The path, or the first of `name-2.sigmf-meta`, `name-3.sigmf-meta`... that does not exist."""
    base = path.name.removesuffix(META_SUFFIX)
    numbered = (path.with_name(f"{base}-{number}{META_SUFFIX}") for number in itertools.count(2))
    names = itertools.chain([path.with_name(f"{base}{META_SUFFIX}")], numbered)
    return next(found for found in names if not os.path.lexists(found))


def _write_log(carriers: Sequence[CarrierRow], path: Path) -> Path:
    """Carriers as a log has them: each once, as a whole."""
    from ...tracking.tracker import Event  # late: the window opens sooner without it

    model = next((carrier.model for carrier in carriers if carrier.model), "")
    log = open_log(path, per="carrier", model=model)
    for carrier in sorted(carriers, key=lambda carrier: carrier.sample_start):
        # A number may occur twice, from two streams; a log has carriers one after the other. What a log reads of a
        # carrier, a row has too.
        log.write(Event("gone", cast("Carrier", carrier)), _clock(carrier), 0)
    is_whole = log.close()
    if not is_whole or log.lost:
        raise RecordingError(f"{log.path} is not whole: {log.fault or f'{log.lost} carriers were lost'}")
    if path.name.endswith(META_SUFFIX):
        # A SigMF log puts the time into the name of its file; here the user has chosen a name.
        while True:
            target = free_path(path)
            with suppress(FileExistsError):  # made by another program since
                put_in_place(log.path, target, overwrite=False)
                return target
    return Path(log.path)


def _clock(carrier: CarrierRow) -> StreamTime:
    """The clock that a log takes the times of a carrier from."""
    seconds, fraction = carrier.since or divmod(carrier.sample_start / carrier.sample_rate, 1)
    return StreamTime(carrier.sample_start, int(seconds), fraction, carrier.sample_rate, carrier.time_source)
