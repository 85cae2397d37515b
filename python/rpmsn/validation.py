# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of files (model cards, configurations, sets' descriptions) -> dataclasses, checked by pydantic against their
types; what does not fit is reported in one sentence a fault: file, key, value, what is allowed, what to do."""

import json
import reprlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from types import MappingProxyType, UnionType
from typing import Annotated, Any, TypeVar, cast, get_args, get_origin, get_type_hints

from pydantic import ConfigDict, Field, GetPydanticSchema, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, core_schema

from .errors import ParameterError, RpmsnError

T = TypeVar("T")

STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
"""`__pydantic_config__` of every dataclass that is read from a file."""
MAX_FAULTS = 8
"""Faults of a file that are reported at once."""
RENAMED = {"recipe": "features", "rule": "policy"}
"""Keys of gr-rpmsn 0.7 and before -> what they are called now."""
RENAMED_VALUES = {"parted": "split", "filled_parted": "filled_split"}

Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
_PATTERNS = {
    r"^[^./\\\x00-\x1f][^/\\\x00-\x1f]*$": "a name without slashes and without a dot in front",
    "^[0-9a-f]{64}$": "a sum of 64 hexadecimal digits (0-9, a-f)",
}
"""Pattern of a text -> what is needed, in words."""
_NAME, _SHA256 = _PATTERNS
FileName = Annotated[str, Field(pattern=_NAME, max_length=200)]
"""Name of a file in the same folder, or of what gives a file its name."""
Sha256 = Annotated[str, Field(pattern=_SHA256)]
RateRange = Annotated[list[Positive], Field(min_length=2, max_length=2)]
"""Lowest and highest sample rate, Hz; `check_rates` looks at their order."""


def one_of(names: Sequence[str]) -> GetPydanticSchema:
    """Metadata of a type: text that is one of these names."""
    return GetPydanticSchema(lambda _source, _handler: core_schema.literal_schema(list(names)))


@cache
def adapter(kind: Any) -> TypeAdapter:
    """What checks values for a type."""
    return TypeAdapter(kind)


def checked(
    kind: type[T],
    values: Any,
    where: str,
    error: type[RpmsnError] = ParameterError,
    key: str = "",
    hints: Mapping[str, str] = MappingProxyType({}),
) -> T:
    """A dataclass of plain values, as YAML gives them.

    Args:
        kind: the dataclass, with `__pydantic_config__ = STRICT`.
        values: a mapping of its fields; lists for sequences.
        where: file, for errors.
        error: class of errors.
        key: where in the file the values are, such as `train[1]`; empty for the whole file.
        hints: key of the dataclass -> what to do where its value does not fit.

    Raises:
        error: values are missing, unknown, or not of their types; a line for each.
    """
    if not isinstance(values, Mapping):
        place = f"{where}: {key} is {_short(values)}" if key else f"{where} holds {_short(values)}"
        raise error(f"{place}, but a mapping of keys to values is needed")
    try:
        # From JSON, for a dataclass is made of a mapping there also in strict mode.
        return cast(T, adapter(cast(Any, kind)).validate_json(json.dumps(values)))
    except ValidationError as fault:
        sentences = [
            "; ".join(filter(None, (_sentence(entry, kind, key), hints.get(str(entry["loc"][0])))))
            for entry in fault.errors(include_url=False)
        ]
        raise faults(where, sentences, error) from None
    except (TypeError, ValueError, RecursionError) as fault:
        raise error(f"{where}: {key or 'a value'} is no plain number, text, list or mapping: {fault}") from None


def faults(where: str, sentences: Sequence[str], error: type[RpmsnError] = ParameterError) -> RpmsnError:
    """The error that lists the faults of a file, each in a line of its own."""
    reported = [f"{where}: {sentence}" for sentence in sentences[:MAX_FAULTS]]
    if len(sentences) > MAX_FAULTS:
        reported.append(f"{where}: {len(sentences) - MAX_FAULTS} more values do not fit")
    return error("\n".join(reported))


def check_rates(rates: Sequence[float] | None, key: str = "sample_rates") -> list[str]:
    """What is wrong with (lowest, highest) rate: nothing, or a sentence."""
    if rates is None or rates[0] <= rates[1]:
        return []
    return [f"{key} is {list(rates)}, but the lowest rate is needed first, then the highest"]


def _sentence(fault: ErrorDetails, kind: type, prefix: str) -> str:
    """One fault in words."""
    is_key = fault["type"] in ("missing", "unexpected_keyword_argument")
    place = fault["loc"][: -2 if fault["loc"][-1] == _KEY else -1 if is_key else None]
    key = prefix
    for part in place:
        key += f"[{part}]" if isinstance(part, int) else f".{part}" if key else str(part)
    if fault["type"] == "missing":
        return f"{key + ': ' if key else ''}key {str(fault['loc'][-1])!r} is missing"
    if fault["type"] == "unexpected_keyword_argument":
        name = str(fault["loc"][-1])
        known = _known_keys(kind, place)
        renamed = f"; it is called {RENAMED[name]!r} now" if name in RENAMED else ""
        allowed = f"; allowed are {', '.join(known)}" if known and not renamed else ""
        return f"{key + ': ' if key else ''}unknown key {name!r}{renamed}{allowed}"
    if fault["loc"][-1] == _KEY:
        return f"{key} has the key {_short(fault['input'])}, but {_allowed(fault)}"
    return f"{key} is {_short(fault['input'])}, but {_allowed(fault)}"


def _allowed(fault: ErrorDetails) -> str:
    """What is allowed in the place of a value, and what to do where that can be told."""
    kind, value, context = fault["type"], fault["input"], fault.get("ctx", {})
    if kind == "literal_error":
        names = context["expected"].replace("'", "").replace(" or ", ", ")
        now = RENAMED_VALUES.get(value) if isinstance(value, str) else None
        return f"allowed are {names}" + (f"; it is called {now} now" if now else "")
    if kind in _WORDS:
        words = _WORDS[kind].format(**context)
        words = _PATTERNS.get(words, words)
    else:
        words = fault["msg"].replace("Input should be ", "").replace("Value error, ", "")
    is_quoted = isinstance(value, str) and kind in ("float_type", "int_type") and _is_number(value)
    is_bare = not isinstance(value, str) and kind == "string_type" and isinstance(value, (int, float))
    hint = "; write it without quotes" if is_quoted else "; write it in quotes" if is_bare else ""
    return f"{words} is needed{hint}"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


_KEY = "[key]"
"""How pydantic ends the place of a mapping's key."""
_WORDS: dict[str, str] = {
    "float_type": "a number",
    "finite_number": "a finite number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "string_type": "text",
    "list_type": "a list, such as [1, 2],",
    "dict_type": "a mapping of keys to values",
    "dataclass_type": "a mapping of keys to values",
    "greater_than": "a number above {gt:g}",
    "greater_than_equal": "a number of at least {ge:g}",
    "less_than": "a number below {lt:g}",
    "less_than_equal": "a number of at most {le:g}",
    "too_short": "a list of at least {min_length}",
    "too_long": "a list of at most {max_length}",
    "string_too_short": "text of at least {min_length} character",
    "string_too_long": "text of at most {max_length} characters",
    "string_pattern_mismatch": "{pattern}",
    "multiple_of": "a multiple of {multiple_of:g}",
    "recursion_loop": "a list or mapping that does not hold itself",
}
"""What pydantic calls a fault -> what is needed, in words."""


def _known_keys(kind: Any, place: Sequence[int | str]) -> list[str]:
    """Keys of the dataclass that stands at a place of another one; empty where that is none."""
    for part in place:
        inner = [entry for entry in get_args(kind) if entry is not type(None)]
        kind = get_type_hints(kind).get(str(part)) if isinstance(part, str) and is_dataclass(kind) else inner[-1]
        if get_origin(kind) is UnionType:
            kind = next(entry for entry in get_args(kind) if entry is not type(None))
    return [entry.name for entry in fields(kind)] if is_dataclass(kind) else []


_repr = reprlib.Repr()
_repr.maxstring = _repr.maxother = 80
_repr.maxlist = _repr.maxdict = 4
_short: Callable[[object], str] = _repr.repr
