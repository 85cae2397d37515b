# SPDX-License-Identifier: GPL-3.0-or-later
"""`rpmsn export`: a model as ONNX files."""

import argparse

from . import options as given


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
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
    given.add_quiet(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Export, and print a line for each file."""
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
