# SPDX-License-Identifier: GPL-3.0-or-later
"""`rpmsn annotate`: the carriers in recordings, as SigMF annotations."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import RecordingError
from . import options as given

if TYPE_CHECKING:
    from ..archive.annotating import Annotator, Settings
    from ..recording import Recording
    from ..streaming.analysis import Analysis


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "annotate",
        help="find the carriers in recordings and write them as SigMF annotations",
        description="Finds the carriers in a recording, prints them, and writes them as SigMF annotations, "
        "one a carrier. Of several recordings, of a folder with all in it, or of a pattern: prints a line each, and "
        "at the end what came back.",
        epilog="Example: rpmsn annotate band.sigmf-meta; "
        "rpmsn annotate band.bin --format ci8 --sample-rate 19.2M --center-frequency 1867.5M; "
        "rpmsn annotate campaign --output found --resume",
    )
    given.add_input(
        parser,
        words="recording: SigMF, WAV, or another kind of docs/formats.md; a folder; a pattern such as 'day*/*.cs16'; "
        "- for samples from stdin",
        nargs="+",
    )
    parser.add_argument(
        "--output",
        metavar="OUT",
        help="where to write: a .sigmf-meta path that does not exist yet, of several recordings a folder "
        "(default: beside IN; of one recording under a name that overwrites nothing)",
    )
    parser.add_argument("--overwrite", action="store_true", help="let OUT replace a file that exists")
    parser.add_argument(
        "--resume",
        action="store_true",
        help="keep annotations that were made by this version and model with these settings, from files of the same "
        "size and time of change (rpmsn:fingerprint in them says so), and make the others",
    )
    parser.add_argument(
        "--jobs",
        type=given.count,
        metavar="N",
        help="of several recordings: analysed at the same time, by a process each (default: one for each of the "
        f"{given.CORES} cores of this machine, as far as memory is free)",
    )
    given.add_model(parser)
    given.add_workers(
        parser,
        None,
        "frames of a recording analysed at the same time",
        f"{given.CORES}, the cores of this machine; of several recordings shared by --jobs",
    )
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
    parser.add_argument(
        "--json", action="store_true", help="print the result as JSON, for machines; of several recordings a line each"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Annotate one recording, or many."""
    from ..archive.listing import is_many

    if is_many(options.input) or options.resume:
        from . import annotate_many

        return annotate_many.run(options, settings(options))
    _run_one(options)
    return 0


def settings(options: argparse.Namespace) -> "Settings":
    """What the options say that annotations depend on."""
    from ..archive.annotating import Settings

    return Settings(
        options.format,
        options.sample_rate,
        options.center_frequency,
        options.channel,
        options.runtime,
        options.frame_seconds,
        options.average_frames,
        options.duty_cycle,
        options.per_frame,
        options.cells,
    )


def _run_one(options: argparse.Namespace) -> None:
    """Analyse, write, print."""
    from ..archive.annotating import Annotator, unfit
    from ..models.model import load_model
    from ..progress import progress_bar
    from ..recording import check_output, default_output
    from ..runtimes import check_name
    from . import report

    check_name(options.runtime)
    annotator = Annotator(load_model(options.model), settings(options))
    with annotator.open(options.input[0]) as recording:
        output = Path(options.output) if options.output else default_output(recording)
        check_output(output, overwrite=options.overwrite)
        fingerprint = annotator.fingerprint(recording.path, recording.meta_path)
        with progress_bar(
            recording.duration, "s", recording.path.name, options.quiet, in_logs=False, unit_scale=True
        ) as progress:
            result = annotator.analyse(recording, options.workers or given.CORES, progress.update)
        print_result = report.print_json if options.json else report.print_table
        written = None
        try:
            written = _write(options, annotator, recording, result, output, fingerprint)
        finally:  # a result that cannot be written may be the work of hours
            print_result(recording, annotator.model, result, written)
        if written is None:
            raise RecordingError(unfit(recording))


def _write(
    options: argparse.Namespace,
    annotator: "Annotator",
    recording: "Recording",
    result: "Analysis",
    output: Path,
    fingerprint: str,
) -> Path | None:
    """Write the annotations; a name that was not asked for gives way to one that has been taken meanwhile."""
    from ..recording import default_output

    while True:
        try:
            return annotator.write(recording, result, output, fingerprint, options.overwrite)
        except RecordingError:
            if options.output or options.overwrite or not os.path.lexists(output):
                raise
            output = default_output(recording)
