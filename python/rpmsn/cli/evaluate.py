# SPDX-License-Identifier: GPL-3.0-or-later
"""`rpmsn evaluate`: how accurate a model is on a set."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from . import options as given


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "evaluate",
        help="judge a model on a set: pixels, carriers, confidence, and its worst failures",
        description="Judges a model on a set of images and masks: scores of pixels and of carriers, by SNR, load, "
        "bandwidth, sample rate and technology, how well its confidence is calibrated, and pictures of "
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
    given.add_policy(parser)
    given.add_threads(parser)
    given.add_runtime(parser)
    given.add_quiet(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Evaluate, write the report, print its summary."""
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
