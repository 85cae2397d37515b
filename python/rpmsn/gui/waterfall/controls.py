# SPDX-License-Identifier: GPL-3.0-or-later
"""The row of controls above the waterfall; its check boxes are the legend too."""

from collections.abc import Sequence

from ...classes import CLASS_COLORS
from ..flow_layout import FlowLayout
from ..qt import QtCore, QtGui, QtWidgets
from ..translation import mark, tr
from .history import format_seconds
from .levels import UNITS
from .settings import COLOR_MAP_NAMES, FOR_EVER, LEVEL_LIMITS, SHOWN_CLASSES, SMALLEST_RANGE, Settings

SLIDER_WIDTH = (40, 100)
BOXES_HINT = mark(
    "Draw carriers with class, cell or confidence, and bandwidth.\n"
    "Thick line and \u2713: proven by a cell. Thin line: likely. Dashed and hatched, ?: unsure.\n"
    "No line on a side: the carrier goes on beyond the span, and is \u2265 that wide."
)
MENU = (
    ("references", mark("Annotations of the file")),
    ("bands", mark("3GPP bands")),
    ("spectrum", mark("Spectrum")),
    ("average", mark("Average")),
    ("max_hold", mark("Max hold")),
    ("from_start", mark("Time from the start")),
)
"""Settings that are on or off, and their texts in the menu."""
CHOICES = (
    ("unit", mark("Power in"), UNITS),
    ("average_seconds", mark("Average over"), (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)),
    ("hold_seconds", mark("Max hold for"), (1.0, 3.0, 10.0, 60.0, FOR_EVER)),
)
"""Settings of which one value is chosen, and the names of their menus."""


class Controls(QtWidgets.QWidget):
    """Check boxes, sliders, buttons and the menu View. Keeps no settings: it shows them and signals changes.

    Attributes:
        class_boxes: name of a class -> QCheckBox.
        boxes_box, alpha_slider, low_slider, high_slider: check box and sliders.
        autoscale_button, measure_button, pause_button, view_button: buttons; `view_button` has the menu.
        actions: name of a setting, and `reset`, `save`, `home`, `offset` -> QAction of the menu.
        choices: name of a setting of `CHOICES` -> {value: QAction}.
    """

    requested = QtCore.pyqtSignal(dict)
    """Settings that the user has changed."""

    def __init__(self):
        super().__init__()
        self._make_parts()
        self._make_menu()
        row = FlowLayout(self)
        for part in (*self.class_boxes.values(), self.boxes_box, QtWidgets.QLabel(tr("Opacity")), self.alpha_slider):
            row.addWidget(part)
        row.addStretch()
        for part in (
            QtWidgets.QLabel(tr("Levels")),
            self.low_slider,
            self.high_slider,
            self.autoscale_button,
            self.measure_button,
            self.view_button,
            self.pause_button,
        ):
            row.addWidget(part)
        self._connect()

    def show_settings(self, settings: Settings) -> None:
        """Bring all parts to what is set; sends nothing."""
        self.blockSignals(True)
        for name, box in self.class_boxes.items():
            box.setChecked(name in settings.classes)
        self.boxes_box.setChecked(settings.boxes)
        self.alpha_slider.setValue(round(100 * settings.alpha))
        for slider, level in zip((self.low_slider, self.high_slider), settings.levels):
            slider.setValue(round(level))
        for name, _ in MENU:
            self.actions[name].setChecked(getattr(settings, name))
        self.actions["newest"].setChecked(settings.newest == "bottom")
        self.actions["theme"].setChecked(settings.theme == "light")
        self.actions[settings.color_map].setChecked(True)
        for name, actions in self.choices.items():
            for value, action in actions.items():
                action.setChecked(value == getattr(settings, name))
        self.blockSignals(False)

    def _make_parts(self) -> None:
        """Check boxes, sliders, buttons."""
        self.class_boxes = {
            name: self._check_box(
                name, tr("Colour what is {label}, and draw its boxes", label=name), CLASS_COLORS[name]
            )
            for name in SHOWN_CLASSES
        }
        self.boxes_box = self._check_box(tr("Boxes"), tr(BOXES_HINT))
        self.alpha_slider = self._slider(0, 100, tr("How much the colours of the classes cover"))
        lowest, highest = (round(limit) for limit in LEVEL_LIMITS)
        self.low_slider = self._slider(lowest, highest, tr("Power of the first colour, dB over the noise"))
        self.high_slider = self._slider(lowest, highest, tr("Power of the last colour, dB over the noise"))
        self.autoscale_button = self._button(tr("Autoscale"), tr("Fit the levels to what is in view, once"))
        self.measure_button = self._button(
            tr("Measure"), tr("Two cursors to drag: distance in frequency and time, power")
        )
        self.pause_button = self._button(tr("Pause"), tr("Hold the picture; the analysis continues"))
        for button in (self.measure_button, self.pause_button):
            button.setCheckable(True)

    def _make_menu(self) -> None:
        """What is set seldom."""
        self.view_button = QtWidgets.QPushButton(tr("View"))  # a QToolButton would be higher than the others
        self.view_button.setAccessibleName(tr("What the picture shows"))
        self.view_button.setFocusPolicy(QtCore.Qt.NoFocus)
        menu = QtWidgets.QMenu(self.view_button)
        self.view_button.setMenu(menu)
        self.actions = {name: self._switch(menu, tr(text)) for name, text in MENU}
        menu.addSeparator()
        self.choices = {name: self._choice(menu, *entry) for name, *entry in CHOICES}
        self.actions["offset"] = menu.addAction(tr("Offset of dBm\u2026"))
        menu.addSeparator()
        self.actions["newest"] = self._switch(menu, tr("Newest at the bottom"))
        self.actions["theme"] = self._switch(menu, tr("Light theme"))
        self._maps = QtWidgets.QActionGroup(menu)
        for name in COLOR_MAP_NAMES:
            self.actions[name] = self._maps.addAction(self._switch(menu, tr("Power in {color_map}", color_map=name)))
        menu.addSeparator()
        for name, text in (
            ("home", tr("Whole span, newest rows")),
            ("all", tr("Whole span, all rows")),
            ("reset", tr("Restart average and max hold")),
            ("save", tr("Save picture\u2026")),
        ):
            self.actions[name] = menu.addAction(text)

    def _connect(self) -> None:
        """Every change by the user is requested by the signal."""
        for box in self.class_boxes.values():
            box.toggled.connect(self._request_classes)
        self.boxes_box.toggled.connect(lambda is_on: self.requested.emit({"boxes": is_on}))
        self.alpha_slider.valueChanged.connect(lambda value: self.requested.emit({"alpha": value / 100}))
        self.low_slider.valueChanged.connect(self._request_low)
        self.high_slider.valueChanged.connect(self._request_high)
        for name, _ in MENU:
            self.actions[name].toggled.connect(lambda is_on, name=name: self.requested.emit({name: is_on}))
        self.actions["newest"].toggled.connect(
            lambda is_on: self.requested.emit({"newest": "bottom" if is_on else "top"})
        )
        self.actions["theme"].toggled.connect(
            lambda is_on: self.requested.emit({"theme": "light" if is_on else "dark"})
        )
        for name, actions in self.choices.items():
            for value, action in actions.items():
                action.triggered.connect(lambda _, name=name, value=value: self.requested.emit({name: value}))
        for name in COLOR_MAP_NAMES:
            self.actions[name].triggered.connect(lambda _, name=name: self.requested.emit({"color_map": name}))

    def _request_classes(self, *_) -> None:
        self.requested.emit({"classes": [name for name, box in self.class_boxes.items() if box.isChecked()]})

    def _request_low(self, low: int) -> None:
        """The other slider gives way."""
        level = min(low, LEVEL_LIMITS[1] - SMALLEST_RANGE)
        self.requested.emit({"levels": [level, max(self.high_slider.value(), level + SMALLEST_RANGE)]})

    def _request_high(self, high: int) -> None:
        """As `_request_low`."""
        level = max(high, LEVEL_LIMITS[0] + SMALLEST_RANGE)
        self.requested.emit({"levels": [min(self.low_slider.value(), level - SMALLEST_RANGE), level]})

    @staticmethod
    def _check_box(text: str, hint: str, color=None):
        """A check box, filled with a colour when it is on."""
        box = QtWidgets.QCheckBox(text)
        box.setToolTip(hint)
        box.setFocusPolicy(QtCore.Qt.TabFocus)
        box.setAccessibleName(hint.splitlines()[0])
        if color is not None:
            name = QtGui.QColor(*color).name()
            box.setStyleSheet(
                f"QCheckBox::indicator {{ border-color: {name}; }}"
                f"QCheckBox::indicator:checked {{ background: {name}; }}"
            )
        return box

    @staticmethod
    def _slider(low: int, high: int, hint: str):
        slider = QtWidgets.QSlider(QtCore.Qt.Horizontal)
        slider.setRange(low, high)
        slider.setMinimumWidth(SLIDER_WIDTH[0])
        slider.setMaximumWidth(SLIDER_WIDTH[1])
        slider.setFocusPolicy(QtCore.Qt.TabFocus)
        slider.setToolTip(hint)
        slider.setAccessibleName(hint)
        return slider

    @staticmethod
    def _button(text: str, hint: str):
        button = QtWidgets.QPushButton(text)
        button.setToolTip(hint)
        button.setFocusPolicy(QtCore.Qt.NoFocus)
        return button

    def _choice(self, menu, text: str, values: Sequence) -> dict:
        """A menu of values of which one holds."""
        own, group = menu.addMenu(tr(text)), QtWidgets.QActionGroup(menu)
        return {value: group.addAction(self._switch(own, _value_text(value))) for value in values}

    @staticmethod
    def _switch(menu, text: str):
        """A line of the menu that can be on or off."""
        action = menu.addAction(text)
        action.setCheckable(True)
        return action


def _value_text(value: str | float) -> str:
    if isinstance(value, str):
        return tr(value)
    return tr("until a reset") if value == FOR_EVER else format_seconds(value)
