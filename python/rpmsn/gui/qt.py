# SPDX-License-Identifier: GPL-3.0-or-later
"""Qt and pyqtgraph, which has to use the same Qt, or an error that says how to install them."""

import os

from .. import installation
from ..errors import MissingLibraryError

os.environ["PYQTGRAPH_QT_LIB"] = "PyQt5"  # it would take PyQt6 where both are installed

try:
    import pyqtgraph as pg
    from PyQt5 import QtCore, QtGui, QtWidgets
except ImportError as error:
    raise MissingLibraryError(
        f"the waterfall needs PyQt5 and pyqtgraph ({error}): "
        f"{'; '.join(dict.fromkeys(installation.how_to_load_qt(name, error) for name in ('PyQt5', 'pyqtgraph')))}"
    ) from error

# pyqtgraph's clean-up at exit asks every object in the process for its type, torch's among them, which warn.
pg.setConfigOption("exitCleanup", False)
# It would leave out the last move of a mouse that stops, so that the readout would show another place.
pg.setConfigOption("mouseRateLimit", -1)

__all__ = ["QtCore", "QtGui", "QtWidgets", "pg"]
