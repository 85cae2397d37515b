# SPDX-License-Identifier: GPL-3.0-or-later
"""Public functions and methods of the engine and of the blocks say what they take and return."""

import ast
from pathlib import Path

import pytest

PYTHON = Path(__file__).resolve().parents[1] / "python"
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def public_functions(body):
    """Functions of a module or class that others may call, and those of its public classes."""
    for node in body:
        if isinstance(node, FUNCTIONS) and (not node.name.startswith("_") or node.name == "__init__"):
            yield node
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from public_functions(node.body)


def lacks_hints(function):
    """Whether an argument, apart from `self` and `cls`, or the result has no type hint."""
    given = function.args
    named = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    spread = [argument for argument in (given.vararg, given.kwarg) if argument is not None]
    arguments = [argument for argument in (*named, *spread) if argument.arg not in ("self", "cls")]
    has_result = function.returns is not None or function.name == "__init__"
    return not has_result or any(argument.annotation is None for argument in arguments)


def without_hints(source):
    """(line, name) of the public functions in a source text that lack a type hint."""
    functions = public_functions(ast.parse(source).body)
    return [(function.lineno, function.name) for function in functions if lacks_hints(function)]


@pytest.mark.parametrize("package, fewest", [("rpmsn", 200), ("gnuradio/rpmsn", 10)])
def test_every_public_function_has_type_hints(package, fewest):
    files = sorted((PYTHON / package).rglob("*.py"))
    found = {str(path.relative_to(PYTHON)): without_hints(path.read_text(encoding="utf-8")) for path in files}
    assert len(files) >= fewest and {path: names for path, names in found.items() if names} == {}


@pytest.mark.parametrize(
    "source, expected",
    [
        ("def f(x: int) -> int: ...", []),
        ("def f(x) -> int: ...", [(1, "f")]),
        ("def f(x: int): ...", [(1, "f")]),
        ("def f(*x) -> int: ...", [(1, "f")]),
        ("def f(**x) -> int: ...", [(1, "f")]),
        ("def f(*, x) -> int: ...", [(1, "f")]),
        ("def _f(x): ...", []),
        ("class A:\n def __init__(self, x): ...", [(2, "__init__")]),
        ("class A:\n def __init__(self, x: int): ...", []),
        ("class A:\n def f(self) -> int: ...", []),
        ("class _A:\n def f(self, x): ...", []),
        ("async def f(x): ...", [(1, "f")]),
    ],
)
def test_a_missing_hint_is_found(source, expected):
    assert without_hints(source) == expected
