# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts of the window in the language of its user (Qt only where a language is chosen).

The program has its texts in English, each inside `tr`, `counted` or `mark`. `translations/rpmsn_de.ts`, a file of Qt
Linguist, has them in German; `scripts/translate` brings such files up to date. Names of classes, of message fields and
of units are the same in every language, and so are errors, which people search for.

    >>> tr("{count} of {whole} MHz", count=2, whole=3)
    '2 of 3 MHz'
    >>> [counted("{count} frame", "{count} frames", count) for count in (0, 1, 2)]
    ['0 frames', '1 frame', '2 frames']
"""

import re
from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

from ..errors import ParameterError

FOLDER = Path(__file__).with_name("translations")
PREFIX = "rpmsn_"
SYSTEM, ENGLISH = "system", "en"
LANGUAGES = (ENGLISH, *sorted(path.stem.removeprefix(PREFIX) for path in FOLDER.glob(f"{PREFIX}*.ts")))
"""Codes of ISO 639-1."""

Forms = tuple[str, ...]
"""A translation; of a text with a number two: for one, and for all others."""

_texts: Mapping[str, Forms] = {}
"""English text -> Forms in the language that is chosen; nothing for English."""
_qt_translator: Any = None


def mark(text: str) -> str:
    """The text itself: `tr` gets it later."""
    return text


def tr(text: str, **values: object) -> str:
    """A text in the language that is chosen, with values in its places `{name}`."""
    found = _texts.get(text, (text,))[0]
    return found.format(**values) if values else found


def counted(one: str, many: str, count: int, **values: object) -> str:
    """A text with a number of things, `{count}`: `one` where it is one, otherwise `many`, by which it is looked up."""
    form = _texts.get(many, (one, many))[count != 1]
    return form.format(count=f"{count:,d}".replace(",", "\u202f"), **values)


def tr_report(text: str) -> str:
    """What the analysis or a radio reports in English, with all sentences that are known translated."""
    if _texts:
        for source, pattern in _patterns():
            text = pattern.sub(partial(_translated, source), text)
    return text


def _translated(source: str, found: re.Match[str]) -> str:
    return tr(source, **found.groupdict())


def read_texts(path: Path) -> dict[str, Forms]:
    """English text -> Forms of a file of Qt Linguist; what is not finished is left out."""
    from xml.etree import ElementTree  # late: every command imports this module

    texts = {}
    for message in ElementTree.parse(path).iter("message"):
        translation = message.find("translation")
        if translation is not None and translation.get("type") is None:
            forms = tuple(form.text or "" for form in translation.iter("numerusform")) or (translation.text or "",)
            texts[message.findtext("source", "")] = forms
    return texts


def use_texts(texts: Mapping[str, Forms]) -> None:
    """Take these texts for all that is made from now on."""
    global _texts  # noqa: PLW0603
    _texts = texts


def use_language(name: str = SYSTEM) -> str:
    """Write all that is made from now on in a language, and Qt's own dialogs where Qt has it; returns its code.

    Args:
        name: one of LANGUAGES; `system` for the first of the desktop's that is there, or English.

    Raises:
        ParameterError: there is no such language.
    """
    from .qt import QtCore

    if name == SYSTEM:
        wanted = [language.split("-")[0] for language in QtCore.QLocale.system().uiLanguages()]
        name = next((language for language in wanted if language in LANGUAGES), ENGLISH)
    if name not in LANGUAGES:
        raise ParameterError(f"the language is {name!r}; choose one of {SYSTEM}, {', '.join(LANGUAGES)}")
    use_texts({} if name == ENGLISH else read_texts(FOLDER / f"{PREFIX}{name}.ts"))
    global _qt_translator  # noqa: PLW0603
    application = QtCore.QCoreApplication.instance()
    if _qt_translator is not None and application is not None:
        application.removeTranslator(_qt_translator)
    _qt_translator = QtCore.QTranslator()
    if _qt_translator.load(f"qtbase_{name}", QtCore.QLibraryInfo.location(QtCore.QLibraryInfo.TranslationsPath)):
        application.installTranslator(_qt_translator)
    return name


REPORTS = (
    mark("loading the model {name}"),
    mark("opening {device}"),
    mark("the recording has no time: times count from its beginning"),
    mark("frames last {frame} ms and model {name} was trained with {trained} ms: expect more mistakes"),
    mark(
        "model {name} was trained for {low} to {high} Msps and the signal has {rate} Msps: do not rely on LTE and NR "
        "being told apart (both are reported as other; raise the sample rate)"
    ),
    mark(
        "model {name} was trained for {low} to {high} Msps and the signal has {rate} Msps: do not rely on LTE and NR "
        "being told apart (lower the sample rate)"
    ),
    mark(
        "{device} has sent nothing for {seconds} s and is taken to have stopped: is it still plugged in, is its server "
        "still running? `rpmsn devices` lists what it finds."
    ),
    mark("What was found stays here and can be exported. If it does not resume, close the window and start again."),
    mark("all samples are the same: nothing is connected, or the source has stopped; check the cable and the source"),
    mark("overload: {percent} of the values are at the rail; lower the gain by {decibels} dB or more"),
    mark("clipping: {percent} of the values are at the rail; lower the gain by {decibels} dB or more"),
    mark(
        "{number} values are NaN, infinite or larger than {largest}: the source is faulty; look for a division by zero "
        "or a wrong sample format before this block"
    ),
    mark(
        "a spike at the centre frequency, as receivers make it themselves (DC offset): nothing so narrow is reported "
        "there; tune a little aside to see it"
    ),
    mark(
        "I/Q images of strong signals, as receivers make them themselves (I/Q imbalance): nothing is reported there; "
        "tune aside to see what they hide"
    ),
    mark(
        "level too low: the signal uses no more than two steps of the converter; raise the gain, or check the antenna"
    ),
    mark(
        "level too low: {decibels} dB below full scale; raise the gain, or scale the samples so that full scale is 1.0"
    ),
    mark("a frame could not be analysed: {error}"),
    mark("the search for cells failed: {error}"),
    mark(
        "{path} has become shorter since it was opened: it ends before byte {place}. Open it again when nothing writes "
        "to it any more."
    ),
    mark("{file} ends in the middle of a sample: {left} of {whole} bytes are left over and ignored"),
    mark(
        "{file} is shorter than its annotations say: {number} of them reach beyond its {count} samples, the last to "
        "sample {last}"
    ),
    mark("{number} capture segment(s) start beyond the end of {file} ({count} samples) and are ignored"),
    mark(
        "{number} of {all} capture segments have no core:frequency: each goes on at the frequency before it, those at "
        "the beginning at the first that is known"
    ),
    mark(
        "the first capture segment starts at sample {sample}: its frequency and time are taken for the samples before "
        "it, too"
    ),
    mark("channel 1 of {number} is read; --channel N chooses another"),
    mark("{value}: read from the file's name; --format, --sample-rate and --center-frequency overrule it"),
    mark("{key} is {before} in the metadata; {value} was given and is used"),
    mark("the metadata need the SigMF extension {name}, which is not understood here"),
    mark("{number} of {all} in {key} are no objects and are left out"),
    mark("{key} is text, {words}, and is taken as the number"),
    mark("{number} annotation(s) are left out, the first since {fault}"),
)
"""What the analysis says of its input and of itself, and a recording of its file, as their sentences are written there;
`{text}` is no name for a place."""


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """REPORTS, each with what finds it in a text; a value is what has no blank in it, or all that follows."""
    found = []
    for source in REPORTS:
        parts = re.split(r"\{(\w+)\}", source)
        value = r"\S+" if parts[-1] else r".+"
        pattern = "".join(f"(?P<{part}>{value})" if at % 2 else re.escape(part) for at, part in enumerate(parts))
        found.append((source, re.compile(pattern)))
    return tuple(found)
