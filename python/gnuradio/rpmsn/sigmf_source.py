# SPDX-License-Identifier: GPL-3.0-or-later
"""Source block: a recording, with the tags that a radio would set."""

import os
import time
from collections.abc import Callable

import numpy as np
import pmt
from gnuradio import gr

from rpmsn.errors import ParameterError
from rpmsn.recording import open_recording
from rpmsn.signal.channelizer import SAMPLE_TYPES

from . import tags

NATIVE = "native"

OUTPUT_BUFFER_BYTES = 1 << 21
"""Large enough that Python is called a few hundred times a second at 61.44 Msps, and no more."""
PACING_SLICE_S = 0.02
"""With `real_time`, samples come out in slices of this length: one `work()` sleeps no longer than that."""


class sigmf_source(gr.sync_block):
    """Play a recording; docs/formats.md lists what can be played.

    Output 0 carries every sample of the file. As a radio does, the block sets the tags `rx_time` (tuple of uint64
    whole seconds since 1970 and double fraction), `rx_freq` and `rx_rate` (double, Hz) on the first sample, at every
    capture segment, and after every start. `rx_time` is left out while the metadata give no time (a segment without
    a time continues from the one before), `rx_freq` where there is no centre frequency. With `repeat` the tags come
    again at each round, so that `rx_time` jumps back; without, the last sample carries the tag `stream_end`.

    When the file cannot be read any further the block logs why, keeps it in `error` and ends the stream.

    Args:
        path: the `.sigmf-meta`, the `.sigmf-data`, their name without ending, or a raw file.
        repeat: start again at the end, without limit.
        real_time: deliver the samples at the sample rate, as a radio would; else as fast as they are taken.
        datatype: format of a raw file, `ci8`, `cu8`, `ci16_le` or `cf32_le`; "" takes it from the metadata.
        sample_rate: Hz; 0 takes it from the metadata.
        center_frequency: Hz; 0 takes it from the metadata.
        channel: which of several channels, from 1; 0 for the first.
        output_type: `complex`, of full scale 1.0; `ci16` or `ci8`, of a recording that has them, as they lie in the
            file, for a quarter of the time; `native` for what costs the least. `output_type()` says which it is.

    Raises:
        rpmsn.errors.RecordingError: the recording cannot be opened.
        rpmsn.errors.ParameterError: a rate, a frequency or a type cannot be used.

    Example:
        >>> source = sigmf_source("band.sigmf-meta", output_type="native")          # doctest: +SKIP
        >>> sink = segmenter_sink(source.sample_rate(), mode="replay",              # doctest: +SKIP
        ...                       input_type=source.output_type())
        >>> tb.connect(source, sink)                                                # doctest: +SKIP
    """

    def __init__(
        self,
        path: str | os.PathLike,
        repeat: bool = False,
        real_time: bool = False,
        datatype: str = "",
        sample_rate: float = 0.0,
        center_frequency: float = 0.0,
        channel: int = 0,
        output_type: str = "complex",
    ) -> None:
        if output_type not in (*SAMPLE_TYPES, NATIVE):
            allowed = f"{', '.join(SAMPLE_TYPES)} or {NATIVE}"
            raise ParameterError(f"output_type is {output_type!r}, but {allowed} is allowed")
        recording = open_recording(
            path,
            datatype=datatype or None,
            sample_rate=sample_rate or None,
            center_frequency=center_frequency or None,
            channel=channel or None,
        )
        native = next(name for name, dtype in SAMPLE_TYPES.items() if dtype == recording.native_type)
        self._output_type = native if output_type == NATIVE else output_type
        if self._output_type not in ("complex", native):
            recording.close()
            raise ParameterError(
                f"output_type is {output_type!r}, but {path} holds {recording.datatype}: choose 'complex' or {NATIVE!r}"
            )
        item = np.complex64 if self._output_type == "complex" else (recording.native_type, 2)
        gr.sync_block.__init__(self, name="rpmsn_sigmf_source", in_sig=None, out_sig=[item])
        self._recording = recording
        self._repeat = repeat
        self._pace = Pace(self._recording.sample_rate, time.monotonic, time.sleep) if real_time else None
        self._position = 0
        self._started = False
        self.error = None
        self.set_min_output_buffer(OUTPUT_BUFFER_BYTES // np.dtype(item).itemsize)
        for warning in self._recording.warnings:
            self.logger.warn(f"{self._recording.path}: {warning}")

    def sample_rate(self) -> float:
        """Sample rate, Hz."""
        return self._recording.sample_rate

    def center_frequency(self) -> float:
        """Centre frequency at the first sample, Hz; 0.0 where unknown."""
        return self._recording.center_frequency or 0.0

    def output_type(self) -> str:
        """Type of the samples that come out: `complex`, `ci16` or `ci8`; what a sink calls its `input_type`."""
        return self._output_type

    def duration(self) -> float:
        """Length of the recording, s."""
        return self._recording.duration

    def start(self) -> bool:
        """Called by GNU Radio before the first `work()` of a run."""
        self._started = False
        if self._pace is not None:
            self._pace.begin()
        return True

    def stop(self) -> bool:
        """Called by GNU Radio at the end of a run."""
        # GNU Radio notes the size that it allocated as a maximum, which would make the buffer of the next run tiny.
        self.set_max_output_buffer(-1)
        return True

    def work(self, input_items: list[np.ndarray], output_items: list[np.ndarray]) -> int:
        """Called by GNU Radio: fill the output; -1 at the end of the file or after an error."""
        try:
            return self._produce(output_items[0])
        except Exception as error:  # an exception here would hang the flowgraph silently
            self.error = str(error)
            self.logger.error(self.error)
            return -1

    def _produce(self, out):
        if self._position == self._recording.sample_count:
            if not self._repeat:
                return -1
            self._position = 0
        if self._pace is not None:
            out = out[: self._pace.wait(len(out))]
        n = self._recording.read_into(self._position, out)
        self._tag(n)
        self._position += n
        if n and self._position == self._recording.sample_count and not self._repeat:
            self._add_tag(self.nitems_written(0) + n - 1, tags.STREAM_END, pmt.PMT_T)
        if self._pace is not None:
            self._pace.delivered(n)
        return n

    def _tag(self, n):
        """Tag the captures that start among the next `n` samples, and the first sample of a run."""
        if n == 0:
            return
        begin = self._position
        captures = self._recording.captures_between(begin, begin + n)
        if not self._started and not (captures and captures[0].sample_start == begin):
            self._tag_capture(self._recording.capture_at(begin), begin)
        for capture in captures:
            self._tag_capture(capture, capture.sample_start)
        self._started = True

    def _tag_capture(self, capture, sample):
        offset = self.nitems_written(0) + sample - self._position
        self._add_tag(offset, tags.RX_RATE, pmt.from_double(self._recording.sample_rate))
        if capture.center_frequency is not None:
            self._add_tag(offset, tags.RX_FREQ, pmt.from_double(capture.center_frequency))
        instant = self._recording.time_at(sample)
        if instant is not None and instant[0] >= 0:
            self._add_tag(
                offset, tags.RX_TIME, pmt.make_tuple(pmt.from_uint64(instant[0]), pmt.from_double(instant[1]))
            )

    def _add_tag(self, offset, key, value):
        self.add_item_tag(0, offset, pmt.intern(key), value, pmt.intern(self.alias()))


class Pace:
    """Keeps a stream at its sample rate on average, however late a single slice is.

    Args:
        sample_rate: Hz.
        clock: callable, seconds of a clock that never jumps.
        sleep: callable that waits for the seconds given.
    """

    def __init__(self, sample_rate: float, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self._rate = sample_rate
        self._clock = clock
        self._sleep = sleep
        self._slice = max(1, int(sample_rate * PACING_SLICE_S))
        self.begin()

    def begin(self) -> None:
        """Sample 0 is due now."""
        self._begun = self._clock()
        self._delivered = 0

    def delivered(self, n: int) -> None:
        """Count that `n` more samples went out."""
        self._delivered += n

    def wait(self, room: int) -> int:
        """Wait until a slice, or `room` samples if that is less, is due, but no longer than a slice lasts.

        Returns:
            How many samples may go out now, 0 to `room`.
        """
        due = self._begun + (self._delivered + min(room, self._slice)) / self._rate
        remaining = due - self._clock()
        if remaining > 0:
            self._sleep(min(remaining, PACING_SLICE_S))
        allowed = int((self._clock() - self._begun) * self._rate) - self._delivered
        return max(0, min(room, allowed))
