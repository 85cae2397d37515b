# SPDX-License-Identifier: GPL-3.0-or-later
"""What was open, and where in it the window was: to open it again (no Qt).

A source is described by what the command line says of it: `source`, and of raw samples `format`, `sample_rate`,
`center_frequency`, `channel`.
"""

import argparse
import os
from collections.abc import Mapping
from typing import Any

from ...errors import ParameterError, is_number

ADDRESS_BEGINS = ("tcp://", "ipc://")
NUMBERS = ("sample_rate", "center_frequency", "position", "seconds")
OPTIONS = ("source", "format", "sample_rate", "center_frequency", "channel")
MAX_RECENT = 10


def description(options: argparse.Namespace) -> dict[str, Any]:
    """The source that options name, {} where they name a radio, or samples that come once."""
    source = options.source
    if source is None or source == "-":
        return {}
    named = {name: getattr(options, name) for name in OPTIONS if getattr(options, name) is not None}
    return named | {"source": source if source.startswith(ADDRESS_BEGINS) else os.path.abspath(source)}


def is_description(value: Any) -> bool:
    """Whether a value of a file of settings describes a source, and where it was."""
    if not isinstance(value, dict) or not isinstance(value.get("source"), str):
        return False
    return all(value.get(name) is None or is_number(value[name]) for name in NUMBERS)


def with_newest(recent: list[dict[str, Any]], newest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A list of sources with one more, the newest first."""
    if not newest:
        return recent
    others = [entry for entry in recent if entry["source"] != newest["source"]]
    return [{name: newest[name] for name in OPTIONS if name in newest}, *others][:MAX_RECENT]


def options_of(described: Mapping[str, Any], options: argparse.Namespace) -> argparse.Namespace:
    """Options that open a source as described, with all else as in `options`."""
    opened = argparse.Namespace(**vars(options))
    for name in OPTIONS:
        setattr(opened, name, described.get(name))
    opened.device = opened.frequency = None
    opened.start = float(described.get("position") or 0.0)
    return opened


def last_session(options: argparse.Namespace, session: Mapping[str, Any]) -> argparse.Namespace:
    """Options that open what was open the last time, where the command line names nothing.

    Raises:
        ParameterError: it is not there any more.
    """
    if options.source is not None or options.device is not None or not options.session or not session:
        return options
    source = session["source"]
    if not source.startswith(ADDRESS_BEGINS) and not os.path.exists(source):
        raise ParameterError(f"the recording of the last time, {source}, is not there any more; name another one")
    return options_of(session, options)
