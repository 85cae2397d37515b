# SPDX-License-Identifier: GPL-3.0-or-later
"""The fastest runtime for a model on this machine: found by a short trial, then remembered.

The choice lies in the user's cache folder, one small file for each model, machine, number of threads and set of library
versions. Where it cannot be read or written, the trial is made again.
"""

import hashlib
import json
import logging
import time
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import ModelError, RpmsnError
from ..files import user_cache_dir, whole_file
from ..signal.image import COLUMNS, ROWS
from . import KINDS, available, create, why_not
from .base import Runtime
from .libraries import multiplies, processor

if TYPE_CHECKING:
    from ..models.model import Model

log = logging.getLogger(__name__)

TRIAL_SECONDS = 1.0
"""Time for the trial of all runtimes together; loading the libraries comes on top of it, once."""
MAX_RUNS = 20
INT8_FEATURES = {"avx512_vnni", "avx_vnni", "asimd"}
"""CPU features of which int8 needs one: without, it is slower than float32, and ONNX Runtime's sums overflow."""


def fastest(model: "Model", threads: int) -> Runtime:
    """The fastest runtime for a model, made: the one remembered, or else the winner of a trial.

    Args:
        model: rpmsn.models.model.Model.
        threads: that the runtime may use.

    Raises:
        ModelError: none works; the message says why, one by one.
    """
    path = _choice_path(model, threads)
    remembered = _read_choice(path)
    if remembered is not None and why_not(remembered, model) is None:
        try:
            return create(model, remembered, threads)
        except (RpmsnError, ImportError, OSError, RuntimeError) as error:
            log.warning("runtime %s worked before and does not now: %s", remembered, error)
    first, last = _candidates(model)
    made, faults = _make_all(model, first, threads)
    if not made:
        made, more = _make_all(model, last, threads)
        faults += more
    if not made:
        raise ModelError(
            f"no runtime can run model {model.card.name!r}: {'; '.join(faults) or _needs(model)}; "
            "`rpmsn doctor` lists those that are installed"
        )
    if len(made) == 1:
        return made[0]
    seconds = {runtime.name: trial(runtime, TRIAL_SECONDS / len(made)) for runtime in made}
    best = min(made, key=lambda runtime: seconds[runtime.name])
    times = [f"{name} {1e3 * seconds[name]:.1f} ms" for name in sorted(seconds, key=lambda name: seconds[name])]
    log.info("fastest runtime for %s with %d threads: %s", model.card.name, threads, ", ".join(times))
    if not faults:
        _write_choice(path, best.name, seconds)
    return best


def _candidates(model: "Model") -> tuple[list[str], list[str]]:
    """Names of the runtimes to try: first these, and where none of them works, those. No int8 without a unit for it.

    torch on a CPU comes last: it takes twice as long for an image as ONNX Runtime (docs/runtimes.md), and seconds to
    load. In bfloat16 it is taken only where it is asked for: results would depend on a trial.
    """
    names = [name for name in available(model) if has_int8_unit() or not name.endswith("int8")]
    return [name for name in names if not name.startswith("torch")], [name for name in names if name == "torch"]


def trial(runtime: Runtime, limit_s: float) -> float:
    """Seconds that a runtime takes for one image: the median of the runs that fit into `limit_s`, after one to warm up.

    A single run that takes longer than that counts as it is.
    """
    image = np.random.default_rng(1).random((1, runtime.card.arguments["in_channels"], ROWS, COLUMNS), np.float32)
    ends = time.perf_counter() + limit_s
    times: list[float] = []
    while len(times) <= MAX_RUNS:
        begun = time.perf_counter()
        runtime.probabilities(image)
        times.append(time.perf_counter() - begun)
        if time.perf_counter() > ends:
            break
    return float(np.median(times[1:] or times))


def has_int8_unit() -> bool:
    """Whether this CPU multiplies int8 fast, and without overflow."""
    return multiplies(INT8_FEATURES)


def _make_all(model: "Model", names: list[str], threads: int) -> tuple[list[Runtime], list[str]]:
    """Every runtime of `names` that can be made, and what is wrong with the others."""
    made, faults = [], []
    for name in names:
        try:
            made.append(create(model, name, threads))
        except (RpmsnError, ImportError, OSError, RuntimeError) as error:
            log.warning("runtime %s is left out: %s", name, error)
            faults.append(f"{name}: {error}")
    return made, faults


def _needs(model: "Model") -> str:
    """What is missing, in words, for the runtime of the weights and for one of the exported files."""
    return "; ".join(str(error) for name in ("torch", "onnxruntime") if (error := why_not(name, model)) is not None)


def _choice_path(model: "Model", threads: int) -> Path:
    """Where the choice for a model on this machine lies."""
    versions = {library: _version(library) for library in sorted({kind.library for kind in KINDS.values()})}
    exports = {key: entry["sha256"] for key, entry in sorted(model.card.exports.items())}
    facts = [model.card.sha256, exports, processor(), versions, threads]
    key = hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:32]
    return user_cache_dir() / "runtimes" / f"{key}.json"


def _version(library: str) -> str | None:
    """Version of an installed library, without loading it; None if it is not installed."""
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return None


def _read_choice(path: Path) -> str | None:
    """The runtime that is remembered; None if there is none that makes sense."""
    try:
        name = json.loads(path.read_text(encoding="utf-8"))["runtime"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return name if name in list(KINDS) else None


def _write_choice(path: Path, name: str, seconds: dict[str, float]) -> None:
    """Remember a choice, and for people the times that it comes from."""
    content = {"runtime": name, "milliseconds": {other: round(1e3 * value, 3) for other, value in seconds.items()}}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as file:
            file.write(json.dumps(content, indent=1).encode())
    except OSError as error:
        log.info("the choice of a runtime is not remembered: %s", error)
