# SPDX-License-Identifier: GPL-3.0-or-later
"""The GNU Radio blocks, for the commands that open a radio through them.

The engine does not depend on GNU Radio: what needs it is loaded here, by name, when it is asked for.
"""

import logging
import os
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from .. import installation
from ..errors import MissingLibraryError

logger = logging.getLogger(__name__)


def check_gnuradio(what: str = "a radio is opened through") -> None:
    """Raise MissingLibraryError, with the next step, where GNU Radio is not installed for this Python.

    Args:
        what: begin of the sentence, up to the name.
    """
    try:
        is_installed = find_spec("gnuradio.gr") is not None
    except ImportError:
        is_installed = False
    if not is_installed:
        raise MissingLibraryError(
            f"{what} GNU Radio, which this Python does not have: "
            f"{installation.how_to_add_package('gnuradio')}. Files and publishers need no GNU Radio."
        )


def _use_home_or_none() -> None:
    """GNU Radio ends the process where `$HOME/.gnuradio` can be neither read nor made; without `$HOME` it uses the
    temporary folder."""
    home = os.environ.get("HOME")
    if home is None:
        return
    folder = os.path.join(home, ".gnuradio")
    is_usable = os.access(folder, os.R_OK | os.W_OK | os.X_OK) or (
        not os.path.lexists(folder) and os.access(home, os.W_OK | os.X_OK)
    )
    if not is_usable:
        logger.warning("the home folder %s cannot be used: GNU Radio keeps its settings in the temporary one", home)
        del os.environ["HOME"]


def load(module: str) -> ModuleType:
    """A module of the package `gnuradio.rpmsn`.

    Args:
        module: its name in that package, such as `"monitor_flowgraph"`.

    Raises:
        MissingLibraryError: GNU Radio is not installed.
        ImportError: what that module needs is missing.
    """
    check_gnuradio()
    _use_home_or_none()
    return import_module(f"gnuradio.rpmsn.{module}")
