# SPDX-License-Identifier: GPL-3.0-or-later
"""A field for a number that reads 1850.5 and 1850,5 alike on every desktop."""

from .qt import QtCore, QtGui, QtWidgets


class NumberBox(QtWidgets.QDoubleSpinBox):
    """A spin box whose numbers have a point, whatever the language of the desktop; a comma becomes a point as it is
    typed or pasted. There is no separator of thousands: `1,850.5` and `1.850,5` are not taken.

    Args:
        parent: QWidget or None.
    """

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        # A desktop in German would read 1850.5 as 18505.
        locale = QtCore.QLocale(QtCore.QLocale.C)
        locale.setNumberOptions(QtCore.QLocale.OmitGroupSeparator | QtCore.QLocale.RejectGroupSeparator)
        self.setLocale(locale)

    def validate(self, text: str, position: int) -> tuple[QtGui.QValidator.State, str, int]:
        """Called by Qt at each key: whether the text is a number, with the comma replaced."""
        return super().validate(text.replace(",", "."), position)

    def valueFromText(self, text: str) -> float:
        """Called by Qt: the number that a text stands for."""
        return super().valueFromText(text.replace(",", "."))
