# SPDX-License-Identifier: GPL-3.0-or-later
"""The libraries behind the runtimes, loaded so that they send nothing.

OpenVINO reports its import to an analytics service, by the package `openvino_telemetry`, and keeps a client id and
counts in the home folder. Where that package cannot be imported it takes its own stand-in, which does nothing. ONNX
Runtime reports sessions and keeps a device id unless `ORT_DISABLE_TELEMETRY` is set before it is loaded (its
`Privacy.md`). So both are loaded here only.
"""

import os
import sys
from importlib import import_module
from types import ModuleType


def load(name: str) -> ModuleType:
    """Import a library that runs networks, with its telemetry switched off for this process and those it starts.

    Raises:
        ImportError: it is not installed, or broken.
    """
    # Set for every library: one may load another.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # Python's way to refuse an import
    module = import_module(name)
    if name == "onnxruntime":
        # For a library that somebody else loaded before.
        module.disable_telemetry_events()
    return module
