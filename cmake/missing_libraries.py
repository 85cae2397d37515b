# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints which libraries of gr-rpmsn this Python lacks and the commands that add them; exit status 1 if there are any.

CMake runs it under the Python that it configures for. It imports nothing but the standard library.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "python"))

from rpmsn import installation


def main() -> int:
    """Print; returns the exit status."""
    missing = installation.missing_libraries()
    if missing:
        print(f"{sys.executable} lacks Python packages that gr-rpmsn needs to run: {', '.join(missing)}. To add them:")
        print(*installation.commands_to_add(missing), sep="\n")
    return 1 if missing else 0


sys.exit(main())
