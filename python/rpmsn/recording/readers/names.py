# SPDX-License-Identifier: GPL-3.0-or-later
"""What the names say that SDR programs give their files: format by the ending, rate, centre frequency, time."""

import re
from dataclasses import dataclass
from pathlib import Path

ENDINGS = {
    ".cfile": "cf32_le", ".cf32": "cf32_le", ".fc32": "cf32_le", ".complex": "cf32_le", ".fc": "cf32_le",
    ".cf64": "cf64_le", ".fc64": "cf64_le",
    ".cs32": "ci32_le", ".sc32": "ci32_le", ".ci32": "ci32_le", ".c32": "ci32_le",
    ".cs16": "ci16_le", ".sc16": "ci16_le", ".ci16": "ci16_le", ".c16": "ci16_le", ".complex16s": "ci8",
    ".cs8": "ci8", ".sc8": "ci8", ".ci8": "ci8", ".c8": "ci8", ".cu8": "cu8", ".uc8": "cu8", ".complex16u": "cu8",
    ".cu16": "cu16_le", ".f32": "rf32_le", ".rf32": "rf32_le", ".f64": "rf64_le", ".rf64": "rf64_le",
    ".s16": "ri16_le", ".ri16": "ri16_le", ".s8": "ri8", ".ri8": "ri8",
}  # fmt: skip
"""Ending -> format, as inspectrum, rtl_433 and Universal Radio Hacker have them."""

_NUMBER = r"(\d+(?:[.]\d+)?)"
_DATE = r"(?P<date>\d{8})[_T-]?(?P<clock>\d{6})(?P<zone>Z?)"
PROGRAMS = (
    # gqrx_20240501_120307_1867500000_2400000_fc.raw
    (r"gqrx_" + _DATE + r"_(?P<hz>\d+)_(?P<rate>\d+)_fc", "cf32_le"),
    # SDRSharp_20240501_120307Z_1867500000Hz_IQ.wav, HDSDR_20240501_120307Z_1867500kHz_RF.wav,
    # SDRuno_20240501_120307_1867500kHz.wav, SDRconnect_IQ_20240501_120307_1867500000HZ.wav
    (rf"(?:SDRSharp|HDSDR|SDRuno|SDRconnect)\w*?_{_DATE}_(?P<f>{_NUMBER}(?P<funit>[kMG]?)Hz)", None),
    # baseband_1867500000Hz_12-03-07_01-05-2024.wav (SDR++)
    (rf"baseband_(?P<f>{_NUMBER}(?P<funit>[kMG]?)Hz)_\d\d-\d\d-\d\d_\d\d-\d\d-\d{{4}}", None),
    # g001_433.92M_250k.cu8 (rtl_433)
    (rf"[a-z]?\d*_?(?P<f>{_NUMBER}(?P<funit>[kMG])(?:Hz)?)_(?P<r>{_NUMBER}(?P<runit>[kM])(?:sps|Hz)?)$", None),
)
KEYED_FREQUENCY = re.compile(rf"(?:^|[_\W])(?:fc|cf|freq|f0|center)[=_-]?{_NUMBER}([kMG]?)(?:Hz)?(?=$|[_\W])", re.I)
KEYED_RATE = re.compile(
    rf"(?:^|[_\W])(?:(?:fs|sr|rate|samp_rate)[=_-]?{_NUMBER}([kMG]?)(?:Hz|sps)?|{_NUMBER}([kMG]?)(?:sps|S-s))(?=$|[_\W])",
    re.I,
)
UNITS = {"": 1.0, "k": 1e3, "m": 1e6, "g": 1e9}


@dataclass(frozen=True)
class Named:
    """What a name says; None where it does not.

    Attributes:
        datatype: SigMF name of the format.
        sample_rate, center_frequency: Hz.
        datetime: as of SigMF, where the name gives UTC.
    """

    datatype: str | None = None
    sample_rate: float | None = None
    center_frequency: float | None = None
    datetime: str | None = None


def read_name(path: Path) -> Named:
    """What a file's name says of its samples."""
    ending = path.suffix.lower()
    stem = (
        path.name[: len(path.name) - len(ending)]
        if ending in ENDINGS or ending in (".wav", ".raw", ".iq")
        else path.name
    )
    datatype = ENDINGS.get(ending)
    for pattern, usual in PROGRAMS:
        if found := re.match(pattern, stem, re.IGNORECASE):
            return _of_program(found.groupdict(), datatype or usual)
    return Named(datatype, _keyed(KEYED_RATE, stem), _keyed(KEYED_FREQUENCY, stem))


def _of_program(words: dict[str, str | None], datatype: str | None) -> Named:
    frequency = words.get("hz") or _scaled(words.get("f"), words.get("funit"))
    rate = words.get("rate") or _scaled(words.get("r"), words.get("runit"))
    return Named(datatype, float(rate) if rate else None, float(frequency) if frequency else None, _time(words))


def _scaled(text: str | None, unit: str | None) -> float | None:
    digits = re.match(_NUMBER, text or "")
    return float(digits[1]) * UNITS[(unit or "").lower()] if digits else None


def _time(words: dict[str, str | None]) -> str | None:
    """Without `Z` it is the time of an unknown zone."""
    date, clock = words.get("date"), words.get("clock")
    if not date or not clock or not words.get("zone"):
        return None
    return f"{date[:4]}-{date[4:6]}-{date[6:]}T{clock[:2]}:{clock[2:4]}:{clock[4:]}Z"


def _keyed(pattern: re.Pattern[str], stem: str) -> float | None:
    """The one number behind a key; None where there is none, or more than one."""
    found = {
        float(groups[k]) * UNITS[groups[k + 1].lower()] for groups in pattern.findall(stem) for k in _pairs(groups)
    }
    return found.pop() if len(found) == 1 else None


def _pairs(groups: tuple[str, ...]) -> list[int]:
    return [k for k in range(0, len(groups) - 1, 2) if groups[k]]
