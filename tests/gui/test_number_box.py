# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers typed into fields, on desktops in any language."""

import pytest

QtTest = pytest.importorskip("PyQt5.QtTest", reason="PyQt5 is not installed")
pytest.importorskip("pyqtgraph", reason="pyqtgraph is not installed")

from rpmsn.gui.number_box import NumberBox
from rpmsn.gui.qt import QtCore, QtWidgets

LANGUAGES = ("C", "de_DE", "fr_FR", "en_US", "de_CH", "pt_BR", "ar_EG", "hi_IN")


@pytest.fixture(params=LANGUAGES)
def box(request):
    """A field of megahertz as the radio's bar has, on a desktop in a language."""
    application = QtWidgets.QApplication.instance() or QtWidgets.QApplication([])
    before = QtCore.QLocale()
    QtCore.QLocale.setDefault(QtCore.QLocale(request.param))
    made = NumberBox()
    made.setDecimals(3)
    made.setRange(0.0, 100_000.0)
    made.setSuffix(" MHz")
    made.setKeyboardTracking(False)
    yield made
    QtCore.QLocale.setDefault(before)
    made.deleteLater()
    application.processEvents()


@pytest.mark.parametrize(
    "typed, value", [("1850.5", 1850.5), ("1850,5", 1850.5), ("806", 806.0), (",25", 0.25), ("2600,125", 2600.125)]
)
def test_a_point_and_a_comma_are_the_same_in_every_language(box, typed, value):
    box.selectAll()
    QtTest.QTest.keyClicks(box, typed)
    QtTest.QTest.keyClick(box, QtCore.Qt.Key_Return)
    assert box.value() == value


@pytest.mark.parametrize("value", [1850.5, 12345.678])
def test_numbers_are_shown_with_a_point_and_without_separators(box, value):
    box.setValue(value)
    assert box.text() == f"{value:.3f} MHz"


@pytest.mark.parametrize("typed", ["1,850.5", "1.850,5", "1 850", "1'850"])
def test_separators_of_thousands_never_become_another_number(box, typed):
    box.setValue(5.0)
    box.selectAll()
    QtTest.QTest.keyClicks(box, typed)
    QtTest.QTest.keyClick(box, QtCore.Qt.Key_Return)
    # What follows the second separator is not taken while it is typed, so the number stands in the field to be seen.
    assert box.value() in (1.85, 1.8505, 1850.0, 1850.5)
    assert box.value() != 18505.0


def test_every_numeric_field_of_the_windows_is_one():
    """A spin box of Qt itself follows the language of the desktop."""
    from pathlib import Path

    import rpmsn.gui

    found = [
        path.name
        for path in Path(rpmsn.gui.__file__).parent.rglob("*.py")
        if "QDoubleSpinBox(" in path.read_text() or "QDoubleValidator" in path.read_text()
    ]
    assert found == [] or found == ["number_box.py"]
