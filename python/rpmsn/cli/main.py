# SPDX-License-Identifier: GPL-3.0-or-later
"""The `rpmsn` command.

Exit status: 0 done, 1 failed, 2 wrong use, 128 + number of the signal that stopped it; results on stdout, everything
else on stderr. Each subcommand is a module beside this one, with `add` (its options) and `run` (its work, which imports
what it needs): `rpmsn --help` loads neither torch nor Qt nor GNU Radio.
"""

import argparse
import io
import logging
import os
import sys
from collections.abc import Sequence

from .. import installation, interrupts
from ..errors import ParameterError, RpmsnError
from ..version import __version__
from . import (
    annotate,
    archive,
    bench,
    calibrate,
    cells,
    devices,
    doctor,
    evaluate,
    export,
    grc,
    import_authors,
    info,
    monitor,
    synth,
    train,
    watch,
)

COMMANDS = (
    annotate, archive, cells, info, doctor, grc, synth, train, evaluate, calibrate, export, import_authors, bench,
    devices, monitor, watch
)  # fmt: skip
EPILOG = "Each command has its own help: rpmsn annotate --help. To see it work: scripts/demo."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    _print_any_text()
    try:
        status = _run(build_parser().parse_args(arguments))
        print(end="", flush=True)  # a closed pipe shows here, and not when Python ends
        return status
    except BrokenPipeError:
        return _closed_pipe()


def build_parser() -> argparse.ArgumentParser:
    """The parser with all commands."""
    parser = argparse.ArgumentParser(
        prog="rpmsn", epilog=EPILOG, description="See which cellular signals are on the air: LTE, 5G NR or other."
    )
    parser.add_argument("--version", action="version", version=f"gr-rpmsn {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add(commands)
    return parser


def _run(options: argparse.Namespace) -> int:
    """Run one command; returns its exit status, with every error that a user can mend as a line on stderr."""
    logging.basicConfig(level=logging.WARNING, format="rpmsn: %(message)s", stream=sys.stderr)
    logging.getLogger("rpmsn").setLevel(logging.INFO)
    try:
        with interrupts.raised():
            return options.run(options) or 0
    except BrokenPipeError:
        raise
    except KeyboardInterrupt as stop:
        return _failed(
            options, f"{interrupts.describe(stop)}; nothing half-written is left", interrupts.exit_status(stop)
        )
    except ParameterError as error:
        return _failed(options, error, 2)
    except RpmsnError as error:
        return _failed(options, error)
    except ImportError as error:
        return _failed(options, _missing(error))
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _failed(options, f"{where}{error.strerror or error}")


def _missing(error: ImportError) -> str:
    """What to say of a library that cannot be imported: how to add it here, where it is one of ours."""
    name = (error.name or "").partition(".")[0]
    is_missing = isinstance(error, ModuleNotFoundError)
    if name in installation.LIBRARIES and (is_missing or installation.is_too_old(name)):
        return installation.missing("this command", name)
    return f"{error}; `rpmsn doctor` shows what is missing and how to install it"


def _failed(options: argparse.Namespace, message: object, status: int = 1) -> int:
    """Say what went wrong with the command; returns the exit status."""
    print(f"rpmsn {options.command}: {message}", file=sys.stderr)
    return status


def _print_any_text() -> None:
    """A name that the terminal's encoding does not have is escaped, and stops nothing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _closed_pipe() -> int:
    """The reader of our output has gone (`| head`): end quietly."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1


if __name__ == "__main__":
    sys.exit(main())
