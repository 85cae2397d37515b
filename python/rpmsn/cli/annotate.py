# SPDX-License-Identifier: GPL-3.0-or-later
"""`rpmsn annotate`: the carriers in a recording, as SigMF annotations."""

import argparse
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

from ..errors import RecordingError
from . import options as given

if TYPE_CHECKING:
    from ..streaming.analysis import Analysis


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "annotate",
        help="find the carriers in a recording and write them as SigMF annotations",
        description="Finds the carriers in a recording, prints them, and writes them as SigMF annotations, "
        "one a carrier.",
        epilog="Example: rpmsn annotate band.sigmf-meta; "
        "rpmsn annotate band.bin --format ci8 --sample-rate 19.2M --center-frequency 1867.5M",
    )
    given.add_input(parser)
    parser.add_argument(
        "--output",
        metavar="OUT",
        help="where to write: a .sigmf-meta path that does not exist yet "
        "(default: beside IN, under a name that overwrites nothing)",
    )
    parser.add_argument("--overwrite", action="store_true", help="let OUT replace a file that exists")
    given.add_model(parser)
    given.add_workers(parser)
    given.refuse_threads(parser)
    given.add_runtime(parser)
    given.add_quiet(parser)
    parser.add_argument(
        "--per-frame", action="store_true", help="one annotation for every segment of every frame, not one a carrier"
    )
    parser.add_argument(
        "--frame-seconds",
        type=given.frame_seconds,
        metavar="S",
        help="length of a frame, 0.01 to 0.2 (default: what the model was trained with)",
    )
    parser.add_argument(
        "--average-frames",
        type=given.count,
        default=1,
        metavar="N",
        help="average the scores over so many frames (default: %(default)s)",
    )
    given.add_duty_cycle(parser)
    given.add_cells(parser)
    parser.add_argument("--json", action="store_true", help="print the result as JSON, for machines")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Analyse, write, print."""
    from ..models.model import load_model
    from ..progress import progress_bar
    from ..recording import check_output, default_output, write_annotations
    from ..runtimes import check_name
    from ..signal.sums import expect_samples
    from ..streaming.analysis import RecordingAnalyser
    from . import report

    check_name(options.runtime)
    model = load_model(options.model)
    with given.open_input(options.input, options) as recording:
        output = Path(options.output) if options.output else default_output(recording)
        check_output(output, overwrite=options.overwrite)
        expect_samples(recording.sample_count)
        analyser = RecordingAnalyser(
            recording,
            model,
            options.workers,
            options.runtime,
            options.frame_seconds,
            options.average_frames,
            options.duty_cycle,
            options.per_frame,
            options.cells,
        )
        with progress_bar(
            recording.duration, "s", recording.path.name, options.quiet, in_logs=False, unit_scale=True
        ) as progress:
            for frame, _ in analyser.frames():
                progress.update((frame.end_offset - frame.new_from) / recording.sample_rate)
        found = _segments_of(analyser.result) if options.per_frame else analyser.result.carriers
        print_result = report.print_json if options.json else report.print_table
        written = None
        try:
            if analyser.result.judged or found:
                written = write_annotations(
                    recording, found, output, overwrite=options.overwrite, model=model.card.name
                )
        finally:  # a result that cannot be written may be the work of hours
            print_result(recording, model, analyser.result, written)
    if written is None:
        raise RecordingError(
            f"no frame of {recording.path.name} was fit to be judged, so no annotations were written, since none would "
            "read as an empty band; see above what is wrong with the input"
        )


def _segments_of(result: "Analysis") -> list[SimpleNamespace]:
    """The carriers that are reported, once for each of their segments, as `write_annotations` takes them."""
    from ..messages.results import carrier_values

    reported = {carrier.carrier_id for carrier in result.carriers}
    return [
        SimpleNamespace(
            **carrier_values(carrier),
            sample_start=segment.start_offset,
            carrier_id=carrier.carrier_id,
            sample_count=segment.end_offset - segment.start_offset,
        )
        for segment, carrier in result.segments
        if carrier.carrier_id in reported
    ]
