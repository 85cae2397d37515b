# SPDX-License-Identifier: GPL-3.0-or-later
"""The waterfall and the table of its carriers, as one Qt widget: what is selected in one is selected in the other."""

from typing import Any

import numpy as np

from ..messages.report import Report
from .carriers.carrier_list import CarrierRow
from .carriers.table import CarrierTable
from .qt import QtCore, QtGui, QtWidgets
from .theme import THEMES, Theme
from .translation import mark, tr
from .waterfall.pointing import Place
from .waterfall.widget import WaterfallWidget

BELOW, BESIDE, HIDDEN = PLACES = ("below", "beside", "hidden")
"""Where the table is."""
FRACTION_BELOW, FRACTION_BESIDE, LEAST_LINES = 0.33, 0.46, 8
FRACTION_LOW, LOW_LINES = 0.22, 5.9
TAB_LINES = 1.2
"""Fraction of the height, or of the width, that the table takes; below the picture at least so many lines of text. Both
also where the whole is low; and lines of the tabs of panels."""
USUAL_PIXELS = 8
"""A height that differs by no more, as by tabs that become smaller, is the usual one, which nobody has chosen."""
WIDE_PIXELS = 1900
"""From this width on the table fits next to the picture."""
SETTLED_MS = 1000
"""After so long the window manager has given a window its size; from then on panels keep their fraction of it."""
LOW_PIXELS = 520
"""Lower than this, panels have no title, and are smaller: the picture comes first."""


class WaterfallWithTable(QtWidgets.QMainWindow):
    """A waterfall with its table; takes the same messages as `WaterfallWidget`.

    The table is a panel that can be moved, detached and hidden with the mouse.

    Args:
        title: written above the picture.
        theme: `dark` or `light`; the waterfall may change it later.
        place: one of `PLACES`.
        parent: QWidget or None.
        waterfall: further arguments of `WaterfallWidget`.

    Attributes:
        waterfall: WaterfallWidget.
        table: CarrierTable.
        panels: list of QDockWidget, that of the table first; a program may add further ones by `add_panel`.

    Example:
        >>> both = WaterfallWithTable("band 3")             # doctest: +SKIP
        >>> both.add_segment(fields)                        # doctest: +SKIP
    """

    def __init__(
        self,
        title: str = "",
        theme: str = "dark",
        place: str = BELOW,
        parent: QtWidgets.QWidget | None = None,
        **waterfall: Any,
    ):
        super().__init__(parent)
        self.setWindowFlags(QtCore.Qt.Widget)  # a part of another window, or one of its own
        self.setDockOptions(self.AllowTabbedDocks | self.AllowNestedDocks)
        self.setTabPosition(QtCore.Qt.AllDockWidgetAreas, QtWidgets.QTabWidget.North)
        self.waterfall = WaterfallWidget(title=title, theme=theme, **waterfall)
        self.setCentralWidget(self.waterfall)
        self.table = CarrierTable(theme)
        self.table.picture_of = self
        self.panels: list[QtWidgets.QDockWidget] = []
        self._is_placed = self._was_low = self._is_usual = False
        self._theme = theme
        self._fraction: float | None = None
        self._sized = QtCore.QSize()
        self._settling = QtCore.QTimer(self, singleShot=True, interval=SETTLED_MS, timeout=self._keep_fraction)
        self._asked_place = place
        self.add_panel(mark("Carriers"), self.table)
        self.set_place(place)
        self.waterfall.settings_changed.connect(lambda settings: self._set_theme(settings["theme"]))
        self._set_theme(theme)
        self.table.carrier_selected.connect(self.waterfall.select_carrier)
        self.waterfall.carrier_selected.connect(self.table.select_carrier)
        self.waterfall.menu_requested.connect(self._add_to_menu)
        self.table.zoom_requested.connect(self.waterfall.zoom_to_carrier)

    def add_panel(self, title: str, widget: QtWidgets.QWidget) -> QtWidgets.QDockWidget:
        """Put a widget into a panel, as a tab of the first one; `title` in English."""
        panel = QtWidgets.QDockWidget(tr(title), self)
        panel.setObjectName(title)  # by which its place is remembered
        panel.setWidget(widget)
        for changed in (panel.topLevelChanged, panel.dockLocationChanged, panel.visibilityChanged):
            changed.connect(self._show_titles)
        self.panels.append(panel)
        panel.installEventFilter(self)
        if len(self.panels) > 1:
            self.tabifyDockWidget(self.panels[0], panel)
            panel.setVisible(self.place != HIDDEN)
            self.panels[0].raise_()
        self._show_titles()
        return panel

    def remove_panel(self, panel: QtWidgets.QDockWidget) -> None:
        """Take a panel away, with its widget."""
        self.panels.remove(panel)
        self.removeDockWidget(panel)
        panel.deleteLater()

    def add_frame(self, fields: dict, image: np.ndarray, mask: np.ndarray) -> None:
        """Add a frame."""
        if self.waterfall.add_frame(fields, image, mask) is not False:
            self.table.add_frame(fields)

    def add_segment(self, fields: dict) -> None:
        """Add a segment."""
        self.waterfall.add_segment(fields)
        self.table.add_segment(fields)

    def set_status(self, fields: dict) -> None:
        """Show the state of the analysis."""
        self.waterfall.set_status(fields)

    def clear(self) -> None:
        """Forget everything that is shown."""
        self.waterfall.clear()
        self.table.clear()

    @property
    def place(self) -> str:
        """Where the table is, one of `PLACES`; a table that is detached is below."""
        if not self._is_placed:
            return self._asked_place
        if self.panels[0].isHidden():
            return HIDDEN
        sides = (QtCore.Qt.LeftDockWidgetArea, QtCore.Qt.RightDockWidgetArea)
        return BESIDE if self.dockWidgetArea(self.panels[0]) in sides else BELOW

    @property
    def is_low(self) -> bool:
        """Whether there is little height."""
        return self.height() < LOW_PIXELS

    @property
    def hidden_carriers(self) -> set[int]:
        """Numbers of carriers that are neither drawn nor listed."""
        return self.table.model.hidden

    def listed(self) -> list[CarrierRow]:
        """All carriers but the hidden ones, whatever the filter shows."""
        return [row for row in self.table.carriers.rows() if row.carrier_id not in self.hidden_carriers]

    def hide_carriers(self, numbers: set[int]) -> None:
        """Neither draw nor list these carriers, but all others."""
        self.table.model.hidden = set(numbers)
        self.waterfall.box_layer.hidden = set(numbers)
        self.table.update_now()
        self.waterfall.box_layer.update()

    def replace_report(self, number: int, report: Report) -> None:
        """Say of a carrier what a report says."""
        # What waits says otherwise, and is older.
        self.table.update_now()
        self.waterfall.take_segments()
        row = self.table.carriers.find(number)
        if row is not None:
            row.report = report
        self.waterfall.segments.replace_report(number, report)
        self.table.update_now()
        self.waterfall.box_layer.update()

    def set_place(self, place: str) -> None:
        """Put the panels below the picture or beside it, or hide them.

        Args:
            place: one of `PLACES`.
        """
        self._asked_place = place
        for panel in self.panels:
            panel.setVisible(place != HIDDEN)
        if place == HIDDEN:
            return
        first, *others = self.panels
        area = QtCore.Qt.BottomDockWidgetArea if place == BELOW else QtCore.Qt.RightDockWidgetArea
        for panel in self.panels:
            panel.setFloating(False)
            self.addDockWidget(area, panel)
        for panel in others:
            self.tabifyDockWidget(first, panel)
        first.raise_()
        self._show_titles()
        if place == BESIDE:
            self._give_panels(FRACTION_BESIDE)
        else:
            self._give_panels(_usual_below(self.is_low))

    def toggle_detached(self) -> None:
        """The table in a window of its own, beside this one where the screen has room, or back in this one."""
        panel = self.panels[0]
        panel.show()
        panel.setFloating(not panel.isFloating())
        if panel.isFloating():
            panel.move(_beside(self.window().frameGeometry(), panel.frameGeometry().size(), self.screen()))

    def _give_panels(self, fraction: float) -> None:
        """Give the panels a part of the height, or of the width."""
        if self.place == BELOW:
            self.resizeDocks([self.panels[0]], [self._height_of(fraction)], QtCore.Qt.Vertical)
        else:
            self.resizeDocks([self.panels[0]], [round(fraction * self.width())], QtCore.Qt.Horizontal)

    def _height_of(self, fraction: float) -> int:
        """Pixels that panels below the picture, with their tabs, take for a fraction of the height."""
        lines = LOW_LINES if self.is_low else LEAST_LINES
        lines += TAB_LINES * bool(self.tabifiedDockWidgets(self.panels[0]))
        return max(round(fraction * self.height()), round(lines * self.fontMetrics().height()))

    def layout_text(self) -> str:
        """Where the panels are, and how large, as a text that `restore_layout` takes."""
        return bytes(self.saveState().toBase64()).decode()

    def restore_layout(self, text: str) -> bool:
        """Put the panels where they were; whether that could be done."""
        self._is_placed = self.restoreState(QtCore.QByteArray.fromBase64(text.encode())) or self._is_placed
        return self._is_placed

    def _add_to_menu(self, menu: QtWidgets.QMenu, place: Place) -> None:
        """A menu in the picture has what the table offers for the carrier there."""
        carrier = None if place.box is None else self.table.carriers.find(place.box.burst_id or 0)
        if carrier is not None:
            self.table.add_to_menu(menu, carrier)

    def _set_theme(self, theme: str) -> None:
        """The waterfall has these colours."""
        self.table.set_theme(theme)
        self._theme = theme
        self.setStyleSheet(panel_style(THEMES[theme], self._was_low))

    def resizeEvent(self, event: QtGui.QResizeEvent) -> None:
        """Called by Qt when the widget has another size."""
        super().resizeEvent(event)
        self._show_titles()
        self._sized = event.size()
        first = self.panels[0]
        if self._fraction is not None and first.isVisible() and not first.isFloating():
            kept, self._fraction = self._fraction, None
            self._give_panels(_usual_below(self.is_low) if self._is_usual and self.place == BELOW else kept)
            self._fraction = kept

    def eventFilter(self, watched: QtCore.QObject, event: QtCore.QEvent) -> bool:
        """Called by Qt: a panel gets another size, by the mouse or with the whole."""
        if event.type() == QtCore.QEvent.Resize and self._fraction is not None and self.size() == self._sized:
            self._keep_fraction()
        return super().eventFilter(watched, event)

    def _keep_fraction(self) -> None:
        """Keep the part of the height, or of the width, that the panels have now, with their tabs."""
        panel = next((panel for panel in self.panels if not panel.visibleRegion().isEmpty()), self.panels[0])
        if self.place == BELOW:
            tabs = [bar.height() for bar in self.findChildren(QtWidgets.QTabBar) if bar.isVisible()]
            height = panel.height() + max(tabs, default=0)
            self._fraction = height / self.height()
            self._is_usual = abs(height - self._height_of(_usual_below(self.is_low))) <= USUAL_PIXELS
        elif self.place == BESIDE:
            self._fraction = panel.width() / self.width()

    def _show_titles(self, *_: object) -> None:
        """A panel has a title where there is room and its tab does not have the same words."""
        is_low = self.is_low
        if is_low != self._was_low:
            self._was_low = is_low
            self.setStyleSheet(panel_style(THEMES[self._theme], is_low))
        for panel in self.panels:
            tabs = [other for other in self.tabifiedDockWidgets(panel) if not other.isFloating()]
            has_none = not panel.isFloating() and (is_low or bool(tabs))
            if has_none != (panel.titleBarWidget() is not None):
                panel.setTitleBarWidget(QtWidgets.QWidget() if has_none else None)
        for bar in self.findChildren(QtWidgets.QTabBar):
            bar.setDrawBase(False)

    def showEvent(self, event: QtGui.QShowEvent) -> None:
        """Called by Qt when the widget is shown: before the first time its size was not known."""
        super().showEvent(event)
        if not self._is_placed:
            self._is_placed = True
            self.set_place(self._asked_place)
        if self._fraction is None:
            self._sized = self.size()
            self._settling.start()


def _beside(window: QtCore.QRect, size: QtCore.QSize, screen: QtGui.QScreen) -> QtCore.QPoint:
    """Where a window of a size hides least of another one: below it, at its right, at its left, or at the end of the
    screen."""
    whole = screen.availableGeometry()
    places = (
        QtCore.QPoint(window.left(), window.bottom() + 1),
        QtCore.QPoint(window.right() + 1, window.top()),
        QtCore.QPoint(window.left() - size.width(), window.top()),
    )
    fits = (place for place in places if whole.contains(QtCore.QRect(place, size)))
    end = QtCore.QPoint(whole.right() - size.width() + 1, whole.bottom() - size.height() + 1)
    return next(fits, QtCore.QPoint(max(end.x(), whole.left()), max(end.y(), whole.top())))


def _usual_below(is_low: bool) -> float:
    """Fraction of the height for panels below the picture."""
    return FRACTION_LOW if is_low else FRACTION_BELOW


def panel_style(theme: Theme, is_low: bool = False) -> str:
    """Qt style of the panels, and of what separates them from the picture; their tabs are smaller in a low window."""
    return f"""
        QMainWindow {{ background: {theme.background}; }}
        QMainWindow::separator {{ background: {theme.surface}; width: 4px; height: 4px; }}
        QMainWindow::separator:hover {{ background: {theme.line}; }}
        QDockWidget {{ color: {theme.text}; background: {theme.background}; }}
        QDockWidget::title {{ background: {theme.surface}; padding: 2px 8px; text-align: left; }}
        QDockWidget > QWidget {{ background: {theme.background}; }}
        QTabBar {{ qproperty-drawBase: 0; background: {theme.background}; }}
        QTabBar::tab {{ color: {theme.muted}; background: {theme.background};
                        padding: {1 if is_low else 3}px 12px; }}
        QTabBar::tab:selected {{ color: {theme.text}; border-bottom: 2px solid {theme.line}; }}
    """
