# SPDX-License-Identifier: GPL-3.0-or-later
"""The bar below the picture of a file: play, place, speed, loop."""

import math

from ..actions import add_action, hint
from ..flow_layout import FlowLayout
from ..qt import QtCore, QtWidgets
from ..translation import tr
from .overview import Overview
from .pacing import SPEEDS
from .player import Player

SLIDER_STEPS = 10_000
SLIDER_WIDTH = 120
"""Pixels, at least."""
JUMP_FRACTION, SHORTEST_JUMP = 0.02, 0.2
"""What an arrow key skips: this fraction of the recording, and this many seconds at the least."""


class TransportBar(QtWidgets.QWidget):
    """Controls a Player.

    Args:
        player: Player.
        parent: QWidget or None.
    """

    def __init__(self, player: Player, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.player = player
        self._build()
        self._connect()
        self.set_low(False)
        self.update_now()

    def update_now(self) -> None:
        """Show where the player is."""
        duration = self.player.recording.duration
        if not self.slider.isSliderDown():
            self.slider.setValue(round(self.player.position / duration * SLIDER_STEPS))
        self.place_label.setText(f"{format_place(self.player.position, duration)} / {format_place(duration, duration)}")
        text = tr("Pause") if self.player.playing else tr("Play")
        if self.play_button.text() != text:
            self.play_button.setText(text)

    def toggle_play(self) -> None:
        """Play, or pause."""
        (self.player.pause if self.player.playing else self.player.play)()
        self.update_now()

    def skip(self, fraction: float) -> None:
        """Go forwards or back by a fraction of the recording."""
        duration = self.player.recording.duration
        step = max(abs(fraction) * duration, min(SHORTEST_JUMP, duration / 2))
        self.player.seek(min(max(0.0, self.player.position + math.copysign(step, fraction)), duration))

    def change_speed(self, steps: int) -> None:
        """Take the next speed of `SPEEDS`, or the one before."""
        index = min(max(0, self.speed_box.currentIndex() + steps), len(SPEEDS) - 1)
        self.speed_box.setCurrentIndex(index)

    def set_low(self, is_low: bool) -> None:
        """Take less of the height, or not."""
        margin = 2 if is_low else 4
        self.layout().setContentsMargins(8, margin, 8, margin)
        self.slider.set_low(is_low)

    def _build(self) -> None:
        row = FlowLayout(self)
        self.play_button = QtWidgets.QPushButton(tr("Pause"))
        self.step_button = QtWidgets.QPushButton(tr("Step"))
        self.slider = Overview()
        self.slider.setRange(0, SLIDER_STEPS)
        self.slider.setAccessibleName(tr("Place in the recording"))
        self.slider.setMinimumWidth(SLIDER_WIDTH)
        self.slider.setSizePolicy(QtWidgets.QSizePolicy.Expanding, QtWidgets.QSizePolicy.Fixed)
        self.place_label = QtWidgets.QLabel("")
        self.place_label.setMinimumWidth(self.place_label.fontMetrics().horizontalAdvance("0:00:00.0 / 0:00:00.0"))
        self.place_label.setAlignment(QtCore.Qt.AlignCenter)
        self.speed_box = QtWidgets.QComboBox()
        for speed in SPEEDS:
            self.speed_box.addItem(tr("max") if math.isinf(speed) else f"{speed:g} ×", speed)
        self.speed_box.setCurrentIndex(min(range(len(SPEEDS)), key=lambda k: _distance(SPEEDS[k], self.player.speed)))
        self.speed_box.setAccessibleName(tr("Speed, times real time"))
        self.loop_box = QtWidgets.QCheckBox(tr("Loop"))
        self.loop_box.setChecked(self.player.loop)
        for widget in (self.play_button, self.step_button, self.speed_box, self.loop_box):
            widget.setFocusPolicy(QtCore.Qt.TabFocus)
        for widget in (
            self.play_button,
            self.step_button,
            self.slider,
            self.place_label,
            self.speed_box,
            self.loop_box,
        ):
            row.addWidget(widget)

    def _connect(self) -> None:
        self.play_button.clicked.connect(self.toggle_play)
        self.step_button.clicked.connect(self.player.step)
        self.slider.asked.connect(lambda fraction: self.player.seek(fraction * self.player.recording.duration))
        self.speed_box.currentIndexChanged.connect(lambda index: self.player.set_speed(self.speed_box.itemData(index)))
        self.loop_box.toggled.connect(self._set_loop)
        play, step, slower, _, loop, back, _ = (
            add_action(self, text, keys, slot, in_window=True)
            for text, keys, slot in (
                (tr("Play or pause the recording"), ("Space", "P"), self.toggle_play),
                (tr("Pause, and play one frame"), ".", self.player.step),
                (tr("Slower"), "[", lambda: self.change_speed(-1)),
                (tr("Faster"), "]", lambda: self.change_speed(1)),
                (tr("Start again at the end, or not"), "L", self.loop_box.toggle),
                (tr("Back"), "Ctrl+Left", lambda: self.skip(-JUMP_FRACTION)),
                (tr("Forwards"), "Ctrl+Right", lambda: self.skip(JUMP_FRACTION)),
            )
        )
        for widget, words, action in (
            (self.play_button, tr("Play or pause the recording"), play),
            (self.step_button, tr("Pause, and play one frame"), step),
            (self.slider, tr("Place in the recording"), back),
            (self.speed_box, tr("Times real time; max is as fast as the analysis goes"), slower),
            (self.loop_box, tr("Start again at the end"), loop),
        ):
            widget.setToolTip(hint(words, action))

    def _set_loop(self, loop: bool) -> None:
        self.player.loop = loop


def format_place(seconds: float, duration: float) -> str:
    """A place in a recording: as fine as its length asks for."""
    if duration < 0.1:
        return f"{1e3 * seconds:.2f} ms"
    if duration < 60.0:
        return f"{seconds:.2f} s"
    whole = int(seconds)
    tenths = int(10 * (seconds - whole))
    clock = f"{whole % 3600 // 60:02d}:{whole % 60:02d}.{tenths}"
    return f"{whole // 3600}:{clock}" if duration >= 3600.0 else clock


def _distance(speed: float, wanted: float) -> float:
    """How far two speeds are apart, on a scale of ratios."""
    if math.isinf(speed) or math.isinf(wanted):
        return 0.0 if speed == wanted else math.inf
    return abs(math.log(speed / wanted))
