# SPDX-License-Identifier: GPL-3.0-or-later
"""Signals that come while Python runs a destructor."""

import os


class SignalsAtItsEnd:
    """Its destructor runs while a signal comes; what is raised in a destructor, Python drops.

    Args:
        number: of the signal.
    """

    def __init__(self, number):
        self.number = number

    def __del__(self):
        os.kill(os.getpid(), self.number)
        for _ in range(1000):  # the handler runs between any two steps
            pass
