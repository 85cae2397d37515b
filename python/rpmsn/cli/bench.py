# SPDX-License-Identifier: GPL-3.0-or-later
"""`rpmsn bench`: how fast this machine analyses."""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from . import options as given

PARTS = {
    "health": "is the input fit?",
    "image": "powers, correlations, image",
    "network": "network",
    "segments": "classes and segments",
    "whole": "whole way, one thread",
}


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "bench",
        help="how fast this machine analyses: parts, live coverage, highest rate",
        description="Times each part of the analysis of a frame in turn with an FFT, feeds the live chain from memory "
        "at a radio's pace, replays from disk, feeds a flowgraph, and looks for the highest rate at which nothing is "
        "dropped. Run it on a quiet machine; it takes minutes.",
        epilog="Example: rpmsn bench --runtimes openvino-int8 torch --seconds 20",
    )
    given.add_model(parser)
    parser.add_argument("--rate", type=given.hertz, default=61.44e6, metavar="HZ", help="sample rate (default: 61.44M)")
    parser.add_argument(
        "--runtimes",
        nargs="+",
        metavar="NAME",
        help="what runs the network (default: all that are installed; `rpmsn doctor` lists them)",
    )
    parser.add_argument(
        "--seconds",
        type=given.bench_seconds,
        default=10.0,
        metavar="SECONDS",
        help="of each live run (default: %(default)g)",
    )
    parser.add_argument(
        "--type",
        choices=("ci16", "ci8", "complex"),
        default="ci16",
        help="samples as the radio sends them (default: %(default)s)",
    )
    given.add_workers(parser)
    given.add_threads(parser, 1, "%(default)s, for each worker")
    parser.add_argument("--no-search", action="store_true", help="do not look for the highest rate")
    parser.add_argument("--no-references", action="store_true", help="leave out RPMSN as published and the U-Net")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    given.add_quiet(parser, "do not say what is being measured")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Measure, and print the tables."""
    import numpy as np

    from .. import runtimes
    from ..models.model import load_model
    from ..signal.image import frame_length
    from ..streaming.live import Settings
    from . import timing

    frame_length(options.rate)
    model = load_model(options.model)
    for name in options.runtimes or ():
        runtimes.check_name(name)
        error = None if name == runtimes.AUTO else runtimes.why_not(name, model)
        if error is not None:
            raise error
    names = options.runtimes or runtimes.available(model)
    kinds = {"ci16": np.int16, "ci8": np.int8, "complex": np.complex64}
    settings = Settings(workers=options.workers, threads=options.threads, dtype=kinds[options.type])
    found = timing.measure(
        model,
        options.model,
        options.rate,
        names,
        settings,
        options.seconds,
        not options.no_references,
        not options.no_search,
        lambda text: None if options.quiet else print(f"rpmsn bench: {text}", file=sys.stderr),
    )
    print(json.dumps(found, indent=2) if options.json else tables(found))


def tables(found: Mapping[str, Any]) -> str:
    """What `measure` found, as text: two tables."""
    from ..tables import format_table  # here, so that `rpmsn doctor` works where tabulate is missing

    reference, frame_s = found["fft"]["seconds"], found["frame_s"]

    def timed(name: str, seconds: float | None, ratio: Sequence[float] = ()) -> tuple[str, ...]:
        if seconds is None:
            return name, "not possible here", "", "", ""
        middle, *quartiles = ratio or [seconds / reference]
        quarters = "{:.2f} to {:.2f}".format(*quartiles) if quartiles else ""
        return name, f"{1e3 * seconds:.1f}", f"{middle:.2f}", quarters, f"{frame_s / seconds:.3g}"

    def part(name: str, key: str, one: Mapping[str, Any]) -> tuple[str, ...]:
        return timed(name, one["seconds"][key], one["x_fft"][key])

    lines = [timed(f"FFT alone, {found['fft']['library']}: the limit", reference)]
    first: dict[str, Any] = next(iter(found["parts"].values()), {})
    lines += [part(PARTS[key], key, first) for key in ("health", "image") if first and key in first["seconds"]]
    lines += [part(f"network, {name}", "network", one) for name, one in found["parts"].items()]
    lines += [part(PARTS["segments"], "segments", first)] if first else []
    lines += [part(f"{PARTS['whole']}, {name}", "whole", one) for name, one in found["parts"].items()]
    lines += [timed(name, seconds) for name, seconds in found["references"].items()]
    lines += [(f"replay from disk, cells too, {name}", "", "", "", f"{x:.3g}") for name, x in found["replay"].items()]
    runs = [(name, name, run) for name, run in found["live"].items()]
    runs += [(f"{name}, flowgraph", "", run) for name, run in found["flowgraph"].items()]
    live_rows = [
        (
            name,
            f"{run['coverage']:.3f}",
            str(run["frames_dropped"]),
            f"{1e3 * run['latency_median_s']:.0f}",
            f"{1e3 * run['latency_p99_s']:.0f}",
            f"{run['cores']:.2f}",
            _rate(found["highest"].get(searched, "")),
        )
        for name, searched, run in runs
    ]
    return "\n".join(
        [
            f"One frame, {1e3 * frame_s:g} ms at {found['sample_rate'] / 1e6:g} Msps:",
            "",
            format_table(("part", "ms", "x FFT alone", "quartiles", "x real time"), lines),
            "",
            f"Live, fed from memory at {found['sample_rate'] / 1e6:g} Msps:",
            "",
            format_table(
                ("runtime", "coverage", "frames dropped", "latency ms", "99 %", "cores", "highest Msps held"), live_rows
            ),
        ]
    )


def _rate(rate: float | str | None) -> str:
    """A highest rate in words."""
    if rate is None:
        return "none"
    return rate if isinstance(rate, str) else f"{rate / 1e6:g}"
