# SPDX-License-Identifier: GPL-3.0-or-later
"""Advice on what to install fits the installation: none of it is refused there."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from rpmsn import installation
from rpmsn.cli.main import main
from rpmsn.installation import Installation, Kind

PIP_ALONE = Installation(
    Kind.PIP, Path("/home/me/env/bin/python"), takes_pip=True, has_metadata=True, sees_distribution=False, has_apt=True
)
SCRIPTS = replace(PIP_ALONE, kind=Kind.SCRIPTS, sees_distribution=True)
DISTRIBUTION = Installation(
    Kind.CMAKE, Path("/usr/bin/python3"), takes_pip=False, has_metadata=False, sees_distribution=True, has_apt=True
)


def offers(monkeypatch, packages):
    """Let apt have these packages, name -> version, and no others."""
    monkeypatch.setattr(
        installation, "_apt_offers", lambda package, oldest: package in packages and packages[package] >= oldest
    )


@pytest.mark.parametrize(
    "where, module, command",
    [
        (PIP_ALONE, "torch", "python -m pip install 'gr-rpmsn[torch]'"),
        (PIP_ALONE, "PyQt5", "python -m pip install 'gr-rpmsn[gui]'"),
        (PIP_ALONE, "scipy", "python -m pip install scipy"),
        (PIP_ALONE, "unheard_of", "python -m pip install unheard_of"),
        (replace(PIP_ALONE, has_metadata=False), "yaml", "python -m pip install pyyaml"),
        (replace(PIP_ALONE, has_metadata=False), "zmq", "python -m pip install pyzmq"),
        (SCRIPTS, "torch", "scripts/bootstrap torch"),
        (SCRIPTS, "scipy", "scripts/bootstrap"),
        (SCRIPTS, "PyQt5", "apt-get install python3-pyqt5"),
        (DISTRIBUTION, "onnxruntime", "apt-get install python3-onnxruntime"),
        (DISTRIBUTION, "tqdm", "DIR/bin/pip install tqdm"),
        (DISTRIBUTION, "torch", "DIR/bin/pip install 'torch>=2.1'"),
        (DISTRIBUTION, "sigmf", "DIR/bin/pip install sigmf"),
    ],
)
def test_a_library_is_added_by_what_the_installation_takes(monkeypatch, where, module, command):
    offers(monkeypatch, {"python3-onnxruntime": "1.21", "python3-torch": "1.13"})
    advice = where.how_to_add(module)
    assert command in advice
    assert where.takes_pip or f"{where.python} -m pip" not in advice


def test_what_is_missing_is_added_by_as_few_commands_as_there_can_be(monkeypatch):
    offers(monkeypatch, {"python3-tqdm": "4", "python3-tabulate": "0.8", "python3-pydantic": "1.10"})
    wanted = ["tqdm", "pydantic", "tabulate", "onnxruntime"]
    by_apt, by_pip = DISTRIBUTION.commands_to_add(wanted)
    assert by_apt == "apt-get install python3-tqdm python3-tabulate"
    assert "no package of pydantic 2, onnxruntime" in by_pip
    assert "DIR/bin/pip install 'pydantic>=2' onnxruntime" in by_pip
    (alone,) = replace(PIP_ALONE, has_metadata=False).commands_to_add(wanted)
    assert alone.endswith("-m pip install tqdm 'pydantic>=2' tabulate onnxruntime")


def test_a_library_that_is_too_old_is_named_with_its_version(monkeypatch):
    """As with the packages of Debian 12."""
    offers(monkeypatch, {})
    monkeypatch.setattr(installation.metadata, "version", lambda name: "1.10.4")
    monkeypatch.setattr(installation, "current", lambda: DISTRIBUTION)
    assert "pydantic" in installation.missing_libraries()
    assert "pydantic 2 or newer; 1.10.4 is installed" in installation.missing("this command", "pydantic")


def test_nothing_is_missing_where_all_is_there_and_sigmf_may_be(monkeypatch):
    assert installation.missing_libraries() == []
    find = installation.find_spec
    monkeypatch.setattr(installation, "find_spec", lambda name: None if name in ("sigmf", "tqdm") else find(name))
    assert installation.missing_libraries() == ["tqdm"]


def test_gnu_radio_is_offered_to_a_python_that_can_have_it_and_others_get_the_way_there():
    assert SCRIPTS.how_to_add_package("gr-osmosdr") == "apt-get install gr-osmosdr"
    assert "--system-site-packages" in PIP_ALONE.how_to_add_package("gnuradio")
    assert "apt-get" not in replace(PIP_ALONE, has_apt=False).how_to_add_package("gnuradio")


@pytest.mark.parametrize("has_apt", [True, False])
def test_qt_without_the_systems_libraries_is_not_installed_again(monkeypatch, has_apt):
    monkeypatch.setattr(installation, "current", lambda: replace(PIP_ALONE, has_apt=has_apt))
    error = ImportError("libgthread-2.0.so.0: cannot open shared object file: No such file or directory")
    advice = installation.how_to_load_qt("PyQt5", error)
    assert "libqt5gui5" in advice and " pip " not in advice and ("apt-get" in advice) is has_apt
    assert "pip install" in installation.how_to_load_qt("PyQt5", ModuleNotFoundError("No module named 'PyQt5'"))


def test_this_installation_is_described():
    here = installation.current()
    assert here.kind in (Kind.SCRIPTS, Kind.SOURCE)
    assert here.python == Path(sys.executable)
    assert here.kind.value in here.describe()


def test_a_command_whose_library_is_missing_says_how_to_add_it_here(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(installation, "current", lambda: PIP_ALONE)
    monkeypatch.setitem(sys.modules, "torch", None)
    for name in [name for name in sys.modules if name.startswith("rpmsn.training.train")]:
        monkeypatch.delitem(sys.modules, name)
    assert main(["train", "rpmsn-rt"]) == 1
    said = capsys.readouterr().err
    assert "torch" in said and "pip install 'gr-rpmsn[torch]'" in said and "Traceback" not in said
