# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws the boxes and their labels over the waterfall; labels neither overlap nor leave the view.

How sure a verdict is shows in outline and pattern, so that it can be read over any colours: proven is a thick line,
likely a thin one, unsure a dashed one round a hatched area. A box has no line on a side where its carrier goes on
beyond the span.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np

from ...tracking.verdict import PROVEN, UNSURE
from ..qt import QtCore, QtGui
from ..theme import THEMES
from .boxes import Box, SegmentBoxes, part_overlaps
from .history import History
from .pixels import PixelLayer, text_width
from .settings import Settings

NARROW_BOX = 10
"""Pixels of width or height below which a box gets a thin outline."""
MAX_DRAWN, MAX_LABELLED = 250, 60
"""Boxes in view that are drawn, the widest first, and carriers that may get a label: more are a blur."""
PROVEN_WIDTH, LINE_WIDTH, SELECTED_EXTRA, RIM = 3, 1.5, 2, 2
"""Pixels: lines of boxes, what a selected one has more, and the rim that keeps a line visible over any power."""
HATCH_SPACING, HATCH_ALPHA = 16, 150
"""Pixels between the lines over what is unsure, and their opacity, 0..255."""
SAME_PLACE = 0.5
"""Boxes with more than this part of both their widths in common are at one place."""
SPARE_ROOM = 12
"""Pixels on either side that have to be free before a label that was shortened gets longer again."""


class BoxLayer(PixelLayer):
    """Draws boxes, their labels, annotations of a file, and a note over the waterfall.

    Attributes:
        history, segments: where rows lie, and the boxes.
        settings: Settings.
        references: list of (label, lower Hz, upper Hz, start s since 1970 or None, end s or None).
        selected: burst_id of the carrier that stands out, None for none.
        hidden: burst_id of carriers that are not drawn.
        note: text at the foot of the picture, "" for none.
        break_texts: function that returns what to write over breaks, list of (QRectF in pixels, text, colour).
        labels_drawn: what `place_labels` returned when the layer was last painted.
    """

    def __init__(
        self, history: History, segments: SegmentBoxes, settings: Settings, break_texts: Callable[[], list] = list
    ):
        super().__init__(THEMES[settings.theme])
        self.history, self.segments, self.settings = history, segments, settings
        self.references: list = []
        self.selected: int | None = None
        self.hidden: set[int | None] = set()
        self.note = ""
        self.break_texts = break_texts
        self.labels_drawn: list = []
        self._spots: dict = {}
        self.setZValue(10)

    def set_settings(self, settings: Settings) -> None:
        """Other colours, or other boxes."""
        self.settings, self.theme = settings, THEMES[settings.theme]
        self.update()

    def paint_pixels(self, painter: QtGui.QPainter, to_pixels: QtGui.QTransform, view: QtCore.QRectF) -> None:
        """Draw everything."""
        painter.setRenderHint(QtGui.QPainter.Antialiasing, True)
        inside = view.adjusted(2, 2, -2, -2)
        references = self._reference_rects(to_pixels) if self.settings.references else []
        for _, rect in references:
            self._paint_reference(painter, rect)
        boxes = self._visible_boxes(to_pixels, view) if self.settings.boxes else []
        for box, rect in boxes:
            self._paint_box(painter, box, rect, view)
        taken = []
        for rect, text, color in self.break_texts():
            self.paint_text(painter, rect, text, color)
            taken.append(rect)
        self._paint_note(painter, inside, taken)
        self._paint_labels(painter, boxes, inside, taken)
        for label, rect in references:
            self._paint_reference_label(painter, label, rect, inside, taken)

    def _visible_boxes(self, to_pixels, view) -> list:
        """Boxes in view with their rectangles in pixels, neighbours separated; the widest first."""
        boxes = [
            box for box in self.segments.boxes if box.label in self.settings.classes and box.burst_id not in self.hidden
        ]
        if not boxes:
            return []
        sides = np.array([(box.freq_lower / 1e6, box.freq_upper / 1e6) for box in boxes])
        # Half a sample inwards: an end that lies at a gap belongs to its own side.
        ends = self.history.y_of_sample(np.array([(box.start_offset + 0.5, box.end_offset - 0.5) for box in boxes]))
        left, right = (sides * to_pixels.m11() + to_pixels.dx()).T
        top, bottom = np.sort(ends * to_pixels.m22() + to_pixels.dy(), axis=1).T
        in_view = (
            (right > view.left())
            & (left < view.right())
            & (bottom > view.top())
            & (top < view.bottom())
            & (bottom - top >= 0.5)
        )
        widest_first = np.argsort(left - right, kind="stable")
        order = widest_first[in_view[widest_first]][:MAX_DRAWN]
        if not len(order):
            return []
        edges = part_overlaps(np.stack([left, right, top, bottom], axis=1)[order])
        edges[:, :2] = np.clip(edges[:, :2], view.left() - 9, view.right() + 9)
        edges[:, 2:] = np.clip(edges[:, 2:], view.top() - 9, view.bottom() + 9)
        return [
            (boxes[index], QtCore.QRectF(x0, y0, x1 - x0, y1 - y0))
            for index, (x0, x1, y0, y1) in zip(order, np.rint(edges))
        ]  # sharp lines, which do not waver

    def _paint_box(self, painter, box: Box, rect, view) -> None:
        """Outline and pattern by the verdict; of a narrow or low box a thin line next to the signal."""
        is_selected = box.burst_id is not None and box.burst_id == self.selected
        color = QtGui.QColor(self.theme.text if is_selected else QtGui.QColor(*box.color))
        style = QtCore.Qt.DashLine if box.verdict == UNSURE else QtCore.Qt.SolidLine
        painter.setBrush(QtCore.Qt.NoBrush)
        beside, above = (2 if length < NARROW_BOX else 0 for length in (rect.width(), rect.height()))
        if beside or above:
            painter.setPen(QtGui.QPen(color, 3 if is_selected else 1, style))
            painter.drawPath(outline(rect.adjusted(-beside, -above, beside, above), box.open_sides))
            return
        if box.verdict == UNSURE:
            self._paint_hatch(painter, rect.intersected(view))
        width = (PROVEN_WIDTH if box.verdict == PROVEN else LINE_WIDTH) + SELECTED_EXTRA * is_selected
        path = outline(rect.adjusted(width / 2, 0, -width / 2, 0), box.open_sides)
        rim = QtGui.QPen(QtGui.QColor(self.theme.label_background), width + RIM)
        for pen in (rim, QtGui.QPen(color, width, style)):
            painter.setPen(pen)
            painter.drawPath(path)

    def _paint_hatch(self, painter, rect) -> None:
        """Diagonals, light next to dark, which stand still while rows move below them."""
        painter.save()
        painter.setRenderHint(QtGui.QPainter.Antialiasing, False)
        painter.setClipRect(rect)
        first = math.floor((rect.left() + rect.top()) / HATCH_SPACING)
        last = math.ceil((rect.right() + rect.bottom()) / HATCH_SPACING)
        for shift, name in ((0, self.theme.text), (1, self.theme.label_background)):
            color = QtGui.QColor(name)
            color.setAlpha(HATCH_ALPHA)
            painter.setPen(color)
            sums = [number * HATCH_SPACING + shift for number in range(first, last + 1)]
            painter.drawLines(
                [QtCore.QLineF(x - rect.bottom(), rect.bottom(), x - rect.top(), rect.top()) for x in sums]
            )
        painter.restore()

    def _paint_labels(self, painter, boxes, view, taken) -> None:
        """Texts, one a carrier, on a background with a stripe in the colour of the class."""
        metrics = painter.fontMetrics()
        labelled = self._one_of_each_carrier(boxes)[:MAX_LABELLED]
        keys = [_key(box) for box, _ in labelled]
        height = metrics.height() + 4
        candidates = []
        for (box, rect), key in zip(labelled, keys):
            texts = box.texts()
            if _comes_again(box, rect, labelled):
                has_room = rect.height() >= height + 6
                texts = [text for text in texts if has_room and text_width(metrics, text) <= rect.width()]
            candidates.append((rect, texts, self._spots.get(key)))
        self.labels_drawn = place_labels(candidates, view, height, lambda text: text_width(metrics, text), taken)
        self._spots = {keys[index]: spot for index, _, _, spot in self.labels_drawn}
        for index, rect, text, _ in self.labels_drawn:
            self.paint_text(painter, rect, text, QtGui.QColor(*labelled[index][0].color))
            taken.append(rect)

    def _one_of_each_carrier(self, boxes) -> list:
        """The newest box of each carrier; the one selected first, then those that have a label already."""
        newest: dict[tuple[str, int], tuple[Box, QtCore.QRectF]] = {}
        for box, rect in boxes:
            key = _key(box)
            if key not in newest or box.end_offset > newest[key][0].end_offset:
                newest[key] = (box, rect)
        return sorted(
            newest.values(),
            key=lambda pair: (
                pair[0].burst_id is None or pair[0].burst_id != self.selected,
                _key(pair[0]) not in self._spots,
            ),
        )

    def _reference_rects(self, to_pixels) -> list:
        """Labels of the annotations in view, with their rectangles in pixels."""
        shown = self.boundingRect()
        starts = np.array([-np.inf if start is None else start for *_, start, _ in self.references])
        ends = np.array([np.inf if end is None else end for *_, end in self.references])
        found = []
        for index, y0, y1 in self.history.heights_of_times(starts, ends, shown.top(), shown.bottom()):
            label, lower, upper, _, _ = self.references[index]
            area = QtCore.QRectF(lower / 1e6, y0, (upper - lower) / 1e6, y1 - y0).intersected(shown)
            if area.width() > 0 and area.height() > 0:
                found.append((label, QtCore.QRectF(to_pixels.mapRect(area).toRect())))
        return found

    def _paint_reference(self, painter, rect) -> None:
        """A dashed outline."""
        painter.setBrush(QtCore.Qt.NoBrush)
        for color, width in ((self.theme.label_background, 4), (self.theme.text, 2)):
            painter.setPen(QtGui.QPen(QtGui.QColor(color), width, QtCore.Qt.DashLine))
            painter.drawRect(rect)

    def _paint_reference_label(self, painter, label: str, rect, view, taken) -> None:
        """Its word at the foot of the outline: in the middle, or where there is room at its sides or a line higher."""
        metrics = painter.fontMetrics()
        width, height = text_width(metrics, label), metrics.height() + 4
        foot = min(rect.bottom() - 3, view.bottom()) - height
        for top in (foot, foot - height - 2):
            for left in (rect.center().x() - width / 2, rect.left(), rect.right() - width):
                left = min(max(left, view.left()), view.right() - width)
                spot = QtCore.QRectF(left, top, width, height)
                if view.contains(spot) and not any(spot.intersects(other) for other in taken):
                    taken.append(spot)
                    self.paint_text(painter, spot, label, self.theme.text)
                    return

    def _paint_note(self, painter, view, taken) -> None:
        """A line at the foot of the picture, for what the user should know now."""
        if not self.note:
            return
        metrics = painter.fontMetrics()
        text = metrics.elidedText(self.note, QtCore.Qt.ElideRight, int(view.width()) - 30)
        width = text_width(metrics, text)
        rect = QtCore.QRectF(
            view.center().x() - width / 2, view.bottom() - metrics.height() - 12, width, metrics.height() + 6
        )
        self.paint_text(painter, rect, text, self.theme.line)
        taken.append(rect)


def outline(rect: QtCore.QRectF, open_sides: tuple[bool, bool]) -> QtGui.QPainterPath:
    """A rectangle without its left side, its right side, or both: what is open has no line."""
    corners = [rect.topLeft(), rect.topRight(), rect.bottomRight(), rect.bottomLeft()]
    path = QtGui.QPainterPath(corners[0])
    for corner, is_open in zip((*corners[1:], corners[0]), (False, open_sides[1], False, open_sides[0])):
        (path.moveTo if is_open else path.lineTo)(corner)
    return path


def _comes_again(box: Box, rect: QtCore.QRectF, others: Sequence[tuple[Box, QtCore.QRectF]]) -> bool:
    """Whether a newer box has the class and the place of this one: it says what there is to say, unless there is room
    inside this one."""
    return any(
        other.label == box.label
        and other.end_offset > box.end_offset
        and min(place.right(), rect.right()) - max(place.left(), rect.left())
        > SAME_PLACE * (max(place.right(), rect.right()) - min(place.left(), rect.left()))
        for other, place in others
    )


def _key(box: Box) -> tuple[str, int]:
    """What a label belongs to, from one redraw to the next."""
    return ("box", id(box)) if box.burst_id is None else ("carrier", box.burst_id)


def place_labels(
    candidates: Sequence[tuple[QtCore.QRectF, list[str], tuple[int, int] | None]],
    view: QtCore.QRectF,
    line_height: float,
    width_of: Callable[[str], int],
    taken: Sequence[QtCore.QRectF] = (),
) -> list[tuple[int, QtCore.QRectF, str, tuple[int, int]]]:
    """Find room for one text at each box.

    Args:
        candidates: list of (QRectF, list of str, spot): boxes in pixels, the one that matters most first, each with its
            texts, the best first, and the spot that it had before, or None.
        view: QRectF; texts stay inside it.
        line_height: height of a text with its background, pixels.
        width_of: function, str -> width of a text with its background, pixels.
        taken: QRectF of what is to stay visible.

    Returns:
        list of (index of the box, QRectF, str, spot). No two overlap; a box for which there is no room is left out. A
        spot, (number of the text, line below the top of the box), is kept as long as it is free, so that texts stay.
    """
    placed: list[tuple[int, QtCore.QRectF, str, tuple[int, int]]] = []
    for index, (box, texts, before) in enumerate(candidates):
        obstacles = [*taken, *(rect for _, rect, _, _ in placed)]
        found = _find_room(box, texts, before, view, line_height, width_of, obstacles)
        if found is not None:
            placed.append((index, *found))
    return placed


def _find_room(box, texts, before, view, line_height, width_of, taken):
    """Rectangle, text and spot for one box: from its top downwards, a shorter text before a text outside the box."""
    # A box of a few rows may be no higher than what the view keeps free at its border.
    visible = box.intersected(view) or box.adjusted(0, -NARROW_BOX, 0, NARROW_BOX).intersected(view)
    if visible.isEmpty():
        return None
    first = min(round(visible.top()) + 3, math.floor(view.bottom() - line_height))
    n_lines = 1 + max(0, math.floor((visible.bottom() - line_height - first) / (line_height + 2)))
    spots = [((number, line), 0) for number in range(len(texts)) for line in range(n_lines)]
    if (before, 0) in spots:
        longer = [((number, before[1]), SPARE_ROOM) for number in range(before[0])]
        spots = [*longer, (before, 0), *spots]
    for (number, line), spare in spots:
        width = width_of(texts[number])
        left = math.floor(min(max(visible.center().x() - width / 2, math.ceil(view.left())), view.right() - width))
        rect = QtCore.QRectF(left, first + line * (line_height + 2), width, line_height)
        wanted = rect.adjusted(-spare, 0, spare, 0)
        if view.contains(rect) and not any(wanted.intersects(other) for other in taken):
            return rect, texts[number], (number, line)
    return None
