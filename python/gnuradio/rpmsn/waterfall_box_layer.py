# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws the boxes and their labels over the waterfall; labels neither overlap nor leave the view."""
from rpmsn.classes import CLASS_NAMES

from .waterfall_boxes import Box, SegmentBoxes
from .waterfall_history import History
from .waterfall_qt import QtCore, QtGui, pg
from .waterfall_theme import Theme

NARROW_BOX = 10
"""Pixels below which a box gets a thin outline."""


class BoxLayer(pg.GraphicsObject):
    """Draws boxes, their labels and a note over the waterfall, in pixels, so that text keeps its size.

    Attributes:
        shown: names of the classes whose boxes are drawn.
        boxes_visible: whether any box is drawn.
        note: text at the foot of the picture, "" for none.
        labels_drawn: what `place_labels` returned when the layer was last painted.
    """

    def __init__(self, history: History, segments: SegmentBoxes, theme: Theme):
        super().__init__()
        self.history, self.segments, self.theme = history, segments, theme
        self.shown = set(CLASS_NAMES)
        self.boxes_visible = True
        self.note = ""
        self.font = QtGui.QFont("sans-serif")
        self.font.setPixelSize(13)
        self.labels_drawn: list = []
        self.setZValue(10)

    def boundingRect(self):
        """What is in view, in the waterfall's coordinates; Qt asks."""
        view = self.getViewBox()  # its rectangle; pyqtgraph's own viewRect() of an item lags behind
        return QtCore.QRectF() if view is None else view.viewRect()

    def viewTransformChanged(self):
        """Tell Qt that the view has moved; pyqtgraph calls."""
        super().viewTransformChanged()
        self.prepareGeometryChange()

    def paint(self, painter, *_):
        """Draw everything; Qt calls."""
        to_pixels = painter.transform()
        view = to_pixels.mapRect(self.boundingRect()).adjusted(2, 2, -2, -2)
        painter.save()
        painter.resetTransform()
        painter.setFont(self.font)
        painter.setRenderHint(QtGui.QPainter.Antialiasing, True)
        wishes = self._wishes(to_pixels) if self.boxes_visible else []
        for box, rect in wishes:
            self._paint_box(painter, box, rect)
        self._paint_labels(painter, wishes, view)
        self._paint_note(painter, view)
        painter.restore()

    def _wishes(self, to_pixels) -> list:
        """Boxes that show, newest first, with their rectangles in pixels."""
        result = []
        for box in sorted(self.segments.boxes, key=lambda box: (-box.end_offset, -box.bandwidth)):
            top, bottom = self.history.y_of_sample(box.end_offset), self.history.y_of_sample(box.start_offset)
            if box.label not in self.shown or bottom - top < 0.5:
                continue
            lower, upper = box.freq_lower / 1e6, box.freq_upper / 1e6
            result.append((box, to_pixels.mapRect(QtCore.QRectF(lower, top, upper - lower, bottom - top))))
        return result

    def _paint_box(self, painter, box: Box, rect) -> None:
        """Outline, with a rim that keeps it visible over any power; of a narrow box a thin line beside the signal."""
        color = QtGui.QColor(*box.color)
        style = QtCore.Qt.DashLine if box.label == "other" else QtCore.Qt.SolidLine
        painter.setBrush(QtCore.Qt.NoBrush)
        if rect.width() < NARROW_BOX:
            painter.setPen(QtGui.QPen(color, 1, style))
            painter.drawRect(rect.adjusted(-2, 0, 2, 0))
            return
        for pen in (QtGui.QPen(QtGui.QColor(self.theme.label_background), 4), QtGui.QPen(color, 2, style)):
            painter.setPen(pen)
            painter.drawRect(rect)

    def _paint_labels(self, painter, wishes, view) -> None:
        """Texts, one a carrier, on a background with a stripe in the colour of the class."""
        metrics = painter.fontMetrics()
        newest = _first_of_each_carrier(wishes)
        self.labels_drawn = place_labels([(rect, box.texts()) for box, rect in newest], view, metrics.height() + 4,
                                         lambda text: metrics.horizontalAdvance(text) + 18)
        for index, rect, text in self.labels_drawn:
            self._paint_text(painter, rect, text, QtGui.QColor(*newest[index][0].color))

    def _paint_text(self, painter, rect, text: str, stripe) -> None:
        """One text on its background."""
        background = QtGui.QColor(self.theme.label_background)
        background.setAlpha(225)
        painter.setPen(QtCore.Qt.NoPen)
        painter.setBrush(background)
        painter.drawRoundedRect(rect, 3, 3)
        painter.setBrush(stripe)
        painter.drawRoundedRect(QtCore.QRectF(rect.left() + 3, rect.top() + 3, 4, rect.height() - 6), 2, 2)
        painter.setPen(QtGui.QColor(self.theme.text))
        painter.drawText(rect.adjusted(10, 0, 0, 0), QtCore.Qt.AlignVCenter | QtCore.Qt.AlignLeft, text)

    def _paint_note(self, painter, view) -> None:
        """A line at the foot of the picture, for what the user should know now."""
        if not self.note:
            return
        metrics = painter.fontMetrics()
        text = metrics.elidedText(self.note, QtCore.Qt.ElideRight, int(view.width()) - 30)
        width = metrics.horizontalAdvance(text) + 20
        rect = QtCore.QRectF(view.center().x() - width / 2, view.bottom() - metrics.height() - 12, width,
                             metrics.height() + 6)
        self._paint_text(painter, rect, text, QtGui.QColor(self.theme.line))


def _first_of_each_carrier(wishes) -> list:
    """One box a carrier, the newest; boxes without a carrier all stay."""
    seen, result = set(), []
    for box, rect in wishes:
        if box.burst_id is None or box.burst_id not in seen:
            seen.add(box.burst_id)
            result.append((box, rect))
    return result


def place_labels(wishes, view, line_height: float, width_of) -> list:
    """Find room for one text at each box.

    Args:
        wishes: list of (QRectF, list of str): boxes in pixels, the one that matters most first, each with its texts,
            the best first.
        view: QRectF; texts stay inside it.
        line_height: height of a text with its background, pixels.
        width_of: function, str -> width of a text with its background, pixels.

    Returns:
        list of (index of the box, QRectF, str). No two overlap; a box for which there is no room is left out.
    """
    placed = []
    for index, (box, texts) in enumerate(wishes):
        spot = _find_room(box, texts, view, line_height, width_of, [rect for _, rect, _ in placed])
        if spot is not None:
            placed.append((index, *spot))
    return placed


def _find_room(box, texts, view, line_height, width_of, taken):
    """Rectangle and text for one box: from its top downwards, a shorter text before a text outside the box."""
    visible = box.intersected(view)
    if visible.isEmpty():
        return None
    first = min(visible.top() + 3, view.bottom() - line_height)
    n_lines = 1 + max(0, int((visible.bottom() - line_height - first) // (line_height + 2)))
    for text in texts:
        width = width_of(text)
        left = min(max(visible.center().x() - width / 2, view.left()), view.right() - width)
        for line in range(n_lines):
            rect = QtCore.QRectF(left, first + line * (line_height + 2), width, line_height)
            if view.contains(rect) and not any(rect.intersects(other) for other in taken):
                return rect, text
    return None
