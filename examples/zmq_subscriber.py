#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print what a segment publisher sends: one line for every carrier that is new or gone. Ctrl-C ends it.

.venv/bin/python examples/zmq_subscriber.py
"""

import argparse
import contextlib
import sys

from rpmsn import interrupts
from rpmsn.cli import options as given
from rpmsn.errors import RpmsnError
from rpmsn.messages import wire as messages
from rpmsn.publishing.addresses import DEFAULT_ADDRESS
from rpmsn.publishing.subscriber import Subscriber

COLUMNS = "{:29}  {:6}  {:>7}  {:6}  {:>10}  {:>10}  {:>6}  {:>10}"
POLL_SECONDS = 0.5


def format_segment(message):
    """A segment as one line of the table; what is not known is `-`."""

    def number(key, digits, scale=1.0):
        return "-" if message[key] is None else f"{message[key] / scale:.{digits}f}"

    return COLUMNS.format(
        message["rx_time"] or "-",
        message["event"],
        message["burst_id"],
        message["label"],
        number("freq_lower", 3, 1e6),
        number("freq_upper", 3, 1e6),
        number("snr_db", 1),
        number("confidence", 2),
    )


def format_status(message):
    """A status as one line."""
    coverage = "-" if message["coverage"] is None else f"{message['coverage']:.3f}"
    return f"{message['samples_received']} samples received, coverage {coverage}, input {message['health']}"


def print_messages(subscriber, options):
    """Print until there were enough lines, or without end."""
    print(COLUMNS.format("time (UTC)", "event", "carrier", "class", "from MHz", "to MHz", "SNR dB", "confidence"))
    printed, reported, lost = 0, None, 0
    while options.count is None or printed < options.count:
        message = subscriber.receive(timeout=POLL_SECONDS)
        if subscriber.problem != reported:
            reported = subscriber.problem
            print(reported or f"connected to {subscriber.address}", file=sys.stderr)
        if sum(subscriber.lost.values()) > lost:
            lost = sum(subscriber.lost.values())
            print(f"{lost} messages lost so far", file=sys.stderr)
        if message is None:
            continue
        if message["topic"] == messages.STATUS:
            print(format_status(message), file=sys.stderr)
        elif options.every or message["event"] != "update":
            print(format_segment(message), flush=True)
            printed += 1


def build_parser():
    """The options."""
    parser = argparse.ArgumentParser(description="Print the carriers that an RPMSN segment publisher sends.")
    parser.add_argument("address", nargs="?", default=DEFAULT_ADDRESS, help="of the publisher (default: %(default)s)")
    parser.add_argument("--every", action="store_true", help="print every segment, not only what is new or gone")
    parser.add_argument("--status", action="store_true", help="print the status too, on stderr")
    parser.add_argument("--count", type=given.count, metavar="N", help="end after N lines (default: never)")
    parser.add_argument("--server-key", default="", metavar="FILE", help="the publisher's public key, server.key")
    parser.add_argument("--client-key", default="", metavar="FILE", help="the own secret key, NAME.key_secret")
    return parser


def main():
    options = build_parser().parse_args()
    topics = [messages.SEGMENT, messages.STATUS] if options.status else [messages.SEGMENT]
    try:
        with (
            contextlib.suppress(KeyboardInterrupt),
            interrupts.raised(),
            Subscriber(options.address, topics, options.server_key, options.client_key) as subscriber,
        ):
            print_messages(subscriber, options)
    except RpmsnError as error:
        sys.exit(f"zmq_subscriber: {error}")


if __name__ == "__main__":
    main()
