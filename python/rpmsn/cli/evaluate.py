# SPDX-License-Identifier: GPL-3.0-or-later
"""`rpmsn evaluate`: how accurate a model is on a set, or on annotated recordings."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import options as given

if TYPE_CHECKING:
    from ..models.model import Model


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "evaluate",
        help="judge a model on a set or on recordings: pixels, carriers, confidence, and its worst failures",
        description="Judges a model on a set of images and masks: scores of pixels and of carriers, by SNR, load, "
        "bandwidth, sample rate and technology, how well its confidence is calibrated, and pictures of "
        "its worst failures. Writes report.md, report.json and pictures. Or on a folder of annotated SigMF "
        "recordings: which LTE and NR carriers were found, in pieces, swapped or missed, and false ones.",
        epilog="Example: rpmsn synth --preset wideband --count 256 --seed 3 --as set --output sets/wideband; "
        "rpmsn evaluate rpmsn-rt sets/wideband",
    )
    parser.add_argument("model", metavar="MODEL", help="model to judge, by name or path of its card")
    parser.add_argument(
        "set",
        metavar="SET",
        help="folder of a set, as `rpmsn synth --as set` makes it, or of SigMF recordings with annotations",
    )
    parser.add_argument(
        "--output", metavar="FOLDER", help="folder for the report (default: runs/evaluation/MODEL-SET, by their names)"
    )
    parser.add_argument(
        "--to-card",
        action="store_true",
        help="write the main figures into the model's card too, under the name of the set's folder",
    )
    given.add_policy(parser)
    given.add_threads(parser)
    given.add_runtime(parser)
    given.add_cells(parser)
    given.add_quiet(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Evaluate, write the report, print its summary."""
    from ..models.model import load_model, save_card
    from ..training.evaluation.recordings import is_folder_of_recordings

    model = load_model(options.model)
    set_name = Path(options.set).resolve().name
    folder = Path(options.output or Path("runs") / "evaluation" / f"{model.card.name}-{set_name}")
    judge = _judge_recordings if is_folder_of_recordings(options.set) else _judge_set
    scores, notes, summary, written = judge(model, folder, options)
    if options.to_card:
        save_card(replace(model.card, scores={**model.card.scores, set_name: scores}), model.folder)
    for note in notes:
        print(f"rpmsn evaluate: {note}", file=sys.stderr)
    print(f"{summary}\n{written}")


Judged = tuple[dict[str, Any], list[str], str, Path]
"""(figures for the card, notes, summary, path of the report)."""


def _judge_set(model: "Model", folder: Path, options: argparse.Namespace) -> Judged:
    from ..training.evaluation.evaluation import evaluate
    from ..training.evaluation.report import card_scores, check_folder, format_summary, write_report

    check_folder(folder, model.card.name, options.set, options.policy)
    made = evaluate(model, options.set, options.policy, options.runtime, options.threads, options.quiet)
    written = write_report(made, folder)
    return card_scores(made.report), made.report["notes"], format_summary(made.report), written


def _judge_recordings(model: "Model", folder: Path, options: argparse.Namespace) -> Judged:
    from ..training.evaluation import recordings
    from ..training.evaluation.report import check_folder

    check_folder(folder, model.card.name, options.set, recordings.POLICY)
    report = recordings.evaluate_recordings(
        model, options.set, options.runtime, options.threads, options.quiet, cells=options.cells
    )
    written = recordings.write_recordings_report(report, folder)
    notes = [f"{entry['recording']}: {note}" for entry in report["recordings"] for note in entry["warnings"]]
    return recordings.recordings_scores(report), notes, recordings.format_recordings(report), written
