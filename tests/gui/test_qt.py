# SPDX-License-Identifier: GPL-3.0-or-later
"""Windows are drawn with PyQt5, whatever else is installed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from limits import PROCESS_S

pytest.importorskip("PyQt5.QtWidgets", reason="PyQt5 is not installed")
pytest.importorskip("pyqtgraph", reason="pyqtgraph is not installed")

PACKAGES = Path(__file__).resolve().parents[2] / "python"


@pytest.mark.parametrize("asked_for", [None, "PyQt6"], ids=["nothing", "PyQt6"])
def test_pyqtgraph_uses_the_qt_of_the_windows_whatever_the_environment_asks_for(asked_for):
    environment = {name: value for name, value in os.environ.items() if name != "PYQTGRAPH_QT_LIB"}
    environment |= {"PYTHONPATH": str(PACKAGES)} | ({"PYQTGRAPH_QT_LIB": asked_for} if asked_for else {})
    result = subprocess.run(
        [sys.executable, "-c", "from rpmsn.gui.qt import pg; print(pg.Qt.QT_LIB)"],
        text=True,
        capture_output=True,
        timeout=PROCESS_S,
        env=environment,
    )
    assert result.stdout == "PyQt5\n", result.stderr
