# SPDX-License-Identifier: GPL-3.0-or-later
"""What the mouse points at in the waterfall: words for it, a click, a double click, a menu."""

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from ...classes import CLASS_NAMES
from ..actions import copy_text
from ..qt import QtCore, QtWidgets
from ..translation import tr
from .boxes import Box
from .time_axis import format_moment

if TYPE_CHECKING:
    from .widget import WaterfallWidget


@dataclasses.dataclass(frozen=True)
class Place:
    """A place in the picture.

    Attributes:
        frequency: Hz, from the centre of the span where that is not known.
        y: height, s of signal.
        time: s since 1970.
        box: the carrier there, None where there is none.
    """

    frequency: float
    y: float
    time: float
    box: Box | None


class Pointing:
    """Follows the mouse over a WaterfallWidget, and sends its signals.

    Args:
        widget: WaterfallWidget, built.
    """

    def __init__(self, widget: "WaterfallWidget") -> None:
        self._widget = widget
        self._mouse: QtCore.QPointF | None = None
        scene = widget.waterfall_plot.scene()
        scene.sigMouseMoved.connect(self._on_moved)
        scene.sigMouseClicked.connect(self._on_clicked)
        widget.waterfall_plot.getViewBox().sigRangeChanged.connect(self.show_hover)

    def show_hover(self, *_: object) -> None:
        """Say what is under the mouse, also while rows move below it."""
        point = None if self._mouse is None else self._picture_point(self._mouse)
        self._widget.status_bar.readout_label.setText("" if point is None else self._describe(*point))

    def box_at(self, frequency: float, y: float) -> Box | None:
        """The box under a point, None where there is none or boxes are not drawn."""
        (history, segments), settings = self._widget.shown, self._widget.current
        chunk = history.at(y)
        if chunk is None or not settings.boxes:
            return None
        offset = float(np.interp(y, (chunk.y0, chunk.y1), (chunk.start_offset, chunk.end_offset)))
        return segments.at(frequency, offset, settings.classes, self._widget.box_layer.hidden)

    def _on_moved(self, position: QtCore.QPointF) -> None:
        self._mouse = position
        self.show_hover()

    def _on_clicked(self, event: Any) -> None:
        """A click selects the carrier under the mouse, a right click opens a menu, a double click asks to tune."""
        widget, point = self._widget, self._picture_point(event.scenePos())
        if point is not None and event.button() == QtCore.Qt.RightButton:
            self._open_menu(point, event.screenPos())
        if point is None or event.button() != QtCore.Qt.LeftButton:
            return
        if event.double():
            history = widget.shown[0]
            chunk = history.at(point[1]) or history.chunks[-1]
            if chunk.scale.center_frequency != 0.0:
                widget.tune_requested.emit(point[0])
            return
        box = self.box_at(*point)
        burst_id = None if box is None else box.burst_id
        widget.box_layer.selected = burst_id
        widget.box_layer.update()
        widget.carrier_selected.emit(burst_id)

    def _open_menu(self, point: tuple[float, float], position: QtCore.QPointF) -> None:
        """What can be done at a place of the picture."""
        widget = self._widget
        place = Place(*point, float(widget.shown[0].time_of_y(point[1])), self.box_at(*point))
        menu = QtWidgets.QMenu(widget)
        menu.setAttribute(QtCore.Qt.WA_DeleteOnClose)
        box = place.box
        if box is not None and box.burst_id is not None:
            menu.addAction(
                tr("&Zoom to {carrier}", carrier=box.texts()[1]), lambda: widget.zoom_to_carrier(box.burst_id)
            )
        if widget.selection.contains(*point):
            menu.addAction(tr("Zoom to the &marked part"), widget.zoom_to_selection)
        menu.addAction(widget.controls.actions["home"])
        menu.addSeparator()
        megahertz = f"{place.frequency / 1e6:.6f}"
        menu.addAction(tr("Copy &frequency: {frequency} MHz", frequency=megahertz), lambda: copy_text(megahertz))
        widget.menu_requested.emit(menu, place)
        menu.popup(QtCore.QPoint(round(position.x()), round(position.y())))

    def _picture_point(self, position: QtCore.QPointF) -> tuple[float, float] | None:
        """(Hz, y) of a position in the scene, None outside the rows."""
        view, history = self._widget.waterfall_plot.getViewBox(), self._widget.shown[0]
        if history.newest is None or not view.sceneBoundingRect().contains(position):
            return None
        point = view.mapSceneToView(position)
        return (1e6 * point.x(), point.y()) if history.oldest_y <= point.y() < history.newest_y else None

    def _describe(self, frequency: float, y: float) -> str:
        """Frequency, time and power of a point in the picture, and the carrier there, or the class of the pixel."""
        history = self._widget.shown[0]
        time = float(history.time_of_y(y))
        where = f"{frequency / 1e6:.3f} MHz \u00b7 {format_moment(time - self._widget.time_axis.zero)}"
        chunk = history.at(y)
        if chunk is None or (column := chunk.scale.column_of(frequency)) is None:
            return f"{where} \u00b7 {tr('no signal here')}"
        row = chunk.row_of(y)
        box = self.box_at(frequency, y)
        name = CLASS_NAMES[chunk.mask[row, column]] if box is None else box.texts()[0]
        power = chunk.scale.decibels_of(float(chunk.image[row, column]))
        return f"{where} \u00b7 {self._widget.level_unit.text(power, float(chunk.floor_db[row]))} \u00b7 {name}"
