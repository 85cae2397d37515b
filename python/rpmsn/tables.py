# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables of words: for people on the command line, and in Markdown. Cells are formatted already."""

from collections.abc import Sequence

from tabulate import tabulate


def format_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows of words as a table; columns but the first are aligned to the right."""
    return _table(header, rows, "plain", "right")


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]], right: bool = True) -> list[str]:
    """Rows of words as lines of a Markdown table; columns but the first are aligned to the right if `right`."""
    return _table(header, rows, "pipe", "right" if right else "left").splitlines()


def _table(header: Sequence[str], rows: Sequence[Sequence[str]], form: str, align: str) -> str:
    return tabulate(
        [list(row) for row in rows],
        list(header),
        form,
        disable_numparse=True,
        colalign=("left", *[align] * (len(header) - 1)) if rows else None,
    )


def percent(value: float | None, missing: str = "-") -> str:
    """A fraction as the number of percent; `missing` for None."""
    return missing if value is None else f"{100 * value:.2f}"
