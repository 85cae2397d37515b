# SPDX-License-Identifier: GPL-3.0-or-later
"""Sink block: wideband samples in; segments, frames and status out, as messages."""
import threading
import time

import numpy as np
import pmt
from gnuradio import gr

from rpmsn.classes import CLASS_NAMES
from rpmsn.errors import ParameterError, RpmsnError
from rpmsn.inference.carriers import Tracker, consolidate
from rpmsn.inference.model import DEFAULT_MODEL, load_model
from rpmsn.inference.runtimes import AUTO
from rpmsn.inference.segmenter import Framer, Segmenter
from rpmsn.inference.stream import Intake, StreamTime
from rpmsn.spectrogram import DB_MAX, DB_MIN, frame_length

from . import pdu, tags

COMMAND = "command"
MODES = ("live", "replay")
LIVE_MULTIPLE = 65536
STATUS_SECONDS = 1.0
WAIT_SECONDS = 0.05


class segmenter_sink(gr.sync_block):
    """Labels what is on the air: noise, LTE, NR or other.

    Collects frames of 40 ms, makes an image of each, runs the network on it and sends what it found. `work()` only
    copies; everything else happens in one worker thread.

    Mode `live` never holds up the radio: when the analysis is late, whole frames are dropped, counted, and reported
    as coverage below 1. Mode `replay` never drops a sample: it holds up the source instead.

    Ports:
        in: complex samples, full scale 1.0. Tags `rx_time`, `rx_freq` and `rx_rate` (as UHD, Soapy and sigmf_source
            send them) are followed: a new frequency or rate starts a new frame, and a jump in time is a gap, whose
            samples are counted as lost. `stream_end` (from sigmf_source) lets the last messages arrive before the
            flowgraph ends.
        segments (out): one PDU for every segment of a frame, and one for every carrier that is gone.
        frames (out): the image and mask of a frame, at most `frames_per_second`.
        status (out): once a second: rates, coverage, drops, latency, health of the input.
        command (in): a dict; `freq` (double, Hz) tells the centre frequency where no tag does, `reset` (any value)
            forgets the carriers.
        The keys of all messages are in `gnuradio.rpmsn.pdu` and docs/messages.md.

    Messages that are sent while the flowgraph stops may not arrive (GNU Radio drops them), except at a `stream_end`.
    After it has stopped, `carriers()` and `status()` hold the whole result.

    Args:
        sample_rate: Hz, 1e6 to 125e6.
        center_frequency: Hz; 0 if it is not known.
        model: name of a model that ships, or path of a model card.
        mode: `live` or `replay`.
        frames_per_second: upper limit for messages on `frames`; 0 for none at all.
        threads: of the network; leave one core to GNU Radio.
        runtime: what runs the network: `auto` (the fastest there is), or a name that `rpmsn doctor` lists.

    Example:
        sink = rpmsn.segmenter_sink(61.44e6, 1.84e9, mode="live")
        tb.connect(source, sink)
        tb.msg_connect((sink, "frames"), (overlay, "frames"))
    """

    def __init__(self, sample_rate, center_frequency=0.0, model=DEFAULT_MODEL, mode="live", frames_per_second=10.0,
                 threads=1, runtime=AUTO):
        gr.sync_block.__init__(self, "segmenter_sink", [np.complex64], None)
        if mode not in MODES:
            raise ParameterError(f"mode is {mode!r}, but 'live' (for a radio) or 'replay' (for a file) is allowed")
        if frames_per_second < 0:
            raise ParameterError(f"frames_per_second is {frames_per_second:g}, but 0 (none) or more is allowed")
        self._mode = mode
        self._model = load_model(model)
        self._threads = threads
        self._segmenter = Segmenter(self._model, sample_rate, threads, runtime)
        for warning in self._segmenter.warnings:
            self.logger.warn(warning)
        self._frames_per_second = float(frames_per_second)
        self._sample_rate = float(sample_rate)
        self._center_frequency = float(center_frequency)
        self._clock = None
        self._worker = None
        self._reset_results()
        if mode == "live":
            # Large calls keep Python's share per sample small. Not for files: their tail would never be delivered.
            self.set_output_multiple(LIVE_MULTIPLE)
        for port in (pdu.SEGMENTS, pdu.FRAMES, pdu.STATUS):
            self.message_port_register_out(pmt.intern(port))
        self.message_port_register_in(pmt.intern(COMMAND))
        self.set_msg_handler(pmt.intern(COMMAND), self._handle_command)

    def start(self):
        """Called by GNU Radio when the flowgraph starts."""
        self._clock = None
        self._reset_results()
        self._worker = threading.Thread(target=self._work_off, name="rpmsn segmenter")
        self._worker.start()
        return True

    def stop(self):
        """Called by GNU Radio at the end: the frames that were taken are finished (three at the most)."""
        if self._worker is not None:
            self._intake.close()
            self._worker.join()
            self._worker = None
        return True

    def set_center_frequency(self, center_frequency):
        """Centre frequency from here on, Hz; for sources that do not tag it."""
        with self._lock:
            self._next_frequency = float(center_frequency)

    def carriers(self):
        """Carriers found so far (list of rpmsn.inference.carriers.Carrier), lowest frequency first."""
        with self._lock:
            return consolidate(self._tracker.carriers)

    def status(self):
        """What the `status` port sends, as a dict."""
        intake = self._intake
        with self._lock:
            counted = self._analysed + intake.dropped + self._unusable
            is_running = self._worker is not None and self._worker.is_alive()
            elapsed = max((time.monotonic() if is_running else self._last_report) - self._started, 1e-9)
            fields = {
                pdu.MODE: self._mode,
                pdu.SAMPLE_RATE: self._sample_rate,
                pdu.CENTER_FREQUENCY: self._center_frequency,
                pdu.SAMPLES_RECEIVED: intake.received,
                pdu.SAMPLES_ANALYSED: self._analysed,
                pdu.SAMPLES_DROPPED: intake.dropped + self._unusable,
                pdu.SAMPLES_LOST: self._lost,
                pdu.FRAMES_ANALYSED: self._frames,
                pdu.FRAMES_DROPPED: intake.frames_dropped,
                pdu.COVERAGE: self._analysed / counted if counted else 1.0,
                pdu.REAL_TIME_FACTOR: self._analysed / self._sample_rate / elapsed,
                pdu.QUEUE: intake.waiting,
                pdu.LATENCY: self._latency,
                pdu.INFERENCE_TIME: self._inference_time,
                pdu.MODEL: self._model.card.name,
                pdu.RUNTIME: self._segmenter.runtime.name,
                pdu.HEALTH: self._health,
            }
            if self._error:
                fields[pdu.ERROR] = self._error
            return fields

    def work(self, input_items, output_items):
        """Copy samples and follow tags; nothing else happens in GNU Radio's thread."""
        samples = input_items[0]
        try:
            return self._take(samples)
        except Exception as error:  # a block that raises here hangs the whole flowgraph without a word
            self._fail(f"samples could not be taken: {error}")
            return len(samples)

    def _take(self, samples):
        if self._ended:
            # The last sample is held back until all messages are out: what is sent after the end does not arrive.
            self._worker.join(WAIT_SECONDS)
            return 0 if self._worker.is_alive() else len(samples)
        first = self.nitems_read(0)
        if self._clock is None:
            self._clock = StreamTime.of_host(first, self._sample_rate)
        if self._next_frequency is not None:
            with self._lock:
                frequency, self._next_frequency = self._next_frequency, None
            self._retune(frequency)
        changes = {}
        for tag in self.get_tags_in_window(0, 0, len(samples)):
            changes.setdefault(tag.offset - first, {})[pmt.symbol_to_string(tag.key)] = tag.value
        end = next((place + 1 for place, found in sorted(changes.items()) if tags.STREAM_END in found), None)
        done = self._write(samples[:end], first, changes)
        if end is not None and done == end:
            self._ended = True
            self._intake.close()
            return done - 1
        return done

    def _write(self, samples, first, changes):
        """Hand samples on, following the tags at their places; returns how many were taken."""
        done = 0
        for place in sorted(place for place in changes if place < len(samples)) + [len(samples)]:
            if place > done:
                taken = self._intake.write(samples[done:place], first + done, self._center_frequency, self._clock)
                done += taken
                if done < place:
                    return done
            if place in changes:
                # A tag is met again when the call before stopped at its sample; applying it twice changes nothing.
                self._follow(changes[place], first + place)
        return done

    def _follow(self, found, offset):
        """Apply the tags of one sample: rate first, since time is counted in it."""
        if tags.RX_RATE in found:
            self._change_rate(pmt.to_double(found[tags.RX_RATE]), offset)
        if tags.RX_FREQ in found:
            self._retune(pmt.to_double(found[tags.RX_FREQ]))
        if tags.RX_TIME in found:
            seconds, fraction = pmt.to_python(found[tags.RX_TIME])
            self._set_time(offset, seconds, fraction)

    def _retune(self, frequency):
        if frequency != self._center_frequency:
            self._intake.cut()
            self._center_frequency = frequency

    def _change_rate(self, rate, offset):
        if rate == self._sample_rate:
            return
        self._intake.cut()
        try:
            self._intake.resize(frame_length(rate, self._model.card.frame_seconds))
        except ParameterError as error:
            self._fail(f"a tag says another sample rate: {error}")
            return
        seconds, fraction = self._clock.at(offset)
        self._clock = StreamTime(offset, seconds, fraction, rate, self._clock.source)
        self._sample_rate = rate

    def _set_time(self, offset, seconds, fraction):
        """A time stamp: at the start it sets the clock, later one that does not fit is a gap."""
        source = "radio" if self._mode == "live" else "file"
        if self._clock.source == source:
            lost = self._clock.lost_before(offset, seconds, fraction)
            if lost == 0:
                return
            self._intake.cut()
            with self._lock:
                self._lost += max(0, lost)
        self._clock = StreamTime(offset, seconds, fraction, self._sample_rate, source)

    def _reset_results(self):
        self._lock = threading.Lock()
        frame_samples = frame_length(self._sample_rate, self._model.card.frame_seconds)
        self._intake = Intake(frame_samples, self._mode == "live")
        self._tracker = Tracker()
        self._started = self._last_report = time.monotonic()
        self._analysed = self._unusable = self._lost = self._frames = 0
        self._latency = self._inference_time = 0.0
        self._health, self._error = pdu.HEALTH_OK, ""
        self._next_frequency = None
        self._last_frame_sent = self._last_status = -np.inf
        self._framer = None
        self._clocks = {}
        self._ended = False

    def _work_off(self):
        """The worker thread: analyse what comes until the intake is closed and empty."""
        while not self._intake.finished:
            job = self._intake.get(timeout=0.2)
            if job is not None:
                try:
                    self._analyse(job)
                except Exception as error:  # one frame lost is better than a flowgraph that hangs
                    self._framer = None
                    with self._lock:
                        self._unusable += len(job.samples)
                    self._fail(f"a frame could not be analysed: {error}")
                finally:
                    self._intake.done(job)
            self._send_status()
        try:
            self._flush()
            with self._lock:
                events = self._tracker.finish()
            for event in events:
                self._send_segment(event, self._frames)
        except Exception as error:
            self._fail(f"the last frame could not be analysed: {error}")
        self._send_status(at_once=True)

    def _analyse(self, job):
        if self._segmenter.sample_rate != job.time.sample_rate:
            self._flush()
            self._segmenter = Segmenter(self._model, job.time.sample_rate, self._threads, self._segmenter.runtime)
        if self._framer is None or not self._continues(job):
            self._flush()
            self._framer = Framer(self._segmenter, job.center_frequency, job.start_offset, self._frames)
        self._job_time, self._job_filled_at = job.time, job.filled_at
        self._framer_end = job.start_offset + len(job.samples)
        started = time.monotonic()
        for frame in self._framer.push(job.samples):
            self._report(frame, time.monotonic() - started)
            started = time.monotonic()
        if job.ends:
            self._flush()

    def _continues(self, job):
        """Whether a job follows the last one without a break."""
        return job.start_offset == self._framer_end and job.center_frequency == self._framer.center_frequency

    def _flush(self):
        """Analyse what is left of the stretch that ends here."""
        if self._framer is None:
            return
        framer, self._framer = self._framer, None
        started = time.monotonic()
        for frame in framer.flush():
            self._report(frame, time.monotonic() - started)
        with self._lock:
            self._unusable += framer.skipped

    def _report(self, frame, seconds):
        """Count a frame and send what it holds."""
        with self._lock:
            self._frames += 1
            self._analysed += frame.end_offset - frame.new_from
            self._inference_time = seconds
            self._last_report = time.monotonic()
            self._latency = self._last_report - self._job_filled_at
            self._health = frame.health
            events = self._tracker.update(frame)
        for event in events:
            self._send_segment(event, frame.number)
        self._send_frame(frame)

    def _send_segment(self, event, frame_number):
        source = event.segment or event.carrier
        # A carrier that is gone is told in the time of its beginning, which a gap since then has changed.
        begun = self._clocks.setdefault(event.carrier.carrier_id, self._job_time)
        clock = self._job_time if event.segment else begun
        if event.kind == "gone":
            del self._clocks[event.carrier.carrier_id]
        start, end = ((source.start_offset, source.end_offset) if event.segment
                      else (source.sample_start, source.sample_end))
        self._publish(pdu.SEGMENTS, {
            pdu.LABEL: source.label, pdu.CLASS_ID: source.class_id, pdu.CONFIDENCE: source.confidence,
            pdu.CENTER_FREQUENCY: source.center_frequency, pdu.BANDWIDTH: source.bandwidth,
            pdu.FREQ_LOWER: source.freq_lower, pdu.FREQ_UPPER: source.freq_upper,
            pdu.START_OFFSET: start, pdu.END_OFFSET: end,
            pdu.RX_TIME: clock.at(start), pdu.TIME_SOURCE: clock.source,
            pdu.DURATION: (end - start) / source.sample_rate, pdu.SAMPLE_RATE: source.sample_rate,
            pdu.SNR_DB: source.snr_db, pdu.PWR_DB: source.pwr_db, pdu.BURST_ID: event.carrier.carrier_id,
            pdu.EVENT: event.kind, pdu.PDU_NUM: frame_number, pdu.MODEL: self._model.card.name,
        })

    def _send_frame(self, frame):
        now = time.monotonic()
        if self._frames_per_second == 0 or now - self._last_frame_sent < 1 / self._frames_per_second:
            return
        self._last_frame_sent = now
        geometry = frame.geometry
        # Of a last frame that reaches back, and of a short one that was repeated, only the rows that are new.
        first_row = (frame.new_from - geometry.start_offset) * geometry.rows // geometry.samples
        image, mask = frame.image[first_row:geometry.rows], frame.mask[first_row:geometry.rows]
        self._publish(pdu.FRAMES, {
            pdu.PDU_NUM: frame.number, pdu.ROWS: image.shape[0], pdu.COLUMNS: image.shape[1],
            pdu.MASK: mask, pdu.CLASSES: list(CLASS_NAMES),
            pdu.CENTER_FREQUENCY: geometry.center_frequency, pdu.SAMPLE_RATE: geometry.sample_rate,
            pdu.START_OFFSET: frame.new_from, pdu.END_OFFSET: frame.end_offset,
            pdu.RX_TIME: self._job_time.at(frame.new_from), pdu.TIME_SOURCE: self._job_time.source,
            pdu.DURATION: (frame.end_offset - frame.new_from) / geometry.sample_rate,
            pdu.DB_MIN: DB_MIN, pdu.DB_MAX: DB_MAX, pdu.NOISE_FLOOR_DB: frame.floor_db, pdu.MODEL: self._model.card.name,
        }, image)

    def _send_status(self, at_once=False):
        now = time.monotonic()
        if at_once or now - self._last_status >= STATUS_SECONDS:
            self._last_status = now
            self._publish(pdu.STATUS, self.status())

    def _publish(self, port, fields, payload=b""):
        self.message_port_pub(pmt.intern(port), pdu.make_pdu(fields, payload))

    def _fail(self, text):
        """Say what went wrong, in the log and in the next status; the stream goes on."""
        self.logger.error(text)
        with self._lock:
            self._error = text

    def _handle_command(self, message):
        try:
            command = pmt.to_python(message)
            if not isinstance(command, dict):
                raise ValueError("not a dict")
            for key, value in command.items():
                if key == pdu.FREQ:
                    self.set_center_frequency(value)
                elif key == "reset":
                    with self._lock:
                        self._tracker = Tracker()
                else:
                    raise ValueError(f"unknown key {key!r}")
        except (TypeError, ValueError, RuntimeError, RpmsnError) as error:
            self.logger.warn(f"command {message} was ignored ({error}); send a dict with 'freq' (Hz) or 'reset'")
