#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a model finds in annotated recordings, beside what is there.

    .venv/bin/python benchmarks/recordings.py FOLDER [--model rpmsn-rt]

Prints a table for every SigMF recording in FOLDER.
"""
import argparse
import sys
from pathlib import Path

from rpmsn import report
from rpmsn.errors import RpmsnError
from rpmsn.inference.analysis import RecordingAnalyser
from rpmsn.inference.model import load_model
from rpmsn.models import DEFAULT_MODEL
from rpmsn.recording import open_recording


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    options = parser.parse_args()
    recordings = sorted(options.folder.glob("*.sigmf-meta"))
    if not recordings:
        sys.exit(f"recordings: there is no .sigmf-meta file in {options.folder}")
    try:
        model = load_model(options.model)
        for path in recordings:
            with open_recording(path) as recording:
                result = RecordingAnalyser(recording, model).run()
                print(f"\n{path.name}: {recording.sample_rate / 1e6:g} Msps, {recording.duration * 1e3:.0f} ms")
                print(report.format_comparison(recording.annotations, result.carriers))
                for warning in result.warnings:
                    print(f"  {warning}")
    except RpmsnError as error:
        sys.exit(f"recordings: {error}")


if __name__ == "__main__":
    main()
