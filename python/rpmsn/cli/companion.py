# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts GNU Radio Companion with our Python and our blocks.

Started from a menu it runs under the system's Python, which sees neither the virtual environment nor these blocks.
"""

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from .. import installation
from ..errors import MissingLibraryError, ParameterError
from ..gui.watch.display import check_gtk_display

PACKAGES = Path(__file__).resolve().parents[2]
A_BLOCK = "rpmsn_segmenter_sink.block.yml"
GTK_PACKAGE = "gir1.2-gtk-3.0"


def block_path() -> Path | None:
    """Folder with our block descriptions: of the source tree, or where CMake or pip put them.

    Returns:
        Path, or None where there is none.
    """
    prefixes = (PACKAGES, *PACKAGES.parents, Path(sys.prefix))  # what was installed with this package comes first
    installed = [prefix / "share" / "gnuradio" / "grc" / "blocks" for prefix in prefixes]
    for folder in (PACKAGES.parent / "grc", *installed):
        if (folder / A_BLOCK).exists():
            return folder
    return None


def environment() -> dict[str, str]:
    """The environment in which `grcc`, GNU Radio Companion and their flowgraphs find these blocks."""
    added = {"GRC_BLOCKS_PATH": str(block_path() or ""), "PYTHONPATH": str(PACKAGES)}
    values = dict(os.environ)
    for name, folder in added.items():
        values[name] = os.pathsep.join(part for part in (folder, values.get(name)) if part)
    return values


def gtk_fault() -> str:
    """Why the companion cannot draw, "" where it can. Debian's gnuradio only recommends what it draws with."""
    try:
        import gi

        gi.require_version("Gtk", "3.0")
    except (ImportError, ValueError) as error:
        return str(error)
    return ""


def start(files: Sequence[str]) -> None:
    """Replace this process by GNU Radio Companion, showing `files`."""
    for file in files:
        if not Path(file).is_file():
            raise ParameterError(
                f"flowgraph {file} does not exist; give the path of a .grc file, such as examples/file_replay.grc"
            )
    program = shutil.which("gnuradio-companion")
    if program is None:
        raise MissingLibraryError(f"gnuradio-companion is not installed: {installation.how_to_add_package('gnuradio')}")
    if block_path() is None:
        raise MissingLibraryError(
            "the descriptions of the blocks were not found; run scripts/bootstrap in the source "
            "tree, or install with CMake or pip"
        )
    if fault := gtk_fault():
        raise MissingLibraryError(
            f"gnuradio-companion needs GTK 3 ({fault}): {installation.how_to_add_package(GTK_PACKAGE)}"
        )
    check_gtk_display()
    os.execve(sys.executable, [sys.executable, program, *files], environment())
