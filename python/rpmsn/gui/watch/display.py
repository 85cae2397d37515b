# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether there is a screen for a window: Qt would abort the process where there is none, and GTK raise a TypeError."""

import ctypes
import ctypes.util
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from ...errors import RpmsnError

NEXT_STEP = (
    "without one, `rpmsn annotate` writes what is in a recording to a file, and `rpmsn monitor` prints what a "
    "radio hears; xvfb-run -a rpmsn watch ... draws on a virtual screen"
)
GTK_NEXT_STEP = (
    "without one, `grcc` compiles a flowgraph to a Python program, and examples/README.md has programs without a window"
)
PLATFORMS_WITHOUT_SCREEN = ("offscreen", "minimal", "vnc", "linuxfb", "eglfs")


def check_display(environment: Mapping[str, str] = os.environ) -> None:
    """Raise RpmsnError where Qt can open no window.

    Args:
        environment: dict of the variables DISPLAY, WAYLAND_DISPLAY, XDG_RUNTIME_DIR and QT_QPA_PLATFORM.
    """
    platform = environment.get("QT_QPA_PLATFORM", "").split(":")[0]
    if not sys.platform.startswith("linux") or platform in PLATFORMS_WITHOUT_SCREEN:
        return
    if not (_has_wayland(environment) and _has_plugin_for_wayland()):
        _check_x11(environment, NEXT_STEP)


def check_gtk_display(environment: Mapping[str, str] = os.environ) -> None:
    """Raise RpmsnError where GTK, and so GNU Radio Companion, can open no window."""
    if not _has_wayland(environment):
        _check_x11(environment, GTK_NEXT_STEP)


def _check_x11(environment: Mapping[str, str], next_step: str) -> None:
    display = environment.get("DISPLAY", "")
    if display and _opens(display):
        return
    why = f"DISPLAY is {display!r}, and no screen answers there" if display else "DISPLAY is not set"
    raise RpmsnError(f"there is no screen to open a window on ({why}); {next_step}")


def _has_wayland(environment: Mapping[str, str]) -> bool:
    """Whether the socket of a Wayland screen is there."""
    name = environment.get("WAYLAND_DISPLAY", "")
    return bool(name) and Path(environment.get("XDG_RUNTIME_DIR", "/"), name).exists()


def _has_plugin_for_wayland() -> bool:
    """Whether Qt has its plugin for Wayland."""
    from PyQt5.QtCore import QLibraryInfo

    plugins = Path(QLibraryInfo.location(QLibraryInfo.PluginsPath), "platforms")
    return any(plugins.glob("libqwayland*"))


def _opens(display: str) -> bool:
    """Whether an X server answers; True where that cannot be found out."""
    library = ctypes.util.find_library("X11")
    if library is None:
        return True
    x11 = ctypes.CDLL(library)
    x11.XOpenDisplay.restype = ctypes.c_void_p
    x11.XOpenDisplay.argtypes = [ctypes.c_char_p]
    x11.XCloseDisplay.argtypes = [ctypes.c_void_p]
    opened = x11.XOpenDisplay(display.encode())
    if not opened:
        return False
    x11.XCloseDisplay(opened)
    return True
