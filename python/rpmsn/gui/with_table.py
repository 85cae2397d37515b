# SPDX-License-Identifier: GPL-3.0-or-later
"""The waterfall and the table of its carriers, as one Qt widget: what is selected in one is selected in the other."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .carriers.table import CarrierTable
from .qt import QtCore, QtGui, QtWidgets
from .theme import THEMES
from .waterfall.widget import WaterfallWidget

BELOW, BESIDE, HIDDEN = PLACES = ("below", "beside", "hidden")
"""Where the table is."""
FRACTION_BELOW, FRACTION_BESIDE = 0.33, 0.4
"""Fraction of the height, or of the width, that the table takes."""
WIDE_PIXELS = 1900
"""From this width on the table fits next to the picture."""


class WaterfallWithTable(QtWidgets.QSplitter):
    """A waterfall with its table; takes the same messages as `WaterfallWidget`.

    Args:
        title: written above the picture.
        theme: `dark` or `light`; the waterfall may change it later.
        place: one of `PLACES`.
        parent: QWidget or None.
        waterfall: further arguments of `WaterfallWidget`.

    Attributes:
        waterfall: WaterfallWidget.
        tabs: QTabWidget that the table is in; a program may add further ones.
        table: CarrierTable.

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
        super().__init__(QtCore.Qt.Vertical, parent)
        self.waterfall = WaterfallWidget(title=title, theme=theme, **waterfall)
        self.table = CarrierTable(theme)
        self.table.picture_of = self
        self.tabs = QtWidgets.QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setAutoHide(True)
        self.tabs.addTab(self.table, "Carriers")
        self.addWidget(self.waterfall)
        self.addWidget(self.tabs)
        self.setChildrenCollapsible(False)
        self.setMinimumSize(self.waterfall.minimumSize())
        self._is_placed = False
        self.set_place(place)
        self.waterfall.settings_changed.connect(lambda settings: self._set_theme(settings["theme"]))
        self._set_theme(theme)
        self.table.carrier_selected.connect(self.waterfall.select_carrier)
        self.waterfall.carrier_selected.connect(self.table.select_carrier)

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

    def set_place(self, place: str, sizes: Sequence[int] = ()) -> None:
        """Put the table below the picture or beside it, or hide it.

        Args:
            place: one of `PLACES`.
            sizes: pixels of picture and table; empty for what suits the place.
        """
        self.place, self._sizes = place, list(sizes)
        self.tabs.setVisible(place != HIDDEN)
        if place != HIDDEN:
            self.setOrientation(QtCore.Qt.Vertical if place == BELOW else QtCore.Qt.Horizontal)
            fraction = FRACTION_BELOW if place == BELOW else FRACTION_BESIDE
            length = self.height() if place == BELOW else self.width()
            self.setSizes(self._sizes or [round((1 - fraction) * length), round(fraction * length)])

    def _set_theme(self, theme: str) -> None:
        """The waterfall has these colours."""
        self.table.set_theme(theme)
        self.setStyleSheet(f"QSplitter::handle {{ background: {THEMES[theme].surface}; }}")

    def showEvent(self, event: QtGui.QShowEvent) -> None:
        """Called by Qt when the widget is shown: before the first time its size was not known."""
        super().showEvent(event)
        if not self._is_placed:
            self._is_placed = True
            self.set_place(self.place, self._sizes)
