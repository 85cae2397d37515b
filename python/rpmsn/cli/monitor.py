# SPDX-License-Identifier: GPL-3.0-or-later
"""`rpmsn monitor`: a radio watched without a screen."""

import argparse

from . import options as given


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "monitor",
        help="watch a radio without a screen: log files, a publisher, a status line a second",
        description="Watches a radio: writes what is found to files, publishes it, and prints one status line a "
        "second. Ends at Ctrl-C, SIGTERM or SIGHUP, or with exit status 1 when the radio stops.",
        epilog="Example: rpmsn monitor --device driver=rtlsdr --frequency 1842.5M --rate 2.4M --log found.jsonl",
    )
    given.add_radio(parser)
    given.add_model(parser, None, "the one that ships for the narrowest range of rates that holds --rate")
    given.add_runtime(parser)
    given.add_workers(parser, 2, words="%(default)s")
    given.refuse_threads(parser)
    given.add_duty_cycle(parser)
    given.add_cells(parser)
    parser.add_argument(
        "--log",
        action="append",
        default=[],
        metavar="PATH",
        help="write what is found to a .jsonl, .csv or .sigmf-meta file; may be given again",
    )
    parser.add_argument(
        "--log-rotate",
        type=given.seconds,
        default=0.0,
        metavar="SECONDS",
        help="begin new log files so often (default: 0, never)",
    )
    parser.add_argument("--publish", metavar="ADDRESS", help="publish over ZeroMQ, such as tcp://127.0.0.1:5560")
    parser.add_argument(
        "--duration", type=given.duration, metavar="SECONDS", help="end after so long (default: at Ctrl-C)"
    )
    parser.add_argument(
        "--reconnect",
        type=given.seconds,
        metavar="SECONDS",
        help="when the radio stops, wait so long and open it again, with new log files; again and "
        "again (default: end with status 1)",
    )
    parser.add_argument("--json", action="store_true", help="status lines and carriers as JSON, for machines")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Watch; returns the exit status."""
    from ..runtimes import check_name
    from ..station import monitor

    check_name(options.runtime)
    return monitor.run(options)
