# SPDX-License-Identifier: GPL-3.0-or-later
"""How this copy of gr-rpmsn is installed, and the command that adds a library to such an installation.

What an error or `rpmsn doctor` advises has to work here: a virtual environment takes packages from pip, the Python of
the distribution refuses them (PEP 668) and takes those of the distribution, and only a Python that sees the packages of
the distribution can have GNU Radio.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

NAME = "gr-rpmsn"
PACKAGE = Path(__file__).resolve().parent
BOOTSTRAP = PACKAGE.parents[1] / "scripts" / "bootstrap"
"""Where the script is in a source tree."""
SYSTEM_PYTHON = Path("/usr/bin/python3")
"""The Python that the distribution builds GNU Radio for."""
APT_SECONDS = 10.0


class Kind(Enum):
    """Ways to install gr-rpmsn."""

    SCRIPTS = "source tree, with the environment that scripts/bootstrap made"
    SOURCE = "source tree"
    PIP = "pip"
    DISTRIBUTION = "package of the distribution"
    CMAKE = "CMake"


@dataclass(frozen=True)
class Library:
    """Where a library comes from.

    Attributes:
        pypi: its name for pip.
        extra: of gr-rpmsn that brings it; "" where gr-rpmsn always needs it.
        debian: package of Debian and Ubuntu, in the releases that have one; "" where there is none.
        oldest: version that works; "" for any that a distribution with GNU Radio 3.10 has.
        is_optional: whether all works without it, though gr-rpmsn brings it.
    """

    pypi: str
    extra: str = ""
    debian: str = ""
    oldest: str = ""
    is_optional: bool = False

    @property
    def is_needed(self) -> bool:
        """Whether nothing works without it."""
        return not (self.extra or self.is_optional)

    @property
    def requirement(self) -> str:
        """What pip is asked for."""
        return f"{self.pypi}>={self.oldest}" if self.oldest else self.pypi


LIBRARIES = {
    "numpy": Library("numpy", debian="python3-numpy"),
    "scipy": Library("scipy", debian="python3-scipy"),
    "onnxruntime": Library("onnxruntime", debian="python3-onnxruntime"),
    "sigmf": Library("sigmf", is_optional=True),
    "yaml": Library("pyyaml", debian="python3-yaml"),
    "PIL": Library("pillow", debian="python3-pil"),
    "pydantic": Library("pydantic", debian="python3-pydantic", oldest="2"),
    "platformdirs": Library("platformdirs", debian="python3-platformdirs"),
    "tabulate": Library("tabulate", debian="python3-tabulate"),
    "threadpoolctl": Library("threadpoolctl", debian="python3-threadpoolctl"),
    "tqdm": Library("tqdm", debian="python3-tqdm"),
    "numba": Library("numba", "fast", "python3-numba"),
    "openvino": Library("openvino", "openvino"),
    "torch": Library("torch", "torch", "python3-torch", "2.1"),
    "safetensors": Library("safetensors", "torch", "python3-safetensors"),
    "onnx": Library("onnx", "export", "python3-onnx"),
    "tensorboard": Library("tensorboard", "training"),
    "matplotlib": Library("matplotlib", "evaluation", "python3-matplotlib"),
    "segmentation_models_pytorch": Library("segmentation-models-pytorch", "experiment"),
    "PyQt5": Library("PyQt5", "gui", "python3-pyqt5"),
    "pyqtgraph": Library("pyqtgraph", "gui", "python3-pyqtgraph"),
    "zmq": Library("pyzmq", "publisher", "python3-zmq"),
    "ray": Library("ray", "archive", oldest="2.40"),
    "pyarrow": Library("pyarrow", "archive"),
    "duckdb": Library("duckdb", "archive"),
    "fsspec": Library("fsspec", "archive", "python3-fsspec"),
    "s3fs": Library("s3fs", "archive"),
}
"""Every library that gr-rpmsn can use, by the name that Python imports."""


@dataclass(frozen=True)
class Installation:
    """An installation, and the Python that runs it.

    Attributes:
        kind: how gr-rpmsn was installed.
        python: path of the Python.
        takes_pip: whether pip may install into it.
        has_metadata: whether pip knows gr-rpmsn there, and so its extras.
        sees_distribution: whether it imports the Python packages of the distribution, such as GNU Radio.
        has_apt: whether the distribution installs with apt.
    """

    kind: Kind
    python: Path
    takes_pip: bool
    has_metadata: bool
    sees_distribution: bool
    has_apt: bool

    def describe(self) -> str:
        """One line for a person."""
        if self.kind is Kind.SCRIPTS:
            return f"{self.kind.value} ({PACKAGE.parents[1]})"
        if self.kind is Kind.PIP and self.takes_pip and sys.prefix != sys.base_prefix:
            return f"pip, in the virtual environment {sys.prefix}"
        return f"{self.kind.value} ({PACKAGE})"

    def how_to_add(self, module: str) -> str:
        """What to do so that `module`, by the name that Python imports, is there: a command, or a sentence."""
        library = LIBRARIES.get(module, Library(module))
        if self.takes_pip and self.sees_distribution and library.extra == "gui" and self.has_apt:
            return f"apt-get install {library.debian}"  # GNU Radio's own Qt
        if self.kind is Kind.SCRIPTS and module in LIBRARIES:
            return f"{_shown(BOOTSTRAP)} {library.extra}".rstrip()
        return self.commands_to_add([module])[0]

    def commands_to_add(self, modules: Sequence[str]) -> list[str]:
        """Commands, or sentences, by which all of `modules` are there."""
        libraries = [LIBRARIES.get(module, Library(module)) for module in modules]
        if self.takes_pip:
            return [f"{_shown(self.python)} -m pip install {' '.join(map(self._wanted_of_pip, libraries))}"]
        offered = [one for one in libraries if self.has_apt and one.debian and _apt_offers(one.debian, one.oldest)]
        others = [one for one in libraries if one not in offered]
        commands = []
        if offered:
            commands.append(f"apt-get install {' '.join(one.debian for one in offered)}")
        if others:
            wanted = ", ".join(f"{one.pypi} {one.oldest}".rstrip() for one in others)
            requirements = " ".join(shlex.quote(one.requirement) for one in others)
            commands.append(
                f"this distribution has no package of {wanted}: make an environment that sees the others, "
                f"{self.python} -m venv --system-site-packages DIR, then DIR/bin/pip install {requirements}, "
                "and start with DIR/bin/python -m rpmsn.cli"
            )
        return commands

    def _wanted_of_pip(self, library: Library) -> str:
        is_extra = library.extra and self.has_metadata
        return shlex.quote(f"{NAME}[{library.extra}]" if is_extra else library.requirement)

    def how_to_add_libraries(self, package: str) -> str:
        """What to do for libraries of the system that come with `package`, by Debian's name."""
        return f"apt-get install {package}" if self.has_apt else f"install {package} (Debian's name)"

    def how_to_add_package(self, package: str) -> str:
        """What to do for GNU Radio or a part of it: `package` is Debian's name, such as `gr-osmosdr`."""
        if not self.has_apt:
            return f"install {package} (Debian's name) with the packages of your system"
        if self.sees_distribution:
            return f"apt-get install {package}"
        return (
            f"GNU Radio works with the Python of the distribution only, whose packages {_shown(self.python)} does not "
            f"see: apt-get install {package}, and install gr-rpmsn into an environment that does, made by "
            f"{SYSTEM_PYTHON} -m venv --system-site-packages DIR"
        )


@cache
def current() -> Installation:
    """The installation that runs now."""
    in_environment = sys.prefix != sys.base_prefix
    return Installation(
        kind=_kind(),
        python=Path(sys.executable),
        takes_pip=in_environment or not (Path(sysconfig.get_path("stdlib")) / "EXTERNALLY-MANAGED").exists(),
        has_metadata=_has_metadata(),
        sees_distribution=any(Path(folder) == Path("/usr/lib/python3/dist-packages") for folder in sys.path),
        has_apt=shutil.which("apt-get") is not None,
    )


def how_to_add(module: str) -> str:
    """What to do here so that `module`, by the name that Python imports, is there."""
    return current().how_to_add(module)


def how_to_load_qt(module: str, error: object) -> str:
    """What to do here where PyQt5 or pyqtgraph cannot be imported: add it, or what it needs of the system."""
    if "cannot open shared object file" not in str(error):
        return how_to_add(module)
    # PyQt5 of pip brings Qt, but not what Qt needs; the distribution's Qt does.
    return f"{current().how_to_add_libraries('libqt5gui5')}; with it the system's libraries come that Qt needs"


def how_to_add_package(package: str) -> str:
    """What to do here for GNU Radio or a part of it, by Debian's name."""
    return current().how_to_add_package(package)


def commands_to_add(modules: Sequence[str]) -> list[str]:
    """Commands, or sentences, by which all of `modules`, by the names that Python imports, are there."""
    return current().commands_to_add(modules)


def missing_libraries() -> list[str]:
    """Libraries without which nothing works, by the names that Python imports, that are not there or too old."""
    needed = [name for name, library in LIBRARIES.items() if library.is_needed]
    return [name for name in needed if find_spec(name) is None or is_too_old(name)]


def is_too_old(module: str) -> bool:
    """Whether a library that is there is older than what works; False where its version cannot be found out."""
    library = LIBRARIES[module]
    try:
        return _numbers(metadata.version(library.pypi)) < _numbers(library.oldest)
    except metadata.PackageNotFoundError:
        return False


def missing(what: str, module: str) -> str:
    """The sentence for an error: what needs a library that is not there or too old, and how to add it."""
    library = LIBRARIES.get(module, Library(module))
    fault = f", which is not installed; install it: {how_to_add(module)}"
    if module in LIBRARIES and is_too_old(module):
        fault = f" {library.oldest} or newer; {metadata.version(library.pypi)} is installed: {how_to_add(module)}"
    return f"{what} needs the Python package {library.pypi}{fault}"


def _kind():
    if BOOTSTRAP.exists():
        return Kind.SCRIPTS if Path(sys.prefix) == PACKAGE.parents[1] / ".venv" else Kind.SOURCE
    if PACKAGE.parent == Path("/usr/lib/python3/dist-packages"):
        return Kind.DISTRIBUTION
    return Kind.PIP if _has_metadata() else Kind.CMAKE


def _has_metadata():
    try:
        metadata.distribution(NAME)
    except metadata.PackageNotFoundError:
        return False
    return True


def _shown(python):
    """A path as one would type it here."""
    relative = os.path.relpath(python)
    return shlex.quote(str(python) if relative.startswith(os.pardir) else relative)


def _apt_offers(package, oldest):
    """Whether apt has a package that is new enough; asks apt's own lists, and no network."""
    try:
        asked = subprocess.run(
            ["apt-cache", "show", "--no-all-versions", package],
            check=False,
            text=True,
            capture_output=True,
            timeout=APT_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    version = re.search(r"^Version: (?:\d+:)?([\d.]+)", asked.stdout, re.MULTILINE)
    return version is not None and _numbers(version[1]) >= _numbers(oldest)


def _numbers(version):
    """A version as numbers to compare."""
    return tuple(int(number) for number in re.findall(r"\d+", version))
