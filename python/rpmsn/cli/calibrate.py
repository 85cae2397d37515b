# SPDX-License-Identifier: GPL-3.0-or-later
"""`rpmsn calibrate`: fit what is decided about the segments that a model finds."""

import argparse

from . import options as given


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "calibrate",
        help="fit a model's decision between LTE, NR and other",
        description="Fits how probable it is that a segment is LTE, NR or neither, by what the network says of its "
        "pixels, its width, duration, SNR and the span, and writes that into the model's card. The sets must be none "
        "that the model was trained on, nor those that it is judged on.",
        epilog="Example: rpmsn synth --as set --preset any_rate --count 256 --seed 902 --output sets/fit; "
        "rpmsn calibrate runs/mine/mine.yml sets/fit",
    )
    parser.add_argument("model", metavar="MODEL", help="path of a model card (.yml), or name of a model that ships")
    parser.add_argument("sets", metavar="SET", nargs="+", help="folder that `rpmsn synth --as set` has made")
    parser.add_argument("--output", metavar="FOLDER", help="folder for the card (default: the model's own)")
    given.add_runtime(parser)
    given.add_threads(parser)
    given.add_quiet(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Calibrate, and print what came out."""
    from ..models.model import load_model
    from ..training.calibrate import calibrate

    found = calibrate(
        load_model(options.model),
        options.sets,
        options.output,
        runtime=options.runtime,
        threads=options.threads,
        quiet=options.quiet,
    )
    print(
        f"{found.card}: {found.segments} segments, right on scenes left out {100 * found.right:.1f} %, by the network "
        f"alone {100 * found.network_right:.1f} %"
    )
