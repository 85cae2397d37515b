# SPDX-License-Identifier: GPL-3.0-or-later
"""`rpmsn watch`: the waterfall, the table of carriers and the state of the analysis of a file, a radio, or a publisher.

================== ================================================================
`player`           plays a recording: seeks, any speed, loop
`preview`          its first rows, while the analysis loads
`pacing`           how many samples are due at a speed
`publisher_source` messages of a segment publisher
`radio_process`    a radio, in a process of its own
`radio_bar`        the bar below its picture: frequency, gain
`record_controls`  recording its samples
`feed`             what waits between these and the window
`window`           the window
`menus`            its menus
`style`            its colours
`transport`        the bar below the picture of a file
`comparison`       the annotations of a file next to what was found
`settings`         what is remembered
`session`          what was open, and where in it the window was
`overview`         the whole recording in one strip
`closeups`         finer spectra of the part in view
`corrections`      what a person says of carriers
`editing`          acting on carriers and marked parts, with undo
`bookmark_menu`    frequencies with names
`cutting`          a part into a file of its own
`keys_help`        the list of keys
`display`          whether there is a screen
================== ================================================================
"""

import argparse
import logging
import math
import os
import sys
import traceback
from typing import TYPE_CHECKING

from ... import interrupts
from ...errors import ParameterError
from ...models import DEFAULT_MODEL
from ...radios import flowgraphs
from ...recording import open_recording
from ...streaming import CELL_BUDGET
from .display import check_display
from .feed import Feed
from .session import ADDRESS_BEGINS, description, last_session, options_of
from .settings import load_settings, save_settings, settings_path

if TYPE_CHECKING:
    from ..qt import QtWidgets
    from .player import Player
    from .window import Source, WatchWindow

logger = logging.getLogger(__name__)

LATEST_START_MS = 2000


def run(options: argparse.Namespace) -> int:
    """Open the window and stay until it is closed.

    Args:
        options: what `rpmsn watch` was called with; `rpmsn.cli.watch` has the names.

    Returns:
        Exit status: 0, or 1 where the source failed.

    Raises:
        RpmsnError: the source cannot be opened, there is no screen, or a library is missing.
    """
    path = settings_path()
    if options.reset_settings and os.path.exists(path):
        path.unlink()
    settings = load_settings(path)
    if options.theme:
        settings["theme"] = options.theme
    feed = Feed()
    given, options = options, last_session(options, settings["session"])
    source = make_source(options, feed, settings)
    try:
        check_display()
        application = _application(given.language)
        window = _show(source, feed, settings, options, continues=options is not given)
    finally:
        source.stop()
    is_stuck = window.stop_sources()
    _delete(application, window)
    if not options.session:
        window.settings |= {name: settings[name] for name in ("session", "recent")}
    save_settings(path, window.settings)
    status = 1 if window.has_failed else 0
    if is_stuck:
        sys.stdout.flush()
        os._exit(status)  # a driver's thread still runs, and would keep Python from ending
    return status


def make_source(options: argparse.Namespace, feed: Feed, settings: dict) -> "Source":
    """The source that the command line names.

    Raises:
        RpmsnError: it is none, or cannot be opened.
    """
    is_address = (options.source or "").startswith(ADDRESS_BEGINS)
    _check_options(options, is_address)
    if options.device is not None:
        radio = dict(
            device=options.device,
            sample_rate=options.rate,
            center_frequency=options.frequency,
            gain=options.gain,
            antenna=options.antenna,
            bandwidth=options.bandwidth,
            stream_arguments=options.stream_args,
        )
        from .radio_process import RadioWatch

        flowgraphs.check_gnuradio()
        budget = CELL_BUDGET if options.cells else 0.0
        ppm = settings["ppm"].get(options.device, 0.0)
        return RadioWatch(
            feed,
            options.model,
            options.runtime,
            options.workers,
            radio,
            cell_budget=budget,
            ppm=ppm,
            columns=settings["columns"],
        )
    if is_address:
        from .publisher_source import PublisherSource

        return PublisherSource(options.source, feed, options.server_key, options.client_key)
    return _make_player(options, feed, settings)


def _make_player(options: argparse.Namespace, feed: Feed, settings: dict) -> "Player":
    from .player import Player

    recording = open_recording(
        options.source,
        datatype=options.format,
        sample_rate=options.sample_rate,
        center_frequency=options.center_frequency,
        channel=options.channel,
    )
    speed = options.speed if options.speed is not None else settings["speed"] or math.inf
    loop = settings["loop"] if options.loop is None else options.loop
    # A picture is taken at the end, which a loop does not have.
    return Player(
        recording,
        feed,
        options.model or DEFAULT_MODEL,
        options.runtime,
        options.workers,
        speed,
        loop and not options.picture,
        options.start,
        cell_budget=CELL_BUDGET if options.cells else 0.0,
        columns=settings["columns"],
    )


def _check_options(options: argparse.Namespace, is_address: bool) -> None:
    """Raise ParameterError where options do not go together."""
    if options.source is None and options.device is None:
        raise ParameterError(
            "nothing to watch: give a recording (band.sigmf-meta), the address of a publisher "
            "(tcp://127.0.0.1:5560), or a radio (--device driver=rtlsdr --frequency 1842.5M)"
        )
    if options.source is not None and options.device is not None:
        raise ParameterError(f"both SOURCE {options.source!r} and --device {options.device!r} are given; choose one")
    if options.device is not None and options.frequency is None:
        raise ParameterError("--device needs --frequency, such as 1842.5M")
    if options.device is None and options.frequency is not None:
        raise ParameterError("--frequency is for a radio, and needs --device; for a file use --center-frequency")
    if not is_address and (options.server_key or options.client_key):
        raise ParameterError(
            "--server-key and --client-key are for the address of a publisher, such as tcp://127.0.0.1:5560"
        )
    if options.picture and (is_address or options.device is not None) and options.close_after is None:
        raise ParameterError("--picture of what has no end needs --close-after SECONDS")


def _application(language: str) -> "QtWidgets.QApplication":
    """Qt's application, whose texts are in a language from now on; it ends when nobody keeps it any more."""
    from ..qt import QtWidgets
    from ..translation import use_language

    application = QtWidgets.QApplication.instance() or QtWidgets.QApplication(["rpmsn watch"])
    use_language(language)
    return application


def _delete(application: "QtWidgets.QApplication", window: "WatchWindow") -> None:
    """Take the window down now: the garbage collector would, part by part, while Python ends, and might crash it."""
    from ..qt import QtCore

    window.deleteLater()
    application.sendPostedEvents(window, QtCore.QEvent.DeferredDelete)


def _show(source: "Source", feed: Feed, settings: dict, options: argparse.Namespace, continues: bool) -> "WatchWindow":
    """The window, from when it opens until it is closed; returns it."""
    from ..qt import QtCore, QtWidgets
    from .window import WatchWindow

    def open_source(described, feed, settings):
        return make_source(options_of(described, options), feed, settings)

    window = WatchWindow(source, feed, dict(settings), options.picture, description(options), open_source, continues)
    # Not before the window is there: the model takes seconds to load, and holds the GIL meanwhile.
    window.painted.connect(source.start, QtCore.Qt.QueuedConnection)
    window.show()
    # A hidden window is not painted.
    QtCore.QTimer.singleShot(LATEST_START_MS, source.start)
    if options.close_after is not None:
        QtCore.QTimer.singleShot(round(1000 * options.close_after), window.save_and_close)
    hook, sys.excepthook = sys.excepthook, _log_exception
    try:
        with interrupts.handled(lambda _: window.close()):
            QtWidgets.QApplication.instance().exec_()
    finally:
        sys.excepthook = hook
    if window.isVisible():
        window.close()
    return window


def _log_exception(kind, error, trace) -> None:
    """PyQt5 aborts the process at an exception in a slot, unless a hook handles it."""
    logger.error("%s", "".join(traceback.format_exception(kind, error, trace)))
