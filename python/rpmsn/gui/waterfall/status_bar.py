# SPDX-License-Identifier: GPL-3.0-or-later
"""The two lines below the waterfall: whether all is well, what is under the mouse, and the numbers of the analysis."""

import html
import time
from collections.abc import Callable

from ...messages import keys
from ..qt import QtCore, QtWidgets
from ..theme import Theme
from .status import describe_status

SILENT_SECONDS = 3.0
"""After so long without a status something is said."""
BREAK_SECONDS = 5.0
"""How long lost or dropped samples stay reported."""


class StatusBar(QtWidgets.QWidget):
    """State as text, red where something is wrong; then the facts, red where they are the reason.

    Args:
        theme: Theme.
        clock: function that returns seconds.

    Attributes:
        state_label, facts_label, readout_label: the QLabels.
        problems: what is wrong now, list of str.
    """

    def __init__(self, theme: Theme, clock: Callable[[], float] = time.monotonic):
        super().__init__()
        self.theme, self._clock = theme, clock
        self.problems: list[str] = []
        self._facts: list = []
        self._last: dict | None = None
        self._last_time = 0.0
        self._break, self._break_time = "", 0.0
        self.state_label, self.facts_label, self.readout_label = (QtWidgets.QLabel() for _ in range(3))
        self.readout_label.setObjectName("readout")
        self._lay_out()
        self.refresh()

    def _lay_out(self) -> None:
        """State and readout side by side, facts below; both may take two lines."""
        layout = QtWidgets.QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        for label in (self.state_label, self.facts_label):
            label.setWordWrap(True)
            label.setTextFormat(QtCore.Qt.RichText)
            label.setAlignment(QtCore.Qt.AlignTop)
            label.setMinimumWidth(100)
        self.readout_label.setAlignment(QtCore.Qt.AlignRight | QtCore.Qt.AlignTop)
        layout.addWidget(self.state_label, 0, 0)
        layout.addWidget(self.readout_label, 0, 1)
        layout.addWidget(self.facts_label, 1, 0, 1, 2)
        layout.setColumnStretch(0, 1)
        self.state_label.setMinimumHeight(self.state_label.fontMetrics().lineSpacing() + 4)

    def set_status(self, fields: dict) -> None:
        """Show a status message.

        Raises:
            TypeError, ValueError: a value is of a wrong kind.
        """
        self.problems, self._facts = describe_status(fields, self._last)
        self._last, self._last_time = dict(fields), self._clock()
        self.refresh()

    def show_break(self, text: str) -> None:
        """Say at once that samples are missing; the next status has the count."""
        self._break, self._break_time = text, self._clock()
        self.refresh()

    def set_theme(self, theme: Theme) -> None:
        """Other colours."""
        self.theme = theme
        self.refresh()

    def refresh(self) -> None:
        """Update the text; it also changes when nothing arrives any more."""
        problems = list(self.problems)
        if not problems and self._break and self._clock() - self._break_time < BREAK_SECONDS:
            problems.append(self._break)
        silent = self._clock() - self._last_time
        if self._last is None and not problems:
            self._set_state("no status yet", self.theme.muted)
        elif self._last is not None and silent > SILENT_SECONDS:
            is_live = self._last.get(keys.MODE) == "live"
            text = f"no status for {silent:.0f} s: the flowgraph has ended, or hangs"
            color = self.theme.alarm if is_live or problems else self.theme.muted
            self._set_state("; ".join([*problems, text]), color)
        else:
            self._set_state("; ".join(problems) or "ok", self.theme.alarm if problems else self.theme.good)
        self._set_text(
            self.facts_label,
            " \u00b7 ".join(
                _colored(fact.text, self.theme.alarm) if fact.is_bad else html.escape(fact.text) for fact in self._facts
            ),
        )

    def _set_state(self, text: str, color: str) -> None:
        self._set_text(self.state_label, _colored(text, color))
        self.state_label.setToolTip(text)

    @staticmethod
    def _set_text(label, text: str) -> None:
        if label.text() != text:
            label.setText(text)


def _colored(text: str, color: str) -> str:
    """Text as HTML in a colour."""
    return f'<span style="color:{color}; font-weight:600">{html.escape(text)}</span>'
