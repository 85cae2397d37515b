# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes of a radio, in place of the one with GNU Radio: `main` of `RadioWatch`."""

import ctypes
import os

from rpmsn.gui.watch.radio_process import STOP, Report, Tuning


def hang(connection, radio, sink):
    """A driver that hangs in open and holds the GIL, as drivers do."""
    ctypes.PyDLL(None).sleep(1000)


def crash(connection, radio, sink):
    """A driver that crashes."""
    os.abort()


def answer(connection, radio, sink):
    """A radio that takes every command."""
    frequency = radio["center_frequency"]
    while True:
        connection.send(Report(None, Tuning(frequency, radio["sample_rate"], (0.0, 50.0)), "", ""))
        name, value = connection.recv()
        if name == STOP:
            return
        frequency = value
