# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that a file may hold by mistake, for tests that try each in the place of every key."""

BAD_VALUES = {
    "null": None,
    "text": "loud",
    "empty text": "",
    "number as text": "1.92e6",
    "true": True,
    "negative": -3,
    "zero": 0,
    "fraction": 0.5,
    "not a number": float("nan"),
    "infinite": float("inf"),
    "huge": 1e308,
    "huge whole": 10**30,
    "beyond float": 10**400,
    "empty list": [],
    "list": [1, 2],
    "list of null": [None],
    "list of text": ["loud", "louder"],
    "list of not a number": [float("nan"), 1.0],
    "list downwards": [5e6, 1e6],
    "empty mapping": {},
    "mapping": {"loud": [1, {"louder": None}]},
    "path": "../elsewhere",
}


def places(values, before=()):
    """Paths (tuples of keys and indices) of all values in plain types, the outer ones too."""
    for key, value in values.items() if isinstance(values, dict) else enumerate(values):
        yield (*before, key)
        if isinstance(value, (dict, list)):
            yield from places(value, (*before, key))


def with_value(values, place, value):
    """A copy of plain types with another value at a path."""
    copy = dict(values) if isinstance(values, dict) else list(values)
    copy[place[0]] = value if len(place) == 1 else with_value(copy[place[0]], place[1:], value)
    return copy


def without(values, place):
    """A copy of plain types without what is at a path."""
    copy = dict(values) if isinstance(values, dict) else list(values)
    if len(place) == 1:
        del copy[place[0]]
    else:
        copy[place[0]] = without(copy[place[0]], place[1:])
    return copy
