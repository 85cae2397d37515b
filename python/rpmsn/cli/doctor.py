# SPDX-License-Identifier: GPL-3.0-or-later
"""`rpmsn doctor`: what is there, what is missing, and the next step for each."""

import argparse
import importlib
import importlib.util
import os
import platform
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from ..errors import RpmsnError
from ..radios.findings import soapy_drivers
from . import companion

MARKS = {"ok": "ok     ", "optional": "-      ", "missing": "MISSING"}
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
        _numpy(),
        *_libraries(),
        _gnuradio(),
        *_qt(),
        _zmq(),
        *_runtimes(),
        *_models(),
        _processor(),
        _blocks(),
        _companion(),
        *_drivers(),
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
    libraries, error = _import("rpmsn.runtimes.libraries")
    if libraries is None:
        return None, error
    try:
        return libraries.load(name), ""
    except Exception as error:  # as above
        return None, f"{type(error).__name__}: {error}".splitlines()[0]


def _python():
    detail = f"{platform.python_version()} ({sys.executable})"
    return Finding("ok", "Python", detail)


def _numpy():
    module, error = _import("numpy")
    if module is None:
        return Finding("missing", "numpy", error, "scripts/bootstrap, or: pip install 'numpy<2'")
    if int(module.__version__.split(".")[0]) >= 2:
        return Finding(
            "missing", "numpy", f"{module.__version__}, but GNU Radio 3.10 needs numpy 1", "pip install 'numpy<2'"
        )
    return Finding("ok", "numpy", module.__version__)


def _libraries():
    for name in (
        "scipy",
        "yaml",
        "sigmf",
        "safetensors",
        "pydantic",
        "platformdirs",
        "threadpoolctl",
        "tqdm",
        "tabulate",
        "PIL",
    ):
        module, error = _import(name)
        yield (
            Finding("ok", name, _version(module)) if module else Finding("missing", name, error, "scripts/bootstrap")
        )


def _gnuradio():
    module, error = _import("gnuradio.gr")
    if module is None:
        return Finding(
            "optional",
            "GNU Radio",
            error,
            "apt-get install gnuradio, and make the virtual environment "
            "with /usr/bin/python3 and --system-site-packages (scripts/bootstrap does); "
            "`rpmsn annotate` works without",
        )
    version = module.version()
    if not version.lstrip("v").startswith("3.10"):
        return Finding("missing", "GNU Radio", f"{version}, but 3.10 is needed", "install GNU Radio 3.10")
    return Finding("ok", "GNU Radio", version)


def _qt():
    os.environ.setdefault("PYQTGRAPH_QT_LIB", "PyQt5")
    for name, module_name in (("PyQt5", "PyQt5.QtWidgets"), ("pyqtgraph", "pyqtgraph")):
        module, error = _import(module_name)
        yield (
            Finding("ok", name, module.__dict__.get("__version__", "there"))
            if module
            else Finding(
                "optional", name, error, f"apt-get install python3-{name.lower()}; only the waterfall needs it"
            )
        )


def _zmq():
    module, error = _import("zmq")
    return (
        Finding("ok", "pyzmq", module.__version__)
        if module
        else Finding("optional", "pyzmq", error, "apt-get install python3-zmq; only the publisher needs it")
    )


def _runtimes():
    """What can run a network. One of them is enough for the models that have files for it."""
    torch, error = _import("torch")
    yield (
        Finding("ok", "runtime torch", _version(torch))
        if torch
        else Finding(
            "optional" if _runs_without_torch() else "missing",
            "runtime torch",
            error,
            "scripts/bootstrap, or: pip install torch; `rpmsn train` needs it",
        )
    )
    if torch and torch.cuda.is_available():
        yield Finding("ok", "runtime cuda", torch.cuda.get_device_name())
    else:
        yield Finding("optional", "runtime cuda", "no NVIDIA GPU that torch can use")
    for name in ("onnxruntime", "openvino"):
        module, error = _load(name)
        yield (
            Finding("ok", f"runtime {name}", f"{_version(module)}; also as {name}-int8{_int8_remark()}")
            if module
            else Finding(
                "optional",
                f"runtime {name}",
                error,
                f"pip install {name}; it runs models that have ONNX files (`rpmsn export`)",
            )
        )


def _runs_without_torch():
    """Whether every model that ships has a runtime here."""
    model_module, _ = _import("rpmsn.models.model")
    runtimes, _ = _import("rpmsn.runtimes")
    if model_module is None or runtimes is None:
        return False
    try:
        return all(runtimes.available(model_module.load_model(name)) for name in model_module.available_models())
    except RpmsnError:
        return False


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
    from ..runtimes import available

    runtimes = available(model)
    if "torch" in runtimes or not runtimes:
        model.network()
    for key in model.card.exports:
        model.exported(key)
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
        return Finding("optional", "GRC blocks", "not found", "run from the source tree, or install with CMake or pip")
    return Finding("ok", "GRC blocks", f"{folder} (`rpmsn grc` sets GRC_BLOCKS_PATH)")


def _companion():
    program = shutil.which("gnuradio-companion")
    if program is None:
        return Finding("optional", "GNU Radio Companion", "not found", "apt-get install gnuradio")
    if fault := companion.gtk_fault():
        return Finding(
            "optional",
            "GNU Radio Companion",
            f"{program}, without GTK 3 ({fault})",
            f"apt-get install {companion.GTK_PACKAGE}",
        )
    return Finding("ok", "GNU Radio Companion", f"{program} (start it with `rpmsn grc`)")


def _drivers():
    """UHD, SoapySDR and gr-osmosdr: whether GNU Radio can open a USRP or an RTL-SDR."""
    module, error = _import("gnuradio.uhd")
    yield (
        Finding("ok", "USRP (gr-uhd)", "there; `uhd_find_devices` lists devices")
        if module
        else Finding("optional", "USRP (gr-uhd)", error, "apt-get install gnuradio uhd-host")
    )
    module, error = _import("gnuradio.soapy")
    if module is None:
        yield Finding("optional", "SoapySDR (gr-soapy)", error, "apt-get install gnuradio")
        return
    drivers = soapy_drivers()
    yield Finding(
        "ok", "SoapySDR (gr-soapy)", f"drivers: {', '.join(drivers) or 'none listed'}; `rpmsn devices` lists devices"
    )
    if drivers and "rtlsdr" not in drivers:
        yield Finding("optional", "RTL-SDR driver", "not found", "apt-get install soapysdr-module-rtlsdr")
    is_there = importlib.util.find_spec("osmosdr") is not None
    yield (
        Finding("ok", "gr-osmosdr", "there; opens rtl_tcp=HOST:PORT")
        if is_there
        else Finding("optional", "gr-osmosdr", "not found; opens rtl_tcp=HOST:PORT", "apt-get install gr-osmosdr")
    )


def _screen():
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        return Finding("ok", "screen", os.environ.get("DISPLAY") or os.environ["WAYLAND_DISPLAY"])
    return Finding(
        "optional", "screen", "none (DISPLAY is not set)", "windows need one; Xvfb makes one: xvfb-run -a COMMAND"
    )
