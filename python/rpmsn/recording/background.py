# SPDX-License-Identifier: GPL-3.0-or-later
"""Files written by a thread of their own, so that a slow or full disk never holds up the analysis."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self

FLUSH_SECONDS = 0.5
"""How often files are brought up to date: with the time that this takes, less than a second is lost by a kill."""
CLOSE_SECONDS = 5.0
"""How long the end waits for a disk that does not answer."""

logger = logging.getLogger(__name__)


class BackgroundWriter:
    """Base of what writes files while the analysis runs.

    Its methods are called by one thread, the analysing one, and none of them raises, whatever the disk does. A
    subclass has `_save(everything)`, run by the thread of its own every `FLUSH_SECONDS`, and guards what both threads
    use with the condition `_changed`.

    Attributes:
        fault: what is wrong at this moment, in words; empty while all is well.
    """

    def __init__(self, name: str) -> None:
        self.fault = ""
        self._name = name
        self._changed = threading.Condition()
        self._asked = self._saved = 0
        self._is_closing = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def flush(self, timeout: float = 0.0) -> bool:
        """Bring what was written so far to the disk now; it gets there in time without this, too.

        Args:
            timeout: seconds to wait for it; the analysing thread should not wait.

        Returns:
            Whether it is there.
        """
        with self._changed:
            self._asked += 1
            wanted = self._asked
            self._changed.notify_all()
            in_time = self._changed.wait_for(lambda: self._saved >= wanted or not self._thread.is_alive(), timeout)
        return in_time and not self.fault

    def close(self, timeout: float = CLOSE_SECONDS) -> bool:
        """Write the rest and close the files. May be called twice.

        Returns:
            False where that did not work within `timeout` seconds; the log says so, too.
        """
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
        self._thread.join(timeout)
        if self._thread.is_alive():
            self._report(f"the disk did not answer for {timeout:g} s, and what waited to be written is lost")
        return not self.fault

    def _run(self) -> None:
        """The thread: bring the files up to date from time to time, until closed."""
        is_closing = False
        while not is_closing:
            with self._changed:
                self._changed.wait_for(
                    lambda: self._asked > self._saved or self._is_closing or self._has_work(), FLUSH_SECONDS
                )
                asked, is_closing = self._asked, self._is_closing
            self._try(self._save, asked > self._saved or is_closing)
            if is_closing:
                self._try(self._finish)
            with self._changed:
                self._saved = asked
                self._changed.notify_all()

    def _try(self, work: Callable[..., object], *arguments: object) -> None:
        """Do a part of the work; a fault is logged once, and so is its end."""
        try:
            has_written = work(*arguments)
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            self._report(f"{where}cannot be written: {error.strerror or error}")
        except Exception as error:  # a mistake in here must not end the thread: later results can still be saved
            self._report(f"{type(error).__name__}: {error}")
        else:
            if has_written and self.fault:
                self.fault = ""
                logger.info("%s: writes again", self._name)

    def _report(self, text: str) -> None:
        """Note a fault, and warn of it unless there was one already."""
        is_new = not self.fault
        self.fault = text
        if is_new:
            logger.warning("%s: %s", self._name, text)

    def _save(self, everything: bool) -> bool:
        """Write what waits; True if something was written. `everything` is set where somebody waits for it."""
        raise NotImplementedError

    def _finish(self) -> None:
        """Close the files, at the end."""

    def _has_work(self) -> bool:
        """Whether there is something to do that should not wait."""
        return False
