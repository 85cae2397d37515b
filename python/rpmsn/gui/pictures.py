# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of widgets, written to files atomically."""

from os import PathLike
from pathlib import Path

from ..errors import ParameterError
from ..files import write_whole
from .qt import QtCore, QtGui


def save_pixmap(pixmap: QtGui.QPixmap, path: str | PathLike[str]) -> Path:
    """Write a picture in the format of the path's ending (.png, .jpg), as `rpmsn.files.whole_file` does.

    Raises:
        ParameterError: an ending that is none of a picture.
        WriteError: the file cannot be written.
    """
    ending = Path(path).suffix[1:]
    content = QtCore.QBuffer()
    content.open(QtCore.QIODevice.WriteOnly)
    if not pixmap.save(content, ending.upper()):
        raise ParameterError(f"the picture is {path}; choose a name that ends in .png or .jpg")
    return write_whole(path, bytes(content.data()))
