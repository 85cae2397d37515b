# SPDX-License-Identifier: GPL-3.0-or-later
"""Progress bars on stderr, with the time left; in a log, a line now and then."""

import sys
from collections.abc import Callable
from typing import Any, TextIO

from tqdm import tqdm

from . import interrupts

LOG_INTERVAL_S = 30.0
"""How often a progress bar writes a line to a log."""


class _Lines(tqdm):
    """A progress bar that writes each state as a line."""

    @staticmethod
    def status_printer(file: TextIO) -> Callable[[str], None]:
        """How tqdm writes a state."""

        def write(state: str) -> None:
            if state:
                print(state, file=file, flush=True)

        return write


def progress_bar(
    total: float | None,
    unit: str,
    description: str,
    quiet: bool = False,
    initial: int = 0,
    in_logs: bool = True,
    **look: Any,
) -> tqdm:
    """A progress bar on stderr with the time left.

    Args:
        total: units in all.
        unit, description: texts of the bar.
        quiet: no bar.
        initial: units that were done before.
        in_logs: where stderr is no terminal, a line every `LOG_INTERVAL_S`; False: nothing there.
        look: arguments of tqdm.
    """
    is_watched = sys.stderr.isatty()
    bar, interval = (tqdm, 0.1) if is_watched else (_Lines, LOG_INTERVAL_S)
    # A signal that comes while it is made would leave half of one, which fails in its destructor.
    with interrupts.held():
        return bar(
            total=total,
            unit=unit,
            desc=description,
            file=sys.stderr,
            disable=quiet or not (is_watched or in_logs),
            mininterval=interval,
            initial=initial,
            **look,
        )


def print_above(text: str, file: TextIO) -> None:
    """Print a line, on stdout or stderr, and keep the bars on the terminal whole."""
    if sys.stderr.isatty():
        tqdm.write(text, file)
    else:
        print(text, file=file)
    file.flush()
