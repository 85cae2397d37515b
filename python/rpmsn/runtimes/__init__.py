# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs a network: images in, class probabilities out. One interface (`Runtime`), several libraries behind it.

`base` (the interface), `libraries` (loads them without their telemetry) -> `torch_runtime`, `onnx_runtime`,
`openvino_runtime` (one library each) -> `fastest` (picks one). No library is loaded before a runtime that needs it is
made.
"""

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from .. import installation
from ..errors import MissingLibraryError, ModelError, ParameterError, RpmsnError
from .base import DEFAULT_THREADS, Runtime, first_use
from .libraries import multiplies

if TYPE_CHECKING:
    from ..models.model import Model

LEAST_ADDRESS_SPACE = 1_500_000_000
"""Bytes; measured: at 1.2 GB all is well, at 1.05 GB some runs hang."""

BFLOAT16_FEATURES = {"avx512_bf16", "amx_bf16", "bf16"}
"""CPU features of which bfloat16 needs one: without, it is slower than float32."""

__all__ = [
    "AUTO",
    "DEFAULT_THREADS",
    "KINDS",
    "Kind",
    "Runtime",
    "available",
    "check_name",
    "create",
    "first_use",
    "why_not",
]

AUTO = "auto"
"""Name that stands for the fastest runtime there is."""


@dataclass(frozen=True)
class Kind:
    """A way to run a model.

    Attributes:
        library: what has to be installed, by the name that Python imports.
        module, class_name: where its `Runtime` is.
        export: which file of the card it reads (a key of `ModelCard.exports`); None for the weights themselves.
    """

    library: str
    module: str
    class_name: str
    export: str | None = None


KINDS = {
    "torch": Kind("torch", "torch_runtime", "TorchRuntime"),
    "torch-bf16": Kind("torch", "torch_runtime", "TorchRuntime"),
    "cuda": Kind("torch", "torch_runtime", "CudaRuntime"),
    "onnxruntime": Kind("onnxruntime", "onnx_runtime", "OnnxRuntime", "onnx"),
    "onnxruntime-int8": Kind("onnxruntime", "onnx_runtime", "OnnxRuntime", "onnx-int8"),
    "openvino": Kind("openvino", "openvino_runtime", "OpenVinoRuntime", "onnx"),
    "openvino-int8": Kind("openvino", "openvino_runtime", "OpenVinoRuntime", "onnx-int8"),
}
"""Name of a runtime -> what it is. Those with `bf16` or `int8` compute in that, `cuda` in half precision, all others in
float32."""


def check_name(name: str) -> None:
    """Raise a ParameterError unless `name` is `auto` or a runtime."""
    if name != AUTO and name not in KINDS:
        raise ParameterError(
            f"runtime is {name!r}, but {AUTO}, {', '.join(KINDS)} are allowed; "
            "`rpmsn doctor` lists those that are installed"
        )


def available(model: "Model") -> list[str]:
    """Names of the runtimes that can run a model here, in the order of `KINDS`.

    Args:
        model: rpmsn.models.model.Model.
    """
    return [name for name in KINDS if why_not(name, model) is None]


def why_not(name: str, model: "Model") -> RpmsnError | None:
    """Why a runtime cannot run a model here: an error to raise, whose message names the next step; None if it can."""
    kind = KINDS[name]
    if not _is_installed(kind.library):
        return MissingLibraryError(installation.missing(f"runtime {name!r}", kind.library))
    if kind.export is None:
        if not (model.folder / model.card.weights).exists():
            return ModelError(
                f"weights {model.folder / model.card.weights} of model {model.card.name!r} are missing; "
                "restore card and weights together"
            )
        if name == "torch-bf16" and not multiplies(BFLOAT16_FEATURES):
            return ModelError(
                f"runtime {name!r} needs a CPU that multiplies bfloat16, and this one does not; choose torch instead"
            )
        return _why_no_gpu() if name == "cuda" else None
    if kind.export not in model.card.exports:
        able = [other for other in KINDS if KINDS[other].export in (None, *model.card.exports)]
        there = [other for other in able if why_not(other, model) is None]
        return ModelError(
            f"runtime {name!r} needs the file {kind.export!r} of model {model.card.name!r}, and its card "
            f"lists none; make it with `rpmsn export`"
            + (f", or choose another runtime: {', '.join(there)}" if there else "")
        )
    path = model.export_path(kind.export)
    if not path.exists():
        return ModelError(
            f"{path}, which the card of model {model.card.name!r} lists, is missing; make it again with `rpmsn export`"
        )
    return None


def _check_memory_limit() -> None:
    """Where libraries get no more memory, some end the process (SIGSEGV), and OpenBLAS waits for it without end."""
    try:
        import resource
    except ImportError:  # Windows
        return
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY and limit < LEAST_ADDRESS_SPACE:
        raise ModelError(
            f"the address space of this process is limited to {limit / 1e9:.1f} GB, and the analysis needs "
            f"{LEAST_ADDRESS_SPACE / 1e9:g} GB: raise the limit (ulimit -v)"
        )


def create(model: "Model", name: str = AUTO, threads: int = DEFAULT_THREADS) -> Runtime:
    """Make a runtime for a model, and its first inference: workers that share the work find it warm.

    Args:
        model: rpmsn.models.model.Model.
        name: a key of `KINDS`, or `auto` for the fastest one there is: found by a short trial at first use, and
            remembered in the user's cache folder (`fastest`).
        threads: that the runtime may use on the CPU.

    Returns:
        Runtime.

    Raises:
        ParameterError: no such runtime, or fewer than one thread.
        MissingLibraryError: its library is not installed.
        ModelError: its file is missing, damaged, does not agree with the card, or cannot be run; or the process may not
            use enough memory.
    """
    check_name(name)
    if threads < 1:
        raise ParameterError(f"threads is {threads}, but at least 1 is allowed")
    _check_memory_limit()
    if name == AUTO:
        from .fastest import fastest

        return fastest(model, threads)
    if (error := why_not(name, model)) is not None:
        raise error
    kind = KINDS[name]
    with first_use(f"runtime {name!r}"):
        runtime = getattr(import_module(f".{kind.module}", __name__), kind.class_name)(model, name, threads)
        try:
            runtime.warm_up()
        except Exception as error:  # the libraries' classes of error share no base but this one
            raise ModelError(
                f"runtime {name!r} cannot run model {model.card.name!r}: {error}; choose another runtime, "
                "`rpmsn doctor` lists those that are installed"
            ) from error
    return runtime


def _is_installed(library: str) -> bool:
    """Whether Python finds a library; it is not loaded."""
    try:
        return find_spec(library) is not None
    except ImportError:
        return False


def _why_no_gpu() -> ModelError | None:
    """The error of runtime `cuda` where torch finds no GPU. Without a device file, torch need not be loaded to know."""
    if any(Path("/dev").glob("nvidia[0-9]*")) or Path("/dev/dxg").exists():
        import torch

        if torch.cuda.is_available():
            return None
    return ModelError(
        "runtime 'cuda' needs an NVIDIA GPU and a torch that is built for it, and torch finds none; "
        "choose another runtime, such as torch"
    )
