# SPDX-License-Identifier: GPL-3.0-or-later
"""`rpmsn monitor`: its options."""

from .radio_options import add_radio_options, seconds


def add_options(parser):
    """Add the options of `rpmsn monitor` to a parser."""
    add_radio_options(parser)
    parser.add_argument(
        "--model",
        metavar="NAME",
        help="model, by name or path of its card (default: the one that ships for the narrowest range "
        "of rates that holds --rate)",
    )
    parser.add_argument(
        "--runtime", default="auto", metavar="NAME", help="what runs the network (default: %(default)s)"
    )
    parser.add_argument(
        "--workers", type=int, default=2, metavar="N", help="frames analysed at a time (default: %(default)s)"
    )
    parser.add_argument(
        "--duty-cycle",
        type=float,
        default=1.0,
        metavar="FRACTION",
        help="fraction of the frames to analyse, above 0 to 1, for slow machines (default: all)",
    )
    parser.add_argument(
        "--log",
        action="append",
        default=[],
        metavar="PATH",
        help="write what is found to a .jsonl, .csv or .sigmf-meta file; may be given again",
    )
    parser.add_argument("--log-rotate", type=float, default=0.0, metavar="SECONDS", help="begin new log files so often")
    parser.add_argument("--publish", metavar="ADDRESS", help="publish over ZeroMQ, such as tcp://127.0.0.1:5560")
    parser.add_argument("--duration", type=float, metavar="SECONDS", help="end after so long (default: at Ctrl-C)")
    parser.add_argument(
        "--reconnect",
        type=seconds,
        metavar="SECONDS",
        help="when the radio stops, wait so long and open it again, with new log files; again and "
        "again (default: end with status 1)",
    )
    parser.add_argument("--json", action="store_true", help="status lines and carriers as JSON, for machines")
