# SPDX-License-Identifier: GPL-3.0-or-later
"""`rpmsn doctor`: what is there, what is missing, and the next step for each."""

import argparse
import importlib
import importlib.util
import os
import platform
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from .. import installation
from ..errors import RpmsnError
from ..radios.findings import soapy_drivers
from . import companion

MARKS = {"ok": "ok     ", "optional": "-      ", "missing": "MISSING"}
CHILD_SECONDS = 120.0
"""Longest time for an import in a process of its own; a cold disk and a loaded machine need a minute for torch."""
FEATURES = ("avx2", "avx512f", "avx512_vnni", "amx_int8", "asimd")


@dataclass(frozen=True)
class Finding:
    """One thing looked at.

    Attributes:
        state: `ok`, `optional` (not there, and not needed for everything) or `missing`.
        name: what was looked at.
        detail: what was found.
        next_step: what to do, where it is not ok.
    """

    state: str
    name: str
    detail: str
    next_step: str = ""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "doctor",
        help="what is installed, what is missing, and what to do about it",
        description="Checks what gr-rpmsn needs and says what to do where something is "
        "missing. Exit status 1 if something needed is missing.",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print all findings; returns 1 if something needed is missing."""
    findings = examine()
    for finding in findings:
        print(f"{MARKS[finding.state]}  {finding.name:<22}{finding.detail}")
        if finding.state != "ok" and finding.next_step:
            print(f"{'':9}{'':22}-> {finding.next_step}")
    missing = [finding.name for finding in findings if finding.state == "missing"]
    print(f"{len(missing)} needed and missing: {', '.join(missing)}" if missing else "Everything needed is there.")
    return 1 if missing else 0


def examine() -> list[Finding]:
    """Look at everything; returns a list of Finding."""
    return [
        _python(),
        _installation(),
        *_libraries(),
        *_qt(),
        _zmq(),
        *_runtimes(),
        *_models(),
        _processor(),
        _blocks(),
        *_gnuradio(),
        _screen(),
    ]


def _version(module):
    return getattr(module, "__version__", "version unknown")


def _import(name):
    """The module, or the error as text."""
    try:
        return importlib.import_module(name), ""
    except Exception as error:  # a broken binary package can raise anything
        return None, f"{type(error).__name__}: {error}".splitlines()[0]


def _load(name):
    """The same for a library that runs networks: without its telemetry."""
    from ..runtimes.libraries import load

    try:
        return load(name), ""
    except Exception as error:  # as above
        return None, f"{type(error).__name__}: {error}".splitlines()[0]


def _python():
    detail = f"{platform.python_version()} ({sys.executable})"
    return Finding("ok", "Python", detail)


def _in_child(code):
    """What a Python of its own prints for `code`, or what went wrong there, as text: a crash is a sentence here."""
    try:
        child = subprocess.run(
            [sys.executable, "-c", code],
            check=False,
            text=True,
            capture_output=True,
            timeout=CHILD_SECONDS,
            env=_child_environment(),
        )
    except subprocess.TimeoutExpired:
        return "", f"does not answer within {CHILD_SECONDS:g} s"
    if child.returncode < 0:
        return "", f"Python crashes ({signal.Signals(-child.returncode).name}) {child.stderr}"
    if child.returncode:
        return "", child.stderr.strip() or f"exit status {child.returncode}"
    return child.stdout.strip(), ""


def _child_environment():
    """Our environment, with the folders where this Python finds packages."""
    return dict(os.environ, PYTHONPATH=os.pathsep.join(folder for folder in sys.path if folder))


def _is_installed(name):
    try:
        return importlib.util.find_spec(name) is not None
    except ImportError:
        return False


def _installation():
    return Finding("ok", "installation", installation.current().describe())


def _libraries():
    """What every installation needs, and what it can do without."""
    for name, library in installation.LIBRARIES.items():
        if library.extra or name == "onnxruntime":
            continue
        module, error = _import(name)
        if module and name == "scipy":
            _, error = _import("scipy.fft")  # compiled, and for one generation of numpy
        if module and installation.is_too_old(name):
            step = installation.how_to_add(name)
            yield Finding("missing", name, f"{_version(module)}, but {library.oldest} or newer is needed", step)
        elif not error:
            yield Finding("ok", name, _version(module))
        elif module is None:
            yield Finding("optional" if library.is_optional else "missing", name, error, installation.how_to_add(name))
        else:
            yield _misfit(name, error)


def _gnuradio():
    """GNU Radio, and the parts of it that open radios; without it there is nothing to say of them."""
    if not _is_installed("gnuradio.gr"):
        advice = f"{installation.how_to_add_package('gnuradio')}; recordings, publishers and `rpmsn annotate` need none"
        yield Finding("optional", "GNU Radio", "not there for this Python: no radios, no blocks", advice)
        return
    version, error = _in_child("from gnuradio import gr; print(gr.version())")
    if error:
        yield _misfit("GNU Radio", error)
        return
    if not version.lstrip("v").startswith("3.10"):
        yield Finding("missing", "GNU Radio", f"{version}, but 3.10 is needed", "install GNU Radio 3.10")
        return
    yield Finding("ok", "GNU Radio", version)
    yield _companion()
    yield from _drivers()


def _misfit(name, error):
    """Something is there and cannot be imported. What was compiled against numpy 1 does not run with numpy 2."""
    last = error.splitlines()[-1]
    numpy, _ = _import("numpy")
    if numpy is None or "numpy" not in error.lower():
        return Finding("missing", name, last, "install it again")
    detail = f"it was built for another numpy than {numpy.__version__} ({Path(numpy.__file__).parent}): {last}"
    step = "remove that numpy, so that the one that the others were built for is found"
    if installation.current().takes_pip:
        step += f": {sys.executable} -m pip uninstall numpy"
    return Finding("missing", name, detail, step)


def _qt():
    os.environ.setdefault("PYQTGRAPH_QT_LIB", "PyQt5")
    for name, module_name in (("PyQt5", "PyQt5.QtWidgets"), ("pyqtgraph", "pyqtgraph")):
        module, error = _import(module_name)
        yield (
            Finding("ok", name, module.__dict__.get("__version__", "there"))
            if module
            else Finding(
                "optional", name, error, f"{installation.how_to_load_qt(name, error)}; only the waterfall needs it"
            )
        )


def _zmq():
    module, error = _import("zmq")
    return (
        Finding("ok", "pyzmq", module.__version__)
        if module
        else Finding("optional", "pyzmq", error, f"{installation.how_to_add('zmq')}; only publishing needs it")
    )


def _runtimes():
    """What can run a network. One of them is enough for the models that have files for it."""
    if (error := _import("rpmsn.runtimes.libraries")[1]) != "":
        yield Finding("missing", "runtimes", f"cannot be read: {error}", "mend what is missing above")
        return
    needed = _needed_runtime()
    for name in ("onnxruntime", "openvino"):
        module, error = _load(name)
        if module:
            yield Finding("ok", f"runtime {name}", f"{_version(module)}; also as {name}-int8{_int8_remark()}")
        else:
            step = f"{installation.how_to_add(name)}; it runs models that have ONNX files"
            yield Finding("missing" if name == needed else "optional", f"runtime {name}", error, step)
    version, error = _torch()
    if error:
        step = f"{installation.how_to_add('torch')}; training, export and models without ONNX files need it"
        yield Finding("missing" if needed == "torch" else "optional", "runtime torch", error, step)
        return
    yield Finding("ok", "runtime torch", version.splitlines()[0])
    gpu = version.splitlines()[1:]
    yield (
        Finding("ok", "runtime cuda", gpu[0])
        if gpu
        else Finding("optional", "runtime cuda", "no NVIDIA GPU that torch can use")
    )


def _torch():
    """Version of torch and, in a second line, name of the GPU that it can use; or why it cannot be imported."""
    if not _is_installed("torch"):
        return "", "not installed"
    code = "import torch; print(torch.__version__); torch.cuda.is_available() and print(torch.cuda.get_device_name())"
    version, error = _in_child(code)
    return version, error and error.splitlines()[-1]


def _needed_runtime():
    """The library that is needed because a model that ships runs on nothing that is here; None if all run."""
    model_module, _ = _import("rpmsn.models.model")
    runtimes, _ = _import("rpmsn.runtimes")
    if model_module is None or runtimes is None:
        return "onnxruntime"
    try:
        for model in map(model_module.load_model, model_module.available_models()):
            if not runtimes.available(model):
                return "onnxruntime" if model.card.exports else "torch"
    except RpmsnError:
        pass  # said where the models are looked at
    return None


def _int8_remark():
    """What to know of int8 on this CPU."""
    module, _ = _import("rpmsn.runtimes.fastest")
    return "" if module is None or module.has_int8_unit() else " (slow and inexact here: this CPU has no unit for it)"


def _models():
    model_module, error = _import("rpmsn.models.model")
    if model_module is None:
        yield Finding("missing", "models", f"cannot be read: {error}", "mend what is missing above")
        return
    names = model_module.available_models()
    if not names:
        yield Finding("missing", "models", "none", "install gr-rpmsn again; rpmsn/models is empty")
    for name in names:
        try:
            yield Finding("ok", f"model {name}", _check_model(model_module.load_model(name)))
        except (RpmsnError, ImportError) as error:
            yield Finding("missing", f"model {name}", str(error), "install gr-rpmsn again")


def _check_model(model):
    """Read every file of a model; returns what it is, in words."""
    from .. import runtimes as all_runtimes

    runtimes = all_runtimes.available(model)
    if "torch" in runtimes or not model.card.exports:
        model.weights()
    for key in model.card.exports:
        model.exported(key)
    fault = all_runtimes.why_not("onnxruntime" if model.card.exports else "torch", model)
    if not runtimes and fault is not None:
        raise fault
    return f"version {model.card.version}, {', '.join(model.card.classes)}; runs on {', '.join(runtimes)}"


def _processor():
    try:
        flags = set(Path("/proc/cpuinfo").read_text().split())
    except OSError:
        flags = set()
    there = [feature for feature in FEATURES if feature in flags]
    units = " ".join(there) or "no vector unit known"
    return Finding("ok", "processor", f"{os.cpu_count()} cores, {platform.machine()}, {units}")


def _blocks():
    folder = companion.block_path()
    if folder is None:
        return Finding("optional", "GRC blocks", "not found", "install gr-rpmsn again")
    return Finding("ok", "GRC blocks", f"{folder} (`rpmsn grc` sets GRC_BLOCKS_PATH)")


def _companion():
    program = shutil.which("gnuradio-companion")
    if program is None:
        return Finding("optional", "GNU Radio Companion", "not found", installation.how_to_add_package("gnuradio"))
    if fault := companion.gtk_fault():
        return Finding(
            "optional",
            "GNU Radio Companion",
            f"{program}, without GTK 3 ({fault})",
            installation.how_to_add_package(companion.GTK_PACKAGE),
        )
    return Finding("ok", "GNU Radio Companion", f"{program} (start it with `rpmsn grc`)")


def _drivers():
    """UHD, SoapySDR and gr-osmosdr: whether GNU Radio can open a USRP or an RTL-SDR."""
    package = installation.how_to_add_package
    _, error = _in_child("import gnuradio.uhd")
    yield (
        Finding("optional", "USRP (gr-uhd)", error.splitlines()[-1], package("gnuradio uhd-host"))
        if error
        else Finding("ok", "USRP (gr-uhd)", "there; `uhd_find_devices` lists devices")
    )
    _, error = _in_child("import gnuradio.soapy")
    if error:
        yield Finding("optional", "SoapySDR (gr-soapy)", error.splitlines()[-1], package("gnuradio"))
        return
    drivers = soapy_drivers()
    yield Finding(
        "ok", "SoapySDR (gr-soapy)", f"drivers: {', '.join(drivers) or 'none listed'}; `rpmsn devices` lists devices"
    )
    if drivers and "rtlsdr" not in drivers:
        yield Finding("optional", "RTL-SDR driver", "not found", package("soapysdr-module-rtlsdr"))
    yield (
        Finding("ok", "gr-osmosdr", "there; opens rtl_tcp=HOST:PORT")
        if _is_installed("osmosdr")
        else Finding("optional", "gr-osmosdr", "not found; opens rtl_tcp=HOST:PORT", package("gr-osmosdr"))
    )


def _screen():
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        return Finding("ok", "screen", os.environ.get("DISPLAY") or os.environ["WAYLAND_DISPLAY"])
    return Finding(
        "optional", "screen", "none (DISPLAY is not set)", "windows need one; Xvfb makes one: xvfb-run -a COMMAND"
    )
