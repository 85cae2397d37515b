# SPDX-License-Identifier: GPL-3.0-or-later
"""How many columns the picture of a frame has for people; the network's image has 256."""

from ..errors import ParameterError
from .sums import COLUMNS

PICTURE_COLUMNS = (COLUMNS, 1024, 2048, 4096, 8192, 16384)
"""Columns that can be asked for; those of the image cost nothing."""


class Resolution:
    """How fine pictures are; any thread may change it.

    Args:
        columns: one of `PICTURE_COLUMNS`.

    Raises:
        ParameterError: other columns.
    """

    def __init__(self, columns: int = COLUMNS) -> None:
        self.columns = columns

    @property
    def columns(self) -> int:
        """Of a picture."""
        return self._columns

    @columns.setter
    def columns(self, columns: int) -> None:
        if columns not in PICTURE_COLUMNS:
            allowed = ", ".join(map(str, PICTURE_COLUMNS))
            raise ParameterError(f"columns is {columns}, but {allowed} are allowed")
        self._columns = int(columns)
