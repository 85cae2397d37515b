# SPDX-License-Identifier: GPL-3.0-or-later
"""What the log says in a process without a terminal."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager


class _Notes(logging.Handler):
    """Keeps messages."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """As of logging."""
        self.texts.append(record.getMessage())


@contextmanager
def kept_log() -> Iterator[list[str]]:
    """Keep what the log says for the parent, which has the terminal."""
    logger, notes = logging.getLogger("rpmsn"), _Notes()
    before = logger.propagate
    logger.addHandler(notes)
    logger.propagate = False
    try:
        yield notes.texts
    finally:
        logger.removeHandler(notes)
        logger.propagate = before
