# SPDX-License-Identifier: GPL-3.0-or-later
"""The two lines below the waterfall: whether all is well, what is under the mouse, and the numbers of the analysis."""

import html
import time
from collections.abc import Callable

from ...messages import keys
from ..qt import QtCore, QtWidgets
from ..theme import Theme
from ..translation import mark, tr
from .status import ALARM, NOTE, SOURCE_STATE, WARNING, Problem, describe_status

SILENT_SECONDS = 3.0
"""After so long without a status something is said."""
NOTHING_FOUND = mark("nothing found")
BREAK_SECONDS = 5.0
"""How long lost or dropped samples stay reported."""


class StatusBar(QtWidgets.QWidget):
    """State as text; then the facts, in the same colour where they are the reason.

    Red: results are missing. Amber: they should be better. Green: input is analysed, and all is well. Without colour:
    nothing is analysed, such as at the end of a recording.

    Args:
        theme: Theme.
        clock: function that returns seconds.

    Attributes:
        state_label, facts_label, readout_label: the QLabels.
        problems: what is wrong now, list of Problem.
        has_found: whether there are carriers; None where nothing was looked at.
    """

    def __init__(self, theme: Theme, clock: Callable[[], float] = time.monotonic):
        super().__init__()
        self.theme, self._clock = theme, clock
        self.problems: list[Problem] = []
        self.has_found: bool | None = None
        self._facts: list = []
        self._last: dict | None = None
        self._last_time = 0.0
        self._break, self._break_time = "", 0.0
        self._is_brief = False
        self.state_label, self.facts_label, self.readout_label = (QtWidgets.QLabel() for _ in range(3))
        self.readout_label.setObjectName("readout")
        self._lay_out()

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
        self.set_brief(False)

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

    def set_brief(self, is_brief: bool) -> None:
        """Whether the first line is all: it says what is wrong, of notes the beginning; its tooltip has the rest, and
        the numbers."""
        self._is_brief = is_brief
        self.state_label.setMinimumHeight(self.state_label.fontMetrics().lineSpacing() + (0 if is_brief else 4))
        self.refresh()

    def set_theme(self, theme: Theme) -> None:
        """Other colours."""
        self.theme = theme
        self.refresh()

    def refresh(self) -> None:
        """Update the text; it also changes when nothing arrives any more."""
        problems = list(self.problems)
        is_worse = any(problem.level == ALARM for problem in problems)
        if not is_worse and self._break and self._clock() - self._break_time < BREAK_SECONDS:
            problems.insert(0, Problem(self._break))
        silent = self._clock() - self._last_time
        if self._last is None:
            state, color = ("" if problems else tr("no status yet")), self.theme.muted
        elif silent > SILENT_SECONDS:
            state = tr("no status for {time} s: the flowgraph has ended, or hangs", time=f"{silent:.0f}")
            color = self.theme.alarm if self._last.get(keys.MODE) == "live" else self.theme.muted
        else:
            state, color = self._state_of(self._last, problems)
        self._set_state(problems, state, color)
        self.facts_label.setVisible(not self._is_brief)
        self._set_text(
            self.facts_label,
            " \u00b7 ".join(
                html.escape(fact.text) if fact.level is None else _colored(fact.text, self._color(fact.level))
                for fact in self._facts
            ),
        )

    def _state_of(self, status: dict, problems: list[Problem]) -> tuple[str, str]:
        """What is going on beside the problems, and its colour: green is only what works."""
        resting = tr(str(status.get(SOURCE_STATE) or ""))
        is_well = all(problem.level == NOTE for problem in problems)
        found = tr(NOTHING_FOUND) if self.has_found is False and is_well else ""
        words = [resting or (tr("ok") if is_well else ""), found]
        return ", ".join(filter(None, words)), self.theme.muted if resting else self.theme.good

    def _color(self, level: int) -> str:
        return {ALARM: self.theme.alarm, WARNING: self.theme.warning, NOTE: self.theme.muted}[level]

    def _set_state(self, problems: list[Problem], state: str, color: str) -> None:
        """The problems, each in its colour, and the state: where all is well that comes first."""
        parts = [(problem.text, self._color(problem.level)) for problem in problems]
        notes = {problem.text for problem in problems if problem.level == NOTE}
        if state:
            parts.insert(sum(problem.level > NOTE for problem in problems), (state, color))
        written = [(text.split(",")[0] if self._is_brief and text in notes else text, color) for text, color in parts]
        self._set_text(self.state_label, "; ".join(_colored(*part) for part in written))
        facts = [" · ".join(fact.text for fact in self._facts)] if self._is_brief and self._facts else []
        self.state_label.setToolTip("\n".join(["; ".join(text for text, _ in parts), *facts]))

    @staticmethod
    def _set_text(label, text: str) -> None:
        if label.text() != text:
            label.setText(text)


def _colored(text: str, color: str) -> str:
    """Text as HTML in a colour."""
    return f'<span style="color:{color}; font-weight:600">{html.escape(text)}</span>'
