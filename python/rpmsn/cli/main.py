# SPDX-License-Identifier: GPL-3.0-or-later
"""The `rpmsn` command. Exit status: 0 done, 1 failed, 2 wrong use; results on stdout, everything else on stderr."""

import argparse
import logging
import math
import os
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

from ..errors import ParameterError, RpmsnError
from ..models import DEFAULT_MODEL
from ..version import __version__

EPILOG = "Each command has its own help: rpmsn annotate --help. To see it work: scripts/demo."


def main(arguments=None):
    """Run the command line; returns the exit status."""
    try:
        status = _run(build_parser().parse_args(arguments))
        print(end="", flush=True)  # a closed pipe shows here, and not when Python ends
        return status
    except BrokenPipeError:
        return _closed_pipe()


def _run(options):
    """Run one command; returns its exit status, with every error a user can mend told in a line on stderr."""
    logging.basicConfig(level=logging.WARNING, format="rpmsn: %(message)s", stream=sys.stderr)
    logging.getLogger("rpmsn").setLevel(logging.INFO)
    try:
        return options.run(options) or 0
    except BrokenPipeError:
        raise
    except KeyboardInterrupt:
        return _failed(options, "stopped by the keyboard; nothing half-written is left", 130)
    except ParameterError as error:
        return _failed(options, error, 2)
    except RpmsnError as error:
        return _failed(options, error)
    except ImportError as error:
        return _failed(options, f"{error}; `rpmsn doctor` tells what is missing and how to install it")
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _failed(options, f"{where}{error.strerror or error}")


def _failed(options, message, status=1):
    """Say what went wrong with the command; returns the exit status."""
    print(f"rpmsn {options.command}: {message}", file=sys.stderr)
    return status


def _closed_pipe():
    """Whoever read our output is gone (`| head`): end quietly."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1


def build_parser():
    """The parser with all commands."""
    parser = argparse.ArgumentParser(
        prog="rpmsn", epilog=EPILOG, description="See which cellular signals are on the air: LTE, 5G NR or other."
    )
    parser.add_argument("--version", action="version", version=f"gr-rpmsn {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for add in (
        _add_annotate,
        _add_info,
        _add_doctor,
        _add_grc,
        _add_synth,
        _add_train,
        _add_evaluate,
        _add_export,
        _add_import_authors,
        _add_bench,
        _add_devices,
        _add_monitor,
        _add_watch,
    ):
        add(commands)
    return parser


def _number(text):
    """A finite number as people write it (61.44e6), for argparse."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number; write it as 19.2e6")
    return number


def _count(text):
    """A whole number of at least 1, for argparse."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)


def _seed(text):
    """A whole number of at least 0, for argparse."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 0")
    return int(text)


def _add_input(
    parser, name="input", metavar="IN", words="SigMF recording (.sigmf-meta or .sigmf-data), or raw samples", **how
):
    """The argument and the options that name a recording."""
    parser.add_argument(name, metavar=metavar, help=words, **how)
    raw = parser.add_argument_group("raw samples", "for a file without SigMF metadata, or to overrule them")
    raw.add_argument("--format", metavar="TYPE", help="ci8, cu8, ci16 or cf32")
    raw.add_argument("--sample-rate", type=_number, metavar="HZ", help="such as 19.2e6")
    raw.add_argument("--center-frequency", type=_number, metavar="HZ", help="such as 1.8675e9")


def _open(options):
    from ..recording import open_recording

    return open_recording(
        options.input,
        datatype=options.format,
        sample_rate=options.sample_rate,
        center_frequency=options.center_frequency,
    )


def _add_running(parser):
    """The options of commands that run a network: what runs it, and how."""
    parser.add_argument(
        "--threads",
        type=_count,
        default=os.cpu_count() or 1,
        metavar="N",
        help="threads of the network (default: %(default)s, the cores of this machine)",
    )
    _add_runtime(parser)


def _add_runtime(parser):
    """The options that say what runs the network, and whether its progress is shown."""
    parser.add_argument(
        "--runtime",
        default="auto",
        metavar="NAME",
        help="what runs the network: auto (the fastest, found by a short trial at first use), or one "
        "that `rpmsn doctor` lists, such as torch (default: %(default)s)",
    )
    parser.add_argument("--quiet", action="store_true", help="no progress bar")


def _add_rule(parser):
    """The option that names the label policy of masks."""
    parser.add_argument(
        "--policy",
        default="occupied",
        metavar="NAME",
        help="label policy of masks: occupied, filled, split, filled_split or published (default: %(default)s)",
    )


def _add_annotate(commands):
    parser = commands.add_parser(
        "annotate",
        help="find the carriers in a recording and write them as SigMF annotations",
        description="Finds the carriers in a recording, prints them, and writes them as SigMF annotations, "
        "one a carrier.",
        epilog="Example: rpmsn annotate band.sigmf-meta; "
        "rpmsn annotate band.bin --format ci8 --sample-rate 19.2e6 --center-frequency 1.8675e9",
    )
    _add_input(parser)
    parser.add_argument(
        "--output",
        metavar="OUT",
        help="where to write: a .sigmf-meta path that does not exist yet "
        "(default: beside IN, under a name that overwrites nothing)",
    )
    parser.add_argument("--overwrite", action="store_true", help="let OUT replace a file that exists")
    parser.add_argument(
        "--model",
        default=DEFAULT_MODEL,
        metavar="NAME",
        help="model to use, by name or path of its card (default: %(default)s)",
    )
    parser.add_argument(
        "--workers",
        "--threads",
        type=_count,
        default=os.cpu_count() or 1,
        metavar="N",
        help="frames analysed at the same time (default: %(default)s, the cores of this machine)",
    )
    _add_runtime(parser)
    parser.add_argument(
        "--per-frame", action="store_true", help="one annotation for every segment of every frame, not one a carrier"
    )
    parser.add_argument(
        "--frame-seconds",
        type=_number,
        metavar="S",
        help="length of a frame, 0.01 to 0.2 (default: what the model was trained with)",
    )
    parser.add_argument(
        "--average-frames",
        type=_count,
        default=1,
        metavar="N",
        help="average the scores over so many frames (default: %(default)s)",
    )
    parser.add_argument(
        "--duty-cycle",
        type=_number,
        default=1.0,
        metavar="FRACTION",
        help="analyse only this fraction of the frames, above 0 to 1 (default: all)",
    )
    parser.add_argument("--json", action="store_true", help="print the result as JSON, for machines")
    parser.set_defaults(run=_annotate)


def _annotate(options):
    from tqdm import tqdm

    from ..models.model import load_model
    from ..recording import check_output, default_output, write_annotations
    from ..runtimes import check_name
    from ..streaming.analysis import RecordingAnalyser
    from . import report

    check_name(options.runtime)
    model = load_model(options.model)
    with _open(options) as recording:
        output = Path(options.output) if options.output else default_output(recording)
        check_output(output, overwrite=options.overwrite)
        analyser = RecordingAnalyser(
            recording,
            model,
            options.workers,
            options.runtime,
            options.frame_seconds,
            options.average_frames,
            options.duty_cycle,
            options.per_frame,
        )
        with tqdm(
            total=recording.duration,
            unit="s",
            unit_scale=True,
            desc=recording.path.name,
            file=sys.stderr,
            disable=options.quiet or None,
        ) as progress:
            for frame, _ in analyser.frames():
                progress.update((frame.end_offset - frame.new_from) / recording.sample_rate)
        found = _segments_of(analyser.result) if options.per_frame else analyser.result.carriers
        written = write_annotations(recording, found, output, overwrite=options.overwrite, model=model.card.name)
    print_result = report.print_json if options.json else report.print_table
    print_result(recording, model, analyser.result, written)


def _segments_of(result):
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


def _add_info(commands):
    parser = commands.add_parser(
        "info",
        help="what a recording, or this installation's models, are",
        description="Tells what a recording holds; without IN, which models there are.",
    )
    _add_input(parser, nargs="?")
    parser.set_defaults(run=_info)


def _info(options):
    from ..models.model import available_models, load_model
    from . import report

    if options.input:
        with _open(options) as recording:
            report.print_recording(recording)
    else:
        report.print_models([load_model(name) for name in available_models()])


def _add_doctor(commands):
    parser = commands.add_parser(
        "doctor",
        help="what is installed, what is missing, and what to do about it",
        description="Checks what gr-rpmsn needs and says what to do where something is "
        "missing. Exit status 1 if something needed is missing.",
    )
    parser.set_defaults(run=_doctor)


def _doctor(options):
    from . import doctor

    return doctor.run()


def _add_devices(commands):
    parser = commands.add_parser(
        "devices",
        help="which radios there are, and what is missing to use others",
        description="Lists the radios that are plugged in or answer on the network, as "
        "--device takes them, and says what keeps others from being used. Exit "
        "status 1 if there is none.",
    )
    parser.set_defaults(run=_devices)


def _devices(options):
    from ..radios import listing

    return listing.run()


def _add_monitor(commands):
    from ..station import monitor
    from .monitor import add_options

    parser = commands.add_parser(
        "monitor",
        help="watch a radio without a screen: log files, a publisher, a status line a second",
        description="Watches a radio: writes what is found to files, publishes it, and prints one status line a "
        "second. Ends at Ctrl-C, or with exit status 1 when the radio stops.",
        epilog="Example: rpmsn monitor --device driver=rtlsdr --frequency 1842.5M --rate 2.4M --log found.jsonl",
    )
    add_options(parser)
    parser.set_defaults(run=monitor.run)


def _add_watch(commands):
    from .radio_options import add_radio_options

    parser = commands.add_parser(
        "watch",
        help="a window with waterfall and carriers: of a file, a radio, or what a publisher sends",
        description="Opens a window with the waterfall, the table of carriers and the state of the analysis. "
        "docs/watch.md tells of every key.",
        epilog="Example: rpmsn watch band.sigmf-meta --loop; rpmsn watch tcp://127.0.0.1:5560; "
        "rpmsn watch --device driver=rtlsdr --frequency 1842.5M",
    )
    _add_input(
        parser,
        name="source",
        metavar="SOURCE",
        nargs="?",
        words="SigMF recording, raw samples, or the address of a publisher (tcp://HOST:PORT); none for a radio",
    )
    play = parser.add_argument_group("playing a file")
    play.add_argument(
        "--speed",
        type=_speed,
        metavar="TIMES",
        help="times real time: 0.1 or more, or max (default: as the last time, at first 1)",
    )
    play.add_argument(
        "--loop",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="begin again at the end, or not (default: as the last time, at first not)",
    )
    play.add_argument("--start", type=_number, default=0.0, metavar="SECONDS", help="where to begin (default: 0)")
    add_radio_options(parser, needs_frequency=False, needs_device=False)
    keys = parser.add_argument_group("publisher with keys")
    keys.add_argument("--server-key", default="", metavar="FILE", help="the publisher's public key, server.key")
    keys.add_argument("--client-key", default="", metavar="FILE", help="the own secret key, NAME.key_secret")
    parser.add_argument(
        "--model",
        metavar="NAME",
        help=f"model to use, by name or path of its card (default: {DEFAULT_MODEL}; for a radio, the "
        "one that ships for the narrowest range of rates that holds --rate)",
    )
    parser.add_argument(
        "--runtime",
        default="auto",
        metavar="NAME",
        help="what runs the network: auto, or one that `rpmsn doctor` lists (default: %(default)s)",
    )
    parser.add_argument(
        "--workers",
        type=_count,
        default=min(2, os.cpu_count() or 1),
        metavar="N",
        help="frames analysed at the same time (default: %(default)s)",
    )
    parser.add_argument("--theme", choices=("dark", "light"), help="colours (default: as the last time, at first dark)")
    parser.add_argument("--picture", metavar="PNG", help="write a picture of the window at the end, and close it")
    parser.add_argument("--close-after", type=_number, metavar="SECONDS", help="close the window after so long")
    parser.add_argument("--reset-settings", action="store_true", help="forget what was remembered the last time")
    parser.set_defaults(run=_watch)


def _watch(options):
    from ..runtimes import check_name

    check_name(options.runtime)
    from ..gui.watch import main as watch

    return watch.run(options)


def _speed(text):
    """Times real time, for argparse."""
    speed = math.inf if text == "max" else _number(text)
    if speed < 0.1:
        raise argparse.ArgumentTypeError(f"{text!r} is too slow; choose 0.1 or more, or max")
    return speed


def _add_grc(commands):
    parser = commands.add_parser(
        "grc",
        help="start GNU Radio Companion so that it finds these blocks",
        description="Starts GNU Radio Companion with the Python and the block path that it needs.",
    )
    parser.add_argument("files", nargs="*", metavar="FILE", help="flowgraph (.grc) to open")
    parser.set_defaults(run=_grc)


def _grc(options):
    from . import companion

    return companion.start(options.files)


def _add_synth(commands):
    parser = commands.add_parser(
        "synth",
        help="make synthetic recordings or training sets, with the truth about them",
        description="Makes synthetic scenes: SigMF recordings with true annotations, a training set of images and "
        "masks, or a picture to look at. Stopped at any moment, the same command goes on where it was.",
        epilog="Example: rpmsn synth --preset wideband --count 12 --preview --output look",
    )
    what = parser.add_argument_group("which scenes")
    what.add_argument(
        "--preset",
        default="demo",
        metavar="NAME",
        help="demo, wideband, any_rate, published, published_test, published_clean or stitched (default: %(default)s)",
    )
    what.add_argument("--scene", metavar="FILE", help="one scene, described in YAML, instead of a preset")
    what.add_argument("--count", type=_count, default=1, metavar="N", help="how many (default: %(default)s)")
    what.add_argument(
        "--seed",
        type=_seed,
        default=1,
        metavar="S",
        help="of the first recording, or of the whole set (default: %(default)s)",
    )
    what.add_argument(
        "--duration", type=_number, metavar="SECONDS", help="of each recording (default: the preset's own)"
    )
    what.add_argument(
        "--sample-rates",
        type=_number,
        nargs=2,
        metavar=("LOWEST", "HIGHEST"),
        help="keep to these rates in Hz, preset any_rate only",
    )
    what.add_argument(
        "--recordings",
        metavar="FOLDER",
        help="annotated SigMF recordings: where preset stitched takes its carriers from; with --preview "
        "and another preset, recordings to draw beside the scenes",
    )
    form = parser.add_argument_group("what to make of them")
    form.add_argument(
        "--as",
        dest="form",
        choices=("recordings", "set"),
        default="recordings",
        help="SigMF recordings, or a training set in shards (default: %(default)s)",
    )
    form.add_argument("--preview", action="store_true", help="only a contact sheet: images with their masks")
    _add_rule(form)
    form.add_argument(
        "--features",
        default="cyclic",
        metavar="NAME",
        help="feature set of a set: averaged, cyclic or published (default: %(default)s)",
    )
    form.add_argument("--center-frequency", type=_number, default=0.0, metavar="HZ", help="for recordings' metadata")
    form.add_argument(
        "--format", choices=("ci8", "ci16"), default="ci16", help="of a recording's samples (default: %(default)s)"
    )
    form.add_argument("--output", required=True, metavar="FOLDER", help="folder to write to; made if it is not there")
    form.add_argument(
        "--workers",
        type=_count,
        default=os.cpu_count() or 1,
        metavar="W",
        help="processes (default: %(default)s, the cores of this machine)",
    )
    form.add_argument("--quiet", action="store_true", help="no progress bar")
    parser.set_defaults(run=_synth)


def _synth(options):
    if options.preview:
        _synth_preview(options)
    elif options.form == "set":
        _synth_set(options)
    else:
        _synth_recordings(options)


def _scenes(options, recordings):
    """(name, scene) of every scene asked for."""
    from ..synthesis.scene.presets import random_scene
    from ..synthesis.scene.scene import Scene

    if options.scene:
        return [(Path(options.scene).name.split(".")[0], Scene.load(options.scene))]
    return [
        (
            f"{options.preset}-{seed}",
            random_scene(options.preset, seed, options.duration, options.sample_rates, recordings),
        )
        for seed in range(options.seed, options.seed + options.count)
    ]


def _synth_recordings(options):
    from ..synthesis.scene.writing import Order, write_scenes

    order = Order(options.output, options.center_frequency, options.format)
    for path in write_scenes(_scenes(options, options.recordings), order, options.workers, options.quiet):
        print(path)


def _synth_set(options):
    from ..training.dataset import SetConfig, build_set

    if options.scene or options.duration:
        raise ParameterError("a set is made of a preset's own scenes; leave --scene and --duration out")
    config = SetConfig(
        options.preset,
        options.count,
        options.seed,
        options.policy,
        options.features,
        options.sample_rates,
        options.recordings,
    )
    made = build_set(config, options.output, options.workers, options.quiet)
    print(f"{options.output}: {len(made)} images and masks")


def _synth_preview(options):
    from ..synthesis.scene import preview

    is_stitched = options.preset == "stitched"
    scenes = _scenes(options, options.recordings if is_stitched else None)
    recordings = options.recordings if options.recordings and not is_stitched else None
    for path in preview.preview(scenes, options.output, options.policy, recordings, options.workers, options.quiet):
        print(path)


def _add_train(commands):
    parser = commands.add_parser(
        "train",
        help="train a model from a YAML configuration",
        description="Makes the sets that a configuration names, trains, scores, and writes the model (card and "
        "weights). Stopped at any moment, the same command goes on from the last checkpoint.",
    )
    parser.add_argument("config", metavar="CONFIG", help="path of a YAML file, or the name of one that ships: rpmsn-rt")
    parser.add_argument("--output", metavar="FOLDER", help="folder for checkpoint and model (default: runs/NAME)")
    parser.add_argument(
        "--sets", metavar="FOLDER", help="folder of the sets, which several runs may share (default: that of --output)"
    )
    parser.add_argument(
        "--stop-after",
        type=_number,
        metavar="MINUTES",
        help="stop after so long, with a checkpoint from which the same command goes on",
    )
    parser.add_argument(
        "--workers",
        type=_count,
        default=os.cpu_count() or 1,
        metavar="N",
        help="processes that make scenes, threads that train (default: %(default)s)",
    )
    parser.set_defaults(run=_train)


def _train(options):
    from ..training.config import load_config, shipped_config

    config = load_config(shipped_config(options.config))
    from ..training.train import Trainer

    if options.stop_after is not None and options.stop_after <= 0:
        raise ParameterError(f"--stop-after is {options.stop_after:g}, but a number of minutes above 0 is needed")
    folder = options.output or Path("runs") / config.name
    card = Trainer(config, folder, options.workers, options.sets, options.stop_after).run()
    if card:
        print(card)


def _add_evaluate(commands):
    parser = commands.add_parser(
        "evaluate",
        help="judge a model on a set: pixels, carriers, confidence, and its worst failures",
        description="Judges a model on a set of images and masks: scores of pixels and of carriers, by SNR, load, "
        "bandwidth, sample rate and technology, how far its confidence can be believed, and pictures of "
        "its worst failures. Writes report.md, report.json and pictures.",
        epilog="Example: rpmsn synth --preset wideband --count 256 --seed 3 --as set --output sets/wideband; "
        "rpmsn evaluate rpmsn-rt sets/wideband",
    )
    parser.add_argument("model", metavar="MODEL", help="model to judge, by name or path of its card")
    parser.add_argument("set", metavar="SET", help="folder of a set, as `rpmsn synth --as set` makes it")
    parser.add_argument(
        "--output", metavar="FOLDER", help="folder for the report (default: runs/evaluation/MODEL-SET, by their names)"
    )
    parser.add_argument(
        "--to-card",
        action="store_true",
        help="write the main figures into the model's card too, under the name of the set's folder",
    )
    _add_rule(parser)
    _add_running(parser)
    parser.set_defaults(run=_evaluate)


def _evaluate(options):
    from ..models.model import load_model, save_card
    from ..training.evaluation.evaluation import evaluate
    from ..training.evaluation.report import card_scores, check_folder, format_summary, write_report

    model = load_model(options.model)
    set_name = Path(options.set).resolve().name
    name = f"{model.card.name}-{set_name}"
    folder = Path(options.output) if options.output else Path("runs") / "evaluation" / name
    check_folder(folder, model.card.name, options.set, options.policy)
    made = evaluate(model, options.set, options.policy, options.runtime, options.threads, options.quiet)
    written = write_report(made, folder)
    if options.to_card:
        save_card(replace(model.card, scores={**model.card.scores, set_name: card_scores(made.report)}), model.folder)
    for note in made.report["notes"]:
        print(f"rpmsn evaluate: {note}", file=sys.stderr)
    print(f"{format_summary(made.report)}\n{written}")


def _add_export(commands):
    parser = commands.add_parser(
        "export",
        help="write a model as ONNX files, for ONNX Runtime and OpenVINO",
        description="Writes a model as ONNX files beside its card: float32, and int8, which is several times as fast. "
        "Each is compared with torch before anything is written, and listed in the card. Needs the Python "
        "packages torch, onnx and onnxruntime; what is written runs without torch.",
        epilog="Example: rpmsn synth --as set --preset any_rate --count 128 --output calibration; "
        "rpmsn export runs/rpmsn-rt/rpmsn-rt.yml --calibration calibration",
    )
    parser.add_argument("model", metavar="MODEL", help="name of a model that ships, or path of a model card (.yml)")
    parser.add_argument("--format", default="all", metavar="NAME", help="onnx, onnx-int8 or all (default: %(default)s)")
    parser.add_argument(
        "--calibration",
        metavar="SET_FOLDER",
        help="set of images, made with `rpmsn synth --as set` and the model's feature set; int8 needs it",
    )
    parser.add_argument(
        "--output", metavar="FOLDER", help="folder for files, weights and card (default: the model's own)"
    )
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    parser.set_defaults(run=_export)


def _export(options):
    from ..models.model import load_model
    from ..training.export import export

    model = load_model(options.model)
    for written in export(model, options.format, options.calibration, options.output, options.quiet):
        found = ", ".join(
            f"{name.replace('_', ' ')} {value}"
            for name, value in written.facts.items()
            if name not in ("file", "sha256")
        )
        print(f"{written.path}: {written.path.stat().st_size / 1e6:.1f} MB, {found}")


def _add_bench(commands):
    parser = commands.add_parser(
        "bench",
        help="how fast this machine analyses: parts, live coverage, highest rate",
        description="Times each part of a frame's way, feeds the live chain from memory at a radio's pace, and looks "
        "for the highest rate at which nothing is dropped. Run it on a quiet machine; it takes minutes.",
        epilog="Example: rpmsn bench --runtimes openvino-int8 torch --seconds 20",
    )
    parser.add_argument("--model", default=DEFAULT_MODEL, metavar="NAME", help="model (default: %(default)s)")
    parser.add_argument("--rate", type=_number, default=61.44e6, metavar="HZ", help="sample rate (default: 61.44e6)")
    parser.add_argument(
        "--runtimes",
        nargs="+",
        metavar="NAME",
        help="what runs the network (default: all that are here; `rpmsn doctor` lists them)",
    )
    parser.add_argument("--seconds", type=_number, default=10.0, help="of each live run (default: %(default)g)")
    parser.add_argument(
        "--type",
        choices=("ci16", "ci8", "complex"),
        default="ci16",
        help="samples as the radio sends them (default: %(default)s)",
    )
    parser.add_argument(
        "--workers",
        type=_count,
        default=os.cpu_count() or 1,
        metavar="N",
        help="frames analysed at a time (default: %(default)s, the cores of this machine)",
    )
    parser.add_argument(
        "--threads",
        type=_count,
        default=1,
        metavar="N",
        help="threads of the network, of each worker (default: %(default)s)",
    )
    parser.add_argument("--no-search", action="store_true", help="do not look for the highest rate")
    parser.add_argument("--no-references", action="store_true", help="leave out RPMSN as published and the U-Net")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--quiet", action="store_true", help="do not tell what is being measured")
    parser.set_defaults(run=_bench)


def _bench(options):
    import json

    import numpy as np

    from .. import runtimes
    from ..models.model import load_model
    from ..signal.image import frame_length
    from ..streaming.live import Settings
    from . import bench

    frame_length(options.rate)
    if not options.seconds >= 1:
        raise ParameterError(f"--seconds is {options.seconds:g}, but 1 s or more is needed")
    model = load_model(options.model)
    for name in options.runtimes or ():
        runtimes.check_name(name)
        error = None if name == runtimes.AUTO else runtimes.why_not(name, model)
        if error is not None:
            raise error
    names = options.runtimes or runtimes.available(model)
    kinds = {"ci16": np.int16, "ci8": np.int8, "complex": np.complex64}
    settings = Settings(workers=options.workers, threads=options.threads, dtype=kinds[options.type])
    found = bench.measure(
        model,
        options.rate,
        names,
        settings,
        options.seconds,
        not options.no_references,
        not options.no_search,
        lambda text: options.quiet or print(f"rpmsn bench: {text}", file=sys.stderr),
    )
    print(json.dumps(found, indent=2) if options.json else bench.tables(found))


def _add_import_authors(commands):
    parser = commands.add_parser(
        "import-authors",
        help="make sets from the folders that the authors of RPMSN published",
        description="Makes the sets `train` and `validation` from the published folders trainSet and testSet, each "
        "with input and label. What the label's colours mean is declared in a file, and checked. Stopped "
        "at any moment, the same command goes on where it was.",
        epilog="Example: rpmsn import-authors RPMSN/dataset --output runs/authors",
    )
    parser.add_argument("folder", metavar="FOLDER", help="folder that has trainSet and testSet")
    parser.add_argument(
        "--output", required=True, metavar="FOLDER", help="folder for the sets; made if it is not there"
    )
    parser.add_argument(
        "--colours",
        metavar="FILE",
        help="YAML file with a line `class: [red, green, blue]` for each class (default: those of the "
        "authors' code: noise 248 163 191, LTE 2 0 0, NR 127 0 0)",
    )
    parser.add_argument(
        "--workers",
        type=_count,
        default=os.cpu_count() or 1,
        metavar="W",
        help="processes (default: %(default)s, the cores of this machine)",
    )
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    parser.set_defaults(run=_import_authors)


def _import_authors(options):
    from ..training.authors import DEFAULT_COLOURS, import_authors, load_colours

    colours = load_colours(options.colours or DEFAULT_COLOURS)
    made = import_authors(options.folder, options.output, colours, options.workers, options.quiet)
    for name, image_set in made.items():
        print(f"{Path(options.output) / name}: {len(image_set)} images and masks")


if __name__ == "__main__":
    sys.exit(main())
