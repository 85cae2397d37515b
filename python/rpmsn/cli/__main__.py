# SPDX-License-Identifier: GPL-3.0-or-later
"""The program `rpmsn`, also as `python -m rpmsn.cli`."""

import signal
import sys


def run() -> int:
    """Run the command line; returns the exit status.

    Until `main` takes Ctrl-C over it ends the program at once, without a traceback of what is being loaded.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from .main import main

    return main()


if __name__ == "__main__":
    sys.exit(run())
