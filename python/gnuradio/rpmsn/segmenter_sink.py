# SPDX-License-Identifier: GPL-3.0-or-later
"""Sink block: wideband samples in; segments, frames and status out, as messages, and into files."""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pmt
from gnuradio import gr

from rpmsn.errors import ParameterError, RpmsnError
from rpmsn.messages import keys
from rpmsn.messages.results import frame_fields, segment_fields
from rpmsn.models.model import DEFAULT_MODEL, load_model
from rpmsn.recording.logs import open_log
from rpmsn.recording.snippets import SnippetWriter
from rpmsn.recording.stream_recorder import StreamRecorder
from rpmsn.runtimes import AUTO
from rpmsn.signal.channelizer import SAMPLE_TYPES
from rpmsn.streaming import CELL_BUDGET
from rpmsn.streaming.live import Settings, StreamAnalyser
from rpmsn.tracking.carrier import Carrier

from . import pdu, tags

COMMAND = "command"
MODES = ("live", "replay")
LIVE_MULTIPLE = 65536
WAIT_SECONDS = 0.05
FRAME_BURST_S = 2.0
"""Seconds of frames that a replay may send at once after a pause."""


class segmenter_sink(gr.sync_block):
    """Labels what is on the air: noise, LTE, NR or other.

    Collects frames of 40 ms, makes an image of each, runs the network on it and sends what it found. `work()` only
    copies; everything else happens in threads of its own.

    Mode `live` never holds up the radio: when the analysis is late, whole frames are dropped, counted, and reported
    as coverage below 1. Mode `replay` never drops a sample: it holds up the source instead.

    Ports:
        in: samples of full scale 1.0 (integers: 32768 or 128). Tags `rx_time`, `rx_freq` and `rx_rate` (as UHD, Soapy
            and sigmf_source send them) are followed: a new frequency or rate starts a new frame, and a jump in time is
            a gap, whose samples are counted as lost. `stream_end` (from sigmf_source) lets the last messages arrive
            before the flowgraph ends.
        segments (out): one PDU for every segment of a carrier, and one for every carrier that is gone. Label, edges and
            confidence in it are the carrier's.
        frames (out): the image and mask of a frame, at most `frames_per_second`.
        status (out): once a second: rates, coverage, drops, latency, health of the input.
        command (in): a dict; `freq` (double, Hz) sets the centre frequency where no tag does, `reset` (any value)
            forgets the carriers.
        The keys of all messages are in `rpmsn.messages.fields` and docs/messages.md.

    Messages that are sent while the flowgraph stops may not arrive (GNU Radio drops them), except at a `stream_end`;
    log files lose nothing. After it has stopped, `carriers()` and `status()` hold the whole result.

    Args:
        sample_rate: Hz, 1e6 to 125e6.
        center_frequency: Hz; 0 if it is not known.
        model: name of a model that ships, or path of a model card.
        mode: `live` or `replay`.
        frames_per_second: upper limit for messages on `frames`, in a replay over two seconds; 0 for none at all.
        threads: of the network, for each worker.
        runtime: what runs the network: `auto` (the fastest there is), or a name that `rpmsn doctor` lists.
        input_type: `complex`, `ci16` or `ci8`; integers as a radio sends them save two thirds of the memory traffic.
        workers: frames that are analysed at the same time.
        frame_seconds: 0.01 to 0.2; 0 for what the model was trained with.
        average_frames: class probabilities are averaged over so many frames; 1 for each frame on its own.
        duty_cycle: fraction of the frames to analyse, above 0 to 1, for slow machines; it shows in the coverage.
        logs: paths of files to write what is found to, separated by commas or as a list: `.jsonl`, `.csv` or
            `.sigmf-meta`. docs/logs.md has the formats.
        log_rotate_seconds: start new log files at every multiple of this; 0 for never.
        log_rotate_bytes: start a new log file when one would become larger; 0 for never.
        log_keep_files: keep so many files of each log, and delete older ones; 0 for all.
        snippets: folder to record the IQ of chosen carriers to, as SigMF; none if empty (docs/logs.md).
        snippet_labels: classes of these carriers, separated by commas or as a list; all if empty.
        snippet_confidence: lowest confidence of these carriers, 0..1.
        snippet_range: (lower, upper) in Hz, in which the middle of these carriers lies; (0, 0) for everywhere.
        snippet_seconds: of one carrier at most.
        snippet_quota: bytes that all snippets in the folder may take; the oldest make room.
        cell_budget: fraction of one core for the search for LTE and NR cells, which prove carriers; 0 for none.
        columns: of the messages on `frames`: 256, as the network sees it, or 1024, 2048, 4096, 8192 or 16384; with more
            columns they have fewer rows.

    Example:
        sink = rpmsn.segmenter_sink(61.44e6, 1.84e9, mode="live")
        tb.connect(source, sink)
        tb.msg_connect((sink, "frames"), (overlay, "frames"))
    """

    def __init__(
        self,
        sample_rate: float,
        center_frequency: float = 0.0,
        model: str = DEFAULT_MODEL,
        mode: str = "live",
        frames_per_second: float = 10.0,
        threads: int = 1,
        runtime: str = AUTO,
        input_type: str = "complex",
        workers: int = 2,
        frame_seconds: float = 0.0,
        average_frames: int = 1,
        duty_cycle: float = 1.0,
        logs: str | Sequence[str] = (),
        log_rotate_seconds: float = 0.0,
        log_rotate_bytes: int = 0,
        log_keep_files: int = 0,
        snippets: str = "",
        snippet_labels: str | Sequence[str] = (),
        snippet_confidence: float = 0.0,
        snippet_range: tuple[float, float] = (0.0, 0.0),
        snippet_seconds: float = 1.0,
        snippet_quota: float = 10e9,
        cell_budget: float = CELL_BUDGET,
        columns: int = 256,
    ):
        if input_type not in SAMPLE_TYPES:
            raise ParameterError(f"input_type is {input_type!r}, but {', '.join(SAMPLE_TYPES)} are allowed")
        dtype = SAMPLE_TYPES[input_type]
        gr.sync_block.__init__(self, "segmenter_sink", [dtype if input_type == "complex" else (dtype, 2)], None)
        if mode not in MODES:
            raise ParameterError(f"mode is {mode!r}, but 'live' (for a radio) or 'replay' (for a file) is allowed")
        if frames_per_second < 0:
            raise ParameterError(f"frames_per_second is {frames_per_second:g}, but 0 (none) or more is allowed")
        self._frames_per_second = float(frames_per_second)
        self._log_paths = _listed(logs)
        self._log_options = {
            "rotate_seconds": log_rotate_seconds or None,
            "rotate_bytes": log_rotate_bytes or None,
            "keep_files": log_keep_files or None,
        }
        self._snippet_folder = snippets
        self._snippet_options = {
            "labels": set(_listed(snippet_labels)) or None,
            "min_confidence": snippet_confidence,
            "freq_range": tuple(snippet_range) if any(snippet_range) else None,
            "max_seconds": snippet_seconds,
            "quota_bytes": snippet_quota,
            "wait": mode == "replay",
        }
        self._next_frequency = None
        self._correction = 1.0
        self._ended = False
        settings = Settings(
            mode == "live",
            runtime,
            threads,
            workers,
            reads_ahead=True,
            dtype=dtype,
            frame_seconds=frame_seconds or None,
            average_frames=average_frames,
            duty_cycle=duty_cycle,
            carriers_kept=1000 if mode == "live" else None,
            cell_budget=cell_budget,
            columns=columns,
        )
        self._analyser = StreamAnalyser(
            load_model(model),
            sample_rate,
            center_frequency,
            settings,
            on_result=self._send_result,
            on_status=self._send_status,
            on_error=self._log_error,
        )
        self._open_files()
        if mode == "live":
            self._analyser.warm_up()
        for warning in self._analyser.segmenter.warnings:
            self.logger.warn(warning)
        if mode == "live":
            # Large calls keep Python's cost per sample small. Not for files: their tail would never be delivered.
            self.set_output_multiple(LIVE_MULTIPLE)
        for port in (keys.SEGMENTS, keys.FRAMES, keys.STATUS):
            self.message_port_register_out(pmt.intern(port))
        self.message_port_register_in(pmt.intern(COMMAND))
        self.set_msg_handler(pmt.intern(COMMAND), self._handle_command)

    def start(self) -> bool:
        """Called by GNU Radio when the flowgraph starts."""
        self._ended = False
        self._next_frame_s = -np.inf
        self._last_number = 0
        if self._files_are_closed:
            self._open_files()
        self._analyser.start()
        return True

    def stop(self) -> bool:
        """Called by GNU Radio at the end: the frames that were taken are finished (in live mode for a moment)."""
        self._analyser.stop()
        self._files_are_closed = True
        return True

    def set_center_frequency(self, center_frequency: float) -> None:
        """Centre frequency from here on, Hz; for sources that do not tag it."""
        self._next_frequency = float(center_frequency)

    def set_receiver_ppm(self, receiver_ppm: float) -> None:
        """Correct the frequencies of the source by the error of its clock, from the next tag or command on.

        Args:
            receiver_ppm: as the status says it, parts per million: above 0 where the receiver hears too high.
        """
        self._correction = 1 - 1e-6 * receiver_ppm
        self._analyser.forget_receiver()

    def set_columns(self, columns: int) -> None:
        """Other columns of the frame messages, from the next frame on.

        Raises:
            ParameterError: columns that are not allowed.
        """
        self._analyser.resolution.columns = columns

    def set_recorder(self, recorder: StreamRecorder | None) -> None:
        """What gets all samples as they come; None for nothing."""
        self._analyser.recorder = recorder

    def carriers(self) -> list[Carrier]:
        """Carriers found so far, lowest frequency first."""
        return self._analyser.carriers()

    def status(self) -> dict[str, Any]:
        """What the `status` port sends, as a dict."""
        return self._analyser.status()

    def latencies(self) -> list[float]:
        """Seconds from the last sample of a frame to when it had been reported; of the latest frames."""
        return list(self._analyser.latencies)

    def work(self, input_items: list[np.ndarray], output_items: list[np.ndarray]) -> int:
        """Copy samples and follow tags; nothing else happens in GNU Radio's thread."""
        samples = input_items[0]
        try:
            return self._take(samples)
        except Exception as error:  # a block that raises here hangs the whole flowgraph silently
            self._analyser.fail(f"samples could not be taken: {error}")
            return len(samples)

    def _take(self, samples):
        if self._ended:
            # The last sample is held back until all messages are out: what is sent after the end does not arrive.
            return len(samples) if self._analyser.join(WAIT_SECONDS) else 0
        first = self.nitems_read(0)
        if self._next_frequency is not None:
            frequency, self._next_frequency = self._next_frequency, None
            self._analyser.follow(first, center_frequency=frequency * self._correction)
        changes = {}
        for tag in self.get_tags_in_window(0, 0, len(samples)):
            changes.setdefault(tag.offset - first, {})[pmt.symbol_to_string(tag.key)] = tag.value
        end = next((place + 1 for place, found in sorted(changes.items()) if tags.STREAM_END in found), None)
        done = self._write(samples[:end], first, changes)
        if end is not None and done == end:
            self._ended = True
            self._analyser.finish()
            return done - 1
        return done

    def _write(self, samples, first, changes):
        """Pass samples on, following the tags at their places; returns how many were taken."""
        done = 0
        for place in sorted(place for place in changes if place < len(samples)) + [len(samples)]:
            if place > done:
                done += self._analyser.write(samples[done:place], first + done)
                if done < place:
                    return done
            if place in changes:
                # A tag is met again when the call before stopped at its sample; applying it twice changes nothing.
                self._follow(changes[place], first + place)
        return done

    def _follow(self, found, offset):
        """Apply the tags of one sample."""
        tagged = tags.read(found, self._analyser.fail)
        center = tagged.center_frequency
        corrected = None if center is None else center * self._correction
        known = {"center_frequency": corrected, "seconds": tagged.seconds}
        try:
            self._analyser.follow(offset, sample_rate=tagged.sample_rate, **known)
        except ParameterError as error:
            self._analyser.fail(f"a tag says another sample rate: {error}")
            self._analyser.follow(offset, **known)

    def _open_files(self):
        """Open what the analysis writes to; when the block is made, so that an error shows there."""
        model = self._analyser.model.card.name
        self._analyser.outputs = [open_log(path, model=model, **self._log_options) for path in self._log_paths]
        if self._snippet_folder:
            self._analyser.snippets = SnippetWriter(self._snippet_folder, model=model, **self._snippet_options)
        self._files_are_closed = False

    def _send_result(self, frame, clock, events):
        """Send what a frame (None after the last one) showed and what happened to carriers; in the analysing thread."""
        number, health = (self._last_number, keys.HEALTH_OK) if frame is None else (frame.number, frame.health)
        for event, event_clock in events:
            self._publish(
                keys.SEGMENTS, segment_fields(event, event_clock, number, health, self._analyser.model.card.name)
            )
        if frame is not None:
            self._send_frame(frame, clock)

    def _send_frame(self, frame, clock):
        self._last_number = frame.number
        now = time.monotonic()
        if self._frames_per_second == 0 or now < self._next_frame_s:
            return
        # What a pause has left unsent may follow in a burst: a replay goes on in jerks.
        burst_s = 0.0 if self._analyser.settings.live else FRAME_BURST_S
        self._next_frame_s = max(self._next_frame_s, now - burst_s) + 1 / self._frames_per_second
        self._publish(keys.FRAMES, *frame_fields(frame, clock, self._analyser.model.card.name))

    def _send_status(self, status):
        self._publish(keys.STATUS, status)

    def _publish(self, port, fields, payload=b""):
        self.message_port_pub(pmt.intern(port), pdu.make_pdu(fields, payload))

    def _log_error(self, text):
        self.logger.error(text)

    def _handle_command(self, message):
        try:
            for key, value in pdu.parse_command(message).items():
                if key == keys.FREQ:
                    self.set_center_frequency(value)
                elif key == keys.RESET:
                    self._analyser.reset_carriers()
                else:
                    raise ValueError(f"unknown key {key!r}")
        except (TypeError, ValueError, RuntimeError, RpmsnError) as error:
            self.logger.warn(f"command {message} was ignored ({error}); send a dict with 'freq' (Hz) or 'reset'")


def _listed(names):
    """A list of names, also where they are given as text with commas in between."""
    return [part.strip() for part in names.split(",") if part.strip()] if isinstance(names, str) else list(names)
