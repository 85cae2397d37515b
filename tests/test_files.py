# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are whole or not there, and YAML that is read or refused by name."""

import pytest
import yaml

from rpmsn.errors import ModelError, ParameterError
from rpmsn.files import read_yaml, to_yaml, whole_file


def test_a_file_keeps_what_it_had_where_writing_fails(tmp_path):
    path = tmp_path / "kept"
    path.write_bytes(b"before")
    with pytest.raises(RuntimeError), whole_file(path) as file:
        file.write(b"half")
        raise RuntimeError
    assert path.read_bytes() == b"before" and list(tmp_path.iterdir()) == [path]


def test_yaml_comes_as_plain_types(tmp_path):
    path = tmp_path / "values.yml"
    path.write_text("name: Zürich\nrates: [1.0e+6, 2]\n", encoding="utf-8")
    assert read_yaml(path) == {"name": "Zürich", "rates": [1e6, 2]}
    path.write_text("")
    assert read_yaml(str(path)) is None


@pytest.mark.parametrize(
    "text, value",
    [
        ("1.92e6", 1.92e6),
        ("1e6", 1e6),
        ("1.92e+6", 1.92e6),
        ("-.5", -0.5),
        ("-5", -5),
        ("010", 10),
        ("0x1F", 31),
        ("0o17", 15),
        ("-.inf", float("-inf")),
        ("true", True),
        ("null", None),
        ("~", None),
        ("'1e6'", "1e6"),
        ("yes", "yes"),
        ("1:30", "1:30"),
        ("1_000", "1_000"),
        ("2024-13-45", "2024-13-45"),
        ("1.92e6 Hz", "1.92e6 Hz"),
    ],
)
def test_one_rule_tells_numbers_from_text(tmp_path, text, value):
    path = tmp_path / "value.yml"
    path.write_text(f"a: {text}\n")
    read = read_yaml(path)["a"]
    assert read == value and type(read) is type(value)


@pytest.mark.parametrize(
    "value", ["1e6", "1.5", "12", "yes", "no", "0o17", "1:30", "2024-01-01", "", "~", "true", ".inf"]
)
def test_text_that_looks_like_something_else_is_read_as_text_again(tmp_path, value):
    path = tmp_path / "values.yml"
    values = {value: value, "list": [value, 1e300, 1e6, -0.25, 3, True, None]}
    path.write_text(to_yaml(values))
    assert read_yaml(path) == values == yaml.safe_load(to_yaml(values))


@pytest.mark.parametrize(
    "content",
    [
        b"{unfinished",
        b"a: \xff",
        b"a: !!python/object:object {}",
        b"a: 1\na: 2",
        b"a: {b: 1, 'b': 2}",
        b"[" * 20000,
        b"a: " + b"9" * 5000,
        b"? [a]\n: 1",
    ],
)
def test_what_is_no_yaml_is_refused_by_name(tmp_path, content):
    path = tmp_path / "bad.yml"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=f"^model card {path} is not valid YAML: "):
        read_yaml(path, "model card", ModelError)


def test_a_file_that_is_not_there_is_refused_with_the_hint(tmp_path):
    path = tmp_path / "none.yml"
    with pytest.raises(ParameterError, match=f"^{path} cannot be read: No such file or directory; look elsewhere$"):
        read_yaml(path, hint="; look elsewhere")
