# SPDX-License-Identifier: GPL-3.0-or-later
"""Sink block: steps a radio through a range that is wider than its span, and reports the carriers in it."""

from collections.abc import Sequence

import numpy as np
import pmt
from gnuradio import gr

from rpmsn.classes import CLASS_NAMES
from rpmsn.messages import keys
from rpmsn.messages.results import segment_fields
from rpmsn.models.choice import model_for_rate
from rpmsn.models.model import load_model
from rpmsn.recording.logs import open_log
from rpmsn.runtimes import AUTO
from rpmsn.scanning.panorama import Picture
from rpmsn.scanning.plan import USABLE, Plan
from rpmsn.scanning.scanner import Scanner, ScanSettings
from rpmsn.signal.image import DB_MAX, DB_MIN
from rpmsn.tracking.carrier import Carrier

from . import pdu, tags

COMMAND = "command"
TIME = "time"
PICTURE_COLUMNS = 2048
INPUT_MULTIPLE = 8192


class band_scanner(gr.sync_block):
    """Scans a range of frequencies with a radio, over and over.

    Tunes the radio to one step after the other, discards what comes before it has settled, analyses a frame of each
    step, and puts the steps of a sweep side by side. A carrier that is wider than the radio's span is found whole: one
    of 20 MHz that a radio of 2.4 Msps sees in ten pieces is one carrier. docs/scanner.md has the rules.

    Ports:
        in: complex samples of full scale 1.0, with tags `rx_freq` after every retune (radio_source sends them, and
            UHD's source; with a source that does not, every step takes a second longer) and perhaps `rx_time` and
            `rx_rate`. A rate that is not the scan's (to 0.01 %) is reported, and nothing is analysed until it is.
        command (out): dict {freq: Hz} for the source's port `command` (UHD, radio_source) or `cmd` (Soapy); with `time`
            where `timed`.
        segments (out): after a sweep one PDU for every carrier in it, and one for every carrier that is gone.
        frames (out): after a sweep the picture of the whole range.
        status (out): once a second; also step, sweep and revisit time.

    Args:
        lower, upper: ends of the range, Hz.
        sample_rate: of the radio, Hz, 1e6 to 125e6.
        settle_seconds: discarded after the radio reports the tune; 0.1 for an RTL-SDR, 0.02 for a USRP.
        dwell_frames: frames of 40 ms to average in each step, 1 to 100.
        usable: fraction of the span that a step counts for, 0.1 to 1.
        timed: True where the source takes the key `time` (UHD): the tune happens at a known sample.
        model: name of a model that ships, or path of a model card; "" for the one that suits the rate.
        runtime: what runs the network.
        threads: of the network.
        logs: paths of files to write carriers to, separated by commas or as a list.

    Example:
        source = rpmsn.radio_source("driver=rtlsdr", 2.4e6, 700e6, gain=30)
        scanner = rpmsn.band_scanner(700e6, 1000e6, 2.4e6)
        tb.connect(source, scanner)
        tb.msg_connect((scanner, "command"), (source, "command"))
    """

    def __init__(
        self,
        lower: float,
        upper: float,
        sample_rate: float,
        settle_seconds: float = 0.1,
        dwell_frames: int = 1,
        usable: float = USABLE,
        timed: bool = False,
        model: str = "",
        runtime: str = AUTO,
        threads: int = 1,
        logs: str | Sequence[str] = (),
    ) -> None:
        gr.sync_block.__init__(self, "band_scanner", [np.complex64], None)
        plan = Plan(float(lower), float(upper), float(sample_rate), float(usable))
        settings = ScanSettings(float(settle_seconds), int(dwell_frames), bool(timed), runtime, threads)
        self._log_paths = [part.strip() for part in logs.split(",") if part.strip()] if isinstance(logs, str) else logs
        self._scanner = Scanner(
            plan,
            load_model(model or model_for_rate(sample_rate)),
            self._send_tune,
            settings,
            on_sweep=self._send_sweep,
            on_status=self._send_status,
            on_error=self._log_error,
        )
        self._open_logs()
        self.set_output_multiple(INPUT_MULTIPLE)
        for port in (COMMAND, keys.SEGMENTS, keys.FRAMES, keys.STATUS):
            self.message_port_register_out(pmt.intern(port))

    def start(self) -> bool:
        """Called by GNU Radio when the flowgraph starts."""
        if self._logs_are_closed:
            self._open_logs()
        self._sent_until = None
        self._scanner.start()
        return True

    def stop(self) -> bool:
        """Called by GNU Radio at the end."""
        self._scanner.stop()
        self._logs_are_closed = True
        return True

    def carriers(self) -> list[Carrier]:
        """Carriers on the air, lowest frequency first."""
        return self._scanner.carriers()

    def picture(self) -> Picture | None:
        """The last whole sweep; None before there is one."""
        return self._scanner.picture()

    def status(self) -> dict:
        """State of the scan; docs/scanner.md has the keys."""
        return self._scanner.status()

    def work(self, input_items: list[np.ndarray], output_items: list[np.ndarray]) -> int:
        """Pass samples on, following the tags at their places."""
        samples = input_items[0]
        try:
            self._take(samples)
        except Exception as error:  # a block that raises here hangs the whole flowgraph silently
            self._scanner.fail(f"samples could not be taken: {error}")
        return len(samples)

    def _take(self, samples):
        for first, run, found in tags.runs(self, samples):
            if len(run):
                self._scanner.write(run, first)
            if found:
                self._follow(found, first + len(run))

    def _follow(self, found, offset):
        """Apply the tags of one sample."""
        tagged = tags.read(found, self._scanner.fail)
        self._scanner.follow(offset, tagged.center_frequency, tagged.seconds, tagged.sample_rate)

    def _open_logs(self):
        model = self._scanner.model.card.name
        self._scanner.outputs = [open_log(path, per="carrier", model=model) for path in self._log_paths]
        self._logs_are_closed = False

    def _send_tune(self, frequency, moment):
        message = pmt.dict_add(pmt.make_dict(), pmt.intern(keys.FREQ), pmt.from_double(frequency))
        if moment is not None:
            when = pmt.cons(pmt.from_uint64(int(moment[0])), pmt.from_double(float(moment[1])))
            message = pmt.dict_add(message, pmt.intern(TIME), when)
        self.message_port_pub(pmt.intern(COMMAND), message)

    def _send_sweep(self, picture, events, sweep):
        """Send a sweep (None after the last one) and its events; in the analysing thread.

        Sweeps follow each other without a gap, and a carrier has the samples of the sweep that shows it, so that a
        waterfall puts its box over the whole row; its time is that of the first step that shows it.
        """
        model = self._scanner.model.card.name
        if picture is None:
            for event, clock in events:
                self._publish(keys.SEGMENTS, segment_fields(event, clock, sweep, keys.HEALTH_OK, model))
            return
        geometry = picture.geometry
        end = geometry.start_offset + geometry.samples
        start = geometry.start_offset if self._sent_until is None else self._sent_until
        self._sent_until = end
        for event, clock in events:
            fields = segment_fields(event, clock, sweep, keys.HEALTH_OK, model)
            self._publish(keys.SEGMENTS, {**fields, keys.START_OFFSET: start, keys.END_OFFSET: end})
        image, mask = picture.reduced(PICTURE_COLUMNS)
        self._publish(
            keys.FRAMES,
            {
                keys.PDU_NUM: sweep,
                keys.ROWS: image.shape[0],
                keys.COLUMNS: image.shape[1],
                keys.MASK: mask,
                keys.CLASSES: list(CLASS_NAMES),
                keys.CENTER_FREQUENCY: geometry.center_frequency,
                keys.SAMPLE_RATE: geometry.span,
                keys.START_OFFSET: start,
                keys.END_OFFSET: end,
                keys.RX_TIME: picture.clock.at(start),
                keys.TIME_SOURCE: picture.clock.source,
                keys.DURATION: (end - start) / self._scanner.plan.sample_rate,
                keys.DB_MIN: DB_MIN,
                keys.DB_MAX: DB_MAX,
                keys.NOISE_FLOOR_DB: float(np.median(picture.floor_db)),
                keys.MODEL: model,
            },
            image,
        )

    def _send_status(self, status):
        self._publish(keys.STATUS, status)

    def _publish(self, port, fields, payload=b""):
        self.message_port_pub(pmt.intern(port), pdu.make_pdu(fields, payload))

    def _log_error(self, text):
        self.logger.error(text)
