# SPDX-License-Identifier: GPL-3.0-or-later
"""`rpmsn synth`: synthetic recordings and training sets, with the truth about them."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ParameterError
from . import options as given

if TYPE_CHECKING:
    from ..synthesis.scene.scene import Scene


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "synth",
        help="make synthetic recordings or training sets, with the truth about them",
        description="Makes synthetic scenes: SigMF recordings with true annotations, a training set of images and "
        "masks, or a contact sheet. Stopped at any moment, the same command continues.",
        epilog="Example: rpmsn synth --preset wideband --count 12 --preview --output look",
    )
    _add_scenes(parser.add_argument_group("which scenes"))
    form = parser.add_argument_group("what to make of them")
    form.add_argument(
        "--as",
        dest="form",
        choices=("recordings", "set"),
        default="recordings",
        help="SigMF recordings, or a training set in shards (default: %(default)s)",
    )
    form.add_argument("--preview", action="store_true", help="only a contact sheet: images with their masks")
    given.add_policy(form)
    form.add_argument(
        "--features",
        default="cyclic",
        metavar="NAME",
        help="feature set of a set: averaged, cyclic or published (default: %(default)s)",
    )
    form.add_argument(
        "--center-frequency", type=given.center_hertz, default=0.0, metavar="HZ", help="for recordings' metadata"
    )
    form.add_argument(
        "--format", choices=("ci8", "ci16"), default="ci16", help="of a recording's samples (default: %(default)s)"
    )
    form.add_argument(
        "--output", required=True, metavar="FOLDER", help="folder to write to; created where it does not exist"
    )
    given.add_workers(form, what="scenes made at the same time")
    given.add_quiet(form)
    parser.set_defaults(run=run)


def _add_scenes(what: argparse._ArgumentGroup) -> None:
    what.add_argument(
        "--preset",
        default="demo",
        metavar="NAME",
        help="demo, wideband, any_rate, published, published_test, published_clean or stitched (default: %(default)s)",
    )
    what.add_argument("--scene", metavar="FILE", help="one scene, described in YAML, instead of a preset")
    what.add_argument("--count", type=given.count, default=1, metavar="N", help="how many (default: %(default)s)")
    what.add_argument(
        "--seed",
        type=given.seed,
        default=1,
        metavar="S",
        help="of the first recording, or of the whole set (default: %(default)s)",
    )
    what.add_argument(
        "--duration", type=given.scene_seconds, metavar="SECONDS", help="of each recording (default: the preset's own)"
    )
    what.add_argument(
        "--sample-rates",
        type=given.hertz,
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


def run(options: argparse.Namespace) -> None:
    """Make what is asked for, and print its paths."""
    if options.preview:
        _preview(options)
    elif options.form == "set":
        _make_set(options)
    else:
        _make_recordings(options)


def _scenes(options: argparse.Namespace, recordings: str | None) -> "list[tuple[str, Scene]]":
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


def _make_recordings(options: argparse.Namespace) -> None:
    from ..synthesis.scene.writing import Order, write_scenes

    order = Order(options.output, options.center_frequency, options.format)
    for path in write_scenes(_scenes(options, options.recordings), order, options.workers, options.quiet):
        print(path)


def _make_set(options: argparse.Namespace) -> None:
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


def _preview(options: argparse.Namespace) -> None:
    from ..synthesis.scene import preview

    is_stitched = options.preset == "stitched"
    scenes = _scenes(options, options.recordings if is_stitched else None)
    recordings = options.recordings if options.recordings and not is_stitched else None
    for path in preview.preview(scenes, options.output, options.policy, recordings, options.workers, options.quiet):
        print(path)
