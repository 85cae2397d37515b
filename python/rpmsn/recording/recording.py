# SPDX-License-Identifier: GPL-3.0-or-later
"""A recording on disk: what is known of it, and its samples by position."""

import copy
import math
import os
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ParameterError, RecordingError, is_number
from . import metadata as sigmf_metadata
from .captures import Capture, later, parse_time, resolution, settle
from .formats import USUAL_FORMATS, sample_format
from .layout import layout
from .readers import Found, find
from .real import RealSamples
from .stores import FileStore, Store

READ_SAMPLES = 1 << 18
"""Samples that are converted at a time: their raw bytes (2 MiB at most) stay in the processor's cache."""
MOST_CHANNELS = 1024
NATIVE = ("i1", "i2")
"""Numbers that can be analysed as they are."""


def open_recording(
    path: str | os.PathLike[str],
    *,
    datatype: str | None = None,
    sample_rate: float | None = None,
    center_frequency: float | None = None,
    channel: int | None = None,
) -> "Recording":
    """Open a recording: SigMF, bare samples, or a file of one of the kinds that `readers` lists.

    Of a file that is not compressed only metadata is read, however long it is.

    Args:
        path: the `.sigmf-meta`, the `.sigmf-data`, their common name without ending, a file of another kind, or `-` for
            stdin.
        datatype: name of the sample format (`ci8`, `cu8`, `ci16_le`, `cf32_le`, and as `formats.sample_format` takes
            it). Needed for bare samples. For this and the next two: what is given here replaces what the file says.
        sample_rate: Hz. Needed for bare samples.
        center_frequency: Hz, for the whole recording.
        channel: which of several channels to read, or which recording of a collection; from 1. None for the first
            channel, or the only recording.

    Raises:
        RecordingError: the recording cannot be read; the message names the file, the fault and the cure.
        ParameterError: a value is not a usable number.
    """
    path = Path(path)
    given = {"datatype": datatype, "sample_rate": sample_rate, "center_frequency": center_frequency}
    _check_given(given)
    if channel is not None and (isinstance(channel, bool) or not isinstance(channel, int) or channel < 1):
        raise ParameterError(f"channel is {channel!r}; it must be a whole number of at least 1.")
    try:
        found = find(path, datatype, sample_rate, channel)
    except (OSError, ValueError) as error:  # ValueError: a path with a zero byte
        reason = getattr(error, "strerror", None) or error
        raise RecordingError(f"{getattr(error, 'filename', None) or path} cannot be read: {reason}.") from error
    try:
        return Recording(found, datatype, sample_rate, center_frequency, channel)
    except BaseException:
        found.store.close()
        raise


def _check_given(given: Mapping[str, Any]) -> None:
    for name, lowest in (("sample_rate", 0.0), ("center_frequency", -math.inf)):
        value = given[name]
        if value is not None and not (is_number(value) and lowest < value):
            allowed = "a number above 0, in Hz" if lowest == 0.0 else "a number, in Hz"
            raise ParameterError(f"{name} is {value!r}; it must be {allowed}.")


class Recording:
    """Samples of one channel and what is known of them. Made by `open_recording`; a context manager.

    Not for several threads at once: each needs its own `second_reader`.

    Real samples are given as complex ones, of half the rate, whose spectrum is that of the real ones from 0 Hz to half
    their rate (`real.RealSamples`). All numbers below are those of the complex samples.

    Attributes:
        path: data file.
        meta_path: metadata file, None where there is none.
        metadata: dict as in the metadata file, with what was given to `open_recording` put in.
        datatype: SigMF name of the sample format, such as `ci16_le`.
        sample_rate: Hz.
        sample_count: whole samples in the file, at least 1.
        sample_offset: `core:offset`, the number that the metadata give to the first sample of the file. All
            sample numbers below, and those of `captures` and `annotations`, count from 0.
        stored_per_sample: samples of the file for each: 1, or 2 where they are real.
        channel: number of the channel that is read, from 1.
        captures: list of `Capture`, in order, the first at sample 0, each with something new (`captures.settle`).
        annotations: list of dict; those that cannot be read are left out.
        warnings: list of str, what is odd but does not stop the reading.
        is_plain: whether SigMF metadata beside `path` could say where in it the samples are.
    """

    def __init__(
        self,
        found: Found,
        datatype: str | None = None,
        sample_rate: float | None = None,
        center_frequency: float | None = None,
        channel: int | None = None,
    ) -> None:
        self.path, self.meta_path, self.is_plain = found.path, found.meta_path, found.is_plain
        self.metadata = found.metadata
        self._store: Store = found.store
        given = {"datatype": datatype, "sample_rate": sample_rate, "center_frequency": center_frequency}
        self.warnings = list(found.warnings)
        if used := ", ".join(words for name, words in found.from_name.items() if given[name] is None):
            self.warnings.append(
                f"{used}: read from the file's name; --format, --sample-rate and --center-frequency overrule it"
            )
        self._where = found.meta_path or found.path
        self._from_name = {f"core:{name.replace('center_', '')}" for name in found.from_name}
        self._is_overruled = None not in (datatype, sample_rate, center_frequency)
        self._put_in(datatype, sample_rate, center_frequency)
        self._read_global(channel)
        self._read_layout()
        self.captures = self._read_captures()
        self._starts = [capture.sample_start for capture in self.captures]
        self._timed = [(capture.sample_start, capture.time) for capture in self.captures if capture.time is not None]
        self._timed_starts = [start for start, _ in self._timed]
        self.annotations = self._read_annotations()
        self._raw: np.ndarray | None = None

    def __enter__(self) -> "Recording":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Recording {self.path}: {self.sample_count} samples, {self.datatype}, {self.sample_rate:g} Hz>"

    def second_reader(self) -> "Recording":
        """The same samples for another thread, for as long as this recording is open.

        Raises:
            RecordingError: the library that reads it serves one thread alone.
        """
        if not isinstance(self._store, FileStore):
            raise RecordingError(f"{self.path} can be read by one thread at a time.")
        reader = copy.copy(self)
        reader._raw = None  # each has its own buffer
        return reader

    def close(self) -> None:
        """Close the data file. May be called twice."""
        self._store.close()

    def read_through(self, store: Store) -> None:
        """Read samples from somewhere else, where the file that was opened has only its size and its first bytes."""
        self._store.close()
        self._store = store

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
        is_native = self._format.is_complex and self._format.component.str[1:] in NATIVE
        return self._format.component.newbyteorder("=") if is_native else np.dtype(np.complex64)

    def read_native(self, start: int, count: int) -> np.ndarray:
        """As `read`, of type `native_type`: integers are as they lie in the file, of shape (n, 2)."""
        if self.native_type == np.complex64:
            return self.read(start, count)
        out = np.empty((max(0, min(count, self.sample_count - start)), 2), self.native_type)
        self.read_into(start, out)
        return out

    def read_into(self, start: int, out: np.ndarray) -> int:
        """As `read` into `out`, which is contiguous, or as `read_native` where it has that type. Returns how many
        samples were read.

        Besides `out`, no more memory is used than a few times what `READ_SAMPLES` raw samples take.
        """
        read = self._read_run if out.dtype == np.complex64 else self._read_numbers
        done, wanted = 0, max(0, min(len(out), self.sample_count - start))
        while done < wanted:
            n = min(wanted - done, self._most)
            read(start + done, out[done : done + n])
            done += n
        return done

    def _read_run(self, start: int, out: NDArray[np.complex64]) -> None:
        """Fill `out` with the samples from `start` on; all of them are there."""
        if self._real is not None:
            out[:] = self._real.read(start, len(out), self._values)
        elif self._format.component == np.float32:
            self._read_numbers(start, out.view(np.float32).reshape(-1, 2))
        else:
            self._format.convert(self._components(start, len(out)).reshape(-1), out.view(np.float32))

    def _values(self, start: int, count: int) -> NDArray[np.float32]:
        """Real samples of the file, scaled; silence beyond its ends."""
        out = np.zeros(count, np.float32)
        low, high = max(0, start), min(self._stored_count, start + count)
        for first in range(low, high, self._most):
            n = min(self._most, high - first)
            self._format.convert(self._components(first, n).reshape(-1), out[first - start :][:n])
        return out

    def _read_numbers(self, start: int, out: np.ndarray) -> None:
        """Fill `out` (samples, components) with the numbers of the channel; no more than `_most` samples."""
        if self._channels == 1 and self._format.component.isnative:
            self._fill_samples(start, out)
        else:
            out[:] = self._components(start, len(out))

    def _components(self, start: int, count: int) -> np.ndarray:
        """(count, components) numbers of the channel as they lie in the file; the next call overwrites them."""
        if self._raw is None:
            self._raw = np.empty((self._most, self._channels * self._format.components), self._format.component)
        raw = self._raw[:count]
        self._fill_samples(start, raw)
        first = (self.channel - 1) * self._format.components
        return raw[:, first : first + self._format.components]

    def _fill_samples(self, start: int, out: np.ndarray) -> None:
        """Fill `out`, contiguous, with samples of all channels; headers between them are left out."""
        done = 0
        while done < len(out):
            first, offset, end = self._layout.run(start + done)
            n = min(len(out) - done, end - (start + done))
            part = memoryview(out[done : done + n]).cast("B")  # type: ignore[arg-type]  # numpy 1 has no types for buffers
            self._store.fill(offset + (start + done - first) * self._width, part)
            done += n

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
            before = {str(capture.get("core:frequency")) for capture in captures}
            self._replace(captures[0], "core:frequency", float(center_frequency), max(0, len(before) - 1))
            for capture in captures[1:]:
                capture["core:frequency"] = float(center_frequency)

    def _replace(self, fields: dict[str, Any], key: str, value: Any, others: int = 0) -> None:
        before = fields.get(key)
        if (before not in (None, value) or others) and key not in self._from_name:
            more = f" (and {others} other values)" if others else ""
            self.warnings.append(f"{key} is {before!r:.60}{more} in the metadata; {value!r} was given and is used")
        fields[key] = value

    def _read_global(self, channel: int | None) -> None:
        fields = self.metadata["global"]
        lacking = [
            words
            for key, words in (
                ("core:datatype", f"--format (one of {', '.join(USUAL_FORMATS)}, or another of SigMF)"),
                ("core:sample_rate", "--sample-rate in Hz, such as 19.2M"),
            )
            if fields.get(key) is None
        ]
        if lacking:
            what = "does not say all" if self.meta_path else "has no SigMF metadata beside it"
            raise RecordingError(f"{self._where} {what}: pass {' and '.join(lacking)} to read it.")
        try:
            self._format = sample_format(fields["core:datatype"])
        except RecordingError as error:
            raise RecordingError(f"{self._where}: {error}") from None
        self.datatype = fields["core:datatype"] = self._format.name
        rate = sigmf_metadata.number(self._where, fields, "core:sample_rate", above=0.0)
        self._stored_rate = rate or 0.0
        self.stored_per_sample = 1 if self._format.is_complex else 2
        self.sample_rate = self._stored_rate / self.stored_per_sample
        self._real = None if self._format.is_complex else RealSamples()
        self._read_channels(channel)
        self.sample_offset = self._count(fields, "core:offset")
        for name in sigmf_metadata.needed_extensions(self.metadata):
            self.warnings.append(f"the metadata need the SigMF extension {name!r:.60}, which is not understood here")

    def _read_channels(self, channel: int | None) -> None:
        self._channels = self._count(self.metadata["global"], "core:num_channels", 1)
        is_chosen = self._channels > 1
        self.channel = channel if channel is not None and is_chosen else 1
        if not 1 <= self._channels <= MOST_CHANNELS:
            raise RecordingError(
                f"{self._where}: core:num_channels is {self._channels}; it must be a number from 1 to {MOST_CHANNELS}."
            )
        if self.channel > self._channels:
            raise RecordingError(f"channel is {channel}, but {self._where} has {self._channels} channels, from 1.")
        if is_chosen and channel is None:
            self.warnings.append(f"channel 1 of {self._channels} is read; --channel N chooses another")
        self._width = self._channels * self._format.bytes_per_sample
        self._most = max(1, READ_SAMPLES // self._channels)  # samples that are converted at a time

    def _count(self, fields: Mapping[str, Any], key: str, default: int = 0) -> int:
        """As of `metadata.count`; where all that counts was given, what cannot be is left aside with a warning."""
        try:
            return sigmf_metadata.count(self._where, fields, key, default)
        except RecordingError as error:
            if not self._is_overruled:
                raise RecordingError(
                    f"{error} Or pass --format, --sample-rate and --center-frequency, to read the samples all the same."
                ) from None
            self.warnings.append(f"{error} It is left aside")
            return default

    def _read_layout(self) -> None:
        """Find the samples among the bytes of the data file."""
        headers = [
            (max(0, self._sample_of(entry)), self._count(entry, "core:header_bytes"))
            for entry in self._capture_entries()
            if entry.get("core:header_bytes")
        ]
        trailing = self._count(self.metadata["global"], "core:trailing_bytes")
        size = self._store.size
        self._layout = layout(size, self._width, headers, trailing)
        self._stored_count = self._layout.sample_count
        self.sample_count = self._stored_count // self.stored_per_sample
        if self.sample_count == 0:
            raise RecordingError(f"{self.path} holds no samples ({size} bytes): record it again.")
        if self._layout.left_over:
            self.warnings.append(
                f"{self.path.name} ends in the middle of a sample: {self._layout.left_over} of "
                f"{self._width} bytes are left over and ignored"
            )

    def _capture_entries(self) -> list[dict[str, Any]]:
        return sorted(self.metadata["captures"], key=self._sample_of)

    def _sample_of(self, entry: Mapping[str, Any]) -> int:
        """Stored sample of the file at which a capture or annotation starts."""
        return self._count(entry, "core:sample_start") - self.sample_offset

    def _read_captures(self) -> list[Capture]:
        """Captures that say something new (`captures.settle`); where two start together the later entry holds."""
        given: dict[int, Capture] = {}
        beyond = 0
        self._untimed: list[str] = []
        for entry in self._capture_entries():
            sample = max(0, self._sample_of(entry)) // self.stored_per_sample
            if sample >= self.sample_count:
                beyond += 1
                continue
            given[sample] = self._capture(sample, entry)
        if beyond:
            self.warnings.append(
                f"{beyond} capture segment(s) start beyond the end of {self.path.name} "
                f"({self.sample_count} samples) and are ignored"
            )
        if not given:
            given[0] = self._capture(0, {})
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
        if self._real is not None and not frequency:
            frequency = self.sample_rate / 2  # what is sampled directly has its own frequencies
        text = entry.get("core:datetime")
        if text is None:
            return Capture(sample, frequency)
        try:
            return Capture(sample, frequency, parse_time(text), resolution(text))
        except ValueError as error:
            self._untimed.append(f"that at sample {sample} ({error})")
            return Capture(sample, frequency)

    def _read_annotations(self) -> list[dict[str, Any]]:
        """The annotations that can be read, in samples from 0."""
        annotations, faults, beyond = [], [], []
        for entry in self.metadata["annotations"]:
            try:
                sigmf_metadata.check_annotation(self._where, entry)
            except RecordingError as error:
                faults.append(str(error))
                continue
            each = self.stored_per_sample
            start = sigmf_metadata.count(self._where, entry, "core:sample_start") - self.sample_offset
            span = {"core:sample_start": start // each}
            if "core:sample_count" in entry:
                span["core:sample_count"] = sigmf_metadata.count(self._where, entry, "core:sample_count") // each
            annotations.append({**entry, **span})
            end = span["core:sample_start"] + span.get("core:sample_count", 0)
            if end > self.sample_count:
                beyond.append(end)
        if faults:
            self.warnings.append(f"{len(faults)} annotation(s) are left out, the first since {faults[0]}")
        if beyond:
            self.warnings.append(
                f"{self.path.name} is shorter than its annotations say: {len(beyond)} of them reach beyond its "
                f"{self.sample_count} samples, the last to sample {max(beyond)}"
            )
        return annotations
