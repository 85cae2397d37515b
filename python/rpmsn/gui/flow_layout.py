# SPDX-License-Identifier: GPL-3.0-or-later
"""A row of controls that goes on in a further line where the window is narrow."""

from .qt import QtCore, QtWidgets


class FlowLayout(QtWidgets.QLayout):
    """Items from left to right, in as many lines as the width asks for.

    What is left of a line goes to those of its items that expand, such as a stretch or a field for text.

    Args:
        parent: QWidget or None.
        spacing: pixels between items, and between lines.
    """

    def __init__(self, parent: QtWidgets.QWidget | None = None, spacing: int = 8):
        super().__init__(parent)
        self._items: list[QtWidgets.QLayoutItem] = []
        self.setSpacing(spacing)
        self.setContentsMargins(0, 0, 0, 0)

    def addStretch(self) -> None:
        """What follows stands at the right of its line."""
        expanding, fixed = QtWidgets.QSizePolicy.Expanding, QtWidgets.QSizePolicy.Fixed
        self.addItem(QtWidgets.QSpacerItem(0, 0, expanding, fixed))

    def addItem(self, item: QtWidgets.QLayoutItem) -> None:
        """Qt adds an item."""
        self._items.append(item)

    def count(self) -> int:
        """Qt asks how many items there are."""
        return len(self._items)

    def itemAt(self, index: int) -> QtWidgets.QLayoutItem | None:
        """Qt asks for an item."""
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QtWidgets.QLayoutItem | None:
        """Qt takes an item out."""
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> QtCore.Qt.Orientations:
        """Qt asks where more room is of use."""
        return QtCore.Qt.Orientations(QtCore.Qt.Horizontal)

    def hasHeightForWidth(self) -> bool:
        """The height depends on the width."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Qt asks for the height that a width needs."""
        margins = self.contentsMargins()
        lines = self._lines(width - margins.left() - margins.right())
        heights = [max(item.sizeHint().height() for item in line) for line in lines]
        between = self.spacing() * max(0, len(heights) - 1)
        return sum(heights) + between + margins.top() + margins.bottom()

    def sizeHint(self) -> QtCore.QSize:
        """All in one line."""
        shown = self._shown()
        width = sum(item.sizeHint().width() for item in shown) + self.spacing() * max(0, len(shown) - 1)
        height = max((item.sizeHint().height() for item in shown), default=0)
        return self._with_margins(width, height)

    def minimumSize(self) -> QtCore.QSize:
        """The widest item alone."""
        shown = self._shown()
        width = max((item.minimumSize().width() for item in shown), default=0)
        return self._with_margins(width, max((item.minimumSize().height() for item in shown), default=0))

    def setGeometry(self, rect: QtCore.QRect) -> None:
        """Qt says where the items are to be."""
        super().setGeometry(rect)
        inside = rect.marginsRemoved(self.contentsMargins())
        top = inside.top()
        for line in self._lines(inside.width()):
            height = max(item.sizeHint().height() for item in line)
            self._place(line, inside.left(), top, inside.width(), height)
            top += height + self.spacing()

    def _place(self, line: list, left: int, top: int, width: int, height: int) -> None:
        """The items of one line, in the middle of its height."""
        widths = [self._width(item) for item in line]
        spare = max(0, width - sum(widths) - self.spacing() * (len(line) - 1))
        growing = [index for index, item in enumerate(line) if item.expandingDirections() & QtCore.Qt.Horizontal]
        # Those that may be widest come last, and get what the others leave.
        growing.sort(key=lambda index: line[index].maximumSize().width())
        for place, index in enumerate(growing):
            most = line[index].maximumSize().width() - widths[index]
            more = min(spare // (len(growing) - place), max(0, most))
            widths[index] += more
            spare -= more
        for item, own in zip(line, widths):
            tall = min(item.sizeHint().height(), height)
            item.setGeometry(QtCore.QRect(left, top + (height - tall) // 2, min(own, width), tall))
            left += own + self.spacing()

    def _lines(self, width: int) -> list[list]:
        """Items line by line."""
        lines: list[list] = []
        used = 0
        for item in self._shown():
            own = self._width(item)
            if not lines or used + self.spacing() + own > width:
                lines.append([])
                used = -self.spacing()
            lines[-1].append(item)
            used += self.spacing() + own
        return lines

    @staticmethod
    def _width(item: QtWidgets.QLayoutItem) -> int:
        """What grows takes its least width at first."""
        grows = bool(item.expandingDirections() & QtCore.Qt.Horizontal)
        return item.minimumSize().width() if grows else item.sizeHint().width()

    def _shown(self) -> list:
        return [item for item in self._items if item.spacerItem() is not None or not item.isEmpty()]

    def _with_margins(self, width: int, height: int) -> QtCore.QSize:
        margins = self.contentsMargins()
        return QtCore.QSize(width + margins.left() + margins.right(), height + margins.top() + margins.bottom())
