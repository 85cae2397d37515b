# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables of words: for people on the command line, and in Markdown."""


def format_table(header, rows):
    """Rows of words as a table, numbers to the right."""
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths))
        ).rstrip()
        for row in (header, *rows)
    )


def markdown_table(header, rows, right=True):
    """Rows of words as lines of a Markdown table; columns but the first go to the right, as numbers do, if `right`."""
    rule = ["---", *["---:" if right else "---"] * (len(header) - 1)]
    return [f"| {' | '.join(cells)} |" for cells in (header, rule, *rows)]


def percent(value, missing="-"):
    """A fraction as the number of percent; `missing` for None."""
    return missing if value is None else f"{100 * value:.2f}"
