# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are whole or not there, and YAML that is read or refused by name."""

import pytest

from rpmsn.errors import ModelError, ParameterError
from rpmsn.files import read_yaml, whole_file


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


@pytest.mark.parametrize("content", [b"{unfinished", b"a: \xff", b"day: 2024-13-45", b"a: !!python/object:object {}"])
def test_what_is_no_yaml_is_refused_by_name(tmp_path, content):
    path = tmp_path / "bad.yml"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=f"^model card {path} is not valid YAML: "):
        read_yaml(path, "model card", ModelError)


def test_a_file_that_is_not_there_is_refused_with_the_hint(tmp_path):
    path = tmp_path / "none.yml"
    with pytest.raises(ParameterError, match=f"^{path} cannot be read: No such file or directory; look elsewhere$"):
        read_yaml(path, hint="; look elsewhere")
