#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a model finds in annotated recordings, next to the annotations.

    .venv/bin/python benchmarks/recordings.py FOLDER [--model rpmsn-rt] [--summary]

Prints a table for every SigMF recording in FOLDER, and at the end how many LTE and NR carriers were found with the
right label (frequency IoU of 0.5 or more), and how many were found where none of that label is.
"""

import argparse
import sys
from pathlib import Path

from rpmsn.cli import report
from rpmsn.errors import RpmsnError
from rpmsn.models import DEFAULT_MODEL
from rpmsn.models.model import load_model
from rpmsn.recording import open_recording
from rpmsn.streaming.analysis import RecordingAnalyser

JUDGED = ("LTE", "NR")
MIN_IOU = 0.5


def iou(one, other):
    """Intersection over union of two bands, (lower, upper) each; 0 or less where they are apart."""
    shared = min(one[1], other[1]) - max(one[0], other[0])
    return shared / (max(one[1], other[1]) - min(one[0], other[0]))


def count(annotations, carriers):
    """(true carriers of LTE and NR, how many of them were found, carriers found where there is none of their label)."""
    true = [
        (entry["core:label"], (entry["core:freq_lower_edge"], entry["core:freq_upper_edge"]))
        for entry in annotations
        if entry.get("core:label") in JUDGED and "core:freq_lower_edge" in entry
    ]
    found = [
        (carrier.label, (carrier.freq_lower, carrier.freq_upper)) for carrier in carriers if carrier.label in JUDGED
    ]
    hits = sum(any(label == other and iou(band, place) >= MIN_IOU for other, place in found) for label, band in true)
    false = sum(not any(label == other and iou(place, band) > 0 for other, place in true) for label, band in found)
    return len(true), hits, false


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--summary", action="store_true", help="only the last line")
    options = parser.parse_args()
    recordings = sorted(options.folder.glob("*.sigmf-meta"))
    if not recordings:
        sys.exit(f"recordings: there is no .sigmf-meta file in {options.folder}")
    totals, seconds = [0, 0, 0], 0.0
    try:
        model = load_model(options.model)
        for path in recordings:
            with open_recording(path) as recording:
                result = RecordingAnalyser(recording, model).run()
                totals = [sum(pair) for pair in zip(totals, count(recording.annotations, result.carriers))]
                seconds += recording.duration
                if options.summary:
                    continue
                print(f"\n{path.name}: {recording.sample_rate / 1e6:g} Msps, {recording.duration * 1e3:.0f} ms")
                print(report.format_comparison(recording.annotations, result.carriers))
                for warning in result.warnings:
                    print(f"  {warning}")
    except RpmsnError as error:
        sys.exit(f"recordings: {error}")
    print(
        f"\n{len(recordings)} recordings, {seconds:.2f} s: of {totals[0]} annotated LTE and NR carriers "
        f"{totals[1]} found with the right label; {totals[2]} LTE or NR where none of that label is, "
        f"{10 * totals[2] / seconds:.1f} in 10 s"
    )


if __name__ == "__main__":
    main()
