# SPDX-License-Identifier: GPL-3.0-or-later
"""One recording -> its carriers, and annotations: what `rpmsn annotate` does with one file, and with each of many."""

import hashlib
import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from threadpoolctl import threadpool_limits

from ..messages import keys
from ..recording import Recording, open_recording, write_annotations
from ..version import __version__

if TYPE_CHECKING:
    from ..models.model import Model
    from ..runtimes import Runtime
    from ..streaming.analysis import Analysis

FINGERPRINT = keys.FIELDS[keys.FINGERPRINT].sigmf
FINGERPRINT_DIGITS = 32


@dataclass(frozen=True)
class Settings:
    """What annotations depend on, beside the recording and the model.

    Attributes:
        datatype, sample_rate, center_frequency, channel: as of `open_recording`.
        runtime, frame_seconds, average_frames, duty_cycle, cells: as of `RecordingAnalyser`.
        per_frame: an annotation for every segment of every frame, not one a carrier.
    """

    datatype: str | None = None
    sample_rate: float | None = None
    center_frequency: float | None = None
    channel: int | None = None
    runtime: str = "auto"
    frame_seconds: float | None = None
    average_frames: int = 1
    duty_cycle: float = 1.0
    per_frame: bool = False
    cells: bool = True


class Annotator:
    """Annotates recordings, with one model and the same settings.

    Args:
        model: rpmsn.models.model.Model.
        settings: Settings.
    """

    def __init__(self, model: "Model", settings: Settings) -> None:
        self.model, self._settings = model, settings

    def open(self, path: str) -> Recording:
        """A recording, as of `open_recording`."""
        how = self._settings
        return open_recording(
            path,
            datatype=how.datatype,
            sample_rate=how.sample_rate,
            center_frequency=how.center_frequency,
            channel=how.channel,
        )

    def analyse(
        self,
        recording: Recording,
        workers: int,
        advance: Callable[[float], object] = lambda seconds: None,
        runtime: "Runtime | None" = None,
    ) -> "Analysis":
        """Analyse a recording.

        Args:
            workers: frames analysed at the same time.
            advance: is called with the seconds of signal that were analysed.
            runtime: that was made before, from the name in the settings.
        """
        from .. import runtimes
        from ..signal.sums import expect_samples

        how = self._settings
        expect_samples(recording.sample_count)
        # Much of a runtime's start is not Python's: the analysis is loaded meanwhile.
        with ThreadPoolExecutor(1, "rpmsn start") as beside:
            made = beside.submit(lambda: runtime or runtimes.create(self.model, how.runtime))
            from ..streaming.analysis import RecordingAnalyser
        analyser = RecordingAnalyser(
            recording,
            self.model,
            workers,
            made.result(),
            how.frame_seconds,
            how.average_frames,
            how.duty_cycle,
            how.per_frame,
            how.cells,
        )
        # Of how many threads of BLAS the last digits depend on: with one they are the same on every machine.
        with threadpool_limits(1, user_api="blas"):
            for frame, _ in analyser.frames():
                advance((frame.end_offset - frame.new_from) / recording.sample_rate)
        return analyser.result

    def write(
        self, recording: Recording, result: "Analysis", output: Path, fingerprint: str, overwrite: bool = False
    ) -> Path | None:
        """Write the annotations; returns their path, None where nothing was judged and so nothing is written.

        Args:
            fingerprint: as of `fingerprint`, before the analysis.

        Raises:
            RecordingError: as of `write_annotations`.
        """
        found = _segments_of(result) if self._settings.per_frame else result.carriers
        if not result.judged and not found:
            return None
        return write_annotations(
            recording,
            found,
            output,
            overwrite=overwrite,
            model=self.model.card.name,
            extra_global={FINGERPRINT: fingerprint},
        )

    def fingerprint(self, data: Path, meta: Path | None) -> str:
        """What says whether annotations would be made in the same way from the same samples.

        A digest of the version, the model, the settings, and the size and time of change of the files: to read them
        would take as long as a disk does. Which cores do the work makes no difference.

        Args:
            data, meta: files of the recording, as of `Recording.path` and `meta_path`.
        """
        return _digest([self._made, [_state_of(path) for path in (data, meta) if path is not None]])

    @property
    def made_by(self) -> str:
        """A digest of the version, the model and the settings."""
        return _digest(self._made)

    @cached_property
    def _made(self) -> list[Any]:
        card = self.model.card
        exports = {key: entry["sha256"] for key, entry in sorted(card.exports.items())}
        decision = card.decision and (card.decision.lte, card.decision.nr)
        model = [card.name, card.version, card.sha256, exports, card.temperature, decision]
        return [__version__, *model, asdict(self._settings)]


def unfit(recording: Recording) -> str:
    """The sentence where `Annotator.write` writes nothing."""
    return (
        f"no frame of {recording.path.name} was fit to be judged, so no annotations were written, since none would "
        "read as an empty band; see above what is wrong with the input"
    )


def document(recording: Recording, model: "Model", result: "Analysis", written: Path | None) -> dict[str, Any]:
    """The whole result as JSON has it; `output` is None where nothing was written."""
    from ..messages.results import carrier_fields

    return {
        "recording": str(recording.path),
        "output": None if written is None else str(written),
        "model": model.card.name,
        "model_version": model.card.version,
        "sample_rate": recording.sample_rate,
        "center_frequency": recording.center_frequency,
        "samples": result.samples,
        "samples_analysed": result.samples_analysed,
        "coverage": result.coverage,
        "frames": result.frames,
        "judged": result.judged,
        "runtime": result.runtime,
        "warnings": result.warnings,
        "carriers": [carrier_fields(carrier) for carrier in result.carriers],
    }


def _digest(values: Any) -> str:
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:FINGERPRINT_DIGITS]


def _state_of(path: Path) -> list[int]:
    """Bytes and time of change (ns) of a file; of a folder, and all in it, their sum and the last one.

    What is not there has none: a recording from a pipe.
    """
    try:
        status = path.stat()
        if not path.is_dir():
            return [status.st_size, status.st_mtime_ns]
        states = [_state_of(Path(entry)) for entry in os.scandir(path)]
        return [sum(size for size, _ in states), max([status.st_mtime_ns, *(time for _, time in states)])]
    except OSError:
        return [0, 0]


def _segments_of(result: "Analysis") -> list[SimpleNamespace]:
    """The carriers that are reported, once for each of their segments, as `write_annotations` takes them."""
    from ..messages.results import carrier_values

    reported = {carrier.carrier_id for carrier in result.carriers}
    return [
        SimpleNamespace(
            **carrier_values(carrier),
            sample_start=segment.start_offset,
            carrier_id=carrier.carrier_id,
            sample_count=segment.end_offset - segment.start_offset,
        )
        for segment, carrier in result.segments
        if carrier.carrier_id in reported
    ]
