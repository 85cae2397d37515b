#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the rpmsn on PYTHONPATH finds in recordings: the part of `accuracy.py` that runs on either version.

    PYTHONPATH=OTHER/python .venv/bin/python benchmarks/accuracy_analyse.py FOLDER RUNTIME CELLS RECORDING...

Writes FOLDER/<recording>.json with the carriers, and FOLDER/<recording>.npy with the mask of a recording of one frame,
by what was known of its cells at the end.
A recording that has its .json is left out. CELLS is 1 or 0; versions before 0.8 have none.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np

try:
    from rpmsn.models.model import load_model
    from rpmsn.streaming.analysis import RecordingAnalyser

    HAS_CELLS = True
except ImportError:
    from rpmsn.inference.analysis import RecordingAnalyser
    from rpmsn.inference.model import load_model

    HAS_CELLS = False

from rpmsn.recording import open_recording


def main() -> None:
    """Analyse the recordings of the command line."""
    folder, runtime, cells = Path(sys.argv[1]), sys.argv[2], sys.argv[3] == "1"
    folder.mkdir(parents=True, exist_ok=True)
    model = load_model("rpmsn-rt")
    for path in map(Path, sys.argv[4:]):
        written = folder / f"{path.stem}.json"
        if written.exists():
            continue
        begun, judged, frames = time.process_time(), 0, 0
        with open_recording(path) as recording:
            more = {"cells": cells} if HAS_CELLS else {}
            analyser = RecordingAnalyser(recording, model, runtime=runtime, **more)
            for frame, _ in analyser.frames():
                judged += frame.condition.judged
                frames += 1
        if frames == 1:
            has_settled = hasattr(analyser.tracker, "settled_mask")  # not before 0.16
            mask = analyser.tracker.settled_mask(frame) if has_settled else frame.mask
            np.save(written.with_suffix(".npy"), mask[: frame.geometry.rows])
        carriers = [
            (one.label, one.freq_lower, one.freq_upper, getattr(one, "verdict", ""), one.confidence)
            for one in analyser.result.carriers
        ]
        found = {
            "carriers": carriers,
            "judged": judged,
            "frames": frames,
            "warnings": analyser.result.warnings,
            "cpu_s": time.process_time() - begun,
        }
        written.write_text(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
