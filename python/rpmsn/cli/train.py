# SPDX-License-Identifier: GPL-3.0-or-later
"""`rpmsn train`: a model from a YAML configuration."""

import argparse
from pathlib import Path

from . import options as given


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "train",
        help="train a model from a YAML configuration",
        description="Makes the sets that a configuration names, trains, scores, and writes the model (card and "
        "weights). Stopped at any moment, the same command continues from the last checkpoint.",
    )
    parser.add_argument("config", metavar="CONFIG", help="path of a YAML file, or the name of one that ships")
    parser.add_argument("--output", metavar="FOLDER", help="folder for checkpoint and model (default: runs/NAME)")
    parser.add_argument(
        "--sets", metavar="FOLDER", help="folder of the sets, which several runs may share (default: that of --output)"
    )
    parser.add_argument(
        "--stop-after",
        type=given.minutes,
        metavar="MINUTES",
        help="stop after so long, with a checkpoint from which the same command continues",
    )
    given.add_workers(parser, what="scenes made at the same time")
    given.add_threads(parser, None, "as many as --workers")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Train, and print the path of the model's card."""
    from ..training.config import load_config, shipped_config

    config = load_config(shipped_config(options.config))
    from ..training.train import Trainer

    folder = options.output or Path("runs") / config.name
    card = Trainer(config, folder, options.workers, options.sets, options.stop_after, options.threads).run()
    if card:
        print(card)
