# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that name a radio and its settings, for every command that opens one.

>>> import argparse
>>> parser = argparse.ArgumentParser()
>>> add_radio_options(parser)
>>> parser.parse_args(["--device", "driver=rtlsdr", "--frequency", "1.8G", "--rate", "2.4M"]).frequency
1800000000.0
"""

import argparse
import math

SUFFIXES = {"k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9}
DEFAULT_RATE = 2.4e6


def hertz(text):
    """A number as people write frequencies and rates: `1842.5M`, `1.8G`, `2.4e6`.

    Raises:
        argparse.ArgumentTypeError: it is none, or not above 0.
    """
    digits, factor = (text[:-1], SUFFIXES[text[-1]]) if text[-1:] in SUFFIXES else (text, 1.0)
    try:
        number = float(digits) * factor
    except ValueError:
        number = math.nan
    if not (math.isfinite(number) and number > 0):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a frequency or rate above 0; write it as 1842.5M, 1.8G or 2.4e6"
        )
    return number


def decibels(text):
    """A gain in dB.

    Raises:
        argparse.ArgumentTypeError: it is not a number.
    """
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a gain in dB; write it as 30, or leave it out for the radio's own control"
        )
    return number


def seconds(text):
    """A time to wait, 0 or more.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds of 0 or more; write it as 10")
    return number


def add_radio_options(parser, needs_frequency=True, needs_device=True):
    """Add --device, --rate, --frequency, --gain, --antenna, --bandwidth and --stream-args.

    They become `device`, `rate`, `frequency`, `gain` (None for automatic), `antenna`, `bandwidth` and `stream_args`.

    Args:
        parser: argparse.ArgumentParser.
        needs_frequency: False for a command that tunes by itself; `frequency` may then be None.
        needs_device: False for a command that has other sources, too; `device` may then be None.
    """
    group = parser.add_argument_group("radio", "`rpmsn devices` lists what is there, docs/radios.md tells more")
    group.add_argument(
        "--device",
        required=needs_device,
        metavar="DEVICE",
        help="driver=rtlsdr (or another SoapySDR driver), uhd:ARGS for a USRP, rtl_tcp=HOST:PORT",
    )
    group.add_argument(
        "--frequency", type=hertz, required=needs_frequency, metavar="HZ", help="centre frequency, such as 1842.5M"
    )
    group.add_argument(
        "--rate",
        type=hertz,
        default=DEFAULT_RATE,
        metavar="HZ",
        help=f"sample rate, such as 61.44M (default: {DEFAULT_RATE / 1e6:g}M)",
    )
    group.add_argument("--gain", type=decibels, metavar="DB", help="gain (default: the radio's own control)")
    group.add_argument("--antenna", default="", metavar="NAME", help="such as RX2 (default: the radio's first)")
    group.add_argument(
        "--bandwidth",
        type=hertz,
        default=0.0,
        metavar="HZ",
        help="of the analogue filter (default: what the driver takes for the rate)",
    )
    group.add_argument(
        "--stream-args",
        default="",
        metavar="ARGS",
        help="for the driver's stream: of a USRP otw_format=sc8, of SoapyRemote remote:format=CS8",
    )
