# SPDX-License-Identifier: GPL-3.0-or-later
"""`rpmsn watch`: a window on a recording, a radio, or a publisher."""

import argparse

from ..gui.translation import LANGUAGES, SYSTEM
from ..models import DEFAULT_MODEL
from . import options as given


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "watch",
        help="a window with waterfall and carriers: of a file, a radio, or what a publisher sends",
        description="Opens a window with the waterfall, the table of carriers and the state of the analysis. "
        "docs/watch.md explains every key.",
        epilog="Example: rpmsn watch band.sigmf-meta --loop; rpmsn watch tcp://127.0.0.1:5560; "
        "rpmsn watch --device driver=rtlsdr --frequency 1842.5M",
    )
    given.add_input(
        parser,
        name="source",
        metavar="SOURCE",
        nargs="?",
        words="SigMF recording, raw samples, or the address of a publisher (tcp://HOST:PORT); none for a radio, or for "
        "what was open last",
    )
    play = parser.add_argument_group("playing a file")
    play.add_argument(
        "--speed",
        type=given.speed,
        metavar="TIMES",
        help="times real time: 0.1 or more, or max (default: as the last time, at first 1)",
    )
    play.add_argument(
        "--loop",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="start again at the end, or not (default: as the last time, at first not)",
    )
    play.add_argument("--start", type=given.seconds, default=0.0, metavar="SECONDS", help="where to start (default: 0)")
    given.add_radio(parser, needs_frequency=False, needs_device=False)
    keys = parser.add_argument_group("publisher with keys")
    keys.add_argument("--server-key", default="", metavar="FILE", help="the publisher's public key, server.key")
    keys.add_argument("--client-key", default="", metavar="FILE", help="the own secret key, NAME.key_secret")
    given.add_model(
        parser,
        None,
        f"{DEFAULT_MODEL}; for a radio, the one that ships for the narrowest range of rates that holds --rate",
    )
    given.add_runtime(parser)
    given.add_workers(parser, min(2, given.CORES), words="%(default)s")
    given.refuse_threads(parser)
    given.add_cells(parser)
    parser.add_argument(
        "--theme",
        choices=("system", "dark", "light"),
        help="colours; system: as the desktop (default: as the last time, at first system)",
    )
    parser.add_argument(
        "--language",
        choices=(SYSTEM, *LANGUAGES),
        default=SYSTEM,
        help="of the window; system: as the desktop (default: system)",
    )
    parser.add_argument(
        "--session",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="without SOURCE open what was open last, where it was; and remember what is open (default: yes)",
    )
    parser.add_argument("--picture", metavar="PNG", help="write a picture of the window at the end, and close it")
    parser.add_argument("--close-after", type=given.duration, metavar="SECONDS", help="close the window after so long")
    parser.add_argument("--reset-settings", action="store_true", help="forget the settings of the last time")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Open the window; returns the exit status."""
    from ..runtimes import check_name

    check_name(options.runtime)
    from ..gui.watch import main as watch

    return watch.run(options)
