# SPDX-License-Identifier: GPL-3.0-or-later
"""The program `rpmsn` as `python -m rpmsn`."""

import sys

from .cli.__main__ import run

if __name__ == "__main__":
    sys.exit(run())
