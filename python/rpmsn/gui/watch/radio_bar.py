# SPDX-License-Identifier: GPL-3.0-or-later
"""The bar below the picture of a radio: centre frequency and its steps, correction, antenna, gain, recording."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...standards.bands import raster_neighbour
from ..actions import add_action
from ..flow_layout import FlowLayout
from ..number_box import NumberBox
from ..qt import QtCore, QtWidgets
from ..translation import mark, tr
from .record_controls import RecordControls

if TYPE_CHECKING:
    from .radio_process import RadioWatch

HIGHEST_MHZ = 100_000.0
STEPS_PER_SPAN = 4
"""An arrow key moves the picture by this fraction of the span."""
AUTOMATIC = mark("automatic")
HIGHEST_PPM = 200.0
SPAN, RASTER = mark("1/4 span"), mark("raster")
STEPS = {SPAN: 0.0, RASTER: 0.0, "10 kHz": 10e3, "100 kHz": 100e3, "1 MHz": 1e6, "10 MHz": 10e6}
"""What an arrow key tunes by -> Hz where that is fixed."""


class FrequencyBox(NumberBox):
    """A frequency in MHz, whose arrow keys step as `next_frequency` says: function, (Hz, steps) -> Hz."""

    def __init__(self, next_frequency: Callable[[float, int], float]) -> None:
        super().__init__()
        self._next_frequency = next_frequency

    def stepBy(self, steps: int) -> None:
        """Called by Qt at an arrow key."""
        self.setValue(self._next_frequency(1e6 * self.value(), steps) / 1e6)


class RadioBar(QtWidgets.QWidget):
    """Shows and sets what a radio is tuned to.

    Args:
        radio: RadioWatch.
        settings: of the window; `tuning_step`, `ppm` and `record_folder` are changed here.
        parent: QWidget or None.

    Attributes:
        frequency_box, gain_box, ppm_box: spin boxes, MHz, dB and parts per million; a value is sent at Enter, at an
            arrow key, or when the box is left.
        lock_button: while it is down nothing tunes the radio.
        step_box, antenna_box: what an arrow key tunes by; antennas, where the radio has several.
        cell_button: takes the correction from the cells, where these show an error.
        recording: RecordControls.
        rate_label: sample rate.
    """

    def __init__(self, radio: "RadioWatch", settings: dict[str, Any], parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._radio, self._settings = radio, settings
        self._build()
        self.set_low(False)
        self.setEnabled(False)
        self.update_now()
        self.frequency_box.valueChanged.connect(lambda megahertz: radio.tune(1e6 * megahertz))
        self.gain_box.valueChanged.connect(self._set_gain)
        self.ppm_box.valueChanged.connect(self._set_ppm)
        self.cell_button.clicked.connect(self._take_from_cells)
        self.step_box.currentIndexChanged.connect(lambda _: settings.update(tuning_step=self.step_box.currentData()))
        self.antenna_box.textActivated.connect(radio.set_antenna)
        self.lock_button.toggled.connect(self.frequency_box.setDisabled)
        add_action(self, tr("Lock the frequency, or not"), "Ctrl+L", self.lock_button.toggle, in_window=True)
        add_action(self, tr("Record IQ, or end the recording"), "Ctrl+R", self.recording.toggle, in_window=True)

    @property
    def is_locked(self) -> bool:
        """Whether the frequency is to stay as it is."""
        return self.lock_button.isChecked()

    def update_now(self) -> None:
        """Show what the radio is set to, but for a number that is being typed."""
        if self._radio.is_open and not self.isEnabled():
            self._show_ranges()
        self.rate_label.setText(f"{self._radio.sample_rate / 1e6:g} Msps")
        self._show(self.frequency_box, self._radio.center_frequency / 1e6)
        self._show(self.ppm_box, self._radio.ppm)
        if self.antenna_box.currentText() != self._radio.antenna:
            self.antenna_box.setCurrentText(self._radio.antenna)
        seen = self._radio.seen_ppm
        self.cell_button.setEnabled(seen is not None)
        self.cell_button.setText(
            tr("From cell") if seen is None else tr("From cell: {ppm}", ppm=f"{seen + self._radio.ppm:+.2f}")
        )
        self.recording.update_now()

    def set_low(self, is_low: bool) -> None:
        """Take less of the height, or not."""
        margin = 2 if is_low else 4
        self.layout().setContentsMargins(8, margin, 8, margin)

    def _build(self) -> None:
        row = FlowLayout(self)
        self.frequency_box = self._box(
            " MHz",
            3,
            tr("Centre frequency; a double click into the picture tunes, too"),
            FrequencyBox(self._next_frequency),
        )
        self.frequency_box.setRange(0.0, HIGHEST_MHZ)
        self.rate_label = QtWidgets.QLabel("")
        self.gain_box = self._box(
            " dB",
            1,
            tr(
                "Gain of all stages: raise it until the noise floor rises with it; "
                "lower it when the input is overloaded"
            ),
        )
        self.gain_box.setSpecialValueText(tr(AUTOMATIC))
        self.ppm_box = self._box(" ppm", 2, tr("Error of the radio's clock, by which all frequencies are corrected"))
        self.ppm_box.setRange(-HIGHEST_PPM, HIGHEST_PPM)
        self.ppm_box.setSingleStep(0.1)
        self._build_buttons()
        self.recording = RecordControls(self._radio, self._settings)
        self._antenna = _group(tr("Antenna"), self.antenna_box)
        row.addWidget(_group(tr("Centre"), self.frequency_box, self.lock_button))
        row.addWidget(_group(tr("Step"), self.step_box))
        for part in (self.rate_label, self._antenna, _group(tr("Gain"), self.gain_box)):
            row.addWidget(part)
        row.addWidget(_group("", self.ppm_box, self.cell_button))
        row.addStretch()
        row.addWidget(self.recording)

    def _build_buttons(self) -> None:
        """What is clicked."""
        self.lock_button = _tool_button(tr("Lock"), tr("Keep the frequency: against double clicks, keys and bookmarks"))
        self.lock_button.setCheckable(True)
        self.cell_button = _tool_button(tr("From cell"), tr("Take the correction from the proven cells in view"))
        self.step_box, self.antenna_box = QtWidgets.QComboBox(), QtWidgets.QComboBox()
        for name in STEPS:
            self.step_box.addItem(tr(name), name)
        self.step_box.setCurrentIndex(max(0, self.step_box.findData(self._settings["tuning_step"])))
        for box, hint in (
            (self.step_box, tr("What an arrow key tunes by; raster: that of the channels at this frequency")),
            (self.antenna_box, tr("Antenna of the radio")),
        ):
            box.setToolTip(hint)
            box.setAccessibleName(hint)
            box.setFocusPolicy(QtCore.Qt.ClickFocus)

    def _next_frequency(self, frequency: float, steps: int) -> float:
        """Hz that arrow keys lead to."""
        text = self.step_box.currentData()
        if text == RASTER:
            return raster_neighbour(frequency, steps)
        return frequency + steps * (STEPS[text] or self._radio.sample_rate / STEPS_PER_SPAN)

    def _set_ppm(self, ppm: float) -> None:
        self._radio.set_ppm(ppm)
        self._settings["ppm"] = {**self._settings["ppm"], self._radio.device: ppm}

    def _take_from_cells(self) -> None:
        """One action: what the cells show is corrected from now on."""
        if self._radio.seen_ppm is not None:
            self.ppm_box.setValue(self._radio.seen_ppm + self._radio.ppm)

    def _show_ranges(self) -> None:
        """The radio has just been opened."""
        lowest, highest = self._radio.gain_range
        gain = self._radio.gain
        antennas = self._radio.antennas
        self.antenna_box.addItems(antennas)
        self._antenna.setVisible(len(antennas) > 1)
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
    def _box(suffix: str, decimals: int, hint: str, box: NumberBox | None = None) -> NumberBox:
        box = NumberBox() if box is None else box
        box.setSuffix(suffix)
        box.setDecimals(decimals)
        box.setKeyboardTracking(False)
        box.setButtonSymbols(QtWidgets.QAbstractSpinBox.NoButtons)
        box.setToolTip(tr("{meaning} (type and press Enter, or Up and Down)", meaning=hint))
        box.setFocusPolicy(QtCore.Qt.ClickFocus)
        box.setAccessibleName(hint)
        box.setMinimumWidth(box.fontMetrics().horizontalAdvance(f"00000.{'0' * decimals}{suffix}") + 16)
        return box


def _group(label: str, *widgets: QtWidgets.QWidget) -> QtWidgets.QWidget:
    """What stays together where the bar has two lines."""
    box = QtWidgets.QWidget()
    layout = QtWidgets.QHBoxLayout(box)
    layout.setContentsMargins(0, 0, 0, 0)
    for part in (*([QtWidgets.QLabel(label)] if label else []), *widgets):
        layout.addWidget(part)
    return box


def _tool_button(text: str, hint: str) -> QtWidgets.QToolButton:
    button = QtWidgets.QToolButton()
    button.setText(text)
    button.setToolTip(hint)
    button.setAccessibleName(hint)
    button.setFocusPolicy(QtCore.Qt.NoFocus)
    return button
