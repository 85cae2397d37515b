#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replay a recording through the blocks into the waterfall, then compare what was found with what is annotated.

    .venv/bin/python examples/replay_window.py RECORDING.sigmf-meta [--picture OUT.png] [--close]

The window stays until it is closed; with --close it closes itself at the end of the recording.
"""

import argparse
import math
import sys
from pathlib import Path

from gnuradio import gr
from gnuradio import rpmsn as blocks
from PyQt5 import QtCore, QtWidgets  # before pyqtgraph, which would take another Qt

from rpmsn import interrupts, tables
from rpmsn.cli import report
from rpmsn.errors import RpmsnError
from rpmsn.messages import keys
from rpmsn.models import DEFAULT_MODEL
from rpmsn.recording import check_output, default_output, open_recording, write_annotations
from rpmsn.signal.image import FRAME_SECONDS

HISTORY_FRAMES, PICTURE_ROWS = 64, 512
POLL_MS = 100
SETTLE_MS = 600


class Replay(gr.top_block):
    """sigmf_source -> segmenter_sink -> waterfall_overlay."""

    def __init__(self, path, model):
        gr.top_block.__init__(self, "RPMSN replay")
        self.source = blocks.sigmf_source(path, output_type="native")
        self.sink = blocks.segmenter_sink(
            self.source.sample_rate(),
            self.source.center_frequency(),
            model,
            mode="replay",
            frames_per_second=100,
            input_type=self.source.output_type(),
        )
        # A short recording fills the picture too.
        frames = min(HISTORY_FRAMES, math.ceil(self.source.duration() / FRAME_SECONDS))
        self.waterfall = blocks.waterfall_overlay(
            title=Path(path).name, history_frames=frames, rows_per_frame=min(256, PICTURE_ROWS // frames)
        )
        self.connect(self.source, self.sink)
        for port in (keys.FRAMES, keys.SEGMENTS, keys.STATUS):
            self.msg_connect((self.sink, port), (self.waterfall, port))


def show(path, model, picture, close):
    """Run the flowgraph with its window; returns it when the recording is over and the window closed."""
    application = QtWidgets.QApplication.instance() or QtWidgets.QApplication(sys.argv[:1])
    flowgraph = Replay(path, model)
    window = flowgraph.waterfall.widget()
    window.setWindowTitle("gr-rpmsn")
    window.resize(1280, 800)
    window.show()
    flowgraph.start()

    with open_recording(path) as recording:
        whole = recording.sample_count

    def poll():
        status = flowgraph.sink.status()
        if status[keys.SAMPLES_ANALYSED] + status[keys.SAMPLES_DROPPED] >= whole:
            timer.stop()
            QtCore.QTimer.singleShot(SETTLE_MS, finish)

    def finish():
        if picture:
            window.grab().save(str(picture))
        if close:
            application.quit()
        else:
            print("The recording is over; close the window to go on.", file=sys.stderr)

    timer = QtCore.QTimer()
    timer.timeout.connect(poll)
    timer.start(POLL_MS)
    with interrupts.handled(lambda _: application.quit()):
        application.exec_()
    timer.stop()
    flowgraph.stop()
    flowgraph.wait()
    return flowgraph


def build_parser():
    """The options."""
    parser = argparse.ArgumentParser(description="Replay a recording into the RPMSN waterfall.")
    parser.add_argument("recording", help="SigMF recording")
    parser.add_argument("--model", default=DEFAULT_MODEL, help="model to use (default: %(default)s)")
    parser.add_argument("--picture", help="save a picture of the window (.png)")
    parser.add_argument("--output", help="where to write the annotations (.sigmf-meta); default: next to the recording")
    parser.add_argument("--overwrite", action="store_true", help="let --output replace a file that exists")
    parser.add_argument("--close", action="store_true", help="close the window at the end of the recording")
    return parser


def main():
    options = build_parser().parse_args()
    try:
        with open_recording(options.recording) as recording:
            output = options.output or default_output(recording)
            check_output(output, overwrite=options.overwrite)
            flowgraph = show(options.recording, options.model, options.picture, options.close)
            carriers = flowgraph.sink.carriers()
            written = write_annotations(recording, carriers, output, overwrite=options.overwrite, model=options.model)
            if recording.annotations:
                print(report.format_comparison(recording.annotations, carriers))
            else:
                print(
                    tables.format_table(
                        report.COLUMNS, [report.row(carrier, recording.sample_rate) for carrier in carriers]
                    )
                )
    except RpmsnError as error:
        sys.exit(f"replay_window: {error}")
    status = flowgraph.sink.status()
    if status[keys.HEALTH] != keys.HEALTH_OK:
        print(f"Input: {status[keys.HEALTH]}")
    print(
        f"{status[keys.SAMPLES_ANALYSED]} of {status[keys.SAMPLES_RECEIVED]} samples analysed at "
        f"{status[keys.REAL_TIME_FACTOR]:.2f} times real time"
    )
    print(f"Annotations: {written}")
    if options.picture:
        print(f"Picture:     {options.picture}")


if __name__ == "__main__":
    main()
