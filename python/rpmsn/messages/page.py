# SPDX-License-Identifier: GPL-3.0-or-later
"""What is written from the table of fields: the JSON schema, and the tables between markers of docs/messages.md.

python -m rpmsn.messages.page docs
"""

import json
import re
import sys
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from . import fields as table
from . import wire
from .fields import Field

PAGE, SCHEMA = "messages.md", "publisher.schema.json"
MARKED = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
PDU_KINDS = {table.TIME: "tuple (uint64, double)", table.SYMBOLS: "vector of symbols", table.PIXELS: "u8vector"}
"""Kind -> what it is in a PDU, where that has another name."""
TEXT_KINDS = {
    table.UINT64: "integer",
    table.LONG: "integer",
    table.DOUBLE: "number or null",
    table.SYMBOL: "string",
    table.BOOL: "true or false",
    table.TIME: "string or null",
    table.SYMBOLS: "array of strings",
    table.PIXELS: "string, base64",
}
"""Kind -> what it is in JSON."""


def schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of what the publisher sends."""
    every = [one for one in table.fields_of(table.SEGMENT, table.JSON) if set(table.TOPICS) <= set(one.messages)]
    envelope = [one for one in every if table.PDU not in one.forms]
    messages = {}
    for topic in table.TOPICS:
        own = [one for one in table.fields_of(topic, table.JSON) if one not in envelope]
        messages[topic] = {
            "allOf": [{"$ref": "#/$defs/every"}],
            "required": [one.name for one in own if one.required],
            "properties": {"topic": {"const": topic}, **{one.name: _schema_of(one, topic) for one in own}},
        }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:gr-rpmsn:publisher:{wire.VERSION}",
        "title": f"Messages of the segment publisher, version {wire.VERSION}",
        "description": (
            "The second part of every message; the first is its topic. Within a version keys are only added: ignore "
            "those that you do not know. Written by python -m rpmsn.messages.page."
        ),
        "oneOf": [{"$ref": f"#/$defs/{topic}"} for topic in table.TOPICS],
        "$defs": {
            "number": {"type": ["number", "null"], "description": "null where it is not known or not finite"},
            "count": {"type": "integer", "minimum": 0},
            "time": {
                "type": ["string", "null"],
                "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{9}Z$",
                "description": "ISO 8601, UTC, nanoseconds",
            },
            "pixels": {
                "type": "string",
                "contentEncoding": "base64",
                "pattern": "^[A-Za-z0-9+/]+={0,2}$",
                "description": (
                    "rows * columns bytes, row by row; first row = first in time, first column = lowest frequency"
                ),
            },
            "every": {
                "type": "object",
                "required": [one.name for one in envelope],
                "properties": {one.name: _schema_of(one, table.SEGMENT) for one in envelope}
                | {
                    table.VERSION: {"const": wire.VERSION},
                    table.TOPIC: {"enum": list(table.TOPICS)},
                    table.PUBLISHER: {
                        "type": "string",
                        "minLength": 1,
                        "description": table.FIELDS[table.PUBLISHER].meaning,
                    },
                },
            },
            **messages,
        },
    }


def _schema_of(one: Field, message: str) -> dict[str, Any]:
    """What a value of a field may be."""
    kinds: dict[str, dict[str, Any]] = {
        table.UINT64: {"$ref": "#/$defs/count"},
        table.LONG: {"type": "integer"},
        table.DOUBLE: {"$ref": "#/$defs/number"},
        table.SYMBOL: {"enum": list(one.choices)} if one.choices else {"type": "string"},
        table.BOOL: {"type": "boolean"},
        table.TIME: {"$ref": "#/$defs/time"},
        table.SYMBOLS: {"type": "array", "items": {"type": "string"}, "minItems": 1},
        table.PIXELS: {"$ref": "#/$defs/pixels"},
    }
    limits = {"minimum": one.lowest, "maximum": one.highest}
    return {
        **kinds[one.kind],
        **{name: value for name, value in limits.items() if value is not None},
        "description": ", ".join(filter(None, (one.unit, one.meaning_in(message)))),
    }


def schema_text() -> str:
    """The schema as the text of its file."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def markdown(name: str) -> str:
    """One of the page's tables.

    Args:
        name: `segments`, `frames`, `status`, `command` (fields of GNU Radio messages), `json` (what JSON has besides),
            `kinds` (how values are encoded), `csv` (columns of a log), `sigmf` (fields of annotations) or
            `sigmf_global`.
    """
    return _TABLES[name]()


def _message_table(message: str) -> str:
    rows = [
        (
            f"`{one.name}`",
            PDU_KINDS.get(one.kind, one.kind),
            one.unit,
            one.meaning_in(message) + ("" if one.required else " (where known)" if one.of_carrier else " (not always)"),
        )
        for one in table.fields_of(message, table.PDU)
    ]
    return _rows(("key", "type", "unit", "meaning"), rows)


def _json_table() -> str:
    rows = []
    for one in table.FIELDS.values():
        messages = [topic for topic in table.TOPICS if topic in one.messages]
        if table.JSON in one.forms and table.PDU not in one.forms:
            where = "all" if len(messages) == len(table.TOPICS) else ", ".join(f"`{topic}`" for topic in messages)
            rows.append((f"`{one.name}`", where, TEXT_KINDS[one.kind], one.unit, one.meaning))
    return _rows(("key", "topic", "type", "unit", "meaning"), rows)


def _kinds_table() -> str:
    rows = [(PDU_KINDS.get(kind, kind), TEXT_KINDS[kind]) for kind in table.KINDS if kind in TEXT_KINDS]
    return _rows(("GNU Radio (PMT)", "JSON"), rows)


def _csv_table() -> str:
    rows = [
        (f"`{one.name}`", TEXT_KINDS[one.kind], one.unit, one.meaning)
        for one in table.fields_of(table.SEGMENT, table.CSV)
    ]
    return _rows(("column", "type", "unit", "meaning"), rows)


def _sigmf_table(is_global: bool) -> str:
    rows = [(f"`{one.sigmf}`", f"`{one.name}`", one.unit, one.meaning) for one in table.sigmf_fields(is_global)]
    return _rows(("field", "key of messages", "unit", "meaning"), rows)


def _rows(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (header, ("---",) * len(header), *rows)) + "\n"


_TABLES: dict[str, Callable[[], str]] = {
    **{port: partial(_message_table, topic) for topic, port in table.PORTS.items()},
    "command": partial(_message_table, table.COMMAND),
    "json": _json_table,
    "kinds": _kinds_table,
    "csv": _csv_table,
    "sigmf": partial(_sigmf_table, False),
    "sigmf_global": partial(_sigmf_table, True),
}


def filled(text: str) -> str:
    """A page with the tables between its markers as they should be."""
    return MARKED.sub(lambda found: found[1] + markdown(found[2]) + found[3], text)


def main(arguments: list[str] | None = None) -> int:
    """Write both files of a folder; returns the exit status."""
    folders = sys.argv[1:] if arguments is None else arguments
    if len(folders) != 1:
        print("usage: python -m rpmsn.messages.page FOLDER (docs)", file=sys.stderr)
        return 2
    page = Path(folders[0]) / PAGE
    page.write_text(filled(page.read_text(encoding="utf-8")), encoding="utf-8")
    (page.parent / SCHEMA).write_text(schema_text(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
