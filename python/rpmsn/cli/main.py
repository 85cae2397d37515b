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
from contextlib import suppress

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
NO_THREAD = "can't start new thread"
"""What Python says of it, in a RuntimeError."""
EPILOG = "Each command has its own help: rpmsn annotate --help. To see it work: scripts/demo."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    _open_standard_streams()
    _print_any_text()
    try:
        try:
            return _run(build_parser().parse_args(arguments))
        finally:
            print(end="", flush=True)  # a closed pipe or a full disk shows here, and not when Python ends
    except BrokenPipeError:
        return _leave_stdout()
    except OSError as error:
        with suppress(OSError):
            print(f"rpmsn: what was to be printed is lost: {error.strerror or error}", file=sys.stderr)
        return _leave_stdout()


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
    except MemoryError:
        return _failed(options, "memory is not enough: end other programs, raise its limit, or use fewer workers")
    except RuntimeError as error:
        if str(error) != NO_THREAD:
            raise
        return _failed(options, "the system starts no more threads: raise the limit (ulimit -u), or use fewer workers")


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


def _open_standard_streams() -> None:
    """Give those that are closed to nowhere: else the first file that is opened would take their place."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # takes the lowest number that is free
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "w" if number else "r", closefd=False))  # noqa: SIM115 - for good
    if sys.stderr is sys.__stderr__ and isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr = _Notes(sys.stderr.buffer, sys.stderr.encoding, line_buffering=True)


class _Notes(io.TextIOWrapper):
    """A stderr whose reader may go, or whose disk may be full: what it does not take is lost, and stops nothing."""

    def write(self, text: str) -> int:
        """As of TextIOWrapper."""
        with suppress(OSError):
            super().write(text)
        return len(text)

    def flush(self) -> None:
        """As of TextIOWrapper."""
        with suppress(OSError):
            super().flush()


def _leave_stdout() -> int:
    """The reader of our output has gone (`| head`), or its disk is full: what is left of it goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1


if __name__ == "__main__":
    sys.exit(main())
