# SPDX-License-Identifier: GPL-3.0-or-later
"""The libraries behind the runtimes, loaded so that they send nothing and say nothing that is not so.

OpenVINO reports its import to an analytics service, by the package `openvino_telemetry`, and keeps a client id and
counts in the home folder. Where that package cannot be imported it takes its own stand-in, which does nothing. ONNX
Runtime reports sessions and keeps a device id unless `ORT_DISABLE_TELEMETRY` is set before it is loaded (its
`Privacy.md`). So both are loaded here only.
"""

import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType

NOISE = b"Schema error: Trying to register schema"
"""Begin of lines without meaning: the ONNX Runtime of Debian 13 registers all 900 operators twice when it is loaded."""


def load(name: str) -> ModuleType:
    """Import a library that runs networks, with its telemetry switched off for this process and those it starts.

    Raises:
        ImportError: it is not installed, or broken.
    """
    # Set for every library: one may load another.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # Python's way to refuse an import
    with _without_noise():
        module = import_module(name)
    if name == "onnxruntime":
        # For a library that somebody else loaded before.
        module.disable_telemetry_events()
    return module


def processor() -> str:
    """Name of the CPU."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def multiplies(features: set[str]) -> bool:
    """Whether this CPU has one of some features, as Linux names them."""
    try:
        return bool(features & set(Path("/proc/cpuinfo").read_text().split()))
    except OSError:
        return False


@contextmanager
def _without_noise() -> Iterator[None]:
    """What is written to stderr (descriptor 2) meanwhile comes at the end, without `NOISE` and empty lines after it."""
    try:
        held = tempfile.TemporaryFile()  # noqa: SIM115 - closed below
    except OSError:  # no temporary folder, or a full one
        yield
        return
    try:
        stderr = os.dup(2)
    except OSError:  # closed, as of a daemon
        held.close()
        yield
        return
    with held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            held.seek(0)
            is_noise = False
            for line in held:
                is_noise = line.startswith(NOISE) or (is_noise and not line.strip())
                if not is_noise:
                    os.write(2, line)
