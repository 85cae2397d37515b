# SPDX-License-Identifier: GPL-3.0-or-later
"""A program that watches spectrum sends nothing, and keeps nothing about its user.

Commands run in a process of their own with an empty home folder. Python's audit events show what Python code does;
what native code does shows `strace`, where it is installed.
"""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from limits import PROCESS_S

from rpmsn import runtimes
from rpmsn.models.model import load_model

PACKAGES = Path(__file__).resolve().parents[1] / "python"
LIBRARIES = ("torch", "onnxruntime", "openvino")
CALLS = ("socket", "connect", "bind", "sendto")

SESSION = """
import json, sys

def note(event, arguments):
    if event.split(".")[0] == "socket" and event != "socket.gethostname":
        print("SOCKET", event, arguments[1:], flush=True)

sys.addaudithook(note)
from rpmsn.cli.main import main
for command in json.loads(sys.argv[1]):
    print("COMMAND", *command, flush=True)
    try:
        code = main(command)
    except SystemExit as ended:
        code = ended.code
    print("CODE", code or 0, flush=True)
"""
LISTING = [["info"], ["bench", "--help"], ["doctor"]]


def run(folder, commands, code=SESSION):
    """Run commands in one process that has an empty home folder.

    Returns:
        (what it printed, calls of the system for the network or None without strace, files in the home folder).
    """
    home, trace = folder / "home", folder / "trace"
    home.mkdir()
    unset = ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "ORT_DISABLE_TELEMETRY", "CI")
    environment = {key: value for key, value in os.environ.items() if key not in unset}
    tracer = [shutil.which("strace") or "strace", "-f", "-qq", "-e", "trace=" + ",".join(CALLS), "-o", str(trace)]
    if not shutil.which("strace") or subprocess.run([*tracer, "true"], capture_output=True).returncode:
        tracer = []
    ended = subprocess.run(
        [*tracer, sys.executable, "-c", code, json.dumps(commands)],
        env=dict(environment, HOME=str(home), PYTHONPATH=str(PACKAGES)),
        text=True,
        capture_output=True,
        timeout=280,
    )
    assert ended.returncode == 0, ended.stderr
    # Local ones, to the system's name service for example, send nothing.
    calls = [line for line in trace.read_text().splitlines() if "AF_INET" in line] if tracer else None
    files = [path.relative_to(home).as_posix() for path in home.rglob("*") if not path.is_dir()]
    return ended.stdout, calls, sorted(files)


@pytest.fixture(scope="module")
def annotated(tmp_path_factory):
    """`annotate` with every library that is installed, and with the fastest."""
    folder = tmp_path_factory.mktemp("annotated")
    recording = folder / "noise.bin"
    np.random.default_rng(1).integers(-20, 20, 2 * 400_000, np.int8).tofile(recording)
    model = load_model()
    names = [name for name in LIBRARIES if runtimes.why_not(name, model) is None]
    given = ["--format", "ci8", "--sample-rate", "5e6", "--workers", "2", "--quiet", "--overwrite"]
    output = str(folder / "out.sigmf-meta")
    return run(
        folder,
        [
            ["annotate", str(recording), *given, "--output", output, "--runtime", name]
            for name in [*names, runtimes.AUTO]
        ],
    )


@pytest.fixture(scope="module")
def listed(tmp_path_factory):
    """Commands that list what is installed."""
    return run(tmp_path_factory.mktemp("listed"), LISTING)


def test_annotate_opens_no_socket_with_any_runtime(annotated):
    text, calls, _ = annotated
    assert text.count("CODE 0") == text.count("COMMAND annotate") >= 2
    assert "SOCKET" not in text and not calls


def test_annotate_keeps_the_runtime_and_what_it_compiled_in_the_home_folder_and_nothing_else(annotated):
    files = annotated[2]
    kept = r"\.cache/rpmsn/(runtimes/[0-9a-f]+\.json|compiled/[0-9a-f]+\.bin)"
    assert [name for name in files if not re.fullmatch(kept, name)] == []


def test_commands_that_list_what_is_installed_open_no_socket_and_keep_nothing(listed):
    text, calls, files = listed
    assert text.count("\nCODE") == len(LISTING)
    assert "SOCKET" not in text and not calls and files == []


def test_a_socket_would_be_seen(tmp_path):
    code = SESSION.split("from rpmsn")[0] + "import socket; socket.getaddrinfo('127.0.0.1', 1); socket.socket()"
    text, calls, _ = run(tmp_path, [], code)
    assert "SOCKET socket.getaddrinfo" in text and (calls is None or "AF_INET" in " ".join(calls))


def test_libraries_that_have_telemetry_are_loaded_in_one_place_only():
    """A direct import would switch it on again."""
    found = []
    for path in PACKAGES.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom) and not node.level
                else []
            )
            found += [path.name for name in names if name.split(".")[0] in ("onnxruntime", "openvino")]
    # Parts of it, after `load`.
    assert found == ["export.py"]


def test_what_libraries_would_send_is_refused_in_this_process():
    code = (
        "import os, sys\n"
        "from rpmsn.runtimes.libraries import load\n"
        "os.environ['ORT_DISABLE_TELEMETRY'] = '0'\n"
        "load('numpy')\n"
        "assert os.environ['ORT_DISABLE_TELEMETRY'] == '1'\n"
        "try:\n"
        "    import openvino_telemetry\n"
        "except ImportError:\n"
        "    print('refused')\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code],
        env=dict(os.environ, PYTHONPATH=str(PACKAGES)),
        text=True,
        capture_output=True,
        timeout=PROCESS_S,
    )
    assert ended.stdout == "refused\n", ended.stderr
