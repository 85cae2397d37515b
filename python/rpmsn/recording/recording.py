# SPDX-License-Identifier: GPL-3.0-or-later
"""A recording on disk: what is known of it, and its samples by position."""

import copy
import math
import numbers
import os
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ParameterError, RecordingError
from . import metadata as sigmf_metadata
from .captures import Capture, later, parse_time, resolution, settle
from .formats import FORMATS, sample_format
from .layout import layout

READ_SAMPLES = 1 << 18
"""Samples that are converted at a time: their raw bytes (2 MiB at most) stay in the processor's cache."""


def open_recording(
    path: str | os.PathLike[str],
    *,
    datatype: str | None = None,
    sample_rate: float | None = None,
    center_frequency: float | None = None,
) -> "Recording":
    """Open a SigMF recording or a file of raw samples. Only metadata is read, however long the file.

    Args:
        path: the `.sigmf-meta`, the `.sigmf-data`, their common name without ending, or a raw file.
        datatype: SigMF name of the sample format (`ci8`, `cu8`, `ci16_le`, `cf32_le`; `_le` may be left out).
            Needed for a raw file. For this and the next two: what is given here replaces what the metadata say.
        sample_rate: Hz. Needed for a raw file.
        center_frequency: Hz, for the whole recording.

    Raises:
        RecordingError: the recording cannot be read; the message names the file, the fault and the cure.
        ParameterError: `sample_rate` or `center_frequency` is not a usable number.
    """
    path = Path(path)
    given = {"datatype": datatype, "sample_rate": sample_rate, "center_frequency": center_frequency}
    _check_given(given)
    try:
        return _open(path, given)
    except OSError as error:
        raise RecordingError(f"{error.filename or path} cannot be read: {error.strerror or error}.") from error


def _open(path: Path, given: dict[str, Any]) -> "Recording":
    meta_path = None if _is_raw(path, given["datatype"]) else sigmf_metadata.find_metadata(path)
    if meta_path is not None:
        metadata = sigmf_metadata.load(meta_path)
        return Recording(sigmf_metadata.find_data(meta_path, metadata), meta_path, metadata, **given)
    if given["datatype"] is None or given["sample_rate"] is None:
        raise RecordingError(
            f"{path} has no SigMF metadata beside it: pass --format (one of {', '.join(FORMATS)}) "
            "and --sample-rate in Hz to read it as raw samples."
        )
    return Recording(path, None, {"global": {}, "captures": [], "annotations": []}, **given)


def _is_raw(path: Path, datatype: str | None) -> bool:
    """A file of a foreign kind whose format is given is raw samples, even if metadata of its name lie beside it."""
    return datatype is not None and path.is_file() and ".sigmf" not in path.suffix


def _check_given(given: Mapping[str, Any]) -> None:
    for name, lowest in (("sample_rate", 0.0), ("center_frequency", -math.inf)):
        value = given[name]
        is_real = isinstance(value, numbers.Real)
        if value is not None and not (is_real and lowest < value < math.inf):
            allowed = "a number above 0, in Hz" if lowest == 0.0 else "a number, in Hz"
            raise ParameterError(f"{name} is {value!r}; it must be {allowed}.")


class Recording:
    """Samples of one channel and what is known of them. Made by `open_recording`; a context manager.

    Not for several threads at once: they share one file position. Open it once a thread.

    Attributes:
        path: data file.
        meta_path: metadata file, None for raw samples.
        metadata: dict as in the metadata file, with what was given to `open_recording` put in.
        datatype: SigMF name of the sample format, such as `ci16_le`.
        sample_rate: Hz.
        sample_count: whole samples in the file, at least 1.
        sample_offset: `core:offset`, the number that the metadata give to the first sample of the file. All
            sample numbers below, and those of `captures` and `annotations`, count from 0.
        captures: list of `Capture`, in order, the first at sample 0, each with something new (`captures.settle`).
        annotations: list of dict.
        warnings: list of str, what is odd but does not stop the reading.
    """

    def __init__(
        self,
        path: Path,
        meta_path: Path | None,
        metadata: Mapping[str, Any],
        *,
        datatype: str | None = None,
        sample_rate: float | None = None,
        center_frequency: float | None = None,
    ) -> None:
        self.path = path
        self.meta_path = meta_path
        self.metadata: dict[str, Any] = copy.deepcopy(dict(metadata))
        self.warnings: list[str] = []
        self._where = meta_path or path
        self._put_in(datatype, sample_rate, center_frequency)
        self._read_global()
        self._read_layout()
        self.captures = self._read_captures()
        self._starts = [capture.sample_start for capture in self.captures]
        self._timed = [(capture.sample_start, capture.time) for capture in self.captures if capture.time is not None]
        self._timed_starts = [start for start, _ in self._timed]
        self.annotations = self._read_annotations()
        self._raw: np.ndarray | None = None
        self._file = open(path, "rb", buffering=0)  # noqa: SIM115 - closed by close()

    def __enter__(self) -> "Recording":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Recording {self.path}: {self.sample_count} samples, {self.datatype}, {self.sample_rate:g} Hz>"

    def close(self) -> None:
        """Close the data file. May be called twice."""
        self._file.close()

    @property
    def center_frequency(self) -> float | None:
        """Centre frequency at the first sample, Hz; None where unknown."""
        return self.captures[0].center_frequency

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.sample_count / self.sample_rate

    def capture_at(self, sample: int) -> Capture:
        """The capture that `sample` belongs to."""
        return self.captures[max(0, bisect_right(self._starts, sample) - 1)]

    def captures_between(self, start: int, end: int) -> list[Capture]:
        """The captures that begin at a sample from `start` up to, but not including, `end`."""
        return self.captures[bisect_left(self._starts, start) : bisect_left(self._starts, end)]

    def next_capture(self, sample: int) -> int:
        """Start of the first capture after `sample`; the number of samples where there is none."""
        k = bisect_right(self._starts, sample)
        return self._starts[k] if k < len(self._starts) else self.sample_count

    def time_at(self, sample: int) -> tuple[int, float] | None:
        """UTC of `sample` as (whole seconds since 1970, fraction); None where no capture has a time.

        A capture without a time of its own goes on from the last one that has one.
        """
        k = bisect_right(self._timed_starts, sample) - 1
        if k < 0:
            return None
        start, time = self._timed[k]
        return later(time, (sample - start) / self.sample_rate)

    def read(self, start: int, count: int) -> NDArray[np.complex64]:
        """Samples `start` to `start + count`, scaled to full scale 1.0, as complex64; fewer at the end of the file.

        Raises:
            ParameterError: `start` or `count` is negative.
            RecordingError: the file cannot be read or has become shorter.
        """
        if start < 0 or count < 0:
            raise ParameterError(f"start is {start} and count is {count}; both must be 0 or more.")
        out = np.empty(max(0, min(count, self.sample_count - start)), np.complex64)
        self.read_into(start, out)
        return out

    @property
    def native_type(self) -> np.dtype:
        """The type in which samples can be analysed without converting them: int8, int16 or complex64."""
        is_signed = self._format.component.kind == "i"
        return self._format.component.newbyteorder("=") if is_signed else np.dtype(np.complex64)

    def read_native(self, start: int, count: int) -> np.ndarray:
        """As `read`, of type `native_type`: integers are as they lie in the file, of shape (n, 2)."""
        if self.native_type == np.complex64:
            return self.read(start, count)
        count = max(0, min(count, self.sample_count - start))
        out = np.empty((count, 2), self._format.component)
        self._read(start, out, self._fill)
        return out

    def read_into(self, start: int, out: NDArray[np.complex64]) -> int:
        """As `read`, into `out` (complex64, contiguous). Returns how many samples were read.

        Besides `out`, no more memory is used than `READ_SAMPLES` raw samples take.
        """
        return self._read(start, out, self._read_run)

    def _read(self, start: int, out: np.ndarray, fill: Callable[[int, np.ndarray], None]) -> int:
        """Fill `out` piece by piece: `fill(position, part)` takes a part of it from byte `position` of the file."""
        done, wanted = 0, min(len(out), self.sample_count - start)
        while done < wanted:
            first, offset, end = self._layout.run(start + done)
            n = min(wanted - done, end - (start + done), READ_SAMPLES)
            position = offset + (start + done - first) * self._format.bytes_per_sample
            fill(position, out[done : done + n])
            done += n
        return done

    def _read_run(self, position: int, out: np.ndarray) -> None:
        """Fill `out` with the samples that start at byte `position`."""
        if self._format.component == np.float32:
            self._fill(position, out)
            return
        if self._raw is None:
            self._raw = np.empty(2 * READ_SAMPLES, self._format.component)
        components = self._raw[: 2 * len(out)]
        self._fill(position, components)
        self._format.convert(components, out)

    def _fill(self, position: int, array: np.ndarray) -> None:
        """Fill the bytes of `array` from byte `position` of the file."""
        view = memoryview(array).cast("B")  # type: ignore[arg-type]  # numpy 1 has no types for buffers
        try:
            self._file.seek(position)
            while view:
                n = self._file.readinto(view)
                if not n:
                    raise RecordingError(
                        f"{self.path} has become shorter since it was opened: it ends before byte "
                        f"{position + len(view)}. Open it again when nothing writes to it any more."
                    )
                view, position = view[n:], position + n
        except OSError as error:
            reason = error.strerror or error
            raise RecordingError(f"{self.path} cannot be read at byte {position}: {reason}.") from error

    def _put_in(self, datatype: str | None, sample_rate: float | None, center_frequency: float | None) -> None:
        """Let what the caller gave replace what the metadata say, and warn where they differ."""
        if datatype is not None:
            self._replace(self.metadata["global"], "core:datatype", sample_format(datatype).name)
        if sample_rate is not None:
            self._replace(self.metadata["global"], "core:sample_rate", float(sample_rate))
        if center_frequency is not None:
            captures = self.metadata["captures"]
            if not captures:
                captures.append({"core:sample_start": self.metadata["global"].get("core:offset", 0)})
            for capture in captures:
                self._replace(capture, "core:frequency", float(center_frequency))

    def _replace(self, fields: dict[str, Any], key: str, value: Any) -> None:
        before = fields.get(key)
        if before not in (None, value):
            self.warnings.append(f"{key} is {before!r} in the metadata; {value!r} was given and is used")
        fields[key] = value

    def _read_global(self) -> None:
        fields = self.metadata["global"]
        if "core:datatype" not in fields:
            raise RecordingError(f"{self._where} has no core:datatype: pass --format, one of {', '.join(FORMATS)}.")
        try:
            self._format = sample_format(fields["core:datatype"])
        except RecordingError as error:
            raise RecordingError(f"{self._where}: {error}") from None
        self.datatype = fields["core:datatype"] = self._format.name
        sample_rate = sigmf_metadata.number(self._where, fields, "core:sample_rate", above=0.0)
        if sample_rate is None:
            raise RecordingError(f"{self._where} has no core:sample_rate: pass --sample-rate in Hz.")
        self.sample_rate = sample_rate
        channels = sigmf_metadata.count(self._where, fields, "core:num_channels", 1)
        if channels != 1:
            raise RecordingError(
                f"{self._where}: core:num_channels is {channels}; only recordings of 1 channel are read. "
                "Split the channels into files of their own."
            )
        self.sample_offset = sigmf_metadata.count(self._where, fields, "core:offset")
        for name in sigmf_metadata.needed_extensions(self.metadata):
            self.warnings.append(f"the metadata need the SigMF extension {name!r}, which is not understood here")

    def _read_layout(self) -> None:
        """Find the samples among the bytes of the data file."""
        headers = [
            (max(0, self._sample_of(entry)), sigmf_metadata.count(self._where, entry, "core:header_bytes"))
            for entry in self._capture_entries()
        ]
        trailing = sigmf_metadata.count(self._where, self.metadata["global"], "core:trailing_bytes")
        size = self.path.stat().st_size
        self._layout = layout(size, self._format.bytes_per_sample, headers, trailing)
        self.sample_count = self._layout.sample_count
        if self.sample_count == 0:
            raise RecordingError(f"{self.path} holds no samples ({size} bytes): record it again.")
        if self._layout.left_over:
            self.warnings.append(
                f"{self.path.name} ends in the middle of a sample: {self._layout.left_over} of "
                f"{self._format.bytes_per_sample} bytes are left over and ignored"
            )

    def _capture_entries(self) -> list[dict[str, Any]]:
        return sorted(self.metadata["captures"], key=self._sample_of)

    def _sample_of(self, entry: Mapping[str, Any]) -> int:
        """Sample of the file at which a capture or annotation starts."""
        return sigmf_metadata.count(self._where, entry, "core:sample_start") - self.sample_offset

    def _read_captures(self) -> list[Capture]:
        """Captures that say something new (`captures.settle`); where two start together the later entry holds."""
        given: dict[int, Capture] = {}
        beyond = 0
        self._untimed: list[str] = []
        for entry in self._capture_entries():
            sample = max(0, self._sample_of(entry))
            if sample >= self.sample_count:
                beyond += 1
                continue
            given[sample] = self._capture(sample, entry)
        if beyond:
            self.warnings.append(
                f"{beyond} capture segment(s) start beyond the end of {self.path.name} "
                f"({self.sample_count} samples) and are ignored"
            )
        self._warn_of_gaps(list(given.values()))
        return settle(given.values(), self.sample_rate)

    def _warn_of_gaps(self, given: list[Capture]) -> None:
        """Say what is taken for samples of which the metadata say nothing."""
        if self._untimed:
            self.warnings.append(
                f"core:datetime of {len(self._untimed)} capture segment(s) is ignored, first {self._untimed[0]}: "
                "times count from the last one that is known, or from the start"
            )
        without = sum(capture.center_frequency is None for capture in given)
        if 0 < without < len(given):
            self.warnings.append(
                f"{without} of {len(given)} capture segments have no core:frequency: each goes on at the frequency "
                "before it, those at the beginning at the first that is known"
            )
        if given and given[0].sample_start > 0:
            self.warnings.append(
                f"the first capture segment starts at sample {given[0].sample_start}: "
                "its frequency and time are taken for the samples before it, too"
            )

    def _capture(self, sample: int, entry: Mapping[str, Any]) -> Capture:
        frequency = sigmf_metadata.number(self._where, entry, "core:frequency")
        if "core:datetime" not in entry:
            return Capture(sample, frequency)
        try:
            return Capture(sample, frequency, parse_time(entry["core:datetime"]), resolution(entry["core:datetime"]))
        except ValueError as error:
            self._untimed.append(f"that at sample {sample} ({error})")
            return Capture(sample, frequency)

    def _read_annotations(self) -> list[dict[str, Any]]:
        annotations = [{**entry, "core:sample_start": self._sample_of(entry)} for entry in self.metadata["annotations"]]
        ends = [
            entry["core:sample_start"] + sigmf_metadata.count(self._where, entry, "core:sample_count")
            for entry in annotations
        ]
        beyond = [end for end in ends if end > self.sample_count]
        if beyond:
            self.warnings.append(
                f"{self.path.name} is shorter than its annotations say: {len(beyond)} of them reach beyond its "
                f"{self.sample_count} samples, the last to sample {max(beyond)}"
            )
        return annotations
