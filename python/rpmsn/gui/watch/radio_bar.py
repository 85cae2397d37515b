# SPDX-License-Identifier: GPL-3.0-or-later
"""The bar below the picture of a radio: centre frequency, sample rate, gain."""

from typing import TYPE_CHECKING

from ..flow_layout import FlowLayout
from ..number_box import NumberBox
from ..qt import QtCore, QtWidgets

if TYPE_CHECKING:
    from .radio_process import RadioWatch

HIGHEST_MHZ = 100_000.0
STEPS_PER_SPAN = 4
"""An arrow key moves the picture by this fraction of the span."""
AUTOMATIC = "automatic"


class RadioBar(QtWidgets.QWidget):
    """Shows and sets what a radio is tuned to.

    Args:
        radio: RadioWatch.
        parent: QWidget or None.

    Attributes:
        frequency_box, gain_box: spin boxes, MHz and dB; a value is sent at Enter, at an arrow key, or when the box is
            left.
        rate_label: sample rate.
    """

    def __init__(self, radio: "RadioWatch", parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._radio = radio
        self._build()
        self.setEnabled(False)
        self.update_now()
        self.frequency_box.valueChanged.connect(lambda megahertz: radio.tune(1e6 * megahertz))
        self.gain_box.valueChanged.connect(self._set_gain)

    def update_now(self) -> None:
        """Show what the radio is set to, but for a number that is being typed."""
        if self._radio.is_open and not self.isEnabled():
            self._show_ranges()
        self.rate_label.setText(f"{self._radio.sample_rate / 1e6:g} Msps")
        self._show(self.frequency_box, self._radio.center_frequency / 1e6)

    def _build(self) -> None:
        row = FlowLayout(self)
        row.setContentsMargins(8, 4, 8, 4)
        self.frequency_box = self._box(" MHz", 3, "Centre frequency; a double click into the picture tunes, too")
        self.frequency_box.setRange(0.0, HIGHEST_MHZ)
        self.rate_label = QtWidgets.QLabel("")
        self.gain_box = self._box(
            " dB",
            1,
            "Gain of all stages: raise it until the noise floor rises with it; lower it when the input is overloaded",
        )
        self.gain_box.setSpecialValueText(AUTOMATIC)
        for part in (QtWidgets.QLabel("Centre"), self.frequency_box, self.rate_label):
            row.addWidget(part)
        row.addStretch()
        for part in (QtWidgets.QLabel("Gain"), self.gain_box):
            row.addWidget(part)

    def _show_ranges(self) -> None:
        """The radio has just been opened."""
        lowest, highest = self._radio.gain_range
        gain = self._radio.gain
        self.frequency_box.setSingleStep(self._radio.sample_rate / STEPS_PER_SPAN / 1e6)
        self.gain_box.blockSignals(True)
        if gain is None:
            # The value below the lowest stands for the radio's own control.
            self.gain_box.setRange(lowest - self.gain_box.singleStep(), highest)
            self.gain_box.setValue(self.gain_box.minimum())
        else:
            self._leave_automatic()
            self.gain_box.setValue(gain)
        self.gain_box.blockSignals(False)
        self.setEnabled(True)

    def _set_gain(self, gain: float) -> None:
        self._leave_automatic()
        self._radio.set_gain(gain)

    def _leave_automatic(self) -> None:
        """Nothing leads back to the radio's own control."""
        self.gain_box.setSpecialValueText("")
        self.gain_box.setRange(*self._radio.gain_range)

    @staticmethod
    def _show(box: QtWidgets.QDoubleSpinBox, value: float) -> None:
        """Put a value into a box without sending it."""
        if not box.lineEdit().isModified() and round(value, box.decimals()) != box.value():
            box.blockSignals(True)
            box.setValue(value)
            box.blockSignals(False)

    @staticmethod
    def _box(suffix: str, decimals: int, hint: str) -> NumberBox:
        box = NumberBox()
        box.setSuffix(suffix)
        box.setDecimals(decimals)
        box.setKeyboardTracking(False)
        box.setButtonSymbols(QtWidgets.QAbstractSpinBox.NoButtons)
        box.setToolTip(f"{hint} (type and press Enter, or Up and Down)")
        box.setFocusPolicy(QtCore.Qt.ClickFocus)
        box.setMinimumWidth(box.fontMetrics().horizontalAdvance("000000.000 MHz") + 16)
        return box
