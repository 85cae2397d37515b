# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation: the files, links, commands and options that pages name exist; the site builds from local files."""

import argparse
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from limits import PROCESS_S

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted(
    [*(ROOT / "docs").rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
    + [ROOT / "examples" / "README.md", ROOT / "tests" / "README.md"]
)
TOP = ("python", "docs", "tests", "benchmarks", "examples", "scripts", "grc", "cmake", r"\.ci", r"\.github")
# What a user makes by the commands of the same page.
MADE = ("build/", "demo/", "runs/", "sets/", "keys/", "examples/file_replay.py", "examples/radio_live.py")
# Only the changelog and the experiments speak of what was.
SOURCES = [
    path
    for folder in ("python", "grc", "examples", "benchmarks")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in (".py", ".yml", ".grc")
]


def named(page):
    return str(page.relative_to(ROOT))


def without_experiments(pages):
    return [page for page in pages if "experiments" not in page.parts]


def paths_in(text):
    """Paths below the folders of the repository that a text names, without line numbers and wildcards."""
    found = re.findall(rf"(?<![\w/.$~-])(?:{'|'.join(TOP)})/[\w./*-]+", text)
    return {path.rstrip("./") for path in found if "*" not in path}


def modules_in(text):
    return set(re.findall(r"(?<![\w./-])rpmsn(?:\.[a-z_]\w*)+", text))


def commands_in(text):
    """Commands of the `rpmsn` program: those of code blocks whole, and those in backticks."""
    text = text.replace("\\\n", " ")
    found = re.findall(r"^(?: {4,}|ExecStart=)(?:until )?((?:\S*/)?rpmsn .*)", text, re.MULTILINE)
    found += [code for code in re.findall(r"`([^`]+)`", text.replace("\n", " ")) if re.match(r"rpmsn [a-z-]", code)]
    return [re.sub(r"^\S*rpmsn ", "", command) for command in found]


def verbs_of(command):
    """Parsers of what follows a command, as in `rpmsn archive run`."""
    inner = [action for action in command._actions if isinstance(action, argparse._SubParsersAction)]
    return [verb for action in inner for verb in action.choices.values()]


@pytest.fixture(scope="module")
def subcommands():
    """Options of every subcommand of `rpmsn`, as its parser has them."""
    from rpmsn.cli.main import build_parser

    parser = build_parser()
    (actions,) = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    options = {
        name: {
            option
            for one in (command, *verbs_of(command))
            for action in one._actions
            for option in action.option_strings
        }
        for name, command in actions.choices.items()
    }
    return options, {option for action in parser._actions for option in action.option_strings}


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_file_that_a_page_names_exists(page):
    missing = {
        path
        for path in paths_in(page.read_text(encoding="utf-8"))
        if not path.startswith(MADE) and not (ROOT / path).exists()
    }
    missing -= {"python/gnuradio/rpmsn/my_block.py", "grc/rpmsn_my_block.block.yml"}  # to be written by the reader
    assert missing == set()


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_to_a_file_leads_somewhere(page):
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists():
            broken.append(target)
        elif anchor and file.suffix == ".md":
            titles = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            anchors = {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}
            if anchor not in anchors:
                broken.append(target)
    assert broken == []


@pytest.mark.parametrize("page", without_experiments(PAGES), ids=named)
def test_every_module_that_a_page_names_exists(page):
    missing = []
    for name in modules_in(page.read_text(encoding="utf-8")):
        parts = name.split(".")
        if (ROOT / "python" / "gnuradio" / "rpmsn" / f"{parts[1]}.py").exists():
            continue  # a block, as `from gnuradio import rpmsn` has it
        path = ROOT / "python" / parts[0]
        for part in parts[1:]:
            if (path / part).is_dir() or (path / f"{part}.py").exists():
                path = path / part
                continue
            source = path.with_suffix(".py") if path.with_suffix(".py").exists() else path / "__init__.py"
            if not re.search(rf"\b{part}\b", source.read_text(encoding="utf-8")):
                missing.append(name)
            break
    assert missing == []


@pytest.mark.parametrize("page", without_experiments(PAGES), ids=named)
def test_every_command_that_a_page_names_is_one(page, subcommands):
    options, of_all = subcommands
    wrong = []
    for command in commands_in(page.read_text(encoding="utf-8")):
        words = shlex.split(command.split(" | ")[0].split(";")[0], comments=True)
        given = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
        if words[0].startswith("-"):
            allowed = of_all
        elif words[0] in options:
            allowed = options[words[0]]
        else:
            wrong.append(command)
            continue
        if given - allowed:
            wrong.append(command)
    assert wrong == []


def test_the_commands_of_the_readme_name_the_recording_that_the_demo_makes():
    named_recordings = set(re.findall(r"[\w./-]+\.sigmf-meta", (ROOT / "README.md").read_text(encoding="utf-8")))
    assert named_recordings == {"demo/demo-1.sigmf-meta"}
    demo = (ROOT / "scripts" / "demo").read_text(encoding="utf-8")
    assert "folder=$here/demo\n" in demo and "recording=$folder/demo-1.sigmf-meta\n" in demo


def test_the_commands_of_the_documentation_are_seen_by_these_tests():
    commands = [command for page in PAGES for command in commands_in(page.read_text(encoding="utf-8"))]
    assert len(commands) > 60
    assert {command.split()[0] for command in commands} >= {"annotate", "watch", "monitor", "synth", "train", "bench"}


@pytest.mark.parametrize("page", without_experiments(PAGES), ids=named)
def test_every_option_in_a_table_belongs_to_a_command(page, subcommands):
    options, of_all = subcommands
    text = page.read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| `--")]
    named_here = {option for line in rows for option in re.findall(r"`(--[\w-]+)", line)}
    others = [*(ROOT / "examples").glob("*.py"), ROOT / "python" / "rpmsn" / "training" / "experiment.py"]
    scripts = "".join(path.read_text(encoding="utf-8") for path in others)
    known = set().union(of_all, *options.values()) | set(re.findall(r'"(--[\w-]+)"', scripts))
    assert named_here - known == set()


def test_every_page_of_documentation_that_the_program_names_exists():
    missing = {
        (named(path), page)
        for path in SOURCES
        for page in re.findall(r"docs/[\w./-]+\.(?:md|json)", path.read_text(encoding="utf-8"))
        if not (ROOT / page).exists()
    }
    assert missing == set()


def test_the_examples_of_docstrings_give_what_they_say():
    folder = ROOT / "python" / "rpmsn"
    modules = [path for path in folder.rglob("*.py") if ">>> " in path.read_text(encoding="utf-8")]
    assert len(modules) > 20
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--doctest-modules", "-q", "-p", "no:cacheprovider", *map(str, modules)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PROCESS_S,
    )
    assert done.returncode == 0, done.stdout


def test_every_picture_is_used():
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert [path.name for path in (ROOT / "docs" / "pictures").iterdir() if path.name not in text] == []


def test_the_site_builds_without_warnings_and_its_pages_load_nothing_from_elsewhere(tmp_path):
    pytest.importorskip("mkdocs")
    result = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(tmp_path / "site")],
        cwd=ROOT,
        text=True,
        capture_output=True,
        timeout=PROCESS_S,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    pages = list((tmp_path / "site").rglob("*.html"))
    assert len(pages) > 20
    for page in pages:
        loaded = re.findall(
            r"<(?:script|link|img|iframe)[^>]*(?:src|href)=\"(\w+:)?//", page.read_text(encoding="utf-8")
        )
        assert loaded == [], page.name
