# SPDX-License-Identifier: GPL-3.0-or-later
"""The names of the fields, for code that reads and writes messages: `keys.LABEL` is `"label"`. Made by `fields`."""

from .fields import *  # noqa: F403 - one constant a field
