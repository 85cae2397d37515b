# SPDX-License-Identifier: GPL-3.0-or-later
"""What `rpmsn watch` remembers from one time to the next, in a YAML file that people can read and edit (no Qt)."""

import logging
import os
from pathlib import Path

import yaml

from ...errors import ParameterError
from ...files import read_yaml, to_yaml, user_config_dir, whole_file
from ...signal.resolution import PICTURE_COLUMNS
from .session import is_description

logger = logging.getLogger(__name__)

HEAD = "# What `rpmsn watch` remembers. Delete this file, or use --reset-settings, to start with the defaults.\n"
DEFAULTS = {
    "theme": "system",
    "table": "",
    "window": [1280, 800],
    "maximized": False,
    "layout": "",
    "speed": 1.0,
    "loop": False,
    "columns": 1024,
    "waterfall": {},
    "carriers": {},
    "bookmarks": [],
    "tuning_step": "1/4 span",
    "ppm": {},
    "record_folder": "",
    "recent": [],
    "session": {},
}
"""Every key, with its default. `theme` is system, dark or light; `speed` is times real time, 0 for as fast as it goes;
`columns` are those of the picture; `table` is below, beside or hidden, empty for what fits the window; `layout` is
Qt's word for where the panels are; `ppm` has the error of a radio's clock by the name of the device;
`record_folder` is where IQ goes; `bookmarks` have `name`, `frequency` in Hz and `color`; `recent` are sources that
were open, `session` is what was open last and where in it the window was (`session.py`)."""
RETIRED = ("split",)
"""Keys of files of earlier versions."""
ALLOWED = {
    "theme": lambda value: value in ("system", "dark", "light"),
    "table": lambda value: value in ("", "below", "beside", "hidden"),
    "window": lambda value: _are_pixels(value) and len(value) == 2,
    "maximized": lambda value: isinstance(value, bool),
    "layout": lambda value: isinstance(value, str),
    "speed": lambda value: type(value) in (int, float) and (value == 0 or 0.1 <= value <= 1000),
    "loop": lambda value: isinstance(value, bool),
    "columns": lambda value: value in PICTURE_COLUMNS,
    "waterfall": lambda value: isinstance(value, dict),
    "carriers": lambda value: isinstance(value, dict),
    "bookmarks": lambda value: isinstance(value, list),
    "tuning_step": lambda value: isinstance(value, str),
    "ppm": lambda value: isinstance(value, dict) and all(map(_is_ppm, value.items())),
    "record_folder": lambda value: isinstance(value, str),
    "recent": lambda value: isinstance(value, list) and all(map(is_description, value)),
    "session": lambda value: value == {} or is_description(value),
}


def settings_path() -> Path:
    """`watch.yml` in the user's folder for settings."""
    return user_config_dir() / "watch.yml"


def load_settings(path: Path) -> dict:
    """Settings from a file; what is missing or cannot be used has its value of `DEFAULTS`, with a warning."""
    settings = {key: value.copy() if isinstance(value, (list, dict)) else value for key, value in DEFAULTS.items()}
    if not os.path.exists(path):  # nor in a folder that may not be read, where Path.exists raises
        return settings
    try:
        read = read_yaml(path, "settings")
        if not isinstance(read, dict):
            raise ParameterError(f"settings {path} hold {type(read).__name__}, but keys and values are needed")
    except ParameterError as error:
        logger.warning("%s; the defaults are used, and the file is replaced when the window closes", error)
        return settings
    for key, value in read.items():
        if key in RETIRED:
            continue
        if key not in DEFAULTS:
            logger.warning(
                "settings %s: key %r is unknown and ignored; allowed are: %s", path, key, ", ".join(DEFAULTS)
            )
        elif not ALLOWED[key](value):
            logger.warning("settings %s: %s is %r, which is not allowed; %r is used", path, key, value, DEFAULTS[key])
        else:
            settings[key] = value
    return settings


def save_settings(path: Path, settings: dict) -> None:
    """Write settings atomically. Where the file cannot be written that is logged, and no more."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as file:
            file.write((HEAD + to_yaml(settings)).encode())
    except (OSError, yaml.YAMLError) as error:
        logger.warning("settings %s cannot be written: %s", path, getattr(error, "strerror", None) or error)


def _is_ppm(entry) -> bool:
    device, ppm = entry
    return isinstance(device, str) and type(ppm) in (int, float) and abs(ppm) <= 200


def _are_pixels(value) -> bool:
    return isinstance(value, list) and all(type(number) is int and 0 <= number <= 20_000 for number in value)
